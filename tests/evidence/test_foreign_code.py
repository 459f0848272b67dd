"""What an administrator writes into the database acts in nobody's session and sees no secret (SEC-060, AUD-090, A-06)."""

import json
from contextlib import contextmanager
from types import SimpleNamespace

from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.test import EnvironBuilder

from odoo import http
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from odoo.addons.mrp_mmr.domain.hidden_request import hidden
from odoo.addons.mrp_mmr.domain.sessions import is_foreign_code

from ..common.base import PASSWORD, HttpCase, MmrCommon

#: Says all that an expression can read of the request, into a parameter.
SPY = """<t t-name="zz.spy"><t t-out="request and [
    request.params, request.session.sid, request.httprequest.get_data(as_text=True), request.httprequest.form,
    request.httprequest.cookies, request.cookies, request.httprequest.headers, request.httprequest.environ,
    request.httprequest.values, request.dispatcher.jsonrequest]"/></t>"""


@tagged('post_install', '-at_install')
class TestForeignCode(MmrCommon, HttpCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.parameters = cls.env['ir.config_parameter'].sudo()
        cls.view = cls.env['ir.ui.view'].create({'name': "Spy", 'type': 'qweb', 'key': 'zz.spy', 'arch': SPY})
        cls.revision = cls._create_mmr()

    def _rule(self, model, domain):
        return self.env['ir.rule'].create({
            'name': "Spy", 'model_id': self.env['ir.model']._get_id(model), 'domain_force': domain})

    @contextmanager
    def _nobody(self):
        """Expect that nobody is found to write in whose name that would be; nothing of it stays."""
        with self.assertRaisesRegex(Exception, "SEC-060"), self.env.cr.savepoint():
            yield

    def _call(self, model, method, args, **kwargs):
        response = self.url_open(
            f'/web/dataset/call_kw/{model}/{method}', headers={'Content-Type': 'application/json'}, data=json.dumps({
                'jsonrpc': '2.0', 'params': {'model': model, 'method': method, 'args': args, 'kwargs': kwargs}}))
        return response.json()

    def test_rule_reads_the_password(self):
        """SEC-060, A-06: a record rule that is evaluated while a person signs sees neither password nor key of the session."""
        digest = self.revision.with_user(self.user_preparer).esign_prepare('submit')['digest']
        self._rule('mrp.mmr.revision', (
            "[(1, '=', 1)] if user.login != 't_preparer' or user.env['ir.config_parameter'].sudo().set_param('zz.spy', "
            "str(user.env['ir.qweb']._render('zz.spy', {})) + 'seen') or True else []"))
        self.authenticate('t_preparer', PASSWORD)
        sid = self.session.sid
        self.env.registry.clear_cache()
        answer = self._call('mrp.mmr.revision', 'esign', [
            [self.revision.id], 'submit', {'login': 't_preparer', 'password': PASSWORD}, digest])
        self.assertIn('signature_id', answer['result'])
        seen = self.parameters.get_param('zz.spy')
        self.assertIn('seen', seen)
        self.assertNotIn(PASSWORD, seen)
        self.assertNotIn(sid, seen)

    def test_login_is_read(self):
        """SEC-060, A-07: an automation at the login of a person, which renders a template, does not see what was typed."""
        builder = EnvironBuilder(method='POST', path='/web/login', data={'login': "qa", 'password': "Hush-hush-1"},
                                 headers={'Cookie': 'session_id=KEY', 'Authorization': 'Bearer KEY'})
        session = SimpleNamespace(sid='KEY')
        request = SimpleNamespace(
            httprequest=http.HTTPRequest(builder.get_environ()), session=session, csrf_token=lambda limit=None: session.sid,
            dispatcher=SimpleNamespace(routing_type='http'), cookies=ImmutableMultiDict({'session_id': 'KEY', 'tz': 'UTC'}),
            params={'login': "qa", 'password': "Hush-hush-1"})

        def seen():
            web = request.httprequest
            return str([request.params, session.sid, web.get_data(), dict(web.form), dict(web.values), dict(web.cookies),
                        dict(request.cookies), list(web.headers), web.environ, web.get_json(silent=True)])
        plain = seen()
        self.assertIn("Hush-hush-1", plain)
        with hidden(request):
            with hidden(request):
                self.assertNotIn("Hush-hush-1", seen())
            self.assertNotIn("Hush-hush-1", seen())
            self.assertNotIn("KEY", seen())
            self.assertIn("'login': 'qa'", seen())
            self.assertEqual(request.csrf_token(), 'KEY', "forms have their token, made of the key of the session")
            self.assertEqual(request.httprequest.path, '/web/login')
        self.assertEqual(seen(), plain)

    def test_acts_for_whoever_triggers_it(self):
        """SEC-060, A-08 to A-10: rule, custom field, template and expression write nothing in the name of who triggers them."""
        # Odoo evaluates some of them twice.
        tries = "env['mrp.sop'].create({'code': 'ZZ%s' % env['mrp.sop'].search_count([]), 'name': 'By nobody'})"
        operator = self.user_qc
        rule = self._rule(
            'res.partner', f"[(1, '=', 1)] if user.login != 't_qc' or {tries.replace('env[', 'user.env[')} else []")
        self.env.registry.clear_cache()
        with self._nobody():
            self.env['res.partner'].with_user(operator).search([], limit=1)
        rule.unlink()
        self.env['ir.ui.view'].create({
            'name': "Writer", 'type': 'qweb', 'key': 'zz.writer',
            'arch': f'<t t-name="zz.writer"><t t-out="{tries.replace("env[", "user.env[")}"/></t>'})
        with self._nobody():
            self.env['ir.qweb'].with_user(operator)._render('zz.writer', {'user': operator.with_user(operator)})
        with self._nobody():
            safe_eval(tries, {'env': self.env(user=operator)})
        written = tries.replace('env[', 'record.env[')
        self.env['ir.model.fields'].create({
            'name': 'x_zz', 'model_id': self.env['ir.model']._get_id('res.partner'), 'ttype': 'char', 'store': False,
            'compute': f"for record in self:\n    record['x_zz'] = record.env.user.login == 't_qc' and str({written})"})
        with self._nobody():
            self.env['res.partner'].with_user(operator).search([], limit=1).mapped('x_zz')
        self.assertFalse(self.env['mrp.sop'].search([('code', '=like', 'ZZ%')]))
        self.assertTrue(self.env['mrp.sop'].with_user(operator).create({'code': 'ZZ', 'name': "By a person"}))

    def test_signs_nothing(self):
        """SIG-080: what is evaluated signs nothing, whoever's session and password it has."""
        record = self.revision.with_user(self.user_preparer)
        digest = record.esign_prepare('submit')['digest']
        answer = safe_eval("record.esign('submit', {'login': login, 'password': password}, digest)", {
            'record': record, 'login': 't_preparer', 'password': PASSWORD, 'digest': digest})
        self.assertIn("SIG-080", answer['refused'])

    def test_shipped_code_is_not_foreign(self):
        """SEC-060: actions that modules brought act for whoever starts them; what they trigger is marked again."""
        seen = []
        action = self.env.ref('mrp_mmr.ir_cron_seal').ir_actions_server_id
        self.patch(type(self.env['mrp.audit.seal']), '_cron_seal', lambda seal: seen.append(
            (is_foreign_code(), safe_eval('f()', {'f': is_foreign_code}))))
        action.run()
        self.assertEqual(seen, [(False, True)])

    def test_admin_code(self):
        """AUD-090: an edited action stays what it was: nobody's."""
        action = self.env['ir.actions.server'].create({
            'name': "Mine", 'model_id': self.env['ir.model']._get_id('res.partner'), 'state': 'code',
            'code': "env['mrp.sop'].create({'code': 'ZZ', 'name': 'By nobody'})"})
        with self.assertRaisesRegex((AccessError, UserError), "SEC-060"):
            action.with_user(self.user_qc).sudo(False).with_context(active_model='res.partner').run()

    def test_groups(self):
        """SEC-060: a person who authenticated in this request lends that to no code of the database."""
        from odoo.addons.mrp_mmr.domain.sessions import authenticated, is_own_session
        with authenticated(5):
            self.assertTrue(is_own_session(None, 5))
            self.assertFalse(safe_eval('f(None, 5)', {'f': is_own_session}))
