"""Reordering rules count orders of every batch size."""

from datetime import datetime, time

from odoo import models

from .scheduling import scheduling


class StockWarehouseOrderpoint(models.Model):
    _inherit = 'stock.warehouse.orderpoint'

    def _post_process_scheduler(self):
        with scheduling():
            return super()._post_process_scheduler()

    def _quantity_in_progress(self):
        """Count orders of every batch size: core only looks at those of one bill of materials and would order again."""
        quantities = super()._quantity_in_progress()
        controlled = self.filtered('product_id.mmr_controlled')
        if not controlled:
            return quantities
        counted = self.env['mrp.bom'].concat(
            *self.env['mrp.bom']._bom_find(controlled.product_id, bom_type='normal').values())
        orders = self.env['mrp.production'].search_fetch(
            [('orderpoint_id', 'in', controlled.ids), ('state', 'in', ('draft', 'confirmed')),
             ('bom_id', 'not in', counted.ids), ('id', 'not in', self.env.context.get('ignore_mo_ids', []))],
            ['orderpoint_id', 'product_qty', 'product_uom_id', 'state', 'date_start', 'date_finished'])
        for order in orders:
            orderpoint = order.orderpoint_id
            horizon = datetime.combine(orderpoint.lead_horizon_date, time.max)
            # As core: a draft is in no forecast yet, and neither is what is ready after its end.
            if order.state == 'draft' or order.date_start <= horizon < order.date_finished:
                quantities[orderpoint.id] += order.product_uom_id._compute_quantity(
                    order.product_qty, orderpoint.product_uom, round=False)
        return quantities
