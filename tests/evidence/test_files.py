"""Files that come with a new record, as a form sends them: content and name at once (CON-160, REC-040)."""

import base64

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ..common.base import GIF, PNG, MmrCommon

PIXEL = base64.b64decode(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==')


@tagged('post_install', '-at_install')
class TestFiles(MmrCommon):

    def test_create_with_file(self):
        """A file of a new record keeps its name."""
        env = self.env(user=self.user_preparer)
        revision = self._create_mmr()
        image = base64.b64encode(PIXEL)
        section = {'revision_id': revision.id, 'code': 'device', 'upload': image, 'upload_name': "drawing.png"}
        step = {'revision_id': revision.id, 'operation_id': revision.operation_ids[0].id, 'name': "Look",
                'picture': image, 'picture_name': "look.png"}
        for model, vals, name in [
            ('mrp.mmr.label', {'code': "L-1", 'name': "Label", 'upload': image, 'upload_name': "label.png"}, "label.png"),
            ('mrp.sop', {'code': "S-1", 'name': "Procedure", 'upload': image, 'upload_name': "scan.png"}, "scan.png"),
            ('mrp.mmr.section', section, "drawing.png"),
            ('mrp.mmr.step', step, "look.png"),
        ]:
            with self.subTest(model):
                record = env[model].create(vals)
                self.assertEqual(record.file_id.name, name)
                self.assertTrue(record.file_id._is_intact())

    def test_refused(self):
        """The name does not make a program an image."""
        with self.assertRaisesRegex(UserError, "not a file of an allowed type"):
            self.env['mrp.mmr.label'].with_user(self.user_preparer).create({
                'code': "L-1", 'name': "Label", 'upload': base64.b64encode(b'<script>'), 'upload_name': "label.png"})

    def test_sizes_instead_of_content(self):
        """A client that asks for sizes of files saves content all the same."""
        labels = self.env['mrp.mmr.label'].with_user(self.user_preparer)
        for context in ({'bin_size': True}, {'bin_size_upload': True}, {}):
            with self.subTest(context):
                label = labels.with_context(**context).create({
                    'code': f"L-{len(context)}-{list(context)}", 'name': "Label", 'upload': PNG, 'upload_name': "a.png"})
                self.assertEqual(label.file_id.name, "a.png")
                label.write({'upload': GIF, 'upload_name': "b.gif"})
                self.env.invalidate_all()
                label = label.with_context(bin_size=False, bin_size_upload=False)
                self.assertEqual((label.file_id.name, label.upload), ("b.gif", GIF.encode()))
                label.with_context(**context).write({'upload_name': "c.gif"})
                self.assertEqual((label.file_id.name, label.upload), ("c.gif", GIF.encode()))
                label.with_context(**context).write({'upload': False})
                self.assertFalse(label.file_id)

    def test_files_of_other_companies(self):
        """Companies share the copy of a file, not the right to read it: neither directly nor through an own record."""
        company = self.env['res.company'].create({'name': "Other"})
        label = self.env['mrp.mmr.label'].create({
            'code': "L-1", 'name': "Label", 'company_id': company.id, 'upload': GIF, 'upload_name': "secret.gif"})
        revision = self._create_mmr()
        self.env.invalidate_all()
        env = self.env(user=self.user_preparer)
        file = env['mrp.mmr.file'].browse(label.file_id.id)
        self.assertNotIn(file, file.search([]))
        with self.assertRaises(AccessError):
            file.read(['name', 'data'])
        section = {'revision_id': revision.id, 'code': 'device'}
        step = {'revision_id': revision.id, 'operation_id': revision.operation_ids[0].id, 'name': "Look"}
        for model, vals in [('mrp.mmr.label', {'code': "L-1", 'name': "Label"}), ('mrp.mmr.section', section),
                            ('mrp.sop', {'code': "S-1", 'name': "Procedure"}), ('mrp.mmr.step', step)]:
            with self.subTest(model):
                with self.assertRaises(AccessError):
                    env[model].create(dict(vals, file_id=file.id))
                record = env[model].with_context(default_file_id=file.id).create(vals)
                self.assertFalse(record.file_id)
                with self.assertRaises(AccessError):
                    record.write({'file_id': file.id})
        # Who has the same file has it, and then reads the one copy.
        own = env['mrp.mmr.label'].create({'code': "L-2", 'name': "Label", 'upload': GIF, 'upload_name': "secret.gif"})
        self.assertEqual(own.file_id, file)
        self.assertEqual(file.name, "secret.gif")
        self.assertEqual(own.copy().file_id, file)

    def test_no_base64(self):
        """CON-070, 21 CFR 11.10(a): what is no base64 is refused wherever a file is uploaded, and broken lines are none."""
        no_files = ('é' * 8, 'Zm9', 'Zm9v!', '\ud800', ['Zm9v'], {'a': 1}, 5)
        files = self.env['mrp.mmr.file']
        for data in no_files:
            with self.subTest(data=data):
                with self.assertRaisesRegex(UserError, "label.png did not arrive as a file(?s:.*)CON-070"):
                    self.env['mrp.mmr.label'].with_user(self.user_preparer).create({
                        'code': "L-1", 'name': "Label", 'upload': data, 'upload_name': "label.png"})
                with self.assertRaisesRegex(UserError, "a.png did not arrive as a file"):
                    files._store("a.png", data)
        lines = base64.encodebytes(PIXEL)
        self.assertIn(b'\n', lines)
        self.assertEqual(files._store("lines.png", lines).sha256, files._store("one.png", base64.b64encode(PIXEL)).sha256)

    def test_no_base64_in_dialogs(self):
        """CON-070: a dialog hands what was uploaded to the record, which refuses it; nothing fails before."""
        revision = self._make_effective(self._create_mmr())
        order = self._create_order()
        order.action_confirm()
        self.assertTrue(revision and order.bpr_id)
        dialog = self.env['mrp.deviation.report'].with_user(self.user_operator).create({
            'bpr_id': order.bpr_id.id, 'title': "Smell", 'description': "Burnt.", 'upload': 'é' * 8, 'upload_name': "a.png"})
        with self.assertRaisesRegex(UserError, "a.png did not arrive as a file"):
            dialog.action_report()

    def test_names(self):
        """CON-070: something else than a file name is no name."""
        for name in (5, ['x'], 'a\0.png', '\ud800.png', ''):
            with self.subTest(name=name), self.assertRaisesRegex(UserError, "file is not a file of an allowed type"):
                self.env['mrp.mmr.file']._store(name, PNG)
