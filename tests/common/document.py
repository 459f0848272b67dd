"""A frozen document of schema 2 in which every content item has a value of its own."""

import hashlib
import json


def file_content(name, file_id=1, mimetype='application/pdf', data=None):
    return {'id': file_id, 'name': name, 'sha256': hashlib.sha256(data or name.encode()).hexdigest(),
            'size': len(data or name), 'mimetype': mimetype}


def controlled(record_id, code, version, name, **values):
    return {'id': record_id, 'code': code, 'version': version, 'name': name, **values}


def criterion(kind, minimum=None, maximum=None, unit=None, target=None, text=None):
    return {'kind': kind, 'minimum': minimum, 'target': target, 'maximum': maximum, 'unit': unit, 'text': text}


def product(record_id, code, name):
    return {'id': record_id, 'code': code, 'name': name}


def component(position, material, quantity, operation, overage=None, **values):
    return {
        'position': position, 'product': material, 'quantity': quantity, 'unit': 'kg', 'unit_id': 12,
        'product_unit_quantity': quantity, 'operation': operation, 'is_active': False, 'is_declared': True,
        'in_product': True, 'supplier': {'id': 700 + position, 'name': f"Supplier of {material['name']}"},
        'strength': None, 'overage': overage,
        'tolerance': '1', 'tolerance_justification': None, 'weighing_verified': True, 'addition_verified': True, **values}


def step(position, name, kind='instruction', **values):
    return {
        'position': position, 'name': name, 'kind': kind, 'instruction': f"Details of {name}.", 'precaution': None,
        'component': None, 'performer_role': 'operator', 'performer_meaning': 'performed', 'verifier_role': None,
        'verifier_meaning': None, 'is_critical': False, 'is_hold_point': False, 'execution': 'manual',
        'equipment': None, 'criterion': None, 'corrective_action': None, 'plausibility': None, 'minimum_time': None,
        'time_limit': None, 'sample': None, 'method': None, 'documents': [], 'checklist': [], 'picture': None, **values}


def operation(position, name, work_center, steps, **values):
    return {
        'position': position, 'name': name, 'work_center': work_center, 'instruction': f"Instruction of {name}.",
        'predecessors': [position - 1] if position > 1 else [], 'stage': 'processing', 'yield': None,
        'time_limit': None, 'hold_time': None, 'storage_conditions': None, 'equipment': [], 'steps': steps, **values}


def rich_document():
    """Return a new copy of the document; whoever gets it may change it."""
    return json.loads(json.dumps(_DOCUMENT))


def large_document(components=60, steps=80, stages=8):
    """Return a document of the size of a long formula, for measuring."""
    document = rich_document()
    document['components'] = [
        component(number, product(1000 + number, f"C{number:03d}", f"Material {number:03d}"), f"{number}.5",
                  1 + number % stages,
                  {'kind': 'percent', 'percent': '5', 'amount': '0.5', 'unit': 'kg', 'rationale': "Loss on drying."})
        for number in range(1, components + 1)]
    document['operations'] = [
        operation(stage, f"Stage {stage}", {'id': stage, 'name': f"Room {stage}"}, [
            step(position, f"Action {stage}-{position}", 'numeric', component=1 + (stage * position) % components,
                 instruction=f"Do number {position} of stage {stage} slowly and watch the pressure. " * 4,
                 criterion=criterion('range', '95', '102', '%'), verifier_role='verifier', verifier_meaning='verified')
            for position in range(1, steps // stages + 1)])
        for stage in range(1, stages + 1)]
    return document


_ASC = product(101, "ASC", "Ascorbic acid")
_MCC = product(102, "MCC", "Microcrystalline cellulose")
_STE = product(103, "MGST", "Magnesium stearate")
_BOTTLE = product(104, "BT60", "Amber bottle 60")
_CAP = product(105, "CAP38", "Screw cap 38 mm")
_TABLET = product(100, "VC500", "Vitamin C 500 mg tablets")

_DOCUMENT = {
    'schema': 'mrp_mmr/mmr/3',
    'number': 'MMR/00001',
    'revision': 2,
    'company': {'id': 1, 'name': "Green Leaf Nutrition"},
    'profile': {'code': '111', 'name': "Dietary supplements, 21 CFR 111"},
    'product': _TABLET,
    'formulation': 'FORM-A',
    'batch_size': {'quantity': '100', 'unit': 'kg', 'unit_id': 12, 'product_unit_quantity': '100'},
    'change': {'category': 'formula', 'description': "Overage of vitamin C raised.", 'reason': "Stability study ST-17."},
    'effective_date': '2031-02-03',
    'training_required': True,
    'precautions': "Protect from moisture.\nWear a dust mask.",
    'identity': {'description': "White round biscuit-like tablet", 'dosage_form': "Film-coated tablet",
                 'dosage_unit_weight': {'value': '1.25', 'unit': 'g'}},
    'process_rationale': "Blend time was validated in study PV-9.",
    'components': [
        component(1, _ASC, '42.5', 1, {
            'kind': 'percent', 'percent': '5', 'amount': '2.125', 'unit': 'kg',
            'rationale': "Decays by five percent in its shelf life."},
            is_active=True, strength={'value': '500', 'unit': 'mg'}, tolerance='0.5',
            tolerance_justification="Balance of class III.",
            assay={'reference': '99.25', 'unit': 'IU/mg', 'basis': 'dried'}),
        component(2, _MCC, '50', 1, {'kind': 'none', 'percent': '0', 'amount': '0', 'unit': 'kg', 'rationale': None},
                  weighing_verified=False, is_filler=True),
        component(3, _STE, '7.5', 2, {
            'kind': 'amount', 'percent': '4', 'amount': '0.3', 'unit': 'kg', 'rationale': "Sticks to the drum."},
            is_declared=False, in_product=False, addition_verified=False),
    ],
    'ingredients': [
        {'position': 1, 'name': "Vitamin C", 'is_dietary': True, 'product': _ASC, 'amount': {'value': '501', 'unit': 'mg'}},
        {'position': 2, 'name': "Cellulose", 'is_dietary': False, 'product': _MCC, 'amount': None},
        {'position': 3, 'name': "Glazing wax", 'is_dietary': False, 'product': None, 'amount': None},
    ],
    'operations': [
        operation(1, "Dispensing", {'id': 11, 'name': "Weighing room"}, [
            step(1, "Line clearance of the booth", 'clearance', checklist=[
                {'position': 1, 'text': "No label of another batch", 'mandatory': True},
                {'position': 2, 'text': "Scale shows zero", 'mandatory': False}],
                documents=[controlled(301, "SOP-012", "4", "Line clearance", kind='sop'),
                           controlled(302, "SOP-013", "2", "Cleaning of scales", kind='sop')]),
            step(2, "Weigh the active", 'weigh', component=1, equipment=1, verifier_role='verifier',
                 verifier_meaning='verified', is_critical=True, precaution="Dust is irritating.",
                 picture=file_content("scoop.png", 401, 'image/png')),
            step(3, "Weigh the filler", 'weigh', component=2, equipment=1),
        ], stage='dispensing', equipment=[
            {'position': 1, 'equipment': {'id': 21, 'name': "Scale W-7"}, 'class': {'id': 31, 'name': "Floor scale"},
             'preparation': "Daily check passed."}],
            **{'yield': {'theoretical': '99', 'unit': 'kg', 'unit_id': 12, 'minimum': '98.5', 'maximum': '100.5',
                         'rationale': "Nothing is lost at the scale."}},
            time_limit='6', hold_time='48', storage_conditions="15 – 25 °C, below 45 % RH"),
        operation(2, "Blending", {'id': 12, 'name': "Blending room"}, [
            step(1, "Add the lubricant", 'weigh', component=3, execution='automated', equipment=2),
            step(2, "Blend for 15 minutes", 'numeric', is_hold_point=True, minimum_time='15', time_limit='20',
                 criterion=criterion('range', '14', '16', 'min', target='15'),
                 plausibility={'minimum': '1', 'maximum': '120'}, corrective_action="Stop and call Quality Control.",
                 performer_role='production', performer_meaning='checked'),
            step(3, "Draw the blend samples", 'sampling', sample={
                'count': 6, 'size': '11', 'unit': 'g', 'timing': "at the end of blending", 'role': 'qc'},
                method=controlled(303, "TM-044", "7", "Blend uniformity", kind='method'),
                criterion=criterion('nmt', maximum='5.5', unit='% RSD')),
        ], equipment=[
            {'position': 1, 'equipment': None, 'class': {'id': 32, 'name': "Sieve of 1 mm"}, 'preparation': None},
            {'position': 2, 'equipment': {'id': 22, 'name': "Drum blender B-2"}, 'class': None,
             'preparation': "Cleaned, status label green."}]),
    ],
    'yield': {'theoretical': '100', 'unit': 'kg', 'unit_id': 12, 'minimum': '95', 'maximum': '101',
              'rationale': "Mean of ten batches."},
    'specifications': [
        {'position': 1, 'scope': 'component', 'product': _ASC, 'parameter': "Identity", 'is_identity': True,
         'criterion': criterion('text', text="Spectrum conforms"), 'method': "Infrared",
         'method_document': controlled(304, "TM-001", "3", "Infrared identity", kind='method'),
         'document': controlled(305, "RM-101", "5", "Specification of ascorbic acid", kind='specification'),
         'corrective_action': "Reject the lot."},
        {'position': 2, 'scope': 'product', 'product': None, 'parameter': "Assay of vitamin C", 'is_identity': False,
         'criterion': criterion('range', '97', '103', '% of claim', target='100.5'), 'method': "HPLC",
         'method_document': None, 'document': None, 'corrective_action': None},
        {'position': 3, 'scope': 'product', 'product': None, 'parameter': "Dissolution", 'is_identity': False,
         'criterion': criterion('nlt', '75', unit='% in 45 min'), 'method': "Paddle", 'method_document': None,
         'document': None, 'corrective_action': None},
        {'position': 4, 'scope': 'label', 'product': None, 'parameter': "Text of the label", 'is_identity': False,
         'criterion': criterion('text', text="As approved artwork"), 'method': None, 'method_document': None,
         'document': None, 'corrective_action': None},
        {'position': 5, 'scope': 'packaging', 'product': _BOTTLE, 'parameter': "Torque of the cap", 'is_identity': False,
         'criterion': criterion('range', '1.1', '1.9', 'N·m'), 'method': "Torque meter", 'method_document': None,
         'document': None, 'corrective_action': None},
    ],
    'packs': [{
        'position': 1, 'name': "Bottle of 60", 'size': {'quantity': '60', 'unit': 'tablets', 'unit_id': 3},
        'description': "Amber bottle with desiccant", 'coding_position': "Bottom of the bottle",
        'clearance': "Counter set to zero", 'checks': "Cap, seal and code every 30 minutes",
        'label': controlled(
            501, "LBL-60", "9", "Front label of sixty", file=file_content("label-60.pdf", 402), location="DMS/labels/60",
            panel="Supplement Facts: Vitamin C 500 mg", claims="Supports the immune system.",
            approval={'name': "Paula Quality", 'signed_at': '2031-01-15T08:00:00Z', 'signature_sha256': 'ab' * 32}),
        'materials': [
            {'position': 1, 'product': _BOTTLE, 'quantity': '1333', 'unit': 'Units', 'unit_id': 1},
            {'position': 2, 'product': _CAP, 'quantity': '1334', 'unit': 'Units', 'unit_id': 1}],
    }],
    'references': [
        {'position': 1, 'document': controlled(306, "SOP-099", "6", "Investigation of deviations", kind='sop'),
         'purpose': "Deviations"}],
    'sections': [
        {'code': 'dmr', 'name': "Device specifications", 'text': "Drawing and software version.",
         'file': file_content("drawing.pdf", 403), 'location': "PLM/4711", 'not_applicable_reason': None},
        {'code': 'installation', 'name': "Installation and servicing", 'text': None, 'file': None, 'location': None,
         'not_applicable_reason': "The product is not installed."}],
    'reviewers': [{'position': 1, 'name': "Technical review", 'role': "Production Responsible"},
                  {'position': 2, 'name': "Regulatory review", 'role': "Regulatory Affairs"}],
    'answers': [{'requirement': 'OWN-1', 'text': "Is the allergen plan named?", 'answer': "Yes, plan AP-3."}],
    'by_products': [
        {'position': 1, 'product': product(106, "DUST", "Tablet dust"), 'quantity': '0.75', 'unit': 'kg', 'unit_id': 12,
         'product_unit_quantity': '0.75', 'operation': 2}],
}
