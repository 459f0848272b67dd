"""Two transactions at the same moment, on real cursors: what is committed here stays in the test database."""

import uuid
from unittest.mock import patch

from psycopg2.errors import LockNotAvailable, SerializationFailure

from odoo import SUPERUSER_ID, api
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.mrp_mmr.domain.refusals import refusal
from odoo.addons.mrp_mmr.domain.sessions import session_of
from odoo.addons.mrp_mmr.domain.transitions import transition
from odoo.addons.mrp_mmr.verification.records import Verification

from ..common.base import PASSWORD, CommittedCase, enrol


@tagged('post_install', '-at_install')
class TestConcurrency(CommittedCase):

    def test_same_key_twice(self):
        """MMR-020: two concurrent creations of one formulation and batch size leave one record."""
        preparer = self.users[0]
        results = self._race(*[(preparer, lambda env: self._create_mmr(env, 100))] * 2)
        self.assertEqual(len([result for result in results if isinstance(result, int)]), 1, results)
        self.assertTrue([result for result in results if "MMR-020" in str(result)], results)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            self.assertEqual(env['mrp.mmr'].search_count([('formulation_code', '=', self.tag), ('batch_size', '=', 100)]), 1)

    def test_two_approvals(self):
        """APR-030: of two people approving at the same moment one signs, the other is told."""
        preparer, first, second = self.users
        revision = self._run(preparer, lambda env: self._create_mmr(env, 200))
        self.assertIsInstance(self._run(preparer, lambda env: self._sign(env, revision, 'submit')), int)
        results = self._race(
            (first, lambda env: self._sign(env, revision, 'approve')),
            (second, lambda env: self._sign(env, revision, 'approve')))
        self.assertEqual(len([result for result in results if isinstance(result, int)]), 1, results)
        self.assertTrue([result for result in results if "APR-010" in str(result)], results)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            record = env['mrp.mmr.revision'].browse(revision)
            self.assertEqual((record.state, record.signature_count), ('effective', 2))

    def test_two_new_revisions(self):
        """REV-020: two concurrent 'new revision' actions give one draft."""
        preparer, approver, _other = self.users
        revision = self._run(preparer, lambda env: self._create_mmr(env, 300))
        self._run(preparer, lambda env: self._sign(env, revision, 'submit'))
        self.assertIsInstance(self._run(approver, lambda env: self._sign(env, revision, 'approve')), int)
        results = self._race(*[(preparer, lambda env: self._new_revision(env, revision))] * 2)
        self.assertEqual(len([result for result in results if isinstance(result, int)]), 1, results)
        self.assertTrue([result for result in results if "REV-020" in str(result)], results)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            revisions = env['mrp.mmr.revision'].browse(revision).mmr_id.revision_ids
            self.assertEqual(revisions.sorted('revision').mapped('revision'), [1, 2])

    def test_order_against_successor(self):
        """REV-050: an order confirmed while a successor becomes effective carries one of the two, whole."""
        preparer, approver, _other = self.users
        revision = self._run(preparer, lambda env: self._create_mmr(env, 400))
        self._run(preparer, lambda env: self._sign(env, revision, 'submit'))
        self._run(approver, lambda env: self._sign(env, revision, 'approve'))
        successor = self._run(preparer, lambda env: self._new_revision(env, revision))

        def change(env):
            env['mrp.mmr.revision'].browse(successor).bom_line_ids.gmp_qty = 399
            return self._sign(env, successor, 'submit')

        def order(env):
            production = env['mrp.production'].create({'product_id': self.product, 'product_qty': 400})
            production.action_confirm()
            return production.id

        self.assertIsInstance(self._run(preparer, change), int)
        approved, production = self._race((approver, lambda env: self._sign(env, successor, 'approve')), (preparer, order))
        self.assertIsInstance(approved, int, approved)
        self.assertIsInstance(production, int, production)
        with self.registry.cursor() as cr:
            record = api.Environment(cr, SUPERUSER_ID, {})['mrp.production'].browse(production)
            quantity = {revision: 400, successor: 399}[record.mmr_revision_id.id]
            self.assertEqual(record.move_raw_ids.product_uom_qty, quantity)
            self.assertEqual(record.mmr_snapshot['document']['components'][0]['quantity'], str(quantity))
            self.assertEqual(record.bom_id, record.mmr_revision_id.bom_id)

    @mute_logger('odoo.sql_db', 'odoo.service.model')
    def test_edit_begun_before_signing(self):
        """REV-010: who began to edit before somebody signed, and saves after it, changes nothing."""
        preparer, approver, _other = self.users

        def create(env, size):
            revision = env['mrp.mmr.revision'].browse(self._create_mmr(env, size))
            # Nobody else uses these.
            revision.pack_ids.label_id = env['mrp.mmr.label'].create(
                {'code': uuid.uuid4().hex, 'name': "Label", 'location': "Shelf"})
            revision.specification_ids.document_id = env['mrp.sop'].create({'code': uuid.uuid4().hex, 'name': "Specification"})
            return revision.id

        edits = {
            'mrp.mmr.step': lambda revision: revision.step_ids[:1].write({'instruction': "Late"}),
            'mrp.mmr.specification': lambda revision: revision.specification_ids[:1].unlink(),
            'mrp.bom.line': lambda revision: revision.bom_line_ids.write({'mmr_tolerance': 1}),
            'mrp.routing.workcenter': lambda revision: revision.operation_ids.write({'mmr_instruction': "Late"}),
            'mrp.bom': lambda revision: revision.bom_id.write({'allow_operation_dependencies': True}),
            'mrp.mmr.label': lambda revision: revision.pack_ids.label_id.write({'panel': "Late"}),
            'mrp.sop': lambda revision: revision.specification_ids.document_id.write({'kind': 'form'}),
            'sop_ids': lambda revision: revision.step_ids[:1].write({'sop_ids': [Command.create({
                'code': uuid.uuid4().hex, 'name': "Late"})]}),
        }
        for size, (name, edit) in enumerate(edits.items(), 500):
            with self.subTest(name):
                revision = self._run(preparer, lambda env, size=size: create(env, size))
                signed = []

                def late(env, revision=revision, edit=edit, signed=signed):
                    record = env['mrp.mmr.revision'].browse(revision)
                    record.step_ids.mapped('name')
                    if not signed:
                        signed += [self._run(preparer, lambda env: self._sign(env, revision, 'submit')),
                                   self._run(approver, lambda env: self._sign(env, revision, 'approve'))]
                    edit(record)
                    env.flush_all()

                self.assertIn("REV-010", str(self._run(preparer, late)))
                self.assertTrue(all(isinstance(result, int) for result in signed), signed)
                with self.registry.cursor() as cr:
                    record = api.Environment(cr, SUPERUSER_ID, {})['mrp.mmr.revision'].browse(revision)
                    self.assertEqual(record.state, 'effective')
                    self.assertTrue(record._is_content_signed())

    def test_two_tablets(self):
        """VER-050, BPR-110: two tablets at one step: it starts once, an entry sent by both is one, one of two signs."""
        preparer, approver, _other = self.users
        revision = self._run(preparer, lambda env: self._create_mmr(env, 600))
        self._run(preparer, lambda env: self._sign(env, revision, 'submit'))
        self.assertIsInstance(self._run(approver, lambda env: self._sign(env, revision, 'approve')), int)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            users = env['res.users'].with_context(no_reset_password=True).create([
                {'name': name, 'login': f'{name}-{self.tag}', 'password': PASSWORD,
                 'group_ids': [Command.set([env.ref('base.group_user').id, env.ref(f'mrp_mmr.group_mmr_{role}').id])]}
                for name, role in (('operator1', 'operator'), ('operator2', 'operator'), ('head', 'production'))])
            first, second, head = enrol(users).ids
        self.addCleanup(self._archive, [first, second, head])

        def order(env):
            production = env['mrp.production'].create({'product_id': self.product, 'product_qty': 600})
            production.action_confirm()
            return production.bpr_id.id

        bpr = self._run(preparer, order)

        def sign(env, record, action):
            with session_of(env.user):
                digest = record.esign_prepare(action)['digest'] if action == 'issue' else prepared
                result = record.esign(action, {'login': env.user.login, 'password': PASSWORD}, digest)
            return result.get('signature_id') or result['refused']

        self.assertIsInstance(self._run(head, lambda env: sign(env, env['mrp.bpr'].browse(bpr), 'issue')), int)
        with self.registry.cursor() as cr:
            step = api.Environment(cr, SUPERUSER_ID, {})['mrp.bpr'].browse(bpr).step_ids.sorted('sequence')[0].id
        started = self._race(*[
            (user, lambda env: env['mrp.bpr.step'].browse(step).action_start()) for user in (first, second)])
        self.assertEqual(started, [{'started': True}] * 2)
        vals = self._get_step_vals(step)
        recorded = self._race(*[
            (user, lambda env: env['mrp.bpr.step'].browse(step).action_record(*vals, token='one')['entry_id'])
            for user in (first, second)])
        # H-33: a token names one entry of one person; the other person's is another one.
        self.assertEqual(len([result for result in recorded if isinstance(result, int)]), 1, recorded)
        self.assertIn("another entry", next(result for result in recorded if isinstance(result, str)))
        with self.registry.cursor() as cr:
            prepared = api.Environment(cr, first, {})['mrp.bpr.step'].browse(step).esign_prepare('performed')['digest']
        signed = self._race(*[
            (user, lambda env: sign(env, env['mrp.bpr.step'].browse(step), 'performed')) for user in (first, second)])
        self.assertEqual(len([result for result in signed if isinstance(result, int)]), 1, signed)
        self.assertTrue([result for result in signed if "VER-050" in str(result)], signed)

    def _get_step_vals(self, step):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            planned = env['mrp.bpr.step'].browse(step).planned
            if planned['kind'] == 'weigh':
                return 'weight', {'value': planned['target']['quantity'], 'lot_name': "L-1"}
            category = planned['unit']['class']['id']
            unit = env['maintenance.equipment'].search([('category_id', '=', category)], limit=1) \
                or env['maintenance.equipment'].create({'name': "Unit", 'category_id': category})
            unit.with_user(self.users[1]).mmr_needs_cleaning = False
            return 'equipment', {'equipment_id': unit.id}

    def _archive(self, users):
        with self.registry.cursor() as cr:
            api.Environment(cr, SUPERUSER_ID, {})['res.users'].browse(users).active = False

    # === RETENTION === #

    def _make_old_record(self, size):
        """Return the ids of the master and of the record of a batch that was cancelled so long ago that its time is over."""
        preparer, approver, _other = self.users
        revision = self._run(preparer, lambda env: self._create_mmr(env, size))
        self._run(preparer, lambda env: self._sign(env, revision, 'submit'))
        self.assertIsInstance(self._run(approver, lambda env: self._sign(env, revision, 'approve')), int)

        def order(env):
            production = env['mrp.production'].create({'product_id': self.product, 'product_qty': size})
            production.action_confirm()
            return production.id

        def long_ago(bprs):
            with transition(bprs):
                bprs.write({'state': 'cancel', 'cancelled_at': '2015-05-05 12:00:00'})

        def cancel(env):
            production = env['mrp.production'].browse(production_id)
            with patch.object(type(env['mrp.bpr']), '_cancel', long_ago):
                production.action_cancel()
            return production.bpr_id.mmr_revision_id.mmr_id.id, production.bpr_id.id

        production_id = self._run(preparer, order)
        return self._run(preparer, cancel)

    def _hold(self, env, **subject):
        """Set a hold in one request, as the dialog does in two."""
        hold = env['mrp.legal.hold']._record("Claim 7", **subject)
        with session_of(env.user):
            result = hold.esign(
                'hold', {'login': env.user.login, 'password': PASSWORD}, hold.esign_prepare('hold')['digest'])
        return result.get('signature_id') or result['refused']

    def _dispose(self, env, disposal):
        record = env['mrp.record.disposal'].browse(disposal)
        with session_of(env.user):
            result = record.esign(
                'dispose', {'login': env.user.login, 'password': PASSWORD}, record.esign_prepare('dispose')['digest'])
        return result.get('signature_id') or result['refused']

    def _record_disposal(self, env, bpr):
        return env['mrp.record.disposal']._record(env['mrp.bpr'].browse(bpr), "Period over").id

    def test_hold_and_disposal(self):
        """REC-040: of a hold and a disposal at the same moment one comes first, and the other one sees it."""
        _preparer, first, second = self.users
        for size, subject in ((710, 'bpr'), (711, 'mmr')):
            with self.subTest(subject):
                mmr, bpr = self._make_old_record(size)
                disposal = self._run(first, lambda env, bpr=bpr: self._record_disposal(env, bpr))
                self.assertIsInstance(disposal, int)

                def hold(env, mmr=mmr, bpr=bpr, subject=subject):
                    ids = {'mmr': mmr, 'bpr': bpr}
                    return self._hold(env, **{subject: env[f'mrp.{subject}'].browse(ids[subject])})

                held, disposed = self._race(
                    (second, hold), (first, lambda env, disposal=disposal: self._dispose(env, disposal)))
                with self.registry.cursor() as cr:
                    record = api.Environment(cr, SUPERUSER_ID, {})['mrp.bpr'].browse(bpr)
                    if isinstance(disposed, int):       # a master is held for what is left of its batches
                        self.assertEqual(record.disposal_id.id, disposal)
                        self.assertTrue(isinstance(held, int) if subject == 'mmr' else "REC-040" in held, held)
                    else:
                        self.assertIn("on hold", disposed)
                        self.assertIsInstance(held, int)
                        self.assertTrue(record.legal_hold)
                        self.assertFalse(record.disposal_id)
                    self.assertEqual(list(Verification(cr)), [])

    @mute_logger('odoo.sql_db', 'odoo.service.model')
    def test_hold_signed_during_a_disposal(self):
        """REC-040: a hold that is signed after a disposal began to look at the records stops it, and the other way round."""
        _preparer, first, second = self.users
        for size, subject in ((712, 'bpr'), (713, 'mmr')):
            with self.subTest(subject):
                ids = dict(zip(('mmr', 'bpr'), self._make_old_record(size), strict=True))
                disposal = self._run(first, lambda env, ids=ids: self._record_disposal(env, ids['bpr']))
                held = []

                def dispose(env, ids=ids, disposal=disposal, held=held, subject=subject):
                    # The snapshot of this transaction is taken before the hold is there.
                    self.assertTrue(env['mrp.bpr'].browse(ids['bpr']).is_disposable or held)
                    if not held:
                        held.append(self._run(
                            second, lambda env: self._hold(env, **{subject: env[f'mrp.{subject}'].browse(ids[subject])})))
                    return self._dispose(env, disposal)

                self.assertIn("on hold", str(self._run(first, dispose)))
                self.assertIsInstance(held[0], int)
        _mmr, bpr = self._make_old_record(714)
        disposal = self._run(first, lambda env: self._record_disposal(env, bpr))
        disposed = []

        def late(env):
            record = env['mrp.bpr'].browse(bpr)
            self.assertTrue(record.is_disposable or disposed)
            if not disposed:
                disposed.append(self._run(first, lambda env: self._dispose(env, disposal)))
            return self._hold(env, bpr=record)

        self.assertIn("REC-040", str(self._run(second, late)))
        self.assertIsInstance(disposed[0], int)

    # === LEDGER === #

    def _make_owner(self, size):
        """Return the id of a committed MMR, which has a chain of its own, and the number of its lines."""
        def create(env):
            mmr = env['mrp.mmr'].create({'product_id': self.product, 'formulation_code': self.tag, 'batch_size': size})
            return mmr.id, env['mrp.audit.chain'].sudo().search([
                ('res_model', '=', mmr._name), ('res_id', '=', mmr.id)]).head_index

        return self._run(self.users[0], create)

    @staticmethod
    def _append(env, mmr, number=0):
        env['mrp.audit.entry']._append_about('print', env['mrp.mmr'].browse(mmr), {'number': {'new': number}})

    def _assert_whole(self, model, record_id, lines):
        """The chain of a record has so many ``lines``, no gap and no fork, and all evidence verifies."""
        with self.registry.cursor() as cr:
            cr.execute("""
                SELECT count(*), count(DISTINCT e.index), count(DISTINCT e.previous_sha256), max(e.index), c.head_index
                  FROM mrp_audit_entry e JOIN mrp_audit_chain c ON c.id = e.chain_id
                 WHERE c.res_model = %s AND c.res_id = %s GROUP BY c.id""", [model, record_id])
            [row] = cr.fetchall()
            self.assertEqual(set(row), {lines})
            self.assertEqual(list(Verification(cr)), [])

    @mute_logger('odoo.sql_db')
    def test_one_chain(self):
        """AUD-040: who appends to a chain waits for who did so before, and is tried again by Odoo; no gap, no fork."""
        mmr, before = self._make_owner(1000)
        with self.registry.cursor() as first, self.registry.cursor() as second:
            for cr in (first, second):      # both look at the database before either appends
                api.Environment(cr, self.users[0], {})['mrp.mmr'].browse(mmr).mapped('name')
            self._append(api.Environment(first, self.users[0], {}), mmr)
            second.execute("SET LOCAL lock_timeout = '100ms'")
            with self.assertRaises(LockNotAvailable), second.savepoint(flush=False):
                self._append(api.Environment(second, self.users[1], {}), mmr)
            first.commit()
            # What the second one saw of the chain is not true any more: PostgreSQL does not let it go on from there.
            with self.assertRaises(SerializationFailure):
                self._append(api.Environment(second, self.users[1], {}), mmr)
            second.rollback()
        self._run(self.users[1], lambda env: self._append(env, mmr))
        self._assert_whole('mrp.mmr', mmr, before + 2)

    def test_many_at_once(self):
        """AUD-040: lines of several people at the same moment follow one another, each once."""
        mmr, before = self._make_owner(1001)

        def several(env):
            for number in range(5):
                self._append(env, mmr, number)

        self.assertEqual(self._race(*[(user, several) for user in self.users]), [None] * 3)
        self._assert_whole('mrp.mmr', mmr, before + 15)

    def test_other_chains(self):
        """AUD-040: who appends to one chain does not wait for who appends to another."""
        owners = [self._make_owner(size) for size in (1002, 1003)]
        (one, _before), (other, _before) = owners
        with self.registry.cursor() as first, self.registry.cursor() as second:
            self._append(api.Environment(first, self.users[0], {}), one)
            second.execute("SET LOCAL lock_timeout = '100ms'")
            self._append(api.Environment(second, self.users[1], {}), other)
            second.commit()
            first.commit()
        for mmr, before in owners:
            self._assert_whole('mrp.mmr', mmr, before + 1)

    def test_new_chain(self):
        """AUD-040: two people who begin a chain at the same moment begin one."""
        def begin(env):
            env['mrp.audit.entry']._append([{
                'chain': env['mrp.mmr'].browse(mmr), 'kind': 'print', 'model': 'mrp.mmr', 'res_id': mmr,
                'record_name': "x", 'values': {}}], self.tag)

        mmr, _before = self._make_owner(1004)
        self.assertEqual(self._race(*[(user, begin) for user in self.users]), [None] * 3)
        self._assert_whole(f'mrp.mmr:{self.tag}', mmr, 3)

    def test_refusals(self):
        """AUD-010, SEC-010: refusals at the same moment are all recorded, though nobody tries a refused request again."""
        mmr, _before = self._make_owner(1005)

        def refuse(env):
            raise refusal(env, f"Refused to {env.user.login}", "SEC-010", "nothing.", record=env['mrp.mmr'].browse(mmr))

        for _round in range(3):
            self._race(*[(user, refuse) for user in self.users])
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            lines = env['mrp.audit.entry'].search([
                ('kind', '=', 'refused'), ('res_model', '=', 'mrp.mmr'), ('res_id', '=', mmr)])
            self.assertEqual(sorted(lines.user_id.ids), sorted(self.users))
            self.assertEqual(len(lines), 9)
            self.assertEqual(list(Verification(cr)), [])
