"""A hardened database: whoever runs SQL as Odoo's role drops no guard, and Odoo works (SEC-080)."""

import contextlib
import io
import os
import shutil
from argparse import Namespace
from unittest.mock import patch

import psycopg2
from psycopg2 import sql

import odoo.tests.common
from odoo.modules.registry import Registry
from odoo.sql_db import close_db, db_connect
from odoo.tests import BaseCase, get_db_name, tagged
from odoo.tools import config

from odoo.addons.mrp_mmr import guards
from odoo.addons.mrp_mmr.cli.mrp_mmr import MrpMmr
from odoo.addons.mrp_mmr.guards import hardening
from odoo.addons.mrp_mmr.verification import drill
from odoo.addons.mrp_mmr.verification.check_hardening import find_gaps
from odoo.addons.mrp_mmr.verification.ledger import FINDING, REMARK
from odoo.addons.mrp_mmr.verification.records import Verification

from ..common.base import MmrCommon, expect, run_odoo

#: Of the PostgreSQL that dev/ runs.
SUPERUSER = 'postgres'
REFUSED = '42501'       # insufficient_privilege
#: What the running role may not do, and the owner of tables, schema and database could.
OWN = [
    # Guards of the addon's tables and of Odoo's.
    "DROP TRIGGER mrp_mmr_append_only ON mrp_esignature",
    "ALTER TABLE mrp_esignature DISABLE TRIGGER USER",
    "ALTER TABLE mrp_esignature DISABLE TRIGGER mrp_mmr_append_only",
    "ALTER TRIGGER mrp_mmr_append_only ON mrp_esignature RENAME TO another",
    "DROP TRIGGER mrp_mmr_guard_lot ON stock_lot",
    "ALTER TABLE stock_lot DISABLE TRIGGER USER",
    "ALTER TABLE stock_lot DISABLE TRIGGER mrp_mmr_guard_lot",
    "ALTER TABLE stock_lot ENABLE REPLICA TRIGGER mrp_mmr_guard_lot",
    "ALTER TRIGGER mrp_mmr_guard_lot ON stock_lot RENAME TO another",
    "DO $$ BEGIN ALTER TABLE stock_quant DISABLE TRIGGER USER; END $$",
    "CREATE OR REPLACE TRIGGER mrp_mmr_guard_lot BEFORE INSERT ON stock_lot FOR EACH ROW "
    "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    # Functions of the guards, and what they call.
    "CREATE OR REPLACE FUNCTION mrp_mmr_guard_lot() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE FUNCTION mrp_mmr_constraint(source text, what text) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'",
    "CREATE FUNCTION public.never(varchar, varchar) RETURNS boolean LANGUAGE sql AS 'SELECT false'",
    "CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)",
    "CREATE DOMAIN public.mine AS text CHECK (value <> 'x')",
    "DROP FUNCTION mrp_mmr_guard_lot CASCADE",
    "ALTER FUNCTION mrp_mmr_guard_lot RENAME TO another",
    "ALTER FUNCTION mrp_mmr_guard_lot RESET search_path",
    "ALTER FUNCTION mrp_mmr_guard_lot OWNER TO CURRENT_USER",
    # Tables.
    "DROP TABLE mrp_esignature CASCADE",
    "DROP TABLE stock_lot CASCADE",
    "ALTER TABLE mrp_esignature OWNER TO CURRENT_USER",
    "ALTER TABLE mrp_esignature RENAME TO another",
    "ALTER TABLE mrp_esignature ALTER signer_name TYPE text USING 'Forged'",
    "ALTER TABLE mrp_esignature ADD COLUMN more text",
    "ALTER TABLE stock_lot RENAME TO another",
    "ALTER TABLE stock_lot RENAME COLUMN mmr_status TO another",
    "ALTER TABLE stock_lot DROP COLUMN mmr_status CASCADE",
    "ALTER TABLE stock_lot ALTER ref TYPE text",
    "ALTER TABLE stock_lot ALTER ref TYPE varchar USING 'Forged'",
    "ALTER TABLE stock_move_line ALTER lot_name TYPE varchar USING 'Forged'",
    "ALTER TABLE stock_lot DROP CONSTRAINT stock_lot_mmr_results",
    "ALTER TABLE stock_lot DROP CONSTRAINT stock_lot_mmr_status_signature_id_fkey",
    "ALTER TABLE stock_lot ADD COLUMN more integer GENERATED ALWAYS AS (1) STORED",
    "ALTER TABLE stock_lot ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
    "CREATE POLICY nothing ON stock_lot USING (false)",
    "CREATE RULE nothing AS ON UPDATE TO stock_lot DO INSTEAD NOTHING",
    "CREATE TRIGGER aaa BEFORE UPDATE ON stock_lot FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE TABLE more () INHERITS (stock_lot)",
    "CREATE TEMP TABLE more () INHERITS (stock_lot)",
    "CREATE TABLE more (id integer REFERENCES mrp_esignature ON UPDATE CASCADE)",
    # Names of PostgreSQL's catalogue.
    "CREATE VIEW public.pg_trigger AS SELECT * FROM pg_catalog.pg_trigger",
    "CREATE TABLE public.pg_proc (oid oid)",
    "CREATE TABLE public.more (oid oid); ALTER TABLE public.more RENAME TO pg_class",
    "CREATE SEQUENCE public.pg_rewrite",
    # Schema and database.
    "ALTER SCHEMA public RENAME TO another",
    "CREATE SCHEMA another",
    "CREATE EXTENSION citext",
    "ALTER DATABASE {database} SET search_path = another",
    "ALTER DATABASE {database} OWNER TO CURRENT_USER",
    "GRANT TRIGGER ON stock_lot TO PUBLIC",
    "DROP SCHEMA public CASCADE",
    "DROP OWNED BY CURRENT_USER CASCADE",
]
#: What else is refused, whoever owns what: of superusers and members of the owner, the whole of it, the hardening itself.
MIGHTY = [
    "TRUNCATE mrp_mmr_stock_change",
    "ALTER TABLE stock_lot OWNER TO {owner}",
    "SET ROLE {owner}",
    "SET SESSION AUTHORIZATION {owner}",
    "SET session_replication_role = replica",
    "ALTER ROLE CURRENT_USER SET session_replication_role = replica",
    "GRANT {owner} TO CURRENT_USER",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "CREATE EVENT TRIGGER mine ON sql_drop EXECUTE FUNCTION mrp_mmr_hardening.refuse_change()",
    "DROP EVENT TRIGGER mrp_mmr_hardening_change",
    "ALTER EVENT TRIGGER mrp_mmr_hardening_change DISABLE",
    "DROP SCHEMA mrp_mmr_hardening CASCADE",
    "CREATE OR REPLACE FUNCTION mrp_mmr_hardening.is_superuser() RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    "DELETE FROM mrp_mmr_hardening.protection",
    "INSERT INTO mrp_mmr_hardening.log (event) VALUES ('released')",
    "UPDATE mrp_mmr_hardening.log SET at = now()",
    "TRUNCATE mrp_mmr_hardening.log",
]
#: What Odoo does with tables at work: fields that people add, numbers, temporary tables.
ALLOWED = [
    "ALTER TABLE stock_lot ADD COLUMN x_more varchar",
    "ALTER TABLE res_partner ALTER name TYPE text, ADD COLUMN x_more integer GENERATED ALWAYS AS (1) STORED",
    "COMMENT ON COLUMN stock_lot.name IS 'Lot'",
    "CREATE INDEX more ON stock_lot (ref)",
    "CREATE TABLE more (id serial PRIMARY KEY, lot_id integer REFERENCES stock_lot ON DELETE CASCADE); DROP TABLE more",
    "CREATE SEQUENCE ir_sequence_999 INCREMENT BY 1; ALTER SEQUENCE ir_sequence_999 RESTART WITH 7; "
    "DROP SEQUENCE ir_sequence_999",
    "CREATE VIEW more AS SELECT id FROM mrp_esignature; DROP VIEW more",
    "CREATE TEMP TABLE mrp_esignature AS SELECT 1 AS id",
]
#: What takes a hardening apart, as only superusers can, and what verification says of it.
BREAKS = [
    ("ALTER EVENT TRIGGER mrp_mmr_hardening_change DISABLE", "event trigger mrp_mmr_hardening_change"),
    ("DROP EVENT TRIGGER mrp_mmr_hardening_command", "event trigger mrp_mmr_hardening_command"),
    ("CREATE OR REPLACE FUNCTION mrp_mmr_hardening.is_superuser() RETURNS boolean LANGUAGE sql STABLE "
     "SET search_path = pg_catalog, pg_temp AS 'SELECT true'", "function mrp_mmr_hardening.is_superuser"),
    ("ALTER DATABASE {database} OWNER TO {running}", "database"),
    ("ALTER SCHEMA public OWNER TO {running}", "schema public"),
    ("ALTER TABLE mrp_esignature OWNER TO {running}", "table mrp_esignature"),
    ("ALTER FUNCTION mrp_mmr_append_only OWNER TO {running}", "function mrp_mmr_append_only"),
    ("GRANT TRIGGER ON mrp_esignature TO {running}", "nobody with TRIGGER on mrp_esignature"),
    ("GRANT TRUNCATE ON mrp_sop TO PUBLIC", "nobody with TRUNCATE on mrp_sop"),
    ("GRANT REFERENCES (id) ON mrp_sop TO {running}", "nobody with REFERENCES on a column of mrp_sop"),
    ("GRANT INSERT ON mrp_sop TO {running} WITH GRANT OPTION", "nobody with INSERT on mrp_sop"),
    ("REVOKE INSERT ON mrp_esignature FROM {running}", "the right of .* to INSERT of mrp_esignature"),
    ("GRANT CREATE ON DATABASE {database} TO {running}", "nobody who makes schemas and extensions"),
    ("GRANT {owner} TO {running}", "a role .* that cannot become the owner"),
    ("ALTER ROLE {running} CREATEROLE", "a role .* that cannot become the owner"),
    ("GRANT pg_write_server_files TO {running}", "a role .* that cannot become the owner"),
    ("ALTER ROLE {owner} LOGIN", "an owner that nobody logs in as"),
    ("ALTER ROLE {running} SET session_replication_role = replica", "no setting session_replication_role"),
    ("ALTER ROLE {running} SET search_path = public, pg_catalog", "no setting search_path"),
    ("CREATE VIEW public.pg_trigger AS SELECT * FROM pg_catalog.pg_trigger", "relation public.pg_trigger"),
    ("GRANT SET ON PARAMETER session_replication_role TO {running}", "session_replication_role for superusers only"),
    ("CREATE FUNCTION upper(varchar) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'; ALTER FUNCTION upper(varchar) "
     "OWNER TO {running}", "only functions and operators of superusers"),
    ("CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq); "
     "ALTER OPERATOR public.= (text, text) OWNER TO {running}", "only functions and operators of superusers"),
    ("ALTER TABLE stock_lot DISABLE TRIGGER mrp_mmr_guard_lot", "trigger public.stock_lot mrp_mmr_guard_lot"),
    ("DROP TRIGGER mrp_mmr_append_only ON mrp_esignature", "trigger public.mrp_esignature mrp_mmr_append_only"),
    ("CREATE TRIGGER aaa BEFORE UPDATE ON stock_lot FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
     "trigger public.stock_lot aaa: none"),
    ("CREATE RULE nothing AS ON UPDATE TO stock_lot DO INSTEAD NOTHING", "rule public.stock_lot nothing: none"),
    ("CREATE TABLE more () INHERITS (stock_lot)", "relative public.more public.stock_lot: none"),
    ("ALTER TABLE stock_lot DROP CONSTRAINT stock_lot_mmr_results", "constraint public.stock_lot stock_lot_mmr_results"),
    ("ALTER FUNCTION mrp_mmr_guard_lot() RESET search_path", "function public.mrp_mmr_guard_lot|function mrp_mmr_guard_lot"),
]


def connect(database, user=None):
    """Return a connection of the role that Odoo runs as, or of another one."""
    return psycopg2.connect(host=config['db_host'], port=config['db_port'], user=user or config['db_user'], dbname=database)


class HardenedCopy:
    """A copy of the test database, and an owner; both go when the class has ended."""

    @classmethod
    def _make_copy(cls):
        cls.database = f'{get_db_name()}_hard_{os.getpid()}'
        cls.owner = f'mrp_mmr_owner_{os.getpid()}'
        cls.running = config['db_user']
        cls.admin = f"host={config['db_host']} port={config['db_port']} user={SUPERUSER}"
        close_db(get_db_name())
        cls._remove_copy()
        cls.addClassCleanup(cls._remove_copy)
        cls._maintain(sql.SQL("CREATE DATABASE {database} TEMPLATE {original} OWNER {running}"))
        files = config.filestore(get_db_name())
        if os.path.isdir(files):
            shutil.copytree(files, config.filestore(cls.database), copy_function=os.link)

    @classmethod
    def _remove_copy(cls):
        Registry.delete(cls.database)
        close_db(cls.database)
        cls._maintain(sql.SQL("DROP DATABASE IF EXISTS {database} WITH (FORCE)"), sql.SQL("DROP ROLE IF EXISTS {owner}"))
        shutil.rmtree(config.filestore(cls.database), ignore_errors=True)

    @classmethod
    def _name(cls, query):
        query = query if isinstance(query, sql.SQL) else sql.SQL(query)
        return query.format(**{name: sql.Identifier(value) for name, value in (
            ('database', cls.database), ('owner', cls.owner), ('running', cls.running), ('original', get_db_name()))})

    @classmethod
    def _maintain(cls, *queries):
        """Do as a superuser, outside of the copy."""
        with contextlib.closing(connect('postgres', SUPERUSER)) as connection:
            connection.autocommit = True
            with connection.cursor() as cr:
                for query in queries:
                    cr.execute(cls._name(query))

    @classmethod
    def _harden(cls, admin=None, **arguments):
        """Run ``mrp_mmr harden`` on the copy; return its exit status and all that it printed."""
        arguments = Namespace(**{
            'check': False, 'release': False, 'restore': False, 'config': None, 'db_user': cls.running, 'owner': cls.owner,
            'admin': cls.admin if admin is None else admin, **arguments})
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            status = MrpMmr().harden_database(cls.database, arguments)
        return status, out.getvalue()

    @classmethod
    @contextlib.contextmanager
    def _session(cls, user=None):
        """Give the cursor of a transaction in the copy that is undone."""
        with contextlib.closing(connect(cls.database, user)) as connection, connection.cursor() as cr:
            cr.execute("SET lock_timeout = '10s'")
            yield cr
            connection.rollback()

    def _check_hardening(self):
        """Return what verification of the whole copy says about its hardening."""
        with self._session() as cr:
            return list(Verification(cr).check_part('hardening'))


@tagged('post_install', '-at_install')
class TestHardening(HardenedCopy, BaseCase):
    """What the command does and verification says, and what the running role cannot do."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_copy()

    def setUp(self):
        super().setUp()
        status, text = self._harden()
        self.assertEqual(status, 0, text)

    # === ATTACKS === #

    def _attempt(self, query):
        """Return the error of a statement of the running role, or None; nothing of it is kept."""
        with self._session() as cr:
            try:
                cr.execute(self._name(query))
                # What waits for the end of the transaction.
                cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
            except psycopg2.Error as error:
                return error
        return None

    def test_attacks(self):
        """SEC-080, H-23b, H-30, H-31: as Odoo's role: drop, disable, replace, alter, empty, rename, inherit: refused."""
        for query in (*OWN, *MIGHTY):
            with self.subTest(query):
                error = self._attempt(query)
                self.assertIsNotNone(error, "it went through")
                self.assertEqual(error.pgcode, REFUSED, error)
        self.assertEqual(self._check_hardening(), [])

    def test_attacks_on_the_database(self):
        """SEC-080: as the application's role: neither is the database dropped nor renamed, nor is a role made."""
        with contextlib.closing(connect('postgres')) as connection:
            connection.autocommit = True
            for query in ("DROP DATABASE {database}", "ALTER DATABASE {database} RENAME TO another", "CREATE ROLE {owner}",
                          "DROP ROLE {owner}"):
                with self.subTest(query), connection.cursor() as cr, \
                        self.assertRaises(psycopg2.errors.InsufficientPrivilege):
                    cr.execute(self._name(query))

    def test_attacks_without(self):
        """SEC-080: whoever owns database and tables does all of that: it is the hardening that refuses."""
        self.assertEqual(self._harden(release=True)[0], 0)
        refused = {query for query in OWN if self._attempt(query)}
        self.assertEqual(refused, set())
        self.assertTrue(all(self._attempt(query) for query in MIGHTY))

    def test_allowed(self):
        """SEC-080: what Odoo does with tables at work is not refused."""
        for query in ALLOWED:
            with self.subTest(query):
                self.assertIsNone(self._attempt(query))

    def test_rows_are_guarded(self):
        """SEC-080, H-30: rows of records are guarded as before, with a temporary table of their name as well."""
        with self._session() as cr:
            cr.execute("CREATE TEMP TABLE mrp_audit_entry AS SELECT * FROM public.mrp_audit_entry")
            for query in ("UPDATE public.mrp_audit_entry SET reason = 'x'", "DELETE FROM public.mrp_audit_entry"):
                with self.subTest(query):
                    cr.execute("SAVEPOINT before")
                    with self.assertRaises(psycopg2.errors.CheckViolation) as refused:
                        cr.execute(query)
                    self.assertEqual(refused.exception.diag.constraint_name, 'mrp_mmr_audit_entry_append_only')
                    cr.execute("ROLLBACK TO before")

    # === COMMAND === #

    def test_roles(self):
        """SEC-080: nobody hardens against a superuser, a maker of roles, a member of the owner, or without a superuser."""
        maker = f'mrp_mmr_maker_{os.getpid()}'
        self.assertEqual(self._harden(release=True)[0], 0)
        self._maintain(f"DROP ROLE IF EXISTS {maker}", f"CREATE ROLE {maker} LOGIN CREATEROLE")
        self.addCleanup(self._maintain, f"DROP ROLE {maker}")
        for arguments, message in (
                ({'db_user': SUPERUSER}, "is superuser"), ({'db_user': maker}, "may create roles"),
                ({'db_user': 'nobody_at_all'}, "there is no role nobody_at_all"), ({'owner': self.running}, "another role"),
                ({'owner': maker}, "can log in"),
                ({'admin': self.admin.replace(SUPERUSER, self.running)}, "not that of a superuser"),
                ({'admin': ''}, "MRP_MMR_ADMIN")):
            with self.subTest(arguments):
                status, text = self._harden(**arguments)
                self.assertEqual(status, 2)
                self.assertRegex(text, message)
        self._maintain("GRANT {owner} TO {running}")
        self.addCleanup(self._maintain, "REVOKE {owner} FROM {running}")
        self.assertRegex(self._harden()[1], "as a member of")
        self.assertEqual({finding.severity for finding in self._check_hardening()}, {REMARK})

    def test_strangers(self):
        """SEC-080: what the running role planted before, to be called by guards or fired beside them, is found and named."""
        self.assertEqual(self._harden(release=True)[0], 0)
        for plant, remove, message in (
                ("CREATE FUNCTION public.upper(varchar) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'",
                 "DROP FUNCTION public.upper(varchar)", "the function public.upper"),
                ("CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)",
                 "DROP OPERATOR public.= (text, text)", "the operator public.="),
                ("CREATE TRIGGER aaa BEFORE UPDATE ON stock_lot FOR EACH ROW "
                 "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
                 "DROP TRIGGER aaa ON stock_lot", "trigger aaa on stock_lot .* is none of the guards"),
                ("CREATE RULE nothing AS ON UPDATE TO stock_lot DO INSTEAD NOTHING", "DROP RULE nothing ON stock_lot",
                 "rule nothing on stock_lot .* is none of the guards"),
                ("CREATE POLICY everything ON stock_lot", "DROP POLICY everything ON stock_lot",
                 "policy everything on stock_lot .* is none of the guards"),
                ("CREATE VIEW public.pg_trigger AS SELECT * FROM pg_catalog.pg_trigger", "DROP VIEW public.pg_trigger",
                 "relation public.pg_trigger bears a name of PostgreSQL's own catalogue"),
                ("CREATE TABLE more () INHERITS (stock_lot)", "DROP TABLE more",
                 "inheritance of stock_lot .*public.more.* is none")):
            with self.subTest(plant), contextlib.closing(connect(self.database)) as connection:
                with connection, connection.cursor() as cr:
                    cr.execute(plant)
                status, text = self._harden()
                with connection, connection.cursor() as cr:
                    cr.execute(remove)
                self.assertEqual(status, 2, text)
                self.assertRegex(text, message)

    def test_weakened_before(self):
        """SEC-080, H-31: guards that somebody emptied, doubled, narrowed or disabled while it was released are made anew."""
        query = "SELECT kind, name, definition FROM mrp_mmr_hardening.find_protection() ORDER BY 1, 2"
        with self._session() as cr:
            cr.execute(query)
            before = cr.fetchall()
        self.assertEqual(self._harden(release=True)[0], 0)
        with contextlib.closing(connect(self.database)) as connection, connection, connection.cursor() as cr:
            cr.execute("""
                CREATE OR REPLACE FUNCTION mrp_mmr_append_only() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
                CREATE FUNCTION mrp_mmr_constraint(text, text) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
                CREATE OR REPLACE TRIGGER mrp_mmr_guard_sop BEFORE UPDATE ON mrp_sop FOR EACH ROW WHEN (FALSE)
                    EXECUTE FUNCTION mrp_mmr_guard_sop();
                ALTER TABLE stock_lot DISABLE TRIGGER mrp_mmr_guard_lot;
                DROP TRIGGER mrp_mmr_guard_chain ON mrp_audit_chain;
                UPDATE ir_model_data SET module = 'stock' WHERE name = 'model_mrp_esignature'""")
        status, text = self._harden(restore=True)
        self.assertEqual(status, 0, text)
        with self._session() as cr:
            cr.execute(query)
            self.assertEqual(cr.fetchall(), before)

    def test_release_and_restore(self):
        """SEC-080: a release gives all back, guards are loaded, a restoration takes it again; verification says since when."""
        self.assertEqual(self._harden()[0], 0)      # again
        with contextlib.closing(connect(self.database)) as connection, connection.cursor() as cr, \
                self.assertRaises(psycopg2.errors.InsufficientPrivilege):
            guards.load(cr)
        self.assertIn("was not released", self._harden(restore=True)[1])
        self.assertEqual(self._harden(release=True)[0], 0)
        with self._session() as cr:
            cr.execute("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", [self.database])
            self.assertEqual(cr.fetchone(), (self.running,))
            cr.execute("SELECT count(*) FROM pg_class WHERE relowner = %s::regrole AND relkind = 'r'", [self.owner])
            self.assertEqual(cr.fetchone(), (2,), "log and protection stay with the owner")
            with self.assertRaises(psycopg2.errors.InsufficientPrivilege):
                cr.execute("DELETE FROM mrp_mmr_hardening.log")
        finding, = self._check_hardening()
        self.assertEqual(finding.severity, REMARK)
        self.assertRegex(finding.found, rf"^released by {SUPERUSER} since 2\d\d\d-")
        self.assertEqual(self._harden(check=True)[0], 1)
        status, text = self._harden(release=True)
        self.assertEqual(status, 2)
        self.assertIn("is not hardened", text)
        # As an update does.
        with contextlib.closing(connect(self.database)) as connection, connection, connection.cursor() as cr:
            guards.load(cr)
        status, text = self._harden(restore=True)
        self.assertEqual(status, 0, text)
        self.assertIn(f"HARDENED database {self.database}: Odoo runs as {self.running}, {self.owner} owns; restored", text)
        self.assertEqual(self._check_hardening(), [])
        self.assertEqual(self._harden(check=True)[0], 0)

    def test_broken(self):
        """SEC-080, H-23b, C-09: a hardening that was in force and is not complete is a finding, whatever of it is gone."""
        for query, expected in BREAKS:
            with self.subTest(query), self._session(SUPERUSER) as cr:
                cr.execute(self._name(query))
                found = [line for line, _found in find_gaps(cr, hardening.read_last(cr))]
                self.assertTrue(found)
                self.assertRegex('\n'.join(found), expected)
        with contextlib.closing(connect(self.database, SUPERUSER)) as connection, connection, connection.cursor() as cr:
            cr.execute("ALTER EVENT TRIGGER mrp_mmr_hardening_change DISABLE")
        findings = self._check_hardening()
        self.assertEqual({(finding.severity, finding.model) for finding in findings}, {(FINDING, 'database')})
        status, text = self._harden(check=True)
        self.assertEqual(status, 1)
        self.assertRegex(text, "MISSING expected the event trigger mrp_mmr_hardening_change.*\nBROKEN database")
        # Done again, it is whole.
        self.assertEqual(self._harden()[0], 0)
        self.assertEqual(self._check_hardening(), [])

    def test_server_as_another_role(self):
        """SEC-080: Odoo that runs as another role than the database was hardened for finds that in its own verification."""
        for user, expected in ((self.running, []), (SUPERUSER, [SUPERUSER])):
            with self._session(user) as cr:
                self.assertEqual(
                    [finding.found for finding in Verification(cr, 0).check_part('hardening')], expected)

    def test_process(self):
        """SEC-080: the command by itself: check, verification with and without, a copy of a hardened database."""
        checked = run_odoo('mrp_mmr', 'harden', '-d', self.database, '--check')
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)
        hardened = run_odoo('mrp_mmr', 'verify', '-d', self.database)
        self.assertEqual(hardened.returncode, 0, hardened.stdout + hardened.stderr)
        self.assertNotIn("(hardening)", hardened.stdout)
        self.assertEqual(hardening.read_last(db_connect(get_db_name()).cursor()), None)
        plain = run_odoo('mrp_mmr', 'verify', '-d', get_db_name())
        self.assertRegex(plain.stdout, r"REMARK database \(hardening\): .* the role that Odoo runs as can drop them")

    def test_server(self):
        """SEC-080: the server starts, its scheduled jobs and its clean-up run as the running role."""
        script = """
for name in ('base.autovacuum_job', 'mrp_mmr.ir_cron_seal', 'mrp_mmr.ir_cron_verify_evidence', 'mrp_mmr.ir_cron_activate_due'):
    env.ref(name).method_direct_trigger()
    env.cr.commit()
print('DONE', env['mrp.audit.verify'].search([], limit=1, order='id desc').state)
"""
        started = run_odoo('server', '-d', self.database, '--stop-after-init', '--no-http', '--log-level=warn')
        self.assertEqual(started.returncode, 0, started.stderr)
        self.assertNotRegex(started.stderr, 'ERROR|denied|Traceback')
        worked = run_odoo('shell', '-d', self.database, '--no-http', '--log-level=warn', input=script)
        self.assertEqual(worked.returncode, 0, worked.stderr)
        self.assertIn('DONE passed', worked.stdout, worked.stderr)
        self.assertNotRegex(worked.stderr, 'ERROR|denied|Traceback')

    def test_relations(self):
        """SEC-080: the owner has the tables of all models of the addon, and what links them; nobody else's."""
        registry = Registry(get_db_name())
        with registry.cursor() as cr:
            found = set(hardening.read_relations(cr))
            cr.execute("SELECT relname FROM pg_class WHERE relkind IN ('r', 'v') AND relnamespace = 'public'::regnamespace")
            tables = {name for name, in cr.fetchall()}
        own, others = set(), set()
        for model in registry.models.values():
            of_addon = model._original_module == 'mrp_mmr'
            if not model._abstract and not model._transient:
                (own if of_addon else others).add(model._table)
        self.assertLessEqual(own & tables, found)
        self.assertFalse(others & found)
        self.assertGreater(len(found), 50)
        guarded = {trigger.table for trigger in guards.triggers()}
        self.assertGreater(len(guarded - found), 10, "tables of Odoo that event triggers protect")


@tagged('post_install', '-at_install')
class TestHardenedWork(HardenedCopy, MmrCommon):
    """Odoo works in a hardened database, as the role that owns none of its records."""

    @classmethod
    def setUpClass(cls):
        cls._make_copy()
        expect(cls._harden()[0], 0)
        # Without the tests that Odoo runs when it loads a database.
        with patch.dict(config.options.maps[0], {'test_enable': False}):
            Registry(cls.database)
        cls.enterClassContext(patch.object(odoo.tests.common, 'get_db_name', lambda: cls.database))
        super().setUpClass()
        expect(cls.env.cr.dbname, cls.database)

    def test_a_batch(self):
        """SEC-080: masters are written, signed, superseded; a batch is made, with a deviation, reviewed and released."""
        revision = self._make_effective(self._create_mmr())
        bpr = self._release(self._make_completed())
        self.assertEqual(bpr.release_state, 'released')
        self.assertEqual(bpr.production_id.lot_producing_ids.mapped('mmr_status'), ['released'])
        order = self._create_order()
        order.action_confirm()
        _step, deviation = self._begin_batch(order.bpr_id)
        self.assertEqual(deviation.state, 'decided')
        self._cancel_batch(order)
        lot = self._create_held_lot("HELD")
        self.assertEqual(lot.mmr_status, 'quarantine')
        self.env['mrp.lot.destruction'].with_user(self.user_qc)._record(
            lot, self.env.ref('stock.stock_location_stock'), 3, "Burnt", "Wet")
        # Rows are deleted as before: a draft and all that belongs to it.
        draft = self._new_revision(revision)
        steps = draft.step_ids
        draft.with_user(self.user_preparer).unlink()
        self.assertFalse(steps.exists())
        self._ship(bpr.production_id.lot_producing_ids)
        self.env['mrp.audit.seal']._seal(self.company)
        self.env.flush_all()
        self.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.assertEqual(list(Verification(self.env.cr)), [])
        self.cr.execute("SELECT count(DISTINCT c.relname) FROM pg_class c JOIN pg_stat_xact_user_tables s ON s.relid = c.oid "
                        "WHERE s.n_tup_ins > 0 AND c.relowner = %s::regrole", [self.owner])
        self.assertGreater(self.cr.fetchone()[0], 15, "tables of the owner that the running role wrote")

    def test_drill(self):
        """SEC-080, AUD-030: the tamper drill tries guards as before; a missing right refuses what is the owner's alone."""
        self._make_effective(self._create_mmr())
        self._release(self._make_completed())
        self.registry_enter_test_mode()
        self.env.flush_all()
        results = drill.run(self.env.registry.cursor, self.company.id, self.env.ref('base.user_admin').id, drill.ATTACKS)
        tried = {act['key'] for act in results['acts'] if act['outcome'] in (drill.REFUSED, drill.FOUND)}
        self.assertGreater(len(tried), 40)
        self.assertEqual(
            {act['key'] for act in results['acts'] if 'InsufficientPrivilege' in str(act['by'])} - {'truncate_tables'},
            {'unguarded_ledger', 'unguarded_signature'})
        emptied, = (act for act in results['acts'] if act['key'] == 'truncate_tables')
        # A table of Odoo's without a record in it is no evidence.
        self.assertFalse(set(emptied['open']) & set(hardening.read_relations(self.env.cr)))
        self.assertGreater(emptied['held'], 60)

    def test_tables_at_work(self):
        """SEC-080: sequences of a warehouse, a field that a person adds, and a table that Odoo cleans up."""
        warehouse = self.env['stock.warehouse'].create({'name': "Second", 'code': "W2"})
        self.assertTrue(warehouse.in_type_id.sequence_id)
        self.env['ir.sequence'].create({'name': "Numbers", 'implementation': 'standard'})
        model = self.env['ir.model']._get('res.partner')
        self.env['ir.model.fields'].create({
            'name': 'x_hardened', 'model_id': model.id, 'ttype': 'char', 'field_description': "More"})
        partner = self.env['res.partner'].create({'name': "P", 'x_hardened': "x"})
        self.assertEqual(partner.x_hardened, "x")
        self.env['mrp.deviation.report'].create({'title': "T", 'description': "D"}).unlink()
