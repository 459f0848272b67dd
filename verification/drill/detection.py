"""Attacks that go through where guards are passed by: verification finds what they did."""

from odoo.tools import SQL

from ..ledger import LedgerCheck
from .attack import Attempt, attack
from .helpers import (
    assert_found,
    chain_lines,
    change,
    forge_signature,
    insert_copy,
    newest,
    newest_signature,
    signed_revision,
    verified,
)


@attack("Beside the guards", "SQL: insert a forged signature", "SIG-030, 21 CFR 11.70", r'mrp_mmr_\w+_append_only')
def signature_copy(drill):
    signature = newest_signature(drill)

    def copy():
        forgery = forge_signature(drill, signature)
        assert_found(verified(drill, 'signatures', forgery), ('mrp.esignature', forgery))

    return signature and (signature, [Attempt('INSERT', copy)])


@attack("Beside the guards", "SQL: append a forged line and move the head of the chain to it", "AUD-040, 21 CFR 11.10(a)",
        'mrp_mmr_entry_follows')
def line_append(drill):
    last = chain_lines(drill)[-1:]

    def append():
        # As the addon itself does, so that nobody appends a line in between.
        drill.cr.execute("SELECT FROM mrp_audit_chain WHERE id = %s FOR UPDATE", [last.chain_id.id], log_exceptions=False)
        line = insert_copy(drill, last, index=SQL("index + 1"), previous_sha256=SQL("sha256"), sha256=SQL("%s", 'f' * 64))
        drill.cr.execute("UPDATE mrp_audit_chain SET head_index = head_index + 1, head_sha256 = %s WHERE id = %s",
                         ['f' * 64, last.chain_id.id], log_exceptions=False)
        assert_found(LedgerCheck(drill.cr, chains=[last.chain_id.id]), ('mrp.audit.entry', line))

    return last and (last.chain_id, [Attempt('INSERT', append)])


def switch_triggers_off(drill):
    """Switch the triggers off for this session, which PostgreSQL lets its superusers do; no table is locked."""
    drill.cr.execute("SET LOCAL session_replication_role = replica", log_exceptions=False)


@attack("Beside the guards", "Change or cut off the audit trail in a session without triggers", "AUD-040, 21 CFR 11.10(a)",
        'InsufficientPrivilege')
def unguarded_ledger(drill):
    lines = chain_lines(drill)
    first, last, chain = lines[:1], lines[-1:], lines.chain_id

    def alter(query):
        switch_triggers_off(drill)
        drill.cr.execute(query, log_exceptions=False)
        assert_found(LedgerCheck(drill.cr, chains=[chain.id]), ('mrp.audit.entry', first.id), ('mrp.audit.chain', chain.id))

    return lines and (chain, [
        Attempt("changes a line", lambda: alter(SQL("UPDATE mrp_audit_entry SET reason = 'forged' WHERE id = %s", first.id))),
        Attempt("deletes the last line", lambda: alter(SQL("DELETE FROM mrp_audit_entry WHERE id = %s", last.id))),
        Attempt("moves the head", lambda: alter(SQL(
            "UPDATE mrp_audit_chain SET head_index = head_index - 1 WHERE id = %s", chain.id)))])


@attack("Beside the guards", "Change a signature or a signed document in a session without triggers",
        "SIG-030, REV-010, 21 CFR 11.70", 'InsufficientPrivilege')
def unguarded_signature(drill):
    revision, signature = signed_revision(drill), newest(drill, 'mrp.esignature', [])

    def alter(record, query, part):
        switch_triggers_off(drill)
        drill.cr.execute(query, log_exceptions=False)
        assert_found(verified(drill, part, record.id), (record._name, record.id))

    return revision and (revision, [
        Attempt("changes a signature", lambda: alter(signature, SQL(
            "UPDATE mrp_esignature SET signer_name = 'Forged' WHERE id = %s", signature.id), 'signatures')),
        Attempt("changes a document", lambda: alter(revision, SQL(
            """UPDATE mrp_mmr_revision SET document = jsonb_set(document, '{forged}', 'true') WHERE id = %s""",
            revision.id), 'revisions'))])


@attack("Beside the guards", "SQL: retire a revision without the signature",
        "REV-080, AUD-040, 21 CFR 111.123(a)(1)", 'mrp_mmr_revision')
def unsigned_retirement(drill):
    revision = newest(drill, 'mrp.mmr.revision', [('state', '=', 'effective')])

    def retire():
        change(drill, revision, 'state', SQL("'obsolete'"))
        assert_found(verified(drill, 'mrp.mmr.revision', revision.id), ('mrp.mmr.revision', revision.id))

    return revision and (revision, [Attempt('UPDATE', retire)])
