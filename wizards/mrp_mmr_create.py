from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools import convert


class MrpMmrCreate(models.TransientModel):
    """Make an MMR from a bill of materials: content is copied, nothing is scaled (MMR-030, MMR-040)."""
    _name = 'mrp.mmr.create'
    _description = "Create MMR from a Bill of Materials"

    bom_id = fields.Many2one('mrp.bom', "Bill of Materials", required=True, readonly=True, ondelete='cascade')
    company_id = fields.Many2one(
        'res.company', required=True, compute='_compute_from_bom', store=True, readonly=False, precompute=True)
    product_tmpl_id = fields.Many2one(related='bom_id.product_tmpl_id', string="Product Template")
    product_id = fields.Many2one(
        'product.product', required=True, compute='_compute_from_bom', store=True, readonly=False, precompute=True,
        domain="[('product_tmpl_id', '=', product_tmpl_id)]")
    formulation_code = fields.Char("Formulation", required=True, default="A")
    profile_id = fields.Many2one(
        'mrp.mmr.profile', required=True, ondelete='cascade',
        default=lambda self: self.env['mrp.mmr.profile'].search([], limit=1))
    batch_size = fields.Float(
        digits='GMP Quantity', required=True, compute='_compute_from_bom', store=True, readonly=False,
        precompute=True)
    uom_id = fields.Many2one(
        'uom.uom', "Unit", required=True, compute='_compute_from_bom', store=True, readonly=False, precompute=True)
    is_other_size = fields.Boolean(compute='_compute_is_other_size')

    @api.depends('bom_id')
    def _compute_from_bom(self):
        for wizard in self:
            bom = wizard.bom_id
            wizard.company_id = bom.company_id or self.env.company
            wizard.product_id = bom.product_id or bom.product_tmpl_id.product_variant_id
            wizard.batch_size = bom.product_qty
            wizard.uom_id = bom.product_uom_id

    @api.depends('bom_id', 'batch_size', 'uom_id')
    def _compute_is_other_size(self):
        for wizard in self:
            bom = wizard.bom_id
            wizard.is_other_size = convert(wizard.batch_size, wizard.uom_id, bom.product_uom_id) != convert(
                bom.product_qty, bom.product_uom_id, bom.product_uom_id)

    def action_create(self):
        """Create the MMR and open its first revision.

        :raise UserError: where a component is a kit, or the MMR exists already
        """
        self.ensure_one()
        if self.bom_id.type == 'phantom':
            raise UserError(self.env._(
                "%s is a kit and is not manufactured; an MMR cannot be made from it. Rule: MMR-050, "
                "21 CFR 111.210.", self.bom_id.display_name))
        mmr = self.env['mrp.mmr'].create({
            'company_id': self.company_id.id,
            'product_id': self.product_id.id,
            'formulation_code': self.formulation_code,
            'profile_id': self.profile_id.id,
            'batch_size': self.batch_size,
            'uom_id': self.uom_id.id,
        })
        revision = mmr.open_revision_id
        revision._copy_content_from(self.bom_id, to_review=self.is_other_size)
        return {
            'type': 'ir.actions.act_window',
            'res_model': 'mrp.mmr.revision',
            'res_id': revision.id,
            'view_mode': 'form',
        }
