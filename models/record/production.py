"""The batch production record of an order: made when it is released, filled step by step, complete when it is done."""

from decimal import Decimal

from odoo import api, fields, models

from ...domain.numbers import convert, decimal_string, exact
from ...domain.refusals import refusal
from ...domain.transitions import transition


class MrpProduction(models.Model):
    _inherit = 'mrp.production'

    bpr_ids = fields.One2many('mrp.bpr', 'production_id', "Batch Production Records", readonly=True)
    bpr_id = fields.Many2one('mrp.bpr', "Batch Production Record", compute='_compute_bpr_id')

    @api.depends('bpr_ids')
    def _compute_bpr_id(self):
        for production in self:
            production.bpr_id = production.bpr_ids

    def _mmr_follow_confirm(self):
        super()._mmr_follow_confirm()
        self.env['mrp.bpr']._create_for(self.filtered(lambda order: order.mmr_snapshot_sha256 and order.state != 'draft'))

    def _mmr_prepare_cancel(self):
        super()._mmr_prepare_cancel()
        self._mmr_recorded().filtered(lambda order: order.state not in ('done', 'cancel'))._mmr_consume_used()

    def _mmr_follow_cancel(self):
        super()._mmr_follow_cancel()
        self.sudo().filtered(lambda order: order.mmr_snapshot_sha256 and order.state == 'cancel').bpr_ids._cancel()

    def _mmr_recorded(self):
        """Return the orders that have a batch production record; others cost no query."""
        return self.filtered('mmr_snapshot_sha256').filtered('bpr_ids')

    def action_open_bpr(self):
        """Open the batch production record of this order."""
        self.ensure_one()
        self.env['mrp.bpr'].check_access('read')
        return {
            'type': 'ir.actions.act_window', 'res_model': 'mrp.bpr', 'view_mode': 'form', 'res_id': self.bpr_id.id}

    # === CONSUMPTION === #

    def _mmr_post_consumption(self, component, weights):
        """Book the weighed lots of a component of the snapshot on its stock move, picked (BPR-050, BPR-060).

        The record keeps every digit of the scale; stock rounds to the precision of its unit.
        """
        self.ensure_one()
        move = self._mmr_get_move(component)
        unit = self.env['uom.uom'].browse(component['unit_id'])
        quantities = {}
        for entry in weights:
            quantity = convert(exact(entry.data['quantity']), unit, move.product_uom)
            quantities[entry.lot_id] = quantities.get(entry.lot_id, 0) + quantity
        with transition(self):
            move.move_line_ids.unlink()
            self.env['stock.move.line'].create([
                dict(move._prepare_move_line_vals(), quantity=float(quantity), lot_id=lot.id, picked=True,
                     location_id=self._mmr_get_location(move, lot).id)
                for lot, quantity in quantities.items() if quantity])
            move.manual_consumption = True
            move.picked = True

    def _mmr_get_move(self, component):
        """Return the stock move of a component of the snapshot: the one of its line of the formula."""
        self.ensure_one()
        lines = self.mmr_revision_id.sudo().bom_id.bom_line_ids.sorted(lambda line: (line.sequence, line.id))
        line = lines[component['position'] - 1]
        return self.move_raw_ids.filtered(lambda move: move.bom_line_id == line and move.state != 'cancel')[:1]

    def _mmr_get_location(self, move, lot):
        """Return where the lot lies under the source location of the order."""
        quant = lot and self.env['stock.quant'].search([
            ('lot_id', '=', lot.id), ('location_id', 'child_of', move.location_id.id), ('quantity', '>', 0)],
            order='quantity desc', limit=1)
        return quant.location_id if quant else move.location_id

    def _get_consumption_issues(self):
        # What differs from the formula was judged when it was weighed (USE-070).
        recorded = self._mmr_recorded()
        return super(MrpProduction, self - recorded)._get_consumption_issues()

    # === COMPLETION === #

    def _mmr_prepare_done(self):
        for production in self._mmr_recorded():
            production.bpr_ids._check_complete()
            production._mmr_check_consumption_recorded()
            if production.product_tracking == 'lot' and not production.lot_producing_ids:
                production.action_generate_serial()
            production.move_raw_ids.filtered(lambda move: not move.picked)._mmr_consume_nothing()
            production._mmr_take_yield()
            production._mmr_post_unplanned()
        super()._mmr_prepare_done()

    def _mmr_take_yield(self):
        """Take the recorded yield of the batch as the quantity produced: less than planned is yield (USE-020)."""
        self.ensure_one()
        entries = self.bpr_ids.sudo().step_ids.filtered(
            lambda step: step.kind == 'yield' and step.planned['scope'] == 'batch').entry_ids
        recorded = entries.filtered(lambda entry: entry.kind == 'yield')._get_current()[-1:]
        if not recorded:
            return
        band = recorded.step_id.planned['band']
        unit = self.env['uom.uom'].browse(band['unit_id']) if band else self.product_uom_id
        quantity = convert(Decimal(recorded.value), unit, self.product_uom_id)
        if quantity is not None and exact(self.qty_producing) != quantity:
            with transition(self):
                self.qty_producing = float(quantity)
                self._set_qty_producing(False)

    def _mmr_get_unplanned_consumption(self):
        """Return what entries of the record take out of the stock that is no line of the formula (BPR-060, BPR-120).

        :return: for each valid entry ``(product, quantity, unit)``: packaging materials that were used or destroyed, and
            what was scrapped of a component that was issued
        """
        self.ensure_one()
        unplanned = {}
        for step in self.bpr_ids.sudo().step_ids.filtered(lambda step: step.kind in ('material', 'weigh')):
            if step.kind == 'weigh':
                for entry in step._get_weights():
                    unplanned[entry] = (step.planned['target'], exact(entry.data.get('scrapped')))
                continue
            rows = {row['position']: row for row in step.planned['pack']['materials']}
            for entry in step.entry_ids.filtered(lambda entry: entry.kind == 'material')._get_current():
                if entry.position in rows:
                    quantity = exact(entry.data.get('used')) + exact(entry.data.get('destroyed'))
                    unplanned[entry] = (rows[entry.position], quantity)
        return {
            entry: (self.env['product.product'].browse(row['product']['id']), quantity,
                    self.env['uom.uom'].browse(row['unit_id'])) for entry, (row, quantity) in unplanned.items() if quantity}

    def _mmr_post_unplanned(self):
        """Book what was consumed beyond the formula, by lot (BPR-060, BPR-120).

        Each valid entry gets a move of its own when the batch is completed, once. A move whose entry was corrected since
        goes: a dialog of Odoo may have come between.
        """
        unplanned = self._mmr_get_unplanned_consumption()
        booked = self.move_raw_ids.mmr_entry_id
        vals_list = [
            dict(self._get_move_raw_values(product, float(quantity), unit, entry.step_id.workorder_id.operation_id.id),
                 mmr_entry_id=entry.id, manual_consumption=True)
            for entry, (product, quantity, unit) in unplanned.items() if entry not in booked]
        stale = self.move_raw_ids.filtered(
            lambda move: move.mmr_entry_id and move.mmr_entry_id not in unplanned and move.state not in ('done', 'cancel'))
        with transition(self):
            stale._action_cancel()
            stale.unlink()
            moves = self.env['stock.move'].create(vals_list)
            moves._action_confirm(merge=False)
            moves.move_line_ids.unlink()
            self.env['stock.move.line'].create([
                dict(move._prepare_move_line_vals(), quantity=move.product_uom_qty, lot_id=move.mmr_entry_id.lot_id.id,
                     picked=True, location_id=self._mmr_get_location(move, move.mmr_entry_id.lot_id).id)
                for move in moves])
            moves.picked = True

    def _mmr_consume_used(self):
        """Book what was weighed and used before the batch is cancelled: it is in the batch and not on stock any more.

        What was only reserved goes back. Weighed material is contaminated or mixed until somebody of Quality Control says
        otherwise, so that it counts as used (21 CFR 111.370, 211.110(d)).
        """
        used = self.env['stock.move']
        for order in self:
            for step in order.bpr_ids.sudo().step_ids.filtered(lambda step: step.kind == 'weigh'):
                weights = step._get_weights()
                if weights:     # also where nobody signed yet
                    order._mmr_post_consumption(step.planned['target'], weights)
                    used |= order._mmr_get_move(step.planned['target'])
            order._mmr_post_unplanned()
            used |= order.move_raw_ids.filtered('mmr_entry_id')
        with transition(self):
            used.filtered(lambda move: move.state not in ('done', 'cancel'))._action_done(cancel_backorder=True)

    def _mmr_check_consumption_recorded(self):
        """Refuse consumption that is not what was weighed and signed (BPR-060, USE-060)."""
        self.ensure_one()
        steps = self.bpr_ids.sudo().step_ids.filtered(lambda step: step.kind == 'weigh')
        for step in steps:
            component = step.planned['target']
            weights = step._get_weights()
            if step.state == 'not_done' or not weights:
                continue
            move = self._mmr_get_move(component)
            unit = self.env['uom.uom'].browse(component['unit_id'])
            wanted, booked = {}, {}
            for entry in weights:
                wanted[entry.lot_id] = wanted.get(entry.lot_id, 0) + convert(
                    exact(entry.data['quantity']), unit, move.product_uom)
            for line in move.move_line_ids.filtered('picked'):
                booked[line.lot_id] = booked.get(line.lot_id, 0) + convert(
                    line.quantity, line.product_uom_id, move.product_uom)
            rounding = exact(move.product_uom.rounding)
            if any(abs(wanted.get(lot, 0) - booked.get(lot, 0)) > rounding for lot in {*wanted, *booked}):
                raise refusal(
                    self.env,
                    self.env._("%(order)s: %(product)s is booked differently from what was weighed (%(weighed)s %(unit)s).",
                               order=self.name, product=component['product']['name'],
                               weighed=decimal_string(sum(wanted.values())), unit=move.product_uom.name),
                    "BPR-060, USE-060, 21 CFR 111.260(d)-(e)",
                    self.env._("correct the weight in the batch record, which books it again."), record=self)

    def _mmr_follow_done(self):
        super()._mmr_follow_done()
        self._mmr_recorded().filtered(lambda order: order.state == 'done').sudo().bpr_ids._complete()
