"""My Work, as types: the sources that subjects declare, and the lines that they find for one person (USR-010)."""

from dataclasses import dataclass, field
from typing import Any

#: What the page shows, in this order; the models have its words.
SECTIONS = ('sign', 'today', 'late', 'mine', 'running')
#: As many records of one source are looked at; more are said to be more.
MAX_RECORDS = 200
#: As many lines of one source are shown on the page; the list has them all.
SHOWN_LINES = 8


@dataclass(frozen=True, kw_only=True, eq=False)
class WorkSource:
    """One row of the table ``_work_sources``: one kind of work that may wait for a person."""

    #: One of :data:`SECTIONS`.
    section: str
    #: Place among the sources of its section: what keeps others from working comes first.
    order: int
    #: What it is, in the plural, to be translated (``_lt``).
    title: Any
    #: Why this person, to be translated (``_lt``).
    why: Any
    #: Model of the records: of the lines, and of the list behind their number.
    model: str
    #: Method of ``mrp.my.work`` that finds the lines: ``method(shared) -> list of WorkLine``.
    find: str
    #: xmlids of the roles that have this work, any of them; empty: whoever may read the model.
    roles: tuple = ()
    #: Tag of the screen on which the record has its button at hand, opened with ``params`` of the line; None: its form.
    opens: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class WorkLine:
    """One record that waits."""

    #: The record, of the model of the source.
    record: Any
    #: What is to be done, or what is wrong; empty where the title of the source says it.
    what: str = ''
    #: Since when it waits: a datetime in UTC, or None.
    since: Any = None
    #: Until when: a date of the company or a datetime in UTC, or None.
    due: Any = None
    is_late: bool = False
    #: Why this person, where the source does not say it.
    why: str = ''
    #: Name of the record for people; its display name where it is empty.
    name: str = ''
    #: For the screen of ``WorkSource.opens``.
    params: dict | None = None


@dataclass(eq=False)
class Shared:
    """What several sources of one page need, found once."""

    found: dict = field(default_factory=dict)

    def once(self, key, find):
        """Return what ``find()`` returned when it was first asked for under ``key``."""
        if key not in self.found:
            self.found[key] = find()
        return self.found[key]
