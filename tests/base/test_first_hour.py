"""The first hour of an empty installation, as browsers have it: from Odoo's administrator to the first signed step."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from http.cookiejar import CookieJar
from urllib.error import URLError
from urllib.request import HTTPCookieProcessor, Request, build_opener

from odoo.sql_db import close_db, db_connect
from odoo.tests import BaseCase, get_db_name, tagged
from odoo.tools import SQL, config

from ..common.base import run_odoo

#: Name of a database with the addon and nothing else, where whoever runs the tests has one: it is copied.
EMPTY = 'MRP_MMR_TEST_EMPTY'
HOST = '127.0.0.1'
#: Login, role, and whether it works in Manufacturing as well. The first one enrols the others.
PEOPLE = {
    'anna': ("Anna Security", 'security'), 'bea': ("Bea Security", 'security'), 'carl': ("Carl Manager", 'quality_manager'),
    'dora': ("Dora Preparer", 'preparer'), 'emil': ("Emil Control", 'qc'), 'fred': ("Fred Responsible", 'production'),
    'gina': ("Gina Operator", 'operator'), 'hugo': ("Hugo Verifier", 'verifier'),
}


class Browser:
    """A person's browser: a session, and calls as the web client makes them."""

    def __init__(self, url, database, login, password):
        self.url, self.login, self.password = url, login, password
        self.opener = build_opener(HTTPCookieProcessor(CookieJar()))
        self.uid = self.post('/web/session/authenticate', db=database, login=login, password=password)['uid']

    def post(self, path, **params):
        """Return the result of a call; an error is raised with what the person would read."""
        request = Request(f'{self.url}{path}', json.dumps({'jsonrpc': '2.0', 'params': params}).encode(),
                          {'Content-Type': 'application/json'})
        with self.opener.open(request, timeout=120) as response:
            answer = json.load(response)
        if 'error' in answer:
            error = answer['error']['data']
            raise AssertionError(f"{self.login}: {path}: {error['name']}: {error['message']}")
        return answer['result']

    def call(self, model, method, *args, **kwargs):
        return self.post(f'/web/dataset/call_kw/{model}/{method}', model=model, method=method, args=args, kwargs=kwargs)

    def make(self, model, **vals):
        return self.call(model, 'web_save', [], vals, specification={})[0]['id']

    def look(self, model, record, *names):
        row = self.call(model, 'read', [record], list(names))[0]
        return row[names[0]] if len(names) == 1 else row

    def press(self, model, vals, button):
        """Fill in a dialog and press its button."""
        dialog = self.call(model, 'create', [vals])[0]
        return self.call(model, button, [dialog])

    def sign(self, model, records, action, comment=None):
        """Sign as the dialog does: the text of accountability is accepted where it is asked for; return the answer."""
        credential = {'login': self.login, 'password': self.password}
        shown = self.call(model, 'esign_prepare', records, action)
        answer = self.call(model, 'esign', records, action, credential, shown['digest'], comment)
        if 'acceptance' in answer:
            answer = self.call(model, 'esign', records, action, credential, shown['digest'], comment,
                               accept=answer['acceptance']['sha256'])
        return answer


@tagged('post_install', '-at_install')
class TestFirstHourHttp(BaseCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.database = f'{get_db_name()}_first_hour'
        cls._create_database()
        cls._start()

    @classmethod
    def _create_database(cls):
        def execute(statement, *names):
            with closing(db_connect('postgres').cursor()) as cr:
                cr._cnx.autocommit = True     # no database is made inside of a transaction
                cr.execute(SQL(statement, *map(SQL.identifier, names)))

        execute("DROP DATABASE IF EXISTS %s", cls.database)
        cls.addClassCleanup(execute, "DROP DATABASE IF EXISTS %s WITH (FORCE)", cls.database)
        cls.addClassCleanup(close_db, cls.database)
        if os.environ.get(EMPTY):
            execute("CREATE DATABASE %s TEMPLATE %s", cls.database, os.environ[EMPTY])
            return
        result = run_odoo('-d', cls.database, '-i', 'mrp_mmr', '--without-demo', '--stop-after-init', '--no-http')
        if result.returncode:
            raise AssertionError(result.stderr[-2000:])

    @classmethod
    def _start(cls):
        """Start a server of its own for the database, and wait until it answers."""
        with socket.socket() as free:
            free.bind((HOST, 0))
            port = free.getsockname()[1]
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        command = [
            sys.executable, '-m', 'odoo', '--addons-path=' + ','.join(config['addons_path']), '-d', cls.database,
            f'--http-interface={HOST}', f'--http-port={port}', f'--data-dir={folder}', '--workers=0', '--max-cron-threads=0',
            '--log-level=warn', *(f'--{name}={config[name]}' for name in ('db_host', 'db_port', 'db_user') if config[name])]
        cls.log = cls.enterClassContext(tempfile.TemporaryFile())
        environment = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
        server = subprocess.Popen(command, env=environment, stdout=cls.log, stderr=cls.log)
        cls.addClassCleanup(cls._stop, server)
        cls.url = f'http://{HOST}:{port}'
        end = time.monotonic() + 120
        while True:
            try:
                with build_opener().open(f'{cls.url}/web/health', timeout=10):
                    return
            except (URLError, OSError):
                if server.poll() is not None or time.monotonic() > end:
                    raise AssertionError(f"Odoo did not start: {cls._read_log()}") from None
                time.sleep(0.3)

    @staticmethod
    def _stop(server):
        server.send_signal(signal.SIGTERM)
        server.wait(30)

    @classmethod
    def _read_log(cls):
        cls.log.seek(0)
        return cls.log.read().decode(errors='replace')

    def _open(self, login, password):
        return Browser(self.url, self.database, login, password)

    # === JOURNEY === #

    def test_first_hour(self):
        """SIG-110, SIG-120, SEC-070, USE-010, REC-010: people, keys, end of the set-up, a master, an order, its first step."""
        admin = self._open('admin', 'admin')
        people = self._invite(admin)
        self._enrol(people)
        self.assertTrue(people['anna'].call('res.company', 'action_mmr_close_setup', [1]))
        revision, product = self._prepare_master(admin, people['dora'])
        self._sign(people['dora'], 'mrp.mmr.revision', revision, 'submit')
        self._sign(people['emil'], 'mrp.mmr.revision', revision, 'approve')
        self.assertEqual(admin.look('mrp.mmr.revision', revision, 'state'), 'effective')
        self._begin_batch(people, product)
        self.assertNotRegex(self._read_log(), r"ERROR|Traceback")
        result = run_odoo('mrp_mmr', 'verify', '-d', self.database)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertRegex(result.stdout, "PASSED")

    def _invite(self, admin):
        """Let the administrator make the users, and each choose an own password; return their browsers."""
        roles = {name: admin.call('ir.model.data', 'check_object_reference', 'mrp_mmr', f'group_mmr_{name}')[1]
                 for name in {role for _name, role in PEOPLE.values()}}
        users = admin.call('res.users', 'create', [
            {'name': name, 'login': login, 'password': f'first-{login}', 'group_ids': [[4, roles[role]]]}
            for login, (name, role) in PEOPLE.items()], context={'no_reset_password': True})
        self.assertEqual(len(users), len(PEOPLE))
        people = {}
        for login in PEOPLE:
            own = f'own-secret-of-{login}'
            self.assertTrue(self._open(login, f'first-{login}').call('res.users', 'change_password', f'first-{login}', own))
            people[login] = self._open(login, own)
        return people

    def _enrol(self, people):
        """Let each make an own key, and the first security administrator enrol them in person; then qualify them."""
        anna, bea, carl = (people[name] for name in ('anna', 'bea', 'carl'))
        for login, person in people.items():
            self._verify(bea if login == 'anna' else anna, person)
            answer = person.call('res.users', 'mmr_make_key', person.password)
            self.assertRegex(answer.get('done', str(answer)), r'^[0-9a-f]{4}( [0-9a-f]{4}){3}$')
        own, *others = [anna.call('mrp.signer.key', 'search', [('user_id', '=', person.uid)])[0] for person in people.values()]
        # The first key of a database is enrolled by its owner, all others by another person.
        self._sign(anna, 'mrp.signer.key', own, 'enrol')
        answer = anna.sign('mrp.signer.key', others, 'enrol')
        self.assertIn('signature_id', answer, answer)
        self._qualify(anna, [carl], 'quality_manager')
        for role in {role for _name, role in PEOPLE.values()} - {'quality_manager'}:
            self._qualify(carl, [people[login] for login, (_name, other) in PEOPLE.items() if other == role], role)

    def _verify(self, administrator, person):
        administrator.press('mrp.signer.verify', {'user_id': person.uid, 'document': "Passport 4711"}, 'action_verify')

    def _qualify(self, manager, persons, role):
        group = manager.call('ir.model.data', 'check_object_reference', 'mrp_mmr', f'group_mmr_{role}')[1]
        manager.press('mrp.qualification.grant', {
            'kind': 'role', 'group_id': group, 'user_ids': [[6, 0, [person.uid for person in persons]]],
            'evidence': "Curriculum vitae"}, 'action_grant')

    def _prepare_master(self, admin, preparer):
        """Let the preparer write a master of one component and one stage; return revision and product."""
        kilogram = admin.call('ir.model.data', 'check_object_reference', 'uom', 'product_uom_kgm')[1]
        unit = admin.call('ir.model.data', 'check_object_reference', 'uom', 'product_uom_unit')[1]
        product, component = (
            admin.make('product.product', name=name, type='consu', is_storable=True, uom_id=kilogram, tracking=tracking)
            for name, tracking in (("Powder", 'lot'), ("Ascorbic acid", 'none')))
        room = admin.make('mrp.workcenter', name="Room 1")
        blender = admin.make('maintenance.equipment.category', name="Blender")
        self.unit = admin.make('maintenance.equipment', name="Blender 1", category_id=blender)
        mmr = preparer.make('mrp.mmr', product_id=product, formulation_code="P-1", batch_size=100, uom_id=kilogram)
        revision = preparer.look('mrp.mmr', mmr, 'open_revision_id')[0]
        bom = preparer.look('mrp.mmr.revision', revision, 'bom_id')[0]
        stage = preparer.make('mrp.routing.workcenter', name="Blend", bom_id=bom, workcenter_id=room)
        preparer.make('mrp.bom.line', bom_id=bom, product_id=component, gmp_qty=100, product_uom_id=kilogram,
                        operation_id=stage, mmr_is_active=True, mmr_is_declared=True, mmr_strength=500,
                        mmr_strength_unit="mg per capsule", mmr_overage_kind='none')
        equipment = preparer.make('mrp.mmr.equipment', revision_id=revision, operation_id=stage, category_id=blender,
                                    preparation="Clean and dry.")
        preparer.call('mrp.mmr.revision', 'write', [revision], {
            'precautions': "Protect from moisture.", 'process_rationale': "One component.", 'yield_min': 95, 'yield_max': 102})
        preparer.call('mrp.mmr.revision', 'action_add_weighing_steps', [revision])
        preparer.call('mrp.mmr.revision', 'action_add_ingredients', [revision])
        preparer.make('mrp.mmr.step', revision_id=revision, operation_id=stage, name="Line clearance", kind='clearance',
                        verifier_role='verifier', sequence=1)
        preparer.make('mrp.mmr.step', revision_id=revision, operation_id=stage, name="Blend", instruction="At 12 rpm.",
                        equipment_id=equipment, sequence=80)
        preparer.make('mrp.mmr.step', revision_id=revision, operation_id=stage, name="Blending time", kind='numeric',
                        minimum=14, maximum=16, unit="min", corrective_action="Stop.", sequence=90)
        self.cleaning = preparer.make('mrp.sop', code="SOP-1", name="Cleaning")
        document = preparer.make('mrp.sop', code="SPEC-1", name="Specifications", kind='specification')
        for vals in ({'scope': 'component', 'product_id': component, 'name': "Identity", 'is_identity': True, 'method': "IR"},
                     {'scope': 'product', 'name': "Appearance"}, {'scope': 'label', 'name': "Text"}):
            preparer.make('mrp.mmr.specification', revision_id=revision, document_id=document, criterion_text="Conforms.",
                            corrective_action="Reject.", **vals)
        label = preparer.make('mrp.mmr.label', code="LBL-1", name="Label", location="Drawer 4")
        preparer.make('mrp.mmr.pack', revision_id=revision, name="Bottle of 60", quantity=60, uom_id=unit, label_id=label,
                        description="White bottle.", packed_under="Packaging order")
        return revision, product

    def _begin_batch(self, people, product):
        """Confirm an order, issue its record, start its first step, record it and sign it by two persons."""
        fred, gina, hugo = (people[name] for name in ('fred', 'gina', 'hugo'))
        order = fred.make('mrp.production', product_id=product, product_qty=100)
        fred.call('mrp.production', 'action_confirm', [order])
        record = fred.look('mrp.production', order, 'bpr_id')[0]
        if fred.look('mrp.bpr', record, 'state') == 'issue':
            self._sign(fred, 'mrp.bpr', record, 'issue')
        self._clean(people)
        steps = gina.call('mrp.bpr.step', 'search', [('bpr_id', '=', record)], order='sequence', limit=2)
        self._do_step(steps[0], 'equipment', {'equipment_id': self.unit}, gina, hugo)
        self._do_step(steps[1], 'weight', {'value': '100', 'lot_name': "A-77"}, gina, hugo)

    def _do_step(self, step, kind, entry, performer, verifier):
        """Let a step be started, recorded and signed by whoever has to."""
        self.assertEqual(performer.call('mrp.bpr.step', 'action_start', [step], acknowledged=True), {'started': True})
        performer.call('mrp.bpr.step', 'action_record', [step], kind, entry)
        for _point in range(4):
            point = performer.look('mrp.bpr.step', step, 'next_point')
            if not point:
                break
            self._sign(performer if point in ('performed', 'added') else verifier, 'mrp.bpr.step', step, point)
        self.assertEqual(performer.look('mrp.bpr.step', step, 'state'), 'done')

    def _clean(self, people):
        """Let the operator clean the unit that the first step uses, and the verifier check it."""
        line = people['gina'].call('maintenance.equipment', 'action_mmr_record', [self.unit], 'cleaning', {
            'cleaning_kind': 'full', 'procedure_id': self.cleaning})['log_id']
        self._sign(people['gina'], 'mrp.equipment.log', line, 'performed')
        self._sign(people['hugo'], 'mrp.equipment.log', line, 'checked')

    def _sign(self, person, model, record, action):
        answer = person.sign(model, [record], action)
        self.assertIn('signature_id', answer, answer)
