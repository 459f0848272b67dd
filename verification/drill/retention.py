"""Attacks on records that are kept: dates, distribution, legal holds, disposals."""

from odoo.tools import SQL

from .attack import Attempt, attack
from .helpers import change, changes, delete, every_write, execute, get_columns, insert_copy, newest

KEPT_RULE = "REC-040, 21 CFR 11.10(c), 111.605(b), 211.180(d)"


@attack("Retention", "SQL: bring the date of disposal forward, take the record away, or put it on hold without a signature",
        "REC-010, REC-040, 21 CFR 111.605", r'mrp_mmr_bpr_(retain_until|retained|held|frozen)')
def mrp_bpr_retention(drill):
    bpr = newest(drill, 'mrp.bpr', [('release_state', '=', 'released'), ('disposal_id', '=', False)]) or newest(
        drill, 'mrp.bpr', [('disposal_id', '=', False)])
    disposal = newest(drill, 'mrp.record.disposal', [])
    return bpr and (bpr, [
        Attempt("date", lambda: change(drill, bpr, 'retain_until', SQL("'2000-01-01'::date"))),
        Attempt("hold", lambda: change(drill, bpr, 'legal_hold', SQL("NOT COALESCE(legal_hold, false)"))),
        Attempt("cancelled", lambda: change(drill, bpr, 'cancelled_at', SQL("'2000-01-01'::timestamp"))),
        *([execute(drill, "disposed of", SQL(
            "UPDATE mrp_bpr SET disposal_id = %s, document = NULL WHERE id = %s", disposal.id, bpr.id))] if disposal else [])])


@attack("Retention", "SQL: empty the content of a batch record that was not disposed of", KEPT_RULE,
        r'mrp_mmr_(bpr_frozen|bpr_(step|entry|result)_frozen|bpr_step_fixed|bpr_entry_append_only|result_fixed|snapshot_fixed)')
def bpr_content_emptied(drill):
    bpr = newest(drill, 'mrp.bpr', [('disposal_id', '=', False), ('started_at', '!=', False)])
    entry = newest(drill, 'mrp.bpr.entry', [('bpr_id', '=', bpr.id)])
    return entry and (bpr, [
        execute(drill, "steps", SQL(
            "UPDATE mrp_bpr_step SET planned = mrp_mmr_emptied(planned, '{stage,kind,name}') WHERE bpr_id = %s", bpr.id)),
        execute(drill, "entries", SQL(
            "UPDATE mrp_bpr_entry SET value = NULL, text = NULL, file_id = NULL WHERE id = %s", entry.id)),
        execute(drill, "snapshot", SQL(
            "UPDATE mrp_production SET mmr_snapshot = mrp_mmr_emptied(mmr_snapshot, '{document}') WHERE id = %s",
            bpr.production_id.id))])


@attack("Retention", "SQL: change or delete a distribution, or add one that no transfer made",
        "REC-010, 21 CFR 111.605(a), 211.196", 'mrp_mmr_(bpr_distribution_append_only|distribution_done)')
def mrp_bpr_distribution_update(drill):
    row = newest(drill, 'mrp.bpr.distribution', [])
    return row and (row, [
        *changes(drill, row, get_columns(row)), delete(drill, row),
        Attempt('INSERT', lambda: insert_copy(drill, row, date=SQL("date - interval '10 years'")))])


@attack("Retention", "SQL: set, lift, change or delete a legal hold without its signature", KEPT_RULE,
        'mrp_mmr_hold_(signed|kept)')
def mrp_legal_hold_update(drill):
    hold = newest(drill, 'mrp.legal.hold', [])
    signature = newest(drill, 'mrp.esignature', [])
    return hold and (hold, [
        *changes(drill, hold, ('name', 'company_id', 'reason', 'recorded_by_id', 'recorded_at')),
        Attempt("lifted", lambda: change(drill, hold, 'lift_signature_id', SQL("%s", signature.id))), delete(drill, hold)])


@attack("Retention", "SQL: sign, change or delete a disposal of records", KEPT_RULE, 'mrp_mmr_disposal_(signed|kept)')
def mrp_record_disposal_update(drill):
    disposal = newest(drill, 'mrp.record.disposal', [])
    signature = newest(drill, 'mrp.esignature', [])
    return disposal and (disposal, [
        *changes(drill, disposal, ('name', 'company_id', 'reason', 'selection', 'recorded_by_id', 'recorded_at')),
        Attempt("signed", lambda: change(drill, disposal, 'signature_id', SQL("%s", signature.id))), delete(drill, disposal)])


@attack("Retention", "ORM: create, change, copy or delete a distribution, a legal hold or a disposal", KEPT_RULE, 'REC-0[14]0')
def retention_orm(drill):
    attempts = []
    for model, vals in (
            ('mrp.bpr.distribution', {'quantity': 0}), ('mrp.legal.hold', {'reason': "Forged"}),
            ('mrp.record.disposal', {'reason': "Forged"})):
        record = newest(drill, model, [])
        attempts += every_write(drill, record, vals) if record else []
    return attempts and (record or newest(drill, 'mrp.bpr', []), attempts)
