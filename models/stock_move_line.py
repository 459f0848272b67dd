from odoo import api, models

from ..tools import in_transition, refusal

RECORDED_FIELDS = {'quantity', 'lot_id', 'lot_name', 'product_id', 'product_uom_id'}


class StockMoveLine(models.Model):
    _inherit = 'stock.move.line'

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines._mmr_check_open(written=True)
        return lines

    def write(self, vals):
        if not RECORDED_FIELDS & vals.keys():
            return super().write(vals)
        self._mmr_check_open()
        result = super().write(vals)
        if {'product_id', 'lot_id'} & vals.keys():
            self._mmr_check_open(written=True)
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
            if production.state == 'done' or any(
                    line.product_id != move.product_id for line in self if line.move_id == move):
                raise production._mmr_refuse_change(self.env._("recorded consumption and production"))
            if written and move.raw_material_production_id:
                (move.move_line_ids & self)._mmr_check_lots_released(production)

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
                self.env._("take a lot that Quality Control released."), record=lot)
