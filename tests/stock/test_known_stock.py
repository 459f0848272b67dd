"""Expiry of lots, and what places are for and of whom they are, are in the ledger and verified (AUD-080, AUD-090, REL-070)."""

from odoo import Command
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.mrp_mmr.verification.records import Verification

from .test_lot_status import LotCommon


@tagged('post_install', '-at_install')
class TestKnownStock(LotCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.component_a.write({'mmr_lot_release': True, 'use_expiration_date': True, 'expiration_time': 700})
        cls.warehouse = cls.env['stock.warehouse'].search([('company_id', '=', cls.company.id)], limit=1) \
            or cls.env['stock.warehouse'].create({'name': "Plant", 'code': "PLA", 'company_id': cls.company.id})
        cls.shelf = cls.env['stock.location'].create({
            'name': "Shelf", 'usage': 'internal', 'location_id': cls.warehouse.lot_stock_id.id, 'company_id': cls.company.id})

    def _found(self, part, company=None):
        self.env.flush_all()
        return {finding.res_id for finding in Verification(self.cr, company).check_part(part) if finding}

    def _found_after(self, part, table, query):
        """Return what is found after the owner of the database changed a table with its triggers off."""
        self.env.flush_all()
        with self.cr.savepoint() as savepoint:
            self.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
            self.cr.execute(SQL("ALTER TABLE %s DISABLE TRIGGER USER", SQL.identifier(table)))
            self.cr.execute(query)
            found = self._found(part)
            savepoint.rollback()
        self.env.invalidate_all()
        return found

    # === LOTS === #

    def test_expiry(self):
        """B-80, AUD-080: an expiry that was changed, taken away or given outside the ledger is found at the lot."""
        lots = self._create_lot("E-1") | self._create_lot("E-2", expiration_date='2031-05-06 07:08:09')
        never = self._create_lot("E-3")
        never.expiration_date = False
        self._sign(lots[1], 'release', self.user_qc)
        self.assertEqual(self._found('stock.lot'), set())
        for lot in lots:
            for value in ('2040-01-01', None):
                self.assertEqual(self._found_after('stock.lot', 'stock_lot', SQL(
                    "UPDATE stock_lot SET expiration_date = %s WHERE id = %s", value, lot.id)), {lot.id})
        self.assertEqual(self._found_after('stock.lot', 'stock_lot', SQL(
            "UPDATE stock_lot SET expiration_date = '2040-01-01' WHERE id = %s", never.id)), {never.id})
        # What a person does in Odoo has its line, also where the expiry follows from another product.
        lots[0].expiration_date = '2032-01-01'
        self.component_b.write({'mmr_lot_release': True, 'use_expiration_date': True, 'expiration_time': 30})
        lots[0].product_id = self.component_b
        self.assertEqual(self._found('stock.lot'), set())

    def test_expiry_of_an_older_database(self):
        """B-80, AUD-080: an update takes over the expiry of a lot whose lines never named it, once."""
        lot = self._create_lot("E-4")
        lot.expiration_date = False
        self.env.flush_all()
        with self._unguarded('mrp_audit_entry', 'stock_lot') as cr:
            # As a version left it that did not follow the expiry.
            cr.execute("""UPDATE mrp_audit_entry SET "values" = (("values"::jsonb) - 'expiration_date')::json
                           WHERE res_model = 'stock.lot' AND res_id = %s AND kind IN ('create', 'write')""", [lot.id])
            cr.execute("UPDATE stock_lot SET expiration_date = '2033-01-01' WHERE id = %s", [lot.id])
        self.assertEqual(self._found('stock.lot'), {lot.id})
        self.env['stock.lot']._mmr_note_expiry()
        self.assertEqual(self._found('stock.lot'), set())
        self.assertEqual(self._found_after('stock.lot', 'stock_lot', SQL(
            "UPDATE stock_lot SET expiration_date = '2040-01-01' WHERE id = %s", lot.id)), {lot.id})
        # The ledger follows places, so this is behind it: no update takes over what SQL wrote since.
        count = self.env['mrp.audit.entry'].sudo().search_count([])
        self.env['mrp.audit.entry'].sudo()._note_taken_over()
        self.assertEqual(self.env['mrp.audit.entry'].sudo().search_count([]), count)

    # === PLACES === #

    def _last_line(self, place):
        self.env.flush_all()
        return self.env['mrp.audit.entry'].sudo().search(
            [('res_model', '=', 'stock.location'), ('res_id', '=', place.id)], order='id desc', limit=1)

    def test_places(self):
        """B-81, AUD-080, REL-070: use, parent, company and warehouse of a place, changed outside the ledger, are found."""
        self.assertEqual(self._found('places'), set())
        other = self.env['stock.location'].create({'name': "Other", 'usage': 'internal', 'company_id': self.company.id})
        for column, value in (('usage', 'customer'), ('location_id', other.id), ('company_id', None), ('warehouse_id', None)):
            with self.subTest(column):
                self.assertEqual(self._found_after('places', 'stock_location', SQL(
                    "UPDATE stock_location SET %s = %s WHERE id = %s", SQL.identifier(column), value, self.shelf.id)),
                    {self.shelf.id})
        self.assertEqual(self._found_after('places', 'stock_location', SQL(
            "DELETE FROM stock_location WHERE id = %s", other.id)), {other.id})
        forged = self._found_after('places', 'stock_location', SQL(
            "INSERT INTO stock_location (name, usage) VALUES ('Forged', 'internal')"))
        self.assertEqual(len(forged), 1)

    def test_changes_in_odoo(self):
        """B-81, AUD-090: what people do with places has its line, also where the warehouse follows."""
        self.assertEqual(self._last_line(self.shelf).values['place']['new'], {
            'usage': 'internal', 'company': self.company.id, 'parent': self.warehouse.lot_stock_id.id,
            'warehouse': self.warehouse.id})
        self.shelf.usage = 'transit'
        line = self._last_line(self.shelf)
        self.assertEqual((line.values['place']['old']['usage'], line.values['place']['new']['usage']), ('internal', 'transit'))
        self.assertIn("transit", line.details)
        self.shelf.usage = 'internal'
        second = self.env['stock.warehouse'].create({'name': "Second", 'code': "SEC", 'company_id': self.company.id})
        self.shelf.location_id = second.lot_stock_id
        self.assertEqual(self._last_line(self.shelf).values['place']['new']['warehouse'], second.id)
        box = self.env['stock.location'].create({'name': "Box", 'location_id': self.shelf.id, 'company_id': self.company.id})
        self.shelf.name = "Shelf 2"
        count = self.env['mrp.audit.entry'].sudo().search_count([('res_model', '=', 'stock.location')])
        self.shelf.write({'name': "Shelf 3", 'child_ids': [Command.update(box.id, {'name': "Box 2"})]})
        self.env.flush_all()
        self.assertEqual(self.env['mrp.audit.entry'].sudo().search_count([('res_model', '=', 'stock.location')]), count)
        places = self.shelf | box
        self.shelf.unlink()
        for place in places:
            self.assertIsNone(self._last_line(place).values['place']['new'])
        self.assertEqual(self._found('places'), set())
        self.assertEqual(self._found('places', self.company.id), set())

    def test_places_of_an_older_database(self):
        """B-81, AUD-080: an update notes places that have no line, and none that has one."""
        with self.cr.savepoint() as savepoint:
            self.cr.execute("INSERT INTO stock_location (name, usage, company_id) VALUES ('Old', 'internal', %s) RETURNING id",
                            [self.company.id])
            [place] = self.cr.fetchone()
            self.cr.execute(SQL("UPDATE stock_location SET usage = 'customer' WHERE id = %s", self.shelf.id))
            self.assertEqual(self._found('places'), {place, self.shelf.id})
            self.env['mrp.audit.entry'].sudo()._note_taken_over()
            self.assertEqual(self._found('places'), {self.shelf.id})
            savepoint.rollback()
