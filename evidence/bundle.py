"""Makes bundles: everything about one record, in one zip that checks itself (REC-050, REC-060, 21 CFR 111.610(a), 11.10(b))."""

import base64
import hashlib
import io
import re
import zipfile
from pathlib import Path

from ..tools import canonical_json, iso_utc
from . import verify

ROOT = Path(__file__).resolve().parent.parent
MANIFEST_SCHEMA = 'mrp_mmr/bundle/1'
REVISION_VALUES = (
    'mmr_id', 'revision', 'state', 'change_category', 'description', 'reason', 'date_effective', 'document_sha256',
    'prepared_signature_id', 'approved_signature_id', 'retired_signature_id', 'effective_at', 'ended_at')
ORDER_VALUES = ('mmr_snapshot_sha256', 'mmr_revision_id', 'mmr_decision', 'mmr_decision_signature_id')
SCHEMAS = ('mmr', 'mmr-1', 'ledger', 'signature', 'snapshot', 'bundle')
PRINT = 'mrp_mmr.report_mmr_revision'
HISTORY = 'mrp_mmr.report_mmr_history'
#: Lines of the ledger that are read at a time.
BATCH = 5000

README = """\
{name}

A complete copy of GMP records, made on {created} (UTC).

revisions/   of a master manufacturing record: revision.json (status and signatures), document.json (what was signed,
             byte for byte), print.pdf (the same for people)
orders/      of a released manufacturing order: order.json, snapshot.json (the signed document it was released with)
contents/    what else was signed: rejected versions, labels, decisions; the name is the SHA-256
signatures/  one file each: who signed what, when, in which meaning
files/       labels, pictures and drawings that the documents name; the name is the SHA-256
ledger/      the audit trail: one line of JSON for each event, each with the digest of the line before
schemas/     JSON Schemas of these files
manifest.json   size and SHA-256 of every file

To check it (Python 3.8 or later, no network, nothing to install):

    python verify.py {archive}

Take verify.py from a source that you trust, not from this bundle alone. The digest of the manifest is

    {digest_note}

and the audit trail of the company has the same for this export: python verify.py {archive} --manifest DIGEST
"""


class Bundle:
    """Collects what belongs to a master record, a revision or a released order.

    The caller checked that the user may read the record; whoever may read it gets all of it.
    """

    def __init__(self, record, prints=True):
        self.record = record
        self.env = record.sudo().with_context(lang=None, active_test=False).env
        self.prints = prints
        self.files = {}         # path -> bytes
        self.records = []
        self.chains = []
        self.contents = {}      # digest -> path
        self.created = ''

    def make(self):
        """Return the zip and the digest of its manifest."""
        record = self.record.with_env(self.env)
        order = record if record._name == 'mrp.production' else record.browse()
        if record._name == 'mrp.mmr':
            mmr, revisions = record, record.revision_ids
        else:
            revisions = record.mmr_revision_id if order else record
            mmr = revisions.mmr_id
        revisions = revisions.sorted('revision')
        # Prints first: that they were printed is in the ledger.
        self._add_prints(mmr if mmr == record else mmr.browse(), revisions)
        for revision in revisions:
            self._add_revision(revision)
        if order:
            self._add_order(order, revisions)
        self._add_signatures(revisions, order)
        for owner in (mmr, order):
            if owner:
                self._add_chain(owner)
        if mmr == record:
            self.records.append({'model': mmr._name, 'id': mmr.id, 'name': mmr.name, 'path': None})
        self._add_texts()
        return self._pack()

    def get_name(self):
        """Return the name of the archive, without extension."""
        record = self.record.sudo()
        name = f"{record.mmr_id.name}-rev{record.revision}" if record._name == 'mrp.mmr.revision' else record.name
        return re.sub(r'[^A-Za-z0-9._-]', '-', name)

    def _add_json(self, path, content):
        self.files[path] = canonical_json(content)

    # === DOCUMENTS === #

    def _folder(self, revision):
        return f'revisions/{revision.revision:04}'

    def _add_prints(self, mmr, revisions):
        if not self.prints:
            return
        # As the user, who is named in each footer and in the ledger.
        report = self.record.env['ir.actions.report'].with_context(force_report_rendering=True)
        for revision in revisions:
            self.files[f'{self._folder(revision)}/print.pdf'] = report._render_qweb_pdf(PRINT, revision.ids)[0]
        if mmr:
            self.files['history.pdf'] = report._render_qweb_pdf(HISTORY, mmr.ids)[0]

    def _add_record(self, path, record, name, schema, names, **others):
        self.records.append({'model': record._name, 'id': record.id, 'name': name, 'path': path})
        self._add_json(path, {
            'schema': schema, 'model': record._name, 'id': record.id, 'name': name,
            'values': record._audit_values(names), **others})

    def _add_revision(self, revision):
        folder = self._folder(revision)
        document = None
        if revision.document:
            document = f'{folder}/document.json'
            self._add_json(document, revision.document)
            # What lies there is named by its true digest, whatever the column says.
            self.contents[hashlib.sha256(self.files[document]).hexdigest()] = document
            self._add_files(revision.document)
        self._add_record(f'{folder}/revision.json', revision, f"{revision.mmr_id.name} revision {revision.revision}",
                         'mrp_mmr/bundle-revision/1', REVISION_VALUES, document=document)

    def _add_order(self, order, revision):
        folder = 'orders/' + re.sub(r'[^A-Za-z0-9._-]', '-', order.name)
        snapshot = f'{folder}/snapshot.json'
        self._add_json(snapshot, order.mmr_snapshot)
        self._add_record(f'{folder}/order.json', order, order.name, 'mrp_mmr/bundle-order/1', ORDER_VALUES,
                         snapshot=snapshot, revision=f'{self._folder(revision)}/revision.json')

    def _add_files(self, content):
        stack = [content]
        while stack:
            item = stack.pop()
            if isinstance(item, dict):
                if item.keys() == verify.FILE_KEYS:
                    file = self.env['mrp.mmr.file'].browse(item['id']).exists()
                    if file:
                        self.files[verify.file_path(item)] = base64.b64decode(file.with_context(bin_size=False).data or b'')
                stack.extend(item.values())
            elif isinstance(item, list):
                stack.extend(item)

    # === SIGNATURES === #

    def _add_signatures(self, revisions, order):
        signatures = self.env['mrp.esignature']
        found = signatures.search([('res_model', '=', revisions._name), ('res_id', 'in', revisions.ids)])
        if order:
            found |= signatures.search([('res_model', '=', order._name), ('res_id', '=', order.id)])
        labels = {
            pack['label']['approval']['signature_sha256'] for revision in revisions for pack in (revision.document or {}).get(
                'packs', []) if pack.get('label') and pack['label'].get('approval')}
        found |= signatures.search([('res_model', '=', 'mrp.mmr.label'), ('signature_sha256', 'in', list(labels))])
        for signature in found.sorted('id'):
            content = signature.content
            if content:
                path = self.contents.setdefault(
                    hashlib.sha256(canonical_json(content)).hexdigest(), f'contents/{signature.content_sha256}.json')
                if path not in self.files:
                    self._add_json(path, content)
                    self._add_files(content)
        for signature in found:
            self._add_json(f'signatures/{signature.id}.json', {
                'schema': 'mrp_mmr/bundle-signature/1', 'id': signature.id,
                'signed': signature._get_signed_content(signature._get_stored_vals()),
                'signature_sha256': signature.signature_sha256, 'content': self.contents.get(signature.content_sha256),
            })

    # === LEDGER === #

    def _add_chain(self, owner):
        entries = self.env['mrp.audit.entry']
        for chain in self.env['mrp.audit.chain'].search([('res_model', '=', owner._name), ('res_id', '=', owner.id)]):
            # A record that changed its company has two.
            path = f'ledger/{owner._name}-{owner.id}-{chain.id}.jsonl'
            lines, last = [], 0
            while True:
                batch = entries.search([('chain_id', '=', chain.id), ('index', '>', last)], order='index', limit=BATCH)
                if not batch:
                    break
                for line in batch:
                    content = line._get_hashed_content(line._get_stored_vals())
                    lines.append(canonical_json({'line': content, 'sha256': line.sha256}))
                last = batch[-1].index
                self.created = max(self.created, iso_utc(batch[-1].at))
                batch.invalidate_recordset(flush=False)
            self.files[path] = b''.join(line + b'\n' for line in lines)
            self.chains.append({
                'path': path, 'record': [chain.res_model, chain.res_id], 'company': chain.company_id.id,
                'head_index': chain.head_index, 'head_sha256': chain.head_sha256})

    # === ARCHIVE === #

    def _add_texts(self):
        for name in SCHEMAS:
            self.files[f'schemas/{name}.schema.json'] = (ROOT / 'schema' / f'{name}.schema.json').read_bytes()
        self.files['verify.py'] = Path(verify.__file__).read_bytes()
        self.files['README.txt'] = README.format(
            name=self.get_name(), created=self.created, archive=f'{self.get_name()}.zip',
            digest_note="the value of 'sha256' in manifest.json").encode()

    def _pack(self):
        manifest = {
            'schema': MANIFEST_SCHEMA, 'name': self.get_name(), 'created_at': self.created, 'records': self.records,
            'chains': self.chains,
            'files': [{'path': path, 'size': len(self.files[path]), 'sha256': hashlib.sha256(self.files[path]).hexdigest()}
                      for path in sorted(self.files)],
        }
        digest = hashlib.sha256(canonical_json(manifest)).hexdigest()
        self.files[verify.MANIFEST] = canonical_json(dict(manifest, sha256=digest))
        return pack(self.files, self.created), digest


def pack(files, created):
    """Return a zip that is the same for the same files, on every machine: fixed order and time, nothing compressed."""
    moment = tuple(int(part) for part in re.findall(r'\d+', created)[:6]) if created >= '1980' else (1980, 1, 1, 0, 0, 0)
    target = io.BytesIO()
    with zipfile.ZipFile(target, 'w', zipfile.ZIP_STORED) as archive:
        for path in sorted(files):
            info = zipfile.ZipInfo(path, moment)
            info.external_attr = 0o100644 << 16
            info.create_system = 3
            archive.writestr(info, files[path])
    return target.getvalue()
