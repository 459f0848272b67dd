"""What a batch takes out of stock follows its record: lot by lot, place by place, to the last digit (STK-010)."""

from decimal import Decimal

from odoo import models
from odoo.tools import SQL

from ...domain.numbers import decimal_string, exact
from ...domain.refusals import refusal
from ...domain.stock import Source, allocate, convert_exactly, differences, in_stock, is_held
from ...domain.transitions import transition

#: Places from which a batch takes goods.
PLACES = ('internal', 'transit')
RULE = "STK-010, STK-020, 21 CFR 111.260(e), 211.184(c)"


class StockLot(models.Model):
    _inherit = 'stock.lot'

    def _mmr_lock(self):
        """Let batches that take from the same lots wait for each other, and judge on what is committed.

        The rows are written, so that PostgreSQL refuses requests that read them before; Odoo repeats such a request.
        """
        if self:
            self.env.execute_query(SQL(
                """WITH locked AS MATERIALIZED (SELECT id FROM stock_lot WHERE id IN %s ORDER BY id FOR NO KEY UPDATE)
                   UPDATE stock_lot l SET write_date = l.write_date FROM locked WHERE l.id = locked.id RETURNING l.id""",
                self._ids))


class StockMove(models.Model):
    _inherit = 'stock.move'

    def _mmr_to_stock(self, quantity, unit):
        """Return a recorded quantity in the unit of the product, unrounded.

        :param Decimal quantity: in ``unit``
        """
        return convert_exactly(quantity, unit, self.product_id.uom_id)

    def _mmr_get_booked(self):
        """Return what the picked or done lines of these moves take, by lot, in the unit of the product."""
        booked = {}
        for line in self.move_line_ids.filtered(lambda line: line.picked or line.state == 'done'):
            booked[line.lot_id] = booked.get(line.lot_id, 0) + line._mmr_get_quantity()
        return {lot: quantity for lot, quantity in booked.items() if quantity}

    def _mmr_prepare_line(self, lot, place, quantity):
        """Return the values of a line of this move.

        :param place: location, package and owner
        :param Decimal quantity: in the unit of the product
        """
        location, package, owner = place
        digits = self.env['decimal.precision'].precision_get('Product Unit')
        unit, product_unit = self.product_uom, self.product_id.uom_id
        shown = convert_exactly(quantity, product_unit, unit)
        # In the unit of the formula, where that holds it as well.
        if shown is None or not is_held(shown, digits):
            shown, unit = quantity, product_unit
        return dict(
            self._prepare_move_line_vals(), quantity=float(shown), product_uom_id=unit.id, lot_id=lot.id, picked=True,
            location_id=location.id, package_id=package.id, owner_id=owner.id)

    def _mmr_set_lines(self, rows):
        """Make the picked lines of this move take exactly ``rows``; what else was reserved stays in stock.

        :param list rows: ``(lot, place, quantity)``, see :meth:`_mmr_prepare_line`
        """
        self.ensure_one()
        lines = self.move_line_ids
        found = [(line.lot_id, (line.location_id, line.package_id, line.owner_id), line._mmr_get_quantity())
                 for line in lines]
        if found != rows or not all(lines.mapped('picked')):
            lines.unlink()
            self.env['stock.move.line'].create([self._mmr_prepare_line(*row) for row in rows])
        if not self.manual_consumption or not self.picked:
            self.manual_consumption = True
            self.picked = True

    def _mmr_correct_lines(self, changes, find_rows):
        """Make the lines of a done move follow a record that was corrected since; core moves the goods.

        :param changes: ``(lot, wanted, booked)`` of each lot that differs
        :param find_rows: called with lot and quantity for what more is taken; returns rows of :meth:`_mmr_set_lines`
        """
        self.ensure_one()
        vals_list = []
        for lot, wanted, booked in changes:
            surplus = booked - wanted
            for line in reversed(self.move_line_ids.filtered(lambda line, lot=lot: line.lot_id == lot)):
                part = min(surplus, line._mmr_get_quantity())
                if part > 0:
                    left = line._mmr_get_quantity() - part
                    line.quantity = float(convert_exactly(left, self.product_id.uom_id, line.product_uom_id))
                    surplus -= part
            if wanted > booked:
                vals_list += [self._mmr_prepare_line(*row) for row in find_rows(lot, wanted - booked)]
        self.env['stock.move.line'].create(vals_list)


class StockMoveLine(models.Model):
    _inherit = 'stock.move.line'

    def _mmr_get_quantity(self):
        """Return what this line takes in the unit of its product, exactly."""
        return in_stock(self.quantity_product_uom, self.env['decimal.precision'].precision_get('Product Unit'))


class StockPool:
    """What the moves of an order may take from: read once, and given out once.

    :param moves: the moves whose own reservations come first
    :param lots: the lots of goods that have lots
    """

    def __init__(self, moves, lots):
        env, lines = moves.env, moves.move_line_ids
        digits = env['decimal.precision'].precision_get('Product Unit')
        moves = moves.filtered(lambda move: move.state not in ('done', 'cancel'))
        products = lines.product_id | moves.product_id | lots.product_id
        domain = [
            ('product_id', 'in', products.ids), ('lot_id', 'in', [*lots.ids, False]),
            ('location_id', 'child_of', (lines.move_id | moves).location_id.ids)]
        self.stock = {}
        for quant in env['stock.quant'].sudo().search(
                [*domain, ('location_id.usage', 'in', PLACES)], order='in_date, id'):
            row = self._row(quant)
            row['quantity'] += in_stock(quant.quantity, digits)
            row['reserved'] += in_stock(quant.reserved_quantity, digits)
        # What was picked is in somebody's hands: nobody else takes it.
        for line in env['stock.move.line'].sudo().search([
                *domain, ('picked', '=', True), ('state', 'not in', ('done', 'cancel')), ('id', 'not in', lines.ids)]):
            self._row(line)['picked'] += line._mmr_get_quantity()
        self.own = {}
        for line in lines.filtered(lambda line: line.state != 'done'):
            rows = self.own.setdefault(line.move_id, {})
            key = (line.product_id, line.lot_id, self._place(line))
            rows[key] = rows.get(key, 0) + line._mmr_get_quantity()

    @staticmethod
    def _place(row):
        return row.location_id, row.package_id, row.owner_id

    def _row(self, goods):
        return self.stock.setdefault((goods.product_id, goods.lot_id, self._place(goods)), {
            'quantity': Decimal(0), 'reserved': Decimal(0), 'picked': Decimal(0)})

    def take(self, move, lot, wanted):
        """Return rows of ``(lot, place, quantity)``, and what is not there; all of it is taken from the pool.

        Own goods come before those of others that lie here: whose they are is a part of the place.
        """
        own = {key: quantity for key, quantity in self.own.get(move, {}).items() if key[:2] == (move.product_id, lot)}
        parents = move.location_id.parent_path
        keys = [
            key for key in self.stock
            if key[:2] == (move.product_id, lot) and key[2][0].parent_path.startswith(parents)]
        keys.sort(key=lambda key: (key not in own, list(own).index(key) if key in own else bool(key[2][2])))
        sources = [
            Source(key, own.get(key, Decimal(0)), row['quantity'] - row['reserved'], row['quantity'] - row['picked'])
            for key in keys for row in (self.stock[key],)]
        taken, missing = allocate(wanted, sources)
        for key, quantity in taken:
            self.stock[key]['quantity'] -= quantity
        return [(lot, key[2], quantity) for key, quantity in taken], missing


class MrpProduction(models.Model):
    _inherit = 'mrp.production'

    # === BOOKING === #

    def _mmr_post_consumption(self, component, weights):
        """Book the weighed lots of a component of the snapshot on its stock move, picked (BPR-050, BPR-060).

        :param weights: the valid weights of one step; those of other steps that weigh the component count as well
        """
        self.ensure_one()
        for step in self.bpr_ids.sudo().step_ids - weights.step_id:
            if step.kind == 'weigh' and step.planned['component'] == component['position']:
                weights |= step._get_weights()
        self._mmr_book({self._mmr_get_move(component): self._mmr_get_weighed(component, weights)})

    def _mmr_get_weighed(self, component, weights):
        """Return what entries weighed of a component, by lot, in the unit of its product."""
        unit = self.env['uom.uom'].browse(component['unit_id'])
        move, quantities = self._mmr_get_move(component), {}
        for entry in weights:
            stocked = entry.data.get('stocked')
            quantity = Decimal(stocked) if stocked else move._mmr_to_stock(exact(entry.data['quantity']), unit)
            quantities[entry.lot_id] = quantities.get(entry.lot_id, 0) + quantity
        return {lot: quantity for lot, quantity in quantities.items() if quantity}

    def _mmr_get_move(self, component):
        """Return the stock move of a component of the snapshot: the one of its line of the formula."""
        self.ensure_one()
        lines = self.mmr_revision_id.sudo().bom_id.bom_line_ids.sorted(lambda line: (line.sequence, line.id))
        line = lines[component['position'] - 1]
        return self.move_raw_ids.filtered(lambda move: move.bom_line_id == line and move.state != 'cancel')[:1]

    def _mmr_book(self, wanted):
        """Make moves take exactly what the record says, from where it was reserved, and only then from elsewhere (STK-010).

        A move that is done follows a record that was corrected since.

        :param dict wanted: moves to dicts of lots to Decimals in the unit of the product
        :raise UserError: where less of a lot is there
        """
        moves = self.env['stock.move'].union(*wanted)
        lots = self.env['stock.lot'].union(*(lot for quantities in wanted.values() for lot in quantities))
        lots._mmr_lock()
        pool = StockPool(moves, lots)

        def find_rows(move, lot, quantity):
            rows, missing = pool.take(move, lot, quantity) if not move._should_bypass_reservation() else ([], quantity)
            if missing and lot and move.product_id.is_storable:
                raise self._mmr_refuse_overdraw(move, lot, quantity, quantity - missing)
            if missing:     # goods without lots, of which Odoo keeps no account that binds
                nobody = (move.location_id, self.env['stock.package'], self.env['res.partner'])
                rows.append((lot, nobody, missing + sum(row[2] for row in rows if row[1] == nobody)))
                rows = [row for row in rows[:-1] if row[1] != nobody] + rows[-1:]
            return rows

        with transition(self):
            for move, quantities in wanted.items():
                if move.state != 'done':
                    move._mmr_set_lines([
                        row for lot, quantity in quantities.items() for row in find_rows(move, lot, quantity)])
                else:
                    changes = differences(quantities, move._mmr_get_booked())
                    move._mmr_correct_lines(
                        changes, lambda lot, quantity, move=move: find_rows(move, lot, quantity))

    def _mmr_refuse_overdraw(self, move, lot, wanted, available):
        unit = move.product_id.uom_id.name
        return refusal(
            self.env,
            self.env._("%(order)s: %(wanted)s %(unit)s of lot %(lot)s of %(product)s is recorded, but only %(available)s "
                       "%(unit)s of it is at %(place)s.", order=self.name, wanted=decimal_string(wanted),
                       unit=unit, lot=lot.name,
                       product=move.product_id.display_name, available=decimal_string(available),
                       place=move.location_id.display_name),
            RULE, self._mmr_get_overdraw_action(), record=lot)

    def _mmr_get_overdraw_action(self):
        return self.env._(
            "compare the label: probably another lot was on the scale. If the stock is wrong, use Adjust Stock on the lot, "
            "which opens a deviation, and record again.")

    # === WHAT THE RECORD SAYS === #

    def _mmr_get_other_consumption(self):
        """Return what the entries of the record consume in addition to the lines of the formula (BPR-060, BPR-120).

        :return: for each valid entry ``(product, quantity, unit)``: packaging materials that were used or destroyed, and
            the scrapped part of an issued component
        """
        self.ensure_one()
        others = {}
        for step in self.bpr_ids.sudo().step_ids.filtered(lambda step: step.kind in ('material', 'weigh')):
            if step.kind == 'weigh':
                for entry in step._get_weights():
                    others[entry] = (step.planned['target'], exact(entry.data.get('scrapped')))
                continue
            rows = {row['position']: row for row in step.planned['pack']['materials']}
            for entry in step.entry_ids.filtered(lambda entry: entry.kind == 'material')._get_current():
                if entry.position in rows:
                    others[entry] = (rows[entry.position], exact(entry.data.get('used')) + exact(entry.data.get('destroyed')))
        return {
            entry: (self.env['product.product'].browse(row['product']['id']), quantity,
                    self.env['uom.uom'].browse(row['unit_id'])) for entry, (row, quantity) in others.items() if quantity}

    def _mmr_get_formula(self):
        """Return what each move of the formula must take according to the record: all valid weights, added or not.

        Material that was weighed is contaminated or mixed until Quality Control decides otherwise, so it
        counts as used (21 CFR 111.370, 211.110(d)).
        """
        wanted = {}
        for step in self.bpr_ids.sudo().step_ids.filtered(lambda step: step.kind == 'weigh'):
            weights, move = step._get_weights(), self._mmr_get_move(step.planned['target'])
            if weights and move:
                rows = wanted.setdefault(move, {})
                for lot, quantity in self._mmr_get_weighed(step.planned['target'], weights).items():
                    rows[lot] = rows.get(lot, 0) + quantity
        return wanted

    def _mmr_post_other_consumption(self):
        """Create one move for each valid entry that consumes something in addition to the formula (BPR-060, BPR-120).

        The move of an entry that was corrected since is removed or, if it is done, takes nothing: a dialog of Odoo may
        have completed it in the meantime.

        :return: dict of moves to dicts of lots to quantities, see :meth:`_mmr_book`
        """
        others = self._mmr_get_other_consumption()
        moves = self.move_raw_ids.filtered(lambda move: move.mmr_entry_id and move.state != 'cancel')
        booked = moves.grouped('mmr_entry_id')
        stale = moves.filtered(lambda move: move.mmr_entry_id not in others)
        with transition(self):
            open_ones = stale.filtered(lambda move: move.state != 'done')
            open_ones._action_cancel()
            open_ones.unlink()
            created = self.env['stock.move'].create([
                dict(self._get_move_raw_values(product, float(quantity), unit, entry.step_id.workorder_id.operation_id.id),
                     mmr_entry_id=entry.id, manual_consumption=True)
                for entry, (product, quantity, unit) in others.items() if entry not in booked])
            created._action_confirm(merge=False)
            created.move_line_ids.unlink()
        booked.update(created.grouped('mmr_entry_id'))
        return {
            **{move: {} for move in stale - open_ones},
            **{booked[entry]: {entry.lot_id: booked[entry]._mmr_to_stock(quantity, unit)}
               for entry, (_product, quantity, unit) in others.items()}}

    def _mmr_settle(self):
        """Make all moves that take from stock follow the record; those of a closed order are done immediately.

        :return: the moves
        """
        self.ensure_one()
        wanted = {**self._mmr_get_formula(), **self._mmr_post_other_consumption()}
        self._mmr_book(wanted)
        moves = self.env['stock.move'].union(*wanted)
        if self.state in ('done', 'cancel'):
            with transition(self):
                moves.filtered(lambda move: move.state not in ('done', 'cancel'))._action_done(cancel_backorder=True)
            self._mmr_settle_yield()
        return moves

    # === YIELD === #

    def _mmr_get_recorded_yield(self):
        """Return the recorded yield of the batch in the unit of the order, or None (USE-020)."""
        self.ensure_one()
        entries = self.bpr_ids.sudo().step_ids.filtered(
            lambda step: step.kind == 'yield' and step.planned['scope'] == 'batch').entry_ids
        recorded = entries.filtered(lambda entry: entry.kind == 'yield')._get_current()[-1:]
        if not recorded:
            return None
        band = recorded.step_id.planned['band']
        unit = self.env['uom.uom'].browse(band['unit_id']) if band else self.product_uom_id
        return convert_exactly(Decimal(recorded.value), unit, self.product_uom_id)

    def _mmr_settle_yield(self):
        """Make what a completed batch put on stock follow a yield that was corrected since."""
        if self.state != 'done':
            return
        lines = self.move_finished_ids.filtered(
            lambda move: move.product_id == self.product_id and move.state == 'done').move_line_ids
        quantity = self._mmr_get_recorded_yield()
        if quantity is None or self.product_tracking == 'serial':
            return
        product_unit = self.product_id.uom_id
        more = convert_exactly(quantity, self.product_uom_id, product_unit) - sum(
            (line._mmr_get_quantity() for line in lines), Decimal(0))
        if more and lines:
            line = lines[-1]
            with transition(self):
                line.quantity = float(convert_exactly(
                    line._mmr_get_quantity() + more, product_unit, line.product_uom_id))
