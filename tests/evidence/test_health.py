"""What whoever runs the server is told about seals, verification and jobs (AUD-040)."""

from datetime import timedelta

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from ..common.base import HttpCase, MmrCommon


@tagged('post_install', '-at_install')
class TestHealth(MmrCommon, HttpCase):

    def setUp(self):
        super().setUp()
        self.verify = self.env['mrp.audit.verify']
        self.jobs = self.env['ir.cron'].search([('id', 'in', self.env['ir.model.data'].search([
            ('module', '=', 'mrp_mmr'), ('model', '=', 'ir.cron')]).mapped('res_id'))])
        now = fields.Datetime.now()
        self.env.execute_query(SQL(
            "UPDATE ir_cron SET nextcall = %s, failure_count = 0 WHERE id IN %s RETURNING id",
            now + timedelta(hours=1), self.jobs._ids))
        self.env.invalidate_all()
        for company in self.env['res.company'].search([]):
            self.env['mrp.audit.seal']._seal(company)
            self.verify.create({'company_id': company.id, 'state': 'passed', 'ended_at': now, 'is_nightly': True})

    def test_in_time(self):
        """AUD-040: all is in time; the answer names nobody and nothing."""
        health = self.verify.get_health()
        self.assertEqual((health['status'], health['failed']), ('ok', 0), health)
        self.assertEqual(health['unsealed_hours'], 0)
        self.assertEqual(len(health['jobs']), len(self.jobs))
        self.assertNotIn(self.company.name, str(health))

    def test_late(self):
        """AUD-040: a line without seal, a night without verification, a job that is late, off or failing."""
        past = fields.Datetime.now() - timedelta(hours=30)
        job = self.jobs[0]
        for query in (
                SQL("UPDATE mrp_audit_verify SET ended_at = %s RETURNING id", past),
                SQL("UPDATE ir_cron SET nextcall = %s WHERE id = %s RETURNING id", past, job.id),
                SQL("UPDATE ir_cron SET active = FALSE WHERE id = %s RETURNING id", job.id),
                SQL("UPDATE ir_cron SET failure_count = 1 WHERE id = %s RETURNING id", job.id)):
            with self.subTest(query=query.code), self.env.cr.savepoint() as savepoint:
                self.env.execute_query(query)
                self.env.invalidate_all()
                self.assertEqual(self.verify.get_health()['status'], 'late')
                savepoint.rollback()
                self.env.invalidate_all()
        self.env['mrp.audit.entry']._append_about('print', self.company, {'report': {'new': "x"}})
        self.assertEqual(self.verify.get_health()['unsealed_hours'], 0.0, "it waits since now")
        self.startPatcher(self._later(hours=27))
        self.assertEqual(self.verify.get_health()['status'], 'late')

    def _later(self, hours):
        return freeze_time(fields.Datetime.now() + timedelta(hours=hours))

    def test_failed(self):
        """AUD-040: what does not verify comes first."""
        self.verify.create({'company_id': self.company.id, 'state': 'failed', 'ended_at': fields.Datetime.now()})
        self.assertEqual((self.verify.get_health()['status'], self.verify.get_health()['failed']), ('failed', 1))

    def test_who(self):
        """SEC-010: who neither verifies evidence nor administers Odoo is refused."""
        with self.assertRaisesRegex(AccessError, "AUD-040"):
            self.verify.with_user(self.user_operator).get_health()

    def test_address(self):
        """AUD-040, SEC-010: a program asks with an API key; without one, or with another's, it gets nothing."""
        def get(user=None):
            key = user and self.env['res.users.apikeys'].with_user(user)._generate(None, "Monitoring", fields.Datetime.add(
                fields.Datetime.now(), days=1))
            return self.url_open('/mrp_mmr/health', headers={'Authorization': f'Bearer {key}'} if key else {})
        response = get(self.user_auditor)
        self.assertEqual((response.status_code, response.json()['status']), (200, 'ok'))
        self.verify.create({'company_id': self.company.id, 'state': 'failed', 'ended_at': fields.Datetime.now()})
        self.assertEqual(get(self.user_auditor).status_code, 503)
        with mute_logger('odoo.http'):
            self.assertIn(get().status_code, (401, 403))
            self.assertGreaterEqual(get(self.user_operator).status_code, 400)
