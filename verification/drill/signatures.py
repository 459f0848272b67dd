"""Attacks on signatures, on who signs, and on what a signer is qualified for."""

from odoo.tools import SQL

from .attack import Attempt, attack
from .helpers import changes, delete, get_columns, insert_copy, newest, newest_signature, signed_revision, submitted_revision


@attack("Signatures", "SQL: change any column of a signature", "SIG-030, 21 CFR 11.70", r'mrp_mmr_\w+_append_only')
def signature_update(drill):
    signature = newest_signature(drill)
    return signature and (signature, changes(drill, signature, get_columns(signature)))


@attack("Signatures", "SQL: delete a signature", "SIG-030, 21 CFR 11.70", r'mrp_mmr_\w+_append_only')
def signature_delete(drill):
    signature = newest_signature(drill)
    return signature and (signature, [delete(drill, signature)])


@attack("Signatures", "ORM: change, delete, copy or create a signature", "SIG-030, SIG-080, 21 CFR 11.70, 11.200(a)(2)",
        'SIG-030|SIG-080')
def signature_orm(drill):
    signature = newest_signature(drill)
    if not signature:
        return None
    record = drill.env[signature.res_model].browse(signature.res_id)

    def create(env):
        signatures = env['mrp.esignature']
        return signatures.create(signatures.sudo()._prepare_signature_vals(
            record, env.user, 'approved', "Forged", "Forged", '0' * 64))

    return signature, [
        *drill.everyone(lambda env: signature.with_env(env).write({'comment': "Forged"}), "writes"),
        *drill.everyone(lambda env: signature.with_env(env).unlink(), "deletes"),
        *drill.everyone(lambda env: signature.with_env(env).copy(), "copies"), *drill.everyone(create, "creates")]


@attack("Signatures", "Sign as the superuser, and as somebody else than the person of the session",
        "SIG-080, 21 CFR 11.200(a)(2)", 'SIG-080')
def sign_for_another(drill):
    revision = submitted_revision(drill) or signed_revision(drill)
    return revision and (revision, drill.everyone(lambda env: revision.with_env(env).esign(
        'approve', {'login': env.user.login, 'password': "drill"}, revision.document_sha256, "Drill")))


@attack("Signatures", "Approve a revision as its preparer", "APR-040, 21 CFR 211.186(a), 111.12(b)", 'APR-040|APR-050')
def approve_as_preparer(drill):
    revision = submitted_revision(drill)
    if not revision:
        return None
    preparer = revision.prepared_signature_id.user_id
    # As if user name and password had been right.
    return revision, [Attempt("preparer", lambda: revision.with_user(preparer)._esign(
        'approve', revision.document_sha256, "Drill"))]


@attack("Signatures", "Sign as another person, without the key of this person", "SIG-110, 21 CFR 11.70, 11.200(a)(2)",
        'SIG-110|APR-040|APR-050|SEC-030')
def sign_without_key(drill):
    revision = submitted_revision(drill)
    if not revision:
        return None
    # Each of them, as a server action can: with the rights of the person, and nothing that the person typed.
    quality = drill.env.ref('mrp_mmr.group_mmr_qc').all_user_ids.filtered('active')[:3]
    return quality and (revision, [
        Attempt(f"as {user.login}", lambda user=user: revision.with_user(user)._esign(
            'approve', revision.document_sha256, "Drill")) for user in quality])


@attack("Signatures", "SQL: change or delete the key of a signer, or make it that of another", "SIG-120, 21 CFR 11.100(b)",
        r'mrp_mmr_signer_key_(append_only|fingerprint|update)|fingerprint_uniq')
def key_sql(drill):
    key = newest(drill, 'mrp.signer.key', [])
    return key and (f"{key._name},{key.id}", [
        *changes(drill, key, get_columns(key)), delete(drill, key),
        Attempt("copies", lambda: insert_copy(drill, key, user_name=SQL("%s", "Forged"))),
        Attempt("under another fingerprint", lambda: insert_copy(drill, key, fingerprint=SQL("%s", '0' * 64)))])


@attack("Signatures", "SQL: store a signature without the key of its signer, or with that of another",
        "SIG-110, 21 CFR 11.70", r'mrp_mmr_esignature_(keyed|sequence|in_force|enrolment)')
def signature_insert(drill):
    signature = newest(drill, 'mrp.esignature', [('key_fingerprint', '!=', False)])
    return signature and (signature, [
        Attempt("copies", lambda: insert_copy(drill, signature)),
        Attempt("without key", lambda: insert_copy(drill, signature, key_signature=SQL("NULL"))),
        Attempt("of another", lambda: insert_copy(drill, signature, user_id=SQL("%s", drill.env.uid)))])


@attack("Signatures", "SQL: end a suspension without the enrolment of the key", "SIG-120, 21 CFR 11.300(b)",
        'mrp_mmr_signer_suspended')
def suspension_sql(drill):
    signer = newest(drill, 'mrp.signer', [('identity_verified_at', '!=', False)])
    if not signer or drill.env['mrp.signer.key']._is_set_up_open():
        return None

    def end(statement):
        # Suspended first, as whoever sets a password does it; no enrolment is as young.
        drill.cr.execute(SQL(
            "UPDATE mrp_signer SET suspended_at = now() + interval '1 day' WHERE id = %s", signer.id), log_exceptions=False)
        drill.cr.execute(SQL(statement, signer.id), log_exceptions=False)

    return f"{signer._name},{signer.id}", [
        Attempt("ends", lambda: end("UPDATE mrp_signer SET suspended_at = NULL WHERE id = %s")),
        Attempt("dates back", lambda: end("UPDATE mrp_signer SET suspended_at = '2000-01-01' WHERE id = %s")),
        Attempt("deletes", lambda: end("DELETE FROM mrp_signer WHERE id = %s"))]


@attack("Signatures", "Delete a person who signed, or give the user to another person", "SIG-060, 21 CFR 11.100(a)",
        'SIG-060|_fkey|RestrictViolation')
def signer_delete(drill):
    user = newest_signature(drill).user_id
    other = drill.env['res.partner'].search([('id', '!=', user.partner_id.id)], limit=1)
    return user and (f"{user._name},{user.id}", [
        delete(drill, user), delete(drill, user.partner_id), Attempt('ORM deletes', lambda: user.unlink()),
        Attempt('ORM gives away', lambda: user.write({'partner_id': other.id}))])


@attack("Signatures", "SQL: change or delete a qualification, or grant one to oneself", "SEC-030, 21 CFR 111.12(c), 11.10(i)",
        'mrp_mmr_qualification_(fixed|kept|granted)')
def qualification_sql(drill):
    qualification = newest(drill, 'mrp.qualification', [('revoked_at', '=', False)])
    return qualification and (f"{qualification._name},{qualification.id}", [
        *changes(drill, qualification, ('user_id', 'company_id', 'valid_from', 'valid_to', 'evidence', 'granted_by_id',
                                        'granted_at')),
        Attempt("to oneself", lambda: insert_copy(drill, qualification, granted_by_id=SQL("user_id"))),
        delete(drill, qualification)])


@attack("Signatures", "ORM: create, change, copy or delete a qualification", "SEC-030, 21 CFR 111.12(c), 11.10(i)", 'SEC-030')
def qualification_orm(drill):
    qualification = newest(drill, 'mrp.qualification', [])
    return qualification and (f"{qualification._name},{qualification.id}", [
        *drill.everyone(lambda env: qualification.with_env(env).write({'evidence': "Forged"}), "writes"),
        *drill.everyone(lambda env: qualification.with_env(env).unlink(), "deletes"),
        *drill.everyone(lambda env: qualification.with_env(env).copy(), "copies"),
        *drill.everyone(lambda env: qualification.with_env(env).create({'evidence': "Forged"}), "creates")])


@attack("Signatures", "SQL: change or delete an acceptance of accountability", "SIG-070, 21 CFR 11.10(j)",
        r'mrp_mmr_\w+_append_only')
def acceptance_sql(drill):
    acceptance = newest(drill, 'mrp.signer.acceptance', [])
    return acceptance and (f"{acceptance._name},{acceptance.id}", [
        *changes(drill, acceptance, get_columns(acceptance)), delete(drill, acceptance)])
