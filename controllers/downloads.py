"""Files that are made when they are asked for: prints of two records, spreadsheets.

A reader gets them of what the reader may read, by ordinary requests that write nothing.
"""

import json
import os
import re
from functools import wraps

from werkzeug.exceptions import InternalServerError
from werkzeug.wsgi import wrap_file

from odoo import http
from odoo.exceptions import UserError
from odoo.http import content_disposition, request
from odoo.tools.misc import html_escape

from ..domain.refusals import refusal
from ..reports.xlsx_bpr import write_batch
from ..reports.xlsx_lot_trace import write_trace
from ..reports.xlsx_mmr import write_history, write_register, write_revision
from ..reports.xlsx_quality import write_quality_review
from ..reports.xlsx_workbook import MIMETYPE as XLSX

PDF = 'application/pdf'
#: As many records are named in one request.
MAX_RECORDS = 100_000
#: What PostgreSQL takes as the id of a record.
ID = re.compile('[0-9]{1,9}')
BUNDLED = ('mrp.mmr', 'mrp.mmr.revision', 'mrp.production', 'mrp.bpr', 'mrp.inspection.pack')


def _shown_to_client(method):
    """Let refusals reach the web client's download dialog as the messages that they are."""
    @wraps(method)
    def wrapper(self, *args, **kwargs):
        try:
            return method(self, *args, **kwargs)
        except UserError as error:
            if request.httprequest.method != 'POST':
                raise
            content = {'code': 200, 'message': "Odoo Server Error", 'data': http.serialize_exception(error)}
            raise InternalServerError(response=request.make_response(html_escape(json.dumps(content)))) from error
    return wrapper


class MrpMmrDownloads(http.Controller):

    def _browse(self, model, record_ids):
        """Return records that exist and that the user may read.

        :raise UserError: where one of them does not exist
        :raise AccessError: where the user may not read one of them
        """
        records = request.env[model].browse(record_id for record_id in record_ids if record_id < 2 ** 31)
        if len(records) != len(record_ids) or not records or len(records.exists()) != len(records):
            raise refusal(
                request.env, request.env._("The file to be downloaded does not exist."), "RPT-010, 21 CFR 11.10(b)",
                request.env._("open the record again and start the download from there."))
        records.check_access('read')
        return records

    def _make_response(self, content, mimetype, filename, size=None):
        return request.make_response(content, [
            ('Content-Type', mimetype),
            ('Content-Length', str(len(content) if size is None else size)),
            ('Content-Disposition', content_disposition(filename)),
            ('X-Content-Type-Options', 'nosniff'),
            ('Cache-Control', 'no-store'),
        ])

    @http.route('/mrp_mmr/redline/<int:after_id>/<int:before_id>.pdf', type='http', auth='user', readonly=True)
    @_shown_to_client
    def redline_pdf(self, after_id, before_id, **kwargs):
        """The differences between any two revisions; ``before_id`` 0 compares with nothing."""
        after = self._browse('mrp.mmr.revision', [after_id])
        before = self._browse('mrp.mmr.revision', [before_id]) if before_id else after.browse()
        report = request.env['ir.actions.report'].with_context(
            mrp_mmr_redline_before=before.id or False, force_report_rendering=True)
        content, _type = report._render_qweb_pdf('mrp_mmr.report_mmr_redline', after.ids)
        name = '-'.join(f"{revision.mmr_id.name.replace('/', '-')}-rev{revision.revision}" for revision in before | after)
        return self._make_response(content, PDF, f"redline-{name}.pdf")

    # === SPREADSHEETS === #

    @http.route('/mrp_mmr/revision/<int:revision_id>.xlsx', type='http', auth='user', readonly=True)
    @_shown_to_client
    def revision_xlsx(self, revision_id, **kwargs):
        """One revision in full (RPT-010)."""
        revision = self._browse('mrp.mmr.revision', [revision_id])
        name = revision.mmr_id.name.replace('/', '-')
        return self._make_response(write_revision(revision), XLSX, f"{name}-rev{revision.revision}.xlsx")

    @http.route('/mrp_mmr/mmr/<int:mmr_id>.xlsx', type='http', auth='user', readonly=True)
    @_shown_to_client
    def history_xlsx(self, mmr_id, **kwargs):
        """One MMR with its revision history (PRD-040)."""
        mmr = self._browse('mrp.mmr', [mmr_id])
        return self._make_response(write_history(mmr), XLSX, f"{mmr.name.replace('/', '-')}-history.xlsx")

    @http.route('/mrp_mmr/register.xlsx', type='http', auth='user', readonly=True)
    @_shown_to_client
    def register_xlsx(self, ids=None, **kwargs):
        """The register of MMRs: of ``ids`` (``1-40,43``), or of all that the user may read."""
        if ids:
            mmrs = self._browse('mrp.mmr', self._parse_ids(ids))
        else:
            mmrs = request.env['mrp.mmr'].with_context(active_test=False).search([])
        return self._make_response(write_register(mmrs.sorted('name')), XLSX, "register.xlsx")

    @http.route('/mrp_mmr/bpr/<int:bpr_id>.xlsx', type='http', auth='user', readonly=True)
    @_shown_to_client
    def batch_xlsx(self, bpr_id, **kwargs):
        """One batch with all that was recorded about it (RPT-020)."""
        bpr = self._browse('mrp.bpr', [bpr_id])
        return self._make_response(write_batch(bpr), XLSX, f"{bpr.name.replace('/', '-')}.xlsx")

    @http.route('/mrp_mmr/lot/<int:lot_id>.xlsx', type='http', auth='user', readonly=True)
    @_shown_to_client
    def trace_xlsx(self, lot_id, **kwargs):
        """Where one lot went and what it was made of (REL-050)."""
        lot = self._browse('stock.lot', [lot_id])
        request.env['mrp.lot.trace'].check_access('read')
        return self._make_response(write_trace(lot), XLSX, f"trace-{lot.name.replace('/', '-')}.xlsx")

    @http.route('/mrp_mmr/quality-review/<int:review_id>.xlsx', type='http', auth='user', readonly=True)
    @_shown_to_client
    def quality_review_xlsx(self, review_id, **kwargs):
        """The figures of a product quality review (RPT-030)."""
        review = self._browse('mrp.quality.review', [review_id])
        return self._make_response(write_quality_review(review), XLSX, f"{review.name.replace('/', '-')}.xlsx")

    # === BUNDLES === #

    @http.route('/mrp_mmr/bundle/<string:model>/<int:record_id>.zip', type='http', auth='user', readonly=False)
    @_shown_to_client
    def bundle(self, model, record_id, prints='1', **kwargs):
        """A complete copy of a record, which checks itself (REC-050, REC-060).

        Prints of many revisions take their time; ``?prints=0`` leaves them out.
        """
        if model not in BUNDLED:
            raise request.not_found()
        record = self._browse(model, [record_id])
        file, name = record._make_bundle(prints=prints != '0')
        # The file is sent piece by piece and closed, hence deleted, with the response.
        response = self._make_response(
            wrap_file(request.httprequest.environ, file), 'application/zip', f'{name}.zip', os.fstat(file.fileno()).st_size)
        response.direct_passthrough = True
        return response

    def _parse_ids(self, ids):
        """Return the ids of a text of ranges.

        :raise UserError: where it is none
        """
        result = set()
        for part in ids.split(','):
            first, _dash, last = part.partition('-')
            if not ID.fullmatch(first) or (last and not ID.fullmatch(last)) \
                    or len(result) + int(last or first) - int(first) > MAX_RECORDS:
                raise refusal(
                    request.env, request.env._("The list of records is not valid."), "RPT-010, 21 CFR 11.10(b)",
                    request.env._("choose the records in the list again."))
            result.update(range(int(first), int(last or first) + 1))
        return sorted(result)
