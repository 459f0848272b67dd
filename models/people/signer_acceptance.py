"""What persons accepted before they signed for the first time (SIG-070, 21 CFR 11.10(j), 11.100(c))."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...domain.canonical import iso_utc, sha256


class MrpSignerAcceptance(models.Model):
    """That a person accepted to be accountable for signatures (21 CFR 11.10(j), 11.100(c)). Append-only.

    Also held in guards/mrp_signer_acceptance.sql.
    """
    _name = 'mrp.signer.acceptance'
    _inherit = ['mrp.append.only.mixin']
    _description = "Acceptance of Accountability"
    _order = 'id desc'
    _rec_name = 'user_name'

    user_id = fields.Many2one('res.users', required=True, readonly=True, ondelete='restrict')
    signer_id = fields.Many2one('mrp.signer', required=True, readonly=True, index=True, ondelete='restrict')
    user_name = fields.Char("Person", required=True, readonly=True)
    user_login = fields.Char("User Name", required=True, readonly=True)
    accepted_at = fields.Datetime(required=True, readonly=True)
    text = fields.Text(required=True, readonly=True)
    text_sha256 = fields.Char("Digest of the Text", required=True, readonly=True)

    _once = models.UniqueIndex('(user_id, text_sha256)', "A text can be accepted only once.")

    @api.model
    def _record(self, signer, acceptance):
        """Record that the person of ``signer`` accepted a text; the caller checked who that is."""
        user = signer.user_id
        return self._store([{
            'user_id': user.id, 'signer_id': signer.id, 'user_name': user.name, 'user_login': user.login,
            'accepted_at': fields.Datetime.now(), 'text': acceptance['text'], 'text_sha256': acceptance['sha256'],
        }])

    def _get_logged(self):
        """Return what the ledger says of this acceptance."""
        self.ensure_one()
        return {'acceptance_sha256': self.text_sha256, 'acceptance': {'new': {
            'user_name': self.user_name, 'user_login': self.user_login, 'accepted_at': iso_utc(self.accepted_at)}}}

    @api.model
    def _refuse_write(self):
        return UserError(self.env._(
            "A person accepts accountability with user name and password, and cannot take it back. Rule: SIG-070, 21 CFR "
            "11.10(j)."))

    @api.model
    def _get_acceptance(self, text):
        """Return a text with its digest, which is its version."""
        return {'text': text, 'sha256': sha256({'schema': 'mrp_mmr/acceptance/1', 'text': text})}
