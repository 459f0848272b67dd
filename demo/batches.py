"""What is recorded in the batches of the demonstration, in the order of the work.

Each batch names its order and lot, and by the name of a step what people record there beside what follows from the plan:
checklists and clearances conform, the planned equipment is identified, and each point is signed by its person.
Rows are ``(kind, values)`` as of ``mrp.bpr.step.action_record``, with lots as in ``demo/stock.lot.csv`` and units as in
``demo/maintenance.equipment.csv``; or ``('correct', reason, row)``, which corrects the row before it; or, by Quality Control,
``('retest', comment)``, ``('decide', comment)`` and ``('decide_reject', comment)``. What is not named is done as planned:
readings at their target, components from the lot that expires first, yields as the share ``yield`` of theory, materials of
as many ``packs``. Work ends before the step ``until`` is signed.

``deviation`` is what the investigation found; ``release`` holds results, samples and comments of the decisions; ``reject``
is why Quality Control rejects.
"""


def weight(value, lot, unit, **more):
    return 'weight', {'value': value, 'lot': lot, 'unit': unit, **more}


def reading(value, **more):
    return 'value', {'value': value, **more}


#: A completed batch: one check out of limits, tested again and decided; a late entry; labels reconciled.
POWDER = {
    'lot': "VCP-0031",
    'issue': "Compared with revision 1; materials and labels of the batch are at the line.",
    'steps': {
        "Weigh Ascorbic acid": [
            weight("10.000", 'ascorbic_acid_1', 'bench_balance_2', issued="10.400", returned="0.400")],
        "Yield: the sieved powder": [('yield', {'value': "9.975"})],
        "Net mass, lowest of 10 bottles": [
            reading("99.6", text="bottles 31 to 40"),
            ('comment', {'text': "Scoop 3 was underfilled. Bottles 21 to 40 weighed one by one: three below 100 g emptied "
                                 "into the drum and filled again."}),
            ('retest', "Filling corrected, all bottles since the last good check weighed; ten bottles from the restart."),
            reading("100.8", text="ten bottles after the restart"),
            ('decide', "Cause found (scoop 3, exchanged), all bottles concerned weighed and none below 100 g left. No effect "
                       "on the product; the batch goes on.")],
        "Label reconciliation": [('labels', {
            'lot_name': "LB-2611-07", 'version': "1", 'issued': "110", 'used': "98", 'destroyed': "10", 'sampled': "2",
            'finished': "98", 'coded': True, 'text': "Two specimens are with the record; ten coded leftovers were cut up."})],
        "Retained samples": [('sample', {'count': "2", 'size': "1", 'text': "Bottles 1 and 98, room R2, shelf 4"})],
        "Yield: the full bottles (count × 100 g)": [('yield', {'value': "9.8", 'text': "98 bottles"})],
        "Bottle of 100 g": [
            ('material', {
                'position': 1, 'lot': 'bottle_150', 'issued': "105", 'used': "98", 'destroyed': "2", 'returned': "5"}),
            ('material', {'position': 2, 'lot': 'cap_38', 'issued': "105", 'used': "98", 'destroyed': "1", 'returned': "6"}),
            ('material', {'position': 3, 'lot': 'label_vcp_100', 'issued': "110", 'used': "98", 'destroyed': "12",
                          'text': "Figures as in the reconciliation; two specimens count as destroyed."})],
    },
    'deviation': {
        'cause_id': 'equipment', 'cause': "Scoop 3 was bent at its rim and took about 3 g less.",
        'quality_effect': "None: every bottle since the last good check was weighed, none below 100 g is left.",
        'label_effect': "None.", 'correction': "Scoop exchanged; the other five compared with the master scoop.",
        'material_fate': "The powder of three bottles was filled again within the same hour.",
    },
    'release': {
        'results': {"Vitamin C": "99.7", "Loss on drying": "0.2", "Lead": "0.05", "Total aerobic count": "20"},
        'certificate': "Certificate of analysis QC-26-0931",
        'reserve': {'quantity': "2", 'unit': "bottles", 'test_quantity': "1", 'location': "Retention room R2, shelf 4"},
        'comments': {'review': "One check was out of limits and repeated after correction; one late entry. Both are explained.",
                     'release': "All results conform; the deviation is closed.", 'release_packed': "98 bottles."},
    },
    'late': ("Line clearance, dispensing booth", "The status board still showed batch VCP-0030; wiped off before the work.",
             "Seen at the clearance and written on the shift log only"),
}

#: A batch in dispensing: several containers, two lots, a correction, a hand-over, a weighing in progress.
TABLETS = {
    'lot': "VC5-0118",
    'issue': "Compared with revision 2, digest by digest; everybody on the shift is trained on it.",
    'steps': {
        "Relative humidity": [reading("38.5")],
        "Room temperature": [reading("21.4")],
        "Weigh Ascorbic acid": [
            weight("25.05", 'ascorbic_acid_1', 'floor_scale', text="Drum 4"),
            weight("24.95", 'ascorbic_acid_1', 'floor_scale', text="Drum 5"),
            weight("25.50", 'ascorbic_acid_1', 'floor_scale', text="Drum 6"),
            ('correct', "Digits transposed: the printout of SC-01 says 25.05",
             weight("25.05", 'ascorbic_acid_1', 'floor_scale', text="Drum 6")),
            weight("8.15", 'ascorbic_acid_1', 'floor_scale', text="Drum 7, remainder closed under nitrogen")],
        "Weigh Microcrystalline cellulose PH-102": [
            weight("4.05", 'mcc', 'floor_scale', text="Bag 1 of 2, last of the lot in the booth"),
            weight("4.00", 'mcc_2', 'floor_scale', text="Bag 2 of 2")],
        "Weigh Croscarmellose sodium": [
            weight("1.5000", 'croscarmellose', 'bench_balance', text="Bag 1 of 2"),
            ('handover', {'text': "Bag 1 of 2 weighed and closed, bag 2 still to weigh from the same drum. Silicon dioxide and "
                                  "what follows are untouched. Extraction arm 2 is set for the booth."})],
    },
    'until': "Weigh Croscarmellose sodium",
}

#: A batch that is stopped: the cleanroom loses its pressure before the first tray is laid out.
KITS = {
    'lot': "KIT-0207",
    'issue': "Compared with revision 1 and with issue 7 of DMR-2301.",
    'steps': {
        "Differential pressure to the corridor": [
            reading("6"),
            ('comment', {'text': "Second look after 5 minutes: still 6 Pa. Pass box closed, all trays covered. Technical "
                                 "service called: alarm of the fan filter unit above the table."})],
    },
    'until': "Differential pressure to the corridor",
}

#: A rejected batch: the powder was filled wet, which no rework of the MMR undoes.
WET_POWDER = {
    'lot': "VCP-0032",
    'issue': "Compared with revision 1; materials and labels of the batch are at the line.",
    'steps': {
        "Weigh Ascorbic acid": [weight("10.000", 'ascorbic_acid_1', 'bench_balance_2')],
        "Yield: the sieved powder": [('yield', {'value': "9.960"})],
        "Net mass, lowest of 10 bottles": [
            reading("97.2", text="first ten bottles"),
            ('comment', {'text': "The powder sticks to the scoop. Drip from the condensate line above the bench into the open "
                                 "drum, about 200 ml; room closed, all bottles put aside."}),
            ('decide_reject', "Water of unknown quality in the product: no treatment is validated. All of it is destroyed.")],
    },
    'until': "Net mass, lowest of 10 bottles",
    'deviation': {
        'cause_id': 'equipment', 'cause': "Insulation of the condensate line above bench 2 was torn by a ladder on the day "
                                          "before; not seen at the line clearance, which does not name the ceiling.",
        'quality_effect': "Moisture and microbial quality of the whole batch are unknown.",
        'label_effect': "None; no bottle was labelled.", 'correction': "Line insulated, bench and drum cleaned, room released "
                                                                       "by Quality Control.",
        'material_fate': "12 bottles and the drum go to the rejects cage, then to the incinerator (SOP-WH-004).",
        'capa': {
            'title': "Condensate above open product",
            'criterion': "No drop and no torn insulation at six monthly inspections, and no deviation of this cause.",
            'check': 180,
            'actions': [
                ('corrective', "Inspect the insulation of all lines above benches in rooms 102, 201 and 202", 'production', 14),
                ('preventive', "Name ceiling and lines in the checklists of the line clearance (SOP-MFG-004)", 'preparer', 30),
                ('preventive', "Mark where ladders stand in filling rooms, and brief the contractors", 'production', 45)],
        },
    },
    'reject': "Contaminated with water of unknown quality; see the deviation.",
}

#: Completed, and waiting for its review: a corrected weight, results to be entered.
NEXT_POWDER = {
    'lot': "VCP-0033",
    'issue': "Compared with revision 1; materials and labels of the batch are at the line.",
    'packs': 97,
    'steps': {
        "Weigh Ascorbic acid": [
            weight("10.010", 'ascorbic_acid_1', 'bench_balance_2', issued="10.300", returned="0.290"),
            ('correct', "Digits transposed: the printout of SC-03 says 10.000",
             weight("10.000", 'ascorbic_acid_1', 'bench_balance_2', issued="10.300", returned="0.300"))],
        "Yield: the sieved powder": [('yield', {'value': "9.970"})],
        "Net mass, lowest of 10 bottles": [reading("100.4", text="10 bottles at the start; lowest of all checks")],
        "Label reconciliation": [('labels', {
            'lot_name': "LB-2611-07", 'version': "1", 'issued': "105", 'used': "97", 'destroyed': "6", 'sampled': "2",
            'finished': "97", 'coded': True, 'text': "Two specimens are with the record."})],
        "Yield: the full bottles (count × 100 g)": [('yield', {'value': "9.7", 'text': "97 bottles"})],
    },
}

#: Released as a drug: no exception.
IBUPROFEN = {
    'lot': "IB2-0042",
    'issue': "Compared with revision 1, digest by digest; rooms 109 to 114 hold no other product.",
    'yield': "0.983", 'packs': 1536,
    'steps': {
        "Relative humidity": [reading("44")],
        "Room temperature": [reading("21.8")],
        "Power at the end of granulation": [reading("5.0", text="after 3 min 10 s of kneading, 7.45 kg of water")],
        "Loss on drying of the granulate": [reading("1.24")],
        "Average mass of 20 cores": [reading("311.2", text="mean of 14 checks, 308.9 to 313.0")],
        "Hardness, mean of 10": [reading("11.6")],
        "Disintegration, the slowest of 6": [reading("6.5")],
        "Gain of mass": [reading("3.1")],
        "Label reconciliation": [('labels', {
            'lot_name': "LB-2610-15", 'version': "4", 'issued': "1600", 'used': "1536", 'destroyed': "60", 'sampled': "4",
            'finished': "1536", 'coded': True, 'text': "Specimens of label and carton are with the record."})],
    },
    'release': {
        'results': {
            "Assay": "99.6", "Related substances, sum": "0.08", "Uniformity of dosage units, AV": "4.1",
            "Dissolution, Q at 60 minutes": "96", "Average mass": "320.8"},
        'certificate': "Certificate of analysis QC-26-1187",
        'reserve': {'quantity': "400", 'unit': "tablets", 'test_quantity': "180", 'location': "Retention room R2, shelf 11"},
        'comments': {'review': "Record and audit trail read; no exception.",
                     'release': "All results conform; nothing open.", 'release_packed': "Packs and codes as approved."},
    },
}

#: Released as a device: 48 of 50 kits, two opened by the laboratory.
STERILE_KITS = {
    'lot': "KIT-0208",
    'issue': "Compared with revision 1 and with issue 7 of DMR-2301.",
    'yield': "0.96", 'packs': 50,
    'steps': {
        "Airborne particles of 0.5 µm and larger": [reading("184000")],
        "Differential pressure to the corridor": [reading("14")],
        "Seal strength, each of 4 corners": [reading("1.9", text="two empty trays; lowest corner")],
        "Label reconciliation": [('labels', {
            'lot_name': "LB-2610-22", 'version': "5", 'issued': "60", 'used': "50", 'destroyed': "9", 'sampled': "1",
            'finished': "50", 'coded': True, 'text': "UDI of the specimen read by the scanner."})],
        "Photo of the first carton": [('photo', {'picture': 'kit_layout.png', 'text': "Ten kits, indicator on top"})],
        "Exposure": [reading("262")],
        "Aeration": [reading("74")],
        "Ethylene oxide residual": [reading("1.1")],
        "Yield": [('yield', {'value': "50", 'text': "50 kits, two of them for the laboratory"})],
    },
    'release': {
        'results': {"Bioburden before sterilization": "38", "Ethylene oxide residual": "1.1"},
        'certificate': "Report QC-26-2306",
        'withheld': ("2", "Opened by the laboratory: seal integrity and residual of ethylene oxide."),
        'comments': {'review': "Cycle chart, indicators and results compared.", 'release': "All acceptance records conform.",
                     'release_packed': "48 kits; label and UDI as approved."},
    },
}

#: Certified by the Qualified Person and released.
SOLUTION = {
    'lot': "PA24-0011",
    'issue': "Compared with revision 1 and with the marketing authorisation, module 3.2.P.3.",
    'yield': "0.99", 'packs': 2475,
    'steps': {
        "Relative humidity": [reading("51")],
        "Temperature of the active phase": [reading("52.5")],
        "pH": [reading("5.3")],
        "Assay of the bulk": [reading("23.9", text="HPLC, mean of two")],
        "Fill volume, each of 6 heads": [reading("101.2", text="lowest of 6 heads in 11 checks")],
        "Label reconciliation": [('labels', {
            'lot_name': "LB-2611-02", 'version': "2", 'issued': "2520", 'used': "2475", 'destroyed': "42", 'sampled': "3",
            'finished': "2475", 'coded': True, 'text': "Leaflets and cartons reconciled on the same sheet; no difference."})],
    },
    'release': {
        'results': {
            "Assay of paracetamol": "23.9", "4-Aminophenol": "0.01", "Potassium sorbate": "1.49", "pH": "5.3",
            "Extractable volume": "101", "Total aerobic count": "10"},
        'certificate': "Certificate of analysis QC-26-2214",
        'reserve': {'quantity': "6", 'unit': "packs", 'test_quantity': "3", 'location': "Retention room R2, shelf 4"},
        'comments': {'review': "Record and audit trail read; no exception.", 'produce': "Processed and packaged as the record "
                     "says.", 'certify': "Register of certified batches, line 26-031.", 'release': "Certified; nothing open.",
                     'release_packed': "Serialised packs reported."},
    },
}

#: By the order that ``demo/loader.py`` releases; those that go on are the last ones on their equipment.
BATCHES = {
    'done': POWDER, 'rejected': WET_POWDER, 'review': NEXT_POWDER, 'drug': IBUPROFEN, 'device': STERILE_KITS,
    'medicine': SOLUTION, 'stopped': KITS, 'confirmed': TABLETS}

#: The review of the powder for the year that runs; its figures come from the batches above.
QUALITY_REVIEW = {
    'production': 'done',
    'conclusion': "Draft: the process is capable at 98 % of theoretical; one batch was lost to a building defect, not to the "
                  "process. Specification and controls stay as they are.",
    'actions': "Follow the CAPA on condensate above open product; no revalidation.",
    'other_information': "Stability: study ST-2004 at 12 months within limits. No recall, return or complaint of this product.",
}
