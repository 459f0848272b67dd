"""Dialog that reports a deviation (DEV-010)."""

from odoo import api, fields, models

from ..models.deviation.deviation import SOURCES


class MrpDeviationReport(models.TransientModel):
    """Report a deviation: at a batch, a lot, a unit of equipment, or for a return or complaint (DEV-010, 21 CFR 111.113(a))."""
    _name = 'mrp.deviation.report'
    _description = "Report a Deviation"

    subject = fields.Selection([
        ('mrp.bpr', "A batch"),
        ('stock.lot', "A lot"),
        ('maintenance.equipment', "Equipment"),
        ('product.product', "A product that was returned or subject of a complaint"),
    ], "Where", required=True, default='mrp.bpr')
    bpr_id = fields.Many2one('mrp.bpr', "Batch")
    lot_id = fields.Many2one('stock.lot')
    equipment_id = fields.Many2one('maintenance.equipment')
    product_id = fields.Many2one('product.product')
    source = fields.Selection(SOURCES, required=True, default='occurrence')
    severity = fields.Selection([
        ('minor', "Minor"),
        ('major', "Major"),
        ('critical', "Critical"),
    ], required=True, default='minor', help="Major and critical deviations hold the batch until Quality Control has decided.")
    identity_failed = fields.Boolean(
        "Identity Not Met", help="The lot failed its identity specification: it can only be rejected (21 CFR 111.77(b)).")
    title = fields.Char(required=True)
    description = fields.Text("What Happened", required=True)
    upload = fields.Binary("Photo or File", attachment=False)
    upload_name = fields.Char("File Name")

    @api.onchange('subject')
    def _onchange_subject(self):
        self.source = {
            'product.product': 'return', 'stock.lot': 'specification', 'maintenance.equipment': 'calibration',
        }.get(self.subject, 'occurrence')

    def action_report(self):
        """Report it and show the deviation."""
        self.ensure_one()
        deviations = self.env['mrp.deviation']
        deviations._check_reporter()
        file = self.upload and self.env['mrp.mmr.file']._store(
            self.upload_name, self.with_context(bin_size=False).upload)
        subject = {
            'mrp.bpr': self.bpr_id, 'stock.lot': self.lot_id, 'maintenance.equipment': self.equipment_id,
            'product.product': self.product_id}[self.subject]
        extra = {'identity_result': 'failed'} if self.identity_failed and self.subject == 'stock.lot' else {}
        deviation = deviations._report(
            subject, self.source, self.title, self.description, self.severity, file or None, **extra)
        return {
            'type': 'ir.actions.act_window', 'res_model': 'mrp.deviation', 'view_mode': 'form', 'res_id': deviation.id}
