"""Lots of a controlled product are released where a record made them, or where the company has them otherwise (REL-070)."""

from datetime import timedelta
from decimal import Decimal

from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.mrp_mmr.verification.records import Verification

from ..deviation.test_hold import HoldCommon


@tagged('post_install', '-at_install')
class TestLotOrigin(HoldCommon):

    def _make_lot(self, name="OUTSIDE-1"):
        lot = self.env['stock.lot'].create({'name': name, 'product_id': self.product.id})
        self.assertEqual(lot.mmr_status, 'quarantine')
        return lot

    def _move_in(self, lot, source, quantity=5.0, at=None):
        """Bring a lot in by a move from a place, at a time; tomorrow, which is after the product came under control."""
        self._move_by_hand(source, self.place, quantity, lot=lot)
        self._date(lot, at)

    def _date(self, lot, at=None):
        """Let the lines of a lot be of another time."""
        self.env.flush_all()
        self.env.cr.execute(SQL("UPDATE stock_move_line SET create_date = %s WHERE lot_id = %s",
                                at or fields.Datetime.now() + timedelta(days=1), lot.id))
        self.env.invalidate_all()

    def _verified(self):
        self.env.flush_all()
        return {row.name: row.severity for row in Verification(self.env.cr).check_part('lots_made') if row}

    def _places(self, usage):
        return self.env['stock.location'].search(
            [('usage', '=', usage), ('company_id', 'in', (False, self.env.company.id))], limit=1)

    def test_made_without_record(self):
        """B-72, REL-070, USE-010: what was counted in, or came from production by a move or nowhere, is not released."""
        counted = self._put(self._make_lot(), 5)
        self._date(counted)
        produced = self._make_lot("OUTSIDE-2")
        self._move_in(produced, self._places('production'))
        for lot in (counted, produced, self._make_lot("OUTSIDE-3")):
            with self.subTest(lot=lot.name):
                self._refused("(?s)not made by a batch record.*REL-070", lot.with_user(self.user_qc).esign_prepare, 'release')
                self.assertIn("REL-070", self._esign(lot, 'release', self.user_qc, digest='0')['refused'])
                self.assertEqual(lot.mmr_status, 'quarantine')
        self._sign(counted, 'reject', self.user_qc, comment="Made by nobody")
        self.assertEqual(counted.mmr_status, 'rejected')

    def test_guard(self):
        """B-72, REL-070: PostgreSQL refuses it as well, and verification lists what was released all the same."""
        lot = self._put(self._make_lot(), 5)
        self._date(lot)
        self.patch(type(lot), '_mmr_check_origin', lambda self: None)
        self.assertEqual(self._verified(), {})
        self.assertIn("Lot OUTSIDE-1 of a controlled product was not made by a batch record",
                      self._esign(lot, 'release', self.user_qc)['refused'])
        self.assertEqual(lot.mmr_status, 'quarantine')
        with self._unguarded('stock_lot') as cr:
            cr.execute(SQL("UPDATE stock_lot SET mmr_status = 'released' WHERE id = %s", lot.id))
        self.assertEqual(self._verified(), {"OUTSIDE-1": 'remark'})

    def test_bought(self):
        """B-72, REL-070: a lot of a controlled product that a supplier delivered is released by its own button."""
        lot = self._make_lot("BOUGHT-1")
        self._move_in(lot, self.suppliers)
        self._sign(lot, 'release', self.user_qc)
        self.assertEqual(lot.mmr_status, 'released')
        self.assertEqual(self._verified(), {})

    def test_from_before(self):
        """B-72, REL-070: stock from before the product came under control is released by its own button."""
        self.product.product_tmpl_id.with_user(self.user_qc).sudo().mmr_controlled = False
        old, late = (self.env['stock.lot'].create({'name': name, 'product_id': self.product.id}) for name in ("OLD-1", "OLD-2"))
        self._put(old, 5)
        self.product.product_tmpl_id.mmr_controlled = True
        self.assertFalse(old.mmr_status or late.mmr_status)
        self._put(late, 5)
        self._date(old, fields.Datetime.now() - timedelta(days=1))
        self._date(late)
        self._sign(old, 'release', self.user_qc)
        self._sign(old, 'quarantine', self.user_qc, comment="Label")
        self._sign(old, 'release', self.user_qc)
        self.assertEqual(old.mmr_status, 'released')
        # A number that was kept for later is no stock from before.
        self._refused("REL-070", late.with_user(self.user_qc).esign_prepare, 'release')
        self.assertEqual(self._verified(), {})


@tagged('post_install', '-at_install')
class TestSurplus(HoldCommon):

    def _get_quant(self):
        return self.lot.quant_ids.filtered(lambda quant: quant.location_id == self.place)

    def _count(self, quantity):
        quant = self._get_quant()
        quant.with_context(inventory_mode=True).inventory_quantity = quantity
        quant.action_apply_inventory()

    def _verified(self):
        self.env.flush_all()
        return {row.name: (row.found, row.severity) for row in Verification(self.env.cr).check_part('lots_surplus') if row}

    def test_counted_up(self):
        """B-71, REL-070, STK-020: no count makes more of a lot than its batch made; a count that was wrong is made right."""
        made = self._get_quant().quantity
        said = self._refused("STK-020", self._count, made + 1)
        self.assertEqual(self.lot.mmr_status, 'released', said)
        self._count(made - 2)
        self._count(made)
        self._refused("STK-020", self._count, made + 0.5)
        self._check_at_the_end()
        self.assertEqual(self._verified(), {})
        self.assertEqual(self.lot.mmr_status, 'released')

    def test_produced(self):
        """B-71, REL-070: nor does a move from production without an order."""
        production = self.env['stock.location'].search([('usage', '=', 'production')], limit=1)
        self._refused("STK-020", self._move_by_hand, production, self.place, 1)

    def test_adjusted(self):
        """B-71, STK-020, DEV-100: Adjust Stock books it with a major deviation, which holds the lot; verification says so."""
        made = self._get_quant().quantity
        less = self.lot.with_user(self.user_qc)._mmr_adjust(self._get_quant(), Decimal(str(made)) - 1, "Drum 3 is missing.")
        self.assertEqual((less.severity, self.lot.mmr_status), ('minor', 'released'))
        deviation = self.lot.with_user(self.user_qc)._mmr_adjust(self._get_quant(), Decimal(str(made)) + 2, "Two drums more.")
        self.assertEqual(deviation.severity, 'major')
        self._check_at_the_end()
        self.assertRecordValues(self.lot, [{'mmr_status': 'quarantine', 'mmr_hold_deviation_id': deviation.id}])
        self.assertEqual(self._get_quant().quantity, made + 2)
        self.assertEqual(self._verified(), {self.lot.name: ('2 more, by counts', 'remark')})

    def test_guard(self):
        """B-71, REL-070: PostgreSQL refuses it as well."""
        self.patch(type(self.env['stock.move.line']), '_mmr_check_surplus', lambda self: None)
        with self.assertRefused('mrp_mmr_move_line_surplus'):
            self._count(self._get_quant().quantity + 1)
