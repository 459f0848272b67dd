"""Paracetamol 24 mg/ml oral solution (EU GMP): 250 L."""

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
    prepare,
    product_specifications,
    reconcile,
    sample,
    spec,
    step,
    weigh,
    weigh_yield,
)

MATERIALS = ['bottle_pet', 'cap_28', 'syringe', 'label_par', 'leaflet_par', 'carton_par']
COMPONENTS = [
    ('paracetamol', 6.0, 'kgm', 2, {
        'is_active': True, 'is_declared': True, 'strength': (24, "mg per ml"), 'overage': ('none', 0, '')}),
    ('macrogol', 25.0, 'kgm', 2, {}),
    ('glycerol', 37.5, 'kgm', 2, {}),
    ('sorbitol', 62.5, 'kgm', 2, {}),
    ('sucralose', 250.0, 'gram', 2, {}),
    ('potassium_sorbate', 375.0, 'gram', 2, {}),
    ('citric_acid_mono', 185.0, 'gram', 2, {}),
    ('sodium_citrate', 420.0, 'gram', 2, {}),
    ('purified_water', 120.0, 'kgm', 2, {}),
    ('strawberry_flavour', 250.0, 'gram', 3, {}),
    ('purified_water', 23.52, 'kgm', 3, {
        'tolerance': 3.0, 'tolerance_justification': "The solution is made up to volume: the density of the "
                                                     "sorbitol varies with its lot."}),
]
STAGES = [
    {
        'name': "Dispensing", 'workcenter': 'dispensing', 'stage': 'dispensing', 'minutes': 120,
        'instruction': "Compare name, lot number, retest date and status of each container with the "
                       "pick list before opening it.",
        'hold_time': 48, 'storage': "Closed, labelled containers in the dispensed-goods area, 15 to 25 °C",
        'equipment': [('floor_scale', "Daily check with 20 kg and 100 kg; calibration label in date."),
                      ('bench_balance', "Daily check with 1 kg and 10 kg; calibration label in date.")],
        'steps': [
            clearance("dispensing booth"), *climate(65),
            weigh('paracetamol', "Bench balance.", "Dust: mask FFP2, local extraction on."),
            weigh('macrogol', "Floor scale."), weigh('glycerol', "Floor scale; warm the drum to 30 °C so that it flows."),
            weigh('sorbitol', "Floor scale; homogenise the drum, no crystals."), weigh('sucralose', "Bench balance."),
            weigh('potassium_sorbate', "Bench balance."), weigh('citric_acid_mono', "Bench balance."),
            weigh('sodium_citrate', "Bench balance."),
            weigh('strawberry_flavour', "Bench balance, in a closed bottle.", "Flammable: keep away from hot surfaces.")],
    },
    {
        'name': "Dissolution", 'workcenter': 'liquids', 'stage': 'processing', 'minutes': 180, 'time_limit': 6,
        'instruction': "Two phases: paracetamol in warm macrogol and glycerol (MV-02), buffer and "
                       "preservative in water (MV-01).",
        'equipment': [('vessel_300', "CIP cycle 3 done at most 72 hours ago, seals and stirrer checked, load cell zeroed."),
                      ('vessel_80', "CIP cycle 3 done at most 72 hours ago; jacket at 55 °C."),
                      ('bench_balance_2', "Calibration label in date.")],
        'steps': [
            clearance("room 116", "Hoses of this product only, flushed"), *climate(65),
            prepare(1, "Run the stirrer and the load cell with 20 kg of purified water; drain.", "Load cell within 0.1 kg",
                    "Final rinse: conductivity below 1.3 µS/cm"),
            weigh('purified_water', "By load cell of MV-01, from the loop at 25 °C.",
                  name="Weigh in purified water, first part"),
            charge("Dissolve buffer, sweetener and preservative",
                   "In MV-01, in this order: sodium citrate, citric acid, potassium sorbate, sucralose; "
                   "stir at 120 rpm until clear.", equipment=1, sops=['liquids'], time_limit=30),
            charge("Add the sorbitol", "Into MV-01, stir 10 minutes.", equipment=1),
            charge("Dissolve the paracetamol", "Macrogol and glycerol in MV-02 at 50 to 55 °C; strew the "
                                               "paracetamol in within 10 minutes.",
                   equipment=2, sops=['liquids'], precaution="Jacket and lid are hot."),
            measure("Temperature of the active phase", ('range', 50, 55, "°C", 52), "Every 5 minutes until clear.",
                    "Cool or heat at once; above 60 °C hold the phase and test 4-aminophenol.", equipment=2, plausible=(10, 90),
                    is_critical=True),
            check("Clarity of the active phase", "Clear, no particle against black and white", "Sight glass and 50 ml beaker.",
                  "Stir on, at most 30 minutes; then hold the phase.", equipment=2),
            charge("Combine", "Transfer MV-02 to MV-01, stirring; rinse MV-02 twice with 2 kg of the water of the next stage.",
                   equipment=1)],
    },
    {
        'name': "Making up and filtration", 'workcenter': 'liquids', 'stage': 'processing', 'minutes': 90, 'time_limit': 4,
        'hold_time': 48,
        'instruction': "Below 30 °C: flavour, then water to 250 L.",
        'storage': "MV-01, closed, under filtered air, 15 to 25 °C, stirred 10 minutes every 12 hours",
        'yield': (250, 98, 101, "PV-2201, three batches: 98.9 to 99.8 %."),
        'equipment': [('vessel_300', "As left by the stage before."),
                      ('filter', "Cartridge 5 µm PP in, integrity of the housing checked."),
                      ('ph_meter', "Calibrated today at pH 4.01 and 7.00, slope 95 to 102 %.")],
        'steps': [
            clearance("room 116, filter and hoses"),
            charge("Add the flavour", "Below 30 °C, stir 10 minutes.", equipment=1),
            weigh('purified_water', "Make up to 250.0 L at 20 °C (276.0 kg by load cell); the quantity added is recorded.",
                  name="Weigh in purified water, make up to volume", line=1),
            step("Mix", "120 rpm.", equipment=1, execution='automated', time_limit=20),
            measure("pH", ('range', 5.0, 5.6, "pH", 5.3), "At 20 °C.",
                    "Adjust with citric acid 10 % or sodium citrate 10 %, at most 200 g, only with the "
                    "signature of Quality Control.", method='ph', equipment=3, plausible=(0, 14), is_critical=True,
                    sample=(1, 100, "ml", "After mixing, sampling valve", 'operator')),
            measure("Relative density at 20 °C", ('range', 1.095, 1.115, "g/ml", 1.104), "Oscillating U-tube.", QUARANTINE,
                    method='density',
                    plausible=(0.8, 1.5)),
            check("Appearance", "Clear, colourless to slightly yellow, smell of strawberry", "100 ml against white.",
                  QUARANTINE),
            measure("Filtration pressure", ('nmt', 1.5, "bar"), "Through 5 µm into the buffer line.",
                    "Change the cartridge, filter again.",
                    equipment=2, plausible=(0, 6)),
            sample("Sample the bulk", "Assay, 4-aminophenol, preservative.", 2, 100, "ml", "After filtration, top and bottom",
                   'assay_paracetamol'),
            measure("Assay of the bulk", ('range', 23.5, 24.5, "mg/ml", 24), "Result of the laboratory.", QUARANTINE,
                    performer_role='qc',
                    performer_meaning='checked', method='assay_paracetamol', is_hold_point=True, plausible=(0, 50)),
            weigh_yield("the bulk (mass ÷ density)")],
    },
    {
        'name': "Filling", 'workcenter': 'filling', 'stage': 'packaging', 'minutes': 300, 'time_limit': 10,
        'instruction': "100 ml in amber PET bottles 150 mL; theoretical 2,500 bottles.",
        'yield': (250, 95, 101, "Line volume 3 L and set-up, PV-2201: 96.8 to 98.4 %."),
        'equipment': [('liquid_line', "Pistons and hoses of this product, CIP done, capping heads 28 mm; "
                                      "printer shows lot and expiry.")],
        'steps': [
            clearance("room 205, materials counted in", verifier='qc'), *climate(65),
            step("Blow out the bottles", "Ionised filtered air, bottles upside down.", equipment=1, execution='automated'),
            measure("Fill volume, each of 6 heads", ('range', 100.0, 103.0, "ml", 101.0),
                    "Gravimetric, at start, every 30 minutes, at the end.",
                    STOP, method='volume', plausible=(50, 160), equipment=1, is_critical=True,
                    sample=(6, 1, "bottle", "At start, every 30 minutes and at the end", 'operator')),
            measure("Removal torque", ('range', 12, 20, "in·lbf", 16), "6 bottles every 30 minutes.", STOP, method='torque',
                    plausible=(0, 60)),
            check("Tightness", "No drop from 6 bottles on their side for 10 minutes", "At start and every hour.", STOP),
            check("Tamper-evident ring", "Closed in 10 bottles", "Every 30 minutes.", STOP),
            weigh_yield("the filled bottles (count × mean volume)")],
    },
    {
        'name': "Labelling and cartoning", 'workcenter': 'labelling', 'stage': 'labelling', 'minutes': 240,
        'instruction': "Bottle, leaflet, oral syringe with adapter in a carton with braille and unique identifier.",
        'equipment': [('labeller', "Rolls and cartons of the right code; camera taught with the approved label.")],
        'steps': [
            clearance("room 203, labels, leaflets and cartons", "Leaflets counted in by two persons", verifier='qc'),
            check("First pack", "Numbers and versions of label, leaflet and carton as in this record; lot, "
                                "expiry and 2D code readable",
                  "Attach label, leaflet and carton.", STOP, verifier_role='qc', verifier_meaning='approved', is_critical=True),
            check("Camera", "Foreign code, missing leaflet and missing syringe are rejected",
                  "At start, after each change of roll, at the end.",
                  STOP, equipment=1, execution='automated'),
            reconcile("labels, leaflets and cartons"),
            sample("Reference and retention samples", "Annex 19: finished packs.", 6, 1, "pack", "Start, middle and end",
                   'volume'),
            step("Review of the batch for certification", "All results and deviations to the Qualified Person.",
                 performer_role='qc',
                 performer_meaning='checked', verifier_role='qp', verifier_meaning='reviewed')],
    },
]


def get_data():
    return {
        'name': 'paracetamol_250', 'product': 'paracetamol_solution', 'formulation': 'PAR24-B', 'profile': 'peu', 'size': 250,
        'unit': 'litre',
        'review_interval': 24,
        'header': {
            'reason': "First master record for 250 L, after process validation PV-2201 (three batches).",
            'precautions': "Paracetamol hydrolyses to 4-aminophenol when hot: never above 60 °C, at 50 to 55 °C at most 1 "
                           "hour.\nThe solution feeds microorganisms: no open holding, bulk at most 48 hours, "
                           "hoses drained and dried.",
            'process_rationale': "Validation PV-2201 (three batches of 250 L): with temperature, order of addition and pH "
                                 "inside these limits assay was 23.8 to 24.2 mg/ml, 4-aminophenol below 0.01 %; the "
                                 "preservative passed Ph. Eur. 5.1.3 at pH 5.6.",
            'product_description': "Clear, colourless to slightly yellow solution smelling of strawberry; 120 mg in 5 ml.",
            'dosage_form': "Oral solution", 'dosage_unit_weight': 5, 'dosage_unit_weight_unit': "ml",
            'yield_min': 94, 'yield_max': 101, 'yield_rationale': "PV-2201 and 8 commercial batches: mean 97.3 %, "
                                                                  "standard deviation 0.8 %.",
        },
        'components': COMPONENTS,
        'ingredients': [],
        'stages': STAGES,
        'specifications': [
            *component_specifications(dict.fromkeys(row[0] for row in COMPONENTS), MATERIALS), *LABEL_SPECIFICATION,
            *product_specifications(
                'spec_paracetamol_solution',
                spec("Identity of paracetamol", "Retention time and UV spectrum as the standard", "HPLC with diode array",
                     'assay_paracetamol',
                     identity=True),
                spec("Assay of paracetamol", ('range', 22.8, 25.2, "mg/ml", 24), "HPLC; 23.5 to 24.5 at release",
                     'assay_paracetamol'),
                spec("4-Aminophenol", ('nmt', 0.1, "% of paracetamol"), "HPLC", 'assay_paracetamol'),
                spec("Potassium sorbate", ('range', 1.35, 1.65, "mg/ml", 1.5), "HPLC", 'assay_paracetamol'),
                spec("pH", ('range', 5.0, 5.6, "pH"), "Ph. Eur. 2.2.3", 'ph'),
                spec("Extractable volume", ('nlt', 100, "ml"), "Ph. Eur. 2.9.17", 'volume'),
                spec("Total aerobic count", ('nmt', 100, "CFU/ml"), "Ph. Eur. 5.1.4, aqueous oral", 'micro'),
                spec("Escherichia coli", "Absent in 1 ml", "Ph. Eur. 2.6.13", 'micro'))],
        'packs': [{
            'name': "Bottle of 100 ml", 'quantity': 100, 'unit': 'milliliter', 'label': 'par_100',
            'description': "Amber PET bottle 150 mL with 100 ml, child-resistant and tamper-evident cap 28 mm, label; carton "
                           "with leaflet and 5 ml oral syringe with adapter.",
            'coding_position': "Lot (LOT) and expiry (EXP MM/YYYY): laser on the label, ink jet and 2D code on the "
                               "carton. Expiry: 24 months.",
            'clearance': "Line, hopper of caps and printers empty; leaflets, labels and cartons of other products and "
                         "languages removed and counted.",
            'checks': "Every 30 minutes, 10 packs: volume, torque, ring, label, leaflet, syringe, 2D code, braille.",
            'materials': [(product, 1) for product in MATERIALS]}],
        'labels': {'par_100': {
            'code': "LBL-PAR-100", 'version': "2", 'name': "Paracetamol 24 mg/ml oral solution, 100 ml", 'product': 'label_par',
            'image': 'label_paracetamol_100.png', 'approved': True, 'claims': "None.",
            'panel': "1 ml contains 24 mg paracetamol. Excipients with known effect: sorbitol 175 mg/ml (as dry substance). "
                     "For oral use. Keep out of the sight and reach of children. Store below 25 °C. After opening: 3 months."}},
        'references': [
            ('clearance', "Every stage"), ('weighing', "Dispensing"), ('liquids', "Preparation"), ('filling', "Filling"),
            ('reconciliation', "Labelling"), ('cleaning', "CIP"), ('deviation', "Results outside limits")],
    }
