"""Checks that nothing of PostgreSQL passes guards or verification by: settings, namesakes, hidden rows (AUD-080, 11.10(c))."""

from .. import guards
from ..domain.proofs import NO_EVIDENCE
from ..guards.bypasses import (
    DOUBLES,
    FORMS,
    NAMESAKE_FUNCTIONS,
    NAMESAKES,
    ROLE_SETTINGS,
    ROW_SECURITY,
    STRANGE_PARTS,
    read_parameter_rights,
)
from .evidence import EvidenceReader
from .guard_inventory import tables
from .ledger import Finding

#: What findings about guards are about: no record has a number there.
GUARD = 'guard'
#: Query → what is expected of what it finds.
EXPECTED = {
    STRANGE_PARTS: "guards alone on a table of records",
    ROW_SECURITY: "none: whoever reads a table sees all of its rows",
    FORMS: "a plain table, as Odoo makes it",
    NAMESAKES: "no name of PostgreSQL's own catalogue outside of it",
    NAMESAKE_FUNCTIONS: "no name of a function or operator of PostgreSQL outside of its catalogue",
    DOUBLES: "no name of a table or function of evidence outside of the schema public",
    ROLE_SETTINGS: "none of a role or the database",
}


class BypassChecks(EvidenceReader):
    """What the hardening command refuses to begin with, in databases that are not hardened as well."""

    def _check_bypasses(self):
        """Nothing of PostgreSQL keeps statements away from the guards, or rows and names away from who reads them."""
        own, core = tables()
        values = {'tables': sorted({*own, *core, *(name.replace('.', '_') for name in NO_EVIDENCE)}),
                  'notes': list(guards.NOTES)}
        for query, expected in EXPECTED.items():
            self.cr.execute(query, values)
            for name, found in self.cr.fetchall():
                yield Finding(GUARD, None, name, expected, found)
        for expected, found in read_parameter_rights(self.cr):
            yield Finding(GUARD, None, 'right to session_replication_role', expected, found)
