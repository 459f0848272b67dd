"""Stock under control: of a controlled product only what was released may be used or leave."""

from . import lot           # status and decision of a lot
from . import lot_of_batch  # lots that batches made
from . import goods         # which goods are free: the rule of all of them
from . import quarantine    # what stays where it is
from . import hold          # held at once: deviations, returned goods
from . import destruction   # signed destruction
from . import rework        # reprocessing that was approved
from . import location      # locations
from . import known         # what the ledger knows of places and older lots
from . import quant         # what may be reserved
from . import move          # moves
from . import move_line     # lines of moves
from . import moved_only    # quants change by moves alone
from . import by_record     # what only the record of a batch moves
from . import surplus     # more than a batch made
from . import adjustment    # stock that was wrong
from . import picking_type  # types of transfers
from . import setup_page    # the row of the page GMP Set-Up about older lots
from . import links         # to the batch
from . import my_work       # lots that wait for a decision
