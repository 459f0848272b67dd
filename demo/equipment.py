"""What the log of the equipment says before the first batch: each unit clean, each instrument calibrated."""

#: Instruments, with what was found, the certificate, and the days from now until the next calibration.
CALIBRATIONS = {
    'floor_scale': ("20 kg: 20.00 kg; 100 kg: 100.05 kg; 300 kg: 300.05 kg (tolerance 0.10 kg)", "MET-24117", 150),
    'bench_balance': ("1 kg: 1000.1 g; 10 kg: 10000.1 g (tolerance 0.5 g)", "MET-24118", 150),
    'bench_balance_2': ("1 kg: 1000.2 g; 10 kg: 10000.3 g (tolerance 0.5 g)", "MET-23902", 20),
    'tester': ("Hardness 10 kp: 10.1 kp; thickness 5.00 mm: 5.00 mm; mass 500 mg: 500.1 mg", "MET-24051", 300),
    'ph_meter': ("pH 4.01: 4.02; pH 7.00: 7.00; slope 98.7 %", "MET-24203", 60),
}
CLEANED = (
    'floor_scale', 'bench_balance', 'bench_balance_2', 'sieve', 'blender_300', 'blender_1500', 'granulator', 'dryer', 'press',
    'press_2', 'detector', 'tester', 'coater', 'vessel_300', 'vessel_80', 'filter', 'ph_meter', 'bottling', 'liquid_line',
    'labeller', 'table', 'sealer', 'sterilizer')


def get_lines():
    """Return ``(equipment, kind, days ago, values)`` of each line, the oldest first."""
    calibrations = [
        (name, 'calibration', 30, {
            'result': 'pass', 'as_found': found, 'as_left': "Not adjusted", 'reference': reference, 'due': due,
            'performed_by': "Metrology Services Inc."})
        for name, (found, reference, due) in CALIBRATIONS.items()]
    maintenance = [('press', 'maintenance', 9, {'text': "Upper punches 12 and 27 replaced; turret lubricated (food grade)."})]
    cleanings = [(name, 'cleaning', 1, {'cleaning_kind': 'full', 'procedure': 'cleaning'}) for name in CLEANED]
    return calibrations + maintenance + cleanings
