"""Attacks on batch records, their steps and what was recorded."""

from odoo.tools import SQL

from .attack import Attempt, attack
from .helpers import change, changes, delete, get_columns, insert_copy, newest


@attack("Batch records", "SQL: change what a batch record is, issue or complete it without what that needs",
        "BPR-010, BPR-160, USE-050, 21 CFR 111.255(c)", 'mrp_mmr_bpr_(fixed|issued|complete)')
def bpr_update(drill):
    bpr = newest(drill, 'mrp.bpr', [('state', 'not in', ('done', 'cancel'))])
    return bpr and (bpr, [
        *changes(drill, bpr, ('production_id', 'company_id', 'mmr_revision_id', 'product_id', 'name', 'rules', 'plan_sha256',
                              'step_count')),
        Attempt("completed", lambda: change(drill, bpr, 'state', SQL("'done'")))])


@attack("Batch records", "SQL: change the plan of a step, open a closed one again, or close one that is not signed",
        "USE-030, VER-050, 21 CFR 111.255(c), 111.260(j)", 'mrp_mmr_bpr_step_(fixed|signed|sequence|issued)')
def bpr_step_update(drill):
    step = newest(drill, 'mrp.bpr.step', [('state', '!=', 'open')]) or newest(drill, 'mrp.bpr.step', [])
    waiting = newest(drill, 'mrp.bpr.step', [('state', 'in', ('open', 'started', 'checking'))])
    return step and (step, [
        *changes(drill, step, ('bpr_id', 'production_id', 'company_id', 'sequence', 'stage', 'number', 'name', 'kind',
                               'performer_role', 'verifier_role', 'is_critical', 'is_hold_point', 'points', 'planned')),
        *([Attempt("opened again", lambda: change(drill, step, 'state', SQL("'open'")))] if step.state != 'open' else []),
        *([Attempt("done", lambda: change(drill, waiting, 'state', SQL("'done'")))] if waiting else [])])


@attack("Batch records", "SQL: take the signature of a step back, or put another one in its place", "SIG-030, 21 CFR 11.70",
        'mrp_mmr_bpr_step_signed')
def bpr_step_signature(drill):
    step = newest(drill, 'mrp.bpr.step', [('performed_signature_id', '!=', False)])
    return step and (step, [
        *changes(drill, step, ['performed_signature_id']),
        Attempt('NULL', lambda: change(drill, step, 'performed_signature_id', SQL("NULL")))])


@attack("Batch records", "SQL: delete a batch record or a step, or add one", "BPR-010, USE-030, 21 CFR 111.255(a), (c)",
        'mrp_mmr_bpr_(kept|released|step_kept|step_planned)|uniq')
def bpr_delete(drill):
    bpr = newest(drill, 'mrp.bpr', [])
    step = bpr.step_ids[:1]
    return bpr and (bpr, [
        delete(drill, bpr), delete(drill, step), Attempt('INSERT of a record', lambda: insert_copy(drill, bpr)),
        Attempt('INSERT of a step', lambda: insert_copy(drill, step, sequence=SQL("sequence + 100000")))])


@attack("Batch records", "SQL: change any column of a recorded value, or delete it", "AUD-020, AUD-030, 21 CFR 11.10(e)",
        r'mrp_mmr_\w+_append_only')
def entry_update(drill):
    entry = newest(drill, 'mrp.bpr.entry', [])
    return entry and (entry, [*changes(drill, entry, get_columns(entry)), delete(drill, entry)])


@attack("Batch records", "SQL: add a value to a step that is not started, or without the mark of a late entry",
        "BPR-110, AUD-020, 21 CFR 111.260(j)", 'mrp_mmr_bpr_entry_at_step')
def entry_insert(drill):
    entry = newest(drill, 'mrp.bpr.entry', [])
    return entry and (entry, [Attempt('INSERT', lambda: insert_copy(
        drill, entry, token=SQL("NULL"), is_late=SQL("NOT is_late"), to_sign=SQL("NOT to_sign"),
        reason=SQL("'forged'")))])


@attack("Batch records", "SQL: change, decide or delete a deviation", "DEV-010, DEV-030, 21 CFR 111.113(c), 211.192",
        'mrp_mmr_deviation_(fixed|decided|kept)')
def deviation_sql(drill):
    deviation = newest(drill, 'mrp.deviation', [])
    return deviation and (deviation, [
        *changes(drill, deviation, ('name', 'title', 'source', 'bpr_id', 'step_id', 'description', 'is_blocking',
                                    'reported_by_id', 'reported_at')),
        Attempt("status", lambda: change(drill, deviation, 'state', SQL(
            "CASE state WHEN 'open' THEN 'decided' ELSE 'open' END"))), delete(drill, deviation)])


@attack("Batch records", "ORM: create, change, copy or delete a batch record, step, recorded value or deviation",
        "BPR-010, SEC-020, AUD-030, 21 CFR 111.255(b)", 'BPR-[01]10|SEC-020|AUD-030|DEV-010')
def bpr_orm(drill):
    attempts = []
    for model, vals in (('mrp.bpr', {'state': 'done'}), ('mrp.bpr.step', {'state': 'done'}), ('mrp.bpr.entry', {'value': "1"}),
                        ('mrp.deviation', {'state': 'decided'})):
        record = newest(drill, model, [])
        for verb, call in {
                'writes': lambda env, record=record, vals=vals: record.with_env(env).write(dict(vals)),
                'deletes': lambda env, record=record: record.with_env(env).unlink(),
                'copies': lambda env, record=record: record.with_env(env).copy(),
                'creates': lambda env, record=record, vals=vals: record.with_env(env).create(dict(vals))}.items():
            attempts += drill.everyone(call, f"{verb} {model}") if record else []
    return attempts and ("batch records", attempts)


