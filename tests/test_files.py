"""Files that come with a new record, as a form sends them: content and name at once."""

import base64

from odoo.exceptions import UserError
from odoo.tests import tagged

from .common import MmrCommon

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
        with self.assertRaisesRegex(UserError, "no file of an allowed type"):
            self.env['mrp.mmr.label'].with_user(self.user_preparer).create({
                'code': "L-1", 'name': "Label", 'upload': base64.b64encode(b'<script>'), 'upload_name': "label.png"})
