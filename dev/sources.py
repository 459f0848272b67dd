"""Reads the addon's own code for the pages that are made from it: rooms, functions, and where a requirement is named."""
import ast
import re
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from common import ROOT
from trace_page import NAMED, TABLE, TESTS, read_requirements

#: Folders of the addon whose Python makes up the product, in the order in which people read them.
ROOMS = ('domain', 'models', 'verification', 'reports', 'wizards', 'controllers', 'cli', 'demo')
#: A line with one of these, in a string of Python or in a file of SQL, belongs to PostgreSQL.
SQL_WORDS = ('LANGUAGE plpgsql', 'RAISE EXCEPTION')
SQL_FUNCTION = re.compile(r'^\s*CREATE (?:OR REPLACE )?FUNCTION (?:\w+\.)?(\w+)', re.MULTILINE)

__all__ = ('ROOMS', 'TABLE', 'TESTS', 'Place', 'expand', 'module', 'places', 'python_files', 'read_requirements')


class Place(NamedTuple):
    """A function, a class or a file, and what stands there."""
    file: str
    name: str
    text: str
    is_sql: bool


@cache
def module(path):
    """Return the syntax tree of a Python file."""
    return ast.parse(path.read_text(encoding='utf-8'))


def python_files(*rooms):
    """Return the Python files of these rooms, in their order."""
    return [path for room in rooms for path in sorted((ROOT / room).rglob('*.py')) if '__pycache__' not in path.parts]


def _walk(node, prefix=''):
    """Yield classes and functions with their qualified names; what lies inside of a function belongs to it."""
    for child in getattr(node, 'body', ()):
        if isinstance(child, ast.ClassDef):
            yield f'{prefix}{child.name}', child
            yield from _walk(child, f'{prefix}{child.name}.')
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f'{prefix}{child.name}', child


def functions(path):
    """Yield qualified name and node of each function of a file."""
    for name, node in _walk(module(path)):
        if not isinstance(node, ast.ClassDef):
            yield name, node


def _python_places(path):
    """Yield the places of a Python file; constants of the module are read where they are used."""
    tree, lines = module(path), path.read_text(encoding='utf-8').splitlines()
    file, owner = path.relative_to(ROOT).as_posix(), {}
    for name, node in _walk(tree):
        start = min([node.lineno, *(row.lineno for row in node.decorator_list)])
        owner.update(dict.fromkeys(range(start, node.end_lineno + 1), name))
    strings = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    sql = {line for node in strings if any(word in node.value for word in SQL_WORDS)
           for line in range(node.lineno, node.end_lineno + 1)}
    constants = {
        target.id: ast.get_source_segment('\n'.join(lines), node.value) or '' for node in tree.body
        if isinstance(node, ast.Assign) for target in node.targets if isinstance(target, ast.Name) and NAMED.search(
            ast.unparse(node.value))}
    texts = {}
    for number, line in enumerate(lines, 1):
        used = [constants[word] for word in re.findall(r'\b[A-Z_]{3,}\b', line) if word in constants] if number in owner else []
        texts.setdefault((owner.get(number, ''), number in sql), []).extend([line, *used])
    for (name, is_sql), rows in texts.items():
        if name or is_sql:
            yield from _sql_places(file, '\n'.join(rows), name) if is_sql else [Place(file, name, '\n'.join(rows), False)]


def _sql_places(file, text, fallback=''):
    """Yield the functions of a text of SQL, each with the comments above it."""
    starts = [match.start() for match in SQL_FUNCTION.finditer(text)]
    if not starts:
        yield Place(file, fallback, text, True)
        return
    # What stands above a function, since the end of the one before, is about it.
    ends = [0, *(max(text.rfind('\n$$', start, following), start) for start, following in pairwise(starts)), len(text)]
    for match, (start, end) in zip(SQL_FUNCTION.finditer(text), pairwise(ends), strict=True):
        yield Place(file, match[1], text[start:end], True)


@cache
def places():
    """Return where the code says something: functions and classes of the rooms, and functions of PostgreSQL."""
    found = [place for path in python_files(*ROOMS) for place in _python_places(path)]
    for path in sorted((ROOT / 'guards').rglob('*.sql')):
        found += _sql_places(path.relative_to(ROOT).as_posix(), path.read_text(encoding='utf-8'))
    return tuple(found)


def expand(names, known):
    """Return the requirements that pairs of first and last name mean, as :data:`trace_page.NAMED` finds them."""
    return [name for first, last in names for name in known if name[:3] == first[:3] and first <= name <= (last or first)]
