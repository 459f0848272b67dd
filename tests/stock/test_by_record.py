"""Moves of a controlled order are done by its record only; record, moves and stock are compared (STK-040)."""

from psycopg2.errors import CheckViolation

from odoo.tools import mute_logger

from odoo.addons.mrp_mmr.verification.records import Verification

from ..common.stock import StockCommon


class TestByRecord(StockCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.revision = cls._make_effective(cls._create_mmr(10))

    def setUp(self):
        super().setUp()
        self._put(self.lot, self.shelves[0], 100)
        self.order = self._release_order()
        self.raw = self.order.move_raw_ids.filtered(lambda move: move.product_id == self.component_a)
        self.made = self.order.move_finished_ids.filtered(lambda move: move.product_id == self.product)

    def _transfer(self):
        return self.env['stock.picking'].create({
            'picking_type_id': self.env.ref('stock.picking_type_internal').id, 'location_id': self.stock_place.id,
            'location_dest_id': self.stock_place.id})

    def _sql_refused(self, query, *parameters, rule="STK-040"):
        self.env.flush_all()
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, rule), self.cr.savepoint():
            self.env.cr.execute(query, parameters)
        self.env.invalidate_all()

    def test_transfer(self):
        """H-26, STK-040: no move of a controlled order gets a transfer, and none is done by one."""
        picking = self._transfer()
        for move in (self.raw, self.made):
            for record in (move, move.sudo(), move.with_context(skip_mo_check=True, mmr_transition=True)):
                self._refused("STK-040", record.write, {'picking_id': picking.id})
            self._sql_refused("UPDATE stock_move SET picking_id = %s WHERE id = %s", picking.id, move.id)
            self._refused("STK-040|USE-020", picking.write, {'move_ids': [(4, move.id)]})

    def test_done_by_hand(self):
        """H-26, STK-040: a done quantity and a lot set by hand are not done while steps are open, by any road."""
        lot = self.env['stock.lot'].create({'name': "VC-X", 'product_id': self.product.id})
        for move, number in ((self.raw, self.lot), (self.made, lot)):
            move.sudo().move_line_ids.unlink()
            self.env['stock.move.line'].create({
                'move_id': move.id, 'product_id': move.product_id.id, 'lot_id': number.id, 'quantity': 5, 'picked': True,
                'location_id': move.location_id.id, 'location_dest_id': move.location_dest_id.id})
            move.picked = True
            self._refused("STK-040", move.sudo()._action_done)
            self._refused("USE-020|STK-040", move.sudo().write, {'state': 'done'})
            self._sql_refused("UPDATE stock_move SET state = 'done' WHERE id = %s", move.id)
            self._refused("STK-040", self.order.sudo()._post_inventory)
        self.assertEqual(self._lies(self.lot), {"Shelf 1": 100})

    def test_done_lines_are_fixed(self):
        """H-23, STK-040: done lines are not redirected, moved to another order, dated, packed, changed or deleted."""
        self._weigh(self.order, self.component_a, (self.lot, '9'))
        self._complete(self.order)
        other = self._release_order()
        line, made = self.raw.move_line_ids, self.made.move_line_ids
        self.assertEqual((len(line), len(made)), (1, 1))
        package = self.drums[0]
        for record, vals in (
                (line, {'location_id': self.shelves[1].id}), (line, {'location_dest_id': self.shelves[1].id}),
                (line, {'move_id': other.move_raw_ids[0].id}), (line, {'date': '2020-01-01 00:00:00'}),
                (line, {'owner_id': self.client.id}), (line, {'package_id': package.id}), (line, {'quantity': 8}),
                (line, {'lot_id': self.other_lot.id}), (made, {'location_dest_id': self.shelves[1].id}),
                (made, {'result_package_id': package.id}), (made, {'quantity': 500})):
            with self.subTest(vals=vals):
                self._refused("USE-020", record.write, vals)
                self._refused("USE-020", record.sudo().write, vals)
                name, value = next(iter(vals.items()))
                if name != 'quantity':
                    self._sql_refused(f"UPDATE stock_move_line SET {name} = %s WHERE id = %s", value, record.id)
        self._refused("USE-020|going back in time", line.sudo().unlink)
        self._sql_refused("DELETE FROM stock_move_line WHERE id = %s", line.id)
        for name, value in (('date', '2020-01-01'), ('location_dest_id', self.shelves[1].id), ('state', 'assigned'),
                            ('raw_material_production_id', other.id), ('raw_material_production_id', None)):
            with self.subTest(move=name):
                self._refused("USE-020", self.raw.write, {name: value})
                self._sql_refused(f"UPDATE stock_move SET {name} = %s WHERE id = %s", value, self.raw.id)
        self._refused("USE-020", self.env['stock.move.line'].create, {
            'move_id': self.raw.id, 'product_id': self.component_a.id, 'lot_id': self.lot.id, 'quantity': 1,
            'location_id': self.shelves[0].id, 'location_dest_id': self.raw.location_dest_id.id})
        self.env.cr.precommit.clear()
        self._release(self.order.bpr_id)
        self._sql_refused("UPDATE stock_move_line SET quantity = 8 WHERE id = %s", line.id)
        self.assertEqual(self._lies(self.lot), {"Shelf 1": 91})

    def test_difference_is_found(self):
        """STK-040: review, release and verification name batch, lot, what is recorded and what was moved."""
        self._weigh(self.order, self.component_a, (self.lot, '9'))
        self._complete(self.order)
        bpr, line = self.order.bpr_id, self.raw.move_line_ids
        self.assertEqual(self._findings(), [])
        with self._unguarded('stock_move_line') as cr:
            cr.execute("UPDATE stock_move_line SET quantity = 8, quantity_product_uom = 8 WHERE id = %s", [line.id])
        rows = [issue for issue in bpr._get_release_issues('release')[bpr] if issue['code'] == 'stock']
        self.assertEqual(len(rows), 1)
        for words in ("ASC-1", "recorded 9 kg", "taken from stock 8 kg"):
            self.assertIn(words, rows[0]['text'])
        self._enter_results(bpr)
        self._refused("ASC-1", bpr.with_user(self.user_qc).esign_prepare, 'review')
        finding, = self._findings()
        self.assertIn(bpr.name, str(finding))
        self.assertEqual((finding.severity, finding.found), ('finding', '8'))
        for words in ("9 of Ascorbic acid", "lot ASC-1"):
            self.assertIn(words, finding.expected)
        self._refused("SEC-010", bpr.with_user(self.user_operator).action_book_again)
        self.assertTrue(bpr.with_user(self._person('production')).action_book_again())
        self.assertEqual(self._findings(), [])
        self._release(bpr, enter=False)
        self.assertEqual(bpr.release_state, 'released')

    def test_rounded_before(self):
        """STK-040: what stock rounded to two digits is a remark for masters that did not refuse it yet, else a finding."""
        self._weigh(self.order, self.component_a, (self.lot, '9'))
        self._complete(self.order)
        self._set_decimals()

        def severity(quantity):
            with self._unguarded('stock_move_line') as cr:
                cr.execute("UPDATE stock_move_line SET quantity_product_uom = %s WHERE id = %s",
                           [quantity, self.raw.move_line_ids.id])
            [finding] = self._findings()
            self.assertEqual(finding.found, quantity)
            return finding.severity

        self.assertEqual(severity('9.005'), 'finding')
        with self._unguarded('mrp_production') as cr:
            cr.execute("UPDATE mrp_production SET mmr_snapshot = jsonb_set(mmr_snapshot, '{document,schema}', %s) "
                       "WHERE id = %s", ['"mrp_mmr/mmr/2"', self.order.id])
        self.assertEqual([severity('9.005'), severity('8.995'), severity('9.006')], ['remark', 'remark', 'finding'])

    def test_made_and_on_stock(self):
        """STK-040: yield and finished move, and finished moves and stock, are compared as well."""
        self._weigh(self.order, self.component_a, (self.lot, '9'))
        self._complete(self.order)
        bpr, made = self.order.bpr_id, self.made.move_line_ids
        with self.cr.savepoint() as savepoint, self._unguarded('stock_move_line') as cr:
            cr.execute("UPDATE stock_move_line SET quantity = 500, quantity_product_uom = 500 WHERE id = %s", [made.id])
            words = ' '.join(bpr._get_stock_differences()[bpr])
            self.assertIn("yield 10 kg, added to stock 500 kg", words)
            self.assertIn("500 kg, in stock there 10 kg", words)
            savepoint.rollback()
        self.env.invalidate_all()
        with self._unguarded('stock_quant') as cr:
            cr.execute("UPDATE stock_quant SET quantity = 11 WHERE lot_id = %s AND quantity > 0", [made.lot_id.id])
        finding, = self._findings()
        self.assertEqual(finding.found, '11')
        self.assertIn("10 of Vitamin C", finding.expected)

    def _findings(self):
        self.env.flush_all()
        verification = Verification(self.env.cr)
        return [row for row in verification.check_part('stock') if row and row.res_id == self.order.bpr_id.id]
