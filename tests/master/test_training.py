"""A new revision may ask for new training: SEC-030."""

from datetime import timedelta

from psycopg2.errors import CheckViolation

from odoo.exceptions import UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..people.test_qualification import QUALIFICATION, QualificationCommon
from ..record.test_bpr import BprCommon


@tagged('post_install', '-at_install')
class TestTraining(QualificationCommon):

    def _effective(self, revision=None, training=False, **vals):
        """Return the next effective revision, after ``revision`` or the first one."""
        draft = self._new_revision(revision, training_required=training) if revision else self._create_mmr()
        draft.with_user(self.user_preparer).write(dict(vals, training_required=training))
        return self._make_effective(draft)

    def _assert_trained(self, revision, users, expected=True):
        if expected:
            revision._check_trained(users)
        else:
            with self.assertRaisesRegex(UserError, rf"{revision.display_name} requires training(?s:.)*SEC-030"):
                revision._check_trained(users)

    def test_new_revision_asks_for_training(self):
        """SEC-030: with training required on revision 2, an operator trained on revision 1 cannot work by it."""
        first = self._effective(training=True)
        operator = self.user_operator
        self._assert_trained(first, operator, False)
        self._grant(self.user_production, operator, first)
        self._assert_trained(first, operator)
        second = self._effective(first, training=True)
        self._assert_trained(second, operator, False)
        with self.assertRaisesRegex(UserError, f"Test t_operator(?s:.)*{self._today()}|{self._today()}(?s:.)*Test t_operator"):
            second._check_trained(operator)
        # A batch that still runs on the first one goes on.
        self._assert_trained(first, operator)
        row = self._grant(self.user_qc, operator, second)
        self._assert_trained(second, operator)
        self._assert_trained(second, operator | self.user_verifier, False)
        row.with_user(self.user_qc)._revoke("Failed the test.")
        self._assert_trained(second, operator, False)
        self._grant(self.user_qc, operator, second, valid_from='2026-01-01', valid_to=self._today() - timedelta(days=1))
        self._assert_trained(second, operator, False)
        self._grant(self.user_qc, operator, second, valid_to=self._today())
        self._assert_trained(second, operator)
        # Nor does a role, or training on another MMR, help.
        other = self._effective_of(500)
        self._grant(self.user_qc, self.user_verifier, other)
        self._assert_trained(second, self.user_verifier, False)

    def _effective_of(self, size):
        revision = self._create_mmr(size)
        revision.training_required = True
        return self._make_effective(revision)

    def test_later_revision_without_training(self):
        """SEC-030: a later revision that asks for none does not undo the one that did; what was never used asks for nothing."""
        first = self._effective()
        self._assert_trained(first, self.user_operator)
        second = self._effective(first, training=True)
        third = self._effective(second)
        self._assert_trained(third, self.user_operator, False)
        self.assertEqual(third.training_revision_id, second)
        self._grant(self.user_production, self.user_operator, second)
        self._assert_trained(third, self.user_operator)
        self._grant(self.user_production, self.user_verifier, third)
        self._assert_trained(third, self.user_verifier)
        self._assert_trained(second, self.user_verifier, False)
        cancelled = self._new_revision(third, training_required=True)
        cancelled.with_user(self.user_preparer).action_cancel()
        fifth = self._effective(third)
        self._assert_trained(fifth, self.user_operator | self.user_verifier)

    def test_states(self):
        """SEC-030: nobody is trained on content that may still change, or that is not used any more."""
        revision = self._create_mmr()
        revision.date_effective = self._today() + timedelta(days=5)
        for state in ('draft', 'submitted'):
            self.assertEqual(revision.state, state)
            with self.subTest(state=state), self.assertRaisesRegex(UserError, "may still change"):
                self._grant(self.user_production, self.user_operator, revision)
            if state == 'draft':
                self._sign(revision, 'submit', self.user_preparer)
        self._sign(revision, 'approve', self.user_qc)
        self.assertEqual(revision.state, 'approved')
        self._grant(self.user_production, self.user_operator, revision)
        self._sign(revision, 'retire', self.user_qc, comment="Not wanted.")
        with self.assertRaisesRegex(UserError, "is obsolete"):
            self._grant(self.user_production, self.user_operator, revision)

    def test_document(self):
        """SEC-030, REV-010: it is content: in the signed document where it is set, else the document is as it was."""
        revision = self._create_mmr()
        self.assertNotIn('training_required', revision._prepare_document())
        revision.with_user(self.user_preparer).training_required = True
        self._sign(revision, 'submit', self.user_preparer)
        self.assertIs(revision.document['training_required'], True)
        with self.assertRaisesRegex(UserError, "REV-010"):
            revision.sudo().training_required = False
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "REV-010"), self.cr.savepoint(flush=False):
            self.cr.execute("UPDATE mrp_mmr_revision SET training_required = false WHERE id = %s", [revision.id])
        self._sign(revision, 'approve', self.user_qc)
        second = self._new_revision(revision)
        self.assertFalse(second.training_required)
        changes = {change['field']: (change['before'], change['after']) for change in second._get_redline(revision)['changes']}
        self.assertEqual(changes['training_required'], ('yes', None))

    def test_page(self):
        """SEC-030: the revision lists who holds a role of its steps, trained or not, and trains the others at once."""
        revision = self._effective(training=True)
        revision.with_user(self.user_planner).check_access('read')
        self._grant(self.user_production, self.user_operator, revision)
        groups = revision._get_step_groups()
        self.assertEqual(groups, self._role('operator') | self._role('verifier'))
        shown = revision.with_user(self.user_production)
        self.assertIn(self.user_operator, shown.trained_user_ids)
        self.assertIn(self.user_verifier, shown.untrained_user_ids)
        self.assertEqual(shown.untrained_user_ids.filtered(lambda user: user == self.user_verifier).mmr_role_names, "Verifier")
        people = shown.trained_user_ids | shown.untrained_user_ids
        self.assertFalse(people & (self.user_qc | self.user_auditor | self.user_planner))
        action = revision.with_user(self.user_production).action_record_training()
        self.assertNotIn(self.user_operator.id, action['context']['default_user_ids'])
        wizard = Form(self.env[action['res_model']].with_user(self.user_production).with_context(**action['context']))
        wizard.evidence = "Briefing of 7 March."
        wizard.save().action_grant()
        self.assertFalse(people._get_untrained(revision))
        action = revision.with_user(self.user_production).action_view_training()
        self.assertLessEqual({self.user_operator, self.user_verifier},
                             set(self.env[QUALIFICATION].search(action['domain']).user_id))
        for user in (self.user_preparer, self.user_auditor, self.user_planner):
            with self.subTest(user=user.login):
                Form(revision.with_user(user))

    def test_documents(self):
        """SEC-030, CON-190: training on a document holds for its version, which does not change any more."""
        sop = self.env['mrp.sop'].create({'code': 'S-7', 'name': "Cleaning"})
        row = self._grant(self.user_qc, self.user_operator, sop)
        self.assertEqual((row.kind, row.subject), ('training', "S-7 v. 1 · Cleaning"))
        sop.name = "Cleaning of rooms"
        with self.assertRaisesRegex(UserError, "SEC-030"):
            sop.version = "2"
        with self.assertRaisesRegex(UserError, "SEC-030"):
            sop.unlink()
        self.env.flush_all()
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "SEC-030"), self.cr.savepoint(flush=False):
            self.cr.execute("UPDATE mrp_sop SET version = '2' WHERE id = %s", [sop.id])


@tagged('post_install', '-at_install')
class TestTrainingOnTheFloor(BprCommon, QualificationCommon):

    def test_lapsed_qualification(self):
        """SEC-030: a lapsed operator neither starts a step nor records at it, a lapsed verifier does not verify."""
        step = self.steps.sorted('sequence')[0]
        operator = step.with_user(self._person(step.performer_role or 'operator'))
        self._qualify(operator.env.user, step.performer_role or 'operator', -9, -1)
        self._refused("SEC-030", operator.action_start, True)
        self.assertEqual(step.state, 'open')
        self._qualify(operator.env.user, step.performer_role or 'operator', 0)
        weighing = self._until("Weigh")
        self._qualify(weighing.env.user, 'operator', -9, -1)
        self._refused("SEC-030", weighing.action_record, 'comment', {'text': "Dusty"})
        self._qualify(weighing.env.user, 'operator', 0)
        self._record_step(weighing)
        self._sign(weighing, 'performed', weighing.env.user)
        verifier = self._person(weighing.verifier_role)
        self._qualify(verifier, weighing.verifier_role, -9, -1)
        self.assertIn("SEC-030", self._esign(weighing, 'verified', verifier)['refused'])
        self._qualify(verifier, weighing.verifier_role, 0)
        self._sign(weighing, 'verified', verifier)

    def test_new_training(self):
        """SEC-030: where revision 2 requires training, an operator trained on revision 1 does not start its steps."""
        self._grant(self.user_production, self.user_operator | self.user_verifier, self.revision)
        draft = self._new_revision(self.revision, training_required=True)
        second = self._make_effective(draft)
        order = self._create_order()
        order.action_confirm()
        self._sign(order.bpr_id, 'issue', self._person('production'))
        self.assertEqual(order.bpr_id.mmr_revision_id, second)
        # The batch that runs on revision 1 goes on.
        self._sign(self.order, 'continue', self.user_qc, comment="No effect.")
        self.assertEqual(self.steps[0].with_user(self.user_operator).action_start(True), {'started': True})
        self.steps = order.bpr_id.step_ids
        step = self.steps.sorted('sequence')[0].with_user(self.user_operator)
        self.assertEqual(step.performer_role or 'operator', 'operator')
        with self.assertRaisesRegex(UserError, "Test t_operator(?s:.)*SEC-030"):
            step.action_start(True)
        training = self._grant(self.user_production, self.user_operator, second)
        self.assertEqual(step.action_start(True), {'started': True})
        training.with_user(self.user_production)._revoke("Failed the test.")
        self._refused("requires training", step.action_record, 'comment', {'text': "Dusty"})
        self._grant(self.user_production, self.user_operator, second)
        self._record_step(step)
        self._sign(step, 'performed', self.user_operator)
        if step.next_point == 'verified':
            verifier = self._person(step.verifier_role)
            self.assertIn("requires training", self._esign(step, 'verified', verifier)['refused'])
            self._grant(self.user_qc, verifier, second)
            self._sign(step, 'verified', verifier)
