"""Locations with lots on hold cannot become places where these would be sold, used or lost (REL-010)."""

from odoo import models

from ...domain.lots import ON_HOLD
from ...domain.refusals import refusal
from .quarantine import RULE


class StockLocation(models.Model):
    _inherit = 'stock.location'

    def write(self, vals):
        if 'usage' in vals:
            self._mmr_check_holds_nothing(vals['usage'])
        return super().write(vals)

    def _mmr_check_holds_nothing(self, usage):
        """Refuse to turn a place with lots on hold into one where they would be sold, used or lost (REL-010)."""
        changed = self.filtered(lambda location: location.usage == 'internal' and usage != 'internal')
        held = changed and self.env['stock.quant'].sudo().search([
            ('location_id', 'in', changed.ids), ('mmr_lot_status', 'in', ON_HOLD), ('quantity', '!=', 0)], limit=1)
        if held:
            raise refusal(
                self.env, self.env._("Lot %(lot)s is held at %(place)s.", lot=held.lot_id.name,
                                     place=held.location_id.display_name), RULE,
                self.env._("move it to another place of the warehouse first."), record=held.lot_id)
