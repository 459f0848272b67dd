"""Health data for the people who run the server: the age of the last seal and verification, and the jobs (AUD-040)."""

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

from ...domain.refusals import refusal

#: Hours after which a line of the ledger is sealed, and evidence verified again: each happens once a day.
SEAL_HOURS = VERIFY_HOURS = 26
#: Hours by which a job may be late.
JOB_HOURS = 2
#: Who is told: those who verify, and who administers Odoo.
GROUPS = ('mrp_mmr.group_mmr_qc', 'mrp_mmr.group_mmr_auditor', 'mrp_mmr.group_mmr_security', 'base.group_system')


class MrpAuditVerify(models.Model):
    _inherit = 'mrp.audit.verify'

    @api.readonly
    @api.model
    def get_health(self):
        """Return whether evidence is looked after in time; it names no record, company or person.

        :return: dict of ``status`` (``ok``, ``late`` or ``failed``), ``at`` (UTC), ``unsealed_hours`` (age of the oldest line
            of the ledger that no seal covers), ``verified_hours`` (age of the oldest last verification of a company, None where
            there is none yet), ``failed`` (companies whose last verification found something) and ``jobs``: for each
            its name, ``late_hours``, ``failures`` in a row and whether it is ``active``
        :raise AccessError: for users who neither verify evidence nor administer Odoo
        """
        if not self.env.su and not any(map(self.env.user.has_group, GROUPS)):
            raise refusal(
                self.env, self.env._("Only users who verify evidence or administer Odoo can read its health."),
                "AUD-040, SEC-010, 21 CFR 11.10(d)", self.env._("ask a person with one of these roles."), exception=AccessError)
        now = fields.Datetime.now()
        unsealed, (verified, failed), jobs = self._get_unsealed_since(), self._get_last_outcomes(), self._get_jobs(now)
        answer = {
            'at': fields.Datetime.to_string(now), 'unsealed_hours': self._hours(now, unsealed),
            'verified_hours': self._hours(now, verified), 'failed': failed, 'jobs': jobs}
        is_late = (answer['unsealed_hours'] > SEAL_HOURS or answer['verified_hours'] > VERIFY_HOURS or any(
            job['late_hours'] > JOB_HOURS or job['failures'] or not job['active'] for job in jobs))
        return {'status': 'failed' if failed else 'late' if is_late else 'ok', **answer}

    @api.model
    def _hours(self, now, since):
        return round((now - since).total_seconds() / 3600, 2) if since else 0.0

    @api.model
    def _get_unsealed_since(self):
        """Return when the oldest line was written that no seal covers, or None."""
        [[at]] = self.env.execute_query(SQL(
            """SELECT min(e.at) FROM mrp_audit_chain c
                 JOIN mrp_audit_entry e ON e.chain_id = c.id AND e.index = COALESCE(c.sealed_index, 0) + 1
                WHERE c.head_index > COALESCE(c.sealed_index, 0)"""))
        return at

    @api.model
    def _get_last_outcomes(self):
        """Return when the company was verified last that waits longest, or the database began; and how many did not verify."""
        rows = self.env.execute_query(SQL(
            """SELECT c.id, v.state, COALESCE(v.ended_at, c.create_date) FROM res_company c LEFT JOIN LATERAL (
                      SELECT r.state, r.ended_at FROM mrp_audit_verify r
                       WHERE r.company_id = c.id AND r.state IN ('passed', 'failed') ORDER BY r.id DESC LIMIT 1) v ON TRUE"""))
        return min((at for _company, _state, at in rows if at), default=None), sum(state == 'failed' for _c, state, _at in rows)

    @api.model
    def _get_jobs(self, now):
        data = self.env['ir.model.data'].sudo().search([('module', '=', 'mrp_mmr'), ('model', '=', 'ir.cron')], order='name')
        jobs = self.env['ir.cron'].sudo().with_context(active_test=False).search([('id', 'in', data.mapped('res_id'))])
        names = dict(zip(data.mapped('res_id'), data.mapped('name'), strict=True))
        return [{
            'name': names[job.id], 'late_hours': max(0.0, self._hours(now, job.nextcall)), 'failures': job.failure_count,
            'active': job.active} for job in sorted(jobs, key=lambda job: names[job.id])]
