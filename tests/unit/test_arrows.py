"""How the house is built: which room imports which, how large files and functions may be, what each says (PRD-060)."""

import ast
import os
import re
import unittest
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: What each room of the house may import, besides itself; what stands at the root belongs to none of them.
ROOMS = {
    'domain': set(),
    'verification': {'domain'},
    'models': {'domain', 'verification'},
    'reports': {'domain', 'verification', 'models'},
    'wizards': {'domain', 'verification', 'models', 'reports'},
    'controllers': {'domain', 'verification', 'models', 'reports'},
    'cli': {'domain', 'verification', 'models', 'reports'},
    'demo': {'domain', 'models'},
}
#: Subjects of the models, each of which imports from those before it only; those on one level do not import each other.
SUBJECTS = (
    {'base'}, {'evidence'}, {'people'}, {'master'}, {'equipment'}, {'record'}, {'deviation'}, {'stock', 'order'}, {'retention'},
    {'quality'},
)
MAX_FILE, MAX_FUNCTION = 500, 60
#: Files that may be longer, and why.
LONG_FILES = {
    'verification/verify.py': "is shipped in each bundle as one file that needs nothing but Python",
}
#: Functions that may be longer: they hold content and no logic.
LONG_FUNCTIONS = {('demo/vitamin_c.py', 'get_data'), ('demo/vitamin_c.py', 'get_stages'), ('demo/dressing_kit.py', 'get_data')}
#: A first line that says what the file is for, by extension.
FIRST_LINE = {
    'js': re.compile(r'(/\*\*? (?!@odoo-module)\S|// \S)'), 'scss': re.compile(r'(/\* \S|// \S)'), 'sql': re.compile(r'-- \S'),
}
DEFINES_FUNCTION = re.compile(r'CREATE (OR REPLACE )?FUNCTION', re.IGNORECASE)


@cache
def files(extension):
    """Return the files of the addon with an extension, as ``{path: text}``; what tools keep beside them is left out."""
    found = {}
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if not name.startswith('.') and name not in ('node_modules', '__pycache__')]
        for name in names:
            if name.endswith(f'.{extension}'):
                path = Path(folder, name)
                found[path.relative_to(ROOT).as_posix()] = path.read_text(encoding='utf-8')
    return found


@cache
def modules():
    """Return the Python files of the addon as ``{path: syntax tree}``."""
    return {path: ast.parse(text, path) for path, text in files('py').items()}


def imports(path, tree):
    """Yield ``(line, parts)`` of each import in a file: parts of the path inside of the addon, or of a module from elsewhere.

    :return: parts as a tuple; what is no part of the addon begins with None
    """
    package = Path(path).parent.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names, base = [alias.name for alias in node.names], None
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = package[:len(package) - node.level + 1]
            names = [node.module] if node.module else [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names, base = [node.module], None
        else:
            continue
        for name in names:
            if base is None and name.startswith('odoo.addons.mrp_mmr.'):
                yield node.lineno, tuple(name.split('.')[3:])
            else:
                yield node.lineno, (*(base if base is not None else (None,)), *name.split('.'))


class TestArrows(unittest.TestCase):
    """Arrows run one way: reports → models → verification → domain; stock, order → record → master → people → evidence."""

    def assertNothing(self, found, message):
        self.assertFalse(found, message + ":\n" + '\n'.join(sorted(map(str, found))))

    def test_house_is_read(self):
        """The checks see the files that they are about."""
        self.assertGreater(len(modules()), 250)
        self.assertGreater(len(files('js')), 20)
        arrows = [parts for _line, parts in imports('reports/report_bpr.py', modules()['reports/report_bpr.py'])]
        self.assertIn(('models', 'record', 'content'), arrows)

    def test_rooms(self):
        """No import from a room to one above it."""
        wrong = [
            f"{path}:{line} imports {'.'.join(parts)}"
            for path, tree in modules().items() for line, parts in imports(path, tree)
            if (room := path.split('/')[0]) in ROOMS and parts and parts[0] in {*ROOMS, 'tests', 'dev'} - {room, *ROOMS[room]}]
        self.assertNothing(wrong, "Imports against the arrows")

    def test_subjects(self):
        """No import from a subject of the models to one above it, and each subject has its place."""
        levels = {subject: level for level, subjects in enumerate(SUBJECTS) for subject in subjects}
        subjects = {path.split('/')[1] for path in modules() if path.startswith('models/') and path.count('/') > 1}
        self.assertEqual(subjects, set(levels))
        wrong = [
            f"{path}:{line} imports {'.'.join(parts)}"
            for path, tree in modules().items() if path.startswith('models/') and path.count('/') > 1
            for line, parts in imports(path, tree)
            if parts[:1] == ('models',) and len(parts) > 1 and parts[1] != path.split('/')[1]
            and levels[parts[1]] >= levels[path.split('/')[1]]]
        self.assertNothing(wrong, "Imports against the arrows")

    def test_domain_needs_no_odoo(self):
        """What is in domain/ can be imported and tried without Odoo: it is imported inside of functions only."""
        at_import = {
            path: ast.Module([node for node in tree.body if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)], [])
            for path, tree in modules().items() if path.startswith('domain/')}
        self.assertTrue(at_import)
        wrong = [f"{path}:{line}" for path, tree in at_import.items() for line, parts in imports(path, tree)
                 if parts[:2] == (None, 'odoo')]
        self.assertNothing(wrong, "Imports of Odoo in domain/")

    def test_shipped_verifier_stands_alone(self):
        """PRD-100: verification/verify.py goes into each bundle, where there is nothing but Python."""
        path = 'verification/verify.py'
        self.assertNothing(
            [f"{path}:{line} {'.'.join(parts[1:])}" for line, parts in imports(path, modules()[path])
             if parts[0] is not None or parts[1] in ('odoo', 'psycopg2', 'cryptography')],
            "Imports of the verifier that bundles carry")

    def test_first_line(self):
        """Each file says in its first line what it is for."""
        silent = [path for path, tree in modules().items() if files('py')[path].strip() and not (
            ast.get_docstring(tree) or '').strip() and path != '__manifest__.py']
        for extension, pattern in FIRST_LINE.items():
            silent += [path for path, text in files(extension).items() if not pattern.match(text)]
        self.assertNothing(silent, "Files that do not say what they are for")

    def test_file_size(self):
        """No file grows over what can be read in one go."""
        long = [f"{path}: {text.count(chr(10))}" for path, text in files('py').items()
                if not path.startswith('tests/') and path not in LONG_FILES and text.count('\n') > MAX_FILE]
        self.assertNothing(long, f"Python files over {MAX_FILE} lines")
        self.assertFalse(LONG_FILES.keys() - files('py').keys())

    def test_function_size(self):
        """No function grows over what can be seen at once; definitions of functions of PostgreSQL have a check of their own."""
        long = [
            f"{path}: {node.name} ({node.end_lineno - node.lineno + 1})"
            for path, tree in modules().items() if not path.startswith('tests/')
            for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.end_lineno - node.lineno + 1 > MAX_FUNCTION and (path, node.name) not in LONG_FUNCTIONS
            and not DEFINES_FUNCTION.search(ast.get_source_segment(files('py')[path], node))]
        self.assertNothing(long, f"Functions over {MAX_FUNCTION} lines")

    def test_one_override(self):
        """What orders do at each turn is one method that names its steps; other subjects extend the hooks that it calls."""
        found = {name: [] for name in (
            'action_confirm', 'button_mark_done', '_action_cancel', '_button_mark_done_sanity_checks', 'create', 'write')}
        for path, tree in modules().items():
            for node in tree.body if path.startswith('models/') else ():
                if isinstance(node, ast.ClassDef) and node.name == 'MrpProduction':
                    for method in node.body:
                        if isinstance(method, ast.FunctionDef) and method.name in found:
                            found[method.name].append(path)
        self.assertEqual({name: len(paths) for name, paths in found.items()}, dict.fromkeys(found, 1), found)

    # Until the guards stand in SQL files; then this decorator goes.
    def test_sql_functions_in_sql(self):
        """Functions of PostgreSQL are defined in SQL files, where editors, plpgsql_check and reviewers find them."""
        self.assertNothing(
            [path for path, text in files('py').items()
             if not path.startswith(('tests/', 'guards/')) and DEFINES_FUNCTION.search(text)],
            "Python files that define functions of PostgreSQL")
