"""One product from the draft of its master record to the delivered lot, on screens alone."""

from odoo import Command
from odoo.tests import tagged

from .test_floor import FloorTourCommon


@tagged('post_install', '-at_install')
class TestEndToEnd(FloorTourCommon):

    @classmethod
    def _make_batch(cls):
        """Write the draft and stock the components; people do the rest."""
        cls.draft = cls._create_mmr()
        cls._extend(cls.draft)
        cls.lots = {product: cls._stock(product) for product in cls.component_a | cls.component_b}
        cls._person('production')
        cls.env.flush_all()

    def _create_delivery(self):
        picking = self.env['stock.picking'].create({
            'picking_type_id': self.env.ref('stock.picking_type_out').id,
            'partner_id': self.env['res.partner'].create({'name': "Pharmacy at the Bridge"}).id,
            'location_id': self.env.ref('stock.stock_location_stock').id,
            'location_dest_id': self.env.ref('stock.stock_location_customers').id,
            'move_ids': [Command.create({
                'product_id': self.product.id, 'product_uom_qty': 40, 'product_uom': self.kg.id,
                'location_id': self.env.ref('stock.stock_location_stock').id,
                'location_dest_id': self.env.ref('stock.stock_location_customers').id})]})
        picking.action_confirm()
        return picking

    def test_draft_to_delivery(self):
        """PRD-080, PRD-110, APR-030, USE-010, IPC-020, DEV-020, REL-010, REL-020, REC-010: each by its own person.

        The preparer submits, Quality Control approves, the planner orders, production issues, two people make the batch
        at one terminal, a value out of limits stops them until Quality Control decides; the order is completed, the
        deviation closed, the batch reviewed and released, and the lot, which nobody could reserve before, delivered.
        """
        url = f'/odoo/mmr-revisions/{self.draft.id}'
        self.start_tour(url, 'mrp_mmr_submit', login='t_preparer')
        self.start_tour(url, 'mrp_mmr_approve', login='t_qc')
        self.start_tour(url, 'mrp_mmr_end_order', login='t_planner')
        order = self.env['mrp.production'].search([('product_id', '=', self.product.id)])
        bpr = order.bpr_id
        self.assertRecordValues(order, [{'state': 'confirmed', 'mmr_revision_id': self.draft.id, 'product_qty': 100}])
        self.start_tour(f'/odoo/mrp.bpr/{bpr.id}', 'mrp_mmr_end_issue', login='t_production')
        self.start_tour(
            '/odoo/mmr-running', 'mrp_mmr_floor_batch', login='t_operator', cookies=self._issue_terminal("Tablet 3"))
        self.start_tour(f'/odoo/manufacturing/{order.id}', 'mrp_mmr_end_complete', login='t_planner')
        self.env.invalidate_all()
        self.assertRecordValues(order, [{'state': 'done', 'qty_produced': 96}])
        lot = bpr.lot_ids
        self.assertRecordValues(lot, [{'mmr_status': 'quarantine'}])
        delivery = self._create_delivery()
        delivery.action_assign()
        self.assertFalse(delivery.move_line_ids, "a lot in quarantine is not reserved")
        [deviation] = bpr.deviation_ids
        self.env['mrp.sop'].create({'code': "SOP-DEV", 'name': "Deviations"})
        self.start_tour(f'/odoo/mrp.deviation/{deviation.id}', 'mrp_mmr_end_close', login='t_qc')
        self.assertEqual(deviation.state, 'closed')
        self._enter_results(bpr, approve=False, user=self.user_both)
        bpr.with_user(self.user_qc).action_record_sample(self._prepare_reserve_vals())
        self.start_tour(f'/odoo/mrp.bpr/{bpr.id}', 'mrp_mmr_release', login='t_qc')
        self.env.invalidate_all()
        self.assertRecordValues(bpr, [{'release_state': 'released', 'packed_state': 'released'}])
        self.start_tour(f'/odoo/stock.picking/{delivery.id}', 'mrp_mmr_end_deliver', login='t_planner')
        self.env.invalidate_all()
        self.assertRecordValues(delivery.move_line_ids, [{'lot_id': lot.id, 'quantity': 40, 'state': 'done'}])
        self.assertRecordValues(bpr.distribution_ids, [{'lot_id': lot.id}])
        self.assertTrue(bpr.retain_until)
