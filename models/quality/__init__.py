"""The product quality review and its figures."""

from . import figures         # figures of a period, in few queries
from . import quality_review  # the frozen, signed review
from . import my_work         # reviews that wait
