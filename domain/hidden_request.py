"""What a person typed, and the key of the session, stay out of reach of code that somebody wrote into the database (SEC-060).

Domains of record rules, code of custom fields, expressions of templates and actions are evaluated in the request of whoever
triggers them. They may do what Odoo lets them do, but never see a password, what a passkey signed, or how to take over a
session.
"""

import re
from contextlib import contextmanager

from werkzeug.datastructures import Headers, ImmutableMultiDict

#: Names of fields of a form that hold a secret.
SECRET = re.compile(r'passw|secret|token|webauthn|totp|api_?key|pin$|^half$', re.IGNORECASE)
#: Where Odoo's request keeps that of werkzeug.
_WRAPPED = '_HTTPRequest__wrapped'
COOKIE = 'session_id'
#: What opens a session or stands for a person, among the headers.
HEADERS = ('cookie', 'authorization')


def _without_secrets(values):
    return {name: value for name, value in values.items() if not SECRET.search(name)}


class _Hidden:
    """A request of werkzeug without its body, the secrets of its form and the cookie of the session."""

    def __init__(self, wrapped):
        self._rest = lambda name: getattr(wrapped, name)

    data, json = b'', None

    @staticmethod
    def get_data(cache=True, as_text=False, parse_form_data=False):
        return '' if as_text else b''

    @staticmethod
    def get_json(*args, **kwargs):
        return None

    def _fields(self, name):
        return ImmutableMultiDict([
            (key, value) for key, value in self._rest(name).items(multi=True) if not SECRET.search(key)])

    @property
    def form(self):
        return self._fields('form')

    @property
    def values(self):
        return self._fields('values')

    @property
    def cookies(self):
        return _without_session(self._rest('cookies'))

    @property
    def headers(self):
        return Headers([(key, value) for key, value in self._rest('headers').items() if key.lower() not in HEADERS])

    def __getattr__(self, name):
        return self._rest(name)


def _replaced(request):
    """Return what stands in for the secrets of ``request``: a list of owner, attribute and value."""
    dispatcher, http_request, session = request.dispatcher, request.httprequest, request.session
    is_form = getattr(dispatcher, 'routing_type', None) == 'http'
    wrapped, token = getattr(http_request, _WRAPPED), request.csrf_token
    sid = session.sid

    def csrf_token(time_limit=None):
        # Forms need it; it comes from the key of the session, and does not give it away.
        session.sid, hidden = sid, session.sid
        try:
            return token(time_limit)
        finally:
            session.sid = hidden

    rows = [
        (request, 'cookies', _without_session(request.cookies)), (http_request, _WRAPPED, _Hidden(wrapped)),
        (http_request, 'environ', {key: value for key, value in http_request.environ.items()
                                   if key.removeprefix('HTTP_').lower() not in HEADERS}),
        (session, 'sid', ''), (request, 'csrf_token', csrf_token)]
    if hasattr(request, 'params'):
        rows.append((request, 'params', _without_secrets(request.params) if is_form else {}))
    if getattr(dispatcher, 'jsonrequest', None):
        rows.append((dispatcher, 'jsonrequest', {}))
    return rows


def _without_session(cookies):
    return ImmutableMultiDict([(key, value) for key, value in cookies.items() if key != COOKIE])


@contextmanager
def hidden(request):
    """Hide what was typed in ``request``, as Odoo knows it, from whatever runs inside; there may be none.

    Whoever called this keeps what it has in its own variables.
    """
    # Before its way is known, nothing of a request was read. What is hidden already needs it not twice.
    if not request or not getattr(request, 'dispatcher', None) or not hasattr(request.httprequest, _WRAPPED) \
            or isinstance(getattr(request.httprequest, _WRAPPED), _Hidden):
        yield
        return
    kept = []
    try:
        for owner, name, value in _replaced(request):
            kept.append((owner, name, vars(owner).get(name, kept) if name != 'sid' else owner.sid))
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in reversed(kept):
            if value is kept:
                delattr(owner, name)
            else:
                setattr(owner, name, value)
