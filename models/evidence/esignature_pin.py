"""Signing with a PIN in a continuous session at a registered terminal (SIG-130, 21 CFR 11.200(a)(1)(i)-(ii))."""

from odoo import models
from odoo.exceptions import AccessDenied

from ...domain.refusals import refusal
from ...domain.session_pins import MOST

RULE = "SIG-130, 21 CFR 11.200(a)(1)(i)-(ii)"


class MrpEsignatureMixin(models.AbstractModel):
    """A PIN signs what is signed at the terminal of the work; decisions elsewhere ask for all components."""
    _inherit = 'mrp.esignature.mixin'

    def esign_prepare(self, action):
        return {**super().esign_prepare(action), 'pin': self._prepare_pin_vals(action)}

    def _prepare_pin_vals(self, action):
        """Return what the dialog says of PINs here, and whose sign in this session; False where there are none."""
        sessions = self.env['mrp.signer.session']
        place = sessions._get_place(self) if self._get_signing_rule(action).at_terminal else None
        if not place:
            return False
        company, user = self._get_signing_company(), self.env.user
        rows = sessions._get_here(place).filtered(lambda row: company.mmr_sign_shared or row.user_id == user)
        return {
            'length': company.mmr_pin_length, 'most': MOST, 'minutes': company.mmr_pin_idle_minutes,
            'persons': [{'token': row.token, 'name': row.user_id.name, 'is_own': row.user_id == user} for row in rows]}

    def _judge_credential(self, credential):
        if 'pin' not in credential:
            return super()._judge_credential(credential)
        session = self.env['mrp.signer.session']._find(self, credential.get('token'))
        signer = session.user_id
        if signer != self.env.user and not self._get_signing_company().mmr_sign_shared:
            raise session._refuse_ended(self)
        wrong = []

        def open_key():
            try:
                return session._open(credential['pin'], credential.get('half'))
            except AccessDenied:
                wrong.append(session._count_failure())
                raise
        try:
            return signer, self._judge_attempt(signer, open_key)
        except AccessDenied as error:
            if not wrong:
                raise
            raise self._deny_pin(signer, wrong[0]) from error

    def _deny_pin(self, signer, left):
        return AccessDenied(str(refusal(
            self.env, self.env._("The PIN of %s is wrong. Nothing was signed.", signer.name), f"SIG-040, {RULE}",
            self.env._("type it again; the session ends after %s more wrong entries.", left) if left > 0 else
            self.env._("sign with user name and password: this continuous session has ended."), record=self).args[0]))

    def _describe_components(self, credential):
        if 'pin' not in credential:
            return super()._describe_components(credential)
        return {'name': "PIN", 'first': False, 'session': credential['token']}

    def _esign(self, action, digest, comment, annex_sha256=None, key=None):
        if 'session' in self._get_components() and not self._get_signing_rule(action).at_terminal:
            raise refusal(
                self.env, self.env._("%s cannot be signed with a PIN.", self.display_name), RULE,
                self.env._("sign with user name and password."), record=self)
        return super()._esign(action, digest, comment, annex_sha256, key)

    def _go_on_signing(self, credential, key, signature):
        answer = super()._go_on_signing(credential, key, signature)
        sessions = self.env['mrp.signer.session']
        if 'pin' in credential:
            sessions._find(self, credential['token'])._note_used(signature)
        elif credential.get('new_pin'):
            answer['session'] = sessions._begin(self, key, signature, credential['new_pin'], credential.get('half'))
        return answer
