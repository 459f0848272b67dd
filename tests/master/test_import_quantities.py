"""Quantities that Odoo keeps as floats are imported as the person writes numbers, or refused (NUM-010)."""

import csv
import io

import openpyxl

from odoo.tests import tagged

from ..common.base import MmrCommon

#: The options that the screen of the import proposes for English.
OPTIONS = {'has_headers': True, 'quoting': '"', 'separator': ',', 'encoding': 'utf-8', 'float_thousand_separator': ',',
           'float_decimal_separator': '.', 'date_format': '', 'datetime_format': ''}
#: Text → what is understood, or what the refusal says.
ENGLISH = {
    '1250': 1250, '12.5': 12.5, '1,250.5': 1250.5, '1,250': "1,250 can be read as 1250 or as 1.250",
    '12,50': "12,50 is not a number in your language", '1,2,3': "1,2,3 is not a number in your language",
    '1.250,5': "1.250,5 is not a number in your language", '$5': "$5 is not a number", '1e3': "1e3 has an exponent"}
GERMAN = {'1250,5': 1250.5, '12,5': 12.5, '1.250': "1.250 can be read as 1250 or as 1,250", '12.5': "Write decimals as 12,5"}


@tagged('post_install', '-at_install')
class TestImportQuantities(MmrCommon):

    def _import(self, model, header, rows, user=None, **context):
        """Import rows as the screen does; return the messages and the records."""
        file = io.StringIO()
        csv.writer(file).writerows([header, *rows])
        return self._run(model, header, file.getvalue().encode(), 'text/csv', user, **context)

    def _run(self, model, header, content, kind, user=None, **context):
        wizard = self.env['base_import.import'].with_user(user or self.env.user).with_context(**context).create({
            'res_model': model, 'file': content, 'file_name': 'file', 'file_type': kind})
        result = wizard.execute_import(header, header, dict(OPTIONS))
        return ' '.join(message['message'] for message in result['messages']), self.env[model].browse(result['ids'] or [])

    def _use_german(self):
        self.env['res.lang']._activate_lang('de_DE')
        self.env['res.lang']._lang_get('de_DE').write({'decimal_point': ',', 'thousands_sep': '.', 'grouping': '[3,0]'})

    def test_components(self):
        """F-2, NUM-010: the column Quantity of components is read like the column GMP Quantity, in each language."""
        self._use_german()
        revision = self._create_mmr()
        params = revision.action_import_components()['params']['context']
        for lang, cases in (('en_US', ENGLISH), ('de_DE', GERMAN)):
            for name in ('product_qty', 'gmp_qty'):
                for text, expected in cases.items():
                    with self.subTest(lang=lang, name=name, text=text):
                        said, lines = self._import(
                            'mrp.bom.line', ['product_id/.id', name, 'product_uom_id/.id'],
                            [[self.component_other.id, text, self.kg.id]], self.user_preparer, **dict(params, lang=lang))
                        if isinstance(expected, str):
                            self.assertIn(expected, said)
                            self.assertFalse(lines)
                        else:
                            self.assertFalse(said)
                            self.assertEqual((float(lines.gmp_qty), lines.product_qty), (expected, expected))

    def test_cells(self):
        """F-2, NUM-010: a number in a cell of a spreadsheet has no language."""
        self._use_german()
        revision = self._create_mmr()
        book = openpyxl.Workbook()
        header = ['product_id/.id', 'product_qty', 'product_uom_id/.id']
        book.active.append(header)
        book.active.append([self.component_other.id, 1.125, self.kg.id])
        file = io.BytesIO()
        book.save(file)
        said, lines = self._run(
            'mrp.bom.line', header, file.getvalue(), 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
            self.user_preparer, **dict(revision.action_import_components()['params']['context'], lang='de_DE'))
        self.assertFalse(said)
        self.assertEqual(lines.gmp_qty.text, '1.125')

    def test_other_columns(self):
        """F-2, NUM-010: orders, counts, masters and bills of materials are read the same way, wherever they stand."""
        lot = self.env['stock.lot'].create({'name': "C-1", 'product_id': self.component_a.id}) \
            if self.component_a.tracking != 'none' else self.env['stock.lot']
        place = self.env.ref('stock.stock_location_stock')
        header = {
            'mrp.production': (['product_id/.id', 'product_qty'], [self.product.id]),
            'stock.quant': (['product_id/.id', 'location_id/.id', 'lot_id/.id', 'inventory_quantity'],
                            [self.component_a.id, place.id, lot.id or '']),
            'mrp.mmr': (['product_id/.id', 'formulation_code', 'uom_id/.id', 'batch_size'],
                        [self.product.id, "I", self.kg.id]),
            'mrp.bom': (['product_tmpl_id/.id', 'product_qty'], [self.component_other.product_tmpl_id.id]),
        }
        for model, (names, values) in header.items():
            user = self.user_preparer if model == 'mrp.mmr' else None
            for text in ('1,250', '12,50', '1e3', '$5', '1.250,5'):
                with self.subTest(model=model, text=text):
                    said, records = self._import(model, names, [[*values, text]], user, inventory_mode=True)
                    self.assertIn("number" if text != '1,250' and text != '1e3' else "exponent" if text == '1e3' else
                                  "1,250 can be read as 1250 or as 1.250", said)
                    self.assertFalse(records)
            with self.subTest(model=model):
                said, records = self._import(model, names, [[*values, '1,250.5']], user, inventory_mode=True)
                self.assertFalse(said)
                self.assertEqual(records[names[-1]], 1250.5)
        # Beneath another record, and a number that a client sends as one.
        said, boms = self._import(
            'mrp.bom', ['product_tmpl_id/.id', 'bom_line_ids/product_id/.id', 'bom_line_ids/product_qty'],
            [[self.component_other.product_tmpl_id.id, self.component_a.id, '1,250']])
        self.assertIn("1,250 can be read as 1250 or as 1.250", said)
        self.assertFalse(boms)
        result = self.env['mrp.bom'].load(
            ['product_tmpl_id/.id', 'product_qty'], [[self.component_other.product_tmpl_id.id, 12.5]])
        self.assertEqual(self.env['mrp.bom'].browse(result['ids']).product_qty, 12.5)
