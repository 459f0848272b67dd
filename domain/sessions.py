"""Whose session this is, and at which terminal: of the browser, or what stands in for it in demonstration and tests."""

import hashlib
from contextlib import contextmanager
from contextvars import ContextVar
from weakref import WeakKeyDictionary

from .hidden_request import hidden

_session = ContextVar('mrp_mmr_session', default=None)
_terminal = ContextVar('mrp_mmr_terminal', default=None)
_authenticated = ContextVar('mrp_mmr_authenticated', default=frozenset())
_components = ContextVar('mrp_mmr_components', default=None)
_own_sessions = ContextVar('mrp_mmr_own_sessions', default=False)
_foreign_code = ContextVar('mrp_mmr_foreign_code', default=False)
_shipped_code = ContextVar('mrp_mmr_shipped_code', default=False)
_server_command = ContextVar('mrp_mmr_server_command', default=False)
#: Cursor of a remote call → who authenticated it.
_rpc_users = WeakKeyDictionary()


@contextmanager
def session_of(user, state=None, key=None):
    """Stand in for the browser session of ``user`` where there is no request: demo data and tests.

    Only Python code can open it; user name and password are checked all the same.

    :param dict state: what the session remembers, where it is to be opened again
    :param str key: of the session, where the person has several
    """
    token = _session.set((user.id, {} if state is None else state, key or str(user.id)))
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
        from odoo.http import STORED_SESSION_BYTES
        return request.session.sid[:STORED_SESSION_BYTES], request.session
    session = _session.get()
    return (session[2], session[1]) if session else (None, {})


def session_digest(request):
    """Return the SHA-256 of the key of the browser session, by which records say whence they come, or None outside of one.

    Nobody gets into a session by it.
    """
    key, _state = current_session(request)
    return key and hashlib.sha256(key.encode()).hexdigest()


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


@contextmanager
def _during(variable, value):
    """Let a variable of the context have a value, which it loses whatever happens inside."""
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


@contextmanager
def authenticated(uid, components=None):
    """Let a person act who typed user name and password in this very request, at the terminal of a colleague.

    :param dict components: what was typed, as the ledger says it beside the signature (see :func:`typed_components`)
    """
    with _during(_authenticated, _authenticated.get() | {uid}), _during(_components, components):
        yield


def typed_components():
    """Return what the signer typed who is authenticated now: dict of ``name`` and ``first``; None outside of a signature."""
    return _components.get()


def own_sessions():
    """Stand in for the sessions of all users where there is no request: demo data and tests. Only Python code can open it."""
    return _during(_own_sessions, True)


def foreign_code():
    """Whatever runs inside was written into the database by somebody: server actions, automation rules, scheduled actions.

    It acts in nobody's session, whoever started it.
    """
    return _during(_foreign_code, True)


def shipped_code():
    """The next evaluation inside is that of code that a version of a module brought: it acts for whoever starts it."""
    return _during(_shipped_code, True)


@contextmanager
def evaluated(request):
    """Whatever runs inside is an expression or code from the database: it acts in nobody's session, and sees no secret of
    ``request``, unless :func:`shipped_code` says that it came with a module."""
    if _shipped_code.get():
        with _during(_shipped_code, False):
            yield
        return
    with foreign_code(), hidden(request):
        yield


def server_command():
    """Whatever runs inside is a command that whoever administers the server typed there; no code in a database opens it."""
    return _during(_server_command, True)


def is_foreign_code():
    """Whether something that stands in the database is being evaluated."""
    return _foreign_code.get()


def is_server_command(request):
    """Whether a command on the server runs, and nothing that came from a client or stands in the database."""
    return _server_command.get() and not request and not _foreign_code.get()


def note_rpc_user(cursor, uid):
    """Remember whose password or API key opened a remote call, which has no request: its transaction is that person's."""
    _rpc_users[cursor] = uid


def is_own_session(request, uid, cursor=None):
    """Whether what is written now in the name of ``uid`` is written by that person (SEC-060).

    That is: in the browser session of that person, or by somebody who authenticated as that person in this very request.

    :param cursor: of the transaction, by which remote calls are known
    """
    if _foreign_code.get():
        return False
    if uid in _authenticated.get():
        return True
    if request:
        return uid == (request.session.uid or request.env.uid)
    session = _session.get()
    return _own_sessions.get() or bool(session) and session[0] == uid or _rpc_users.get(cursor) == uid


def is_remote_call(request, cursor):
    """Whether this comes without a browser session, by password or API key: what it writes is imported."""
    return not request.session.uid if request else cursor in _rpc_users
