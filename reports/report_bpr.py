"""Print of a batch production record (RPT-020)."""

from odoo import api, models

from ..models.record.content import read_batches
from .batch_sections import BatchSections
from .document_sections import pair_facts
from .stamping import Stamp

#: The words of the watermarks are not translated, as those of MMRs.
IN_PROGRESS = "IN PROGRESS"
CANCELLED = "CANCELLED"
WATERMARKS = {'done': None, 'cancel': CANCELLED}


class ReportBpr(models.AbstractModel):
    """Print of a batch production record (RPT-020, 21 CFR 111.260, 211.188, EU GMP 4.20).

    All of it comes from the snapshot of the order and from what was stored when it happened. What is true of the print
    alone, such as the present status of the MMR, is in the stamp and under its last heading.
    """
    _name = 'report.mrp_mmr.report_bpr'
    _inherit = ['mrp.mmr.stamped.report']
    _description = "Print of a Batch Production Record"

    @api.model
    def _get_report_values(self, docids, data=None):
        bprs = self.env['mrp.bpr'].browse(docids)
        bprs.check_access('read')
        batches = read_batches(bprs)
        images = self._get_images(batches)
        return {
            'doc_ids': docids,
            'doc_model': bprs._name,
            'docs': [self._prepare_batch(batch, images) for batch in batches],
            'pair_facts': pair_facts,
        }

    def _get_stamps(self, records):
        records.check_access('read')
        records = records.sudo()
        chains = self.env['mrp.audit.chain'].sudo().search([
            ('res_model', '=', 'mrp.production'), ('res_id', 'in', records.production_id.ids)]).grouped('res_id')
        return {record: self._prepare_stamp(record, chains[record.production_id.id]) for record in records}

    def _get_stamp(self, record):
        return self._get_stamps(record)[record]

    @api.model
    def _prepare_stamp(self, bpr, chain):
        document = bpr.production_id.mmr_snapshot['document']
        return Stamp(
            header_left=self.env._(
                "%(company)s · times: %(clock)s", company=document['company']['name'],
                clock=self._get_times_label(bpr.company_id, bpr.create_date)),
            header_right=self.env._(
                "%(bpr)s · %(number)s · revision %(revision)s, %(status)s", bpr=bpr.name, number=document['number'],
                revision=document['revision'], status=self._get_revision_status(bpr)),
            footer_left=self.env._(
                "Ledger line %(index)s, SHA-256 %(digest)s…", index=chain.head_index, digest=chain.head_sha256[:16]),
            footer_center=self._get_printed_label(),
            watermark=self._get_watermark(bpr),
            page_label=self._get_page_label(),
        )

    @api.model
    def _get_watermark(self, bpr):
        """Return what is written across each page: nothing once the batch is complete (RPT-020)."""
        return WATERMARKS.get(bpr.state, IN_PROGRESS)

    @api.model
    def _get_revision_status(self, bpr):
        """Return the present status of the revision that the batch was made under (PRD-030)."""
        revision = bpr.mmr_revision_id
        status = dict(revision._fields['state']._description_selection(self.env))[revision.state]
        return self.env._("%(status)s on %(date)s", status=status, date=bpr.company_id._get_mmr_day(revision.ended_at)) \
            if revision.ended_at else status

    @api.model
    def _prepare_batch(self, batch, images):
        """Return what the template shows of one batch."""
        bpr = batch.bpr
        sections = BatchSections(self, batch, images)
        return {
            'id': bpr.id,
            'name': bpr.name,
            'product': batch.document['product']['name'],
            'company': batch.document['company']['name'],
            'order': batch.order.name,
            'status': bpr.status_text,
            'watermark': self._get_watermark(bpr),
            'facts': sections.batch_facts(),
            'issue': sections.issue(),
            'issue_required': bpr._has_rule('BPR-160'),
            'before_stages': list(filter(None, (sections.identity(), sections.precautions()))),
            'stages': sections.stages(),
            'after_stages': list(filter(None, (
                sections.materials(), sections.equipment(), sections.yields(), sections.packing(), sections.final_yield(),
                sections.specifications(), sections.results(), sections.packs(), sections.worksheets(),
                sections.deviations(), sections.signatures(),
                sections.trail(), sections.printing(self._get_revision_status(bpr))))),
        }

    @api.model
    def _get_images(self, batches):
        """Return the pictures of MMRs and entries as sources by digest."""
        documents = [
            [file._get_document() for file in (
                *batch.entries.file_id, *batch.transcriptions.scan_id, *batch.deviations.file_id,
                *batch.results.file_id)] for batch in batches]
        return self.env['report.mrp_mmr.report_mmr_revision']._get_images([
            *documents, *(batch.document for batch in batches)])
