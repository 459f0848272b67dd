"""Makes docs/where.md: for each requirement the methods, the guards of PostgreSQL and the tests that name it."""
import ast

from common import ROOT
from sources import TESTS, expand, module, places, read_requirements
from trace_page import NAMED

PAGE = ROOT / 'docs' / 'where.md'
HEAD = """\
# Where is what

Made by `dev/map` from the code; do not edit it. For each requirement: the methods that name it, in a refusal or in their
description (*ORM*), the functions of PostgreSQL that name it (*guard*), and the files of tests that name it. What the
requirement says, and which tests prove it, is in the [traceability](traceability.md). A place that only mentions a
requirement is listed as well; a rule that holds without naming one is not.
"""


def find_tests(known):
    """Return the files of tests by requirement: what the nearest docstring of a test names."""
    files = {name: [] for name in known}
    for path in sorted(TESTS.rglob('test_*.py')):
        tree = module(path)
        for cls in tree.body:
            for function in getattr(cls, 'body', ()):
                if isinstance(function, ast.FunctionDef) and function.name.startswith('test_'):
                    texts = (NAMED.findall(ast.get_docstring(node) or '') for node in (function, cls, tree))
                    for name in expand(next(filter(None, texts), []), known):
                        if path not in files[name]:
                            files[name].append(path)
    return {name: [path.relative_to(TESTS).as_posix() for path in paths] for name, paths in files.items()}


def find_places(known):
    """Return the places by requirement: first those of the ORM, then those of PostgreSQL."""
    found = {name: ({}, {}) for name in known}
    for place in places():
        for name in dict.fromkeys(expand(NAMED.findall(place.text), known)):
            found[name][place.is_sql].setdefault(place.file, {})[place.name] = True
    return found


def _cell(by_file):
    return '<br>'.join(
        f'`{file}`' + (f': {", ".join(name for name in names if name)}' if any(names) else '')
        for file, names in sorted(by_file.items())) or '–'


def render():
    """Return the page."""
    rows = read_requirements()
    known = [row['id'] for row in rows]
    tests, found = find_tests(known), find_places(known)
    lines, area = [HEAD], None
    for row in rows:
        if row['area'] != area:
            area = row['area']
            lines += [f'\n## {area}\n', '| requirement | ORM | guard | tests |', '|---|---|---|---|']
        orm, sql = found[row['id']]
        lines.append(f"| **{row['id']}** | {_cell(orm)} | {_cell(sql)} | {'<br>'.join(tests[row['id']]) or '–'} |")
    return '\n'.join(lines) + '\n'
