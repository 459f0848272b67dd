"""Writes docs/traceability.md: which tests prove each requirement of docs/requirements.csv, and how they ended.

``dev/test`` renews it after a run of all tests; by hand: ``python dev/trace_page.py [JUNIT_XML]``. With ``--check``, as
``dev/test --lint`` runs it, nothing is written: the exit status says whether a test names a requirement that does not
exist, or the page misses a test.
"""
import ast
import csv
import re
import sys
from xml.etree import ElementTree

from common import ROOT, manifest

TABLE, PAGE, TESTS = ROOT / 'docs' / 'requirements.csv', ROOT / 'docs' / 'traceability.md', ROOT / 'tests'
#: Of a requirement, or of several: BPR-020 to BPR-050.
NAMED = re.compile(r'\b([A-Z]{3}-\d{3})\b(?:\s+to\s+([A-Z]{3}-\d{3})\b)?')
NOT_RUN = 'not run'
HEAD = """\
# Requirements and their tests

Version {version}. Made by `dev/trace_page.py` when `dev/test` has run all tests; do not edit it. A test belongs to the
requirements that its docstring names. The requirements are in [requirements.csv](requirements.csv); citations without
a title are of 21 CFR, *EU* is Part I of the EU Guidelines to Good Manufacturing Practice.

{count} requirements, {traced} with tests, {passed} of these with all tests passed in the last run.
"""


def read_requirements():
    """Return the rows of the requirements, in their order."""
    with TABLE.open(encoding='utf-8', newline='') as file:
        return list(csv.DictReader(file))


def find_tests(known):
    """Return the tests of each requirement, as ``(file, class, test)``, and the names that nobody knows."""
    tests, unknown = {name: [] for name in known}, set()
    prefixes = {name[:3] for name in known}
    for path in sorted(TESTS.glob('test_*.py')):
        for cls in ast.parse(path.read_text(encoding='utf-8')).body:
            for function in getattr(cls, 'body', ()):
                if not isinstance(function, ast.FunctionDef) or not function.name.startswith('test_'):
                    continue
                for first, last in NAMED.findall(ast.get_docstring(function) or ''):
                    named = [name for name in known if name[:3] == first[:3] and first <= name <= (last or first)]
                    if not named and first[:3] in prefixes:
                        unknown.add(f'{path.name}, {function.name}: {first}')
                    for name in named:
                        if (row := (path.name, cls.name, function.name)) not in tests[name]:
                            tests[name].append(row)
    return tests, unknown


def read_results(path):
    """Return how the tests of a run ended: ``(class, test)`` to 'passed', 'failed' or 'skipped'."""
    results = {}
    for case in ElementTree.parse(path).iter('testcase'):
        key = (case.get('classname', '').rpartition('.')[2], case.get('name', '').partition('[')[0])
        kinds = {child.tag for child in case}
        outcome = 'failed' if kinds & {'failure', 'error'} else 'skipped' if 'skipped' in kinds else 'passed'
        # A test may have several entries: one for each part that failed.
        results[key] = 'failed' if 'failed' in {outcome, results.get(key)} else outcome
    return results


def result_of(rows, results):
    """Return how the tests of one requirement ended, in a word."""
    outcomes = {results.get(row[1:], NOT_RUN) for row in rows}
    return next((outcome for outcome in ('failed', NOT_RUN, 'skipped', 'passed') if outcome in outcomes), '')


def render(results):
    """Return the page."""
    requirements = read_requirements()
    tests, _unknown = find_tests([row['id'] for row in requirements])
    ended = {name: result_of(rows, results) for name, rows in tests.items()}
    lines = [HEAD.format(
        version=manifest()['version'], count=len(tests), traced=sum(map(bool, tests.values())),
        passed=list(ended.values()).count('passed'))]
    area = None
    for row in requirements:
        if row['area'] != area:
            area = row['area']
            lines += [f'\n## {area}\n', '| requirement | tests | result |', '|---|---|---|']
        files = {}
        for file, _cls, test in tests[row['id']]:
            files.setdefault(file, []).append(f'`{test}`')
        where = '; '.join(f'{file}: {", ".join(names)}' for file, names in files.items()) or '–'
        text = row['requirement'].replace('|', '/')
        citation = f' ({row["citation"]})' if row['citation'] else ''
        lines.append(f'| **{row["id"]}** {text}{citation} | {where} | {ended[row["id"]] or "–"} |')
    return '\n'.join(lines) + '\n'


def without_results(page):
    """Return a page without what the last run changes."""
    return [line.rsplit('|', 2)[0] for line in page.splitlines() if not re.match(r'Version|\d+ requirements', line)]


def write(junit):
    """Renew the page from the results of a run of all tests."""
    PAGE.write_text(render(read_results(junit)), encoding='utf-8')


def main(args):
    if '--check' not in args:
        PAGE.write_text(render(read_results(args[0]) if args else {}), encoding='utf-8')
        return 0
    _tests, unknown = find_tests([row['id'] for row in read_requirements()])
    for line in sorted(unknown):
        print(f'tests/{line} is no requirement of docs/requirements.csv')
    is_stale = not PAGE.exists() or without_results(PAGE.read_text(encoding='utf-8')) != without_results(render({}))
    if is_stale:
        print('docs/traceability.md is out of date: run dev/test, or python dev/trace_page.py')
    return 1 if unknown or is_stale else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
