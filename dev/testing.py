"""`dev/test`: lint, then the addon's tests on a fresh database."""
import hashlib
import os
import random
import sys
from pathlib import Path

from common import (
    ADDON,
    CONF,
    DB_PORT,
    DB_USER,
    LOG,
    MODULE,
    ROOT,
    STATE,
    Failure,
    Step,
    addon_digest,
    addon_files,
    digest,
    manifest,
    remove,
    run,
    say,
    set_stamp,
    stamp,
)
from environment import prepare

#: What a run leaves for the pages that `dev/release` makes.
JUNIT = STATE / 'junit.xml'
MOST_PROCESSES = 4
#: What tests/common/sampling.py reads.
NIGHTLY, SEED = 'MRP_MMR_TEST_NIGHTLY', 'MRP_MMR_TEST_SEED'
#: What tests/base/test_first_hour.py reads: a database with the addon and nothing else.
EMPTY = 'MRP_MMR_TEST_EMPTY'
#: How many of the slowest tests the report of a run names.
SLOWEST = 20

USAGE = """usage: dev/test [--lint | --no-lint] [--nightly | --seed N] [PYTEST ARGUMENTS …]

Checks the code, installs the addon into a fresh database and runs its tests, browser tours included. The longest tests
(each stored column altered, each trigger removed) try a random part of their cases.

  --lint      only check the code
  --no-lint   only run the tests
  --fresh     install the addon again even if its files have not changed
  --nightly   all cases of all tests
  --seed N    the cases of the run that printed this seed

Examples: dev/test tests/record/test_bpr.py      dev/test -k ledger -x      dev/test --lint
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
        ('requirements and tests', [env.python, ROOT / 'dev' / 'trace_page.py', '--check']),
        ('pages made from the code', [env.python, ROOT / 'dev' / 'map', '--check']),
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


def tests_template(env, fresh=False, assets=True):
    """The name of a database with the addon and what all tests share: people, products, for browser tests the assets."""
    script = ROOT / 'dev' / 'prepare_tests.py'
    with env.lock:
        template = addon_template(env, fresh)
        sources = [script, *sorted((ROOT / 'tests' / 'common').glob('*.py'))]
        stem = f'{template.replace("addon", "tests")}_{digest(*(path.read_text() for path in sources))[:8]}'
        name = stem + ('_assets' if assets else '')
        if not fresh and name in env.databases():
            return name
        temporary, log = f'{name}__new', LOG / 'prepare-tests.log'
        with Step('Preparing people and products of the tests' + (', and assets' if assets else '')):
            remove(log)
            env.clone_database(template, temporary)
            with script.open() as source:
                code, tail = run(env.command('shell', '-d', temporary, '--no-http', '--log-level=warn'), log, stdin=source,
                                 env=env.environ(**({'MRP_MMR_TEST_ASSETS': '1'} if assets else {})), cwd=ROOT)
            if code or any('Traceback' in line for line in tail):
                env.drop_database(temporary)
                raise Failure('The tests could not be prepared:\n' + '\n'.join(tail[-8:]) + f'\nThe log is {log}.')
            env.drop_database(name)
            env.rename_database(temporary, name)
        for other in env.databases():
            if other.startswith('tests_') and not other.startswith(stem):
                env.drop_database(other)
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


def take_seed(args):
    """Return the seed of the samples, chosen unless ``--seed N`` is in ``args``, and the arguments without it."""
    if '--seed' not in args:
        return random.SystemRandom().randrange(1_000_000), args
    place = args.index('--seed')
    seed = args[place + 1] if len(args) > place + 1 else ''
    if not seed.isdigit():
        raise Failure('--seed wants a number.')
    return int(seed), args[:place] + args[place + 2:]


def run_tests(env, args=(), fresh=False, nightly=False, seed=0):
    """Run pytest with ``args`` on a new database; return its exit code."""
    arguments = pytest_arguments(args)
    template = tests_template(env, fresh, assets='pytest_workers' in arguments)
    name = env.own_database('test')
    with env.lock, Step('Copying the database'):
        env.clone_database(template, name)
    command = [env.python, '-m', 'pytest', '-c', ROOT / 'pytest.ini', f'--rootdir={ADDON}', f'--confcutdir={ADDON}',
               '-o', f'cache_dir={STATE / "pytest"}', f'--odoo-database={name}', f'--odoo-config={CONF}',
               '--odoo-http', '--odoo-log-level=warn', f'--junitxml={JUNIT}', f'--durations={SLOWEST}',
               *arguments]
    # for the programs that make a copy of the database for each process
    environ = env.environ(PGHOST=str(env.postgres.folder), PGPORT=str(DB_PORT), PGUSER=DB_USER,
                          **{SEED: str(seed), EMPTY: addon_template(env)})
    environ.pop(NIGHTLY, None)
    if nightly:
        environ[NIGHTLY] = '1'
    environ['PYTHONPATH'] += f':{ROOT / "dev"}'
    cases = 'all cases' if nightly else f'samples of seed {seed} (again: dev/test --seed {seed}; all cases: --nightly)'
    say(f'· Long tests: {cases}')
    code = env.foreground(command, cwd=ROOT, env=environ)
    if code < 0:
        raise Failure(f'pytest was ended by signal {-code}.')
    say(f'· Long tests: {cases}')
    return code


def main(args):
    if '--help' in args or '-h' in args:
        say(USAGE)
        return 0
    seed, args = take_seed(args)
    own = {'--lint', '--no-lint', '--fresh', '--nightly'}
    options = own & set(args)
    args = [arg for arg in args if arg not in own]
    with prepare(browser='--lint' not in options) as env:
        passed = '--no-lint' in options or lint(env)
        if '--lint' in options:
            return 0 if passed else 1
        code = run_tests(env, args, '--fresh' in options, '--nightly' in options, seed)
        if not passed:
            print('The code check has not passed: see above.', file=sys.stderr)
        return code or (0 if passed else 1)
