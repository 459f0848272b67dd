"""Every field of every table that is content: frozen once signed, editable before, and in the signed document.

The lists are made from the models: a new field that is not guarded, or not in the document, fails here.
"""

from contextlib import contextmanager

from psycopg2.errors import CheckViolation

from odoo import Command, fields
from odoo.exceptions import UserError
from odoo.models import MAGIC_COLUMNS
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.mrp_mmr import guards
from odoo.addons.mrp_mmr.domain.canonical import sha256
from odoo.addons.mrp_mmr.models.base.exact_number import ExactNumber
from odoo.addons.mrp_mmr.models.master.revision.revision import SYSTEM_FIELDS

from ..common.base import GIF, MmrCommon, fill_content
from ..common.sampling import sample_cases

#: Core models that hold content, with the core fields that are content.
EXTENDED = {
    'mrp.bom': {'product_tmpl_id', 'product_id', 'product_qty', 'product_uom_id', 'type', 'company_id', 'batch_size',
                'enable_batch_size', 'allow_operation_dependencies', 'active'},
    'mrp.bom.line': {'product_id', 'product_qty', 'product_uom_id', 'bom_id', 'operation_id', 'sequence'},
    'mrp.bom.byproduct': {'product_id', 'product_qty', 'product_uom_id', 'bom_id', 'operation_id', 'sequence'},
    'mrp.routing.workcenter': {
        'name', 'workcenter_id', 'bom_id', 'sequence', 'active', 'blocked_by_operation_ids', 'needed_by_operation_ids'},
}
#: Fields that no edit of content is: set by the system or by Quality Control alone; each has its own test.
NOT_CONTENT = {
    'mrp.mmr.revision': SYSTEM_FIELDS | {'production_ids'},
    'mrp.bom': {'mmr_revision_ids'},
    'mrp.bom.line': {'mmr_overage_confirmed_id', 'mmr_overage_confirmed_at'},
}
#: Fields that do not move: where a row belongs, and what the bill of materials takes from the MMR.
FIXED = {
    'mrp.mmr.revision': {'mmr_id', 'bom_id'},
    'mrp.bom': EXTENDED['mrp.bom'] - {'allow_operation_dependencies'},
    'mrp.bom.line': {'bom_id'}, 'mrp.bom.byproduct': {'bom_id'}, 'mrp.routing.workcenter': {'bom_id'},
}
#: Content that is not in the document, and why.
NOT_IN_DOCUMENT = {
    # Marks that are all cleared before anything is signed (MMR-040).
    'mrp.mmr.revision': {'yield_to_review'},
    'mrp.bom.line': {'mmr_to_review'},
    'mrp.routing.workcenter': {'mmr_yield_to_review'},
}


@tagged('post_install', '-at_install')
class TestContentFrozen(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.material = cls.env['product.product'].create({
            'name': "HDPE bottle", 'type': 'consu', 'uom_id': cls.kg.id})
        cls.room = cls.env['mrp.workcenter'].create({'name': "Another room"})
        cls.draft, cls.signed = cls._create_mmr(500), cls._create_mmr(100)
        for revision in cls.draft | cls.signed:
            fill_content(revision, cls.material)
        cls._sign(cls.signed, 'submit', cls.user_preparer)
        cls.env.flush_all()
        equipment, category = 'maintenance.equipment', 'maintenance.equipment.category'
        document = cls.env['mrp.sop'].create({
            'code': 'X-1', 'name': "Another document", 'upload': GIF, 'upload_name': "another.gif"})
        cls.others = {
            'product.product': cls.component_other, 'uom.uom': cls.gram, 'mrp.workcenter': cls.room,
            'res.partner': cls.env['res.partner'].create({'name': "Another supplier"}),
            equipment: cls.env[equipment].create({'name': "Another blender"}),
            category: cls.env[category].create({'name': "Another class"}),
            'mrp.sop': document,
            'mrp.mmr.label': cls.env['mrp.mmr.label'].create({'code': 'X-1', 'name': "Another label", 'location': "Shelf"}),
            'mrp.mmr.file': document.file_id,
            'mrp.mmr.requirement': cls.env['mrp.mmr.requirement'].create({
                'profile_id': cls.signed.profile_id.id, 'code': 'OWN-2', 'citation': "Manual", 'name': "Halal",
                'enforcement': 'S'}),
            'product.template': cls.component_other.product_tmpl_id,
            'res.company': cls.env['res.company'].create({'name': "Another company"}),
            'mrp.mmr': cls.draft.mmr_id,
        }

    # === WHAT IS CONTENT === #

    def _models(self):
        """Return the models of content: whoever has the guard of the addon, and the revision itself."""
        names = sorted(name for name, model in self.env.registry.items()
                       if hasattr(model, '_mmr_content_fields') and not model._abstract)
        self.assertLess(set(EXTENDED), set(names))
        return ['mrp.mmr.revision', *names]

    def _fields(self, name):
        """Return the fields of a model that must be content, from their definition alone."""
        model = self.env[name]
        core = EXTENDED.get(name)
        result = []
        for field in model._fields.values():
            if field.name in MAGIC_COLUMNS or field.name in NOT_CONTENT.get(name, ()) or field.related:
                continue
            if core is not None and field.name not in core and 'mrp_mmr' not in field._modules:
                continue
            if 'mrp_mmr' not in field._modules and core is None:
                continue  # chatter
            if field.type == 'one2many' or not (field.store or field.inverse):
                continue  # rows are content themselves
            result.append(field)
        self.assertTrue(result, name)
        return result

    def _rows(self, revision, name):
        """Return the rows of a revision that the tests work on; two where there are two."""
        if name == 'mrp.mmr.revision':
            return revision
        if name == 'mrp.bom':
            return revision.bom_id
        owner = [('bom_id', '=', revision.bom_id.id)] if name in EXTENDED else [('revision_id', '=', revision.id)]
        order = None if 'sequence' not in self.env[name]._fields else 'sequence, id'
        rows = self.env[name].search(owner, order=order)
        if name == 'mrp.mmr.step':
            return rows.sorted(lambda row: row.name != "Moisture")
        if name == 'mrp.routing.workcenter':
            return rows.sorted(lambda row: row.name != "Blending")
        return rows

    def _row(self, revision, field):
        rows = self._rows(revision, field.model_name)
        if (field.model_name, field.name) == ('mrp.mmr.equipment', 'equipment_id'):
            rows = rows.filtered('equipment_id')
        if (field.model_name, field.name) == ('mrp.mmr.pack.line', 'pack_id'):
            rows = rows.sorted(lambda row: -row.sequence)
        if (field.model_name, field.name) == ('mrp.mmr.section', 'not_applicable_reason'):
            rows = rows.filtered('not_applicable_reason')
        if field.model_name == 'mrp.routing.workcenter' and field.name == 'sequence':
            rows = rows.sorted('sequence')
        if field.type == 'many2many' and field.store:
            rows = rows.filtered(field.name)
        self.assertTrue(rows, field)
        return rows[0]

    def _other(self, row, field):
        """Return another legal value for a field of a row."""
        name, value = field.name, row[field.name]
        if (row._name, name) == ('mrp.mmr.equipment', 'equipment_id'):
            return self.others[field.comodel_name].id
        special = {
            ('mrp.bom.line', 'mmr_overage_kind'): 'amount',
            ('mrp.mmr.step', 'kind'): 'environment', ('mrp.mmr.step', 'limit_kind'): 'nlt',
            ('mrp.mmr.specification', 'limit_kind'): 'nlt',
            ('mrp.mmr.section', 'code'): 'quality',
            ('mrp.bom', 'active'): True,
        }
        if (row._name, name) in special:
            return special[row._name, name]
        if isinstance(field, ExactNumber):
            return (value or 0) + 1
        if field.type in ('char', 'text'):
            # A changed file name keeps what the content is.
            return "changed " + (value or '')
        if field.type == 'integer':
            return value + 1000
        if field.type == 'float':
            return value + 0.5
        if field.type == 'boolean':
            return not value
        if field.type == 'selection':
            return next(key for key, _label in field._description_selection(self.env) if key != value)
        if field.type == 'date':
            return fields.Date.add(fields.Date.today(), days=9)
        if field.type == 'binary':
            return GIF
        if field.comodel_name in self.others and field.type == 'many2one':
            return self.others[field.comodel_name].id
        if field.comodel_name in self.others:
            return [Command.set(self.others[field.comodel_name].ids)]
        # Rows of the same revision.
        revision = row if row._name == 'mrp.mmr.revision' else row.sudo()._mmr_revisions()
        if field.comodel_name == 'mrp.mmr.revision':
            return (self.draft | self.signed - revision)[:1].id if revision == self.signed else self.signed.id
        if field.comodel_name == 'mrp.bom':
            return (self.draft if revision == self.signed else self.signed).bom_id.id
        rows = self._rows(revision, field.comodel_name) - value
        if row._name == rows._name:
            rows -= row
        if field.type == 'many2one':
            self.assertTrue(rows, f"another row for {field}")
            return rows[-1].id
        return [Command.clear()]

    def _values(self, row, field):
        vals = {field.name: self._other(row, field)}
        if (row._name, field.name) == ('mrp.mmr.equipment', 'equipment_id'):
            vals['category_id'] = False
        if (row._name, field.name) == ('mrp.mmr.equipment', 'category_id'):
            vals['equipment_id'] = False
        for upload, name in (('upload', 'upload_name'), ('picture', 'picture_name')):
            if field.name == upload:
                vals[name] = "another.gif"
        return vals

    @contextmanager
    def _undone(self):
        """Undo what is done inside."""
        with self.cr.savepoint() as savepoint:
            yield
            savepoint.rollback()
        self.env.invalidate_all()

    def _digest(self, revision):
        self.env.flush_all()
        self.env.invalidate_all()
        return sha256(revision._prepare_document())

    # === TESTS === #

    def test_fixture_is_full(self):
        """REV-010: the fixture has a row of every table of content, and a value in every field."""
        empty = {
            ('mrp.mmr.revision', 'date_effective'), ('mrp.mmr.revision', 'yield_to_review'),
            ('mrp.bom.line', 'mmr_not_in_product'), ('mrp.bom.line', 'mmr_to_review'),
            ('mrp.routing.workcenter', 'mmr_yield_to_review'), ('mrp.bom', 'active'),
            # Of steps that reconcile labels only.
            ('mrp.mmr.step', 'pack_id'),
            # Of components that are neither adjusted to an assay nor balance others.
            *(('mrp.bom.line', name) for name in (
                'mmr_stated_as', 'mmr_make_up_to', 'mmr_make_up_uom_id', 'mmr_make_up_value')),
        }
        for name in self._models():
            rows = self._rows(self.signed, name)
            self.assertTrue(rows, name)
            for field in self._fields(name):
                with self.subTest(model=name, field=field.name):
                    self.assertEqual(any(row[field.name] for row in rows.sudo()), (name, field.name) not in empty)

    def test_guard_knows_every_field(self):
        """REV-010: whatever is content by its definition is content to the guard as well."""
        for name in self._models()[1:]:
            content = self.env[name]._mmr_content_fields() | ({'active'} if name == 'mrp.bom' else set())
            for field in self._fields(name):
                with self.subTest(model=name, field=field.name):
                    self.assertIn(field.name, content)

    def test_orm(self):
        """REV-010, REV-040: nobody writes any field of content after submission, with or without sudo."""
        users = (self.user_preparer, self.user_qc, self.env.ref('base.user_admin'), self.user_manager)
        before, count = self._digest(self.signed), 0
        for name in self._models():
            for field in self._fields(name):
                row = self._row(self.signed, field)
                vals = self._values(row, field)
                for user in users:
                    with self.subTest(model=name, field=field.name, user=user.login), \
                            self.assertRaisesRegex(UserError, "REV-0[1245]0"):
                        row.with_user(user).sudo().with_context(
                            mmr_transition=True, install_mode=True, module='mrp_mmr', tracking_disable=True).write(vals)
                    count += 1
                with self.subTest(model=name, field=field.name, user='itself'), \
                        self.assertRefused('REV-010', 'REV-020', 'REV-050', 'SEC-010'):
                    row.with_user(self.user_qc).write(vals)
                with self.subTest(model=name, field=field.name, user='superuser'), \
                        self.assertRefused('REV-010', 'REV-020', 'REV-050'):
                    row.sudo().write(vals)
        self.assertGreater(count, 400)
        self.assertEqual(self._digest(self.signed), before)
        self.assertEqual(self.signed.document_sha256, before)

    def test_orm_create_and_unlink(self):
        """REV-010: no row is added to a signed revision or taken from it, by anybody."""
        users = (self.user_preparer, self.user_qc, self.env.ref('base.user_admin'))
        before = self._digest(self.signed)
        for name in self._models()[2:]:
            row = self._rows(self.signed, name)[0]
            [vals] = row.sudo().copy_data()
            vals = {key: value for key, value in vals.items() if key in row._fields and row._fields[key].store}
            vals.update({'bom_id': self.signed.bom_id.id} if name in EXTENDED else {'revision_id': self.signed.id})
            for user in users:
                with self.subTest(model=name, user=user.login):
                    with self.assertRaisesRegex(UserError, "REV-010"):
                        self.env[name].with_user(user).sudo().create(dict(vals))
                    with self.assertRaisesRegex(UserError, "REV-010"):
                        row.with_user(user).sudo().with_context(_force_unlink=True, install_mode=True).unlink()
            owner = 'bom_id' if name in EXTENDED else 'revision_id'
            with self.subTest(model=name, default=owner), self.assertRaisesRegex(UserError, "REV-010"):
                self.env[name].with_context(**{f'default_{owner}': vals[owner]}).create(
                    {key: value for key, value in vals.items() if key != owner})
        for name, rows in (('bom_line_ids', 'bom_line_ids'), ('step_ids', 'step_ids'), ('pack_ids', 'pack_ids')):
            with self.subTest(command=name), self.assertRaisesRegex(UserError, "REV-010"):
                self.signed.sudo().write({name: [Command.delete(self.signed[rows][0].id)]})
        self.assertEqual(self._digest(self.signed), before)

    def _columns(self, name):
        return [field for field in self._fields(name) if field.store and field.column_type]

    @mute_logger('odoo.sql_db')
    def _execute_refused(self, query, rule="REV-010"):
        with self.assertRaisesRegex(CheckViolation, rule), self.cr.savepoint(flush=False):
            self.cr.execute(query)

    def test_sql_update(self):
        """REV-010: PostgreSQL refuses an UPDATE of any column of content, alone, of a signed revision."""
        before, count = self._digest(self.signed), 0
        for name in self._models():
            table = SQL.identifier(self.env[name]._table)
            for field in self._columns(name):
                row = self._row(self.signed, field)
                value = field.convert_to_column(self._other(row, field), row)
                if (name, field.name) == ('mrp.bom', 'active'):
                    continue  # the status of the revision decides; test_bom_of_a_draft_is_not_usable
                with self.subTest(table=name, column=field.name):
                    self._execute_refused(SQL(
                        "UPDATE %s SET %s = %s WHERE id = %s", table, SQL.identifier(field.name), value, row.id))
                count += 1
        self.assertGreater(count, 120)
        self.assertEqual(self._digest(self.signed), before)

    def test_sql_insert_and_delete(self):
        """REV-010: PostgreSQL refuses INSERT and DELETE of rows of a signed revision, and of its relations."""
        for name in self._models()[2:]:
            table = SQL.identifier(self.env[name]._table)
            row = self._rows(self.signed, name)[0]
            columns = SQL(', ').join(
                SQL.identifier(field.name) for field in row._fields.values()
                if field.store and field.column_type and field.name != 'id')
            with self.subTest(table=name):
                self._execute_refused(SQL("INSERT INTO %s (%s) SELECT %s FROM %s WHERE id = %s", table, columns, columns,
                                          table, row.id))
                self._execute_refused(SQL("DELETE FROM %s WHERE id = %s", table, row.id))
            for field in self._fields(name):
                if field.type != 'many2many' or field.name == 'needed_by_operation_ids':
                    continue
                left, right = SQL.identifier(field.column1), SQL.identifier(field.column2)
                other = self.others.get(field.comodel_name) or self._rows(self.signed, field.comodel_name)[0]
                linked = self._row(self.signed, field)
                relation = SQL.identifier(field.relation)
                with self.subTest(relation=field.relation):
                    self.assertTrue(linked[field.name])
                    self._execute_refused(SQL(
                        "INSERT INTO %s (%s, %s) VALUES (%s, %s)", relation, left, right, linked.id, other.id))
                    self._execute_refused(SQL("DELETE FROM %s WHERE %s = %s", relation, left, linked.id))
                    self._execute_refused(SQL(
                        "UPDATE %s SET %s = %s WHERE %s = %s", relation, right, other.id, left, linked.id))

    def test_draft_and_document(self):
        """REV-040, USE-030: in a draft the preparer edits every field, and each is in the document that is signed."""
        before = self._digest(self.draft)
        cases = [(name, field) for name in self._models() for field in self._fields(name)
                 if field.name not in FIXED.get(name, ()) and field.name != 'revision_id']
        self.assertGreater(len(cases), 100)
        for name, field in sample_cases(self, cases, 0.3):
            row = self._row(self.draft, field)
            with self.subTest(model=name, field=field.name), self._undone():
                if field.name.startswith('mmr_make_up'):
                    row.write({'mmr_stated_as': 'make_up', 'mmr_make_up_to': '7'})
                start = self._digest(self.draft)
                row.with_user(self.user_preparer).write(self._values(row, field))
                after = self._digest(self.draft)
                if field.name in NOT_IN_DOCUMENT.get(name, ()):
                    self.assertEqual(after, start, "in the document now: take it from the list")
                else:
                    self.assertNotEqual(after, start, "not in the document")
        self.assertEqual(self._digest(self.draft), before)

    def test_draft_rows(self):
        """REV-040: in a draft the preparer adds and removes rows of every table."""
        before = self._digest(self.draft)
        for name in self._models()[2:]:
            row = self._rows(self.draft, name).with_user(self.user_preparer)[-1]
            with self.subTest(model=name), self._undone():
                row.unlink()
                self.assertNotEqual(self._digest(self.draft), before)

    def test_draft_goes_as_a_whole(self):
        """REC-040: a draft that nobody submitted is deleted with all its rows; a cancelled one keeps them for ever."""
        with self._undone():
            rows = {name: self._rows(self.draft, name) for name in self._models()[1:]}
            self.draft.with_user(self.user_preparer).unlink()
            self.env.flush_all()
            for name, records in rows.items():
                self.assertTrue(records)
                self.assertFalse(records.exists(), name)
        with self._undone():
            self.draft.mmr_id.with_user(self.user_preparer).unlink()
            self.assertFalse(self.draft.exists())
        self.draft.with_user(self.user_preparer).action_cancel()
        self.env.flush_all()
        for name in self._models()[2:]:
            row = self._rows(self.draft, name)[0]
            with self.subTest(model=name):
                self._execute_refused(SQL("DELETE FROM %s WHERE id = %s", SQL.identifier(row._table), row.id))
                with self.assertRaisesRegex(UserError, "REV-010"):
                    row.with_user(self.user_preparer).unlink()

    # === ROWS STAY WHERE THEY ARE === #

    def test_rows_do_not_move(self):
        """REV-010: no row leaves its revision for another one, not even from draft to draft, not even by SQL."""
        other = self._create_mmr(700)
        before = self._digest(self.draft), self._digest(other)
        for name in self._models()[2:]:
            self.env.invalidate_all()
            owner, target = ('bom_id', other.bom_id) if name in EXTENDED else ('revision_id', other)
            row = self._rows(self.draft, name)[-1]
            with self.subTest(model=name):
                with self.assertRaisesRegex(UserError, "REV-010"):
                    row.with_user(self.user_preparer).write({owner: target.id})
                self._execute_refused(SQL(
                    "UPDATE %s SET %s = %s WHERE id = %s", SQL.identifier(row._table), SQL.identifier(owner), target.id,
                    row.id))
        self.assertEqual((self._digest(self.draft), self._digest(other)), before)

    def test_rows_do_not_point_elsewhere(self):
        """REV-010: links between rows stay inside the revision, also by SQL, also in a draft."""
        count = 0
        content = set(self._models()[2:])
        for name in content:
            for field in self._fields(name):
                if field.comodel_name not in content or field.type != 'many2one':
                    continue
                row = self._row(self.draft, field)
                foreign = self._rows(self.signed, field.comodel_name)[0]
                with self.subTest(model=name, field=field.name):
                    with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "REV-010"), self._undone():
                        row.with_user(self.user_preparer).write({field.name: foreign.id})
                        self.env.flush_all()
                    self._execute_refused(SQL(
                        "UPDATE %s SET %s = %s WHERE id = %s", SQL.identifier(row._table), SQL.identifier(field.name),
                        foreign.id, row.id))
                count += 1
        self.assertGreaterEqual(count, 7)
        first, foreign = self._rows(self.draft, 'mrp.routing.workcenter')[0], self.signed.operation_ids[0]
        self._execute_refused(SQL(
            "INSERT INTO mrp_routing_workcenter_dependencies_rel (operation_id, blocked_by_id) VALUES (%s, %s)",
            first.id, foreign.id))

    # === DOCUMENTS, LABELS, FILES === #

    def test_documents_and_labels(self):
        """REV-010, CON-070, CON-190: what a signed revision refers to keeps what it is, by ORM and by SQL."""
        sops = self.signed.reference_ids.sop_id | self.signed.step_ids.sop_ids | self.signed.step_ids.method_id \
            | self.signed.specification_ids.document_id
        self.assertGreaterEqual(len(sops), 4)
        label = self.signed.pack_ids.label_id
        self.assertEqual(len(label), 1)
        free = {
            'mrp.sop': {'name', 'state', 'location'},
            'mrp.mmr.label': {'state', 'approved_signature_id'},
        }
        for record in [*sops, label]:
            for field in record._fields.values():
                if field.name in MAGIC_COLUMNS or 'mrp_mmr' not in field._modules or field.related \
                        or not (field.store or field.inverse) or field.name in free[record._name]:
                    continue
                vals = self._values(record, field)
                with self.subTest(record=record.display_name, field=field.name):
                    for user in (self.user_preparer, self.user_qc, self.env.ref('base.user_admin')):
                        with self.assertRaisesRegex(UserError, "REV-010"):
                            record.with_user(user).sudo().write(vals)
                    if field.store and field.column_type:
                        self._execute_refused(SQL(
                            "UPDATE %s SET %s = %s WHERE id = %s", SQL.identifier(record._table),
                            SQL.identifier(field.name), field.convert_to_column(vals[field.name], record), record.id))
            with self.subTest(unlink=record.display_name), self.assertRaisesRegex(UserError, "REV-010"):
                record.sudo().unlink()
        # The title of a document may be corrected: the signed one stands in the frozen document.
        sops[0].name = "New title"
        self.assertTrue(self.signed._is_content_signed())

    def test_files(self):
        """REV-010: a file is neither changed nor deleted nor replaced, by nobody and not by SQL."""
        file = self.signed.section_ids.file_id
        self.assertEqual(file, self.signed.step_ids.file_id)
        self.assertTrue(file._is_intact())
        for user in (self.user_preparer, self.user_qc, self.env.ref('base.user_admin')):
            for name in ('name', 'data', 'size', 'mimetype', 'sha256'):
                with self.assertRaisesRegex(UserError, "REV-010"):
                    file.with_user(user).sudo().write({name: file[name]})
            with self.assertRaisesRegex(UserError, "REC-040"):
                file.with_user(user).sudo().unlink()
            with self.assertRefused(core="duplicated or deleted"):
                file.with_user(user).sudo().copy()
            with self.assertRefused('AccessError', 'REV-010'):
                file.with_user(user).create({
                    'name': "x.png", 'data': GIF, 'size': 1, 'mimetype': 'image/png', 'sha256': '0'})
        for query in ("UPDATE mrp_mmr_file SET data = 'x' WHERE id = %s", "DELETE FROM mrp_mmr_file WHERE id = %s"):
            self._execute_refused(SQL(query, file.id), "append-only")
        # The same content again is the same file.
        self.assertEqual(self.env['mrp.mmr.file'].sudo()._store(file.name, file.with_context(bin_size=False).data), file)

    def test_triggers_are_listed(self):
        """AUD-030: the files in guards/ say of every trigger and function of the addon where it is made."""
        self.cr.execute("""
            SELECT c.relname, t.tgname, p.proname FROM pg_trigger t
              JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
             WHERE p.proname LIKE 'mrp_mmr_%' AND NOT t.tgisinternal""")
        found = self.cr.fetchall()
        self.assertGreater(len(found), 150)
        self.assertCountEqual(found, guards.triggers())
        self.cr.execute("SELECT proname FROM pg_proc WHERE proname LIKE 'mrp_mmr_%'")
        self.assertCountEqual([name for name, in self.cr.fetchall()], guards.functions())

    # === LIVE CONTENT AGAINST THE FROZEN DOCUMENT === #

    def test_names_may_change(self):
        """REV-010: names of what the document identifies may change; the revision stays usable."""
        requirement = self.signed.answer_ids.requirement_id
        for record, vals in (
                (self.kg, {'name': "kilogram"}), (self.component_a, {'name': "Ascorbic acid, fine"}),
                (self.component_a, {'default_code': "ASC-2"}), (self.workcenter, {'name': "Room 12"}),
                (requirement, {'name': "Allergens and gluten"}),
                (self.signed.bom_line_ids.mmr_supplier_id, {'name': "New Ltd."}),
                (self.signed.equipment_ids.equipment_id, {'name': "V-blender"}), (self.company, {'name': "Renamed Inc."}),
                (self.signed.profile_id, {'name': "Supplements"})):
            with self.subTest(record=record._name, vals=vals), self._undone():
                record.sudo().write(vals)
                self.assertTrue(self.signed._is_content_signed())
        with self.assertRaisesRegex(UserError, "a signed revision contains an answer to it"):
            requirement.with_user(self.user_qc).code = 'OWN-9'

    def test_document_ignores_hostile_context(self):
        """USE-030: no key of the context puts anything into the document or takes it out."""
        before = self._digest(self.draft)
        for context in ({'active_test': False}, {'lang': 'xx_XX'}, {'tz': 'Asia/Tokyo'}, {'bin_size': True},
                        {'mmr_short': True},
                        {'display_default_code': False}, {'prefetch_fields': False}):
            with self.subTest(context=context):
                self.assertEqual(sha256(self.draft.with_context(**context)._prepare_document()), before)
        archived = self._rows(self.draft, 'mrp.routing.workcenter').filtered(lambda row: row.name == "Blending")
        archived.with_user(self.user_preparer).active = False
        without = self._digest(self.draft)
        self.env.invalidate_all()
        self.assertEqual(sha256(self.draft.with_context(active_test=False)._prepare_document()), without)
        with self.assertRaisesRegex(UserError, "Blending is archived but still has steps or equipment"):
            self.draft.with_user(self.user_preparer).action_submit()
