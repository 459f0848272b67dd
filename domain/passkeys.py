"""Passkeys that sign: what an authenticator signs, how it is stored, and how it is checked (SIG-110, 21 CFR 11.70).

The challenge of an assertion is the digest of the signature's content, so that the assertion is the signature of the key over
it. Sources: W3C Web Authentication Level 3, §5.8.1 (client data), §6.1 (authenticator data), §7.2 (verifying an assertion).
"""

import base64
import binascii
import hashlib
import json
from typing import NamedTuple

from .canonical import canonical_json
from .private_keys import OpenedKey
from .public_keys import PublicKey

#: Flags of the authenticator data (W3C Web Authentication §6.1).
PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, ATTESTED, EXTENDED = 1, 4, 8, 16, 64, 128
#: Bytes of the authenticator data without extensions: digest of the relying party, flags, counter.
LEAST = 37
#: Longest answer of a browser that is read.
MAX_ANSWER = 16_384
PARTS = ('authenticator_data', 'client_data', 'signature')


class BadAssertion(ValueError):
    """What a browser sent, or what is stored, is no assertion of this key over this content."""


def to_base64url(data):
    """Return bytes as WebAuthn writes them: base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip('=')


def from_base64url(text):
    """Read :func:`to_base64url`, with or without padding.

    :raise ValueError: where it is something else
    """
    if not isinstance(text, str):
        raise ValueError("no text")
    data = text.rstrip('=').translate(str.maketrans('-_', '+/'))
    return base64.b64decode(data + '=' * (-len(data) % 4), validate=True)


class Assertion(NamedTuple):
    """What an authenticator made: its data, the data of the browser, and the signature over both."""
    authenticator_data: bytes
    client_data: bytes
    signature: bytes

    @classmethod
    def from_answer(cls, text):
        """Read the answer of a browser, as JSON; return the identifier of the credential and the assertion.

        :raise BadAssertion: where it is something else
        """
        try:
            if not isinstance(text, str) or len(text) > MAX_ANSWER:
                raise BadAssertion("no answer of a passkey")
            answer = json.loads(text)
            said = answer['response']
            return answer['id'], cls(*(
                from_base64url(said[name]) for name in ('authenticatorData', 'clientDataJSON', 'signature')))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise BadAssertion("no answer of a passkey") from error

    @classmethod
    def from_text(cls, text):
        """Read :attr:`text`.

        :raise BadAssertion: where it is something else
        """
        try:
            said = json.loads(text)
            if set(said) != set(PARTS):
                raise BadAssertion("other parts")
            return cls(*(base64.b64decode(said[name], validate=True) for name in PARTS))
        except (ValueError, TypeError, binascii.Error, RecursionError) as error:
            raise BadAssertion("no stored assertion") from error

    @property
    def text(self):
        """The assertion as it is stored: canonical JSON of its parts in base64."""
        return canonical_json({
            name: base64.b64encode(part).decode() for name, part in zip(PARTS, self, strict=True)}).decode()

    @property
    def flags(self):
        return self.authenticator_data[32] if len(self.authenticator_data) >= LEAST else 0

    @property
    def is_synced(self):
        """Whether the passkey may be, or is, copied to other devices (backup eligible, backup state)."""
        return bool(self.flags & (ELIGIBLE | BACKED_UP))

    @property
    def counter(self):
        """How often the authenticator signed; 0 where it does not count."""
        return int.from_bytes(self.authenticator_data[33:37], 'big')

    def check(self, public_key, digest, rp_id, origin):
        """Check that the key ``public_key`` (its text) made this over the content with this digest.

        :param str digest: SHA-256 of the content, 64 hexadecimal digits: the challenge
        :param str rp_id: the relying party, e.g. ``erp.example.com``
        :param str origin: where the browser was, e.g. ``https://erp.example.com``
        :raise BadAssertion: naming what is wrong
        """
        try:
            client = json.loads(self.client_data)
            challenge = to_base64url(bytes.fromhex(digest))
            key = PublicKey.from_text(public_key)
        except (ValueError, TypeError, RecursionError) as error:
            raise BadAssertion("no data of a browser") from error
        if not isinstance(client, dict) or client.get('type') != 'webauthn.get':
            raise BadAssertion("made for something else than an assertion")
        if client.get('challenge') != challenge:
            raise BadAssertion("made over another content")
        if client.get('origin') != origin or client.get('crossOrigin') not in (None, False):
            raise BadAssertion("made at another address")
        if len(self.authenticator_data) < LEAST or not self.flags & (ATTESTED | EXTENDED) \
                and len(self.authenticator_data) != LEAST:
            raise BadAssertion("no data of an authenticator")
        if self.authenticator_data[:32] != hashlib.sha256((rp_id or '').encode()).digest():
            raise BadAssertion("made for another server")
        if not self.flags & PRESENT or not self.flags & VERIFIED:
            raise BadAssertion("made without verifying the person")
        if self.flags & BACKED_UP and not self.flags & ELIGIBLE:
            raise BadAssertion("no data of an authenticator")
        if not key.is_valid(self.signature, self.authenticator_data + hashlib.sha256(self.client_data).digest()):
            raise BadAssertion("made by another key")


class AssertedKey(NamedTuple):
    """What the passkey of one person signed, for as long as one request needs it; stands where an opened key stands.

    It signs nothing but the content whose digest was its challenge: ``_esign`` takes one from whoever typed nothing.
    """
    owner: str
    fingerprint: str
    digest: str
    signed_at: str
    nonce: str
    assertion: Assertion

    def sign(self, message):
        """Return what is stored as the signature of ``message`` (bytes).

        :raise BadAssertion: where it was made over another content
        """
        if hashlib.sha256(message).hexdigest() != self.digest:
            raise BadAssertion("made over another content")
        return self.assertion.text


#: What signs: a key that a secret opened, or what a passkey signed.
SIGNING_KEYS = (OpenedKey, AssertedKey)


def is_key_signature(public_key, signature, message, rp_id=None, origin=None):
    """Whether a key made what is stored as its signature over ``message``.

    :param str public_key: its text
    :param str signature: base64; of a passkey, the text of its assertion
    :param bytes message: canonical JSON of what was signed
    :param str rp_id: of a passkey, with ``origin``; None for a key that a secret opens
    """
    try:
        if rp_id is not None:
            Assertion.from_text(signature).check(public_key, hashlib.sha256(message).hexdigest(), rp_id, origin)
            return True
        return PublicKey.from_text(public_key or '').is_valid(base64.b64decode(signature or '', validate=True), message)
    except (ValueError, TypeError):
        return False
