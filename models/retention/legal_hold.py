"""A legal hold: records that are not disposed of, whatever their date, until Quality Control lifts it."""

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ...domain.canonical import iso_utc
from ...domain.refusals import refusal
from ...domain.signing import SigningRule

_lt = LazyTranslate(__name__)
RULE = "REC-040, 21 CFR 111.605(b), 211.180(c)"


class MrpLegalHold(models.Model):
    """A hold on one batch record, or on a master and so on all its batches, set and lifted by signatures with reasons.

    Also held in guards/mrp_legal_hold.sql.
    """
    _name = 'mrp.legal.hold'
    _description = "Legal Hold"
    _inherit = ['mrp.evidence.mixin', 'mrp.esignature.mixin']
    _order = 'id desc'
    _is_append_only = False

    name = fields.Char("Number", required=True, readonly=True)
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True, ondelete='restrict')
    bpr_id = fields.Many2one(
        'mrp.bpr', "Batch Production Record", readonly=True, index='btree_not_null', ondelete='restrict')
    mmr_id = fields.Many2one('mrp.mmr', "All Batches Of", readonly=True, index='btree_not_null', ondelete='restrict')
    reason = fields.Text(required=True, readonly=True)
    recorded_by_id = fields.Many2one('res.users', required=True, readonly=True, ondelete='restrict')
    recorded_at = fields.Datetime("Recorded", required=True, readonly=True)
    signature_id = fields.Many2one('mrp.esignature', "Set", readonly=True, ondelete='restrict')
    lift_signature_id = fields.Many2one('mrp.esignature', "Lifted", readonly=True, ondelete='restrict')
    lift_reason = fields.Text(related='lift_signature_id.comment', string="Reason for Lifting", related_sudo=True)
    state = fields.Selection(
        [('draft', "To be signed"), ('held', "Held"), ('lifted', "Lifted")], "Status", compute='_compute_state',
        search='_search_state')

    _one_subject = models.Constraint(
        'CHECK (num_nonnulls(bpr_id, mmr_id) = 1)', "A hold is on either one batch record or one master (REC-040).")
    _reason_given = models.Constraint("CHECK (trim(reason) <> '')", "A hold needs a reason (REC-040).")

    @api.depends('signature_id', 'lift_signature_id')
    def _compute_state(self):
        for hold in self:
            hold.state = 'lifted' if hold.lift_signature_id else 'held' if hold.signature_id else 'draft'

    def _search_state(self, operator, value):
        if operator != 'in':
            return NotImplemented
        domains = {
            'draft': [('signature_id', '=', False)], 'lifted': [('lift_signature_id', '!=', False)],
            'held': [('signature_id', '!=', False), ('lift_signature_id', '=', False)]}
        return fields.Domain.OR(domains[state] for state in value if state in domains)

    # === GUARDS === #

    @api.model
    def _record(self, reason, bpr=None, mmr=None):
        """Record a hold, by the user of the environment; it holds from its signature on.

        :raise UserError: for a batch record whose content was disposed of
        """
        subject = bpr or mmr
        if bpr:
            bpr._check_not_disposed()
        company = subject.sudo().company_id
        return self._store([{
            'name': self.env['ir.sequence'].sudo().with_company(company).next_by_code('mrp.legal.hold'),
            'company_id': company.id, 'bpr_id': bpr.id if bpr else False, 'mmr_id': mmr.id if mmr else False,
            'reason': reason, 'recorded_by_id': self.env.uid, 'recorded_at': fields.Datetime.now()}]).with_env(self.env)

    def _refuse_write(self):
        return refusal(
            self.env,
            self.env._("A hold can only be set and lifted by signatures of Quality Control, and cannot be deleted."), RULE,
            self.env._("use Hold on the batch record or the master, and Lift on the hold."), record=self[:1])

    def _audit_chain(self):
        return self.bpr_id.production_id or self.mmr_id

    # === SIGNATURES === #

    _signing_citation = RULE
    _signing_next_step = _lt("read who set it and who lifted it.")
    _signing_actions = {
        'hold': SigningRule(
            meaning='approved', group='mrp_mmr.group_mmr_qc', states=('draft',),
            statement=_lt("I put these records on hold: nothing of them is disposed of."),
            prepare='_prepare_hold', apply='_apply_hold'),
        'lift': SigningRule(
            meaning='approved', group='mrp_mmr.group_mmr_qc', states=('held',), comment_required=True,
            statement=_lt("I lift this hold; the records may be disposed of after their date."),
            prepare='_prepare_lift', apply='_apply_lift'),
    }

    def action_hold(self):
        """Open the signature by which Quality Control puts the records on hold."""
        return self.action_open_signature('hold')

    def action_lift(self):
        """Open the signature by which Quality Control lifts the hold."""
        return self.action_open_signature('lift')

    def _get_signing_thread(self):
        return self.sudo().bpr_id.production_id or self.sudo().mmr_id

    def _get_signing_profile(self):
        return self.sudo().mmr_id.profile_id or self.sudo().bpr_id._get_signing_profile()

    def _prepare_hold(self, action):
        self.bpr_id._check_not_disposed()
        return self._make_signing_action(action, self._get_document(action))

    def _prepare_lift(self, action):
        return self._make_signing_action(action, self._get_document(action), basis=self.sudo().signature_id)

    def _apply_hold(self, action, signature):
        self.write({'signature_id': signature.id})
        self._follow_batches()

    def _apply_lift(self, action, signature):
        self.write({'lift_signature_id': signature.id})
        self._follow_batches()

    def _follow_batches(self):
        """Let the batch records know whether they are on hold."""
        self.flush_recordset()
        bprs = self._get_batches()
        self.env.add_to_compute(bprs._fields['legal_hold'], bprs)
        # The rows of the batches change, so that a disposal at the same moment is tried again and sees the hold.
        bprs.flush_recordset(['legal_hold'])

    def _get_batches(self):
        """Return the batch records that these holds are on."""
        return self.bpr_id | self.env['mrp.bpr'].search([('mmr_revision_id.mmr_id', 'in', self.mmr_id.ids)])

    def _get_document(self, action):
        """Return the hold as its signatures have it."""
        self.ensure_one()
        hold = self.sudo()
        subject = hold.bpr_id or hold.mmr_id
        return {
            'schema': 'mrp_mmr/hold/1', 'action': action, 'name': hold.name,
            'of': {'model': subject._name, 'id': subject.id, 'name': subject.name}, 'reason': hold.reason,
            'recorded_by': hold.recorded_by_id.name, 'recorded_at': iso_utc(hold.recorded_at)}


class MrpMmr(models.Model):
    _inherit = 'mrp.mmr'

    hold_ids = fields.One2many('mrp.legal.hold', 'mmr_id', "Legal Holds", readonly=True, copy=False)
    legal_hold = fields.Boolean("On Hold", compute='_compute_legal_hold', help="All its batch records must be kept.")

    @api.depends('hold_ids.signature_id', 'hold_ids.lift_signature_id')
    def _compute_legal_hold(self):
        held = self.env['mrp.legal.hold'].sudo().search([
            ('mmr_id', 'in', self.ids), ('signature_id', '!=', False), ('lift_signature_id', '=', False)]).mmr_id
        for mmr in self:
            mmr.legal_hold = mmr in held

    def action_hold(self):
        """Open the dialog that puts all batch records of this master on hold."""
        self.ensure_one()
        return self.env['mrp.legal.hold.set']._open(mmr=self)
