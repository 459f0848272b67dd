"""Entries come from the terminals that a work center names, and a terminal proves which one it is."""

import json

from psycopg2.errors import CheckViolation

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.mrp_mmr.domain.sessions import at_terminal

from ..common.base import PASSWORD, MmrCommon


@tagged('post_install', '-at_install')
class TestTerminal(MmrCommon, HttpCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.security = new_test_user(
            cls.env, login='t_security', password=PASSWORD, groups='mrp_mmr.group_mmr_security', name="Test security")
        cls.terminals = cls.env['mrp.terminal'].with_user(cls.security).create([
            {'name': "T-102", 'place': "Dispensing"}, {'name': "T-201"}])
        cls.booth, cls.office = cls.terminals
        cls.key, cls.other_key = (terminal._issue_key() for terminal in cls.terminals)
        cls._make_effective(cls._create_mmr())
        cls.order = cls._create_order()
        cls.order.action_confirm()
        cls._sign(cls.order.bpr_id, 'issue', cls._person('production'))
        cls.step = cls.order.bpr_id.step_ids.sorted('sequence')[0].with_user(cls._person('operator'))

    def _refused(self, function, *args, **kwargs):
        with self.assertRaisesRegex(UserError, "SEC-040"), self.env.cr.savepoint():
            function(*args, **kwargs)

    def test_off_by_default(self):
        """SEC-040: no work center names terminals; the name of a registered one is stored with each entry all the same."""
        self.step.action_start()
        self.step.action_record('comment', {'text': "Elsewhere"})
        self.step.with_context(mrp_mmr_device="T-102").action_record('comment', {'text': "Claimed"})
        with at_terminal(self.key):
            self.step.action_record('comment', {'text': "There"})
        with at_terminal("forged"):
            self.step.action_record('comment', {'text': "Forged"})
        self.assertEqual(self.step.entry_ids.mapped('device'), [False, False, "T-102", False])
        # Entries hold that name when its key is gone, too.
        self.terminals.action_revoke()
        self._refused(self.booth.write, {'name': "T-1"})
        self._refused(self.booth.unlink)
        self.office.name = "T-202"
        self.office.unlink()

    def test_named_terminals(self):
        """SEC-040: where terminals are named, start, entry and signature elsewhere fail; PostgreSQL holds the entries."""
        self.booth.workcenter_ids = self.workcenter
        self.assertEqual(self.workcenter.mmr_terminal_ids, self.booth.sudo())
        for key in (None, self.other_key, "T-102", ''):
            with at_terminal(key):
                self._refused(self.step.action_start)
                self._refused(self.step.with_context(mrp_mmr_device="T-102").action_start)
        with at_terminal(self.key):
            self.step.action_start()
        self._refused(self.step.action_record, 'comment', {'text': "Elsewhere"})
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "SEC-040"), self.env.cr.savepoint():
            self.env['mrp.bpr.entry']._append({
                'step_id': self.step.id, 'kind': 'comment', 'text': "x", 'is_late': False, 'to_sign': False})
        with at_terminal(self.key):
            self.step.action_record('weight', {'value': '90', 'lot_name': "L-1"})
        self.assertEqual(self.step.entry_ids.device, "T-102")
        self._refused(self.step.esign_prepare, 'performed')
        with at_terminal(self.key):
            self._sign(self.step, 'performed', self._person('operator'))
            # Revoked and archived keys are void, and the step stays closed to others.
            self.booth.action_revoke()
            self._refused(self.step.esign_prepare, 'verified')
        self.booth.with_user(self.security).active = False
        self._refused(self.step.esign_prepare, 'verified')
        self._refused(self.step.with_context(active_test=False).esign_prepare, 'verified')

    def test_archived_terminal(self):
        """SEC-040: the key of an archived terminal is void, whatever the context says."""
        self.booth.active = False
        with at_terminal(self.key):
            self.assertFalse(self.env['mrp.terminal'].with_context(active_test=False)._get_current())

    def test_only_security_administrators(self):
        """SEC-040, SEC-010: terminals are made, registered and assigned by security administrators alone, and audited."""
        manager = self.env['mrp.workcenter'].with_user(self.user_manager).browse(self.workcenter.id)
        self._refused(manager.write, {'mmr_terminal_ids': [Command.set(self.booth.ids)]})
        self._refused(manager.create, {'name': "New", 'mmr_terminal_ids': [Command.set(self.booth.ids)]})
        for user in (self.user_manager, self.user_qc, self.env.ref('base.user_admin')):
            own = self.booth.with_user(user)
            for call in (lambda own=own: own.write({'place': "x"}), lambda own=own: own.sudo().write({'place': "x"}),
                         own.action_register, own.action_revoke, own._issue_key, lambda own=own: own.create({'name': "T-9"})):
                with self.assertRaises(AccessError), self.env.cr.savepoint():
                    call()
        self._refused(self.booth.write, {'key_sha256': "0"})
        self._refused(self.booth.write, {'name': "T-1"})
        self._refused(self.booth.unlink)
        born = self.booth.create({'name': "T-3", 'key_sha256': "0", 'registered_at': '2020-01-01'})
        self.assertFalse(born.registered_at or born.sudo().key_sha256)
        with self.assertRaises(AccessError):
            self.booth.with_user(self.security).read(['key_sha256'])
        lines = self.env['mrp.audit.entry'].search([('res_model', '=', 'mrp.terminal'), ('res_id', '=', self.booth.id)])
        self.assertEqual(lines.user_id, self.security)
        self.assertNotIn('key_sha256', str(lines.mapped('values')))
        self.booth.workcenter_ids = self.workcenter
        self.assertIn('workcenter_ids', lines.search([('res_id', '=', self.booth.id)], limit=1).values)

    # === BROWSER === #

    def _call(self, url, **params):
        return self.url_open(
            url, headers={'Content-Type': 'application/json'}, data=json.dumps({'jsonrpc': '2.0', 'params': params}))

    def test_registration_in_the_browser(self):
        """SEC-040, SEC-020: the browser where a security administrator registers it proves itself by a cookie for servers."""
        self.booth.workcenter_ids = self.workcenter
        url, record = '/mrp_mmr/terminal/register', '/web/dataset/call_kw/mrp.bpr.step/action_record'
        call = {'model': 'mrp.bpr.step', 'method': 'action_record', 'kwargs': {}}
        self.authenticate('t_qc', PASSWORD)
        self.assertIn('error', self._call(url, terminal_id=self.booth.id).json())
        self.assertNotIn('mrp_mmr_terminal', self.opener.cookies)
        self.authenticate('t_security', PASSWORD)
        response = self._call(url, terminal_id=self.booth.id)
        self.assertEqual(response.json()['result'], "T-102")
        cookie = response.headers['Set-Cookie']
        for flag in ("mrp_mmr_terminal=", "HttpOnly", "SameSite=Strict", "Max-Age=34560000"):
            self.assertIn(flag, cookie)
        self.assertNotIn(response.cookies['mrp_mmr_terminal'], response.text)
        # The key before is void.
        with at_terminal(self.key):
            self.assertFalse(self.env['mrp.terminal']._get_current())
        key = self.opener.cookies['mrp_mmr_terminal']
        with at_terminal(key):
            self.step.action_start()
        # Another person signs in at the terminal.
        self.authenticate('t_operator', PASSWORD)
        self.opener.cookies['mrp_mmr_terminal'] = key
        args = [self.step.id, 'comment', {'text': "At the booth"}]
        self.assertIn('result', self._call(record, args=args, **call).json())
        self.assertEqual(self.step.entry_ids.device, "T-102")
        self.opener.cookies['mrp_mmr_terminal'] = self.other_key
        self.assertIn("SEC-040", self._call(record, args=args, **call).text)
