"""How the person of an environment writes numbers, and why a text is refused, in that person's words (NUM-010)."""
import ast
import re

from ...domain.notation import ENGLISH, Notation, write_number
from ...domain.numbers import Number, NumberError
from ...domain.refusals import refusal

RULE = "NUM-010, 21 CFR 11.10(a), 211.68(b)"
#: A number, or a bound of one.
_NUMBER = re.compile(r'([<>≤≥]?)(-?[0-9]+(?:\.[0-9]+)?)')


def get_notation(env):
    """Return the :class:`Notation` of the environment's language; the English one without a language, as in data files."""
    language = env['res.lang']._get_data(code=env.lang) if env.lang else None
    if not language:
        return ENGLISH
    return Notation(language.decimal_point, language.thousands_sep or '', tuple(ast.literal_eval(language.grouping)))


def get_plain_writer(env):
    """Return the function that writes a canonical text as the person reads it, with narrow spaces between thousands.

    1.250 is one thing in English and another in German: what a person reads on a screen has that person's signs. What is no
    number is returned unchanged. The same as ``formatPlainly`` of static/src/numbers/number_parser.js.
    """
    notation = get_notation(env)._replace(thousands_sep='\u202f', grouping=(3, 0))

    def write_plainly(text):
        match = _NUMBER.fullmatch(text)
        return match[1] + write_number(match[2], notation) if match else text

    return write_plainly


def explain_number(env, error, notation):
    """Return the message of a :class:`NumberError`: what was refused, and what to write instead."""
    text = error.text.strip()[:60]
    if error.reason == 'ambiguous':
        whole, decimal = (write_number(reading, notation, grouped=False) for reading in error.readings)
        return env._("%(text)s can be read as %(whole)s or as %(decimal)s. Write %(whole)s or %(decimal)s.",
                     text=text, whole=whole, decimal=decimal)
    if error.reason in ('separator', 'grouping', 'several_decimals'):
        return env._("%(text)s is not a number in your language. Write decimals as %(example)s, and thousands without a "
                     "separator.",
                     text=text, example=write_number('12.5', notation))
    messages = {
        'exponent': env._("%s has an exponent. Write out all digits of the number.", text),
        'incomplete': env._("%s is not complete.", text),
        'leading_zeros': env._("%s begins with zeros. If it is a number, write it without them.", text),
        'too_many_digits': env._("%s has more digits than can be stored: 18 before and 12 after the decimal separator.", text),
    }
    return messages.get(
        error.reason, env._("%s is not a number. Type the number only; its unit is shown next to it.", text))


def take_number(env, value, record, rule=None):
    """Return the :class:`Number` of what a client sent: the canonical text of a number and nothing else (NUM-010).

    :param record: what the number is recorded for, which the refusal names
    :param str rule: the rule under which it is recorded, in addition to NUM-010
    :raise UserError: for a float, an int, and a text in the notation of a language
    """
    try:
        return Number.parse(value)
    except (NumberError, TypeError) as error:
        raise refuse_number(env, value, record, rule) from error


def refuse_number(env, value, record, rule=None):
    """Return the refusal of a value that is not the canonical text of a number."""
    found = env._("Nothing") if value in (None, False, '') else f"“{' '.join(str(value).split())[:60]}”"
    return refusal(
        env, env._("%(record)s: %(value)s is not a number in its canonical form.", record=record.display_name, value=found),
        f"{rule}, {RULE}" if rule else RULE, get_canonical_help(env), record=record)


def get_canonical_help(env):
    """Return what to send instead of a number that is not canonical."""
    return env._("Send the decimal as text with a point and all its digits, such as “98.0”: no exponent, no thousands "
                 "separators, at most 18 digits before and 12 after the point.")
