"""What is recorded in the batches of the demonstration, in the order of the work.

Each batch names its order and lot, and by the name of a step what people record there beside what follows from the plan:
checklists and clearances conform, the planned equipment is identified, and each point is signed by its person.
Rows are ``(kind, values)`` as of ``mrp.bpr.step.action_record``, with lots as in ``demo/stock.lot.csv`` and units as in
``demo/maintenance.equipment.csv``; or ``('correct', reason, row)``, which corrects the row before it; or, by Quality Control,
``('retest', comment)`` and ``('decide', comment)``. Work ends before the step ``until`` is signed.
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

#: By the order that ``models/mrp_mmr_demo.py`` releases.
BATCHES = {'done': POWDER, 'stopped': KITS, 'confirmed': TABLETS}
