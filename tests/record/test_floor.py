"""The shop-floor screen and the supervisor's view: what they read, and people who work on them."""

from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from odoo.addons.mrp_mmr.models.people.terminal import COOKIE

from ..common.base import PASSWORD, PNG, HttpCase, enrol
from .test_bpr import BprCommon


class FloorCommon(BprCommon):

    def _batches(self, user=None, **kwargs):
        return self.env['mrp.bpr'].with_user(user or self.user_operator).get_floor_batches(**kwargs)

    def _row(self, **kwargs):
        return next(row for row in self._batches(**kwargs)['batches'] if row['id'] == self.bpr.id)

    def _read(self, step=None, user=None, **kwargs):
        return self.env['mrp.bpr'].with_user(user or self.user_operator).get_floor_batch(
            self.bpr.id, step_id=step and step.id, **kwargs)


@tagged('post_install', '-at_install')
class TestFloor(FloorCommon):

    # === BATCHES === #

    def test_running_batches(self):
        """PRD-080, VER-050: each running batch says where it is, for whom it waits and since when."""
        row = self._row()
        self.assertEqual((row['mmr'], row['revision'], row['closed'], row['total']),
                         (self.revision.mmr_id.name, 1, 0, len(self.steps)))
        self.assertEqual((row['stage'], row['step']['code'], row['step']['name']), ("Weighing", '1.1', self.steps[0].name))
        self.assertEqual((row['waits']['role'], row['waits']['what']), ('operator', "starts"))
        step = self._until(self.steps[0].name)
        self.assertEqual(self._row()['waits']['what'], "performs")
        self._record_step(step)
        signature = self._sign(step, 'performed', self.user_operator)
        row = self._row()
        self.assertEqual((row['waits']['role'], row['waits']['what'], row['waits']['since'][:16]),
                         ('verifier', "verifies", signature.signed_at.isoformat()[:16]))
        self._sign_step(step)
        self.assertEqual(self._row()['closed'], 1)
        self._execute(self.order)
        row = self._row()
        self.assertEqual((row['closed'], row['step'], row['waits']['what']), (row['total'], False, "completes the order"))
        self.order.with_user(self.user_planner).button_mark_done()
        self.assertNotIn(self.bpr.id, [row['id'] for row in self._batches()['batches']])

    def test_record_to_be_issued(self):
        """BPR-160: a record that nobody issued waits for the production responsible, and its steps say so."""
        order = self._create_order()
        order.action_confirm()
        rows = {row['id']: row for row in self._batches()['batches']}
        self.assertEqual(rows[order.bpr_id.id]['waits']['role'], 'production')
        data = self.env['mrp.bpr'].with_user(self.user_operator).get_floor_batch(order.bpr_id.id)
        self.assertIn("not been issued", data['step']['obstacle']['message'])

    def test_my_work_center(self):
        """PRD-080: a terminal shows the batches that have work at its work centre, those that can go on there first."""
        other = self.env['mrp.workcenter'].create({'name': "Elsewhere"})
        self.assertNotIn(self.bpr.id, [row['id'] for row in self._batches(workcenter_id=other.id)['batches']])
        row = self._row(workcenter_id=self.workcenter.id)
        self.assertTrue(row['is_here'])
        workcenters = self.env['mrp.workcenter'].with_user(self.user_operator).get_floor_workcenters()
        counts = {row['id']: row['count'] for row in workcenters}
        self.assertEqual((counts[self.workcenter.id], counts[other.id]), (1, 0))
        self._execute(self.order)
        self.assertNotIn(self.bpr.id, [row['id'] for row in self._batches(workcenter_id=self.workcenter.id)['batches']])

    def test_exceptions(self):
        """IPC-020, PRD-020: an open deviation shows with the batch, at its step and with its plan, until it is decided."""
        step = self._until("Blending time")
        step.action_record('value', {'value': '17'})
        row = self._row()
        self.assertEqual([(deviation['step_id'], deviation['is_blocking'], deviation['corrective_action'])
                          for deviation in row['deviations']], [(step.id, True, "Stop and inform Quality Control.")])
        self.assertEqual(row['waits']['role'], 'qc')
        shown = self._read(step)['step']
        self.assertTrue(shown['needs_retest'])
        self.assertFalse(shown['obstacle'], "other entries of the step may go on")
        self._sign(step, 'authorise_retest', self.user_qc, comment="Clock was wrong.")
        self.assertFalse(self._read(step)['step']['needs_retest'])
        step.action_record('value', {'value': '15'})
        self._sign(self.bpr.deviation_ids, 'decide', self.user_qc, comment="Retested.")
        self.assertFalse(self._row()['deviations'])
        report = step.action_report("A drum has a dent", "Seal intact.")
        [deviation] = self._row()['deviations']
        self.assertEqual((deviation['id'], deviation['corrective_action'], deviation['is_blocking']), (report, False, False))

    def test_stopped_batch(self):
        """REV-060: a batch that Quality Control stopped says so."""
        draft = self._new_revision(self.revision)
        self._make_effective(draft)
        self.assertEqual((self.order.mmr_decision, self._row()['decision']), ('pending', 'pending'))
        self._sign(self.order, 'stop', self.user_qc, comment="Wrong supplier.")
        self.assertEqual(self._row()['waits'] | {'role_label': None},
                         {'role': 'qc', 'role_label': None, 'what': "stopped this batch", 'since': None})
        self.assertIn("stopped", self._read()['step']['obstacle']['message'])

    # === ONE STEP === #

    def test_weighing(self):
        """BPR-060, USE-060, CON-110: a weighing has its target, what was weighed, and lots by expiry; nothing is filled in."""
        product, lot = self.component_a, self.lots[self.component_a]
        product.use_expiration_date = True
        now = fields.Datetime.now()
        self._sign(lot, 'quarantine', self.user_qc, comment="The date of expiry is missing")
        lot.expiration_date = now + timedelta(days=300)
        self._sign(lot, 'release', self.user_qc)
        early, late, expired = self.env['stock.lot'].create([
            {'name': name, 'product_id': product.id, 'expiration_date': now + timedelta(days=days)}
            for name, days in (("EARLY", 30), ("LATE", 900), ("EXPIRED", -1))])
        for other in (late, expired, early):
            self._stock(product, lot=other, quantity=12.5)
        self.env['stock.lot'].create({'name': "ELSEWHERE", 'product_id': product.id})
        step = self._until(self.steps[0].name)
        weighing = self._read(step)['step']['weighing']
        self.assertEqual([row['name'] for row in weighing['lots']], ["EARLY", lot.name, "LATE", "EXPIRED"])
        self.assertEqual([bool(row['issue']) for row in weighing['lots']], [False, False, False, True])
        self.assertEqual((weighing['lots'][0]['quantity'], weighing['lots'][0]['unit']), ('12.5', "kg"))
        self.assertEqual((weighing['target'], weighing['low'], weighing['high'], weighing['total'], weighing['remaining']),
                         ('90', '89.95', '90.05', '0', '90'))
        self.assertLessEqual({'g', 'kg'}, {unit['name'] for unit in weighing['units']})
        step.action_record('weight', {'value': '12.5', 'lot_id': early.id})
        step.action_record('weight', {'value': '77 500'.replace(' ', ''), 'lot_id': lot.id, 'unit_id': self.gram.id})
        weighing = self._read(step)['step']['weighing']
        self.assertEqual((weighing['total'], weighing['remaining'], weighing['is_within'], weighing['excess']),
                         ('90', '0', True, False))
        self.assertEqual([row['lot'] for row in weighing['weights']], ["EARLY", lot.name])
        step.action_record('weight', {'value': '1', 'lot_id': lot.id})
        self.assertEqual(self._read(step)['step']['weighing']['excess'], '1')

    def test_missing_and_signatures(self):
        """VER-050, BPR-030: what is missing before a signature is listed; who signs is named; who signed stays readable."""
        step = self._until("Test blender")
        shown = self._read(step)['step']
        self.assertTrue(shown['missing'])
        self.assertEqual(shown['equipment']['name'], "Test blender")
        self.assertTrue(shown['equipment']['is_class'])
        self._record_step(step)
        self.assertFalse(self._read(step)['step']['missing'])
        self._sign_step(step)
        point = self._read(step)['step']['points'][0]
        self.assertEqual((point['role'], point['signature']['name']), ('operator', self.user_operator.name))
        rows = [row for stage in self._read()['stages'] for row in stage['steps']]
        self.assertEqual([(row['state'], len(row['signatures'])) for row in rows if row['id'] == step.id], [('done', 1)])
        self.assertEqual([row['id'] for row in rows if row['is_next']], [self._read()['step']['id']])

    def test_corrections_and_comments(self):
        """AUD-020: an entry is shown with what corrected it, why and by whom; comments stand with their value."""
        step = self._until("Blending time")
        first = step.action_record('value', {'value': '14'})['entry_id']
        second = step.action_record('value', {'value': '15'}, reason="Typing error", corrects=first)['entry_id']
        step.action_record('comment', {'text': "Timer 3", 'about_id': second})
        entries = {row['id']: row for row in self._read(step)['step']['entries']}
        self.assertEqual((entries[first]['corrected_by'], entries[first]['is_current'], entries[first]['can_correct']),
                         ([second], False, False))
        self.assertEqual((entries[second]['reason'], entries[second]['corrects_id'], entries[second]['can_correct']),
                         ("Typing error", first, True))
        self.assertEqual([row['about_id'] for row in entries.values() if row['kind'] == 'comment'], [second])
        self._sign_step(step)
        third = step.action_record('value', {'value': '15.5'}, reason="Read again", corrects=second)['entry_id']
        entries = {row['id']: row for row in self._read(step)['step']['entries']}
        self.assertEqual([(entries[row]['is_current'], entries[row]['is_proposed']) for row in (second, third)],
                         [(True, False), (False, True)])
        self._sign(step.entry_ids.browse(third), 'corrected', self.user_operator)
        entries = {row['id']: row for row in self._read(step)['step']['entries']}
        self.assertEqual([row['name'] for row in entries[third]['signatures']], [self.user_operator.name])

    def test_handover(self):
        """BPR-180, PRD-080: a hand-over note shows first until somebody else has read it, or its step is closed."""
        step = self._until("Blending time")
        note = step.action_record('handover', {'text': "Timer 3 is slow."})['entry_id']
        [shown] = self._read()['handovers']
        self.assertEqual((shown['text'], shown['is_own'], shown['step_id']), ("Timer 3 is slow.", True, step.id))
        self.assertFalse(self._read(user=self.user_qc)['handovers'][0]['is_own'])
        step.action_record('comment', {'text': "Mine", 'about_id': note})
        self.assertEqual(len(self._read()['handovers']), 1, "the author does not acknowledge it")
        colleague = enrol(new_test_user(self.env, 't_late_shift', groups='mrp_mmr.group_mmr_operator', password=PASSWORD))
        step.with_user(colleague).action_record('comment', {'text': "Read", 'about_id': note})
        self.assertFalse(self._read()['handovers'])
        step.action_record('handover', {'text': "Second note."})
        self.assertEqual(len(self._read()['handovers']), 1)
        self.assertFalse(step.result, "notes are no result")
        self._record_step(step)
        self._sign_step(step)
        self.assertFalse(self._read()['handovers'])

    def test_photo_is_readable(self):
        """BPR-080, SEC-010: a recorded photo is shown to whoever may read the record, and to nobody of another company."""
        step = self._until("Blending time")
        entry = step.entry_ids.browse(step.action_record('photo', {'name': "dial.png", 'data': PNG})['entry_id'])
        shown = self._read(step)['step']['entries'][0]
        self.assertIn(str(entry.file_id.id), shown['photo'])
        for user in (self.user_operator, self.user_qc, self.user_auditor):
            entry.file_id.with_user(user).check_access('read')
        foreign = self._foreigner()
        with self.assertRaises(AccessError):
            entry.file_id.with_user(foreign).check_access('read')

    # === CODES === #

    def test_codes(self):
        """PRD-080, USE-060: a scanned lot fills the weighing, equipment is identified, orders and worksheets open batches."""
        step = self._until(self.steps[0].name)
        lot = self.lots[self.component_a]
        unit = self.env['maintenance.equipment'].create({'name': "Scale", 'serial_no': "SN-1"})

        def find(code, at=step):
            return self.env['mrp.bpr'].with_user(self.user_operator).find_floor_code(code, step_id=at and at.id)

        self.assertEqual(find(lot.name) | {'issue': False}, {'type': 'lot', 'id': lot.id, 'name': lot.name, 'issue': False})
        self.assertEqual((find(f'\x1d10{lot.name}')['type'], find(f'\x1d10{lot.name}')['id']), ('lot', lot.id))
        self.assertEqual(find(f']C110{lot.name}\x1d3100000500')['id'], lot.id)
        wrong = find(self.lots[self.component_b].name)
        self.assertEqual(wrong['type'], 'unknown')
        self.assertIn(self.component_b.name, wrong['message'])
        self.assertEqual((find("SN-1")['type'], find("SN-1")['id']), ('equipment', unit.id))
        for code in (self.bpr.name, self.order.name):
            self.assertEqual((find(code, at=None)['type'], find(code)['bpr_id']), ('batch', self.bpr.id))
        found = find(f'{self.bpr.name}/2')
        self.assertEqual((found['type'], found['step_id']), ('step', self.steps.filtered(lambda row: row.sequence == 2).id))
        for code in ('', ' ', 'nothing', f'{self.bpr.name}/999', f'{self.bpr.name}/', '/', 'x' * 500, ']C1', '\x1d', "%",
                     "10' OR 1"):
            with self.subTest(code=code):
                self.assertEqual(find(code)['type'], 'unknown')

    def test_codes_of_the_company(self):
        """PRD-080: the nomenclature of the company reads codes, GS1 included."""
        self.env.company.nomenclature_id = self.env.ref('barcodes_gs1_nomenclature.default_gs1_nomenclature')
        step = self._until(self.steps[0].name)
        lot = self.lots[self.component_a]
        found = self.env['mrp.bpr'].with_user(self.user_operator).find_floor_code(f'10{lot.name}', step_id=step.id)
        self.assertEqual((found['type'], found['id']), ('lot', lot.id))

    # === TIMES === #

    def test_times(self):
        """IPC-040: hold times and time limits that run out are told with the time at which they end, by the server's clock."""
        draft = self._new_revision(self.revision)
        first, second = draft.operation_ids.sorted('sequence')
        first.with_user(self.user_preparer).write({'mmr_hold_time': 24})
        second.with_user(self.user_preparer).write({'mmr_time_limit': 4})
        draft.step_ids.filtered(lambda step: step.name == "Blend").with_user(self.user_preparer).time_limit = 30
        self._make_effective(draft)
        self.order = self._create_order()
        self.order.action_confirm()
        self.bpr = self.order.bpr_id
        self.steps = self.bpr.step_ids
        begin = fields.Datetime.now().replace(microsecond=0)
        with freeze_time(begin):
            self._execute(self.order, until=self.steps.filtered(lambda step: step.stage == 2)[0])
            [limit] = self._row()['limits']
            end = (begin + timedelta(hours=24)).isoformat() + 'Z'
            self.assertEqual((limit['kind'], limit['name'], limit['until']), ('hold', "Weighing", end))
            self._until("Blend")
            rows = self._row()['limits']
            self.assertEqual([row['kind'] for row in rows], ['step', 'stage'])
            self.assertEqual([row['until'] for row in rows],
                             [(begin + timedelta(minutes=minutes)).isoformat() + 'Z' for minutes in (30, 240)])
            self.assertEqual(self._batches()['now'], begin.isoformat() + 'Z')

    # === WHO READS === #

    def _foreigner(self):
        company = self.env['res.company'].create({'name': "Elsewhere Inc."})
        return new_test_user(self.env, 't_foreign', groups='mrp_mmr.group_mmr_operator', company_id=company.id,
                             company_ids=[(6, 0, company.ids)])

    def test_access(self):
        """SEC-010: manufacturing and auditors read; nobody else, and nobody of another company."""
        self.assertTrue(self._read(user=self.user_auditor)['step'])
        self.assertFalse(self._read(user=self.user_auditor)['step']['can_perform'])
        self.assertTrue(self._batches(user=self.user_auditor)['batches'])
        foreign = self._foreigner()
        self.assertFalse(self._batches(user=foreign)['batches'])
        office = new_test_user(self.env, 't_office', groups='base.group_user')
        for user in (foreign, office):
            with self.assertRaises(AccessError), self.cr.savepoint():
                self._read(user=user)
        with self.assertRaises(AccessError), self.cr.savepoint():
            self._batches(user=office)

    def test_channel(self):
        """SEC-010, PRD-080: the channel of a company's shop floor is listened to by its employees alone."""
        channel, other = f'mrp_mmr_floor_{self.company.id}', 'mrp_mmr_floor_999999'
        portal = new_test_user(self.env, 't_portal', groups='base.group_portal')

        class Request:
            session = type('Session', (), {'uid': True})

        def heard(user):
            with patch('odoo.addons.bus.models.ir_websocket.request', Request), \
                    patch('odoo.addons.mail.models.ir_websocket.request', Request, create=True):
                return set(filter(lambda name: isinstance(name, str) and name.startswith('mrp_mmr'),
                                  self.env['ir.websocket'].with_user(user)._build_bus_channel_list([channel, other])))

        self.assertEqual(heard(self.user_operator), {channel})
        self.assertEqual(heard(portal), set())
        self.assertEqual(heard(self._foreigner()), set())

    def test_notifications(self):
        """PRD-020, PRD-080: whatever happens to a batch is on the channel of its company in the same transaction."""
        def told(function):
            self.env.cr.precommit.run()
            before = self.env['bus.bus'].sudo().search([], order='id desc', limit=1).id or 0
            function()
            self.env.cr.precommit.run()
            sent = self.env['bus.bus'].sudo().search([('id', '>', before)])
            return any('mrp_mmr_floor' in (row.channel or '') for row in sent)

        step = self._step("Blending time")
        self._execute(self.order, until=step)
        step = step.with_user(self.user_operator)
        self.assertTrue(told(lambda: step.action_start(acknowledged=True)))
        self.assertTrue(told(lambda: step.action_record('value', {'value': '17'})))
        deviation = self.bpr.deviation_ids.with_user(self.user_qc)
        deviation.write({
            'scientific_reason': "Blended longer: validated up to 20 minutes.",
            'procedure_id': self.env['mrp.sop'].create({'code': 'SOP-MR', 'name': "Material review"}).id})
        self.assertTrue(told(lambda: self._sign(deviation, 'decide_adjust', self.user_qc, comment="Within the validation.")))
        self.assertTrue(told(lambda: step.action_report("Noise", "")))
        self.assertTrue(told(lambda: self._sign(step, 'performed', self.user_operator)))
        self.assertTrue(told(lambda: self._cancel_batch(self.order)))

    # === SPEED === #

    def test_queries(self):
        """PRD-080: a batch of 150 steps and twenty batches are read with as many queries as one of a few steps."""
        def count(function):
            self.env.flush_all()
            for _warm_up_and_count in range(2):
                self.env.invalidate_all()
                before = self.cr.sql_log_count
                function()
                queries = self.cr.sql_log_count - before
            return queries

        def numbers(bpr, done):
            self._execute(bpr.production_id, until=done(bpr.step_ids))
            step = done(bpr.step_ids)
            step.with_user(self.user_operator).action_start(acknowledged=True)
            self._record_step(step)
            reader = self.env['mrp.bpr'].with_user(self.user_operator)
            weighing = bpr.step_ids[0]
            return [count(lambda: reader.get_floor_batch(bpr.id)), count(lambda: reader.get_floor_batch(bpr.id, weighing.id)),
                    count(lambda: reader.get_floor_batches())]

        few = numbers(self.bpr, lambda steps: steps.filtered(lambda step: step.name == "Blending time"))
        draft = self._new_revision(self.revision)
        self.env['mrp.mmr.step'].with_user(self.user_preparer).create([{
            'revision_id': draft.id, 'operation_id': draft.operation_ids.sorted('sequence')[-1].id, 'sequence': number,
            'name': f"Turn {number}", 'instruction': "Turn.", 'verifier_role': 'verifier' if number == 1 else False,
        } for number in range(1, 151)])
        self._make_effective(draft)
        orders = self.env['mrp.production'].union(*(self._create_order() for _number in range(20)))
        orders.action_confirm()
        bpr = orders[0].bpr_id
        self.assertGreater(len(bpr.step_ids), 150)
        # The steps before are turned as well, so that there is something to read of each.
        self._sign(bpr, 'issue', self._person('production'))
        many = numbers(bpr, lambda steps: steps.filtered(lambda step: step.name == "Turn 12"))
        for more, less in zip(many, few, strict=True):
            self.assertLessEqual(more, less)
        self.assertLess(max(few), 40)


class FloorTourCommon(FloorCommon, HttpCase):
    """A batch of nine steps, with an area to check, a unit to identify and a colour."""

    @classmethod
    def _extend(cls, draft):
        super()._extend(draft)
        checks = cls._add_step(draft, name="Area check", kind='clearance', sequence=31, corrective_action=False)
        cls.env['mrp.mmr.step.check'].with_user(cls.user_preparer).create([
            {'step_id': checks.id, 'name': name, 'sequence': number}
            for number, name in enumerate(("No labels", "No dust"), 1)])
        cls._add_step(draft, name="Colour", kind='passfail', sequence=32, criterion_text="White")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.unit = cls.env['maintenance.equipment'].create({
            'name': "Blender 1", 'serial_no': "BL-1",
            'category_id': cls.env['maintenance.equipment.category'].search([('name', '=', "Test blender")], limit=1).id})
        cls._person('verifier')
        cls._clean(cls.unit)

    def _issue_terminal(self, name):
        """Return the cookies of a registered terminal."""
        return {COOKIE: self.env['mrp.terminal'].with_user(self._person('security')).create({'name': name})._issue_key()}


@tagged('post_install', '-at_install')
class TestFloorTour(FloorTourCommon):

    def test_whole_batch(self):
        """PRD-080, PRD-090, VER-010 to VER-050, IPC-020: a batch from its first to its last step, on the screen alone.

        Two people work at the terminal of one of them. A value out of its limits opens a deviation, which blocks the
        signature until Quality Control decided; a checklist, a correction and a note for the next shift are recorded.
        """
        self.start_tour(
            '/odoo/mmr-running', 'mrp_mmr_floor_batch', login='t_operator', cookies=self._issue_terminal("Tablet 3"))
        self.env.invalidate_all()
        self.assertEqual(set(self.steps.mapped('state')), {'done'})
        signed = self.steps.filtered(lambda step: step.kind == 'weigh')
        self.assertEqual(set(signed.performed_signature_id.user_id.mapped('login')), {'t_operator'})
        self.assertEqual(set(signed.verified_signature_id.user_id.mapped('login')), {'t_verifier'})
        self.assertEqual(set(signed.addition_verified_signature_id.user_id.mapped('login')), {'t_verifier'})
        blending = self._step("Blending time")
        self.assertEqual(blending.entry_ids.filtered(lambda entry: entry.kind == 'value').mapped('value'), ['17.5', '15'])
        self.assertEqual(blending.entry_ids.mapped('device')[0], "Tablet 3")
        self.assertEqual(self.bpr.deviation_ids.mapped('state'), ['decided'])
        self.order.with_user(self.user_planner).button_mark_done()
        self.assertEqual(self.bpr.state, 'done')

    def test_keyboard(self):
        """PRD-080: a weighing is done with the keyboard and a scanner alone; Enter is the main button."""
        self.start_tour(f'/odoo/mmr-floor/{self.bpr.id}', 'mrp_mmr_floor_keyboard', login='t_operator')
        self.env.invalidate_all()
        weight = self.steps[0].entry_ids
        self.assertEqual((weight.value, weight.lot_id), ('90.02', self.lots[self.component_a]))
        self.assertEqual(self.steps[0].performed_signature_id.user_id, self.user_operator)

    def test_connection(self):
        """BPR-110, PRD-080: what is entered without connection blocks the signature, survives a reload, and is saved once."""
        step = self._until("Blending time")
        self.start_tour(f'/odoo/mmr-floor/{self.bpr.id}', 'mrp_mmr_floor_connection', login='t_operator')
        self.env.invalidate_all()
        self.assertEqual(step.entry_ids.mapped('value'), ['15', '15.5'])
        self.assertEqual(len(set(step.entry_ids.mapped('token'))), 2)

    def test_live(self):
        """PRD-020, PRD-080: what others do shows by itself, with them named; an answer about a changed state is shown."""
        self._until("Blending time")
        self.start_tour('/odoo/mmr-running', 'mrp_mmr_floor_live', login='t_operator')

    def test_auditor(self):
        """SEC-010: an auditor sees the floor and has no button that does anything there."""
        self._until("Blending time")
        self.start_tour(f'/odoo/mmr-floor/{self.bpr.id}', 'mrp_mmr_floor_auditor', login='t_auditor')
