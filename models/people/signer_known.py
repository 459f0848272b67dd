"""What is known about signers, as lines of the ledger say it and verification compares it (SIG-070, SIG-080, AUD-080)."""

from odoo import api, models

from ...domain.canonical import iso_utc, sha256
from ...domain.proofs import SIGNER_COLUMNS


class MrpSigner(models.Model):
    """No change of what decides whether a person may sign goes without its line.

    Also held in guards/mrp_signer.sql.
    """
    _inherit = 'mrp.signer'

    def _get_known(self):
        """Return what the ledger says of all that is known about this signer, so that verification finds what it is not.

        Of the signing password it is the digest of its hash, which nobody can try secrets against (AUD-080).
        """
        self.ensure_one()
        known = {}
        for name in SIGNER_COLUMNS:
            value = self.sudo()[name]
            field = self._fields[name]
            known[name] = (
                value.id or None if field.type == 'many2one' else iso_utc(value) if field.type == 'datetime'
                else sha256(value) if name == 'signing_password' and value else value or None)
        return {'signer': {name: value for name, value in known.items() if value is not None}}

    def _is_known(self):
        """Whether the ledger follows this signer: the identity was verified, there is a role, or it did so before."""
        self.ensure_one()
        signer = self.sudo()
        return bool(
            signer.identity_verified_at or signer.user_id.all_group_ids & signer.user_id._get_gmp_groups()
            or self.env['mrp.audit.entry'].sudo().search_count(
                [('res_model', '=', 'res.users'), ('res_id', '=', signer.user_id.id), ('kind', '=', 'setting')], limit=1))

    @api.model
    def _note_known(self):
        """Append what is known about each signer of a database that is older than these lines; its update calls it once."""
        for signer in self.sudo().search([('user_id', '!=', False)], order='id'):
            if signer._is_known():
                signer._log(signer._get_known(), self.env._("Taken over as it is now."))
