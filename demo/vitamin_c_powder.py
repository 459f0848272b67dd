"""Vitamin C powder, 100 g a bottle (21 CFR 111): 10 kg, filled by hand; a record short enough to be read as a whole."""

from .common import (
    LABEL_SPECIFICATION,
    STOP,
    check,
    clearance,
    component_specifications,
    measure,
    product_specifications,
    reconcile,
    sample,
    spec,
    weigh,
    weigh_yield,
)

MATERIALS = ['bottle_150', 'cap_38', 'label_vcp_100']
STAGES = [
    {
        'name': "Dispensing", 'workcenter': 'dispensing', 'stage': 'dispensing', 'minutes': 20,
        'instruction': "Compare name, lot number, expiry date and status of each container with the pick list before "
                       "opening it.",
        'hold_time': 24, 'storage': "Sealed bag on the pallet of the batch, at most 25 °C and 45 % RH",
        'yield': (10, 99, 100.5, "Nothing but dust is lost; PV-2004, three batches: 99.6 to 99.9 %."),
        'equipment': [('bench_balance_2', "Daily check with 1 kg and 10 kg; level; calibration label in date.")],
        'steps': [
            clearance("dispensing booth"),
            weigh('ascorbic_acid', "Bench balance, through the 20 mesh hand sieve into a lined drum.",
                  "Oxidises: close the container at once. Dust can ignite: clip the ground wire."),
            weigh_yield("the sieved powder")],
    },
    {
        'name': "Filling and labelling", 'workcenter': 'packaging', 'stage': 'packaging', 'minutes': 90,
        'instruction': "By hand at the bench beside line 1; theoretical 100 bottles.", 'time_limit': 4,
        'equipment': [('bench_balance_2', "As left by the stage before; moved to the bench and checked with 1 kg."),
                      ('labeller', "Roll of the right code on, camera taught with the first approved label.")],
        'steps': [
            clearance("filling bench, materials and labels counted in", "Labels counted in by two persons", verifier='qc'),
            measure("Net mass, lowest of 10 bottles", ('range', 100, 102, "g", 101),
                    "At start and every 20 bottles, on SC-03.",
                    "Stop; weigh every bottle since the last good check, refill or empty it, and repeat the check; open a "
                    "deviation (SOP-QA-015).", equipment=1, plausible=(50, 150)),
            check("First label", "Number, version and text as in this record; lot and expiry as assigned",
                  "Attach the first label to the record.", STOP, verifier_role='qc', verifier_meaning='approved',
                  equipment=2, is_critical=True),
            reconcile(),
            sample("Retained samples", "In the finished pack, twice what all tests need; room R2.", 2, 1, "bottle",
                   "First and last bottle", 'assay_vitamin_c'),
            weigh_yield("the full bottles (count × 100 g)")],
    },
]


def get_data():
    return {
        'name': 'vitamin_c_powder_10', 'product': 'vitamin_c_powder', 'formulation': 'VCP100-A', 'profile': 'p111', 'size': 10,
        'unit': 'kgm',
        'header': {
            'reason': "First master record for 10 kg, after process validation PV-2004 (three batches).",
            'precautions': "Ascorbic acid oxidises and picks up moisture: relative humidity at most 45 %, temperature at most "
                           "25 °C, containers closed.\nWear dust mask FFP2, safety glasses, gloves and hair cover.",
            'process_rationale': "The powder is the component itself: identity and assay of the released lot, 20 mesh, and a "
                                 "net mass of 100 to 102 g in 30 of 30 bottles (PV-2004) keep 1,000 mg a level spoon of 1 g "
                                 "(CV 2.1 %). Closed bottles held loss on drying below 0.4 % for 24 months (STB-2004-A).",
            'product_description': "White to almost white crystalline powder, freely flowing, without lumps.",
            'dosage_form': "Powder", 'dosage_unit_weight': 1, 'dosage_unit_weight_unit': "g",
            'yield_min': 95, 'yield_max': 100.5,
            'yield_rationale': "PV-2004 and 6 commercial batches: mean 98.2 %, standard deviation 0.6 %; samples and fill "
                               "above 100 g.",
        },
        'components': [
            ('ascorbic_acid', 10.0, 'kgm', 1, {
                'is_active': True, 'is_declared': True, 'strength': (1000, "mg per g"), 'overage': ('none', 0, ''),
                'supplier': 'ascorbic'})],
        'ingredients': [('Vitamin C (as ascorbic acid)', True, 'ascorbic_acid', 1000, "mg per serving of 1 g")],
        'stages': STAGES,
        'specifications': [
            *component_specifications(['ascorbic_acid'], MATERIALS), *LABEL_SPECIFICATION,
            *product_specifications(
                'spec_vitamin_c_powder',
                spec("Identity of vitamin C", "Retention time as the standard", "HPLC", 'assay_vitamin_c', identity=True),
                spec("Vitamin C", ('range', 99.0, 100.5, "%"), "Iodometric titration", 'titration'),
                spec("Loss on drying", ('nmt', 0.4, "%"), "In vacuum over silica gel", 'lod'),
                spec("Lead", ('nmt', 0.5, "µg per g"), "ICP-MS", 'metals'),
                spec("Total aerobic count", ('nmt', 1000, "CFU/g"), "USP <2021>", 'micro'))],
        'packs': [{
            'name': "Bottle of 100 g", 'quantity': 100, 'unit': 'gram', 'label': 'vcp_100',
            'description': "White HDPE bottle 150 mL with 100 g, child-resistant cap 38 mm, wrap-around label.",
            'coding_position': "Lot number and expiry date (MM/YYYY) on the label, thermal transfer. Expiry: 24 months.",
            'clearance': "Bench empty and wiped; labels of other products removed and counted; code of the printer checked.",
            'checks': "At start and every 20 bottles: net mass, cap tight, label position and version, legible lot and expiry.",
            'materials': [(product, 1) for product in MATERIALS]}],
        'labels': {'vcp_100': {
            'code': "LBL-VCP-100", 'version': "1", 'name': "Vitamin C powder, 100 g", 'product': 'label_vcp_100',
            'location': "Label archive, cabinet 1, drawer 9", 'approved': True,
            'claims': '"Supports the immune system.*" *This statement has not been evaluated by the Food and Drug '
                      'Administration. This product is not intended to diagnose, treat, cure, or prevent any disease.',
            'panel': "Supplement Facts. Serving size 1 level spoon (1 g). Servings per container 100. Vitamin C (as ascorbic "
                     "acid) 1,000 mg, 1,111 % Daily Value. Other ingredients: none."}},
        'references': [
            ('clearance', "Every stage"), ('weighing', "Dispensing"), ('reconciliation', "Labelling"),
            ('cleaning', "Equipment"), ('deviation', "Results outside limits"), ('sampling', "Retained samples")],
    }
