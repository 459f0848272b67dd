"""The way back where nobody can enrol any more: the server opens the enrolment of one key (SIG-120, 21 CFR 11.300(b)-(c))."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Command
from odoo.http import request
from odoo.tools import SQL

from ...domain.refusals import refusal
from ...domain.sessions import is_server_command
from ...domain.transitions import transition

RULE = "SIG-120, 21 CFR 11.100(b), 11.300(b)-(c)"
#: Longest time for which the server opens an enrolment.
MOST_HOURS = 72


class MrpSignerKey(models.Model):
    """Self-enrolment of one security administrator, named on the server, when no key in force can enrol any more.

    It is an exceptional set-up: the ledger, the key, its enrolment and each verification show it. Also held in
    guards/mrp_signer_key.sql and guards/mrp_esignature.sql.
    """
    _inherit = 'mrp.signer.key'

    @api.model
    def _has_enroller(self):
        """Whether a security administrator has a key in force that can be used."""
        [[has_one]] = self.env.execute_query(SQL("SELECT mrp_mmr_has_enroller()"))
        return has_one

    @api.model
    def _get_recovery_end(self, user):
        """Return until when ``user`` may enrol their own key because the server allowed it, or None."""
        [[end]] = self.env.execute_query(SQL("SELECT mrp_mmr_key_recovery(%s)", user.id))
        return end if end and fields.Datetime.now() <= end and not self._has_enroller() else None

    def _is_recovery(self):
        """Whether its owner may enrol this key now, because nobody else can and the server opened it."""
        return self.reason == 'recovery' and self._get_last(self.user_id) == self and bool(self._get_recovery_end(self.user_id))

    @api.model
    def _get_reason(self, user):
        return 'recovery' if self._get_recovery_end(user) else super()._get_reason(user)

    def _may_sign(self, model, res_id):
        return super()._may_sign(model, res_id) or (model, res_id) == (self._name, self.id) and self._is_recovery()

    def _prepare_content(self, action):
        content = super()._prepare_content(action)
        end = self._get_recovery_end(self.user_id) if action == 'enrol' and self.reason == 'recovery' else None
        return {**content, 'recovery': fields.Datetime.to_string(end) if end else None}

    @api.model
    def _refuse_recovery(self, record=None):
        return refusal(
            self.env, self.env._("The enrolment of a first key can only be opened on the server."), RULE,
            self.env._("ask the administrator of the server to run: odoo-bin mrp_mmr recover."), record=record)

    @api.model
    def _open_recovery(self, user, hours, reason, by, document=None):
        """Let ``user`` make and enrol their own key once, as the administrator of the server decided; the ledger records it.

        :param user: becomes a security administrator, where the role was lost with everybody who had it
        :param int hours: for which it is open, at most :data:`MOST_HOURS`
        :param str by: who administers the server, as the system there names that person
        :param str document: on which the identity was verified, where nobody verified it in Odoo
        :return: until when it is open
        :raise UserError: where it is not called on the server, or somebody can still enrol
        """
        if not is_server_command(request):
            raise self._refuse_recovery(user)
        if self._has_enroller() or self._is_set_up_open():
            raise refusal(
                self.env,
                self.env._("The key of a security administrator is in force and can be used, or the first key is still to be "
                           "enrolled: recovery is not needed."), RULE,
                self.env._("let that security administrator enrol the key. If nobody knows a password any more, let another "
                           "person set a new one, which suspends the signer; archive the users of people who left."),
                record=user)
        user = user.sudo()
        if not user.active or user._is_superuser() or not user._is_internal() or not reason or not 1 <= hours <= MOST_HOURS:
            raise refusal(
                self.env, self.env._(
                    "%(user)s is not an active internal user, the reason is missing, or the time is not between 1 and "
                    "%(hours)s hours.",
                    user=user.name, hours=MOST_HOURS), RULE, self.env._("enter a person, a reason and a time."), record=user)
        signer = self.env['mrp.signer'].sudo()._get(user)
        if not signer.identity_verified_at and not document:
            raise refusal(
                self.env, self.env._("The identity of %s has not been verified yet.", user.name), "SIG-070, 21 CFR 11.100(b)",
                self.env._("see the person, and enter which document you saw: --identity."), record=user)
        if not signer.identity_verified_at:
            signer._change({'identity_document': document, 'identity_verified_at': fields.Datetime.now(),
                            'identity_verified_by_id': self.env.uid}, {'identity_document': document}, by)
        group = self.env.ref('mrp_mmr.group_mmr_security').sudo()
        if group not in user.all_group_ids:
            with transition(user):
                user.write({'group_ids': [Command.link(group.id)]})
        end = fields.Datetime.now() + timedelta(hours=hours)
        signer._log({'key_recovery': {'old': None, 'new': fields.Datetime.to_string(end)}, 'opened_by': by}, reason)
        return end


class MrpAuditEntry(models.Model):
    _inherit = 'mrp.audit.entry'

    @api.model
    def _append(self, lines, chain_name=None):
        """Refuse lines that open the way back from everything but the command on the server (SIG-120)."""
        if any('key_recovery' in (line.get('values') or {}) for line in lines) and not is_server_command(request):
            raise self.env['mrp.signer.key']._refuse_recovery()
        return super()._append(lines, chain_name)
