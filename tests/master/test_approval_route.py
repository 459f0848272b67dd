"""The approval route of company and profile, what signatures cover, periodic review and retirement."""

from datetime import timedelta

from freezegun import freeze_time
from psycopg2.errors import CheckViolation, UniqueViolation

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.mrp_mmr.domain.canonical import sha256
from odoo.addons.mrp_mmr.domain.sessions import session_of
from odoo.addons.mrp_mmr.domain.transitions import signing

from ..common.base import PASSWORD, MmrCommon, enrol
from ..common.signing import open_key


@tagged('post_install', '-at_install')
class TestApprovalRoute(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        def user(login, groups):
            return enrol(new_test_user(cls.env, login=login, password=PASSWORD, groups=groups, name=f"Test {login}"))
        cls.user_production = cls._person('production')
        cls.user_production2 = user('t_production2', 'mrp_mmr.group_mmr_production')
        cls.user_qp = user('t_qp', 'mrp_mmr.group_mmr_qp')
        cls.user_all = user('t_all', 'mrp_mmr.group_mmr_preparer,mrp_mmr.group_mmr_production,mrp_mmr.group_mmr_qc')
        other = cls.env['res.company'].create({'name': "Elsewhere"})
        cls.user_qc.company_ids += other
        enrol(cls.user_qc)
        qp = cls.env.ref('mrp_mmr.group_mmr_qp').id
        cls.production_review = cls._create_reviewer(
            name="Production", group_id=cls.env.ref('mrp_mmr.group_mmr_production').id, sequence=1, company_id=cls.company.id)
        cls.qp_review = cls._create_reviewer(
            name="Regulatory Affairs", group_id=qp, sequence=2, profile_id=cls.env.ref('mrp_mmr.profile_p111').id)
        cls._create_reviewer(name="Another company", group_id=qp, company_id=other.id)
        cls._create_reviewer(name="Another profile", group_id=qp, profile_id=cls.env.ref('mrp_mmr.profile_peu').id)
        cls.env['mrp.mmr.reviewer'].create({'name': "Archived", 'group_id': qp, 'active': False})
        cls.draft_review = cls.env['mrp.mmr.reviewer'].create({'name': "Not signed yet", 'group_id': qp, 'sequence': 50})
        cls.revision = cls._create_mmr()

    def _submit(self):
        return self._sign(self.revision, 'submit', self.user_preparer)

    def _leave_route(self):
        for review in (self.production_review, self.qp_review):
            self._sign(review, 'switch_off', self.user_qc, comment="Preparer and Quality Control are enough.")

    def _refuse(self, action, user, rule, revision=None, **kwargs):
        answer = self._esign(revision or self.revision, action, user, **kwargs)
        self.assertIn('refused', answer)
        self.assertRegex(answer['refused'], rule)

    # === ROUTE === #

    def test_route(self):
        """APR-030: reviewers of company and profile sign in their order, over the preparer's content; then Quality Control."""
        self.assertFalse(self.revision.review_ids)
        self.assertEqual(self.revision._prepare_document()['reviewers'], [
            {'position': 1, 'name': "Production", 'role': self.production_review.group_id.name},
            {'position': 2, 'name': "Regulatory Affairs", 'role': self.qp_review.group_id.name}])
        prepared = self._submit()
        self.assertRecordValues(self.revision.review_ids.sorted('id'), [
            {'name': "Production", 'signature_id': False, 'prepared_signature_id': prepared.id},
            {'name': "Regulatory Affairs", 'signature_id': False, 'prepared_signature_id': prepared.id}])
        self.assertEqual(self.revision.open_review_names, "Production, Regulatory Affairs")
        self.assertIn(self.user_production, self.revision.activity_ids.user_id)
        self.assertNotIn(self.user_qp, self.revision.activity_ids.user_id, "not yet")
        self.assertNotIn(self.user_qc, self.revision.activity_ids.user_id, "not yet")
        waits = "still waiting for: Production, Regulatory Affairs(?s:.)*APR-030"
        self._refuse('approve', self.user_qc, waits)
        with self.assertRaisesRegex(UserError, waits):
            self.revision.with_user(self.user_qc).action_approve()
        # Wrong order and missing role.
        for user in (self.user_qp, self.user_qc, self.user_manager, self.user_planner):
            with self.subTest(user=user.login):
                self._refuse('review', user, "does not have the role Production Responsible(?s:.)*APR-050")
                with self.assertRaisesRegex(AccessError, "APR-050"):
                    self.revision.with_user(user).action_review()
        first = self._sign(self.revision, 'review', self.user_production)
        self.assertEqual((first.meaning, first.content_sha256, first.basis_signature_id, first.annex['review']),
                         ('reviewed', prepared.content_sha256, prepared, "Production"))
        self.assertEqual(self.revision.open_review_names, "Regulatory Affairs")
        self.assertIn(self.user_qp, self.revision.activity_ids.user_id)
        self.assertNotIn(self.user_production, self.revision.activity_ids.user_id)
        # Nobody signs one review twice, nor the next one without its role.
        for user in (self.user_production, self.user_production2):
            self._refuse('review', user, "does not have the role Qualified Person")
        self._refuse('approve', self.user_qc, "still waiting for: Regulatory Affairs")
        self._sign(self.revision, 'review', self.user_qp)
        self.assertFalse(self.revision.open_review_names)
        self.assertIn(self.user_qc, self.revision.activity_ids.user_id)
        self._refuse('review', self.user_qp, "APR-010", digest=prepared.content_sha256)
        approved = self._sign(self.revision, 'approve', self.user_qc)
        self.assertEqual((self.revision.state, approved.basis_signature_id), ('effective', prepared))
        self.assertFalse(self.revision.activity_ids)
        order = self._create_order()
        order.action_confirm()
        self.assertEqual(order.state, 'confirmed')

    def test_without_route(self):
        """APR-030: without reviewers, preparer and Quality Control are the minimum and enough."""
        self._leave_route()
        self._make_effective(self.revision)
        self.assertFalse(self.revision.review_ids)
        self.assertEqual(self.revision.document['reviewers'], [])

    def test_who_reviews(self):
        """APR-040: the preparer does not review, nor the same person under another login."""
        twin = self.user_production.copy({'login': 't_twin', 'partner_id': self.user_preparer.partner_id.id})
        twin.password = PASSWORD
        enrol(twin)
        self.assertEqual(twin.partner_id, self.user_preparer.partner_id)
        self._submit()
        self._refuse('review', twin, "prepared .* and cannot review it(?s:.)*APR-040")
        with self.assertRaisesRegex(UserError, "APR-040"):
            self.revision.with_user(twin).action_review()
        self.assertNotIn(twin, self.revision.activity_ids.user_id)
        self._sign(self.revision, 'review', self.user_production)
        other = self._create_mmr(200)
        self._sign(other, 'submit', self.user_all)
        self._refuse('review', self.user_all, "APR-040", revision=other)
        self._sign(other, 'review', self.user_production)

    def test_credentials_of_a_review(self):
        """SIG-030, SIG-040, SIG-080: a review is signed in person, with the digest that was read."""
        self._submit()
        self._refuse('review', self.user_production, "SIG-040", password='wrong')
        self._refuse('review', self.user_production, "SIG-040", login='t_nobody')
        # The password of a colleague signs as the colleague (VER-050), who has a session of the own for that.
        self._refuse('review', self.user_production, "SIG-040", login='t_qp')
        self._refuse('review', self.user_production, "SIG-030", digest='0' * 64)
        with session_of(self.user_qp):
            answer = self.revision.with_user(self.user_production).esign(
                'review', {'login': 't_production', 'password': PASSWORD}, self.revision.document_sha256)
        self.assertIn("SIG-080", answer['refused'])
        self.assertFalse(self.revision.review_ids.signature_id)
        self._sign(self.revision, 'review', self.user_production)

    def test_rejection(self):
        """APR-010, APR-060: a rejection voids every signature; the next submission starts its reviews afresh."""
        prepared = self._submit()
        first = self._sign(self.revision, 'review', self.user_production)
        self.assertFalse(prepared.is_void or first.is_void)
        self.assertIn("reason", self._esign(self.revision, 'reject', self.user_qc)['refused'])
        # Before the reviews are complete as well.
        rejected = self._sign(self.revision, 'reject', self.user_qc, comment="Blend longer")
        self.assertEqual(self.revision.state, 'draft')
        self.env.invalidate_all()
        self.assertTrue(prepared.is_void and first.is_void)
        self.assertFalse(rejected.is_void)
        self.assertTrue(all(review.is_void for review in self.revision.review_ids))
        self.assertTrue(prepared._is_intact() and first._is_intact(), "kept, and readable")
        self.assertFalse(self.revision.open_review_names)
        self._refuse('review', self.user_qp, "APR-010", digest=prepared.content_sha256)
        again = self._submit()
        self.assertEqual(self.revision.open_review_names, "Production, Regulatory Affairs")
        self.assertEqual(len(self.revision.review_ids), 4)
        self._refuse('approve', self.user_qc, "still waiting for: Production, Regulatory Affairs")
        for user in (self.user_production2, self.user_qp):
            self._sign(self.revision, 'review', user)
        approved = self._sign(self.revision, 'approve', self.user_qc)
        self.assertFalse(again.is_void or approved.is_void)
        self.assertTrue(prepared.is_void)

    def test_route_changes_later(self):
        """APR-030: what company and profile ask for later changes nothing for what was submitted before."""
        self._submit()
        document, reviews = self.revision.document, self.revision.review_ids
        for review in (self.production_review, self.qp_review):
            self._sign(review, 'switch_off', self.user_qc, comment="Reorganised.")
        self.production_review.with_user(self.user_qc).active = False
        self.qp_review.with_user(self.user_qc).write({'name': "Renamed", 'sequence': 0, 'group_id': self.env.ref(
            'mrp_mmr.group_mmr_operator').id})
        self._sign(self.qp_review, 'switch_on', self.user_qc, comment="Reorganised.")
        self._create_reviewer(name="New", group_id=self.env.ref('mrp_mmr.group_mmr_qc').id)
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual((self.revision.document, self.revision.review_ids), (document, reviews))
        self.assertEqual(self.revision.open_review_names, "Production, Regulatory Affairs")
        self._sign(self.revision, 'review', self.user_production)
        self._refuse('review', self.user_operator, "does not have the role Qualified Person")
        self._sign(self.revision, 'review', self.user_qp)
        self._sign(self.revision, 'approve', self.user_qc)
        second = self._new_revision(self.revision)
        self.assertEqual([row['name'] for row in second._prepare_document()['reviewers']], ["Renamed", "New"])

    def test_route_is_set_by_quality_control(self):
        """SEC-010: only Quality Control says who reviews."""
        vals = {'name': "Nobody", 'group_id': self.env.ref('base.group_user').id}
        for user in (self.user_preparer, self.user_manager, self.user_production, self.user_auditor):
            with self.subTest(user=user.login):
                for call in (lambda user=user: self.env['mrp.mmr.reviewer'].with_user(user).create(dict(vals)),
                             lambda user=user: self.draft_review.with_user(user).write({'active': False}),
                             lambda user=user: self.draft_review.with_user(user).unlink(),
                             lambda user=user: self.draft_review.with_user(user).action_switch(),
                             lambda user=user: self.production_review.with_user(user).action_switch()):
                    with self.assertRaises(AccessError):
                        call()
                self._refuse('switch_on', user, "APR-050", self.draft_review, comment="Why not?")
                self._refuse('switch_off', user, "APR-050", self.production_review, comment="Why not?")

    def test_route_is_signed(self):
        """APR-030, AUD-060: a review comes into force, and goes out of it, by a signature with a reason, in the ledger."""
        review = self.draft_review
        self._refuse('switch_on', self.user_qc, "a reason is required", review)
        self.assertFalse(review.enabled)
        signature = self._sign(review, 'switch_on', self.user_qc, comment="Quality manual 4.2")
        self.assertTrue(review.enabled)
        self.assertEqual(signature.content['role'], {'id': review.group_id.id, 'name': review.group_id.display_name})
        self.assertEqual(self.revision._prepare_document()['reviewers'][-1]['name'], review.name)
        self.env.flush_all()
        lines = self.env['mrp.audit.entry'].sudo().search(
            [('res_model', '=', review._name), ('res_id', '=', review.id)], order='id')
        self.assertEqual(lines.mapped('kind'), ['create', 'refused_sign', 'sign', 'write'])
        self.assertEqual(lines[2].reason, "Quality manual 4.2")
        self.assertEqual(lines[3].values, {'enabled': {'old': False, 'new': True}})
        self._refuse('switch_on', self.user_qc, "APR-030", review, digest=signature.content_sha256, comment="Again")
        # In force it is what was signed, for everybody.
        for user in (self.user_qc, self.env.ref('base.user_admin'), self.env.user):
            for vals in ({'enabled': False}, {'name': "x"}, {'sequence': 99}, {'active': False},
                         {'group_id': self.env.ref('base.group_user').id}, {'company_id': self.company.id},
                         {'profile_id': self.env.ref('mrp_mmr.profile_peu').id}):
                with self.subTest(user=user.login, vals=vals), self.assertRaisesRegex(UserError, "APR-030"):
                    review.with_user(user).sudo().with_context(install_mode=True, mmr_transition=True).write(vals)
        with self.assertRaisesRegex(UserError, "APR-030"):
            review.sudo().with_context(_force_unlink=True).unlink()
        with self.assertRaisesRegex(UserError, "APR-030"):
            self.env['mrp.mmr.reviewer'].sudo().create({
                'name': "x", 'group_id': review.group_id.id, 'enabled': True})
        self.assertFalse(self.env['mrp.mmr.reviewer'].sudo().with_context(default_enabled=True).create(
            {'name': "x", 'group_id': review.group_id.id}).enabled)
        self.assertFalse(review.copy().enabled)
        # Out of force it can be changed, and is put in force as it is then; what was signed stays.
        self._sign(review, 'switch_off', self.user_qc, comment="Reorganised.")
        review.with_user(self.user_qc).name = "Engineering"
        with self.assertRaisesRegex(UserError, "it has been signed"):
            review.with_user(self.user_qc).unlink()
        self.assertEqual(signature.content['name'], "Not signed yet")
        review.with_user(self.user_qc).active = False
        self._refuse('switch_on', self.user_qc, "APR-030", review, digest='x', comment="Archived")

    def test_route_by_sql(self):
        """APR-030, REC-040: PostgreSQL takes no review into force, or out of it, that nobody signed as it is."""
        review = self.draft_review
        statements = {
            "UPDATE mrp_mmr_reviewer SET enabled = true WHERE id = %s": review,
            "INSERT INTO mrp_mmr_reviewer (name, group_id, enabled) SELECT 'x', group_id, true FROM mrp_mmr_reviewer "
            "WHERE id = %s": review,
            **{f"UPDATE mrp_mmr_reviewer SET {change} WHERE id = %s": self.production_review for change in (
                "enabled = false", "name = 'x'", "sequence = 99", "company_id = NULL", "active = false", "group_id = 1",
                "profile_id = (SELECT min(id) FROM mrp_mmr_profile)")},
            "DELETE FROM mrp_mmr_reviewer WHERE id = %s": self.production_review,
        }
        for statement, record in statements.items():
            with self.subTest(sql=statement), self.assertRaisesRegex(CheckViolation, "APR-030|REC-040"):
                self._sql(statement, record.id)
        # Neither the signature of another state nor that of another content does.
        self._sign(review, 'switch_on', self.user_qc, comment="Needed")
        self._sign(review, 'switch_off', self.user_qc, comment="Not needed")
        review.name = "Another"
        for statement in ("UPDATE mrp_mmr_reviewer SET enabled = true WHERE id = %s",
                          "UPDATE mrp_mmr_reviewer SET enabled = true, name = 'Not signed yet' WHERE id = %s"):
            with self.subTest(sql=statement), self.assertRaisesRegex(CheckViolation, "APR-030"):
                self._sql(statement, review.id)

    # === THE DATABASE === #

    def _sql(self, query, *params):
        self.env.flush_all()
        with mute_logger('odoo.sql_db'), self.cr.savepoint():
            self.cr.execute(query, params)

    def _approval(self, user=None):
        """Return an approval over the content of the revision, as no road of the addon gives it now."""
        revision, user = self.revision, user or self.user_qc
        signatures = self.env['mrp.esignature'].sudo()
        vals = signatures._prepare_signature_vals(
            revision, user, 'approved', "x", "Quality Control", revision.document_sha256,
            basis=revision.prepared_signature_id, key=open_key(user))
        with signing(vals['signature_sha256']):
            return signatures.create(vals)

    _APPROVE = "UPDATE mrp_mmr_revision SET state = 'approved', approved_signature_id = %s WHERE id = %s"

    def test_sql_cannot_skip_a_review(self):
        """APR-030: PostgreSQL approves nothing whose reviews are missing, whatever signature there is."""
        self._submit()
        approval = self._approval()
        with self.assertRaisesRegex(CheckViolation, r"still waiting for a review \(APR-030\)"):
            self._sql(self._APPROVE, approval.id, self.revision.id)
        self._sign(self.revision, 'review', self.user_production)
        with self.assertRaisesRegex(CheckViolation, "APR-030"):
            self._sql(self._APPROVE, approval.id, self.revision.id)
        # Neither by borrowing another signature, nor by removing the review.
        review = self.revision.review_ids.sorted('id')[1]
        for signature in (review.prepared_signature_id, approval):
            with self.assertRaisesRegex(CheckViolation, r"no valid signature of its own \(APR-030\)"):
                self._sql("UPDATE mrp_mmr_review SET signature_id = %s WHERE id = %s", signature.id, review.id)
        for query in ("DELETE FROM mrp_mmr_review WHERE id = %s", "UPDATE mrp_mmr_review SET name = 'x' WHERE id = %s",
                      "UPDATE mrp_mmr_review SET revision_id = revision_id + 1 WHERE id = %s"):
            with self.subTest(query=query), self.assertRaisesRegex(CheckViolation, "REC-040"):
                self._sql(query, review.id)
        signed = self.revision.review_ids.sorted('id')[0]
        with self.assertRaisesRegex(CheckViolation, "REC-040"):
            self._sql("UPDATE mrp_mmr_review SET signature_id = NULL WHERE id = %s", signed.id)
        self._sign(self.revision, 'review', self.user_qp)
        self._sql(self._APPROVE, approval.id, self.revision.id)

    def test_one_review_does_not_stand_for_two(self):
        """APR-030: by SQL as well, the signature of one review is not the signature of another one."""
        self._submit()
        first = self._sign(self.revision, 'review', self.user_production)
        second = self.revision.review_ids.sorted('id')[1]
        with self.assertRaisesRegex(UniqueViolation, "signature_uniq"):
            self._sql("UPDATE mrp_mmr_review SET signature_id = %s WHERE id = %s", first.id, second.id)

    def test_sql_cannot_approve_unconfirmed_overages(self):
        """PRD-050: PostgreSQL approves nothing whose overages wait for Quality Control."""
        self._leave_route()
        line = self.revision.bom_line_ids[0].with_user(self.user_preparer)
        line.write({'mmr_overage_kind': 'percent', 'mmr_overage': 5, 'mmr_overage_rationale': "Loss"})
        self._submit()
        self._refuse('approve', self.user_qc, "PRD-050")
        approval = self._approval()
        with self.assertRaisesRegex(CheckViolation, r"not confirmed every overage .* \(PRD-050\)"):
            self._sql(self._APPROVE, approval.id, self.revision.id)
        line.with_user(self.user_qc).action_confirm_overage()
        self._sql(self._APPROVE, approval.id, self.revision.id)

    def test_sql_needs_an_independent_approver(self):
        """APR-040: PostgreSQL knows as well that the preparer does not approve, and wants the same digest."""
        self._leave_route()
        self._submit()
        own = self._approval(self.user_preparer)
        with self.assertRaisesRegex(CheckViolation, "APR-040"):
            self._sql(self._APPROVE, own.id, self.revision.id)
        with self.assertRefused('APR-040'):
            self._sql(self._APPROVE, None, self.revision.id)
        self.patch(type(self.revision), '_check_signatures', lambda self: None)
        other = self._create_mmr(200)
        self._sign(other, 'submit', self.user_preparer)
        foreign = self._sign(other, 'approve', self.user_qc)
        with self.assertRaisesRegex(CheckViolation, "APR-040"):
            self._sql(self._APPROVE, foreign.id, self.revision.id)

    def test_sql_does_not_forget_editors(self):
        """APR-040: PostgreSQL keeps the list of editors, and lets none of them approve, nor the same person."""
        self._leave_route()
        self.revision.with_user(self.user_both).precautions = "Edited."
        twin = enrol(self.user_qc.copy({'login': 't_twin', 'partner_id': self.user_both.partner_id.id}))
        self._submit()
        for query in ("DELETE FROM mrp_mmr_revision_editor_rel WHERE user_id = %s",
                      "UPDATE mrp_mmr_revision_editor_rel SET user_id = 1 WHERE user_id = %s"):
            with self.subTest(query=query), self.assertRaisesRegex(CheckViolation, "APR-040"):
                self._sql(query, self.user_both.id)
        for user in (self.user_both, twin):
            with self.subTest(user=user.login), self.assertRaisesRegex(CheckViolation, "APR-040"):
                self._sql(self._APPROVE, self._approval(user).id, self.revision.id)
        self._sign(self.revision, 'approve', self.user_qc)

    def test_reviews_are_not_written(self):
        """APR-030, SEC-020: no review is made, changed or deleted by a call."""
        self._submit()
        review = self.revision.review_ids[0]
        for user in (self.user_preparer, self.user_qc, self.user_production, self.env.ref('base.user_admin')):
            with self.subTest(user=user.login):
                for call in (
                        lambda record: record.write({'signature_id': self.revision.prepared_signature_id.id}),
                        lambda record: record.unlink(),
                        lambda record: record.copy(),
                        lambda record: record.create({
                            'revision_id': self.revision.id, 'name': "x", 'group_id': review.group_id.id,
                            'prepared_signature_id': self.revision.prepared_signature_id.id})):
                    with self.assertRaisesRegex(UserError, "APR-030"):
                        call(review.with_user(user).sudo())
                    with self.assertRefused('APR-030', 'AccessError'):
                        call(review.with_user(user))
                with self.assertRaisesRegex(UserError, "APR-010"):
                    self.revision.with_user(user).sudo().write({'review_ids': [Command.clear()]})

    # === ANNEX === #

    def test_annex(self):
        """SIG-030, PRD-050: redline and overages are covered by the digest of the approver's signature."""
        self._leave_route()
        line = self.revision.bom_line_ids[0].with_user(self.user_preparer)
        line.write({'mmr_overage_kind': 'percent', 'mmr_overage': 5, 'mmr_overage_rationale': "Loss"})
        self._submit()
        line.with_user(self.user_qc).action_confirm_overage()
        first = self._sign(self.revision, 'approve', self.user_qc)
        self.assertEqual([(row['component'], row['confirmed_by']) for row in first.annex['overages']],
                         [(self.component_a.id, self.user_qc.name)])
        self.assertIsNone(first.annex['redline']['before'])
        second = self._new_revision(self.revision)
        second.bom_line_ids[1].with_user(self.user_preparer).gmp_qty = 11
        self._sign(second, 'submit', self.user_preparer)
        second.with_user(self.user_qc).action_confirm_overages()
        expected = second._get_redline_digest()
        approved = self._sign(second, 'approve', self.user_qc)
        self.assertEqual(approved.annex['redline'], expected)
        self.assertEqual(approved.annex['redline']['before']['document_sha256'], self.revision.document_sha256)
        self.assertEqual(approved._get_printed_vals()['annex'], approved.annex)
        vals = {name: approved[name] for name in (
            'res_model', 'res_id', 'record_name', 'signer_name', 'signer_login', 'signer_role', 'meaning', 'statement',
            'comment', 'signed_at', 'signer_tz', 'content_sha256', 'annex')}
        vals.update({name: approved[name] for name in ('key_fingerprint', 'key_number', 'key_previous')})
        vals.update(user_id=approved.user_id.id, partner_id=approved.partner_id.id, voids_signature_id=False,
                    basis_signature_id=approved.basis_signature_id.id)
        content = approved._get_signed_content(vals)
        self.assertEqual(sha256(content), approved.signature_sha256)
        self.assertEqual((content['annex'], content['basis']), (approved.annex, second.prepared_signature_id.id))
        changes = {
            'annex': "annex = jsonb_set(annex, '{overages,0,confirmed_by}', '\"Somebody\"')",
            'redline': "annex = jsonb_set(annex, '{redline,redline_sha256}', '\"0\"')",
            'no annex': "annex = NULL",
            'basis': f"basis_signature_id = {first.id}",
        }
        for name, change in changes.items():
            with self.subTest(change=name), self.cr.savepoint() as savepoint:
                self.cr.execute('ALTER TABLE mrp_esignature DISABLE TRIGGER mrp_mmr_append_only')
                self.cr.execute(f'UPDATE mrp_esignature SET {change} WHERE id = %s', [approved.id])
                self.env.invalidate_all()
                self.assertFalse(approved._is_intact())
                with self.assertRaisesRegex(UserError, "verification of (?s:.)*SIG-030"):
                    second._check_signatures()
                savepoint.rollback()
            self.env.invalidate_all()
        self.assertTrue(approved._is_intact())

    # === REVIEW IN TIME, RETIREMENT === #

    def _effective(self):
        self._leave_route()
        return self._make_effective(self.revision)

    def test_periodic_review(self):
        """REV-070: a signed periodic review of an effective revision sets the next date; only Quality Control signs."""
        self._refuse('periodic_review', self.user_qc, "APR-010", digest='0' * 64)
        revision = self._effective()
        mmr = revision.mmr_id
        today = fields.Date.today()
        self.assertEqual(mmr.date_next_review, fields.Date.add(today, months=24))
        for user in (self.user_preparer, self.user_production, self.user_manager):
            with self.subTest(user=user.login), self.assertRaisesRegex(AccessError, "APR-050"):
                revision.with_user(user).action_periodic_review()
        with self.assertRaisesRegex(UserError, "REV-020"):
            mmr.sudo().date_next_review = fields.Date.add(today, years=50)
        later = fields.Date.add(today, months=25)
        with freeze_time(later):
            mmr.invalidate_recordset()
            self.assertTrue(mmr.is_review_overdue)
            signature = self._sign(revision, 'periodic_review', self.user_qc, comment="Still right")
            self.assertEqual((signature.meaning, signature.content_sha256), ('reviewed', revision.document_sha256))
            self.assertEqual(mmr.date_next_review, fields.Date.add(later, months=24))
            self.assertFalse(mmr.is_review_overdue)
        self.assertEqual(revision.state, 'effective')

    def test_retire(self):
        """REV-080: Quality Control retires with reason and signature; orders are refused and stay readable."""
        revision = self._effective()
        for user in (self.user_preparer, self.user_manager, self.user_production, self.env.ref('base.user_admin')):
            with self.subTest(user=user.login), self.assertRaisesRegex(AccessError, "APR-050"):
                revision.with_user(user).action_retire()
        self.assertIn("reason", self._esign(revision, 'retire', self.user_qc)['refused'])
        running, draft = self._create_order(), self._create_order()
        running.action_confirm()
        signature = self._sign(revision, 'retire', self.user_qc, comment="Discontinued")
        self.assertEqual((revision.state, revision.retired_signature_id, signature.meaning), ('obsolete', signature, 'retired'))
        self.assertFalse(revision.bom_id.active)
        with self.assertRaisesRegex(UserError, "USE-010"):
            draft.action_confirm()
        self.assertEqual((running.state, running.mmr_decision), ('confirmed', 'pending'))
        self.assertEqual(revision.with_user(self.user_auditor).document['precautions'], "Protect from moisture.")
        for action in ('retire', 'approve', 'submit', 'periodic_review'):
            self._refuse(action, self.user_all, "APR-010", digest='0' * 64, revision=revision)

    def test_retire_before_its_day(self):
        """REV-080: an approved revision is retired before it is used, and never becomes effective."""
        self._leave_route()
        day = fields.Date.today() + timedelta(days=5)
        self.revision.with_user(self.user_preparer).date_effective = day
        self._submit()
        self._sign(self.revision, 'approve', self.user_qc)
        self._sign(self.revision, 'retire', self.user_qc, comment="No market")
        with freeze_time(day):
            self.env['mrp.mmr.revision']._cron_activate_due()
        self.assertEqual(self.revision.state, 'obsolete')

    def test_retired_since_submission(self):
        """CON-070, CON-190, APR-030: what was retired after the preparer signed is not approved."""
        self._leave_route()
        revision = self._create_mmr(700)
        self._sign(revision, 'submit', self.user_preparer)
        document = revision.specification_ids.document_id
        document.sudo().state = 'obsolete'
        self.assertIn("is obsolete", self._esign(revision, 'approve', self.user_qc)['refused'])
        document.sudo().state = 'current'
        self._sign(revision.pack_ids.label_id, 'obsolete', self.user_qc, comment="New text")
        self.assertIn("CON-070", self._esign(revision, 'approve', self.user_qc)['refused'])
        self.assertEqual(revision.state, 'submitted')
