"""Deviations from their report over material review and disposition to the closing."""

from freezegun import freeze_time
from psycopg2 import IntegrityError
from psycopg2.errors import CheckViolation

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from ..common.base import GIF, PASSWORD, PNG, MmrCommon, enrol

FINDINGS = {
    'cause': "The timer of blender 2 stopped.", 'quality_effect': "None: uniformity was tested on ten samples.",
    'label_effect': "None.", 'correction': "Timer replaced; it is checked each morning.",
    'material_fate': "It stayed in the batch."}


class DeviationCommon(MmrCommon):
    """A batch of Part 111 that runs, with a deviation at its first step."""

    profile = 'p111'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.component_a.tracking = cls.component_b.tracking = 'lot'
        cls.cause = cls.env.ref('mrp_mmr.deviation_cause_equipment')
        cls.procedure = cls.env['mrp.sop'].create({'code': "SOP-QA-015", 'name': "Deviations"})
        cls._set_up_batch()

    @classmethod
    def _set_up_batch(cls):
        cls.production, cls.verifier = cls._person('production'), cls._person('verifier')
        cls.qc2 = cls._add_user('t_qc2', 'mrp_mmr.group_mmr_qc')
        draft = cls._create_mmr()
        if cls.profile != 'p111':
            draft.mmr_id.profile_id = cls.env.ref(f'mrp_mmr.profile_{cls.profile}')
            cls._complete_profile(draft)
        cls.revision = cls._make_effective(draft)
        for product in cls.component_a | cls.component_b:
            cls._stock(product)
        cls.bpr = cls._new_batch()

    @classmethod
    def _complete_profile(cls, draft):
        """Add what the profile asks for beyond Part 111."""

    @classmethod
    def _add_user(cls, login, groups):
        return enrol(new_test_user(cls.env, login=login, password=PASSWORD, groups=groups, name=f"Test {login}", tz='UTC'))

    @classmethod
    def _new_batch(cls, started=True):
        """Return the issued record of another order, its first step begun."""
        order = cls._create_order()
        order.action_confirm()
        if order.bpr_id.state == 'issue':
            cls._sign(order.bpr_id, 'issue', cls._person('production'))
        if started:
            order.bpr_id.step_ids.sorted('sequence')[0].with_user(cls.user_operator).action_start(acknowledged=True)
        return order.bpr_id

    @classmethod
    def _report(cls, user=None, bpr=None, severity='minor', title="Lamp broken"):
        """Return a deviation that somebody reports at the first step of a batch."""
        step = (bpr or cls.bpr).step_ids.sorted('sequence')[0].with_user(user or cls.user_operator)
        return cls.env['mrp.deviation'].browse(step.action_report(title, "Glass is intact.", severity))

    def _out_of_limits(self, value='16.01', bpr=None):
        """Return the deviation of a value out of its limits, and its step."""
        bpr = bpr or self.bpr
        step = bpr.step_ids.filtered(lambda step: step.name == "Blending time")
        if step.state == 'open':
            first = bpr.step_ids.sorted('sequence')[0]
            if first.state == 'started':
                self._record_step(first)
                self._sign_step(first)
            self._execute(bpr.production_id, until=step)
            step.with_user(self.user_operator).action_start(acknowledged=True)
            self._record_equipment(step)
        step.with_user(self.user_operator).action_record('value', {'value': value})
        return step.deviation_ids.filtered(lambda deviation: deviation.source == 'specification')[:1], step

    def _record_equipment(self, step):
        if step.planned['equipment']:
            step.with_user(self.user_operator).action_record('equipment', {'equipment_id': self._ready_unit(step).id})

    @classmethod
    def _investigate(cls, deviation, user=None, **vals):
        deviation.with_user(user or cls.user_qc).write({
            'cause_id': cls.cause.id, 'procedure_id': cls.procedure.id, **FINDINGS, **vals})

    @classmethod
    def _decide(cls, deviation, action='decide', user=None, comment="No effect."):
        return cls._sign(deviation, action, user or cls.user_qc, comment=comment)

    def _close(self, deviation, user=None):
        return self._sign(deviation, 'close', user or self.user_qc)

    def _closed(self, deviation):
        """Take a deviation to its end; return it."""
        self._decide(deviation)
        self._investigate(deviation)
        self._close(deviation)
        return deviation

    def _refused(self, rule, function, *args, error=UserError, **kwargs):
        with self.assertRefused(*rule.split('|'), error=error):
            function(*args, **kwargs)

    def _sql_refused(self, query, *params, rule, error=CheckViolation):
        with self.assertRefused(*rule.split('|'), error=error):
            self.cr.execute(query, params)


@tagged('post_install', '-at_install')
class TestReport(DeviationCommon):

    def _dialog(self, user, subject, **vals):
        field = {'mrp.bpr': 'bpr_id', 'stock.lot': 'lot_id', 'maintenance.equipment': 'equipment_id',
                 'product.product': 'product_id'}[subject._name]
        return self.env['mrp.deviation.report'].with_user(user).create({
            'subject': subject._name, field: subject.id, 'title': "Smell", 'description': "It smells.", **vals})

    def test_everywhere(self):
        """DEV-010: a batch, a lot, equipment, a return and a complaint each get a deviation of its source, open, numbered."""
        unit = self.env['maintenance.equipment'].create({'name': "Scale 3"})
        lot = self.env['stock.lot'].search([('product_id', '=', self.component_a.id)], limit=1)
        cases = [
            (self.user_operator, self.bpr, 'occurrence', {'bpr_id': self.bpr, 'product_id': self.product}),
            (self.verifier, lot, 'specification', {'lot_id': lot, 'product_id': self.component_a}),
            (self.user_qc, unit, 'calibration', {'equipment_id': unit}),
            (self.user_planner, self.product, 'return', {'product_id': self.product}),
            (self.production, self.product, 'complaint', {'product_id': self.product}),
        ]
        numbers = []
        for user, subject, source, expected in cases:
            with self.subTest(subject=subject._name, source=source):
                wizard = self._dialog(user, subject, source=source, severity='major', upload=PNG, upload_name="smell.png")
                deviation = self.env['mrp.deviation'].browse(wizard.action_report()['res_id'])
                self.assertRecordValues(deviation, [{
                    'source': source, 'severity': 'major', 'state': 'open', 'reported_by_id': user.id, 'title': "Smell",
                    **{name: record.id for name, record in expected.items()}}])
                self.assertEqual(deviation.file_id.name, "smell.png")
                self.assertEqual(deviation._get_document()['file']['sha256'], deviation.file_id.sha256)
                self.assertTrue(deviation.activity_ids)
                self.assertEqual(deviation.is_blocking, subject == self.bpr)
                numbers.append(int(deviation.name[-5:]))
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(cases))), "no gap")
        self.assertTrue(self.bpr.is_on_hold)

    def test_profile_of_a_product(self):
        """DEV-010, D-21: without a batch, the profile is that of the product's MMR; a product without one has none."""
        own = self.revision.profile_id
        for product, profile in ((self.product, own), (self.component_other, own.browse())):
            wizard = self._dialog(self.user_planner, product, source='return')
            self.assertEqual(self.env['mrp.deviation'].browse(wizard.action_report()['res_id']).profile_id, profile)

    def test_not_reported(self):
        """DEV-010, SEC-010: auditors and internal users report none; what says nothing and what runs is no report."""
        auditor = self.user_auditor
        internal = self._add_user('t_internal', 'base.group_user')
        for user in (auditor, internal):
            with self.subTest(user=user.login):
                self._refused("AccessError", self._dialog, user, self.bpr, error=AccessError)
                self._refused("DEV-010", self.env['mrp.deviation'].with_user(user)._report, self.bpr, 'occurrence', "x", "y",
                              error=AccessError)
        self._refused("DEV-010", self._dialog(self.user_operator, self.bpr, description=" ").action_report)
        self._refused("CON-070", self._dialog(
            self.user_operator, self.bpr, upload=GIF, upload_name="virus.exe").action_report)
        for user in (self.user_operator, self.user_qc, auditor, self.user_manager):
            deviations = self.env['mrp.deviation'].with_user(user)
            self._refused("DEV-010", deviations.create, {'title': "x", 'company_id': self.company.id})
        self._refused("DEV-010", self.env['mrp.deviation'].sudo().create, {'title': "x"})
        result = self.env['mrp.deviation'].with_user(self.user_qc).load(['name', 'title'], [["DEV/1", "x"]])
        self.assertFalse(result['ids'])
        self._sql_refused(
            """INSERT INTO mrp_deviation (name, title, company_id, source, severity, state, reported_by_id, reported_at)
               VALUES ('X', 'x', %s, 'return', 'minor', 'closed', %s, now())""", self.company.id, self.user_qc.id,
                   rule="DEV-010")

    def test_number(self):
        """DEV-010: a report that is taken back takes its number with it, so that no number is missing."""
        first = self._report()
        savepoint = self.cr.savepoint()
        taken = self._report().name
        savepoint.close(rollback=True)
        self.env.invalidate_all()
        self.assertEqual(self._report().name, taken)
        self.assertEqual(int(taken[-5:]), int(first.name[-5:]) + 1)


@tagged('post_install', '-at_install')
class TestDisposition(DeviationCommon):

    def test_who_decides(self):
        """DEV-030: production, planner, operator, auditor and administrator do not decide; Quality Control does."""
        deviation = self._report()
        for user in (self.user_operator, self.production, self.user_planner, self.verifier, self.user_manager):
            with self.subTest(user=user.login):
                self.assertIn("APR-050", self._esign(deviation, 'decide', user, comment="x")['refused'])
                self._refused("AccessError", deviation.with_user(user).action_review, error=AccessError)
        self._refused("DEV-030", deviation.with_user(self.user_auditor).write, {'cause': "x"}, error=AccessError)
        self.assertEqual(deviation.state, 'open')
        signature = self._decide(deviation)
        self.assertRecordValues(deviation, [{
            'state': 'decided', 'disposition': 'accept', 'decision_signature_id': signature.id}])
        self.assertEqual((signature.meaning, signature.content['decision']['disposition']), ('approved', 'accept'))

    def test_running_batch(self):
        """DEV-040: an occurrence and a late entry are accepted with a justification, and the batch goes on."""
        blocking = self._report(severity='major')
        step = blocking.step_id
        self.assertTrue(self.bpr.is_on_hold)
        self.assertIn("APR-010", self._esign(blocking, 'decide', self.user_qc, comment=" ")['refused'])
        self._decide(blocking)
        self.assertFalse(self.bpr.is_on_hold)
        self._record_step(step)
        self._sign_step(step)
        self.assertEqual(step.state, 'done')

    def test_specification_not_met(self):
        """DEV-040, DEV-060: under Part 111 accepting is refused; rejecting and, with a reason, adjusting are not."""
        deviation, _step = self._out_of_limits()
        self.assertIn("DEV-040", self._esign(deviation, 'decide', self.user_qc, comment="x", digest='0' * 64)['refused'])
        self.assertIn("DEV-030", self._esign(deviation, 'decide_adjust', self.user_qc, comment="x", digest='0' * 64)['refused'])
        deviation.with_user(self.user_qc).procedure_id = self.procedure
        self.assertIn("DEV-060", self._esign(deviation, 'decide_adjust', self.user_qc, comment="x", digest='0' * 64)['refused'])
        context = deviation.with_user(self.user_qc).action_review()['context']
        wizard = self.env['mrp.deviation.decide'].with_user(self.user_qc).with_context(**context).create({
            'disposition': 'adjust', 'scientific_reason': "PV-7 covers 17 minutes."})
        self.assertEqual(wizard.procedure_id, self.procedure)
        self.assertEqual(wizard.action_sign()['params']['signing_action'], 'decide_adjust')
        signature = self._decide(deviation, 'decide_adjust')
        self.assertEqual(signature.content['decision'], {
            'disposition': 'adjust', 'identity': None, 'reason': "PV-7 covers 17 minutes.",
            'procedure': self.procedure._get_document()})
        rejected = self._decide(deviation, 'decide_reject')
        self.assertEqual((rejected.meaning, deviation.disposition, deviation.state), ('rejected', 'reject', 'decided'))
        self.assertIn("DEV-030", self._esign(deviation, 'decide_adjust', self.user_qc, comment="x", digest='0' * 64)['refused'])
        self._sql_refused("UPDATE mrp_deviation SET disposition = 'adjust', decision_signature_id = %s WHERE id = %s",
                          signature.id, deviation.id, rule="DEV-030")

    def test_retest(self):
        """DEV-040, IPC-030: what an authorised retest shows to be met is accepted; one without authorisation does not exist."""
        deviation, step = self._out_of_limits()
        self._sign(step, 'authorise_retest', self.user_qc, comment="Timer stopped")
        self.assertTrue(deviation._is_specification_unmet())
        step.with_user(self.user_operator).action_record('value', {'value': '15.5'})
        self.assertFalse(deviation._is_specification_unmet())
        self._decide(deviation)
        self.assertEqual(deviation.disposition, 'accept')

    def test_identity(self):
        """DEV-050: a component that fails its identity specification is rejected, and nothing else is possible."""
        lot = self.env['stock.lot'].search([('product_id', '=', self.component_a.id)], limit=1)
        wizard = self.env['mrp.deviation.report'].with_user(self.user_operator).create({
            'subject': 'stock.lot', 'lot_id': lot.id, 'source': 'specification', 'severity': 'critical',
            'title': "IR spectrum", 'description': "Another substance."})
        unsaid = self.env['mrp.deviation'].browse(wizard.action_report()['res_id'])
        self.assertIn("DEV-050", self._esign(unsaid, 'decide', self.user_qc, comment="x", digest='0' * 64)['refused'])
        wizard.identity_failed = True
        failed = self.env['mrp.deviation'].browse(wizard.action_report()['res_id'])
        unsaid.with_user(self.user_qc).write({
            'identity_result': 'met', 'procedure_id': self.procedure.id, 'scientific_reason': "Drying restores it."})
        failed.with_user(self.user_qc).write({'procedure_id': self.procedure.id, 'scientific_reason': "Drying restores it."})
        for action in ('decide', 'decide_reprocess', 'decide_treat', 'decide_adjust'):
            with self.subTest(action=action):
                self.assertIn("DEV-050", self._esign(
                    failed, action, self.user_qc, comment="x", digest='0' * 64)['refused'])
        self._decide(failed, 'decide_reject')
        treated = self._decide(unsaid, 'decide_treat')
        self._sql_refused(
            "UPDATE mrp_deviation SET identity_result = 'failed' WHERE id = %s", unsaid.id, rule="DEV-050")
        self.assertTrue(treated)

    def test_rejected_lot(self):
        """DEV-050: a batch with a rejected lot is decided on when the result of the identity test is known."""
        first = self.bpr.step_ids.sorted('sequence')[0]
        self._record_step(first)
        lot = first.entry_ids.lot_id
        self._sign(lot, 'reject', self.user_qc, comment="Identity of drum 3")
        deviation = self.bpr.deviation_ids
        self.assertEqual(deviation.severity, 'critical')
        self.assertIn("DEV-050", self._esign(deviation, 'decide', self.user_qc, comment="x", digest='0' * 64)['refused'])
        deviation.with_user(self.user_qc).write({'identity_result': 'failed', 'procedure_id': self.procedure.id})
        self.assertIn("DEV-050", self._esign(deviation, 'decide', self.user_qc, comment="x", digest='0' * 64)['refused'])
        self._decide(deviation, 'decide_reject')
        self.assertEqual(deviation.disposition, 'reject')

    def test_independence(self):
        """DEV-030, 111.12(b): who performed the step never decides; who reported it only where Quality Control allows it."""
        both = self._add_user('t_qc_operator', 'mrp_mmr.group_mmr_qc,mrp_mmr.group_mmr_operator')
        bpr = self._new_batch(started=False)
        step = bpr.step_ids.sorted('sequence')[0].with_user(both)
        step.action_start(acknowledged=True)
        lot = self.env['stock.lot'].search([('product_id', '=', self.component_a.id)], limit=1)
        step.action_record('weight', {'value': step.planned['target']['quantity'], 'lot_id': lot.id})
        self._sign(step, 'performed', both)
        performed = self._report(bpr=bpr)
        self.assertIn("performed", self._esign(performed, 'decide', both, comment="x")['refused'])
        reported = self._report(user=both)
        self.assertIn("reported", self._esign(reported, 'decide', both, comment="x")['refused'])
        rule = self.env['mrp.mmr.requirement'].search([
            ('profile_id', '=', self.revision.profile_id.id), ('check', '=', 'deviation_independent')])
        self._sign(rule, 'switch_off', self.user_qc, comment="One person of Quality Control works at night")
        self._decide(reported, user=both)
        self.assertIn("performed", self._esign(performed, 'decide', both, comment="x")['refused'])
        # PostgreSQL knows who performed the step.
        signature = self._decide(performed)
        self.assertEqual(signature.user_id, self.user_qc)

    def test_rejection_holds(self):
        """DEV-030, DEV-080: a rejected material stays rejected; what is decided is decided again by another signature only."""
        deviation = self._report()
        deviation.with_user(self.user_qc).procedure_id = self.procedure
        first = self._decide(deviation)
        second = self._decide(deviation, 'decide_reject', user=self.qc2)
        self.assertEqual(deviation.decision_signature_id, second)
        self.assertLessEqual(first | second, deviation.esignature_ids)
        self.assertIn("DEV-030", self._esign(deviation, 'decide', self.user_qc, comment="x", digest='0' * 64)['refused'])
        self._sql_refused("UPDATE mrp_deviation SET disposition = 'accept', decision_signature_id = %s WHERE id = %s",
                          first.id, deviation.id, rule="DEV-030")


@tagged('post_install', '-at_install')
class TestRejectedMaterial(DeviationCommon):
    """The second step of a batch is open, the first one runs, when Quality Control rejects the material."""

    def _reject(self, bpr=None):
        deviation = self._report(bpr=bpr, severity='critical')
        deviation.with_user(self.user_qc).procedure_id = self.procedure
        self._decide(deviation, 'decide_reject')
        return deviation

    def test_no_step_goes_on(self):
        """DEV-030, DEV-050, DEV-080: what is rejected is worked on no more: no start, no entry, no signature, no retest."""
        first, second = self.bpr.step_ids.sorted('sequence')[:2]
        self._record_step(first)
        deviation = self._reject()
        answer = self._esign(first, 'performed', self.user_operator, digest='0' * 64)
        for words in (deviation.name, "DEV-030", "only reject the batch", "destroyed"):
            self.assertIn(words, answer['refused'])
        self._refused("DEV-030", second.with_user(self.user_operator).action_start, True)
        self._refused("DEV-030", first.with_user(self.user_operator).action_record, 'check', {'position': 1})
        self._refused("DEV-030", self.bpr._check_not_rejected)
        # A comment says what became of it.
        first.with_user(self.user_operator).action_record('comment', {'text': "Moved to the cage."})
        with self.assertRaisesRegex(UserError, "USE-050"):
            self.bpr._check_complete()

    def test_by_sql(self):
        """DEV-030, DEV-050: PostgreSQL starts and signs no step of a batch whose material is rejected."""
        first, waiting = self.bpr.step_ids.sorted('sequence')[0], self._new_batch(started=False)
        self._record_step(first)
        for bpr in (self.bpr, waiting):
            self._reject(bpr)
        step = waiting.step_ids.sorted('sequence')[0]
        self._sql_refused("UPDATE mrp_bpr_step SET state = 'started' WHERE id = %s", step.id, rule="DEV-030")
        self._sql_refused("UPDATE mrp_bpr_step SET retest_count = 1 WHERE id = %s", first.id, rule="DEV-030")
        self.patch(type(first), '_check_workable', lambda self, own_deviations=True, closing=False: None)
        with mute_logger('odoo.sql_db'):
            self.assertIn("DEV-030", self._esign(first, 'performed', self.user_operator)['refused'])

    def test_rejected_while_running(self):
        """REL-020, DEV-080: the running batch is rejected by signature, stays so, and its order can only be cancelled."""
        def waits():
            rows = self.env['mrp.bpr'].with_user(self.user_operator).get_floor_batches()['batches']
            return next((row['waits']['role'], row['waits']['what']) for row in rows if row['id'] == self.bpr.id)

        self.assertIn("REL-020", self._esign(self.bpr, 'reject', self.user_qc, digest='0' * 64, comment="x")['refused'])
        self._reject()
        self.assertEqual(waits(), ('qc', "rejects the batch, because its material was rejected"))
        self.assertIn("APR-050", self._esign(self.bpr, 'reject', self.production, comment="x")['refused'])
        actions = self.bpr.with_user(self.user_qc).get_review()['actions']
        self.assertEqual([name for name, _label in actions], ['reject'])
        signature = self._sign(self.bpr, 'reject', self.user_qc, comment="Glass in the blend")
        self.assertRecordValues(self.bpr, [{
            'state': 'progress', 'release_state': 'rejected', 'release_signature_id': signature.id, 'quantity_released': '0'}])
        self.assertEqual(waits(), ('production', "cancels the order: the batch was rejected"))
        self.assertEqual(self.bpr.document['state'], 'progress')
        self.assertFalse(self.bpr.with_user(self.user_qc).get_review()['actions'])
        step = self.bpr.step_ids.sorted('sequence')[0]
        self._refused("REL-030", step.with_user(self.user_operator).action_record, 'comment', {'text': "x"})
        for change in ("state = 'done'", "release_state = 'review'", "state = 'cancel', document = '{}'", "document = '{}'"):
            self._sql_refused(f"UPDATE mrp_bpr SET {change} WHERE id = %s", self.bpr.id, rule="REL-030|USE-050")
        with self.assertRefused('USE-050'):
            self.bpr.production_id.with_user(self.user_planner).button_mark_done()
        self.bpr.production_id.action_cancel()
        self.assertRecordValues(self.bpr, [{'state': 'cancel', 'release_state': 'rejected'}])

    def test_closed_as_not_done(self):
        """DEV-080, USE-050: steps that are left are closed as not done, so that what was made is completed and destroyed."""
        first = self.bpr.step_ids.sorted('sequence')[0]
        self._reject()
        self._sign(first, 'not_done', self.production, comment="The material is rejected")
        self.assertEqual(first.state, 'not_done')


@tagged('post_install', '-at_install')
class TestDispositionDevice(DeviationCommon):
    """The same under the profile for devices."""

    profile = 'pdev'

    @classmethod
    def _complete_profile(cls, draft):
        draft.section_ids.with_user(cls.user_preparer).write({'not_applicable_reason': "A test."})

    def test_concession(self):
        """DEV-040, D-21: for devices it is an NCR, and what is out of specification passes by a justified concession."""
        deviation, _step = self._out_of_limits()
        self.assertEqual(deviation.label, "NCR")
        self.assertTrue(deviation.name.startswith("NCR/"))
        self.assertIn("APR-010", self._esign(deviation, 'decide', self.user_qc, comment="")['refused'])
        self._decide(deviation, comment="Use as is: the customer agreed.")
        self.assertEqual(deviation.disposition_label, "Concession with justification")

    def test_stricter(self):
        """DEV-040, AUD-060: where Quality Control switches the rule on, there is no concession."""
        rule = self.env['mrp.mmr.requirement'].search([
            ('profile_id', '=', self.revision.profile_id.id), ('check', '=', 'deviation_accept')])
        self.assertFalse(rule.enabled)
        self._sign(rule, 'switch_on', self.user_qc, comment="House rule")
        deviation, _step = self._out_of_limits()
        self.assertIn("DEV-040", self._esign(deviation, 'decide', self.user_qc, comment="x", digest='0' * 64)['refused'])


@tagged('post_install', '-at_install')
class TestClosing(DeviationCommon):

    def test_findings(self):
        """DEV-020, DEV-030: closing lists everything that is empty, and each of it by itself; complete, it closes."""
        deviation = self._report()
        self.assertIn("DEV-020", self._esign(deviation, 'close', self.user_qc, digest='0' * 64)['refused'])
        self._decide(deviation)
        refused = self._esign(deviation, 'close', self.user_qc, digest='0' * 64)['refused']
        for label in ("Category of the Cause", "Cause", "Effect on Quality", "Effect on Packaging and Labelling",
                      "Action to Correct and Prevent Recurrence", "What Happened to the Material", "Written Procedure"):
            self.assertIn(f"{label} is missing", refused)
        self.assertEqual(deviation.missing.count('•'), 7)
        self._investigate(deviation)
        for name in (*FINDINGS, 'cause_id', 'procedure_id'):
            with self.subTest(empty=name):
                kept = deviation[name]
                deviation.with_user(self.user_qc)[name] = " " if name in FINDINGS else False
                self.assertIn("is missing", self._esign(
                    deviation, 'close', self.user_qc, digest='0' * 64)['refused'])
                deviation.with_user(self.user_qc)[name] = kept
        self.assertFalse(deviation.missing)
        for user in (self.user_operator, self.production, self.user_planner):
            self.assertIn("APR-050", self._esign(deviation, 'close', user)['refused'])
        signature = self._close(deviation)
        self.assertEqual((deviation.state, deviation.closing_signature_id), ('closed', signature))
        self.assertEqual(signature.content['closure']['investigation']['cause'], FINDINGS['cause'])
        self.assertEqual(signature.content['decision']['signature_sha256'], deviation.decision_signature_id.signature_sha256)
        self.assertFalse(deviation.activity_ids)

    def test_reason_of_rework(self):
        """DEV-020, 111.140(b)(3)(vi): what was reprocessed, treated or adjusted closes with its scientific reason only."""
        deviation, _step = self._out_of_limits()
        self._investigate(deviation, scientific_reason="PV-7")
        self._decide(deviation, 'decide_treat')
        deviation.with_user(self.user_qc).scientific_reason = False
        self.assertIn("Scientifically Valid Reason", self._esign(
            deviation, 'close', self.user_qc, digest='0' * 64)['refused'])
        deviation.with_user(self.user_qc).scientific_reason = "PV-7"
        self._close(deviation)

    def test_investigator(self):
        """DEV-020, AUD-010: the investigator and Quality Control write findings, each change in the ledger; others do not."""
        deviation = self._report()
        self._refused("DEV-030", deviation.with_user(self.production).write, {'cause': "x"}, error=AccessError)
        deviation.with_user(self.user_qc).investigator_id = self.production
        deviation.with_user(self.production).cause = "First guess"
        deviation.with_user(self.production).cause = "Second guess"
        line = self.env['mrp.audit.entry'].search([
            ('res_model', '=', 'mrp.deviation'), ('res_id', '=', deviation.id), ('kind', '=', 'write')],
            order='id desc', limit=1)
        self.assertEqual(line.values['cause'], {'old': "First guess", 'new': "Second guess"})
        self.assertEqual(line.user_id, self.production)
        for vals in ({'severity': 'major'}, {'investigator_id': self.user_operator.id}, {'due_date': '2099-01-01'},
                     {'identity_result': 'met'}, {'no_capa_reason': "x"}):
            self._refused("DEV-030", deviation.with_user(self.production).write, vals, error=AccessError)
        for user in (self.user_operator, self.user_planner, self.user_manager, self.verifier):
            with self.subTest(user=user.login):
                self._refused("DEV-030", deviation.with_user(user).write, {'cause': "x"}, error=AccessError)
                self._refused("DEV-030", deviation.with_user(user).sudo().write, {'cause': "x"}, error=AccessError)
        self._refused("DEV-030", deviation.sudo().with_user(1).write, {'cause': "x"}, error=AccessError)
        message = "Timer sent to the workshop."
        deviation.with_user(self.production).message_post(body=message)

    def test_facts(self):
        """DEV-010, SEC-020: what was reported, and the status, are written by nobody and by no road."""
        deviation = self._report()
        other = self._new_batch()
        deviation.with_user(self.user_qc).investigator_id = self.user_qc
        values = {
            'title': "Other", 'description': "Other", 'bpr_id': other.id, 'step_id': False, 'source': 'return',
            'state': 'closed', 'disposition': 'accept', 'name': "DEV/0", 'is_blocking': True, 'profile_id': False,
            'reported_by_id': self.user_qc.id, 'company_id': False, 'product_id': False}
        for name, value in values.items():
            for user in (self.user_operator, self.user_qc, self.user_manager):
                with self.subTest(field=name, user=user.login):
                    self._refused("DEV-010", deviation.with_user(user).write, {name: value})
            self._refused("DEV-010", deviation.sudo().write, {name: value})
            with self.subTest(sql=name):
                self._sql_refused(f"UPDATE mrp_deviation SET {name} = %s WHERE id = %s",
                                  value or None, deviation.id, error=IntegrityError, rule="DEV-010|DEV-020|DEV-030")
        result = self.env['mrp.deviation'].with_user(self.user_qc).load(['.id', 'title'], [[str(deviation.id), "Other"]])
        self.assertFalse(result['ids'])
        for record in (deviation.with_user(self.user_qc), deviation.with_user(self.user_manager), deviation.sudo()):
            self._refused("AccessError|DEV-010", record.with_context(_force_unlink=True).unlink)
        self._refused("DEV-010", deviation.with_user(self.user_qc).copy)
        self._sql_refused("DELETE FROM mrp_deviation WHERE id = %s", deviation.id, rule="DEV-010")
        # Goods moved in this transaction: what is judged at its end is judged now, or nothing is emptied at all.
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self._sql_refused("TRUNCATE mrp_deviation CASCADE", rule="REC-040")

    def test_closed_stays(self):
        """DEV-020: nothing of a closed deviation changes, not even by Quality Control, superuser or SQL."""
        deviation = self._closed(self._report())
        for user in (self.user_qc, self.user_operator):
            self._refused("DEV-020|DEV-030", deviation.with_user(user).write, {'cause': "x"})
        self._refused("DEV-020", deviation.with_user(self.user_qc).sudo().write, {'cause': "x"})
        for column, value in (('cause', "x"), ('state', 'decided'), ('severity', 'critical'), ('closing_signature_id', None),
                              ('scientific_reason', "x"), ('investigator_id', self.user_qc.id)):
            self._sql_refused(f"UPDATE mrp_deviation SET {column} = %s WHERE id = %s", value, deviation.id, rule="DEV-010")
        for action in ('decide', 'decide_reject', 'close'):
            self.assertIn("refused", self._esign(deviation, action, self.user_qc, comment="x", digest='0' * 64))
        self._refused("DEV-020", self.env['mrp.deviation.contributor'].with_user(self.user_qc).create, {
            'deviation_id': deviation.id, 'user_id': self.user_operator.id, 'contribution': "x"})
        self._sql_refused(
            """INSERT INTO mrp_deviation_contributor (deviation_id, company_id, user_id, contribution)
               VALUES (%s, %s, %s, 'x')""", deviation.id, self.company.id, self.user_operator.id, rule="DEV-030")

    def test_state_by_sql(self):
        """DEV-020, DEV-030: a status without the signature for it is none, nor is one with the signature of something else."""
        deviation, other = self._report(), self._report()
        foreign = self._decide(other)
        decide = "UPDATE mrp_deviation SET state = 'decided', disposition = %s, decision_signature_id = %s WHERE id = %s"
        self._sql_refused(decide, 'accept', None, deviation.id, rule="DEV-030")
        self._sql_refused(decide, 'accept', foreign.id, deviation.id, rule="DEV-030")
        own = self._decide(deviation)
        self._sql_refused(decide, 'reject', own.id, deviation.id, rule="DEV-030")
        close = "UPDATE mrp_deviation SET state = 'closed', closing_signature_id = %s WHERE id = %s"
        self._sql_refused(close, None, deviation.id, rule="DEV-020")
        self._sql_refused(close, own.id, deviation.id, rule="DEV-020")
        self._sql_refused("UPDATE mrp_deviation SET state = 'open' WHERE id = %s", deviation.id, rule="DEV-030")

    def test_form(self):
        """DEV-020: Quality Control fills in the form; an operator sees it and what is missing, and changes nothing."""
        deviation = self._report()
        self._decide(deviation)
        with Form(deviation.with_user(self.user_qc)) as form:
            form.cause = "Old lamp."
            form.cause_id = self.cause
            form.investigator_id = self.production
            with form.contributor_ids.new() as row:
                row.user_id = self.user_operator
                row.contribution = "I saw it fall."
        self.assertEqual(deviation.contributor_ids.user_id, self.user_operator)
        form = Form(deviation.with_user(self.user_operator))
        self.assertIn("Effect on Quality is missing", form.missing)
        with self.assertRaisesRegex(AssertionError, "readonly"):
            form.cause = "x"

    def test_cancelled_batch(self):
        """DEV-010: a batch that is cancelled keeps its deviations, which are decided and closed all the same."""
        bpr = self._new_batch(started=False)
        self.env['mrp.deviation.report'].with_user(self.user_operator).create({
            'bpr_id': bpr.id, 'title': "Wrong room", 'description': "Room 2.", 'severity': 'major'}).action_report()
        deviation = bpr.deviation_ids
        bpr.production_id.action_cancel()
        self.assertEqual((bpr.state, bpr.deviation_ids, deviation.state), ('cancel', deviation, 'open'))
        self._closed(deviation)
        self.assertEqual(deviation.state, 'closed')

    def test_overdue(self):
        """DEV-010: a deviation is due after the days of the company, and shows as overdue from then on until it is closed."""
        self.company.mmr_deviation_days = 10
        deviation = self._report()
        self.assertEqual((deviation.due_date - self.company._get_mmr_today()).days, 10)
        deviation.with_user(self.user_qc).due_date = '2020-01-01'
        found = self.env['mrp.deviation'].search([('is_overdue', '=', True)])
        self.assertIn(deviation, found)
        self.assertTrue(deviation.is_overdue)
        self._closed(deviation)
        self.assertFalse(deviation.is_overdue)
        self.assertNotIn(deviation, self.env['mrp.deviation'].search([('is_overdue', '=', True)]))


@tagged('post_install', '-at_install')
class TestContributors(DeviationCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.deviation = cls._report()
        cls._decide(cls.deviation)
        cls._investigate(cls.deviation)
        cls.row = cls.env['mrp.deviation.contributor'].with_user(cls.user_qc).create({
            'deviation_id': cls.deviation.id, 'user_id': cls.user_operator.id, 'contribution': "The lamp fell at 10."})

    def test_signed_by_the_person(self):
        """DEV-030: closing waits for each contributor, who signs in person; nobody signs for another."""
        planner = self.env['mrp.deviation.contributor'].with_user(self.user_qc).create({
            'deviation_id': self.deviation.id, 'user_id': self.user_planner.id, 'contribution': "It was the night shift."})
        refused = self._esign(self.deviation, 'close', self.user_qc, digest='0' * 64)['refused']
        self.assertIn(f"{self.user_operator.name} has not signed", refused)
        self.assertIn(f"{self.user_planner.name} has not signed", refused)
        for user in (self.user_qc, self.production):
            self.assertIn("DEV-030", self._esign(self.row, 'contribute', user)['refused'])
        # At the terminal of Quality Control, with own user name and password.
        signature = self._sign(self.row, 'contribute', self.user_operator)
        self.assertEqual((signature.meaning, signature.user_id, self.row.signature_id),
                         ('contributed', self.user_operator, signature))
        self.assertNotIn(self.user_operator.name, self.deviation.missing)
        self._sign(planner, 'contribute', self.user_planner)
        closing = self._close(self.deviation)
        self.assertEqual([row['signature_sha256'] for row in closing.content['closure']['contributors']],
                         (self.row | planner).mapped('signature_id.signature_sha256'))

    def test_stays(self):
        """DEV-030: a contribution is not changed or removed once it is signed; before that by who investigates."""
        self._refused("DEV-030", self.row.with_user(self.production).write, {'contribution': "x"}, error=AccessError)
        self._refused("DEV-030", self.row.with_user(self.production).unlink, error=AccessError)
        self.row.with_user(self.user_operator).contribution = "The lamp fell at 11."
        self._refused("DEV-030", self.row.with_user(self.user_operator).write, {'user_id': self.production.id},
                      error=AccessError)
        gone = self.env['mrp.deviation.contributor'].with_user(self.user_qc).create({
            'deviation_id': self.deviation.id, 'user_id': self.production.id, 'contribution': "Nothing."})
        gone.unlink()
        self._sql_refused("UPDATE mrp_deviation_contributor SET signature_id = %s WHERE id = %s",
                          self.deviation.decision_signature_id.id, self.row.id, rule="DEV-030")
        self._sign(self.row, 'contribute', self.user_operator)
        for record in (self.row.with_user(self.user_qc), self.row.with_user(self.user_operator), self.row.sudo()):
            self._refused("DEV-030", record.write, {'contribution': "x"})
            self._refused("DEV-030", record.unlink)
        self._sql_refused("UPDATE mrp_deviation_contributor SET contribution = 'x' WHERE id = %s", self.row.id, rule="DEV-030")
        self._sql_refused("DELETE FROM mrp_deviation_contributor WHERE id = %s", self.row.id, rule="DEV-030")

    def test_causes(self):
        """DEV-020: Quality Control adds categories of the company; those of the addon stay, and used ones are not deleted."""
        causes = self.env['mrp.deviation.cause']
        own = causes.with_user(self.user_qc).create({'name': "Supplier"})
        self._refused("AccessError", causes.with_user(self.user_operator).create, {'name': "x"}, error=AccessError)
        self._refused("DEV-020", self.cause.with_user(self.user_qc).write, {'name': "Machine"})
        self._refused("DEV-020", self.cause.with_user(self.user_qc).unlink)
        self.deviation.with_user(self.user_qc).cause_id = own
        self.env.flush_all()
        with self.assertRefused('mrp_deviation_cause_id_fkey'):
            own.unlink()


@tagged('post_install', '-at_install')
class TestRelated(DeviationCommon):
    """Under Part 211, where an investigation extends to other batches (21 CFR 211.192)."""

    def _find(self, deviation):
        deviation.with_user(self.user_qc).action_find_related()
        return deviation.related_ids

    def _weigh(self, bpr, lot):
        """Weigh the first component of a batch from a lot."""
        step = bpr.step_ids.sorted('sequence')[0].with_user(self.user_operator)
        if step.state == 'open':
            step.action_start(acknowledged=True)
        return step.action_record('weight', {'value': step.planned['target']['quantity'], 'lot_id': lot.id})

    def _age(self, bprs, days):
        """Let batches have begun so many days ago, behind the back of the guards."""
        self.env.flush_all()
        self.cr.execute("ALTER TABLE mrp_bpr DISABLE TRIGGER USER")
        self.cr.execute("UPDATE mrp_bpr SET started_at = started_at - make_interval(days => %s) WHERE id IN %s",
                        [days, tuple(bprs.ids)])
        self.cr.execute("ALTER TABLE mrp_bpr ENABLE TRIGGER USER")
        self.env.invalidate_all()

    def _switch_on(self):
        rule = self.env['mrp.mmr.requirement'].search([
            ('profile_id', '=', self.revision.profile_id.id), ('check', '=', 'deviation_related')])
        self.assertFalse(rule.enabled)
        self._sign(rule, 'switch_on', self.user_qc, comment="As for drugs")

    def test_lots(self):
        """DEV-070: exactly the batches into which a lot of this batch was weighed, corrected entries left out."""
        lot = self.env['stock.lot'].search([('product_id', '=', self.component_a.id)], limit=1)
        other = self._stock(self.component_a, self.env['stock.lot'].create({
            'name': "L-OTHER", 'product_id': self.component_a.id}))
        same, different, corrected = (self._new_batch() for _number in range(3))
        self._weigh(self.bpr, lot)
        self._weigh(same, lot)
        self._weigh(different, other)
        wrong = self._weigh(corrected, lot)
        step = corrected.step_ids.sorted('sequence')[0].with_user(self.user_operator)
        step.action_record('weight', {'value': step.planned['target']['quantity'], 'lot_id': other.id},
                           corrects=wrong['entry_id'], reason="Wrong drum")
        self._age(same | different | corrected, 400)
        rows = self._find(self._report())
        self.assertEqual(rows.bpr_id, same)
        self.assertIn(lot.name, rows.reason)
        report = self.env['mrp.deviation.report'].with_user(self.user_operator).create({
            'subject': 'stock.lot', 'lot_id': other.id, 'source': 'specification', 'title': "Odour", 'description': "Musty."})
        rows = self._find(self.env['mrp.deviation'].browse(report.action_report()['res_id']))
        self.assertEqual(rows.bpr_id, different | corrected)

    def test_revision(self):
        """DEV-070: batches of the revision that began within the days of the setting; a batch not begun is not affected."""
        inside, outside, waiting = self._new_batch(), self._new_batch(), self._new_batch(started=False)
        self._age(inside, 80)
        self._age(outside, 100)
        deviation = self._report()
        self.assertEqual(self._find(deviation).bpr_id, inside)
        self.company.mmr_related_days = 120
        self.assertEqual(self._find(deviation).bpr_id, inside | outside)
        self.assertNotIn(waiting, deviation.related_ids.bpr_id)

    def test_equipment(self):
        """DEV-070: the batches that used the unit between its good cleanings before and after; not those before or later."""
        unit = self.env['maintenance.equipment'].create({'name': "Blender 9", 'category_id': self.env[
            'maintenance.equipment.category'].search([('name', '=', "Test blender")], limit=1).id})
        batches = [self._new_batch() for _number in range(4)]
        self._age(self.env['mrp.bpr'].union(*batches), 400)
        lots = self.env['stock.lot']
        for number, bpr in enumerate(batches):
            first = bpr.step_ids.sorted('sequence')[0]
            lots |= self._stock(self.component_a, self.env['stock.lot'].create({
                'name': f"L-{number}", 'product_id': self.component_a.id}))
        with freeze_time("2031-05-05 06:00:00") as clock:
            for number, bpr in enumerate(batches):
                first = bpr.step_ids.sorted('sequence')[0]
                self._weigh(bpr, lots[number])
                self._sign_step(first)
                for step in bpr.step_ids.sorted('sequence'):
                    if step.planned['equipment']:
                        break
                    if step.state == 'open':
                        self._own_lots(step, number)
                clock.tick(3600)
                if number in (0, 1):
                    self._log_equipment(unit, 'cleaning', cleaning_kind='full', procedure_id=self.procedure.id)
                clock.tick(3600)
                step.with_user(self.user_operator).action_start(acknowledged=True)
                step.with_user(self.user_operator).action_record('equipment', {'equipment_id': unit.id})
                clock.tick(3600)
            deviation = self._report(bpr=batches[2])
            rows = self._find(deviation)
            self.assertEqual(rows.filtered(lambda row: "Blender 9" in row.reason).bpr_id, batches[1] | batches[3])

    def test_equipment_never_counted(self):
        """R-05, DEV-070: minor cleanings and a calibration that failed begin nothing: all batches of the unit are related."""
        unit = self.env['maintenance.equipment'].create({'name': "Blender 9", 'category_id': self.env[
            'maintenance.equipment.category'].search([('name', '=', "Test blender")], limit=1).id})
        unit.with_user(self.user_qc).mmr_needs_cleaning = False
        batches = [self._new_batch(started=False) for _number in range(2)]
        for bpr in batches:
            self._log_equipment(unit, 'cleaning', cleaning_kind='minor', procedure_id=self.procedure.id)
            step = bpr.step_ids.filtered(lambda step: step.planned['equipment']).sorted('sequence')[0]
            self._execute(bpr.production_id, until=step)
            step.with_user(self.user_operator).action_start(acknowledged=True)
            step.with_user(self.user_operator).action_record('equipment', {'equipment_id': unit.id})
        report = self.env['mrp.deviation.report'].with_user(self.user_operator).create({
            'subject': 'maintenance.equipment', 'equipment_id': unit.id, 'source': 'occurrence', 'title': "Seal torn",
            'description': "Found."})
        rows = self._find(self.env['mrp.deviation'].browse(report.action_report()['res_id']))
        self.assertEqual(rows.bpr_id, self.env['mrp.bpr'].union(*batches))

    def _own_lots(self, step, number):
        """Do a step with lots that no other batch has."""
        step.with_user(self.user_operator).action_start(acknowledged=True)
        if step.kind == 'weigh':
            product = self.env['product.product'].browse(step.planned['target']['product']['id'])
            lot = self.env['stock.lot'].search([('name', '=', f"M-{number}"), ('product_id', '=', product.id)]) or self._stock(
                product, self.env['stock.lot'].create({'name': f"M-{number}", 'product_id': product.id}))
            step.with_user(self.user_operator).action_record(
                'weight', {'value': step.planned['target']['quantity'], 'lot_id': lot.id})
        elif step.kind != 'add':
            self._record_step(step)
        self._sign_step(step)

    def test_closing(self):
        """DEV-070: where the rule is on, closing waits for the search and for each assessment; off, it does not."""
        related = self._new_batch()
        deviation, free = self._report(), self._report()
        self._closed(free)
        self._decide(deviation)
        self._investigate(deviation)
        self._switch_on()
        self.assertIn(related.name, self._esign(deviation, 'close', self.user_qc, digest='0' * 64)['refused'])
        row = self._find(deviation)
        self.assertEqual(row.bpr_id, related)
        self.assertIn(f"{related.name} is not assessed", self._esign(
            deviation, 'close', self.user_qc, digest='0' * 64)['refused'])
        row.with_user(self.user_qc).write({'assessment': 'not_affected', 'text': "Another room."})
        self.assertEqual(row.assessed_by_id, self.user_qc)
        later = self._new_batch()
        self.assertIn(later.name, self._esign(deviation, 'close', self.user_qc, digest='0' * 64)['refused'])
        row = self._find(deviation) - row
        row.with_user(self.user_qc).write({'assessment': 'affected', 'text': "Own deviation opened."})
        signature = self._close(deviation)
        self.assertEqual([entry['assessment'] for entry in signature.content['closure']['related']],
                         ['not_affected', 'affected'])
        self._refused("DEV-020", row.with_user(self.user_qc).write, {'text': "x"})
        self._sql_refused("UPDATE mrp_deviation_batch SET text = 'x' WHERE id = %s", row.id, rule="DEV-070")

    def test_rows_stay(self):
        """DEV-070: rows are found and not typed; whoever investigates assesses them, with a reason; nobody removes one."""
        related = self._new_batch()
        deviation = self._report()
        row = self._find(deviation)
        self.assertEqual(row.bpr_id, related)
        model = self.env['mrp.deviation.batch']
        for user in (self.user_qc, self.user_operator):
            self._refused("DEV-070", model.with_user(user).create,
                          {'deviation_id': deviation.id, 'bpr_id': related.id, 'reason': "x"})
            self._refused("DEV-070", row.with_user(user).write, {'bpr_id': self.bpr.id})
            self._refused("AccessError", row.with_user(user).unlink)
        self._refused("DEV-070", row.sudo().unlink)
        self._refused("DEV-030", row.with_user(self.production).write, {'assessment': 'affected', 'text': "x"},
                      error=AccessError)
        self._refused("DEV-030", deviation.with_user(self.production).action_find_related, error=AccessError)
        self._sql_refused("UPDATE mrp_deviation_batch SET assessment = 'affected', text = ' ' WHERE id = %s", row.id,
            rule="mrp_deviation_batch_complete")
        self.assertFalse(row.assessment)
        self._sql_refused("DELETE FROM mrp_deviation_batch WHERE id = %s", row.id, rule="DEV-070")

    def test_queries(self):
        """DEV-070: finding the batches costs the same for one as for ten."""
        deviation = self._report()
        self._new_batch()
        counts = []
        for _round in range(2):
            deviation._find_related()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            deviation._find_related()
            counts.append(self.cr.sql_log_count - before)
            for _number in range(3):
                self._new_batch()
        self.assertEqual(counts[0], counts[1])


@tagged('post_install', '-at_install')
class TestRework(DeviationCommon):

    def _approved(self, action='decide_adjust'):
        """Return a deviation of the batch by which Quality Control approves rework."""
        deviation = self._report(severity='major')
        deviation.with_user(self.user_qc).write({
            'procedure_id': self.procedure.id, 'scientific_reason': "PV-9 covers another sieving."})
        self._decide(deviation, action)
        return deviation

    def _record(self, deviation, user=None, **vals):
        wizard = self.env['mrp.bpr.rework.record'].with_user(user or self.user_operator).create({
            'deviation_id': deviation.id, 'bpr_id': self.bpr.id, 'lot_name': "VC-LUMPS", 'quantity': "2.50",
            'uom_id': self.kg.id, 'text': "Sieved again.", **vals})
        wizard.action_record()
        return deviation.rework_ids[-1:]

    def test_without_approval(self):
        """DEV-060, BPR-150: without a decision to reprocess, treat or adjust, nothing is recorded, by no road."""
        accepted, rejected, undecided = self._report(), self._report(), self._report()
        rejected.with_user(self.user_qc).procedure_id = self.procedure
        self._decide(accepted)
        self._decide(rejected, 'decide_reject')
        for deviation in (accepted, rejected, undecided):
            with self.subTest(state=deviation.disposition):
                self._refused("DEV-060", self._record, deviation)
        other = self._new_batch()
        self._refused("DEV-060", self._record, self._approved(), bpr_id=other.id)
        for user in (self.user_qc, self.user_operator):
            self._refused("DEV-060", self.env['mrp.bpr.rework'].with_user(user).create, {'bpr_id': self.bpr.id})
        self._refused("DEV-060", self.env['mrp.bpr.rework'].sudo().create, {'bpr_id': self.bpr.id})
        for deviation, bpr in ((accepted, self.bpr), (undecided, self.bpr), (self._approved(), other)):
            self._sql_refused(
                """INSERT INTO mrp_bpr_rework (deviation_id, bpr_id, company_id, kind, lot_name, quantity, unit, text, user_id,
                                               user_name, at)
                   VALUES (%s, %s, %s, 'adjust', 'X', '1', 'kg', 'x', %s, 'x', now())""",
                deviation.id, bpr.id, self.company.id, self.user_operator.id, rule="DEV-060")

    def test_recorded(self):
        """BPR-150: with the approval, lot and amount are in the record of the batch, and stay there."""
        deviation = self._approved()
        self._refused("DEV-060", self._record, deviation, user=self.user_planner, error=AccessError)
        for vals in ({'quantity': "0"}, {'quantity': "much"}, {'text': " "}, {'lot_name': " "}):
            self._refused("DEV-060", self._record, deviation, **vals)
        row = self._record(deviation)
        self.assertRecordValues(row, [{
            'bpr_id': self.bpr.id, 'kind': 'adjust', 'lot_name': "VC-LUMPS", 'quantity': "2.50", 'unit': self.kg.name,
            'user_id': self.user_operator.id}])
        self.assertEqual(self.bpr.rework_ids, row)
        for record in (row.with_user(self.user_qc), row.sudo()):
            self._refused("DEV-060", record.write, {'quantity': "1"})
            self._refused("AccessError|DEV-060", record.unlink)
        self._sql_refused("UPDATE mrp_bpr_rework SET quantity = '1' WHERE id = %s", row.id, rule="SIG-030")
        self._sql_refused("DELETE FROM mrp_bpr_rework WHERE id = %s", row.id, rule="SIG-030")
        self._cancel_batch(self.bpr.production_id)
        self._refused("DEV-060", self._record, deviation)

    def test_order(self):
        """DEV-060: an order that reworks starts with an approved decision only."""
        order = self.env['mrp.production'].create({
            'product_id': self.component_other.id, 'product_qty': 1, 'mmr_rework_deviation_id': self._report().id})
        self._refused("DEV-060", order.action_confirm)
        order.mmr_rework_deviation_id = self._approved('decide_reprocess')
        order.action_confirm()
        self.assertEqual(order.state, 'confirmed')

    def test_consuming(self):
        """DEV-060, DEV-080: a lot of a batch that is under review or rejected goes into no order without the approval."""
        self.product.tracking = 'lot'
        lot = self.env['stock.lot'].create({'name': "VC-1", 'product_id': self.product.id})
        self.bpr.production_id.sudo().lot_producing_ids = lot
        deviation = self._approved('decide_reprocess')
        order = self.env['mrp.production'].create({'product_id': self.component_other.id, 'product_qty': 1})
        order.move_raw_ids = [(0, 0, {'product_id': self.product.id, 'product_uom_qty': 1})]
        order.action_confirm()
        line = {'product_id': self.product.id, 'lot_id': lot.id, 'quantity': 1, 'picked': True}
        self._refused("DEV-080", order.move_raw_ids.write, {'move_line_ids': [(0, 0, line)]})
        order.mmr_rework_deviation_id = deviation
        order.move_raw_ids.write({'move_line_ids': [(0, 0, line)]})
        order.mmr_rework_deviation_id = False
        self._refused("DEV-060", order._button_mark_done_sanity_checks)
        self._refused("DEV-080", order.move_raw_ids._action_done)
        self._sql_refused(
            "UPDATE stock_move_line SET state = 'done' WHERE id = %s", order.move_raw_ids.move_line_ids.id, rule="DEV-080")
        order.mmr_rework_deviation_id = deviation
        order._button_mark_done_sanity_checks()
        order.move_raw_ids._action_done()
        self.assertEqual(order.move_raw_ids.state, 'done')

    def test_unbuild(self):
        """DEV-060: a batch is taken apart on the approval to reprocess this very batch; without one it is not."""
        unbuild = self.env['mrp.unbuild'].create({
            'product_id': self.product.id, 'mo_id': self.bpr.production_id.id, 'product_qty': 1, 'product_uom_id': self.kg.id})
        self._refused("DEV-060", unbuild.action_unbuild)
        unbuild.mmr_deviation_id = self._approved('decide_adjust')
        self._refused("DEV-060", unbuild.action_unbuild)
        unbuild.mmr_deviation_id = self._approved('decide_reprocess')
        self.assertTrue(unbuild._is_mmr_approved())


@tagged('post_install', '-at_install')
class TestPrint(DeviationCommon):

    def _complete(self):
        """Return a closed deviation with everything that can be written down about one."""
        related = self._new_batch()
        deviation = self._report(severity='major', title="Sieve torn")
        deviation.with_user(self.user_qc).write({
            'investigator_id': self.production.id, 'scientific_reason': "PV-9 covers another sieving.",
            'no_capa_reason': "First of its kind.", 'procedure_id': self.procedure.id})
        self._decide(deviation, 'decide_adjust', comment="Sieve once more.")
        self._investigate(deviation)
        row = self.env['mrp.deviation.contributor'].with_user(self.user_qc).create({
            'deviation_id': deviation.id, 'user_id': self.user_operator.id, 'contribution': "It tore at 10:15."})
        self._sign(row, 'contribute', self.user_operator)
        deviation.with_user(self.user_qc).action_find_related()
        deviation.related_ids.with_user(self.user_qc).write({'assessment': 'not_affected', 'text': "Another sieve."})
        self.env['mrp.bpr.rework'].with_user(self.user_operator)._record(
            deviation, self.bpr, "VC-LUMPS", "2.5", self.kg, "Sieved again.")
        self._close(deviation)
        self.assertEqual(deviation.related_ids.bpr_id, related)
        return deviation

    def _expected(self, deviation):
        return [
            deviation.name, "Sieve torn", "Glass is intact.", *FINDINGS.values(), "Equipment", self.procedure.code,
            "PV-9 covers another sieving.", "First of its kind.", "Adjust in process", "It tore at 10:15.",
            "Another sieve.", deviation.related_ids.bpr_id.name, "VC-LUMPS", "2.5 kg", "Sieved again.", "Sieve once more.",
            self.user_operator.name, self.user_qc.name, self.production.name]

    def test_own_print(self):
        """BPR-140, 111.140(b)(3): the print of a deviation has the report, each finding, person, batch, lot and signature."""
        deviation = self._complete()
        report = self.env['ir.actions.report'].with_user(self.user_auditor)
        html = report._render_qweb_html('mrp_mmr.report_deviation', deviation.ids)[0].decode()
        for value in self._expected(deviation):
            self.assertIn(value, html)
        for signature in deviation.esignature_ids | deviation.contributor_ids.esignature_ids:
            self.assertIn(signature.signature_sha256, html)
        self.assertNotIn("o_watermark", html.split('<body')[-1])
        undecided = self._report()
        html = report._render_qweb_html('mrp_mmr.report_deviation', undecided.ids)[0].decode()
        self.assertIn("not recorded", html)
        self.assertIn("OPEN", html)

    def test_batch_print(self):
        """BPR-140, BPR-150: the record of the batch prints each of its deviations in full, reprocessing included."""
        deviation = self._complete()
        html = self.env['ir.actions.report'].with_user(self.user_auditor)._render_qweb_html(
            'mrp_mmr.report_bpr', self.bpr.ids)[0].decode()
        for value in self._expected(deviation):
            self.assertIn(value, html)
        for signature in deviation.esignature_ids | deviation.contributor_ids.esignature_ids:
            self.assertIn(signature.signature_sha256, html)
