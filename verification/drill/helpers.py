"""Records to try attacks on, and attempts by SQL that several attacks share."""

from odoo.tools import SQL

from ...domain.revision_states import APPROVED_STATES
from ..ledger import CHECKPOINT
from ..records import Verification
from .attack import Attempt, Detected, Skipped

FROZEN = "REV-010, 21 CFR 111.123(a)(1), 211.100(a)"


def newest(drill, model, domain):
    """Return the newest record of a domain, of the company of the drill where it has one."""
    records = drill.env[model]
    if 'company_id' in records._fields:
        own = records.search([*domain, ('company_id', '=', drill.company_id)], order='id desc', limit=1)
        if own:
            return own
    return records.search(domain, order='id desc', limit=1)


def forge_value(record, name):
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
    value = forge_value(record, name) if value is None else value
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


def get_columns(record):
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


def assert_found(findings, *named):
    """The act went through: verification has to name one of these records."""
    for finding in findings:
        if finding is not CHECKPOINT and (finding.model, finding.res_id) in named:
            raise Detected(f"found by verification: {finding}"[:300])


def verified(drill, part, record_id):
    """Verify one part of the evidence, from a record on."""
    return Verification(drill.cr, position={'part': part, 'after': record_id - 1}).check_part(part)


def signed_revision(drill):
    return newest(drill, 'mrp.mmr.revision', [('state', '=', 'effective')]) \
        or newest(drill, 'mrp.mmr.revision', [('state', 'in', APPROVED_STATES)])


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


def every_write(drill, record, vals):
    """Return attempts of everybody to write, delete, copy and create by the ORM."""
    return [
        *drill.everyone(lambda env: record.with_env(env).write(dict(vals)), "writes"),
        *drill.everyone(lambda env: record.with_env(env).unlink(), "deletes"),
        *drill.everyone(lambda env: record.with_env(env).copy(), "copies"),
        *drill.everyone(lambda env: record.with_env(env).create(dict(vals)), "creates")]


def open_entry(drill, *domain):
    """Return a value recorded at a step that is started, whose copy only a rule of its own refuses."""
    return newest(drill, 'mrp.bpr.entry', [
        ('step_id.state', '=', 'started'), ('to_sign', '=', False), ('transcription_id', '=', False), *domain])


def forge_signature(drill, signature, user_id=None, **changed):
    """Insert a copy of a signature with other values, as if the key of its person, or of ``user_id``, had signed it.

    Of the key itself only verification can judge it.

    :return: the id of the forgery
    :raise Skipped: where this person has no key in force
    """
    drill.cr.execute(
        """SELECT k.fingerprint, u.partner_id, COALESCE(s.key_number, 0) + 1, COALESCE(s.signature_sha256, repeat('0', 64))
             FROM res_users u JOIN mrp_signer_key k ON k.id = mrp_mmr_key_in_force(u.id)
             LEFT JOIN LATERAL (SELECT key_number, signature_sha256 FROM mrp_esignature
                                 WHERE user_id = u.id ORDER BY id DESC LIMIT 1) s ON TRUE
            WHERE u.id = %s""", [user_id or signature.user_id.id])
    row = drill.cr.fetchone()
    if not row:
        raise Skipped()
    values = dict(zip(('key_fingerprint', 'partner_id', 'key_number', 'key_previous'), row, strict=True))
    values.update(user_id=user_id or signature.user_id.id, key_signature='A' * 86 + '==')
    return insert_copy(drill, signature, **{name: SQL("%s", value) for name, value in values.items()}, **changed)


def forge_step_signature(drill, step, point):
    """Sign a point of a step by a forged signature of somebody else than who signed another step."""
    signature = newest(drill, 'mrp.esignature', [('res_model', '=', step._name)])
    drill.cr.execute(
        "SELECT id FROM res_users WHERE id <> %s AND mrp_mmr_key_in_force(id) IS NOT NULL ORDER BY id LIMIT 1",
        [signature.user_id.id])
    someone = drill.cr.fetchone()
    forgery = forge_signature(
        drill, signature, someone and someone[0], res_id=SQL("%s", step.id),
        content=SQL("jsonb_set(content, '{point}', to_jsonb(%s::text))", point))
    change(drill, step, f'{point}_signature_id', SQL("%s", forgery))


def newest_signature(drill):
    return signed_revision(drill).approved_signature_id or newest(drill, 'mrp.esignature', [])
