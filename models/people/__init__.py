"""People: who they are, what they are qualified for, and where they work."""

from . import signer         # identity, accountability and signing password
from . import attempts       # wrong attempts, by person and session
from . import qualification  # roles and training, with their dates
from . import terminal       # registered shared terminals
from . import group          # GMP roles
from . import user           # users who sign
from . import auditor        # time-limited read-only users
from . import setup          # the set-up of a company, and its end
