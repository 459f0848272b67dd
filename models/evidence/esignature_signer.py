"""Who signs: the person who typed the credential, the key that it opened, what was accepted (SIG-040 to SIG-080, SIG-110)."""

from odoo import models
from odoo.exceptions import AccessDenied
from odoo.http import request

from ...domain.refusals import refusal
from ...domain.sessions import current_session_uid, is_foreign_code
from ...domain.signing import is_storable

#: Longest password that is checked; Odoo's hash takes no longer one.
MAX_PASSWORD = 4096


class MrpEsignatureMixin(models.AbstractModel):
    _inherit = 'mrp.esignature.mixin'

    def _authenticate_signer(self, credential):
        """Return the person who typed this credential, and the key that it opened (SIG-040, SIG-050, SIG-080, SIG-110).

        :raise UserError: superuser, API key, cron, switched user; archived, portal or bot user; locked or suspended
        :raise AccessDenied: user name or password is wrong, or Odoo's cool-down is on
        """
        self._check_browser()
        credential = credential if isinstance(credential, dict) else {}
        signer, opened = self._judge_once(credential)
        self._check_works_here(signer)
        self.env['mrp.signer']._check_ready(
            signer, self._get_signing_company(), with_passkey=bool(credential.get('webauthn_response')))
        return signer, self.env['mrp.signer.key']._require(signer, opened, credential, self)

    def _judge_credential(self, credential):
        """Return whose credential this is, and the key that it opened; each wrong one is counted (SIG-040, SIG-090)."""
        user, signers = self.env.user, self.env['mrp.signer']
        login, password, passkey = (credential.get(name) for name in ('login', 'password', 'webauthn_response'))
        if any(isinstance(text, str) and not is_storable(text) for text in (login, password, passkey)) \
                or isinstance(password, str) and len(password) > MAX_PASSWORD:
            raise self._deny()  # nobody's user name or password
        signer = self._find_signer(login)
        if not any(isinstance(secret, str) and secret for secret in (password, passkey)):
            raise self._deny()
        def open_key():
            if not signer:
                raise AccessDenied()
            return signers._check_secret(signer, {'password': password, 'webauthn_response': passkey})

        # Names that nobody has count for the person of the session, who lets them be tried.
        return signer, self._judge_attempt(signer or user, open_key)

    def _judge_attempt(self, holder, open_key):
        """Return what ``open_key`` returns; where it denies, it counts as a wrong attempt of ``holder`` (SIG-090).

        :raise AccessDenied: where it denies, or Odoo's cool-down is on
        """
        signers = self.env['mrp.signer']
        attempt = signers._begin_attempt(holder)
        is_right = is_judged = False
        try:
            with holder._assert_can_auth(user=holder.login):
                is_judged = True
                opened = open_key()
            is_right = True
        except AccessDenied as error:
            self._forget_signing()
            if not is_judged:
                raise  # the cool-down says how to go on
            raise self._deny() from error
        finally:
            # What was not judged is no failure; an error while it was judged is one.
            signers._end_attempt(holder, attempt, is_right or not is_judged)
        return opened

    def _check_browser(self):
        """Refuse everything but the browser session of an active internal user (SIG-060, SIG-080)."""
        user = self.env.user
        if self.env.su or user._is_superuser() or current_session_uid(request) != user.id or is_foreign_code():
            raise refusal(
                self.env,
                self.env._("Nobody can sign for another person, and a program cannot sign at all."),
                "SIG-080, 21 CFR 11.200(a)(2)",
                self.env._("log in with your own user name and password, in the browser."), record=self)
        self._check_internal(user)

    def _find_signer(self, login):
        """Return the person of this name: the one of the session, another one at a shared terminal, or nobody.

        :raise AccessDenied: where a name is missing
        """
        user = self.env.user
        login = login.strip() if isinstance(login, str) else None
        if login and login != user.login:
            users = self.env['res.users'].sudo().with_context(active_test=True)
            return users.search(users._get_login_domain(login), order=users._get_login_order(), limit=1) \
                if self._get_signing_company().mmr_sign_shared else users.browse()
        if not login and not self._is_session_continuous():
            raise self._deny()
        return user

    def _check_works_here(self, signer):
        """Refuse users who are not active internal users or do not work for the company of the record (SIG-060, SEC-010)."""
        self._check_internal(signer)
        company = self._get_signing_company()
        if company not in signer.sudo().company_ids:
            raise refusal(
                self.env, self.env._("%(user)s does not work for %(company)s.", user=signer.name, company=company.name),
                "SEC-010, 21 CFR 11.10(d)", self.env._("ask an authorised person to sign."), record=self)

    def _deny(self):
        return AccessDenied(self.env._(
            "User name or password is wrong. Nothing was signed.\n\nRule: SIG-040, 21 CFR 11.200(a)(1).\n"
            "What you can do: type your own user name and password and sign again."))

    def _check_internal(self, user):
        if not user.active or user._is_superuser() or not user._is_internal():
            raise refusal(
                self.env, self.env._("%s is not an active internal user and cannot sign.", user.name),
                "SIG-060, 21 CFR 11.100(a)", self.env._("ask an authorised person to sign."), record=self)

    def _check_accountability(self, signer, accept):
        """Return the answer that asks ``signer`` to accept accountability, or None where that is done (SIG-070)."""
        signers = self.env['mrp.signer']
        acceptance = self._get_signing_company()._get_mmr_acceptance()
        if signers._has_accepted(signer, acceptance):
            return None
        if accept == acceptance['sha256']:
            signers._accept(signer, acceptance)
            return None
        message = str(refusal(
            self.env, self.env._("%s has not yet accepted accountability for electronic signatures.", signer.name),
            "SIG-070, 21 CFR 11.10(j), 11.100(b)", self.env._("read the text, accept it and sign again."), record=self))
        # Nobody did anything wrong: the ledger knows, and nobody else needs to.
        self.with_user(signer)._audit_signature('refused_sign', {'acceptance_sha256': {'new': acceptance['sha256']}}, message)
        return {'refused': message, 'acceptance': acceptance, 'signer': signer.name}

    def _with_signer(self, signer):
        """Return this record as ``signer`` works with it; what the client sent of the context of another is dropped."""
        if signer == self.env.user:
            return self
        signer = signer.sudo()
        return self.with_env(self.env(user=signer.id, su=False, context={
            'lang': signer.lang, 'tz': signer.tz, 'allowed_company_ids': self._get_signing_company().ids}))
