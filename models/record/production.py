"""The batch production record of an order: made when it is released, filled step by step, complete when it is done."""

from odoo import api, fields, models

from ...domain.numbers import decimal_string, exact
from ...domain.refusals import refusal
from ...domain.stock import differences
from ...domain.transitions import transition


class MrpProduction(models.Model):
    _inherit = 'mrp.production'

    bpr_ids = fields.One2many('mrp.bpr', 'production_id', "Batch Production Records", readonly=True)
    bpr_id = fields.Many2one('mrp.bpr', "Batch Production Record", compute='_compute_bpr_id')
    mmr_status_text = fields.Char("Status of the Batch", related='bpr_ids.status_text', related_sudo=True)
    mmr_status_kind = fields.Selection(related='bpr_ids.status_kind', related_sudo=True)

    @api.depends('bpr_ids')
    def _compute_bpr_id(self):
        for production in self:
            production.bpr_id = production.bpr_ids

    def _mmr_follow_confirm(self):
        super()._mmr_follow_confirm()
        self.env['mrp.bpr']._create_for(self.filtered(lambda order: order.mmr_snapshot_sha256 and order.state != 'draft'))

    def _mmr_prepare_cancel(self):
        super()._mmr_prepare_cancel()
        for order in self._mmr_recorded().filtered(lambda order: order.state not in ('done', 'cancel')):
            order._mmr_consume_used()

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
            booked = production._mmr_settle()
            (production.move_raw_ids - booked).filtered(lambda move: not move.picked)._mmr_consume_nothing()
            production._mmr_take_yield()
        super()._mmr_prepare_done()

    def _mmr_take_yield(self):
        """Take the recorded yield of the batch as the quantity produced: less than planned is yield (USE-020)."""
        self.ensure_one()
        quantity = self._mmr_get_recorded_yield()
        if quantity is not None and exact(self.qty_producing) != quantity:
            with transition(self):
                self.qty_producing = float(quantity)
                self._set_qty_producing(False)

    def _mmr_consume_used(self):
        """Book what was weighed and used before the batch is cancelled: it is in the batch and not on stock any more.

        What was only reserved goes back.
        """
        self.ensure_one()
        moves = self._mmr_settle()
        with transition(self):
            moves.filtered(lambda move: move.state not in ('done', 'cancel'))._action_done(cancel_backorder=True)

    def _mmr_check_consumption_recorded(self):
        """Refuse consumption that is not what was weighed and signed (BPR-060, USE-060)."""
        self.ensure_one()
        for move, wanted in self._mmr_get_formula().items():
            if move.picked and differences(wanted, move._mmr_get_booked()):
                raise refusal(
                    self.env,
                    self.env._("%(order)s: the booked quantity of %(product)s differs from what was weighed (%(weighed)s "
                               "%(unit)s).",
                               order=self.name, product=move.product_id.display_name,
                               weighed=decimal_string(sum(wanted.values())), unit=move.product_id.uom_id.name),
                    "BPR-060, USE-060, 21 CFR 111.260(d)-(e)",
                    self.env._("correct the weight in the batch record, which then books it again."), record=self)

    def _mmr_follow_done(self):
        super()._mmr_follow_done()
        self._mmr_recorded().filtered(lambda order: order.state == 'done').sudo().bpr_ids._complete()
