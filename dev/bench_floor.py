"""The part of `dev/bench --load` that makes batches for operators: it runs inside a worker process (`bench_worker.py`)."""
import time

from odoo import SUPERUSER_ID, api
from odoo.fields import Command

from odoo.addons.mrp_mmr.domain.sessions import session_of
from odoo.addons.mrp_mmr.tests.common.base import complete_content

COMPONENTS = 2
STEPS = 12              # with nothing but a signature, beside weighing, clearance, time and yield
SHARED = 5              # batches that use one unit of equipment at a time
BATCH_SIZE = 100.0
PASSWORD = 'Bench-of-floor-1'
ROLES = {'preparer': 'preparer', 'qc': 'qc', 'production': 'production', 'security': 'security'}


class Floor:
    """A product, its signed master, and for each pair of operator and verifier one issued batch."""

    def __init__(self, env):
        self.env = env
        self.people = {}

    def make(self, pairs):
        """Return, for each pair, the user names and the id of the batch record."""
        names = [f'bench_{kind}_{number:03}' for kind in ('operator', 'verifier') for number in range(pairs)]
        for name in (*(f'bench_{role}' for role in ROLES), *names):
            self.people[name] = self._create_user(name, name.split('_')[1])
        self._enrol()
        revision = self._make_master()
        units = self.env['maintenance.equipment'].create([
            {'name': f"Blender {number} of the load",
             'category_id': revision.operation_ids.mmr_equipment_ids.category_id[:1].id}
            for number in range(-(-pairs // SHARED))])
        # Cleaning after each product is none of what is measured.
        units.with_user(self.people['bench_qc']).mmr_needs_cleaning = False
        orders = self.env['mrp.production'].create([
            {'product_id': revision.product_id.id, 'product_qty': BATCH_SIZE} for _pair in range(pairs)])
        for order in orders:
            order.lot_producing_ids = [Command.create({'name': f"LOAD-{order.id}", 'product_id': order.product_id.id})]
        orders.action_confirm()
        for order in orders:
            if order.bpr_id.state == 'issue':
                self._sign(order.bpr_id, 'issue', 'bench_production', "Compared.")
        return [{
            'operator': f'bench_operator_{number:03}', 'verifier': f'bench_verifier_{number:03}', 'bpr': order.bpr_id.id,
            'unit': units[number % len(units)].id} for number, order in enumerate(orders)]

    def _create_user(self, login, role):
        return self.env['res.users'].with_context(no_reset_password=True).create({
            'name': login, 'login': login, 'password': PASSWORD, 'tz': 'UTC', 'group_ids': [Command.set([
                self.env.ref(name).id for name in (
                    'base.group_user', 'mrp.group_mrp_user', f'mrp_mmr.group_mmr_{role}')])]})

    def _enrol(self):
        """Make signers of all of them, with keys of the real cost."""
        env, security = self.env, self.people['bench_security']
        users = env['res.users'].union(*self.people.values())
        env['mrp.signer']._set_up(users, env.user, "Measurement")
        secrets = dict.fromkeys(users.mapped('login'), PASSWORD)
        for group in (security, users - security):
            env['mrp.signer.key']._set_up(group, security, secrets)

    def _sign(self, record, action, login, comment=None):
        signer = record.with_user(self.people[login])
        with session_of(signer.env.user):
            digest = signer.esign_prepare(action)['digest']
            result = signer.esign(action, {'login': login, 'password': PASSWORD}, digest, comment)
        if 'refused' in result:
            raise RuntimeError(result['refused'])

    def _make_master(self):
        env = self.env
        kilogram = env.ref('uom.product_uom_kgm')
        storable = {'type': 'consu', 'is_storable': True, 'uom_id': kilogram.id}
        product = env['product.product'].create(dict(storable, name="Powder of the load", tracking='lot'))
        components = env['product.product'].create([
            dict(storable, name=f"Component {number}") for number in range(COMPONENTS)])
        place = env['stock.warehouse'].search([('company_id', '=', env.company.id)], limit=1).lot_stock_id
        for component in components:
            env['stock.quant'].with_context(inventory_mode=True).create({
                'product_id': component.id, 'location_id': place.id, 'inventory_quantity': 1e6}).action_apply_inventory()
        workcenter = env['mrp.workcenter'].create({'name': "Room of the load"})
        own = product.with_user(self.people['bench_preparer']).env
        revision = own['mrp.mmr'].create({
            'product_id': product.id, 'formulation_code': "LOAD", 'batch_size': BATCH_SIZE,
            'uom_id': kilogram.id}).open_revision_id
        weighing, blending = own['mrp.routing.workcenter'].create([
            {'name': name, 'bom_id': revision.bom_id.id, 'workcenter_id': workcenter.id, 'sequence': sequence,
             'mmr_instruction': "As the steps say.", 'mmr_stage': stage}
            for sequence, (name, stage) in enumerate((("Weighing", 'dispensing'), ("Blending", 'processing')), 1)])
        own['mrp.bom.line'].create([
            {'bom_id': revision.bom_id.id, 'product_id': component.id, 'gmp_qty': BATCH_SIZE / COMPONENTS,
             'product_uom_id': kilogram.id, 'operation_id': weighing.id, 'sequence': number}
            for number, component in enumerate(components, 1)])
        complete_content(revision)
        own['mrp.mmr.step'].create([
            {'revision_id': revision.id, 'operation_id': blending.id, 'kind': 'instruction', 'sequence': 50 + number,
             'name': f"Step {number}", 'instruction': "Blend on as before.\nLook at the powder."} for number in range(STEPS)])
        revision.write({'reason': "First revision."})
        self._sign(revision, 'submit', 'bench_preparer')
        self._sign(revision, 'approve', 'bench_qc')
        return revision


def make_floor(registry, context, pairs):
    """Make the floor, and return what the operators need to know."""
    with registry.cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, context)
        return {'pairs': Floor(env).make(pairs), 'password': PASSWORD, 'secret_seconds': _secret_seconds(env)}


def _secret_seconds(env):
    """Return how long judging one secret takes on the idle machine: Odoo's check of the password, and opening the key."""
    user = env['res.users'].search([('login', '=', 'bench_operator_000')])
    times = []
    for _run in range(5):
        began = time.perf_counter()
        with session_of(user):
            env['mrp.signer']._check_secret(user, {'password': PASSWORD})
        times.append(time.perf_counter() - began)
    return min(times)
