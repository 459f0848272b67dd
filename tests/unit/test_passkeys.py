"""Assertions of passkeys, and the checks of `verify.py` with nothing but Python: published vectors, agreement (SIG-110)."""
import base64
import hashlib
import json
import unittest

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from odoo.addons.mrp_mmr.domain.canonical import canonical_json
from odoo.addons.mrp_mmr.domain.passkeys import (
    AssertedKey,
    Assertion,
    BadAssertion,
    from_base64url,
    is_key_signature,
    to_base64url,
)
from odoo.addons.mrp_mmr.domain.public_keys import ES256, RS256, PublicKey
from odoo.addons.mrp_mmr.verification import verify

from ..common.authenticator import KINDS, Authenticator
from .test_public_keys import RFC_6979, RFC_6979_POINT, RFC_8032

#: NIST CAVP, FIPS 186-4 ECDSA signature generation, P-256 with SHA-256, first one: message, point, signature.
NIST_P256 = (
    '5905238877c77421f73e43ee3da6f2d9e2ccad5fc942dcec0cbd25482935faaf416983fe165b1a045ee2bcd2e6dca3bdf46c4310a7461f9a37960ca672d3'
    'feb5473e253605fb1ddfd28065b53cb5858a8ad28175bf9bd386a5e471ea7a65c17cc934a9d791e91491eb3754d03799790fe2d308d16146d5c9b0d0debd'
    '97d79ce8',
    '1ccbe91c075fc7f4f033bfa248db8fccd3565de94bbfb12f3c59ff46c271bf83',
    'ce4014c68811f9a21a1fdb2c0e6113e06db7ca93b7404e78dc7ccd5ca89a4ca9',
    0xf3ac8061b514795b8843e3d6629527ed2afd6b1f6a555a7acabb5e6f79c8c2ac,
    0x8bf77819ca05a6b2786c76262bf7371cef97b218e96f175a3ccdda2acc058903)
#: RFC 7515 §A.2: modulus, message, signature; its exponent is 65537.
RFC_7515 = (
    'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRP'
    'EwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qC'
    'o5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
    'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ',
    'cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKB'
    'YNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6Bf'
    'I7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw')
ORIGIN, RP_ID = 'https://erp.example.com', 'erp.example.com'


class TestVerifyAlone(unittest.TestCase):
    """What `verify.py` computes by itself is what the standards and `cryptography` say."""

    def _forge(self, kind, parts, signature, message):
        """One bit anywhere, one byte more or less, or another message: refused; the checks of the addon agree."""
        key = PublicKey(kind, tuple(parts))
        checks = (lambda *made: verify.is_signed(parts, kind, *made), key.is_valid,
                  lambda *made: key.is_valid(*made, pure=True))
        for is_valid in checks:
            self.assertTrue(is_valid(signature, message))
            for at in range(0, len(signature) * 8, 61):
                changed = bytearray(signature)
                changed[at // 8] ^= 1 << at % 8
                self.assertFalse(is_valid(bytes(changed), message), at)
            for other in (b'', signature[:-1], signature + b'\0'):
                self.assertFalse(is_valid(other, message))
            self.assertFalse(is_valid(signature, message + b'.'))

    def test_ed25519(self):
        """SIG-110: RFC 8032 §7.1."""
        for public, message, signature in RFC_8032:
            self._forge('ed25519', [bytes.fromhex(public)], bytes.fromhex(signature), bytes.fromhex(message))

    def test_es256(self):
        """SIG-110: RFC 6979 §A.2.5 and NIST's example for FIPS 186-4."""
        for message, r, s in RFC_6979:
            self._forge(ES256, [bytes.fromhex(part) for part in RFC_6979_POINT], encode_dss_signature(r, s), message)
        message, x, y, r, s = NIST_P256
        self._forge(ES256, [bytes.fromhex(x), bytes.fromhex(y)], encode_dss_signature(r, s), bytes.fromhex(message))

    def test_rs256(self):
        """SIG-110: RFC 7515 §A.2."""
        modulus, message, signature = RFC_7515
        self._forge(RS256, [from_base64url(modulus), b'\1\0\1'], from_base64url(signature), message.encode())

    def test_agreement(self):
        """SIG-110: random keys; numbers out of range, points beside the curve and other paddings are refused."""
        for number in range(4):
            message = hashlib.sha256(bytes([number])).digest() * number
            private = ec.generate_private_key(ec.SECP256R1())
            numbers = private.public_key().public_numbers()
            parts = [numbers.x.to_bytes(32, 'big'), numbers.y.to_bytes(32, 'big')]
            signature = private.sign(message, ec.ECDSA(hashes.SHA256()))
            self.assertTrue(verify.is_es256(parts, signature, message))
            r, s = decode_dss_signature(signature)
            for forged in ((0, s), (r, 0), (r, verify.EC_N), (s, r), (r + verify.EC_N, s)):
                self.assertFalse(verify.is_es256(parts, encode_dss_signature(*forged), message))
            self.assertFalse(verify.is_es256([b'\1' * 32, b'\2' * 32], signature, message))
            self.assertFalse(verify.is_es256([b'\xff' * 32, parts[1]], signature, message))
            private = Ed25519PrivateKey.generate()
            self.assertTrue(verify.is_ed25519(private.public_key().public_bytes_raw(), private.sign(message), message))
        private = rsa.generate_private_key(65537, 2048)
        parts = [private.public_key().public_numbers().n.to_bytes(256, 'big'), b'\1\0\1']
        for scheme, digest, expected in (
                (padding.PKCS1v15(), hashes.SHA256(), True), (padding.PKCS1v15(), hashes.SHA512(), False),
                (padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256(), False)):
            self.assertEqual(verify.is_rs256(parts, private.sign(b'x', scheme, digest), b'x'), expected)
        self.assertFalse(verify.is_rs256([parts[0], b'\1'], private.sign(b'x', padding.PKCS1v15(), hashes.SHA256()), b'x'))

    def test_infinity(self):
        """SIG-110: sums of points that meet: a point and its negative, a point and itself."""
        x, y = verify.EC_G
        self.assertIsNone(verify.ec_add((x, y), (x, verify.EC_P - y)))
        self.assertEqual(verify.ec_add(None, (x, y)), (x, y))
        double = verify.ec_add((x, y), (x, y))
        self.assertEqual(verify.ec_add(double, (x, verify.EC_P - y)), (x, y))


class TestAssertion(unittest.TestCase):
    """An assertion over a content, and what differs from it in one thing (SIG-110)."""

    def _make(self, kind='es256', **changes):
        authenticator = Authenticator(kind)
        message = canonical_json({'content': kind})
        options = {'challenge': to_base64url(hashlib.sha256(message).digest()), 'rpId': RP_ID}
        _name, assertion = Assertion.from_answer(authenticator.answer(options, ORIGIN, **changes))
        return PublicKey.from_cose(authenticator.cose).text, assertion, message

    def test_right(self):
        """SIG-110: of each kind; stored as text and read again it is the same; over another content it is none."""
        for kind in KINDS:
            with self.subTest(kind=kind):
                public, assertion, message = self._make(kind)
                self.assertEqual(Assertion.from_text(assertion.text), assertion)
                self.assertTrue(is_key_signature(public, assertion.text, message, RP_ID, ORIGIN))
                self.assertFalse(is_key_signature(public, assertion.text, message + b'.', RP_ID, ORIGIN))
                self.assertFalse(is_key_signature(public, assertion.text, message))
                self.assertFalse(is_key_signature(self._make(kind)[0], assertion.text, message, RP_ID, ORIGIN))

    def test_falsified(self):
        """SIG-110: each part that an authenticator or a browser says is checked, whoever signed it."""
        for changes, said in (
                ({'type': 'webauthn.create'}, "something else"), ({'challenge': 'AAAA'}, "another content"),
                ({'origin': 'https://erp.example.com.evil'}, "another address"), ({'rp_id': 'evil'}, "another server"),
                ({'flags': 0}, "verifying"), ({'flags': 1}, "verifying"), ({'flags': 4}, "verifying"),
                ({'flags': 5 | 16}, "no data of an authenticator")):
            with self.subTest(changes=changes):
                public, assertion, message = self._make(**changes)
                with self.assertRaisesRegex(BadAssertion, said):
                    assertion.check(public, hashlib.sha256(message).hexdigest(), RP_ID, ORIGIN)
        public, assertion, message = self._make()
        digest = hashlib.sha256(message).hexdigest()
        for changed, said in (
                (assertion._replace(signature=b''), "another key"), (assertion._replace(client_data=b'[]'), "something else"),
                (assertion._replace(client_data=b'\xff'), "no data of a browser"),
                (assertion._replace(authenticator_data=b''), "no data of an authenticator"),
                (assertion._replace(authenticator_data=assertion.authenticator_data + b'x'), "no data of an authenticator"),
                (assertion._replace(client_data=assertion.client_data.replace(b'false', b'true')), "another address")):
            with self.subTest(said=said), self.assertRaisesRegex(BadAssertion, said):
                changed.check(public, digest, RP_ID, ORIGIN)

    def test_no_assertion(self):
        """SIG-110: what is stored or sent and is no assertion is refused, and nothing else happens."""
        for text in (None, 5, '', 'x', '[]', '{}', '{"id":1,"response":[]}', '{"id":"x","response":{"signature":5}}',
                     'x' * 20_000,
                     json.dumps({'id': "x", 'response': {'authenticatorData': '*', 'clientDataJSON': '', 'signature': ''}})):
            with self.subTest(text=text), self.assertRaises(BadAssertion):
                Assertion.from_answer(text)
        for text in (None, 5, '', '[]', '{}', '{"signature":"x"}', '{"authenticator_data":5,"client_data":"","signature":""}'):
            with self.subTest(text=text):
                with self.assertRaises(BadAssertion):
                    Assertion.from_text(text)
                self.assertFalse(is_key_signature('ed25519:AAAA', text, b'', RP_ID, ORIGIN))

    def test_signs_one_content(self):
        """SIG-110: what stands for the key signs the content that was its challenge, and no other one."""
        _public, assertion, message = self._make()
        key = AssertedKey('res.users,7', 'f', hashlib.sha256(message).hexdigest(), '2026-01-01 00:00:00', '0' * 64, assertion)
        self.assertEqual(key.sign(message), assertion.text)
        with self.assertRaises(BadAssertion):
            key.sign(message + b'.')

    def test_verify_alone(self):
        """SIG-110: `verify.py` accepts the same assertions, and refuses the same falsifications."""
        for kind in KINDS:
            public, assertion, message = self._make(kind)
            key = {'public_key': public, 'passkey': {'rp_id': RP_ID, 'origin': ORIGIN}}
            digest = hashlib.sha256(message).hexdigest()
            verify.check_assertion(key, assertion.text, digest)
            client = json.loads(assertion.client_data)
            for changed in (
                    assertion._replace(signature=assertion.signature[::-1]),
                    assertion._replace(authenticator_data=assertion.authenticator_data[:32] + b'\1' + bytes(4)),
                    assertion._replace(authenticator_data=bytes(32) + b'\5' + bytes(4)),
                    *(assertion._replace(client_data=json.dumps({**client, name: 'x'}).encode())
                      for name in ('type', 'challenge', 'origin', 'crossOrigin'))):
                with self.subTest(kind=kind, changed=changed), self.assertRaises(verify.Bad):
                    verify.check_assertion(key, changed.text, digest)
            self.assertEqual(verify.key_parts(public)[2], PublicKey.from_text(public).fingerprint)

    def test_base64url(self):
        """SIG-110: with or without padding; nothing else."""
        self.assertEqual(to_base64url(b'\xff\xfe'), '__4')
        self.assertEqual(from_base64url('__4='), b'\xff\xfe')
        self.assertEqual(base64.urlsafe_b64encode(b'\xff\xfe'), b'__4=')
        for text in (None, 5, '*', 'A'):
            with self.subTest(text=text), self.assertRaises(ValueError):
                from_base64url(text)
