"""Names of columns that several floors share: guards, models and the tamper drill (REV-010)."""

#: Columns that are content of a revision, by table. PostgreSQL freezes them when the revision is signed.
CONTENT = {
    'mrp_bom': (
        'product_tmpl_id', 'product_id', 'product_qty', 'product_uom_id', 'type', 'company_id', 'batch_size',
        'enable_batch_size', 'allow_operation_dependencies'),
    'mrp_bom_line': (
        'product_id', 'product_qty', 'gmp_qty', 'product_uom_id', 'bom_id', 'operation_id', 'sequence', 'mmr_base_qty',
        'mmr_is_active', 'mmr_is_declared', 'mmr_not_in_product', 'mmr_strength', 'mmr_strength_unit', 'mmr_supplier_id',
        'mmr_overage_kind', 'mmr_overage', 'mmr_overage_rationale', 'mmr_tolerance', 'mmr_tolerance_justification',
        'mmr_weighing_verified', 'mmr_addition_verified', 'mmr_to_review', 'mmr_assay_adjusted', 'mmr_assay_reference',
        'mmr_assay_unit', 'mmr_assay_basis', 'mmr_is_filler'),
    'mrp_bom_byproduct': ('product_id', 'product_qty', 'product_uom_id', 'bom_id', 'operation_id', 'sequence'),
    'mrp_routing_workcenter': (
        'name', 'workcenter_id', 'bom_id', 'sequence', 'active', 'mmr_instruction', 'mmr_stage', 'mmr_yield_control',
        'mmr_theoretical_yield', 'mmr_yield_uom_id', 'mmr_yield_min', 'mmr_yield_max', 'mmr_yield_rationale',
        'mmr_time_limit', 'mmr_hold_time', 'mmr_storage_conditions', 'mmr_yield_to_review'),
    'mrp_mmr_revision': (
        'change_category', 'description', 'reason', 'precautions', 'date_effective', 'product_description', 'dosage_form',
        'dosage_unit_weight', 'dosage_unit_weight_unit', 'process_rationale', 'theoretical_yield', 'yield_min', 'yield_max',
        'yield_rationale', 'yield_to_review', 'training_required'),
    'mrp_mmr_label': (
        'code', 'version', 'name', 'product_id', 'company_id', 'location', 'panel', 'claims', 'file_id'),
    'mrp_sop': ('code', 'version', 'kind', 'company_id', 'file_id'),
}

#: Tables whose rows exist for a revision alone: every column of theirs is content.
ROW_TABLES = (
    'mrp_mmr_step', 'mrp_mmr_step_check', 'mrp_mmr_specification', 'mrp_mmr_equipment', 'mrp_mmr_ingredient',
    'mrp_mmr_pack', 'mrp_mmr_pack_line', 'mrp_mmr_section', 'mrp_mmr_reference', 'mrp_mmr_answer',
)

_OF_REVISION = "EXISTS (SELECT FROM mrp_mmr_revision r WHERE r.bom_id = t.bom_id)"
#: SQL that tells which rows ``t`` of a table of Odoo are records; all of them where a table of the addon is not named.
RECORD_ROWS = {
    'mrp_bom': "EXISTS (SELECT FROM mrp_mmr_revision r WHERE r.bom_id = t.id)",
    'mrp_bom_line': _OF_REVISION,
    'mrp_bom_byproduct': _OF_REVISION,
    'mrp_routing_workcenter': _OF_REVISION,
    'mrp_routing_workcenter_dependencies_rel': (
        "EXISTS (SELECT FROM mrp_routing_workcenter o JOIN mrp_mmr_revision r ON r.bom_id = o.bom_id "
        "WHERE o.id = t.operation_id)"),
    'mrp_production': "t.mmr_snapshot IS NOT NULL",
    'stock_lot': "t.mmr_status IS NOT NULL",
    # What became of the lots that are records (REL-050).
    'stock_move_line': "t.lot_id IN (SELECT l.id FROM stock_lot l WHERE l.mmr_status IS NOT NULL)",
}
