"""Spreadsheets of GMP records: one sheet a section, real numbers and dates, and no text that computes."""

import io
import re
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

import xlsxwriter

from .characters import CONTROL_CHARACTERS

MIMETYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'
#: A cell of Excel holds no more.
MAX_TEXT = 32767
#: A float holds no more digits; what has more is written as text, exactly.
MAX_DIGITS = 15
FORBIDDEN_IN_NAME = re.compile(r"[\[\]:*?/\\']")
NUMBER_FORMAT = '0.######'
DATE_FORMAT = 'yyyy-mm-dd'
TIME_FORMAT = 'yyyy-mm-dd hh:mm:ss'


class Column:
    """A column: its heading, the kind of its values (text, number, integer, date, datetime) and its width."""

    def __init__(self, label, kind='text', width=None):
        self.label = label
        self.kind = kind
        self.width = width or {'text': 24, 'number': 14, 'integer': 10, 'date': 12, 'datetime': 20}[kind]


class Workbook:
    """A workbook of tables; headings stay in view and can be filtered.

    :param str title: what it is, in the header of each printed page and in the properties of the file
    :param str status: shown with the title, e.g. OBSOLETE
    :param str author: who asked for it
    """

    def __init__(self, title, status=None, author=None):
        self.title, self.status = title, status
        self._buffer = io.BytesIO()
        # Neither formulas nor links nor numbers come out of text, whatever it begins with.
        self._book = xlsxwriter.Workbook(self._buffer, {
            'in_memory': True, 'strings_to_formulas': False, 'strings_to_urls': False, 'strings_to_numbers': False})
        self._book.set_properties({
            'title': CONTROL_CHARACTERS.sub('', title)[:255], 'author': CONTROL_CHARACTERS.sub('', author or '')[:255],
            'status': CONTROL_CHARACTERS.sub('', status or '')})
        base = {'valign': 'top', 'text_wrap': True}
        self._number_style = base
        self._formats = {
            'head': self._book.add_format({
                'bold': True, 'font_color': '#ffffff', 'bg_color': '#1f4e79', 'valign': 'vcenter', 'text_wrap': True}),
            'label': self._book.add_format({**base, 'font_color': '#666666'}),
            'text': self._book.add_format({**base, 'num_format': '@'}),
            'number': self._book.add_format({**base, 'num_format': NUMBER_FORMAT}),
            'integer': self._book.add_format({**base, 'num_format': '0'}),
            'date': self._book.add_format({**base, 'num_format': DATE_FORMAT, 'align': 'left'}),
            'datetime': self._book.add_format({**base, 'num_format': TIME_FORMAT, 'align': 'left'}),
        }
        self._names = set()

    def _get_name(self, name):
        """Return a name for a sheet that Excel accepts and that no other sheet has."""
        name = FORBIDDEN_IN_NAME.sub(' ', CONTROL_CHARACTERS.sub('', name)).strip()[:31] or '-'
        unique, number = name, 1
        while unique.lower() in self._names or unique.lower() == 'history':  # Excel keeps this one for itself
            number += 1
            unique = f"{name[:27]} {number}"
        self._names.add(unique.lower())
        return unique

    def _add_worksheet(self, name):
        sheet = self._book.add_worksheet(self._get_name(name))
        title, status = (CONTROL_CHARACTERS.sub('', text or '').replace('&', '&&') for text in (self.title, self.status))
        sheet.set_header(f"&L{title[:120]}&R{status}")
        sheet.set_footer('&L&A&R&P / &N')
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        return sheet

    def add_table(self, name, columns, rows):
        """Add a sheet with one table; nothing where it has no row.

        :param columns: list of :class:`Column`
        :param rows: list of lists of values; None is an empty cell
        """
        if not rows:
            return
        sheet = self._add_worksheet(name)
        for index, column in enumerate(columns):
            sheet.set_column(index, index, column.width)
            sheet.write_string(0, index, column.label, self._formats['head'])
        for number, row in enumerate(rows, 1):
            for index, (column, value) in enumerate(zip(columns, row, strict=True)):
                self._write(sheet, number, index, column.kind, value)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(rows), len(columns) - 1)
        sheet.repeat_rows(0)

    def add_facts(self, name, labels, facts):
        """Add a sheet of labelled values, given as ``(label, value)`` or ``(label, value, kind)``."""
        rows = [(*fact, 'text')[:3] for fact in facts if fact[1] is not None]
        sheet = self._add_worksheet(name)
        sheet.set_column(0, 0, 32)
        sheet.set_column(1, 1, 80)
        for index, label in enumerate(labels):
            sheet.write_string(0, index, label, self._formats['head'])
        for number, (label, value, kind) in enumerate(rows, 1):
            sheet.write_string(number, 0, label, self._formats['label'])
            self._write(sheet, number, 1, kind, value, align='left')
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(len(rows), 1), 1)
        sheet.repeat_rows(0)

    def _write(self, sheet, row, column, kind, value, align=None):
        if value is None or value is False or value == '':
            sheet.write_blank(row, column, None, self._formats['text'])
        elif kind in ('number', 'integer'):
            number = self._to_number(value)
            if number is None:
                self._write_text(sheet, row, column, value)
            else:
                sheet.write_number(row, column, number, self._get_number_format(kind, value))
        elif kind == 'datetime' and isinstance(value, datetime):
            # Microseconds are noise in a sheet, and times are UTC as the heading says.
            sheet.write_datetime(row, column, value.replace(microsecond=0, tzinfo=None), self._formats[kind])
        elif kind == 'date' and isinstance(value, date):
            sheet.write_datetime(row, column, value, self._formats[kind])
        else:
            self._write_text(sheet, row, column, value)

    def _write_text(self, sheet, row, column, value):
        text = CONTROL_CHARACTERS.sub('\ufffd', str(value))
        if len(text) > MAX_TEXT:
            text = text[:MAX_TEXT - 1] + '…'
        sheet.write_string(row, column, text, self._formats['text'])

    def _get_number_format(self, kind, value):
        """Return a format that shows the zeros at the end of a decimal text (NUM-020): 98.0 is not shown as 98."""
        decimals = value.partition('.')[2] if isinstance(value, str) else ''
        if not decimals.endswith('0'):
            return self._formats[kind]
        key = f'number.{len(decimals)}'
        if key not in self._formats:
            self._formats[key] = self._book.add_format({**self._number_style, 'num_format': '0.' + '0' * len(decimals)})
        return self._formats[key]

    @staticmethod
    def _to_number(value):
        """Return a number that a sheet holds exactly, or None."""
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            return None
        if not number.is_finite() or len(number.as_tuple().digits) > MAX_DIGITS:
            return None
        return int(number) if number == number.to_integral_value() else float(number)

    def close(self):
        """Return the content of the file."""
        self._book.close()
        return self._buffer.getvalue()


def parse_date(value):
    """Return the date of a frozen document, or None."""
    return date.fromisoformat(value) if value else None


def parse_time(value):
    """Return the time of a frozen document (ISO 8601 UTC), or None."""
    return datetime.strptime(value, '%Y-%m-%dT%H:%M:%SZ') if value else None
