"""Roles of people at a step, and the groups behind them."""

#: Who does and who checks; the groups behind them are those of SEC-010.
ROLES = [
    ('operator', "Operator"),
    ('verifier', "Verifier"),
    ('production', "Production responsible"),
    ('qc', "Quality Control"),
    ('qp', "Qualified Person"),
]

ROLE_GROUPS = {role: f'mrp_mmr.group_mmr_{role}' for role, _label in ROLES}

#: Names of the groups as the addon brings them, by which lines of the ledger may know a role that was renamed since.
SHIPPED_NAMES = {
    'group_mmr_auditor': "Auditor",
    'group_mmr_operator': "Operator",
    'group_mmr_preparer': "Preparer",
    'group_mmr_production': "Production Responsible",
    'group_mmr_qc': "Quality Control",
    'group_mmr_qp': "Qualified Person",
    'group_mmr_quality_manager': "Quality Manager",
    'group_mmr_security': "Security Administrator",
    'group_mmr_verifier': "Verifier",
}
