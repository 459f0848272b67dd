"""Where a lot went, and what it was made of: over all batches between, in both directions (REL-050)."""

from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import SQL

from ..domain.numbers import decimal_string

KINDS = [
    ('component', "Component lot"),
    ('batch', "Batch"),
    ('product', "Lot produced"),
    ('receipt', "Receipt"),
    ('delivery', "Delivery"),
    ('return', "Return"),
]


class MrpLotTrace(models.TransientModel):
    """The trace of one lot at the moment it was asked for (21 CFR 111.410(d), 211.130(c), EU GMP 4.28, ISO 13485 7.5.9)."""
    _name = 'mrp.lot.trace'
    _description = "Traceability of a Lot"
    _rec_name = 'lot_id'

    lot_id = fields.Many2one(
        'stock.lot', required=True, readonly=True, default=lambda self: self.env.context.get('active_id'))
    direction = fields.Selection(
        [('forward', "Where it went"), ('backward', "What it was made of")], required=True, readonly=True)
    line_ids = fields.One2many('mrp.lot.trace.line', 'trace_id', "Trace", readonly=True)

    @api.model
    def _make(self, lot, direction):
        """Return the trace of a lot; queries grow with the levels of batches and not with what is found."""
        # Nobody writes traces: they are read from what is there.
        return self.sudo().create({
            'lot_id': lot.id, 'direction': direction,
            'line_ids': [Command.create(row) for row in self._read_trace(lot, direction)]}).with_env(self.env)

    @api.model
    def _read_trace(self, lot, direction):
        """Return the lines of the trace of a lot as values, as the user may see it: in the companies of the user."""
        lot.check_access('read')
        reader = TraceReader(self.env(su=True), self.env.companies.ids)
        return list(reader.forward(lot) if direction == 'forward' else reader.backward(lot))

    @api.model
    def _trace(self, lot, direction):
        """Return the action that shows the trace of a lot."""
        self.check_access('read')
        return self._make(lot, direction)._open()

    def _open(self):
        self.ensure_one()
        return {
            'type': 'ir.actions.act_window', 'res_model': 'mrp.lot.trace.line', 'view_mode': 'list',
            'name': self.env._("%(lot)s: %(direction)s", lot=self.lot_id.name, direction=dict(
                self._fields['direction']._description_selection(self.env))[self.direction]),
            'domain': [('trace_id', '=', self.id)], 'context': {'create': False}}


    @api.model
    def _describe(self, rows):
        """Return lines of a trace in words, for prints and spreadsheets; queries do not grow with them."""
        lines = self.env['mrp.lot.trace.line'].sudo()
        kinds = dict(lines._fields['kind']._description_selection(self.env))
        statuses = dict(self.env['stock.lot']._fields['mmr_status']._description_selection(self.env))
        found = {}
        for name, shown in (
                ('product_id', 'product_tmpl_id'), ('lot_id', 'mmr_status'), ('production_id', 'name'), ('bpr_id', 'name'),
                ('picking_id', 'name'), ('partner_id', 'name'), ('uom_id', 'name')):
            records = self.env[lines._fields[name].comodel_name].sudo().browse({row[name] for row in rows if row.get(name)})
            # All at once: what is read when it is needed is read by the thousand.
            records.fetch([shown])
            found[name] = {record.id: record for record in records}
            found[name][None] = found[name][False] = records.browse()
        for row in rows:
            record = {name: records[row.get(name)] for name, records in found.items()}
            yield {
                'level': row['level'], 'kind': kinds[row['kind']], 'product': record['product_id'].display_name,
                'lot': row.get('lot_name') or None, 'status': statuses.get(record['lot_id'].mmr_status),
                'record': record['picking_id'].name or record['bpr_id'].name or record['production_id'].name,
                'partner': record['partner_id'].display_name, 'quantity': decimal_string(row['quantity']),
                'unit': record['uom_id'].name, 'date': row.get('date')}


class MrpLotTraceLine(models.TransientModel):
    _name = 'mrp.lot.trace.line'
    _description = "Line of the Traceability of a Lot"
    _order = 'level, id'

    trace_id = fields.Many2one('mrp.lot.trace', required=True, readonly=True, ondelete='cascade', index=True)
    level = fields.Integer(readonly=True, aggregator=None, help="Number of batches between this item and the lot.")
    kind = fields.Selection(KINDS, required=True, readonly=True)
    product_id = fields.Many2one('product.product', readonly=True)
    lot_id = fields.Many2one('stock.lot', readonly=True)
    lot_name = fields.Char("Lot Number", readonly=True)
    status = fields.Selection(related='lot_id.mmr_status', string="GMP Status")
    production_id = fields.Many2one('mrp.production', "Order", readonly=True)
    bpr_id = fields.Many2one('mrp.bpr', "Batch Record", readonly=True)
    picking_id = fields.Many2one('stock.picking', "Transfer", readonly=True)
    partner_id = fields.Many2one('res.partner', "Customer or Supplier", readonly=True)
    quantity = fields.Float(digits='Product Unit', readonly=True, aggregator=None)
    uom_id = fields.Many2one('uom.uom', "Unit", readonly=True)
    date = fields.Datetime(readonly=True)

    def action_open(self):
        """Open what this line is about: the batch record, the transfer or the lot."""
        self.ensure_one()
        record = self.bpr_id or self.production_id if self.kind == 'batch' else self.picking_id or self.lot_id
        record.check_access('read')
        return {'type': 'ir.actions.act_window', 'res_model': record._name, 'res_id': record.id, 'view_mode': 'form'}


class TraceReader:
    """Follows lots through done stock moves and batch records, level by level, each lot once."""

    def __init__(self, env, companies):
        self.env, self.companies = env, tuple(companies)
        self.bprs = {}      # batch record by order, of those that were met

    def forward(self, lot):
        """Yield where a lot went: batches, the lots that they made, deliveries and returns of all of them."""
        level, lots, seen = 0, lot, lot
        yield from self._transfers(lot, 0, ('delivery', 'return'))
        while lots:
            level += 1
            used = self._read_consumption(lots=lots)
            orders = self.env['mrp.production'].browse(dict.fromkeys(row[0] for row in used))
            yield from self._batches(orders, level)
            made = self._read_production(orders=orders)
            lots = self.env['stock.lot'].browse(dict.fromkeys(row[1] for row in made)) - seen
            seen |= lots
            yield from self._lots([row for row in made if row[1] in lots.ids], level, 'product')
            yield from self._transfers(lots, level, ('delivery', 'return'))

    def backward(self, lot):
        """Yield what a lot was made of: its batch, its component lots, theirs, and where they came from."""
        level, lots, seen = 0, lot, lot
        yield from self._transfers(lot, 0, ('delivery', 'return', 'receipt'))
        while lots:
            level += 1
            orders = self.env['mrp.production'].browse(dict.fromkeys(
                row[0] for row in self._read_production(lots=lots)))
            yield from self._batches(orders, level)
            used = self._read_consumption(orders=orders)
            yield from self._lots(used, level, 'component')
            lots = self.env['stock.lot'].browse(dict.fromkeys(row[1] for row in used if row[1])) - seen
            seen |= lots
            yield from self._transfers(lots, level, ('receipt',))

    # === ROWS === #

    def _batches(self, orders, level):
        if not orders:
            return
        self.env.flush_all()
        # As ``qty_produced`` and ``lot_producing_ids`` of an order, of all of them at once.
        for order, product, bpr, quantity, uom, date, lots in self.env.execute_query(SQL(
                """SELECT o.id, o.product_id, b.id, COALESCE(m.quantity, 0), o.product_uom_id,
                          COALESCE(o.date_finished, o.date_start), COALESCE(l.names, '')
                     FROM mrp_production o LEFT JOIN mrp_bpr b ON b.production_id = o.id
                     LEFT JOIN LATERAL (
                        SELECT sum(m.quantity) AS quantity FROM stock_move m JOIN stock_location d ON d.id = m.location_dest_id
                         WHERE m.production_id = o.id AND m.product_id = o.product_id AND m.state <> 'cancel' AND m.picked
                           AND d.usage <> 'inventory') m ON TRUE
                     LEFT JOIN LATERAL (
                        SELECT string_agg(k.name, ', ' ORDER BY k.name, k.id) AS names
                          FROM mrp_production_stock_lot_rel r JOIN stock_lot k ON k.id = r.stock_lot_id
                         WHERE r.mrp_production_id = o.id) l ON TRUE
                    WHERE o.id IN %s ORDER BY o.id""", orders._ids)):
            self.bprs[order] = bpr or False
            yield {
                'level': level, 'kind': 'batch', 'product_id': product, 'production_id': order, 'bpr_id': bpr or False,
                'quantity': quantity, 'uom_id': uom, 'date': date, 'lot_name': lots}

    def _lots(self, rows, level, kind):
        for order, lot, name, product, quantity in sorted(rows, key=lambda row: (row[0], row[3], row[1] or 0, row[2] or '')):
            product = self.env['product.product'].browse(product)
            yield {
                'level': level, 'kind': kind, 'product_id': product.id, 'lot_id': lot, 'lot_name': name,
                'production_id': order, 'bpr_id': self.bprs[order],
                'quantity': quantity, 'uom_id': product.uom_id.id}

    def _transfers(self, lots, level, kinds):
        if not lots:
            return
        rows = self.env.execute_query(SQL(
            """SELECT CASE WHEN d.usage = 'customer' THEN 'delivery' WHEN s.usage = 'customer' THEN 'return'
                           ELSE 'receipt' END AS kind,
                      ml.lot_id, ml.product_id, ml.picking_id, COALESCE(p.partner_id, m.partner_id),
                      sum(ml.quantity_product_uom), max(ml.date), max(k.name), max(t.uom_id)
                 FROM stock_move_line ml
                 JOIN stock_move m ON m.id = ml.move_id
                 JOIN stock_location s ON s.id = ml.location_id
                 JOIN stock_location d ON d.id = ml.location_dest_id
                 JOIN stock_lot k ON k.id = ml.lot_id
                 JOIN product_product v ON v.id = k.product_id
                 JOIN product_template t ON t.id = v.product_tmpl_id
                 LEFT JOIN stock_picking p ON p.id = ml.picking_id
                WHERE ml.state = 'done' AND ml.lot_id IN %s AND ml.company_id IN %s
                  AND (d.usage = 'customer') <> (s.usage = 'customer') OR ml.state = 'done' AND ml.lot_id IN %s
                  AND ml.company_id IN %s AND s.usage = 'supplier' AND d.usage <> 'customer'
                GROUP BY 1, 2, 3, 4, 5 ORDER BY max(ml.date), ml.lot_id, ml.picking_id""",
            lots._ids, self.companies, lots._ids, self.companies))
        for kind, lot, product, picking, partner, quantity, date, name, uom in rows:
            if kind in kinds:
                yield {
                    'level': level, 'kind': kind, 'product_id': product, 'lot_id': lot, 'lot_name': name,
                    'picking_id': picking, 'partner_id': partner, 'quantity': quantity, 'uom_id': uom, 'date': date}

    # === STOCK AND RECORDS === #

    def _read_consumption(self, lots=None, orders=None):
        """Return order, lot, its number, product and quantity of what batches consumed.

        What was weighed into a batch that is not completed is read from its record, and so are lots of products without
        tracking, which have a number and no lot.
        """
        if not (lots if lots is not None else orders):
            return []
        booked, weighed = (
            (SQL("ml.lot_id IN %s", lots._ids), SQL("e.lot_id IN %s", lots._ids)) if lots is not None else
            (SQL("m.raw_material_production_id IN %s", orders._ids), SQL("b.production_id IN %s", orders._ids)))
        return self.env.execute_query(SQL(
            """SELECT m.raw_material_production_id, ml.lot_id, l.name, ml.product_id, sum(ml.quantity_product_uom)
                 FROM stock_move_line ml
                 JOIN stock_move m ON m.id = ml.move_id
                 JOIN stock_lot l ON l.id = ml.lot_id
                WHERE ml.state = 'done' AND m.raw_material_production_id IS NOT NULL AND m.company_id IN %(companies)s
                  AND %(booked)s
                GROUP BY 1, 2, 3, 4
                UNION ALL
               SELECT b.production_id, e.lot_id, e.lot_name, (e.data ->> 'product')::integer,
                      sum((e.data ->> 'quantity')::numeric)::float
                 FROM mrp_bpr_entry e
                 JOIN mrp_bpr b ON b.id = e.bpr_id
                 JOIN mrp_production o ON o.id = b.production_id
                WHERE e.kind = 'weight' AND b.company_id IN %(companies)s AND b.state <> 'cancel' AND %(weighed)s
                  AND (e.lot_id IS NULL OR o.state <> 'done')
                  AND NOT EXISTS (SELECT FROM mrp_bpr_entry f WHERE f.supersedes_id = e.id)
                GROUP BY 1, 2, 3, 4""", companies=self.companies, booked=booked, weighed=weighed))

    def _read_production(self, lots=None, orders=None):
        """Return order, lot, its number, product and quantity of what batches made."""
        if not (lots if lots is not None else orders):
            return []
        condition = SQL("ml.lot_id IN %s", lots._ids) if lots is not None else SQL("m.production_id IN %s", orders._ids)
        return self.env.execute_query(SQL(
            """SELECT m.production_id, ml.lot_id, l.name, ml.product_id, sum(ml.quantity_product_uom)
                 FROM stock_move_line ml
                 JOIN stock_move m ON m.id = ml.move_id
                 JOIN stock_lot l ON l.id = ml.lot_id
                WHERE ml.state = 'done' AND m.production_id IS NOT NULL AND m.company_id IN %s AND %s
                GROUP BY 1, 2, 3, 4""", self.companies, condition))
