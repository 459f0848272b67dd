"""One numbered version of a master: its life, its document, its signatures."""

from . import revision      # fields, states and transitions
from . import bom           # its bill of materials
from . import actions       # buttons that open or make something else
from . import effective     # its time comes
from . import document      # the frozen document
from . import content       # copying and comparing content
from . import completeness  # what the profile asks for
from . import writing_help  # rows that follow from others
from . import stock         # quantities that stock holds
from . import approval      # submit, review, approve, reject, retire
from . import redline       # differences to an earlier revision
from . import training      # who must be trained
