"""The guards as each update leaves them: one line of the ledger, against which they are compared ever after (AUD-080)."""

from odoo import api, models

from ...verification.guard_inventory import inventory_digest, read_inventory, read_said
from ...verification.ledger import parse
from ...verification.session import trusted_names
from ...verification.setting_inventory import read_said_settings, read_settings, settings_digest


class MrpAuditEntry(models.Model):
    _inherit = 'mrp.audit.entry'

    def _register_hook(self):
        super()._register_hook()
        # Once, at the end of an installation or update, when all tables are what they will be; never at a mere start.
        if self.pool.updated_modules and not self.pool.ready:
            self._note_guards()
            self._note_taken_over()

    @api.model
    def _note_taken_over(self):
        """Append what else verification compares from now on. Extended in models/stock/known.py."""
        self._note_settings()
        self.env['mrp.signer']._note_login_passwords()

    @api.model
    def _note_settings(self):
        """Append what rules, rights, jobs and views are now, where it is not what was noted last (AUD-080, AUD-090)."""
        self.env.flush_all()
        with trusted_names(self.env.cr):
            settings = {key: digest for key, (_name, digest) in read_settings(self.env.cr).items()}
            said, bad = read_said_settings(self.env.cr)
        before = None if said is None else settings_digest({key: digest for key, digest in said.items() if digest})
        if before == settings_digest(settings) and not bad:
            return
        company = self.env['res.company'].sudo().search([], order='id', limit=1)
        self._append([{
            'chain': company, 'kind': 'setting', 'model': company._name, 'res_id': company.id, 'record_name': company.name,
            'values': {'settings': {'new': settings},
                       'settings_sha256': {'old': before, 'new': settings_digest(settings)}}}])

    @api.model
    def _note_guards(self):
        """Append what the guards are now, where it is not what the last update left (AUD-080, 21 CFR 11.10(e), (k))."""
        self.env.flush_all()
        with trusted_names(self.env.cr):
            inventory = read_inventory(self.env.cr)
        digest, said = inventory_digest(inventory), read_said(self.env.cr)
        before = parse(said[-1][1])['guards_sha256']['new'] if said else None
        if before == digest:
            return
        company = self.env['res.company'].sudo().search([], order='id', limit=1)
        self._append([{
            'chain': company, 'kind': 'setting', 'model': company._name, 'res_id': company.id, 'record_name': company.name,
            'values': {'guards': {'new': inventory}, 'guards_sha256': {'old': before, 'new': digest}}}])

    @api.model
    def _render_value(self, name, field, value):
        if name == 'guards' and isinstance(value, dict):
            return self.env._("%s functions, triggers, constraints and indexes", len(value))
        if name == 'settings' and isinstance(value, dict):
            return self.env._("%s record rules, access rights, jobs and views", len(value))
        if name in ('signer', 'acceptance') and isinstance(value, dict):
            return '; '.join(f"{column}: {self._render_value(column, None, value[column])}" for column in sorted(value))
        return super()._render_value(name, field, value)

    @api.model
    def _get_value_labels(self):
        return {**super()._get_value_labels(), 'guards': self.env._("Guards of PostgreSQL"),
                'settings': self.env._("Settings That Records Depend On"),
                'settings_sha256': self.env._("Digest of the Settings"),
                'setting_sha256': self.env._("Digest of the Setting"),
                'guards_sha256': self.env._("Digest of the Guards"), 'signer': self.env._("What Is Known about the Signer"),
                'acceptance': self.env._("Acceptance")}
