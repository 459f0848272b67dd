"""A database that is older than the ledger passes after an update, once; what is forged later is found all the same."""

import io
import tempfile
import zipfile
from contextlib import contextmanager

from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.mrp_mmr.verification import verify
from odoo.addons.mrp_mmr.verification.bundle import Archive, Bundle
from odoo.addons.mrp_mmr.verification.records import Verification

from ..common.base import enrol, fill_content
from .test_evidence_kept import EvidenceCommon

#: What a database of before the ledger does not have.
LEDGER = ('mrp_audit_entry', 'mrp_audit_seal', 'mrp_audit_chain', 'mrp_signer_acceptance')


@tagged('post_install', '-at_install')
class TestBaseline(EvidenceCommon):

    def _findings(self):
        self.env.flush_all()
        return [finding[:2] for finding in Verification(self.env.cr)]

    @contextmanager
    def _behind_the_back(self, *tables):
        """Change tables as a database administrator could: with the triggers of the addon switched off."""
        for table in tables:
            self.env.cr.execute(SQL("ALTER TABLE %s DISABLE TRIGGER USER", SQL.identifier(table)))
        yield self.env.cr
        for table in tables:
            self.env.cr.execute(SQL("ALTER TABLE %s ENABLE TRIGGER USER", SQL.identifier(table)))
        self.env.invalidate_all()

    def _forget_the_ledger(self):
        """Make of this database one of before the ledger."""
        self.env.flush_all()
        with self._behind_the_back(*LEDGER) as cr:
            for table in LEDGER:
                cr.execute(SQL("DELETE FROM %s", SQL.identifier(table)))

    def _take_baseline(self):
        """Do what each installation and update of the addon does, and return the lines of the baseline that it made."""
        last = self.env['mrp.audit.entry'].sudo().search([], limit=1)
        self.env['mrp.audit.entry'].sudo()._take_baseline()
        return self.env['mrp.audit.entry'].sudo().search(
            [('id', '>', last.id or 0), ('kind', '=', 'baseline')], order='id')

    def test_installed(self):
        """AUD-040: a database that was installed with the ledger closed its baseline with its first line, for good."""
        first = self.env['mrp.audit.entry'].sudo().search([('kind', '=', 'baseline')], order='id')
        self.assertEqual((len(first), first.res_model, first.index), (1, 'res.company', 1))
        self.assertEqual(first.values['lines'], {'new': 0})
        self.assertFalse(self._take_baseline())

    def test_older_database(self):
        """AUD-040, REC-060: a database of before the ledger verifies after the update, and goes on with it."""
        self._sign(self.reviewer, 'switch_off', self.user_qc, comment="Preparer and Quality Control are enough.")
        draft = self._create_mmr(500)
        fill_content(draft, self.component_other)
        draft.with_user(self.user_qc).action_confirm_overages()
        self._sign(draft, 'submit', self.user_preparer)
        self._sign(draft, 'reject', self.user_qc, comment="Once more.")
        self._forget_the_ledger()
        found = set(self._findings())
        for record in (self.revision, self.revision.mmr_id, self.label, self.order, draft,
                       self.revision.prepared_signature_id, self.label.approved_signature_id):
            self.assertIn((record._name, record.id), found)
        lines = self._take_baseline()
        self.assertEqual(set(lines.mapped('kind')), {'baseline'})
        self.assertEqual(self._findings(), [])
        # Each record has one line with all values, on the chain where its later lines go.
        self.assertEqual(len({(line.res_model, line.res_id) for line in lines}), len(lines))
        component = self.revision.bom_line_ids[:1]
        line = lines.filtered(lambda line: (line.res_model, line.res_id) == ('mrp.bom.line', component.id))
        self.assertEqual(line.values['gmp_qty'], {'new': '94.5'})
        self.assertEqual((line.chain_id.res_model, line.chain_id.res_id), ('mrp.mmr', self.revision.mmr_id.id))
        self.assertIn("Older than the ledger", line.reason)
        for owner in (self.revision.mmr_id, self.order):
            first = lines.filtered(lambda line, owner=owner: (line.chain_id.res_model, line.chain_id.res_id) == (
                owner._name, owner.id)).sorted('index')[0]
            self.assertEqual((first.res_model, first.res_id, first.index), (owner._name, owner.id, 1))
        # A bill of materials of no MMR is Odoo's own business; a draft order is a plan.
        plain = self.env['mrp.bom'].create({'product_tmpl_id': self.component_other.product_tmpl_id.id})
        self.assertFalse(lines.filtered(lambda line: (line.res_model, line.res_id) == ('mrp.bom', plain.id)))
        self.assertEqual(lines[-1].res_model, 'res.company')
        self.assertEqual(lines[-1].values['lines'], {'new': len(lines) - 1})
        # Tests that commit may have left others.
        orders = self.env['mrp.production'].search([('mmr_snapshot_sha256', '!=', False)])
        self.assertIn(self.order, orders)
        self.assertEqual(lines[-1].values['mrp.production'], {'new': len(orders)})
        # Life goes on: changes, signatures, orders.
        enrol(self.user_preparer | self.user_qc)
        draft.with_user(self.user_preparer).precautions = "Dust."
        self._make_effective(draft)
        self._new_revision(self.revision).with_user(self.user_preparer).precautions = "Dust."
        self._create_order().action_confirm()
        self.assertEqual(self._findings(), [])
        self.assertFalse(self._take_baseline())

    def test_bundle(self):
        """REC-060: a bundle of what is older than the ledger passes; another signature than the one taken over fails."""
        self._forget_the_ledger()
        self._take_baseline()
        for record in (self.revision, self.order, self.revision.mmr_id):
            files = self._make_files(record)
            self.assertEqual(self._check(files), [])
        name = f'signatures/{self.revision.approved_signature_id.id}.json'
        row = verify.parse(files[name])
        row['signed']['comment'] = "Forged."
        row['signature_sha256'] = verify.sha256(verify.canonical(row['signed']))
        failed = self._check(dict(files, **{name: verify.canonical(row)}))
        self.assertTrue([line for line in failed if name in line and "the key of its signer did not make" in line], failed)

    def _make_files(self, record):
        with tempfile.TemporaryFile() as file:
            Bundle(record, prints=False).make(file)
            with zipfile.ZipFile(file) as archive:
                return {name: archive.read(name) for name in archive.namelist()}

    def _check(self, files):
        """Return what the checker of bundles says against ``files``, the digests of the manifest left aside."""
        out = io.StringIO()
        with tempfile.NamedTemporaryFile(suffix='.zip') as file:
            archive = Archive(file, '2026-01-01T00:00:00Z')
            for name, content in files.items():
                archive.write(name, content)
            archive.close()
            file.flush()
            verify.main([file.name], out)
        lines = out.getvalue().splitlines()
        return [
            line for line in lines
            if line.startswith('FAIL') and not line.startswith('FAIL file') and ' failed' not in line]

    def test_forged_later(self):
        """AUD-040: no update takes over what was put into a table outside the ledger after the baseline."""
        self._forget_the_ledger()
        self._take_baseline()
        cr = self.env.cr
        cr.execute("""INSERT INTO mrp_mmr_label (code, version, name, company_id, state, location, create_date)
                      VALUES ('FORGED', '1', 'x', %s, 'draft', 'x', '2020-01-01') RETURNING id""", [self.company.id])
        label = ('mrp.mmr.label', cr.fetchone()[0])
        with self._behind_the_back('mrp_esignature'):
            cr.execute("""
                INSERT INTO mrp_esignature (res_model, res_id, record_name, company_id, user_id, partner_id, signer_name,
                            signer_login, signer_role, meaning, statement, signed_at, signer_tz, content, content_sha256,
                            signature_sha256, create_date)
                SELECT res_model, res_id, record_name, company_id, user_id, partner_id, signer_name, signer_login,
                       signer_role, meaning, statement, signed_at, signer_tz, content, content_sha256, signature_sha256,
                       '2020-01-01'
                  FROM mrp_esignature WHERE id = %s RETURNING id""", [self.revision.prepared_signature_id.id])
            signature = ('mrp.esignature', cr.fetchone()[0])
        key = self.env['mrp.signer.key']._get_in_force(self.revision.prepared_signature_id.user_id)
        for _update in range(2):
            self.assertFalse(self._take_baseline())
            # The signature and the row beside it; and the key of the person, whose last signature is another one.
            self.assertEqual(set(self._findings()), {label, signature, ('mrp.signer.key', key.id)})

    def test_forged_line(self):
        """AUD-040: a line that takes a record over after the baseline is found, and a second closing line as well."""
        entries = self.env['mrp.audit.entry']
        self.env['mrp.audit.entry']._append([{
            'chain': self.revision.mmr_id, 'kind': 'baseline', 'model': 'mrp.bom.line', 'res_id': 99999999,
            'record_name': "Forged", 'values': {'gmp_qty': {'new': '1'}}}])
        forged = entries.sudo().search([('record_name', '=', "Forged")])
        closing = entries.sudo().search([('kind', '=', 'baseline'), ('res_model', '=', 'res.company')])
        self.assertEqual(set(self._findings()), {('mrp.audit.entry', forged.id), ('mrp.audit.entry', closing.id)})
        self._forget_the_ledger()
        lines = self._take_baseline()
        for _again in range(2):
            entries._append([{
                'chain': self.company, 'kind': 'baseline', 'model': 'res.company', 'res_id': self.company.id,
                'record_name': "Again", 'values': lines[-1].values}])
        self.assertEqual(len(self._findings()), 2)

    def test_begun_ledger(self):
        """AUD-040: where there is a ledger without a baseline, only what is older than the ledger is taken over."""
        self._forget_the_ledger()
        cr = self.env.cr
        cr.execute("UPDATE mrp_mmr_label SET create_date = '2020-01-01' WHERE id = %s", [self.label.id])
        self.env['mrp.audit.entry']._append_about('print', self.document)
        cr.execute("""INSERT INTO mrp_mmr_label (code, version, name, company_id, state, location, create_date)
                      VALUES ('FORGED', '1', 'x', %s, 'draft', 'x', now() + interval '1 hour') RETURNING id""",
                   [self.company.id])
        forged = cr.fetchone()[0]
        cr.execute("UPDATE mrp_sop SET create_date = NULL")
        lines = self._take_baseline().filtered(lambda line: line.res_model in ('mrp.mmr.label', 'mrp.sop'))
        self.assertIn(self.label.id, lines.mapped('res_id'))
        self.assertNotIn(forged, lines.mapped('res_id'))
        self.assertEqual(set(lines.mapped('res_model')), {'mrp.mmr.label'})
        self.assertIn(('mrp.mmr.label', forged), self._findings())

    def test_batches(self):
        """AUD-040: records are taken over in batches, each once, with a number of queries that follows the batches."""
        self.env['mrp.sop'].create([{'code': f"B-{number}", 'name': "Document"} for number in range(25)])
        self._forget_the_ledger()
        self.patch(self.env.registry['mrp.audit.entry'], '_baseline_batch', 7)
        lines = self._take_baseline()
        self.assertEqual(len({(line.res_model, line.res_id) for line in lines}), len(lines))
        self.assertEqual(self._findings(), [])
