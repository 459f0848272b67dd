"""Exact quantities: decimals of a fixed number of digits, and their conversion between units."""

from decimal import ROUND_HALF_EVEN, Decimal

#: Digits of every GMP quantity; neither fields nor frozen documents depend on a setting of the database.
GMP_DIGITS = 6
_QUANTUM = Decimal(1).scaleb(-GMP_DIGITS)


def exact(value):
    """Return a quantity as a :class:`~decimal.Decimal` of exactly ``GMP_DIGITS`` digits.

    :param value: float, int, str or Decimal; a float is read by its shortest decimal form, so that
        0.1 is one tenth and not its binary neighbour
    """
    return Decimal(str(value or 0)).quantize(_QUANTUM, ROUND_HALF_EVEN)


def decimal_string(value):
    """Return a quantity for a frozen document: plain decimal notation without trailing zeros."""
    text = format(exact(value), 'f').rstrip('0').rstrip('.')
    return '0' if text in ('', '-0') else text


def convert(quantity, unit, to_unit):
    """Convert a quantity between units without rounding to a display precision.

    :return: Decimal of ``GMP_DIGITS`` digits, or None where the units have no common reference
    """
    if unit == to_unit:
        return exact(quantity)
    if not unit or not to_unit or not unit._has_common_reference(to_unit):
        return None
    factor = Decimal(str(unit.factor)) / Decimal(str(to_unit.factor))
    return exact(Decimal(str(quantity or 0)) * factor)


def plain(value):
    """Return a Decimal in plain notation with all its digits and no trailing zeros."""
    text = format(value, 'f')
    return text.rstrip('0').rstrip('.') if '.' in text else text
