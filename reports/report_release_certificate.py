"""Print of the certificate that a batch was released (REL-020)."""

from odoo import api, models

from ..domain.refusals import refusal
from .document_sections import moment, text
from .stamping import Stamp


class ReportReleaseCertificate(models.AbstractModel):
    """Certificate of release: what was released, on which results, by whom and when (REL-020, EU GMP Annex 16).

    It is read from the record that the release froze and from the signatures, so that a reprint says the same.
    """
    _name = 'report.mrp_mmr.report_release_certificate'
    _inherit = ['mrp.mmr.stamped.report']
    _description = "Certificate of Release"

    @api.model
    def _get_report_values(self, docids, data=None):
        bprs = self.env['mrp.bpr'].browse(docids)
        bprs.check_access('read')
        bprs._check_not_disposed()
        for bpr in bprs:
            if bpr.release_state != 'released':
                raise refusal(
                    self.env, self.env._("%s has not been released.", bpr.name), "REL-020, 21 CFR 111.123(a)(8)",
                    self.env._("print its batch record instead."), record=bpr)
        return {'doc_ids': docids, 'doc_model': bprs._name, 'docs': [self._prepare_certificate(bpr.sudo()) for bpr in bprs]}

    @api.model
    def _prepare_certificate(self, bpr):
        document, packed = bpr.document, bpr.packed_release_signature_id
        decision = (packed or bpr.release_signature_id).content
        day = bpr.company_id._get_mmr_day
        lots = [f"{row['name']}{', ' + self.env._('expires %s', day(row['expires'])) if row['expires'] else ''}"
                for row in decision['lots']]
        unit = document['made']['unit']
        states = {'pass': self.env._("meets the specification"), 'fail': self.env._("test error; tested again")}
        released = self.env._("not decided yet") if bpr._is_packed() and not packed else f"{decision['released']} {unit}"
        signatures = (*bpr._get_decision_signatures(), bpr.release_signature_id, packed)
        return {
            'id': bpr.id, 'name': bpr.name, 'product': document['product']['name'], 'company': document['company'],
            'facts': [(label, value) for label, value in (
                (self.env._("Lot"), '; '.join(lots)), (self.env._("Order"), document['order']),
                (self.env._("Master record"), self.env._(
                    "%(number)s revision %(revision)s", number=document['mmr'], revision=document['revision'])),
                (self.env._("Quantity made"), f"{document['made']['quantity']} {unit}"),
                (self.env._("Quantity released"), released), (self.env._("UDI"), decision.get('udi')),
                (self.env._("Packaged lot"), packed and packed._get_meaning_label()),
                (self.env._("Completed"), moment(document['completed_at'])),
                (self.env._("Frozen record, SHA-256"), bpr.document_sha256)) if value],
            'results': {'title': None, 'columns': [
                (self.env._("Test"), 27, ''), (self.env._("Limit"), 29, ''), (self.env._("Result"), 22, ''),
                (self.env._("Judgement"), 22, '')], 'rows': [[
                    text(test['parameter']), text(row['criterion'] or '–'),
                    [*text(' '.join(filter(None, (row['value'], row['unit']))) or row['reference'] or {
                        'pass': self.env._("conforms")}.get(row['outcome'], '–'), bold=True),
                     *text(row.get('compared'), self.env._("Compared as"))],
                    text(states.get(row['outcome'], self.env._("covered by a plan")))]
                    for test in document['tests'] for row in self._get_valid_results(test)]},
            'deviations': [f"{row['name']} {row['title']}" for row in document['deviations']],
            'signatures': [self._prepare_signature(signature) for signature in signatures if signature],
        }

    @api.model
    def _get_valid_results(self, test):
        """Return the results of a test that were not corrected; one out of specification is followed by its retest."""
        corrected = {row['supersedes'] for row in test['results']}
        return [row for row in test['results'] if row['id'] not in corrected]

    def _get_stamp(self, record):
        record.check_access('read')
        return Stamp(
            header_left=record.sudo().company_id.name, header_right=self.env._("Certificate of release · %s", record.name),
            footer_left=self.env._("Record SHA-256 %s…", (record.document_sha256 or '')[:16]),
            footer_center=self._get_printed_label(),
            watermark=None if record.packed_state != 'rejected' else "REJECTED", page_label=self._get_page_label())
