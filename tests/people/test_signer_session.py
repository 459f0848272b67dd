"""A PIN in a continuous session at a registered terminal: set, used, ended, attacked (SIG-130, SIG-050, SIG-090)."""

from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from odoo.addons.mrp_mmr.domain import private_keys
from odoo.addons.mrp_mmr.domain.private_keys import OpenedKey, WrongSecret
from odoo.addons.mrp_mmr.domain.session_pins import is_easy
from odoo.addons.mrp_mmr.domain.sessions import at_terminal, session_of
from odoo.addons.mrp_mmr.verification.ledger import FINDING
from odoo.addons.mrp_mmr.verification.records import Verification

from ..common.base import PASSWORD, MmrCommon

PIN, OTHER_PIN = '402915', '771830'
HALF, OTHER_HALF = 'a1' * 32, 'b2' * 32


class SessionPinCommon(MmrCommon):
    """A started step at a registered terminal; its operator, a verifier, and what they sign with a PIN."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(patch.object(private_keys, 'COST', 16))
        cls.security = new_test_user(
            cls.env, login='t_terminals', password=PASSWORD, groups='mrp_mmr.group_mmr_security', name="Test terminals")
        cls.booth, cls.office = cls.env['mrp.terminal'].with_user(cls.security).create([{'name': "T-1"}, {'name': "T-2"}])
        cls.key, cls.other_key = cls.booth._issue_key(), cls.office._issue_key()
        cls.company = cls.env.company
        cls.company.mmr_pin = True
        draft = cls._create_mmr()
        cls._extend(draft)
        cls._make_effective(draft)
        cls.order = cls._create_order()
        cls.order.action_confirm()
        cls._sign(cls.order.bpr_id, 'issue', cls._person('production'))
        cls.operator, cls.verifier = cls._person('operator'), cls._person('verifier')
        cls.steps = cls.order.bpr_id.step_ids.sorted('sequence')
        cls.step = cls.steps[0]
        cls.sessions = cls.env['mrp.signer.session'].sudo()
        #: What the browser's session remembers on the server.
        cls.state = {}

    @classmethod
    def _extend(cls, draft):
        """Change the master before it is signed."""

    # === ACTS === #

    def _start(self, step):
        """Start a step and record what it asks for; it waits for the signature of its performer."""
        self._train(step, self.operator)
        self._train(step, self.verifier)
        if step.planned['equipment']:
            self._ready_unit(step)
        step.with_user(self.operator).action_start(acknowledged=True)
        if step.kind != 'add':
            self._record_step(step)
        return step

    def _answer(self, record, action, credential, session=None, terminal=None, key=None, comment=None, digest=None):
        """Sign as the dialog does, in the browser of ``session`` at a terminal; return its answer."""
        session = session or self.operator
        record = record.with_user(session)
        with session_of(session, self.state, key), at_terminal(self.key if terminal is None else terminal):
            digest = record.esign_prepare(action)['digest'] if digest is None else digest
            return record.esign(action, credential, digest, comment)

    def _begin(self, record=None, action='performed', user=None, pin=PIN, half=HALF, **place):
        """Sign with all components, and set a PIN; return the token of the session."""
        user = user or self.operator
        answer = self._answer(record or self.step, action, {
            'login': user.login, 'password': PASSWORD, 'new_pin': pin, 'half': half}, **place)
        self.assertIn('session', answer, answer)
        return answer['session']

    def _pin(self, record, action, token, pin=PIN, half=HALF, **place):
        return self._answer(record, action, {'token': token, 'pin': pin, 'half': half}, **place)

    def _persons(self, record, action, session=None, terminal=None, key=None):
        """Return the names that the dialog offers, or None where it has no PINs."""
        session = session or self.operator
        with session_of(session, self.state, key), at_terminal(self.key if terminal is None else terminal):
            pin = record.with_user(session).esign_prepare(action)['pin']
        return pin and [row['name'] for row in pin['persons']]

    def _line(self, kind='sign', model=None):
        return self.env['mrp.audit.entry'].search(
            [('kind', '=', kind), *([('res_model', '=', model)] if model else [])], order='id desc', limit=1)

    def _causes(self):
        lines = self.env['mrp.audit.entry'].search(
            [('res_model', '=', 'mrp.signer.session'), ('kind', '=', 'unlink')], order='id')
        return lines.mapped('reason')

    def _verify(self):
        self.env.flush_all()
        return [str(finding) for finding in Verification(self.env.cr) if finding.severity == FINDING]

    def _make_two(self):
        """Sign the first step as performed and verified, each with all components and a new PIN; return both tokens."""
        self._start(self.step)
        tokens = self._begin(), self._begin(action='verified', user=self.verifier, pin=OTHER_PIN, half=OTHER_HALF)
        self._sign_step(self.step)
        return tokens


@tagged('post_install', '-at_install')
class TestSignerSession(SessionPinCommon):

    # === LIFE === #

    def test_two_people(self):
        """SIG-130, SIG-110: performer and verifier sign with PINs at one terminal, each with the own key; verified."""
        mine, other = self._make_two()
        session = self.sessions.search([('token', '=', mine)])
        self.assertEqual((session.user_id, session.terminal_id, session.signature_id), (
            self.operator, self.booth.sudo(), self.step.performed_signature_id))
        line = self._line('create', 'mrp.signer.session')
        self.assertEqual((line.user_id, line.values['token'], line.values['user_id']), (
            self.verifier, {'new': other}, {'new': self.verifier.id}))
        for step in self.steps[1:3]:
            self._start(step)
            self.assertEqual(self._persons(step, 'performed'), [self.operator.name, self.verifier.name])
            for action, token, pin, half in (('performed', mine, PIN, HALF), ('verified', other, OTHER_PIN, OTHER_HALF)):
                if action not in step.points:
                    continue
                answer = self._pin(step, action, token, pin, half)
                self.assertIn('signature_id', answer, answer)
                signature = self.env['mrp.esignature'].browse(answer['signature_id'])
                user = self.operator if action == 'performed' else self.verifier
                self.assertEqual((signature.user_id, signature.key_fingerprint), (
                    user, self.env['mrp.signer.key']._get_in_force(user).fingerprint))
                values = self._line().values
                self.assertEqual(values['authenticated'], {'new': {'name': "PIN", 'first': False, 'session': token}})
                self.assertEqual(values['terminal_sha256'], {'new': self.booth.sudo().key_sha256})
                self.assertEqual(signature.components, "PIN")
        first = self.step.performed_signature_id
        self.assertEqual(first.components, "user name and password")
        self.assertEqual(self._verify(), [])

    def test_stored(self):
        """SIG-130: neither PIN nor half is stored or logged; nobody reads the row, and it opens with both alone."""
        with self.assertLogs('odoo', 'DEBUG') as log:
            self._start(self.step)
            token = self._begin()
        self.env.flush_all()
        self.env.cr.execute(
            """SELECT (SELECT string_agg(t::text, ' ') FROM mrp_signer_session t),
                      (SELECT string_agg("values"::text, ' ') FROM mrp_audit_entry)""")
        text = ' '.join((*self.env.cr.fetchone(), str(self.state), *log.output))
        self.assertIn(token, text)
        for secret in (PIN, HALF):
            self.assertNotIn(secret, text)
        for user in (self.operator, self.security, self.env.ref('base.user_admin')):
            with self.assertRefused('AccessError', core="not allowed|access"):
                self.sessions.with_user(user).sudo(False).search_read([('token', '=', token)], ['token'])
        session = self.sessions.search([('token', '=', token)])
        place = session._get_binding(token, session)
        owner = session.key_id._get_owner()
        opened = OpenedKey.of_session(session.wrapped, PIN, HALF, owner, place)
        self.assertEqual(opened.fingerprint, session.key_id.fingerprint)
        for pin, half, whose, where in (
                (OTHER_PIN, HALF, owner, place), (PIN, OTHER_HALF, owner, place), (PIN, HALF, f'{owner}0', place),
                (PIN, HALF, owner, {**place, 'session': '0' * 64}), (PIN, HALF, owner, {**place, 'terminal': '0' * 64}),
                (PIN, HALF, owner, {**place, 'token': '0' * 32})):
            with self.assertRaises(WrongSecret):
                OpenedKey.of_session(session.wrapped, pin, half, whose, where)

    def test_off_by_default(self):
        """SIG-130: a company without PINs, a browser that is no terminal, or one of another company has none."""
        self.assertFalse(self.env['res.company'].create({'name': "New"}).mmr_pin)
        self._start(self.step)
        for terminal in ('', 'forged'):
            self.assertIs(self._persons(self.step, 'performed', terminal=terminal), False)
        typed = {'login': self.operator.login, 'password': PASSWORD, 'new_pin': PIN, 'half': HALF}
        answer = self._answer(self.step, 'performed', typed, terminal='forged')
        self.assertIn("SIG-130", answer['refused'])
        self.company.mmr_pin = False
        self.assertIs(self._persons(self.step, 'performed'), False)
        self.assertIn("SIG-130", self._answer(self.step, 'performed', typed)['refused'])
        self.assertFalse(self.step.performed_signature_id, "nothing is signed where the PIN cannot be set")
        self.booth.sudo().company_id = self.env['res.company'].create({'name': "Elsewhere"})
        self.company.mmr_pin = True
        self.assertIn("SIG-130", self._answer(self.step, 'performed', typed)['refused'])

    def test_pin_itself(self):
        """SIG-130: a PIN has digits, as many as the company asks for, and is not one that everybody tries first."""
        self._start(self.step)
        self.assertTrue(all(map(is_easy, ('0000', '123456', '654321', '890123', '111111'))))
        self.assertFalse(any(map(is_easy, ('1357', '402915', '112233'))))
        for pin in ('40291', '4029 15', '40291a', '4' * 13, '555555', '234567', 402915, None, ['402915'], '٤٠٢٩١٥'):
            answer = self._answer(self.step, 'performed', {
                'login': self.operator.login, 'password': PASSWORD, 'new_pin': pin or '1', 'half': HALF})
            self.assertIn("SIG-130", answer['refused'], pin)
        for half in ('', 'a1' * 31, 'A1' * 32, None, 7):
            self.assertIn("SIG-130", self._answer(self.step, 'performed', {
                'login': self.operator.login, 'password': PASSWORD, 'new_pin': PIN, 'half': half})['refused'])
        self.assertFalse(self.step.performed_signature_id)
        for vals in ({'mmr_pin_length': 3}, {'mmr_pin_length': 13}, {'mmr_pin_idle_minutes': 0}, {'mmr_pin_idle_minutes': 61}):
            with self.assertRaisesRegex(ValidationError, "SIG-130"), self.env.cr.savepoint():
                self.company.write(vals)
        self.company.mmr_pin_length = 4
        self._begin(pin='4029')

    def test_wrong_pin(self):
        """SIG-130, SIG-090: a wrong PIN counts like a wrong password; the third one ends the session, the fifth locks."""
        self._start(self.step)
        token = self._begin(self.step)
        step = self.step
        for left, pin in ((2, OTHER_PIN), (1, 'abc')):
            answer = self._pin(step, 'verified', token, pin)
            self.assertRegex(answer['refused'], rf"SIG-040.*SIG-130(.|\n)*{left} more")
        signer = self.env['mrp.signer']._get_for(self.operator)
        self.assertEqual((signer._count_failures(), self._causes()), (2, []))
        self.assertIn("has ended", self._pin(step, 'verified', token, PIN, OTHER_HALF)['refused'])
        self.assertFalse(self.sessions.search([]))
        self.assertEqual((len(self._causes()), signer._count_failures()), (1, 3))
        self.assertIn("has ended", self._pin(step, 'verified', token)['refused'])
        self.assertEqual(signer._count_failures(), 3, "nothing was tried")
        for _wrong in range(2):
            self._answer(step, 'verified', {'login': self.operator.login, 'password': "x"})
        self.assertTrue(signer.locked_at)
        typed = {'login': self.operator.login, 'password': PASSWORD}
        self.assertIn("SIG-090", self._answer(step, 'verified', typed)['refused'])
        self.assertEqual(self._verify(), [])

    def test_refused_stays_refused(self):
        """SIG-130, VER-010: a PIN opens the key and no more: role, second person and content are judged as ever."""
        mine, other = self._make_two()
        step = self._start(self.steps[1])
        self.assertIn("APR-050", self._pin(step, 'performed', other, OTHER_PIN, OTHER_HALF)['refused'])
        self.assertIn("SIG-030", self._pin(step, 'performed', mine, digest='0' * 64)['refused'])
        self.assertIn('signature_id', self._pin(step, 'performed', mine))
        if 'verified' in step.points:
            self.assertRegex(self._pin(step, 'verified', mine)['refused'], "APR-050|VER-010")

    def test_only_work(self):
        """SIG-130: a PIN signs what is signed at the terminal of the work; decisions elsewhere ask for all components."""
        self._start(self.step)
        self._begin()
        self._sign_step(self.step)
        self.operator.sudo().group_ids += self.env.ref('mrp_mmr.group_mmr_preparer')
        revision = self._create_mmr(300)
        self.assertIs(self._persons(revision, 'submit', session=self.user_preparer), False)
        token = self._answer(self._start(self.steps[1]), 'performed', {
            'login': self.operator.login, 'password': PASSWORD, 'new_pin': PIN, 'half': HALF}).get('session')
        self.assertTrue(token)
        answer = self._pin(revision, 'submit', token)
        self.assertIn("SIG-130", answer['refused'])
        self.assertEqual(revision.state, 'draft')

    # === END === #

    def _end_cases(self):
        """Return what ends the session of the operator, by cause."""
        keys = self.env['mrp.signer.key'].sudo()
        signer = self.env['mrp.signer']._get_for(self.operator)
        return {
            'terminal': self.booth.action_revoke,
            'terminal archived': lambda: self.booth.write({'active': False}),
            'terminal anew': self.booth._issue_key,
            'setting': lambda: self.company.write({'mmr_pin': False}),
            'setting idle': lambda: self.company.write({'mmr_pin_idle_minutes': 30}),
            'access': lambda: self.operator.with_user(self.security).sudo().write({
                'group_ids': [Command.link(self.env.ref('mrp_mmr.group_mmr_preparer').id)]}),
            'access by group': lambda: self.env.ref('mrp_mmr.group_mmr_qc').with_user(self.security).sudo().write({
                'user_ids': [Command.link(self.operator.id)]}),
            'archived': lambda: self.operator.sudo().write({'active': False}),
            'suspended': lambda: self.operator.sudo().write({'password': "Another-long-one-2"}),
            'shared': lambda: signer.with_user(self.security)._set_shared(True),
            'own password': lambda: self.operator.with_user(self.operator).change_password(PASSWORD, "Another-long-one-2"),
            'key': lambda: self._sign(
                keys._get_in_force(self.operator), 'revoke', self._person('security'), comment="Lost."),
        }

    def test_ends(self):
        """SIG-130, SIG-120: what ends a session deletes the wrapped key and has its line; the PIN signs nothing any more."""
        self._person('security')
        self._start(self.step)
        token = self._begin()
        for name in self._end_cases():
            with self.subTest(end=name), self.env.cr.savepoint() as savepoint:
                self._end_cases()[name]()
                self.env.flush_all()
                self.env.invalidate_all()
                self.assertFalse(self.sessions.search([('token', '=', token)]))
                line = self._line('unlink', 'mrp.signer.session')
                self.assertEqual((line.values['token'], line.user_id.id), ({'old': token}, 1))
                self.assertTrue(line.reason)
                savepoint.rollback()
            self.env.invalidate_all()
        self.assertTrue(self.sessions.search([('token', '=', token)]))

    def test_idle(self):
        """SIG-130: each signature goes on for the idle time; after it the PIN is refused, not counted, and the copy deleted."""
        self._start(self.step)
        token = self._begin()
        begun = fields.Datetime.now()
        self._sign_step(self.step)
        with freeze_time(begun + timedelta(minutes=9)):
            self.assertEqual(self._persons(self._start(self.steps[1]), 'performed'), [self.operator.name])
            self.assertIn('signature_id', self._pin(self.steps[1], 'performed', token))
        with freeze_time(begun + timedelta(minutes=18, seconds=30)):
            self.sessions._cron_end_idle()
            self.assertTrue(self.sessions.search([]))
        with freeze_time(begun + timedelta(minutes=19, seconds=2)):
            self._sign_step(self.steps[1])
            step = self._start(self.steps[2])
            self.assertEqual(self._persons(step, 'performed'), [])
            with self.env.cr.savepoint() as savepoint:
                self.sessions._cron_end_idle()
                self.assertFalse(self.sessions.search([]))
                savepoint.rollback()
            self.env.invalidate_all()
            self.assertIn("has ended", self._pin(step, 'performed', token)['refused'])
            self.assertFalse(self.sessions.search([]))
        self.assertEqual(self.env['mrp.signer']._get_for(self.operator)._count_failures(), 0)
        self.assertIn("too long", self._causes()[-1])
        self.assertEqual(self._verify(), [])

    def test_hand_over(self):
        """SIG-130: whoever hands the work over signs no more with the PIN; a colleague's session goes on."""
        self._make_two()
        step = self._start(self.steps[1])
        with session_of(self.operator, self.state), at_terminal(self.key):
            step.with_user(self.operator).action_record('handover', {'text': "The blender hums."})
        self.assertEqual(self._persons(step, 'performed'), [self.verifier.name])
        self.assertIn("handed over", self._causes()[-1])

    def test_replaced(self):
        """SIG-130: a person has one session at a terminal: the next one ends the one before."""
        self._start(self.step)
        first = self._begin()
        self._sign_step(self.step)
        second = self._begin(self._start(self.steps[1]), pin=OTHER_PIN, half=OTHER_HALF, key='another tab')
        self.assertEqual(self.sessions.search([]).token, second)
        self.assertNotEqual(first, second)
        self.assertIn("new session", self._causes()[-1])
