"""Odoo's own prints and overviews of controlled products bear a mark on each page and name the record (R-16, PRD-030)."""

import io

from odoo import api, models

from .stamping import mark_pdf

#: Prints of Odoo that show a formula or an order, and of what.
CORE_PRINTS = {
    'mrp.report_mrporder': 'mrp.production', 'mrp.report_mo_overview': 'mrp.production',
    'mrp.report_mrp_workorder': 'mrp.workorder', 'mrp.report_bom_structure': 'mrp.bom'}


class IrActionsReport(models.Model):
    _inherit = 'ir.actions.report'

    def _render_qweb_pdf_prepare_streams(self, report_ref, data, res_ids=None):
        streams = super()._render_qweb_pdf_prepare_streams(report_ref, data, res_ids=res_ids)
        model = CORE_PRINTS.get(self._get_report(report_ref).report_name)
        if not model or not res_ids:
            return streams
        marks = {record.id: (record._get_mmr_mark() or {}).get('watermark') for record in self.env[model].browse(res_ids)}
        for res_id, row in streams.items():
            # Where Odoo prints several in one piece, one of them marks all pages.
            watermark = marks.get(res_id) if res_id else next(filter(None, marks.values()), None)
            if watermark and row['stream']:
                content = row['stream'].getvalue()
                row['stream'].close()
                row['stream'] = mark_pdf(io.BytesIO(content), watermark)
        return streams


class ReportBomStructure(models.AbstractModel):
    _inherit = 'report.mrp.report_bom_structure'

    @api.model
    def _get_bom_data(self, bom, *args, **kwargs):
        # The root carries the mark: the overview and the print show it above the lines.
        data = super()._get_bom_data(bom, *args, **kwargs)
        if not kwargs.get('level') and bom:
            data['mmr_mark'] = bom._get_mmr_mark()
        return data


class ReportMoOverview(models.AbstractModel):
    _inherit = 'report.mrp.report_mo_overview'

    def _get_report_data(self, production_id):
        data = super()._get_report_data(production_id)
        data['mmr_mark'] = self.env['mrp.production'].browse(production_id)._get_mmr_mark()
        return data
