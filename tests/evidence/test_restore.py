"""A dump of PostgreSQL, restored somewhere else, verifies there; one changed byte does not (REC-060)."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from unittest import SkipTest

from odoo import SUPERUSER_ID, api
from odoo.sql_db import close_db, db_connect
from odoo.tests import get_db_name, tagged
from odoo.tools import SQL, mute_logger
from odoo.tools.misc import exec_pg_environ, find_pg_tool

from odoo.addons.mrp_mmr.verification.records import Verification

from ..common.base import PNG, CommittedCase, expect, run_odoo

#: Where Debian keeps the programs of its versions of PostgreSQL; ``pg_path`` of Odoo's settings comes first.
FOLDERS = '/usr/lib/postgresql'
#: What a change of one byte is done to: table, column, expression of the changed value.
CHANGES = [
    ('mrp_mmr_file', 'data', "set_byte(data, 9, get_byte(data, 9) # 1)"),
    ('mrp_audit_entry', 'user_name', "overlay(user_name placing '!' from 1)"),
    ('mrp_esignature', 'statement', "overlay(statement placing '!' from 1)"),
    ('mrp_mmr_revision', 'document', "replace(document::text, 'Dust', 'Rust')::jsonb"),
    ('mrp_production', 'mmr_snapshot', "replace(mmr_snapshot::text, 'Dust', 'Rust')::jsonb"),
]


def find_tool(name):
    """Return the path of one of PostgreSQL's programs.

    :raise SkipTest: where this machine has none
    """
    try:
        return find_pg_tool(name)
    except Exception:  # it is what Odoo raises
        versions = sorted(Path(FOLDERS).glob(f'[0-9]*/bin/{name}'), key=lambda path: -int(path.parts[-3]))
        if not versions:
            raise SkipTest(f"{name}, of the client programs of PostgreSQL, is not installed") from None
        return str(versions[0])


@tagged('post_install', '-at_install')
class TestRestore(CommittedCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tools = {name: find_tool(name) for name in ('pg_dump', 'pg_restore', 'createdb', 'dropdb')}
        cls.restored = f'{get_db_name()}_restored_{cls.tag}'
        cls.addClassCleanup(cls._call, 'dropdb', '--if-exists', cls.restored)
        cls.addClassCleanup(close_db, cls.restored)
        folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, folder)
        cls._commit_records()
        dump = f'{folder}/dump'
        cls._call('pg_dump', '--format=custom', '--compress=0', '--no-owner', f'--file={dump}', get_db_name())
        cls._call('createdb', '--template=template0', '--encoding=unicode', cls.restored)
        cls._call('pg_restore', '--no-owner', '--exit-on-error', f'--dbname={cls.restored}', dump)

    @classmethod
    def _call(cls, name, *arguments):
        result = subprocess.run(
            [cls.tools[name], *arguments], env=exec_pg_environ(), capture_output=True, text=True, timeout=300, check=False)
        if result.returncode:
            raise RuntimeError(f"{name}: {result.stderr}")

    @classmethod
    def _commit_records(cls):
        """Commit a released order of an effective revision with a label."""
        preparer, approver, _other = cls.users

        def prepare(env):
            revision = env['mrp.mmr.revision'].browse(cls._create_mmr(env, 100))
            revision.precautions = "Dust."
            revision.pack_ids.label_id = env['mrp.mmr.label'].create({
                'code': cls.tag, 'name': "Label", 'upload': PNG, 'upload_name': f"{cls.tag}.png"})
            return revision.id

        cls.revision = cls._run(preparer, prepare)
        for user, action in ((preparer, 'submit'), (approver, 'approve')):
            signature = cls._run(user, lambda env, action=action: cls._sign(env, cls.revision, action))
            expect(type(signature), int)

        def release(env):
            order = env['mrp.production'].create({'product_id': cls.product, 'product_qty': 100})
            order.action_confirm()
            return order.id

        cls.order = cls._run(preparer, release)
        expect(type(cls.order), int)

    def _changed(self, table):
        """Return model and id of the record that the tests change in ``table``."""
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            revision = env['mrp.mmr.revision'].browse(self.revision)
            record = {
                'mrp_mmr_file': revision.pack_ids.label_id.file_id, 'mrp_esignature': revision.approved_signature_id,
                'mrp_mmr_revision': revision, 'mrp_production': env['mrp.production'].browse(self.order),
                'mrp_audit_entry': env['mrp.audit.entry'].search([
                    ('res_model', '=', 'mrp.mmr'), ('res_id', '=', revision.mmr_id.id)], limit=1),
            }[table]
            return record._name, record.id

    def test_dump_and_restore(self):
        """REC-060: the restored database verifies by the command; after the change of one byte it does not, and says where."""
        intact = run_odoo('mrp_mmr', 'verify', '-d', self.restored)
        self.assertEqual(intact.returncode, 0, intact.stdout + intact.stderr)
        self.assertIn("PASSED", intact.stdout)
        # The copy is as well guarded as the original.
        with mute_logger('odoo.sql_db'), db_connect(self.restored).cursor() as cr:
            for table, column, value in CHANGES:
                with self.subTest(guarded=table), self.assertRaisesRegex(Exception, "append-only|REV-010|USE-020"), \
                        cr.savepoint(flush=False):
                    self._change(cr, table, column, value)
        for table, column, value in CHANGES:
            with self.subTest(changed=table), db_connect(self.restored).cursor() as cr:
                cr.execute(SQL("ALTER TABLE %s DISABLE TRIGGER USER", SQL.identifier(table)))
                self.assertEqual(self._change(cr, table, column, value), 1)
                self.assertIn(self._changed(table), [finding[:2] for finding in Verification(cr)])
                cr.rollback()
        # The last one stays, for the command to find.
        with db_connect(self.restored).cursor() as cr:
            cr.execute(SQL("ALTER TABLE %s DISABLE TRIGGER USER", SQL.identifier(table)))
            self._change(cr, table, column, value)
        changed = run_odoo('mrp_mmr', 'verify', '-d', self.restored)
        self.assertEqual(changed.returncode, 1, changed.stdout + changed.stderr)
        model, res_id = self._changed(table)
        self.assertIn(f"FINDING {model},{res_id}", changed.stdout)
        # In the original nothing changed.
        with self.registry.cursor() as cr:
            self.assertEqual(list(Verification(cr)), [])

    def _change(self, cr, table, column, value):
        cr.execute(SQL(
            "UPDATE %s SET %s = %s WHERE id = %s", SQL.identifier(table), SQL.identifier(column), SQL(value),
            self._changed(table)[1]))
        return cr.rowcount
