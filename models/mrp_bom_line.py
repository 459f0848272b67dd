from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools import GMP_DIGITS, decimal_string


class MrpBomLine(models.Model):
    _name = 'mrp.bom.line'
    _inherit = ['mrp.bom.line', 'mrp.mmr.content.mixin']

    gmp_qty = fields.Float(
        "GMP Quantity", digits=(16, GMP_DIGITS), copy=False,
        help="The quantity for one batch as it is signed. Odoo's own quantity is rounded to the precision of "
             "'Product Unit'; a revision whose quantities do not fit into it cannot be submitted.")
    mmr_to_review = fields.Boolean(
        "To Be Reviewed", copy=False,
        help="The quantity was copied from another batch size and was not looked at yet.")

    def init(self):
        super().init()
        self.env['mrp.bom']._mmr_create_content_triggers(self._table)

    @api.onchange('gmp_qty')
    def _onchange_gmp_qty(self):
        self.product_qty = self.gmp_qty

    @api.constrains('product_id', 'bom_id')
    def _check_mmr_no_kit(self):
        for bom, lines in self.filtered(lambda line: line.bom_id.mmr_revision_ids).grouped('bom_id').items():
            kits = self.env['mrp.bom']._bom_find(
                lines.product_id, company_id=bom.company_id.id, bom_type='phantom')
            for product in lines.product_id:
                if kits.get(product):
                    raise ValidationError(self.env._(
                        "%(product)s is a kit: its content could change after signing. Rule: MMR-050, "
                        "21 CFR 111.210(b). Add the components of the kit one by one.",
                        product=product.display_name))

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([
            self._mmr_align_quantities({'product_qty': self.env.context.get('default_product_qty', 1.0), **vals})
            for vals in vals_list
        ])

    def write(self, vals):
        return super().write(self._mmr_align_quantities(vals))

    @api.model
    def _mmr_align_quantities(self, vals):
        """Keep the signed quantity and Odoo's rounded one together; the finer one leads."""
        if 'gmp_qty' in vals:
            return dict(vals, product_qty=vals['gmp_qty'])
        if 'product_qty' in vals:
            return dict(vals, gmp_qty=vals['product_qty'])
        return vals

    def _mmr_boms(self):
        return self.bom_id

    @api.model
    def _mmr_content_fields(self):
        return {
            'product_id', 'product_qty', 'gmp_qty', 'product_uom_id', 'bom_id', 'operation_id', 'sequence',
            'bom_product_template_attribute_value_ids', 'mmr_to_review',
        }

    def _is_mmr_quantity_exact(self):
        """Whether Odoo's precision holds the signed quantity without loss."""
        self.ensure_one()
        return decimal_string(self.gmp_qty) == decimal_string(self.product_qty)

    def _get_mmr_quantity(self):
        """Return the finer of the two quantities; lines older than the addon have Odoo's alone."""
        self.ensure_one()
        rounded = self.product_uom_id.compare(self.gmp_qty, self.product_qty) == 0
        return self.gmp_qty if self.gmp_qty and rounded else self.product_qty
