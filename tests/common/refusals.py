"""One way to expect a refusal: it names what refuses."""

import re
from contextlib import contextmanager

from psycopg2 import DatabaseError

from odoo.exceptions import RedirectWarning, UserError
from odoo.tools import mute_logger

#: A requirement as messages name it, or a constraint, trigger function or foreign key of PostgreSQL.
NAME = re.compile(r'[A-Z]{3}-\d{3}|[a-z]\w{3,}|AccessError|\?')
FUNCTION = re.compile(r'function (?:\w+\.)?(\w+)\(')


def describe_refusal(error):
    """Return the text of a refusal with its class, or the constraint and the functions of PostgreSQL that refused."""
    diag = getattr(error, 'diag', None)
    if not diag:
        return f'{type(error).__name__}: {error}'
    return ' '.join([
        diag.message_primary or str(error), diag.constraint_name or '', *FUNCTION.findall(diag.context or '')])


def _record(e):
    import json
    import sys
    f, fr = sys._getframe(2), []
    while f:
        n = f.f_code.co_filename
        if '/mrp_mmr/tests/' in n and 'refusals.py' not in n:
            fr.append((n.split('/mrp_mmr/tests/')[1], f.f_lineno, f.f_code.co_name))
        f = f.f_back
    d = getattr(e, 'diag', None)
    open('/tmp/refused.jsonl', 'a').write(json.dumps([fr, type(e).__name__, describe_refusal(e), d and d.constraint_name, d and FUNCTION.findall(d.context or '')]) + chr(10))


class RefusalCase:
    """For test cases with an environment."""

    @contextmanager
    def assertRefused(self, *names, core=None, error=(UserError, RedirectWarning, DatabaseError)):
        """Expect that what runs inside is refused by the addon or by PostgreSQL, at the latest when it is flushed.

        Nothing of it is left: it runs in a savepoint. What was pending before is not part of it.

        :param names: which rule refuses, one of them: a requirement (``'REV-010'``), a constraint of PostgreSQL, or
            ``'AccessError'`` where Odoo's own access rights refuse
        :param str core: instead, what Odoo says where the refusal is its own
        :param error: the class of the exception, where that matters
        """
        if core is None and not (names and all(map(NAME.fullmatch, names))):
            raise ValueError(f"assertRefused wants the names of rules or constraints, not {names}")
        wanted = re.escape(core) if core else r'\b(?:' + '|'.join(names) + r')\b'
        self.env.flush_all()
        try:
            with mute_logger('odoo.sql_db'), self.env.cr.savepoint():
                yield
                self.env.flush_all()
        except error as refusal:
            if '?' in names:
                _record(refusal)
            else:
              self.assertRegex(describe_refusal(refusal), wanted)
        else:
            self.fail(f"not refused by {core or ' or '.join(names)}")
        self.env.invalidate_all()
