"""Attacks on the content of signed revisions: rows, links and files."""

from odoo.tools import SQL

from ...domain import columns
from ...domain.revision_states import APPROVED_STATES
from .attack import ATTACKS, Attack, Attempt, attack
from .helpers import FROZEN, changes, delete, execute, get_columns, insert_copy, newest

#: Content of signed revisions: what it is, its columns, and what the ORM is asked to write.
CONTENT = {
    'mrp.bom': ("bill of materials", columns.CONTENT['mrp_bom'], {'product_qty': 9}),
    'mrp.bom.line': ("component", [
        *columns.CONTENT['mrp_bom_line'], 'mmr_overage_confirmed_id', 'mmr_overage_confirmed_at'], {'gmp_qty': 1.25}),
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


def find_content(drill, model):
    """Return a row of a signed revision."""
    state = ('state', 'in', APPROVED_STATES)
    if model == 'mrp.mmr.label':
        packs = newest(drill, 'mrp.mmr.pack', [('revision_id.state', 'in', APPROVED_STATES), ('label_id', '!=', False)])
        return newest(drill, model, [('approved_signature_id', '!=', False)]) or packs.label_id
    if model == 'mrp.sop':
        return newest(drill, 'mrp.mmr.reference', [('revision_id.state', 'in', APPROVED_STATES)]).sop_id \
            or newest(drill, 'mrp.mmr.specification', [
                ('revision_id.state', 'in', APPROVED_STATES), ('document_id', '!=', False)]).document_id
    revisions = {'mrp.bom': 'mmr_revision_ids', 'mrp.bom.line': 'bom_id.mmr_revision_ids',
                 'mrp.bom.byproduct': 'bom_id.mmr_revision_ids', 'mrp.routing.workcenter': 'bom_id.mmr_revision_ids'}
    return newest(drill, model, [(f"{revisions.get(model, 'revision_id')}.{state[0]}", *state[1:])])


def add_content_attacks(model, words, names, vals):
    """Register the acts on one kind of content: change, delete and add by SQL, and everything by the ORM."""
    key = model.replace('.', '_')

    def sql_change(drill):
        row = find_content(drill, model)
        columns_of_row = names or sorted(
            name for name in row._mmr_content_fields() if row._fields[name].store and row._fields[name].column_type)
        return row and (row, changes(drill, row, columns_of_row))

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
    ATTACKS.append(Attack(f'{key}_update', content, f"SQL: change any column of {article} {words}", FROZEN, frozen, sql_change))
    ATTACKS.append(Attack(f'{key}_delete', content, f"SQL: delete {article} {words}", FROZEN, f'{frozen}|_fkey', sql_delete))
    if model.replace('.', '_') in columns.ROW_TABLES or names and model.startswith(('mrp.bom.', 'mrp.routing')):
        ATTACKS.append(Attack(f'{key}_insert', content, f"SQL: add {article} {words}", FROZEN, frozen, sql_insert))
    ATTACKS.append(Attack(f'{key}_orm', content, f"ORM: change or delete {article} {words}", FROZEN, 'REV-010', orm))


for _model, _content in CONTENT.items():
    add_content_attacks(_model, *_content)


@attack("Signed content", "SQL: add or delete a link from a stage to another, or from a step to a document", FROZEN,
        r'mrp_mmr_\w+_rel_content_frozen')
def links_sql(drill):
    attempts = []
    for table, (left, right), model, owner in (
            ('mrp_routing_workcenter_dependencies_rel', ('operation_id', 'blocked_by_id'), 'mrp.routing.workcenter',
             'bom_id.mmr_revision_ids.state'),
            ('mrp_mmr_step_sop_rel', ('step_id', 'sop_id'), 'mrp.mmr.step', 'revision_id.state')):
        relation = [field for field in drill.env[model]._fields.values() if field.type == 'many2many'
                    and (field.relation, field.column1, field.column2) == (table, left, right)]
        row = newest(drill, model, [(owner, 'in', APPROVED_STATES), (relation[0].name, '!=', False)])
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


@attack("Signed content", "SQL: change or delete a file of a signed record", "REV-010, REC-040, 21 CFR 11.10(c)",
        r'mrp_mmr_\w+_append_only')
def file_sql(drill):
    file = newest(drill, 'mrp.mmr.file', [])
    return file and (file, [*changes(drill, file, get_columns(file)), delete(drill, file)])


@attack("Signed content", "ORM: change, delete or duplicate a file of a signed record", "REV-010, REC-040, 21 CFR 11.10(c)",
        'REV-010|REC-040|not duplicated')
def file_orm(drill):
    file = newest(drill, 'mrp.mmr.file', [])
    return file and (file, [
        *drill.everyone(lambda env: file.with_env(env).write({'data': b'Zm9yZ2Vk'}), "writes"),
        *drill.everyone(lambda env: file.with_env(env).unlink(), "deletes"),
        *drill.everyone(lambda env: file.with_env(env).copy(), "duplicates")])
