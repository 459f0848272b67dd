"""Master Manufacturing Records for Odoo."""

from . import controllers
from . import models
from . import demo
from . import reports
from . import wizards
from .hooks import uninstall_hook
