"""What the pages for readers say about rules: each names requirements that exist and have tests."""

import csv
import re

from odoo.tests import TransactionCase, tagged
from odoo.tools.misc import file_open, file_path

ID = r'[A-Z]{3}-\d{3}'


@tagged('post_install', '-at_install')
class TestDocs(TransactionCase):

    def _read(self, name):
        with file_open(f'mrp_mmr/{name}') as file:
            return file.read()

    def test_enforced(self):
        """PRD-060: each row of what is enforced names requirements, and each of them is in the table and has tests."""
        rows = [[cell.strip() for cell in line.strip('|').split('|')]
                for line in self._read('docs/enforced.md').splitlines() if line.startswith('| ')][1:]
        self.assertGreater(len(rows), 40)
        known = {row['id'] for row in csv.DictReader(self._read('docs/requirements.csv').splitlines())}
        traced = dict(re.findall(rf'^\| \*\*({ID})\*\* \|.*\| ([^|]*) \|$', self._read('docs/where.md'), re.MULTILINE))
        self.assertEqual(traced.keys(), known)
        for rule, requirements, citation, orm, _sql in rows:
            with self.subTest(rule=rule):
                self.assertTrue(citation and orm)
                self.assertRegex(requirements, rf'^{ID}(, {ID})*$')
                for name in requirements.split(', '):
                    self.assertIn(name, known)
                    self.assertNotEqual(traced[name], '–', f"{name} has tests")
                    for path in traced[name].split('<br>'):
                        self.assertIn('def test_', self._read(f'tests/{path}'))

    def test_links(self):
        """PRD-060: a page that is named by another one is there."""
        pages = ('README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'schema/README.md', *(
            f'docs/{name}.md' for name in ('user_guide', 'demonstration', 'enforced', 'verification', 'where', 'roles')))
        links = [(page, link) for page in pages for link in re.findall(r'\]\(([^)#\s]+)', self._read(page))
                 if '://' not in link]
        self.assertGreater(len(links), 60)
        for page, link in links:
            with self.subTest(page=page, link=link):
                folder = page.rpartition('/')[0]
                self.assertTrue(file_path(f'mrp_mmr/{folder}/{link}' if folder else f'mrp_mmr/{link}'))
