"""Many rows by SQL, and how many of them a statement reads: for the tests of what must not grow with the years (PRF-010)."""

import json
from contextlib import contextmanager

from odoo.tools import SQL


def insert_copies(cr, table, template, changes):
    """Insert a copy of a row for each dict of other values; return the ids. The triggers are to be off.

    :param int template: id of the row that is copied
    :param list changes: dicts by column, as JSON can hold them
    """
    cr.execute(SQL(
        """INSERT INTO %(table)s SELECT r.* FROM %(table)s t CROSS JOIN jsonb_array_elements(%(changes)s::jsonb) c
            CROSS JOIN LATERAL jsonb_populate_record(t, jsonb_build_object('id', nextval(%(sequence)s)) || c) r
            WHERE t.id = %(template)s RETURNING id""",
        table=SQL.identifier(table), changes=json.dumps(changes, default=str), sequence=f'{table}_id_seq', template=template))
    return [row[0] for row in cr.fetchall()]


@contextmanager
def planned_as_large(cr, *tables):
    """Let PostgreSQL plan as for tables too large to be read whole, whatever they hold."""
    with cr.savepoint(flush=False) as savepoint:
        for table in tables:
            cr.execute(SQL("ANALYZE %s", SQL.identifier(table)))
        cr.execute("SET LOCAL enable_seqscan = off; DISCARD PLANS")
        yield
        cr.execute("DISCARD PLANS")
        savepoint.rollback()


def count_rows_read(cr, function):
    """Return how many rows of tables of the addon PostgreSQL reads in ``function``, by index or one after the other."""
    def read():
        cr.execute("SELECT sum(seq_tup_read + COALESCE(idx_tup_fetch, 0)) FROM pg_stat_xact_user_tables "
                   r"WHERE relname LIKE 'mrp\_%'")
        return int(cr.fetchone()[0] or 0)

    before = read()
    function()
    return read() - before


def explain(cr, query):
    """Return the plan of a query as text."""
    cr.execute(SQL("EXPLAIN %s", query))
    return '\n'.join(row[0] for row in cr.fetchall())
