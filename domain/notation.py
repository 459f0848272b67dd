"""How people write numbers in their language: read in exactly one way, or refused (NUM-010).

The same rules stand in ``static/src/numbers/number_parser.js``; both are held to ``static/tests/numbers/cases.js``.

- The decimal sign is that of the language. Thousands may be separated by the sign of the language, grouped as it groups
  (12,34,567 in Hindi), or, in every language, by spaces in threes (ISO 80000-1).
- A point or comma between one to three digits and three more, with no other sign, that separates thousands in this language
  is a decimal sign in many others: 12,000 in English and 1.000 in German have two readings and are refused with both.
- A sign of another language is refused, never guessed: 12,5 in English, 12.5 in German.
- Digits are those of ASCII, or all of one other script of :data:`SCRIPTS`: they have one reading.
- A plus sign is dropped, a minus before zero too; .5 is 0.5. White space around is dropped; nothing but white space is blank.
- Exponents, fractions, units, needless zeros in front (007) and a decimal sign at the end (12.) are refused.
"""
import re
from typing import NamedTuple

from .numbers import MAX_DECIMALS, MAX_INTEGER_DIGITS, Number, NumberError

#: Why a text is refused.
REASONS = (
    'not_a_number',      # letters, fractions, units, symbols, several scripts
    'exponent',          # 1e3: to be written out
    'ambiguous',         # two readings, which are named
    'grouping',          # separators of thousands in other places than the language has them
    'separator',         # a decimal sign or separator of another language
    'several_decimals',  # two decimal signs
    'incomplete',        # a sign alone, a decimal sign at the end
    'leading_zeros',     # 007: rather a code
    'too_many_digits',
)
#: Zeros of the scripts whose digits are read: full width, Arabic-Indic, Persian, Devanagari, Bengali.
SCRIPTS = (0xFF10, 0x0660, 0x06F0, 0x0966, 0x09E6)
#: Spaces that may separate thousands: common, no-break, figure, thin and narrow no-break space.
SPACES = ' \u00a0\u2007\u2009\u202f'
_BLANKS = SPACES + '\t\r\n\u3000'
#: Signs that some other language uses for decimals or thousands.
_SEPARATORS = '.,\'\u066b\u066c'
_LIKE = {'\uff0e': '.', '\uff0c': ',', '\uff0d': '-', '\uff0b': '+', '\u2212': '-', '\u3000': ' ', '\u2019': "'"}


class Notation(NamedTuple):
    """How a language writes numbers: its decimal sign, its separator of thousands ('' for none) and sizes of groups.

    ``grouping`` is as ``res.lang`` has it: sizes from the point leftwards, where 0 repeats the one before.
    """
    decimal_point: str = '.'
    thousands_sep: str = ','
    grouping: tuple = (3, 0)


#: The notation of data files and tests.
ENGLISH = Notation()


def read_number(text, notation=ENGLISH):
    """Return the Number that a person wrote, or None where nothing was written.

    :raise NumberError: with one of :data:`REASONS`; ``readings`` has the canonical texts where there are two
    """
    plain = _normalize(text, notation)
    if not plain:
        return None
    sign, body = ('-', plain[1:]) if plain[0] == '-' else ('', plain.removeprefix('+'))
    if not body:
        raise NumberError('incomplete', text)
    _check_characters(text, body, notation)
    whole, point, decimals = body.partition(notation.decimal_point)
    if point:
        _check_decimals(text, decimals, notation)
    integer = _read_groups(text, sign, whole, notation, bool(point))
    if len(integer) > 1 and integer[0] == '0':
        raise NumberError('leading_zeros', text)
    if len(integer) > MAX_INTEGER_DIGITS or len(decimals) > MAX_DECIMALS:
        raise NumberError('too_many_digits', text)
    canonical = (integer or '0') + (f'.{decimals}' if decimals else '')
    return Number(f'{sign}{canonical}' if canonical.strip('0.') else canonical)


def write_number(number, notation=ENGLISH, grouped=True):
    """Return a number in the notation of a language with all its digits.

    What is written for editing is not grouped: 12,000 would be refused when it is read again.

    :param number: Number or canonical text; None and '' give ''
    """
    if number is None or number == '':
        return ''
    sign, integer, decimals = re.fullmatch(r'(-?)(\d+)\.?(\d*)', str(number)).groups()
    if grouped and notation.thousands_sep:
        integer = notation.thousands_sep.join(_split(integer, notation.grouping))
    return sign + integer + (notation.decimal_point + decimals if decimals else '')


def _normalize(text, notation):
    """Return a text with ASCII digits and signs, without white space around.

    Among Arabic digits ٫ can only be the decimal sign, and ٬ only separate thousands.

    :raise NumberError: where digits of several scripts are mixed, or of one that is not read
    """
    if not isinstance(text, str):
        raise TypeError(f"a text is expected, not {type(text).__name__}")
    scripts, result = set(), []
    for char in text.strip(_BLANKS):
        zero = 0x30 if '0' <= char <= '9' else next((zero for zero in SCRIPTS if zero <= ord(char) <= zero + 9), None)
        if zero is None:
            result.append(_LIKE.get(char, char))
        else:
            scripts.add(zero)
            result.append(chr(ord(char) - zero + 0x30))
    if len(scripts) > 1:
        raise NumberError('not_a_number', text)
    plain = ''.join(result)
    if scripts & {0x0660, 0x06F0}:
        plain = plain.replace('\u066b', notation.decimal_point).replace('\u066c', '\u202f')
    return plain


def _check_characters(text, body, notation):
    """Refuse what belongs to no number of this language, with the reason that helps most."""
    if re.fullmatch(r'[0-9., ]+[eE\u00d7*^][-+]?[0-9^*\u00d7-]*', body):
        raise NumberError('exponent', text)
    known = set('0123456789') | set(SPACES) | set(notation.decimal_point) | set(notation.thousands_sep)
    strange = [char for char in body if char not in known]
    if any(char not in _SEPARATORS for char in strange):
        raise NumberError('not_a_number', text)
    if strange:
        raise NumberError('separator', text)
    if not any('0' <= char <= '9' for char in body):
        raise NumberError('incomplete', text)


def _check_decimals(text, decimals, notation):
    if notation.decimal_point in decimals:
        raise NumberError('several_decimals', text)
    if not decimals:
        raise NumberError('incomplete', text)
    if not decimals.isdecimal():
        raise NumberError('grouping', text)


def _read_groups(text, sign, whole, notation, has_decimals):
    """Return the digits before the decimal sign without their separators of thousands."""
    signs = sorted({char for char in whole if not '0' <= char <= '9'})
    if not signs:
        return whole
    if len(signs) > 1:
        raise NumberError('grouping', text)
    separator = signs[0]
    is_own = separator == notation.thousands_sep
    groups = whole.split(separator)
    digits = ''.join(groups)
    patterns = [notation.grouping] if is_own else []
    if separator in SPACES:
        patterns.append((3, 0))
    if not digits or not any(groups == _split(digits, pattern) for pattern in patterns):
        if is_own and separator in '.,' and not has_decimals and len(groups) == 2:
            # Decimals of another language: 12,5 in English.
            raise NumberError('separator', text)
        raise NumberError('grouping', text)
    if digits[0] == '0':
        raise NumberError('separator' if separator in '.,' else 'leading_zeros', text)
    if separator in '.,' and len(groups) == 2 and not has_decimals:
        raise NumberError('ambiguous', text, (sign + digits, f'{sign}{groups[0]}.{groups[1]}'))
    return digits


def _split(digits, grouping):
    """Return the groups of digits, first one first: ``('12', '345')``."""
    sizes, groups, size = list(grouping), [], 0
    while digits:
        following = sizes.pop(0) if sizes else -1
        size = size if following == 0 else following
        if size <= 0:
            groups.append(digits)
            break
        groups.append(digits[-size:])
        digits = digits[:-size]
        if following == 0:
            sizes = [0]
    return groups[::-1]
