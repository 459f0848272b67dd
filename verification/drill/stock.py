"""Attacks on stock: what batches used and made, what is on stock, and lots that deviations hold."""

from odoo.tools import SQL

from .attack import Attempt, Skipped, attack
from .helpers import change, changes, delete, insert_copy, newest


def judge_at_once(drill):
    """Let PostgreSQL judge with each statement what it would judge at the end of the transaction; what waits, now."""
    drill.cr.execute("SET CONSTRAINTS ALL IMMEDIATE", log_exceptions=False)


def now(drill, statement):
    """Execute a statement that is judged at once."""
    judge_at_once(drill)
    drill.cr.execute(statement, log_exceptions=False)
    if not drill.cr.rowcount:
        raise Skipped()


def find_done(drill, model, *domain):
    """Return the newest done move, or line of one, of a batch."""
    batch = '|', ('raw_material_production_id.bpr_ids', '!=', False), ('production_id.bpr_ids', '!=', False)
    if model == 'stock.move.line':
        batch = '|', ('move_id.raw_material_production_id.bpr_ids', '!=', False), ('move_id.production_id.bpr_ids', '!=', False)
    return newest(drill, model, [('state', '=', 'done'), *batch, *domain])


@attack("Stock", "SQL: redirect or date a done move of a batch, or add one", "STK-040, REL-050, 21 CFR 211.188",
        r'mrp_mmr_move_(fixed|of_record)|mrp_mmr_line_fixed|_fkey')
def stock_move_update(drill):
    move = find_done(drill, 'stock.move')
    running = newest(drill, 'stock.move', [
        ('state', 'not in', ('done', 'cancel')), ('raw_material_production_id.bpr_ids.state', '=', 'progress')])
    return move and (move, [
        *changes(drill, move, ('location_id', 'location_dest_id')),
        *([Attempt('INSERT', lambda: insert_copy(drill, running, state=SQL("'done'")))] if running else [])])


@attack("Stock", "SQL: redirect, add or delete a done line of a batch", "STK-040, REL-050, 21 CFR 211.188",
        r'mrp_mmr_line_fixed|mrp_mmr_move_line_\w+')
def stock_move_line_update(drill):
    line = find_done(drill, 'stock.move.line')
    released = newest(drill, 'stock.move.line', [
        ('state', '=', 'done'), ('move_id.raw_material_production_id.bpr_ids.release_state', '=', 'released')])
    return line and (line, [
        *changes(drill, line, ('location_id', 'location_dest_id')), delete(drill, line),
        *([Attempt('INSERT', lambda: insert_copy(drill, released))] if released else [])])


@attack("Stock", "SQL: take more of a lot than is there", "STK-010, STK-020, 21 CFR 211.184(c)", 'mrp_mmr_quant_not_negative')
def stock_quant_update(drill):
    quant = newest(drill, 'stock.quant', [('lot_id.mmr_status', '!=', False), ('location_id.usage', '=', 'internal')])
    below = SQL(
        """(SELECT -1 - sum(o.quantity) FROM stock_quant o JOIN stock_quant q USING (product_id, lot_id, location_id)
             WHERE q.id = %s AND o.quantity > 0)""", quant.id)

    def insert():
        judge_at_once(drill)
        insert_copy(drill, quant, quantity=below, reserved_quantity=SQL("0"))

    def remove():
        judge_at_once(drill)
        # Half of it is taken by another row first, which the rest still covers.
        insert_copy(drill, quant, quantity=SQL("-quantity / 2"), reserved_quantity=SQL("0"))
        now(drill, SQL("DELETE FROM stock_quant WHERE id = %s", quant.id))

    return quant and (quant, [
        Attempt('quantity', lambda: now(drill, SQL("UPDATE stock_quant SET quantity = %s WHERE id = %s", below, quant.id))),
        Attempt('INSERT', insert), Attempt('DELETE', remove)])


@attack("Stock", "SQL: cancel a running batch without a signature", "BPR-200, 21 CFR 111.260", 'mrp_mmr_bpr_cancel_signed')
def mrp_bpr_cancel(drill):
    bpr = newest(drill, 'mrp.bpr', [('state', '=', 'progress'), ('release_state', '!=', 'rejected')])
    return bpr and (bpr, [Attempt('state', lambda: change(drill, bpr, 'state', SQL("'cancel'")))])


@attack("Stock", "SQL: raise a deviation whose lots are free", "DEV-100, 21 CFR 111.113, 211.192", r'mrp_mmr_\w*lots_held')
def mrp_deviation_holds(drill):
    deviation = newest(drill, 'mrp.deviation', [
        ('state', '=', 'open'), ('severity', '=', 'minor'), ('lot_id.mmr_status', '=', 'released')])
    return deviation and (deviation, [Attempt('severity', lambda: now(drill, SQL(
        "UPDATE mrp_deviation SET severity = 'critical' WHERE id = %s", deviation.id)))])


@attack("Stock", "SQL: relate a batch whose lots are free to a grave deviation", "DEV-100, DEV-070, 21 CFR 111.113, 211.192",
        r'mrp_mmr_\w*lots_held')
def mrp_deviation_batch_holds(drill):
    row = newest(drill, 'mrp.deviation.batch', [
        ('deviation_id.state', '!=', 'closed'), ('deviation_id.severity', 'in', ('major', 'critical'))])
    lot = row and newest(drill, 'stock.lot', [
        ('mmr_status', '=', 'released'), ('mmr_bpr_id', 'not in', [False, row.bpr_id.id, row.deviation_id.bpr_id.id])])

    def relate():
        judge_at_once(drill)
        insert_copy(drill, row, bpr_id=SQL("%s", lot.mmr_bpr_id.id), assessment=SQL("NULL"))

    return lot and (row, [Attempt('INSERT', relate)])


@attack("Stock", "SQL: give a company a time zone that nobody knows", "DAY-010, 21 CFR 111.260", 'mrp_mmr_company_tz')
def res_company_zone(drill):
    company = drill.env['res.company'].browse(drill.company_id)
    return company and (company, [Attempt('mmr_tz', lambda: change(drill, company, 'mmr_tz', SQL("'Nowhere/Atlantis'")))])
