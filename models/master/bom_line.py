"""Components of a revision: quantity in GMP digits, label claim, overage, tolerance."""

from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ...domain.numbers import Number, exact
from ...domain.refusals import refusal
from ...domain.transitions import in_transition, transition, without_defaults
from ..base.exact_number import ExactNumber
from ..base.gmp_float import GmpFloat

#: Set by the system when Quality Control sets or confirms an overage.
CONFIRMATION_FIELDS = {'mmr_overage_confirmed_id', 'mmr_overage_confirmed_at'}
#: What Quality Control confirms (PRD-050).
OVERAGE_FIELDS = {
    'mmr_overage_kind', 'mmr_overage', 'mmr_overage_rationale', 'mmr_base_qty', 'product_id', 'product_uom_id'}
QUANTITY_FIELDS = {'gmp_qty', 'product_qty', 'mmr_base_qty', 'mmr_overage', 'mmr_overage_kind'}


class MrpBomLine(models.Model):
    """Also held in guards/mrp_bom_line.sql."""
    _name = 'mrp.bom.line'
    _inherit = ['mrp.bom.line', 'mrp.mmr.content.mixin']

    gmp_qty = ExactNumber(
        "GMP Quantity", copy=False,
        help="The quantity for one batch as it is signed, overage included. Odoo's own quantity is rounded to the "
             "precision of 'Product Unit'; a revision whose quantities do not fit into it cannot be submitted.")
    mmr_locked = fields.Boolean(related='bom_id.mmr_locked')
    mmr_to_review = fields.Boolean(
        "To Be Reviewed", copy=False,
        help="The quantity was copied from another batch size and has not been reviewed yet.")
    mmr_is_active = fields.Boolean(
        # Without a slash, which the import takes for a field of a linked record.
        "Dietary or Active", help="A dietary or active ingredient, with a strength and a statement of overage.")
    mmr_is_declared = fields.Boolean("Declared", help="Declared on the label.")
    mmr_not_in_product = fields.Boolean(
        "Not in the Finished Product", help="A processing aid that does not remain in the product, such as water that is "
                                            "removed by drying.")
    mmr_strength = ExactNumber(
        "Label Claim", help="Strength, concentration, weight or measure of the ingredient.")
    mmr_strength_unit = fields.Char("Claim Unit", help="For instance: mg per tablet.")
    mmr_supplier_id = fields.Many2one(
        'res.partner', "Supplier", check_company=True, ondelete='restrict', help="Set it if only this supplier may be used.")
    mmr_overage_kind = fields.Selection([
        ('none', "None"),
        ('percent', "%"),
        ('amount', "Amount"),
    ], "Overage", help="The amount intentionally added above the declared amount. 'None' is also a statement.")
    mmr_overage = ExactNumber("Overage Value", help="Percent of the quantity without overage, or an amount.")
    mmr_overage_unit = fields.Char(compute='_compute_mmr_overage_unit')
    mmr_base_qty = GmpFloat("Quantity without Overage", help="Quantity per batch less the overage.")
    mmr_overage_amount = GmpFloat(
        "Overage Amount", compute='_compute_mmr_overage_amount', help="In the unit of the component.")
    mmr_overage_rationale = fields.Text("Overage Rationale")
    mmr_overage_confirmed_id = fields.Many2one(
        'res.users', "Overage Confirmed By", readonly=True, copy=False, ondelete='restrict',
        help="The member of Quality Control who set or confirmed the overage and its rationale.")
    mmr_overage_confirmed_at = fields.Datetime("Overage Confirmed On", readonly=True, copy=False)
    mmr_tolerance = ExactNumber(
        "Tolerance (±)", help="Permitted difference of the weighed quantity; 0: none.")
    mmr_tolerance_justification = fields.Text("Justification of the Tolerance")
    # Without default: what is blank is weighed, so that lines that are signed already stay as they are.
    mmr_stated_as = fields.Selection([
        ('as_needed', "As needed, at most this quantity"),
        ('make_up', "To make up to a weight, a volume or a value"),
    ], "Stated As", help="Blank: exactly this quantity. As needed: zero is also a result. To make up to: the quantity is the "
                         "expected one (21 CFR 111.210(c), 211.186(b)(4)).")
    mmr_make_up_to = ExactNumber("Make Up To", help="The weight or volume of the whole.")
    mmr_make_up_uom_id = fields.Many2one('uom.uom', "Unit of the Whole", ondelete='restrict')
    mmr_make_up_value = fields.Char("Value to Reach", help="If it is not a weight or volume, for instance pH 5.5 to 6.0.")
    mmr_assay_adjusted = fields.Boolean(
        "Adjusted to the Assay",
        help="The target weight is the quantity × reference potency ÷ potency of the lot (21 CFR 211.101(a)).")
    mmr_assay_reference = ExactNumber(
        "Reference Potency", help="The potency for which the quantity is written.")
    # Without default: what is blank means %, so that lines that are signed already stay as they are.
    mmr_assay_unit = fields.Char("Potency Unit", help="% if blank, or an activity such as IU/mg.")
    mmr_assay_basis = fields.Selection(
        [('as_is', "As is"), ('dried', "Dried substance")], "Potency Basis", help="As is, if blank.")
    mmr_is_filler = fields.Boolean(
        "Balancing Filler", help="Compensates what the adjusted components need more or less, so that the mass of the batch "
                                 "stays the same.")
    mmr_weighing_verified = fields.Boolean("Weighing Verified", default=True)
    mmr_addition_verified = fields.Boolean("Addition Verified", default=True)

    _mmr_not_negative = models.Constraint(
        "CHECK (mmr_overage::numeric >= 0 AND mmr_tolerance::numeric >= 0 AND mmr_strength::numeric >= 0 "
        "AND COALESCE(mmr_assay_reference::numeric, 0) >= 0)",
        "Overage, tolerance, label claim and reference potency cannot be negative. Rule: CON-050, 21 CFR 111.210(e).")
    _mmr_overage_stated = models.Constraint(
        "CHECK (COALESCE(mmr_overage::numeric, 0) = 0 OR COALESCE(mmr_overage_kind, 'none') <> 'none')",
        "An overage must be a percentage, an amount or none. Rule: CON-050, 21 CFR 111.210(e).")

    @api.model
    def default_get(self, fields):
        """A component of an MMR goes where the one before it went, at first to the first stage."""
        values = super().default_get(fields)
        bom = self.env['mrp.bom'].browse(self.env.context.get('default_bom_id'))
        if 'operation_id' in fields and not values.get('operation_id') and bom.mmr_revision_ids:
            last = bom.bom_line_ids.sorted(lambda line: (line.sequence, line.id))[-1:]
            stages = bom.operation_ids.sorted(lambda stage: (stage.sequence, stage.id))
            values['operation_id'] = (last.operation_id or stages[:1]).id
        return values

    # === COMPUTE === #

    @api.depends('gmp_qty', 'mmr_base_qty', 'mmr_overage_kind', 'mmr_overage')
    def _compute_mmr_overage_amount(self):
        for line in self:
            line.mmr_overage_amount = float(line._get_overage_amount())

    @api.depends('mmr_overage_kind', 'product_uom_id')
    def _compute_mmr_overage_unit(self):
        for line in self:
            line.mmr_overage_unit = {'percent': '%', 'amount': line.product_uom_id.name}.get(line.mmr_overage_kind, False)

    def _get_overage_amount(self):
        """Return the overage of the line in its unit, exactly."""
        self.ensure_one()
        if not self._has_overage() or self.mmr_overage_kind not in ('percent', 'amount'):
            return exact(0)
        return exact(self.gmp_qty) - exact(self.mmr_base_qty)

    def _has_overage(self):
        """Whether an overage above zero is stated."""
        self.ensure_one()
        return self.mmr_overage is not None and self.mmr_overage != 0

    @api.onchange('gmp_qty')
    def _onchange_gmp_qty(self):
        kind, overage = self.mmr_overage_kind, exact(self.mmr_overage)
        base = exact(self.mmr_base_qty)
        if exact(self.gmp_qty) != base + self._get_extra(base, kind, overage):
            self.mmr_base_qty = float(self._get_base(exact(self.gmp_qty), kind, overage))
        self.product_qty = float(self.gmp_qty or 0)

    @api.onchange('mmr_overage_kind')
    def _onchange_mmr_overage_kind(self):
        if self.mmr_overage_kind not in ('percent', 'amount'):
            self.mmr_overage = 0

    @api.onchange('mmr_base_qty', 'mmr_overage', 'mmr_overage_kind')
    def _onchange_mmr_overage(self):
        base = exact(self.mmr_base_qty or self.gmp_qty)
        self.mmr_base_qty = float(base)
        self.gmp_qty = self._with_digits(
            base + self._get_extra(base, self.mmr_overage_kind, exact(self.mmr_overage)), self.gmp_qty)
        self.product_qty = float(self.gmp_qty)

    @api.model
    def _with_digits(self, quantity, typed):
        """Return a calculated quantity as Number: with the digits that were typed, where it is that value (NUM-020).

        :param quantity: Decimal
        :param typed: Number, or None
        """
        return typed if typed is not None and exact(typed) == quantity else Number.from_legacy(quantity)

    @api.model
    def _get_extra(self, base, kind, overage):
        """Return the overage on a quantity ``base`` without it, as an exact amount."""
        if kind == 'amount':
            return overage
        return exact(base * overage / Decimal(100)) if kind == 'percent' else exact(0)

    @api.model
    def _get_base(self, quantity, kind, overage):
        """Return the quantity without overage that ``quantity`` contains."""
        if kind == 'amount':
            return quantity - overage
        return exact(quantity / (1 + overage / Decimal(100))) if kind == 'percent' else quantity

    @api.constrains('product_id', 'bom_id')
    def _check_mmr_no_kit(self):
        for bom, lines in self.filtered(lambda line: line.bom_id.mmr_revision_ids).grouped('bom_id').items():
            kits = self.env['mrp.bom']._bom_find(
                lines.product_id, company_id=bom.company_id.id, bom_type='phantom')
            for product in lines.product_id:
                if kits.get(product):
                    raise ValidationError(self.env._(
                        "%(product)s is a kit: its content could change after signing. Rule: MMR-050, "
                        "21 CFR 111.210(b). Add the components of the kit one by one.",
                        product=product.display_name))

    @api.constrains('product_id', 'product_uom_id', 'bom_id')
    def _check_mmr_unit(self):
        for line in self.filtered('bom_id.mmr_revision_ids'):
            if not line.product_uom_id._has_common_reference(line.product_id.uom_id):
                raise ValidationError(self.env._(
                    "%(component)s: %(unit)s cannot be converted to %(product_unit)s, the unit of the component. Rule: "
                    "CON-030, 21 CFR 111.210(c). Choose a unit of the same kind.", component=line.product_id.display_name,
                    unit=line.product_uom_id.name, product_unit=line.product_id.uom_id.name))

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        self = without_defaults(self, CONFIRMATION_FIELDS)
        records = super().create([
            self._mmr_align_quantities({
                'product_qty': self.env.context.get('default_product_qty', 1.0),
                **{name: value for name, value in vals.items() if name not in CONFIRMATION_FIELDS}})
            for vals in vals_list
        ])
        overages = records.filtered(lambda line: line.mmr_overage_kind in ('percent', 'amount'))
        if overages:
            for line in overages:
                line._mmr_align_new()
            overages.filtered('bom_id.mmr_revision_ids')._mmr_note_overage()
        return records

    def write(self, vals):
        if CONFIRMATION_FIELDS & vals.keys() and not in_transition(self):
            raise refusal(
                self.env, self.env._("Only a member of Quality Control can confirm an overage."),
                "PRD-050, 21 CFR 111.123(a)(1)", self.env._("use the button Confirm Overage."), record=self)
        if vals.get('mmr_to_review') is False:
            self.filtered('mmr_to_review')._mmr_log_reviewed()
        if not (QUANTITY_FIELDS | OVERAGE_FIELDS) & vals.keys():
            return super().write(vals)
        self._mmr_check_editable()
        if 'mmr_overage_kind' in vals and vals['mmr_overage_kind'] not in ('percent', 'amount'):
            # Without the kind, the value says nothing.
            vals = {'mmr_overage': 0, **vals}
        before = {line: line._mmr_overage_state() for line in self if line.mmr_overage_kind or 'mmr_overage_kind' in vals}
        if QUANTITY_FIELDS & vals.keys() and (
                any(line.mmr_overage_kind or line.mmr_base_qty for line in self) or vals.get('mmr_overage_kind')):
            for line in self:
                super(MrpBomLine, line).write(line._mmr_align_line(vals))
        else:
            super().write(self._mmr_align_quantities(vals))
        changed = self.browse([line.id for line, state in before.items() if line._mmr_overage_state() != state])
        if changed:
            changed.filtered('bom_id.mmr_revision_ids')._mmr_note_overage()
        return True

    def _mmr_align_new(self):
        """Store what follows from the overage of a new line."""
        kind, overage = self.mmr_overage_kind, exact(self.mmr_overage)
        base = exact(self.mmr_base_qty or self.gmp_qty)
        quantity = self._with_digits(base + self._get_extra(base, kind, overage), self.gmp_qty)
        if self.mmr_base_qty and base == self._get_base(exact(self.gmp_qty), kind, overage):
            # Copied: the quantity was typed, and what it is without overage was rounded.
            quantity = self.gmp_qty
        super().write(  # pylint: disable=super-method-mismatch
            {'gmp_qty': quantity, 'product_qty': float(quantity), 'mmr_base_qty': float(base)})

    @api.model
    def _mmr_align_quantities(self, vals):
        """Keep the signed quantity and Odoo's rounded one together; the finer one leads."""
        for name in {'gmp_qty', 'mmr_overage'} & vals.keys():
            field = self._fields[name]
            vals = {**vals, name: field.convert_to_record(field.convert_to_cache(vals[name], self), self)}
        if 'gmp_qty' in vals:
            return dict(vals, product_qty=float(vals['gmp_qty'] or 0))
        if 'product_qty' in vals:
            return dict(vals, gmp_qty=vals['product_qty'])
        return vals

    def _mmr_align_line(self, vals):
        """Keep the quantity, the one without overage and the overage together.

        The quantity without overage leads; where there is none yet, the quantity that stands there is taken
        as it. A quantity that is typed over an existing overage keeps the percentage.
        """
        self.ensure_one()
        vals = self._mmr_align_quantities(vals)
        kind = vals.get('mmr_overage_kind', self.mmr_overage_kind)
        overage = exact(vals.get('mmr_overage', self.mmr_overage))
        had_overage = self._has_overage() and self.mmr_overage_kind in ('percent', 'amount')
        stored = exact(self.mmr_base_qty)
        if vals.get('mmr_base_qty'):
            base = exact(vals['mmr_base_qty'])
        elif stored and 'gmp_qty' in vals and exact(vals['gmp_qty']) == stored + self._get_extra(stored, kind, overage):
            # A form sends what it changed: the quantity with the overage, and not the base that stayed.
            base = stored
        elif 'gmp_qty' not in vals:
            base = exact(self.mmr_base_qty if had_overage else self.gmp_qty)
        elif had_overage:
            base = self._get_base(exact(vals['gmp_qty']), kind, overage)
            return dict(vals, mmr_base_qty=float(base))
        else:
            base = exact(vals['gmp_qty'])
        quantity = self._with_digits(base + self._get_extra(base, kind, overage), vals.get('gmp_qty', self.gmp_qty))
        return dict(vals, gmp_qty=quantity, product_qty=float(quantity), mmr_base_qty=float(base))

    def _mmr_overage_state(self):
        state = (self.product_id, self.mmr_overage_kind, exact(self.mmr_overage), self.mmr_overage_rationale or '')
        if self.mmr_overage_kind == 'amount':
            # An amount is judged by its unit and by what it is added to.
            state += (self.product_uom_id, exact(self.mmr_base_qty))
        return state

    def _mmr_log_reviewed(self):
        """Record whose quantities somebody reviewed for another batch size (MMR-040)."""
        for revision, lines in self.sudo().grouped(lambda line: line.bom_id.mmr_revision_ids).items():
            if revision:
                revision._log_reviewed(lines.product_id.mapped('display_name'))

    def _mmr_reset_overage_confirmation(self):
        """Let these overages wait for Quality Control."""
        confirmed = self.filtered('mmr_overage_confirmed_id')
        with transition(confirmed):
            confirmed.write({'mmr_overage_confirmed_id': False, 'mmr_overage_confirmed_at': False})

    def _mmr_note_overage(self):
        """Remember who set an overage where Quality Control did; else it waits for their confirmation (PRD-050)."""
        is_qc = not self.env.user._is_superuser() and self.env.user.has_group('mrp_mmr.group_mmr_qc')
        confirmed = self.browse()
        if is_qc:
            confirmed = self.filtered(lambda line: line._has_overage() and (line.mmr_overage_rationale or '').strip())
        (self - confirmed)._mmr_reset_overage_confirmation()
        with transition(confirmed):
            confirmed.write({
                'mmr_overage_confirmed_id': self.env.uid, 'mmr_overage_confirmed_at': fields.Datetime.now()})

    def copy_data(self, default=None):
        vals_list = super().copy_data(default)
        for line, vals in zip(self, vals_list, strict=True):
            if {'gmp_qty', 'product_qty'} & (default or {}).keys():
                vals.pop('mmr_base_qty', None)
            elif line._has_overage():
                # The quantity contains the overage already.
                vals['gmp_qty'] = line._get_mmr_quantity()
        return vals_list

    # === CONTENT === #

    @api.model
    def get_import_templates(self):
        if not self.env.context.get('mmr_revision_id'):
            return super().get_import_templates()
        return [{
            'label': self.env._("Import Template for the Components of an MMR"),
            'template': '/mrp_mmr/static/import/mmr_components.csv',
        }]

    @api.model
    def name_search(self, name='', domain=None, operator='ilike', limit=100):
        # An import names rows of the revision that it fills, and of no other.
        revision = self.env.context.get('mmr_revision_id')
        if revision:
            domain = Domain(domain or Domain.TRUE) & Domain('bom_id.mmr_revision_ids', '=', revision)
        return super().name_search(name, domain, operator, limit)

    def _mmr_revisions(self):
        return self.bom_id.mmr_revision_ids

    @api.model
    def _mmr_revisions_of(self, vals_list):
        return self.env['mrp.bom']._mmr_revisions_of_rows(vals_list)

    @api.model
    def _mmr_content_fields(self):
        return {
            'product_id', 'product_qty', 'gmp_qty', 'product_uom_id', 'bom_id', 'operation_id', 'sequence',
            'bom_product_template_attribute_value_ids', 'mmr_to_review', 'mmr_is_active', 'mmr_is_declared',
            'mmr_not_in_product', 'mmr_strength', 'mmr_strength_unit', 'mmr_supplier_id', 'mmr_overage_kind',
            'mmr_overage', 'mmr_base_qty', 'mmr_overage_rationale', 'mmr_tolerance', 'mmr_tolerance_justification',
            'mmr_weighing_verified', 'mmr_addition_verified', 'mmr_assay_adjusted', 'mmr_assay_reference', 'mmr_assay_unit',
            'mmr_assay_basis', 'mmr_is_filler', 'mmr_stated_as', 'mmr_make_up_to', 'mmr_make_up_uom_id', 'mmr_make_up_value',
        }

    @api.model
    def _mmr_copied_fields(self):
        # Odoo's own quantity follows.
        return self._mmr_content_fields() - {'bom_id', 'product_qty', 'bom_product_template_attribute_value_ids'}

    @api.model
    def _audit_fields(self):
        return super()._audit_fields() | CONFIRMATION_FIELDS

    def action_confirm_overage(self):
        """Confirm overage and rationale as Quality Control (PRD-050); recorded with person and time.

        :raise UserError: for anybody else, or after the approval
        """
        revisions = self.sudo().bom_id.mmr_revision_ids
        if not self.env.user.has_group('mrp_mmr.group_mmr_qc') or self.env.user._is_superuser():
            raise refusal(
                self.env, self.env._("Only Quality Control can confirm an overage."),
                "PRD-050, APR-050, 21 CFR 111.12(b)", self.env._("ask a member of Quality Control."), record=self)
        for revision in revisions:
            revision.with_env(self.env).check_access('read')
            revision.with_env(self.env)._check_signing_qualification('mrp_mmr.group_mmr_qc')
            if revision.state not in ('draft', 'submitted'):
                raise refusal(
                    self.env, self.env._("%(revision)s is %(state)s: its overages can no longer be confirmed.",
                                         revision=revision.display_name, state=revision._get_state_label()),
                    "PRD-050, REV-010", self.env._("create a new revision."), record=revision)
            preparer = revision.prepared_signature_id.user_id if revision.state == 'submitted' else self.env['res.users']
            if preparer._get_gmp_persons() & self.env.user._get_gmp_persons():
                raise refusal(
                    self.env, self.env._("%(user)s prepared %(revision)s and cannot confirm its overages.",
                                         user=self.env.user.name, revision=revision.display_name),
                    "PRD-050, VER-100, 21 CFR 111.12(b)", self.env._("ask another member of Quality Control."), record=revision)
        for line in self.sudo():
            if not line._has_overage() or not (line.mmr_overage_rationale or '').strip():
                raise refusal(
                    self.env, self.env._("%s has no overage with a rationale.", line.product_id.display_name),
                    "PRD-050, 21 CFR 111.210(e)", self.env._("enter the rationale first."), record=line)
        lines = self.sudo()
        with transition(lines):
            lines.write({'mmr_overage_confirmed_id': self.env.uid, 'mmr_overage_confirmed_at': fields.Datetime.now()})
        for revision in revisions:
            revision._message_log(
                body=self.env._("Overage confirmed: %s", ', '.join(
                    lines.filtered(lambda line, bom=revision.bom_id: line.bom_id == bom).product_id.mapped('display_name'))),
                author_id=self.env.user.partner_id.id)
        return True

    def _is_mmr_quantity_exact(self):
        """Whether Odoo's precision holds the signed quantity without loss."""
        self.ensure_one()
        return (self.gmp_qty or 0) == self.product_qty

    def _get_mmr_quantity(self):
        """Return the more precise of the two quantities; lines older than the addon only have Odoo's."""
        self.ensure_one()
        quantity = self.gmp_qty or 0
        rounded = self.product_uom_id.compare(float(quantity), self.product_qty) == 0
        return quantity if quantity != 0 and rounded else self.product_qty
