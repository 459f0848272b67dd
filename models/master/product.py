"""Variants of controlled products: they stay what they are, and what is on hold is not free to use (REL-010)."""

from odoo import models
from odoo.fields import Domain

from ...domain.lots import ON_HOLD
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
                        self.env, self.env._("%s is controlled by MMR and stays what it is.", product.display_name),
                        "USE-020, 21 CFR 111.205(a)", self.env._("create another product."), record=product)
        return super().write(vals)

    def _compute_quantities_dict(self, lot_id, owner_id, package_id, from_date=False, to_date=False):
        """What Quality Control holds is on hand and not free to use (REL-010)."""
        quantities = super()._compute_quantities_dict(lot_id, owner_id, package_id, from_date, to_date)
        tracked = self.filtered(lambda product: product.tracking != 'none')
        if not tracked:
            return quantities
        domain = Domain('product_id', 'in', tracked._origin.ids) & Domain('mmr_lot_status', 'in', ON_HOLD) \
            & Domain(self._get_domain_locations()[0])
        for name, value in (('lot_id', lot_id), ('owner_id', owner_id), ('package_id', package_id)):
            if value is not None:
                domain &= Domain(name, '=', value)
        held = {product.id: quantity - reserved for product, quantity, reserved in self.env['stock.quant']._read_group(
            domain, ['product_id'], ['quantity:sum', 'reserved_quantity:sum'])}
        for product in tracked:
            if held.get(product._origin.id):
                values = quantities[product.id]
                values['free_qty'] = product.uom_id.round(values['free_qty'] - held[product._origin.id])
        return quantities

    def _mmr_in_company(self, company):
        """Return these products so that their quantities are those of ``company`` alone."""
        return self.with_company(company).with_context(allowed_company_ids=company.ids)

    def _mmr_get_shortage(self, company):
        """Return how much ``company`` needs beyond what it has and expects."""
        self.ensure_one()
        return max(0.0, -self._mmr_in_company(company).virtual_available)
