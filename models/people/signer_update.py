"""Who signed before there were keys: signs on for some weeks, until the key is enrolled (SIG-120)."""

from odoo import api, fields, models
from odoo.tools import SQL


class MrpSignerKey(models.Model):
    _inherit = 'mrp.signer.key'

    @api.model
    def _get_transition_end(self):
        """Return until when keys that nobody enrolled yet sign, for who signed before the update; None: they do not.

        The ledger line written by the update proves it; a line that is newer than the first key proves nothing.
        """
        [[end]] = self.env.execute_query(SQL("SELECT mrp_mmr_key_transition()"))
        return end

    def _signs_in_transition(self):
        """Whether this key signs before it is enrolled: made after the update by a person who could sign before it."""
        end = self._get_transition_end() if self.reason == 'update' else None
        return bool(end and fields.Datetime.now() <= end and self.state == 'waiting')

    @api.model
    def _begin_transition(self, days=30):
        """Let those who signed before keys were there sign on, until a security administrator enrolled them (SIG-120).

        Each installation and update of the addon calls it; it works once, in a database with signatures and without keys.
        """
        signatures, entries = self.env['mrp.esignature'].sudo(), self.env['mrp.audit.entry']
        if self.sudo().search_count([], limit=1) or not signatures.search_count([], limit=1) or self._get_transition_end():
            return
        company = self.env.company
        end = fields.Datetime.add(fields.Datetime.now(), days=days)
        entries._append([{
            'chain': company, 'kind': 'setting', 'model': company._name, 'res_id': company.id, 'record_name': company.name,
            'values': {'key_transition': {'old': None, 'new': fields.Datetime.to_string(end)}},
            'reason': self.env._("From this update on each signature bears a signature of its signer's key."),
        }])
