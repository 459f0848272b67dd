"""Judges yields and weights against their limits: inclusive, and never rounded before (YLD-020, USE-070)."""

from decimal import Decimal
from fractions import Fraction

#: How a quantity may be stated where it is not simply weighed (211.186(b)(4), NUM-050).
AS_NEEDED, MAKE_UP = 'as_needed', 'make_up'


def is_plausible(value, plausibility):
    """Whether a Decimal lies in the range outside of which it is a typing error (VER-060)."""
    low, high = (plausibility or {}).get('minimum'), (plausibility or {}).get('maximum')
    return (low is None or Decimal(low) <= value) and (high is None or value <= Decimal(high))


def percentage(actual, theoretical):
    """Return the percentage of theoretical yield as Decimal, unrounded; None where nothing is expected (YLD-010)."""
    theoretical = Decimal(theoretical)
    return actual / theoretical * 100 if theoretical else None


def in_band(actual, band):
    """Whether an actual yield lies in its band.

    The products are compared, as the quotient of the percentage may have no end.
    """
    hundredfold, theoretical = actual * 100, Decimal(band['theoretical'])
    return Decimal(band['minimum']) * theoretical <= hundredfold <= Decimal(band['maximum']) * theoretical


def amount_range(row, wanted=None):
    """Return the lowest and the highest amount of a component that its MMR permits, inclusive (NUM-050, USE-070).

    As needed is from nothing to the quantity with its tolerance. What makes up to a weight, a volume or a value has the range
    of its tolerance, or without one none: the quantity is what is expected.

    :param dict row: of the frozen document
    :param wanted: the target of the weighing where it is not the quantity of the row
    :return: two Decimals; None where there is no highest one
    """
    wanted = Decimal(row['quantity'] if wanted is None else wanted)
    tolerance, kind = Decimal(row.get('tolerance') or 0), (row.get('stated') or {}).get('kind')
    if kind == MAKE_UP and not tolerance:
        return Decimal(0), None
    return Decimal(0) if kind == AS_NEEDED else wanted - tolerance, wanted + tolerance


def is_permitted(actual, row, wanted=None):
    """Whether an amount, a Fraction or Decimal, lies in :func:`amount_range` (USE-070).

    Nothing is rounded: a reading in another unit is compared as the fraction that it is (NUM-060).
    """
    low, high = amount_range(row, wanted)
    return Fraction(low) <= actual and (high is None or actual <= Fraction(high))
