"""Who is qualified for which role, and trained on what (SEC-030, 21 CFR 111.12(c), 111.14(b)(2), 11.10(i))."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ...domain.days import parse_day
from ...domain.refusals import refusal
from ...domain.rules import TRAINING_RULE
from ...domain.transitions import transition

RULE = "SEC-030, 21 CFR 111.12(c), 11.10(i)"
QUALITY_MANAGER, SECURITY = 'mrp_mmr.group_mmr_quality_manager', 'mrp_mmr.group_mmr_security'
#: Who records training: those who answer for the work, and those who judge it.
TRAINERS = ('mrp_mmr.group_mmr_production', 'mrp_mmr.group_mmr_qc')
#: Model of what somebody is qualified for → field that names it.
SUBJECTS = {'res.groups': 'group_id', 'mrp.mmr.revision': 'revision_id', 'mrp.sop': 'sop_id'}
#: States of a revision whose content does not change any more, and by which somebody works.
TRAINING_STATES = ('approved', 'effective', 'superseded')
REVOCATION = ('revoked_at', 'revoked_by_id', 'revoke_reason')
#: Days before its end in which a qualification counts as expiring, and its renewal is asked for.
REMINDER_DAYS = 30


class MrpQualification(models.Model):
    """That one person is qualified for a GMP role, or was trained on a revision of an MMR or on a document.

    Role and qualification are two decisions of two persons. The security administrator gives the role: who may
    open and do what (21 CFR 11.10(d), (g), Annex 11 §12). Whether the person has the education, training and
    experience for it (21 CFR 111.12(c), 11.10(i)) is a judgement of quality: the quality manager grants the
    qualification. If that were also the security administrator, a single person could create a signer. The one
    exception is where the chain begins: the qualification *as* quality manager is granted by another quality
    manager or, on the appointment by the management, by a security administrator. Training is recorded by
    Production Responsible or Quality Control. A person who assesses others must be qualified for the role that allows it.

    A granted qualification cannot be changed: a mistake is revoked with a reason, and a new one is granted.

    Also held in guards/mrp_qualification.sql.
    """
    _name = 'mrp.qualification'
    _description = "GMP Qualification"
    _inherit = ['mrp.append.only.mixin', 'mail.thread', 'mail.activity.mixin', 'mrp.audit.mixin']
    _order = 'id desc'
    _is_append_only = False
    _workflow_fields = {*REVOCATION, 'reminded_on'}
    _check_company_auto = True

    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True, ondelete='restrict')
    user_id = fields.Many2one('res.users', "Person", required=True, readonly=True, index=True, ondelete='restrict')
    kind = fields.Selection([
        ('role', "Role"),
        ('training', "Training"),
    ], required=True, readonly=True)
    group_id = fields.Many2one('res.groups', "Role", readonly=True, index='btree_not_null', ondelete='restrict')
    revision_id = fields.Many2one(
        'mrp.mmr.revision', "MMR Revision", readonly=True, index='btree_not_null', check_company=True, ondelete='restrict')
    sop_id = fields.Many2one(
        'mrp.sop', "Document", readonly=True, index='btree_not_null', check_company=True, ondelete='restrict')
    subject = fields.Char("Qualified For", compute='_compute_subject', compute_sudo=True)
    valid_from = fields.Date(required=True, readonly=True, help="First day, in the time zone of the company.")
    valid_to = fields.Date(readonly=True, help="Last day, in the time zone of the company. Empty: until it is revoked.")
    evidence = fields.Text(
        required=True, readonly=True, help="Education, training, experience: what was seen, and where it is kept.")
    file_id = fields.Many2one('mrp.mmr.file', "Stored File", readonly=True, index='btree_not_null', ondelete='restrict')
    # Whoever may read a qualification may read its certificate; the file itself is nobody else's business.
    upload = fields.Binary("Certificate", compute='_compute_upload', compute_sudo=True)
    upload_name = fields.Char("File Name", related='file_id.name')
    granted_by_id = fields.Many2one('res.users', required=True, readonly=True, ondelete='restrict')
    granted_at = fields.Datetime("Granted", required=True, readonly=True)
    revoked_at = fields.Datetime("Revoked", readonly=True)
    revoked_by_id = fields.Many2one('res.users', readonly=True, ondelete='restrict')
    revoke_reason = fields.Text("Reason for Revocation", readonly=True)
    reminded_on = fields.Date(readonly=True, help="When its renewal was requested.")
    state = fields.Selection([
        ('future', "Not Yet Valid"),
        ('current', "Valid"),
        ('expired', "Expired"),
        ('revoked', "Revoked"),
    ], "Status", compute='_compute_state')
    is_expiring = fields.Boolean("Expires Soon", compute='_compute_state')

    _one_subject = models.Constraint(
        "CHECK (num_nonnulls(group_id, revision_id, sop_id) = 1 AND (kind = 'role') = (group_id IS NOT NULL))",
        "A qualification is for one role, or for training on one revision or document (SEC-030, 21 CFR 111.12(c)).")
    _dates = models.Constraint(
        "CHECK (valid_to >= valid_from)",
        "A qualification cannot end before it begins (SEC-030, 21 CFR 111.12(c)).")
    _revocation = models.Constraint(
        "CHECK (num_nonnulls(revoked_at, revoked_by_id, NULLIF(btrim(revoke_reason), '')) IN (0, 3))",
        "The revocation of a qualification needs a person, a time and a reason (SEC-030, 21 CFR 111.12(c)).")
    _current_idx = models.Index('(user_id, group_id, company_id) WHERE revoked_at IS NULL')

    # === COMPUTE === #

    @api.depends('group_id', 'revision_id', 'sop_id')
    def _compute_subject(self):
        for qualification in self:
            qualification.subject = self._get_subject_name(qualification._get_subject())

    @api.depends('user_id', 'subject')
    def _compute_display_name(self):
        for qualification in self:
            qualification.display_name = f"{qualification.sudo().user_id.name} · {qualification.subject}"

    @api.depends('file_id')
    def _compute_upload(self):
        for qualification in self:
            qualification.upload = qualification.file_id.data

    @api.depends('valid_from', 'valid_to', 'revoked_at')
    def _compute_state(self):
        for qualification in self:
            today = qualification.company_id._get_mmr_today()
            end = qualification.valid_to
            qualification.state = (
                'revoked' if qualification.revoked_at else 'expired' if end and end < today
                else 'future' if qualification.valid_from > today else 'current')
            qualification.is_expiring = bool(
                end and qualification.state == 'current' and end <= today + timedelta(days=REMINDER_DAYS))

    def _get_subject(self):
        """Return what this qualification is for: a role, a revision or a document."""
        self.ensure_one()
        return self.group_id or self.revision_id or self.sop_id

    @api.model
    def _get_subject_name(self, subject):
        subject = subject.sudo()
        return subject.name if subject._name == 'res.groups' else subject.display_name

    # === CRUD === #

    def _refuse_write(self):
        return refusal(
            self.env,
            self.env._("A qualification can only be granted and revoked with its buttons, and cannot be changed or deleted."),
            RULE,
            self.env._("revoke it with a reason, and grant a new one."), record=self)

    @api.model
    def _audit_fields(self):
        return super()._audit_fields() - {'reminded_on'}

    # === GRANT AND REVOKE === #

    @api.model
    def _get_granting_groups(self, subject):
        """Return the roles whose members grant a qualification for ``subject`` (see the class)."""
        names = TRAINERS if subject._name != 'res.groups' else [QUALITY_MANAGER]
        if subject == self.env.ref(QUALITY_MANAGER):
            names = [QUALITY_MANAGER, SECURITY]
        return self.env['res.groups'].union(*(self.env.ref(name) for name in names)).sudo()

    @api.model
    def _check_granter(self, subject, company):
        """Refuse persons who do not decide about ``subject`` in ``company``.

        :raise AccessError: for those without the role
        :raise UserError: for those whose own qualification for the role is not current
        """
        user = self.env.user
        groups = self._get_granting_groups(subject)
        mine = groups & user.sudo().all_group_ids
        if not mine or company not in user.sudo().company_ids:
            raise refusal(
                self.env,
                self.env._("%(user)s cannot decide who is qualified: %(subject)s.", user=user.name,
                           subject=self._get_subject_name(subject)),
                "SEC-010, SEC-030, 21 CFR 11.10(g), 11.10(i)",
                self.env._("ask a person with the role %s.", " / ".join(groups.mapped('name'))), exception=AccessError)
        # The security administrator records what the management decided, and needs to be no expert.
        if self.env.ref(SECURITY) not in mine and not any(self._filter_qualified(user, group, company) for group in mine):
            self._check_role(user, mine[0], company)

    @api.model
    def _grant(self, users, subject, evidence, valid_from=None, valid_to=None, company=None, file=None):
        """Grant ``users`` a qualification, as the user of the environment.

        :param subject: the role (res.groups), or the revision or document of a training
        :param str evidence: what it rests on
        :param valid_from: first day; today by default
        :param company: for a role; a training is in the company of its subject
        :param file: record of mrp.mmr.file that supports it
        :return: the new qualifications
        """
        if len(subject) != 1:
            raise refusal(
                self.env, self.env._("A qualification is for one role, or for training on one revision or document."), RULE,
                self.env._("choose what it is for."))
        subject.check_access('read')
        company = subject.sudo().company_id if subject._name != 'res.groups' else company or self.env.company
        self._check_granter(subject, company)
        self._check_subject(subject)
        self._check_holders(users, company)
        evidence = (evidence or '').strip()
        if not evidence:
            raise refusal(
                self.env, self.env._("A qualification needs evidence."), RULE,
                self.env._("describe the education, training and experience that you have seen."))
        try:
            valid_from, valid_to = parse_day(valid_from) or company._get_mmr_today(), parse_day(valid_to)
        except ValueError as error:
            raise refusal(
                self.env, self.env._("The first or the last day of the qualification is not a valid date."), RULE,
                self.env._("enter dates in the years 1 to 9999.")) from error
        if valid_to and valid_to < valid_from:
            raise refusal(
                self.env, self.env._("A qualification cannot end before it begins."), RULE,
                self.env._("correct its first or its last day."))
        now = fields.Datetime.now()
        granted = self._store([{
            'company_id': company.id, 'user_id': user.id, SUBJECTS[subject._name]: subject.id,
            'kind': 'role' if subject._name == 'res.groups' else 'training', 'evidence': evidence,
            'valid_from': valid_from, 'valid_to': valid_to, 'file_id': file.id if file else False,
            'granted_by_id': self.env.uid, 'granted_at': now,
        } for user in users])
        # What was to be renewed is renewed.
        self.sudo().search([
            ('user_id', 'in', users.ids), ('company_id', '=', company.id), (SUBJECTS[subject._name], '=', subject.id),
        ]).activity_unlink(['mrp_mmr.mail_activity_type_qualification'])
        return self.browse(granted.ids)

    @api.model
    def _check_subject(self, subject):
        """Refuse roles that are not GMP roles, and training on content that may still change."""
        if subject._name == 'res.groups':
            if subject not in self.env['res.users']._get_gmp_groups():
                raise refusal(
                    self.env, self.env._("%s is not a GMP role.", subject.sudo().name), RULE,
                    self.env._("choose a GMP role, or a role of the approval route."))
        elif subject._name == 'mrp.mmr.revision' and subject.state not in TRAINING_STATES:
            raise refusal(
                self.env,
                self.env._("%(revision)s is %(state)s: people cannot be trained on content that may still change or is not "
                           "used.",
                           revision=subject.display_name, state=subject._get_state_label()), TRAINING_RULE,
                self.env._("record the training once Quality Control has approved it."), record=subject)

    @api.model
    def _check_holders(self, users, company):
        """Refuse people who cannot be qualified, and the granter: nobody can qualify themselves."""
        if not users:
            raise refusal(self.env, self.env._("No person was chosen."), RULE, self.env._("choose at least one."))
        granter = self.env.user._get_gmp_persons()
        for user in users.sudo():
            if user.share or not user.active or user._is_superuser() or company not in user.company_ids:
                raise refusal(
                    self.env, self.env._("%(user)s is not an active internal user of %(company)s.", user=user.name,
                                         company=company.name), RULE,
                    self.env._("choose a person who works here."), record=user)
            if user._get_gmp_persons() & granter:
                raise refusal(
                    self.env, self.env._("%s cannot grant their own qualification.", user.name),
                    f"{RULE}, 11.10(g)", self.env._("ask another person to grant it."), record=user)

    def _revoke(self, reason):
        """Revoke these qualifications, as the user of the environment (SEC-030)."""
        self.check_access('read')
        reason = (reason or '').strip()
        if not reason:
            raise refusal(
                self.env, self.env._("A revocation needs a reason."), RULE, self.env._("enter the reason."), record=self)
        for subject, company in {(row._get_subject(), row.company_id) for row in self}:
            self._check_granter(subject, company)
        revoked = self.filtered('revoked_at')[:1]
        if revoked:
            raise refusal(
                self.env, self.env._("%s has already been revoked.", revoked.display_name), RULE,
                self.env._("grant a new one if appropriate."), record=revoked)
        qualifications = self.sudo()
        with transition(qualifications):
            qualifications.write({
                'revoked_at': fields.Datetime.now(), 'revoked_by_id': self.env.uid, 'revoke_reason': reason})
        qualifications.activity_unlink(['mrp_mmr.mail_activity_type_qualification'])
        qualifications._message_log_batch(
            bodies=dict.fromkeys(self.ids, self.env._("Revoked: %s", reason)), author_id=self.env.user.partner_id.id)

    @api.model
    def _set_up(self, users, granted_by, evidence, since=None):
        """Qualify ``users`` for the GMP roles that they hold and lack the qualification for.

        For demonstrations, tests and measurements: nobody judged them.

        :param since: first day of the qualifications; yesterday by default
        """
        groups = self.env['res.users']._get_gmp_groups()
        known = {
            (row.user_id, row.group_id, row.company_id)
            for row in self.sudo().search([('user_id', 'in', users.ids), ('kind', '=', 'role')]) if row.state == 'current'}
        self._store([{
            'company_id': company.id, 'user_id': user.id, 'kind': 'role', 'group_id': group.id, 'evidence': evidence,
            'valid_from': since or company._get_mmr_today() - timedelta(days=1), 'granted_by_id': granted_by.id,
            'granted_at': fields.Datetime.now(),
        } for user in users.sudo() for company in user.company_ids for group in groups & user.all_group_ids
            if (user, group, company) not in known and user.partner_id != granted_by.sudo().partner_id])

    # === ENFORCEMENT === #

    @api.model
    def _get_current_domain(self, company):
        """Return the domain of qualifications that are valid today, in the company's time zone."""
        today = company._get_mmr_today()
        return Domain('company_id', '=', company.id) & Domain('revoked_at', '=', False) \
            & Domain('valid_from', '<=', today) & (Domain('valid_to', '=', False) | Domain('valid_to', '>=', today))

    @api.model
    def _filter_qualified(self, users, group, company):
        """Return those of ``users`` who are qualified for a role today, by one query."""
        rows = self.sudo()._read_group(
            self._get_current_domain(company) & Domain('group_id', '=', group.id) & Domain('user_id', 'in', users.ids),
            ['user_id'])
        qualified = {user.id for user, in rows}
        return users.filtered(lambda user: user.id in qualified)

    @api.model
    def _check_role(self, user, group, company, record=None):
        """Refuse a person who is not qualified today for a role (SEC-030).

        :raise UserError: naming role, date and what is missing
        """
        if self._filter_qualified(user, group, company):
            return
        raise refusal(
            self.env,
            self.env._("%(user)s is not qualified as %(role)s on %(today)s: %(why)s", user=user.name, role=group.sudo().name,
                       today=company._get_mmr_today(), why=self._explain_missing(user, group, company)), RULE,
            self.env._("ask a person with the role %(roles)s to grant it, or let a qualified person sign.",
                       roles=" / ".join(self._get_granting_groups(group).mapped('name'))), record=record)

    @api.model
    def _explain_missing(self, user, group, company):
        """Return why nothing is valid today, by the qualification that comes nearest to it."""
        states = self.sudo().search(
            [('user_id', '=', user.id), ('group_id', '=', group.id), ('company_id', '=', company.id)]).grouped('state')
        future, expired, revoked = (states.get(state, self) for state in ('future', 'expired', 'revoked'))
        if future:
            return self.env._("the qualification begins on %s.", min(future.mapped('valid_from')))
        if expired:
            return self.env._("the qualification ended on %s.", max(expired.mapped('valid_to')))
        if revoked:
            revoked = revoked.sorted('revoked_at')[-1]
            return self.env._(
                "the qualification was revoked on %(date)s: %(reason)s", reason=revoked.revoke_reason,
                date=company._get_mmr_day(revoked.revoked_at))
        return self.env._("no qualification was granted.")

    # === BUTTONS === #

    def action_grant(self):
        """Open the dialog that grants the qualification for a role."""
        return self._open_grant({'default_kind': 'role'})

    def action_record_training(self):
        """Open the dialog that records training."""
        return self._open_grant({'default_kind': 'revision'})

    def action_renew(self):
        """Open the dialog that grants the same qualification again, for another time."""
        self.ensure_one()
        context = {
            'default_kind': {'group_id': 'role', 'revision_id': 'revision', 'sop_id': 'sop'}[
                SUBJECTS[self._get_subject()._name]],
            f'default_{SUBJECTS[self._get_subject()._name]}': self._get_subject().id,
            'default_user_ids': self.user_id.ids, 'default_company_id': self.company_id.id,
        }
        if self.state == 'current' and self.valid_to:
            context['default_valid_from'] = fields.Date.to_string(self.valid_to + timedelta(days=1))
        return self._open_grant(context)

    @api.model
    def _open_grant(self, context):
        self.env['mrp.qualification.grant'].check_access('create')
        return {
            'type': 'ir.actions.act_window', 'res_model': 'mrp.qualification.grant', 'view_mode': 'form', 'target': 'new',
            'name': self.env._("Grant Qualification") if context['default_kind'] == 'role' else self.env._("Record Training"),
            'context': context,
        }

    def action_revoke(self):
        """Open the dialog that revokes these qualifications with a reason."""
        self.env['mrp.qualification.revoke'].check_access('create')
        return {
            'type': 'ir.actions.act_window', 'res_model': 'mrp.qualification.revoke', 'view_mode': 'form', 'target': 'new',
            'name': self.env._("Revoke"), 'context': {'default_qualification_ids': self.ids},
        }

    def action_view_audit(self):
        """Open the lines of the ledger about this qualification (AUD-060)."""
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.actions']._for_xml_id('mrp_mmr.mrp_audit_entry_action')
        return dict(action, domain=[('res_model', '=', self._name), ('res_id', '=', self.id)], context={})

    # === REMINDER === #

    @api.model
    def _cron_remind(self):
        """Request, once, the renewal of qualifications that end within :data:`REMINDER_DAYS` days and are not renewed yet."""
        past = self.env['res.company']._get_mmr_past_domain
        qualifications = self.sudo().search(
            Domain('revoked_at', '=', False) & Domain('reminded_on', '=', False) & Domain('user_id.active', '=', True)
            & past('valid_to', until=REMINDER_DAYS + 1) & ~past('valid_to'))
        qualifications = qualifications.filtered('is_expiring')._filter_not_renewed()
        if not qualifications:
            return
        kind = self.env.ref('mrp_mmr.mail_activity_type_qualification')
        model_id = self.env['ir.model']._get_id(self._name)
        # One activity each, but no mail for every single one.
        self.env['mail.activity'].with_context(mail_activity_quick_update=True).create([{
            'activity_type_id': kind.id, 'res_model_id': model_id, 'res_id': qualification.id, 'user_id': user.id,
            'date_deadline': qualification.valid_to, 'automated': True,
            'summary': self.env._("Renew %s", qualification.display_name),
        } for qualification, users in qualifications._get_reminded().items() for user in users])
        with transition(qualifications):
            for company, own in qualifications.grouped('company_id').items():
                own.write({'reminded_on': company._get_mmr_today()})

    def _filter_not_renewed(self):
        """Return those of these qualifications after whose end the person is not qualified for the same any more."""
        def key(row):
            return row.user_id, row.company_id, row.group_id, row.revision_id, row.sop_id

        others = self.search([('user_id', 'in', self.user_id.ids), ('revoked_at', '=', False)]).grouped(key)
        return self.filtered(lambda row: not any(
            not other.valid_to or other.valid_to > row.valid_to for other in others[key(row)]))

    def _get_reminded(self):
        """Return whom the end of each of these qualifications concerns: who granted it, and the security administrators."""
        security = self.env.ref(SECURITY).all_user_ids.filtered('active')
        granting = {subject: self._get_granting_groups(subject) for subject in {row._get_subject() for row in self}}
        result = {}
        for row in self:
            granter = row.granted_by_id
            if not (granter.active and granting[row._get_subject()] & granter.all_group_ids):
                granter = granter.browse()
            result[row] = (granter | security).filtered(lambda user, row=row: row.company_id in user.company_ids)
        return result
