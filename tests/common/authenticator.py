"""An authenticator in software: makes passkeys and assertions as a security key and a browser do (SIG-110)."""

import hashlib
import json
import os

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from odoo.addons.mrp_mmr.domain.passkeys import ELIGIBLE, PRESENT, VERIFIED, to_base64url

KINDS = ('es256', 'ed25519', 'rs256')


def _cbor_bytes(data):
    """Return a byte string as CBOR writes it (RFC 8949 §3.1)."""
    size = len(data)
    head = bytes([0x40 | size]) if size < 24 else b'\x58' + bytes([size]) if size < 256 else b'\x59' + size.to_bytes(2, 'big')
    return head + data


class Authenticator:
    """One passkey; counts its signatures where ``counter`` is given.

    :param str kind: one of :data:`KINDS`
    :param bool synced: whether it may be copied to other devices
    """

    def __init__(self, kind='es256', synced=False, counter=None):
        self.kind, self.counter = kind, counter
        self.flags = PRESENT | VERIFIED | (ELIGIBLE if synced else 0)
        self.credential = to_base64url(os.urandom(16))
        self.private = {
            'es256': lambda: ec.generate_private_key(ec.SECP256R1()), 'ed25519': Ed25519PrivateKey.generate,
            'rs256': lambda: rsa.generate_private_key(65537, 2048)}[kind]()

    @property
    def cose(self):
        """The public key as an authenticator hands it out (RFC 9053)."""
        if self.kind == 'ed25519':
            return b'\xa4\x01\x01\x03\x27\x20\x06\x21' + _cbor_bytes(self.private.public_key().public_bytes_raw())
        numbers = self.private.public_key().public_numbers()
        if self.kind == 'es256':
            return b'\xa5\x01\x02\x03\x26\x20\x01\x21' + _cbor_bytes(numbers.x.to_bytes(32, 'big')) + b'\x22' + _cbor_bytes(
                numbers.y.to_bytes(32, 'big'))
        return b'\xa4\x01\x03\x03\x39\x01\x00\x20' + _cbor_bytes(numbers.n.to_bytes(256, 'big')) + b'\x21\x43\1\0\1'

    @property
    def jwk(self):
        """The private key of an RSA passkey as a browser reads it (RFC 7517)."""
        numbers = self.private.private_numbers()
        values = {'n': numbers.public_numbers.n, 'e': 65537, 'd': numbers.d, 'p': numbers.p, 'q': numbers.q,
                  'dp': numbers.dmp1, 'dq': numbers.dmq1, 'qi': numbers.iqmp}
        return {'kty': 'RSA', 'alg': 'RS256', **{
            name: to_base64url(value.to_bytes((value.bit_length() + 7) // 8, 'big')) for name, value in values.items()}}

    def _sign(self, message):
        if self.kind == 'ed25519':
            return self.private.sign(message)
        if self.kind == 'es256':
            return self.private.sign(message, ec.ECDSA(hashes.SHA256()))
        return self.private.sign(message, padding.PKCS1v15(), hashes.SHA256())

    def answer(self, options, place, **changes):
        """Answer what a server asks, as the browser hands it to the page: JSON.

        :param dict options: of the request
        :param str place: where the browser is
        :param changes: what is falsified: ``challenge``, ``origin``, ``rp_id``, ``flags``, ``type``, ``credential``
        """
        if self.counter is not None:
            self.counter += 1
        client = json.dumps({
            'type': changes.get('type', 'webauthn.get'), 'challenge': changes.get('challenge', options['challenge']),
            'origin': changes.get('origin', place), 'crossOrigin': False}).encode()
        data = hashlib.sha256(changes.get('rp_id', options['rpId']).encode()).digest() + bytes([
            changes.get('flags', self.flags)]) + (self.counter or 0).to_bytes(4, 'big')
        signature = self._sign(data + hashlib.sha256(client).digest())
        return json.dumps({
            'id': changes.get('credential', self.credential), 'rawId': self.credential, 'type': 'public-key',
            'response': {'authenticatorData': to_base64url(data), 'clientDataJSON': to_base64url(client),
                         'signature': to_base64url(signature)}})
