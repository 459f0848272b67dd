"""Brings what the environment consists of: system packages, Odoo, Python packages."""
import collections
import ctypes.util
import os
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from common import (
    CLUSTER,
    DEBIAN,
    LOG,
    REQUIREMENTS,
    STATE,
    VENV,
    Failure,
    Step,
    child_environment,
    digest,
    output_of,
    remove,
    run,
)

PYTHON_VERSIONS = ((3, 11), (3, 12), (3, 13))

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


# === SYSTEM PACKAGES === #

def has_venv(python):
    """Whether an interpreter is there and makes virtual environments, for which Debian has a package of its own."""
    return os.access(python, os.X_OK) and not subprocess.run(
        [python, '-c', 'import ensurepip, venv'], capture_output=True, check=False).returncode


def find_python():
    """An interpreter for the virtual environment: of the version that runs this, the one of the distribution first.

    It is built with what a profile showed; an interpreter that somebody compiled often is not, and needs a third more time.
    """
    own, candidates = os.path.realpath(sys.executable), []
    if sys.version_info[:2] in PYTHON_VERSIONS:
        candidates = [path for path in ('/usr/bin/python{}.{}'.format(*sys.version_info), own) if has_venv(path)] or [own]
    for major, minor in PYTHON_VERSIONS:
        candidates += [f'/usr/bin/python{major}.{minor}', shutil.which(f'python{major}.{minor}')]
    for candidate in candidates:
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    raise Failure('Python 3.11, 3.12 or 3.13 is needed and none was found on the PATH.')


def postgres_programs():
    """The folder with PostgreSQL's programs, that of the cluster or newest version first; None if there is none."""
    folders = sorted(Path('/usr/lib/postgresql').glob('[0-9]*/bin'), key=lambda path: -int(path.parent.name))
    if (CLUSTER / 'PG_VERSION').is_file():
        folders.insert(0, Path('/usr/lib/postgresql', (CLUSTER / 'PG_VERSION').read_text().strip(), 'bin'))
    if found := shutil.which('postgres'):
        folders.append(Path(found).resolve().parent)
    for folder in folders:
        if all((folder / name).exists() for name in ('postgres', 'initdb', 'psql')):
            return folder
    return None


def checker_package():
    """The package with plpgsql_check for the PostgreSQL in use; None if it is there, or PostgreSQL is not there yet."""
    programs = postgres_programs()
    if not programs:
        return None
    version = output_of([programs / 'postgres', '--version']).split()[2].partition('.')[0]
    shared = [Path('/usr/share/postgresql', version)]
    if (programs / 'pg_config').exists():
        shared.append(Path(output_of([programs / 'pg_config', '--sharedir']).strip()))
    present = any((folder / 'extension/plpgsql_check.control').exists() for folder in shared)
    return None if present else f'postgresql-{version}-plpgsql-check'


def find_browser():
    for name in ('google-chrome', 'chromium', 'chromium-browser', 'google-chrome-stable'):
        if found := shutil.which(name):
            return found
    return None


def missing_packages(tests):
    """The Debian packages that are missing; with ``tests`` those as well that only tests need."""
    fonts = Path('/usr/share/fonts')
    missing = [package for package, present in (
        ('python3-venv', has_venv(find_python())),
        ('postgresql', postgres_programs()),
        ('wkhtmltopdf', shutil.which('wkhtmltopdf')),
        ('libmagic1', ctypes.util.find_library('magic')),
        ('fonts-dejavu-core', any(fonts.glob('**/DejaVuSans.ttf'))),
        ('fonts-liberation', any(fonts.glob('**/LiberationSans-Regular.ttf'))),
        ('chromium', not tests or find_browser()),
    ) if not present]
    if tests and (checker := checker_package()):
        missing.append(checker)
    return missing


def install_packages(tests):
    """Install what is missing; a second time for what depends on the version of PostgreSQL that the first one brought."""
    while missing := missing_packages(tests):
        install(missing)
        if still := set(missing) & set(missing_packages(tests)):
            raise Failure('Installed, and not found all the same: ' + ', '.join(sorted(still)))


def install(missing):
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
        if code:    # the package lists are missing or out of date
            run(['apt-get', 'update', '-q', '-o', 'DPkg::Lock::Timeout=600'], log, on_line, env=environ)
            code, tail = run(command, log, on_line, env=environ)
    if code:
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
        # A mirror may lag behind; what it serves is signed all the same.
        'Acquire::Check-Valid-Until': 'false',
    }
    flags = [flag for name, value in options.items() for flag in ('-o', f'{name}={value}')]
    with Step('Downloading Odoo 19') as step:
        def on_line(line):
            if line.startswith('Get:'):
                step.detail = next((word for word in line.split() if word.startswith(('odoo', 'fonts', 'libjs'))), '')
        for mirror in mirrors:
            lines = [f'deb {signed}{mirror} {suite} main\n' for suite in DEBIAN_SUITES]
            (apt / 'sources.list').write_text(''.join(lines))
            code, tail = run(['apt-get', *flags, 'update'], log, on_line)
            if not code:
                code, tail = run(['apt-get', *flags, 'download', *DEBIAN_PACKAGES], log, on_line, cwd=apt / 'packages')
            if not code:
                break
        else:
            raise Failure('Odoo 19 could not be downloaded from the Debian mirror (is there a network?):\n' +
                          '\n'.join(tail[-4:]) + '\n' + hint)
    unpack_odoo(apt / 'packages', log)
    remove(apt)


def unpack_odoo(packages, log):
    """Unpack Debian's packages into a folder of our own, and put it in its place when it is complete."""
    with Step('Unpacking Odoo 19'):
        temporary = STATE / 'debian.new'
        remove(temporary)
        temporary.mkdir()
        for package in sorted(packages.glob('*.deb')):
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
