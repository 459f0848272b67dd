"""Leave no trigger behind: tables of Odoo stay when the addon goes."""

from odoo.exceptions import UserError

TRIGGERS = {
    'mrp_bom': ('mrp_mmr_guard_bom',),
    'mrp_bom_line': ('mrp_mmr_guard_insert_delete', 'mrp_mmr_guard_update'),
    'mrp_bom_byproduct': ('mrp_mmr_guard_insert_delete', 'mrp_mmr_guard_update'),
    'mrp_routing_workcenter': ('mrp_mmr_guard_insert_delete', 'mrp_mmr_guard_update'),
    'mrp_routing_workcenter_dependencies_rel': ('mrp_mmr_guard_dependency',),
    'mrp_production': ('mrp_mmr_guard_production',),
    'mrp_mmr': ('mrp_mmr_guard_identity',),
    'mrp_mmr_revision': ('mrp_mmr_guard_revision',),
    'mrp_esignature': ('mrp_mmr_append_only', 'mrp_mmr_append_only_truncate'),
}
FUNCTIONS = (
    'mrp_mmr_guard_bom', 'mrp_mmr_guard_content', 'mrp_mmr_guard_production', 'mrp_mmr_guard_identity',
    'mrp_mmr_guard_revision', 'mrp_mmr_guard_dependency', 'mrp_mmr_append_only',
)


def uninstall_hook(env):
    """Refuse while signed records exist (AUD-030); else drop triggers and their functions."""
    if env['mrp.esignature'].search_count([]):
        raise UserError(env._(
            "Signed records exist; the addon stays installed. Rule: AUD-030, REC-040, 21 CFR 11.10(c), 111.605."))
    for table, names in TRIGGERS.items():
        for name in names:
            env.cr.execute(f'DROP TRIGGER IF EXISTS {name} ON "{table}"')
    for name in FUNCTIONS:
        env.cr.execute(f'DROP FUNCTION IF EXISTS {name}()')
