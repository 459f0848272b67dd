"""Menus by role: a handful on the floor, the own configuration for Quality Control, My Work first for everybody."""

from odoo.tests import new_test_user, tagged

from ..common.base import PASSWORD, MmrCommon


@tagged('post_install', '-at_install')
class TestMenus(MmrCommon):

    def _menus(self, groups):
        """Return the entries with an action in Manufacturing and Settings for a person of some groups, and the apps."""
        user = new_test_user(self.env, login=f"m_{groups[-30:]}", password=PASSWORD, groups=groups)
        menus = self.env['ir.ui.menu'].with_user(user).load_menus(False)
        found = []

        def walk(menu):
            if menu['action_id']:
                found.append(menu['xmlid'])
            for child in menu['children']:
                walk(menus[child])

        roots = [menu for menu in menus.values() if menu.get('xmlid') in ('mrp.menu_mrp_root', 'base.menu_administration')]
        for root in roots:
            walk(root)
        apps = {menus[child]['xmlid'] for child in menus['root']['children']}
        return found, apps

    def test_floor(self):
        """USR-010: operators and verifiers see a handful of entries, the first of which is My Work."""
        for role in ('operator', 'verifier'):
            found, apps = self._menus(f'mrp_mmr.group_mmr_{role}')
            self.assertEqual(found, [f'mrp_mmr.menu_mrp_{name}' for name in (
                'my_work', 'mmr_floor', 'mmr_running', 'wall', 'bpr', 'equipment', 'deviation', 'deviation_report')])
            self.assertNotIn('stock.menu_stock_root', apps)
        # Whoever works elsewhere as well has those menus, too.
        found, _apps = self._menus('mrp_mmr.group_mmr_operator,mrp_mmr.group_mmr_preparer')
        self.assertIn('mrp_mmr.menu_mrp_mmr', found)
        _found, apps = self._menus('mrp_mmr.group_mmr_operator,stock.group_stock_user')
        self.assertIn('stock.menu_stock_root', apps)

    def test_roles(self):
        """USR-010: My Work is the first entry of each role, and Quality Control reaches what it decides about."""
        for role in ('preparer', 'qc', 'production', 'qp', 'quality_manager', 'auditor'):
            self.assertEqual(self._menus(f'mrp_mmr.group_mmr_{role}')[0][0], 'mrp_mmr.menu_mrp_my_work', role)
        self.assertEqual(self._menus('mrp_mmr.group_mmr_security')[0][0], 'mrp_mmr.menu_mrp_my_work_security')
        qc, _apps = self._menus('mrp_mmr.group_mmr_qc,base.group_allow_export')
        configuration = {f'mrp_mmr.menu_mrp_{name}' for name in (
            'mmr_profile', 'mmr_requirement', 'mmr_reviewer', 'deviation_cause')}
        self.assertLessEqual(configuration, set(qc))
        planner, _apps = self._menus('mrp.group_mrp_user')
        self.assertFalse(configuration & set(planner))
        self.assertIn('mrp.menu_mrp_production_action', planner)
        self.assertNotIn('mrp_mmr.menu_mrp_audit_seal', planner)
        self.assertLess(len(planner), len(qc) / 2)
