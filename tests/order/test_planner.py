"""The planner's view: demands in batches of approved sizes, procurement, the matrix."""

import itertools
import random
import time
from datetime import timedelta
from decimal import Decimal
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import BaseCase, Form, new_test_user, tagged

from odoo.addons.mrp_mmr.domain.batch_split import MAX_COMBINATIONS, split_into_batches
from odoo.addons.mrp_mmr.domain.transitions import transition

from ..common.base import PASSWORD, HttpCase, MmrCommon


@tagged('post_install', '-at_install')
class TestBatchPlan(BaseCase):
    """The arithmetic alone."""

    def _brute_force(self, demand, sizes):
        """Return the least total that covers ``demand`` and the fewest batches that make it."""
        top = demand + max(sizes)
        fewest = [0] + [None] * top
        for total in range(1, top + 1):
            ways = [fewest[total - size] for size in sizes if size <= total and fewest[total - size] is not None]
            fewest[total] = min(ways) + 1 if ways else None
        total = next(total for total in range(demand, top + 1) if fewest[total] is not None)
        return total, fewest[total]

    def test_examples(self):
        """PRD-070: least over-production first, then fewest batches."""
        for demand, sizes, expected in (
                (1300, (100, 500), [(500, 2), (100, 3)]),
                (500, (100, 500), [(500, 1)]),
                (1, (100, 500), [(100, 1)]),
                (501, (100, 500), [(500, 1), (100, 1)]),
                (600, (200, 500), [(200, 3)]),          # 500 + 200 would be 100 too much
                (1100, (300, 500), [(500, 1), (300, 2)]),
                (900, (450, 300), [(450, 2)]),          # three of 300 are one batch more
                (4, (1, 3, 4), [(4, 1)]),
                (Decimal('1.0'), (Decimal('0.3'), Decimal('0.7')), [(Decimal('0.7'), 1), (Decimal('0.3'), 1)]),
                (Decimal('0.8'), (Decimal('0.3'), Decimal('0.7')), [(Decimal('0.3'), 3)]),
                (Decimal('1300.000001'), (100, 500), [(500, 2), (100, 4)]),
                (0, (100,), []), (-5, (100,), []), (5, (), [])):
            with self.subTest(demand=demand, sizes=sizes):
                self.assertEqual(split_into_batches(demand, sizes), expected)
                self.assertEqual(split_into_batches(demand, sorted(sizes, reverse=True)), expected)

    def test_optimal(self):
        """PRD-070: the same total and number of batches as by trying everything."""
        rng = random.Random(7)
        for _case in range(1500):
            sizes = rng.sample(range(1, rng.choice((6, 25, 90))), rng.randint(1, 5))
            demand = rng.randint(1, rng.choice((20, 400)))
            batches = split_into_batches(demand, sizes)
            self.assertEqual(
                (sum(size * number for size, number in batches), sum(number for _size, number in batches)),
                self._brute_force(demand, sizes), (demand, sizes, batches))
            factor = Decimal('0.001')
            self.assertEqual(
                split_into_batches(demand * factor, [size * factor for size in sizes]),
                [(size * factor, number) for size, number in batches])

    def test_optimal_small_exhaustive(self):
        """PRD-070: every pair and triple of sizes up to 8 and every demand up to 40."""
        for length in (2, 3):
            for sizes in itertools.combinations(range(1, 9), length):
                for demand in range(1, 41):
                    batches = split_into_batches(demand, sizes)
                    self.assertEqual(
                        (sum(size * number for size, number in batches), sum(number for _size, number in batches)),
                        self._brute_force(demand, sizes), (demand, sizes, batches))

    def test_bounded(self):
        """PRD-070: absurd demands and sizes without a common measure are met at once, and never short."""
        odd = [Decimal('99.999999'), Decimal(100), Decimal('33.333333'), Decimal('12.345678'), Decimal('7.000003')]
        for demand, sizes in (
                (10 ** 9, (100, 500)), (10 ** 9, (Decimal('0.3'), Decimal('0.7'))), (10 ** 9, odd),
                (Decimal('12345.678901'), odd), (10 ** 9, (997, 991, 983, 977, 97)), (999_999, (1, 1_000_000)),
                (10 ** 9 - 1, (2, 10 ** 8 + 1)), (Decimal('0.000001'), odd),
                (10 ** 12, [Decimal(size) / 7 for size in range(700, 712)])):
            with self.subTest(demand=demand, sizes=sizes):
                started = time.monotonic()
                batches = split_into_batches(demand, sizes)
                self.assertLess(time.monotonic() - started, 5)
                total = sum(size * number for size, number in batches)
                self.assertGreaterEqual(total, demand)
                self.assertLess(total - demand, max(sizes))
        self.assertLessEqual(MAX_COMBINATIONS, 1_000_000)

    def test_large_demand_is_exact(self):
        """PRD-070: how large the demand is does not matter: the optimum of 10⁹ + d is that of d and larger batches."""
        self.assertEqual(split_into_batches(10 ** 9 + 300, (100, 500)), [(500, 2_000_000), (100, 3)])
        batches = split_into_batches(10 ** 9, (997, 991, 983, 977, 97))
        self.assertEqual(sum(size * number for size, number in batches), 10 ** 9)

    def test_not_a_size(self):
        """MMR-030: a size of zero or less is no batch size."""
        for size in (0, -1):
            with self.assertRaises(ValueError):
                split_into_batches(10, (100, size))


class PlannerCommon(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.warehouse = cls.env['stock.warehouse'].search([('company_id', '=', cls.company.id)], limit=1)
        cls.customers = cls.env.ref('stock.stock_location_customers')
        cls.small = cls._make_effective(cls._create_mmr(100))
        cls.large = cls._make_effective(cls._create_mmr(500))
        cls.existing = cls.env['mrp.production'].search([])

    def _orders(self):
        """Return the orders of the product that this test made, oldest first."""
        return (self.env['mrp.production'].search([('product_id', '=', self.product.id)]) - self.existing).sorted('id')

    def _plan(self, user=None, **vals):
        return self.env['mrp.mmr.plan'].with_user(user or self.user_planner).create({
            'product_id': self.product.id, 'demand_qty': 1300, **vals})

    def _counts(self, plan):
        return {line.batch_size: line.batch_count for line in plan.line_ids}

    def _create_bom(self, product=None, component=None):
        """Return an ordinary bill of materials; Odoo makes nothing of a product without any."""
        return self.env['mrp.bom'].create({
            'product_tmpl_id': (product or self.product).product_tmpl_id.id, 'product_uom_id': self.kg.id,
            'bom_line_ids': [Command.create({
                'product_id': (component or self.component_a).id, 'product_qty': 1, 'product_uom_id': self.kg.id})]})

    def _retire_all(self):
        """Leave the product without a usable MMR."""
        for revision in (self.small, self.large):
            self._sign(revision, 'retire', self.user_qc, comment="x")
        return self._create_bom()

    def _deliver(self, quantity, make_to_order=True):
        """Return a confirmed delivery of the product."""
        if make_to_order:
            self.env.ref('stock.route_warehouse0_mto').active = True
        move = self.env['stock.move'].create({
            'product_id': self.product.id, 'product_uom': self.kg.id, 'product_uom_qty': quantity,
            'location_id': self.warehouse.lot_stock_id.id, 'location_dest_id': self.customers.id,
            'procure_method': 'make_to_order' if make_to_order else 'make_to_stock', 'origin': "SO42",
            'picking_type_id': self.warehouse.out_type_id.id, 'warehouse_id': self.warehouse.id,
            'date_deadline': '2030-03-01 10:00:00'})
        move._action_confirm()
        return move

    def _produce(self, orders):
        for order in orders:
            self._execute(order)
            order.button_mark_done()
            self.assertEqual(order.state, 'done')

    def _procure(self, quantity, unit=None, product=None, **values):
        self.env['stock.rule'].run([self.env['stock.rule'].Procurement(
            product or self.product, quantity, unit or self.kg, self.warehouse.lot_stock_id, "Need", "Need",
            self.company, {'warehouse_id': self.warehouse, 'date_planned': fields.Datetime.now(), **values})])


class TestPlan(PlannerCommon):
    """The dialog."""

    def test_proposal(self):
        """PRD-070: 1300 kg with 100 kg and 500 kg are two of 500 and three of 100."""
        plan = self._plan()
        self.assertEqual(plan.uom_id, self.kg)
        self.assertEqual(plan.formulation_code, "A")
        self.assertEqual(plan.line_ids.mapped('batch_size'), [500, 100])
        self.assertEqual(self._counts(plan), {500: 2, 100: 3})
        self.assertRecordValues(plan, [{'batch_count': 5, 'total_qty': 1300, 'over_qty': 0, 'missing_qty': 0}])
        action = plan.action_create_orders()
        orders = self.env['mrp.production'].search(action['domain'])
        self.assertEqual(orders, self._orders())
        self.assertEqual(sorted(orders.mapped('product_qty')), [100, 100, 100, 500, 500])
        self.assertEqual(set(orders.mapped('state')), {'draft'})
        self.assertEqual(orders.mmr_id, self.small.mmr_id | self.large.mmr_id)
        self.assertTrue(all(orders.mapped('move_raw_ids')))
        orders.action_confirm()
        self.assertTrue(all(orders.mapped('mmr_snapshot_sha256')))

    def test_confirm_at_once(self):
        """PRD-070, USE-010: the orders are confirmed with the dialog where the planner wants it."""
        self._plan(demand_qty=620).action_confirm_orders()
        self.assertRecordValues(self._orders(), [
            {'product_qty': 500, 'state': 'confirmed', 'mmr_revision_id': self.large.id},
            {'product_qty': 100, 'state': 'confirmed', 'mmr_revision_id': self.small.id},
            {'product_qty': 100, 'state': 'confirmed', 'mmr_revision_id': self.small.id}])

    def test_in_the_form(self):
        """PRD-070: the planner sees total and over-production change with the numbers and the demand."""
        form = Form(self._plan(demand_qty=0))
        form.demand_qty = 250
        self.assertEqual([form.line_ids.edit(index).batch_count for index in range(2)], [0, 3])
        self.assertEqual((form.total_qty, form.over_qty), (300, 50))
        with form.line_ids.edit(0) as line:
            line.batch_count = 1
        self.assertEqual((form.batch_count, form.total_qty, form.over_qty), (4, 800, 550))
        with form.line_ids.edit(1) as line:
            line.batch_count = 0
        self.assertEqual((form.total_qty, form.over_qty, form.missing_qty), (500, 250, 0))
        with form.line_ids.edit(0) as line:
            line.batch_count = 0
        self.assertEqual((form.total_qty, form.over_qty, form.missing_qty), (0, 0, 250))
        form.uom_id = self.gram
        self.assertEqual((form.total_qty, form.over_qty), (100, 99.75))
        plan = form.save()
        self.assertEqual(self._counts(plan), {500: 0, 100: 1})
        plan.action_create_orders()
        self.assertEqual(self._orders().mapped('product_qty'), [100])

    def test_date(self):
        """PRD-070: the orders start when the planner says."""
        self._plan(demand_qty=200, date_start='2031-05-06 07:08:00').action_create_orders()
        self.assertEqual(set(self._orders().mapped('date_start')), {fields.Datetime.to_datetime('2031-05-06 07:08:00')})

    def test_unit(self):
        """MMR-030: the demand is converted exactly, and refused in a unit of another kind."""
        plan = self._plan(demand_qty=1300000, uom_id=self.gram.id)
        self.assertEqual(self._counts(plan), {500: 2, 100: 3})
        plan = self._plan(demand_qty=100000.1, uom_id=self.gram.id)
        self.assertEqual(self._counts(plan), {500: 0, 100: 2})
        plan = self._plan(uom_id=self.litre.id)
        self.assertEqual(self._counts(plan), {500: 0, 100: 0})
        with self.assertRaisesRegex(UserError, r"(?s)cannot be converted to kg.*MMR-030"):
            plan.action_create_orders()

    def test_one_formulation(self):
        """MMR-030, USE-010: batches are of one formulation; with several the planner chooses."""
        other = self._make_effective(self._create_mmr(300, formulation_code="B"))
        plan = self._plan()
        self.assertEqual(plan.formulation_codes, ["A", "B"])
        self.assertFalse(plan.formulation_code)
        self.assertFalse(plan.line_ids)
        with self.assertRaisesRegex(UserError, "more than one formulation"):
            plan.action_create_orders()
        plan.formulation_code = "B"
        self.assertEqual(self._counts(plan), {300: 5})
        plan.formulation_code = "A"
        self.assertEqual(self._counts(plan), {500: 2, 100: 3})
        plan.line_ids = [Command.create({'mmr_id': other.mmr_id.id, 'batch_count': 1})]
        with self.assertRaisesRegex(UserError, "not an effective MMR of formulation A"):
            plan.action_create_orders()
        self.assertFalse(self._orders())

    def test_refusals(self):
        """USE-010, PRD-070: no demand, too little, too many, negative, retired in between."""
        with self.assertRaisesRegex(UserError, r"(?s)no demand.*PRD-070.*What you can do") as caught:
            self._plan(demand_qty=0).action_create_orders()
        self.assertIn(self.product.display_name, str(caught.exception))
        with self.assertRaisesRegex(UserError, "no demand"):
            self._plan(demand_qty=1e300).action_create_orders()
        plan = self._plan()
        plan.line_ids[0].batch_count = 1
        with self.assertRaisesRegex(UserError, r"(?s)make 800 kg.*1300 kg is needed"):
            plan.action_create_orders()
        plan.line_ids[0].batch_count = 201
        with self.assertRaisesRegex(UserError, "204 orders; at most 200"):
            plan.action_confirm_orders()
        absurd = self._plan(demand_qty=5e8)
        self.assertEqual(self._counts(absurd), {500: 1000000, 100: 0})
        with self.assertRaisesRegex(UserError, "1000000 orders; at most 200"):
            absurd.action_create_orders()
        plan = self._plan()
        self._sign(self.large, 'retire', self.user_qc, comment="x")
        with self.assertRaisesRegex(UserError, "(no|not an) effective MMR"):
            plan.action_create_orders()
        self.assertFalse(self._orders())
        with self.assertRaisesRegex(Exception, "batch_count_positive"), self.env.cr.savepoint():
            plan.line_ids[0].batch_count = -1
            plan.flush_recordset()

    def test_used_once(self):
        """PRD-070: a dialog that stays open, or two windows with it, do not make the demand twice."""
        plan = self._plan(demand_qty=200)
        plan.action_create_orders()
        orders = self._orders()
        self.assertEqual(plan.order_ids, orders)
        plan.demand_qty = 300
        for press in (plan.action_create_orders, plan.action_confirm_orders):
            with self.assertRaisesRegex(UserError, rf"{orders[0].name}.*(?s:.*)PRD-070"):
                press()
        self.assertEqual(self._orders(), orders)
        with patch.object(type(plan), 'try_lock_for_update', lambda records, **_options: records.browse()), \
                self.assertRaisesRegex(UserError, "being created right now"):
            self._plan(demand_qty=100).action_create_orders()
        self.assertEqual(self._orders(), orders)

    def test_unused_after_a_refusal(self):
        """PRD-070: a refused plan made nothing and is changed and used."""
        plan = self._plan(demand_qty=200)
        plan.line_ids.batch_count = 0
        with self.assertRefused('PRD-070'):
            plan.action_create_orders()
        plan.line_ids[0].batch_count = 2
        plan.action_create_orders()
        self.assertTrue(plan.order_ids)

    def test_rights(self):
        """PRD-070: planners plan; auditors do not."""
        for method in ('action_plan', 'action_new_order'):
            self.assertTrue(getattr(self.small.mmr_id.with_user(self.user_planner), method)())
        with self.assertRaises(AccessError):
            self.small.mmr_id.with_user(self.user_auditor).action_plan()
        with self.assertRaises(AccessError):
            self._plan(user=self.user_auditor)
        plan = self._plan()
        with self.assertRaises(AccessError):
            plan.with_user(self.user_auditor).action_create_orders()

    def test_hostile_context(self):
        """PRD-070: defaults in the context of the call do not reach the orders and their moves."""
        plan = self._plan(demand_qty=200)
        plan.with_context(
            default_product_qty=7, default_state='confirmed', default_product_id=self.component_a.id,
            default_mmr_controlled=False, default_origin="X").action_create_orders()
        self.assertRecordValues(self._orders(), [
            {'product_qty': 100, 'state': 'draft', 'origin': False, 'mmr_controlled': True}] * 2)
        self.assertEqual(self._orders().move_raw_ids.mapped('product_uom_qty'), [90, 10, 90, 10])

    def test_other_company(self):
        """USE-010: the sizes of one company are not those of another."""
        other = self.env['res.company'].create({'name': "Other"})
        self.user_planner.company_ids += other
        plan = self.env['mrp.mmr.plan'].with_user(self.user_planner).with_context(
            allowed_company_ids=[self.company.id, other.id]).create({
                'product_id': self.product.id, 'demand_qty': 100, 'company_id': other.id})
        self.assertFalse(plan.line_ids)
        self.assertFalse(plan.formulation_count)

    def test_opened_from_masters_and_product(self):
        """PRD-070: the dialog opens from the MMR, the list and the product and proposes the shortage."""
        self._deliver(250, make_to_order=False)
        for action in (
                self.small.mmr_id.with_user(self.user_planner).action_plan(),
                (self.small | self.large).mmr_id.with_user(self.user_planner).action_plan(),
                self.product.product_tmpl_id.with_user(self.user_planner).action_mmr_plan()):
            self.assertEqual(action['target'], 'new')
            self.assertNotIn('context', action)
            plan = self.env['mrp.mmr.plan'].browse(action['res_id'])
            self.assertRecordValues(plan, [{
                'product_id': self.product.id, 'formulation_code': "A", 'demand_qty': 250, 'total_qty': 300}])
        mixed = (self.small | self._create_mmr(50, formulation_code="B")).mmr_id
        with self.assertRaisesRegex(UserError, r"(?s)one product and one formulation.*MMR-030"):
            mixed.action_plan()
        with self.assertRaisesRegex(UserError, "one product and one formulation"):
            self.env['mrp.mmr'].action_plan()


class TestSplit(PlannerCommon):
    """The draft order that is no available size."""

    def _split(self, order, user=None):
        action = order.with_user(user or self.user_planner).action_mmr_split()
        return self.env['mrp.mmr.plan'].with_user(user or self.user_planner).browse(action['res_id'])

    def test_split(self):
        """PRD-070, USE-020: the draft becomes the first batch, the others stand beside it for the same demand."""
        order = self._create_order(1300)
        order.write({'origin': "SO7", 'priority': '1', 'date_deadline': '2030-01-01', 'date_start': '2029-12-01'})
        self.assertTrue(order.mmr_other_size)
        plan = self._split(order)
        self.assertEqual(plan.demand_qty, 1300)
        plan.action_create_orders()
        orders = self._orders()
        self.assertEqual(orders[0], order)
        self.assertEqual(orders.mapped('product_qty'), [500, 500, 100, 100, 100])
        self.assertEqual(orders.mapped('mmr_other_size'), [False] * 5)
        for name in ('origin', 'priority', 'date_deadline', 'date_start', 'user_id', 'picking_type_id', 'location_dest_id'):
            self.assertEqual(orders.mapped(name), order.mapped(name) * 5 if not order._fields[name].relational else order[name])
        for batch in orders:
            self.assertTrue([body for body in batch.message_ids.mapped('body') if orders[-1].name in body])
        orders.action_confirm()
        self.assertTrue(all(orders.mapped('mmr_snapshot_sha256')))

    def test_split_and_confirm(self):
        """PRD-070: in another unit, and confirmed at once."""
        order = self._create_order(250000, unit=self.gram)
        self._split(order).action_confirm_orders()
        self.assertRecordValues(self._orders(), [
            {'product_qty': 100, 'product_uom_id': self.kg.id, 'state': 'confirmed'}] * 3)

    def test_smaller_than_every_size(self):
        """PRD-070: a demand below the smallest size is one batch of it: the draft itself."""
        order = self._create_order(20)
        plan = self._split(order)
        self.assertEqual((plan.batch_count, plan.over_qty), (1, 80))
        action = plan.action_create_orders()
        self.assertEqual(action['res_id'], order.id)
        self.assertEqual(order.product_qty, 100)

    def test_demand_is_kept(self):
        """PRD-070, USE-020: less than the order's demand is refused, whatever the dialog was made to say."""
        order = self._create_order(1300)
        plan = self._split(order)
        plan.line_ids[1].batch_count = 2
        with self.assertRaisesRegex(UserError, "make 1200 kg"):
            plan.action_create_orders()
        plan.demand_qty = 100
        with self.assertRaisesRegex(UserError, "was changed after"):
            plan.action_create_orders()
        other = self._split(order)
        order.product_qty = 1350
        with self.assertRaisesRegex(UserError, "was changed after"):
            other.action_create_orders()
        self.assertEqual(self._orders(), order)
        self.assertEqual(order.product_qty, 1350)

    def test_not_twice(self):
        """PRD-070: the demand of an order is split once."""
        order = self._create_order(1300)
        first, second = self._split(order), self._split(order)
        first.action_create_orders()
        with self.assertRaisesRegex(UserError, "nothing to split"):
            second.action_create_orders()
        self.assertEqual(len(self._orders()), 5)

    def test_not_at_the_same_moment(self):
        """PRD-070: an order that another transaction holds is refused with a reason."""
        plan = self._split(self._create_order(1300))
        production = type(self.env['mrp.production'])
        with patch.object(production, 'try_lock_for_update', lambda self, **kwargs: self.browse()), \
                self.assertRaisesRegex(UserError, r"(?s)Somebody else is changing.*PRD-070"):
            plan.action_create_orders()

    def test_refusals(self):
        """USE-010, USE-020: available size, confirmed, uncontrolled, no MMR, no right."""
        order = self._create_order(100)
        with self.assertRaisesRegex(UserError, "nothing to split"):
            order.action_mmr_split()
        order.action_confirm()
        with self.assertRaisesRegex(UserError, r"(?s)not a draft of a controlled product.*USE-020"):
            order.action_mmr_split()
        with self.assertRaisesRegex(UserError, "not a draft of a controlled product"):
            self._create_order(3, product=self.component_a).action_mmr_split()
        order = self._create_order(130)
        with self.assertRaises(AccessError):
            order.with_user(self.user_auditor).action_mmr_split()
        plan = self._split(order)
        self._retire_all()
        with self.assertRaisesRegex(UserError, r"(?s)no effective MMR.*USE-010"):
            order.action_mmr_split()
        with self.assertRaisesRegex(UserError, "(no|not an) effective MMR"):
            plan.action_create_orders()
        self.assertEqual(order.product_qty, 130)

    def test_formulation_of_the_order(self):
        """MMR-030: an order on an MMR's bill of materials keeps its formulation; else the planner chooses."""
        other = self._make_effective(self._create_mmr(300, formulation_code="B"))
        order = self._create_order(130)
        order.bom_id = other.bom_id
        order.product_qty = 130
        plan = self._split(order)
        self.assertEqual((plan.formulation_code, self._counts(plan)), ("B", {300: 1}))
        order.bom_id = False
        plan = self._split(order)
        self.assertFalse(plan.formulation_code)

    def test_split_make_to_order(self):
        """PRD-070: whoever waits for the goods is served by all batches; nothing is promised twice."""
        self._retire_all()
        delivery = self._deliver(1300)
        order = self._orders()
        self.assertRecordValues(order, [{'product_qty': 1300, 'state': 'draft', 'origin': "SO42"}])
        self.assertTrue([body for body in order.message_ids.mapped('body') if "USE-010" in body])
        self._make_effective(self._new_revision(self.small))
        self._make_effective(self._new_revision(self.large))
        deadline, references = order.date_deadline, order.reference_ids
        self.assertTrue(deadline)
        self._split(order).action_create_orders()
        orders = self._orders()
        self.assertEqual(len(orders), 5)
        self.assertEqual(set(orders.mapped('origin')), {"SO42"})
        self.assertEqual(set(orders.mapped('date_deadline')), {deadline})
        self.assertEqual(orders.reference_ids, references)
        self.assertEqual(delivery.move_orig_ids, orders.move_finished_ids)
        # A draft that is moved in time makes its moves anew.
        orders[2].date_start = '2029-01-01'
        self.env.flush_all()
        self.assertEqual(delivery.move_orig_ids, orders.move_finished_ids)
        orders.action_confirm()
        self.assertEqual(delivery.state, 'waiting')
        self._produce(orders)
        # What was made waits in quarantine first (REL-010).
        self.assertEqual((delivery.state, delivery.quantity), ('waiting', 0))
        for order in orders:
            self._release(order.bpr_id)
        self.assertEqual((delivery.state, delivery.quantity), ('assigned', 1300))


class TestProcurement(PlannerCommon):

    def test_sizes(self):
        """PRD-070, USE-010: procurement makes 1300 kg as 2 × 500 and 3 × 100, all confirmed."""
        self._procure(1300)
        self.assertEqual(self._orders().mapped('product_qty'), [500, 500, 100, 100, 100])
        self.assertEqual(set(self._orders().mapped('state')), {'confirmed'})
        self.assertTrue(all(self._orders().mapped('mmr_snapshot_sha256')))
        self.assertEqual(set(self._orders().mapped('origin')), {"Need"})

    def test_another_unit_and_noise(self):
        """MMR-030: the demand is compared exactly, whatever its unit and the noise of floats."""
        self._procure(600000, unit=self.gram)
        self.assertEqual(self._orders().mapped('product_qty'), [500, 100])
        self.existing |= self._orders()
        self._procure(100.1 * 3 - 0.3 + 1e-11)
        self.assertEqual(self._orders().mapped('product_qty'), [100, 100, 100])

    def test_never_added(self):
        """USE-020: a later demand never grows an order, confirmed or draft."""
        self._procure(100)
        first = self._orders()
        self._procure(100)
        self._procure(40)
        self.assertEqual(self._orders().mapped('product_qty'), [100, 100, 100])
        self.assertEqual(first.product_qty, 100)
        self._retire_all()
        self.existing |= self._orders()
        self._procure(40)
        self._procure(50)
        self.assertRecordValues(self._orders(), [
            {'product_qty': 40, 'state': 'draft'}, {'product_qty': 50, 'state': 'draft'}])

    def test_order_confirmed_before_control(self):
        """USE-020: nothing is added to an order that was confirmed before the product came under control."""
        product = self.env['product.product'].create({
            'name': "Later controlled", 'type': 'consu', 'is_storable': True, 'uom_id': self.kg.id})
        self._create_bom(product)
        self._procure(10, product=product)
        order = self.env['mrp.production'].search([('product_id', '=', product.id)])
        self.assertEqual(order.state, 'confirmed')
        product.mmr_controlled = True
        self._procure(5, product=product)
        new = self.env['mrp.production'].search([('product_id', '=', product.id)]) - order
        self.assertRecordValues(new, [{'product_qty': 5, 'state': 'draft'}])
        self.assertEqual(order.product_qty, 10)

    def test_make_to_order(self):
        """PRD-070: all batches serve the delivery; what is made covers the demand."""
        delivery = self._deliver(1250)
        orders = self._orders()
        self.assertEqual(orders.mapped('product_qty'), [500, 500, 100, 100, 100])
        self.assertGreaterEqual(sum(orders.mapped('product_qty')), delivery.product_uom_qty)
        self.assertEqual(delivery.move_orig_ids, orders.move_finished_ids)
        self._produce(orders)
        # What was made waits in quarantine first (REL-010).
        self.assertEqual((delivery.state, delivery.quantity), ('waiting', 0))
        for order in orders[1:]:
            self._release(order.bpr_id)
        self.assertEqual((delivery.state, delivery.quantity), ('partially_available', 800))
        self._release(orders[0].bpr_id)
        self.assertEqual((delivery.state, delivery.quantity), ('assigned', 1250))

    def test_component_of_another_product(self):
        """PRD-070: batches made for an order of another product are its children and serve its component."""
        self.env.ref('stock.route_warehouse0_mto').active = True
        self.product.route_ids = [Command.link(self.env.ref('stock.route_warehouse0_mto').id)]
        kit = self.env['product.product'].create({'name': "Filled bottles", 'is_storable': True, 'uom_id': self.kg.id})
        bom = self._create_bom(kit, self.product)
        for split in (False, True):
            with self.subTest(split=split):
                if split:
                    self.existing |= self._orders()
                    plain = self._retire_all()
                parent = self.env['mrp.production'].create({
                    'product_id': kit.id, 'bom_id': bom.id, 'product_qty': 620, 'product_uom_id': self.kg.id})
                parent.action_confirm()
                if split:
                    order = self._orders()
                    self.assertRecordValues(order, [{'product_qty': 620, 'state': 'draft', 'bom_id': plain.id}])
                    for revision in (self.small, self.large):
                        self._make_effective(self._new_revision(revision))
                    action = order.with_user(self.user_planner).action_mmr_split()
                    self.env['mrp.mmr.plan'].browse(action['res_id']).action_confirm_orders()
                orders = self._orders()
                self.assertEqual(orders.mapped('product_qty'), [500, 100, 100])
                self.assertEqual(set(orders.mapped('state')), {'confirmed'})
                self.assertEqual(parent._get_children(), orders)
                for order in orders:
                    self.assertEqual(order._get_sources(), parent)
                self.assertEqual(parent.move_raw_ids.move_orig_ids, orders.move_finished_ids)

    def test_formulations(self):
        """MMR-030, USE-010: one formulation per procurement; where it is open, the demand waits for a person."""
        other = self._make_effective(self._create_mmr(300, formulation_code="B"))
        self._procure(600, bom_id=other.bom_id)
        self.assertEqual(self._orders().mapped('product_qty'), [300, 300])
        self.existing |= self._orders()
        plain = self._create_bom()
        self._procure(620, bom_id=plain)
        self.assertRecordValues(self._orders(), [{'product_qty': 620, 'state': 'draft', 'bom_id': plain.id}])

    def test_superseded_bom(self):
        """USE-010: a rule that names the bill of materials of a former revision makes the sizes of today."""
        former = self.small.bom_id
        successor = self._make_effective(self._new_revision(self.small))
        self._procure(100, bom_id=former)
        self.assertRecordValues(self._orders(), [{'state': 'confirmed', 'mmr_revision_id': successor.id}])

    def test_absurd_demand_is_kept(self):
        """PRD-070: a demand of a million batches stays one draft."""
        self._procure(1e8)
        self.assertRecordValues(self._orders(), [{'product_qty': 1e8, 'state': 'draft'}])
        self.assertTrue([body for body in self._orders().message_ids.mapped('body') if "USE-010" in body])

    def test_reordering_rule(self):
        """PRD-070: a reordering rule orders the best sizes once; what cannot be made does not stop the others."""
        orderpoint, other = self.env['stock.warehouse.orderpoint'].create([
            {'product_id': product.id, 'product_min_qty': 650, 'product_max_qty': 650,
             'location_id': self.warehouse.lot_stock_id.id}
            for product in (self.product, self.component_a)])
        self._create_bom(self.component_a, self.component_b)
        (orderpoint | other).action_replenish()
        self.assertEqual(self._orders().mapped('product_qty'), [500, 100, 100])
        self.assertEqual(set(self._orders().mapped('state')), {'confirmed'})
        self.assertEqual(self._orders().orderpoint_id, orderpoint)
        self.assertEqual(orderpoint.qty_to_order, 0)
        # Without any MMR.
        self._orders().action_cancel()
        self.existing |= self._orders()
        self._retire_all()
        other.product_min_qty = other.product_max_qty = 1000
        self.env.invalidate_all()
        for _day in range(2):
            (orderpoint | other)._procure_orderpoint_confirm(company_id=self.company)
            self.env.flush_all()
            self.env.invalidate_all()
        self.assertRecordValues(self._orders(), [{'product_qty': 650, 'state': 'draft'}])
        self.assertTrue([body for body in self._orders().message_ids.mapped('body') if "USE-010" in body])
        self.assertEqual(
            set(self.env['mrp.production'].search([('orderpoint_id', '=', other.id)]).mapped('state')), {'confirmed'})

    def test_drafts_of_every_size_count(self):
        """PRD-070: a draft of a size that is not Odoo's first bill of materials is counted as on its way."""
        orderpoint = self.env['stock.warehouse.orderpoint'].create({
            'product_id': self.product.id, 'product_min_qty': 600, 'product_max_qty': 600,
            'location_id': self.warehouse.lot_stock_id.id})
        orders = self.env['mrp.production'].create([
            {'product_id': self.product.id, 'bom_id': revision.bom_id.id, 'orderpoint_id': orderpoint.id}
            for revision in (self.small, self.large)])
        self.assertEqual(orders.mapped('product_qty'), [100, 500])
        self.assertEqual(orderpoint._quantity_in_progress(), {orderpoint.id: 600})
        orderpoint.invalidate_recordset()
        self.assertEqual(orderpoint.qty_to_order, 0)

    def test_user_without_manufacturing_rights(self):
        """PRD-070: whoever sells or ships may cause orders without being able to write one."""
        user = new_test_user(self.env, login='t_stock', groups='stock.group_stock_user')
        self.env['stock.rule'].with_user(user).sudo().run([self.env['stock.rule'].Procurement(
            self.product, 150, self.kg, self.warehouse.lot_stock_id, "Need", "Need", self.company,
            {'warehouse_id': self.warehouse, 'date_planned': fields.Datetime.now()})])
        self.assertEqual(self._orders().mapped('product_qty'), [100, 100])


class TestMatrix(PlannerCommon):

    def _data(self, user=None, **kwargs):
        return self.env['mrp.mmr'].with_user(user or self.user_planner).get_planner_data(**kwargs)

    def _row(self, formulation="A", **kwargs):
        rows = [row for row in self._data(**kwargs)['rows']
                if row['product_id'] == self.product.id and row['formulation'] == formulation]
        self.assertEqual(len(rows), 1)
        return rows[0]

    def test_cells(self):
        """PRD-070: a row per formulation, a cell per batch size, with revision, review and open orders."""
        today = fields.Date.context_today(self.small)
        masters = (self.small | self.large).mmr_id
        with transition(masters):
            masters[0].date_next_review = today - timedelta(days=1)
            masters[1].date_next_review = today
        self._new_revision(self.small)
        draft = self._create_mmr(50)
        orders = self._create_order(100) | self._create_order(100) | self._create_order(500)
        orders[0].action_confirm()
        orders[2].action_confirm()
        orders[2].action_cancel()
        row = self._row()
        self.assertEqual((row['unit'], row['company'], row['on_hand']), ("kg", False, 0))
        self.assertEqual([(cell['batch_size'], cell['unit']) for cell in row['cells']], [(50, "kg"), (100, "kg"), (500, "kg")])
        fifty, small, large = row['cells']
        self.assertEqual(
            (fifty['name'], fifty['revision'], fifty['open_revision'], fifty['open_state']),
            (draft.mmr_id.name, False, 1, 'draft'))
        self.assertEqual((small['revision'], small['open_revision'], small['open_state_label']), (1, 2, "draft"))
        self.assertTrue(small['review_overdue'])
        self.assertEqual((large['open_revision'], large['review'], large['review_overdue']),
                         (False, fields.Date.to_string(today), False))
        self.assertEqual([cell['order_count'] for cell in row['cells']], [0, 2, 0])
        for cell in row['cells']:
            self.assertEqual(
                self.env['mrp.production'].search_count(
                    [('mmr_id', '=', cell['id']), ('state', 'not in', ('done', 'cancel'))]), cell['order_count'])

    def test_orders_of_former_revisions_count(self):
        """PRD-070: an order that runs on the former revision is still an open order of its size."""
        order = self._create_order(100)
        order.action_confirm()
        self._make_effective(self._new_revision(self.small))
        [cell] = [cell for cell in self._row()['cells'] if cell['id'] == self.small.mmr_id.id]
        self.assertEqual((cell['revision'], cell['order_count']), (2, 1))
        self.assertEqual(
            self.env['mrp.production'].search([('mmr_id', '=', cell['id']), ('state', 'not in', ('done', 'cancel'))]), order)

    def test_quantities(self):
        """PRD-070: on hand and open demand are of the product; confirmed orders lower it, and a surplus is none."""
        self._lay(self.product, self.warehouse.lot_stock_id, 30)
        self._deliver(250, make_to_order=False)
        row = self._row()
        self.assertEqual((row['on_hand'], row['open_demand'], row['forecast']), (30, 250, -220))
        self._plan(demand_qty=220).action_confirm_orders()
        self.env.invalidate_all()
        row = self._row()
        self.assertEqual((row['on_hand'], row['open_demand'], row['forecast']), (30, 0, 80))

    def test_rows(self):
        """PRD-070: formulations have rows of their own; a controlled product without MMR is shown, too."""
        self._create_mmr(10, formulation_code="B")
        bare = self.env['product.product'].create({'name': "Bare tablets", 'mmr_controlled': True})
        self._create_mmr(10, product_id=self.component_b.id)    # a draft alone controls nothing
        rows = self._data(limit=200)['rows']
        self.assertEqual(len({row['key'] for row in rows}), len(rows))
        self.assertEqual(
            [row['formulation'] for row in rows if row['product_id'] == self.product.id], ["A", "B"])
        self.assertEqual([(row['formulation'], row['cells']) for row in rows if row['product_id'] == bare.id], [(False, [])])
        for product in (self.component_a, self.component_b):
            self.assertNotIn(product.id, [row['product_id'] for row in rows])
        self.assertEqual([row['product'] for row in self._data(search="bare tab")['rows']], ["Bare tablets"])

    def test_search_and_pages(self):
        """PRD-070: part of the product, the formulation or the number finds rows; pages do not overlap."""
        number = self._create_mmr(10, formulation_code="SPECIAL").mmr_id.name
        for search, expected in (("SPECIAL", ["SPECIAL"]), (number, ["SPECIAL"]), ("VC500", ["A", "SPECIAL"]),
                                 ("Vitamin C", ["A", "SPECIAL"]), ("no such thing", []), (" SPECIAL ", ["SPECIAL"])):
            with self.subTest(search=search):
                data = self._data(search=search)
                rows = [row for row in data['rows'] if row['product_id'] == self.product.id]
                self.assertEqual([row['formulation'] for row in rows], expected)
        # A search for one number shows the formulation with all its sizes.
        self.assertEqual(len(self._row(search=self.small.mmr_id.name)['cells']), 2)
        every = [row['key'] for row in self._data(limit=200)['rows']]
        self.assertEqual(self._data()['total'], len(every))
        pages = [self._data(offset=offset, limit=1)['rows'][0]['key'] for offset in range(len(every))]
        self.assertEqual(pages, every)
        self.assertEqual(len(self._data(limit=0)['rows']), 1)
        with self.assertRefused('SEC-020'):
            self._data(offset=-5)

    def test_rights(self):
        """PRD-070: the planner may plan, the auditor sees the same and may not, others see nothing."""
        self.assertTrue(self._data()['can_plan'])
        auditor = self._data(user=self.user_auditor)
        self.assertFalse(auditor['can_plan'])
        self.assertEqual(auditor['rows'], self._data()['rows'])
        with self.assertRaises(AccessError):
            self._data(user=new_test_user(self.env, login='t_nobody', groups='base.group_user'))
        self.assertTrue(self.env['mrp.mmr'].get_planner_data._readonly)

    def test_companies(self):
        """PRD-070: rows and quantities are of the companies that the user works in."""
        other = self.env['res.company'].create({'name': "Other GMP site"})
        warehouse = self.env['stock.warehouse'].search([('company_id', '=', other.id)], limit=1)
        users = self.user_planner | self.user_preparer
        users.company_ids += other
        self.env['mrp.mmr'].with_user(self.user_preparer).with_context(
            allowed_company_ids=[other.id]).create({
                'product_id': self.product.id, 'formulation_code': "A", 'batch_size': 20, 'company_id': other.id})
        self._lay(self.product, warehouse.lot_stock_id, 7)
        one = self.env['mrp.mmr'].with_user(self.user_planner).with_context(
            allowed_company_ids=self.company.ids).get_planner_data(search="VC500")
        self.assertEqual([(row['company'], row['on_hand'], len(row['cells'])) for row in one['rows']], [(False, 0, 2)])
        both = self.env['mrp.mmr'].with_user(self.user_planner).with_context(
            allowed_company_ids=[self.company.id, other.id]).get_planner_data(search="VC500")
        self.assertEqual(
            sorted((row['company'], row['on_hand'], len(row['cells'])) for row in both['rows']),
            sorted([(self.company.name, 0, 2), ("Other GMP site", 7, 1)]))

    def test_query_count(self):
        """PRD-070: 10 or 200 masters cost the same queries."""
        def count():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            data = self._data(search="Matrix", limit=40)
            return self.env.cr.sql_log_count - before, data

        def create(number, products):
            made = self.env['product.product'].create([
                {'name': f"Matrix {number}/{position}", 'is_storable': True, 'uom_id': self.kg.id, 'mmr_controlled': True}
                for position in range(products)])
            self.env['mrp.mmr'].with_user(self.user_preparer).create([
                {'product_id': made[position % products].id, 'formulation_code': "A", 'batch_size': 10 + position}
                for position in range(number)])

        self.startPatcher(patch('random.random', return_value=1))
        create(10, 5)
        count()
        few, data = count()
        self.assertEqual((data['total'], sum(len(row['cells']) for row in data['rows'])), (5, 10))
        create(190, 30)
        count()
        many, data = count()
        self.assertEqual((data['total'], sum(len(row['cells']) for row in data['rows'])), (35, 200))
        self.assertEqual(few, many)
        self.assertLessEqual(many, 40)


@tagged('post_install', '-at_install')
class TestPlannerTour(PlannerCommon, HttpCase):

    def test_matrix_to_orders(self):
        """PRD-070: from the matrix by the dialog to the orders, in the browser; the auditor has no buttons."""
        self._deliver(1250, make_to_order=False)
        self.start_tour('/odoo/mmr-planner', 'mrp_mmr_planner', login='t_planner')
        orders = self._orders()
        self.assertEqual(sorted(orders.mapped('product_qty')), [100, 100, 100, 100, 500, 500])
        self.assertEqual(set(orders.mapped('state')), {'confirmed'})
        self.start_tour('/odoo/mmr-planner', 'mrp_mmr_planner_auditor', login='t_auditor')

    def test_split_in_the_form(self):
        """PRD-070: an order of no available size is split from its form."""
        order = self._create_order(1300)
        self.start_tour(f'/odoo/manufacturing/{order.id}', 'mrp_mmr_split', login='t_planner')
        self.assertEqual(self._orders().mapped('product_qty'), [500, 500, 100, 100, 100])

    def test_remote_call(self):
        """PRD-070: the data come over the read-only road of the web client."""
        self.authenticate('t_auditor', PASSWORD)
        answer = self.make_jsonrpc_request('/web/dataset/call_kw/mrp.mmr/get_planner_data', {
            'model': 'mrp.mmr', 'method': 'get_planner_data', 'args': [], 'kwargs': {'search': "VC500"}})
        self.assertEqual(len(answer['rows']), 1)
