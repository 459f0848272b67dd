"""`dev/test-core`: Odoo's own tests of the extended modules, without and with the addon.

All tests run when everything is loaded, also those that Odoo runs right after the installation of
their module (`at_install`): at that moment the addon would not be loaded yet and nothing would be
learnt about it. A few tests do not like that; they fail without the addon as well.
"""
import argparse
import json
import re
from pathlib import Path
from xml.etree import ElementTree

from common import CONF, LOG, MODULE, ROOT, STATE, Failure, Step, digest, manifest, remove, run, say, write
from environment import prepare
from testing import core_template

MODULES = 'mrp,stock,product_expiry,mrp_product_expiry,maintenance'
RESULTS = STATE / 'core-tests'
HOW = ('core_tests.py', 'pytest_standard.py', 'requirements.txt')     # kept results are of the same way to run

OUTCOME = re.compile(r'::\S+ (PASSED|FAILED|ERROR|SKIPPED)')
COLLECTED = re.compile(r'(\d+) selected|collected (\d+) items?$')


def run_tests(env, database, module, log, with_addon, title, only=()):
    """Run a module's tests, or those named in `only`.

    Return the names of the tests that ran and of those that failed, sorted.
    """
    folder = next((path / module for path in env.source.addons if (path / module / 'tests').is_dir()), None)
    if not folder:
        raise Failure(f'Odoo has no module {module} with tests.')
    report = RESULTS / f'{database}.xml'
    remove(report)
    paths = [f'{folder}/{name}' for name in only] or [f'{folder}/tests']
    command = [env.python, '-m', 'pytest', '-c', ROOT / 'pytest.ini', f'--rootdir={folder}',
               f'--confcutdir={folder}', '-v', '-p', 'pytest_standard',
               '-p', 'no:cacheprovider', f'--junitxml={report}', f'--odoo-database={database}',
               f'--odoo-config={CONF}', '--odoo-http', '--odoo-log-level=warn', *paths]
    if not with_addon:
        command.append(f'--odoo-addons-path={env.core_addons_path}')
    remove(LOG / log)
    counts = dict.fromkeys(('total', 'done', 'failed'), 0)
    with Step(title) as step:
        def on_line(line):
            if found := COLLECTED.search(line):
                counts['total'] = int(found[1] or found[2])
            elif found := OUTCOME.search(line):
                counts['done'] += 1
                counts['failed'] += found[1] in ('FAILED', 'ERROR')
            step.detail = '{done} of {total} tests, {failed} failed'.format_map(counts)
        environ = env.environ()
        environ['PYTHONPATH'] += f':{ROOT / "dev"}'
        code, tail = run(command, LOG / log, on_line, env=environ, cwd=STATE)
        if code not in {0, 1} or not report.is_file():
            raise Failure(f'The tests of {module} could not be run; the log is {LOG / log}:\n' + '\n'.join(tail[-5:]))
        ran, failed = set(), set()
        for case in ElementTree.parse(report).iter('testcase'):
            path, _dot, class_name = case.get('classname').rpartition('.')
            name = f'tests/{path.rpartition("tests.")[2].replace(".", "/")}.py::{class_name}::{case.get("name")}'
            if case.find('skipped') is None:
                ran.add(name)
            if case.find('failure') is not None or case.find('error') is not None:
                failed.add(name)
        remove(report)
        if not ran or (ran == failed and not only):
            raise Failure(f'None of the tests of {module} passed; the log is {LOG / log}.')
        step.name += f': {len(ran)} tests, {len(failed)} failed'
    return sorted(ran), sorted(failed)


def run_on_copy(env, template, module, with_addon, title='', only=()):
    """Run tests on a fresh copy of the template database."""
    kind = 'with' if with_addon else 'without'
    name = env.own_database('core')
    try:
        env.clone_database(template, name)
        return run_tests(env, name, module, f'core-tests-{module}-{kind}{"-again" if only else ""}.log', with_addon,
                         title or f'{module} {kind} the addon', only)
    finally:
        env.drop_own_database(name)


def baseline_of(env, template, module, fresh):
    """The result without the addon: kept, for it changes only with Odoo."""
    way = digest(*(Path(ROOT, 'dev', name).read_text() for name in HOW))[:8]
    path = RESULTS / f'{template}-{way}-{module}.json'
    if path.is_file() and not fresh:
        values = json.loads(path.read_text())
        say(f'✓ {module} without the addon: {len(values["ran"])} tests, {len(values["failed"])} failed (kept)')
        return values['ran'], values['failed']
    ran, failed = run_on_copy(env, template, module, with_addon=False)
    write(path, json.dumps({'odoo': env.source.version, 'ran': ran, 'failed': failed}, indent=1))
    return ran, failed


def compare(env, module, core, addon, fresh):
    """Compare a module's results; return whether the addon makes no difference."""
    ran, failed = map(set, baseline_of(env, core, module, fresh))
    ran_with, failed_with = map(set, run_on_copy(env, addon, module, with_addon=True))
    broken, flaky = failed_with - failed, set()
    if broken:      # browser tests fail now and then
        _ran, again = run_on_copy(env, addon, module, True, f'{module}: {len(broken)} once more', sorted(broken))
        flaky = broken - set(again)
        broken -= flaky
    repaired = failed - failed_with
    if repaired:
        _ran, again = run_on_copy(env, core, module, False, f'{module}: {len(repaired)} once more', sorted(repaired))
        flaky |= repaired - set(again)
        repaired &= set(again)
    missing = ran - ran_with
    for title, names in (
        ('fails with the addon only', broken),
        ('fails without the addon only', repaired),
        ('did not run with the addon', missing),
        ('failed once and passed when run again', flaky),
        ('fails in both', failed & failed_with),
    ):
        for name in sorted(names):
            say(f'    {title}: {module}/{name}')
    return not broken and not repaired and not missing


def main(args):
    parser = argparse.ArgumentParser(
        prog='dev/test-core',
        description="Runs the tests of Odoo's own modules without and with the addon and compares the results.")
    parser.add_argument('--modules', default=MODULES, help='comma-separated (default: %(default)s)')
    parser.add_argument('--with-demo', action='store_true', help='on databases with demonstration data')
    parser.add_argument('--fresh', action='store_true', help='also run again what is kept of the run without the addon')
    options = parser.parse_args(args)
    modules = [name.strip() for name in options.modules.split(',') if name.strip()]
    RESULTS.mkdir(parents=True, exist_ok=True)
    with prepare(browser=True) as env:
        depends = manifest().get('depends', [])
        core = core_template(env, options.with_demo, depends)
        if set(modules) - env.installed(core, modules):
            core = core_template(env, options.with_demo, sorted({*depends, *modules}))
        addon = env.own_database('addon')
        env.create_database(addon, [MODULE], template=core, demo=options.with_demo, title='Installing the addon')
        different = [name for name in modules if not compare(env, name, core, addon, options.fresh)]
    say()
    if different:
        say('The addon makes a difference to the tests of: ' + ', '.join(different))
        return 1
    say('The tests of ' + ', '.join(modules) + ' give the same results without and with the addon.')
    return 0
