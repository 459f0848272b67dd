"""A bundle is complete, checks itself with nothing but Python, and survives whatever is done to it."""

import ast
import base64
import functools
import gc
import hashlib
import io
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import tracemalloc
import zipfile
from random import Random
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import config

from odoo.addons.mrp_mmr.domain import private_keys
from odoo.addons.mrp_mmr.domain.columns import LOGGED_COLUMNS
from odoo.addons.mrp_mmr.domain.schemas import SCHEMAS, schema_path
from odoo.addons.mrp_mmr.verification import bundle as bundles
from odoo.addons.mrp_mmr.verification import verify
from odoo.addons.mrp_mmr.verification.compare import Comparison
from odoo.addons.mrp_mmr.verification.records import Verification

from ..common.base import GIF, PASSWORD, PNG, MmrCommon, drop_guards, fill_content
from ..common.payloads import find_faults


@tagged('post_install', '-at_install')
class TestBundle(MmrCommon, HttpCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Hundreds of bundles have the same signatures: each is computed once. Whoever changes one asks for another.
        cls.startClassPatcher(patch.object(verify, 'is_ed25519', functools.cache(verify.is_ed25519)))
        label = cls.env['mrp.mmr.label'].with_user(cls.user_preparer).create({
            'code': "LBL-7", 'name': "Label", 'upload': PNG, 'upload_name': "label.png"})
        cls._sign(label, 'approve', cls.user_qc)
        cls.revision = cls._create_mmr(100)
        fill_content(cls.revision, cls.component_other)
        cls.revision.pack_ids[:1].label_id = label
        cls.revision.with_user(cls.user_qc).action_confirm_overages()
        cls._sign(cls.revision, 'submit', cls.user_preparer)
        cls._sign(cls.revision, 'reject', cls.user_qc, comment="Once more.")
        cls._make_effective(cls.revision)
        cls.order = cls._create_order()
        cls.order.action_confirm()
        cls.bpr = cls.order.bpr_id
        cls.step, cls.deviation = cls._begin_batch(cls.bpr)
        # A step that nobody signed yet, with a photo and a nought, which is not the same as nothing.
        cls.started = cls.bpr.step_ids.sorted('sequence')[1].with_user(cls._person('operator'))
        cls._train(cls.started, cls._person('operator'))
        cls.started.action_start(acknowledged=True)
        cls.started.action_record('photo', {'name': "seal.gif", 'data': GIF})
        cls.started.action_record('comment', {'text': "0"})

    # === TOOLS === #

    def _files(self, record, prints=False):
        file, _name = record._make_bundle(prints=prints)
        with file, zipfile.ZipFile(file) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def _verify(self, content, *options):
        """Run the checker on the bytes of a zip; return its exit status and what it printed."""
        with tempfile.NamedTemporaryFile(suffix='.zip') as file:
            file.write(content)
            file.flush()
            out = io.StringIO()
            return verify.main([file.name, *options], out), out.getvalue()

    def _assert_fails(self, content, name=None):
        status, text = self._verify(content)
        self.assertEqual(status, 1, text[-500:])
        self.assertNotIn('Traceback', text)
        if name:
            self.assertTrue(any(line.startswith('FAIL') and name in line for line in text.splitlines()), (name, text[-2000:]))

    def _pack(self, files):
        target = io.BytesIO()
        archive = bundles.Archive(target, '2026-01-01T00:00:00Z')
        for path, content in files.items():
            archive.write(path, content)
        archive.close()
        return target.getvalue()

    def _reseal(self, files):
        """Return the files with a manifest that fits them: what a forger does who read how it works."""
        manifest = json.loads(files[verify.MANIFEST])
        del manifest['sha256']
        manifest['files'] = [
            {'path': path, 'size': len(content), 'sha256': hashlib.sha256(content).hexdigest()}
            for path, content in sorted(files.items()) if path != verify.MANIFEST]
        manifest['sha256'] = hashlib.sha256(verify.canonical(manifest)).hexdigest()
        return dict(files, **{verify.MANIFEST: verify.canonical(manifest)})

    def _subprocess(self, path, script=verify.__file__):
        return subprocess.run(
            [sys.executable, '-I', script, path], capture_output=True, text=True, timeout=60, check=False)

    # === COMPLETE === #

    def test_intact(self):
        """REC-050, REC-060: bundles of master record, revision, order and batch pass, as zip and as folder, without Odoo."""
        for record in (self.revision.mmr_id, self.revision, self.order, self.bpr):
            with self.subTest(record=record._name):
                files = self._files(record)
                status, text = self._verify(self._pack(files))
                self.assertEqual(status, 0, text)
                self.assertEqual(files['revisions/0001/document.json'].decode(),
                                 verify.canonical(self.revision.document).decode())
                self.assertEqual(
                    hashlib.sha256(files['revisions/0001/document.json']).hexdigest(), self.revision.document_sha256)
                signatures = self.env['mrp.esignature'].search([('res_model', '=', 'mrp.mmr.revision')])
                self.assertEqual({f'signatures/{number}.json' for number in signatures.ids} - files.keys(), set())
                self.assertTrue([name for name in files if name.startswith('files/')])
                with tempfile.TemporaryDirectory() as folder:
                    for name, content in files.items():
                        path = os.path.join(folder, *name.split('/'))
                        os.makedirs(os.path.dirname(path), exist_ok=True)
                        with open(path, 'wb') as file:
                            file.write(content)
                    result = self._subprocess(folder, os.path.join(folder, 'verify.py'))
                    self.assertEqual((result.returncode, result.stderr), (0, ''), result.stdout[-500:])
                    os.symlink('/etc/hostname', os.path.join(folder, 'link'))
                    self.assertEqual(self._subprocess(folder).returncode, 1)

    def test_old_python(self):
        """REC-060: the checker is written for Python 3.8 and imports nothing but what comes with it."""
        with open(verify.__file__, encoding='utf-8') as file:
            tree = ast.parse(file.read(), feature_version=(3, 8))
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        self.assertEqual(imported, {'base64', 'csv', 'hashlib', 'io', 'json', 'os', 're', 'stat', 'sys', 'zipfile'})
        self.assertFalse([node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)])

    def test_life(self):
        """REC-050: superseded, obsolete and draft revisions, stopped batches and open drafts are handed out and pass."""
        second = self._new_revision(self.revision)
        self.assertEqual(self._verify(self._pack(self._files(second)))[0], 0)
        second.with_user(self.user_qc).action_confirm_overages()
        self._make_effective(second)
        self._sign(self.order, 'stop', self.user_qc, comment="No more.")
        self._sign(second, 'retire', self.user_qc, comment="No more.")
        for record in (self.revision.mmr_id, self.revision, second, self.order, self.bpr):
            status, text = self._verify(self._pack(self._files(record)))
            self.assertEqual(status, 0, text[-3000:])

    def test_deterministic(self):
        """REC-060: the same record gives the same bytes, and the export is in the ledger with the digest of its manifest."""
        first, second = io.BytesIO(), io.BytesIO()
        digest = bundles.Bundle(self.revision, prints=False).make(first)
        self.assertEqual(bundles.Bundle(self.revision, prints=False).make(second), digest)
        self.assertEqual(first.getvalue(), second.getvalue())
        file, _name = self.revision._make_bundle(prints=False)
        with file:
            content = file.read()
        self.assertEqual(content, first.getvalue())
        entry = self.env['mrp.audit.entry'].sudo().search([('kind', '=', 'export')], limit=1)
        self.assertEqual(entry.values['manifest_sha256'], {'new': digest})
        self.assertEqual(self._verify(content, '--manifest', digest)[0], 0)
        self.assertEqual(self._verify(content, '--manifest', '0' * 64)[0], 1)

    def test_download(self):
        """REC-050, SEC-010: whoever may read the record downloads it, prints included; nobody else does."""
        url = f'/mrp_mmr/bundle/mrp.mmr.revision/{self.revision.id}.zip'
        self.assertIn('/web/login', self.url_open(url, allow_redirects=False).headers.get('Location', ''))
        self.authenticate('t_auditor', PASSWORD)
        response = self.url_open(url, timeout=120)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(self._verify(response.content)[0], 0)
        with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
            self.assertTrue(archive.read('revisions/0001/print.pdf').startswith(b'%PDF'))
        self.assertEqual(self.revision.with_user(self.user_auditor).get_last_bundle()['digest'], json.loads(
            zipfile.ZipFile(io.BytesIO(response.content)).read(verify.MANIFEST))['sha256'])
        response = self.url_open(url + '?prints=0')
        self.assertNotIn('revisions/0001/print.pdf', zipfile.ZipFile(io.BytesIO(response.content)).namelist())
        self.assertEqual(self.url_open('/mrp_mmr/bundle/res.users/2.zip').status_code, 404)
        stranger = new_test_user(self.env, login='t_stranger', password=PASSWORD, groups='base.group_user')
        with self.assertRaises(AccessError):
            self.revision.with_user(stranger)._make_bundle(prints=False)
        self.authenticate('t_stranger', PASSWORD)
        self.assertEqual(self.url_open(url).status_code, 403)
        with self.assertRefused('REC-050'):
            self._create_order()._make_bundle(prints=False)

    def _check_schemas(self, files):
        """Expect the schemas of all kinds in a bundle, as the addon has them."""
        shipped = {name: content for name, content in files.items() if name.startswith('schemas/')}
        self.assertEqual(shipped, {f'schemas/{name}.schema.json': schema_path(name).read_bytes() for name in SCHEMAS})

    def test_schemas(self):
        """REC-050: every JSON file of a bundle fits the schema in it that describes its kind."""
        second = self._new_revision(self.revision)
        second.with_user(self.user_qc).action_confirm_overages()
        self._make_effective(second)
        self._sign(self.order, 'stop', self.user_qc, comment="No more.")
        self._new_revision(second)
        self._correct()
        seen = set()
        for record in (self.revision.mmr_id, self.bpr):
            files = self._files(record)
            self._check_schemas(files)
            for name, content in files.items():
                if name.endswith('.json') and not name.startswith('schemas/'):
                    rows = [json.loads(content)]
                elif name.endswith('.jsonl'):
                    rows = [json.loads(line) for line in content.splitlines()]
                else:
                    continue
                rows += [row['document'] for row in rows if row.get('schema') == 'mrp_mmr/snapshot/1']
                self.assertTrue(rows, name)
                for row in rows:
                    content = row.get('line') or row
                    seen.add(content['schema'])
                    self.assertEqual(find_faults(content), [], name)
        self.assertEqual(seen, {
            'mrp_mmr/mmr/3', 'mrp_mmr/ledger/1', 'mrp_mmr/bundle-signature/1', 'mrp_mmr/snapshot/1',
            'mrp_mmr/bundle-revision/1', 'mrp_mmr/bundle-order/1', 'mrp_mmr/bundle-batch/2', 'mrp_mmr/issue/1',
            'mrp_mmr/step/1', 'mrp_mmr/entry/1', 'mrp_mmr/deviation/1', 'mrp_mmr/label/1', 'mrp_mmr/decision/1',
            'mrp_mmr/bundle/1', 'mrp_mmr/bundle-key/2', 'mrp_mmr/key/2'})

    def test_memory(self):
        """REC-050: a bundle takes the memory of one file, not of all of them; so does checking it."""
        size, number = 4_000_000, 12
        revision = self._new_revision(self.revision)
        picture = base64.b64decode(PNG)
        self.env['mrp.mmr.step'].with_user(self.user_preparer).create([{
            'revision_id': revision.id, 'operation_id': revision.operation_ids[:1].id, 'name': f"Step {place}",
            'instruction': "See the picture.", 'picture_name': f"{place}.png",
            'picture': base64.b64encode(picture + os.urandom(size))} for place in range(number)])
        self._sign(revision, 'submit', self.user_preparer)
        self.env.flush_all()
        self.env.invalidate_all()
        gc.collect()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        file, _name = revision._make_bundle(prints=False)
        with file:
            self.assertGreater(os.fstat(file.fileno()).st_size, size * number)
            self.assertLess(tracemalloc.get_traced_memory()[1], size * number / 2)
            tracemalloc.reset_peak()
            self.assertEqual(verify.main([f'/proc/self/fd/{file.fileno()}'], io.StringIO()), 0)
            self.assertLess(tracemalloc.get_traced_memory()[1], size * number / 2)

    # === DAMAGE === #

    def test_one_byte(self):
        """REC-060: one changed byte in any file fails and names the file."""
        files = self._files(self.order)
        self.assertGreater(len(files), 15)
        for name, content in files.items():
            for place in {0, len(content) // 2, len(content) - 1}:
                changed = bytearray(content)
                changed[place] ^= 1
                self._assert_fails(self._pack(dict(files, **{name: bytes(changed)})), name)

    def test_files(self):
        """REC-060: a missing, added, renamed or doubled file fails, with the manifest as it was and made to fit."""
        files = self._files(self.order)
        for name in files:
            rest = {key: value for key, value in files.items() if key != name}
            self._assert_fails(self._pack(rest), name)
            if name != verify.MANIFEST:
                self._assert_fails(self._pack(dict(rest, **{f'x{name}': files[name]})), name)
            if name.startswith(('revisions', 'orders', 'signatures', 'files', 'contents', 'ledger')):
                self._assert_fails(self._pack(self._reseal(rest)))
        self._assert_fails(self._pack(dict(files, **{'more.txt': b''})), 'more.txt')
        self._assert_fails(self._pack(dict(files, **{'README.TXT': b''})), 'README.TXT')

    def test_ledger(self):
        """AUD-040, REC-060: a line that is cut, inserted, moved or forged fails, also where the manifest was made to fit."""
        files = self._files(self.revision.mmr_id)
        name = next(key for key in files if key.startswith('ledger/'))
        lines = files[name].splitlines(keepends=True)
        self.assertGreater(len(lines), 5)
        forged = json.loads(lines[3])
        forged['line']['user']['name'] = "Nobody"
        forged['sha256'] = hashlib.sha256(verify.canonical(forged['line'])).hexdigest()
        for changed in (
                lines[1:], lines[:3] + lines[4:], lines[:-1], [*lines[:3], lines[4], lines[3], *lines[5:]],
                [*lines[:3], lines[3], *lines[3:]], [*lines[:3], verify.canonical(forged) + b'\n', *lines[4:]],
                [b'[' * 100000 + b'\n', *lines[1:]], [b'{}\n', *lines[1:]], [b'{"line":1e5}\n', *lines[1:]], []):
            self._assert_fails(self._pack(self._reseal(dict(files, **{name: b''.join(changed)}))), name)

    def test_signatures(self):
        """SIG-030, REC-060: a signature that is copied, moved or altered fails, also where the manifest was made to fit."""
        files = self._files(self.revision)
        prepared = f'signatures/{self.revision.prepared_signature_id.id}.json'
        approved = f'signatures/{self.revision.approved_signature_id.id}.json'
        other = dict(json.loads(files[approved]), id=999999)
        files_and_other = dict(files, **{'signatures/999999.json': verify.canonical(other)})
        self._assert_fails(self._pack(self._reseal(files_and_other)), '999999')
        self._assert_fails(self._pack(self._reseal(dict(files, **{approved: files[prepared]}))), approved)
        for change in ({'meaning': 'reviewed'}, {'comment': 'x'}, {'signed_at': '2020-01-01T00:00:00Z'}, {'voids': 1}):
            row = json.loads(files[approved])
            row['signed'].update(change)
            self._assert_fails(self._pack(self._reseal(dict(files, **{approved: verify.canonical(row)}))), approved)
            row['signature_sha256'] = hashlib.sha256(verify.canonical(row['signed'])).hexdigest()
            self._assert_fails(self._pack(self._reseal(dict(files, **{approved: verify.canonical(row)}))))

    def test_keys(self):
        """SIG-110, SIG-120: a signature of another key, a key of another person or one that nobody enrolled fails by name."""
        files = self._files(self.revision)
        self.assertEqual(self._verify(self._pack(self._reseal(files)))[0], 0)
        approved = f'signatures/{self.revision.approved_signature_id.id}.json'
        prepared = f'signatures/{self.revision.prepared_signature_id.id}.json'
        row, other = json.loads(files[approved]), json.loads(files[prepared])

        def fails(changed, named):
            forged = {name: content if isinstance(content, bytes) else verify.canonical(content)
                      for name, content in {**files, **changed}.items() if content is not None}
            self._assert_fails(self._pack(self._reseal(forged)), named)

        fails({approved: {**row, 'key_signature': other['key_signature']}}, 'key_signature')
        fails({approved: {name: value for name, value in row.items() if name != 'key_signature'}}, approved)
        # Whoever owns the bundle makes a key, and signs with it: nobody enrolled it, or it is in the place of another.
        public, wrapped = private_keys.make_key('x', 'x', cost=2)
        mine = private_keys.OpenedKey(wrapped, 'x', 'x')
        path = f"keys/{row['signed']['key']['fingerprint']}.json"
        key = json.loads(files[path])
        forged = {**row['signed'], 'key': {**row['signed']['key'], 'fingerprint': public.fingerprint}}
        forged = {**row, 'signed': forged, 'signature_sha256': hashlib.sha256(verify.canonical(forged)).hexdigest(),
                  'key_signature': mine.sign(verify.canonical(forged))}
        made = {**key, 'public_key': public.text, 'fingerprint': public.fingerprint}
        fails({approved: forged}, public.fingerprint)
        fails({approved: forged, f'keys/{public.fingerprint}.json': {**made, 'signatures': []}}, public.fingerprint)
        fails({approved: forged, f'keys/{public.fingerprint}.json': made, path: None}, public.fingerprint)
        fails({path: {**key, 'public_key': public.text}}, path)
        fails({path: {**key, 'user': key['user'] + 1}}, approved)
        for number in key['signatures']:
            fails({f'signatures/{number}.json': None}, path)

    def test_records(self):
        """REC-060: status, links and snapshot of a record are those of the ledger, whatever the manifest says."""
        files = self._files(self.order)
        name = 'revisions/0001/revision.json'
        row = json.loads(files[name])
        for field in row['values']:
            changed = json.loads(files[name])
            changed['values'][field] = {'id': 999999, 'name': "x"} if isinstance(row['values'][field], dict) else 'x'
            self._assert_fails(self._pack(self._reseal(dict(files, **{name: verify.canonical(changed)}))), name)
        document = json.loads(files['revisions/0001/document.json'])
        document['precautions'] = "None."
        self._assert_fails(
            self._pack(self._reseal(dict(files, **{'revisions/0001/document.json': verify.canonical(document)}))), name)
        name = next(key for key in files if key.endswith('snapshot.json'))
        snapshot = json.loads(files[name])
        snapshot['signatures'][0]['name'] = "Nobody"
        self._assert_fails(self._pack(self._reseal(dict(files, **{name: verify.canonical(snapshot)}))), 'order.json')

    # === READ BACK === #

    def _checker(self, record):
        """Make a bundle of ``record`` and return a checker that has read it."""
        file, _name = record._make_bundle(prints=False)
        self.addCleanup(file.close)
        status, checker = verify.check(f'/proc/self/fd/{file.fileno()}', io.StringIO(), quiet=True)
        self.assertEqual(status, 0)
        return checker

    def _compare(self, checker):
        self.env.flush_all()
        return list(Comparison(self.env.cr, checker))

    def test_compare(self):
        """REC-060: a bundle is found again in the database, also after life went on."""
        second = self._new_revision(self.revision)
        checkers = [self._checker(record) for record in (self.revision.mmr_id, self.revision, second, self.order, self.bpr)]
        for checker in checkers:
            comparison = Comparison(self.env.cr, checker)
            self.assertEqual(list(comparison), [])
            self.assertTrue(comparison.counts['lines'] and comparison.counts['records'], comparison.counts)
        self.assertTrue(all(comparison.counts.values()), comparison.counts)
        second.with_user(self.user_qc).action_confirm_overages()
        self._make_effective(second)
        self.started.action_record('comment', {'text': "Later."})
        self.started.action_report("Dropped", "The lid.")
        self._sign(self.order, 'stop', self.user_qc, comment="No more.")
        self.product.name = "Renamed"
        for checker in checkers:
            self.assertEqual(self._compare(checker), [])

    def test_compare_deleted_draft(self):
        """REC-060: that a draft was deleted in the ordinary way is a remark, as the ledger says so."""
        mmr = self._create_mmr(300).mmr_id
        checker = self._checker(mmr)
        mmr.with_user(self.user_preparer).unlink()
        self.assertEqual({finding.severity for finding in self._compare(checker)}, {'remark'})

    def test_compare_damaged(self):
        """REC-060: whatever of a bundle the database lost or changed since is named."""
        checker = self._checker(self.order)
        line = self.env['mrp.audit.entry'].sudo().search([
            ('res_model', '=', 'mrp.production'), ('res_id', '=', self.order.id)], order='index', limit=1)
        export = self.env['mrp.audit.entry'].sudo().search([('kind', '=', 'export')], limit=1)
        signature, file = self.revision.approved_signature_id, self.revision.pack_ids[:1].label_id.sudo().file_id
        cases = [
            (f"UPDATE mrp_audit_entry SET sha256 = 'x' WHERE id = {line.id}", ('mrp.audit.entry', line.id)),
            (f"DELETE FROM mrp_audit_entry WHERE id = {line.id}", ('mrp.audit.entry', None)),
            (f"UPDATE mrp_audit_chain SET res_id = 0 WHERE id = {line.chain_id.id}", ('mrp.production', self.order.id)),
            (f"DELETE FROM mrp_audit_entry WHERE id = {export.id}", ('mrp.mmr.revision', self.revision.id)),
            (f"UPDATE mrp_esignature SET comment = 'x' WHERE id = {signature.id}", ('mrp.esignature', signature.id)),
            (f"UPDATE mrp_esignature SET id = 999999 WHERE id = {signature.id}", ('mrp.esignature', signature.id)),
            (f"UPDATE mrp_mmr_file SET sha256 = md5(name) WHERE sha256 = '{file.sha256}'", ('mrp.mmr.file', None)),
            (f"UPDATE mrp_mmr_revision SET document_sha256 = 'x' WHERE id = {self.revision.id}",
             ('mrp.mmr.revision', self.revision.id)),
            (f"UPDATE mrp_production SET mmr_snapshot_sha256 = 'x' WHERE id = {self.order.id}",
             ('mrp.production', self.order.id)),
            (f"UPDATE mrp_production SET id = 999999 WHERE id = {self.order.id}", ('mrp.production', self.order.id)),
        ]
        self.env.flush_all()
        for statement, named in cases:
            with self.subTest(statement=statement), self.cr.savepoint(flush=False) as savepoint:
                drop_guards(self.cr, *set(re.findall(r'mrp_[a-z_]+(?= SET| WHERE)', statement)))
                self.cr.execute(statement)
                self.assertIn(named, {finding[:2] for finding in Comparison(self.cr, checker)})
                savepoint.rollback()
        self.assertEqual(self._compare(checker), [])

    def test_compare_damaged_batch(self):
        """REC-060, BPR-110: an entry, deviation, line or photo of a batch that the database lost since is named."""
        checker = self._checker(self.bpr)
        line = self.env['mrp.audit.entry'].sudo().search([('res_model', '=', 'mrp.bpr.entry')], order='index', limit=1)
        entry, file = self.started.entry_ids[-1:], self.started.entry_ids.file_id
        cases = [
            (f"UPDATE mrp_audit_entry SET sha256 = 'x' WHERE id = {line.id}", ('mrp.audit.entry', line.id)),
            (f"UPDATE mrp_bpr_entry SET id = 999999 WHERE id = {entry.id}", ('mrp.bpr.entry', entry.id)),
            (f"UPDATE mrp_deviation SET id = 999999 WHERE id = {self.deviation.id}", ('mrp.deviation', self.deviation.id)),
            (f"UPDATE mrp_mmr_file SET sha256 = md5(name) WHERE id = {file.id}", ('mrp.mmr.file', None)),
        ]
        self.env.flush_all()
        for statement, named in cases:
            with self.subTest(statement=statement), self.cr.savepoint(flush=False) as savepoint:
                drop_guards(self.cr, *set(re.findall(r'mrp_[a-z_]+(?= SET| WHERE)', statement)))
                self.cr.execute(statement)
                self.assertIn(named, {finding[:2] for finding in Comparison(self.cr, checker)})
                savepoint.rollback()
        self.assertEqual(self._compare(checker), [])

    def test_compare_older_database(self):
        """REC-060: a database that was restored from before the bundle was made lacks what came after; so does a forgery."""
        with self.cr.savepoint() as savepoint:
            second = self._new_revision(self.revision)
            checker = self._checker(self.revision.mmr_id)
            savepoint.rollback()
        named = {finding[:2] for finding in Comparison(self.cr, checker)}
        self.assertLessEqual({('mrp.mmr.revision', second.id), ('mrp.audit.entry', None)}, named)
        files = self._reseal(dict(self._files(self.revision), **{'README.txt': b'Forged.'}))
        with tempfile.NamedTemporaryFile(suffix='.zip') as file:
            file.write(self._pack(files))
            file.flush()
            status, checker = verify.check(file.name, io.StringIO())
            self.assertEqual(status, 0)
            self.assertEqual(["the export of this bundle" in finding.expected for finding in self._compare(checker)], [True])

    def test_command(self):
        """REC-060: the command checks a bundle alone, with its digest, and in a database; the exit status tells."""
        odoo_bin = [sys.executable, '-m', 'odoo', '--addons-path=' + ','.join(config['addons_path']), 'mrp_mmr', 'verify']
        options = [f'--{name}={config[name]}' for name in ('db_host', 'db_port', 'db_user') if config[name]]
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path))

        def run(*arguments):
            result = subprocess.run([*odoo_bin, *arguments], env=environment, capture_output=True, text=True, timeout=120,
                                    check=False)
            self.assertNotIn('Traceback', result.stderr)
            return result.returncode, result.stdout

        files = self._files(self.revision)
        digest = json.loads(files[verify.MANIFEST])['sha256']
        with tempfile.NamedTemporaryFile(suffix='.zip') as file:
            file.write(self._pack(files))
            file.flush()
            status, text = run('--bundle', file.name, '--manifest', digest)
            self.assertEqual(status, 0, text)
            self.assertIn('PASS', text)
            self.assertEqual(run('-b', file.name, '-m', '0' * 64)[0], 1)
            # What this test wrote is not committed: another process sees a database without it.
            status, text = run('-b', file.name, '-d', self.env.cr.dbname, *options)
            self.assertEqual(status, 1)
            self.assertRegex(text, r'PASSED database')
            self.assertRegex(text, r'FAILED bundle')
            file.seek(-100, os.SEEK_END)
            file.write(b'x')
            file.flush()
            self.assertEqual(run('-b', file.name)[0], 1)
        self.assertEqual(run('-b', '/nowhere.zip')[0], 2)

    # === BATCHES === #

    def _batch(self, files):
        name = next(key for key in files if key.endswith('/batch.json'))
        return name, json.loads(files[name])

    def test_batch_complete(self):
        """REC-050, BPR-010: a bundle has every step, entry, deviation, signature and photo of a batch, as the database has."""
        files = self._files(self.bpr)
        name, batch = self._batch(files)
        self.assertEqual(batch, self._batch(self._files(self.order))[1])
        steps = self.bpr.step_ids.sorted('sequence')
        self.assertEqual([step['planned'] for step in batch['steps']], steps.mapped('planned'))
        self.assertEqual([bool(step['done']) for step in batch['steps']], [step.state != 'open' for step in steps])
        self.assertEqual([step['done']['id'] for step in batch['steps'] if step['done']], (self.step | self.started).ids)
        entries = [entry for step in batch['steps'] for entry in step['entries']]
        self.assertEqual([entry['id'] for entry in entries], steps.entry_ids.sorted('id').ids)
        for entry in entries:
            record = self.env['mrp.bpr.entry'].browse(entry['id'])
            for field, value in entry['values'].items():
                found = record[field]
                with self.subTest(entry=entry['name'], field=field):
                    if record._fields[field].relational:
                        self.assertEqual(value and value['id'], found.id or None)
                    elif field not in ('at', 'data'):
                        self.assertEqual(value, found or None)
        self.assertEqual([part['id'] for part in batch['deviations']], self.deviation.ids)
        [photo], [comment] = (self.started.entry_ids.filtered(lambda entry, kind=kind: entry.kind == kind)
                              for kind in ('photo', 'comment'))
        self.assertEqual(base64.b64decode(GIF), files[f'files/{photo.file_id.sha256}.gif'])
        self.assertEqual([entry['values']['text'] for entry in entries if entry['id'] == comment.id], ["0"])
        signatures = self.env['mrp.esignature'].sudo().search([
            ('res_model', 'in', list(verify.BATCH_PARTS)), ('record_name', '!=', False)])
        self.assertEqual(set(signatures.mapped('res_model')), {'mrp.bpr', 'mrp.bpr.step', 'mrp.deviation'})
        self.assertLessEqual({f'signatures/{number}.json' for number in signatures.ids}, files.keys())
        status, text = self._verify(self._pack(files))
        self.assertEqual(status, 0)
        for part in (*(self.step | self.started), *steps.entry_ids, self.deviation):
            self.assertRegex(text, rf'PASS (step|entry|deviation) .*\({part._name},{part.id}\)')
        self.assertIn(f'PASS batch {name} ({self.bpr.name})', text)

    def test_batch_deviation(self):
        """BPR-140, BPR-150, REC-060: contributors, related batches and reprocessing are in the bundle, and none is left out."""
        deviation = self.env['mrp.deviation'].browse(
            self.step.with_user(self._person('operator')).action_report("Sieve torn", "At 10:15.", 'major'))
        quality = deviation.with_user(self.user_qc)
        quality.write({
            'procedure_id': self.env['mrp.sop'].search([], limit=1).id, 'scientific_reason': "Validated.", 'cause': "Wear."})
        self._sign(deviation, 'decide_adjust', self.user_qc, comment="Sieve again.")
        contributors = self.env['mrp.deviation.contributor'].with_user(self.user_qc).create([
            {'deviation_id': deviation.id, 'user_id': user.id, 'contribution': "It tore."}
            for user in (self._person('operator'), self._person('verifier'))])
        self._sign(contributors[0], 'contribute', self._person('operator'))
        contributors[1].unlink()
        rework = self.env['mrp.bpr.rework'].with_user(self._person('operator'))._record(
            deviation, self.bpr, "LUMPS", "2.5", self.kg, "Sieved again.")
        other = self._create_order()
        other.action_confirm()
        self._sign(other.bpr_id, 'issue', self._person('production'))
        self._train_all(other.bpr_id)
        other.bpr_id.step_ids.sorted('sequence')[0].with_user(self._person('operator')).action_start(acknowledged=True)
        quality.action_find_related()
        self.assertTrue(deviation.related_ids)
        files = self._files(self.bpr)
        status, text = self._verify(self._pack(files))
        self.assertEqual(status, 0, text[-1500:])
        path = next(name for name in files if name.endswith('/batch.json'))
        batch = json.loads(files[path])
        parts = {(part['model'], part['id']): part for part in batch['deviations']}
        for record in (deviation, contributors[0], deviation.related_ids, rework):
            self.assertIn((record._name, record.id), parts)
            left = [part for part in batch['deviations'] if (part['model'], part['id']) != (record._name, record.id)]
            self._assert_fails(self._pack(self._reseal({
                **files, path: verify.canonical(dict(batch, deviations=left))})), path)
        self.assertEqual(parts[rework._name, rework.id]['values']['quantity'], "2.5")

    def test_batch_values(self):
        """REC-050, AUD-040: a bundle says of a batch all that verification compares with the ledger."""
        for model in verify.BATCH_PARTS:
            self.assertLessEqual(set(LOGGED_COLUMNS[model]), set(verify.VALUES[model]), model)

    def _correct(self):
        """Correct the weight of the step that is done, by its author and a second person."""
        operator, entry = self._person('operator'), self.step.entry_ids.filtered(lambda entry: entry.kind == 'weight')
        answer = self.step.with_user(operator).action_record(
            'weight', {'value': '94.6', 'lot_id': entry.lot_id.id, 'lot_name': entry.lot_name},
            reason="Typed from the wrong line", corrects=entry.id)
        corrected = self.env['mrp.bpr.entry'].browse(answer['entry_id'])
        self._sign(corrected, 'corrected', operator)
        self._sign(corrected, 'verified', self._person('verifier'))
        self._sign(self.bpr.deviation_ids - self.deviation, 'decide', self.user_qc, comment="Within what is harmless.")
        return corrected

    def test_batch_life(self):
        """REC-050: batches that were not begun, are cancelled, corrected or done are handed out and pass, and keep names."""
        def passes(bpr):
            files = self._files(bpr)
            status, text = self._verify(self._pack(files))
            self.assertEqual(status, 0, text[-3000:])
            return self._batch(files)[1]

        new = self._create_order()
        new.action_confirm()
        self.assertEqual({step['done'] for step in passes(new.bpr_id)['steps']}, {None})
        new.action_cancel()
        self.assertEqual(passes(new.bpr_id)['values']['state'], 'cancel')
        corrected = self._correct()
        entries = passes(self.bpr)['steps'][0]['entries']
        self.assertEqual([entry['values']['supersedes_id'] and entry['values']['supersedes_id']['id'] for entry in entries],
                         [None, corrected.supersedes_id.id])
        self.assertEqual(entries[1]['values']['reason'], "Typed from the wrong line")
        self._record_step(self.started)
        self._sign_step(self.started)
        self._execute(self.order)
        self.assertEqual({step['done']['values']['state'] for step in passes(self.bpr)['steps']}, {'done'})
        self.order.button_mark_done()
        # What links are called may change; the copy has the names of the time.
        before = passes(self.bpr)
        self.assertEqual(before['values']['state'], 'done')
        self.started.started_by_id.sudo().name = "Married Now"
        self.product.name = "Renamed"
        self.assertEqual(passes(self.bpr.with_context(lang='fr_FR')), before)

    def test_batch_exported_step(self):
        """AUD-010, REC-060: a line about the export of a step that nobody worked on is no beginning of it."""
        self.bpr.step_ids.sorted('sequence')[-1].with_user(self.user_auditor).export_data(['name', 'state'])
        status, text = self._verify(self._pack(self._files(self.bpr)))
        self.assertEqual(status, 0, text[-2000:])
        self.env.flush_all()
        findings = [finding for finding in Verification(self.cr) if finding.model == 'mrp.bpr.step']
        self.assertEqual(findings, [])

    def test_batch_forged(self):
        """REC-060, BPR-110: a part of a batch that is left out, moved or altered fails by name, the manifest made to fit."""
        files = self._files(self.bpr)
        name, batch = self._batch(files)
        number = next(place for place, step in enumerate(batch['steps']) if step['entries'])
        photo = batch['steps'][1]['entries'][0]
        signed = next(field for field, value in batch['steps'][0]['done']['values'].items() if field.endswith('_signature_id'))

        def forge(change, named, rows=None):
            forged, manifest = json.loads(files[name]), json.loads(files[verify.MANIFEST])
            dropped = change(forged)
            manifest['records'] = [row for row in manifest['records'] if (row['model'], row['id']) != dropped]
            changed = {name: verify.canonical(forged), verify.MANIFEST: verify.canonical(manifest)}
            with self.subTest(named=named):
                self._assert_fails(self._pack(self._reseal(dict(files, **changed, **rows or {}))), named)

        def key(part):
            return part['model'], part['id']

        def of(part):
            return f"({part['model']},{part['id']})"

        entry, deviation = batch['steps'][number]['entries'][0], batch['deviations'][0]
        forge(lambda row: key(row['steps'][number]['entries'].pop(0)), of(entry))
        forge(lambda row: key(row['deviations'].pop()), of(deviation))
        forge(lambda row: row['steps'].pop() and None, name)
        forge(lambda row: row['steps'].reverse(), name)
        forge(lambda row: row['steps'][number]['planned'].update(name="Other"), name)
        forge(lambda row: row['steps'][1]['entries'].append(row['steps'][0]['entries'].pop(0)), name)
        forge(lambda row: row['deviations'].append(row['deviations'][0]), name)
        forge(lambda row: row['deviations'].append(dict(row['steps'][0]['entries'].pop(0))), name)

        def swap(row):
            first, second = row['steps'][:2]
            for part in ('done', 'entries'):
                first[part], second[part] = second[part], first[part]

        forge(swap, name)
        forge(lambda row: row.update(order='revisions/0001/revision.json'), name)
        forge(lambda row: row['values'].update(state='done'), name)
        for field in entry['values']:
            forge(lambda row, field=field: row['steps'][number]['entries'][0]['values'].update({field: 'x'}),
                  of(entry) if field != 'step_id' else name)
        forge(lambda row: row['steps'][number]['entries'][0]['values'].pop('value'), of(entry))
        forge(lambda row: row['steps'][number]['entries'][0].update(name="x"), of(entry))
        forge(lambda row: row['steps'][number]['entries'][0].update(data={'forged': 1}), of(entry))
        forge(lambda row: row['steps'][number]['entries'][0]['values']['user_id'].update(name="Nobody"), of(entry))
        comment = batch['steps'][1]['entries'][1]
        forge(lambda row: row['steps'][1]['entries'][1]['values'].update(text=None), of(comment))
        forge(lambda row: row['steps'][0]['done']['values'].update({signed: None}), of(batch['steps'][0]['done']))
        forge(lambda row: row['steps'][0].update(done=None), name)
        forge(lambda row: row['deviations'][0]['values'].update(state='open'), of(deviation))
        # Another photo, at a step that nobody signed yet.
        other = dict(photo['values']['file_id'], sha256=hashlib.sha256(b'other').hexdigest(), size=5)
        forge(lambda row: row['steps'][1]['entries'][0]['values'].update(file_id=other), of(photo),
              {verify.file_path(other): b'other'})
        # The whole file, and the record in the manifest.
        manifest = json.loads(files[verify.MANIFEST])
        manifest['records'] = [row for row in manifest['records'] if row['path'] != name]
        rest = {path: content for path, content in files.items() if path != name}
        self._assert_fails(self._pack(self._reseal(dict(rest, **{verify.MANIFEST: verify.canonical(manifest)}))), 'batch.json')

    def test_batch_of_another(self):
        """REC-060, BPR-010: a batch record or a chain of another order fails, the manifest made to fit."""
        other = self._create_order()
        other.action_confirm()
        self._begin_batch(other.bpr_id)
        mine, theirs = self._files(self.bpr), self._files(other.bpr_id)
        name, foreign = self._batch(mine)[0], self._batch(theirs)[0]
        manifest, there = json.loads(mine[verify.MANIFEST]), json.loads(theirs[verify.MANIFEST])
        self._assert_fails(self._pack(self._reseal(dict(mine, **{name: theirs[foreign]}))), name)
        manifest['records'] = [row for row in manifest['records'] if row['path'] != name] + [
            dict(row, path=name) for row in there['records'] if row['path'] == foreign]
        forged = dict(mine, **{name: theirs[foreign], verify.MANIFEST: verify.canonical(manifest)})
        self._assert_fails(self._pack(self._reseal(forged)), name)
        # With chain and signatures of the other order beside the own ones.
        known = {row['path'] for row in manifest['chains']}
        manifest['chains'] += [row for row in there['chains'] if row['path'] not in known]
        forged.update({path: content for path, content in theirs.items()
                       if path.startswith(('ledger/', 'signatures/', 'contents/', 'files/'))})
        forged[verify.MANIFEST] = verify.canonical(manifest)
        self._assert_fails(self._pack(self._reseal(forged)), name)

    def test_byte_names_record(self):
        """REC-060: one changed byte in what belongs to a record names that record."""
        files = self._files(self.bpr)
        photo = self.started.entry_ids.filtered(lambda entry: entry.kind == 'photo')
        names = {
            'revisions/': f"{self.revision.mmr_id.name} revision 1", 'orders/': self.order.name,
            'ledger/mrp.production': self.order.name, f'files/{photo.file_id.sha256}': f'(mrp.bpr.entry,{photo.id})',
            f'signatures/{self.bpr.issue_signature_id.id}.json': self.bpr.name,
            f'signatures/{self.step.performed_signature_id.id}.json': self.step.display_name,
            f'contents/{self.deviation.decision_signature_id.content_sha256}': self.deviation.name,
        }
        for path, named in names.items():
            found = [name for name in files if name.startswith(path)]
            self.assertTrue(found, path)
            for name in found:
                content = bytearray(files[name])
                content[len(content) // 2] ^= 1
                with self.subTest(name=name):
                    self._assert_fails(self._pack(dict(files, **{name: bytes(content)})), named)

    def test_batch_download(self):
        """REC-050, SEC-010: whoever reads a batch record and the audit trail downloads its bundle by the button of its form."""
        url = f'/mrp_mmr/bundle/mrp.bpr/{self.bpr.id}.zip?prints=0'
        self.authenticate('t_auditor', PASSWORD)
        response = self.url_open(url, timeout=120)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(self._verify(response.content)[0], 0)
        bpr = self.bpr.with_user(self.user_auditor)
        self.assertIn('name="action_download_bundle"', bpr.get_view(view_type='form')['arch'])
        self.assertEqual(bpr.action_download_bundle()['params'], {'model': 'mrp.bpr', 'id': self.bpr.id})
        digest = json.loads(zipfile.ZipFile(io.BytesIO(response.content)).read(verify.MANIFEST))['sha256']
        self.assertEqual(bpr.get_last_bundle(), {'name': self.bpr.name.replace('/', '-') + '.zip', 'digest': digest})
        line = self.env['mrp.audit.entry'].sudo().search([('kind', '=', 'export'), ('res_model', '=', 'mrp.bpr')], limit=1)
        self.assertEqual((line.res_id, line.user_id, line.chain_id.res_id), (self.bpr.id, self.user_auditor, self.order.id))
        new_test_user(self.env, login='t_stranger', password=PASSWORD, groups='stock.group_stock_user')
        self.authenticate('t_stranger', PASSWORD)
        self.assertEqual(self.url_open(url).status_code, 403)
        company = self.env['res.company'].create({'name': "Other"})
        foreigner = new_test_user(
            self.env, login='t_foreigner', groups='mrp_mmr.group_mmr_qc', company_id=company.id, company_ids=company.ids)
        for method in ('action_download_bundle', 'get_last_bundle', '_make_bundle'):
            with self.assertRaises(AccessError):
                getattr(self.bpr.with_user(foreigner), method)()

    def test_batch_print(self):
        """REC-050, RPT-020: the print of a batch record is in its bundle, where there is such a report."""
        self.env['ir.ui.view'].create({
            'name': "Batch", 'type': 'qweb', 'key': 'mrp_mmr.report_batch_tried',
            'arch': '<t t-name="mrp_mmr.report_batch_tried"><main><p t-out="docs.name"/></main></t>'})
        self.env['ir.actions.report'].create({
            'name': "Batch", 'model': 'mrp.bpr', 'report_type': 'qweb-pdf', 'report_name': 'mrp_mmr.report_batch_tried'})
        path = f"orders/{self.order.name.replace('/', '-')}/print.pdf"
        with patch.object(bundles, 'BATCH_PRINT', 'mrp_mmr.report_batch_tried'):
            files = self._files(self.bpr, prints=True)
        self.assertTrue(files[path].startswith(b'%PDF'))
        self.assertEqual(self._verify(self._pack(files))[0], 0)
        self._assert_fails(self._pack(dict(files, **{path: files[path] + b' '})), f'{path} ({self.order.name})')
        with patch.object(bundles, 'BATCH_PRINT', 'mrp_mmr.report_of_nothing'):
            self.assertNotIn(path, self._files(self.bpr, prints=True))

    # === HOSTILE === #

    def test_hostile(self):
        """REC-060: bombs, paths, depth, doubles, encryption, links and rubbish are refused, quickly and without a trace."""
        files = self._files(self.revision)

        def archive(rows, compression=zipfile.ZIP_STORED):
            target = io.BytesIO()
            with zipfile.ZipFile(target, 'w', compression) as out:
                for name, content in rows:
                    out.writestr(name, content)
            return target.getvalue()

        good = list(files.items())
        for name in ('../evil', '/etc/passwd', 'a/../../b', 'C:/x', 'a\\..\\b', 'con.txt', '.hidden', 'a//b', 'x\ny', 'é'):
            with self.subTest(name=name):
                self._assert_fails(archive([*good, (name, b'x')]))
        self._assert_fails(archive([*good, ('bomb.json', b'\0' * 50_000_000)], zipfile.ZIP_DEFLATED), 'bomb.json')
        self._assert_fails(archive([(f'f{number}', b'') for number in range(verify.MAX_FILES + 1)]))
        for content in (b'[' * 1_000_000, b'{"a":' * 100_000, b'1' * 1_000_000, b'\xff\xfe', b'', b'null', b'[]',
                        b'{"schema":1e999}', b'{"files":[],"schema":"mrp_mmr/bundle/1"}'):
            self._assert_fails(archive([*[row for row in good if row[0] != verify.MANIFEST], (verify.MANIFEST, content)]))
        with self.assertWarns(UserWarning):
            doubled = archive([*good, (verify.MANIFEST, files[verify.MANIFEST])])
        self._assert_fails(doubled, verify.MANIFEST)
        link = zipfile.ZipInfo('link')
        link.external_attr = 0o120777 << 16
        self._assert_fails(archive([*good, (link, b'/etc/passwd')]), 'link')
        whole = self._pack(files)
        for content in (b'', b'PK', whole[:-30], whole[:len(whole) // 2], b'\0' * 1000):
            self.assertIn(self._verify(content)[0], (1, 2))
        # The same bundle, packed anew by somebody's own tool, is still the same evidence.
        self.assertEqual(self._verify(archive(good, zipfile.ZIP_DEFLATED))[0], 0)
        status, text = self._verify(archive([*good, ('\x1b[2Jx', b'')]))
        self.assertEqual(status, 1)
        self.assertNotIn('\x1b', text)

    def _patch_entry(self, content, name, local, central):
        """Return a zip with other bytes in the two headers of one entry: offsets and bytes for each."""
        content = bytearray(content)
        place = content.rfind(b'PK\x01\x02', 0, content.rfind(name))
        [header] = struct.unpack_from('<L', content, place + 42)
        for start, changes in ((header, local), (place, central)):
            for offset, data in changes.items():
                content[start + offset:start + offset + len(data)] = data
        return bytes(content)

    def test_hostile_headers(self):
        """REC-060: entries that are encrypted, lie about their size or have names that are no text; zips within zips."""
        files = self._files(self.revision)
        whole = self._pack(dict(files, zz=b'x' * 1000))
        encrypted = self._patch_entry(whole, b'zz', {6: b'\1\0'}, {8: b'\1\0'})
        self._assert_fails(encrypted, 'zz: it is encrypted')
        for flags in (b'\0\0', b'\0\x08'):     # names in the old code page, and said to be UTF-8
            self._assert_fails(self._patch_entry(
                whole, b'zz', {6: flags, 30: b'\xff\xfe'}, {8: flags, 46: b'\xff\xfe'}))
        prints = 'verify.py'
        size = len(files[prints])
        whole = self._pack({name: files[name] for name in sorted(files, key=lambda name: name == prints)})
        for lie in (0, 1, size - 1, size + 1, 2 ** 31):
            with self.subTest(size=lie):
                told = struct.pack('<L', lie)
                self._assert_fails(self._patch_entry(whole, b'verify.py', {22: told}, {24: told}), prints)
                self._assert_fails(self._patch_entry(whole, b'verify.py', {}, {20: told, 24: told}))
        self._assert_fails(self._patch_entry(whole, b'verify.py', {30: b'renamed'}, {}), prints)
        deflated = io.BytesIO()
        with zipfile.ZipFile(deflated, 'w', zipfile.ZIP_DEFLATED) as out:
            for name, content in files.items():
                out.writestr(name, content)
            out.writestr('zz', b'\0' * 50_000_000)
        # Said to have ten bytes: no more than these are unpacked.
        told = struct.pack('<L', 10)
        self._assert_fails(self._patch_entry(deflated.getvalue(), b'zz', {22: told}, {24: told}), 'zz')
        self._assert_fails(self._pack(dict(files, **{'nested.zip': whole})), 'nested.zip')
        place = whole.rfind(b'PK\x05\x06')
        large = whole[:place + 12] + struct.pack('<L', 2 ** 31) + whole[place + 16:]
        self._assert_fails(large, 'bundle')
        self._assert_fails(whole[:place] + b'PK\x06\x07' + b'\0' * 16 + whole[place:], 'zip64')

    def test_fuzz(self):
        """REC-060: whatever bytes or values are changed, the checker says so, or the evidence is the same, and never breaks."""
        files, dice, passed = self._files(self.bpr), Random(4), 0
        whole = self._pack(files)
        for _number in range(150):
            changed = bytearray(whole)
            # The last part is the list of files: the most delicate one.
            first = dice.choice((0, len(whole) - 4000))
            for _change in range(dice.choice((1, 1, 8))):
                changed[dice.randrange(first, len(changed))] = dice.randrange(256)
            status, text = self._verify(bytes(changed))
            self.assertIn(status, (0, 1))
            self.assertNotIn('cannot be checked', text)
            if status == 0:
                passed += 1
                with zipfile.ZipFile(io.BytesIO(bytes(changed))) as archive:
                    self.assertEqual({name: archive.read(name) for name in archive.namelist()}, files)
        self.assertLess(passed, 75)
        names = [name for name in files if name.endswith(('.json', '.jsonl')) and not name.startswith('schemas/')]
        for _number in range(150):
            name = dice.choice(names)
            lines = files[name].splitlines()
            place = dice.randrange(len(lines))
            row = json.loads(lines[place])
            node = row
            while True:
                keys = list(node) if isinstance(node, dict) else range(len(node))
                key = dice.choice(keys)
                if not (isinstance(node[key], (dict, list)) and node[key] and dice.random() < 0.8):
                    break
                node = node[key]
            before = node[key]
            node[key] = dice.choice([None, True, -1, '', 'x', [], {}, [[]], {'a': []}, 10 ** 29, ['x', 1], '\ud7ff'])
            lines[place] = verify.canonical(row)
            forged = dict(files, **{name: b'\n'.join(lines) + (b'\n' if name.endswith('l') else b'')})
            status, text = self._verify(self._pack(forged if name == verify.MANIFEST else self._reseal(forged)))
            self.assertNotIn('cannot be checked', text)
            if node[key] != before and name != verify.MANIFEST:
                self.assertEqual(status, 1, (name, key, before, node[key]))

    def test_forged_chain_needs_manifest(self):
        """REC-060: whoever forges the whole bundle is found out by the digest that the audit trail has."""
        files = self._files(self.revision)
        entry = self.env['mrp.audit.entry'].sudo().search([('kind', '=', 'export')], limit=1)
        files['README.txt'] = b'Forged.'
        forged = self._pack(self._reseal(files))
        self.assertEqual(self._verify(forged)[0], 0)
        self.assertEqual(self._verify(forged, '--manifest', entry.values['manifest_sha256']['new'])[0], 1)
