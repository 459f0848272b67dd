"""Writes docs/roles.md from security/roles.csv, the table that the tests hold against the addon.

Run by hand after the table was changed: ``python dev/role_page.py``. With ``--check``, as ``dev/test --lint`` runs it,
nothing is written, and the exit status says whether the page is out of date.
"""
import csv
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TABLE, PAGE = ROOT / 'security' / 'roles.csv', ROOT / 'docs' / 'roles.md'
#: Columns before those of the roles: kind, subject, label, rule.
FIXED = 4
HEAD = """\
# Who may do what

Made by `dev/role_page.py` from `security/roles.csv`; do not edit it. `tests/people/test_roles.py` tries every cell on a real
database, as a user of that role: what is marked succeeds, and everything else is refused. A model, button, signature,
print or download without a line in the table fails the tests, too (21 CFR 11.10(d), (g); EU GMP Annex 11 §12).

Roles combine freely: who has several may do what one of them may. No role brings another one along, and none of Odoo's
own groups brings one of these; Odoo's administrator signs nothing. Other rules hold for everybody: whoever
edited a revision does not approve it, signed content is not changed, a signature asks for user name and password.

| | role | group |
|---|---|---|
"""


def read_table():
    """Return the roles, as ``(short, name, group)``, and the rows by kind."""
    with TABLE.open(encoding='utf-8', newline='') as file:
        header, groups, names, *rows = csv.reader(file)
    assert (header[0], groups[0], names[0]) == ('kind', 'group', 'name')
    assert all(len(row) == len(header) for row in rows)
    roles = list(zip((key.upper()[:3] for key in header[FIXED:]), names[FIXED:], groups[FIXED:], strict=True))
    kinds = {}
    for row in rows:
        kinds.setdefault(row[0], []).append(row)
    return roles, kinds


def render_matrix(roles, rows, first, cell):
    """Return the lines of a table with a column for each role."""
    yield f"| {first} | rule | {' | '.join(short for short, _name, _group in roles)} |"
    yield f"|---|---|{':-:|' * len(roles)}"
    for _kind, _subject, label, rule, *cells in rows:
        yield f"| {label} | {rule} | {' | '.join(map(cell, cells))} |"


def render():
    roles, kinds = read_table()
    shorts = [short for short, _name, _group in roles]
    assert len(set(shorts)) == len(shorts), "the first three letters of a role tell it from the others"
    lines = [
        HEAD + '\n'.join(f"| {short} | {name} | `{group}` |" for short, name, group in roles),
        '', '## Actions', '',
        *render_matrix(roles, kinds['action'], "action", lambda cell: '●' if cell else ''),
        '', '## Records', '',
        "Create (c), read (r), write (w) and delete (u): the most that a role can do. Signed content, signatures and the",
        "audit trail have guards of their own, whatever stands here. Dialogs are not records.", '',
        *render_matrix(roles, kinds['model'], "record", lambda cell: f'`{cell}`' if cell else ''),
        '', "## Records of Odoo", '',
        "What the addon adds to the rights of Odoo's own groups: auditors read what belongs to a batch, preparers write the",
        "bills of materials of their drafts. Auditors without another role change none of them, even where Odoo lets every",
        "internal user do so.", '',
        *render_matrix(roles, kinds['core'], "record", lambda cell: f'`{cell}`' if cell else ''),
    ]
    return '\n'.join(lines) + '\n'


def main(args):
    page = render()
    if '--check' not in args:
        PAGE.write_text(page, encoding='utf-8')
    elif not PAGE.exists() or PAGE.read_text(encoding='utf-8') != page:
        print("docs/roles.md is not what security/roles.csv says: run dev/role_page.py")
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
