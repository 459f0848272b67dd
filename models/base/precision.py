"""The precision of quantities, which is raised for what is weighed and never lowered (STK-030)."""

from odoo import api, fields, models

from ...domain.numbers import GMP_DIGITS
from ...domain.refusals import refusal

#: What Odoo keeps every quantity of stock, orders and bills of materials with.
APPLICATION = 'Product Unit'
RULE = "STK-030, 21 CFR 111.210(c)"


class DecimalPrecision(models.Model):
    _inherit = 'decimal.precision'

    def write(self, vals):
        if 'digits' in vals:
            lowered = self.filtered(lambda row: row.name == APPLICATION and vals['digits'] < row.digits)
            if lowered and self.env['mrp.bpr'].sudo().search_count([], limit=1):
                raise refusal(
                    self.env, self.env._("Quantities in batch records are stored with %s decimals.", lowered.digits), RULE,
                    self.env._("leave the precision as it is, or increase it."), record=lowered)
        return super().write(vals)


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    mmr_quantity_digits = fields.Integer(
        "Decimals of Quantities", compute='_compute_mmr_quantity_digits', inverse='_inverse_mmr_quantity_digits',
        readonly=False, help="For all products, units and documents. It can be increased but not reduced.")

    @api.depends('company_id')
    def _compute_mmr_quantity_digits(self):
        self.mmr_quantity_digits = self.env['decimal.precision'].precision_get(APPLICATION)

    def _inverse_mmr_quantity_digits(self):
        for settings in self:
            settings._mmr_raise_precision(settings.mmr_quantity_digits)

    def _mmr_raise_precision(self, digits):
        """Increase the number of decimals of stock, immediately and for all products.

        :raise UserError: where they would be fewer, or more than records have
        """
        # A save of the settings asks for rights to them, and for none to precisions.
        row = self.env.ref('uom.decimal_product_uom').sudo()
        if digits == row.digits:
            return
        if not row.digits < digits <= GMP_DIGITS:
            raise refusal(
                self.env,
                self.env._("Quantities have %(digits)s decimals. This number can only be increased, to at most %(most)s.",
                                     digits=row.digits, most=GMP_DIGITS),
                RULE, self.env._("type a number in this range, or leave it as it is."), record=row)
        before = row.digits
        row.digits = digits
        company = self.env.company
        self.env['mrp.audit.entry'].sudo()._append([{
            'chain': company, 'kind': 'setting', 'model': row._name, 'res_id': row.id, 'record_name': row.name,
            'values': {'digits': {'old': before, 'new': digits}}}])

    @api.onchange('mmr_quantity_digits')
    def _onchange_mmr_quantity_digits(self):
        before = self.env['decimal.precision'].precision_get(APPLICATION)
        if self.mmr_quantity_digits != before:
            return {'warning': {
                'title': self.env._("Decimals of Quantities"),
                'message': self.env._(
                    "From now on, quantities of all products are shown, compared and rounded with %(digits)s decimals "
                    "instead of %(before)s, in stock, purchase, sales and manufacturing. This cannot be undone.",
                    digits=self.mmr_quantity_digits, before=before)}}
        return None
