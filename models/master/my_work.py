"""My Work about masters: drafts, reviews, approvals, labels, periodic reviews, and training on them (USR-010)."""

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import LazyTranslate

from ...domain.my_work import WorkLine, WorkSource

_lt = LazyTranslate(__name__)
PREPARER, QC, PRODUCTION = (f'mrp_mmr.group_mmr_{role}' for role in ('preparer', 'qc', 'production'))
#: Days before its date in which a periodic review is shown.
REVIEW_DAYS = 30


class MrpMyWork(models.AbstractModel):
    _inherit = 'mrp.my.work'

    _work_sources = {
        'revision_approve': WorkSource(
            section='sign', order=40, model='mrp.mmr.revision', roles=(QC,), find='_find_revisions_to_approve',
            title=_lt("Masters to approve"), why=_lt("You are of Quality Control and neither prepared nor edited it.")),
        'revision_review': WorkSource(
            section='sign', order=41, model='mrp.mmr.revision', find='_find_revisions_to_review',
            title=_lt("Masters to review"), why=_lt("You have the role of this review, and somebody else prepared it.")),
        'revision_submit': WorkSource(
            section='sign', order=42, model='mrp.mmr.revision', roles=(PREPARER,), find='_find_drafts',
            title=_lt("Drafts to complete and submit"), why=_lt("You wrote at this draft.")),
        'label_approve': WorkSource(
            section='sign', order=45, model='mrp.mmr.label', roles=(QC,), find='_find_labels',
            title=_lt("Labels to approve"), why=_lt("You are of Quality Control.")),
        'periodic_review': WorkSource(
            section='sign', order=70, model='mrp.mmr.revision', roles=(QC,), find='_find_periodic_reviews',
            title=_lt("Periodic reviews of masters"), why=_lt("You are of Quality Control.")),
        'training_record': WorkSource(
            section='sign', order=81, model='mrp.mmr.revision', roles=(PRODUCTION, QC), find='_find_training_to_record',
            title=_lt("Training to give"), why=_lt("You record training.")),
        'review_late': WorkSource(
            section='late', order=60, model='mrp.mmr.revision', find='_find_late_reviews',
            title=_lt("Periodic reviews past their date"), why=_lt("Quality Control signs it.")),
        'training_own': WorkSource(
            section='mine', order=40, model='mrp.mmr.revision', find='_find_own_training',
            title=_lt("Training that I need"), why=_lt("A step of this master names your role.")),
    }

    @api.model
    def _prepare_revision(self, revision, **vals):
        product = revision.sudo().product_id.with_context(display_default_code=False).display_name
        return WorkLine(record=revision, name=f"{revision.display_name} · {product}", **vals)

    @api.model
    def _find_drafts(self, shared):
        uid = self.env.uid
        drafts = self._find_work('mrp.mmr.revision', Domain('state', '=', 'draft') & (
            Domain('create_uid', '=', uid) | Domain('editor_ids', 'in', [uid])), order='create_date, id')
        return [self._prepare_revision(draft, since=draft.create_date) for draft in drafts._filter_offered('submit')]

    @api.model
    def _find_submitted(self, shared):
        return shared.once('submitted', lambda: self._find_work('mrp.mmr.revision', [('state', '=', 'submitted')], order='id'))

    @api.model
    def _find_revisions_to_review(self, shared):
        revisions = self._find_submitted(shared)._filter_offered('review')
        return [self._prepare_revision(revision, since=revision.sudo().prepared_signature_id.signed_at,
                                       what=revision._get_open_reviews()[:1].name) for revision in revisions]

    @api.model
    def _find_revisions_to_approve(self, shared):
        revisions = self._find_submitted(shared).filtered(lambda revision: not revision._get_open_reviews())
        return [self._prepare_revision(
            revision, since=revision.sudo().prepared_signature_id.signed_at,
            what=self.env._("confirm its overages, then approve") if revision.sudo()._get_unconfirmed_overages() else '',
        ) for revision in revisions._filter_offered('approve')]

    @api.model
    def _find_labels(self, shared):
        labels = self._find_work('mrp.mmr.label', [('state', '=', 'draft')], order='id')._filter_offered('approve')
        return [WorkLine(record=label, since=label.create_date) for label in labels]

    # === PERIODIC REVIEWS === #

    @api.model
    def _find_reviews_until(self, days):
        """Return the effective revisions whose review is due within some days, or was."""
        mmrs = self._find_work('mrp.mmr', Domain('effective_revision_id', '!=', False) & self.env[
            'res.company']._get_mmr_past_domain('date_next_review', until=days), order='date_next_review, id')
        return mmrs.effective_revision_id

    @api.model
    def _prepare_reviews(self, revisions):
        return [self._prepare_revision(
            revision, due=revision.mmr_id.date_next_review, is_late=revision.mmr_id.is_review_overdue)
            for revision in revisions]

    @api.model
    def _find_periodic_reviews(self, shared):
        return self._prepare_reviews(self._find_reviews_until(REVIEW_DAYS)._filter_offered('periodic_review'))

    @api.model
    def _find_late_reviews(self, shared):
        return self._prepare_reviews(self._find_reviews_until(0))

    # === TRAINING === #

    @api.model
    def _get_untrained(self, shared):
        """Return who lacks training on masters that are worked by: users by revision."""
        return shared.once('untrained', lambda: self._find_work('mrp.mmr.revision', Domain(
            'state', 'in', ('approved', 'effective')) & Domain('mmr_id.revision_ids', 'any', [
                ('training_required', '=', True)]), order='id')._group_untrained_users())

    @api.model
    def _find_training_to_record(self, shared):
        lines = []
        for revision, users in self._get_untrained(shared).items():
            others = users.filtered(lambda user: user.id != self.env.uid)
            if others:
                names = ', '.join(others[:3].mapped('name'))
                lines.append(self._prepare_revision(
                    revision, since=revision.effective_at, what=names if len(others) <= 3 else self.env._(
                        "%(names)s and %(count)s more", names=names, count=len(others) - 3)))
        return lines

    @api.model
    def _find_own_training(self, shared):
        return [self._prepare_revision(
            revision, since=revision.effective_at, what=self.env._("have it recorded before you work by it"))
            for revision, users in self._get_untrained(shared).items() if self.env.uid in users.ids]
