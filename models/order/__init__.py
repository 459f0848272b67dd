"""The manufacturing order: what may be made, by which revision, and when."""

from . import planner     # how a quantity is split into batches
from . import production  # the order and its snapshot
from . import gate        # confirmation: released by an MMR, or not at all
from . import decision    # continue or stop under an older revision
from . import split       # a demand met by several orders
from . import workorder   # work orders
from . import unbuild     # unbuild orders
from . import stock_rule  # procurement in whole batches
from . import orderpoint  # reordering rules
from . import print_mark   # the mark of Odoo's own prints
from . import my_work      # what waits for a decision
