"""Different persons, by what they wrote as well as by what they signed (VER-100, H-10 to H-14)."""

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from odoo.addons.mrp_mmr.domain.transitions import transition

from ..common.base import PASSWORD, enrol
from .test_release import ReleaseCommon

BOTH = 'mrp_mmr.group_mmr_operator,mrp_mmr.group_mmr_verifier,mrp_mmr.group_mmr_qc'


class PersonsCommon(ReleaseCommon):

    @classmethod
    def _new(cls, login, partner=None, groups=BOTH):
        """Return a person with several roles, or a second login of one."""
        return enrol(new_test_user(
            cls.env, login=login, password=PASSWORD, groups=groups, name=login, tz='UTC',
            **({'partner_id': partner.id} if partner else {})))

    @classmethod
    def _prepare(cls):
        super()._prepare()
        cls.anna, cls.bert, cls.carl = (cls._new(login) for login in ('t_anna', 't_bert', 't_carl'))
        cls.second = cls._new('t_anna_again', cls.anna.partner_id)


@tagged('post_install', '-at_install')
class TestSteps(PersonsCommon):

    def _weighing(self):
        """Return a running weighing in which A typed everything."""
        order = self._create_order()
        order.action_confirm()
        if order.bpr_id.state == 'issue':
            self._sign(order.bpr_id, 'issue', self._person('production'))
        order.action_assign()
        step = order.bpr_id.step_ids.filtered(lambda step: step.kind == 'weigh')[0]
        self._execute(order, until=step)
        step.with_user(self.anna).action_start(acknowledged=True)
        lot = self.env['stock.lot'].search([
            ('product_id', '=', step.planned['target']['product']['id']), ('mmr_status', '=', 'released')], limit=1)
        step.with_user(self.anna).action_record('weight', {'value': step.planned['target']['quantity'], 'lot_id': lot.id})
        return step

    def test_verified_by_an_author(self):
        """H-10, VER-100: who typed the entries verifies neither weighing nor addition, also by a second login; another does."""
        step = self._weighing()
        self.assertFalse(self._esign(step, 'performed', self.bert).get('refused'))
        for user in (self.anna, self.second, self.bert):
            with self.subTest(user.login):
                self.assertIn("VER-010", self._esign(step, 'verified', user, digest='0')['refused'])
        # PostgreSQL says so where the ORM is asked nothing.
        self.patch(type(step), '_check_verifier', lambda self, action, user: None)
        for user in (self.anna, self.second):
            with self.subTest(sql=user.login):
                self.assertIn("VER-010", self._esign(step, 'verified', user)['refused'])
        self.assertFalse(self._esign(step, 'verified', self.carl).get('refused'))

    def test_addition_verified_by_an_author(self):
        """H-10, VER-100: the addition is not verified by who weighed or typed the weight, whoever signed as adding it."""
        step = self._weighing()
        points = [point for point in step.points if point in ('added', 'addition_verified')]
        self._sign(step, 'performed', self.anna)
        self._sign(step, 'verified', self.carl)
        target = step if points else step.bpr_id.step_ids.filtered(lambda other: other.kind == 'add')[:1]
        if not target:
            return
        self._sign(target, 'added', self.bert)
        for user in (self.anna, self.second, self.bert):
            self.assertIn("VER-010", self._esign(target, 'addition_verified', user, digest='0')['refused'])

    def test_correction(self):
        """H-10, VER-100: a correction is not verified by who wrote what is corrected, or another entry of the step."""
        step = self._weighing()
        self._sign(step, 'performed', self.bert)
        entry = step.entry_ids.filtered(lambda entry: entry.kind == 'weight')
        done = step.with_user(self.bert).action_record(
            'weight', {'value': entry.value, 'lot_id': entry.lot_id.id}, corrects=entry.id, reason="Wrong drum")
        correction = self.env['mrp.bpr.entry'].browse(done['entry_id'])
        self._sign(correction, 'corrected', self.bert)
        self.assertTrue(correction.is_proposed)
        for user in (self.anna, self.second, self.bert):
            with self.subTest(user.login):
                self.assertIn("VER-100", self._esign(correction, 'verified', user, digest='0')['refused'])
        self.patch(type(correction), '_check_other_person', lambda self, action, user: None)
        for user in (self.anna, self.second, self.bert):
            with self.subTest(sql=user.login):
                self.assertIn("VER-100", self._esign(correction, 'verified', user)['refused'])
        self._sign(correction, 'verified', self.carl)

    def test_decision(self):
        """H-10, VER-100: nobody decides on, or closes, the deviation of a step of which that person wrote any entry."""
        step = self._weighing()
        deviation = self.env['mrp.deviation'].browse(step.with_user(self.bert).action_report("Lumps", "Found at the sieve."))
        for user in (self.anna, self.second):
            with self.subTest(user.login):
                self.assertIn("VER-100", self._esign(deviation, 'decide', user, comment="No effect.", digest='0')['refused'])
        self.patch(type(deviation), '_check_independent', lambda self, action, user: None)
        for user in (self.anna, self.second):
            with self.subTest(sql=user.login):
                self.assertIn("DEV-030", self._esign(deviation, 'decide', user, comment="No effect.")['refused'])
        self._sign(deviation, 'decide', self.carl, comment="No effect.")
        self.assertIn("DEV-0", self._esign(deviation, 'close', self.anna, digest='0')['refused'])


@tagged('post_install', '-at_install')
class TestDecisions(PersonsCommon):

    def test_results(self):
        """H-11, VER-100: results are approved by another person than whoever entered or corrected them, by no second login."""
        own = self.bpr.with_user(self.anna)
        for test in own._get_tests()[own]:
            criterion = test['specification']['criterion'] or {}
            limit = criterion.get('target') or criterion.get('minimum') or criterion.get('maximum')
            own.action_record_result(
                test['specification']['position'],
                {'kind': 'value', 'value': limit} if limit else {'kind': 'outcome', 'pass': True})
        result = self.bpr.result_ids[0]
        own.with_user(self.bert).action_record_result(
            result.position, {'kind': 'value', 'value': result.value} if result.value else {'kind': 'outcome', 'pass': True},
            corrects=result.id, reason="Typed again")
        for user in (self.anna, self.second, self.bert):
            with self.subTest(user.login):
                self.assertIn("VER-100", self._esign(self.bpr, 'approve_results', user, digest='0')['refused'])
        self.patch(type(self.bpr), '_check_second_of_results', lambda self, action, user: None)
        for user in (self.anna, self.second, self.bert):
            with self.subTest(sql=user.login):
                self.assertIn("VER-100", self._esign(self.bpr, 'approve_results', user)['refused'])
        self._sign(self.bpr, 'approve_results', self.carl)

    def test_performer(self):
        """H-11, H-14, REL-020: whoever wrote in the record, performed or verified approves, reviews and releases nothing."""
        made = {
            'author': self.bpr.step_ids.entry_ids.user_id[:1],
            'performer': self.bpr.step_ids.performed_signature_id.user_id[:1],
            'verifier': self.bpr.step_ids.verified_signature_id.user_id[:1]}
        twins = {name: self._new(f't_twin_{name}', user.partner_id) for name, user in made.items()}
        self._enter_results(self.bpr, approve=False)
        for name, user in twins.items():
            for action in ('approve_results',):
                with self.subTest(person=name, action=action):
                    self.assertIn("REL-020", self._esign(self.bpr, action, user, digest='0')['refused'])
        self._sign(self.bpr, 'approve_results', self.user_both)
        for name, user in twins.items():
            with self.subTest(person=name, action='review'):
                self.assertIn("REL-020", self._esign(self.bpr, 'review', user, digest='0')['refused'])
        self._sign(self.bpr, 'review', self.user_qc)
        for name, user in twins.items():
            with self.subTest(person=name, action='release'):
                self.assertIn("REL-020", self._esign(self.bpr, 'release', user, digest='0')['refused'])
        self.patch(type(self.bpr), '_check_took_no_part', lambda self, action, user: None)
        for name, user in twins.items():
            for action in ('review', 'release'):
                with self.subTest(sql=name, action=action):
                    self.assertIn("REL-020", self._esign(self.bpr, action, user)['refused'])
        self._sign(self.bpr, 'release', self.user_qc)


@tagged('post_install', '-at_install')
class TestLotsOfBatches(PersonsCommon):

    def test_recalled(self):
        """H-12, REL-070: a recalled lot is released again by the rule of its batch: persons, deviations, expiry."""
        verifier = self.bpr.step_ids.verified_signature_id.user_id[:1]
        twin = self._new('t_twin', verifier.partner_id)
        self._release(self.bpr)
        self._sign(self.lot, 'quarantine', self.user_qc, comment="Recall")
        for record in (self.lot, self.lot.sudo(), self.lot.with_user(self.user_manager).sudo()):
            self._refused("REL-070", record.write, {'expiration_date': '2099-12-31 12:00:00'})
        self._sql_refused("REL-070", "UPDATE stock_lot SET expiration_date = '2099-12-31' WHERE id = %s", self.lot.id)
        self.assertIn("REL-020", self._esign(self.lot, 'release', twin, digest='0')['refused'])
        deviation = self.env['mrp.deviation'].browse(
            self.bpr.step_ids[0].with_user(self.operator).action_report("Glass", "Found at the customer.")) \
            if self.bpr.release_state != 'released' else self.env['mrp.deviation'].sudo()._store([{
                'title': "Glass", 'source': 'complaint', 'severity': 'minor', 'description': "Found at the customer.",
                'is_blocking': False, 'company_id': self.company.id, 'product_id': self.product.id, 'bpr_id': self.bpr.id,
                'profile_id': self.bpr._get_signing_profile().id}])
        self.assertIn("REL-070", self._esign(self.lot, 'release', self.user_qc, digest='0')['refused'])
        self.patch(type(self.lot), '_mmr_check_batch_releasable', lambda self: None)
        self.patch(type(self.lot), '_mmr_check_releaser', lambda self, action, user: None)
        self.assertIn("REL-070", self._esign(self.lot, 'release', self.user_qc)['refused'])
        self._close(deviation)
        self.assertIn("REL-070", self._esign(self.lot, 'release', twin)['refused'])
        self._sign(self.lot, 'release', self.user_qc)

    def test_qualified_person(self):
        """H-12, REL-070, REL-040: where the batch is certified, the Qualified Person signs for its lot, not Quality Control."""
        self._release(self.bpr)
        self._sign(self.lot, 'quarantine', self.user_qc, comment="Recall")
        profile = self.env.ref('mrp_mmr.profile_peu')
        self.patch(type(self.bpr), '_get_signing_profile', lambda self: profile)
        self.assertIn("APR-050", self._esign(self.lot, 'release', self.user_qc, digest='0')['refused'])
        self._sign(self.lot, 'release', self._person('qp'))

    def test_company(self):
        """H-13, REL-070: a lot that a batch made has its company, which others neither see nor decide on, nor change."""
        self.assertEqual(self.lot.company_id, self.bpr.company_id)
        other = self.env['res.company'].create({'name': "Other Ltd."})
        stranger = self._new('t_stranger')
        stranger.write({'company_ids': [(6, 0, other.ids)], 'company_id': other.id})
        lot = self.lot.with_user(stranger).with_context(allowed_company_ids=other.ids)
        with self.assertRaises(AccessError):
            lot.esign_prepare('quarantine')
        for vals in ({'company_id': False}, {'company_id': other.id}):
            for record in (self.lot, self.lot.sudo()):
                self._refused("REL-070|company", record.write, vals)
        with transition(self.lot):
            self._sql_refused("REL-070", "UPDATE stock_lot SET company_id = NULL WHERE id = %s", self.lot.id)
            self._sql_refused("REL-070", "UPDATE stock_lot SET company_id = %s WHERE id = %s", other.id, self.lot.id)
