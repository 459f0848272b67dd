"""What names mean, and which rows are seen, while evidence is read: nothing that a role or a database has set (AUD-080)."""

from contextlib import contextmanager

from ..guards.bypasses import ROW_SECURITY, TRUSTED_PATH

#: The first statement of a transaction that does nothing but verify; it is none that takes a snapshot.
TRUST = f"SET LOCAL search_path = {TRUSTED_PATH}"


@contextmanager
def trusted_names(cr):
    """Read PostgreSQL's own catalogue and the tables of Odoo's schema, whatever path the role or the database has.

    It is the first statement of each verification, and lasts within the transaction. With row security that nobody needs
    (see :data:`ROW_SECURITY`) switched off, a policy that is made meanwhile is an error and hides nothing; where there is some
    already, it is a finding, and so is what it hides.

    :param cr: cursor of any role, in any transaction; where it fails, the transaction is over and nothing is put back
    """
    cr.execute("SELECT pg_catalog.current_setting('search_path'), pg_catalog.current_setting('row_security'), "
               "pg_catalog.set_config('search_path', %s, TRUE)", [TRUSTED_PATH])
    path, security, _trusted = cr.fetchone()
    cr.execute(f"SELECT EXISTS ({ROW_SECURITY})")  # pylint: disable=sql-injection
    [is_secured] = cr.fetchone()
    cr.execute(f"SET LOCAL row_security = {'on' if is_secured else 'off'}")  # pylint: disable=sql-injection
    yield
    cr.execute("SELECT pg_catalog.set_config('search_path', %s, TRUE), pg_catalog.set_config('row_security', %s, TRUE)",
               [path, security])
