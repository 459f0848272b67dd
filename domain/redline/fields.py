"""The fields of each kind of row: where a difference is shown, its value, and the value as text."""

from ..criterion import band_text, criterion_text, measure, overage_text, sample_text, stated_text, time_text
from .texts import (
    amount_text,
    controlled_text,
    criterion_content,
    file_content,
    file_text,
    flag_text,
    name_text,
    product_text,
    size_fields,
    yield_fields,
)


class Fields:
    """Getters of rows: each yields ``(field, group, value, text)``; None as group is that of the row."""

    def _get_head(self, side):
        document = side.document
        if not document:
            return {}
        identity, change = document.get('identity') or {}, document.get('change') or {}
        size = document['batch_size']
        weight = identity.get('dosage_unit_weight')
        return {field: (group, value, text) for field, group, value, text in (
            ('company', 'identity', document['company'], name_text(document['company'])),
            ('profile', 'identity', document['profile'], f"{document['profile']['code']}: {document['profile']['name']}"),
            ('product', 'identity', document['product'], product_text(document['product'])),
            ('formulation', 'identity', document['formulation'], document['formulation']),
            ('batch_size', 'identity', size['quantity'], measure(size['quantity'], size['unit'])),
            ('identity.description', 'identity', *[identity.get('description')] * 2),
            ('identity.dosage_form', 'identity', *[identity.get('dosage_form')] * 2),
            ('identity.dosage_unit_weight', 'identity', weight, amount_text(weight)),
            ('effective_date', 'identity', *[document.get('effective_date')] * 2),
            ('training_required', 'identity', document.get('training_required'), flag_text(document.get('training_required'))),
            *((f'yield.{field}', 'yields', value, text) for field, value, text in yield_fields(document.get('yield'))),
            ('precautions', 'text', *[document.get('precautions')] * 2),
            ('process_rationale', 'text', *[document.get('process_rationale')] * 2),
            ('change.category', 'text', *[change.get('category')] * 2),
            ('change.description', 'text', *[change.get('description')] * 2),
            ('change.reason', 'text', *[change.get('reason')] * 2),
        )} | size_fields('batch_size', 'identity', size)

    def _get_material(self, row, side):
        yield 'product', None, row['product'], product_text(row['product'])
        for field, (group, value, text) in size_fields('quantity', None, row).items():
            yield field, group, value, text
        if 'operation' in row:
            yield 'operation', None, *side.follow(side.rows('operations'), row['operation'])

    def _get_component(self, row, side):
        overage = row.get('overage')
        stated = overage and {key: value for key, value in overage.items() if key != 'rationale'}
        yield 'overage', 'overage', stated, overage_text(overage)
        yield 'overage.rationale', 'overage', *[(overage or {}).get('rationale')] * 2
        for field in ('is_active', 'is_declared', 'in_product'):
            yield field, None, row.get(field), flag_text(row.get(field))
        yield 'supplier', None, row.get('supplier'), name_text(row.get('supplier'))
        yield 'strength', None, row.get('strength'), amount_text(row.get('strength'))
        tolerance = row.get('tolerance')
        yield 'tolerance', None, tolerance, None if tolerance is None else f"± {measure(tolerance, row['unit'])}"
        yield 'tolerance_justification', None, *[row.get('tolerance_justification')] * 2
        yield 'stated', None, row.get('stated'), stated_text(row)
        for field in ('weighing_verified', 'addition_verified'):
            yield field, None, row.get(field), flag_text(row.get(field))
        assay = row.get('assay') or {}
        yield 'assay', None, (assay.get('reference'), assay.get('unit')), measure(assay.get('reference'), assay.get('unit'))
        yield 'assay.basis', None, *[assay.get('basis')] * 2
        yield 'is_filler', None, row.get('is_filler'), flag_text(row.get('is_filler'))

    def _get_operation(self, row, side):
        yield 'name', None, row['name'], row['name']
        yield 'work_center', None, row['work_center'], name_text(row['work_center'])
        yield 'stage', None, *[row.get('stage')] * 2
        before = [side.follow(side.rows('operations'), position) for position in row.get('predecessors') or []]
        yield 'predecessors', None, sorted(map(str, (token for token, _label in before))), \
            ", ".join(label for _token, label in before) or None
        yield 'instruction', 'text', *[row.get('instruction')] * 2
        for field, value, text in yield_fields(row.get('yield')):
            yield f'yield.{field}', 'yields', value, text
        for field in ('time_limit', 'hold_time'):
            yield field, None, row.get(field), measure(row.get(field), "h")
        yield 'storage_conditions', None, *[row.get('storage_conditions')] * 2

    def _get_equipment(self, row, side):
        yield 'name', None, row['equipment'], name_text(row['equipment'])
        yield 'class', None, row['class'], name_text(row['class'])
        yield 'preparation', None, *[row.get('preparation')] * 2

    def _get_check(self, row, side):
        yield 'text', None, row['text'], row['text']
        yield 'mandatory', None, row.get('mandatory'), flag_text(row.get('mandatory'))

    def _get_step(self, row, side, equipment):
        yield 'name', None, row['name'], row['name']
        yield 'kind', None, *[row.get('kind')] * 2
        yield 'instruction', 'text', *[row.get('instruction')] * 2
        yield 'precaution', 'text', *[row.get('precaution')] * 2
        yield 'component', None, *side.follow(side.rows('components'), row.get('component'))
        for field in ('performer_role', 'performer_meaning', 'verifier_role', 'verifier_meaning'):
            yield field, None, *[row.get(field)] * 2
        for field in ('is_critical', 'is_hold_point'):
            yield field, None, row.get(field), flag_text(row.get(field))
        yield 'execution', 'equipment', *[row.get('execution')] * 2
        yield 'equipment', 'equipment', *(
            side.follow(equipment, row.get('equipment')) if equipment else [row.get('equipment')] * 2)
        yield 'pack', None, *side.follow(side.rows('packs'), row.get('pack'))
        for field in ('minimum_time', 'time_limit'):
            yield field, None, *[time_text(row, field)] * 2
        yield 'criterion', 'tests', criterion_content(row.get('criterion')), criterion_text(row.get('criterion'))
        limits = row.get('plausibility')
        yield 'plausibility', 'tests', limits, limits and band_text(limits.get('minimum'), limits.get('maximum'), None)
        yield 'corrective_action', 'tests', *[row.get('corrective_action')] * 2
        sample = row.get('sample')
        yield 'sample', 'tests', sample and {key: sample[key] for key in sample if key != 'role'}, sample_text(sample)
        yield 'sample.role', 'tests', *[(sample or {}).get('role')] * 2
        yield 'method', 'tests', row.get('method'), controlled_text(row.get('method'))
        documents = row.get('documents') or []
        yield 'documents', None, documents, "; ".join(map(controlled_text, documents)) or None
        yield 'picture', None, file_content(row.get('picture')), file_text(row.get('picture'))

    def _get_ingredient(self, row, side):
        yield 'name', None, row['name'], row['name']
        yield 'is_dietary', None, row.get('is_dietary'), flag_text(row.get('is_dietary'))
        yield 'product', None, row.get('product'), product_text(row.get('product'))
        yield 'amount', None, row.get('amount'), amount_text(row.get('amount'))

    def _get_specification(self, row, side):
        yield 'parameter', None, row['parameter'], row['parameter']
        yield 'scope', None, row['scope'], row['scope']
        yield 'product', None, row['product'], product_text(row['product'])
        yield 'is_identity', None, row.get('is_identity'), flag_text(row.get('is_identity'))
        yield 'criterion', None, criterion_content(row['criterion']), criterion_text(row['criterion'])
        yield 'method', None, *[row.get('method')] * 2
        for field in ('method_document', 'document'):
            yield field, None, row.get(field), controlled_text(row.get(field))
        yield 'corrective_action', None, *[row.get('corrective_action')] * 2

    def _get_pack(self, row, side):
        yield 'name', None, row['name'], row['name']
        yield 'size', None, row['size'], row['size'] and measure(row['size']['quantity'], row['size']['unit'])
        for field in ('packed_under', 'description', 'coding_position', 'clearance', 'checks'):
            yield field, None, *[row.get(field)] * 2
        label = row.get('label') or {}
        identity = {key: label.get(key) for key in ('id', 'code', 'version', 'name')} if label else None
        yield 'label', None, identity, controlled_text(identity)
        yield 'label.file', None, file_content(label.get('file')), file_text(label.get('file'))
        for field in ('location', 'panel', 'claims'):
            yield f'label.{field}', None, *[label.get(field)] * 2
        approval = label.get('approval')
        yield 'label.approval', None, approval, approval and f"{approval['name']}, {approval['signed_at']}"

    def _get_reference(self, row, side):
        yield 'document', None, row['document'], controlled_text(row['document'])
        yield 'purpose', None, *[row.get('purpose')] * 2

    def _get_section(self, row, side):
        yield 'name', None, [row['code'], row['name']], row['name']
        yield 'text', None, *[row.get('text')] * 2
        yield 'file', None, file_content(row.get('file')), file_text(row.get('file'))
        for field in ('location', 'not_applicable_reason'):
            yield field, None, *[row.get(field)] * 2

    def _get_reviewer(self, row, side):
        yield 'name', None, row['name'], row['name']
        yield 'role', None, row['role'], row['role']

    def _get_answer(self, row, side):
        yield 'text', None, [row['requirement'], row['text']], row['text']
        yield 'answer', None, *[row.get('answer')] * 2
