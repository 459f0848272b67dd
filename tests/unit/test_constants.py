"""Codes that stand again in JavaScript are those of the server (BPR-080)."""

import re
import unittest
from pathlib import Path

from odoo.addons.mrp_mmr.domain.step_kinds import LABEL_USES, MATERIAL_USES, RETESTED, STEP_KINDS
from odoo.addons.mrp_mmr.domain.step_states import CLOSED, VERIFIES

FLOOR = Path(__file__).resolve().parents[2] / 'static' / 'src' / 'floor'


class TestConstants(unittest.TestCase):

    def get(self, name):
        """Return the body of a constant of constants.js."""
        found = re.search(rf'^export const {name} = [\[{{](.*?)[\]}}];$', (FLOOR / 'constants.js').read_text(), re.M | re.S)
        self.assertTrue(found, name)
        return found[1]

    def test_lists(self):
        """What the floor decides by is what the server decides by."""
        for name, codes in (('CLOSED', CLOSED), ('RETESTED', RETESTED), ('LABEL_USES', LABEL_USES),
                            ('MATERIAL_USES', MATERIAL_USES)):
            with self.subTest(name=name):
                self.assertEqual(sorted(re.findall(r'"(\w+)"', self.get(name))), sorted(codes))

    def test_verifies(self):
        """VER-010, VER-020: whose work a signature verifies."""
        self.assertEqual(dict(re.findall(r'(\w+): "(\w+)"', self.get('VERIFIES'))), VERIFIES)

    def test_icons(self):
        """Every kind of step has an icon, and what a batch adds for its packaging materials."""
        icons = dict(re.findall(r'(\w+): "([\w-]+)"', self.get('KIND_ICONS')))
        self.assertEqual(set(icons), {code for code, _label in STEP_KINDS} | {'material'})
        self.assertTrue(all(icon.startswith('fa-') for icon in icons.values()))
