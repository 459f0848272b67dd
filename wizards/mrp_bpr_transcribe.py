"""Dialog that transcribes a worksheet with its scan at hand (BPR-110)."""

from odoo import api, fields, models
from odoo.fields import Command

from ..domain.step_kinds import ENTRY_KINDS, LABEL_USES
from ..domain.step_plan import expected_rows
from ..models.record.transcription import PAPER_FIELDS

#: Figures of labels, packaging materials and weights.
FIGURES = ('issued', *LABEL_USES, 'scrapped', 'finished')


class MrpBprTranscribe(models.TransientModel):
    """What a worksheet says about one step, typed with the scan of the original at hand."""
    _name = 'mrp.bpr.transcribe'
    _description = "Transcription Form of a Worksheet"

    step_id = fields.Many2one(
        'mrp.bpr.step', required=True, readonly=True, default=lambda self: self.env.context.get('active_id'))
    step_kind = fields.Selection(related='step_id.kind')
    step_state = fields.Selection(related='step_id.state')
    bpr_id = fields.Many2one(related='step_id.bpr_id')
    copy_id = fields.Many2one(
        'mrp.bpr.copy', "Worksheet Copy", required=True, compute='_compute_copy_id', store=True, readonly=False,
        domain="[('bpr_id', '=', bpr_id)]")
    scan = fields.Binary("Scan or Photo of the Original", required=True, attachment=False)
    scan_name = fields.Char("File Name")
    precaution = fields.Text(compute='_compute_precaution')
    acknowledged = fields.Boolean("Acknowledged on the Worksheet", help="The worksheet shows that the precaution was "
                                                                        "acknowledged.")
    line_ids = fields.One2many(
        'mrp.bpr.transcribe.line', 'wizard_id', "What the Worksheet Says", compute='_compute_line_ids', store=True,
        readonly=False)

    @api.depends('step_id')
    def _compute_copy_id(self):
        for wizard in self:
            copies = wizard.bpr_id.copy_ids.filtered(
                lambda copy, step=wizard.step_id: copy.printed_at and step.sequence in copy.sequences)
            wizard.copy_id = copies if len(copies) == 1 else False

    @api.depends('step_id')
    def _compute_precaution(self):
        for wizard in self:
            wizard.precaution = wizard.step_id and wizard.step_id.planned['precaution']

    @api.depends('step_id')
    def _compute_line_ids(self):
        for wizard in self:
            rows = expected_rows(wizard.step_id.planned) if wizard.step_id else []
            wizard.line_ids = [Command.clear(), *(Command.create({
                name: row[name] for name in ('kind', 'label', 'unit', 'position')}) for row in [
                    *rows, *([] if rows else [{'kind': 'comment', 'label': None, 'unit': None, 'position': False}])])]

    def action_transcribe(self):
        """Store what was typed and open it, so that it can be compared with the scan."""
        self.ensure_one()
        result = self.step_id._transcribe(
            self.copy_id, self.scan_name, self.scan, self.line_ids.filtered(lambda line: line._is_filled())._prepare_rows(),
            self.acknowledged)
        if isinstance(result, str):
            return {'type': 'ir.actions.client', 'tag': 'display_notification', 'params': {
                'type': 'danger', 'sticky': True, 'message': result, 'next': {'type': 'ir.actions.act_window_close'}}}
        return {
            'type': 'ir.actions.act_window', 'res_model': result._name, 'res_id': result.id, 'view_mode': 'form',
            'name': self.env._("Transcription")}


class MrpBprTranscribeLine(models.TransientModel):
    _name = 'mrp.bpr.transcribe.line'
    _description = "Line of a Transcription Form"
    _order = 'id'

    wizard_id = fields.Many2one('mrp.bpr.transcribe', required=True, ondelete='cascade')
    kind = fields.Selection(ENTRY_KINDS, required=True, default='comment')
    label = fields.Char("Requirement", readonly=True)
    position = fields.Integer("Row")
    value = fields.Char()
    unit = fields.Char(readonly=True)
    size = fields.Char("Sample Size")
    conforms = fields.Selection([('yes', "Conforms"), ('no', "Does not conform")])
    lot_name = fields.Char("Lot")
    equipment_id = fields.Many2one('maintenance.equipment')
    text = fields.Char("Comment")
    version = fields.Char("Label Version")
    coded = fields.Boolean("With Lot Number")
    not_made = fields.Boolean()
    issued = fields.Char()
    used = fields.Char()
    destroyed = fields.Char()
    returned = fields.Char()
    sampled = fields.Char()
    scrapped = fields.Char()
    finished = fields.Char("Units Finished")
    photo = fields.Binary(attachment=False)
    photo_name = fields.Char("Photo File Name")
    paper_time = fields.Char("Time on Paper", help="As written on the worksheet.")
    paper_by = fields.Char("By", help="Name or initials on the worksheet.")
    paper_verified_by = fields.Char("Verified By", help="Name or initials on the worksheet.")

    def _is_filled(self):
        """Whether anything was entered: empty lines are left out."""
        self.ensure_one()
        return any(self[name] for name in (
            'value', 'conforms', 'lot_name', 'equipment_id', 'text', 'not_made', 'photo', *FIGURES, *PAPER_FIELDS))

    def _prepare_rows(self):
        """Return the lines as the step takes them."""
        return [{
            'kind': line.kind, 'vals': line._prepare_vals(), **{name: line[name] for name in PAPER_FIELDS},
        } for line in self]

    def _prepare_vals(self):
        self.ensure_one()
        vals = {
            'value': self.value, 'count': self.value, 'size': self.size, 'lot_name': self.lot_name, 'text': self.text,
            'pass': {'yes': True, 'no': False}.get(self.conforms), 'position': self.position, 'version': self.version,
            'coded': self.coded, 'not_made': self.not_made, 'name': self.photo_name, 'data': self.photo,
            **{name: self[name] for name in FIGURES},
        }
        if self.equipment_id:
            vals['equipment_id'] = self.equipment_id.id
        return vals
