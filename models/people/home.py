"""The start page of new users: My Work, where they have a GMP role and nobody chose another page (USR-010)."""

from odoo import api, models

from ..base.my_work import ACTION


class ResUsers(models.Model):
    _inherit = 'res.users'

    @api.model_create_multi
    def create(self, vals_list):
        users = super().create(vals_list)
        action = self.env.ref(ACTION, raise_if_not_found=False)
        # Those who work already keep their page; My Work offers to become it.
        new = users.sudo().filtered(lambda user: not user.share and not user.action_id) if action else users.browse()
        with_role = new.filtered(lambda user: user.all_group_ids & user._get_gmp_groups())
        if with_role:
            with_role.write({'action_id': action.id})
        return users
