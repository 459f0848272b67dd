"""Attacks on revisions and masters, their approval route and the rules that they are checked by."""

from odoo.tools import SQL

from ...domain.columns import CONTENT
from .attack import Attempt, attack
from .helpers import (
    FROZEN,
    change,
    changes,
    delete,
    execute,
    forge_signature,
    insert_copy,
    newest,
    signed_revision,
    submitted_revision,
)


@attack("Revisions", "SQL: change the signed document, its digest or a column of the content", FROZEN,
        'mrp_mmr_revision_content_frozen')
def revision_content(drill):
    revision = signed_revision(drill)
    return revision and (revision, changes(drill, revision, ('document', 'document_sha256', *CONTENT['mrp_mmr_revision'])))


@attack("Revisions", "SQL: change who signed, number, master record, bill of materials or time", "APR-030, REV-020, REV-050",
        'mrp_mmr_revision_content_frozen|mrp_mmr_revision_signed')
def revision_system(drill):
    revision = signed_revision(drill)
    return revision and (revision, changes(drill, revision, (
        'prepared_signature_id', 'approved_signature_id', 'revision', 'mmr_id', 'bom_id', 'effective_at', 'submitted_once')))


@attack("Revisions", "SQL: set an effective revision back", "APR-010, 21 CFR 111.123(a)(1)",
        'mrp_mmr_revision_transition|mrp_mmr_revision_content_frozen')
def revision_state(drill):
    revision = newest(drill, 'mrp.mmr.revision', [('state', '=', 'effective')])
    return revision and (revision, [
        Attempt(state, lambda state=state: change(drill, revision, 'state', SQL("%s", state)))
        for state in ('draft', 'submitted', 'approved', 'cancelled')])


@attack("Revisions", "SQL: delete a signed revision or its master record", "REC-040, 21 CFR 111.605(b), 211.180(d)",
        'mrp_mmr_revision_kept|_fkey')
def revision_delete(drill):
    revision = signed_revision(drill)
    return revision and (revision, [delete(drill, revision), delete(drill, revision.mmr_id)])


@attack("Revisions", "SQL: make a second revision effective", "REV-050, 21 CFR 111.255(c)",
        'mrp_mmr_revision_transition|one_effective')
def revision_second(drill):
    revision = newest(drill, 'mrp.mmr.revision', [('state', '=', 'effective')])
    ended = newest(drill, 'mrp.mmr.revision', [('state', 'in', ('superseded', 'obsolete', 'cancelled'))])
    return revision and (revision, [
        Attempt('INSERT', lambda: insert_copy(drill, revision, revision=SQL("revision + 1000"), bom_id=SQL(
            "(SELECT id FROM mrp_bom ORDER BY id LIMIT 1)"))),
        *([Attempt(f'UPDATE of {ended.display_name}', lambda: change(drill, ended, 'state', SQL("'effective'")))]
          if ended else [])])


@attack("Revisions", "SQL: approve a submitted revision without a signature, or with one of its preparer",
        "APR-030, APR-040, 21 CFR 211.186(a)", 'mrp_mmr_revision_signed')
def revision_approve(drill):
    revision = submitted_revision(drill)

    def by_preparer():
        forgery = forge_signature(drill, revision.prepared_signature_id, meaning=SQL("'approved'"))
        drill.cr.execute("UPDATE mrp_mmr_revision SET state = 'approved', approved_signature_id = %s WHERE id = %s",
                         [forgery, revision.id], log_exceptions=False)

    return revision and (revision, [
        Attempt('without', lambda: change(drill, revision, 'state', SQL("'approved'"))), Attempt('by preparer', by_preparer)])


@attack("Revisions", "SQL: forget who edited a draft", "APR-040, 21 CFR 111.12(b)", 'mrp_mmr_editor_kept')
def revision_editor(drill):
    drill.cr.execute("SELECT revision_id, user_id FROM mrp_mmr_revision_editor_rel ORDER BY 1 DESC LIMIT 1")
    row = drill.cr.fetchone()
    return row and (drill.env['mrp.mmr.revision'].browse(row[0]), [
        execute(drill, 'DELETE', SQL("DELETE FROM mrp_mmr_revision_editor_rel WHERE (revision_id, user_id) = %s", row)),
        execute(drill, 'UPDATE', SQL(
            """UPDATE mrp_mmr_revision_editor_rel SET user_id = (SELECT min(id) FROM res_users WHERE id <> user_id)
                WHERE (revision_id, user_id) = %s""", row))])


@attack("Revisions", "ORM: write status, document, digest, signature or content of a signed revision, or delete it",
        "APR-010, REV-010, 21 CFR 111.123(a)(1)", 'APR-010|REV-010|REC-040')
def revision_orm(drill):
    revision = signed_revision(drill)
    return revision and (revision, [
        *(attempt for vals in ({'state': 'draft'}, {'document': {'forged': True}}, {'document_sha256': '0' * 64},
                               {'approved_signature_id': False}, {'precautions': "Forged"}, {'editor_ids': [(5,)]})
          for attempt in drill.everyone(
              lambda env, vals=vals: revision.with_env(env).write(dict(vals)), f"writes {next(iter(vals))}")),
        *drill.everyone(lambda env: revision.with_env(env).unlink(), "deletes")])


@attack("Revisions", "ORM: create a revision that is effective already", "APR-010, EU GMP 4.3", 'APR-010|REV-020')
def revision_born(drill):
    revision = signed_revision(drill)
    return revision and (revision, drill.everyone(lambda env: revision.with_env(env).create({
        'mmr_id': revision.mmr_id.id, 'state': 'effective', 'reason': "Forged"})))


@attack("Revisions", "SQL: change the identity of a signed master record", "MMR-020, REV-040, 21 CFR 111.205(a)",
        'mrp_mmr_identity_fixed')
def mmr_identity(drill):
    mmr = signed_revision(drill).mmr_id
    return mmr and (mmr, changes(drill, mmr, (
        'name', 'product_id', 'formulation_code', 'batch_size', 'uom_id', 'profile_id', 'company_id',
        'batch_size_product_uom')))


@attack("Revisions", "SQL: take a review back, change or delete it", "APR-030, REC-040, 21 CFR 111.123(a)(1)",
        'mrp_mmr_review_kept')
def review_sql(drill):
    review = newest(drill, 'mrp.mmr.review', [('signature_id', '!=', False)])
    return review and (review, [
        *changes(drill, review, ('revision_id', 'name', 'group_id', 'prepared_signature_id', 'signature_id')),
        delete(drill, review)])


@attack("Revisions", "SQL: change the approval route: a review in force, one that was signed, one that nobody signed",
        "APR-030, AUD-060, 21 CFR 111.123(a)(1)", 'mrp_mmr_reviewer_(fixed|kept|signed)')
def reviewer_sql(drill):
    reviewer = newest(drill, 'mrp.mmr.reviewer', [('enabled', '=', True)])
    return reviewer and (reviewer, [
        *changes(drill, reviewer, ('name', 'sequence', 'group_id', 'profile_id', 'company_id', 'active', 'enabled')),
        Attempt('INSERT', lambda: insert_copy(drill, reviewer)), delete(drill, reviewer)])


@attack("Revisions", "SQL: change the code of a profile, which says what is checked", "REV-010, 21 CFR 111.123(a)(1)",
        'mrp_mmr_profile_code')
def profile_sql(drill):
    profile = newest(drill, 'mrp.mmr.profile', [])
    return profile and (profile, changes(drill, profile, ['code']))


@attack("Revisions", "SQL: change, switch off or delete a requirement of the rules", "AUD-060, 21 CFR 11.10(k)",
        'mrp_mmr_requirement_kept|mrp_mmr_requirement_signed|enforcement')
def requirement_sql(drill):
    requirement = newest(drill, 'mrp.mmr.requirement', [('check', '!=', False), ('enforcement', '=', 'R')])
    return requirement and (requirement, [
        *changes(drill, requirement, ('code', 'citation', 'check', 'enforcement', 'enabled')), delete(drill, requirement)])
