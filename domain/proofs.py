"""The registry of evidence: how each stored column of each model of evidence is proved (AUD-080, 21 CFR 11.10(a), (c), (e)).

One row of :data:`PROOFS` is one model. What is proved is compared by verification; what is not bears its reason. A test reads
the registry of Odoo: a model or a stored column that stands nowhere here fails it, and another alters each column that is
proved and expects a finding about the record.
"""

from typing import NamedTuple

from .columns import CONTENT, LOGGED_COLUMNS

#: Odoo's own columns of each table. Those of the ledger, of seals and of signatures are checked all the same.
BOOKKEEPING = ('id', 'create_uid', 'create_date', 'write_uid', 'write_date')

#: What decides whether a person may sign; each change of it has a line in the ledger that says all of it.
SIGNER_COLUMNS = (
    'identity_document', 'identity_verified_at', 'identity_verified_by_id', 'is_shared', 'locked_at', 'unlocked_at',
    'suspended_at', 'suspended_by_id', 'reset_by_id', 'password_changed_at', 'is_password_own', 'signing_password',
    'signing_password_at', 'enrolment_until')
#: What the same lines say of the password of Odoo: the digest of its hash.
LOGIN_PASSWORD = 'login_password'

#: What a batch record is, which the first line about it says.
BATCH_IDENTITY = ('company_id', 'mmr_revision_id', 'name', 'product_id', 'rules', 'step_count')

#: Columns of texts in several languages, of which the ledger says what somebody wrote in one.
TRANSLATED = {
    'mrp.mmr.requirement': ('help_text', 'name'), 'mrp.mmr.profile': ('name',), 'mrp.deviation.cause': ('name',),
    'maintenance.equipment': ('name',)}

#: Columns of Odoo that may hold parts of a second, which neither signed documents nor the ledger have.
WHOLE_SECONDS = {'stock.lot': ('expiration_date',)}


class Proofs(NamedTuple):
    """How the stored columns of one model are proved; a column stands in one of them.

    ``chain``: what the ledger said last about the record. ``signature``: what was signed, and the signatures that a record
    names. ``document``: a frozen document with its digest. ``recomputed``: from the other columns, its own digest among them.
    ``moves``: the done lines of stock moves. ``guards``: what PostgreSQL has of the addon, and what the last update left.
    ``free``: nothing, as the reason says. ``links``: relations to many, by the ledger: table, column of the record, of the
    other one. ``is_core``: a model of Odoo, of which the columns of the addon and of the content are evidence.
    """
    chain: tuple = ()
    signature: tuple = ()
    document: tuple = ()
    recomputed: tuple = ()
    moves: tuple = ()
    guards: tuple = ()
    free: dict = {}
    links: dict = {}
    is_core: bool = False

    def proved(self):
        """Return the columns that verification compares."""
        return (*self.chain, *self.signature, *self.document, *self.recomputed, *self.moves, *self.guards)


def _said(model, *more, **others):
    """Return the proofs of a model whose columns the ledger says: those of ``LOGGED_COLUMNS`` and more."""
    return Proofs(chain=(*LOGGED_COLUMNS.get(model, ()), *more), **others)


def _content(table, *others, **proofs):
    """Return the proofs of a table of Odoo that holds content of revisions."""
    return Proofs(chain=tuple(name for name in CONTENT[table] if name not in proofs.get('free', ())) + others, is_core=True,
                  **proofs)


_REMINDED = {'reminded_on': "when a reminder was sent; it decides nothing"}
_COMPANY = {'company_id': "that of the record it belongs to, for access rights alone"}
_CALCULATED = "shown and searched; calculated from the entries, signatures and dates of the record"
_SETTING = "a setting: each change of it is in the ledger, and records keep what was in force"

PROOFS = {
    # Evidence itself
    'mrp.audit.chain': Proofs(recomputed=(
        'company_id', 'head_index', 'head_sha256', 'name', 'res_id', 'res_model', 'sealed_index')),
    'mrp.audit.entry': Proofs(recomputed=(
        'at', 'chain_id', 'company_id', 'index', 'kind', 'previous_sha256', 'reason', 'record_name', 'res_id', 'res_model',
        'sha256', 'user_id', 'user_login', 'user_name', 'values')),
    'mrp.audit.seal': Proofs(
        recomputed=('at', 'chain_count', 'company_id', 'heads', 'index', 'keys', 'line_count', 'previous_sha256', 'sha256'),
        guards=('guards_sha256',)),
    'mrp.esignature': Proofs(signature=(
        'annex', 'basis_signature_id', 'comment', 'company_id', 'content', 'content_sha256', 'key_fingerprint', 'key_nonce',
        'key_number', 'key_previous', 'key_signature', 'meaning', 'partner_id', 'record_name', 'res_id', 'res_model',
        'signature_sha256', 'signed_at', 'signer_login', 'signer_name', 'signer_role', 'signer_tz', 'statement', 'user_id',
        'voids_signature_id')),
    'mrp.mmr.file': Proofs(recomputed=('data', 'mimetype', 'name', 'sha256', 'size')),
    'mrp.tamper.drill': _said('mrp.tamper.drill', document=('results',)),
    # People
    'mrp.signer': Proofs(chain=SIGNER_COLUMNS, free={
        'counted': "rises with each attempt, so that two at once follow each other; locks are in the ledger",
        'user_id': "whose signer it is: another person would have neither the key nor the lines of the ledger"}),
    'mrp.signer.acceptance': Proofs(
        chain=('accepted_at', 'user_login', 'user_name'), recomputed=('signer_id', 'text', 'text_sha256', 'user_id')),
    'mrp.signer.key': _said('mrp.signer.key'),
    'mrp.signer.secret': Proofs(recomputed=('number', 'signature_sha256'), free={
        'wrapped': "what the secret of its owner opens proves itself; anything else opens nothing",
        'kind': "which of the two secrets opens it; with the other one nothing opens",
        'key_id': "what it opens has the fingerprint of its key, or signs nothing",
        'sign_count': "counted by the authenticator; a lower one lets no assertion pass twice, whose challenge is another"}),
    'mrp.qualification': _said('mrp.qualification', free=_REMINDED),
    'mrp.terminal': _said(
        'mrp.terminal', 'active', 'company_id', 'name', 'place', 'registered_at', 'registered_by_id', free={
            'key_sha256': "a terminal without its key is none; entries keep the name and the digest of the one they came from"},
        links={'workcenter_ids': ('mrp_workcenter_terminal_rel', 'mrp_terminal_id', 'mrp_workcenter_id')}),
    # Master
    'mrp.mmr': _said('mrp.mmr', 'batch_size_product_uom', 'review_interval', free={
        'date_next_review': "calculated from the last review, which is signed, and the interval",
        'last_revision': "the number given last; numbers of revisions are unique, and the ledger has each of them",
        'effective_revision_id': "follows from the states of the revisions",
        'open_revision_id': "follows from the states of the revisions"}),
    'mrp.mmr.revision': _said(
        'mrp.mmr.revision', *(name for name in CONTENT['mrp_mmr_revision'] if name != 'training_required'),
        document=('document',), free={
            'company_id': "that of its master", 'formulation_code': "that of its master", 'product_id': "that of its master"}),
    'mrp.mmr.review': _said('mrp.mmr.review'),
    'mrp.mmr.reviewer': _said('mrp.mmr.reviewer'),
    'mrp.mmr.profile': _said('mrp.mmr.profile', 'name', 'sequence'),
    'mrp.mmr.requirement': _said('mrp.mmr.requirement', 'help_text', 'name', 'page', 'sequence'),
    'mrp.mmr.label': _said('mrp.mmr.label'),
    'mrp.sop': _said('mrp.sop'),
    'mrp.mmr.answer': Proofs(chain=('answer', 'requirement_id', 'revision_id')),
    'mrp.mmr.equipment': Proofs(chain=(
        'category_id', 'equipment_id', 'operation_id', 'preparation', 'revision_id', 'sequence')),
    'mrp.mmr.ingredient': Proofs(chain=(
        'amount', 'amount_unit', 'is_dietary', 'name', 'product_id', 'revision_id', 'sequence')),
    'mrp.mmr.pack': Proofs(chain=(
        'checks', 'clearance', 'coding_position', 'description', 'label_id', 'name', 'packed_under', 'quantity', 'revision_id',
        'sequence', 'uom_id')),
    'mrp.mmr.pack.line': Proofs(chain=('pack_id', 'product_id', 'quantity', 'revision_id', 'sequence', 'uom_id')),
    'mrp.mmr.reference': Proofs(chain=('purpose', 'revision_id', 'sequence', 'sop_id')),
    'mrp.mmr.section': Proofs(chain=('code', 'file_id', 'location', 'not_applicable_reason', 'revision_id', 'text')),
    'mrp.mmr.specification': Proofs(chain=(
        'comparison', 'corrective_action', 'criterion_text', 'document_id', 'has_target', 'is_identity', 'limit_kind',
        'maximum', 'method', 'method_id', 'minimum', 'name', 'product_id', 'revision_id', 'scope', 'sequence', 'target',
        'unit')),
    'mrp.mmr.step': Proofs(
        chain=(
            'bom_line_id', 'comparison', 'corrective_action', 'criterion_text', 'equipment_id', 'execution', 'file_id',
            'has_plausibility', 'has_target', 'instruction', 'is_critical', 'is_hold_point', 'kind', 'limit_kind', 'maximum',
            'method_id', 'minimum', 'minimum_time', 'name', 'operation_id', 'pack_id', 'performer_meaning', 'performer_role',
            'plausible_max', 'plausible_min', 'precaution', 'revision_id', 'sample_count', 'sample_required', 'sample_role',
            'sample_size', 'sample_timing', 'sample_unit', 'sequence', 'target', 'time_limit', 'time_unit', 'unit',
            'verifier_meaning', 'verifier_role'),
        links={'sop_ids': ('mrp_mmr_step_sop_rel', 'step_id', 'sop_id')}),
    'mrp.mmr.step.check': Proofs(chain=('is_mandatory', 'name', 'revision_id', 'sequence', 'step_id')),
    'mrp.bom': _content('mrp_bom'),
    'mrp.bom.line': _content('mrp_bom_line', 'mmr_overage_confirmed_at', 'mmr_overage_confirmed_id'),
    'mrp.bom.byproduct': _content('mrp_bom_byproduct'),
    'mrp.routing.workcenter': _content('mrp_routing_workcenter', links={'blocked_by_operation_ids': (
        'mrp_routing_workcenter_dependencies_rel', 'operation_id', 'blocked_by_id')}),
    # Order and batch record
    'mrp.production': _said('mrp.production', recomputed=('mmr_controlled',), document=('mmr_snapshot',), free={
        'mmr_rework_deviation_id': "the reprocessing has a record of its own"}, is_core=True),
    'mrp.bpr': _said(
        'mrp.bpr', *BATCH_IDENTITY, document=('document',), recomputed=('production_id',), free={
            **dict.fromkeys(('is_right_first_time', 'making_hours', 'release_hours', 'right_first_time', 'yield_percent'),
                            _CALCULATED),
            'retain_until': "calculated from what was distributed, which the ledger says",
            'legal_hold': "calculated from the legal holds, which the ledger says"}),
    'mrp.bpr.step': _said('mrp.bpr.step', document=('planned',), recomputed=(
        'company_id', 'is_critical', 'is_hold_point', 'kind', 'name', 'number', 'performer_role', 'points', 'production_id',
        'sequence', 'stage', 'verifier_role', 'bpr_id', 'yield_mmr_id'), free={
            'workorder_id': "where planning shows the step; a work order says nothing of the batch"}),
    'mrp.bpr.entry': _said(
        'mrp.bpr.entry', 'paper_by', 'paper_time', 'paper_verified_by', 'sent_sha256', 'session_sha256', 'terminal_sha256',
        'token', 'transcription_id', recomputed=('product_id',)),
    'mrp.bpr.copy': Proofs(chain=(
        'at', 'bpr_id', 'company_id', 'number', 'reason', 'sequences', 'user_id', 'user_name', 'void_at', 'void_by_id',
        'void_name', 'void_reason')),
    'mrp.bpr.transcription': Proofs(chain=(
        'at', 'bpr_id', 'company_id', 'copy_id', 'decision_signature_id', 'scan_id', 'state', 'step_id', 'to_sign',
        'transcribed_signature_id', 'user_id', 'user_name')),
    'mrp.bpr.result': _said('mrp.bpr.result'),
    'mrp.bpr.sample': _said('mrp.bpr.sample'),
    'mrp.bpr.distribution': _said('mrp.bpr.distribution'),
    # Deviations
    'mrp.deviation': _said('mrp.deviation'),
    'mrp.deviation.cause': Proofs(chain=('active', 'company_id', 'name', 'sequence')),
    'mrp.deviation.contributor': _said('mrp.deviation.contributor', free=_COMPANY),
    'mrp.deviation.batch': _said('mrp.deviation.batch'),
    'mrp.bpr.rework': _said('mrp.bpr.rework'),
    'mrp.capa': _said('mrp.capa', free=_REMINDED),
    'mrp.capa.action': _said('mrp.capa.action', free={**_REMINDED, **_COMPANY}),
    # Equipment and stock
    'maintenance.equipment': Proofs(chain=(
        'active', 'category_id', 'company_id', 'mmr_calibration_interval', 'mmr_cleaning_checked', 'mmr_cleaning_hold',
        'mmr_is_instrument', 'mmr_needs_cleaning', 'name', 'serial_no'), is_core=True),
    'mrp.equipment.log': Proofs(chain=(
        'as_found', 'as_left', 'bpr_id', 'cleaning_kind', 'company_id', 'ended_at', 'equipment_id', 'file_id', 'kind',
        'needs_check', 'needs_signature', 'next_due', 'performed_by', 'procedure_id', 'procedure_name', 'product_id', 'reason',
        'recorded_at', 'reference', 'result', 'signature_id', 'started_at', 'step_id', 'supersedes_id', 'text', 'user_id',
        'user_name')),
    'stock.lot': Proofs(chain=(
        'expiration_date', 'mmr_assay', 'mmr_assay_basis', 'mmr_assay_date', 'mmr_assay_moisture', 'mmr_assay_unit',
        'mmr_bpr_id', 'mmr_file_id', 'mmr_hold_deviation_id', 'mmr_retest_date', 'mmr_returned_at', 'mmr_status',
        'mmr_status_signature_id', 'mmr_supplier_lot', 'name', 'product_id'), is_core=True),
    'stock.quant': Proofs(moves=('quantity', 'lot_id', 'location_id'), free={
        'mmr_lot_status': "that of its lot, to search and group by"}, is_core=True),
    'stock.move': Proofs(moves=('raw_material_production_id', 'production_id', 'state'), free={
        'mmr_deviation_id': "explains an adjustment; the deviation is a record of its own",
        'mmr_entry_id': "the entry that a move was made from; what it moved is compared with the entries"}, is_core=True),
    'stock.move.line': Proofs(moves=('quantity_product_uom', 'lot_id', 'location_id', 'location_dest_id'), is_core=True),
    'mrp.lot.destruction': _said('mrp.lot.destruction'),
    # Retention and quality
    'mrp.legal.hold': _said('mrp.legal.hold'),
    'mrp.record.disposal': _said('mrp.record.disposal'),
    'mrp.quality.review': _said('mrp.quality.review', document=('document',), links={
        'product_ids': ('mrp_quality_review_product_rel', 'review_id', 'product_id')}),
    # Settings on models of Odoo
    'product.template': Proofs(free={
        **dict.fromkeys(('mmr_controlled', 'mmr_has_udi', 'mmr_lifetime_years', 'mmr_lot_release', 'mmr_otc_exempt',
                         'mmr_udi_di'), _SETTING),
        'mmr_needs_release': "calculated from the product and its category"}, is_core=True),
    'product.category': Proofs(free={'mmr_lot_release': _SETTING}, is_core=True),
    'res.users': Proofs(
        chain=('active', 'login', 'mmr_auditor_until', 'partner_id'), is_core=True,
        links={'company_ids': ('res_company_users_rel', 'user_id', 'cid'),
               'group_ids': ('res_groups_users_rel', 'uid', 'gid')}),
    'res.company': Proofs(free=dict.fromkeys((
        'mmr_acceptance_text', 'mmr_block_overdue_review', 'mmr_certification', 'mmr_certification_name', 'mmr_certified_on',
        'mmr_deviation_days', 'mmr_deviation_procedure_id', 'mmr_recurrence_count', 'mmr_recurrence_months',
        'mmr_pin', 'mmr_pin_idle_minutes', 'mmr_pin_length',
        'mmr_related_days', 'mmr_seal_email', 'mmr_setup_closed_at', 'mmr_setup_closed_by_id', 'mmr_sign_continuous',
        'mmr_sign_failure_minutes', 'mmr_sign_failures', 'mmr_sign_idle_minutes', 'mmr_sign_password_days',
        'mmr_sign_shared', 'mmr_tz'), _SETTING), is_core=True),
    'stock.picking.type': Proofs(free={'mmr_dispensing_label_to_print': "which label is printed"}, is_core=True),
    'mrp.unbuild': Proofs(free={
        'mmr_deviation_id': "explains it; the deviation is a record of its own"}, is_core=True),
    'ir.actions.server': Proofs(free={'mmr_is_edited': _SETTING}, is_core=True),
}

#: Models of the addon that hold no evidence, each with the reason.
NO_EVIDENCE = {
    'mrp.audit.verify': "progress of a verification; its outcome is in the ledger",
    'mrp.audit.verify.finding': "shown to people; the digest of all findings is in the ledger",
    'mrp.signer.session': "a copy of a key that ends with the session; its beginning and end are in the ledger, and verified",
    'mrp.signer.attempt': "a count that is cleared after a week; locks are in the ledger",
}

#: Models of Odoo on which the addon relies, beside those whose changes go to the ledger: their rules, rights and code matter.
RELIED_ON = {
    'stock.quant', 'stock.move', 'stock.move.line', 'stock.location', 'res.users', 'res.groups', 'res.company',
    'product.template', 'product.product', 'product.category', 'mrp.bom', 'mrp.bom.line', 'mrp.production', 'mrp.workorder'}

#: Columns that must say what the ledger said last about the record, and the relations, by model; users and signers have
#: lines of their own kind.
CHAIN_COLUMNS = {model: proofs.chain for model, proofs in PROOFS.items() if proofs.chain and model not in (
    'mrp.signer', 'mrp.signer.acceptance', 'res.users')}
CHAIN_LINKS = {model: PROOFS[model].links for model in CHAIN_COLUMNS}

_WORKFLOW = "written by its step of the workflow, which comes later; verification compares it with the ledger"
_EDITED = "stays open to its editors, each change with its line; verification compares it with the ledger"
_FOLLOWS = "follows each signature; verification compares it with the last one"

#: Columns that are proved and that SQL can change with all triggers on, as the rows of the test are, each with the reason.
UNGUARDED = {
    'mrp.signer.secret': dict.fromkeys(('number', 'signature_sha256'), _FOLLOWS),
    'mrp.terminal': dict.fromkeys(('active', 'name', 'place', 'registered_at', 'registered_by_id'), _EDITED),
    'mrp.mmr': dict.fromkeys(('review_interval',), _EDITED),
    'mrp.mmr.profile': dict.fromkeys(('citation', 'name', 'review_interval', 'sequence'), _EDITED),
    'mrp.mmr.requirement': dict.fromkeys(('help_text', 'page', 'sequence'), _EDITED),
    'mrp.sop': dict.fromkeys(('location', 'name', 'state'), _EDITED),
    'mrp.production': dict.fromkeys(('mmr_decision', 'mmr_decision_signature_id'), _WORKFLOW),
    'mrp.bpr': dict.fromkeys(('state',), _WORKFLOW),
    'mrp.bpr.step': dict.fromkeys(('retest_count',), _WORKFLOW),
    'mrp.deviation': dict.fromkeys(('capa_id', 'cause', 'cause_id', 'correction', 'due_date', 'identity_result',
        'investigator_id', 'label_effect', 'material_fate', 'no_capa_reason', 'procedure_id', 'quality_effect',
        'scientific_reason', 'severity'), _WORKFLOW),
    'mrp.deviation.cause': dict.fromkeys(('active', 'company_id', 'name', 'sequence'), _EDITED),
    'mrp.deviation.batch': dict.fromkeys(('assessed_at', 'assessed_by_id', 'assessment', 'reason', 'text'), _WORKFLOW),
    'mrp.capa': dict.fromkeys(('cause', 'cause_id', 'checked_at', 'checked_by_id', 'effectiveness_criterion',
        'effectiveness_due', 'effectiveness_result', 'effectiveness_text', 'owner_id', 'title'), _WORKFLOW),
    'mrp.capa.action': dict.fromkeys(('done_at', 'done_by_id', 'due_date', 'kind', 'name', 'owner_id', 'result'), _WORKFLOW),
    'maintenance.equipment': dict.fromkeys(('active', 'category_id', 'company_id', 'mmr_calibration_interval',
        'mmr_cleaning_checked', 'mmr_cleaning_hold', 'mmr_is_instrument', 'mmr_needs_cleaning', 'name', 'serial_no'), _EDITED),
    'stock.lot': {**dict.fromkeys(('mmr_hold_deviation_id', 'mmr_returned_at'), _WORKFLOW), 'expiration_date': _EDITED},
    'res.users': dict.fromkeys(('active', 'login', 'mmr_auditor_until', 'partner_id'), _EDITED),
}
