"""The evidence for a validation that comes with the addon: requirements, their tests, and how these ended (PRD-060)."""

import csv
import re

from odoo.tests import TransactionCase, tagged
from odoo.tools.misc import file_open

PAGE = 'mrp_mmr/docs/traceability.md'
REPORT = 'mrp_mmr/docs/test_report.md'


@tagged('post_install', '-at_install')
class TestTrace(TransactionCase):

    def _read(self, name):
        with file_open(name) as file:
            return file.read()

    def test_every_requirement(self):
        """PRD-060: each requirement has a row with tests that exist; no row is about anything else."""
        with file_open('mrp_mmr/docs/requirements.csv') as file:
            known = [row['id'] for row in csv.DictReader(file)]
        rows = dict(re.findall(r'^\| \*\*([A-Z]{3}-\d{3})\*\* .*? \| ([^|]*) \| [^|]* \|$', self._read(PAGE), re.MULTILINE))
        self.assertEqual(list(rows), known)
        sources = {}
        for name, tests in rows.items():
            groups = re.findall(r'(test_\w+\.py): ((?:`\w+`(?:, )?)+)', tests)
            self.assertTrue(groups, f"{name} has tests")
            for file, functions in groups:
                source = sources.setdefault(file, self._read(f'mrp_mmr/tests/{file}'))
                for function in re.findall(r'`(\w+)`', functions):
                    self.assertIn(f'def {function}(', source, f"{name} in {file}")

    def test_installed_version(self):
        """PRD-060: trace and report are those of the installed version; the report says when and on what it was made."""
        module = self.env['ir.module.module'].search([('name', '=', 'mrp_mmr')])
        self.assertIn(f"\nVersion {module.installed_version}. ", self._read(PAGE))
        facts = dict(re.findall(r'^\| ([\w ]+) \| (.+) \|$', self._read(REPORT), re.MULTILINE))
        self.assertEqual(facts['Addon'], f'mrp_mmr {module.installed_version}')
        self.assertRegex(facts['Ended'], r'^\d{4}-\d\d-\d\d \d\d:\d\d UTC$')
        self.assertRegex(facts['Tests'], r'^\d+: \d+ passed')
        for name in ('Odoo', 'Python', 'PostgreSQL', 'Digest of its files'):
            self.assertTrue(facts[name], name)

    def test_every_test(self):
        """PRD-060: no test is without a requirement: the report, of whichever run, names one for each."""
        rows = re.findall(r'^\| `(\w+)\.(test_\w+)` \| ([^|]*) \| [^|]* \|$', self._read(REPORT), re.MULTILINE)
        self.assertGreater(len(rows), 900)
        self.assertEqual([row for row in rows if not re.search(r'[A-Z]{3}-\d{3}', row[2])], [])
