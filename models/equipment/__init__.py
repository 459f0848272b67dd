"""Equipment and its log of use, cleaning, maintenance and calibration."""

from . import log        # lines, append-only
from . import equipment  # status derived from them
from . import readiness  # what a unit lacks for a batch
from . import my_work    # what waits to be attested, cleaned, calibrated
