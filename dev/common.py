"""What every command of the development environment uses: places, output, processes, locks."""
import ast
import collections
import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

MODULE = 'mrp_mmr'
ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / '.odoo'
LOG = STATE / 'log'
ADDONS = STATE / 'addons'
ADDON = ADDONS / MODULE
DATA = STATE / 'data'
VENV = STATE / 'venv'
CLUSTER = STATE / 'postgres'
DEBIAN = STATE / 'debian'
CONF = STATE / 'odoo.conf'
REQUIREMENTS = ROOT / 'dev' / 'requirements.txt'

DB_USER = 'odoo'
DB_PORT = 5432      # only the socket's name depends on it: PostgreSQL listens on no network port
GIGABYTE = 1 << 30

# What the addon installs from; tests, documentation and this folder change no database.
NOT_INSTALLED = {'.git', '.ci', '.odoo', '.github', 'dev', 'docs', 'tests', 'i18n', '__pycache__'}
INSTALLED_SUFFIXES = {'.py', '.xml', '.csv', '.json'}

LOG_LINE = re.compile(r'^\d{4}-\d\d-\d\d [\d:,]+ \d+ (?P<level>[A-Z]+) (?P<db>\S+) (?P<logger>\S+): (?P<text>.*)')
LOADING = re.compile(r'Loading module (\S+) \((\d+)/(\d+)\)')
LEVELS_SHOWN = {'WARNING', 'ERROR', 'CRITICAL'}
# True of this environment and of no interest in it.
HARMLESS = re.compile(
    r"Running as user 'root' is a security risk|wkhtmltopdf .*patched|"
    r'Please use .*--without-demo|python-ldap|No module named .ldap'
)


class Failure(Exception):
    """Something the user has to know or do; shown without traceback."""


# === OUTPUT === #

def say(text=''):
    print(text, flush=True)


class Step:
    """One step of the set-up: shows its name, what it is at, and the seconds it took."""

    def __init__(self, name, quiet=False):
        self.name, self.detail, self.quiet, self.failed = name, '', quiet, False
        self.live = sys.stdout.isatty()
        self._stop = threading.Event()

    def __enter__(self):
        self.start = time.monotonic()
        if not self.quiet:
            if not self.live:
                say(f'· {self.name} …')
            self._thread = threading.Thread(target=self._show, daemon=True)
            self._thread.start()
        return self

    def _line(self, mark):
        seconds = time.monotonic() - self.start
        return f'{mark} {self.name}' + (f': {self.detail}' if self.detail else '') + f' [{seconds:.0f} s]'

    def _show(self):
        last = ''
        while not self._stop.wait(0.5 if self.live else 15):
            if self.live:
                width = shutil.get_terminal_size().columns - 1
                print('\r\033[K' + self._line('·')[:width], end='', flush=True)
            elif self.detail != last:
                last = self.detail
                say('  ' + self._line('…'))

    def note(self, text):
        """A line that stays on the screen."""
        say(('\r\033[K' if self.live and not self.quiet else '') + '  ' + text)

    def __exit__(self, kind, error, trace):
        if self.quiet:
            return
        self._stop.set()
        self._thread.join()
        self.detail = ''
        say(('\r\033[K' if self.live else '') + self._line('✗' if kind or self.failed else '✓'))


# === PROCESSES === #

_LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    _LIBC.prctl(1, signal.SIGTERM)      # PR_SET_PDEATHSIG: no orphan when this command is killed


def start(command, **kwargs):
    """Start a process in a session of its own: Ctrl-C reaches this program only, which then ends it."""
    kwargs.setdefault('stdin', subprocess.DEVNULL)
    kwargs.setdefault('start_new_session', True)
    kwargs.setdefault('preexec_fn', die_with_parent)
    return subprocess.Popen([str(part) for part in command], **kwargs)


def end(process, timeout=15):
    """End a process started by `start`, with its children."""
    for number, wait in ((signal.SIGINT, timeout), (signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        if process.poll() is not None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(wait)


def lines_of(process, tick=0.5):
    """Yield the lines a process prints, and '' now and then so that the caller stays awake."""
    stream, pending = process.stdout.fileno(), b''
    while True:
        ready, _w, _x = select.select([stream], [], [], tick)
        if not ready:
            yield ''
            continue
        chunk = os.read(stream, 65536)
        if not chunk:
            break
        *complete, pending = (pending + chunk).split(b'\n')
        for line in complete:
            yield line.decode(errors='replace').rstrip('\r')
    if pending:
        yield pending.decode(errors='replace')


def run(command, log=None, on_line=None, **kwargs):
    """Run a command to its end; return (exit code, last lines). `log` receives everything."""
    kwargs.setdefault('env', child_environment())
    tail = collections.deque(maxlen=40)
    process = start(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kwargs)
    try:
        with open(log or os.devnull, 'a', encoding='utf-8') as file:
            file.write(f'$ {shlex.join(str(part) for part in command)}\n')
            for line in lines_of(process):
                if line:
                    tail.append(line)
                    file.write(line + '\n')
                    if on_line:
                        on_line(line)
        return process.wait(), list(tail)
    finally:
        end(process)


def output_of(command, **kwargs):
    """The standard output of a short command; Failure when it fails."""
    kwargs.setdefault('env', child_environment())
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, errors='replace', check=False, **kwargs)
    if done.returncode:
        raise Failure(f'{Path(str(command[0])).name} failed: {(done.stderr or done.stdout).strip()}')
    return done.stdout


def child_environment(**extra):
    environ = {**os.environ, 'PYTHONPYCACHEPREFIX': str(STATE / 'pycache'), 'PYTHONUNBUFFERED': '1', 'TZ': 'UTC'}
    for name in ('PYTHONDONTWRITEBYTECODE', 'PYTHONHOME', 'PYTHONPATH', 'VIRTUAL_ENV', 'ODOO_RC', 'OPENERP_SERVER',
                 'PGHOST', 'PGPORT', 'PGUSER', 'PGDATABASE', 'PGPASSWORD', 'PGSERVICE', 'PGOPTIONS', 'PGDATA'):
        environ.pop(name, None)
    if not environ.get('LC_ALL') and 'UTF' not in environ.get('LANG', '').upper():
        environ['LANG'] = 'C.UTF-8'
    return {**environ, **extra}


def on_signals(*_args):
    raise KeyboardInterrupt


def main(function):
    """Run a command's function: plain messages, no traceback, sensible exit codes."""
    sys.stdout.reconfigure(errors='replace')
    sys.stderr.reconfigure(errors='replace')
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signals)
    try:
        code = function(sys.argv[1:])
    except Failure as failure:
        sys.stdout.flush()
        print(f'\nerror: {failure}', file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        print('\nInterrupted.', file=sys.stderr)
        code = 130
    except OSError as error:
        sys.stdout.flush()
        if error.errno == 28:
            print('\nerror: the disk is full. Free some space and run the same command again.', file=sys.stderr)
        else:
            print(f'\nerror: {error}. If {STATE} is damaged, `dev/run --reset` builds it anew.', file=sys.stderr)
        code = 1
    sys.exit(code)


# === FILES === #

def write(path, text):
    """Write a file so that it is either the old or the new one, never half of it."""
    path = Path(path)
    if path.is_file() and path.read_text(errors='replace') == text:
        return
    temporary = path.with_name(f'{path.name}.{os.getpid()}')
    temporary.write_text(text)
    temporary.replace(path)


def remove(path):
    path = Path(path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.exists() or path.is_symlink():
        path.unlink()


def digest(*parts):
    return hashlib.sha256('\0'.join(str(part) for part in parts).encode()).hexdigest()


def addon_files(suffixes=None, skip=frozenset({'.git', '.odoo', '__pycache__', 'node_modules'})):
    """Files of the checkout, sorted, without generated ones."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if name not in skip)
        for name in sorted(files):
            if suffixes is None or Path(name).suffix in suffixes:
                yield Path(folder, name)


def addon_digest():
    """Changes when something changes that an installed addon must be updated for."""
    total = hashlib.sha256()
    for path in addon_files(INSTALLED_SUFFIXES, NOT_INSTALLED):
        with contextlib.suppress(FileNotFoundError):
            total.update(f'{path.relative_to(ROOT)}\0'.encode() + path.read_bytes() + b'\0')
    return total.hexdigest()


def manifest():
    path = ROOT / '__manifest__.py'
    try:
        return ast.literal_eval(path.read_text())
    except (OSError, ValueError, SyntaxError) as error:
        raise Failure(f'{path} cannot be read: {error}') from None


def stamp(name):
    try:
        return json.loads((STATE / 'stamps' / name).read_text())
    except (OSError, ValueError):
        return {}


def set_stamp(name, /, **values):
    (STATE / 'stamps').mkdir(exist_ok=True)
    write(STATE / 'stamps' / name, json.dumps(values, indent=1))


class Lock:
    """A file lock that says when it has to wait; re-entrant within the process."""

    def __init__(self, path):
        self.path, self.depth, self.file = path, 0, None

    def __enter__(self):
        if not self.depth:
            self.file = open(self.path, 'a')
            try:
                fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with Step('Waiting for another command that is setting up'):
                    fcntl.flock(self.file, fcntl.LOCK_EX)
        self.depth += 1
        return self

    def __exit__(self, *_error):
        self.depth -= 1
        if not self.depth:
            self.file.close()
