"""Suspensions of signers: who set the password of another, and who ends what follows from it (SIG-080, SIG-120)."""

from odoo import api, fields, models
from odoo.tools import SQL

from ...domain.refusals import refusal
from ...domain.transitions import transition

RULE = "SIG-080, SIG-120, 21 CFR 11.200(a)(2), 11.300(b)"


class MrpSigner(models.Model):
    """A suspension only ends with the enrolment of a key. Also held in guards/mrp_signer.sql."""
    _inherit = 'mrp.signer'

    def _is_enrolled(self):
        """Whether somebody verified who this person is, or the person has a key: then only an enrolment ends a suspension."""
        return bool(self.identity_verified_at or self.env['mrp.signer.key']._get_last(self.user_id))

    def _check_suspension_ends(self):
        """Refuse the end of a suspension without the enrolment that ends it (SIG-120).

        Before anybody verified who that is, and while no key of the database is enrolled, there is nothing to end.
        """
        for signer in self.sudo():
            if not signer.suspended_at or not signer._is_enrolled() or self.env['mrp.signer.key']._is_set_up_open():
                continue
            [[has_ended]] = self.env.execute_query(SQL(
                "SELECT mrp_mmr_suspension_ended(%s, %s, %s)",
                signer.user_id.id, signer.suspended_at, signer.suspended_by_id.id or None))
            if not has_ended:
                raise signer._refuse_suspended()

    def _refuse_suspended(self):
        """Return the refusal of a person whose password was set without the former one (SIG-080, SIG-120)."""
        return refusal(
            self.env, self.env._("The password of %s was set without the previous one; signing is suspended.",
                                 self.user_id.name), RULE,
            self.env._("go to a security administrator who did not cause this; the administrator sees you and enrols your key.")
            if self.is_password_own else
            self.env._("log in, change your password in your preferences, sign, and go to a security administrator, who sees "
                       "you and enrols your key."), record=self)

    @api.model
    def _note_password(self, user, setter, is_new):
        """Follow a change of the login password (SIG-080, SIG-120).

        Who sets that of another suspends signing, and so does a token. It ends when a security administrator, other than
        who caused it, enrols the key of the person; before anybody verified who that is, there is nothing to end.

        :param str setter: ``owner``, ``token`` or ``other``
        """
        signer = self._get(user)
        now = fields.Datetime.now()
        is_enrolled = signer._is_enrolled()
        vals, reason = {'password_changed_at': now, 'is_password_own': setter != 'other'}, None
        if setter == 'other':
            vals.update(suspended_at=now, suspended_by_id=self.env.uid)
            reason = self.env._("The password was set by somebody else.")
        elif setter == 'token' and is_enrolled:
            # A link that nobody in particular had sent does not hide who caused the suspension before.
            cause = signer.reset_by_id or signer.suspended_by_id
            vals.update(suspended_at=now, suspended_by_id=cause.id)
            reason = self.env._("The password was set by a link, without the former one.")
        elif not is_new:
            signer.with_env(self.env)._note_hash()
            return
        else:
            reason = self.env._("The owner set a new password.")
            # While nobody can enrol yet, nobody else can end it.
            if not is_enrolled or self.env['mrp.signer.key']._is_set_up_open():
                vals.update(suspended_at=False, suspended_by_id=False)
        was = 'suspended' if signer.suspended_at else 'active'
        with transition(signer):
            signer.write(vals)
        if signer._is_known():
            signer.with_env(self.env)._log({
                'signing': {'old': was, 'new': 'suspended' if signer.suspended_at else 'active'},
                'suspended_by': {'new': signer.suspended_by_id.id or None}, **signer._get_known()}, reason)

    def _note_hash(self):
        """Follow a new hash of the same password (SIG-080)."""
        if self._is_known() and not self._is_password_known():
            self._log(self._get_known())

    def _note_hash_of_login(self):
        """Follow that Odoo hashed the password of this signer anew, in the name of the system."""
        for signer in self:
            signer._note_hash()

    @api.model
    def _note_reset(self, users):
        """Remember who had a link sent by which the password of another is set (SIG-120)."""
        for user in users:
            signer = self._get(user)
            with transition(signer):
                signer.write({'reset_by_id': self.env.uid if self.env.uid != user.id else False})
            if signer._is_known():
                signer.with_env(self.env)._log(signer._get_known(), self.env._("A link to set the password was sent."))
