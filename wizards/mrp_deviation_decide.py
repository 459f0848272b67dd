"""Dialog that chooses the disposition of a deviation, which a signature decides (DEV-030)."""

from odoo import api, fields, models

from ..models.deviation.deviation import DISPOSITIONS, REWORK
from ..models.deviation.material_review import DECISIONS, TEST_FINDINGS


class MrpDeviationDecide(models.TransientModel):
    """Choose the disposition of the material; the signature that follows decides (DEV-030, DEV-040, 21 CFR 111.113(b)-(c))."""
    _name = 'mrp.deviation.decide'
    _description = "Material Review and Disposition"

    deviation_id = fields.Many2one('mrp.deviation', required=True, readonly=True)
    company_id = fields.Many2one(related='deviation_id.company_id')
    disposition = fields.Selection(DISPOSITIONS, required=True)
    procedure_id = fields.Many2one('mrp.sop', "Written Procedure", domain="[('company_id', '=', company_id)]")
    scientific_reason = fields.Text("Scientifically Valid Reason")
    identity_result = fields.Selection([
        ('met', "Met"),
        ('failed', "Not met"),
    ], "Identity of the Component")
    test_finding = fields.Selection(TEST_FINDINGS, "First Result")
    result_id = fields.Many2one(related='deviation_id.result_id')
    asks_identity = fields.Boolean(compute='_compute_asks_identity')
    is_rework = fields.Boolean(compute='_compute_is_rework')

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        deviation = self.env['mrp.deviation'].browse(values.get('deviation_id'))
        found = {
            'procedure_id': deviation.procedure_id.id, 'scientific_reason': deviation.scientific_reason,
            'identity_result': deviation.identity_result, 'test_finding': deviation.test_finding}
        return {**{name: value for name, value in found.items() if name in fields}, **values}

    @api.depends('deviation_id')
    def _compute_asks_identity(self):
        for wizard in self:
            wizard.asks_identity = wizard.deviation_id and wizard.deviation_id._is_about_component()

    @api.depends('disposition')
    def _compute_is_rework(self):
        for wizard in self:
            wizard.is_rework = wizard.disposition in REWORK

    def action_sign(self):
        """Write down what the decision rests on, and open its signature."""
        self.ensure_one()
        deviation = self.deviation_id
        # What is left empty here stays as the investigation has it.
        found = {
            name: self[name] for name in ('scientific_reason', 'identity_result', 'test_finding')
            if self[name] and self[name] != deviation[name]}
        if self.procedure_id and self.procedure_id != deviation.procedure_id:
            found['procedure_id'] = self.procedure_id.id
        if found:
            deviation.write(found)
        return deviation.action_open_signature(next(key for key, code in DECISIONS.items() if code == self.disposition))
