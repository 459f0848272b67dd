"""Categories of products: whether lots of theirs wait for release by Quality Control (USE-060)."""

from odoo import fields, models


class ProductCategory(models.Model):
    _inherit = 'product.category'

    mmr_lot_release = fields.Boolean(
        "Lots Need Release by Quality Control",
        help="New lots of products in this category start in quarantine (USE-060, 21 CFR 211.84(a)).")

    def write(self, vals):
        if 'mmr_lot_release' not in vals:
            return super().write(vals)
        changed = self.filtered(lambda category: category.mmr_lot_release != bool(vals['mmr_lot_release']))
        if not vals['mmr_lot_release']:
            for category in changed:
                self.env['product.template']._mmr_check_release_role(category)
        # The guards see at once what is decided on by lot.
        self.env.flush_all()
        result = super().write(vals)
        self.env.flush_all()
        self.env['mrp.audit.entry']._append_about('setting', changed, {
            'mmr_lot_release': {'old': not vals['mmr_lot_release'], 'new': bool(vals['mmr_lot_release'])}})
        return result
