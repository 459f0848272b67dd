"""Columns that guards, audit trail, verification and tamper drill agree on: what a signature fixes in each table."""

#: Content of a revision; PostgreSQL freezes it with the document (REV-010).
REVISION_COLUMNS = (
    'change_category', 'description', 'reason', 'precautions', 'date_effective', 'product_description', 'dosage_form',
    'dosage_unit_weight', 'dosage_unit_weight_unit', 'process_rationale', 'theoretical_yield', 'yield_min', 'yield_max',
    'yield_rationale', 'yield_to_review', 'training_required',
)

#: Content of the bill of materials that a revision owns, by table, as PostgreSQL lists columns.
BOM_COLUMNS = {
    'mrp_bom_line': (
        'product_id, product_qty, gmp_qty, product_uom_id, bom_id, operation_id, sequence, mmr_base_qty, '
        'mmr_is_active, mmr_is_declared, mmr_not_in_product, mmr_strength, mmr_strength_unit, mmr_supplier_id, '
        'mmr_overage_kind, mmr_overage, mmr_overage_rationale, mmr_tolerance, mmr_tolerance_justification, '
        'mmr_weighing_verified, mmr_addition_verified, mmr_to_review, mmr_assay_adjusted, mmr_assay_reference, '
        'mmr_assay_unit, mmr_assay_basis, mmr_is_filler'),
    'mrp_bom_byproduct': 'product_id, product_qty, product_uom_id, bom_id, operation_id, sequence',
    'mrp_routing_workcenter': (
        'name, workcenter_id, bom_id, sequence, active, mmr_instruction, mmr_stage, mmr_yield_control, '
        'mmr_theoretical_yield, mmr_yield_uom_id, mmr_yield_min, mmr_yield_max, mmr_yield_rationale, mmr_time_limit, '
        'mmr_hold_time, mmr_storage_conditions, mmr_yield_to_review'),
}

#: Tables whose rows are content of a revision.
ROW_TABLES = (
    'mrp_mmr_step', 'mrp_mmr_step_check', 'mrp_mmr_specification', 'mrp_mmr_equipment', 'mrp_mmr_ingredient',
    'mrp_mmr_pack', 'mrp_mmr_pack_line', 'mrp_mmr_section', 'mrp_mmr_reference', 'mrp_mmr_answer',
)

#: What of a version of a product label stays as Quality Control approved it (21 CFR 111.210(g)).
LABEL_COLUMNS = ('code', 'version', 'name', 'product_id', 'company_id', 'location', 'panel', 'claims', 'file_id')
