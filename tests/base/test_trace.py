"""The evidence for a validation that comes with the addon: requirements, their tests, and how these ended (PRD-060)."""

import ast
import csv
import re
from pathlib import Path

from odoo.tests import TransactionCase, tagged
from odoo.tools.misc import file_open, file_path

#: Of a requirement, or of several: BPR-020 to BPR-050.
NAMED = re.compile(r'\b([A-Z]{3}-\d{3})\b(?:\s+to\s+([A-Z]{3}-\d{3})\b)?')
TRACE, REPORT = 'mrp_mmr/docs/traceability.md', 'mrp_mmr/docs/test_report.md'


@tagged('post_install', '-at_install')
class TestTrace(TransactionCase):

    def _read_tests(self):
        """Return the requirements that each test of the addon names, by class and test."""
        tests = {}
        for path in sorted(Path(file_path('mrp_mmr/tests')).rglob('test_*.py')):
            module = ast.parse(path.read_text(encoding='utf-8'))
            for cls in module.body:
                for function in getattr(cls, 'body', ()):
                    if isinstance(function, ast.FunctionDef) and function.name.startswith('test_'):
                        texts = (NAMED.findall(ast.get_docstring(node) or '') for node in (function, cls, module))
                        tests[cls.name, function.name] = next(filter(None, texts), [])
        return tests

    def test_every_requirement(self):
        """PRD-060: each requirement has a test, and each test a requirement."""
        with file_open('mrp_mmr/docs/requirements.csv') as file:
            known = [row['id'] for row in csv.DictReader(file)]
        tests = self._read_tests()
        self.assertGreater(len(tests), 900)
        self.assertEqual([test for test, names in tests.items() if not names], [])
        named = {name for names in tests.values() for first, last in names
                 for name in known if name[:3] == first[:3] and first <= name <= (last or first)}
        self.assertEqual(named, set(known))

    def test_pages(self):
        """PRD-060: trace and report of a released version say of which, when and on what they were made."""
        module = self.env['ir.module.module'].search([('name', '=', 'mrp_mmr')])
        with file_open(TRACE) as page, file_open(REPORT) as results:
            trace, report = page.read(), results.read()
        version = re.search(r'^Version ([\d.]+)\. Made by', trace, re.MULTILINE)[1]
        self.assertLessEqual(*([int(part) for part in text.split('.')] for text in (version, module.installed_version)))
        facts = dict(re.findall(r'^\| ([\w ]+) \| (.+) \|$', report, re.MULTILINE))
        self.assertEqual(facts['Addon'], f'mrp_mmr {version}')
        self.assertRegex(facts['Ended'], r'^\d{4}-\d\d-\d\d \d\d:\d\d UTC$')
        self.assertRegex(facts['Tests'], r'^\d+: \d+ passed')
        for name in ('Odoo', 'Python', 'PostgreSQL', 'Digest of its files'):
            self.assertTrue(facts[name], name)
        rows = re.findall(r'^\| `(\w+)\.(test_\w+)` \| ([^|]*) \| [^|]* \|$', report, re.MULTILINE)
        self.assertGreater(len(rows), 900)
        self.assertEqual([row for row in rows if not NAMED.search(row[2])], [])
