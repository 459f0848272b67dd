"""`dev/run`: the addon with its demonstration data, ready to be clicked through."""
import argparse
import subprocess
import time
import urllib.error
import urllib.request

from common import (
    HARMLESS,
    LEVELS_SHOWN,
    LOG,
    LOG_LINE,
    MODULE,
    Failure,
    Step,
    addon_digest,
    end,
    lines_of,
    remove,
    say,
    set_stamp,
    stamp,
    start,
)
from environment import check_port, prepare, reset

# Users of the demonstration data, in the order they are shown; the password is the login.
LOGINS = ('admin', 'preparer', 'qc', 'qa', 'qp', 'qmanager', 'production', 'planner', 'operator', 'verifier', 'auditor',
          'security')


def database_up_to_date(env, name, demo):
    """Create the database, or update the addon in it when its files or Odoo have changed."""
    wanted = {'addon': addon_digest(), 'odoo': env.version}
    with env.lock:
        if name not in env.databases():
            env.create_database(name, [MODULE], demo=demo, title='Installing Odoo and the addon (once)')
        elif stamp(name) == wanted:
            return
        else:
            modules = MODULE if stamp(name).get('odoo') == env.version else 'base'
            with Step('Updating the addon' if modules == MODULE else 'Updating all modules') as step:
                remove(LOG / f'{name}.log')
                code = env.odoo('-d', name, '-u', modules, '--stop-after-init', '--no-http', '--max-cron-threads=0',
                                step=step, log=f'{name}.log')
                if code or not env.installed(name, [MODULE]):
                    raise Failure(f'The update failed; the log is {LOG / name}.log.\n'
                                  '`dev/run --reset` starts from an empty database.')
        set_stamp(name, **wanted)


def answers(port):
    try:
        with urllib.request.urlopen(f'http://127.0.0.1:{port}/web/login', timeout=30) as response:
            return response.status == 200
    except (OSError, urllib.error.URLError):
        return False


def show_logins(env, name, demo):
    logins = ', '.join(f"'{login}'" for login in LOGINS)
    rows = dict(env.sql(f"""
        SELECT u.login, p.name FROM res_users u JOIN res_partner p ON p.id = u.partner_id
         WHERE u.active AND u.login IN ({logins})
    """, name))
    say('  login       password    name')
    for login in LOGINS:
        if login in rows:
            say(f'  {login:<12}{login:<12}{rows[login]}')
    if not demo:
        say('  (no demonstration data)')


def serve(env, name, port, demo):
    # an address of digits is no relying party of passkeys; reports fetch their styles from it
    env.sql(f"UPDATE ir_config_parameter SET value = 'http://localhost:{port}' WHERE key = 'web.base.url'", name)
    env.sql(f"INSERT INTO ir_config_parameter (key, value) VALUES ('report.url', 'http://127.0.0.1:{port}') "
            "ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value", name)
    log_file = LOG / f'server-{port}.log'
    process = start(env.command('-d', name, f'--db-filter=^{name}$', '--no-database-list', f'--http-port={port}'),
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env.environ())
    try:
        with open(log_file, 'w', encoding='utf-8') as log:
            ready, tail, checked = False, [], 0
            step = Step('Starting Odoo').__enter__()
            shown = False
            try:
                for line in lines_of(process, tick=0.3):
                    if line:
                        log.write(line + '\n')
                        log.flush()
                        tail = [*tail[-9:], line]
                        if match := LOG_LINE.match(line):
                            shown = match['level'] in LEVELS_SHOWN and not HARMLESS.search(line)
                        if shown:
                            (say if ready else step.note)(line)
                    if not ready and time.monotonic() - checked > 0.5:
                        checked = time.monotonic()
                        if answers(port):
                            ready = True
                            step.__exit__(None, None, None)
                            say(f'\nOdoo is ready: http://localhost:{port}\n')
                            show_logins(env, name, demo)
                            say(f'\nLog: {log_file}. Ctrl-C ends it.')
            finally:
                if not ready:
                    step.__exit__(Failure, None, None)
        raise Failure('Odoo has ended by itself:\n' + '\n'.join(tail))
    except KeyboardInterrupt:
        if not ready:
            raise
        say('\nStopping …')
        return 0
    finally:
        end(process)


def main(args):
    parser = argparse.ArgumentParser(prog='dev/run', description='Runs Odoo with the addon on this machine.')
    parser.add_argument('--port', type=int, default=8069, help='network port (default: %(default)s)')
    parser.add_argument('--no-demo', action='store_true', help='use a database without demonstration data')
    parser.add_argument('--reset', action='store_true', help='remove everything built before and start anew')
    options = parser.parse_args(args)
    check_port(options.port)
    if options.reset:
        reset()
    with prepare() as env:
        name = f'{MODULE}_empty' if options.no_demo else f'{MODULE}_demo'
        database_up_to_date(env, name, not options.no_demo)
        check_port(options.port)
        return serve(env, name, options.port, not options.no_demo)
