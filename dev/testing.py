"""`dev/test`: lint, then the addon's tests on a fresh database."""
import hashlib
import os
import sys
from pathlib import Path

from common import (
    ADDON,
    CONF,
    DB_PORT,
    DB_USER,
    MODULE,
    ROOT,
    STATE,
    Failure,
    Step,
    addon_digest,
    addon_files,
    digest,
    manifest,
    output_of,
    run,
    say,
    set_stamp,
    stamp,
)
from environment import prepare
from trace_page import write as write_trace_page

#: What a run leaves for the page of requirements and tests.
JUNIT = STATE / 'junit.xml'
MOST_PROCESSES = 4

USAGE = """usage: dev/test [--lint | --no-lint] [PYTEST ARGUMENTS …]

Checks the code, installs the addon into a fresh database and runs its tests, browser tours included.

  --lint      only check the code
  --no-lint   only run the tests
  --fresh     install the addon again even if its files have not changed

Examples: dev/test tests/test_revision.py      dev/test -k ledger -x      dev/test --lint
"""

# The first two are the rules of another project; the last is wrong about methods that return
# nothing, such as init(). (Here, because .pylintrc cannot take back a part of what it enables.)
NOT_CHECKED = 'manifest-required-author,missing-readme,missing-return'

XML_CHECK = """
import sys
from lxml import etree
bad = 0
for name in sys.argv[1:]:
    try:
        etree.parse(name)
    except (etree.XMLSyntaxError, OSError) as error:
        bad = 1
        print(f'{name}: {error}')
sys.exit(bad)
"""


# === LINT === #

def lint(env):
    """Run the checks; return whether all passed. Unchanged files are not checked again."""
    files = list(addon_files())
    total = hashlib.sha256()
    for path in files:
        if path.suffix in {'.py', '.xml', '.csv', '.toml', '.po', '.pot', '.md', '.txt'} or path.name.startswith('.') \
                or path.parent.name == 'dev':
            total.update(str(path).encode() + path.read_bytes())
    wanted = total.hexdigest()
    if stamp('lint').get('passed') == wanted:
        say('✓ Checking the code (unchanged since it passed)')
        return True
    scripts = [path for path in files if path.parent == ROOT / 'dev' and not path.suffix]
    sources = [path for path in files if path.suffix == '.py' and path.parent != ROOT / 'dev']
    xml = [path for path in files if path.suffix in {'.xml', '.svg'}]
    checks = [
        ('ruff', [env.python, '-m', 'ruff', 'check', '--quiet', '--cache-dir', STATE / 'ruff', ROOT, *scripts]),
        ('pylint-odoo', [env.python, '-m', 'pylint', '--rcfile', ROOT / '.pylintrc', f'--disable={NOT_CHECKED}',
                         *sources]),
        ('XML', [env.python, '-c', XML_CHECK, *xml]),
        ('days', [env.python, ROOT / 'dev' / 'day_check.py']),
        ('docs/roles.md', [env.python, ROOT / 'dev' / 'role_page.py', '--check']),
        ('docs/traceability.md', [env.python, ROOT / 'dev' / 'trace_page.py', '--check']),
    ]
    passed = True
    with Step('Checking the code') as step:
        for name, command in checks:
            step.detail = name
            code, tail = run(command, cwd=ROOT, env=env.environ(PYLINTHOME=str(STATE / 'pylint')))
            if code:
                passed = False
                for line in tail:
                    step.note(line.replace(f'{ROOT}/', ''))
        step.failed = not passed
    if passed:
        set_stamp('lint', passed=wanted)
    return passed


# === DATABASES === #

def core_template(env, demo=False, modules=None):
    """The name of a database with Odoo's own modules, built when it does not exist yet."""
    modules = modules or manifest().get('depends', ['base'])
    name = f'core_{digest(env.version, *sorted(modules), demo)[:12]}'
    with env.lock:
        if name not in env.databases():
            # without the addon on the path: its state must not leave a trace
            env.create_database(name, modules, demo=demo, title="Installing Odoo's own modules (once)",
                                arguments=[f'--addons-path={env.core_addons_path}'])
    return name


def addon_template(env, fresh=False):
    """The name of a database with the addon installed, built again when the addon's files change."""
    with env.lock:
        core = core_template(env)
        name = f'addon_{digest(core, addon_digest())[:12]}'
        if fresh or name not in env.databases():
            found = []
            env.create_database(name, [MODULE], template=core, title='Installing the addon', found=found)
            set_stamp('addon-install', name=name, found=found)
            for other in env.databases():
                if other.startswith('addon_') and other != name:
                    env.drop_database(other)
        elif stamp('addon-install').get('name') == name:
            for line in stamp('addon-install')['found']:
                say(line)
    return name


# === PYTEST === #

def test_processes():
    """How many processes share the tests: each has a copy of the database, an Odoo and a browser."""
    return max(1, min(len(os.sched_getaffinity(0)), MOST_PROCESSES))


def pytest_arguments(args):
    """Paths below the checkout become paths below the folder that bears the addon's name."""
    result, has_path = [], False
    for arg in args:
        path, separator, rest = arg.partition('::')
        found = next((base / path for base in (Path.cwd(), ROOT) if not arg.startswith('-') and (base / path).exists()
                      and path), None)
        if found and found.resolve().is_relative_to(ROOT):
            has_path = True
            arg = f'{ADDON / found.resolve().relative_to(ROOT)}{separator}{rest}'
        result.append(arg)
    if has_path:
        return result
    # the tests of a class share what it has set up
    return ['-p', 'pytest_workers', f'--numprocesses={test_processes()}', '--dist=loadscope', *result, str(ADDON / 'tests')]


def main(args):
    if '--help' in args or '-h' in args:
        say(USAGE)
        return 0
    own = {'--lint', '--no-lint', '--fresh'}
    options = own & set(args)
    args = [arg for arg in args if arg not in own]
    with prepare(browser='--lint' not in options) as env:
        passed = '--no-lint' in options or lint(env)
        if '--lint' in options:
            return 0 if passed else 1
        template = addon_template(env, '--fresh' in options)
        name = env.own_database('test')
        with env.lock, Step('Copying the database'):
            env.clone_database(template, name)
        command = [env.python, '-m', 'pytest', '-c', ROOT / 'pytest.ini', f'--rootdir={ADDON}', f'--confcutdir={ADDON}',
                   '-o', f'cache_dir={STATE / "pytest"}', f'--odoo-database={name}', f'--odoo-config={CONF}',
                   '--odoo-http', '--odoo-log-level=warn', f'--junitxml={JUNIT}', *pytest_arguments(args)]
        # for the programs that make a copy of the database for each process
        where = {'PGHOST': str(env.postgres.folder), 'PGPORT': str(DB_PORT), 'PGUSER': DB_USER}
        environ = env.environ(**where)
        environ['PYTHONPATH'] += f':{ROOT / "dev"}'
        code = env.foreground(command, cwd=ROOT, env=environ)
        if code < 0:
            raise Failure(f'pytest was ended by signal {-code}.')
        if not args:
            write_trace_page(JUNIT, {
                'Odoo': env.source.version, 'Python': output_of([env.python, '-V']).split()[1],
                'PostgreSQL': env.sql('SHOW server_version')[0][0]})
        if not passed:
            print('The code check has not passed: see above.', file=sys.stderr)
        return code or (0 if passed else 1)
