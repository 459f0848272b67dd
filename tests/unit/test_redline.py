"""What a redline finds between two documents: every difference, and nothing else (REV-030, PRD-040)."""

import copy
import json
import random
import re
import time
from decimal import Decimal

from odoo.tests import BaseCase, tagged

from odoo.addons.mrp_mmr.domain.canonical import canonical_json, sha256
from odoo.addons.mrp_mmr.domain.redline import GROUPS, compare, word_diff

from ..common.document import component, criterion, file_content, large_document, operation, product, rich_document, step

#: Which group shows a leaf: the first pattern that its path matches.
LEAF_GROUPS = [
    (r'.*overage/.*', 'overage'),
    (r'(.*/)?yield/.*', 'yields'),
    (r'operations/\d+/equipment/.*|operations/\d+/steps/\d+/(execution|equipment)', 'equipment'),
    (r'operations/\d+/steps/\d+/(criterion|plausibility|sample|method)/.*', 'tests'),
    (r'operations/\d+/steps/\d+/corrective_action', 'tests'),
    (r'operations/\d+/(steps/\d+/)?(instruction|precaution)', 'text'),
    (r'operations/.*', 'steps'),
    (r'(components|by_products)/.*', 'formula'),
    (r'(ingredients|packs)/.*', 'label'),
    (r'specifications/.*', 'tests'),
    (r'(precautions|process_rationale|change|references|sections|answers)(/.*)?', 'text'),
    (r'(company|profile|product|formulation|batch_size|identity|effective_date|reviewers|training_required)(/.*)?', 'identity'),
]
#: Said by the header, by the order of rows, or not content at all (which record holds a file).
NO_CHANGE = re.compile(r'schema|number|revision|.*/position|(.*/)?(file|picture)/id')
#: Texts that may be blank; all other empty values are objects.
TEXTS = {
    'instruction', 'precaution', 'corrective_action', 'verifier_role', 'verifier_meaning', 'minimum_time', 'time_limit',
    'hold_time', 'storage_conditions', 'preparation', 'method', 'text', 'location', 'not_applicable_reason', 'rationale',
    'tolerance_justification', 'purpose', 'target', 'minimum', 'maximum', 'unit',
}
SAME_BOTH_WAYS = ('group', 'field', 'kind', 'before', 'after')


def leaves(content, path=()):
    if isinstance(content, dict):
        content = content.items()
    elif isinstance(content, list):
        content = enumerate(content)
    else:
        return [(path, content)]
    return [leaf for key, value in content for leaf in leaves(value, (*path, key))]


def change_leaf(document, path, value):
    """Return a copy of a document in which one leaf has another value, or None where there is no other."""
    document = copy.deepcopy(document)
    parent = document
    for key in path[:-1]:
        parent = parent[key]
    key = path[-1]
    if key == 'component' or (key == 'operation' and isinstance(value, int)):
        new = 2 if value == 1 else 1
    elif key == 'equipment':
        # A step points to a row of its stage; rows of the stage name their equipment.
        new = 1 if value is None and 'steps' in path else None
    elif 'predecessors' in path:
        new = 2
    elif value is None:
        if key not in TEXTS or (key == 'method' and 'steps' in path):
            return None
        new = "something"
    elif isinstance(value, bool):
        new = not value
    elif isinstance(value, int):
        new = value + 1000
    elif re.fullmatch(r'\d+(\.\d+)?', value):
        new = str(Decimal(value) + 1)
    else:
        new = value + "x"
    if new == value:
        return None
    parent[key] = new
    return document


def renumber(rows):
    for position, row in enumerate(rows, 1):
        row['position'] = position


def mirrored(changes):
    kinds = {'added': 'removed', 'removed': 'added', 'changed': 'changed'}
    return [dict(change, kind=kinds[change['kind']], before=change['after'], after=change['before']) for change in changes]


@tagged('post_install', '-at_install')
class TestRedline(BaseCase):
    """What differs between two documents, and nothing else."""

    def _changes(self, before, after):
        redline = compare(before, after)
        canonical_json(redline)  # no float in it
        for change in redline['changes']:
            self.assertIn(change['group'], GROUPS)
            self.assertEqual(list(change), ['group', 'item', 'field', 'kind', 'before', 'after'])
            self.assertNotEqual(change['before'], change['after'])
            self.assertEqual(change['kind'], 'added' if change['before'] is None else
                             'removed' if change['after'] is None else 'changed')
        return redline['changes']

    def _short(self, before, after):
        return [(change['item'], change['field'], change['before'], change['after'])
                for change in self._changes(before, after)]

    def test_same(self):
        """A document does not differ from itself, nor from a copy."""
        document = rich_document()
        self.assertEqual(compare(document, document)['changes'], [])
        self.assertEqual(compare(document, copy.deepcopy(document))['changes'], [])

    def test_header(self):
        """The redline says which two revisions it compares, by number and digest."""
        before, after = rich_document(), rich_document()
        before['revision'] = 1
        redline = compare(before, after)
        self.assertEqual(redline['schema'], 'mrp_mmr/redline/1')
        self.assertEqual(redline['before'], {'number': "MMR/00001", 'revision': 1, 'document_sha256': sha256(before)})
        self.assertEqual(redline['after'], {'number': "MMR/00001", 'revision': 2, 'document_sha256': sha256(after)})
        self.assertEqual(redline['changes'], [])

    def test_every_leaf(self):
        """Each value of a document, changed by itself, is found exactly once, in its group, in both directions."""
        document = rich_document()
        found = 0
        for path, value in leaves(document):
            name = '/'.join(map(str, path))
            changed = None if NO_CHANGE.fullmatch(name) else change_leaf(document, path, value)
            if changed is None:
                continue
            group = next((group for pattern, group in LEAF_GROUPS if re.fullmatch(pattern, name)), None)
            with self.subTest(leaf=name):
                changes = self._changes(document, changed)
                self.assertEqual([change['group'] for change in changes], [group])
                back = self._changes(changed, document)
                self.assertEqual([[change[key] for key in SAME_BOTH_WAYS] for change in mirrored(back)],
                                 [[change[key] for key in SAME_BOTH_WAYS] for change in changes])
            found += 1
        self.assertGreater(found, 350)

    def test_first(self):
        """Compared with nothing, everything is new and every text of the document is in it."""
        document = rich_document()
        redline = compare(None, document)
        self.assertIsNone(redline['before'])
        self.assertEqual({change['kind'] for change in redline['changes']}, {'added'})
        text = json.dumps(redline['changes'], ensure_ascii=False)
        for path, value in leaves(document):
            if isinstance(value, str) and not NO_CHANGE.fullmatch('/'.join(map(str, path))) \
                    and path[-1] not in ('sha256', 'signature_sha256', 'mimetype', 'code', 'requirement', 'kind'):
                with self.subTest(leaf='/'.join(map(str, path))):
                    if (path[0], path[-1]) == ('components', 'amount') and value == '0':
                        continue
                    self.assertIn(json.dumps(value, ensure_ascii=False)[1:-1], text)

    def test_overage(self):
        """PRD-040: an overage of 7 instead of 5 % is exactly this difference."""
        before, after = rich_document(), rich_document()
        after['components'][0]['overage'].update(percent='7', amount='2.975')
        self.assertEqual(self._changes(before, after), [{
            'group': 'overage', 'item': "Ascorbic acid", 'field': 'component.overage', 'kind': 'changed',
            'before': "5 % = 2.125 kg", 'after': "7 % = 2.975 kg"}])

    def test_quantity(self):
        """A quantity is one difference; the ratio of its unit is another."""
        before, after = rich_document(), rich_document()
        after['components'][0].update(quantity='43', product_unit_quantity='43')
        self.assertEqual(self._short(before, after), [("Ascorbic acid", 'component.quantity', "42.5 kg", "43 kg")])
        after['components'][0].update(product_unit_quantity='44')
        self.assertEqual(len(self._changes(before, after)), 2)
        after['components'][0].update(quantity='42.5')
        self.assertEqual(
            self._short(before, after), [("Ascorbic acid", 'component.product_unit_quantity', "42.5", "44")])

    def test_batch_size(self):
        """Two MMRs of different batch sizes: the size once, each quantity once."""
        before, after = rich_document(), rich_document()
        after['number'] = "MMR/00002"
        for row in (after['batch_size'], *after['components']):
            for key in ('quantity', 'product_unit_quantity'):
                row[key] = str(Decimal(row[key]) * 5)
        self.assertEqual([field for _item, field, _before, _after in self._short(before, after)],
                         ['batch_size'] + ['component.quantity'] * 3)

    def test_criteria(self):
        """Criteria read as people write them."""
        for kind, expected in (
                (criterion('range', '95', '102', '%'), "95 – 102 %"),
                (criterion('nlt', '95', unit='%'), "NLT 95 %"),
                (criterion('nmt', maximum='10', unit='ppm', target='5'), "NMT 10 ppm, target 5 ppm"),
                (criterion('text', text="White powder"), "White powder")):
            before, after = rich_document(), rich_document()
            after['specifications'][2]['criterion'] = kind
            self.assertEqual(self._short(before, after), [
                ("Dissolution", 'specification.criterion', "NLT 75 % in 45 min", expected)])

    # === ROWS === #

    def test_component_added_and_removed(self):
        before, after = rich_document(), rich_document()
        after['components'].insert(0, component(0, product(200, "SIO2", "Silica"), '1', 2))
        renumber(after['components'])
        for row in after['operations'][0]['steps'] + after['operations'][1]['steps']:
            row['component'] = row['component'] and row['component'] + 1
        changes = self._changes(before, after)
        self.assertEqual({change['item'] for change in changes}, {"Silica"}, "those below were only pushed")
        self.assertEqual({change['kind'] for change in changes}, {'added'})
        self.assertIn(('component.quantity', "1 kg"), [(change['field'], change['after']) for change in changes])
        self.assertEqual([[change[key] for key in SAME_BOTH_WAYS] for change in mirrored(self._changes(after, before))],
                         [[change[key] for key in SAME_BOTH_WAYS] for change in changes])

    def test_same_component_twice(self):
        """The same product in two stages is two rows; changing one is one difference."""
        before = rich_document()
        before['components'].append(component(4, product(102, "MCC", "Microcrystalline cellulose"), '10', 2))
        after = copy.deepcopy(before)
        after['components'][3]['quantity'] = '11'
        after['components'][3]['product_unit_quantity'] = '11'
        self.assertEqual(self._short(before, after), [
            ("Microcrystalline cellulose (2)", 'component.quantity', "10 kg", "11 kg")])
        after = copy.deepcopy(before)
        after['components'][1], after['components'][3] = after['components'][3], after['components'][1]
        renumber(after['components'])
        after['operations'][0]['steps'][2]['component'] = 4
        self.assertEqual({field for _item, field, _before, _after in self._short(before, after)}, {'component.position'})

    def test_replaced_component(self):
        """Another material is a component less and one more, and its weighing step points to the new one."""
        before, after = rich_document(), rich_document()
        after['components'][1] = component(2, product(201, "LAC", "Lactose"), '50', 1)
        kinds = {(change['item'], change['kind']) for change in self._changes(before, after)}
        self.assertEqual(kinds, {
            ("Lactose", 'added'), ("Microcrystalline cellulose", 'removed'), ("1.3 Weigh the filler", 'changed')})

    def test_stage_inserted(self):
        """A new first stage changes all numbers and nothing else."""
        before, after = rich_document(), rich_document()
        after['operations'].insert(0, operation(0, "Sieving", {'id': 19, 'name': "Sieving room"}, [step(1, "Sieve")]))
        renumber(after['operations'])
        after['operations'][1]['predecessors'] = [1]
        after['operations'][2]['predecessors'] = [2]
        for row in after['components'] + after['by_products']:
            row['operation'] += 1
        changes = self._changes(before, after)
        self.assertEqual({change['item'] for change in changes}, {"1 Sieving", "1.1 Sieve", "2 Dispensing"})
        self.assertEqual([change for change in changes if change['item'] == "2 Dispensing"], [{
            'group': 'steps', 'item': "2 Dispensing", 'field': 'operation.predecessors', 'kind': 'added',
            'before': None, 'after': "1 Sieving"}])

    def test_stage_renamed(self):
        """A renamed stage is one difference: whatever points to it still does."""
        before, after = rich_document(), rich_document()
        after['operations'][0]['name'] = "Weighing and dispensing"
        self.assertEqual(self._short(before, after), [
            ("1 Weighing and dispensing", 'operation.name', "Dispensing", "Weighing and dispensing")])

    def test_step_inserted_renamed_moved(self):
        before, after = rich_document(), rich_document()
        steps = after['operations'][0]['steps']
        steps.insert(1, step(0, "Check the extraction"))
        renumber(steps)
        self.assertEqual({change['item'] for change in self._changes(before, after)}, {"1.2 Check the extraction"})

        steps[2]['name'] = "Weigh the active ingredient"
        self.assertIn(("1.3 Weigh the active ingredient", 'step.name', "Weigh the active", "Weigh the active ingredient"),
                      self._short(before, after))
        self.assertEqual(len({change['item'] for change in self._changes(before, after)}), 2)

        after = rich_document()
        steps = after['operations'][1]['steps']
        steps.append(steps.pop(0))
        renumber(steps)
        self.assertEqual(self._short(before, after), [("2.3 Add the lubricant", 'step.position', "1", "3")])

    def test_step_rewritten(self):
        """A step whose wording changes in part stays the step it was."""
        before, after = rich_document(), rich_document()
        after['operations'][1]['steps'][1].update(
            name="Blend for 20 minutes", instruction="Details of Blend for 20 minutes.",
            criterion=criterion('range', '19', '21', 'min', target='20'))
        changes = self._changes(before, after)
        self.assertEqual({change['item'] for change in changes}, {"2.2 Blend for 20 minutes"})
        self.assertEqual({change['kind'] for change in changes}, {'changed'})
        self.assertEqual({change['group'] for change in changes}, {'steps', 'tests', 'text'})

    def test_step_removed(self):
        before, after = rich_document(), rich_document()
        del after['operations'][1]['steps'][0]
        renumber(after['operations'][1]['steps'])
        changes = self._changes(before, after)
        self.assertEqual({(change['item'], change['kind']) for change in changes}, {("2.1 Add the lubricant", 'removed')})

    def test_other_rows(self):
        """Rows of each other list: one more, one less, one moved."""
        def find(document, path):
            for key in path:
                document = document[key]
            return document

        lists = [
            ('ingredients',), ('specifications',), ('references',), ('sections',), ('answers',), ('packs',),
            ('packs', 0, 'materials'), ('operations', 0, 'equipment'), ('operations', 1, 'equipment'),
            ('operations', 0, 'steps', 0, 'checklist'), ('by_products',),
        ]
        for path in lists:
            with self.subTest(rows='/'.join(map(str, path))):
                before, after = rich_document(), rich_document()
                rows = find(after, path)
                # What a step points to is a difference of its own, tested elsewhere.
                for document in (before, after):
                    for stage in document['operations']:
                        for row in stage['steps']:
                            row['equipment'] = None
                gone = rows.pop(0)
                changes = self._changes(before, after)
                self.assertEqual({change['kind'] for change in changes}, {'removed'})
                self.assertEqual({change['kind'] for change in self._changes(after, before)}, {'added'})
                if rows:
                    rows.append(gone)
                    changes = self._changes(before, after)
                    self.assertTrue(all(change['field'].endswith('.position') for change in changes), changes)
                    self.assertEqual(len(changes), 1)

    def test_specification_reworded(self):
        before, after = rich_document(), rich_document()
        after['specifications'][1]['parameter'] = "Assay of vitamin C (ascorbic acid)"
        self.assertEqual([change['field'] for change in self._changes(before, after)], ['specification.parameter'])

    def test_file(self):
        """A file is its name and bytes: a copy of its record is no difference, other bytes are."""
        before, after = rich_document(), rich_document()
        after['operations'][0]['steps'][1]['picture'] = file_content("scoop.png", 999, 'image/png')
        self.assertEqual(self._changes(before, after), [])
        after['operations'][0]['steps'][1]['picture'] = file_content("scoop.png", 401, 'image/png', b'other')
        self.assertEqual([change['field'] for change in self._changes(before, after)], ['step.picture'])

    # === OLDER DOCUMENTS === #

    def test_older_schema(self):
        """A document of schema 1 is compared by what it has; what only the newer one says is new."""
        after = rich_document()
        before = {key: copy.deepcopy(after[key]) for key in (
            'number', 'revision', 'company', 'profile', 'product', 'formulation', 'batch_size', 'change',
            'effective_date', 'precautions', 'by_products')}
        before['schema'] = 'mrp_mmr/mmr/1'
        before['components'] = [{key: row[key] for key in (
            'position', 'product', 'quantity', 'unit', 'unit_id', 'product_unit_quantity', 'operation')}
            for row in after['components']]
        before['operations'] = [{key: row[key] for key in (
            'position', 'name', 'work_center', 'instruction', 'predecessors')} for row in after['operations']]
        changes = self._changes(before, after)
        self.assertEqual({change['kind'] for change in changes}, {'added'})
        fields = {change['field'] for change in changes}
        self.assertIn('component.overage', fields)
        self.assertIn('step.name', fields)
        for field in ('component.product', 'component.quantity', 'operation.name', 'precautions', 'product'):
            self.assertNotIn(field, fields)
        self.assertEqual(compare(before, before)['changes'], [])

    # === PROPERTIES === #

    def test_random_edits(self):
        """Whatever is edited: the result is the same each time, empty only for equal documents, and mirrored."""
        rng = random.Random(19)
        for _round in range(60):
            before, after = rich_document(), rich_document()
            for _edit in range(rng.randint(1, 6)):
                rows = rng.choice([
                    after['components'], after['operations'][0]['steps'], after['operations'][1]['steps'],
                    after['specifications'], after['ingredients'], after['packs'][0]['materials']])
                action = rng.choice(['drop', 'copy', 'move'])
                if action == 'drop' and len(rows) > 1:
                    rows.pop(rng.randrange(len(rows)))
                elif action == 'copy':
                    rows.insert(rng.randrange(len(rows) + 1), copy.deepcopy(rng.choice(rows)))
                else:
                    rng.shuffle(rows)
            redline = compare(before, after)
            self.assertEqual(redline, compare(copy.deepcopy(before), copy.deepcopy(after)))
            if not redline['changes']:
                for key in ('components', 'operations', 'specifications', 'ingredients', 'packs'):
                    self.assertEqual(before[key], after[key])

            # Which of several rows is the moved one is a matter of direction; that some are is not.
            back = compare(after, before)['changes']
            contents = [
                sorted(json.dumps([change[name] for name in SAME_BOTH_WAYS]) for change in changes
                       if not change['field'].endswith('position'))
                for changes in (mirrored(back), redline['changes'])]
            self.assertEqual(*contents)
            moved = [sum(change['field'].endswith('position') for change in changes)
                     for changes in (back, redline['changes'])]
            self.assertEqual(moved[0], moved[1])

    def test_speed(self):
        """60 components and 80 steps: little more than serialising and hashing both documents."""
        before, after = large_document(), large_document()
        for stage in after['operations']:
            stage['steps'].insert(0, step(0, f"New in {stage['name']}"))
            renumber(stage['steps'])
            stage['name'] = f"Renamed {stage['name']}"
        after['components'].reverse()
        renumber(after['components'])

        def measure(function):
            times = []
            for _round in range(5):
                start = time.process_time()
                function()
                times.append(time.process_time() - start)
            return min(times)

        baseline = measure(lambda: (sha256(before), sha256(after)))
        self.assertLess(measure(lambda: compare(before, after)), max(20 * baseline, 0.1))

    # === WORDING === #

    def test_word_diff(self):
        before, after = "Blend for 15 minutes at 20 rpm.", "Blend for 20 minutes at 20 rpm, then stop."
        parts = word_diff(before, after)
        self.assertEqual(''.join(text for kind, text in parts if kind != 'added'), before)
        self.assertEqual(''.join(text for kind, text in parts if kind != 'removed'), after)
        self.assertIn(['removed', "15"], parts)
        self.assertIn(['added', "20"], parts)
        self.assertEqual(word_diff("abc", "xyz uvw"), [['removed', "abc"], ['added', "xyz uvw"]])
        long = "word " * 4000
        start = time.process_time()
        parts = word_diff(long + "\nend", long + "\nfin")
        self.assertLess(time.process_time() - start, 2)
        self.assertEqual(''.join(text for kind, text in parts if kind != 'removed'), long + "\nfin")

    def test_time_is_bounded(self):
        """Neither repeated words nor many renamed rows hold the reader up."""
        before, after = ({**large_document(), 'operations': [operation(1, "Blending", {'id': 1, 'name': "Room"}, [
            step(number, f"{name} {number}", instruction=' '.join(f"{name}{number + word}" for word in range(20)))
            for number in range(1, 1501)])]} for name in ("old", "new"))
        for name, function in [
            ("words", lambda: word_diff("a b " * 740, "b a a " * 490)),
            ("lines", lambda: word_diff("\n" * 200000 + "x " * 3001, "\n" * 200001 + "x " * 3001)),
            ("rows", lambda: compare(before, after)),
        ]:
            with self.subTest(name):
                start = time.process_time()
                function()
                self.assertLess(time.process_time() - start, 5)
        parts = word_diff("a b " * 740, "b a a " * 490)
        self.assertEqual(''.join(text for kind, text in parts if kind != 'added'), "a b " * 740)
        self.assertEqual(''.join(text for kind, text in parts if kind != 'removed'), "b a a " * 490)
