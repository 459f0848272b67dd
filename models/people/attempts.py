"""Wrong attempts at the terminal of a colleague count for that session and lock nobody out (SIG-090, SEC-010)."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.http import request

from ...domain.refusals import refusal
from ...domain.sessions import current_session_uid, session_digest

RULE = "SIG-090, SEC-010, 21 CFR 11.300(d), 11.10(d)"


class MrpSignerAttempt(models.Model):
    _inherit = 'mrp.signer.attempt'

    session_sha256 = fields.Char(
        "Digest of the Session", readonly=True, help="Session of another person in which this person tried to sign.")


class MrpSigner(models.Model):
    """In one's own session, wrong attempts lock the signer; in another person's session they only end the attempts there."""
    _inherit = 'mrp.signer'

    @api.model
    def _get_foreign_session(self, user):
        """Return the digest of the session where it is not that of ``user``, or None."""
        uid = current_session_uid(request)
        return session_digest(request) if uid and uid != user.id else None

    def _get_failures_domain(self, session):
        since = fields.Datetime.now() - timedelta(minutes=self.company_id.mmr_sign_failure_minutes)
        return [('user_id', '=', self.user_id.id), ('at', '>=', since), ('session_sha256', '=', session or False)]

    def _count_failures(self):
        self.ensure_one()
        return self.env['mrp.signer.attempt'].search_count(self._get_failures_domain(None))

    @api.model
    def _begin_attempt(self, user):
        session = self._get_foreign_session(user)
        if not session:
            return super()._begin_attempt(user)
        trying = self.env.user
        if not self.env['res.users']._get_gmp_groups() & trying.sudo().all_group_ids:
            raise refusal(
                self.env,
                self.env._("%(user)s has no GMP role, so nobody else can try to sign in this session.", user=trying.name), RULE,
                self.env._("sign at a terminal of the shop floor, or in your own session."), record=trying)

        def begin(env):
            signer = self._lock_row(env, user)
            attempts = env['mrp.signer.attempt']
            if signer.locked_at:
                return 'locked'
            if attempts.search_count(signer._get_failures_domain(session)) >= signer.company_id.mmr_sign_failures:
                return None
            return attempts.create({'user_id': user.id, 'at': fields.Datetime.now(), 'session_sha256': session}).id

        attempt = self._retry(begin)
        if attempt == 'locked':
            return super()._begin_attempt(user)
        if not attempt:
            raise refusal(
                self.env, self.env._("Too many wrong attempts for %s in this session.", user.name), RULE,
                self.env._("wait, or sign in your own session: signing is not locked there."), record=trying)
        return attempt

    @api.model
    def _end_attempt(self, user, attempt, is_right):
        if is_right or not self._get_foreign_session(user):
            super()._end_attempt(user, attempt, is_right)
