"""Exact numbers: canonical form, digits, rounding, units (NUM-020, NUM-060), and how people write them (NUM-010)."""

import json
import pickle
import unittest
from collections import namedtuple
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from odoo.addons.mrp_mmr.domain.notation import REASONS, Notation, read_number, write_number
from odoo.addons.mrp_mmr.domain.numbers import Number, NumberError, get_factor

#: The table that holds Python and JavaScript to the same rules.
_TABLE = (Path(__file__).parents[2] / 'static/tests/numbers/cases.js').read_text(encoding='utf-8')
CASES = json.loads(_TABLE.partition('export const CASES =')[2].rstrip().removesuffix(';'))
NOTATIONS = {
    code: Notation(row['decimal_point'], row['thousands_sep'], tuple(row['grouping']))
    for code, row in CASES['languages'].items()
}

Unit = namedtuple('Unit', ('name', 'relative_factor', 'relative_uom_id'))
GRAM = Unit('g', 1.0, None)
KILOGRAM = Unit('kg', 1000.0, GRAM)
OUNCE = Unit('oz', 28.3495, GRAM)
POUND = Unit('lb', 16.0, OUNCE)
MILLILITRE = Unit('mL', 1.0, None)
LITRE = Unit('L', 1000.0, MILLILITRE)
FLUID_OUNCE = Unit('fl oz', 0.0295735, LITRE)
QUART = Unit('qt', 32.0, FLUID_OUNCE)
GALLON = Unit('gal', 4.0, QUART)


def read(text, notation):
    """Return what a text is read as, in the form of the table."""
    try:
        number = read_number(text, notation)
    except NumberError as error:
        return {'reason': error.reason, **({'readings': list(error.readings)} if error.readings else {})}
    return number and number.text


class TestNumber(unittest.TestCase):

    def test_canonical_form(self):
        """NUM-010: the canonical form is taken as it is; everything else is refused."""
        for text in CASES['canonical']:
            with self.subTest(text=text):
                self.assertEqual(Number.parse(text).text, text)
        for text in CASES['not_canonical']:
            with self.subTest(text=text), self.assertRaises(NumberError):
                Number.parse(text)
        for text in ('1' * 19, '0.' + '1' * 13):
            with self.subTest(text=text), self.assertRaisesRegex(NumberError, 'too_many_digits'):
                Number.parse(text)

    def test_digits_are_kept(self):
        """V-03: 98.0 is the value of 98, and not its text."""
        self.assertEqual(Number('98.0'), Number('98'))
        self.assertEqual((Number('98.0').text, Number('98').text), ('98.0', '98'))
        self.assertEqual((Number('98.0').digits, Number('98').digits, Number('0.10').digits), (1, 0, 2))
        self.assertEqual(len({Number('98.0'), Number('98'), Decimal(98), 98}), 1)
        self.assertEqual(pickle.loads(pickle.dumps(Number('98.0'))).text, '98.0')

    def test_of(self):
        """Text, Decimal with its digits and int are taken; a float is not what somebody wrote."""
        for value, text in (('98.0', '98.0'), (Decimal('98.0'), '98.0'), (98, '98'), (10**15, '1000000000000000'),
                            (Decimal('1E+10'), '10000000000'), (Decimal('1E-6'), '0.000001'), (Decimal('-0.0'), '0.0'),
                            (0, '0')):
            with self.subTest(value=value):
                self.assertEqual(Number.of(value).text, text)
        for value in (98.0, True, False, None, [], b'98'):
            with self.subTest(value=value), self.assertRaises(TypeError):
                Number.of(value)
        for value in (Decimal('NaN'), Decimal('Infinity'), 10**18, Decimal('1E-13'), '1e3'):
            with self.subTest(value=value), self.assertRaises(NumberError):
                Number.of(value)

    def test_legacy(self):
        """V-02: a float of an old column is read as what it was written as, from 1E-6 to 1E15."""
        for value, text in ((1e10, '10000000000'), (1e15, '1000000000000000'), (1e-6, '0.000001'), (0.1, '0.1'), (98.0, '98'),
                            (0.0, '0'), (-0.0, '0'), (101.05, '101.05'), ('98.000000', '98'), ('100', '100')):
            with self.subTest(value=value):
                self.assertEqual(Number.from_legacy(value).text, text)
        with self.assertRaisesRegex(NumberError, 'not_a_number'):
            Number.from_legacy(float('nan'))

    def test_zero_is_a_number(self):
        """R-09: a test of truth does not take zero for a blank."""
        self.assertTrue(Number('0'))
        self.assertTrue(Number('0.00'))
        self.assertEqual(Number('0'), 0)

    def test_comparison(self):
        """By value with numbers that are exact, and with floats by their shortest form."""
        self.assertLess(Number('9.99'), Number('10'))
        self.assertGreaterEqual(Number('10000000000'), Decimal('1E10'))
        self.assertGreater(Number('0.5'), Fraction(1, 3))
        self.assertNotEqual(Number('1'), True)
        self.assertNotEqual(Number('1'), None)
        self.assertNotEqual(Number('1'), '1')
        self.assertEqual(Number('0.10'), 0.1)
        self.assertLess(Number('0.1'), 0.3)
        self.assertNotEqual(Number('0.3'), 0.1 + 0.2)

    def test_arithmetic(self):
        """NUM-020: sums, differences and products are exact and keep their digits; floats are a TypeError."""
        number = Number('98.0')
        for result, text in (
                (number + 1, '99.0'), (1 - number, '-97.0'), (number - Decimal('0.25'), '97.75'), (2 * number, '196.0'),
                (number + Fraction(1, 2), '98.5'), (sum([number, Number('0.05')]), '98.05'), (-number, '-98.0'),
                (abs(Number('-0.50')), '0.50'), (Number('999999999999999') * Number('0.000001'), '999999999.999999')):
            with self.subTest(text=text):
                self.assertIsInstance(result, Number)
                self.assertEqual(result.text, text)
        self.assertEqual((float(number), int(Number('98.7')), str(number)), (98.0, 98, '98.0'))
        for calculate in (lambda: number + 1.0, lambda: number * True, lambda: number + '1'):
            with self.assertRaises(TypeError):
                calculate()
        for calculate in (lambda: number + Fraction(1, 3), lambda: Number('0.000000000001') * Number('0.1')):
            with self.assertRaises(NumberError):
                calculate()

    def test_from_float(self):
        """V-02: a float of code or JSON is its shortest form; the rest that arithmetic leaves is dropped."""
        for value, text in ((98.0, '98'), (1e10, '10000000000'), (1e-6, '0.000001'), (1e15, '1000000000000000'), (-0.0, '0'),
                            (0.1 + 0.2, '0.3'), (1.1 * 3, '3.3')):
            with self.subTest(value=value):
                self.assertEqual(Number.from_float(value).text, text)
        for value in (1 / 3, float('inf'), float('nan'), 1e300):
            with self.subTest(value=value), self.assertRaises(NumberError):
                Number.from_float(value)

    def test_rounding(self):
        """V-04, USP General Notices 7.20: half up, away from zero; no digit is added."""
        for text, digits, expected in (
                ('97.96', 1, '98.0'), ('97.95', 1, '98.0'), ('97.94', 1, '97.9'), ('101.04', 1, '101.0'),
                ('101.05', 1, '101.1'),
                ('-0.05', 1, '-0.1'), ('-0.04', 1, '0.0'), ('98', 1, '98'), ('0.5', 0, '1'), ('1.5', 0, '2'), ('2.5', 0, '3'),
                ('999999999999999999.5', 0, None)):
            with self.subTest(text=text):
                if expected:
                    self.assertEqual(Number(text).rounded_to(digits).text, expected)
                else:
                    with self.assertRaises(NumberError):
                        Number(text).rounded_to(digits)
        self.assertEqual(Number('2.5').rounded_to(0, 'half_even').text, '2')

    def test_units(self):
        """V-06, NUM-060: 113.4 g is compared with 4 oz ± 0.05 exactly, in either direction."""
        to_ounces = get_factor(GRAM, OUNCE)
        reading = Number('113.4').scaled(to_ounces)
        self.assertEqual(reading, Fraction('113.4') / Fraction('28.3495'))
        self.assertTrue(Number('3.95').fraction <= reading <= Number('4.05').fraction)
        self.assertEqual(reading, Number('0.1134').scaled(get_factor(KILOGRAM, OUNCE)))
        self.assertEqual(get_factor(POUND, GRAM), Fraction('453.592'))
        self.assertEqual(get_factor(GALLON, LITRE), Fraction('3.785408'))
        self.assertEqual(get_factor(LITRE, GALLON) * get_factor(GALLON, LITRE), 1)
        self.assertIsNone(get_factor(GRAM, LITRE))
        self.assertIsNone(get_factor(GRAM, None))
        with self.assertRaises(TypeError):
            Number('1').scaled(0.5)

    def test_fractions(self):
        """A quotient with an end becomes a number again; one without is not rounded in silence."""
        self.assertEqual(Number.from_fraction(Fraction(1, 8)).text, '0.125')
        self.assertEqual(Number.from_fraction(Fraction(-2500)).text, '-2500')
        self.assertEqual(Number.from_fraction(0).text, '0')
        self.assertEqual(Number.from_fraction(Fraction(10**17 + 1, 10**12)).text, '100000.000000000001')
        for fraction in (Fraction(1, 3), Fraction(1, 10**13)):
            with self.subTest(fraction=fraction), self.assertRaisesRegex(NumberError, 'not_exact'):
                Number.from_fraction(fraction)


class TestNotation(unittest.TestCase):

    def test_table(self):
        """V-01: each text is read in one way or refused with the reason, in each language."""
        self.assertGreater(len(CASES['read']), 100)
        for language, text, expected in CASES['read']:
            with self.subTest(language=language, text=text):
                self.assertEqual(read(text, NOTATIONS[language]), expected)

    def test_every_reason_is_in_the_table(self):
        """A reason that no case has is not tested."""
        found = {expected['reason'] for _language, _text, expected in CASES['read'] if isinstance(expected, dict)}
        self.assertEqual(found, set(REASONS))

    def test_formats(self):
        """NUM-020: what is shown has the language's separators and all digits; what is edited is read again as the same."""
        for language, canonical, expected in CASES['format']:
            with self.subTest(language=language, canonical=canonical):
                notation = NOTATIONS[language]
                self.assertEqual(write_number(canonical, notation), expected)
                self.assertEqual(read(write_number(canonical, notation, grouped=False), notation), canonical)
        self.assertEqual(write_number(None), '')

    def test_wrong_types(self):
        """R-07: what is not a text is an error of type."""
        for value in (None, 12, 12.0, b'12', ['12']):
            with self.subTest(value=value), self.assertRaises(TypeError):
                read_number(value)
