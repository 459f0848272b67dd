"""My Work about orders: those to confirm, and those that run on an ended revision (USR-010, REV-060)."""

from odoo import api, models
from odoo.tools import LazyTranslate

from ...domain.my_work import WorkLine, WorkSource

_lt = LazyTranslate(__name__)
QC, PRODUCTION = 'mrp_mmr.group_mmr_qc', 'mrp_mmr.group_mmr_production'


class MrpMyWork(models.AbstractModel):
    _inherit = 'mrp.my.work'

    _work_sources = {
        'order_decide': WorkSource(
            section='sign', order=15, model='mrp.production', roles=(QC,), find='_find_orders_to_decide',
            title=_lt("Batches to continue or stop"), why=_lt("You are of Quality Control.")),
        'order_undecided': WorkSource(
            section='late', order=20, model='mrp.production', find='_find_undecided_orders',
            title=_lt("Batches that stand until Quality Control decides"), why=_lt("Its revision is not effective any more.")),
        'order_confirm': WorkSource(
            section='today', order=60, model='mrp.production', roles=('mrp.group_mrp_user',), find='_find_own_orders',
            title=_lt("My orders to confirm"), why=_lt("You are responsible for the order.")),
    }

    @api.model
    def _find_pending(self, shared):
        return shared.once('pending', lambda: self._find_work(
            'mrp.production', [('mmr_decision', '=', 'pending'), ('state', '!=', 'cancel')], order='id'))

    @api.model
    def _prepare_pending(self, orders):
        return [WorkLine(
            record=order, name=f"{order.name} · {order.product_id.display_name}", since=order.sudo().mmr_revision_id.ended_at,
            what=self.env._("%s is not effective any more", order.sudo().mmr_revision_id.display_name), is_late=True)
            for order in orders]

    @api.model
    def _find_orders_to_decide(self, shared):
        return self._prepare_pending(self._find_pending(shared)._filter_offered('continue'))

    @api.model
    def _find_undecided_orders(self, shared):
        return self._prepare_pending(self._find_pending(shared))

    @api.model
    def _find_own_orders(self, shared):
        orders = self._find_work(
            'mrp.production', [('state', '=', 'draft'), ('mmr_controlled', '=', True), ('user_id', '=', self.env.uid)],
            order='date_start, id')
        return [WorkLine(record=order, name=f"{order.name} · {order.product_id.display_name}", due=order.date_start)
                for order in orders]
