"""Status of lots: what may be used and what may not."""

#: What is not used, sold or moved out.
ON_HOLD = ('quarantine', 'rejected')
