"""The plan of a batch: which steps it has, in which order, what each asks people to record, and who signs it.

Everything comes from the frozen document that the order embeds (USE-040): nothing here reads live records.
"""

#: What a weighing without step of its own for the addition is signed as, in order (21 CFR 111.260(j)(2)).
WEIGH_AND_ADD = ('performed', 'verified', 'added', 'addition_verified')
ADD = ('added', 'addition_verified')
PERFORM = ('performed', 'verified')
#: Stages in which the product is packed and labelled.
PACKING = ('packaging', 'labelling')
#: Rule of a profile by which each pack has materials, label issue and reconciliation of its own (PKG-010, 21 CFR 111.415).
PACKS_RULE = 'BPR-120'


def get_points(step):
    """Return the signatures that close a planned step, in order.

    By hand one person does and another one verifies; what controlled equipment does is checked by one person
    (21 CFR 111.210(h)(3)(ii), 211.68(c)). A hold point waits for Quality Control in addition.
    """
    if step['kind'] == 'weigh':
        points = WEIGH_AND_ADD if step['adds'] else PERFORM
    elif step['kind'] == 'add':
        points = ADD
    else:
        points = PERFORM
    points = [point for number, point in enumerate(points) if step['second_person'] or not number % 2]
    return [*points, 'hold'] if step['is_hold_point'] else points


def needs_second_person(step, rules):
    """Whether somebody else checks a step: what is done by hand where the MMR or a rule asks for it.

    A critical entry without plausibility range (VER-060, EU GMP Annex 11 §6) and a yield (YLD-030, 21 CFR 211.103).
    """
    return step['execution'] == 'manual' and bool(
        step['verifier_role'] or 'VER-060' in rules and step['is_critical'] and not step['plausibility']
        or 'YLD-030' in rules and step['kind'] == 'yield')


def plan_steps(document, rules=()):
    """Return the steps of a batch in the order of the MMR, as dicts, each with its own content of the document.

    What the MMR demands in its formula, equipment or yields and no step of it records gets a step of its own, with
    ``origin`` 'formula', 'equipment', 'yield' or 'packs': nothing of the record may be left to memory (BPR-030, BPR-060,
    YLD-010, BPR-120). So do line clearance and inspection that a rule of the profile wants (BPR-170).

    :param rules: codes of the optional rules of the profile that are on
    """
    operations = document['operations']
    if PACKS_RULE in rules:
        operations = _label_steps_with_packs(document)
    steps = [step for operation in operations for step in operation.get('steps', ())]
    weighed = {step['component'] for step in steps if step['kind'] == 'weigh'}
    added = {step['component'] for step in steps if step['kind'] == 'add'}
    packing = next((row for row in reversed(operations) if row.get('stage') in PACKING), None)
    plan = []
    for operation in operations:
        own = operation.get('steps', [])
        before, after = _missing_clearances(document, operation, own) if 'BPR-170' in rules else ((), ())
        rows = [
            *before,
            *_missing_equipment(operation, own),
            *_missing_components(document, operation, weighed | added),
            *own,
            *(_missing_packs(document, steps, rules) if operation is packing else ()),
            *_missing_yield(operation.get('yield'), own, 'stage'),
            *after,
        ]
        if operation is operations[-1]:
            last = next((step for step in reversed(own) if step['kind'] == 'yield'), None)
            if last and not operation.get('yield'):
                # The last stage has no yield of its own: its step weighs the batch.
                rows[rows.index(last)] = dict(last, scope='batch')
            else:
                rows += _missing_yield(document.get('yield'), (), 'batch')
        for number, step in enumerate(rows, 1):
            component = _component(document, step['component'])
            planned = {
                **step,
                'origin': step.get('origin', 'step'),
                'scope': step.get('scope', 'stage'),
                'second_person': needs_second_person(step, rules),
                'adds': step['kind'] == 'weigh' and step['component'] not in added,
                'target': component,
                'unit': _unit(operation, equipment=step['equipment']),
                'pack': next((row for row in document.get('packs', ()) if row['position'] == step.get('pack')), None),
                'band': document.get('yield') if step.get('scope') == 'batch' else operation.get('yield'),
                'stage': {
                    'position': operation['position'], 'name': operation['name'], 'kind': operation.get('stage'),
                    'predecessors': operation['predecessors'], 'time_limit': operation.get('time_limit'),
                    'instruction': operation.get('instruction'), 'storage_conditions': operation.get('storage_conditions'),
                },
            }
            plan.append({'stage': operation['position'], 'number': number, 'planned': planned})
    return plan


def expected_rows(step):
    """Return what a planned step asks people to record, as dicts of ``kind``, ``position``, ``label`` and ``unit``.

    Worksheets have a line for each, and so has the form in which they are transcribed.
    """
    def row(kind, label=None, unit=None, position=None):
        return {'kind': kind, 'position': position, 'label': label, 'unit': unit}

    kind, criterion, band, pack = step['kind'], step['criterion'] or {}, step['band'] or {}, step['pack'] or {}
    rows = [row('check', check['text'], position=check['position']) for check in step['checklist']]
    if step['equipment']:
        unit = step['unit'] or {}
        rows.append(row('equipment', (unit.get('equipment') or unit.get('class') or {}).get('name')))
    if step['sample'] or kind == 'sampling':
        rows.append(row('sample', unit=(step['sample'] or {}).get('unit')))
    if kind == 'weigh':
        rows.append(row('weight', step['target']['product']['name'], step['target']['unit']))
    elif kind in ('numeric', 'environment'):
        rows.append(row('value', step['name'], criterion.get('unit')))
    elif kind == 'passfail' or kind == 'clearance' and not step['checklist']:
        rows.append(row('outcome', criterion.get('text') or step['name']))
    elif kind == 'yield':
        rows.append(row('yield', step['name'], band.get('unit')))
    elif kind == 'label':
        rows.append(row('labels', step['name'], position=pack.get('position')))
    elif kind == 'material':
        rows += [row('material', material['product']['name'], material['unit'], material['position'])
                 for material in pack['materials']]
    elif kind == 'photo':
        rows.append(row('photo', step['name']))
    return rows


def stages_before(stage, predecessors):
    """Return the stages that come before ``stage``, directly or not.

    :param dict predecessors: positions of the stages directly before, by position
    """
    reached, todo = set(), set(predecessors.get(stage, ()))
    while todo:
        position = todo.pop()
        if position not in reached:
            reached.add(position)
            todo.update(predecessors.get(position, ()))
    return reached


def hold_limits(document):
    """Return the longest time in hours between the end of a stage and its followers, by position (IPC-040)."""
    return {row['position']: row['hold_time'] for row in document['operations'] if row.get('hold_time')}


def _component(document, position):
    return next((row for row in document['components'] if row['position'] == position), None) if position else None


def _unit(operation, equipment):
    return next((row for row in operation.get('equipment', ()) if row['position'] == equipment), None) if equipment else None


def _blank_step(kind, name, origin, **extra):
    return {
        'position': None, 'name': name, 'kind': kind, 'instruction': None, 'precaution': None, 'component': None,
        'performer_role': 'operator', 'performer_meaning': 'performed', 'verifier_role': None, 'verifier_meaning': None,
        'is_critical': False, 'is_hold_point': False, 'execution': 'manual', 'equipment': None, 'criterion': None,
        'corrective_action': None, 'plausibility': None, 'time_limit': None, 'sample': None, 'method': None,
        'documents': [], 'checklist': [], 'picture': None, 'origin': origin, **extra,
    }


def _missing_equipment(operation, steps):
    named = {step['equipment'] for step in steps if step['kind'] == 'equipment'}
    for row in operation.get('equipment', ()):
        if row['position'] not in named:
            name = (row['equipment'] or row['class'] or {}).get('name')
            yield _blank_step('equipment', name, 'equipment', equipment=row['position'], instruction=row['preparation'])


def _missing_clearances(document, operation, steps):
    """Return steps before and after a stage, where it needs a clearance that it does not have (21 CFR 211.130(e))."""
    packs = operation.get('stage') in PACKING
    if not packs and (operation.get('stage') != 'processing' or document['profile']['code'] != 'PEU'):
        return (), ()
    work = [number for number, step in enumerate(steps) if step['kind'] not in ('clearance', 'equipment', 'environment')]
    clearances = [number for number, step in enumerate(steps) if step['kind'] == 'clearance']
    second = {'verifier_role': 'verifier', 'verifier_meaning': 'verified'}
    before = [] if any(number < min(work, default=len(steps)) for number in clearances) else [
        _blank_step('clearance', "Line clearance before the work", 'clearance', **second)]
    after = [] if not packs or any(number > max(work, default=-1) for number in clearances) else [
        _blank_step('clearance', "Inspection of the area after the work", 'clearance', **second)]
    return before, after


def _missing_components(document, operation, recorded):
    first = document['operations'][0]['position']
    # A filler is weighed when it is known what it balances.
    for row in sorted(document['components'], key=lambda row: bool(row.get('is_filler'))):
        if row['position'] not in recorded and (row['operation'] or first) == operation['position']:
            yield _blank_step(
                'weigh', row['product']['name'], 'formula', component=row['position'], is_critical=True,
                verifier_role='verifier', verifier_meaning='verified')


def _packs_packed_here(document):
    """Return the pack sizes that this master packs itself."""
    return [pack for pack in document.get('packs', ()) if not pack.get('packed_under')]


def _label_steps_with_packs(document):
    """Return the operations, each label step of which names its pack: its own, or else the first that no other step names.

    Masters of before could not say which pack a reconciliation is for.
    """
    steps = [step for operation in document['operations'] for step in operation.get('steps', ()) if step['kind'] == 'label']
    free = [pack['position'] for pack in _packs_packed_here(document)
            if pack['position'] not in {step.get('pack') for step in steps}]
    chosen = {id(step): step.get('pack') or (free.pop(0) if free else None) for step in steps}
    return [
        {**operation, 'steps': [
            {**step, 'pack': chosen[id(step)]} if id(step) in chosen else step for step in operation.get('steps', ())]}
        for operation in document['operations']]


def _missing_packs(document, steps, rules):
    """Return a step for the materials of each pack size, and one for its labels where the MMR has no reconciliation of it.

    Where the rule is off, as for batches of earlier versions, one reconciliation of the MMR is that of all packs (PKG-010).
    """
    each = PACKS_RULE in rules
    labelled = [step for step in steps if step['kind'] == 'label']
    reconciled = {step.get('pack') for step in labelled}
    for pack in _packs_packed_here(document) if each else document.get('packs', ()):
        if pack['materials']:
            yield _blank_step('material', pack['name'], 'packs', instruction=pack['description'], pack=pack['position'])
        if pack['label'] and (pack['position'] not in reconciled if each else not labelled):
            yield _blank_step('label', pack['name'], 'packs', pack=pack['position'], verifier_role='verifier',
                              verifier_meaning='verified')


def _missing_yield(band, steps, scope):
    if band and not any(step['kind'] == 'yield' for step in steps):
        yield _blank_step('yield', 'Yield', 'yield', scope=scope, is_critical=True, verifier_role='verifier',
                          verifier_meaning='verified')
