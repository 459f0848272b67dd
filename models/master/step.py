"""Instructions of a stage: what is done, by whom, checked by whom, and within which limits."""

from odoo import api, fields, models

from ...domain.files import IMAGES
from ...domain.roles import ROLES
from ...domain.step_kinds import COMPONENT_KINDS, CONTROL_KINDS, STEP_KINDS
from ..base.exact_number import ExactNumber
from .revision.document import ordered


class MrpMmrStep(models.Model):
    """One instruction of a stage: what is done, by whom, checked by whom, and within which limits.

    Steps run in their order (21 CFR 111.205(b)(2), 111.210(h), 211.186(b)(9), EU GMP 4.18).

    Also held in guards/mrp_mmr_step.sql and guards/mrp_mmr_step_sop_rel.sql.
    """
    _name = 'mrp.mmr.step'
    _description = "Step of an MMR"
    _inherit = ['mrp.mmr.file.mixin', 'mrp.mmr.row.mixin', 'mrp.mmr.criterion.mixin']
    _order = 'revision_id, operation_id, sequence, id'
    _mmr_parent_field = 'operation_id'
    _mmr_file_kinds = IMAGES
    _mmr_upload_fields = ('picture', 'picture_name')
    _mmr_file_name = 'picture.png'

    sequence = fields.Integer(default=10)
    operation_id = fields.Many2one(
        'mrp.routing.workcenter', "Stage", required=True, index=True, ondelete='cascade')
    bom_id = fields.Many2one(related='revision_id.bom_id')
    name = fields.Char("Step", required=True)
    kind = fields.Selection(STEP_KINDS, required=True, default='instruction')
    instruction = fields.Text(help="The actions to perform and to verify.")
    precaution = fields.Text(help="It must be acknowledged before the step can start.")
    bom_line_id = fields.Many2one(
        'mrp.bom.line', "Component", index='btree_not_null', ondelete='cascade',
        help="The component that is weighed or added here.")
    sop_ids = fields.Many2many(
        'mrp.sop', 'mrp_mmr_step_sop_rel', 'step_id', 'sop_id', "Procedures", check_company=True, ondelete='restrict')
    file_id = fields.Many2one('mrp.mmr.file', "Stored Picture", index='btree_not_null', ondelete='restrict')
    picture = fields.Binary(compute='_compute_upload', inverse='_inverse_upload', help="Shown next to the instruction.")
    picture_name = fields.Char(compute='_compute_upload_name', inverse='_inverse_upload')
    check_ids = fields.One2many('mrp.mmr.step.check', 'step_id', "Checklist")

    performer_role = fields.Selection(ROLES, "Performed By", default='operator')
    performer_meaning = fields.Selection([
        ('performed', "Performed"),
        ('checked', "Checked"),
    ], "Signs As", default='performed')
    verifier_role = fields.Selection(ROLES, "Verified By")
    verifier_meaning = fields.Selection([
        ('verified', "Verified"),
        ('checked', "Checked"),
        ('reviewed', "Reviewed"),
        ('approved', "Approved"),
    ], "Verifier Signs As")
    is_critical = fields.Boolean(
        "Critical", help="Entries get an additional accuracy check (EU GMP Annex 11 §6).")
    is_hold_point = fields.Boolean(
        "Hold Point", help="Quality Control decides on the material before work continues (21 CFR 211.110(c)).")
    execution = fields.Selection([
        ('manual', "Manual"),
        ('automated', "Automated"),
    ], required=True, default='manual', help="Automated: controlled equipment does the work and one person checks it (21 CFR "
                                             "211.68(c)).")
    equipment_id = fields.Many2one(
        'mrp.mmr.equipment', index='btree_not_null', ondelete='set null',
        help="The equipment of the stage that is used; required for automated steps.")

    pack_id = fields.Many2one(
        'mrp.mmr.pack', "Pack Size", index='btree_not_null', ondelete='set null',
        help="For a label reconciliation: the pack size whose labels are counted. Required if there is more than one pack "
             "size.")
    limit_kind = fields.Selection(compute='_compute_limit_kind', store=True, readonly=False, precompute=True)
    corrective_action = fields.Text("Corrective Action Plan", help="What is done if the criterion is not met.")
    method_id = fields.Many2one(
        'mrp.sop', "Test Procedure", check_company=True, ondelete='restrict', index='btree_not_null')
    has_plausibility = fields.Boolean("Plausibility Range", help="Values outside this range are refused as typing errors.")
    plausible_min = ExactNumber("Plausible From")
    plausible_max = ExactNumber("Plausible To")
    minimum_time = ExactNumber(
        help="The step is not signed as performed before so much time has passed since its start (CON-150).")
    time_limit = ExactNumber()
    # Without default: what is blank means minutes, so that steps that are signed already stay as they are.
    time_unit = fields.Selection(
        [('min', "minutes"), ('h', "hours"), ('d', "days"), ('wk', "weeks")], "Unit of Times",
        help="Minutes, if blank.")
    sample_required = fields.Boolean("Sample")
    sample_count = fields.Integer("Number of Samples", aggregator=None)
    sample_size = ExactNumber()
    sample_unit = fields.Char()
    sample_timing = fields.Char("When", help="For instance: at the beginning, in the middle and at the end.")
    sample_role = fields.Selection(ROLES, "Sampled By", default='operator')

    _second_person = models.Constraint(
        "CHECK (kind NOT IN ('weigh', 'add') OR execution = 'automated' OR verifier_role IS NOT NULL)",
        "Weighing and adding by hand need a second person. Rule: CON-100, 21 CFR 111.210(h)(3)(ii). Choose who verifies, or "
        "name the equipment that does the work automatically.")
    _plausibility_in_order = models.Constraint(
        "CHECK (has_plausibility IS NOT TRUE OR plausible_min::numeric <= plausible_max::numeric)",
        "The end of the plausibility range cannot be below its beginning. Rule: VER-060, EU GMP Annex 11 §6.")
    _times_positive = models.Constraint(
        "CHECK (time_limit::numeric >= 0 AND sample_size::numeric >= 0 AND sample_count >= 0)",
        "Time limits and samples cannot be negative. Rule: CON-090, CON-150.")

    _times_in_order = models.Constraint(
        "CHECK (minimum_time::numeric >= 0 AND (minimum_time::numeric = 0 OR time_limit::numeric = 0 "
        "OR minimum_time::numeric <= time_limit::numeric))",
        "The minimum time of a step cannot exceed its time limit. Rule: CON-150, 21 CFR 211.111. Lower the minimum time, or "
        "raise the limit.")

    @api.depends('kind')
    def _compute_limit_kind(self):
        for step in self:
            if step.kind not in CONTROL_KINDS:
                step.limit_kind = False
            elif step.kind == 'passfail':
                step.limit_kind = 'text'
            elif step.limit_kind not in ('range', 'nlt', 'nmt'):
                step.limit_kind = 'range'

    @api.model
    def default_get(self, fields):
        """Go on where the last step of the revision stands."""
        values = super().default_get(fields)
        revision = self.env['mrp.mmr.revision'].browse(self.env.context.get('default_revision_id'))
        if 'sequence' in fields and revision.step_ids:
            values['sequence'] = max(revision.step_ids.mapped('sequence')) + 1
        if 'operation_id' in fields and not values.get('operation_id') and revision:
            last_stage = ordered(revision.operation_ids).filtered('mmr_step_ids')[-1:] or ordered(revision.operation_ids)[:1]
            values['operation_id'] = last_stage.id
        return values

    @api.onchange('kind')
    def _onchange_kind(self):
        if self.kind in ('weigh', 'add', 'label', 'clearance', 'yield') and not self.verifier_role:
            self.verifier_role = 'verifier'
            self.verifier_meaning = 'verified'

    @api.onchange('verifier_role')
    def _onchange_verifier_role(self):
        if self.verifier_role:
            self.verifier_meaning = self.verifier_meaning or 'verified'
        else:
            self.verifier_meaning = False

    @api.onchange('bom_line_id')
    def _onchange_bom_line_id(self):
        if self.bom_line_id and not self.name:
            self.name = self.env._("Weigh and add %s", self.bom_line_id.product_id.name)
        if self.bom_line_id.operation_id and not self.operation_id:
            self.operation_id = self.bom_line_id.operation_id

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            vals.setdefault('time_unit', 'min')
            # The rules name a second person for weighing by hand: it is there unless something else is said.
            if vals.get('kind') in COMPONENT_KINDS and vals.get('execution', 'manual') == 'manual':
                vals.setdefault('verifier_role', 'verifier')
            if vals.get('verifier_role') and 'verifier_meaning' not in vals:
                vals['verifier_meaning'] = 'verified'
        return super().create(vals_list)

    @api.model
    def get_import_templates(self):
        return [{
            'label': self.env._("Import Template for the Steps of an MMR"),
            'template': '/mrp_mmr/static/import/mmr_steps.csv',
        }]

    @api.model
    def _mmr_copied_fields(self):
        return super()._mmr_copied_fields() - {'check_ids'}

    def _get_criterion_problems(self, place):
        problems = super()._get_criterion_problems(place)
        if self.has_plausibility and self.plausible_min is None and self.plausible_max is None:
            problems.append(self.env._("%s has a plausibility range without limits.", place))
        return problems

    def _get_location(self):
        """Return the name of the step with its stage, as messages say it."""
        self.ensure_one()
        return self.env._("%(stage)s, step '%(step)s'", stage=self.operation_id.name, step=self.name)


class MrpMmrStepCheck(models.Model):
    """One item of a step's checklist (PRD-090). Also held in guards/mrp_mmr_step_check.sql."""
    _name = 'mrp.mmr.step.check'
    _description = "Checklist Item of an MMR Step"
    _inherit = ['mrp.mmr.row.mixin']
    _order = 'step_id, sequence, id'
    _mmr_parent_field = 'step_id'

    sequence = fields.Integer(default=10)
    step_id = fields.Many2one('mrp.mmr.step', required=True, index=True, ondelete='cascade')
    name = fields.Char("Item", required=True)
    is_mandatory = fields.Boolean("Mandatory", default=True, help="A 'no' opens a deviation.")
