"""People who are older than the ledger: their roles, and what is known about them as signers (AUD-040, AUD-060)."""

from odoo import api, models


class MrpAuditEntry(models.Model):
    _inherit = 'mrp.audit.entry'

    @api.model
    def _take_over_people(self):
        super()._take_over_people()
        users = self.env['res.users'].sudo().with_context(active_test=False).search(
            [('login', '!=', False)], order='id')
        logged = self.sudo().search([('res_model', '=', 'res.users'), ('res_id', 'in', users.ids)]).mapped('res_id')
        older = users.filtered(lambda user: user.id not in logged)
        older._audit_gmp_access({user: {} for user in older})
        self.env['mrp.signer']._note_known()
