"""Canonical JSON, its digest, and times as they stand in signed documents."""

import hashlib
import json
from datetime import datetime

#: What the first line of a chain, and the first seal, follow.
GENESIS = '0' * 64


def iso_utc(value):
    """Return a stored time for a frozen document: ISO 8601 in UTC to the second, or None.

    :param value: datetime in UTC without zone, as Odoo stores it, or its text ``YYYY-MM-DD HH:MM:SS``
    """
    if not value:
        return None
    if isinstance(value, str):
        value = datetime.fromisoformat(value[:19])
    return value.strftime('%Y-%m-%dT%H:%M:%SZ')


def canonical_json(content):
    """Serialise for signing: UTF-8, sorted keys, no white space; floats are refused.

    :raise TypeError: on a float, as its text is not the same everywhere
    """
    text = json.dumps(content, sort_keys=True, separators=(',', ':'), ensure_ascii=False)
    # Parsing is done in C and calls Python for floats alone.
    json.loads(text, parse_float=_refuse_float, parse_constant=_refuse_float)
    return text.encode()


def _refuse_float(literal):
    raise TypeError(f"A signed document holds no float: {literal}")


def sha256(content):
    """Return the hexadecimal SHA-256 of the canonical JSON of ``content``."""
    return hashlib.sha256(canonical_json(content)).hexdigest()
