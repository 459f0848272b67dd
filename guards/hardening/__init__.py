"""Takes the guards out of reach of the role that Odoo runs as: owners, rights and event triggers (SEC-080, 21 CFR 11.10(c)).

Whoever owns a table may drop its triggers, whoever owns a function may replace it, and whoever owns a schema or, through
``pg_database_owner``, a database may drop what is in it. So all of that is given to an *owner*, a role that nobody logs in as;
the *running* role keeps what Odoo does with rows. Tables of Odoo that bear guards stay with the running role, as other
modules alter them: there, event triggers refuse what would pass a guard by. ``protection.sql`` says what that is.

What is done here needs the connection of a superuser, as event triggers do. Nothing of it happens by itself, and no
installation or update of the addon touches it. :mod:`...verification.check_hardening` says whether it is in force.
"""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ...domain.columns import ROW_TABLES
from .. import NOTES

#: Where the log and the event triggers' functions are; it belongs to the owner, released or not.
SCHEMA = 'mrp_mmr_hardening'
#: Schemas that belong to the owner while the hardening is in force.
SCHEMAS = ('public', SCHEMA)
#: What the running role does with rows of the addon's tables. Guards refuse what nobody may do with records.
RIGHTS = ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
#: What nobody but the owner has: TRIGGER makes a trigger, REFERENCES a table whose deletion changes rows.
OWNER_RIGHTS = ('TRUNCATE', 'TRIGGER', 'REFERENCES')
#: Of whom the owner of the database is the only member.
OF_DATABASE = 'pg_database_owner'
#: Roles of PostgreSQL whose members can become anybody, or change rows that the owner keeps.
MIGHTY = (
    OF_DATABASE, 'pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files', 'pg_write_all_data',
    'pg_create_subscription')
#: Evidence that is about other records.
LEDGER = ('mrp_audit_chain', 'mrp_audit_entry', 'mrp_audit_seal', 'mrp_esignature', 'mrp_mmr_file', 'mrp_signer_key')
#: Where Odoo says which module brought which table.
CATALOGUE = ('ir_model', 'ir_model_data', 'ir_model_relation', 'ir_module_module')
HARDENED, RELEASED, RESTORED = 'hardened', 'released', 'restored'
_FUNCTION = re.compile(
    r'^CREATE OR REPLACE FUNCTION mrp_mmr_hardening\.(\w+)\(.*?\bAS \$\$(.*?)\$\$;$', re.MULTILINE | re.DOTALL)
_EVENT = re.compile(r'^CREATE EVENT TRIGGER (\w+) ON (\w+) EXECUTE FUNCTION (mrp_mmr_hardening\.\w+)\(\);$', re.MULTILINE)

#: The database itself, wherever a copy of it is.
THIS_DATABASE = """SELECT (SELECT s.system_identifier::text FROM pg_catalog.pg_control_system() s), d.oid
                     FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()"""
#: A row of :class:`Event`.
LAST_EVENT = f"""SELECT l.event, pg_catalog.to_char(l.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'), l.by, l.running,
                        l.owner, l.database_owner, l.schema_owner, (l.server, l.database) = ({THIS_DATABASE})
                   FROM {SCHEMA}.log l ORDER BY l.id DESC LIMIT 1"""

#: What neither a superuser nor the owner made and a guard could call.
STRANGERS = """
    SELECT concat_ws(' ', 'the function', p.oid::regprocedure, 'of', r.rolname) FROM pg_catalog.pg_proc p
      JOIN pg_catalog.pg_roles r ON r.oid = p.proowner JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
     WHERE NOT r.rolsuper AND r.rolname <> %(owner)s AND n.nspname NOT LIKE 'pg\\_temp%%'
       AND NOT p.proname LIKE 'mrp\\_mmr\\_%%'
     UNION ALL
    SELECT concat_ws(' ', 'the operator', o.oid::regoperator, 'of', r.rolname) FROM pg_catalog.pg_operator o
      JOIN pg_catalog.pg_roles r ON r.oid = o.oprowner WHERE NOT r.rolsuper AND r.rolname <> %(owner)s
     UNION ALL
    SELECT concat_ws(' ', 'the cast from', c.castsource::regtype, 'to', c.casttarget::regtype) FROM pg_catalog.pg_cast c
     WHERE c.oid >= 16384 AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_cast'::regclass AND d.objid = c.oid AND d.deptype = 'e')"""

#: Which roles make the running role too mighty: itself, or those that it is a member of.
MIGHTY_ROLES = """
    SELECT x.rolname AS running, r.rolname AS name, r.rolsuper AS is_super, r.rolcreaterole AS makes_roles
      FROM pg_catalog.pg_roles x, pg_catalog.pg_roles r
     WHERE x.rolname = %(running)s AND pg_catalog.pg_has_role(x.oid, r.oid, 'MEMBER') AND (NOT x.rolsuper OR r.oid = x.oid)
       AND (r.rolsuper OR r.rolcreaterole OR r.rolreplication OR r.rolname = %(owner)s OR r.rolname = ANY(%(mighty)s))"""


class Event(NamedTuple):
    """A line of the log: what was done last, and with which roles."""
    event: str
    at: str
    by: str
    running: str
    owner: str
    database_owner: str
    schema_owner: str
    is_here: bool

    @property
    def is_in_force(self):
        """Whether the database has to be hardened now."""
        return self.is_here and self.event != RELEASED


@cache
def source():
    """Return the SQL that makes log, functions and event triggers."""
    return Path(__file__).with_name('protection.sql').read_text(encoding='utf-8')


@cache
def functions():
    """Return the bodies of the functions in :data:`SCHEMA` by their names."""
    return dict(_FUNCTION.findall(source()))


@cache
def event_triggers():
    """Return tuples of name, event and function of the event triggers."""
    return tuple(_EVENT.findall(source()))


def read_last(cr):
    """Return the last :class:`Event` of this database, or None where it was never hardened.

    :param cr: cursor of any role that may read
    """
    # Reading a plain table runs nobody's code, whoever made it.
    cr.execute("""SELECT 1 FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass(%s) AND c.relkind = 'r'
                     AND NOT c.relrowsecurity""", [f'{SCHEMA}.log'])
    if not cr.fetchone():
        return None
    cr.execute(LAST_EVENT)
    row = cr.fetchone()
    return row and Event(*row)


def read_relations(cr):
    """Return the names of the tables and views that the addon brought, links between records included.

    A model belongs to the module that named it first; wizards, whose rows last an hour, stay with the running role.

    :raise ValueError: what Odoo keeps that in is no plain table, so that reading it could run anybody's code
    """
    cr.execute("""SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c WHERE c.relnamespace = 'public'::regnamespace
                     AND c.relname = ANY(%s) AND c.relkind = 'r' AND NOT c.relrowsecurity""", [list(CATALOGUE)])
    if cr.fetchone() != (len(CATALOGUE),):
        raise ValueError(f"the tables {', '.join(CATALOGUE)} of Odoo are not there as Odoo makes them")
    cr.execute(
        """SELECT pg_catalog.replace(m.model, '.', '_') FROM (
                SELECT DISTINCT ON (d.res_id) d.res_id, d.module FROM public.ir_model_data d WHERE d.model = 'ir.model'
                 ORDER BY d.res_id, d.id) first
             JOIN public.ir_model m ON m.id = first.res_id WHERE first.module = 'mrp_mmr' AND NOT COALESCE(m.transient, FALSE)
            UNION
           SELECT r.name FROM public.ir_model_relation r JOIN public.ir_module_module o ON o.id = r.module
             JOIN public.ir_model m ON m.id = r.model WHERE NOT COALESCE(m.transient, FALSE)
            GROUP BY r.name HAVING pg_catalog.bool_and(o.name = 'mrp_mmr')""")
    # Whatever the rows of Odoo say: what a signature or a line of the ledger is about.
    names = sorted({*NOTES, *LEDGER, *ROW_TABLES, *(name for name, in cr.fetchall())})
    # Abstract models have none.
    cr.execute("SELECT c.relname FROM pg_catalog.pg_class c WHERE c.relnamespace = 'public'::regnamespace "
               "AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relname = ANY(%s) ORDER BY 1", [names])
    return [name for name, in cr.fetchall()]
