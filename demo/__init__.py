"""The demonstration: content of its master records and batches as plain Python structures, and their loader."""

from . import loader        # the master records
from . import batch_loader  # the batches
