"""Odoo's own machinery: the company's settings, and what evidence depends on (access rights, rules, modules)."""

from . import exact_number  # numbers as they were written: field, search, import
from . import spreadsheet_import  # numbers of spreadsheets
from . import model    # models and fields that hold evidence stay
from . import access   # access rights
from . import rule     # record rules
from . import module   # installation and removal
from . import company  # the company's GMP settings
from . import days     # its time zone and its days
from . import precision  # decimals of quantities
from . import setup_page  # the page GMP Set-Up: declared here, each subject adds its rows
from . import my_work    # the start page: what waits for one person
from ...domain import secret_log

secret_log.install()
