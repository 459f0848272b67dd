"""Floats of a table become exact numbers without an UPDATE: tables of evidence refuse one, and no row changes its meaning.

Called by a ``pre-`` migration script, before the registry creates columns and before ``init`` creates the guards again::

    convert_to_exact(cr, 'mrp_mmr_specification', ['minimum', 'target', 'maximum'])
"""
from odoo.tools import SQL, sql

from .exact_number import add_canonical_check

_FLOATS = ('float8', 'float4', 'numeric', 'int4', 'int8')


def convert_to_exact(cr, table, columns, zero_is_blank=(), blank_where=None, zero_where=None):
    """Change the type of columns of floats to ``varchar`` in the canonical form, in one rewrite of the table.

    A number gets its shortest form without zeros at the end (98.000000 becomes 98): how many digits it was written with is
    not known any more. NULL stays NULL but for ``zero_where``. CHECK constraints, indexes and triggers that name a column are
    dropped: the ORM and ``init`` create those that the models declare again.

    :param columns: names; those that are converted already are skipped, so that it can be run twice
    :param zero_is_blank: columns in which zero meant that nothing was written
    :param dict blank_where: condition (SQL over the row as it was) under which a column meant nothing, by column; for instance
        the minimum of a limit that is *not more than*
    :param dict zero_where: condition under which NULL was read, and signed, as zero, by column
    :return: dict of what was dropped, by kind, for the log of the migration
    :raise ValueError: where a column has infinity or no number
    """
    types = {name: column['udt_name'] for name, column in sql.table_columns(cr, table).items()}
    todo = [name for name in columns if types.get(name) in _FLOATS]
    if not todo:
        return {}
    _check_finite(cr, table, todo)
    # Deferred triggers that wait would forbid ALTER TABLE.
    cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
    dropped = {'constraints': _drop_checks(cr, table, todo), 'triggers': _drop_triggers(cr, table, todo)}
    changes = []
    for name in todo:
        column = SQL.identifier(name)
        # Text first: it is the shortest form of a float, where a cast to numeric would keep 15 digits.
        number = SQL("trim_scale(%s::text::numeric)", column)
        if name in zero_is_blank:
            number = SQL("NULLIF(%s, 0)", number)
        if condition := (zero_where or {}).get(name):
            number = SQL("CASE WHEN %s THEN COALESCE(%s, 0) ELSE %s END", condition, number, number)
        if condition := (blank_where or {}).get(name):
            number = SQL("CASE WHEN %s THEN NULL ELSE %s END", condition, number)
        changes.append(SQL("ALTER COLUMN %s DROP DEFAULT", column))
        changes.append(SQL("ALTER COLUMN %s TYPE varchar USING %s::text", column, number))
    cr.execute(SQL("ALTER TABLE %s %s", SQL.identifier(table), SQL(", ").join(changes)))
    for name in todo:
        add_canonical_check(cr, table, name)
    return dropped


def _check_finite(cr, table, columns):
    condition = SQL(" OR ").join(
        SQL("%s::text IN ('NaN', 'Infinity', '-Infinity')", SQL.identifier(name)) for name in columns)
    cr.execute(SQL("SELECT id FROM %s WHERE %s ORDER BY id LIMIT 5", SQL.identifier(table), condition))
    if found := [str(row[0]) for row in cr.fetchall()]:
        raise ValueError(f"{table}: no finite number in {', '.join(columns)} of the rows {', '.join(found)}")


def _drop_checks(cr, table, columns):
    cr.execute(SQL(
        """SELECT DISTINCT c.conname, pg_get_constraintdef(c.oid)
             FROM pg_constraint c
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey)
            WHERE c.conrelid = %s::regclass AND c.contype IN ('c', 'x') AND a.attname = ANY(%s)""", table, list(columns)))
    found = dict(cr.fetchall())
    for name in found:
        sql.drop_constraint(cr, table, name)
    return found


def _drop_triggers(cr, table, columns):
    """Drop triggers that name a column in UPDATE OF or WHEN; those that only read it in their function can stay."""
    cr.execute(SQL(
        """SELECT DISTINCT t.tgname, pg_get_triggerdef(t.oid)
             FROM pg_trigger t
             JOIN pg_depend d ON d.classid = 'pg_trigger'::regclass AND d.objid = t.oid
                             AND d.refclassid = 'pg_class'::regclass AND d.refobjid = t.tgrelid
             JOIN pg_attribute a ON a.attrelid = t.tgrelid AND a.attnum = d.refobjsubid
            WHERE t.tgrelid = %s::regclass AND NOT t.tgisinternal AND a.attname = ANY(%s)""", table, list(columns)))
    found = dict(cr.fetchall())
    for name in found:
        cr.execute(SQL("DROP TRIGGER %s ON %s", SQL.identifier(name), SQL.identifier(table)))
    return found
