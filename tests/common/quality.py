"""Twelve batches of a year with whatever a product quality review counts, and one of the year before."""

from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.fields import Command

from .base import MmrCommon

#: Yield of each batch, by month of 2030; the last batch of the year is not completed. The band is 95 – 102 %.
YIELDS = ("98", "99", "97.5", "98.5", "99.5", "98", "97", "98.5", "99", "98.25", "93")
#: Assay of the released batches; the fifth failed, and its retest passed.
ASSAYS = ("99", "100.5", "101", "98.5")


class QualityCommon(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.component_a.tracking = 'lot'
        for role in ('operator', 'verifier', 'production', 'quality_manager', 'qp'):
            cls._person(role)
        cls.user_qc2 = cls.user_both
        cls('_make_year')._make_year()

    def _make_year(self):
        cls = type(self)
        with freeze_time("2029-12-01 06:00:00"):
            draft = self._create_mmr()
            self.env['mrp.mmr.specification'].with_user(self.user_preparer).create({
                'revision_id': draft.id, 'scope': 'product', 'name': "Assay", 'limit_kind': 'range', 'minimum': 95,
                'maximum': 105, 'unit': "%", 'method': "HPLC", 'corrective_action': "Reject.",
                'document_id': draft.specification_ids.document_id[:1].id})
            cls.first = self._make_effective(draft)
            for product in self.component_a | self.component_b:
                self._stock(product, quantity=100_000)
        cls.earlier = self._make_batch("2029-12-20 06:00:00", "100")
        cls.batches = self.env['mrp.bpr']
        for month, produced in enumerate(YIELDS, 1):
            if month == 7:
                with freeze_time("2030-06-15 06:00:00"):
                    cls.second = self._make_effective(self._new_revision(self.first, reason="Fewer lumps"))
            cls.batches |= self._make_batch(f"2030-{month:02}-10 06:00:00", produced)
        with freeze_time("2030-12-10 06:00:00"):
            cls.batches |= self._confirm()
            self._make_rework(self.batches[11])
        for bpr, assay in zip(self.batches, ASSAYS, strict=False):
            with freeze_time(bpr.completed_at + timedelta(days=10)):
                self._record_assay(bpr, assay)
                self._release(bpr)
        self._fail_assay(self.batches[4])
        with freeze_time("2030-11-20 06:00:00"):
            self._sign(self.batches[10], 'reject', self.user_qc, comment="Yield too low")
            cls.bad_lot = self._create_lot_as_planned(self.component_a, "ASC-BAD")
            self._sign(self.bad_lot, 'reject', self.user_qc, comment="Wrong colour")
        with freeze_time("2030-07-01 06:00:00"):
            deviations = self.env['mrp.deviation']
            critical = deviations._open_all(self.batches[5], 'occurrence', "Glass found", "A splinter.", severity='critical')
            deviations._open_all(self.earlier, 'complaint', "Lumps", "A customer found lumps.", severity='minor')
            self._make_capa(critical)
        self.env.flush_all()
        self.env.invalidate_all()

    def _confirm(self):
        """Return the issued record of another order."""
        order = self._create_order()
        order.action_confirm()
        order.lot_producing_ids = [Command.create({'name': f"L-{order.id}", 'product_id': self.product.id})]
        self._sign(order.bpr_id, 'issue', self._person('production'))
        return order.bpr_id

    def _make_batch(self, start, produced):
        """Return a batch that was completed an hour after its start, with a yield in percent."""
        start = fields.Datetime.to_datetime(start)
        with freeze_time(start):
            bpr = self._confirm()
        with freeze_time(start + timedelta(hours=1)):
            step = bpr.step_ids.filtered(lambda step: step.kind == 'yield').sorted('sequence')[-1:]
            self._execute(bpr.production_id, until=step)
            self._train(step, self._person('operator'))
            step.with_user(self._person(step.performer_role or 'operator')).action_start(acknowledged=True)
            self._record_step(step, value=produced)
            for deviation in bpr.deviation_ids:
                self._sign(deviation, 'decide', self.user_qc, comment="No effect on the rest.")
            self._sign_step(step)
            self._execute(bpr.production_id)
            bpr.production_id.with_user(self.user_planner).button_mark_done()
        return bpr

    def _record_assay(self, bpr, value):
        position = next(row['position'] for row in bpr._get_specifications() if row['parameter'] == "Assay")
        answer = bpr.with_user(self.user_qc).action_record_result(position, {'kind': 'value', 'value': value})
        return self.env['mrp.bpr.result'].browse(answer['result_id'])

    def _fail_assay(self, bpr):
        with freeze_time(bpr.completed_at + timedelta(days=1)):
            failed = self._record_assay(bpr, "94.9")
            self._sign(failed, 'authorise_retest', self.user_qc2, comment="Column was damaged")
            self._record_assay(bpr, "99.2")

    def _make_rework(self, bpr):
        step = bpr.step_ids.sorted('sequence')[0]
        self._do_step(step)
        deviation = self.env['mrp.deviation'].browse(
            step.with_user(self._person('operator')).action_report("Lumps", "Found at the sieve."))
        self._adjust(deviation)
        self.env['mrp.bpr.rework'].with_user(self.user_operator)._record(
            deviation.with_user(self.user_operator), bpr, "LUMPS", "2.5", self.kg, "Sieved again.")

    def _make_capa(self, deviation):
        type(self).capa = self.env['mrp.capa'].with_user(self.user_qc).create({
            'title': "Glass", 'cause_id': self.env.ref('mrp_mmr.deviation_cause_equipment').id, 'cause': "Lamp.",
            'effectiveness_criterion': "None found", 'effectiveness_due': '2031-12-31',
            'deviation_ids': [Command.link(deviation.id)],
            'action_ids': [Command.create({
                'name': "Cover the lamps", 'owner_id': self.user_qc.id, 'due_date': '2030-09-30'})]})
        self.capa.action_start()

    def _create_review(self, user=None, **vals):
        return self.env['mrp.quality.review'].with_user(user or self._person('quality_manager')).create({
            'product_ids': self.product.ids, 'date_from': '2030-01-01', 'date_to': '2030-12-31',
            'conclusion': "The process is in control.", 'actions': "CAPA for the lamps goes on.", **vals})
