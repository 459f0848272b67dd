"""The master of one formulation at one batch size (21 CFR 111.205(a), 211.186(a), EU GMP 4.17)."""

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ...domain.numbers import GMP_DIGITS, convert, decimal_string, exact
from ...domain.refusals import refusal
from ...domain.transitions import in_transition, transition, without_defaults
from ..base.gmp_float import GmpFloat

#: What identifies an MMR; fixed as soon as anybody signed one of its revisions.
IDENTITY_FIELDS = {'product_id', 'formulation_code', 'batch_size', 'uom_id', 'profile_id', 'company_id'}
#: Set by the system alone.
SYSTEM_FIELDS = {
    'name', 'last_revision', 'batch_size_product_uom', 'effective_revision_id', 'open_revision_id', 'revision_ids',
    'date_next_review'}


class MrpMmr(models.Model):
    """The master of one formulation at one batch size (21 CFR 111.205(a), 211.186(a), EU GMP 4.17).

    The batch size is exact: it is compared for equality in the product's unit, at six digits, and an
    approved MMR is never scaled to another size.

    Also held in guards/mrp_mmr.sql.
    """
    _name = 'mrp.mmr'
    _description = "Master Manufacturing Record"
    _inherit = ['mail.thread', 'mail.activity.mixin', 'mrp.audit.mixin',
                'mrp.audit.trail.mixin', 'mrp.bundle.mixin']
    _order = 'name desc'
    _check_company_auto = True

    name = fields.Char("Number", required=True, readonly=True, copy=False, default="/", index='trigram')
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        'res.company', required=True, index=True, ondelete='restrict', default=lambda self: self.env.company)
    product_id = fields.Many2one(
        'product.product', required=True, check_company=True, index=True, ondelete='restrict',
        tracking=True, domain="[('type', '=', 'consu')]")
    product_uom_id = fields.Many2one(related='product_id.uom_id', string="Unit of the Product")
    formulation_code = fields.Char(
        "Formulation", required=True, tracking=True,
        help="The unique composition of the product: which components in which proportion. One formulation has "
             "one MMR per batch size.")
    profile_id = fields.Many2one(
        'mrp.mmr.profile', required=True, ondelete='restrict', tracking=True,
        default=lambda self: self.env['mrp.mmr.profile'].search([], limit=1),
        help="The regulation for which this record is written.")
    batch_size = GmpFloat(required=True, tracking=True)
    uom_id = fields.Many2one(
        'uom.uom', "Unit", required=True, ondelete='restrict', tracking=True,
        compute='_compute_uom_id', store=True, readonly=False, precompute=True)
    batch_size_product_uom = GmpFloat(
        "Batch Size in the Product's Unit", digits=(20, GMP_DIGITS), readonly=True, copy=False)
    revision_ids = fields.One2many('mrp.mmr.revision', 'mmr_id', "Revisions", copy=False)
    revision_count = fields.Integer(compute='_compute_revision_count')
    last_revision = fields.Integer(readonly=True, copy=False, help="The highest revision number used so far.")
    effective_revision_id = fields.Many2one(
        'mrp.mmr.revision', compute='_compute_effective_revision_id', store=True,
        compute_sudo=True)
    open_revision_id = fields.Many2one(
        'mrp.mmr.revision', compute='_compute_effective_revision_id', store=True,
        compute_sudo=True, help="The revision that is a draft, or is waiting for a signature or for its effective date.")
    is_effective = fields.Boolean("Usable", compute='_compute_is_effective', search='_search_is_effective')
    is_signed = fields.Boolean(
        compute='_compute_is_signed', compute_sudo=True,
        help="A revision has been signed, so the identity of the MMR is fixed.")
    production_count = fields.Integer("Manufacturing Orders", compute='_compute_production_count')
    review_interval = fields.Integer(
        "Review Every (months)", tracking=True, compute='_compute_review_interval', store=True, readonly=False,
        precompute=True, aggregator=None, help="0 means that no review is planned (REV-070, EU GMP 4.5).")
    date_next_review = fields.Date(
        "Next Review", readonly=True, copy=False, tracking=True,
        help="Set when a revision becomes effective and when a periodic review is signed.")
    is_review_overdue = fields.Boolean(
        "Review Overdue", compute='_compute_is_review_overdue', search='_search_is_review_overdue')

    _key_uniq = models.UniqueIndex(
        '(company_id, product_id, formulation_code, batch_size_product_uom)',
        "This formulation already has an MMR for this batch size (perhaps in another unit). Rule: MMR-020, 21 CFR "
        "111.205(a). Create a new revision of that MMR instead.")
    _name_uniq = models.Constraint('UNIQUE (company_id, name)', "The number of an MMR must be unique (REV-020, EU GMP 4.3).")
    _batch_size_positive = models.Constraint(
        'CHECK (batch_size > 0 AND batch_size_product_uom > 0)',
        "The batch size must be greater than zero. Rule: MMR-010, 21 CFR 111.205(a).")

    # === COMPUTE === #

    @api.depends('product_id')
    def _compute_uom_id(self):
        for mmr in self:
            mmr.uom_id = mmr.uom_id or mmr.product_id.uom_id

    @api.depends('revision_ids')
    def _compute_revision_count(self):
        counts = dict(self.env['mrp.mmr.revision']._read_group(
            [('mmr_id', 'in', self.ids)], ['mmr_id'], ['__count']))
        for mmr in self:
            mmr.revision_count = counts.get(mmr._origin, 0)

    @api.depends('revision_ids.state')
    def _compute_effective_revision_id(self):
        for mmr in self:
            by_state = mmr.revision_ids.grouped('state')
            mmr.effective_revision_id = by_state.get('effective')
            mmr.open_revision_id = by_state.get('draft') or by_state.get('submitted') or by_state.get('approved')

    @api.depends('revision_ids.submitted_once')
    def _compute_is_signed(self):
        for mmr in self:
            mmr.is_signed = any(mmr.revision_ids.mapped('submitted_once'))

    @api.depends('effective_revision_id')
    def _compute_is_effective(self):
        for mmr in self:
            mmr.is_effective = bool(mmr.effective_revision_id)

    @api.model
    def _search_is_effective(self, operator, value):
        if operator != 'in':
            return NotImplemented
        return [('effective_revision_id', '!=' if True in value else '=', False)]

    def _compute_production_count(self):
        counts = {}
        revisions = self.env['mrp.production']._read_group(
            [('mmr_revision_id', 'in', self.revision_ids.ids)], ['mmr_revision_id'], ['__count'])
        for revision, count in revisions:
            counts[revision.mmr_id.id] = counts.get(revision.mmr_id.id, 0) + count
        for mmr in self:
            mmr.production_count = counts.get(mmr.id, 0)

    @api.depends('name', 'product_id', 'formulation_code', 'batch_size', 'uom_id')
    def _compute_display_name(self):
        for mmr in self:
            mmr.display_name = f"{mmr.name} · {mmr.formulation_code} · {mmr._get_batch_size_label()}"

    def _get_batch_size_label(self):
        """Return the batch size as people read it, e.g. ``100 kg``."""
        self.ensure_one()
        return f"{decimal_string(self.batch_size)} {self.uom_id.name or ''}".strip()

    @api.depends('profile_id')
    def _compute_review_interval(self):
        for mmr in self:
            mmr.review_interval = mmr.profile_id.review_interval

    @api.depends('date_next_review', 'effective_revision_id')
    def _compute_is_review_overdue(self):
        for mmr in self:
            mmr.is_review_overdue = bool(
                mmr.effective_revision_id and mmr.date_next_review and mmr.date_next_review < mmr._get_today())

    @api.model
    def _search_is_review_overdue(self, operator, value):
        if operator != 'in':
            return NotImplemented
        past = self.env['res.company']._get_mmr_past_domain
        overdue = Domain('effective_revision_id', '!=', False) & past('date_next_review')
        return overdue if True in value else ~overdue

    def _audit_chain(self):
        return self

    # === CHECKS === #

    @api.constrains('review_interval', 'profile_id')
    def _check_review_interval(self):
        for mmr in self:
            if mmr.review_interval < 0 or (mmr.profile_id.code == 'PEU' and not mmr.review_interval):
                raise ValidationError(self.env._(
                    "%s: the review interval in months is missing. Rule: REV-070, EU GMP 4.5.", mmr.display_name))

    @api.constrains('batch_size', 'uom_id', 'product_id')
    def _check_batch_size_unit(self):
        for mmr in self:
            if convert(mmr.batch_size, mmr.uom_id, mmr.product_id.uom_id) is None:
                raise ValidationError(self.env._(
                    "%(unit)s cannot be converted to %(product_unit)s, the unit of %(product)s. Rule: MMR-030, 21 CFR "
                    "111.205(a). Choose a unit of the same kind.",
                    unit=mmr.uom_id.name, product_unit=mmr.product_id.uom_id.name,
                    product=mmr.product_id.display_name))

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        self = without_defaults(self, SYSTEM_FIELDS)
        # With the defaults, as the key is made of what is stored, wherever it comes from.
        vals_list = [self._add_missing_default_values(
            {name: value for name, value in vals.items() if name not in SYSTEM_FIELDS}) for vals in vals_list]
        for vals in vals_list:
            company = self.env['res.company'].browse(vals.get('company_id')) or self.env.company
            vals['company_id'] = company.id
            vals['name'] = self.env['ir.sequence'].with_company(company).next_by_code('mrp.mmr')
            if not vals['name']:
                raise refusal(
                    self.env, self.env._("There is no sequence for the MMR numbers of %s.", company.name),
                    "REV-020, EU GMP 4.3", self.env._("ask an administrator for a sequence with the code mrp.mmr."))
            vals['last_revision'] = 0
            vals['formulation_code'] = (vals.get('formulation_code') or '').strip() or False
            self._set_product_uom_size(vals)
        mmrs = super().create(vals_list)
        mmrs._create_first_revision()
        return mmrs

    def write(self, vals):
        if SYSTEM_FIELDS & vals.keys() and not in_transition(self):
            raise refusal(
                self.env, self.env._("The number and the revision counter of an MMR are set by the system."),
                "REV-020, EU GMP 4.3", self.env._("leave them unchanged."), record=self)
        if not vals.get('active', True):
            self._check_archivable()
        changed = IDENTITY_FIELDS & vals.keys()
        if changed:
            for mmr in self:
                if mmr.is_signed:
                    raise refusal(
                        self.env,
                        self.env._("%s has been signed: its product, formulation, batch size, unit and profile cannot be "
                                   "changed.",
                                   mmr.display_name),
                        "REV-040, MMR-040, 21 CFR 111.205(a)",
                        self.env._("create an MMR for the other batch size; it can copy the content of this one."),
                        record=mmr)
            for mmr in self:
                values = dict(vals)
                if 'formulation_code' in vals:
                    values['formulation_code'] = (vals['formulation_code'] or '').strip() or False
                mmr._set_product_uom_size(values)
                super(MrpMmr, mmr).write(values)
            self.revision_ids._sync_bom_with_mmr(other_size=bool(changed & {'batch_size', 'uom_id', 'product_id'}))
            return True
        return super().write(vals)

    def _check_archivable(self):
        """Keep a master record in sight while it is worked on, and for good when somebody signed it (REC-040)."""
        for mmr in self:
            revision = mmr.effective_revision_id or mmr.open_revision_id
            if revision:
                raise refusal(
                    self.env,
                    self.env._("%(mmr)s cannot be archived: revision %(number)s is %(state)s.",
                               mmr=mmr.display_name, number=revision.revision, state=revision._get_state_label()),
                    "REC-040, 21 CFR 111.605(b)", self.env._("retire or cancel that revision first."), record=mmr)
            if mmr.is_signed:
                raise refusal(
                    self.env, self.env._("%s has been signed and cannot be archived.", mmr.display_name),
                    "REC-040, 21 CFR 111.605(b)", self.env._("leave it as it is: only an effective MMR can be used for "
                                                             "orders."), record=mmr)

    @api.ondelete(at_uninstall=True)
    def _unlink_except_submitted(self):
        for mmr in self:
            revisions = mmr.sudo().revision_ids
            if any(revision.state != 'draft' or revision.submitted_once for revision in revisions):
                raise refusal(
                    self.env,
                    self.env._("%s has revisions that were submitted or cancelled, and cannot be deleted.", mmr.display_name),
                    "REC-040, 21 CFR 111.605(b)", self.env._("retire its effective revision."), record=mmr)

    def unlink(self):
        drafts = self.revision_ids
        self._unlink_except_submitted()
        drafts.unlink()
        return super().unlink()

    def copy(self, default=None):  # pylint: disable=method-required-super
        raise UserError(self.env._(
            "An MMR is unique by formulation and batch size. Rule: MMR-020, 21 CFR 111.205(a). Use Create MMR on a bill of "
            "materials, or create a new revision of this MMR."))

    def _set_product_uom_size(self, vals):
        """Put the batch size in the product's unit, the unique key, into ``vals``."""
        product = self.env['product.product'].browse(vals.get('product_id', self.product_id.id))
        unit = self.env['uom.uom'].browse(vals.get('uom_id', self.uom_id.id)) or product.uom_id
        size = convert(vals.get('batch_size', self.batch_size), unit, product.uom_id)
        # Without a common reference the constraint speaks; the column just must not stay empty.
        vals['batch_size_product_uom'] = float(exact(vals.get('batch_size')) if size is None else size)

    # === REVISIONS === #

    def _create_first_revision(self):
        revisions = self.env['mrp.mmr.revision']
        return revisions.create([
            {'mmr_id': mmr.id, 'change_category': 'initial', 'reason': self.env._("First revision")}
            for mmr in self
        ])

    def _take_revision_number(self):
        """Return the next revision number; concurrent callers wait for each other."""
        self.ensure_one()
        self.flush_recordset(['last_revision'])
        [[last]] = self.env.execute_query(SQL("SELECT last_revision FROM mrp_mmr WHERE id = %s FOR UPDATE", self.id))
        number = last + 1
        with transition(self):
            self.sudo().write({'last_revision': number})
        return number

    def action_new_revision(self):
        """Open a draft revision copied from the effective one, or the latest; refused while one is open."""
        self.ensure_one()
        self.check_access('read')
        source = self.effective_revision_id or self.revision_ids.sorted('revision')[-1:]
        return source.action_new_revision()

    def action_copy_to_mmr(self):
        """Open the dialog that makes another MMR from this one: another batch size, another product (MMR-040)."""
        self.ensure_one()
        return (self.effective_revision_id or self.revision_ids.sorted('revision')[-1:]).action_copy_to_mmr()

    def _check_no_open_revision(self):
        """Refuse a second open revision.

        :raise UserError: naming the open one
        """
        for mmr in self.filtered('open_revision_id'):
            raise refusal(
                self.env,
                self.env._("%(mmr)s already has the open revision %(number)s (%(state)s).", mmr=mmr.display_name,
                           number=mmr.open_revision_id.revision, state=mmr.open_revision_id._get_state_label()),
                "REV-020, EU GMP 4.3", self.env._("finish or cancel that revision first."), record=mmr)

    def _plan_next_review(self):
        """Set the date of the next review from today on, where reviews are planned (REV-070, EU GMP 4.5)."""
        for mmr in self.filtered('review_interval'):
            today = mmr._get_today()
            with transition(mmr):
                mmr.sudo().date_next_review = today + relativedelta(months=mmr.review_interval)

    def _check_review_not_overdue(self):
        """Refuse orders of an MMR whose review is overdue, where the company wants that (REV-070).

        :raise UserError: naming the date
        """
        for mmr in self:
            if mmr.company_id.mmr_block_overdue_review and mmr.is_review_overdue:
                raise refusal(
                    self.env,
                    self.env._("The review of %(mmr)s was due on %(date)s.", mmr=mmr.display_name,
                               date=mmr.date_next_review),
                    "REV-070, EU GMP 4.5", self.env._("have Quality Control sign the periodic review."), record=mmr)

    def _get_today(self):
        """Return today's date where the company is."""
        self.ensure_one()
        return self.company_id._get_mmr_today()

    def action_new_order(self):
        """Open a new manufacturing order of exactly this MMR."""
        self.ensure_one()
        revision = self.effective_revision_id
        if not revision:
            raise refusal(
                self.env, self.env._("%s has no effective revision.", self.display_name),
                "USE-010, 21 CFR 111.205(a)", self.env._("have a revision approved first."), record=self)
        return {
            'type': 'ir.actions.act_window',
            'res_model': 'mrp.production',
            'view_mode': 'form',
            # Quantity and unit come with the bill of materials; as defaults they would reach the components too.
            'context': {
                'default_product_id': self.product_id.id,
                'default_bom_id': revision.bom_id.id,
                'default_company_id': self.company_id.id,
            },
        }

    def action_view_revisions(self):
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.actions']._for_xml_id('mrp_mmr.mrp_mmr_revision_action')
        return dict(action, domain=[('mmr_id', '=', self.id)], context={})

    def action_view_productions(self):
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.actions']._for_xml_id('mrp.mrp_production_action')
        return dict(action, domain=[('mmr_revision_id.mmr_id', '=', self.id)], context={})

    # === USE ON ORDERS === #

    @api.model
    def _get_effective_masters(self, products, companies):
        """Return the masters that are usable for ``products`` in ``companies``, in one query."""
        return self.sudo().search([
            ('product_id', 'in', products.ids), ('company_id', 'in', companies.ids),
            ('effective_revision_id', '!=', False),
        ], order='batch_size_product_uom, formulation_code')
