"""More of a lot than is there is refused; where it is true, an adjustment that names its deviation comes first (STK-020)."""

from decimal import Decimal

from psycopg2.errors import CheckViolation

from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from ..common.base import CommittedCase
from ..common.stock import StockCommon


class TestOverdraw(StockCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.revision = cls._make_effective(cls._create_mmr(10))

    def test_by_weight(self):
        """S-03, STK-020: 9 kg of a lot of 3 kg are refused with amounts and next action; what is there is taken."""
        self._put(self.lot, self.shelves[0], 3)
        self._put(self.other_lot, self.shelves[0], 100)
        order = self._release_order()
        step = self._start_weighing(order, self.component_a)
        message = self._refused("STK-020", step.action_record, 'weight', {'value': '9', 'lot_id': self.lot.id})
        for words in ("9 kg", "3 kg", "ASC-1", "another lot", "Adjust Stock"):
            self.assertIn(words, message)
        step.action_record('weight', {'value': '2.5', 'lot_id': self.lot.id})
        self._refused("STK-020", step.action_record, 'weight', {'value': '0.51', 'lot_id': self.lot.id})
        self._refused("STK-020", step.action_record, 'weight', {
            'value': '0.4', 'lot_id': self.lot.id, 'issued': '0.55', 'scrapped': '0.15'})
        step.action_record('weight', {'value': '0.5', 'lot_id': self.lot.id})
        step.action_record('weight', {'value': '6', 'lot_id': self.other_lot.id})
        self._sign_step(step)
        self._complete(order)
        self.assertEqual((self._lies(self.lot), self._lies(self.other_lot)), ({}, {"Shelf 1": 94}))

    def test_by_correction(self):
        """S-03, STK-020: a correction to more than is there is refused; what it corrects does not count."""
        self._put(self.lot, self.shelves[0], 9)
        order = self._release_order()
        step = self._start_weighing(order, self.component_a)
        entry = step.action_record('weight', {'value': '8', 'lot_id': self.lot.id})['entry_id']
        self._refused("STK-020", step.action_record, 'weight', {'value': '9.01', 'lot_id': self.lot.id}, corrects=entry,
                      reason="Misread")
        step.action_record('weight', {'value': '9', 'lot_id': self.lot.id}, corrects=entry, reason="Misread")
        self._sign_step(step)
        self._complete(order)
        self.assertEqual(self._lies(self.lot), {})

    def test_two_batches(self):
        """S-03, STK-020: what another running batch weighed of the lot is gone, though it was not added yet."""
        self._put(self.lot, self.shelves[0], 15)
        first, second = self._release_order(), self._release_order()
        step = self._start_weighing(first, self.component_a)
        step.action_record('weight', {'value': '9', 'lot_id': self.lot.id})
        other = self._start_weighing(second, self.component_a)
        message = self._refused("STK-020", other.action_record, 'weight', {'value': '9', 'lot_id': self.lot.id})
        self.assertIn("9 kg has already been recorded", message)
        other.action_record('weight', {'value': '6', 'lot_id': self.lot.id})
        self._sign_step(step)
        self._complete(first)
        self._refused("STK-020", other.action_record, 'weight', {'value': '1', 'lot_id': self.lot.id})
        self.assertEqual(self._lies(self.lot), {"Shelf 1": 6})

    def test_two_warehouses(self):
        """S-03, STK-020: what lies in another warehouse is not there, and what is weighed there is not missed here."""
        elsewhere = self.env['stock.warehouse'].create({'name': "Annex", 'code': "ANX", 'company_id': self.company.id})
        self._put(self.lot, self.shelves[0], 9)
        self._put(self.lot, elsewhere.lot_stock_id, 9)
        first, second = self._create_order(10), self._create_order(10, picking_type_id=elsewhere.manu_type_id.id)
        self._put(self.lot_b, elsewhere.lot_stock_id, 10)
        (first | second).action_confirm()
        self.assertEqual(second.location_src_id, elsewhere.lot_stock_id)
        for order in first | second:
            step = self._start_weighing(order, self.component_a)
            self._refused("STK-020", step.action_record, 'weight', {'value': '9.1', 'lot_id': self.lot.id})
            step.action_record('weight', {'value': '9', 'lot_id': self.lot.id})
            self._sign_step(step)
        for order in first | second:
            self._complete(order)
        self.assertEqual(self._lies(self.lot), {})

    def test_gone_before_completion(self):
        """S-03, STK-020: stock that vanished since stops the completion, until an adjustment with its deviation."""
        self._put(self.lot, self.shelves[0], 9)
        order = self._release_order()
        self._weigh(order, self.component_a, (self.lot, '9'))
        self._put(self.lot, self.shelves[0], 4)
        self._execute(order)
        self._refused("STK-020", order.with_user(self.user_planner).button_mark_done)
        quant = self.env['stock.quant'].search([('lot_id', '=', self.lot.id), ('location_id', '=', self.shelves[0].id)])
        self.lot.with_user(self._person('qc'))._mmr_adjust(quant, Decimal(9), "Counted twice.")
        self._mark_done(order)
        self.assertEqual(self._lies(self.lot), {})

    def test_adjustment(self):
        """S-03, STK-020: where it is true, the adjustment opens a deviation, names it, and the weight is accepted."""
        keeper = new_test_user(self.env, login='t_keeper', groups='stock.group_stock_manager', password="A-long-password-1")
        self._put(self.lot, self.shelves[0], 3)
        order = self._release_order()
        step = self._start_weighing(order, self.component_a)
        self._refused("STK-020", step.action_record, 'weight', {'value': '9', 'lot_id': self.lot.id})
        quant = self.env['stock.quant'].search([('lot_id', '=', self.lot.id), ('location_id', '=', self.shelves[0].id)])
        for user in (self.user_operator, self.user_planner):
            self._refused("SEC-010", self.lot.with_user(user)._mmr_adjust, quant, Decimal(10), "Found")
        wizard = self.env['mrp.lot.adjust'].with_user(keeper).create({
            'lot_id': self.lot.id, 'quant_id': quant.id, 'quantity': '10', 'description': "Receipt was typed wrongly."})
        wizard.action_adjust()
        deviation = self.env['mrp.deviation'].search([('lot_id', '=', self.lot.id)])
        self.assertRecordValues(deviation, [{'state': 'open', 'source': 'occurrence', 'severity': 'minor'}])
        self.assertEqual(deviation.reported_by_id, keeper)
        for words in ("3 kg on stock", "10 kg counted", "Receipt was typed wrongly."):
            self.assertIn(words, deviation.description)
        move = self.env['stock.move'].search([('mmr_deviation_id', '=', deviation.id)])
        self.assertRecordValues(move, [{'quantity': 7, 'state': 'done', 'product_id': self.component_a.id}])
        self.assertIn(deviation.name, move.inventory_name)
        self.assertEqual(self._lies(self.lot), {"Shelf 1": 10})
        step.action_record('weight', {'value': '9', 'lot_id': self.lot.id})
        for counted in (Decimal(10), Decimal(-1)):
            self._refused("STK-020", self.lot.with_user(self.user_qc)._mmr_adjust, quant, counted, "Again")

    def test_what_was_not_counted(self):
        """R-09, STK-030: a blank is no count of zero, and a count that stock would round is refused; neither changes stock."""
        self._put(self.lot, self.shelves[0], 3)
        quant = self.env['stock.quant'].search([('lot_id', '=', self.lot.id), ('location_id', '=', self.shelves[0].id)])
        form = Form(self.env['mrp.lot.adjust'].with_user(self._person('qc')).with_context(default_lot_id=self.lot.id))
        self.assertFalse(form.quantity)
        form.quant_id, form.description = quant, "Counted"
        with self.assertRaisesRegex(AssertionError, "quantity is a required field"):
            form.save()
        digits = self.env['decimal.precision'].precision_get('Product Unit')
        for action in (
                lambda number: self.lot.with_user(self.user_qc)._mmr_adjust(quant, Decimal(number), "Counted"),
                lambda number: self.env['mrp.lot.destruction'].with_user(self.user_qc)._record(
                    self.lot, quant.location_id, float(number), "Burnt", "Wet")):
            self._refused("STK-030", action, f"1.{'0' * digits}5")
        self.assertEqual(self._lies(self.lot), {"Shelf 1": 3})
        form.quantity = '0'
        form.save().action_adjust()
        self.assertEqual(self._lies(self.lot), {})

    def test_adjustment_of_a_batch(self):
        """S-03, STK-020: an adjustment that was found in a batch holds it until Quality Control decided."""
        self._put(self.lot, self.shelves[0], 3)
        order = self._release_order()
        step = self._start_weighing(order, self.component_a)
        quant = self.env['stock.quant'].search([('lot_id', '=', self.lot.id), ('location_id', '=', self.shelves[0].id)])
        keeper = new_test_user(self.env, login='t_keeper', groups='stock.group_stock_manager', password="A-long-password-1")
        deviation = self.lot.with_user(keeper)._mmr_adjust(quant, Decimal(9), "Found on shelf 7.", order.bpr_id)
        deviation = deviation.with_env(self.env)
        self.assertEqual((deviation.bpr_id, deviation.lot_id, deviation.is_blocking), (order.bpr_id, self.lot, True))
        self._sign(deviation, 'decide', self.user_qc, comment="Label was read wrongly at receipt.")
        step.action_record('weight', {'value': '9', 'lot_id': self.lot.id})
        self._sign_step(step)
        self._complete(order)
        self.assertEqual(self._lies(self.lot), {})


class TestQuants(StockCommon):
    """STK-010: no sum of lot, place, package and owner is below zero at the end of a transaction."""

    def _sql(self, query, *parameters):
        self.env.flush_all()
        self.env.cr.execute(query, parameters)
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.env.cr.execute("SET CONSTRAINTS ALL DEFERRED")

    def _carry(self, quantity, source, destination):
        """Move some of the lot from one shelf to another one."""
        move = self.env['stock.move'].create({
            'product_id': self.component_a.id, 'product_uom': self.kg.id, 'product_uom_qty': quantity,
            'location_id': source.id, 'location_dest_id': destination.id})
        move._action_confirm(merge=False)
        move.move_line_ids.unlink()
        self.env['stock.move.line'].create({
            'move_id': move.id, 'product_id': self.component_a.id, 'lot_id': self.lot.id, 'quantity': quantity, 'picked': True,
            'location_id': source.id, 'location_dest_id': destination.id})
        move._action_done()

    def test_orm(self):
        """STK-020: a transfer that takes too much is refused at the end, with names."""
        self._put(self.lot, self.shelves[0], 5)

        def take(quantity, back=0):
            self._carry(quantity, *self.shelves)
            if back:
                self._carry(back, self.shelves[1], self.shelves[0])
            self.env.cr.precommit.run()

        message = self._refused("STK-020", take, 6)
        for words in ("1 kg", "ASC-1", "Shelf 1"):
            self.assertIn(words, message)
        # What is put back in time was never missing.
        take(7, back=2)
        self.assertEqual(self._lies(self.lot), {"Shelf 2": 5})

    def test_sql(self):
        """STK-010: PostgreSQL judges the sum at the end of the transaction; split and merged quants pass."""
        self._put(self.lot, self.shelves[0], 5)
        quant = self.env['stock.quant'].search([('lot_id', '=', self.lot.id), ('location_id', '=', self.shelves[0].id)])
        insert = """INSERT INTO stock_quant (product_id, lot_id, location_id, company_id, quantity, reserved_quantity, in_date)
                    VALUES (%s, %s, %s, %s, %s, 0, now())"""
        row = (self.component_a.id, self.lot.id, self.shelves[0].id, self.company.id)
        owned = "UPDATE stock_quant SET owner_id = %s, quantity = -quantity WHERE id = %s"
        for name, query, parameters in (
                ("update", "UPDATE stock_quant SET quantity = -1 WHERE id = %s", (quant.id,)),
                ("insert", insert, (*row, -6)), ("owner", owned, (self.client.id, quant.id))):
            with self.subTest(name), mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "STK-010|STK-040"), \
                    self.cr.savepoint():
                self._sql(query, *parameters)
        self._sql(insert + "; UPDATE stock_quant SET quantity = quantity + 5 WHERE id = %s", *row, -5, quant.id)
        self.env.invalidate_all()
        quant._merge_quants()
        self._sql("SELECT 1")
        self.assertEqual(self._lies(self.lot), {"Shelf 1": 5})
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "STK-010|STK-040"), self.cr.savepoint():
            self._sql(insert, *row, -1)
            self._sql("DELETE FROM stock_quant WHERE id = %s", quant.id)

    def test_free_products(self):
        """STK-010: products that no MMR uses go below zero as in Odoo, and cost no query more."""
        free = self.env['product.product'].create({
            'name': "Free", 'type': 'consu', 'is_storable': True, 'tracking': 'lot', 'uom_id': self.kg.id})
        lot = self.env['stock.lot'].create({'name': "F-1", 'product_id': free.id})
        self.env['stock.quant']._update_available_quantity(free, self.shelves[0], -5, lot_id=lot)
        self.env['stock.quant']._update_available_quantity(self.component_other, self.shelves[0], -5)
        self.env.flush_all()
        self.env.cr.precommit.run()
        self._sql("SELECT 1")
        self.assertEqual(self._lies(lot), {"Shelf 1": -5})


@tagged('post_install', '-at_install')
class TestAtOnce(CommittedCase):

    def test_two_transactions(self):
        """S-03, STK-020: of two transactions that empty one lot at the same moment, one is refused; Odoo splits the quant."""
        uid = self.users[1]

        def make(env):
            env = env(su=True)
            product = env['product.product'].create({
                'name': f"Raw {self.tag}", 'type': 'consu', 'is_storable': True, 'tracking': 'lot', 'mmr_lot_release': True})
            lot = env['stock.lot'].create({'name': f"R-{self.tag}", 'product_id': product.id})
            place = env.ref('stock.stock_location_stock')
            env['stock.quant'].with_context(inventory_mode=True).create({
                'product_id': product.id, 'lot_id': lot.id, 'location_id': place.id,
                'inventory_quantity': 5}).action_apply_inventory()
            shelf = env['stock.location'].create({'name': f"Shelf {self.tag}", 'location_id': place.id, 'usage': 'internal'})
            return lot.id, place.id, shelf.id

        lot_id, place_id, shelf_id = self._run(uid, make)

        def take(env):
            env = env(su=True)
            lot = env['stock.lot'].browse(lot_id)
            move = env['stock.move'].create({
                'product_id': lot.product_id.id, 'product_uom': lot.product_uom_id.id, 'product_uom_qty': 3,
                'location_id': place_id, 'location_dest_id': shelf_id})
            move._action_confirm(merge=False)
            env['stock.move.line'].create({
                'move_id': move.id, 'product_id': lot.product_id.id, 'lot_id': lot_id, 'quantity': 3, 'picked': True,
                'location_id': place_id, 'location_dest_id': shelf_id})
            move._action_done()
            return 'taken'

        results = self._race((uid, take), (uid, take))
        self.assertIn('taken', results)
        results.remove('taken')
        self.assertIn("STK-020", results[0])

        def left(env):
            return sum(env['stock.quant'].sudo().search([
                ('lot_id', '=', lot_id), ('location_id', '=', place_id)]).mapped('quantity'))

        self.assertEqual(self._run(uid, left), 2)
