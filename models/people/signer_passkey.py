"""Passkeys as keys of signers: made by an assertion, enrolled like any other key, signing by assertions (SIG-110, SIG-120)."""

import logging
import os
from datetime import timedelta

from werkzeug.urls import url_parse

from odoo import api, fields, models
from odoo.exceptions import AccessDenied, UserError
from odoo.http import request

from ...domain.arguments import takes
from ...domain.passkeys import AssertedKey, Assertion, BadAssertion, from_base64url, to_base64url
from ...domain.public_keys import PublicKey
from ...domain.refusals import refusal
from ...domain.sessions import current_session
from ..evidence.esignature import PasskeyNeeded

_logger = logging.getLogger(__name__)

RULE = "SIG-110, 21 CFR 11.70, 11.200(a)(2)"
#: Where the session of the browser, on the server, remembers what a passkey was asked to sign.
SESSION_KEY = 'mrp_mmr_passkey'
#: Minutes in which the answer of a passkey is awaited.
MINUTES = 5


class MrpSignerKey(models.Model):
    """A passkey is a key whose private half is in the person's authenticator. It has a credential, and a place where it signs.

    Relying party and origin are those of the server when the key was made; the security administrator signs for them.
    """
    _inherit = 'mrp.signer.key'

    credential_id = fields.Char("Passkey", readonly=True, help="Identifier of the passkey, as supplied by its authenticator.")
    rp_id = fields.Char("Server of the Passkey", readonly=True)
    origin = fields.Char("Address of the Passkey", readonly=True)
    is_synced = fields.Boolean(
        "May Be Copied", readonly=True, help="Its provider may copy the passkey to other devices; it cannot sign at shared "
                                             "terminals.")

    def _prepare_passkey_content(self):
        """Return what a security administrator signs about a passkey, or None."""
        return {'credential': self.credential_id, 'rp_id': self.rp_id, 'origin': self.origin, 'synced': self.is_synced} \
            if self.credential_id else None

    @api.model
    def _get_passkey(self, user):
        """Return the passkey of this user that is in force, else the one that was made last and waits; or none."""
        in_force, last = self._get_in_force(user), self._get_last(user)
        return (in_force if in_force.credential_id else
                last if last.credential_id and last.state == 'waiting' else self.sudo().browse())

    # === MAKING ONE === #

    @api.model
    def _get_place(self):
        """Return relying party and origin of this server, as its address says."""
        url = url_parse(self.get_base_url())
        return url.host, url.replace(path='', query='', fragment='').to_url()

    @api.model
    def _make_passkey(self, user, credential, assertion, challenge):
        """Make a key of a passkey of ``user`` that just signed ``challenge``; it waits for its enrolment.

        :raise BadAssertion: where the passkey is none of this user, or did not sign it
        """
        row = self.env['auth.passkey.key'].sudo().search(
            [('create_uid', '=', user.id), ('credential_identifier', '=', credential)]) if isinstance(credential, str) else None
        if not row:
            raise BadAssertion("another passkey")
        try:
            public = PublicKey.from_cose(from_base64url(row.public_key))
        except ValueError as error:
            raise BadAssertion("a passkey of a kind that does not sign") from error
        rp_id, origin = self._get_place()
        assertion.check(public.text, challenge, rp_id, origin)
        known = self.sudo().search([('fingerprint', '=', public.fingerprint), ('user_id', '=', user.id)])
        if known.state in ('waiting', 'force'):
            return known
        last = self._get_last(user)
        reason = self._get_reason(user)
        key = self._store_key(user, public, 'passkey' if last and reason == 'loss' else reason, {
            'credential_id': credential, 'rp_id': rp_id, 'origin': origin, 'is_synced': assertion.is_synced})
        self.env['mrp.signer.secret']._keep(key, False, 'passkey')
        return key

    # === WHAT IT IS ASKED === #

    @api.model
    def _ask(self, user, challenge, credentials, place, **fixed):
        """Remember what a passkey is asked to sign, once, and return what the browser hands to it.

        :param str challenge: digest, 64 hexadecimal digits
        :param list credentials: identifiers of the passkeys that may answer
        :param place: relying party and origin
        :param fixed: time and nonce of the signature
        """
        _key, session = current_session(request)
        until = fields.Datetime.now() + timedelta(minutes=MINUTES)
        session[SESSION_KEY] = {
            'uid': user.id, 'challenge': challenge, 'until': fields.Datetime.to_string(until), **fixed}
        return {
            'challenge': to_base64url(bytes.fromhex(challenge)), 'rpId': place[0], 'timeout': MINUTES * 60_000,
            'userVerification': 'required',
            'allowCredentials': [{'id': name, 'type': 'public-key'} for name in credentials],
        }

    @api.model
    def _take_asked(self, user):
        """Return what the passkey of ``user`` was asked in this session; it is asked once, and answered once.

        :raise BadAssertion: where it was asked nothing, or too long ago
        """
        asked = current_session(request)[1].pop(SESSION_KEY, None)
        if not asked or asked['uid'] != user.id or fields.Datetime.to_string(fields.Datetime.now()) > asked['until']:
            raise BadAssertion("nothing was asked, or too long ago")
        return asked

    # === SIGNING === #

    @api.model
    def _open_passkey(self, user, text):
        """Return what the passkey of ``user`` signed, as a key that signs that and nothing else.

        :raise AccessDenied: where the answer is another one, or was given before
        """
        key = self._get_passkey(user)
        try:
            asked = self._take_asked(user)
            credential, assertion = Assertion.from_answer(text)
            if not key or credential != key.credential_id or 'nonce' not in asked:
                raise BadAssertion("another passkey")
            assertion.check(key.public_key, asked['challenge'], key.rp_id, key.origin)
            count = self.env['mrp.signer.secret']._get(key).sign_count
            if (count or assertion.counter) and assertion.counter <= count:
                raise BadAssertion("its counter did not rise: there may be a copy of it")
        except BadAssertion as error:
            _logger.info("Refused answer of a passkey of user %s: %s", user.id, error)
            raise AccessDenied() from error
        return AssertedKey(key._get_owner(), key.fingerprint, asked['challenge'], asked['signed_at'], asked['nonce'], assertion)

    @api.model
    def _require_passkey(self, user, asserted, record):
        """Return what a passkey signed, where it may sign ``record`` here and now (SIG-110, SIG-120)."""
        key = self.sudo().search([('fingerprint', '=', asserted.fingerprint), ('user_id', '=', user.id)])
        self._check_place(user, asserted.assertion.is_synced, record)
        if key._may_sign_now(record):
            return asserted
        raise key._refuse_waiting(record)

    @api.model
    def _check_place(self, user, is_synced, record):
        """Refuse passkeys that may be copied at terminals that persons share (SIG-110)."""
        is_shared = user != self.env.user or self.env['mrp.terminal']._get_current()
        if is_shared and is_synced:
            raise refusal(
                self.env, self.env._("The passkey of %s may be copied to other devices; it cannot sign at a shared terminal.",
                                     user.name), RULE,
                self.env._("sign with a passkey that is bound to one device, such as a security key that was enrolled for "
                           "you; or sign at your own computer."), record=record)

    @api.model
    def _refuse_password(self, user, record):
        """Return the refusal of a right password where a passkey signs; the dialog offers to have a new key made."""
        return PasskeyNeeded(str(refusal(
            self.env, self.env._("%s signs with a passkey.", user.name), RULE,
            self.env._("press Sign with Passkey. If it is lost, have a new key made, which a security administrator enrols "
                       "in person."), record=record)))


class ResUsers(models.Model):
    _inherit = 'res.users'

    def _get_mmr_passkeys(self):
        """Return the passkeys that this user made in Odoo, as far as its app for them is installed."""
        return self.sudo().auth_passkey_key_ids if 'auth_passkey_key_ids' in self._fields else []

    @api.model
    def _mmr_check_own_passkey(self):
        """Refuse everybody but the person of the session, with an own password, where Odoo has passkeys (SIG-120)."""
        user = self.env.user
        self._mmr_check_owner()
        if not user._get_mmr_passkeys():
            raise refusal(
                self.env, self.env._("%s has no passkey in Odoo.", user.name), "SIG-120, 21 CFR 11.100(b)",
                self.env._("create one on the Security page of your preferences."), record=user)

    @api.model
    def mmr_ask_passkey(self):
        """Return what the browser passes to a passkey so that it becomes the user's key, or ``{'refused': message}``."""
        try:
            self._mmr_check_own_passkey()
        except UserError as error:
            return {'refused': str(error.args[0])}
        user, keys = self.env.user, self.env['mrp.signer.key']
        return {'options': keys._ask(
            user, os.urandom(32).hex(), user._get_mmr_passkeys().mapped('credential_identifier'), keys._get_place())}

    @takes(answer='text')
    @api.model
    def mmr_make_passkey(self, answer):
        """Make the user's key of a passkey that answered :meth:`mmr_ask_passkey`; a security administrator enrols it (SIG-120).

        :return: ``{'done': short fingerprint}`` or ``{'refused': message}``, so that wrong attempts stay counted
        """
        user, signers, keys = self.env.user, self.env['mrp.signer'], self.env['mrp.signer.key'].sudo()
        try:
            self._mmr_check_own_passkey()
            attempt, is_right = signers._begin_attempt(user), False
            try:
                asked = keys._take_asked(user)
                if 'nonce' in asked:
                    raise BadAssertion("asked for a signature")
                key = keys._make_passkey(user, *Assertion.from_answer(answer), asked['challenge'])
                is_right = True
            finally:
                signers._end_attempt(user, attempt, is_right)
        except BadAssertion as error:
            return {'refused': str(refusal(
                self.env, self.env._("The passkey's answer does not match any of your passkeys: %s.", str(error)),
                "SIG-040, SIG-110, 21 CFR 11.200(a)(1)", self.env._("try again with your own passkey."), record=user).args[0])}
        except UserError as error:
            return {'refused': str(error.args[0])}
        return {'done': key.short}
