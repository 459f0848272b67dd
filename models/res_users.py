from odoo import api, models

from ..tools import refusal

#: What of a user goes to the ledger beside the roles.
AUDITED_FIELDS = {'login', 'name', 'active', 'partner_id', 'company_ids'}
ROLE_FIELDS = {'group_ids', 'role'}


class ResUsers(models.Model):
    _inherit = 'res.users'

    @api.model_create_multi
    def create(self, vals_list):
        users = super().create(vals_list)
        users._audit_gmp_access({user: {} for user in users})
        return users

    def write(self, vals):
        if 'partner_id' in vals:
            self._check_gmp_person_kept(vals['partner_id'])
        if not (AUDITED_FIELDS | ROLE_FIELDS) & vals.keys():
            return super().write(vals)
        before = self._get_gmp_access()
        result = super().write(vals)
        self._audit_gmp_access(before)
        return result

    # === AUDIT TRAIL === #

    def _get_gmp_access(self):
        """Return what of these users matters for GMP: identity, companies and roles."""
        groups = self._get_gmp_groups()
        return {user: {
            'login': user.login, 'name': user.name, 'active': user.active, 'partner_id': user.partner_id.id,
            'company_ids': sorted(user.company_ids.ids),
            'roles': sorted((groups & user.all_group_ids).mapped('name')),
        } for user in self.sudo().with_context(lang=None, active_test=False)}

    @api.model
    def _get_gmp_groups(self):
        """Return the groups of the GMP roles, and of those that review master records."""
        category = self.env.ref('mrp_mmr.module_category_gmp', raise_if_not_found=False)
        groups = self.env['res.groups'].sudo().with_context(lang=None)
        if not category:
            return groups
        reviewers = self.env['mrp.mmr.reviewer'].sudo().with_context(active_test=False)._read_group([], ['group_id'])
        return groups.search([('privilege_id.category_id', '=', category.id)]).union(
            *(group.with_env(groups.env) for group, in reviewers))

    def _audit_gmp_access(self, before):
        """Append what changed for users that have, had or get a GMP role (AUD-060, 21 CFR 11.10(d), (g), (k))."""
        lines = []
        for user, now in self._get_gmp_access().items():
            was = before.get(user, {})
            if not now['roles'] and not was.get('roles'):
                continue
            changes = {
                name: {'old': was.get(name), 'new': value} for name, value in now.items() if was.get(name) != value}
            if changes:
                lines.append({
                    'chain': user.company_id, 'kind': 'setting', 'model': 'res.users', 'res_id': user.id,
                    'record_name': user.name, 'values': changes})
        self.env['mrp.audit.entry']._append(lines)

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
