"""The page GMP Set-Up: what a company still needs, by whom, and how it gets shorter (USR-010)."""

from odoo.fields import Command
from odoo.tests import tagged

from ..common.base import HttpCase, MmrCommon, create_person


@tagged('post_install', '-at_install')
class TestSetupPage(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.fresh = cls.env['res.company'].create({'name': "Fresh Ltd.", 'mmr_tz': 'UTC'})
        cls.admin = cls.env.ref('base.user_admin')
        cls.admin.company_ids |= cls.fresh

    def _read(self, company=None, user=None):
        user = user or self.admin
        page = self.env['res.company'].with_user(user).with_context(
            allowed_company_ids=(company or self.fresh).ids).get_mmr_setup()
        return page, {row['key']: row for section in page['sections'] for row in section['rows']}

    def _add(self, login, *roles):
        """Return a person of the fresh company alone, who may sign."""
        user = create_person(self.env, login, ','.join(f'mrp_mmr.group_mmr_{role}' for role in roles))
        user.write({'company_id': self.fresh.id, 'company_ids': [Command.set(self.fresh.ids)]})
        self.env['mrp.signer'].sudo()._set_up(user, self.admin, "Test")
        return user

    def test_empty_company(self):
        """USR-010: an empty company is told what, why, who; nothing is done, and what comes later says what it waits for."""
        page, rows = self._read()
        self.assertEqual(
            {key: rows[key]['state'] for key in ('day', 'seal', 'certified', 'role_qc', 'close', 'terminals', 'master')},
            {'day': 'check', 'seal': 'open', 'certified': 'optional', 'role_qc': 'open', 'close': 'later',
             'terminals': 'optional', 'master': 'open'})
        self.assertIn("Security Administrator", rows['close']['detail'])
        self.assertFalse(page['closed'])
        for row in rows.values():
            self.assertRegex(row['why'], r"[A-Z]{3}-\d{3}.*(21 CFR|EU GMP)", row['key'])
            self.assertTrue(row['who'] and row['title'])
        # What the administrator may do has a button that leads there.
        self.assertEqual(rows['seal']['action']['res_model'], 'res.config.settings')
        self.assertEqual(rows['role_security']['action']['res_model'], 'res.users')

    def test_people(self):
        """USR-010, SEC-070, SIG-120: a role is done when enough persons may sign; each other one says what is missing."""
        lead = self._add('p_lead', 'security')
        _page, rows = self._read()
        self.assertEqual(rows['role_security']['state'], 'open')
        self._add('p_second', 'security')
        self._add('p_manager', 'quality_manager')
        quality = self._add('p_quality', 'qc')
        page, rows = self._read(user=lead)
        self.assertEqual({rows[f'role_{name}']['state'] for name in ('security', 'quality_manager', 'qc')}, {'done'})
        self.assertEqual((rows['close']['state'], rows['close']['action']['method']), ('open', 'action_mmr_close_setup'))
        self.assertFalse(self._read(user=quality)[1]['close']['action'])
        signer = self.env['mrp.signer']._get(quality).with_user(lead)
        signer._set_shared(True)
        self.assertIn("p_quality: shared account", self._read()[1]['role_qc']['detail'])
        signer._set_shared(False)
        getattr(self.fresh.with_user(lead), rows['close']['action']['method'])()
        after, rows = self._read()
        self.assertTrue(after['closed'])
        self.assertEqual((rows['close']['state'], rows['close']['done_by']), ('done', lead.name))
        self.assertEqual(after['done'], page['done'] + 1)

    def test_settings(self):
        """USR-010, AUD-060: a setting that was made says by whom, from the ledger; looked at is done, whatever the zone is."""
        self.fresh.with_user(self.admin).write({'mmr_seal_email': "seals@example.com", 'mmr_tz': 'Europe/Madrid'})
        self.fresh.with_user(self.admin).mmr_tz = 'UTC'
        _page, rows = self._read()
        self.assertEqual((rows['seal']['state'], rows['seal']['detail']), ('done', "seals@example.com"))
        self.assertEqual(rows['seal']['done_by'], self.admin.name)
        self.assertEqual(rows['day']['state'], 'done')

    def test_first_master(self):
        """USR-010, MMR-010: the row of the first master names it, its state, and who approved it."""
        revision = self._create_mmr()
        _page, rows = self._read(self.company)
        before = rows['master']
        self._make_effective(revision)
        _page, rows = self._read(self.company)
        self.assertEqual(rows['master']['state'], 'done')
        if before['state'] == 'open':
            self.assertIn("Draft", before['detail'])
            self.assertEqual(rows['master']['done_by'], self.user_qc.name)

    def test_older_lots(self):
        """USR-010, REL-070: lots from before the control are listed for a decision; another company's are not."""
        before = self._read(self.company)[1]['lots']
        self.assertEqual(self._read()[1]['lots']['state'], 'done')
        product = self.env['product.product'].create({
            'name': "Old", 'type': 'consu', 'is_storable': True, 'tracking': 'lot', 'company_id': self.fresh.id})
        lot = self.env['stock.lot'].create({'name': "OLD-1", 'product_id': product.id, 'company_id': self.fresh.id})
        product.mmr_lot_release = True
        self.assertFalse(lot.mmr_status)
        row = self._read()[1]['lots']
        self.assertEqual((row['state'], row['detail']), ('open', "1 without a status."))
        self.assertEqual(self.env['stock.lot'].search(row['action']['domain'] + [('company_id', '=', self.fresh.id)]), lot)
        self.assertEqual(self._read(self.company)[1]['lots'], before)

    def test_readers(self):
        """USR-010, SEC-010: who has no part in the set-up does not see it."""
        for user in (self.user_operator, self.user_planner):
            with self.assertRefused('SEC-010', 'AccessError'):
                self.env['res.company'].with_user(user).get_mmr_setup()
        self.assertFalse(self._read(self.company, self.user_auditor)[1]['seal']['action'])

    def test_queries(self):
        """USR-010, PRF-010: ten times as many persons ask for no query more."""
        counts = []
        for number in (2, 18):
            for place in range(number):
                self._add(f'q_{number}_{place}', 'operator')
            self._read()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self._read()
            counts.append(self.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0])


@tagged('post_install', '-at_install')
class TestSetupPageTour(MmrCommon, HttpCase):

    def test_page(self):
        """USR-010: the administrator sees what is done, opens a row, and comes back."""
        self.start_tour('/odoo/gmp-setup', 'mrp_mmr_setup_page', login='admin')
