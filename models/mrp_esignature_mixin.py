import logging

from psycopg2 import IntegrityError

from odoo import models
from odoo.exceptions import AccessDenied, AccessError, UserError
from odoo.http import request
from odoo.tools import SQL

from ..tools import current_session_uid, refusal, sha256, signing, transition

_logger = logging.getLogger(__name__)


class MrpEsignatureMixin(models.AbstractModel):
    """Records that people sign electronically.

    A record offers *signing actions*. The dialog asks :meth:`esign_prepare` what is to be signed and
    hands user name and password to :meth:`esign`, where the credential is checked as an interactive
    login and the action is done in the same transaction, or nothing is.
    """
    _name = 'mrp.esignature.mixin'
    _description = "Electronically Signed Record"

    def _get_signing_action(self, action):
        """Return what signing ``action`` means now, after checking that it is possible at all.

        :return: dict of ``meaning`` (see mrp.esignature), ``statement``, ``group`` (xmlid of the role),
            ``digest`` and ``content`` (what is signed), ``comment_required``, ``annex`` (what else is signed),
            ``basis`` (the signature it is given on); the role may be a record of res.groups
        :raise UserError: where the record's state or content does not allow the action
        """
        raise NotImplementedError

    def _check_signer(self, action, user):
        """Refuse persons that may not sign ``action``; to be extended by the record."""

    def _apply_signing_action(self, action, signature):
        """Do what was signed, in the transaction of the signature."""
        raise NotImplementedError

    def _get_signing_group(self, group):
        """Return the group of a role, which signing actions name by xmlid or record."""
        return (self.env.ref(group) if isinstance(group, str) else group).sudo()

    def _get_voided_signatures(self, action):
        """Return the signature that signing ``action`` voids, or an empty one."""
        return self.env['mrp.esignature']

    def action_open_signature(self, action):
        """Return the client action that opens the signature dialog for ``action``."""
        self.ensure_one()
        prepared = self._get_signing_action(action)
        self._check_signing_role(prepared['group'])
        self._check_signer(action, self.env.user)
        return {
            'type': 'ir.actions.client',
            'tag': 'mrp_mmr.sign',
            'target': 'new',
            'name': self.env._("Electronic Signature"),
            'params': {'res_model': self._name, 'res_id': self.id, 'signing_action': action},
        }

    def esign_prepare(self, action):
        """Return what the signature dialog shows: record, meaning, statement, digest, role.

        :raise UserError: where the action is not possible now
        """
        self.ensure_one()
        self.check_access('read')
        prepared = self._get_signing_action(action)
        return {
            'record_name': self.display_name,
            'meaning': prepared['meaning'],
            'meaning_label': dict(self.env['mrp.esignature']._fields['meaning']._description_selection(
                self.env))[prepared['meaning']],
            'statement': prepared['statement'],
            'digest': prepared['digest'],
            'role': self._get_signing_group(prepared['group']).name,
            'comment_required': prepared.get('comment_required', False),
            'annex_sha256': sha256(prepared['annex']) if prepared.get('annex') else False,
        }

    def esign(self, action, credential, digest, comment=None, annex_sha256=None):
        """Sign ``action`` with user name and password and do it (21 CFR 11.200(a)(1)).

        A refused attempt changes nothing but leaves a note on the record, which is why it is returned
        and not raised.

        :param dict credential: ``login`` and ``password``, both typed by the signer; never stored
        :param str digest: the digest that the dialog showed
        :param str annex_sha256: the digest of what it showed beside, such as the redline
        :return: ``{'signature_id': id}`` or ``{'refused': message}``
        """
        self.ensure_one()
        self.check_access('read')
        try:
            with self.env.cr.savepoint():
                signature = self._esign(action, credential, digest, comment, annex_sha256)
        except (UserError, AccessError, AccessDenied) as error:
            message = str(error.args[0]) if error.args else str(error)
        except IntegrityError as error:
            # A trigger refused what no rule above it did: nothing is stored, and the signer is told.
            message = error.diag.message_primary or str(error)
        else:
            return {'signature_id': signature.id}
        self._log_refused_signature(action, message)
        return {'refused': message}

    def _esign(self, action, credential, digest, comment, annex_sha256=None):
        self._check_signing_credential(credential)
        self._lock_for_signing()
        prepared = self._get_signing_action(action)
        user = self.env.user
        self._check_signing_role(prepared['group'])
        self._check_signer(action, user)
        comment = (comment or '').strip()
        if prepared.get('comment_required') and not comment:
            raise refusal(
                self.env, self.env._("%s: a reason is needed.", self.display_name),
                "APR-010, 21 CFR 111.123(a)(1)", self.env._("type the reason and sign again."), record=self)
        annex = prepared.get('annex')
        if digest != prepared['digest'] or (annex_sha256 and (not annex or annex_sha256 != sha256(annex))):
            raise refusal(
                self.env,
                self.env._("The content of %s changed while the signature dialog was open.", self.display_name),
                "SIG-030, 21 CFR 11.70",
                self.env._("close the dialog, read the content again and sign what you read."), record=self)
        # Nobody has a right to create signatures: only this path does.
        signatures = self.env['mrp.esignature'].sudo()
        vals = signatures._prepare_signature_vals(
            self, user, prepared['meaning'], prepared['statement'],
            self._get_signing_group(prepared['group']).with_context(lang='en_US').name,
            prepared['digest'], comment=comment, content=prepared.get('content'),
            voids=self._get_voided_signatures(action), annex=annex, basis=prepared.get('basis'))
        with signing(vals['signature_sha256']):
            signature = signatures.create(vals)
        self._audit_signature('sign', {
            'signature_id': {'new': signature.id}, 'meaning': {'new': vals['meaning']},
            'content_sha256': {'new': vals['content_sha256']}, 'signature_sha256': {'new': vals['signature_sha256']},
        }, comment)
        with transition(self):
            self.sudo()._apply_signing_action(action, signature)
            # Let PostgreSQL judge now, so that a refusal of its triggers undoes the signature too.
            self.env.flush_all()
        return signature

    def _audit_signature(self, kind, values, reason):
        """Append a signature, or a refused attempt, to the ledger (AUD-010, SIG-040)."""
        self.env['mrp.audit.entry']._append_about(kind, self, values, reason)

    def _lock_for_signing(self):
        """Let signers of one record wait for each other, and judge on what is committed."""
        self.env.execute_query(SQL(
            "SELECT id FROM %s WHERE id = %s FOR UPDATE", SQL.identifier(self._table), self.id))
        self.invalidate_recordset()

    def _check_signing_credential(self, credential):
        """Check that the person at the keyboard is the logged-in user (SIG-040, SIG-080).

        :raise UserError: superuser, API key, cron, switched user, archived, portal or bot user
        :raise AccessDenied: user name or password is wrong, or Odoo's cool-down is on
        """
        user = self.env.user
        rule = "SIG-080, 21 CFR 11.200(a)(2)"
        remedy = self.env._("sign in with your own user name and password, in the browser.")
        if self.env.su or user._is_superuser() or current_session_uid(request) != user.id:
            raise refusal(
                self.env, self.env._("Nobody signs for another, and no program signs at all."),
                rule, remedy, record=self)
        if not user.active or not user._is_internal():
            raise refusal(
                self.env, self.env._("%s is no active internal user and cannot sign.", user.name),
                "SIG-060, 21 CFR 11.100(a)", self.env._("ask an authorised person to sign."), record=self)
        credential = credential if isinstance(credential, dict) else {}
        login, password = credential.get('login'), credential.get('password')
        denied = AccessDenied(self.env._(
            "User name or password is wrong. Nothing was signed.\n\nRule: SIG-040, 21 CFR 11.200(a)(1).\n"
            "What you can do: type your own user name and password and sign again."))
        if not isinstance(login, str) or not isinstance(password, str) or not password:
            raise denied
        try:
            with user._assert_can_auth(user=user.login):
                if login.strip() != user.login:
                    raise AccessDenied()
                user._check_credentials(
                    {'type': 'password', 'login': user.login, 'password': password}, {'interactive': True})
        except AccessDenied as error:
            if error.args and error.args[0] != AccessDenied().args[0]:
                raise  # the cool-down says how to go on
            raise denied from error

    def _check_signing_role(self, group):
        """Refuse users without the role; no role implies quality control, the administrator has none.

        :raise AccessError: where the user is no member of the group
        """
        group = self._get_signing_group(group)
        if group not in self.env.user.sudo().all_group_ids:
            raise refusal(
                self.env,
                self.env._("%(user)s does not have the role %(role)s, which signs this for %(record)s.",
                           user=self.env.user.name, role=group.name,
                           record=self.display_name),
                "APR-050, 21 CFR 111.12(b), 211.22(a)",
                self.env._("ask a person who has this role to sign."), record=self, exception=AccessError)

    def _log_refused_signature(self, action, message):
        """Keep the attempt visible on the record; the signer may have no right to write there."""
        _logger.info("Refused signature %s of %s by user %s", action, self, self.env.uid)
        self._audit_signature('refused_sign', {'action': {'new': str(action)}}, message)
        self.sudo()._message_log(
            body=self.env._("Refused signature of %(user)s: %(message)s",
                            user=self.env.user.name, message=message),
            author_id=self.env.user.partner_id.id)
