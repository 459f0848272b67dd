"""Auditors whose role ends on a day (SEC-010, 21 CFR 11.10(d), Annex 11 §12)."""

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Command, Domain
from odoo.tools import ormcache

from ...domain.refusals import refusal

AUDITOR = 'mrp_mmr.group_mmr_auditor'


class ResUsers(models.Model):
    """After its last day the role gives no access, whether the nightly job has taken it away by then or not.

    The refusal sits where Odoo asks for the groups of a user: below every form, remote call, report and
    ``with_user``. A check at login would not end a session that is open, nor an API key, and would shut persons
    out who have other roles. A record rule does not do either: what Odoo computes of rules and access rights is
    remembered for each user until groups change, and knows no date. So the groups leave out the role
    (:meth:`_get_group_ids`), and the two places that remember what followed from them look again: access
    rights in ``ir.model.access`` and record rules in ``ir.rule``.
    """
    _inherit = 'res.users'

    mmr_auditor_until = fields.Date(
        "Auditor Until", groups='mrp_mmr.group_mmr_security', copy=False,
        help="Last day of the Auditor role, in the time zone of the company. Empty: until the role is removed.")

    @api.model
    def _get_invalidation_fields(self):
        return super()._get_invalidation_fields() | {'mmr_auditor_until'}

    @ormcache('self.id')
    def _get_auditor_until(self):
        """Return the last day of an auditor, and None for everybody else; asked with every check of access."""
        user = self.sudo().with_context({})  # pylint: disable=context-overridden
        auditor = self.env.ref(AUDITOR, raise_if_not_found=False)
        return (auditor and auditor in user.all_group_ids and user.mmr_auditor_until) or None

    def _is_auditor_lapsed(self):
        """Whether this user still is in the group of auditors, and the last day has passed."""
        until = self._get_auditor_until()
        return until is not None and until < self.sudo().company_id._get_mmr_today()

    def _get_group_ids(self):
        group_ids = super()._get_group_ids()
        return self._get_group_ids_after_audit() if self._is_auditor_lapsed() else group_ids

    @ormcache('self.id')
    def _get_group_ids_after_audit(self):
        user = self.sudo().with_context({})  # pylint: disable=context-overridden
        auditor = self.env.ref(AUDITOR)
        # Whoever is auditor alone stays an internal user, who may log in and sees nothing of GMP.
        return ((user.group_ids - auditor | self.env.ref('base.group_user')).all_implied_ids - auditor)._ids

    def _check_auditor_until(self):
        """Refuse everybody except a security administrator, and also this one for their own account."""
        user = self.env.user
        if self.env.su:
            return
        if user in self or not user.has_group('mrp_mmr.group_mmr_security'):
            raise refusal(
                self.env,
                self.env._("The end of an auditor's role must be set by another person who is a security administrator."),
                "SEC-010, 21 CFR 11.10(d), (g)", self.env._("ask a security administrator."), record=self,
                exception=AccessError)

    @api.model
    def _cron_end_auditors(self):
        """Take the role from auditors whose last day has passed; the ledger has a line about each (AUD-060)."""
        auditor = self.env.ref(AUDITOR)
        users = self.sudo().with_context(active_test=False).search(
            Domain('group_ids', 'in', auditor.ids) & self.env['res.company']._get_mmr_past_domain('mmr_auditor_until'))
        users.filtered(lambda user: user._is_auditor_lapsed()).write({
            'group_ids': [Command.unlink(auditor.id), Command.link(self.env.ref('base.group_user').id)]})
