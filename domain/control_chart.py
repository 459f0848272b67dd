"""Shewhart chart of individual values with moving ranges, in exact arithmetic.

Constants and limits: ISO 7870-2; NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.2. Runs: Western Electric rules
1 to 4 and Nelson's rule 3. Trends of released batches are evaluated by 21 CFR 211.180(e) and EU GMP 1.10.
"""

from collections import namedtuple
from decimal import Decimal
from itertools import pairwise

#: Mean range of two values of a normal distribution, in standard deviations.
D2 = Decimal('1.128')
#: Limits that people trust need so many values; fewer are told as few.
ENOUGH = 20

Chart = namedtuple('Chart', 'count mean moving_range sigma lower upper')
#: The standard deviation is that of a sample (n - 1), and None for fewer than two values.
Statistics = namedtuple('Statistics', 'count mean deviation lowest highest')


def describe(values):
    """Return the statistics of some Decimals, or None where there is none."""
    if not values:
        return None
    mean, deviation = sum(values) / len(values), None
    if len(values) > 1:
        deviation = (sum((value - mean) ** 2 for value in values) / (len(values) - 1)).sqrt()
    return Statistics(len(values), mean, deviation, min(values), max(values))


def performance(statistics, minimum=None, maximum=None):
    """Return the process performance index Ppk (ISO 22514-2) against limits, or None where it has no meaning."""
    if not statistics or not statistics.deviation or minimum is None and maximum is None:
        return None
    mean, spread = statistics.mean, 3 * statistics.deviation
    return min(
        *([(mean - minimum) / spread] if minimum is not None else []),
        *([(maximum - mean) / spread] if maximum is not None else []), Decimal('Infinity'))


def individuals(values, width=3):
    """Return the chart of some values in the order in which they came, or None for fewer than two.

    :param list values: Decimals
    :param width: limits in standard deviations on both sides of the mean
    """
    if len(values) < 2:
        return None
    mean = sum(values) / len(values)
    ranges = moving_ranges(values)
    moving_range = sum(ranges) / len(ranges)
    sigma = moving_range / D2
    return Chart(len(values), mean, moving_range, sigma, mean - width * sigma, mean + width * sigma)


def moving_ranges(values):
    """Return the distance of each value from the one before."""
    return [abs(after - before) for before, after in pairwise(values)]


def broken_rules(values, chart):
    """Return the runs that the last of some values ends, by the chart of what came before it.

    :param list values: Decimals, the one that is judged at the end
    :return: codes of 'beyond' (outside of the limits), 'zone_a' (two of three beyond two standard deviations), 'zone_b'
        (four of five beyond one), 'side' (eight on one side of the mean), 'trend' (six that only rise or only fall)
    """
    if not values or not chart:
        return []
    mean, sigma = chart.mean, chart.sigma

    def beyond(count, of, width):
        last = values[-of:]
        return len(last) == of and any(
            sum(sign * (value - mean) > width * sigma for value in last) >= count
            and sign * (values[-1] - mean) > width * sigma for sign in (1, -1))

    def is_trend():
        steps = [after - before for before, after in pairwise(values[-6:])]
        return len(values) >= 6 and (all(step > 0 for step in steps) or all(step < 0 for step in steps))

    found = {
        'beyond': not chart.lower <= values[-1] <= chart.upper,
        'zone_a': beyond(2, 3, 2), 'zone_b': beyond(4, 5, 1), 'side': beyond(8, 8, 0), 'trend': is_trend()}
    return [name for name, is_broken in found.items() if is_broken]
