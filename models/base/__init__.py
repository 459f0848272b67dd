"""Odoo's own machinery: the company's settings, and what evidence depends on (access rights, rules, modules)."""

from . import model    # models and fields that hold evidence stay
from . import access   # access rights
from . import rule     # record rules
from . import module   # installation and removal
from . import company  # the company's GMP settings
from . import precision  # decimals of quantities
