"""My Work about retention: legal holds and disposals that wait for their signature (USR-010, REC-040)."""

from odoo import api, models
from odoo.tools import LazyTranslate

from ...domain.my_work import WorkLine, WorkSource

_lt = LazyTranslate(__name__)
QC = 'mrp_mmr.group_mmr_qc'


class MrpMyWork(models.AbstractModel):
    _inherit = 'mrp.my.work'

    _work_sources = {
        'legal_hold': WorkSource(
            section='sign', order=75, model='mrp.legal.hold', roles=(QC,), find='_find_legal_holds',
            title=_lt("Legal holds to sign"), why=_lt("You are of Quality Control.")),
        'disposal': WorkSource(
            section='sign', order=76, model='mrp.record.disposal', roles=(QC,), find='_find_disposals',
            title=_lt("Disposals of records to sign"), why=_lt("You are of Quality Control.")),
    }

    @api.model
    def _find_legal_holds(self, shared):
        holds = self._find_work('mrp.legal.hold', [('state', '=', 'draft')], order='id')._filter_offered('hold')
        return [WorkLine(record=hold, since=hold.recorded_at, what=hold.reason) for hold in holds]

    @api.model
    def _find_disposals(self, shared):
        rows = self._find_work('mrp.record.disposal', [('signature_id', '=', False)], order='id')._filter_offered('dispose')
        return [WorkLine(record=row, since=row.recorded_at, what=row.reason) for row in rows]
