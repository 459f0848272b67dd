"""Figures of batches for graphs and pivots, and the views that show them (RPT-030)."""

from datetime import date, timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.mrp_mmr.models.quality.figures import QualityFigures

from ..common.base import MmrCommon


@tagged('post_install', '-at_install')
class TestAnalysis(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context=dict(cls.env.context, tz='UTC'))
        cls._make_batches()

    @classmethod
    def _make_batches(cls):
        """Make two completed batches, the second with a correction after its completion, and one that runs."""
        cls.revision = cls._make_effective(cls._create_mmr())
        cls.clean = cls._make_batch("2030-01-10 06:00:00", hours=5)
        cls.other = cls._make_batch("2030-02-10 06:00:00", hours=7, produced="98")
        order = cls._create_order()
        order.action_confirm()
        cls.running = order.bpr_id

    @classmethod
    def _make_batch(cls, start, hours, produced=None):
        start = fields.Datetime.to_datetime(start)
        for product in cls.component_a | cls.component_b:
            cls._stock(product, quantity=1000)
        with freeze_time(start):
            order = cls._create_order()
            order.action_confirm()
            cls._sign(order.bpr_id, 'issue', cls._person('production'))
        with freeze_time(start + timedelta(hours=hours)):
            cls._execute(order, produced=produced)
            order.with_user(cls.user_planner).button_mark_done()
        return order.bpr_id

    def _average(self, name, domain=()):
        return self.env['mrp.bpr']._read_group(
            [('mmr_revision_id', '=', self.revision.id), *domain], [], [f'{name}:avg'])[0][0]

    def test_figures(self):
        """RPT-030: hours from issue to completion and to the decision, yield, right first time; none for running batches."""
        self.assertRecordValues(self.clean | self.other, [
            {'making_hours': 5, 'yield_percent': 100, 'is_right_first_time': True, 'right_first_time': 100},
            {'making_hours': 7, 'yield_percent': 98, 'is_right_first_time': True, 'right_first_time': 100}])
        with freeze_time(self.clean.completed_at + timedelta(hours=30)):
            self._release(self.clean)
        self.assertEqual(self.clean.release_hours, 30)
        self.env.flush_all()
        # An average counts the batches that have the figure, whatever else is in the group.
        self.assertEqual(self._average('release_hours'), 30)
        self.assertEqual(self._average('making_hours'), 6)
        self.assertEqual(self._average('yield_percent'), 99)
        self.assertEqual(self._average('right_first_time'), 100)
        columns = self.env.execute_query(SQL(
            "SELECT making_hours, release_hours, is_right_first_time, right_first_time, yield_percent FROM mrp_bpr "
            "WHERE id = %s", self.running.id))
        self.assertEqual(columns, [(None,) * 5])

    def test_right_first_time(self):
        """RPT-030: a correction, a corrected result or a deviation, also one found after the release, takes it away."""
        self._release(self.clean)
        self.assertTrue(self.clean.is_right_first_time)
        self.env['mrp.deviation']._open_all(self.clean, 'complaint', "Lumps", "Found by a customer.")
        self.assertFalse(self.clean.is_right_first_time)
        self.env.flush_all()
        own = self.other.with_user(self.user_qc)
        position = own._get_specifications()[0]['position']
        first = own.action_record_result(position, {'kind': 'outcome', 'pass': True})
        self.assertTrue(self.other.is_right_first_time)
        own.action_record_result(
            position, {'kind': 'outcome', 'pass': True, 'text': "Sample 2"}, corrects=first['result_id'], reason="Typed twice")
        self.assertRecordValues(self.clean | self.other, [
            {'is_right_first_time': False, 'right_first_time': 0}, {'is_right_first_time': False, 'right_first_time': 0}])
        found = self.env['mrp.bpr'].search([('mmr_revision_id', '=', self.revision.id), ('is_right_first_time', '=', False)])
        self.assertEqual(found, self.clean | self.other | self.running)

    @freeze_time("2030-02-11 08:00:00")
    def test_rejected(self):
        """RPT-030: what was rejected, completed or not, was not right first time; a review counts it and says why."""
        self._sign(self.other, 'reject', self.user_qc, comment="Lumps")
        self._sign(self.running, 'issue', self._person('production'))
        step = self.running.step_ids.sorted('sequence')[0].with_user(self._person('operator'))
        self._train(step, self._person('operator'))
        step.action_start()
        deviation = self.env['mrp.deviation']._open(step, 'occurrence', "Glass", "Found in the blend.")
        deviation.with_user(self.user_qc).procedure_id = self.env['mrp.sop'].create({'code': 'SOP-DEV', 'name': "Deviations"})
        self._sign(deviation, 'decide_reject', self.user_qc, comment="Glass cannot be removed.")
        self._sign(self.running, 'reject', self.user_qc, comment="Glass in the blend")
        self.assertRecordValues(self.other | self.running, [
            {'state': 'done', 'is_right_first_time': False, 'right_first_time': 0},
            {'state': 'progress', 'is_right_first_time': False, 'right_first_time': 0}])
        self.env.flush_all()
        self.assertEqual(self.env.execute_query(SQL(
            "SELECT right_first_time FROM mrp_bpr WHERE id = %s", self.running.id)), [(0,)])
        self.running.production_id.action_cancel()
        begin = min((self.clean | self.other | self.running).mapped('create_date')).date()
        figures = QualityFigures(self.company, self.product, begin, date(2031, 12, 31)).build()
        rows = {row['name']: row for row in figures['batches']}
        self.assertEqual({name: (row['state'], row['rejection']) for name, row in rows.items() if row['state'] == 'rejected'}, {
            self.other.name: ('rejected', {'by': self.user_qc.name, 'reason': "Lumps"}),
            self.running.name: ('rejected', {'by': self.user_qc.name, 'reason': "Glass in the blend"})})

    @freeze_time("2030-02-11 08:00:00")
    def test_corrected_yield(self):
        """RPT-030, AUD-020: a yield corrected after the completion counts from the last signature of the correction on."""
        step = self.other.step_ids.filtered(lambda step: step.kind == 'yield')[-1:]
        entry = step.entry_ids.filtered(lambda entry: entry.kind == 'yield')
        late = step.with_user(self._person(step.performer_role or 'operator')).action_record(
            'yield', {'value': "97"}, corrects=entry.id, reason="Scale misread")
        correction = self.env['mrp.bpr.entry'].browse(late['entry_id'])
        self.assertEqual(self.other.yield_percent, 98)
        self.assertFalse(self.other.is_right_first_time)
        self._sign(correction, 'corrected', self._person('operator'))
        while correction.is_proposed:
            self._sign(correction, 'verified', self._person('verifier'))
        self.assertEqual(self.other.yield_percent, 97)

    def test_views(self):
        """RPT-030, PRD-090: each view of the analysis groups and measures what PostgreSQL can, also for auditors."""
        self.env['mrp.deviation']._open(self.running.step_ids[:1], 'occurrence', "Spilled", "About a gram.")
        self.env.flush_all()
        for user in (self.user_auditor, self.user_qc):
            for name, groups, measures in (
                    ('mrp.bpr', ['completed_at:month', 'release_state'], ['__count']),
                    ('mrp.bpr', ['completed_at:month', 'product_id'], ['yield_percent:avg']),
                    ('mrp.bpr', ['mmr_id', 'is_right_first_time'], ['making_hours:avg', 'release_hours:avg']),
                    ('mrp.deviation', ['source', 'severity'], ['__count']),
                    ('mrp.deviation', ['workcenter_id', 'product_id'], ['__count'])):
                with self.subTest(user=user.login, model=name, groups=groups):
                    self.assertTrue(self.env[name].with_user(user).formatted_read_group([], groups, measures))
            groups = self.env['mrp.deviation'].with_user(user)._read_group(
                [('bpr_id', '=', self.running.id)], ['workcenter_id'], ['__count'])
            self.assertEqual([(center.id, count) for center, count in groups], [(self.workcenter.id, 1)])
        menus = self.env.ref('mrp_mmr.menu_quality_analysis').child_id
        self.assertEqual(len(menus), 4)
        for action in menus.mapped('action'):
            views = self.env[action.res_model].get_views(action.views)['views']
            self.assertEqual(set(views), set(action.view_mode.split(',')))
