"""Types of manufacturing operations: how labels of weighed components are printed (VER-030)."""

from odoo import fields, models


class StockPickingType(models.Model):
    _inherit = 'stock.picking.type'

    mmr_dispensing_label_to_print = fields.Selection([
        ('pdf', "PDF"),
        ('zpl', "ZPL"),
    ], "Dispensing Label to Print", default='pdf', help="How labels of weighed components are printed (VER-030).")
