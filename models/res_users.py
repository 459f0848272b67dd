from odoo import models


class ResUsers(models.Model):
    _inherit = 'res.users'

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
