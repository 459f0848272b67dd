"""Numbers of a spreadsheet that is imported: a cell is a number already, in no language (NUM-010).

``base_import`` makes every cell a text with a point, which a person who writes a comma could not load. Where the column is an
exact number, or a quantity of what is under control that Odoo keeps as a float, the cell gets that person's notation, with the
digits that the sheet shows: 98.0 where its format has one decimal. What was typed into the sheet as text is read as it stands.
"""
import io
import re
from itertools import zip_longest

from odoo import api, models

from ...domain.notation import write_number
from ...domain.numbers import Number, NumberError
from .notation import get_notation

_DECIMALS = re.compile(r'[#,0]*0\.(0+)(?![0#.])')


class NumberCell(str):
    """The text that ``base_import`` made of a number, which knows the number as the sheet shows it."""

    __slots__ = ('number',)

    def __new__(cls, text, number):
        cell = super().__new__(cls, text)
        cell.number = number
        return cell


class Base(models.AbstractModel):
    _inherit = 'base'

    @api.model
    def load(self, fields, data):
        """Leave a line in the ledger for each refusal, which an import reports and does not raise (SEC-010, AUD-010)."""
        result = super().load(fields, data)
        if not result.get('ids') and self.env.registry.ready:
            entries = self.env['mrp.audit.entry']
            errors = [row['message'] for row in result['messages'] if row['type'] == 'error']
            if not entries._record_caught_refusals() and errors and self._module == 'mrp_mmr':
                # Whatever refused it, such as Odoo's own access rights.
                entries._remember_refusal(errors[0], "SEC-010, AUD-010, 21 CFR 11.10(d), (e)", self)
                entries._record_caught_refusals()
        return result


class BaseImport(models.TransientModel):
    _inherit = 'base_import.import'

    def _read_xlsx(self, options):
        count, rows = super()._read_xlsx(options)
        import openpyxl

        book = openpyxl.load_workbook(io.BytesIO(self.file or b''), data_only=True)
        sheet = book[options.get('sheet') or book.sheetnames[0]]
        # As the original does, rows without content are left out.
        kept = [row for row in sheet.rows if any(cell.value is not None and str(cell.value).strip() for cell in row)]
        for cells, row in zip_longest(kept, rows, fillvalue=()):
            for index, (cell, text) in enumerate(zip(cells, row, strict=False)):
                if cell.data_type == 'n' and isinstance(text, str) and (number := _get_number(cell)):
                    row[index] = NumberCell(text, number)
        return count, rows

    @api.model
    def _parse_float_from_data(self, data, index, name, options):
        # Odoo would take out what the options call thousands, symbols of currencies and exponents: 12,50 becomes 1250.
        if not self._is_typed_number(name):
            super()._parse_float_from_data(data, index, name, options)

    def _parse_import_data(self, data, import_fields, options):
        data = super()._parse_import_data(data, import_fields, options)
        notation = get_notation(self.env)
        for index, path in enumerate(import_fields):
            if self._is_typed_number(path):
                for row in data:
                    if isinstance(row[index], NumberCell):
                        row[index] = write_number(row[index].number, notation, grouped=False)
        return data

    def _is_typed_number(self, path):
        """Whether a path such as ``line_ids/minimum`` ends at a number that is read as the person writes it."""
        *names, last = path.split('/')
        model = self.env[self.res_model]
        for name in names:
            field = model._fields.get(name)
            if not field or not field.relational:
                return False
            model = self.env[field.comodel_name]
        return model._mmr_is_typed_number(last)


def _get_number(cell):
    """Return the number of a cell with the digits that it shows, or None where it is none that can be kept."""
    if isinstance(cell.value, bool) or not isinstance(cell.value, int | float) or cell.is_date:
        return None
    try:
        number = Number.from_legacy(cell.value)
        shown = _DECIMALS.fullmatch(cell.number_format or '')
        missing = len(shown[1]) - number.digits if shown else 0
        return Number.parse(f"{number.text}{'' if number.digits else '.'}{'0' * missing}") if missing > 0 else number
    except NumberError:
        return None
