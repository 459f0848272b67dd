"""Requirements and their tests: what ``dev/test --lint`` checks, and the two pages that ``dev/release`` makes of a version.

``python dev/trace_page.py --check`` writes nothing: the exit status says whether a test names a requirement that does not
exist or none at all, or a requirement has no test. It reads the table and the tests, never the pages, for these belong to
the version that was released last.
"""
import ast
import csv
import re
import sys
from collections import Counter
from datetime import UTC, datetime
from xml.etree import ElementTree

from common import ROOT, addon_digest, manifest

TABLE, PAGE, TESTS = ROOT / 'docs' / 'requirements.csv', ROOT / 'docs' / 'traceability.md', ROOT / 'tests'
REPORT = ROOT / 'docs' / 'test_report.md'
#: Of a requirement, or of several: BPR-020 to BPR-050.
NAMED = re.compile(r'\b([A-Z]{3}-\d{3})\b(?:\s+to\s+([A-Z]{3}-\d{3})\b)?')
NOT_RUN = 'not run'
HEAD = """\
# Requirements and their tests

Version {version}. Made by `dev/release` after it has run all tests of this version; do not edit it. A test belongs to the
requirements that its docstring names, or else that of its class or file. The requirements are in
[requirements.csv](requirements.csv); citations without a title are of 21 CFR, *EU* is Part I of the EU Guidelines to Good
Manufacturing Practice. What was run when, and on what, says the [report of the tests](test_report.md).

{count} requirements, {traced} with tests, {passed} of these with all tests passed.
"""
REPORT_HEAD = """\
# Report of the tests

Made by `dev/release` after it has run all tests; do not edit it. It is evidence for your validation (21 CFR 11.10(a), EU GMP
Annex 11 §4): what was tested, when, on what, and how it ended; `dev/test --nightly` repeats it. Which tests prove which
requirement: [traceability](traceability.md).

| | |
|---|---|
{facts}
"""


def read_requirements():
    """Return the rows of the requirements, in their order."""
    with TABLE.open(encoding='utf-8', newline='') as file:
        return list(csv.DictReader(file))


def iterate_tests():
    """Yield file, class and name of each test, and the names of requirements in the nearest docstring that has any."""
    for path in sorted(TESTS.rglob('test_*.py')):
        name = path.relative_to(TESTS).as_posix()
        module = ast.parse(path.read_text(encoding='utf-8'))
        for cls in module.body:
            for function in getattr(cls, 'body', ()):
                if isinstance(function, ast.FunctionDef) and function.name.startswith('test_'):
                    texts = (NAMED.findall(ast.get_docstring(node) or '') for node in (function, cls, module))
                    yield name, cls.name, function.name, next(filter(None, texts), [])


def find_tests(known):
    """Return the tests of each requirement, as ``(file, class, test)``, and what is wrong with the names."""
    tests, wrong = {name: [] for name in known}, set()
    prefixes = {name[:3] for name in known}
    for file, cls, test, names in iterate_tests():
        if not names:
            wrong.add(f'tests/{file}, {test} names no requirement')
        for first, last in names:
            named = [name for name in known if name[:3] == first[:3] and first <= name <= (last or first)]
            if not named and first[:3] in prefixes:
                wrong.add(f'tests/{file}, {test}: {first} is no requirement of docs/requirements.csv')
            for name in named:
                if (file, cls, test) not in tests[name]:
                    tests[name].append((file, cls, test))
    return tests, wrong | {f'{name} of docs/requirements.csv has no test' for name, rows in tests.items() if not rows}


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
    """Return the page of the requirements."""
    requirements = read_requirements()
    tests, _wrong = find_tests([row['id'] for row in requirements])
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


def render_report(results, platform):
    """Return the report of a run.

    :param dict platform: what the tests ran on, name to version
    """
    facts = {
        'Addon': f'mrp_mmr {manifest()["version"]}', 'Digest of its files': f'`{addon_digest()}`', **platform,
        'Ended': f'{datetime.now(UTC):%Y-%m-%d %H:%M} UTC',
        'Tests': f'{len(results)}: ' + ', '.join(f'{count} {name}' for name, count in Counter(results.values()).most_common()),
    }
    lines = [REPORT_HEAD.format(facts='\n'.join(f'| {name} | {value} |' for name, value in facts.items()))]
    file = None
    for name, cls, test, named in iterate_tests():
        if name != file:
            file = name
            lines += [f'\n## {file}\n', '| test | requirements | result |', '|---|---|---|']
        requirements = ', '.join(dict.fromkeys(f'{first} to {last}' if last else first for first, last in named))
        lines.append(f'| `{cls}.{test}` | {requirements} | {results.get((cls, test), NOT_RUN)} |')
    return '\n'.join(lines) + '\n'


def without_results(page):
    """Return a page without what only a run says."""
    return [line.rsplit('|', 2)[0] for line in page.splitlines() if not re.match(r'\d+ requirements', line)]


def write(junit, platform):
    """Make both pages from the results of a run of all tests, which ran on ``platform``."""
    results = read_results(junit)
    PAGE.write_text(render(results), encoding='utf-8')
    REPORT.write_text(render_report(results, platform), encoding='utf-8')


def find_outdated():
    """Yield what the pages do not say of the version and the tests in this checkout."""
    page, report = (path.read_text(encoding='utf-8') if path.exists() else '' for path in (PAGE, REPORT))
    if without_results(page) != without_results(render({})):
        yield 'docs/traceability.md is not of these requirements, tests and version'
    facts = dict(re.findall(r'^\| ([\w ]+) \| (.+) \|$', report, re.MULTILINE))
    for name, wanted in (('Addon', f'mrp_mmr {manifest()["version"]}'), ('Digest of its files', f'`{addon_digest()}`')):
        if facts.get(name) != wanted:
            yield f'docs/test_report.md, {name}: {facts.get(name, "nothing")} instead of {wanted}'
    rows = dict(re.findall(r'^\| `(\w+\.test_\w+)` \| [^|]* \| (\w[\w ]*) \|$', report, re.MULTILINE))
    for _file, cls, test, _names in iterate_tests():
        if rows.get(f'{cls}.{test}') != 'passed':
            yield f'docs/test_report.md, {cls}.{test}: {rows.get(f"{cls}.{test}", NOT_RUN)}'


def main(args):
    if args != ['--check']:
        print(__doc__, file=sys.stderr)
        return 2
    _tests, wrong = find_tests([row['id'] for row in read_requirements()])
    for line in sorted(wrong):
        print(line)
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
