"""Verifies a database with several processes, which all see the same moment of it."""

import multiprocessing

from odoo.sql_db import db_connect

from .ledger import CHECKPOINT, finish_partial, slices
from .records import Verification
from .session import TRUST

#: Pieces of the ledger for each process: who is done early takes another one.
PIECES = 4


class ParallelVerification:
    """What :class:`Verification` does, by ``jobs`` processes with a connection each; iterating yields each finding.

    :param str name: of the database; nothing may be connected to it yet in this process, as children would share it
    """

    def __init__(self, name, jobs):
        self.name, self.jobs = name, jobs
        self.counts = {}

    def __iter__(self):
        # Children first, then connections.
        with multiprocessing.get_context('fork').Pool(self.jobs) as pool, db_connect(self.name).cursor() as cr:
            cr.execute(TRUST)
            cr.execute("SET TRANSACTION READ ONLY")
            cr.execute("SELECT pg_export_snapshot()")
            snapshot, = cr.fetchone()
            pieces = [{'start': start, 'stop': stop} for start, stop in slices(cr, self.jobs * PIECES)]
            ledger = pool.imap(_check, [(self.name, snapshot, 'ledger', bounds) for bounds in pieces])
            others = pool.imap(_check, [(self.name, snapshot, part, {}) for part in Verification.PARTS if part != 'ledger'])
            partial = []
            for result in ledger:
                yield from self._take(result, partial)
            yield from finish_partial(partial)
            for result in others:
                yield from self._take(result, partial)

    def _take(self, result, partial):
        findings, counts, chains = result
        for kind, number in counts.items():
            self.counts[kind] = self.counts.get(kind, 0) + number
        partial += chains
        return findings


def _check(task):
    """Return findings, counts and the chains that were not seen whole."""
    name, snapshot, part, bounds = task
    with db_connect(name).cursor() as cr:
        cr.execute(TRUST)
        cr.execute("SET TRANSACTION READ ONLY")
        cr.execute("SET TRANSACTION SNAPSHOT %s", [snapshot])
        verification = Verification(cr)
        findings = [step for step in verification.check_part(part, **bounds) if step is not CHECKPOINT]
        return findings, verification.counts, verification.partial
