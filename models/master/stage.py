"""Operations as stages of a master: yields, times, storage between them."""

from odoo import api, fields, models
from odoo.fields import Domain

from ..base.exact_number import ExactNumber

STAGES = [
    ('dispensing', "Dispensing"),
    ('processing', "Processing"),
    ('packaging', "Packaging"),
    ('labelling', "Labelling"),
    ('testing', "Testing"),
]


class MrpRoutingWorkcenter(models.Model):
    """Also held in guards/mrp_routing_workcenter.sql and guards/mrp_routing_workcenter_dependencies_rel.sql."""
    _name = 'mrp.routing.workcenter'
    _inherit = ['mrp.routing.workcenter', 'mrp.mmr.content.mixin']

    mmr_instruction = fields.Text(
        "Instruction", help="What to do in this operation, as signed and printed in the MMR.")
    mmr_locked = fields.Boolean(related='bom_id.mmr_locked')
    mmr_stage = fields.Selection(STAGES, "Stage", default='processing')
    mmr_step_ids = fields.One2many('mrp.mmr.step', 'operation_id', "Steps")
    mmr_equipment_ids = fields.One2many('mrp.mmr.equipment', 'operation_id', "Equipment")
    mmr_yield_control = fields.Boolean(
        "Yield Control", help="The yield of this stage is controlled (21 CFR 111.210(f)).")
    mmr_theoretical_yield = ExactNumber("Theoretical Yield")
    mmr_yield_uom_id = fields.Many2one('uom.uom', "Yield Unit", ondelete='restrict')
    mmr_yield_min = ExactNumber("Minimum Yield (%)")
    mmr_yield_max = ExactNumber("Maximum Yield (%)")
    mmr_yield_rationale = fields.Text("Rationale of the Band")
    mmr_yield_to_review = fields.Boolean("Yield To Be Reviewed", copy=False)
    mmr_time_limit = ExactNumber("Maximum Duration (h)")
    mmr_hold_time = ExactNumber(
        "Maximum Hold Time (h)", help="Between the end of this stage and the beginning of the next one.")
    mmr_storage_conditions = fields.Char("Storage until the Next Stage")

    _mmr_yield_band = models.Constraint(
        "CHECK (mmr_yield_min::numeric >= 0 AND mmr_theoretical_yield::numeric >= 0 "
        "AND (mmr_yield_max::numeric = 0 OR mmr_yield_min::numeric <= mmr_yield_max::numeric))",
        "The limits of a yield band must be at least 0 %, and the minimum cannot be above the maximum. Rule: CON-060, 21 CFR "
        "111.210(f).")
    _mmr_times = models.Constraint(
        "CHECK (mmr_time_limit::numeric >= 0 AND mmr_hold_time::numeric >= 0)",
        "Times cannot be negative. Rule: CON-150, 21 CFR 211.111.")

    @api.model
    def name_search(self, name='', domain=None, operator='ilike', limit=100):
        # An import names rows of the revision that it fills, and of no other.
        revision = self.env.context.get('mmr_revision_id')
        if revision:
            domain = Domain(domain or Domain.TRUE) & Domain('bom_id.mmr_revision_ids', '=', revision)
        return super().name_search(name, domain, operator, limit)

    def _mmr_revisions(self):
        return self.bom_id.mmr_revision_ids

    @api.model
    def _mmr_revisions_of(self, vals_list):
        return self.env['mrp.bom']._mmr_revisions_of_rows(vals_list)

    @api.model
    def _mmr_content_fields(self):
        return {
            'name', 'workcenter_id', 'bom_id', 'sequence', 'active', 'mmr_instruction', 'blocked_by_operation_ids',
            'needed_by_operation_ids', 'bom_product_template_attribute_value_ids', 'mmr_stage', 'mmr_step_ids',
            'mmr_equipment_ids', 'mmr_yield_control', 'mmr_theoretical_yield', 'mmr_yield_uom_id', 'mmr_yield_min',
            'mmr_yield_max', 'mmr_yield_rationale', 'mmr_yield_to_review', 'mmr_time_limit', 'mmr_hold_time',
            'mmr_storage_conditions',
        }

    @api.model
    def _mmr_copied_fields(self):
        return self._mmr_content_fields() - {
            'bom_id', 'active', 'blocked_by_operation_ids', 'needed_by_operation_ids',
            'bom_product_template_attribute_value_ids',
        } | {'time_mode', 'time_mode_batch', 'time_cycle_manual'}

    def write(self, vals):
        if vals.get('mmr_yield_to_review') is False:
            for operation in self.sudo().filtered('mmr_yield_to_review'):
                operation.bom_id.mmr_revision_ids._log_reviewed([self.env._("yield of %s", operation.name)])
        return super().write(vals)

    @api.onchange('mmr_yield_control')
    def _onchange_mmr_yield_control(self):
        if self.mmr_yield_control and not self.mmr_yield_uom_id:
            self.mmr_yield_uom_id = self.bom_id.product_uom_id
