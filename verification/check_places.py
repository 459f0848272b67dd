"""Checks that places are what the ledger said last: what they are for, and of whom (REL-070, AUD-080, 21 CFR 111.370)."""

from .evidence import ROWS, EvidenceReader
from .ledger import CHECKPOINT, Finding, parse

#: What of a place says where goods are.
_PLACES = """
    SELECT t.id, COALESCE(t.complete_name, t.name), t.usage, t.company_id, t.location_id, t.warehouse_id
      FROM stock_location t"""
COLUMNS = ('usage', 'company', 'parent', 'warehouse')
#: Lines of the ledger about places.
_LINES = """e.res_model = 'stock.location' AND e.kind = 'setting'"""


def read_places(cr, ids):
    """Return name and what the ledger says of places, by id: a dict of ``usage`` and of ids, without what is empty."""
    cr.execute(f"{_PLACES} WHERE t.id = ANY(%s)", [list(ids)])
    return {place: (name, _known(values)) for place, name, *values in cr.fetchall()}


def read_unknown_places(cr):
    """Return the ids of the places about which the ledger says nothing, in order."""
    cr.execute(  # pylint: disable=sql-injection
        f"""SELECT t.id FROM stock_location t WHERE NOT EXISTS (
                      SELECT FROM mrp_audit_entry e WHERE e.res_id = t.id AND {_LINES}) ORDER BY t.id""")
    return [place for place, in cr.fetchall()]


def has_place_lines(cr):
    """Whether the ledger follows places: from the first installation or update on that could."""
    cr.execute(f"SELECT EXISTS (SELECT FROM mrp_audit_entry e WHERE {_LINES})")  # pylint: disable=sql-injection
    return cr.fetchone()[0]


def _known(values):
    return {name: value for name, value in zip(COLUMNS, values, strict=True) if value is not None}


class PlaceChecks(EvidenceReader):
    """Places of stock, each against its last line; what lies at one is in or out of control with it."""

    def _check_places(self):
        if not has_place_lines(self.cr):
            return
        condition = self._company_condition('t.company_id')
        for rows in self._rows(f"{_PLACES} WHERE t.id > %(after)s AND {condition} ORDER BY t.id", ROWS):
            said = self._read_place_lines([row[0] for row in rows])
            for place, name, *values in rows:
                expected, found = said.get(place), _known(values)
                if expected is None:
                    yield Finding('stock.location', place, name, "its line in the ledger", "no line about it")
                elif expected != found:
                    yield Finding('stock.location', place, name, f"{self._shown_place(expected)} as in the ledger",
                                  self._shown_place(found))
            self.counts['records'] += len(rows)
            yield CHECKPOINT
        self.cr.execute(  # pylint: disable=sql-injection
            f"""SELECT DISTINCT ON (e.res_id) e.res_id, e.record_name, e."values"::text FROM mrp_audit_entry e
                 WHERE {_LINES} AND {self._company_condition('e.company_id')}
                   AND NOT EXISTS (SELECT FROM stock_location t WHERE t.id = e.res_id)
                 ORDER BY e.res_id, e.id DESC""")
        for place, name, text in self.cr.fetchall():
            if self._said_of_place(text):
                yield Finding('stock.location', place, name, "the place that the ledger knows",
                              "none: it was deleted outside the ledger")

    def _read_place_lines(self, ids):
        """Return what the last line about each of these places says."""
        self.cr.execute(
            f"""SELECT DISTINCT ON (e.res_id) e.res_id, e."values"::text FROM mrp_audit_entry e
                 WHERE {_LINES} AND e.res_id = ANY(%(ids)s) ORDER BY e.res_id, e.id DESC""", {'ids': ids})
        return {place: self._said_of_place(text) for place, text in self.cr.fetchall()}

    @staticmethod
    def _said_of_place(text):
        try:
            return dict(parse(text)['place']['new'] or {})
        except (ValueError, TypeError, KeyError):
            return {}       # the line itself was reported

    @staticmethod
    def _shown_place(values):
        return ', '.join(f"{name} {values[name]}" for name in COLUMNS if name in values) or "nothing"
