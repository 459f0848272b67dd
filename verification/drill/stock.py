"""Attacks on stock: what batches used and made, what is on stock, and lots that deviations hold."""

from odoo.tools import SQL

from ...domain.lots import ON_HOLD
from .attack import Attempt, Skipped, attack
from .helpers import change, changes, delete, forge_signature, get_columns, insert_copy, newest


def judge_at_once(drill):
    """Let PostgreSQL judge with each statement what it would judge at the end of the transaction; what waits, now."""
    drill.cr.execute("SET CONSTRAINTS ALL IMMEDIATE", log_exceptions=False)


def judge_waiting(drill):
    """Let PostgreSQL judge what waits for the end of the transaction; what comes waits again."""
    judge_at_once(drill)
    drill.cr.execute("SET CONSTRAINTS ALL DEFERRED", log_exceptions=False)


def now(drill, statement):
    """Execute a statement that is judged at once."""
    judge_at_once(drill)
    drill.cr.execute(statement, log_exceptions=False)
    if not drill.cr.rowcount:
        raise Skipped()


def at_end(drill, statement):
    """Execute a statement and judge then all that PostgreSQL would judge at the end of the transaction."""
    drill.cr.execute(statement, log_exceptions=False)
    if not drill.cr.rowcount:
        raise Skipped()
    judge_at_once(drill)


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


def decided_quant(drill, *domain):
    """Return goods of a lot that Quality Control decides on, inside the warehouse."""
    return newest(drill, 'stock.quant', [
        ('lot_id.mmr_status', '!=', False), ('location_id.usage', '=', 'internal'), ('quantity', '>', 0), *domain])


def carry(drill, quant, quantity):
    """Insert the done line by which some of a lot goes to another place of the warehouse, and what arrives there."""
    line = newest(drill, 'stock.move.line', [('state', '=', 'done'), ('lot_id', '=', quant.lot_id.id)])
    # Every warehouse has some that it does not use.
    place = drill.env['stock.location'].with_context(active_test=False).search([
        ('usage', '=', 'internal'), ('id', '!=', quant.location_id.id), ('company_id', '=', quant.company_id.id)], limit=1)
    if not line or not place:
        raise Skipped()
    insert_copy(
        drill, line, location_id=SQL("%s", quant.location_id.id), location_dest_id=SQL("%s", place.id), quantity=quantity,
        quantity_product_uom=quantity, move_id=SQL("NULL"), picking_id=SQL("NULL"),
        package_id=SQL("%s", quant.package_id.id or None), result_package_id=SQL("NULL"),
        owner_id=SQL("%s", quant.owner_id.id or None))
    insert_copy(drill, quant, location_id=SQL("%s", place.id), package_id=SQL("NULL"), quantity=quantity,
                reserved_quantity=SQL("0"))


@attack("Stock", "SQL: take more of a lot than is there", "STK-010, STK-020, 21 CFR 211.184(c)", 'mrp_mmr_quant_not_negative')
def stock_quant_update(drill):
    quant = decided_quant(drill)
    there = SQL("(SELECT sum(o.quantity) FROM stock_quant o JOIN stock_quant q USING (product_id, lot_id, location_id)"
                " WHERE q.id = %s AND o.quantity > 0)", quant.id)
    more = SQL("(1 + %s)", there)
    judge = SQL("UPDATE stock_quant SET quantity = quantity WHERE id = %s", quant.id)

    def update():
        judge_waiting(drill)
        carry(drill, quant, more)
        at_end(drill, SQL("UPDATE stock_quant SET quantity = quantity - %s WHERE id = %s", more, quant.id))

    def insert():
        judge_waiting(drill)
        carry(drill, quant, more)
        insert_copy(drill, quant, quantity=SQL("-%s", more), reserved_quantity=SQL("0"))
        at_end(drill, judge)

    def remove():
        judge_waiting(drill)
        # Half of it is taken by another row first, which the rest still covers.
        carry(drill, quant, SQL("(SELECT 1.5 * q.quantity FROM stock_quant q WHERE q.id = %s)", quant.id))
        insert_copy(drill, quant, quantity=SQL("-quantity / 2"), reserved_quantity=SQL("0"))
        at_end(drill, SQL("DELETE FROM stock_quant WHERE id = %s", quant.id))

    return quant and (quant, [Attempt('quantity', update), Attempt('INSERT', insert), Attempt('DELETE', remove)])


@attack("Stock", "SQL: write what is on stock, without a move", "REL-070, STK-040, 21 CFR 211.184", 'mrp_mmr_stock_moved')
def stock_quant_write(drill):
    quant = decided_quant(drill)
    table, key = SQL.identifier('stock_quant'), quant.id

    def insert():
        insert_copy(drill, quant, quantity=SQL("5"), reserved_quantity=SQL("0"))
        drill.cr.execute("SET CONSTRAINTS ALL IMMEDIATE", log_exceptions=False)

    return quant and (quant, [
        Attempt('quantity', lambda: now(drill, SQL("UPDATE %s SET quantity = quantity * 2 WHERE id = %s", table, key))),
        Attempt('INSERT', insert), Attempt('DELETE', lambda: now(drill, SQL("DELETE FROM %s WHERE id = %s", table, key)))])


@attack("Stock", "SQL: give goods another status than that of their lot", "REL-070, USE-060", 'mrp_mmr_quant_status')
def stock_quant_status(drill):
    quant = decided_quant(drill)
    other = SQL("CASE mmr_lot_status WHEN 'rejected' THEN 'released' ELSE 'rejected' END")

    def insert():
        insert_copy(drill, quant, quantity=SQL("0"), reserved_quantity=SQL("0"), mmr_lot_status=other)
        drill.cr.execute("SET CONSTRAINTS ALL IMMEDIATE", log_exceptions=False)

    return quant and (quant, [
        Attempt('mmr_lot_status', lambda: now(drill, SQL(
            "UPDATE stock_quant SET mmr_lot_status = %s WHERE id = %s", other, quant.id))), Attempt('INSERT', insert)])


@attack("Stock", "SQL: add, change or delete a done line, without its stock", "REL-070, STK-040, 21 CFR 211.184",
        r'mrp_mmr_stock_moved|mrp_mmr_move_line_(returned|surplus)')
def stock_move_line_write(drill):
    line = newest(drill, 'stock.move.line', [
        ('state', '=', 'done'), ('lot_id.mmr_status', '!=', False), ('location_dest_id.usage', '=', 'internal'),
        ('move_id.raw_material_production_id', '=', False), ('move_id.production_id', '=', False)])

    def insert():
        insert_copy(drill, line, move_id=SQL("NULL"), picking_id=SQL("NULL"))
        drill.cr.execute("SET CONSTRAINTS ALL IMMEDIATE", log_exceptions=False)

    return line and (line, [
        Attempt('quantity', lambda: now(drill, SQL(
            "UPDATE stock_move_line SET quantity_product_uom = quantity_product_uom * 2 WHERE id = %s", line.id))),
        Attempt('INSERT', insert),
        Attempt('DELETE', lambda: now(drill, SQL("DELETE FROM stock_move_line WHERE id = %s", line.id)))])


@attack("Stock", "SQL: correct a delivery to less, or delete it, while its lot is released", "DEV-100, 21 CFR 111.503, 211.204",
        'mrp_mmr_move_line_returned')
def stock_move_line_taken_back(drill):
    line = newest(drill, 'stock.move.line', [
        ('state', '=', 'done'), ('lot_id.mmr_status', '=', 'released'), ('location_dest_id.usage', '=', 'customer'),
        ('quantity', '>', 0)])
    return line and (line, [
        Attempt('quantity', lambda: change(drill, line, 'quantity_product_uom', SQL("quantity_product_uom / 2"))),
        delete(drill, line)])


@attack("Stock", "SQL: count more of a lot than its batch made", "REL-070, STK-020, 21 CFR 211.188(b)(4)",
        'mrp_mmr_move_line_surplus')
def stock_move_line_surplus(drill):
    line = newest(drill, 'stock.move.line', [
        ('state', '=', 'done'), ('lot_id.mmr_bpr_id', '!=', False), ('lot_id.mmr_status', '=', 'quarantine'),
        ('location_dest_id.usage', '=', 'internal')])
    loss = newest(drill, 'stock.location', [('usage', '=', 'inventory')])
    return line and loss and (line, [Attempt('INSERT', lambda: insert_copy(
        drill, line, location_id=SQL("%s", loss.id), move_id=SQL("NULL"), picking_id=SQL("NULL")))])


@attack("Stock", "SQL: even out what guards noted of stock", "REL-070, STK-040", 'mrp_mmr_stock_moved')
def mrp_mmr_stock_change_write(drill):
    quant = decided_quant(drill)
    return quant and (quant, [Attempt('INSERT', lambda: now(drill, SQL(
        """INSERT INTO mrp_mmr_stock_change (transaction, product_id, lot_id, location_id, quantity)
           VALUES (pg_current_xact_id()::text, %s, %s, %s, 0)""",
        quant.product_id.id, quant.lot_id.id, quant.location_id.id)))])


@attack("Stock", "SQL: turn a place with held goods into another one", "REL-070, REL-010", 'mrp_mmr_location_holds')
def stock_location_update(drill):
    quant = decided_quant(drill, ('mmr_lot_status', 'in', ON_HOLD))
    return quant and (quant.location_id, [
        Attempt('usage', lambda: change(drill, quant.location_id, 'usage', SQL("'customer'")))])


@attack("Stock", "SQL: end the tracking of a product that has batches", "REL-070, REL-010, 21 CFR 111.410(d)",
        'mrp_mmr_product_tracking')
def product_template_update(drill):
    product = newest(drill, 'mrp.bpr', [('product_id.tracking', '!=', 'none')]).product_id.product_tmpl_id
    return product and (product, [
        Attempt('tracking', lambda: change(drill, product, 'tracking', SQL("'none'"))),
        Attempt('type', lambda: change(drill, product, 'type', SQL("'service'")))])


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


@attack("Signatures", "SQL: end the set-up of a company", "SEC-070, 21 CFR 11.10(d), (g)", 'mrp_mmr_company_setup')
def res_company_setup(drill):
    company = drill.env['res.company'].browse(drill.company_id)
    return company and (company, [Attempt('mmr_setup_closed_at', lambda: change(
        drill, company, 'mmr_setup_closed_at', SQL("now() AT TIME ZONE 'UTC'")))])


@attack("Signatures", "SQL: let the persons of a company sign with PINs, or no more", "SIG-130, AUD-090, 21 CFR 11.10(k)",
        'mrp_mmr_company_pin')
def res_company_pin(drill):
    company = drill.env['res.company'].browse(drill.company_id)

    def switch():
        judge_at_once(drill)
        change(drill, company, 'mmr_pin', SQL("mmr_pin IS NOT TRUE"))

    return company and (company, [Attempt('mmr_pin', switch)])


@attack("Signatures", "SQL: make a continuous session that nobody began, another one of it, or end one unseen",
        "SIG-130, 21 CFR 11.200(a)(1)(i)-(ii)", 'mrp_mmr_signer_session(_said)?')
def mrp_signer_session(drill):
    session = newest(drill, 'mrp.signer.session', [])
    if not session:
        return None

    def end():
        judge_at_once(drill)
        drill.cr.execute(SQL("DELETE FROM mrp_signer_session WHERE id = %s", session.id), log_exceptions=False)

    # That wrong entries are counted is no attack.
    names = [name for name in get_columns(session) if name != 'failures']
    return f"{session._name},{session.id}", [
        *changes(drill, session, names), Attempt('DELETE', end),
        Attempt('INSERT', lambda: insert_copy(drill, session, token=SQL("%s", "forged"), terminal_id=SQL("NULL")))]


@attack("Signatures", "SQL: verify the correction of an own entry", "VER-010, VER-100, 21 CFR 111.260(j)",
        'mrp_mmr_entry_second_person')
def mrp_esignature_verified(drill):
    entry, signature = newest(drill, 'mrp.bpr.entry', []), newest(drill, 'mrp.esignature', [('comment', '=', False)])
    return entry and signature and (entry, [Attempt('INSERT', lambda: forge_signature(
        drill, signature, entry.user_id.id, res_model=SQL("'mrp.bpr.entry'"), res_id=SQL("%s", entry.id),
        content=SQL("%s::jsonb", '{"point": "verified"}')))])
