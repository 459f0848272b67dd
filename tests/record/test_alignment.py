"""Planned against actual, as one table (PRD-070)."""

from decimal import Decimal

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from ..common.batch import BatchCommon
from .test_transcription import PaperCommon

#: What a hand reckons of the whole batch of the fixture: kind, planned, from, to, actual, difference, percent, status.
EXPECTED = {
    "Weigh and add Ascorbic acid": ('component', 94.5, 94.45, 94.55, 94.5, 0, 100, 'planned'),
    "Weigh and add Microcrystalline cellulose": ('component', 10, 10, 10, 9.875, -0.125, 98.75, 'outside'),
    "Moisture": ('reading', 2, 1, 3, 2.35, 0.35, 117.5, 'retest'),
    "Blending time": ('reading', 0, 14, 16, 14, 0, 0, 'planned'),
    "Temperature of the room": ('reading', 0, 0, 25, 25, 0, 0, 'planned'),
    "Appearance": ('step', 0, 0, 0, 0, 0, 0, 'outside'),
    "Labels of the drums": ('step', 0, 0, 0, 0, 0, 0, 'outside'),
    "Clean the room": ('step', 0, 0, 0, 0, 0, 0, 'not_done'),
    "Photo of the drum": ('step', 0, 0, 0, 0, 0, 0, 'planned'),
    "Blend": ('step', 0, 0, 0, 0, 0, 0, 'planned'),
}
NUMBERS = ('planned', 'lower', 'upper', 'actual', 'difference', 'percent')


@tagged('post_install', '-at_install')
class TestAlignment(BatchCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bpr = cls._make_batch()
        cls.rows = cls.env['mrp.bpr.alignment'].with_user(cls.user_auditor).search([('bpr_id', '=', cls.bpr.id)])

    def test_rows(self):
        """PRD-070: one row for each step of the snapshot and for the time of each stage, and no other."""
        steps = self.rows.filtered(lambda row: row.kind != 'time')
        self.assertEqual(steps.step_id, self.bpr.step_ids.sorted('sequence'))
        self.assertEqual(len(steps), len(self.bpr.step_ids))
        times = self.rows - steps
        self.assertEqual(sorted(times.mapped('stage')), [1, 2, 3, 4])
        self.assertEqual(set(self.rows.mapped('mmr_revision_id')), {self.bpr.mmr_revision_id})

    def test_by_hand(self):
        """PRD-070, BPR-060, BPR-070: planned, actual, difference and judgement are those that a hand reckons."""
        for name, (kind, *numbers, status) in EXPECTED.items():
            row = self.rows.filtered(lambda row, name=name: row.name == name)
            with self.subTest(row=name):
                self.assertEqual((row.kind, *(row[number] for number in NUMBERS), row.status), (kind, *numbers, status))
        yields = self.rows.filtered(lambda row: row.kind == 'yield')
        self.assertEqual([[row[number] for number in NUMBERS] + [row.status] for row in yields], [
            [99, 95.04, 99.99, 96.525, -2.475, 97.5, 'within'], [100, 95, 102, 97.5, -2.5, 97.5, 'within']])
        lots = self.rows.filtered(lambda row: row.kind == 'component').mapped('lots')
        self.assertEqual(lots, ["ASC-7001 50.05 kg, ASC-7002 44.45 kg", "MCC-44 9.875 kg"])

    def test_differences(self):
        """PRD-070: exactly the differences that the fixture plants are marked."""
        different = self.env['mrp.bpr.alignment'].search([
            ('bpr_id', '=', self.bpr.id), ('status', 'in', ('within', 'retest', 'outside', 'not_done'))])
        self.assertEqual(different.mapped('name'), [
            "Weigh and add Microcrystalline cellulose", "Moisture", "Yield", "Appearance", "Clean the room",
            "Labels of the drums", "Yield"])

    def test_times(self):
        """PRD-070, BPR-180: the time of a stage is that between its first start and its last end, beside its limit."""
        for row in self.rows.filtered(lambda row: row.kind == 'time'):
            steps = self.bpr.step_ids.filtered(lambda step, row=row: step.stage == row.stage)
            seconds = (max(steps.mapped('closed_at')) - min(filter(None, steps.mapped('started_at')))).total_seconds()
            self.assertEqual(row.actual, float(round(Decimal(int(seconds)) / 3600, 6)))
            self.assertEqual((row.unit, row.status), ('h', 'planned'))
            self.assertEqual(row.upper, 4 if row.name == "Blending" else 0)

    def test_several_batches(self):
        """PRD-070, PRD-080: over the batches of a revision, running ones too; what is not recorded yet is open."""
        other = self._release_batch(self.bpr.mmr_revision_id, "VC-2031-002")
        step = other.step_ids.sorted('sequence')[0]
        self._start(step)
        self._put(step, 'weight', {'value': "94.53", 'lot_id': self._get_lots()['a1'].id})
        action = self.bpr.mmr_revision_id.with_user(self.user_auditor).action_open_alignment()
        rows = self.env['mrp.bpr.alignment'].with_user(self.user_auditor).search(action['domain'])
        self.assertEqual(rows.bpr_id, self.bpr | other)
        self.assertEqual(len(rows), 2 * len(self.rows))
        new = rows.filtered(lambda row: row.bpr_id == other)
        self.assertEqual(new.filtered('actual').mapped('status'), ['within'])
        self.assertEqual(set((new - new.filtered('actual')).mapped('status')), {'open'})
        groups = self.env['mrp.bpr.alignment']._read_group(
            action['domain'] + [('kind', '=', 'component')], ['component_id'], ['planned:sum', 'actual:sum'])
        self.assertEqual(groups[0], (self.component_a, 189, 189.03))
        opened = rows[:1].action_open_step()
        self.assertEqual(opened['res_model'], 'mrp.bpr.step')

    def test_snapshot(self):
        """PRD-070, USE-040: a later revision changes no row of a batch that was made before."""
        before = self.rows.read(['name', 'status', 'lots', 'unit', *NUMBERS])
        revision = self._new_revision(self.bpr.mmr_revision_id)
        revision.bom_line_ids.with_user(self.user_preparer).sorted('sequence')[0].mmr_tolerance = 0
        revision.with_user(self.user_qc).action_confirm_overages()
        self._make_effective(revision)
        self.component_a.name = "Renamed"
        self.env.invalidate_all()
        self.assertEqual(self.rows.read(['name', 'status', 'lots', 'unit', *NUMBERS]), before)

    def test_queries(self):
        """PRD-070: the rows of a batch take one query, however many there are."""
        rows = self.env['mrp.bpr.alignment']
        rows.search_fetch([('bpr_id', '=', self.bpr.id)], ['status', *NUMBERS])
        self.env.invalidate_all()
        with self.assertQueryCount(1):
            rows.search_fetch([('bpr_id', '=', self.bpr.id)], ['status', *NUMBERS]).mapped('actual')

    def test_rights(self):
        """SEC-010: who may not read batches sees no row, nor who works for another company."""
        stranger = new_test_user(self.env, login='t_stranger', groups='base.group_user')
        with self.assertRaises(AccessError):
            self.rows.with_user(stranger).read(['actual'])
        with self.assertRaises(AccessError):
            self.bpr.with_user(stranger).action_open_alignment()
        company = self.env['res.company'].create({'name': "Other company"})
        other = new_test_user(self.env, login='t_elsewhere', groups='mrp_mmr.group_mmr_auditor', company_id=company.id,
                              company_ids=[(6, 0, company.ids)])
        self.assertFalse(self.env['mrp.bpr.alignment'].with_user(other).search([('bpr_id', '=', self.bpr.id)]))


@tagged('post_install', '-at_install')
class TestAlignmentOfEntries(PaperCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bpr = cls._begin()
        cls.step = cls.bpr.step_ids.sorted('sequence')[0].with_user(cls._person('operator'))

    def _row(self):
        self.env.invalidate_all()
        return self.env['mrp.bpr.alignment'].search([('step_id', '=', self.step.id)])

    def _weigh(self, value, **kwargs):
        return self.env['mrp.bpr.entry'].browse(
            self.step.action_record('weight', {'value': value, 'lot_name': "L-ASC"}, **kwargs)['entry_id'])

    def test_exact(self):
        """PRD-070, BPR-060: amounts are added exactly; one unit of the last digit is a difference."""
        self.step.action_start(acknowledged=True)
        self._weigh("30.1")
        self.assertEqual(self._row().status, 'open', "the weighing goes on")
        self._weigh("30.2")
        last = self._weigh("29.7")
        self.assertEqual((self._row().actual, self._row().difference, self._row().status), (90, 0, 'planned'))
        self._set_decimals()
        self._weigh("29.700001", corrects=last.id, reason="Misread")
        self.assertEqual((self._row().actual, self._row().difference, self._row().status), (90.000001, 0.000001, 'outside'))
        self.assertEqual(self._row().lots, "L-ASC 90.000001 kg")

    def test_counts(self):
        """PRD-070, AUD-020: only entries that count are reckoned, as the record reckons them, at each moment."""
        def check():
            row = self._row()
            weights = self.step._get_weights()
            self.assertEqual(Decimal(str(row.actual)), sum(Decimal(entry.data['quantity']) for entry in weights))
            return row.actual

        self.step.action_start(acknowledged=True)
        copy = self._log_printed(self._issue(self.bpr)[0])
        first = self._weigh("80")
        self.assertEqual(check(), 80)
        transcription = self._transcribe(self.step, copy, [{'value': "10", 'lot_name': "L-ASC"}])
        self.assertEqual(check(), 80)
        self._sign(transcription, 'verified', self._person('verifier'))
        self.assertEqual(check(), 90)
        for point, role in (('performed', 'operator'), ('verified', 'verifier')):
            self._sign(self.step, point, self._person(role))
        second = self._weigh("79", corrects=first.id, reason="Misread")
        self.assertEqual(check(), 90)
        third = self._weigh("78", corrects=second.id, reason="Misread again")
        self.assertEqual(check(), 90)
        self._sign(third, 'corrected', self._person('operator'))
        self.assertEqual(check(), 90, "the second person is missing")
        self._sign(third, 'verified', self._person('verifier'))
        self.assertEqual(check(), 88)
        rejected = self._transcribe(self.step, copy, [{'value': "5", 'lot_name': "L-ASC"}])
        self._sign(rejected, 'transcribed', self._person('operator'))
        self._sign(rejected, 'rejected', self._person('verifier'), comment="Not on the sheet")
        self.assertEqual(check(), 88)
