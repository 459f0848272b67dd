from odoo import api, fields, models

from .stock_lot_quarantine import HELD


class StockQuant(models.Model):
    _inherit = 'stock.quant'

    # In the row of the quant, like the removal date of core, so that a reservation asks nothing more.
    mmr_lot_status = fields.Selection(string="GMP Status", related='lot_id.mmr_status', store=True, index='btree_not_null')

    def _gather(self, product_id, location_id, lot_id=None, package_id=None, owner_id=None, strict=False, qty=0):
        quants = super()._gather(product_id, location_id, lot_id, package_id, owner_id, strict, qty)
        # The key narrows what a reservation finds and nothing else (see StockMove._mmr_with_usable_lots).
        usable = self.env.context.get('mmr_usable_lots')
        if usable == 'released':
            return quants.filtered(lambda quant: not quant.lot_id or quant.mmr_lot_status == 'released')
        if usable == 'not_held':
            return quants.filtered(lambda quant: quant.mmr_lot_status not in HELD)
        return quants

    @api.depends('mmr_lot_status')
    def _compute_available_quantity(self):
        super()._compute_available_quantity()
        for quant in self:
            if quant.mmr_lot_status in HELD:
                quant.available_quantity = 0
