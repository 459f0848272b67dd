"""Nobody acts without a current qualification: APR-050, SEC-010, SEC-020, SEC-030, AUD-060."""

import base64
import json
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time
from lxml import etree
from psycopg2 import DatabaseError

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.service.model import call_kw
from odoo.tests import Form, HttpCase, new_test_user, tagged
from odoo.tools import mute_logger
from odoo.tools.safe_eval import safe_eval

from odoo.addons.mrp_mmr.verification.ledger import FINDING
from odoo.addons.mrp_mmr.verification.records import Verification

from ..common.base import PASSWORD, PNG, MmrCommon, enrol
from ..common.signing import at_any_terminal

QUALIFICATION = 'mrp.qualification'


@tagged('post_install', '-at_install')
class QualificationCommon(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()

        def user(login, role, **kwargs):
            return enrol(new_test_user(
                cls.env, login=login, password=PASSWORD, groups=f'mrp_mmr.group_mmr_{role}', name=f"Test {login}", tz='UTC',
                **kwargs))

        cls.user_qmanager = user('t_qmanager', 'quality_manager')
        cls.user_production = cls._person('production')
        cls.user_security = user('t_security', 'security')
        cls.user_verifier = cls._person('verifier')

    @classmethod
    def _role(cls, name):
        return cls.env.ref(f'mrp_mmr.group_mmr_{name}')

    def _of(self, user, role=None):
        domain = [('user_id', '=', user.id)] + ([('group_id', '=', self._role(role).id)] if role else [])
        return self.env[QUALIFICATION].search(domain)

    def _today(self):
        return self.company._get_mmr_today()

    def _grant(self, granter, users, subject, evidence="Assessed.", **kwargs):
        return self.env[QUALIFICATION].with_user(granter)._grant(
            users, subject.with_user(granter), evidence, **kwargs)

    def _qualify(self, user, role, first=None, last=None):
        """Revoke what ``user`` has for ``role`` and grant it anew for days that count from today."""
        current = self._of(user, role).filtered(lambda row: not row.revoked_at)
        granter = self.user_qmanager if role != 'quality_manager' else self.user_security
        if current:
            current.with_user(granter)._revoke("Test.")
        if first is None:
            return current
        return self._grant(granter, user, self._role(role), valid_from=self._today() + timedelta(days=first),
                           valid_to=None if last is None else self._today() + timedelta(days=last))

    def _entries(self, record):
        return self.env['mrp.audit.entry'].sudo().search(
            [('res_model', '=', record._name), ('res_id', 'in', record.ids)], order='id')


@tagged('post_install', '-at_install')
class TestQualification(QualificationCommon):

    # === ENFORCEMENT === #

    def test_expired_yesterday(self):
        """APR-050: a QC user whose qualification ended yesterday neither approves nor rejects; until today does."""
        revision = self._create_mmr()
        self._sign(revision, 'submit', self.user_preparer)
        self._qualify(self.user_qc, 'qc', -30, -1)
        for action in ('approve', 'reject'):
            with self.subTest(action=action):
                message = self._esign(revision, action, self.user_qc, comment="x")['refused']
                for text in ("Test t_qc", "Quality Control", str(self._today()), str(self._today() - timedelta(days=1)),
                             "SEC-030, 21 CFR 111.12(c), 11.10(i)", "Quality Manager"):
                    self.assertIn(text, message)
        with self.assertRaisesRegex(UserError, "SEC-030"):
            revision.with_user(self.user_qc).action_approve()
        self.assertEqual(revision.state, 'submitted')
        self.assertEqual(self._entries(revision)[-1].kind, 'refused_sign')
        self._qualify(self.user_qc, 'qc', -30, 0)
        self._sign(revision, 'approve', self.user_qc)
        self.assertEqual(revision.state, 'effective')

    def test_other_roles_do_not_approve(self):
        """APR-050: production, administrator and quality manager do not approve, whatever else they are qualified for."""
        revision = self._create_mmr()
        self._sign(revision, 'submit', self.user_preparer)
        admin = self.env.ref('base.user_admin')
        for user in (self.user_production, self.user_manager, self.user_qmanager, admin):
            with self.subTest(user=user.login):
                if user != self.user_qmanager:  # A qualification without the role gives no right.
                    self._grant(self.user_qmanager, user, self._role('qc'))
                with self.assertRaisesRegex(AccessError, "APR-050"):
                    revision.with_user(user).action_approve()
        self.assertEqual(revision.state, 'submitted')

    def test_what_is_missing(self):
        """SEC-030: missing, not yet valid, expired, revoked: each refusal says which, with its date."""
        revision = self._create_mmr()
        day = self._today()
        for first, last, text in (
                (None, None, rf"revoked on {day}: Test\."),
                (3, None, f"begins on {day + timedelta(days=3)}"),
                (-9, -2, f"ended on {day - timedelta(days=2)}")):
            with self.subTest(text=text):
                self._qualify(self.user_preparer, 'preparer', first, last)
                self.assertRegex(self._esign(revision, 'submit', self.user_preparer)['refused'], text)
        # The next one counts, not the one that ended.
        self._grant(self.user_qmanager, self.user_preparer, self._role('preparer'), valid_from=day + timedelta(days=2))
        self.assertIn("begins on", self._esign(revision, 'submit', self.user_preparer)['refused'])
        self._qualify(self.user_preparer, 'preparer', -1)
        self._sign(revision, 'submit', self.user_preparer)
        newcomer = new_test_user(self.env, login='t_new', password=PASSWORD, groups='mrp_mmr.group_mmr_qc')
        with self.assertRaisesRegex(UserError, "no qualification was granted"):
            revision.with_user(newcomer).action_approve()

    def test_every_signed_record(self):
        """SEC-030: labels, settings, decisions on orders and overages ask for it as revisions do."""
        label = self.env['mrp.mmr.label'].create({'code': "L-7", 'name': "Label", 'location': "Shelf"})
        row = self.env.ref('mrp_mmr.requirement_pdev_con_100')
        first = self._make_effective(self._create_mmr())
        order = self._create_order()
        order.action_confirm()
        second = self._new_revision(first)
        second.bom_line_ids.sorted('sequence')[0].write(
            {'mmr_overage_kind': 'percent', 'mmr_overage': 5, 'mmr_overage_rationale': "Loss."})
        third = self._create_mmr(500)
        self._sign(third, 'submit', self.user_preparer)
        self._sign(third, 'approve', self.user_qc)
        self._qualify(self.user_qc, 'qc', -9, -1)
        for record, action in ((label, 'approve'), (row, 'switch_off'), (third, 'periodic_review'), (third, 'retire')):
            with self.subTest(model=record._name, action=action):
                self.assertIn("SEC-030", self._esign(record, action, self.user_qc, comment="x")['refused'])
        with self.assertRaisesRegex(UserError, "SEC-030"):
            second.with_user(self.user_qc).action_confirm_overages()
        self.assertFalse(second.bom_line_ids.mmr_overage_confirmed_id)
        self._qualify(self.user_qc, 'qc', 0)
        second.with_user(self.user_qc).action_confirm_overages()
        self._make_effective(second)
        self._qualify(self.user_qc, 'qc', -9, -1)
        self.assertEqual(order.mmr_decision, 'pending')
        self.assertIn("SEC-030", self._esign(order, 'continue', self.user_qc, comment="x")['refused'])

    def test_reviewers(self):
        """SEC-030: a role of the approval route is qualified for as well, be it a GMP role or not."""
        group = self.env['res.groups'].create({'name': "Regulatory Affairs", 'user_ids': [Command.link(self.user_operator.id)]})
        with self.assertRaisesRegex(UserError, "is not a GMP role"):
            self._grant(self.user_qmanager, self.user_operator, group)
        self._create_reviewer(name="Regulatory", group_id=group.id)
        revision = self._create_mmr()
        self._sign(revision, 'submit', self.user_preparer)
        self.assertIn("not qualified as Regulatory Affairs", self._esign(revision, 'review', self.user_operator)['refused'])
        self._grant(self.user_qmanager, self.user_operator, group)
        self._sign(revision, 'review', self.user_operator)

    def test_shared_terminal(self):
        """SEC-030, SIG-040: it is the qualification of who signs, not of who is logged in."""
        revision = self._create_mmr()
        self._sign(revision, 'submit', self.user_preparer)
        self._qualify(self.user_qc, 'qc', -9, -1)
        with at_any_terminal(self.env, 'mrp.mmr.revision', 'approve'):
            answer = self._esign(revision, 'approve', self.user_both, login='t_qc')
        self.assertIn("Test t_qc is not qualified", answer['refused'])

    def test_profiles(self):
        """SEC-030: required under P111, P211 and PDEV; under PEU on, until Quality Control signs that it is off."""
        rows = self.env['mrp.mmr.requirement'].search([('check', '=', 'qualification')])
        self.assertEqual({row.profile_id.code: (row.code, row.enforcement, row.enabled) for row in rows}, {
            'P111': ('SEC-030', 'R', True), 'P211': ('SEC-030', 'R', True), 'PDEV': ('SEC-030', 'R', True),
            'PEU': ('SEC-030', 'C', True)})
        for row in rows.filtered(lambda row: row.enforcement == 'R'):
            with self.assertRaisesRegex(UserError, "it is required"):
                row.with_user(self.user_qc).action_switch()
        requirement = self.env['mrp.mmr.requirement']
        european = self.env.ref('mrp_mmr.profile_peu')
        self.assertTrue(requirement._is_demanded('qualification', european))
        self._sign(self.env.ref('mrp_mmr.requirement_peu_sec_030'), 'switch_off', self.user_qc, comment="Paper files")
        self.assertFalse(requirement._is_demanded('qualification', european))
        for other in self.env['mrp.mmr.profile'].search([]) - european:
            self.assertTrue(requirement._is_demanded('qualification', other))
        self.assertTrue(requirement._is_demanded('qualification', requirement.profile_id), "records without a profile")
        # It is no row of the content, so that a draft does not wait for it.
        revision = self._create_mmr()
        self.assertNotIn('SEC-030', [line['code'] for line in revision._evaluate_requirements()])
        other = self._create_mmr(500, profile_id=european.id)
        self._qualify(self.user_preparer, 'preparer')
        with self.assertRaisesRegex(UserError, "SEC-030"):
            revision.with_user(self.user_preparer)._check_signing_role('mrp_mmr.group_mmr_preparer')
        other.with_user(self.user_preparer)._check_signing_role('mrp_mmr.group_mmr_preparer')

    def test_midnight(self):
        """SEC-030: the first and the last day are whole days where the company is."""
        for zone, begin, end in (
                ('Pacific/Auckland', '2031-03-09 11:00:00', '2031-03-10 11:00:00'),
                ('America/New_York', '2031-03-10 04:00:00', '2031-03-11 04:00:00'),
                (False, '2031-03-10 00:00:00', '2031-03-11 00:00:00')):
            self.company.mmr_tz = zone
            user = new_test_user(self.env, login=f't_{zone}', groups='mrp_mmr.group_mmr_qc', tz='Asia/Tokyo')
            row = self._grant(self.user_qmanager, user, self._role('qc'), valid_from='2031-03-10', valid_to='2031-03-10')
            begin, end = fields.Datetime.to_datetime(begin), fields.Datetime.to_datetime(end)
            second = timedelta(seconds=1)
            for moment, state in ((begin - second, 'future'), (begin, 'current'), (end - second, 'current'), (end, 'expired')):
                with self.subTest(zone=zone, moment=moment), freeze_time(moment):
                    row.invalidate_recordset()
                    qualified = self.env[QUALIFICATION].with_context(tz='Asia/Tokyo')._filter_qualified(
                        user, self._role('qc'), self.company)
                    self.assertEqual((row.with_context(tz='Asia/Tokyo').state, bool(qualified)), (state, state == 'current'))

    def test_company(self):
        """SEC-030: a qualification holds in its company alone."""
        elsewhere = self.env['res.company'].create({'name': "Elsewhere"})
        with self.assertRaisesRegex(AccessError, "SEC-030"):
            self._grant(self.user_qmanager, self.user_qc, self._role('qc'), company=elsewhere)
        self.user_qmanager.company_ids += elsewhere
        with self.assertRaisesRegex(UserError, "not qualified as Quality Manager"):
            self._grant(self.user_qmanager, self.user_qc, self._role('qc'), company=elsewhere)
        self.user_security.company_ids += elsewhere
        self._grant(self.user_security, self.user_qmanager, self._role('quality_manager'), company=elsewhere)
        with self.assertRaisesRegex(UserError, "not an active internal user of Elsewhere"):
            self._grant(self.user_qmanager, self.user_qc, self._role('qc'), company=elsewhere)
        self.user_qc.company_ids += elsewhere
        filtered = self.env[QUALIFICATION]._filter_qualified
        self.assertFalse(filtered(self.user_qc, self._role('qc'), elsewhere))
        row = self._grant(self.user_qmanager, self.user_qc, self._role('qc'), company=elsewhere)
        self.assertTrue(filtered(self.user_qc, self._role('qc'), elsewhere))
        self.assertFalse(row.with_user(self.user_production).with_context(
            allowed_company_ids=self.company.ids)._filtered_access('read'))

    # === WHO GRANTS === #

    def test_who_grants(self):
        """SEC-010, SEC-030: each kind is granted by its own roles and by nobody else, the administrator included."""
        revision = self._make_effective(self._create_mmr())
        sop = self.env['mrp.sop'].create({'code': 'S-7', 'name': "Cleaning"})
        colleague = new_test_user(self.env, login='t_colleague', groups='base.group_user')
        subjects = {
            'role': self._role('operator'), 'manager': self._role('quality_manager'), 'revision': revision, 'sop': sop}
        allowed = {
            'role': self.user_qmanager, 'manager': self.user_qmanager | self.user_security,
            'revision': self.user_production | self.user_qc | self.user_both,
            'sop': self.user_production | self.user_qc | self.user_both}
        users = self.env.ref('base.user_admin') | self.user_qmanager | self.user_security | self.user_production \
            | self.user_qc | self.user_both | self.user_preparer | self.user_operator | self.user_auditor | self.user_manager
        kept = {name: self._grant(allowed[name][0], colleague, subject) for name, subject in subjects.items()}
        count = 0
        for name, subject in subjects.items():
            for user in users:
                with self.subTest(subject=name, user=user.login):
                    if user in allowed[name]:
                        row = self._grant(user, colleague, subject)
                        self.assertRecordValues(row, [{
                            'user_id': colleague.id, 'granted_by_id': user.id, 'state': 'current', 'valid_to': False,
                            'valid_from': self._today(), 'kind': 'training' if name in ('revision', 'sop') else 'role'}])
                        row.with_user(user)._revoke("Over.")
                        self.assertEqual(row.state, 'revoked')
                        count += 1
                    else:
                        with self.assertRaises(AccessError):
                            self._grant(user, colleague, subject)
                        with self.assertRaises(AccessError):
                            kept[name].with_user(user)._revoke("x")
        self.assertEqual(count, 9)

    def test_nobody_grants_to_oneself(self):
        """SEC-030, 21 CFR 11.10(g): not to oneself, not to the second login of the same person, not among others."""
        self.user_qmanager.group_ids += self._role('qc')
        partner = self.user_qmanager.partner_id
        twin = new_test_user(self.env, login='t_twin', groups='mrp_mmr.group_mmr_qc', partner_id=partner.id)
        for users in (self.user_qmanager, twin, self.user_operator | twin):
            with self.subTest(users=users.mapped('login')), self.assertRaisesRegex(UserError, "cannot grant their own"):
                self._grant(self.user_qmanager, users, self._role('qc'))
        self.assertFalse(self._of(twin) | self._of(self.user_qmanager, 'qc'))
        if 'employee_ids' in self.env['res.users']._fields:
            other = new_test_user(self.env, login='t_employee', groups='mrp_mmr.group_mmr_qc')
            keys = {('employee', 7)}
            with patch.object(type(other), '_get_gmp_persons', lambda self: keys), \
                    self.assertRaisesRegex(UserError, "cannot grant their own"):
                self._grant(self.user_qmanager, other, self._role('qc'))

    def test_granter_is_qualified(self):
        """SEC-030: whoever judges others is qualified for it; the security administrator begins the chain."""
        colleague = new_test_user(self.env, login='t_colleague', groups='mrp_mmr.group_mmr_operator')
        self._qualify(self.user_qmanager, 'quality_manager', -9, -1)
        with self.assertRaisesRegex(UserError, "not qualified as Quality Manager(?s:.)*ended on"):
            self._grant(self.user_qmanager, colleague, self._role('operator'))
        self._qualify(self.user_qmanager, 'quality_manager', 0)
        self.assertTrue(self._grant(self.user_qmanager, colleague, self._role('operator')))
        # The security administrator does not need one, and grants nothing else.
        self.assertFalse(self._of(self.user_security, 'quality_manager'))
        with self.assertRaisesRegex(AccessError, "SEC-030"):
            self._grant(self.user_security, colleague, self._role('operator'))

    def test_what_is_granted(self):
        """SEC-030: no portal, archived, foreign or absent person, no evidence of blanks, no other group, no reversed dates."""
        portal = new_test_user(self.env, login='t_portal', groups='base.group_portal')
        archived = new_test_user(self.env, login='t_gone', groups='mrp_mmr.group_mmr_operator')
        archived.active = False
        operator = self._role('operator')
        for users, subject, kwargs, text in (
                (portal, operator, {}, "not an active internal user"), (archived, operator, {}, "not an active internal user"),
                (self.env.ref('base.user_root'), operator, {}, "not an active internal user"),
                (self.env['res.users'], operator, {}, "No person was chosen"),
                (self.user_qc, self.env['res.groups'], {}, "for one role"),
                (self.user_qc, operator | self._role('qc'), {}, "for one role"),
                (self.user_qc, self.env.ref('base.group_system'), {}, "is not a GMP role"),
                (self.user_qc, operator, {'evidence': " \n "}, "needs evidence"),
                (self.user_qc, operator, {'valid_from': '2026-02-02', 'valid_to': '2026-02-01'}, "before it begins")):
            with self.subTest(text=text, users=users.mapped('login')), self.assertRaisesRegex(UserError, text), \
                    mute_logger('odoo.sql_db'), self.cr.savepoint():
                self._grant(self.user_qmanager, users, subject, **kwargs)
        row = self._grant(self.user_qmanager, self.user_qc, operator)
        with self.assertRaisesRegex(UserError, "needs a reason"):
            row.with_user(self.user_qmanager)._revoke("  ")
        row.with_user(self.user_qmanager)._revoke("Mistake.")
        self.assertRecordValues(row, [{
            'state': 'revoked', 'revoke_reason': "Mistake.", 'revoked_by_id': self.user_qmanager.id}])
        with self.assertRaisesRegex(UserError, "already been revoked"):
            row.with_user(self.user_qmanager)._revoke("Again.")

    # === NO OTHER ROAD === #

    def test_no_direct_change(self):
        """SEC-020, SEC-030: nobody creates, changes, copies, deletes or imports one, on any road, with any context."""
        row = self._of(self.user_qc, 'qc')
        vals = {'user_id': self.user_planner.id, 'kind': 'role', 'group_id': self._role('qc').id, 'company_id': self.company.id,
                'valid_from': '2026-01-01', 'evidence': "x", 'granted_by_id': self.user_qmanager.id,
                'granted_at': '2026-01-01 00:00:00'}
        changes = [
            {'valid_to': '2099-01-01'}, {'valid_from': '2020-01-01'}, {'group_id': self._role('qp').id}, {'evidence': "y"},
            {'user_id': self.user_planner.id}, {'revoked_at': False}, {'revoke_reason': "x"}, {'reminded_on': '2026-01-01'},
            {'granted_by_id': self.user_security.id}, {'company_id': self.company.id}, {'file_id': False}]
        users = (self.user_qmanager, self.user_security, self.user_production, self.user_qc, self.user_auditor,
                 self.env.ref('base.user_admin'))
        hostile = {'mmr_transition': True, 'install_mode': True, 'su': True, 'tracking_disable': True}
        columns = [name for name, field in row._fields.items() if field.store and field.column_type]
        before, lines = row.read(columns), self.env['mrp.audit.entry'].sudo().search_count([('res_model', '=', QUALIFICATION)])
        for user in users:
            for values in changes:
                with self.subTest(user=user.login, values=values):
                    with self.assertRefused('SEC-030'):
                        call_kw(row.with_user(user).browse(), 'write', [row.ids, values], {'context': hostile})
                    with self.assertRaisesRegex(UserError, "SEC-030"):
                        row.with_user(user).sudo().with_context(**hostile).write(values)
            for method, args in (('create', [[vals]]), ('unlink', [row.ids]), ('copy', [row.ids]),
                                 ('load', [list(vals), [[str(value) for value in vals.values()]]])):
                with self.subTest(user=user.login, method=method):
                    model = row.with_user(user).browse()
                    if method == 'load':
                        result = call_kw(model, method, args, {'context': hostile})
                        self.assertFalse(result['ids'])
                        self.assertTrue(result['messages'])
                        continue
                    with self.assertRefused('AccessError', 'SEC-030'):
                        call_kw(model, method, args, {'context': hostile})
            for method, args in (('create', [vals]), ('unlink', []), ('copy', [])):
                with self.subTest(user=user.login, sudo=method), self.assertRaisesRegex(UserError, "SEC-030"):
                    getattr(row.with_user(user).sudo(), method)(*args)
            for method in ('_grant', '_revoke', '_store', '_set_up'):
                with self.subTest(user=user.login, private=method), self.assertRaises(AccessError):
                    call_kw(row.with_user(user), method, [[row.id]], {})
        row.invalidate_recordset()
        self.assertEqual(row.read(columns), before)
        self.assertEqual(self.env['mrp.audit.entry'].sudo().search_count([('res_model', '=', QUALIFICATION)]), lines)
        with self.assertRaisesRegex(UserError, "SEC-030"):
            self.user_qc.sudo().write({'mmr_qualification_ids': [Command.create(dict(vals))]})

    def test_dialogs_by_remote_call(self):
        """SEC-020: the dialogs check what the buttons check."""
        grant, revoke = f'{QUALIFICATION}.grant', f'{QUALIFICATION}.revoke'
        vals = {'kind': 'role', 'group_id': self._role('qc').id, 'user_ids': [Command.set(self.user_planner.ids)],
                'evidence': "x"}
        for user in (self.user_preparer, self.user_operator, self.user_auditor, self.env.ref('base.user_admin')):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.env[grant].with_user(user).create(vals)
        for user in (self.user_production, self.user_qc, self.user_security):
            with self.subTest(user=user.login), self.assertRaisesRegex(AccessError, "SEC-030"):
                self.env[grant].with_user(user).create(vals).action_grant()
            with self.subTest(user=user.login), self.assertRaisesRegex(AccessError, "SEC-030"):
                self.env[revoke].with_user(user).create({
                    'qualification_ids': self._of(self.user_both, 'preparer').ids, 'reason': "x"}).action_revoke()
        # Somebody else's dialog is no road either.
        wizard = self.env[grant].with_user(self.user_qmanager).create(vals)
        with self.assertRaises(AccessError):
            wizard.with_user(self.user_qc).action_grant()
        with self.assertRaisesRegex(UserError, "SEC-030"):
            self.env[revoke].with_user(self.user_qmanager).create({'qualification_ids': [], 'reason': "x"}).action_revoke()
        self.assertFalse(self._of(self.user_planner))

    @mute_logger('odoo.sql_db')
    def test_sql(self):
        """SEC-030, REC-040: PostgreSQL refuses every change but one revocation, every deletion, and grants to oneself."""
        row = self._grant(self.user_qmanager, self.user_operator, self._role('verifier'), valid_to='2099-01-01')
        revoked = self._grant(self.user_qmanager, self.user_planner, self._role('verifier'))
        revoked.with_user(self.user_qmanager)._revoke("Mistake.")
        self.env.flush_all()
        other = {
            'company_id': self.env['res.company'].create({'name': "Elsewhere"}).id, 'user_id': self.user_qc.id,
            'kind': "'training'", 'group_id': self._role('qc').id, 'valid_from': "'2020-01-01'", 'valid_to': 'NULL',
            'evidence': "'x'", 'granted_by_id': self.user_security.id, 'granted_at': "'2020-01-01'", 'create_uid': 1,
            'revision_id': self._create_mmr().id, 'sop_id': self.env['mrp.sop'].create({'code': 'X', 'name': "X"}).id,
            'file_id': self.env['mrp.mmr.file'].sudo()._store('x.png', PNG).id, 'create_date': 'NULL',
        }
        self.env.flush_all()
        columns = {name for name, field in row._fields.items() if field.store and field.column_type}
        free = {'id', 'write_uid', 'write_date', 'reminded_on', 'revoked_at', 'revoked_by_id', 'revoke_reason'}
        self.assertEqual(columns - free, set(other))
        for name, value in other.items():
            with self.subTest(column=name):
                self._refused(f"UPDATE mrp_qualification SET {name} = {value} WHERE id = {row.id}", rule="SEC-030")
        for query in (
                f"DELETE FROM mrp_qualification WHERE id = {row.id}",
                "TRUNCATE mrp_qualification CASCADE",
                f"UPDATE mrp_qualification SET id = id + 100000 WHERE id = {row.id}",
                f"UPDATE mrp_qualification SET revoked_at = now() WHERE id = {row.id}",
                f"UPDATE mrp_qualification SET revoked_at = now(), revoked_by_id = 1, revoke_reason = ' ' WHERE id = {row.id}",
                f"UPDATE mrp_qualification SET revoked_at = NULL, revoked_by_id = NULL, revoke_reason = NULL "
                f"WHERE id = {revoked.id}",
                f"UPDATE mrp_qualification SET revoke_reason = 'Another' WHERE id = {revoked.id}"):
            with self.subTest(query=query):
                self._refused(query, rule="SEC-030|mrp_qualification_revocation")
        twin = new_test_user(self.env, login='t_twin', groups='base.group_user', partner_id=self.user_qc.partner_id.id)
        self.env.flush_all()
        insert = ("INSERT INTO mrp_qualification (company_id, user_id, kind, group_id, valid_from, evidence, granted_by_id, "
                  "granted_at, revoked_at, revoked_by_id, revoke_reason) "
                  "SELECT company_id, {user}, kind, group_id, valid_from, {evidence}, {granter}, granted_at, {revocation} "
                  f"FROM mrp_qualification WHERE id = {row.id}")
        good = {'user': self.user_qc.id, 'evidence': "'x'", 'granter': self.user_qmanager.id, 'revocation': "NULL, NULL, NULL"}
        for vals in ({'granter': self.user_qc.id}, {'granter': twin.id}, {'granter': 'NULL'}, {'evidence': 'NULL'},
                     {'revocation': "now(), 1, 'x'"}):
            with self.subTest(vals=vals):
                self._refused(insert.format(**{**good, **vals}), rule='SEC-030|granted_by_id|evidence')
        # What SQL can do nevertheless is not in the ledger, and shows.
        with self.cr.savepoint() as savepoint:
            self.cr.execute(insert.format(**good))
            self.env.invalidate_all()
            forged = self.env[QUALIFICATION].search([], limit=1)
            found = {(finding.model, finding.res_id) for finding in Verification(self.cr) if finding.severity == FINDING}
            self.assertIn((QUALIFICATION, forged.id), found)
            savepoint.rollback()

    def _refused(self, query, rule):
        with self.assertRefused(*rule.split('|'), error=DatabaseError):
            self.cr.execute(query)

    def test_ledger(self):
        """AUD-060: grant and revocation are in the ledger: who, when, for whom, old and new value, why."""
        row = self._grant(self.user_qmanager, self.user_operator, self._role('verifier'), "File 7", valid_to='2099-01-01')
        [created] = self._entries(row)
        self.assertEqual((created.kind, created.user_id), ('create', self.user_qmanager))
        self.assertEqual(created.chain_id.res_model, 'res.company')
        self.assertEqual(created.values['user_id']['new'], {'id': self.user_operator.id, 'name': "Test t_operator"})
        self.assertEqual(
            {name: created.values[name]['new'] for name in ('valid_from', 'valid_to', 'evidence')},
            {'valid_from': str(self._today()), 'valid_to': '2099-01-01', 'evidence': "File 7"})
        row.with_user(self.user_qmanager)._revoke("Left the line.")
        changed = self._entries(row)[1]
        self.assertEqual((changed.kind, changed.user_id), ('write', self.user_qmanager))
        self.assertEqual(changed.values['revoke_reason'], {'old': None, 'new': "Left the line."})
        self.assertIsNone(changed.values['revoked_at']['old'])
        self.env.flush_all()
        self.assertFalse([finding for finding in Verification(self.cr) if finding.severity == FINDING])
        action = row.with_user(self.user_auditor).action_view_audit()
        self.assertEqual(self.env['mrp.audit.entry'].search(action['domain']), created | changed)

    def test_persons_are_kept(self):
        """SIG-060, SEC-030: who is qualified or qualified others stays the same person, and is not deleted."""
        other = self.env['res.partner'].create({'name': "Other"})
        colleague = new_test_user(self.env, login='t_colleague', groups='mrp_mmr.group_mmr_operator')
        colleague.partner_id = other
        self._grant(self.user_qmanager, colleague, self._role('operator'))
        for user in (colleague, self.user_qmanager):
            with self.subTest(user=user.login), self.assertRaisesRegex(UserError, "SIG-060"):
                user.sudo().partner_id = self.user_planner.partner_id
            with self.subTest(user=user.login), self.assertRaisesRegex(UserError, "SIG-060"):
                self.env['base.partner.merge.automatic.wizard']._merge((user.partner_id | other).ids, other)
        for user in (colleague, self.user_qmanager):
            with self.subTest(user=user.login), self.assertRaisesRegex(UserError, "cannot be deleted"):
                user.sudo().unlink()

    def test_uninstall(self):
        """AUD-030: the addon stays while qualifications exist, with or without signatures."""
        self.assertFalse(self.env['mrp.esignature'].search_count([('user_id', '=', self.user_verifier.id)]))
        self.patch(type(self.env['mrp.esignature']), 'search_count', lambda self, domain, limit=None: 0)
        with self.assertRaisesRegex(UserError, "qualifications(?s:.)*AUD-030"):
            self.env['ir.module.module'].search([('name', '=', 'mrp_mmr')]).button_uninstall()

    # === WHO READS === #

    def test_who_reads(self):
        """SEC-030: people read their own; whoever judges, approves or audits reads all, with the certificate."""
        data = base64.b64encode(base64.b64decode(PNG))
        file = self.env['mrp.mmr.file'].sudo()._store("certificate.png", data)
        row = self._grant(self.user_qmanager, self.user_operator, self._role('verifier'), file=file)
        for user in (self.user_operator, self.user_qmanager, self.user_qc, self.user_production, self.user_auditor,
                     self.user_security):
            with self.subTest(user=user.login):
                shown = row.with_user(user).with_context(bin_size=False)
                self.assertEqual((shown.upload, shown.upload_name), (data, "certificate.png"))
                self.assertEqual(shown.subject, "Verifier")
        for user in (self.user_verifier, self.user_planner, self.user_preparer):
            with self.subTest(user=user.login):
                self.assertEqual(self.env[QUALIFICATION].with_user(user).search([]).user_id, user if user.all_group_ids
                                 & user._get_gmp_groups() else self.env['res.users'])
                with self.assertRaises(AccessError):
                    row.with_user(user).read(['evidence'])
                with self.assertRaises(AccessError):
                    row.with_user(user).read(['upload'])

    # === DIALOGS === #

    def test_grant_dialog(self):
        """SEC-030: the quality manager grants one role to several persons; the security administrator sees one role."""
        wizard = Form(self.env[f'{QUALIFICATION}.grant'].with_user(self.user_qmanager).with_context(default_kind='role'))
        wizard.group_id = self._role('verifier')
        wizard.user_ids.add(self.user_operator)
        wizard.user_ids.add(self.user_planner)
        wizard.evidence = "Three years on the line."
        wizard.valid_to = self._today() + timedelta(days=365)
        saved = wizard.save()
        self.assertIn(self._role('operator'), saved.allowed_group_ids)
        saved.write({'upload': PNG, 'upload_name': "certificate.png"})
        saved.action_grant()
        rows = self._of(self.user_operator, 'verifier') | self._of(self.user_planner, 'verifier')
        self.assertEqual(len(rows), 2)
        self.assertEqual(rows.mapped('upload_name'), ["certificate.png"] * 2)
        self.assertEqual(set(rows.mapped('evidence')), {"Three years on the line."})
        security = self.env[f'{QUALIFICATION}.grant'].with_user(self.user_security).create({'kind': 'role'})
        self.assertEqual(security.allowed_group_ids, self._role('quality_manager'))
        action = rows[0].with_user(self.user_qmanager).action_renew()
        self.assertEqual(action['context']['default_valid_from'], str(self._today() + timedelta(days=366)))
        Form(self.env[action['res_model']].with_user(self.user_qmanager).with_context(**action['context']))
        action = rows.with_user(self.user_qmanager).action_revoke()
        wizard = Form(self.env[action['res_model']].with_user(self.user_qmanager).with_context(**action['context']))
        wizard.reason = "Mistake."
        wizard.save().action_revoke()
        self.assertEqual(set(rows.mapped('state')), {'revoked'})

    def test_hostile_defaults(self):
        """SEC-020: defaults of the context set nothing that was not granted."""
        row = self._grant(
            self.user_qmanager.with_context(default_valid_to='2099-01-01'), self.user_operator, self._role('verifier'))
        self.assertFalse(row.valid_to)
        model = self.env[QUALIFICATION].with_user(self.user_qmanager).with_context(
            default_valid_to='2099-01-01', default_revoked_at='2020-01-01', default_reminded_on='2020-01-01')
        row = model._grant(self.user_planner, self._role('verifier'), "x")
        self.assertRecordValues(row, [{'valid_to': False, 'revoked_at': False, 'reminded_on': False}])

    # === REMINDER === #

    def test_reminder(self):
        """SEC-030: who granted it and the security administrators are asked once, in time, unless it is renewed."""
        rows = self.env[QUALIFICATION]
        for days, user in ((29, self.user_operator), (30, self.user_planner), (31, self.user_manager), (0, self.user_qc),
                           (-1, self.user_both)):
            rows |= self._grant(self.user_qmanager, user, self._role('verifier'), valid_from='2026-01-01',
                                valid_to=self._today() + timedelta(days=days))
        renewed = self._grant(self.user_qmanager, self.user_preparer, self._role('verifier'), valid_from='2026-01-01',
                              valid_to=self._today() + timedelta(days=9))
        self._grant(self.user_qmanager, self.user_preparer, self._role('verifier'),
                    valid_from=self._today() + timedelta(days=10))
        gone = self._grant(self.user_qmanager, self.user_verifier, self._role('operator'), valid_to=self._today())
        gone.with_user(self.user_qmanager)._revoke("Left.")
        self.env[QUALIFICATION]._cron_remind()
        soon = rows[0] | rows[1] | rows[3]
        for row in rows | renewed | gone:
            with self.subTest(row=row.display_name):
                self.assertEqual(
                    row.activity_ids.user_id & (self.user_qmanager | self.user_security | self.user_qc),
                    self.user_qmanager | self.user_security if row in soon else self.env['res.users'])
                self.assertEqual(set(row.activity_ids.mapped('date_deadline')), {row.valid_to} if row in soon else set())
        count = len(soon.activity_ids)
        self.env[QUALIFICATION]._cron_remind()
        self.assertEqual(len(soon.activity_ids), count)
        self._grant(self.user_qmanager, rows[0].user_id, self._role('verifier'))
        self.assertFalse(rows[0].activity_ids)
        self.assertTrue(rows[1].activity_ids)
        self.assertFalse([entry for entry in self._entries(rows) if entry.kind != 'create'])

    def test_reminder_queries(self):
        """SEC-030: the number of queries of the reminder does not depend on how many end."""
        users = self._create_users(40)
        counts = []
        for chunk in (users[:5], users[5:]):
            self._grant(self.user_qmanager, chunk, self._role('operator'), valid_to=self._today() + timedelta(days=5))
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.env[QUALIFICATION]._cron_remind()
            self.env.flush_all()
            counts.append(self.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 5)

    def _create_users(self, number, groups='mrp_mmr.group_mmr_operator'):
        group_ids = [Command.link(self.env.ref(name).id) for name in ('base.group_user', *groups.split(','))]
        return self.env['res.users'].with_context(no_reset_password=True).create([
            {'name': f"Person {position}", 'login': f'person-{position}', 'group_ids': group_ids}
            for position in range(number)])

    def test_queries(self):
        """SEC-030: 200 persons are granted, judged and refused with as many queries as one."""
        users = self._create_users(200)
        revision = self._create_mmr()
        revision.training_required = True
        self._make_effective(revision)
        self.env.flush_all()
        model, operator = self.env[QUALIFICATION], self._role('operator')
        granted = self._grant(self.user_qmanager, users, self._role('operator'))
        self.assertEqual(len(granted), 200)
        self._grant(self.user_production, users[:150], revision)
        for chunk in (users[:1], users):
            self.env.flush_all()
            self.env.invalidate_all()
            self.company._get_mmr_today()
            with self.subTest(users=len(chunk)):
                with self.assertQueryCount(1):
                    self.assertEqual(model._filter_qualified(chunk, operator, self.company), chunk)
                revision.mapped('company_id')
                with self.assertQueryCount(3):
                    self.assertEqual(chunk._get_untrained(revision), chunk[150:])
        with self.assertRaisesRegex(UserError, r"Person 150, .*Person 159 …\."):
            revision._check_trained(users)
        self.env.flush_all()
        self.env.invalidate_all()
        counts = []
        for chunk in (users[150:152], users[152:]):
            before = self.cr.sql_log_count
            self._grant(self.user_production, chunk, revision)
            self.env.flush_all()
            counts.append(self.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 12, counts)


@tagged('post_install', '-at_install')
class TestQualificationViews(QualificationCommon):

    def test_views(self):
        """SEC-030: everybody concerned opens the list, the form and the page of the user."""
        row = self._of(self.user_qc, 'qc')
        action = 'mrp_mmr.mrp_qualification_action'
        for user in (self.user_qmanager, self.user_security, self.user_production, self.user_qc, self.user_auditor):
            with self.subTest(user=user.login):
                views = self.env[QUALIFICATION].with_user(user).get_views(
                    [(False, 'list'), (False, 'form'), (False, 'search')])
                self.assertEqual(
                    'action_grant' in views['views']['list']['arch'], user in (self.user_qmanager, self.user_security))
                self.assertEqual('action_revoke' in views['views']['form']['arch'], user != self.user_auditor)
                Form(row.with_user(user))
                self.assertEqual(self.env['ir.actions.actions'].with_user(user)._for_xml_id(action)['res_model'], QUALIFICATION)
        form = Form(self.user_qc.with_user(self.user_security), view='base.view_users_form')
        self.assertEqual(len(form.mmr_qualification_ids), 1)

    def test_filters(self):
        """SEC-030: the filters find what their names say."""
        day = self._today()
        rows = {
            name: self._grant(
                self.user_qmanager, self.user_planner, self._role('operator'), valid_from=day + timedelta(days=first),
                valid_to=day + timedelta(days=last))
            for name, first, last in (('current', -9, 90), ('expiring', -9, 9), ('expired', -9, -1), ('future', 1, 99))}
        rows['revoked'] = self._grant(self.user_qmanager, self.user_planner, self._role('operator'))
        rows['revoked'].with_user(self.user_qmanager)._revoke("x")
        arch = self.env[QUALIFICATION].with_user(self.user_qmanager).get_view(view_type='search')['arch']
        found = {}
        for node in etree.fromstring(arch).iter('filter'):
            if node.get('domain') and node.get('name') in rows:
                found[node.get('name')] = self.env[QUALIFICATION].search(
                    [('user_id', '=', self.user_planner.id), *safe_eval(node.get('domain'))])
        self.assertEqual(found, dict(rows, current=rows['current'] | rows['expiring']))
        for name, row in rows.items():
            self.assertEqual((row.state, row.is_expiring), ('current' if name == 'expiring' else name, name == 'expiring'))


@tagged('post_install', '-at_install')
class TestQualificationHttp(QualificationCommon, HttpCase):

    def _call(self, model, method, *args, **kwargs):
        response = self.url_open(
            f'/web/dataset/call_kw/{model}/{method}', headers={'Content-Type': 'application/json'},
            data=json.dumps({'jsonrpc': '2.0', 'params': {'model': model, 'method': method, 'args': args, 'kwargs': kwargs}}))
        return response.json()

    def test_remote_calls(self):
        """SEC-020, SEC-030: what the dialogs refuse, a remote call is refused as well."""
        row = self._of(self.user_qc, 'qc')
        vals = {'user_id': self.user_planner.id, 'kind': 'role', 'group_id': self._role('qc').id, 'evidence': "x",
                'company_id': self.company.id, 'valid_from': '2026-01-01', 'granted_by_id': self.user_qmanager.id,
                'granted_at': '2026-01-01 00:00:00'}
        for user in (self.user_qmanager, self.user_qc):
            self.authenticate(user.login, PASSWORD)
            for method, args in (
                    ('create', [vals]), ('write', [row.ids, {'valid_to': '2099-01-01'}]), ('unlink', [row.ids]),
                    ('copy', [row.ids]), ('_store', [[vals]]), ('_grant', [row.ids]), ('action_archive', [row.ids]),
                    ('web_save', [row.ids, {'evidence': "y"}, {}])):
                with self.subTest(user=user.login, method=method):
                    self.assertIn('error', self._call(QUALIFICATION, method, *args))
            answer = self._call(QUALIFICATION, 'load', list(vals), [[str(value) for value in vals.values()]])
            self.assertFalse(answer['result']['ids'])
        answer = self._call('mrp.qualification.grant', 'create', [
            {'kind': 'role', 'group_id': self._role('qc').id, 'user_ids': [[6, 0, self.user_planner.ids]], 'evidence': "x"}])
        answer = self._call('mrp.qualification.grant', 'action_grant', answer['result'])
        self.assertIn("SEC-030", answer['error']['data']['message'])
        self.assertFalse(self._of(self.user_planner))
