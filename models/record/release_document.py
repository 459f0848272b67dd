"""What Quality Control reviews and signs on the release of a batch: the present audit trail, the frozen record (REL-030)."""

from odoo import models
from odoo.fields import Domain

from ...domain.canonical import iso_utc, sha256
from ...domain.numbers import convert, decimal_string
from .content import COPYING, read_batches

#: What the production responsible answers for: what was done. Results, samples, deviations and dates are for Quality Control.
MADE = (
    'name', 'order', 'company', 'product', 'mmr', 'revision', 'document_sha256', 'snapshot_sha256', 'plan_sha256', 'rules',
    'state', 'made', 'started_at', 'completed_at', 'issued', 'steps', 'transcriptions')
#: Lines of the ledger that change nothing of a record.
SILENT = (*COPYING, 'refused', 'refused_sign', 'baseline')


class MrpBpr(models.Model):
    _inherit = 'mrp.bpr'

    # === REVIEW === #

    def _get_own_lots(self):
        """Return the lots of the product itself; those of by-products are decided on one by one."""
        self.ensure_one()
        return self.sudo().lot_ids.filtered(lambda lot: lot.product_id == self.product_id).sorted('id')

    def _get_trail_head(self):
        """Return number and digest of the last line of the ledger about the batch (AUD-050)."""
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

    def _get_made_document(self):
        """Return the part of the record that the production responsible signs (BPR-130, EU GMP 4.20(i))."""
        self.ensure_one()
        document = self._get_document()
        return {'schema': 'mrp_mmr/made/1', **{name: document[name] for name in MADE}}

    def _is_production_signature_current(self):
        """Whether what was made is what the production responsible signed, before the review or, as earlier versions did,
        on it."""
        self.ensure_one()
        signature = self.sudo().production_signature_id
        if not signature:
            return False
        if signature.basis_signature_id:
            return signature.basis_signature_id == self.sudo().review_signature_id
        return signature.content['made_sha256'] == sha256(self._get_made_document())

    def _is_reviewed_before_production(self):
        """Whether production signed again after the review, so that the review is repeated."""
        self.ensure_one()
        signature = self.sudo().production_signature_id
        return bool(signature) and not signature.basis_signature_id \
            and self.sudo().review_signature_id.basis_signature_id != signature

    def _get_decision_signatures(self):
        """Return the signatures that led to the decision on the batch, in the order in which they were given."""
        self.ensure_one()
        bpr = self.sudo()
        return (bpr.review_signature_id | bpr.production_signature_id | bpr.certification_signature_id).sorted('id')

    def _get_document(self):
        """Return the whole record as the review and the release hold it: what was planned by digest, what was done by word.

        Decisions on the batch are not part of it, so that they can be signed over it.
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

    def _get_frozen_document(self):
        """Return what the release freezes: the record, and the decisions that led to it."""
        self.ensure_one()
        return dict(self._get_document(), decisions=[
            signature._get_printed_vals() for signature in self._get_decision_signatures()])

    def _get_quantity_made(self):
        """Return the quantity made in the unit of the batch size, as a decimal string."""
        self.ensure_one()
        order = self.sudo().production_id
        unit = self.env['uom.uom'].browse(order.mmr_snapshot['document']['batch_size']['unit_id'])
        return decimal_string(convert(order.qty_produced, order.product_uom_id, unit))

    def _get_quantity_released(self):
        """Return how much of what was made is released, as a decimal string."""
        return self._get_quantity_made()
