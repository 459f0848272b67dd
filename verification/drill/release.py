"""Attacks on test results, on batches that were decided on, and on goods on hold."""

from odoo.tools import SQL

from .attack import Attempt, attack
from .helpers import change, changes, delete, every_write, get_columns, insert_copy, newest


def decided_record(drill, model, *domain):
    """Return the newest record of a model that belongs to a batch that was released or rejected."""
    return newest(drill, model, [('bpr_id.release_state', 'in', ('released', 'rejected')), *domain])


@attack("Results and release", "SQL: release or reject a batch without signature, or write its frozen record",
        "REL-020, REL-030, BPR-130, 21 CFR 111.123, 211.192", 'mrp_mmr_bpr_(decided|packed)')
def mrp_bpr_release(drill):
    bpr = newest(drill, 'mrp.bpr', [('release_state', '=', 'review')])
    return bpr and (bpr, [
        *(Attempt(state, lambda state=state: change(drill, bpr, 'release_state', SQL("%s", state)))
          for state in ('approved', 'certified', 'released', 'rejected', 'none')),
        Attempt("packaged lot", lambda: change(drill, bpr, 'packed_state', SQL("'released'"))),
        Attempt("record", lambda: change(drill, bpr, 'document', SQL("'{}'::jsonb"))),
        *changes(drill, bpr, ('production_signature_id', 'certification_signature_id', 'release_signature_id', 'released_at'))])


@attack("Results and release", "SQL: change a batch that was released or rejected", "REL-030, 21 CFR 11.70",
        'mrp_mmr_bpr_(frozen|fixed)')
def mrp_bpr_frozen(drill):
    bpr = newest(drill, 'mrp.bpr', [('release_state', 'in', ('released', 'rejected'))])
    return bpr and (bpr, changes(drill, bpr, (
        'release_state', 'release_signature_id', 'released_at', 'document_sha256', 'completed_at', 'review_signature_id')))


@attack("Results and release", "SQL: change a test result, approve it or a retest without signature, or delete it",
        "BPR-090, AUD-020, IPC-030, 21 CFR 11.10(e), 211.192", 'mrp_mmr_result_(fixed|kept|retested)')
def mrp_bpr_result_update(drill):
    result = newest(drill, 'mrp.bpr.result', [('bpr_id.release_state', 'not in', ('released', 'rejected'))])
    return result and (result, [
        *changes(drill, result, [name for name in get_columns(result) if name not in ('bpr_id', 'outcome', 'kind')]),
        delete(drill, result)])


@attack("Results and release", "SQL: test again what has a result, without an authorised retest", "IPC-030, 21 CFR 211.192",
        'mrp_mmr_result_(retested|entered)')
def mrp_bpr_result_insert(drill):
    result = newest(drill, 'mrp.bpr.result', [('bpr_id.release_state', 'not in', ('released', 'rejected'))])
    nothing = dict.fromkeys(('supersedes_id', 'retest_of_id', 'signature_id', 'retest_signature_id'), SQL("NULL"))
    return result and (result, [
        Attempt('INSERT', lambda: insert_copy(drill, result, **nothing)),
        Attempt("of itself", lambda: insert_copy(drill, result, **{**nothing, 'retest_of_id': SQL("id")}))])


@attack("Results and release", "SQL: change any column of a reserve sample, or delete it", "REL-060, AUD-030, 21 CFR 111.83(b)",
        r'mrp_mmr_\w+_append_only')
def mrp_bpr_sample_update(drill):
    sample = newest(drill, 'mrp.bpr.sample', [])
    return sample and (sample, [*changes(drill, sample, get_columns(sample)), delete(drill, sample)])


@attack("Results and release", "SQL: add a sample to a batch that was rejected", "REL-060, 21 CFR 111.83(b)",
        'mrp_mmr_bpr_sample_in_time')
def mrp_bpr_sample_insert(drill):
    sample = newest(drill, 'mrp.bpr.sample', [('bpr_id.release_state', '=', 'rejected')])
    return sample and (sample, [Attempt('INSERT', lambda: insert_copy(drill, sample))])


@attack("Results and release", "SQL: add a result to a batch that was decided on", "REL-030, 21 CFR 11.70",
        'mrp_mmr_bpr_result_frozen')
def mrp_bpr_result_decided(drill):
    result = decided_record(drill, 'mrp.bpr.result')
    return result and (result, [Attempt('INSERT', lambda: insert_copy(
        drill, result, position=SQL("position + 1000"), signature_id=SQL("NULL"), retest_signature_id=SQL("NULL"),
        supersedes_id=SQL("NULL"), retest_of_id=SQL("NULL")))])


@attack("Results and release", "SQL: change a step of a batch that was decided on", "REL-030, 21 CFR 11.70",
        'mrp_mmr_bpr_step_frozen')
def mrp_bpr_step_decided(drill):
    step = decided_record(drill, 'mrp.bpr.step', ('closed_at', '!=', False))
    return step and (step, changes(drill, step, ('retest_count',)))


@attack("Results and release", "SQL: add a late entry to a batch that was decided on", "REL-030, 21 CFR 11.70",
        'mrp_mmr_bpr_entry_frozen')
def mrp_bpr_entry_decided(drill):
    entry = decided_record(drill, 'mrp.bpr.entry', ('step_id.state', '=', 'done'), ('lot_id', '=', False))
    return entry and (entry, [Attempt('INSERT', lambda: insert_copy(
        drill, entry, kind=SQL("'comment'"), is_late=SQL("TRUE"), to_sign=SQL("FALSE"), token=SQL("NULL"),
        reason=SQL("'forged'")))])


@attack("Results and release", "SQL: transcribe a worksheet into a batch that was decided on", "REL-030, 21 CFR 11.70",
        'mrp_mmr_bpr_transcription_frozen')
def mrp_bpr_transcription_decided(drill):
    transcription = newest(drill, 'mrp.bpr.transcription', [])
    step = decided_record(drill, 'mrp.bpr.step')
    return transcription and step and (step, [Attempt('INSERT', lambda: insert_copy(
        drill, transcription, bpr_id=SQL("%s", step.bpr_id.id), step_id=SQL("%s", step.id)))])


@attack("Results and release", "SQL: record reprocessing in a running batch that was rejected",
        "REL-030, DEV-060, 21 CFR 11.70",
        'mrp_mmr_bpr_rework_frozen')
def mrp_bpr_rework_decided(drill):
    row = newest(drill, 'mrp.bpr.rework', [])
    approval = decided_record(
        drill, 'mrp.deviation', ('bpr_id.state', '=', 'progress'), ('disposition', 'in', ('reprocess', 'treat', 'adjust')))
    return row and approval and (approval, [Attempt('INSERT', lambda: insert_copy(
        drill, row, bpr_id=SQL("%s", approval.bpr_id.id), deviation_id=SQL("%s", approval.id),
        kind=SQL("%s", approval.disposition)))])


@attack("Results and release", "SQL: change what was destroyed, sign it by another signature, or delete it",
        "DEV-080, REC-040, 21 CFR 111.370", r'mrp_mmr_destruction_\w+')
def mrp_lot_destruction_update(drill):
    row = newest(drill, 'mrp.lot.destruction', [])
    return row and (row, [
        *changes(drill, row, ('name', 'lot_id', 'location_id', 'quantity', 'method', 'reason', 'recorded_by_id',
                              'recorded_at', 'signature_id')), delete(drill, row)])


@attack("Results and release", "SQL: deliver a lot that Quality Control holds", "REL-010, DEV-080, 21 CFR 111.370, 211.142(a)",
        'mrp_mmr_move_line_lot_held')
def stock_move_line_held(drill):
    lot = newest(drill, 'stock.lot', [('mmr_status', 'in', ('quarantine', 'rejected'))])
    line = newest(drill, 'stock.move.line', [('state', '=', 'done'), ('lot_id', '!=', False)])
    customers = drill.env['stock.location'].search([('usage', '=', 'customer')], limit=1)
    return lot and line and customers and (lot, [Attempt('INSERT', lambda: insert_copy(
        drill, line, lot_id=SQL("%s", lot.id), product_id=SQL("%s", lot.product_id.id),
        location_dest_id=SQL("%s", customers.id)))])


@attack("Results and release", "ORM: create, change, copy or delete a test result, a sample or a destruction",
        "BPR-090, REL-060, DEV-080, AUD-030", 'AUD-030|REC-040|BPR-090|REL-060|DEV-080')
def release_orm(drill):
    attempts = [
        attempt._replace(label=f"{attempt.label} {model}")
        for model, vals in (('mrp.bpr.result', {'value': "1"}), ('mrp.bpr.sample', {'quantity': "1"}),
                            ('mrp.lot.destruction', {'quantity': 1}))
        if (record := newest(drill, model, [])) for attempt in every_write(drill, record, vals)]
    return attempts and ("release", attempts)
