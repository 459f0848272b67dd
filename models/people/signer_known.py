"""What is known about signers, as lines of the ledger say it and verification compares it (SIG-070, SIG-080, AUD-080)."""

from odoo import api, models
from odoo.tools import SQL

from ...domain.canonical import iso_utc, sha256
from ...domain.proofs import LOGIN_PASSWORD, SIGNER_COLUMNS
from ...domain.refusals import refusal


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
        [[login_password]] = self.env.execute_query(SQL("SELECT password FROM res_users WHERE id = %s", self.user_id.id))
        known[LOGIN_PASSWORD] = sha256(login_password) if login_password else None
        return {'signer': {name: value for name, value in known.items() if value is not None}}

    def _is_password_known(self):
        """Whether the password of Odoo is the one that the ledger knows, and not one that somebody put into the table.

        Lines of before say nothing of it, and the next one does.
        """
        self.ensure_one()
        rows = self.env.execute_query(SQL(
            """SELECT u.password, e."values"::jsonb -> 'signer' -> 'new' FROM res_users u JOIN mrp_audit_entry e
                   ON e.res_model = 'res.users' AND e.res_id = u.id AND e.kind = 'setting' AND e."values"::jsonb ? 'signer'
                WHERE u.id = %s ORDER BY e.id DESC LIMIT 1""", self.user_id.id))
        if not rows or LOGIN_PASSWORD not in rows[0][1]:
            return True
        return rows[0][1][LOGIN_PASSWORD] == sha256(rows[0][0])

    def _refuse_unknown_password(self):
        return refusal(
            self.env,
            self.env._("The password of %s is not the one that was set in Odoo; signing has been suspended.",
                       self.user_id.name),
            "SIG-080, SIG-120, 21 CFR 11.300(b)",
            self.env._("set a new password in your preferences, or have one set by an administrator, and go to a security "
                       "administrator, who sees you and enrols your key."), record=self)

    def _is_known(self):
        """Whether the ledger follows this signer: the identity was verified, there is a role, or it did so before."""
        self.ensure_one()
        signer = self.sudo()
        return bool(
            signer.identity_verified_at or signer.user_id.all_group_ids & signer.user_id._get_gmp_groups()
            or self.env['mrp.audit.entry'].sudo().search_count(
                [('res_model', '=', 'res.users'), ('res_id', '=', signer.user_id.id), ('kind', '=', 'setting')], limit=1))

    @api.model
    def _note_login_passwords(self):
        """Append what is known about the signers of whose password no line says anything yet; each update calls it."""
        rows = self.env.execute_query(SQL(
            """SELECT s.id FROM mrp_signer s JOIN LATERAL (
                      SELECT e."values"::jsonb -> 'signer' -> 'new' AS said FROM mrp_audit_entry e
                       WHERE e.res_model = 'res.users' AND e.res_id = s.user_id AND e.kind = 'setting'
                         AND e."values"::jsonb ? 'signer' ORDER BY e.id DESC LIMIT 1) l ON NOT l.said ? %s
                 JOIN res_users u ON u.id = s.user_id AND u.password <> '' ORDER BY s.id""", LOGIN_PASSWORD))
        for signer in self.sudo().browse([row for row, in rows]):
            signer._log(signer._get_known(), self.env._("Taken over as it is now."))

    @api.model
    def _note_known(self):
        """Append what is known about each signer of a database that is older than these lines; its update calls it once."""
        for signer in self.sudo().search([('user_id', '!=', False)], order='id'):
            if signer._is_known():
                signer._log(signer._get_known(), self.env._("Taken over as it is now."))
