"""Orders that meet a demand in several batches: the split of a draft, and what procurement makes."""

from odoo import models
from odoo.exceptions import UserError
from odoo.fields import Command

from ...domain.numbers import convert
from ...domain.refusals import refusal


class MrpProduction(models.Model):
    _inherit = 'mrp.production'

    # === SPLIT === #

    def action_mmr_split(self):
        """Open the dialog that meets the demand of this draft by batches of approved sizes.

        :raise UserError: if the order is not a draft of a controlled product, or its size is available
        """
        self.ensure_one()
        masters = self._mmr_check_splittable()
        own = self.bom_id.sudo().mmr_revision_ids.mmr_id.formulation_code
        return self.env['mrp.mmr.plan']._open({
            'production_id': self.id,
            'company_id': self.company_id.id,
            'product_id': self.product_id.id,
            'uom_id': self.product_uom_id.id,
            'demand_qty': self.product_qty,
            **({'formulation_code': own} if own in masters.mapped('formulation_code') else {}),
        })

    def _mmr_check_splittable(self):
        """Check that this order is a draft that waits for a split.

        :return: the masters that are usable for it, of any formulation
        :raise UserError: where it is not
        """
        self.ensure_one()
        self.check_access('write')
        if self.state != 'draft' or not self.product_id.mmr_controlled:
            raise refusal(
                self.env,
                self.env._("%(order)s is not a draft of a controlled product and cannot be split into batches.",
                           order=self.name),
                "USE-020, 21 CFR 111.205(a)", self.env._("plan a new demand on the MMR of the product."), record=self)
        masters = self.env['mrp.mmr']._get_effective_masters(self.product_id, self.company_id)
        if not masters:
            self._mmr_choose(masters)
        if self._get_mmr_of_size(masters):
            raise refusal(
                self.env, self.env._("%s already has an available batch size: there is nothing to split.", self.name),
                "USE-010, 21 CFR 111.205(a)", self.env._("confirm the order."), record=self)
        return masters

    def _mmr_split(self, masters):
        """Turn this draft into the first of several batches and create the others.

        What the draft was asked for by (origin, deadline, reordering rule, the moves it delivers to) is asked of all
        batches together; each of them supplies whatever is waiting for the goods.

        :param masters: list of masters, one per batch
        :return: the orders, this one first
        """
        self.ensure_one()
        first, *others = masters
        waiting = self._mmr_get_waiting_moves()
        self.write(self._prepare_mmr_choice_vals(first))
        orders = self + self.create([self._prepare_mmr_batch_vals(mmr) for mmr in others])
        orders._mmr_serve(waiting)
        parents = self.sudo().production_group_id.parent_ids
        if parents:
            orders.sudo().production_group_id.parent_ids = [Command.link(group.id) for group in parents]
        names = ', '.join(orders.mapped('name'))
        for order in orders:
            order._message_log(body=self.env._("Split into batches of approved sizes: %s.", names))
        return orders

    def _prepare_mmr_batch_vals(self, mmr):
        """Return the values of an order that makes one batch of ``mmr`` for the same demand as this order."""
        self.ensure_one()
        return {
            **self._prepare_mmr_choice_vals(mmr),
            'origin': self.origin,
            'company_id': self.company_id.id,
            'priority': self.priority,
            'picking_type_id': self.picking_type_id.id,
            'location_src_id': self.location_src_id.id,
            'location_dest_id': self.location_dest_id.id,
            'location_final_id': self.location_final_id.id,
            'date_start': self.date_start,
            'date_deadline': self.date_deadline,
            'user_id': self.user_id.id,
            'orderpoint_id': self.orderpoint_id.id,
            'propagate_cancel': self.propagate_cancel,
            'reference_ids': [Command.set(self.reference_ids.ids)],
            'product_description_variants': self.product_description_variants,
            'never_product_template_attribute_value_ids': [
                Command.set(self.never_product_template_attribute_value_ids.ids)],
        }

    # === MOVES THAT WAIT FOR THE GOODS === #

    def _mmr_main_moves(self):
        self.ensure_one()
        return self.move_finished_ids.filtered(
            lambda move: move.product_id == self.product_id and move.state not in ('done', 'cancel'))

    def _mmr_get_waiting_moves(self):
        """Return the moves that wait for what these orders make."""
        waiting = self.move_dest_ids
        for production in self:
            waiting |= production._mmr_main_moves().move_dest_ids
        return waiting

    def _mmr_serve(self, waiting):
        """Let each of these orders deliver to the ``waiting`` moves; core only links them to one order."""
        for production in self:
            for move in production._mmr_main_moves():
                missing = waiting - move.move_dest_ids
                if missing:
                    move.move_dest_ids = [Command.link(dest.id) for dest in missing]

    def _compute_move_finished_ids(self):
        # A draft that changes makes its moves anew; of several batches for one demand, core knows who waits for one only.
        waiting = {
            production: production._mmr_main_moves().move_dest_ids
            for production in self
            if production.id and production.state == 'draft' and production.mmr_controlled
        }
        super()._compute_move_finished_ids()
        for production, moves in waiting.items():
            if moves:
                production._mmr_serve(moves)

    # === PROCUREMENT === #

    def _post_run_manufacture(self, post_production_values):
        result = super()._post_run_manufacture(post_production_values)
        for production, procurement in zip(self, post_production_values, strict=False):
            waiting = procurement.values.get('move_dest_ids')
            if waiting and production.product_id.mmr_controlled:
                production._mmr_serve(waiting)
        return result

    def _mmr_confirm_one_by_one(self):
        """Confirm orders so that one which the gate refuses stays a draft, and does not stop the others."""
        controlled = self.filtered('product_id.mmr_controlled')
        if self - controlled:
            (self - controlled)._mmr_release_and_confirm()
        for order in controlled:
            try:
                with self.env.cr.savepoint():
                    order._mmr_release_and_confirm()
            except UserError:
                # The draft keeps the demand; whoever confirms it by hand is told what is missing.
                continue
        return True

    def _mmr_get_demand(self):
        """Return the quantity of this order in the product's unit, as a Decimal; None where it has no such unit."""
        self.ensure_one()
        return convert(self.product_qty, self.product_uom_id, self.product_id.uom_id)
