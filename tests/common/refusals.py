"""One way to expect a refusal: it names what refuses."""

import re
from contextlib import contextmanager
from types import SimpleNamespace

from psycopg2 import DatabaseError

from odoo.exceptions import RedirectWarning, UserError
from odoo.tools import mute_logger

#: A requirement as messages name it, or a constraint, trigger function or foreign key of PostgreSQL.
NAME = re.compile(r'[A-Z]{3}-\d{3}|[a-z]\w{3,}|AccessError|\\w\+_fkey')
FUNCTION = re.compile(r'function (?:\w+\.)?(\w+)\(')


def describe_refusal(error):
    """Return the text of a refusal with its class, or the constraint and the functions of PostgreSQL that refused."""
    diag = getattr(error, 'diag', None)
    if not diag:
        return f'{type(error).__name__}: {error}'
    return ' '.join([
        diag.message_primary or str(error), diag.constraint_name or '', *FUNCTION.findall(diag.context or '')])


class RefusalCase:
    """For test cases with an environment."""

    @contextmanager
    def assertRefused(self, *names, core=None, error=(UserError, RedirectWarning, DatabaseError)):
        r"""Expect that what runs inside is refused by the addon or by PostgreSQL, at the latest when it is flushed.

        Nothing of it is left: it runs in a savepoint. What was pending before is not part of it. Afterwards, ``text`` of what
        this yields is what was said.

        :param names: which rule refuses, one of them: a requirement (``'REV-010'``), a constraint of PostgreSQL or the column
            that it wants, any foreign key (``r'\w+_fkey'``), or ``'AccessError'`` where Odoo's own access rights refuse
        :param str core: what Odoo says, as a regular expression, where the refusal is its own or names no rule
        :param error: the class of the exception, where that matters
        """
        if not (names or core) or not all(map(NAME.fullmatch, names)):
            raise ValueError(f"assertRefused wants the names of rules or constraints, not {names}")
        wanted = '|'.join([*(rf'\b{name}\b' for name in names), *([core] if core else ())])
        self.env.flush_all()
        refused = SimpleNamespace(text=None)
        try:
            with mute_logger('odoo.sql_db'), self.env.cr.savepoint():
                yield refused
                self.env.flush_all()
        except error as refusal:
            refused.text = describe_refusal(refusal)
            self.assertRegex(refused.text, wanted)
        else:
            self.fail(f"not refused by {wanted}")
        self.env.invalidate_all()
