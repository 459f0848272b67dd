"""The pure functions: plan, judgement, yields, numbers as people type them."""

import unittest
from decimal import Decimal
from fractions import Fraction

from odoo.addons.mrp_mmr.domain.limits import in_band, is_permitted, is_plausible, percentage
from odoo.addons.mrp_mmr.domain.numbers import plain
from odoo.addons.mrp_mmr.domain.potency import adjust, get_potency
from odoo.addons.mrp_mmr.domain.step_plan import get_points, hold_limits, plan_steps

from ..common.document import rich_document


class TestStepPlan(unittest.TestCase):

    def test_yields(self):
        """YLD-010, YLD-020: percent of theoretical; the unrounded value is compared with an inclusive band."""
        self.assertEqual(percentage(Decimal('96.5'), '100'), Decimal('96.5'))
        self.assertIsNone(percentage(Decimal('1'), '0'))
        band = {'theoretical': '100', 'minimum': '95', 'maximum': '102'}
        for value, inside in (('95.00', True), ('102.00', True), ('94.99', False), ('102.01', False), ('94.996', False)):
            with self.subTest(value=value):
                self.assertIs(in_band(Decimal(value), band), inside)
        # 95 % of a third is no decimal number: nothing may be rounded.
        third = {'theoretical': '0.333333', 'minimum': '95', 'maximum': '102'}
        self.assertFalse(in_band(Decimal('0.316666'), third))
        self.assertTrue(in_band(Decimal('0.316667'), third))

    def test_potency(self):
        """USE-070, 211.101(a): reference ÷ potency, dried substance less its moisture, half to even at the sixth digit."""
        dried = {'value': '99.2', 'basis': 'dried', 'moisture': '0.8'}
        self.assertEqual(plain(get_potency(dried)), '98.4064')
        self.assertEqual(get_potency(dict(dried, basis='as_is')), Decimal('99.2'))
        for planned, reference, potency, expected in (
                ('90', '100', '98.4064', '91.457466'), ('0.000001', '1', '2', '0.000000'), ('0.000003', '1', '2', '0.000002'),
                ('0.000005', '1', '2', '0.000002'), ('1', '1', '3', '0.333333'), ('2', '1', '3', '0.666667')):
            with self.subTest(planned=planned, potency=potency):
                self.assertEqual(str(adjust(Decimal(planned), Decimal(reference), Decimal(potency))), expected)
        # What another lot gives is taken off before anything is rounded.
        others = [(Decimal(30), Decimal(96)), (Decimal(20), Decimal('99.9'))]
        self.assertEqual(adjust(Decimal(90), Decimal(100), Decimal(100), others), Decimal('41.22'))
        self.assertEqual([plain(Decimal(text)) for text in ('100', '0.50', '1E+2', '-9.0')], ['100', '0.5', '100', '-9'])

    def test_tolerance(self):
        """USE-070: target 10.000 kg, tolerance 0.050: 10.050 passes, 10.051 does not, nor 9.949."""
        for value, inside in (('10.050', True), ('10.051', False), ('9.950', True), ('9.949', False)):
            self.assertIs(is_permitted(Decimal(value), {'quantity': '10', 'tolerance': '0.05'}), inside)
        self.assertFalse(is_permitted(Decimal('10.000001'), {'quantity': '10', 'tolerance': None}))
        # V-06: 113.4 g against 4 oz ± 0.05, exactly; V-07: none of what is as needed.
        gram = 1 / Fraction('28.3495')
        for grams, inside in (('113.4', True), ('114.815475', True), ('114.815476', False), ('111.980525', True),
                              ('111.98', False)):
            self.assertIs(is_permitted(Fraction(grams) * gram, {'quantity': '4', 'tolerance': '0.05'}), inside, grams)
        self.assertTrue(is_permitted(Decimal(0), {'quantity': '100', 'tolerance': '100'}))

    def test_plausibility(self):
        """VER-060: the ends of what is plausible are plausible."""
        self.assertTrue(is_plausible(Decimal('5'), None))
        self.assertFalse(is_plausible(Decimal('50.1'), {'minimum': '0', 'maximum': '50'}))

    def _step(self, **vals):
        return {'kind': 'instruction', 'execution': 'manual', 'verifier_role': None, 'is_hold_point': False, 'adds': False,
                'second_person': False, **vals}

    def test_points(self):
        """VER-010, VER-020, VER-040, IPC-060: who signs what, in which order."""
        for vals, points in (
                ({}, ['performed']),
                ({'second_person': True}, ['performed', 'verified']),
                ({'kind': 'weigh', 'adds': True, 'second_person': True},
                 ['performed', 'verified', 'added', 'addition_verified']),
                ({'kind': 'weigh', 'second_person': True}, ['performed', 'verified']),
                ({'kind': 'add', 'second_person': True}, ['added', 'addition_verified']),
                ({'kind': 'weigh', 'adds': True}, ['performed', 'added']),
                ({'is_hold_point': True, 'second_person': True}, ['performed', 'verified', 'hold']),
        ):
            with self.subTest(**vals):
                self.assertEqual(get_points(self._step(**vals)), points)

    def test_plan(self):
        """USE-030, BPR-030, BPR-060, YLD-010: every step in its order; what no step records gets one of its own."""
        document = rich_document()
        plan = plan_steps(document)
        own = [row['planned'] for row in plan if row['planned']['origin'] == 'step']
        written = [step for operation in document['operations'] for step in operation['steps']]
        self.assertEqual([(step['name'], step['instruction']) for step in own],
                         [(step['name'], step['instruction']) for step in written])
        recorded = {row['planned']['component'] for row in plan if row['planned']['kind'] in ('weigh', 'add')}
        self.assertEqual(recorded, {row['position'] for row in document['components']})
        self.assertEqual(len([row for row in plan if row['planned']['kind'] == 'yield' and row['planned']['scope'] == 'batch']),
                         1 if document['yield'] else 0)
        for row in plan:
            self.assertEqual(row['planned']['stage']['position'], row['stage'])
        numbers = {}
        for row in plan:
            numbers.setdefault(row['stage'], []).append(row['number'])
        self.assertTrue(all(rows == list(range(1, len(rows) + 1)) for rows in numbers.values()))
        self.assertIsInstance(hold_limits(document), dict)

    def test_packs(self):
        """R-01, PKG-010, BPR-120: each pack has its materials and its labels; a step for one takes nothing from another."""
        document = rich_document()
        packs = [{**document['packs'][0], 'position': number, 'name': f"Pack {number}"} for number in (1, 2)]
        stage = document['operations'][-1]
        labels = {**stage['steps'][0], 'kind': 'label', 'name': "Labels", 'component': None}
        document['packs'] = packs
        stage.update(stage='packaging', steps=[labels])
        document['operations'] = [{**row, 'steps': [step for step in row['steps'] if step['kind'] != 'label']}
                                  if row is not stage else row for row in document['operations']]

        def planned(rules=('BPR-120',)):
            return [(row['planned']['kind'], row['planned']['pack'] and row['planned']['pack']['position'])
                    for row in plan_steps(document, rules) if row['planned']['kind'] in ('label', 'material')]

        self.assertTrue(packs[0]['label'] and packs[0]['materials'])
        # Batches of before: one reconciliation for all of them.
        self.assertEqual(planned(()), [('label', None), ('material', 1), ('material', 2)])
        self.assertEqual(planned(), [('label', 1), ('material', 1), ('material', 2), ('label', 2)])
        labels['pack'] = 2
        self.assertEqual(planned(), [('label', 2), ('material', 1), ('label', 1), ('material', 2)])
        packs[0]['packed_under'] = "MMR-0099"
        self.assertEqual(planned(), [('label', 2), ('material', 2)])

    def test_clearance_rule(self):
        """BPR-170: packaging gets a clearance before and an inspection after it, where the MMR has none."""
        document = rich_document()
        document['operations'][-1].update(stage='packaging', steps=[])
        names = [row['planned']['name'] for row in plan_steps(document, ['BPR-170'])
                 if row['stage'] == document['operations'][-1]['position'] and row['planned']['kind'] == 'clearance']
        self.assertEqual(names, ["Line clearance before the work", "Inspection of the area after the work"])
        self.assertFalse([row for row in plan_steps(document) if row['planned']['origin'] == 'clearance'])
