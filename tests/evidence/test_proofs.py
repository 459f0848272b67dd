"""The registry of evidence leaves no model and no column out; guards and keys are compared with what they were (AUD-080)."""

import re

from odoo.tests import new_test_user, tagged
from odoo.tools import SQL

from odoo.addons.mrp_mmr import guards
from odoo.addons.mrp_mmr.domain.columns import CONTENT, LOGGED_COLUMNS
from odoo.addons.mrp_mmr.domain.proofs import BOOKKEEPING, NO_EVIDENCE, PROOFS
from odoo.addons.mrp_mmr.verification.check_guards import GUARD
from odoo.addons.mrp_mmr.verification.guard_inventory import _plain, inventory_digest, read_inventory
from odoo.addons.mrp_mmr.verification.ledger import FINDING
from odoo.addons.mrp_mmr.verification.records import Verification

from ..common.base import PASSWORD, MmrCommon, enrol
from ..common.sampling import sample_cases


@tagged('post_install', '-at_install')
class TestRegistry(MmrCommon):

    def _columns(self, model):
        """Return the stored columns of a model that are the addon's, or content of a revision."""
        stored = {name for name, field in model._fields.items() if field.store and field.column_type}
        if model._original_module == 'mrp_mmr':
            return stored - set(BOOKKEEPING)
        return {name for name in stored if name.startswith('mmr_') or name in CONTENT.get(model._table, ())}

    def test_nothing_is_left_out(self):
        """AUD-080, H-31: each model and each stored column of the addon is proved in one way, or bears its reason."""
        audited = self.env.registry['mrp.audit.mixin']
        seen = set()
        for name, model in self.env.items():
            if model._abstract or model._transient or not model._auto:
                continue
            columns = self._columns(model)
            if not columns and not isinstance(model, audited):
                continue
            if name in NO_EVIDENCE:
                self.assertNotIn(name, PROOFS)
                continue
            with self.subTest(model=name):
                self.assertIn(name, PROOFS, "a model of evidence that nothing proves")
                proofs = PROOFS[name]
                said = [*proofs.proved(), *proofs.free]
                self.assertEqual(columns - set(said), set(), "columns that nothing proves")
                self.assertEqual(set(said) - {field.name for field in model._fields.values() if field.store}, set())
                self.assertEqual(len(said), len(set(said)), "a column is proved in one way")
                self.assertTrue(all(proofs.free.values()))
                self.assertEqual(proofs.is_core, model._original_module != 'mrp_mmr')
                relations = {field.name for field in model._fields.values() if field.store and field.type == 'many2many'
                             and (field.name.startswith('mmr_') or model._original_module == 'mrp_mmr')}
                self.assertLessEqual(relations - {'editor_ids', 'mmr_terminal_ids'}, set(proofs.links))
                for link, (relation, column, other) in proofs.links.items():
                    field = model._fields[link]
                    self.assertEqual((field.relation, field.column1, field.column2), (relation, column, other))
            seen.add(name)
        self.assertGreater(len(seen), 50)
        self.assertEqual(set(PROOFS) - {'stock.move.line'}, seen)

    def test_what_the_ledger_says(self):
        """AUD-080: what is compared with the ledger is what the ledger says, and all that bundles say is among it."""
        for name, proofs in PROOFS.items():
            model = self.env[name]
            if hasattr(model, '_audit_fields'):
                self.assertEqual(set(proofs.chain) - set(model._audit_fields()), set(), name)
                self.assertEqual(set(proofs.links) - set(model._audit_fields()), set(), name)
            self.assertLessEqual(set(LOGGED_COLUMNS.get(name, ())), set(proofs.chain), name)


@tagged('post_install', '-at_install')
class TestGuardInventory(MmrCommon):

    def _found(self):
        return [finding for finding in Verification(self.env.cr).check_part('guards') if finding]

    def _assert_named(self, statement, name):
        """A statement of PostgreSQL's owner is found by the name of the guard, and gone when it is undone."""
        with self.env.cr.savepoint(flush=True) as savepoint:
            self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
            self.env.cr.execute(statement)
            with self.subTest(statement=str(statement)[:120]):
                self.assertIn((GUARD, name), {(finding.model, finding.name) for finding in self._found()})
            savepoint.rollback()

    def test_untouched(self):
        """AUD-080: the guards that an update left verify; the ledger has them, and so has the next seal."""
        self.assertEqual(self._found(), [])
        line = self.env['mrp.audit.entry'].sudo().search(
            [('kind', '=', 'setting'), ('res_model', '=', 'res.company')]).filtered(lambda row: 'guards' in row.values)
        inventory = read_inventory(self.env.cr)
        self.assertEqual(line[0].values['guards']['new'], inventory)
        self.assertIn("functions, triggers", line[0].details)
        self.assertGreater(sum(name.startswith('trigger ') for name in inventory), 150)
        seal = self.env['mrp.audit.seal']._seal(self.company)
        self.assertEqual(seal.guards_sha256, inventory_digest(inventory))
        # Nothing to note: an update that changes no guard adds no line.
        before = self.env['mrp.audit.entry'].sudo().search_count([])
        self.env['mrp.audit.entry'].sudo()._note_guards()
        self.assertEqual(self.env['mrp.audit.entry'].sudo().search_count([]), before)

    def test_each_trigger(self):
        """AUD-080, H-31: each trigger dropped, disabled, or of another function, is found by its name."""
        for table, name, _function in sample_cases(self, guards.triggers(), 0.15):
            title = f'trigger {name} on {table}'
            for statement in ("DROP TRIGGER %s ON %s", "ALTER TABLE %(t)s DISABLE TRIGGER %(n)s",
                              "ALTER TABLE %(t)s ENABLE REPLICA TRIGGER %(n)s"):
                sql = statement % (name, table) if '%(t)s' not in statement else statement % {'t': table, 'n': name}
                self._assert_named(sql, title)

    def test_each_function(self):
        """AUD-080, H-31: each function with an empty body, another search path or the owner's rights is found by its name."""
        self.env.cr.execute("""SELECT p.proname, p.oid::regprocedure::text, pg_get_functiondef(p.oid), p.prosrc FROM pg_proc p
                                WHERE p.proname LIKE 'mrp\\_mmr\\_%' AND p.prokind = 'f' ORDER BY 1""")
        rows = self.env.cr.fetchall()
        self.assertGreater(len(rows), 100)
        for name, signature, definition, source in sample_cases(self, rows, 0.15):
            without_value = re.search(r'RETURNS (SETOF|TABLE|void)', definition)
            body = "\nBEGIN RETURN; END " if without_value else "\nBEGIN RETURN NULL; END "
            if 'LANGUAGE plpgsql' in definition:
                self._assert_named(definition.replace(source, body), f'function {name}')
            self._assert_named(f"ALTER FUNCTION {signature} RESET search_path", f'function {name}')
            self._assert_named(f"ALTER FUNCTION {signature} SECURITY DEFINER", next(
                title for title in read_inventory(self.env.cr) if title.startswith(f'function {name}(')))

    def test_constraints(self):
        """AUD-080, H-31: a constraint, a unique index or a required column that is gone is found by its name."""
        inventory = read_inventory(self.env.cr)
        cases = [re.fullmatch(r'(constraint|index|column) (\S+) (?:on|of) (\S+)', name) for name in inventory]
        self.env.cr.execute("""SELECT i.indrelid::regclass::text, a.attname FROM pg_index i JOIN pg_attribute a
                                   ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey) WHERE i.indisprimary""")
        keys = set(self.env.cr.fetchall())      # PostgreSQL itself keeps these
        constraints = {match[2] for match in cases if match and match[1] == 'constraint'}
        cases = [match for match in cases if match and not match[2].endswith('_pkey') and (match[3], match[2]) not in keys
                 and not (match[1] == 'index' and match[2] in constraints)]
        self.assertGreater(len(cases), 700)
        for match in sample_cases(self, cases, 0.04):
            kind, name, table = match.groups()
            self._assert_named({
                'constraint': f'ALTER TABLE {table} DROP CONSTRAINT "{name}" CASCADE', 'index': f'DROP INDEX "{name}"',
                'column': f'ALTER TABLE {table} ALTER COLUMN "{name}" DROP NOT NULL'}[kind], match[0])
        self._assert_named("ALTER TABLE mrp_sop DROP CONSTRAINT IF EXISTS mrp_sop_x; CREATE TRIGGER mrp_mmr_x BEFORE UPDATE ON "
                           "mrp_sop FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_sop()", 'trigger mrp_mmr_x on mrp_sop')

    def test_bypasses(self):
        """AUD-080, H-31: a rule that swallows statements, and a session that has no triggers, are found."""
        self._assert_named("CREATE RULE quiet AS ON UPDATE TO mrp_bpr_entry DO INSTEAD NOTHING", 'rule quiet on mrp_bpr_entry')

    def test_forms_of_postgresql(self):
        """AUD-080: a constraint has one digest, before and after a restore of the database."""
        fresh = "CHECK (((kind)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])))"
        restored = "CHECK (((kind)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text])))"
        self.assertEqual(_plain(fresh), _plain(restored))
        self.assertNotEqual(_plain(fresh), _plain(fresh.replace("'b'", "'c'")))
        self.assertNotEqual(_plain("CHECK (((a OR b) AND c))"), _plain("CHECK ((a OR (b AND c)))"))

    def test_sealed_guards(self):
        """AUD-080, H-31: guards that were altered while a seal was made are found by that seal, also when they are back."""
        with self.env.cr.savepoint(flush=True) as savepoint:
            self.env.cr.execute("ALTER TABLE mrp_sop DISABLE TRIGGER mrp_mmr_guard_sop")
            seal = self.env['mrp.audit.seal']._seal(self.company)
            self.env.cr.execute("ALTER TABLE mrp_sop ENABLE TRIGGER mrp_mmr_guard_sop")
            self.assertEqual([(finding.model, finding.res_id) for finding in self._found()], [('mrp.audit.seal', seal.id)])
            savepoint.rollback()


@tagged('post_install', '-at_install')
class TestSealedKeys(MmrCommon):

    def _found(self):
        self.env.flush_all()
        return {(finding.model, finding.res_id) for finding in Verification(self.env.cr)
                if finding.severity == FINDING and finding.model != GUARD}

    def test_keys(self):
        """SIG-110, SIG-120, AUD-080: each key is in the seal with what became of it; one that vanished is found."""
        user = enrol(new_test_user(
            self.env, login='t_sealed', password=PASSWORD, groups='mrp_mmr.group_mmr_operator', tz='UTC'))
        key = self.env['mrp.signer.key'].sudo().search([('user_id', '=', user.id)], limit=1)
        seal = self.env['mrp.audit.seal']._seal(self.company)
        row = next(row for row in seal.keys if row[0] == key.fingerprint)
        self.assertEqual(row, [key.fingerprint, key.id, user.id, key.enrolment_id.id or None,
                               'approved' if key.enrolment_id else None])
        self.assertIn(key.fingerprint, seal.key_details)
        self.assertEqual(len(seal.keys), self.env['mrp.signer.key'].sudo().search_count([('company_id', '=', self.company.id)]))
        self.assertEqual(self._found(), set())
        for statement in (SQL("DELETE FROM mrp_signer_key WHERE id = %s", key.id),
                          SQL("UPDATE mrp_signer_key SET user_id = %s WHERE id = %s", self.user_qc.id, key.id),
                          SQL("UPDATE mrp_signer_key SET fingerprint = %s WHERE id = %s", '0' * 64, key.id)):
            with self.subTest(statement=statement.code), self.env.cr.savepoint(flush=True) as savepoint:
                self.env.cr.execute("ALTER TABLE mrp_signer_key DISABLE TRIGGER USER")
                self.env.cr.execute("DELETE FROM mrp_signer_secret WHERE key_id = %s", [key.id])
                self.env.cr.execute(statement)
                self.assertIn(('mrp.signer.key', key.id), self._found())
                savepoint.rollback()
