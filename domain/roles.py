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
