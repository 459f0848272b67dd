"""The development environment of the addon: Odoo, PostgreSQL and what else is needed to run it.

Standard library only, for this runs before anything is installed. Everything generated lives in
the folder `.odoo/` of the checkout and can be deleted at any time (`dev/run --reset`).

Rules that make an interrupted set-up harmless:

* nothing counts as present before it is complete: files and folders are made under a temporary
  name and renamed, stamps are written last, databases are created under a temporary name;
* set-up happens under an exclusive lock (`.odoo/lock`, for databases `.odoo/databases.lock`); a
  second command waits for it;
* every command in progress holds a shared lock (`.odoo/users`); whoever ends last stops
  PostgreSQL. The kernel drops these locks when a process dies, so a crash leaves nothing locked.

    with environment.prepare() as env:
        env.create_database('bench', ['mrp_mmr'], demo=True)
        env.odoo_command('shell', '-d', 'bench')
"""
import collections
import contextlib
import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from cluster import Postgres
from common import (  # noqa: F401 (main: for the programs in this folder)
    ADDON,
    ADDONS,
    CONF,
    DATA,
    DB_PORT,
    DB_USER,
    GIGABYTE,
    HARMLESS,
    LEVELS_SHOWN,
    LOADING,
    LOG,
    LOG_LINE,
    MODULE,
    ROOT,
    STATE,
    VENV,
    Failure,
    Lock,
    Step,
    child_environment,
    die_with_parent,
    digest,
    main,
    remove,
    run,
    say,
    start,
    write,
)
from packages import build_venv, find_odoo, install_packages, postgres_programs


class Environment:
    """What `prepare` yields: Odoo, Python, PostgreSQL, ready to be used."""

    def __init__(self):
        self.lock = Lock(STATE / 'databases.lock')      # for databases that commands share
        self.python = VENV / 'bin/python'
        self.source = None
        self.postgres = None
        self.core_addons_path = None    # without the addon
        self.database_locks = {}

    @property
    def version(self):
        """Identifies the Odoo in use: databases made with another one are not used."""
        return digest(self.source.version, self.source.code)[:12]

    def write_config(self):
        DATA.mkdir(exist_ok=True)
        addons = list(self.source.addons)
        for extra in re.split('[:,]', os.environ.get('EXTRA_ADDONS', '')):
            if extra.strip():
                path = Path(extra.strip()).expanduser().resolve()
                if not path.is_dir():
                    raise Failure(f'EXTRA_ADDONS names {path}, which is no folder.')
                addons.append(path)
        self.core_addons_path = ','.join(map(str, addons))
        values = {
            'addons_path': f'{self.core_addons_path},{ADDONS}',
            'data_dir': DATA,
            'db_host': self.postgres.folder,
            'db_port': DB_PORT,
            'db_user': DB_USER,
            'http_interface': '127.0.0.1',
            'workers': 0,
            'limit_time_real': 0,
            'limit_time_cpu': 0,
        }
        write(CONF, '[options]\n' + ''.join(f'{name} = {value}\n' for name, value in values.items()))

    def link_addon(self):
        """Make the folder with the technical name: links to each entry of the checkout.

        A single link to the checkout would lead back to this very folder, and Odoo follows links
        when it collects terms for translation.
        """
        ADDON.mkdir(parents=True, exist_ok=True)
        wanted = {path.name for path in ROOT.iterdir() if not path.name.startswith('.') and path.name != '__pycache__'}
        wanted -= {'dev', 'compose.yaml'}
        for path in ADDON.iterdir():
            if path.name not in wanted:
                remove(path)
        for name in wanted:
            path = ADDON / name
            target = os.path.relpath(ROOT / name, ADDON)
            if not path.is_symlink() or os.readlink(path) != target:
                remove(path)
                path.symlink_to(target)

    # --- Odoo ---

    def environ(self, **extra):
        return child_environment(PYTHONPATH=str(self.source.code), ODOO_RC=str(CONF),
                                 PATH=f'{self.postgres.programs}:{os.environ["PATH"]}', **extra)

    def command(self, *args):
        return [self.python, '-m', 'odoo', *args]

    def odoo(self, *args, step=None, log='odoo.log', show=LEVELS_SHOWN, found=None):
        """Run Odoo to its end with the progress shown in `step`; return its exit code.

        Log lines of the levels `show` are printed, with what belongs to them; `found` collects them.
        """
        shown = False

        def on_line(line):
            nonlocal shown
            if match := LOG_LINE.match(line):
                if step and (loading := LOADING.search(match['text'])):
                    step.detail = f'module {loading[2]}/{loading[3]} {loading[1]}'
                shown = match['level'] in show and not HARMLESS.search(line)
            if shown:
                if found is not None:
                    found.append(line)
                (step.note if step else say)(line)
        code, _tail = run(self.command(*args), LOG / log, on_line, env=self.environ(), cwd=ROOT)
        return code

    def odoo_command(self, *args):
        """Run Odoo's command line in the foreground, with this terminal; return its exit code."""
        return self.foreground(self.command(*args))

    def foreground(self, command, **kwargs):
        """Run a command with this terminal; Ctrl-C is for that command. Return its exit code."""
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)

        def restore():
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            die_with_parent()
        kwargs.setdefault('env', self.environ())
        process = None
        try:
            process = start(command, stdin=None, start_new_session=False, preexec_fn=restore, **kwargs)
            return process.wait()
        finally:
            if process and process.poll() is None:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(15)
                process.kill()
                process.wait()
            signal.signal(signal.SIGINT, previous)

    # --- databases ---

    def sql(self, query, database='postgres'):
        return self.postgres.sql(query, database)

    def databases(self):
        return {row[0] for row in self.sql('SELECT datname FROM pg_database WHERE NOT datistemplate')}

    def drop_database(self, name):
        self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        remove(DATA / 'filestore' / name)

    def rename_database(self, old, new):
        """The database is renamed last: under its name it is complete, with its files."""
        remove(DATA / 'filestore' / new)
        if (DATA / 'filestore' / old).is_dir():
            (DATA / 'filestore' / old).rename(DATA / 'filestore' / new)
        self.sql(f'ALTER DATABASE "{old}" RENAME TO "{new}"')

    def clone_database(self, template, name):
        """Copy a database with its files; the files are linked, for Odoo never changes one."""
        self.drop_database(name)
        files = DATA / 'filestore' / template
        if files.is_dir():
            def link(source, target):
                try:
                    os.link(source, target)
                except OSError:
                    shutil.copy2(source, target)
            shutil.copytree(files, DATA / 'filestore' / name, copy_function=link)
        self.sql(f'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = \'{template}\'')
        self.sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}" OWNER {DB_USER}')

    def installed(self, name, modules):
        names = ', '.join(f"'{module}'" for module in modules)
        rows = self.sql(f"SELECT name FROM ir_module_module WHERE name IN ({names}) AND state = 'installed'", name)
        return {row[0] for row in rows}

    def create_database(self, name, modules, demo=False, template=None, title=None, found=None, arguments=()):
        """Create the database `name` with `modules`, from nothing or from `template`.

        It appears under its name when it is complete. Failure, with the errors of the log, when an
        installation fails; `found` collects the warnings.
        """
        temporary = f'{name}__new'
        log = f'{name}.log'
        with self.lock, Step(title or f'Creating the database {name}') as step:
            remove(LOG / log)
            self.drop_database(temporary)
            if template:
                self.clone_database(template, temporary)
            code = self.odoo('-d', temporary, '-i', ','.join(modules), '--stop-after-init', '--no-http',
                             '--max-cron-threads=0', *(['--with-demo'] if demo else []), *arguments,
                             step=step, log=log, found=found)
            missing = set(modules) - self.installed(temporary, modules) if not code else set()
            if code or missing:
                self.drop_database(temporary)
                reason = f'Not installed: {", ".join(sorted(missing))}. ' if missing else ''
                raise Failure(f'The installation of {", ".join(modules)} failed. {reason}The log is {LOG / log}.')
            self.drop_database(name)
            self.rename_database(temporary, name)

    def own_database(self, purpose):
        """A database name for this process alone; those that crashed processes left are dropped."""
        folder = STATE / 'databases'
        folder.mkdir(exist_ok=True)
        with self.lock:
            existing = self.databases()
            own = collections.defaultdict(list)     # with the copies that test processes make of it
            for name in existing:
                if name.startswith('own_'):
                    own[name.removesuffix('__new').partition('-')[0]].append(name)
            for name, databases in own.items():
                with open(folder / name, 'a') as file:
                    try:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError:
                        continue
                    for database in databases:
                        self.drop_database(database)
                    remove(folder / name)
            name = f'own_{purpose}_{os.getpid()}'
            file = open(folder / name, 'a')     # noqa: SIM115
            fcntl.flock(file, fcntl.LOCK_EX)
            self.database_locks[name] = file
            return name

    def drop_own_database(self, name):
        for database in self.databases():
            if re.fullmatch(rf'{name}(__new|-\w+)?', database):
                self.drop_database(database)
        remove(STATE / 'databases' / name)
        self.database_locks.pop(name).close()


def check_disk(needed):
    free = shutil.disk_usage(ROOT).free
    if free < needed:
        raise Failure(f'{free / GIGABYTE:.1f} GB are free on the disk of {ROOT}; '
                      f'{needed / GIGABYTE:.1f} GB are needed.')


def check_port(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(('127.0.0.1', port))
        except OSError as error:
            raise Failure(f'Port {port} cannot be used ({error.strerror}). Choose another one with --port.') from None


def make_state():
    try:
        STATE.mkdir(exist_ok=True)
        LOG.mkdir(exist_ok=True)
        (STATE / 'users').touch()
    except OSError as error:
        raise Failure(f'{STATE} cannot be written ({error.strerror}).') from None
    if STATE.stat().st_uid != os.geteuid():
        raise Failure(f'{STATE} belongs to the user {STATE.stat().st_uid}, who set it up. '
                      'Work as that user or remove it.')


def reset():
    """Remove everything that was built."""
    make_state()
    with Lock(STATE / 'lock'), open(STATE / 'users', 'a') as users:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure('Another command of this environment is running; end it first.') from None
        with Step('Removing what was built'):
            if postgres_programs():
                Postgres().stop()
            for path in STATE.iterdir():
                if path.name not in {'lock', 'users'}:      # held by this process
                    remove(path)


@contextlib.contextmanager
def prepare(browser=False):
    """Set up whatever is missing and yield the Environment; PostgreSQL runs meanwhile.

    :param bool browser: whether tests will run, which need a browser and the checker of PL/pgSQL
    """
    make_state()
    lock = Lock(STATE / 'lock')
    env = Environment()
    with open(STATE / 'users', 'a') as users:
        try:
            with lock:
                fcntl.flock(users, fcntl.LOCK_SH)
                LOG.mkdir(exist_ok=True)
                check_disk(3 * GIGABYTE if not (VENV / '.complete').exists() else GIGABYTE // 3)
                install_packages(browser)
                env.source = find_odoo()
                build_venv()
                env.link_addon()
                env.postgres = Postgres()
                env.postgres.start()
                env.write_config()
            yield env
        finally:
            with ignored_signals():
                for name in list(env.database_locks):
                    with contextlib.suppress(Failure, OSError):
                        env.drop_own_database(name)
                stop_if_last(env, lock, users)


def stop_if_last(env, lock, users):
    """Stop PostgreSQL unless another command uses it."""
    if not env.postgres:
        return
    with lock:
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        env.postgres.stop()


@contextlib.contextmanager
def ignored_signals():
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    previous = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, previous, strict=False):
            signal.signal(number, handler)
