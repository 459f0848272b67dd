"""`dev/bench --load`: operators at work over HTTP, against Odoo with several processes, on this machine.

Each operator has a batch, a verifier beside and a browser session of their own, and does what the floor does: start the step,
record, ask what is signed, sign with user name and password; between two signatures passes the time of thought. What is told:
how long a signature took for its operator, as percentiles, beside the time that judging one secret takes on the idle machine,
which nobody can save; what was refused, failed or was repeated; and how busy the processors were.
"""
import http.cookiejar
import json
import os
import random
import statistics
import subprocess
import threading
import time
import urllib.error
import urllib.request

from bench_orders import Worker
from common import LOG, Failure, Step, end, lines_of, remove, say, start
from environment import check_port, prepare
from testing import addon_template

PORT = 8072
#: Points of a step that the verifier signs.
SECOND = ('verified', 'checked', 'addition_verified')


class Browser:
    """One session of one person."""

    def __init__(self, port, database, login, password):
        self.base, self.login, self.password = f'http://127.0.0.1:{port}', login, password
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.post('/web/session/authenticate', {'db': database, 'login': login, 'password': password})

    def post(self, path, params):
        request = urllib.request.Request(
            self.base + path, json.dumps({'jsonrpc': '2.0', 'method': 'call', 'params': params}).encode(),
            {'Content-Type': 'application/json'})
        with self.opener.open(request, timeout=120) as response:
            answer = json.load(response)
        if 'error' in answer:
            data = answer['error'].get('data') or {}
            raise RuntimeError(f"{path}: {data.get('message') or answer['error'].get('message')}")
        return answer['result']

    def call(self, model, method, *args, **kwargs):
        return self.post(f'/web/dataset/call_kw/{model}/{method}', {
            'model': model, 'method': method, 'args': list(args), 'kwargs': kwargs})


class Operator(threading.Thread):
    """Works through one batch, until its end or that of the measurement."""

    def __init__(self, load, pair):
        super().__init__(daemon=True)
        self.load, self.pair = load, pair
        self.random = random.Random(pair['bpr'])

    def run(self):
        try:
            self.people = [self.load.browser(self.pair[name]) for name in ('operator', 'verifier')]
            self.think()
            for step in self.people[0].call('mrp.bpr.step', 'search_read', [['bpr_id', '=', self.pair['bpr']]], [
                    'kind', 'planned', 'state'], order='sequence'):
                if self.load.is_over():
                    return
                if step['state'] == 'open':
                    self.work(step)
            self.load.finished += 1
        except Exception as error:  # whatever it is, the load tells it
            self.load.failed(f'{type(error).__name__}: {error}')

    def think(self):
        time.sleep(self.load.think * self.random.uniform(0.5, 1.5))

    def work(self, step):
        operator, planned, ids = self.people[0], step['planned'], [step['id']]
        self.load.timed('start', lambda: operator.call('mrp.bpr.step', 'action_start', ids, True))

        def record(kind, vals):
            self.load.timed('record', lambda: operator.call('mrp.bpr.step', 'action_record', ids, kind, vals))
        if planned['equipment']:
            record('equipment', {'equipment_id': self.pair['unit']})
        if step['kind'] == 'clearance':
            record('outcome', {'pass': True})
        elif step['kind'] == 'numeric':
            record('value', {'value': planned['criterion']['minimum']})
        elif step['kind'] == 'weigh':
            record('weight', {'value': planned['target']['quantity'], 'lot_name': "L-1"})
        elif step['kind'] == 'yield':
            record('yield', {'value': (planned['band'] or {}).get('theoretical') or '100'})
        while not self.load.is_over():
            point = operator.call('mrp.bpr.step', 'read', ids, ['next_point'])[0]['next_point']
            if not point:
                return
            self.think()
            self.sign(ids, point)

    def sign(self, ids, point):
        who = self.people[point in SECOND]
        digest = who.call('mrp.bpr.step', 'esign_prepare', ids, point)['digest']
        answer = self.load.timed('sign', lambda: who.call(
            'mrp.bpr.step', 'esign', ids, point, {'login': who.login, 'password': who.password}, digest))
        if 'refused' in answer:
            raise RuntimeError(f"{point} refused: {answer['refused']}")


class Load:
    """The measurement: threads of operators, and what they saw."""

    def __init__(self, port, database, floor, think, seconds):
        self.port, self.database, self.floor = port, database, floor
        self.think, self.until = think, time.monotonic() + seconds
        self.times, self.errors, self.lock, self.finished = {}, [], threading.Lock(), 0

    def browser(self, login):
        return Browser(self.port, self.database, login, self.floor['password'])

    def is_over(self):
        return time.monotonic() > self.until

    def failed(self, text):
        with self.lock:
            self.errors.append(text)

    def timed(self, kind, function):
        began = time.monotonic()
        result = function()
        with self.lock:
            self.times.setdefault(kind, []).append(time.monotonic() - began)
        return result

    def run(self, step):
        operators = [Operator(self, pair) for pair in self.floor['pairs']]
        began = time.monotonic()
        for operator in operators:
            operator.start()
        while any(operator.is_alive() for operator in operators):
            step.detail = (f'{len(self.times.get("sign", ()))} signatures, {len(self.errors)} errors, '
                           f'{self.finished} batches done')
            time.sleep(1)
        return time.monotonic() - began


def busy():
    """Return the seconds that all processors worked, and those that there were, since the machine began."""
    with open('/proc/stat', encoding='ascii') as file:
        values = [int(value) for value in file.readline().split()[1:9]]
    return (sum(values) - values[3] - values[4]) / os.sysconf('SC_CLK_TCK'), sum(values) / os.sysconf('SC_CLK_TCK')


def percentile(values, share):
    return statistics.quantiles(values, n=100, method='inclusive')[share - 1] if len(values) > 1 else values[0]


def wait_for(port, process, log):
    """Wait until Odoo answers."""
    def collect():
        with open(log, 'w', encoding='utf-8') as file:
            for line in lines_of(process):
                if line:
                    file.write(line + '\n')
                    file.flush()
    threading.Thread(target=collect, daemon=True).start()
    for _second in range(120):
        try:
            with urllib.request.urlopen(f'http://127.0.0.1:{port}/web/login', timeout=30):
                return
        except (OSError, urllib.error.URLError):
            if process.poll() is not None:
                break
        time.sleep(1)
    raise Failure(f'Odoo does not answer; the log is {log}.')


def prefork_command(env, database, workers):
    """Return the command of Odoo with several processes; the one of live messages is started by the name of the program."""
    program = LOG / 'odoo-bin'
    program.write_text('import odoo.cli\nodoo.cli.main()\n', encoding='utf-8')
    return [env.python, program, '-d', database, f'--db-filter=^{database}$', '--no-database-list', f'--http-port={PORT}',
            f'--gevent-port={PORT + 1}', f'--workers={workers}', '--max-cron-threads=0', '--limit-time-real=600',
            '--limit-time-cpu=600', '--limit-memory-hard=0', '--limit-memory-soft=0']


def show(load, floor, elapsed, used, log, options):
    say(f'\n{len(floor["pairs"])} operators with {options.think:g} s of thought before each signature, '
        f'{options.workers} processes of Odoo on {os.cpu_count()} processors, {elapsed:.0f} s; processors busy: {used:.0%}')
    secret = floor['secret_seconds']
    say(f'Judging one secret on the idle machine: {secret:.3f} s')
    for kind, title in (('start', 'start of a step'), ('record', 'entry'), ('sign', 'signature')):
        times = load.times.get(kind)
        if times:
            ratio = f'  p95 = {percentile(times, 95) / secret:.2f} × secret' if kind == 'sign' else ''
            say(f'  {title:<16} {len(times):>6}  p50 {percentile(times, 50):.3f} s  p95 {percentile(times, 95):.3f} s  '
                f'longest {max(times):.3f} s{ratio}')
    text = log.read_text(encoding='utf-8', errors='replace')
    say(f'Requests that Odoo repeated: {text.count("tries left, try again")}; signatures repeated by the addon: '
        f'{text.count("Signature repeated")}; batches finished: {load.finished}; errors shown: {len(load.errors)}')
    for error in sorted(set(load.errors))[:10]:
        say(f'    {load.errors.count(error)} × {error[:300]}')


def figures(load, floor, elapsed, used):
    secret = floor['secret_seconds']
    return {
        'operators': len(floor['pairs']), 'seconds': elapsed, 'busy': used, 'secret_seconds': secret, 'errors': load.errors,
        'finished': load.finished,
        **{kind: {'count': len(times), 'p50': percentile(times, 50), 'p95': percentile(times, 95), 'max': max(times)}
           for kind, times in load.times.items()}}


def main(options):
    with prepare() as env:
        check_port(PORT)
        database = env.own_database('bench_load')
        worker = process = None
        try:
            with env.lock:
                template = addon_template(env)
                env.clone_database(template, database)
            with Step(f'Making {options.load} operators, verifiers and batches'):
                worker = Worker(env, 'load', database, [])
                worker.start()
                floor = worker.ask(do='floor', pairs=options.load)
                worker.close()
            log = LOG / 'bench-load-server.log'
            remove(log)
            process = start(
                prefork_command(env, database, options.workers),
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env.environ())
            with Step('Starting Odoo'):
                wait_for(PORT, process, log)
            load = Load(PORT, database, floor, options.think, options.seconds)
            with Step(f'{options.load} operators at work') as step:
                before = busy()
                elapsed = load.run(step)
                after = busy()
        finally:
            if worker:
                worker.close()
            if process:
                end(process)
            env.drop_own_database(database)
    used = (after[0] - before[0]) / (after[1] - before[1])
    show(load, floor, elapsed, used, log, options)
    if options.json:
        with open(options.json, 'w', encoding='utf-8') as file:
            json.dump(figures(load, floor, elapsed, used), file, indent=1)
            file.write('\n')
    return 0
