"""The development environment of the addon: Odoo, PostgreSQL and what else is needed to run it.

Standard library only, for this runs before anything is installed. Everything generated lives in
the folder `.odoo/` of the checkout and can be deleted at any time (`dev/run --reset`).

Rules that make an interrupted set-up harmless:

* nothing counts as present before it is complete: files and folders are made under a temporary
  name and renamed, stamps are written last, databases are created under a temporary name;
* set-up happens under an exclusive lock (`.odoo/lock`); a second command waits for it;
* every command in progress holds a shared lock (`.odoo/users`); whoever ends last stops
  PostgreSQL. The kernel drops these locks when a process dies, so a crash leaves nothing locked.

    with environment.prepare() as env:
        env.create_database('bench', ['mrp_mmr'], demo=True)
        env.odoo_command('shell', '-d', 'bench')
"""
import collections
import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import pwd
import re
import runpy
import select
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
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

PYTHON_VERSIONS = ((3, 11), (3, 12), (3, 13))
DB_USER = 'odoo'
DB_PORT = 5432      # only the socket's name depends on it: PostgreSQL listens on no network port
GIGABYTE = 1 << 30

# Odoo as packaged by Debian, and the packages its links into /usr/share point to. The font comes
# from Debian 12 because later packages lack the web font.
DEBIAN_PACKAGES = (
    'odoo-19/sid', 'libjs-jquery/sid', 'libjs-jquery-form/sid', 'libjs-underscore/sid',
    'fonts-roboto-unhinted/sid', 'fonts-montserrat/sid', 'fonts-inconsolata/sid', 'fonts-ocr-b/sid',
    'fonts-font-awesome/bookworm',
)
DEBIAN_SUITES = ('sid', 'bookworm')
DEBIAN_CODE = 'usr/lib/python3/dist-packages'
# Files that pages ask for although the package leaves them out; empty ones do.
DEBIAN_MISSING = ('mail/static/lib/selfie_segmentation/selfie_segmentation.js',)

# What the addon installs from; tests, documentation and this folder change no database.
NOT_INSTALLED = {'.git', '.ci', '.odoo', '.github', 'dev', 'docs', 'tests', 'i18n', '__pycache__'}
INSTALLED_SUFFIXES = {'.py', '.xml', '.csv', '.json'}

LOG_LINE = re.compile(r'^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ (?P<level>[A-Z]+) (?P<db>\S+) (?P<logger>\S+): (?P<text>.*)')
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
        self.name, self.detail, self.quiet = name, '', quiet
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
        say(('\r\033[K' if self.live else '') + self._line('✗' if kind else '✓'))


# === PROCESSES === #

_LIBC = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _LIBC.prctl(1, signal.SIGTERM)      # PR_SET_PDEATHSIG: no orphan when this command is killed


def start(command, **kwargs):
    """Start a process in a session of its own: Ctrl-C reaches this program only, which then ends it."""
    kwargs.setdefault('stdin', subprocess.DEVNULL)
    kwargs.setdefault('start_new_session', True)
    kwargs.setdefault('preexec_fn', _die_with_parent)
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
    signal.signal(signal.SIGTERM, on_signals)
    signal.signal(signal.SIGHUP, on_signals)
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
    import ast
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


# === SYSTEM PACKAGES === #

def find_python():
    """An interpreter for the virtual environment."""
    own = os.path.realpath(sys.executable)
    candidates = [own] if sys.version_info[:2] in PYTHON_VERSIONS else []
    for major, minor in PYTHON_VERSIONS:
        candidates += [f'/usr/bin/python{major}.{minor}', shutil.which(f'python{major}.{minor}')]
    for candidate in candidates:
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    raise Failure('Python 3.11, 3.12 or 3.13 is needed and none was found on the PATH.')


def postgres_programs():
    """The folder with PostgreSQL's programs, newest version first; None if there is none."""
    folders = sorted(Path('/usr/lib/postgresql').glob('[0-9]*/bin'), key=lambda path: -int(path.parent.name))
    if found := shutil.which('postgres'):
        folders.append(Path(found).resolve().parent)
    for folder in folders:
        if all((folder / name).exists() for name in ('postgres', 'initdb', 'psql')):
            return folder
    return None


def find_browser():
    for name in ('google-chrome', 'chromium', 'chromium-browser', 'google-chrome-stable'):
        if found := shutil.which(name):
            return found
    return None


def missing_packages(browser):
    has_venv = subprocess.run([find_python(), '-c', 'import ensurepip, venv'], capture_output=True, check=False)
    fonts = Path('/usr/share/fonts')
    return [package for package, present in (
        ('python3-venv', has_venv.returncode == 0),
        ('postgresql', postgres_programs()),
        ('wkhtmltopdf', shutil.which('wkhtmltopdf')),
        ('libmagic1', any(Path('/usr/lib').glob('**/libmagic.so.1')) if not Path('/usr/lib/x86_64-linux-gnu').is_dir()
            else Path('/usr/lib/x86_64-linux-gnu/libmagic.so.1').exists()),
        ('fonts-dejavu-core', any(fonts.glob('**/DejaVuSans.ttf'))),
        ('fonts-liberation', any(fonts.glob('**/LiberationSans-Regular.ttf'))),
        ('chromium', not browser or find_browser()),
    ) if not present]


def install_packages(browser):
    missing = missing_packages(browser)
    if not missing:
        return
    command = ['apt-get', 'install', '--yes', '--no-install-recommends', *missing]
    if not shutil.which('apt-get'):
        raise Failure('Missing on this machine: ' + ', '.join(missing) + ' (names of the Debian packages).\n'
                      'Install what corresponds to them, then run this command again.')
    if os.geteuid():
        raise Failure('Some programs are missing. Type this, then run the command again:\n\n'
                      f'    sudo apt-get update && sudo {shlex.join(command)}\n')
    command[1:1] = ['-q', '-o', 'DPkg::Lock::Timeout=600', '-o', 'Dpkg::Use-Pty=0']
    # RUNLEVEL=1: packages start no service while they are installed
    environ = child_environment(DEBIAN_FRONTEND='noninteractive', RUNLEVEL='1')
    log = LOG / 'apt.log'
    with Step('Installing ' + ', '.join(missing)) as step:
        def on_line(line):
            if line.startswith(('Get:', 'Unpacking', 'Setting up')):
                step.detail = ' '.join(line.split()[:3])
        code, tail = run(command, log, on_line, env=environ)
        if code and any('dpkg --configure -a' in line for line in tail):
            run(['dpkg', '--configure', '-a'], log, on_line, env=environ)
            code, tail = run(command, log, on_line, env=environ)
        if code:    # no or stale package lists
            run(['apt-get', 'update', '-q', '-o', 'DPkg::Lock::Timeout=600'], log, on_line, env=environ)
            code, tail = run(command, log, on_line, env=environ)
    if code or missing_packages(browser):
        raise Failure('The packages could not be installed (is there a network?):\n' + '\n'.join(tail[-8:]) +
                      f'\nType `{shlex.join(command)}` to see more.')


# === ODOO === #

Source = collections.namedtuple('Source', 'code addons version')


def odoo_source(package, extra=()):
    """Describe an Odoo from its package folder `odoo/`; Failure unless it is a version 19."""
    package = Path(package)
    release = package / 'release.py'
    if not release.is_file():
        raise Failure(f'{package.parent} holds no Odoo ({release} is missing).')
    values = runpy.run_path(str(release))
    if values['version_info'][0] != 19:
        raise Failure(f'{package.parent} is Odoo {values["version"]}; version 19.0 is needed.')
    return Source(package.parent, [*extra, package / 'addons'], values['version'])


def find_odoo():
    if checkout := os.environ.get('ODOO_SOURCE'):
        checkout = Path(checkout).expanduser().resolve()
        return odoo_source(checkout / 'odoo', [checkout / 'addons'] if (checkout / 'addons').is_dir() else [])
    if program := shutil.which('odoo'):
        return odoo_of_program(program)
    if not DEBIAN.is_dir():
        fetch_odoo()
    return odoo_source(DEBIAN / DEBIAN_CODE / 'odoo')


def odoo_of_program(program):
    """Find the package that the program `odoo` on the PATH runs."""
    with open(program, 'rb') as file:
        first = file.readline()
    interpreter = [sys.executable]
    if first.startswith(b'#!'):
        interpreter = first[2:].decode().split()
    find = 'import odoo.release; print(odoo.release.__file__)'
    try:
        package = Path(output_of([*interpreter, '-c', find], cwd='/').strip()).parent
        source = odoo_source(package)
    except (Failure, OSError) as error:
        raise Failure(f'The program {program} is not a usable Odoo 19: {error}\n'
                      'Set ODOO_SOURCE to a checkout of Odoo 19.0, or take the program off the PATH.') from None
    # only the package is used, not its neighbours: those belong to another interpreter
    code = STATE / 'python'
    code.mkdir(exist_ok=True)
    if not (code / 'odoo').is_symlink() or (code / 'odoo').readlink() != package:
        remove(code / 'odoo')
        (code / 'odoo').symlink_to(package)
    return source._replace(code=code)


def debian_mirrors():
    """Debian mirrors that this machine's apt uses."""
    targets = output_of(['apt-get', 'indextargets', '--format', '$(ORIGIN) $(COMPONENT) $(REPO_URI)',
                         'Created-By: Packages']).splitlines()
    uris = []
    for target in targets:
        origin, *_component, uri = target.split()
        if uri not in uris and (origin == 'Debian' or uri.rstrip('/').endswith('/debian')) \
                and 'security' not in uri.rstrip('/').rsplit('/', 1)[-1]:
            uris.append(uri)
    return uris


def fetch_odoo():
    hint = ('Set ODOO_SOURCE to a checkout of Odoo 19.0 (branch 19.0 of the odoo repository) and run this '
            'command again.')
    if not shutil.which('apt-get') or not shutil.which('dpkg-deb'):
        raise Failure('There is no Odoo 19 on this machine. ' + hint)
    mirrors = debian_mirrors()
    if not mirrors:
        raise Failure("There is no Odoo 19 on this machine, and apt knows no Debian mirror to get it from. " + hint)
    apt, log = STATE / 'apt', LOG / 'odoo-package.log'
    remove(apt)
    for folder in ('lists/partial', 'cache/archives/partial', 'packages'):
        (apt / folder).mkdir(parents=True)
    keyrings = [path for path in map(Path, ('/usr/share/keyrings/debian-archive-keyring.gpg',
                                            '/usr/share/keyrings/debian-archive-keyring.pgp')) if path.exists()]
    signed = f'[signed-by={keyrings[0]}] ' if keyrings else ''
    (apt / 'status').touch()
    options = {
        'Dir::State': apt, 'Dir::State::lists': apt / 'lists', 'Dir::State::status': apt / 'status',
        'Dir::Cache': apt / 'cache', 'Dir::Etc::SourceList': apt / 'sources.list', 'Dir::Etc::SourceParts': '/dev/null',
        'Dir::Etc::Preferences': '/dev/null', 'Dir::Etc::PreferencesParts': '/dev/null',
        'Acquire::Languages': 'none', 'APT::Get::List-Cleanup': 'false', 'APT::Sandbox::User': '',
        'Acquire::Retries': '3',
    }
    flags = [flag for name, value in options.items() for flag in ('-o', f'{name}={value}')]
    with Step('Downloading Odoo 19') as step:
        def on_line(line):
            if line.startswith('Get:'):
                step.detail = next((word for word in line.split() if word.startswith(('odoo', 'fonts', 'libjs'))), '')
        for mirror in mirrors:
            (apt / 'sources.list').write_text(''.join(f'deb {signed}{mirror} {suite} main\n' for suite in DEBIAN_SUITES))
            code, tail = run(['apt-get', *flags, 'update'], log, on_line)
            if not code:
                code, tail = run(['apt-get', *flags, 'download', *DEBIAN_PACKAGES], log, on_line, cwd=apt / 'packages')
            if not code:
                break
        else:
            raise Failure('Odoo 19 could not be downloaded from the Debian mirror (is there a network?):\n' +
                          '\n'.join(tail[-4:]) + '\n' + hint)
    with Step('Unpacking Odoo 19'):
        temporary = STATE / 'debian.new'
        remove(temporary)
        temporary.mkdir()
        for package in sorted((apt / 'packages').glob('*.deb')):
            # through tar, to leave out the remains of a second copy of the addons in Odoo's package
            code, tail = run(['bash', '-c', 'set -o pipefail; dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" '
                              '--no-same-owner --exclude="./$3/addons" --exclude="./$3/setup" --exclude="./$3/doc"',
                              'unpack', package, temporary, DEBIAN_CODE], log)
            if code:
                raise Failure(f'{package.name} could not be unpacked:\n' + '\n'.join(tail[-4:]))
        for name in DEBIAN_MISSING:
            path = temporary / DEBIAN_CODE / 'odoo/addons' / name
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
        repair_links(temporary)
        odoo_source(temporary / DEBIAN_CODE / 'odoo')
        temporary.rename(DEBIAN)
    remove(apt)


def repair_links(top):
    """Point absolute links of unpacked packages into the folder they were unpacked to."""
    broken = []
    for folder, folders, files in os.walk(top):
        for path in (Path(folder, name) for name in (*folders, *files)):
            if not path.is_symlink():
                continue
            target = os.readlink(path)
            if target.startswith('/'):
                path.unlink()
                path.symlink_to(os.path.relpath(top / target[1:], folder))
            if not path.exists() and '/static/' in str(path):
                broken.append(f'{path.relative_to(top)} -> {target}')
    with open(LOG / 'odoo-package.log', 'a', encoding='utf-8') as log:
        log.writelines(f'link to a file that no package holds: {line}\n' for line in broken)
    if any('/web/' in line for line in broken):
        raise Failure("Odoo's Debian package has links to files that are missing:\n" + '\n'.join(broken[:5]))


# === PYTHON PACKAGES === #

def build_venv():
    python = find_python()
    wanted = digest(REQUIREMENTS.read_text(), python, VENV, output_of([python, '-V']))
    mark = VENV / '.complete'
    if mark.is_file() and mark.read_text() == wanted and (VENV / 'bin/python').exists():
        return
    with Step('Installing Python packages') as step:
        def on_line(line):
            if line.startswith(('Collecting ', 'Downloading ', 'Building wheel', 'Installing collected')):
                step.detail = ' '.join(line.split()[:2])
        remove(VENV)
        log = LOG / 'pip.log'
        code, tail = run([python, '-m', 'venv', VENV], log)
        if code:
            raise Failure('The Python environment could not be made:\n' + '\n'.join(tail[-5:]))
        code, tail = run([VENV / 'bin/python', '-m', 'pip', 'install', '--no-input', '--disable-pip-version-check',
                          '--progress-bar=off', '-r', REQUIREMENTS], log, on_line)
        if code:
            errors = [line for line in tail if 'ERROR' in line] or tail[-5:]
            raise Failure('The Python packages could not be installed (is there a network?):\n' + '\n'.join(errors) +
                          f'\nAll of it is in {log}.')
        mark.write_text(wanted)


# === POSTGRESQL === #

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
            reachable = subprocess.run([*self.prefix, 'test', '-x', STATE], capture_output=True, check=False)
            if reachable.returncode:    # somewhere like /root: allow it to pass through the folders above
                capability = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override']
                self.prefix += capability
                reachable = subprocess.run([*self.prefix, 'test', '-x', STATE], capture_output=True, check=False)
                if reachable.returncode:
                    raise Failure(f'PostgreSQL cannot run as root, and the user {self.owner.pw_name} cannot reach {ROOT}.\n'
                                  'Move the checkout to a folder that everybody may enter, or work as a normal user.')
        self.folder = self._socket_folder()

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
        if (CLUSTER / 'PG_VERSION').is_file():
            version = (CLUSTER / 'PG_VERSION').read_text().strip()
            programs = Path('/usr/lib/postgresql', version, 'bin')
            if (programs / 'postgres').exists():
                self.programs = programs
        else:
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
        text = output_of([self.programs / 'psql', '-h', self.folder, '-p', DB_PORT, '-U', user, '-d', database, '-X', '-q',
                          '-A', '-t', '-F', '\x1f', '-v', 'ON_ERROR_STOP=1', '-c', query])
        return [line.split('\x1f') for line in text.splitlines()]


# === THE ENVIRONMENT === #

class Environment:
    """What `prepare` yields: Odoo, Python, PostgreSQL, ready to be used."""

    def __init__(self, lock):
        self.lock = lock
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
        wanted -= {'dev', 'docs', 'compose.yaml'}
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
                if loading := LOADING.search(match['text']):
                    if step:
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
            _die_with_parent()
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

    def own_database(self, prefix):
        """A database name for this process alone; those that crashed processes left are dropped."""
        folder = STATE / 'databases'
        folder.mkdir(exist_ok=True)
        with self.lock:
            existing = self.databases()
            for name in {name.removesuffix('__new') for name in existing if name.startswith(f'{prefix}_')}:
                with open(folder / name, 'a') as file:
                    try:
                        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    except BlockingIOError:
                        continue
                    self.drop_database(f'{name}__new')
                    self.drop_database(name)
                    remove(folder / name)
            name = f'{prefix}_{os.getpid()}'
            file = open(folder / name, 'a')     # noqa: SIM115
            fcntl.flock(file, fcntl.LOCK_EX)
            self.database_locks[name] = file
            return name

    def drop_own_database(self, name):
        self.drop_database(f'{name}__new')
        self.drop_database(name)
        remove(STATE / 'databases' / name)
        self.database_locks.pop(name).close()


def check_disk(needed):
    free = shutil.disk_usage(ROOT).free
    if free < needed:
        raise Failure(f'{free / GIGABYTE:.1f} GB are free on the disk of {ROOT}; the set-up needs {needed / GIGABYTE:.1f} GB.')


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
        raise Failure(f'{STATE} belongs to the user {STATE.stat().st_uid}, who set it up. Work as that user or remove it.')


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
                if path.name not in {'lock', 'users'}:
                    remove(path)


@contextlib.contextmanager
def prepare(browser=False):
    """Set up whatever is missing and yield the Environment; PostgreSQL runs meanwhile."""
    make_state()
    lock = Lock(STATE / 'lock')
    env = Environment(lock)
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
