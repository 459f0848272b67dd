"""The manufacturing order: what may be made, by which revision, and when."""

from . import planner     # how a quantity is split into batches
from . import production  # the order and its snapshot
from . import release     # release of the order to the floor
from . import decision    # continue or stop under an older revision
from . import plan        # draft orders and procurement
from . import workorder   # work orders
from . import unbuild     # unbuild orders
from . import stock_rule  # procurement in whole batches
from . import orderpoint  # reordering rules
