"""Checks that the moves of a batch and its lots on stock say what its record says (STK-040, 21 CFR 111.260(f), 211.192)."""

from decimal import Decimal

from .evidence import EvidenceReader
from .ledger import CHECKPOINT, FINDING, REMARK, Finding
from .stock import find_differences, find_lot_differences, plain

VERBS = {'used': "used", 'made': "made", 'stock': "on stock, as it was moved"}


class StockChecks(EvidenceReader):
    """What completed and cancelled batches took and made, against their records."""

    def _check_stock(self):
        self.cr.execute("SELECT digits FROM decimal_precision WHERE name = 'Product Unit'")
        # What stock could not hold was rounded before the addon refused it.
        rounding = Decimal(1).scaleb(-(self.cr.fetchone() or [2])[0]) / 2
        for rows in self._rows(f"""SELECT b.id FROM mrp_bpr b WHERE b.id > %(after)s AND b.state IN ('done', 'cancel')
                                    AND {self._company_condition('b.company_id')} ORDER BY b.id"""):
            for row in find_differences(self.cr, [bpr for bpr, in rows]):
                what = ' '.join(filter(None, (row.product, row.lot and f'lot {row.lot}', row.place and f'at {row.place}')))
                yield Finding(
                    'mrp.bpr', row.bpr_id, row.bpr, f"{plain(row.expected)} of {what} {VERBS[row.kind]}", plain(row.found),
                    FINDING if abs(row.expected - row.found) > rounding else REMARK)
            yield CHECKPOINT

    def _check_lots_on_stock(self):
        """Lots that Quality Control decides on lie where done lines brought them (REL-070)."""
        for rows in self._rows(f"""SELECT l.id FROM stock_lot l WHERE l.id > %(after)s AND l.mmr_status IS NOT NULL
                                    AND {self._company_condition('l.company_id')} ORDER BY l.id"""):
            for lot, name, place, moved, found in find_lot_differences(self.cr, [lot for lot, in rows]):
                yield Finding('stock.lot', lot, name, f"{plain(moved)} at {place}, as it was moved", plain(found))
            yield CHECKPOINT
