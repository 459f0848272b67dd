"""Power loss in the middle of signing: a process that dies at any point leaves the whole signature or none."""

import json
import signal

from odoo import SUPERUSER_ID, api
from odoo.tests import tagged

from odoo.addons.mrp_mmr.verification.records import Verification

from ..common.base import PASSWORD, CommittedCase, run_odoo

#: Where the process dies, in the order in which it gets there; what is committed by then.
POINTS = {
    'signature': False,     # the signature is inserted
    'line': False,          # and has its line in the ledger
    'applied': False,       # and the revision is approved and effective
    'flushed': False,       # and all of it is in the database, not committed
    'committed': True,
}
#: Runs in Odoo's shell; each job in a process of its own that kills itself.
SCRIPT = """
import json, os, signal
from odoo import api
from odoo.sql_db import close_all
from odoo.addons.mrp_mmr.domain.sessions import own_sessions, session_of

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def die_after(model, name):
    model_class = type(env[model])
    original = getattr(model_class, name)
    def patched(*args, **kwargs):
        original(*args, **kwargs)
        die()
    setattr(model_class, name, patched)

def sign(point, uid, revision_id, password):
    if point == 'signature':
        die_after('mrp.esignature', 'create')
    elif point == 'line':
        die_after('mrp.mmr.revision', '_audit_signature')
    elif point == 'applied':
        die_after('mrp.mmr.revision', '_apply_signing_action')
    with registry.cursor() as cr:
        user_env = api.Environment(cr, uid, {})
        revision = user_env['mrp.mmr.revision'].browse(revision_id)
        with session_of(user_env.user):
            prepared = revision.esign_prepare('approve')
            result = revision.esign(
                'approve', {'login': user_env.user.login, 'password': password}, prepared['digest'])
        assert 'refused' not in result, result
        user_env.flush_all()
        if point == 'flushed':
            die()
    die()

def confirm(point, uid, product_id, quantity):
    with registry.cursor() as cr, own_sessions():
        order = api.Environment(cr, uid, {})['mrp.production'].create({'product_id': product_id, 'product_qty': quantity})
        order.action_confirm()
        order.flush_recordset()
        assert order.mmr_snapshot_sha256
        die()

registry = env.registry
env.cr.rollback()
# Processes do not share a connection.
close_all()
status = {}
for name, point, uid, record_id, argument in json.loads('@jobs@'):
    pid = os.fork()
    if not pid:
        try:
            globals()[name](point, uid, record_id, argument)
        finally:
            os._exit(1)
    status[point] = os.waitpid(pid, 0)[1]
print('STATUS', json.dumps(status))
"""


@tagged('post_install', '-at_install')
class TestCrash(CommittedCase):

    def _run_jobs(self, jobs):
        """Run jobs in processes that die; return the signals that ended them."""
        script = SCRIPT.replace('@jobs@', json.dumps(jobs))
        result = run_odoo('shell', '-d', self.registry.db_name, '--no-http', '--log-level=error', input=script)
        lines = [line for line in result.stdout.splitlines() if line.startswith('STATUS ')]
        self.assertTrue(lines, result.stdout + result.stderr)
        return {point: status & 0x7f for point, status in json.loads(lines[0].removeprefix('STATUS ')).items()}

    def _read(self, function):
        with self.registry.cursor() as cr:
            return function(api.Environment(cr, SUPERUSER_ID, {}))

    def _state(self, env, revision_id):
        """Return what an approval changes: signatures, lines, status, bill of materials, links."""
        revision = env['mrp.mmr.revision'].browse(revision_id)
        return {
            'signatures': env['mrp.esignature'].search_count([
                ('res_model', '=', revision._name), ('res_id', '=', revision.id), ('meaning', '=', 'approved')]),
            'lines': env['mrp.audit.entry'].search_count([
                ('res_model', '=', revision._name), ('res_id', '=', revision.id), ('kind', '=', 'sign'),
                ('user_id', '=', self.users[1])]),
            'state': revision.state, 'link': bool(revision.approved_signature_id), 'usable': revision.bom_id.active,
            'effective': bool(revision.effective_at), 'current': revision.mmr_id.effective_revision_id.id or None,
        }

    def _submit(self, size):
        revision = self._run(self.users[0], lambda env: self._create_mmr(env, size))
        self.assertIsInstance(self._run(self.users[0], lambda env: self._sign(env, revision, 'submit')), int)
        return revision

    def test_killed_while_signing(self):
        """SIG-030, AUD-040: wherever the process is killed, all of the approval is there or nothing; then it goes on."""
        revisions = {point: self._submit(100 + number) for number, point in enumerate(POINTS)}
        ended = self._run_jobs([
            ('sign', point, self.users[1], revision, PASSWORD) for point, revision in revisions.items()])
        self.assertEqual(ended, dict.fromkeys(POINTS, signal.SIGKILL))
        nothing = {'signatures': 0, 'lines': 0, 'state': 'submitted', 'link': False, 'usable': False, 'effective': False,
                   'current': None}
        for point, revision in revisions.items():
            everything = {'signatures': 1, 'lines': 1, 'state': 'effective', 'link': True, 'usable': True, 'effective': True,
                          'current': revision}
            with self.subTest(killed=point):
                self.assertEqual(
                    self._read(lambda env, revision=revision: self._state(env, revision)),
                    everything if POINTS[point] else nothing)
                if not POINTS[point]:
                    self.assertIsInstance(self._run(
                        self.users[1], lambda env, revision=revision: self._sign(env, revision, 'approve')), int)
                self.assertEqual(self._read(lambda env, revision=revision: self._state(env, revision)), everything)
        self.assertEqual(self._read(lambda env: list(Verification(env.cr))), [])

    def test_killed_while_releasing(self):
        """USE-030, AUD-040: an order whose release is killed before its commit was never made, nor has a line."""
        revision = self._submit(700)
        self.assertIsInstance(self._run(self.users[1], lambda env: self._sign(env, revision, 'approve')), int)
        ended = self._run_jobs([('confirm', 'flushed', self.users[0], self.product, 700)])
        self.assertEqual(ended, {'flushed': signal.SIGKILL})
        self.assertFalse(self._read(lambda env: env['mrp.production'].search_count([('product_id', '=', self.product)])))

        def release(env):
            order = env['mrp.production'].create({'product_id': self.product, 'product_qty': 700})
            order.action_confirm()
            return order.mmr_snapshot_sha256

        self.assertTrue(self._run(self.users[0], release))
        self.assertEqual(self._read(lambda env: list(Verification(env.cr))), [])
