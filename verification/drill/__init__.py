"""The tamper drill: tries every forbidden act on the real database, and undoes it (AUD-030, AUD-040, SIG-030, REV-010).

What it does to a live system. Each act runs in a transaction of its own, on a cursor of its own, each attempt in a
savepoint that is rolled back at once; the transaction is rolled back, too, whatever happens. Nothing is ever committed,
no mail or notification leaves it, and refusals that the acts provoke are not written to the ledger: nobody did them.
A row is locked for the milliseconds of one attempt. TRUNCATE asks for the whole table: it waits :data:`LOCK_TIMEOUT` at
most, in which others wait behind it, and is given up then. An act that somebody at work is in the way of is tried
:data:`TRIES` times and reported as not tried then. Triggers are not disabled, which would lock tables against all
production (see :data:`NOT_TRIED`).
"""

from .attack import ATTACKS
from .engine import BUSY, ERROR, FAULTS, FOUND, LABELS, NOT_REFUSED, NOTHING, ORDER, OTHER, REFUSED, SCHEMA, Drill, run
from .evidence import Evidence
from . import content      # rows, links and files of signed revisions
from . import revisions    # revisions, masters, the approval route
from . import signatures   # signatures and signers
from . import audit_trail  # the audit trail, seals, results of drills
from . import orders       # orders and snapshots
from . import batches      # batch records and entries
from . import deviations   # deviations, reprocessing, CAPA, product quality reviews
from . import release      # results, decided batches, goods on hold
from . import lots         # lots and equipment
from . import stock        # what batches used and made, and goods on stock
from . import retention    # what is kept, and until when
from . import paper        # worksheets and terminals
from . import tables       # whole tables
from . import detection    # what verification finds
