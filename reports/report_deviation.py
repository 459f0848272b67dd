"""Print of a deviation (DEV-020)."""

from odoo import api, models

from .batch_sections import BatchSections
from .stamping import Stamp

OPEN = "OPEN"


class DeviationRecord:
    """One deviation, as :class:`BatchSections` reads a batch."""

    def __init__(self, deviation, signatures):
        self.deviations = deviation
        self.document = {'components': []}
        entries = deviation.bpr_id.step_ids.entry_ids.sorted('id')
        self.numbers = {entry: number for number, entry in enumerate(entries, 1)}
        self._signatures = signatures
        self.company = deviation.company_id

    def signatures_of(self, record):
        return [row for row in self._signatures if (row.res_model, row.res_id) == (record._name, record.id)]

    @staticmethod
    def name_of(record, field):
        return record[field].display_name or None


class ReportDeviation(models.AbstractModel):
    """Print of a deviation: report, investigation, contributors, related batches, decisions (BPR-140, 21 CFR 111.140(b)(3))."""
    _name = 'report.mrp_mmr.report_deviation'
    _inherit = ['mrp.mmr.stamped.report']
    _description = "Print of a Deviation"

    @api.model
    def _get_report_values(self, docids, data=None):
        deviations = self.env['mrp.deviation'].browse(docids)
        deviations.check_access('read')
        return {
            'doc_ids': docids, 'doc_model': deviations._name,
            'docs': [self._prepare_deviation(deviation) for deviation in deviations.sudo()]}

    def _prepare_deviation(self, deviation):
        """Return what the template shows of a deviation."""
        signatures = (deviation.esignature_ids | deviation.contributor_ids.esignature_ids).sorted(
            lambda signature: (signature.signed_at, signature.id))
        images = self.env['report.mrp_mmr.report_mmr_revision']._get_images([deviation.file_id._get_document()]) \
            if deviation.file_id else {}
        sections = BatchSections(self, DeviationRecord(deviation, signatures), images)
        about = [
            (self.env._("Batch production record"), sections._or_missing([])) if not deviation.bpr_id else
            sections._fact(self.env._("Batch production record"), deviation.bpr_id.name, bold=True),
            sections._fact(self.env._("Product"), deviation.product_id.display_name)]
        section = sections._get_deviation(deviation)
        return {
            'id': deviation.id, 'name': deviation.name, 'title': deviation.title, 'label': deviation.label,
            'company': deviation.company_id.name, 'status': dict(
                deviation._fields['state']._description_selection(self.env))[deviation.state],
            'watermark': self._get_watermark(deviation), 'facts': about + section['facts'], 'tables': section['tables'],
            'signatures': [self._prepare_signature(signature) for signature in signatures]}

    @api.model
    def _get_watermark(self, deviation):
        """Return what is written across each page: nothing once the deviation is closed."""
        return None if deviation.state == 'closed' else OPEN

    def _get_stamp(self, record):
        record.check_access('read')
        deviation = record.sudo()
        owner = deviation._audit_chain()
        chain = self.env['mrp.audit.chain'].sudo().search(
            [('res_model', '=', owner._name), ('res_id', '=', owner.id)], order='id desc', limit=1)
        return Stamp(
            header_left=deviation.company_id.name, header_right=f"{deviation.label} · {deviation.name}",
            footer_left=self.env._(
                "Ledger line %(index)s, SHA-256 %(digest)s…", index=chain.head_index, digest=(chain.head_sha256 or '')[:16]),
            footer_center=self._get_printed_label(), watermark=self._get_watermark(deviation),
            page_label=self._get_page_label())
