"""The pure rules of stock: which digits hold a quantity, and from where it is taken."""

import unittest
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace

from odoo.addons.mrp_mmr.domain.stock import Source, allocate, convert_exactly, differences, in_stock, is_held, take_reading

D = Decimal


def unit(factor, root="mass"):
    return SimpleNamespace(factor=factor, root=root, _has_common_reference=lambda other: other.root == root)


class TestStock(unittest.TestCase):

    def test_conversion(self):
        """STK-030: quantities are converted with all their digits, and only where units have a common reference."""
        gram, kilogram, litre = unit(0.001), unit(1.0), unit(1.0, "volume")
        self.assertEqual(convert_exactly(D('2.51'), gram, kilogram), D('0.00251'))
        self.assertEqual(convert_exactly(D('0.000001'), gram, kilogram), D('1E-9'))
        self.assertEqual(convert_exactly(D('26'), kilogram, gram), D('26000'))
        self.assertEqual(convert_exactly(D('26'), kilogram, kilogram), D('26'))
        self.assertIsNone(convert_exactly(D('26'), kilogram, litre))
        # The factor of a dozen grams is a float with noise.
        self.assertEqual(convert_exactly(D('7'), unit(0.001 * 12), gram), D('84'))

    def test_digits(self):
        """STK-030: what a number of decimals holds, and what stock says of a float."""
        for quantity, digits, held in (('0.0025', 4, True), ('0.0025', 3, False), ('2.50', 1, True), ('0', 0, True),
                                       ('-0.125', 2, False), ('1E+3', 0, True)):
            with self.subTest(quantity=quantity, digits=digits):
                self.assertEqual(is_held(D(quantity), digits), held)
        self.assertEqual(in_stock(0.1 + 0.2, 6), D('0.3'))
        self.assertEqual(in_stock(None, 2), 0)

    def test_reading(self):
        """V-06, NUM-060: what decimals hold is taken whole; ounces read in grams to the last digit, within a thousandth."""
        ounce = Fraction('28.349523125')
        for quantity, digits, taken in (
                (Fraction('0.1134'), 2, '0.1134'), (Fraction('113.4') / ounce, 2, '4.00'),
                (Fraction('113.4') / ounce, 4, '4.0001'), (Fraction('1.2') / ounce, 2, None),
                (Fraction('1.2') / ounce, 4, '0.0423'), (4 * ounce, 2, '113.40'), (Fraction(0), 2, '0')):
            with self.subTest(quantity=quantity, digits=digits):
                self.assertEqual(take_reading(quantity, digits), None if taken is None else D(taken))

    def test_allocation(self):
        """STK-010: own reservations first, then what is free, then what is there; never more than that."""
        def source(key, own, free, there):
            return Source(key, D(own), D(free), D(there))

        shelves = [source('a', 6, 0, 6), source('b', 4, 1, 5)]
        self.assertEqual(allocate(D(10), shelves), ([('a', 6), ('b', 4)], 0))
        self.assertEqual(allocate(D(8), shelves), ([('a', 6), ('b', 2)], 0))
        self.assertEqual(allocate(D(11), shelves), ([('a', 6), ('b', 5)], 0))
        self.assertEqual(allocate(D(12), shelves), ([('a', 6), ('b', 5)], 1))
        # What is reserved for somebody else is taken last; what was moved away is not there.
        self.assertEqual(allocate(D(4), [source('a', 0, 0, 5), source('b', 0, 3, 3)]), ([('a', 1), ('b', 3)], 0))
        self.assertEqual(allocate(D(5), [source('a', 5, 0, 0), source('b', 0, 9, 9)]), ([('b', 5)], 0))
        self.assertEqual(allocate(D(5), [source('a', 0, -3, -3)]), ([], 5))
        self.assertEqual(allocate(D(0), shelves), ([], 0))

    def test_differences(self):
        """STK-040: what two sides say differently; what one does not name is nought."""
        self.assertEqual(differences({'a': D(1), 'b': D(2)}, {'a': D('1.0'), 'c': D(3)}), [('b', D(2), 0), ('c', 0, D(3))])
        self.assertEqual(differences({}, {'a': D(0)}), [])
