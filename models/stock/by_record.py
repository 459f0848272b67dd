"""Moves of a controlled order are done by its record only, and take no more of a lot than is there (STK-010, STK-040)."""

from odoo import api, models
from odoo.tools import SQL

from ...domain.numbers import decimal_string
from ...domain.refusals import refusal
from ...domain.transitions import in_transition

RULE = "STK-040, USE-050, 21 CFR 111.260, 211.188(b)"
#: Where the cursor keeps what is judged at the end of its transaction: lots with their place, package and owner.
WATCHED = 'mrp_mmr_watched_quants'


class MrpProduction(models.Model):
    _inherit = 'mrp.production'

    def _mmr_refuse_transfer(self):
        """Refuse to have moves of a controlled order done by a transfer.

        :raise UserError: where any of these orders carries a snapshot
        """
        for production in self:
            if production.state != 'draft' and production.mmr_snapshot_sha256:
                raise refusal(
                    self.env,
                    self.env._("%s is completed by its batch record: its moves cannot be done in a transfer.",
                               production.name), RULE,
                    self.env._("record the batch on the shop floor, and complete the order."), record=production)

    def _mmr_check_done_by_record(self):
        """Refuse to do moves of a controlled order outside of its completion, correction or cancellation.

        :raise UserError: naming the order
        """
        for production in self:
            if not in_transition(production):
                raise refusal(
                    self.env,
                    self.env._("%s can only consume and produce what its batch record states, when the order is completed.",
                                         production.name), RULE,
                    self.env._("record the batch on the shop floor, and complete the order."), record=production)


class StockMove(models.Model):
    """Also held in guards/stock_move.sql."""
    _inherit = 'stock.move'

    @api.model_create_multi
    def create(self, vals_list):
        moves = super().create(vals_list)
        if any(vals.get('picking_id') for vals in vals_list):
            moves.filtered('picking_id')._mmr_orders()._mmr_refuse_transfer()
        return moves

    def _action_done(self, cancel_backorder=False):
        orders = self._mmr_orders()
        if orders:
            self.filtered('picking_id')._mmr_orders()._mmr_refuse_transfer()
        return super()._action_done(cancel_backorder=cancel_backorder)


class StockQuant(models.Model):
    """Also held in guards/stock_quant.sql."""
    _inherit = 'stock.quant'

    @api.model_create_multi
    def create(self, vals_list):
        quants = super().create(vals_list)
        quants.filtered(lambda quant: quant.mmr_lot_status and quant.quantity < 0)._mmr_watch()
        return quants

    def write(self, vals):
        if 'quantity' not in vals:
            return super().write(vals)
        less = self.filtered(lambda quant: quant.mmr_lot_status and quant.quantity > vals['quantity'])
        result = super().write(vals)
        less._mmr_watch()
        return result

    def _mmr_watch(self):
        """Judge at the end of the transaction whether more is taken of these goods than is there (STK-020).

        Odoo moves goods in several steps: only what is left at the end counts. It is asked here, where the person reads
        why, and by PostgreSQL in any case.
        """
        if not self:
            return
        cr = self.env.cr
        keys = cr.precommit.data.setdefault(WATCHED, set())
        if not keys:
            cr.precommit.add(self.env['stock.quant'].sudo()._mmr_check_watched)
        keys.update((quant.lot_id.id, quant.location_id.id, quant.package_id.id or None, quant.owner_id.id or None)
                    for quant in self)

    @api.model
    def _mmr_check_watched(self):
        """Refuse a transaction that leaves less than nothing of a lot at a place, in a package or of an owner.

        :raise UserError: naming lot, place and what is missing
        """
        keys = self.env.cr.precommit.data.pop(WATCHED, set())
        lots = self.env['stock.lot'].browse(sorted({key[0] for key in keys})).exists()
        if not lots:
            return
        self.env.flush_all()
        lots._mmr_lock()
        rows = self.env.execute_query(SQL(
            """SELECT q.lot_id, q.location_id, q.package_id, q.owner_id, round(sum(q.quantity)::numeric, 6)
                 FROM stock_quant q JOIN stock_location l ON l.id = q.location_id
                WHERE q.lot_id IN %s AND l.usage IN ('internal', 'transit')
                GROUP BY q.product_id, q.lot_id, q.location_id, q.package_id, q.owner_id
               HAVING round(sum(q.quantity)::numeric, 6) < 0 ORDER BY q.lot_id, q.location_id""", lots._ids))
        for *key, rest in rows:
            if tuple(key) in keys:
                raise self._mmr_refuse_negative(*key, -rest)

    @api.model
    def _mmr_refuse_negative(self, lot_id, location_id, package_id, owner_id, missing):
        lot, place = self.env['stock.lot'].browse(lot_id), self.env['stock.location'].browse(location_id)
        package, owner = self.env['stock.package'].browse(package_id), self.env['res.partner'].browse(owner_id)
        where = ', '.join(filter(None, (place.display_name, package.display_name, owner.display_name)))
        return refusal(
            self.env,
            self.env._("%(missing)s %(unit)s more of lot %(lot)s of %(product)s would be taken than is at %(place)s.",
                       missing=decimal_string(missing), unit=lot.product_id.uom_id.name, lot=lot.name,
                       product=lot.product_id.display_name, place=where),
            "STK-010, STK-020, 21 CFR 211.184(c)",
            self.env._("take only what is there; if the stock is wrong, use Adjust Stock on the lot, which opens a "
                       "deviation."), record=lot)
