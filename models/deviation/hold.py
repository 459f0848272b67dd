"""A grave deviation holds its lots in the transaction that opens it, or makes it grave (DEV-100)."""

from odoo import api, fields, models
from odoo.tools import SQL

#: Deviations that hold lots.
GRAVE = ('major', 'critical')


class MrpDeviation(models.Model):
    """Also held in guards/mrp_deviation.sql and guards/mrp_deviation_batch.sql."""
    _inherit = 'mrp.deviation'

    held_lot_ids = fields.One2many('stock.lot', 'mmr_hold_deviation_id', "Held Lots", readonly=True)

    @api.model
    def _store(self, vals_list):
        deviations = super()._store(vals_list)
        deviations._hold_lots()
        return deviations

    def write(self, vals):
        result = super().write(vals)
        if 'severity' in vals:
            self._hold_lots()
        return result

    def action_find_related(self):
        result = super().action_find_related()
        self._hold_lots(propose=False)
        return result

    def _hold_lots(self, propose=True):
        """Hold the lots of those of these that are major or critical: the lot that is named, what the batch made, and what
        related batches made that nobody found not affected (DEV-100, 21 CFR 111.113, 211.192).

        :param bool propose: whether related batches are looked for first, where the deviation says what they share: a lot,
            a unit of equipment, or a critical risk of the batch
        """
        grave = self.sudo().filtered(lambda deviation: deviation.severity in GRAVE and deviation.state != 'closed')
        if not grave:
            return
        if propose:
            for deviation in grave:
                if deviation._is_cause_shared():
                    deviation._propose_related()
        self.env.flush_all()
        held = {}
        for lot, deviation in self.env.execute_query(SQL(
                """SELECT l, (SELECT min(d) FROM mrp_mmr_concerning(l) d WHERE d = ANY(%(ids)s))
                     FROM mrp_mmr_lots_to_hold(%(ids)s) l ORDER BY 1""", ids=list(grave.ids))):
            held.setdefault(deviation, []).append(lot)
        for deviation, lots in held.items():
            self.env['stock.lot'].sudo().browse(lots)._mmr_hold(mmr_hold_deviation_id=deviation)

    def _is_cause_shared(self):
        """Whether the hold automatically extends to other batches.

        What the system found of a rejected lot or a failed calibration has a deviation in each batch that it concerns.
        """
        self.ensure_one()
        if self.bpr_id:
            return self.severity == 'critical' and not self.equipment_log_id and not (self.cause_key or '').startswith('lot:')
        return bool(self.lot_id or self.equipment_id or self.equipment_log_id)


class MrpDeviationBatch(models.Model):
    _inherit = 'mrp.deviation.batch'

    def write(self, vals):
        result = super().write(vals)
        if 'assessment' in vals:
            self.deviation_id._hold_lots(propose=False)
        return result
