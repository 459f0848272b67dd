"""HTTP routes: signing, downloads, floor, terminals, health."""

from . import downloads
from . import health
from . import person
from . import terminal
