"""Split a demand into batches of approved sizes: plain arithmetic, without Odoo.

A batch is made in an approved size or not at all (21 CFR 111.205(a)), so a demand that is no approved size is met by
several batches. The best split is, in this order:

1. never less than the demand, and as little more as possible;
2. as few batches as possible;
3. always the same for the same sizes and demand.
"""

from decimal import Decimal
from heapq import heappop, heappush
from math import gcd, lcm

#: How many combinations of batches are looked at, which bounds the time to a second even for sizes without any
#: common measure. Approved sizes have simple proportions and need a handful.
MAX_COMBINATIONS = 200_000


def split_into_batches(demand, sizes):
    """Return the batches that meet ``demand``: ``split_into_batches(1300, [100, 500])`` is 2×500 and 3×100.

    The split is the best one while the search stays within :data:`MAX_COMBINATIONS`; that does not depend on how
    large the demand is, only on how simple the proportions of the sizes are: the largest size over the greatest
    common divisor of all bounds it. Beyond, it is the best one found: it meets the demand in any case.

    :param demand: int or Decimal, in the unit of the sizes
    :param sizes: ints or Decimals greater than zero; no floats, as they are not exact
    :return: list of (size, number of batches), largest size first; empty where there is nothing to split
    """
    demand = Decimal(demand)
    sizes = sorted({Decimal(size) for size in sizes}, reverse=True)
    if any(size <= 0 for size in sizes):
        raise ValueError("A batch size is greater than zero.")
    if demand <= 0 or not sizes:
        return []
    # Whole numbers without a common divisor, and the demand rounded up to their grain: nothing else can be made.
    fractions = [size.as_integer_ratio() for size in sizes]
    scale = lcm(*(denominator for _numerator, denominator in fractions))
    numbers = [numerator * (scale // denominator) for numerator, denominator in fractions]
    divisor = gcd(*numbers)
    numerator, denominator = demand.as_integer_ratio()
    whole_demand = _ceil_div(numerator * scale, denominator * divisor)
    counts = _best_counts(whole_demand, [number // divisor for number in numbers])
    return [(size, count) for size, count in zip(sizes, counts, strict=True) if count]


def _ceil_div(numerator, denominator):
    return -(-numerator // denominator)


def _best_counts(demand, sizes):
    """Return how many batches of each size cover ``demand`` best.

    The largest size M takes the bulk, so what is searched are combinations of the other sizes: each is filled up with
    as many batches of M as the demand still asks for. A combination of c batches with sum S makes, with M, a total T
    in (c·M - S + T) / M batches; its ``waste`` c·M - S, which grows with every batch added, thus says which one needs
    the fewest batches for a given total. Combinations are visited by growing waste. One of the same remainder modulo M
    and of a sum that is not less than an earlier one's cannot be better than that: M fills the earlier one up to it.
    So each remainder is visited with falling sums only, which keeps the search small whatever the demand is.

    :param sizes: whole numbers, largest first
    """
    largest = sizes[0]
    lowest = {}     # remainder modulo M → lowest sum visited
    added = {}      # (waste, sum) → position of the size added last
    best = None
    queue = [(0, 0, 0)]
    looked_at = 0
    while queue and looked_at < MAX_COMBINATIONS:
        waste, total, position = heappop(queue)
        remainder = total % largest
        if lowest.get(remainder, total + 1) <= total:
            continue
        lowest[remainder] = total
        added[waste, total] = position
        filled = total + max(0, _ceil_div(demand - total, largest)) * largest
        candidate = (filled, (waste + filled) // largest, waste, total)
        if best is None or candidate < best:
            best = candidate
        if filled == demand:
            break   # whatever follows wastes more: it needs more batches for the same
        if total < demand:
            looked_at += len(sizes)
            for position, size in enumerate(sizes[1:], 1):
                heappush(queue, (waste + largest - size, total + size, position))
    filled, _number, waste, total = best
    counts = [0] * len(sizes)
    counts[0] = (filled - total) // largest
    while total:
        position = added[waste, total]
        counts[position] += 1
        waste -= largest - sizes[position]
        total -= sizes[position]
    return counts
