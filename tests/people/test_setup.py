"""The set-up of a company has an end; afterwards GMP roles take two people (SEC-070, H-04)."""

from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from ..common.base import PASSWORD, MmrCommon, create_person


@tagged('post_install', '-at_install')
class TestSetup(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env['res.company'].create({'name': "Fresh Ltd."})
        cls.env.user.company_ids += cls.company
        where = {'company_id': cls.company.id, 'company_ids': [Command.set(cls.company.ids)]}

        def person(login, *roles):
            user = create_person(cls.env, login, ','.join(f'mrp_mmr.group_mmr_{role}' for role in roles))
            user.write(where)
            cls.env['mrp.signer'].sudo()._set_up(user, cls.env.ref('base.user_admin'), "Test")
            return user

        cls.security, cls.manager, cls.qc = (
            person('s_security', 'security'), person('s_manager', 'quality_manager'), person('s_qc', 'qc'))
        cls.puppet = new_test_user(
            cls.env, login='s_puppet', password=PASSWORD, groups='base.group_user', company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)])
        cls.role = cls.env.ref('mrp_mmr.group_mmr_qc')

    def _close(self):
        self.company.with_user(self.security).action_mmr_close_setup()
        self.assertEqual(self.company.mmr_setup_closed_by_id, self.security)

    def _gives(self, giver, user=None, group=None):
        return (user or self.puppet).with_user(giver).sudo().write({'group_ids': [Command.link((group or self.role).id)]})

    def _last(self, model):
        return self.env['mrp.audit.entry'].search([('res_model', '=', model)], order='id desc', limit=1)

    def test_end(self):
        """H-04, SEC-070: a security administrator closes the set-up once, when three persons are there; nobody reopens it."""
        for user in (self.manager, self.qc, self.user_qc, self.env.ref('base.user_admin')):
            with self.subTest(user=user.login), self.assertRefused('SEC-070', 'AccessError'):
                self.company.with_user(user).action_mmr_close_setup()
        for vals in ({'mmr_setup_closed_at': '2020-01-01'}, {'mmr_setup_closed_by_id': self.security.id}):
            for record in (self.company, self.company.sudo(), self.company.with_user(self.security).sudo()):
                with self.assertRefused('SEC-070'):
                    record.write(vals)
            with self.assertRefused('SEC-070'):
                self.env['res.company'].create({'name': "Other", **vals})
        self.qc.active = False
        with self.assertRefused('SEC-070'):
            self.company.with_user(self.security).action_mmr_close_setup()
        self.qc.active = True
        self._close()
        line = self._last('res.company')
        self.assertEqual(line.user_id, self.security)
        self.assertIn('mmr_setup_closed_at', line.values)
        with self.assertRefused('SEC-070'):
            self.company.with_user(self.security).action_mmr_close_setup()
        for change in ("mmr_setup_closed_at = NULL", "mmr_setup_closed_at = now()", "mmr_setup_closed_by_id = 2"):
            with self.subTest(change), self.assertRefused('mrp_mmr_company_setup'):
                self.env.cr.execute(f"UPDATE res_company SET {change} WHERE id = %s", [self.company.id])
        other = self.env['res.company'].create({'name': "By SQL"})
        with self.assertRefused('mrp_mmr_company_setup'):
            self.env.cr.execute(
                "UPDATE res_company SET mmr_setup_closed_at = now(), mmr_setup_closed_by_id = %s WHERE id = %s",
                [self.qc.id, other.id])

    def test_missing_person(self):
        """SEC-070: one person with two of the roles is not two persons."""
        self.qc.active = False
        self.manager.sudo().group_ids += self.role
        with self.assertRefused('SEC-070') as refused:
            self.company.with_user(self.security).action_mmr_close_setup()
        self.assertIn("Quality Control", refused.text)

    def test_before(self):
        """H-04, SEC-070: what is done before says so in the ledger."""
        admin = self.env.ref('base.user_admin')
        self._gives(admin)
        self.assertEqual(self._last('res.users').values['setup'], {'new': True})
        self.env['mrp.qualification'].with_user(self.manager).with_company(self.company)._grant(
            self.puppet, self.role, "Diploma", company=self.company)
        self.assertEqual(self._last('mrp.qualification').values['setup'], {'new': True})
        self.assertTrue(self.env['mrp.qualification']._filter_qualified(self.puppet, self.role, self.company))

    def test_roles_after(self):
        """H-04, SEC-070: afterwards neither administrator, superuser nor anybody for oneself gives a role, by no road."""
        self._close()
        admin = new_test_user(
            self.env, login='s_admin', password=PASSWORD, groups='base.group_system', company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)])
        for giver in (admin, self.manager, self.qc, self.env.ref('base.user_root')):
            with self.subTest(giver=giver.login):
                with self.assertRefused('SEC-070'):
                    self._gives(giver)
                with self.assertRefused('SEC-070'):
                    self.role.with_user(giver).sudo().write({'user_ids': [Command.link(self.puppet.id)]})
                with self.assertRefused('SEC-070'):
                    self.env['res.users'].with_user(giver).sudo().create({
                        'name': "Invented", 'login': f'invented-{giver.id}', 'company_id': self.company.id,
                        'company_ids': [Command.set(self.company.ids)], 'group_ids': [Command.link(self.role.id)]})
                carrier = self.env['res.groups'].create({'name': "Carrier", 'user_ids': [Command.link(self.puppet.id)]})
                with self.assertRefused('SEC-070'):
                    carrier.with_user(giver).sudo().write({'implied_ids': [Command.link(self.role.id)]})
                # As Odoo does when it rolls a request back.
                self.env.registry.clear_all_caches()
        with self.assertRefused('SEC-070'):
            self._gives(self.security, self.security)
        self._gives(self.security)
        self.assertNotIn('setup', self._last('res.users').values)

    def test_second_person(self):
        """H-04, SEC-070: a role that was given counts when somebody else than whoever gave it qualified its holder."""
        qualifications = self.env['mrp.qualification']
        earlier = qualifications.with_user(self.manager)._grant(self.puppet, self.role, "Diploma", company=self.company)
        self._close()
        self._gives(self.security)
        with self._unguarded('mrp_qualification') as cr:
            cr.execute("UPDATE mrp_qualification SET granted_at = granted_at - interval '1 day' WHERE id = %s", [earlier.id])
        self.assertFalse(qualifications._filter_qualified(self.puppet, self.role, self.company))
        qualifications.with_user(self.manager)._grant(self.puppet, self.role, "Interview", company=self.company)
        self.assertTrue(qualifications._filter_qualified(self.puppet, self.role, self.company))
        # Whoever gave the role of the quality manager, which security administrators may qualify for, does not do both.
        role = self.env.ref('mrp_mmr.group_mmr_quality_manager')
        self._gives(self.security, group=role)
        with self.assertRefused('SEC-070'):
            qualifications.with_user(self.security)._grant(self.puppet, role, "Appointed", company=self.company)
