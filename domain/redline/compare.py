"""Compares two frozen documents row by row, and lists what differs."""

import json
from itertools import pairwise

from ..canonical import sha256
from ..criterion import criterion_text
from .fields import Fields
from .matching import Matching, longest_increasing, words
from .texts import SEPARATOR, controlled_text, details, has_same_ratio, name_text, product_text, specification_label, step_names

SCHEMA = 'mrp_mmr/redline/1'

GROUPS = ('identity', 'formula', 'overage', 'yields', 'steps', 'equipment', 'label', 'tests', 'text')


def compare(before, after):
    """Return what changed from one document to another (schema 1, 2 or 3 each).

    :param before: the older document, or None where ``after`` is compared with nothing: all of it is new
    :param after: the newer document
    :return: dict without floats, the same for the same documents; ``kind`` of a change is added, removed or
        changed, and values are texts in no particular language
    """
    return {
        'schema': SCHEMA,
        'before': _header(before) if before else None,
        'after': _header(after),
        'changes': _Comparison(before or {}, after).run(),
    }


def _header(document):
    return {'number': document['number'], 'revision': document['revision'], 'document_sha256': sha256(document)}


class _Comparison(Matching, Fields):
    """One comparison: matches rows of both sides, then compares their fields and their order."""

    def run(self):
        operations = self._match(
            self.before.rows('operations'), self.after.rows('operations'),
            lambda row, side: f"{row['position']} {row['name']}",
            lambda row, side: (row['name'], row['work_center']['id'], row.get('stage')),
            lambda row, side: row['name'],
            lambda row, side: (row['work_center']['id'], row.get('instruction'), step_names(row)),
            similar=lambda row, side: words(row['name'], row.get('instruction'), *step_names(row)))
        components = self._match_materials('components')
        by_products = self._match_materials('by_products')

        heads = self._get_head(self.before), self._get_head(self.after)
        if heads[0] and has_same_ratio(self.before.document['batch_size'], self.after.document['batch_size']):
            for head in heads:
                head.pop('batch_size.product_unit_quantity')
        self._compare_fields('', *heads)
        self._compare_rows('component', 'formula', components, self._get_material, self._get_component)
        self._compare_rows('by_product', 'formula', by_products, self._get_material)
        self._compare_rows('operation', 'steps', operations, self._get_operation)
        for before, after in operations:
            self._compare_stage(before or {}, after or {})
        self._compare_lists()
        order = {group: number for number, group in enumerate(GROUPS)}
        return sorted(self.changes, key=lambda change: order[change['group']])

    def _add(self, group, item, field, before, after, raw=None):
        if before == after:
            # The same to the eye, as two records of one name are.
            before, after = (
                f"{text or ''} ({detail})".strip() for text, detail in zip((before, after), details(*raw), strict=True))
        self.changes.append({
            'group': group, 'item': item, 'field': field,
            'kind': 'added' if before is None else 'removed' if after is None else 'changed',
            'before': before, 'after': after})

    def _compare_fields(self, item, before, after):
        """Compare fields of one row: dicts from field to (group, value, text)."""
        for field in after if after else before:
            group, old, old_text = before.get(field) or (None, None, None)
            new_group, new, new_text = after.get(field) or (None, None, None)
            if old == new or (old_text is None and new_text is None and (old is None or new is None)):
                continue
            self._add(new_group or group, item, field, old_text, new_text, (old, new))

    def _compare_rows(self, prefix, group, pairs, *getters):
        for old, new in pairs:
            fields = [{}, {}]
            for number, (row, side) in enumerate(((old, self.before), (new, self.after))):
                if row is not None:
                    for getter in getters:
                        for field, place, value, text in getter(row, side):
                            fields[number][f'{prefix}.{field}'] = (place or group, value, text)
            if old is not None and new is not None and 'product_unit_quantity' in old and has_same_ratio(old, new):
                for side in fields:
                    side.pop(f'{prefix}.product_unit_quantity')
            self._compare_fields(
                self.after.labels[id(new)] if new is not None else self.before.labels[id(old)], *fields)
        self._compare_order(prefix, group, pairs)

    def _compare_order(self, prefix, group, pairs):
        """Report rows that changed places, not those that others pushed."""
        both = [pair for pair in pairs if pair[0] is not None and pair[1] is not None]
        numbers = [self.before.order[id(old)] for old, _new in both]
        if all(first < second for first, second in pairwise(numbers)):
            return
        kept = longest_increasing(numbers)
        for number, (_old, new) in zip(numbers, both, strict=True):
            if number not in kept:
                place = self.after.order[id(new)]
                self._add(group, self.after.labels[id(new)], f'{prefix}.position', str(number), str(place),
                          ([item for item in numbers if item < number], [number]))

    def _compare_stage(self, before, after):
        """Compare what belongs to one stage: equipment, steps and their checklists."""
        def prefix(side):
            stage = before if side is self.before else after
            return side.labels[id(stage)] + SEPARATOR

        equipment = self._match(
            before.get('equipment') or [], after.get('equipment') or [],
            lambda row, side: prefix(side) + (name_text(row['equipment']) or name_text(row['class']) or str(row['position'])),
            lambda row, side: ((row['equipment'] or {}).get('id'), (row['class'] or {}).get('id'), row.get('preparation')),
            lambda row, side: ((row['equipment'] or {}).get('id'), (row['class'] or {}).get('id')),
            lambda row, side: (row['equipment'] or {}).get('id'),
            lambda row, side: name_text(row['equipment']),
            lambda row, side: not row['equipment'] and (row['class'] or {}).get('id') or None,
            lambda row, side: name_text(row['class']) and (name_text(row['class']), row.get('preparation')))

        def component(row, side):
            return side.follow(side.rows('components'), row.get('component'))[0]

        def number(row, side):
            stage = before if side is self.before else after
            return f"{stage['position']}.{row['position']} {row['name']}"

        steps = self._match(
            before.get('steps') or [], after.get('steps') or [], number,
            lambda row, side: (row['name'], row['kind'], component(row, side), row.get('instruction')),
            lambda row, side: (row['name'], component(row, side)),
            lambda row, side: row['name'],
            lambda row, side: component(row, side) and (row['kind'], component(row, side)),
            lambda row, side: json.dumps({
                key: value for key, value in row.items() if key not in ('name', 'position', 'component', 'equipment')},
                sort_keys=True),
            similar=lambda row, side: words(
                row['name'], row.get('instruction'), row.get('precaution'), criterion_text(row.get('criterion'))))

        def get_step(row, side):
            stage = before if side is self.before else after
            return self._get_step(row, side, stage.get('equipment') or [])

        self._compare_rows('equipment', 'equipment', equipment, self._get_equipment)
        self._compare_rows('step', 'steps', steps, get_step)
        for old, new in steps:
            old_list, new_list = (old or {}).get('checklist') or [], (new or {}).get('checklist') or []
            if old_list or new_list:
                self._compare_rows('checklist', 'steps', self._match(
                    old_list, new_list,
                    lambda row, side, old=old, new=new: (
                        side.labels[id(old if side is self.before else new)] + SEPARATOR + row['text']),
                    lambda row, side: row['text'],
                    similar=lambda row, side: words(row['text'])), self._get_check)

    def _compare_lists(self):
        """Compare what neither formula nor process needs: declaration, tests, packs, references, sections."""
        def lists(name):
            return self.before.rows(name), self.after.rows(name)

        self._compare_rows('ingredient', 'label', self._match(
            *lists('ingredients'), lambda row, side: row['name'],
            lambda row, side: (row['name'], (row['product'] or {}).get('id')),
            lambda row, side: row['name'],
            lambda row, side: (row['product'] or {}).get('id'),
            similar=lambda row, side: words(row['name'])), self._get_ingredient)
        self._compare_rows('specification', 'tests', self._match(
            *lists('specifications'), specification_label,
            lambda row, side: (row['scope'], (row['product'] or {}).get('id'), row['parameter']),
            lambda row, side: (row['scope'], row['parameter'], product_text(row['product'])),
            lambda row, side: ((row['product'] or {}).get('id'), row['parameter'], criterion_text(row['criterion'])),
            lambda row, side: (row['scope'], row['parameter'], criterion_text(row['criterion'])),
            lambda row, side: json.dumps(
                {key: value for key, value in row.items() if key not in ('position', 'parameter')}, sort_keys=True),
            similar=lambda row, side: words(row['scope'], product_text(row['product']), row['parameter'], row.get('method'))),
            self._get_specification)
        packs = self._match(
            *lists('packs'), lambda row, side: row['name'],
            lambda row, side: row['name'],
            lambda row, side: json.dumps(row['size'], sort_keys=True),
            similar=lambda row, side: words(row['name'], row.get('description')))
        self._compare_rows('pack', 'label', packs, self._get_pack)
        for old, new in packs:
            old_list, new_list = (old or {}).get('materials') or [], (new or {}).get('materials') or []
            label = self.after.labels[id(new)] if new is not None else self.before.labels[id(old)]
            self._compare_rows('material', 'label', self._match_materials(
                None, old_list, new_list, prefix=label + SEPARATOR), self._get_material)
        self._compare_rows('reference', 'text', self._match(
            *lists('references'), lambda row, side: controlled_text(row['document']),
            lambda row, side: row['document'].get('id'),
            lambda row, side: row['document'].get('code'),
            lambda row, side: row['document'].get('name')), self._get_reference)
        self._compare_rows('section', 'text', self._match(
            *lists('sections'), lambda row, side: row['name'],
            lambda row, side: row['code'], lambda row, side: row['name']), self._get_section)
        self._compare_rows('reviewer', 'identity', self._match(
            *lists('reviewers'), lambda row, side: row['name'],
            lambda row, side: row['name'], lambda row, side: row['position']), self._get_reviewer)
        self._compare_rows('answer', 'text', self._match(
            *lists('answers'), lambda row, side: row['requirement'],
            lambda row, side: (row['requirement'], row['text']),
            lambda row, side: row['requirement'], lambda row, side: row['text']), self._get_answer)
