"""From a lot to the batch that made it, and what belongs to it, in one click; the status of that batch in words (USR-010)."""

from odoo import api, fields, models
from odoo.fields import Domain


class StockLot(models.Model):
    _name = 'stock.lot'
    _inherit = ['stock.lot', 'mrp.batch.links.mixin']

    mmr_batch_status_text = fields.Char("Status of the Batch", related='mmr_bpr_id.status_text', related_sudo=True)
    mmr_batch_status_kind = fields.Selection(related='mmr_bpr_id.status_kind', related_sudo=True)

    mmr_waits_for_batch = fields.Boolean(
        compute='_compute_mmr_waits_for_batch', help="It is released or rejected with the batch that made it.")

    @api.depends('mmr_status', 'mmr_status_signature_id', 'mmr_bpr_id')
    def _compute_mmr_waits_for_batch(self):
        alone = self._mmr_filter_decided_alone()
        for lot in self:
            lot.mmr_waits_for_batch = lot not in alone

    def _get_linked_batches(self):
        return self.mmr_bpr_id or self.env['mrp.bpr'].search([('production_id.lot_producing_ids', 'in', self.ids)])

    def _get_linked_deviations(self):
        """Return the deviations of the batch, those about the lot itself, and the one that holds it."""
        own = self.env['mrp.deviation'].sudo().search(Domain('lot_id', 'in', self.ids))
        return super()._get_linked_deviations() | own | self.sudo().mmr_hold_deviation_id
