"""Targets by assay: how much of a lot gives what the master asks for at reference potency (USE-070, 21 CFR 211.101(a))."""

from decimal import ROUND_HALF_EVEN, Decimal

from .numbers import GMP_DIGITS


def get_potency(assay):
    """Return the potency of a lot as it is weighed: what was found on dried substance, less its moisture.

    :param dict assay: ``value``, ``basis`` and ``moisture`` of the lot, as its release holds them
    """
    value = Decimal(assay['value'])
    return value * (100 - Decimal(assay['moisture'])) / 100 if assay['basis'] == 'dried' else value


def adjust(planned, reference, potency, others=()):
    """Return how much of a lot gives what a planned quantity of reference potency gives (21 CFR 211.101(a)).

    Where several lots share a component, each covers its weight × potency of planned × reference, and the last one the
    rest. The quotient is rounded half to even to six digits, nothing before it.

    :param Decimal planned: the quantity of the MMR, for the reference potency
    :param others: ``(weight, potency)`` of the other lots
    """
    rest = planned * reference - sum(weight * other for weight, other in others)
    return (rest / potency).quantize(Decimal(1).scaleb(-GMP_DIGITS), ROUND_HALF_EVEN)
