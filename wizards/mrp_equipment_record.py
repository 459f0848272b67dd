"""Dialog that records use, cleaning, maintenance or calibration of equipment (BPR-040, IPC-070)."""

from odoo import api, fields, models

from ..models.equipment.log import CLEANING_KINDS, KINDS


class MrpEquipmentRecord(models.TransientModel):
    """Record what was done with a unit of equipment, then sign it (BPR-040, IPC-070)."""
    _name = 'mrp.equipment.record'
    _description = "Record Work in an Equipment Log"

    equipment_id = fields.Many2one('maintenance.equipment', required=True, readonly=True)
    company_id = fields.Many2one('res.company', compute='_compute_company_id')
    kind = fields.Selection(KINDS, required=True, readonly=True)
    supersedes_id = fields.Many2one('mrp.equipment.log', "Corrects", readonly=True)
    reason = fields.Text("Reason for the Correction")
    started_at = fields.Datetime("From")
    ended_at = fields.Datetime("Finished", required=True, default=fields.Datetime.now)
    product_id = fields.Many2one('product.product', "Used For")
    cleaning_kind = fields.Selection(CLEANING_KINDS)
    procedure_id = fields.Many2one('mrp.sop', "Procedure Followed")
    performed_by = fields.Char(help="Laboratory or contractor, if not you.")
    result = fields.Selection([('pass', "Passed"), ('fail', "Failed")])
    as_found = fields.Text()
    as_left = fields.Text()
    next_due = fields.Date(help="Proposed from the calibration interval of the instrument.")
    reference = fields.Char("Certificate Number")
    upload = fields.Binary("Certificate", attachment=False)
    upload_name = fields.Char("File Name")
    text = fields.Text("Remarks")

    @api.depends('equipment_id')
    def _compute_company_id(self):
        for wizard in self:
            wizard.company_id = wizard.equipment_id.company_id or self.env.company

    def action_record(self):
        """Record the line; open its signature where the person may give it."""
        self.ensure_one()
        values = self.with_context(bin_size=False)
        names = ('reason', 'started_at', 'ended_at', 'cleaning_kind', 'performed_by', 'result', 'as_found', 'as_left',
                 'next_due', 'reference', 'upload', 'upload_name', 'text')
        done = self.equipment_id.action_mmr_record(self.kind, {
            **{name: values[name] for name in names}, 'product_id': self.product_id.id,
            'procedure_id': self.procedure_id.id, 'supersedes_id': self.supersedes_id.id})
        line = self.env['mrp.equipment.log'].browse(done['log_id'])
        if line._is_signable():
            return line.action_sign()
        message = self.env._("Recorded.")
        if done['deviations']:
            message = self.env._("Recorded. Deviations were opened: %s.", ', '.join(done['deviations']))
        elif done['to_sign']:
            message = self.env._("Recorded. It will count once it is signed.")
        return {
            'type': 'ir.actions.client', 'tag': 'display_notification',
            'params': {'message': message, 'type': 'warning' if done['to_sign'] else 'success',
                       'sticky': bool(done['deviations']), 'next': {'type': 'ir.actions.act_window_close'}}}
