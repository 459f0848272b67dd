"""Terminals that work centers accept entries from (21 CFR 11.10(h))."""

import hashlib
import secrets

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.http import request

from ...domain.refusals import refusal
from ...domain.rules import TERMINAL_RULE
from ...domain.sessions import current_terminal_key

#: The cookie by which a browser proves which terminal it is.
COOKIE = 'mrp_mmr_terminal'


class MrpTerminal(models.Model):
    """A terminal on the floor, known by a secret that only its browser has (SEC-040, 21 CFR 11.10(h)).

    A name that a client sends proves nothing. A security administrator stands at the terminal and registers it: its
    browser gets a random key in a cookie that no script can read; only its digest is stored. Registering again, or
    revoking, ends the key.

    Also held in guards/mrp_terminal.sql and guards/mrp_workcenter_terminal_rel.sql.
    """
    _name = 'mrp.terminal'
    _description = "Terminal"
    _inherit = ['mrp.audit.mixin']
    _order = 'name'
    _check_company_auto = True

    name = fields.Char(required=True, help="As stored with every entry made there.")
    company_id = fields.Many2one(
        'res.company', required=True, index=True, ondelete='restrict', default=lambda self: self.env.company)
    active = fields.Boolean(default=True)
    place = fields.Char(help="Where it is located.")
    workcenter_ids = fields.Many2many(
        'mrp.workcenter', 'mrp_workcenter_terminal_rel', string="Work Centers", check_company=True,
        help="These work centers accept entries only from their own terminals.")
    key_sha256 = fields.Char("Digest of the Key", readonly=True, copy=False, groups=fields.NO_ACCESS)
    registered_at = fields.Datetime("Registered", readonly=True, copy=False)
    registered_by_id = fields.Many2one('res.users', readonly=True, copy=False, ondelete='restrict')

    _name_uniq = models.UniqueIndex('(company_id, name)', "The name of a terminal must be unique.")
    _key_uniq = models.UniqueIndex('(key_sha256) WHERE key_sha256 IS NOT NULL', "A key can belong to only one terminal.")

    @api.model_create_multi
    def create(self, vals_list):
        self._check_administrator()
        return super().create([
            {name: value for name, value in vals.items() if name not in self._get_system_fields()} for vals in vals_list])

    def write(self, vals):
        self._check_administrator()
        if self._get_system_fields() & vals.keys():
            raise self._refuse()
        if 'name' in vals and any(terminal.name != vals['name'] and terminal._is_named() for terminal in self):
            raise refusal(
                self.env, self.env._("Entries contain the name of this terminal; it cannot be changed."), TERMINAL_RULE,
                self.env._("archive it and register another one."), record=self[:1])
        return super().write(vals)

    @api.ondelete(at_uninstall=True)
    def _unlink_except_named(self):
        if any(terminal._is_named() for terminal in self):
            raise refusal(
                self.env, self.env._("Entries contain the name of this terminal; it cannot be deleted."), TERMINAL_RULE,
                self.env._("archive it."), record=self[:1])

    def _is_named(self):
        """Whether entries hold the name of this terminal, or can at any moment; revoking its key changes nothing of that."""
        self.ensure_one()
        return bool(self.registered_at) or bool(self.env['mrp.bpr.entry'].sudo().search_count(
            [('device', '=', self.name), ('company_id', '=', self.company_id.id)], limit=1))

    @api.model
    def _get_system_fields(self):
        return {'key_sha256', 'registered_at', 'registered_by_id'}

    @api.model
    def _audit_fields(self):
        # The digest of the key is no secret, but nobody reads it either.
        return super()._audit_fields() - {'key_sha256'}

    def _check_administrator(self):
        """Refuse everybody but security administrators, whatever their rights in Odoo.

        :raise AccessError: for anybody else
        """
        if not self.env.user.has_group('mrp_mmr.group_mmr_security'):
            raise refusal(
                self.env, self.env._("Only a security administrator can register a terminal."), TERMINAL_RULE,
                self.env._("ask a security administrator."), record=self[:1], exception=AccessError)

    def _refuse(self):
        return refusal(
            self.env, self.env._("A terminal can only be registered at the terminal itself."), TERMINAL_RULE,
            self.env._("log in there as a security administrator and use Register This Terminal."), record=self[:1])

    # === REGISTRATION === #

    def action_register(self):
        """Register the browser of this very session as the terminal (see the controller of the same purpose)."""
        self.ensure_one()
        self._check_administrator()
        return {'type': 'ir.actions.client', 'tag': 'mrp_mmr.register_terminal', 'params': {'terminal_id': self.id}}

    def action_revoke(self):
        """End the keys of these terminals."""
        self._check_administrator()
        self._set_key(False)

    def _issue_key(self):
        """Return a new key for the browser of this terminal; the one before is void."""
        self.ensure_one()
        self._check_administrator()
        key = secrets.token_urlsafe(32)
        self._set_key(key)
        return key

    def _set_key(self, key):
        self.check_access('write')
        # Nobody may read or write the digest of a key as a field.
        super(MrpTerminal, self.sudo()).write({  # pylint: disable=super-method-mismatch
            'key_sha256': key and self._get_digest(key), 'registered_at': fields.Datetime.now() if key else False,
            'registered_by_id': self.env.uid if key else False})

    @api.model
    def _get_digest(self, key):
        return hashlib.sha256(key.encode()).hexdigest()

    @api.model
    def _get_current(self):
        """Return the terminal whose browser sends the present request, or an empty record."""
        key = current_terminal_key(request, COOKIE)
        if not key:
            return self.browse()
        # Archived ones never, whatever the context of a client says.
        return self.sudo().search([('key_sha256', '=', self._get_digest(key)), ('active', '=', True)], limit=1)
