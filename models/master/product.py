"""Variants of controlled products: they stay what they are."""

from odoo import models

from ...domain.refusals import refusal


class ProductProduct(models.Model):
    _inherit = 'product.product'

    def write(self, vals):
        if 'product_tmpl_id' in vals:
            for product in self:
                if product.product_tmpl_id.id != vals['product_tmpl_id'] and (
                        product.product_tmpl_id.mmr_controlled
                        or self.env['mrp.mmr'].sudo().with_context(active_test=False).search_count(
                            [('product_id', '=', product.id)], limit=1)):
                    raise refusal(
                        self.env,
                        self.env._("%s is controlled by MMR: its type and tracking cannot be changed.", product.display_name),
                        "USE-020, 21 CFR 111.205(a)", self.env._("create another product."), record=product)
        return super().write(vals)

    def _mmr_in_company(self, company):
        """Return these products with the quantities of ``company`` only."""
        return self.with_company(company).with_context(allowed_company_ids=company.ids)

    def _mmr_get_shortage(self, company):
        """Return how much ``company`` needs beyond what it has and expects."""
        self.ensure_one()
        return max(0.0, -self._mmr_in_company(company).virtual_available)
