"""Checking signatures of signers' keys: Ed25519, ES256 and RS256, with nothing but Python where ``cryptography`` is missing.

A bundle carries this file beside its ``verify.py``. Sources: RFC 8032 (Ed25519), FIPS 186-5 and SEC 1 (ECDSA on P-256),
RFC 8017 (RSASSA-PKCS1-v1_5), RFC 9052/9053 (COSE keys, as passkeys have them). Only public values are handled, so that
nothing here needs constant time. Where the two ways could differ, both refuse: malleable or non-canonical encodings fail.
"""
import base64
import hashlib
from functools import lru_cache
from typing import NamedTuple

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
    HAS_CRYPTOGRAPHY = True
except ImportError:
    HAS_CRYPTOGRAPHY = False

ED25519, ES256, RS256 = 'ed25519', 'es256', 'rs256'
#: COSE algorithm identifiers (RFC 9053 §2, RFC 8812 §2) of the kinds above.
COSE_ALGORITHMS = {-8: ED25519, -7: ES256, -257: RS256}


#: Digits of a fingerprint that people compare.
SHORT = 16


def short_fingerprint(fingerprint):
    """Return the beginning of a fingerprint as people compare it: four groups of four characters."""
    text = (fingerprint or '')[:SHORT]
    return ' '.join(text[at:at + 4] for at in range(0, len(text), 4))


class PublicKey(NamedTuple):
    """A public key: ``kind`` and its raw parts.

    ``parts`` is ``(32 bytes,)`` for Ed25519, ``(x, y)`` of 32 bytes each for ES256, ``(n, e)`` as big-endian bytes for RS256.
    """
    kind: str
    parts: tuple

    @property
    def raw(self):
        """The bytes that the fingerprint covers: the kind, then each part with its length."""
        return self.kind.encode() + b''.join(len(part).to_bytes(4, 'big') + part for part in self.parts)

    @property
    def fingerprint(self):
        """SHA-256 of the key, as 64 hexadecimal digits."""
        return hashlib.sha256(self.raw).hexdigest()

    @property
    def text(self):
        """The key as it is stored and handed out: ``kind:base64[:base64]``."""
        return ':'.join([self.kind, *(base64.b64encode(part).decode() for part in self.parts)])

    @classmethod
    def from_text(cls, text):
        """Read :attr:`text`.

        :raise ValueError: where it is no key
        """
        kind, *parts = text.split(':')
        key = cls(kind, tuple(base64.b64decode(part, validate=True) for part in parts))
        lengths = tuple(len(part) for part in key.parts)
        if kind == ED25519 and lengths == (32,) or kind == ES256 and lengths == (32, 32) \
                or kind == RS256 and len(lengths) == 2 and 256 <= lengths[0] <= 1024 and 1 <= lengths[1] <= 8:
            return key
        raise ValueError("This text is not a public key.")

    @classmethod
    def from_cose(cls, data):
        """Read a COSE_Key, the form in which an authenticator hands out a public key.

        :raise ValueError: where it is another kind of key, or none
        """
        key, rest = _decode_cbor(data, 0)
        if rest != len(data) or not isinstance(key, dict):
            raise ValueError("This is not a COSE key.")
        kind = COSE_ALGORITHMS.get(key.get(3))
        if kind == ED25519 and key.get(1) == 1 and key.get(-1) == 6:
            parts = (key.get(-2),)
        elif kind == ES256 and key.get(1) == 2 and key.get(-1) == 1:
            parts = (key.get(-2), key.get(-3))
        elif kind == RS256 and key.get(1) == 3:
            parts = (key.get(-1), key.get(-2))
        else:
            raise ValueError("Keys of this algorithm cannot sign: only ES256, EdDSA (Ed25519) and RS256.")
        if not all(isinstance(part, bytes) for part in parts):
            raise ValueError("This is not a COSE key.")
        return cls.from_text(cls(kind, parts).text)

    def is_valid(self, signature, message, pure=False):
        """Whether ``signature`` is this key's signature of ``message``.

        :param bytes signature: 64 bytes for Ed25519; DER for ES256; as long as the modulus for RS256
        :param bytes message: what was signed, not its digest
        :param bool pure: do without ``cryptography`` although it is there (tests)
        """
        check = (_PURE if pure or not HAS_CRYPTOGRAPHY else _FAST)[self.kind]
        return check(self.parts, bytes(signature), bytes(message))


def _decode_cbor(data, at, depth=0):
    """Decode one item of deterministic CBOR (RFC 8949), as far as COSE keys use it; return it and where the next begins."""
    if at >= len(data) or depth > 4:
        raise ValueError("This is not a COSE key.")
    major, info = data[at] >> 5, data[at] & 31
    at += 1
    if info < 24:
        value = info
    elif info in (24, 25, 26, 27):
        size = 1 << (info - 24)
        if at + size > len(data):
            raise ValueError("This is not a COSE key.")
        value, at = int.from_bytes(data[at:at + size], 'big'), at + size
    else:
        raise ValueError("This is not a COSE key.")
    if major == 0:
        return value, at
    if major == 1:
        return -1 - value, at
    if major in (2, 3) and at + value <= len(data):
        chunk = bytes(data[at:at + value])
        return (chunk if major == 2 else chunk.decode()), at + value
    if major == 5 and value <= 32:
        result = {}
        for _pair in range(value):
            key, at = _decode_cbor(data, at, depth + 1)
            item, at = _decode_cbor(data, at, depth + 1)
            if isinstance(key, dict) or key in result:
                raise ValueError("This is not a COSE key.")
            result[key] = item
        return result, at
    raise ValueError("This is not a COSE key.")


# === ED25519 (RFC 8032 §5.1) === #

_P = 2 ** 255 - 19
_L = 2 ** 252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_SQRT_M1 = pow(2, (_P - 1) // 4, _P)


def _ed_add(a, b):
    """Add two points in extended coordinates (RFC 8032 §5.1.4); complete, so that it doubles as well."""
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    m, n = (y1 - x1) * (y2 - x2) % _P, (y1 + x1) * (y2 + x2) % _P
    c, d = 2 * t1 * t2 * _D % _P, 2 * z1 * z2 % _P
    e, f, g, h = n - m, d - c, d + c, n + m
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _ed_decode(data):
    """Return the point that 32 bytes stand for, or None where they stand for none (RFC 8032 §5.1.3)."""
    y = int.from_bytes(data, 'little')
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= _P:
        return None
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if (v * x * x - u) % _P:
        x = x * _SQRT_M1 % _P
        if (v * x * x - u) % _P:
            return None
    if not x and sign:
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


_ED_ZERO = (0, 1, 1, 0)
_ED_BASE = _ed_decode((4 * pow(5, -1, _P) % _P).to_bytes(32, 'little'))


@lru_cache(maxsize=512)
def _ed_table(point):
    """Return the multiples of a point by each digit of 4 bits at each of 64 places: a product is then 64 additions."""
    table = []
    for _place in range(64):
        row = [_ED_ZERO]
        for _digit in range(15):
            row.append(_ed_add(row[-1], point))
        table.append(row)
        point = _ed_add(row[-1], point)
    return table


def _ed_multiply(scalar, point, result=_ED_ZERO):
    """Return ``result`` + ``scalar`` · ``point``."""
    for row in _ed_table(point):
        digit = scalar & 15
        if digit:
            result = _ed_add(result, row[digit])
        scalar >>= 4
    return result


@lru_cache(maxsize=512)
def _ed_negative(public):
    point = _ed_decode(public)
    if point is None:
        return None
    x, y, z, t = point
    return -x % _P, y, z, -t % _P


def _pure_ed25519(parts, signature, message):
    negative = _ed_negative(parts[0])
    if len(signature) != 64 or negative is None:
        return False
    s = int.from_bytes(signature[32:], 'little')
    if s >= _L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + parts[0] + message).digest(), 'little') % _L
    x, y, z, _t = _ed_multiply(k, negative, _ed_multiply(s, _ED_BASE))
    inverse = pow(z, -1, _P)
    x, y = x * inverse % _P, y * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, 'little') == signature[:32]


# === ECDSA ON P-256 (FIPS 186-5 §6.4.2, SEC 1 §4.1.4) === #

_Q = 2 ** 256 - 2 ** 224 + 2 ** 192 + 2 ** 96 - 1
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
      0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)


def _ec_double(point):
    x, y, z = point
    if not y or not z:
        return 1, 1, 0
    delta, gamma = z * z % _Q, y * y % _Q
    beta = x * gamma % _Q
    alpha = 3 * (x - delta) * (x + delta) % _Q
    new_x = (alpha * alpha - 8 * beta) % _Q
    return new_x, (alpha * (4 * beta - new_x) - 8 * gamma * gamma) % _Q, 2 * y * z % _Q


def _ec_add(a, b):
    """Add two points in Jacobian coordinates."""
    x1, y1, z1 = a
    x2, y2, z2 = b
    if not z1:
        return b
    if not z2:
        return a
    z1z1, z2z2 = z1 * z1 % _Q, z2 * z2 % _Q
    u1, u2 = x1 * z2z2 % _Q, x2 * z1z1 % _Q
    s1, s2 = y1 * z2 * z2z2 % _Q, y2 * z1 * z1z1 % _Q
    h, r = (u2 - u1) % _Q, (s2 - s1) % _Q
    if not h:
        return (1, 1, 0) if r else _ec_double(a)
    hh = h * h % _Q
    hhh, v = h * hh % _Q, u1 * hh % _Q
    x3 = (r * r - hhh - 2 * v) % _Q
    return x3, (r * (v - x3) - s1 * hhh) % _Q, h * z1 * z2 % _Q


@lru_cache(maxsize=512)
def _ec_table(x, y):
    """Return the multiples of a point by each digit of 4 bits at each of 64 places."""
    point, table = (x, y, 1), []
    for _place in range(64):
        row = [(1, 1, 0)]
        for _digit in range(15):
            row.append(_ec_add(row[-1], point))
        table.append(row)
        point = _ec_add(row[-1], point)
    return table


def _ec_multiply(scalar, point, result=(1, 1, 0)):
    """Return ``result`` + ``scalar`` · ``point``, an affine one."""
    for row in _ec_table(*point):
        digit = scalar & 15
        if digit:
            result = _ec_add(result, row[digit])
        scalar >>= 4
    return result


def _read_der(signature):
    """Return ``(r, s)`` of an ECDSA signature in DER (SEC 1 §C.5), or None where it is not exactly that."""
    try:
        if signature[0] != 0x30 or signature[1] != len(signature) - 2:
            return None
        values, at = [], 2
        for _value in range(2):
            size = signature[at + 1]
            chunk = signature[at + 2:at + 2 + size]
            if signature[at] != 0x02 or not 1 <= size <= 33 or len(chunk) != size or chunk[0] & 0x80 \
                    or size > 1 and not chunk[0] and not chunk[1] & 0x80:
                return None
            values.append(int.from_bytes(chunk, 'big'))
            at += 2 + size
    except IndexError:
        return None
    return tuple(values) if at == len(signature) else None


def _pure_es256(parts, signature, message):
    x, y = (int.from_bytes(part, 'big') for part in parts)
    pair = _read_der(signature)
    if x >= _Q or y >= _Q or (y * y - x * x * x + 3 * x - _B) % _Q or not pair:
        return False
    r, s = pair
    if not (0 < r < _N and 0 < s < _N):
        return False
    inverse = pow(s, -1, _N)
    digest = int.from_bytes(hashlib.sha256(message).digest(), 'big')
    px, _py, pz = _ec_multiply(r * inverse % _N, (x, y), _ec_multiply(digest * inverse % _N, _G))
    return bool(pz) and px * pow(pz * pz, -1, _Q) % _Q % _N == r


# === RSASSA-PKCS1-v1_5 WITH SHA-256 (RFC 8017 §8.2.2) === #

_SHA256_INFO = bytes.fromhex('3031300d060960864801650304020105000420')


def _pure_rs256(parts, signature, message):
    n, e = (int.from_bytes(part, 'big') for part in parts)
    size = (n.bit_length() + 7) // 8
    number = int.from_bytes(signature, 'big')
    if len(signature) != size or number >= n or e < 3 or not e & 1:
        return False
    info = _SHA256_INFO + hashlib.sha256(message).digest()
    return pow(number, e, n).to_bytes(size, 'big') == b'\0\1' + b'\xff' * (size - len(info) - 3) + b'\0' + info


# === THE SAME WITH cryptography === #

def _fast(load, check):
    def is_valid(parts, signature, message):
        try:
            check(load(parts), signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True
    return is_valid


@lru_cache(maxsize=512)
def _load_ed25519(parts):
    return ed25519.Ed25519PublicKey.from_public_bytes(parts[0])


@lru_cache(maxsize=512)
def _load_es256(parts):
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b'\4' + parts[0] + parts[1])


@lru_cache(maxsize=512)
def _load_rs256(parts):
    n, e = (int.from_bytes(part, 'big') for part in parts)
    return rsa.RSAPublicNumbers(e, n).public_key()


_PURE = {ED25519: _pure_ed25519, ES256: _pure_es256, RS256: _pure_rs256}
_FAST = {
    ED25519: _fast(_load_ed25519, lambda key, signature, message: key.verify(signature, message)),
    # a DER form that OpenSSL forgives is refused as well: one signature has one text
    ES256: _fast(_load_es256, lambda key, signature, message: _check_es256(key, signature, message)),
    RS256: _fast(_load_rs256, lambda key, signature, message: key.verify(
        signature, message, padding.PKCS1v15(), hashes.SHA256())),
}


def _check_es256(key, signature, message):
    if not _read_der(signature):
        raise InvalidSignature
    key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
