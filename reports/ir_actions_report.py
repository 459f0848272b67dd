"""Renders reports by wkhtmltopdf, several at a time, and has their pages numbered and stamped."""

import os
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.base.models.ir_actions_report import _run_wkhtmltopdf

from .page_breaks import render_paged
from .pdf_marks import measure_paper
from .renderer import Wkhtmltopdf
from .stamping import stamp_pdf

#: A print of many records runs as many wkhtmltopdf at a time as this, or as there are processors.
MAX_PROCESSES = 4
#: The documents have no script, so there is nothing to wait for (Odoo waits a second in each run).
STATIC_ARGUMENTS = ('--disable-javascript', '--javascript-delay', '0')

#: What comes of a paper format, by arguments of wkhtmltopdf: measured once for the life of the process.
_papers = {}


class WkhtmltopdfError(RuntimeError):
    """wkhtmltopdf made no PDF; the text is its own message."""


def _render_document(html, arguments):
    """Run wkhtmltopdf on one self-contained document.

    Header, footer and further documents in one run need a patched Qt, hence are not asked for.

    :rtype: bytes
    :raise WkhtmltopdfError: if no PDF was made
    """
    with TemporaryDirectory(prefix='mrp_mmr.report.') as folder:
        source, target = Path(folder) / 'document.html', Path(folder) / 'document.pdf'
        source.write_text(html, encoding='utf-8')
        process = _run_wkhtmltopdf([*arguments, str(source), str(target)])
        # 1 is what a document with a missing resource gives; ours have none.
        if process.returncode or not target.exists():
            raise WkhtmltopdfError(f"{process.stderr[-1000:]} ({process.returncode})")
        return target.read_bytes()


class IrActionsReport(models.Model):
    """Renders stamped reports (see mrp.mmr.stamped.report); all others go their usual way."""
    _inherit = 'ir.actions.report'

    def _get_stamped_report(self, report_ref):
        """Return the model of a stamped report, or None for any other report."""
        report_model = self._get_rendering_context_model(self._get_report(report_ref))
        return report_model if isinstance(report_model, self.env.registry['mrp.mmr.stamped.report']) else None

    def _render_qweb_pdf_prepare_streams(self, report_ref, data, res_ids=None):
        stamped_report = self._get_stamped_report(report_ref)
        if stamped_report is None:
            return super()._render_qweb_pdf_prepare_streams(report_ref, data, res_ids=res_ids)
        return self._render_stamped_streams(report_ref, stamped_report, data, res_ids)

    def _render_stamped_streams(self, report_ref, stamped_report, data, res_ids):
        """Render each record by itself and stamp its pages.

        A print that was kept as an attachment may bear a status of the past, so that none is used here.

        :param stamped_report: model of the report, see mrp.mmr.stamped.report
        :return: as ``_render_qweb_pdf_prepare_streams`` does; a record that is asked for twice comes once
        """
        if not res_ids:
            raise UserError(self.env._("Choose the records to print."))
        if self.get_wkhtmltopdf_state() == 'install':
            raise UserError(self.env._("Unable to find Wkhtmltopdf on this system. The PDF can not be created."))
        report = self._get_report(report_ref)
        records = self.env[report.model].browse(list(dict.fromkeys(res_ids)))
        # Read for all records at once, so that queries do not grow with them, and rendered one by one.
        context = self._get_rendering_context(report, records.ids, dict(data or {}, report_type='pdf'))
        stamps = stamped_report._get_stamps(records)
        documents = [
            self._render_template(report.report_name, dict(context, docs=[doc])).decode() for doc in context['docs']]
        formats = stamped_report._get_paperformats(records, report)
        try:
            contents = self._render_by_format(records, documents, formats)
        except WkhtmltopdfError as error:
            raise UserError(self.env._("Wkhtmltopdf failed. Message: %s", error)) from error
        stamped_report._log_print(records, report)
        return OrderedDict(
            (record.id, {
                'stream': stamp_pdf(
                    contents[record], stamps[record],
                    margin_left=formats[record].margin_left, margin_right=formats[record].margin_right),
                'attachment': None,
            }) for record in records)

    def _render_by_format(self, records, documents, formats):
        """Return the PDF of each of ``records``, on the paper of ``formats``."""
        contents = {}
        for paperformat in dict.fromkeys(formats.values()):
            html = {record: document for record, document in zip(records, documents, strict=True)
                    if formats[record] == paperformat}
            arguments = self._build_wkhtmltopdf_args(paperformat, self.env.context.get('landscape'))
            contents.update(zip(html, self._render_stamped_documents(
                list(html.values()), [*arguments, *STATIC_ARGUMENTS]), strict=True))
        return contents

    @api.model
    def _render_qweb_html(self, report_ref, docids, data=None):
        if self._get_stamped_report(report_ref) is not None:
            # The address of a page may say that it is a print, which bears no mark of the screen.
            data = dict(data or {}, report_type='html')
        return super()._render_qweb_html(report_ref, docids, data=data)

    @api.model
    def _render_qweb_text(self, report_ref, docids, data=None):
        stamped_report = self._get_stamped_report(report_ref)
        if stamped_report is not None:
            data = dict(data or {}, report_type='text')
        content = super()._render_qweb_text(report_ref, docids, data=data)
        if stamped_report is not None:
            report = self._get_report(report_ref)
            stamped_report._log_print(self.env[report.model].browse(docids), report)
        return content

    def _render_stamped_documents(self, documents, arguments):
        """Return the PDF of each HTML document; several are rendered at a time."""
        renderer, key = Wkhtmltopdf(arguments, _render_document), tuple(arguments)
        if key not in _papers:
            _papers[key] = measure_paper(renderer.render)
        # The threads only wait for processes and count pages: they have no access to the environment.
        with ThreadPoolExecutor(min(MAX_PROCESSES, os.cpu_count() or 1, len(documents))) as pool:
            return list(pool.map(lambda html: render_paged(html, renderer, _papers[key]), documents))
