"""The words of limits and criteria: one home, read by screens, prints, results and redlines alike (CON-080)."""

import unittest

from odoo.addons.mrp_mmr.domain.criterion import band_text, criterion_text, limits_text, overage_text, sample_text


class TestCriterion(unittest.TestCase):

    def test_limits(self):
        """CON-080: both limits, or one with its abbreviation; zero is a value, and the other limit is not looked at."""
        criterion = {'kind': 'range', 'minimum': '0', 'maximum': '102', 'unit': '%', 'text': None, 'target': None}
        for changed, expected in (
                ({}, "0 – 102 %"), ({'unit': None}, "0 – 102"), ({'kind': 'nlt'}, "NLT 0 %"), ({'kind': 'nmt'}, "NMT 102 %"),
                ({'kind': 'text'}, None), ({'kind': 'nmt', 'maximum': '0', 'unit': None}, "NMT 0")):
            with self.subTest(changed):
                self.assertEqual(limits_text({**criterion, **changed}), expected)
        self.assertIsNone(limits_text(None))
        self.assertIsNone(limits_text({}))

    def test_band(self):
        """A band that is open on a side says so; one without limits is no text."""
        self.assertEqual(band_text('95', '105', '%'), "95 – 105 %")
        self.assertEqual(band_text('95', None, '%'), "NLT 95 %")
        self.assertEqual(band_text(None, '105', None), "NMT 105")
        self.assertIsNone(band_text(None, None, '%'))

    def test_criterion(self):
        """Limits, target and own words, in this order, each where it is there."""
        self.assertEqual(criterion_text({
            'kind': 'range', 'minimum': '95', 'maximum': '102', 'target': '98.0', 'unit': '%', 'text': "dried basis"}),
            "95 – 102 %, target 98.0 %, dried basis")
        self.assertEqual(criterion_text({'kind': 'text', 'text': "clear"}), "clear")
        self.assertIsNone(criterion_text({'kind': 'text', 'text': None}))
        self.assertIsNone(criterion_text(None))

    def test_overage_and_sample(self):
        """An overage is stated as it was decided; a sample says how many, how large and when."""
        overage = {'kind': 'percent', 'percent': '5', 'amount': '0.5', 'unit': 'kg'}
        self.assertEqual(overage_text(overage), "5 % = 0.5 kg")
        self.assertEqual(overage_text({**overage, 'kind': 'amount'}), "0.5 kg = 5 %")
        self.assertEqual(overage_text({**overage, 'kind': 'none'}), "none")
        self.assertEqual(sample_text({'count': 3, 'size': '10', 'unit': 'g', 'timing': "at the end"}), "3 × 10 g, at the end")
