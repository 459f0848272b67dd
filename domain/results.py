"""Results of tests and their limits: numbers, what is beyond measuring, what was found (NUM-030, NUM-040).

A result is one of

- a number, ``98.0``;
- a *bound*, where the true value is below or above what can be measured: ``<10``, ``>10``, ``≤10``, ``≥10``;
- a *finding*, only where the specification names one: ``not detected``, ``detected``, ``absent in 10 g``, ``present in 10 g``.

What a bound or a finding cannot decide is said to be undecidable, with the reason; nobody guesses.
"""
import re
from decimal import Decimal
from typing import NamedTuple

from .numbers import Number, NumberError

#: Bounds, and how people type them.
OPERATORS = {'<': '<', '>': '>', '≤': '≤', '≥': '≥', '<=': '≤', '>=': '≥', '=<': '≤', '=>': '≥'}
FINDINGS = ('not detected', 'detected', 'absent', 'present')
_FINDING = re.compile(r'(absent|present) in (\S+) (\S.*)')
_OPERATOR = re.compile(r'([<>]=|=[<>]|[<>≤≥])\s*')

#: How results are compared with limits: as they were recorded, or rounded to the digits of the limit.
AS_RECORDED = 'recorded'
ROUNDED = 'rounded'


class Result(NamedTuple):
    """What a test found. One of ``number`` (with an ``operator`` or None) and ``finding`` (with an amount) is set."""
    number: Number | None = None
    operator: str | None = None
    finding: str | None = None
    amount: Number | None = None
    unit: str | None = None

    @classmethod
    def parse(cls, text):
        """Return the result of a canonical text.

        :raise NumberError: where it is none
        """
        if not isinstance(text, str):
            raise TypeError(f"a canonical text is expected, not {type(text).__name__}")
        if text in ('not detected', 'detected'):
            return cls(finding=text)
        if found := _FINDING.fullmatch(text):
            return cls(finding=found[1], amount=Number.parse(found[2]), unit=found[3])
        if text[:1] in '<>≤≥' and text:
            return cls(number=Number.parse(text[1:]), operator=text[0])
        return cls(number=Number.parse(text))

    @classmethod
    def of(cls, value):
        """Return the result of a Result, a canonical text or whatever ``Number.of`` takes."""
        if isinstance(value, cls):
            return value
        return cls.parse(value) if isinstance(value, str) else cls(number=Number.of(value))

    @property
    def text(self):
        """The canonical text."""
        if self.finding:
            return self.finding if self.amount is None else f'{self.finding} in {self.amount} {self.unit}'
        return f'{self.operator or ""}{self.number}'


def split_operator(text):
    """Return the canonical operator in front of what a person typed ('' for none), and the rest."""
    found = _OPERATOR.match(text.strip())
    return (OPERATORS[found[1]], text.strip()[found.end():]) if found else ('', text)


class Limits(NamedTuple):
    """What a specification allows: inclusive numbers, or the finding it asks for, and how it is compared."""
    minimum: Number | None = None
    maximum: Number | None = None
    comparison: str = AS_RECORDED
    finding: str | None = None


class Judgement(NamedTuple):
    """Outcome 'pass', 'fail' or 'undecidable', what was compared, and for 'undecidable' the code of the reason.

    ``compared`` has the canonical texts that were compared: one, or two where the limits have different digits.
    Reasons: 'bound' (the bound allows both), 'finding' (the specification does not ask for a finding), 'number' (it asks
    for a finding), 'amount' (another amount was examined), 'no_limits'.
    """
    outcome: str
    compared: tuple = ()
    reason: str | None = None


def judge_result(result, limits):
    """Judge a result against limits, which are inclusive.

    A number is rounded to the digits of each limit where the specification says so (USP General Notices 7.20). A bound is
    never rounded: what counts is whether every value, or none, that it allows would be rounded into the limits.

    :return: :class:`Judgement`
    """
    if limits.finding:
        return _judge_finding(result, Result.parse(limits.finding))
    if result.finding:
        return Judgement('undecidable', (result.text,), 'finding')
    if limits.minimum is None and limits.maximum is None:
        return Judgement('undecidable', (result.text,), 'no_limits')
    if result.operator:
        return _judge_bound(result, limits)
    return _judge_number(result.number, limits)


def get_limits(criterion):
    """Return the :class:`Limits` of a frozen criterion; None where it has none.

    Documents of before specifications said how results are compared have no ``comparison``: as recorded, which was what was
    signed.
    """
    criterion = criterion or {}
    minimum, maximum, finding = (criterion.get(name) for name in ('minimum', 'maximum', 'finding'))
    if minimum is None and maximum is None and not finding:
        return None
    return Limits(
        minimum=None if minimum is None else Number.of(minimum), maximum=None if maximum is None else Number.of(maximum),
        comparison=criterion.get('comparison') or AS_RECORDED, finding=finding or None)


def compared_text(result, judgement):
    """Return what was compared, where that is not the result itself: "98.0", or "98.0 / 98" by limits of different digits."""
    return ' / '.join(judgement.compared) if judgement.compared != (result.text,) else None


def _judge_number(number, limits):
    compared, passes = [], True
    for limit, is_within in ((limits.minimum, Number.__ge__), (limits.maximum, Number.__le__)):
        if limit is not None:
            value = number.rounded_to(limit.digits) if limits.comparison == ROUNDED else number
            passes = passes and is_within(value, limit)
            if value.text not in compared:
                compared.append(value.text)
    return Judgement('pass' if passes else 'fail', tuple(compared))


def _judge_bound(result, limits):
    """Judge ``<b``: passes where all values below b do, fails where none does."""
    bound, is_open = result.number.value, result.operator in '<>'
    is_below = result.operator in '<≤'
    low, high = _edges(limits)
    # The limit on the side of the bound, and the one on the side that is open to infinity.
    near, far = (high, low) if is_below else (low, high)
    sign = 1 if is_below else -1
    if far is None and near is not None and _is_inside(bound * sign, is_open, near[0] * sign, near[1]):
        return Judgement('pass', (result.text,))
    if far is not None and not _reaches(bound * sign, is_open, far[0] * sign, far[1]):
        return Judgement('fail', (result.text,))
    return Judgement('undecidable', (result.text,), 'bound')


def _is_inside(bound, is_open, edge, edge_is_open):
    """Whether every value below a bound is below an edge."""
    return bound < edge or bound == edge and (is_open or not edge_is_open)


def _reaches(bound, is_open, edge, edge_is_open):
    """Whether some value below a bound is above an edge."""
    return bound > edge or bound == edge and not is_open and not edge_is_open


def _edges(limits):
    """Return the smallest and greatest value that passes, as (Decimal, whether it itself does not), or None each.

    Rounded half up, 98.0 is kept from 97.95 on, and 101.0 below 101.05; for negative limits it is the other way round.
    """
    edges = []
    for limit, sign in ((limits.minimum, -1), (limits.maximum, 1)):
        if limit is None:
            edges.append(None)
        elif limits.comparison != ROUNDED:
            edges.append((limit.value, False))
        else:
            half = Decimal(5).scaleb(-limit.digits - 1)
            # The middle is rounded away from zero: out of the limit, where the limit lies between it and zero.
            edges.append((limit.value + sign * half, limit.value * sign >= 0))
    return edges


def _judge_finding(result, asked):
    if not result.finding:
        return Judgement('undecidable', (result.text,), 'number')
    good, bad = ('absent', 'present') if asked.amount is not None else ('not detected', 'detected')
    if asked.finding == bad:
        good, bad = bad, good
    if result.finding not in (good, bad):
        return Judgement('undecidable', (result.text,), 'finding')
    if asked.amount is not None:
        if result.unit != asked.unit:
            return Judgement('undecidable', (result.text,), 'amount')
        # Absent in more is absent in less; present in less is present in more.
        enough = result.amount >= asked.amount if result.finding == 'absent' else result.amount <= asked.amount
        if not enough:
            return Judgement('undecidable', (result.text,), 'amount')
    return Judgement('pass' if result.finding == good else 'fail', (result.text,))


def read_result(text, read_number):
    """Return the Result that a person wrote, or None for a blank.

    :param read_number: reads a number of that person's language, such as ``notation.read_number``
    :raise NumberError: where it is none; words of findings are chosen, not typed, so that they come as canonical text
    """
    operator, rest = split_operator(text)
    if not operator and (text.strip() in ('not detected', 'detected') or _FINDING.fullmatch(text.strip())):
        return Result.parse(text.strip())
    number = read_number(rest)
    if number is None and operator:
        raise NumberError('incomplete', text)
    return number and Result(number=number, operator=operator or None)
