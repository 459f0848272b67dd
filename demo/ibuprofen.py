"""Ibuprofen 200 mg film-coated tablets, 320 mg a tablet (21 CFR 211): 50 kg, reviewed by Production before Quality Control."""

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

MATERIALS = ['bottle_150', 'cap_38', 'seal_38', 'desiccant', 'label_ibu_100', 'carton_150']
#: mg a tablet × 156,250 tablets
COMPONENTS = [
    ('ibuprofen', 31.25, 'kgm', 2, {
        'is_active': True, 'is_declared': True, 'strength': (200, "mg per tablet"), 'overage': ('none', 0, ''),
        'supplier': 'ibuprofen', 'assay': (100, "%", 'dried')}),
    ('mcc', 9687.5, 'gram', 2, {}),
    ('starch', 3125.0, 'gram', 2, {'is_filler': True}),
    ('povidone', 1250.0, 'gram', 2, {}),
    ('purified_water', 7.5, 'kgm', 2, {
        'not_in_product': True, 'tolerance': 0.75,
        'tolerance_justification': "Granulation ends at a power of 4.8 to 5.4 kW. Validation PV-2101 (three batches) reached "
                                   "it with 6.9 to 8.1 kg and showed no effect on dissolution; the water is dried off."}),
    ('croscarmellose', 1875.0, 'gram', 4, {}),
    ('silicon_dioxide', 375.0, 'gram', 4, {}),
    ('stearic_acid', 625.0, 'gram', 4, {}),
    ('magnesium_stearate', 250.0, 'gram', 4, {}),
    ('coating_premix', 1562.5, 'gram', 6, {}),
    ('purified_water', 8.85, 'kgm', 6, {
        'not_in_product': True, 'tolerance': 0.5,
        'tolerance_justification': "14 to 16 % of solids coat alike (PV-2101); the water is dried off."}),
]
STAGES = [
    {
        'name': "Dispensing", 'workcenter': 'dispensing', 'stage': 'dispensing', 'minutes': 90,
        'instruction': "Compare name, lot number, retest date and status of each container with the "
                       "pick list before opening it.",
        'hold_time': 48, 'storage': "Sealed bags in the locked dispensed-goods cage, at most 25 °C",
        'equipment': [('floor_scale', "Daily check with 20 kg and 100 kg; calibration label in date."),
                      ('bench_balance', "Daily check with 1 kg and 10 kg; calibration label in date.")],
        'steps': [
            clearance("dispensing booth"), *climate(60),
            prepare(2, "Check both scales with the masses of their log book.", "SC-01 within 50 g", "SC-02 within 0.2 g"),
            weigh('ibuprofen', "Floor scale. Quantity as dried, 100 % substance: the target follows the assay and the loss on "
                               "drying of the lot. Where their product is below 99.0 %, stop and ask Quality Control.",
                  "Potent dust: mask P3, gloves, local extraction on."),
            weigh('mcc', "Bench balance."), weigh('starch', "Bench balance. It takes up what the active needs more."),
            weigh('povidone', "Bench balance; hygroscopic, close at once."),
            weigh('croscarmellose', "Bench balance; mark the bag for the outer phase."),
            weigh('silicon_dioxide', "Bench balance; pour slowly."),
            weigh('stearic_acid', "Bench balance."), weigh('magnesium_stearate', "Bench balance.",
                                                           "Dust can ignite: clip the ground wire."),
            weigh('coating_premix', "Bench balance; double bag, marked for coating.")],
    },
    {
        'name': "Granulation", 'workcenter': 'granulation', 'stage': 'processing', 'minutes': 80, 'time_limit': 3,
        'instruction': "High-shear granulator 150 L, filled to about 60 %.",
        'equipment': [('granulator', "Clean and dry; impeller and chopper tight; spray nozzle 1.2 mm; interlock tested."),
                      ('bench_balance', "Calibration label in date.")],
        'steps': [
            clearance("room 109"),
            weigh('purified_water', "Draw from outlet 6 into the pressure vessel, at most 2 hours before use.",
                  name="Draw and weigh purified water for granulation"),
            charge("Load the granulator", "Ibuprofen, microcrystalline cellulose, starch, povidone, in this order "
                                          "through the 10 mesh insert.",
                   equipment=1, sops=['granulation']),
            step("Mix dry", "Impeller 150 rpm, chopper off, 3 minutes.", equipment=1, execution='automated', time_limit=5),
            measure("Power at the end of granulation", ('range', 4.8, 5.4, "kW", 5.1),
                    "Spray the water in 6 minutes at 150 rpm, chopper 1,500 rpm; knead until the power is "
                    "inside, at most 4 minutes.",
                    "Below: add water by 100 g up to the tolerance. Above: stop; Quality Control decides "
                    "after drying of a sample.",
                    equipment=1, plausible=(0, 15), is_critical=True),
            check("Look of the granulate", "Loose, no lumps above 10 mm, no dry powder", "Handful from three places.", STOP)],
    },
    {
        'name': "Drying and milling", 'workcenter': 'granulation', 'stage': 'processing', 'minutes': 110, 'hold_time': 120,
        'instruction': "Fluid-bed dryer, then conical mill 1.0 mm.", 'storage': "Double-lined closed drums, at most 25 °C",
        'yield': (45.3125, 97, 101, "PV-2101: 98.2 to 99.4 %; residual moisture adds up to 1 %."),
        'equipment': [('dryer', "Filter bags of this product in, dry; earthing checked."),
                      ('sieve', "Conical mill insert 1.0 mm intact.")],
        'steps': [
            clearance("dryer and mill"),
            measure("Inlet temperature", ('range', 55, 60, "°C", 58), "Record every 10 minutes.", STOP, equipment=1,
                    execution='automated',
                    plausible=(10, 100)),
            measure("Loss on drying of the granulate", ('range', 0.8, 1.8, "%", 1.2),
                    "From 38 °C product temperature on, halogen balance.",
                    "Dry on in steps of 5 minutes; below the minimum hold the granulate, Quality Control decides.",
                    method='lod',
                    plausible=(0, 20), sample=(1, 5, "g", "At 38 °C product temperature, then every 5 minutes", 'operator'),
                    is_critical=True),
            step("Mill", "Through 1.0 mm; inspect the screen before and after.", equipment=2,
                 checks=["Screen intact before", "Screen intact after"]),
            weigh_yield("the dried granulate")],
    },
    {
        'name': "Final blending", 'workcenter': 'blender', 'stage': 'processing', 'minutes': 60, 'hold_time': 240,
        'instruction': "V-blender with the 150 L shell.", 'storage': "Double-lined closed drums, at most 25 °C",
        'yield': (48.4375, 97, 101, "PV-2101: 98.0 to 99.3 %."),
        'equipment': [('blender_300', "150 L shell fitted, dry, valve tight; cleaning label in date."),
                      ('sieve', "Screen 40 mesh in, intact.")],
        'steps': [
            clearance("room 108"),
            charge("Add the outer phase", "Granulate, croscarmellose sodium, silicon dioxide through 20 mesh.", equipment=1,
                   sops=['blending']),
            measure("Blending time", ('range', 9.5, 10.5, "min", 10), "15 rpm.", equipment=1, execution='automated',
                    plausible=(1, 60)),
            charge("Add the lubricants", "Stearic acid and magnesium stearate through 40 mesh.", equipment=2),
            measure("Lubrication time", ('range', 2.8, 3.2, "min", 3), "15 rpm.", QUARANTINE, equipment=1,
                    execution='automated',
                    plausible=(1, 15)),
            sample("Sample the final blend", "Thief sampler, ten places, 1 to 3 doses each.", 10, 0.6, "g", "Before discharge",
                   'blend'),
            measure("Blend uniformity, RSD of 10", ('nmt', 3.0, "%"), "Result of the laboratory; mean 97 to 103 % of label.",
                    QUARANTINE,
                    performer_role='qc', performer_meaning='checked', method='blend', is_hold_point=True, plausible=(0, 50)),
            weigh_yield("the final blend")],
    },
    {
        'name': "Compression", 'workcenter': 'press', 'stage': 'processing', 'minutes': 210, 'time_limit': 10, 'hold_time': 240,
        'instruction': "Tooling 10 mm round concave. Core: 310 mg.", 'storage': "Lined closed drums, at most 25 °C",
        'yield': (48.4375, 95, 101, "Set-up and rejects, PV-2101: 96.4 to 98.1 %."),
        'equipment': [('press_2', "Punches and dies 10 mm round concave from cabinet 5, inspected; force feeder fitted."),
                      ('detector', "Challenge with all three test pieces."),
                      ('tester', "Self-check passed; calibration label in date.")],
        'steps': [
            clearance("room 112", "Tooling set number recorded"), *climate(60),
            check("Challenge of the metal detector", "All three test pieces rejected",
                  "Before start, every 2 hours and at the end.", STOP,
                  equipment=2),
            measure("Average mass of 20 cores", ('range', 300.7, 319.3, "mg", 310), "At start, every 15 minutes, at the end.",
                    STOP,
                    method='mass', plausible=(150, 500), equipment=3, is_critical=True,
                    sample=(20, 1, "core", "At start, every 15 minutes and at the end", 'operator')),
            measure("Hardness, mean of 10", ('range', 8, 14, "kp", 11), "Every 30 minutes.", STOP, method='hardness',
                    plausible=(1, 40),
                    equipment=3),
            measure("Friability", ('nmt', 0.5, "%"), "Start, middle and end.", STOP, method='friability', plausible=(0, 20)),
            measure("Disintegration, the slowest of 6", ('nmt', 10, "min"), "Start, middle and end.", STOP,
                    method='disintegration',
                    plausible=(0, 60)),
            weigh_yield("the dedusted cores")],
    },
    {
        'name': "Film coating", 'workcenter': 'coating', 'stage': 'processing', 'minutes': 180, 'hold_time': 240,
        'instruction': "One pan load.", 'storage': "Lined closed drums, at most 25 °C",
        'yield': (50, 95, 101, "PV-2101: 96.8 to 98.9 %."),
        'equipment': [('coater', "Pan, baffles and guns clean; three guns, nozzles 1.0 mm, spray pattern checked with water.")],
        'steps': [
            clearance("room 114"),
            weigh('purified_water', "Draw from outlet 6, tare the vessel first.",
                  name="Draw and weigh purified water for coating", line=1),
            charge("Prepare the dispersion", "Strew the premix into the vortex within 3 minutes, stir 45 "
                                             "minutes. Use within 8 hours.",
                   sops=['coating'], time_limit=60),
            measure("Bed temperature", ('range', 38, 43, "°C", 40),
                    "While spraying, every 10 minutes. Ibuprofen melts at 75 °C: never above 50 °C.",
                    "Stop the spray until inside; look at 20 tablets.", plausible=(10, 90), equipment=1,
                    is_critical=True),
            measure("Gain of mass", ('range', 2.9, 3.5, "%", 3.2), "100 tablets against 100 cores.", STOP, method='mass',
                    plausible=(0, 10)),
            check("Appearance", "White, even, no picking, no twins in 100 tablets", "From the pan.", QUARANTINE),
            sample("Sample for release", "From three drums: identity, assay, related substances, dissolution, uniformity.", 3,
                   60, "tablets",
                   "First, middle and last drum", 'assay_ibuprofen'),
            weigh_yield("the coated tablets")],
    },
    {
        'name': "Bottling", 'workcenter': 'packaging', 'stage': 'packaging', 'minutes': 200,
        'instruction': "Bottles of 100 tablets.", 'yield': (50, 94, 101, "Counting rejects and samples, PV-2101."),
        'equipment': [('bottling', "Slats 10 mm, brushes and chute clean; printer shows lot and expiry of this batch.")],
        'steps': [
            clearance("packaging line 1, materials counted in", verifier='qc'), *climate(60),
            check("Challenge of the counter and of the seal detector", "A short bottle and a bottle without seal are rejected",
                  "Before start and at the end.", STOP, equipment=1),
            check("Count, seal and desiccant", "100 tablets, intact seal and one canister in each of 10 bottles",
                  "Every 30 minutes.", STOP),
            measure("Removal torque", ('range', 15, 25, "in·lbf", 20), "6 bottles every 30 minutes.", STOP, method='torque',
                    plausible=(0, 60)),
            weigh_yield("the tablets in full bottles (count × 320 mg)")],
    },
    {
        'name': "Labelling and cartoning", 'workcenter': 'labelling', 'stage': 'labelling', 'minutes': 150,
        'instruction': "Labels and cartons are issued by count against this record (21 CFR 211.125).",
        'equipment': [('labeller', "Roll of the right code on; camera taught with the approved label.")],
        'steps': [
            clearance("room 203, labels and cartons", "Labels counted in by two persons", verifier='qc'),
            check("First label", "Number, version and text as the approved label; lot and expiry as assigned",
                  "Attach the first label.",
                  STOP, verifier_role='qc', verifier_meaning='approved', is_critical=True),
            check("Camera", "A foreign code and a missing label are rejected", "At start, after each new roll and at the end.",
                  STOP,
                  equipment=1, execution='automated'),
            reconcile(),
            sample("Reserve samples", "In the finished pack, twice what all tests need (21 CFR 211.170).", 4, 100, "tablets",
                   "First, middle and last carton", 'mass')],
    },
]


def get_data():
    return {
        'name': 'ibuprofen_50', 'product': 'ibuprofen_tablets', 'formulation': 'IBU200-C', 'profile': 'p211', 'size': 50,
        'unit': 'kgm',
        'header': {
            'reason': "First master record for 50 kg, after process validation PV-2101 (three batches).",
            'precautions': "Ibuprofen dust: mask P3, gloves, glasses; local extraction on. It sticks and melts: product never "
                           "above 50 °C.\nNo other product in rooms 109 to 114 at the same time; changeover cleaning "
                           "verified by swab below 10 ppm.",
            'process_rationale': "Validation PV-2101 (three batches of 50 kg): with end power, moisture of the granulate, "
                                 "hardness and coating temperature inside these limits dissolution was 92 to 98 % in 30 "
                                 "minutes (Q = 80 % in 60 minutes) and content uniformity AV 3.1 to 5.4.",
            'product_description': "Round, biconvex, white film-coated tablet, 10 mm, debossed I 200 on one side.",
            'dosage_form': "Film-coated tablet for oral use, immediate release", 'dosage_unit_weight': 320,
            'dosage_unit_weight_unit': "mg", 'yield_min': 93, 'yield_max': 101,
            'yield_rationale': "PV-2101 and 12 commercial batches: mean 96.9 %, standard deviation 1.0 %; mean ± 4 s, rounded.",
        },
        'components': COMPONENTS,
        'ingredients': [],
        'stages': STAGES,
        'specifications': [
            *component_specifications(dict.fromkeys(row[0] for row in COMPONENTS), MATERIALS), *LABEL_SPECIFICATION,
            *product_specifications(
                'spec_ibuprofen_tablets',
                spec("Identity", "Retention time and UV spectrum as the standard", "HPLC with diode array", 'assay_ibuprofen',
                     identity=True),
                spec("Assay", ('range', 95.0, 105.0, "% of label", 100), "HPLC", 'assay_ibuprofen'),
                spec("Related substances, sum", ('nmt', 0.5, "%"), "HPLC", 'assay_ibuprofen'),
                spec("Uniformity of dosage units, AV", ('nmt', 15, "AV"), "USP <905>, by mass variation", 'mass'),
                spec("Dissolution, Q at 60 minutes", ('nlt', 80, "%"), "USP <711>, apparatus 2, 50 rpm, pH 7.2", 'dissolution'),
                spec("Average mass", ('range', 310.4, 329.6, "mg", 320), "20 tablets", 'mass'),
                spec("Microbial limits", "USP <1111>, oral, non-aqueous", "USP <61>, <62>", 'micro'))],
        'packs': [{
            'name': "Bottle of 100 tablets", 'quantity': 100, 'label': 'ibu_100',
            'description': "White HDPE bottle 150 mL, induction seal, child-resistant cap, desiccant canister, wrap-around "
                           "label with Drug Facts; one bottle in a folding carton. Tamper-evident by the "
                           "printed seal (21 CFR 211.132).",
            'coding_position': "Lot number and expiry date: ink jet on the bottom of the bottle and on "
                               "the end flap of the carton.",
            'clearance': "Hopper, slats, chute and printers empty and checked; labels and cartons of other products removed, "
                         "with the signature of Quality Control.",
            'checks': "Every 30 minutes, 10 bottles: count, seal, torque, label version, legible lot and expiry. Examination "
                      "of the packaged product at the end: 125 bottles, AQL 0.65 (21 CFR 211.134).",
            'materials': [(product, 1) for product in MATERIALS]}],
        'labels': {'ibu_100': {
            'code': "LBL-IBU-100", 'version': "4", 'name': "Ibuprofen 200 mg, 100 tablets", 'product': 'label_ibu_100',
            'image': 'label_ibuprofen_100.png', 'approved': True,
            'panel': "Drug Facts. Active ingredient (in each tablet): ibuprofen 200 mg (NSAID). Purpose: pain reliever, fever "
                     "reducer. Inactive ingredients: microcrystalline cellulose, pregelatinized starch, povidone, "
                     "croscarmellose sodium, silicon dioxide, stearic acid, magnesium stearate, hypromellose, "
                     "titanium dioxide, glycerin.",
            'claims': "None beyond the Drug Facts."}},
        'references': [
            ('clearance', "Every stage"), ('weighing', "Dispensing"), ('granulation', "Granulation and drying"),
            ('compression', "Compression"), ('reconciliation', "Labelling"), ('cleaning', "Changeover"),
            ('deviation', "Results outside limits")],
    }
