"""My Work about lots: to release or reject, held ones, and destructions to sign (USR-010, REL-070, DEV-080, DEV-100)."""

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import LazyTranslate

from ...domain.my_work import WorkLine, WorkSource

_lt = LazyTranslate(__name__)
QC, QP, PRODUCTION, AUDITOR = (f'mrp_mmr.group_mmr_{role}' for role in ('qc', 'qp', 'production', 'auditor'))
#: As in the filter *To Be Released* of lots.
WAITING = Domain('mmr_status', '=', 'quarantine') | (
    Domain('mmr_status', '=', False) & Domain('product_id.mmr_needs_release', '=', True))


class MrpMyWork(models.AbstractModel):
    _inherit = 'mrp.my.work'

    _work_sources = {
        'lot_decide': WorkSource(
            section='sign', order=60, model='stock.lot', roles=(QC, QP), find='_find_lots_to_decide',
            title=_lt("Lots to decide"), why=_lt("You decide on lots, and took no part in their batch.")),
        'lot_destroy': WorkSource(
            section='sign', order=61, model='mrp.lot.destruction', roles=(QC,), find='_find_destructions',
            title=_lt("Destructions to sign"), why=_lt("You are of Quality Control.")),
        'lot_hold': WorkSource(
            section='late', order=25, model='stock.lot', roles=(QC, QP, PRODUCTION, AUDITOR), find='_find_held_lots',
            title=_lt("Lots on hold"), why=_lt("A grave deviation holds it.")),
        'lot_hold_own': WorkSource(
            section='mine', order=5, model='stock.lot', roles=('mrp.group_mrp_user',), find='_find_own_holds',
            title=_lt("Lots that my deviations hold"), why=_lt("You reported or investigate the deviation.")),
    }

    @api.model
    def _prepare_lot(self, lot, **vals):
        return WorkLine(record=lot, name=f"{lot.name} · {lot.product_id.display_name}", **vals)

    @api.model
    def _find_lots_to_decide(self, shared):
        """Return what waits for a decision, and neither for that on its batch nor for one on a deviation."""
        lots = self._find_work('stock.lot', WAITING, order='create_date, id')._mmr_filter_decided_alone()
        concerned = lots._mmr_get_concerning()
        free = lots.filtered(lambda lot: lot not in concerned)._filter_offered('release')
        return [self._prepare_lot(
            lot, since=lot.mmr_returned_at or lot.create_date, is_late=bool(lot._mmr_get_end_of_use()),
            what=self.env._("may not be used any more: reject it, or have it tested again") if lot._mmr_get_end_of_use()
            else lot._mmr_get_hold_text() or lot._mmr_get_status_label()) for lot in free]

    @api.model
    def _find_destructions(self, shared):
        rows = self._find_work('mrp.lot.destruction', [('signature_id', '=', False)], order='id')._filter_offered('destroy')
        return [WorkLine(record=row, since=row.recorded_at, name=f"{row.name} · {row.lot_id.name}", what=row.reason)
                for row in rows]

    @api.model
    def _prepare_held(self, lots):
        return [self._prepare_lot(lot, since=lot.sudo().mmr_hold_deviation_id.reported_at,
                                  what=lot.sudo().mmr_hold_deviation_id.display_name) for lot in lots]

    @api.model
    def _find_held_lots(self, shared):
        return self._prepare_held(self._find_work(
            'stock.lot', [('mmr_hold_deviation_id.state', '!=', 'closed'), ('mmr_hold_deviation_id', '!=', False)], order='id'))

    @api.model
    def _find_own_holds(self, shared):
        own = Domain('reported_by_id', '=', self.env.uid) | Domain('investigator_id', '=', self.env.uid)
        return self._prepare_held(self._find_work('stock.lot', Domain(
            'mmr_hold_deviation_id', 'any', own & Domain('state', '!=', 'closed')), order='id'))
