"""Results against limits, as recorded or rounded; bounds, findings, durations (NUM-030, NUM-040)."""

import unittest
from datetime import datetime, timedelta
from fractions import Fraction

from odoo.addons.mrp_mmr.domain.durations import Duration, add_to, elapsed_text, from_seconds, is_longer
from odoo.addons.mrp_mmr.domain.notation import ENGLISH, read_number
from odoo.addons.mrp_mmr.domain.numbers import Number, NumberError
from odoo.addons.mrp_mmr.domain.results import (
    AS_RECORDED,
    ROUNDED,
    Limits,
    Result,
    compared_text,
    get_limits,
    judge_result,
    read_result,
)


def limits(low=None, high=None, comparison=AS_RECORDED):
    return Limits(low and Number(low), high and Number(high), comparison)


class TestResults(unittest.TestCase):

    def assertJudged(self, text, rules, outcome, compared=None, reason=None):
        judged = judge_result(Result.parse(text), rules)
        self.assertEqual((judged.outcome, judged.reason), (outcome, reason), (text, rules))
        if compared:
            self.assertEqual(judged.compared, (compared,))

    def test_frozen_criterion(self):
        """IPC-010, V-04: limits of frozen documents are inclusive; those of before say nothing of rounding: as recorded."""
        old = {'kind': 'range', 'minimum': '5', 'maximum': '7', 'target': None, 'unit': '%', 'text': None}
        for value, outcome in (('5.0', 'pass'), ('7.0', 'pass'), ('4.99', 'fail'), ('7.01', 'fail'), ('4.999999', 'fail'),
                               ('7.000001', 'fail'), ('6', 'pass')):
            self.assertJudged(value, get_limits(old), outcome, value)
        self.assertJudged('-3', get_limits({'minimum': None, 'maximum': '0'}), 'pass')
        self.assertJudged('0.01', get_limits({'minimum': None, 'maximum': '0'}), 'fail')
        self.assertJudged('99', get_limits({'minimum': '100', 'maximum': None}), 'fail')
        self.assertIsNone(get_limits(None))
        self.assertIsNone(get_limits({'kind': 'text', 'minimum': None, 'maximum': None, 'text': "White"}))
        rules = get_limits(dict(old, minimum='98.0', maximum='101', comparison='rounded'))
        for value, compared in (('97.96', '98.0 / 98'), ('98', None), ('99.5', '99.5 / 100')):
            result = Result.parse(value)
            self.assertEqual(compared_text(result, judge_result(result, rules)), compared)
        asked = get_limits({'kind': 'finding', 'finding': 'absent in 10 g'})
        self.assertJudged('absent in 10 g', asked, 'pass')
        self.assertJudged('present in 10 g', asked, 'fail')

    def test_rounded_or_as_recorded(self):
        """V-04: 98.0 to 101.0 %, both ways; what was compared is told."""
        for text, recorded, rounded, compared in (
                ('97.96', 'fail', 'pass', '98.0'), ('97.95', 'fail', 'pass', '98.0'), ('97.94', 'fail', 'fail', '97.9'),
                ('101.04', 'fail', 'pass', '101.0'), ('101.05', 'fail', 'fail', '101.1'), ('98', 'pass', 'pass', '98'),
                ('99.95', 'pass', 'pass', '100.0')):
            with self.subTest(text=text):
                self.assertJudged(text, limits('98.0', '101.0'), recorded, text)
                self.assertJudged(text, limits('98.0', '101.0', ROUNDED), rounded, compared)

    def test_each_limit_has_its_digits(self):
        """98 to 101.0: the lower limit is compared without decimals, the upper one with one."""
        judged = judge_result(Result.parse('97.55'), limits('98', '101.0', ROUNDED))
        self.assertEqual((judged.outcome, judged.compared), ('pass', ('98', '97.6')))

    def test_large_and_small(self):
        """V-02: a result equal to its limit is within, from 1E-6 to 1E15."""
        for text in ('10000000000', '1000000000000000', '0.000001', '0'):
            self.assertJudged(text, limits(text), 'pass')
            self.assertJudged(text, limits(None, text), 'pass')

    def test_bounds(self):
        """V-05: a bound passes where all it allows does, fails where nothing does, and is undecidable otherwise."""
        for text, low, high, outcome in (
                ('<10', None, '100', 'pass'), ('<10', None, '10', 'pass'), ('<10', None, '5', 'undecidable'),
                ('≤10', None, '10', 'pass'), ('≤10', None, '9.9', 'undecidable'),
                ('<10', '10', None, 'fail'), ('≤10', '10', None, 'undecidable'), ('<10', '5', None, 'undecidable'),
                ('<10', '5', '20', 'undecidable'), ('<10', '12', '20', 'fail'),
                ('>10', '10', None, 'pass'), ('>10', '10.1', None, 'undecidable'), ('≥10', '10', None, 'pass'),
                ('>10', None, '10', 'fail'), ('≥10', None, '10', 'undecidable'), ('>10', None, '12', 'undecidable'),
                ('>10', '5', '20', 'undecidable'), ('>20', '5', '20', 'fail')):
            with self.subTest(text=text, low=low, high=high):
                self.assertJudged(text, limits(low, high), outcome, text, 'bound' if outcome == 'undecidable' else None)

    def test_bounds_and_rounding(self):
        """Every value below 101.05 is rounded to at most 101.0; 101.05 itself is not."""
        for text, low, high, outcome in (
                ('<101.05', None, '101.0', 'pass'), ('≤101.05', None, '101.0', 'undecidable'),
                ('<101.06', None, '101.0', 'undecidable'),
                ('≥97.95', '98.0', None, 'pass'), ('>97.95', '98.0', None, 'pass'), ('>97.94', '98.0', None, 'undecidable'),
                ('<97.95', '98.0', None, 'fail'), ('≤97.95', '98.0', None, 'undecidable'),
                ('≥101.05', None, '101.0', 'fail'), ('>101.04', None, '101.0', 'undecidable'),
                ('≤-4.5', None, '-5', 'pass'), ('≥-5.5', '-5', None, 'undecidable'), ('>-5.5', '-5', None, 'pass')):
            with self.subTest(text=text, low=low, high=high):
                self.assertJudged(
                    text, limits(low, high, ROUNDED), outcome, text, 'bound' if outcome == 'undecidable' else None)

    def test_findings(self):
        """NUM-040: findings count only where the specification names one, and for the amount that it names."""
        absent = Limits(finding='absent in 10 g')
        for text, outcome, reason in (
                ('absent in 10 g', 'pass', None), ('absent in 10.0 g', 'pass', None), ('absent in 25 g', 'pass', None),
                ('absent in 1 g', 'undecidable', 'amount'), ('absent in 10 mL', 'undecidable', 'amount'),
                ('present in 10 g', 'fail', None), ('present in 1 g', 'fail', None),
                ('present in 25 g', 'undecidable', 'amount'),
                ('not detected', 'undecidable', 'finding'), ('0', 'undecidable', 'number'), ('<1', 'undecidable', 'number')):
            with self.subTest(text=text):
                self.assertJudged(text, absent, outcome, text, reason)
        self.assertJudged('not detected', Limits(finding='not detected'), 'pass')
        self.assertJudged('detected', Limits(finding='not detected'), 'fail')
        self.assertJudged('absent in 10 g', Limits(finding='not detected'), 'undecidable', reason='finding')
        self.assertJudged('not detected', limits(None, '100'), 'undecidable', reason='finding')
        self.assertJudged('5', Limits(), 'undecidable', reason='no_limits')

    def test_canonical_texts(self):
        """What is stored is what comes back."""
        for text in ('98.0', '<10', '>0.5', '≤10', '≥10', 'not detected', 'detected', 'absent in 10 g', 'present in 25.0 mL'):
            with self.subTest(text=text):
                self.assertEqual(Result.parse(text).text, text)
        for text in ('', '<', '< 10', '<=10', '<<10', '<-0', 'Not detected', 'absent in g', 'absent in 1,0 g', 'n.d.', '10 g'):
            with self.subTest(text=text), self.assertRaises(NumberError):
                Result.parse(text)

    def test_typed(self):
        """People may leave a space after the sign and write <= for ≤; the number is read by their language."""
        def typed(text):
            result = read_result(text, lambda rest: read_number(rest, ENGLISH))
            return result and result.text

        for text, expected in (('<10', '<10'), ('< 10', '<10'), (' <= 10.0', '≤10.0'), ('>=5', '≥5'), ('=<5', '≤5'),
                               ('12.50', '12.50'), ('absent in 10 g', 'absent in 10 g'),
                               ('not detected', 'not detected'), ('', None)):
            with self.subTest(text=text):
                self.assertEqual(typed(text), expected)
        for text in ('<', '<12,000', '<1e3', '=5', '<>5', 'nd'):
            with self.subTest(text=text), self.assertRaises(NumberError):
                typed(text)


class TestDurations(unittest.TestCase):

    def test_measured(self):
        """V-08, IPC-040: a measured time is compared exactly with its limit, and said so that every language reads it alike."""
        start = datetime(2026, 3, 1, 12)
        for limit, unit, seconds in (('0.1', 'h', 360), ('72', 'h', 259200), ('4320', 'min', 259200), ('0.7', 'min', 42)):
            with self.subTest(limit=limit, unit=unit):
                self.assertEqual(add_to(start, limit, unit), start + timedelta(seconds=seconds))
                self.assertFalse(is_longer(timedelta(seconds=seconds), limit, unit))
                self.assertTrue(is_longer(timedelta(seconds=seconds, microseconds=1), limit, unit))
        for seconds, text in ((0, '0:00:00'), (59, '0:00:59'), (3600, '1:00:00'), (263109, '73:05:09')):
            self.assertEqual(elapsed_text(timedelta(seconds=seconds)), text)

    def test_unit_is_kept(self):
        """V-08: 72 h stays 72 h, and is 3 d and 4320 min."""
        limit = Duration.parse('72 h')
        self.assertEqual(str(limit), '72 h')
        self.assertEqual(limit, Duration.parse('3 d'))
        self.assertEqual(limit, Duration.parse('4320 min'))
        self.assertLess(limit, Duration.parse('1 wk'))
        self.assertEqual(str(limit.converted_to('d')), '3 d')
        self.assertEqual(str(Duration.parse('1.50 h')), '1.50 h')

    def test_exact(self):
        """10 min are a sixth of an hour, which hours cannot express."""
        self.assertEqual(Duration.parse('10 min').expressed_in('h'), Fraction(1, 6))
        with self.assertRaisesRegex(NumberError, 'not_exact'):
            Duration.parse('10 min').converted_to('h')
        self.assertEqual(from_seconds(5400), Fraction(3, 2))
        with self.assertRaises(TypeError):
            from_seconds(5400.0)

    def test_refused(self):
        for text in ('72', '72h', '72 hours', '-1 h', '1,5 h', ' h', '72 h '):
            with self.subTest(text=text), self.assertRaises(NumberError):
                Duration.parse(text)
