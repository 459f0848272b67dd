"""The status of a lot: quarantine until Quality Control releases or rejects it by signature."""

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import LazyTranslate

from ...domain.canonical import iso_utc
from ...domain.days import has_day, is_expired
from ...domain.files import DOCUMENTS, IMAGES
from ...domain.refusals import refusal
from ...domain.signing import SigningRule
from ...domain.transitions import in_transition, transition, without_defaults
from ..base.exact_number import ExactNumber, text_of

_lt = LazyTranslate(__name__)
STATUSES = [
    ('quarantine', "Quarantine"),
    ('released', "Released"),
    ('rejected', "Rejected"),
]
SYSTEM_FIELDS = {
    'mmr_status', 'mmr_status_signature_id', 'mmr_bpr_id', 'mmr_hold_deviation_id', 'mmr_returned_at'}
ASSAY_FIELDS = {'mmr_assay', 'mmr_assay_unit', 'mmr_assay_basis', 'mmr_assay_moisture', 'mmr_assay_date'}
#: What the results of the laboratory say, which Quality Control enters.
RESULT_FIELDS = ASSAY_FIELDS | {'mmr_retest_date'}
#: What the signature of the release covers.
SIGNED_FIELDS = RESULT_FIELDS | {'name', 'product_id', 'expiration_date', 'mmr_supplier_lot', 'mmr_file_id'}
UPLOAD_FIELDS = {'mmr_certificate', 'mmr_certificate_name'}
RULE = "USE-060, 21 CFR 111.120(e), 111.155(c)(3), 211.84(a)"


class StockLot(models.Model):
    """A lot whose product needs a release begins in quarantine and is used when Quality Control released it.

    No status at all means that nobody asked for one: such lots are used as Odoo does, but not in controlled batches. The
    status is the same for components, packaging and finished products.

    Also held in guards/stock_lot.sql.
    """
    _name = 'stock.lot'
    _inherit = ['stock.lot', 'mrp.esignature.mixin', 'mrp.audit.mixin']

    mmr_status = fields.Selection(STATUSES, "GMP Status", readonly=True, copy=False, index='btree_not_null', tracking=True)
    mmr_status_signature_id = fields.Many2one(
        'mrp.esignature', "Status Set By", readonly=True, copy=False, ondelete='restrict')
    mmr_needs_release = fields.Boolean(related='product_id.mmr_needs_release')
    mmr_supplier_lot = fields.Char("Supplier's Lot", copy=False)
    mmr_file_id = fields.Many2one(
        'mrp.mmr.file', "Stored Certificate", readonly=True, copy=False, index='btree_not_null', ondelete='restrict')
    mmr_certificate = fields.Binary("Certificate", compute='_compute_mmr_certificate', inverse='_inverse_mmr_certificate')
    mmr_certificate_name = fields.Char(
        "File Name", compute='_compute_mmr_certificate_name', inverse='_inverse_mmr_certificate')
    mmr_expiry_day = fields.Date(
        "Expires", compute='_compute_mmr_expiry_day',
        help="The last day on which it may be used, in the time zone of the company.")
    mmr_retest_date = fields.Date("Retest Date", copy=False, help="From this day on it cannot be used before it has been "
                                                                  "tested again.")
    mmr_assay = ExactNumber("Assay", copy=False, help="Potency that the laboratory found.")
    mmr_assay_unit = fields.Char("Assay Unit", default="%", copy=False, help="% or an activity, such as IU/mg.")
    mmr_assay_basis = fields.Selection(
        [('as_is', "As is"), ('dried', "Dried substance")], "Assay Basis", default='as_is', copy=False)
    mmr_assay_moisture = ExactNumber("Moisture (%)", copy=False, help="Loss on drying or water, of the lot as it is.")
    mmr_assay_date = fields.Date("Assay of", copy=False)

    _mmr_results = models.Constraint(
        'CHECK (mmr_assay::numeric >= 0 AND mmr_assay_moisture::numeric >= 0 AND mmr_assay_moisture::numeric < 100)',
        "An assay cannot be negative, and moisture must be between 0 and 100 %. Rule: USE-070, 21 CFR 211.101(a).")

    # === CERTIFICATE === #

    @api.depends('mmr_file_id')
    def _compute_mmr_certificate(self):
        for lot in self:
            lot.mmr_certificate = lot.sudo().mmr_file_id.data

    @api.depends('mmr_file_id')
    def _compute_mmr_certificate_name(self):
        for lot in self:
            lot.mmr_certificate_name = lot.sudo().mmr_file_id.name

    def _inverse_mmr_certificate(self):
        for lot in self.with_context(bin_size=False):
            content = lot.mmr_certificate
            file = content and self.env['mrp.mmr.file']._store(
                lot.mmr_certificate_name or 'certificate.pdf', content, {**DOCUMENTS, **IMAGES})
            lot.sudo().mmr_file_id = file or False

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        self = without_defaults(self, SYSTEM_FIELDS | RESULT_FIELDS | {'mmr_file_id'})
        products = self.env['product.product'].browse(
            {vals.get('product_id') or self.env.context.get('default_product_id') for vals in vals_list} - {None, False})
        # What is under control is made by batches that wait for their release (REL-010).
        waiting = set(products.filtered(lambda product: product.mmr_needs_release or product.mmr_controlled).ids)
        prepared = []
        for vals in vals_list:
            if {*SYSTEM_FIELDS, 'mmr_file_id'} & vals.keys():
                raise self._mmr_refuse_status()
            if any(vals.get(name) for name in RESULT_FIELDS - {'mmr_assay_unit', 'mmr_assay_basis'}):
                self._mmr_check_results_role()
            product = vals.get('product_id') or self.env.context.get('default_product_id')
            prepared.append(dict(vals, mmr_status='quarantine') if product in waiting else vals)
        return super().create(prepared)

    def write(self, vals):
        guarded = vals.keys() & (SYSTEM_FIELDS | SIGNED_FIELDS | UPLOAD_FIELDS)
        if guarded and not in_transition(self):
            if SYSTEM_FIELDS & guarded or ('mmr_file_id' in guarded and not self.env.su):
                raise self._mmr_refuse_status()
            decided = self.filtered(lambda lot: lot.mmr_status in ('released', 'rejected'))
            for lot in decided:
                if UPLOAD_FIELDS & guarded or any(
                        lot._fields[name].convert_to_write(lot[name], lot) != vals[name] for name in guarded):
                    raise lot._mmr_refuse_change()
            if RESULT_FIELDS & guarded:
                self._mmr_check_results_role()
        # With its first status a lot becomes a record: the ledger says all of it (AUD-080).
        begun = self.filtered(lambda lot: not lot.mmr_status) if vals.get('mmr_status') else self.browse()
        result = super().write(vals)
        begun.sudo()._audit_append('create', begun.sudo()._audit_created())
        return result

    @api.ondelete(at_uninstall=True)
    def _unlink_except_mmr_decided(self):
        for lot in self.filtered(lambda lot: lot.mmr_status_signature_id or lot.mmr_bpr_id):
            raise refusal(
                self.env,
                self.env._("Lot %s was made by a batch, or Quality Control decided on it; it cannot be deleted.", lot.name),
                "REC-040, 21 CFR 211.184", self.env._("archive it, or destroy what is left of it."), record=lot)

    def _mmr_refuse_status(self):
        return refusal(
            self.env,
            self.env._("The status of a lot and its certificate can only be changed by a decision of Quality Control."), RULE,
            self.env._("use Release, Reject or Quarantine on the lot."), record=self[:1])

    def _mmr_refuse_change(self):
        return refusal(
            self.env, self.env._("Quality Control has decided on lot %s in its present state.", self.name), f"SIG-030, {RULE}",
            self.env._("have it put in quarantine, change it and have it released again."), record=self)

    def _mmr_check_results_role(self):
        """Refuse results of the laboratory from everybody but Quality Control.

        :raise AccessError: for anybody else
        """
        if not self.env.user.has_group('mrp_mmr.group_mmr_qc'):
            raise refusal(
                self.env, self.env._("Only Quality Control can enter the assay and the retest date."),
                "SEC-010, 21 CFR 111.75, 211.84(d)",
                self.env._("ask a member of Quality Control."), record=self[:1], exception=AccessError)

    def _audit_records(self, vals=None):
        return self if vals and 'mmr_status' in vals else self.filtered('mmr_status')

    @api.model
    def _audit_fields(self):
        return SYSTEM_FIELDS | SIGNED_FIELDS

    @api.model
    def _audit_written(self, vals):
        # Another product brings another expiry with it.
        return super()._audit_written(vals) | ({'expiration_date'} if 'product_id' in vals else set())

    # === DECISION === #

    _signing_state_field = 'mmr_status'
    _signing_citation = f"DEV-080, {RULE}"
    _signing_next_step = _lt("a rejected lot remains rejected: have it destroyed.")
    # Nothing leads out of 'rejected' (DEV-080).
    _signing_actions = {
        'release': SigningRule(
            meaning='released', group='mrp_mmr.group_mmr_qc', states=(False, 'quarantine'), leads_to='released',
            statement=_lt("I reviewed the examination of this lot; it meets its specifications and may be used."),
            prepare='_mmr_prepare_release', check_signer='_mmr_check_releaser', filter_signer='_mmr_filter_releaser',
            apply='_mmr_apply_release'),
        'reject': SigningRule(
            meaning='rejected', group='mrp_mmr.group_mmr_qc', states=(False, 'quarantine', 'released'), leads_to='rejected',
            comment_required=True, statement=_lt("I reject this lot; it must not be used."),
            prepare='_mmr_prepare_rejection', apply='_mmr_apply_rejection'),
        'quarantine': SigningRule(
            meaning='quarantined', group='mrp_mmr.group_mmr_qc', states=(False, 'released'), leads_to='quarantine',
            comment_required=True, statement=_lt("I put this lot into quarantine until it was examined again."),
            prepare='_mmr_prepare_status', apply='_mmr_apply_quarantine'),
    }

    def action_mmr_release(self):
        """Open the signature by which Quality Control releases this lot."""
        return self.action_open_signature('release')

    def action_mmr_reject(self):
        """Open the signature by which Quality Control rejects this lot."""
        return self.action_open_signature('reject')

    def action_mmr_quarantine(self):
        """Open the signature by which Quality Control puts this lot back into quarantine."""
        return self.action_open_signature('quarantine')

    def _get_signing_state_label(self):
        return self._mmr_get_status_label()

    def _mmr_prepare_release(self, action):
        self._mmr_check_batch_decided()
        self._mmr_check_not_concerned()
        self._mmr_check_batch_releasable()
        self._mmr_check_origin()
        self._mmr_check_releasable()
        return self._mmr_prepare_status(action)

    def _mmr_prepare_rejection(self, action):
        self._mmr_check_batch_decided()
        return self._mmr_prepare_status(action)

    def _mmr_prepare_status(self, action):
        document = self._mmr_get_document(self._get_signing_rule(action).leads_to)
        return self._make_signing_action(action, document, group=self._mmr_get_releasing_group(action))

    def _mmr_get_status_label(self, status=None):
        status = status or self.mmr_status
        labels = dict(self._fields['mmr_status']._description_selection(self.env))
        return labels[status] if status else self.env._("no status")

    def _mmr_check_releasable(self):
        """Refuse to release what must not be used any more, and results that say nothing.

        :raise UserError: naming the date since which it is not used, or what is missing
        """
        if self._mmr_has_assay() and self.mmr_assay_basis == 'dried' and self.mmr_assay_moisture is None:
            raise refusal(
                self.env, self.env._("Lot %s has an assay on the dried substance, but no moisture.", self.name),
                "USE-070, 21 CFR 211.101(a)", self.env._("enter the loss on drying, or the assay as is."), record=self)
        date = self._mmr_get_end_of_use()
        if date:
            raise refusal(
                self.env, self.env._("Lot %(lot)s may no longer be used since %(date)s.", lot=self.name, date=date), RULE,
                self.env._("have it tested again and set the new date, or reject it."), record=self)

    def _mmr_get_end_of_use(self):
        """Return the date since which this lot must not be used, or False: expired, or to be tested again."""
        self.ensure_one()
        company = self._mmr_get_company()
        if self._mmr_is_expired(company):
            return fields.Date.to_string(company._get_mmr_day(self.expiration_date))
        return bool(self.mmr_retest_date) and self.mmr_retest_date <= company._get_mmr_today() \
            and fields.Date.to_string(self.mmr_retest_date)

    @api.constrains('expiration_date')
    def _check_mmr_expiry_day(self):
        for lot in self:
            if lot.expiration_date and not has_day(lot.expiration_date, lot._mmr_get_company()._get_mmr_zone()):
                raise refusal(
                    self.env, self.env._("Lot %s would expire in the year 10000.", lot.name), "DAY-010, 21 CFR 211.137",
                    self.env._("enter a date in the years 1 to 9999."), record=lot)

    @api.depends('expiration_date', 'company_id.mmr_tz', 'mmr_bpr_id')
    @api.depends_context('company')
    def _compute_mmr_expiry_day(self):
        for lot in self:
            lot.mmr_expiry_day = lot._mmr_get_company()._get_mmr_day(lot.expiration_date)

    def _mmr_get_company(self):
        """Return the company whose days count for this lot: of a lot of all companies, that of the user."""
        self.ensure_one()
        return self.sudo().company_id or self.sudo().mmr_bpr_id.company_id or self.env.company

    def _mmr_is_expired(self, company, at=None):
        """Whether the day on which this lot expires is over where ``company`` is, at a time or now (DAY-010).

        The day is the last on which it is used; the hour that Odoo stores with it says nothing.
        """
        self.ensure_one()
        return is_expired(self.expiration_date, company._get_mmr_zone(), company._get_mmr_day(at or fields.Datetime.now()))

    def _mmr_get_document(self, status):
        """Return the lot as the decision on it is signed."""
        self.ensure_one()
        lot = self.sudo()
        return {
            'schema': 'mrp_mmr/lot/1', 'status': status, 'lot': lot.name, 'supplier_lot': lot.mmr_supplier_lot or None,
            'product': {'id': lot.product_id.id, 'code': lot.product_id.default_code or None,
                        'name': lot.product_id.with_context(display_default_code=False, lang=None).display_name},
            'expires': iso_utc(lot.expiration_date), 'certificate': lot.mmr_file_id._get_document(),
            'retest': fields.Date.to_string(lot.mmr_retest_date) if lot.mmr_retest_date else None,
            'assay': lot._mmr_get_assay(),
        }

    def _mmr_get_assay(self):
        """Return the assay of this lot as documents hold it, or None."""
        self.ensure_one()
        if not self._mmr_has_assay():
            return None
        return {
            'value': self.mmr_assay.text, 'unit': self.mmr_assay_unit or None, 'basis': self.mmr_assay_basis or None,
            'moisture': text_of(self.mmr_assay_moisture) or '0',
            'date': fields.Date.to_string(self.mmr_assay_date) if self.mmr_assay_date else None}

    def _mmr_has_assay(self):
        """Whether the laboratory found a potency; nought is none to calculate with."""
        self.ensure_one()
        return self.mmr_assay is not None and self.mmr_assay != 0

    def _mmr_apply_release(self, action, signature):
        self._mmr_set_status(action, signature)
        self._post_signature(signature)

    def _mmr_apply_quarantine(self, action, signature):
        self._mmr_set_status(action, signature)
        self._mmr_take_back()
        self._post_signature(signature)

    def _mmr_apply_rejection(self, action, signature):
        self._mmr_set_status(action, signature)
        self._mmr_take_back()
        self._mmr_open_deviations(signature.comment)
        self._post_signature(signature)

    def _mmr_set_status(self, action, signature):
        self.write({
            'mmr_status': self._get_signing_rule(action).leads_to, 'mmr_status_signature_id': signature.id,
            'mmr_hold_deviation_id': False, 'mmr_returned_at': False})

    def _mmr_take_back(self):
        """Take lots that are not released any more out of what was reserved for batches and customers (DEV-080)."""
        lines = self.env['stock.move.line'].sudo().search([
            ('lot_id', 'in', self.ids), ('state', 'not in', ('done', 'cancel'))])
        # What was weighed into a controlled batch stays in its record; what else is picked waits for nobody.
        orders = lines.move_id.raw_material_production_id.filtered('mmr_snapshot_sha256')
        lines = lines.filtered(lambda line: not line.picked or line.move_id.raw_material_production_id not in orders)
        with transition(orders):
            lines.filtered(lambda line: line.move_id.raw_material_production_id in orders).unlink()
            lines.exists()._mmr_get_leaving().unlink()

    def _mmr_open_deviations(self, reason):
        """Open a deviation for each batch into which a rejected lot was weighed (DEV-050, 21 CFR 111.77(b))."""
        entries = self.env['mrp.bpr.entry'].sudo().search([('lot_id', 'in', self.ids), ('kind', '=', 'weight')])
        bprs = entries._get_current().bpr_id.filtered(lambda bpr: bpr.state != 'cancel').sorted('id')
        self.env['mrp.deviation']._open_all(
            bprs, 'specification', self.env._("Lot %s of a component was rejected", self.name),
            self.env._("Quality Control rejected lot %(lot)s of %(product)s: %(reason)s. It was weighed for this batch.",
                       lot=self.name, product=self.product_id.display_name, reason=reason),
            severity='critical', cause_key=f'lot:{self.id}')
