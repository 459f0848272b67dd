"""Refused imports leave a line, and secrets are in no log (H-36)."""

import logging

from odoo import SUPERUSER_ID, api
from odoo.service.model import call_kw
from odoo.tests import tagged

from ..common.base import PASSWORD, CommittedCase, MmrCommon


@tagged('post_install', '-at_install')
class TestImports(CommittedCase):

    def _refusals(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            return env['mrp.audit.entry'].search_count([('kind', '=', 'refused')])

    def test_refused_import(self):
        """H-36, SEC-010, AUD-010: what `load` refuses and reports is in the ledger, once for each refusal."""
        for model, fields, rows in (
                ('mrp.audit.entry', ['record_name'], [["x"]]),
                ('stock.lot', ['name', 'product_id/.id', 'mmr_status'], [["L-1", str(self.product), 'released']]),
                ('mrp.qualification', ['user_id/.id', 'kind'], [[str(self.users[0]), 'role']]),
                ('mrp.signer', ['user_id/.id', 'is_shared'], [[str(self.users[0]), 'True']])):
            before = self._refusals()
            result = self._run(SUPERUSER_ID, lambda env, model=model, fields=fields, rows=rows: env[model].load(fields, rows))
            with self.subTest(model=model):
                self.assertFalse(result['ids'])
                self.assertGreater(self._refusals(), before)

    def test_fine_import(self):
        """AUD-010: an import that goes through leaves no line of a refusal."""
        before = self._refusals()
        result = self._run(SUPERUSER_ID, lambda env: env['res.partner'].load(['name'], [[f"Partner {self.tag}"]]))
        self.assertTrue(result['ids'])
        self.assertEqual(self._refusals(), before)


@tagged('post_install', '-at_install')
class TestLog(MmrCommon):

    def test_debug(self):
        """H-36, SIG-080: passwords of calls are not logged at DEBUG, whichever method takes them."""
        revision = self._create_mmr()
        secret = f"{PASSWORD}-only-here"
        calls = (
            ('mrp.mmr.revision', 'esign', [[revision.id], 'submit', {'login': 't_preparer', 'password': secret}, '0' * 64]),
            ('res.users', 'mmr_set_signing_password', [[self.user_preparer.id], secret, f"{secret}-new"]),
            ('res.users', 'change_password', [secret, f"{secret}-new"]),
            ('res.users', 'write', [[self.user_preparer.id], {'password': secret}]))
        for model, method, args in calls:
            with self.subTest(method=method), self.assertLogs('odoo', logging.DEBUG) as caught:
                logging.getLogger('odoo.service.model').setLevel(logging.DEBUG)
                logging.getLogger('odoo.service.model').debug("begin")
                with self.cr.savepoint() as savepoint:
                    try:
                        call_kw(self.env[model].with_user(self.user_preparer), method, args, {})
                    except Exception as error:
                        self.assertTrue(str(error) or True)
                    savepoint.rollback()
            self.assertFalse([line for line in caught.output if secret in line])
        with self.assertLogs('odoo.service.model', logging.DEBUG) as caught:
            call_kw(self.env['res.partner'], 'search_count', [[('name', '=', "Shown")]], {})
        self.assertIn("Shown", ' '.join(caught.output))
