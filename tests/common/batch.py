"""A whole batch with everything that can be recorded about one: for the tests of prints, sheets and views."""

from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.fields import Command

from .base import PNG, MmrCommon, expect, fill_content

#: Steps of the stage of testing, beside that of the fixture of contents.
STEPS = (
    {'name': "Temperature of the room", 'kind': 'environment', 'limit_kind': 'nmt', 'maximum': 25, 'unit': "°C",
     'corrective_action': "Cool the room."},
    {'name': "Appearance", 'kind': 'passfail', 'instruction': "Look at the powder on a white sheet.",
     'criterion_text': "White powder without lumps.",
     'corrective_action': "Sieve again.", 'verifier_role': 'verifier'},
    {'name': "Photo of the drum", 'kind': 'photo', 'instruction': "Photograph drum and label."},
    {'name': "Line clearance of the filling line", 'kind': 'clearance', 'instruction': "Nothing of another batch.",
     'verifier_role': 'verifier'},
    {'name': "Labels of the drums", 'kind': 'label', 'instruction': "Count the labels.", 'verifier_role': 'verifier',
     'is_critical': True},
    {'name': "Samples for the archive", 'kind': 'sampling', 'sample_required': True, 'sample_count': 2, 'sample_size': 50,
     'sample_unit': "g", 'sample_timing': "At the end", 'instruction': "Take them from the drum."},
    {'name': "Clean the room", 'kind': 'instruction', 'instruction': "Wipe all surfaces.\nTwice."},
)


class BatchCommon(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_decimals()
        # Real time, but frozen once for all: the first freezing looks at each module there is, further ones do not.
        cls.startClassPatcher(freeze_time(tick=True))
        for product in cls.component_a | cls.component_b | cls.product:
            product.tracking = 'lot'
        #: When the work goes on; it passes with each entry and signature.
        cls.clock = fields.Datetime.to_datetime('2031-03-03 06:00:00')

    @classmethod
    def _create_full_mmr(cls, **vals):
        """Return the effective revision of an MMR that uses every kind of step and every field."""
        cls.env.user.group_ids += cls.env.ref('mrp.group_mrp_byproducts')
        revision = cls._create_mmr(**vals)
        fill_content(revision, cls.component_other)
        env = cls.env(user=cls.user_preparer)
        testing = revision.operation_ids.sorted('sequence')[-1]
        packaging = env['mrp.routing.workcenter'].create({
            'name': "Packaging", 'bom_id': revision.bom_id.id, 'workcenter_id': testing.workcenter_id.id, 'sequence': 4,
            'mmr_stage': 'packaging'})
        env['mrp.mmr.equipment'].create({
            'revision_id': revision.id, 'operation_id': packaging.id, 'preparation': "Clean.",
            'equipment_id': cls.env['maintenance.equipment'].create({'name': "Filling line 1", 'serial_no': "FL-77"}).id})
        env['mrp.mmr.pack.line'].create([
            {'pack_id': pack.id, 'product_id': cls.component_other.id, 'quantity': 1, 'uom_id': cls.kg.id}
            for pack in revision.pack_ids if not pack.line_ids])
        revision.pack_ids.with_env(env).packed_under = False
        method = cls.env['mrp.sop'].search([('code', '=', 'M-7')])
        env['mrp.mmr.step'].create([
            {'revision_id': revision.id, 'sequence': 20 + number, 'method_id': method.id,
             'pack_id': revision.pack_ids.sorted('sequence')[0].id if vals['kind'] == 'label' else False,
             'operation_id': (packaging if vals['kind'] in ('label', 'clearance') else testing).id, **vals}
            for number, vals in enumerate(STEPS)])
        revision.with_user(cls.user_qc).action_confirm_overages()
        return cls._make_effective(revision)

    @classmethod
    def _make_batch(cls):
        """Return a completed batch that all tests of the class share: it takes some seconds to make."""
        return cls._complete_batch()

    # === WORK === #

    @classmethod
    def _tick(cls, minutes=1):
        """Let time pass; return the clock."""
        cls.clock = cls.clock + timedelta(minutes=minutes)
        return freeze_time(cls.clock)

    @classmethod
    def _by(cls, step, role=None):
        return step.with_user(cls._person(role or step.performer_role or 'operator'))

    @classmethod
    def _start(cls, step):
        if step.planned['equipment']:
            with cls._tick():
                cls._ready_unit(step)
        with cls._tick():
            expect(cls._by(step).action_start(acknowledged=True), {'started': True})

    @classmethod
    def _put(cls, step, kind, vals, **kwargs):
        """Record one value a minute later; return the entry."""
        with cls._tick():
            result = cls._by(step).action_record(kind, vals, **kwargs)
        return cls.env['mrp.bpr.entry'].browse(result['entry_id'])

    @classmethod
    def _sign_all(cls, step):
        with cls._tick():
            cls._sign_step(step)

    @classmethod
    def _run(cls, step):
        """Do a step as planned."""
        cls._start(step)
        with cls._tick():
            if step.kind != 'add':
                cls._record_step(step)
        cls._sign_all(step)

    @classmethod
    def _decide(cls, deviations, comment="No effect on the product."):
        """Decide on deviations: what does not meet its specification is adjusted, the rest is accepted."""
        for deviation in deviations.filtered(lambda deviation: deviation.state == 'open'):
            text = f"{comment} ({deviation.name})"
            with cls._tick():
                if deviation._is_specification_unmet():
                    cls._adjust(deviation, text)
                else:
                    cls._sign(deviation, 'decide', cls.user_qc, comment=text)

    @classmethod
    def _step(cls, bpr, name):
        return bpr.step_ids.filtered(lambda step: step.name == name)

    # === THE BATCH === #

    @classmethod
    def _release_batch(cls, revision, lot="VC-2031-001"):
        """Return the issued record of a released order with lots on stock."""
        expect(len(cls._get_lots()), 3)
        order = cls._create_order()
        order.lot_producing_ids = [Command.create({'name': lot, 'product_id': cls.product.id})]
        with cls._tick():
            order.action_confirm()
        cls._train_all(order.bpr_id)
        with cls._tick():
            if order.bpr_id.state == 'issue':
                cls._sign(order.bpr_id, 'issue', cls._person('production'), comment="Compared.")
        return order.bpr_id

    @classmethod
    def _get_lots(cls):
        """The lots of the components, on stock from their first use."""
        return {key: cls._find_lot(product, name) for key, product, name in (
            ('a1', cls.component_a, "ASC-7001"), ('a2', cls.component_a, "ASC-7002"), ('b', cls.component_b, "MCC-44"))}

    @classmethod
    def _find_lot(cls, product, name):
        """Return a lot of a component, put on stock where it is new."""
        lots = cls.env['stock.lot']
        return lots.search([('product_id', '=', product.id), ('name', '=', name)]) or cls._stock(
            product, cls._create_lot_as_planned(product, name))

    @classmethod
    def _complete_batch(cls, revision=None, lot="VC-2031-001"):
        """Return the record of a completed batch: corrections, deviations, a retest, a late entry, a step left out."""
        bpr = cls._release_batch(revision or cls._create_full_mmr(), lot)
        for step in bpr.step_ids.sorted('sequence'):
            if step.state == 'open':
                getattr(cls, {
                    "Moisture": '_do_moisture', "Blend": '_do_blend', "Appearance": '_do_appearance',
                    "Labels of the drums": '_do_labels', "Clean the room": '_leave_out',
                    "Bottle of 60": '_do_materials', "Bottle of 90": '_make_none',
                }.get(step.name, '_do_component_a' if step.kind == 'weigh' and step.planned['component'] == 1 else
                      '_do_component_b' if step.kind == 'weigh' else
                      '_do_yield' if step.kind == 'yield' else '_run'))(step)
                cls._decide(bpr.deviation_ids)
        late = cls._step(bpr, "Blend")
        cls._put(late, 'comment', {'text': "The lamp of the blender was changed."}, reason="Forgotten during the shift")
        with cls._tick():
            bpr.production_id.with_user(cls.user_planner).button_mark_done()
        expect(bpr.state, 'done')
        return bpr

    @classmethod
    def _do_component_a(cls, step):
        """Two containers of two lots; the first weight was typed wrongly and corrected."""
        cls._start(step)
        whole = float(step.planned['target']['quantity'])
        wrong = cls._put(step, 'weight', {'value': "60.05", 'lot_id': cls._get_lots()['a1'].id})
        cls._put(step, 'weight', {
            'value': "50.05", 'lot_id': cls._get_lots()['a1'].id, 'issued': "51.25", 'returned': "1", 'scrapped': "0.2"},
            corrects=wrong.id, reason="Digit misread")
        cls._put(step, 'weight', {'value': f"{whole - 50.05:.2f}", 'lot_name': cls._get_lots()['a2'].name})
        cls._put(step, 'comment', {'text': "Drum 2 of lot ASC-7002 opened.", 'about_id': wrong.id})
        cls._sign_all(step)

    @classmethod
    def _do_component_b(cls, step):
        """Too little of it: a departure from the formula."""
        cls._start(step)
        cls._put(step, 'weight', {'value': "9.875", 'lot_id': cls._get_lots()['b'].id})
        with cls._tick():
            cls._sign(step, 'performed', cls._person('operator'))
        cls._decide(step.deviation_ids, "Within the validated range")
        cls._sign_all(step)

    @classmethod
    def _do_moisture(cls, step):
        """Out of limits, tested again with leave of Quality Control; corrected after the signature."""
        cls._start(step)
        for row in step.planned['checklist']:
            cls._put(step, 'check', {'position': row['position'], 'pass': row['position'] == 1,
                                      'text': "" if row['position'] == 1 else "Certificate expired yesterday"})
        cls._put(step, 'sample', {'count': "3", 'size': "5.5", 'text': "Top, middle, bottom"})
        cls._put(step, 'equipment', {'equipment_id': step.planned['unit']['equipment']['id']})
        cls._put(step, 'value', {'value': "3.6"})
        with cls._tick():
            cls._sign(step, 'authorise_retest', cls.user_qc, comment="Sample was too small")
        retest = cls._put(step, 'value', {'value': "2.25", 'text': "Second sample"})
        cls._decide(step.deviation_ids, "Retest within limits")
        with cls._tick():
            cls._sign(step, 'performed', cls._person('operator'))
        corrected = cls._put(step, 'value', {'value': "2.35", 'text': "Second sample"}, corrects=retest.id,
                              reason="Transposed digits")
        with cls._tick():
            cls._sign(corrected, 'corrected', cls._person('operator'))
        with cls._tick():
            cls._sign(corrected, 'verified', cls._person('verifier'))
        cls._sign_all(step)

    @classmethod
    def _do_blend(cls, step):
        cls._start(step)
        with cls._tick():
            cls._record_step(step)
        cls._put(step, 'handover', {'text': "Blender runs, 5 minutes left."})
        cls._sign_all(step)

    @classmethod
    def _do_appearance(cls, step):
        cls._start(step)
        cls._put(step, 'outcome', {'pass': False, 'text': "Two lumps"})
        with cls._tick():
            cls._by(step).action_report("Spoon fell", "The spoon fell on the floor.", severity='minor')
        cls._decide(step.deviation_ids, "Lumps sieved out")
        cls._sign_all(step)

    @classmethod
    def _do_labels(cls, step):
        cls._start(step)
        cls._put(step, 'labels', {
            'position': 1, 'version': "1", 'lot_name': "LBL-555", 'issued': "1000", 'used': "940", 'destroyed': "31",
            'returned': "17", 'sampled': "2", 'finished': "940"})
        cls._put(step, 'photo', {'name': "roll.png", 'data': PNG, 'text': "Roll after use"})
        cls._decide(step.deviation_ids, "Ten labels found in the machine")
        cls._sign_all(step)

    @classmethod
    def _do_materials(cls, step):
        cls._start(step)
        cls._put(step, 'material', {
            'position': 1, 'lot_name': "BOT-9", 'issued': "1700", 'used': "1625", 'destroyed': "5", 'returned': "70"})
        cls._put(step, 'material', {
            'position': 2, 'lot_name': "CAP-3", 'issued': "1650", 'used': "1625", 'destroyed': "20", 'text': "Five fell down"})
        cls._sign_all(step)

    @classmethod
    def _make_none(cls, step):
        cls._start(step)
        if step.kind == 'label':
            cls._put(step, 'labels', {
                'version': "1", 'lot_name': "LBL-555", 'issued': "0", 'used': "0", 'destroyed': "0", 'returned': "0",
                'finished': "0"})
            cls._sign_all(step)
            return
        cls._put(step, 'material', {'not_made': True, 'text': "Only bottles of 60 were ordered"})
        cls._sign_all(step)

    @classmethod
    def _do_yield(cls, step):
        cls._start(step)
        theoretical = float(step.planned['band']['theoretical'])
        cls._put(step, 'yield', {'value': f"{theoretical * 0.975:g}"})
        cls._decide(step.deviation_ids)
        cls._sign_all(step)

    @classmethod
    def _leave_out(cls, step):
        with cls._tick():
            cls._sign(step, 'not_done', cls._person('production'), comment="The room is cleaned tomorrow.")
