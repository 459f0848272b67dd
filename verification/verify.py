#!/usr/bin/env python3
"""Check a bundle of GMP records: python verify.py BUNDLE.zip|FOLDER [--manifest SHA256] [--quiet]

It needs Python 3.8 or later and nothing else: no network, no other package. It extracts and writes nothing.
PASS or FAIL is printed for each record, then a summary; exit status 0 all intact, 1 failures, 2 no bundle.

--manifest SHA256   the digest of manifest.json that the system's audit trail has for this export. Whoever forges a
                    whole bundle, manifest included, cannot change the audit trail that the company keeps.
"""
import base64
import csv
import hashlib
import io
import json
import os
import re
import stat
import sys
import zipfile

MAX_FILES = 60000
MAX_FILE = 256 * 1024 * 1024
MAX_TOTAL = 2 * 1024 ** 3
MAX_JSON = 16 * 1024 * 1024     # a document; of a ledger, one line
MAX_RATIO = 200         # a file in a zip, against its packed size; small files are let off
MAX_DIRECTORY = 10 * 1024 * 1024        # the list of files in a zip
MAX_DEPTH = 60
MAX_DIGITS = 30
GENESIS = '0' * 64
NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9._-]{0,99}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){0,5}')
RESERVED = re.compile(r'(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)')
STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.S)
MANIFEST = 'manifest.json'
FILE_KEYS = {'id', 'name', 'sha256', 'size', 'mimetype'}
VALUES_KINDS = ('create', 'baseline', 'write', 'state')      # lines of the ledger that say what a record is
# What a bundle says about each kind of record, all of it; another list is another version of its schema.
VALUES = {
    'mrp.mmr.revision': (
        'mmr_id', 'revision', 'state', 'change_category', 'description', 'reason', 'date_effective', 'document_sha256',
        'prepared_signature_id', 'approved_signature_id', 'retired_signature_id', 'effective_at', 'ended_at'),
    'mrp.production': ('mmr_snapshot_sha256', 'mmr_revision_id', 'mmr_decision', 'mmr_decision_signature_id'),
    'mrp.bpr': (
        'state', 'plan_sha256', 'issue_signature_id', 'started_at', 'completed_at', 'release_state', 'review_signature_id',
        'production_signature_id', 'certification_signature_id', 'release_signature_id', 'packed_release_signature_id',
        'packed_state', 'released_at', 'document_sha256', 'quantity_released', 'cancelled_at', 'disposal_id'),
    'mrp.bpr.step': (
        'state', 'started_at', 'started_by_id', 'precaution_acknowledged', 'closed_at', 'retest_count',
        'performed_signature_id', 'verified_signature_id', 'added_signature_id', 'addition_verified_signature_id',
        'hold_signature_id'),
    'mrp.bpr.entry': (
        'step_id', 'bpr_id', 'company_id', 'kind', 'position', 'value', 'unit', 'text', 'data', 'outcome', 'lot_id', 'lot_name',
        'equipment_id', 'equipment_name', 'file_id', 'device', 'user_id', 'user_name', 'at', 'supersedes_id', 'about_id',
        'reason', 'is_late', 'to_sign'),
    'mrp.deviation': (
        'name', 'title', 'company_id', 'profile_id', 'source', 'severity', 'state', 'bpr_id', 'product_id', 'lot_id',
        'equipment_id', 'equipment_log_id', 'step_id', 'entry_id', 'result_id', 'stage_name', 'cause_key', 'description',
        'file_id', 'corrective_action', 'is_blocking', 'reported_by_id', 'reported_at', 'investigator_id', 'due_date',
        'cause_id', 'cause', 'quality_effect', 'label_effect', 'correction', 'material_fate', 'scientific_reason',
        'procedure_id', 'identity_result', 'test_finding', 'disposition', 'decision_signature_id', 'closing_signature_id',
        'capa_id', 'no_capa_reason'),
    'mrp.deviation.contributor': ('deviation_id', 'user_id', 'contribution', 'signature_id'),
    'mrp.deviation.batch': (
        'deviation_id', 'company_id', 'bpr_id', 'reason', 'assessment', 'text', 'assessed_by_id', 'assessed_at'),
    'mrp.bpr.rework': (
        'deviation_id', 'bpr_id', 'company_id', 'kind', 'lot_id', 'lot_name', 'quantity', 'unit', 'text', 'user_id',
        'user_name', 'at'),
    'mrp.bpr.result': (
        'bpr_id', 'company_id', 'position', 'name', 'criterion_label', 'kind', 'value', 'compared', 'unit', 'outcome', 'text',
        'reference', 'file_id', 'user_id', 'user_name', 'at', 'supersedes_id', 'reason', 'signature_id', 'retest_signature_id',
        'retest_of_id'),
    'mrp.bpr.sample': (
        'bpr_id', 'company_id', 'kind', 'pack', 'name', 'lot_name', 'quantity', 'unit', 'test_quantity', 'container',
        'location', 'keep_until', 'reason', 'user_id', 'user_name', 'at', 'supersedes_id'),
}
# What records of bundles of earlier versions do not say: there the ledger says nothing of it either.
LATER = {'mrp.bpr.result': ('compared',)}
# Records of an inspection pack beside its batches, and the kind of their parts.
VALUES.update({
    'mrp.capa': (
        'name', 'title', 'company_id', 'state', 'owner_id', 'cause_id', 'cause', 'effectiveness_criterion',
        'effectiveness_due', 'effectiveness_result', 'effectiveness_text', 'checked_by_id', 'checked_at',
        'closing_signature_id'),
    'mrp.capa.action': ('capa_id', 'name', 'kind', 'owner_id', 'due_date', 'result', 'done_by_id', 'done_at'),
    'mrp.quality.review': (
        'name', 'company_id', 'date_from', 'date_to', 'grouping_reason', 'state', 'conclusion', 'actions',
        'other_information', 'document_sha256', 'prepared_signature_id', 'approved_signature_id'),
})
PACK_RECORDS = {
    'mrp.deviation': ('deviation', ('mrp.deviation.contributor', 'mrp.deviation.batch')),
    'mrp.capa': ('CAPA', ('mrp.capa.action',)), 'mrp.quality.review': ('quality review', ())}
INDEX = 'index.csv'
# What a deviation is made of, and what was done on its decision: they are listed with the deviations of a batch.
DEVIATION_PARTS = {
    'mrp.deviation': 'deviation', 'mrp.deviation.contributor': 'contributor', 'mrp.deviation.batch': 'related batch',
    'mrp.bpr.rework': 'reprocessing'}
BATCH_PARTS = dict({
    'mrp.bpr': 'batch', 'mrp.bpr.step': 'step', 'mrp.bpr.entry': 'entry', 'mrp.bpr.result': 'result',
    'mrp.bpr.sample': 'sample'}, **DEVIATION_PARTS)


class Bad(Exception):
    """What is wrong with a record."""


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def canonical(content):
    return json.dumps(content, sort_keys=True, separators=(',', ':'), ensure_ascii=False).encode('utf-8')


def _integer(text):
    if len(text) > MAX_DIGITS:
        raise Bad("a number is too long")
    return int(text)


def _no_fraction(text):
    raise Bad("there is a fraction, which no signed record holds")


def parse(data):
    """Return the content of canonical JSON; anything else is refused."""
    try:
        text = data.decode('utf-8')
    except UnicodeDecodeError:
        raise Bad("no UTF-8")
    depth = 0
    for bracket in re.findall(r'[][{}]', STRING.sub('', text)):
        depth += 1 if bracket in '[{' else -1
        if depth > MAX_DEPTH:
            raise Bad("nested too deeply")
    try:
        content = json.loads(text, parse_float=_no_fraction, parse_constant=_no_fraction, parse_int=_integer)
        if canonical(content) != data:
            raise Bad("not in canonical form")
    except (ValueError, RecursionError):
        raise Bad("no JSON")
    return content


def need(condition, message):
    if not condition:
        raise Bad(message)


def need_keys(row, **types):
    """A row has these keys and no others, each of its type."""
    need(isinstance(row, dict) and set(row) == set(types), "a row has other keys")
    for key, kind in types.items():
        need(isinstance(row[key], kind) and not isinstance(row[key], bool), f"{key} of a row is of another kind")


def named_files(content):
    """Yield what a signed content says about files."""
    stack = [content]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if set(item) == FILE_KEYS:
                yield item
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


# === READING === #

class Source:
    """The files of a bundle by name; `problems` is what the container itself does wrong."""

    def __init__(self, path):
        self.problems = []
        self.sizes = {}
        self.total = 0
        self.zip = None
        self.path = path
        if os.path.isdir(path):
            self._list_folder()
        else:
            self._list_zip()
        folded = {}
        for name in self.sizes:
            if folded.setdefault(name.lower(), name) != name:
                self.problems.append((name, "there is another file of this name in other letters"))

    def _add(self, name, size):
        if len(self.sizes) >= MAX_FILES:
            raise Bad(f"more than {MAX_FILES} files")
        if not NAME.fullmatch(name) or any(RESERVED.match(part) for part in name.split('/')):
            self.problems.append((name, "the name of the file is not allowed"))
        elif name in self.sizes:
            self.problems.append((name, "there are two files of this name"))
        elif size > MAX_FILE:
            self.problems.append((name, "the file is too large"))
        else:
            self.sizes[name] = size
            self.total += size
            if self.total > MAX_TOTAL:
                raise Bad("the bundle is too large")

    def _list_folder(self):
        for folder, folders, files in os.walk(self.path):
            for name in sorted(folders + files):
                full = os.path.join(folder, name)
                relative = os.path.relpath(full, self.path).replace(os.sep, '/')
                mode = os.lstat(full).st_mode
                if stat.S_ISREG(mode):
                    self._add(relative, os.lstat(full).st_size)
                elif not stat.S_ISDIR(mode):
                    self.problems.append((relative, "it is no ordinary file"))

    def _check_directory(self):
        """Refuse a list of files that would not fit into memory before it is read."""
        with open(self.path, 'rb') as stream:
            stream.seek(max(0, os.path.getsize(self.path) - 65557))
            tail = stream.read()
        end = tail.rfind(b'PK\x05\x06')
        need(end >= 0 and len(tail) - end >= 22, "no bundle: it is no zip, or its end is missing")
        need(tail[end - 20:end - 16] != b'PK\x06\x07' or end < 20, "no bundle: it is a zip64")
        need(int.from_bytes(tail[end + 12:end + 16], 'little') <= MAX_DIRECTORY, f"more than {MAX_FILES} files")

    def _list_zip(self):
        try:
            self._check_directory()
            self.zip = zipfile.ZipFile(self.path)
            rows = self.zip.infolist()
        except UnicodeDecodeError:
            raise Bad("no bundle: the name of a file is no UTF-8")
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
            raise Bad(f"no bundle: {error}")
        if len(rows) > MAX_FILES:
            raise Bad(f"more than {MAX_FILES} files")
        self.infos = {}
        for row in rows:
            name = row.orig_filename
            if name.endswith('/') and not row.file_size and NAME.fullmatch(name[:-1]):
                continue
            kind = stat.S_IFMT(row.external_attr >> 16)
            if row.flag_bits & 0x1:
                self.problems.append((name, "it is encrypted"))
            elif kind not in (0, stat.S_IFREG):
                self.problems.append((name, "it is no ordinary file"))
            elif row.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                self.problems.append((name, "it is packed in an unusual way"))
            elif row.file_size > 100000 and row.file_size > MAX_RATIO * max(row.compress_size, 1):
                self.problems.append((name, "it is packed too densely"))
            else:
                self._add(name, row.file_size)
                self.infos.setdefault(name, row)

    def _open(self, name):
        if self.zip:
            return io.BufferedReader(self.zip.open(self.infos[name]))
        return open(os.path.join(self.path, *name.split('/')), 'rb')

    def _pieces(self, name, next_piece):
        """Yield a file piece by piece; never more of it than it says it has."""
        size = 0
        try:
            with self._open(name) as stream:
                while True:
                    piece = next_piece(stream)
                    if not piece:
                        break
                    size += len(piece)
                    if size > self.sizes[name]:
                        break
                    yield piece
        except Bad:
            raise
        except Exception as error:      # zlib, CRC, a header that lies: whatever it is, it cannot be read
            raise Bad(f"it cannot be read ({error})")
        need(size == self.sizes[name], "it has another size than it says")

    def read(self, name):  # pylint: disable=method-required-super
        """Return a file of JSON."""
        need(self.sizes[name] <= MAX_JSON, "it is too large")
        return b''.join(self._pieces(name, lambda stream: stream.read(65536)))

    def read_lines(self, name):
        """Yield the lines of a file."""
        return self._pieces(name, lambda stream: stream.readline(MAX_JSON))

    def digest(self, name):
        """Return the SHA-256 of a file, however large."""
        digest = hashlib.sha256()
        for piece in self._pieces(name, lambda stream: stream.read(65536)):
            digest.update(piece)
        return digest.hexdigest()


# === KEYS OF SIGNERS: Ed25519 (RFC 8032 section 5.1) === #

ED_P = 2 ** 255 - 19
ED_L = 2 ** 252 + 27742317777372353535851937790883648493
ED_D = -121665 * pow(121666, ED_P - 2, ED_P) % ED_P
ED_ROOT = pow(2, (ED_P - 1) // 4, ED_P)


def ed_add(a, b):
    """Add two points in extended coordinates; complete, so that it doubles as well."""
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    m, n = (y1 - x1) * (y2 - x2) % ED_P, (y1 + x1) * (y2 + x2) % ED_P
    c, d = 2 * t1 * t2 * ED_D % ED_P, 2 * z1 * z2 % ED_P
    e, f, g, h = n - m, d - c, d + c, n + m
    return e * f % ED_P, g * h % ED_P, f * g % ED_P, e * h % ED_P


def ed_decode(data):
    """Return the point that 32 bytes stand for, or None where they stand for none."""
    y = int.from_bytes(data, 'little')
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= ED_P:
        return None
    u, v = (y * y - 1) % ED_P, (ED_D * y * y + 1) % ED_P
    x = u * pow(v, 3, ED_P) * pow(u * pow(v, 7, ED_P), (ED_P - 5) // 8, ED_P) % ED_P
    if (v * x * x - u) % ED_P:
        x = x * ED_ROOT % ED_P
        if (v * x * x - u) % ED_P:
            return None
    if not x and sign:
        return None
    if x & 1 != sign:
        x = ED_P - x
    return x, y, 1, x * y % ED_P


ED_BASE = ed_decode((4 * pow(5, ED_P - 2, ED_P) % ED_P).to_bytes(32, 'little'))


def is_ed25519(public, signature, message):
    """Whether the holder of the key ``public`` (32 bytes) made ``signature`` over ``message``; one signature has one text."""
    point = ed_decode(public) if len(public) == 32 else None
    if point is None or len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], 'little')
    if s >= ED_L:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), 'little') % ED_L
    x, y, z, t = point
    negative = (-x % ED_P, y, z, -t % ED_P)
    both = ed_add(ED_BASE, negative)
    result = (0, 1, 1, 0)
    for bit in range(252, -1, -1):
        result = ed_add(result, result)
        pair = (s >> bit & 1, k >> bit & 1)
        if pair != (0, 0):
            result = ed_add(result, {(1, 0): ED_BASE, (0, 1): negative, (1, 1): both}[pair])
    inverse = pow(result[2], ED_P - 2, ED_P)
    x, y = result[0] * inverse % ED_P, result[1] * inverse % ED_P
    return (y | (x & 1) << 255).to_bytes(32, 'little') == signature[:32]


# ECDSA on P-256 with SHA-256 (FIPS 186-5 §6.4.2, SEC 1 §4.1.4), as passkeys sign
EC_P = 2 ** 256 - 2 ** 224 + 2 ** 192 + 2 ** 96 - 1
EC_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
EC_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
EC_G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)


def ec_add(a, b):
    """Add two affine points; None is the point at infinity."""
    if a is None or b is None:
        return b if a is None else a
    (x1, y1), (x2, y2) = a, b
    if x1 == x2:
        if (y1 + y2) % EC_P == 0:
            return None
        slope = 3 * (x1 * x1 - 1) * pow(2 * y1, EC_P - 2, EC_P) % EC_P
    else:
        slope = (y2 - y1) * pow(x2 - x1, EC_P - 2, EC_P) % EC_P
    x = (slope * slope - x1 - x2) % EC_P
    return x, (slope * (x1 - x) - y1) % EC_P


def read_der(signature):
    """Return the two numbers of an ECDSA signature in DER, or None where it is not exactly that."""
    values, at = [], 2
    if len(signature) < 8 or signature[0] != 0x30 or signature[1] != len(signature) - 2:
        return None
    for _value in range(2):
        size = signature[at + 1] if at + 1 < len(signature) else 0
        chunk = signature[at + 2:at + 2 + size]
        if signature[at:at + 1] != b'\2' or not 1 <= size <= 33 or len(chunk) != size or chunk[0] & 0x80 \
                or size > 1 and not chunk[0] and not chunk[1] & 0x80:
            return None
        values.append(int.from_bytes(chunk, 'big'))
        at += 2 + size
    return values if at == len(signature) else None


def is_es256(parts, signature, message):
    """Whether the holder of the key ``parts``, its coordinates, made ``signature`` (DER) over ``message``."""
    public = tuple(int.from_bytes(part, 'big') for part in parts)
    pair = read_der(signature)
    if len(public) != 2 or not pair or max(public) >= EC_P or not 0 < min(pair) <= max(pair) < EC_N \
            or (public[1] ** 2 - public[0] ** 3 + 3 * public[0] - EC_B) % EC_P:
        return False
    inverse = pow(pair[1], EC_N - 2, EC_N)
    first = int(sha256(message), 16) * inverse % EC_N
    second = pair[0] * inverse % EC_N
    both, result = ec_add(EC_G, public), None
    for bit in range(255, -1, -1):
        result = ec_add(result, result)
        result = ec_add(result, {0: None, 1: EC_G, 2: public, 3: both}[(first >> bit & 1) + 2 * (second >> bit & 1)])
    return result is not None and result[0] % EC_N == pair[0]


def is_rs256(parts, signature, message):
    """Whether the holder of the key ``parts``, modulus and exponent, made ``signature`` over ``message`` (RFC 8017 §8.2.2)."""
    if len(parts) != 2:
        return False
    modulus, exponent = (int.from_bytes(part, 'big') for part in parts)
    size, number = (modulus.bit_length() + 7) // 8, int.from_bytes(signature, 'big')
    if size < 256 or len(signature) != size or number >= modulus or exponent < 3 or not exponent & 1:
        return False
    info = bytes.fromhex('3031300d060960864801650304020105000420' + sha256(message))
    return pow(number, exponent, modulus).to_bytes(size, 'big') == b'\0\1' + b'\xff' * (size - len(info) - 3) + b'\0' + info


def is_signed(parts, kind, signature, message):
    """Whether the holder of a public key made ``signature`` over ``message``."""
    if kind == 'ed25519':
        return is_ed25519(parts[0], signature, message)
    return (is_es256 if kind == 'es256' else is_rs256)(parts, signature, message)


def key_parts(text):
    """Return kind and parts of a public key, and its fingerprint."""
    kind, *parts = text.split(':')
    need(kind in ('ed25519', 'es256', 'rs256'), f"keys of the kind {kind} are not known")
    parts = [base64.b64decode(part, validate=True) for part in parts]
    need([len(part) for part in parts] == {'ed25519': [32], 'es256': [32, 32]}.get(kind) or kind == 'rs256' and len(parts) == 2,
         "it is no public key")
    return kind, parts, sha256(kind.encode() + b''.join(len(part).to_bytes(4, 'big') + part for part in parts))


def check_assertion(key, text, digest):
    """The passkey ``key`` signed a content with this digest, where it signs, with its person present and verified."""
    said = json.loads(text)
    need(set(said) == {'authenticator_data', 'client_data', 'signature'}, "the assertion of the passkey has other parts")
    data, client, signature = (base64.b64decode(said[name], validate=True) for name in (
        'authenticator_data', 'client_data', 'signature'))
    browser = json.loads(client)
    challenge = base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip('=')
    need(browser['type'] == 'webauthn.get' and browser['challenge'] == challenge, "the passkey signed something else")
    need(browser['origin'] == key['passkey']['origin'] and not browser.get('crossOrigin')
         and data[:32].hex() == sha256(key['passkey']['rp_id'].encode()), "the passkey signed at another address")
    need(len(data) >= 37 and data[32] & 5 == 5, "the person was not verified by the passkey")
    kind, parts, _fingerprint = key_parts(key['public_key'])
    need(is_signed(parts, kind, signature, data + hashlib.sha256(client).digest()),
         "the passkey of its signer did not make the signature in key_signature")


# === CHECKING === #

class Checker:

    def __init__(self, source, out, quiet=False, manifest_sha256=None):
        self.source, self.out, self.quiet = source, out, quiet
        self.manifest_sha256 = manifest_sha256
        self.passed, self.failed = {}, 0
        self.jsons = {}
        self.digests = {}
        self.signatures = {}
        self.keys = {}          # fingerprint -> public key of a signer
        self.scope = set()      # (model, id) of the records that the bundle is about
        self.values = {}        # (model, id) -> what the ledger said last about each field
        self.signed_lines = {}  # (model, id) -> ledger lines about signatures
        self.older = {}         # number of a signature -> ledger lines that took it over
        self.names = {}         # (model, id) -> what the ledger called it when it began
        self.begun = {}         # (model, id) of each part of a batch that the ledger saw begin -> record of its chain
        self.chains = {}
        self.titles = {}        # path or folder -> name of the record that it is of

    def report(self, kind, name, problem=None):
        if problem is None:
            self.passed[kind] = self.passed.get(kind, 0) + 1
            if self.quiet:
                return
        else:
            self.failed += 1
        text = "{} {} {}{}".format('FAIL' if problem else 'PASS', kind, name, f': {problem}' if problem else '')
        # What steers a terminal is not printed.
        text = ''.join(char if char.isprintable() else '?' for char in text[:1000])
        self.out.write(text.encode('ascii', 'backslashreplace').decode() + '\n')

    def check(self, kind, name, function, *arguments):
        try:
            result = function(*arguments)
        except Bad as error:
            self.report(kind, name, str(error))
        except (KeyError, TypeError, AttributeError, ValueError, IndexError, RecursionError) as error:
            self.report(kind, name, f"not as it should be ({type(error).__name__}: {error})")
        else:
            self.report(kind, name)
            return result
        return None

    def check_at(self, kind, path, function, *arguments):
        """Check a file; it is reported with the record that it is of."""
        title = self.titles.get(path) or self.titles.get(path.rpartition('/')[0])
        return self.check(kind, f'{path} ({title})' if title else path, function, *arguments)

    def run(self):
        for name, problem in self.source.problems:
            self.report('file', name, problem)
        self.manifest = self.check('manifest', MANIFEST, self.read_manifest)
        if not isinstance(self.manifest, dict):
            self.finish()
            return
        self.set_titles()
        listed = {}
        for row in self.manifest['files']:
            listed[row['path']] = row
        for name in sorted(set(self.source.sizes) - set(listed) - {MANIFEST}):
            self.report('file', name, "it is not in the manifest")
        for row in self.manifest['files']:
            self.check_at('file', row['path'], self.check_file, row)
        for name in sorted(listed):
            if name.startswith('ledger/'):
                self.check_at('ledger', name, self.check_chain, name)
            elif name.startswith('excerpts/'):
                self.check_at('ledger', name, self.check_excerpt, name)
        for name in sorted(listed):
            if name.startswith('keys/'):
                self.check_at('key', name, self.check_key, name)
        for name in sorted(listed):
            if name.startswith('signatures/'):
                self.check_at('signature', name, self.check_signature, name)
        self.check_signers()
        for chain in self.manifest['chains']:
            if chain['path'] not in self.chains:
                self.report('ledger', chain['path'], "the chain of {} is missing or broken".format(chain['record']))
        self.check_signed_lines()
        for name in sorted(listed):
            if name.endswith('/revision.json'):
                self.check_at('document', name, self.check_revision, name)
            elif name.endswith('/order.json'):
                self.check_at('snapshot', name, self.check_order, name)
            elif name.endswith('/batch.json'):
                self.check_at('batch', name, self.check_batch, name)
            elif name.endswith('/record.json'):
                self.check_at('record', name, self.check_other, name)
        batches = sum(name.endswith('/batch.json') for name in listed)
        for _order in range(batches, len(set(self.begun.values()))):
            self.report('batch', 'batch.json', "it is missing, and the ledger saw it begin")
        if INDEX in listed:
            self.check('index', INDEX, self.check_index, listed)
        for scope in self.manifest['records']:
            if scope['path'] and scope['path'] not in listed:
                self.report('document', scope['path'], "{},{} is missing".format(scope['model'], scope['id']))
        self.finish()

    def finish(self):
        parts = ', '.join(f'{count} {kind}' for kind, count in sorted(self.passed.items()))
        self.out.write('{}: {} passed, {} failed\n'.format('FAIL' if self.failed else 'PASS', parts or 'nothing', self.failed))

    def json(self, name):
        """Return a file of JSON; what many others refer to is kept."""
        if name in self.jsons:
            return self.jsons[name]
        need(name in self.source.sizes, f"{name} is missing")
        content = parse(self.source.read(name))
        if name.endswith(('/revision.json', '/order.json', '/document.json')):
            self.jsons[name] = content
        return content

    def read_manifest(self):
        need(MANIFEST in self.source.sizes, "it is missing")
        data = self.source.read(MANIFEST)
        manifest = parse(data)
        need(isinstance(manifest, dict) and manifest.get('schema') == 'mrp_mmr/bundle/1', "it is of an unknown kind")
        need_keys(manifest, schema=str, name=str, created_at=str, records=list, chains=list, files=list, sha256=str)
        body = {key: value for key, value in manifest.items() if key != 'sha256'}
        need(sha256(canonical(body)) == manifest['sha256'], "its digest does not fit its content")
        if self.manifest_sha256:
            need(manifest['sha256'] == self.manifest_sha256.lower(), "it is not the manifest of this export")
        for row in manifest['files']:
            need_keys(row, path=str, sha256=str, size=int)
        for row in manifest['records']:
            need_keys(row, model=str, id=int, name=str, path=(str, type(None)))
        for row in manifest['chains']:
            need_keys(row, path=str, record=list, company=int, head_index=int, head_sha256=str)
            need([type(part) for part in row['record']] == [str, int], "a chain is of no record")
        need(manifest['records'], "it names no record")
        paths = [row['path'] for row in manifest['files']]
        need(len(set(paths)) == len(paths), "a file is listed twice")
        need(paths == sorted(paths), "its files are not in order")
        self.scope = {(row['model'], row['id']) for row in manifest['records']}
        need(len(self.scope) == len(manifest['records']), "a record is listed twice")
        return manifest

    def set_titles(self):
        """Note which record each file and folder is of, as far as the manifest tells."""
        names = {}
        for row in self.manifest['records']:
            names[(row['model'], row['id'])] = row['name']
            self.titles.setdefault(row['path'] or '', row['name'])
            self.titles.setdefault((row['path'] or '').rpartition('/')[0], row['name'])
        for row in self.manifest['chains']:
            self.titles.setdefault(row['path'], names.get(tuple(row['record'])))

    def check_file(self, row):
        need(row['path'] in self.source.sizes, "it is missing")
        digest = self.source.digest(row['path'])
        need(self.source.sizes[row['path']] == row['size'],
             "its size is {} and not {}".format(self.source.sizes[row['path']], row['size']))
        need(digest == row['sha256'], "its digest is {} and not {}".format(digest, row['sha256']))
        self.digests[row['path']] = digest

    # === LEDGER === #

    def check_chain(self, name):
        chain = next((row for row in self.manifest['chains'] if row['path'] == name), None)
        need(chain, "the manifest does not name this chain")
        previous, bad, number = GENESIS, 0, 0
        for number, text in enumerate(self.source.read_lines(name), 1):
            try:
                need(text.endswith(b'\n'), "it is cut, or too long")
                row = parse(text[:-1])
                need(isinstance(row, dict) and set(row) == {'line', 'sha256'}, "no line of a ledger")
                line = row['line']
                need(line['schema'] == 'mrp_mmr/ledger/1', "a line of another kind")
                need(sha256(canonical(line)) == row['sha256'], "its digest does not fit its content")
                need(line['index'] == number, "it says that it is line {}".format(line['index']))
                need(line['previous_sha256'] == previous, "it does not follow the line before")
                need(line['chain'] == chain['record'] and line['company'] == chain['company'], "it is of another chain")
                previous = row['sha256']
                self.keep(line)
            except (Bad, KeyError, TypeError, AttributeError, ValueError) as error:
                bad += 1
                self.report('ledger', f'{name} line {number}', str(error))
                try:
                    previous = json.loads(text.decode())['sha256']
                except (ValueError, KeyError, TypeError, RecursionError):
                    previous = None
        need(not bad, f"{bad} of {number} lines are bad")
        need(number == chain['head_index'] and previous == chain['head_sha256'],
             "it ends with line {} ({}), its head is line {} ({})".format(
                 number, previous, chain['head_index'], chain['head_sha256']))
        self.chains[name] = chain

    def check_excerpt(self, name):
        """Lines of a chain that is not here as a whole, about records of the pack: each proves itself, none its neighbour."""
        last, chain = 0, None
        for text in self.source.read_lines(name):
            need(text.endswith(b'\n'), "it is cut, or too long")
            row = parse(text[:-1])
            need_keys(row, line=dict, sha256=str)
            line = row['line']
            need(line['schema'] == 'mrp_mmr/ledger/1', "a line of another kind")
            need(sha256(canonical(line)) == row['sha256'], "the digest of line {} does not fit".format(line['index']))
            need(line['index'] > last, "line {} is not in order".format(line['index']))
            need(chain in (None, (line['chain'], line['company'])), "line {} is of another chain".format(line['index']))
            need((line['record']['model'], line['record']['id']) in self.scope,
                 "line {} is about no record of the pack".format(line['index']))
            last, chain = line['index'], (line['chain'], line['company'])
            self.keep(line, is_whole=False)

    def keep(self, line, is_whole=True):
        """Keep what a line says about a record of the bundle, or about a signature that is older than the ledger."""
        record = (line['record']['model'], line['record']['id'])
        if line['kind'] in VALUES_KINDS and line['values']:
            self.names.setdefault(record, line['record']['name'])
            if is_whole and record[0] in BATCH_PARTS:
                self.begun[record] = tuple(line['chain'])
        elif line['kind'] == 'unlink' and record[0] == 'mrp.deviation.contributor':
            self.begun.pop(record, None)        # who did not sign yet may be taken off the list
        if record in self.scope and line['kind'] == 'sign':
            self.signed_lines.setdefault(record, []).append(line)
        elif record in self.scope and line['kind'] in VALUES_KINDS and line['values']:
            self.values.setdefault(record, {}).update(
                (field, change.get('new') if isinstance(change, dict) else change)
                for field, change in line['values'].items())
        elif record[0] == 'mrp.esignature' and line['kind'] == 'baseline':
            self.older.setdefault(record[1], []).append(line)

    # === SIGNATURES === #

    def check_signature(self, name):
        row = self.json(name)
        need(set(row) - {'key_signature'} == {'schema', 'id', 'signed', 'signature_sha256', 'content'}, "it has other keys")
        need(row['schema'] == 'mrp_mmr/bundle-signature/1', "it is of an unknown kind")
        signed = row['signed']
        need(isinstance(row['id'], int) and name == 'signatures/{}.json'.format(row['id']), "it is filed under another number")
        need_keys(signed['record'], model=str, id=int, name=str)
        need(sha256(canonical(signed)) == row['signature_sha256'], "its digest does not fit its content")
        need(signed['schema'] in tuple(f'mrp_mmr/signature/{version}' for version in range(1, 5)), "it is of an unknown kind")
        is_keyed = signed['schema'] in ('mrp_mmr/signature/3', 'mrp_mmr/signature/4')
        need(is_keyed == ('key' in signed) == ('key_signature' in row),
             "the signature of the signer's key is missing")
        if 'key' in signed:
            self.check_key_signature(row)
        content = row['content']
        need(content is not None and content in self.digests, f"the content that was signed is missing: {content}")
        need(self.digests[content] == signed['content_sha256'], f"it was given for another content than {content}")
        self.check_named_files(self.json(content))
        self.signatures[row['id']] = row

    def check_key(self, name):
        row = self.json(name)
        need(row.get('schema') in ('mrp_mmr/bundle-key/1', 'mrp_mmr/bundle-key/2'), "it is of an unknown kind")
        need(('passkey' in row) == (row['schema'] == 'mrp_mmr/bundle-key/2'), "it has other keys")
        passkey = row.setdefault('passkey', None)
        need_keys(row, schema=str, id=int, user=int, name=str, login=str, public_key=str, fingerprint=str, reason=str,
                  signatures=list, passkey=(dict, type(None)))
        if passkey:
            need_keys(passkey, rp_id=str, origin=str)
        kind, _parts, fingerprint = key_parts(row['public_key'])
        need(passkey or kind == 'ed25519', "a key that is no passkey is Ed25519")
        need(fingerprint == row['fingerprint'] and name == f'keys/{fingerprint}.json', "it has another fingerprint")
        self.keys[fingerprint] = row

    def check_key_signature(self, row):
        """The signer's own key made the signature over what was signed."""
        signed = row['signed']
        passkey = {'nonce': str} if signed['schema'] == 'mrp_mmr/signature/4' else {}
        need_keys(signed['key'], fingerprint=str, number=int, previous=str, **passkey)
        key = self.keys.get(signed['key']['fingerprint'])
        need(key, "the key of its signer is missing or bad: keys/{}.json".format(signed['key']['fingerprint']))
        need(key['user'] == signed['signer']['user'], "it was made with the key of somebody else, {}".format(key['login']))
        need(bool(passkey) == bool(key['passkey']), "it was made with another kind of key")
        try:
            if passkey:
                check_assertion(key, row['key_signature'], row['signature_sha256'])
                return
            made = base64.b64decode(row['key_signature'], validate=True)
        except (ValueError, KeyError, TypeError):
            raise Bad("the signature of the key is not as it should be")
        need(is_ed25519(key_parts(key['public_key'])[1][0], made, canonical(signed)),
             "the key of its signer did not make the signature in key_signature")

    def check_signers(self):
        """The signatures of each signer follow one another; each key was in force, by a signature over it."""
        ordered = {}
        for _number, row in sorted(self.signatures.items()):
            ordered.setdefault(row['signed']['signer']['user'], []).append(row)
        for user, rows in sorted(ordered.items()):
            self.check('signer', '{} (user {})'.format(rows[0]['signed']['signer']['login'], user), self.check_sequence, rows)
        for fingerprint, key in sorted(self.keys.items()):
            name = 'keys/{}.json of {}'.format(fingerprint, key['login'])
            if key['reason'] == 'recovery':
                name += ', enrolled by its holder: the server had opened it, as nobody could enrol'
            self.check('key', name, self.check_enrolment, key)

    def check_sequence(self, rows):
        last = None
        for row in rows:
            key = row['signed'].get('key')
            need(key or last is None, "signature {} has no key, and one before has".format(row['id']))
            if not key:
                continue
            if last is not None:
                before = last['signed']['key']['number']
                need(key['number'] > before, "signature {} is number {} of its signer, and {} before is number {}".format(
                    row['id'], key['number'], last['id'], before))
                need(key['number'] > before + 1 or key['previous'] == last['signature_sha256'],
                     "signature {} follows another signature than {}".format(row['id'], last['id']))
            last = row

    def check_enrolment(self, key):
        """A key is enrolled by a signature of somebody else; the first one of the system by its holder."""
        in_force, since = False, None
        about = [number for number, row in self.signatures.items() if (
            row['signed']['record']['model'], row['signed']['record']['id']) == ('mrp.signer.key', key['id'])]
        need(sorted(about) == key['signatures'], f"it does not name the signatures over it: {sorted(about)}")
        for number in sorted(key['signatures']):
            row = self.signatures.get(number)
            need(row, f"signature {number} over it is missing or bad")
            signed = row['signed']
            need((signed['record']['model'], signed['record']['id']) == ('mrp.signer.key', key['id']),
                 f"signature {number} is not about it")
            said = self.json(row['content'])
            found = [said['key'][name] for name in ('id', 'fingerprint', 'public_key', 'reason')]
            found += [said['signer'][name] for name in ('user', 'name', 'login')]
            need(found == [key[name] for name in (
                'id', 'fingerprint', 'public_key', 'reason', 'user', 'name', 'login')], f"signature {number} is about another")
            if said['schema'] == 'mrp_mmr/key/2' and key['passkey']:
                place = {name: said['key']['passkey'][name] for name in ('rp_id', 'origin')}
                need(place == key['passkey'], f"signature {number} is about a passkey of another address")
            is_own = said['set_up'] or key['reason'] == 'recovery' and said.get('recovery')
            need(signed['signer']['user'] != key['user'] or is_own or said['action'] == 'revoke',
                 f"its holder enrolled it, by signature {number}")
            in_force = said['action'] == 'enrol'
            since = since or number
        used = [number for number, row in self.signatures.items()
                if row['signed'].get('key', {}).get('fingerprint') == key['fingerprint']]
        need(key['reason'] == 'update' or since is not None, "nobody enrolled it")
        need(key['reason'] == 'update' or not used or min(used) >= since, "it signed before it was enrolled")
        need(in_force or not used or since is None or max(used) <= max(key['signatures']), "it signed after it was revoked")

    def check_signed_lines(self):
        """Every signature of a record in scope has one line in the ledger, and every such line its signature."""
        named = {}
        for record in sorted(self.signed_lines):
            for line in self.signed_lines[record]:
                name = 'of ledger line {} ({})'.format(line['index'], line['record']['name'])
                self.check('signature', name, self.check_signed_line, line, named)
        for number, row in sorted(self.signatures.items()):
            record = row['signed']['record']
            if (record['model'], record['id']) in self.scope and number not in named:
                self.check('signature', f'signatures/{number}.json of before the ledger', self.check_older, number, row)

    def check_signed_line(self, line, named):
        values = {key: change['new'] for key, change in line['values'].items()}
        row = self.signatures.get(values['signature_id'])
        need(row, "signature {} is missing or bad".format(values['signature_id']))
        need(values['signature_id'] not in named, "signature {} has two lines".format(values['signature_id']))
        named[values['signature_id']] = line
        signed = row['signed']
        found = (signed['record']['model'], signed['record']['id'], signed['signer']['user'], signed['meaning'],
                 signed['content_sha256'], row['signature_sha256'])
        said = (line['record']['model'], line['record']['id'], line['user']['id'], values['meaning'],
                values['content_sha256'], values['signature_sha256'])
        need(found == said, "signature {} is not the one of the ledger: {} and not {}".format(
            values['signature_id'], found, said))

    def check_older(self, number, row):
        """A signature that is older than the ledger was taken over by one line about the signature itself."""
        lines = self.older.get(number, ())
        need(len(lines) == 1, "the ledger has {} lines about it".format(len(lines) or 'no'))
        values = {key: change['new'] for key, change in lines[0]['values'].items()}
        signed = row['signed']
        need((values['signature_sha256'], values['content_sha256'], values['meaning'], values['user_id'])
             == (row['signature_sha256'], signed['content_sha256'], signed['meaning'], signed['signer']['user']),
             "it is not the one that the ledger took over")

    def check_link(self, label, number, record, meaning, digest):
        row = self.signatures.get(number)
        need(row, f"its {label} signature {number} is missing or bad")
        signed = row['signed']
        need((signed['record']['model'], signed['record']['id']) == record, f"its {label} signature is of another record")
        need(signed['meaning'] == meaning, "its {} signature means '{}'".format(label, signed['meaning']))
        need(signed['content_sha256'] == digest, f"its {label} signature is over another content")

    # === DOCUMENTS === #

    def check_record(self, name, keys):
        row = self.json(name)
        need(set(row) == {'schema', 'model', 'id', 'name', 'values'} | keys, "it has other keys")
        scope = [record for record in self.manifest['records'] if record['path'] == name]
        need([(record['model'], record['id'], record['name']) for record in scope] == [(row['model'], row['id'], row['name'])],
             "the manifest has another record there")
        self.check_values(row)
        return row

    def check_values(self, row):
        """What a record is now is what the ledger said last."""
        missing = set(VALUES[row['model']]) - set(row['values'])
        need(set(row['values']) <= set(VALUES[row['model']]) and missing <= set(LATER.get(row['model'], ())),
             "{} has other values".format(row['name']))
        said = self.values.get((row['model'], row['id']), {})
        for field, value in [*row['values'].items(), *((field, None) for field in sorted(missing))]:
            expected = value_or_none(said.get(field))
            need(canonical(value) == canonical(expected),
                 "{} of {} is {} and in the ledger {}".format(field, row['name'], value, expected))

    # === BATCHES === #

    def check_batch(self, name):
        """All of a batch is there and nothing else: the steps of its plan, and what the ledger saw begin, each by itself."""
        row = self.json(name)
        need(set(row) == {'schema', 'model', 'id', 'name', 'values', 'order', 'steps', 'deviations', 'results',
                          'samples'}, "it has other keys")
        need(row['schema'] == 'mrp_mmr/bundle-batch/2' and row['model'] == 'mrp.bpr', "it is of an unknown kind")
        bpr, parts = {key: row[key] for key in ('model', 'id', 'name', 'values')}, []
        numbers = {}            # stage -> number of its steps so far
        for step in row['steps']:
            need_keys(step, planned=dict, done=(dict, type(None)), entries=list)
            planned, done = step['planned'], step['done']
            stage = planned['stage']['position']
            numbers[stage] = numbers.get(stage, 0) + 1
            title = '{}.{} {}'.format(stage, numbers[stage], planned['name'])
            need(done is None or (done['model'], done['name']) == ('mrp.bpr.step', title),
                 f"what was done at {title} is of another step")
            parts += [done] if done else []
            for entry in step['entries']:
                need(done and entry['model'] == 'mrp.bpr.entry' and entry['values']['step_id']['id'] == done['id'],
                     "{} is no entry of step {}".format(entry['name'], title))
                parts.append(entry)
            self.check_named_files(planned)
        for key, models in (
                ('deviations', DEVIATION_PARTS), ('results', ('mrp.bpr.result',)), ('samples', ('mrp.bpr.sample',))):
            for part in row[key]:
                need(part['model'] in models, "{} is none of the {}".format(part['name'], key))
                parts.append(part)
        for part in parts:
            label = '{} ({},{})'.format(part['name'], part['model'], part['id'])
            self.check(BATCH_PARTS[part['model']], label, self.check_part, part)
        self.check_part(bpr)
        there = [(part['model'], part['id']) for part in (bpr, *parts)]
        plan = sha256(canonical([step['planned'] for step in row['steps']]))
        need(plan == row['values']['plan_sha256'], "its steps are not those of its plan")
        need(len(set(there)) == len(there), "a part of it is there twice")
        order = self.json(row['order'])
        begun = {part for part, chain in self.begun.items() if chain == (order['model'], order['id'])}
        need(there[0] in begun, "it is the batch of another order")
        missing = ['{} ({},{})'.format(self.names[part], *part) for part in sorted(begun - set(there))]
        need(not missing, "it lacks what the ledger saw begin: {}".format(', '.join(missing)))
        listed = [(record['model'], record['id'], record['name']) for record in self.manifest['records']
                  if record['path'] == name]
        need(sorted(listed) == sorted((part['model'], part['id'], part['name']) for part in (bpr, *parts)),
             "the manifest has other records there")

    def check_part(self, part):
        """A record of a batch is what the ledger said last, and its signatures are of it."""
        data = part.get('data')
        if part['model'] == 'mrp.bpr.entry':
            need_keys(part, model=str, id=int, name=str, values=dict, data=(dict, list, type(None)))
            need((part['values']['data'] or {}).get('sha256') == (None if data is None else sha256(canonical(data))),
                 "its figures have another digest")
        else:
            need_keys(part, model=str, id=int, name=str, values=dict)
        need(part['name'] == self.names.get((part['model'], part['id'])), "the ledger has another name for it, or none")
        self.check_values(part)
        self.check_named_files(part['values'])
        for field, value in part['values'].items():
            if field.endswith('_signature_id') and value is not None:
                row = self.signatures.get(value['id'])
                need(row, "signature {} is missing or bad".format(value['id']))
                record = row['signed']['record']
                need((record['model'], record['id']) == (part['model'], part['id']),
                     "signature {} is of another record".format(value['id']))

    # === INSPECTION PACKS === #

    def check_other(self, name):
        """A deviation without a batch of the pack, a CAPA or a product quality review: what the ledger said last."""
        row = self.json(name)
        need_keys(row, schema=str, model=str, id=int, name=str, values=dict, parts=list, document=(str, type(None)))
        need(row['schema'] == 'mrp_mmr/bundle-record/1' and row['model'] in PACK_RECORDS, "it is of an unknown kind")
        record = {key: row[key] for key in ('model', 'id', 'name', 'values')}
        _label, models = PACK_RECORDS[row['model']]
        for part in (record, *row['parts']):
            need(part is record or part['model'] in models, "{} is no part of it".format(part['name']))
            self.check_part(part)
        listed = [(entry['model'], entry['id'], entry['name']) for entry in self.manifest['records'] if entry['path'] == name]
        need(sorted(listed) == sorted((part['model'], part['id'], part['name']) for part in (record, *row['parts'])),
             "the manifest has other records there")
        digest = row['values'].get('document_sha256')
        need(bool(row['document']) == bool(digest), "its document is missing, or should not be there")
        need(not digest or self.digests.get(row['document']) == digest, "its document has another digest")
        for field, meaning in (('prepared_signature_id', 'prepared'), ('approved_signature_id', 'approved')):
            if row['values'].get(field):
                self.check_link(meaning, row['values'][field]['id'], (row['model'], row['id']), meaning, digest)

    def check_index(self, listed):
        """Every entry of the index is a file of the pack, and is that file."""
        with io.StringIO(self.source.read(INDEX).decode('utf-8')) as stream:
            rows = list(csv.DictReader(stream))
        need(rows, "it has no entry")
        for row in rows:
            need(row['path'] in listed and row['path'] in self.digests, "{} is not in the pack".format(row['path']))
            need(self.digests[row['path']] == row['sha256'], "{} is another file".format(row['path']))

    def check_revision(self, name):
        row = self.check_record(name, {'document'})
        values, record = row['values'], (row['model'], row['id'])
        need(row['schema'] == 'mrp_mmr/bundle-revision/1', "it is of an unknown kind")
        frozen = values['state'] not in ('draft', 'cancelled')
        need(bool(row['document']) == frozen, "its document is missing, or should not be there")
        if not frozen:
            return
        digest = values['document_sha256']
        need(row['document'] in self.digests, "its document is missing")
        need(self.digests[row['document']] == digest, "its document has another digest")
        document = self.json(row['document'])
        need(document['revision'] == values['revision'], "its document is of revision {}".format(document['revision']))
        self.check_named_files(document)
        self.check_named_labels(document)
        self.check_link('preparing', values['prepared_signature_id']['id'], record, 'prepared', digest)
        if values['state'] != 'submitted':
            self.check_link('approving', values['approved_signature_id']['id'], record, 'approved', digest)
        if values['state'] == 'obsolete':
            self.check_link('retiring', values['retired_signature_id']['id'], record, 'retired', digest)
        for other in self.signatures.values():
            need(other['signed']['voids'] != values['prepared_signature_id']['id'], "its preparing signature is void")

    def check_named_files(self, content):
        for item in named_files(content):
            path = file_path(item)
            need(path in self.digests, "file {} ({}) is missing".format(item['name'], path))
            need(self.digests[path] == item['sha256'] and self.source.sizes[path] == item['size'],
                 "file {} is another one".format(item['name']))

    def check_named_labels(self, document):
        known = {row['signature_sha256'] for row in self.signatures.values()}
        for pack in document.get('packs') or ():
            approval = (pack.get('label') or {}).get('approval')
            if approval:
                need(approval['signature_sha256'] in known, "the approval of label {} is missing".format(pack['label']['code']))

    def check_order(self, name):
        row = self.check_record(name, {'snapshot', 'revision'})
        need(row['schema'] == 'mrp_mmr/bundle-order/1', "it is of an unknown kind")
        need(row['snapshot'] in self.digests, "its snapshot is missing")
        need(self.digests[row['snapshot']] == row['values']['mmr_snapshot_sha256'], "its snapshot has another digest")
        snapshot = self.json(row['snapshot'])
        need(sha256(canonical(snapshot['document'])) == snapshot['document_sha256'],
             "the document in its snapshot is another one")
        revision = self.json(row['revision'])
        need(revision['id'] == row['values']['mmr_revision_id']['id'], "it was released on another revision")
        values = revision['values']
        need(values['document_sha256'] == snapshot['document_sha256'], "its snapshot is of another document than its revision")
        need(values['effective_at'] == snapshot['effective_at'], "its snapshot has another effective time")
        ids = [values[key]['id'] for key in ('prepared_signature_id', 'approved_signature_id')]
        need([signature['id'] for signature in snapshot['signatures']] == ids, "its snapshot has other signatures")
        for printed in snapshot['signatures']:
            signed = self.signatures[printed['id']]
            expected = dict(
                {'id': printed['id'], 'signature_sha256': signed['signature_sha256']},
                **{key: signed['signed'][key] for key in (
                    'meaning', 'statement', 'comment', 'signed_at', 'time_zone', 'content_sha256')})
            expected.update({key: signed['signed']['signer'][key] for key in ('name', 'login', 'role')})
            if signed['signed'].get('annex'):
                expected['annex'] = signed['signed']['annex']
            need(printed == expected, "signature {} in its snapshot is another one".format(printed['id']))
        self.check_named_files(snapshot)


def value_or_none(value):
    """Return a value as bundles have it: what is empty is null."""
    return value if value or isinstance(value, dict) else None


def file_path(item):
    extension = re.sub(r'[^a-z0-9]', '', os.path.splitext(item['name'])[1].lower())[:8] or 'bin'
    return 'files/{}.{}'.format(item['sha256'], extension)


def check(path, out, quiet=False, manifest=None):
    """Check a bundle, print the outcome, and return the exit status and the checker, which is None without a bundle."""
    if not os.path.exists(path):
        out.write("There is no bundle there.\n")
        return 2, None
    try:
        checker = Checker(Source(path), out, quiet, manifest)
        checker.run()
        return (1 if checker.failed else 0), checker
    except Bad as error:
        problem = str(error)
    except MemoryError:
        problem = "it does not fit into memory"
    except Exception as error:  # no bundle that was made by the system gets here
        problem = f"it cannot be checked ({type(error).__name__})"
    out.write(f'FAIL bundle: {problem}\n')
    return 1, None


def main(arguments, out=None):
    out = out or sys.stdout
    manifest = None
    if '--manifest' in arguments:
        place = arguments.index('--manifest')
        manifest = ''.join(arguments[place + 1:place + 2])
        arguments = arguments[:place] + arguments[place + 2:]
    quiet = '--quiet' in arguments
    arguments = [argument for argument in arguments if argument != '--quiet']
    if len(arguments) != 1 or arguments[0].startswith('-') or (manifest is not None and not manifest):
        out.write(__doc__)
        return 2
    status, _checker = check(arguments[0], out, quiet, manifest)
    return status


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
