"""Attacks on manufacturing orders and their snapshots."""

from odoo.tools import SQL

from .attack import Attempt, attack
from .helpers import change, changes, delete, execute, newest, released_order, uncovered_order


@attack("Orders", "SQL: change the snapshot of a released order, what it makes or how much",
        "USE-020, USE-030, 21 CFR 111.255(c)",
        'mrp_mmr_snapshot_fixed')
def order_snapshot(drill):
    order = released_order(drill)
    return order and (order, changes(drill, order, (
        'mmr_snapshot', 'mmr_snapshot_sha256', 'mmr_revision_id', 'mmr_controlled', 'product_id', 'product_qty',
        'product_uom_id', 'bom_id', 'company_id')))


@attack("Orders", "SQL: take the snapshot out of a released order, or delete the order", "USE-030, REC-040, 21 CFR 111.605",
        'mrp_mmr_snapshot_fixed|mrp_mmr_production_kept')
def order_delete(drill):
    order = released_order(drill)
    return order and (order, [
        Attempt('NULL', lambda: change(drill, order, 'mmr_snapshot', SQL("NULL"))), delete(drill, order)])


@attack("Orders", "SQL: confirm an order that no master record covers", "USE-010, 21 CFR 111.205(a)",
        'mmr_snapshot_required')
def order_uncovered(drill):
    order = uncovered_order(drill)
    return order and (order, [
        Attempt(state, lambda state=state: change(drill, order, 'state', SQL("%s", state)))
        for state in ('confirmed', 'progress', 'to_close', 'done')])


@attack("Orders", "SQL: give an order a snapshot that was not signed for its size", "USE-010, USE-030, 21 CFR 111.205(a)",
        'mrp_mmr_snapshot_matches')
def order_forged(drill):
    order, released = uncovered_order(drill), released_order(drill)
    return order and released and (order, [execute(drill, 'UPDATE', SQL(
        """UPDATE mrp_production o
              SET state = 'confirmed', mmr_controlled = TRUE, mmr_revision_id = r.mmr_revision_id, mmr_snapshot = jsonb_set(
                      r.mmr_snapshot, '{document_sha256}', '"forged"'), mmr_snapshot_sha256 = r.mmr_snapshot_sha256
             FROM mrp_production r WHERE o.id = %s AND r.id = %s""", order.id, released.id))])


@attack("Orders", "SQL: decide on a running batch without a signature of Quality Control", "REV-060, EU GMP 4.5",
        'mmr_decision_signed')
def order_decision(drill):
    order = newest(drill, 'mrp.production', [('mmr_decision', '!=', False)]) or released_order(drill)
    return order and (order, [
        attempt for decision in ('continue', 'stop') for attempt in (
            Attempt(decision, lambda decision=decision: change(drill, order, 'mmr_decision', SQL("%s", decision))),
            execute(drill, f"{decision}, by the signature of something else", SQL(
                """UPDATE mrp_production SET mmr_decision = %s, mmr_decision_signature_id = (
                       SELECT id FROM mrp_esignature WHERE res_model <> 'mrp.production' ORDER BY id DESC LIMIT 1)
                    WHERE id = %s""", decision, order.id)))])


@attack("Orders", "ORM: change snapshot, digest, product or size of a released order, or delete it",
        "USE-020, USE-030, REC-040, 21 CFR 111.255(c)", 'USE-0[1-4]0|REC-040|MMR-050')
def order_orm(drill):
    order = released_order(drill)
    return order and (order, [
        *(attempt for vals in ({'mmr_snapshot': {'forged': True}}, {'mmr_snapshot_sha256': '0' * 64}, {'mmr_snapshot': False},
                               {'mmr_revision_id': False}, {'product_qty': order.product_qty + 1}, {'state': 'draft'})
          for attempt in drill.everyone(
              lambda env, vals=vals: order.with_env(env).write(dict(vals)), f"writes {next(iter(vals))}")),
        *drill.everyone(lambda env: order.with_env(env).unlink(), "deletes")])


@attack("Orders", "ORM: confirm an order that no master record covers by its status", "USE-010, 21 CFR 111.205(a)",
        'USE-010')
def order_uncovered_orm(drill):
    order = uncovered_order(drill)
    return order and (order, drill.everyone(lambda env: order.with_env(env).write({'state': 'confirmed'})))
