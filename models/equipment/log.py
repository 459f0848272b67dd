"""The log of a unit of equipment: its use, cleaning, maintenance and calibration, line by line."""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, LazyTranslate

from ...domain.canonical import iso_utc
from ...domain.refusals import refusal
from ...domain.roles import ROLE_GROUPS
from ...domain.signing import SigningRule

_lt = LazyTranslate(__name__)
KINDS = [
    ('use', "Use"),
    ('cleaning', "Cleaning"),
    ('maintenance', "Maintenance"),
    ('calibration', "Calibration"),
]
CLEANING_KINDS = [
    ('minor', "Minor: same product"),
    ('full', "Full: change of product"),
    ('sanitising', "Sanitising"),
]
#: Who attests a line, by kind and point: the role that signs it.
SIGNERS = {
    ('cleaning', 'performed'): 'operator',
    ('cleaning', 'checked'): 'verifier',
    ('maintenance', 'performed'): 'operator',
    ('calibration', 'reviewed'): 'qc',
}
RULE = "BPR-040, 21 CFR 111.35(b)(2), 211.182"

#: What a client may send with a line of the log, by kind.
LOG_VALUES = {
    **dict.fromkeys((
        'reason', 'text', 'performed_by', 'as_found', 'as_left', 'reference', 'upload_name', 'cleaning_kind', 'result',
    ), 'text'),
    **dict.fromkeys(('supersedes_id', 'procedure_id', 'product_id'), 'id'),
    **dict.fromkeys(('ended_at', 'started_at'), 'time'), 'next_due': 'day', 'upload': 'file',
}


class MrpEquipmentLog(models.Model):
    """One line of the log of a unit of equipment (21 CFR 111.35(b)(2), 211.182, EU GMP 4.31).

    PostgreSQL refuses UPDATE, DELETE and TRUNCATE. A correction is another line with a reason. What a person attests
    counts once it is signed; a failed calibration counts immediately, because nobody may continue to measure with it.

    Two functions of PostgreSQL say which lines count and what follows from them, so that the status that is shown, the
    rules of the ORM and the trigger of the batch records cannot differ.

    Also held in guards/mrp_equipment_log.sql.
    """
    _name = 'mrp.equipment.log'
    _description = "Entry of an Equipment Log"
    _inherit = ['mrp.evidence.mixin', 'mrp.esignature.mixin']
    _order = 'ended_at desc, id desc'

    equipment_id = fields.Many2one('maintenance.equipment', required=True, readonly=True, ondelete='restrict')
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True, ondelete='restrict')
    kind = fields.Selection(KINDS, "Activity", required=True, readonly=True)
    started_at = fields.Datetime("From", readonly=True)
    ended_at = fields.Datetime("When", required=True, readonly=True, help="When the work was finished.")
    user_id = fields.Many2one('res.users', "Recorded By", required=True, readonly=True, ondelete='restrict')
    user_name = fields.Char("Person", required=True, readonly=True)
    recorded_at = fields.Datetime("Recorded", required=True, readonly=True, help="Server time, in UTC.")
    performed_by = fields.Char(readonly=True, help="Laboratory, contractor or person, if not the person who recorded it.")
    text = fields.Text("Remarks", readonly=True)

    product_id = fields.Many2one(
        'product.product', readonly=True, index='btree_not_null', ondelete='restrict', help="What it was used for.")
    bpr_id = fields.Many2one(
        'mrp.bpr', "Batch Production Record", readonly=True, index='btree_not_null', ondelete='restrict')
    step_id = fields.Many2one('mrp.bpr.step', readonly=True, index='btree_not_null', ondelete='restrict')
    signature_id = fields.Many2one(
        'mrp.esignature', "Signature of the Step", readonly=True, ondelete='restrict',
        help="The entry that recorded the use of this unit at the step.")

    cleaning_kind = fields.Selection(CLEANING_KINDS, readonly=True)
    procedure_id = fields.Many2one('mrp.sop', readonly=True, index='btree_not_null', ondelete='restrict')
    procedure_name = fields.Char("Procedure Followed", readonly=True, help="Number and version at that time.")

    result = fields.Selection([('pass', "Passed"), ('fail', "Failed")], readonly=True)
    as_found = fields.Text(readonly=True)
    as_left = fields.Text(readonly=True)
    next_due = fields.Date(readonly=True)
    reference = fields.Char("Certificate Number", readonly=True)
    file_id = fields.Many2one('mrp.mmr.file', "Certificate", readonly=True, index='btree_not_null', ondelete='restrict')

    needs_signature = fields.Boolean(readonly=True)
    needs_check = fields.Boolean("Checked by a Second Person", readonly=True)
    supersedes_id = fields.Many2one(
        'mrp.equipment.log', "Corrects", readonly=True, index='btree_not_null', ondelete='restrict')
    superseded_by_ids = fields.One2many('mrp.equipment.log', 'supersedes_id', "Corrected By", readonly=True)
    reason = fields.Text(readonly=True)
    deviation_ids = fields.One2many(
        'mrp.deviation', 'equipment_log_id', "Deviations", readonly=True, help="One for each batch to be reviewed.")
    state = fields.Selection([
        ('sign', "To be signed"),
        ('check', "To be checked"),
        ('valid', "Valid"),
        ('corrected', "Corrected"),
    ], "Status", compute='_compute_state')

    _time_idx = models.Index('(ended_at DESC, id DESC)')
    _equipment_idx = models.Index('(equipment_id, ended_at DESC, id DESC)')
    # What the status of a unit follows from (mrp_mmr_equipment_status): the last of each kind, and each product.
    _kind_idx = models.Index('(equipment_id, kind, ended_at DESC, id DESC)')
    _full_cleaning_idx = models.Index(
        "(equipment_id, ended_at DESC, id DESC) WHERE kind = 'cleaning' AND cleaning_kind = 'full'")
    _use_idx = models.Index("(equipment_id, product_id, ended_at) WHERE kind = 'use'")
    _time_order = models.Constraint(
        'CHECK (started_at IS NULL OR started_at <= ended_at)', "Work cannot end before it begins.")
    _use_named = models.Constraint(
        "CHECK (kind <> 'use' OR (started_at IS NOT NULL AND product_id IS NOT NULL))",
        "A use needs its product and its time. Rule: BPR-040, 21 CFR 211.182.")
    _cleaning_named = models.Constraint(
        "CHECK (kind <> 'cleaning' OR (cleaning_kind IS NOT NULL AND procedure_id IS NOT NULL))",
        "A cleaning needs its kind and the procedure followed. Rule: BPR-040, 21 CFR 211.67(b), 211.182.")
    _calibration_judged = models.Constraint(
        "CHECK (kind <> 'calibration' OR (result IS NOT NULL AND trim(performed_by) <> '' AND trim(as_found) <> '' "
        "AND (result = 'fail' OR next_due IS NOT NULL)))",
        "A calibration needs what was found, a result, who performed it and, if it passed, the next date. Rule: IPC-070, 21 "
        "CFR 111.30(c), 211.68(a).")
    _reason_given = models.Constraint(
        "CHECK (supersedes_id IS NULL OR trim(reason) <> '')", "A correction needs a reason (AUD-020, 21 CFR 11.10(e)).")
    _attested = models.Constraint(
        "CHECK (kind = 'use' OR needs_signature)", "A person must attest what was done. Rule: BPR-040, 21 CFR 211.182.")

    # === COMPUTE === #

    @api.depends('kind', 'equipment_id', 'ended_at')
    def _compute_display_name(self):
        kinds = dict(self._fields['kind']._description_selection(self.env))
        for line in self:
            line.display_name = self.env._(
                "%(kind)s of %(equipment)s, %(time)s UTC (no. %(number)s)", kind=kinds.get(line.kind),
                equipment=line.equipment_id.name, time=line.ended_at, number=line.id)

    @api.depends('superseded_by_ids')
    def _compute_state(self):
        signed = {}
        for signature in self.sudo().esignature_ids:
            signed.setdefault(signature.res_id, set()).add(signature.content.get('point'))
        counting = self._get_counting_ids()
        for line in self:
            points = signed.get(line.id, set())
            if line.needs_signature and not points:
                line.state = 'sign'
            elif line.needs_check and 'checked' not in points:
                line.state = 'check'
            else:
                line.state = 'valid' if line.id in counting else 'corrected'

    def _get_counting_ids(self):
        """Return the ids of those of these lines that count, as PostgreSQL sees them."""
        if not self.ids:
            return set()
        return {row[0] for row in self.env.execute_query(SQL(
            "SELECT l.id FROM mrp_equipment_log l WHERE l.id IN %s AND mrp_mmr_log_counts(l)", tuple(self.ids)))}

    # === GUARDS === #

    @api.model
    def _append(self, vals_list):
        """Store lines; only the methods that check them call this."""
        now = fields.Datetime.now()
        lines = self._store([{
            'user_id': self.env.uid, 'user_name': self.env.user.name, 'recorded_at': now,
            'needs_signature': vals['kind'] != 'use', **vals} for vals in vals_list])
        lines.equipment_id.invalidate_recordset()
        return lines

    def _refuse_write(self):
        return refusal(
            self.env, self.env._("Entries of an equipment log are recorded on the equipment and cannot be changed."),
            f"AUD-030, {RULE}", self.env._("record the work on the equipment, or record a correction of the entry."),
            record=self[:1])

    def _audit_chain(self):
        return self.company_id

    def _get_signing_thread(self):
        return self.equipment_id

    # === SIGNING === #

    _signing_citation = RULE
    _signing_next_step = _lt("sign what the entry is waiting for.")
    # Which kind of line has which of them is said by SIGNERS.
    _signing_actions = {
        'performed': SigningRule(
            meaning='performed', group='mrp_mmr.group_mmr_operator', states=('sign',), at_terminal=True,
            statement=_lt("I did this on the equipment, as recorded."),
            prepare='_prepare_attestation', apply='_apply_attestation'),
        'checked': SigningRule(
            meaning='checked', group='mrp_mmr.group_mmr_verifier', states=('check',), at_terminal=True,
            statement=_lt("I checked the equipment after it was cleaned by another person."),
            prepare='_prepare_attestation', check_signer='_check_other_person', filter_signer='_filter_other_person',
            apply='_apply_attestation'),
        'reviewed': SigningRule(
            meaning='reviewed', group='mrp_mmr.group_mmr_qc', states=('sign',), at_terminal=True,
            statement=_lt("I reviewed this calibration and its certificate; the result is as recorded."),
            prepare='_prepare_attestation', apply='_apply_attestation'),
    }

    def _get_next_point(self):
        """Return the point that this line waits for, or False."""
        self.ensure_one()
        if self.state == 'check':
            return 'checked'
        return ('reviewed' if self.kind == 'calibration' else 'performed') if self.state == 'sign' else False

    def _is_signable(self):
        """Whether this line waits for a signature that the user has the role for."""
        self.ensure_one()
        role = SIGNERS.get((self.kind, self._get_next_point()))
        return bool(role) and self.env.user.has_group(ROLE_GROUPS[role])

    def action_sign(self):
        """Open the signature that this line waits for."""
        self.ensure_one()
        return self.action_open_signature(self._get_next_point() or 'performed')

    def action_correct(self):
        """Open the dialog in which this line is recorded again."""
        self.ensure_one()
        return self.equipment_id._mmr_open_record(self.kind, supersedes=self)

    def _prepare_attestation(self, action):
        if action != self._get_next_point():
            raise refusal(
                self.env, self.env._("%(line)s cannot be signed like this: %(state)s.", line=self.display_name,
                                     state=self._get_signing_state_label()),
                RULE, self.env._(self._signing_next_step), record=self)
        return self._make_signing_action(
            action, {'schema': 'mrp_mmr/equipment/1', 'point': action, 'line': self.sudo()._get_document()})

    def _filter_other_person(self, action, user):
        """Return those of these lines whose work somebody else did (VER-010)."""
        persons = user._get_gmp_persons()

        def is_foreign(line):
            performed = line.sudo().esignature_ids.filtered(lambda signature: signature.content.get('point') == 'performed')
            return not performed.user_id._get_gmp_persons() & persons and performed.partner_id != user.partner_id

        return self.filtered(is_foreign)

    def _check_other_person(self, action, user):
        if not self._filter_other_person(action, user):
            raise refusal(
                self.env,
                self.env._("%s cleaned this unit and cannot check it.", user.name), "BPR-040, VER-010, 21 CFR 211.182",
                self.env._("ask another person to check it and sign here with their own user name and password."), record=self)

    def _apply_attestation(self, action, signature):
        self.invalidate_recordset(['esignature_ids', 'state'])
        self.equipment_id._mmr_follow_calibration()

    def _get_document(self):
        """Return the line as signatures, entries of batches and prints hold it, or None."""
        if not self:
            return None
        self.ensure_one()
        return {
            'id': self.id, 'equipment': {'id': self.equipment_id.id, 'name': self.equipment_id.name},
            'kind': self.kind, 'started_at': iso_utc(self.started_at), 'ended_at': iso_utc(self.ended_at),
            'recorded_by': self.user_name, 'recorded_at': iso_utc(self.recorded_at), 'performed_by': self.performed_by or None,
            'product': self.product_id.id or None, 'bpr': self.bpr_id.name or None,
            'cleaning_kind': self.cleaning_kind or None, 'procedure': self.procedure_name or None,
            'result': self.result or None, 'as_found': self.as_found or None, 'as_left': self.as_left or None,
            'next_due': fields.Date.to_string(self.next_due) if self.next_due else None, 'reference': self.reference or None,
            'file': self.file_id._get_document(), 'text': self.text or None, 'corrects': self.supersedes_id.id or None,
            'reason': self.reason or None,
        }

    # === FAILED CALIBRATIONS === #

    def _get_affected_bprs(self):
        """Return the batches that used the instrument between the good calibrations before and after this one (IPC-070).

        Where no good one came after it, until now: what was measured between the failure and its record is in doubt as well.
        """
        self.ensure_one()
        [[since, until]] = self.env.execute_query(SQL(
            """SELECT max(l.ended_at) FILTER (WHERE l.ended_at <= %(at)s), min(l.ended_at) FILTER (WHERE l.ended_at > %(at)s)
                 FROM mrp_equipment_log l
                WHERE l.equipment_id = %(equipment)s AND l.kind = 'calibration' AND l.result = 'pass'
                  AND mrp_mmr_log_counts(l)""", equipment=self.equipment_id.id, at=self.ended_at))

        def between(name):
            domain = Domain('equipment_id', '=', self.equipment_id.id)
            if since:
                domain &= Domain(name, '>=', since)
            return domain & Domain(name, '<=', until) if until else domain

        used = self.sudo().search(between('ended_at') & Domain('kind', '=', 'use') & Domain('bpr_id', '!=', False))
        entries = self.env['mrp.bpr.entry'].sudo().search(between('at'))
        return (used.bpr_id | entries._get_current().bpr_id).sorted('id')

    def _open_reviews(self):
        """Open a deviation for each batch measured with an instrument that failed, in the same transaction (IPC-070)."""
        for line in self.filtered(lambda line: line.result == 'fail'):
            self.env['mrp.deviation']._open_all(
                line._get_affected_bprs(), 'calibration',
                self.env._("%(equipment)s failed its calibration", equipment=line.equipment_id.name),
                self.env._("Calibration of %(time)s UTC by %(by)s. As found: %(found)s. The batch used the instrument after "
                           "its last passed calibration.", time=line.ended_at, by=line.performed_by, found=line.as_found),
                severity='major', cause_key=f'calibration:{line.id}', equipment_log_id=line.id)
