"""One step of a batch: entries, signatures and the checks that belong to each."""

from . import step       # fields, states and order of steps
from . import entry      # recorded values, append-only
from . import record     # recording and correcting values
from . import signing    # performed, verified, decided
from . import equipment  # equipment used
from . import terminal   # where it was recorded
from . import stock      # what stock holds and has
from . import potency    # targets by assay
from . import paper      # steps done on paper
from . import floor      # what the floor shows of a step
