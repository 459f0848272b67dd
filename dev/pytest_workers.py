"""A pytest plugin for tests that several processes share.

Each process has files of its own, as it has a database of its own: pytest-odoo lets them share the files of the database
that theirs are copies of, and what one of them cleans up, such as the assets of a page that it made anew, the others need.

The classes that took longest the last time are begun first, so that no process is left alone with one of them at the end;
those that leave something in the database come last.
"""
import contextlib
import gc
import json
import os
import shutil
from collections import Counter
from pathlib import Path

import _pytest.timing
import pytest
import pytest_odoo
from xdist.scheduler import LoadScopeScheduling

import odoo.tools

#: Seconds of each class in the last runs of this checkout; where they are not known, seconds of a test.
DURATIONS = Path(__file__).resolve().parent.parent / '.odoo' / 'durations.json'
OF_A_TEST, OF_A_BROWSER = 1, 20
#: Names of classes whose transactions end, and whose rows stay in the database of their process: they come last.
COMMITTING = ('Concurrency', 'AtOnce', 'Crash', 'Restore', 'TestImports', 'RepeatedRequest', 'Collision')


def _never_frozen(clock):
    """Return a clock that is not replaced where a test freezes the time, so that pytest measures what passed."""
    return lambda: clock()


_pytest.timing.time, _pytest.timing.perf_counter = map(
    _never_frozen, (_pytest.timing.time, _pytest.timing.perf_counter))


@contextlib.contextmanager
def _own_filestore(original, name):
    source, target = (os.path.join(odoo.tools.config['data_dir'], 'filestore', database) for database in (original, name))
    if name == original:
        yield
        return
    shutil.rmtree(target, ignore_errors=True)
    if os.path.isdir(source):
        # Odoo never changes a file, so that links do.
        shutil.copytree(source, target, copy_function=os.link)
    try:
        yield
    finally:
        shutil.rmtree(target, ignore_errors=True)


pytest_odoo._shared_filestore = _own_filestore


@pytest.fixture(scope='session', autouse=True)
def few_collections(load_registry):
    """What Odoo has loaded stays: no garbage is looked for in it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _read_durations():
    try:
        return json.loads(DURATIONS.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return {}


def _scope(nodeid):
    return nodeid.rpartition('::')[0]


class LongestFirst(LoadScopeScheduling):
    """One class goes to one process, the longest classes first."""

    def schedule(self):
        if self.collection is None and self.collection_is_completed:
            durations = _read_durations()
            expected = Counter()
            for nodeid in next(iter(self.registered_collections.values())):
                scope = _scope(nodeid)
                guess = OF_A_BROWSER if any(word in scope for word in ('Tour', 'Http', 'Unit')) else OF_A_TEST
                expected[scope] = durations.get(scope) or expected[scope] + guess
            self._expected = expected
        super().schedule()

    def _assign_work_unit(self, node):
        longest = max(self.workqueue, key=lambda scope: (
            not any(name in scope for name in COMMITTING), self._expected[scope]))
        self.workqueue.move_to_end(longest, last=False)
        super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config, log):
    return LongestFirst(config, log) if config.getvalue('dist') == 'loadscope' else None


_spent, _busy = Counter(), Counter()


def pytest_runtest_logreport(report):
    _spent[_scope(report.nodeid)] += report.duration
    if hasattr(report, 'node'):
        _busy[report.node.gateway.id] += report.duration


def pytest_terminal_summary(terminalreporter):
    if _busy:
        shares = ', '.join(f'{name} {seconds:.0f} s' for name, seconds in sorted(_busy.items()))
        terminalreporter.write_line(f'busy: {shares}')


def pytest_sessionfinish(session):
    # not in the processes themselves, and not of parts of classes
    if _spent and not hasattr(session.config, 'workerinput') and not session.config.option.keyword:
        DURATIONS.write_text(json.dumps({**_read_durations(), **_spent}, indent=1), encoding='utf-8')
