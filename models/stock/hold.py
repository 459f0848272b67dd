"""Lots that are held immediately, before anybody decides: after a serious deviation, and when goods are returned (DEV-100)."""

from odoo import fields, models
from odoo.tools import SQL

from ...domain.refusals import refusal
from ...domain.transitions import transition

RULE = "DEV-100, 21 CFR 111.113, 111.503, 211.192, 211.204, EU GMP 8.13"
#: Where goods are ours again.
OWN_PLACES = ('internal', 'transit')


class StockLot(models.Model):
    """Also held in guards/stock_lot.sql and guards/stock_move_line.sql."""
    _inherit = 'stock.lot'

    mmr_hold_deviation_id = fields.Many2one(
        'mrp.deviation', "Held By", readonly=True, copy=False, index='btree_not_null', ondelete='restrict',
        help="The deviation that put this lot in quarantine until Quality Control decides on it.")
    mmr_returned_at = fields.Datetime(
        "Returned", readonly=True, copy=False, help="When goods of this lot were returned, which put it in quarantine.")

    def _mmr_hold(self, **vals):
        """Put released lots, and those without a status, into quarantine in this transaction (DEV-100).

        The signature of the decision before stays; the next one has to be newer.

        :param dict vals: why: ``mmr_hold_deviation_id`` or ``mmr_returned_at``
        """
        free = self.sudo().filtered(lambda lot: lot.mmr_status in (False, 'released'))
        if not free:
            return
        with transition(free):
            free.write({'mmr_status': 'quarantine', 'mmr_hold_deviation_id': False, 'mmr_returned_at': False, **vals})
        # PostgreSQL looks at the lots when the lines are done.
        free.flush_recordset()
        for lot in free:
            lot._message_log(body=lot._mmr_get_hold_text())
        free._mmr_take_back()

    def _mmr_hold_back(self):
        """Hold those of these lots, which came back, that a decision of Quality Control is asked for."""
        self.filtered(lambda lot: lot._mmr_is_to_hold())._mmr_hold(mmr_returned_at=fields.Datetime.now())

    def _mmr_is_to_hold(self):
        """Whether Quality Control decides on this lot and it may be used, so that it is held when goods of it come back."""
        return bool(self) and (self.mmr_status == 'released' or not self.mmr_status and self.product_id._mmr_is_decided_on())

    def _mmr_get_sent_out(self):
        """Return those of these lots of which goods were sent to a customer or, where an own batch made them, to a supplier."""
        if not self:
            return self
        found = self.env['stock.move.line'].sudo()._read_group(
            [('lot_id', 'in', self.ids), ('state', '=', 'done'), ('quantity', '>', 0),
             ('location_dest_id.usage', 'in', ('customer', 'supplier'))],
            ['lot_id', 'location_dest_id'])
        lots = {lot.id for lot, place in found if place.usage == 'customer' or lot.mmr_bpr_id}
        return self.filtered(lambda lot: lot.id in lots)

    def _mmr_get_hold_text(self):
        """Return why this lot is held, where nobody decided on that yet; False otherwise."""
        self.ensure_one()
        if self.mmr_status != 'quarantine':
            return False
        if self.mmr_hold_deviation_id:
            return self.env._("held by %s", self.sudo().mmr_hold_deviation_id.name)
        return self.mmr_returned_at and self.env._("returned on %s", fields.Date.to_string(
            self._mmr_get_company()._get_mmr_day(self.mmr_returned_at)))

    def _mmr_get_concerning(self):
        """Return the open major and critical deviations that concern these lots, by lot (DEV-100)."""
        if not self:
            return {}
        self.env.flush_all()
        rows = self.env.execute_query(SQL(
            "SELECT l.id, d FROM unnest(%s::integer[]) l(id), LATERAL mrp_mmr_concerning(l.id) d ORDER BY 1, 2",
            list(self.ids)))
        found = {}
        for lot, deviation in rows:
            found.setdefault(self.browse(lot), []).append(deviation)
        deviations = self.env['mrp.deviation'].sudo()
        return {lot: deviations.browse(ids) for lot, ids in found.items()}

    def _mmr_check_not_concerned(self):
        """Refuse to release a lot that an open major or critical deviation concerns (DEV-100).

        :raise UserError: naming the deviations
        """
        for lot, deviations in self._mmr_get_concerning().items():
            raise refusal(
                self.env, self.env._("Lot %(lot)s is affected by %(deviations)s.", lot=lot.name,
                                     deviations=', '.join(deviations.mapped('display_name'))), RULE,
                self.env._("close the deviation, or assess its batch as not affected; then release the lot."), record=lot)


class StockMoveLine(models.Model):
    _inherit = 'stock.move.line'

    def _mmr_get_returning(self):
        """Return those of these lines that bring goods back from outside (DEV-100).

        From a customer, by whatever document; from a supplier if a batch of the company made the lot; by a count or from
        production, where the lot was sent outside before.
        """
        inside = self.filtered(lambda line: line.quantity and line.location_dest_id.usage in OWN_PLACES)
        appearing = inside.filtered(
            lambda line: line.location_id.usage in ('inventory', 'production') and line.lot_id._mmr_is_to_hold())
        sent_out = appearing.lot_id._mmr_get_sent_out()
        return inside.filtered(lambda line: line._mmr_is_outside(line.location_id)) \
            | appearing.filtered(lambda line: line.lot_id in sent_out)

    def _mmr_is_outside(self, place):
        """Whether goods of this line are outside at a place: with a customer or, made by an own batch, with a supplier."""
        self.ensure_one()
        return place.usage == 'customer' or place.usage == 'supplier' and bool(self.lot_id.sudo().mmr_bpr_id)

    def _mmr_get_taken_back(self, vals):
        """Return those of these done lines that sent goods outside and send less of them with these values (DEV-100).

        A count that wrote off goods of a lot that was sent outside is one of them. Also held in guards/stock_move_line.sql
        (mrp_mmr_guard_taken_back).

        :param dict vals: what is about to be written
        """
        lines = self.filtered(lambda line: (
            line.state == 'done' and line.quantity > 0 and line.lot_id._mmr_is_to_hold()
            and (line._mmr_is_outside(line.location_dest_id) or line.location_dest_id.usage == 'inventory')))
        if not lines:
            return lines
        sent_out = lines.lot_id._mmr_get_sent_out()
        lines = lines.filtered(lambda line: line.lot_id in sent_out)
        unit, place = (self.env[model].browse(vals.get(name)) for model, name in (
            ('uom.uom', 'product_uom_id'), ('stock.location', 'location_dest_id')))

        def sends_less(line):
            quantity = (unit or line.product_uom_id)._compute_quantity(
                vals.get('quantity', line.quantity), line.product_id.uom_id, round=False)
            before = line.product_uom_id._compute_quantity(line.quantity, line.product_id.uom_id, round=False)
            return quantity < before or vals.get('lot_id', line.lot_id.id) != line.lot_id.id \
                or place and place != line.location_dest_id and not line._mmr_is_outside(place)
        return lines.filtered(sends_less)

    def _mmr_hold_returned(self):
        """Put what comes back by these lines into quarantine, before anybody can use it (DEV-100)."""
        for line in self._mmr_get_returning():
            product = line.product_id
            if not line.lot_id and product.mmr_controlled and product.tracking != 'none':
                raise refusal(
                    self.env, self.env._("%s is controlled by MMR: a return must name its lot.", product.display_name),
                    RULE, self.env._("enter the lot that is printed on the returned goods."), record=product)
            if line.lot_id and line.location_dest_id.usage == 'transit' and line.lot_id.mmr_status:
                raise refusal(
                    self.env, self.env._("Lot %(lot)s would be returned to %(place)s, where it cannot be held.",
                                         lot=line.lot_id.name, place=line.location_dest_id.display_name),
                    RULE, self.env._("receive it at a location of your own warehouse first."), record=line.lot_id)
        self._mmr_get_returning().lot_id._mmr_hold_back()

