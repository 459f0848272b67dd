"""Who may sign, in whose session, and until when: SIG-020, SIG-040 to SIG-090, VER-050, AUD-060."""

import json
import threading
import uuid
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.mrp_mmr.domain.sessions import session_of
from odoo.addons.mrp_mmr.domain.transitions import transition
from odoo.addons.mrp_mmr.models.evidence.esignature_mixin import SESSION_KEY

from ..common.base import PASSWORD, HttpCase, MmrCommon, enrol
from ..common.signing import at_any_terminal, enrol_keys, enrol_waiting, get_enroller

OTHER = 'Another-password-2'


@tagged('post_install', '-at_install')
class SignerCommon(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(at_any_terminal(cls.env, 'mrp.mmr.revision', 'submit', 'approve'))
        cls.user_security = new_test_user(
            cls.env, login='t_security', password=PASSWORD, groups='mrp_mmr.group_mmr_security', name="Test t_security")
        cls.user_new = new_test_user(
            cls.env, login='t_new', password=PASSWORD, groups='mrp_mmr.group_mmr_preparer', name="Test t_new", tz='UTC')
        cls.signers = cls.env['mrp.signer'].sudo()

    def _call(self, record, action, session_user, credential, state=None, comment=None, accept=None, digest=None):
        """Sign in the session of one user with what somebody typed; return the answer."""
        record = record.with_user(session_user)
        with session_of(session_user, state):
            digest = digest or record.esign_prepare(action)['digest']
            return record.esign(action, credential, digest, comment, accept=accept)

    def _typed(self, user, password=PASSWORD):
        return {'login': user.login, 'password': password}

    def _fail(self, revision, times, user=None):
        user = user or self.user_preparer
        for _time in range(times):
            self.assertIn("SIG-040", self._call(revision, 'submit', user, self._typed(user, 'wrong'))['refused'])

    def _of(self, user):
        return self.signers._get_for(user)

    def _lines(self, user, name):
        lines = self.env['mrp.audit.entry'].sudo().search(
            [('res_model', '=', 'res.users'), ('res_id', '=', user.id)], order='id')
        return lines.filtered(lambda line: name in (line.values or {}))

    def _change_own_password(self, user, password):
        user.with_user(user).env.user._change_password(password)


@tagged('post_install', '-at_install')
class TestSigner(SignerCommon):

    # === SIG-070 === #

    def test_identity_and_acceptance_come_first(self):
        """SIG-070: without verified identity and accepted accountability nobody signs; both are recorded, once."""
        revision = self._create_mmr()
        self.env['mrp.qualification']._set_up(self.user_new, self.env.ref('base.user_admin'), "Test")
        self._change_own_password(self.user_new, OTHER)
        typed = self._typed(self.user_new, OTHER)
        answer = self._call(revision, 'submit', self.user_new, typed)
        self.assertIn("SIG-070", answer['refused'])
        self.assertIn("security administrator", answer['refused'])
        self.assertNotIn('acceptance', answer)
        wizard = self.env['mrp.signer.verify'].with_user(self.user_security).create(
            {'user_id': self.user_new.id, 'document': "Passport 4711"})
        wizard.action_verify()
        signer = self._of(self.user_new)
        self.assertRecordValues(signer, [{
            'identity_document': "Passport 4711", 'identity_verified_by_id': self.user_security.id, 'state': 'ready'}])
        self.assertTrue(signer.identity_verified_at)
        self.assertEqual(self._lines(self.user_new, 'identity_document').user_id, self.user_security)
        self.assertIn("SIG-120", self._call(revision, 'submit', self.user_new, typed)['refused'])
        self.assertIn('signature_id', enrol_waiting(self.user_new))
        answer = self._call(revision, 'submit', self.user_new, typed)
        self.assertIn("SIG-070", answer['refused'])
        self.assertIn("accountable", answer['acceptance']['text'])
        self.assertFalse(signer.accepted_at)
        self.assertIn("SIG-070", self._call(revision, 'submit', self.user_new, typed, accept='0' * 64)['refused'])
        self.assertEqual(revision.state, 'draft')
        answer = self._call(revision, 'submit', self.user_new, typed, accept=answer['acceptance']['sha256'])
        self.assertIn('signature_id', answer)
        self.assertTrue(signer.acceptance_ids.accepted_at)
        self.assertEqual(signer.acceptance_ids.user_name, "Test t_new")
        self.assertEqual(self._lines(self.user_new, 'acceptance_sha256').user_id, self.user_new)
        # Once: the next signature does not ask.
        self.assertIn('signature_id', self._call(self._create_mmr(500), 'submit', self.user_new, typed))
        self.assertEqual(len(signer.acceptance_ids), 1)

    def test_wrong_password_accepts_nothing(self):
        """SIG-070, SIG-040: who does not know the password neither sees the text asked for nor accepts it."""
        revision = self._create_mmr()
        self.company.mmr_acceptance_text = "New text."
        digest = self.company._get_mmr_acceptance()['sha256']
        answer = self._call(revision, 'submit', self.user_preparer, self._typed(self.user_preparer, 'wrong'), accept=digest)
        self.assertIn("SIG-040", answer['refused'])
        self.assertFalse(self.signers._has_accepted(self.user_preparer, self.company._get_mmr_acceptance()))

    def test_new_text_asks_again(self):
        """SIG-070, AUD-060: another text is accepted again; the change of the text is in the ledger."""
        self._sign(self._create_mmr(), 'submit', self.user_preparer)
        self.company.mmr_acceptance_text = "I am accountable, version 2."
        revision = self._create_mmr(500)
        answer = self._call(revision, 'submit', self.user_preparer, self._typed(self.user_preparer))
        self.assertEqual(answer['acceptance']['text'], "I am accountable, version 2.")
        answer = self._call(revision, 'submit', self.user_preparer, self._typed(self.user_preparer),
                            accept=answer['acceptance']['sha256'])
        self.assertIn('signature_id', answer)
        self.assertEqual(len(self._of(self.user_preparer).acceptance_ids), 2)
        line = self.env['mrp.audit.entry'].sudo().search(
            [('res_model', '=', 'res.company'), ('res_id', '=', self.company.id)], limit=1)
        self.assertIn('mmr_acceptance_text', line.values)

    def test_acceptances_are_append_only(self):
        """SIG-070: nobody makes, changes or deletes an acceptance by hand, nor a signer."""
        acceptance = self._of(self.user_preparer).acceptance_ids
        self.assertTrue(acceptance)
        for method, args in (('write', [{'text': "x"}]), ('unlink', []), ('copy', []), ('create', [{'text': "x"}])):
            with self.subTest(method=method), self.assertRaisesRegex(UserError, "SIG-070"):
                getattr(acceptance.sudo(), method)(*args)
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(Exception, "append-only"), self.cr.savepoint():
            self.cr.execute("UPDATE mrp_signer_acceptance SET text = 'x' WHERE id = %s", [acceptance.id])
        signer = self._of(self.user_new)
        for vals in ({'identity_verified_at': '2020-01-01'}, {'locked_at': False}, {'suspended_at': False},
                     {'signing_password': 'x'}, {'is_shared': False}):
            with self.subTest(vals=vals), self.assertRaisesRegex(UserError, "SIG-070"):
                signer.sudo().with_context(mmr_transition=True).write(vals)

    def test_who_verifies(self):
        """SIG-070, SEC-010: security administrators verify, not themselves; nobody else does, Odoo's administrator included."""
        admin = self.env.ref('base.user_admin')
        for user in (self.user_qc, self.user_new, self.user_auditor, admin):
            for method in ('action_mmr_verify_identity', 'action_mmr_unlock', 'action_mmr_flag_shared',
                           'action_mmr_renew_signing_password'):
                with self.subTest(user=user.login, method=method), self.assertRaises(AccessError):
                    getattr(self.user_preparer.with_user(user), method)()
        wizard = self.env['mrp.signer.verify'].with_user(self.user_security)
        with self.assertRaisesRegex(UserError, "about yourself"):
            wizard.create({'user_id': self.user_security.id, 'document': "Passport"}).action_verify()
        with self.assertRaisesRegex(UserError, "which document"):
            wizard.create({'user_id': self.user_new.id, 'document': "  "}).action_verify()
        with self.assertRaises(AccessError):
            self.env['mrp.signer.verify'].with_user(self.user_qc).create({'user_id': self.user_new.id, 'document': "x"})

    def test_certification_of_the_company(self):
        """SIG-070, AUD-060: date and document of the certification to the agency are filed, and logged by digest."""
        self.company.write({
            'mmr_certified_on': '2026-01-05', 'mmr_certification': b'UERG', 'mmr_certification_name': "letter.pdf"})
        line = self.env['mrp.audit.entry'].sudo().search(
            [('res_model', '=', 'res.company'), ('res_id', '=', self.company.id)], limit=1)
        self.assertEqual(line.values['mmr_certified_on']['new'], '2026-01-05')
        self.assertIn('sha256', line.values['mmr_certification']['new'])

    # === SIG-050 === #

    def test_continuous_session(self):
        """SIG-050: default both components; with the option the password alone, 9 minutes later yes, 11 no."""
        state = {}
        alone = {'password': PASSWORD}
        revisions = [self._create_mmr(size) for size in range(100, 800, 100)]

        def sign(credential):
            answer = self._call(revisions[-1], 'submit', self.user_preparer, credential, state)
            if 'signature_id' in answer:
                revisions.pop()
            return answer

        with freeze_time('2031-03-03 08:00:00') as clock:
            self.assertIn('signature_id', sign(self._typed(self.user_preparer)))
            self.assertIn("SIG-040", sign(alone)['refused'])
            self.company.mmr_sign_continuous = True
            clock.tick(timedelta(minutes=9))
            self.assertIn('signature_id', sign(alone))
            clock.tick(timedelta(minutes=9))
            self.assertIn('signature_id', sign(alone))
            clock.tick(timedelta(minutes=11))
            self.assertIn("SIG-040", sign(alone)['refused'])
            self.assertIn('signature_id', sign(self._typed(self.user_preparer)))
            # Another session, another user, another key of the same session: a new login.
            self.assertIn("SIG-040", self._call(revisions[-1], 'submit', self.user_preparer, alone, {})['refused'])
            self.assertIn("SIG-040", self._call(revisions[-1], 'submit', self.user_both, alone, dict(state))['refused'])
            forged = {SESSION_KEY: dict(state[SESSION_KEY], key='x')}
            self.assertIn("SIG-040", self._call(revisions[-1], 'submit', self.user_preparer, alone, forged)['refused'])
            # A wrong password ends it.
            self.assertIn("SIG-040", sign({'password': 'wrong'})['refused'])
            self.assertIn("SIG-040", sign(alone)['refused'])

    def test_dialog_knows_the_session(self):
        """SIG-050: the dialog shows the name, read-only, where the password alone is asked."""
        self.company.mmr_sign_continuous = True
        first, second = self._create_mmr(), self._create_mmr(500)
        state = {}
        with session_of(self.user_preparer, state):
            prepared = first.with_user(self.user_preparer).esign_prepare('submit')
            self.assertEqual((prepared['continuous'], prepared['login']), (False, 't_preparer'))
        self._call(first, 'submit', self.user_preparer, self._typed(self.user_preparer), state)
        with session_of(self.user_preparer, state):
            self.assertTrue(second.with_user(self.user_preparer).esign_prepare('submit')['continuous'])

    def test_limits_of_the_settings(self):
        """SIG-050, SIG-090: settings that would switch the rules off are refused."""
        for vals in ({'mmr_sign_failures': 0}, {'mmr_sign_failures': 99}, {'mmr_sign_failure_minutes': 0},
                     {'mmr_sign_idle_minutes': 0}, {'mmr_sign_idle_minutes': 600}, {'mmr_sign_password_days': -1}):
            with self.subTest(vals=vals), self.assertRaisesRegex(ValidationError, "SIG-050"), self.cr.savepoint():
                self.company.write(vals)

    # === SIG-040, VER-050: SHARED TERMINALS === #

    def test_shared_terminal(self):
        """SIG-040, VER-050: who types both own components is the signer, not the person who is logged in."""
        revision = self._create_mmr()
        self._sign(revision, 'submit', self.user_preparer)
        answer = self._call(revision, 'approve', self.user_operator, self._typed(self.user_qc))
        signature = self.env['mrp.esignature'].browse(answer.get('signature_id'))
        self.assertRecordValues(signature, [{
            'user_id': self.user_qc.id, 'signer_login': 't_qc', 'signer_name': "Test t_qc", 'meaning': 'approved'}])
        self.assertEqual(revision.state, 'effective')
        line = self.env['mrp.audit.entry'].sudo().search([('kind', '=', 'sign')], limit=1)
        self.assertEqual((line.user_id, line.values['terminal_of']['new']), (self.user_qc, 't_operator'))

    def test_shared_terminal_needs_both(self):
        """SIG-040: a password without user name, a wrong one, an unknown or archived user: nothing is signed."""
        revision = self._create_mmr()
        self._sign(revision, 'submit', self.user_preparer)
        self.company.mmr_sign_continuous = True
        self.user_manager.sudo().active = False
        for credential in ({'password': PASSWORD}, {'login': '', 'password': PASSWORD}, {'login': 't_qc', 'password': ''},
                           {'login': 't_qc', 'password': 'no'}, {'login': 'nobody', 'password': PASSWORD},
                           {'login': 't_manager', 'password': PASSWORD}, {'login': 7, 'password': PASSWORD}):
            with self.subTest(credential=credential):
                self.assertIn("SIG-040", self._call(revision, 'approve', self.user_operator, credential)['refused'])
        self.assertEqual(revision.state, 'submitted')

    def test_rules_hold_for_the_real_signer(self):
        """SIG-040, APR-040, APR-050: role, independence and company are those of the signer."""
        revision = self._create_mmr()
        self._sign(revision, 'submit', self.user_preparer)
        for user, rule in ((self.user_planner, "APR-050"), (self.user_preparer, "APR-050")):
            with self.subTest(user=user.login):
                self.assertIn(rule, self._call(revision, 'approve', self.user_qc, self._typed(user))['refused'])
        edited = self._create_mmr(500)
        edited.with_user(self.user_both).precautions = "Edited."
        self._sign(edited, 'submit', self.user_preparer)
        self.assertIn("APR-040", self._call(edited, 'approve', self.user_qc, self._typed(self.user_both))['refused'])
        # The other way round the colleague is independent.
        self.assertIn('signature_id', self._call(edited, 'approve', self.user_both, self._typed(self.user_qc)))
        elsewhere = self.env['res.company'].create({'name': "Elsewhere"})
        stranger = enrol(new_test_user(
            self.env, login='t_far', password=PASSWORD, groups='mrp_mmr.group_mmr_qc', company_id=elsewhere.id,
            company_ids=[Command.set(elsewhere.ids)]))
        self.assertIn("SEC-010", self._call(revision, 'approve', self.user_qc, self._typed(stranger))['refused'])
        portal = enrol(new_test_user(self.env, login='t_portal', password=PASSWORD, groups='base.group_portal'))
        self.assertIn("SIG-060", self._call(revision, 'approve', self.user_qc, self._typed(portal))['refused'])
        self.assertEqual(revision.state, 'submitted')

    def test_shared_terminal_off(self):
        """SIG-040: without the option only the person of the session signs."""
        self.company.mmr_sign_shared = False
        revision = self._create_mmr()
        self._sign(revision, 'submit', self.user_preparer)
        self.assertIn("SIG-040", self._call(revision, 'approve', self.user_operator, self._typed(self.user_qc))['refused'])
        self._sign(revision, 'approve', self.user_qc)

    def test_colleague_interrupts_the_session(self):
        """SIG-050: after a colleague signed, the person of the session types both components again."""
        self.company.mmr_sign_continuous = True
        first, second, third = (self._create_mmr(size) for size in (100, 200, 300))
        state = {}
        self._call(first, 'submit', self.user_preparer, self._typed(self.user_preparer), state)
        self.assertIn('signature_id', self._call(second, 'submit', self.user_preparer, self._typed(self.user_both), state))
        self.assertIn("SIG-040", self._call(third, 'submit', self.user_preparer, {'password': PASSWORD}, state)['refused'])

    def test_no_program_at_a_shared_terminal(self):
        """SIG-080: without a browser session, or as superuser, no credential of whomever signs."""
        revision = self._create_mmr()
        self._sign(revision, 'submit', self.user_preparer)
        digest = revision.document_sha256
        record = revision.with_user(self.user_operator)
        self.assertIn("SIG-080", record.esign('approve', self._typed(self.user_qc), digest)['refused'])
        with session_of(self.user_operator):
            self.assertIn("SIG-080", record.sudo().esign('approve', self._typed(self.user_qc), digest)['refused'])
        with session_of(self.user_planner):
            self.assertIn("SIG-080", record.esign('approve', self._typed(self.user_qc), digest)['refused'])

    # === SIG-090 === #

    def test_lock_after_failures(self):
        """SIG-090: the fifth failure locks and alerts at once, the right password is refused, security unlocks; all logged."""
        revision = self._create_mmr()
        self._fail(revision, 4)
        self.assertFalse(self._of(self.user_preparer).locked_at)
        with mute_logger('odoo.addons.mrp_mmr.models.people.signer'):
            self._fail(revision, 1)
        signer = self._of(self.user_preparer)
        self.assertTrue(signer.locked_at)
        self.assertEqual(signer.activity_ids.user_id, self.user_security | get_enroller(self.env))
        message = self.env['mail.message'].sudo().search([('model', '=', 'mrp.signer'), ('res_id', '=', signer.id)], limit=1)
        self.assertIn("locked", message.subject)
        self.assertIn(self.user_security.partner_id, message.partner_ids | message.notified_partner_ids)
        answer = self._call(revision, 'submit', self.user_preparer, self._typed(self.user_preparer))
        self.assertIn("SIG-090", answer['refused'])
        self.assertIn("security administrator", answer['refused'])
        # Not at another terminal either.
        answer = self._call(revision, 'submit', self.user_qc, self._typed(self.user_preparer))
        self.assertIn("SIG-090", answer['refused'])
        self.assertEqual(revision.state, 'draft')
        self.user_preparer.with_user(self.user_security).action_mmr_unlock()
        self.assertFalse(signer.activity_ids)
        lines = self._lines(self.user_preparer, 'locked')
        self.assertEqual([line.values['locked']['new'] for line in lines], [True, False])
        self.assertEqual(lines[-1].user_id, self.user_security)
        self._fail(revision, 1)
        self._sign(revision, 'submit', self.user_preparer)

    def test_failures_are_counted_per_session(self):
        """H-05, SIG-090: wrong attempts for a colleague end those of that session and lock nobody."""
        revision = self._create_mmr()
        for _time in range(5):
            answer = self._call(revision, 'submit', self.user_qc, self._typed(self.user_preparer, 'wrong'))
            self.assertIn("SIG-040", answer['refused'])
        self.assertFalse(self._of(self.user_preparer).locked_at)
        self.assertFalse(self._of(self.user_qc).locked_at)
        # Not even the right password is tried there any more; another session is not concerned.
        answer = self._call(revision, 'submit', self.user_qc, self._typed(self.user_preparer))
        self.assertIn("in this session", answer['refused'])
        self.assertIn("SIG-040", self._call(revision, 'submit', self.user_operator, self._typed(
            self.user_preparer, 'wrong'))['refused'])
        self.assertIn('signature_id', self._call(revision, 'submit', self.user_preparer, self._typed(self.user_preparer)))
        revision = self._create_mmr(200)
        for number in range(5):
            self._call(revision, 'submit', self.user_qc, {'login': f'invented{number}', 'password': 'x'})
        self.assertTrue(self._of(self.user_qc).locked_at)

    def test_who_cannot_sign_cannot_try(self):
        """H-05, SEC-010: in the session of somebody without a GMP role nobody is tried, whatever the password."""
        revision = self._create_mmr()
        self._sign(revision, 'submit', self.user_preparer)
        for user in (self.user_planner, self.user_manager):
            for password in ('wrong', PASSWORD):
                with self.subTest(user=user.login, password=password):
                    answer = self._call(revision, 'approve', user, self._typed(self.user_qc, password))
                    self.assertIn("SIG-090, SEC-010", answer['refused'])
        self.assertFalse(self.env['mrp.signer.attempt'].sudo().search_count([('user_id', '=', self.user_qc.id)]))
        self._sign(revision, 'approve', self.user_qc)

    def test_old_failures_do_not_count(self):
        """SIG-090: five in fifteen minutes, and not in an hour; right attempts are not counted."""
        revision = self._create_mmr()
        with freeze_time('2026-03-02 08:00:00') as clock:
            for _time in range(6):
                self._fail(revision, 1)
                clock.tick(timedelta(minutes=4))
            self.assertFalse(self._of(self.user_preparer).locked_at)
        for size in range(200, 900, 100):
            self._sign(self._create_mmr(size), 'submit', self.user_preparer)
        self.assertFalse(self._of(self.user_preparer).locked_at)

    def test_security_does_not_unlock_itself(self):
        """SIG-090: a locked security administrator needs another one."""
        signer = self.signers._get(self.user_security)
        with transition(signer):
            signer.locked_at = fields.Datetime.now()
        with self.assertRaisesRegex(UserError, "about yourself"):
            self.user_security.with_user(self.user_security).action_mmr_unlock()

    def test_password_age(self):
        """SIG-090: an old password does not sign where the company says so; a new one does."""
        revision = self._create_mmr()
        self.company.mmr_sign_password_days = 90
        with freeze_time(fields.Datetime.now() + timedelta(days=91)):
            answer = self._call(revision, 'submit', self.user_preparer, self._typed(self.user_preparer))
            self.assertIn("SIG-090", answer['refused'])
            self._change_own_password(self.user_preparer, PASSWORD)
            answer = self._call(revision, 'submit', self.user_preparer, self._typed(self.user_preparer))
            self.assertIn("SIG-090", answer['refused'], "the same password again is no new one")
            self._change_own_password(self.user_preparer, OTHER)
            answer = self._call(revision, 'submit', self.user_preparer, self._typed(self.user_preparer, OTHER))
            self.assertIn("SIG-120", answer['refused'])
            self.assertTrue(answer['former'])
            typed = {**self._typed(self.user_preparer, OTHER), 'former': PASSWORD}
            self.assertIn('signature_id', self._call(revision, 'submit', self.user_preparer, typed))

    # === SIG-080 === #

    def test_reset_by_an_administrator(self):
        """SIG-080, SIG-120, H-03: after a reset signing is suspended until the key is enrolled again; both are logged."""
        admin = self.env.ref('base.user_admin')
        user = self.user_preparer
        revision = self._create_mmr()

        def by_write():
            user.with_user(admin).write({'password': OTHER})

        def by_wizard():
            self.env['change.password.wizard'].with_user(admin).create({
                'user_ids': [Command.create({'user_id': user.id, 'user_login': user.login, 'new_passwd': OTHER})],
            }).change_password_button()

        for number, reset in enumerate((by_write, by_wizard, lambda: user.sudo().write({'password': OTHER}))):
            with self.subTest(road=number):
                reset()
                self.assertEqual(self._of(user).state, 'suspended')
                refused = self._call(revision, 'submit', user, self._typed(user, OTHER))['refused']
                self.assertIn("SIG-080", refused)
                self.assertIn("change your password", refused)
                self._change_own_password(user, OTHER)
                self.assertIn("change your password", self._call(revision, 'submit', user, self._typed(user, OTHER))['refused'],
                              "the administrator still knows it")
                self._change_own_password(user, PASSWORD)
                refused = self._call(revision, 'submit', user, self._typed(user))['refused']
                self.assertIn("SIG-120", refused, "the former password opens the key, and does not end it")
                self.assertEqual(self._of(user).state, 'suspended')
                self.assertIn('signature_id', enrol_waiting(user))
                self.assertEqual(self._of(user).state, 'ready')
        self.assertEqual([line.values['signing']['new'] for line in self._lines(user, 'signing')[-2:]], ['suspended', 'active'])
        self._sign(revision, 'submit', user)

    def test_first_password_by_an_administrator(self):
        """SIG-080: the password that came with the account is known to somebody else too."""
        self.assertEqual(self._of(self.user_new).state, 'suspended')
        self._change_own_password(self.user_new, OTHER)
        self.assertEqual(self._of(self.user_new).state, 'unverified')

    def test_reset_by_mail(self):
        """SIG-120, H-02: who opens the link of the mail has the password, and not the key."""
        if not hasattr(self.env['res.partner'], '_signup_retrieve_partner'):
            self.skipTest("auth_signup is not installed")
        user, revision = self.user_preparer, self._create_mmr()
        partner = user.partner_id.sudo()
        partner.signup_prepare(signup_type='reset')
        token = partner._generate_signup_token()
        self.env['res.users'].with_user(self.env.ref('base.public_user')).sudo().signup({'password': OTHER}, token)
        self.assertEqual(self._of(user).state, 'suspended')
        typed = self._typed(user, OTHER)
        answer = self._call(revision, 'submit', user, typed)
        self.assertIn("SIG-120", answer['refused'])
        self.assertTrue(answer['former'])
        self.assertIn("waiting for enrolment", self._call(revision, 'submit', user, {**typed, 'renew': True})['refused'])
        self.assertEqual(revision.state, 'draft')
        self.assertIn('signature_id', enrol_waiting(user))
        self.assertIn('signature_id', self._call(revision, 'submit', user, typed))

    # === OWN SIGNING PASSWORD === #

    def _set_own(self, current, password, user=None):
        user = user or self.user_preparer
        with session_of(user):
            return self.env['res.users'].with_user(user).mmr_set_signing_password(current, password)

    def test_own_signing_password(self):
        """SIG-040, SIG-080: set by its owner alone, it signs instead of the login password, and nobody reads it."""
        revision = self._create_mmr()
        self.assertIn("SIG-040", self._set_own('wrong', OTHER)['refused'])
        self.assertIn("at least", self._set_own(PASSWORD, 'short')['refused'])
        self.assertEqual(self._set_own(PASSWORD, OTHER), {'done': True})
        self.assertIn("SIG-040", self._set_own(PASSWORD, 'A-third-password-3')['refused'])
        signer = self._of(self.user_preparer)
        self.assertTrue(signer.signing_password.startswith('$pbkdf2'))
        for user in (self.user_security, self.user_auditor, self.env.ref('base.user_admin')):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                signer.with_user(user).read(['signing_password'])
        self.assertIn("SIG-040", self._call(revision, 'submit', self.user_preparer, self._typed(self.user_preparer))['refused'])
        answer = self._call(revision, 'submit', self.user_preparer, self._typed(self.user_preparer, OTHER))
        self.assertIn('signature_id', answer)
        line = self._lines(self.user_preparer, 'signing_password')
        self.assertEqual(line.values['signing_password'], {'old': False, 'new': True})
        self.cr.execute("SELECT count(*) FROM mrp_audit_entry t WHERE t::text LIKE '%pbkdf2%'")
        self.assertEqual(self.cr.fetchone(), (0,))

    def test_own_signing_password_without_login_password(self):
        """SIG-080: a person who signs in elsewhere sets the first one in the hours that security allows."""
        user = self.user_preparer
        self.env.flush_all()
        self.cr.execute("UPDATE res_users SET password = NULL WHERE id = %s", [user.id])
        self.assertIn("security administrator", self._set_own('', OTHER)['refused'])
        user.with_user(self.user_security).action_mmr_renew_signing_password()
        with freeze_time(fields.Datetime.now() + timedelta(hours=25)):
            self.assertIn("security administrator", self._set_own('', OTHER)['refused'])
        self.assertEqual(self._set_own('', OTHER), {'done': True})
        self.assertIn("SIG-120", self._call(self._create_mmr(), 'submit', user, self._typed(user, OTHER))['refused'])
        self.assertIn('signature_id', enrol_waiting(user))
        self.assertIn('signature_id', self._call(self._create_mmr(500), 'submit', user, self._typed(user, OTHER)))
        self.assertIn("SIG-040", self._set_own('', 'A-third-password-3')['refused'])

    def test_who_sets_a_signing_password(self):
        """SIG-080: no administrator, no program and no suspended user sets one."""
        users = self.env['res.users']
        self.assertIn("SIG-080", users.with_user(self.user_preparer).mmr_set_signing_password(PASSWORD, OTHER)['refused'])
        with session_of(self.user_preparer):
            answer = users.with_user(self.user_preparer).sudo().mmr_set_signing_password(PASSWORD, OTHER)
            self.assertIn("SIG-080", answer['refused'])
        self.user_preparer.sudo().password = OTHER
        self.assertIn("SIG-080", self._set_own(OTHER, 'A-third-password-3')['refused'])
        with self.assertRaisesRegex(UserError, "SIG-080"):
            self.user_preparer.with_user(self.user_security).action_mmr_signing_password()

    def test_guessing_there_locks_too(self):
        """SIG-090: wrong passwords in the dialog of the signing password count like those that sign."""
        for _time in range(5):
            self.assertIn("SIG-040", self._set_own('wrong', OTHER)['refused'])
        self.assertIn("SIG-090", self._set_own(PASSWORD, OTHER)['refused'])

    def test_passkey(self):
        """SIG-040, SIG-110: the answer of a passkey that was asked nothing signs nothing, and counts as wrong."""
        revision = self._create_mmr()
        credential = {'login': 't_preparer', 'webauthn_response': '{"id": "x"}'}
        for login in ('t_preparer', 't_both'):
            answer = self._call(revision, 'submit', self.user_preparer, dict(credential, login=login))
            self.assertIn("SIG-040", answer['refused'])
        self.assertTrue(self.env['mrp.signer.attempt'].sudo().search([('user_id', '=', self.user_preparer.id)]))

    # === SIG-060 === #

    def test_shared_account(self):
        """SIG-060: a generic account cannot sign, until the flag is taken back; both are logged."""
        revision = self._create_mmr()
        user = self.user_preparer.with_user(self.user_security)
        user.action_mmr_flag_shared()
        self.assertIn("SIG-060", self._call(revision, 'submit', self.user_preparer, self._typed(self.user_preparer))['refused'])
        user.action_mmr_flag_shared()
        self._sign(revision, 'submit', self.user_preparer)
        self.assertEqual(
            [line.values['is_shared']['new'] for line in self._lines(self.user_preparer, 'is_shared')], [True, False])

    def test_signers_are_not_merged(self):
        """SIG-060: whoever signed is neither deleted nor merged with another contact."""
        self._sign(self._create_mmr(), 'submit', self.user_preparer)
        with self.assertRaisesRegex(UserError, "SIG-060"):
            self.user_preparer.sudo().unlink()
        other = self.env['res.partner'].create({'name': "Somebody"})
        for target in (other, self.user_preparer.partner_id):
            with self.subTest(target=target.name), self.assertRaisesRegex(UserError, "SIG-060"):
                self.env['base.partner.merge.automatic.wizard'].sudo()._merge(
                    (other | self.user_preparer.partner_id).ids, target)
        self.assertTrue(other.exists())
        self.user_new.sudo().unlink()
        self.assertFalse(self.user_new.exists())

    # === FORMS === #

    def test_forms(self):
        """SIG-020, SIG-070: security sees and changes who may sign; everybody sees the own part; records show signatures."""
        view = self.env.ref('base.view_users_form').id
        form = self.env['res.users'].with_user(self.user_security).get_view(view, 'form')
        self.assertIn('action_mmr_unlock', form['arch'])
        self.assertNotIn('action_mmr_unlock', self.env['res.users'].with_user(
            self.env.ref('base.user_admin')).get_view(view, 'form')['arch'])
        own = self.user_preparer.with_user(self.user_preparer)
        self.assertEqual(own.read(['mmr_signer_state'])[0]['mmr_signer_state'], 'ready')
        with self.assertRaises(AccessError):
            self.user_qc.with_user(self.user_preparer).read(['mmr_signer_state'])
        for model in ('mrp.mmr.label', 'mrp.mmr.requirement', 'mrp.production'):
            arch = self.env[model].with_user(self.user_qc).get_view(view_type='form')['arch']
            self.assertIn('esignature_ids', arch, model)
        label = self.env['mrp.mmr.label'].with_user(self.user_preparer).create(
            {'code': "L-1", 'name': "Label", 'location': "Drawer"})
        signature = self._sign(label, 'approve', self.user_qc)
        self.assertEqual(label.esignature_ids, signature)

    def test_prints(self):
        """SIG-020: every print of a signed record shows name, time with zone and meaning of each signature."""
        label = self.env['mrp.mmr.label'].with_user(self.user_preparer).create(
            {'code': "L-1", 'name': "Label", 'location': "Drawer"})
        self._sign(label, 'approve', self.user_qc)
        requirement = self.env['mrp.mmr.requirement'].search([('enforcement', 'in', ('C', 'O'))], limit=1)
        self._sign(requirement, 'switch_off' if requirement.enabled else 'switch_on', self.user_qc, comment="Decided")
        revision = self._make_effective(self._create_mmr())
        order = self._create_order()
        order.action_confirm()
        self._sign(revision, 'retire', self.user_qc, comment="Old")
        self._sign(order, 'continue', self.user_qc, comment="Goes on")
        for name, record in (('report_label_signatures', label), ('report_requirement_signatures', requirement),
                             ('report_decision_signatures', order)):
            with self.subTest(report=name):
                html = self.env['ir.actions.report'].with_user(self.user_qc)._render_qweb_html(
                    f'mrp_mmr.{name}', record.ids)[0].decode()
                for text in ("Test t_qc", "UTC", "Approved"):
                    self.assertIn(text, html)
        html = self.env['ir.actions.report']._render_qweb_html('mrp.report_mrporder', order.ids)[0].decode()
        for text in ("Test t_qc", "UTC", "Approved", "Goes on"):
            self.assertIn(text, html)


@tagged('post_install', '-at_install')
class TestSignerHttp(SignerCommon, HttpCase):

    def _rpc(self, model, method, *args, **kwargs):
        response = self.url_open(
            f'/web/dataset/call_kw/{model}/{method}', headers={'Content-Type': 'application/json'},
            data=json.dumps({'jsonrpc': '2.0', 'params': {'model': model, 'method': method, 'args': args, 'kwargs': kwargs}}))
        answer = response.json()
        return answer.get('result', answer)

    def test_session_on_the_server(self):
        """SIG-050: the continuous session is known to the server alone, and ends with logout."""
        self.company.mmr_sign_continuous = True
        revisions = [self._create_mmr(size) for size in (100, 200, 300)]
        self.authenticate('t_preparer', PASSWORD)

        def sign(revision, credential, **kwargs):
            digest = self._rpc('mrp.mmr.revision', 'esign_prepare', [revision.id], 'submit')['digest']
            return self._rpc('mrp.mmr.revision', 'esign', [revision.id], 'submit', credential, digest, **kwargs)

        alone = {'password': PASSWORD}
        forged = {SESSION_KEY: {'key': 'x', 'uid': self.user_preparer.id, 'at': '2099-01-01 00:00:00'}}
        self.assertIn("SIG-040", sign(revisions[0], dict(alone, **forged), context=forged)['refused'])
        self.assertIn('signature_id', sign(revisions[0], self._typed(self.user_preparer)))
        self.assertIn('signature_id', sign(revisions[1], alone))
        self.authenticate('t_preparer', PASSWORD)
        self.assertIn("SIG-040", sign(revisions[2], alone)['refused'])
        self.assertIn('signature_id', sign(revisions[2], self._typed(self.user_preparer)))

    def test_shared_terminal_and_acceptance(self):
        """SIG-040, SIG-070, VER-050: a colleague accepts and signs in the browser; the person logged in stays logged in."""
        revision = self._create_mmr()
        self._sign(revision, 'submit', self.user_preparer)
        colleague = new_test_user(
            self.env, login='t_colleague', password=PASSWORD, groups='mrp_mmr.group_mmr_qc', name="Test t_colleague")
        signer = self.signers._get(colleague)
        with transition(signer):
            signer.write({
                'suspended_at': False, 'is_password_own': True, 'identity_verified_at': fields.Datetime.now()})
        enrol_keys(colleague)
        self.env['mrp.qualification']._set_up(colleague, self.env.ref('base.user_admin'), "Test")
        self.start_tour(f'/odoo/mmr-revisions/{revision.id}', 'mrp_mmr_shared_terminal', login='t_qc')
        self.assertEqual(revision.state, 'effective')
        self.assertEqual(revision.approved_signature_id.user_id, colleague)
        self.assertTrue(signer.acceptance_ids)

    def test_signing_password_in_the_browser(self):
        """SIG-080: the owner sets the signing password in the preferences."""
        self.start_tour('/odoo', 'mrp_mmr_signing_password', login='t_preparer')
        self.env.invalidate_all()
        self.assertTrue(self._of(self.user_preparer).signing_password)


@tagged('post_install', '-at_install')
class TestSignerConcurrency(BaseCase):
    """Attempts at the same moment, on real cursors: what is committed here stays in the test database."""

    def test_two_wrong_attempts_at_once(self):
        """SIG-090: two wrong attempts at once count as two, and a hundred at once try no more than five."""
        registry = Registry(get_db_name())
        with registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            user = env['res.users'].with_context(no_reset_password=True).create({
                'name': "Racer", 'login': f'racer-{uuid.uuid4().hex[:8]}',
                'group_ids': [Command.set(env.ref('base.group_user').ids)]}).id
        self.addCleanup(self._archive, registry, user)
        tried = []

        def attempt(barrier):
            barrier.wait()
            with registry.cursor() as cr:
                env = api.Environment(cr, SUPERUSER_ID, {})
                signers, person = env['mrp.signer'], env['res.users'].browse(user)
                try:
                    number = signers._begin_attempt(person)
                except UserError:
                    return
                tried.append(number)
                signers._end_attempt(person, number, False)

        def race(count):
            barrier = threading.Barrier(count)
            threads = [threading.Thread(target=attempt, args=(barrier,)) for _number in range(count)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)

        # In a request each attempt has a transaction of its own.
        with patch('odoo.addons.mrp_mmr.models.people.signer.request', object()), \
                mute_logger('odoo.sql_db', 'odoo.addons.mrp_mmr.models.people.signer'):
            race(2)
            with registry.cursor() as cr:
                signer = api.Environment(cr, SUPERUSER_ID, {})['mrp.signer'].search([('user_id', '=', user)])
                self.assertEqual((signer._count_failures(), bool(signer.locked_at)), (2, False))
            race(12)
        self.assertEqual(len(tried), 5)
        with registry.cursor() as cr:
            signer = api.Environment(cr, SUPERUSER_ID, {})['mrp.signer'].search([('user_id', '=', user)])
            self.assertTrue(signer.locked_at)

    def test_failures_survive_a_rollback(self):
        """SIG-090: an attempt counts also where the request fails afterwards, whatever the client sends."""
        registry = Registry(get_db_name())
        tag = uuid.uuid4().hex[:8]
        with registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            user = enrol(env['res.users'].with_context(no_reset_password=True).create({
                'name': "Guesser", 'login': f'guesser-{tag}', 'password': PASSWORD, 'group_ids': [Command.set(
                    [env.ref('base.group_user').id, env.ref('mrp_mmr.group_mmr_qc').id])]})).id
            label = env['mrp.mmr.label'].create({'code': f"L-{tag}", 'name': "Label", 'location': "Drawer"}).id
        self.addCleanup(self._archive, registry, user)

        def sign(action, password):
            with registry.cursor() as cr:
                record = api.Environment(cr, user, {})['mrp.mmr.label'].browse(label)
                with session_of(record.env.user):
                    try:
                        return record.esign(action, {'login': record.env.user.login, 'password': password}, 'x')['refused']
                    finally:
                        cr.rollback()

        with patch('odoo.addons.mrp_mmr.models.people.signer.request', object()), \
                mute_logger('odoo.sql_db', 'odoo.addons.mrp_mmr.models.people.signer'):
            with patch.object(registry['mrp.mmr.label'], '_log_refused_signature', side_effect=ValueError("fails")):
                for _time in range(4):
                    with self.assertRaises(ValueError):
                        sign('approve', 'wrong')
            self.assertIn("SIG-040", sign("appr\x00ove", 'wrong'))
            self.assertIn("SIG-090", sign('approve', PASSWORD))
        with registry.cursor() as cr:
            self.assertTrue(api.Environment(cr, SUPERUSER_ID, {})['mrp.signer'].search([('user_id', '=', user)]).locked_at)

    def _archive(self, registry, user):
        with registry.cursor() as cr:
            api.Environment(cr, SUPERUSER_ID, {})['res.users'].browse(user).active = False
