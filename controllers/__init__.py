"""HTTP routes: signing, downloads, terminals."""

from . import downloads
from . import terminal
