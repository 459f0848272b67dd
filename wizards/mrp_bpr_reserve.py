from odoo import api, fields, models


class MrpBprReserve(models.TransientModel):
    _name = 'mrp.bpr.reserve'
    _description = "Record a Reserve Sample"

    bpr_id = fields.Many2one(
        'mrp.bpr', "Batch Production Record", required=True, readonly=True,
        default=lambda self: self.env.context.get('active_id'))
    kind = fields.Selection(
        [('reserve', "Reserve sample"), ('withheld', "Not released")], "What", required=True, default='reserve')
    pack = fields.Integer("No. of the Pack", default=1, help="As the pack sizes of the MMR are numbered.")
    pack_names = fields.Char("Packs", compute='_compute_pack_names')
    quantity = fields.Char(required=True)
    unit = fields.Char()
    test_quantity = fields.Char("Needed for All Tests")
    container = fields.Char("Container and Closure", help="Empty: as the MMR describes the pack.")
    location = fields.Char("Kept Where")
    keep_until = fields.Date()
    reason = fields.Text()

    @api.depends('bpr_id')
    def _compute_pack_names(self):
        for wizard in self:
            packs = (wizard.bpr_id.sudo().production_id.mmr_snapshot or {}).get('document', {}).get('packs') or ()
            wizard.pack_names = ', '.join(f"{row['position']}: {row['name']}" for row in packs) or False

    def action_record(self):
        """Record what was filled in."""
        self.ensure_one()
        names = ('kind', 'pack', 'quantity', 'unit', 'test_quantity', 'container', 'location', 'keep_until', 'reason')
        self.bpr_id.action_record_sample({name: self[name] for name in names})
        return {'type': 'ir.actions.act_window_close'}
