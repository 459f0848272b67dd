"""The field of exact numbers: what it takes, keeps, finds, exports, imports; columns of floats that become one (NUM-010)."""

import io
from decimal import Decimal

import openpyxl
import psycopg2

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tests import Form, TransactionCase, tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.mrp_mmr.domain.numbers import Number
from odoo.addons.mrp_mmr.models.base.exact_number import ExactNumber
from odoo.addons.mrp_mmr.models.base.exact_number_column import convert_to_exact

MODEL = 'mrp.mmr.test.number'
TABLE = 'mrp_mmr_test_number'


class NumberRow(models.Model):
    """A model of this test alone, put into the registry while it runs."""
    _name = MODEL
    _description = "Test of Exact Numbers"
    _module = None
    _log_access = False

    name = fields.Char()
    parent_id = fields.Many2one(MODEL)
    number = ExactNumber(string="Assay")
    needed = ExactNumber(default=0)
    parent_number = ExactNumber(related='parent_id.number')
    doubled = ExactNumber(compute='_compute_doubled', store=True)

    def _compute_doubled(self):
        for record in self:
            record.doubled = None if record.number is None else Number.from_fraction(record.number.fraction * 2)


@tagged('post_install', '-at_install')
class TestExactNumber(TransactionCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        from odoo.orm.model_classes import add_to_registry

        NumberRow._compute_doubled._depends = ('number',)
        cls.addClassCleanup(cls.registry._setup_models__, cls.env.cr, [])
        cls.addClassCleanup(cls.registry.__delitem__, MODEL)
        add_to_registry(cls.registry, NumberRow)
        cls.registry._setup_models__(cls.env.cr, [MODEL])
        with mute_logger('odoo.models', 'odoo.registry', 'odoo.schema'):
            cls.registry.init_models(cls.env.cr, [MODEL], {'module': 'mrp_mmr'})
        cls.numbers = cls.env[MODEL]

    def make(self, number, **vals):
        return self.numbers.create({'number': number, **vals})

    def stored(self, record):
        record.flush_recordset()
        return self.env.execute_query_dict(SQL(
            "SELECT number, needed, doubled FROM %s WHERE id = %s", SQL.identifier(TABLE), record.id))[0]

    # === VALUES === #

    def test_digits_from_entry_to_read(self):
        """NUM-020: the digits that were written are stored, read and given to a client."""
        for value, text in (('98.0', '98.0'), (Decimal('98.00'), '98.00'), (Number('0.10'), '0.10'), (10**10, '10000000000'),
                            ('1000000000000000', '1000000000000000'), ('0.000001', '0.000001'), (0, '0'), ('-5', '-5')):
            with self.subTest(value=value):
                record = self.make(value)
                self.assertEqual(self.stored(record)['number'], text)
                record.invalidate_recordset()
                self.assertIsInstance(record.number, Number)
                self.assertEqual(record.number.text, text)
                self.assertEqual(record.read(['number'])[0]['number'], text)
                self.assertEqual(record.web_read({'number': {}})[0]['number'], text)
                found = self.numbers.web_search_read([('id', '=', record.id)], {'number': {}})
                self.assertEqual(found['records'][0]['number'], text)

    def test_blank_and_zero(self):
        """R-09: a blank is None and NULL; zero is a value, and true."""
        blank, zero = self.make(False), self.make(0)
        self.assertIsNone(blank.number)
        self.assertIsNone(self.stored(blank)['number'])
        self.assertIs(blank.read(['number'])[0]['number'], False)
        self.assertEqual(zero.number, 0)
        self.assertTrue(zero.number)
        self.assertEqual(self.stored(zero), {'number': '0', 'needed': '0', 'doubled': '0'})
        self.assertEqual((blank + zero).filtered('number'), zero)
        for value in (None, False, ''):
            zero.number = value
            self.assertIsNone(zero.number)
        self.assertIsNone(self.numbers.number)

    def test_refused(self):
        """NUM-010: what is not canonical does not get in, by create, write or assignment."""
        record = self.make('1')
        for value in (float('inf'), 1 / 3,
                      True, [], {}, Decimal('NaN'), '12,000', '1e3', '+5', '-0', '007', ' 5', '٣', 'NaN', '1' * 40,
                      '1\n'):
            with self.subTest(value=value):
                with self.assertRaisesRegex(UserError, "Assay.*canonical"):
                    record.write({'number': value})
                with self.assertRaisesRegex(UserError, "Assay.*canonical"):
                    self.make(value)
                with self.assertRaisesRegex(UserError, "Assay.*canonical"):
                    record.number = value
        self.assertEqual(record.number.text, '1')

    def test_floats(self):
        """V-02: a float of code or JSON is taken by its shortest form."""
        for value, text in ((98.0, '98'), (1e10, '10000000000'), (0.1, '0.1'), (1e-6, '0.000001'), (0.0, '0')):
            with self.subTest(value=value):
                self.assertEqual(self.make(value).number.text, text)

    def test_database_holds_the_form(self):
        """NUM-010: PostgreSQL refuses what is not canonical, too."""
        record = self.make('1')
        record.flush_recordset()
        for text in ('12,000', '1e3', '-0', '-0.00', '', '007', '1\n', '1' * 19, 'NaN'):
            with (self.subTest(text=text), mute_logger('odoo.sql_db'), self.cr.savepoint(),
                  self.assertRaisesRegex(psycopg2.errors.CheckViolation, 'number_canonical'), self.cr.savepoint()):
                self.cr.execute(SQL("UPDATE %s SET number = %s WHERE id = %s", SQL.identifier(TABLE), text, record.id))
        self.cr.execute(SQL("UPDATE %s SET number = '98.0' WHERE id = %s", SQL.identifier(TABLE), record.id))

    def test_only_digits_changed(self):
        """98 written over by 98.0 is a change."""
        record = self.make('98')
        record.flush_recordset()
        record.number = '98.0'
        self.assertEqual(self.stored(record)['number'], '98.0')

    def test_related_computed_copied(self):
        parent = self.make('98.0')
        record = self.make('1.50', parent_id=parent.id)
        self.assertEqual(record.parent_number.text, '98.0')
        self.assertEqual(record.doubled.text, '3')
        self.assertIsNone(parent.parent_number)
        self.assertEqual(record.copy().number.text, '1.50')
        self.assertEqual(self.numbers.search([('parent_number', '=', '98')]), record + self.numbers.search(
            [('parent_id', '=', parent.id), ('id', '!=', record.id)]))

    def test_form(self):
        """What a form sends and gets back is the canonical text; a form refuses the same values."""
        self.env['ir.ui.view'].create({
            'name': 'numbers', 'model': MODEL,
            'arch': '<form><field name="number"/><field name="needed"/><field name="doubled"/></form>'})
        form = Form(self.numbers)
        self.assertEqual(form.needed, '0')
        form.number = '98.0'
        self.assertEqual(form.doubled, '196')
        record = form.save()
        self.assertEqual(record.number.text, '98.0')
        with self.assertRaisesRegex(UserError, "canonical"):
            form.number = '12,000'

    def test_description(self):
        """The web client takes the field for a text."""
        description = self.numbers.fields_get(['number'])['number']
        self.assertEqual(description['type'], 'char')
        self.assertTrue(description['sortable'])
        self.assertNotIn('aggregator', description)

    # === SEARCH === #

    def test_search_by_value(self):
        """Domains compare values, in SQL and in memory alike."""
        texts = ('98.0', '98', '9', '100', '-1', '0', '0.00', '1000000000000000', '0.000001', None)
        records = self.numbers.browse([self.make(text or False).id for text in texts])
        for operator, value, expected in (
                ('=', '98', '98.0 98'), ('=', 98, '98.0 98'), ('=', Decimal('98.000'), '98.0 98'), ('=', Number('9'), '9'),
                ('!=', '98', '9 100 -1 0 0.00 1000000000000000 0.000001 None'),
                ('in', ['9', '100.0'], '9 100'), ('in', ['9', False], '9 None'),
                ('not in', ['0', '98', False], '9 100 -1 1000000000000000 0.000001'),
                ('=', 0, '0 0.00'), ('=', '0', '0 0.00'), ('=', False, 'None'),
                ('!=', False, '98.0 98 9 100 -1 0 0.00 1000000000000000 0.000001'),
                ('<', '9', '-1 0 0.00 0.000001'), ('<=', '9.0', '9 -1 0 0.00 0.000001'), ('>', '99', '100 1000000000000000'),
                ('>=', '98.00', '98.0 98 100 1000000000000000'), ('>', '0', '98.0 98 9 100 1000000000000000 0.000001'),
                ('>', False, '')):
            domain = [('number', operator, value)]
            with self.subTest(domain=domain):
                found = self.numbers.search([*domain, ('id', 'in', records.ids)], order='id')
                self.assertEqual(' '.join(str(record.number) for record in found), expected)
                self.assertEqual(records.filtered_domain(domain), found)
        self.assertEqual(self.numbers.search([('number', '=', 98.0), ('id', 'in', records.ids)]), records[:2])
        for value in ('12,000', '1e3'):
            with self.subTest(value=value), self.assertRaisesRegex(UserError, "canonical"):
                self.numbers.search([('number', '=', value)])
        self.assertEqual(self.numbers.search([('number', 'ilike', '98'), ('id', 'in', records.ids)]), records[:2])
        # Not less than 9: a blank is not less.
        self.assertEqual(
            self.numbers.search(['!', ('number', '<', '9'), ('id', 'in', records.ids)], order='id'), records.filtered(
                lambda record: record.number is None or record.number >= 9))

    def test_order_and_groups(self):
        """Sorted and grouped by value, not by text."""
        records = self.numbers.browse([self.make(text).id for text in ('10', '9', '-1', '9.0', '1000', False)])
        domain = [('id', 'in', records.ids)]
        found = self.numbers.search(domain, order='number, id')
        self.assertEqual([record.number and record.number.text for record in found], ['-1', '9', '9.0', '10', '1000', None])
        groups = self.numbers._read_group(domain, ['number'], ['__count'], order='number')
        self.assertEqual(groups, [('-1', 1), ('9', 2), ('10', 1), ('1000', 1), (False, 1)])
        self.assertEqual(
            self.numbers._read_group(domain, [], ['number:sum', 'number:max', 'number:min']), [('1027.0', '1000', '-1')])
        for group in self.numbers.formatted_read_group(domain, ['number'], ['__count']):
            self.assertEqual(self.numbers.search_count(domain + group['__extra_domain']), group['__count'])

    # === FILES === #

    def use_language(self, code):
        self.env['res.lang']._activate_lang(code)
        return self.numbers.with_context(lang=code)

    def test_load(self):
        """NUM-010: a file is read in the language of the person who loads it, or refused with what to write."""
        german = self.use_language('de_DE')
        for numbers, text, expected in (
                (self.numbers, '98.0', '98.0'), (self.numbers, '1,234.50', '1234.50'), (german, '98,0', '98.0'),
                (german, '1.234,50', '1234.50'), (self.numbers, '0', '0'), (self.numbers, ' ', None)):
            with self.subTest(text=text):
                result = numbers.load(['name', 'number'], [['loaded', text]])
                self.assertFalse(result['messages'])
                number = self.numbers.browse(result['ids']).number
                self.assertEqual(number and number.text, expected)
        for numbers, text, message in (
                (self.numbers, '12,000', "12,000 can be read as 12000 or as 12.000"),
                (german, '1.000', "1.000 can be read as 1000 or as 1,000"), (german, '12.5', "Write decimals as 12,5"),
                (self.numbers, '12 %', "12 % is not a number"), (self.numbers, '1e3', "exponent")):
            with self.subTest(text=text):
                result = numbers.load(['name', 'number'], [['loaded', text]])
                self.assertFalse(result['ids'])
                self.assertIn(message, result['messages'][0]['message'])

    def test_export(self):
        """An export has the canonical text; one to be imported again has the notation of the person."""
        record = self.make('1234.50')
        german = record.with_env(self.use_language('de_DE').env)
        self.assertEqual(german.with_context(import_compat=False).export_data(['number'])['datas'], [['1234.50']])
        exported = german.with_context(import_compat=True).export_data(['number'])['datas']
        self.assertEqual(exported, [['1234,50']])
        again = german.load(['number'], exported)
        self.assertEqual(record.browse(again['ids']).number.text, '1234.50')
        self.assertEqual(self.make(False).export_data(['number'])['datas'], [['']])
        self.assertEqual(self.make(0).export_data(['number'])['datas'], [['0']])

    def test_spreadsheet(self):
        """A number in a cell has no language, and the digits that the sheet shows; a text has the person's language."""
        book = openpyxl.Workbook()
        sheet = book.active
        sheet.append(['name', 'number'])
        sheet.append([None, None])
        for value, number_format in ((98, '0.0'), (1.125, 'General'), (12.5, '0.00'), (10000000000, '#,##0'), (0, 'General'),
                                     (0.000001, 'General'), ('1,5', 'General'), ('1.000', 'General')):
            sheet.append(['cell', value])
            sheet.cell(sheet.max_row, 2).number_format = number_format
        file = io.BytesIO()
        book.save(file)
        self.use_language('de_DE')
        wizard = self.env['base_import.import'].with_context(lang='de_DE').create({
            'res_model': MODEL, 'file': file.getvalue(), 'file_name': 'numbers.xlsx',
            'file_type': 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'})
        result = wizard.execute_import(['name', 'number'], ['name', 'number'], {'has_headers': True}, dryrun=True)
        self.assertEqual(len(result['messages']), 1)
        self.assertIn("1.000 can be read as 1000 or as 1,000", result['messages'][0]['message'])
        sheet.delete_rows(sheet.max_row)
        file = io.BytesIO()
        book.save(file)
        wizard.file = file.getvalue()
        result = wizard.execute_import(['name', 'number'], ['name', 'number'], {'has_headers': True})
        self.assertFalse(result['messages'])
        self.assertEqual(
            [record.number.text for record in self.numbers.browse(result['ids'])],
            ['98.0', '1.125', '12.50', '10000000000', '0', '0.000001', '1.5'])

    # === MIGRATION === #

    def test_convert_columns(self):
        """Floats become exact numbers without an UPDATE: a guard against it does not fire, and NULL is not zero."""
        self.cr.execute("""
            CREATE TABLE mrp_mmr_test_float (
                id serial PRIMARY KEY, low float8, high numeric DEFAULT 5, target numeric, kept float8,
                CONSTRAINT mrp_mmr_test_float_band CHECK (low <= high),
                CONSTRAINT mrp_mmr_test_float_kept CHECK (kept > 0));
            INSERT INTO mrp_mmr_test_float (low, high, target, kept) VALUES
                (0.1, 98.000000, 0, 1), (NULL, NULL, NULL, 1), (0, 1e15, 10.500000, 1), (1e-6, 1e10, 100, 1),
                (-5, 1e15::float8, 0.000001, 1), (1e15, 1e16, 1, 1);
            CREATE INDEX ON mrp_mmr_test_float (low);
            CREATE FUNCTION mrp_mmr_test_refuse() RETURNS trigger
                AS 'BEGIN RAISE EXCEPTION ''append-only''; END' LANGUAGE plpgsql;
            CREATE TRIGGER mrp_mmr_test_all BEFORE UPDATE OR DELETE ON mrp_mmr_test_float
                FOR EACH ROW EXECUTE FUNCTION mrp_mmr_test_refuse();
            CREATE TRIGGER mrp_mmr_test_low BEFORE UPDATE OF low ON mrp_mmr_test_float
                FOR EACH ROW EXECUTE FUNCTION mrp_mmr_test_refuse();
        """)
        dropped = convert_to_exact(self.cr, 'mrp_mmr_test_float', ['low', 'high', 'target'], zero_is_blank=['target'])
        self.assertEqual(list(dropped['constraints']), ['mrp_mmr_test_float_band'])
        self.assertEqual(list(dropped['triggers']), ['mrp_mmr_test_low'])
        self.cr.execute("SELECT low, high, target FROM mrp_mmr_test_float ORDER BY id")
        self.assertEqual(self.cr.fetchall(), [
            ('0.1', '98', None), (None, None, None), ('0', '1000000000000000', '10.5'), ('0.000001', '10000000000', '100'),
            ('-5', '1000000000000000', '0.000001'), ('1000000000000000', '10000000000000000', '1')])
        self.assertEqual(convert_to_exact(self.cr, 'mrp_mmr_test_float', ['low', 'high', 'target']), {})
        with (self.assertRaisesRegex(psycopg2.errors.RaiseException, 'append-only'), mute_logger('odoo.sql_db'),
              self.cr.savepoint()):
            self.cr.execute("UPDATE mrp_mmr_test_float SET low = '1'")
        with (self.assertRaisesRegex(psycopg2.errors.CheckViolation, 'low_canonical'), mute_logger('odoo.sql_db'),
              self.cr.savepoint()):
            self.cr.execute("INSERT INTO mrp_mmr_test_float (low) VALUES ('1e3')")

    def test_convert_by_row(self):
        """What a number meant can depend on its row: the minimum of a limit that has only a maximum is a blank."""
        self.cr.execute("""
            CREATE TABLE mrp_mmr_test_float (id serial PRIMARY KEY, kind varchar, low float8, high float8);
            INSERT INTO mrp_mmr_test_float (kind, low, high) VALUES ('nmt', 0, 100), ('range', 0, 100), ('nlt', 98, 0)""")
        convert_to_exact(self.cr, 'mrp_mmr_test_float', ['low', 'high'], blank_where={
            'low': SQL("kind = 'nmt'"), 'high': SQL("kind = 'nlt'")})
        self.cr.execute("SELECT low, high FROM mrp_mmr_test_float ORDER BY id")
        self.assertEqual(self.cr.fetchall(), [(None, '100'), ('0', '100'), ('98', None)])

    def test_convert_refuses_what_is_no_number(self):
        self.cr.execute("""
            CREATE TABLE mrp_mmr_test_float (id serial PRIMARY KEY, low float8);
            INSERT INTO mrp_mmr_test_float (low) VALUES (1), ('NaN'), ('Infinity')""")
        with self.assertRaisesRegex(ValueError, "no finite number in low of the rows 2, 3"):
            convert_to_exact(self.cr, 'mrp_mmr_test_float', ['low'])
