"""Continuous sessions at registered terminals, in which a PIN signs (SIG-130, 21 CFR 11.200(a)(1)(i)-(ii))."""

import secrets
from datetime import timedelta
from typing import NamedTuple

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessDenied, UserError
from odoo.http import request
from odoo.tools import SQL, LazyTranslate

from ...domain.canonical import sha256
from ...domain.private_keys import OpenedKey, WrongSecret
from ...domain.refusals import refusal
from ...domain.session_pins import FAILURES, is_easy, is_half, is_pin
from ...domain.sessions import session_digest
from ...domain.transitions import in_transition, transition

_lt = LazyTranslate(__name__)

RULE = "SIG-130, 21 CFR 11.200(a)(1)(i)-(ii)"
#: Name of the chains of the ledger that say when sessions began and ended: no other transaction waits for them.
CHAIN = 'sessions'
#: Why a session ended: name → what the ledger says.
CAUSES = {
    'idle': _lt("Nobody signed with it for too long."),
    'failures': _lt("The PIN was wrong too often."),
    'handover': _lt("The work was handed over."),
    'person': _lt("Another person logged in, or the same one again."),
    'logout': _lt("Logged out."),
    'signer': _lt("Signing was locked or suspended, or the password was set."),
    'key': _lt("The key was replaced, revoked or wrapped anew."),
    'access': _lt("Name, roles or companies of the person changed."),
    'terminal': _lt("The terminal was registered anew, revoked or archived."),
    'setting': _lt("The settings of the company changed."),
    'replaced': _lt("A new session of the same person at this terminal began."),
}


class Place(NamedTuple):
    """Where a PIN signs: a registered terminal, and the session of its browser."""
    terminal: models.Model
    terminal_sha256: str
    session_sha256: str


class MrpSignerSession(models.Model):
    """The key of one person, wrapped for one browser session at one terminal, under a PIN and a half that its browser holds.

    It begins in the transaction of a signature with all components and ends by whatever :data:`CAUSES` names; with the end
    its row goes. Neither PIN nor half are stored: whoever owns the database has nothing to try PINs against. Beginning and
    end are lines of the ledger.

    Also held in guards/mrp_signer_session.sql and verification/check_sessions.py.
    """
    _name = 'mrp.signer.session'
    _description = "Continuous Session of a Signer"
    _order = 'id'
    _rec_name = 'user_id'

    token = fields.Char(required=True, readonly=True, help="By which the browser knows its half.")
    user_id = fields.Many2one('res.users', required=True, readonly=True, ondelete='restrict')
    company_id = fields.Many2one('res.company', required=True, readonly=True, ondelete='restrict')
    key_id = fields.Many2one('mrp.signer.key', required=True, readonly=True, ondelete='restrict')
    terminal_id = fields.Many2one('mrp.terminal', required=True, readonly=True, index=True, ondelete='restrict')
    signature_id = fields.Many2one(
        'mrp.esignature', required=True, readonly=True, ondelete='restrict', help="With all components, by which it began.")
    terminal_sha256 = fields.Char("Digest of the Terminal", required=True, readonly=True)
    session_sha256 = fields.Char("Digest of the Session", required=True, readonly=True, index=True)
    access_sha256 = fields.Char("Digest of Roles and Companies", required=True, readonly=True)
    wrapped = fields.Char(required=True, readonly=True, prefetch=False, groups=fields.NO_ACCESS)
    used_at = fields.Datetime("Last Signature", required=True, readonly=True)
    failures = fields.Integer("Wrong Entries", readonly=True)

    _token_uniq = models.UniqueIndex('(token)', "A session has a token of its own.")
    _person_uniq = models.UniqueIndex('(user_id, terminal_id)', "A person has one session at a terminal.")

    # === GUARDS === #

    def _refuse(self):
        return UserError(self.env._(
            "A continuous session begins with a signature of its person and ends by itself. Rule: %s.\n"
            "What you can do: sign at the terminal with user name and password, and set a PIN there.", RULE))

    @api.model_create_multi
    def create(self, vals_list):
        given = [vals.get('signature_id') for vals in vals_list]
        if not all(given) or not in_transition(self.env['mrp.esignature'].browse(given)):
            raise self._refuse()
        return super().create(vals_list)

    def write(self, vals):
        if not in_transition(self):
            raise self._refuse()
        return super().write(vals)

    def copy(self, default=None):  # pylint: disable=method-required-super
        raise self._refuse()

    @api.ondelete(at_uninstall=True)
    def _unlink_except_ended(self):
        if not in_transition(self):
            raise self._refuse()

    # === WHERE === #

    @api.model
    def _get_place(self, record):
        """Return where a PIN may sign ``record``: the terminal and session of this request; None where none may."""
        company = record._get_signing_company()
        terminal, digest = self.env['mrp.terminal']._get_current().sudo(), session_digest(request)
        if not company.mmr_pin or not digest or terminal.company_id != company:
            return None
        return Place(terminal, terminal.key_sha256, digest)

    @api.model
    def _get_here(self, place):
        """Return the sessions of this place that have not ended, of whomever."""
        rows = self.sudo().search([
            ('terminal_id', '=', place.terminal.id), ('terminal_sha256', '=', place.terminal_sha256),
            ('session_sha256', '=', place.session_sha256)])
        return rows.filtered(lambda row: not row._is_idle())

    @api.model
    def _find(self, record, token):
        """Return the session of this token, as far as it signs ``record`` here and now; one that ended is deleted.

        :raise UserError: where it signs nothing, or not here
        """
        place = self._get_place(record)
        row = self.sudo().search([('token', '=', token)]) if place and isinstance(token, str) else self.browse()
        if row and (row.terminal_id, row.terminal_sha256, row.session_sha256) == place:
            cause = row._get_end()
            if not cause:
                return row
            row._end(cause)
        raise self._refuse_ended(record)

    @api.model
    def _refuse_ended(self, record):
        return refusal(
            self.env, self.env._("This PIN can no longer be used here: its continuous session has ended."), RULE,
            self.env._("sign with user name and password; a new PIN can be set with it."), record=record)

    def _is_idle(self):
        self.ensure_one()
        return fields.Datetime.now() > self.used_at + timedelta(minutes=self.company_id.mmr_pin_idle_minutes)

    def _get_end(self):
        """Return why this session has ended, as a key of :data:`CAUSES`; None where it goes on."""
        self.ensure_one()
        if not self.company_id.mmr_pin:
            return 'setting'
        if self._is_idle():
            return 'idle'
        if self.failures >= FAILURES:
            return 'failures'
        if self.env['mrp.signer.key']._get_in_force(self.user_id) != self.key_id:
            return 'key'
        signer = self.env['mrp.signer']._get_for(self.user_id)
        if signer.locked_at or signer.suspended_at or signer.is_shared:
            return 'signer'
        return None if self._get_access_digest(self.user_id) == self.access_sha256 else 'access'

    @api.model
    def _get_access_digest(self, user):
        """Return the digest of what a person may do: name, companies, roles."""
        return sha256(user._get_gmp_access()[user])

    @api.model
    def _get_binding(self, token, place):
        """Return what the wrapped key is sealed with: it opens in no other session and at no other terminal."""
        return {'token': token, 'terminal': place.terminal_sha256, 'session': place.session_sha256}

    # === BEGINNING === #

    @api.model
    def _begin(self, record, key, signature, pin, half):
        """Let a PIN sign from now on: the key of who just signed with all components is wrapped once more (SIG-130).

        :param key: what the typed secret opened; nobody else has it
        :param signature: which was made with it, in this transaction
        :param str pin: as the person typed it
        :param str half: of the browser, 64 hexadecimal digits
        :return: the token of the session
        :raise UserError: where the company, the terminal or the key have no such sessions, or the PIN is none
        """
        signer, place = signature.user_id.sudo(), self._get_place(record)
        self._check_begin(record, key, signer, place, pin, half)
        mine = self.sudo().search([('user_id', '=', signer.id), ('terminal_id', '=', place.terminal.id)])
        mine._end('replaced')
        stored = self.env['mrp.signer.key'].sudo()._get_in_force(signer)
        token = secrets.token_hex(16)
        vals = {
            'token': token, 'user_id': signer.id, 'company_id': place.terminal.company_id.id,
            'key_id': stored.id, 'terminal_id': place.terminal.id, 'terminal_sha256': place.terminal_sha256,
            'session_sha256': place.session_sha256, 'signature_id': signature.id, 'used_at': signature.signed_at,
            'access_sha256': self._get_access_digest(signer), 'failures': 0}
        wrapped = key.wrap_for_session(pin, half, self._get_binding(token, place))
        with transition(signature):
            row = self.sudo().create([{**vals, 'wrapped': wrapped}])
        row.flush_recordset()
        row.with_user(signer).sudo()._log('create', {
            **{name: {'new': vals[name]} for name in ('token', 'user_id', 'signature_id', 'terminal_sha256', 'session_sha256')},
            'terminal_id': {'new': {'id': place.terminal.id, 'name': place.terminal.name}},
            'idle_minutes': {'new': row.company_id.mmr_pin_idle_minutes}})
        return token

    @api.model
    def _check_begin(self, record, key, signer, place, pin, half):
        if not place:
            raise refusal(
                self.env, self.env._("A PIN cannot be set here: the company does not use PINs, or this is not a registered "
                                     "terminal."), RULE, self.env._("sign with user name and password."), record=record)
        if not isinstance(key, OpenedKey):
            raise refusal(
                self.env, self.env._("%s signs with a passkey, which needs no PIN.", signer.name), RULE,
                self.env._("press Sign with Passkey."), record=record)
        if not is_half(half):
            raise self._refuse_ended(record)
        least = place.terminal.company_id.mmr_pin_length
        if not is_pin(pin) or len(pin) < least:
            raise refusal(
                self.env, self.env._("A PIN must have at least %s digits.", least), RULE,
                self.env._("choose another one."), record=record)
        if is_easy(pin):
            raise refusal(
                self.env, self.env._("This PIN is too easy to guess."), RULE,
                self.env._("choose one whose digits are not all the same and do not rise or fall one by one."), record=record)

    # === SIGNING === #

    def _open(self, pin, half):
        """Return the key that PIN and half open.

        :raise AccessDenied: where they are others
        """
        self.ensure_one()
        if not is_pin(pin) or not is_half(half):
            raise AccessDenied()
        try:
            place = self._get_binding(self.token, self)
            opened = OpenedKey.of_session(self.wrapped, pin, half, self.key_id._get_owner(), place)
        except WrongSecret as error:
            raise AccessDenied() from error
        if opened.fingerprint != self.key_id.fingerprint:
            raise AccessDenied()
        return opened

    def _note_used(self, signature):
        """Remember the last signature: the session goes on from there."""
        with transition(self):
            self.write({'used_at': signature.signed_at})

    def _count_failure(self):
        """Count a wrong PIN, whatever becomes of the request, and end the session at the last one.

        :return: how many more may be wrong
        """
        session = self.id

        def count(env):
            rows = env.execute_query(SQL("SELECT id FROM mrp_signer_session WHERE id = %s FOR UPDATE", session))
            if not rows:
                return 0
            row = env['mrp.signer.session'].browse(session)
            row.invalidate_recordset()
            failures = row.failures + 1
            with transition(row):
                row.write({'failures': failures})
            if failures >= FAILURES:
                row._end('failures')
            return FAILURES - failures
        return self.env['mrp.signer']._retry(count)

    # === END === #

    def _end(self, cause):
        """End these sessions: the wrapped keys are deleted, and the ledger says why.

        :param str cause: a key of :data:`CAUSES`
        """
        rows = self.sudo().with_user(SUPERUSER_ID)
        if not rows:
            return
        ended = [(row, {'token': {'old': row.token}, 'user_id': {'old': row.user_id.id}}) for row in rows]
        lines = [line for row, values in ended for line in row._prepare_lines('unlink', values, self.env._(CAUSES[cause]))]
        with transition(rows):
            rows.unlink()
        rows.env['mrp.audit.entry']._append(lines, CHAIN)

    def _log(self, kind, values):
        self.env['mrp.audit.entry']._append(self._prepare_lines(kind, values, None), CHAIN)

    def _prepare_lines(self, kind, values, reason):
        return [{
            'chain': row.company_id, 'kind': kind, 'model': row._name, 'res_id': row.id, 'reason': reason,
            'record_name': self.env._("%(name)s at %(terminal)s", name=row.user_id.name, terminal=row.terminal_id.name),
            'values': values} for row in self]

    @api.model
    def _end_of(self, name, ids, cause):
        """End the sessions whose field ``name`` is one of ``ids``."""
        self.sudo().search([(name, 'in', list(ids))])._end(cause)

    @api.model
    def _end_of_browser(self, cause):
        """End the sessions of everybody in the session of this browser, whatever becomes of the request."""
        digest = session_digest(request)
        if digest and self.sudo().search_count([('session_sha256', '=', digest)], limit=1):
            self.env['mrp.signer']._retry(
                lambda env: env['mrp.signer.session']._end_of('session_sha256', [digest], cause))

    @api.model
    def _hand_over(self):
        """End the session of the person who hands the work over, in this browser."""
        self.sudo().search([
            ('user_id', '=', self.env.uid), ('session_sha256', '=', session_digest(request))])._end('handover')

    @api.model
    def _cron_end_idle(self):
        """End the sessions with which nobody signed for too long."""
        ended = self.env.execute_query(SQL(
            """SELECT s.id FROM mrp_signer_session s JOIN res_company c ON c.id = s.company_id
                WHERE s.used_at + c.mmr_pin_idle_minutes * interval '1 minute' < %s ORDER BY s.id""", fields.Datetime.now()))
        self.browse([row for row, in ended])._end('idle')
