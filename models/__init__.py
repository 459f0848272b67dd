"""The models by subject, in the order in which they load; arrows run down to evidence (ARCHITECTURE.md)."""

from . import evidence
from . import base
from . import people
from . import master
from . import order
from . import equipment
from . import record
from . import deviation
from . import quality
from . import stock
from . import retention
