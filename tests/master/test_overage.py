"""Overages: exact arithmetic on every road of entry, and their confirmation by Quality Control (CON-050, PRD-050)."""

from contextlib import contextmanager
from decimal import Decimal

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from odoo.addons.mrp_mmr.domain.numbers import decimal_string, exact

from ..common.base import MmrCommon

#: base, kind, overage → overage amount, quantity; computed by hand.
CASES = [
    (10, 'percent', 5, '0.5', '10.5'),
    (10, 'percent', 0.1, '0.01', '10.01'),
    (90, 'percent', 7, '6.3', '96.3'),
    (0.3, 'percent', 10, '0.03', '0.33'),
    (1.1, 'percent', 1.1, '0.0121', '1.1121'),
    (33.333333, 'percent', 3, '1', '34.333333'),
    (0.000001, 'percent', 50, '0', '0.000001'),
    (1234567.891, 'percent', 2.5, '30864.197275', '1265432.088275'),
    (10, 'amount', 0.5, '0.5', '10.5'),
    (0.1, 'amount', 0.2, '0.2', '0.3'),
    (10, 'none', 0, '0', '10'),
]


@tagged('post_install', '-at_install')
class TestOverage(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.revision = cls._create_mmr().with_user(cls.user_preparer)
        cls.line = cls.revision.bom_line_ids.sorted('sequence')[0]

    @contextmanager
    def _undone(self):
        with self.cr.savepoint() as savepoint:
            yield
            savepoint.rollback()
        self.env.invalidate_all()

    def _assert_overage(self, line, base, amount, quantity, percent=None):
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual(
            [exact(value) for value in (line.mmr_base_qty, line.mmr_overage_amount, line.gmp_qty)],
            [exact(value) for value in (base, amount, quantity)], "base, overage, quantity")
        self.assertEqual(line.product_qty, round(line.gmp_qty, 2), "Odoo's own quantity follows")
        row = line.bom_id.mmr_revision_ids._document_overage(line)
        self.assertEqual(Decimal(row['amount']), Decimal(str(amount)))
        if percent is not None:
            self.assertEqual(Decimal(row['percent']), Decimal(str(percent)))

    def _set(self, vals):
        self.line.write(vals)

    # === ARITHMETIC === #

    def test_by_write(self):
        """CON-050: 5 % on 10 kg is 0.5 kg, exactly, whichever value is written last."""
        for base, kind, overage, amount, quantity in CASES:
            with self.subTest(base=base, kind=kind, overage=overage, road='at once'), self._undone():
                self._set({'gmp_qty': base, 'mmr_overage_kind': kind, 'mmr_overage': overage})
                self._assert_overage(self.line, base, amount, quantity)
            with self.subTest(base=base, kind=kind, overage=overage, road='one by one'), self._undone():
                self._set({'gmp_qty': base})
                self._set({'mmr_overage_kind': kind})
                self._set({'mmr_overage': overage})
                self._assert_overage(self.line, base, amount, quantity)
            with self.subTest(base=base, kind=kind, overage=overage, road='base last'), self._undone():
                self._set({'mmr_overage_kind': kind, 'mmr_overage': overage})
                self._set({'mmr_base_qty': base})
                self._assert_overage(self.line, base, amount, quantity)

    def test_by_create(self):
        """CON-050: a new component with its overage, with the quantity without it or with both."""
        for base, kind, overage, amount, quantity in CASES:
            for vals in ({'gmp_qty': base}, {'gmp_qty': float(quantity), 'mmr_base_qty': base}, {'product_qty': base}):
                if 'product_qty' in vals and base != round(base, 2):
                    continue
                with self.subTest(vals=vals, kind=kind, overage=overage), self._undone():
                    line = self.env['mrp.bom.line'].with_user(self.user_preparer).create({
                        'bom_id': self.revision.bom_id.id, 'product_id': self.component_other.id,
                        'product_uom_id': self.kg.id, 'mmr_overage_kind': kind, 'mmr_overage': overage, **vals})
                    if kind == 'none':
                        self.assertEqual(exact(line.gmp_qty), exact(quantity))
                    else:
                        self._assert_overage(line, base, amount, quantity)

    def test_by_import(self):
        """CON-050: the import of a spreadsheet computes the same."""
        context = self.revision.action_import_components()['params']['context']
        lines = self.env['mrp.bom.line'].with_user(self.user_preparer).with_context(**context)
        for base, kind, overage, amount, quantity in CASES:
            if kind == 'none':
                continue
            label = {'percent': "%", 'amount': "Amount"}[kind]
            with self.subTest(base=base, kind=kind, overage=overage), self._undone():
                result = lines.load(
                    ['product_id', 'gmp_qty', 'product_uom_id', 'mmr_overage_kind', 'mmr_overage', 'mmr_overage_rationale'],
                    [["Magnesium stearate", decimal_string(base), "kg", label, decimal_string(overage), "Loss"]])
                self.assertEqual(result['messages'], [])
                line = self.env['mrp.bom.line'].browse(result['ids'])
                self.assertEqual(line.bom_id, self.revision.bom_id)
                self._assert_overage(line, base, amount, quantity)

    def test_changes(self):
        """CON-050: percent, base, quantity, unit and kind changed later keep the three numbers together."""
        self._set({'gmp_qty': 10, 'mmr_overage_kind': 'percent', 'mmr_overage': 5, 'mmr_overage_rationale': "Loss"})
        steps = [
            ({'mmr_overage': 10}, 10, '1', '11', 10),
            ({'mmr_base_qty': 20}, 20, '2', '22', 10),
            ({'gmp_qty': 33}, 30, '3', '33', 10),
            ({'product_qty': 44}, 40, '4', '44', 10),
            ({'mmr_overage_kind': 'amount'}, 40, '10', '50', 25),
            ({'gmp_qty': 60}, 50, '10', '60', 20),
            ({'mmr_overage_kind': 'percent'}, 50, '5', '55', 10),
            ({'mmr_overage_rationale': "Loss in the dryer"}, 50, '5', '55', 10),
            ({'sequence': 7, 'mmr_strength': 400}, 50, '5', '55', 10),
            ({'mmr_overage_kind': 'none'}, 50, '0', '50', 0),
            ({'gmp_qty': 70}, 70, '0', '70', 0),
            ({'mmr_overage_kind': 'percent', 'mmr_overage': 1}, 70, '0.7', '70.7', 1),
            ({'mmr_overage': 0}, 70, '0', '70', 0),
            ({'mmr_overage_kind': False}, 70, '0', '70', None),
        ]
        for vals, base, amount, quantity, percent in steps:
            with self.subTest(vals=vals):
                self._set(vals)
                if self.line.mmr_overage_kind:
                    self._assert_overage(self.line, base, amount, quantity, percent)
                else:
                    self.assertEqual(exact(self.line.gmp_qty), exact(quantity))
                    self.assertIsNone(self.revision._document_overage(self.line), "a blank is no statement")

    def test_stale_base(self):
        """CON-050: a base that was true once does not come back when an overage is set later."""
        with Form(self.revision) as form, form.bom_line_ids.edit(1) as line:
            line.gmp_qty = 12
        line = self.revision.bom_line_ids.sorted('sequence')[1]
        line.write({'mmr_overage_kind': False})
        line.write({'gmp_qty': 20})
        with Form(self.revision) as form, form.bom_line_ids.edit(1) as edited:
            edited.mmr_overage_kind = 'percent'
            edited.mmr_overage = 5
            edited.mmr_overage_rationale = "Loss"
        self._assert_overage(line, 20, '1', '21', 5)

    def test_several_lines_at_once(self):
        """CON-050: one write for several components keeps each one's own quantity."""
        self.revision.bom_line_ids.write({'mmr_overage_kind': 'percent', 'mmr_overage': 5, 'mmr_overage_rationale': "Loss"})
        first, second = self.revision.bom_line_ids.sorted('sequence')
        self._assert_overage(first, 90, '4.5', '94.5', 5)
        self._assert_overage(second, 10, '0.5', '10.5', 5)

    def test_in_the_list_of_the_form(self):
        """CON-050: typing in the list, in any order of the cells, gives the same as writing."""
        orders = [
            [('gmp_qty', 10), ('mmr_overage_kind', 'percent'), ('mmr_overage', 5)],
            [('mmr_overage_kind', 'percent'), ('mmr_overage', 5), ('mmr_base_qty', 10)],
            [('mmr_overage_kind', 'percent'), ('mmr_overage', 5), ('gmp_qty', 10.5)],
            [('mmr_overage_kind', 'percent'), ('gmp_qty', 10), ('mmr_overage', 5)],
            [('mmr_overage_kind', 'amount'), ('mmr_overage', 0.5), ('mmr_base_qty', 10)],
            [('gmp_qty', 7), ('mmr_overage_kind', 'percent'), ('mmr_overage', 9), ('mmr_base_qty', 10), ('mmr_overage', 5)],
            [('mmr_overage_kind', 'amount'), ('mmr_overage', 5), ('mmr_overage_kind', 'percent'), ('gmp_qty', 10.5)],
            [('gmp_qty', 10), ('mmr_overage_kind', 'percent'), ('mmr_overage', 5), ('mmr_overage_kind', 'none'),
             ('mmr_overage_kind', 'percent'), ('mmr_overage', 5)],
        ]
        for new in (False, True):
            for order in orders:
                with self.subTest(order=order, new=new), self._undone():
                    with Form(self.revision) as form, (form.bom_line_ids.new() if new else form.bom_line_ids.edit(0)) as line:
                        if new:
                            line.product_id = self.component_other
                        for name, value in order:
                            line[name] = value
                        line.mmr_overage_rationale = "Loss"
                    line = self.revision.bom_line_ids.filtered(lambda line: line.product_id == self.component_other) \
                        if new else self.line
                    self._assert_overage(line, 10, '0.5', '10.5', 5)

    def test_back_to_none_in_the_form(self):
        """CON-050: who chose % by mistake goes back to 'None'; the value goes with it."""
        with Form(self.revision) as form, form.bom_line_ids.edit(0) as line:
            line.mmr_overage_kind = 'percent'
            line.mmr_overage = 5
        self._assert_overage(self.line, 90, '4.5', '94.5', 5)
        with Form(self.revision) as form, form.bom_line_ids.edit(0) as line:
            line.mmr_overage_kind = 'none'
        self._assert_overage(self.line, 90, '0', '90', 0)
        self.assertEqual(self.line.mmr_overage, 0)

    @mute_logger('odoo.sql_db')
    def test_impossible_values(self):
        """CON-050: negative overages are refused, and so is a value without kind, also by SQL."""
        for vals in ({'mmr_overage_kind': 'percent', 'mmr_overage': -5}, {'mmr_overage_kind': 'none', 'mmr_overage': 5},
                     {'mmr_overage_kind': False, 'mmr_overage': 5}):
            with self.subTest(vals=vals), self.assertRaisesRegex(Exception, "CON-050|mmr_not_negative|mmr_overage_stated"), \
                    self.cr.savepoint():
                self.line.write(vals)
                self.env.flush_all()
            self.env.invalidate_all()
        with self.assertRaises(ValueError):
            self.line.write({'mmr_overage_kind': 'plenty'})

    # === COPIES === #

    def test_new_revision(self):
        """CON-050, REV-030: the next revision has the same numbers, and its overages wait for Quality Control."""
        self._set({'gmp_qty': 85.714286, 'mmr_overage_kind': 'percent', 'mmr_overage': 5, 'mmr_overage_rationale': "Loss"})
        self._set({'gmp_qty': 90})  # typed over the overage: the base follows, rounded
        base, quantity = exact(self.line.mmr_base_qty), exact(self.line.gmp_qty)
        self.assertEqual((base, quantity), (exact('85.714286'), exact(90)))
        self.line.with_user(self.user_qc).action_confirm_overage()
        self._make_effective(self.revision)
        for user in (self.user_preparer, self.user_both):
            with self.subTest(user=user.login), self._undone():
                line = self._new_revision(self.revision, user=user).bom_line_ids.sorted('sequence')[0]
                self.assertEqual((exact(line.mmr_base_qty), exact(line.gmp_qty)), (base, quantity))
                self.assertEqual((line.mmr_overage_kind, line.mmr_overage, line.mmr_overage_rationale), ('percent', 5, "Loss"))
                self.assertFalse(line.mmr_overage_confirmed_id, "copying is no judgement")
                self.assertFalse(line.mmr_overage_confirmed_at)

    def test_typed_quantity_survives_copies(self):
        """CON-050: a quantity that was typed is the same in every copy, though its base had to be rounded."""
        for quantity, percent in ((10.000001, 100), (7.777777, 33.3), (0.000003, 50), (99.999999, 7)):
            with self.subTest(quantity=quantity, percent=percent), self._undone():
                self._set({'mmr_overage_kind': 'percent', 'mmr_overage': percent, 'mmr_overage_rationale': "Loss"})
                self._set({'gmp_qty': quantity})
                self.assertEqual(exact(self.line.gmp_qty), exact(quantity))
                line = self.line.copy()
                self.assertEqual(
                    [exact(value) for value in (line.gmp_qty, line.mmr_base_qty, line.mmr_overage_amount)],
                    [exact(value) for value in (quantity, self.line.mmr_base_qty, self.line.mmr_overage_amount)])

    def test_duplicated_bill_of_materials(self):
        """CON-050: duplicating a bill of materials, or a component in it, adds no overage twice."""
        self._set({'gmp_qty': 10, 'mmr_overage_kind': 'percent', 'mmr_overage': 5, 'mmr_overage_rationale': "Loss"})
        line = self.revision.bom_id.copy().bom_line_ids.sorted('sequence')[0]
        self._assert_overage_plain(line, 10, 10.5)
        self._assert_overage_plain(self.line.copy(), 10, 10.5)
        # From the duplicate to a new MMR.
        wizard = self.env['mrp.mmr.create'].with_user(self.user_preparer).create(
            {'bom_id': line.bom_id.id, 'formulation_code': "B"})
        copy = self.env['mrp.mmr.revision'].browse(wizard.action_create()['res_id'])
        self._assert_overage(copy.bom_line_ids.sorted('sequence')[0], 10, '0.5', '10.5', 5)
        self._assert_overage_plain(self.line.copy({'gmp_qty': 20}), 20, 21)

    def _assert_overage_plain(self, line, base, quantity):
        self.assertEqual((exact(line.mmr_base_qty), exact(line.gmp_qty), line.product_qty),
                         (exact(base), exact(quantity), quantity))

    def test_scaled_copy(self):
        """CON-050, MMR-040: scaled to another size, a percentage stays and an amount grows with the batch."""
        first, second = self.revision.bom_line_ids.sorted('sequence')
        first.write({'gmp_qty': 84, 'mmr_overage_kind': 'percent', 'mmr_overage': 5, 'mmr_overage_rationale': "Loss"})
        second.write({'mmr_overage_kind': 'amount', 'mmr_overage': 0.25, 'mmr_overage_rationale': "Loss"})
        self.assertEqual([exact(line.gmp_qty) for line in first | second], [exact('88.2'), exact('10.25')])
        for size, unit, values in (
                (500, self.kg, [('420', '21', '441', 5), ('50', '1.25', '51.25', '2.5')]),
                (30, self.kg, [('25.2', '1.26', '26.46', 5), ('3', '0.075', '3.075', '2.5')]),
                (500000, self.gram, [('420', '21', '441', 5), ('50', '1.25', '51.25', '2.5')])):
            with self.subTest(size=size, unit=unit.name), self._undone():
                wizard = self.env['mrp.mmr.create'].with_user(self.user_both).create(
                    {'source_id': self.revision.id, 'batch_size': size, 'uom_id': unit.id})
                copy = self.env['mrp.mmr.revision'].browse(wizard.action_create()['res_id'])
                lines = copy.bom_line_ids.sorted('sequence')
                for line, (base, amount, quantity, percent) in zip(lines, values, strict=True):
                    self._assert_overage(line, base, amount, quantity, percent)
                    self.assertTrue(line.mmr_to_review)
                    self.assertFalse(line.mmr_overage_confirmed_id)

    # === CONFIRMATION === #

    def _confirmed(self, kind='percent'):
        """Return a component whose overage Quality Control confirmed."""
        self._set({'gmp_qty': 10, 'mmr_overage_kind': kind, 'mmr_overage': 5, 'mmr_overage_rationale': "Loss"})
        self.assertFalse(self.line.mmr_overage_confirmed_id)
        self.line.with_user(self.user_qc).action_confirm_overage()
        self.assertEqual(self.line.mmr_overage_confirmed_id, self.user_qc)
        self.assertTrue(self.line.mmr_overage_confirmed_at)
        return self.line

    def test_preparer_cannot_confirm(self):
        """PRD-050: nobody outside Quality Control confirms, by button, by writing or by default values."""
        self._set({'gmp_qty': 10, 'mmr_overage_kind': 'percent', 'mmr_overage': 5, 'mmr_overage_rationale': "Loss"})
        admin = self.env.ref('base.user_admin')
        for user in (self.user_preparer, self.user_manager, self.user_planner, self.user_auditor, admin):
            with self.subTest(user=user.login):
                with self.assertRaisesRegex(UserError, "Only Quality Control can confirm(?s:.)*PRD-050"):
                    self.line.with_user(user).action_confirm_overage()
                with self.assertRaisesRegex(UserError, "Only Quality Control can confirm"):
                    self.revision.with_user(user).sudo().with_user(user).action_confirm_overages()
        with self.assertRaisesRegex(UserError, "Only Quality Control can confirm"):
            self.line.sudo().with_user(1).action_confirm_overage()
        forged = {'mmr_overage_confirmed_id': self.user_qc.id, 'mmr_overage_confirmed_at': '2020-01-01 00:00:00'}
        for user in (self.user_preparer, self.user_both, self.user_qc):
            for vals in (forged, {'mmr_overage_confirmed_id': self.user_qc.id}, {'mmr_overage_confirmed_at': '2020-01-01'}):
                with self.subTest(user=user.login, vals=vals), self.assertRaisesRegex(UserError, "PRD-050"):
                    self.line.with_user(user).sudo().write(vals)
        defaults = {f'default_{name}': value for name, value in forged.items()}
        for context, extra in ((defaults, {}), ({}, forged)):
            line = self.env['mrp.bom.line'].with_user(self.user_preparer).with_context(**context).create({
                'bom_id': self.revision.bom_id.id, 'product_id': self.component_other.id, 'gmp_qty': 1,
                'mmr_overage_kind': 'percent', 'mmr_overage': 5, 'mmr_overage_rationale': "Loss", **extra})
            self.assertFalse(line.mmr_overage_confirmed_id)
            self.assertFalse(line.mmr_overage_confirmed_at)

    def test_changes_reset_the_confirmation(self):
        """PRD-050: a change of overage or rationale by the preparer waits for Quality Control again."""
        self._confirmed()
        resets = [
            ({'mmr_overage': 6}, True), ({'mmr_overage_kind': 'amount'}, True), ({'mmr_overage_rationale': "Habit"}, True),
            ({'product_id': self.component_other.id}, True), ({'mmr_overage_rationale': False}, True),
            ({'mmr_overage_kind': 'none'}, True),
            ({'mmr_overage': 5}, False), ({'mmr_overage_rationale': "Loss"}, False), ({'gmp_qty': 21}, False),
            ({'mmr_base_qty': 30}, False), ({'sequence': 9}, False), ({'mmr_strength': 9}, False),
            ({'product_uom_id': self.gram.id}, False),
        ]
        for vals, is_reset in resets:
            with self.subTest(vals=vals), self._undone():
                self._set(vals)
                self.assertEqual(not self.line.mmr_overage_confirmed_id, is_reset)
                self.assertEqual(not self.line.mmr_overage_confirmed_at, is_reset)

    def test_an_amount_is_judged_with_its_base_and_unit(self):
        """PRD-050: 5 kg on 10 kg is not 5 g on 10 g, nor 5 kg on 1 kg."""
        self._confirmed('amount')
        for vals in ({'product_uom_id': self.gram.id}, {'mmr_base_qty': 1}, {'gmp_qty': 100}, {'product_qty': 100}):
            with self.subTest(vals=vals), self._undone():
                self._set(vals)
                self.assertFalse(self.line.mmr_overage_confirmed_id)
        self._set({'mmr_strength': 7})
        self.assertTrue(self.line.mmr_overage_confirmed_id)

    def test_quality_control_sets_it(self):
        """PRD-050: an overage that Quality Control enters is confirmed by that, and makes them an editor."""
        line = self.line.with_user(self.user_both)
        line.write({'gmp_qty': 10, 'mmr_overage_kind': 'percent', 'mmr_overage': 5})
        self.assertFalse(line.mmr_overage_confirmed_id, "without rationale nothing is confirmed")
        line.write({'mmr_overage_rationale': "Loss"})
        self.assertEqual(line.mmr_overage_confirmed_id, self.user_both)
        self.assertIn(self.user_both, self.revision.editor_ids)
        line.write({'mmr_overage_rationale': "  "})
        self.assertFalse(line.mmr_overage_confirmed_id)
        created = self.env['mrp.bom.line'].with_user(self.user_both).create({
            'bom_id': self.revision.bom_id.id, 'product_id': self.component_other.id, 'gmp_qty': 1,
            'mmr_overage_kind': 'percent', 'mmr_overage': 5, 'mmr_overage_rationale': "Loss"})
        self.assertEqual(created.mmr_overage_confirmed_id, self.user_both)
        # A program that runs as superuser is nobody's judgement.
        created.with_user(1).write({'mmr_overage': 6})
        self.assertFalse(created.mmr_overage_confirmed_id)

    def test_confirming_is_no_editing(self):
        """PRD-050, APR-040: who only confirms an overage stays independent and approves."""
        self._set({'gmp_qty': 90, 'mmr_overage_kind': 'percent', 'mmr_overage': 5, 'mmr_overage_rationale': "Loss"})
        self._sign(self.revision, 'submit', self.user_preparer)
        refused = self._esign(self.revision, 'approve', self.user_qc)['refused']
        self.assertRegex(refused, "overages that Quality Control has not confirmed: (?s:.)*Ascorbic acid(?s:.)*PRD-050")
        digest = self.revision.document_sha256
        self.revision.with_user(self.user_qc).action_confirm_overages()
        self.assertNotIn(self.user_qc, self.revision.editor_ids)
        self.assertEqual(self.revision.document_sha256, digest)
        self.assertTrue(self.revision._is_content_signed())
        signature = self._sign(self.revision, 'approve', self.user_qc)
        self.assertEqual(self.revision.state, 'effective')
        [row] = signature.annex['overages']
        self.assertEqual((row['component'], row['confirmed_by']), (self.component_a.id, self.user_qc.name))
        self.assertRegex(row['confirmed_at'], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

    def test_confirmed_before_submission(self):
        """PRD-050: a draft's overage may be confirmed before; it lasts through submission, rejection and resubmission."""
        self._confirmed()
        self.assertNotIn(self.user_qc, self.revision.editor_ids)
        self._sign(self.revision, 'submit', self.user_preparer)
        self._sign(self.revision, 'reject', self.user_qc, comment="A typing error")
        self.assertEqual(self.line.mmr_overage_confirmed_id, self.user_qc)
        self.revision.precautions = "None."
        self._make_effective(self.revision)

    def test_confirmation_needs_a_rationale(self):
        """PRD-050: what has no rationale is neither confirmed nor submitted."""
        self._set({'gmp_qty': 10, 'mmr_overage_kind': 'percent', 'mmr_overage': 5})
        for rationale in (False, "  \n "):
            self._set({'mmr_overage_rationale': rationale})
            with self.assertRaisesRegex(UserError, "Ascorbic acid has no overage with a rationale"):
                self.line.with_user(self.user_qc).action_confirm_overage()
            with self.assertRaisesRegex(UserError, "Ascorbic acid: the overage has no rationale(?s:.)*PRD-050"):
                self.revision.action_submit()
        with self.assertRaisesRegex(UserError, "has no overage"):
            self.revision.bom_line_ids.sorted('sequence')[1].with_user(self.user_qc).action_confirm_overage()

    @mute_logger('odoo.sql_db')
    def test_after_the_approval(self):
        """PRD-050, REV-010: after the approval neither overage nor confirmation changes, by nobody and not by SQL."""
        self._confirmed()
        self._make_effective(self.revision)
        with self.assertRaisesRegex(UserError, "PRD-050, REV-010"):
            self.line.with_user(self.user_qc).action_confirm_overage()
        for user in (self.user_preparer, self.user_qc, self.user_both):
            for vals in ({'mmr_overage': 6}, {'mmr_overage_rationale': "x"}):
                with self.assertRaisesRegex(UserError, "REV-010"):
                    self.line.with_user(user).sudo().write(vals)
        for column, value in (('mmr_overage_confirmed_id', 'NULL'), ('mmr_overage_confirmed_at', 'NULL'),
                              ('mmr_overage', '6'), ('mmr_overage_rationale', "'x'")):
            with self.subTest(column=column), self.assertRaisesRegex(Exception, "PRD-050|REV-010"), self.cr.savepoint():
                self.cr.execute(f'UPDATE mrp_bom_line SET {column} = {value} WHERE id = %s', [self.line.id])

    def test_other_company_and_plain_boms(self):
        """SEC-010, USE-010: another company's overage is not confirmed; plain bills of materials wait for nobody."""
        self._set({'gmp_qty': 10, 'mmr_overage_kind': 'percent', 'mmr_overage': 5, 'mmr_overage_rationale': "Loss"})
        company = self.env['res.company'].create({'name': "Elsewhere"})
        stranger = self.user_qc.copy({
            'login': 't_stranger', 'company_id': company.id, 'company_ids': [Command.set(company.ids)]})
        with self.assertRaises(AccessError):
            self.line.with_user(stranger).action_confirm_overage()
        self.assertFalse(self.line.mmr_overage_confirmed_id)
        bom = self.env['mrp.bom'].create({
            'product_tmpl_id': self.component_other.product_tmpl_id.id, 'product_uom_id': self.kg.id,
            'bom_line_ids': [Command.create({'product_id': self.component_a.id, 'product_qty': 3})]})
        bom.bom_line_ids.product_qty = 4
        self.assertEqual((bom.bom_line_ids.gmp_qty, bom.bom_line_ids.mmr_overage_confirmed_id.ids), (4, []))
        self.assertTrue(issubclass(ValidationError, UserError))
