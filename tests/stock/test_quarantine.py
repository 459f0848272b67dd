"""What a controlled batch makes waits in quarantine, and leaves it by the release alone."""

from psycopg2.errors import CheckViolation

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import Form, tagged
from odoo.tools import SQL, mute_logger

from ..common.base import MmrCommon
from .test_lot_status import LotCommon


@tagged('post_install', '-at_install')
class TestQuarantine(LotCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._complete()

    @classmethod
    def _complete(cls):
        """Make the batch that all tests share; it waits for its review."""
        cls.revision = cls._make_effective(cls._create_mmr())
        for product in cls.component_a | cls.component_b:
            cls._stock(product)
        order = cls._create_order()
        order.action_confirm()
        cls._execute(order)
        order.with_user(cls.user_planner).button_mark_done()
        cls.order, cls.bpr, cls.lot = order, order.bpr_id, order.lot_producing_ids
        cls.place = cls.env.ref('stock.stock_location_stock')
        cls.customers = cls.env.ref('stock.stock_location_customers')
        cls.outgoing = cls.env.ref('stock.picking_type_out')

    def _picking(self, kind, location, destination, product=None, quantity=5.0):
        picking = self.env['stock.picking'].create({
            'picking_type_id': kind.id, 'location_id': location.id, 'location_dest_id': destination.id,
            'move_ids': [Command.create({
                'product_id': (product or self.product).id, 'product_uom_qty': quantity, 'location_id': location.id,
                'product_uom': (product or self.product).uom_id.id, 'location_dest_id': destination.id})]})
        picking.action_confirm()
        return picking

    def _line_vals(self, picking, **vals):
        return {
            'move_id': picking.move_ids.id, 'picking_id': picking.id, 'product_id': self.product.id, 'lot_id': self.lot.id,
            'quantity': 5, 'product_uom_id': self.kg.id, 'location_id': self.place.id,
            'location_dest_id': picking.location_dest_id.id, 'picked': True, **vals}

    # === IN QUARANTINE === #

    def test_lot(self):
        """REL-010: the lot of a batch is in quarantine, bound to its record, and stays what it is."""
        self.assertEqual(self.order.state, 'done')
        self.assertRecordValues(self.lot, [{
            'mmr_status': 'quarantine', 'mmr_bpr_id': self.bpr.id, 'mmr_status_signature_id': False, 'product_qty': 100}])
        self._refused("USE-060", self.lot.sudo().write, {'mmr_bpr_id': False})
        self._refused("REC-040", self.lot.sudo().unlink)
        for change in ("mmr_bpr_id = NULL", "name = 'X'", "mmr_status = 'released'", "mmr_status = NULL"):
            self._sql_refused("REL-010|USE-060", f"UPDATE stock_lot SET {change} WHERE id = %s", self.lot.id)
        self._sql_refused("USE-060", "DELETE FROM stock_lot WHERE id = %s", self.lot.id)
        other = self._create_lot("X-1", self.component_a)
        self._sql_refused("REL-010|USE-060", "UPDATE stock_lot SET mmr_bpr_id = %s, mmr_status = 'released' WHERE id = %s",
                          self.bpr.id, other.id)
        self._sql_refused("USE-060", "INSERT INTO stock_lot (name, product_id, mmr_status, mmr_bpr_id) "
                          "VALUES ('X-2', %s, 'quarantine', %s)", self.product.id, self.bpr.id)
        # A lot is decided on with its batch, not for itself.
        for action in ('release', 'reject'):
            self._refused("REL-020", self.lot.with_user(self.user_qc).esign_prepare, action)
        self.assertEqual(self._create_lot("BOUGHT", self.product).mmr_status, 'quarantine')

    def test_expiry(self):
        """B-22, REL-070: the expiry is that of the batch, before its release too; a missing one is entered by QC."""
        self.assertFalse(self.lot.mmr_status_signature_id or self.lot.expiration_date)
        for user in (self.user_manager, self.operator):
            self._refused("REL-070", self.lot.with_user(user).sudo().write, {'expiration_date': '2040-01-01 12:00:00'})
        self.lot.with_user(self.user_qc).sudo().expiration_date = '2030-01-01 12:00:00'
        for user in (self.user_manager, self.user_qc):
            for value in ('2040-01-01 12:00:00', False):
                self._refused("REL-070", self.lot.with_user(user).sudo().write, {'expiration_date': value})
        self._sql_refused(
            "mrp_mmr_lot_of_batch", "UPDATE stock_lot SET expiration_date = '2040-01-01' WHERE id = %s", self.lot.id)

    def test_lot_of_another_batch(self):
        """REL-010, BPR-020: a batch gets a lot number of its own, none that has stock, a decision or another batch."""
        order = self._create_order()
        order.action_confirm()
        self._execute(order)
        stocked = self._put(self._create_lot("STOCKED", self.product))
        decided = self._create_lot("DECIDED", self.product)
        self._sign(decided, 'reject', self.user_qc, comment="Wrong product")
        for lot in (self.lot, stocked, decided):
            order.lot_producing_ids = lot
            self._refused("REL-010", order.button_mark_done)
        order.lot_producing_ids = self._create_lot("FRESH", self.product)
        order.button_mark_done()
        self.assertEqual(order.lot_producing_ids.mmr_bpr_id, order.bpr_id)
        line = order.move_finished_ids.move_line_ids
        self._sql_refused("REL-010", "UPDATE stock_move_line SET lot_id = %s WHERE id = %s", self.lot.id, line.id)
        self._sql_refused("REL-010", "UPDATE stock_move_line SET lot_id = NULL WHERE id = %s", line.id)

    def test_product_without_lots(self):
        """REL-010: an order of a controlled product without lots is not confirmed; its tracking does not end."""
        self._refused("REL-010", self.product.product_tmpl_id.write, {'tracking': 'none'})
        order = self._create_order()
        self.assertEqual(order.product_id.tracking, 'lot')
        self.env.flush_all()
        with self._unguarded('product_template') as cr:
            cr.execute(SQL("UPDATE product_template SET tracking = 'none' WHERE id = %s", self.product.product_tmpl_id.id))
        self._refused("REL-010", order.action_confirm)

    # === ROUTES === #

    def test_reservation(self):
        """REL-010: a delivery reserves nothing of the lot; free quantity excludes it, what is on hand shows it."""
        picking = self._picking(self.outgoing, self.place, self.customers)
        picking.action_assign()
        self.assertFalse(picking.move_ids.move_line_ids)
        self.assertEqual(picking.move_ids.state, 'confirmed')
        self.product.invalidate_recordset()
        self.assertEqual((self.product.qty_available, self.product.free_qty), (100, 0))
        quant = self.lot.quant_ids.filtered(lambda quant: quant.location_id == self.place)
        self.assertRecordValues(quant, [{'mmr_lot_status': 'quarantine', 'quantity': 100, 'available_quantity': 0}])
        forecast = self.env['stock.forecasted_product_product']
        self.assertFalse(self.env['stock.quant'].search(forecast._get_quant_domain(self.place.ids, self.product)) & quant)

    def test_delivery_as_each_role(self):
        """REL-010, SEC-020: nobody reserves by hand or delivers the lot, in no place that is not the warehouse."""
        stock_user = self.env.ref('stock.group_stock_manager')
        people = [self._person(role) for role in ('operator', 'verifier', 'production', 'qc', 'qp', 'quality_manager')]
        for user in (*people, self.user_manager, self.env.ref('base.user_admin'), self.env.ref('base.user_root')):
            user.sudo().group_ids += stock_user
            picking = self._picking(self.outgoing, self.place, self.customers).with_user(user)
            lines = self.env['stock.move.line'].with_user(user)
            with self.subTest(user.login):
                self._refused("REL-010", lines.create, self._line_vals(picking))
                self._refused("REL-010", lines.sudo().with_context(skip_mmr=True, mmr_usable_lots='all').create,
                              self._line_vals(picking))
                self._refused("REL-010", picking.move_ids.write, {'lot_ids': [Command.set(self.lot.ids)]})
        for destination in (
                self.env.ref('stock.stock_location_suppliers'), self.customers,
                self.env['stock.location'].search([('usage', '=', 'production')], limit=1),
                self.env['stock.location'].search([('usage', '=', 'inventory')], limit=1),
                self.env['stock.location'].create({'name': "On the road", 'usage': 'transit'}),
                self.env['stock.location'].create({'name': "Shed", 'usage': 'internal', 'location_id': False})):
            picking = self._picking(self.outgoing, self.place, destination)
            with self.subTest(destination.name):
                self._refused("REL-010", self.env['stock.move.line'].create, self._line_vals(picking))

    def test_inside_the_warehouse(self):
        """REL-010: the lot is moved to a place for quarantine; that place does not become a customer, nor the line."""
        cage = self.env['stock.location'].create({
            'name': "Cage", 'usage': 'internal', 'location_id': self.place.location_id.id})
        picking = self._picking(self.env.ref('stock.picking_type_internal'), self.place, cage)
        picking.action_assign()
        self.assertEqual(picking.move_ids.move_line_ids.lot_id, self.lot)
        picking.move_ids.picked = True
        picking.button_validate()
        self.assertEqual(picking.state, 'done')
        line = picking.move_ids.move_line_ids
        self._refused("REL-010", line.write, {'location_dest_id': self.customers.id})
        self._refused("REL-010", cage.write, {'usage': 'customer'})
        self._sql_refused("REL-010", "UPDATE stock_move_line SET location_dest_id = %s WHERE id = %s",
                          self.customers.id, line.id)
        # Released elsewhere first: nothing is left that keeps the place.
        back = self._picking(self.env.ref('stock.picking_type_internal'), cage, self.place)
        back.action_assign()
        back.move_ids.picked = True
        back.button_validate()
        cage.usage = 'customer'

    def test_pick_and_ship(self):
        """REL-010: goods in quarantine are not picked for a customer either, one step before the delivery."""
        warehouse = self.env['stock.warehouse'].search([('company_id', '=', self.company.id)], limit=1)
        warehouse.delivery_steps = 'pick_ship'
        self.env['stock.rule'].run([self.env['stock.rule'].Procurement(
            self.product, 5.0, self.kg, self.customers, "Order 7", "Order 7", self.company, {'warehouse_id': warehouse})])
        moves = self.env['stock.move'].search([('product_id', '=', self.product.id), ('origin', '=', "Order 7")])
        self.assertTrue(moves)
        self.assertIn('internal', moves.location_id.mapped('usage'))
        moves.picking_id.action_assign()
        self.assertFalse(moves.move_line_ids)

    def test_other_routes(self):
        """REL-010, DEV-080: scrap, inventory, unbuild, another order, dropship, a move without lot, SQL: all refused."""
        scrap = self.env['stock.scrap'].create({
            'product_id': self.product.id, 'lot_id': self.lot.id, 'scrap_qty': 1, 'product_uom_id': self.kg.id})
        self._refused("REL-010", scrap.action_validate)
        self._refused("REL-010", scrap.do_scrap)
        quant = self.lot.quant_ids.filtered(lambda quant: quant.location_id == self.place)
        for quantity in (99, 0):
            adjusted = quant.with_context(inventory_mode=True)
            adjusted.inventory_quantity = quantity
            self._refused("REL-010", adjusted.action_apply_inventory)
        unbuild = self.env['mrp.unbuild'].create({
            'product_id': self.product.id, 'mo_id': self.order.id, 'lot_id': self.lot.id, 'product_qty': 1,
            'product_uom_id': self.kg.id})
        self._refused("USE-020", unbuild.action_unbuild)
        # Another product that is made of it, without an MMR.
        kit = self.env['product.product'].create({'name': "Blend", 'type': 'consu', 'is_storable': True, 'uom_id': self.kg.id})
        self.env['mrp.bom'].create({'product_tmpl_id': kit.product_tmpl_id.id, 'bom_line_ids': [
            Command.create({'product_id': self.product.id, 'product_qty': 1})]})
        order = Form(self.env['mrp.production'])
        order.product_id, order.product_qty = kit, 5
        order = order.save()
        order.action_confirm()
        order.action_assign()
        self.assertFalse(order.move_raw_ids.move_line_ids)
        self._refused("REL-010", self.env['stock.move.line'].create, {
            'move_id': order.move_raw_ids.id, 'product_id': self.product.id, 'lot_id': self.lot.id, 'quantity': 5,
            'product_uom_id': self.kg.id, 'location_id': self.place.id,
            'location_dest_id': order.move_raw_ids.location_dest_id.id, 'picked': True})
        # From a supplier straight to the customer: a lot that is new begins in quarantine.
        suppliers = self.env.ref('stock.stock_location_suppliers')
        dropship = self._picking(self.env.ref('stock.picking_type_in'), suppliers, self.customers)
        dropship.move_ids.move_line_ids.unlink()
        self.env['stock.move.line'].create(self._line_vals(
            dropship, lot_id=False, lot_name="DROP-1", location_id=suppliers.id))
        self._refused("REL-010", dropship.move_ids._action_done)
        # Without naming the lot.
        self.outgoing.write({'use_create_lots': False, 'use_existing_lots': False})
        picking = self._picking(self.outgoing, self.place, self.customers)
        self.env['stock.move.line'].create(self._line_vals(picking, lot_id=False))
        self._refused("REL-050", picking.move_ids._action_done)
        self._refused("REL-050", picking.button_validate)

    def test_sql(self):
        """REL-010: PostgreSQL refuses a done line of the lot to any place outside, whoever writes it, with or without lot."""
        picking = self._picking(self.outgoing, self.place, self.customers)
        lines = self.env['stock.move.line']
        self.patch(type(lines), '_mmr_check_held', lambda self: None)
        self.patch(type(lines), '_mmr_check_has_lot', lambda self: None)
        self.patch(type(self.lot), '_mmr_check_movable', lambda self, lines, purpose='move': None)
        line = lines.create(self._line_vals(picking))
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "REL-010"), self.env.cr.savepoint():
            picking.move_ids._action_done()
            self.env.flush_all()
        self.env.invalidate_all()
        self._sql_refused("REL-010", "UPDATE stock_move_line SET state = 'done' WHERE id = %s", line.id)
        self._sql_refused("REL-010", "UPDATE stock_move_line SET state = 'done', lot_id = NULL WHERE id = %s", line.id)
        for usage in ('supplier', 'customer', 'inventory', 'production', 'transit'):
            place = self.env['stock.location'].create({'name': usage, 'usage': usage})
            self._sql_refused("REL-010", "UPDATE stock_move_line SET state = 'done', location_dest_id = %s WHERE id = %s",
                              place.id, line.id)
        self.env.cr.execute(SQL("UPDATE stock_move_line SET state = 'done', location_dest_id = %s WHERE id = %s",
                                self.place.id, line.id))

    # === WAY OUT === #

    def test_destruction(self):
        """DEV-080: a held lot leaves stock by a recorded destruction alone: quantity, person, reason, Quality Control."""
        destructions = self.env['mrp.lot.destruction']
        for user in (self.operator, self._person('production'), self.user_auditor):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                self.lot.with_user(user).action_mmr_destroy()
        self._refused("DEV-080", destructions.sudo().create, {'name': "X"})
        wizard = Form(self.env['mrp.lot.destroy'].with_user(self.user_qc).with_context(default_lot_id=self.lot.id))
        self.assertEqual((wizard.location_id, wizard.quantity), (self.place, 100))
        wizard.method, wizard.reason, wizard.quantity = "Burnt by Green Ltd.", "Contaminated drum", 101
        self._refused("DEV-080", wizard.save().action_record)
        wizard.quantity = 40
        action = wizard.save().action_record()
        destruction = destructions.browse(action['params']['res_id'])
        self.assertEqual(self.lot.product_qty, 100)
        self.assertIn("APR-050", self._esign(destruction, 'destroy', self._person('production'))['refused'])
        self._refused("DEV-080", destruction.sudo().write, {'quantity': 1})
        self._refused("DEV-080", destruction.sudo().unlink)
        for change in ("quantity = 1", "reason = 'x'", "move_id = 1", "signature_id = (SELECT max(id) FROM mrp_esignature)"):
            self._sql_refused("DEV-080", f"UPDATE mrp_lot_destruction SET {change} WHERE id = %s", destruction.id)
        signature = self._sign(destruction, 'destroy', self.user_qc)
        self.assertEqual(destruction.signature_id, signature)
        self.assertEqual((signature.content['quantity'], signature.content['recorded_by']), ('40', self.user_qc.name))
        self.assertEqual(destruction.move_id.state, 'done')
        self.assertEqual(self.lot.quant_ids.filtered(lambda quant: quant.location_id == self.place).quantity, 60)
        self.assertIn("DEV-080", self._esign(destruction, 'destroy', self.user_qc, digest='0')['refused'])
        self._sql_refused("DEV-080", "DELETE FROM mrp_lot_destruction WHERE id = %s", destruction.id)
        line = destruction.move_id.move_line_ids
        self._sql_refused(
            "REL-010", "UPDATE stock_move_line SET quantity = 50, quantity_product_uom = 50 WHERE id = %s", line.id)

    def test_withdrawn(self):
        """DEV-080: a released lot that is put back leaves what was reserved for customers and orders."""
        lot = self._create_lot("BOUGHT-1", self.component_other)
        self.component_other.tracking = 'lot'
        lot = self._put(lot)
        picking = self._picking(self.outgoing, self.place, self.customers, self.component_other)
        picking.action_assign()
        self.assertEqual(picking.move_ids.move_line_ids.lot_id, lot)
        self._sign(lot, 'quarantine', self.user_qc, comment="Complaint")
        self.assertFalse(picking.move_ids.move_line_ids)
        picking.action_assign()
        self.assertFalse(picking.move_ids.move_line_ids)
        self._sign(lot, 'release', self.user_qc)
        picking.action_assign()
        self.assertEqual(picking.move_ids.move_line_ids.lot_id, lot)
        picking.move_ids.picked = True
        picking.button_validate()
        self.assertEqual(picking.state, 'done')
        # Rejected after it was delivered: what happened stays, and comes back.
        self._sign(lot, 'reject', self.user_qc, comment="Recall")
        returned = self._picking(self.env.ref('stock.picking_type_in'), self.customers, self.place, self.component_other)
        returned.move_ids.move_line_ids.unlink()
        self.env['stock.move.line'].create(self._line_vals(
            returned, product_id=self.component_other.id, lot_id=lot.id, location_id=self.customers.id,
            location_dest_id=self.place.id))
        returned.move_ids._action_done()
        self.assertEqual(returned.move_ids.state, 'done')


@tagged('post_install', '-at_install')
class TestUncontrolled(MmrCommon):

    def test_lots_without_status(self):
        """REL-010: lots that nobody decides on are delivered, scrapped and counted as in Odoo."""
        product = self.env['product.product'].create({
            'name': "Free", 'type': 'consu', 'is_storable': True, 'tracking': 'lot', 'uom_id': self.kg.id})
        lot = self.env['stock.lot'].create({'name': "F-1", 'product_id': product.id})
        place = self.env.ref('stock.stock_location_stock')
        quant = self.env['stock.quant'].with_context(inventory_mode=True).create({
            'product_id': product.id, 'location_id': place.id, 'lot_id': lot.id, 'inventory_quantity': 10})
        quant.action_apply_inventory()
        self.assertEqual(product.free_qty, 10)
        self.env['stock.scrap'].create({
            'product_id': product.id, 'lot_id': lot.id, 'scrap_qty': 1, 'product_uom_id': self.kg.id}).action_validate()
        quant.inventory_quantity = 5
        quant.action_apply_inventory()
        self.assertEqual(lot.product_qty, 5)
