"""Hardens a database, releases it before an update, and restores it after: what ``mrp_mmr harden`` does (SEC-080)."""

from psycopg2 import sql

from .. import load, triggers
from ..bypasses import NAMESAKES, STRANGE_PARTS
from . import (
    HARDENED,
    MIGHTY,
    MIGHTY_ROLES,
    OF_DATABASE,
    OWNER_RIGHTS,
    RELEASED,
    RESTORED,
    RIGHTS,
    SCHEMA,
    STRANGERS,
    THIS_DATABASE,
    event_triggers,
    read_last,
    read_relations,
    source,
)

#: How long Odoo may hold a table.
LOCK_TIMEOUT = '20s'
#: In which nobody else makes anything.
OWN_PATH = "SET LOCAL search_path = pg_catalog, pg_temp"
#: What the guards' triggers and functions are like.
PREFIXED = r'mrp\_mmr\_%'


class HardeningError(Exception):
    """Why a database cannot be hardened or released, and what to do."""


class Hardening:
    """One transaction of a superuser on a database with the addon; whoever made it commits.

    :param cr: cursor of psycopg2
    :param str running: the role that Odoo logs in as
    :param str owner: the role that owns records and guards; it is made where there is none
    """

    def __init__(self, cr, running, owner):
        self.cr, self.running, self.owner = cr, running, owner
        # Nothing here means what somebody else named like it.
        self._do(OWN_PATH)
        self._do("SELECT set_config('lock_timeout', %s, TRUE)", [LOCK_TIMEOUT])

    # === COMMANDS === #

    def harden(self):
        """Give records, guards, schema and database to the owner, and take from the running role what Odoo does not need.

        It can be done again at any time.

        :raise HardeningError: the running role could undo it, or made what could pass guards by
        """
        self._check_superuser()
        self._check_roles()
        self._check_schema()
        last = read_last(self.cr)
        self._check_guards()
        self._check_strangers()
        owners = self._read_owners(last)
        if not self._rows("SELECT FROM pg_roles WHERE rolname = %s", self.owner):
            self._do(sql.SQL("CREATE ROLE {owner} NOLOGIN"))
        self._own_database(self.owner)
        self._load_guards()
        self._make_schema()
        self._own_relations(self.owner)
        self._own_functions(self.owner)
        self._give_rights()
        self._log(RESTORED if last and last.is_here and last.event == RELEASED else HARDENED, owners)

    def release(self):
        """Give all of it back to the running role, for an update or an installation.

        :raise HardeningError: it was not hardened
        """
        last = read_last(self.cr)
        self._check_superuser()
        if not last or not last.is_here or last.event == RELEASED:
            raise HardeningError("the database is not hardened, so nothing is released")
        self._drop_event_triggers()
        self._own_functions(self.running)
        self._own_relations(self.running)
        self._own_database(last.database_owner, last.schema_owner)
        self._log(RELEASED, (last.database_owner, last.schema_owner))

    # === WHAT MAKES IT WORTHLESS === #

    def _check_superuser(self):
        if self._rows("SELECT rolsuper FROM pg_roles WHERE rolname = session_user") != [(True,)]:
            raise HardeningError("this connection is not that of a superuser, which event triggers need; name one by --admin")

    def _check_roles(self):
        """Nobody hardens against a role that can become the owner, or do without."""
        if self.running == self.owner:
            raise HardeningError("the owner has to be another role than the one that Odoo runs as")
        if not self._rows("SELECT FROM pg_roles WHERE rolname = %s", self.running):
            raise HardeningError(f"there is no role {self.running}; name the one that Odoo runs as by --role")
        might = self._rows(
            f"{MIGHTY_ROLES} ORDER BY 2", running=self.running, owner=self.owner,
            # It still has the database.
            mighty=[name for name in MIGHTY if name != OF_DATABASE])
        if might:
            _running, name, is_super, makes_roles = might[0]
            what = "is superuser" if is_super else "may create roles" if makes_roles else "has too many rights"
            raise HardeningError(
                f"the role {self.running} {what}" + (f", as a member of {name}" if name != self.running else "")
                + ": Odoo has to run as a role without (ALTER ROLE … NOSUPERUSER NOCREATEROLE NOREPLICATION, REVOKE … FROM …)")
        if self._rows("SELECT FROM pg_roles WHERE rolname = %s AND (rolcanlogin OR rolsuper OR rolcreaterole)", self.owner):
            raise HardeningError(f"the owner {self.owner} can log in or make roles; name one that cannot, or let one be made")

    def _check_schema(self):
        """What is written there fires nobody's triggers."""
        for name, in self._rows(
                "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = %s AND pg_get_userbyid(nspowner) <> %s",
                SCHEMA, self.owner):
            raise HardeningError(f"the schema {SCHEMA} is of {name} and not of {self.owner}; name that owner, or drop it")

    def _check_guards(self):
        """Nothing but guards fires at their tables, stands in front of them, or adds rows to them."""
        unknown = self._rows(STRANGE_PARTS, tables=sorted({trigger.table for trigger in triggers()}))
        if unknown:
            name, found = unknown[0]
            raise HardeningError(f"{name} ({found}) is none of the guards and could pass one by; read it, then drop it")
        # Named values, though it has none: a percent sign is written twice there.
        namesakes = self._rows(NAMESAKES, tables=[])
        if namesakes:
            raise HardeningError(f"{namesakes[0][0]} bears a name of PostgreSQL's own catalogue; read it, then drop it")

    def _check_strangers(self):
        """Guards call no function or operator that the running role made: one of its own would be preferred to PostgreSQL's."""
        strangers = self._rows(f"{STRANGERS} ORDER BY 1", owner=self.owner)
        if strangers:
            raise HardeningError(
                f"{strangers[0][0]} could stand in for what a guard calls; read it, then drop it or give it to a superuser")

    # === STEPS === #

    def _read_owners(self, last):
        """Return to whom database and schema are given back: who had them before."""
        (database, schema), = self._rows(
            """SELECT pg_get_userbyid(d.datdba), pg_get_userbyid(n.nspowner) FROM pg_database d, pg_namespace n
                WHERE d.datname = current_database() AND n.nspname = 'public'""")
        if last and last.is_here:
            database = last.database_owner if database == self.owner else database
            schema = last.schema_owner if schema == self.owner else schema
        return database, schema

    def _own_database(self, owner, schema_owner=None):
        (name,), = self._rows("SELECT current_database()")
        names = {key: sql.Identifier(value) for key, value in (
            ('database', name), ('new', owner), ('of_schema', schema_owner or owner))}
        self._do(sql.SQL("ALTER DATABASE {database} OWNER TO {new}"), **names)
        self._do(sql.SQL("ALTER SCHEMA public OWNER TO {of_schema}"), **names)
        if owner == self.owner:
            self._do(sql.SQL("REVOKE CREATE ON DATABASE {database} FROM {running}, PUBLIC"), **names)
            self._do(sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {running}"), **names)
            self._do("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
            self._do(sql.SQL("GRANT USAGE, CREATE ON SCHEMA public TO {running}"))

    def _load_guards(self):
        """What is put out of reach are the guards of this version, whatever somebody made of them before."""
        self._do("SET LOCAL search_path = public, pg_temp")
        load(self.cr)
        self._do(OWN_PATH)

    def _make_schema(self):
        """Make the log, the functions of the event triggers and the event triggers anew; the log keeps its lines."""
        self._do(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        self._drop_event_triggers()
        self._do(source())
        self._do(sql.SQL(f"ALTER SCHEMA {SCHEMA} OWNER TO {{owner}}"))
        for kind, name in self._rows(
                """SELECT 'TABLE', oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = %s::regnamespace
                    UNION ALL
                   SELECT 'FUNCTION', oid::regprocedure::text FROM pg_proc WHERE pronamespace = %s::regnamespace""",
                SCHEMA, SCHEMA):
            self._do(sql.SQL(f"ALTER {kind} {name} OWNER TO {{owner}}"))
        self._do(f"REVOKE ALL ON SCHEMA {SCHEMA} FROM PUBLIC; REVOKE ALL ON ALL TABLES IN SCHEMA {SCHEMA} FROM PUBLIC")
        # Whoever verifies reads it.
        self._do(f"GRANT USAGE ON SCHEMA {SCHEMA} TO PUBLIC; GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO PUBLIC; "
                 f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {SCHEMA} TO PUBLIC")

    def _drop_event_triggers(self):
        for name, _event, _function in event_triggers():
            self._do(sql.SQL("DROP EVENT TRIGGER IF EXISTS {name}"), name=sql.Identifier(name))

    def _own_relations(self, owner):
        """Give the addon's tables and views, with the sequences of their columns, to ``owner``."""
        for name in read_relations(self.cr):
            # Views, too, are altered as tables.
            self._do(sql.SQL("ALTER TABLE public.{name} OWNER TO {new}"), name=sql.Identifier(name), new=sql.Identifier(owner))

    def _own_functions(self, owner):
        for name, in self._rows(
                "SELECT oid::regprocedure::text FROM pg_proc WHERE proname LIKE %s", PREFIXED):
            self._do(sql.SQL(f"ALTER ROUTINE {name} OWNER TO {{new}}"), new=sql.Identifier(owner))

    def _give_rights(self):
        """The running role works with rows, and nobody has a right that changes tables; guards that run as the owner, where
        a foreign key of its tables acts, read tables of Odoo.
        """
        names = read_relations(self.cr)
        for name, grantee in self._rows(
                """SELECT DISTINCT c.relname, a.grantee FROM pg_class c, aclexplode(c.relacl) a
                    WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%s) AND a.grantee <> c.relowner
                      AND a.privilege_type = ANY(%s)""", names, list(OWNER_RIGHTS)):
            role = sql.Identifier(self._rows("SELECT pg_get_userbyid(%s)", grantee)[0][0]) if grantee else sql.SQL("PUBLIC")
            self._do(sql.SQL(f"REVOKE {', '.join(OWNER_RIGHTS)} ON public.{{name}} FROM {{role}} CASCADE"),
                     name=sql.Identifier(name), role=role)
        for name in names:
            self._do(sql.SQL(f"GRANT {', '.join(RIGHTS)} ON public.{{name}} TO {{running}}"), name=sql.Identifier(name))
        for name, in self._rows(
                """SELECT s.relname FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
                     JOIN pg_class c ON c.oid = d.refobjid
                    WHERE d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND c.relname = ANY(%s)
                      AND c.relnamespace = 'public'::regnamespace""", names):
            self._do(sql.SQL("GRANT USAGE, SELECT ON SEQUENCE public.{name} TO {running}"), name=sql.Identifier(name))
        self._do(sql.SQL("GRANT USAGE ON SCHEMA public TO {owner}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {owner}"))

    def _log(self, event, owners):
        if event != RELEASED:
            self._do(f"DELETE FROM {SCHEMA}.protection")
            self._do(f"INSERT INTO {SCHEMA}.protection SELECT * FROM {SCHEMA}.find_protection()")
        self._do(f"INSERT INTO {SCHEMA}.log (event, running, owner, database_owner, schema_owner, server, database) "
                 f"SELECT %s, %s, %s, %s, %s, h.* FROM ({THIS_DATABASE}) h", [event, self.running, self.owner, *owners])

    # === SQL === #

    def _do(self, query, values=None, **names):
        if isinstance(query, sql.SQL):
            query = query.format(**{
                'running': sql.Identifier(self.running), 'owner': sql.Identifier(self.owner), **names})
        self.cr.execute(query, values)

    def _rows(self, query, *values, **named):
        self.cr.execute(query, values or named or None)
        return self.cr.fetchall()
