"""Print of the worksheets of a batch: numbered copies (BPR-160)."""

from odoo import api, models

from ..models.record.content import read_batches
from .document_sections import product_label, text
from .stamping import Stamp
from .worksheet_sections import WorksheetSections

#: Across the page in the browser, where copies are neither numbered nor counted.
UNCONTROLLED = "NOT A CONTROLLED COPY"


class ReportBprWorksheet(models.AbstractModel):
    """Print of the worksheets of a batch from the snapshot: a numbered copy, printed once (BPR-160, EU GMP 4.2)."""
    _name = 'report.mrp_mmr.report_bpr_worksheet'
    _inherit = ['mrp.mmr.stamped.report']
    _description = "Print of the Worksheets of a Batch"

    @api.model
    def _get_report_values(self, docids, data=None):
        copies = self.env['mrp.bpr.copy'].browse(docids)
        copies.check_access('read')
        # Whatever is not the marked page of the browser is the print.
        if (data or {}).get('report_type') != 'html':
            copies._check_printable()
        batches = {batch.bpr: batch for batch in read_batches(copies.bpr_id)}
        images = self.env['report.mrp_mmr.report_bpr']._get_images(list(batches.values()))
        return {
            'doc_ids': docids,
            'doc_model': copies._name,
            'docs': [self._prepare_copy(copy, batches[copy.bpr_id.sudo()], images) for copy in copies],
            'uncontrolled': UNCONTROLLED,
        }

    def _get_stamp(self, record):
        record.check_access('read')
        document = record.sudo().bpr_id.production_id.mmr_snapshot['document']
        return Stamp(
            header_left=document['company']['name'],
            header_right=self.env._(
                "%(bpr)s · worksheet · CONTROLLED COPY %(number)s", bpr=record.bpr_id.name, number=record.number),
            footer_left=self.env._("Issued by %(name)s, %(time)s", name=record.user_name, time=self._format_utc(record.at)),
            footer_center=self._get_printed_label(),
            watermark=None,
            page_label=self._get_page_label(),
        )

    def _log_print(self, records, report):
        for copy in records:
            self.env['mrp.audit.entry']._append_about('print', copy, {
                'report': {'new': report.report_name}, 'number': {'new': copy.number}, 'steps': {'new': copy.step_codes},
            }, copy.reason)

    @api.model
    def _prepare_copy(self, copy, batch, images):
        """Return what the template shows of one copy."""
        env, document, size = self.env, batch.document, batch.document['batch_size']
        sections = WorksheetSections(self, batch, images)
        return {
            'id': copy.id,
            'number': copy.number,
            'name': batch.bpr.name,
            'product': document['product']['name'],
            'company': document['company']['name'],
            'facts': [
                sections._fact(env._("Controlled copy"), copy.number, bold=True),
                sections._fact(env._("Reason for paper"), copy.reason),
                sections._fact(env._("Steps"), copy.step_codes),
                (env._("Issued"), [*text(copy.user_name), *text(self._format_utc(copy.at))]),
                sections._fact(env._("Manufacturing order"), batch.order.name),
                sections._fact(env._("Lot of the batch"), ', '.join(batch.lot_names), bold=True),
                sections._fact(env._("Product"), product_label(document['product'])),
                sections._fact(env._("Batch size"), f"{size['quantity']} {size['unit']}"),
                sections._fact(env._("Master manufacturing record"), env._(
                    "%(number)s, revision %(revision)s", number=document['number'], revision=document['revision'])),
                (env._("Snapshot of the order, SHA-256"), text(batch.order.mmr_snapshot_sha256, style='o_digest')),
            ],
            'precautions': sections.precautions(),
            'people': sections.people(),
            'stages': sections.steps(set(copy.sequences)),
        }
