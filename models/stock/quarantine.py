"""Lots that Quality Control holds stay where they are, whichever way they are moved (REL-010, DEV-080)."""

from odoo import api, fields, models

from ...domain.refusals import refusal
from ...domain.transitions import transition
from ...domain.zpl import zpl_text

RULE = "REL-010, REL-070, DEV-080, 21 CFR 111.370, 211.110(d), 211.142(a)"


class StockLot(models.Model):
    _inherit = 'stock.lot'

    mmr_bpr_id = fields.Many2one(
        'mrp.bpr', "Made by Batch Record", readonly=True, copy=False, index='btree_not_null', ondelete='restrict',
        help="The controlled batch that made this lot; the lot is released or rejected with it (REL-010).")
    mmr_decided_by = fields.Char("Decided By", related='mmr_status_signature_id.signer_name')
    mmr_decided_at = fields.Datetime("Decided At", related='mmr_status_signature_id.signed_at')
    mmr_destruction_ids = fields.One2many('mrp.lot.destruction', 'lot_id', "Destructions", readonly=True)

    def _mmr_get_decision_label(self, zpl=False):
        """Return what a label of this lot says of the decision on it: status, who decided, when (REL-020).

        :param bool zpl: whether it is the data of a ZPL field (``^FH^FD``)
        """
        self.ensure_one()
        held = self._mmr_get_hold_text()
        words = f"{self._mmr_get_status_label()}: {held}" if held else \
            f"{self._mmr_get_status_label()}: {self.mmr_decided_by}, {self.mmr_decided_at:%Y-%m-%d %H:%M} UTC"
        return zpl_text(words) if zpl else words

    # === MOVES === #

    @api.model
    def _mmr_check_movable(self, lines, purpose='move'):
        """Refuse stock move lines that use up lots that are not free, or take them out of their warehouse (REL-070, DEV-080).

        Inside the warehouse they are moved, such as to a place for quarantine. What a controlled batch consumes is judged
        by :meth:`stock.move.line._mmr_check_lots_released`, as it was weighed while the lot was released.

        :param lines: move lines, done or about to be
        :param str purpose: ``reserve`` or ``move``, for the message
        :raise UserError: naming the lot, its status and where it was to go
        """
        held = lines._mmr_get_not_free()._mmr_get_leaving()
        held = held.filtered(lambda line: not line.move_id.raw_material_production_id.mmr_snapshot_sha256)
        if held:
            held -= self.env['mrp.lot.destruction']._get_covered(held) | held._mmr_get_reworked()
        for line in held:
            lot = line.lot_id
            raise refusal(
                self.env,
                self.env._("Lot %(lot)s of %(product)s is not released (%(status)s) and cannot be reserved for %(place)s.",
                           lot=lot.name, product=lot.product_id.display_name, status=lot._mmr_get_status_label(),
                           place=line.location_dest_id.display_name) if purpose == 'reserve' else
                self.env._("Lot %(lot)s of %(product)s is not released (%(status)s) and cannot be moved to %(place)s.",
                           lot=lot.name, product=lot.product_id.display_name, status=lot._mmr_get_status_label(),
                           place=line.location_dest_id.display_name),
                RULE,
                self.env._("have its reprocessing approved on a deviation, or its destruction signed on the lot.")
                if lot.mmr_status == 'rejected' else
                self.env._("wait for release by Quality Control; it may be moved within the warehouse."), record=lot)

    # === LOTS OF BATCHES === #

    def _mmr_claim(self, bpr):
        """Bind these lots to the batch that makes them; they are in quarantine from now on (REL-010).

        A lot is one batch: what has stock of another origin, was decided on, or belongs to another batch is refused.
        """
        new = self.filtered(lambda lot: lot.mmr_bpr_id != bpr)
        stocked = new and self.env['stock.quant'].sudo().search([
            ('lot_id', 'in', new.ids), ('quantity', '>', 0), ('location_id.usage', 'in', ('internal', 'transit', 'customer'))])
        for lot in new:
            if lot.mmr_bpr_id or lot.mmr_status in ('released', 'rejected') or lot in stocked.lot_id:
                raise refusal(
                    self.env,
                    self.env._("%(bpr)s: lot %(lot)s already exists (%(other)s).", bpr=bpr.name, lot=lot.name,
                               other=lot.mmr_bpr_id.name or self.env._("in stock") if lot.mmr_bpr_id or lot in stocked.lot_id
                               else lot._mmr_get_status_label()),
                    "REL-010, BPR-020, 21 CFR 111.260(a), 211.188", self.env._("give the batch a lot number of its own."),
                    record=lot)
        if new:
            # Nobody of another company decides on it.
            with transition(new):
                new.sudo().write({'mmr_bpr_id': bpr.id, 'mmr_status': 'quarantine', 'company_id': bpr.company_id.id})
            new.flush_recordset()

    def _mmr_filter_decided_alone(self):
        """Return those of these lots that are decided on by themselves, and not with the batch that made them (REL-020)."""
        return self.filtered(lambda lot: lot.mmr_status != 'quarantine' or lot.sudo().mmr_status_signature_id
                             or lot.sudo().mmr_bpr_id.product_id != lot.product_id)

    def _mmr_check_batch_decided(self):
        """Refuse to decide on the lot of a batch before the batch itself is released or rejected (REL-020)."""
        for lot in self - self._mmr_filter_decided_alone():
            raise refusal(
                self.env, self.env._("Lot %(lot)s was made by %(bpr)s and can only be released or rejected with it.",
                                     lot=lot.name, bpr=lot.sudo().mmr_bpr_id.name),
                "REL-020, REL-030, 21 CFR 111.123(a)(8), 211.192",
                self.env._("review the batch record and decide there."), record=lot)

    def action_mmr_open_batch(self):
        """Open the batch record of this lot."""
        self.ensure_one()
        self.check_access('read')
        return {'type': 'ir.actions.act_window', 'res_model': 'mrp.bpr', 'view_mode': 'form', 'res_id': self.mmr_bpr_id.id}

    def action_mmr_trace_forward(self):
        """Open where this lot went: batches, lots made of it, customers (REL-050)."""
        self.ensure_one()
        return self.env['mrp.lot.trace']._trace(self, 'forward')

    def action_mmr_trace_backward(self):
        """Open what this lot was made of, down to the receipts (REL-050)."""
        self.ensure_one()
        return self.env['mrp.lot.trace']._trace(self, 'backward')

    def action_mmr_print_trace(self):
        """Print where these lots went and what they were made of (REL-050)."""
        self.check_access('read')
        self.env['mrp.lot.trace'].check_access('read')
        return self.env.ref('mrp_mmr.action_report_lot_trace').report_action(self.ids, config=False)

    def action_mmr_download_trace(self):
        """Download where this lot went and what it was made of as a spreadsheet (REL-050)."""
        self.ensure_one()
        self.check_access('read')
        self.env['mrp.lot.trace'].check_access('read')
        return {'type': 'ir.actions.act_url', 'target': 'self', 'url': f'/mrp_mmr/lot/{self.id}.xlsx'}

    def action_mmr_destroy(self):
        """Open the form in which a destruction of this lot is recorded."""
        self.ensure_one()
        self.check_access('read')
        self.env['mrp.lot.destroy'].check_access('create')
        return {
            'type': 'ir.actions.act_window', 'res_model': 'mrp.lot.destroy', 'view_mode': 'form', 'target': 'new',
            'name': self.env._("Destroy"), 'context': {'default_lot_id': self.id}}
