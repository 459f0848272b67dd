"""Deviations: departures from the MMR, its specifications or procedures, opened by the system or by a person."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools import in_transition, iso_utc, refusal, sha256

SOURCES = [
    ('specification', "Specification not met"),
    ('departure', "Departure from the MMR"),
    ('occurrence', "Unanticipated occurrence"),
    ('calibration', "Calibration problem"),
    ('return', "Return"),
]
#: What Quality Control decides while the batch runs.
DECIDED_FIELDS = {'state', 'decision_signature_id'}


class MrpDeviation(models.Model):
    """A recorded departure (21 CFR 111.113(a), 211.100(b), 211.192, EU GMP 4.20(h)); it is never deleted.

    While it is open, its step and the steps after it do not go on (IPC-020).
    """
    _name = 'mrp.deviation'
    _description = "Deviation"
    _inherit = ['mail.thread', 'mail.activity.mixin', 'mrp.esignature.mixin', 'mrp.audit.mixin']
    _order = 'id desc'

    name = fields.Char("Number", required=True, readonly=True, copy=False)
    title = fields.Char(required=True, readonly=True)
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True, ondelete='restrict')
    source = fields.Selection(SOURCES, required=True, readonly=True, tracking=True)
    severity = fields.Selection([
        ('minor', "Minor"),
        ('major', "Major"),
        ('critical', "Critical"),
    ], required=True, readonly=True, tracking=True)
    state = fields.Selection([
        ('open', "Open"),
        ('decided', "Decided"),
    ], "Status", required=True, readonly=True, index=True, tracking=True)
    bpr_id = fields.Many2one(
        'mrp.bpr', "Batch Production Record", readonly=True, index='btree_not_null', ondelete='restrict')
    production_id = fields.Many2one(related='bpr_id.production_id', string="Manufacturing Order")
    product_id = fields.Many2one(related='bpr_id.product_id')
    mmr_revision_id = fields.Many2one(related='bpr_id.mmr_revision_id')
    step_id = fields.Many2one('mrp.bpr.step', readonly=True, index='btree_not_null', ondelete='restrict')
    entry_id = fields.Many2one('mrp.bpr.entry', "Recorded Value", readonly=True, ondelete='restrict')
    equipment_log_id = fields.Many2one(
        'mrp.equipment.log', "Line of the Equipment Log", readonly=True, index='btree_not_null', ondelete='restrict',
        help="The calibration that failed (IPC-070).")
    stage_name = fields.Char("Stage", readonly=True)
    cause_key = fields.Char(readonly=True, help="What the system found, so that it reports it once.")
    description = fields.Text("What Happened", readonly=True)
    corrective_action = fields.Text(
        "Corrective Action Plan", readonly=True, help="As the MMR writes it for this specification (CON-120).")
    is_blocking = fields.Boolean("Blocks the Batch", readonly=True)
    reported_by_id = fields.Many2one('res.users', required=True, readonly=True, ondelete='restrict')
    reported_at = fields.Datetime("Reported", required=True, readonly=True)
    decision_signature_id = fields.Many2one('mrp.esignature', "Decided", readonly=True, ondelete='restrict')

    _name_uniq = models.UniqueIndex('(company_id, name)', "Deviations have their own numbers.")

    def init(self):
        super().init()
        self.env.cr.execute("""
            CREATE OR REPLACE FUNCTION mrp_mmr_guard_deviation() RETURNS trigger AS $$
            BEGIN
                IF TG_OP = 'DELETE' THEN
                    RAISE EXCEPTION 'Deviations are kept (DEV-010, 21 CFR 111.113, 211.192).'
                        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_deviation_kept';
                END IF;
                IF (NEW.name, NEW.company_id, NEW.title, NEW.source, NEW.bpr_id, NEW.step_id, NEW.entry_id, NEW.stage_name,
                    NEW.description, NEW.corrective_action, NEW.is_blocking, NEW.reported_by_id, NEW.reported_at, NEW.cause_key,
                    NEW.equipment_log_id)
                   IS DISTINCT FROM
                   (OLD.name, OLD.company_id, OLD.title, OLD.source, OLD.bpr_id, OLD.step_id, OLD.entry_id, OLD.stage_name,
                    OLD.description, OLD.corrective_action, OLD.is_blocking, OLD.reported_by_id, OLD.reported_at, OLD.cause_key,
                    OLD.equipment_log_id)
                THEN
                    RAISE EXCEPTION 'What was reported as % stays as it is (DEV-010).', OLD.name
                        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_deviation_fixed';
                END IF;
                IF NEW.state <> OLD.state AND (OLD.state <> 'open' OR NOT EXISTS (
                    SELECT FROM mrp_esignature s WHERE s.id = NEW.decision_signature_id
                       AND s.res_model = 'mrp.deviation' AND s.res_id = NEW.id)) THEN
                    RAISE EXCEPTION '% is decided by a signature of Quality Control (DEV-030, 21 CFR 111.113(c)).', OLD.name
                        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_deviation_decided';
                END IF;
                RETURN NEW;
            END $$ LANGUAGE plpgsql;
            CREATE OR REPLACE TRIGGER mrp_mmr_guard_deviation BEFORE UPDATE OR DELETE ON mrp_deviation
                FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_deviation();
        """)

    @api.depends('name', 'title')
    def _compute_display_name(self):
        for deviation in self:
            deviation.display_name = f"{deviation.name} {deviation.title}"

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        raise refusal(
            self.env, self.env._("A deviation is reported at the step or the batch where it happened."),
            "DEV-010, 21 CFR 111.113(a)", self.env._("use Report on the shop floor or on the batch record."))

    def write(self, vals):
        guarded = {name for name in vals if not name.startswith(('message_', 'activity_'))}
        if guarded and not in_transition(self):
            raise refusal(
                self.env, self.env._("What was reported as a deviation stays as it is."), "DEV-010, 21 CFR 111.113, 211.192",
                self.env._("add what is known in the messages; decide by signature."), record=self[:1])
        return super().write(vals)

    def copy(self, default=None):  # pylint: disable=method-required-super
        raise UserError(self.env._("Deviations are not duplicated. Rule: DEV-010."))

    @api.ondelete(at_uninstall=True)
    def _unlink_except_never(self):
        raise refusal(
            self.env, self.env._("Deviations are kept."), "DEV-010, 21 CFR 111.113, 211.192",
            self.env._("decide on it; it stays a part of the batch record."), record=self[:1])

    def _audit_chain(self):
        return self.bpr_id.production_id or self.company_id

    # === OPENING === #

    @api.model
    def _open(self, step, source, title, description, entry=None, severity=None, cause_key=None):
        """Open a deviation at a step, in the transaction of what went wrong, and tell Quality Control at once.

        A cause that the system found before at the same step is not reported again.
        """
        return self._open_all(
            step.bpr_id, source, title, description, severity=severity or ('major' if step.is_critical else 'minor'),
            cause_key=cause_key, step_id=step.id, entry_id=entry.id if entry else False,
            stage_name=step.planned['stage']['name'], corrective_action=step.planned['corrective_action'],
            is_blocking=source != 'occurrence' or severity in ('major', 'critical'))

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
        # Numbers have no gap: the sequence gives them one by one.
        sequences = self.env['ir.sequence'].sudo()
        common = {
            'title': title[:200], 'source': source, 'severity': severity, 'state': 'open', 'description': description,
            'is_blocking': True, 'cause_key': cause_key, 'reported_by_id': self.env.uid, 'reported_at': fields.Datetime.now(),
            **vals}
        model = self.sudo().with_context(mail_create_nosubscribe=True)
        deviations = super(MrpDeviation, model).create([{  # pylint: disable=super-method-mismatch
            'name': sequences.with_company(bpr.company_id).next_by_code('mrp.deviation'),
            'company_id': bpr.company_id.id, 'bpr_id': bpr.id, **common} for bpr in bprs])
        deviations.step_id.invalidate_recordset(['deviation_ids'])
        bprs.invalidate_recordset(['deviation_ids'])
        deviations._alert()
        return known | deviations

    def _alert(self):
        """Tell Quality Control: an activity on each, and a notice on every open screen (IPC-020)."""
        users = self.env.ref('mrp_mmr.group_mmr_qc').sudo().all_user_ids.filtered('active')
        for company, deviations in self.grouped('company_id').items():
            quality = users.filtered(lambda user, company=company: company in user.company_ids)
            first = deviations[0]
            deviations.activity_schedule(
                'mrp_mmr.mail_activity_type_deviation', summary=first.title, user_id=quality[:1].id or self.env.uid)
            blocking = any(deviations.mapped('is_blocking'))
            message = {
                'type': 'danger' if blocking else 'warning', 'title': ', '.join(deviations.mapped('name')), 'sticky': blocking,
                'message': self.env._("%(batch)s: %(title)s", batch=', '.join(deviations.bpr_id.mapped('name')),
                                      title=first.title)}
            for user in quality:
                user._bus_send('simple_notification', message)
        self.bpr_id._notify_floor()

    def _note_retest(self, comment):
        """Let an authorised retest go on; the deviation stays open until it is decided."""
        for deviation in self:
            deviation._message_log(body=self.env._("Retest authorised: %s", comment))

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

    # === DECISION === #

    def action_decide(self):
        """Open the signature by which Quality Control lets the batch go on."""
        return self.action_open_signature('decide')

    def _is_signed_by_others(self, action):
        return True

    def _get_signing_profile(self):
        return self.sudo().mmr_revision_id.profile_id

    def _get_signing_action(self, action):
        self.ensure_one()
        if action != 'decide':
            raise UserError(self.env._("Unknown signature: %s", action))
        if self.state != 'open':
            raise refusal(
                self.env, self.env._("%s was decided already.", self.name), "DEV-030, 21 CFR 111.113(c)",
                self.env._("read the decision."), record=self)
        content = self._get_document()
        return {
            'meaning': 'approved', 'group': 'mrp_mmr.group_mmr_qc', 'digest': sha256(content), 'content': content,
            'comment_required': True,
            'statement': self.env._("I reviewed this deviation; the batch may go on for the reason that I give."),
        }

    def _apply_signing_action(self, action, signature):
        self.write({'state': 'decided', 'decision_signature_id': signature.id})
        self.activity_unlink(['mrp_mmr.mail_activity_type_deviation'])
        self.bpr_id._notify_floor()

    def _get_document(self):
        """Return the deviation as signatures and prints hold it."""
        self.ensure_one()
        return {
            'schema': 'mrp_mmr/deviation/1', 'name': self.name, 'title': self.title, 'source': self.source,
            'severity': self.severity, 'bpr': self.bpr_id.name or None, 'step': self.step_id.display_name or None,
            'entry': self.sudo().entry_id._get_document(), 'description': self.description or None,
            'corrective_action': self.corrective_action or None, 'reported_by': self.reported_by_id.name,
            'reported_at': fields.Datetime.to_string(self.reported_at),
            **({'equipment_log': self.equipment_log_id.sudo()._get_document()} if self.equipment_log_id else {}),
        }
