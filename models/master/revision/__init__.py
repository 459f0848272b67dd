"""One numbered version of a master: its life, its document, its signatures."""

from . import revision      # fields, states and transitions
from . import document      # the frozen document
from . import content       # copying and comparing content
from . import completeness  # what the profile asks for
from . import stock         # quantities that stock holds
from . import approval      # submit, review, approve, reject, retire
from . import redline       # differences to an earlier revision
from . import training      # who must be trained
