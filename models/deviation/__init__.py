"""Deviations: what departed from the master, its investigation, and what follows from it."""

from . import deviation        # the record
from . import cause            # categories of causes
from . import contributor      # who is asked
from . import material_review  # investigation, decision and closing
from . import related_batch    # batches that may be affected
from . import hold             # lots that a grave deviation holds
from . import capa             # corrective and preventive action
from . import capa_action      # its single actions
from . import rework           # approved reprocessing
from . import links            # to the batch
from . import my_work          # what waits to be decided, investigated, done
