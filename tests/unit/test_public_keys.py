"""Keys of signers: vectors of the standards, agreement with `cryptography`, wrapping under a secret (SIG-110, SIG-120)."""
import base64
import hashlib
import json
import unittest

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from odoo.addons.mrp_mmr.domain import private_keys, public_keys
from odoo.addons.mrp_mmr.domain.public_keys import ED25519, ES256, RS256, PublicKey

#: RFC 8032 §7.1: public key, message, signature.
RFC_8032 = [
    ('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', '',
     'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b'),
    ('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', '72',
     '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'),
    ('fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025', 'af82',
     '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a'),
    ('ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
     'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
     'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704'),
]
#: RFC 6979 §A.2.5 (the curve of FIPS 186, SHA-256): public point and the signatures of "sample" and "test".
RFC_6979_POINT = ('60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6',
                  '7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299')
RFC_6979 = [
    (b'sample', 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716,
     0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8),
    (b'test', 0xF1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367,
     0x019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083),
]


class TestPublicKeys(unittest.TestCase):
    """Both ways of checking a signature give the same answer, and the answer of the standards."""

    def _check(self, key, signature, message, expected):
        for pure in (False, True):
            with self.subTest(kind=key.kind, pure=pure):
                self.assertEqual(key.is_valid(signature, message, pure=pure), expected)

    def _forge(self, key, signature, message):
        """One bit anywhere, one byte more or less, or another message: refused."""
        self._check(key, signature, message, True)
        for at in range(0, len(signature) * 8, 37):
            changed = bytearray(signature)
            changed[at // 8] ^= 1 << at % 8
            self._check(key, bytes(changed), message, False)
        for other in (b'', signature[:-1], signature + b'\0'):
            self._check(key, other, message, False)
        self._check(key, signature, message + b'.', False)

    def test_rfc_8032(self):
        for public, message, signature in RFC_8032:
            key = PublicKey(ED25519, (bytes.fromhex(public),))
            self._forge(key, bytes.fromhex(signature), bytes.fromhex(message))

    def test_rfc_6979(self):
        key = PublicKey(ES256, tuple(bytes.fromhex(part) for part in RFC_6979_POINT))
        for message, r, s in RFC_6979:
            self._forge(key, encode_dss_signature(r, s), message)

    def test_ed25519_malleable(self):
        """S + L is the same number and another text: one signature has one text (RFC 8032 §5.1.7)."""
        public, message, signature = (bytes.fromhex(part) for part in RFC_8032[1])
        s = int.from_bytes(signature[32:], 'little') + public_keys._L
        self._check(PublicKey(ED25519, (public,)), signature[:32] + s.to_bytes(32, 'little'), message, False)

    def test_ed25519_no_point(self):
        for public in (b'\2' + bytes(31), b'\xff' * 32, b'\xee' + b'\xff' * 30 + b'\x7f'):
            self._check(PublicKey(ED25519, (public,)), bytes(64), b'', False)

    def test_agreement(self):
        """Random keys and messages: what one library signed, our own code accepts; what was changed, neither does."""
        for number in range(12):
            message = hashlib.sha256(bytes([number])).digest() * number
            private = Ed25519PrivateKey.generate()
            key = PublicKey(ED25519, (private.public_key().public_bytes_raw(),))
            self._check(key, private.sign(message), message, True)
            self._check(key, private.sign(message), message + b'\0', False)
            private = ec.generate_private_key(ec.SECP256R1())
            numbers = private.public_key().public_numbers()
            key = PublicKey(ES256, (numbers.x.to_bytes(32, 'big'), numbers.y.to_bytes(32, 'big')))
            signature = private.sign(message, ec.ECDSA(hashes.SHA256()))
            self._check(key, signature, message, True)
            r, s = decode_dss_signature(signature)
            for forged in ((0, s), (r, 0), (r, public_keys._N), (s, r)):
                self._check(key, encode_dss_signature(*forged), message, False)
        # a point that is not on the curve
        self._check(PublicKey(ES256, (b'\1' * 32, b'\2' * 32)), signature, message, False)

    def test_rs256(self):
        private = rsa.generate_private_key(65537, 2048)
        numbers = private.public_key().public_numbers()
        key = PublicKey(RS256, (numbers.n.to_bytes(256, 'big'), b'\1\0\1'))
        self._forge(key, private.sign(b'batch', padding.PKCS1v15(), hashes.SHA256()), b'batch')
        self._check(key, private.sign(b'batch', padding.PKCS1v15(), hashes.SHA512()), b'batch', False)

    def test_text(self):
        for public, _message, _signature in RFC_8032:
            key = PublicKey(ED25519, (bytes.fromhex(public),))
            self.assertEqual(PublicKey.from_text(key.text), key)
            self.assertRegex(key.fingerprint, '^[0-9a-f]{64}$')
        for text in ('', 'ed25519', 'ed25519:', 'ed25519:AAAA', 'rsa:AAAA', 'es256:AAAA:AAAA', 'ed25519:*', 'rs256:AAAA:AQAB'):
            with self.subTest(text=text), self.assertRaises(ValueError):
                PublicKey.from_text(text)

    def test_cose(self):
        x, y = (bytes.fromhex(part) for part in RFC_6979_POINT)
        es256 = b'\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20' + x + b'\x22\x58\x20' + y
        self.assertEqual(PublicKey.from_cose(es256), PublicKey(ES256, (x, y)))
        public = bytes.fromhex(RFC_8032[0][0])
        self.assertEqual(
            PublicKey.from_cose(b'\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20' + public), PublicKey(ED25519, (public,)))
        modulus = b'\xc1' + bytes(254) + b'\1'
        self.assertEqual(
            PublicKey.from_cose(b'\xa4\x01\x03\x03\x39\x01\x00\x20\x59\x01\x00' + modulus + b'\x21\x43\1\0\1'),
            PublicKey(RS256, (modulus, b'\1\0\1')))
        for data in (b'', b'\xa0', es256[:-1], es256 + b'\0', es256.replace(b'\x03\x26', b'\x03\x27'), b'\xa1' * 40, b'\x9f'):
            with self.subTest(data=data), self.assertRaises(ValueError):
                PublicKey.from_cose(data)


class TestPrivateKeys(unittest.TestCase):
    """A stored key is of no use without its secret."""

    def setUp(self):
        super().setUp()
        self.public, self.wrapped = private_keys.make_key("correct horse", 'res.users,7', cost=2 ** 4)

    def test_sign(self):
        private = private_keys.open_key(self.wrapped, "correct horse", 'res.users,7')
        signature = base64.b64decode(private_keys.sign(private, b'digest'))
        for pure in (False, True):
            self.assertTrue(self.public.is_valid(signature, b'digest', pure=pure))

    def test_wrong(self):
        for secret, owner in (("Correct horse", 'res.users,7'), ("", 'res.users,7'), ("correct horse", 'res.users,8')):
            with self.subTest(secret=secret, owner=owner), self.assertRaises(private_keys.WrongSecret):
                private_keys.open_key(self.wrapped, secret, owner)

    def test_moved_to_another_person(self):
        """Whoever owns the database cannot make the key of one person the key of another."""
        content = json.loads(self.wrapped)
        for changes in ({'owner': 'res.users,8'}, {'key': private_keys.make_key("x", 'a', cost=2)[0].text}, {'n': 2 ** 5},
                        {'n': 2 ** 30}, {'salt': "AAAA"}, {'sealed': "AAAA"}, {'sealed': None}, {'schema': "x"}):
            forged = json.dumps({**content, **changes})
            for owner in ('res.users,7', 'res.users,8'):
                with self.subTest(changes=changes, owner=owner), self.assertRaises(private_keys.WrongSecret):
                    private_keys.open_key(forged, "correct horse", owner)
        for text in ('', '[]', 'null', '{}', 'x'):
            with self.subTest(text=text), self.assertRaises(private_keys.WrongSecret):
                private_keys.open_key(text, "correct horse", 'res.users,7')

    def test_change_of_secret(self):
        """Whoever knows the old secret keeps the key; whoever does not, loses it (SIG-120)."""
        again = private_keys.rewrap(self.wrapped, "correct horse", "another one", 'res.users,7', cost=2 ** 4)
        private = private_keys.open_key(again, "another one", 'res.users,7')
        self.assertTrue(self.public.is_valid(private.sign(b'x'), b'x'))
        with self.assertRaises(private_keys.WrongSecret):
            private_keys.open_key(again, "correct horse", 'res.users,7')
        with self.assertRaises(private_keys.WrongSecret):
            private_keys.rewrap(self.wrapped, "a guess", "mine", 'res.users,7')

    def test_composed_letters(self):
        """The same letters, however the keyboard sends them."""
        _public, wrapped = private_keys.make_key("Zürich", 'res.users,7', cost=2 ** 4)
        private_keys.open_key(wrapped, "Zu\u0308rich", 'res.users,7')
