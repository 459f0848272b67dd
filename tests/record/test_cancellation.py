"""A running batch is cancelled by a signature with its reason, and its material is accounted for (BPR-200, R-11)."""

from psycopg2.errors import CheckViolation

from odoo.tools import mute_logger

from ..common.stock import StockCommon


class TestCancellation(StockCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.revision = cls._make_effective(cls._create_mmr(10))

    def setUp(self):
        super().setUp()
        self._put(self.lot, self.shelves[0], 6)
        self._put(self.lot, self.shelves[1], 5)
        self.order = self._release_order()
        self.bpr = self.order.bpr_id

    def test_not_begun(self):
        """BPR-200: a batch of which nothing was begun is cancelled as in Odoo, and gives back what it reserved."""
        self.assertFalse(self.order.mmr_is_running)
        self.assertIn("BPR-200", self._refused("is not waiting for this signature", self.bpr.action_cancel_batch))
        self.order.with_user(self.user_planner).action_cancel()
        self.assertEqual((self.order.state, self.bpr.state, self._reserved(self.lot)), ('cancel', 'cancel', 0))

    def test_running(self):
        """R-11, BPR-200: without reason and signature a running batch is not cancelled, by anybody or any road."""
        step = self._start_weighing(self.order, self.component_a)
        step.action_record('weight', {'value': '7', 'lot_id': self.lot.id})
        self.assertTrue(self.order.mmr_is_running)
        for user in (self.user_planner, self.user_manager, self.user_operator):
            self._refused("BPR-200", self.order.with_user(user).action_cancel)
        self._refused("BPR-200", self.order.sudo()._action_cancel)
        self._refused("BPR-200|BPR-010|USE-020", self.order.sudo().unlink)
        self.env.flush_all()
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "BPR-200"), self.cr.savepoint():
            self.env.cr.execute("UPDATE mrp_bpr SET state = 'cancel' WHERE id = %s", [self.bpr.id])
        self.assertIn("reason", self._esign(self.bpr, 'cancel', self._person('production'))['refused'])
        for user in (self.user_planner, self.user_operator, self.user_qc):
            self.assertIn("APR-050", self._esign(self.bpr, 'cancel', user, comment="Mixer broke")['refused'])
        self.assertEqual(self.order.state, 'progress')

    def test_accounted_for(self):
        """R-11, BPR-200: what was weighed is used, from where it lay; the signature lists it, with reason and open steps."""
        step = self._start_weighing(self.order, self.component_a)
        step.action_record('weight', {
            'value': '7', 'lot_id': self.lot.id, 'issued': '8', 'returned': '0.5', 'scrapped': '0.5'})
        signature = self._cancel_batch(self.order, "Mixer broke")
        self.assertEqual((self.order.state, self.bpr.state), ('cancel', 'cancel'))
        self.assertEqual(self._lies(self.lot), {"Shelf 2": 3.5})
        self.assertEqual((self._reserved(self.lot), self._lies(self.lot_b)), (0, {"Stock": 1000}))
        self.assertEqual((signature.comment, signature.meaning), ("Mixer broke", 'checked'))
        content = signature.content
        self.assertEqual(content['schema'], 'mrp_mmr/cancel/1')
        self.assertIn(step.code, content['open_steps'])
        row, = content['material']
        self.assertEqual(
            [row[name] for name in ('product', 'lot', 'unit', 'used', 'returned', 'scrapped')],
            ["Ascorbic acid", "ASC-1", "kg", '7.5', '0.5', '0.5'])
        self.assertEqual(self.bpr._get_stock_differences()[self.bpr], [])
        self._refused(
            "is not waiting for this signature", self.bpr.with_user(self._person('production')).esign_prepare, 'cancel')

    def test_stock_missing(self):
        """R-11, STK-020: a cancellation takes no more of a lot than is there either."""
        step = self._start_weighing(self.order, self.component_a)
        step.action_record('weight', {'value': '9', 'lot_id': self.lot.id})
        self._put(self.lot, self.shelves[0], 0)
        refused = self._esign(self.bpr, 'cancel', self._person('production'), comment="Mixer broke")['refused']
        self.assertIn("STK-020", refused)
        self.assertEqual(self.order.state, 'progress')
