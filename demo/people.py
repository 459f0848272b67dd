"""Who is qualified for what in the demonstration, and who granted it."""

#: Granted by the security administrator, who begins the chain, on the appointment by the management.
APPOINTMENT = ('qmanager', 'quality_manager', "Appointed by the managing director, HR-14; M.Sc. pharmacy, 11 years in quality.")
#: Granted by the quality manager: login, role, evidence, first and last day from today on. Grace Lin's ends soon.
QUALIFICATIONS = [
    ('preparer', 'preparer', "Ph.D. chemistry; 6 years in process development; SOP-QA-002 read, test passed 94 %.", -300, 430),
    ('qc', 'qc', "B.Sc. food science; 8 years in quality control; assessed on three records, file QA-P-007.", -300, 430),
    ('qa', 'qc', "M.Sc. pharmacy; 12 years in quality assurance; release of batches, assessed on five records, file QA-P-011.",
     -300, 430),
    ('qp', 'qp', "Named in the manufacturing authorisation, annex 5; continuous education 2026.", -300, None),
    ('production', 'production', "Master craftsman; 9 years on the line; assessed by the site head, file PR-P-003.", -700, -1),
    ('production', 'production', "Yearly assessment by the site head, file PR-P-003.", 0, 365),
    ('operator', 'operator', "Trained at the press for 6 weeks; GMP basics passed 88 %, file PR-P-019.", -200, 165),
    ('verifier', 'verifier', "3 years as operator; second person since 2024, file PR-P-011.", -345, 20),
]
#: Documents that people were trained on: logins, document, evidence.
TRAINING = [
    (('operator', 'verifier'), 'clearance', "Read and demonstrated on the line, attendance list T-118."),
    (('operator', 'verifier'), 'weighing', "Three weighings under supervision, attendance list T-119."),
]
#: When revision 2 of the Vitamin C tablets came into force: who recorded it, who was trained, evidence.
CHANGE_TRAINING = [
    ('production', ('operator', 'verifier', 'qc', 'qa'),
     "Briefing on the new lubricant level and overage, attendance list T-124."),
    ('qc', ('production',), "Read revision 2 and its differences, attendance list T-124."),
]
