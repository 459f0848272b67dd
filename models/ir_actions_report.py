import io
from collections import OrderedDict

import lxml.html

from odoo import api, models
from odoo.exceptions import UserError

from ..reports.paging import measure_scale, render_paged
from ..reports.stamping import stamp_pdf

#: Argument for documents without scripts and resources; it travels with the paper format's arguments.
STATIC_ARGUMENT = 'data-report-mmr-static'

_scales = {}


class IrActionsReport(models.Model):
    """Renders stamped reports (see mrp.mmr.stamped.report); all others go their usual way."""
    _inherit = 'ir.actions.report'

    def _get_stamped_report(self, report_ref):
        """Return the model of a stamped report, or None for any other report."""
        report_model = report_ref and self._get_rendering_context_model(self._get_report(report_ref))
        if isinstance(report_model, self.env.registry['mrp.mmr.stamped.report']):
            return report_model
        return None

    def _render_qweb_pdf_prepare_streams(self, report_ref, data, res_ids=None):
        """Render the records one by one and stamp their pages."""
        stamped_report = self._get_stamped_report(report_ref)
        if stamped_report is None:
            return super()._render_qweb_pdf_prepare_streams(report_ref, data, res_ids=res_ids)
        if not res_ids:
            raise UserError(self.env._("Choose the records to print."))
        report = self._get_report(report_ref)
        paperformat = report.get_paperformat()
        # A print that was kept may bear a status of the past: pages are always made anew.
        renderer = self.with_context(report_pdf_no_attachment=True)
        streams = OrderedDict()
        for record in self.env[report.model].browse(list(dict.fromkeys(res_ids))):
            stream = super(IrActionsReport, renderer)._render_qweb_pdf_prepare_streams(
                report_ref, dict(data or {}), res_ids=[record.id])[record.id]['stream']
            streams[record.id] = {
                'stream': stamp_pdf(
                    stream.getvalue(), stamped_report._get_stamp(record),
                    margin_left=paperformat.margin_left, margin_right=paperformat.margin_right),
                'attachment': None,
            }
            stream.close()
        return streams

    def _prepare_html(self, html, report_model=False):
        """Leave the document as it is: it brings its style along and has neither header nor footer."""
        if self._get_stamped_report(self) is None:
            return super()._prepare_html(html, report_model=report_model)
        document = lxml.html.document_fromstring(html, parser=lxml.html.HTMLParser(encoding='utf-8'))
        res_ids = [
            int(node.get('data-oe-id')) for node in document.xpath('//*[@data-oe-model=$model]', model=report_model)]
        return [html.decode()], res_ids, None, None, {}

    @api.model
    def _run_wkhtmltopdf(self, bodies, report_ref=False, header=None, footer=None, landscape=False,
                         specific_paperformat_args=None, set_viewport_size=False):
        stamped_report = self._get_stamped_report(report_ref)
        if stamped_report is None:
            return super()._run_wkhtmltopdf(
                bodies, report_ref=report_ref, header=header, footer=footer, landscape=landscape,
                specific_paperformat_args=specific_paperformat_args, set_viewport_size=set_viewport_size)
        arguments = {**(specific_paperformat_args or {}), STATIC_ARGUMENT: '1'}
        run = super()._run_wkhtmltopdf

        def render(html):
            return run([html], report_ref=report_ref, landscape=landscape, specific_paperformat_args=arguments,
                       set_viewport_size=set_viewport_size)

        # The scale is a property of the program and of its arguments, hence kept by the process.
        key = tuple(self._build_wkhtmltopdf_args(
            self._get_report(report_ref).get_paperformat(), landscape, arguments, set_viewport_size))
        if key not in _scales:
            _scales[key] = measure_scale(render)
        (body,) = bodies
        return render_paged(body, render, _scales[key])

    @api.model
    def _build_wkhtmltopdf_args(self, paperformat_id, landscape, specific_paperformat_args=None,
                                set_viewport_size=False):
        args = super()._build_wkhtmltopdf_args(
            paperformat_id, landscape, specific_paperformat_args=specific_paperformat_args,
            set_viewport_size=set_viewport_size)
        if specific_paperformat_args and STATIC_ARGUMENT in specific_paperformat_args:
            # No script runs, so there is nothing to wait for (Odoo waits a second in each run).
            args += ['--disable-javascript', '--javascript-delay', '0']
        return args
