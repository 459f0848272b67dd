"""What every model of the addon shares: exact numbers, canonical JSON, digests, refusals, transitions."""

import hashlib
import json
import logging
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import ROUND_HALF_EVEN, Decimal

from markupsafe import Markup

from odoo import fields
from odoo.exceptions import UserError
from odoo.http import STORED_SESSION_BYTES

_logger = logging.getLogger(__name__)

#: Digits of every GMP quantity; neither fields nor frozen documents depend on a setting of the database.
GMP_DIGITS = 6
_QUANTUM = Decimal(1).scaleb(-GMP_DIGITS)

#: Characters of a text that would be commands of ZPL, and how its hexadecimal escape writes them.
ZPL_ESCAPES = str.maketrans({char: f'_{ord(char):02X}' for char in '^~_\\'})

_transition = ContextVar('mrp_mmr_transition', default=frozenset())
_signing = ContextVar('mrp_mmr_signing', default=None)
_session = ContextVar('mrp_mmr_session', default=None)
_terminal = ContextVar('mrp_mmr_terminal', default=None)


@contextmanager
def transition(*recordsets):
    """Let a workflow step of the addon write what its guards refuse, on exactly these records.

    A context variable of the process cannot be sent by a client, unlike a key of the environment's context,
    and does not leak into the actions that buttons return. It names the records, so that other code that
    happens to run inside the step (automation rules, other addons) gains nothing on any other record.
    """
    opened = {(records._name, record_id) for records in recordsets for record_id in records.ids}
    token = _transition.set(_transition.get() | opened)
    try:
        yield
    finally:
        _transition.reset(token)


def in_transition(records):
    """Whether a workflow step of the addon works on every one of ``records`` (see :func:`transition`)."""
    opened = _transition.get()
    return all((records._name, record_id) in opened for record_id in records.ids)


@contextmanager
def signing(digest):
    """Let one signature be stored: the one whose own digest this is."""
    token = _signing.set(digest)
    try:
        yield
    finally:
        _signing.reset(token)


def is_signing(digest):
    """Whether the signature with this digest is being stored (see :func:`signing`)."""
    return bool(digest) and _signing.get() == digest


def without_defaults(model, names):
    """Return ``model`` without ``default_…`` context keys for fields that only the system sets."""
    keys = {f'default_{name}' for name in names} & model.env.context.keys()
    if not keys:
        return model
    context = {key: value for key, value in model.env.context.items() if key not in keys}
    return model.with_env(model.env(context=context))


@contextmanager
def session_of(user, state=None):
    """Stand in for the browser session of ``user`` where there is no request: demo data and tests.

    Only Python code can open it; user name and password are checked all the same.

    :param dict state: what the session remembers, where it is to be opened again
    """
    token = _session.set((user.id, {} if state is None else state))
    try:
        yield
    finally:
        _session.reset(token)


def current_session_uid(request):
    """Return the user of the browser session, or None outside of one (API key, cron, shell)."""
    if request:
        return request.session.uid
    session = _session.get()
    return session and session[0]


def current_session(request):
    """Return ``(key, state)`` of the browser session, which is kept on the server, or ``(None, {})`` outside of one.

    The key stays while Odoo renews the secret half of the identifier, and is another one after each login.
    """
    if request:
        return request.session.sid[:STORED_SESSION_BYTES], request.session
    session = _session.get()
    return (str(session[0]), session[1]) if session else (None, {})


@contextmanager
def at_terminal(key):
    """Stand in for the cookie of a terminal where there is no request: tests. Only Python code can open it."""
    token = _terminal.set(key)
    try:
        yield
    finally:
        _terminal.reset(token)


def current_terminal_key(request, cookie):
    """Return the key that the browser of the present request holds, or None."""
    return request.cookies.get(cookie) if request else _terminal.get()


def exact(value):
    """Return a quantity as a :class:`~decimal.Decimal` of exactly ``GMP_DIGITS`` digits.

    :param value: float, int, str or Decimal; a float is read by its shortest decimal form, so that
        0.1 is one tenth and not its binary neighbour
    """
    return Decimal(str(value or 0)).quantize(_QUANTUM, ROUND_HALF_EVEN)


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


def iso_utc(value):
    """Return a stored time for a frozen document: ISO 8601 in UTC, or None."""
    return fields.Datetime.to_datetime(value).strftime('%Y-%m-%dT%H:%M:%SZ') if value else None


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


def refusal(env, message, rule, next_action, record=None, exception=UserError):
    """Build the exception for a broken rule; the caller raises it.

    :param str message: what was refused, naming the record
    :param str rule: requirement and citation, e.g. ``"USE-010, 21 CFR 111.205(a)"``
    :param str next_action: the next legal action
    :param record: the record concerned, for the server log
    """
    _logger.info("Refused (%s), user %s, record %s: %s", rule, env.uid, record, message)
    if 'mrp.audit.entry' in env and env.registry.ready:
        env['mrp.audit.entry']._remember_refusal(message, rule, record)
    return exception(env._(
        "%(message)s\n\nRule: %(rule)s.\nWhat you can do: %(next_action)s",
        message=message, rule=rule, next_action=next_action,
    ))


def zpl_text(value):
    """Return a text as the data of a ZPL field (``^FH^FD``): nothing in it is a command, nor markup of QWeb."""
    return Markup(' '.join(str(value or '').split()).translate(ZPL_ESCAPES))
