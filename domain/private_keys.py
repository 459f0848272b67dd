"""The private key of a signer: made, wrapped under the secret that its owner types, used for one signature.

For a continuous session it is wrapped once more, under a PIN together with a random half that the browser of one terminal
holds (SIG-130): of that copy nobody guesses the PIN without the half, whoever owns the database.

The stored form is useless without the secret: neither the owner of the database nor whoever resets a password signs with
it (21 CFR 11.200(a)(2)-(3), 11.300). Wrapping: scrypt (RFC 7914) over the secret gives a key for AES-256-GCM; the
additional data names person and public key, so that a wrapped key cannot be moved to another person's row.
"""
import base64
import json
import os
import unicodedata

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from .public_keys import ED25519, PublicKey

#: Cost of scrypt: 2^15 blocks of 8, 32 MiB, some 60 ms; stored with each key, so that it can rise.
COST, BLOCK, PARALLEL = 2 ** 15, 8, 1
#: What is stored of foreign origin may not ask for more than this.
MOST_COST = 2 ** 18
SCHEMA = 'mrp_mmr-wrapped-key-1'
#: Of the copy for a continuous session.
SESSION_SCHEMA = 'mrp_mmr-session-key-1'


class WrongSecret(Exception):
    """The secret does not open the key, or the stored key was changed."""


def _derive(secret, salt, cost, block, parallel):
    # The same letters may reach us composed or decomposed, by keyboard and system.
    data = unicodedata.normalize('NFKC', secret).encode()
    return Scrypt(salt=salt, length=32, n=cost, r=block, p=parallel).derive(data)


def _derive_twofold(pin, half, salt, cost, block, parallel):
    """Return the key that PIN and half give together; ``half`` in hexadecimal digits."""
    slow = _derive(pin, salt, cost, block, parallel)
    return HKDF(hashes.SHA256(), length=32, salt=salt, info=SESSION_SCHEMA.encode()).derive(slow + bytes.fromhex(half))


def _wrap(private, public, secret, owner, cost):
    return _seal(private, {'schema': SCHEMA, 'owner': owner, 'key': public.text, 'kdf': 'scrypt'}, cost,
                 lambda *parameters: _derive(secret, *parameters))


def _seal(private, content, cost, derive):
    """Return a private key sealed under what ``derive`` makes of salt and cost; ``content`` is sealed with it."""
    salt, nonce = os.urandom(16), os.urandom(12)
    head = {**content, 'n': cost, 'r': BLOCK, 'p': PARALLEL,
            'salt': base64.b64encode(salt).decode(), 'nonce': base64.b64encode(nonce).decode()}
    sealed = AESGCM(derive(salt, cost, BLOCK, PARALLEL)).encrypt(nonce, private.private_bytes_raw(), _associated(head))
    return json.dumps({**head, 'sealed': base64.b64encode(sealed).decode()}, sort_keys=True, separators=(',', ':'))


def _associated(head):
    return json.dumps(head, sort_keys=True, separators=(',', ':')).encode()


def make_key(secret, owner, cost=None):
    """Make a key pair of a person.

    :param str secret: what the person types when signing
    :param str owner: who the person is, e.g. ``res.users,7``; part of what is sealed
    :param int cost: of scrypt, a power of two; :data:`COST` by default, tests take a low one
    :return: ``(PublicKey, wrapped)``, the second a text to be stored
    """
    private = Ed25519PrivateKey.generate()
    public = PublicKey(ED25519, (private.public_key().public_bytes_raw(),))
    return public, _wrap(private, public, secret, owner, cost or COST)


def open_key(wrapped, secret, owner):
    """Return the private key of a person, for as long as one request needs it.

    :raise WrongSecret: where the secret is another one, or the stored key belongs to somebody else
    """
    return _unseal(wrapped, {'schema': SCHEMA, 'owner': owner}, lambda *parameters: _derive(secret, *parameters))


def _unseal(wrapped, expected, derive):
    """Return the private key that was sealed with ``expected``, among others.

    :raise WrongSecret: where what ``derive`` makes does not open it, or it was sealed with something else
    """
    try:
        content = json.loads(wrapped)
        sealed = base64.b64decode(content.pop('sealed'), validate=True)
        if any(content[name] != value for name, value in expected.items()) or not 2 <= content['n'] <= MOST_COST \
                or (content['r'], content['p']) != (BLOCK, PARALLEL):
            raise WrongSecret
        key = derive(base64.b64decode(content['salt'], validate=True), content['n'], content['r'], content['p'])
        raw = AESGCM(key).decrypt(base64.b64decode(content['nonce'], validate=True), sealed, _associated(content))
        private = Ed25519PrivateKey.from_private_bytes(raw)
    except (InvalidTag, ValueError, KeyError, TypeError, AttributeError):
        raise WrongSecret from None
    if PublicKey(ED25519, (private.public_key().public_bytes_raw(),)).text != content['key']:
        raise WrongSecret
    return private


def rewrap(wrapped, old_secret, new_secret, owner, cost=None):
    """Return the same key wrapped under a new secret, which only whoever knows the old one can do.

    :raise WrongSecret: see :func:`open_key`
    """
    private = open_key(wrapped, old_secret, owner)
    return _wrap(private, PublicKey(ED25519, (private.public_key().public_bytes_raw(),)), new_secret, owner, cost or COST)


def sign(private, message):
    """Return the signature of ``message`` (bytes), in base64."""
    return base64.b64encode(private.sign(message)).decode()


class OpenedKey:
    """The private key of one person, opened with the secret that this person typed; in memory, for one request.

    ``_esign`` takes one: whoever runs code as a person, and has no secret of that person, has none (SIG-110).
    """
    __slots__ = ('_private', 'owner', 'public')

    def __init__(self, wrapped, secret, owner):
        """Open a stored key.

        :raise WrongSecret: see :func:`open_key`
        """
        self._take(open_key(wrapped, secret, owner), owner)

    def _take(self, private, owner):
        self._private = private
        self.owner = owner
        self.public = PublicKey(ED25519, (private.public_key().public_bytes_raw(),))
        return self

    @classmethod
    def of_session(cls, wrapped, pin, half, owner, place):
        """Open the copy of a key for a continuous session.

        :param str half: what the browser of the terminal holds, 64 hexadecimal digits
        :param dict place: where it signs, as :meth:`wrap_for_session` was told
        :raise WrongSecret: where PIN or half are others, or the copy belongs to another person, session or terminal
        """
        return cls.__new__(cls)._take(_unseal(
            wrapped, {'schema': SESSION_SCHEMA, 'owner': owner, 'place': place},
            lambda *parameters: _derive_twofold(pin, half, *parameters)), owner)

    def wrap_for_session(self, pin, half, place, cost=None):
        """Return a copy of this key for a continuous session, which PIN and half together open, as a text to be stored.

        :param dict place: identifiers of session, browser session and terminal; sealed with the copy, so that it cannot be
            moved to another one
        """
        return _seal(
            self._private, {'schema': SESSION_SCHEMA, 'owner': self.owner, 'key': self.public.text, 'kdf': 'scrypt+hkdf',
                            'place': place}, cost or COST, lambda *parameters: _derive_twofold(pin, half, *parameters))

    def __repr__(self):
        return f'OpenedKey({self.owner}, {self.fingerprint[:16]})'

    @property
    def fingerprint(self):
        return self.public.fingerprint

    def sign(self, message):
        """Return the signature of ``message`` (bytes), in base64."""
        return sign(self._private, message)
