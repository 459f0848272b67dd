"""Records that people sign: the table of signing actions, the check of the signer, and the signature (SIG-010 to SIG-080)."""

import logging
from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import api, fields, models
from odoo.exceptions import AccessDenied, AccessError, UserError
from odoo.http import request
from odoo.tools import SQL, LazyTranslate

from ...domain.canonical import sha256
from ...domain.passkeys import SIGNING_KEYS
from ...domain.refusals import refusal
from ...domain.sessions import authenticated, current_session, current_session_uid, session_digest, typed_components
from ...domain.signing import SigningAction, is_storable, shown
from ...domain.transitions import signing, transition
from .esignature import FormerSecretNeeded

_logger = logging.getLogger(__name__)
_lt = LazyTranslate(__name__)

#: Where the session of the browser, on the server, remembers its last signature.
SESSION_KEY = 'mrp_mmr_signing'


class MrpEsignatureMixin(models.AbstractModel):
    """Records that people sign electronically.

    A model that is signed inherits this mixin and does three things:

    1. it declares each signature as a row of ``_signing_actions``: name of the action → ``SigningRule`` (domain/signing.py),
       with meaning, role, statement and the statuses from which it is signed;
    2. it writes the method ``prepare`` of the row, which checks the content and returns ``_make_signing_action(…)``;
    3. it writes the method ``apply`` of the row, which does what was signed, and a button that returns
       ``action_open_signature(action)``.

    Everything else is done here, and refused here: unknown actions, wrong statuses, missing roles and reasons, content that
    changed. The dialog asks :meth:`esign_prepare` what is to be signed and hands user name and password to :meth:`esign`,
    where the credential is checked as an interactive login and the action is done in the same transaction, or nothing is.
    """
    _name = 'mrp.esignature.mixin'
    _description = "Electronically Signed Record"

    #: What is signed: name of the action → SigningRule. Each class that extends a model adds its rows.
    _signing_actions = {}
    #: The field that ``SigningRule.states`` and ``SigningRule.leads_to`` are about.
    _signing_state_field = 'state'
    #: Requirement and citation by which a signature is refused in a wrong status, unless its rule has its own.
    _signing_citation = "SIG-010, 21 CFR 11.10(f), 11.50"
    #: What to do instead of signing in a wrong status, unless its rule says something else.
    _signing_next_step = _lt("sign what the record is waiting for.")

    esignature_ids = fields.Many2many(
        'mrp.esignature', string="Electronic Signatures", compute='_compute_esignature_ids', help="Including void ones.")

    def _compute_esignature_ids(self):
        # Whoever may read a record may read who signed it (SIG-020, 21 CFR 11.50(b)).
        signatures = self.env['mrp.esignature'].sudo().search(
            [('res_model', '=', self._name), ('res_id', 'in', self.ids)]).grouped('res_id')
        for record in self:
            record.esignature_ids = signatures.get(record.id)

    # === WHAT IS SIGNED === #

    @api.model
    def _get_signing_rules(self):
        """Return the table of this model: the rows of all classes that it consists of."""
        rules = {}
        for definition in reversed(type(self).__mro__):
            rules.update(vars(definition).get('_signing_actions') or {})
        return rules

    def _get_signing_rule(self, action):
        """Return the rule of ``action``, which may be anything that a client sent.

        :raise UserError: where the model has no such signature
        """
        rule = self._get_signing_rules().get(action) if isinstance(action, str) else None
        if rule is None:
            raise refusal(
                self.env, self.env._("%s cannot be signed in that way.", self.display_name), self._signing_citation,
                self.env._("use the buttons of the record."), record=self)
        return rule

    def _get_signing_action(self, action):
        """Return what signing ``action`` means now, as a ``SigningAction``, after checking that it is possible at all.

        :raise UserError: where the record has no such signature, or its state or content does not allow it
        """
        self.ensure_one()
        rule = self._get_signing_rule(action)
        self._check_signing_state(rule)
        return getattr(self, rule.prepare)(action)

    def _is_signing_state(self, rule):
        """Whether the status of this record is one from which ``rule`` is signed, and it was not signed already."""
        self.ensure_one()
        return not (rule.once and self.sudo()[rule.once]) and (
            rule.states is None or self[self._signing_state_field] in rule.states)

    def _check_signing_state(self, rule):
        """Refuse what is not signed in the status of the record, or was signed already.

        :raise UserError: naming record, status and rule
        """
        if self._is_signing_state(rule):
            return
        if rule.once and self.sudo()[rule.once]:
            message = self.env._("%(record)s is already signed: %(signature)s.", record=self.display_name,
                                 signature=self.sudo()[rule.once].display_name)
        else:
            message = self.env._(
                "%(record)s is not waiting for this signature (%(meaning)s); its status is: %(status)s.",
                record=self.display_name, meaning=self._get_meaning_labels()[rule.meaning],
                status=self._get_signing_state_label())
        raise refusal(
            self.env, message, rule.citation or self._signing_citation,
            self.env._(rule.next_step or self._signing_next_step), record=self)

    def _get_signing_state_label(self):
        """Return the status of this record in words."""
        field = self._fields[self._signing_state_field]
        value = self[self._signing_state_field]
        return dict(field._description_selection(self.env)).get(value) or self.env._("none")

    @api.model
    def _get_meaning_labels(self):
        return dict(self.env['mrp.esignature']._fields['meaning']._description_selection(self.env))

    def _make_signing_action(self, action, content=None, **values):
        """Return what is signed by ``action``, as its rule says it.

        :param dict content: what is signed and stored with the signature; its digest is taken, unless ``digest`` is given
        :param values: further or other fields of ``SigningAction``; ``group`` as an xmlid or as a record
        """
        rule = self._get_signing_rule(action)
        if content is not None:
            values.setdefault('digest', sha256(content))
        values['group'] = self._get_signing_group(values.get('group') or rule.group)
        values.setdefault('meaning', rule.meaning)
        values.setdefault('comment_required', rule.comment_required)
        if 'statement' not in values:
            values['statement'] = self.env._(rule.statement)
        return SigningAction(content=content, **values)

    def _check_signer(self, action, user):
        """Refuse persons that may not sign ``action``, by the method that its rule names."""
        rule = self._get_signing_rule(action)
        if rule.check_signer:
            getattr(self, rule.check_signer)(action, user)

    def _apply_signing_action(self, action, signature):
        """Do what was signed, in the transaction of the signature, by the method that its rule names."""
        getattr(self, self._get_signing_rule(action).apply)(action, signature)

    def _post_signature(self, signature):
        """Tell in the chatter what was signed, by whom and why."""
        self._message_log(
            body=self.env._("%(statement)s %(name)s: %(comment)s", statement=signature.statement,
                            name=signature.signer_name, comment=signature.comment or ''),
            author_id=signature.partner_id.id)

    def _get_signing_group(self, group):
        """Return the group of a role, which is named by xmlid or record."""
        return (self.env.ref(group) if isinstance(group, str) else group).sudo()

    # === DIALOG === #

    def action_open_signature(self, action):
        """Return the client action that opens the signature dialog for ``action``."""
        self.ensure_one()
        prepared = self._get_signing_action(action)
        if not (self._get_signing_company().mmr_sign_shared and self._get_signing_rule(action).at_terminal):
            self._check_signing_role(prepared.group)
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
            'meaning': prepared.meaning,
            'meaning_label': self._get_meaning_labels()[prepared.meaning],
            'statement': prepared.statement,
            'digest': prepared.digest,
            'role': prepared.group.name,
            'comment_required': prepared.comment_required,
            'annex_sha256': sha256(prepared.annex) if prepared.annex else False,
            **self._prepare_credential_vals(),
        }

    def _prepare_credential_vals(self):
        """Return what the dialog asks of the signer: which components, and of whom."""
        user = self.env.user
        return {
            'login': user.login,
            'continuous': self._is_session_continuous(),
            'shared': self._get_signing_company().mmr_sign_shared,
            'own_password': bool(self.env['mrp.signer']._get_for(user).signing_password),
            'passkey': self._has_passkeys() and bool(self.env['mrp.signer.key']._get_passkey(user)),
            'passkeys': self._has_passkeys(),
        }

    def esign(self, action, credential, digest, comment=None, annex_sha256=None, accept=None):
        """Sign ``action`` with user name and password and do it (21 CFR 11.200(a)(1)).

        The signer is the person of the session or, at a shared terminal, the one who types both own components.
        A refused attempt changes nothing but leaves a note on the record, which is why it is returned
        and not raised.

        :param dict credential: ``login`` and ``password``, both typed by the signer and never stored; or ``login`` and
            ``webauthn_response``, what the passkey of the signer answered to :meth:`esign_passkey`
        :param str digest: the digest that the dialog showed
        :param str annex_sha256: the digest of what the dialog showed in addition, such as the redline
        :param str accept: the digest of the text of accountability that the signer accepts
        :return: ``{'signature_id': id}`` or ``{'refused': message}``, with the text as ``acceptance`` where it is missing
        """
        self._check_signed_together()
        self.check_access('read')
        return self._sign_among_others(lambda: self._answer_esign(action, credential, digest, comment, annex_sha256, accept))

    def _answer_esign(self, action, credential, digest, comment, annex_sha256, accept):
        """Judge the credential, sign, and return the answer of :meth:`esign`."""
        signer, answer, credential = self.env.user, {}, credential if isinstance(credential, dict) else {}
        try:
            signer, key = self._authenticate_signer(credential)
            with authenticated(signer.id, self._describe_components(credential)):
                acceptance = self._check_accountability(signer, accept)
                if acceptance:
                    return acceptance
                with self.env.cr.savepoint():
                    signature = self._with_signer(signer)._esign_all(action, digest, comment, annex_sha256, key)
                    following = self._go_on_signing(credential, key, signature[-1:])
        except FormerSecretNeeded as error:
            message, answer = str(error.args[0]), error.answer
        except (UserError, AccessError, AccessDenied) as error:
            message = str(error.args[0]) if error.args else str(error)
        except IntegrityError as error:
            # A trigger refused what no rule above it did: nothing is stored, and the signer is told.
            message = error.diag.message_primary or str(error)
        else:
            self._remember_signing(signer)
            return {'signature_id': signature[:1].id, **following}
        self[:1]._log_refused_signature(action, message, signer)
        return {'refused': message, **answer}

    def _describe_components(self, credential):
        """Return what the signer typed, as the ledger says it: ``name`` of the components, whether they are all (SIG-050)."""
        secret = "passkey" if credential.get('webauthn_response') else "password"
        is_named = isinstance(credential.get('login'), str) and bool(credential['login'].strip())
        return {'name': f"user name and {secret}" if is_named else secret, 'first': is_named}

    @api.model
    def _get_components(self):
        """Return what the person typed who signs now; nothing outside of the signature dialog."""
        return typed_components() or {}

    def _go_on_signing(self, credential, key, signature):
        """Do what follows a signature in its transaction, for the next ones; return what the dialog is told beside it."""
        return {}

    def _check_signed_together(self):
        """Refuse more than one record at a time."""
        self.ensure_one()

    def _esign_all(self, action, digest, comment, annex_sha256, key):
        """Sign what was shown together: one record, unless its model says otherwise; return the signatures."""
        return self._esign(action, digest, comment, annex_sha256, key)

    def _check_comment(self, comment):
        """Return the reason that a signer typed; refuse what no database holds."""
        comment = (comment.strip() if isinstance(comment, str) else comment) or ''
        if not is_storable(comment):
            raise refusal(
                self.env, self.env._("%s: the reason is not a text that can be stored.", self.display_name),
                "SIG-010, 21 CFR 11.10(e)", self.env._("type the reason and sign again."), record=self)
        return comment

    def _esign(self, action, digest, comment, annex_sha256=None, key=None):
        """Sign as the user of the environment, whose credential was checked.

        :param key: the own key of this user, which :meth:`esign` opened with the typed secret, or what a passkey signed; code
            that runs as somebody has none, and is refused (SIG-110)
        """
        vals, prepared = self._prepare_esign(action, digest, comment, annex_sha256, key)
        user, comment = self.env.user, vals['comment'] or ''
        # Nobody has a right to create signatures: only this path does.
        signatures = self.env['mrp.esignature'].sudo()
        if not isinstance(key, SIGNING_KEYS):
            raise signatures._refuse_keyless(user.name)
        with signing(vals['signature_sha256']):
            signature = signatures.create(vals)
        self._audit_signature('sign', {
            'signature_id': {'new': signature.id}, 'meaning': {'new': vals['meaning']},
            'content_sha256': {'new': vals['content_sha256']}, 'signature_sha256': {'new': vals['signature_sha256']},
            'key_fingerprint': {'new': vals['key_fingerprint']},
            **self._get_signing_origin(prepared.group),
            **({'terminal_of': {'new': self.env['res.users'].sudo().browse(terminal).login}}
               if (terminal := current_session_uid(request)) != user.id else {}),
        }, comment)
        with transition(self):
            self.sudo()._apply_signing_action(action, signature)
            # Let PostgreSQL judge now, so that a refusal of its triggers undoes the signature too.
            self.env.flush_all()
        return signature

    def _prepare_esign(self, action, digest, comment, annex_sha256, key):
        """Return the values of the signature that the user of the environment is about to give, and what is signed.

        :raise UserError: where this user does not sign it now
        """
        self.check_access('read')
        self._lock_for_signing()
        prepared = self._get_signing_action(action)
        user = self.env.user
        self._check_signing_role(prepared.group)
        self._check_signer(action, user)
        comment = self._check_comment(comment)
        if prepared.comment_required and not comment:
            raise refusal(
                self.env, self.env._("%s: a reason is required.", self.display_name),
                "APR-010, 21 CFR 111.123(a)(1)", self.env._("type the reason and sign again."), record=self)
        annex = prepared.annex
        if digest != prepared.digest or (annex_sha256 and (not annex or annex_sha256 != sha256(annex))):
            raise refusal(
                self.env,
                self.env._("The content of %s changed while the signature dialog was open.", self.display_name),
                "SIG-030, 21 CFR 11.70",
                self.env._("close the dialog, read the content again and sign what you have read."), record=self)
        return self.env['mrp.esignature'].sudo()._prepare_signature_vals(
            self, user, prepared.meaning, prepared.statement, prepared.group.with_context(lang='en_US').name,
            prepared.digest, comment=comment, content=prepared.content, voids=prepared.voids, annex=annex,
            basis=prepared.basis, key=key), prepared

    @api.model
    def _get_signing_origin(self, group):
        """Return the additional values of a signature's ledger line: the role by its identity, session and terminal by digests.

        The name of a role may change, and the signature holds that name (SEC-030). Session and terminal say whence it came
        (SEC-040, 21 CFR 11.10(d), (h)), and what the signer typed how it was authenticated (SIG-050, SIG-130).
        """
        terminal = self.env['mrp.terminal']._get_current().sudo()
        digests = {'session_sha256': session_digest(request), 'terminal_sha256': terminal.key_sha256,
                   'authenticated': self._get_components()}
        return {'role': {'new': {'id': group.id, 'name': group.with_context(lang='en_US').name}},
                **{name: {'new': digest} for name, digest in digests.items() if digest}}

    def _audit_signature(self, kind, values, reason):
        """Append a signature, or a refused attempt, to the ledger (AUD-010, SIG-040)."""
        self.env['mrp.audit.entry']._append_about(kind, self, values, reason)

    def _lock_for_signing(self):
        """Let signers of one record wait for each other, and judge on what is committed."""
        self.env.execute_query(SQL(
            "SELECT id FROM %s WHERE id = %s FOR UPDATE", SQL.identifier(self._table), self.id))
        self.invalidate_recordset()

    def _get_signing_thread(self):
        """Return the record whose messages tell people of refused attempts: this one, or the one it belongs to."""
        return self

    # === WHERE AND WHEN === #

    def _get_signing_company(self):
        """Return the company whose rules of signing apply to this record."""
        return (self.sudo().company_id or self.env.company).sudo()

    @api.model
    def _is_session_continuous(self):
        """Whether the password is sufficient to sign now: same person, same session, not idle for too long (SIG-050).

        Idle time is measured from the last signature, not from the last request: a browser polls by
        itself, so that requests do not show that the person is still there.
        """
        company = self._get_signing_company()
        if not company.mmr_sign_continuous:
            return False
        key, session = current_session(request)
        state = session.get(SESSION_KEY)
        if not key or not state or (state['key'], state['uid']) != (key, self.env.uid):
            return False
        return fields.Datetime.now() <= fields.Datetime.to_datetime(state['at']) + timedelta(
            minutes=company.mmr_sign_idle_minutes)

    @api.model
    def _remember_signing(self, signer):
        """A signature of the person of the session keeps it continuous; one of somebody else interrupts it."""
        if signer != self.env.user:
            self._forget_signing()
            return
        key, session = current_session(request)
        session[SESSION_KEY] = {'key': key, 'uid': signer.id, 'at': fields.Datetime.to_string(fields.Datetime.now())}

    @api.model
    def _forget_signing(self):
        current_session(request)[1].pop(SESSION_KEY, None)

    def _check_signing_role(self, group):
        """Refuse users without the role; no role implies quality control, the administrator has none.

        :raise AccessError: if the user is not a member of the group
        """
        group = self._get_signing_group(group)
        if group not in self.env.user.sudo().all_group_ids:
            raise refusal(
                self.env,
                self.env._("%(user)s does not have the role %(role)s, which is required to sign this for %(record)s.",
                           user=self.env.user.name, role=group.name,
                           record=self.display_name),
                "APR-050, 21 CFR 111.12(b), 211.22(a)",
                self.env._("ask a person who has this role to sign."), record=self, exception=AccessError)
        self._check_signing_qualification(group)

    def _get_signing_profile(self):
        """Return the profile whose requirements apply to signing this record; without one all rules of the addon do."""
        return self.env['mrp.mmr.profile']

    def _check_signing_qualification(self, group):
        """Refuse the user where the qualification for a role is missing, not valid yet, expired or revoked (SEC-030).

        :raise UserError: naming role and date
        """
        if not self._filter_signing_qualification(group):
            self.env['mrp.qualification']._check_role(
                self.env.user, self._get_signing_group(group), self._get_signing_company(), record=self)

    def _log_refused_signature(self, action, message, signer):
        """Keep the attempt visible on the record; the signer may have no right to write there."""
        # What a client names an action may be anything.
        action = shown(action)
        _logger.info("Refused signature %s of %s by user %s", action, self, signer.id)
        record = self.with_user(signer)
        record._audit_signature('refused_sign', {'action': {'new': action}}, message)
        self._get_signing_thread().sudo()._message_log(
            body=self.env._("Refused signature of %(user)s: %(message)s", user=signer.sudo().name, message=message),
            author_id=signer.sudo().partner_id.id)
