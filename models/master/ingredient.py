"""The composition as the product label declares it (21 CFR 111.210(d))."""

from odoo import fields, models

from ..base.exact_number import ExactNumber


class MrpMmrIngredient(models.Model):
    """One ingredient as the label declares it (21 CFR 111.210(d)): dietary ones with their amount.

    Also held in guards/mrp_mmr_ingredient.sql.
    """
    _name = 'mrp.mmr.ingredient'
    _description = "Declared Ingredient of an MMR"
    _inherit = ['mrp.mmr.row.mixin']
    _order = 'revision_id, sequence, id'

    sequence = fields.Integer(default=10)
    name = fields.Char("Declared Name", required=True)
    is_dietary = fields.Boolean("Dietary Ingredient", help="Listed on the Supplement Facts label with its amount.")
    product_id = fields.Many2one(
        'product.product', "Component", index=True, check_company=True, ondelete='restrict',
        help="The component that the ingredient comes from.")
    amount = ExactNumber("Declared Amount")
    amount_unit = fields.Char("Unit", help="For instance: mg per serving.")

    _amount_positive = models.Constraint('CHECK (amount::numeric >= 0)', "A declared amount cannot be negative.")
