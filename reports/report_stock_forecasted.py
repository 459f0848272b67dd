"""Odoo's forecast leaves out what Quality Control holds (REL-010)."""

from odoo import models
from odoo.fields import Domain


class StockForecasted(models.AbstractModel):
    _inherit = 'stock.forecasted_product_product'

    def _get_quant_domain(self, location_ids, products):
        """Demand is not covered by lots that are not free (REL-010, REL-070)."""
        return Domain(super()._get_quant_domain(location_ids, products)) & self.env['stock.quant']._mmr_get_free_domain()
