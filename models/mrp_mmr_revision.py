import logging
from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command

from ..tools import in_transition, refusal, sha256, transition, without_defaults

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
#: Every way a revision can go; PostgreSQL knows the same table (see ``init``).
TRANSITIONS = {
    ('draft', 'submitted'), ('draft', 'cancelled'), ('submitted', 'draft'), ('submitted', 'approved'),
    ('approved', 'effective'), ('approved', 'obsolete'), ('effective', 'superseded'), ('effective', 'obsolete'),
}
OPEN_STATES = ('draft', 'submitted', 'approved')
#: Content of the revision itself; its bill of materials guards its own.
CONTENT_FIELDS = {
    'change_category', 'description', 'reason', 'date_effective', 'precautions', 'mmr_id', 'bom_id',
    'bom_line_ids', 'operation_ids', 'byproduct_ids',
}
#: Set by the workflow alone.
SYSTEM_FIELDS = {
    'state', 'revision', 'document', 'document_sha256', 'prepared_signature_id', 'approved_signature_id',
    'retired_signature_id', 'effective_at', 'ended_at', 'submitted_once', 'editor_ids',
    'company_id', 'product_id', 'formulation_code',
}


class MrpMmrRevision(models.Model):
    """One numbered version of an MMR, from draft to superseded; it owns one bill of materials.

    When the preparer signs, the whole content is frozen into one canonical JSON document. Both
    signatures carry its SHA-256, and manufacturing orders embed that very document.
    """
    _name = 'mrp.mmr.revision'
    _description = "Revision of a Master Manufacturing Record"
    _inherit = ['mail.thread', 'mail.activity.mixin', 'mrp.esignature.mixin']
    _order = 'mmr_id, revision desc'
    _check_company_auto = True

    mmr_id = fields.Many2one(
        'mrp.mmr', "MMR", required=True, index=True, ondelete='restrict', check_company=True)
    revision = fields.Integer(required=True, readonly=True, copy=False, default=0, aggregator=None)
    state = fields.Selection(
        STATES, default='draft', required=True, readonly=True, copy=False, index=True, tracking=True,
        group_expand=True)
    company_id = fields.Many2one(related='mmr_id.company_id', store=True, index=True, precompute=True)
    product_id = fields.Many2one(related='mmr_id.product_id', store=True, index=True, precompute=True)
    formulation_code = fields.Char(related='mmr_id.formulation_code', store=True, precompute=True)
    profile_id = fields.Many2one(related='mmr_id.profile_id')
    batch_size = fields.Float(related='mmr_id.batch_size')
    uom_id = fields.Many2one(related='mmr_id.uom_id')

    change_category = fields.Selection([
        ('initial', "First revision"),
        ('formula', "Formula"),
        ('process', "Process"),
        ('specification', "Specification"),
        ('equipment', "Equipment"),
        ('packaging', "Packaging or label"),
        ('document', "Wording"),
    ], default='formula', required=True, tracking=True)
    description = fields.Text("Description of the Change", tracking=True)
    reason = fields.Text(tracking=True, help="Why this revision is made.")
    precautions = fields.Text("Special Notations and Precautions", help="Write 'none' where there are none.")
    date_effective = fields.Date(
        "Effective Date", tracking=True,
        help="From this day on the revision is used. Empty: as soon as Quality Control approved it.")

    bom_id = fields.Many2one(
        'mrp.bom', "Bill of Materials", required=True, readonly=True, copy=False, ondelete='restrict',
        check_company=True, context={'active_test': False})
    bom_line_ids = fields.One2many(related='bom_id.bom_line_ids', readonly=False, string="Components")
    operation_ids = fields.One2many(related='bom_id.operation_ids', readonly=False, string="Operations")
    byproduct_ids = fields.One2many(related='bom_id.byproduct_ids', readonly=False, string="By-products")
    to_review_count = fields.Integer("Quantities to Review", compute='_compute_to_review_count')

    document = fields.Json("Frozen Document", readonly=True, copy=False, prefetch=False)
    document_sha256 = fields.Char("Digest", readonly=True, copy=False)
    submitted_once = fields.Boolean(readonly=True, copy=False)
    editor_ids = fields.Many2many(
        'res.users', 'mrp_mmr_revision_editor_rel', 'revision_id', 'user_id', "Edited By",
        readonly=True, copy=False, ondelete='restrict', context={'active_test': False},
        help="Everybody who edited content of this revision; none of them can approve it.")
    prepared_signature_id = fields.Many2one(
        'mrp.esignature', "Prepared", readonly=True, copy=False, ondelete='restrict')
    approved_signature_id = fields.Many2one(
        'mrp.esignature', "Approved by Quality Control", readonly=True, copy=False, ondelete='restrict')
    retired_signature_id = fields.Many2one(
        'mrp.esignature', "Retired", readonly=True, copy=False, ondelete='restrict')
    signature_ids = fields.Many2many(
        'mrp.esignature', "All Signatures", compute='_compute_signature_ids', help="Void ones included.")
    signature_count = fields.Integer(compute='_compute_signature_ids')
    effective_at = fields.Datetime("Effective Since", readonly=True, copy=False, tracking=True)
    ended_at = fields.Datetime("Effective Until", readonly=True, copy=False, tracking=True)
    production_ids = fields.One2many('mrp.production', 'mmr_revision_id', "Manufacturing Orders")
    production_count = fields.Integer(compute='_compute_production_count')

    _revision_uniq = models.Constraint(
        'UNIQUE (mmr_id, revision)', "A revision number is used once (REV-020, EU GMP 4.3).")
    _bom_uniq = models.Constraint('UNIQUE (bom_id)', "A bill of materials belongs to one revision.")
    _one_effective = models.UniqueIndex(
        "(mmr_id) WHERE state = 'effective'", "An MMR has one effective revision (REV-050, 21 CFR 111.255(c)).")
    _one_open = models.UniqueIndex(
        "(mmr_id) WHERE state IN ('draft', 'submitted', 'approved')",
        "This MMR has an open revision already: finish or cancel it first (REV-020, EU GMP 4.3).")
    _signed = models.Constraint(
        """CHECK (
            (state IN ('draft', 'cancelled'))
            OR (document IS NOT NULL AND document_sha256 IS NOT NULL AND prepared_signature_id IS NOT NULL
                AND (state = 'submitted' OR approved_signature_id IS NOT NULL))
        )""",
        "A revision is used with two signatures over its frozen content (APR-030, 21 CFR 111.123(a)(1)).")
    _signatures_differ = models.Constraint(
        'CHECK (prepared_signature_id <> approved_signature_id)',
        "Two signatures are needed (APR-030, 21 CFR 211.186(a)).")

    def init(self):
        super().init()
        allowed = ', '.join(f"('{old}', '{new}')" for old, new in sorted(TRANSITIONS))
        guard = """
            CREATE OR REPLACE FUNCTION mrp_mmr_guard_revision() RETURNS trigger AS $$
            DECLARE
                prepared mrp_esignature;
                approved mrp_esignature;
            BEGIN
                IF TG_OP = 'DELETE' THEN
                    IF OLD.state <> 'draft' OR OLD.submitted_once THEN
                        RAISE EXCEPTION 'Revision % was submitted or cancelled and is kept (REC-040).', OLD.revision
                            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                                  CONSTRAINT = 'mrp_mmr_revision_kept';
                    END IF;
                    RETURN OLD;
                END IF;
                IF TG_OP = 'INSERT' THEN
                    IF NEW.state <> 'draft' OR NEW.document IS NOT NULL OR NEW.submitted_once THEN
                        RAISE EXCEPTION 'A revision begins as a draft (APR-010).'
                            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                                  CONSTRAINT = 'mrp_mmr_revision_transition';
                    END IF;
                    RETURN NEW;
                END IF;
                IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (@allowed@) THEN
                    RAISE EXCEPTION 'Revision % cannot go from % to % (APR-010).', OLD.revision, OLD.state, NEW.state
                        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                              CONSTRAINT = 'mrp_mmr_revision_transition';
                END IF;
                IF (NEW.mmr_id, NEW.revision, NEW.bom_id) IS DISTINCT FROM (OLD.mmr_id, OLD.revision, OLD.bom_id)
                        AND OLD.revision <> 0
                   OR (OLD.submitted_once AND NEW.submitted_once IS NOT TRUE)
                   OR (OLD.state <> 'draft' AND NEW.state <> 'draft' AND
                       (NEW.change_category, NEW.description, NEW.reason, NEW.precautions, NEW.date_effective,
                        NEW.document, NEW.document_sha256, NEW.prepared_signature_id)
                       IS DISTINCT FROM
                       (OLD.change_category, OLD.description, OLD.reason, OLD.precautions, OLD.date_effective,
                        OLD.document, OLD.document_sha256, OLD.prepared_signature_id))
                   OR (OLD.approved_signature_id IS NOT NULL
                       AND NEW.approved_signature_id IS DISTINCT FROM OLD.approved_signature_id)
                   OR (OLD.effective_at IS NOT NULL AND NEW.effective_at IS DISTINCT FROM OLD.effective_at)
                   OR (OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at) THEN
                    RAISE EXCEPTION 'The content of revision % is signed and cannot change (REV-010).', OLD.revision
                        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                              CONSTRAINT = 'mrp_mmr_content_frozen';
                END IF;
                IF NEW.state NOT IN ('draft', 'cancelled') AND NEW.state <> OLD.state THEN
                    SELECT * INTO prepared FROM mrp_esignature WHERE id = NEW.prepared_signature_id;
                    IF prepared.res_model IS DISTINCT FROM 'mrp.mmr.revision' OR prepared.res_id <> NEW.id
                            OR prepared.meaning <> 'prepared' OR prepared.content_sha256 <> NEW.document_sha256
                            OR EXISTS (SELECT FROM mrp_esignature WHERE voids_signature_id = prepared.id) THEN
                        RAISE EXCEPTION 'Revision % has no valid signature of its preparer (APR-020).', OLD.revision
                            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                                  CONSTRAINT = 'mrp_mmr_revision_signed';
                    END IF;
                END IF;
                IF NEW.state NOT IN ('draft', 'cancelled', 'submitted') AND NEW.state <> OLD.state THEN
                    SELECT * INTO approved FROM mrp_esignature WHERE id = NEW.approved_signature_id;
                    IF approved.res_model IS DISTINCT FROM 'mrp.mmr.revision' OR approved.res_id <> NEW.id
                            OR approved.meaning <> 'approved' OR approved.content_sha256 <> NEW.document_sha256
                            OR approved.user_id = prepared.user_id OR approved.partner_id = prepared.partner_id THEN
                        RAISE EXCEPTION 'Revision % has no valid signature of an independent approver (APR-040).',
                            OLD.revision
                            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                                  CONSTRAINT = 'mrp_mmr_revision_signed';
                    END IF;
                END IF;
                RETURN NEW;
            END $$ LANGUAGE plpgsql;
            CREATE OR REPLACE TRIGGER mrp_mmr_guard_revision BEFORE INSERT OR UPDATE OR DELETE ON mrp_mmr_revision
                FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_revision();
        """
        self.env.cr.execute(guard.replace('@allowed@', allowed))

    # === COMPUTE === #

    @api.depends('mmr_id.name', 'revision')
    def _compute_display_name(self):
        for revision in self:
            revision.display_name = self.env._(
                "%(mmr)s revision %(number)s", mmr=revision.mmr_id.name, number=revision.revision)

    @api.depends('bom_line_ids.mmr_to_review')
    def _compute_to_review_count(self):
        for revision in self:
            revision.to_review_count = len(revision.bom_line_ids.filtered('mmr_to_review'))

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
                    self.env._("A revision begins as a draft, with a number and a bill of materials of its own."),
                    "APR-010, REV-020, EU GMP 4.3", self.env._("leave these fields out."))
            mmr = self.env['mrp.mmr'].browse(vals.get('mmr_id'))
            if not mmr:
                raise UserError(self.env._("A revision needs its MMR. Create the MMR; its first revision comes with it."))
            if self.sudo().search_count([('mmr_id', '=', mmr.id), ('state', 'in', OPEN_STATES)], limit=1):
                raise refusal(
                    self.env, self.env._("%s has an open revision already.", mmr.display_name),
                    "REV-020, EU GMP 4.3", self.env._("finish or cancel that revision first."), record=mmr)
            vals['revision'] = mmr._take_revision_number()
            content = {
                name: vals.pop(name) for name in ('bom_line_ids', 'operation_ids', 'byproduct_ids') if name in vals}
            vals['bom_id'] = self.env['mrp.bom'].create(
                dict(self._prepare_bom_vals(mmr, vals['revision']), **content)).id
        revisions = super().create(vals_list)
        revisions._register_editor()
        return revisions

    def write(self, vals):
        if SYSTEM_FIELDS & vals.keys() and not in_transition(self):
            raise refusal(
                self.env,
                self.env._("Status, number, digest and signatures of %s are set by signing alone.",
                           ', '.join(self.mapped('display_name'))),
                "APR-010, 21 CFR 111.123(a)(1)", self.env._("use the buttons of the revision."), record=self)
        if CONTENT_FIELDS & vals.keys() and not in_transition(self):
            if {'mmr_id', 'bom_id'} & vals.keys():
                raise refusal(
                    self.env, self.env._("A revision stays with its MMR and its bill of materials."),
                    "REV-020, EU GMP 4.3", self.env._("create a new revision instead."), record=self)
            self.bom_id._mmr_check_editable()
        return super().write(vals)

    def copy(self, default=None):  # pylint: disable=method-required-super
        raise UserError(self.env._(
            "Revisions are not duplicated: use New Revision, which copies content but no signature. "
            "Rule: REV-030, EU GMP 4.3."))

    @api.ondelete(at_uninstall=True)
    def _unlink_except_submitted(self):
        for revision in self:
            if revision.state != 'draft' or revision.submitted_once:
                raise refusal(
                    self.env,
                    self.env._("%(revision)s is %(state)s and was submitted, so it is kept.",
                               revision=revision.display_name, state=revision._get_state_label()),
                    "REC-040, 21 CFR 111.605(b), 211.180(d)",
                    self.env._("cancel the draft, or retire the revision."), record=revision)

    def unlink(self):
        self._unlink_except_submitted()
        boms = self.bom_id
        result = super().unlink()
        boms.unlink()
        return result

    @api.model
    def _prepare_bom_vals(self, mmr, number):
        """Return the values of the bill of materials of one batch of ``mmr``."""
        return {
            'product_tmpl_id': mmr.product_id.product_tmpl_id.id,
            'product_id': mmr.product_id.id,
            'company_id': mmr.company_id.id,
            'product_qty': mmr.batch_size,
            'product_uom_id': mmr.uom_id.id,
            'enable_batch_size': True,
            'batch_size': mmr.batch_size,
            'type': 'normal',
            'active': False,
            'code': self.env._("%(mmr)s rev. %(number)s", mmr=mmr.name, number=number),
        }

    def _sync_bom_with_mmr(self, other_size=False):
        """Follow the identity of an MMR nobody has signed yet; another size wants its quantities reviewed."""
        for revision in self.filtered(lambda revision: revision.state == 'draft'):
            vals = self._prepare_bom_vals(revision.mmr_id, revision.revision)
            revision.bom_id.write({
                name: vals[name] for name in ('product_tmpl_id', 'product_id', 'company_id', 'product_qty',
                                              'product_uom_id', 'batch_size')})
            if other_size:
                revision.bom_id.bom_line_ids.write({'mmr_to_review': True})

    def _register_editor(self):
        """Remember who edits the content; sudo keeps the person, so elevated writes count as well."""
        user = self.env.user
        missing = self.sudo().filtered(lambda revision: user not in revision.editor_ids)
        if missing:
            with transition(missing):
                missing.write({'editor_ids': [Command.link(user.id)]})

    # === ACTIONS === #

    def action_submit(self):
        """Open the signature of the preparer (APR-020, 21 CFR 211.186(a))."""
        return self.action_open_signature('submit')

    def action_approve(self):
        """Open the signature of Quality Control (APR-030, 21 CFR 111.123(a)(1))."""
        return self.action_open_signature('approve')

    def action_reject(self):
        """Open the rejection of Quality Control: signed, with a reason (APR-010)."""
        return self.action_open_signature('reject')

    def action_retire(self):
        """Open the retirement by Quality Control: signed, with a reason (REV-080)."""
        return self.action_open_signature('retire')

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

    def action_review_quantities(self):
        """Clear all *to be reviewed* marks; the person who does it is named in the chatter (MMR-040)."""
        self.check_access('write')
        for revision in self:
            lines = revision.bom_line_ids.filtered('mmr_to_review')
            lines.write({'mmr_to_review': False})
            revision.message_post(body=self.env._(
                "All %(count)s quantities were reviewed for the batch size %(size)s.",
                count=len(lines), size=revision.mmr_id._get_batch_size_label()))
        return True

    def action_new_revision(self):
        """Open a draft copied from this revision: content only, no signature, date or decision (REV-030)."""
        self.ensure_one()
        self.check_access('read')
        revision = self.create({
            'mmr_id': self.mmr_id.id,
            'change_category': 'formula',
            'precautions': self.precautions,
        })
        revision._copy_content_from(self.bom_id)
        return {
            'type': 'ir.actions.act_window',
            'res_model': self._name,
            'res_id': revision.id,
            'view_mode': 'form',
        }

    def action_view_bom(self):
        self.ensure_one()
        return {
            'type': 'ir.actions.act_window',
            'res_model': 'mrp.bom',
            'res_id': self.bom_id.id,
            'view_mode': 'form',
        }

    def action_view_productions(self):
        self.ensure_one()
        action = self.env['ir.actions.actions']._for_xml_id('mrp.mrp_production_action')
        return dict(action, domain=[('mmr_revision_id', '=', self.id)], context={})

    def action_view_signatures(self):
        self.ensure_one()
        action = self.env['ir.actions.actions']._for_xml_id('mrp_mmr.mrp_esignature_action')
        return dict(action, domain=[('res_model', '=', self._name), ('res_id', '=', self.id)], context={})

    def action_new_order(self):
        return self.mmr_id.action_new_order()

    # === SIGNING === #

    def _get_signing_action(self, action):
        self.ensure_one()
        actions = {
            'submit': ('draft', 'prepared', 'mrp_mmr.group_mmr_preparer', self.env._(
                "I prepared this master manufacturing record; it is complete and correct.")),
            'approve': ('submitted', 'approved', 'mrp_mmr.group_mmr_qc', self.env._(
                "I reviewed this master manufacturing record independently and approve it for use.")),
            'reject': ('submitted', 'rejected', 'mrp_mmr.group_mmr_qc', self.env._(
                "I reject this master manufacturing record; the preparer's signature is void.")),
            'retire': (('approved', 'effective'), 'retired', 'mrp_mmr.group_mmr_qc', self.env._(
                "I retire this master manufacturing record without successor.")),
        }
        if action not in actions:
            raise UserError(self.env._("Unknown signature: %s", action))
        states, meaning, group, statement = actions[action]
        if self.state not in states:
            raise self._refuse_transition(statement)
        result = {
            'meaning': meaning, 'group': group, 'statement': statement,
            'comment_required': action in ('reject', 'retire'),
        }
        if action == 'submit':
            self._check_complete()
            document = self._prepare_document()
            return dict(result, content=document, digest=sha256(document))
        return dict(result, digest=self.document_sha256)

    def _check_signer(self, action, user):
        if action == 'submit':
            self.check_access('write')
        if action != 'approve':
            return
        persons = (self.prepared_signature_id.user_id | self.sudo().editor_ids | self.create_uid)._get_gmp_persons()
        persons.add(('partner', self.prepared_signature_id.sudo().partner_id.id))
        if persons & user._get_gmp_persons():
            raise refusal(
                self.env,
                self.env._("%(user)s prepared or edited %(revision)s and cannot approve it.",
                           user=user.name, revision=self.display_name),
                "APR-040, 21 CFR 211.186(a), 111.12(b)",
                self.env._("ask an independent person of Quality Control to approve."), record=self)
        if self.date_effective and self.date_effective < self._get_today():
            raise refusal(
                self.env,
                self.env._("The effective date %(date)s of %(revision)s lies before its approval.",
                           date=self.date_effective, revision=self.display_name),
                "REV-030, EU GMP 4.3", self.env._("reject it, so that the preparer sets a new date."), record=self)
        if not self._is_content_signed():
            raise refusal(
                self.env,
                self.env._("The content of %s is not what its preparer signed.", self.display_name),
                "APR-060, 21 CFR 11.70", self.env._("reject it, so that it is submitted again."), record=self)

    def _get_voided_signatures(self, action):
        return self.prepared_signature_id if action == 'reject' else self.env['mrp.esignature']

    def _apply_signing_action(self, action, signature):
        now = signature.signed_at
        if action == 'submit':
            self.write({
                'state': 'submitted', 'submitted_once': True, 'prepared_signature_id': signature.id,
                'document': signature.content, 'document_sha256': signature.content_sha256,
            })
            self._notify_approvers()
        elif action == 'reject':
            # Document and preparer's signature stay with the void signature itself.
            self.write({'state': 'draft', 'prepared_signature_id': False, 'document': False,
                        'document_sha256': False})
            self._close_approval_activities()
        elif action == 'approve':
            self.write({'state': 'approved', 'approved_signature_id': signature.id})
            self._close_approval_activities()
            self._activate_due()
        elif action == 'retire':
            self.write({'state': 'obsolete', 'retired_signature_id': signature.id, 'ended_at': now})
            with transition(self.bom_id):
                self.bom_id.write({'active': False})
        self._message_log(
            body=self.env._("%(meaning)s by %(name)s, digest %(digest)s. %(comment)s",
                            meaning=signature._get_meaning_label(), name=signature.signer_name,
                            digest=signature.content_sha256[:16], comment=signature.comment or ''),
            author_id=signature.partner_id.id)

    def _refuse_transition(self, statement):
        return refusal(
            self.env,
            self.env._("%(revision)s is %(state)s: '%(step)s' is not possible now.", revision=self.display_name,
                       state=self._get_state_label(), step=statement),
            "APR-010, 21 CFR 111.123(a)(1)",
            self.env._("follow the life of a revision: draft, submitted, approved, effective."), record=self)

    def _notify_approvers(self):
        """Give every eligible member of Quality Control an activity."""
        group = self.env.ref('mrp_mmr.group_mmr_qc').sudo()
        blocked = (self.editor_ids | self.prepared_signature_id.user_id)._get_gmp_persons()
        for user in group.all_user_ids:
            if user.active and not user.share and self.company_id in user.company_ids \
                    and not blocked & user._get_gmp_persons():
                self.activity_schedule(
                    'mrp_mmr.mail_activity_type_approval', user_id=user.id,
                    date_deadline=self._get_today() + timedelta(days=3),
                    summary=self.env._("Approve %s", self.display_name))

    def _close_approval_activities(self):
        self.activity_unlink(['mrp_mmr.mail_activity_type_approval'])

    # === EFFECTIVE === #

    def _get_today(self):
        """Return today's date where the company is."""
        self.ensure_one()
        return fields.Date.context_today(self.with_context(tz=self.company_id.partner_id.tz or 'UTC'))

    def _activate_due(self):
        """Make approved revisions effective whose time has come, superseding their predecessors.

        Called at approval, by cron, and whenever an order is confirmed, so that no order runs on
        yesterday's revision because a job was late (REV-050, 21 CFR 111.255(c)).
        """
        due = self.filtered(lambda revision: revision.state == 'approved' and (
            not revision.date_effective or revision.date_effective <= revision._get_today()))
        for revision in due:
            predecessor = self.search([('mmr_id', '=', revision.mmr_id.id), ('state', '=', 'effective')])
            now = fields.Datetime.now()
            revision._check_signatures()
            with transition(revision, revision.bom_id, predecessor, predecessor.bom_id):
                predecessor.write({'state': 'superseded', 'ended_at': now})
                predecessor.bom_id.write({'active': False})
                # One effective revision at a time, in the database too.
                self.env.flush_all()
                revision.write({'state': 'effective', 'effective_at': now})
                self.env.flush_all()
                revision.bom_id.write({'active': True})
                revision.product_id.product_tmpl_id.sudo().mmr_controlled = True
            revision._move_draft_orders()
        return due

    def _move_draft_orders(self):
        """Let draft orders of this MMR follow to this revision (REV-060)."""
        self.ensure_one()
        others = self.mmr_id.with_context(active_test=False).revision_ids - self
        orders = self.env['mrp.production'].sudo().search([
            ('state', '=', 'draft'), ('bom_id', 'in', others.bom_id.ids)])
        for order in orders:
            try:
                with self.env.cr.savepoint():
                    order._mmr_use_revision(self)
            except (UserError, IntegrityError) as error:
                # A damaged draft must not hold up the revision; it is refused when it is confirmed.
                _logger.warning("%s cannot follow %s: %s", order, self, error)
            else:
                order._message_log(body=self.env._("Follows %s, which became effective.", self.display_name))

    @api.model
    def _cron_activate_due(self):
        """Make due revisions effective one by one, so that a faulty one does not hold the others up."""
        for revision in self.sudo().search([('state', '=', 'approved')]):
            try:
                with self.env.cr.savepoint():
                    revision._activate_due()
            except (UserError, IntegrityError) as error:
                _logger.warning("%s cannot become effective: %s", revision, error)
                revision._message_log(body=self.env._("Cannot become effective: %s", error))
