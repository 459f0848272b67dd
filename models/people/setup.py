"""The set-up of a company has an end: afterwards security administrators give roles, which take a second person (SEC-070)."""

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ...domain.canonical import iso_utc
from ...domain.refusals import refusal
from ...domain.transitions import in_transition, transition
from ..base.model import is_update

RULE = "SEC-070, 21 CFR 11.10(d), (g), EU GMP Annex 11 §12"
SECURITY = 'mrp_mmr.group_mmr_security'
#: Who has to be there, three different persons, before the set-up ends.
FOUNDERS = (SECURITY, 'mrp_mmr.group_mmr_quality_manager', 'mrp_mmr.group_mmr_qc')
SETUP_FIELDS = {'mmr_setup_closed_at', 'mmr_setup_closed_by_id'}


class ResCompany(models.Model):
    """Also held in guards/res_company.sql."""
    _inherit = 'res.company'

    mmr_setup_closed_at = fields.Datetime(
        "Set-Up Closed", readonly=True, copy=False,
        help="After this date only security administrators can give GMP roles, and a role counts only once a second person "
             "has qualified its holder. What was done before is marked in the audit trail.")
    mmr_setup_closed_by_id = fields.Many2one(
        'res.users', "Closed By", readonly=True, copy=False, ondelete='restrict')

    @api.model_create_multi
    def create(self, vals_list):
        if any(SETUP_FIELDS & vals.keys() for vals in vals_list):
            raise self._mmr_refuse_setup()
        return super().create(vals_list)

    def write(self, vals):
        if SETUP_FIELDS & vals.keys() and not in_transition(self):
            raise self._mmr_refuse_setup()
        return super().write(vals)

    def _get_mmr_audit_value(self, name):
        value = super()._get_mmr_audit_value(name)
        return iso_utc(value) if name == 'mmr_setup_closed_at' and value else value or None if name in SETUP_FIELDS else value

    def _mmr_refuse_setup(self):
        return refusal(
            self.env, self.env._("The set-up of a company can only be closed once, with its button."), RULE,
            self.env._("use Close Set-Up on the company, as a security administrator."), record=self[:1])

    def action_mmr_close_setup(self):
        """End the set-up of this company, as one of its security administrators.

        :raise AccessError: for anybody else
        :raise UserError: where it ended already, or where somebody is missing
        """
        self.ensure_one()
        user = self.env.user
        if not user.has_group(SECURITY) or self not in user.sudo().company_ids or user._is_superuser():
            raise refusal(
                self.env,
                self.env._("%(user)s cannot close the set-up of %(company)s.", user=user.name, company=self.name), RULE,
                self.env._("ask a security administrator of the company."), record=self, exception=AccessError)
        company = self.sudo()
        if company.mmr_setup_closed_at:
            raise refusal(
                self.env, self.env._("The set-up of %s is already closed.", self.name), RULE, self.env._("continue with your "
                                                                                                         "work."), record=self)
        missing = company._mmr_get_missing_founders()
        if missing:
            raise refusal(
                self.env, self.env._("%(company)s does not yet have a verified person of its own who may sign as: %(roles)s.",
                                     company=self.name, roles=', '.join(missing.mapped('name'))), RULE,
                self.env._("enrol three different people first."), record=self)
        with transition(company):
            company.write({'mmr_setup_closed_at': fields.Datetime.now(), 'mmr_setup_closed_by_id': user.id})
        return True

    def _mmr_get_missing_founders(self):
        """Return the roles for which this company has nobody who may sign, each another person than those before."""
        self.ensure_one()
        groups, taken = self.env['res.groups'], set()
        missing = groups
        for name in FOUNDERS:
            group = self.env.ref(name).sudo()
            members = group._get_active_members(self)
            ready = members.filtered(lambda user: self.env['mrp.signer']._get_for(user).state == 'ready')
            own = next((user for user in ready if not user._get_gmp_persons() & taken), None)
            if own:
                taken |= own._get_gmp_persons()
            else:
                missing |= group
        return missing


class MrpAuditEntry(models.Model):
    _inherit = 'mrp.audit.entry'

    @api.model
    def _append(self, lines, chain_name=None):
        """Say of signatures, roles and qualifications that they were given while the company was set up (SEC-070)."""
        return super()._append([
            dict(line, values={**(line.get('values') or {}), 'setup': {'new': True}}) if self._is_of_setup(line) else line
            for line in lines], chain_name)

    @api.model
    def _is_of_setup(self, line):
        if line['kind'] != 'sign' and not (line['model'] == 'res.users' and 'roles' in (line.get('values') or {})) \
                and not (line['model'] == 'mrp.qualification' and line['kind'] == 'create'):
            return False
        chain = line['chain'].sudo()
        company = chain if chain._name == 'res.company' else chain.company_id
        return bool(company) and not company.mmr_setup_closed_at

    @api.model
    def _get_value_labels(self):
        return {**super()._get_value_labels(), 'setup': self.env._("While the Company Was Set Up")}


class ResUsers(models.Model):
    _inherit = 'res.users'

    def _audit_gmp_access(self, before):
        self._check_role_giver(before)
        return super()._audit_gmp_access(before)

    def _check_role_giver(self, before):
        """Refuse GMP roles from others than security administrators, and for themselves, once the set-up ended (SEC-070).

        :param dict before: what of each user mattered for GMP before the change
        :raise AccessError: naming user and roles
        """
        if is_update(self.env):
            return
        giver = self.env.user
        may_give = giver.has_group(SECURITY) and not giver._is_superuser()
        for user, now in self._get_gmp_access().items():
            gained = set(now['roles']) - set(before.get(user, {}).get('roles') or ())
            # The server gives the role where everybody who had it is gone (models/people/signer_recovery.py).
            if not gained or in_transition(user) or not user.company_ids.filtered('mmr_setup_closed_at'):
                continue
            if not may_give or giver._get_gmp_persons() & user._get_gmp_persons():
                raise refusal(
                    self.env, self.env._("%(giver)s cannot give %(user)s the roles: %(roles)s.", giver=giver.name,
                                         user=user.partner_id.name, roles=', '.join(sorted(gained))), RULE,
                    self.env._("ask a security administrator who is not the person receiving the roles."), record=user,
                    exception=AccessError)

    def _get_role_givers(self, group, company):
        """Return who gave these users a role since the set-up of a company ended, with the time: a dict by user."""
        if not company.sudo().mmr_setup_closed_at:
            return {}
        name = group.sudo().with_context(lang=None).name
        lines = self.env['mrp.audit.entry'].sudo().search([
            ('res_model', '=', 'res.users'), ('res_id', 'in', self.ids), ('kind', '=', 'setting'),
            ('at', '>=', company.sudo().mmr_setup_closed_at)], order='id')
        givers = {}
        for line in lines:
            roles = (line.values or {}).get('roles') or {}
            if name in (roles.get('new') or ()) and name not in (roles.get('old') or ()):
                givers[self.browse(line.res_id)] = line.user_id, line.at
        return givers


class MrpQualification(models.Model):
    """A role given after the set-up counts once a second person, not the one who gave it, has qualified its holder."""
    _inherit = 'mrp.qualification'

    @api.model
    def _grant(self, users, subject, evidence, valid_from=None, valid_to=None, company=None, file=None):
        if subject and subject._name == 'res.groups':
            givers = users._get_role_givers(subject, company or self.env.company)
            for user, (giver, _at) in givers.items():
                if giver._get_gmp_persons() & self.env.user._get_gmp_persons():
                    raise refusal(
                        self.env,
                        self.env._("%(giver)s gave %(user)s this role and cannot also grant the qualification for it.",
                                             giver=giver.name, user=user.name), RULE,
                        self.env._("let a second person grant the qualification."), record=user)
        return super()._grant(users, subject, evidence, valid_from, valid_to, company, file)

    @api.model
    def _filter_qualified(self, users, group, company):
        qualified = super()._filter_qualified(users, group, company)
        givers = qualified._get_role_givers(group, company)
        if not givers:
            return qualified
        rows = self.sudo().search(
            self._get_current_domain(company) & Domain('group_id', '=', group.id) & Domain(
                'user_id', 'in', [user.id for user in givers]))
        second = {
            row.user_id for row in rows
            if row.granted_at >= givers[users.browse(row.user_id.id)][1]
            and not row.granted_by_id._get_gmp_persons() & givers[users.browse(row.user_id.id)][0]._get_gmp_persons()}
        return qualified.filtered(lambda user: user not in givers or user in second)
