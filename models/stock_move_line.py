from odoo import api, models

from ..tools import in_transition

RECORDED_FIELDS = {'quantity', 'lot_id', 'lot_name', 'product_id', 'product_uom_id'}


class StockMoveLine(models.Model):
    _inherit = 'stock.move.line'

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._mmr_check_open()
        return lines

    def write(self, vals):
        if not RECORDED_FIELDS & vals.keys():
            return super().write(vals)
        self._mmr_check_open()
        result = super().write(vals)
        if 'product_id' in vals:
            self._mmr_check_open()
        return result

    @api.ondelete(at_uninstall=True)
    def _unlink_except_mmr_closed(self):
        self._mmr_check_open()

    def _mmr_check_open(self):
        """Refuse to change what a closed batch consumed or made, and to substitute a component.

        Rules: AUD-020, 21 CFR 11.10(e); USE-060, 21 CFR 111.120(e).
        """
        for move in self.move_id:
            production = move._mmr_orders()
            if not production or production.state == 'draft' or not production.mmr_snapshot_sha256 \
                    or in_transition(production):
                continue
            if production.state == 'done' or any(
                    line.product_id != move.product_id for line in self if line.move_id == move):
                raise production._mmr_refuse_change(self.env._("recorded consumption and production"))
