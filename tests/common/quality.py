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
        cls._make_year()

    @classmethod
    def _make_year(cls):
        with freeze_time("2029-12-01 06:00:00"):
            draft = cls._create_mmr()
            cls.env['mrp.mmr.specification'].with_user(cls.user_preparer).create({
                'revision_id': draft.id, 'scope': 'product', 'name': "Assay", 'limit_kind': 'range', 'minimum': 95,
                'maximum': 105, 'unit': "%", 'method': "HPLC", 'corrective_action': "Reject.",
                'document_id': draft.specification_ids.document_id[:1].id})
            cls.first = cls._make_effective(draft)
            for product in cls.component_a | cls.component_b:
                cls._stock(product, quantity=100_000)
        cls.earlier = cls._make_batch("2029-12-20 06:00:00", "100")
        cls.batches = cls.env['mrp.bpr']
        for month, produced in enumerate(YIELDS, 1):
            if month == 7:
                with freeze_time("2030-06-15 06:00:00"):
                    cls.second = cls._make_effective(cls._new_revision(cls.first, reason="Fewer lumps"))
            cls.batches |= cls._make_batch(f"2030-{month:02}-10 06:00:00", produced)
        with freeze_time("2030-12-10 06:00:00"):
            cls.batches |= cls._confirm()
            cls._make_rework(cls.batches[11])
        for bpr, assay in zip(cls.batches, ASSAYS, strict=False):
            with freeze_time(bpr.completed_at + timedelta(days=10)):
                cls._record_assay(bpr, assay)
                cls._release(bpr)
        cls._fail_assay(cls.batches[4])
        with freeze_time("2030-11-20 06:00:00"):
            cls._sign(cls.batches[10], 'reject', cls.user_qc, comment="Yield too low")
            cls.bad_lot = cls._create_lot_as_planned(cls.component_a, "ASC-BAD")
            cls._sign(cls.bad_lot, 'reject', cls.user_qc, comment="Wrong colour")
        with freeze_time("2030-07-01 06:00:00"):
            deviations = cls.env['mrp.deviation']
            critical = deviations._open_all(cls.batches[5], 'occurrence', "Glass found", "A splinter.", severity='critical')
            deviations._open_all(cls.earlier, 'complaint', "Lumps", "A customer found lumps.", severity='minor')
            cls._make_capa(critical)
        cls.env.flush_all()
        cls.env.invalidate_all()

    @classmethod
    def _confirm(cls):
        """Return the issued record of another order."""
        order = cls._create_order()
        order.action_confirm()
        order.lot_producing_ids = [Command.create({'name': f"L-{order.id}", 'product_id': cls.product.id})]
        cls._sign(order.bpr_id, 'issue', cls._person('production'))
        return order.bpr_id

    @classmethod
    def _make_batch(cls, start, produced):
        """Return a batch that was completed an hour after its start, with a yield in percent."""
        start = fields.Datetime.to_datetime(start)
        with freeze_time(start):
            bpr = cls._confirm()
        with freeze_time(start + timedelta(hours=1)):
            step = bpr.step_ids.filtered(lambda step: step.kind == 'yield').sorted('sequence')[-1:]
            cls._execute(bpr.production_id, until=step)
            cls._train(step, cls._person('operator'))
            step.with_user(cls._person(step.performer_role or 'operator')).action_start(acknowledged=True)
            cls._record_step(step, value=produced)
            for deviation in bpr.deviation_ids:
                cls._sign(deviation, 'decide', cls.user_qc, comment="No effect on the rest.")
            cls._sign_step(step)
            cls._execute(bpr.production_id)
            bpr.production_id.with_user(cls.user_planner).button_mark_done()
        return bpr

    @classmethod
    def _record_assay(cls, bpr, value):
        position = next(row['position'] for row in bpr._get_specifications() if row['parameter'] == "Assay")
        answer = bpr.with_user(cls.user_qc).action_record_result(position, {'kind': 'value', 'value': value})
        return cls.env['mrp.bpr.result'].browse(answer['result_id'])

    @classmethod
    def _fail_assay(cls, bpr):
        with freeze_time(bpr.completed_at + timedelta(days=1)):
            failed = cls._record_assay(bpr, "94.9")
            cls._sign(failed, 'authorise_retest', cls.user_qc2, comment="Column was damaged")
            cls._record_assay(bpr, "99.2")

    @classmethod
    def _make_rework(cls, bpr):
        step = bpr.step_ids.sorted('sequence')[0]
        cls._do_step(step)
        deviation = cls.env['mrp.deviation'].browse(
            step.with_user(cls._person('operator')).action_report("Lumps", "Found at the sieve."))
        cls._adjust(deviation)
        cls.env['mrp.bpr.rework'].with_user(cls.user_operator)._record(
            deviation.with_user(cls.user_operator), bpr, "LUMPS", "2.5", cls.kg, "Sieved again.")

    @classmethod
    def _make_capa(cls, deviation):
        cls.capa = cls.env['mrp.capa'].with_user(cls.user_qc).create({
            'title': "Glass", 'cause_id': cls.env.ref('mrp_mmr.deviation_cause_equipment').id, 'cause': "Lamp.",
            'effectiveness_criterion': "None found", 'effectiveness_due': '2031-12-31',
            'deviation_ids': [Command.link(deviation.id)],
            'action_ids': [Command.create({
                'name': "Cover the lamps", 'owner_id': cls.user_qc.id, 'due_date': '2030-09-30'})]})
        cls.capa.action_start()

    @classmethod
    def _create_review(cls, user=None, **vals):
        return cls.env['mrp.quality.review'].with_user(user or cls._person('quality_manager')).create({
            'product_ids': cls.product.ids, 'date_from': '2030-01-01', 'date_to': '2030-12-31',
            'conclusion': "The process is in control.", 'actions': "CAPA for the lamps goes on.", **vals})
