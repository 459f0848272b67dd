"""The PostgreSQL floor: what the files in guards/ say, and that nothing reads anything else instead."""

import re
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

import psycopg2
from psycopg2.errors import CheckViolation

from odoo.tests import tagged
from odoo.tools import SQL, config, mute_logger

from odoo.addons.mrp_mmr import guards
from odoo.addons.mrp_mmr.domain.columns import CONTENT, RECORD_ROWS, ROW_TABLES
from odoo.addons.mrp_mmr.domain.retention import REMOVED_COLUMNS

from ..common.base import MmrCommon

ADDON = Path(guards.__file__).resolve().parents[1]
#: Of the PostgreSQL that dev/ runs.
SUPERUSER = 'postgres'


@tagged('post_install', '-at_install')
class TestGuards(MmrCommon):

    # === FILES === #

    def test_files(self):
        """AUD-030: a file is about a table and says of each function which rule it holds, and where the ORM holds it."""
        self.cr.execute("SELECT relname FROM pg_class WHERE relkind = 'r'")
        tables = {name for name, in self.cr.fetchall()}
        for name, text in guards.sources().items():
            with self.subTest(file=name):
                self.assertTrue(name in tables or name.startswith('_'))
                self.assertRegex(text, r'\A-- .*\w')
                self.assertNotIn('OR REPLACE', text)
                self.assertEqual({table for table, _name, _function in guards.triggers() if table == name},
                                 set() if name.startswith('_') else {name})
                self.assertEqual(len(re.findall(r'^CREATE (?:CONSTRAINT )?TRIGGER ', text, re.MULTILINE)),
                                 sum(table == name for table, _name, _function in guards.triggers()))
                for function in re.findall(r'^CREATE FUNCTION (\w+)', text, re.MULTILINE):
                    comment = re.search(rf'((?:^-- .*\n)+)CREATE FUNCTION {function}\(', text, re.MULTILINE)
                    self.assertTrue(comment, function)
                    if function.startswith('mrp_mmr_guard') and function != 'mrp_mmr_guard_truncate':
                        self.assertRegex(comment[1].replace('\n-- ', ' '), r'[A-Z]{3}-\d{3}.*Also held in models/', function)
                for path in re.findall(r'models/[\w/]+\.py', text):
                    self.assertTrue((ADDON / path).is_file(), path)

    def test_one_home(self):
        """AUD-030: PL/pgSQL stands in guards/ only, and lists that Python reads as well stand in domain/."""
        paths = [path for path in ADDON.glob('[!.]*/**/*.py') if path.relative_to(ADDON).parts[0] not in ('guards', 'tests')]
        self.assertGreater(len(paths), 150)
        for path in paths:
            self.assertNotRegex(path.read_text(), r'CREATE (OR REPLACE )?(CONSTRAINT )?(FUNCTION|TRIGGER)', path)
        used = set(re.findall(r"\{\{'?(?:NEW\.|OLD\.)?([\w.]+)'?\}\}", ''.join(guards.sources().values())))
        self.assertEqual(used, {*guards.LISTS, 'shipped'})
        self.assertLessEqual({*CONTENT, *RECORD_ROWS, *ROW_TABLES}, {trigger.table for trigger in guards.triggers()})
        for text in guards.sources().values():
            self.assertNotIn('{{', guards.render(text, {}))

    def test_tables(self):
        """REV-010, AUD-030: whoever adopts a mixin of the addon has its guard."""
        names = {(trigger.table, trigger.function) for trigger in guards.triggers()}
        for mixin, function in (('mrp.audit.mixin', 'mrp_mmr_guard_truncate'), ('mrp.mmr.row.mixin', 'mrp_mmr_guard_row')):
            adopted = {model._table for model in self.env.values()
                       if isinstance(model, self.env.registry[mixin]) and not model._abstract}
            # What is only appended to is not emptied either.
            held = {table for table, name in names if name in (function, 'mrp_mmr_append_only')}
            self.assertEqual(adopted - held, set())
        self.assertEqual(set(ROW_TABLES), adopted)
        once = {model._table for model in self.env.values() if getattr(model, '_is_append_only', False) and not model._abstract}
        self.assertGreater(len(once), 4)
        held = {table for table, name in names if name in ('mrp_mmr_append_only', 'mrp_mmr_guard_chain')}
        self.assertEqual(once - held, set())

    def test_links(self):
        """REV-010: the arguments of the guard of rows are columns that point to the tables they say."""
        self.cr.execute("SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger "
                        "WHERE tgname = 'mrp_mmr_guard_row'")
        found = {table: re.findall(r"'(\w+)'", definition.partition('EXECUTE')[2]) for table, definition in self.cr.fetchall()}
        self.assertEqual(set(found), set(ROW_TABLES))
        for table, arguments in found.items():
            model = self.env[table.replace('_', '.')]
            # Every link to another row of a revision, or of its bill of materials, is looked at.
            self.assertEqual(dict(zip(arguments[::2], arguments[1::2], strict=True)), {
                name: self.env[field.comodel_name]._table for name, field in model._fields.items()
                if field.type == 'many2one' and field.store and not field.related and (
                    self.env[field.comodel_name]._table in (*ROW_TABLES, 'mrp_bom_line', 'mrp_routing_workcenter'))}, table)

    def test_names_of_constraints(self):
        """AUD-030: what refuses is named after one table, so that the name says whose rule it is."""
        tables = {}
        for table, _name, function in guards.triggers():
            tables.setdefault(function, set()).add(table)
        owners = {}
        self.cr.execute("SELECT proname, prosrc FROM pg_proc WHERE proname LIKE 'mrp_mmr_%'")
        for function, source in self.cr.fetchall():
            for name in re.findall(r"CONSTRAINT = '(\w+)'", source):
                owners.setdefault(name, set()).update(tables[function])
        self.assertGreater(len(owners), 100)
        self.assertEqual({name: found for name, found in owners.items() if len(found) > 1}, {})

    # === LOADER === #

    def test_search_path(self):
        """AUD-030, H-30: each function fixes its search path, temporary tables last; the loader refuses one that does not."""
        self.cr.execute("SELECT proname, proconfig FROM pg_proc WHERE proname LIKE 'mrp_mmr_%'")
        found = dict(self.cr.fetchall())
        self.assertGreater(len(found), 60)
        for name, settings in found.items():
            self.assertEqual(settings, ['search_path=pg_catalog, public, pg_temp'], name)
        text = "CREATE FUNCTION mrp_mmr_x() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN END $$;"
        with patch.object(guards, 'sources', lambda: {'x': text}), self.assertRaisesRegex(ValueError, "guards/x.sql"):
            guards.functions.__wrapped__()

    def _definitions(self):
        self.cr.execute("""
            SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname LIKE 'mrp_mmr_%'
             UNION ALL
            SELECT pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger WHERE tgname LIKE 'mrp_mmr_%'""")
        return sorted(definition for definition, in self.cr.fetchall())

    def test_update_of_an_older_version(self):
        """AUD-030: an update replaces what another version made: other arguments and results, lost, disabled, given up."""
        before = self._definitions()
        self.cr.execute("""
            DROP FUNCTION mrp_mmr_demanded;
            CREATE FUNCTION mrp_mmr_demanded(profile integer) RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$;
            CREATE FUNCTION mrp_mmr_demanded(rule varchar) RETURNS text LANGUAGE sql AS $$ SELECT 'x' $$;
            CREATE FUNCTION mrp_mmr_given_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
            CREATE TRIGGER mrp_mmr_given_up BEFORE INSERT ON mrp_sop FOR EACH ROW EXECUTE FUNCTION mrp_mmr_given_up();
            CREATE OR REPLACE FUNCTION mrp_mmr_guard_sop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
            ALTER TABLE mrp_sop DISABLE TRIGGER mrp_mmr_guard_sop;
            DROP TRIGGER mrp_mmr_guard_truncate ON mrp_sop""")
        self.assertNotEqual(self._definitions(), before)
        guards.load(self.cr)
        self.assertEqual(self._definitions(), before)

    def test_loaded_once(self):
        """AUD-030: one installation or update loads the files once, when the tables of all models are there."""
        calls = []
        with patch.object(type(self.registry), 'post_init', lambda _registry, *call: calls.append(call)):
            for model in self.env.values():
                if 'mrp_mmr' in model._original_module or isinstance(model, self.registry['mrp.audit.mixin']):
                    model.init()
        self.assertEqual([call for call in calls if call[0] is guards.load], [(guards.load, self.cr)])

    # === TEMPORARY TABLES === #

    def _attack(self, prepare, attack, constraint):
        """Execute ``prepare``, which makes temporary tables, and expect that ``attack`` is refused all the same.

        It goes through where the functions have no search path of their own: that is what holds.
        """
        self.env.flush_all()
        with self.cr.savepoint() as savepoint:
            self.cr.execute(prepare)
            with self.subTest(constraint), mute_logger('odoo.sql_db'), self.assertRaises(CheckViolation) as refused, \
                    self.cr.savepoint():
                self.cr.execute(attack)
            self.assertEqual(refused.exception.diag.constraint_name, constraint)
            self.cr.execute("SELECT oid::regprocedure::text FROM pg_proc WHERE proname LIKE 'mrp_mmr_%'")
            for name, in self.cr.fetchall():
                self.cr.execute(f'ALTER FUNCTION {name} RESET search_path')
            self.cr.execute(attack)
            savepoint.rollback()
        self.env.invalidate_all()

    def test_temporary_tables(self):
        """AUD-030, H-30: a temporary table of the name of a table of records is read by no guard."""
        self._make_effective(self._create_mmr())
        bpr = self._release(self._make_completed())
        self.component_a.write({'tracking': 'lot', 'mmr_lot_release': True})
        lot = self.env['stock.lot'].create({'name': "HELD", 'product_id': self.component_a.id})
        self.assertEqual(lot.mmr_status, 'quarantine')
        signature = bpr.release_signature_id
        entry = bpr.step_ids.entry_ids.filtered('value')[:1]
        step = bpr.step_ids[:1]
        line = bpr.mmr_revision_id.bom_line_ids[:1]
        forged = SQL("""
            CREATE TEMP TABLE mrp_esignature AS SELECT * FROM public.mrp_esignature WHERE id = %(signature)s;
            UPDATE pg_temp.mrp_esignature SET res_model = 'stock.lot', res_id = %(lot)s, content = jsonb_build_object(
                'schema', 'mrp_mmr/lot/1', 'status', 'released', 'lot', 'HELD',
                'product', jsonb_build_object('id', %(product)s))""",
            signature=signature.id, lot=lot.id, product=lot.product_id.id)
        for prepare, attack, constraint in (
                (forged, SQL("UPDATE public.stock_lot SET mmr_status = 'released', mmr_status_signature_id = %s "
                             "WHERE id = %s", signature.id, lot.id), 'mrp_mmr_lot_signed'),
                (SQL("CREATE TEMP TABLE mrp_bpr AS SELECT id, 0 AS disposal_id, 'none' AS release_state "
                     "FROM public.mrp_bpr"),
                 SQL("UPDATE public.mrp_bpr_entry SET %s WHERE id = %s", SQL(', ').join(
                     SQL("%s = NULL", SQL.identifier(name)) for name in REMOVED_COLUMNS['mrp_bpr_entry']), entry.id),
                 'mrp_mmr_bpr_entry_append_only'),
                (SQL("CREATE TEMP TABLE mrp_bpr AS SELECT id, state, 'none' AS release_state, NULL::integer AS disposal_id "
                     "FROM public.mrp_bpr"),
                 SQL("UPDATE public.mrp_bpr_step SET retest_count = retest_count + 1 WHERE id = %s", step.id),
                 'mrp_mmr_bpr_step_frozen'),
                (SQL("CREATE TEMP TABLE mrp_mmr_revision AS SELECT id, mmr_id, revision, bom_id, 'draft' AS state "
                     "FROM public.mrp_mmr_revision"),
                 SQL("UPDATE public.mrp_bom_line SET product_qty = product_qty + 1 WHERE id = %s", line.id),
                 'mrp_mmr_bom_line_content_frozen'),
                (SQL("CREATE TEMP TABLE mrp_mmr_revision AS SELECT id, mmr_id, revision, bom_id, 'draft' AS state "
                     "FROM public.mrp_mmr_revision"),
                 SQL("UPDATE public.mrp_mmr_step SET name = name WHERE id = %s", bpr.mmr_revision_id.step_ids[:1].id),
                 'mrp_mmr_step_content_frozen')):
            self._attack(prepare, attack, constraint)

    # === PLPGSQL_CHECK === #

    def test_plpgsql_check(self):
        """AUD-030: PostgreSQL's checker finds nothing wrong in any function, with each table that it guards."""
        # In a transaction of the superuser, who alone may create the extension; it is rolled back, and no dump holds it.
        with closing(psycopg2.connect(
                host=config['db_host'], port=config['db_port'], user=SUPERUSER, dbname=self.cr.dbname)) as connection:
            cr = connection.cursor()
            cr.execute("CREATE EXTENSION IF NOT EXISTS plpgsql_check")
            self._check_functions(cr)
            connection.rollback()

    def _check_functions(self, cr):
        cr.execute("""
            SELECT count(DISTINCT p.oid), array_agg(concat_ws(' ', p.proname, c.relname, 'line', f.lineno, f.level, f.message,
                                                              f.detail)) FILTER (WHERE f.message IS NOT NULL)
              FROM pg_proc p
              JOIN pg_language l ON l.oid = p.prolang AND l.lanname = 'plpgsql'
              LEFT JOIN (SELECT DISTINCT tgfoid, tgrelid, tgnewtable FROM pg_trigger) t ON t.tgfoid = p.oid
              LEFT JOIN pg_class c ON c.oid = t.tgrelid
              LEFT JOIN LATERAL plpgsql_check_function_tb(
                p.oid, COALESCE(t.tgrelid, 0), newtable => t.tgnewtable, other_warnings => true, extra_warnings => true,
                performance_warnings => true, security_warnings => true) f ON true
             WHERE p.proname LIKE 'mrp_mmr_%'""")
        checked, found = cr.fetchone()
        cr.execute("SELECT count(*) FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang "
                        "WHERE p.proname LIKE 'mrp_mmr_%' AND l.lanname = 'plpgsql'")
        self.assertEqual((checked,), cr.fetchone())
        self.assertGreater(checked, 55)
        self.assertEqual(found or [], [])
