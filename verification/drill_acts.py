"""The forbidden acts that the tamper drill tries, one function each (see :mod:`.drill`).

A function returns the record that the act is tried on, chosen from those that are there, and the attempts; or None
where there is nothing to try it on. Titles and texts are part of the evidence and are not translated.
"""

from psycopg2 import errors

from odoo.tools import SQL

from .. import guards
from ..domain import columns
from .drill import HOSTILE, Act, Attempt, Held, Skipped
from .ledger import CHECKPOINT, LedgerCheck
from .records import Verification

SIGNED = ('approved', 'effective', 'superseded', 'obsolete')
FROZEN = "REV-010, 21 CFR 111.123(a)(1), 211.100(a)"
#: Content of signed revisions: what it is, its columns, and what the ORM is asked to write.
CONTENT = {
    'mrp.bom': ("bill of materials", columns.CONTENT['mrp_bom'], {'product_qty': 9}),
    'mrp.bom.line': ("component", (
        *columns.CONTENT['mrp_bom_line'], 'mmr_overage_confirmed_id', 'mmr_overage_confirmed_at'), {'gmp_qty': 1.25}),
    'mrp.bom.byproduct': ("by-product", columns.CONTENT['mrp_bom_byproduct'], {'product_qty': 9}),
    'mrp.routing.workcenter': ("stage", columns.CONTENT['mrp_routing_workcenter'], {'name': "Forged"}),
    'mrp.mmr.step': ("step", None, {'name': "Forged"}),
    'mrp.mmr.step.check': ("check of a step", None, {'name': "Forged"}),
    'mrp.mmr.specification': ("specification", None, {'name': "Forged"}),
    'mrp.mmr.equipment': ("piece of equipment", None, {'preparation': "Forged"}),
    'mrp.mmr.ingredient': ("declared ingredient", None, {'name': "Forged"}),
    'mrp.mmr.pack': ("pack", None, {'name': "Forged"}),
    'mrp.mmr.pack.line': ("packaging material", None, {'quantity': 9}),
    'mrp.mmr.section': ("section of a device file", None, {'text': "Forged"}),
    'mrp.mmr.reference': ("reference to a document", None, {'purpose': "Forged"}),
    'mrp.mmr.answer': ("answer to a requirement", None, {'answer': "Forged"}),
    'mrp.mmr.label': ("label", columns.CONTENT['mrp_mmr_label'], {'name': "Forged"}),
    'mrp.sop': ("document", columns.CONTENT['mrp_sop'], {'code': "Forged"}),
}
ACTS = []


def act(group, title, rule, expected):
    """Register a function as an act."""
    def register(function):
        ACTS.append(Act(function.__name__, group, title, rule, expected, function))
        return function
    return register


# === HELPERS === #

def newest(drill, model, domain):
    """Return the newest record of a domain, of the company of the drill where it has one."""
    records = drill.env[model]
    if 'company_id' in records._fields:
        own = records.search([*domain, ('company_id', '=', drill.company_id)], order='id desc', limit=1)
        if own:
            return own
    return records.search(domain, order='id desc', limit=1)


def forged(record, name):
    """Return another value of a column as SQL."""
    field = record._fields[name]
    column, kind = SQL.identifier(name), field.column_type[0]
    if field.type == 'many2one':
        return SQL("(SELECT o.id FROM %s o WHERE o.id IS DISTINCT FROM %s.%s ORDER BY o.id LIMIT 1)",
                   SQL.identifier(record.env[field.comodel_name]._table), SQL.identifier(record._table), column)
    return {
        'bool': SQL("NOT COALESCE(%s, FALSE)", column),
        'jsonb': SQL("%s::jsonb", '{"en_US": "forged"}'),
        'json': SQL("%s::json", '{"en_US": "forged"}'),
        'timestamp': SQL("COALESCE(%s, now() AT TIME ZONE 'UTC') + interval '1 day'", column),
        'date': SQL("COALESCE(%s, current_date) + 1", column),
        'bytea': SQL("%s::bytea", b'Zm9yZ2Vk'),
        'varchar': SQL("COALESCE(%s, '') || 'x'", column),
        'text': SQL("COALESCE(%s, '') || 'x'", column),
    }.get(kind, SQL("COALESCE(%s, 0) + 1", column))


def change(drill, record, name, value=None):
    """Change one column by SQL."""
    value = forged(record, name) if value is None else value
    drill.cr.execute(SQL(
        "UPDATE %(table)s SET %(column)s = %(value)s WHERE id = %(id)s AND %(column)s::text IS DISTINCT FROM (%(value)s)::text",
        table=SQL.identifier(record._table), column=SQL.identifier(name), value=value, id=record.id), log_exceptions=False)
    if not drill.cr.rowcount:
        raise Skipped()


def changes(drill, record, names):
    """Return an attempt for each column."""
    return [Attempt(name, lambda name=name: change(drill, record, name)) for name in names]


def execute(drill, label, query):
    """Return an attempt that executes a statement."""
    return Attempt(label, lambda: drill.cr.execute(query, log_exceptions=False))


def delete(drill, record):
    return execute(drill, 'DELETE', SQL("DELETE FROM %s WHERE id = %s", SQL.identifier(record._table), record.id))


def columns_of(record):
    """Return the columns of a record's table, but for its id and what Odoo keeps for itself."""
    return sorted(name for name, field in record._fields.items() if field.store and field.column_type and name not in (
        'id', 'create_uid', 'create_date', 'write_uid', 'write_date'))


def insert_copy(drill, record, **changed):
    """Insert a copy of a row by SQL, with other values; return its id."""
    names = [name for name, field in record._fields.items() if field.store and field.column_type and name != 'id']
    drill.cr.execute(SQL(
        "INSERT INTO %(table)s (%(names)s) SELECT %(values)s FROM %(table)s WHERE id = %(id)s RETURNING id",
        table=SQL.identifier(record._table), names=SQL(", ").join(map(SQL.identifier, names)), id=record.id,
        values=SQL(", ").join(changed.get(name, SQL.identifier(name)) for name in names)), log_exceptions=False)
    return drill.cr.fetchone()[0]


def found_by(findings, *named):
    """The act went through: verification has to name one of these records."""
    for finding in findings:
        if finding is not CHECKPOINT and (finding.model, finding.res_id) in named:
            raise Held(f"found by verification: {finding}"[:300])


def verified(drill, part, record_id):
    """Verify one part of the evidence, from a record on."""
    return Verification(drill.cr, position={'part': part, 'after': record_id - 1}).check_part(part)


def signed_revision(drill):
    return newest(drill, 'mrp.mmr.revision', [('state', '=', 'effective')]) \
        or newest(drill, 'mrp.mmr.revision', [('state', 'in', SIGNED)])


def submitted_revision(drill):
    return newest(drill, 'mrp.mmr.revision', [('state', '=', 'submitted')])


def released_order(drill):
    return newest(drill, 'mrp.production', [('mmr_snapshot_sha256', '!=', False), ('state', 'not in', ('done', 'cancel'))]) \
        or newest(drill, 'mrp.production', [('mmr_snapshot_sha256', '!=', False)])


def uncovered_order(drill):
    return newest(drill, 'mrp.production', [
        ('state', '=', 'draft'), ('product_id.mmr_controlled', '=', True), ('mmr_snapshot_sha256', '=', False)])


def chain_lines(drill):
    """Return first, middle and last line of a chain of a master record."""
    chain = newest(drill, 'mrp.audit.chain', [('res_model', '=', 'mrp.mmr'), ('head_index', '>', 2)]) \
        or newest(drill, 'mrp.audit.chain', [('head_index', '>', 0)])
    wanted = {1, (chain.head_index + 1) // 2, chain.head_index}
    return drill.env['mrp.audit.entry'].search(
        [('chain_id', '=', chain.id), ('index', 'in', list(wanted))], order='index')


# === CONTENT OF SIGNED REVISIONS === #

def find_content(drill, model):
    """Return a row of a signed revision."""
    state = ('state', 'in', SIGNED)
    if model == 'mrp.mmr.label':
        packs = newest(drill, 'mrp.mmr.pack', [('revision_id.state', 'in', SIGNED), ('label_id', '!=', False)])
        return newest(drill, model, [('approved_signature_id', '!=', False)]) or packs.label_id
    if model == 'mrp.sop':
        return newest(drill, 'mrp.mmr.reference', [('revision_id.state', 'in', SIGNED)]).sop_id \
            or newest(drill, 'mrp.mmr.specification', [
                ('revision_id.state', 'in', SIGNED), ('document_id', '!=', False)]).document_id
    revisions = {'mrp.bom': 'mmr_revision_ids', 'mrp.bom.line': 'bom_id.mmr_revision_ids',
                 'mrp.bom.byproduct': 'bom_id.mmr_revision_ids', 'mrp.routing.workcenter': 'bom_id.mmr_revision_ids'}
    return newest(drill, model, [(f"{revisions.get(model, 'revision_id')}.{state[0]}", *state[1:])])


def add_content_acts(model, words, names, vals):
    """Register the acts on one kind of content: change, delete and add by SQL, and everything by the ORM."""
    key = model.replace('.', '_')

    def sql_change(drill):
        row = find_content(drill, model)
        changed = names or sorted(
            name for name in row._mmr_content_fields() if row._fields[name].store and row._fields[name].column_type)
        return row and (row, changes(drill, row, changed))

    def sql_delete(drill):
        row = find_content(drill, model)
        return row and (row, [delete(drill, row)])

    def sql_insert(drill):
        row = find_content(drill, model)
        return row and (row, [Attempt('INSERT', lambda: insert_copy(drill, row))])

    def orm(drill):
        row = find_content(drill, model)
        return row and (row, [
            *drill.everyone(lambda env: row.with_env(env).write(dict(vals)), "writes"),
            *drill.everyone(lambda env: row.with_env(env).unlink(), "deletes")])

    article = "an" if words[0] in 'aeiou' else "a"
    content, frozen = "Signed content", r'mrp_mmr_\w+_content_frozen'
    ACTS.append(Act(f'{key}_update', content, f"SQL: change any column of {article} {words}", FROZEN, frozen, sql_change))
    ACTS.append(Act(f'{key}_delete', content, f"SQL: delete {article} {words}", FROZEN, f'{frozen}|_fkey', sql_delete))
    if model.replace('.', '_') in columns.ROW_TABLES or names and model.startswith(('mrp.bom.', 'mrp.routing')):
        ACTS.append(Act(f'{key}_insert', content, f"SQL: add {article} {words}", FROZEN, frozen, sql_insert))
    ACTS.append(Act(f'{key}_orm', content, f"ORM: change or delete {article} {words}", FROZEN, 'REV-010', orm))


for _model, _content in CONTENT.items():
    add_content_acts(_model, *_content)


@act("Signed content", "SQL: add or delete a link from a stage to another, or from a step to a document", FROZEN,
     r'mrp_mmr_\w+_rel_content_frozen')
def links_sql(drill):
    attempts = []
    for table, (left, right), model, owner in (
            ('mrp_routing_workcenter_dependencies_rel', ('operation_id', 'blocked_by_id'), 'mrp.routing.workcenter',
             'bom_id.mmr_revision_ids.state'),
            ('mrp_mmr_step_sop_rel', ('step_id', 'sop_id'), 'mrp.mmr.step', 'revision_id.state')):
        relation = [field for field in drill.env[model]._fields.values() if field.type == 'many2many'
                    and (field.relation, field.column1, field.column2) == (table, left, right)]
        row = newest(drill, model, [(owner, 'in', SIGNED), (relation[0].name, '!=', False)])
        names = SQL(", ").join(map(SQL.identifier, (left, right)))
        if row:
            attempts += [
                execute(drill, f'DELETE {table}', SQL(
                    "DELETE FROM %s WHERE %s = %s", SQL.identifier(table), SQL.identifier(left), row.id)),
                execute(drill, f'INSERT {table}', SQL(
                    "INSERT INTO %(table)s (%(names)s) SELECT %(id)s, o.id FROM %(others)s o WHERE NOT EXISTS ("
                    "SELECT FROM %(table)s r WHERE (r.%(left)s, r.%(right)s) = (%(id)s, o.id)) LIMIT 1",
                    table=SQL.identifier(table), names=names, id=row.id, left=SQL.identifier(left),
                    right=SQL.identifier(right), others=SQL.identifier(drill.env[relation[0].comodel_name]._table)))]
    return attempts and ("links", attempts)


@act("Signed content", "SQL: change or delete a file of a signed record", "REV-010, REC-040, 21 CFR 11.10(c)",
     r'mrp_mmr_\w+_append_only')
def file_sql(drill):
    file = newest(drill, 'mrp.mmr.file', [])
    return file and (file, [*changes(drill, file, columns_of(file)), delete(drill, file)])


@act("Signed content", "ORM: change, delete or duplicate a file of a signed record", "REV-010, REC-040, 21 CFR 11.10(c)",
     'REV-010|REC-040|not duplicated')
def file_orm(drill):
    file = newest(drill, 'mrp.mmr.file', [])
    return file and (file, [
        *drill.everyone(lambda env: file.with_env(env).write({'data': b'Zm9yZ2Vk'}), "writes"),
        *drill.everyone(lambda env: file.with_env(env).unlink(), "deletes"),
        *drill.everyone(lambda env: file.with_env(env).copy(), "duplicates")])


# === REVISIONS === #

@act("Revisions", "SQL: change the signed document, its digest or a column of the content", FROZEN,
     'mrp_mmr_revision_content_frozen')
def revision_content(drill):
    revision = signed_revision(drill)
    return revision and (revision, changes(drill, revision, (
        'document', 'document_sha256', *columns.CONTENT['mrp_mmr_revision'])))


@act("Revisions", "SQL: change who signed, number, master record, bill of materials or time", "APR-030, REV-020, REV-050",
     'mrp_mmr_revision_content_frozen|mrp_mmr_revision_signed')
def revision_system(drill):
    revision = signed_revision(drill)
    return revision and (revision, changes(drill, revision, (
        'prepared_signature_id', 'approved_signature_id', 'revision', 'mmr_id', 'bom_id', 'effective_at', 'submitted_once')))


@act("Revisions", "SQL: set an effective revision back", "APR-010, 21 CFR 111.123(a)(1)",
     'mrp_mmr_revision_transition|mrp_mmr_revision_content_frozen')
def revision_state(drill):
    revision = newest(drill, 'mrp.mmr.revision', [('state', '=', 'effective')])
    return revision and (revision, [
        Attempt(state, lambda state=state: change(drill, revision, 'state', SQL("%s", state)))
        for state in ('draft', 'submitted', 'approved', 'cancelled')])


@act("Revisions", "SQL: delete a signed revision or its master record", "REC-040, 21 CFR 111.605(b), 211.180(d)",
     'mrp_mmr_revision_kept|_fkey')
def revision_delete(drill):
    revision = signed_revision(drill)
    return revision and (revision, [delete(drill, revision), delete(drill, revision.mmr_id)])


@act("Revisions", "SQL: make a second revision effective", "REV-050, 21 CFR 111.255(c)",
     'mrp_mmr_revision_transition|one_effective')
def revision_second(drill):
    revision = newest(drill, 'mrp.mmr.revision', [('state', '=', 'effective')])
    ended = newest(drill, 'mrp.mmr.revision', [('state', 'in', ('superseded', 'obsolete', 'cancelled'))])
    return revision and (revision, [
        Attempt('INSERT', lambda: insert_copy(drill, revision, revision=SQL("revision + 1000"), bom_id=SQL(
            "(SELECT id FROM mrp_bom ORDER BY id LIMIT 1)"))),
        *([Attempt(f'UPDATE of {ended.display_name}', lambda: change(drill, ended, 'state', SQL("'effective'")))]
          if ended else [])])


@act("Revisions", "SQL: approve a submitted revision without a signature, or with one of its preparer",
     "APR-030, APR-040, 21 CFR 211.186(a)", 'mrp_mmr_revision_signed')
def revision_approve(drill):
    revision = submitted_revision(drill)

    def by_preparer():
        forgery = insert_copy(drill, revision.prepared_signature_id, meaning=SQL("'approved'"))
        drill.cr.execute("UPDATE mrp_mmr_revision SET state = 'approved', approved_signature_id = %s WHERE id = %s",
                         [forgery, revision.id], log_exceptions=False)

    return revision and (revision, [
        Attempt('without', lambda: change(drill, revision, 'state', SQL("'approved'"))), Attempt('by preparer', by_preparer)])


@act("Revisions", "SQL: forget who edited a draft", "APR-040, 21 CFR 111.12(b)", 'mrp_mmr_editor_kept')
def revision_editor(drill):
    drill.cr.execute("SELECT revision_id, user_id FROM mrp_mmr_revision_editor_rel ORDER BY 1 DESC LIMIT 1")
    row = drill.cr.fetchone()
    return row and (drill.env['mrp.mmr.revision'].browse(row[0]), [
        execute(drill, 'DELETE', SQL("DELETE FROM mrp_mmr_revision_editor_rel WHERE (revision_id, user_id) = %s", row)),
        execute(drill, 'UPDATE', SQL(
            """UPDATE mrp_mmr_revision_editor_rel SET user_id = (SELECT min(id) FROM res_users WHERE id <> user_id)
                WHERE (revision_id, user_id) = %s""", row))])


@act("Revisions", "ORM: write status, document, digest, signature or content of a signed revision, or delete it",
     "APR-010, REV-010, 21 CFR 111.123(a)(1)", 'APR-010|REV-010|REC-040')
def revision_orm(drill):
    revision = signed_revision(drill)
    return revision and (revision, [
        *(attempt for vals in ({'state': 'draft'}, {'document': {'forged': True}}, {'document_sha256': '0' * 64},
                               {'approved_signature_id': False}, {'precautions': "Forged"}, {'editor_ids': [(5,)]})
          for attempt in drill.everyone(
              lambda env, vals=vals: revision.with_env(env).write(dict(vals)), f"writes {next(iter(vals))}")),
        *drill.everyone(lambda env: revision.with_env(env).unlink(), "deletes")])


@act("Revisions", "ORM: create a revision that is effective already", "APR-010, EU GMP 4.3", 'APR-010|REV-020')
def revision_born(drill):
    revision = signed_revision(drill)
    return revision and (revision, drill.everyone(lambda env: revision.with_env(env).create({
        'mmr_id': revision.mmr_id.id, 'state': 'effective', 'reason': "Forged"})))


@act("Revisions", "SQL: change the identity of a signed master record", "MMR-020, REV-040, 21 CFR 111.205(a)",
     'mrp_mmr_identity_fixed')
def mmr_identity(drill):
    mmr = signed_revision(drill).mmr_id
    return mmr and (mmr, changes(drill, mmr, (
        'name', 'product_id', 'formulation_code', 'batch_size', 'uom_id', 'profile_id', 'company_id',
        'batch_size_product_uom')))


@act("Revisions", "SQL: take a review back, change or delete it", "APR-030, REC-040, 21 CFR 111.123(a)(1)",
     'mrp_mmr_review_kept')
def review_sql(drill):
    review = newest(drill, 'mrp.mmr.review', [('signature_id', '!=', False)])
    return review and (review, [
        *changes(drill, review, ('revision_id', 'name', 'group_id', 'prepared_signature_id', 'signature_id')),
        delete(drill, review)])


@act("Revisions", "SQL: change the approval route: a review in force, one that was signed, one that nobody signed",
     "APR-030, AUD-060, 21 CFR 111.123(a)(1)", 'mrp_mmr_reviewer_(fixed|kept|signed)')
def reviewer_sql(drill):
    reviewer = newest(drill, 'mrp.mmr.reviewer', [('enabled', '=', True)])
    return reviewer and (reviewer, [
        *changes(drill, reviewer, ('name', 'sequence', 'group_id', 'profile_id', 'company_id', 'active', 'enabled')),
        Attempt('INSERT', lambda: insert_copy(drill, reviewer)), delete(drill, reviewer)])


@act("Revisions", "SQL: change the code of a profile, which says what is checked", "REV-010, 21 CFR 111.123(a)(1)",
     'mrp_mmr_profile_code')
def profile_sql(drill):
    profile = newest(drill, 'mrp.mmr.profile', [])
    return profile and (profile, changes(drill, profile, ['code']))


@act("Revisions", "SQL: change, switch off or delete a requirement of the rules", "AUD-060, 21 CFR 11.10(k)",
     'mrp_mmr_requirement_kept|mrp_mmr_requirement_signed|enforcement')
def requirement_sql(drill):
    requirement = newest(drill, 'mrp.mmr.requirement', [('check', '!=', False), ('enforcement', '=', 'R')])
    return requirement and (requirement, [
        *changes(drill, requirement, ('code', 'citation', 'check', 'enforcement', 'enabled')), delete(drill, requirement)])


# === SIGNATURES === #

def a_signature(drill):
    return signed_revision(drill).approved_signature_id or newest(drill, 'mrp.esignature', [])


@act("Signatures", "SQL: change any column of a signature", "SIG-030, 21 CFR 11.70", r'mrp_mmr_\w+_append_only')
def signature_update(drill):
    signature = a_signature(drill)
    return signature and (signature, changes(drill, signature, columns_of(signature)))


@act("Signatures", "SQL: delete a signature", "SIG-030, 21 CFR 11.70", r'mrp_mmr_\w+_append_only')
def signature_delete(drill):
    signature = a_signature(drill)
    return signature and (signature, [delete(drill, signature)])


@act("Signatures", "ORM: change, delete, copy or create a signature", "SIG-030, SIG-080, 21 CFR 11.70, 11.200(a)(2)",
     'SIG-030|SIG-080')
def signature_orm(drill):
    signature = a_signature(drill)
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


@act("Signatures", "Sign as the superuser, and as somebody else than the person of the session",
     "SIG-080, 21 CFR 11.200(a)(2)", 'SIG-080')
def sign_for_another(drill):
    revision = submitted_revision(drill) or signed_revision(drill)
    return revision and (revision, drill.everyone(lambda env: revision.with_env(env).esign(
        'approve', {'login': env.user.login, 'password': "drill"}, revision.document_sha256, "Drill")))


@act("Signatures", "Approve a revision as its preparer", "APR-040, 21 CFR 211.186(a), 111.12(b)", 'APR-040|APR-050')
def approve_as_preparer(drill):
    revision = submitted_revision(drill)
    if not revision:
        return None
    preparer = revision.prepared_signature_id.user_id
    # As if user name and password had been right.
    return revision, [Attempt("preparer", lambda: revision.with_user(preparer)._esign(
        'approve', revision.document_sha256, "Drill"))]


@act("Signatures", "Delete a person who signed, or give the user to another person", "SIG-060, 21 CFR 11.100(a)",
     'SIG-060|_fkey|RestrictViolation')
def signer_delete(drill):
    user = a_signature(drill).user_id
    other = drill.env['res.partner'].search([('id', '!=', user.partner_id.id)], limit=1)
    return user and (f"{user._name},{user.id}", [
        delete(drill, user), delete(drill, user.partner_id), Attempt('ORM deletes', lambda: user.unlink()),
        Attempt('ORM gives away', lambda: user.write({'partner_id': other.id}))])


@act("Signatures", "SQL: change or delete a qualification, or grant one to oneself", "SEC-030, 21 CFR 111.12(c), 11.10(i)",
     'mrp_mmr_qualification_(fixed|kept|granted)')
def qualification_sql(drill):
    qualification = newest(drill, 'mrp.qualification', [('revoked_at', '=', False)])
    return qualification and (f"{qualification._name},{qualification.id}", [
        *changes(drill, qualification, ('user_id', 'company_id', 'valid_from', 'valid_to', 'evidence', 'granted_by_id',
                                        'granted_at')),
        Attempt("to oneself", lambda: insert_copy(drill, qualification, granted_by_id=SQL("user_id"))),
        delete(drill, qualification)])


@act("Signatures", "ORM: create, change, copy or delete a qualification", "SEC-030, 21 CFR 111.12(c), 11.10(i)", 'SEC-030')
def qualification_orm(drill):
    qualification = newest(drill, 'mrp.qualification', [])
    return qualification and (f"{qualification._name},{qualification.id}", [
        *drill.everyone(lambda env: qualification.with_env(env).write({'evidence': "Forged"}), "writes"),
        *drill.everyone(lambda env: qualification.with_env(env).unlink(), "deletes"),
        *drill.everyone(lambda env: qualification.with_env(env).copy(), "copies"),
        *drill.everyone(lambda env: qualification.with_env(env).create({'evidence': "Forged"}), "creates")])


@act("Signatures", "SQL: change or delete an acceptance of accountability", "SIG-070, 21 CFR 11.10(j)",
     r'mrp_mmr_\w+_append_only')
def acceptance_sql(drill):
    acceptance = newest(drill, 'mrp.signer.acceptance', [])
    return acceptance and (f"{acceptance._name},{acceptance.id}", [
        *changes(drill, acceptance, columns_of(acceptance)), delete(drill, acceptance)])


# === AUDIT TRAIL === #

@act("Audit trail", "SQL: change any column of the first, a middle and the last line of a chain",
     "AUD-030, 21 CFR 11.10(e)", r'mrp_mmr_\w+_append_only')
def line_update(drill):
    lines = chain_lines(drill)
    return lines and (lines.chain_id, [
        attempt._replace(label=f"line {line.index}: {attempt.label}")
        for line in lines for attempt in changes(drill, line, columns_of(line))])


@act("Audit trail", "SQL: delete the first, a middle and the last line of a chain", "AUD-030, 21 CFR 11.10(e)",
     r'mrp_mmr_\w+_append_only')
def line_delete(drill):
    lines = chain_lines(drill)
    return lines and (lines.chain_id, [delete(drill, line)._replace(label=f"line {line.index}") for line in lines])


@act("Audit trail", "SQL: insert a line out of order", "AUD-040, 21 CFR 11.10(a)", 'mrp_mmr_entry_follows|index_uniq')
def line_insert(drill):
    lines = chain_lines(drill)
    last = lines[-1:]
    return last and (last.chain_id, [
        Attempt("leaves a gap", lambda: insert_copy(drill, last, index=SQL("index + 2"))),
        Attempt("follows another line", lambda: insert_copy(
            drill, last, index=SQL("index + 1"), previous_sha256=SQL("%s", '1' * 64))),
        Attempt("number is taken", lambda: insert_copy(drill, last)),
        Attempt("before the first", lambda: insert_copy(drill, last, index=SQL("0")))])


@act("Audit trail", "SQL: move the head of a chain, change or delete the chain", "AUD-030, AUD-040, 21 CFR 11.10(a), (e)",
     'mrp_mmr_chain')
def chain_sql(drill):
    chain = chain_lines(drill).chain_id
    return chain and (chain, [
        execute(drill, "head back", SQL("UPDATE mrp_audit_chain SET head_index = head_index - 1 WHERE id = %s", chain.id)),
        *changes(drill, chain, ('head_index', 'head_sha256', 'sealed_index', 'res_model', 'res_id', 'company_id')),
        Attempt('INSERT', lambda: insert_copy(drill, chain, res_id=SQL("-1"))), delete(drill, chain)])


@act("Audit trail", "SQL: change any column of a seal, or delete it", "AUD-040, 21 CFR 11.10(a)", r'mrp_mmr_\w+_append_only')
def seal_sql(drill):
    seal = newest(drill, 'mrp.audit.seal', [])
    return seal and (seal, [*changes(drill, seal, columns_of(seal)), delete(drill, seal)])


@act("Audit trail", "ORM: create, change, copy or delete lines, chains and seals", "AUD-030, 21 CFR 11.10(e)", 'AUD-030')
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


@act("Audit trail", "Change a record without a line in the audit trail, by keys of the context",
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
            raise Held("logged all the same, with old and new value")

    return profile and (profile, [
        *[Attempt(key, lambda key=key, value=value: write(**{key: value})) for key, value in HOSTILE.items()],
        Attempt("all of them", lambda: write(**HOSTILE))])


@act("Audit trail", "SQL: change the result of a drill before, or delete it", "AUD-030, AUD-040, 21 CFR 11.10(e)",
     'mrp_mmr_drill_kept')
def drill_sql(drill):
    before = newest(drill, 'mrp.tamper.drill', [])
    return before and (before, [*changes(drill, before, columns_of(before)), delete(drill, before)])


@act("Audit trail", "ORM: create, change, copy or delete the result of a drill", "AUD-030, AUD-040, 21 CFR 11.10(e)", 'AUD-030')
def drill_orm(drill):
    before = newest(drill, 'mrp.tamper.drill', [])
    return before and (before, [
        *drill.everyone(lambda env: before.with_env(env).write({'state': 'passed'}), "writes"),
        *drill.everyone(lambda env: before.with_env(env).unlink(), "deletes"),
        *drill.everyone(lambda env: before.with_env(env).copy(), "copies"),
        *drill.everyone(lambda env: before.with_env(env).create({'state': 'passed'}), "creates")])


@act("Audit trail", "Uninstall the addon", "AUD-030, REC-040, 21 CFR 11.10(c), 111.605", 'AUD-030')
def uninstall(drill):
    if not a_signature(drill):
        return None
    module = drill.env.ref('base.module_mrp_mmr')
    return module, drill.everyone(lambda env: module.with_env(env).button_uninstall())


# === ORDERS === #

@act("Orders", "SQL: change the snapshot of a released order, what it makes or how much", "USE-020, USE-030, 21 CFR 111.255(c)",
     'mrp_mmr_snapshot_fixed')
def order_snapshot(drill):
    order = released_order(drill)
    return order and (order, changes(drill, order, (
        'mmr_snapshot', 'mmr_snapshot_sha256', 'mmr_revision_id', 'mmr_controlled', 'product_id', 'product_qty',
        'product_uom_id', 'bom_id', 'company_id')))


@act("Orders", "SQL: take the snapshot out of a released order, or delete the order", "USE-030, REC-040, 21 CFR 111.605",
     'mrp_mmr_snapshot_fixed|mrp_mmr_production_kept')
def order_delete(drill):
    order = released_order(drill)
    return order and (order, [
        Attempt('NULL', lambda: change(drill, order, 'mmr_snapshot', SQL("NULL"))), delete(drill, order)])


@act("Orders", "SQL: confirm an order that no master record covers", "USE-010, 21 CFR 111.205(a)",
     'mmr_snapshot_required')
def order_uncovered(drill):
    order = uncovered_order(drill)
    return order and (order, [
        Attempt(state, lambda state=state: change(drill, order, 'state', SQL("%s", state)))
        for state in ('confirmed', 'progress', 'to_close', 'done')])


@act("Orders", "SQL: give an order a snapshot that was not signed for its size", "USE-010, USE-030, 21 CFR 111.205(a)",
     'mrp_mmr_snapshot_matches')
def order_forged(drill):
    order, released = uncovered_order(drill), released_order(drill)
    return order and released and (order, [execute(drill, 'UPDATE', SQL(
        """UPDATE mrp_production o
              SET state = 'confirmed', mmr_controlled = TRUE, mmr_revision_id = r.mmr_revision_id, mmr_snapshot = jsonb_set(
                      r.mmr_snapshot, '{document_sha256}', '"forged"'), mmr_snapshot_sha256 = r.mmr_snapshot_sha256
             FROM mrp_production r WHERE o.id = %s AND r.id = %s""", order.id, released.id))])


@act("Orders", "SQL: decide on a running batch without a signature of Quality Control", "REV-060, EU GMP 4.5",
     'mmr_decision_signed')
def order_decision(drill):
    order = newest(drill, 'mrp.production', [('mmr_decision', '!=', False)]) or released_order(drill)
    return order and (order, [
        attempt for decision in ('continue', 'stop') for attempt in (
            Attempt(decision, lambda decision=decision: change(drill, order, 'mmr_decision', SQL("%s", decision))),
            execute(drill, f"{decision}, by the signature of something else", SQL(
                """UPDATE mrp_production SET mmr_decision = %s, mmr_decision_signature_id = (
                       SELECT id FROM mrp_esignature WHERE res_model <> 'mrp.production' ORDER BY id DESC LIMIT 1)
                    WHERE id = %s""", decision, order.id)))])


@act("Orders", "ORM: change snapshot, digest, product or size of a released order, or delete it",
     "USE-020, USE-030, REC-040, 21 CFR 111.255(c)", 'USE-0[1-4]0|REC-040|MMR-050')
def order_orm(drill):
    order = released_order(drill)
    return order and (order, [
        *(attempt for vals in ({'mmr_snapshot': {'forged': True}}, {'mmr_snapshot_sha256': '0' * 64}, {'mmr_snapshot': False},
                               {'mmr_revision_id': False}, {'product_qty': order.product_qty + 1}, {'state': 'draft'})
          for attempt in drill.everyone(
              lambda env, vals=vals: order.with_env(env).write(dict(vals)), f"writes {next(iter(vals))}")),
        *drill.everyone(lambda env: order.with_env(env).unlink(), "deletes")])


@act("Orders", "ORM: confirm an order that no master record covers by its status", "USE-010, 21 CFR 111.205(a)",
     'USE-010')
def order_uncovered_orm(drill):
    order = uncovered_order(drill)
    return order and (order, drill.everyone(lambda env: order.with_env(env).write({'state': 'confirmed'})))


# === BATCH RECORDS === #

@act("Batch records", "SQL: change what a batch record is, issue or complete it without what that needs",
     "BPR-010, BPR-160, USE-050, 21 CFR 111.255(c)", 'mrp_mmr_bpr_(fixed|issued|complete)')
def bpr_update(drill):
    bpr = newest(drill, 'mrp.bpr', [('state', 'not in', ('done', 'cancel'))])
    return bpr and (bpr, [
        *changes(drill, bpr, ('production_id', 'company_id', 'mmr_revision_id', 'product_id', 'name', 'rules', 'plan_sha256',
                              'step_count')),
        Attempt("completed", lambda: change(drill, bpr, 'state', SQL("'done'")))])


@act("Batch records", "SQL: change the plan of a step, open a closed one again, or close one that is not signed",
     "USE-030, VER-050, 21 CFR 111.255(c), 111.260(j)", 'mrp_mmr_bpr_step_(fixed|signed|sequence|issued)')
def bpr_step_update(drill):
    step = newest(drill, 'mrp.bpr.step', [('state', '!=', 'open')]) or newest(drill, 'mrp.bpr.step', [])
    waiting = newest(drill, 'mrp.bpr.step', [('state', 'in', ('open', 'started', 'checking'))])
    return step and (step, [
        *changes(drill, step, ('bpr_id', 'production_id', 'company_id', 'sequence', 'stage', 'number', 'name', 'kind',
                               'performer_role', 'verifier_role', 'is_critical', 'is_hold_point', 'points', 'planned')),
        *([Attempt("opened again", lambda: change(drill, step, 'state', SQL("'open'")))] if step.state != 'open' else []),
        *([Attempt("done", lambda: change(drill, waiting, 'state', SQL("'done'")))] if waiting else [])])


@act("Batch records", "SQL: take the signature of a step back, or put another one in its place", "SIG-030, 21 CFR 11.70",
     'mrp_mmr_bpr_step_signed')
def bpr_step_signature(drill):
    step = newest(drill, 'mrp.bpr.step', [('performed_signature_id', '!=', False)])
    return step and (step, [
        *changes(drill, step, ['performed_signature_id']),
        Attempt('NULL', lambda: change(drill, step, 'performed_signature_id', SQL("NULL")))])


@act("Batch records", "SQL: delete a batch record or a step, or add one", "BPR-010, USE-030, 21 CFR 111.255(a), (c)",
     'mrp_mmr_bpr_(kept|released|step_kept|step_planned)|uniq')
def bpr_delete(drill):
    bpr = newest(drill, 'mrp.bpr', [])
    step = bpr.step_ids[:1]
    return bpr and (bpr, [
        delete(drill, bpr), delete(drill, step), Attempt('INSERT of a record', lambda: insert_copy(drill, bpr)),
        Attempt('INSERT of a step', lambda: insert_copy(drill, step, sequence=SQL("sequence + 100000")))])


@act("Batch records", "SQL: change any column of a recorded value, or delete it", "AUD-020, AUD-030, 21 CFR 11.10(e)",
     r'mrp_mmr_\w+_append_only')
def entry_update(drill):
    entry = newest(drill, 'mrp.bpr.entry', [])
    return entry and (entry, [*changes(drill, entry, columns_of(entry)), delete(drill, entry)])


@act("Batch records", "SQL: add a value to a step that is not started, or without the mark of a late entry",
     "BPR-110, AUD-020, 21 CFR 111.260(j)", 'mrp_mmr_bpr_entry_at_step')
def entry_insert(drill):
    entry = newest(drill, 'mrp.bpr.entry', [])
    return entry and (entry, [Attempt('INSERT', lambda: insert_copy(
        drill, entry, token=SQL("NULL"), is_late=SQL("NOT is_late"), to_sign=SQL("NOT to_sign"),
        reason=SQL("'forged'")))])


@act("Batch records", "SQL: change, decide or delete a deviation", "DEV-010, DEV-030, 21 CFR 111.113(c), 211.192",
     'mrp_mmr_deviation_(fixed|decided|kept)')
def deviation_sql(drill):
    deviation = newest(drill, 'mrp.deviation', [])
    return deviation and (deviation, [
        *changes(drill, deviation, ('name', 'title', 'source', 'bpr_id', 'step_id', 'description', 'is_blocking',
                                    'reported_by_id', 'reported_at')),
        Attempt("status", lambda: change(drill, deviation, 'state', SQL(
            "CASE state WHEN 'open' THEN 'decided' ELSE 'open' END"))), delete(drill, deviation)])


@act("Deviations", "SQL: take back what a person signed for an investigation, or sign it for that person",
     "DEV-030, 21 CFR 111.140(b)(3)(vii)", 'mrp_mmr_contributor_(fixed|signed)')
def mrp_deviation_contributor_update(drill):
    row = newest(drill, 'mrp.deviation.contributor', [])
    return row and (row, [
        Attempt("signature", lambda: change(drill, row, 'signature_id', SQL("(SELECT min(id) FROM mrp_esignature)"))),
        Attempt("deviation", lambda: change(drill, row, 'deviation_id', SQL(
            "(SELECT d.id FROM mrp_deviation d WHERE d.id <> deviation_id LIMIT 1)")))])


@act("Deviations", "SQL: drop a batch that was found to be related to a deviation", "DEV-070, 21 CFR 211.192",
     'mrp_mmr_deviation_batch_(kept|fixed)')
def mrp_deviation_batch_delete(drill):
    row = newest(drill, 'mrp.deviation.batch', [])
    return row and (row, [delete(drill, row)])


@act("Deviations", "SQL: change any column of recorded reprocessing, or delete it", "BPR-150, AUD-030, 21 CFR 111.260(n)",
     r'mrp_mmr_\w+_append_only')
def mrp_bpr_rework_update(drill):
    row = newest(drill, 'mrp.bpr.rework', [])
    return row and (row, [*changes(drill, row, columns_of(row)), delete(drill, row)])


@act("Deviations", "SQL: record reprocessing that Quality Control did not approve", "DEV-060, BPR-150, 21 CFR 111.90",
     'mrp_mmr_rework_approved')
def mrp_bpr_rework_insert(drill):
    row = newest(drill, 'mrp.bpr.rework', [])
    return row and (row, [Attempt('INSERT', lambda: insert_copy(
        drill, row, kind=SQL("CASE kind WHEN 'treat' THEN 'reprocess' ELSE 'treat' END")))])


@act("Deviations", "SQL: close a CAPA without signature, give it another number, or delete it", "DEV-090, REC-040",
     r'mrp_mmr_capa_\w+')
def mrp_capa_update(drill):
    capa = newest(drill, 'mrp.capa', [('state', '!=', 'draft')])
    return capa and (capa, [
        Attempt("number", lambda: change(drill, capa, 'name', SQL("'CAPA/forged'"))),
        Attempt("status", lambda: change(drill, capa, 'state', SQL("'closed'"))), delete(drill, capa)])


@act("Deviations", "SQL: delete an action of a CAPA that was started, or give it to another one", "DEV-090, REC-040",
     r'mrp_mmr_capa_action_\w+')
def mrp_capa_action_delete(drill):
    row = newest(drill, 'mrp.capa.action', [('capa_id.state', '!=', 'draft')])
    return row and (row, [delete(drill, row)])


@act("Quality reviews", "SQL: change any column of a signed product quality review, approve or delete it",
     "RPT-030, SIG-030, 21 CFR 11.70, 211.180(e)", r'mrp_mmr_quality_review_\w+')
def mrp_quality_review_update(drill):
    review = newest(drill, 'mrp.quality.review', [('state', '!=', 'draft')])
    return review and (review, [
        *changes(drill, review, sorted(set(columns_of(review)) - {'message_main_attachment_id'})), delete(drill, review)])


@act("Quality reviews", "SQL: change the products of a signed product quality review", "RPT-030, SIG-030, 21 CFR 11.70",
     'mrp_mmr_quality_review_product_rel_fixed')
def mrp_quality_review_product(drill):
    review = newest(drill, 'mrp.quality.review', [('state', '!=', 'draft')])
    table = SQL("mrp_quality_review_product_rel")
    return review and (review, [
        execute(drill, 'DELETE', SQL("DELETE FROM %s WHERE review_id = %s", table, review.id)),
        execute(drill, 'INSERT', SQL(
            "INSERT INTO %s SELECT %s, p.id FROM product_product p WHERE p.id NOT IN (%s) LIMIT 1", table, review.id,
            SQL("SELECT product_id FROM %s WHERE review_id = %s", table, review.id)))])


@act("Batch records", "ORM: create, change, copy or delete a batch record, step, recorded value or deviation",
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


def open_entry(drill, *domain):
    """Return a value recorded at a step that is started, whose copy only a rule of its own refuses."""
    return newest(drill, 'mrp.bpr.entry', [
        ('step_id.state', '=', 'started'), ('to_sign', '=', False), ('transcription_id', '=', False), *domain])


def forge_step_signature(drill, step, point):
    """Sign a point of a step by a forged signature of somebody else than who signed another step."""
    signature = newest(drill, 'mrp.esignature', [('res_model', '=', step._name)])
    someone = "(SELECT u.%s FROM res_users u WHERE u.id <> mrp_esignature.user_id ORDER BY u.id LIMIT 1)"
    forgery = insert_copy(
        drill, signature, res_id=SQL("%s", step.id), user_id=SQL(someone, SQL.identifier('id')),
        partner_id=SQL(someone, SQL.identifier('partner_id')),
        content=SQL("jsonb_set(content, '{point}', to_jsonb(%s::text))", point))
    change(drill, step, f'{point}_signature_id', SQL("%s", forgery))


# === RESULTS AND RELEASE === #

def decided_record(drill, model, *domain):
    """Return the newest record of a model that belongs to a batch that was released or rejected."""
    return newest(drill, model, [('bpr_id.release_state', 'in', ('released', 'rejected')), *domain])


@act("Results and release", "SQL: release or reject a batch without signature, or write its frozen record",
     "REL-020, REL-030, BPR-130, 21 CFR 111.123, 211.192", 'mrp_mmr_bpr_(decided|packed)')
def mrp_bpr_release(drill):
    bpr = newest(drill, 'mrp.bpr', [('release_state', '=', 'review')])
    return bpr and (bpr, [
        *(Attempt(state, lambda state=state: change(drill, bpr, 'release_state', SQL("%s", state)))
          for state in ('approved', 'certified', 'released', 'rejected', 'none')),
        Attempt("packaged lot", lambda: change(drill, bpr, 'packed_state', SQL("'released'"))),
        Attempt("record", lambda: change(drill, bpr, 'document', SQL("'{}'::jsonb"))),
        *changes(drill, bpr, ('production_signature_id', 'certification_signature_id', 'release_signature_id', 'released_at'))])


@act("Results and release", "SQL: change a batch that was released or rejected", "REL-030, 21 CFR 11.70", 'mrp_mmr_bpr_frozen')
def mrp_bpr_frozen(drill):
    bpr = newest(drill, 'mrp.bpr', [('release_state', 'in', ('released', 'rejected'))])
    return bpr and (bpr, changes(drill, bpr, (
        'release_state', 'release_signature_id', 'released_at', 'document_sha256', 'completed_at', 'review_signature_id')))


@act("Results and release", "SQL: change a test result, approve it or a retest without signature, or delete it",
     "BPR-090, AUD-020, IPC-030, 21 CFR 11.10(e), 211.192", 'mrp_mmr_result_(fixed|kept|retested)')
def mrp_bpr_result_update(drill):
    result = newest(drill, 'mrp.bpr.result', [('bpr_id.release_state', 'not in', ('released', 'rejected'))])
    return result and (result, [
        *changes(drill, result, [name for name in columns_of(result) if name not in ('bpr_id', 'outcome', 'kind')]),
        delete(drill, result)])


@act("Results and release", "SQL: test again what has a result, without an authorised retest", "IPC-030, 21 CFR 211.192",
     'mrp_mmr_result_(retested|entered)')
def mrp_bpr_result_insert(drill):
    result = newest(drill, 'mrp.bpr.result', [('bpr_id.release_state', 'not in', ('released', 'rejected'))])
    nothing = dict.fromkeys(('supersedes_id', 'retest_of_id', 'signature_id', 'retest_signature_id'), SQL("NULL"))
    return result and (result, [
        Attempt('INSERT', lambda: insert_copy(drill, result, **nothing)),
        Attempt("of itself", lambda: insert_copy(drill, result, **{**nothing, 'retest_of_id': SQL("id")}))])


@act("Results and release", "SQL: change any column of a reserve sample, or delete it", "REL-060, AUD-030, 21 CFR 111.83(b)",
     r'mrp_mmr_\w+_append_only')
def mrp_bpr_sample_update(drill):
    sample = newest(drill, 'mrp.bpr.sample', [])
    return sample and (sample, [*changes(drill, sample, columns_of(sample)), delete(drill, sample)])


@act("Results and release", "SQL: add a sample to a batch that was rejected", "REL-060, 21 CFR 111.83(b)",
     'mrp_mmr_bpr_sample_in_time')
def mrp_bpr_sample_insert(drill):
    sample = newest(drill, 'mrp.bpr.sample', [('bpr_id.release_state', '=', 'rejected')])
    return sample and (sample, [Attempt('INSERT', lambda: insert_copy(drill, sample))])


@act("Results and release", "SQL: add a result to a batch that was decided on", "REL-030, 21 CFR 11.70",
     'mrp_mmr_bpr_result_frozen')
def mrp_bpr_result_decided(drill):
    result = decided_record(drill, 'mrp.bpr.result')
    return result and (result, [Attempt('INSERT', lambda: insert_copy(
        drill, result, position=SQL("position + 1000"), signature_id=SQL("NULL"), retest_signature_id=SQL("NULL"),
        supersedes_id=SQL("NULL"), retest_of_id=SQL("NULL")))])


@act("Results and release", "SQL: change a step of a batch that was decided on", "REL-030, 21 CFR 11.70",
     'mrp_mmr_bpr_step_frozen')
def mrp_bpr_step_decided(drill):
    step = decided_record(drill, 'mrp.bpr.step', ('closed_at', '!=', False))
    return step and (step, changes(drill, step, ('closed_at',)))


@act("Results and release", "SQL: add a late entry to a batch that was decided on", "REL-030, 21 CFR 11.70",
     'mrp_mmr_bpr_entry_frozen')
def mrp_bpr_entry_decided(drill):
    entry = decided_record(drill, 'mrp.bpr.entry', ('step_id.state', '=', 'done'), ('lot_id', '=', False))
    return entry and (entry, [Attempt('INSERT', lambda: insert_copy(
        drill, entry, kind=SQL("'comment'"), is_late=SQL("TRUE"), to_sign=SQL("FALSE"), token=SQL("NULL"),
        reason=SQL("'forged'")))])


@act("Results and release", "SQL: transcribe a worksheet into a batch that was decided on", "REL-030, 21 CFR 11.70",
     'mrp_mmr_bpr_transcription_frozen')
def mrp_bpr_transcription_decided(drill):
    transcription = newest(drill, 'mrp.bpr.transcription', [])
    step = decided_record(drill, 'mrp.bpr.step')
    return transcription and step and (step, [Attempt('INSERT', lambda: insert_copy(
        drill, transcription, bpr_id=SQL("%s", step.bpr_id.id), step_id=SQL("%s", step.id)))])


@act("Results and release", "SQL: record reprocessing in a running batch that was rejected", "REL-030, DEV-060, 21 CFR 11.70",
     'mrp_mmr_bpr_rework_frozen')
def mrp_bpr_rework_decided(drill):
    row = newest(drill, 'mrp.bpr.rework', [])
    approval = decided_record(
        drill, 'mrp.deviation', ('bpr_id.state', '=', 'progress'), ('disposition', 'in', ('reprocess', 'treat', 'adjust')))
    return row and approval and (approval, [Attempt('INSERT', lambda: insert_copy(
        drill, row, bpr_id=SQL("%s", approval.bpr_id.id), deviation_id=SQL("%s", approval.id),
        kind=SQL("%s", approval.disposition)))])


@act("Results and release", "SQL: change what was destroyed, sign it by another signature, or delete it",
     "DEV-080, REC-040, 21 CFR 111.370", r'mrp_mmr_destruction_\w+')
def mrp_lot_destruction_update(drill):
    row = newest(drill, 'mrp.lot.destruction', [])
    return row and (row, [
        *changes(drill, row, ('name', 'lot_id', 'location_id', 'quantity', 'method', 'reason', 'recorded_by_id',
                              'recorded_at', 'signature_id')), delete(drill, row)])


@act("Results and release", "SQL: deliver a lot that Quality Control holds", "REL-010, DEV-080, 21 CFR 111.370, 211.142(a)",
     'mrp_mmr_move_line_lot_held')
def stock_move_line_held(drill):
    lot = newest(drill, 'stock.lot', [('mmr_status', 'in', ('quarantine', 'rejected'))])
    line = newest(drill, 'stock.move.line', [('state', '=', 'done'), ('lot_id', '!=', False)])
    customers = drill.env['stock.location'].search([('usage', '=', 'customer')], limit=1)
    return lot and line and customers and (lot, [Attempt('INSERT', lambda: insert_copy(
        drill, line, lot_id=SQL("%s", lot.id), product_id=SQL("%s", lot.product_id.id),
        location_dest_id=SQL("%s", customers.id)))])


@act("Results and release", "ORM: create, change, copy or delete a test result, a sample or a destruction",
     "BPR-090, REL-060, DEV-080, AUD-030", 'AUD-030|REC-040|BPR-090|REL-060|DEV-080')
def release_orm(drill):
    attempts = [
        attempt._replace(label=f"{attempt.label} {model}")
        for model, vals in (('mrp.bpr.result', {'value': "1"}), ('mrp.bpr.sample', {'quantity': "1"}),
                            ('mrp.lot.destruction', {'quantity': 1}))
        if (record := newest(drill, model, [])) for attempt in every_write(drill, record, vals)]
    return attempts and ("release", attempts)


# === LOTS AND EQUIPMENT === #

@act("Lots and equipment", "SQL: change what was released or rejected, or its status, or delete the lot",
     "USE-060, SIG-030, 21 CFR 111.155(c)(3), 211.84(a)", 'mrp_mmr_lot_(fixed|signed|kept|of_batch)')
def stock_lot_update(drill):
    lot = newest(drill, 'stock.lot', [('mmr_status', '=', 'released')])
    return lot and (lot, [
        *changes(drill, lot, (
            'name', 'product_id', 'expiration_date', 'mmr_status', 'mmr_status_signature_id', 'mmr_supplier_lot',
            'mmr_file_id', 'mmr_retest_date', 'mmr_assay', 'mmr_assay_unit', 'mmr_assay_basis', 'mmr_assay_moisture',
            'mmr_assay_date')),
        Attempt("no status", lambda: change(drill, lot, 'mmr_status', SQL("NULL"))), delete(drill, lot)])


@act("Lots and equipment", "SQL: release a lot without a signature, or add one that is released already",
     "USE-060, 21 CFR 111.120(e), 211.84(a)", 'mrp_mmr_lot_signed')
def stock_lot_release(drill):
    waiting = newest(drill, 'stock.lot', [('mmr_status', '=', 'quarantine')])
    released = newest(drill, 'stock.lot', [('mmr_status', '=', 'released')])
    return (waiting or released) and (waiting or released, [
        *([Attempt("released", lambda: change(drill, waiting, 'mmr_status', SQL("'released'")))] if waiting else []),
        *([Attempt('INSERT', lambda: insert_copy(drill, released, name=SQL("name || ' forged'")))] if released else [])])


@act("Lots and equipment", "ORM: write the status of a lot, or make one that is released already",
     "USE-060, 21 CFR 111.155(c)(3), 211.84(a)", 'USE-060')
def stock_lot_orm(drill):
    lot = newest(drill, 'stock.lot', [('mmr_status', '!=', False)])
    return lot and (lot, [
        *drill.everyone(lambda env: lot.with_env(env).write({'mmr_status': 'released'}), "writes"),
        *drill.everyone(lambda env: env['stock.lot'].create(
            {'name': "Forged", 'product_id': lot.product_id.id, 'mmr_status': 'released'}), "creates")])


@act("Lots and equipment", "SQL: weigh a lot that is not released", "USE-060, 21 CFR 111.155(c)(3), 211.84(a)",
     'mrp_mmr_bpr_lot_released')
def lot_weighed(drill):
    entry = open_entry(drill, ('kind', '=', 'weight'), ('lot_id', '!=', False))
    lot = newest(drill, 'stock.lot', ['|', ('mmr_status', '=', False), ('mmr_status', '!=', 'released')])
    return entry and lot and (entry, [Attempt('INSERT', lambda: insert_copy(
        drill, entry, lot_id=SQL("%s", lot.id), token=SQL("NULL")))])


@act("Lots and equipment", "SQL: verify the weighing of a lot that is not released, by a forged signature",
     "VER-030, USE-060, 21 CFR 211.101(c)(1)", 'mrp_mmr_bpr_step_lot')
def lot_verified(drill):
    step = newest(drill, 'mrp.bpr.step', [
        ('kind', '=', 'weigh'), ('performed_signature_id', '!=', False), ('verified_signature_id', '=', False),
        ('verifier_role', '!=', False), ('state', '=', 'checking')])
    entry = step.entry_ids.filtered(lambda entry: entry.kind == 'weight')[:1]
    lot = newest(drill, 'stock.lot', ['|', ('mmr_status', '=', False), ('mmr_status', '!=', 'released')])

    def verify():
        insert_copy(drill, entry, lot_id=SQL("%s", lot.id), to_sign=SQL("TRUE"), token=SQL("NULL"))
        forge_step_signature(drill, step, 'verified')

    return entry and lot and (step, [Attempt('UPDATE', verify)])


@act("Lots and equipment", "SQL: change any column of a line of an equipment log, or delete it",
     "BPR-040, AUD-030, 21 CFR 111.35(b)(2), 211.182", r'mrp_mmr_\w+_append_only')
def mrp_equipment_log_update(drill):
    line = newest(drill, 'mrp.equipment.log', [])
    return line and (line, [*changes(drill, line, columns_of(line)), delete(drill, line)])


@act("Lots and equipment", "SQL: add a use in a batch without the signature of its step, or correct the line of another unit",
     "BPR-030, BPR-040, AUD-020, 21 CFR 211.182", 'mrp_mmr_log_(use_signed|corrects)')
def mrp_equipment_log_insert(drill):
    line, bpr = newest(drill, 'mrp.equipment.log', []), newest(drill, 'mrp.bpr', [])
    return line and (line, [
        Attempt("corrects", lambda: insert_copy(
            drill, line, supersedes_id=SQL("id"), reason=SQL("'forged'"), equipment_id=SQL(
                "(SELECT e.id FROM maintenance_equipment e WHERE e.id <> mrp_equipment_log.equipment_id LIMIT 1)"))),
        *([Attempt("use", lambda: insert_copy(drill, line, bpr_id=SQL("%s", bpr.id)))] if bpr else [])])


@act("Lots and equipment", "ORM: create, change, copy or delete a line of an equipment log",
     "BPR-040, AUD-030, 21 CFR 111.35(b)(2), 211.182", 'AUD-030')
def mrp_equipment_log_orm(drill):
    line = newest(drill, 'mrp.equipment.log', [])
    return line and (line, every_write(drill, line, {'result': 'pass'}))


@act("Lots and equipment", "SQL: record the use of a unit that is neither clean nor calibrated",
     "BPR-040, IPC-070, 21 CFR 111.35(b)(2), 211.67, 211.68(a)", 'mrp_mmr_bpr_unit_(clean|calibrated)')
def unit_used(drill):
    entry = open_entry(drill)
    unit = newest(drill, 'maintenance.equipment', [
        '|', ('mmr_cleaning_status', '=', 'dirty'), ('mmr_calibration_status', 'in', ('never', 'failed', 'overdue'))])
    return entry and unit and (unit, [Attempt('INSERT', lambda: insert_copy(
        drill, entry, equipment_id=SQL("%s", unit.id), token=SQL("NULL")))])


# === RETENTION === #

KEPT = "REC-040, 21 CFR 11.10(c), 111.605(b), 211.180(d)"


@act("Retention", "SQL: bring the date of disposal forward, take the record away, or put it on hold without a signature",
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


@act("Retention", "SQL: empty the content of a batch record that was not disposed of", KEPT,
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


@act("Retention", "SQL: change or delete a distribution, or add one that no transfer made",
     "REC-010, 21 CFR 111.605(a), 211.196", 'mrp_mmr_(bpr_distribution_append_only|distribution_done)')
def mrp_bpr_distribution_update(drill):
    row = newest(drill, 'mrp.bpr.distribution', [])
    return row and (row, [
        *changes(drill, row, columns_of(row)), delete(drill, row),
        Attempt('INSERT', lambda: insert_copy(drill, row, date=SQL("date - interval '10 years'")))])


@act("Retention", "SQL: set, lift, change or delete a legal hold without its signature", KEPT, 'mrp_mmr_hold_(signed|kept)')
def mrp_legal_hold_update(drill):
    hold = newest(drill, 'mrp.legal.hold', [])
    signature = newest(drill, 'mrp.esignature', [])
    return hold and (hold, [
        *changes(drill, hold, ('name', 'company_id', 'reason', 'recorded_by_id', 'recorded_at')),
        Attempt("lifted", lambda: change(drill, hold, 'lift_signature_id', SQL("%s", signature.id))), delete(drill, hold)])


@act("Retention", "SQL: sign, change or delete a disposal of records", KEPT, 'mrp_mmr_disposal_(signed|kept)')
def mrp_record_disposal_update(drill):
    disposal = newest(drill, 'mrp.record.disposal', [])
    signature = newest(drill, 'mrp.esignature', [])
    return disposal and (disposal, [
        *changes(drill, disposal, ('name', 'company_id', 'reason', 'selection', 'recorded_by_id', 'recorded_at')),
        Attempt("signed", lambda: change(drill, disposal, 'signature_id', SQL("%s", signature.id))), delete(drill, disposal)])


@act("Retention", "ORM: create, change, copy or delete a distribution, a legal hold or a disposal", KEPT, 'REC-0[14]0')
def retention_orm(drill):
    attempts = []
    for model, vals in (
            ('mrp.bpr.distribution', {'quantity': 0}), ('mrp.legal.hold', {'reason': "Forged"}),
            ('mrp.record.disposal', {'reason': "Forged"})):
        record = newest(drill, model, [])
        attempts += every_write(drill, record, vals) if record else []
    return attempts and (record or newest(drill, 'mrp.bpr', []), attempts)


# === PAPER AND TERMINALS === #

def every_write(drill, record, vals):
    """Return attempts of everybody to write, delete, copy and create by the ORM."""
    return [
        *drill.everyone(lambda env: record.with_env(env).write(dict(vals)), "writes"),
        *drill.everyone(lambda env: record.with_env(env).unlink(), "deletes"),
        *drill.everyone(lambda env: record.with_env(env).copy(), "copies"),
        *drill.everyone(lambda env: record.with_env(env).create(dict(vals)), "creates")]


@act("Paper and terminals", "SQL: change any column of a controlled copy of worksheets, or delete it",
     "BPR-160, AUD-030, 21 CFR 211.188(a), EU GMP 4.2", r'mrp_mmr_\w+_append_only')
def mrp_bpr_copy_update(drill):
    copy = newest(drill, 'mrp.bpr.copy', [])
    return copy and (copy, [*changes(drill, copy, columns_of(copy)), delete(drill, copy)])


@act("Paper and terminals", "SQL: add a controlled copy with a number of its own, or of a record that is not open",
     "BPR-160, 21 CFR 211.188(a), EU GMP 4.2", 'mrp_mmr_bpr_copy_numbered')
def mrp_bpr_copy_insert(drill):
    copy = newest(drill, 'mrp.bpr.copy', [])
    closed = newest(drill, 'mrp.bpr', [('state', 'not in', ('ready', 'progress')), ('copy_ids', '=', False)])
    return copy and (copy, [
        Attempt("number", lambda: insert_copy(drill, copy, number=SQL("number + 1000"))),
        *([Attempt("not open", lambda: insert_copy(
            drill, copy, bpr_id=SQL("%s", closed.id), number=SQL("1")))] if closed else [])])


@act("Paper and terminals", "SQL: change, verify or delete a transcription, or take a decision on one back",
     "BPR-110, VER-050, AUD-020, 21 CFR 111.260(j), 11.10(e)", r'mrp_mmr_(transcription_\w+|bpr_transcription_frozen)')
def mrp_bpr_transcription_update(drill):
    transcription = newest(drill, 'mrp.bpr.transcription', [])
    return transcription and (transcription, [
        *changes(drill, transcription, (
            'step_id', 'bpr_id', 'company_id', 'copy_id', 'scan_id', 'user_id', 'user_name', 'at', 'to_sign')),
        Attempt("status", lambda: change(drill, transcription, 'state', SQL(
            "CASE state WHEN 'open' THEN 'verified' ELSE 'open' END"))), delete(drill, transcription)])


@act("Paper and terminals", "SQL: add a value with initials of a paper that nobody transcribed",
     "BPR-110, 21 CFR 111.260(j)", 'mrp_mmr_bpr_entry_transcribed')
def transcribed_entry(drill):
    entry = open_entry(drill)
    return entry and (entry, [Attempt('INSERT', lambda: insert_copy(
        drill, entry, paper_time=SQL("'6:15'"), paper_by=SQL("'forged'"), token=SQL("NULL")))])


@act("Paper and terminals", "SQL: sign a step by a forged signature while a transcription waits for its verification",
     "VER-050, BPR-110, 21 CFR 111.260(j)", 'mrp_mmr_bpr_step_transcribed_verified')
def transcribed_step(drill):
    step = newest(drill, 'mrp.bpr.transcription', [
        ('state', '=', 'open'), ('step_id.state', '=', 'started'), ('step_id.performed_signature_id', '=', False)]).step_id
    return step and (step, [Attempt('UPDATE', lambda: forge_step_signature(drill, step, 'performed'))])


@act("Paper and terminals", "ORM: create, change, copy or delete a controlled copy of worksheets or a transcription",
     "BPR-160, AUD-030, 21 CFR 211.188(a), 111.260(j)", 'AUD-030')
def paper_orm(drill):
    attempts = [
        attempt._replace(label=f"{attempt.label} {model}")
        for model, vals in (('mrp.bpr.copy', {'number': 1}), ('mrp.bpr.transcription', {'state': 'verified'}))
        if (record := newest(drill, model, [])) for attempt in every_write(drill, record, vals)]
    return attempts and ("worksheets", attempts)


@act("Paper and terminals", "SQL: add a value from another terminal than those of the work center",
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


@act("Paper and terminals", "ORM: give a terminal a key, or say that it is registered", "SEC-040, 21 CFR 11.10(h)", 'SEC-040')
def terminal_orm(drill):
    terminal = newest(drill, 'mrp.terminal', [])
    return terminal and (terminal, [
        attempt for vals in ({'key_sha256': '0' * 64}, {'registered_at': '2030-01-01 00:00:00'})
        for attempt in drill.everyone(
            lambda env, vals=vals: terminal.with_env(env).write(dict(vals)), f"writes {next(iter(vals))}")])


# === WHOLE TABLES === #

def truncate(drill, table, trigger):
    """Empty a table. PostgreSQL refuses this for one that others refer to; then its guard has to be there as well.

    It refuses TRUNCATE … CASCADE, which would ask for locks on half of the database.
    """
    drill.cr.execute("SELECT tgenabled <> 'D' FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname = %s", [table, trigger])
    is_guarded = drill.cr.fetchone() == (True,)
    try:
        drill.cr.execute(SQL("TRUNCATE %s", SQL.identifier(table)), log_exceptions=False)
    except errors.FeatureNotSupported:
        if is_guarded:
            raise


@act("Whole tables", "SQL: empty a table of evidence (TRUNCATE)", "AUD-030, REC-040, 21 CFR 11.10(e), 111.605",
     r'FeatureNotSupported|mrp_mmr_\w+|is refused|append-only|only grows')
def truncate_tables(drill):
    return "tables", [
        Attempt(table, lambda table=table, trigger=trigger: truncate(drill, table, trigger))
        for table, trigger, _function in guards.triggers() if 'truncate' in trigger]


# === BESIDE THE GUARDS: DONE, AND FOUND === #

@act("Beside the guards", "SQL: insert a copy of a signature", "SIG-030, 21 CFR 11.70", r'mrp_mmr_\w+_append_only')
def signature_copy(drill):
    signature = a_signature(drill)

    def copy():
        forgery = insert_copy(drill, signature)
        found_by(verified(drill, 'signatures', forgery), ('mrp.esignature', forgery))

    return signature and (signature, [Attempt('INSERT', copy)])


@act("Beside the guards", "SQL: append a forged line and move the head of the chain to it", "AUD-040, 21 CFR 11.10(a)",
     'mrp_mmr_entry_follows')
def line_append(drill):
    last = chain_lines(drill)[-1:]

    def append():
        # As the addon itself does, so that nobody appends a line in between.
        drill.cr.execute("SELECT FROM mrp_audit_chain WHERE id = %s FOR UPDATE", [last.chain_id.id], log_exceptions=False)
        line = insert_copy(drill, last, index=SQL("index + 1"), previous_sha256=SQL("sha256"), sha256=SQL("%s", 'f' * 64))
        drill.cr.execute("UPDATE mrp_audit_chain SET head_index = head_index + 1, head_sha256 = %s WHERE id = %s",
                         ['f' * 64, last.chain_id.id], log_exceptions=False)
        found_by(LedgerCheck(drill.cr, chains=[last.chain_id.id]), ('mrp.audit.entry', line))

    return last and (last.chain_id, [Attempt('INSERT', append)])


def without_triggers(drill):
    """Switch the triggers off for this session, which PostgreSQL lets its superusers do; no table is locked."""
    drill.cr.execute("SET LOCAL session_replication_role = replica", log_exceptions=False)


@act("Beside the guards", "Change or cut off the audit trail in a session without triggers", "AUD-040, 21 CFR 11.10(a)",
     'InsufficientPrivilege')
def unguarded_ledger(drill):
    lines = chain_lines(drill)
    first, last, chain = lines[:1], lines[-1:], lines.chain_id

    def alter(query):
        without_triggers(drill)
        drill.cr.execute(query, log_exceptions=False)
        found_by(LedgerCheck(drill.cr, chains=[chain.id]), ('mrp.audit.entry', first.id), ('mrp.audit.chain', chain.id))

    return lines and (chain, [
        Attempt("changes a line", lambda: alter(SQL("UPDATE mrp_audit_entry SET reason = 'forged' WHERE id = %s", first.id))),
        Attempt("deletes the last line", lambda: alter(SQL("DELETE FROM mrp_audit_entry WHERE id = %s", last.id))),
        Attempt("moves the head", lambda: alter(SQL(
            "UPDATE mrp_audit_chain SET head_index = head_index - 1 WHERE id = %s", chain.id)))])


@act("Beside the guards", "Change a signature or a signed document in a session without triggers",
     "SIG-030, REV-010, 21 CFR 11.70", 'InsufficientPrivilege')
def unguarded_signature(drill):
    revision, signature = signed_revision(drill), newest(drill, 'mrp.esignature', [])

    def alter(record, query, part):
        without_triggers(drill)
        drill.cr.execute(query, log_exceptions=False)
        found_by(verified(drill, part, record.id), (record._name, record.id))

    return revision and (revision, [
        Attempt("changes a signature", lambda: alter(signature, SQL(
            "UPDATE mrp_esignature SET signer_name = 'Forged' WHERE id = %s", signature.id), 'signatures')),
        Attempt("changes a document", lambda: alter(revision, SQL(
            """UPDATE mrp_mmr_revision SET document = jsonb_set(document, '{forged}', 'true') WHERE id = %s""",
            revision.id), 'revisions'))])


@act("Beside the guards", "SQL: retire a revision without the signature",
     "REV-080, AUD-040, 21 CFR 111.123(a)(1)", 'mrp_mmr_revision')
def unsigned_retirement(drill):
    revision = newest(drill, 'mrp.mmr.revision', [('state', '=', 'effective')])

    def retire():
        change(drill, revision, 'state', SQL("'obsolete'"))
        found_by(verified(drill, 'mrp.mmr.revision', revision.id), ('mrp.mmr.revision', revision.id))

    return revision and (revision, [Attempt('UPDATE', retire)])
