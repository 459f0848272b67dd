"""What the records of the demonstration have in common: short constructors, wording, specifications.

Limits are tuples: ``('range', minimum, maximum, unit)``, ``('nlt', minimum, unit)``, ``('nmt', maximum, unit)``, with
a target as an optional last item; what passes in words is a string.
"""

QUARANTINE = "Hold the material in quarantine and inform Quality Control; open a deviation (SOP-QA-015)."
REJECT_LOT = "Reject the lot. No retest on the same sample; inspect every container of the delivery before it is returned."
RETEST = "Hold the lot in quarantine and inform Quality Control; retest in duplicate (SOP-QC-008), reject it where confirmed."
REJECT_MATERIAL = "Block the delivery, inform Purchasing and Quality Control; sort or return it."
STOP = "Stop, segregate what was made since the last good check, correct and repeat the check; open a deviation (SOP-QA-015)."
HOLD_BATCH = "Hold the batch in quarantine; Quality Control investigates and decides by material review (SOP-QA-015)."
CLIMATE = ("Close all containers and stop. Start again when two readings 15 minutes apart conform; above 2 hours open a "
           "deviation.")
NOT_CLEAR = "Remove what was found, have the area cleaned and repeat the clearance with another verifier; open a deviation."

CLEARANCE_CHECKS = [
    "No material, sample or label of another batch is in the area",
    "No document of another batch is in the area",
    "Cleaning labels of room and equipment are in date",
    "Waste bins are empty",
    "The status board shows this product and batch number",
]


# === STEPS === #

def step(name, instruction, kind='instruction', **extra):
    return dict(extra, kind=kind, name=name, instruction=instruction)


def clearance(area, *checks, verifier='verifier'):
    return step(
        f"Line clearance, {area}", "Go through the checklist; a second person confirms it in the area itself.",
        'clearance', verifier_role=verifier, verifier_meaning='checked', checks=[*CLEARANCE_CHECKS, *checks],
        sops=['clearance'], is_critical=True)


def climate(humidity, temperature=25):
    return [
        step("Relative humidity", "Read the display at the door before the work and every 2 hours.", 'environment',
             limits=('nmt', humidity, "% RH"), plausible=(5, 95), corrective_action=CLIMATE),
        step("Room temperature", "Read the display at the door before the work and every 2 hours.", 'environment',
             limits=('range', 15, temperature, "°C"), plausible=(0, 50), corrective_action=CLIMATE),
    ]


def prepare(equipment, instruction, *checks, **extra):
    return step("Check the equipment", instruction, 'equipment', equipment=equipment, checks=checks,
                sops=['cleaning'], **extra)


def weigh(component, instruction, precaution=None, name=None, line=0):
    """Weigh a component; ``line`` tells lines of the same component apart, counted from 0."""
    return step(name, instruction, 'weigh', component=(component, line), precaution=precaution, sops=['weighing'],
                verifier_role='verifier', is_critical=True)


def charge(name, instruction, **extra):
    """Add what was weighed: a second person verifies each addition (21 CFR 111.210(h)(3)(ii)(B))."""
    return step(name, instruction, verifier_role='verifier', is_critical=True, **extra)


def measure(name, limits, instruction, action=STOP, **extra):
    return step(name, instruction, **{'kind': 'numeric', **extra}, limits=limits, corrective_action=action)


def check(name, expected, instruction, action=STOP, **extra):
    return step(name, instruction, 'passfail', limits=expected, corrective_action=action, **extra)


def sample(name, instruction, count, size, unit, when, method, role='qc', **extra):
    return step(name, instruction, 'sampling', sample=(count, size, unit, when, role), method=method, sops=['sampling'],
                performer_role='operator' if role == 'operator' else role, **extra)


def weigh_yield(what):
    return step(f"Yield: {what}", f"Weigh {what} net, record each container and calculate the percentage of theoretical yield. "
                                  "Outside the band: stop, hold the material and inform Quality Control.", 'yield',
                verifier_role='verifier', is_critical=True)


def reconcile(labels="labels"):
    return step("Label reconciliation", f"Issued = used + destroyed + samples + returned {labels}. Every difference is "
                                        "explained before the line is cleared; roll-fed labels with "
                                        "camera check: at most 0.5 %.", 'label',
                verifier_role='production', verifier_meaning='checked', sops=['reconciliation'], is_critical=True)


# === SPECIFICATIONS === #

def spec(name, limits, method, test, action=RETEST, identity=False):
    return {'name': name, 'limits': limits, 'method': method, 'test': test, 'corrective_action': action,
            'is_identity': identity}


def identity(method="FTIR against the reference spectrum", test='ftir', expected="Identical with the reference"):
    return spec("Identity", expected, method, test, REJECT_LOT, identity=True)


def excipient(*rows):
    return [identity(), *rows]


#: Rows by product; each component belongs to the document ``sop_demo_spec_<product>``.
COMPONENTS = {
    'ascorbic_acid': [
        identity(), spec("Assay", ('range', 99.0, 100.5, "%"), "Iodometric titration", 'titration'),
        spec("Loss on drying", ('nmt', 0.4, "%"), "In vacuum over silica gel", 'lod'),
        spec("Lead", ('nmt', 2, "mg/kg"), "ICP-MS", 'metals', REJECT_LOT),
        spec("Particles below 150 µm", ('nmt', 10, "%"), "Sieve analysis, 10 minutes", 'visual')],
    'mcc': excipient(spec("Loss on drying", ('nmt', 7.0, "%"), "105 °C, 3 hours", 'lod'),
                     spec("Bulk density", ('range', 0.28, 0.33, "g/ml"), "USP <616>", 'density')),
    'croscarmellose': excipient(spec("Loss on drying", ('nmt', 10.0, "%"), "105 °C, 6 hours", 'lod')),
    'stearic_acid': excipient(spec("Acid value", ('range', 194, 212, "mg KOH/g"), "Titration", 'titration')),
    'silicon_dioxide': excipient(spec("pH of a 4 % dispersion", ('range', 3.5, 5.5, "pH"), "Electrode", 'ph')),
    'magnesium_stearate': excipient(
        spec("Loss on drying", ('nmt', 6.0, "%"), "105 °C to constant mass", 'lod'),
        spec("Specific surface", ('range', 4.0, 8.0, "m²/g"), "Certificate of the supplier, verified once a year", 'visual')),
    'coating_premix': [
        identity("Colour and FTIR of the dried film"),
        spec("Viscosity of a 15 % dispersion", ('range', 150, 300, "mPa·s"), "Rotational viscometer, 25 °C", 'visual')],
    'purified_water': [
        identity("Conductivity, on line", 'ph', "USP <645> stage 1 passes"),
        spec("Total organic carbon", ('nmt', 500, "µg/l"), "On line, USP <643>", 'visual', QUARANTINE),
        spec("Aerobic count", ('nmt', 100, "CFU/ml"), "Membrane filtration, weekly at the point of use", 'micro', QUARANTINE)],
    'zinc_gluconate': [
        identity(), spec("Assay", ('range', 97.0, 102.0, "%"), "Complexometric titration", 'titration'),
        spec("Lead", ('nmt', 5, "mg/kg"), "ICP-MS", 'metals', REJECT_LOT)],
    'ibuprofen': [
        identity(), spec("Identity by HPLC", "Retention time as the standard", "HPLC", 'assay_ibuprofen', REJECT_LOT, True),
        spec("Assay", ('range', 98.5, 101.0, "%"), "Titration, dried substance", 'titration'),
        spec("Loss on drying", ('nmt', 0.5, "%"), "In vacuum over phosphorus pentoxide", 'lod'),
        spec("Particle size d50", ('range', 25, 60, "µm"), "Laser diffraction", 'visual')],
    'povidone': excipient(spec("K value", ('range', 27.0, 32.4, "K"), "Viscosity", 'visual')),
    'starch': excipient(spec("Loss on drying", ('nmt', 14.0, "%"), "120 °C, 4 hours", 'lod')),
    'paracetamol': [
        identity(), spec("Assay", ('range', 99.0, 101.0, "%"), "Cerimetric titration, dried substance", 'titration'),
        spec("4-Aminophenol", ('nmt', 50, "mg/kg"), "HPLC", 'assay_paracetamol', REJECT_LOT)],
    'macrogol': [
        identity(), spec("Ethylene glycol and diethylene glycol", ('nmt', 0.1, "%"), "GC, each container", 'ftir', REJECT_LOT,
                         True),
        spec("Hydroxyl value", ('range', 264, 300, "mg KOH/g"), "Titration", 'titration')],
    'glycerol': [
        identity(), spec("Ethylene glycol and diethylene glycol", ('nmt', 0.1, "%"), "GC, each container", 'ftir', REJECT_LOT,
                         True),
        spec("Assay", ('range', '98.0', '101.0', "%"), "Titration", 'titration')],
    'sorbitol': [
        identity(), spec("Ethylene glycol and diethylene glycol", ('nmt', 0.1, "%"), "GC, each container", 'ftir', REJECT_LOT,
                         True),
        spec("Dry matter", ('range', 68.0, 72.0, "%"), "Refractive index", 'density')],
    'sucralose': excipient(spec("Assay", ('range', '98.0', '102.0', "%"), "HPLC", 'assay_paracetamol')),
    'citric_acid_mono': excipient(spec("Assay", ('range', 99.5, 100.5, "%"), "Titration", 'titration')),
    'sodium_citrate': excipient(spec("Assay", ('range', 99.0, 101.0, "%"), "Titration", 'titration')),
    'potassium_sorbate': excipient(spec("Assay", ('range', 99.0, 101.0, "%"), "Titration", 'titration')),
    'strawberry_flavour': [identity("Odour, refractive index and FTIR"),
                           spec("Relative density", ('range', 1.02, 1.06, "g/ml"), "Pycnometer", 'density')],
    'tray': [identity("Drawing DWG-2301-01 and FTIR of the film", 'visual', "Dimensions and material as drawn"),
             spec("Defects", "AQL 1.0: no crack, hole or sharp edge", "ISO 2859-1, level II", 'visual', REJECT_MATERIAL)],
    'gauze': [identity("Thread count and fibre under the microscope", 'visual', "100 % cotton, 8-ply"),
              spec("Absorbency", ('nmt', 10, "s"), "EN 14079, sinking time", 'visual', REJECT_LOT)],
    'dressing_pad': [identity("Construction and FTIR of the wound contact layer", expected="As the reference sample"),
                     spec("Fluid absorption", ('nlt', 12, "g/100 cm²"), "EN 13726", 'visual', REJECT_LOT)],
    'forceps': [identity("Colour, marking and FTIR", expected="Polypropylene, blue, mould mark K7"),
                spec("Closing force", ('range', 2.0, 5.0, "N"), "Force gauge", 'visual', REJECT_LOT)],
    'drape': [identity("Mass per area and FTIR", expected="SMS polypropylene, 35 g/m²"),
              spec("Resistance to liquid", ('nlt', 20, "cmH₂O"), "EN 20811", 'visual', REJECT_LOT)],
    'gloves': [identity("Marking of the inner wrap and FTIR", expected="Nitrile, size M"),
               spec("Freedom from holes", "AQL 1.5, EN 455-1", "Water tightness", 'visual', REJECT_LOT)],
    'waste_bag': [identity("Dimensions and FTIR", expected="Polyethylene, white, 25 × 30 cm")],
    'lid': [identity("Print, mass per area and FTIR", expected="Tyvek 1073B, coating CR27"),
            spec("Coating weight", ('range', 8, 12, "g/m²"), "Gravimetric", 'visual', REJECT_LOT)],
}


def material(*rows):
    return [spec("Identity and drawing", "Code, dimensions and material as in the specification", "Visual, calliper",
                 'visual', REJECT_MATERIAL, identity=True),
            *rows, spec("Defects", "AQL 0.65 critical, 2.5 major", "ISO 2859-1, level II", 'visual', REJECT_MATERIAL)]


#: Packaging materials that have more than identity and defects.
MATERIALS = {
    'cap_38': [spec("Removal torque", ('range', 15, 25, "in·lbf"), "Torque tester", 'torque', REJECT_MATERIAL)],
    'cap_28': [spec("Removal torque", ('range', 12, 20, "in·lbf"), "Torque tester", 'torque', REJECT_MATERIAL)],
    'desiccant': [spec("Moisture uptake", ('nlt', 20, "%"), "40 °C, 75 % RH, 24 hours", 'lod', REJECT_MATERIAL)],
    'syringe': [spec("Volume at 5 ml", ('range', 4.75, 5.25, "ml"), "Gravimetric, 10 pieces", 'volume', REJECT_MATERIAL)],
}


def component_specifications(components, materials):
    """Return ``(scope, product, document, row)`` for all components and packaging materials."""
    rows = [('component', product, f'spec_{product}', row) for product in components for row in COMPONENTS[product]]
    rows += [('packaging', product, f'spec_{product}', row)
             for product in materials for row in material(*MATERIALS.get(product, ()))]
    return rows


LABEL_SPECIFICATION = [
    ('label', None, 'spec_label', spec("Text and version", "Number and version as in this record; text as the approved copy",
                                       "Compared word for word with the approved copy, each roll", 'visual',
                                       "Block the roll, destroy it under supervision and investigate the printer.")),
    ('label', None, 'spec_label', spec("Code readable", "Grade C or better", "Code verifier, ISO 15416", 'visual',
                                       REJECT_MATERIAL)),
]


def product_specifications(document, *rows):
    return [('product', None, document, dict(row, corrective_action=HOLD_BATCH)) for row in rows]
