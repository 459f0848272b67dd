"""Transcriptions: what was written on a worksheet, typed afterwards and compared with a scan by a second person."""

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ...domain.canonical import iso_utc
from ...domain.files import DOCUMENTS, IMAGES
from ...domain.refusals import refusal
from ...domain.roles import ROLE_GROUPS
from ...domain.signing import SigningRule

_lt = LazyTranslate(__name__)
RULE = "BPR-110, VER-050, 21 CFR 111.260(j), 211.100(b), EU GMP 4.8"
SCANS = {**IMAGES, 'pdf': DOCUMENTS['pdf']}
#: What the paper says about each value.
PAPER_FIELDS = ('paper_time', 'paper_by', 'paper_verified_by')


class MrpBprTranscription(models.Model):
    """Entries of one step that were typed from one worksheet, with the scan of the original.

    They count when another person has compared them with the scan and signed that. The time of record is the server's;
    what the paper says is stored as written there. A transcription that does not agree is rejected and repeated.

    Also held in guards/mrp_bpr_transcription.sql.
    """
    _name = 'mrp.bpr.transcription'
    _description = "Transcription of a Worksheet"
    _inherit = ['mrp.evidence.mixin', 'mrp.esignature.mixin']
    _order = 'id'
    _is_append_only = False

    step_id = fields.Many2one('mrp.bpr.step', required=True, readonly=True, index=True, ondelete='restrict')
    bpr_id = fields.Many2one(
        'mrp.bpr', "Batch Production Record", required=True, readonly=True, index=True, ondelete='restrict')
    company_id = fields.Many2one('res.company', required=True, readonly=True, ondelete='restrict')
    copy_id = fields.Many2one('mrp.bpr.copy', "Worksheet", required=True, readonly=True, index=True, ondelete='restrict')
    scan_id = fields.Many2one('mrp.mmr.file', "Stored Scan", required=True, readonly=True, index=True, ondelete='restrict')
    scan = fields.Binary(related='scan_id.data')
    scan_name = fields.Char(related='scan_id.name', string="File Name")
    scan_mimetype = fields.Char(related='scan_id.mimetype')
    user_id = fields.Many2one('res.users', "Transcribed By", required=True, readonly=True, ondelete='restrict')
    user_name = fields.Char("Person", required=True, readonly=True)
    at = fields.Datetime("Transcribed", required=True, readonly=True, help="Server time, in UTC.")
    to_sign = fields.Boolean(
        "Signed by Its Author", readonly=True, help="Made after the step was signed: the person who typed it must sign it too.")
    state = fields.Selection([
        ('open', "To be verified"),
        ('verified', "Verified"),
        ('rejected', "Rejected"),
    ], "Status", required=True, readonly=True, index=True)
    transcribed_signature_id = fields.Many2one('mrp.esignature', "Signed by Author", readonly=True, ondelete='restrict')
    decision_signature_id = fields.Many2one('mrp.esignature', "Compared", readonly=True, ondelete='restrict')
    entry_ids = fields.One2many('mrp.bpr.entry', 'transcription_id', "Entries", readonly=True)

    @api.depends('step_id', 'copy_id')
    def _compute_display_name(self):
        for transcription in self:
            transcription.display_name = self.env._(
                "%(step)s, worksheet copy %(number)s", step=transcription.step_id.display_name,
                number=transcription.copy_id.number)

    # === GUARDS === #

    @api.model
    def _append(self, vals):
        """Store one transcription; only the step that checks it calls this."""
        return self._store([{
            'user_id': self.env.uid, 'user_name': self.env.user.name, 'at': fields.Datetime.now(), 'state': 'open', **vals}])

    def _refuse_write(self):
        return refusal(
            self.env, self.env._("A transcription cannot be changed; it is compared with its scan and signed."),
            f"AUD-030, {RULE}", self.env._("transcribe at the step; sign or reject here."), record=self[:1])

    def _audit_chain(self):
        return self.bpr_id.production_id

    # === SIGNATURES === #

    _signing_citation = RULE
    _signing_next_step = _lt("reload it and sign what it is waiting for.")
    _signing_actions = {
        # The roles are those of the performer and the verifier of the step.
        'transcribed': SigningRule(
            meaning='performed', group='mrp_mmr.group_mmr_operator', states=('open',), once='transcribed_signature_id',
            at_terminal=True,
            statement=_lt("I transcribed these entries from worksheet copy %s as they are written there."),
            prepare='_prepare_transcription', check_signer='_check_author', filter_signer='_filter_author',
            apply='_apply_transcription'),
        'verified': SigningRule(
            meaning='verified', group='mrp_mmr.group_mmr_verifier', states=('open',), leads_to='verified', at_terminal=True,
            statement=_lt("I compared these entries with the scan of worksheet copy %s; they agree."),
            prepare='_prepare_comparison', check_signer='_check_other_person', filter_signer='_filter_other_person',
            apply='_apply_comparison'),
        'rejected': SigningRule(
            meaning='rejected', group='mrp_mmr.group_mmr_verifier', states=('open',), leads_to='rejected', at_terminal=True,
            comment_required=True, statement=_lt("These entries do not agree with the scan of worksheet copy %s."),
            prepare='_prepare_transcription_signature', apply='_apply_comparison'),
    }

    def action_sign(self):
        """Open the signature that this transcription waits for."""
        self.ensure_one()
        return self.action_open_signature(
            'transcribed' if self.to_sign and not self.transcribed_signature_id else 'verified')

    def action_reject(self):
        """Open the signature by which a transcription that does not agree with its scan is put aside."""
        return self.action_open_signature('rejected')

    def _get_signing_thread(self):
        return self.bpr_id.production_id

    def _get_signing_profile(self):
        return self.sudo().bpr_id._get_signing_profile()

    def _waits_for_author(self):
        """Whether the person who typed the entries must sign them first."""
        self.ensure_one()
        return self.to_sign and not self.transcribed_signature_id

    def _prepare_transcription(self, action):
        if not self._waits_for_author():
            raise self._refuse_order()
        return self._prepare_transcription_signature(action)

    def _prepare_comparison(self, action):
        if self._waits_for_author():
            raise self._refuse_order()
        return self._prepare_transcription_signature(action)

    def _prepare_transcription_signature(self, action):
        rule = self._get_signing_rule(action)
        role = self._get_point_role(action)
        statement = self.env._(rule.statement)
        return self._make_signing_action(
            action, self._get_document(action), group=ROLE_GROUPS[role], basis=self.transcribed_signature_id,
            statement=statement % self.copy_id.number)

    def _refuse_order(self):
        return refusal(
            self.env, self.env._("%s is not waiting for that signature.", self.display_name), RULE,
            self.env._(self._signing_next_step), record=self)

    def _get_point_role(self, action):
        return self.sudo().step_id._get_point_role('performed' if action == 'transcribed' else 'verified')

    def _group_by_signing_role(self, action):
        return {self._get_signing_group(ROLE_GROUPS[role]): rows
                for role, rows in self.grouped(lambda row: row._get_point_role(action)).items()}

    def _filter_other_person(self, action, user):
        persons = user._get_gmp_persons()
        return self.filtered(lambda row: not row.sudo().user_id._get_gmp_persons() & persons)

    def _filter_author(self, action, user):
        return self.filtered(lambda row: row.sudo().user_id == user)

    def _check_other_person(self, action, user):
        if not self._filter_other_person(action, user):
            raise refusal(
                self.env,
                self.env._("%s typed these entries and cannot compare them with the scan.", user.name), f"VER-010, {RULE}",
                self.env._("ask another person to compare them with the scan."), record=self)

    def _check_author(self, action, user):
        if not self._filter_author(action, user):
            raise refusal(
                self.env, self.env._("Only %s, who typed these entries, can sign them as transcribed.", self.sudo().user_name),
                RULE, self.env._("sign what you typed with your own user name and password."), record=self)

    def _apply_transcription(self, action, signature):
        self.write({'transcribed_signature_id': signature.id})

    def _apply_comparison(self, action, signature):
        self.write({'state': self._get_signing_rule(action).leads_to, 'decision_signature_id': signature.id})
        self.env['mrp.bpr.entry'].invalidate_model(['is_proposed', 'is_current'], flush=False)
        self.step_id.invalidate_recordset(['result', 'outcome'], flush=False)
        for entry in self.entry_ids._get_current():
            self.step_id._apply_entry(entry)
        self.step_id._notify_floor()

    def _get_document(self, point):
        """Return what a signature of this transcription covers: each entry, and the scan it was compared with."""
        transcription = self.sudo()
        return {
            'schema': 'mrp_mmr/transcription/1', 'point': point, 'bpr': transcription.bpr_id.name,
            'step': transcription.step_id.display_name, 'copy': transcription.copy_id.number,
            'scan': transcription.scan_id._get_document(), 'transcribed_by': transcription.user_name,
            'at': iso_utc(transcription.at),
            'entries': [entry._get_document() for entry in transcription.entry_ids.sorted('id')],
        }


class MrpBprEntry(models.Model):
    _inherit = 'mrp.bpr.entry'

    transcription_id = fields.Many2one(
        'mrp.bpr.transcription', readonly=True, index='btree_not_null', ondelete='restrict',
        help="Typed from a worksheet: it counts once another person has compared it with the scan.")
    paper_time = fields.Char(
        "Time on Paper", readonly=True, help="As written there; the time of recording is the server's.")
    paper_by = fields.Char("By, on Paper", readonly=True)
    paper_verified_by = fields.Char("Verified By, on Paper", readonly=True)
    is_rejected = fields.Boolean("Rejected", compute='_compute_is_rejected', help="The scan says something different.")

    @api.depends('transcription_id.state')
    def _compute_is_rejected(self):
        for entry in self:
            entry.is_rejected = entry.sudo().transcription_id.state == 'rejected'

    def _get_signed(self):
        transcribed = self.filtered('transcription_id')
        return super(MrpBprEntry, self - transcribed)._get_signed() | transcribed.filtered(
            lambda entry: entry.sudo().transcription_id.state == 'verified')

    def _compute_is_proposed(self):
        super()._compute_is_proposed()
        self.filtered('is_rejected').is_proposed = False

    def _prepare_correction(self, action):
        if self.transcription_id:
            raise refusal(
                self.env, self.env._("This entry is signed together with its transcription."), RULE,
                self.env._("open the transcription and compare it with the scan."), record=self)
        return super()._prepare_correction(action)

    def _get_document(self):
        document = super()._get_document()
        if self.transcription_id:
            transcription = self.sudo().transcription_id
            document['transcription'] = {
                'copy': transcription.copy_id.number, 'scan': transcription.scan_id.sha256,
                **{name: self[name] or None for name in PAPER_FIELDS}}
        return document


class MrpBprStep(models.Model):
    _inherit = 'mrp.bpr.step'

    transcription_ids = fields.One2many('mrp.bpr.transcription', 'step_id', "Transcriptions", readonly=True)
    has_worksheet = fields.Boolean("On a Worksheet", compute='_compute_has_worksheet')

    @api.depends('bpr_id.copy_ids')
    def _compute_has_worksheet(self):
        on_paper = {(copy.bpr_id.id, sequence) for copy in self.bpr_id.copy_ids for sequence in copy.sequences}
        for step in self:
            step.has_worksheet = (step.bpr_id.id, step.sequence) in on_paper

    # === TRANSCRIBING === #

    def action_transcribe(self):
        """Open the form in which the values of a worksheet are typed, by who performs the step."""
        self.ensure_one()
        self.check_access('read')
        self._check_performer(self.env.user)
        return {
            'type': 'ir.actions.act_window', 'res_model': 'mrp.bpr.transcribe', 'view_mode': 'form', 'target': 'new',
            'name': self.env._("Transcribe %s", self.display_name), 'context': {'active_id': self.id},
        }

    def _transcribe(self, copy, scan_name, scan, rows, acknowledged=False):
        """Store values that were written on a worksheet; they count when they were compared with the scan.

        :param copy: the controlled copy on which they were written
        :param str scan_name: file name of the scan or photo of the original
        :param scan: its content in base64
        :param list rows: dicts of ``kind`` and ``vals`` (see :meth:`action_record`) and the ``PAPER_FIELDS``
        :param bool acknowledged: whether the paper shows that the precautions were read
        :return: the transcription, or a message that says why the step did not start
        """
        self.ensure_one()
        self.check_access('read')
        self._lock()
        self._check_worksheet(copy)
        if not rows:
            raise refusal(
                self.env, self.env._("No value was entered."), RULE,
                self.env._("enter what the worksheet says; a step without values needs a comment."), record=self)
        if any(not (row.get(name) or '').strip() for row in rows for name in ('paper_time', 'paper_by')):
            raise refusal(
                self.env, self.env._("Each value needs the time and initials from the worksheet."), RULE,
                self.env._("enter them as they are written; if the paper has none, report a deviation."), record=self)
        if self.state == 'open':
            started = self.action_start(acknowledged=acknowledged)
            if 'blocked' in started:
                return started['blocked']
            self.env.flush_all()  # PostgreSQL judges what follows by what it knows
        transcription = self.env['mrp.bpr.transcription']._append({
            'step_id': self.id, 'bpr_id': self.bpr_id.id, 'company_id': self.sudo().company_id.id, 'copy_id': copy.id,
            'scan_id': self.env['mrp.mmr.file']._store(scan_name, scan, SCANS).id, 'to_sign': self.state != 'started',
        })
        reason = self.env._("Transcribed from worksheet copy %s", copy.number)
        for row in rows:
            self._record(row['kind'], row['vals'], reason=reason, extra={
                'transcription_id': transcription.id,
                **{name: (row.get(name) or '').strip() or False for name in PAPER_FIELDS}})
        return transcription.sudo(False)

    def _check_worksheet(self, copy):
        """Refuse to transcribe from anything but a printed worksheet of this step."""
        if copy.bpr_id != self.bpr_id or self.sequence not in (copy.sequences or ()) or not copy.printed_at or copy.void_at:
            raise refusal(
                self.env, self.env._("%(step)s was not printed on %(copy)s, or that copy is void.", step=self.display_name,
                                     copy=copy.display_name or self.env._("a worksheet")),
                RULE, self.env._("choose the copy whose number is on the paper."), record=self)

    def _get_transcriptions(self):
        """Return the verified transcriptions of this step."""
        return self.sudo().transcription_ids.filtered(lambda transcription: transcription.state == 'verified')

    # === SIGNING === #

    def _get_missing(self, point):
        waiting = self.sudo().transcription_ids.filtered(lambda transcription: transcription.state == 'open')
        return super()._get_missing(point) + [
            self.env._("transcription from worksheet copy %s: not yet compared with the scan", transcription.copy_id.number)
            for transcription in waiting]

    def _get_statement(self, point):
        statement = super()._get_statement(point)
        transcriptions = self._get_transcriptions()
        if not transcriptions:
            return statement
        copies = ', '.join(map(str, sorted(set(transcriptions.copy_id.mapped('number')))))
        return {
            'performed': self.env._(
                "I performed this step as written; it was recorded on worksheet copy %s, with the times written there, "
                "and transcribed.", copies),
            'verified': self.env._(
                "I verified this step while or after it was performed by another person; it was recorded on worksheet "
                "copy %s and transcribed.", copies),
            'added': self.env._(
                "I added this component to the batch; it was recorded on worksheet copy %s and transcribed.", copies),
            'addition_verified': self.env._(
                "I verified that this component was added to the batch; it was recorded on worksheet copy %s and "
                "transcribed.", copies),
        }[point]

    def _get_document(self, point):
        document = super()._get_document(point)
        transcriptions = self._get_transcriptions()
        if transcriptions:
            document['transcriptions'] = [{
                'copy': transcription.copy_id.number, 'scan': transcription.scan_id.sha256,
                'transcribed_by': transcription.user_name, 'at': iso_utc(transcription.at),
                'compared_by': transcription.decision_signature_id.signer_name,
            } for transcription in transcriptions]
        return document
