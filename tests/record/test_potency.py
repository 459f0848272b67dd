"""Targets by the potency of the lots: assay-adjusted components and the filler that balances them."""

from decimal import Decimal

from psycopg2.errors import CheckViolation

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.mrp_mmr.domain.canonical import sha256
from odoo.addons.mrp_mmr.domain.numbers import Number

from ..common.base import MmrCommon


class PotencyCommon(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_decimals()
        (cls.component_a | cls.component_b).tracking = 'lot'
        cls.operator = cls._person('operator')

    @classmethod
    def _adjust(cls, draft, reference=100, unit="%", basis='as_is', tolerance=0.01, filler=True):
        """Make the first component of a draft assay adjusted and the second one its filler."""
        active, other = draft.bom_line_ids.sorted('sequence')
        active.write({
            'mmr_assay_adjusted': True, 'mmr_assay_reference': reference, 'mmr_assay_unit': unit, 'mmr_assay_basis': basis,
            'mmr_tolerance': tolerance, 'mmr_tolerance_justification': "Scale of 0.01 kg."})
        other.write({'mmr_is_filler': filler, 'mmr_tolerance': 0.005, 'mmr_tolerance_justification': "Scale of 0.005 kg."})
        return draft

    def _create_lot(self, product, name, **vals):
        """Return a released lot on stock with an assay."""
        lot = self.env['stock.lot'].create({'name': name, 'product_id': product.id})
        if vals:
            lot.with_user(self.user_qc).write(vals)
        return self._stock(product, lot)

    def _refused(self, rule, function, *args, **kwargs):
        with self.assertRaisesRegex(UserError, rule), self.env.cr.savepoint():
            function(*args, **kwargs)


@tagged('post_install', '-at_install')
class TestPotencyContent(PotencyCommon):

    def test_document(self):
        """CON-030, REV-010: reference potency and filler are signed content, in the document only where they are used."""
        plain = self._create_mmr(500)
        for row in plain._prepare_document()['components']:
            self.assertFalse({'assay', 'is_filler'} & row.keys())
        draft = self._adjust(self._create_mmr(100), 98.5, False, False)
        rows = draft._prepare_document()['components']
        self.assertEqual(rows[0]['assay'], {'reference': '98.5', 'unit': '%', 'basis': 'as_is'})
        self.assertNotIn('is_filler', rows[0])
        self.assertIs(rows[1]['is_filler'], True)
        self._make_effective(draft)
        line = draft.bom_line_ids.sorted('sequence')[0]
        for vals in ({'mmr_assay_adjusted': False}, {'mmr_assay_reference': 99}, {'mmr_assay_unit': "IU"},
                     {'mmr_assay_basis': 'dried'}, {'mmr_is_filler': True}):
            self._refused("REV-010", line.with_user(self.user_preparer).write, vals)
        self.assertTrue(draft._is_content_signed())
        # The next revision takes them along, and its redline says what changed.
        following = self._new_revision(draft)
        copied = following.bom_line_ids.sorted('sequence')
        self.assertEqual([(line.mmr_assay_adjusted, line.mmr_assay_reference, line.mmr_is_filler) for line in copied], [
            (True, Number('98.5'), False), (False, None, True)])
        copied[0].mmr_assay_reference = 99
        changes = following._get_redline(draft)['changes']
        self.assertIn(('98.5 %', '99 %'), [(row['before'], row['after']) for row in changes if row['field'].endswith('assay')])

    def test_completeness(self):
        """CON-030: a filler without adjusted components, several fillers and what cannot be calculated is refused."""
        draft = self._adjust(self._create_mmr())
        active, filler = draft.bom_line_ids.sorted('sequence')
        self.assertFalse([row for row in draft._get_unmet_requirements() if 'CON-030' in str(row)])

        def unmet(expected, *changes):
            undo = [(line, {name: line[name] for name in vals}) for line, vals in changes]
            for line, vals in changes:
                line.write(vals)
            with self.subTest(expected):
                self.assertIn(expected, ' '.join(text for _citation, text in draft._get_unmet_requirements()))
                self._refused(expected.replace('.', r'\.'), draft.with_user(self.user_preparer).action_submit)
            for line, vals in undo:
                line.write(vals)

        unmet("reference potency is missing", (active, {'mmr_assay_reference': 0}))
        unmet("has nothing to balance", (active, {'mmr_assay_adjusted': False}))
        unmet("only one balancing filler", (active, {'mmr_is_filler': True}))
        unmet("filler cannot be adjusted itself", (filler, {'mmr_assay_adjusted': True, 'mmr_assay_reference': 100}))
        unmet("adjusted to the assay of its lots must be tracked by lots", (self.component_a, {'tracking': 'none'}))
        steps = draft.step_ids.filtered(lambda step: step.kind == 'weigh').sorted(lambda step: step.bom_line_id.sequence)
        unmet("weighed before a component", (steps[0], {'operation_id': filler.operation_id.id, 'sequence': 90}))
        litre = self.env['product.product'].create({
            'name': "Water", 'type': 'consu', 'is_storable': True, 'tracking': 'lot', 'uom_id': self.litre.id})
        other = filler.copy({'product_id': litre.id, 'product_uom_id': self.litre.id, 'mmr_is_filler': False,
                             'mmr_assay_adjusted': True, 'mmr_assay_reference': 1})
        self.assertIn("cannot be converted to the unit of the filler", str(draft._get_unmet_requirements()))
        other.unlink()
        self._make_effective(draft)


@tagged('post_install', '-at_install')
class TestPotencyInBatch(PotencyCommon):

    def _begin(self, size=100, **adjust):
        self.revision = self._make_effective(self._adjust(self._create_mmr(size), **adjust))
        return self._release()

    def _release(self):
        order = self._create_order(self.revision.batch_size)
        order.action_confirm()
        self._sign(order.bpr_id, 'issue', self._person('production'))
        self.active, self.filler = order.bpr_id.step_ids.filtered(lambda step: step.kind == 'weigh').sorted('sequence')
        self.active = self.active.with_user(self.operator)
        self.active.action_start()
        return order

    def _weigh(self, step, lot, value, **more):
        return step.action_record('weight', {'value': value, 'lot_id': lot.id}, **more)

    def test_targets(self):
        """USE-070, 211.101(a): planned × reference ÷ potency, half to even at the sixth digit, for a table of lots."""
        order = self._begin(filler=False)
        self.assertIsNone(self.active._get_adjusted_target()['quantity'])
        self.assertFalse(self.active.target_quantity)
        for number, (vals, expected) in enumerate([
            ({'mmr_assay': 100}, '90'),
            ({'mmr_assay': 98.5}, '91.370558'),
            ({'mmr_assay': 96}, '93.75'),
            ({'mmr_assay': 103.2}, '87.209302'),
            ({'mmr_assay': 99.2, 'mmr_assay_basis': 'dried', 'mmr_assay_moisture': 0.8}, '91.457466'),
            ({'mmr_assay': 100, 'mmr_assay_moisture': 5}, '90'),  # the assay is as is already
            ({'mmr_assay': 64}, '140.625'),
        ]):
            lot = self._create_lot(self.component_a, f"A-{number}", **vals)
            with self.subTest(vals):
                self.assertEqual(self.active._get_adjusted_target(lot)['quantity'], expected)
        self.assertFalse(order.bpr_id.deviation_ids)

    def test_activity(self):
        """USE-070: a potency per unit works as a percentage does; an assay in another unit is none."""
        self._begin(reference=2500, unit="IU/g", filler=False)
        percent = self._create_lot(self.component_a, "A-1", mmr_assay=99)
        missing = self._create_lot(self.component_a, "A-2")
        active = self._create_lot(self.component_a, "A-3", mmr_assay=2400, mmr_assay_unit="iu/g")
        for lot in (percent, missing):
            self._refused("has no assay in IU/g", self._weigh, self.active, lot, '90')
        self.assertEqual(self.active._get_adjusted_target(active)['quantity'], '93.75')

    def test_weighing(self):
        """USE-070, BPR-060: tolerance and consumption follow the adjusted target; entry, form and signature keep it."""
        order = self._begin()
        lot = self._create_lot(self.component_a, "A-1", mmr_assay=98.5, mmr_assay_date='2026-01-02')
        other = self._create_lot(self.component_b, "B-1")
        self._weigh(self.active, lot, '91.37')
        entry = self.active.entry_ids
        self.assertEqual(entry.data['adjusted'], {
            'formula': "90 × 100 ÷ 98.5 = 91.370558 kg", 'planned': '90', 'target': '91.370558', 'potency': '98.5',
            'reference': {'reference': '100', 'unit': '%', 'basis': 'as_is'}, 'others': [],
            'assay': {'value': '98.5', 'unit': '%', 'basis': 'as_is', 'moisture': '0', 'date': '2026-01-02'}})
        self.assertIn("91.370558", entry.summary)
        self.assertEqual((self.active.target_quantity, self.active.target_formula),
                         ("91.370558 kg", "90 × 100 ÷ 98.5 = 91.370558 kg"))
        self._sign_step(self.active)
        self.assertFalse(order.bpr_id.deviation_ids)
        self.assertEqual(
            self.active.sudo().performed_signature_id.content['entries'][0]['data']['adjusted']['target'], '91.370558')
        # The filler: 10 − 1.370558.
        self._execute(order, until=self.filler)
        filler = self.filler.with_user(self.operator)
        filler.action_start()
        self.assertEqual(filler._get_adjusted_target()['quantity'], '8.629442')
        self._weigh(filler, other, '8.63')
        self.assertEqual(filler.entry_ids.data['adjusted'], {
            'formula': "10 − 1.370558 = 8.629442 kg", 'planned': '10', 'target': '8.629442', 'components': [
                {'component': "Ascorbic acid", 'planned': '90', 'target': '91.370558', 'unit': "kg",
                 'difference': '1.370558'}]})
        self._sign_step(filler)
        self._execute(order)
        self.assertFalse(order.bpr_id.deviation_ids)
        order.with_user(self.user_planner).button_mark_done()
        self.assertEqual(order.state, 'done')
        self.assertEqual(order.move_raw_ids.mapped('quantity'), [91.37, 8.63])
        rows = self.env['mrp.bpr.alignment'].search([('bpr_id', '=', order.bpr_id.id), ('kind', '=', 'component')])
        self.assertEqual([(row.planned, row.actual, row.status) for row in rows], [
            (91.370558, 91.37, 'within'), (8.629442, 8.63, 'within')], "compared with the adjusted targets")

    def test_tolerance(self):
        """USE-070: what would be right for the planned quantity is a deviation where the lot is weaker."""
        order = self._begin()
        self._weigh(self.active, self._create_lot(self.component_a, "A-1", mmr_assay=98.5), '90')
        self._sign(self.active, 'performed', self.operator)
        deviation = order.bpr_id.deviation_ids
        self.assertEqual(deviation.cause_key, 'amount')
        self.assertIn("Target 91.370558, tolerance 0.01, weighed 90 kg", deviation.description)

    def test_several_lots(self):
        """USE-070: each lot covers its own part of the reference quantity, the last one the rest."""
        order = self._begin()
        weak = self._create_lot(self.component_a, "A-1", mmr_assay=96)
        strong = self._create_lot(self.component_a, "A-2", mmr_assay=99.9)
        self._weigh(self.active, weak, '20')
        self._weigh(self.active, weak, '10')
        # 30 kg of 96 % cover 28.8 of 90; (9000 − 2880) ÷ 99.9 = 61.261261…
        target = self.active._get_adjusted_target(strong)
        self.assertEqual((target['inputs']['part'], target['quantity']), ('61.261261', '91.261261'))
        self._weigh(self.active, strong, '61.27')
        last = self.active.entry_ids[-1].data['adjusted']
        self.assertEqual(last['formula'], "(90 × 100 − 20 × 96 − 10 × 96) ÷ 99.9 = 61.261261 kg")
        self.assertEqual([row['lot'] for row in last['others']], ["A-1", "A-1"])
        self.assertEqual(self.active._get_adjusted_target()['quantity'], '91.261261')
        self._refused("already weighed cover .* completely", self._weigh, self.active, self._create_lot(
            self.component_a, "A-3", mmr_assay=90), '1')
        self._sign_step(self.active)
        self.assertFalse(order.bpr_id.deviation_ids)
        self.assertEqual(self.filler._get_adjusted_target()['quantity'], '8.738739')

    def test_filler(self):
        """USE-070: the filler waits for what it balances, takes what stronger lots leave, and is never negative."""
        order = self._begin(reference=90)
        self.assertEqual(self.filler._get_adjusted_target()['inputs']['missing'], ["Ascorbic acid"])
        self.assertFalse(self.filler.target_quantity)
        self._weigh(self.active, self._create_lot(self.component_a, "A-1", mmr_assay=100), '81')
        self.assertIsNone(self.filler._get_adjusted_target()['quantity'])
        self._sign_step(self.active)
        self.assertEqual(self.filler._get_adjusted_target()['quantity'], '19')
        self.assertIn("10 − (-9) = 19 kg", self.filler.target_formula)
        self._cancel_batch(order)
        order = self._release()
        self._weigh(self.active, self._create_lot(self.component_a, "A-2", mmr_assay=80), '101.25')
        self._sign_step(self.active)
        self._execute(order, until=self.filler)
        filler = self.filler.with_user(self.operator)
        filler.action_start()
        other = self._create_lot(self.component_b, "B-1")
        self._refused("would be negative", self._weigh, filler, other, '1')
        self.assertFalse(filler.entry_ids)

    def test_correction(self):
        """AUD-020, USE-070: a corrected weight covers nothing; a late correction judges the filler again."""
        order = self._begin()
        weak = self._create_lot(self.component_a, "A-1", mmr_assay=90)
        lot = self._create_lot(self.component_a, "A-2", mmr_assay=100)
        wrong = self._weigh(self.active, weak, '90')
        self._weigh(self.active, lot, '90', reason="Wrong label scanned", corrects=wrong['entry_id'])
        self.assertEqual(self.active.entry_ids[-1].data['adjusted']['formula'], "90 × 100 ÷ 100 = 90 kg")
        self._sign_step(self.active)
        self._execute(order, until=self.filler)
        filler = self.filler.with_user(self.operator)
        filler.action_start()
        self._weigh(filler, self._create_lot(self.component_b, "B-1"), '10')
        self._sign_step(filler)
        self.assertFalse(order.bpr_id.deviation_ids)
        # The active was of the weaker lot after all: 100 kg were needed, and no filler.
        answer = self._weigh(self.active, weak, '90', reason="It was A-1", corrects=self.active.entry_ids[-1].id)
        entry = self.env['mrp.bpr.entry'].browse(answer['entry_id'])
        self._sign(entry, 'corrected', self.operator)
        self._sign(entry, 'verified', self._person('verifier'))
        self.assertEqual(order.bpr_id.deviation_ids.step_id, self.active | self.filler)

    def test_released_assay(self):
        """USE-070, SIG-030: the assay is the one that was released; PostgreSQL takes no other, and entries keep theirs."""
        self._begin()
        lot = self._create_lot(self.component_a, "A-1", mmr_assay=98)
        self._weigh(self.active, lot, '91.84')
        vals = {'step_id': self.active.id, 'kind': 'weight', 'value': '90', 'lot_id': lot.id, 'lot_name': "A-1",
                'is_late': False, 'to_sign': False}
        for data in ({'quantity': '90'}, {'quantity': '90', 'adjusted': {'assay': {'value': '99'}}}):
            with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "USE-070"), self.env.cr.savepoint():
                self.env['mrp.bpr.entry']._append({**vals, 'data': data})
        self._sign(lot, 'quarantine', self.user_qc, comment="Assay repeated")
        lot.with_user(self.user_qc).mmr_assay = 97
        self._sign(lot, 'release', self.user_qc)
        self.assertEqual(self.active._get_adjusted_target()['quantity'], '91.836735')
        dried = self.env['stock.lot'].create({'name': "A-2", 'product_id': self.component_a.id})
        dried.with_user(self.user_qc).write({'mmr_assay': 99, 'mmr_assay_basis': 'dried'})
        self.assertIn("no moisture", self._esign(dried, 'release', self.user_qc, digest='0')['refused'])

    def test_without_adjustment(self):
        """USE-070: other components are weighed as before, and their entries say nothing of potency."""
        revision = self._make_effective(self._create_mmr())
        order = self._create_order()
        order.action_confirm()
        self._sign(order.bpr_id, 'issue', self._person('production'))
        step = order.bpr_id.step_ids.filtered(lambda step: step.kind == 'weigh').sorted('sequence')[0].with_user(self.operator)
        step.action_start()
        self.assertIsNone(step._get_adjusted_target())
        self.assertEqual((step.target_quantity, step.target_formula), ("90 kg", False))
        self._weigh(step, self._create_lot(self.component_a, "A-1", mmr_assay=50), '90')
        self.assertNotIn('adjusted', step.entry_ids.data)
        self._sign(step, 'performed', self.operator)
        self.assertFalse(order.bpr_id.deviation_ids)
        self.assertEqual(sha256(revision.document), revision.document_sha256)

    def test_plan(self):
        """USE-070: where the MMR has no steps to weigh, the filler comes after what it balances."""
        draft = self._adjust(self._create_mmr())
        first, second = draft.bom_line_ids.sorted('sequence')
        draft.step_ids.filtered(lambda step: step.kind == 'weigh').unlink()
        first.write({'mmr_assay_adjusted': False, 'mmr_is_filler': True, 'operation_id': second.operation_id.id})
        second.write({'mmr_is_filler': False, 'mmr_assay_adjusted': True, 'mmr_assay_reference': 100})
        document = draft._prepare_document()
        plan = self.env['mrp.bpr']._prepare_plan(document, ())
        weighed = [row['planned']['component'] for row in plan if row['planned']['kind'] == 'weigh']
        self.assertEqual(weighed, [2, 1])
        self.assertEqual(Decimal(document['components'][1]['assay']['reference']), 100)
