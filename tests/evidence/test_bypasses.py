"""What PostgreSQL can be made to say or to hide is no way past verification: names, settings, row security (AUD-080)."""

from contextlib import closing, contextmanager

import psycopg2

from odoo.tests import tagged
from odoo.tools import config

from odoo.addons.mrp_mmr.verification.check_guards import GUARD
from odoo.addons.mrp_mmr.verification.records import Verification
from odoo.addons.mrp_mmr.verification.session import trusted_names

from ..common.base import MmrCommon

#: Of the PostgreSQL that dev/ runs.
SUPERUSER = 'postgres'


@tagged('post_install', '-at_install')
class TestBypasses(MmrCommon):

    @contextmanager
    def _after(self, *statements):
        """Do what the owner of the database could, and undo it."""
        with self.cr.savepoint() as savepoint:
            self.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for statement in statements:
                self.cr.execute(statement)
            yield
            savepoint.rollback()
        self.env.invalidate_all()

    def _found(self, part='guards'):
        return [finding for finding in Verification(self.cr).check_part(part) if finding]

    def _names(self, part='guards'):
        return {finding.name for finding in self._found(part) if finding.model == GUARD}

    # === NAMES === #

    def _lie_about_triggers(self):
        """Return SQL of a view that says of each trigger that it is enabled, and stands before the catalogue."""
        self.cr.execute("""SELECT string_agg(CASE attname WHEN 'tgenabled' THEN '''O''::"char" AS tgenabled'
                                                  ELSE quote_ident(attname) END, ', ' ORDER BY attnum)
                             FROM pg_attribute WHERE attrelid = 'pg_trigger'::regclass AND attnum > 0""")
        [columns] = self.cr.fetchone()
        return f"CREATE VIEW public.pg_trigger AS SELECT {columns} FROM pg_catalog.pg_trigger"

    def test_catalogue_that_lies(self):
        """C-27, AUD-080: a view before PostgreSQL's catalogue is not read; it and the guards that it hides are found."""
        self.assertEqual(self._found(), [])
        with self._after(
                self._lie_about_triggers(), "ALTER TABLE mrp_esignature DISABLE TRIGGER USER",
                "SET LOCAL search_path = public, pg_catalog"):
            names = self._names()
            self.assertIn('trigger mrp_mmr_append_only on mrp_esignature', names)
            self.assertIn('relation public.pg_trigger', names)

    def test_records_before_the_records(self):
        """C-28, AUD-080: copies in a schema that somebody's path names first are not read; they are found by their name."""
        revision = self._make_effective(self._create_mmr())
        self.env.flush_all()
        step = revision.step_ids[:1]
        self.assertTrue(step)
        self.assertEqual(self._found('mrp.mmr.step'), [])
        with self._after(
                "CREATE SCHEMA evil", "CREATE TABLE evil.mrp_mmr_step AS TABLE public.mrp_mmr_step",
                "CREATE FUNCTION evil.mrp_mmr_lies() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
                "ALTER TABLE public.mrp_mmr_step DISABLE TRIGGER USER",
                f"UPDATE public.mrp_mmr_step SET name = 'Sugar' WHERE id = {step.id}",
                "ALTER TABLE public.mrp_mmr_step ENABLE TRIGGER USER", "SET LOCAL search_path = evil, public"):
            self.assertIn(('mrp.mmr.step', step.id), {row[:2] for row in self._found('mrp.mmr.step')})
            self.assertLessEqual({'relation evil.mrp_mmr_step', 'function evil.mrp_mmr_lies'}, self._names())

    def test_look_alikes(self):
        """C-27, AUD-080: functions and operators with PostgreSQL's names, and tables named like its catalogue."""
        for statement, name in (
                ("CREATE FUNCTION public.md5(varchar) RETURNS text LANGUAGE sql AS 'SELECT NULL::text'",
                 'function md5(character varying)'),
                ("CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)",
                 'operator public.=(text,text)'),
                ("CREATE TABLE public.pg_proc (oid oid)", 'relation public.pg_proc'),
                ("CREATE TABLE public.pg_anything (oid oid)", 'relation public.pg_anything')):
            with self.subTest(statement), self._after(statement):
                self.assertEqual(self._names(), {name})

    def test_path_is_put_back(self):
        """AUD-080: a verification within a transaction of Odoo leaves the path as it was, and trusts it at no moment."""
        with self._after("SET LOCAL search_path = public"):
            verification = Verification(self.cr)
            with trusted_names(self.cr):
                self.cr.execute("SELECT current_setting('search_path'), current_setting('row_security')")
                self.assertEqual(self.cr.fetchone(), ('pg_catalog, public, pg_temp', 'off'))
            verification.estimate()
            self.assertEqual([step for step in verification if step.model == GUARD], [])
            self.cr.execute("SELECT current_setting('search_path'), current_setting('row_security')")
            self.assertEqual(self.cr.fetchone(), ('public', 'on'))

    # === SETTINGS AND RIGHTS === #

    def test_settings(self):
        """C-27, H-23b, AUD-080: what a role or the database sets for its sessions is found by its name."""
        self.cr.execute("SELECT quote_ident(current_user), current_user, quote_ident(current_database())")
        role, name, database = self.cr.fetchone()
        for setting, value in (
                ('search_path', 'public, pg_catalog'), ('row_security', 'off'), ('role', role),
                ('default_transaction_isolation', "'read committed'")):
            for target, of in ((f'ROLE {role}', f' of {name}'), (f'ROLE {role} IN DATABASE {database}', f' of {name}'),
                               (f'DATABASE {database}', '')):
                with self.subTest(setting, target=target), self._after(f"ALTER {target} SET {setting} = {value}"):
                    self.assertEqual(self._names(), {f'setting {setting}{of}'})
        for harmless in ("SET work_mem = '8MB'", "SET default_transaction_read_only = on"):
            with self._after(f"ALTER ROLE {role} {harmless}"):
                self.assertEqual(self._names(), set())

    def test_right_to_a_setting(self):
        """C-09, AUD-080: a right to sessions without triggers is found."""
        self.cr.execute("SELECT quote_ident(current_user), current_setting('server_version_num')::integer")
        role, version = self.cr.fetchone()
        if version < 150000:
            self.skipTest("PostgreSQL gives no right to a setting")
        with closing(psycopg2.connect(
                host=config['db_host'], port=config['db_port'], user=SUPERUSER, dbname=self.cr.dbname)) as connection:
            cr = connection.cursor()
            cr.execute(f"GRANT SET ON PARAMETER session_replication_role TO {role}")
            found = [finding.name for finding in Verification(cr).check_part('guards') if finding]
            connection.rollback()
        self.assertEqual(found, ['right to session_replication_role'])

    # === ROWS AND TABLES === #

    def test_row_security(self):
        """C-12, C-30, AUD-080: row security is found with its policies, whatever these let verification see."""
        with self._after(
                "CREATE TABLE zz_hide (x integer)", "ALTER TABLE mrp_deviation ENABLE ROW LEVEL SECURITY",
                "ALTER TABLE mrp_deviation FORCE ROW LEVEL SECURITY",
                "CREATE POLICY seen ON mrp_deviation USING (NOT EXISTS (SELECT FROM zz_hide))"):
            self.assertEqual(self._names(), {'row security of mrp_deviation', 'policy seen on mrp_deviation'})
        with self._after("ALTER TABLE res_groups ENABLE ROW LEVEL SECURITY"):
            self.assertEqual(self._names(), {'row security of res_groups'})

    def test_row_security_made_meanwhile(self):
        """C-30, AUD-080: a policy that is made while evidence is read is an error, and hides nothing."""
        with self._after(), trusted_names(self.cr):
            self.cr.execute("""ALTER TABLE mrp_deviation ENABLE ROW LEVEL SECURITY;
                               ALTER TABLE mrp_deviation FORCE ROW LEVEL SECURITY""")
            with self.assertRaisesRegex(psycopg2.errors.InsufficientPrivilege, "row-level security"), self.cr.savepoint():
                self.cr.execute("SELECT count(*) FROM mrp_deviation")

    def test_strange_parts(self):
        """C-07, C-11, AUD-080: triggers, rules and descendants that no guard is, and tables of another form, by their names."""
        for statements, names in (
                (["CREATE TRIGGER aaa BEFORE INSERT ON stock_move_line FOR EACH ROW "
                  "EXECUTE FUNCTION suppress_redundant_updates_trigger()"], {'trigger aaa on stock_move_line'}),
                (["CREATE TRIGGER zzz BEFORE INSERT ON mrp_audit_entry FOR EACH ROW "
                  "EXECUTE FUNCTION suppress_redundant_updates_trigger()"], {'trigger zzz on mrp_audit_entry'}),
                (["CREATE RULE nothing AS ON UPDATE TO stock_lot DO INSTEAD NOTHING"], {'rule nothing on stock_lot'}),
                (["CREATE TABLE public.more () INHERITS (mrp_bpr_entry)"], {'inheritance of mrp_bpr_entry'}),
                (["ALTER TABLE mrp_audit_verify_finding SET UNLOGGED"], {'table mrp_audit_verify_finding'})):
            with self.subTest(statements[0]), self._after(*statements):
                self.assertEqual(self._names(), names)
