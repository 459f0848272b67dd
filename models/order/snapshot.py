"""The snapshot that an order embeds: made once for all orders of a revision, never changed (USE-030)."""

import copy
import hashlib
import json

from psycopg2.extras import Json

from ...domain.canonical import canonical_json
from ..base.json_field import JsonDocument


class _Literal(Json):
    """JSON as an SQL literal: made once for all the rows that get it."""

    def __init__(self, text):
        super().__init__(text, dumps=str)
        self._quoted = {}

    def getquoted(self):
        # How text is quoted is a matter of the connection.
        if self._conn not in self._quoted:
            self._quoted[self._conn] = super().getquoted()
        return self._quoted[self._conn]


class Snapshot(dict):
    """What several orders embed: serialised once, for its digest and for PostgreSQL; in the cache it is one for all."""

    def __init__(self, content):
        text = canonical_json(content)
        super().__init__(json.loads(text))
        self.sha256 = hashlib.sha256(text).hexdigest()
        self.literal = _Literal(text.decode())

    def __deepcopy__(self, memo):
        return copy.deepcopy(dict(self), memo)


class SnapshotJson(JsonDocument):
    """A snapshot, which is written to many orders at once; each reader gets a copy."""

    def convert_to_cache(self, value, record, validate=True):
        if not value:
            return None
        return value if isinstance(value, Snapshot) else Snapshot(value)

    def convert_to_column(self, value, record, values=None, validate=True):
        if isinstance(value, Snapshot):
            return value.literal
        return super().convert_to_column(value, record, values, validate)
