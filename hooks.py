"""Leave no trigger behind: tables of Odoo stay when the addon goes."""

from odoo.exceptions import UserError

#: Tables whose rows are content of a revision.
ROWS = (
    'mrp_mmr_step', 'mrp_mmr_step_check', 'mrp_mmr_specification', 'mrp_mmr_equipment', 'mrp_mmr_ingredient',
    'mrp_mmr_pack', 'mrp_mmr_pack_line', 'mrp_mmr_section', 'mrp_mmr_reference', 'mrp_mmr_answer',
)
TRUNCATE = 'mrp_mmr_guard_truncate'
#: Of what belongs to a batch record that was decided on.
DECIDED = 'mrp_mmr_guard_decided'
TRIGGERS = {
    'mrp_bom': ('mrp_mmr_guard_bom', TRUNCATE),
    'mrp_bom_line': ('mrp_mmr_guard_insert_delete', 'mrp_mmr_guard_update', 'mrp_mmr_guard_overage', TRUNCATE),
    'mrp_bom_byproduct': ('mrp_mmr_guard_insert_delete', 'mrp_mmr_guard_update', TRUNCATE),
    'mrp_routing_workcenter': ('mrp_mmr_guard_insert_delete', 'mrp_mmr_guard_update', TRUNCATE),
    'mrp_routing_workcenter_dependencies_rel': ('mrp_mmr_guard_dependency', TRUNCATE),
    'mrp_production': ('mrp_mmr_guard_production', 'mrp_mmr_guard_decision', TRUNCATE),
    'mrp_sop': ('mrp_mmr_guard_sop', TRUNCATE),
    'mrp_mmr': ('mrp_mmr_guard_identity', TRUNCATE),
    'mrp_mmr_revision': ('mrp_mmr_guard_revision', TRUNCATE),
    'mrp_mmr_revision_editor_rel': ('mrp_mmr_guard_editor', TRUNCATE),
    'mrp_mmr_step_sop_rel': ('mrp_mmr_guard_step_sop', TRUNCATE),
    'mrp_mmr_label': ('mrp_mmr_guard_label', TRUNCATE),
    'mrp_mmr_profile': ('mrp_mmr_guard_profile', TRUNCATE),
    'mrp_mmr_review': ('mrp_mmr_guard_review', TRUNCATE),
    'mrp_mmr_reviewer': ('mrp_mmr_guard_reviewer', TRUNCATE),
    'mrp_mmr_requirement': ('mrp_mmr_guard_requirement', TRUNCATE),
    'mrp_mmr_file': ('mrp_mmr_append_only', 'mrp_mmr_append_only_truncate'),
    **dict.fromkeys(ROWS, ('mrp_mmr_guard_row', TRUNCATE)),
    'mrp_audit_chain': ('mrp_mmr_guard_chain', 'mrp_mmr_guard_chain_truncate'),
    'mrp_audit_entry': ('mrp_mmr_append_only', 'mrp_mmr_append_only_truncate', 'mrp_mmr_guard_entry'),
    'mrp_audit_seal': ('mrp_mmr_append_only', 'mrp_mmr_append_only_truncate'),
    'mrp_signer_acceptance': ('mrp_mmr_append_only', 'mrp_mmr_append_only_truncate'),
    'mrp_qualification': ('mrp_mmr_guard_qualification', 'mrp_mmr_guard_qualification_truncate', TRUNCATE),
    'mrp_tamper_drill': ('mrp_mmr_guard_drill', TRUNCATE),
    'mrp_esignature': ('mrp_mmr_append_only', 'mrp_mmr_append_only_truncate'),
    'mrp_bpr': (
        'mrp_mmr_guard_bpr', 'mrp_mmr_guard_bpr_release', 'mrp_mmr_guard_bpr_cancel', 'mrp_mmr_guard_retention',
        'mrp_mmr_guard_retain_until', TRUNCATE),
    'mrp_bpr_distribution': (
        'mrp_mmr_append_only', 'mrp_mmr_append_only_truncate', 'mrp_mmr_guard_distribution', TRUNCATE),
    'mrp_legal_hold': ('mrp_mmr_guard_hold', TRUNCATE),
    'mrp_record_disposal': ('mrp_mmr_guard_disposal', TRUNCATE),
    'mrp_bpr_sample': (
        'mrp_mmr_append_only', 'mrp_mmr_append_only_truncate', 'mrp_mmr_guard_bpr_sample', TRUNCATE),
    'mrp_bpr_result': ('mrp_mmr_guard_bpr_result', DECIDED, TRUNCATE),
    'mrp_bpr_step': (
        'mrp_mmr_guard_bpr_step', 'mrp_mmr_guard_bpr_step_insert', 'mrp_mmr_guard_bpr_step_lot',
        'mrp_mmr_guard_transcribed_step', DECIDED, TRUNCATE),
    'mrp_bpr_entry': (
        'mrp_mmr_append_only', 'mrp_mmr_append_only_truncate', 'mrp_mmr_guard_bpr_entry', 'mrp_mmr_guard_bpr_unit',
        'mrp_mmr_guard_bpr_terminal', 'mrp_mmr_guard_bpr_lot', 'mrp_mmr_guard_transcribed_entry', DECIDED, TRUNCATE),
    'stock_lot': ('mrp_mmr_guard_lot', 'mrp_mmr_guard_lot_insert', 'mrp_mmr_guard_lot_delete', TRUNCATE),
    'stock_move_line': (
        'mrp_mmr_guard_held_lot', 'mrp_mmr_guard_order_line', 'mrp_mmr_guard_order_line_insert',
        'mrp_mmr_guard_order_line_delete', TRUNCATE),
    'stock_move': ('mrp_mmr_guard_order_move', 'mrp_mmr_guard_order_move_insert', TRUNCATE),
    'stock_quant': ('mrp_mmr_guard_quant', 'mrp_mmr_guard_quant_insert', 'mrp_mmr_guard_quant_delete', TRUNCATE),
    'mrp_lot_destruction': ('mrp_mmr_guard_destruction', TRUNCATE),
    'mrp_equipment_log': (
        'mrp_mmr_append_only', 'mrp_mmr_append_only_truncate', 'mrp_mmr_guard_equipment_log', TRUNCATE),
    'mrp_terminal': (TRUNCATE,),
    'mrp_workcenter_terminal_rel': (TRUNCATE,),
    'maintenance_equipment': (TRUNCATE,),
    'mrp_deviation': ('mrp_mmr_guard_deviation', TRUNCATE),
    'mrp_deviation_batch': ('mrp_mmr_guard_deviation_batch', TRUNCATE),
    'mrp_deviation_cause': (TRUNCATE,),
    'mrp_bpr_rework': (
        'mrp_mmr_append_only', 'mrp_mmr_append_only_truncate', 'mrp_mmr_guard_bpr_rework', DECIDED, TRUNCATE),
    'mrp_quality_review': ('mrp_mmr_guard_quality_review', TRUNCATE),
    'mrp_quality_review_product_rel': ('mrp_mmr_guard_quality_review_product', TRUNCATE),
    'mrp_capa': ('mrp_mmr_guard_capa', TRUNCATE),
    'mrp_capa_action': ('mrp_mmr_guard_capa_action', TRUNCATE),
    'mrp_deviation_contributor': ('mrp_mmr_guard_deviation_contributor', TRUNCATE),
    'mrp_bpr_copy': ('mrp_mmr_append_only', 'mrp_mmr_append_only_truncate', 'mrp_mmr_guard_bpr_copy', TRUNCATE),
    'mrp_bpr_transcription': ('mrp_mmr_guard_transcription', DECIDED, TRUNCATE),
}
FUNCTIONS = (
    'mrp_mmr_guard_bom', 'mrp_mmr_guard_content', 'mrp_mmr_guard_production', 'mrp_mmr_guard_identity',
    'mrp_mmr_guard_revision', 'mrp_mmr_guard_dependency', 'mrp_mmr_append_only', 'mrp_mmr_guard_row',
    'mrp_mmr_guard_overage', 'mrp_mmr_guard_step_sop', 'mrp_mmr_guard_label', 'mrp_mmr_guard_review',
    'mrp_mmr_guard_requirement', 'mrp_mmr_guard_chain', 'mrp_mmr_guard_entry', 'mrp_mmr_guard_decision', 'mrp_mmr_guard_sop',
    'mrp_mmr_guard_editor', 'mrp_mmr_guard_bpr', 'mrp_mmr_guard_bpr_step', 'mrp_mmr_guard_bpr_entry', 'mrp_mmr_guard_deviation',
    'mrp_mmr_guard_qualification', 'mrp_mmr_guard_profile', 'mrp_mmr_guard_reviewer', 'mrp_mmr_guard_drill', TRUNCATE,
    'mrp_mmr_guard_bpr_unit', 'mrp_mmr_guard_bpr_terminal', 'mrp_mmr_guard_equipment_log',
    'mrp_mmr_guard_lot', 'mrp_mmr_guard_bpr_lot', 'mrp_mmr_guard_bpr_step_lot', 'mrp_mmr_guard_bpr_step_insert',
    'mrp_mmr_guard_bpr_copy', 'mrp_mmr_guard_transcription', 'mrp_mmr_guard_transcribed_entry',
    'mrp_mmr_guard_transcribed_step', 'mrp_mmr_guard_deviation_contributor', 'mrp_mmr_guard_deviation_batch',
    'mrp_mmr_guard_bpr_rework', 'mrp_mmr_guard_capa', 'mrp_mmr_guard_capa_action',
    'mrp_mmr_guard_held_lot', 'mrp_mmr_guard_destruction', 'mrp_mmr_guard_quality_review',
    'mrp_mmr_guard_quality_review_product',
    'mrp_mmr_guard_bpr_result', 'mrp_mmr_guard_bpr_release', 'mrp_mmr_guard_bpr_sample', DECIDED,
    'mrp_mmr_guard_retention', 'mrp_mmr_guard_retain_until', 'mrp_mmr_guard_distribution', 'mrp_mmr_guard_hold',
    'mrp_mmr_guard_disposal', 'mrp_mmr_guard_bpr_cancel', 'mrp_mmr_guard_order_line', 'mrp_mmr_guard_order_move',
    'mrp_mmr_guard_quant',
)
#: Functions that are no trigger: what several of them, and the ORM, ask PostgreSQL.
SHARED_FUNCTIONS = (
    'mrp_mmr_equipment_status', 'mrp_mmr_log_counts', 'mrp_mmr_log_signed', 'mrp_mmr_specification_unmet', 'mrp_mmr_demanded',
    'mrp_mmr_retention_date', 'mrp_mmr_retention', 'mrp_mmr_on_hold', 'mrp_mmr_may_dispose', 'mrp_mmr_emptied',
    'mrp_mmr_is_removal', 'mrp_mmr_is_disposed_file')


def uninstall_hook(env):
    """Refuse while signatures or qualifications exist (AUD-030); else drop triggers and their functions."""
    if env['mrp.esignature'].search_count([]) or env['mrp.qualification'].search_count([]):
        raise UserError(env._(
            "GMP records exist; the addon stays installed. Rule: AUD-030, REC-040, 21 CFR 11.10(c), 111.605."))
    for table, names in TRIGGERS.items():
        for name in names:
            env.cr.execute(f'DROP TRIGGER IF EXISTS {name} ON "{table}"')
    for name in FUNCTIONS + SHARED_FUNCTIONS:
        env.cr.execute(f'DROP FUNCTION IF EXISTS {name}')
