"""HTTP routes: signing, downloads, people at terminals, terminals."""

from . import downloads
from . import person
from . import terminal
