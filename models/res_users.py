from odoo import models

from ..tools import refusal


class ResUsers(models.Model):
    _inherit = 'res.users'

    def write(self, vals):
        if 'partner_id' in vals:
            self._check_gmp_person_kept(vals['partner_id'])
        return super().write(vals)

    def _check_gmp_person_kept(self, partner_id):
        """A signing identity belongs to one person and is never reassigned (SIG-060, 21 CFR 11.100(a)).

        :raise UserError: for users who signed, or edited content that somebody else must approve
        """
        for user in self.sudo().filtered(lambda user: user.partner_id.id != partner_id):
            if self.env['mrp.esignature'].sudo().search_count([('user_id', '=', user.id)], limit=1) \
                    or self.env['mrp.mmr.revision'].sudo().search_count([('editor_ids', 'in', user.ids)], limit=1):
                raise refusal(
                    self.env,
                    self.env._("%s has signed or edited GMP records and stays the same person.", user.name),
                    "SIG-060, 21 CFR 11.100(a)", self.env._("create another user for another person."), record=user)

    def _get_gmp_persons(self):
        """Return keys of the persons behind these users.

        Rules that want *different persons* compare persons, not logins: two users may share one
        partner or, with the HR app, one employee (21 CFR 111.12(b), 211.186(a)).
        """
        users = self.sudo().with_context(active_test=False)
        persons = {('partner', partner.id) for partner in users.partner_id}
        if 'employee_ids' in users._fields:
            persons |= {('employee', employee.id) for employee in users.employee_ids}
        return persons
