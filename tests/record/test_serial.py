"""Serial numbers, yield and units on stock agree (STK-050); what cannot have come out is asked about (S-06)."""

from odoo.fields import Command

from ..common.stock import StockCommon


class TestSerial(StockCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product = cls.env['product.product'].create({
            'name': "Device", 'type': 'consu', 'is_storable': True, 'tracking': 'serial', 'uom_id': cls.unit.id})
        revision = cls._create_mmr(3, uom_id=cls.unit.id)
        revision.with_user(cls.user_preparer).write({'yield_min': 50, 'yield_max': 100})
        cls._make_effective(revision)

    def setUp(self):
        super().setUp()
        self._put(self.lot, self.shelves[0], 9)
        self.order = self._release_order(3)
        self.order.lot_producing_ids = [
            Command.create({'name': f"SN-{number}", 'product_id': self.product.id}) for number in (1, 2, 3)]
        self.step = self.order.bpr_id.step_ids.filtered(
            lambda step: step.kind == 'yield' and step.planned['scope'] == 'batch')
        self._execute(self.order, until=self.step)
        self.step = self.step.with_user(self._person('operator'))
        self.step.action_start(acknowledged=True)

    def _on_stock(self):
        self.env.flush_all()
        return sorted(self.env['stock.quant'].search([
            ('product_id', '=', self.product.id), ('location_id.usage', '=', 'internal'), ('quantity', '>', 0)]
        ).lot_id.mapped('name'))

    def _finish(self):
        self._sign_step(self.step)
        self._execute(self.order)
        for deviation in self.order.bpr_id.deviation_ids.filtered(lambda deviation: deviation.state == 'open'):
            self._sign(deviation, 'decide', self.user_qc, comment="No effect.")
        return self.order.with_user(self.user_planner).button_mark_done

    def test_one_was_lost(self):
        """S-05, STK-050: of three devices one fell down: yield 2 is refused until it says which one was destroyed."""
        entry = self.step.action_record('yield', {'value': '2'})['entry_id']
        done = self._finish()
        message = self._refused("STK-050", done)
        for words in ("yield is 2", "SN-1, SN-2, SN-3"):
            self.assertIn(words, message)
        answer = self.step.action_record(
            'yield', {'value': '2', 'destroyed': "SN-2"}, reason="It fell down", corrects=entry)
        entry = self.env['mrp.bpr.entry'].browse(answer['entry_id'])
        self._sign(entry, 'corrected', self._person('operator'))
        self._sign(entry, 'verified', self._person('verifier'))
        done()
        self.assertEqual((self.order.state, self._on_stock()), ('done', ["SN-1", "SN-3"]))
        self.assertEqual(entry.data['destroyed'], ["SN-2"])
        self.assertEqual(self.order.bpr_id._get_stock_differences()[self.order.bpr_id], [])

    def test_all_came_out(self):
        """S-05, STK-050: three of three are on stock; one that was sampled is not."""
        for vals, words in (({'destroyed': "SN-9"}, "SN-9"), ({'destroyed': "SN-1", 'sampled': "SN-1"}, "SN-1"),
                            ({'sampled': "SN-1 SN-1"}, "SN-1")):
            self.assertIn(words, self._refused("STK-050", self.step.action_record, 'yield', {'value': '2', **vals}))
        self.step.action_record('yield', {'value': '2', 'sampled': "SN-3", 'destroyed': ""})
        self._finish()()
        self.assertEqual((self.order.state, self._on_stock()), ('done', ["SN-1", "SN-2"]))

    def test_too_few_numbers(self):
        """S-05, STK-050: three came out and only two have a number."""
        self.order.lot_producing_ids = self.order.lot_producing_ids[:2]
        self.step.action_record('yield', {'value': '3'})
        self.assertIn("yield is 3", self._refused("STK-050", self._finish()))


class TestPlausibleYield(StockCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.revision = cls._make_effective(cls._create_mmr(10))

    def test_more_than_was_put_in(self):
        """S-06, VER-060: 99.75 kg of a 10 kg batch are asked about, and stored where the person read the scale again."""
        self._put(self.lot, self.shelves[0], 9)
        order = self._release_order()
        step = order.bpr_id.step_ids.filtered(lambda step: step.kind == 'yield' and step.planned['scope'] == 'batch')
        self._execute(order, until=step)
        step = step.with_user(self._person('operator'))
        step.action_start(acknowledged=True)
        message = self._refused("VER-060", step.action_record, 'yield', {'value': '99.75'})
        for words in ("99.75 kg", "10 kg was put in", "read the scale again"):
            self.assertIn(words, message)
        self.assertFalse(order.bpr_id.deviation_ids)
        for answer in (False, "yes", 1, None):
            self._refused("VER-060", step.action_record, 'yield', {'value': '99.75', 'plausible': answer})
        answer = step.action_record('yield', {'value': '99.75', 'plausible': True})
        self.assertEqual((answer['outcome'], len(answer['deviations'])), ('fail', 1))
        # Within its band a yield needs no question.
        answer = step.action_record(
            'yield', {'value': '10.2'}, reason="Misread", corrects=answer['entry_id'])
        self.assertEqual(answer['outcome'], 'pass')
