"""What Quality Control found of the lots in stock."""

#: Lots that nobody decided on yet.
WAITING = ('ascorbic_acid_2',)
#: Results by lot.
RESULTS = {
    'ascorbic_acid_1': {'mmr_assay': 99.6, 'mmr_assay_basis': 'as_is', 'mmr_assay_date': '2026-01-12'},
    'zinc_gluconate': {
        'mmr_assay': 98.9, 'mmr_assay_basis': 'dried', 'mmr_assay_moisture': 0.6, 'mmr_assay_date': '2026-01-19'},
    'ibuprofen': {'mmr_assay': 99.4, 'mmr_assay_basis': 'dried', 'mmr_assay_moisture': 0.1, 'mmr_assay_date': '2026-02-02'},
    'paracetamol': {'mmr_assay': 99.8, 'mmr_assay_basis': 'dried', 'mmr_assay_moisture': 0.2, 'mmr_assay_date': '2026-02-04'},
}
