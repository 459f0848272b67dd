from odoo import models
from odoo.fields import Domain


class StockQuant(models.Model):
    _inherit = 'stock.quant'

    def _get_gather_domain(self, product_id, location_id, lot_id=None, package_id=None, owner_id=None, strict=False):
        domain = super()._get_gather_domain(product_id, location_id, lot_id, package_id, owner_id, strict)
        if not self.env.context.get('mmr_released_lots'):
            return domain
        # A controlled batch asks (see StockMove): lots that Quality Control released, unless the product has no lots.
        return Domain(domain) & (Domain('lot_id', '=', False) | Domain('lot_id.mmr_status', '=', 'released'))
