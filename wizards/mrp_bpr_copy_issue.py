"""Dialog that issues a numbered copy of the worksheets of a batch (BPR-160)."""

from odoo import api, fields, models

from ..domain.step_states import CLOSED


class MrpBprCopyIssue(models.TransientModel):
    _name = 'mrp.bpr.copy.issue'
    _description = "Issue Worksheets on Paper"

    bpr_id = fields.Many2one(
        'mrp.bpr', "Batch Production Record", required=True, readonly=True,
        default=lambda self: self.env.context.get('active_id'))
    reason = fields.Text("Reason for Paper", required=True)
    step_ids = fields.Many2many(
        'mrp.bpr.step', string="Steps", required=True, compute='_compute_step_ids', store=True, readonly=False,
        domain="[('bpr_id', '=', bpr_id), ('state', 'not in', ('done', 'not_done'))]")
    copy_numbers = fields.Char("Number of Copies So Far", compute='_compute_copy_numbers')

    @api.depends('bpr_id')
    def _compute_step_ids(self):
        for wizard in self:
            wizard.step_ids = wizard.bpr_id.step_ids.filtered(lambda step: step.state not in CLOSED)

    @api.depends('bpr_id')
    def _compute_copy_numbers(self):
        for wizard in self:
            wizard.copy_numbers = ', '.join(map(str, wizard.bpr_id.copy_ids.sorted('number').mapped('number')))

    def action_issue(self):
        """Issue the next copy and print it."""
        self.ensure_one()
        action = self.env['mrp.bpr.copy']._issue(self.bpr_id, self.reason, self.step_ids).action_print()
        return dict(action, close_on_report_download=True)
