"""Where the lots of a batch went: the distribution record, which outlives the transfers that it was made of (REC-010)."""

from odoo import api, fields, models
from odoo.tools import SQL

from ...domain.numbers import exact
from ...domain.refusals import refusal
from ..base.gmp_float import GmpFloat

RULE = "REC-010, REC-040, 21 CFR 111.605(a), 211.180(b), 211.196"


class MrpBprDistribution(models.Model):
    """A quantity of a lot of a batch that went to a customer, or came back from one. Append-only.

    It is written in the transaction of the transfer and keeps by value what it says, so that neither the transfer nor the
    order of the customer takes the date of the distribution with it. What is corrected on a done transfer adds another row.

    Also held in guards/mrp_bpr_distribution.sql.
    """
    _name = 'mrp.bpr.distribution'
    _description = "Distribution of a Batch"
    _inherit = ['mrp.evidence.mixin']
    _order = 'date desc, id desc'
    _rec_name = 'lot_name'

    bpr_id = fields.Many2one(
        'mrp.bpr', "Batch Production Record", required=True, readonly=True, index=True, ondelete='restrict')
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True, ondelete='restrict')
    product_id = fields.Many2one('product.product', required=True, readonly=True, index=True, ondelete='restrict')
    lot_id = fields.Many2one('stock.lot', required=True, readonly=True, index=True, ondelete='restrict')
    lot_name = fields.Char("Lot Number", required=True, readonly=True)
    kind = fields.Selection(
        [('delivery', "Delivered"), ('return', "Returned")], "What", required=True, readonly=True)
    quantity = GmpFloat(
        required=True, readonly=True, aggregator=None, help="Below zero where a done transfer was corrected.")
    unit = fields.Char(required=True, readonly=True)
    customer_name = fields.Char("Customer", readonly=True)
    transfer_name = fields.Char("Transfer", readonly=True)
    origin = fields.Char("Source Document", readonly=True)
    date = fields.Datetime(required=True, readonly=True, index=True)
    #: Of the move line, which may be deleted: not a foreign key.
    line_ref = fields.Integer("Stock Move Line", required=True, readonly=True, index=True, aggregator=None)

    # === GUARDS === #

    def _refuse_write(self):
        return refusal(
            self.env,
            self.env._("The distribution of lots is written by the transfers themselves and cannot be changed."), RULE,
            self.env._("validate the transfer; correct its done quantity there."), record=self[:1])

    def _audit_chain(self):
        return self.bpr_id.production_id

    # === RECORDING === #

    @api.model
    def _record(self, lines, corrected=False):
        """Record what done move lines distributed and is not recorded yet; the number of queries is that of no line more.

        :param bool corrected: whether lines that were done already were changed, so that what they said before may be
            more than what they say now
        """
        wanted = {}
        for line in lines:
            kind = line._mmr_get_distribution_kind()
            bpr = kind and line.lot_id.sudo().mmr_bpr_id
            if bpr:
                wanted[line.id, line.lot_id.id, kind] = exact(line.quantity_product_uom)
        if not wanted and not corrected:
            return self.browse()
        rows = self.sudo()
        recorded = {
            (line, lot.id, kind): exact(quantity) for line, lot, kind, quantity in rows._read_group(
                [('line_ref', 'in', lines.ids)], ['line_ref', 'lot_id', 'kind'], ['quantity:sum'])}
        lines_by_id = {line.id: line for line in lines.sudo()}
        lots = self.env['stock.lot'].sudo().browse({lot for _line, lot, _kind in (*wanted, *recorded)})
        lots_by_id = {lot.id: lot for lot in lots}
        vals_list = []
        for key in dict.fromkeys((*wanted, *recorded)):
            missing = wanted.get(key, 0) - recorded.get(key, 0)
            if missing:
                line, lot, kind = key
                vals_list.append(rows._prepare_vals(lines_by_id[line], lots_by_id[lot], kind, missing))
        if not vals_list:
            return self.browse()
        # PostgreSQL compares with what is done.
        self.env.flush_all()
        return rows._store(vals_list)

    @api.model
    def _prepare_vals(self, line, lot, kind, quantity):
        picking, move = line.picking_id, line.move_id
        partner = picking.partner_id or move.partner_id
        return {
            'bpr_id': lot.mmr_bpr_id.id, 'company_id': line.company_id.id, 'product_id': lot.product_id.id, 'lot_id': lot.id,
            'lot_name': lot.name, 'kind': kind, 'quantity': float(quantity), 'unit': lot.product_uom_id.name,
            'customer_name': partner.display_name or False, 'transfer_name': picking.name or move.reference or False,
            'origin': picking.origin or move.origin or False, 'date': line.date, 'line_ref': line.id}

    @api.model
    def _record_missing(self, bprs=None):
        """Record shipments of the lots of batches that have no row: those of before the addon kept them.

        :param bprs: batch records to look at; all of them where it is not given
        """
        self.env.flush_all()
        condition = SQL("t.mmr_bpr_id IN %s", bprs._ids or (0,)) if bprs is not None else SQL("t.mmr_bpr_id IS NOT NULL")
        rows = self.env.execute_query(SQL(
            """SELECT l.id FROM stock_lot t JOIN stock_move_line l ON l.lot_id = t.id
                 JOIN stock_location s ON s.id = l.location_id JOIN stock_location d ON d.id = l.location_dest_id
                WHERE %s AND l.state = 'done' AND (d.usage = 'customer') <> (s.usage = 'customer')
                  AND NOT EXISTS (SELECT FROM mrp_bpr_distribution r WHERE r.line_ref = l.id)
                ORDER BY l.date, l.id""", condition))
        return self._record(self.env['stock.move.line'].browse(row[0] for row in rows))
