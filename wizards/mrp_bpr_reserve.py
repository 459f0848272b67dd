"""Dialog that records reserve samples (REL-060)."""

from odoo import api, fields, models


class MrpBprReserve(models.TransientModel):
    _name = 'mrp.bpr.reserve'
    _description = "Record a Reserve Sample"

    bpr_id = fields.Many2one(
        'mrp.bpr', "Batch Production Record", required=True, readonly=True,
        default=lambda self: self.env.context.get('active_id'))
    kind = fields.Selection(
        [('reserve', "Reserve sample"), ('withheld', "Not released")], required=True, default='reserve')
    pack = fields.Char(compute='_compute_pack', store=True, readonly=False, precompute=True)
    packs = fields.Json(compute='_compute_packs', help="Number and name of each pack size of the MMR.")
    quantity = fields.Char(required=True)
    unit = fields.Char()
    test_quantity = fields.Char("Quantity Needed for All Tests")
    container = fields.Char("Container and Closure", help="Empty: as in the description of the packaging in the MMR.")
    location = fields.Char("Storage Location")
    keep_until = fields.Date()
    reason = fields.Text()

    @api.depends('bpr_id')
    def _compute_packs(self):
        for wizard in self:
            packs = (wizard.bpr_id.sudo().production_id.mmr_snapshot or {}).get('document', {}).get('packs') or ()
            wizard.packs = [[str(row['position']), row['name']] for row in packs]

    @api.depends('packs')
    def _compute_pack(self):
        for wizard in self:
            wizard.pack = wizard.packs[0][0] if len(wizard.packs) == 1 else False

    def action_record(self):
        """Record what was filled in."""
        self.ensure_one()
        names = ('kind', 'quantity', 'unit', 'test_quantity', 'container', 'location', 'keep_until', 'reason')
        pack = int(self.pack) if self.pack in {choice[0] for choice in self.packs} else None
        self.bpr_id.action_record_sample({'pack': pack, **{name: self[name] for name in names}})
        return {'type': 'ir.actions.act_window_close'}
