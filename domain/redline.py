"""What differs between two frozen MMR documents, as a document of its own that can be signed.

Rows are recognised by what they are (product, parameter, name, then wording), so that a step which was moved,
renamed or pushed down by another one is shown as that. References that are positions are followed: a stage that
comes in before all others changes the number of each, and nothing else.

Nothing here depends on the language of the reader; labels for people are made in models/master/revision/redline.py.
"""

import difflib
import json
import re
from bisect import bisect_left
from collections import Counter
from decimal import Decimal
from itertools import pairwise

from .canonical import sha256

SCHEMA = 'mrp_mmr/redline/1'
GROUPS = ('identity', 'formula', 'overage', 'yields', 'steps', 'equipment', 'label', 'tests', 'text')
#: Between the names of a row and of the row that it belongs to.
SEPARATOR = " › "
#: From here on two wordings are versions of one another.
SIMILAR = 0.5
#: More rows than this on a side are compared by their words only, which is much faster.
MAX_DIFFLIB_ROWS = 20
#: More pairs of rows than this are not compared by their words: what no key recognises is gone, or new.
MAX_SIMILAR_PAIRS = 500_000
#: Longer texts are compared by lines instead of words.
MAX_DIFF_TOKENS = 3000
#: As many pairs of words or lines are looked at; what is left is shown as replaced. It bounds the time to a second,
#: also for texts that repeat the same words over and over.
MAX_DIFF_WORK = 6_000_000

WORD = re.compile(r'\w+')
TOKEN = re.compile(r'\s+|\w+|[^\w\s]')


def compare(before, after):
    """Return what changed from one document to another (schema 1 or 2 each).

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


# === VALUES AS TEXT === #

def _measure(value, unit):
    """A quantity with its unit; what has no value is no text."""
    return None if value is None else f"{value} {unit}" if unit else str(value)


def _amount(content):
    return content and _measure(content.get('value'), content.get('unit'))


def _flag(value):
    return None if value is None else "yes" if value else "no"


def _product(content):
    if not content:
        return None
    return f"[{content['code']}] {content['name']}" if content.get('code') else content['name']


def _name(content):
    return content and content.get('name')


def _controlled(content):
    """A document or label: code, version, name."""
    if not content:
        return None
    version = content.get('version')
    return ' '.join(str(part) for part in (
        content.get('code'), f"v{version}" if version not in (None, '') else None, content.get('name')) if part)


def _file(content):
    return content and f"{content['name']} ({content['sha256'][:12]})"


def file_content(content):
    """What identifies a file: its name and bytes, not the record that holds them."""
    return content and {key: value for key, value in content.items() if key != 'id'}


def _band(minimum, maximum, unit):
    if minimum is None and maximum is None:
        return None
    if minimum is None or maximum is None:
        return f"{'NMT' if minimum is None else 'NLT'} {_measure(maximum if minimum is None else minimum, unit)}"
    return _measure(f"{minimum} – {maximum}", unit)


def criterion_text(criterion):
    """Return an acceptance criterion for reading: "95 – 102 %", "NLT 95 %" (not less than), or its own words."""
    if not criterion:
        return None
    unit = criterion.get('unit')
    kind = criterion.get('kind')
    if kind == 'nlt':
        parts = [f"NLT {_measure(criterion.get('minimum'), unit)}"]
    elif kind == 'nmt':
        parts = [f"NMT {_measure(criterion.get('maximum'), unit)}"]
    elif kind == 'range':
        parts = [_band(criterion.get('minimum'), criterion.get('maximum'), unit)]
    else:
        parts = []
    if criterion.get('target') is not None:
        parts.append(f"target {_measure(criterion['target'], unit)}")
    if criterion.get('text'):
        parts.append(criterion['text'])
    return ", ".join(part for part in parts if part) or None


def overage_text(overage):
    """Return an overage as it is stated: "none", "5 % = 0.5 kg" or "0.5 kg = 5 %"."""
    if not overage:
        return None
    percent, amount = f"{overage['percent']} %", _measure(overage['amount'], overage.get('unit'))
    if overage['kind'] == 'none':
        return "none"
    return f"{amount} = {percent}" if overage['kind'] == 'amount' else f"{percent} = {amount}"


def sample_text(sample):
    """Return a sampling for reading: "3 × 10 g, at the beginning"."""
    if not sample:
        return None
    size = _measure(sample.get('size'), sample.get('unit'))
    return ", ".join(str(part) for part in (
        f"{sample.get('count')} × {size}", sample.get('timing')) if part)


def _same_ratio(before, after):
    """Whether a quantity in the product's own unit only followed the quantity, as the same unit has the same size."""
    if before.get('unit') != after.get('unit') or before.get('unit_id') != after.get('unit_id'):
        return False
    values = [
        row.get(key) for row in (before, after) for key in ('quantity', 'product_unit_quantity')]
    if None in values:
        return False
    quantity, converted, new_quantity, new_converted = map(Decimal, values)
    if not quantity or quantity == new_quantity:
        return False
    factor = new_quantity / quantity
    return abs(converted * factor - new_converted) <= Decimal('0.000001') * (1 + abs(factor))


def _words(*texts):
    return frozenset(WORD.findall(' '.join(text for text in texts if text).lower()))


# === COMPARISON === #

class _Side:
    """One of the two documents: its rows by position, and which row of the other document each one is."""

    def __init__(self, document):
        self.document = document
        #: By identity of the row: what both sides call it.
        self.tokens = {}
        self.labels = {}
        self.order = {}
        self.positions = {}
        self._rows = {}

    def rows(self, name):
        """Return a list of the document, the same object each time."""
        if name not in self._rows:
            self._rows[name] = self.document.get(name) or []
        return self._rows[name]

    def register(self, rows, label):
        """Name rows, telling apart those of the same name."""
        seen = Counter()
        # The list is kept with it, so that no other one can get its identity.
        self.positions[id(rows)] = ({row.get('position'): row for row in rows}, rows)
        for number, row in enumerate(rows, 1):
            self.order[id(row)] = number
            text = label(row)
            seen[text] += 1
            self.labels[id(row)] = text if seen[text] == 1 else f"{text} ({seen[text]})"

    def follow(self, rows, position):
        """Return what both sides call the row at a position, and its name; the number where there is no such row."""
        if position is None:
            return None, None
        found, _rows = self.positions.get(id(rows)) or ({}, None)
        row = found.get(position)
        if row is None:
            return ('nothing', position), str(position)
        return self.tokens[id(row)], self.labels[id(row)]


class _Comparison:

    def __init__(self, before, after):
        self.before, self.after = _Side(before), _Side(after)
        self.sides = (self.before, self.after)
        self.changes = []

    def run(self):
        operations = self._match(
            self.before.rows('operations'), self.after.rows('operations'),
            lambda row, side: f"{row['position']} {row['name']}",
            lambda row, side: (row['name'], row['work_center']['id'], row.get('stage')),
            lambda row, side: row['name'],
            lambda row, side: (row['work_center']['id'], row.get('instruction'), _step_names(row)),
            similar=lambda row, side: _words(row['name'], row.get('instruction'), *_step_names(row)))
        components = self._match_materials('components')
        by_products = self._match_materials('by_products')

        heads = self._get_head(self.before), self._get_head(self.after)
        if heads[0] and _same_ratio(self.before.document['batch_size'], self.after.document['batch_size']):
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

    def _match_materials(self, name, before=None, after=None, prefix=''):
        """Match components, by-products or packing materials: by product, place and occurrence."""
        def place(row, side):
            return side.follow(side.rows('operations'), row.get('operation'))[0]

        return self._match(
            self.before.rows(name) if before is None else before,
            self.after.rows(name) if after is None else after,
            lambda row, side: prefix + row['product']['name'],
            lambda row, side: (row['product']['id'], place(row, side), row['quantity'], row['unit_id']),
            lambda row, side: (row['product']['id'], place(row, side)),
            lambda row, side: row['product']['id'],
            lambda row, side: row['product'].get('code') or None,
            lambda row, side: row['product']['name'])

    def _match(self, before, after, label, *keys, similar=None):
        """Find for each row which row of the other document it is.

        :param label: what a person calls a row
        :param keys: functions that identify a row, best first; None identifies nothing
        :param similar: function to the words of a row, for rows that no key identifies
        :return: pairs of rows in the order of the newer document, then rows that are gone
        """
        for side, rows in ((self.before, before), (self.after, after)):
            side.register(rows, lambda row, side=side: label(row, side))
        left, right = list(before), list(after)
        found = []
        if before and after:
            for key in keys:
                if not left or not right:
                    break
                left, right = self._match_by(key, left, right, found)
            if similar and left and right and len(left) * len(right) <= MAX_SIMILAR_PAIRS:
                left, right = self._match_similar(similar, left, right, found)
        partner = {id(new): old for old, new in found}
        pairs = [(partner.get(id(row)), row) for row in after] + [(row, None) for row in left]
        for number, pair in enumerate(pairs):
            for side, row in zip(self.sides, pair, strict=True):
                if row is not None:
                    # Lists of a document are objects of their own, which is how their rows are told apart.
                    side.tokens[id(row)] = (id(after), number)
        return pairs

    def _match_by(self, key, left, right, found):
        buckets = {}
        for row in left:
            value = key(row, self.before)
            if value is not None:
                buckets.setdefault(value, []).append(row)
        rest, taken = [], set()
        for row in right:
            value = key(row, self.after)
            candidates = buckets.get(value) if value is not None else None
            if candidates:
                old = candidates.pop(0)
                taken.add(id(old))
                found.append((old, row))
            else:
                rest.append(row)
        return [row for row in left if id(row) not in taken], rest

    def _match_similar(self, similar, left, right, found):
        thorough = max(len(left), len(right)) <= MAX_DIFFLIB_ROWS
        old_words = [similar(row, self.before) for row in left]
        new_words = [similar(row, self.after) for row in right]
        scores = []
        for i, old in enumerate(left):
            for j, new in enumerate(right):
                total = len(old_words[i]) + len(new_words[j])
                score = 2 * len(old_words[i] & new_words[j]) / total if total else 0
                if thorough and score < SIMILAR:
                    matcher = difflib.SequenceMatcher(
                        None, self._plain_label(old, self.before), self._plain_label(new, self.after), autojunk=False)
                    if matcher.real_quick_ratio() > 0.7 and matcher.quick_ratio() > 0.7:
                        score = max(score, matcher.ratio() - 0.2)
                if score >= SIMILAR:
                    # Among equals the nearest place wins, the same in both directions.
                    scores.append((-score, abs(i - j), i + j, i, j))
        used_left, used_right = set(), set()
        for _score, _distance, _sum, i, j in sorted(scores):
            if i not in used_left and j not in used_right:
                used_left.add(i)
                used_right.add(j)
                found.append((left[i], right[j]))
        return (
            [row for i, row in enumerate(left) if i not in used_left],
            [row for j, row in enumerate(right) if j not in used_right])

    def _plain_label(self, row, side):
        """The name of a row without its number and the row that it belongs to."""
        return re.sub(r'^[\d.]+ ', '', side.labels[id(row)].split(SEPARATOR)[-1]).lower()

    # === CHANGES === #

    def _add(self, group, item, field, before, after, raw=None):
        if before == after:
            # The same to the eye, as two records of one name are.
            before, after = (
                f"{text or ''} ({detail})".strip() for text, detail in zip((before, after), _details(*raw), strict=True))
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
            if old is not None and new is not None and 'product_unit_quantity' in old and _same_ratio(old, new):
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
        kept = _longest_increasing(numbers)
        for number, (_old, new) in zip(numbers, both, strict=True):
            if number not in kept:
                place = self.after.order[id(new)]
                self._add(group, self.after.labels[id(new)], f'{prefix}.position', str(number), str(place),
                          ([item for item in numbers if item < number], [number]))

    # === FIELDS === #

    def _get_head(self, side):
        document = side.document
        if not document:
            return {}
        identity, change = document.get('identity') or {}, document.get('change') or {}
        size = document['batch_size']
        weight = identity.get('dosage_unit_weight')
        return {field: (group, value, text) for field, group, value, text in (
            ('company', 'identity', document['company'], _name(document['company'])),
            ('profile', 'identity', document['profile'], f"{document['profile']['code']}: {document['profile']['name']}"),
            ('product', 'identity', document['product'], _product(document['product'])),
            ('formulation', 'identity', document['formulation'], document['formulation']),
            ('batch_size', 'identity', size['quantity'], _measure(size['quantity'], size['unit'])),
            ('identity.description', 'identity', *[identity.get('description')] * 2),
            ('identity.dosage_form', 'identity', *[identity.get('dosage_form')] * 2),
            ('identity.dosage_unit_weight', 'identity', weight, _amount(weight)),
            ('effective_date', 'identity', *[document.get('effective_date')] * 2),
            ('training_required', 'identity', document.get('training_required'), _flag(document.get('training_required'))),
            *((f'yield.{field}', 'yields', value, text) for field, value, text in _yield(document.get('yield'))),
            ('precautions', 'text', *[document.get('precautions')] * 2),
            ('process_rationale', 'text', *[document.get('process_rationale')] * 2),
            ('change.category', 'text', *[change.get('category')] * 2),
            ('change.description', 'text', *[change.get('description')] * 2),
            ('change.reason', 'text', *[change.get('reason')] * 2),
        )} | _size('batch_size', 'identity', size)

    def _get_material(self, row, side):
        yield 'product', None, row['product'], _product(row['product'])
        for field, (group, value, text) in _size('quantity', None, row).items():
            yield field, group, value, text
        if 'operation' in row:
            yield 'operation', None, *side.follow(side.rows('operations'), row['operation'])

    def _get_component(self, row, side):
        overage = row.get('overage')
        stated = overage and {key: value for key, value in overage.items() if key != 'rationale'}
        yield 'overage', 'overage', stated, overage_text(overage)
        yield 'overage.rationale', 'overage', *[(overage or {}).get('rationale')] * 2
        for field in ('is_active', 'is_declared', 'in_product'):
            yield field, None, row.get(field), _flag(row.get(field))
        yield 'supplier', None, row.get('supplier'), _name(row.get('supplier'))
        yield 'strength', None, row.get('strength'), _amount(row.get('strength'))
        tolerance = row.get('tolerance')
        yield 'tolerance', None, tolerance, None if tolerance is None else f"± {_measure(tolerance, row['unit'])}"
        yield 'tolerance_justification', None, *[row.get('tolerance_justification')] * 2
        for field in ('weighing_verified', 'addition_verified'):
            yield field, None, row.get(field), _flag(row.get(field))
        assay = row.get('assay') or {}
        yield 'assay', None, (assay.get('reference'), assay.get('unit')), _measure(assay.get('reference'), assay.get('unit'))
        yield 'assay.basis', None, *[assay.get('basis')] * 2
        yield 'is_filler', None, row.get('is_filler'), _flag(row.get('is_filler'))

    def _get_operation(self, row, side):
        yield 'name', None, row['name'], row['name']
        yield 'work_center', None, row['work_center'], _name(row['work_center'])
        yield 'stage', None, *[row.get('stage')] * 2
        before = [side.follow(side.rows('operations'), position) for position in row.get('predecessors') or []]
        yield 'predecessors', None, sorted(map(str, (token for token, _label in before))), \
            ", ".join(label for _token, label in before) or None
        yield 'instruction', 'text', *[row.get('instruction')] * 2
        for field, value, text in _yield(row.get('yield')):
            yield f'yield.{field}', 'yields', value, text
        for field in ('time_limit', 'hold_time'):
            yield field, None, row.get(field), _measure(row.get(field), "h")
        yield 'storage_conditions', None, *[row.get('storage_conditions')] * 2

    def _compare_stage(self, before, after):
        """Compare what belongs to one stage: equipment, steps and their checklists."""
        def prefix(side):
            stage = before if side is self.before else after
            return side.labels[id(stage)] + SEPARATOR

        equipment = self._match(
            before.get('equipment') or [], after.get('equipment') or [],
            lambda row, side: prefix(side) + (_name(row['equipment']) or _name(row['class']) or str(row['position'])),
            lambda row, side: ((row['equipment'] or {}).get('id'), (row['class'] or {}).get('id'), row.get('preparation')),
            lambda row, side: ((row['equipment'] or {}).get('id'), (row['class'] or {}).get('id')),
            lambda row, side: (row['equipment'] or {}).get('id'),
            lambda row, side: _name(row['equipment']),
            lambda row, side: not row['equipment'] and (row['class'] or {}).get('id') or None,
            lambda row, side: _name(row['class']) and (_name(row['class']), row.get('preparation')))

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
            similar=lambda row, side: _words(
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
                    similar=lambda row, side: _words(row['text'])), self._get_check)

    def _get_equipment(self, row, side):
        yield 'name', None, row['equipment'], _name(row['equipment'])
        yield 'class', None, row['class'], _name(row['class'])
        yield 'preparation', None, *[row.get('preparation')] * 2

    def _get_check(self, row, side):
        yield 'text', None, row['text'], row['text']
        yield 'mandatory', None, row.get('mandatory'), _flag(row.get('mandatory'))

    def _get_step(self, row, side, equipment):
        yield 'name', None, row['name'], row['name']
        yield 'kind', None, *[row.get('kind')] * 2
        yield 'instruction', 'text', *[row.get('instruction')] * 2
        yield 'precaution', 'text', *[row.get('precaution')] * 2
        yield 'component', None, *side.follow(side.rows('components'), row.get('component'))
        for field in ('performer_role', 'performer_meaning', 'verifier_role', 'verifier_meaning'):
            yield field, None, *[row.get(field)] * 2
        for field in ('is_critical', 'is_hold_point'):
            yield field, None, row.get(field), _flag(row.get(field))
        yield 'execution', 'equipment', *[row.get('execution')] * 2
        yield 'equipment', 'equipment', *(
            side.follow(equipment, row.get('equipment')) if equipment else [row.get('equipment')] * 2)
        for field in ('minimum_time', 'time_limit'):
            yield field, None, row.get(field), _measure(row.get(field), "min")
        yield 'criterion', 'tests', row.get('criterion'), criterion_text(row.get('criterion'))
        limits = row.get('plausibility')
        yield 'plausibility', 'tests', limits, limits and _band(limits.get('minimum'), limits.get('maximum'), None)
        yield 'corrective_action', 'tests', *[row.get('corrective_action')] * 2
        sample = row.get('sample')
        yield 'sample', 'tests', sample and {key: sample[key] for key in sample if key != 'role'}, sample_text(sample)
        yield 'sample.role', 'tests', *[(sample or {}).get('role')] * 2
        yield 'method', 'tests', row.get('method'), _controlled(row.get('method'))
        documents = row.get('documents') or []
        yield 'documents', None, documents, "; ".join(map(_controlled, documents)) or None
        yield 'picture', None, file_content(row.get('picture')), _file(row.get('picture'))

    def _compare_lists(self):
        """Compare what neither formula nor process needs: declaration, tests, packs, references, sections."""
        def lists(name):
            return self.before.rows(name), self.after.rows(name)

        self._compare_rows('ingredient', 'label', self._match(
            *lists('ingredients'), lambda row, side: row['name'],
            lambda row, side: (row['name'], (row['product'] or {}).get('id')),
            lambda row, side: row['name'],
            lambda row, side: (row['product'] or {}).get('id'),
            similar=lambda row, side: _words(row['name'])), self._get_ingredient)
        self._compare_rows('specification', 'tests', self._match(
            *lists('specifications'), _specification_label,
            lambda row, side: (row['scope'], (row['product'] or {}).get('id'), row['parameter']),
            lambda row, side: (row['scope'], row['parameter'], _product(row['product'])),
            lambda row, side: ((row['product'] or {}).get('id'), row['parameter'], criterion_text(row['criterion'])),
            lambda row, side: (row['scope'], row['parameter'], criterion_text(row['criterion'])),
            lambda row, side: json.dumps(
                {key: value for key, value in row.items() if key not in ('position', 'parameter')}, sort_keys=True),
            similar=lambda row, side: _words(row['scope'], _product(row['product']), row['parameter'], row.get('method'))),
            self._get_specification)
        packs = self._match(
            *lists('packs'), lambda row, side: row['name'],
            lambda row, side: row['name'],
            lambda row, side: json.dumps(row['size'], sort_keys=True),
            similar=lambda row, side: _words(row['name'], row.get('description')))
        self._compare_rows('pack', 'label', packs, self._get_pack)
        for old, new in packs:
            old_list, new_list = (old or {}).get('materials') or [], (new or {}).get('materials') or []
            label = self.after.labels[id(new)] if new is not None else self.before.labels[id(old)]
            self._compare_rows('material', 'label', self._match_materials(
                None, old_list, new_list, prefix=label + SEPARATOR), self._get_material)
        self._compare_rows('reference', 'text', self._match(
            *lists('references'), lambda row, side: _controlled(row['document']),
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

    def _get_ingredient(self, row, side):
        yield 'name', None, row['name'], row['name']
        yield 'is_dietary', None, row.get('is_dietary'), _flag(row.get('is_dietary'))
        yield 'product', None, row.get('product'), _product(row.get('product'))
        yield 'amount', None, row.get('amount'), _amount(row.get('amount'))

    def _get_specification(self, row, side):
        yield 'parameter', None, row['parameter'], row['parameter']
        yield 'scope', None, row['scope'], row['scope']
        yield 'product', None, row['product'], _product(row['product'])
        yield 'is_identity', None, row.get('is_identity'), _flag(row.get('is_identity'))
        yield 'criterion', None, row['criterion'], criterion_text(row['criterion'])
        yield 'method', None, *[row.get('method')] * 2
        for field in ('method_document', 'document'):
            yield field, None, row.get(field), _controlled(row.get(field))
        yield 'corrective_action', None, *[row.get('corrective_action')] * 2

    def _get_pack(self, row, side):
        yield 'name', None, row['name'], row['name']
        yield 'size', None, row['size'], row['size'] and _measure(row['size']['quantity'], row['size']['unit'])
        for field in ('description', 'coding_position', 'clearance', 'checks'):
            yield field, None, *[row.get(field)] * 2
        label = row.get('label') or {}
        identity = {key: label.get(key) for key in ('id', 'code', 'version', 'name')} if label else None
        yield 'label', None, identity, _controlled(identity)
        yield 'label.file', None, file_content(label.get('file')), _file(label.get('file'))
        for field in ('location', 'panel', 'claims'):
            yield f'label.{field}', None, *[label.get(field)] * 2
        approval = label.get('approval')
        yield 'label.approval', None, approval, approval and f"{approval['name']}, {approval['signed_at']}"

    def _get_reference(self, row, side):
        yield 'document', None, row['document'], _controlled(row['document'])
        yield 'purpose', None, *[row.get('purpose')] * 2

    def _get_section(self, row, side):
        yield 'name', None, [row['code'], row['name']], row['name']
        yield 'text', None, *[row.get('text')] * 2
        yield 'file', None, file_content(row.get('file')), _file(row.get('file'))
        for field in ('location', 'not_applicable_reason'):
            yield field, None, *[row.get(field)] * 2

    def _get_reviewer(self, row, side):
        yield 'name', None, row['name'], row['name']
        yield 'role', None, row['role'], row['role']

    def _get_answer(self, row, side):
        yield 'text', None, [row['requirement'], row['text']], row['text']
        yield 'answer', None, *[row.get('answer')] * 2


def _details(before, after):
    """Return what differs between two values whose texts are the same, e.g. the ids of two records of one name."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [key for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key)]
        return [", ".join(f"{key} {json.dumps(content.get(key), ensure_ascii=False, sort_keys=True)}" for key in keys)
                for content in (before, after)]
    if isinstance(before, (list, tuple)) and isinstance(after, (list, tuple)) and len(before) == len(after):
        pairs = [_details(old, new) for old, new in zip(before, after, strict=True) if old != new]
        return [", ".join(pair[number] for pair in pairs) for number in (0, 1)]
    return [json.dumps(value, ensure_ascii=False, sort_keys=True) for value in (before, after)]


def _step_names(operation):
    return tuple(step['name'] for step in operation.get('steps') or [])


def _specification_label(row, side):
    return SEPARATOR.join(part for part in (_name(row['product']), row['parameter']) if part)


def _yield(content):
    """Yield field, value and text of a yield with its band."""
    content = content or {}
    theoretical = content.get('theoretical')
    yield 'theoretical', content and [theoretical, content.get('unit'), content.get('unit_id')] or None, \
        _measure(theoretical, content.get('unit'))
    band = [content.get('minimum'), content.get('maximum')]
    yield 'band', band if content else None, _band(*band, "%")
    yield 'rationale', *[content.get('rationale')] * 2


def _size(field, group, content):
    """Return the fields of a quantity: as it is written, and in the product's own unit."""
    fields = {field: (
        group, [content['quantity'], content['unit'], content['unit_id']],
        _measure(content['quantity'], content['unit']))}
    if 'product_unit_quantity' in content:
        name = 'product_unit_quantity' if field == 'quantity' else f'{field}.product_unit_quantity'
        fields[name] = (group, *[content['product_unit_quantity']] * 2)
    return fields


def _longest_increasing(numbers):
    """Return the numbers of a longest increasing subsequence."""
    tails, previous = [], {}
    for number in numbers:
        place = bisect_left(tails, number)
        previous[number] = tails[place - 1] if place else None
        tails[place:place + 1] = [number]
    kept, number = set(), tails[-1] if tails else None
    while number is not None:
        kept.add(number)
        number = previous[number]
    return kept


# === WORDING === #

class _BoundedMatcher(difflib.SequenceMatcher):
    """A matcher that stops looking for equal parts after :data:`MAX_DIFF_WORK`; unlike a clock, the same each time."""

    def __init__(self, old, new):
        super().__init__(None, old, new, autojunk=False)
        self._work = 0

    def find_longest_match(self, alo=0, ahi=None, blo=0, bhi=None):
        places = self.b2j
        self._work += ahi - alo + sum(len(places.get(token, ())) for token in self.a[alo:ahi])
        if self._work > MAX_DIFF_WORK:
            return difflib.Match(alo, blo, 0)
        return super().find_longest_match(alo, ahi, blo, bhi)


def word_diff(before, after):
    """Return two texts as one: a list of ``[kind, text]`` with kind same, removed or added."""
    old, new = TOKEN.findall(before), TOKEN.findall(after)
    if max(len(old), len(new)) > MAX_DIFF_TOKENS:
        old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    matcher = _BoundedMatcher(old, new)
    # Texts that share single words only are read one after the other, not interleaved.
    if matcher.quick_ratio() < 0.6 or matcher.ratio() < 0.6:
        return [['removed', before], ['added', after]]
    parts = []

    def add(kind, text):
        if not text:
            return
        # White space between two changes belongs to them: a sentence that was replaced reads as one.
        if parts and parts[-1][0] == kind:
            parts[-1][1] += text
        else:
            parts.append([kind, text])

    for operation, i1, i2, j1, j2 in matcher.get_opcodes():
        if operation == 'equal':
            add('same', ''.join(old[i1:i2]))
        else:
            add('removed', ''.join(old[i1:i2]))
            add('added', ''.join(new[j1:j2]))
    return parts
