"""A whole batch with everything that can be recorded about one: for the tests of prints, sheets and views."""

from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.fields import Command

from .base import PNG, MmrCommon, fill_content

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
        for product in cls.component_a | cls.component_b | cls.product:
            product.tracking = 'lot'
        #: When the work goes on; it passes with each entry and signature.
        cls.clock = fields.Datetime.to_datetime('2031-03-03 06:00:00')

    def _create_full_mmr(self, **vals):
        """Return the effective revision of an MMR that uses every kind of step and every field."""
        self.env.user.group_ids += self.env.ref('mrp.group_mrp_byproducts')
        revision = self._create_mmr(**vals)
        fill_content(revision, self.component_other)
        env = self.env(user=self.user_preparer)
        testing = revision.operation_ids.sorted('sequence')[-1]
        packaging = env['mrp.routing.workcenter'].create({
            'name': "Packaging", 'bom_id': revision.bom_id.id, 'workcenter_id': testing.workcenter_id.id, 'sequence': 4,
            'mmr_stage': 'packaging'})
        env['mrp.mmr.equipment'].create({
            'revision_id': revision.id, 'operation_id': packaging.id, 'preparation': "Clean.",
            'equipment_id': self.env['maintenance.equipment'].create({'name': "Filling line 1", 'serial_no': "FL-77"}).id})
        env['mrp.mmr.pack.line'].create([
            {'pack_id': pack.id, 'product_id': self.component_other.id, 'quantity': 1, 'uom_id': self.kg.id}
            for pack in revision.pack_ids if not pack.line_ids])
        method = self.env['mrp.sop'].search([('code', '=', 'M-7')])
        env['mrp.mmr.step'].create([
            {'revision_id': revision.id, 'sequence': 20 + number, 'method_id': method.id,
             'operation_id': (packaging if vals['kind'] in ('label', 'clearance') else testing).id, **vals}
            for number, vals in enumerate(STEPS)])
        revision.with_user(self.user_qc).action_confirm_overages()
        return self._make_effective(revision)

    @classmethod
    def _make_batch(cls):
        """Return a completed batch that all tests of the class share: it takes some seconds to make."""
        return cls()._complete_batch()

    # === WORK === #

    def _tick(self, minutes=1):
        """Let time pass; return the clock."""
        type(self).clock = self.clock + timedelta(minutes=minutes)
        return freeze_time(self.clock)

    def _by(self, step, role=None):
        return step.with_user(self._person(role or step.performer_role or 'operator'))

    def _start(self, step):
        if step.planned['equipment']:
            with self._tick():
                self._ready_unit(step)
        with self._tick():
            self.assertEqual(self._by(step).action_start(acknowledged=True), {'started': True})

    def _put(self, step, kind, vals, **kwargs):
        """Record one value a minute later; return the entry."""
        with self._tick():
            result = self._by(step).action_record(kind, vals, **kwargs)
        return self.env['mrp.bpr.entry'].browse(result['entry_id'])

    def _sign_all(self, step):
        with self._tick():
            self._sign_step(step)

    def _run(self, step):
        """Do a step as planned."""
        self._start(step)
        with self._tick():
            if step.kind != 'add':
                self._record_step(step)
        self._sign_all(step)

    def _decide(self, deviations, comment="No effect on the product."):
        """Decide on deviations: what does not meet its specification is adjusted, the rest is accepted."""
        for deviation in deviations.filtered(lambda deviation: deviation.state == 'open'):
            text = f"{comment} ({deviation.name})"
            with self._tick():
                if deviation._is_specification_unmet():
                    self._adjust(deviation, text)
                else:
                    self._sign(deviation, 'decide', self.user_qc, comment=text)

    def _step(self, bpr, name):
        return bpr.step_ids.filtered(lambda step: step.name == name)

    # === THE BATCH === #

    def _release_batch(self, revision, lot="VC-2031-001"):
        """Return the issued record of a released order with lots on stock."""
        self.assertEqual(len(self.lots), 3)
        order = self._create_order()
        order.lot_producing_ids = [Command.create({'name': lot, 'product_id': self.product.id})]
        with self._tick():
            order.action_confirm()
        self._train_all(order.bpr_id)
        with self._tick():
            if order.bpr_id.state == 'issue':
                self._sign(order.bpr_id, 'issue', self._person('production'), comment="Compared.")
        return order.bpr_id

    @property
    def lots(self):
        """The lots of the components, on stock from their first use."""
        return {key: self._find_lot(product, name) for key, product, name in (
            ('a1', self.component_a, "ASC-7001"), ('a2', self.component_a, "ASC-7002"), ('b', self.component_b, "MCC-44"))}

    def _find_lot(self, product, name):
        """Return a lot of a component, put on stock where it is new."""
        lots = self.env['stock.lot']
        return lots.search([('product_id', '=', product.id), ('name', '=', name)]) or self._stock(
            product, self._create_lot_as_planned(product, name))

    def _complete_batch(self, revision=None, lot="VC-2031-001"):
        """Return the record of a completed batch: corrections, deviations, a retest, a late entry, a step left out."""
        bpr = self._release_batch(revision or self._create_full_mmr(), lot)
        for step in bpr.step_ids.sorted('sequence'):
            if step.state == 'open':
                getattr(self, {
                    "Moisture": '_do_moisture', "Blend": '_do_blend', "Appearance": '_do_appearance',
                    "Labels of the drums": '_do_labels', "Clean the room": '_leave_out',
                    "Bottle of 60": '_do_materials', "Bottle of 90": '_make_none',
                }.get(step.name, '_do_component_a' if step.kind == 'weigh' and step.planned['component'] == 1 else
                      '_do_component_b' if step.kind == 'weigh' else
                      '_do_yield' if step.kind == 'yield' else '_run'))(step)
                self._decide(bpr.deviation_ids)
        late = self._step(bpr, "Blend")
        self._put(late, 'comment', {'text': "The lamp of the blender was changed."}, reason="Forgotten during the shift")
        with self._tick():
            bpr.production_id.with_user(self.user_planner).button_mark_done()
        self.assertEqual(bpr.state, 'done')
        return bpr

    def _do_component_a(self, step):
        """Two containers of two lots; the first weight was typed wrongly and corrected."""
        self._start(step)
        whole = float(step.planned['target']['quantity'])
        wrong = self._put(step, 'weight', {'value': "60.05", 'lot_id': self.lots['a1'].id})
        self._put(step, 'weight', {
            'value': "50.05", 'lot_id': self.lots['a1'].id, 'issued': "51.25", 'returned': "1", 'scrapped': "0.2"},
            corrects=wrong.id, reason="Digit misread")
        self._put(step, 'weight', {'value': f"{whole - 50.05:.2f}", 'lot_name': self.lots['a2'].name})
        self._put(step, 'comment', {'text': "Drum 2 of lot ASC-7002 opened.", 'about_id': wrong.id})
        self._sign_all(step)

    def _do_component_b(self, step):
        """Too little of it: a departure from the formula."""
        self._start(step)
        self._put(step, 'weight', {'value': "9.875", 'lot_id': self.lots['b'].id})
        with self._tick():
            self._sign(step, 'performed', self._person('operator'))
        self._decide(step.deviation_ids, "Within the validated range")
        self._sign_all(step)

    def _do_moisture(self, step):
        """Out of limits, tested again with leave of Quality Control; corrected after the signature."""
        self._start(step)
        for row in step.planned['checklist']:
            self._put(step, 'check', {'position': row['position'], 'pass': row['position'] == 1,
                                      'text': "" if row['position'] == 1 else "Certificate expired yesterday"})
        self._put(step, 'sample', {'count': "3", 'size': "5.5", 'text': "Top, middle, bottom"})
        self._put(step, 'equipment', {'equipment_id': step.planned['unit']['equipment']['id']})
        self._put(step, 'value', {'value': "3.6"})
        with self._tick():
            self._sign(step, 'authorise_retest', self.user_qc, comment="Sample was too small")
        retest = self._put(step, 'value', {'value': "2.25", 'text': "Second sample"})
        self._decide(step.deviation_ids, "Retest within limits")
        with self._tick():
            self._sign(step, 'performed', self._person('operator'))
        corrected = self._put(step, 'value', {'value': "2.35", 'text': "Second sample"}, corrects=retest.id,
                              reason="Transposed digits")
        with self._tick():
            self._sign(corrected, 'corrected', self._person('operator'))
        with self._tick():
            self._sign(corrected, 'verified', self._person('verifier'))
        self._sign_all(step)

    def _do_blend(self, step):
        self._start(step)
        with self._tick():
            self._record_step(step)
        self._put(step, 'handover', {'text': "Blender runs, 5 minutes left."})
        self._sign_all(step)

    def _do_appearance(self, step):
        self._start(step)
        self._put(step, 'outcome', {'pass': False, 'text': "Two lumps"})
        with self._tick():
            self._by(step).action_report("Spoon fell", "The spoon fell on the floor.", severity='minor')
        self._decide(step.deviation_ids, "Lumps sieved out")
        self._sign_all(step)

    def _do_labels(self, step):
        self._start(step)
        self._put(step, 'labels', {
            'position': 1, 'version': "1", 'lot_name': "LBL-555", 'issued': "1000", 'used': "940", 'destroyed': "31",
            'returned': "17", 'sampled': "2", 'finished': "940"})
        self._put(step, 'photo', {'name': "roll.png", 'data': PNG, 'text': "Roll after use"})
        self._decide(step.deviation_ids, "Ten labels found in the machine")
        self._sign_all(step)

    def _do_materials(self, step):
        self._start(step)
        self._put(step, 'material', {
            'position': 1, 'lot_name': "BOT-9", 'issued': "1700", 'used': "1625", 'destroyed': "5", 'returned': "70"})
        self._put(step, 'material', {
            'position': 2, 'lot_name': "CAP-3", 'issued': "1650", 'used': "1625", 'destroyed': "20", 'text': "Five fell down"})
        self._sign_all(step)

    def _make_none(self, step):
        self._start(step)
        self._put(step, 'material', {'not_made': True, 'text': "Only bottles of 60 were ordered"})
        self._sign_all(step)

    def _do_yield(self, step):
        self._start(step)
        theoretical = float(step.planned['band']['theoretical'])
        self._put(step, 'yield', {'value': f"{theoretical * 0.975:g}"})
        self._decide(step.deviation_ids)
        self._sign_all(step)

    def _leave_out(self, step):
        with self._tick():
            self._sign(step, 'not_done', self._person('production'), comment="The room is cleaned tomorrow.")
