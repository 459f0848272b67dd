"""People: who they are, what they are qualified for, and where they work."""

from . import signer         # identity, accountability and signing password
from . import signer_known   # what the ledger says of all that is known about a signer
from . import signer_suspension  # passwords that somebody else set
from . import signer_acceptance  # what signers accepted
from . import signer_key     # keys with which persons sign
from . import signer_secret   # what is stored of private keys
from . import signer_update  # keys after the update that brought them
from . import signer_recovery  # keys where nobody can enrol any more
from . import signer_passkey   # keys that are passkeys
from . import signer_set_up  # keys of demonstrations and tests
from . import attempts       # wrong attempts, by person and session
from . import qualification  # roles and training, with their dates
from . import terminal       # registered shared terminals
from . import group          # GMP roles
from . import user           # users who sign
from . import baseline       # people who are older than the ledger
from . import auditor        # time-limited read-only users
from . import signer_session  # continuous sessions in which a PIN signs
from . import signer_session_ends  # what ends them
from . import setup          # the set-up of a company, and its end
from . import setup_page     # its rows on the page GMP Set-Up
from . import home           # the start page of new users
from . import menu           # the handful of menus that the floor needs
from . import my_work        # whom to enrol, unlock and qualify
