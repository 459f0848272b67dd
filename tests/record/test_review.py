"""Review by exception: every rule with its result, exceptions first, constant queries."""

import hashlib

from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.mrp_mmr.domain.sessions import session_of

from ..common.base import HttpCase
from ..common.batch import BatchCommon
from .test_release import ReleaseCommon


@tagged('post_install', '-at_install')
class TestReviewWithoutExceptions(ReleaseCommon):

    def _rules(self, bpr=None, user=None):
        review = (bpr or self.bpr).with_user(user or self.user_qc).get_review()
        return review, {rule['code']: rule for group in review['groups'] for rule in group['rules']}

    def test_nothing_found(self):
        """PRD-100, AUD-050: a batch as planned shows no exception of the floor, says what was looked at, and still waits."""
        self._enter_results(self.bpr)
        review, rules = self._rules()
        self.assertEqual(len(review['groups']), 17)
        self.assertGreater(review['rules'], 25)
        # The fixture signs within the same second, and kept no samples yet.
        self.assertEqual(
            [code for code, rule in rules.items() if rule['state'] == 'exception'], ['persons_fast', 'reserve'])
        for code in ('steps_closed', 'persons_verified', 'corrections', 'results_limits', 'lots_status', 'signatures',
                     'training', 'trail', 'integrity', 'tests', 'yields', 'equipment'):
            with self.subTest(code):
                self.assertEqual((rules[code]['state'], rules[code]['items']), ('ok', []))
                self.assertTrue(rules[code]['checked'])
        self.assertEqual([(issue['code'], issue.get('action')) for issue in review['issues']], [
            ('review', None), ('reserve', 'mrp_mmr.mrp_bpr_reserve_action')])
        self.assertEqual((review['status_text'], review['status_kind']), ("to be reviewed · in quarantine", 'quarantine'))
        self.assertEqual(review['actions'], [['review', "Sign Review"], ['reject', "Reject Batch"]])
        self.assertIn("Created", ' '.join(rules['trail']['facts']))
        self.assertIn("verified", rules['persons_verified']['facts'][0])

    def test_next_actions(self):
        """BPR-130, PRD-100: the screen offers the signatures in their order, and shows those that were given."""
        self._enter_results(self.bpr, approve=False)
        self.assertEqual([row[0] for row in self._rules()[0]['actions']], ['approve_results', 'review', 'reject'])
        self._sign(self.bpr, 'approve_results', self.user_both)
        self._sign(self.bpr, 'review', self.user_qc)
        self.assertEqual([row[0] for row in self._rules()[0]['actions']], ['release', 'reject'])
        self._sign(self.bpr, 'release', self.user_qc)
        self.assertEqual([row[0] for row in self._rules()[0]['actions']], ['release_packed', 'reject_packed'])
        self.bpr.with_user(self.user_qc).action_record_sample(self._prepare_reserve_vals())
        self._sign(self.bpr, 'release_packed', self.user_qc)
        review = self._rules()[0]
        self.assertEqual(review['actions'], [])
        self.assertEqual([row['meaning'] for row in review['signatures']], ['reviewed', 'released', 'released'])

    def test_status(self):
        """R-15, REL-010, BPR-130: one status in the same words everywhere: decided, open, and where the goods are."""
        self._enter_results(self.bpr)
        self._sign(self.bpr, 'review', self.user_qc)
        self._sign(self.bpr, 'release', self.user_qc)
        words = "batch released · packed lot open · in quarantine"
        self.assertEqual((self.bpr.status_text, self.bpr.status_kind), (words, 'quarantine'))
        review = self._rules()[0]
        self.assertEqual((review['status_text'], review['status_kind']), (words, 'quarantine'))
        self.assertIn('reserve', [issue['code'] for issue in review['issues']])
        self.assertEqual(self.bpr._prepare_floor_batches(self.bpr._get_floor_stages())[0]['state_label'], words)
        self.bpr.with_user(self.user_qc).action_record_sample(self._prepare_reserve_vals())
        self._sign(self.bpr, 'release_packed', self.user_qc)
        self.assertEqual((self.bpr.status_text, self.bpr.status_kind), (
            "batch released · packed lot released", 'released'))
        self._sign(self.bpr.lot_ids, 'quarantine', self.user_qc, comment="Complaint")
        self.assertEqual((self.bpr.status_text, self.bpr.status_kind), (
            "batch released · packed lot released · in quarantine", 'quarantine'))

    def test_renamed_role(self):
        """R-06, SEC-030: who was qualified for a role is qualified for it whatever it is called now, and nobody else is."""
        self._enter_results(self.bpr)
        self.assertFalse(self._rules()[1]['training']['items'])
        roles = [self.env.ref(f'mrp_mmr.group_mmr_{role}') for role in ('operator', 'verifier', 'production', 'qc')]
        for number, role in enumerate(roles):
            role.with_context(lang='en_US').name = f"Renamed {number}"
        self.env.flush_all()
        self.assertFalse(self._rules()[1]['training']['items'])
        # As earlier versions signed: the ledger has no role, the name alone is there.
        review = type(self.bpr)._get_signing_roles
        lines = self.env['mrp.audit.entry']
        self.patch(type(self.bpr), '_get_signing_roles', lambda self, batch, signatures: review(
            self, type('Old', (), {'lines': lines})(), signatures))
        self.assertFalse(self._rules()[1]['training']['items'])
        # A signature in a role for which the signer was not qualified is one.
        self.patch(type(self.bpr), '_get_signing_roles', lambda self, batch, signatures: {
            signature: {self.env.ref('base.group_user').id} for signature in signatures})
        self.assertTrue(self._rules()[1]['training']['items'])

    def test_sessions(self):
        """R-13, SEC-040: entries and signatures say from which session they come; two at once are an exception."""
        step = self.bpr.step_ids[-1].with_user(self.operator)

        def comment(key):
            with session_of(self.operator, key=key):
                answer = step.action_record('comment', {'text': key}, reason="Late")
            return self.env['mrp.bpr.entry'].browse(answer['entry_id'])

        first, second = comment("one"), comment("one")
        self.assertEqual(first.session_sha256, hashlib.sha256(b"one").hexdigest())
        self.assertEqual(second.session_sha256, first.session_sha256)
        self.assertNotEqual(comment("two").session_sha256, first.session_sha256)
        self.assertEqual(self._rules()[1]['sessions']['state'], 'ok')
        again = comment("one")
        [item] = self._rules()[1]['sessions']['items']
        line = self.env['mrp.audit.entry'].browse(item['id'])
        self.assertEqual((line.res_model, line.res_id), (again._name, again.id))
        signature = self.bpr.step_ids[0].performed_signature_id
        line = self.env['mrp.audit.entry'].search([('kind', '=', 'sign'), ('res_model', '=', signature.res_model)]).filtered(
            lambda line: line.values['signature_id']['new'] == signature.id)
        self.assertEqual(line.values['role']['new']['id'], self.env.ref('mrp_mmr.group_mmr_operator').id)
        self.assertTrue(line.values['session_sha256']['new'])

    def test_readers(self):
        """SEC-010: whoever may read the record may read its review; others may not."""
        self.assertTrue(self._rules(user=self.user_auditor)[1])
        outsider = self.env['res.users'].create({'name': "Outsider", 'login': 'outsider'})
        with self.assertRaises(AccessError):
            self.bpr.with_user(outsider).get_review()
        self.assertEqual(self.bpr.with_user(self.operator).action_open_review()['tag'], 'mrp_mmr.review')

    def test_tampered(self):
        """REC-060: a snapshot or step that is not what was signed shows as an exception."""
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE mrp_bpr_step DISABLE TRIGGER USER")
        self.env.cr.execute(
            "UPDATE mrp_bpr_step SET planned = jsonb_set(planned, '{instruction}', '\"Other\"') WHERE id = %s",
            [self.bpr.step_ids[0].id])
        self.env.cr.execute("ALTER TABLE mrp_bpr_step ENABLE TRIGGER USER")
        self.env.invalidate_all()
        self.assertEqual(self._rules()[1]['integrity']['state'], 'exception')


@tagged('post_install', '-at_install')
class TestReviewOfExceptions(BatchCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bpr = cls._make_batch()
        cls.review = cls.bpr.with_user(cls.user_qc).get_review()
        cls.rules = {rule['code']: rule for group in cls.review['groups'] for rule in group['rules']}

    def test_found(self):
        """PRD-100, AUD-050, 211.192: whatever departed from the plan is an exception, and names its record."""
        expected = {
            'steps_done': 1, 'corrections': 2, 'late': 2, 'results_retests': 1, 'tests': len(
                self.bpr._get_specifications()), 'deviations': len(self.bpr.deviation_ids)}
        found = {code: len(self.rules[code]['items']) for code in expected}
        self.assertGreaterEqual(found['late'], 1)
        self.assertEqual({**found, 'late': 2}, expected)
        self.assertTrue(self.rules['results_limits']['items'])
        self.assertTrue(self.rules['packaging']['items'])
        for group in self.review['groups']:
            for rule in group['rules']:
                for item in rule['items']:
                    self.assertTrue(self.env[item['model']].browse(item['id']).exists())
                    self.assertTrue(item['text'])
        self.assertIn("Digit misread", ' '.join(item['text'] for item in self.rules['corrections']['items']))

    def test_queries(self):
        """PRD-100: the queries of a review do not grow with the steps: 150 are read like those of the batch."""
        bpr = self.bpr.with_user(self.user_qc)

        def count():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            bpr.get_review()
            return self.cr.sql_log_count - before

        count()
        few = count()
        steps = len(self.bpr.step_ids)
        self.env.cr.execute("ALTER TABLE mrp_bpr_step DISABLE TRIGGER USER; ALTER TABLE mrp_bpr_entry DISABLE TRIGGER USER")
        columns = {name: ', '.join(
            column for column, field in sorted(self.env[name]._fields.items())
            if field.store and field.column_type and column not in ('id', *excluded))
            for name, excluded in (
                ('mrp.bpr.step', ('sequence', 'number')), ('mrp.bpr.entry', ('step_id', 'token', 'supersedes_id')))}
        self.env.cr.execute(f"""
            WITH steps AS (
                INSERT INTO mrp_bpr_step (sequence, number, {columns['mrp.bpr.step']})
                SELECT 1000 + n, 100 + n, {columns['mrp.bpr.step']} FROM mrp_bpr_step, generate_series(1, %s) n
                 WHERE id = %s RETURNING id)
            INSERT INTO mrp_bpr_entry (step_id, {columns['mrp.bpr.entry']})
            SELECT steps.id, {columns['mrp.bpr.entry']} FROM steps, mrp_bpr_entry e WHERE e.step_id = %s AND NOT e.to_sign
               AND e.supersedes_id IS NULL
        """, [150 - steps, self.bpr.step_ids[0].id, self.bpr.step_ids[0].id])
        self.env.invalidate_all()
        self.assertEqual(len(self.bpr.step_ids), 150)
        # The copies weigh: product, template, variant and unit of their component are read once.
        self.assertLessEqual(count(), few + 4)


@tagged('post_install', '-at_install')
class TestReviewTour(ReleaseCommon, HttpCase):

    def test_tour(self):
        """PRD-080, PRD-100, REL-020: from the review to the released packaged lot in the browser."""
        # By another person than whoever approves them.
        self._enter_results(self.bpr, approve=False, user=self.user_both)
        self.qc.action_record_sample(self._prepare_reserve_vals())
        self.start_tour(f'/odoo/mrp.bpr/{self.bpr.id}', 'mrp_mmr_release', login='t_qc')
        self.assertRecordValues(self.bpr, [{'release_state': 'released', 'packed_state': 'released'}])
        self.assertEqual(self.lot.mmr_status, 'released')
