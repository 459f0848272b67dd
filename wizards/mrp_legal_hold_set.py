"""Dialog that puts records on legal hold (REC-040)."""

from odoo import api, fields, models


class MrpLegalHoldSet(models.TransientModel):
    _name = 'mrp.legal.hold.set'
    _description = "Put Records on Hold"

    bpr_id = fields.Many2one('mrp.bpr', "Batch Production Record")
    mmr_id = fields.Many2one('mrp.mmr', "All Batches Of")
    reason = fields.Text(required=True)

    @api.model
    def _open(self, bpr=None, mmr=None):
        """Return the action that opens this dialog for a batch record or a master."""
        self.check_access('create')
        return {
            'type': 'ir.actions.act_window', 'res_model': self._name, 'view_mode': 'form', 'target': 'new',
            'name': self.env._("Legal Hold"),
            'context': {'default_bpr_id': bpr and bpr.id, 'default_mmr_id': mmr and mmr.id}}

    def action_hold(self):
        """Record the hold and open the signature of Quality Control."""
        self.ensure_one()
        (self.bpr_id or self.mmr_id).check_access('read')
        return self.env['mrp.legal.hold']._record(self.reason, bpr=self.bpr_id, mmr=self.mmr_id).action_hold()
