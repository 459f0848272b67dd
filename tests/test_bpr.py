from odoo.tests import tagged

from .common import MmrCommon


@tagged('post_install', '-at_install')
class TestBpr(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for product in cls.component_a | cls.component_b:
            product.tracking = 'lot'

    def setUp(self):
        super().setUp()
        self.revision = self._make_effective(self._create_mmr())
        self.lots = {product: self._stock(product) for product in self.component_a | self.component_b}

    def _release(self):
        order = self._create_order()
        order.action_confirm()
        return order

    def test_whole_batch(self):
        """BPR-010, BPR-060, YLD-010, USE-020: a batch runs from its release to its completion."""
        order = self._release()
        bpr = order.bpr_id
        self.assertEqual(bpr.state, 'issue')
        self.assertTrue(bpr._is_plan_intact())
        self._execute(order)
        self.assertEqual(set(bpr.step_ids.mapped('state')), {'done'})
        order.with_user(self.user_planner).button_mark_done()
        self.assertEqual((order.state, bpr.state), ('done', 'done'))
        self.assertEqual(sum(order.move_raw_ids.move_line_ids.mapped('quantity')), 100)
        self.assertEqual(order.move_raw_ids.move_line_ids.lot_id, self.lots[self.component_a] | self.lots[self.component_b])
