"""Makes bundles: everything about one record, in one zip that checks itself (REC-050, REC-060, 21 CFR 111.610(a), 11.10(b)).

A bundle is written to a file as it is made: a record with hundreds of megabytes of attachments takes the memory of one.
"""

import base64
import hashlib
import re
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path

from ..domain.canonical import canonical_json, iso_utc
from ..domain.schemas import SCHEMAS, schema_path
from . import verify

MANIFEST_SCHEMA = 'mrp_mmr/bundle/1'
PRINT = 'mrp_mmr.report_mmr_revision'
HISTORY = 'mrp_mmr.report_mmr_history'
#: The print of a batch record; it is part of a bundle where there is such a report.
BATCH_PRINT = 'mrp_mmr.report_bpr'
#: Lines of the ledger that are read at a time.
BATCH = 1000

README = """\
{name}

A complete copy of GMP records, made on {created} (UTC).

revisions/   of a master manufacturing record: revision.json (status and signatures), document.json (what was signed,
             byte for byte), print.pdf (the same for people)
orders/      of a released manufacturing order: order.json, snapshot.json (the signed document it was released with),
             batch.json (its batch record: steps, entries, deviations), print.pdf (the same for people)
contents/    what else was signed: rejected versions, labels, decisions, steps, entries, deviations; the name is the SHA-256
signatures/  one file each: who signed what, when, in which meaning, and the signature of the signer's own key over it
keys/        public keys of the signers, and which signatures brought them into force; the name is the fingerprint
files/       labels, pictures, drawings and photos that the documents name; the name is the SHA-256
ledger/      the audit trail: one line of JSON for each event, each with the digest of the line before
schemas/     JSON Schemas of these files
manifest.json   size and SHA-256 of every file

To check it (Python 3.8 or later, no network, nothing to install):

    python verify.py {archive}

Take verify.py from a source that you trust, not from this bundle alone. The digest of the manifest is

    {digest_note}

and the audit trail of the company has the same for this export: python verify.py {archive} --manifest DIGEST
"""


class Archive:
    """A zip that is the same for the same files on every machine: nothing is compressed, all have one time.

    ``files`` has path, size and SHA-256 of each, as the manifest lists them.
    """

    def __init__(self, target, created):
        self.zip = zipfile.ZipFile(target, 'w', zipfile.ZIP_STORED)
        self.moment = tuple(map(int, re.findall(r'\d+', created)[:6])) if created >= '1980' else (1980, 1, 1, 0, 0, 0)
        self.files = {}

    @contextmanager
    def open(self, path):
        """Yield a stream to write the file ``path`` to."""
        info = zipfile.ZipInfo(path, self.moment)
        info.external_attr = 0o100644 << 16
        info.create_system = 3
        with self.zip.open(info, 'w') as stream:
            counter = _Counter(stream)
            yield counter
        self.files[path] = {'path': path, 'size': counter.size, 'sha256': counter.digest.hexdigest()}

    def write(self, path, content):  # pylint: disable=method-required-super
        with self.open(path) as stream:
            stream.write(content)

    def close(self):
        self.zip.close()


class _Counter:
    """A stream that knows size and digest of what was written to it."""

    def __init__(self, stream):
        self.stream, self.size, self.digest = stream, 0, hashlib.sha256()

    def write(self, data):  # pylint: disable=method-required-super
        self.size += len(data)
        self.digest.update(data)
        return self.stream.write(data)


class Bundle:
    """Collects what belongs to a master record, a revision, a released order or its batch record.

    The caller checked that the user may read the record; whoever may read it gets all of it.
    """

    def __init__(self, record, prints=True):
        self.record = record
        self.env = record.sudo().with_context(lang=None, active_test=False).env
        self.prints = prints
        self.archive = None
        self.mmrs = self.whole = self.env['mrp.mmr']
        self.revisions, self.orders = self.env['mrp.mmr.revision'], self.env['mrp.production']
        self.records = []
        self.chains = []
        self.contents = {}      # digest -> path
        self.labels = set()     # digests of the signatures of the labels that are used
        self.logged = {}        # (model, id) -> what the ledger said last about each field
        self.names = {}         # (model, id) -> what the ledger called it when it began
        self.created = ''

    def make(self, target):
        """Write the zip to a file that can be sought and return the digest of its manifest."""
        self._collect()
        with tempfile.TemporaryFile() as spool:
            # Prints first: that they were printed is in the ledger.
            prints = self._print(spool)
            chains = self._get_chains()
            self.created = self._get_last_time(chains)
            self.archive = Archive(target, self.created)
            self._add_texts()
            spool.seek(0)
            for path, size in prints:
                self.archive.write(path, spool.read(size))
        self._add_content()
        for chain in chains:
            self._add_chain(chain)
        for mmr in self.whole:
            self.records.append({'model': mmr._name, 'id': mmr.id, 'name': mmr.name, 'path': None})
        digest = self._add_manifest()
        self.archive.close()
        return digest

    def _collect(self):
        """Find out what the bundle is made of: master records, their revisions, orders."""
        record = self.record.with_env(self.env)
        self.orders = self.env['mrp.production']
        if record._name == 'mrp.mmr':
            revisions = record.revision_ids
        elif record._name == 'mrp.mmr.revision':
            revisions = record
        else:
            self.orders = record.production_id if record._name == 'mrp.bpr' else record
            revisions = self.orders.mmr_revision_id
        self.revisions, self.mmrs = revisions.sorted('revision'), revisions.mmr_id
        if record._name == 'mrp.mmr':
            #: Master records that are here with all of their history.
            self.mmrs = self.whole = record

    def _add_content(self):
        """Add everything but prints and ledger."""
        parts = self._get_parts(self.orders.bpr_id)
        self._read_logged(self.revisions, self.orders, *parts)
        for revision in self.revisions:
            self._add_revision(revision)
        for order in self.orders:
            self._add_order(order)
        self._add_signatures(self.revisions, self.orders, *parts)

    def get_name(self):
        """Return the name of the archive, without extension."""
        record = self.record.sudo()
        name = f"{record.mmr_id.name}-rev{record.revision}" if record._name == 'mrp.mmr.revision' else record.name
        return re.sub(r'[^A-Za-z0-9._-]', '-', name)

    def _add_json(self, path, content):
        """Add a file of JSON and return its digest."""
        self.archive.write(path, canonical_json(content))
        return self.archive.files[path]['sha256']

    # === DOCUMENTS === #

    def _folder(self, record):
        """Return the folder of a revision or of an order."""
        if record._name == 'mrp.production':
            return 'orders/' + re.sub(r'[^A-Za-z0-9._-]', '-', record.name)
        return f'revisions/{record.revision:04}'

    def _print(self, spool):
        """Write the prints to a file, one after the other, and return path and size of each."""
        if not self.prints:
            return []
        # As the user, who is named in each footer and in the ledger.
        report = self.record.env['ir.actions.report'].with_context(force_report_rendering=True)
        return [
            (path, spool.write(report._render_qweb_pdf(name, record.ids)[0])) for path, name, record in self._get_prints()]

    def _get_prints(self):
        """Yield path, report and record of each print."""
        for revision in self.revisions:
            yield f'{self._folder(revision)}/print.pdf', PRINT, revision
        for mmr in self.whole:
            yield 'history.pdf', HISTORY, mmr
        for order in self.orders.filtered('bpr_id') if self.env['ir.actions.report']._get_report_from_name(BATCH_PRINT) else ():
            yield f'{self._folder(order)}/print.pdf', BATCH_PRINT, order.bpr_id

    def _read_logged(self, *records):
        """Read what the ledger said last about each field of ``records``, and what it called them when they began."""
        for group in records:
            lines = self.env['mrp.audit.entry'].search([
                ('res_model', '=', group._name), ('res_id', 'in', group.ids),
                ('kind', 'in', verify.VALUES_KINDS)], order='chain_id, index')
            for line in lines.filtered('values'):
                key = (line.res_model, line.res_id)
                self.names.setdefault(key, line.record_name)
                self.logged.setdefault(key, {}).update(
                    (field, change.get('new')) for field, change in line.values.items() if isinstance(change, dict))
            lines.invalidate_recordset(flush=False)

    def _get_values(self, record):
        """Return values of a record: what is empty is null, what is linked has the name that the ledger knows it by."""
        logged = self.logged.get((record._name, record.id), {})
        values = {}
        for field, value in record._audit_values(verify.VALUES[record._name]).items():
            said = logged.get(field)
            if isinstance(value, dict) and 'id' in value and isinstance(said, dict) and said.get('id') == value['id']:
                value = dict(value, name=said.get('name'))
            values[field] = verify.value_or_none(value)
        return values

    def _add_record(self, path, record, name, schema, **others):
        self.records.append({'model': record._name, 'id': record.id, 'name': name, 'path': path})
        self._add_json(path, {
            'schema': schema, 'model': record._name, 'id': record.id, 'name': name,
            'values': self._get_values(record), **others})

    def _add_revision(self, revision):
        folder = self._folder(revision)
        path, document = None, revision.document
        if document:
            path = f'{folder}/document.json'
            # What lies there is named by its true digest, whatever the column says.
            self.contents[self._add_json(path, document)] = path
            self._add_files(document)
            self.labels.update(
                pack['label']['approval']['signature_sha256'] for pack in document.get('packs') or ()
                if pack.get('label') and pack['label'].get('approval'))
        self._add_record(f'{folder}/revision.json', revision, f"{revision.mmr_id.name} revision {revision.revision}",
                         'mrp_mmr/bundle-revision/1', document=path)
        revision.invalidate_recordset(['document'], flush=False)

    def _add_order(self, order):
        folder = self._folder(order)
        snapshot = f'{folder}/snapshot.json'
        self._add_json(snapshot, order.mmr_snapshot)
        self._add_record(f'{folder}/order.json', order, order.name, 'mrp_mmr/bundle-order/1',
                         snapshot=snapshot, revision=f'{self._folder(order.mmr_revision_id)}/revision.json')
        if order.bpr_id:
            self._add_batch(f'{folder}/batch.json', order.bpr_id, f'{folder}/order.json')

    @staticmethod
    def _get_parts(bpr):
        """Return what a batch record is made of, model by model."""
        deviations = bpr.deviation_ids
        return (bpr, bpr.step_ids, bpr.step_ids.entry_ids, bpr.result_ids, bpr.sample_ids, deviations,
                deviations.contributor_ids, deviations.related_ids, bpr.rework_ids)

    def _add_batch(self, path, bpr, order):
        """Add a batch record: its steps as planned, what was done at them, every entry and deviation."""
        content = {
            'schema': 'mrp_mmr/bundle-batch/2', **self._get_part(path, bpr), 'order': order,
            'steps': [{
                'planned': step.planned,
                # Steps follow from the snapshot until somebody works on them; then the ledger has a line about them.
                'done': self._get_part(path, step) if (step._name, step.id) in self.names else None,
                'entries': [
                    {**self._get_part(path, entry), 'data': entry.data or None} for entry in step.entry_ids.sorted('id')],
            } for step in bpr.step_ids.sorted(lambda step: (step.sequence, step.id))],
            'deviations': [self._get_part(path, part) for parts in self._get_parts(bpr)[5:] for part in parts.sorted('id')],
            'results': [self._get_part(path, result) for result in bpr.result_ids.sorted('id')],
            'samples': [self._get_part(path, sample) for sample in bpr.sample_ids.sorted('id')],
        }
        self._add_json(path, content)
        self._add_files(content)

    def _get_part(self, path, record):
        """Return a record of a batch as its file has it."""
        # The ledger's name: that of an entry is in the language of the reader.
        name = self.names.get((record._name, record.id)) or record.display_name or f'{record._name},{record.id}'
        self.records.append({'model': record._name, 'id': record.id, 'name': name, 'path': path})
        return {'model': record._name, 'id': record.id, 'name': name, 'values': self._get_values(record)}

    def _add_files(self, content):
        """Add the files that a signed content names, each once and one at a time."""
        for item in verify.named_files(content):
            path = verify.file_path(item)
            file = self.env['mrp.mmr.file'].with_context(bin_size=False).browse(item['id'])
            if path not in self.archive.files and isinstance(item['id'], int) and file.exists():
                self.archive.write(path, base64.b64decode(file.data or b''))
                file.invalidate_recordset(['data'], flush=False)

    # === SIGNATURES === #

    def _add_signatures(self, *records):
        signatures = self.env['mrp.esignature']
        found = signatures.union(*(
            signatures.search([('res_model', '=', group._name), ('res_id', 'in', group.ids)]) for group in records))
        found |= signatures.search([('res_model', '=', 'mrp.mmr.label'), ('signature_sha256', 'in', list(self.labels))])
        keys, found = self._get_keys(found)
        for signature in found.sorted('id'):
            content = signature.content
            if content:
                path = f'contents/{signature.content_sha256}.json'
                digest = hashlib.sha256(canonical_json(content)).hexdigest()
                if digest not in self.contents and path not in self.archive.files:
                    self.contents[self._add_json(path, content)] = path
                    self._add_files(content)
                signature.invalidate_recordset(['content'], flush=False)
        for signature in found.filtered(lambda row: f'signatures/{row.id}.json' not in self.archive.files):
            self._add_json(f'signatures/{signature.id}.json', {
                'schema': 'mrp_mmr/bundle-signature/1', 'id': signature.id,
                'signed': signature._get_signed_content(signature._get_stored_vals()),
                'signature_sha256': signature.signature_sha256, 'content': self.contents.get(signature.content_sha256),
                **({'key_signature': signature.key_signature} if signature.key_signature else {}),
            })
        for key in keys:
            path = f'keys/{key.fingerprint}.json'
            if path not in self.archive.files:
                about = found.filtered(lambda row, key=key: (row.res_model, row.res_id) == (key._name, key.id))
                self._add_json(path, {
                    'schema': 'mrp_mmr/bundle-key/2', 'id': key.id, 'user': key.user_id.id, 'name': key.user_name,
                    'login': key.user_login, 'public_key': key.public_key, 'fingerprint': key.fingerprint,
                    'reason': key.reason, 'signatures': sorted(about.ids),
                    'passkey': {'rp_id': key.rp_id, 'origin': key.origin} if key.credential_id else None})

    def _get_keys(self, found):
        """Return the keys that signed, with those that enrolled them and so on, and all signatures with those over keys."""
        keys = new = self.env['mrp.signer.key'].search([('fingerprint', 'in', found.mapped('key_fingerprint'))])
        while new:
            about = found.search([('res_model', '=', new._name), ('res_id', 'in', new.ids)])
            found |= about
            new = keys.search([('fingerprint', 'in', about.mapped('key_fingerprint'))]) - keys
            keys |= new
        return keys, found

    # === LEDGER === #

    def _get_chains(self):
        # A record that changed its company has two.
        return self.env['mrp.audit.chain'].union(*(
            self.env['mrp.audit.chain'].search([('res_model', '=', owners._name), ('res_id', 'in', owners.ids)])
            for owners in (self.mmrs, self.orders)))

    def _get_last_time(self, chains):
        [[last]] = self.env['mrp.audit.entry']._read_group([('chain_id', 'in', chains.ids)], [], ['at:max'])
        return iso_utc(last) or ''

    def _add_chain(self, chain):
        entries, last = self.env['mrp.audit.entry'], 0
        path = f'ledger/{chain.res_model}-{chain.res_id}-{chain.id}.jsonl'
        with self.archive.open(path) as out:
            while True:
                lines = entries.search([('chain_id', '=', chain.id), ('index', '>', last)], order='index', limit=BATCH)
                if not lines:
                    break
                self._write_lines(out, lines)
                last = lines[-1].index
                lines.invalidate_recordset(flush=False)
        self.chains.append({
            'path': path, 'record': [chain.res_model, chain.res_id], 'company': chain.company_id.id,
            'head_index': chain.head_index, 'head_sha256': chain.head_sha256})

    @staticmethod
    def _write_lines(out, lines):
        for line in lines:
            content = line._get_hashed_content(line._get_stored_vals())
            out.write(canonical_json({'line': content, 'sha256': line.sha256}) + b'\n')

    # === ARCHIVE === #

    def _add_texts(self):
        self.archive.write('README.txt', self._get_readme().format(
            name=self.get_name(), created=self.created, archive=f'{self.get_name()}.zip',
            digest_note="the value of 'sha256' in manifest.json").encode())
        self.archive.write('verify.py', Path(verify.__file__).read_bytes())
        for name in SCHEMAS:
            self.archive.write(f'schemas/{name}.schema.json', schema_path(name).read_bytes())

    def _get_readme(self):
        return README

    def _add_manifest(self):
        """Add the list of all files and return its digest."""
        manifest = {
            'schema': MANIFEST_SCHEMA, 'name': self.get_name(), 'created_at': self.created, 'records': self.records,
            'chains': self.chains, 'files': [self.archive.files[path] for path in sorted(self.archive.files)],
        }
        digest = hashlib.sha256(canonical_json(manifest)).hexdigest()
        self._add_json(verify.MANIFEST, dict(manifest, sha256=digest))
        return digest
