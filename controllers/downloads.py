"""Files that are made when they are asked for: prints of two records, spreadsheets.

A reader gets them of what the reader may read, by ordinary requests that write nothing.
"""

import json
from functools import wraps

from werkzeug.exceptions import InternalServerError

from odoo import http
from odoo.exceptions import UserError
from odoo.http import content_disposition, request
from odoo.tools.misc import html_escape

from ..tools import refusal

PDF = 'application/pdf'


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
        records = request.env[model].browse(record_ids)
        if not records or len(records.exists()) != len(records):
            raise refusal(
                request.env, request.env._("What is to be downloaded does not exist."), "RPT-010, 21 CFR 11.10(b)",
                request.env._("open the record again and download from there."))
        records.check_access('read')
        return records

    def _make_response(self, content, mimetype, filename):
        return request.make_response(content, [
            ('Content-Type', mimetype),
            ('Content-Length', str(len(content))),
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
