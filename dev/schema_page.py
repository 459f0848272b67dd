"""Makes schema/README.md: each payload of domain/schemas.py, its JSON Schema, and the method that makes it."""
import ast
import sys

from common import ROOT
from sources import functions, module, python_files

PAGE = ROOT / 'schema' / 'README.md'
MAKERS = ('models', 'domain', 'verification', 'reports')
HEAD = """\
# JSON Schemas of what is signed and frozen

Made by `dev/map` from `domain/schemas.py`; do not edit it. Whatever is digested by this addon, and then signed or frozen, is
canonical JSON (UTF-8, keys sorted, no white space, no floats) and fits the schema of its kind: draft 2020-12, no further
keys, patterns for decimals, times and digests. The tests hold every signature that they make against it, and a whole batch
from the draft of its master to its release. Bundles have these schemas in `schemas/`.

Quantities are decimal strings. Times are UTC. What several schemas share is in [common](common.schema.json); they refer to
it by its identifier, so a validator is given all of these files.

*signed*: the content of an electronic signature. *frozen*: stored once, with its digest. *by digest*: another payload holds
its digest. *bundle*: a file of a bundle, whose manifest holds its digest.

| what | code | schema | use | made by |
|---|---|---|---|---|
"""


def load_payloads():
    """Return the table of payloads, read without Odoo."""
    sys.path.insert(0, str(ROOT))
    try:
        from domain.schemas import PAYLOADS
    finally:
        sys.path.remove(str(ROOT))
    return PAYLOADS


def _uses(node, code, constants):
    """Whether a function makes a content of this code, rather than compares with it."""
    compared = {id(child) for row in ast.walk(node) if isinstance(row, ast.Compare) for child in ast.walk(row)}
    return any(
        isinstance(child, ast.Constant) and child.value == code or isinstance(child, ast.Name) and child.id in constants
        for child in ast.walk(node) if id(child) not in compared)


def find_maker(payload):
    """Return the file and the method that makes a payload; an empty text where only earlier versions did."""
    for path in python_files(*MAKERS):
        constants = {
            target.id for node in module(path).body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            and payload.code and node.value.value == payload.code for target in node.targets}
        for name, node in functions(path):
            if name == payload.made_by if payload.made_by else _uses(node, payload.code, constants):
                return path.relative_to(ROOT).as_posix(), name
    return '', ''


def render():
    """Return the page."""
    lines = []
    for payload in load_payloads():
        file, name = find_maker(payload)
        schema, _separator, pointer = payload.schema.partition('#')
        part = f', `{pointer}`' if pointer else ''
        made = f'`{file}`: {name}' if file else 'earlier versions'
        lines.append(f'| {payload.title} | {f"`{payload.code}`" if payload.code else "–"} '
                     f'| [{schema}]({schema}.schema.json){part} | {payload.signed} | {made} |')
    return HEAD + '\n'.join(lines) + '\n'
