"""What the disposal of a batch record takes out of its rows, and what it leaves: guards, removal and verification agree."""

#: What a disposal takes out of each table of a batch record: the rest of the row stays, as others refer to it.
REMOVED_COLUMNS = {
    'mrp_bpr_step': ('planned',),
    'mrp_bpr_entry': (
        'value', 'unit', 'text', 'data', 'outcome', 'lot_id', 'lot_name', 'equipment_id', 'equipment_name', 'product_id',
        'file_id', 'device', 'token', 'transcription_id', 'paper_time', 'paper_by', 'paper_verified_by', 'reason'),
    'mrp_bpr_result': ('value', 'compared', 'unit', 'criterion_label', 'text', 'reference', 'file_id', 'reason'),
}
#: What of the plan of a step, and of the snapshot of an order, is its identity and stays.
KEPT_KEYS = {
    'mrp_bpr_step': (
        'name', 'kind', 'performer_role', 'verifier_role', 'is_critical', 'is_hold_point', 'execution', 'scope', 'stage',
        'position', 'predecessors'),
    'mrp_production': (
        'number', 'revision', 'schema', 'company', 'profile', 'product', 'formulation', 'batch_size', 'id', 'code', 'name',
        'quantity', 'unit', 'unit_id', 'product_unit_quantity', 'document', 'document_sha256', 'effective_at'),
}
#: Written in place of a reason, which corrections always have.
DISPOSED_REASON = '-'
