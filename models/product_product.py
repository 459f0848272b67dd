from odoo import models

from ..tools import refusal


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
