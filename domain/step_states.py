"""Status of a step of a batch, and the signatures that close it."""

CLOSED = ('done', 'not_done')

#: Signature of each point, as the column that holds it.
POINT_FIELDS = {
    'performed': 'performed_signature_id',
    'verified': 'verified_signature_id',
    'added': 'added_signature_id',
    'addition_verified': 'addition_verified_signature_id',
    'hold': 'hold_signature_id',
}

#: Whose work a point verifies: never the own (VER-010, VER-020).
VERIFIES = {'verified': 'performed', 'addition_verified': 'added'}
