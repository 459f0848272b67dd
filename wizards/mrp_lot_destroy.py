"""Dialog that records the destruction of a lot (DEV-080)."""

from odoo import api, fields, models

from ..domain.lots import ON_HOLD
from ..models.base.gmp_float import GmpFloat


class MrpLotDestroy(models.TransientModel):
    _name = 'mrp.lot.destroy'
    _description = "Record the Destruction of a Lot"

    lot_id = fields.Many2one(
        'stock.lot', required=True, default=lambda self: self.env.context.get('active_id'),
        domain=[('mmr_status', 'in', ON_HOLD)])
    location_id = fields.Many2one(
        'stock.location', "From", required=True, compute='_compute_location_id', store=True, readonly=False,
        domain="[('id', 'in', available_location_ids)]")
    available_location_ids = fields.Many2many('stock.location', compute='_compute_available_location_ids')
    quantity = GmpFloat(required=True, compute='_compute_quantity', store=True, readonly=False)
    uom_id = fields.Many2one(related='lot_id.product_uom_id', string="Unit")
    method = fields.Char("How and Where", required=True, help="For example: incinerated by the waste contractor, shredded on "
                                                              "site.")
    reason = fields.Text(required=True)

    def _get_quants(self):
        return self.env['stock.quant'].search([
            ('lot_id', 'in', self.lot_id.ids), ('location_id.usage', '=', 'internal'), ('quantity', '>', 0)])

    @api.depends('lot_id')
    def _compute_available_location_ids(self):
        for wizard in self:
            wizard.available_location_ids = wizard._get_quants().location_id

    @api.depends('lot_id')
    def _compute_location_id(self):
        for wizard in self:
            wizard.location_id = wizard._get_quants().location_id[:1]

    @api.depends('lot_id', 'location_id')
    def _compute_quantity(self):
        for wizard in self:
            wizard.quantity = sum(wizard._get_quants().filtered(
                lambda quant, wizard=wizard: quant.location_id == wizard.location_id).mapped('quantity'))

    def action_record(self):
        """Record the destruction and open the signature of Quality Control."""
        self.ensure_one()
        return self.env['mrp.lot.destruction']._record(
            self.lot_id, self.location_id, self.quantity, self.method, self.reason).action_destroy()
