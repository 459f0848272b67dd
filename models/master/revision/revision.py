"""One numbered version of a master: its fields, its states and what each transition requires."""

import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ....domain.columns import CONTENT
from ....domain.numbers import decimal_string
from ....domain.refusals import refusal
from ....domain.transitions import in_transition, transition, without_defaults
from ...base.exact_number import ExactNumber
from ...base.gmp_float import GmpFloat
from ...base.json_field import JsonDocument
from ..section import SECTIONS

_logger = logging.getLogger(__name__)

STATES = [
    ('draft', "Draft"),
    ('submitted', "Submitted"),
    ('approved', "Approved"),
    ('effective', "Effective"),
    ('superseded', "Superseded"),
    ('obsolete', "Obsolete"),
    ('cancelled', "Cancelled"),
]
CHANGE_CATEGORIES = [
    ('initial', "First revision"),
    ('formula', "Formula"),
    ('process', "Process"),
    ('specification', "Specification"),
    ('equipment', "Equipment"),
    ('packaging', "Packaging or label"),
    ('document', "Wording"),
]
OPEN_STATES = ('draft', 'submitted', 'approved')
#: Content of the revision itself; its bill of materials guards its own.
CONTENT_FIELDS = {
    *CONTENT['mrp_mmr_revision'], 'mmr_id', 'bom_id', 'bom_line_ids', 'operation_ids', 'byproduct_ids', 'step_ids',
    'equipment_ids', 'specification_ids', 'ingredient_ids', 'pack_ids', 'reference_ids', 'section_ids', 'answer_ids',
    'allow_operation_dependencies',
}
#: Set by the workflow alone.
SYSTEM_FIELDS = {
    'state', 'revision', 'document', 'document_sha256', 'prepared_signature_id', 'approved_signature_id',
    'retired_signature_id', 'effective_at', 'ended_at', 'submitted_once', 'editor_ids',
    'company_id', 'product_id', 'formulation_code', 'review_ids',
}


class MrpMmrRevision(models.Model):
    """One numbered version of an MMR, from draft to superseded; it owns one bill of materials.

    When the preparer signs, the whole content is frozen into one canonical JSON document. Both
    signatures carry its SHA-256, and manufacturing orders embed that very document.

    Also held in guards/mrp_mmr_revision.sql and guards/mrp_mmr_revision_editor_rel.sql.
    """
    _name = 'mrp.mmr.revision'
    _description = "Revision of a Master Manufacturing Record"
    _inherit = ['mail.thread', 'mail.activity.mixin', 'mrp.esignature.mixin', 'mrp.audit.mixin',
                'mrp.audit.trail.mixin', 'mrp.bundle.mixin']
    _order = 'mmr_id, revision desc'
    _check_company_auto = True

    mmr_id = fields.Many2one(
        'mrp.mmr', "MMR", required=True, index=True, ondelete='restrict', check_company=True)
    revision = fields.Integer(required=True, readonly=True, copy=False, default=0, aggregator=None)
    state = fields.Selection(
        STATES, default='draft', required=True, readonly=True, copy=False, index=True, tracking=True,
        group_expand=True)
    company_id = fields.Many2one(
        related='mmr_id.company_id', store=True, index=True, precompute=True, ondelete='restrict')
    product_id = fields.Many2one(
        related='mmr_id.product_id', store=True, index=True, precompute=True, ondelete='restrict')
    formulation_code = fields.Char(related='mmr_id.formulation_code', store=True, precompute=True)
    profile_id = fields.Many2one(related='mmr_id.profile_id')
    profile_code = fields.Char(related='mmr_id.profile_id.code', string="Code of the Profile")
    batch_size = GmpFloat(related='mmr_id.batch_size')
    uom_id = fields.Many2one(related='mmr_id.uom_id')

    change_category = fields.Selection(CHANGE_CATEGORIES, default='formula', required=True, tracking=True)
    description = fields.Text("Description of the Change", tracking=True)
    reason = fields.Text(tracking=True, help="Why this revision is made.")
    precautions = fields.Text("Special Notations and Precautions", help="Write 'none' if there are none.")
    date_effective = fields.Date(
        "Effective Date", tracking=True,
        help="The day from which the revision is used. Empty: as soon as Quality Control has approved it.")

    training_required = fields.Boolean(
        tracking=True, help="Nobody can work with this revision without training on it (SEC-030, 21 CFR 111.14(b)(2)).")

    product_description = fields.Text("Description of the Product", help="Appearance, shape, colour, marking.")
    dosage_form = fields.Char(help="For instance: film-coated tablet (21 CFR 211.186(b)(1)).")
    dosage_unit_weight = ExactNumber(
        "Weight of a Dosage Unit", help="Total weight or measure of one dosage unit (21 CFR 211.186(b)(2)).")
    dosage_unit_weight_unit = fields.Char("Unit of the Dosage Weight")
    process_rationale = fields.Text(
        "Rationale of the Process Specifications",
        help="Why meeting the in-process specifications ensures that the product meets its own specifications (21 CFR "
             "111.70(c)(2)).")
    theoretical_yield = ExactNumber(
        help="Quantity at the end of manufacture if nothing were lost (21 CFR 111.3), in the unit of the batch size.")
    yield_min = ExactNumber("Minimum Yield (%)", help="A yield equal to the limit is inside.")
    yield_max = ExactNumber("Maximum Yield (%)")
    yield_rationale = fields.Text("Rationale of the Band")
    yield_to_review = fields.Boolean(
        "Yield To Be Reviewed", copy=False, help="Copied from another batch size and not reviewed yet.")

    step_ids = fields.One2many('mrp.mmr.step', 'revision_id', "Steps")
    equipment_ids = fields.One2many('mrp.mmr.equipment', 'revision_id')
    specification_ids = fields.One2many('mrp.mmr.specification', 'revision_id', "Specifications")
    ingredient_ids = fields.One2many('mrp.mmr.ingredient', 'revision_id', "Declared Ingredients")
    pack_ids = fields.One2many('mrp.mmr.pack', 'revision_id', "Pack Sizes")
    reference_ids = fields.One2many('mrp.mmr.reference', 'revision_id', "Referenced Documents")
    section_ids = fields.One2many('mrp.mmr.section', 'revision_id', "Device Sections")
    answer_ids = fields.One2many('mrp.mmr.answer', 'revision_id', "Answers")
    review_ids = fields.One2many('mrp.mmr.review', 'revision_id', "Reviews", readonly=True)
    open_review_names = fields.Char("Reviews Still Needed", compute='_compute_open_review_names')
    overages_to_confirm = fields.Integer("Overages to Confirm", compute='_compute_overages_to_confirm')
    overage_summary = fields.Text("Overages", compute='_compute_overages_to_confirm')

    bom_id = fields.Many2one(
        'mrp.bom', "Bill of Materials", required=True, readonly=True, copy=False, ondelete='restrict',
        check_company=True, context={'active_test': False})
    bom_line_ids = fields.One2many(related='bom_id.bom_line_ids', readonly=False, string="Components")
    operation_ids = fields.One2many(related='bom_id.operation_ids', readonly=False, string="Operations")
    allow_operation_dependencies = fields.Boolean(
        related='bom_id.allow_operation_dependencies', readonly=False, string="Stages Have Predecessors",
        help="Otherwise each stage follows the one before it.")
    byproduct_ids = fields.One2many(related='bom_id.byproduct_ids', readonly=False, string="By-products")
    to_review_count = fields.Integer("Quantities to Review", compute='_compute_to_review_count')

    document = JsonDocument("Frozen Document", readonly=True, copy=False, prefetch=False)
    document_sha256 = fields.Char("Digest", readonly=True, copy=False)
    submitted_once = fields.Boolean(readonly=True, copy=False)
    editor_ids = fields.Many2many(
        'res.users', 'mrp_mmr_revision_editor_rel', 'revision_id', 'user_id', "Edited By",
        readonly=True, copy=False, ondelete='restrict', context={'active_test': False},
        help="Everyone who edited the content of this revision; none of them can approve it.")
    prepared_signature_id = fields.Many2one(
        'mrp.esignature', "Prepared", readonly=True, copy=False, ondelete='restrict')
    approved_signature_id = fields.Many2one(
        'mrp.esignature', "Approved by Quality Control", readonly=True, copy=False, ondelete='restrict')
    retired_signature_id = fields.Many2one(
        'mrp.esignature', "Retired", readonly=True, copy=False, ondelete='restrict')
    signature_ids = fields.Many2many(
        'mrp.esignature', "All Signatures", compute='_compute_signature_ids', help="Including void ones.")
    signature_count = fields.Integer(compute='_compute_signature_ids')
    effective_at = fields.Datetime("Effective Since", readonly=True, copy=False, tracking=True)
    ended_at = fields.Datetime("Effective Until", readonly=True, copy=False, tracking=True)
    production_ids = fields.One2many('mrp.production', 'mmr_revision_id', "Manufacturing Orders")
    production_count = fields.Integer(compute='_compute_production_count')

    _revision_uniq = models.Constraint(
        'UNIQUE (mmr_id, revision)', "A revision number can be used only once (REV-020, EU GMP 4.3).")
    _bom_uniq = models.Constraint('UNIQUE (bom_id)', "A bill of materials can belong to only one revision.")
    _one_effective = models.UniqueIndex(
        "(mmr_id) WHERE state = 'effective'", "An MMR can have only one effective revision (REV-050, 21 CFR 111.255(c)).")
    _one_open = models.UniqueIndex(
        "(mmr_id) WHERE state IN ('draft', 'submitted', 'approved')",
        "This MMR already has an open revision: finish or cancel it first (REV-020, EU GMP 4.3).")
    _signed = models.Constraint(
        """CHECK (
            (state IN ('draft', 'cancelled'))
            OR (document IS NOT NULL AND document_sha256 IS NOT NULL AND prepared_signature_id IS NOT NULL
                AND (state = 'submitted' OR approved_signature_id IS NOT NULL))
        )""",
        "A revision can only be used with two signatures on its frozen content (APR-030, 21 CFR 111.123(a)(1)).")
    _signatures_differ = models.Constraint(
        'CHECK (prepared_signature_id <> approved_signature_id)',
        "Two signatures are required (APR-030, 21 CFR 211.186(a)).")

    _yield_band = models.Constraint(
        "CHECK (yield_min::numeric >= 0 AND theoretical_yield::numeric >= 0 "
        "AND (yield_max::numeric = 0 OR yield_min::numeric <= yield_max::numeric))",
        "The limits of a yield band must be at least 0 %, and the minimum cannot be above the maximum. Rule: CON-060, 21 CFR "
        "111.210(f).")

    # === COMPUTE === #

    @api.depends('mmr_id.name', 'revision')
    def _compute_display_name(self):
        for revision in self:
            revision.display_name = self.env._(
                "%(mmr)s revision %(number)s", mmr=revision.mmr_id.name, number=revision.revision)

    @api.depends('bom_line_ids.mmr_to_review', 'operation_ids.mmr_yield_to_review', 'yield_to_review')
    def _compute_to_review_count(self):
        for revision in self:
            revision.to_review_count = (
                len(revision.bom_line_ids.filtered('mmr_to_review')) + revision.yield_to_review
                + len(revision.operation_ids.filtered('mmr_yield_to_review')))

    @api.depends('review_ids.signature_id', 'state')
    def _compute_open_review_names(self):
        for revision in self:
            revision.open_review_names = ', '.join(revision._get_open_reviews().mapped('name'))

    @api.depends('bom_line_ids.mmr_overage', 'bom_line_ids.mmr_overage_confirmed_id', 'bom_line_ids.mmr_overage_rationale')
    def _compute_overages_to_confirm(self):
        for revision in self:
            lines = revision.sudo()._get_unconfirmed_overages()
            revision.overages_to_confirm = len(lines)
            revision.overage_summary = '\n'.join(self.env._(
                "%(component)s: %(percent)s%(amount)s %(unit)s. %(rationale)s", component=line.product_id.display_name,
                percent=f"{line.mmr_overage} % = " if line.mmr_overage_kind == 'percent' else '',
                amount=decimal_string(line._get_overage_amount()), unit=line.product_uom_id.name,
                rationale=line.mmr_overage_rationale or self.env._("No rationale.")) for line in lines)

    def _compute_signature_ids(self):
        signatures = self.env['mrp.esignature'].search(
            [('res_model', '=', self._name), ('res_id', 'in', self.ids)]).grouped('res_id')
        for revision in self:
            revision.signature_ids = signatures.get(revision.id)
            revision.signature_count = len(revision.signature_ids)

    def _compute_production_count(self):
        counts = dict(self.env['mrp.production']._read_group(
            [('mmr_revision_id', 'in', self.ids)], ['mmr_revision_id'], ['__count']))
        for revision in self:
            revision.production_count = counts.get(revision, 0)

    def _audit_chain(self):
        return self.mmr_id

    def _get_state_label(self):
        self.ensure_one()
        return dict(self._fields['state']._description_selection(self.env))[self.state].lower()

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        self = without_defaults(self, SYSTEM_FIELDS | {'bom_id'})
        for vals in vals_list:
            if SYSTEM_FIELDS & vals.keys() or vals.get('bom_id'):
                raise refusal(
                    self.env,
                    self.env._("A revision starts as a draft, with its own number and bill of materials."),
                    "APR-010, REV-020, EU GMP 4.3", self.env._("leave these fields out."))
            mmr = self.env['mrp.mmr'].browse(vals.get('mmr_id'))
            if not mmr:
                raise UserError(self.env._("A revision needs an MMR. Create the MMR; its first revision is created with it."))
            if self.sudo().search_count([('mmr_id', '=', mmr.id), ('state', 'in', OPEN_STATES)], limit=1):
                raise refusal(
                    self.env, self.env._("%s already has an open revision.", mmr.display_name),
                    "REV-020, EU GMP 4.3", self.env._("finish or cancel that revision first."), record=mmr)
            vals['revision'] = mmr._take_revision_number()
            vals.setdefault('theoretical_yield', mmr.batch_size)
            if mmr.profile_id.code == 'PDEV' and 'section_ids' not in vals:
                vals['section_ids'] = [Command.create({'code': code}) for code, _label in SECTIONS]
            content = {
                name: vals.pop(name) for name in ('bom_line_ids', 'operation_ids', 'byproduct_ids') if name in vals}
            vals['bom_id'] = self.env['mrp.bom'].create(
                dict(self._prepare_bom_vals(mmr, vals['revision']), **content)).id
        revisions = super().create(vals_list)
        revisions._register_editor()
        # What was there before its revision was: from here on it is content (AUD-080).
        for rows in (revisions.bom_id, revisions.bom_line_ids, revisions.operation_ids, revisions.byproduct_ids):
            rows.sudo()._audit_append('create', rows.sudo()._audit_created())
        return revisions

    def write(self, vals):
        if SYSTEM_FIELDS & vals.keys() and not in_transition(self):
            raise refusal(
                self.env,
                self.env._("The status, number, digest and signatures of %s can only be set by signing.",
                           ', '.join(self.mapped('display_name'))),
                "APR-010, 21 CFR 111.123(a)(1)", self.env._("use the buttons of the revision."), record=self)
        if CONTENT_FIELDS & vals.keys() and not in_transition(self):
            if {'mmr_id', 'bom_id'} & vals.keys():
                raise refusal(
                    self.env, self.env._("A revision cannot be moved to another MMR or bill of materials."),
                    "REV-020, EU GMP 4.3", self.env._("create a new revision instead."), record=self)
            self._check_editable()
        if vals.get('yield_to_review') is False:
            for revision in self.filtered('yield_to_review'):
                revision._log_reviewed([self.env._("yield at the end of manufacture")])
        return super().write(vals)

    def _log_reviewed(self, names):
        """Record that the person reviewed these quantities and yields for this batch size (MMR-040)."""
        for revision in self:
            revision._message_log(
                body=self.env._("Reviewed for the batch size %(size)s: %(names)s",
                                size=revision.mmr_id._get_batch_size_label(), names=', '.join(names)),
                author_id=self.env.user.partner_id.id)

    def _check_editable(self):
        """Refuse unless these revisions are drafts, and remember who edits them (APR-040).

        :raise UserError: if a revision is no longer a draft
        """
        for revision in self:
            if revision.state != 'draft':
                raise refusal(
                    self.env,
                    self.env._("%(revision)s is %(state)s: its content cannot be changed.",
                               revision=revision.display_name, state=revision._get_state_label()),
                    "REV-010, 21 CFR 111.123(a)(1), 211.100(a), EU GMP 4.3",
                    self.env._("create a new revision of %(mmr)s.", mmr=revision.mmr_id.display_name),
                    record=revision)
        self._register_editor()

    def copy(self, default=None):  # pylint: disable=method-required-super
        raise UserError(self.env._(
            "A revision cannot be duplicated: use New Revision, which copies the content without signatures. Rule: REV-030, "
            "EU GMP 4.3."))

    @api.ondelete(at_uninstall=True)
    def _unlink_except_submitted(self):
        for revision in self:
            if revision.state != 'draft' or revision.submitted_once:
                raise refusal(
                    self.env,
                    self.env._("%(revision)s is %(state)s and was submitted, so it cannot be deleted.",
                               revision=revision.display_name, state=revision._get_state_label()),
                    "REC-040, 21 CFR 111.605(b), 211.180(d)",
                    self.env._("cancel the draft, or retire the revision."), record=revision)

    def unlink(self):
        self._unlink_except_submitted()
        boms = self.bom_id
        result = super().unlink()
        boms.unlink()
        return result

    def _register_editor(self):
        """Remember who edits the content; sudo keeps the person, so elevated writes count as well."""
        user = self.env.user
        missing = self.sudo().filtered(lambda revision: user not in revision.editor_ids)
        if missing:
            with transition(missing):
                missing.write({'editor_ids': [Command.link(user.id)]})

    # === ACTIONS === #

    def action_cancel(self):
        """Abandon a draft; its number is not used again (REV-020, EU GMP 4.3)."""
        self.check_access('write')
        for revision in self:
            if revision.state != 'draft':
                raise revision._refuse_transition(self.env._("cancelled"))
        # Edits of this transaction reach the database while the revision is a draft there.
        self.env.flush_all()
        with transition(self):
            self.write({'state': 'cancelled'})
        return True

    def action_confirm_overages(self):
        """Confirm every open overage of this revision as Quality Control (PRD-050)."""
        self.ensure_one()
        return self._get_unconfirmed_overages().action_confirm_overage()

    def _get_unconfirmed_overages(self):
        return self.bom_line_ids.filtered(
            lambda line: line._has_overage() and not line.mmr_overage_confirmed_id)

    # === EFFECTIVE === #

    def _get_today(self):
        """Return today's date where the company is."""
        self.ensure_one()
        return self.company_id._get_mmr_today()
