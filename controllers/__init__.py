"""HTTP routes: signing, downloads, terminals, health."""

from . import downloads
from . import health
from . import terminal
