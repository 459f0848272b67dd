"""Dialog that records test results of a batch (BPR-090)."""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command


class MrpBprTest(models.TransientModel):
    _name = 'mrp.bpr.test'
    _description = "Test Results of a Batch"

    bpr_id = fields.Many2one(
        'mrp.bpr', "Batch Production Record", required=True, readonly=True,
        default=lambda self: self.env.context.get('active_id'))
    line_ids = fields.One2many(
        'mrp.bpr.test.line', 'wizard_id', "Tests", compute='_compute_line_ids', store=True, readonly=False)

    @api.depends('bpr_id')
    def _compute_line_ids(self):
        for wizard in self:
            tests = wizard.bpr_id._get_tests().get(wizard.bpr_id, ()) if wizard.bpr_id else ()
            wizard.line_ids = [Command.clear()] + [
                Command.create(wizard._prepare_line_vals(row)) for row in tests]

    def _prepare_line_vals(self, row):
        """Return the line of a test: the kind of result is proposed, the finding is entered."""
        specification, result = row['specification'], row['result']
        is_numeric = (specification['criterion'] or {}).get('kind') in ('range', 'nlt', 'nmt')
        return {
            'position': specification['position'], 'name': specification['parameter'], 'is_numeric': is_numeric,
            'unit': (specification['criterion'] or {}).get('unit'),
            'criterion_label': self.bpr_id._get_criterion_label(specification['criterion']),
            'kind': 'value' if is_numeric else 'outcome', 'before': result.display_name if result else False,
            'corrects': result.id if result.outcome != 'fail' else 0}

    def action_record(self):
        """Record what was filled in, and open the batch record again."""
        self.ensure_one()
        filled = self.line_ids.filtered(lambda line: line.kind and (line.value or line.passes or line.reference or line.file))
        if not filled:
            raise UserError(self.env._("Enter the result of a test."))
        for line in filled:
            self.bpr_id.action_record_result(
                line.position, line._prepare_result_vals(), corrects=line.corrects or None, reason=line.reason)
        return {'type': 'ir.actions.act_window_close'}


class MrpBprTestLine(models.TransientModel):
    _name = 'mrp.bpr.test.line'
    _description = "Test Result of a Batch"
    _order = 'position'

    wizard_id = fields.Many2one('mrp.bpr.test', required=True, ondelete='cascade')
    position = fields.Integer(required=True)
    name = fields.Char("Test or Property")
    criterion_label = fields.Char("Acceptance Criterion")
    is_numeric = fields.Boolean()
    unit = fields.Char()
    before = fields.Char("Result So Far")
    corrects = fields.Integer()
    kind = fields.Selection([
        ('value', "Reading"),
        ('outcome', "Pass / fail"),
        ('reference', "In a report"),
        ('plan', "Covered by a plan"),
    ], "Kind of Result")
    value = fields.Char("Result", help="The number that was found, or a bound such as <10.")
    passes = fields.Selection([('yes', "Conforms"), ('no', "Does not conform")], "Judgement")
    reference = fields.Char("Report or Plan")
    file = fields.Binary(attachment=False)
    file_name = fields.Char()
    text = fields.Char("Remark")
    reason = fields.Char("Reason for the Correction")

    def _prepare_result_vals(self):
        self.ensure_one()
        line = self.with_context(bin_size=False)
        return {
            'kind': line.kind, 'value': line.value, 'text': line.text or '', 'reference': line.reference or '',
            **({'pass': line.passes == 'yes'} if line.passes else {}),
            **({'file': {'name': line.file_name or 'report.pdf', 'data': line.file}} if line.file else {})}
