"""Properties of exact numbers, tried on numbers that nobody chose (NUM-010, NUM-020, NUM-060).

The examples are the same ones in each run; ``MRP_MMR_NIGHTLY`` asks for a hundred times as many, other ones each night.
"""

import json
import os
import shutil
import subprocess
import unittest
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from odoo.addons.mrp_mmr.domain.notation import read_number, write_number
from odoo.addons.mrp_mmr.domain.numbers import MAX_DECIMALS, MAX_INTEGER_DIGITS, Number, NumberError, get_factor
from odoo.addons.mrp_mmr.domain.results import AS_RECORDED, ROUNDED, Limits, Result, judge_result

from .test_numbers import GALLON, GRAM, KILOGRAM, LITRE, NOTATIONS, OUNCE, POUND, QUART, read

NIGHTLY = bool(os.environ.get('MRP_MMR_NIGHTLY'))
PARSER = Path(__file__).parents[2] / 'static/src/numbers/number_parser.js'
try_out = settings(
    max_examples=20_000 if NIGHTLY else 200, derandomize=not NIGHTLY, deadline=None, database=None,
    suppress_health_check=[HealthCheck.too_slow])


@st.composite
def numbers(draw, largest=MAX_INTEGER_DIGITS):
    """Numbers of all magnitudes with any digits; and what people write, whose digits are few."""
    exponent = draw(st.integers(0, largest))
    integer = draw(st.integers(0, 10 ** exponent - 1))
    decimals = draw(st.text('0123456789', max_size=MAX_DECIMALS))
    text = f'{integer}.{decimals}' if decimals else str(integer)
    is_negative = draw(st.booleans()) and text.strip('0.')
    return Number(f'-{text}' if is_negative else text)


digits, exponents = st.integers(1, 9), st.integers(-6, 15)
languages = st.sampled_from(sorted(NOTATIONS))
#: What fingers and scanners bring: mostly characters of numbers.
texts = st.text(st.sampled_from("00123456789999.,,.''   \u00a0\u202f-+e/\uff11\uff12\uff0e\u0663\u066b\u066cg%"), max_size=14)


class TestNumberProperties(unittest.TestCase):

    @try_out
    @given(numbers())
    def test_canonical_round_trip(self, number):
        self.assertEqual(Number.parse(number.text).text, number.text)
        self.assertEqual(Number.of(number.value).text, number.text)
        self.assertEqual(Number.from_fraction(number.fraction), number)

    @try_out
    @given(st.floats(1e-6, 1e15) | st.builds(lambda digit, exponent: digit * 10.0 ** exponent, digits, exponents))
    def test_legacy_floats(self, value):
        try:
            number = Number.from_legacy(value)
        except NumberError as error:
            # A float of computation can have more digits than anybody writes.
            self.assertEqual(error.reason, 'too_many_digits')
            self.assertGreater(-Decimal(repr(value)).as_tuple().exponent, MAX_DECIMALS)
        else:
            self.assertEqual(float(number.text), value)

    @try_out
    @given(numbers(), languages)
    def test_written_is_read(self, number, language):
        """What a language writes is read as the same digits, or refused where it has two readings, which are named."""
        notation = NOTATIONS[language]
        self.assertEqual(read(write_number(number, notation, grouped=False), notation), number.text)
        grouped = read(write_number(number, notation), notation)
        if isinstance(grouped, dict):
            self.assertEqual(grouped['reason'], 'ambiguous')
            self.assertIn(number.text, grouped['readings'])
            self.assertTrue(4 <= len(number.text.lstrip('-')) <= 6 and '.' not in number.text)
        else:
            self.assertEqual(grouped, number.text)

    @try_out
    @given(texts, languages)
    def test_any_text_is_read_as_canonical_or_refused(self, text, language):
        try:
            number = read_number(text, NOTATIONS[language])
        except NumberError:
            return
        if number is not None:
            self.assertEqual(Number.parse(number.text).text, number.text)
            # Nothing but needless signs is lost: the digits are those that were typed, in their order.
            typed = ''.join(str(int(char)) for char in text if char.isdecimal())
            self.assertIn(number.text.replace('.', '').lstrip('-'), (typed, f'0{typed}'))

    @try_out
    @given(numbers(15), st.integers(0, MAX_DECIMALS))
    def test_rounding(self, number, digits):
        rounded = number.rounded_to(digits)
        expected = number.value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, Context(prec=60))
        self.assertEqual(rounded.value, expected)
        self.assertLessEqual(rounded.digits, digits)
        self.assertLessEqual(abs(rounded.fraction - number.fraction) * 2, Fraction(1, 10 ** digits))

    @try_out
    @given(numbers(), st.sampled_from([(GRAM, OUNCE), (KILOGRAM, POUND), (LITRE, GALLON), (QUART, LITRE)]))
    def test_units(self, number, units):
        """There and back again is the same number, whatever the units."""
        unit, to_unit = units
        there = number.scaled(get_factor(unit, to_unit))
        self.assertEqual(there * get_factor(to_unit, unit), number.fraction)

    @try_out
    @given(numbers(6), numbers(6), numbers(6), st.sampled_from(['<', '>', '≤', '≥']), st.sampled_from([AS_RECORDED, ROUNDED]))
    def test_bounds_agree_with_the_values_they_allow(self, bound, one, other, operator, comparison):
        """A bound that passes allows no value that fails; one that fails allows none that passes."""
        low, high = sorted((one, other))
        for limits in (Limits(low, None, comparison), Limits(None, high, comparison), Limits(low, high, comparison)):
            outcome = judge_result(Result(bound, operator), limits).outcome
            if outcome == 'undecidable':
                continue
            steps = [Decimal(0), Decimal('0.000000000001'), Decimal('0.05'), Decimal(1), Decimal(10**7)]
            for step in steps if operator in '≤≥' else steps[1:]:
                value = bound.value - step if operator in '<≤' else bound.value + step
                self.assertEqual(judge_result(Result(Number.of(value)), limits).outcome, outcome, (operator, bound, limits))

    @unittest.skipUnless(shutil.which('node'), "the table of cases holds both where there is no node")
    def test_javascript_agrees(self):
        """NUM-010: screen and server read every text alike."""
        cases = []

        @settings(try_out, max_examples=20_000 if NIGHTLY else 1000)
        @given(texts, languages)
        def collect(text, language):
            assume('\ud800' not in text)
            cases.append((language, text))

        collect()
        script = PARSER.read_text(encoding='utf-8') + '''
            import { readFileSync } from "node:fs";
            const { languages, cases } = JSON.parse(readFileSync(0, "utf8"));
            const answers = cases.map(([language, text]) => readNumber(text, languages[language]));
            process.stdout.write(JSON.stringify(answers));'''
        data = {'cases': cases, 'languages': {
            code: {'decimalPoint': row.decimal_point, 'thousandsSep': row.thousands_sep, 'grouping': row.grouping}
            for code, row in NOTATIONS.items()}}
        answer = subprocess.run(
            ['node', '--input-type=module', '--eval', script], input=json.dumps(data), capture_output=True, text=True,
            check=True)
        answers = json.loads(answer.stdout)
        self.assertEqual(len(answers), len(cases))
        self.assertGreater(len(cases), 500)
        for (language, text), found in zip(cases, answers, strict=True):
            expected = read(text, NOTATIONS[language])
            if not isinstance(expected, dict):
                expected = {'canonical': expected, 'reason': None}
            self.assertEqual(found, {'canonical': None, 'readings': [], **expected}, (language, text))
