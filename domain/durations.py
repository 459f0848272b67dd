"""Durations in the unit in which they were written (V-08): 72 h is not shown as 4320 min, and equals 3 d."""
from datetime import timedelta
from fractions import Fraction
from functools import total_ordering

from .numbers import Number, NumberError

#: Seconds of each unit; the key is what the canonical text has.
UNITS = {'min': 60, 'h': 3600, 'd': 86400, 'wk': 604800}


@total_ordering
class Duration:
    """A number of minutes, hours, days or weeks. Immutable; compares by the time it lasts.

    The canonical text is the number and the unit: ``72 h``. A day has 24 hours.
    """

    __slots__ = ('number', 'unit')

    def __init__(self, number, unit):
        number = Number.of(number)
        if unit not in UNITS:
            raise NumberError('not_a_duration', f'{number} {unit}')
        if number < 0:
            raise NumberError('negative', f'{number} {unit}')
        self.number = number
        self.unit = unit

    @classmethod
    def parse(cls, text):
        """Return the duration of a canonical text.

        :raise NumberError: where it is none
        """
        number, blank, unit = text.partition(' ')
        if not blank:
            raise NumberError('not_a_duration', text)
        return cls(Number.parse(number), unit)

    @property
    def seconds(self):
        """How long it lasts, exactly, as Fraction."""
        return self.number.fraction * UNITS[self.unit]

    def expressed_in(self, unit):
        """Return the exact number of another unit as Fraction."""
        return self.seconds / UNITS[unit]

    def converted_to(self, unit):
        """Return the same time in another unit.

        :raise NumberError: 'not_exact' where that unit cannot express it, as 10 min in hours
        """
        return self if unit == self.unit else Duration(Number.from_fraction(self.expressed_in(unit)), unit)

    def __str__(self):
        return f'{self.number} {self.unit}'

    def __repr__(self):
        return f"Duration({str(self)!r})"

    def __hash__(self):
        return hash(self.seconds)

    def __eq__(self, other):
        return self.seconds == other.seconds if isinstance(other, Duration) else NotImplemented

    def __lt__(self, other):
        return self.seconds < other.seconds if isinstance(other, Duration) else NotImplemented


def from_seconds(seconds, unit='h'):
    """Return a measured time as exact Fraction of a unit, for comparison with a limit.

    :param seconds: int, Decimal or Fraction, never a float
    """
    if isinstance(seconds, float):
        raise TypeError("seconds are exact")
    return Fraction(seconds) / UNITS[unit]


def is_longer(elapsed, limit, unit):
    """Whether a time that was measured is longer than a limit, compared exactly.

    :param timedelta elapsed: what was measured
    :param limit: canonical text or exact number, in ``unit``
    """
    return elapsed // timedelta(microseconds=1) > Fraction(str(limit)) * UNITS[unit] * 10**6


def add_to(start, limit, unit):
    """Return the time that is so much later than ``start``; what is shorter than a microsecond is left out."""
    return start + timedelta(microseconds=int(Fraction(str(limit)) * UNITS[unit] * 10**6))


def elapsed_text(elapsed):
    """Return a time that was measured in hours, minutes and seconds, which no language reads in another way: "73:05:09"."""
    minutes, seconds = divmod(int(elapsed.total_seconds()), 60)
    return f'{minutes // 60}:{minutes % 60:02}:{seconds:02}'
