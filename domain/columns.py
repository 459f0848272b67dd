"""Columns that guards, models, audit trail, verification and tamper drill agree on: what a signature fixes in each table."""

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
        'mmr_assay_unit', 'mmr_assay_basis', 'mmr_is_filler', 'mmr_stated_as', 'mmr_make_up_to', 'mmr_make_up_uom_id',
        'mmr_make_up_value'),
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
    'stock_move': "EXISTS (SELECT FROM mrp_bpr b WHERE b.production_id IN (t.raw_material_production_id, t.production_id))",
    'stock_quant': "t.lot_id IN (SELECT l.id FROM stock_lot l WHERE l.mmr_status IS NOT NULL)",
    # What became of the lots that are records (REL-050).
    'stock_move_line': "t.lot_id IN (SELECT l.id FROM stock_lot l WHERE l.mmr_status IS NOT NULL)",
}

#: Columns of records that must say what the ledger said last about them; links are compared by id.
LOGGED_COLUMNS = {
    'mrp.mmr': ('name', 'active', 'product_id', 'formulation_code', 'batch_size', 'uom_id', 'profile_id', 'company_id'),
    'mrp.mmr.revision': (
        'mmr_id', 'revision', 'bom_id', 'state', 'submitted_once', 'document_sha256', 'prepared_signature_id',
        'approved_signature_id', 'retired_signature_id', 'effective_at', 'ended_at', 'training_required'),
    'mrp.mmr.review': ('revision_id', 'name', 'group_id', 'prepared_signature_id', 'signature_id'),
    'mrp.mmr.label': (
        'code', 'version', 'name', 'product_id', 'company_id', 'state', 'file_id', 'location', 'panel', 'claims',
        'approved_signature_id'),
    'mrp.qualification': (
        'company_id', 'user_id', 'kind', 'group_id', 'revision_id', 'sop_id', 'valid_from', 'valid_to', 'evidence', 'file_id',
        'granted_by_id', 'granted_at', 'revoked_at', 'revoked_by_id', 'revoke_reason'),
    'mrp.production': ('mmr_snapshot_sha256', 'mmr_revision_id', 'mmr_decision', 'mmr_decision_signature_id'),
    'mrp.sop': ('code', 'version', 'name', 'kind', 'state', 'company_id', 'location', 'file_id'),
    'mrp.mmr.profile': ('code', 'citation', 'review_interval'),
    'mrp.mmr.requirement': ('code', 'scope', 'profile_id', 'company_id', 'citation', 'enforcement', 'check', 'enabled'),
    'mrp.mmr.reviewer': ('name', 'sequence', 'group_id', 'profile_id', 'company_id', 'active', 'enabled'),
    'mrp.bpr': (
        'state', 'plan_sha256', 'issue_signature_id', 'started_at', 'completed_at', 'release_state', 'review_signature_id',
        'production_signature_id', 'certification_signature_id', 'release_signature_id', 'packed_release_signature_id',
        'packed_state', 'released_at', 'document_sha256', 'quantity_released', 'cancelled_at', 'disposal_id'),
    'mrp.bpr.distribution': (
        'bpr_id', 'company_id', 'product_id', 'lot_id', 'lot_name', 'kind', 'quantity', 'unit', 'customer_name',
        'transfer_name', 'origin', 'date', 'line_ref'),
    'mrp.legal.hold': (
        'name', 'company_id', 'bpr_id', 'mmr_id', 'reason', 'recorded_by_id', 'recorded_at', 'signature_id',
        'lift_signature_id'),
    'mrp.record.disposal': (
        'name', 'company_id', 'reason', 'selection', 'recorded_by_id', 'recorded_at', 'signature_id'),
    'mrp.bpr.result': (
        'bpr_id', 'company_id', 'position', 'name', 'criterion_label', 'kind', 'value', 'compared', 'unit', 'outcome', 'text',
        'reference', 'file_id', 'user_id', 'user_name', 'at', 'supersedes_id', 'reason', 'signature_id', 'retest_signature_id',
        'retest_of_id'),
    'mrp.bpr.sample': (
        'bpr_id', 'company_id', 'kind', 'pack', 'name', 'lot_name', 'quantity', 'unit', 'test_quantity', 'container',
        'location', 'keep_until', 'reason', 'user_id', 'user_name', 'at', 'supersedes_id'),
    'mrp.lot.destruction': (
        'name', 'company_id', 'lot_id', 'product_id', 'location_id', 'quantity', 'uom_id', 'method', 'reason',
        'recorded_by_id', 'recorded_at', 'signature_id', 'move_id'),
    'mrp.bpr.step': (
        'state', 'started_at', 'started_by_id', 'precaution_acknowledged', 'closed_at', 'retest_count',
        'performed_signature_id', 'verified_signature_id', 'added_signature_id', 'addition_verified_signature_id',
        'hold_signature_id'),
    'mrp.bpr.entry': (
        'step_id', 'bpr_id', 'company_id', 'kind', 'position', 'value', 'unit', 'text', 'data', 'outcome', 'lot_id', 'lot_name',
        'equipment_id', 'equipment_name', 'file_id', 'device', 'user_id', 'user_name', 'at', 'supersedes_id', 'about_id',
        'reason', 'is_late', 'to_sign'),
    'mrp.deviation': (
        'name', 'title', 'company_id', 'profile_id', 'source', 'severity', 'state', 'bpr_id', 'product_id', 'lot_id',
        'equipment_id', 'equipment_log_id', 'step_id', 'entry_id', 'result_id', 'stage_name', 'cause_key', 'description',
        'file_id', 'corrective_action', 'is_blocking', 'reported_by_id', 'reported_at', 'investigator_id', 'due_date',
        'cause_id', 'cause', 'quality_effect', 'label_effect', 'correction', 'material_fate', 'scientific_reason',
        'procedure_id', 'identity_result', 'test_finding', 'disposition', 'decision_signature_id', 'closing_signature_id',
        'capa_id', 'no_capa_reason'),
    'mrp.deviation.contributor': ('deviation_id', 'user_id', 'contribution', 'signature_id'),
    'mrp.deviation.batch': (
        'deviation_id', 'company_id', 'bpr_id', 'reason', 'assessment', 'text', 'assessed_by_id', 'assessed_at'),
    'mrp.bpr.rework': (
        'deviation_id', 'bpr_id', 'company_id', 'kind', 'lot_id', 'lot_name', 'quantity', 'unit', 'text', 'user_id',
        'user_name', 'at'),
    'mrp.capa': (
        'name', 'title', 'company_id', 'state', 'owner_id', 'cause_id', 'cause', 'effectiveness_criterion',
        'effectiveness_due', 'effectiveness_result', 'effectiveness_text', 'checked_by_id', 'checked_at',
        'closing_signature_id'),
    'mrp.capa.action': (
        'capa_id', 'name', 'kind', 'owner_id', 'due_date', 'result', 'done_by_id', 'done_at'),
    'mrp.quality.review': (
        'name', 'company_id', 'date_from', 'date_to', 'grouping_reason', 'state', 'conclusion', 'actions', 'other_information',
        'document_sha256', 'prepared_signature_id', 'approved_signature_id'),
    'mrp.signer.key': (
        'user_id', 'company_id', 'user_name', 'user_login', 'algorithm', 'public_key', 'fingerprint', 'reason', 'replaces_id',
        'made_at', 'credential_id', 'rp_id', 'origin', 'is_synced'),
    'mrp.tamper.drill': (
        'name', 'at', 'user_id', 'company_id', 'state', 'act_count', 'refused_count', 'fault_count', 'untried_count',
        'results_sha256', 'signature_id', 'file_id'),
}
