"""More of a lot than its batch made: counted only with a deviation that holds the lot (REL-070, STK-020)."""

from decimal import Decimal

from odoo import models
from odoo.tools import SQL

from ...domain.numbers import decimal_string
from ...domain.refusals import refusal

RULE = "REL-070, STK-020, 21 CFR 111.260(e)-(h), 211.188(b)(4)"


class StockLot(models.Model):
    _inherit = 'stock.lot'

    def _mmr_get_surplus(self, lines):
        """Return how much more of these lots counts brought than they took, by lot: Decimals in the unit of the product.

        :param lines: move lines that are about to be done
        """
        self.env.flush_all()
        rows = self.env.execute_query(SQL(
            "SELECT l.id, mrp_mmr_surplus(l.id, %s::integer[])::text FROM stock_lot l WHERE l.id = ANY(%s)",
            lines.ids, self.ids))
        return {self.browse(lot): Decimal(surplus) for lot, surplus in rows}


class StockMoveLine(models.Model):
    """Also held in guards/stock_move_line.sql."""
    _inherit = 'stock.move.line'

    def _mmr_check_surplus(self):
        """Refuse to count, or to bring from production by a move of its own, more of a lot than its batch made.

        :raise UserError: naming the lot and how much it would be
        """
        lines = self.filtered(lambda line: (
            line.quantity and line.lot_id.sudo().mmr_bpr_id and line.location_id.usage in ('inventory', 'production')
            and line.location_dest_id.usage in ('internal', 'transit')
            and not line.move_id.production_id and not line.move_id.unbuild_id))
        if not lines:
            return
        concerning = lines.lot_id._mmr_get_concerning()
        lines = lines.filtered(lambda line: (
            line.move_id.mmr_deviation_id.id not in {deviation.id for deviation in concerning.get(line.lot_id, ())}))
        for lot, surplus in lines.lot_id._mmr_get_surplus(lines).items() if lines else ():
            if surplus <= 0:
                continue
            bpr = lot.sudo().mmr_bpr_id
            raise refusal(
                self.env,
                self.env._("Lot %(lot)s would have %(surplus)s %(unit)s more than %(bpr)s made.", lot=lot.name,
                           surplus=decimal_string(surplus), unit=lot.product_id.uom_id.name, bpr=bpr.name), RULE,
                self.env._("check which lot it is; returned goods are received with a return. If it is this lot, use Adjust "
                           "Stock on the lot: it opens a deviation, which holds the lot until Quality Control has decided."),
                           record=lot)
