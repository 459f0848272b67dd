"""What bears a person's name is written by that person: own session, own password, or nobody (SEC-060, H-01, H-06)."""

import contextvars
import json
from datetime import timedelta

from odoo import SUPERUSER_ID, fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from odoo.addons.mrp_mmr.domain import sessions
from odoo.addons.mrp_mmr.domain.sessions import session_of

from ..common.base import PASSWORD, HttpCase, MmrCommon


def outside(function, user=None):
    """Call a function as it runs without a request and without what stands in for sessions in tests, or in one session."""
    def run():
        if not user:
            return function()
        with session_of(user):
            return function()
    return contextvars.Context().run(run)


class SessionCommon(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_effective(cls._create_mmr())
        cls.order = cls._create_order()
        cls.order.action_confirm()
        if cls.order.bpr_id.state == 'issue':
            cls._sign(cls.order.bpr_id, 'issue', cls._person('production'))
        cls.step = cls.order.bpr_id.step_ids.sorted('sequence')[0]
        cls._execute(cls.order, until=cls.step)
        cls.operator = cls._person('operator')
        cls.security = cls._person('security')
        cls.manager = cls._person('quality_manager')
        cls.step.with_user(cls.operator).action_start(acknowledged=True)
        cls.equipment = cls.env['maintenance.equipment'].create({'name': "Unit 7"})
        # Who may start a server action on contacts.
        (cls.operator | cls.manager).sudo().group_ids += cls.env.ref('base.group_partner_manager')

    def _acts(self, user):
        """Return what a person may do and is named for, by name: entries, deviations, training, logs, roles, content."""
        step, env = self.step.with_user(user), self.env(user=user)
        revision = self.order.mmr_revision_id.with_user(user)
        return {
            'entry': lambda: step.action_record('comment', {'text': "It hums."}),
            'deviation': lambda: step.action_report("Lumps", "Found at the sieve."),
            'log': lambda: self.equipment.with_user(user).action_mmr_record(
                'maintenance', {'text': "Greased.", 'performed_by': "Own workshop"}),
            'training': lambda: env['mrp.qualification']._grant(self.user_planner, revision, "Briefing"),
            'result': lambda: self.order.bpr_id.with_user(user).action_record_result(
                self.order.bpr_id._get_tests()[self.order.bpr_id][0]['specification']['position'],
                {'kind': 'outcome', 'pass': True}),
            'document': lambda: env['mrp.sop'].create({'code': "SOP-99", 'name': "Sweeping"}).write({'name': "Mopping"}),
            'role': lambda: self.user_planner.with_user(user).sudo().write(
                {'group_ids': [(4, self.env.ref('mrp_mmr.group_mmr_operator').id)]}),
        }

    #: Who does them.
    DOERS = {'entry': 'operator', 'deviation': 'operator', 'log': 'operator', 'training': 'production',
             'result': 'qc', 'document': 'qc', 'role': 'security'}


@tagged('post_install', '-at_install')
class TestSessions(SessionCommon):

    def test_nobody(self):
        """H-01, SEC-060: code that runs as a person, in no session or in another one's, writes nothing in that name."""
        admin = self.env.ref('base.user_admin')
        for name, role in self.DOERS.items():
            user = self._person(role)
            act = self._acts(user)[name]
            for session in (None, admin, self.user_planner):
                with self.subTest(act=name, session=session and session.login), self.assertRefused('SEC-060'):
                    outside(act, session)
            with self.subTest(act=name, session='own'), self.env.cr.savepoint() as savepoint:
                outside(act, user)
                self.env.flush_all()
                savepoint.rollback()
                self.env.invalidate_all()

    def _run_code(self, code, session, **values):
        action = self.env['ir.actions.server'].sudo().create({
            'name': "Clever", 'model_id': self.env['ir.model']._get_id('res.partner'), 'state': 'code', 'code': code, **values})
        action = action.with_user(session or SUPERUSER_ID).with_context(active_model='res.partner', active_id=1)
        return outside(action.run, session)

    def test_program_for_somebody(self):
        """SEC-060: a program of Odoo that works for a person on what is Odoo's own is not stopped; the line is the system's."""
        manager = new_test_user(self.env, login='t_maintenance', groups='maintenance.group_equipment_manager')
        unit = outside(lambda: self.env['maintenance.equipment'].with_user(manager).create({'name': "Unit 8"}))
        line = self.env['mrp.audit.entry'].search([('res_model', '=', unit._name), ('res_id', '=', unit.id)])
        self.assertEqual((line.kind, line.user_id.id, line.values['acting']), (
            'create', SUPERUSER_ID, {'new': 't_maintenance'}))
        location = self.env.ref('stock.stock_location_stock').with_user(self.user_manager)
        self.user_manager.group_ids += self.env.ref('stock.group_stock_manager')
        outside(lambda: location.write({'comment': "x"} if 'comment' in location._fields else {'name': "Stock 2"}))

    def test_server_action(self):
        """H-01, SEC-060: a server action writes in the name of nobody, whoever starts it, also not in that of who does."""
        operator, step = self.operator, self.step
        call = f"env['mrp.bpr.step'].with_user({operator.id}).browse({step.id})"
        for code in (
                f"{call}.action_record('comment', {{'text': 'x'}})",
                f"{call}.sudo().action_record('comment', {{'text': 'x'}})",
                f"{call}.action_report('x', 'y')",
                f"env['mrp.bpr.entry'].with_user({operator.id}).sudo()._append({{'step_id': {step.id}, 'kind': 'comment', "
                f"'text': 'x', 'to_sign': False, 'is_late': False}})",
                f"env['mrp.audit.entry'].with_user({operator.id})._append_about('setting', env.company)",
                f"env['mrp.qualification'].with_user({self._person('production').id})._grant("
                f"env['res.users'].browse({self.user_planner.id}), "
                f"env['mrp.mmr.revision'].browse({self.order.mmr_revision_id.id}), 'x')"):
            for session in (self.env.ref('base.user_admin'), operator, self.manager, None):
                with self.subTest(code=code, session=session and session.login), \
                        self.assertRefused('SEC-060', 'BPR-010', core="SEC-060|required|missing|AUD"):
                    self._run_code(code, session)
        self.assertFalse(step.entry_ids.filtered(lambda entry: entry.kind == 'comment'))

    def test_own_action(self):
        """SEC-060: in the session of the operator, whom an automation rule waits for, it writes nothing either."""
        code = f"env['mrp.bpr.step'].browse({self.step.id}).action_record('comment', {{'text': 'x'}})"
        self.operator.sudo().group_ids += self.env.ref('base.group_system')
        with self.assertRefused('SEC-060'):
            self._run_code(code, self.operator)

    def test_shipped_action(self):
        """SEC-060: what a module brings acts for whoever starts it; once somebody edited it, it acts in nobody's session."""
        action = self.env['ir.actions.server'].sudo().create({
            'name': "Shipped", 'model_id': self.env['ir.model']._get_id('res.partner'), 'state': 'code',
            'code': "env['mrp.audit.entry']._append_about('setting', env.company, {'x': {'new': 1}})"})
        self.env['ir.model.data'].create({
            'module': 'mrp', 'name': 'shipped_for_test', 'model': action._name, 'res_id': action.id})
        self.assertTrue(action.mmr_is_edited)
        with self.assertRefused('SEC-060'):
            outside(action.with_user(self.operator).run, self.operator)
        action.write({'mmr_is_edited': False})
        self.assertTrue(action.mmr_is_edited)
        self.env.flush_all()
        self.env.cr.execute("UPDATE ir_act_server SET mmr_is_edited = false WHERE id = %s", [action.id])
        action.invalidate_recordset()
        outside(action.with_user(self.operator).run, self.operator)
        action.code = "env['mrp.audit.entry']._append_about('setting', env.company, {'y': {'new': 1}})"
        with self.assertRefused('SEC-060'):
            outside(action.with_user(self.operator).run, self.operator)

    def test_cron(self):
        """H-01, SEC-060: a scheduled action that runs as a person acts in nobody's session; as OdooBot it has that name."""
        for user, is_refused in ((self.operator, True), (self.env.ref('base.user_root'), False)):
            cron = self.env['ir.cron'].sudo().create({
                'name': f"Clever {user.login}", 'model_id': self.env['ir.model']._get_id('res.partner'), 'state': 'code',
                'code': "env['mrp.audit.entry']._append_about('setting', env.company, {'x': {'new': 1}})",
                'user_id': user.id, 'interval_number': 1, 'interval_type': 'days'})
            action = cron.ir_actions_server_id.with_user(user)
            if is_refused:
                with self.assertRefused('SEC-060'):
                    outside(action.run)
            else:
                outside(action.run)
        line = self.env['mrp.audit.entry'].search([('kind', '=', 'setting')], order='id desc', limit=1)
        self.assertTrue(line.user_id._is_superuser())

    def test_foreign_session(self):
        """H-06, SIG-040, SEC-060: decisions are not signed in the session of a colleague; work is, where it is done."""
        revision = self._create_mmr(300)
        self._sign(revision, 'submit', self.user_preparer)
        lot = self._create_held_lot("H-6")
        typed = {'login': self.user_qc.login, 'password': PASSWORD}
        for record, action in ((revision, 'approve'), (revision, 'reject'), (lot, 'release'), (lot, 'reject')):
            for other in (self.operator, self.user_both, self.user_preparer):
                with self.subTest(record=record._name, action=action, session=other.login), session_of(other):
                    record = record.with_user(other).sudo(False)
                    digest = record.with_user(self.user_qc).esign_prepare(action)['digest']
                    answer = record.esign(action, typed, digest, comment="x")
                    self.assertRegex(answer['refused'], "SIG-040|access")
        self.assertEqual((revision.state, lot.mmr_status), ('submitted', 'quarantine'))
        with session_of(self.security):
            self.assertIn('refused', self.step.with_user(self.operator).esign(
                'performed', {'login': self.operator.login, 'password': PASSWORD}, '0' * 64))

    def test_stand_in(self):
        """SEC-060: nothing that a client or a server action reaches opens a session: it is no method and no context key."""
        for name in ('session_of', 'own_sessions', 'authenticated'):
            self.assertTrue(callable(getattr(sessions, name)))
            self.assertFalse([model for model in self.env.registry.values() if hasattr(model, name)])
        keys = {'mrp_mmr_session': self.operator.id, 'mrp_mmr_own_sessions': True, 'mrp_mmr_authenticated': [self.operator.id]}
        step = self.step.with_user(self.operator).with_context(**keys)
        with self.assertRefused('SEC-060'):
            outside(lambda: step.action_record('comment', {'text': "x"}))

    def test_attempts(self):
        """SEC-060, AUD-010: what was refused is recorded all the same."""
        with self.assertRefused('SEC-060') as refused:
            outside(self._acts(self.operator)['entry'])
        self.assertIn(self.operator.name, refused.text)
        self.assertIn("What you can do", refused.text)
        self.assertIsInstance(AccessError("x"), Exception)


@tagged('post_install', '-at_install')
class TestRequests(SessionCommon, HttpCase):

    def _line(self):
        self.env.invalidate_all()
        return self.env['mrp.audit.entry'].search([('res_model', '=', 'mrp.sop')], order='id desc', limit=1)

    def test_requests(self):
        """SEC-060: in the browser a person writes as oneself; by password or API key as oneself too, and marked as imported."""
        qc = self.user_qc
        self.authenticate(qc.login, PASSWORD)
        answer = self.url_open(
            '/web/dataset/call_kw/mrp.sop/create', headers={'Content-Type': 'application/json'},
            data=json.dumps({'jsonrpc': '2.0', 'params': {
                'model': 'mrp.sop', 'method': 'create', 'args': [{'code': "S-1", 'name': "One"}], 'kwargs': {}}})).json()
        self.env['mrp.sop'].sudo().browse(answer['result']).invalidate_recordset()
        line = self._line()
        self.assertEqual((line.user_id, 'imported' in line.values), (qc, False))
        self.opener.cookies.clear()
        sop = self.xmlrpc_object.execute_kw(
            self.env.cr.dbname, qc.id, PASSWORD, 'mrp.sop', 'create', [{'code': "S-2", 'name': "Two"}])
        line = self._line()
        self.assertEqual((line.user_id, line.res_id, line.values['imported']), (qc, sop, {'new': True}))
        key = self.env['res.users.apikeys'].with_user(qc).sudo()._generate(
            None, "Interface", fields.Datetime.now() + timedelta(days=1))
        sop = self.xmlrpc_object.execute_kw(
            self.env.cr.dbname, qc.id, key, 'mrp.sop', 'create', [{'code': "S-3", 'name': "Three"}])
        line = self._line()
        self.assertEqual((line.user_id, line.res_id, line.values['imported']), (qc, sop, {'new': True}))

    def test_server_action_by_web(self):
        """H-01, SEC-060: the administrator's server action, started in the browser, does not write in another name."""
        admin = new_test_user(self.env, login='t_admin', password=PASSWORD, groups='base.group_system')
        action = self.env['ir.actions.server'].sudo().create({
            'name': "Clever", 'model_id': self.env['ir.model']._get_id('res.partner'), 'state': 'code',
            'code': f"env['mrp.sop'].with_user({self.user_qc.id}).create({{'code': 'S-9', 'name': 'Nine'}})"})
        self.authenticate(admin.login, PASSWORD)
        answer = self.url_open('/web/action/run', headers={'Content-Type': 'application/json'}, data=json.dumps({
            'jsonrpc': '2.0', 'params': {'action_id': action.id, 'context': {}}})).json()
        self.assertIn("SEC-060", json.dumps(answer.get('error', {})))
        self.assertFalse(self.env['mrp.sop'].search([('code', '=', 'S-9')]))
