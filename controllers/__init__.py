from . import downloads
from . import terminal
