"""Dialog: make the stock of a lot what is really there, which opens a deviation (STK-020)."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.base.exact_number import ExactNumber


class MrpLotAdjust(models.TransientModel):
    _name = 'mrp.lot.adjust'
    _description = "Adjust the Stock of a Lot"

    lot_id = fields.Many2one('stock.lot', required=True, readonly=True)
    quant_id = fields.Many2one(
        'stock.quant', "Where", required=True, compute='_compute_quant_id', store=True, readonly=False,
        domain="[('lot_id', '=', lot_id), ('location_id.usage', 'in', ('internal', 'transit'))]")
    on_stock = fields.Float(related='quant_id.quantity', string="In Stock")
    # What nobody counted is blank, not zero.
    quantity = ExactNumber("Counted", required=True, help="What is there, in the unit of the product.")
    uom_id = fields.Many2one(related='lot_id.product_uom_id', string="Unit")
    bpr_id = fields.Many2one(
        'mrp.bpr', "Found in Batch", domain=[('state', '=', 'progress')],
        help="The batch in which it was found cannot be released before its deviation is closed.")
    description = fields.Text("How It Was Found", required=True)

    @api.depends('lot_id')
    def _compute_quant_id(self):
        for wizard in self:
            wizard.quant_id = self.env['stock.quant'].search([
                ('lot_id', '=', wizard.lot_id.id), ('location_id.usage', 'in', ('internal', 'transit'))], limit=1)

    def action_adjust(self):
        """Open the deviation and make the stock right; show the deviation."""
        self.ensure_one()
        if not (self.description or '').strip():
            raise UserError(self.env._("Enter how it was found."))
        deviation = self.lot_id._mmr_adjust(self.quant_id, self.quantity.value, self.description, self.bpr_id)
        return deviation.with_env(self.env).has_access('read') and {
            'type': 'ir.actions.act_window', 'res_model': 'mrp.deviation', 'view_mode': 'form', 'res_id': deviation.id}
