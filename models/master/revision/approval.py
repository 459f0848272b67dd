"""Signing a revision: prepared, reviewed, approved, rejected, retired, and reviewed again in time."""

from datetime import timedelta

from odoo import api, models
from odoo.tools import LazyTranslate

from ....domain.canonical import iso_utc
from ....domain.refusals import refusal
from ....domain.signing import SigningRule
from ....domain.transitions import transition

_lt = LazyTranslate(__name__)
QC = 'mrp_mmr.group_mmr_qc'


class MrpMmrRevision(models.Model):
    _inherit = 'mrp.mmr.revision'

    _signing_citation = "APR-010, 21 CFR 111.123(a)(1)"
    _signing_next_step = _lt("follow the workflow of a revision: draft, submitted, approved, effective.")
    _signing_actions = {
        'submit': SigningRule(
            meaning='prepared', group='mrp_mmr.group_mmr_preparer', states=('draft',), leads_to='submitted',
            statement=_lt("I prepared this master manufacturing record; it is complete and correct."),
            prepare='_prepare_submission', check_signer='_check_submitter', filter_signer='_filter_submitter',
            apply='_apply_submission'),
        # The role is that of the review of the approval route which comes next.
        'review': SigningRule(
            meaning='reviewed', group=None, states=('submitted',),
            statement=_lt("I reviewed this master manufacturing record for my area and agree with it."),
            prepare='_prepare_review', check_signer='_check_reviewer', filter_signer='_filter_reviewer',
            apply='_apply_review'),
        'approve': SigningRule(
            meaning='approved', group=QC, states=('submitted',), leads_to='approved',
            statement=_lt("I reviewed this master manufacturing record independently and approve it for use."),
            prepare='_prepare_approval', check_signer='_check_approver', filter_signer='_filter_approver',
            apply='_apply_approval'),
        'reject': SigningRule(
            meaning='rejected', group=QC, states=('submitted',), leads_to='draft', comment_required=True,
            statement=_lt("I reject this master manufacturing record; the preparer's signature is void."),
            prepare='_prepare_rejection', apply='_apply_rejection'),
        'retire': SigningRule(
            meaning='retired', group=QC, states=('approved', 'effective'), leads_to='obsolete', comment_required=True,
            statement=_lt("I retire this master manufacturing record without successor."),
            prepare='_prepare_decision_on_document', apply='_apply_retirement'),
        'periodic_review': SigningRule(
            meaning='reviewed', group=QC, states=('effective',),
            statement=_lt("I reviewed this master manufacturing record; it is still correct and in use."),
            prepare='_prepare_decision_on_document', apply='_apply_periodic_review'),
    }

    # === ACTIONS === #

    def action_submit(self):
        """Open the signature of the preparer (APR-020, 21 CFR 211.186(a))."""
        return self.action_open_signature('submit')

    def action_review(self):
        """Open the signature of the next reviewer of the approval route."""
        return self.action_open_signature('review')

    def action_approve(self):
        """Open the signature of Quality Control (APR-030, 21 CFR 111.123(a)(1))."""
        return self.action_open_signature('approve')

    def action_reject(self):
        """Open the rejection of Quality Control: signed, with a reason (APR-010)."""
        return self.action_open_signature('reject')

    def action_retire(self):
        """Open the retirement by Quality Control: signed, with a reason (REV-080)."""
        return self.action_open_signature('retire')

    def action_periodic_review(self):
        """Open the signature of the periodic review of an effective revision (REV-070, EU GMP 4.5)."""
        return self.action_open_signature('periodic_review')

    # === SIGNING === #

    def _prepare_submission(self, action):
        self._check_complete()
        return self._make_signing_action(action, self._prepare_document())

    def _prepare_review(self, action):
        review = self._get_open_reviews()[:1]
        if not review:
            raise refusal(
                self.env, self.env._("%s is not waiting for a review.", self.display_name), self._signing_citation,
                self.env._("have Quality Control approve it, or reject it."), record=self)
        return self._make_signing_action(
            action, group=review.sudo().group_id, digest=self.document_sha256, basis=self.prepared_signature_id,
            annex=self.sudo()._prepare_annex(action))

    def _prepare_approval(self, action):
        return self._make_signing_action(
            action, digest=self.document_sha256, basis=self.prepared_signature_id,
            annex=self.sudo()._prepare_annex(action))

    def _prepare_rejection(self, action):
        return self._make_signing_action(action, digest=self.document_sha256, voids=self.prepared_signature_id)

    def _prepare_decision_on_document(self, action):
        return self._make_signing_action(action, digest=self.document_sha256)

    def _get_signing_profile(self):
        return self.profile_id

    def _prepare_annex(self, action):
        """Return what a reviewer or approver signs in addition to the document, or a digest of it.

        The redline is what changed against the revision before; overages are confirmed after the preparer signed.
        """
        self.ensure_one()
        annex = {'redline': self._get_redline_digest()}
        if action == 'approve':
            annex['overages'] = [{
                'component': line.product_id.id, 'confirmed_by': line.mmr_overage_confirmed_id.name,
                'confirmed_at': iso_utc(line.mmr_overage_confirmed_at),
            } for line in self.bom_id.bom_line_ids if line._has_overage()]
        else:
            annex['review'] = self._get_open_reviews()[:1].name
        return annex

    def _get_open_reviews(self):
        """Return the reviews that this submitted revision still waits for, in their order."""
        self.ensure_one()
        if self.state != 'submitted':
            return self.env['mrp.mmr.review']
        return self.sudo().review_ids.filtered(
            lambda review: review.prepared_signature_id == self.prepared_signature_id and not review.signature_id
        ).sorted('id')

    @api.model
    def _get_reviewers_domain(self, profile, company):
        return [('enabled', '=', True), ('profile_id', 'in', (False, profile.id)), ('company_id', 'in', (False, company.id))]

    def _get_reviewers(self):
        """Return the roles that company and profile add to the approval route, in order."""
        self.ensure_one()
        # Archived ones are not in the document, whatever the context of the signer says.
        return self.env['mrp.mmr.reviewer'].sudo().with_context(active_test=True).search(
            self._get_reviewers_domain(self.profile_id, self.company_id))

    # === SIGNERS === #

    def _group_by_signing_role(self, action):
        if action != 'review':
            return super()._group_by_signing_role(action)
        # What waits for no review any more is reviewed by nobody.
        by_role = self.grouped(lambda revision: revision._get_open_reviews()[:1].group_id)
        return {group: revisions for group, revisions in by_role.items() if group}

    def _filter_submitter(self, action, user):
        return self.with_user(user)._filtered_access('write').with_env(self.env)

    def _check_submitter(self, action, user):
        self.check_access('write')

    def _get_preparers(self):
        """Return keys of the persons who signed this revision as prepared (APR-040)."""
        signature = self.sudo().prepared_signature_id
        return {('partner', signature.partner_id.id)} | signature.user_id._get_gmp_persons()

    def _filter_reviewer(self, action, user):
        """Return those of these revisions that somebody else than ``user`` prepared (APR-040)."""
        persons = user._get_gmp_persons()
        return self.filtered(lambda revision: not revision._get_preparers() & persons)

    def _filter_approver(self, action, user):
        """Return those of these revisions that ``user`` neither prepared nor edited (APR-040)."""
        persons = user._get_gmp_persons()
        return self.filtered(lambda revision: not persons & (
            revision._get_preparers() | (revision.sudo().editor_ids | revision.create_uid)._get_gmp_persons()))

    def _check_approver(self, action, user):
        """Refuse to approve what is not ready for it, and persons who had a part in it (APR-030, APR-040)."""
        self._check_approvable()
        if not self._filter_approver(action, user):
            raise refusal(
                self.env,
                self.env._("%(user)s prepared or edited %(revision)s and cannot approve it.",
                           user=user.name, revision=self.display_name),
                "APR-040, 21 CFR 211.186(a), 111.12(b)",
                self.env._("ask an independent member of Quality Control to approve it."), record=self)
        if self.date_effective and self.date_effective < self._get_today():
            raise refusal(
                self.env,
                self.env._("The effective date %(date)s of %(revision)s is earlier than its approval.",
                           date=self.date_effective, revision=self.display_name),
                "REV-030, EU GMP 4.3", self.env._("reject it, so that the preparer sets a new date."), record=self)
        if not self._is_content_signed():
            raise refusal(
                self.env,
                self.env._("The content of %s is not what its preparer signed.", self.display_name),
                "APR-060, 21 CFR 11.70", self.env._("reject it, so that it is submitted again."), record=self)

    def _check_approvable(self):
        """Refuse to approve what waits for reviews, names what is not in force any more, or has unconfirmed overages."""
        reviews = self._get_open_reviews()
        if reviews:
            raise refusal(
                self.env,
                self.env._("%(revision)s is still waiting for: %(reviews)s.", revision=self.display_name,
                           reviews=', '.join(reviews.mapped('name'))),
                "APR-030, 21 CFR 111.123(a)(1)", self.env._("have these reviews signed first."), record=self)
        # Labels and documents may have been retired since the preparer signed.
        problems = [*self.sudo()._unmet_label(), *self.sudo()._unmet_references()]
        if problems:
            raise refusal(
                self.env,
                self.env._("%(revision)s can no longer be approved:\n%(rows)s", revision=self.display_name,
                           rows='\n'.join(f"• {problem}" for problem in problems)),
                "CON-070, CON-190, 21 CFR 111.210(g), 111.123(a)(1)",
                self.env._("reject it, so that the preparer can replace what is no longer in force."), record=self)
        overages = self.sudo()._get_unconfirmed_overages()
        if overages:
            raise refusal(
                self.env,
                self.env._("%(revision)s has overages that Quality Control has not confirmed: %(components)s.",
                           revision=self.display_name, components=', '.join(overages.product_id.mapped('display_name'))),
                "PRD-050, 21 CFR 111.123(a)(1), 111.210(e)",
                self.env._("read each rationale on the Components page and use Confirm Overages."), record=self)

    def _check_reviewer(self, action, user):
        """A reviewer is another person than the preparer (APR-040)."""
        if not self._filter_reviewer(action, user):
            raise refusal(
                self.env,
                self.env._("%(user)s prepared %(revision)s and cannot review it.",
                           user=user.name, revision=self.display_name),
                "APR-040, 21 CFR 211.186(a), 111.12(b)", self.env._("ask another person with this role."), record=self)

    # === EFFECT === #

    def _apply_submission(self, action, signature):
        self.write({
            'state': self._get_signing_rule(action).leads_to, 'submitted_once': True,
            'prepared_signature_id': signature.id, 'document': signature.content,
            'document_sha256': signature.content_sha256,
        })
        self.env['mrp.mmr.review'].create([{
            'revision_id': self.id, 'name': reviewer.name, 'group_id': reviewer.group_id.id,
            'prepared_signature_id': signature.id,
        } for reviewer in self._get_reviewers()])
        self._notify_next()
        self._post_signature(signature)

    def _apply_review(self, action, signature):
        self._get_open_reviews()[:1].write({'signature_id': signature.id})
        self._close_approval_activities()
        self._notify_next()
        self._post_signature(signature)

    def _apply_approval(self, action, signature):
        self.write({'state': self._get_signing_rule(action).leads_to, 'approved_signature_id': signature.id})
        self._close_approval_activities()
        self._activate_due()
        self._post_signature(signature)

    def _apply_rejection(self, action, signature):
        # Document and preparer's signature stay with the void signature itself.
        self.write({
            'state': self._get_signing_rule(action).leads_to, 'prepared_signature_id': False, 'document': False,
            'document_sha256': False})
        self._close_approval_activities()
        self._post_signature(signature)

    def _apply_retirement(self, action, signature):
        self.write({
            'state': self._get_signing_rule(action).leads_to, 'retired_signature_id': signature.id,
            'ended_at': signature.signed_at})
        self._flag_running_orders()
        with transition(self.bom_id):
            self.bom_id.write({'active': False})
        self._post_signature(signature)

    def _apply_periodic_review(self, action, signature):
        self.mmr_id._plan_next_review()
        self._post_signature(signature)

    def _post_signature(self, signature):
        self._message_log(
            body=self.env._("%(meaning)s by %(name)s, digest %(digest)s. %(comment)s",
                            meaning=signature._get_meaning_label(), name=signature.signer_name,
                            digest=signature.content_sha256[:16], comment=signature.comment or ''),
            author_id=signature.partner_id.id)

    def _refuse_transition(self, statement):
        return refusal(
            self.env,
            self.env._("%(revision)s is %(state)s: '%(step)s' is not possible now.", revision=self.display_name,
                       state=self._get_state_label(), step=statement),
            self._signing_citation, self.env._(self._signing_next_step), record=self)

    def _notify_next(self):
        """Give everybody who may sign next an activity: the next reviewer, or Quality Control."""
        review = self._get_open_reviews()[:1]
        if review:
            group = review.group_id
            blocked = self.prepared_signature_id.user_id._get_gmp_persons()
            summary = self.env._("Review %s", self.display_name)
        else:
            group = self.env.ref('mrp_mmr.group_mmr_qc').sudo()
            blocked = (self.editor_ids | self.prepared_signature_id.user_id)._get_gmp_persons()
            summary = self.env._("Approve %s", self.display_name)
        for user in group.all_user_ids:
            if user.active and not user.share and self.company_id in user.company_ids \
                    and not blocked & user._get_gmp_persons():
                self.activity_schedule(
                    'mrp_mmr.mail_activity_type_approval', user_id=user.id, summary=summary,
                    date_deadline=self._get_today() + timedelta(days=3))

    def _close_approval_activities(self):
        self.activity_unlink(['mrp_mmr.mail_activity_type_approval'])
