"""Acceptance criteria of component, packaging, product label and finished product (21 CFR 111.70)."""

from odoo import api, fields, models

from ...domain.results import AS_RECORDED, ROUNDED

#: Profiles whose tests are those of a pharmacopoeia (USP General Notices 7.20, Ph. Eur. 1.4).
COMPENDIAL_PROFILES = ('P211', 'PEU')


class MrpMmrSpecification(models.Model):
    """One acceptance criterion of a component, the packaging, the label or the finished product (21 CFR 111.70).

    Criteria of the process itself are those of its steps.

    Also held in guards/mrp_mmr_specification.sql.
    """
    _name = 'mrp.mmr.specification'
    _description = "Specification of an MMR"
    _inherit = ['mrp.mmr.row.mixin', 'mrp.mmr.criterion.mixin']
    _order = 'revision_id, sequence, id'

    sequence = fields.Integer(default=10)
    scope = fields.Selection([
        ('component', "Component"),
        ('packaging', "Packaging"),
        ('label', "Label"),
        ('product', "Finished product"),
    ], required=True, default='component')
    product_id = fields.Many2one(
        'product.product', "Component or Material", index=True, check_company=True, ondelete='restrict',
        help="Empty for the finished product and for labels.")
    name = fields.Char("Test or Property", required=True)
    is_identity = fields.Boolean("Identity Test", help="Distinguishes the component from every other one (21 CFR "
                                                       "111.70(b)(1)).")
    limit_kind = fields.Selection(required=True, default='text')
    document_id = fields.Many2one(
        'mrp.sop', "Specification", ondelete='restrict', index=True, check_company=True,
        help="The specification with its version.")
    method = fields.Char(help="How it is tested, e.g. FTIR against the reference spectrum.")
    method_id = fields.Many2one('mrp.sop', "Test Procedure", ondelete='restrict', index=True, check_company=True)
    corrective_action = fields.Text("Corrective Action Plan", help="What is done if the criterion is not met.")

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        if 'comparison' in fields and not values.get('comparison'):
            values['comparison'] = self._get_default_comparison({})
        return values

    @api.model
    def _get_default_comparison(self, vals):
        """Round the results of compendial tests (NUM-030, USP General Notices 7.20, EU GMP 6.7)."""
        revision = self.env['mrp.mmr.revision'].browse(
            vals.get('revision_id') or self.env.context.get('default_revision_id'))
        return ROUNDED if revision.sudo().profile_code in COMPENDIAL_PROFILES else AS_RECORDED

    @api.depends('scope', 'product_id', 'name')
    def _compute_display_name(self):
        scopes = dict(self._fields['scope']._description_selection(self.env))
        for row in self:
            row.display_name = f"{row.product_id.name or scopes.get(row.scope, '')}: {row.name}"
