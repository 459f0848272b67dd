"""Procurement makes controlled products in whole batches."""

from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import UserError

from ...domain.numbers import convert, exact
from .planner import MAX_BATCHES


class StockRule(models.Model):
    _inherit = 'stock.rule'

    @api.model
    def _run_manufacture(self, procurements):
        """Make controlled products in the approved batch sizes that meet the demand best.

        Core would make it all in multiples of one size. Each size becomes a procurement of its own, on the bill of
        materials of its MMR, which core makes in whole batches and never adds to an order that exists.
        """
        if not any(procurement.product_id.mmr_controlled for procurement, _rule in procurements):
            return super()._run_manufacture(procurements)
        planned = []
        for procurement, rule, batches in self._mmr_plan_procurements(procurements):
            if batches is None:
                planned.append((procurement, rule))
            elif batches:
                planned += [
                    (procurement._replace(
                        product_qty=float(exact(mmr.batch_size) * number), product_uom=mmr.uom_id,
                        values=dict(procurement.values, bom_id=mmr.effective_revision_id.bom_id)), rule)
                    for mmr, number in batches]
            else:
                rule._mmr_keep_demand(procurement)
        return super()._run_manufacture(planned)

    @api.model
    def _mmr_plan_procurements(self, procurements):
        """Return (procurement, rule, batches) of each; ``batches`` is None where core goes on as ever.

        It is empty where the demand cannot be planned: no size is approved, the formulation is open, or too many
        batches would be needed.
        """
        controlled = [procurement for procurement, _rule in procurements if self._mmr_is_controlled(procurement)]
        masters = self.env['mrp.mmr']._get_effective_masters(
            self.env['product.product'].union(*(procurement.product_id for procurement in controlled)),
            self.env['res.company'].union(*(procurement.company_id for procurement in controlled)),
        ).grouped(lambda mmr: (mmr.product_id.id, mmr.company_id.id))
        for procurement, rule in procurements:
            if not self._mmr_is_controlled(procurement):
                yield procurement, rule, None
                continue
            usable = masters.get((procurement.product_id.id, procurement.company_id.id), self.env['mrp.mmr'])
            demand = convert(procurement.product_qty, procurement.product_uom, procurement.product_id.uom_id)
            batches = rule._mmr_choose_formulation(procurement, usable)._propose_batches(demand or 0)
            if sum(number for _mmr, number in batches) > MAX_BATCHES:
                batches = []
            yield procurement, rule, batches

    @api.model
    def _mmr_is_controlled(self, procurement):
        # Core makes nothing for a demand of zero or less.
        return procurement.product_id.mmr_controlled and procurement.product_uom.compare(procurement.product_qty, 0) > 0

    def _mmr_choose_formulation(self, procurement, masters):
        """Return those of ``masters`` that a procurement may use: all of one formulation.

        With several, the bill of materials that Odoo takes decides (that of the reordering rule, or the first in
        their order); where it belongs to none of them, a person has to choose.
        """
        if len(set(masters.mapped('formulation_code'))) < 2:
            return masters
        bom = self._get_matching_bom(procurement.product_id, procurement.company_id, procurement.values)
        formulation = bom.sudo().mmr_revision_ids.mmr_id.formulation_code
        return masters.filtered(lambda mmr: mmr.formulation_code == formulation)

    def _mmr_keep_demand(self, procurement):
        """Keep a demand that cannot be planned as one draft order that says why: nothing is lost, nothing is made."""
        bom = self._get_matching_bom(procurement.product_id, procurement.company_id, procurement.values)
        # As core does: whoever needs the goods may have no right to order them.
        order = self.env['mrp.production'].with_user(SUPERUSER_ID).sudo().with_company(procurement.company_id).create(
            self._prepare_mo_vals(*procurement, bom))
        try:
            order._mmr_choose(self.env['mrp.mmr']._get_effective_masters(order.product_id, order.company_id))
        except UserError as error:
            order._message_log(body=str(error.args[0]))
        else:
            if self._should_auto_confirm_procurement_mo(order):
                order.action_confirm()
        order._post_run_manufacture([procurement])

    def _should_auto_confirm_procurement_mo(self, p):
        """Leave an order without matching MMR a draft: a demand is not lost, and nothing is made by it."""
        if not super()._should_auto_confirm_procurement_mo(p):
            return False
        if not p.product_id.mmr_controlled:
            return True
        masters = self.env['mrp.mmr']._get_effective_masters(p.product_id, p.company_id)
        try:
            p._mmr_choose(masters)
        except UserError as error:
            p._message_log(body=str(error.args[0]))
            return False
        return True
