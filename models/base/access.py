"""Access rights of a time-limited auditor end with the role, whatever is remembered of them."""

from odoo import api, models


class IrModelAccess(models.Model):
    _inherit = 'ir.model.access'

    @api.model
    def check(self, model, mode='read', raise_exception=True):
        has_access = super().check(model, mode, raise_exception)
        # What is remembered of a user's rights is older than the end of an auditor's role (see res_users_auditor.py).
        if has_access and not self.env.su and self.env.user._is_auditor_lapsed():
            has_access = self._get_access_groups(model, mode).matches(self.env.user._get_group_ids())
            if not has_access and raise_exception:
                raise self._make_access_error(model, mode)
        return has_access
