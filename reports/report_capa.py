"""Print of a CAPA (DEV-090)."""

from odoo import api, models

from .document_sections import text
from .report_deviation import OPEN
from .stamping import Stamp


class ReportCapa(models.AbstractModel):
    """Print of a CAPA: cause, actions with their results, effect, and who closed it (DEV-090, ISO 13485 8.5.2, 8.5.3)."""
    _name = 'report.mrp_mmr.report_capa'
    _inherit = ['mrp.mmr.stamped.report']
    _description = "Print of a CAPA"

    @api.model
    def _get_report_values(self, docids, data=None):
        capas = self.env['mrp.capa'].browse(docids)
        capas.check_access('read')
        signatures = self._prepare_signatures(capas)
        return {
            'doc_ids': docids, 'doc_model': capas._name,
            'docs': [self._prepare_capa(capa, signatures[capa.id]) for capa in capas.sudo()]}

    @api.model
    def _prepare_capa(self, capa, signatures):
        """Return what the template shows of a CAPA."""
        env = self.env

        def words(record, field):
            return dict(env[record._name]._fields[field]._description_selection(env)).get(record[field])

        def fact(label, value):
            return label, text(value) or text(env._("not recorded"), style='o_empty')

        checked = ', '.join(filter(None, (capa.checked_by_id.name, self._format_utc(capa.checked_at))))
        return {
            'id': capa.id, 'name': capa.name, 'title': capa.title, 'label': env._("CAPA"), 'company': capa.company_id.name,
            'status': words(capa, 'state'), 'watermark': self._get_watermark(capa),
            'facts': [
                fact(env._("Responsible"), capa.owner_id.name),
                fact(env._("Deviations"), '\n'.join(capa.deviation_ids.sorted('id').mapped('display_name'))),
                fact(env._("Cause"), '\n'.join(filter(None, (capa.cause_id.name, capa.cause)))),
                fact(env._("Effectiveness criterion"), capa.effectiveness_criterion),
                fact(env._("Checked from"), capa.effectiveness_due),
                fact(env._("Result of the effectiveness check"), words(capa, 'effectiveness_result')),
                fact(env._("Finding"), capa.effectiveness_text), fact(env._("Checked"), checked)],
            'tables': [{
                'columns': [(env._("Action"), 30, ''), (env._("Kind, owner"), 20, ''), (env._("Due"), 14, ''),
                            (env._("Result"), 36, '')],
                'rows': [[
                    text(row.name), [*text(words(row, 'kind')), *text(row.owner_id.name, style='o_label')], text(row.due_date),
                    [*(text(row.result) or text(env._("not done yet"), style='o_empty')), *text(', '.join(filter(None, (
                        row.done_by_id.name, self._format_utc(row.done_at)))), style='o_label')],
                ] for row in capa.action_ids.sorted('id')]}] if capa.action_ids else [],
            'signatures': signatures}

    @api.model
    def _get_watermark(self, capa):
        """Return what is written across each page: nothing once the CAPA is closed."""
        return None if capa.state == 'closed' else OPEN

    def _get_stamp(self, record):
        record.check_access('read')
        return Stamp(
            header_left=record.sudo().company_id.name, header_right=self.env._("CAPA · %s", record.name), footer_left='',
            footer_center=self._get_printed_label(), watermark=self._get_watermark(record), page_label=self._get_page_label())
