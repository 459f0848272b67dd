"""Numbers as people type them, and what of them is kept."""

from decimal import Decimal, InvalidOperation

#: Most digits before the decimal point of what a person may enter; more is a typing error.
MAX_DIGITS = 12

#: Digits after the decimal point that are kept of what an instrument shows.
MAX_DECIMALS = 6


def parse_number(text):
    """Return what a person typed as Decimal: point or comma for decimals, no separators of thousands.

    :raise ValueError: where it is no number, or one with more digits than are kept
    """
    if isinstance(text, bool) or not isinstance(text, str | int | Decimal):
        raise ValueError("no number")
    text = str(text).strip().replace('\u2212', '-')
    digits = text.removeprefix('-').removeprefix('+').replace(',', '').replace('.', '')
    if text.count(',') + text.count('.') > 1 or not (digits.isascii() and digits.isdecimal()):
        raise ValueError("no number")
    try:
        value = Decimal(text.replace(',', '.'))
    except InvalidOperation as error:
        raise ValueError("no number") from error
    if -value.as_tuple().exponent > MAX_DECIMALS or value.adjusted() >= MAX_DIGITS:
        raise ValueError("too many digits")
    return value
