"""From completion to release: what is open, who decides, and what stays for ever (REL-010 to REL-060, BPR-130, AUD-050)."""

from odoo import api, fields, models
from odoo.tools import SQL, LazyTranslate

from ...domain.batch_states import DECIDED
from ...domain.canonical import iso_utc, sha256
from ...domain.refusals import refusal
from ...domain.signing import SigningRule
from ...domain.transitions import transition
from ..base.json_field import JsonDocument

_lt = LazyTranslate(__name__)
RELEASE_STATES = [
    ('none', "Not completed"),
    ('review', "To be reviewed"),
    ('approved', "Reviewed"),
    ('certified', "Certified"),
    ('released', "Released"),
    ('rejected', "Rejected"),
]
QC = 'mrp_mmr.group_mmr_qc'
RULE = "REL-020, REL-030, 21 CFR 111.123, 211.192"


class MrpBpr(models.Model):
    """Also held in guards/mrp_bpr.sql."""
    _inherit = 'mrp.bpr'

    release_state = fields.Selection(
        RELEASE_STATES, "Release", required=True, readonly=True, default='none', index=True,
        help="The batch remains in quarantine until its record is reviewed and Quality Control decides.")
    review_signature_id = fields.Many2one('mrp.esignature', "Reviewed", readonly=True, ondelete='restrict')
    production_signature_id = fields.Many2one(
        'mrp.esignature', "Production Responsible", readonly=True, ondelete='restrict')
    certification_signature_id = fields.Many2one('mrp.esignature', "Certified", readonly=True, ondelete='restrict')
    release_signature_id = fields.Many2one('mrp.esignature', "Batch Decided", readonly=True, ondelete='restrict')
    packed_release_signature_id = fields.Many2one(
        'mrp.esignature', "Packaged Lot Decided", readonly=True, ondelete='restrict')
    packed_state = fields.Selection(
        [('released', "Released"), ('rejected', "Rejected")], "Packaged Lot", readonly=True)
    released_at = fields.Datetime("Decided", readonly=True, help="When the batch was released or rejected.")
    document = JsonDocument(readonly=True, prefetch=False, help="The whole record, frozen when the batch was decided on.")
    document_sha256 = fields.Char("Digest of the Record", readonly=True)
    quantity_released = fields.Char(readonly=True, help="In the unit of the batch size.")
    lot_ids = fields.One2many('stock.lot', 'mmr_bpr_id', "Lots Made", readonly=True)

    # === COURSE === #

    def _complete(self):
        super()._complete()
        waiting = self.filtered(lambda bpr: bpr.release_state == 'none')
        with transition(waiting):
            waiting.write({'release_state': 'review'})

    @api.model
    def _begin_missing_reviews(self):
        """Let batches wait for their review that were completed before the addon released them; called by its data.

        The ledger says of each where its way to the release begins.
        """
        silent = self.browse(row[0] for row in self.env.execute_query(SQL(
            """SELECT b.id FROM mrp_bpr b WHERE b.release_state = 'none' AND NOT EXISTS (
                   SELECT FROM mrp_audit_entry e WHERE e.res_model = 'mrp.bpr' AND e.res_id = b.id
                      AND e.kind IN ('create', 'write', 'state', 'baseline') AND e."values"::jsonb ? 'release_state')
                ORDER BY b.id""")))
        self._audit_append('write', {bpr: {'release_state': {'old': None, 'new': 'none'}} for bpr in silent.sudo()})
        bprs = self.search([('state', '=', 'done'), ('release_state', '=', 'none')])
        with transition(bprs):
            bprs.write({'release_state': 'review'})

    def _check_not_decided(self):
        """Refuse to change the record of a batch that was released or rejected (REL-030)."""
        for bpr in self.sudo():
            if bpr.release_state in DECIDED:
                raise refusal(
                    self.env, self.env._("Quality Control has decided on %s; its record cannot be changed.", bpr.name),
                    "REL-030, SIG-030, 21 CFR 11.70, 211.192", self.env._("report anything found later as a deviation."),
                    record=bpr)

    def _get_rejection(self):
        """Return that Quality Control rejected the material, as message, rule and next action, or None (DEV-030, DEV-050)."""
        self.ensure_one()
        rejected = self.sudo().deviation_ids.filtered(lambda deviation: deviation.disposition == 'reject')
        if not rejected:
            return None
        return (self.env._("Quality Control rejected the material of %(bpr)s: %(deviations)s.", bpr=self.name,
                           deviations=', '.join(rejected.mapped('display_name'))),
                "DEV-030, DEV-050, DEV-080, 21 CFR 111.77, 111.113(b), 211.165(f)",
                self.env._("keep the material apart; Quality Control can only reject the batch, and the material must be "
                           "destroyed."))

    def _check_not_rejected(self):
        """Refuse to go on with material that was rejected.

        :raise UserError: naming the deviation by which it was
        """
        rejection = self._get_rejection()
        if rejection:
            raise refusal(self.env, *rejection, record=self)

    def _is_rejectable(self):
        """Whether Quality Control may reject this batch: completed, or running with material that was rejected."""
        self.ensure_one()
        return self.state == 'done' or self.state == 'progress' and bool(self._get_rejection())

    def _is_packed(self):
        """Whether the MMR packs the product, so that its packaged lot has a decision of its own (BPR-130)."""
        self.ensure_one()
        return bool(self.sudo().production_id.mmr_snapshot['document'].get('packs'))

    def _filter_packed(self):
        """Return those of these batches whose MMR packs the product, by one query that reads no whole snapshot."""
        if not self:
            return self
        self.env['mrp.production'].flush_model(['mmr_snapshot'])
        packed = {bpr_id for bpr_id, in self.env.execute_query(SQL(
            """SELECT b.id FROM mrp_bpr b JOIN mrp_production p ON p.id = b.production_id
                WHERE b.id IN %s AND jsonb_array_length(COALESCE(p.mmr_snapshot -> 'document' -> 'packs', '[]')) > 0""",
            tuple(self.ids)))}
        return self.filtered(lambda bpr: bpr.id in packed)

    def _needs(self, check):
        """Whether a rule of the profile that Quality Control may switch is on now."""
        return self.env['mrp.mmr.requirement']._is_demanded(check, self._get_signing_profile())

    def _needs_certification(self):
        return self._get_signing_profile().code == 'PEU'

    # === SIGNATURES === #

    # What is decided already, and what is open, keeps people from signing: see _check_signable.
    _signing_citation = RULE
    _signing_next_step = _lt("finish the batch first.")
    _signing_actions = {
        'review': SigningRule(
            meaning='reviewed', group=QC, states=('done',),
            statement=_lt("I reviewed this batch production record, its results, its exceptions and its audit trail with every "
                          "value that was changed."),
            prepare='_prepare_record_review', check_signer='_check_took_no_part', filter_signer='_filter_took_no_part',
            apply='_apply_record_review'),
        'produce': SigningRule(
            meaning='approved', group='mrp_mmr.group_mmr_production', states=('done',),
            statement=_lt("I answer for the processing and packaging of this batch; its record is complete and true."),
            prepare='_prepare_production_signature', apply='_apply_production_signature'),
        'certify': SigningRule(
            meaning='certified', group='mrp_mmr.group_mmr_qp', states=('done',),
            statement=_lt("I certify that this batch was made and checked in accordance with EU GMP and its authorisation."),
            prepare='_prepare_certification', apply='_apply_certification'),
        'release': SigningRule(
            meaning='released', group=QC, states=('done',),
            statement=_lt("I release this batch: its record is reviewed, its specifications are met, nothing is open."),
            prepare='_prepare_batch_decision', check_signer='_check_took_no_part', filter_signer='_filter_took_no_part',
            apply='_apply_release'),
        'reject': SigningRule(
            meaning='rejected', group=QC, states=('progress', 'done'), comment_required=True,
            statement=_lt("I reject this batch; it must not be used."),
            prepare='_prepare_batch_decision', apply='_apply_rejection'),
        'release_packed': SigningRule(
            meaning='released', group=QC, states=('done',),
            statement=_lt("I release the packaged and labelled product of this batch for distribution."),
            prepare='_prepare_packed_decision', check_signer='_check_took_no_part', filter_signer='_filter_took_no_part',
            apply='_apply_packed_decision'),
        'reject_packed': SigningRule(
            meaning='rejected', group=QC, states=('done',), comment_required=True,
            statement=_lt("I reject the packaged and labelled product of this batch; it must not be distributed."),
            prepare='_prepare_packed_decision', apply='_apply_packed_decision'),
    }

    def action_review(self):
        """Open the signature of the review of this record and its audit trail (AUD-050)."""
        return self.action_open_signature('review')

    def action_produce(self):
        """Open the signature of the production responsible (EU GMP 4.20(i))."""
        return self.action_open_signature('produce')

    def action_certify(self):
        """Open the signature of the Qualified Person (REL-040)."""
        return self.action_open_signature('certify')

    def action_release(self):
        """Open the signature by which Quality Control releases this batch (REL-020)."""
        return self.action_open_signature('release')

    def action_reject(self):
        """Open the signature by which Quality Control rejects this batch (REL-020)."""
        return self.action_open_signature('reject')

    def action_release_packed(self):
        """Open the signature by which Quality Control releases the packaged lot (21 CFR 111.127(h))."""
        return self.action_open_signature('release_packed')

    def action_reject_packed(self):
        """Open the signature by which Quality Control rejects the packaged lot."""
        return self.action_open_signature('reject_packed')

    def _check_signable(self, action):
        """Refuse a decision that was made, or that something open keeps from being made (REL-030).

        :raise UserError: one refusal that lists every open item
        """
        packed = action in ('release_packed', 'reject_packed')
        if not packed:
            self._check_not_decided()
        elif self.packed_state or not self._is_packed():
            raise refusal(
                self.env, self.env._("%s has no packaged lot that is waiting for a decision.", self.name), RULE,
                self.env._("read the decision."), record=self)
        if not (self._is_rejectable() if action == 'reject' else self.state == 'done') \
                or action == 'reject_packed' and self.release_state != 'released':
            raise refusal(
                self.env, self.env._("%s is not completed, or its batch has not been released.", self.name), RULE,
                self.env._("finish the batch first."), record=self)
        if action in ('reject', 'reject_packed'):
            return
        if action == 'produce' and not self._needs('production_signature') or \
                action == 'certify' and not self._needs_certification():
            raise refusal(
                self.env, self.env._("The profile of %s does not require this signature.", self.name), "BPR-130, REL-040",
                self.env._("continue with the release."), record=self)
        if action == 'produce' and self._is_production_signature_current():
            raise refusal(
                self.env,
                self.env._("The Production Responsible has already signed %s in this state.", self.name),
                "BPR-130, EU GMP 4.20(i)",
                self.env._("continue with the review."), record=self)
        issues = self._get_release_issues(action)[self]
        if issues:
            shown = [f"• {issue['text']} ({issue['rule']})" for issue in issues[:40]]
            if len(issues) > 40:
                shown.append(self.env._("and %s more", len(issues) - 40))
            raise refusal(
                self.env, self.env._("%(bpr)s has open items:\n%(rows)s", bpr=self.name, rows='\n'.join(shown)),
                "REL-030, BPR-130, 21 CFR 111.123(b), 211.192", self.env._("settle each of them, then sign."), record=self)

    def _prepare_decision(self, action, basis, **content):
        """Return a signature on the way to the release over ``content``, given on the signature ``basis``."""
        return self._make_signing_action(action, content, basis=basis or None)

    def _prepare_record_review(self, action):
        self._check_signable(action)
        production = self._needs('production_signature') and self.sudo().production_signature_id
        return self._prepare_decision(
            action, production, schema='mrp_mmr/review/1', bpr=self.name, record_sha256=sha256(self._get_document()),
            exceptions_sha256=sha256(self._get_review_digest_content()), ledger=self._get_trail_head())

    def _prepare_production_signature(self, action):
        self._check_signable(action)
        review = self.sudo().review_signature_id
        if review and self._is_review_current():
            # Reviewed before production had to sign first: the review stays, and production signs on it.
            return self._prepare_decision(
                action, review, schema='mrp_mmr/production/1', bpr=self.name, review=review.signature_sha256)
        return self._prepare_decision(
            action, None, schema='mrp_mmr/production/2', bpr=self.name, made_sha256=sha256(self._get_made_document()))

    def _prepare_certification(self, action):
        self._check_signable(action)
        review = self.sudo().review_signature_id
        return self._prepare_decision(
            action, review, schema='mrp_mmr/certification/1', bpr=self.name, review=review.signature_sha256)

    def _prepare_batch_decision(self, action):
        self._check_signable(action)
        return self._prepare_release(
            action, self.sudo().review_signature_id, 'batch', sha256(self._get_frozen_document()))

    def _prepare_packed_decision(self, action):
        self._check_signable(action)
        return self._prepare_release(action, self.sudo().release_signature_id, 'packed', self.document_sha256)

    def _prepare_release(self, action, basis, purpose, document_sha256):
        status = self._get_signing_rule(action).meaning
        return self._prepare_decision(
            action, basis, schema='mrp_mmr/release/1', purpose=purpose, status=status, bpr=self.name,
            document_sha256=document_sha256,
            lots=[{'id': lot.id, 'name': lot.name, 'product': lot.product_id.id, 'expires': iso_utc(lot.expiration_date)}
                  for lot in self._get_own_lots()],
            made=self._get_quantity_made(), released=self._get_quantity_released() if status == 'released' else '0')

    def _apply_record_review(self, action, signature):
        # What was signed over an earlier review is signed again; what this one is given on stays.
        self._store_decision(
            signature, release_state='approved', review_signature_id=signature.id,
            production_signature_id=signature.basis_signature_id.id, certification_signature_id=False)

    def _apply_production_signature(self, action, signature):
        self._store_decision(signature, production_signature_id=signature.id)

    def _apply_certification(self, action, signature):
        self._store_decision(signature, release_state='certified', certification_signature_id=signature.id)

    def _apply_release(self, action, signature):
        is_packed = self._is_packed()
        self._freeze(signature, False if is_packed else signature.content['released'])
        if not is_packed:
            self._decide_lots(signature)

    def _apply_rejection(self, action, signature):
        self._freeze(signature, signature.content['released'])
        self._decide_lots(signature)

    def _apply_packed_decision(self, action, signature):
        self._store_decision(
            signature, packed_state=signature.content['status'], packed_release_signature_id=signature.id,
            quantity_released=signature.content['released'])
        self._decide_lots(signature)

    def _freeze(self, signature, quantity_released):
        """Freeze the record as it was decided on (REL-030)."""
        document = self._get_frozen_document()
        self._store_decision(
            signature, release_state=signature.content['status'], release_signature_id=signature.id,
            released_at=signature.signed_at, document=document, document_sha256=sha256(document),
            quantity_released=quantity_released)

    def _store_decision(self, signature, **vals):
        self.write(vals)
        self.flush_recordset()
        self.production_id._message_log(
            body=self.env._("%(bpr)s: %(statement)s %(name)s", bpr=self.name, statement=signature.statement,
                            name=signature.signer_name), author_id=signature.partner_id.id)

    def _decide_lots(self, signature):
        """Let the lots follow the decision on the batch, or that on its packaged lot where it is packed (REL-010)."""
        lots = self._get_own_lots()
        with transition(lots):
            lots.write({'mmr_status': signature.content['status'], 'mmr_status_signature_id': signature.id})
        if signature.content['status'] == 'rejected':
            lots._mmr_take_back()
        else:
            # Whoever waits for this batch gets it now.
            lots.flush_recordset()
            made = self.production_id.move_finished_ids.filtered(lambda move: move.state == 'done')
            made._trigger_assign()
            made.move_dest_ids.filtered(lambda move: move.state in ('waiting', 'confirmed', 'partially_available')) \
                ._action_assign()
