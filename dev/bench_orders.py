"""`dev/bench`: what the addon costs manufacturing orders, as ratios of paired runs.

An order of 40 components and 6 operations is created and confirmed

* in plain Odoo, in a database without the addon,
* in a database with the addon, for a product that it does not control,
* in the same database and process, for a controlled product with a signed MMR of the same content,
* the same again without writing to the ledger, which shows the ledger's share.

A worker process per database does one run at a time and rolls it back. A round does each of them
once, each round in another order; ratios are taken within a round, where a noisy machine is as
noisy for both, and their median over the rounds is the result. Two processes that do the same differ
by some percent for as long as they live, so the processes are replaced now and then.

CPU time is that of Odoo's process and of its PostgreSQL backend; it suffers less than elapsed time
from whatever else the machine does. Calls of Python functions and SQL queries are counted and hardly
vary at all: they show small differences that no clock shows. "Fastest" compares the fastest run of
each, the least disturbed one.
"""
import argparse
import contextlib
import json
import os
import statistics
import subprocess
import time
from pathlib import Path

import bench_scale
from common import CONF, LOG, ROOT, Failure, Step, end, remove, say, start
from environment import prepare
from testing import addon_template, core_template

ROUNDS = {1: 12, 10: 6, 100: 2}
QUICK = {1: 6, 10: 3}
LIFE = {1: 6}       # rounds after which the processes are replaced, otherwise 3
COUNTED = 10        # calls are counted for at most so many orders
HEADLINE = 10       # orders at once, of the figures that are named one by one in the JSON file
LINES, FEWER_LINES = 200_000, 50_000     # of the ledger that is verified; fewer with --quick
LEDGER_BUDGET = 0.03    # of the confirmation
STEPS = ('create', 'confirm')
CLOCKS = ('cpu', 'wall')
RATIOS = {
    'addon_over_plain': ('addon', 'plain'),
    'controlled_over_uncontrolled': ('controlled', 'addon'),
    'controlled_over_unlogged': ('controlled', 'unlogged'),
    'plain_over_itself': ('control', 'plain'),
}
TITLES = {
    'plain': 'plain Odoo', 'addon': 'addon, not controlled', 'controlled': 'controlled',
    'unlogged': 'controlled, no ledger', 'control': 'plain again'}


class Worker:
    """A database, and a process of `bench_worker.py` that measures in it."""

    def __init__(self, env, name, database, arguments):
        self.env, self.name = env, name
        self.command = [env.python, ROOT / 'dev' / 'bench_worker.py', '-c', CONF, '-d', database, *arguments]
        self.log = LOG / f'bench-{name}.log'
        remove(self.log)
        self.process, self.facts, self.state = None, None, None

    def start(self):
        self.close()
        with open(self.log, 'a', encoding='utf-8') as log:
            self.process = start(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                env=self.env.environ(PYTHONHASHSEED='0'), cwd=ROOT)

    def set_up(self, stock):
        self.start()
        answer = self.ask(do='setup', stock=stock)
        self.facts, self.state = answer['facts'], answer['state']

    def ask(self, **command):
        self.tell(**command)
        return self.answer()

    def tell(self, **command):
        try:
            self.process.stdin.write(json.dumps(command) + '\n')
            self.process.stdin.flush()
        except BrokenPipeError:
            self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(15)
            last = self.log.read_text(errors='replace').strip().splitlines()[-1:]
            raise Failure(f'A process of the measurement has ended; the log is {self.log}:\n' + '\n'.join(last))
        return json.loads(line)

    def close(self):
        if self.process:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()      # it ends by itself
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(3)
            end(self.process)
            self.process = None


def replace(series):
    """New processes, warmed up."""
    workers = list(dict.fromkeys(worker for _key, worker, _kind in series))
    for worker in workers:
        worker.start()
        worker.tell(do='resume', **worker.state)
    for worker in workers:
        worker.answer()
    for _key, worker, kind in series:
        worker.ask(do='measure', kind=kind, orders=1)


def alternated(series, number):
    """The series in the order of round `number`: after twice as many rounds as there are, each stood at each place twice."""
    shift = number // 2 % len(series)
    turned = series[shift:] + series[:shift]
    return turned[::-1] if number % 2 else turned


def measure(series, orders, rounds, step):
    """Return the results of `rounds` rounds, each a dict by the key of the series, and one that counts calls."""
    results = []
    for number in range(rounds):
        place = f'round {number + 1} of {rounds}'
        if number % LIFE.get(orders, 3) == 0:
            step.detail = f'{place}, new processes'
            replace(series)
        row = {}
        for key, worker, kind in alternated(series, number):
            step.detail = f'{place}, {TITLES[key]}'
            worker.ask(do='measure', kind=kind, orders=1)       # the processor has just worked for another process
            row[key] = worker.ask(do='measure', kind=kind, orders=orders)
        results.append(row)
    counts = {}
    if orders <= COUNTED:
        step.detail = 'counting calls'
        counts = {key: worker.ask(do='measure', kind=kind, orders=orders, count_calls=True)
                  for key, worker, kind in series}
    return results, counts


# === FIGURES === #

def spread(values):
    """Median and quartiles."""
    if not values or None in values:
        return None
    low, middle, high = statistics.quantiles(values, n=4, method='inclusive') if len(values) > 1 else values * 3
    return {'median': middle, 'low': low, 'high': high, 'runs': values}


def figures_of(rows, counts, orders):
    """Per step: seconds, queries and calls per order of each series, and the ratios of the pairs."""
    figures = {}
    for part in (*STEPS, 'both'):
        def value(row, key, clock, names=STEPS if part == 'both' else (part,)):
            values = [row[key][name][clock] for name in names]
            return None if None in values else sum(values)
        absolute, ratios = {}, {}
        for key in rows[0]:
            absolute[key] = {
                f'{clock}_seconds_per_order': spread([
                    None if value(row, key, clock) is None else value(row, key, clock) / orders for row in rows])
                for clock in CLOCKS}
            absolute[key]['queries_per_order'] = statistics.median(value(row, key, 'queries') for row in rows) / orders
            absolute[key]['calls_per_order'] = value(counts, key, 'calls') / orders if counts else None
        for name, (over, under) in RATIOS.items():
            if {over, under} <= rows[0].keys():
                ratios[name] = {
                    clock: spread([
                        None if value(row, over, clock) is None else value(row, over, clock) / value(row, under, clock)
                        for row in rows])
                    for clock in CLOCKS}
                fastest = [min((value(row, key, 'cpu') or 0 for row in rows), default=0) for key in (over, under)]
                ratios[name]['cpu_fastest'] = fastest[0] / fastest[1] if all(fastest) else None
                ratios[name]['calls'] = value(counts, over, 'calls') / value(counts, under, 'calls') if counts else None
                ratios[name]['queries_added'] = statistics.median(
                    value(row, over, 'queries') - value(row, under, 'queries') for row in rows)
        figures[part] = {'absolute': absolute, 'ratios': ratios}
    return figures


def headline(figures, orders):
    """The figures by simple names: ratios of elapsed and of CPU time, queries per order."""
    values = {'orders': orders}
    for part in STEPS:
        for name, ratio in figures[part]['ratios'].items():
            for clock, suffix in (('wall', ''), ('cpu', '_cpu')):
                values[f'{part}_{name}{suffix}'] = ratio[clock] and ratio[clock]['median']
            values[f'{part}_{name}_cpu_fastest'] = ratio['cpu_fastest']
            values[f'{part}_{name}_calls'] = ratio['calls']
            values[f'{part}_{name}_queries_added'] = ratio['queries_added']
    for key, absolute in figures['confirm']['absolute'].items():
        values[f'queries_per_order_{"uncontrolled" if key == "addon" else key}'] = absolute['queries_per_order']
    return values


# === TABLES === #

def table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        say('  '.join(text.ljust(width) if column < 2 else text.rjust(width)
                      for column, (text, width) in enumerate(zip(row, widths, strict=True))).rstrip())


def show(sizes):
    keys = list(next(iter(sizes.values()))['confirm']['absolute'])
    say('\nFor each order: milliseconds of CPU / elapsed, SQL queries')
    rows = [['orders', '', *(TITLES[key] for key in keys)]]
    for orders, figures in sizes.items():
        for part in STEPS:
            cells = []
            for key in keys:
                absolute = figures[part]['absolute'][key]
                cpu, wall = absolute['cpu_seconds_per_order'], absolute['wall_seconds_per_order']
                cells.append(f'{cpu["median"] * 1000:.0f} / ' if cpu else '')
                cells[-1] += f'{wall["median"] * 1000:.0f} ms, {absolute["queries_per_order"]:.1f}'
            rows.append([f'{orders}', part, *cells])
    table(rows)
    for name, (over, under) in RATIOS.items():
        if name not in figures['confirm']['ratios']:
            continue
        say(f'\n{TITLES[over].capitalize()} ÷ {TITLES[under]}: median of paired runs [quartiles]')
        rows = [['orders', '', 'CPU time', 'CPU, fastest', 'elapsed time', 'calls', 'more queries']]
        for orders, figures in sizes.items():
            for part in (*STEPS, 'both'):
                ratio = figures[part]['ratios'][name]
                cpu, wall = (
                    f'{ratio[clock]["median"]:.3f} [{ratio[clock]["low"]:.3f} – {ratio[clock]["high"]:.3f}]'
                    if ratio[clock] else 'unknown' for clock in CLOCKS)
                rows.append([f'{orders}', part, cpu, f'{ratio["cpu_fastest"] or 0:.3f}', wall,
                             f'{ratio["calls"]:.4f}' if ratio['calls'] else '', f'{ratio["queries_added"]:+.0f}'])
        table(rows)


def show_records(records):
    say(f'\nRedline of two revisions with {records["components"]} components and {records["steps"]} steps: '
        f'{records["redline_seconds"] * 1000:.1f} ms for {records["redline_changes"]} differences, '
        f'{records["redline_over_hashing"]:.2f} × hashing both documents')
    say(f'\nPrint of a master of {records["print_pages"]} pages: {records["print_seconds"]:.1f} s, {records["print_runs"]} '
        f'runs of wkhtmltopdf, {records["print_bytes"] / 1000:.0f} kB; {records["print_over_bare"]:.1f} × one bare run')
    took = {name: records[f'signing_{name}_seconds'] * 1000 for name in ('open', 'sign', 'password', 'check', 'check_pure')}
    say(f'\nA signature with the key of its signer: {took["open"]:.0f} ms to open the key, {took["sign"]:.2f} ms to sign; '
        f'{records["signing_over_password"]:.2f} × Odoo\'s own check of the password ({took["password"]:.0f} ms). '
        f'Checking one: {took["check"]:.2f} ms, without libraries {took["check_pure"]:.1f} ms')
    say(f'\nVerification of {records["verify_lines"]:,} lines of the ledger of {records["verify_bytes_per_line"]:.0f} bytes by '
        f'one process: {records["verify_lines_per_second"]:,.0f} lines a second elapsed, '
        f'{records["verify_lines_per_cpu_second"]:,.0f} a second of CPU; {records["verify_over_hashing"]:.1f} × hashing the '
        f'same bytes alone (CPU: {records["verify_cpu_over_hashing"]:.1f} ×)\n')
    few, many = records['batches'] // 10, records['batches']
    say(f'Product quality review of {many} batches: {records[f"review_{many}_seconds"]:.2f} s and '
        f'{records[f"review_{many}_queries"]} queries for the figures ({few} batches: '
        f'{records[f"review_{few}_seconds"]:.2f} s, {records[f"review_{few}_queries"]} queries), '
        f'{records["review_print_seconds"]:.1f} s with the print\n')
    rows = [['MMRs', *(f'{number:,}' for number in (100, records['mmrs'])), 'many ÷ few']]
    for name, title in (('page', 'first page of the list'), ('groups', 'groups by profile'), ('matrix', 'planner')):
        cells = [f'{records[f"{name}_{number}_seconds"] * 1000:.1f} ms, {records[f"{name}_{number}_queries"]} queries'
                 for number in (100, records['mmrs'])]
        rows.append([title, *cells, f'{records[f"{name}_many_over_few"]:.2f}'])
    table(rows)


# === COMMAND === #

def numbers(text):
    try:
        values = [int(part) for part in text.split(',')]
    except ValueError:
        values = [0]
    if min(values) < 1:
        raise argparse.ArgumentTypeError(f'{text!r} is no list of numbers such as 1,10,100')
    return list(dict.fromkeys(values))


def rounds_of(orders, options):
    known = QUICK if options.quick else ROUNDS
    return options.repeat or known.get(orders) or max(2, min(12, 60 // orders))


def parse_options(args):
    parser = argparse.ArgumentParser(
        prog='dev/bench', description='Measures what the addon costs manufacturing orders of 40 components and '
        '6 operations, against plain Odoo and against products that are not controlled. It never fails for slowness.')
    parser.add_argument('--orders', type=numbers, help='how many orders at once (default: 1,10,100; with --quick 1,10)')
    parser.add_argument('--repeat', type=int, metavar='N', help='rounds of every size (default: fewer for more orders)')
    parser.add_argument('--quick', action='store_true', help='fewer rounds, no 100 orders: about two minutes')
    parser.add_argument('--stock', action='store_true', help='with components in stock, which Odoo then reserves')
    parser.add_argument('--control', action='store_true',
                        help='also measure plain Odoo against itself, in a third process: the error of this method')
    parser.add_argument('--load', type=int, metavar='N', nargs='?', const=50,
                        help='instead: N operators at work over HTTP at the same time (default: %(const)s)')
    parser.add_argument('--think', type=float, default=30, metavar='S',
                        help='with --load: seconds before each signature (default: %(default)s)')
    parser.add_argument('--seconds', type=int, default=600, metavar='S', help='with --load: how long (default: %(default)s)')
    parser.add_argument('--workers', type=int, default=4, metavar='N',
                        help='with --load: processes of Odoo (default: %(default)s)')
    parser.add_argument('--scale', type=numbers, nargs='?', const=list(bench_scale.SIZES), metavar='BATCHES',
                        help='instead: screens and nightly jobs with so many batches on record (default: 300,3000)')
    parser.add_argument('--json', metavar='FILE', help='write the figures to this file')
    options = parser.parse_args(args)
    if options.repeat is not None and options.repeat < 1:
        parser.error('--repeat is 1 or more')
    if options.json and not Path(options.json).resolve().parent.is_dir():
        parser.error(f'{options.json}: there is no such folder')
    return options


def main(args):
    options = parse_options(args)
    if options.load:
        import bench_load
        return bench_load.main(options)
    if options.scale:
        return bench_scale.main(options, Worker)
    wanted = options.orders or list(QUICK if options.quick else ROUNDS)
    with prepare() as env:
        began = time.monotonic()
        templates = {'plain': core_template(env), 'addon': None}
        if options.control:
            templates['control'] = templates['plain']
        databases, workers = {}, {}
        try:
            with env.lock:
                templates['addon'] = addon_template(env)
                with Step('Copying the databases'):
                    for name, template in templates.items():
                        databases[name] = env.own_database(f'bench_{name}')
                        env.clone_database(template, databases[name])
            with Step('Making products, signing the MMR'):
                for name, database in databases.items():
                    arguments = [] if name == 'addon' else [f'--addons-path={env.core_addons_path}']
                    workers[name] = Worker(env, name, database, arguments)
                    workers[name].set_up(options.stock)
            series = [('plain', workers['plain'], 'uncontrolled'), ('addon', workers['addon'], 'uncontrolled'),
                      ('controlled', workers['addon'], 'controlled'), ('unlogged', workers['addon'], 'unlogged')]
            if options.control:
                series.append(('control', workers['control'], 'uncontrolled'))
            sizes = {}
            for orders in wanted:
                with Step(f'Orders, {orders} at once') as step:
                    rows, counts = measure(series, orders, rounds_of(orders, options), step)
                sizes[orders] = figures_of(rows, counts, orders)
            with Step('Master records'):
                workers['addon'].start()
                workers['addon'].ask(do='resume', **workers['addon'].state)
                records = workers['addon'].ask(do='records', lines=FEWER_LINES if options.quick else LINES)
        finally:
            for worker in workers.values():
                worker.close()
    show(sizes)
    show_records(records)
    chosen = HEADLINE if HEADLINE in sizes else wanted[-1]
    values = headline(sizes[chosen], chosen)
    say(f'\n{chosen} orders, confirmation, CPU time (elapsed): '
        f'controlled ÷ not controlled {text_of(values, "confirm_controlled_over_uncontrolled")}, '
        f'addon ÷ plain Odoo {text_of(values, "confirm_addon_over_plain")}, '
        f'with ÷ without the ledger {text_of(values, "confirm_controlled_over_unlogged")}, '
        f'budget {1 + LEDGER_BUDGET:.2f}.')
    if options.json:
        document = {
            **workers['addon'].facts, 'stock': options.stock, 'cpus': os.cpu_count(),
            'seconds': round(time.monotonic() - began), **values, 'records': records, 'sizes': sizes}
        with open(options.json, 'w', encoding='utf-8') as file:
            json.dump(document, file, indent=1)
            file.write('\n')
    return 0


def text_of(values, name):
    cpu, wall = values[f'{name}_cpu'], values[name]
    return (f'{cpu:.3f}' if cpu else 'unknown') + f' ({wall:.3f})'
