"""Who may sign: verified identity, accepted accountability, locks and suspensions (SIG-060 to SIG-090)."""

import logging
from contextlib import contextmanager
from datetime import timedelta

from psycopg2.errors import LockNotAvailable, SerializationFailure

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessDenied, AccessError, UserError
from odoo.http import request
from odoo.tools import SQL

from ...domain.refusals import refusal
from ...domain.transitions import in_transition, transition

_logger = logging.getLogger(__name__)

#: How often an attempt is counted again where two were counted at the same moment.
TRIES = 20
#: Hours in which a person without password in Odoo sets the first signing password.
ENROLMENT_HOURS = 24
#: Least length of what opens a key, where the password policy of Odoo does not ask for more.
SECRET_LENGTH = 8


class MrpSigner(models.Model):
    """What is known about one user as a signer. Only the methods below change it, each with a line in the ledger."""
    _name = 'mrp.signer'
    _description = "GMP Signer"
    _inherit = ['mail.thread', 'mail.activity.mixin']
    _order = 'user_id'
    _rec_name = 'user_id'

    user_id = fields.Many2one('res.users', required=True, readonly=True, ondelete='restrict')
    company_id = fields.Many2one(related='user_id.company_id')
    state = fields.Selection([
        ('unverified', "Identity not verified"),
        ('ready', "May sign"),
        ('shared', "Shared account"),
        ('suspended', "Suspended"),
        ('locked', "Locked"),
    ], "Signing", compute='_compute_state')
    identity_document = fields.Char(readonly=True, help="The document that was seen, for example a passport and its last "
                                                        "digits.")
    identity_verified_at = fields.Datetime("Identity Verified", readonly=True)
    identity_verified_by_id = fields.Many2one('res.users', "Verified By", readonly=True, ondelete='restrict')
    acceptance_ids = fields.One2many('mrp.signer.acceptance', 'signer_id', readonly=True)
    accepted_at = fields.Datetime("Accountability Accepted", compute='_compute_accepted_at')
    is_shared = fields.Boolean("Shared Account", readonly=True, help="A generic account used by more than one person; it "
                                                                     "cannot sign.")
    locked_at = fields.Datetime("Locked", readonly=True)
    unlocked_at = fields.Datetime("Unlocked", readonly=True)
    suspended_at = fields.Datetime("Suspended", readonly=True, help="Somebody else set the password.")
    suspended_by_id = fields.Many2one('res.users', "Password Set By", readonly=True, ondelete='restrict')
    reset_by_id = fields.Many2one('res.users', "Reset Link Sent By", readonly=True, ondelete='restrict')
    password_changed_at = fields.Datetime("Password Changed", readonly=True)
    is_password_own = fields.Boolean(
        "Own Password", readonly=True, default=True, help="Only the owner knows it: the owner was the last to set it.")
    signing_password = fields.Char(readonly=True, copy=False, prefetch=False, groups=fields.NO_ACCESS, help="The hash of the "
                                                                                                            "password.")
    signing_password_at = fields.Datetime("Signing Password Set", readonly=True)
    enrolment_until = fields.Datetime("First Signing Password Until", readonly=True)
    key_short = fields.Char("Key in Force", compute='_compute_key_short')
    counted = fields.Integer(readonly=True, help="Increases with every attempt, so that simultaneous attempts are counted "
                                                 "one after the other.")

    _user_uniq = models.UniqueIndex('(user_id)', "A user can be only one signer.")

    @api.depends('locked_at', 'suspended_at', 'is_shared', 'identity_verified_at')
    def _compute_state(self):
        for signer in self:
            signer.state = (
                'shared' if signer.is_shared else 'locked' if signer.locked_at else 'suspended' if signer.suspended_at
                else 'ready' if signer.identity_verified_at else 'unverified')

    @api.depends('acceptance_ids')
    def _compute_accepted_at(self):
        for signer in self:
            digest = signer.sudo().user_id.company_id._get_mmr_acceptance()['sha256']
            signer.accepted_at = signer.sudo().acceptance_ids.filtered(
                lambda row, digest=digest: row.text_sha256 == digest)[:1].accepted_at

    def _compute_key_short(self):
        for signer in self:
            signer.key_short = self.env['mrp.signer.key']._get_in_force(signer.sudo().user_id).short

    def _init_column(self, column_name):
        super()._init_column(column_name)
        if column_name == 'is_password_own':
            # Whose password somebody else set before this was a column.
            self.env.execute_query(SQL(
                "UPDATE mrp_signer SET is_password_own = FALSE WHERE suspended_at IS NOT NULL RETURNING id"))

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        if any(set(vals) - {'user_id'} for vals in vals_list):
            raise self._refuse_write()
        return super().create(vals_list)

    def write(self, vals):
        guarded = {name for name in vals if not name.startswith(('message_', 'activity_'))}
        if guarded and not in_transition(self):
            raise self._refuse_write()
        if 'suspended_at' in vals and not vals['suspended_at']:
            self._check_suspension_ends()
        return super().write(vals)

    def copy(self, default=None):  # pylint: disable=method-required-super
        raise self._refuse_write()

    @api.ondelete(at_uninstall=True)
    def _unlink_except_known(self):
        """Whose identity was verified stays known (SIG-070); what says nothing goes with its user."""
        for signer in self.sudo():
            if signer._is_enrolled() or signer.acceptance_ids:
                raise refusal(
                    self.env,
                    self.env._("The identity of %s has been verified; the record cannot be deleted.", signer.user_id.name),
                    "SIG-060, SIG-070, 21 CFR 11.100", self.env._("archive the user."), record=signer)

    def _refuse_write(self):
        return UserError(self.env._(
            "Who may sign can only be changed with the buttons provided. Rule: SIG-070, 21 CFR 11.100(b).\nWhat you can do: "
            "use the GMP Signature page of the user."))

    @api.model
    def _get_for(self, users):
        """Return the signers that these users are, as far as they are known."""
        return self.sudo().search([('user_id', 'in', users.ids)])

    @api.model
    def _get(self, user):
        """Return the signer that this user is, new where it has to be."""
        return self._get_for(user) or self.sudo().create({'user_id': user.id})

    def _change(self, vals, changes, reason=None):
        """Write ``vals`` and append ``changes`` to the ledger (AUD-060)."""
        self.ensure_one()
        signer = self.sudo()
        if vals:
            with transition(signer):
                signer.write(vals)
        self._log({**changes, **self._get_known()}, reason)

    def _log(self, changes, reason=None):
        # The user is what the line is about; who did it is the user of the line.
        user = self.sudo().user_id
        self.env['mrp.audit.entry']._append_about(
            'setting', user, {name: {'new': value} if name == 'signer' or not isinstance(value, dict) else value
                              for name, value in changes.items()}, reason)

    @api.model
    def _check_length(self, user, secret, current=None):
        """Refuse to protect a key by a secret that is guessed soon, or by the one until now (SIG-080, 21 CFR 11.300).

        A key that was made before opens with what it was made under.

        :param str current: what must not be chosen again
        :raise UserError: naming the user
        """
        least = max(SECRET_LENGTH, int(self.env['ir.config_parameter'].sudo().get_param(
            'auth_password_policy.minlength', default=0)))
        if not isinstance(secret, str) or len(secret) < least or secret == current:
            raise refusal(
                self.env, self.env._("The password that %(user)s signs with must have at least %(least)s characters, and must "
                                     "differ from the previous one.", user=user.name, least=least),
                "SIG-080, 21 CFR 11.200(a)(2), 11.300",
                self.env._("choose a longer password in Preferences and sign with it."),
                record=user)

    # === SECURITY ADMINISTRATOR === #

    def _check_security(self, themselves=False):
        """Refuse all but the security administrators, and these for themselves."""
        user = self.env.user
        if not user.has_group('mrp_mmr.group_mmr_security'):
            raise refusal(
                self.env, self.env._("Only a security administrator can decide who may sign."), "SEC-010, 21 CFR 11.10(d), (g)",
                self.env._("ask a security administrator."), record=self, exception=AccessError)
        if not themselves and user in self.user_id:
            raise refusal(
                self.env, self.env._("You cannot decide this about yourself."), "SIG-070, 21 CFR 11.100(b)",
                self.env._("ask another security administrator."), record=self)

    def _verify_identity(self, document):
        """Record that the identity of this person was verified, by whom, when and on which document (SIG-070)."""
        self.ensure_one()
        self._check_security()
        document = (document or '').strip()
        if not document:
            raise refusal(
                self.env, self.env._("The identity of %s must be verified with a document.", self.user_id.name),
                "SIG-070, 21 CFR 11.100(b)", self.env._("enter which document you saw."), record=self)
        self._change({
            'identity_document': document, 'identity_verified_at': fields.Datetime.now(),
            'identity_verified_by_id': self.env.uid,
        }, {'identity_document': {'old': self.identity_document or None, 'new': document}})

    def _unlock(self):
        """Let this person sign again after too many wrong attempts (SIG-090)."""
        self.ensure_one()
        self._check_security()
        if not self.locked_at:
            raise UserError(self.env._("%s is not locked.", self.user_id.name))
        self._change({'locked_at': False, 'unlocked_at': fields.Datetime.now()}, {'locked': {'old': True, 'new': False}})
        self.env['mrp.signer.attempt'].sudo().search([('user_id', '=', self.user_id.id)]).unlink()
        self.sudo().activity_unlink(['mrp_mmr.mail_activity_type_unlock'])

    def _set_shared(self, is_shared):
        """Flag this account as used by several persons, or as used by one (SIG-060)."""
        self.ensure_one()
        self._check_security()
        if self.is_shared != is_shared:
            self._change({'is_shared': is_shared}, {'is_shared': {'old': self.is_shared, 'new': is_shared}})

    def _renew_signing_password(self):
        """Forget the signing password, and let its owner set the first one for some hours."""
        self.ensure_one()
        self._check_security()
        until = fields.Datetime.now() + timedelta(hours=ENROLMENT_HOURS)
        self.env['mrp.signer.secret']._forget_signing(self.user_id)
        self._change({'signing_password': False, 'signing_password_at': False, 'enrolment_until': until},
                     {'signing_password': {'old': bool(self.sudo().signing_password), 'new': False},
                      'enrolment_until': fields.Datetime.to_string(until)})

    # === MAY SIGN === #

    @api.model
    def _check_ready(self, user, company, with_passkey=False):
        """Refuse persons whose credential is right and who may not sign all the same.

        :raise UserError: naming the next step
        """
        signer = self._get_for(user)
        today = fields.Datetime.now()
        if signer.is_shared:
            raise refusal(
                self.env, self.env._("%s is a shared account and cannot sign.", user.name), "SIG-060, 21 CFR 11.100(a)",
                self.env._("sign with an account of your own."), record=signer)
        if not signer.is_password_own:
            raise signer._refuse_suspended()
        if signer and not signer._is_password_known():
            raise signer._refuse_unknown_password()
        days = company.mmr_sign_password_days
        if days and not with_passkey:
            signing_password = signer.signing_password
            changed = signer.signing_password_at if signing_password else signer.password_changed_at or user.create_date
            if not changed or changed + timedelta(days=days) < today:
                raise refusal(
                    self.env, self.env._("The password of %(user)s is older than %(days)s days.", user=user.name, days=days),
                    "SIG-090, 21 CFR 11.300(b)",
                    self.env._("set a new signing password in your preferences.") if signing_password
                    else self.env._("set a new password in your preferences."), record=signer)
        if not signer.identity_verified_at:
            raise refusal(
                self.env, self.env._("The identity of %s has not been verified yet.", user.name), "SIG-070, 21 CFR 11.100(b)",
                self.env._("ask the security administrator to verify it: user form, GMP Signature page."), record=signer)

    @api.model
    def _has_accepted(self, user, acceptance):
        return bool(self.env['mrp.signer.acceptance'].sudo().search_count(
            [('user_id', '=', user.id), ('text_sha256', '=', acceptance['sha256'])], limit=1))

    @api.model
    def _accept(self, user, acceptance):
        """Record that ``user``, whose credential was just checked, accepts to be accountable (SIG-070)."""
        signer = self._get(user)
        # Nobody has a right to create acceptances: only this path does.
        accepted = self.env['mrp.signer.acceptance']._record(signer, acceptance)
        signer.with_user(user)._log(accepted._get_logged())

    @api.model
    def _set_up(self, users, verified_by, document="Demonstration", since=None):
        """Make signers of ``users``, qualified for their roles, without their doing.

        For demonstrations, tests and measurements.

        :param since: first day of the qualifications; yesterday by default
        """
        now = fields.Datetime.now()
        for user in users:
            signer = self._get(user)
            was_suspended = bool(signer.suspended_at)
            with transition(signer):
                signer.write({
                    'identity_document': document, 'identity_verified_at': now, 'identity_verified_by_id': verified_by.id,
                    'suspended_at': False, 'suspended_by_id': False, 'is_password_own': True,
                })
            ended = {'signing': {'old': 'suspended', 'new': 'active'}} if was_suspended else {}
            signer._log({**ended, **signer._get_known()})
            for company in user.company_ids:
                acceptance = company._get_mmr_acceptance()
                if not self._has_accepted(user, acceptance):
                    signer._log(self.env['mrp.signer.acceptance']._record(signer, acceptance)._get_logged())
        # Before keys are made: PostgreSQL judges the end of a suspension by whether there is one.
        self.flush_model()
        self.env['mrp.qualification']._set_up(users, verified_by, document, since)

    # === PASSWORDS === #

    @api.model
    def _check_secret(self, user, credential):
        """Check the second component of ``user``: the signing password, else the login password or a passkey.

        Where there is a signing password, that it opens the key is the check: one slow digest, not two.

        :return: the key that it opened (``domain.private_keys.OpenedKey``), what the passkey signed
            (``domain.passkeys.AssertedKey``), or None
        :raise AccessDenied: where it is wrong
        """
        if credential.get('webauthn_response'):
            return self.env['mrp.signer.key']._open_passkey(user, credential['webauthn_response'])
        own = self.env(user=user.id, su=False, context={}).user
        hashed, keys = self._get_for(user).signing_password, self.env['mrp.signer.key']
        if not hashed:
            own._check_credentials(
                {'type': 'password', 'login': user.login, 'password': credential['password']}, {'interactive': True})
        elif keys._has_key(user, 'signing'):
            opened = isinstance(credential['password'], str) and keys._open(user, credential['password'])
            if not opened:
                raise AccessDenied()
            return opened
        else:
            own._check_signing_password(credential['password'], hashed)
        return keys._open(user, credential['password'])

    def _set_signing_password(self, password):
        """Store the hash of the user's own signing password, as Odoo stores passwords."""
        self.ensure_one()
        context = self.env['res.users']._crypt_context()
        now = fields.Datetime.now()
        self._change({
            'signing_password': context.hash(password), 'signing_password_at': now, 'enrolment_until': False,
        }, {'signing_password': {'old': bool(self.sudo().signing_password), 'new': True}})

    # === ATTEMPTS === #

    @api.model
    @contextmanager
    def _own_transaction(self):
        """Yield an environment whose changes stay, whatever becomes of the request.

        Without a request there is only Python code of the addon itself: demonstration, tests, measurements.
        """
        if not request:
            env = self.env(user=SUPERUSER_ID, context={})
            yield env
            env.flush_all()
            return
        with self.env.registry.cursor() as cr:
            cr.execute("SET LOCAL lock_timeout = '10s'")
            yield api.Environment(cr, SUPERUSER_ID, {})

    def _retry(self, function):
        """Call ``function`` in a transaction of its own, again where another attempt came in between."""
        for left in reversed(range(TRIES)):
            try:
                with self._own_transaction() as env:
                    return function(env)
            except (SerializationFailure, LockNotAvailable):
                # Outside of a request the transaction is not ours to repeat.
                if not left or not request:
                    raise
        return None

    @api.model
    def _lock_row(self, env, user):
        """Make attempts of one signer follow each other, and return the signer."""
        env['mrp.signer'].flush_model()
        env.cr.execute(SQL(
            """INSERT INTO mrp_signer (user_id, counted, create_uid, create_date) VALUES (%s, 1, 1, %s)
               ON CONFLICT (user_id) DO UPDATE SET counted = COALESCE(mrp_signer.counted, 0) + 1 RETURNING id""",
            user.id, fields.Datetime.now()))
        signer = env['mrp.signer'].browse(env.cr.fetchone()[0])
        signer.invalidate_recordset()
        return signer

    def _count_failures(self):
        self.ensure_one()
        since = fields.Datetime.now() - timedelta(minutes=self.company_id.mmr_sign_failure_minutes)
        return self.env['mrp.signer.attempt'].search_count([('user_id', '=', self.user_id.id), ('at', '>=', since)])

    @api.model
    def _begin_attempt(self, user):
        """Count an attempt as wrong before it is judged, so simultaneous attempts gain nothing over successive ones (SIG-090).

        :return: id of the attempt, for :meth:`_end_attempt`
        :raise UserError: where signing is locked
        """
        def begin(env):
            signer = self._lock_row(env, user)
            if signer.locked_at or signer._count_failures() >= signer.company_id.mmr_sign_failures:
                return None
            return env['mrp.signer.attempt'].create({'user_id': user.id, 'at': fields.Datetime.now()}).id

        attempt = self._retry(begin)
        if not attempt:
            raise refusal(
                self.env, self.env._("Signing is locked for %s after repeated failures.", user.name),
                "SIG-090, 21 CFR 11.300(d)", self.env._("ask the security administrator to unlock it."))
        return attempt

    @api.model
    def _end_attempt(self, user, attempt, is_right):
        """Take an attempt back that was right; lock the signer when it was one wrong attempt too many."""
        if is_right:
            self._retry(lambda env: env['mrp.signer.attempt']._take_back(attempt))
            return

        def end(env):
            signer = self._lock_row(env, user)
            failures = signer._count_failures()
            if signer.locked_at or failures < signer.company_id.mmr_sign_failures:
                return None
            with transition(signer):
                signer.write({'locked_at': fields.Datetime.now()})
            # A chain of its own, which no other transaction holds while it waits for this one.
            env['mrp.audit.entry']._append([{
                'chain': signer.company_id, 'kind': 'setting', 'model': 'res.users', 'res_id': user.id,
                'record_name': user.name,
                'values': {'locked': {'old': False, 'new': True}, 'signer': {'new': signer._get_known()['signer']}},
                'reason': env._("%s wrong attempts to sign.", failures),
            }], 'signers')
            return signer.id

        locked = self._retry(end)
        if locked:
            try:
                with self._own_transaction() as env, env.cr.savepoint():
                    env['mrp.signer'].browse(locked)._alert_locked()
            except Exception:  # pylint: disable=broad-except
                # The lock stands without its message, and shows on the list of signers.
                _logger.exception("The lock of %s could not be announced.", user.login)

    def _alert_locked(self):
        """Notify every security administrator immediately: an activity, a message and a notice on the screen (SIG-090)."""
        self.ensure_one()
        user = self.user_id
        security = self.env.ref('mrp_mmr.group_mmr_security')._get_active_members(self.company_id) - user
        text = self.env._("Signing of %(user)s (%(login)s) is locked after repeated wrong attempts.",
                          user=user.name, login=user.login)
        _logger.warning("Signing is locked for user %s (#%s).", user.login, user.id)
        if not security:
            return
        self.message_notify(
            partner_ids=security.partner_id.ids, subject=self.env._("Signing locked: %s", user.name), body=text)
        for other in security:
            self.activity_schedule(
                'mrp_mmr.mail_activity_type_unlock', user_id=other.id, summary=self.env._("Signing locked: %s", user.name))
            other._bus_send('simple_notification', {
                'type': 'danger', 'title': self.env._("Signing locked"), 'message': text, 'sticky': True})


class MrpSignerAttempt(models.Model):
    """An attempt to sign with a wrong credential; successful attempts are removed immediately. Evidence is in the ledger."""
    _name = 'mrp.signer.attempt'
    _description = "Wrong Attempt to Sign"
    _order = 'id desc'

    user_id = fields.Many2one('res.users', required=True, readonly=True, index=True, ondelete='cascade')
    at = fields.Datetime(required=True, readonly=True)

    @api.model
    def _take_back(self, attempt):
        """Delete an attempt that was right: it waits for nobody, and nothing else is about it."""
        self.env.execute_query(SQL("DELETE FROM mrp_signer_attempt WHERE id = %s RETURNING id", attempt))
        # As in a request, where the signature begins with a fresh view of the database.
        self.env.invalidate_all()

    @api.autovacuum
    def _gc_attempts(self):
        self.search([('at', '<', fields.Datetime.now() - timedelta(days=7))]).unlink()
