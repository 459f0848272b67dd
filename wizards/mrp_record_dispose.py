"""Dialog that disposes of records whose time is over (REC-040)."""

from odoo import api, fields, models


class MrpRecordDispose(models.TransientModel):
    _name = 'mrp.record.dispose'
    _description = "Dispose of Records"

    bpr_ids = fields.Many2many(
        'mrp.bpr', string="Batch Production Records", required=True, default=lambda self: self._default_bpr_ids())
    disposable_ids = fields.Many2many('mrp.bpr', string="Will Be Disposed Of", compute='_compute_disposable_ids')
    refusals = fields.Text("Must Be Kept", compute='_compute_disposable_ids')
    reason = fields.Text(required=True)

    @api.model
    def _default_bpr_ids(self):
        """What was selected in a list, or all that may be disposed of in the company."""
        if self.env.context.get('active_model') == 'mrp.bpr' and self.env.context.get('active_ids'):
            return self.env['mrp.bpr'].browse(self.env.context['active_ids'])
        return self.env['mrp.bpr'].search([
            ('is_disposable', '=', True), ('company_id', '=', self.env.company.id)], limit=200)

    @api.depends('bpr_ids')
    def _compute_disposable_ids(self):
        for wizard in self:
            kept = {bpr: words for bpr in wizard.bpr_ids._origin if (words := bpr._get_disposal_refusal())}
            wizard.disposable_ids = wizard.bpr_ids._origin.filtered(lambda bpr, kept=kept: bpr not in kept)
            wizard.refusals = '\n'.join(kept.values())

    def action_dispose(self):
        """Record the disposal and open the signature of Quality Control; what is to be kept is refused by name."""
        self.ensure_one()
        self.bpr_ids.check_access('read')
        return self.env['mrp.record.disposal']._record(self.bpr_ids, self.reason).action_dispose()
