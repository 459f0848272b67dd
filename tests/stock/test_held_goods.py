"""Goods that are not released stay in the warehouse, and stock changes by moves alone (REL-070, H-20 to H-25)."""

from odoo import Command
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.mrp_mmr.models.stock.moved_only import moving
from odoo.addons.mrp_mmr.verification.records import Verification

from ..common.base import PASSWORD, CommittedCase
from ..common.stock import StockCommon


class GoodsCommon(StockCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # From before its product was decided on by lot: it has no status.
        cls.plain = cls.env['stock.lot'].create({'name': "OLD-1", 'product_id': cls.component_a.id})
        cls.component_a.mmr_lot_release = True
        cls.held = cls.env['stock.lot'].create({'name': "NEW-1", 'product_id': cls.component_a.id})
        for lot in (cls.plain, cls.held, cls.lot):
            cls._put(lot, cls.shelves[0], 100)
        cls.customers = cls.env.ref('stock.stock_location_customers')
        cls.suppliers = cls.env.ref('stock.stock_location_suppliers')
        cls.keeper = new_test_user(
            cls.env, login='t_store', groups='stock.group_stock_manager', password=PASSWORD, name="Store")

    def _line(self, lot, destination, kind=None, source=None, quantity=5.0, **vals):
        """Return a move line of an own transfer, that takes a lot to a place."""
        source = source or self.shelves[0]
        product = lot.product_id if lot else self.component_a
        picking = self.env['stock.picking'].create({
            'picking_type_id': (kind or self.env.ref('stock.picking_type_out')).id, 'location_id': source.id,
            'location_dest_id': destination.id, 'move_ids': [Command.create({
                'product_id': product.id, 'product_uom_qty': quantity, 'product_uom': product.uom_id.id,
                'location_id': source.id, 'location_dest_id': destination.id})]})
        return self.env['stock.move.line'].create({
            'move_id': picking.move_ids.id, 'picking_id': picking.id, 'product_id': product.id, 'lot_id': lot and lot.id,
            'quantity': quantity, 'product_uom_id': product.uom_id.id, 'location_id': source.id,
            'location_dest_id': destination.id, 'picked': True, **vals})

    def _done_by_sql(self, lot, destination, **vals):
        """Let a line inside the warehouse be done to another place by SQL, which no rule of the ORM sees."""
        line = self._line(lot, self.shelves[1], self.env.ref('stock.picking_type_internal'))
        line.flush_recordset()
        self._judge("UPDATE stock_move_line SET state = 'done', location_dest_id = %s WHERE id = %s", destination.id, line.id)

    def _judge(self, query, *parameters):
        self.env.flush_all()
        self.env.cr.execute(query, parameters)
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.env.cr.execute("SET CONSTRAINTS ALL DEFERRED")

    def _quant(self, lot, place=None):
        return self.env['stock.quant'].search([
            ('lot_id', '=', lot.id), ('location_id', '=', (place or self.shelves[0]).id)])


@tagged('post_install', '-at_install')
class TestRoads(GoodsCommon):
    """REL-070: every road by which goods that are not released could leave."""

    def test_delivery(self):
        """H-21, REL-070: neither a lot in quarantine nor one without a status is delivered, returned or sent on."""
        transit = self.env['stock.location'].create({'name': "Road", 'usage': 'transit'})
        production, loss = (self.env['stock.location'].search([('usage', '=', usage)], limit=1)
                            for usage in ('production', 'inventory'))
        for lot in (self.held, self.plain):
            for place in (self.customers, self.suppliers, transit, production, loss):
                with self.subTest(lot=lot.name, place=place.name):
                    with self.assertRefused('REL-070'):
                        self._line(lot, place).move_id._action_done()
                    with self.assertRefused('mrp_mmr_move_line_lot_held'):
                        self._done_by_sql(lot, place)
        self._line(self.lot, self.customers).move_id._action_done()
        self.assertEqual(self._lies(self.lot), {"Shelf 1": 95})

    def test_reservation(self):
        """H-21, REL-070: what is not free is not reserved for customers, and is not free quantity."""
        picking = self.env['stock.picking'].create({
            'picking_type_id': self.env.ref('stock.picking_type_out').id, 'location_id': self.shelves[0].id,
            'location_dest_id': self.customers.id, 'move_ids': [Command.create({
                'product_id': self.component_a.id, 'product_uom_qty': 250, 'product_uom': self.kg.id,
                'location_id': self.shelves[0].id, 'location_dest_id': self.customers.id})]})
        picking.action_confirm()
        picking.action_assign()
        self.assertEqual(picking.move_ids.move_line_ids.lot_id, self.lot)
        self.component_a.invalidate_recordset()
        self.assertEqual((self.component_a.qty_available, self.component_a.free_qty), (300, 0))
        self.assertEqual(self._quant(self.plain).available_quantity, 0)

    def test_switched_product(self):
        """H-21, REL-070: a lot made for a free product and given to another one is no released lot of that."""
        free = self.env['product.product'].create({
            'name': "Free", 'type': 'consu', 'is_storable': True, 'tracking': 'lot', 'uom_id': self.kg.id})
        lot = self.env['stock.lot'].create({'name': "F-1", 'product_id': free.id})
        lot.product_id = self.component_a
        self._put(lot, self.shelves[0], 5)
        self.assertFalse(lot.mmr_status)
        with self.assertRefused('REL-070'):
            self._line(lot, self.customers).move_id._action_done()
        # A released lot of another product does not cover goods of this one.
        line = self._line(self.lot_b, self.shelves[1], self.env.ref('stock.picking_type_internal'), source=self.stock_place)
        line.flush_recordset()
        with self.assertRefused('mrp_mmr_move_line_lot_product'):
            self._judge(
                "UPDATE stock_move_line SET product_id = %s, state = 'done' WHERE id = %s", self.component_a.id, line.id)

    def test_other_company(self):
        """REL-070: goods that are not released do not go to places of another company, by a line or with their place."""
        other = self.env['res.company'].create({'name': "Other Ltd."})
        theirs = self.env['stock.warehouse'].search([('company_id', '=', other.id)], limit=1).lot_stock_id
        for lot in (self.held, self.plain):
            with self.assertRefused('REL-070', core="company"):
                self._line(lot, theirs).move_id._action_done()
            with self.assertRefused('mrp_mmr_move_line_lot_held'):
                self._done_by_sql(lot, theirs)
        for column, value in (('company_id', other.id), ('usage', 'customer'), ('usage', 'inventory'), ('usage', 'transit')):
            with self.subTest(column=column, value=value):
                with self.assertRefused('REL-070', core="company"):
                    self.shelves[0].write({column: value})
                with self.assertRefused('mrp_mmr_location_holds'):
                    self._judge(f"UPDATE stock_location SET {column} = %s WHERE id = %s", value, self.shelves[0].id)

    def test_moved_place(self):
        """REL-070: a place with such goods is not hung into another warehouse; an empty one is."""
        other = self.env['stock.warehouse'].create({'name': "North", 'code': "NO"})
        with self.assertRefused('REL-070'):
            self.shelves[0].location_id = other.lot_stock_id
        self.shelves[1].location_id = other.lot_stock_id
        self.assertEqual(self.shelves[1].warehouse_id, other)

    def test_adjusted(self):
        """REL-070: scrap and inventory adjustments do not write off what is not free."""
        for lot in (self.held, self.plain):
            scrap = self.env['stock.scrap'].create({
                'product_id': self.component_a.id, 'lot_id': lot.id, 'scrap_qty': 1, 'product_uom_id': self.kg.id,
                'location_id': self.shelves[0].id})
            with self.assertRefused('REL-070'):
                scrap.do_scrap()
            quant = self._quant(lot).with_context(inventory_mode=True)
            for counted in (0, 99):
                with self.assertRefused('REL-070'):
                    quant.inventory_quantity = counted
                    quant.action_apply_inventory()

    def test_used(self):
        """REL-070: what is not free is used by no order, also of a product without MMR, nor out of a kit."""
        made = self.env['product.product'].create({'name': "Blend", 'type': 'consu', 'is_storable': True, 'uom_id': self.kg.id})
        kit = self.env['product.product'].create({'name': "Kit", 'type': 'consu', 'uom_id': self.kg.id})
        self.env['mrp.bom'].create([
            {'product_tmpl_id': product.product_tmpl_id.id, 'type': kind, 'bom_line_ids': [
                Command.create({'product_id': self.component_a.id, 'product_qty': 150})]}
            for product, kind in ((made, 'normal'), (kit, 'phantom'))])
        order = Form(self.env['mrp.production'])
        order.product_id, order.product_qty = made, 1
        order = order.save()
        order.action_confirm()
        order.action_assign()
        self.assertEqual(order.move_raw_ids.move_line_ids.lot_id, self.lot)
        for lot in (self.held, self.plain):
            with self.assertRefused('REL-070'):
                order.move_raw_ids.move_line_ids[0].lot_id = lot
        picking = self.env['stock.picking'].create({
            'picking_type_id': self.env.ref('stock.picking_type_out').id, 'location_id': self.shelves[0].id,
            'location_dest_id': self.customers.id, 'move_ids': [Command.create({
                'product_id': kit.id, 'product_uom_qty': 1, 'product_uom': kit.uom_id.id, 'location_id': self.shelves[0].id,
                'location_dest_id': self.customers.id})]})
        picking.action_confirm()
        self.assertEqual(picking.move_ids.product_id, self.component_a)
        picking.action_assign()
        self.assertFalse(picking.move_ids.move_line_ids.lot_id - self.lot)

    def test_packed_and_owned(self):
        """REL-070: neither a package nor an owner makes goods free."""
        self._put(self.held, self.shelves[1], 10, package=self.drums[0], owner=self.client)
        with self.assertRefused('REL-070'):
            self._line(self.held, self.customers, source=self.shelves[1], package_id=self.drums[0].id,
                       result_package_id=self.drums[0].id, owner_id=self.client.id).move_id._action_done()

    def test_inside(self):
        """REL-070: inside the warehouse everything is moved, split, packed and merged; stock and moves agree."""
        for lot in (self.held, self.plain, self.lot):
            line = self._line(lot, self.shelves[1], self.env.ref('stock.picking_type_internal'),
                              result_package_id=self.drums[0].id)
            line.move_id._action_done()
            self._judge("SELECT 1")
            self.env['stock.quant'].sudo()._merge_quants()
            self.env['stock.quant'].sudo()._unlink_zero_quants()
            self._judge("SELECT 1")
            line.quantity = 7
            self._judge("SELECT 1")
            self.assertEqual(self._lies(lot), {"Shelf 1": 93, "Shelf 2, Drum 1": 7})
        self.env.cr.precommit.run()


@tagged('post_install', '-at_install')
class TestQuants(GoodsCommon):
    """REL-070: quants of what Quality Control decides on change by moves alone."""

    def test_written(self):
        """H-20, REL-070: nobody redirects, fills or empties a quant: warehouse, administrator, sudo, inventory mode."""
        for lot in (self.held, self.plain, self.lot):
            quant = self._quant(lot)
            for vals in ({'location_id': self.customers.id}, {'location_id': self.shelves[1].id}, {'quantity': 500},
                         {'quantity': 0}, {'lot_id': self.other_lot.id}, {'lot_id': False}, {'owner_id': self.client.id},
                         {'package_id': self.drums[0].id}, {'product_id': self.component_b.id},
                         {'mmr_lot_status': 'rejected' if lot == self.lot else 'released'}):
                for record in (quant, quant.with_user(self.keeper), quant.with_user(self.keeper).with_context(
                        inventory_mode=True), quant.sudo().with_context(skip_mmr=True, mmr_moving=True)):
                    with self.subTest(lot=lot.name, vals=vals), self.assertRefused(
                            'REL-070', 'AccessError', core="restricted|not allowed"):
                        record.write(vals)
            with self.assertRefused('REL-070'):
                quant.sudo().unlink()

    def test_created(self):
        """H-20, REL-070: nobody creates stock; what is counted makes a move."""
        vals = {'product_id': self.component_a.id, 'lot_id': self.lot.id, 'location_id': self.shelves[1].id, 'quantity': 5}
        for quants in (self.env['stock.quant'], self.env['stock.quant'].sudo(), self.env['stock.quant'].with_user(self.keeper)):
            with self.assertRefused('REL-070', 'AccessError'):
                quants.create(vals)
            with self.assertRefused('REL-070', 'AccessError'):
                quants.create(dict(vals, lot_id=False))
            with self.assertRefused('REL-070', 'AccessError'):
                quants.create(dict(vals, location_id=self.customers.id, quantity=0, mmr_lot_status='released'))
        names = ['product_id/.id', 'lot_id/.id', 'location_id/.id', 'quantity']
        row = [str(self.component_a.id), str(self.lot.id), str(self.shelves[1].id), '5']
        found = self.env['stock.quant'].sudo().load(names, [row])
        self.assertFalse(found['ids'])
        self._put(self.lot, self.shelves[1], 5)
        self._judge("SELECT 1")
        self.assertEqual(self._lies(self.lot), {"Shelf 1": 100, "Shelf 2": 5})

    def test_private_methods(self):
        """H-20, REL-070: the methods by which Odoo books moves do not commit without one."""
        quants = self.env['stock.quant'].sudo()
        for place, quantity in ((self.shelves[1], 5), (self.shelves[0], -5), (self.customers, 5)):
            with self.subTest(place=place.name), self.assertRefused('REL-070'):
                quants._update_available_quantity(self.component_a, place, quantity, lot_id=self.lot)
                self.env.cr.precommit.run()
            for words in ('REL-070', 'mrp_mmr_stock_moved'):
                with self.subTest(place=place.name, words=words), self.assertRefused(words):
                    with moving(self.env):
                        quants._update_available_quantity(self.component_a, place, quantity, lot_id=self.lot)
                        if words != 'REL-070':
                            self._judge("SELECT 1")
                    self.env.cr.precommit.run()
        self.env.cr.precommit.clear()

    def test_sql(self):
        """H-20, REL-070: PostgreSQL compares sums with done lines at the end of the transaction, whatever was written."""
        quant = self._quant(self.lot)
        for change in (f"location_id = {self.customers.id}", f"lot_id = {self.held.id}", "lot_id = NULL", "quantity = 50",
                       "quantity = 500", f"owner_id = {self.client.id}", f"package_id = {self.drums[0].id}",
                       f"product_id = {self.component_b.id}"):
            with self.subTest(change), self.assertRefused('mrp_mmr_stock_moved', 'mrp_mmr_quant_status'):
                self._judge(f"UPDATE stock_quant SET {change} WHERE id = %s", quant.id)
        with self.assertRefused('mrp_mmr_stock_moved'):
            self._judge("DELETE FROM stock_quant WHERE id = %s", quant.id)
        with self.assertRefused('mrp_mmr_quant_status'):
            self._judge("UPDATE stock_quant SET mmr_lot_status = 'released' WHERE id = %s", self._quant(self.held).id)
        insert = """INSERT INTO stock_quant (product_id, lot_id, location_id, company_id, quantity, reserved_quantity, in_date)
                    VALUES (%s, %s, %s, %s, %s, 0, now())"""
        for lot in (self.lot.id, self.plain.id, None):
            with self.subTest(lot=lot), self.assertRefused('mrp_mmr_stock_moved'):
                self._judge(insert, self.component_a.id, lot, self.shelves[1].id, self.company.id, 5)
        # Split and merged: what is there in sum stays.
        self._judge(insert + "; UPDATE stock_quant SET quantity = quantity - 5 WHERE id = %s",
                    self.component_a.id, self.lot.id, self.shelves[0].id, self.company.id, 5, quant.id)
        # Evened out by hand.
        with self.assertRefused('mrp_mmr_stock_moved'):
            self._judge(
                """UPDATE stock_quant SET quantity = 50 WHERE id = %s;
                   INSERT INTO mrp_mmr_stock_change (transaction, product_id, lot_id, location_id, quantity)
                   VALUES (pg_current_xact_id()::text, %s, %s, %s, 45)""",
                quant.id, self.component_a.id, self.lot.id, self.shelves[0].id)
        with self.assertRefused('mrp_mmr_stock_moved'):
            self._judge("UPDATE stock_quant SET quantity = 50 WHERE id = %s; DELETE FROM mrp_mmr_stock_change", quant.id)
        # A done line without its stock.
        line = self._line(self.lot, self.shelves[1], self.env.ref('stock.picking_type_internal'))
        line.flush_recordset()
        with self.assertRefused('mrp_mmr_stock_moved'):
            self._judge("UPDATE stock_move_line SET state = 'done' WHERE id = %s", line.id)

    def test_verified(self):
        """H-20, REL-070, AUD-080: verification adds up the done lines of each lot and finds what stock says otherwise."""
        def findings():
            self.env.flush_all()
            return {row.res_id: (row.expected, row.found) for row in Verification(self.env.cr).check_part('lots_on_stock')
                    if row and row.model == 'stock.lot'}

        self.assertEqual(findings(), {})
        for lot, change in ((self.held, f"location_id = {self.customers.id}"), (self.lot, "quantity = 500")):
            with self._unguarded('stock_quant') as cr:
                cr.execute(f"UPDATE stock_quant SET {change} WHERE id = %s", [self._quant(lot).id])
        found = findings()
        self.assertEqual({lot: found[lot][1] for lot in (self.held.id, self.lot.id)}, {self.held.id: '0', self.lot.id: '500'})
        self.assertIn("100 at", found[self.lot.id][0])

    def test_free(self):
        """REL-070: stock of products that nobody decides on is written as in Odoo."""
        free = self.env['product.product'].create({
            'name': "Free", 'type': 'consu', 'is_storable': True, 'tracking': 'lot', 'uom_id': self.kg.id})
        lot = self.env['stock.lot'].create({'name': "F-1", 'product_id': free.id})
        quant = self.env['stock.quant'].create({
            'product_id': free.id, 'lot_id': lot.id, 'location_id': self.shelves[0].id, 'quantity': 5})
        quant.location_id = self.shelves[1]
        quant.quantity = 7
        self._judge("SELECT 1")
        self.assertEqual(self._lies(lot), {"Shelf 2": 7})
        self._quant(self.held).write({'user_id': self.keeper.id, 'inventory_date': '2030-01-01'})


@tagged('post_install', '-at_install')
class TestProducts(GoodsCommon):
    """REL-070: what a product is, and what names its lot."""

    def test_type_and_tracking(self):
        """H-22, REL-070: type and tracking are fixed while there are lots or batches, by form, sudo, variant and SQL."""
        template = self.component_a.product_tmpl_id
        for vals in ({'type': 'service'}, {'type': 'combo'}, {'tracking': 'none'}, {'tracking': 'serial'},
                     {'is_storable': False}):
            name, value = next(iter(vals.items()))
            for record in (template, template.sudo(), self.component_a, template.with_user(self.user_manager).sudo()):
                with self.subTest(vals=vals), self.assertRefused('REL-070', core="not allowed|cannot|can not"):
                    record.write(vals)
            with self.subTest(sql=name), self.assertRefused('mrp_mmr_product_tracking'):
                self._judge(f"UPDATE product_template SET {name} = %s WHERE id = %s", value, template.id)
        free = self.env['product.product'].create({
            'name': "Free", 'type': 'consu', 'is_storable': True, 'tracking': 'lot', 'uom_id': self.kg.id})
        free.tracking = 'none'
        free.type = 'service'

    def test_controlled_without_lots(self):
        """H-22, REL-070: a product with batches alone keeps its type and tracking as well."""
        self._make_effective(self._create_mmr(10))
        self._put(self.lot_b, self.shelves[0], 10)
        order = self._release_order()
        self.assertTrue(order.bpr_id)
        for vals in ({'type': 'service'}, {'tracking': 'none'}, {'is_storable': False}):
            with self.subTest(vals=vals), self.assertRefused('REL-070'):
                self.product.write(vals)

    def test_without_lot(self):
        """H-24, REL-070: types of operations without lots let nothing of such a product through, in, inside or out."""
        kinds = [self.env.ref(f'stock.picking_type_{name}') for name in ('in', 'internal', 'out')]
        for kind in kinds:
            kind.write({'use_create_lots': False, 'use_existing_lots': False})
        none = self.env['stock.lot']
        for kind, source, destination in zip(
                kinds, (self.suppliers, self.shelves[0], self.shelves[0]), (self.shelves[0], self.shelves[1], self.customers),
                strict=True):
            with self.subTest(kind=kind.name), self.assertRefused('REL-070'):
                self._line(none, destination, kind, source).move_id._action_done()
            line = self._line(self.lot, self.shelves[1], kinds[1])
            line.flush_recordset()
            with self.subTest(sql=kind.name), self.assertRefused('mrp_mmr_move_line_lot_named'):
                self._judge("UPDATE stock_move_line SET state = 'done', lot_id = NULL, location_id = %s, location_dest_id = %s "
                            "WHERE id = %s", source.id, destination.id, line.id)
        # Not by an inventory adjustment either: more than lies there without a lot is not written off.
        quant = self.env['stock.quant'].with_context(inventory_mode=True).create({
            'product_id': self.component_a.id, 'location_id': self.shelves[0].id, 'inventory_quantity': -5})
        with self.assertRefused('REL-070', 'mrp_mmr_quant_not_negative', 'STK-020'):
            quant.action_apply_inventory()
            self._judge("SELECT 1")


@tagged('post_install', '-at_install')
class TestExceptions(GoodsCommon):
    """REL-070: a signature lets out what was signed, from where it was signed, once."""

    def _destruction(self, quantity=10):
        destruction = self.env['mrp.lot.destruction'].with_user(self.user_qc)._record(
            self.held, self.shelves[0], quantity, "Burnt", "Wet").with_env(self.env)
        self._sign(destruction, 'destroy', self.user_qc)
        self._judge("SELECT 1")
        return destruction

    def test_destruction(self):
        """H-25, DEV-080: a signed destruction takes its lot and quantity from its place, and nothing more."""
        destruction = self._destruction()
        move, line = destruction.move_id, destruction.move_id.move_line_ids
        self.assertEqual(self._lies(self.held), {"Shelf 1": 90})
        vals = {'move_id': move.id, 'product_id': self.component_a.id, 'quantity': 1, 'lot_id': self.held.id,
                'location_id': self.shelves[0].id, 'location_dest_id': move.location_dest_id.id}
        for other in ({}, {'lot_id': self.plain.id}, {'location_id': self.shelves[1].id},
                      {'location_dest_id': self.customers.id}):
            with self.subTest(added=other), self.assertRefused('REL-070'):
                self.env['stock.move.line'].sudo().create({**vals, **other})
        for change in ({'quantity': 50}, {'lot_id': self.plain.id}, {'location_id': self.shelves[1].id},
                       {'location_dest_id': self.customers.id}):
            with self.subTest(changed=change), self.assertRefused('REL-070', core="company|package"):
                line.sudo().write(change)
            name, value = next(iter(change.items()))
            columns = f"{name} = %s" if name != 'quantity' else "quantity = 50, quantity_product_uom = %s"
            with self.subTest(sql=change), self.assertRefused('mrp_mmr_move_line_lot_held'):
                self._judge(f"UPDATE stock_move_line SET {columns} WHERE id = %s", value, line.id)
        with self.assertRefused('mrp_mmr_move_line_lot_held'):
            self._judge("""INSERT INTO stock_move_line (move_id, product_id, product_uom_id, lot_id, quantity,
                               quantity_product_uom, location_id, location_dest_id, state, company_id, date)
                           SELECT move_id, product_id, product_uom_id, lot_id, 1, 1, location_id, location_dest_id, state,
                                  company_id, date FROM stock_move_line WHERE id = %s""", line.id)
        with self.assertRefused('DEV-080'):
            destruction.sudo().write({'move_id': False})

    def _rework(self, deviation, product=None):
        order = self.env['mrp.production'].create({
            'product_id': self.component_other.id, 'product_qty': 1, 'mmr_rework_deviation_id': deviation.id,
            'move_raw_ids': [Command.create({'product_id': (product or self.component_a).id, 'product_uom_qty': 5})]})
        order.action_confirm()
        return order

    def _line_of(self, order, lot, quantity=5, **vals):
        move = order.move_raw_ids
        return {'move_id': move.id, 'product_id': lot.product_id.id, 'lot_id': lot.id, 'quantity': quantity, 'picked': True,
                'location_id': self.shelves[0].id, 'location_dest_id': move.location_dest_id.id, **vals}

    def _approved(self, **vals):
        deviation = self.env['mrp.deviation'].with_user(self.user_operator)._store([{
            'title': "Lumps", 'source': 'occurrence', 'severity': 'minor', 'description': "Found.", 'is_blocking': False,
            'company_id': self.company.id, 'product_id': self.component_a.id, 'lot_id': self.held.id,
            'profile_id': self.env['mrp.deviation']._get_product_profile(self.component_a, self.company).id, **vals}])
        procedure = self.env['mrp.sop'].create({'code': "SOP-RW", 'name': "Rework"})
        deviation = deviation.with_env(self.env)
        deviation.with_user(self.user_qc).write({
            'procedure_id': procedure.id, 'scientific_reason': "Covered by PV-9.", 'identity_result': 'met'})
        self._sign(deviation, 'decide_reprocess', self.user_qc, comment="Sieve again.")
        return deviation

    def test_rework(self):
        """H-25, DEV-060: an approved reprocessing takes its lot into one order, and no other lot, product, place or order."""
        deviation = self._approved()
        order = self._rework(deviation)
        lines = self.env['stock.move.line']
        with self.assertRefused('REL-070'):
            lines.create(self._line_of(order, self.plain))
        with self.assertRefused('REL-070'):
            lines.create(self._line_of(order, self.held, location_dest_id=self.customers.id))
        line = lines.create(self._line_of(order, self.held))
        line.flush_recordset()
        for change in (f"location_dest_id = {self.customers.id}", f"lot_id = {self.plain.id}"):
            with self.subTest(change), self.assertRefused('mrp_mmr_move_line_lot_held'):
                self._judge(f"UPDATE stock_move_line SET state = 'done', {change} WHERE id = %s", line.id)
        order.move_raw_ids._action_done()
        self.assertEqual(self._lies(self.held), {"Shelf 1": 95})
        again = self._rework(deviation)
        with self.assertRefused('REL-070'):
            lines.create(self._line_of(again, self.held))

    def test_rework_of_nothing(self):
        """H-25, DEV-060: a decision that names neither lot nor batch approves no other lot."""
        order = self._rework(self._approved(), self.component_a)
        order.mmr_rework_deviation_id = False
        empty = self.env['mrp.deviation'].new({'state': 'decided', 'disposition': 'reprocess'})
        self.assertFalse(empty._is_rework_approved(self.env['mrp.bpr'], self.held))
        with self.assertRefused('REL-070'):
            self.env['stock.move.line'].create(self._line_of(order, self.held))


@tagged('post_install', '-at_install')
class TestAtOnce(CommittedCase):

    def test_two_cursors(self):
        """H-20, REL-070: two transfers of one lot at the same moment, where Odoo splits the quant, agree with stock."""
        uid = self.users[1]

        def make(env):
            env = env(su=True)
            product = env['product.product'].create({
                'name': f"Held {self.tag}", 'type': 'consu', 'is_storable': True, 'tracking': 'lot', 'mmr_lot_release': True})
            lot = env['stock.lot'].create({'name': f"H-{self.tag}", 'product_id': product.id})
            place = env.ref('stock.stock_location_stock')
            shelf = env['stock.location'].create({'name': f"Shelf {self.tag}", 'location_id': place.id, 'usage': 'internal'})
            env['stock.quant'].with_context(inventory_mode=True).create({
                'product_id': product.id, 'lot_id': lot.id, 'location_id': place.id,
                'inventory_quantity': 10}).action_apply_inventory()
            return lot.id, place.id, shelf.id

        lot_id, place_id, shelf_id = self._run(uid, make)

        def carry(env):
            env = env(su=True)
            lot = env['stock.lot'].browse(lot_id)
            move = env['stock.move'].create({
                'product_id': lot.product_id.id, 'product_uom_qty': 3, 'product_uom': lot.product_uom_id.id,
                'location_id': place_id, 'location_dest_id': shelf_id})
            move._action_confirm(merge=False)
            env['stock.move.line'].create({
                'move_id': move.id, 'product_id': lot.product_id.id, 'lot_id': lot_id, 'quantity': 3, 'picked': True,
                'location_id': place_id, 'location_dest_id': shelf_id})
            move._action_done()
            return 'carried'

        self.assertEqual(self._race((uid, carry), (uid, carry)), ['carried', 'carried'])

        def steal(env):
            env['stock.quant'].sudo()._update_available_quantity(
                env['stock.lot'].sudo().browse(lot_id).product_id, env['stock.location'].sudo().browse(place_id), -1,
                lot_id=env['stock.lot'].sudo().browse(lot_id))

        self.assertIn("REL-070", self._run(uid, steal))

        def left(env):
            env['stock.quant'].sudo()._merge_quants()
            return [sum(env['stock.quant'].sudo().search([
                ('lot_id', '=', lot_id), ('location_id', '=', place)]).mapped('quantity')) for place in (place_id, shelf_id)]

        self.assertEqual(self._run(uid, left), [4, 6])
