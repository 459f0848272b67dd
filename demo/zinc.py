"""Zinc 15 mg tablets, 250 mg a tablet (21 CFR 111): 250 kg, submitted and waiting for Quality Control."""

from .common import (
    LABEL_SPECIFICATION,
    QUARANTINE,
    STOP,
    charge,
    check,
    clearance,
    climate,
    component_specifications,
    measure,
    product_specifications,
    reconcile,
    sample,
    spec,
    weigh,
    weigh_yield,
)

MATERIALS = ['bottle_150', 'cap_38', 'seal_38', 'desiccant', 'label_zn_90', 'carton_150']
COMPONENTS = [
    ('zinc_gluconate', 105.0, 'kgm', 2, {
        'is_active': True, 'is_declared': True, 'strength': (15, "mg zinc per tablet"),
        'overage': ('percent', 4, "Zinc gluconate may assay 97 %, and the blend is within 5 %. 4 % keeps the composite of 20 "
                                  "tablets at 15 mg or more (21 CFR 101.9(g)(4)(i)); nothing is lost in storage.")}),
    ('mcc', 115.8, 'kgm', 2, {'is_declared': True}),
    ('croscarmellose', 12.5, 'kgm', 2, {'is_declared': True}),
    ('silicon_dioxide', 2500.0, 'gram', 2, {'is_declared': True}),
    ('stearic_acid', 5.0, 'kgm', 3, {'is_declared': True}),
    ('magnesium_stearate', 5000.0, 'gram', 3, {'is_declared': True}),
]
STAGES = [
    {
        'name': "Dispensing", 'workcenter': 'dispensing', 'stage': 'dispensing', 'minutes': 150,
        'instruction': "Compare name, lot number, expiry date and status of each container with the "
                       "pick list before opening it.",
        'hold_time': 72, 'storage': "Sealed bags on pallets in the dispensed-goods area, at most 25 °C and 50 % RH",
        'equipment': [('floor_scale', "Daily check with 20 kg and 100 kg; calibration label in date."),
                      ('bench_balance', "Daily check with 1 kg and 10 kg; calibration label in date.")],
        'steps': [
            clearance("dispensing booth"), *climate(50),
            weigh('zinc_gluconate', "Floor scale, in four bags of at most 30 kg.",
                  "Dust irritates: mask FFP2, glasses, gloves."),
            weigh('mcc', "Floor scale, in four bags of equal mass."), weigh('croscarmellose', "Floor scale."),
            weigh('silicon_dioxide', "Bench balance; pour slowly."), weigh('stearic_acid', "Bench balance."),
            weigh('magnesium_stearate', "Bench balance.", "Dust can ignite: clip the ground wire.")],
    },
    {
        'name': "Sieving and blending", 'workcenter': 'blender', 'stage': 'processing', 'minutes': 75,
        'instruction': "V-blender with the 800 L shell.",
        'equipment': [('blender_1500', "800 L shell fitted, dry, valve tight; cleaning label in date."),
                      ('sieve', "Screen 20 mesh in, intact.")],
        'steps': [
            clearance("room 108"),
            charge("Sieve and load", "Pass zinc gluconate, croscarmellose sodium and silicon dioxide through 20 mesh. Load "
                                     "half of the cellulose, the sieved premix, the "
                                     "other half of the cellulose.", sops=['blending'], equipment=1),
            measure("Blending time", ('range', 19, 21, "min", 20), "10 rpm.", equipment=1, execution='automated',
            plausible=(1, 60)),
            sample("Sample the blend", "Thief sampler, ten places.", 10, 1, "g", "After blending, before lubrication", 'blend'),
            measure("Uniformity of the blend, RSD of 10", ('nmt', 5.0, "%"), "Result of the laboratory.", QUARANTINE,
                    performer_role='qc', performer_meaning='checked', method='blend', is_hold_point=True, plausible=(0, 50))],
    },
    {
        'name': "Lubrication", 'workcenter': 'blender', 'stage': 'processing', 'minutes': 30, 'hold_time': 336,
        'instruction': "Pass stearic acid and magnesium stearate through 40 mesh and add them.",
        'storage': "Double-lined closed drums, room 110", 'yield': (250, 98, 100.5, "As for VC500-A on the same blender."),
        'equipment': [('blender_1500', "As left by the stage before; nothing was opened in between.")],
        'steps': [
            clearance("room 108, sieve and drums"),
            charge("Add the lubricants", "Spread both over the blend.", sops=['blending'], equipment=1),
            measure("Lubrication time", ('range', 3.8, 4.2, "min", 4), "10 rpm.", QUARANTINE, equipment=1,
                    execution='automated',
                    plausible=(1, 15)),
            weigh_yield("the final blend")],
    },
    {
        'name': "Compression", 'workcenter': 'press', 'stage': 'processing', 'minutes': 480, 'hold_time': 336,
        'instruction': "9 mm round tooling. Tablet: 250 mg.", 'storage': "Lined closed drums, room 110",
        'yield': (250, 96, 101, "Development batches ZN-03 to ZN-05: 97.0 to 98.8 %."),
        'equipment': [('class:press', "Tooling 9 mm round, inspected; turret clean and oiled."),
                      ('detector', "Challenge with all three test pieces."), ('tester', "Self-check passed.")],
        'steps': [
            clearance("room 112"), *climate(50),
            measure("Average mass of 20 tablets", ('range', 240, 260, "mg", 250), "At start and every 15 minutes.", STOP,
                    method='mass',
                    plausible=(100, 400), equipment=3, is_critical=True,
                    sample=(20, 1, "tablet", "At start, every 15 minutes", 'operator')),
            measure("Hardness, mean of 5", ('range', 8, 13, "kp", 10), "At start and every 15 minutes.", STOP,
                    method='hardness',
                    plausible=(1, 40), equipment=3),
            measure("Friability", ('nmt', 0.8, "%"), "Start, middle and end.", STOP, method='friability', plausible=(0, 20)),
            measure("Disintegration, the slowest of 6", ('nmt', 30, "min"), "Start, middle and end.", STOP,
                    method='disintegration',
                    plausible=(0, 120)),
            check("Appearance", "White to off-white, smooth, no defects in 50 tablets", "Every 15 minutes.", STOP),
            sample("Sample for release", "From three drums: assay, mass, disintegration, lead, microbiology.", 3, 60, "tablets",
                   "First, middle and last drum", 'assay_zinc'),
            weigh_yield("the dedusted tablets")],
    },
    {
        'name': "Bottling", 'workcenter': 'packaging', 'stage': 'packaging', 'minutes': 420,
        'instruction': "Bottles of 90 tablets.", 'yield': (250, 95, 101, "As for VC500-A on the same line."),
        'equipment': [('bottling', "Slats 9 mm, brushes and chute clean; printer shows lot and expiry of this batch.")],
        'steps': [
            clearance("packaging line 1", verifier='qc'), *climate(50),
            check("Count, seal and desiccant", "90 tablets, intact seal and one canister in each of 10 bottles",
                  "Every 30 minutes.", STOP),
            weigh_yield("the tablets in full bottles (count × 250 mg)")],
    },
    {
        'name': "Labelling and cartoning", 'workcenter': 'labelling', 'stage': 'labelling', 'minutes': 240,
        'instruction': "Labels and cartons are issued by count against this record.",
        'equipment': [('labeller', "Roll of the right code on; camera taught with the first approved label.")],
        'steps': [
            clearance("room 203, labels and cartons", verifier='qc'),
            check("First label", "Number, version and text as in this record; lot and expiry as assigned",
                  "Attach the first label.",
                  STOP, verifier_role='qc', verifier_meaning='approved'),
            reconcile()],
    },
]


def get_data():
    return {
        'name': 'zinc_250', 'product': 'zinc', 'formulation': 'ZN15-A', 'profile': 'p111', 'size': 250, 'unit': 'kgm',
        'header': {
            'reason': "First master record for 250 kg, after development batches ZN-03 to ZN-05.",
            'precautions': "Zinc gluconate dust irritates: dust mask FFP2, safety glasses and gloves; local extraction is "
                           "on.\nRelative humidity at most 50 %. Clean the press at once after the batch: the blend "
                           "sticks when it gets moist.",
            'process_rationale': "105 kg of zinc gluconate (14.35 % zinc) are 15.07 mg a tablet, 15.67 mg with the overage; a "
                                 "composite within 96 to 105 % of it holds 15.0 to 16.5 mg. Hardness and disintegration were "
                                 "within limits in development batches ZN-03 to ZN-05.",
            'product_description': "Round, white to off-white tablet, 9 mm.", 'dosage_form': "Tablet",
            'dosage_unit_weight': 250, 'dosage_unit_weight_unit': "mg", 'yield_min': 94, 'yield_max': 101,
            'yield_rationale': "Sum of the bands of the stages, development batches ZN-03 to ZN-05.",
        },
        'components': COMPONENTS,
        'ingredients': [
            ('Zinc (as zinc gluconate)', True, 'zinc_gluconate', 15, "mg per tablet"),
            ('Microcrystalline cellulose', False, 'mcc'),
            ('Croscarmellose sodium', False, 'croscarmellose'), ('Stearic acid', False, 'stearic_acid'),
            ('Magnesium stearate', False, 'magnesium_stearate'), ('Silicon dioxide', False, 'silicon_dioxide')],
        'stages': STAGES,
        'specifications': [
            *component_specifications([row[0] for row in COMPONENTS], MATERIALS), *LABEL_SPECIFICATION,
            *product_specifications(
                'spec_zinc', spec("Identity of zinc", "Emission lines as the standard", "ICP-OES", 'assay_zinc', identity=True),
                spec("Zinc per tablet", ('range', 15, 16.5, "mg"), "ICP-OES, composite of 20 tablets", 'assay_zinc'),
                spec("Disintegration", ('nmt', 30, "min"), "USP <2040>", 'disintegration'),
                spec("Lead", ('nmt', 0.5, "µg per tablet"), "ICP-MS", 'metals'),
                spec("Total aerobic count", ('nmt', 3000, "CFU/g"), "USP <2021>", 'micro'))],
        'packs': [{
            'name': "Bottle of 90 tablets", 'quantity': 90, 'label': 'zn_90',
            'description': "White HDPE bottle 150 mL, desiccant canister, induction seal, child-resistant "
                           "cap, label, folding carton.",
            'coding_position': "Lot number and expiry date: ink jet on the bottom of the bottle and on "
                               "the end flap of the carton.",
            'clearance': "Hopper, slats and chute empty; labels and cartons of other products removed and counted.",
            'checks': "Every 30 minutes, 10 bottles: count, desiccant, seal, torque, label, legible lot and expiry.",
            'materials': [(product, 1) for product in MATERIALS]}],
        'labels': {'zn_90': {
            'code': "LBL-ZN-090", 'version': "1", 'name': "Zinc 15 mg, 90 tablets", 'product': 'label_zn_90',
            'location': "Label archive, cabinet 1, drawer 14", 'claims': "None.",
            'panel': "Supplement Facts. Serving size 1 tablet. Servings per container 90. Zinc (as zinc gluconate) 15 mg, 136 "
                     "% Daily Value. Other ingredients: microcrystalline cellulose, croscarmellose sodium, stearic acid, "
                     "magnesium stearate, silicon dioxide."}},
        'references': [('clearance', "Every stage"), ('weighing', "Dispensing"), ('deviation', "Results outside limits")],
    }
