"""The log of equipment, and what batches may use: identified, clean for their product, calibrated."""

from datetime import timedelta

from freezegun import freeze_time
from psycopg2.errors import CheckViolation

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.mrp_mmr.domain.transitions import transition

from ..common.base import PNG, MmrCommon, enrol


class EquipmentCommon(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for product in cls.component_a | cls.component_b:
            product.tracking = 'lot'
        cls.scale = cls.env['maintenance.equipment'].create({
            'name': "SC-1", 'serial_no': "SC-0001", 'mmr_is_instrument': True, 'mmr_calibration_interval': 180})
        cls.operator = cls._person('operator')
        cls.revision = cls._make_effective(cls._create_mmr())
        cls.lots = {product: cls._stock(product) for product in cls.component_a | cls.component_b}
        cls.category = cls.revision.equipment_ids.category_id
        cls.blender = cls.env['maintenance.equipment'].create({
            'name': "VB-1", 'serial_no': "VB-0001", 'category_id': cls.category.id})
        cls.env.flush_all()
        cls.env.invalidate_all()

    @classmethod
    def _release(cls):
        """Return an order whose record is issued."""
        order = cls._create_order()
        order.action_confirm()
        cls._sign(order.bpr_id, 'issue', cls._person('production'))
        return order

    def _at_stage(self, order, number=1, stage=2):
        """Return a step, with those before it done and itself started."""
        step = order.bpr_id.step_ids.filtered(lambda step: (step.stage, step.number) == (stage, number))
        self._execute(order, until=step)
        return step.with_user(self.operator)

    def _weigh(self, order, scale, **values):
        """Weigh the first component of a released order on a scale; return the answer."""
        step = order.bpr_id.step_ids.sorted('sequence')[0].with_user(self.operator)
        step.action_start(acknowledged=True)
        return step.action_record('weight', {
            'value': '90', 'lot_id': self.lots[self.component_a].id, 'equipment_id': scale.id, **values})

    def _use(self, unit, product, **vals):
        """Record a use outside of a batch."""
        return self._log_equipment(unit, 'use', product_id=product.id, started_at=fields.Datetime.now(), **vals)

    def _refused(self, rule, function, *args, **kwargs):
        with self.assertRaisesRegex(UserError, rule), self.env.cr.savepoint():
            function(*args, **kwargs)


@tagged('post_install', '-at_install')
class TestEquipmentLog(EquipmentCommon):

    # === LINES === #

    def test_lines_stay(self):
        """BPR-040, AUD-030: nobody creates, changes or deletes a line, not by SQL either; the ledger has it."""
        line = self._clean(self.blender)
        self.assertEqual(line.state, 'valid')
        for user in (self.operator, self.user_qc, self.env.ref('base.user_admin')):
            own = line.with_user(user)
            for records in (own, own.sudo()):
                self._refused("AUD-030", records.write, {'text': "x"})
                self._refused("AUD-030|not allowed", records.unlink)
                self._refused("AUD-030", records.copy)
                self._refused("AUD-030", records.create, {'equipment_id': self.blender.id, 'kind': 'cleaning'})
        for query in ("UPDATE mrp_equipment_log SET ended_at = now() WHERE id = %s",
                      "DELETE FROM mrp_equipment_log WHERE id = %s"):
            with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "append-only"), self.env.cr.savepoint():
                self.env.cr.execute(SQL(query, line.id))
        entry = self.env['mrp.audit.entry'].search([('res_model', '=', 'mrp.equipment.log'), ('res_id', '=', line.id)])
        self.assertEqual(set(entry.mapped('kind')), {'create', 'sign'})
        self._refused("BPR-040", self.blender.unlink)
        self.assertEqual(line.with_user(self.user_auditor).procedure_name, "SOP-CLN v. 1")

    def test_incomplete_lines(self):
        """BPR-040, IPC-070: nothing is recorded in advance, without its content or by persons without a role."""
        procedure = self._clean(self.blender).procedure_id
        cleaning = {'cleaning_kind': 'full', 'procedure_id': procedure.id}
        blender, scale = self.blender.with_user(self.operator), self.scale.with_user(self.operator)
        later = fields.Datetime.now() + timedelta(minutes=1)
        good = {'result': 'pass', 'as_found': "1000 g", 'performed_by': "Lab", 'next_due': '2099-01-01'}
        for unit, kind, vals in (
                (blender, 'cleaning', dict(cleaning, ended_at=later)), (blender, 'cleaning', {'cleaning_kind': 'full'}),
                (blender, 'cleaning', dict(cleaning, cleaning_kind='some')), (blender, 'maintenance', {'text': ' '}),
                (blender, 'use', {'product_id': self.product.id}), (blender, 'calibration', good),
                (scale, 'calibration', dict(good, as_found='')), (scale, 'calibration', dict(good, performed_by=None)),
                (scale, 'calibration', dict(good, result='good')), (scale, 'calibration', dict(good, next_due='2001-01-01')),
                (scale, 'calibration', dict(good, supersedes_id=1, reason="x"))):
            with self.subTest(kind=kind, vals=vals):
                self._refused("BPR-040|IPC-070|AUD-020", unit.action_mmr_record, kind, vals)
        for vals in (None, "cleaning"):
            self._refused("SEC-020", blender.action_mmr_record, 'cleaning', vals)
        self._refused("log", blender.action_mmr_record, 'repair', {})
        for user in (self.user_planner, self.user_auditor, self.user_preparer):
            with self.assertRaisesRegex(AccessError, "SEC-010"):
                self.blender.with_user(user).action_mmr_record('cleaning', cleaning)
        self.assertEqual(len(self.blender.mmr_log_ids), 1)
        # PostgreSQL knows what a line needs as well.
        vals = {'equipment_id': self.blender.id, 'company_id': self.company.id, 'ended_at': fields.Datetime.now()}
        for kind, more in (('cleaning', {}), ('use', {}), ('calibration', {'result': 'pass'}),
                           ('cleaning', dict(cleaning, needs_signature=False)),
                           ('use', {'started_at': fields.Datetime.now(), 'product_id': self.product.id,
                                    'bpr_id': self._release().bpr_id.id})):
            with self.subTest(kind=kind), self.assertRefused(
                    'BPR-030', 'mrp_equipment_log_attested', 'mrp_equipment_log_calibration_judged',
                    'mrp_equipment_log_cleaning_named', 'mrp_equipment_log_use_named'):
                self.env['mrp.equipment.log']._append([{**vals, 'kind': kind, **more}])

    def test_in_gmp_use(self):
        """BPR-040: the register shows what master records name, itself or by its category, and what has a log."""
        other, logged = self.env['maintenance.equipment'].create([{'name': "Laptop"}, {'name': "Vacuum cleaner"}])
        self._clean(logged)
        found = self.env['maintenance.equipment'].search([('mmr_in_gmp_use', '=', True)])
        self.assertLessEqual(self.blender | logged, found)
        self.assertNotIn(other, found)
        self.assertEqual((self.blender | other).mapped('mmr_in_gmp_use'), [True, False])

    def test_second_person(self):
        """BPR-040, VER-010, 211.182: a cleaning counts when one person signed it and another one checked it."""
        line = self._log_equipment(self.blender, 'cleaning', sign=False, cleaning_kind='full',
                                   procedure_id=self._clean(self.scale).procedure_id.id)
        self.assertEqual((line.state, self.blender.mmr_cleaning_status), ('sign', 'dirty'))
        refused = self._esign(line, 'checked', self._person('verifier'), digest='0')
        self.assertIn("BPR-040", refused['refused'])
        both = self._person('operator')
        both.group_ids += self.env.ref('mrp_mmr.group_mmr_verifier')
        enrol(both)
        self._sign(line, 'performed', both)
        self.assertEqual((line.state, self.blender.mmr_cleaning_status), ('check', 'dirty'))
        self.assertIn("cannot check", self._esign(line, 'checked', both)['refused'])
        self._sign(line, 'checked', self._person('verifier'))
        self.assertEqual((line.state, self.blender.mmr_cleaning_status), ('valid', 'clean'))
        self.assertEqual([row.content['line']['id'] for row in line.esignature_ids], [line.id] * 2)
        # Where Quality Control says so, one person is enough.
        self.blender.with_user(self.user_qc).mmr_cleaning_checked = False
        self.assertFalse(self._clean(self.blender).needs_check)

    def test_correction(self):
        """AUD-020, IPC-070: a line is corrected by another one with a reason; the first stays, and counts until then."""
        first = self._calibrate(self.scale, next_due='2099-01-01')
        self.assertEqual(self.scale.mmr_calibration_due, fields.Date.to_date('2099-01-01'))
        vals = {'result': 'pass', 'as_found': "1000.0 g", 'performed_by': "Lab", 'next_due': '2098-01-01',
                'supersedes_id': first.id}
        self._refused("AUD-020", self.scale.with_user(self.operator).action_mmr_record, 'calibration', vals)
        second = self._log_equipment(self.scale, 'calibration', sign=False, reason="Wrong year typed", **vals)
        self.assertEqual((first.state, self.scale.mmr_last_calibration_id), ('valid', first))
        self._sign(second, 'reviewed', self.user_qc)
        self.assertEqual((first.state, second.state), ('corrected', 'valid'))
        self.assertEqual(self.scale.mmr_calibration_due, fields.Date.to_date('2098-01-01'))
        self._refused("AUD-020", self.scale.with_user(self.operator).action_mmr_record, 'calibration',
                      dict(vals, reason="Again"))

    def test_dialog(self):
        """BPR-040, IPC-070: the buttons of the equipment record a line and open its signature."""
        procedure = self._clean(self.scale).procedure_id
        action = self.blender.with_user(self.operator).action_mmr_clean()
        form = Form(self.env[action['res_model']].with_user(self.operator).with_context(**action['context']))
        form.cleaning_kind = 'full'
        form.procedure_id = procedure
        answer = form.save().action_record()
        self.assertEqual((answer['tag'], answer['params']['signing_action']), ('mrp_mmr.sign', 'performed'))
        action = self.scale.with_user(self.operator).action_mmr_calibrate()
        form = Form(self.env[action['res_model']].with_user(self.operator).with_context(**action['context']))
        form.result = 'pass'
        form.as_found = "1000.1 g"
        form.performed_by = "Metrology Ltd."
        wizard = form.save()
        wizard.write({'upload_name': "certificate.png", 'upload': PNG})
        # Quality Control reviews it: the operator only records.
        self.assertEqual(wizard.action_record()['tag'], 'display_notification')
        line = self.scale.mmr_log_ids.filtered(lambda line: line.kind == 'calibration')
        self.assertEqual(line.next_due, fields.Date.today() + timedelta(days=180))
        self.assertEqual(line.file_id.with_user(self.user_auditor).name, "certificate.png")
        self.assertEqual(self.scale.mmr_calibration_status, 'never')
        self._sign(line, 'reviewed', self.user_qc)
        self.assertEqual(self.scale.mmr_calibration_status, 'good')

    def test_settings(self):
        """AUD-060, PRD-110: only Quality Control loosens the rules of equipment, and the ledger has it."""
        manager = self._person('production')
        manager.group_ids += self.env.ref('maintenance.group_equipment_manager')
        unit = self.env['maintenance.equipment'].with_user(manager).create({'name': "New", 'mmr_is_instrument': True})
        self.assertTrue(unit.mmr_needs_cleaning and unit.mmr_cleaning_checked)
        unit.model = "X"
        for vals in ({'mmr_is_instrument': False}, {'mmr_needs_cleaning': False}, {'mmr_cleaning_checked': False},
                     {'mmr_cleaning_hold': 900}, {'mmr_calibration_interval': 9000}):
            with self.assertRaisesRegex(AccessError, "AUD-060"), self.env.cr.savepoint():
                unit.write(vals)
            with self.assertRaisesRegex(AccessError, "AUD-060"), self.env.cr.savepoint():
                unit.sudo().write(vals)
        with self.assertRaisesRegex(AccessError, "AUD-060"), self.env.cr.savepoint():
            self.env['maintenance.equipment'].with_user(manager).create({'name': "Free", 'mmr_needs_cleaning': False})
        unit.with_user(self.user_qc).mmr_needs_cleaning = False
        entry = self.env['mrp.audit.entry'].search(
            [('res_model', '=', 'maintenance.equipment'), ('res_id', '=', unit.id), ('kind', '=', 'write')], limit=1)
        self.assertEqual(entry.values, {'mmr_needs_cleaning': {'old': True, 'new': False}})
        self.assertEqual(entry.user_id, self.user_qc)

    def test_filters(self):
        """IPC-070, BPR-040: due soon, overdue, failed and to be cleaned are found, with one query for the whole register."""
        units = self.env['maintenance.equipment'].create([
            {'name': name, 'mmr_is_instrument': True} for name in ("good", "soon", "overdue", "failed", "never")])
        good, soon, overdue, failed, never = units
        today = fields.Date.today()
        self._calibrate(good)
        self._calibrate(soon, next_due=today + timedelta(days=30))
        with freeze_time(fields.Datetime.now() - timedelta(days=40)):
            self._calibrate(overdue, next_due=today - timedelta(days=1))
        self._calibrate(failed, 'fail')
        for unit in units:
            self.assertEqual(unit.mmr_calibration_status, unit.name)
            self.assertEqual(units.search([('id', 'in', units.ids), ('mmr_calibration_status', '=', unit.name)]), unit)
        self.assertEqual(failed.mmr_out_of_service, True)
        self._clean(good)
        self._clean(soon)
        self._use(soon, self.product)
        found = {status: units.search([('id', 'in', units.ids), ('mmr_cleaning_status', '=', status)])
                 for status in ('clean', 'used', 'dirty')}
        self.assertEqual(found, {'clean': good, 'used': soon, 'dirty': overdue | failed | never})
        self.assertEqual(units.search([('id', 'in', units.ids), ('mmr_cleaning_status', '!=', 'dirty')]), good | soon)
        self.env.invalidate_all()
        units.mapped('name')
        with self.assertQueryCount(3):
            units.mapped('mmr_calibration_status')

    def test_announcement(self):
        """IPC-070: a calibration is announced once before it is due, and the announcement ends with it."""
        technician = self._person('production')
        self.scale.technician_user_id = technician
        self._calibrate(self.scale, next_due=fields.Date.today() + timedelta(days=20))
        cron = self.env.ref('mrp_mmr.ir_cron_calibration_due')
        with self.enter_registry_test_mode():
            cron.method_direct_trigger()
            cron.method_direct_trigger()
        activity = self.scale.activity_ids
        self.assertRecordValues(activity, [{
            'user_id': technician.id, 'date_deadline': fields.Date.today() + timedelta(days=20),
            'activity_type_id': self.env.ref('mrp_mmr.mail_activity_type_calibration').id}])
        self._calibrate(self.scale)
        self.assertFalse(self.scale.activity_ids)


@tagged('post_install', '-at_install')
class TestEquipmentInBatch(EquipmentCommon):

    def test_use_in_a_batch(self):
        """BPR-030, BPR-040: each signed step logs its use; entry and log name the cleaning that was valid."""
        cleaning = self._clean(self.blender)
        order = self._release()
        self._execute(order)
        bpr = order.bpr_id
        lines = bpr.equipment_log_ids
        planned = bpr.step_ids.filtered(lambda step: step.planned['equipment'])
        self.assertGreater(len(planned), 1)
        self.assertEqual(lines.step_id, planned)
        self.assertEqual(lines.equipment_id, self.blender)
        for line in lines:
            self.assertEqual(line.signature_id, line.step_id.performed_signature_id)
            self.assertEqual((line.product_id, line.started_at), (self.product, line.step_id.started_at))
        entry = bpr.step_ids.entry_ids.filtered('equipment_id')[:1]
        self.assertEqual(entry.data['cleaning'], {
            'id': cleaning.id, 'at': fields.Datetime.to_datetime(cleaning.ended_at).strftime('%Y-%m-%dT%H:%M:%SZ'),
            'kind': 'full', 'procedure': "SOP-CLN v. 1"})
        signed = entry.step_id.performed_signature_id.content['entries']
        self.assertIn(entry.data, [row['data'] for row in signed])
        self.assertEqual(self.blender.mmr_cleaning_status, 'used')
        self.assertEqual(self.blender.mmr_used_product_ids, self.product)

    def test_wrong_unit(self):
        """BPR-030: a step takes a unit of the class of the snapshot, and does not close without one."""
        other = self.env['maintenance.equipment'].create({'name': "Mixer", 'serial_no': "MX-1"})
        self._clean(other)
        step = self._at_stage(self._release())
        self.assertTrue(step.planned['unit']['class'])
        step.action_start(acknowledged=True)
        for vals in ({'equipment_id': other.id}, {'code': "MX-1"}, {'code': "??"}, {}, {'equipment_id': 0}):
            self._refused("BPR-030", step.action_record, 'equipment', vals)
        self.assertIn("Equipment: nothing recorded", step._get_missing('performed'))
        self._clean(self.blender)
        step.action_record('equipment', {'code': " VB-0001 "})
        self.assertEqual(step.entry_ids.equipment_id, self.blender)

    def test_not_cleaned(self):
        """BPR-040, 111.35(b)(2): equipment without a cleaning since its last use on another product is refused."""
        step = self._at_stage(self._release())
        step.action_start(acknowledged=True)
        identify = {'equipment_id': self.blender.id}
        self._refused("no signed full cleaning", step.action_record, 'equipment', identify)
        with freeze_time(fields.Datetime.now() - timedelta(hours=3)):
            self._clean(self.blender)
        with freeze_time(fields.Datetime.now() - timedelta(hours=2)):
            self._use(self.blender, self.component_other)
        self._refused("was used for .*Magnesium stearate.* and has not been cleaned", step.action_record, 'equipment', identify)
        # PostgreSQL refuses it too, whoever stores the entry.
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "BPR-040"), self.env.cr.savepoint():
            self.env['mrp.bpr.entry']._append({
                'step_id': step.id, 'kind': 'equipment', 'equipment_id': self.blender.id, 'equipment_name': "VB-1",
                'is_late': False, 'to_sign': False})
        with freeze_time(fields.Datetime.now() - timedelta(hours=1)):
            self._clean(self.blender, cleaning_kind='minor')
            self._clean(self.blender, cleaning_kind='sanitising')
        # what is needed is said again, and why what was done does not count, with the way to record it.
        self._refused(
            r"needs a signed full cleaning \(change of product\)(?s:.)*Sanitising\) does not count(?s:.)*Record Cleaning",
            step.action_record, 'equipment', identify)
        [candidate] = [row for row in step._prepare_floor_equipment()['candidates'] if row['id'] == self.blender.id]
        self.assertIn("needs a signed full cleaning", candidate['unclean'])
        action = self.blender.with_user(self._person('operator')).action_mmr_clean_fully()
        self.assertEqual((action['res_model'], action['context']['default_cleaning_kind']), ('mrp.equipment.record', 'full'))
        self._log_equipment(self.blender, 'cleaning', sign=False, cleaning_kind='full',
                            procedure_id=self.env['mrp.sop'].search([('code', '=', 'SOP-CLN')]).id)
        self._refused("will count once it is signed", step.action_record, 'equipment', identify)
        self._clean(self.blender)
        step.action_record('equipment', identify)
        self.assertEqual(step.entry_ids.equipment_id, self.blender)

    def test_next_batch(self):
        """BPR-040: a campaign of one product goes on; a batch of another one waits for the cleaning, once it is in use."""
        self._clean(self.blender)
        step = self._at_stage(self._release())
        step.action_start(acknowledged=True)
        step.action_record('equipment', {'equipment_id': self.blender.id})
        second = self._at_stage(self._release())
        second.action_start(acknowledged=True)
        second.action_record('equipment', {'equipment_id': self.blender.id})
        # The blender is in use for Vitamin C although no step with it is signed yet.
        other = self.env['product.product'].create({
            'name': "Zinc", 'type': 'consu', 'is_storable': True, 'tracking': 'lot', 'uom_id': self.kg.id})
        self.addCleanup(setattr, type(self), 'product', self.product)
        type(self).product = other
        self._make_effective(self._create_mmr(formulation_code='Z'))
        third = self._at_stage(self._release())
        self.assertEqual(third.bpr_id.product_id, other)
        third.action_start(acknowledged=True)
        self._refused("was used for", third.action_record, 'equipment', {'equipment_id': self.blender.id})

    def test_hold_time(self):
        """BPR-040: a cleaning older than the clean hold time does not count, but a batch that began in time goes on."""
        self.blender.with_user(self.user_qc).mmr_cleaning_hold = 7
        now = fields.Datetime.now()
        with freeze_time(now - timedelta(days=8)):
            self._clean(self.blender)
        step = self._at_stage(self._release())
        step.action_start(acknowledged=True)
        self.assertEqual(self.blender.mmr_cleaning_status, 'dirty')
        identify = {'equipment_id': self.blender.id}
        self._refused("more than 7 days ago", step.action_record, 'equipment', identify)
        with freeze_time(now - timedelta(days=7)):
            self._clean(self.blender)
        self.blender.invalidate_recordset()
        with freeze_time(now - timedelta(minutes=1)):
            step.action_record('equipment', identify)
        with freeze_time(now + timedelta(days=1)):
            step.action_record('equipment', identify)
        self.assertEqual(len(step.entry_ids), 2)

    def test_start_on_named_unit(self):
        """BPR-040, IPC-070: a step whose MMR names the unit does not even start while the unit is not clean."""
        draft = self._new_revision(self.revision)
        draft.equipment_ids.write({'equipment_id': self.blender.id, 'category_id': False})
        self._make_effective(draft)
        step = self._at_stage(self._release(), number=1)
        self.assertEqual(step.planned['unit']['equipment']['id'], self.blender.id)
        self._refused("BPR-040", step.action_start, acknowledged=True)
        self.assertEqual(step.state, 'open')
        self._clean(self.blender)
        self.assertEqual(step.action_start(acknowledged=True), {'started': True})

    def test_instrument(self):
        """IPC-070: an overdue, failed or never calibrated scale cannot be selected; a good one is stored with the weight."""
        self._clean(self.scale)
        order = self._release()
        order.bpr_id.step_ids.sorted('sequence')[0].with_user(self.operator).action_start()
        self._refused("never been calibrated", self._weigh, order, self.scale)
        with freeze_time(fields.Datetime.now() - timedelta(days=400)):
            self._calibrate(self.scale, next_due=False)
        self._refused("was due on", self._weigh, order, self.scale)
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "IPC-070"), self.env.cr.savepoint():
            self.env['mrp.bpr.entry']._append({
                'step_id': order.bpr_id.step_ids[0].id, 'kind': 'weight', 'equipment_id': self.scale.id,
                'equipment_name': "SC-1", 'is_late': False, 'to_sign': False})
        good = self._calibrate(self.scale)
        self._weigh(order, self.scale)
        entry = order.bpr_id.step_ids.entry_ids
        self.assertEqual(entry.data['calibration'], {
            'id': good.id, 'at': good.ended_at.strftime('%Y-%m-%dT%H:%M:%SZ'), 'due': '2099-12-31', 'reference': None})
        self.assertEqual((entry.data['quantity'], entry.equipment_id), ('90', self.scale))
        # It is due to the end of that day.
        today = fields.Date.today()
        self._calibrate(self.scale, next_due=today + timedelta(days=1))
        with freeze_time(fields.Datetime.to_datetime(today + timedelta(days=1)) + timedelta(hours=23)):
            self._weigh(self._release(), self.scale)
        with freeze_time(fields.Datetime.to_datetime(today + timedelta(days=2))):
            self._refused("was due on", self._weigh, self._release(), self.scale)

    def test_instrument_of_a_machine_step(self):
        """IPC-070, BPR-030: the reading of a step on a machine names the instrument, which does not identify the machine."""
        self._clean(self.blender)
        self._clean(self.scale)
        order = self._release()
        step = self._at_stage(order, number=order.bpr_id.step_ids.filtered(lambda step: step.kind == 'numeric').number)
        step.action_start(acknowledged=True)
        self._refused("never been calibrated", step.action_record, 'value', {'value': '15', 'equipment_id': self.scale.id})
        self._calibrate(self.scale)
        step.action_record('value', {'value': '15', 'equipment_id': self.scale.id})
        self.assertEqual(step._get_units(step.planned['equipment']), self.blender)
        self._sign_step(step)
        self.assertEqual(step.equipment_log_ids.equipment_id, self.blender | self.scale)

    def test_instrument_fails_meanwhile(self):
        """IPC-070: what was identified before does not measure any more once it failed."""
        draft = self._new_revision(self.revision)
        draft.equipment_ids.write({'equipment_id': self.scale.id, 'category_id': False})
        self._make_effective(draft)
        self._clean(self.scale)
        self._calibrate(self.scale)
        order = self._release()
        step = self._at_stage(order, number=order.bpr_id.step_ids.filtered(lambda step: step.kind == 'numeric').number)
        step.action_start(acknowledged=True)
        self._calibrate(self.scale, 'fail')
        for deviation in order.bpr_id.deviation_ids:
            self._sign(deviation, 'decide', self.user_qc, comment="Readings repeated")
        self._refused("out of service", step.action_record, 'value', {'value': '15'})

    def test_late_entry(self):
        """IPC-070, BPR-110: a unit that is recorded late is judged by the time of its use."""
        now = fields.Datetime.now()
        with freeze_time(now - timedelta(hours=2)):
            self._clean(self.blender)
            order = self._release()
            step = self._at_stage(order)
            self._do_step(step)
        self._use(self.blender, self.component_other)
        step = step.with_user(self.operator)
        corrects = step.entry_ids.filtered('equipment_id')
        answer = step.action_record(
            'equipment', {'equipment_id': self.blender.id}, reason="Label unreadable", corrects=corrects.id)
        self.assertTrue(answer['to_sign'])
        other = self.env['maintenance.equipment'].create({'name': "VB-2", 'category_id': self.category.id})
        self._clean(other)  # cleaned after the step
        self._refused("BPR-040", step.action_record, 'equipment', {'equipment_id': other.id}, reason="Other unit")

    # === FAILED CALIBRATIONS === #

    def test_failed_calibration(self):
        """IPC-070, DEV-010: a failed calibration opens a deviation for exactly the batches since the last good one."""
        day = fields.Datetime.now() - timedelta(days=20)

        def at(days):
            return freeze_time(day + timedelta(days=days))

        with at(0):
            self._clean(self.scale)
            self._calibrate(self.scale)
        with at(1):
            before = self._release()
            self._weigh(before, self.scale)
        with at(2):
            self._calibrate(self.scale)
        with at(3):
            weighed, signed, corrected, other = (self._release() for _number in range(4))
            self._weigh(weighed, self.scale)
            self._weigh(signed, self.scale)
            self._sign_step(signed.bpr_id.step_ids.sorted('sequence')[0])
            answer = self._weigh(corrected, self.scale)
            balance = self.env['maintenance.equipment'].create({'name': "SC-2", 'mmr_is_instrument': True})
            self._clean(balance)
            self._calibrate(balance)
            corrected.bpr_id.step_ids.sorted('sequence')[0].with_user(self.operator).action_record(
                'weight', {'value': '90', 'lot_id': self.lots[self.component_a].id, 'equipment_id': balance.id},
                reason="Wrong scale scanned", corrects=answer['entry_id'])
            self._weigh(other, balance)
        with at(4):
            done = self.scale.with_user(self.operator).action_mmr_record('calibration', {
                'result': 'fail', 'as_found': "1004.2 g", 'as_left': "1000.0 g", 'performed_by': "Metrology Ltd."})
        line = self.env['mrp.equipment.log'].browse(done['log_id'])
        deviations = line.deviation_ids
        self.assertEqual(deviations.bpr_id, (weighed | signed).bpr_id)
        self.assertEqual(sorted(done['deviations']), sorted(deviations.mapped('name')))
        for deviation in deviations:
            self.assertRecordValues(deviation, [{
                'source': 'calibration', 'severity': 'major', 'state': 'open', 'is_blocking': True, 'step_id': False,
                'company_id': self.company.id, 'reported_by_id': self.operator.id}])
            self.assertIn("1004.2 g", deviation.description)
            self.assertTrue(deviation.activity_ids)
        self.assertEqual(len(set(deviations.mapped('name'))), 2)
        # Out of service before anybody signed; both batches wait for Quality Control.
        self.assertEqual((line.state, self.scale.mmr_calibration_status), ('sign', 'failed'))
        with at(5):
            self._refused("IPC-070", self._weigh, self._release(), self.scale)
            step = weighed.bpr_id.step_ids.sorted('sequence')[0].with_user(self.operator)
            self._refused("IPC-020", step.esign_prepare, 'performed')
            decided = deviations.filtered(lambda row: row.bpr_id == weighed.bpr_id)
            self._sign(decided, 'decide', self.user_qc, comment="Weighed again")
            self.assertTrue(step.esign_prepare('performed'))
            self._sign(line, 'reviewed', self.user_qc)
            self._calibrate(self.scale)
        # The next failure looks back to the calibration after the repair, and no further.
        with at(6):
            later = self._release()
            self._weigh(later, self.scale)
        with at(7):
            self.assertEqual(self._calibrate(self.scale, 'fail').deviation_ids.bpr_id, later.bpr_id)
        # One that is recorded late concerns the batches of its time.
        with at(8):
            late = self._calibrate(self.scale, 'fail', ended_at=day + timedelta(days=1, hours=12))
        self.assertEqual(late.deviation_ids.bpr_id, before.bpr_id)

    def test_deviations_stay(self):
        """DEV-010, IPC-070: what a failed calibration opened names it for ever; nothing is left where it is rolled back."""
        self._clean(self.scale)
        self._calibrate(self.scale)
        self._weigh(self._release(), self.scale)
        count = self.env['mrp.deviation'].search_count([])
        try:
            with self.env.cr.savepoint():
                self._calibrate(self.scale, 'fail')
                raise ZeroDivisionError
        except ZeroDivisionError:
            self.env.invalidate_all()
        self.assertEqual(self.env['mrp.deviation'].search_count([]), count)
        deviation = self._calibrate(self.scale, 'fail').deviation_ids
        self.assertEqual(len(deviation), 1)
        self.assertEqual(deviation._get_document()['equipment_log']['result'], 'fail')
        self.env.flush_all()
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "DEV-010"), self.env.cr.savepoint():
            self.env.cr.execute(SQL("UPDATE mrp_deviation SET equipment_log_id = NULL WHERE id = %s", deviation.id))

    def test_queries(self):
        """IPC-070: each further batch costs its number and the message of its activity, which are Odoo's, and no more."""
        start = fields.Datetime.now() - timedelta(hours=5)
        with freeze_time(start) as clock:
            self._clean(self.scale)
            counts = []
            for size in (1, 1, 4):
                clock.tick(timedelta(minutes=10))
                self._calibrate(self.scale)
                for _number in range(size):
                    self._weigh(self._release(), self.scale)
                self.env.flush_all()
                clock.tick(timedelta(minutes=10))
                before = self.cr.sql_log_count
                self.assertEqual(len(self._calibrate(self.scale, 'fail', sign=False).deviation_ids), size)
                self.env.flush_all()
                counts.append(self.cr.sql_log_count - before)
        self.assertLess((counts[2] - counts[1]) / 3, 20, counts)

    def test_wrong_signature_at_a_step(self):
        """SIG-040: a refused signature at a step is told to the signer and kept in the ledger."""
        order = self._release()
        self._weigh(order, self._usable_scale())
        step = order.bpr_id.step_ids.sorted('sequence')[0]
        with mute_logger('odoo.addons.base.models.res_users'):
            answer = self._esign(step, 'performed', self.operator, password='wrong')
        self.assertIn("SIG-040", answer['refused'])
        self.assertTrue(self.env['mrp.audit.entry'].search_count(
            [('res_model', '=', 'mrp.bpr.step'), ('res_id', '=', step.id), ('kind', '=', 'refused_sign')]))

    def _usable_scale(self):
        self._clean(self.scale)
        self._calibrate(self.scale)
        return self.scale

    def test_use_needs_the_signature(self):
        """BPR-030: PostgreSQL takes a use of a batch only with the signature of the step."""
        order = self._release()
        self._weigh(order, self._usable_scale())
        step = order.bpr_id.step_ids.sorted('sequence')[0]
        with transition(step), mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "BPR-030"), \
                self.env.cr.savepoint():
            step._log_use(self.scale)
