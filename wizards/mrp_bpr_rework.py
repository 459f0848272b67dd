"""Dialog that records reprocessing which Quality Control approved (DEV-060, BPR-150)."""

from odoo import fields, models


class MrpBprReworkRecord(models.TransientModel):
    """Record material that was reprocessed, treated or adjusted on the approval of Quality Control (DEV-060, BPR-150)."""
    _name = 'mrp.bpr.rework.record'
    _description = "Record Reprocessing"

    deviation_id = fields.Many2one('mrp.deviation', "Approved By", required=True, readonly=True)
    bpr_id = fields.Many2one(
        'mrp.bpr', "Into the Batch", required=True, domain="[('state', 'in', ('ready', 'progress'))]")
    lot_id = fields.Many2one('stock.lot')
    lot_name = fields.Char("Lot Number", help="For material that has no lot in Odoo, such as that of the running batch.")
    quantity = fields.Char(required=True)
    uom_id = fields.Many2one(
        'uom.uom', "Unit", required=True, default=lambda self: self.env.ref('uom.product_uom_kgm', raise_if_not_found=False))
    text = fields.Text("What Was Done", required=True)

    def action_record(self):
        """Record it."""
        self.ensure_one()
        self.env['mrp.bpr.rework']._record(
            self.deviation_id, self.bpr_id, self.lot_id or self.lot_name, self.quantity, self.uom_id, self.text)
        return {'type': 'ir.actions.client', 'tag': 'soft_reload'}
