"""Grave deviations and returned goods hold their lots in the same transaction (DEV-100)."""

from psycopg2.errors import CheckViolation

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import SQL

from ..stock.test_lot_status import LotCommon

STATUS = 'mmr_status'


class HoldCommon(LotCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.revision = cls._make_effective(cls._create_mmr())
        for product in cls.component_a | cls.component_b:
            cls._stock(product)
        cls.bpr = cls._make_completed()
        cls._release(cls.bpr)
        cls.lot = cls.bpr.lot_ids
        cls.place = cls.env.ref('stock.stock_location_stock')
        cls.customers = cls.env.ref('stock.stock_location_customers')
        cls.suppliers = cls.env.ref('stock.stock_location_suppliers')

    def setUp(self):
        super().setUp()
        self.assertEqual(self.lot.mmr_status, 'released')
        self.signature = self.lot.mmr_status_signature_id

    def _report(self, subject, severity='major', source='complaint'):
        return self.env['mrp.deviation'].with_user(self.operator)._report(
            subject, source, "Musty odour", "Three customers.", severity=severity)

    def _check_at_the_end(self):
        """Let PostgreSQL do now what it does at the end of the transaction."""
        self.env.flush_all()
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.env.cr.execute("SET CONSTRAINTS ALL DEFERRED")

    def _move_by_hand(self, source, destination, quantity, lot=None):
        lot = self.lot if lot is None else lot
        product = lot.product_id or self.product
        move = self.env['stock.move'].create({
            'product_id': product.id, 'product_uom_qty': quantity, 'location_id': source.id,
            'picking_type_id': self.env.ref('stock.picking_type_in').id, 'location_dest_id': destination.id})
        move._action_confirm()
        move.move_line_ids.unlink()
        self.env['stock.move.line'].create({
            'move_id': move.id, 'product_id': product.id, 'lot_id': lot.id, 'quantity': quantity,
            'product_uom_id': product.uom_id.id, 'location_id': source.id, 'location_dest_id': destination.id,
            'picked': True})
        move.picked = True
        move._action_done()
        return move

    def _close(self, deviation):
        deviation.with_user(self.user_qc).write({
            'cause_id': self.env.ref('mrp_mmr.deviation_cause_equipment').id, 'cause': "Drum", 'quality_effect': "None",
            'label_effect': "None", 'correction': "Aired", 'material_fate': "In the batch",
            'procedure_id': self.env['mrp.sop'].create({'code': f"SOP-{deviation.id}", 'name': "Deviations"}).id})
        self._sign(deviation, 'decide', self.user_qc, comment="No effect.")
        self._sign(deviation, 'close', self.user_qc)


@tagged('post_install', '-at_install')
class TestHold(HoldCommon):

    def test_named_lot(self):
        """R-04, DEV-100: the lot that a major deviation names is in quarantine, out of what was reserved, and not released
        before it is closed; then a new decision releases it."""
        picking = self.env['stock.picking'].create({
            'picking_type_id': self.env.ref('stock.picking_type_out').id, 'location_id': self.place.id,
            'location_dest_id': self.customers.id, 'move_ids': [fields.Command.create({
                'product_id': self.product.id, 'product_uom_qty': 5, 'location_id': self.place.id,
                'location_dest_id': self.customers.id})]})
        picking.action_confirm()
        picking.action_assign()
        self.assertEqual(picking.move_ids.move_line_ids.lot_id, self.lot)
        self._report(self.lot, 'minor')
        self.assertEqual(self.lot.mmr_status, 'released')
        deviation = self._report(self.lot)
        self.assertRecordValues(self.lot, [{
            'mmr_status': 'quarantine', 'mmr_hold_deviation_id': deviation.id, 'mmr_status_signature_id': self.signature.id}])
        self.assertEqual(deviation.held_lot_ids, self.lot)
        self.assertIn(deviation.name, self.lot._mmr_get_decision_label())
        self.assertFalse(picking.move_ids.move_line_ids)
        self._check_at_the_end()
        self.assertIn("DEV-100", self._esign(self.lot, 'release', self.user_qc, digest='0')['refused'])
        self._close(deviation)
        self.assertEqual(self.lot.mmr_status, 'quarantine')
        self._sql_refused(
            "mrp_mmr_lot_signed", "UPDATE stock_lot SET mmr_status = 'released' WHERE id = %s", self.lot.id)
        self._sign(self.lot, 'release', self.user_qc)
        self.assertRecordValues(self.lot, [{'mmr_status': 'released', 'mmr_hold_deviation_id': False}])

    def test_batch(self):
        """R-04, DEV-100: what the batch made is held, whoever opens the deviation and whatever opened it."""
        deviation = self._report(self.bpr, 'critical')
        self.assertRecordValues(self.lot, [{'mmr_status': 'quarantine', 'mmr_hold_deviation_id': deviation.id}])

    def test_severity_raised(self):
        """R-04, DEV-100: a minor deviation holds nothing, and its lots from the moment when it is found to be graver."""
        deviation = self._report(self.bpr, 'minor')
        self.assertEqual(self.lot.mmr_status, 'released')
        deviation.with_user(self.user_qc).severity = 'critical'
        self.assertEqual(self.lot.mmr_status, 'quarantine')

    def test_related(self):
        """R-04, DEV-100, DEV-070: a component lot holds what every batch made of it, until one is found not affected."""
        component = self.env['mrp.bpr.entry'].search([('bpr_id', '=', self.bpr.id), ('lot_id', '!=', False)], limit=1).lot_id
        self.assertEqual(component.mmr_status, 'released')
        deviation = self._report(component, source='specification')
        self.assertEqual((component | self.lot).mapped(STATUS), ['quarantine', 'quarantine'])
        row = deviation.related_ids.filtered(lambda row: row.bpr_id == self.bpr)
        self.assertTrue(row)
        self.assertIn("DEV-100", self._esign(self.lot, 'release', self.user_qc, digest='0')['refused'])
        row.with_user(self.user_qc).write({'assessment': 'not_affected', 'text': "Tested."})
        self._sign(self.lot, 'release', self.user_qc)
        row.with_user(self.user_qc).write({'assessment': 'affected', 'text': "Second test."})
        self.assertEqual(self.lot.mmr_status, 'quarantine')

    def test_related_waits(self):
        """DEV-100: another batch's open deviation that may concern a batch is an open item of its release."""
        waiting = self._make_completed()
        self._report(self.bpr, 'critical')
        issues = [issue['code'] for issue in waiting._get_release_issues('release')[waiting]]
        self.assertIn('related', issues)
        self.assertNotIn('related', [issue['code'] for issue in waiting._get_release_issues('review')[waiting]])

    def test_no_window(self):
        """DEV-100: PostgreSQL ends no transaction with a free lot under a grave deviation, nor releases it."""
        deviation = self._report(self.lot, 'minor')
        self.env.flush_all()
        with self.assertRefused("mrp_mmr_deviation_lots_held", error=CheckViolation):
            self.env.cr.execute(SQL("UPDATE mrp_deviation SET severity = 'major' WHERE id = %s", deviation.id))
            self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.env.cr.execute("SET CONSTRAINTS ALL DEFERRED")
        self._sql_refused(
            "mrp_mmr_lot_signed", "UPDATE stock_lot SET mmr_status = 'quarantine', mmr_hold_deviation_id = %s WHERE id = %s",
            deviation.id, self.lot.id)
        grave = self._report(self.lot)
        self.env.flush_all()
        self._sql_refused("mrp_mmr_lot_concerned", "UPDATE stock_lot SET mmr_status = 'released' WHERE id = %s", self.lot.id)
        self.assertEqual(grave.held_lot_ids, self.lot)


@tagged('post_install', '-at_install')
class TestReturned(HoldCommon):

    def setUp(self):
        super().setUp()
        self.delivered = self._ship(self.lot, 10)
        self.assertEqual(self.lot.mmr_status, 'released')

    def _assert_held(self):
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(self.lot.mmr_status, 'quarantine')
        self.assertTrue(self.lot.mmr_returned_at)
        self.assertEqual(self.lot.mmr_status_signature_id, self.signature)
        quants = self.lot.quant_ids.filtered(lambda quant: quant.location_id.usage == 'internal')
        self.assertTrue(quants)
        self.assertEqual(set(quants.mapped('available_quantity')), {0})

    def test_return_of_a_delivery(self):
        """R-04, DEV-100: the return that is made from the delivery."""
        wizard = self.env['stock.return.picking'].with_context(
            active_id=self.delivered.id, active_ids=self.delivered.ids, active_model='stock.picking').create({})
        wizard.product_return_moves.quantity = 4
        picking = self.env['stock.picking'].browse(wizard.action_create_returns()['res_id'])
        picking.action_assign()
        self.assertEqual(self.lot.mmr_status, 'released')
        picking.move_ids.picked = True
        picking.button_validate()
        self.assertEqual(picking.state, 'done')
        self._assert_held()
        self._sign(self.lot, 'release', self.user_qc)
        self.assertRecordValues(self.lot, [{'mmr_status': 'released', 'mmr_returned_at': False}])

    def test_receipt_from_a_customer(self):
        """R-04, DEV-100: a receipt whose source is a customer, made by hand."""
        self._ship(self.lot, 3, back=True)
        self._assert_held()

    def test_from_a_supplier(self):
        """R-04, DEV-100: goods that an own batch made and that a supplier, such as a carrier or a packer, sends back."""
        self._move_by_hand(self.suppliers, self.place, 2)
        self._assert_held()

    def test_inventory(self):
        """R-04, DEV-100: what is relocated from the customer's location in the inventory."""
        quant = self.lot.quant_ids.filtered(lambda quant: quant.location_id == self.customers)
        self.assertEqual(quant.quantity, 10)
        quant.move_quants(location_dest_id=self.place)
        self._assert_held()

    def test_line_added_to_a_done_transfer(self):
        """R-04, DEV-100: a line that is added to a return that was done, and a line that is turned into one."""
        other = self.env['stock.lot'].create({'name': "RETURNED-1", 'product_id': self.product.id})
        self.assertEqual(other.mmr_status, 'quarantine')
        move = self._move_by_hand(self.customers, self.place, 1, lot=other)
        self.assertEqual(self.lot.mmr_status, 'released')
        self.env['stock.move.line'].create({
            'move_id': move.id, 'product_id': self.product.id, 'lot_id': self.lot.id, 'quantity': 1,
            'product_uom_id': self.kg.id, 'location_id': self.customers.id, 'location_dest_id': self.place.id, 'picked': True})
        self._assert_held()

    def test_without_lot(self):
        """DEV-100: what comes back names its lot, and it does not come back to where nobody holds it."""
        self.env.ref('stock.picking_type_in').write({'use_create_lots': False, 'use_existing_lots': False})
        with self.assertRaisesRegex(UserError, "DEV-100|REL-070|You need to supply"), self.env.cr.savepoint():
            self._move_by_hand(self.customers, self.place, 1, lot=self.env['stock.lot'])
        transit = self.env['stock.location'].create({'name': "On the way", 'usage': 'transit'})
        self._refused("DEV-100", self._move_by_hand, self.customers, transit, 1)
        self.assertEqual(self.lot.mmr_status, 'released')

    def test_by_sql(self):
        """DEV-100: PostgreSQL lets no line bring a released lot back, and nobody use an old release for it again."""
        self.patch(type(self.env['stock.move.line']), '_mmr_hold_returned', lambda self: None)
        with self.assertRefused("mrp_mmr_move_line_returned", error=CheckViolation):
            self._move_by_hand(self.customers, self.place, 1)
            self.env.flush_all()
        self.env.invalidate_all()
        line = self.delivered.move_line_ids
        self._sql_refused(
            "mrp_mmr_move_line_returned", "UPDATE stock_move_line SET location_id = %s, location_dest_id = %s WHERE id = %s",
            self.customers.id, self.place.id, line.id)

    def test_corrected_delivery(self):
        """B-69, DEV-100: a delivery that is corrected to less, or to the own place, brings goods back, which are held."""
        line = self.delivered.move_line_ids
        line.quantity = 11
        self.assertEqual(self.lot.mmr_status, 'released')
        # It would only seem to be lost.
        self._refused("REL-070", line.write, {
            'location_dest_id': self.env['stock.location'].search([('usage', '=', 'inventory')], limit=1).id})
        for vals in ({'quantity': 4}, {'location_dest_id': self.place.id}, {'quantity': 0}):
            with self.subTest(vals=vals), self.env.cr.savepoint() as savepoint:
                line.write(vals)
                self._assert_held()
                self._check_at_the_end()
                savepoint.rollback()
            self.env.invalidate_all()
        line.location_dest_id = self.customers.copy()
        self.assertEqual(self.lot.mmr_status, 'released')
        line.quantity = 5
        self._assert_held()
        self._refused("REL-070", line.write, {'quantity': 6})
        line.quantity = 3
        self._sign(self.lot, 'release', self.user_qc)
        self.assertRecordValues(self.lot, [{'mmr_status': 'released', 'mmr_returned_at': False}])

    def test_counted_again(self):
        """B-70, DEV-100: what a count or production brings of a lot that was sent outside came back."""
        production = self.env['stock.location'].search([('usage', '=', 'production')], limit=1)
        quant = self.lot.quant_ids.filtered(lambda quant: quant.location_id == self.place)
        counted = quant.quantity

        def count(quantity):
            quant.with_context(inventory_mode=True).inventory_quantity = quantity
            quant.action_apply_inventory()

        count(counted - 2)
        self.assertEqual(self.lot.mmr_status, 'released')
        line = self.env['stock.move.line'].search([('lot_id', '=', self.lot.id), ('location_dest_id.usage', '=', 'inventory')])
        for back in (lambda: count(counted), lambda: self._move_by_hand(production, self.place, 1),
                     lambda: line.write({'quantity': 1})):
            with self.env.cr.savepoint() as savepoint:
                back()
                self._assert_held()
                self._check_at_the_end()
                savepoint.rollback()
            self.env.invalidate_all()

    def test_counted_before_delivery(self):
        """B-70, DEV-100: a count of a lot of which nothing left holds nothing."""
        lot = self.env['stock.lot'].create({'name': "C-1", 'product_id': self.component_a.id})
        self._put(lot, 10)
        self._sign(lot, 'release', self.user_qc)
        self._put(lot, 12)
        self.assertEqual(lot.mmr_status, 'released')

    def test_taken_back_by_sql(self):
        """B-69, B-70, DEV-100: PostgreSQL lets no correction and no count bring a released lot back."""
        line = self.delivered.move_line_ids
        for change in ("quantity = 4, quantity_product_uom = 4", f"location_dest_id = {self.place.id}", "state = 'draft'"):
            with self.subTest(change=change):
                self._sql_refused(
                    "mrp_mmr_move_line_returned", f"UPDATE stock_move_line SET {change} WHERE id = %s", line.id)
        self._sql_refused("mrp_mmr_move_line_returned", "DELETE FROM stock_move_line WHERE id = %s", line.id)
        for name in ('_mmr_hold_returned', '_mmr_check_surplus'):
            self.patch(type(self.env['stock.move.line']), name, lambda self: None)
        loss = self.env['stock.location'].search([('usage', '=', 'inventory')], limit=1)
        with self.assertRefused("mrp_mmr_move_line_returned", error=CheckViolation):
            self._move_by_hand(loss, self.place, 1)
            self.env.flush_all()

    def test_uncontrolled(self):
        """USE-060: what is not under control comes back as in Odoo."""
        product = self.env['product.product'].create({
            'name': "Plain", 'type': 'consu', 'is_storable': True, 'uom_id': self.kg.id, 'tracking': 'lot'})
        lot = self.env['stock.lot'].create({'name': "P-1", 'product_id': product.id})
        self._move_by_hand(self.customers, self.place, 1, lot=lot)
        self.assertRecordValues(lot, [{'mmr_status': False, 'mmr_returned_at': False}])
