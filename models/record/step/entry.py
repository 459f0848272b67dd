"""What people recorded at a step: append-only, corrected by another entry that points to the first."""

from fractions import Fraction

from odoo import api, fields, models
from odoo.http import request
from odoo.tools import SQL, LazyTranslate

from ....domain.canonical import iso_utc
from ....domain.refusals import refusal
from ....domain.roles import ROLE_GROUPS
from ....domain.sessions import session_digest
from ....domain.signing import SigningRule
from ....domain.step_kinds import ENTRY_KINDS, LABEL_USES
from ...base.json_field import JsonDocument
from ...base.schema import add_copied_column, drop_indexes

_lt = LazyTranslate(__name__)
RULE = "AUD-020, 21 CFR 11.10(e), EU GMP 4.9"
#: What of the data of an entry are numbers that people read.
FIGURES = ('issued', *LABEL_USES, 'finished', 'difference', 'finished_difference', 'limit')


class MrpBprEntry(models.Model):
    """One recorded value of a step, with person and server time (21 CFR 111.260(g), (j), EU GMP 4.8).

    PostgreSQL refuses UPDATE, DELETE and TRUNCATE. A correction is another entry with a reason, which leaves the
    first one readable; once the step is signed it counts when its author has signed it, and on steps that are
    critical or verified when a second person has verified it.

    Also held in guards/mrp_bpr_entry.sql.
    """
    _name = 'mrp.bpr.entry'
    _description = "Entry of a Batch Production Record"
    _inherit = ['mrp.evidence.mixin', 'mrp.esignature.mixin']
    _order = 'id'
    _rec_name = 'summary'

    step_id = fields.Many2one('mrp.bpr.step', required=True, readonly=True, index=True, ondelete='restrict')
    bpr_id = fields.Many2one(
        'mrp.bpr', "Batch Production Record", required=True, readonly=True, index=True, ondelete='restrict')
    company_id = fields.Many2one('res.company', required=True, readonly=True, ondelete='restrict')
    kind = fields.Selection(ENTRY_KINDS, required=True, readonly=True)
    position = fields.Integer(readonly=True, aggregator=None, help="Row of the checklist or of the pack sizes.")
    value = fields.Char(readonly=True, help="A number, as it was entered with all its digits.")
    unit = fields.Char(readonly=True)
    text = fields.Text(readonly=True)
    data = JsonDocument(readonly=True, help="Additional figures, such as those of a label reconciliation.")
    outcome = fields.Selection(
        [('pass', "Within limits"), ('fail', "Out of limits")], readonly=True,
        help="Judged by the system against the limits of the snapshot; a person never judges a numeric result (IPC-010).")
    lot_id = fields.Many2one('stock.lot', readonly=True, index='btree_not_null', ondelete='restrict')
    lot_name = fields.Char("Lot Number", readonly=True)
    equipment_id = fields.Many2one('maintenance.equipment', readonly=True, ondelete='restrict')
    equipment_name = fields.Char(readonly=True)
    product_id = fields.Many2one(
        'product.product', compute='_compute_product_id', store=True, precompute=True, index='btree_not_null',
        ondelete='restrict', help="If it names a unit: what that unit was used for.")
    file_id = fields.Many2one('mrp.mmr.file', readonly=True, index='btree_not_null', ondelete='restrict')
    device = fields.Char("Terminal", readonly=True, help="The workstation at which it was entered.")
    session_sha256 = fields.Char(
        "Digest of the Session", readonly=True, help="Entries made in the same browser session have the same digest (SEC-040).")
    terminal_sha256 = fields.Char("Digest of the Terminal", readonly=True, help="Digest of the key of a registered terminal.")
    user_id = fields.Many2one('res.users', "Entered By", required=True, readonly=True, ondelete='restrict')
    user_name = fields.Char("Person", required=True, readonly=True)
    at = fields.Datetime("When", required=True, readonly=True, help="Server time, in UTC.")
    supersedes_id = fields.Many2one(
        'mrp.bpr.entry', "Corrects", readonly=True, index='btree_not_null', ondelete='restrict')
    superseded_by_ids = fields.One2many('mrp.bpr.entry', 'supersedes_id', "Corrected By", readonly=True)
    about_id = fields.Many2one('mrp.bpr.entry', readonly=True, index='btree_not_null', ondelete='restrict')
    reason = fields.Text(readonly=True)
    is_late = fields.Boolean("Late Entry", readonly=True, help="Made after the step was closed (BPR-110).")
    to_sign = fields.Boolean("Signed Separately", readonly=True, help="Made after the step was signed.")
    token = fields.Char(readonly=True, help="Identifies an entry sent by a terminal, so that an entry sent twice is stored "
                                            "only once.")
    sent_sha256 = fields.Char(
        "Digest of What Was Sent", readonly=True,
        help="Computed from what the terminal sent: a different entry with the same token is refused.")
    is_proposed = fields.Boolean("Waiting for Signature", compute='_compute_is_proposed')
    is_current = fields.Boolean("Valid", compute='_compute_is_current')
    summary = fields.Char(compute='_compute_summary')

    # What a unit was used for, and until when (mrp_mmr_equipment_status).
    _unit_idx = models.Index('(equipment_id, product_id, at) WHERE equipment_id IS NOT NULL')
    _token_uniq = models.UniqueIndex('(step_id, token) WHERE token IS NOT NULL', "This has already been stored.")
    _reason_given = models.Constraint(
        "CHECK ((supersedes_id IS NULL AND NOT is_late) OR trim(reason) <> '')",
        "A correction or late entry needs a reason (AUD-020, 21 CFR 11.10(e)).")

    def _auto_init(self):
        add_copied_column(self.env.cr, self._table, 'product_id', SQL("b.product_id"), SQL(
            "FROM mrp_bpr b WHERE b.id = t.bpr_id AND t.equipment_id IS NOT NULL"))
        drop_indexes(self.env.cr, self._table, 'equipment_id')
        return super()._auto_init()

    # === COMPUTE === #

    @api.depends('equipment_id', 'bpr_id')
    def _compute_product_id(self):
        for entry in self:
            entry.product_id = entry.bpr_id.product_id if entry.equipment_id else False

    def _get_signed(self):
        """Return those of these entries that count: made while the step was open, or signed completely since."""
        signed = {}
        signatures = self.filtered('to_sign').sudo().esignature_ids
        signatures.fetch(['res_id', 'content'])
        for signature in signatures:
            signed.setdefault(signature.res_id, set()).add(signature.content.get('point'))
        return self.filtered(lambda entry: not entry.to_sign or (
            {'corrected', 'verified'} if entry.sudo().step_id._is_verified() else {'corrected'}) <= signed.get(entry.id, set()))

    @api.depends('superseded_by_ids')
    def _compute_is_proposed(self):
        waiting = self - self._get_signed()
        for entry in self:
            entry.is_proposed = entry in waiting and not entry.superseded_by_ids

    @api.depends('superseded_by_ids')
    def _compute_is_current(self):
        # A correction may be corrected before it is signed: what counts is the last signed one of the chain.
        family = following = self
        while following := following.superseded_by_ids:
            family |= following
        signed = family._get_signed()
        replaced, following = self.browse(), signed
        while following := following.supersedes_id:
            replaced |= following
        for entry in self:
            entry.is_current = entry in signed and entry not in replaced

    @api.depends('kind', 'value', 'unit', 'text', 'data', 'lot_name', 'equipment_name')
    def _compute_summary(self):
        for entry in self:
            entry.summary = entry._summarize()

    def _summarize(self, show=str):
        """Return what was recorded, in short; ``show`` writes its numbers: canonical by default, or as a person reads them."""
        self.ensure_one()
        data = self.data or {}
        quantity = ' '.join(filter(None, (self.value and show(self.value), self.unit)))
        if data.get('compared'):
            quantity = self.env._("%(found)s, compared as %(compared)s", found=quantity, compared=show(data['compared']))
        words = [quantity, self.lot_name, self.equipment_name, self.text]
        if self.kind in ('check', 'outcome'):
            words.insert(0, self.env._("conforms") if self.outcome == 'pass' else self.env._("does not conform"))
        if self.kind in ('labels', 'material'):
            words += [f"{name} {show(value) if name in FIGURES else value}"
                      for name, value in data.items() if isinstance(value, str)]
        if self.kind == 'weight' and data.get('adjusted'):
            words.append(self.env._("target %(target)s: %(formula)s", **data['adjusted']))
        return ', '.join(filter(None, words))

    def _get_quantity(self):
        """Return a weight in the unit of the component as Fraction: the reading times the factor that was kept (NUM-060)."""
        self.ensure_one()
        if 'factor' in self.data:
            return Fraction(self.value) * Fraction(self.data['factor'])
        return Fraction(self.data['quantity'])

    def _get_current(self):
        """Return the entries that are valid: not corrected, and signed where they must be."""
        return self.filtered('is_current')

    # === GUARDS === #

    @api.model
    def _append(self, vals):
        """Store one entry; only the methods of the step that check it call this."""
        step = self.env['mrp.bpr.step'].browse(vals['step_id'])
        entries = self.sudo()
        return entries._store([{
            'bpr_id': step.bpr_id.id, 'company_id': step.sudo().company_id.id, 'user_id': self.env.uid,
            'user_name': self.env.user.name, 'at': fields.Datetime.now(), 'session_sha256': session_digest(request),
            'terminal_sha256': self.env['mrp.terminal']._get_current().sudo().key_sha256, **vals}])

    def _refuse_write(self):
        return refusal(
            self.env, self.env._("What was recorded cannot be changed."), f"AUD-030, BPR-110, {RULE}",
            self.env._("correct it with another entry and a reason."), record=self[:1])

    def _audit_chain(self):
        return self.bpr_id.production_id

    def _audit_value(self, name):
        # A photo is proved by its digest, also before the step is signed.
        return self.file_id._get_document() if name == 'file_id' else super()._audit_value(name)

    def _get_signing_thread(self):
        return self.bpr_id.production_id

    # === CORRECTIONS === #

    _signing_citation = RULE
    _signing_actions = {
        # The roles are those of the performer and the verifier of the step.
        'corrected': SigningRule(
            meaning='performed', group='mrp_mmr.group_mmr_operator', at_terminal=True,
            statement=_lt("I made this entry for the reason that it names."),
            prepare='_prepare_correction', apply='_apply_correction'),
        'verified': SigningRule(
            meaning='verified', group='mrp_mmr.group_mmr_verifier', at_terminal=True,
            statement=_lt("I verified this entry and its reason."),
            prepare='_prepare_correction', check_signer='_check_other_person', filter_signer='_filter_other_person',
            apply='_apply_correction'),
    }

    def action_sign_correction(self):
        """Open the signature of the person who corrected, or of the one who verifies the correction."""
        return self.action_open_signature('verified' if self._get_correction_signature() else 'corrected')

    def _get_correction_signature(self):
        self.ensure_one()
        return self.sudo().esignature_ids.filtered(lambda signature: signature.content.get('point') == 'corrected')[:1]

    def _get_signing_company(self):
        return self.sudo().company_id

    def _get_signing_profile(self):
        return self.sudo().bpr_id._get_signing_profile()

    def _prepare_correction(self, action):
        step = self.sudo().step_id
        corrected = self._get_correction_signature()
        if not self.is_proposed or (action == 'corrected') == bool(corrected):
            raise refusal(
                self.env, self.env._("This entry is not waiting for that signature."), RULE,
                self.env._("reload the step."), record=self)
        role = step.performer_role or 'operator' if action == 'corrected' else step.verifier_role or 'verifier'
        return self._make_signing_action(action, {
            'schema': 'mrp_mmr/entry/1', 'point': action, 'step': step.display_name, 'bpr': step.bpr_id.name,
            'entry': self._get_document(), 'corrects': self.sudo().supersedes_id._get_document(),
        }, group=ROLE_GROUPS[role], basis=corrected)

    def _group_by_signing_role(self, action):
        by_role = self.grouped(lambda entry: entry.sudo().step_id._get_point_role(
            'verified' if action == 'verified' else 'performed'))
        return {self._get_signing_group(ROLE_GROUPS[role]): entries for role, entries in by_role.items()}

    def _filter_other_person(self, action, user):
        """Return those of these corrections that somebody else made, at steps that somebody else did (VER-010, VER-100)."""
        persons = user._get_gmp_persons()

        def is_foreign(entry):
            workers = entry._get_correction_signature().user_id | entry.sudo().step_id._get_performers()
            return not workers._get_gmp_persons() & persons

        return self.filtered(is_foreign)

    def _check_other_person(self, action, user):
        if not self._filter_other_person(action, user):
            raise refusal(
                self.env, self.env._("%s wrote or corrected entries of this step and cannot verify this one.", user.name),
                "VER-010, VER-050, VER-100, 21 CFR 111.260(j)", self.env._("ask another person to verify it."), record=self)

    def _apply_correction(self, action, signature):
        self.invalidate_model(['is_proposed', 'is_current', 'esignature_ids'], flush=False)
        if self.is_current:
            self.step_id._apply_entry(self)

    def _get_document(self):
        """Return the entry as signatures and prints hold it, or None."""
        if not self:
            return None
        self.ensure_one()
        return {
            'id': self.id, 'kind': self.kind, 'position': self.position or None, 'value': self.value or None,
            'unit': self.unit or None, 'text': self.text or None, 'data': self.data or None, 'outcome': self.outcome or None,
            'lot': {'id': self.lot_id.id, 'name': self.lot_name} if self.lot_id else None,
            'equipment': {'id': self.equipment_id.id, 'name': self.equipment_name} if self.equipment_id else None,
            'file': self.file_id._get_document(), 'device': self.device or None, 'user': self.user_id.id,
            'user_name': self.user_name, 'at': iso_utc(self.at), 'supersedes': self.supersedes_id.id or None,
            'about': self.about_id.id or None, 'reason': self.reason or None, 'is_late': self.is_late,
        }
