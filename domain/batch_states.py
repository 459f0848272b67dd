"""Status of batches: which of them are decided on."""


DECIDED = ('released', 'rejected')
