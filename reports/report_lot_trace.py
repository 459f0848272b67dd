"""Print of where a lot came from and went to."""

from odoo import api, models

from .document_sections import text
from .stamping import Stamp


class ReportLotTrace(models.AbstractModel):
    """Print of the trace of a lot in both directions (REL-050, 21 CFR 111.410(d), 211.130(c), EU GMP 4.28, ISO 13485 7.5.9)."""
    _name = 'report.mrp_mmr.report_lot_trace'
    _inherit = ['mrp.mmr.stamped.report']
    _description = "Print of the Trace of a Lot"

    @api.model
    def _get_report_values(self, docids, data=None):
        lots = self.env['stock.lot'].browse(docids)
        lots.check_access('read')
        self.env['mrp.lot.trace'].check_access('read')
        return {'doc_ids': docids, 'doc_model': lots._name, 'docs': [self._prepare_trace(lot) for lot in lots]}

    @api.model
    def _get_trace(self, lot):
        """Return the title and the described lines of each direction, where it went first."""
        traces = self.env['mrp.lot.trace']
        labels = dict(traces._fields['direction']._description_selection(self.env))
        return [(labels[direction], list(traces._describe(traces._read_trace(lot, direction))))
                for direction in ('forward', 'backward')]

    @api.model
    def _get_facts(self, lot):
        """Return what the lot is, and who decided on it, as pairs of label and value."""
        env, row = self.env, lot.sudo()
        signature = row.mmr_status_signature_id
        return [(label, value) for label, value in (
            (env._("Lot"), row.name), (env._("Product"), row.product_id.display_name),
            (env._("Status"), row.mmr_status and row._mmr_get_status_label()),
            (env._("Decided by"), signature.signer_name), (env._("Decided at"), self._format_utc(signature.signed_at)),
            (env._("Batch record"), row.mmr_bpr_id.name),
            (env._("Expires"), row._mmr_get_company()._get_mmr_day(row.expiration_date)),
            (env._("Supplier's lot"), row.mmr_supplier_lot)) if value]

    def _prepare_trace(self, lot):
        env = self.env
        columns = [
            (env._("Level"), 5, ''), (env._("What"), 10, ''), (env._("Product"), 18, ''), (env._("Lot number"), 12, ''),
            (env._("Status"), 8, ''), (env._("Record"), 17, ''), (env._("Customer or supplier"), 12, ''),
            (env._("Quantity"), 9, ''), (env._("Date (UTC)"), 9, '')]
        sections = [{
            'title': title, 'count': len(rows), 'table': {'title': None, 'columns': columns, 'rows': [[
                text(row['level']), text(row['kind']), text(row['product']), text(row['lot'], bold=True), text(row['status']),
                text(row['record']), text(row['partner']), text(f"{row['quantity']} {row['unit'] or ''}".strip()),
                text(row['date'] and f"{row['date']:%Y-%m-%d %H:%M}")] for row in rows]} if rows else None,
        } for title, rows in self._get_trace(lot)]
        return {
            'id': lot.id, 'name': lot.name, 'product': lot.sudo().product_id.display_name,
            'company': (lot.sudo().company_id or env.company).name,
            'facts': [(label, text(value)) for label, value in self._get_facts(lot)], 'sections': sections}

    def _get_stamp(self, record):
        record.check_access('read')
        return Stamp(
            header_left=(record.sudo().company_id or self.env.company).name,
            header_right=self.env._("Trace of lot %s", record.name), footer_left=record.sudo().product_id.display_name,
            footer_center=self._get_printed_label(), watermark=None, page_label=self._get_page_label())
