from odoo import api, models

from ..tools import in_transition

RECORDED_FIELDS = {'quantity', 'lot_id', 'lot_name', 'product_id', 'product_uom_id'}


class StockMoveLine(models.Model):
    _inherit = 'stock.move.line'

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        if any(vals.get('move_id') for vals in vals_list):
            lines._mmr_check_open()
        return lines

    def write(self, vals):
        if RECORDED_FIELDS & vals.keys():
            self._mmr_check_open()
        return super().write(vals)

    @api.ondelete(at_uninstall=True)
    def _unlink_except_mmr_closed(self):
        self._mmr_check_open()

    def _mmr_check_open(self):
        """Refuse to change what a closed batch consumed or made (AUD-020, 21 CFR 11.10(e))."""
        if in_transition():
            return
        for move in self.move_id:
            if move.state != 'done':
                continue
            production = move.raw_material_production_id or move.production_id
            if production.mmr_snapshot_sha256 and production.state == 'done':
                raise production._mmr_refuse_change(self.env._("recorded consumption and production"))
