"""Vitamin C 500 mg, film-coated, 625 mg a tablet (21 CFR 111): 100 kg and 500 kg."""

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

#: What depends on the batch size; nothing of it is calculated from the other size.
SIZES = {
    100: {'core': 97.0, 'tablets': '160,000', 'shell': '300 L', 'blender': 'blender_300', 'blend': 15, 'speed': 12,
          'minutes': (75, 60, 25, 150, 240, 180, 90), 'press_hours': 4, 'loads': "all cores in one pan load",
          'bottles': ("2,666", "1,333"),
          'reason': "First master record for 100 kg, after process validation PV-2001 (three batches)."},
    500: {'core': 485.0, 'tablets': '800,000', 'shell': '1,500 L', 'blender': 'blender_1500', 'blend': 22, 'speed': 8,
          'minutes': (210, 90, 35, 620, 900, 780, 300), 'press_hours': 14,
          'loads': "the cores in five equal pan loads, each coated and recorded by itself",
          'bottles': ("13,333", "6,666"),
          'reason': "First master record for 500 kg: the blender VB-02 is qualified; formula as revision 2 of the 100 kg."},
}

PRECAUTIONS = """\
Ascorbic acid oxidises and picks up moisture: relative humidity at most 45 %, temperature at most 25 °C, containers closed.
Contact surfaces are stainless steel 316L or PE; iron and copper discolour the blend.
Wear dust mask FFP2, safety glasses, gloves and hair cover. Magnesium stearate and ascorbic acid dust can ignite: \
ground all drums."""

PROCESS_RATIONALE = """\
Assay and uniformity: a blend within 95 to 105 % of label at ten places (RSD at most 5 %) and cores within 3 % of their \
mass gave 508 to 521 mg in composites of 20 tablets (PV-2001); release asks for 500 to 550 mg.
Disintegration: process validation PV-2001 (three batches) showed at most 16 minutes for cores of 12 to 18 kp that were \
lubricated for 3 minutes; the coat adds less than 2 minutes. Release asks for at most 30 minutes.
Stability: loss on drying of the tablets at most 1.0 %, which 45 % RH during manufacture and the sealed bottle with \
desiccant keep, held the assay above 100 % of label for 24 months (STB-2001-A)."""

PANEL = """\
Supplement Facts
Serving size 1 tablet. Servings per container {count}.
Amount per serving: Vitamin C (as ascorbic acid) 500 mg, 556 % Daily Value.
Other ingredients: microcrystalline cellulose, hypromellose, croscarmellose sodium, stearic acid, magnesium stearate, \
silicon dioxide, titanium dioxide, glycerin."""
CLAIMS = """\
"Supports the immune system.*" "Antioxidant.*"
*This statement has not been evaluated by the Food and Drug Administration. This product is not intended to diagnose, \
treat, cure, or prevent any disease. Notification under 21 CFR 101.93 filed for both claims."""

MATERIALS = {
    60: ['bottle_150', 'cap_38', 'seal_38', 'desiccant', 'label_vc_60', 'carton_150'],
    120: ['bottle_250', 'cap_38', 'seal_38', 'desiccant', 'label_vc_120', 'carton_250'],
}

OVERAGE_RATIONALE = """\
Stability study STB-2001-A, three batches in this pack: ascorbic acid falls by 2.1 to 2.6 % of label in 24 months at \
25 °C / 60 % RH, and 0.3 % is lost in coating. 3 % keeps 100 % of label to the end of shelf life."""

#: What revision 2 of the 100 kg changes, and the 500 kg have from the beginning.
CHANGE = {
    'change_category': 'formula',
    'training_required': True,
    'description': "Magnesium stearate 1000 g → 750 g. Overage of ascorbic acid 3 % → 4 % (82.4 kg → 83.2 kg). "
                   "Microcrystalline cellulose 8.6 kg → 8.05 kg in balance. Disintegration of the cores: limit 30 → 20 "
                   "minutes. Mass of the tablet unchanged.",
    'reason': "Three batches disintegrated in 24 to 28 minutes; the study of the lubricant level (DEV-2001-07) gave 14 minutes "
              "at 0.75 % with unchanged ejection force. The 18-month point of STB-2001-A shows a loss of 3.2 %, more than "
              "the overage so far covers.",
}
CHANGED_QUANTITIES = {'mcc': 8.05, 'magnesium_stearate': 750.0}
CHANGED_OVERAGE = (4.0, """\
Stability study STB-2001-A, 18 months: ascorbic acid has fallen by 3.2 % of label, extrapolated 3.6 % at 24 months \
(25 °C / 60 % RH, bottle with desiccant); 0.3 % is lost in coating. 4 % keeps 100 % of label to the end of shelf life.""")
CHANGED_DISINTEGRATION = 20


def get_label(count):
    return {
        'code': f"LBL-VC-{count:03}", 'version': "3", 'name': f"Vitamin C 500 mg, {count} tablets",
        'product': f'label_vc_{count}', 'panel': PANEL.format(count=count), 'claims': CLAIMS,
        'image': f'label_vitamin_c_{count}.png', 'approved': True}


def get_pack(count, capacity):
    return {
        'name': f"Bottle of {count} tablets", 'quantity': count, 'label': f'vc_{count}',
        'description': f"White HDPE bottle {capacity} mL with {count} tablets and one desiccant canister, induction seal, "
                       "child-resistant cap 38 mm, wrap-around label; one bottle in a folding carton.",
        'coding_position': "Lot number and expiry date (MM/YYYY): ink jet on the bottom of the bottle and on the end flap of "
                           "the carton. Expiry: 24 months from the day of compression.",
        'clearance': "Before and after each pack size: hopper, slats and chute empty; labels, cartons and leaflets of other "
                     "products and of the other pack size removed and counted; code of the printers checked.",
        'checks': "At start, every 30 minutes and at the end, 10 bottles: count, desiccant, seal, torque 15 to 25 in·lbf, "
                  "label position and version, legible lot and expiry. Challenge counter and camera at start and end.",
        'materials': [(product, 1) for product in MATERIALS[count]],
    }


def get_data(size):
    """Return the content of the MMR for ``size`` kg; 500 kg is written after the change of the formula."""
    sizes = SIZES[size]
    factor = size // 100
    changed = size > 100
    mcc, stearate = (CHANGED_QUANTITIES['mcc'], CHANGED_QUANTITIES['magnesium_stearate']) if changed else (8.6, 1000.0)
    overage, rationale = CHANGED_OVERAGE if changed else (3.0, OVERAGE_RATIONALE)
    declared = {'is_declared': True}
    core = sizes['core']
    return {
        'name': f'vitamin_c_{size}', 'product': 'vitamin_c', 'formulation': 'VC500-A', 'profile': 'p111', 'size': size,
        'unit': 'kgm',
        'header': {
            'reason': sizes['reason'],
            'precautions': PRECAUTIONS, 'process_rationale': PROCESS_RATIONALE,
            'product_description': "Round, biconvex, white film-coated tablet, 12 mm, plain on both sides.",
            'dosage_form': "Film-coated tablet", 'dosage_unit_weight': 625, 'dosage_unit_weight_unit': "mg",
            'yield_min': 94, 'yield_max': 101,
            'yield_rationale': "Mean of the last 20 batches 97.4 %, standard deviation 0.9 %; mean ± 3.5 s, rounded. More than "
                               "101 % points to an error in weighing or counting.",
        },
        'components': [
            # product, quantity (of ascorbic acid: without overage), unit, stage of use, more
            ('ascorbic_acid', 80.0 * factor, 'kgm', 2, {
                'is_active': True, 'is_declared': True, 'strength': (500, "mg per tablet"),
                'overage': ('percent', overage, rationale), 'supplier': 'ascorbic'}),
            ('mcc', mcc * factor, 'kgm', 2, declared),
            ('croscarmellose', 3.0 * factor, 'kgm', 2, declared),
            ('silicon_dioxide', 500.0 * factor, 'gram', 2, declared),
            ('stearic_acid', 1.5 * factor, 'kgm', 3, declared),
            ('magnesium_stearate', stearate * factor, 'gram', 3, declared),
            ('coating_premix', 3.0 * factor, 'kgm', 5, declared),
            ('purified_water', 17.0 * factor, 'kgm', 5, {
                'not_in_product': True, 'tolerance': 1.0 * factor,
                'tolerance_justification': "The water is removed completely; 14 to 16 % of solids coat alike (PV-2001)."}),
        ],
        'ingredients': [
            ('Vitamin C (as ascorbic acid)', True, 'ascorbic_acid', 500, "mg per tablet"),
            ('Microcrystalline cellulose', False, 'mcc'), ('Croscarmellose sodium', False, 'croscarmellose'),
            ('Silicon dioxide', False, 'silicon_dioxide'), ('Stearic acid', False, 'stearic_acid'),
            ('Magnesium stearate', False, 'magnesium_stearate'), ('Hypromellose', False, 'coating_premix'),
            ('Titanium dioxide (color)', False, 'coating_premix'), ('Glycerin', False, 'coating_premix'),
        ],
        'stages': get_stages(sizes, factor, core, changed),
        'specifications': [
            *component_specifications(
                ['ascorbic_acid', 'mcc', 'croscarmellose', 'silicon_dioxide', 'stearic_acid', 'magnesium_stearate',
                 'coating_premix', 'purified_water'],
                dict.fromkeys(MATERIALS[60] + MATERIALS[120])),
            *LABEL_SPECIFICATION,
            *product_specifications(
                'spec_vitamin_c',
                spec("Identity of vitamin C", "Retention time as the standard", "HPLC", 'assay_vitamin_c', identity=True),
                spec("Vitamin C per tablet", ('range', 500, 550, "mg"), "HPLC, composite of 20 tablets", 'assay_vitamin_c'),
                spec("Average mass", ('range', 612.5, 637.5, "mg", 625), "20 tablets", 'mass'),
                spec("Disintegration", ('nmt', 30, "min"), "USP <2040>, water, 6 tablets", 'disintegration'),
                spec("Loss on drying", ('nmt', 1.0, "%"), "In vacuum over silica gel", 'lod'),
                spec("Lead", ('nmt', 0.5, "µg per tablet"), "ICP-MS", 'metals'),
                spec("Total aerobic count", ('nmt', 3000, "CFU/g"), "USP <2021>", 'micro'),
                spec("Yeasts and moulds", ('nmt', 300, "CFU/g"), "USP <2021>", 'micro'),
                spec("Escherichia coli, Salmonella", "Absent in 10 g", "USP <2022>", 'micro')),
        ],
        'packs': [get_pack(60, 150), get_pack(120, 250)],
        'labels': {'vc_60': get_label(60), 'vc_120': get_label(120)},
        'references': [
            ('clearance', "Line clearance of every stage"), ('weighing', "Dispensing"),
            ('cleaning', "Equipment of every stage"),
            ('deviation', "Results outside limits and yields outside their band"),
            ('sampling', "Blend, cores, finished tablets"),
            ('gowning', "Everybody in rooms 102 to 203")],
    }


def get_stages(sizes, factor, core, changed):
    minutes = sizes['minutes']
    places = {100: "ten places", 500: "ten places of the shell, three of them at the valve"}[100 * factor]
    disintegration = CHANGED_DISINTEGRATION if changed else 30
    return [
        {
            'name': "Dispensing", 'workcenter': 'dispensing', 'stage': 'dispensing', 'minutes': minutes[0],
            'instruction': "Compare name, lot number, expiry date and status of each container with the pick list before "
                           "opening it. Each component into its own labelled bag: floor scale from 10 kg, bench balance below.",
            'hold_time': 72, 'storage': "Sealed bags on one pallet in the dispensed-goods area, at most 25 °C and 45 % RH",
            'equipment': [
                ('floor_scale', "Daily check with 20 kg and 100 kg; calibration label in date; pan wiped with alcohol 70 %."),
                ('bench_balance', "Daily check with 1 kg and 10 kg; level; calibration label in date."),
                ('sieve', "Dry, screens 20 and 40 mesh undamaged, serial numbers of the screens recorded.")],
            'steps': [
                clearance("dispensing booth"), *climate(45),
                prepare(1, "Check both scales with the masses of their log book.", "SC-01 within 50 g", "SC-02 within 0.2 g"),
                weigh('ascorbic_acid', "Floor scale. It comes from several containers: weigh each, record lot and net "
                                       "mass, keep the lots apart.",
                      "Oxidises: nitrogen over the opened container, close it at once. Dust can ignite: clip the ground wire."),
                weigh('mcc', "Floor scale, in two bags of equal mass, marked 1 of 2 and 2 of 2."),
                weigh('croscarmellose', "Bench balance."),
                weigh('silicon_dioxide', "Bench balance; pour slowly, it flies.",
                      "Very fine dust: local extraction on, mask FFP2."),
                weigh('stearic_acid', "Bench balance."),
                weigh('magnesium_stearate', "Bench balance.", "Dust can ignite: clip the ground wire."),
                weigh('coating_premix', "Bench balance; double bag, marked for coating."),
                weigh('purified_water', "From the loop at outlet 4 on the day of use; tare the vessel of the coating room.",
                      name="Draw and weigh purified water for coating"),
                check("Status of the lots", "Every lot released and inside its retest date",
                      "Scan the label of each bag; compare with the list of Quality Control.", QUARANTINE,
                      performer_role='verifier', performer_meaning='checked')],
        },
        {
            'name': "Sieving and blending", 'workcenter': 'blender', 'stage': 'processing', 'minutes': minutes[1],
            'instruction': f"V-blender with the {sizes['shell']} shell.", 'time_limit': 4,
            'equipment': [(sizes['blender'], f"{sizes['shell']} shell fitted, dry, valve closed and "
                                             "tight; cleaning label in date."),
                          ('sieve', "Screen 20 mesh in, intact.")],
            'steps': [
                clearance("room 108"), *climate(45),
                charge("Sieve", "Pass silicon dioxide, croscarmellose sodium and bag 1 of 2 of the cellulose together through "
                                "20 mesh into a lined drum. Inspect the screen afterwards.", equipment=2, sops=['blending'],
                       checks=["Screen intact before", "Screen intact after", "Residue on the screen recorded"]),
                charge("Load the blender", "In this order: half of the ascorbic acid, the sieved premix, bag 2 of 2 of the "
                                           "cellulose, the other half of the ascorbic acid. A second "
                                           "person verifies each addition.", equipment=1,
                       picture='loading_order.png', sops=['blending'],
                       precaution="The shell must be locked (lamp yellow) before anybody reaches into it."),
                measure("Blending time", ('range', sizes['blend'] - 1, sizes['blend'] + 1, "min", sizes['blend']),
                        f"Blend at {sizes['speed']} rpm.", equipment=1, execution='automated', plausible=(1, 60)),
                sample("Sample the blend", f"Thief sampler, {places}; label each vial with place and time.", 10, 2, "g",
                       "After blending, before the lubricant is added", 'blend'),
                measure("Uniformity of the blend, RSD of 10", ('nmt', 5.0, "%"), "Result of the laboratory.",
                        "Do not lubricate. Blend 5 minutes more once and sample again; where it still fails, "
                        "Quality Control decides.",
                        performer_role='qc', performer_meaning='checked', method='blend', is_hold_point=True,
                        plausible=(0, 50))],
        },
        {
            'name': "Lubrication", 'workcenter': 'blender', 'stage': 'processing', 'minutes': minutes[2],
            'instruction': "Add the lubricants to the blend.", 'time_limit': 2, 'hold_time': 168,
            'storage': "Double-lined closed drums with desiccant bag, room 110, at most 25 °C and 45 % RH",
            'yield': (core, 98, 100.5, "Handling loss of the blender and of samples, 20 batches: 0.3 to 1.4 %."),
            'equipment': [(sizes['blender'], "As left by the stage before; nothing was opened in between."),
                          ('sieve', "Screen 40 mesh in, intact.")],
            'steps': [
                clearance("room 108, sieve and drums", "Drums lined twice and numbered"),
                charge("Add the lubricants", "Pass stearic acid and magnesium stearate through 40 mesh and "
                                             "spread them over the blend.",
                       equipment=2, sops=['blending']),
                measure("Lubrication time", ('range', 2.8, 3.2, "min", 3),
                        f"{sizes['speed']} rpm. Not longer: over-lubricated blend disintegrates slowly.",
                        "Hold the blend; Quality Control decides after a trial compression and disintegration of 6 cores.",
                        equipment=1, execution='automated', plausible=(1, 15)),
                measure("Loss on drying of the blend", ('nmt', 1.5, "%"), "Halogen balance, 5 g, 90 °C.", QUARANTINE,
                        method='lod',
                        plausible=(0, 10), sample=(1, 5, "g", "At discharge, middle drum", 'operator')),
                weigh_yield("the final blend")],
        },
        {
            'name': "Compression", 'workcenter': 'press', 'stage': 'processing', 'minutes': minutes[3],
            'instruction': "12 mm round concave tooling, plain. Core: 606 mg.", 'time_limit': sizes['press_hours'] * 2,
            'hold_time': 240,
            'storage': "Lined closed drums with desiccant bag, room 110, at most 25 °C and 45 % RH",
            'yield': (core, 96, 101, "Set-up, rejects and samples, 20 batches: 1.2 to 2.9 %."),
            'equipment': [
                ('class:press', "35 punches and dies 12 mm round concave from cabinet 3, inspected; turret clean and "
                                "oiled; force feeder fitted."),
                ('detector', "Challenge with ferrous 0.3 mm, non-ferrous 0.4 mm and stainless 0.5 mm; all three rejected."),
                ('tester', "Self-check passed; calibration label in date.")],
            'steps': [
                clearance("room 112", "Dust extractor empty, filter dry", "Tooling set number recorded"), *climate(45),
                prepare(1, "Set up with 2 kg of blend; these cores are destroyed.", "Depth of fill and thickness recorded",
                        "Press speed 40 to 50 rpm"),
                check("Challenge of the metal detector", "All three test pieces rejected",
                      "Before start, every 2 hours and at the end.",
                      "Stop; everything since the last good challenge goes through the detector again.", equipment=2),
                measure("Average mass of 20 cores", ('range', 588, 624, "mg", 606), "At start, every 15 minutes, at the end.",
                        STOP, method='mass', plausible=(400, 800), equipment=3, is_critical=True,
                        sample=(20, 1, "core", "At start, every 15 minutes and at the end", 'operator')),
                measure("Hardness, mean of 5", ('range', 12, 18, "kp", 15), "At start and every 15 minutes.", STOP,
                        method='hardness',
                        plausible=(1, 40), equipment=3),
                measure("Thickness, each of 5", ('range', 5.3, 5.7, "mm", 5.5), "At start and every 15 minutes.", STOP,
                        method='hardness',
                        plausible=(3, 8), equipment=3),
                measure("Friability", ('nmt', 0.8, "%"), "At start, in the middle and at the end: 6.5 g, 100 turns.", STOP,
                        method='friability', plausible=(0, 20)),
                measure("Disintegration of 6 cores, the slowest", ('nmt', disintegration, "min"),
                        "At start, in the middle and at the end, in water at 37 °C.",
                        "Stop. Lower the compression force within the hardness limits and repeat; above the limit again: hold "
                        "the drum, Quality Control decides.", method='disintegration', plausible=(0, 120), is_critical=True),
                check("Appearance", "White, smooth, no capping, chipping or black specks", "50 cores every 15 minutes.", STOP),
                weigh_yield("the dedusted cores, without rejects")],
        },
        {
            'name': "Film coating", 'workcenter': 'coating', 'stage': 'processing', 'minutes': minutes[4],
            'instruction': f"Load {sizes['loads']}.", 'hold_time': 240,
            'storage': "Lined closed drums with desiccant bag, room 110, at most 25 °C and 45 % RH",
            'yield': (100 * factor, 96, 101, "Spray loss 2 to 5 % of the premix, samples; 20 batches: 97.1 to 99.8 %."),
            'equipment': [('coater',
                           "Pan, baffles and guns clean; four guns, nozzles 1.0 mm, spray pattern checked with water.")],
            'steps': [
                clearance("room 114"),
                charge("Prepare the dispersion", "Strew the premix into the vortex of the purified water within 5 minutes, "
                                                 "then stir 45 minutes slowly. Use "
                                                 "within 8 hours, stirring.", time_limit=60, sops=['coating']),
                measure("Bed temperature", ('range', 40, 44, "°C", 42), "While spraying, every 10 minutes; inlet 62 to 68 °C.",
                        "Stop the spray until the bed is inside; look at 20 tablets for picking and twins.", plausible=(10, 90),
                        equipment=1),
                measure("Gain of mass", ('range', 2.8, 3.4, "%", 3.1),
                        "Mass of 100 tablets against 100 cores. Spray until inside.",
                        STOP, method='mass', plausible=(0, 10), sample=(100, 1, "tablet",
                                                                        "When 90 % of the dispersion is sprayed", 'operator')),
                step("Dry and cool", "10 minutes at 45 °C without spray, then below 30 °C; discharge into lined drums.",
                     time_limit=40),
                check("Appearance", "White, even, no picking, no twins in 100 tablets", "100 tablets of each load.",
                      QUARANTINE),
                sample("Sample the coated tablets", "From three drums, for release: assay, mass, disintegration, loss on "
                                                    "drying, lead, microbiology.", 3, 60, "tablets",
                       "First, middle and last drum", 'assay_vitamin_c'),
                weigh_yield("the coated tablets")],
        },
        {
            'name': "Bottling", 'workcenter': 'packaging', 'stage': 'packaging', 'minutes': minutes[5],
            'instruction': f"Bottles of 60 (all: {sizes['bottles'][0]}) or of 120 (all: {sizes['bottles'][1]}), as ordered; "
                           f"one pack size after the other. {sizes['tablets']} tablets.",
            'yield': (100 * factor, 95, 101, "Counting rejects and samples, 20 batches: 0.8 to 3.3 %."),
            'equipment': [('bottling', "Slats 12 mm for the pack size, brushes and chute clean; induction sealer 1.6 kW set; "
                                       "printer shows lot and expiry of this batch.")],
            'steps': [
                clearance("packaging line 1, materials counted in", "Bottles, caps and liners of the other pack size removed",
                          verifier='qc'), *climate(45),
                check("Challenge of the counter and of the seal detector",
                      "A short bottle and a bottle without seal are rejected",
                      "Before start and at the end.", STOP, equipment=1),
                check("Count per bottle", "60 or 120 tablets in each of 10 bottles, as the pack size says", "Every 30 minutes.",
                      STOP,
                      sample=(10, 1, "bottle", "At start, every 30 minutes and at the end", 'operator'), method='visual'),
                measure("Removal torque", ('range', 15, 25, "in·lbf", 20), "Every 30 minutes, 6 bottles.", STOP,
                        method='torque',
                        plausible=(0, 60)),
                check("Seal and desiccant", "Seal intact all round in 10 bottles, one canister in each",
                      "Every 30 minutes; dye test at start and end.", STOP),
                step("Photo of the first bottle", "Label side and bottom with lot and expiry.", 'photo'),
                weigh_yield("the tablets in full bottles (count × 625 mg)")],
        },
        {
            'name': "Labelling and cartoning", 'workcenter': 'labelling', 'stage': 'labelling', 'minutes': minutes[6],
            'instruction': "Labels and cartons are issued by count against this record.",
            'equipment': [('labeller', "Roll of the right code on, camera taught with the first approved label.")],
            'steps': [
                clearance("room 203, labels and cartons", "Labels counted in by two persons", verifier='qc'),
                check("First label", "Number, version and text as in this record; lot and expiry as assigned",
                      "Attach the first label to the record.", "Stop; return the roll, investigate the issue of labels.",
                      verifier_role='qc', verifier_meaning='approved', is_critical=True),
                check("Camera", "A foreign code and a missing label are rejected",
                      "At start, after each new roll and at the end.", STOP,
                      equipment=1, execution='automated'),
                check("Label position and legibility", "Straight within 1 mm, no fold, code readable, lot and expiry legible",
                      "10 bottles every 30 minutes.", STOP),
                reconcile(),
                sample("Retained samples", "In the finished pack, twice what all tests need; room R2.", 2, 60, "tablets",
                       "First and last carton", 'mass')],
        },
    ]
