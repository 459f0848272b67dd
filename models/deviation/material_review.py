"""Investigation, material review and disposition of a deviation, and its closing."""

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL, LazyTranslate

from ...domain.refusals import refusal
from ...domain.signing import SigningRule
from .deviation import DISPOSITIONS, REWORK

_lt = LazyTranslate(__name__)
QC = 'mrp_mmr.group_mmr_qc'
#: Signature → disposition. The short one lets a running batch go on.
DECISIONS = {
    'decide': 'accept', 'decide_reject': 'reject', 'decide_reprocess': 'reprocess', 'decide_treat': 'treat',
    'decide_adjust': 'adjust',
}
#: What Quality Control alone writes: how grave it is, who investigates and until when.
QC_FIELDS = {'severity', 'investigator_id', 'due_date', 'identity_result', 'test_finding', 'capa_id', 'no_capa_reason'}
#: What is known at the closing, in the order of 21 CFR 111.140(b)(3)(i)-(vi); each of them is needed.
FINDINGS = ('cause_id', 'cause', 'quality_effect', 'label_effect', 'correction', 'material_fate', 'procedure_id')
TEST_FINDINGS = [
    ('error', "Test error"),
    ('confirmed', "A true result"),
]
INVESTIGATION_FIELDS = QC_FIELDS | {*FINDINGS, 'scientific_reason'}
DECISION_RULE = "DEV-030, 21 CFR 111.113(c), 111.123(a)(4), 211.22(a)"
CLOSING_RULE = "DEV-020, 21 CFR 111.140(b)(3), 211.192"


def _decide(statement, meaning='approved'):
    """Return the rule of a signature by which Quality Control decides on the material."""
    return SigningRule(
        meaning=meaning, group=QC, states=('open', 'decided'), leads_to='decided', comment_required=True, at_terminal=True,
        statement=statement, next_step=_lt("read the decision."), prepare='_prepare_disposition',
        check_signer='_check_independent', filter_signer='_filter_independent', apply='_apply_disposition')


class MrpDeviation(models.Model):
    _inherit = 'mrp.deviation'

    _signing_citation = DECISION_RULE
    _signing_actions = {
        'decide': _decide(_lt(
            "I reviewed this deviation and the material; the batch may go on for the reason that I give.")),
        'decide_reject': _decide(_lt("I reviewed this deviation and reject the material."), meaning='rejected'),
        'decide_reprocess': _decide(_lt("I reviewed this deviation and approve that the material is reprocessed.")),
        'decide_treat': _decide(_lt("I reviewed this deviation and approve that the material is treated.")),
        'decide_adjust': _decide(_lt("I reviewed this deviation and approve that the material is adjusted in process.")),
        'close': SigningRule(
            meaning='approved', group=QC, states=('decided',), leads_to='closed', at_terminal=True, citation=CLOSING_RULE,
            next_step=_lt("make the decision with Material Review first."),
            statement=_lt("I reviewed the investigation; it is complete, and I close this deviation."),
            prepare='_prepare_closing', check_signer='_check_independent', filter_signer='_filter_independent',
            apply='_apply_closing'),
    }

    investigator_id = fields.Many2one(
        'res.users', tracking=True, index='btree_not_null', ondelete='restrict', domain="[('share', '=', False)]",
        help="May document the investigation, together with Quality Control.")
    due_date = fields.Date("Close By", tracking=True, help="Proposed from the company's settings.")
    is_overdue = fields.Boolean("Overdue", compute='_compute_is_overdue', search='_search_is_overdue')
    cause_id = fields.Many2one(
        'mrp.deviation.cause', "Category of the Cause", tracking=True, index='btree_not_null', ondelete='restrict',
        check_company=True, help="Used to count recurring deviations (DEV-090).")
    cause = fields.Text(help="The root cause found by the investigation (21 CFR 111.140(b)(3)(ii), 211.192).")
    quality_effect = fields.Text(
        "Effect on Quality", help="Identity, purity, strength, composition (21 CFR 111.140(b)(3)(iii)).")
    label_effect = fields.Text(
        "Effect on Packaging and Labelling", help="For packaging, label and claims (21 CFR 111.140(b)(3)(iii)).")
    correction = fields.Text(
        "Action to Correct and Prevent Recurrence",
        help="What was done, and what prevents it from happening again (21 CFR 111.140(b)(3)(iv)).")
    material_fate = fields.Text(
        "What Happened to the Material", help="Where the material is and what was done with it (21 CFR 111.140(b)(3)(v)).")
    scientific_reason = fields.Text(
        "Scientifically Valid Reason", help="Why the material meets its specifications after reprocessing, treatment or "
                                            "adjustment (21 CFR 111.140(b)(3)(vi), 111.90).")
    procedure_id = fields.Many2one(
        'mrp.sop', "Written Procedure", ondelete='restrict', check_company=True,
        help="The procedure that the material review followed (21 CFR 111.103, 111.140(b)(3)).")
    identity_result = fields.Selection([
        ('met', "Met"),
        ('failed', "Not met"),
    ], "Identity of the Component", tracking=True,
        help="A component that fails its identity specification is rejected (DEV-050, 21 CFR 111.77(b)).")
    test_finding = fields.Selection(TEST_FINDINGS, "First Result", tracking=True,
        help="What the investigation of the out-of-specification result showed (21 CFR 211.192).")
    disposition = fields.Selection(DISPOSITIONS, readonly=True, copy=False, tracking=True)
    disposition_label = fields.Char("Disposition in Words", compute='_compute_disposition_label')
    decision_signature_id = fields.Many2one(
        'mrp.esignature', "Decided", readonly=True, copy=False, ondelete='restrict')
    closing_signature_id = fields.Many2one('mrp.esignature', "Closed", readonly=True, copy=False, ondelete='restrict')
    closed_at = fields.Datetime("Closed At", related='closing_signature_id.signed_at')
    contributor_ids = fields.One2many('mrp.deviation.contributor', 'deviation_id', "Contributors")
    no_capa_reason = fields.Text(
        "Reason for No CAPA",
        help="Critical and recurring deviations need a CAPA, or a reason for having none, which is signed when the deviation "
             "is closed (DEV-090).")
    is_investigator = fields.Boolean(compute='_compute_is_investigator')
    is_quality = fields.Boolean(compute='_compute_is_investigator', help="Whether the user is a member of Quality Control.")
    missing = fields.Text("Missing for Closure", compute='_compute_missing')

    # === COMPUTE === #

    @api.depends('due_date', 'state')
    def _compute_is_overdue(self):
        for deviation in self:
            deviation.is_overdue = bool(
                deviation.state != 'closed' and deviation.due_date
                and deviation.due_date < deviation.company_id._get_mmr_today())

    def _search_is_overdue(self, operator, value):
        if operator != 'in':
            return NotImplemented
        return Domain('state', '!=', 'closed') & self.env['res.company']._get_mmr_past_domain('due_date')

    @api.depends('disposition', 'profile_id')
    def _compute_disposition_label(self):
        for deviation in self:
            deviation.disposition_label = deviation.disposition and deviation._get_disposition_label(deviation.disposition)

    @api.depends_context('uid')
    @api.depends('investigator_id', 'state')
    def _compute_is_investigator(self):
        is_qc = self.env.user.has_group(QC)
        for deviation in self:
            is_open = deviation.state != 'closed'
            deviation.is_quality = is_open and is_qc
            deviation.is_investigator = is_open and (is_qc or deviation.investigator_id == self.env.user)

    @api.depends(*FINDINGS, 'scientific_reason', 'disposition', 'contributor_ids.signature_id', 'no_capa_reason')
    def _compute_missing(self):
        for deviation in self:
            # What is stored counts: in a form that is being edited there is nothing to ask PostgreSQL about.
            saved = deviation._origin
            deviation.missing = saved and saved.state != 'closed' and '\n'.join(
                f"• {row}" for row in saved._get_closing_issues()) or False

    def _get_disposition_label(self, disposition):
        """Return a disposition in the words of the profile: accepting is a concession for devices (DEV-040)."""
        self.ensure_one()
        if disposition == 'accept' and self.sudo().profile_id.code == 'PDEV':
            return self.env._("Concession with justification")
        return dict(self._fields['disposition']._description_selection(self.env))[disposition]

    # === BUTTONS === #

    def action_open_bpr(self):
        """Open the batch record that this deviation is part of."""
        return self._open_record(self.bpr_id)

    def action_open_step(self):
        """Open the step at which it happened."""
        return self._open_record(self.step_id)

    def action_print(self):
        """Print these deviations in full (BPR-140)."""
        self.check_access('read')
        return self.env.ref('mrp_mmr.action_report_deviation').report_action(self.ids, config=False)

    def _open_record(self, record):
        self.ensure_one()
        self.check_access('read')
        return {'type': 'ir.actions.act_window', 'res_model': record._name, 'view_mode': 'form', 'res_id': record.id}

    # === INVESTIGATION === #

    def _check_investigator(self):
        """Refuse everybody except Quality Control and the investigator, and refuse changes of a closed deviation.

        :raise AccessError: for those who do not investigate these deviations
        :raise UserError: where one of them is closed
        """
        user = self.env.user
        if not user.has_group(QC) and any(deviation.sudo().investigator_id != user for deviation in self):
            raise refusal(
                self.env, self.env._("%(user)s is not an investigator of %(deviation)s.", user=user.name,
                                     deviation=self[:1].display_name),
                "DEV-030, SEC-010, 21 CFR 111.103, 211.192",
                self.env._("tell the investigator or Quality Control what you know; they can add you as a contributor."),
                record=self[:1], exception=AccessError)
        closed = self.filtered(lambda deviation: deviation.state == 'closed')[:1]
        if closed:
            raise refusal(
                self.env, self.env._("%s is closed: its findings cannot be changed.", closed.name), CLOSING_RULE,
                self.env._("report another deviation that refers to this one."), record=closed)

    def _check_investigation(self, names):
        """Refuse to write what was reported, and the findings of others."""
        if names - INVESTIGATION_FIELDS - {'contributor_ids', 'related_ids'}:
            raise self._refuse_change()
        self._check_investigator()
        if names & QC_FIELDS and not self.env.user.has_group(QC):
            raise refusal(
                self.env, self.env._("Severity, investigator, dates, identity and CAPA can only be set by Quality Control."),
                DECISION_RULE, self.env._("ask a member of Quality Control."), record=self[:1], exception=AccessError)

    # === DISPOSITION === #

    def action_decide(self):
        """Open the signature by which Quality Control accepts the deviation and lets the batch go on."""
        return self.action_open_signature('decide')

    def action_review(self):
        """Open the dialog of the material review, in which Quality Control chooses the disposition."""
        self.ensure_one()
        self.env['mrp.deviation.decide'].check_access('create')
        return {
            'type': 'ir.actions.act_window', 'res_model': 'mrp.deviation.decide', 'view_mode': 'form', 'target': 'new',
            'name': self.env._("Material Review and Disposition"), 'context': {'default_deviation_id': self.id}}

    def action_close(self):
        """Open the signature by which Quality Control closes the deviation."""
        return self.action_open_signature('close')

    def _is_specification_unmet(self):
        """Whether a specification is not met, as PostgreSQL sees it: no authorised retest showed that it is."""
        self.ensure_one()
        [[unmet]] = self.env.execute_query(SQL(
            "SELECT mrp_mmr_specification_unmet(%s, %s, %s, %s)", self.source, self.entry_id.id or None,
            self.result_id.id or None, self.test_finding or None))
        return unmet

    def _is_about_component(self):
        """Whether a lot of a component did not meet its specification: then somebody says whether it was its identity."""
        self.ensure_one()
        return self.source == 'specification' and (
            (self.cause_key or '').startswith('lot:') or bool(self.lot_id and not self.bpr_id))

    def _is_demanded(self, check):
        return self.env['mrp.mmr.requirement']._is_demanded(check, self.sudo().profile_id)

    def _get_disposition_issue(self, disposition):
        """Return why a disposition is not possible, as message, rule and next action, or None (DEV-040, DEV-050)."""
        self.ensure_one()
        if self.state == 'closed' or self.disposition == 'reject':
            return (self.env._("%s has already been decided.", self.name), DECISION_RULE, self.env._("read the decision."))
        if self.identity_result == 'failed' and disposition != 'reject' and self._is_demanded('deviation_identity'):
            return (self.env._("%s: a component that fails its identity specification must be rejected.", self.name),
                    "DEV-050, 21 CFR 111.77(b), 111.123(b)(1), 211.84(e)",
                    self.env._("reject it; reprocessing and adjustment are not possible."))
        if disposition != 'reject' and not self.identity_result and self._is_about_component():
            return (self.env._("%s: it is not stated whether the component met its identity specification.", self.name),
                    "DEV-050, 21 CFR 111.77(b)", self.env._("enter the result of the identity test, then decide."))
        if disposition == 'accept' and self.result_id and self.test_finding == 'error' and not (self.cause or '').strip():
            return (self.env._("%s: the cause of the test error is not documented.", self.name),
                    "DEV-040, DEV-020, 21 CFR 211.192", self.env._("document the cause that was found, then decide."))
        if disposition == 'accept' and self._is_demanded('deviation_accept') and self._is_specification_unmet():
            return (self.env._("%s: material that fails a specification cannot be accepted.", self.name),
                    "DEV-040, 21 CFR 111.77(a), 111.113(b), 211.165(f), EU GMP 4.20(h)",
                    self.env._("show by investigation that the first result was a test error, and have the authorised retest "
                               "approved; otherwise reject it.") if self.result_id else
                    self.env._("use Material Review: reject it, or approve its reprocessing, treatment or adjustment."))
        if disposition != 'accept' and not self.procedure_id:
            return (self.env._("%s: the written procedure for the material review is missing.", self.name), DECISION_RULE,
                    self.env._("enter the procedure that you follow, then decide."))
        if disposition in REWORK and not (self.scientific_reason or '').strip():
            return (self.env._("%s: reprocessing, treatment or adjustment needs a scientifically valid reason.",
                               self.name),
                    "DEV-060, 21 CFR 111.90, 111.140(b)(3)(vi), 211.115(b)", self.env._("enter the reason, then decide."))
        return None

    # === SIGNING === #

    def _get_signing_profile(self):
        return self.sudo().profile_id

    def _prepare_disposition(self, action):
        disposition = DECISIONS[action]
        issue = self._get_disposition_issue(disposition)
        if issue:
            raise refusal(self.env, *issue, record=self)
        return self._make_signing_action(action, {**self._get_document(), 'decision': self._get_decision(disposition)})

    def _get_decision(self, disposition):
        """Return what the decision on the material rests on, as its signature holds it."""
        return {
            'disposition': disposition, 'procedure': self.procedure_id.sudo()._get_document(),
            'reason': self.scientific_reason or None, 'identity': self.identity_result or None,
            **({'test_finding': self.test_finding or None, 'cause': self.cause or None,
                'retests': [row._get_document() for row in self.sudo().result_id._get_retests()]} if self.result_id else {})}

    def _prepare_closing(self, action):
        issues = self._get_closing_issues()
        if issues:
            raise refusal(
                self.env, self.env._("%(name)s cannot be closed yet:\n%(rows)s", name=self.name,
                                     rows='\n'.join(f"• {row}" for row in issues)),
                f"{CLOSING_RULE}; DEV-030, DEV-070, DEV-090", self.env._("complete the investigation, then close it."),
                record=self)
        return self._make_signing_action(action, {
            **self._get_document(),
            'decision': {**self._get_decision(self.disposition),
                         'signature_sha256': self.decision_signature_id.sudo().signature_sha256},
            'closure': self._get_closure()})

    def _get_closure(self):
        """Return the investigation as the signature of the closing holds it."""
        row = self.sudo()
        return {
            'investigation': {
                **{name: row[name] or None for name in (
                    'cause', 'quality_effect', 'label_effect', 'correction', 'material_fate', 'scientific_reason',
                    'no_capa_reason')},
                'category': {'id': row.cause_id.id, 'name': row.cause_id.with_context(lang='en_US').name},
                'investigator': row.investigator_id.name or None},
            'contributors': [{
                'person': contributor.user_id.name, 'contribution': contributor.contribution,
                'signature_sha256': contributor.signature_id.signature_sha256}
                for contributor in row.contributor_ids.sorted('id')],
        }

    def _get_missing_findings(self):
        """Return the names of the findings that nobody has written down yet."""
        self.ensure_one()
        needed = [*FINDINGS, *(['scientific_reason'] if self.disposition in REWORK else [])]
        return [name for name in needed if not (self[name].strip() if isinstance(self[name], str) else self[name])]

    def _get_closing_issues(self):
        """Return what is missing before this deviation is closed, as sentences; the rows of subjects are added to them."""
        self.ensure_one()
        row, env = self.sudo(), self.env
        issues = [] if (row.description or '').strip() else [env._("What happened is not described")]
        missing = row._get_missing_findings()
        labels = self.fields_get(missing, ['string'])
        issues += [env._("%s is missing", labels[name]['string']) for name in missing]
        issues += [env._("%s has not signed their contribution", contributor.user_id.name)
                   for contributor in row.contributor_ids if not contributor.signature_id]
        return issues

    # === SIGNER === #

    def _filter_foreign_work(self, user):
        """Return those of these deviations that are about nothing that ``user`` performed or found (VER-100)."""
        persons = user._get_gmp_persons()

        def is_foreign(row):
            # Each by itself: a union of steps would be read one by one.
            workers = row.step_id._get_performers() | row.entry_id.step_id._get_performers() | row.result_id._get_authors()
            return not workers._get_gmp_persons() & persons

        foreign = self.sudo().filtered(is_foreign)
        return self & foreign.with_env(self.env)

    def _filter_independent(self, action, user):
        """Return those of these deviations that ``user`` may decide on: not about the own work and, where the rule is on, not
        reported by that person (DEV-030, 111.12(b))."""
        foreign, persons = self._filter_foreign_work(user).sudo(), user._get_gmp_persons()
        own = foreign.filtered(lambda row: not row.cause_key and row.source in ('occurrence', 'return', 'complaint')
                               and row.reported_by_id._get_gmp_persons() & persons)
        demanding = self.env['mrp.mmr.requirement']._filter_demanding('deviation_independent', own.profile_id)
        allowed = foreign - own.filtered(lambda row: not row.profile_id or row.profile_id in demanding)
        return self & allowed.with_env(self.env)

    def _check_independent(self, action, user):
        """Refuse a decision on one's own work and, if the rule is on, on one's own report (DEV-030, 111.12(b))."""
        if self._filter_independent(action, user):
            return
        row = self.sudo()
        step = row.step_id
        if not self._filter_foreign_work(user):
            raise refusal(
                self.env, self.env._("%(user)s performed %(step)s and cannot decide on %(deviation)s.", user=user.name,
                                     step=step.display_name or row.result_id.display_name, deviation=row.name),
                f"VER-100, {DECISION_RULE}, 111.12(b)", self.env._("ask another member of Quality Control."), record=self)
        raise refusal(
            self.env, self.env._("%(user)s reported %(deviation)s and cannot be the only one to decide on it.", user=user.name,
                                 deviation=row.name),
            f"{DECISION_RULE}, 111.12(b)", self.env._("ask another member of Quality Control."), record=self)

    # === EFFECT === #

    def _apply_closing(self, action, signature):
        self.write({'state': self._get_signing_rule(action).leads_to, 'closing_signature_id': signature.id})
        self.activity_unlink([
            'mrp_mmr.mail_activity_type_deviation_close', 'mrp_mmr.mail_activity_type_deviation_contributor'])

    def _apply_disposition(self, action, signature):
        self.write({
            'state': self._get_signing_rule(action).leads_to, 'disposition': DECISIONS[action],
            'decision_signature_id': signature.id})
        self.activity_unlink([
            'mrp_mmr.mail_activity_type_deviation', 'mrp_mmr.mail_activity_type_deviation_close'])
        self.activity_schedule(
            'mrp_mmr.mail_activity_type_deviation_close', summary=self.title, date_deadline=self.due_date or False,
            user_id=(self.investigator_id or signature.user_id).id)
        self.bpr_id._notify_floor()
