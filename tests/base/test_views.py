"""Views, menus and actions hold together."""

from lxml import etree

from odoo.tests import TransactionCase, tagged


@tagged('post_install', '-at_install')
class TestViews(TransactionCase):

    def test_lists_without_form(self):
        """PRD-090: lists open from menus, where there is no form around them: no column asks for one."""
        names = self.env['ir.model.data'].search([('module', '=', 'mrp_mmr'), ('model', '=', 'ir.ui.view')])
        views = self.env['ir.ui.view'].browse(names.mapped('res_id')).filtered(lambda view: view.type == 'list')
        self.assertGreater(len(views), 10)
        for view in views:
            with self.subTest(view.name):
                arch = etree.fromstring(view.arch)
                self.assertFalse([
                    field.get('name') for field in arch.findall('./field') if 'parent' in field.get('column_invisible', '')])
