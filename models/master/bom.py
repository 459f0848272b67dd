"""The bill of materials that a revision owns; its content is frozen with the revision."""

from odoo import api, fields, models

from ...domain.refusals import refusal
from ...domain.transitions import in_transition


class MrpBom(models.Model):
    """Also held in guards/mrp_bom.sql."""
    _name = 'mrp.bom'
    _inherit = ['mrp.bom', 'mrp.mmr.content.mixin']

    mmr_revision_ids = fields.One2many(
        'mrp.mmr.revision', 'bom_id', "MMR Revision", copy=False,
        help="The revision of a Master Manufacturing Record that owns this bill of materials.")
    mmr_locked = fields.Boolean("Signed Content", compute='_compute_mmr_locked', compute_sudo=True)

    @api.depends('mmr_revision_ids.state')
    def _compute_mmr_locked(self):
        for bom in self:
            bom.mmr_locked = any(revision.state != 'draft' for revision in bom.mmr_revision_ids)

    @api.model
    def _mmr_revisions_of_rows(self, vals_list):
        """Return the revisions of the bills of materials that rows with these values would belong to."""
        return self.browse({vals.get('bom_id') for vals in vals_list} - {None, False}).mmr_revision_ids

    def _mmr_revisions(self):
        return self.mmr_revision_ids

    @api.model
    def _mmr_revisions_of(self, vals_list):
        return self.env['mrp.mmr.revision']

    @api.model
    def _mmr_content_fields(self):
        return {
            'product_tmpl_id', 'product_id', 'product_qty', 'product_uom_id', 'type', 'company_id', 'code',
            'batch_size', 'enable_batch_size', 'consumption', 'allow_operation_dependencies',
            'bom_line_ids', 'operation_ids', 'byproduct_ids',
        }

    @api.constrains('type', 'product_tmpl_id', 'active')
    def _check_mmr_no_kit(self):
        """Refuse a kit for a product under control: its parts would be delivered in its name, made by no batch."""
        self.product_tmpl_id.filtered('mmr_controlled')._mmr_check_no_kit()

    def write(self, vals):
        if 'active' in vals and not in_transition(self):
            # Core archives with the product what is archived already.
            for revision in self.sudo().filtered(lambda bom: bom.active != bool(vals['active'])).mmr_revision_ids:
                raise refusal(
                    self.env,
                    self.env._("The bill of materials of %(revision)s follows the status of the revision.",
                               revision=revision.display_name),
                    "REV-050, 21 CFR 111.255(c)",
                    self.env._("approve or retire the revision; its bill of materials follows automatically."),
                    record=revision,
                )
        return super().write(vals)

    def action_create_mmr(self):
        """Open the dialog that makes an MMR from this bill of materials (its quantities as they are)."""
        self.ensure_one()
        self.env['mrp.mmr.create'].check_access('create')
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Create MMR"),
            'res_model': 'mrp.mmr.create',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_bom_id': self.id},
        }
