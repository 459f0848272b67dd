"""The PostgreSQL floor: one SQL file a table, with its trigger functions and triggers, and their loader.

What two tables share stands in files whose names begin with ``_``, which are loaded first. A file says in its first line
what it holds, and before each function the rule that it holds, with its citation, and where the ORM holds it as well.
Every function fixes its ``search_path``, so that it never reads a temporary table instead of a record.

Lists that Python reads as well stand in :mod:`..domain` and are put in for placeholders:

- ``{{name}}`` gives ``a, b``, ``{{NEW.name}}`` gives ``NEW.a, NEW.b`` (also ``OLD``), ``{{'name'}}`` gives ``'a', 'b'``;
- names: a table of :data:`..domain.columns.CONTENT`; ``rows.<table>`` of ``RECORD_ROWS``; ``removed.<table>``,
  ``kept.<table>`` and ``gone`` of :mod:`..domain.retention`;
- ``{{shipped}}``: the requirements that this version ships, as canonical JSON (:func:`shipped_requirements`).

:func:`load` replaces everything of the addon's prefix: whatever an earlier version made, under another name or with
other arguments, is dropped first. Nobody sees a moment without guards, as it is one transaction.
"""

import csv
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ..domain.canonical import canonical_json
from ..domain.columns import CONTENT, RECORD_ROWS
from ..domain.retention import DISPOSED_REASON, KEPT_KEYS, REMOVED_COLUMNS

#: What every trigger and function of the addon is named by.
PREFIX = 'mrp_mmr_'
#: Tables of the guards themselves, empty between transactions; the files make them.
NOTES = ('mrp_mmr_stock_change',)
SEARCH_PATH = 'SET search_path = pg_catalog, public, pg_temp'
FOLDER = Path(__file__).parent
#: The files of the requirements that the addon ships.
SHIPPED = ('mrp.mmr.requirement.csv', 'mrp.mmr.requirement-batch.csv')
LISTS = {
    **CONTENT,
    **{f'rows.{table}': (condition,) for table, condition in RECORD_ROWS.items()},
    **{f'removed.{table}': names for table, names in REMOVED_COLUMNS.items()},
    **{f'kept.{table}': names for table, names in KEPT_KEYS.items()},
    'gone': (DISPOSED_REASON,),
}
_BODY = re.compile(r'^CREATE FUNCTION (\w+)\(.*?\bAS \$\$(.*?)\$\$', re.MULTILINE | re.DOTALL)
_FUNCTION = re.compile(r'^CREATE FUNCTION (\w+)\(.*?\bAS \$\$$', re.MULTILINE | re.DOTALL)
_TRIGGER = re.compile(
    r'^CREATE (?:CONSTRAINT )?TRIGGER (\w+)\s+(?:BEFORE|AFTER)\b[^;]*?\sON (\w+)\s[^;]*?EXECUTE FUNCTION (\w+)', re.MULTILINE)
_PLACEHOLDER = re.compile(r"\{\{('?)(?:(NEW|OLD)\.)?([\w.]+)'?\}\}")


class Trigger(NamedTuple):
    """A trigger as a file defines it."""
    table: str
    name: str
    function: str


@cache
def sources():
    """Return the text of each file by its name, in the order in which they are loaded."""
    return {path.stem: path.read_text(encoding='utf-8') for path in sorted(FOLDER.glob('*.sql'))}


@cache
def triggers():
    """Return the triggers that the files define, whatever the database holds."""
    return tuple(Trigger(table, name, function) for text in sources().values()
                 for name, table, function in _TRIGGER.findall(text))


@cache
def functions():
    """Return the names of the functions that the files define.

    :raise ValueError: a function does not fix its search path
    """
    names = []
    for file, text in sources().items():
        found = list(_FUNCTION.finditer(text))
        if len(found) != text.count('CREATE FUNCTION') or any(SEARCH_PATH not in match[0] for match in found):
            raise ValueError(f"guards/{file}.sql: each function needs {SEARCH_PATH}")
        names += [match[1] for match in found]
    return tuple(names)


def bodies():
    """Return the body of each function of this version by its name, as PostgreSQL keeps it."""
    shipped = shipped_requirements()
    return {name: body for text in sources().values() for name, body in _BODY.findall(render(text, shipped))}


def shipped_requirements():
    """Return the shipped rows as a dict from profile and code to scope, citation, enforcement, check and wording."""
    shipped = {}
    for name in SHIPPED:
        with open(FOLDER.parent / 'data' / name, encoding='utf-8', newline='') as file:
            shipped.update({
                f"{row['profile_id/id'].removeprefix('profile_').upper()}/{row['code']}": [
                    row.get('scope', 'master'), *(row[name] for name in ('citation', 'enforcement', 'check', 'name'))]
                for row in csv.DictReader(file)})
    return shipped


def render(text, shipped):
    """Return the SQL of a file with its lists put in.

    :raise KeyError: a placeholder names no list
    """
    def replace(match):
        quoted, row, name = match.groups()
        if quoted:
            values = (value.replace("'", "''") for value in LISTS[name])
            return ', '.join(f"'{value}'" for value in values)
        return ', '.join(f'{row}.{value}' if row else value for value in LISTS[name])

    return _PLACEHOLDER.sub(replace, text.replace('{{shipped}}', canonical_json(shipped).decode()))


def load(cr, shipped=None):
    """Make the triggers and functions of this version, and leave none of another one.

    The tables and columns have to be there: it is called after those of all models were made, once for each
    installation or update of the addon.

    :param dict shipped: in place of :func:`shipped_requirements`
    """
    functions()
    drop(cr)
    shipped = shipped_requirements() if shipped is None else shipped
    for text in sources().values():
        cr.execute(render(text, shipped))


def drop(cr):
    """Drop every trigger and function that bears the prefix of the addon, whichever version made it."""
    like = PREFIX.replace('_', r'\_') + '%'
    cr.execute("SELECT format('DROP TRIGGER %%I ON %%s', tgname, tgrelid::regclass) FROM pg_trigger "
               "WHERE tgname LIKE %s AND NOT tgisinternal", [like])
    statements = [row[0] for row in cr.fetchall()]
    cr.execute("SELECT format('DROP ROUTINE %%s', oid::regprocedure) FROM pg_proc WHERE proname LIKE %s", [like])
    statements += [row[0] for row in cr.fetchall()]
    statements += [f'DROP TABLE IF EXISTS {table}' for table in NOTES]
    # What waits for the end of the transaction is judged by the guards that saw it.
    cr.execute('; '.join(['SET CONSTRAINTS ALL IMMEDIATE', 'SET CONSTRAINTS ALL DEFERRED', *statements]))
