"""Users as persons who sign: what of their account is evidence, and what an administrator cannot do with it."""

from contextlib import contextmanager
from contextvars import ContextVar

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessDenied, UserError
from odoo.fields import Domain
from odoo.http import request

from ...domain.arguments import takes
from ...domain.refusals import refusal
from ...domain.sessions import current_session_uid

#: What of a user goes to the ledger beside the roles.
AUDITED_FIELDS = {'login', 'name', 'active', 'partner_id', 'company_ids', 'mmr_auditor_until'}
ROLE_FIELDS = {'group_ids', 'role'}
#: What a user may read of the own signer.
OWN_FIELDS = ['mmr_signer_ids', 'mmr_signer_state', 'mmr_identity_verified_at', 'mmr_accepted_at', 'mmr_has_signing_password',
              'mmr_key_short']

_by_token = ContextVar('mrp_mmr_by_token', default=frozenset())
_creating = ContextVar('mrp_mmr_creating_users', default=False)
_setting = ContextVar('mrp_mmr_setting_password', default=False)
_renaming = ContextVar('mrp_mmr_renaming', default=False)


class ResPartner(models.Model):
    """The name of a person with a role is that of the contact, and is printed next to signatures (SIG-020, AUD-060)."""
    _inherit = 'res.partner'

    def write(self, vals):
        if 'name' not in vals or _renaming.get():
            return super().write(vals)
        users = self.sudo().with_context(active_test=False).user_ids
        before = users._get_gmp_access()
        result = super().write(vals)
        users.with_env(self.env)._audit_gmp_access(before)
        return result


class ResUsers(models.Model):
    _inherit = 'res.users'

    mmr_signer_ids = fields.One2many('mrp.signer', 'user_id', "GMP Signer", groups='mrp_mmr.group_mmr_security')
    mmr_qualification_ids = fields.One2many(
        'mrp.qualification', 'user_id', "Qualifications", groups='mrp_mmr.group_mmr_security')
    mmr_key_ids = fields.One2many('mrp.signer.key', 'user_id', "Keys", groups='mrp_mmr.group_mmr_security')
    mmr_key_short = fields.Char(
        "Key", compute='_compute_mmr_signer', compute_sudo=True, groups='mrp_mmr.group_mmr_security')
    mmr_role_names = fields.Char("GMP Roles", compute='_compute_mmr_role_names', compute_sudo=True)
    mmr_signer_state = fields.Selection(
        lambda self: self.env['mrp.signer']._fields['state']._description_selection(self.env), "Signing",
        compute='_compute_mmr_signer', compute_sudo=True, groups='mrp_mmr.group_mmr_security')
    mmr_identity_verified_at = fields.Datetime(
        "Identity Verified", compute='_compute_mmr_signer', compute_sudo=True, groups='mrp_mmr.group_mmr_security')
    mmr_accepted_at = fields.Datetime(
        "Accountability Accepted", compute='_compute_mmr_signer', compute_sudo=True, groups='mrp_mmr.group_mmr_security')
    mmr_has_signing_password = fields.Boolean(
        "Own Signing Password", compute='_compute_mmr_signer', compute_sudo=True, groups='mrp_mmr.group_mmr_security')

    @property
    def SELF_READABLE_FIELDS(self):
        return super().SELF_READABLE_FIELDS + OWN_FIELDS[1:]

    def _compute_mmr_signer(self):
        signers = self.env['mrp.signer']._get_for(self).grouped('user_id')
        for user in self:
            signer = signers.get(user._origin, self.env['mrp.signer'])
            user.mmr_signer_state = signer.state or 'unverified'
            user.mmr_identity_verified_at = signer.identity_verified_at
            user.mmr_accepted_at = signer.accepted_at
            user.mmr_has_signing_password = bool(signer.sudo().signing_password)
            user.mmr_key_short = signer.key_short

    @api.model_create_multi
    def create(self, vals_list):
        # A new user has no name yet while its password is stored: noted when it is complete.
        handle = _creating.set(True)
        try:
            users = super().create(vals_list)
        finally:
            _creating.reset(handle)
        for user, vals in zip(users, vals_list, strict=True):
            if vals.get('password') and not user.share:
                self.env['mrp.signer']._note_password(user.sudo(), 'other', is_new=True)
            if vals.get('mmr_auditor_until'):
                user._check_auditor_until()
        users._audit_gmp_access({user: {} for user in users})
        return users

    def write(self, vals):
        if 'partner_id' in vals:
            self._check_gmp_person_kept(vals['partner_id'])
        if 'mmr_auditor_until' in vals:
            self._check_auditor_until()
        if not (AUDITED_FIELDS | ROLE_FIELDS) & vals.keys():
            return super().write(vals)
        before = self._get_gmp_access()
        handle = _renaming.set(True)
        try:
            result = super().write(vals)
        finally:
            _renaming.reset(handle)
        self._audit_gmp_access(before)
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_signers(self):
        for user in self.sudo():
            if any(self.env[model].sudo().search_count([(name, '=', user.id)], limit=1) for model, name in (
                    ('mrp.esignature', 'user_id'), ('mrp.signer.acceptance', 'user_id'), ('mrp.signer.key', 'user_id'),
                    ('mrp.qualification', 'user_id'), ('mrp.qualification', 'granted_by_id'))):
                raise refusal(
                    self.env,
                    self.env._("%s has signed, accepted accountability, has a key, is qualified or qualified others, and "
                               "cannot be deleted.",
                               user.name),
                    "SIG-060, 21 CFR 11.100(a), 111.14(b)(2)", self.env._("archive the user."), record=user)

    def unlink(self):
        self.env['mrp.signer']._get_for(self).unlink()
        lines = [{
            'chain': user.company_id, 'kind': 'unlink', 'model': 'res.users', 'res_id': user.id, 'record_name': values['name'],
            'values': {name: {'old': value} for name, value in values.items()},
        } for user, values in self._get_gmp_access().items() if values['roles']]
        result = super().unlink()
        self.env['mrp.audit.entry']._append(lines)
        return result

    # === SIGNING === #

    def _set_encrypted_password(self, uid, pw):
        result = super()._set_encrypted_password(uid, pw)
        # Odoo hashes anew what was hashed too cheaply, at the login; other changes are followed where they are made.
        if not _creating.get() and not _setting.get():
            self.env['mrp.signer'].with_user(SUPERUSER_ID)._get_for(self.browse(uid))._note_hash_of_login()
        return result

    def _set_password(self):
        if _creating.get():
            return super()._set_password()
        known = {
            user.sudo(): self._is_password(user.password, user._get_password_hash())
            for user in self if not user.sudo().share}
        token = _setting.set(True)
        try:
            result = super()._set_password()
        finally:
            _setting.reset(token)
        for user, is_known in known.items():
            # Whoever is neither the person of the environment nor has the link from the mail is somebody else.
            setter = 'token' if user.id in _by_token.get() else (
                'owner' if self.env.uid == user.id and not user._is_superuser() else 'other')
            self.env['mrp.signer']._note_password(user, setter, is_new=not is_known)
        return result

    @api.model
    def change_password(self, old_passwd, new_passwd):
        signers, keys, user = self.env['mrp.signer'], self.env['mrp.signer.key'], self.env.user
        protects = not signers._get_for(user).signing_password
        if protects and keys._has_key(user, 'login'):
            signers._check_length(user, new_passwd.strip())
        result = super().change_password(old_passwd, new_passwd)
        # Both are known here alone; elsewhere the signature dialog asks for the former one (SIG-120).
        if protects:
            keys._rewrap(user, old_passwd, new_passwd.strip())
        return result

    def action_reset_password(self):
        """Remember who has a link sent; of auth_signup, where it is installed."""
        self.env['mrp.signer']._note_reset(self.filtered(lambda user: not user.share))
        return super().action_reset_password()

    def _get_password_hash(self):
        self.env.cr.execute("SELECT password FROM res_users WHERE id = %s", [self.id])
        row = self.env.cr.fetchone()
        return row and row[0]

    @api.model
    def _is_password(self, password, hashed):
        return bool(password and hashed and self._crypt_context().verify(password, hashed))

    @api.model
    def signup(self, values, token=None):
        """Who opens the link in the mail sets the password, and can sign once the key is enrolled (SIG-080, SIG-120).

        Of auth_signup, where it is installed.
        """
        if not token:
            return super().signup(values, token)
        partner = self.env['res.partner'].sudo()._signup_retrieve_partner(token, check_validity=True)
        with self._by_link(partner.with_context(active_test=False).user_ids if partner else self.browse()):
            return super().signup(values, token)

    @contextmanager
    def _by_link(self, users):
        handle = _by_token.set(_by_token.get() | set(users.ids))
        try:
            yield
        finally:
            _by_token.reset(handle)

    def _check_signing_password(self, password, hashed):
        """Check the signing password of these users.

        :raise AccessDenied: where it is wrong
        """
        if not isinstance(password, str) or not self._is_password(password, hashed):
            raise AccessDenied()

    @takes(current='text', password='text')
    @api.model
    def mmr_set_signing_password(self, current, password):
        """Set one's own signing password, which signs instead of the login password (SIG-080).

        :param str current: the signing password until now or, for the first one, the login password
        :return: ``{'done': True}`` or ``{'refused': message}``, so that wrong attempts stay counted
        """
        try:
            self._mmr_set_signing_password(current, password)
        except (UserError, AccessDenied) as error:
            return {'refused': str(error.args[0]) if error.args else str(error)}
        return {'done': True}

    @api.model
    def _mmr_set_signing_password(self, current, password):
        user = self.env.user
        rule = "SIG-080, 21 CFR 11.200(a)(2), 11.300"
        if self.env.su or current_session_uid(request) != user.id or not user._is_internal():
            raise refusal(
                self.env, self.env._("Only its owner can set a signing password."), rule,
                self.env._("log in with the browser."), record=user)
        signers = self.env['mrp.signer']
        signer = signers._get_for(user)
        hashed = signer.signing_password
        if not hashed and signer.suspended_at:
            raise signer._refuse_suspended()
        if not hashed and not user._get_password_hash():
            if not signer.enrolment_until or signer.enrolment_until < fields.Datetime.now():
                raise refusal(
                    self.env, self.env._("%s has no password in Odoo.", user.name), rule,
                    self.env._("ask the security administrator to allow a first signing password."), record=user)
        else:
            self._mmr_check_own_secret(current)
        signers._check_length(user, password, current)
        first = not hashed
        signers._get(user)._set_signing_password(password)
        keys = self.env['mrp.signer.key']
        if not keys._rewrap(user, current, password, 'signing') and (first or keys._has_key(user, 'signing')):
            keys._make(user, password, keys._get_reason(user), 'signing')

    @api.model
    def _mmr_check_own_secret(self, current):
        """Check what signs until now, and return the key that it opens; attempts count like those to sign (SIG-090)."""
        user = self.env.user
        signers = self.env['mrp.signer']
        attempt = signers._begin_attempt(user)
        is_right = is_judged = False
        try:
            with user._assert_can_auth(user=user.login):
                is_judged = True
                opened = signers._check_secret(user, {'password': current if isinstance(current, str) else ''})
            is_right = True
            return opened
        except AccessDenied as error:
            if not is_judged:
                raise
            raise AccessDenied(self.env._("The current password is wrong. Rule: SIG-040, 21 CFR 11.200(a)(1).")) from error
        finally:
            signers._end_attempt(user, attempt, is_right or not is_judged)

    @takes(current='text')
    @api.model
    def mmr_make_key(self, current):
        """Make one's own key under the secret that signs, so that a security administrator can enrol it (SIG-120).

        :return: ``{'done': short fingerprint, 'in_force': bool}`` or ``{'refused': message}``, so that wrong attempts stay
            counted
        """
        try:
            key = self._mmr_make_key(current)
            return {'done': key.short, 'in_force': key.state == 'force'}
        except (UserError, AccessDenied) as error:
            return {'refused': str(error.args[0]) if error.args else str(error)}

    @api.model
    def _mmr_check_owner(self):
        """Return the signer of the person of the session; refuse everybody else, and who has no own password (SIG-120).

        :raise UserError: it is not the person's own session, or somebody else set the password
        """
        user = self.env.user
        if self.env.su or current_session_uid(request) != user.id or not user._is_internal():
            raise refusal(
                self.env, self.env._("Only its owner can make a key."), "SIG-120, 21 CFR 11.100(b)",
                self.env._("log in with the browser."), record=user)
        signer = self.env['mrp.signer']._get(user)
        if not signer.is_password_own:
            raise signer._refuse_suspended()
        return signer

    @api.model
    def _mmr_make_key(self, current):
        user, keys = self.env.user, self.env['mrp.signer.key'].sudo()
        signer = self._mmr_check_owner()
        opened = self._mmr_check_own_secret(current)
        if opened:
            return keys.search([('fingerprint', '=', opened.fingerprint)])
        if keys._get_openable(user):
            raise refusal(
                self.env, self.env._("The key of %s can only be opened with the previous password.", user.name),
                "SIG-120, 21 CFR 11.300(b)", self.env._("sign: the dialog asks for the previous password, or makes a new key."),
                record=user)
        self.env['mrp.signer']._check_length(user, current)
        return keys._make(user, current, keys._get_reason(user), 'signing' if signer.signing_password else 'login')

    def action_mmr_make_key(self):
        """Open the dialog in which the owner makes the key or sees its fingerprint."""
        self.ensure_one()
        if self != self.env.user or not self._is_internal():
            raise UserError(self.env._("Only its owner can make a key. Rule: SIG-120, 21 CFR 11.100(b)."))
        return {
            'type': 'ir.actions.client', 'tag': 'mrp_mmr.signing_password', 'target': 'new',
            'name': self.env._("Key for Signing"), 'params': {
                'key': True, 'has_one': self.mmr_has_signing_password, 'passkey': bool(self._get_mmr_passkeys())},
        }

    def action_mmr_signing_password(self):
        """Open the dialog in which the owner sets the signing password."""
        self.ensure_one()
        if self != self.env.user or not self._is_internal():
            raise UserError(self.env._("Only its owner can set a signing password. Rule: SIG-080, 21 CFR 11.200(a)(2)."))
        return {
            'type': 'ir.actions.client', 'tag': 'mrp_mmr.signing_password', 'target': 'new',
            'name': self.env._("Signing Password"),
            'params': {'has_one': self.mmr_has_signing_password, 'first': bool(
                self.env['mrp.signer']._get_for(self).enrolment_until and not self.sudo()._get_password_hash())},
        }

    def _mmr_get_signer(self):
        """Return the signer that this user is, for the security administrator."""
        self.ensure_one()
        self.env['mrp.signer']._check_security()
        return self.env['mrp.signer'].browse(self.env['mrp.signer']._get(self).id)

    def action_mmr_verify_identity(self):
        """Open the dialog in which the security administrator verifies the identity (SIG-070)."""
        self.ensure_one()
        self.env['mrp.signer']._check_security()
        return {
            'type': 'ir.actions.act_window', 'res_model': 'mrp.signer.verify', 'view_mode': 'form', 'target': 'new',
            'name': self.env._("Verify Identity"), 'context': {'default_user_id': self.id},
        }

    def action_mmr_unlock(self):
        """Unlock signing after too many wrong attempts (SIG-090)."""
        self._mmr_get_signer()._unlock()

    def action_mmr_flag_shared(self):
        """Flag this account as a shared one, which cannot sign, or take the flag back (SIG-060)."""
        signer = self._mmr_get_signer()
        signer._set_shared(not signer.is_shared)

    def action_mmr_renew_signing_password(self):
        """Let the owner set a first signing password, again where it was forgotten."""
        self._mmr_get_signer()._renew_signing_password()

    # === TRAINING === #

    @api.depends('all_group_ids')
    def _compute_mmr_role_names(self):
        groups = self._get_gmp_groups()
        for user in self:
            user.mmr_role_names = ', '.join((groups & user.all_group_ids).mapped('name'))

    def _filter_trained(self, revisions):
        """Return those of these users who were trained on one of ``revisions`` of an MMR, by one query."""
        domain = self.env['mrp.qualification']._get_current_domain(revisions.company_id) & Domain(
            'revision_id', 'in', revisions.ids) & Domain('user_id', 'in', self.ids)
        rows = self.env['mrp.qualification'].sudo()._read_group(domain, ['user_id'])
        trained = {user.id for user, in rows}
        return self.filtered(lambda user: user.id in trained)

    def _get_trained_revisions(self, revisions):
        """Return those of ``revisions`` of MMRs on which this user was trained, and the training is valid today."""
        rows = self.env['mrp.qualification'].sudo().search_fetch(
            [('user_id', 'in', self.ids), ('revision_id', 'in', revisions.ids), ('revoked_at', '=', False)],
            ['revision_id', 'company_id', 'valid_from', 'valid_to', 'revoked_at']) if revisions else ()
        return revisions & revisions.union(*(row.revision_id for row in rows if row.state == 'current'))

    def _get_untrained(self, revision):
        """Return those of these users who lack the training that ``revision`` requires; few queries, however many users.

        :param revision: mrp.mmr.revision by which they are to work
        """
        revisions = revision._get_training_revisions()
        return self - self._filter_trained(revisions) if revisions else self.browse()

    # === AUDIT TRAIL === #

    def _get_gmp_access(self):
        """Return what of these users matters for GMP: identity, companies and roles."""
        groups = self._get_gmp_groups()
        # While a user is created, reading its name would keep an empty one in the cache; its contact has it.
        return {user: {
            'login': user.login, 'name': user.partner_id.name, 'active': user.active, 'partner_id': user.partner_id.id,
            'company_ids': sorted(user.company_ids.ids),
            'mmr_auditor_until': fields.Date.to_string(user.mmr_auditor_until) or None,
            'roles': sorted((groups & user.all_group_ids).mapped('name')),
        } for user in self.sudo().with_context(lang=None, active_test=False)}

    @api.model
    def _get_gmp_groups(self):
        """Return the groups of the GMP roles, and of those that review master records."""
        category = self.env.ref('mrp_mmr.module_category_gmp', raise_if_not_found=False)
        groups = self.env['res.groups'].sudo().with_context(lang=None)
        domain = self._get_gmp_roles_domain()
        if category:
            domain |= Domain('privilege_id.category_id', '=', category.id)
        reviewers = self.env['mrp.mmr.reviewer'].sudo().with_context(active_test=False)._read_group([], ['group_id'])
        return groups.search(domain).union(*(group.with_env(groups.env) for group, in reviewers))

    @api.model
    def _get_gmp_roles_domain(self):
        """Return the domain of the groups that the addon brings, wherever an administrator files them."""
        return Domain('id', 'in', self.env['ir.model.data'].sudo()._search(
            [('module', '=', 'mrp_mmr'), ('model', '=', 'res.groups')]).subselect('res_id'))

    def _audit_gmp_access(self, before):
        """Append what changed for users that have, had or get a GMP role (AUD-060, 21 CFR 11.10(d), (g), (k))."""
        lines = []
        for user, now in self._get_gmp_access().items():
            was = before.get(user, {})
            if not any((now['roles'], was.get('roles'), now['mmr_auditor_until'], was.get('mmr_auditor_until'))):
                continue
            # All of it with the first role, so that verification knows from where on it is followed (AUD-080).
            is_first = now['roles'] and not was.get('roles')
            changes = {
                name: {'old': was.get(name), 'new': value} for name, value in now.items()
                if was.get(name) != value or is_first and value}
            if changes:
                lines.append({
                    'chain': user.company_id, 'kind': 'setting', 'model': 'res.users', 'res_id': user.id,
                    'record_name': user.partner_id.name, 'values': changes})
        self.env['mrp.audit.entry']._append(lines)

    def _check_gmp_person_kept(self, partner_id):
        """A signing identity belongs to one person and is never reassigned (SIG-060, 21 CFR 11.100(a)).

        :raise UserError: for users who signed, edited content that somebody else must approve, or were qualified
        """
        for user in self.sudo().filtered(lambda user: user.partner_id.id != partner_id):
            if self.env['mrp.esignature'].sudo().search_count([('user_id', '=', user.id)], limit=1) \
                    or self.env['mrp.signer.key'].sudo().search_count([('user_id', '=', user.id)], limit=1) \
                    or self.env['mrp.mmr.revision'].sudo().search_count([('editor_ids', 'in', user.ids)], limit=1) \
                    or self.env['mrp.qualification'].sudo().search_count(
                        ['|', ('user_id', '=', user.id), ('granted_by_id', '=', user.id)], limit=1):
                raise refusal(
                    self.env,
                    self.env._("%s has signed or edited GMP records, has a key or is qualified, and must remain the same "
                               "person.",
                               user.name),
                    "SIG-060, 21 CFR 11.100(a)", self.env._("create a new user for another person."), record=user)

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
