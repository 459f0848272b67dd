"""Corrective and preventive actions: for several deviations, with owners, dates and a check of their effect."""

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import LazyTranslate

from ...domain.refusals import refusal
from ...domain.signing import SigningRule
from ...domain.transitions import in_transition, transition, without_defaults

_lt = LazyTranslate(__name__)
QC = 'mrp_mmr.group_mmr_qc'
RULE = "DEV-090, 21 CFR 111.140(b)(3)(iv), former 820.100(a), ISO 13485 8.5.2, 8.5.3"
STATES = [
    ('draft', "Draft"),
    ('running', "Running"),
    ('check', "Effectiveness Check"),
    ('closed', "Closed"),
]
#: Set by the steps of the workflow alone.
SYSTEM_FIELDS = {'name', 'state', 'checked_by_id', 'checked_at', 'closing_signature_id', 'reminded_on'}
EFFECT_FIELDS = {'effectiveness_result', 'effectiveness_text'}


class MrpCapa(models.Model):
    """Corrective and preventive action (21 CFR 111.140(b)(3)(iv), former 820.100, ISO 13485 8.5.2, 8.5.3).

    Quality Control starts it with a cause, actions and the criterion of their effect, and closes it by signature when
    the effect was checked. From its start on nothing of it is deleted, and no deviation leaves it.

    Also held in guards/mrp_capa.sql.
    """
    _name = 'mrp.capa'
    _description = "CAPA"
    _inherit = ['mail.thread', 'mail.activity.mixin', 'mrp.esignature.mixin', 'mrp.audit.mixin',
                'mrp.audit.trail.mixin']
    _order = 'id desc'
    _check_company_auto = True

    name = fields.Char("Number", required=True, readonly=True, copy=False, default="/")
    title = fields.Char(required=True, tracking=True)
    company_id = fields.Many2one(
        'res.company', required=True, readonly=True, index=True, ondelete='restrict', default=lambda self: self.env.company)
    state = fields.Selection(
        STATES, "Status", required=True, readonly=True, copy=False, default='draft', index=True, tracking=True)
    owner_id = fields.Many2one(
        'res.users', "Responsible", required=True, tracking=True, ondelete='restrict', default=lambda self: self.env.user,
        domain="[('share', '=', False)]")
    cause_id = fields.Many2one('mrp.deviation.cause', "Category of the Cause", ondelete='restrict', check_company=True)
    cause = fields.Text(help="The root cause that the actions are to remove.")
    deviation_ids = fields.One2many(
        'mrp.deviation', 'capa_id', "Deviations", domain="[('company_id', '=', company_id), ('state', '!=', 'closed')]")
    deviation_count = fields.Integer("Number of Deviations", compute='_compute_counts')
    action_ids = fields.One2many('mrp.capa.action', 'capa_id', "Actions")
    open_action_count = fields.Integer("Open Actions", compute='_compute_counts')
    effectiveness_criterion = fields.Text(help="The criterion for judging whether the actions were effective.")
    effectiveness_due = fields.Date("Check From", help="The day from which there is enough experience to judge.")
    effectiveness_result = fields.Selection([
        ('effective', "Effective"),
        ('not_effective', "Not effective"),
    ], "Result", tracking=True)
    effectiveness_text = fields.Text("Finding")
    checked_by_id = fields.Many2one('res.users', readonly=True, copy=False, ondelete='restrict')
    checked_at = fields.Datetime("Checked", readonly=True, copy=False)
    closing_signature_id = fields.Many2one('mrp.esignature', "Closed", readonly=True, copy=False, ondelete='restrict')
    is_overdue = fields.Boolean("Overdue", compute='_compute_is_overdue', search='_search_is_overdue')
    reminded_on = fields.Date(readonly=True, copy=False, help="When the check of the effectiveness was requested.")

    _name_uniq = models.UniqueIndex('(company_id, name)', "The number of a CAPA must be unique.")

    # === COMPUTE === #

    @api.depends('name', 'title')
    def _compute_display_name(self):
        for capa in self:
            capa.display_name = f"{capa.name} {capa.title or ''}".strip()

    @api.depends('deviation_ids', 'action_ids.done_at')
    def _compute_counts(self):
        for capa in self:
            capa.deviation_count = len(capa.sudo().deviation_ids)
            capa.open_action_count = len(capa.action_ids.filtered(lambda row: not row.done_at))

    @api.depends('state', 'effectiveness_due', 'action_ids.due_date', 'action_ids.done_at')
    def _compute_is_overdue(self):
        for capa in self:
            capa.is_overdue = capa._is_overdue_on((capa.company_id or self.env.company)._get_mmr_today())

    def _is_overdue_on(self, day):
        """Whether an action, or the check of the effect, is still open and was due before ``day``."""
        self.ensure_one()
        due = [row.due_date for row in self.action_ids if not row.done_at and row.due_date] \
            if self.state == 'running' else [self.effectiveness_due] if self.state == 'check' else []
        return any(date and date < day for date in due)

    def _search_is_overdue(self, operator, value):
        if operator != 'in':
            return NotImplemented
        past = self.env['res.company']._get_mmr_past_domain
        return (Domain('state', '=', 'running') & Domain(
            'action_ids', 'any', Domain('done_at', '=', False) & past('due_date'))) | (
            Domain('state', '=', 'check') & past('effectiveness_due'))

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        self = without_defaults(self, SYSTEM_FIELDS)
        self._check_quality()
        if any(SYSTEM_FIELDS & vals.keys() for vals in vals_list):
            raise self._refuse_change()
        sequences = self.env['ir.sequence'].sudo()
        return super().create([{
            **vals, 'name': sequences.with_company(vals.get('company_id') or self.env.company.id).next_by_code('mrp.capa')}
            for vals in vals_list])

    def write(self, vals):
        guarded = {name for name in vals if not name.startswith(('message_', 'activity_'))}
        if guarded and not in_transition(self):
            self._check_quality()
            if guarded & SYSTEM_FIELDS or 'closed' in self.mapped('state') or 'company_id' in guarded:
                raise self._refuse_change()
            if guarded & EFFECT_FIELDS:
                if any(capa.state != 'check' for capa in self):
                    raise refusal(
                        self.env, self.env._("The effectiveness can only be checked after all actions are done."), RULE,
                        self.env._("have the actions finished, then start the check."), record=self[:1])
                vals = {**vals, 'checked_by_id': self.env.uid, 'checked_at': fields.Datetime.now()}
        return super().write(vals)

    def copy(self, default=None):  # pylint: disable=method-required-super
        raise UserError(self.env._("A CAPA cannot be duplicated. Rule: DEV-090."))

    @api.ondelete(at_uninstall=True)
    def _unlink_except_started(self):
        if self.filtered(lambda capa: capa.state != 'draft'):
            raise self._refuse_change()
        self._check_quality()

    def _check_quality(self):
        """Refuse everybody but Quality Control.

        :raise AccessError: for anybody else, superuser included
        """
        if not self.env.user.has_group(QC):
            raise refusal(
                self.env, self.env._("Only Quality Control can edit a CAPA."), f"SEC-010, {RULE}",
                self.env._("ask a member of Quality Control; you can enter the results of your own actions."), record=self[:1],
                exception=AccessError)

    def _refuse_change(self):
        return refusal(
            self.env,
            self.env._("The number and the status of a CAPA, and what was closed, can only be changed by its workflow."), RULE,
            self.env._("use the buttons of the CAPA; create another one if more is to be done."), record=self[:1])

    @api.model
    def _audit_fields(self):
        return super()._audit_fields() - {'reminded_on'}

    # === COURSE === #

    def action_start(self):
        """Start this CAPA: it says why, what is done by whom and until when, and by what its effect is judged."""
        self.ensure_one()
        self._check_quality()
        if self.state != 'draft':
            raise self._refuse_change()
        missing = [text for filled, text in (
            ((self.cause or '').strip(), self.env._("the cause")), (self.cause_id, self.env._("the category of the cause")),
            (self.action_ids, self.env._("the actions")),
            ((self.effectiveness_criterion or '').strip(), self.env._("the effectiveness criterion")),
            (self.effectiveness_due, self.env._("the date of the effectiveness check"))) if not filled]
        if missing:
            raise refusal(
                self.env,
                self.env._("%(capa)s cannot be started. Missing: %(missing)s.", capa=self.name, missing=', '.join(missing)),
                RULE, self.env._("enter what is missing, then start it."), record=self)
        self._move({'state': 'running'})

    def _move(self, vals):
        """Change the status: PostgreSQL sees each step, after the actions that it looks at."""
        self.action_ids.flush_recordset()
        with transition(self):
            self.write(vals)
            self.flush_recordset()

    def action_check(self):
        """Begin the check of the effect: every action has its result."""
        self.ensure_one()
        self._check_quality()
        waiting = self.action_ids.filtered(lambda row: not row.done_at)
        if self.state != 'running' or waiting:
            raise refusal(
                self.env, self.env._("%(capa)s still waits for: %(actions)s.", capa=self.name,
                                     actions=', '.join(waiting.mapped('name')) or self.env._("its start")),
                RULE, self.env._("have the results of the actions entered first."), record=self)
        self._move({'state': 'check'})

    def action_resume(self):
        """Go back to the actions, where they had not the effect that was expected."""
        self.ensure_one()
        self._check_quality()
        if self.state != 'check' or self.effectiveness_result != 'not_effective':
            raise refusal(
                self.env, self.env._("%s returns to its actions only if they were not effective.", self.name), RULE,
                self.env._("enter the result of the effectiveness check first."), record=self)
        self._move({
            'state': 'running', 'effectiveness_result': False, 'checked_by_id': False, 'checked_at': False,
            'reminded_on': False})

    def action_close(self):
        """Open the signature by which Quality Control closes this CAPA."""
        return self.action_open_signature('close')

    def action_open_deviations(self):
        """Open the deviations that led to this CAPA."""
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('mrp_mmr.mrp_deviation_action')
        return dict(action, domain=[('capa_id', '=', self.id)], context={})

    # === SIGNING === #

    _signing_citation = RULE
    _signing_next_step = _lt("finish the actions, check their effectiveness and enter the result.")
    _signing_actions = {
        'close': SigningRule(
            meaning='approved', group=QC, states=('check',), leads_to='closed', at_terminal=True,
            statement=_lt("The actions were done and are effective; I close this CAPA."),
            prepare='_prepare_closing', apply='_apply_closing'),
    }

    def _prepare_closing(self, action):
        if not self.effectiveness_result or not (self.effectiveness_text or '').strip():
            raise refusal(
                self.env, self.env._("%s has no result of its effectiveness check.", self.name), RULE,
                self.env._("finish the actions, check their effectiveness and enter the result."), record=self)
        if self.effectiveness_result == 'not_effective':
            raise refusal(
                self.env, self.env._("The actions of %s were not effective.", self.name), RULE,
                self.env._("return to the actions, and add what is needed."), record=self)
        return self._make_signing_action(action, self._get_document())

    def _get_document(self):
        """Return the CAPA as its signature and prints hold it."""
        self.ensure_one()
        row = self.sudo()

        def date(value):
            return fields.Date.to_string(value) if value else None

        return {
            'schema': 'mrp_mmr/capa/1', 'name': row.name, 'title': row.title, 'responsible': row.owner_id.name,
            'category': row.cause_id.with_context(lang='en_US').name or None, 'cause': row.cause or None,
            'deviations': row.deviation_ids.sorted('id').mapped('name'),
            'actions': [{
                'action': action.name, 'kind': action.kind, 'owner': action.owner_id.name, 'due': date(action.due_date),
                'result': action.result or None, 'done_by': action.done_by_id.name or None,
                'done_at': fields.Datetime.to_string(action.done_at) if action.done_at else None,
            } for action in row.action_ids.sorted('id')],
            'effectiveness': {
                'criterion': row.effectiveness_criterion or None, 'due': date(row.effectiveness_due),
                'result': row.effectiveness_result or None, 'found': row.effectiveness_text or None,
                'by': row.checked_by_id.name or None}}

    def _apply_closing(self, action, signature):
        self.write({'state': self._get_signing_rule(action).leads_to, 'closing_signature_id': signature.id})
        self.activity_unlink(['mrp_mmr.mail_activity_type_capa'])

    # === REMINDER === #

    @api.model
    def _cron_remind(self):
        """Ask owners for actions that are overdue, and the responsible person for an overdue check, once each."""
        past = self.env['res.company']._get_mmr_past_domain
        actions = self.env['mrp.capa.action'].sudo().search(
            Domain('capa_id.state', '=', 'running') & Domain('done_at', '=', False) & Domain('reminded_on', '=', False)
            & past('due_date'))
        for action in actions:
            action.capa_id.activity_schedule(
                'mrp_mmr.mail_activity_type_capa', summary=action.name, user_id=action.owner_id.id,
                date_deadline=action.due_date)
        with transition(actions):
            for company, own in actions.grouped('company_id').items():
                own.write({'reminded_on': (company or self.env.company)._get_mmr_today()})
        capas = self.sudo().search(
            Domain('state', '=', 'check') & Domain('reminded_on', '=', False) & past('effectiveness_due'))
        for capa in capas:
            capa.activity_schedule(
                'mrp_mmr.mail_activity_type_capa', summary=self.env._("Check the effectiveness of %s", capa.name),
                user_id=capa.owner_id.id, date_deadline=capa.effectiveness_due)
        with transition(capas):
            for company, own in capas.grouped('company_id').items():
                own.write({'reminded_on': (company or self.env.company)._get_mmr_today()})


class MrpDeviation(models.Model):
    _inherit = 'mrp.deviation'

    capa_id = fields.Many2one(
        'mrp.capa', "CAPA", tracking=True, index='btree_not_null', ondelete='restrict', check_company=True,
        domain="[('state', '!=', 'closed')]", help="Several deviations may share one (DEV-090).")

    def action_create_capa(self):
        """Make a CAPA of these deviations, and open it."""
        self.env['mrp.capa']._check_quality()
        first = self[:1]
        capa = self.env['mrp.capa'].create({
            'title': first.title, 'company_id': first.company_id.id, 'cause_id': first.cause_id.id, 'cause': first.cause})
        self.write({'capa_id': capa.id})
        return first._open_record(capa)

    def action_open_capa(self):
        """Open the CAPA of this deviation."""
        return self._open_record(self.capa_id)

    def write(self, vals):
        if 'capa_id' in vals and not in_transition(self):
            capa = self.env['mrp.capa'].browse(vals['capa_id'])
            started = self.filtered(lambda row: row.capa_id and row.capa_id != capa and row.sudo().capa_id.state != 'draft')[:1]
            if started or capa.sudo().state == 'closed':
                raise refusal(
                    self.env, self.env._("A deviation cannot leave a CAPA that was started, or join one that is closed."),
                    RULE, self.env._("complete the CAPA, or create another one."), record=started or self[:1])
        return super().write(vals)

    def _get_capa_demand(self):
        """Return why this deviation needs a CAPA, in words, or None: it is critical, or its cause recurs (DEV-090)."""
        self.ensure_one()
        if self.severity == 'critical':
            return self.env._("the deviation is critical")
        company, months = self.company_id.sudo(), self.company_id.sudo().mmr_recurrence_months
        if not (self.cause_id and self.product_id):
            return None
        since = self.reported_at - relativedelta(months=months)
        before = Domain('reported_at', '<', self.reported_at) | (
            Domain('reported_at', '=', self.reported_at) & Domain('id', '<=', self.id))
        count = self.sudo().search_count(
            Domain('company_id', '=', company.id) & Domain('cause_id', '=', self.cause_id.id)
            & Domain('product_id', '=', self.product_id.id) & Domain('reported_at', '>=', since) & before)
        if count < company.mmr_recurrence_count:
            return None
        return self.env._("number %(count)s of the cause %(cause)s on %(product)s within %(months)s months", count=count,
                          cause=self.cause_id.name, product=self.product_id.display_name, months=months)

    def _get_closing_issues(self):
        issues = super()._get_closing_issues()
        capa = self.sudo().capa_id
        demand = self._get_capa_demand()
        if demand and not capa and not (self.no_capa_reason or '').strip():
            issues.append(self.env._("A CAPA, or the reason why there is none: %s", demand))
        if capa.state == 'draft':
            issues.append(self.env._("%s has not been started", capa.name))
        return issues

    def _get_closure(self):
        capa = self.sudo().capa_id
        return {**super()._get_closure(), 'capa': {'id': capa.id, 'name': capa.name} if capa else None}
