"""The steps of a batch: in sequence, by the right people, signed where they are done."""

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ....domain.arguments import takes
from ....domain.durations import is_longer
from ....domain.refusals import refusal
from ....domain.roles import ROLE_GROUPS, ROLES
from ....domain.step_kinds import RETESTED, STEP_KINDS
from ....domain.step_plan import stages_before
from ....domain.step_states import CLOSED, POINT_FIELDS, VERIFIES
from ....domain.transitions import transition
from ...base.json_field import JsonDocument
from ...base.notation import get_plain_writer
from ...base.schema import add_copied_column

#: SQL of where a yield is calculated: the name of its stage, nothing at the end of manufacture; an index has it.
CONTROL_POINT = (
    "CASE WHEN planned ->> 'scope' = 'batch' THEN '' WHEN planned ->> 'scope' <> 'batch' THEN planned #>> '{stage,name}' END")
STATES = [
    ('open', "Open"),
    ('started', "In progress"),
    ('checking', "To be verified"),
    ('done', "Done"),
    ('not_done', "Not done"),
]


class MrpBprStep(models.Model):
    """The execution of one step of one batch: what is planned comes from the snapshot, what was done from people.

    A step is started, its entries are recorded, and it is signed point by point (see ``execution.get_points``).
    PostgreSQL holds the sequence, the second person and that signatures stay.

    Also held in guards/mrp_bpr_step.sql.
    """
    _name = 'mrp.bpr.step'
    _description = "Step of a Batch Production Record"
    _inherit = ['mrp.evidence.mixin', 'mrp.esignature.mixin']
    _order = 'bpr_id desc, sequence, id'
    _is_append_only = False

    bpr_id = fields.Many2one('mrp.bpr', "Batch Production Record", required=True, readonly=True, ondelete='restrict')
    production_id = fields.Many2one(
        'mrp.production', "Manufacturing Order", required=True, readonly=True, index=True, ondelete='restrict')
    company_id = fields.Many2one('res.company', required=True, readonly=True, ondelete='restrict')
    workorder_id = fields.Many2one(
        'mrp.workorder', readonly=True, index='btree_not_null', ondelete='restrict')
    workcenter_id = fields.Many2one(related='workorder_id.workcenter_id')
    sequence = fields.Integer("Order of Work", required=True, readonly=True, aggregator=None)
    stage = fields.Integer(required=True, readonly=True, aggregator=None)
    number = fields.Integer("Number in the Stage", required=True, readonly=True, aggregator=None)
    code = fields.Char("No.", compute='_compute_code', help="Stage and step number, as printed on worksheets.")
    name = fields.Char("Step", required=True, readonly=True)
    kind = fields.Selection([*STEP_KINDS, ('material', "Packaging materials")], required=True, readonly=True)
    performer_role = fields.Selection(ROLES, "Performed By", readonly=True)
    verifier_role = fields.Selection(ROLES, "Verified By", readonly=True)
    is_critical = fields.Boolean("Critical", readonly=True)
    is_hold_point = fields.Boolean("Hold Point", readonly=True)
    points = JsonDocument(readonly=True, help="The signatures that close the step, in sequence.")
    yield_mmr_id = fields.Many2one(
        'mrp.mmr', compute='_compute_yield_mmr_id', store=True, precompute=True, ondelete='restrict',
        help="For a yield: the MMR to whose history it belongs.")
    planned = JsonDocument(readonly=True, prefetch=False, help="The step as in the snapshot of the MMR.")

    state = fields.Selection(STATES, "Status", required=True, readonly=True, index=True)
    started_at = fields.Datetime("Started", readonly=True)
    started_by_id = fields.Many2one('res.users', readonly=True, ondelete='restrict')
    precaution_acknowledged = fields.Boolean(readonly=True)
    closed_at = fields.Datetime("Closed", readonly=True)
    performed_signature_id = fields.Many2one('mrp.esignature', "Performed", readonly=True, ondelete='restrict')
    verified_signature_id = fields.Many2one('mrp.esignature', "Verified", readonly=True, ondelete='restrict')
    added_signature_id = fields.Many2one('mrp.esignature', "Added", readonly=True, ondelete='restrict')
    addition_verified_signature_id = fields.Many2one(
        'mrp.esignature', "Addition Verified", readonly=True, ondelete='restrict')
    hold_signature_id = fields.Many2one(
        'mrp.esignature', "Decision of Quality Control", readonly=True, ondelete='restrict')
    retest_count = fields.Integer("Authorised Retests", readonly=True, aggregator=None)
    entry_ids = fields.One2many('mrp.bpr.entry', 'step_id', "Entries", readonly=True)
    deviation_ids = fields.One2many('mrp.deviation', 'step_id', "Deviations", readonly=True)
    next_point = fields.Selection([
        ('performed', "Performing"),
        ('verified', "Verification"),
        ('added', "Addition"),
        ('addition_verified', "Verified addition"),
        ('hold', "Quality Control"),
    ], "Waiting For", compute='_compute_next_point')
    result = fields.Char(compute='_compute_result', help="A summary of what was recorded.")
    outcome = fields.Selection(
        [('pass', "Within limits"), ('fail', "Out of limits"), ('retest', "Within limits on retest")],
        compute='_compute_result',
        help="A result out of limits and its deviation remain, even if an authorised retest is within the limits.")

    _order_uniq = models.UniqueIndex('(bpr_id, sequence)', "The steps of a batch have a fixed sequence.")
    _yield_idx = models.Index(
        f'(yield_mmr_id, state, ({CONTROL_POINT}), closed_at DESC, id DESC) WHERE yield_mmr_id IS NOT NULL')

    def _auto_init(self):
        add_copied_column(self.env.cr, self._table, 'yield_mmr_id', SQL("r.mmr_id"), SQL(
            "FROM mrp_bpr b JOIN mrp_mmr_revision r ON r.id = b.mmr_revision_id WHERE b.id = t.bpr_id AND t.kind = 'yield'"))
        return super()._auto_init()

    # === COMPUTE === #

    @api.depends('kind', 'bpr_id')
    def _compute_yield_mmr_id(self):
        for step in self:
            step.yield_mmr_id = step.bpr_id.mmr_revision_id.mmr_id if step.kind == 'yield' else False

    @api.depends('stage', 'number')
    def _compute_code(self):
        for step in self:
            step.code = f"{step.stage}.{step.number}"

    @api.depends('code', 'planned')
    def _compute_display_name(self):
        # What is shown and printed is the frozen plan: a column beside it says nothing (AUD-080).
        for step in self:
            step.display_name = f"{step.code} {(step.planned or {}).get('name') or step.name}"

    @api.depends('points', 'state', *POINT_FIELDS.values())
    def _compute_next_point(self):
        for step in self:
            step.next_point = False if step.state in CLOSED else next(
                (point for point in step.points or () if not step[POINT_FIELDS[point]]), False)

    @api.depends('entry_ids')
    @api.depends_context('lang')
    def _compute_result(self):
        show = get_plain_writer(self.env)
        for step in self:
            entries = step.sudo().entry_ids._get_current()
            step.result = '; '.join(
                entry._summarize(show) for entry in entries if entry.kind not in ('comment', 'handover')) or False
            step.outcome = self._judge(entries.filtered('outcome'))

    @api.model
    def _judge(self, entries):
        """Return what judged entries say of their step; a result out of limits is settled by a retest within them."""
        failed = entries.filtered(lambda entry: entry.outcome == 'fail')
        # Of the results only: what else is out of limits, such as a yield, is not tested again.
        last = {entry.kind: entry.outcome for entry in entries.sorted('id')}
        if any(entry.kind not in RETESTED or last[entry.kind] == 'fail' for entry in failed):
            return 'fail'
        return 'retest' if failed else entries[:1].outcome

    def _get_state_label(self):
        self.ensure_one()
        return dict(self._fields['state']._description_selection(self.env))[self.state]

    # === GUARDS === #

    def _refuse_write(self):
        return refusal(
            self.env, self.env._("The steps of a batch can only be started, recorded and signed, not edited."),
            "SEC-020, BPR-110, 21 CFR 111.255(b), 11.10(f)", self.env._("work on the step on the shop floor."),
            record=self[:1])

    def _audit_chain(self):
        return self.production_id

    def _get_signing_thread(self):
        return self.production_id

    @api.model
    def _audit_fields(self):
        return {'state', 'started_at', 'started_by_id', 'precaution_acknowledged', 'closed_at', 'retest_count',
                *POINT_FIELDS.values()}

    def _lock(self):
        """Let two terminals follow each other, and judge on what is committed.

        The row is written and not only locked: a transaction that began before the other one ended is repeated by
        Odoo and then sees what the other one recorded.

        :raise UserError: where Quality Control decided on the batch, whose record is closed for good (REL-030)
        """
        self.sudo().bpr_id._check_not_decided()
        self.env.cr.execute(SQL(
            "UPDATE mrp_bpr_step SET write_uid = %s, write_date = %s WHERE id IN %s",
            self.env.uid, fields.Datetime.now(), self._ids))
        self.invalidate_recordset()

    def _is_verified(self):
        """Whether a second person checks this step, and so every correction of it (VER-010, VER-060)."""
        self.ensure_one()
        return self.is_critical or bool(VERIFIES.keys() & set(self.points or ()))

    # === SEQUENCE === #

    def _get_waiting_for(self):
        """Return the open steps that come before this one: in its stage, and in the stages before (USE-050)."""
        self.ensure_one()
        predecessors = self.planned['stage']['predecessors']
        return self.sudo().search(
            Domain('bpr_id', '=', self.bpr_id.id) & Domain('state', 'not in', CLOSED) & (
                (Domain('stage', '=', self.stage) & Domain('number', '<', self.number))
                | Domain('stage', 'in', predecessors)))

    def _get_blocking_deviations(self):
        """Return the open deviations of this step, of those before it and of the whole batch (IPC-020)."""
        self.ensure_one()
        return self.bpr_id.sudo().deviation_ids.filtered(
            lambda deviation: deviation.is_blocking and deviation.state == 'open' and (
                not deviation.step_id or deviation.step_id.sequence <= self.sequence
                and self._comes_after(deviation.step_id)))

    def _comes_after(self, other):
        """Whether this step is ``other`` or follows it, directly or not."""
        self.ensure_one()
        if other.stage == self.stage:
            return other.number <= self.number
        firsts = self.bpr_id.sudo().step_ids.filtered(lambda step: step.number == 1)
        firsts.fetch(['planned'])
        return other.stage in stages_before(
            self.stage, {step.stage: step.planned['stage']['predecessors'] for step in firsts})

    def _check_workable(self, own_deviations=True, closing=False):
        """Refuse work on a step whose batch does not run, or is blocked.

        :param bool own_deviations: whether open deviations of this very step block as well
        :param bool closing: whether the step is closed as not done, which is also possible if its material was rejected
        :raise UserError: naming what must happen first
        """
        obstacle = self._get_obstacle(own_deviations, closing)
        if obstacle:
            raise refusal(self.env, *obstacle, record=self)

    def _get_obstacle(self, own_deviations=True, closing=False):
        """Return what keeps people from working on this step, as message, rule and next action, or None."""
        self.ensure_one()
        bpr, order = self.bpr_id.sudo(), self.sudo().production_id
        if bpr.state == 'issue':
            return (self.env._("%s has not been issued yet.", bpr.name), "BPR-160, 21 CFR 211.188(a), EU GMP 4.2",
                    self.env._("the Production Responsible checks the copy and signs it as issued."))
        if bpr.state in ('done', 'cancel') or order.state in ('done', 'cancel'):
            return (self.env._("%s is closed.", bpr.name), "BPR-110, 21 CFR 111.260(j)",
                    self.env._("record what was forgotten as a late entry."))
        if order.mmr_decision == 'stop':
            return (self.env._("Quality Control stopped %s.", order.name), "REV-060, 21 CFR 111.255(c)",
                    self.env._("hold the material and ask Quality Control."))
        if order.mmr_decision == 'pending' and self.state == 'open' and not closing:
            return order._mmr_get_pending()
        rejection = () if closing else bpr._get_rejection()
        if rejection:
            return rejection
        blocking = self._get_blocking_deviations()
        if not own_deviations:
            blocking = blocking.filtered(lambda deviation: deviation.step_id != self)
        if blocking:
            return (self.env._("Step %(step)s is waiting for the decision on %(deviations)s.", step=self.display_name,
                               deviations=', '.join(blocking.mapped('display_name'))),
                    "IPC-020, 21 CFR 111.113(a), 211.192", self.env._("have Quality Control decide on the deviation."))
        return None

    # === START === #

    @takes(acknowledged='flag')
    def action_start(self, acknowledged=False):
        """Start this step: now, by the person of the session.

        :param bool acknowledged: that the precautions of the step were read (CON-110)
        :return: dict of ``started`` or ``blocked`` (a message: what had to be recorded, such as an exceeded hold time,
            stays, although the step does not start)
        :raise UserError: out of sequence, blocked, not qualified, precaution not acknowledged
        """
        self.ensure_one()
        self.check_access('read')
        self._lock()
        if self.state != 'open':
            return {'started': True}
        self._check_performer(self.env.user)
        self._check_workable()
        waiting = self._get_waiting_for()
        if waiting:
            raise refusal(
                self.env, self.env._("Step %(step)s cannot start before %(others)s.", step=self.display_name,
                                     others=', '.join(waiting[:3].mapped('display_name'))),
                "USE-050, 21 CFR 111.255(c), 11.10(f)", self.env._("finish and sign the preceding steps."), record=self)
        if self.planned['precaution'] and acknowledged is not True:
            raise refusal(
                self.env, self.env._("%(step)s has a precaution: %(text)s", step=self.display_name,
                                     text=self.planned['precaution']),
                "CON-110, 21 CFR 111.210(h)(4)", self.env._("read and acknowledge it."), record=self)
        self._check_terminal()
        self._check_units()
        overdue = self.sudo()._open_hold_time_deviation()
        if overdue:
            return {'blocked': self.env._(
                "%(step)s did not start: %(deviation)s. Quality Control must decide before work continues.",
                step=self.display_name, deviation=overdue.display_name)}
        step = self.sudo()
        with transition(step):
            step.write({
                'state': 'started', 'started_at': fields.Datetime.now(), 'started_by_id': self.env.uid,
                'precaution_acknowledged': bool(self.planned['precaution'])})
        step.bpr_id._begin()
        step._start_workorder()
        step._notify_floor()
        return {'started': True}

    def _check_performer(self, user):
        """Refuse persons who do not perform this step: role, qualification, training (CON-170, SEC-030)."""
        self.with_user(user)._check_signing_role(ROLE_GROUPS[self.performer_role or 'operator'])
        self.sudo().bpr_id.mmr_revision_id._check_trained(user)

    def _open_hold_time_deviation(self):
        """Open a deviation where a stage before waited longer than it may (IPC-040); return it while it is open.

        :return: the deviation that blocks, or an empty one
        """
        self.ensure_one()
        deviations = self.env['mrp.deviation']
        if self.number != 1:
            return deviations
        limits = self.bpr_id._get_hold_limits()
        now = fields.Datetime.now()
        for stage in self.planned['stage']['predecessors']:
            limit = limits.get(stage)
            ended = max(self.bpr_id.step_ids.filtered(lambda step, stage=stage: step.stage == stage).mapped('closed_at'),
                        default=None)
            if not limit or not ended or not is_longer(now - ended, limit, 'h'):
                continue
            known = self.deviation_ids.filtered(lambda row, stage=stage: row.cause_key == f'hold:{stage}')
            if not known:
                name = self.bpr_id.step_ids.filtered(lambda step, stage=stage: step.stage == stage)[:1].planned['stage']['name']
                deviations |= deviations._open(
                    self, 'departure', self.env._("Hold time after %s exceeded", name),
                    self.env._("%(stage)s ended %(ended)s UTC; it may wait %(limit)s h and was to go on %(now)s UTC.",
                               stage=name, ended=ended, limit=limit, now=now),
                    cause_key=f'hold:{stage}')
            deviations |= known.filtered(lambda row: row.state == 'open')
        return deviations

    def _start_workorder(self):
        """Start Odoo's work order with the first step of its stage; time tracking stays Odoo's."""
        workorder = self.workorder_id
        if workorder and workorder.state not in ('progress', 'done', 'cancel'):
            with transition(self.production_id):
                workorder.button_start()

    def _finish_workorder(self):
        """Finish Odoo's work order with the last step of its stage."""
        workorder = self.workorder_id
        if workorder and workorder.state not in ('done', 'cancel') and not self.search_count(
                [('workorder_id', '=', workorder.id), ('state', 'not in', CLOSED)], limit=1):
            with transition(self.production_id):
                workorder.button_finish()

    # === REPORTING === #

    @takes(title='text', description='text', severity='text')
    def action_report(self, title, description, severity='minor'):
        """Report an unplanned occurrence at this step (DEV-010, 21 CFR 111.113(a)(3)); anybody on the floor may.

        :return: id of the deviation
        :raise AccessError: for those who only read, such as auditors
        """
        self.ensure_one()
        self.check_access('read')
        if not self.env.user.has_group('mrp.group_mrp_user'):
            raise refusal(
                self.env, self.env._("%s may read batch records but not change them.", self.env.user.name),
                "SEC-010, 21 CFR 11.10(d), (g)", self.env._("tell a member of the shop floor what you saw."), record=self,
                exception=AccessError)
        title = (title or '').strip()
        if not title:
            raise UserError(self.env._("Describe in a few words what happened."))
        return self.env['mrp.deviation']._open(
            self.sudo(), 'occurrence', title, (description or '').strip(), severity=severity).id

    def _notify_floor(self):
        """Tell the screens that show this batch to read it again."""
        self.bpr_id._notify_floor()
