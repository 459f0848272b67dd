"""Exact numbers: a decimal with the digits it was written with, rounding, and conversion between units.

A :class:`Number` is what a person wrote (NUM-020): 98.0 and 98 are equal, and are not the same text. Its *canonical text* is
what crosses the wire, is stored and is signed: ASCII digits, a point for decimals, no exponent, no separator of thousands, no
plus sign, no needless zero in front, no minus before zero. How people write numbers in their language is in ``notation``.

``exact`` and ``decimal_string`` are the older form of six digits, in which documents were frozen before schema version 2.
"""
import re
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from functools import total_ordering

#: Digits of every quantity of the older form; neither fields nor frozen documents depend on a setting of the database.
GMP_DIGITS = 6
_QUANTUM = Decimal(1).scaleb(-GMP_DIGITS)

#: Most digits before and after the decimal point of a number: 1E15 and 1E-6 with room on both sides; more is a typing error.
MAX_INTEGER_DIGITS = 18
MAX_DECIMALS = 12
#: The canonical form as a regular expression that Python, JavaScript and PostgreSQL read alike.
CANONICAL = rf'^-?(0|[1-9][0-9]{{0,{MAX_INTEGER_DIGITS - 1}}})(\.[0-9]{{1,{MAX_DECIMALS}}})?$'
#: What the canonical form does not have although :data:`CANONICAL` would match it.
MINUS_ZERO = r'^-0(\.0+)?$'
_CANONICAL = re.compile(CANONICAL)
_MINUS_ZERO = re.compile(MINUS_ZERO)
_ROUNDINGS = {'half_up': ROUND_HALF_UP, 'half_even': ROUND_HALF_EVEN}
#: Enough for every sum, product and rounding of two numbers; an operation that would lose a digit is an error.
_CONTEXT = Context(prec=4 * (MAX_INTEGER_DIGITS + MAX_DECIMALS))


class NumberError(ValueError):
    """A text that cannot be taken as a number.

    :param str reason: code of the reason, which callers word for people: 'not_canonical', 'too_many_digits', 'not_a_number',
        'not_exact', or one of those of ``notation.REASONS``
    :param str text: what was given
    :param tuple readings: where a text can be read in several ways, their canonical texts
    """

    def __init__(self, reason, text='', readings=()):
        super().__init__(f"{reason}: {text}")
        self.reason = reason
        self.text = text
        self.readings = tuple(readings)


@total_ordering
class Number:
    """An exact decimal that keeps its digits. Immutable.

    Numbers compare by value with each other, with int, Decimal and Fraction, and with the decimal that a float is the shortest
    form of: 0.1 equals 0.1. Sums, differences and products of exact numbers are exact Numbers; with a float they are a
    TypeError, as is whatever needs a quotient (use :attr:`fraction`). The hash is that of int, Decimal and Fraction; a set
    of Numbers does not find floats. **A number is always true, zero too**: what is missing is None, so that no test of truth
    takes a zero for a blank (R-09).
    """

    __slots__ = ('_value', 'text')

    def __init__(self, text):
        """Take a text that is known to be canonical; what comes from outside goes through :meth:`parse`."""
        self.text = text
        self._value = None

    @classmethod
    def parse(cls, text):
        """Return the number of a canonical text.

        :raise NumberError: 'not_canonical' or 'too_many_digits'
        """
        if not isinstance(text, str):
            raise TypeError(f"a canonical text is expected, not {type(text).__name__}")
        if not _CANONICAL.fullmatch(text) or text.endswith('\n') or _MINUS_ZERO.fullmatch(text):
            is_long = re.fullmatch(r'-?(0|[1-9][0-9]*)(\.[0-9]+)?', text) and not _MINUS_ZERO.fullmatch(text)
            raise NumberError('too_many_digits' if is_long else 'not_canonical', text)
        return cls(text)

    @classmethod
    def of(cls, value):
        """Return the number of a Number, a canonical text, a Decimal with its digits, or an int.

        :raise TypeError: for a float, a bool or anything else
        :raise NumberError: where it is none, or has too many digits
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cls.parse(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return cls.parse(str(value))
        if isinstance(value, Decimal):
            if not value.is_finite():
                raise NumberError('not_a_number', str(value))
            text = format(value, 'f')
            return cls.parse(text if value else text.removeprefix('-'))
        raise TypeError(f"an exact number is expected, not {type(value).__name__}: floats do not keep what was written")

    @classmethod
    def from_legacy(cls, value):
        """Return the number that a float of an old column or document was written as: its shortest form, without end zeros.

        Values of the time before numbers kept their digits: how many digits they had is not known any more.
        """
        value = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        if not value.is_finite():
            raise NumberError('not_a_number', str(value))
        text = format(value, 'f')
        return cls.of(Decimal(text.rstrip('0').rstrip('.') if '.' in text else text))

    @classmethod
    def from_float(cls, value):
        """Return the number that a float stands for: its shortest form, or that of 15 digits where arithmetic left a rest.

        :raise NumberError: where it is none, or has more digits than are kept
        """
        try:
            return cls.from_legacy(value)
        except NumberError as error:
            if error.reason != 'too_many_digits':
                raise
            return cls.from_legacy(Decimal(f'{value:.15g}'))

    @classmethod
    def from_fraction(cls, fraction):
        """Return the number that equals a fraction.

        :raise NumberError: 'not_exact' where its decimals have no end or are more than are kept
        """
        scaled = Fraction(fraction) * 10 ** MAX_DECIMALS
        if scaled.denominator != 1:
            raise NumberError('not_exact', str(fraction))
        return cls.from_legacy(Decimal(scaled.numerator).scaleb(-MAX_DECIMALS, _CONTEXT))

    @property
    def value(self):
        """The number as Decimal with all its digits."""
        if self._value is None:
            self._value = Decimal(self.text)
        return self._value

    @property
    def fraction(self):
        """The number as Fraction: sums, products and quotients of fractions are exact."""
        return Fraction(self.value)

    @property
    def digits(self):
        """How many digits it was written with after the decimal point."""
        return len(self.text.partition('.')[2])

    def rounded_to(self, digits, rounding='half_up'):
        """Return the number rounded to so many digits after the point; one with fewer digits stays as it is.

        Half up is away from zero (USP General Notices 7.20). No digit is added: 98 does not become 98.0.
        """
        if self.digits <= digits:
            return self
        return Number.of(self.value.quantize(Decimal(1).scaleb(-digits), _ROUNDINGS[rounding], _CONTEXT))

    def scaled(self, factor):
        """Return the number times an exact factor (Fraction or int) as Fraction, for comparison in another unit."""
        if isinstance(factor, float):
            raise TypeError("a factor is a Fraction")
        return self.fraction * factor

    def __str__(self):
        return self.text

    def __repr__(self):
        return f"Number({self.text!r})"

    def __hash__(self):
        return hash(self.value)

    def __eq__(self, other):
        return self._compare(other, lambda left, right: left == right)

    def __lt__(self, other):
        return self._compare(other, lambda left, right: left < right)

    def _compare(self, other, operator):
        if isinstance(other, Number):
            return operator(self.value, other.value)
        if isinstance(other, float):
            return operator(self.value, Decimal(repr(other)))
        if isinstance(other, bool):
            return NotImplemented
        if isinstance(other, Fraction):
            return operator(self.fraction, other)
        return operator(self.value, other) if isinstance(other, int | Decimal) else NotImplemented

    def __float__(self):
        return float(self.text)

    def __int__(self):
        return int(self.value)

    def __round__(self, digits=0):
        return Number.of(round(self.value, digits))

    def __neg__(self):
        return Number.of(-self.value)

    def __abs__(self):
        return Number(self.text.removeprefix('-'))

    def __add__(self, other):
        return self._calculate(other, _CONTEXT.add)

    def __sub__(self, other):
        return self._calculate(other, _CONTEXT.subtract)

    def __rsub__(self, other):
        return self._calculate(other, lambda value, operand: _CONTEXT.subtract(operand, value))

    def __mul__(self, other):
        return self._calculate(other, _CONTEXT.multiply)

    __radd__ = __add__
    __rmul__ = __mul__

    def _calculate(self, other, operator):
        """Return the exact Number of an operation with another exact number.

        :raise NumberError: where it has more digits than are kept
        """
        if isinstance(other, Fraction):
            other = Number.from_fraction(other)
        if isinstance(other, bool) or not isinstance(other, int | Decimal | Number):
            return NotImplemented
        return Number.of(operator(self.value, Number.of(other).value))

    def __reduce__(self):
        return Number, (self.text,)


def get_factor(unit, to_unit):
    """Return the exact factor between two units as Fraction; None where they have no common reference.

    Factors are read as they were written (28.3495 g an ounce), along the chain of reference units: the product that Odoo
    stores is a float.

    :param unit: record with ``relative_factor`` and ``relative_uom_id``, as ``uom.uom`` has them
    """
    if not unit or not to_unit:
        return None
    factor, root = _get_absolute(unit)
    to_factor, to_root = _get_absolute(to_unit)
    return factor / to_factor if root == to_root else None


def _get_absolute(unit):
    factor = Fraction(1)
    while unit.relative_uom_id:
        factor *= Fraction(repr(unit.relative_factor))
        unit = unit.relative_uom_id
    return factor, unit


def exact(value):
    """Return a quantity as a :class:`~decimal.Decimal` of exactly ``GMP_DIGITS`` digits.

    :param value: float, int, str or Decimal; a float is read by its shortest decimal form, so that
        0.1 is one tenth and not its binary neighbour
    """
    return Decimal(str(value or 0)).quantize(_QUANTUM, ROUND_HALF_EVEN)


def round_fraction(fraction):
    """Return a Fraction as Decimal of exactly ``GMP_DIGITS`` digits, half to even, for what cannot hold all of it."""
    return Decimal(round(Fraction(fraction) * 10 ** GMP_DIGITS)).scaleb(-GMP_DIGITS, _CONTEXT)


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
