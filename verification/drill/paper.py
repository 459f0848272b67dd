"""Attacks on worksheets, transcriptions and terminals."""

from odoo.tools import SQL

from .attack import Attempt, attack
from .helpers import change, changes, delete, every_write, forge_step_signature, get_columns, insert_copy, newest, open_entry


@attack("Paper and terminals", "SQL: change any column of a controlled copy of worksheets, or delete it",
        "BPR-160, AUD-030, 21 CFR 211.188(a), EU GMP 4.2", r'mrp_mmr_\w+_append_only')
def mrp_bpr_copy_update(drill):
    copy = newest(drill, 'mrp.bpr.copy', [])
    return copy and (copy, [*changes(drill, copy, get_columns(copy)), delete(drill, copy)])


@attack("Paper and terminals", "SQL: add a controlled copy with a number of its own, or of a record that is not open",
        "BPR-160, 21 CFR 211.188(a), EU GMP 4.2", 'mrp_mmr_bpr_copy_numbered')
def mrp_bpr_copy_insert(drill):
    copy = newest(drill, 'mrp.bpr.copy', [])
    closed = newest(drill, 'mrp.bpr', [('state', 'not in', ('ready', 'progress')), ('copy_ids', '=', False)])
    return copy and (copy, [
        Attempt("number", lambda: insert_copy(drill, copy, number=SQL("number + 1000"))),
        *([Attempt("not open", lambda: insert_copy(
            drill, copy, bpr_id=SQL("%s", closed.id), number=SQL("1")))] if closed else [])])


@attack("Paper and terminals", "SQL: change, verify or delete a transcription, or take a decision on one back",
        "BPR-110, VER-050, AUD-020, 21 CFR 111.260(j), 11.10(e)", r'mrp_mmr_(transcription_\w+|bpr_transcription_frozen)')
def mrp_bpr_transcription_update(drill):
    transcription = newest(drill, 'mrp.bpr.transcription', [])
    return transcription and (transcription, [
        *changes(drill, transcription, (
            'step_id', 'bpr_id', 'company_id', 'copy_id', 'scan_id', 'user_id', 'user_name', 'at', 'to_sign')),
        Attempt("status", lambda: change(drill, transcription, 'state', SQL(
            "CASE state WHEN 'open' THEN 'verified' ELSE 'open' END"))), delete(drill, transcription)])


@attack("Paper and terminals", "SQL: add a value with initials of a paper that nobody transcribed",
        "BPR-110, 21 CFR 111.260(j)", 'mrp_mmr_bpr_entry_transcribed')
def transcribed_entry(drill):
    entry = open_entry(drill)
    return entry and (entry, [Attempt('INSERT', lambda: insert_copy(
        drill, entry, paper_time=SQL("'6:15'"), paper_by=SQL("'forged'"), token=SQL("NULL")))])


@attack("Paper and terminals", "SQL: sign a step by a forged signature while a transcription waits for its verification",
        "VER-050, BPR-110, 21 CFR 111.260(j)", 'mrp_mmr_bpr_step_transcribed_verified')
def transcribed_step(drill):
    step = newest(drill, 'mrp.bpr.transcription', [
        ('state', '=', 'open'), ('step_id.state', '=', 'started'), ('step_id.performed_signature_id', '=', False)]).step_id
    return step and (step, [Attempt('UPDATE', lambda: forge_step_signature(drill, step, 'performed'))])


@attack("Paper and terminals", "ORM: create, change, copy or delete a controlled copy of worksheets or a transcription",
        "BPR-160, AUD-030, 21 CFR 211.188(a), 111.260(j)", 'AUD-030')
def paper_orm(drill):
    attempts = [
        attempt._replace(label=f"{attempt.label} {model}")
        for model, vals in (('mrp.bpr.copy', {'number': 1}), ('mrp.bpr.transcription', {'state': 'verified'}))
        if (record := newest(drill, model, [])) for attempt in every_write(drill, record, vals)]
    return attempts and ("worksheets", attempts)


@attack("Paper and terminals", "SQL: add a value from another terminal than those of the work center",
        "SEC-040, 21 CFR 11.10(h)", 'mrp_mmr_bpr_terminal')
def terminal_entry(drill):
    entry = open_entry(drill, ('step_id.workorder_id', '!=', False))
    terminal = newest(drill, 'mrp.terminal', [])
    workcenter = entry.step_id.workorder_id.workcenter_id

    def add():
        # As if a security administrator had named the terminal for this work center.
        drill.cr.execute(
            """INSERT INTO mrp_workcenter_terminal_rel (mrp_workcenter_id, mrp_terminal_id) VALUES (%s, %s)
                   ON CONFLICT DO NOTHING""", [workcenter.id, terminal.id], log_exceptions=False)
        insert_copy(drill, entry, device=SQL("'forged'"), token=SQL("NULL"))

    return entry and terminal and (terminal, [Attempt('INSERT', add)])


@attack("Paper and terminals", "ORM: give a terminal a key, or say that it is registered", "SEC-040, 21 CFR 11.10(h)",
        'SEC-040')
def terminal_orm(drill):
    terminal = newest(drill, 'mrp.terminal', [])
    return terminal and (terminal, [
        attempt for vals in ({'key_sha256': '0' * 64}, {'registered_at': '2030-01-01 00:00:00'})
        for attempt in drill.everyone(
            lambda env, vals=vals: terminal.with_env(env).write(dict(vals)), f"writes {next(iter(vals))}")])
