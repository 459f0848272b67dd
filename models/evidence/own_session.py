"""Whatever bears a person's name is written by that person (SEC-060, 21 CFR 11.10(d), (g), (j))."""

from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import AccessError
from odoo.http import request

from ...domain.refusals import refusal
from ...domain.sessions import current_session_uid, is_foreign_code, is_own_session, is_remote_call, note_rpc_user

RULE = "SEC-060, 21 CFR 11.10(d), (g), (j)"
#: What somebody tried: it is recorded in any case.
ATTEMPTS = {'refused', 'refused_sign'}
#: Models of Odoo whose records persons alone decide on or write, beside those of manufacturing.
PERSONS = {'res.users', 'res.groups', 'res.company', 'stock.lot'}


class MrpAuditEntry(models.Model):
    """Everything with an author has its line in the ledger: that is where the author is checked."""
    _inherit = 'mrp.audit.entry'

    @api.model
    def _append(self, lines, chain_name=None):
        if lines and not ATTEMPTS.issuperset(line['kind'] for line in lines):
            if self._is_by_program(lines):
                lines = [dict(line, values={**(line.get('values') or {}), 'acting': {'new': self.env.user.login}})
                         for line in lines]
                return super(MrpAuditEntry, self.with_user(SUPERUSER_ID))._append(lines, chain_name)
            self._check_own_session(lines[0])
            if is_remote_call(request, self.env.cr) and not self.env.user._is_superuser():
                # What an interface typed was typed by nobody at a screen.
                lines = [dict(line, values={**(line.get('values') or {}), 'imported': {'new': True}}) for line in lines]
        return super()._append(lines, chain_name)

    @api.model
    def _is_by_program(self, lines):
        """Whether a program of Odoo works for somebody on what is Odoo's own, such as settings, places or units of equipment.

        A job that runs as a person, or mail that came in, acts in nobody's session. That is Odoo's way, and no GMP record:
        the line is the system's, and says for whom it acted (SEC-060).
        """
        user = self.env.user
        return not (user._is_superuser() or is_foreign_code() or is_own_session(request, user.id, self.env.cr)) and all(
            not line['model'].startswith('mrp.') and line['model'] not in PERSONS for line in lines)

    @api.model
    def _check_own_session(self, line):
        """Refuse to write in the name of a person who is not acting in this session: ``with_user()`` opens no session.

        The addon acts under the name of OdooBot; persons outside of the company have no name in GMP records.

        :raise AccessError: naming the person
        """
        user = self.env.user
        if user._is_superuser() or not user._is_internal() or is_own_session(request, user.id, self.env.cr):
            return
        raise refusal(
            self.env, self.env._("%(record)s: %(user)s is not acting in this session, so nothing can be written in that name.",
                                 record=line['record_name'] or line['model'], user=user.name), RULE,
            self.env._("let this person do it, logged in under their own name; server actions cannot write GMP records."),
            record=user, exception=AccessError)

    @api.model
    def _get_value_labels(self):
        return {**super()._get_value_labels(), 'imported': self.env._("Imported"), 'acting': self.env._("Acted For")}


    @api.model
    def _get_acting_uid(self):
        """Return whom a refusal is about: the person of the environment, or of the session where that is another one."""
        uid = self.env.uid
        return uid if is_own_session(request, uid, self.env.cr) else current_session_uid(request) or uid


class MrpEsignatureMixin(models.AbstractModel):
    _inherit = 'mrp.esignature.mixin'

    def _esign(self, action, digest, comment, annex_sha256=None, key=None):
        self._check_own_terminal(action)
        return super()._esign(action, digest, comment, annex_sha256, key)

    def _check_own_terminal(self, action):
        """Refuse signatures in the session of a colleague, but for those that are given at the terminal of the work (SIG-040).

        :raise UserError: naming whose session it is
        """
        uid = current_session_uid(request)
        if uid and uid != self.env.uid and not self._get_signing_rule(action).at_terminal:
            raise refusal(
                self.env, self.env._("%(record)s cannot be signed in the session of %(other)s.", record=self.display_name,
                                     other=self.env['res.users'].sudo().browse(uid).name), f"SIG-040, {RULE}",
                self.env._("log in with your own user name and password, in a session of your own."), record=self)


class ResUsers(models.Model):
    _inherit = 'res.users'

    def _check_uid_passwd(self, uid, passwd):
        result = super()._check_uid_passwd(uid, passwd)
        note_rpc_user(self.env.cr, uid)
        return result
