"""The field of a quantity of six digits that Odoo calculates with: no noise of a binary fraction is added (NUM-020)."""
from odoo import fields

from ...domain.numbers import GMP_DIGITS, exact

#: Numbers with more digits before the point than these are no quantities.
_LIMIT = 10 ** 20


class GmpFloat(fields.Float):
    """A float of ``GMP_DIGITS`` digits, rounded as the decimal that it stands for.

    Odoo's own rounding multiplies by powers of two: 1E10 at six digits becomes 10000000000.000008 (odoo/odoo#30354).
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{'digits': (16, GMP_DIGITS), **kwargs})

    def convert_to_column(self, value, record, values=None, validate=True):
        value = float(value or 0)
        return format(exact(value), 'f') if abs(value) < _LIMIT else super().convert_to_column(value, record, values, validate)

    def convert_to_cache(self, value, record, validate=True):
        value = float(value or 0)
        return float(exact(value)) if abs(value) < _LIMIT else super().convert_to_cache(value, record, validate)
