from odoo import api, models

from ..tools import in_transition

#: What a component or by-product of a released batch is; actual quantities and lots are entered freely.
PLANNED_FIELDS = {'product_id', 'product_uom_qty', 'product_uom', 'raw_material_production_id', 'production_id'}


class StockMove(models.Model):
    _inherit = 'stock.move'

    @api.model_create_multi
    def create(self, vals_list):
        moves = super().create(vals_list)
        if not in_transition():
            ids = {vals.get(name) for vals in vals_list for name in ('raw_material_production_id', 'production_id')}
            ids.discard(None)
            ids.discard(False)
            if ids:
                self.env['mrp.production'].browse(ids)._mmr_refuse_released(self.env._("components and by-products"))
        return moves

    def write(self, vals):
        planned = PLANNED_FIELDS & vals.keys()
        if planned and not in_transition():
            for move in self:
                production = move.raw_material_production_id or move.production_id
                if production.mmr_snapshot_sha256 and any(
                        move._fields[name].convert_to_write(move[name], move) != vals[name] for name in planned):
                    raise production._mmr_refuse_change(self.env._("components and by-products"))
        return super().write(vals)

    @api.ondelete(at_uninstall=True)
    def _unlink_except_mmr_released(self):
        if not in_transition():
            # Core deletes moves again that a change of the bill of materials has deleted already.
            moves = self.exists()
            (moves.raw_material_production_id | moves.production_id)._mmr_refuse_released(
                self.env._("components and by-products"))
