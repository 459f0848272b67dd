"""Print of the differences between two revisions."""

from odoo import api, models

from ..domain.canonical import sha256
from ..models.master.print_mark import NOT_FOR_PRODUCTION, WATERMARKS
from .stamping import Stamp


class ReportMmrRedline(models.AbstractModel):
    """Print of the differences between two revisions (PRD-040), from their frozen documents.

    The older one is the revision that the printed one replaces, or the one that the context names.
    """
    _name = 'report.mrp_mmr.report_mmr_redline'
    _inherit = ['mrp.mmr.stamped.report']
    _description = "Print of the Differences between Revisions"

    @api.model
    def _get_report_values(self, docids, data=None):
        revisions = self.env['mrp.mmr.revision'].browse(docids)
        revisions.check_access('read')
        return {
            'doc_ids': docids,
            'doc_model': revisions._name,
            'docs': [self._prepare_redline_vals(revision) for revision in revisions],
        }

    @api.model
    def _get_before(self, revision):
        """Return the older revision; the reader must be allowed to read it."""
        if 'mrp_mmr_redline_before' in self.env.context:
            return revision._browse_redline_other(self.env.context['mrp_mmr_redline_before'])
        return revision._get_redline_base()

    @api.model
    def _prepare_redline_vals(self, revision):
        return {
            'id': revision.id,
            'redline': revision._prepare_redline_with(self._get_before(revision)),
            'product': revision._get_redline_document()['product']['name'],
            'company': revision._get_redline_document()['company']['name'],
            'watermark': WATERMARKS.get(revision.state, NOT_FOR_PRODUCTION),
        }

    def _get_stamp(self, record):
        record.check_access('read')
        redline = record._get_redline(self._get_before(record))
        before, after = redline['before'], redline['after']
        return Stamp(
            header_left=self.env._("Differences between revisions"),
            header_right=self.env._(
                "%(before)s → %(number)s · revision %(revision)s · %(status)s",
                before=self.env._("%(number)s · revision %(revision)s", **before) if before else self.env._("nothing"),
                number=after['number'], revision=after['revision'],
                status=dict(record._fields['state']._description_selection(self.env))[record.state]),
            footer_left=self.env._(
                "SHA-256 %(before)s… → %(after)s…; differences %(redline)s…",
                before=before['document_sha256'][:8] if before else '-', after=after['document_sha256'][:8],
                redline=sha256(redline)[:8]),
            footer_center=self._get_printed_label(),
            watermark=WATERMARKS.get(record.state, NOT_FOR_PRODUCTION),
            page_label=self._get_page_label(),
        )
