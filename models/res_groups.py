from odoo import models


class ResGroups(models.Model):
    _inherit = 'res.groups'

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
