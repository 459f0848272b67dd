"""Locations with held goods stay places of their own warehouse: these would be sold, used, lost or another's (REL-070)."""

from odoo import models
from odoo.fields import Domain

from ...domain.refusals import refusal
from .goods import RULE


class StockLocation(models.Model):
    """Also held in guards/stock_location.sql."""
    _inherit = 'stock.location'

    def write(self, vals):
        if vals.get('usage', 'internal') != 'internal':
            self._mmr_check_holds_nothing()
        if not {'location_id', 'company_id'} & vals.keys():
            return super().write(vals)
        own = {place: (place.warehouse_id, place.company_id) for place in self._mmr_get_own_places()}
        result = super().write(vals)
        self.env.flush_all()
        moved = [place for place, owner in own.items() if owner != (place.warehouse_id, place.company_id)]
        self.browse().union(*moved)._mmr_check_holds_nothing()
        return result

    def _mmr_get_own_places(self):
        """Return the internal places under these ones, and these."""
        return self.with_context(active_test=False).search([('id', 'child_of', self.ids), ('usage', '=', 'internal')])

    def _mmr_check_holds_nothing(self):
        """Refuse to turn a place with goods that are not free into one where they would be sold, used, lost or another's.

        :raise UserError: naming lot and place
        """
        changed = self.filtered(lambda location: location.usage == 'internal')
        held = changed and self.env['stock.quant'].sudo().search(
            Domain('location_id', 'in', changed.ids) & Domain('quantity', '!=', 0) & Domain('lot_id', '!=', False)
            & ~self.env['stock.quant']._mmr_get_free_domain(), limit=1)
        if held:
            raise refusal(
                self.env, self.env._("Lot %(lot)s is held at %(place)s.", lot=held.lot_id.name,
                                     place=held.location_id.display_name), RULE,
                self.env._("move it to another location of the warehouse first."), record=held.lot_id)
