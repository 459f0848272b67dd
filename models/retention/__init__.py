"""How long records are kept, who received what, and what may be disposed of."""

from . import product       # lifetime and shelf life
from . import distribution  # where released goods went
from . import batch         # retention of batch records
from . import legal_hold    # holds
from . import disposal      # signed disposal
from . import revision      # retention of revisions
from . import my_work       # holds and disposals that wait
