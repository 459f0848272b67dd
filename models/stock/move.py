"""Stock moves of released batches are those of the snapshot, and consume what was weighed."""

from odoo import api, fields, models
from odoo.exceptions import MissingError

from .quant import usable_lots

#: What a component or by-product of a released batch is; actual quantities and lots are entered freely.
PLANNED_FIELDS = {
    'product_id', 'product_uom_qty', 'product_uom', 'raw_material_production_id', 'production_id', 'operation_id',
    'bom_line_id', 'mmr_entry_id',
}
ORDER_FIELDS = ('raw_material_production_id', 'production_id')
#: What a done move of a controlled order says: it is not redirected or dated afterwards (STK-040, REL-050).
DONE_FIELDS = {'location_id', 'location_dest_id', 'date', 'product_uom_qty', 'quantity', 'picked'}
#: Places from which goods do not come back: sold, returned, used up, lost, on the way to another company or warehouse.
LEAVING = ('customer', 'supplier', 'production', 'inventory', 'transit')


class StockMove(models.Model):
    _inherit = 'stock.move'

    mmr_entry_id = fields.Many2one(
        'mrp.bpr.entry', "Recorded Entry", readonly=True, copy=False, index='btree_not_null', ondelete='restrict',
        help="The entry of the batch record that this move books: packaging material, or the scrapped quantity of a component.")

    @api.model_create_multi
    def create(self, vals_list):
        moves = super().create(vals_list)
        # After the insert, as a default may have chosen the order.
        if moves._mmr_orders()._mmr_check_new_rows(self.env._("components and by-products")):
            moves._mmr_check_other_products()
        return moves

    def write(self, vals):
        planned = PLANNED_FIELDS & vals.keys()
        if planned:
            for move in self:
                if any(move._fields[name].convert_to_write(move[name], move) != vals[name] for name in planned):
                    move._mmr_orders()._mmr_refuse_released(self.env._("components and by-products"))
            for name in ORDER_FIELDS:
                if vals.get(name):
                    self.env['mrp.production'].browse(vals[name])._mmr_refuse_released(
                        self.env._("components and by-products"))
        if vals.get('picking_id'):
            self._mmr_orders()._mmr_refuse_transfer()
        if DONE_FIELDS & vals.keys():
            self.filtered(lambda move: move.state == 'done')._mmr_orders()._mmr_refuse_released(
                self.env._("recorded consumption and production"))
        if vals.get('state') == 'done':
            self.filtered(lambda move: move.state != 'done')._mmr_orders().filtered(
                'mmr_snapshot_sha256')._mmr_check_done_by_record()
        if 'state' in vals:
            # Cancelling a component would drop it from the batch, reopening it would change a closed record.
            for move in self:
                if move.state != vals['state'] and (move.state == 'done' or vals['state'] in ('cancel', 'draft')):
                    move._mmr_orders()._mmr_refuse_released(self.env._("components and by-products"))
        result = super().write(vals)
        if planned & {'product_id', 'production_id'}:
            # Such a change may have merged moves away.
            self.exists()._mmr_check_other_products()
        return result

    def action_explode(self):
        """Leave the components of a released batch as they were signed: kits were refused, none is looked for (MMR-050)."""
        signed = self.filtered(lambda move: move.raw_material_production_id.mmr_snapshot_sha256)
        return signed | super(StockMove, self - signed).action_explode() if signed else super().action_explode()

    @api.ondelete(at_uninstall=True)
    def _unlink_except_mmr_released(self):
        try:
            orders = self._mmr_orders()
        except MissingError:
            # Core deletes moves again that a change of the bill of materials has deleted already.
            orders = self.exists()._mmr_orders()
        orders._mmr_refuse_released(self.env._("components and by-products"))

    def _mmr_orders(self):
        return self.raw_material_production_id | self.production_id

    def _mmr_check_other_products(self):
        """Refuse a controlled product as an extra product of a confirmed order of another one (USE-010)."""
        for move in self:
            production = move.production_id
            if production and production.state != 'draft' and move.product_id != production.product_id \
                    and move.product_id.mmr_controlled and not production.mmr_snapshot_sha256:
                raise production._mmr_refuse_other_product(move.product_id)

    def _mmr_consume_formula(self):
        """Take the signed quantities as consumed; core would scale them with what was produced."""
        for move in self:
            if move.state not in ('done', 'cancel'):
                move._set_quantity_done(move.product_uom_qty)
                move.picked = True

    def _mmr_consume_nothing(self):
        """Book nothing for components that were not added to the batch, so that core proposes nothing either."""
        for move in self:
            if move.state not in ('done', 'cancel'):
                move._set_quantity_done(0)
                move.manual_consumption = True
                move.picked = True

    def _mmr_claim_lots(self, production):
        """Bind what a controlled batch makes to its record: lots of its own, in quarantine (REL-010)."""
        for move in self:
            lots = move.move_line_ids.lot_id
            if move.product_id == production.product_id and (
                    not lots or any(line.quantity and not line.lot_id for line in move.move_line_ids)):
                raise production._mmr_refuse_without_lot()
            lots._mmr_claim(production.sudo().bpr_ids)

    def _action_done(self, cancel_backorder=False):
        for production in self._mmr_orders():
            if production.state == 'draft' and production.product_id.mmr_controlled:
                raise production._mmr_refuse_unreleased()
            if production.mmr_snapshot_sha256:
                production._mmr_check_done_by_record()
                self.filtered(lambda move, order=production: move.raw_material_production_id == order) \
                    .move_line_ids._mmr_check_lots_released(production, weighed=True)
                self.filtered(lambda move, order=production: move.production_id == order)._mmr_claim_lots(production)
        moves = super()._action_done(cancel_backorder=cancel_backorder)
        self.env['mrp.bpr.distribution']._record(moves.move_line_ids)
        return moves

    # === LOTS THAT MAY BE USED === #

    def _mmr_get_usable_lots(self):
        """Return which lots this move may use: ``released`` for a controlled batch (USE-060), ``free`` for others that use
        goods up or take them away (REL-070), None for moves inside the warehouse.
        """
        # Lots stay in stock when the tracking of their product is switched off.
        if self.raw_material_production_id.mmr_snapshot_sha256:
            return 'released'
        if self.product_id.tracking == 'none':
            return None
        return 'free' if self._mmr_leaves() else None

    def _mmr_leaves(self, location=None, destination=None):
        """Whether this move uses goods up or takes them out of their warehouse, itself or at the end of its chain.

        :param location, destination: where a line of it goes, where that is another place than its own
        """
        self.ensure_one()
        location, destination = location or self.location_id, destination or self.location_dest_id
        if destination.usage in LEAVING:
            return True
        if location.usage == 'internal' and location.warehouse_id != destination.warehouse_id:
            return True
        # Components that are picked for an order, goods that are picked for a customer.
        return bool(self.location_final_id and self.location_final_id.usage in LEAVING
                    or self.move_dest_ids.raw_material_production_id)

    def _update_reserved_quantity_vals(self, need, location_id, lot_id=None, package_id=None, owner_id=None, strict=True):
        with usable_lots(self._mmr_get_usable_lots()):
            return super()._update_reserved_quantity_vals(need, location_id, lot_id, package_id, owner_id, strict)

    def _get_available_quantity(self, location_id, lot_id=None, package_id=None, owner_id=None, strict=False,
                                allow_negative=False):
        with usable_lots(self._mmr_get_usable_lots()):
            return super()._get_available_quantity(location_id, lot_id, package_id, owner_id, strict, allow_negative)

    def _compute_should_consume_qty(self):
        super()._compute_should_consume_qty()
        for move in self:
            production = move.raw_material_production_id
            if production.mmr_snapshot_sha256 and production.qty_producing:
                move.should_consume_qty = move.product_uom_qty
