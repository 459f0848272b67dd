"""Status of batches: which of them are decided on."""

#: On the way to the release: Quality Control decided, and nothing changes any more (REL-030).
DECIDED = ('released', 'rejected')
