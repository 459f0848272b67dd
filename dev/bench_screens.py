"""The part of `dev/bench --scale` that measures: what people wait for at a step, in lists, at night and in reviews.

It runs inside a worker process (`bench_worker.py`); everything is rolled back.
"""
import datetime
import time

REPEAT = 5
PAGE, COUNTED = 80, 10_001


def measured(env, function):
    """Return the fastest of some runs, each with nothing in memory, and the queries of one."""
    best = None
    for _run in range(REPEAT):
        env.invalidate_all()
        queries, began = env.cr.sql_log_count, time.perf_counter()
        function()
        env.flush_all()
        elapsed = time.perf_counter() - began
        queries = env.cr.sql_log_count - queries
        best = elapsed if best is None else min(best, elapsed)
        if elapsed > 5:
            break
    return {'seconds': best, 'queries': queries}


def page(env, model, domain, *fields):
    """Read the first page of a list as the web client does, with its count."""
    return env[model].web_search_read(domain, {name: {} for name in fields}, limit=PAGE, count_limit=COUNTED)


def measure(env, last):
    """Measure each screen; the caller rolls back.

    :param int last: number of the last copy (see `bench_scale.py`)
    """
    cr = env.cr
    cr.execute("SELECT b.id FROM mrp_bpr b JOIN mrp_production o ON o.id = b.production_id WHERE o.name = %s",
               [f'MO/SCALE/{last}'])
    bpr = env['mrp.bpr'].browse(cr.fetchone()[0])
    cr.execute("SELECT equipment_id FROM mrp_equipment_log WHERE kind = 'use' GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")
    unit = env['maintenance.equipment'].browse(cr.fetchone()[0])
    cr.execute("SELECT lot_id FROM mrp_bpr_entry WHERE lot_id IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1")
    lot = env['stock.lot'].browse(cr.fetchone()[0])
    mmr, product = bpr.mmr_revision_id.mmr_id, bpr.product_id
    review = env['mrp.quality.review'].create({
        'product_ids': product.ids, 'date_from': '2000-01-01', 'date_to': datetime.date.today()})
    ledger = ('at', 'kind', 'record_name', 'user_name', 'index')
    signed = ('signed_at', 'signer_name', 'meaning', 'record_name')
    trace = env['mrp.lot.trace']
    screens = {
        'equipment status at a step': lambda: unit._mmr_get_status(bpr=bpr),
        'log of a unit, first page': lambda: page(
            env, 'mrp.equipment.log', [('equipment_id', '=', unit.id)], 'ended_at', 'kind', 'user_name'),
        'shop floor, batches': env['mrp.bpr'].get_floor_batches,
        'yield history at a signature': lambda: mmr._get_yield_history(until=bpr),
        'signatures, first page': lambda: page(env, 'mrp.esignature', [], *signed),
        'signatures of a name': lambda: page(env, 'mrp.esignature', [('record_name', 'ilike', f'SCALE/{last}')], *signed),
        'ledger, first page': lambda: page(env, 'mrp.audit.entry', [], *ledger),
        'refused attempts, first page': lambda: page(env, 'mrp.audit.entry', [('kind', '=', 'refused')], *ledger),
        'ledger of a name': lambda: page(env, 'mrp.audit.entry', [('record_name', 'ilike', f'SCALE/{last}')], *ledger),
        'dates of retention, nightly': env['mrp.bpr']._update_retention,
        'trace of a lot in every batch': lambda: list(trace._describe(trace._read_trace(lot, 'forward'))),
        'quality review of every batch': review._get_document,
    }
    facts = {}
    for name, table in (('lines', 'mrp_audit_entry'), ('signatures', 'mrp_esignature'), ('logged', 'mrp_equipment_log'),
                        ('entries', 'mrp_bpr_entry')):
        cr.execute(f"SELECT count(*) FROM {table}")
        facts[name] = cr.fetchone()[0]
    # Once before: what is read once in the life of a process, and dates that the copies have from the batch they are of.
    env['mrp.bpr']._update_retention()
    return {'facts': facts, 'screens': {name: measured(env, function) for name, function in screens.items()}}
