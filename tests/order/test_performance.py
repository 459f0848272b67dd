"""What the addon costs, counted in SQL queries; time is measured by ``dev/bench``."""

import functools
import json
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from odoo import fields
from odoo.fields import Command

from odoo.addons.mrp_mmr.domain.canonical import sha256

from ..common.base import MmrCommon

#: The models whose overrides lie on the way of every order.
MODELS = (
    'mrp.production', 'mrp.workorder', 'stock.move', 'stock.move.line', 'stock.rule', 'mrp.bom', 'mrp.bom.line',
    'product.product', 'product.template', 'stock.warehouse.orderpoint',
)
ADDON = 'odoo.addons.mrp_mmr.'


class TestPerformance(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.revision = cls._create_mmr()
        cls.uncontrolled = cls.env['product.product'].create({
            'name': "Uncontrolled tablets", 'type': 'consu', 'is_storable': True, 'uom_id': cls.kg.id})
        cls.bom = cls.env['mrp.bom'].create({
            'product_tmpl_id': cls.uncontrolled.product_tmpl_id.id, 'product_id': cls.uncontrolled.id,
            'product_qty': 100.0, 'product_uom_id': cls.kg.id, 'company_id': cls.company.id,
            'operation_ids': [
                Command.create({'name': name, 'workcenter_id': cls.workcenter.id, 'sequence': sequence})
                for sequence, name in enumerate(("Weighing", "Blending"), 1)],
            'bom_line_ids': [
                Command.create({'product_id': component.id, 'product_qty': quantity, 'product_uom_id': cls.kg.id})
                for component, quantity in ((cls.component_a, 90.0), (cls.component_b, 10.0))],
        })
        for line, operation in zip(cls.bom.bom_line_ids, cls.bom.operation_ids, strict=True):
            line.operation_id = operation

    def setUp(self):
        super().setUp()
        # Odoo's bus cleans up at random.
        self.startPatcher(patch('random.random', return_value=1))

    # === TOOLS === #

    @contextmanager
    def _without_addon(self):
        """Let every override of the addon do what the method below it does, and nothing else.

        Fields, views and triggers stay; they belong to the database.
        """
        with ExitStack() as stack:
            for model in MODELS:
                model_class = type(self.env[model])
                classes = model_class.__mro__
                for position, definition in enumerate(classes):
                    if not definition.__module__.startswith(ADDON):
                        continue
                    for name, function in vars(definition).items():
                        below = any(name in vars(other) for other in classes[position + 1:])
                        if callable(function) and below and not name.startswith('__'):
                            stack.enter_context(patch.object(
                                definition, name, self._pass_on(definition, name, function)))
                stack.enter_context(patch.object(model_class, '_ondelete_methods', [
                    method for method in self.env[model]._ondelete_methods
                    if not method.__module__.startswith(ADDON)]))
            yield

    @staticmethod
    def _pass_on(definition, name, function):
        @functools.wraps(function)
        def pass_on(self, *args, **kwargs):
            return getattr(super(definition, self), name)(*args, **kwargs)
        return pass_on

    def _count(self, function):
        """Return how many queries ``function`` and the flush after it need, as in a request of its own."""
        cr = self.env.cr
        cr.flush()
        self.env.invalidate_all()
        before = cr.sql_log_count
        function()
        cr.flush()
        return cr.sql_log_count - before

    def _order_vals(self, product, bom):
        return {'product_id': product.id, 'bom_id': bom.id, 'product_qty': bom.product_qty,
                'product_uom_id': bom.product_uom_id.id}

    def _create_orders(self, vals_list):
        return self.env['mrp.production'].with_user(self.user_planner).create([dict(vals) for vals in vals_list])

    @contextmanager
    def _rolled_back(self):
        """Take back what is done inside, so that everything is counted in the same state."""
        savepoint = self.env.cr.savepoint(flush=True)
        try:
            yield
        finally:
            savepoint.close(rollback=True)
            self.env.invalidate_all(flush=False)

    def _count_steps(self, vals_list):
        """Return the queries to create and to confirm orders; the orders are taken back.

        They are done before once, so that nothing is counted that is read once per process.
        """
        for _warm_up_and_count in range(2):
            with self._rolled_back():
                orders = []
                created = self._count(lambda orders=orders: orders.append(self._create_orders(vals_list)))
                confirmed = self._count(orders[0].action_confirm)
                self.assertEqual(set(orders[0].mapped('state')), {'confirmed'})
        return created, confirmed

    def _count_added(self, number):
        """Return what confirming controlled orders needs more than uncontrolled ones of the same content."""
        uncontrolled = self._count_steps([self._order_vals(self.uncontrolled, self.bom)] * number)[1]
        controlled = self._count_steps([self._order_vals(self.product, self.revision.bom_id)] * number)[1]
        return controlled - uncontrolled

    # === UNCONTROLLED PRODUCTS === #

    def test_uncontrolled_orders_need_no_query_more(self):
        """USE-010: creating and confirming orders of other products needs not one query more than without the addon."""
        self._make_effective(self.revision)
        for number in (1, 5):
            vals_list = [self._order_vals(self.uncontrolled, self.bom)] * number
            created, confirmed = self._count_steps(vals_list)
            with self._without_addon():
                plain_created, plain_confirmed = self._count_steps(vals_list)
            with self.subTest(step="confirm", orders=number):
                self.assertLessEqual(confirmed, plain_confirmed)
            with self.subTest(step="create", orders=number):
                self.assertLessEqual(created, plain_created)

    def test_uncontrolled_release_needs_no_query(self):
        """USE-010: the release does not look at orders of other products beyond the flag of the product."""
        self._make_effective(self.revision)
        orders = self._create_orders([self._order_vals(self.uncontrolled, self.bom)] * 3)
        self.env.flush_all()
        orders.product_id.mapped('mmr_controlled')
        orders.mapped('mmr_controlled')
        with self.assertQueryCount(0):
            orders._mmr_release_to_floor()

    def _count_procurement(self, number, by_rule):
        """Return the queries of ``number`` procurements of the uncontrolled product, taken back afterwards."""
        warehouse = self.env['stock.warehouse'].search([('company_id', '=', self.company.id)], limit=1)
        for _warm_up_and_count in range(2):
            with self._rolled_back():
                before = self.env['mrp.production'].search([])
                if by_rule:
                    orderpoint = self.env['stock.warehouse.orderpoint'].create({
                        'product_id': self.uncontrolled.id, 'product_min_qty': 50 * number, 'product_max_qty': 50 * number,
                        'location_id': warehouse.lot_stock_id.id})
                    counted = self._count(lambda rule=orderpoint: rule._procure_orderpoint_confirm(company_id=self.company))
                else:
                    needs = [self.env['stock.rule'].Procurement(
                        self.uncontrolled, 50, self.kg, warehouse.lot_stock_id, "Need", f"Need {position}", self.company,
                        {'warehouse_id': warehouse, 'date_planned': fields.Datetime.now()}) for position in range(number)]
                    counted = self._count(lambda needs=needs: self.env['stock.rule'].run(needs))
                made = self.env['mrp.production'].search([]) - before
                self.assertEqual(sum(made.mapped('product_qty')), 50 * number)
                self.assertEqual(set(made.mapped('state')), {'confirmed'})
        return counted

    def test_uncontrolled_procurement_needs_no_query_more(self):
        """USE-010, PRD-070: procurement of other products needs not one query more than without the addon."""
        self._make_effective(self.revision)
        for number, by_rule in ((1, False), (5, False), (1, True)):
            with self.subTest(procurements=number, by_rule=by_rule):
                counted = self._count_procurement(number, by_rule)
                with self._without_addon():
                    plain = self._count_procurement(number, by_rule)
                self.assertLessEqual(counted, plain)

    # === CONTROLLED PRODUCTS === #

    def test_queries_do_not_grow_with_orders(self):
        """USE-010: confirming controlled orders adds the same few queries, however many they are.

        For each of their components they need one query less than other orders: nobody looks for kits.
        """
        self._make_effective(self.revision)
        added = {number: self._count_added(number) for number in (1, 10, 20)}
        saved = len(self.revision.bom_line_ids)
        self.assertEqual({number: queries + saved * number for number, queries in added.items()},
                         dict.fromkeys(added, added[1] + saved), added)
        # 20 of the release itself, 4 of its lines in the ledger, 9 of the batch records with all their steps, 1 of the
        # legal holds of their masters, 1 that looks for kits among all components, 4 of the keys that signed the master.
        self.assertLessEqual(added[1] + saved, 39)

    def test_snapshot_is_serialised_once(self):
        """USE-030: the snapshot of a revision is serialised once, for digest and storage, whatever the number of orders."""
        self._make_effective(self.revision)
        original = json.dumps
        for number in (1, 10):
            serialised = []

            def dumps(content, *args, serialised=serialised, **kwargs):
                if isinstance(content, dict) and content.get('schema') == 'mrp_mmr/snapshot/1':
                    serialised.append(content)
                return original(content, *args, **kwargs)

            orders = self._create_orders([self._order_vals(self.product, self.revision.bom_id)] * number)
            with patch('json.dumps', dumps):
                orders.action_confirm()
                self.env.flush_all()
            with self.subTest(orders=number):
                self.assertEqual(len(serialised), 1)
                self.env.invalidate_all()
                self.assertEqual(
                    {sha256(order.mmr_snapshot) for order in orders}, set(orders.mapped('mmr_snapshot_sha256')))

    def test_snapshot_is_not_shared_by_readers(self):
        """USE-030: orders that were confirmed together have one snapshot in memory, of which every reader gets a copy."""
        self._make_effective(self.revision)
        orders = self._create_orders([self._order_vals(self.product, self.revision.bom_id)] * 2)
        orders.action_confirm()
        first, second = orders
        first.mmr_snapshot['document']['components'].clear()
        first.mmr_snapshot['signatures'] = []
        for order in orders:
            self.assertTrue(order.mmr_snapshot['document']['components'])
            self.assertEqual(sha256(order.mmr_snapshot), order.mmr_snapshot_sha256)
        self.assertEqual(type(second.mmr_snapshot), dict)

    def test_creation_needs_no_query_more(self):
        """USE-010: a draft order of a controlled product is created like any other."""
        self._make_effective(self.revision)
        for number in (1, 10):
            uncontrolled = self._count_steps([self._order_vals(self.uncontrolled, self.bom)] * number)[0]
            controlled = self._count_steps([self._order_vals(self.product, self.revision.bom_id)] * number)[0]
            with self.subTest(orders=number):
                self.assertLessEqual(controlled, uncontrolled)

    def test_queries_do_not_grow_with_masters(self):
        """USE-010: masters of other batch sizes, which no order of the call uses, cost no query."""
        self._make_effective(self.revision)
        alone = self._count_added(3)
        for batch_size in (200.0, 300.0, 400.0):
            self._make_effective(self._create_mmr(batch_size))
        self.assertEqual(self._count_added(3), alone)
