"""Product quality review: what a product did in a period, what follows from it, signed by two persons (RPT-030)."""

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, LazyTranslate

from ...domain.refusals import refusal
from ...domain.signing import SigningRule
from ...domain.transitions import in_transition, without_defaults
from ..base.json_field import JsonDocument
from .figures import QualityFigures

_lt = LazyTranslate(__name__)
QC, MANAGER = 'mrp_mmr.group_mmr_qc', 'mrp_mmr.group_mmr_quality_manager'
RULE = "RPT-030, 21 CFR 211.180(e), EU GMP Part I 1.10, 4.29"
STATES = [
    ('draft', "Draft"),
    ('prepared', "Prepared"),
    ('approved', "Approved"),
]
SYSTEM_FIELDS = {'name', 'state', 'document', 'document_sha256', 'prepared_signature_id', 'approved_signature_id'}
CONTENT_FIELDS = SYSTEM_FIELDS | {
    'company_id', 'product_ids', 'date_from', 'date_to', 'grouping_reason', 'conclusion', 'actions', 'other_information'}
ACTIVITY = 'mrp_mmr.mail_activity_type_quality_review'


class MrpQualityReview(models.Model):
    """The review of one product, or of some of one family, in a period (21 CFR 211.180(e), EU GMP Part I 1.10).

    A draft shows the figures as they are now. The signature of who prepared it freezes them, with the conclusions, into one
    document, over which another person of Quality Control decides.

    Also held in guards/mrp_quality_review.sql and guards/mrp_quality_review_product_rel.sql.
    """
    _name = 'mrp.quality.review'
    _description = "Product Quality Review"
    _inherit = ['mail.thread', 'mail.activity.mixin', 'mrp.esignature.mixin', 'mrp.audit.mixin',
                'mrp.audit.trail.mixin']
    _order = 'date_to desc, id desc'
    _check_company_auto = True

    def _default_date_from(self):
        return self.env.company._get_mmr_today() + relativedelta(years=-1, month=1, day=1)

    def _default_date_to(self):
        return self.env.company._get_mmr_today() + relativedelta(years=-1, month=12, day=31)

    name = fields.Char("Number", required=True, readonly=True, copy=False, default="/")
    company_id = fields.Many2one(
        'res.company', required=True, readonly=True, index=True, ondelete='restrict', default=lambda self: self.env.company)
    product_ids = fields.Many2many(
        'product.product', 'mrp_quality_review_product_rel', 'review_id', 'product_id', "Products", required=True,
        ondelete='restrict', domain="[('mmr_controlled', '=', True)]", check_company=True)
    grouping_reason = fields.Text(
        "Reason for Grouping", help="Why products of more than one family are reviewed together (EU GMP Part I 1.11).")
    is_grouped = fields.Boolean(compute='_compute_is_grouped', help="Whether its products belong to more than one family.")
    date_from = fields.Date("From", required=True, default=lambda self: self._default_date_from(), tracking=True)
    date_to = fields.Date(
        "To", required=True, default=lambda self: self._default_date_to(), tracking=True, help="Last day of the period.")
    profile_ids = fields.Many2many('mrp.mmr.profile', string="Profiles", compute='_compute_profile_ids')
    state = fields.Selection(
        STATES, "Status", required=True, readonly=True, copy=False, default='draft', index=True, tracking=True)
    conclusion = fields.Text(
        "Conclusions", help="Whether the process, specifications and controls are still suitable, and why.")
    actions = fields.Text(help="What is to be corrected, prevented, revalidated or changed, with the CAPA numbers.")
    other_information = fields.Text(
        "From Other Sources", help="What is kept outside this database: stability, recalls, variations, commitments, "
                                   "agreements, utilities.")
    document = JsonDocument("Frozen Document", readonly=True, copy=False, prefetch=False)
    document_sha256 = fields.Char("Digest of the Document", readonly=True, copy=False)
    figures_html = fields.Html("Figures", compute='_compute_figures_html', sanitize=False)
    prepared_signature_id = fields.Many2one('mrp.esignature', "Prepared", readonly=True, copy=False, ondelete='restrict')
    approved_signature_id = fields.Many2one('mrp.esignature', "Approved", readonly=True, copy=False, ondelete='restrict')

    _name_uniq = models.UniqueIndex('(company_id, name)', "The number of a product quality review must be unique.")
    _period = models.Constraint('CHECK (date_from <= date_to)', "A period cannot end before it begins (RPT-030).")

    # === COMPUTE === #

    @api.depends('name', 'product_ids')
    def _compute_display_name(self):
        for review in self:
            review.display_name = ' '.join(filter(None, (review.name, ', '.join(review.sudo().product_ids.mapped('name')))))

    @api.depends('product_ids')
    def _compute_is_grouped(self):
        for review in self:
            review.is_grouped = len(review.product_ids.product_tmpl_id) > 1

    @api.depends('product_ids', 'company_id')
    def _compute_profile_ids(self):
        mmrs = self.env['mrp.mmr'].sudo().search([
            ('product_id', 'in', self.product_ids.ids), ('company_id', 'in', self.company_id.ids)])
        for review in self:
            review.profile_ids = mmrs.filtered(
                lambda mmr, review=review: mmr.product_id in review.product_ids._origin
                and mmr.company_id == review.company_id).profile_id

    @api.depends('product_ids', 'date_from', 'date_to', 'document')
    def _compute_figures_html(self):
        report = self.env['report.mrp_mmr.report_quality_review']
        for review in self:
            if not review.product_ids or not review.date_from or not review.date_to or review.date_from > review.date_to:
                review.figures_html = False
                continue
            sections = report._get_figure_sections(review.sudo()._read_document())
            review.figures_html = self.env['ir.qweb']._render('mrp_mmr.quality_review_screen', {'sections': sections})

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        self = without_defaults(self, SYSTEM_FIELDS)
        if any(SYSTEM_FIELDS & vals.keys() for vals in vals_list):
            raise self._refuse_change()
        sequences = self.env['ir.sequence'].sudo()
        return super().create([{
            **vals, 'name': sequences.with_company(
                vals.get('company_id') or self.env.company.id).next_by_code('mrp.quality.review')}
            for vals in vals_list])

    def write(self, vals):
        if CONTENT_FIELDS & vals.keys() and not in_transition(self) and (
                SYSTEM_FIELDS & vals.keys() or 'company_id' in vals or self.filtered(lambda row: row.state != 'draft')):
            raise self._refuse_change()
        return super().write(vals)

    def copy(self, default=None):  # pylint: disable=method-required-super
        raise UserError(self.env._("A product quality review cannot be duplicated. Rule: RPT-030."))

    @api.ondelete(at_uninstall=True)
    def _unlink_except_signed(self):
        if self.filtered(lambda review: review.state != 'draft' or review.sudo().esignature_ids):
            raise self._refuse_change()

    def _refuse_change(self):
        return refusal(
            self.env,
            self.env._("The number, the status and the signed content of a product quality review cannot be changed."),
            f"SIG-030, {RULE}", self.env._("have it rejected, or create the next one."), record=self[:1])

    def _audit_chain(self):
        return self.company_id

    # === CONTENT === #

    def _read_document(self):
        """Return the document: as it was signed, or of a draft as it is now."""
        self.ensure_one()
        return self.document or self._get_document()

    def _get_document(self):
        """Return what is reviewed, with what the preparer says about it, as signatures and prints hold it."""
        self.ensure_one()
        review = self.sudo()
        company, products = review.company_id._origin, review.product_ids._origin
        figures = QualityFigures(company, products, review.date_from, review.date_to)
        earlier = self.sudo().search([
            ('company_id', '=', company.id), ('product_ids', 'in', products.ids), ('state', '=', 'approved'),
            ('date_to', '<', review.date_to), ('id', '!=', review._origin.id)], limit=1)
        return {
            'schema': 'mrp_mmr/quality_review/1', 'name': review.name, 'company': company.name,
            'profiles': [{'code': row.profile_id.code, 'citation': row.citation} for row in self.env[
                'mrp.mmr.requirement'].sudo().with_context(lang='en_US').search([
                    ('check', '=', 'quality_review'), ('profile_id', 'in', review.profile_ids.ids)], order='profile_id, id')],
            'as_of': fields.Date.to_string(company._get_mmr_today()), 'grouping_reason': review.grouping_reason or None,
            **figures.build(),
            'earlier': {
                'name': earlier.name, 'from': fields.Date.to_string(earlier.date_from),
                'to': fields.Date.to_string(earlier.date_to), 'conclusion': earlier.conclusion or None,
                'actions': earlier.actions or None, 'document_sha256': earlier.document_sha256} if earlier else None,
            'conclusion': review.conclusion or None, 'actions': review.actions or None,
            'other_information': review.other_information or None}

    def action_download_xlsx(self):
        """Download the figures of this review as a spreadsheet."""
        self.ensure_one()
        self.check_access('read')
        return {'type': 'ir.actions.act_url', 'target': 'self', 'url': f'/mrp_mmr/quality-review/{self.id}.xlsx'}

    def action_print(self):
        """Print this review."""
        self.ensure_one()
        self.check_access('read')
        return self.env.ref('mrp_mmr.action_report_quality_review').report_action(self)

    def action_open_batches(self):
        """Open the batches of the period."""
        self.ensure_one()
        self.check_access('read')
        figures = QualityFigures(self.sudo().company_id, self.sudo().product_ids, self.date_from, self.date_to)
        action = self.env['ir.actions.act_window']._for_xml_id('mrp_mmr.mrp_bpr_action')
        return dict(action, domain=[('id', 'in', figures.batches.ids)], context={})

    # === SIGNING === #

    _signing_citation = RULE
    _signing_next_step = _lt("prepare it, then have another member of Quality Control approve it.")
    _signing_actions = {
        # A quality manager signs as such; everybody else as Quality Control.
        'prepare': SigningRule(
            meaning='prepared', group=QC, states=('draft',), leads_to='prepared',
            statement=_lt("I reviewed these figures; the conclusions and actions follow from them."),
            prepare='_prepare_review', apply='_apply_preparation'),
        'approve': SigningRule(
            meaning='approved', group=QC, states=('prepared',), leads_to='approved',
            statement=_lt("I agree with the conclusions of this review and see to its actions."),
            prepare='_prepare_approval', check_signer='_check_approver', filter_signer='_filter_approver',
            apply='_apply_approval'),
        'reject': SigningRule(
            meaning='rejected', group=QC, states=('prepared',), leads_to='draft', comment_required=True,
            statement=_lt("I send this review back."), prepare='_prepare_rejection', apply='_apply_rejection'),
    }

    def action_prepare(self):
        """Open the signature of who prepared this review; it freezes figures and conclusions."""
        return self.action_open_signature('prepare')

    def action_approve(self):
        """Open the signature by which Quality Control approves this review."""
        return self.action_open_signature('approve')

    def action_reject(self):
        """Open the signature by which Quality Control sends this review back."""
        return self.action_open_signature('reject')

    def _prepare_review(self, action):
        self._check_prepared()
        is_manager = self.env.user.has_group(MANAGER)
        return self._make_signing_action(action, self._get_document(), group=MANAGER if is_manager else QC)

    def _prepare_approval(self, action):
        return self._make_signing_action(
            action, self.sudo().document, digest=self.document_sha256, basis=self.prepared_signature_id)

    def _prepare_rejection(self, action):
        return self._make_signing_action(
            action, self.sudo().document, digest=self.document_sha256, voids=self.prepared_signature_id)

    def _check_prepared(self):
        """Refuse to sign a review that says nothing, or that comes before the end of its period."""
        missing = [text for is_there, text in (
            (self.product_ids, self.env._("a product")),
            ((self.conclusion or '').strip(), self.env._("the conclusions")),
            ((self.actions or '').strip(), self.env._("the actions, or a statement that none are needed")),
            (not self.is_grouped or (self.grouping_reason or '').strip(),
             self.env._("the reason for reviewing products of more than one family together")),
        ) if not is_there]
        if missing:
            raise refusal(
                self.env,
                self.env._("%(review)s is incomplete. Missing: %(missing)s.", review=self.name, missing=', '.join(missing)),
                RULE,
                self.env._("enter what is missing, then sign."), record=self)
        if self.date_to >= self.company_id._get_mmr_today():
            raise refusal(
                self.env, self.env._("The period of %s is not over yet.", self.name), RULE,
                self.env._("sign it after its last day."), record=self)

    def _group_by_signing_role(self, action):
        if action != 'prepare':
            return super()._group_by_signing_role(action)
        return {self._get_signing_group(MANAGER if self.env.user.has_group(MANAGER) else QC): self}

    def _filter_approver(self, action, user):
        """Return those of these reviews that somebody else prepared (APR-040)."""
        persons = user._get_gmp_persons()

        def is_foreign(review):
            signature = review.sudo().prepared_signature_id
            return not ({('partner', signature.partner_id.id)} | signature.user_id._get_gmp_persons()) & persons

        return self.filtered(is_foreign)

    def _check_approver(self, action, user):
        if not self._filter_approver(action, user):
            raise refusal(
                self.env, self.env._("%(user)s prepared %(review)s and cannot approve it.", user=user.name, review=self.name),
                f"APR-040, {RULE}", self.env._("ask another member of Quality Control."), record=self)

    def _get_signing_profile(self):
        return self.profile_ids[:1]

    def _apply_preparation(self, action, signature):
        self.write({
            'state': self._get_signing_rule(action).leads_to, 'document': signature.content,
            'document_sha256': signature.content_sha256, 'prepared_signature_id': signature.id})
        self._post_signature(signature)

    def _apply_approval(self, action, signature):
        self.write({'state': self._get_signing_rule(action).leads_to, 'approved_signature_id': signature.id})
        self._close_due()
        self._post_signature(signature)

    def _apply_rejection(self, action, signature):
        # Document and signature stay with the void signature itself.
        self.write({
            'state': self._get_signing_rule(action).leads_to, 'document': False, 'document_sha256': False,
            'prepared_signature_id': False})
        self._post_signature(signature)

    # === ANNUAL === #

    @api.model
    def _get_due_mmrs(self):
        """Return the MMRs whose profile requires a yearly review and whose product had none for batches of a year.

        Due is what was completed more than a year ago and lies in the period of no approved review.
        """
        requirements = self.env['mrp.mmr.requirement'].sudo().search([
            ('check', '=', 'quality_review'), ('enabled', '=', True)])
        if not requirements:
            return self.env['mrp.mmr']
        self.flush_model()
        self.env['mrp.bpr'].flush_model()
        return self.env['mrp.mmr'].browse(row[0] for row in self.env.execute_query(SQL(
            """SELECT DISTINCT ON (m.product_id, m.company_id) m.id
                 FROM mrp_mmr m
                 JOIN mrp_mmr_revision r ON r.mmr_id = m.id
                 JOIN mrp_bpr b ON b.mmr_revision_id = r.id
                WHERE m.active AND m.profile_id IN %s AND b.state = 'done' AND b.completed_at < %s AND NOT EXISTS (
                    SELECT FROM mrp_quality_review q JOIN mrp_quality_review_product_rel p ON p.review_id = q.id
                     WHERE q.state = 'approved' AND q.company_id = m.company_id AND p.product_id = m.product_id
                       AND mrp_mmr_company_day(b.completed_at, m.company_id) BETWEEN q.date_from AND q.date_to)
                ORDER BY m.product_id, m.company_id, m.id DESC""",
            requirements.profile_id._ids, fields.Datetime.now() - relativedelta(years=1))))

    @api.model
    def _cron_due(self):
        """Ask Quality Control for the reviews that are due, once for each product (21 CFR 211.180(e): at least annually)."""
        for mmr in self._get_due_mmrs():
            if not mmr.activity_search([ACTIVITY]):
                quality = mmr.company_id._get_quality_control()
                mmr.activity_schedule(
                    ACTIVITY, date_deadline=mmr.company_id._get_mmr_today(), user_id=(quality[:1] or self.env.user).id,
                    summary=self.env._("Product quality review of %s", mmr.product_id.name))

    def _close_due(self):
        mmrs = self.env['mrp.mmr'].sudo().search([
            ('product_id', 'in', self.product_ids.ids), ('company_id', '=', self.company_id.id)])
        (mmrs - self._get_due_mmrs()).activity_unlink([ACTIVITY])
