"""Judges yields and weights against their limits: inclusive, and never rounded before (YLD-020, USE-070)."""

from decimal import Decimal
from fractions import Fraction


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


def within_tolerance(actual, target, tolerance):
    """Whether an actual quantity keeps the tolerance around its target: Decimals, Fractions or their texts (USE-070).

    Nothing is rounded: a reading in another unit is compared as the fraction that it is (NUM-060).
    """
    return abs(Fraction(actual) - Fraction(target)) <= Fraction(tolerance or 0)
