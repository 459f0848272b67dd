"""Lines of moves: which lots they may take, and what a record fixes of them (REL-010, USE-060)."""

from odoo import api, models

from ...domain.refusals import refusal
from ...domain.transitions import in_transition
from .move import LEAVING

RECORDED_FIELDS = {'quantity', 'lot_id', 'lot_name', 'product_id', 'product_uom_id'}
PLACES = {'location_id', 'location_dest_id', 'move_id'}
#: What a done line of a controlled order says beside: it is not redirected, dated or packed otherwise afterwards (STK-040).
DONE_FIELDS = {'date', 'package_id', 'result_package_id', 'owner_id', 'picking_id', 'state'}


class StockMoveLine(models.Model):
    """Also held in guards/stock_move_line.sql."""
    _inherit = 'stock.move.line'

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._mmr_check_open(written=True)
        lines._mmr_check_held()
        done = lines.filtered(lambda line: line.state == 'done')
        done._mmr_check_surplus()
        done._mmr_hold_returned()
        # A line that is added to a done move is done at once.
        self.env['mrp.bpr.distribution']._record(lines)
        return lines

    def write(self, vals):
        if (DONE_FIELDS | PLACES) & vals.keys():
            self.filtered(lambda line: line.state == 'done')._mmr_check_open()
        if not (RECORDED_FIELDS | PLACES) & vals.keys():
            return super().write(vals)
        if RECORDED_FIELDS & vals.keys():
            self._mmr_check_open()
        # Before it is written: PostgreSQL then finds the lots held.
        self._mmr_get_taken_back(vals).lot_id._mmr_hold_back()
        less = self._mmr_get_less(vals)
        result = super().write(vals)
        if {'product_id', 'lot_id', 'move_id'} & vals.keys():
            self._mmr_check_open(written=True)
        lines = self.exists()
        (lines - less)._mmr_check_held()
        done = lines.filtered(lambda line: line.state == 'done')
        if done:
            done._mmr_check_surplus()
            done._mmr_hold_returned()
            self.env['mrp.bpr.distribution']._record(done, corrected=True)
        return result

    def _action_done(self):
        self._mmr_check_surplus()
        result = super()._action_done()
        # Afterwards: lots that were typed exist now, and whatever is refused is undone.
        lines = self.exists()
        lines._mmr_check_has_lot()
        self.env['stock.lot']._mmr_check_movable(lines)
        # Before the lines are done, as PostgreSQL then finds their lots held.
        lines._mmr_hold_returned()
        return result

    @api.ondelete(at_uninstall=True)
    def _unlink_except_mmr_closed(self):
        self._mmr_check_open()

    def _mmr_check_open(self, written=False):
        """Refuse to change what a closed batch consumed or made, and to substitute a component.

        Rules: AUD-020, 21 CFR 11.10(e); USE-060, 21 CFR 111.120(e).

        :param bool written: whether these lines are what was just written, so that their lots are looked at; a lot that
            was withdrawn is taken out freely
        """
        for move in self.move_id:
            production = move._mmr_orders()
            if not production or production.state == 'draft' or not production.mmr_snapshot_sha256 \
                    or in_transition(production):
                continue
            if production.state in ('done', 'cancel') or move.state == 'done' or any(
                    line.product_id != move.product_id for line in self if line.move_id == move):
                raise production._mmr_refuse_change(self.env._("recorded consumption and production"))
            if written and move.raw_material_production_id:
                (move.move_line_ids & self)._mmr_check_lots_released(production)

    def _mmr_check_held(self):
        """Refuse lines by which lots that are not free would be reserved for, or moved to, where they must not go (REL-070)."""
        held = self._mmr_get_not_free()
        if held:
            self.env['stock.lot']._mmr_check_movable(held, 'reserve')

    def _mmr_get_less(self, vals):
        """Return those of these done lines of which these values only take away: nothing more leaves by them."""
        if 'quantity' not in vals or ((RECORDED_FIELDS | PLACES) - {'quantity'}) & vals.keys():
            return self.browse()
        return self.filtered(lambda line: line.state == 'done' and 0 <= vals['quantity'] <= line.quantity)

    def _mmr_get_leaving(self):
        """Return those of these lines that use goods up or take them out of their warehouse."""
        return self.filtered(lambda line: line.move_id._mmr_leaves(line.location_id, line.location_dest_id)
                             if line.move_id else line.location_dest_id.usage in LEAVING)

    def _mmr_get_reworked(self):
        """Return those of these lines whose lot goes into an approved reprocessing, or is taken apart for it (DEV-060).

        The approval covers the lot that it was signed for and its product, in one order or unbuild order (REL-070).
        """
        return self.filtered(lambda line: line._mmr_get_rework() and line._mmr_get_rework()._mmr_covers_line(line))

    def _mmr_get_rework(self):
        """Return the deviation by which this line reprocesses its lot."""
        self.ensure_one()
        move = self.move_id
        return (move.raw_material_production_id.mmr_rework_deviation_id or move.consume_unbuild_id.mmr_deviation_id).sudo()

    def _mmr_get_distribution_kind(self):
        """Return whether this line, once it is done, is a delivery to a customer or a return from one, or None (REC-010)."""
        self.ensure_one()
        if self.state != 'done' or not self.lot_id:
            return None
        goes, came = (place.usage == 'customer' for place in (self.location_dest_id, self.location_id))
        return None if goes == came else 'delivery' if goes else 'return'

    def _mmr_check_lots_released(self, production, weighed=False):
        """Refuse lots that Quality Control did not release as components of a controlled batch (USE-060).

        :param bool weighed: whether those are let through that were weighed into the batch while they were released;
            where one was rejected since, a deviation holds the batch
        :raise UserError: naming the lot
        """
        lots = self.lot_id.filtered(lambda lot: lot.mmr_status != 'released')
        if lots and weighed:
            lots -= production.sudo().bpr_ids.step_ids.entry_ids._get_current().lot_id
        for lot in lots:
            raise refusal(
                self.env, self.env._("%(order)s: lot %(lot)s of %(product)s is not released (%(status)s).",
                                     order=production.name, lot=lot.name, product=lot.product_id.display_name,
                                     status=lot._mmr_get_status_label()),
                "USE-060, 21 CFR 111.120(e), 111.155(c)(3), 211.84(a)",
                self.env._("use a lot that Quality Control has released."), record=lot)
