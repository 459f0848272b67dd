"""Checks that the moves of a batch and its lots on stock say what its record says (STK-040, 21 CFR 111.260(f), 211.192)."""

from decimal import Decimal

from .evidence import EvidenceReader
from .ledger import CHECKPOINT, FINDING, REMARK, Finding
from .stock import SURPLUS, WITHOUT_ORIGIN, find_differences, find_lot_differences, plain

VERBS = {'used': "used", 'made': "made", 'stock': "on stock, as it was moved"}
#: Masters of these versions could be signed with quantities that stock rounded, by default to two digits.
ROUNDING_SCHEMAS = {'mrp_mmr/mmr/1', 'mrp_mmr/mmr/2'}
ROUNDED = Decimal('0.005')


class StockChecks(EvidenceReader):
    """What completed and cancelled batches took and made, against their records."""

    def _check_stock(self):
        self.cr.execute("SELECT digits FROM decimal_precision WHERE name = 'Product Unit'")
        # What stock could not hold was rounded before the addon refused it, for old masters with fewer digits than now.
        rounding = Decimal(1).scaleb(-(self.cr.fetchone() or [2])[0]) / 2
        for rows in self._rows(f"""SELECT b.id, o.mmr_snapshot #>> '{{document,schema}}'
                                     FROM mrp_bpr b JOIN mrp_production o ON o.id = b.production_id
                                    WHERE b.id > %(after)s AND b.state IN ('done', 'cancel')
                                      AND {self._company_condition('b.company_id')} ORDER BY b.id"""):
            schemas = dict(rows)
            for row in find_differences(self.cr, list(schemas)):
                allowed = max(rounding, ROUNDED) if schemas[row.bpr_id] in ROUNDING_SCHEMAS else rounding
                what = ' '.join(filter(None, (row.product, row.lot and f'lot {row.lot}', row.place and f'at {row.place}')))
                yield Finding(
                    'mrp.bpr', row.bpr_id, row.bpr, f"{plain(row.expected)} of {what} {VERBS[row.kind]}", plain(row.found),
                    FINDING if abs(row.expected - row.found) > allowed else REMARK)
            yield CHECKPOINT

    def _check_lots_on_stock(self):
        """Lots that Quality Control decides on lie where done lines brought them (REL-070)."""
        for rows in self._rows(f"""SELECT l.id FROM stock_lot l WHERE l.id > %(after)s AND l.mmr_status IS NOT NULL
                                    AND {self._company_condition('l.company_id')} ORDER BY l.id"""):
            for lot, name, place, moved, found in find_lot_differences(self.cr, [lot for lot, in rows]):
                yield Finding('stock.lot', lot, name, f"{plain(moved)} at {place}, as it was moved", plain(found))
            yield CHECKPOINT

    def _check_lots_made(self):
        """Released lots of products under control were made by a record, bought, or here before the control (REL-070).

        A remark: versions before this rule let Quality Control release such lots.
        """
        for rows in self._rows(f"""{WITHOUT_ORIGIN} AND l.id > %(after)s AND {self._company_condition('l.company_id')}
                                    ORDER BY l.id"""):
            for lot, name, product in rows:
                yield Finding('stock.lot', lot, name, f"released {product} of a batch record, a receipt or before its control",
                              "made by no record, and released", REMARK)
            yield CHECKPOINT

    def _check_lots_surplus(self):
        """Of a lot that a batch made there is, and left, no more than its batch made (REL-070, STK-020).

        A remark: an adjustment that names its deviation may have brought it.
        """
        for rows in self._rows(SURPLUS.format(company=self._company_condition('l.company_id'))):
            for lot, name, bpr, made, brought in rows:
                yield Finding('stock.lot', lot, name, f"{plain(Decimal(made))}, as {bpr} made it",
                              f"{plain(Decimal(brought))} more, by counts", REMARK)
            yield CHECKPOINT
