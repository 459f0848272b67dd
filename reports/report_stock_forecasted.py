"""Odoo's forecast leaves out what Quality Control holds (REL-010)."""

from odoo import models
from odoo.fields import Domain

from ..domain.lots import ON_HOLD


class StockForecasted(models.AbstractModel):
    _inherit = 'stock.forecasted_product_product'

    def _get_quant_domain(self, location_ids, products):
        """Demand is not covered by lots that Quality Control holds (REL-010)."""
        return Domain(super()._get_quant_domain(location_ids, products)) & Domain('mmr_lot_status', 'not in', ON_HOLD)
