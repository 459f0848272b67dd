"""What Odoo does not change by itself in tables of an earlier version: called by ``_auto_init`` of their models (PRF-010)."""

from odoo.tools import SQL, sql
from odoo.tools.sql import make_index_name


def add_copied_column(cr, table, column, value, source):
    """Add a column that repeats ids of another table, and fill it; nothing is done where it is there already.

    Odoo would compute it with UPDATEs that the guards of evidence refuse. Such a column lets one index answer what is asked at
    every step. Before ``super()._auto_init()``::

        add_copied_column(cr, 'mrp_bpr_entry', 'product_id', SQL("b.product_id"), SQL("FROM mrp_bpr b WHERE b.id = t.bpr_id"))

    The triggers are off for this one UPDATE, in the transaction of the update that makes all guards anew; nothing but the
    new column is written.

    :param value: SQL of the value, from the row ``t`` and from ``source``
    :param source: SQL that follows: FROM and WHERE
    """
    if not sql.table_exists(cr, table) or sql.column_exists(cr, table, column):
        return
    # Deferred triggers that wait would forbid ALTER TABLE.
    cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
    name, field = SQL.identifier(table), SQL.identifier(column)
    cr.execute(SQL("ALTER TABLE %s ADD COLUMN %s integer, DISABLE TRIGGER USER", name, field))
    cr.execute(SQL("UPDATE %s t SET %s = %s %s", name, field, value, source))
    cr.execute(SQL("ALTER TABLE %s ENABLE TRIGGER USER", name))


def drop_indexes(cr, table, *columns):
    """Drop the indexes that an earlier version had on fields; Odoo keeps indexes that no field needs any more."""
    for column in columns:
        sql.drop_index(cr, make_index_name(table, column), table)
