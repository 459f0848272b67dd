"""Inspection pack: everything about a product in a period, with an index that resolves and a check that finds forgeries."""

import csv
import io
import json
import tempfile
import zipfile
from datetime import date
from pathlib import Path

from freezegun import freeze_time
from lxml import html
from pypdf import PdfReader

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from odoo.addons.mrp_mmr.verification import verify
from odoo.addons.mrp_mmr.verification.compare import Comparison

from ..common.payloads import find_faults
from ..common.quality import QualityCommon


@tagged('post_install', '-at_install')
class TestInspectionPack(QualityCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._prepare()

    @classmethod
    def _prepare(cls):
        """Approve the review of the year: the period of the pack lies in it."""
        cls.review = cls._create_review()
        with freeze_time("2031-02-01 08:00:00"):
            cls._sign(cls.review, 'prepare', cls._person('quality_manager'))
            cls._sign(cls.review, 'approve', cls.user_qc)
        cls.env.flush_all()

    def _wizard(self, user=None, date_from='2030-04-01', date_to='2030-06-30'):
        return self.env['mrp.inspection.pack'].with_user(user or self.user_auditor).create({
            'product_ids': self.product.ids, 'date_from': date_from, 'date_to': date_to})

    def _make(self, prints=False, **kwargs):
        """Return the files of a pack by name, and its name."""
        file, name = self._wizard(**kwargs)._make_bundle(prints=prints)
        with file, zipfile.ZipFile(file) as archive:
            return {info.filename: archive.read(info) for info in archive.infolist()}, name

    def _zip(self, files):
        out = io.BytesIO()
        with zipfile.ZipFile(out, 'w') as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return out.getvalue()

    def _verify(self, files):
        """Run the checker; return its exit status, what it printed, and itself."""
        file = tempfile.NamedTemporaryFile(suffix='.zip')       # noqa: SIM115 (the checker reads it later)
        self.addCleanup(file.close)
        file.write(self._zip(files))
        file.flush()
        out = io.StringIO()
        status, checker = verify.check(file.name, out)
        return status, out.getvalue(), checker

    def _rows(self, files):
        return list(csv.DictReader(io.StringIO(files['index.csv'].decode())))

    def test_three_batches(self):
        """PRD-100, REC-050: a period with three batches has three batch records; every entry of the index resolves."""
        files, name = self._make(prints=True)
        self.assertEqual(name, "pack-VC500-2030-04-01-2030-06-30")
        rows = self._rows(files)
        batches = {row['number'] for row in rows if row['kind'] == 'batch'}
        self.assertEqual(batches, set(self.batches[3:6].mapped('name')))
        self.assertEqual({row['path'] for row in rows if row['kind'] == 'batch'}, {
            f"orders/{order.name.replace('/', '-')}/{file}" for order in self.batches[3:6].production_id
            for file in ('batch.json', 'order.json', 'print.pdf', 'snapshot.json')})
        self.assertEqual({row['number'] for row in rows if row['kind'] == 'revision'},
                         {f"{self.first.mmr_id.name} rev. {revision}" for revision in (1, 2)})
        self.assertEqual({row['title'] for row in rows if row['kind'] == 'deviation'},
                         {"Assay out of specification", "Glass found"})
        self.assertEqual({row['number'] for row in rows if row['kind'] == 'capa'}, {self.capa.name})
        self.assertEqual({row['number'] for row in rows if row['kind'] == 'review'}, {self.review.name})
        for row in rows:
            self.assertIn(row['path'], files)
            self.assertEqual(verify.sha256(files[row['path']]), row['sha256'])
        links = html.fromstring(files['index.html'].decode()).xpath('//a/@href')
        self.assertEqual(sorted(links), sorted(row['path'] for row in rows))
        prints = [path for path in files if path.endswith('.pdf')]
        self.assertEqual(len(prints), 3 + 2 + 2 + 1 + 1)
        for path in prints:
            self.assertTrue(PdfReader(io.BytesIO(files[path])).pages, path)
        status, text, checker = self._verify(files)
        self.assertEqual(status, 0, text[-2000:])
        self.assertIn(f"PASS batch orders/{self.batches[3].production_id.name.replace('/', '-')}/batch.json", text)
        self.assertEqual(list(Comparison(self.env.cr, checker)), [])
        self.assertEqual(files['verify.py'], Path(verify.__file__).read_bytes())

    def test_forged(self):
        """PRD-100, REC-060: one changed byte anywhere is found, and the record that it is of is named."""
        files, _name = self._make()
        self.assertEqual(self._verify(files)[0], 0)
        order = self.batches[4].production_id.name.replace('/', '-')
        for path, named in (
                (f'orders/{order}/batch.json', self.batches[4].name), (f'orders/{order}/snapshot.json', order),
                ('index.csv', 'index.csv'), ('index.html', 'index.html'),
                *((path, part) for path in files for start, part in (
                    ('capa/', self.capa.name), ('reviews/', self.review.name), ('excerpts/', 'excerpts/'),
                    ('ledger/', 'ledger')) if path.startswith(start))):
            content = bytearray(files[path])
            content[len(content) // 2] ^= 1
            with self.subTest(path=path):
                status, text, _checker = self._verify({**files, path: bytes(content)})
                self.assertEqual(status, 1)
                failures = [line for line in text.splitlines() if line.startswith('FAIL')]
                self.assertTrue(any(named in line for line in failures), failures[:5])

    def _reseal(self, files):
        """Make the manifest, and the digests of the index, fit what was forged, as a forger would."""
        rows = self._rows(files)
        for row in rows:
            row['sha256'] = verify.sha256(files[row['path']]) if row['path'] in files else row['sha256']
        out = io.StringIO(newline='')
        writer = csv.DictWriter(out, rows[0], lineterminator='\n')
        writer.writeheader()
        writer.writerows(rows)
        files = {**files, 'index.csv': out.getvalue().encode()}
        manifest = json.loads(files['manifest.json'])
        manifest['files'] = [
            {'path': path, 'size': len(content), 'sha256': verify.sha256(content)}
            for path, content in sorted(files.items()) if path != 'manifest.json']
        body = {key: value for key, value in manifest.items() if key != 'sha256'}
        return {**files, 'manifest.json': verify.canonical(dict(body, sha256=verify.sha256(verify.canonical(body))))}

    def test_forged_whole(self):
        """REC-060, AUD-040: what was forged with digests that fit is found by ledger, signatures and plan."""
        files, _name = self._make()
        self.assertEqual(self._verify(self._reseal(files))[0], 0)
        order = self.batches[4].production_id.name.replace('/', '-')
        record = f"capa/{self.capa.name.replace('/', '-')}/record.json"
        review = f"reviews/{self.review.name.replace('/', '-')}/record.json"

        def changed(path, change):
            content = json.loads(files[path])
            change(content)
            return {**files, path: verify.canonical(content)}

        excerpt = next(path for path in files if path.startswith('excerpts/'))
        forgeries = {
            'state': changed(record, lambda row: row['values'].update(state='closed')),
            'part': changed(record, lambda row: row['parts'].clear()),
            'conclusion': changed(review, lambda row: row['values'].update(conclusion="Better")),
            'document': changed(review, lambda row: row.update(document=None)),
            'batch': {path: content for path, content in files.items() if not path.startswith(f'orders/{order}/')},
            'excerpt': {**files, excerpt: b''.join(files[excerpt].splitlines(True)[1:])},
            'order': {**files, excerpt: b''.join(reversed(files[excerpt].splitlines(True)))},
            'index': {path: content for path, content in files.items() if not path.endswith('figures.xlsx')},
        }
        for name, forged in forgeries.items():
            with self.subTest(forgery=name):
                status, text, _checker = self._verify(self._reseal(forged))
                self.assertEqual(status, 1, text[-500:])

    def test_access(self):
        """PRD-100, SEC-010: Quality Control and auditors make packs, which is logged with the digest; nobody else does."""
        for user in (self.user_operator, self.user_preparer, self.user_planner, self._person('production')):
            with self.assertRaises(AccessError):
                self._wizard(user)._make_bundle(prints=False)
        for user in (self.user_auditor, self.user_qc):
            wizard = self._wizard(user)
            file, name = wizard._make_bundle(prints=False)
            with file, zipfile.ZipFile(file) as archive:
                digest = json.loads(archive.read('manifest.json'))['sha256']
            self.assertEqual(wizard.get_last_bundle(), {'name': f'{name}.zip', 'digest': digest})
            line = self.env['mrp.audit.entry'].search([('kind', '=', 'export')], order='id desc', limit=1)
            self.assertEqual((line.res_model, line.res_id, line.user_id), ('mrp.mmr', self.first.mmr_id.id, user))
        wizard = self.env['mrp.inspection.pack'].with_user(self.user_qc).create({'product_ids': self.component_other.ids})
        with self.assertRaisesRegex(UserError, "PRD-100"):
            wizard._make_bundle(prints=False)

    def test_form(self):
        """PRD-100, PRD-090: the dialog counts what it will hand out, and hands it to the download."""
        with freeze_time("2030-12-31"):
            form = Form(self.env['mrp.inspection.pack'].with_user(self.user_auditor))
            self.assertEqual((form.date_from, form.date_to), (date(2030, 1, 1), date(2030, 12, 31)))
            form.product_ids.add(self.product)
            self.assertEqual((form.batch_count, form.deviation_count), (12, 5))
            form.with_prints = False
            action = form.save().action_make()
        self.assertEqual(action['params']['model'], 'mrp.inspection.pack')
        self.assertFalse(action['params']['prints'])

    def test_stranger(self):
        """PRD-100: a deviation of a batch of before, and a year of batches with all that happened, verify."""
        files, _name = self._make(date_from='2030-01-01', date_to='2030-12-31')
        rows = self._rows(files)
        self.assertEqual(len({row['number'] for row in rows if row['kind'] == 'batch'}), 12)
        complaint = next(row for row in rows if row['kind'] == 'deviation' and row['title'] == "Lumps"
                         and row['path'].endswith('record.json'))
        self.assertEqual(json.loads(files[complaint['path']])['values']['source'], 'complaint')
        status, text, checker = self._verify(files)
        self.assertEqual(status, 0, '\n'.join(line for line in text.splitlines() if line.startswith('FAIL'))[:2000])
        self.assertEqual(list(Comparison(self.env.cr, checker)), [])

    def test_schemas(self):
        """PRD-100, REC-050: records, CAPA and quality reviews of a pack fit the schemas in it."""
        files, _name = self._make(date_from='2030-01-01', date_to='2030-12-31')
        self.assertLessEqual({f'schemas/{name}.schema.json' for name in ('record', 'quality_review', 'capa')}, files.keys())
        rows = [self.review.document, self.capa._get_document(), *(
            json.loads(content) for path, content in files.items() if path.endswith('/record.json'))]
        self.assertEqual(
            {row['schema'] for row in rows}, {'mrp_mmr/bundle-record/1', 'mrp_mmr/quality_review/1', 'mrp_mmr/capa/1'})
        for row in rows:
            self.assertEqual(find_faults(row), [])

    def test_nothing(self):
        """PRD-100: a period without a batch gives a pack of the revisions in force, which verifies."""
        files, _name = self._make(date_from='2029-12-21', date_to='2029-12-31')
        self.assertEqual({row['kind'] for row in self._rows(files)}, {'revision'})
        self.assertIn(b"<p>none</p>", files['index.html'])
        self.assertEqual(self._verify(files)[0], 0)

    def test_too_large(self):
        """PRD-100: what the checker would not take is refused before it is made."""
        self.patch(verify, 'MAX_FILES', 50)
        with self.assertRaisesRegex(UserError, "shorter periods"):
            self._make()
