"""Stock of goods that Quality Control decides on only changes by moves: nobody writes it (REL-070, STK-040)."""

from contextlib import contextmanager
from contextvars import ContextVar

from odoo import api, models
from odoo.tools import SQL

from ...domain.numbers import decimal_string
from ...domain.refusals import refusal
from .goods import RULE

#: What goods are, where they lie and how much there is.
FIXED = {'product_id', 'lot_id', 'location_id', 'package_id', 'owner_id', 'company_id', 'quantity', 'mmr_lot_status'}
#: Set in the cursor while its transaction waits for the comparison of stock and moves.
WATCHED = 'mrp_mmr_watched_stock'
#: What Odoo books at the moment, if anything; a variable of the process, which no client can set.
_moving = ContextVar('mrp_mmr_moving', default=None)


@contextmanager
def moving(env):
    """Let the booking of moves write quants; they are compared with the moves at the end of the transaction.

    A savepoint runs what waits for the end of the transaction: in the middle of a booking, the comparison waits on.
    """
    if _moving.get():
        yield
        return
    state = {'is_postponed': False}
    token = _moving.set(state)
    try:
        yield
    finally:
        _moving.reset(token)
    if state['is_postponed']:
        env['stock.quant']._mmr_compare_later()


class StockQuant(models.Model):
    """Quants are split, merged and counted freely; their sum only changes with done move lines.

    Also held in guards/stock_quant.sql, guards/stock_move_line.sql and guards/mrp_mmr_stock_change.sql.
    """
    _inherit = 'stock.quant'

    @api.model_create_multi
    def create(self, vals_list):
        # Inventory mode makes empty quants and counts them, which is a move.
        if not _moving.get() and any(vals.get('quantity') or vals.get('mmr_lot_status') for vals in vals_list):
            products = self.env['product.product'].browse({vals['product_id'] for vals in vals_list if vals.get('product_id')})
            lots = self.env['stock.lot'].browse({vals['lot_id'] for vals in vals_list if vals.get('lot_id')})
            for record in (*products, *lots.product_id, *lots.filtered('mmr_status').product_id):
                if record._mmr_is_decided_on() or lots.filtered('mmr_status'):
                    raise self._mmr_refuse_written(record)
        quants = super().create(vals_list)
        quants._mmr_watch_moves()
        return quants

    def write(self, vals):
        fixed = FIXED & vals.keys()
        if not fixed:
            return super().write(vals)
        if not _moving.get():
            for quant in self.sudo():
                changed = any(quant._fields[name].convert_to_write(quant[name], quant) != vals[name] for name in fixed)
                if changed and (quant.quantity or vals.get('quantity')) and quant._mmr_is_watched(vals):
                    raise self._mmr_refuse_written(quant.product_id, quant)
        result = super().write(vals)
        if 'quantity' in fixed:
            self._mmr_watch_moves()
        return result

    @api.ondelete(at_uninstall=True)
    def _unlink_goods_that_are_there(self):
        # After Odoo's own check, which makes an inventory adjustment of it first.
        for quant in self.sudo():
            if quant.quantity and quant._mmr_is_watched():
                raise self._mmr_refuse_written(quant.product_id, quant)

    def _mmr_is_watched(self, vals=()):
        """Whether Quality Control decides on these goods, as they are or as they would be with ``vals``."""
        self.ensure_one()
        # What is in the row of the quant, so that stock of other products asks nothing more.
        if self.mmr_lot_status or self.product_id._mmr_is_decided_on():
            return True
        vals = dict(vals)
        lot, product = self.lot_id.browse(vals.get('lot_id') or ()), self.product_id.browse(vals.get('product_id') or ())
        return bool(lot.mmr_status) or any(other._mmr_is_decided_on() for other in lot.product_id | product)

    def _mmr_refuse_written(self, product, quant=None):
        return refusal(
            self.env,
            self.env._("The stock of %s can only be changed by moves.",
                       product.display_name) if not quant or not quant.lot_id else
            self.env._("The stock of lot %(lot)s of %(product)s at %(place)s can only be changed by moves.",
                       lot=quant.lot_id.name,
                       product=product.display_name, place=quant.location_id.display_name),
            f"{RULE}, STK-040", self.env._("create a transfer; if the stock is wrong, use Adjust Stock on the lot."),
            record=quant or product)

    def _mmr_watch_moves(self):
        """Compare stock and moves at the end of the transaction, here, where the person reads why, and in PostgreSQL."""
        if WATCHED not in self.env.cr.precommit.data and any(quant._mmr_is_watched() for quant in self.sudo()):
            self._mmr_compare_later()

    @api.model
    def _mmr_compare_later(self):
        precommit = self.env.cr.precommit
        precommit.data[WATCHED] = True
        precommit.add(self.env['stock.quant'].sudo()._mmr_check_moved)

    @api.model
    def _mmr_check_moved(self):
        """Refuse a transaction in which stock changed otherwise than its moves say.

        :raise UserError: naming product, lot and place
        """
        self.env.cr.precommit.data.pop(WATCHED, None)
        if _moving.get():
            _moving.get()['is_postponed'] = True
            return
        self.env.flush_all()
        rows = self.env.execute_query(SQL(
            """SELECT product_id, lot_id, location_id, round(sum(quantity), 6) FROM mrp_mmr_stock_change
                WHERE transaction = pg_current_xact_id()::text
                GROUP BY product_id, lot_id, location_id, package_id, owner_id
               HAVING round(sum(quantity), 6) <> 0 ORDER BY 1, 2, 3 LIMIT 1"""))
        for product_id, lot_id, location_id, difference in rows:
            product, lot = self.env['product.product'].browse(product_id), self.env['stock.lot'].browse(lot_id or ())
            raise refusal(
                self.env,
                self.env._("The stock of %(product)s, lot %(lot)s, at %(place)s would change by %(difference)s %(unit)s "
                           "without a move for it.", product=product.display_name, lot=lot.name or '–',
                           unit=product.uom_id.name,
                           difference=decimal_string(difference),
                           place=self.env['stock.location'].browse(location_id).display_name),
                f"{RULE}, STK-010, STK-040",
                self.env._("take only what is in stock of that lot; if the stock is wrong, use Adjust Stock."),
                record=lot or product)


class StockMove(models.Model):
    _inherit = 'stock.move'

    def _action_done(self, cancel_backorder=False):
        # From the first quant until the move is done.
        with moving(self.env):
            return super()._action_done(cancel_backorder=cancel_backorder)


class StockMoveLine(models.Model):
    _inherit = 'stock.move.line'

    @api.model_create_multi
    def create(self, vals_list):
        # A line of a done move is booked at once.
        with moving(self.env):
            return super().create(vals_list)

    def write(self, vals):
        with moving(self.env):
            return super().write(vals)

    def _action_done(self):
        with moving(self.env):
            return super()._action_done()

    def unlink(self):
        with moving(self.env):
            return super().unlink()
