"""Worksheets: the record of a batch on paper, for times when the system cannot be used."""

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ...domain.refusals import refusal
from ...domain.step_states import CLOSED
from ...domain.transitions import transition

RULE = "BPR-160, 21 CFR 211.188(a), EU GMP 4.2"
VOID_RULE = "BPR-200, 21 CFR 111.260, 211.188, EU GMP 4.8"
#: What says that a copy was not used.
VOID = {'void_reason', 'void_by_id', 'void_name', 'void_at'}
#: Whoever issues records issues copies of them.
GROUPS = ('mrp_mmr.group_mmr_production', 'mrp_mmr.group_mmr_qc')


class MrpBprCopy(models.Model):
    """One numbered printing of the worksheets of a batch: a controlled copy, printed once (21 CFR 211.188(a), EU GMP 4.2).

    What was written on it comes back by a transcription: then it is used. One that was not used is void, with a reason and
    the name of who says so. Until then it is open, and the batch neither completed nor released (BPR-200). Nothing else of
    it ever changes.

    Also held in guards/mrp_bpr_copy.sql.
    """
    _name = 'mrp.bpr.copy'
    _description = "Controlled Copy of the Worksheets of a Batch"
    _inherit = ['mrp.evidence.mixin']
    _order = 'bpr_id desc, number'
    _is_append_only = False
    _workflow_fields = VOID

    bpr_id = fields.Many2one('mrp.bpr', "Batch Production Record", required=True, readonly=True, ondelete='restrict')
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True, ondelete='restrict')
    number = fields.Integer("Copy", required=True, readonly=True, aggregator=None)
    reason = fields.Text("Reason for Paper", required=True, readonly=True)
    sequences = fields.Json("Step IDs", required=True, readonly=True)
    step_ids = fields.Many2many('mrp.bpr.step', string="Steps", compute='_compute_step_ids')
    step_codes = fields.Char("Step Numbers", compute='_compute_step_ids')
    user_id = fields.Many2one('res.users', "Issued By", required=True, readonly=True, ondelete='restrict')
    user_name = fields.Char("Person", required=True, readonly=True)
    at = fields.Datetime("Issued", required=True, readonly=True, help="Server time, in UTC.")
    printed_at = fields.Datetime("Printed", compute='_compute_printed_at')
    transcription_ids = fields.One2many('mrp.bpr.transcription', 'copy_id', "Transcriptions", readonly=True)
    void_reason = fields.Text("Disposition of the Paper", readonly=True)
    void_by_id = fields.Many2one('res.users', readonly=True, ondelete='restrict')
    void_name = fields.Char("Voided By", readonly=True)
    void_at = fields.Datetime("Voided", readonly=True)
    state = fields.Selection([
        ('open', "Open"),
        ('used', "Used"),
        ('void', "Void"),
    ], "Status", compute='_compute_state', compute_sudo=True, help="An open copy is on paper and has not been returned.")

    _void_named = models.Constraint(
        "CHECK (num_nonnulls(void_reason, void_by_id, void_name, void_at) IN (0, 4) AND (void_reason IS NULL "
        "OR trim(void_reason) <> ''))", "Enter what happened to the worksheets; who voids them and when is recorded. Rule: "
                                        "BPR-200, EU GMP 4.8.")
    _number_uniq = models.UniqueIndex('(bpr_id, number)', "The copies of a batch record are numbered; a number can be used "
                                                          "only once.")
    _reason_given = models.Constraint("CHECK (trim(reason) <> '')", "Enter the reason for recording the work on paper.")

    @api.depends('void_at', 'transcription_ids.state')
    def _compute_state(self):
        for copy in self:
            copy.state = 'void' if copy.void_at else 'used' if copy.transcription_ids.filtered(
                lambda row: row.state != 'rejected') else 'open'

    @api.depends('bpr_id', 'number')
    def _compute_display_name(self):
        for copy in self:
            copy.display_name = self.env._("%(bpr)s copy %(number)s", bpr=copy.bpr_id.name, number=copy.number)

    @api.depends('sequences')
    def _compute_step_ids(self):
        steps = self.bpr_id.step_ids.grouped(lambda step: (step.bpr_id, step.sequence))
        for copy in self:
            copy.step_ids = self.env['mrp.bpr.step'].union(
                *(steps[key] for sequence in copy.sequences or () if (key := (copy.bpr_id, sequence)) in steps))
            copy.step_codes = ', '.join(copy.step_ids.sorted('sequence').mapped('code'))

    def _compute_printed_at(self):
        # Whoever may read a copy may know whether it exists on paper.
        printed = dict(self.env['mrp.audit.entry'].sudo()._read_group(
            [('res_model', '=', self._name), ('res_id', 'in', self.ids), ('kind', '=', 'print')], ['res_id'], ['at:min']))
        for copy in self:
            copy.printed_at = printed.get(copy.id)

    # === GUARDS === #

    def _refuse_write(self):
        return refusal(
            self.env, self.env._("Copies of worksheets are issued one by one and cannot be changed."),
            f"AUD-030, {RULE}", self.env._("issue another copy from the batch record."), record=self[:1])

    def _audit_chain(self):
        return self.bpr_id.production_id

    # === ISSUE AND PRINT === #

    @api.model
    def _check_issuer(self):
        """Refuse persons who do not issue copies of records.

        :raise AccessError: for everybody but production responsibles and Quality Control
        """
        if self.env.su or not any(self.env.user.has_group(group) for group in GROUPS):
            raise refusal(
                self.env, self.env._("Worksheets can only be issued by a Production Responsible or Quality Control."), RULE,
                self.env._("ask one of them for a copy."), exception=AccessError)

    @api.model
    def _issue(self, bpr, reason, steps):
        """Issue the next copy of the worksheets of a batch for some of its steps."""
        self._check_issuer()
        bpr.check_access('read')
        # The row is written, so that of two copies issued at a time one is repeated with the next number.
        self.env.cr.execute(SQL(
            "UPDATE mrp_bpr SET write_uid = %s, write_date = %s WHERE id = %s", self.env.uid, fields.Datetime.now(), bpr.id))
        bpr.invalidate_recordset()
        reason = (reason or '').strip()
        steps = steps.filtered(lambda step: step.bpr_id == bpr and step.state not in CLOSED).sorted('sequence')
        if bpr.state not in ('ready', 'progress'):
            raise refusal(
                self.env, self.env._("%s has not been issued, or is closed.", bpr.name), RULE,
                self.env._("issue the record first; what was forgotten in a closed record is a late entry."), record=bpr)
        if not reason or not steps:
            raise refusal(
                self.env, self.env._("A copy of worksheets needs a reason and open steps."), RULE,
                self.env._("enter the reason for recording the work on paper, and choose the steps."), record=bpr)
        return self._store([{
            'bpr_id': bpr.id, 'company_id': bpr.company_id.id, 'reason': reason, 'sequences': steps.mapped('sequence'),
            'number': self.sudo().search_count([('bpr_id', '=', bpr.id)]) + 1,
            'user_id': self.env.uid, 'user_name': self.env.user.name, 'at': fields.Datetime.now(),
        }]).sudo(False)

    def action_print(self):
        """Print this copy, which is possible once."""
        self.ensure_one()
        self._check_printable()
        return self.env.ref('mrp_mmr.action_report_bpr_worksheet').report_action(self.ids, config=False)

    def action_void(self):
        """Ask what became of this copy, which was not used."""
        self.ensure_one()
        self._check_issuer()
        return {
            'type': 'ir.actions.act_window', 'res_model': 'mrp.bpr.copy.void', 'view_mode': 'form', 'target': 'new',
            'name': self.env._("Void Worksheets"), 'context': {'active_id': self.id}}

    def _void(self, reason):
        """Record what became of a copy that was not used, by the name of the user (BPR-200, EU GMP 4.8).

        :raise UserError: used or void already, no reason, or the batch was decided on
        """
        self.ensure_one()
        self._check_issuer()
        self.check_access('read')
        self.bpr_id._check_not_decided()
        reason = (reason or '').strip()
        if self.state != 'open' or not reason:
            raise refusal(
                self.env,
                self.env._("%(copy)s is %(state)s; only an open copy can be voided, with a reason.", copy=self.display_name,
                                     state=dict(self._fields['state']._description_selection(self.env))[self.state].lower()),
                VOID_RULE, self.env._("transcribe what is written on it, or enter what happened to the paper."), record=self)
        with transition(self):
            self.sudo().write({
                'void_reason': reason, 'void_by_id': self.env.uid, 'void_name': self.env.user.name,
                'void_at': fields.Datetime.now()})

    def _check_printable(self):
        """Refuse another print of a copy: two papers with the same number are not controlled copies."""
        self._check_issuer()
        for copy in self:
            if copy.void_at:
                raise refusal(
                    self.env, self.env._("%s is void.", copy.display_name), VOID_RULE,
                    self.env._("issue another copy, which gets the next number."), record=copy)
            if copy.printed_at:
                raise refusal(
                    self.env,
                    self.env._("%(copy)s was already printed on %(time)s UTC.", copy=copy.display_name, time=copy.printed_at),
                    RULE, self.env._("issue another copy, which gets the next number."), record=copy)


class MrpBpr(models.Model):
    _inherit = 'mrp.bpr'

    copy_ids = fields.One2many('mrp.bpr.copy', 'bpr_id', "Worksheets", readonly=True)
    transcription_ids = fields.One2many('mrp.bpr.transcription', 'bpr_id', "Transcriptions", readonly=True)

    def action_issue_worksheets(self):
        """Ask why and for which steps worksheets are printed, and print them."""
        self.ensure_one()
        self.check_access('read')
        self.env['mrp.bpr.copy']._check_issuer()
        return {
            'type': 'ir.actions.act_window', 'res_model': 'mrp.bpr.copy.issue', 'view_mode': 'form', 'target': 'new',
            'name': self.env._("Worksheets on Paper"), 'context': {'active_id': self.id},
        }
