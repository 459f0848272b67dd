"""Version 19.0.2.0.0: numbers that people write become exact (NUM-020). Called by its migration script, before the models load.

Zero meant blank in columns of floats. What a signed document says is kept: where a revision froze '0' for a row, the row has
'0'; elsewhere a zero that nobody wrote becomes a blank. Not a row is updated.
"""
from odoo.tools import SQL

from .exact_number_column import convert_to_exact

#: Limits that the kind of a criterion uses; the others meant nothing.
_LOWER = SQL("limit_kind IS NOT NULL AND limit_kind IN ('range', 'nlt')")
_UPPER = SQL("limit_kind IS NOT NULL AND limit_kind IN ('range', 'nmt')")
_TARGET = SQL("has_target IS TRUE AND limit_kind IS NOT NULL AND limit_kind IN ('range', 'nlt', 'nmt')")
_PLAUSIBLE = SQL("has_plausibility IS TRUE")
_SAMPLE = SQL("sample_required IS TRUE OR kind = 'sampling'")
_LIMITS = {'minimum': _LOWER, 'maximum': _UPPER, 'target': _TARGET}


def _with_unit(column):
    return SQL("COALESCE(%s, '') <> ''", SQL.identifier(column))


#: A blank is '0' in the document, whether it is a zero or none here.
_YIELD = dict.fromkeys(('theoretical_yield', 'yield_min', 'yield_max'), SQL("FALSE"))
#: By table, the columns and the condition under which a blank was signed as zero.
SIGNED_AS_ZERO = {
    'mrp_mmr_specification': _LIMITS,
    'mrp_mmr_step': {**_LIMITS, 'plausible_min': _PLAUSIBLE, 'plausible_max': _PLAUSIBLE, 'sample_size': _SAMPLE,
                     'minimum_time': SQL("FALSE"), 'time_limit': SQL("FALSE")},
    'mrp_bom_line': {
        'gmp_qty': SQL("FALSE"), 'mmr_overage': SQL("FALSE"), 'mmr_tolerance': SQL("FALSE"),
        'mmr_strength': _with_unit('mmr_strength_unit'),
        'mmr_assay_reference': SQL("mmr_assay_adjusted IS TRUE")},
    'mrp_mmr_ingredient': {'amount': _with_unit('amount_unit')},
    'mrp_mmr_revision': {'dosage_unit_weight': _with_unit('dosage_unit_weight_unit'), **_YIELD},
    'mrp_routing_workcenter': {f'mmr_{name}': condition for name, condition in {
        **_YIELD, 'time_limit': SQL("FALSE"), 'hold_time': SQL("FALSE")}.items()},
    'mrp_mmr_pack': {'quantity': SQL("TRUE")},
    'mrp_mmr_pack_line': {'quantity': SQL("TRUE")},
    # Nought was no assay, and no moisture.
    'stock_lot': {'mmr_assay': SQL("FALSE"), 'mmr_assay_moisture': SQL("FALSE")},
}


def convert_masters(cr):
    """Convert the columns of :data:`SIGNED_AS_ZERO`; those that are converted already are skipped."""
    for table, columns in SIGNED_AS_ZERO.items():
        convert_to_exact(
            cr, table, list(columns), zero_where=columns,
            blank_where={name: SQL("COALESCE(%s, 0) = 0 AND NOT (%s)", SQL.identifier(name), condition)
                         for name, condition in columns.items()})
