"""Packaging instructions by pack size (21 CFR 111.210(g), EU GMP 4.19)."""

from odoo import api, fields, models

from ..base.exact_number import ExactNumber


class MrpMmrPack(models.Model):
    """Packaging instructions of one pack size (EU GMP 4.19, 21 CFR 111.210(g)); an MMR may have several.

    Also held in guards/mrp_mmr_pack.sql.
    """
    _name = 'mrp.mmr.pack'
    _description = "Pack Size of an MMR"
    _inherit = ['mrp.mmr.row.mixin']
    _order = 'revision_id, sequence, id'

    sequence = fields.Integer(default=10)
    name = fields.Char("Pack Size", required=True, help="For instance: bottle of 60 tablets.")
    quantity = ExactNumber("Content", required=True, default=1)
    uom_id = fields.Many2one('uom.uom', "Unit", required=True, ondelete='restrict')
    packed_under = fields.Char(
        help="The record under which it is packed and labelled, if no stage of this MMR does so.")
    description = fields.Text("Description of the Packaging")
    coding_position = fields.Char("Lot and Expiry Printed", help="Where the lot number and the expiry date are printed.")
    clearance = fields.Text("Line Clearance")
    checks = fields.Text("Packaging Checks")
    label_id = fields.Many2one('mrp.mmr.label', index=True, check_company=True, ondelete='restrict')
    label_state = fields.Selection(related='label_id.state', string="Status of the Label")
    line_ids = fields.One2many('mrp.mmr.pack.line', 'pack_id', "Packaging Materials")

    _quantity_positive = models.Constraint('CHECK (quantity::numeric > 0)', "The content of a pack must be greater than zero.")

    @api.model
    def _mmr_copied_fields(self):
        return super()._mmr_copied_fields() - {'line_ids'}


class MrpMmrPackLine(models.Model):
    """One packaging material of a pack size. Also held in guards/mrp_mmr_pack_line.sql."""
    _name = 'mrp.mmr.pack.line'
    _description = "Packaging Material of an MMR"
    _inherit = ['mrp.mmr.row.mixin']
    _order = 'pack_id, sequence, id'
    _mmr_parent_field = 'pack_id'

    sequence = fields.Integer(default=10)
    pack_id = fields.Many2one('mrp.mmr.pack', "Pack Size", required=True, index=True, ondelete='cascade')
    product_id = fields.Many2one(
        'product.product', "Material", required=True, index=True, check_company=True, ondelete='restrict')
    quantity = ExactNumber("Quantity per Pack", required=True, default=1)
    uom_id = fields.Many2one(
        'uom.uom', "Unit", required=True, ondelete='restrict', compute='_compute_uom_id', store=True,
        readonly=False, precompute=True)

    _quantity_positive = models.Constraint(
        'CHECK (quantity::numeric > 0)', "The quantity of a packaging material must be greater than zero (CON-160).")

    @api.depends('product_id')
    def _compute_uom_id(self):
        for line in self:
            line.uom_id = line.uom_id or line.product_id.uom_id
