"""What an administrator inside Odoo and the owner of the database try with PINs and continuous sessions (SIG-130)."""

from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time
from psycopg2.errors import CheckViolation

from odoo import fields
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.mrp_mmr.domain.private_keys import OpenedKey, WrongSecret
from odoo.addons.mrp_mmr.domain.sessions import at_terminal, session_of

from ..common.base import PASSWORD
from .test_signer_session import HALF, OTHER_HALF, OTHER_PIN, PIN, SessionPinCommon


@tagged('post_install', '-at_install')
class TestSignerSessionAttacks(SessionPinCommon):
    """What an administrator inside Odoo and the owner of the database try."""

    def setUp(self):
        super().setUp()
        self.mine, self.other = self._make_two()
        self.next = self._start(self.steps[1])
        self.env.flush_all()

    def _row(self, token):
        return self.sessions.search([('token', '=', token)])

    def test_another_place(self):
        """SIG-130: PIN and half of another session, terminal or person open nothing; what ended is not tried at all."""
        self.booth.sudo().workcenter_ids = False
        for name, place in {
                'session': {'key': "another login"}, 'terminal': {'terminal': self.other_key}, 'no terminal': {'terminal': ''},
                'forged terminal': {'terminal': 'forged'}}.items():
            with self.subTest(place=name):
                answer = self._pin(self.next, 'performed', self.mine, **place)
                self.assertIn("SIG-130", answer['refused'])
        for token, pin, half in (
                (self.mine, PIN, OTHER_HALF), (self.mine, OTHER_PIN, HALF), (self.other, PIN, HALF), (self.mine, PIN, ''),
                (self.mine, PIN, None)):
            with self.subTest(token=token, pin=pin), self.env.cr.savepoint() as savepoint:
                self.assertRegex(self._pin(self.next, 'performed', token, pin, half)['refused'], "SIG-130")
                savepoint.rollback()
            self.env.invalidate_all()
        for token in ('', None, 5, [self.mine], '0' * 32, self.mine.upper() + 'x'):
            self.assertIn("SIG-130", self._pin(self.next, 'performed', token)['refused'])
        self.assertFalse(self.next.performed_signature_id)
        self.assertIn('signature_id', self._pin(self.next, 'performed', self.mine))

    def test_not_shared(self):
        """SIG-130, SIG-040: where the company lets nobody sign in the session of a colleague, PINs do not either."""
        self.company.mmr_sign_shared = False
        self.assertEqual(self._persons(self.next, 'performed'), [self.operator.name])
        self.assertIn("SIG-130", self._pin(self.next, 'performed', self.other, OTHER_PIN, OTHER_HALF)['refused'])
        self.assertIn('signature_id', self._pin(self.next, 'performed', self.mine))

    def test_guess_from_the_row(self):
        """SIG-130: whoever has the row and knows the PIN opens nothing without the half, and with the half each PIN is wrong
        but one."""
        row = self._row(self.mine)
        place, owner = row._get_binding(row.token, row), row.key_id._get_owner()
        for half in ('0' * 64, 'f' * 64, row.session_sha256, row.terminal_sha256, row.key_id.fingerprint):
            with self.assertRaises(WrongSecret):
                OpenedKey.of_session(row.wrapped, PIN, half, owner, place)
        with self.assertRaises(WrongSecret):
            OpenedKey(row.wrapped, PIN, owner)

    def test_sql(self):
        """SIG-130, AUD-030: no session is put there, copied, moved, made longer, or taken away without its line, by SQL."""
        columns = ("token, user_id, company_id, key_id, terminal_id, signature_id, terminal_sha256, session_sha256, "
                   "access_sha256, wrapped, used_at, failures")
        for name, statement in {
                'copy to another terminal': f"""
                    INSERT INTO mrp_signer_session ({columns})
                    SELECT 'x', user_id, company_id, key_id, {self.office.id}, signature_id, terminal_sha256, session_sha256,
                           access_sha256, wrapped, used_at, 0 FROM mrp_signer_session WHERE token = %(mine)s""",
                'copy to another person': f"""
                    INSERT INTO mrp_signer_session ({columns})
                    SELECT 'x', {self.user_qc.id}, company_id, key_id, terminal_id, signature_id, terminal_sha256,
                           session_sha256, access_sha256, wrapped, used_at, 0 FROM mrp_signer_session WHERE token = %(mine)s""",
                'person': f"UPDATE mrp_signer_session SET user_id = {self.user_qc.id} WHERE token = %(mine)s",
                'session': "UPDATE mrp_signer_session SET session_sha256 = repeat('0', 64) WHERE token = %(mine)s",
                'terminal': "UPDATE mrp_signer_session SET terminal_sha256 = repeat('0', 64) WHERE token = %(mine)s",
                'wrapped': f"""UPDATE mrp_signer_session s SET wrapped = o.wrapped FROM mrp_signer_session o
                                WHERE s.token = %(mine)s AND o.token = '{self.other}'""",
                'longer': "UPDATE mrp_signer_session SET used_at = used_at + interval '1 hour' WHERE token = %(mine)s",
                'failures': "UPDATE mrp_signer_session SET failures = -1 WHERE token = %(mine)s",
                'access': "UPDATE mrp_signer_session SET access_sha256 = 'x' WHERE token = %(mine)s"}.items():
            with self.subTest(act=name), self.assertRefused('mrp_mmr_signer_session', 'mrp_mmr_guard_signer_session'):
                self.env.cr.execute(statement, {'mine': self.mine})
        for statement, name in (
                ("DELETE FROM mrp_signer_session", 'mrp_mmr_signer_session_said'),
                ("TRUNCATE mrp_signer_session", 'mrp_mmr_signer_session_kept'),
                ("UPDATE res_company SET mmr_pin_idle_minutes = 60", 'mrp_mmr_company_pin'),
                ("UPDATE res_company SET mmr_pin = FALSE", 'mrp_mmr_company_pin'),
                ("UPDATE res_company SET mmr_pin_length = 4", 'mrp_mmr_company_pin')):
            # What waits is judged before: PostgreSQL empties no table for which something waits.
            self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
            with self.subTest(act=statement), self.assertRefused(name):
                self.env.cr.execute(statement)
            self.env.cr.execute("SET CONSTRAINTS ALL DEFERRED")

    def test_settings_by_sql(self):
        """SIG-130, AUD-080: settings that somebody changed without triggers are found, and so are longer or moved sessions."""
        with self._unguarded('res_company', 'mrp_signer_session') as cr:
            cr.execute("UPDATE res_company SET mmr_pin_idle_minutes = 60 WHERE id = %s", [self.company.id])
            cr.execute("UPDATE mrp_signer_session SET session_sha256 = repeat('0', 64) WHERE token = %s", [self.mine])
        self.env.invalidate_all()
        found = self._verify()
        self.assertEqual(len(found), 2, found)
        self.assertIn("mmr_pin_idle_minutes 10", found[0])
        self.assertIn("continuous session", found[1])

    def test_longer_by_sql(self):
        """SIG-130, AUD-080: a signature with a PIN whose idle time was over is found, whoever made the session longer."""
        later = fields.Datetime.now() + timedelta(minutes=30)
        with self._unguarded('mrp_signer_session') as cr:
            cr.execute("UPDATE mrp_signer_session SET used_at = %s WHERE token = %s", [later, self.mine])
        self.env.invalidate_all()
        with freeze_time(later):
            self.assertIn('signature_id', self._pin(self.next, 'performed', self.mine))
        self.assertTrue(any("within 10 minutes" in finding for finding in self._verify()))

    def test_forged_line(self):
        """SIG-130: a signature of which the ledger says a PIN that nobody set there is found."""
        with patch.object(type(self.sessions), '_find', lambda model, record, token: self._row(self.mine)):
            answer = self._pin(self.next, 'performed', 'nobody')
        self.assertIn('signature_id', answer, answer)
        self.assertTrue(any("that user" in finding for finding in self._verify()))

    def test_in_odoo(self):
        """SIG-130, SEC-060: neither sudo, hostile context, with_user nor a server action makes, keeps or uses a session."""
        row = self._row(self.mine)
        signature = row.signature_id
        for act in (
                lambda: row.write({'used_at': fields.Datetime.now() + timedelta(hours=1)}),
                lambda: row.with_context(mrp_mmr_transition=True, install_mode=True).write({'failures': 0}),
                row.copy, row.unlink,
                lambda: self.sessions.create([{'token': 'x', 'signature_id': signature.id}]),
                lambda: self.sessions.with_user(self.operator)._begin(self.next, None, signature, PIN, HALF)):
            with self.assertRefused('SIG-130'):
                act()
        context = {'mrp_mmr_session': self.operator.id, 'pin': PIN, 'default_wrapped': 'x', 'half': HALF}
        step = self.next.with_context(**context)
        self.assertIn("SIG-130", self._pin(step, 'performed', self.mine, terminal='')['refused'])
        action = self.env['ir.actions.server'].sudo().create({
            'name': "Clever", 'model_id': self.env['ir.model']._get_id('res.partner'), 'state': 'code',
            'code': f"record = env['mrp.bpr.step'].browse({self.next.id}).with_user({self.operator.id})\n"
                    f"answer = record.esign('performed', {{'token': '{self.mine}', 'pin': '{PIN}', 'half': '{HALF}'}}, 'x')\n"
                    "raise UserError(answer['refused'])"})
        with session_of(self.operator, self.state), at_terminal(self.key), self.assertRefused('SIG-080'):
            action.with_context(active_model='res.partner', active_id=1).run()
        self.assertFalse(self.next.performed_signature_id)
        self.assertIn('signature_id', self._pin(self.next, 'performed', self.mine))

    def test_key_of_another(self):
        """SIG-110, SIG-130: who signed with all components cannot begin a session with the opened key of another."""
        opened = self.env['mrp.signer.key']._open(self.user_qc, PASSWORD)
        step = self.next
        answer = self._answer(step, 'performed', {'login': self.operator.login, 'password': PASSWORD})
        signature = self.env['mrp.esignature'].sudo().browse(answer['signature_id'])
        with session_of(self.operator, self.state), at_terminal(self.key), \
                self.assertRefused('mrp_mmr_signer_session', 'mrp_mmr_guard_signer_session'):
            self.sessions.with_user(self.operator)._begin(step.with_user(self.operator), opened, signature, PIN, HALF)

    @mute_logger('odoo.sql_db')
    def test_later(self):
        """SIG-130: PostgreSQL takes a session with a signature of its own transaction alone."""
        self.env.cr.execute(SQL("SELECT mrp_mmr_is_of_transaction(xmin) FROM mrp_signer_session WHERE token = %s", self.mine))
        self.assertEqual(self.env.cr.fetchone(), (True,))
        self.env.cr.execute("SELECT mrp_mmr_is_of_transaction(xmin) FROM res_users WHERE id = 1")
        self.assertEqual(self.env.cr.fetchone(), (False,))
        with self.assertRaises(CheckViolation), self.env.cr.savepoint():
            self.env.cr.execute(
                "UPDATE mrp_signer_session SET used_at = '2000-01-01' WHERE token = %s", [self.mine])
