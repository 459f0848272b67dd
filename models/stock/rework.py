"""Reprocessing takes the lot that Quality Control approved it for, once (REL-070, DEV-060)."""

from odoo import models


class MrpDeviation(models.Model):
    """Also held in guards/stock_move_line.sql."""
    _inherit = 'mrp.deviation'

    def _mmr_covers_line(self, line):
        """Whether this decision covers a move line: its lot and product, used up in the one order that names the decision."""
        self.ensure_one()
        lot, move = line.lot_id.sudo(), line.move_id.sudo()
        unbuild = move.consume_unbuild_id
        if not self._is_rework_approved(lot.mmr_bpr_id, lot) or unbuild and not unbuild._is_mmr_approved():
            return False
        if self.lot_id and self.lot_id != lot or line.product_id != lot.product_id \
                or line.location_dest_id.usage != 'production':
            return False
        others = self.env['stock.move.line'].sudo().search([
            ('lot_id', '=', lot.id), ('state', '=', 'done'), ('quantity', '>', 0),
            '|', ('move_id.raw_material_production_id.mmr_rework_deviation_id', '=', self.id),
            ('move_id.consume_unbuild_id.mmr_deviation_id', '=', self.id)]).move_id
        return all(other.raw_material_production_id == move.raw_material_production_id
                   and other.consume_unbuild_id == unbuild for other in others)
