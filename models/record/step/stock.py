"""What is recorded at a step is what stock can hold and has: refused where it is not (STK-020, STK-030)."""

from decimal import Decimal
from fractions import Fraction

from odoo import models

from ....domain.numbers import decimal_string, get_factor, plain, round_fraction
from ....domain.refusals import refusal
from ....domain.stock import convert_exactly, in_stock, is_held, take_reading
from ...base.notation import get_plain_writer
from ..consumption import PLACES
from ..consumption import RULE as OVERDRAW_RULE

PRECISION_RULE = "STK-030, 21 CFR 111.210(c), 111.260(e)"
#: Kinds of entries that take goods out of stock.
TAKING = ('weight', 'material')
RUNNING = ('issue', 'ready', 'progress')
#: A yield above this many times of the theoretical one is a typing error, where what was put in does not compare with it.
IMPLAUSIBLE = 2


class MrpBprEntry(models.Model):
    _inherit = 'mrp.bpr.entry'

    def _get_taken(self):
        """Return what this entry takes out of stock, see the method of the step."""
        self.ensure_one()
        return self.sudo().step_id._get_taken(self.kind, self.position, self.data or {})


class MrpBprStep(models.Model):
    _inherit = 'mrp.bpr.step'

    def _get_taken(self, kind, position, data):
        """Return what an entry of this step takes out of stock.

        :param str kind: of the entry
        :param dict data: of the entry; ``stocked`` is what stock takes of a reading in another unit (NUM-060)
        :return: the row of the snapshot with ``product`` and ``unit_id``, and the Decimals in the unit of the product, each
            of which gets a move of its own
        """
        if kind == 'weight':
            row, names = self.planned['target'], (('quantity',), ('scrapped',))
        elif kind == 'material' and 'used' in data:
            row = next(row for row in self.planned['pack']['materials'] if row['position'] == position)
            names = (('used', 'destroyed'),)
        else:
            return None, []
        unit = self.env['uom.uom'].browse(row['unit_id'])
        stock_unit = self.env['product.product'].sudo().browse(row['product']['id']).uom_id
        parts = [
            convert_exactly(sum((Decimal(data.get(name) or 0) for name in group), Decimal(0)), unit, stock_unit)
            for group in names]
        if 'stocked' in data:
            parts[0] = Decimal(data['stocked'])
        return row, [part for part in parts if part]

    def _take_reading(self, value, data):
        """Keep in ``data`` what stock takes of a weight in another unit than that of its component (NUM-060).

        :param str value: the reading
        :raise UserError: where stock would take something else
        """
        row = self.planned['target']
        unit = self.env['uom.uom'].browse(row['unit_id'])
        product = self.env['product.product'].sudo().browse(row['product']['id'])
        digits = self.env['decimal.precision'].precision_get('Product Unit')
        quantity = Fraction(value) * Fraction(data['factor']) * get_factor(unit, product.uom_id)
        stocked = take_reading(quantity, digits)
        if stocked is None:
            found = round_fraction(quantity)
            raise self._refuse_not_held(product, decimal_string(found), product.uom_id, found, digits)
        data['stocked'] = plain(stocked)

    # === WHEN IT IS RECORDED === #

    def _check_stock(self, kind, prepared, corrected, vals):
        """Refuse a value with which stock could not agree: more digits than it holds, or more than is there.

        :param dict prepared: the values of the entry
        :param corrected: the entry that it corrects
        :param dict vals: what the person sent
        """
        if kind == 'yield':
            self._check_yield(Decimal(prepared['value']), vals)
        if kind not in TAKING:
            return
        if 'factor' in prepared['data']:
            self._take_reading(prepared['value'], prepared['data'])
        row, parts = self._get_taken(kind, prepared.get('position'), prepared['data'])
        if not parts:
            return
        product = self.env['product.product'].sudo().browse(row['product']['id'])
        unit = self.env['uom.uom'].browse(row['unit_id'])
        for part in parts:
            self._check_held(convert_exactly(part, product.uom_id, unit), unit, product, part)
        lot = self.env['stock.lot'].sudo().browse(prepared.get('lot_id'))
        if lot and product.is_storable:
            more = sum(parts)
            if corrected and corrected.lot_id == lot and self.bpr_id.state not in RUNNING:
                # What a closed batch took is not on stock any more: only the difference is.
                more -= sum(corrected._get_taken()[1])
            if more > 0:
                self._check_available(lot, more, without=corrected)

    def _check_held(self, quantity, unit, product, stocked=None):
        """Refuse a quantity that the precision of stock would round, such as 2.51 g of what is stocked in kg (STK-030).

        :param Decimal quantity: in ``unit``
        :param Decimal stocked: the same in the unit of the product, where it is known
        """
        digits = self.env['decimal.precision'].precision_get('Product Unit')
        if stocked is None:
            stocked = convert_exactly(quantity, unit, product.uom_id)
        if stocked is not None and not is_held(stocked, digits):
            raise self._refuse_not_held(product, decimal_string(quantity), unit, stocked, digits)

    def _refuse_not_held(self, product, quantity, unit, stocked, digits):
        show = get_plain_writer(self.env)
        return refusal(
            self.env,
            self.env._("%(product)s is stocked in %(unit)s with %(digits)s decimals: %(quantity)s %(recorded)s would be "
                       "booked as %(rounded)s %(unit)s.", product=product.display_name, unit=product.uom_id.name,
                       digits=digits, quantity=show(quantity), recorded=unit.name,
                       rounded=show(decimal_string(round(stocked, digits)))),
            PRECISION_RULE,
            self.env._("have the decimals of quantities increased (Manufacturing, Settings, Master Manufacturing Records), "
                       "which takes effect immediately; then record what the scale shows."), record=self)

    def _check_available(self, lot, quantity, without):
        """Refuse more of a lot than is left where the order takes it from, less what is recorded already (STK-020).

        What other running batches recorded is gone, whether it was booked or not. Where their orders take from a part of
        the same place, or from the place around it, each place must have what is recorded of it.

        :param Decimal quantity: in the unit of the product
        :param without: the entry that is about to be corrected
        """
        lot._mmr_lock()
        order = self.sudo().production_id
        used = self._get_recorded_uses(lot, without)
        used[order.location_src_id] = used.get(order.location_src_id, Decimal(0)) + quantity
        stock = self._get_stock_of(lot)
        for place in used:
            if not order.location_src_id.parent_path.startswith(place.parent_path):
                continue
            there = sum((rest for other, rest in stock.items() if other.parent_path.startswith(place.parent_path)), Decimal(0))
            taken = sum((rest for other, rest in used.items() if other.parent_path.startswith(place.parent_path)), Decimal(0))
            if taken > there:
                unit, show = lot.product_id.uom_id.name, get_plain_writer(self.env)
                raise refusal(
                    self.env,
                    self.env._("%(step)s: %(wanted)s %(unit)s of lot %(lot)s of %(product)s is too much: %(there)s %(unit)s "
                               "of it is at %(place)s, of which %(used)s %(unit)s has already been recorded.",
                               step=self.display_name, wanted=show(decimal_string(quantity)), unit=unit, lot=lot.name,
                               product=lot.product_id.display_name, place=place.display_name, there=show(decimal_string(there)),
                               used=show(decimal_string(taken - quantity))),
                    OVERDRAW_RULE, order._mmr_get_overdraw_action(), record=lot)

    def _get_recorded_uses(self, lot, without):
        """Return what running batches recorded of a lot and did not consume yet, by the place that they take from."""
        entries = self.env['mrp.bpr.entry'].sudo().search([
            ('lot_id', '=', lot.id), ('kind', 'in', TAKING), ('bpr_id.state', 'in', RUNNING)])
        used = {}
        for entry in entries._get_current() - without:
            parts = entry._get_taken()[1]
            place = entry.bpr_id.production_id.location_src_id
            if parts:
                used[place] = used.get(place, Decimal(0)) + sum(parts)
        return used

    def _get_stock_of(self, lot):
        """Return how much of a lot lies where, in the unit of the product."""
        digits = self.env['decimal.precision'].precision_get('Product Unit')
        groups = self.env['stock.quant'].sudo()._read_group(
            [('lot_id', '=', lot.id), ('location_id.usage', 'in', PLACES)], ['location_id'], ['quantity:sum'])
        return {place: in_stock(quantity, digits) for place, quantity in groups}

    # === YIELD === #

    def _check_yield(self, number, vals):
        """Refuse a yield that stock cannot hold, and ask before one is stored that cannot have come out (VER-060)."""
        order, band = self.sudo().production_id, self.planned['band']
        unit = self.env['uom.uom'].browse(band['unit_id']) if band else order.product_uom_id
        if self.planned['scope'] == 'batch':
            self._check_held(number, unit, order.product_id)
        if vals.get('plausible') is True or not band or number * 100 <= Decimal(band['maximum']) * Decimal(band['theoretical']):
            return
        put_in = self._get_put_in(unit)
        most = put_in if put_in is not None else IMPLAUSIBLE * Decimal(band['theoretical'])
        if number > most:
            show = get_plain_writer(self.env)
            value = show(format(number, 'f'))
            raise refusal(
                self.env,
                self.env._("%(value)s %(unit)s is the result, but only %(most)s %(unit)s was put in.", value=value,
                           unit=unit.name, most=show(decimal_string(most))) if put_in is not None else
                self.env._("%(value)s %(unit)s is more than twice the theoretical yield of %(theoretical)s %(unit)s.",
                           value=value, unit=unit.name, theoretical=show(band['theoretical'])),
                "VER-060, YLD-020, EU GMP Annex 11 §6",
                self.env._("read the scale again; if the value is right, tick the confirmation and record it."), record=self)

    def _get_put_in(self, unit):
        """Return what was weighed for the batch in ``unit``, or None where its components do not all compare with it."""
        steps = self.bpr_id.sudo().step_ids.filtered(lambda step: step.kind == 'weigh')
        total = Decimal(0)
        for entry in steps.entry_ids.filtered(lambda entry: entry.kind == 'weight')._get_current():
            quantity = convert_exactly(
                Decimal(entry.data['quantity']), self.env['uom.uom'].browse(entry.data['unit_id']), unit)
            if quantity is None:
                return None
            total += quantity
        return total or None
