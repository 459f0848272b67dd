"""Attacks on whole tables of evidence."""

from psycopg2 import errors

from odoo.tools import SQL

from ... import guards
from .attack import Attempt, attack


def truncate(drill, table, trigger):
    """Empty a table. PostgreSQL refuses this for one that others refer to; then its guard has to be there as well.

    It refuses TRUNCATE … CASCADE, which would ask for locks on half of the database.
    """
    drill.cr.execute("SELECT tgenabled <> 'D' FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname = %s", [table, trigger])
    is_guarded = drill.cr.fetchone() == (True,)
    try:
        # What waits for the end of the transaction would keep PostgreSQL from trying.
        drill.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        drill.cr.execute(SQL("TRUNCATE %s", SQL.identifier(table)), log_exceptions=False)
    except errors.FeatureNotSupported:
        if is_guarded:
            raise


@attack("Whole tables", "SQL: empty a table of evidence (TRUNCATE)", "AUD-030, REC-040, 21 CFR 11.10(e), 111.605",
        # In a hardened database, the right to empty them is the owner's alone (SEC-080).
        r'FeatureNotSupported|mrp_mmr_\w+|is refused|append-only|only grows|InsufficientPrivilege')
def truncate_tables(drill):
    return "tables", [
        Attempt(table, lambda table=table, trigger=trigger: truncate(drill, table, trigger))
        for table, trigger, _function in guards.triggers() if 'truncate' in trigger]
