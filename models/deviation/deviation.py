"""Deviations: departures from the MMR, its specifications or procedures, opened by the system or by a person."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ...domain.canonical import iso_utc
from ...domain.refusals import refusal
from ...domain.transitions import in_transition

SOURCES = [
    ('specification', "Specification not met"),
    ('departure', "Departure from the MMR"),
    ('occurrence', "Unanticipated occurrence"),
    ('calibration', "Calibration problem"),
    ('return', "Return"),
    ('complaint', "Complaint"),
]
STATES = [
    ('open', "Open"),
    ('decided', "Decided"),
    ('closed', "Closed"),
]
DISPOSITIONS = [
    ('reject', "Reject"),
    ('reprocess', "Reprocess"),
    ('treat', "Treat"),
    ('adjust', "Adjust in process"),
    ('accept', "Accept with justification"),
]
#: What brings material back to its specification, approved by Quality Control (DEV-060, 21 CFR 111.90, 211.115(b)).
REWORK = ('reprocess', 'treat', 'adjust')
RULE = "DEV-010, 21 CFR 111.113, 211.192"


class MrpDeviation(models.Model):
    """A recorded departure (21 CFR 111.113(a), 211.100(b), 211.192, EU GMP 4.20(h)); it is never deleted.

    While it is open, its step and the steps after it do not go on (IPC-020). Quality Control decides what becomes of the
    material, by which the batch goes on, and closes it when the investigation is complete. What was reported stays as it
    is; what the investigation finds is written down in fields of its own (see mrp_deviation_review). The device profile
    calls the same record a nonconformance report (NCR).

    Also held in guards/mrp_deviation.sql.
    """
    _name = 'mrp.deviation'
    _description = "Deviation"
    _inherit = ['mail.thread', 'mail.activity.mixin', 'mrp.esignature.mixin', 'mrp.audit.mixin',
                'mrp.audit.trail.mixin']
    _order = 'id desc'
    _check_company_auto = True

    name = fields.Char("Number", required=True, readonly=True, copy=False)
    label = fields.Char("Kind of Record", compute='_compute_label', help="Deviation, or NCR (nonconformance report) under a "
                                                                         "device profile.")
    title = fields.Char(required=True, readonly=True)
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True, ondelete='restrict')
    profile_id = fields.Many2one(
        'mrp.mmr.profile', readonly=True, ondelete='restrict',
        help="The profile of the batch or product when the deviation was reported.")
    source = fields.Selection(SOURCES, required=True, readonly=True, tracking=True)
    severity = fields.Selection([
        ('minor', "Minor"),
        ('major', "Major"),
        ('critical', "Critical"),
    ], required=True, readonly=True, tracking=True)
    state = fields.Selection(STATES, "Status", required=True, readonly=True, index=True, tracking=True)
    bpr_id = fields.Many2one(
        'mrp.bpr', "Batch Production Record", readonly=True, index='btree_not_null', ondelete='restrict')
    production_id = fields.Many2one(related='bpr_id.production_id', string="Manufacturing Order")
    product_id = fields.Many2one('product.product', readonly=True, index='btree_not_null', ondelete='restrict')
    lot_id = fields.Many2one(
        'stock.lot', readonly=True, index='btree_not_null', ondelete='restrict',
        help="The lot of a component, or the lot that was returned.")
    equipment_id = fields.Many2one('maintenance.equipment', readonly=True, index='btree_not_null', ondelete='restrict')
    mmr_revision_id = fields.Many2one(related='bpr_id.mmr_revision_id')
    step_id = fields.Many2one('mrp.bpr.step', readonly=True, index='btree_not_null', ondelete='restrict')
    entry_id = fields.Many2one('mrp.bpr.entry', "Recorded Value", readonly=True, ondelete='restrict')
    result_id = fields.Many2one(
        'mrp.bpr.result', "Test Result", readonly=True, index='btree_not_null', ondelete='restrict',
        help="The out-of-specification result (BPR-090).")
    equipment_log_id = fields.Many2one(
        'mrp.equipment.log', "Line of the Equipment Log", readonly=True, index='btree_not_null', ondelete='restrict',
        help="The calibration that failed (IPC-070).")
    workcenter_id = fields.Many2one(related='step_id.workorder_id.workcenter_id')
    stage_name = fields.Char("Stage", readonly=True)
    cause_key = fields.Char(readonly=True, help="Identifies what the system detected, so that it is reported only once.")
    description = fields.Text("What Happened", readonly=True)
    file_id = fields.Many2one('mrp.mmr.file', "Stored File", readonly=True, index='btree_not_null', ondelete='restrict')
    upload = fields.Binary("Photo or File", compute='_compute_upload', compute_sudo=True)
    upload_name = fields.Char("File Name", related='file_id.name')
    corrective_action = fields.Text(
        "Corrective Action Plan", readonly=True, help="As written in the MMR for this specification (CON-120).")
    is_blocking = fields.Boolean("Blocks the Batch", readonly=True)
    reported_by_id = fields.Many2one('res.users', required=True, readonly=True, ondelete='restrict')
    reported_at = fields.Datetime("Reported", required=True, readonly=True)

    _name_uniq = models.UniqueIndex('(company_id, name)', "The number of a deviation must be unique.")

    # === COMPUTE === #

    @api.depends('profile_id')
    def _compute_label(self):
        for deviation in self:
            deviation.label = self._get_label(deviation.sudo().profile_id)

    @api.model
    def _get_label(self, profile):
        """Return what the record is called under a profile (D-21)."""
        return self.env._("NCR") if profile.code == 'PDEV' else self.env._("Deviation")

    @api.depends('name', 'title')
    def _compute_display_name(self):
        for deviation in self:
            deviation.display_name = f"{deviation.name} {deviation.title}"

    @api.depends('file_id')
    def _compute_upload(self):
        for deviation in self:
            deviation.upload = deviation.file_id.data

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        raise refusal(
            self.env, self.env._("A deviation is reported at the step or in the batch where it happened."),
            "DEV-010, 21 CFR 111.113(a)", self.env._("use Report on the shop floor or in the list of deviations."))

    def write(self, vals):
        guarded = {name for name in vals if not name.startswith(('message_', 'activity_'))}
        if guarded and not in_transition(self):
            self._check_investigation(guarded)
        return super().write(vals)

    def copy(self, default=None):  # pylint: disable=method-required-super
        raise UserError(self.env._("A deviation cannot be duplicated. Rule: DEV-010."))

    @api.ondelete(at_uninstall=True)
    def _unlink_except_never(self):
        raise refusal(
            self.env, self.env._("A deviation cannot be deleted."), RULE,
            self.env._("have it decided; it remains part of the batch record."), record=self[:1])

    def _refuse_change(self):
        return refusal(
            self.env, self.env._("What was reported as a deviation cannot be changed."), RULE,
            self.env._("describe the investigation, add what you know as a message, and decide by signature."),
            record=self[:1])

    def _audit_chain(self):
        return self.bpr_id.production_id or self.company_id

    # === OPENING === #

    @api.model
    def _open(self, step, source, title, description, entry=None, severity=None, cause_key=None):
        """Open a deviation at a step, in the same transaction as its cause, and notify Quality Control immediately.

        A cause that the system found before at the same step is not reported again.
        """
        return self._open_all(
            step.bpr_id, source, title, description, severity=severity or ('major' if step.is_critical else 'minor'),
            cause_key=cause_key, step_id=step.id, entry_id=entry.id if entry else False,
            stage_name=step.planned['stage']['name'], corrective_action=step.planned['corrective_action'],
            is_blocking=self._is_blocking(source, severity))

    @api.model
    def _is_blocking(self, source, severity):
        """Whether a deviation holds its batch until it is decided: all do but minor occurrences (IPC-020)."""
        return source != 'occurrence' or severity in ('major', 'critical')

    @api.model
    def _open_all(self, bprs, source, title, description, severity='major', cause_key=None, **vals):
        """Open a deviation for each of some batches, of the same cause, in one transaction with it.

        :param dict vals: further values, such as the step
        :return: the deviations of this cause, those that were open before included
        """
        known = self.browse()
        if cause_key:
            known = self.sudo().search([
                ('bpr_id', 'in', bprs.ids), ('step_id', '=', vals.get('step_id', False)), ('cause_key', '=', cause_key)])
        bprs -= known.bpr_id
        if not bprs:
            return known
        deviations = self._store([{
            'company_id': bpr.company_id.id, 'bpr_id': bpr.id, 'product_id': bpr.product_id.id,
            'profile_id': bpr.mmr_revision_id.profile_id.id, 'title': title, 'source': source, 'severity': severity,
            'description': description, 'is_blocking': True, 'cause_key': cause_key, **vals} for bpr in bprs.sudo()])
        deviations.step_id.invalidate_recordset(['deviation_ids'])
        bprs.invalidate_recordset(['deviation_ids'])
        return known | deviations

    @api.model
    def _store(self, vals_list):
        """Store deviations as open, numbered, and tell Quality Control; the callers checked what they are about."""
        # Numbers have no gap: the sequence gives them one by one.
        sequences, now = self.env['ir.sequence'].sudo(), fields.Datetime.now()
        companies = {
            company.id: company for company in self.env['res.company'].sudo().browse(
                {vals['company_id'] for vals in vals_list})}
        devices = self.env.ref('mrp_mmr.profile_pdev').id
        model = self.sudo().with_context(mail_create_nosubscribe=True)
        prepared = []
        for vals in vals_list:
            company = companies[vals['company_id']]
            code = 'mrp.deviation.ncr' if vals.get('profile_id') == devices else 'mrp.deviation'
            prepared.append({
                'name': sequences.with_company(company).next_by_code(code), 'state': 'open',
                'reported_by_id': self.env.uid, 'reported_at': now, 'procedure_id': company.mmr_deviation_procedure_id.id,
                'due_date': company._get_mmr_today() + timedelta(days=company.mmr_deviation_days),
                **vals, 'title': vals['title'][:200]})
        deviations = super(MrpDeviation, model).create(prepared)  # pylint: disable=super-method-mismatch
        deviations._alert()
        return deviations

    def _alert(self):
        """Tell Quality Control: an activity on each, and a notice on every open screen (IPC-020)."""
        for company, deviations in self.grouped('company_id').items():
            quality = company._get_quality_control()
            first = deviations[0]
            deviations.activity_schedule(
                'mrp_mmr.mail_activity_type_deviation', summary=first.title, user_id=quality[:1].id or self.env.uid)
            blocking = any(deviations.mapped('is_blocking'))
            about = ', '.join(deviations.bpr_id.mapped('name') or deviations.product_id.mapped('display_name'))
            message = {
                'type': 'danger' if blocking else 'warning', 'title': ', '.join(deviations.mapped('name')), 'sticky': blocking,
                'message': self.env._("%(batch)s: %(title)s", batch=about or first.label, title=first.title)}
            for user in quality:
                user._bus_send('simple_notification', message)
        self.bpr_id._notify_floor()

    def _note_retest(self, comment):
        """Let an authorised retest go on; the deviation stays open until it is decided."""
        for deviation in self:
            deviation._message_log(body=self.env._("Retest authorised: %s", comment))

    # === REPORTING === #

    @api.model
    def _check_reporter(self):
        """Refuse those who only read; every other role reports what went wrong (DEV-010, 21 CFR 111.113(a)(3)).

        :raise AccessError: for auditors and users who do not work with batches
        """
        if self.env.user.share or not self.env.user.has_group('mrp.group_mrp_user'):
            raise refusal(
                self.env, self.env._("%s may read batch records but not change them.", self.env.user.name),
                "SEC-010, DEV-010, 21 CFR 11.10(d), (g)", self.env._("tell a member of the shop floor what you saw."),
                exception=AccessError)

    @api.model
    def _report(self, subject, source, title, description, severity='minor', file=None, **vals):
        """Report a deviation at a batch, a lot, a unit of equipment or a product, as the user of the environment.

        :param subject: record of mrp.bpr, stock.lot, maintenance.equipment or product.product
        :param file: record of mrp.mmr.file that shows it
        :param dict vals: further values, such as the result of an identity test
        :return: the deviation
        """
        self._check_reporter()
        subject.ensure_one()
        subject.check_access('read')
        title, description = (title or '').strip(), (description or '').strip()
        if not title or not description:
            raise refusal(
                self.env,
                self.env._("A deviation needs a title and a description of what happened."),
                "DEV-010, 21 CFR 111.140(b)(3)(i), 211.192",
                self.env._("enter both."))
        vals |= {'source': source, 'severity': severity, 'title': title, 'description': description,
                 'file_id': file.id if file else False}
        if subject._name == 'mrp.bpr':
            return self._open_all(subject, is_blocking=self._is_blocking(source, severity), **vals)
        company = subject.sudo().company_id or self.env.company
        product = subject.sudo().product_id if subject._name == 'stock.lot' else subject \
            if subject._name == 'product.product' else self.env['product.product']
        field = {'stock.lot': 'lot_id', 'maintenance.equipment': 'equipment_id'}.get(subject._name)
        return self._store([{
            **vals, 'company_id': company.id, 'product_id': product.id, **({field: subject.id} if field else {}),
            'profile_id': self._get_product_profile(product, company).id, 'is_blocking': False}])

    @api.model
    def _get_product_profile(self, product, company):
        """Return the profile of the newest MMR of a product; none where it has no MMR: then all rules apply."""
        masters = self.env['mrp.mmr'].sudo().search(
            [('product_id', '=', product.id), ('company_id', '=', company.id)], order='id desc', limit=1)
        return masters.profile_id

    def _prepare_floor_vals(self):
        """Return what the shop floor shows of a deviation."""
        self.ensure_one()
        return {
            'id': self.id, 'name': self.name, 'title': self.title, 'severity': self.severity,
            'severity_label': dict(self._fields['severity']._description_selection(self.env))[self.severity],
            'step_id': self.step_id.id, 'step_code': self.step_id.code, 'is_blocking': self.is_blocking,
            'description': self.description,
            # The plan of a specification says nothing about other occurrences at its step.
            'corrective_action': self.source == 'specification' and self.corrective_action,
            'reported_by': self.reported_by_id.sudo().name, 'reported_at': iso_utc(self.reported_at),
        }

    def _get_document(self):
        """Return what was reported, as signatures and prints hold it."""
        self.ensure_one()
        return {
            'schema': 'mrp_mmr/deviation/1', 'name': self.name, 'title': self.title, 'source': self.source,
            'severity': self.severity, 'bpr': self.bpr_id.name or None, 'step': self.step_id.display_name or None,
            'entry': self.sudo().entry_id._get_document(), 'description': self.description or None,
            **({'result': self.result_id.sudo()._get_document()} if self.result_id else {}),
            'corrective_action': self.corrective_action or None, 'reported_by': self.reported_by_id.name,
            'reported_at': fields.Datetime.to_string(self.reported_at),
            **({'equipment_log': self.equipment_log_id.sudo()._get_document()} if self.equipment_log_id else {}),
            **({'lot': {'id': self.lot_id.id, 'name': self.lot_id.name}} if self.lot_id else {}),
            **({'equipment': {'id': self.equipment_id.id, 'name': self.equipment_id.name}} if self.equipment_id else {}),
            **({'file': self.file_id.sudo()._get_document()} if self.file_id else {}),
        }
