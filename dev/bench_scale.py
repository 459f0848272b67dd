"""`dev/bench --scale`: what people wait for in a database of many batches, against one of few (PRF-010).

A database with demonstration data is copied, and a released batch of it as often as it is asked for: the order with its
moves, lots, batch record, steps, entries, results, signatures, lines of equipment logs and lines of the ledger, each copy
under a name of its own and somewhat later than the one before. References between these rows lead to the copies. The full
cleanings of the equipment are older than all uses, so that the logs since then are long.

The rows are made by SQL with the guards off, as nobody could work through so many batches. **The copies do not verify**:
digests of chains and signatures are those of the batch that was copied. Documents of more than some kB are left out, as no
screen reads them. The speed of verification is measured in a ledger that does verify, by `dev/bench` itself.
"""
import json
import time
from pathlib import Path

from common import MODULE, Step, addon_digest, digest, say
from environment import prepare
from testing import core_template

#: Each of them has some 580 lines in the ledger: 3,000 are as much as 13,000 of 130 lines.
SIZES = (300, 3000)
#: Minutes from one copy to the next: ten years of 100,000 batches.
APART = 52
#: Rows of one batch, by table: those of the batch %(bpr)s, its order %(order)s and what comes before in this list.
ROWS = {
    'mrp_production': "t.id = %(order)s",
    'mrp_workorder': "t.production_id = %(order)s",
    'stock_move': "t.raw_material_production_id = %(order)s OR t.production_id = %(order)s",
    'stock_lot': "t.mmr_bpr_id = %(bpr)s",
    'stock_move_line': "t.move_id IN (SELECT old FROM bench_map WHERE source = 'stock_move')",
    'mrp_bpr': "t.id = %(bpr)s",
    'mrp_bpr_step': "t.bpr_id = %(bpr)s",
    'mrp_bpr_entry': "t.bpr_id = %(bpr)s",
    'mrp_bpr_result': "t.bpr_id = %(bpr)s",
    'mrp_bpr_sample': "t.bpr_id = %(bpr)s",
    'mrp_bpr_distribution': "t.bpr_id = %(bpr)s",
    'mrp_equipment_log': "t.bpr_id = %(bpr)s",
    'mrp_esignature': "(replace(t.res_model, '.', '_'), t.res_id) IN (SELECT source, old FROM bench_map)",
    'mrp_audit_chain': "t.res_model = 'mrp.production' AND t.res_id = %(order)s",
    'mrp_audit_entry': "t.chain_id IN (SELECT old FROM bench_map WHERE source = 'mrp_audit_chain')",
}
NAMES = ('name', 'record_name', 'lot_name', 'reference', 'origin')
#: Columns that would have to be unique, and are left empty.
EMPTY = {'mrp_esignature': ('key_number',)}
#: Steps of time that a copy is later: what was not yet is in the past, what is due stays due.
KEPT_TIMES = {'create_date', 'write_date', 'removal_date', 'use_date', 'alert_date', 'expiration_date'}


class Copies:
    """Copies of one batch in a database of its own."""

    def __init__(self, env, database, most):
        self.env, self.database, self.most, self.made = env, database, most, 0

    def sql(self, query):
        return self.env.sql(query, self.database)

    def choose(self):
        """Note the rows of the released batch with most entries, each with its place among them."""
        bpr, order, name = self.sql("""
            SELECT b.id, b.production_id, o.name FROM mrp_bpr b JOIN mrp_production o ON o.id = b.production_id
              JOIN mrp_bpr_entry e ON e.bpr_id = b.id
             WHERE b.release_state = 'released' GROUP BY 1, 2, 3 ORDER BY count(*) DESC, b.id LIMIT 1""")[0]
        self.order_name = name
        self.sql("CREATE TABLE bench_map (source varchar, old integer, base integer, count integer, place integer)")
        for table, condition in ROWS.items():
            self.sql(f"""
                INSERT INTO bench_map SELECT '{table}', t.id, (SELECT max(id) FROM {table}), count(*) OVER (),
                       row_number() OVER (ORDER BY t.id) FROM {table} t
                 WHERE {condition % {'bpr': bpr, 'order': order}}""")
        self.sql("CREATE INDEX ON bench_map (source, old); ANALYZE bench_map")
        self.links = {(table, column): target for table, column, target in self.sql("""
            SELECT k.conrelid::regclass, a.attname, k.confrelid::regclass FROM pg_constraint k
              JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
             WHERE k.contype = 'f' AND cardinality(k.conkey) = 1""")}
        # Everything but uses was before the first copy; a calibration stays good.
        self.sql("SET session_replication_role = replica; UPDATE mrp_equipment_log SET ended_at = ended_at - interval "
                 "'20 years', started_at = NULL WHERE kind <> 'use'")

    def grow(self, wanted, step):
        """Let there be ``wanted`` copies."""
        for table in ROWS:
            step.detail = table
            self.sql(f"SET session_replication_role = replica; {self._insert(table, wanted)}; SELECT setval('{table}_id_seq', "
                     f"(SELECT max(id) FROM {table})); ANALYZE {table}")
        self.made = wanted

    def _insert(self, table, wanted):
        columns = self.sql(f"""SELECT column_name, data_type FROM information_schema.columns
                                WHERE table_name = '{table}' AND table_schema = 'public' AND is_generated = 'NEVER'""")
        values, joins = [], []
        for column, kind in columns:
            target = 'own' if column == 'id' else self.links.get((table, column))
            if column == 'res_id':
                target = "replace(t.res_model, '.', '_')"
            elif target in ROWS:
                target = f"'{target}'"
            elif target != 'own':
                values.append(self._value(table, column, kind))
                continue
            if target == 'own':
                values.append('m.base + n.k * m.count + m.place')
            else:
                alias = f'f{len(joins)}'
                joins.append(f'LEFT JOIN bench_map {alias} ON {alias}.source = {target} AND {alias}.old = t.{column}')
                values.append(f'COALESCE({alias}.base + n.k * {alias}.count + {alias}.place, t.{column})')
        names = ', '.join(f'"{column}"' for column, _kind in columns)
        return (f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} "
                f"FROM {table} t JOIN bench_map m ON m.source = '{table}' AND m.old = t.id {' '.join(joins)} "
                f"CROSS JOIN generate_series({self.made}, {wanted - 1}) n(k) ORDER BY n.k, m.place")

    def _value(self, table, column, kind):
        field = f't."{column}"'
        if column in EMPTY.get(table, ()):
            return 'NULL'
        if table == 'stock_lot' and column == 'name':
            return f"{field} || '/' || n.k"
        if column in NAMES and kind == 'character varying':
            return f"replace({field}, '{self.order_name}', 'MO/SCALE/' || n.k)"
        if kind.startswith('timestamp') and column not in KEPT_TIMES:
            return f"{field} - make_interval(mins => {APART} * ({self.most} - n.k))"
        if kind in ('json', 'jsonb'):
            return f"CASE WHEN pg_column_size({field}) < 4000 THEN {field} ELSE '{{}}' END"
        return field


# === COMMAND === #

def show(sizes, figures):
    few, many = sizes[0], sizes[-1]
    facts = figures[many]['facts']
    say(f'\nBatches copied: {", ".join(f"{size:,}" for size in sizes)}; the last with {facts["lines"]:,} lines of the ledger, '
        f'{facts["signatures"]:,} signatures, {facts["logged"]:,} lines of equipment logs, {facts["entries"]:,} entries')
    widths = (44, *(26 for _size in sizes), 12)
    rows = [('', *(f'{size:,} batches' for size in sizes), 'many ÷ few')]
    for name in figures[few]['screens']:
        cells = [figures[size]['screens'][name] for size in sizes]
        rows.append((name, *(f'{cell["seconds"] * 1000:.1f} ms, {cell["queries"]} queries' for cell in cells),
                     f'{cells[-1]["seconds"] / cells[0]["seconds"]:.2f}'))
    for row in rows:
        say('  '.join(text.ljust(width) if place == 0 else text.rjust(width)
                      for place, (text, width) in enumerate(zip(row, widths, strict=True))).rstrip())


def demo_template(env):
    """Return the name of a database with demonstration data, built again when the addon's files change."""
    with env.lock:
        core = core_template(env, True)
        name = f'demo_{digest(core, addon_digest())[:12]}'
        if name not in env.databases():
            env.create_database(name, [MODULE], demo=True, template=core,
                                title='Installing the addon with demonstration data (some minutes)')
            for other in env.databases():
                if other.startswith('demo_') and other != name:
                    env.drop_database(other)
    return name


def main(options, make_worker):
    """Build the database, measure it in each size and print the curve.

    :param make_worker: Worker of `bench_orders`, which starts a process of `bench_worker.py`
    """
    sizes = sorted(options.scale)
    with prepare() as env:
        began, figures = time.monotonic(), {}
        template = demo_template(env)
        database = env.own_database('scale')
        with env.lock, Step('Copying the database'):
            env.clone_database(template, database)
        copies = Copies(env, database, sizes[-1])
        copies.choose()
        worker = make_worker(env, 'scale', database, [])
        try:
            for size in sizes:
                with Step(f'Copying batches, {size:,} in all') as step:
                    copies.grow(size, step)
                with Step(f'Measuring with {size:,} batches'):
                    worker.start()
                    figures[size] = worker.ask(do='scale', last=size - 1)
                    worker.close()
        finally:
            worker.close()
    show(sizes, figures)
    if options.json:
        Path(options.json).write_text(json.dumps({
            'sizes': figures, 'minutes': (time.monotonic() - began) / 60}, indent=1) + '\n', encoding='utf-8')
    say(f'\nDone in {(time.monotonic() - began) / 60:.1f} minutes.')
