"""Status of revisions: which of them are signed for ever."""

#: States of a revision that was approved once.
APPROVED_STATES = ('approved', 'effective', 'superseded', 'obsolete')
