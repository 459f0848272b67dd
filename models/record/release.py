"""From completion to release: what is open, who decides, and what stays for ever (REL-010 to REL-060, BPR-130, AUD-050)."""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...domain.canonical import iso_utc, sha256
from ...domain.numbers import convert, decimal_string
from ...domain.refusals import refusal
from ...domain.transitions import transition
from .content import COPYING, read_batches
from .step.step import CLOSED

RELEASE_STATES = [
    ('none', "Not completed"),
    ('review', "To be reviewed"),
    ('approved', "Reviewed"),
    ('certified', "Certified"),
    ('released', "Released"),
    ('rejected', "Rejected"),
]
DECIDED = ('released', 'rejected')
#: Column of each signature on the way to the release.
SIGNATURE_FIELDS = {
    'review': 'review_signature_id', 'produce': 'production_signature_id', 'certify': 'certification_signature_id',
    'release': 'release_signature_id', 'reject': 'release_signature_id', 'release_packed': 'packed_release_signature_id',
    'reject_packed': 'packed_release_signature_id',
}
RULE = "REL-020, REL-030, 21 CFR 111.123, 211.192"
#: Lines of the ledger that change nothing of a record.
SILENT = (*COPYING, 'refused', 'refused_sign', 'baseline')


class MrpBpr(models.Model):
    """Also held in guards/mrp_bpr.sql."""
    _inherit = 'mrp.bpr'

    release_state = fields.Selection(
        RELEASE_STATES, "Release", required=True, readonly=True, default='none', index=True,
        help="The batch waits in quarantine until its record is reviewed and Quality Control decides.")
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
    document = fields.Json(readonly=True, prefetch=False, help="The whole record, frozen when the batch was decided on.")
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
                    self.env, self.env._("Quality Control decided on %s; its record stays as it is.", bpr.name),
                    "REL-030, SIG-030, 21 CFR 11.70, 211.192", self.env._("report what was found later as a deviation."),
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
                self.env._("keep the material apart; the batch can only be rejected by Quality Control, and destroyed."))

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

    def _needs(self, check):
        """Whether a rule of the profile that Quality Control may switch is on now."""
        return self.env['mrp.mmr.requirement']._is_demanded(check, self._get_signing_profile())

    def _needs_certification(self):
        return self._get_signing_profile().code == 'PEU'

    # === WHAT IS OPEN === #

    def _get_release_issues(self, purpose='release'):
        """Return what is open or unmet in these batches, whatever the subject (REL-030).

        Queries do not grow with the batches. A subject is a method of its own, which yields pairs of batch and issue.

        :param str purpose: ``review``, ``produce``, ``certify``, ``release`` or ``release_packed``; a review is not kept
            from looking at what only a rejection can settle
        :return: dict of batches to lists of dicts of ``code``, ``rule``, ``text``, ``model`` and ``id``
        """
        issues = {bpr: [] for bpr in self}
        for bpr, issue in self._iterate_release_issues(purpose):
            issues[self.browse(bpr.id)].append(issue)
        return issues

    def _iterate_release_issues(self, purpose):
        yield from self._get_release_issues_of_record(purpose)
        yield from self._get_release_issues_of_steps(purpose)
        yield from self._get_release_issues_of_entries(purpose)
        yield from self._get_release_issues_of_yields(purpose)
        yield from self._get_release_issues_of_tests(purpose)
        yield from self._get_release_issues_of_deviations(purpose)
        yield from self._get_release_issues_of_lots(purpose)
        yield from self._get_release_issues_of_samples(purpose)
        yield from self._get_release_issues_of_device(purpose)
        yield from self._get_release_issues_of_signatures(purpose)

    @api.model
    def _prepare_issue(self, record, code, rule, text):
        """Return one open item; a click on it leads to ``record``."""
        return {'code': code, 'rule': rule, 'text': text, 'model': record._name, 'id': record.id}

    def _get_release_issues_of_record(self, purpose):
        for bpr in self.sudo():
            if bpr.state != 'done':
                yield bpr, self._prepare_issue(
                    bpr, 'completed', "REL-030, 21 CFR 111.123(b)", self.env._("the batch is not completed"))
            if bpr.production_id.mmr_decision == 'stop':
                yield bpr, self._prepare_issue(
                    bpr.production_id, 'stopped', "REV-060", self.env._("Quality Control stopped the order"))

    def _get_release_issues_of_steps(self, purpose):
        for step in self.env['mrp.bpr.step'].sudo().search([('bpr_id', 'in', self.ids), ('state', 'not in', CLOSED)]):
            yield step.bpr_id, self._prepare_issue(
                step, 'step', "REL-030, 21 CFR 111.123(b)(1), 211.188(b)",
                self.env._("step %(step)s: %(state)s", step=step.display_name, state=step._get_state_label()))

    def _get_release_issues_of_entries(self, purpose):
        domain = [('bpr_id', 'in', self.ids)]
        for entry in self.env['mrp.bpr.entry'].sudo().search([*domain, ('to_sign', '=', True)]).filtered('is_proposed'):
            yield entry.bpr_id, self._prepare_issue(
                entry, 'entry', "REL-030, AUD-020, 21 CFR 11.10(e)",
                self.env._("step %(step)s: an entry waits for its signature", step=entry.step_id.display_name))
        for row in self.env['mrp.bpr.transcription'].sudo().search([*domain, ('state', '=', 'open')]):
            yield row.bpr_id, self._prepare_issue(
                row, 'transcription', "REL-030, BPR-110, EU GMP 4.8",
                self.env._("step %(step)s: a transcription is not verified", step=row.step_id.display_name))

    def _get_release_issues_of_yields(self, purpose):
        """Yields and reconciliations, also of a step that was left out: the figure is recorded late (BPR-070, IPC-050)."""
        kinds = {'yield': "BPR-070, 21 CFR 111.260(f), 211.188(b)(7)", 'label': "BPR-120, 21 CFR 111.260(k), 211.125(c)"}
        steps = self.env['mrp.bpr.step'].sudo().search([
            ('bpr_id', 'in', self.ids), ('kind', 'in', list(kinds)), ('state', 'in', CLOSED)])
        recorded = steps.entry_ids.filtered(lambda entry: entry.kind in ('yield', 'labels'))._get_current().step_id
        for step in steps - recorded:
            yield step.bpr_id, self._prepare_issue(
                step, 'reconciliation', kinds[step.kind], self.env._("step %s has no figure", step.display_name))

    def _get_release_issues_of_tests(self, purpose):
        texts = {
            'missing': self.env._("test %s has no result"),
            'waiting': self.env._("the result of %s is not approved"),
            'fail': self.env._("%s is out of specification"),
        }
        for bpr, tests in self._get_tests().items():
            for test in tests:
                if test['state'] in texts and (test['state'] != 'fail' or purpose != 'review'):
                    yield bpr, self._prepare_issue(
                        test['result'] or bpr, f"test_{test['state']}",
                        "BPR-090, BPR-100, REL-030, 21 CFR 111.123(b)(2), 211.165",
                        texts[test['state']] % test['specification']['parameter'])

    def _get_release_issues_of_deviations(self, purpose):
        for deviation in self.env['mrp.deviation'].sudo().search([('bpr_id', 'in', self.ids)], order='id'):
            if deviation.state != 'closed':
                yield deviation.bpr_id, self._prepare_issue(
                    deviation, 'deviation', "REL-030, DEV-020, 21 CFR 111.123(b)(3), 211.192",
                    self.env._("deviation %(name)s: %(title)s", name=deviation.name, title=deviation.title))
            elif purpose != 'review' and deviation.disposition == 'reject':
                yield deviation.bpr_id, self._prepare_issue(
                    deviation, 'disposition', "DEV-040, DEV-050, 21 CFR 111.77, 211.165(f)",
                    self.env._("%s was decided as rejected", deviation.name))

    def _get_release_issues_of_lots(self, purpose):
        """Lots of the batch itself, and of components that were withdrawn since (DEV-050, 21 CFR 111.77(b))."""
        entries = self.env['mrp.bpr.entry'].sudo().search([
            ('bpr_id', 'in', self.ids), ('kind', 'in', ('weight', 'material')), ('lot_id.mmr_status', '=', 'rejected')])
        found = set()
        for entry in entries._get_current():
            if (entry.bpr_id, entry.lot_id) not in found and purpose != 'review':
                found.add((entry.bpr_id, entry.lot_id))
                yield entry.bpr_id, self._prepare_issue(
                    entry.lot_id, 'component', "DEV-050, 21 CFR 111.77(b), 211.84(e)",
                    self.env._("component lot %(lot)s of %(product)s is rejected", lot=entry.lot_id.name,
                               product=entry.lot_id.product_id.display_name))
        for bpr in self.sudo().filtered(lambda bpr: bpr.state == 'done'):
            if not bpr._get_own_lots():
                yield bpr, self._prepare_issue(
                    bpr, 'lot', "BPR-020, 21 CFR 111.260(a)", self.env._("the batch has no lot"))

    def _get_release_issues_of_samples(self, purpose):
        return iter(())

    def _get_release_issues_of_device(self, purpose):
        return iter(())

    def _get_release_issues_of_signatures(self, purpose):
        """Signatures that come before what is to be signed (BPR-130, AUD-050, REL-040)."""
        if purpose == 'review':
            return
        for bpr in self:
            if not bpr.review_signature_id:
                yield bpr, self._prepare_issue(
                    bpr, 'review', "AUD-050, BPR-130, 21 CFR 111.260(l)(1)",
                    self.env._("the record and its audit trail are not reviewed"))
            elif bpr.release_state not in DECIDED and not bpr._is_review_current():
                yield bpr, self._prepare_issue(
                    bpr, 'review_void', "AUD-050, SIG-030, 21 CFR 11.70",
                    self.env._("the record changed since it was reviewed"))
            if purpose in ('certify', 'release') and bpr._needs('production_signature') and not bpr.production_signature_id:
                yield bpr, self._prepare_issue(
                    bpr, 'production', "BPR-130, EU GMP 4.20(i)", self.env._("the production responsible has not signed"))
            if purpose == 'release' and bpr._needs_certification() and not bpr.certification_signature_id:
                yield bpr, self._prepare_issue(
                    bpr, 'certification', "REL-040, EU GMP Annex 11 §15",
                    self.env._("the Qualified Person has not certified the batch"))
            if purpose == 'release_packed' and bpr.release_state != 'released':
                yield bpr, self._prepare_issue(
                    bpr, 'batch', "BPR-130, 21 CFR 111.123(a)(8), 111.127(h)", self.env._("the batch is not released"))

    # === REVIEW === #

    def _get_own_lots(self):
        """Return the lots of the product itself; those of by-products are decided on one by one."""
        self.ensure_one()
        return self.sudo().lot_ids.filtered(lambda lot: lot.product_id == self.product_id).sorted('id')

    def _get_trail_head(self):
        """Return number and digest of the last line of the ledger that says something about the batch (AUD-050)."""
        self.ensure_one()
        line = self.env['mrp.audit.entry'].sudo().search(
            self._get_trail_domain() & Domain('kind', 'not in', SILENT), order='index desc', limit=1)
        return {'index': line.index, 'sha256': line.sha256}

    def _get_trail_domain(self):
        order = self.sudo().production_id
        return Domain('chain_id.res_model', '=', order._name) & Domain('chain_id.res_id', '=', order.id)

    def _is_review_current(self):
        """Whether nothing of the batch changed since its review: neither a line of the ledger nor the record itself."""
        self.ensure_one()
        content = self.sudo().review_signature_id.content
        if not content:
            return False
        later = self.env['mrp.audit.entry'].sudo().search_count(
            self._get_trail_domain() & Domain('index', '>', content['ledger']['index'])
            & Domain('kind', 'not in', SILENT) & Domain('res_model', '!=', self._name), limit=1)
        return not later and sha256(self._get_document()) == content['record_sha256']

    def _get_document(self):
        """Return the whole record as the review and the release hold it: what was planned by digest, what was done by word.

        Decisions on the batch are no part of it, so that they can be made over it.
        """
        self.ensure_one()
        batch = read_batches(self)[0]
        bpr, order, document = batch.bpr, batch.order, batch.document
        tests = self.sudo()._get_tests()[self.sudo()]

        def signatures(record):
            return [{'meaning': row.meaning, 'name': row.signer_name, 'signed_at': iso_utc(row.signed_at),
                     'sha256': row.signature_sha256} for row in batch.signatures_of(record)]

        return {
            'schema': 'mrp_mmr/bpr/1', 'name': bpr.name, 'order': order.name, 'company': document['company']['name'],
            'product': document['product'], 'mmr': document['number'], 'revision': document['revision'],
            'document_sha256': batch.snapshot['document_sha256'], 'snapshot_sha256': order.mmr_snapshot_sha256,
            'plan_sha256': bpr.plan_sha256, 'rules': bpr.rules or [], 'state': bpr.state,
            'lots': [{'id': lot.id, 'name': lot.name, 'product': lot.product_id.id, 'expires': iso_utc(lot.expiration_date)}
                     for lot in bpr.lot_ids.sorted('id')],
            'made': {'quantity': batch.quantity_made, 'unit': document['batch_size']['unit']},
            'started_at': iso_utc(bpr.started_at), 'completed_at': iso_utc(bpr.completed_at),
            'issued': bpr.issue_signature_id.signature_sha256 or None,
            'steps': [{
                'sequence': step.sequence, 'code': step.code, 'name': step.name, 'state': step.state,
                'started_at': iso_utc(step.started_at), 'closed_at': iso_utc(step.closed_at),
                'signatures': signatures(step),
                'entries': [dict(entry._get_document(), current=entry in batch.current, signatures=signatures(entry))
                            for entry in batch.entries_of(step)],
            } for step in batch.steps],
            'transcriptions': [{
                'id': row.id, 'step': row.step_id.code, 'state': row.state, 'scan': row.scan_id._get_document(),
                'signatures': signatures(row)} for row in batch.transcriptions],
            'deviations': [dict(row._get_document(), state=row.state, signatures=signatures(row))
                           for row in batch.deviations.sorted('id')],
            'tests': [{
                'position': test['specification']['position'], 'parameter': test['specification']['parameter'],
                'state': test['state'], 'results': [
                    dict(row._get_document(), approved=row.signature_id.signature_sha256 or None) for row in test['results']],
            } for test in tests],
        }

    # === SIGNATURES === #

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

    def _is_signed_by_others(self, action):
        # Only what is signed on the floor, beside the performer.
        return action == 'issue'

    def _get_signing_action(self, action):
        if action == 'approve_results':
            self.ensure_one()
            self._check_not_decided()
            return self._prepare_results_signature()
        if action not in SIGNATURE_FIELDS:
            return super()._get_signing_action(action)
        self.ensure_one()
        self._check_signable(action)
        return getattr(self, f'_prepare_signature_{action}')()

    def _check_signable(self, action):
        """Refuse a decision that was made, or that something open keeps from being made (REL-030).

        :raise UserError: one refusal that lists every open item
        """
        packed = action in ('release_packed', 'reject_packed')
        if not packed:
            self._check_not_decided()
        elif self.packed_state or not self._is_packed():
            raise refusal(
                self.env, self.env._("%s has no packaged lot that waits for a decision.", self.name), RULE,
                self.env._("read the decision."), record=self)
        if not (self._is_rejectable() if action == 'reject' else self.state == 'done') \
                or action == 'reject_packed' and self.release_state != 'released':
            raise refusal(
                self.env, self.env._("%s is not completed, or its batch is not released.", self.name), RULE,
                self.env._("finish the batch first."), record=self)
        if action in ('reject', 'reject_packed'):
            return
        if action == 'produce' and not self._needs('production_signature') or \
                action == 'certify' and not self._needs_certification():
            raise refusal(
                self.env, self.env._("The profile of %s does not ask for this signature.", self.name), "BPR-130, REL-040",
                self.env._("go on with the release."), record=self)
        issues = self._get_release_issues(action)[self]
        if issues:
            shown = [f"• {issue['text']} ({issue['rule']})" for issue in issues[:40]]
            if len(issues) > 40:
                shown.append(self.env._("and %s more", len(issues) - 40))
            raise refusal(
                self.env, self.env._("%(bpr)s has open items:\n%(rows)s", bpr=self.name, rows='\n'.join(shown)),
                "REL-030, BPR-130, 21 CFR 111.123(b), 211.192", self.env._("settle each of them, then sign."), record=self)

    def _prepare_decision(self, action, meaning, group, statement, **content):
        basis = self.sudo().review_signature_id
        return {
            'meaning': meaning, 'group': f'mrp_mmr.group_mmr_{group}', 'digest': sha256(content), 'content': content,
            'statement': statement, 'basis': basis if action != 'review' and basis else None,
            'comment_required': action in ('reject', 'reject_packed')}

    def _prepare_signature_review(self):
        return self._prepare_decision(
            'review', 'reviewed', 'qc',
            self.env._("I reviewed this batch production record, its results, its exceptions and its audit trail with every "
                       "value that was changed."),
            schema='mrp_mmr/review/1', bpr=self.name, record_sha256=sha256(self._get_document()),
            exceptions_sha256=sha256(self._get_review_digest_content()), ledger=self._get_trail_head())

    def _prepare_signature_produce(self):
        return self._prepare_decision(
            'produce', 'approved', 'production',
            self.env._("I answer for the processing and packaging of this batch; its record is complete and true."),
            schema='mrp_mmr/production/1', bpr=self.name, review=self.sudo().review_signature_id.signature_sha256)

    def _prepare_signature_certify(self):
        return self._prepare_decision(
            'certify', 'certified', 'qp',
            self.env._("I certify that this batch was made and checked in accordance with EU GMP and its authorisation."),
            schema='mrp_mmr/certification/1', bpr=self.name, review=self.sudo().review_signature_id.signature_sha256)

    def _prepare_signature_release(self):
        return self._prepare_release('release', 'batch', 'released', self.env._(
            "I release this batch: its record is reviewed, its specifications are met, nothing is open."))

    def _prepare_signature_reject(self):
        return self._prepare_release('reject', 'batch', 'rejected', self.env._("I reject this batch; it must not be used."))

    def _prepare_signature_release_packed(self):
        return self._prepare_release('release_packed', 'packed', 'released', self.env._(
            "I release the packaged and labelled product of this batch for distribution."))

    def _prepare_signature_reject_packed(self):
        return self._prepare_release('reject_packed', 'packed', 'rejected', self.env._(
            "I reject the packaged and labelled product of this batch; it must not be distributed."))

    def _prepare_release(self, action, purpose, status, statement):
        document = None if purpose == 'packed' else self._get_frozen_document()
        prepared = self._prepare_decision(
            action, status, 'qc', statement, schema='mrp_mmr/release/1', purpose=purpose, status=status, bpr=self.name,
            document_sha256=sha256(document) if document else self.document_sha256,
            lots=[{'id': lot.id, 'name': lot.name, 'product': lot.product_id.id, 'expires': iso_utc(lot.expiration_date)}
                  for lot in self._get_own_lots()],
            made=self._get_quantity_made(), released=self._get_quantity_released() if status == 'released' else '0')
        if purpose == 'packed':
            prepared['basis'] = self.sudo().release_signature_id
        return prepared

    def _get_frozen_document(self):
        """Return what the release freezes: the record, and the decisions that led to it."""
        self.ensure_one()
        bpr = self.sudo()
        return dict(self._get_document(), decisions=[
            signature._get_printed_vals() for signature in (
                bpr.review_signature_id, bpr.production_signature_id, bpr.certification_signature_id) if signature])

    def _get_quantity_made(self):
        """Return the quantity made in the unit of the batch size, as a decimal string."""
        self.ensure_one()
        order = self.sudo().production_id
        unit = self.env['uom.uom'].browse(order.mmr_snapshot['document']['batch_size']['unit_id'])
        return decimal_string(convert(order.qty_produced, order.product_uom_id, unit))

    def _get_quantity_released(self):
        """Return how much of what was made is released, as a decimal string."""
        return self._get_quantity_made()

    def _check_signer(self, action, user):
        super()._check_signer(action, user)
        if action in ('release', 'release_packed') and self._needs('releaser'):
            mine = user._get_gmp_persons()
            steps = self.sudo().step_ids
            own = steps.filtered(lambda step: (
                step.performed_signature_id | step.added_signature_id).user_id._get_gmp_persons() & mine
                or step.entry_ids.user_id._get_gmp_persons() & mine)
            if own:
                raise refusal(
                    self.env, self.env._("%(user)s performed step %(step)s of this batch and does not release it.",
                                         user=user.name, step=own[0].display_name),
                    "REL-020, 21 CFR 111.12(b), 211.22(a)", self.env._("ask another person of Quality Control."), record=self)

    def _apply_signing_action(self, action, signature):
        if action == 'approve_results':
            results = self.env['mrp.bpr.result'].browse(row['id'] for row in signature.content['results'])
            with transition(results):
                results.write({'signature_id': signature.id})
            return
        if action not in SIGNATURE_FIELDS:
            super()._apply_signing_action(action, signature)
            return
        vals = {SIGNATURE_FIELDS[action]: signature.id}
        if action == 'review':
            # What was signed over an earlier review is signed again.
            vals.update(
                release_state='approved', production_signature_id=False, certification_signature_id=False)
        elif action == 'certify':
            vals['release_state'] = 'certified'
        elif action in ('release', 'reject'):
            document = self._get_frozen_document()
            vals.update(
                release_state=signature.content['status'], released_at=signature.signed_at, document=document,
                document_sha256=sha256(document),
                quantity_released=False if self._is_packed() and action == 'release' else signature.content['released'])
        elif action in ('release_packed', 'reject_packed'):
            vals.update(packed_state=signature.content['status'], quantity_released=signature.content['released'])
        self.write(vals)
        self.flush_recordset()
        self._decide_lots(action, signature)
        self.production_id._message_log(
            body=self.env._("%(bpr)s: %(statement)s %(name)s", bpr=self.name, statement=signature.statement,
                            name=signature.signer_name), author_id=signature.partner_id.id)

    def _decide_lots(self, action, signature):
        """Let the lots follow the decision on the batch, and that on its packaged lot where it is packed (REL-010)."""
        if action not in ('reject', 'reject_packed', 'release_packed') and (action != 'release' or self._is_packed()):
            return
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
