"""The master: Master Manufacturing Records, their content, and the documents that they reference."""

from . import content_mixin     # rows that are content of a revision
from . import criterion_mixin   # acceptance criteria
from . import sop               # controlled documents
from . import product_label     # product labels
from . import profile           # regulations
from . import requirement       # what a regulation asks for
from . import reviewer          # the approval route
from . import revision_review   # reviews of a revision on that route
from . import mmr               # the master of one formulation at one batch size
from . import revision          # its numbered versions
from . import equipment         # equipment that a stage asks for
from . import step              # instructions
from . import specification     # acceptance criteria of component, stage, label, product
from . import ingredient        # the declared composition
from . import pack_size         # pack sizes
from . import section           # free sections
from . import reference         # answers to requirements
from . import export            # downloads
from . import bom               # the bill of materials that a revision owns
from . import print_mark        # the mark of Odoo's own prints
from . import bom_line          # components: claim, overage, tolerance
from . import bom_byproduct     # by-products
from . import stage             # operations as stages with yields
from . import product_category  # control by category
from . import product_template  # control by product
from . import product           # variants
from . import setup_page        # rows of the page GMP Set-Up
from . import my_work           # what waits to be written, signed, learnt
