"""The PostgreSQL server of the environment."""
import contextlib
import os
import pwd
import signal
import stat
import subprocess
import tempfile
import time
from pathlib import Path

from common import (
    CLUSTER,
    DB_PORT,
    DB_USER,
    LOG,
    MODULE,
    STATE,
    Failure,
    Step,
    child_environment,
    digest,
    output_of,
    remove,
    run,
)
from packages import postgres_programs


class Postgres:
    """A private development cluster: one socket, no network port, no fsync."""

    def __init__(self):
        self.programs = postgres_programs()
        self.prefix = []
        self.owner = None
        if not os.geteuid():        # PostgreSQL refuses to run as root
            try:
                self.owner = pwd.getpwnam('postgres')
            except KeyError:
                self.owner = pwd.getpwnam('nobody')
            self.prefix = ['setpriv', f'--reuid={self.owner.pw_uid}', f'--regid={self.owner.pw_gid}', '--clear-groups']
            if not self._reachable():   # somewhere like /root: allow it to pass through the folders above
                capability = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override']
                self.prefix += capability
                if not self._reachable():
                    raise Failure(f'PostgreSQL cannot run as root, and the user {self.owner.pw_name} cannot reach '
                                  f'{STATE}.\nMove the checkout to a folder that everybody may enter, or work as '
                                  'a normal user.')
        self.folder = self._socket_folder()

    def _reachable(self):
        # not `test -x`: that looks at permissions without capabilities
        command = [*self.prefix, 'stat', STATE / 'lock']
        return not subprocess.run(command, capture_output=True, check=False).returncode

    def _socket_folder(self):
        folder = STATE / 'socket'
        if len(f'{folder}/.s.PGSQL.{DB_PORT}.lock') < 100:     # the system's limit for a socket is 107
            folder.mkdir(exist_ok=True)
        else:
            folder = Path(tempfile.gettempdir(), f'{MODULE}-{os.geteuid()}-{digest(STATE)[:12]}')
            with contextlib.suppress(FileExistsError):
                folder.mkdir(mode=0o700)
            status = folder.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid not in {os.geteuid(), self._uid()}:
                raise Failure(f'{folder} belongs to somebody else; remove it.')
        self._own(folder)
        folder.chmod(0o700)
        return folder

    def _uid(self):
        return self.owner.pw_uid if self.owner else os.geteuid()

    def _own(self, path):
        if self.owner:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def find(self):
        """The process id of this cluster's server, looked up among the processes: files may lie."""
        for entry in Path('/proc').iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError, ValueError):
                if (entry / 'comm').read_text().strip() != 'postgres' or os.readlink(entry / 'cwd') != str(CLUSTER):
                    continue
                parent = (entry / 'stat').read_text().rpartition(')')[2].split()[1]
                if Path('/proc', parent, 'comm').read_text().strip() != 'postgres':
                    return int(entry.name)
        return None

    def start(self):
        if not (CLUSTER / 'PG_VERSION').is_file():
            self._create()
        if not self.find():
            self._launch()
        if not self.sql(f"SELECT 1 FROM pg_roles WHERE rolname = '{DB_USER}'"):
            self.sql(f'CREATE ROLE {DB_USER} LOGIN CREATEDB')

    def _create(self):
        with Step('Creating a PostgreSQL cluster'):
            temporary = CLUSTER.with_name('postgres.new')
            remove(temporary)
            remove(CLUSTER)
            temporary.mkdir(mode=0o700)
            self._own(temporary)
            code, tail = run([*self.prefix, self.programs / 'initdb', '-D', temporary, '-U', 'postgres', '-E', 'UTF8',
                              '--locale=C.UTF-8', '--auth=trust', '--no-sync'], LOG / 'initdb.log', cwd='/')
            if code:
                raise Failure('PostgreSQL could not create its cluster:\n' + '\n'.join(tail[-5:]))
            with open(temporary / 'postgresql.conf', 'a', encoding='utf-8') as file:
                # a cluster for development: speed matters, a power failure costs `dev/run --reset`
                file.write('\n'.join((
                    "listen_addresses = ''", 'fsync = off', 'synchronous_commit = off', 'full_page_writes = off',
                    'shared_buffers = 256MB', 'max_connections = 100', 'max_wal_size = 2GB', 'jit = off',
                    # a class of tests is one transaction, however much it makes
                    'max_locks_per_transaction = 512',
                    'checkpoint_timeout = 30min', "timezone = 'UTC'", "log_timezone = 'UTC'", '')))
            temporary.rename(CLUSTER)

    def _launch(self):
        # No server of this cluster runs, so a lock file is what a crash has left.
        for path in (CLUSTER / 'postmaster.pid', self.folder / f'.s.PGSQL.{DB_PORT}',
                     self.folder / f'.s.PGSQL.{DB_PORT}.lock'):
            remove(path)
        log = LOG / 'postgres.log'
        deadline = time.monotonic() + 60
        while True:
            with open(log, 'ab') as file:
                process = subprocess.Popen(
                    [str(part) for part in (*self.prefix, self.programs / 'postgres', '-D', CLUSTER, '-k', self.folder,
                                            '-p', DB_PORT)],
                    stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True, cwd='/',
                    env=child_environment())
            while process.poll() is None:
                with contextlib.suppress(Failure):
                    self.sql('SELECT 1')
                    return
                if time.monotonic() > deadline:
                    break
                time.sleep(0.1)
            if time.monotonic() > deadline - 40:
                break
            time.sleep(1)       # after a crash, old backends may still hold the shared memory
        end_text = '\n'.join(log.read_text(errors='replace').splitlines()[-5:])
        raise Failure(f'PostgreSQL does not start:\n{end_text}\n`dev/run --reset` builds everything anew.')

    def stop(self):
        pid = self.find()
        for number, wait in ((signal.SIGINT, 20), (signal.SIGQUIT, 10), (signal.SIGKILL, 5)):
            if not pid:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = time.monotonic() + wait
            while time.monotonic() < deadline and pid:
                time.sleep(0.05)
                pid = self.find()

    def sql(self, query, database='postgres', user='postgres'):
        """Rows of a query, as text: a list of lists."""
        text = output_of([self.programs / 'psql', '-h', self.folder, '-p', DB_PORT, '-U', user, '-d', database, '-X',
                          '-q', '-A', '-t', '-F', '\x1f', '-v', 'ON_ERROR_STOP=1', '-c', query])
        return [line.split('\x1f') for line in text.splitlines()]
