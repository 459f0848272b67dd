"""What a method that clients call takes: names and types of its arguments, checked before anything else happens.

A remote call can leave arguments out, send more, or send anything that JSON holds. What a method does not take is refused
like every other broken rule, and nothing is stored (SEC-020, 21 CFR 11.10(a), (h)).
"""
import functools
import inspect
import math
from datetime import date, datetime

from .refusals import refusal
from .signing import is_storable

#: Longest text that a person types, and the largest file as text (base64).
MAX_TEXT, MAX_FILE = 20_000, 64_000_000
#: Of values by name: how many, and how deep they nest.
MAX_VALUES, MAX_DEPTH = 200, 4
#: The largest id of PostgreSQL's integer.
MAX_ID = 2 ** 31 - 1


def _is_text(value):
    return isinstance(value, str) and len(value) <= MAX_TEXT and is_storable(value)


def _is_id(value):
    return type(value) is int and 0 < value <= MAX_ID


def _is_count(value):
    return type(value) is int and 0 <= value <= MAX_ID


def _is_flag(value):
    return isinstance(value, bool)


def _is_json(value, depth=0):
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, str):
        return len(value) <= MAX_FILE and is_storable(value)
    if isinstance(value, (bytes, date)):
        # From Python code of the server: JSON holds neither.
        return True
    if isinstance(value, (int, float)):
        # Ids and positions: what a person types as a number is a text.
        return math.isfinite(value) and abs(value) <= MAX_ID
    if depth >= MAX_DEPTH or not isinstance(value, (dict, list, tuple)) or len(value) > MAX_VALUES:
        return False
    if isinstance(value, dict):
        return all(_is_text(name) for name in value) and all(_is_json(item, depth + 1) for item in value.values())
    return all(_is_json(item, depth + 1) for item in value)


def _is_values(value):
    return isinstance(value, dict) and _is_json(value)


def _is_time(value):
    if isinstance(value, date):
        return True
    try:
        return isinstance(value, str) and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


#: Kind of an argument → whether a value is one.
KINDS = {
    'text': _is_text, 'id': _is_id, 'count': _is_count, 'flag': _is_flag, 'values': _is_values,
    'time': _is_time, 'day': lambda value: isinstance(value, date) or _is_text(value),
    'file': lambda value: isinstance(value, (str, bytes)),
    'ids': lambda value: isinstance(value, list) and len(value) <= 100_000 and all(map(_is_id, value)),
}


def takes(**kinds):
    """Declare what a public method takes; anything else is refused before it runs.

    An argument with a default may also be None or False, as clients send what is empty.

    :param kinds: argument → a key of :data:`KINDS`
    :raise ValueError: where the method has an argument that is not declared, or the other way round
    """
    def decorate(method):
        signature = inspect.signature(method)
        optional = {name for name, parameter in signature.parameters.items() if parameter.default is not parameter.empty}
        names = list(signature.parameters)[1:]
        if set(names) != set(kinds) or not set(kinds.values()) <= set(KINDS):
            raise ValueError(f"{method.__qualname__} takes {names}, not {list(kinds)}")

        @functools.wraps(method)
        def checked(self, *args, **kwargs):
            try:
                bound = signature.bind(self, *args, **kwargs)
            except TypeError:
                raise _refuse(self, method.__name__, ', '.join(names)) from None
            for name, kind in kinds.items():
                if name not in bound.arguments:
                    continue
                value = bound.arguments[name]
                if not KINDS[kind](value) and not (name in optional and (value is None or value is False)):
                    raise _refuse(self, method.__name__, name)
            return method(self, *args, **kwargs)

        checked.takes = kinds
        return checked
    return decorate


def check_values(record, method, vals, **kinds):
    """Refuse ``vals`` of a call of ``method`` on ``record`` where a name holds something of another kind; what is empty may be.

    :param str method: name of the public method
    :param kinds: name → a key of :data:`KINDS`; other names are left to the method
    :raise UserError: naming the first one that is wrong
    """
    for name, kind in kinds.items():
        value = vals.get(name)
        if value is not None and value is not False and value != '' and not KINDS[kind](value):
            raise _refuse(record, method, name)


def _refuse(record, method, argument):
    return refusal(
        record.env, record.env._(
            "%(record)s: %(method)s was called with an invalid argument (%(argument)s).",
            record=record._description, method=method, argument=argument),
        "SEC-020, 21 CFR 11.10(a), (h)",
        record.env._("reload the page and try again; a program must send the arguments that the documentation describes."),
        record=record)
