"""Dialog by which a security administrator confirms who a person is (SIG-070)."""

from odoo import fields, models


class MrpSignerVerify(models.TransientModel):
    """The security administrator saw a person and a document (SIG-070, 21 CFR 11.100(b))."""
    _name = 'mrp.signer.verify'
    _description = "Verify the Identity of a Signer"

    user_id = fields.Many2one('res.users', "Person", required=True, readonly=True)
    document = fields.Char("Document Seen", required=True)

    def action_verify(self):
        self.ensure_one()
        self.user_id._mmr_get_signer()._verify_identity(self.document)
        return {'type': 'ir.actions.act_window_close'}
