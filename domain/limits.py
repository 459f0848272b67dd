"""Judges results, yields and weights against their limits: inclusive, and never rounded before (IPC-010, YLD-020, USE-070)."""

from decimal import Decimal


def judge(value, criterion):
    """Return 'pass' or 'fail' of a Decimal against a criterion with limits, which are inclusive."""
    low, high = criterion.get('minimum'), criterion.get('maximum')
    return 'fail' if (low is not None and value < Decimal(low)) or (high is not None and value > Decimal(high)) else 'pass'


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
    """Whether an actual quantity keeps the tolerance around its target (USE-070)."""
    return abs(actual - Decimal(target)) <= Decimal(tolerance or 0)
