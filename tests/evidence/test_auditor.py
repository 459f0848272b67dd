"""The role of an auditor ends on its day, with or without the nightly job: SEC-010."""

import json
from datetime import timedelta

from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import HttpCase, new_test_user, tagged

from ..common.base import PASSWORD
from ..people.test_qualification import QualificationCommon


@tagged('post_install', '-at_install')
class TestAuditorUntil(QualificationCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.mmr_tz = 'America/New_York'
        cls.auditor = cls._role('auditor')
        cls.user_auditor.group_ids += cls.env.ref('base.group_allow_export')

    def _set_until(self, day, user=None):
        (user or self.user_auditor).with_user(self.user_security).mmr_auditor_until = day
        self.env.flush_all()

    def _reads(self, user, record):
        """Whether a user gets at a record on any of the usual roads."""
        record = record.with_user(user)
        roads = [
            lambda: record.read(['display_name']), lambda: record.check_access('read'), lambda: record.search([], limit=1),
            lambda: record.web_read({'display_name': {}}), lambda: record.export_data(['display_name']),
            lambda: record.search_count([]), lambda: record._read_group([], [], ['__count']),
        ]
        answers = set()
        for road in roads:
            # What is in the cache was read before.
            self.env.invalidate_all()
            try:
                with self.cr.savepoint():
                    road()
            except AccessError:
                answers.add(False)
            else:
                answers.add(True)
        self.assertEqual(len(answers), 1, answers)
        return answers.pop()

    def test_no_access_before_the_cron(self):
        """SEC-010: after the last day the role gives no access, though nobody has taken it away yet."""
        revision = self._make_effective(self._create_mmr())
        records = [revision, revision.mmr_id, revision.prepared_signature_id, revision.bom_id,
                   self.env['mrp.audit.entry'].search([], limit=1), self._of(self.user_qc)[0]]
        self._set_until('2031-03-10')
        user = self.user_auditor
        menu = self.env.ref('mrp_mmr.menu_mrp_mmr').id
        # New York is five hours behind in winter, four from 9 March on: the day ends at 04:00 UTC.
        for moment, expected in (('2031-03-01 12:00:00', True), ('2031-03-11 03:59:59', True), ('2031-03-11 04:00:00', False),
                                 ('2032-01-01 00:00:00', False)):
            with freeze_time(moment):
                for record in records:
                    with self.subTest(moment=moment, model=record._name):
                        self.assertEqual(self._reads(user, record), expected)
                self.assertEqual(user.with_user(user).has_group('mrp_mmr.group_mmr_auditor'), expected)
                self.assertEqual(menu in self.env['ir.ui.menu'].with_user(user)._visible_menu_ids(), expected)
                self.assertTrue(user.with_user(user).has_group('base.group_user'))
                self.assertTrue(user.with_user(user).name)
        self.assertIn(self.auditor, user.all_group_ids)

    def test_other_roles_stay(self):
        """SEC-010: whoever has other roles keeps what these give."""
        revision = self._make_effective(self._create_mmr())
        self.user_auditor.group_ids += self._role('operator')
        self._set_until('2031-03-10')
        equipment = self.env['maintenance.equipment'].create({'name': "Press", 'technician_user_id': self.user_qc.id})
        signer = self.env['mrp.signer'].search([], limit=1)
        for moment, expected in (('2031-03-10 12:00:00', True), ('2031-03-20 12:00:00', False)):
            with self.subTest(moment=moment), freeze_time(moment):
                self.assertTrue(self._reads(self.user_auditor, revision))
                self.assertTrue(self._reads(self.user_auditor, equipment))
                self.assertEqual(self._reads(self.user_auditor, signer), expected)

    def test_record_rules(self):
        """SEC-010: record rules of the role end with it, though Odoo remembers them."""
        self._set_until('2031-03-10')
        rule = self.env['ir.rule'].create({
            'name': "Auditors read all contacts", 'model_id': self.env['ir.model']._get_id('res.partner'),
            'domain_force': "[(1, '=', 1)]", 'groups': [Command.link(self.auditor.id)]})
        self.env['ir.rule'].create({
            'name': "Others read none", 'model_id': rule.model_id.id, 'domain_force': "[('id', '=', 0)]",
            'groups': [Command.link(self.env.ref('base.group_user').id)]})
        partners = self.env['res.partner'].with_user(self.user_auditor)
        with freeze_time('2031-03-10 12:00:00'):
            self.assertTrue(partners.search_count([]))
        with freeze_time('2031-03-20 12:00:00'):
            self.assertFalse(partners.search_count([]))

    def test_cron(self):
        """SEC-010, AUD-060: the cron takes the role away, with a line in the ledger, and nothing else of the account."""
        self.user_auditor.group_ids += self._role('operator')
        alone = new_test_user(self.env, login='t_alone', groups='mrp_mmr.group_mmr_auditor')
        alone.group_ids = self.auditor
        later = new_test_user(self.env, login='t_later', groups='mrp_mmr.group_mmr_auditor')
        for user, day in ((self.user_auditor, '2031-03-10'), (alone, '2031-03-10'), (later, '2031-03-11')):
            self._set_until(day, user)
        cron = self.env['res.users']._cron_end_auditors
        with freeze_time('2031-03-11 03:00:00'):
            cron()
            self.assertIn(self.auditor, self.user_auditor.group_ids)
        with freeze_time('2031-03-11 12:00:00'):
            cron()
            self.assertNotIn(self.auditor, (self.user_auditor | alone).all_group_ids)
            self.assertIn(self.auditor, later.group_ids)
            self.assertIn(self._role('operator'), self.user_auditor.group_ids)
            self.assertTrue(alone._is_internal() and alone.active)
            line = self._entries(self.user_auditor)[-1]
            self.assertEqual(line.kind, 'setting')
            self.assertEqual(line.values['roles']['old'], ['Auditor', 'Operator'])
            self.assertEqual(line.values['roles']['new'], ['Operator'])
            # Given again without a new date it gives nothing.
            self.user_auditor.group_ids += self.auditor
            self.assertFalse(self.user_auditor.with_user(self.user_auditor).has_group('mrp_mmr.group_mmr_auditor'))
            self._set_until('2031-04-10')
            self.assertTrue(self.user_auditor.with_user(self.user_auditor).has_group('mrp_mmr.group_mmr_auditor'))

    def test_who_sets_it(self):
        """SEC-010, SEC-020, AUD-060: security administrators set it, for others alone; it is in the ledger."""
        self._set_until('2031-03-10')
        line = self._entries(self.user_auditor)[-1]
        self.assertEqual((line.user_id, line.values['mmr_auditor_until']), (
            self.user_security, {'old': None, 'new': '2031-03-10'}))
        manager = new_test_user(self.env, login='t_access', groups='base.group_erp_manager')
        for user in (self.user_auditor, self.user_qmanager, self.user_qc, self.env.ref('base.user_admin'), manager):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.user_auditor.with_user(user).write({'mmr_auditor_until': False})
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                call_kw(self.env['res.users'].with_user(user), 'write', [user.ids, {'mmr_auditor_until': '2099-01-01'}], {})
        with self.assertRaisesRegex(AccessError, "SEC-010"):
            self.user_security.with_user(self.user_security).mmr_auditor_until = '2099-01-01'
        self.assertEqual(str(self.user_auditor.mmr_auditor_until), '2031-03-10')
        copied = self.user_auditor.copy({'login': 't_copy'})
        self.assertFalse(copied.mmr_auditor_until)

    def test_cost(self):
        """SEC-010: for everybody else the check is remembered: not one query more."""
        revision = self._create_mmr()
        revision.with_user(self.user_qc).read(['state'])
        self.env.flush_all()
        with self.assertQueryCount(0):
            self.assertFalse(self.user_qc._is_auditor_lapsed())
            self.assertTrue(revision.with_user(self.user_qc).has_access('read'))


@tagged('post_install', '-at_install')
class TestAuditorHttp(QualificationCommon, HttpCase):

    def _call(self, model, method, *args, **kwargs):
        response = self.url_open(
            f'/web/dataset/call_kw/{model}/{method}', headers={'Content-Type': 'application/json'},
            data=json.dumps({'jsonrpc': '2.0', 'params': {'model': model, 'method': method, 'args': args, 'kwargs': kwargs}}))
        return response.json()

    def test_open_session_of_an_auditor(self):
        """SEC-010: the end of the role ends what an open session may read; the session of the person goes on."""
        revision = self._make_effective(self._create_mmr())
        self.authenticate('t_auditor', PASSWORD)
        self.assertTrue(self._call('mrp.mmr.revision', 'web_read', revision.ids, specification={'state': {}})['result'])
        self.assertEqual(self.url_open(f'/report/html/mrp_mmr.report_mmr_revision/{revision.id}').status_code, 200)
        self.user_auditor.with_user(self.user_security).mmr_auditor_until = self._today() - timedelta(days=1)
        self.env.flush_all()
        answer = self._call('mrp.mmr.revision', 'web_read', revision.ids, specification={'state': {}})
        self.assertIn("not allowed", answer['error']['data']['message'])
        self.assertNotEqual(self.url_open(f'/report/html/mrp_mmr.report_mmr_revision/{revision.id}').status_code, 200)
        self.assertTrue(self._call('res.users', 'web_read', self.user_auditor.ids, specification={'name': {}})['result'])
