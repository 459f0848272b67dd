"""Attacks on the audit trail, its seals, and the results of drills."""

from odoo.tools import SQL

from .attack import Attempt, Detected, attack
from .engine import HOSTILE
from .helpers import chain_lines, changes, delete, execute, get_columns, insert_copy, newest, newest_signature


@attack("Audit trail", "SQL: change any column of the first, a middle and the last line of a chain",
        "AUD-030, 21 CFR 11.10(e)", r'mrp_mmr_\w+_append_only')
def line_update(drill):
    lines = chain_lines(drill)
    return lines and (lines.chain_id, [
        attempt._replace(label=f"line {line.index}: {attempt.label}")
        for line in lines for attempt in changes(drill, line, get_columns(line))])


@attack("Audit trail", "SQL: delete the first, a middle and the last line of a chain", "AUD-030, 21 CFR 11.10(e)",
        r'mrp_mmr_\w+_append_only')
def line_delete(drill):
    lines = chain_lines(drill)
    return lines and (lines.chain_id, [delete(drill, line)._replace(label=f"line {line.index}") for line in lines])


@attack("Audit trail", "SQL: insert a line out of order", "AUD-040, 21 CFR 11.10(a)", 'mrp_mmr_entry_follows|index_uniq')
def line_insert(drill):
    lines = chain_lines(drill)
    last = lines[-1:]
    return last and (last.chain_id, [
        Attempt("leaves a gap", lambda: insert_copy(drill, last, index=SQL("index + 2"))),
        Attempt("follows another line", lambda: insert_copy(
            drill, last, index=SQL("index + 1"), previous_sha256=SQL("%s", '1' * 64))),
        Attempt("number is taken", lambda: insert_copy(drill, last)),
        Attempt("before the first", lambda: insert_copy(drill, last, index=SQL("0")))])


@attack("Audit trail", "SQL: move the head of a chain, change or delete the chain", "AUD-030, AUD-040, 21 CFR 11.10(a), (e)",
        'mrp_mmr_chain')
def chain_sql(drill):
    chain = chain_lines(drill).chain_id
    return chain and (chain, [
        execute(drill, "head back", SQL("UPDATE mrp_audit_chain SET head_index = head_index - 1 WHERE id = %s", chain.id)),
        *changes(drill, chain, ('head_index', 'head_sha256', 'sealed_index', 'res_model', 'res_id', 'company_id')),
        Attempt('INSERT', lambda: insert_copy(drill, chain, res_id=SQL("-1"))), delete(drill, chain)])


@attack("Audit trail", "SQL: change any column of a seal, or delete it", "AUD-040, 21 CFR 11.10(a)", r'mrp_mmr_\w+_append_only')
def seal_sql(drill):
    seal = newest(drill, 'mrp.audit.seal', [])
    return seal and (seal, [*changes(drill, seal, get_columns(seal)), delete(drill, seal)])


@attack("Audit trail", "ORM: create, change, copy or delete lines, chains and seals", "AUD-030, 21 CFR 11.10(e)", 'AUD-030')
def ledger_orm(drill):
    lines = chain_lines(drill)
    attempts = []
    for record in (lines[-1:], lines.chain_id, newest(drill, 'mrp.audit.seal', [])):
        if record:
            attempts += [
                *drill.everyone(lambda env, record=record: record.with_env(env).write({'company_id': 1}), "writes"),
                *drill.everyone(lambda env, record=record: record.with_env(env).unlink(), "deletes"),
                *drill.everyone(lambda env, record=record: record.with_env(env).copy(), "copies"),
                *drill.everyone(lambda env, record=record: record.with_env(env).create({}), "creates")]
    return lines and (lines.chain_id, attempts)


@attack("Audit trail", "Change a record without a line in the audit trail, by keys of the context",
        "AUD-030, 21 CFR 11.10(e), EU GMP Annex 11 §9", 'logged all the same')
def logging_off(drill):
    profile = newest(drill, 'mrp.mmr.profile', [])

    def write(**keys):
        before = drill.env['mrp.audit.entry'].search([], order='id desc', limit=1).id
        record = profile.with_context(**keys)
        record.review_interval += 1
        drill.cr.flush()
        line = drill.env['mrp.audit.entry'].search([
            ('id', '>', before), ('res_model', '=', profile._name), ('res_id', '=', profile.id)], limit=1)
        if line.values and 'review_interval' in line.values:
            raise Detected("logged all the same, with old and new value")

    return profile and (profile, [
        *[Attempt(key, lambda key=key, value=value: write(**{key: value})) for key, value in HOSTILE.items()],
        Attempt("all of them", lambda: write(**HOSTILE))])


@attack("Audit trail", "SQL: change the result of a drill before, or delete it", "AUD-030, AUD-040, 21 CFR 11.10(e)",
        'mrp_mmr_drill_kept')
def drill_sql(drill):
    before = newest(drill, 'mrp.tamper.drill', [])
    return before and (before, [*changes(drill, before, get_columns(before)), delete(drill, before)])


@attack("Audit trail", "ORM: create, change, copy or delete the result of a drill", "AUD-030, AUD-040, 21 CFR 11.10(e)",
        'AUD-030')
def drill_orm(drill):
    before = newest(drill, 'mrp.tamper.drill', [])
    return before and (before, [
        *drill.everyone(lambda env: before.with_env(env).write({'state': 'passed'}), "writes"),
        *drill.everyone(lambda env: before.with_env(env).unlink(), "deletes"),
        *drill.everyone(lambda env: before.with_env(env).copy(), "copies"),
        *drill.everyone(lambda env: before.with_env(env).create({'state': 'passed'}), "creates")])


@attack("Audit trail", "Uninstall the addon", "AUD-030, REC-040, 21 CFR 11.10(c), 111.605", 'AUD-030')
def uninstall(drill):
    if not newest_signature(drill):
        return None
    module = drill.env.ref('base.module_mrp_mmr')
    return module, drill.everyone(lambda env: module.with_env(env).button_uninstall())
