"""My Work about product quality reviews: to prepare, to approve, due (USR-010, RPT-030)."""

from odoo import api, models
from odoo.tools import LazyTranslate

from ...domain.my_work import WorkLine, WorkSource

_lt = LazyTranslate(__name__)
QC, MANAGER = 'mrp_mmr.group_mmr_qc', 'mrp_mmr.group_mmr_quality_manager'


class MrpMyWork(models.AbstractModel):
    _inherit = 'mrp.my.work'

    _work_sources = {
        'quality_review_approve': WorkSource(
            section='sign', order=71, model='mrp.quality.review', roles=(QC,), find='_find_quality_reviews_to_approve',
            title=_lt("Product quality reviews to approve"),
            why=_lt("You are of Quality Control, and somebody else prepared it.")),
        'quality_review_prepare': WorkSource(
            section='sign', order=72, model='mrp.quality.review', roles=(QC, MANAGER), find='_find_quality_review_drafts',
            title=_lt("Product quality reviews to complete"), why=_lt("You began it.")),
        'quality_review_due': WorkSource(
            section='sign', order=73, model='mrp.mmr', roles=(QC, MANAGER), find='_find_quality_reviews_due',
            title=_lt("Products without a quality review of the last year"), why=_lt("You write these reviews.")),
    }

    @api.model
    def _find_quality_reviews_to_approve(self, shared):
        reviews = self._find_work('mrp.quality.review', [('state', '=', 'prepared')], order='id')._filter_offered('approve')
        return [WorkLine(record=review, since=review.sudo().prepared_signature_id.signed_at) for review in reviews]

    @api.model
    def _find_quality_review_drafts(self, shared):
        drafts = self._find_work('mrp.quality.review', [('state', '=', 'draft'), ('create_uid', '=', self.env.uid)], order='id')
        return [WorkLine(record=draft, since=draft.create_date) for draft in drafts._filter_offered('prepare')]

    @api.model
    def _find_quality_reviews_due(self, shared):
        # What is due is known of all companies; the person sees those of the own.
        due = self._find_work('mrp.mmr', [('id', 'in', self.env['mrp.quality.review']._get_due_mmrs().ids)], order='id')
        return [WorkLine(record=mmr, name=mmr.product_id.display_name, is_late=True) for mmr in due]
