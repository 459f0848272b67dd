"""Evidence: what proves a record, even against the owner of the database.

The audit trail and its chains, the daily seal, electronic signatures, stored files, bundles and the tamper drill."""

from . import audit_mixin        # records whose changes go to the ledger
from . import append_only_mixin  # rows that are added and stay
from . import audit_entry        # chains and their lines, append-only
from . import watched_setting  # rules, rights, jobs and code that evidence depends on
from . import audit_baseline     # what existed before the addon was installed
from . import audit_guards       # the guards as each update leaves them
from . import audit_seal         # the daily seal over all heads
from . import audit_verify       # verification from the browser and every night
from . import esignature         # one electronic signature
from . import file               # content of files, append-only
from . import file_mixin         # records with an attached file
from . import esignature_mixin   # records that people sign
from . import esignature_offer   # signatures that a person may give
from . import esignature_signer  # the person who signs, and the key
from . import esignature_collision  # signers who meet others: a fresh view, and the same signature again
from . import esignature_passkey # content fixed, then signed by a passkey
from . import esignature_pin     # signed with a PIN at a registered terminal
from . import audit_trail_mixin  # the button Audit Trail
from . import bundle_mixin       # records handed out with their proof
from . import tamper_drill       # attacks on the own rules, signed
from . import health             # what whoever runs the server watches
from . import own_session      # who may be named by a line: the person who acts
from . import foreign_code     # what stands in the database acts in nobody's session
