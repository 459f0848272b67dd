"""Dialog that records that a copy of worksheets was destroyed unused, or is lost (BPR-200)."""

from odoo import fields, models


class MrpBprCopyVoid(models.TransientModel):
    """Say why nothing comes back of a copy of the worksheets of a batch (BPR-200, EU GMP 4.8)."""
    _name = 'mrp.bpr.copy.void'
    _description = "Void Worksheets"

    copy_id = fields.Many2one(
        'mrp.bpr.copy', "Worksheets", required=True, readonly=True, default=lambda self: self.env.context.get('active_id'))
    reason = fields.Text("Disposition of the Paper", required=True)

    def action_void(self):
        """Record it; the copy stays with its number."""
        self.ensure_one()
        self.copy_id._void(self.reason)
        return {'type': 'ir.actions.act_window_close'}
