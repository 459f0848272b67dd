"""The signing list of a stage: several entries read and signed by one authentication, each with its own signature (SIG-140)."""

from odoo.tests import tagged

from odoo.addons.mrp_mmr.domain.sessions import at_terminal, session_of
from odoo.addons.mrp_mmr.models.record.signing_list import LIST

from ..common.base import PASSWORD
from ..people.test_signer_session import HALF, OTHER_HALF, OTHER_PIN, PIN, SessionPinCommon


@tagged('post_install', '-at_install')
class TestSigningList(SessionPinCommon):

    @classmethod
    def _extend(cls, draft):
        draft.step_ids.filtered(lambda step: step.kind in ('numeric', 'clearance')).with_user(cls.user_preparer).write(
            {'verifier_role': 'verifier', 'verifier_meaning': 'verified'})

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bpr = cls.order.bpr_id
        cls._execute(cls.order)
        cls.stage = next(step.stage for step in cls.steps if step.name == "Blending time")
        cls.numeric = cls.steps.filtered(lambda step: step.stage == cls.stage and step.name == "Blending time")
        cls.first = cls.numeric.entry_ids.filtered(lambda entry: entry.kind == 'value')
        numeric = cls.numeric.with_user(cls.operator)
        with session_of(cls.operator, cls.state), at_terminal(cls.key):
            cls.corrected = cls.env['mrp.bpr.entry'].browse([
                numeric.action_record('value', {'value': '15.5'}, reason="Misread.", corrects=cls.first.id)['entry_id'],
                numeric.action_record('comment', {'text': "It hummed."}, reason="Forgotten.")['entry_id'],
            ]).filtered('is_proposed')
            others = cls.steps.filtered(lambda step: step.stage == cls.stage and step.kind == 'clearance')
            for step in others.with_user(cls.operator):
                entry = step.entry_ids.filtered(lambda entry: entry.kind == 'outcome')[:1]
                if entry:
                    cls.corrected |= entry.browse(step.action_record(
                        'outcome', {'pass': True}, reason="Looked again.", corrects=entry.id)['entry_id'])

    def _prepare(self, part='performed', user=None, session=None):
        session = session or self.operator
        with session_of(session, self.state), at_terminal(self.key):
            return self.bpr.with_user(session).prepare_signing_list(self.stage, part)

    def _rows(self, part='performed'):
        rows = [row for row in self._prepare(part)['rows'] if not row['left_out']]
        return [{name: row[name] for name in ('model', 'id', 'action', 'digest')} for row in rows]

    def _sign_list(self, rows, credential):
        return self._answer(self.bpr, LIST, credential, digest=rows or [])

    def _typed(self, user, **more):
        return {'login': user.login, 'password': PASSWORD, **more}

    def test_both(self):
        """SIG-140, SIG-110, SIG-130: performer and verifier sign the list of a stage, each by one authentication; verified."""
        prepared = self._prepare()
        self.assertGreater(len(self.corrected), 1)
        self.assertEqual([row['id'] for row in prepared['rows']], self.corrected.ids)
        shown = next(row for row in prepared['rows'] if row['id'] == self.corrected[0].id)
        self.assertEqual({entry['id'] for entry in shown['entries']}, {self.first.id, self.corrected[0].id})
        self.assertEqual(self._prepare('verified')['rows'], [])
        answer = self._sign_list(self._rows(), self._typed(self.operator, new_pin=PIN, half=HALF))
        self.assertIn('session', answer, answer)
        signatures = self.corrected.esignature_ids.sorted('id')
        self.assertEqual((len(signatures), signatures.user_id), (len(self.corrected), self.operator))
        numbers = signatures.mapped('key_number')
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))
        self.assertEqual(signatures[1:].mapped('key_previous'), signatures[:-1].mapped('signature_sha256'))
        answer = self._sign_list(self._rows('verified'), self._typed(self.verifier, new_pin=OTHER_PIN, half=OTHER_HALF))
        self.assertIn('signature_id', answer, answer)
        self.assertFalse(any(self.corrected.mapped('is_proposed')))
        self.assertTrue(all(self.corrected.mapped('is_current')))
        self.assertEqual(self._verify(), [])
        # Once more, by PIN.
        with session_of(self.operator, self.state), at_terminal(self.key):
            again = [self.numeric.with_user(self.operator).action_record(
                'value', {'value': value}, reason="Again.", corrects=entry.id)['entry_id']
                for value, entry in (('15.2', self.corrected[0]),)]
        answer = self._sign_list(self._rows(), {'token': answer and self.sessions.search(
            [('user_id', '=', self.operator.id)]).token, 'pin': PIN, 'half': HALF})
        self.assertIn('signature_id', answer, answer)
        self.assertEqual(self._line().values['authenticated']['new']['name'], "PIN")
        self.assertEqual(len(again), 1)

    def test_changed(self):
        """SIG-140, SIG-030: where one row changed since it was shown, nothing of the list is signed."""
        rows = self._rows()
        rows[-1]['digest'] = '0' * 64
        answer = self._sign_list(rows, self._typed(self.operator))
        self.assertIn("SIG-030", answer['refused'])
        self.assertFalse(self.corrected.esignature_ids)
        rows = self._rows()
        with session_of(self.operator, self.state), at_terminal(self.key):
            self.numeric.with_user(self.operator).action_record(
                'value', {'value': '15.7'}, reason="Once more.", corrects=self.corrected[0].id)
        self.assertRegex(self._sign_list(rows, self._typed(self.operator))['refused'], "AUD-020")
        self.assertFalse(self.corrected.esignature_ids)

    def test_others(self):
        """SIG-140, VER-010: nobody signs in a list what another person entered, or verifies what was own."""
        self.verifier.sudo().group_ids += self.env.ref('mrp_mmr.group_mmr_operator')
        self.env['mrp.signer'].sudo()._set_up(self.verifier, self.env.ref('base.user_admin'), "Test")
        self.assertIn("SIG-140", self._sign_list(self._rows(), self._typed(self.verifier))['refused'])
        self.assertIn('signature_id', self._sign_list(self._rows(), self._typed(self.operator)))
        self.operator.sudo().group_ids += self.env.ref('mrp_mmr.group_mmr_verifier')
        self.env['mrp.signer'].sudo()._set_up(self.operator, self.env.ref('base.user_admin'), "Test")
        self.assertIn("VER-010", self._sign_list(self._rows('verified'), self._typed(self.operator))['refused'])

    def test_hostile(self):
        """SIG-140, SEC-020: rows of another batch, stage, part or kind, twice, or of anything are refused as a whole."""
        rows = self._rows()
        other = self._create_order()
        other.action_confirm()
        step = other.bpr_id.step_ids[:1]
        performed = {'model': 'mrp.bpr.step', 'action': 'performed', 'digest': 'x'}
        for name, sent in {
                'nothing': [], 'no list': 'x', 'dict': {}, 'number': 5, 'twice': rows + rows[:1],
                'another batch': [*rows, {**performed, 'id': step.id}],
                'another part': [*rows, {**rows[0], 'action': 'verified'}],
                'another stage': [*rows, {**performed, 'id': self.steps[0].id}],
                'another model': [*rows, {'model': 'mrp.bpr', 'id': self.bpr.id, 'action': 'issue', 'digest': 'x'}],
                'another action': [{**rows[0], 'action': 'hold_approve'}],
                'list as action': [{**rows[0], 'action': ['corrected']}], 'gone': [{**rows[0], 'id': 2 ** 31 - 1}],
                'no id': [{**rows[0], 'id': None}], 'text id': [{**rows[0], 'id': '1 OR 1'}],
                'strings': ['x'], 'many': rows * 200}.items():
            with self.subTest(rows=name):
                answer = self._sign_list(sent, self._typed(self.operator))
                self.assertIn("SIG-140", answer['refused'])
        self.assertFalse(self.corrected.esignature_ids)
        with self.assertRefused('SIG-110'):
            self.bpr.with_user(self.operator)._esign_all(LIST, rows, '', None, None)

    def test_left_out(self):
        """SIG-140, VER-020: what is witnessed at the moment is not in a list, says why, and is refused in one."""
        other = self._create_order()
        other.action_confirm()
        self._sign(other.bpr_id, 'issue', self._person('production'))
        step = self._start(other.bpr_id.step_ids.sorted('sequence')[0])
        self._sign(step, 'performed', self.operator)
        with session_of(self.operator, self.state), at_terminal(self.key):
            [row] = other.bpr_id.with_user(self.operator).prepare_signing_list(step.stage, 'verified')['rows']
        self.assertIn("Another person sees this", row['left_out'])
        self.assertFalse(row['digest'])
        digest = step.with_user(self.verifier).esign_prepare('verified')['digest']
        answer = self._answer(other.bpr_id, LIST, self._typed(self.verifier), digest=[
            {'model': 'mrp.bpr.step', 'id': step.id, 'action': 'verified', 'digest': digest}])
        self.assertIn("SIG-140", answer['refused'])
        self.assertFalse(step.verified_signature_id)
