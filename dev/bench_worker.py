"""One process of `dev/bench`: measures manufacturing orders in one database, on demand.

It runs in Odoo's Python. A command is one line of JSON on standard input, its answer one line on
standard output: `setup` in a new database or `resume` in one that was set up, then any number of
`measure`. Orders are rolled back, so the database stays as `setup` left it.
"""
import cProfile
import gc
import json
import os
import sys
import time
from contextlib import contextmanager, nullcontext
from unittest.mock import patch

import bench_records
import bench_screens

import odoo
from odoo import SUPERUSER_ID, api
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tools import SQL, config

BATCH_SIZE = 100.0      # kg
COMPONENTS = 40
STEPS_EACH = 5          # of every operation, beside the weighing steps
PASSWORD = 'Bench-of-orders-1'
USERS = {       # login: groups in plain Odoo, and those of the addon
    'bench_planner': (('mrp.group_mrp_user',), ()),
    'bench_preparer': (('mrp.group_mrp_user',), ('mrp_mmr.group_mmr_preparer',)),
    'bench_qc': (('mrp.group_mrp_user',), ('mrp_mmr.group_mmr_qc',)),
}
PRECAUTIONS = """\
Protect from light and moisture: relative humidity below 45 %, temperature below 25 °C, containers closed.
Wear dust mask FFP2, safety glasses, gloves and hair cover; the dust can ignite, so ground all drums."""
OPERATIONS = [
    ("Dispensing", 120, """\
Line clearance: no material, label or paper of another batch is in the booth; the cleaning label is in date.
Compare name, lot number and expiry date of each container with the pick list before opening it.
Weigh each component into its own labelled bag: floor scale from 10 kg, bench balance below.
A second person checks identity and weight of every bag and signs the label.
Seal the bags, stage them on one pallet in the order of use and close unused containers at once."""),
    ("Sieving and blending", 90, """\
Fit the 300 L shell; check that shell and valve are dry and that the seal is in place.
Pass the components below 1 kg together with one third of the filler through a 20 mesh sieve.
Load half of the actives, the sieved premix, the rest of the filler and the other half of the actives.
Blend for 15 minutes at 12 rpm; the limit is 14 to 16 minutes.
Sample the blend at ten positions of the shell; label the samples for Quality Control."""),
    ("Lubrication", 30, """\
Pass the lubricants through a 40 mesh sieve and add them to the blend.
Blend for 3 minutes at 12 rpm, not longer: over-lubricated blend disintegrates slowly.
Discharge into double-lined drums and weigh every drum.
Label the drums with name, batch number, net weight and drum x of y.
Expected: 97.00 kg of final blend; below 95.00 kg stop and inform Quality Control."""),
    ("Compression", 240, """\
Fit the 12 mm round concave tooling; line clearance; challenge the metal detector with all three test pieces.
Set up and have the first tablets released: mass 588 to 624 mg, hardness 12 to 18 kp, friability at most 0.8 %.
Every 15 minutes: mass of 20 tablets, hardness and thickness of 5, appearance.
Stop the press and inform the supervisor where a value is out of its limits.
Collect dedusted tablets in lined drums; rejects of set-up and metal detector are weighed and recorded."""),
    ("Film coating", 180, """\
Disperse the coating premix in the purified water under the stirrer for 45 minutes; use it within 8 hours.
Load the cores in one pan load and warm them to a bed temperature of 40 °C.
Spray at a bed temperature of 40 to 44 °C until the tablets gained 3.0 % of mass.
Dry for 10 minutes at 45 °C, cool below 30 °C and discharge.
Record inlet and bed temperature, pan speed and spray rate every 10 minutes."""),
    ("Bulk packaging", 60, """\
Line clearance, labels included. Count the labels received and compare one with the approved specimen.
Fill 20 kg of tablets each into double PE bags with one desiccant unit, in fibre drums.
Close every drum with a numbered seal and label it with batch number, net weight and expiry date.
Reconcile the labels: issued = used + destroyed + returned.
Theoretical yield 100 kg (160,000 tablets). Below 96.0 % or above 101.0 %: stop and inform Quality Control."""),
]


class Worker:
    def __init__(self, database):
        self.registry = Registry(database)
        self.addon = 'mrp.mmr' in self.registry
        if self.addon:
            from odoo.addons.mrp_mmr.domain.sessions import own_sessions
            # Each person of the measurement works in an own session, as long as this process lives.
            self.sessions = own_sessions()
            self.sessions.__enter__()
        self.context = {'lang': 'en_US', 'tz': 'UTC'}
        self.uids = {}
        self.orders = {}        # kind of product: values of one order
        self.profile = None

    # === SET-UP === #

    def setup(self, stock=False):
        """Make products with the same content: one nobody controls and, with the addon, a controlled one.

        With `stock` there are components to reserve.
        """
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, self.context)
            for login, groups in USERS.items():
                names = groups[0] + (groups[1] if self.addon else ())
                self.uids[login] = env['res.users'].create({
                    'name': login, 'login': login, 'password': PASSWORD, 'tz': 'UTC',
                    'group_ids': [Command.set([env.ref(name).id for name in ('base.group_user', *names)])],
                }).id
            if self.addon:
                self._enrol(env)
            self.context['allowed_company_ids'] = env.company.ids
            env = env(context=self.context)
            kg = env.ref('uom.product_uom_kgm')
            product = {'type': 'consu', 'is_storable': True, 'uom_id': kg.id}
            components = env['product.product'].create([
                dict(product, name=f"Component {number:02}", default_code=f"BC{number:02}")
                for number in range(1, COMPONENTS + 1)])
            location = env['stock.warehouse'].search([('company_id', '=', env.company.id)], limit=1).lot_stock_id
            for component in components if stock else ():
                env['stock.quant']._update_available_quantity(component, location, 1e6)
            workcenters = env['mrp.workcenter'].create([{'name': f"Bench {name}"} for name, *_rest in OPERATIONS])
            uncontrolled, controlled = env['product.product'].create([
                dict(product, name=f"Tablets, {kind}", tracking='lot') for kind in ("uncontrolled", "controlled")])
            bom = env['mrp.bom'].create({
                'product_tmpl_id': uncontrolled.product_tmpl_id.id, 'product_id': uncontrolled.id,
                'product_qty': BATCH_SIZE, 'product_uom_id': kg.id, 'company_id': env.company.id,
                'enable_batch_size': True, 'batch_size': BATCH_SIZE,
            })
            self._fill(bom, components, workcenters)
            self._keep_order('uncontrolled', bom)
            if self.addon:
                self._keep_order('controlled', self._make_effective(controlled, components, workcenters))
        self._vacuum()
        return {
            'facts': {'odoo': odoo.release.version, 'components': COMPONENTS, 'operations': len(OPERATIONS)},
            'state': {'context': self.context, 'uids': self.uids, 'orders': self.orders},
        }

    def _enrol(self, env):
        """Make signers of the users of the measurement, with keys of the real cost, enrolled by a security administrator."""
        security = env['res.users'].create({
            'name': 'bench_security', 'login': 'bench_security', 'password': PASSWORD, 'tz': 'UTC',
            'group_ids': [Command.set([env.ref(name).id for name in ('base.group_user', 'mrp_mmr.group_mmr_security')])]})
        users = env['res.users'].browse(self.uids.values())
        env['mrp.signer']._set_up(users | security, env.user, "Measurement")
        for group in (security, users):
            env['mrp.signer.key']._set_up(group, security, dict.fromkeys((users | security).mapped('login'), PASSWORD))

    def resume(self, context, uids, orders):
        self.context, self.uids, self.orders = context, uids, orders

    def _fill(self, bom, components, workcenters, quantity='product_qty'):
        env = bom.env
        operations = env['mrp.routing.workcenter'].create([
            {'bom_id': bom.id, 'name': name, 'sequence': sequence, 'workcenter_id': workcenter.id,
             'time_mode': 'manual', 'time_cycle_manual': minutes,
             **({'mmr_instruction': text} if self.addon and quantity == 'gmp_qty' else {})}
            for sequence, ((name, minutes, text), workcenter) in enumerate(
                zip(OPERATIONS, workcenters, strict=True), 1)])
        env['mrp.bom.line'].create([
            {'bom_id': bom.id, 'product_id': component.id, quantity: round(number * 0.11, 2), 'sequence': number,
             'product_uom_id': component.uom_id.id, 'operation_id': operations[number % len(operations)].id}
            for number, component in enumerate(components, 2)])

    def _make_effective(self, product, components, workcenters):
        """Write the MMR of `product` and sign it as its people do; return its bill of materials."""
        from odoo.addons.mrp_mmr.domain.sessions import session_of
        from odoo.addons.mrp_mmr.tests.common.base import complete_content
        env = product.with_user(self.uids['bench_preparer']).env
        mmr = env['mrp.mmr'].create({
            'product_id': product.id, 'formulation_code': "BENCH", 'batch_size': BATCH_SIZE,
            'uom_id': product.uom_id.id})
        revision = mmr.open_revision_id
        self._fill(revision.bom_id, components, workcenters, 'gmp_qty')
        complete_content(revision)
        revision.write({'precautions': PRECAUTIONS, 'reason': "First revision."})
        env['mrp.mmr.step'].create([
            {'revision_id': revision.id, 'operation_id': operation.id, 'kind': 'instruction', 'sequence': 50 + number,
             'name': f"Step {number}", 'instruction': operation.mmr_instruction}
            for operation in revision.operation_ids for number in range(1, STEPS_EACH + 1)])
        for operation in revision.operation_ids.filtered(lambda row: not row.mmr_equipment_ids):
            operation.mmr_stage = 'testing'
        for action, login in (('submit', 'bench_preparer'), ('approve', 'bench_qc')):
            signer = revision.with_user(self.uids[login])
            with session_of(signer.env.user):
                digest = signer.esign_prepare(action)['digest']
                result = signer.esign(action, {'login': login, 'password': PASSWORD}, digest)
            if 'refused' in result:
                raise RuntimeError(result['refused'])
        if revision.state != 'effective' or not product.mmr_controlled:
            raise RuntimeError(f"{revision.display_name} is {revision.state}.")
        return revision.bom_id

    def _keep_order(self, kind, bom):
        self.orders[kind] = {
            'product_id': bom.product_id.id, 'bom_id': bom.id,
            'product_qty': BATCH_SIZE, 'product_uom_id': bom.product_uom_id.id}

    # === MEASUREMENT === #

    def measure(self, kind, orders, count_calls=False):
        """Create and confirm orders as the planner, each up to the commit, and roll them back.

        The kind `unlogged` is a controlled product whose orders leave no line in the ledger.

        With `count_calls` the answer has the number of calls of Python functions, and times that are too long.
        """
        with self._without_ledger() if kind == 'unlogged' else nullcontext():
            return self._measure('controlled' if kind == 'unlogged' else kind, orders, count_calls)

    @contextmanager
    def _without_ledger(self):
        """Take the ledger out, here and nowhere else, to see what it costs."""
        with patch.object(self.registry['mrp.audit.entry'], '_append', lambda *args, **kwargs: None), \
                patch.object(self.registry['mrp.production'], '_audit_records', lambda self, vals=None: self.browse()):
            yield

    def _measure(self, kind, orders, count_calls):
        self.profile = cProfile.Profile() if count_calls else None
        tables = []
        with self.registry.cursor() as cr:
            try:
                env = api.Environment(cr, self.uids['bench_planner'], self.context)
                created = []
                result = {'create': self._clock(env, lambda: created.append(
                    env['mrp.production'].create([dict(self.orders[kind]) for _order in range(orders)])))}
                env.invalidate_all()        # the confirmation is another request
                result['confirm'] = self._clock(env, created[0].action_confirm)
                if set(created[0].mapped('state')) != {'confirmed'} or (
                        len(created[0].move_raw_ids), len(created[0].workorder_ids)) != (
                        COMPONENTS * orders, len(OPERATIONS) * orders):
                    raise RuntimeError(f"The orders were not confirmed as expected: {created[0].mapped('state')}")
                if self.addon and all(created[0].mapped('mmr_snapshot_sha256')) != (kind == 'controlled'):
                    raise RuntimeError("Snapshots are missing, or are where none are expected.")
                cr.execute("SELECT relname FROM pg_stat_xact_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0")
                tables = [name for name, in cr.fetchall()]
            finally:
                cr.rollback()
        self._vacuum(tables)        # every run finds tables of the same size
        return result

    def records(self, lines):
        """Measure master records themselves, with so many lines in the ledger (see bench_records.py)."""
        with self.registry.cursor() as cr:
            try:
                env = api.Environment(cr, self.uids['bench_planner'], self.context)
                order = env['mrp.production'].create(dict(self.orders['controlled']))
                return bench_records.measure(env, self.orders['controlled']['bom_id'], lines, order)
            finally:
                cr.rollback()

    def floor(self, pairs):
        """Make people and issued batches for operators who work at the same time (see bench_floor.py)."""
        from bench_floor import make_floor  # it imports the addon, which plain Odoo has not

        answer = make_floor(self.registry, self.context, pairs)
        self._vacuum()
        return answer

    def scale(self, last):
        """Measure screens and nightly jobs in a database of many batches (see bench_screens.py)."""
        self._vacuum()
        with self.registry.cursor() as cr:
            try:
                return bench_screens.measure(api.Environment(cr, SUPERUSER_ID, self.context), last)
            finally:
                cr.rollback()

    def _vacuum(self, tables=()):
        with self.registry.cursor() as cr:
            cr._cnx.autocommit = True       # VACUUM runs in no transaction
            try:
                if tables:
                    cr.execute(SQL("VACUUM %s", SQL(', ').join(map(SQL.identifier, tables))))
                else:
                    cr.execute("VACUUM (ANALYZE)")
            finally:
                cr._cnx.autocommit = False

    def _clock(self, env, function):
        cr = env.cr
        gc.unfreeze()
        gc.collect()
        gc.freeze()     # a collection in the middle of a run does not go through all of Odoo
        queries, database, cpu, wall = (
            cr.sql_log_count, _cpu_of_backend(cr), time.process_time(), time.perf_counter())
        with self.profile or nullcontext():
            _call(function)
            cr.flush()      # what a commit does before it commits, tracking of changes included
        wall, cpu, after = time.perf_counter() - wall, time.process_time() - cpu, _cpu_of_backend(cr)
        return {
            'wall': wall,
            'cpu': cpu if None in (database, after) else cpu + after - database,
            'queries': cr.sql_log_count - queries,
            'calls': self._take_calls(),
        }

    def _take_calls(self):
        if not self.profile:
            return None
        calls = sum(entry.callcount for entry in self.profile.getstats())
        self.profile.clear()
        return calls


def _call(function):
    return function()


# Python keeps its frames in pieces of 16 KiB and asks the system for one whenever a call crosses the end of
# the last: by the chance of how deep it is called, a busy loop may take up to twice its time. A frame that
# is larger gets a larger piece, here 1 MiB, where all calls below have room.
_call.__code__ = _call.__code__.replace(co_stacksize=70_000)


def _cpu_of_backend(cr):
    """Seconds that PostgreSQL worked for this connection, or None where the system does not tell."""
    try:
        with open(f'/proc/{cr._cnx.info.backend_pid}/schedstat', encoding='ascii') as file:
            return int(file.read().split()[0]) / 1e9
    except (OSError, ValueError, IndexError):
        return None


def main(arguments):
    answers = os.fdopen(os.dup(1), 'w', encoding='utf-8')
    os.dup2(2, 1)       # whatever else is printed goes to the log
    config.parse_config([*arguments, '--no-http', '--max-cron-threads=0', '--log-level=warn'])
    worker = Worker(config['db_name'][0])
    for line in sys.stdin:
        command = json.loads(line)
        answer = getattr(worker, command.pop('do'))(**command)
        answers.write(json.dumps(answer) + '\n')
        answers.flush()


if __name__ == '__main__':
    main(sys.argv[1:])
