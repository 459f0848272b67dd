"""Signing with a passkey: the content is fixed first, and its digest is what the passkey is asked to sign (SIG-110)."""

import os

from odoo import api, fields, models
from odoo.exceptions import AccessDenied, AccessError, UserError

from ...domain.canonical import canonical_json, sha256
from ...domain.passkeys import BadAssertion
from ...domain.refusals import refusal

RULE = "SIG-110, 21 CFR 11.70, 11.200(a)(2)"


class MrpEsignature(models.Model):
    _inherit = 'mrp.esignature'

    @api.model
    def _fix_for_passkey(self, vals, key):
        """Add to the values of a signature what fixes it before a passkey signs; return its digest, the challenge."""
        self._fix_place(vals, key)
        vals['key_nonce'] = os.urandom(32).hex()
        return sha256(self._get_signed_content(vals))

    @api.model
    def _sign_with_passkey(self, vals, stored, asserted):
        """Add to the values of a signature what a passkey signed, at the time and with the nonce that it was asked with.

        :raise UserError: where it is about something else: the content, or what its signer signed before, changed
        """
        vals['signed_at'] = fields.Datetime.to_datetime(asserted.signed_at)
        self._fix_place(vals, stored)
        vals['key_nonce'] = asserted.nonce
        content = self._get_signed_content(vals)
        try:
            vals['key_signature'] = asserted.sign(canonical_json(content))
        except BadAssertion as error:
            raise refusal(
                self.env,
                self.env._("%s changed after the passkey was requested, or its signer signed something else in the meantime.",
                                     vals['record_name']), "SIG-030, SIG-110, 21 CFR 11.70",
                self.env._("read it again and sign what you have read."), record=stored) from error
        stored._note_signed(vals['key_number'], sha256(content), asserted.assertion.counter)


class MrpEsignatureMixin(models.AbstractModel):
    _inherit = 'mrp.esignature.mixin'

    @api.model
    def _has_passkeys(self):
        """Whether Odoo's app for passkeys is installed, whose code asks them in the browser."""
        return 'auth.passkey.key' in self.env

    def esign_passkey(self, action, login, digest, comment=None, annex_sha256=None):
        """Fix what is about to be signed, and return what the browser hands to the passkey of the signer.

        The server fixes time, number, predecessor and nonce; the digest over all of it is the challenge. The answer of the
        passkey goes to :meth:`esign` with the same arguments, once, within some minutes and in the same session.

        :param str login: user name of the signer, typed; empty in a continuous session
        :return: ``{'options': …}`` or ``{'refused': message}``
        """
        try:
            self.check_access('read')
            return {'options': self._ask_passkey(action, login, digest, comment, annex_sha256)}
        except (UserError, AccessError, AccessDenied) as error:
            message = str(error.args[0]) if error.args else str(error)
        # Who signs is not known yet: the attempt is one of the person of the session.
        self[:1]._log_refused_signature(action, message, self.env.user)
        return {'refused': message}

    def _ask_passkey(self, action, login, digest, comment, annex_sha256):
        self._check_browser()
        if len(self) != 1:
            raise refusal(
                self.env, self.env._("A passkey can only sign one record at a time."), RULE,
                self.env._("open and sign the records one by one."), record=self[:1])
        signer = self._find_signer(login)
        key = self.env['mrp.signer.key']._get_passkey(signer)
        if not key:
            raise refusal(
                self.env, self.env._("No passkey with this name can sign here."), RULE,
                self.env._("sign with your password, or set your passkey as your key in your preferences."), record=self)
        self._check_works_here(signer)
        key._check_place(signer, key.is_synced, self)
        record = self._with_signer(signer)
        record._check_own_terminal(action)
        vals, _prepared = record._prepare_esign(action, digest, comment, annex_sha256, None)
        challenge = self.env['mrp.esignature'].sudo()._fix_for_passkey(vals, key)
        return key._ask(signer, challenge, [key.credential_id], (key.rp_id, key.origin),
                        signed_at=fields.Datetime.to_string(vals['signed_at']), nonce=vals['key_nonce'])
