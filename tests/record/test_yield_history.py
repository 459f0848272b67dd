"""Yield bands from the history of an MMR, and the warning of a drift inside the band."""

from datetime import datetime, timedelta
from decimal import Decimal

from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, Form, tagged

from odoo.addons.mrp_mmr.domain.control_chart import broken_rules, individuals

from ..common.base import MmrCommon
from ..common.rows import count_rows_read, insert_copies, planned_as_large


def decimals(*values):
    return [Decimal(str(value)) for value in values]


@tagged('post_install', '-at_install')
class TestControlChart(BaseCase):

    def test_individuals(self):
        """YLD-020: limits are mean ± 3 × mean moving range ÷ 1.128, exactly; a known example of the literature agrees.

        Flow rates of the NIST/SEMATECH e-Handbook, 6.3.2.2: mean 50.81, mean moving range 1.8778, limits 45.8159 and 55.8041.
        """
        chart = individuals(decimals(49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1))
        self.assertEqual((chart.count, chart.mean), (10, Decimal('50.81')))
        self.assertEqual(round(chart.moving_range, 4), Decimal('1.8778'))
        self.assertEqual((round(chart.lower, 4), round(chart.upper, 4)), (Decimal('45.8159'), Decimal('55.8041')))
        self.assertEqual(chart.upper - chart.mean, chart.mean - chart.lower)
        narrow = individuals(decimals(49.6, 47.6, 49.9), 2)
        self.assertEqual(round(narrow.upper - narrow.mean, 6), round(Decimal('2.15') / Decimal('1.128') * 2, 6))

    def test_few(self):
        """YLD-020: one batch has no limits; batches that are all the same have limits of no width."""
        self.assertIsNone(individuals([]))
        self.assertIsNone(individuals(decimals(97)))
        chart = individuals(decimals(97, 97, 97))
        self.assertEqual((chart.lower, chart.upper, chart.sigma), (97, 97, 0))

    def test_runs(self):
        """YLD-020: each rule answers to its run, on both sides of the mean, and to nothing less."""
        chart = individuals(decimals(*[99, 101] * 10))._replace(sigma=Decimal(1), lower=Decimal(97), upper=Decimal(103))
        self.assertEqual(chart.mean, 100)
        for values, expected in (
                ((100,), []), ((103,), []), ((103.01,), ['beyond']), ((96.99,), ['beyond']),
                ((102.1, 100, 102.1), ['zone_a']), ((102.1, 100, 102), []), ((102.1, 97.9, 100), []), ((102.1, 97.9), []),
                ((97.9, 97.9), []), ((100, 97.9, 97.9), ['zone_a']), ((102.1, 102.1, 100), []),
                ((101.1, 101.1, 100, 101.1, 101.1), ['zone_b']), ((101.1, 101.1, 101.1, 101.1), []),
                ((101.1, 101.1, 98.9, 101.1, 101), []),
                ((100.1,) * 8, ['side']), ((100.1,) * 7, []), ((99.9,) * 8, ['side']), ((100.1,) * 7 + (100,), []),
                ((99.5, 99.6, 99.7, 100.1, 100.2, 100.3), ['trend']), ((100.3, 100.2, 100.1, 99.7, 99.6, 99.5), ['trend']),
                ((99.6, 99.7, 100.1, 100.2, 100.3), []), ((99.5, 99.6, 99.6, 100.1, 100.2, 100.3), [])):
            with self.subTest(values=values):
                self.assertEqual(broken_rules(decimals(*values), chart), expected)
        self.assertEqual(broken_rules([], chart), [])
        self.assertEqual(broken_rules(decimals(100), None), [])


@tagged('post_install', '-at_install')
class TestYieldHistory(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.revision = cls._create_mmr()
        cls._make_effective(cls.revision)

    def _make(self, *yields):
        """Make a batch for each yield; return their orders."""
        orders = self.env['mrp.production']
        for value in yields:
            order = self._create_order()
            order.action_confirm()
            self._execute(order, produced=str(value))
            orders |= order
        return orders

    def _add_history(self, order, *yields):
        """Let more batches have been made after one, with these yields: copies of what was recorded of its yield."""
        step = order.bpr_id.step_ids.filtered(lambda step: step.kind == 'yield')
        with self._unguarded('mrp_bpr_step', 'mrp_bpr_entry') as cr:
            for number, value in enumerate(yields, 1):
                [copied] = insert_copies(cr, 'mrp_bpr_step', step.id, [
                    {'sequence': 1000 + number}])
                insert_copies(cr, 'mrp_bpr_entry', step.entry_ids.id, [
                    {'step_id': copied, 'value': value, 'data': {**step.entry_ids.data, 'percent': value}}])

    def _open(self, draft, **vals):
        action = draft.with_user(self.user_preparer).action_yield_history()
        return Form(self.env[action['res_model']].with_user(self.user_preparer).with_context(**action['context']))

    def test_proposal(self):
        """YLD-020, CON-060: a band is proposed from the batches that were made, what it would have meant is told, and the
        answer becomes the rationale of the draft; corrected and cancelled ones count as they are."""
        orders = self._make('97', '98', '96', '99', '95')
        unfinished = self._create_order()
        unfinished.action_confirm()
        step = orders[0].bpr_id.step_ids.filtered(lambda step: step.kind == 'yield')
        draft = self._new_revision(self.revision)
        form = self._open(draft)
        self.assertEqual(form.found_count, 5)
        self.assertTrue(form.is_few)
        self.assertEqual((form.mean, form.moving_range, form.lowest, form.highest), (97, 2.5, 95, 99))
        # 97 ± 3 × 2.5 / 1.128 = 90.351… – 103.648…, rounded outwards.
        self.assertEqual((form.proposed_min, form.proposed_max), (90.3, 103.7))
        self.assertIn("0 of the last 5 batches", form.answer)
        form.proposed_min, form.proposed_max = 96, 101
        self.assertEqual(form.outside_count, 1)
        self.assertIn(
            f"With 96 – 101 %, 1 of the last 5 batches would have been deviations: {orders[4].bpr_id.name}", form.answer)
        self.assertIn("mean 97 %", form.rationale)
        form.proposed_min = 95
        self.assertEqual(form.outside_count, 0, "limits are inclusive")
        form.proposed_min = 95.01
        self.assertEqual(form.outside_count, 1)
        form.count = 2
        self.assertEqual((form.found_count, form.lowest, form.highest), (2, 95, 99))
        form.proposed_min, form.proposed_max = 95.5, 100.5
        form.save().action_apply()
        self.assertEqual((draft.yield_min, draft.yield_max), (95.5, 100.5))
        self.assertIn("With 95.5 – 100.5 %, 1 of the last 2 batches", draft.yield_rationale)
        self.assertEqual(step.entry_ids.data['minimum'], '95', "batches keep the band they were made by (USE-040)")

    def test_correction_counts(self):
        """YLD-010, AUD-020: a corrected yield counts with its signed correction, and before it with what was signed."""
        [order] = self._make('96')
        step = order.bpr_id.step_ids.filtered(lambda step: step.kind == 'yield')
        first = step.entry_ids
        answer = step.with_user(self._person(step.performer_role or 'operator')).action_record(
            'yield', {'value': '98'}, reason="Digit misread", corrects=first.id)
        mmr = self.revision.mmr_id
        self.assertEqual([row['percent'] for row in mmr._get_yield_history()], [96])
        entry = self.env['mrp.bpr.entry'].browse(answer['entry_id'])
        self._sign(entry, 'corrected', self._person(step.performer_role or 'operator'))
        if entry.is_proposed:
            self._sign(entry, 'verified', self._person('verifier'))
        self.env.invalidate_all()
        self.assertEqual([row['percent'] for row in mmr._get_yield_history()], [98])

    def test_refused(self):
        """CON-060, APR-020: not a valid band without limits and rationale; only who writes drafts, and only in drafts."""
        draft = self._new_revision(self.revision)
        wizard = self._open(draft).save()
        self.assertIn("No batch has been made yet", wizard.answer)
        for vals, message in (({'proposed_min': 101, 'proposed_max': 99, 'rationale': "x"}, "not a valid band"),
                              ({'proposed_min': 95, 'proposed_max': 102, 'rationale': " "}, "needs a rationale")):
            wizard.write(vals)
            with self.subTest(message), self.assertRaisesRegex(UserError, message):
                wizard.action_apply()
        with self.assertRaises(AccessError):
            self.env['mrp.mmr.yield.history'].with_user(self.user_operator).create({'revision_id': draft.id})
        wizard.write({'proposed_min': 95, 'proposed_max': 102, 'rationale': "As validated"})
        self._sign(draft, 'submit', self.user_preparer)
        with self.assertRefused('REV-010'):
            wizard.action_apply()

    def test_drift(self):
        """YLD-020: eight yields on one side warn Quality Control on the MMR; it is no deviation, and the batch goes on."""
        mmr = self.revision.mmr_id

        def warnings():
            return mmr.activity_ids.filtered(
                lambda activity: activity.activity_type_id == self.env.ref('mrp_mmr.mail_activity_type_drift'))

        self._add_history(self._make('99'), *['97', '99'] * 4)
        self._make('97')
        self.assertFalse(warnings())
        orders = self._make('98.5')
        self._add_history(orders, *['98.5'] * 5)
        orders |= self._make('98.5')
        self.assertFalse(warnings())
        orders |= self._make('98.5')
        self.assertEqual(
            [row['percent'] for row in mmr._get_yield_history()], decimals(*[99, 97] * 5, *[98.5] * 8))
        self.assertEqual(len(warnings()), 1)
        self.assertIn("eight in a row", warnings().note)
        self.assertFalse(orders.bpr_id.deviation_ids)
        self.assertEqual(set(orders.bpr_id.step_ids.mapped('state')), {'done'})

    def test_batches_do_not_matter(self):
        """PRF-010, YLD-020: the history of 40 batches reads as many rows among 3,000 as among 300."""
        bpr = self._make('97').bpr_id
        step = bpr.step_ids.filtered(lambda step: step.kind == 'yield')
        self.assertEqual(step.yield_mmr_id, self.revision.mmr_id)
        self.assertFalse((bpr.step_ids - step).yield_mmr_id)
        begin, made, counts, tables = datetime(2031, 1, 1), 0, [], ('mrp_bpr_step', 'mrp_bpr', 'mrp_bpr_entry')
        with self._unguarded('mrp_bpr_step') as cr:
            for number in (300, 3000):
                insert_copies(cr, 'mrp_bpr_step', step.id, [
                    {'sequence': 1000 + made + place, 'closed_at': begin + timedelta(hours=made + place)}
                    for place in range(number)])
                made += number
                with planned_as_large(cr, *tables):
                    self.env.invalidate_all()
                    counts.append(count_rows_read(cr, self.revision.mmr_id._get_yield_history))
        self.assertLessEqual(counts[1], counts[0])
        self.assertGreaterEqual(counts[0], 40)

    def test_queries(self):
        """YLD-020: the history of many batches is read with as many queries as that of two."""
        mmr = self.revision.mmr_id
        counts = []
        for _number in range(2):
            self._make('97', '98')
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            mmr._get_yield_history()
            counts.append(self.cr.sql_log_count - before)
        self.assertEqual(*counts)
