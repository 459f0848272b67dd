"""Sterile wound dressing kit (ISO 13485, 21 CFR 820): 50 kits, sterilized with ethylene oxide."""

from .common import (
    HOLD_BATCH,
    LABEL_SPECIFICATION,
    QUARANTINE,
    STOP,
    check,
    clearance,
    component_specifications,
    measure,
    prepare,
    product_specifications,
    reconcile,
    sample,
    spec,
    step,
    weigh,
)

COUNTED = "Count from one lot, inspect each piece under the lamp, reject what is damaged or soiled."
COMPONENTS = [(product, quantity, 'unit', 1, {}) for product, quantity in (
    ('tray', 54), ('gauze', 250), ('dressing_pad', 50), ('forceps', 100), ('drape', 50), ('gloves', 50), ('waste_bag', 50))]
COMPONENTS.append(('lid', 54, 'unit', 2, {}))
MATERIALS = {'label_kit': 1, 'carton_kit': 0.1}
CLEANROOM = [
    measure("Differential pressure to the corridor", ('range', 10, 30, "Pa", 15),
            "Read at the pass box before the work and every 2 hours.",
            "Stop, cover the trays; start again after 20 minutes inside the limits, open a deviation.", kind='environment',
            plausible=(-50, 100)),
    measure("Airborne particles of 0.5 µm and larger", ('nmt', 3520000, "per m³"), "Counter at the table, before the work.",
            "Stop; clean and measure again. Trays opened in between are rejected.", kind='environment',
            plausible=(0, 100000000)),
]
STAGES = [
    {
        'name': "Kit assembly", 'workcenter': 'cleanroom', 'stage': 'processing', 'minutes': 150,
        'instruction': "Lay out each tray as in drawing DWG-2301-01. Gowning for ISO class 8.", 'time_limit': 6, 'hold_time': 4,
        'storage': "Covered trays in cleanroom 301",
        'equipment': [('table', "Wiped with sterile alcohol 70 %, laminar flow on for 15 minutes, filter in date.")],
        'steps': [
            clearance("cleanroom 301", "Cardboard removed outside; inner bags wiped through the pass box"), *CLEANROOM,
            prepare(1, "Air velocity 0.36 to 0.54 m/s at three places.", "Velocity recorded", "Filter in date"),
            weigh('tray', COUNTED, name="Count 54 trays, lay out 50"),
            weigh('gauze', f"{COUNTED} Five in the large compartment of each tray.",
                  name="Count and place 5 gauze swabs a tray"),
            weigh('dressing_pad', f"{COUNTED} On the swabs, wound side down.", name="Count and place 1 dressing pad a tray"),
            weigh('forceps', f"{COUNTED} Two in the long compartment, tips away from the pad.",
                  name="Count and place 2 forceps a tray"),
            weigh('drape', f"{COUNTED} Folded, on top.", name="Count and place 1 drape a tray"),
            weigh('gloves', f"{COUNTED} In the small compartment, cuffs outwards.",
                  name="Count and place 1 pair of gloves a tray"),
            weigh('waste_bag', f"{COUNTED} Folded, under the drape.", name="Count and place 1 waste bag a tray"),
            check("Completeness of each kit", "Swabs 5, pad 1, forceps 2, drape 1, gloves 1 pair, bag 1, "
                                              "laid out as in the picture",
                  "A second person checks every tray before it leaves the table.",
                  "Correct the tray; two incomplete trays in a batch: stop and open a deviation.", verifier_role='verifier',
                  verifier_meaning='checked', is_critical=True,
                  picture='kit_layout.png',
                  checks=["5 swabs", "1 pad", "2 forceps", "1 drape", "1 pair of gloves", "1 waste bag"], sops=['assembly'])],
    },
    {
        'name': "Heat sealing", 'workcenter': 'cleanroom', 'stage': 'packaging', 'minutes': 90,
        'instruction': "Tyvek lids, validated window SV-2301.", 'time_limit': 4,
        'equipment': [('sealer', "Tool of tray DWG-2301-01 in, temperature stable for 20 minutes, calibration label in date.")],
        'steps': [
            clearance("tray sealer"),
            weigh('lid', COUNTED, name="Count 54 lids and apply one to each tray"),
            measure("Sealing temperature", ('range', 128, 136, "°C", 132), "Read before each cycle.",
                    "Stop. Trays sealed outside the window are rejected.", equipment=1, execution='automated',
                    plausible=(20, 200),
                    is_critical=True, sops=['sealing']),
            measure("Sealing time", ('range', 1.8, 2.2, "s", 2), "Set value, each cycle.",
                    "Stop. Trays sealed outside the window are rejected.",
                    equipment=1, execution='automated', plausible=(0, 10)),
            measure("Sealing pressure", ('range', 3.8, 4.2, "bar", 4), "Read before each cycle.",
                    "Stop. Trays sealed outside the window are rejected.", equipment=1, execution='automated',
                    plausible=(0, 10)),
            measure("Seal strength, each of 4 corners", ('nlt', 1.2, "N/15 mm"), "Two trays without content, at start and end.",
                    HOLD_BATCH, method='seal', sample=(2, 1, "tray", "At the start and at the end", 'operator'),
                    plausible=(0, 20)),
            check("Seal of each tray", "Continuous, at least 6 mm, no wrinkle, channel or burn", "Every tray, under the lamp.",
                  STOP,
                  verifier_role='verifier', verifier_meaning='checked', is_critical=True)],
    },
    {
        'name': "Labelling", 'workcenter': 'labelling', 'stage': 'labelling', 'minutes': 45,
        'instruction': "Label with UDI, lot and use-by date on the lid; ten kits in a carton with a process indicator.",
        'equipment': [('labeller', "Camera taught with the first approved label.")],
        'steps': [
            clearance("room 203, labels and cartons", verifier='qc'),
            check("First label", "Number, version, UDI-DI and text as in this record; lot and use-by date as assigned",
                  "Scan the UDI; attach the first label to the record.", STOP, verifier_role='qc', verifier_meaning='approved',
                  is_critical=True),
            reconcile(), step("Photo of the first carton", "Open carton with ten kits and the process indicator.", 'photo')],
    },
    {
        'name': "Sterilization and aeration", 'workcenter': 'sterilization', 'stage': 'processing', 'minutes': 1440,
        'instruction': "Cycle EO-2301, validated by ISO 11135 overkill, half cycle (VR-2301).", 'hold_time': 336,
        'storage': "Aeration room at 35 to 45 °C, then quarantine store",
        'equipment': [('sterilizer', "Last calibration and leak test in date; gas lot released; printer paper in.")],
        'steps': [
            clearance("room 310", "No product of another cycle in the chamber"),
            step("Load", "Five cartons as in the loading pattern; 12 biological indicators at the places of VR-2301.",
                 sops=['sterilization'],
                 checks=["12 biological indicators placed", "Pattern as in VR-2301"],
                 precaution="Ethylene oxide is toxic and explosive: gas alarm on, never enter the room "
                            "while the red lamp is on."),
            measure("Relative humidity at conditioning", ('range', 45, 75, "% RH", 60), "Chart of the cycle.", HOLD_BATCH,
                    equipment=1,
                    execution='automated', kind='environment', plausible=(0, 100)),
            measure("Chamber temperature", ('range', 50, 56, "°C", 53), "Chart of the cycle, whole exposure.", HOLD_BATCH,
                    equipment=1,
                    execution='automated', plausible=(0, 100), is_critical=True),
            measure("Concentration of ethylene oxide", ('range', 550, 700, "mg/l", 600),
                    "Calculated from gas mass and chamber volume.",
                    HOLD_BATCH, equipment=1, execution='automated', plausible=(0, 1500), is_critical=True),
            measure("Exposure", ('nlt', 240, "min"), "Chart of the cycle.", HOLD_BATCH, equipment=1, execution='automated',
                    plausible=(0, 1000),
                    is_critical=True),
            measure("Aeration", ('nlt', 72, "h"), "At 35 to 45 °C.", "Aerate on and test residuals again.", plausible=(0, 500)),
            check("Process indicators", "Turned from yellow to blue in every carton", "At unloading.", HOLD_BATCH)],
    },
    {
        'name': "Release tests", 'workcenter': 'laboratory', 'stage': 'testing', 'minutes': 120,
        'instruction': "Kits stay in quarantine until all results are in.",
        'equipment': [],
        'steps': [
            sample("Biological indicators", "All 12, incubated 7 days at 35 °C.", 12, 1, "indicator", "At unloading",
                   'sterility'),
            check("Growth of biological indicators", "No growth in 12; growth in the positive control", "After 7 days.",
                  HOLD_BATCH,
                  performer_role='qc', performer_meaning='checked', verifier_role='verifier', method='sterility',
                  is_hold_point=True),
            measure("Ethylene oxide residual", ('nmt', 4, "mg per kit"), "ISO 10993-7, exhaustive extraction of one kit.",
                    QUARANTINE,
                    performer_role='qc', performer_meaning='checked', method='eo', plausible=(0, 100),
                    sample=(1, 1, "kit", "After aeration", 'qc'))],
    },
]


def get_data():
    return {
        'name': 'dressing_kit_50', 'product': 'dressing_kit', 'formulation': 'KIT2301-B', 'profile': 'pdev', 'size': 50,
        'unit': 'unit',
        'header': {
            'reason': "First master record for 50 kits; takes over device master record DMR-2301, issue 7, without change.",
            'precautions': "Gowning for ISO class 8, hands disinfected every 30 minutes, nobody with an open wound or a "
                           "cold.\nEthylene oxide: see SOP-STE-001; kits are not opened before the residual is released.",
            'process_rationale': "Sealing window SV-2301 (temperature, time, pressure at their corners: seal strength 1.6 to "
                                 "3.1 N/15 mm, no dye penetration) and sterilization VR-2301 (SAL 10⁻⁶ at a bioburden up to "
                                 "200 CFU a kit) are validated.",
            'product_description': "Single-use kit in a PETG tray with Tyvek lid: 5 swabs, 1 dressing pad, 2 forceps, 1 drape, "
                                   "1 pair of gloves, 1 waste bag. Sterile, EO.",
            'yield_min': 80, 'yield_max': 100,
            'yield_rationale': "Four empty trays for seal strength do not count. Tests take up to 5 kits; at most 5 of 50 were "
                               "rejected at sealing in 15 batches.",
        },
        'components': COMPONENTS,
        'ingredients': [],
        'stages': STAGES,
        'specifications': [
            *component_specifications([row[0] for row in COMPONENTS], MATERIALS), *LABEL_SPECIFICATION,
            *product_specifications(
                'spec_dressing_kit',
                spec("Content", "5 swabs, 1 pad, 2 forceps, 1 drape, 1 pair of gloves, 1 waste bag", "Visual, 2 kits", 'visual',
                     identity=True),
                spec("Seal integrity", "No dye penetration in 2 kits", "ASTM F1929", 'seal'),
                spec("Bioburden before sterilization", ('nmt', 200, "CFU per kit"), "ISO 11737-1, quarterly", 'sterility'),
                spec("Sterility", "SAL 10⁻⁶: cycle within limits and no growth of indicators", "ISO 11135", 'sterility'),
                spec("Ethylene oxide residual", ('nmt', 4, "mg per kit"), "ISO 10993-7", 'eo'))],
        'packs': [{
            'name': "Single kit, sterile", 'quantity': 1, 'label': 'kit',
            'description': "PETG tray with heat-sealed Tyvek lid, label on the lid; ten kits in a carton "
                           "with a process indicator.",
            'coding_position': "Lot number and use-by date (YYYY-MM-DD) on the label, in words and in the UDI "
                               "carrier; lot on the carton.",
            'clearance': "Labels of other kits removed and counted; label printer queue empty.",
            'checks': "Every kit: label, UDI readable, lid not damaged. Carton: ten kits, indicator, lot.",
            'materials': list(MATERIALS.items())}],
        'labels': {'kit': {
            'code': "LBL-KIT-2301", 'version': "5", 'name': "Sterile wound dressing kit", 'product': 'label_kit',
            'image': 'label_dressing_kit.png', 'approved': True,
            'panel': "Contents: 5 gauze swabs, 1 absorbent dressing pad 10 × 20 cm, 2 forceps, 1 drape 45 × 75 cm, 1 pair of "
                     "gloves (nitrile, M), 1 waste bag. STERILE EO. Do not re-use, do not re-sterilize, do not use "
                     "if the package is damaged.",
            'claims': "Intended for cleaning and covering of acute and chronic wounds."}},
        'references': [
            ('drawing_kit', "Layout and tray"), ('assembly', "Kit assembly"), ('sealing', "Heat sealing"),
            ('sterilization', "Sterilization"),
            ('clearance', "Every stage"), ('gowning', "Cleanroom 301"), ('deviation', "Nonconforming kits")],
        'sections': {
            'device': {'text': "Kit KIT2301-B, class IIa (EU), 510(k) exempt parts (US). Composition: list of components of "
                               "this record; drawing DWG-2301-01 rev. C, "
                               "sheets 1 to 3. No software.", 'file': 'kit_layout.png'},
            'production': {'text': "Stages 1 to 4 of this record. Cleanroom 301, ISO class 8 (ISO 14644-1), monitored by "
                                   "SOP-HYG-001. Validated: sealing SV-2301, sterilization VR-2301."},
            'quality': {'text': "Specifications of this record; acceptance of components by SOP-QC-008; release by stage 5.",
                        'location': "Test procedures TM-QC-116 to TM-QC-118, Quality Control laboratory"},
            'packaging': {'text': "Sterile barrier: PETG tray and Tyvek lid (ISO 11607-1, -2). Label LBL-KIT-2301, UDI-DI "
                                  "08681100023015. Shelf life 36 months by accelerated ageing (ASTM "
                                  "F1980), real time running."},
            'service': {'not_applicable_reason': "Single-use device: nothing is installed or serviced."},
        },
    }
