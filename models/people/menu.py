"""Menus of people who work on the floor: a handful (USR-010). Rights are elsewhere: a menu keeps nobody out."""

from odoo import models

#: Roles whose work is on the shop floor.
FLOOR_ROLES = ('mrp_mmr.group_mmr_operator', 'mrp_mmr.group_mmr_verifier')
#: Roles with work elsewhere; whoever has one of them as well sees the menus of both.
OFFICE_ROLES = (
    'mrp_mmr.group_mmr_preparer', 'mrp_mmr.group_mmr_qc', 'mrp_mmr.group_mmr_production', 'mrp_mmr.group_mmr_qp',
    'mrp_mmr.group_mmr_quality_manager', 'mrp_mmr.group_mmr_auditor', 'mrp.group_mrp_manager')
#: What the floor does not need. Groups of a menu cannot say it: an operator is a manufacturing user like a planner.
OFFICE_MENUS = (
    'mrp.menu_mrp_manufacturing', 'mrp.mrp_planning_menu_root', 'mrp.menu_mrp_bom', 'mrp.menu_mrp_reporting',
    'mrp_mmr.menu_mmr_root', 'mrp_mmr.menu_stock_lot_release', 'stock.menu_stock_root', 'base.menu_management')


class IrUiMenu(models.Model):
    _inherit = 'ir.ui.menu'

    def _load_menus_blacklist(self):
        hidden = super()._load_menus_blacklist()
        if self._is_of_floor_only():
            hidden += [menu.id for menu in (self.env.ref(name, raise_if_not_found=False) for name in OFFICE_MENUS) if menu]
        return hidden

    def _is_of_floor_only(self):
        """Whether the person of the environment works on the shop floor and nowhere else."""
        user = self.env.user
        # Every manufacturing user is one of the warehouse; who works there was made one of it.
        return any(user.has_group(role) for role in FLOOR_ROLES) and not any(user.has_group(role) for role in OFFICE_ROLES) \
            and self.env.ref('stock.group_stock_user') not in user.sudo().group_ids
