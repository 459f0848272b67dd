"""The disposal of batch records whose date has passed: the one way on which their content goes (REC-040)."""

from odoo import api, fields, models
from odoo.tools import SQL, LazyTranslate

from ...domain.canonical import iso_utc
from ...domain.refusals import refusal
from ...domain.retention import DISPOSED_REASON, KEPT_KEYS, REMOVED_COLUMNS
from ...domain.signing import SigningRule
from ...domain.transitions import transition
from .batch import RULE

_lt = LazyTranslate(__name__)
#: Rows of a batch record that are counted in its stub; those of the last table go as a whole.
COUNTED = ('mrp_bpr_step', 'mrp_bpr_entry', 'mrp_bpr_result', 'mrp_bpr_transcription')


class MrpRecordDisposal(models.Model):
    """The signed removal of the content of batch records: who did it, when, why, and the stub of each.

    Signatures and lines of the ledger stay as they are: each line is the digest of the line before, and each signature the
    proof of who signed. So do the rows of steps, entries and results, without what was planned and recorded: signatures,
    deviations, equipment logs and stock moves refer to them.

    Also held in guards/mrp_record_disposal.sql.
    """
    _name = 'mrp.record.disposal'
    _description = "Disposal of Records"
    _inherit = ['mrp.evidence.mixin', 'mrp.esignature.mixin']
    _order = 'id desc'
    _is_append_only = False

    name = fields.Char("Number", required=True, readonly=True)
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True, ondelete='restrict')
    reason = fields.Text(required=True, readonly=True)
    recorded_by_id = fields.Many2one('res.users', required=True, readonly=True, ondelete='restrict')
    recorded_at = fields.Datetime("Recorded", required=True, readonly=True)
    selection = fields.Json(required=True, readonly=True, help="IDs of the batch records that were selected.")
    selected_ids = fields.Many2many('mrp.bpr', string="Batch Production Records", compute='_compute_selected_ids')
    bpr_ids = fields.One2many('mrp.bpr', 'disposal_id', "Disposed Of", readonly=True)
    signature_id = fields.Many2one('mrp.esignature', "Signed", readonly=True, ondelete='restrict')

    _reason_given = models.Constraint("CHECK (trim(reason) <> '')", "A disposal needs a reason (REC-040).")

    @api.depends('selection')
    def _compute_selected_ids(self):
        for disposal in self:
            disposal.selected_ids = self.env['mrp.bpr'].browse(disposal.selection)

    # === GUARDS === #

    @api.model
    def _record(self, bprs, reason):
        """Record what is to be disposed of, by the user of the environment; nothing goes before the signature.

        :raise UserError: naming each record whose date has not passed, or that is on hold
        """
        bprs._check_disposable()
        if len(bprs.company_id) != 1:
            raise refusal(
                self.env, self.env._("A disposal can only cover records of one company."), RULE,
                self.env._("select records of one company."), record=bprs[:1])
        company = bprs.company_id
        return self._store([{
            'name': self.env['ir.sequence'].sudo().with_company(company).next_by_code('mrp.record.disposal'),
            'company_id': company.id, 'reason': reason, 'selection': bprs.sorted('id').ids, 'recorded_by_id': self.env.uid,
            'recorded_at': fields.Datetime.now()}]).with_env(self.env)

    def _refuse_write(self):
        return refusal(
            self.env,
            self.env._("A disposal is recorded in its dialog and signed by Quality Control; it cannot be changed."), RULE,
            self.env._("use Dispose in the Retention list."), record=self[:1])

    # === SIGNATURE === #

    _signing_citation = RULE
    _signing_actions = {
        'dispose': SigningRule(
            meaning='approved', group='mrp_mmr.group_mmr_qc', once='signature_id', next_step=_lt("record another one."),
            statement=_lt("I dispose of the content of these batch records: their retention period is over, and nobody "
                          "holds them."),
            prepare='_prepare_disposal', apply='_apply_disposal'),
    }

    def action_dispose(self):
        """Open the signature by which Quality Control removes the content of the records."""
        return self.action_open_signature('dispose')

    def _get_signing_thread(self):
        # A refused attempt is read where people look for the records.
        return self.sudo().selected_ids[:1].production_id

    def _prepare_disposal(self, action):
        self.sudo().selected_ids._check_disposable()
        return self._make_signing_action(action, self._get_document())

    def _lock_for_signing(self):
        super()._lock_for_signing()
        # A hold on one of them, or a shipment, waits, or lets this be tried again.
        self.env.execute_query(SQL(
            "SELECT id FROM mrp_bpr WHERE id IN %s ORDER BY id FOR UPDATE", self.sudo().selected_ids._ids or (0,)))
        self.sudo().selected_ids.invalidate_recordset()

    def _apply_disposal(self, action, signature):
        bprs = self.selected_ids
        self.write({'signature_id': signature.id})
        self.flush_recordset()
        with transition(bprs):
            bprs.write({'disposal_id': self.id, 'document': False})
        self.env.flush_all()
        self._remove_content(bprs, [row['id'] for row in signature.content['files']])
        for order in bprs.production_id:
            order._message_log(
                body=self.env._("The content of the batch record was removed by the disposal %s.", self.name),
                author_id=signature.partner_id.id)

    @api.model
    def _remove_content(self, bprs, file_ids):
        """Remove the content from the rows of these records; PostgreSQL only allows it with the signed disposal."""
        execute, ids = self.env.cr.execute, bprs._ids
        execute(SQL(
            "UPDATE mrp_bpr_step SET planned = mrp_mmr_emptied(planned, %s) WHERE bpr_id IN %s",
            list(KEPT_KEYS['mrp_bpr_step']), ids))
        execute(SQL(
            "UPDATE mrp_bpr_entry SET reason = CASE WHEN reason IS NOT NULL THEN %s END, %s WHERE bpr_id IN %s",
            DISPOSED_REASON, SQL(', ').join(
                SQL("%s = NULL", SQL.identifier(name)) for name in REMOVED_COLUMNS['mrp_bpr_entry'] if name != 'reason'),
            ids))
        # Constraints ask for something where a result has a value, a text or a reference.
        execute(SQL(
            """UPDATE mrp_bpr_result SET unit = NULL, compared = NULL, criterion_label = NULL, file_id = NULL,
                      value = CASE WHEN value IS NOT NULL THEN %(gone)s END,
                      text = CASE WHEN text IS NOT NULL THEN %(gone)s END,
                      reference = CASE WHEN reference IS NOT NULL OR file_id IS NOT NULL THEN %(gone)s END,
                      reason = CASE WHEN reason IS NOT NULL THEN %(gone)s END
                WHERE bpr_id IN %(ids)s""", gone=DISPOSED_REASON, ids=ids))
        execute(SQL("DELETE FROM mrp_bpr_transcription WHERE bpr_id IN %s", ids))
        execute(SQL(
            """UPDATE mrp_production SET mmr_snapshot = mrp_mmr_emptied(mmr_snapshot, %s)
                WHERE id IN (SELECT b.production_id FROM mrp_bpr b WHERE b.id IN %s)""",
            list(KEPT_KEYS['mrp_production']), ids))
        unused = self._get_unused_files(file_ids)
        if unused:
            execute(SQL("DELETE FROM mrp_mmr_file WHERE id IN %s", tuple(unused)))
        self.env.invalidate_all(flush=False)

    @api.model
    def _get_unused_files(self, file_ids, bprs=None):
        """Return those of these files that no record refers to, but the content of ``bprs``; PostgreSQL knows who does."""
        references = self.env.execute_query(SQL(
            """SELECT c.conrelid::regclass::text, a.attname FROM pg_constraint c
                 JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
                WHERE c.contype = 'f' AND c.confrelid = 'mrp_mmr_file'::regclass ORDER BY 1, 2"""))
        used = set()
        for table, column in references:
            own = SQL(" AND bpr_id NOT IN %s", bprs._ids) if bprs and table in COUNTED else SQL()
            used.update(row[0] for row in self.env.execute_query(SQL(
                "SELECT %(column)s FROM %(table)s WHERE %(column)s = ANY(%(files)s)%(own)s", column=SQL.identifier(column),
                table=SQL.identifier(table), files=list(file_ids), own=own)))
        return [file_id for file_id in file_ids if file_id not in used]

    # === STUB === #

    def _get_document(self):
        """Return what is disposed of as the signature has it: the stub of each record, and the files that go."""
        self.ensure_one()
        disposal = self.sudo().with_context(lang=None)
        bprs = disposal.selected_ids.sorted('id')
        self.env.flush_all()
        columns = SQL(', ').join(
            SQL("(SELECT count(*) FROM %s c WHERE c.bpr_id = b.id)", SQL.identifier(table)) for table in COUNTED)
        counts = {bpr_id: row for bpr_id, *row in self.env.execute_query(SQL(
            "SELECT b.id, %s FROM mrp_bpr b WHERE b.id IN %s", columns, bprs._ids or (0,)))}
        files = self.env.execute_query(SQL(
            """SELECT f.id, f.name, f.sha256 FROM mrp_mmr_file f WHERE f.id IN (
                   SELECT e.file_id FROM mrp_bpr_entry e WHERE e.bpr_id IN %(ids)s
                   UNION SELECT r.file_id FROM mrp_bpr_result r WHERE r.bpr_id IN %(ids)s
                   UNION SELECT t.scan_id FROM mrp_bpr_transcription t WHERE t.bpr_id IN %(ids)s)
                ORDER BY f.id""", ids=bprs._ids or (0,)))
        gone = set(self._get_unused_files([row[0] for row in files], bprs))
        return {
            'schema': 'mrp_mmr/disposal/1', 'name': disposal.name, 'reason': disposal.reason,
            'recorded_by': disposal.recorded_by_id.name, 'recorded_at': iso_utc(disposal.recorded_at),
            'batches': [dict(bpr._get_stub(), removed=dict(zip(COUNTED, counts[bpr.id], strict=True))) for bpr in bprs],
            'files': [{'id': row[0], 'name': row[1], 'sha256': row[2]} for row in files if row[0] in gone]}


class MrpBpr(models.Model):
    _inherit = 'mrp.bpr'

    def _get_stub(self):
        """Return what stays of a record when its content goes: what it was, its dates and its digests."""
        self.ensure_one()
        order = self.production_id
        document = order.mmr_snapshot['document']
        return {
            'id': self.id, 'name': self.name, 'order': order.name, 'product': document['product'],
            'mmr': document['number'], 'revision': document['revision'],
            'lots': [{'id': lot.id, 'name': lot.name, 'expires': iso_utc(lot.expiration_date)}
                     for lot in self.lot_ids.sorted('id')],
            'state': self.state, 'release_state': self.release_state, 'started_at': iso_utc(self.started_at),
            'completed_at': iso_utc(self.completed_at), 'cancelled_at': iso_utc(self.cancelled_at),
            'decided_at': iso_utc(self.released_at), 'keep_until': fields.Date.to_string(self.retain_until),
            'because': self.retention_basis, 'document_sha256': self.document_sha256 or None,
            'snapshot_sha256': order.mmr_snapshot_sha256, 'plan_sha256': self.plan_sha256}

    def _check_disposable(self):
        """Refuse to dispose of these records where one of them is to be kept.

        :raise UserError: naming each of them
        """
        self.env['mrp.bpr.distribution']._record_missing(self)
        kept = [words for bpr in self if (words := bpr._get_disposal_refusal())]
        if kept or not self:
            raise refusal(
                self.env, self.env._("These records must be kept:\n%s", '\n'.join(f"• {words}" for words in kept))
                if kept else self.env._("There is nothing to dispose of."), RULE,
                self.env._("leave them out, and wait until their date has passed and every hold is lifted."), record=self[:1])
