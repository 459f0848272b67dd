"""Where the material of a batch comes from, and which quantities a unit of stock can hold: exact, without a database."""

from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from .numbers import GMP_DIGITS

#: Factors of units are floats: more digits than these are noise of their product.
_RATIO = Context(prec=15)


class Source(NamedTuple):
    """Goods of one lot at one place, in one package, of one owner, in the unit of the product."""
    key: Any            # what identifies them
    own: Decimal        # reserved for this batch
    free: Decimal       # reserved for nobody
    there: Decimal      # what is there at all and was not recorded for another batch


def convert_exactly(quantity, unit, to_unit):
    """Convert a quantity between units without rounding it.

    :param Decimal quantity: in ``unit``
    :return: Decimal with all its digits, or None where the units have no common reference
    """
    if unit == to_unit:
        return quantity
    if not unit or not to_unit or not unit._has_common_reference(to_unit):
        return None
    return quantity * _RATIO.divide(Decimal(str(unit.factor)), Decimal(str(to_unit.factor)))


def is_held(quantity, digits):
    """Whether so many digits hold a Decimal without loss."""
    return quantity == round(quantity, digits)


def take_reading(quantity, digits):
    """Return what stock takes of a reading in another unit than its own: all of it, or the nearest that it holds (NUM-060).

    Ounces and grams have no decimals in common: what cannot be held by any precision is booked to its last digit, where that
    is within a thousandth of the reading. The record keeps the reading.

    :param Fraction quantity: in the unit of the product
    :return: Decimal, or None where a thousandth or more would be lost
    """
    whole = quantity * 10 ** GMP_DIGITS
    if whole.denominator == 1:
        return Decimal(whole.numerator).scaleb(-GMP_DIGITS)
    nearest = Decimal(round(quantity * 10 ** digits)).scaleb(-digits)
    return nearest if abs(Fraction(nearest) - quantity) * 1000 <= quantity else None


def in_stock(value, digits):
    """Return a quantity of Odoo's stock, a float, as the Decimal of so many digits that it stands for."""
    return round(Decimal(str(value or 0)), digits)


def allocate(wanted, sources):
    """Say from where a quantity is taken: first what was reserved for it, then what is free, then what is there.

    No source gives more than is there, and none is asked twice.

    :param Decimal wanted: in the unit of the product
    :param sources: list of :class:`Source`, in the order in which they are to be taken
    :return: list of ``(key, quantity)`` in the order of the sources, and what is missing
    """
    taken = dict.fromkeys((source.key for source in sources), Decimal(0))
    for limit in (
            lambda source: min(source.own, source.there),
            lambda source: min(source.own + source.free, source.there),
            lambda source: source.there):
        for source in sources:
            part = min(wanted, max(limit(source) - taken[source.key], Decimal(0)))
            taken[source.key] += part
            wanted -= part
    return [(key, quantity) for key, quantity in taken.items() if quantity], wanted


def differences(expected, found):
    """Return ``(key, expected, found)`` of what two dicts of Decimals say differently; what is missing is nought."""
    return [
        (key, expected.get(key, Decimal(0)), found.get(key, Decimal(0)))
        for key in dict.fromkeys([*expected, *found]) if expected.get(key, 0) != found.get(key, 0)]
