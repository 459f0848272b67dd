"""GMP roles: groups that say who may sign as what, and whom of Quality Control to tell."""

from odoo import api, models
from odoo.fields import Domain

from ...domain.refusals import refusal
from ..base.model import is_update


class ResGroups(models.Model):
    _inherit = 'res.groups'

    @api.ondelete(at_uninstall=True)
    def _unlink_except_gmp_roles(self):
        """A role does not vanish, with all who have it, while there is evidence that names it (AUD-060)."""
        if is_update(self.env) or not self.env['mrp.esignature'].sudo().search_count([], limit=1):
            return
        for group in self.sudo().search(Domain('id', 'in', self.ids) & self.env['res.users']._get_gmp_roles_domain()):
            raise refusal(
                self.env, self.env._("%s is a role that appears in signed records.", group.display_name),
                "REC-040, AUD-060, 21 CFR 11.10(c), (d)", self.env._("remove the role from its users instead."), record=group)

    def unlink(self):
        # A group that gave a role takes it with it.
        before = self._get_gmp_users()._get_gmp_access()
        result = super().unlink()
        self.env['res.users'].union(*before)._audit_gmp_access(before)
        return result

    def write(self, vals):
        if not {'user_ids', 'implied_ids', 'implied_by_ids', 'all_user_ids'} & vals.keys():
            return super().write(vals)
        # Roles change on this side as well (AUD-060).
        users = self.env['res.users'].sudo().with_context(active_test=False)
        involved = self._get_gmp_users()
        before = involved._get_gmp_access()
        result = super().write(vals)
        after = self._get_gmp_users()
        for user in after - involved:
            before[user] = {}
        (users | involved | after)._audit_gmp_access(before)
        return result

    def _get_gmp_users(self):
        """Return everybody whose roles these groups could give."""
        groups = self.sudo() | self.sudo().all_implied_by_ids
        return groups.with_context(active_test=False).all_user_ids if self.env['res.users']._get_gmp_groups() & (
            self.sudo().all_implied_ids | self.sudo()) else self.env['res.users']

    def _get_active_members(self, company):
        """Return the active users of this role in a company, whoever calls, in the order in which they are notified."""
        return self.sudo().all_user_ids.filtered(lambda user: user.active and company in user.company_ids)


class ResCompany(models.Model):
    _inherit = 'res.company'

    def _get_quality_control(self):
        """Return the members of Quality Control of this company; where one of them is told of something, it is the first."""
        self.ensure_one()
        return self.env.ref('mrp_mmr.group_mmr_qc')._get_active_members(self)
