"""`dev/release`: the evidence that a version comes with, docs/traceability.md and docs/test_report.md.

The pages belong to a version, not to a commit: they are made once, of a run of all tests with all their cases, when the
version in the manifest is to be released, and committed with it.
"""
from common import Failure, manifest, output_of, say
from environment import prepare
from testing import JUNIT, lint, run_tests
from trace_page import find_outdated, write

USAGE = """usage: dev/release [--check]

Checks the code, runs all tests with all their cases, and makes docs/traceability.md and docs/test_report.md for the version
in the manifest. Commit them with the version.

  --check     only say whether the pages are those of this version, of these files, and of tests that all passed
"""


def check():
    """Say what is outdated; return the exit code."""
    outdated = list(find_outdated())
    for line in outdated:
        say(line)
    version = manifest()['version']
    if outdated:
        say(f'✗ The pages are not those of {version}: dev/release makes them.')
        return 1
    say(f'✓ The pages are those of {version}.')
    return 0


def main(args):
    if '--help' in args or '-h' in args:
        say(USAGE)
        return 0
    if args == ['--check']:
        return check()
    if args:
        raise Failure(f'dev/release does not know {" ".join(args)}; see dev/release --help.')
    with prepare(browser=True) as env:
        if not lint(env):
            return 1
        code = run_tests(env, fresh=True, nightly=True)
        if code:
            say('✗ The pages stay as they were: not all tests passed.')
            return code
        write(JUNIT, {
            'Odoo': env.source.version, 'Python': output_of([env.python, '-V']).split()[1],
            'PostgreSQL': env.sql('SHOW server_version')[0][0]})
    return check()
