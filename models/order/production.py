"""The manufacturing order of a controlled product: its snapshot, what is fixed by it, and the roads it cannot take."""

from contextvars import ContextVar

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...domain.numbers import convert, decimal_string, exact
from ...domain.refusals import refusal
from ...domain.transitions import in_transition, transition, without_defaults
from .snapshot import SnapshotJson

#: Set by the release of the order alone.
SNAPSHOT_FIELDS = {'mmr_controlled', 'mmr_revision_id', 'mmr_snapshot', 'mmr_snapshot_sha256'}
#: Set by the decision of Quality Control on a running batch alone.
DECISION_FIELDS = {'mmr_decision', 'mmr_decision_signature_id'}
#: What a released batch is; it cannot drift afterwards (USE-020).
FIXED_FIELDS = {'product_id', 'product_qty', 'product_uom_id', 'bom_id', 'company_id', 'consumption'}
#: What a closed batch has recorded.
RECORDED_FIELDS = {'qty_producing', 'lot_producing_ids'}

#: The orders whose moves and work orders were created while orders are being created.
_rows_created_for = ContextVar('mrp_mmr_rows_created_for', default=None)


class MrpProduction(models.Model):
    _inherit = 'mrp.production'

    mmr_controlled = fields.Boolean(
        "Controlled by MMR", compute='_compute_mmr_controlled', store=True, precompute=True, copy=False,
        help="Copied from the product while the order is a draft, then fixed.")
    mmr_id = fields.Many2one(
        'mrp.mmr', "Master Manufacturing Record", compute='_compute_mmr_id', inverse='_inverse_mmr_id',
        search='_search_mmr_id', compute_sudo=True,
        help="Choose the batch size to make: quantity and bill of materials follow.")
    mmr_available_sizes = fields.Char("Available Batch Sizes", compute='_compute_mmr_available_sizes')
    mmr_other_size = fields.Boolean("Not an Available Batch Size", compute='_compute_mmr_available_sizes')
    mmr_revision_id = fields.Many2one(
        'mrp.mmr.revision', "MMR Revision", readonly=True, copy=False, index='btree_not_null', ondelete='restrict',
        tracking=True, help="The revision by which this batch is made.")
    mmr_revision_state = fields.Selection(related='mmr_revision_id.state', string="Status of the MMR Revision")
    mmr_snapshot = SnapshotJson(
        "MMR Snapshot", readonly=True, copy=False, prefetch=False,
        help="The signed content of the revision, embedded when the order was confirmed.")
    mmr_snapshot_sha256 = fields.Char("Digest of the MMR Snapshot", readonly=True, copy=False)

    _mmr_snapshot_required = models.Constraint(
        "CHECK (mmr_controlled IS NOT TRUE OR state IN ('draft', 'cancel') OR "
        "(mmr_snapshot IS NOT NULL AND mmr_snapshot_sha256 IS NOT NULL AND mmr_revision_id IS NOT NULL))",
        "A controlled product can only be made with the snapshot of an effective MMR for exactly this batch size (USE-010, "
        "USE-030, 21 CFR 111.205(a)). Use the Confirm button of the order.")

    @api.model
    def _mmr_get_quantity_fields(self):
        return super()._mmr_get_quantity_fields() | {'product_qty', 'qty_producing'}

    # === COMPUTE === #

    @api.depends('product_id')
    def _compute_mmr_controlled(self):
        for production in self:
            production.mmr_controlled = production.product_id.mmr_controlled

    @api.depends('bom_id', 'mmr_revision_id')
    def _compute_mmr_id(self):
        for production in self:
            revision = production.mmr_revision_id or production.bom_id.mmr_revision_ids
            production.mmr_id = revision.mmr_id

    def _inverse_mmr_id(self):
        for production in self:
            revision = production.mmr_id.effective_revision_id
            if revision and production.bom_id != revision.bom_id:
                production.write(production._prepare_mmr_choice_vals(production.mmr_id))

    @api.model
    def _search_mmr_id(self, operator, value):
        return [('bom_id.mmr_revision_ids.mmr_id', operator, value)]

    @api.depends('product_id', 'company_id', 'product_qty', 'product_uom_id')
    def _compute_mmr_available_sizes(self):
        controlled = self.filtered('product_id.mmr_controlled')
        (self - controlled).mmr_available_sizes = False
        (self - controlled).mmr_other_size = False
        if not controlled:
            return
        masters = self.env['mrp.mmr']._get_effective_masters(controlled.product_id, controlled.company_id)
        for production in controlled:
            production.mmr_available_sizes = production._get_mmr_size_labels(masters) or self.env._("none")
            production.mmr_other_size = not production._get_mmr_of_size(masters)

    @api.onchange('mmr_id')
    def _onchange_mmr_id(self):
        if self.mmr_id and self.state == 'draft' and self.mmr_id.effective_revision_id.bom_id != self.bom_id:
            self.update(self._prepare_mmr_choice_vals(self.mmr_id))

    def _prepare_mmr_choice_vals(self, mmr):
        """Return the values of a draft order that makes one batch of ``mmr``."""
        bom = mmr.sudo().effective_revision_id.bom_id
        return {
            'product_id': mmr.product_id.id,
            'bom_id': bom.id,
            'product_qty': bom.product_qty,
            'product_uom_id': bom.product_uom_id.id,
        }

    def _compute_state(self):
        super()._compute_state()
        for production in self:
            # Work on a draft order does not release it: only the gate does (USE-010).
            if production.mmr_controlled and production.state not in (False, 'draft', 'cancel') \
                    and not production.mmr_snapshot_sha256:
                production.state = 'draft'

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        self = without_defaults(self, SNAPSHOT_FIELDS | DECISION_FIELDS)
        vals_list = [
            vals if not DECISION_FIELDS & vals.keys() else
            {name: value for name, value in vals.items() if name not in DECISION_FIELDS} for vals in vals_list]
        for vals in vals_list:
            if SNAPSHOT_FIELDS & vals.keys():
                raise self._mmr_refuse_snapshot_write()
            if vals.get('state', self.env.context.get('default_state')) not in (None, False, 'draft', 'cancel'):
                born = self.new({name: vals[name] for name in ('name', 'product_id', 'bom_id') if name in vals})
                if born.product_id.mmr_controlled:
                    raise born._mmr_refuse_unreleased()
        token = _rows_created_for.set(set())
        try:
            productions = super().create(vals_list)
            others = _rows_created_for.get().difference(productions.ids)
        finally:
            _rows_created_for.reset(token)
        self.browse(others)._mmr_refuse_released(self.env._("components and work orders"))
        return productions

    def _mmr_check_new_rows(self, what):
        """Refuse new rows of released orders; for orders that are being created, once and without reading them.

        :return: whether the check was done now
        """
        collected = _rows_created_for.get()
        if collected is not None:
            collected.update(self.ids)
            return False
        self._mmr_refuse_released(what)
        return True

    def write(self, vals):
        self._mmr_check_decision_signed(vals)
        guarded = vals.keys() & (SNAPSHOT_FIELDS | FIXED_FIELDS | RECORDED_FIELDS | {'state', 'is_locked'})
        if guarded and not in_transition(self):
            if SNAPSHOT_FIELDS & guarded:
                raise self._mmr_refuse_snapshot_write()
            for production in self:
                if in_transition(production):
                    continue
                if production.mmr_controlled or (
                        'state' in guarded and production.product_id.mmr_controlled):
                    production._mmr_check_write(vals)
                elif 'product_qty' in vals and production.state not in ('draft', 'cancel'):
                    production._mmr_check_uncontrolled_growth(vals)
        return super().write(vals)

    def _mmr_check_write(self, vals):
        """Refuse to change what a released batch is, or to set its status by hand (USE-020)."""
        self.ensure_one()
        new_state = vals.get('state', self.state)
        if self.mmr_snapshot_sha256:
            for name in FIXED_FIELDS & vals.keys():
                if name == 'consumption' and self.state == 'draft':
                    continue  # core takes it from the bill of materials when it confirms
                field = self._fields[name]
                if field.convert_to_write(self[name], self) != vals[name] and not (
                        field.type == 'float' and decimal_string(self[name]) == decimal_string(vals[name])):
                    raise self._mmr_refuse_change(field._description_string(self.env))
        elif new_state not in ('draft', 'cancel') and (self.state == 'draft' or self.mmr_controlled):
            raise self._mmr_refuse_unreleased()
        if new_state != self.state and (
                self.state in ('done', 'cancel') or new_state in ('draft', 'done', 'cancel') or self.state == 'draft'):
            # Confirming, cancelling and closing are done by their buttons, which check.
            raise self._mmr_refuse_change(self._fields['state']._description_string(self.env))
        if self.state == 'done' and (not vals.get('is_locked', True) or RECORDED_FIELDS & vals.keys()):
            raise self._mmr_refuse_change(self.env._("closed batch record"))

    def _mmr_check_uncontrolled_growth(self, vals):
        """Refuse to enlarge an order that was confirmed before its product came under control."""
        self.ensure_one()
        if self.product_id.mmr_controlled and exact(vals['product_qty']) > exact(self.product_qty):
            raise refusal(
                self.env,
                self.env._("%(order)s was confirmed before %(product)s came under control by MMR; its quantity cannot be "
                           "increased.",
                           order=self.name, product=self.product_id.display_name),
                "USE-020, 21 CFR 111.205(a)", self.env._("create a new order with an available batch size."), record=self)

    def unlink(self):
        self._unlink_except_mmr_released()
        return super().unlink()

    @api.ondelete(at_uninstall=True)
    def _unlink_except_mmr_released(self):
        for production in self:
            if production.mmr_snapshot_sha256:
                raise refusal(
                    self.env,
                    self.env._("%(order)s was released on %(revision)s and cannot be deleted.", order=production.name,
                               revision=production.mmr_revision_id.display_name),
                    "BPR-010, REC-040, 21 CFR 111.255(a), 111.605",
                    self.env._("cancel the order; it remains as a record."), record=production)

    # === REFUSALS === #

    def _mmr_refuse_snapshot_write(self):
        return refusal(
            self.env, self.env._("The MMR snapshot of an order is only written when the order is released."),
            "USE-030, 21 CFR 111.255(c)", self.env._("use the Confirm button of the order."), record=self)

    def _mmr_refuse_unreleased(self):
        return refusal(
            self.env,
            self.env._("%(order)s makes %(product)s, which is controlled by MMR, and has not been released.",
                       order=self.name, product=self.product_id.display_name),
            "USE-010, 21 CFR 111.205(a), 111.255(c)",
            self.env._("confirm the order; it is then checked against the effective MMR."), record=self)

    def _mmr_refuse_change(self, what):
        return refusal(
            self.env,
            self.env._("%(order)s was released on %(revision)s: %(what)s cannot be changed. A smaller result is recorded as "
                       "yield, not as a smaller batch.", order=self.name,
                       revision=self.mmr_revision_id.display_name, what=what),
            "USE-020, 21 CFR 111.205(a)",
            self.env._("cancel the order and create a new one with an available batch size."), record=self)

    # === ROUTES THAT A CONTROLLED BATCH DOES NOT TAKE === #

    def _mmr_refuse_released(self, what):
        """Refuse ``what`` for released orders.

        :raise UserError: where any of these orders carries a snapshot
        """
        for production in self:
            # A draft has no snapshot: it is not asked for one, as its columns may not be read yet.
            if production.state != 'draft' and production.mmr_snapshot_sha256 and not in_transition(production):
                raise production._mmr_refuse_change(what)

    def _mmr_refuse_divided(self):
        """Refuse to split, merge or back-order a controlled batch: one batch is one order (USE-020)."""
        for production in self:
            if production.mmr_controlled or production.product_id.mmr_controlled:
                raise refusal(
                    self.env,
                    self.env._("%(order)s makes %(product)s, which is controlled by MMR: one batch is one order. It cannot "
                               "be split, merged or back-ordered.", order=production.name,
                               product=production.product_id.display_name),
                    "USE-020, 21 CFR 111.205(a)",
                    self.env._("create one order for each batch, with an available batch size."), record=production)

    def _pre_action_split_merge_hook(self, merge=False, split=False):
        if merge or split:
            self._mmr_refuse_divided()
        return super()._pre_action_split_merge_hook(merge=merge, split=split)

    def action_merge(self):
        self._mmr_refuse_divided()
        return super().action_merge()

    def _split_productions(self, amounts=False, cancel_remaining_qty=False, set_consumed_qty=False):
        self._mmr_refuse_divided()
        return super()._split_productions(amounts, cancel_remaining_qty, set_consumed_qty)

    def _get_consumption_issues(self):
        """Compare the consumption of a controlled batch with its snapshot, not with today's bill of materials (USE-040)."""
        released = self.filtered('mmr_snapshot_sha256')
        issues = super(MrpProduction, self - released)._get_consumption_issues()
        if self.env.context.get('skip_consumption'):
            return issues
        for order in released:
            planned, consumed = {}, {}
            for row in order.mmr_snapshot['document']['components']:
                product = row['product']['id']
                unit = self.env['uom.uom'].browse(row['unit_id'])
                planned[product] = planned.get(product, 0) + convert(
                    row['quantity'], unit, self.env['product.product'].browse(product).uom_id)
            for move in order.move_raw_ids.filtered('picked'):
                product = move.product_id
                consumed[product.id] = consumed.get(product.id, 0) + convert(
                    move._get_picked_quantity(), move.product_uom, product.uom_id)
            issues += [
                (order, self.env['product.product'].browse(product), float(consumed.get(product, 0)),
                 float(planned.get(product, 0)))
                for product in dict.fromkeys([*planned, *consumed])
                if planned.get(product, 0) != consumed.get(product, 0)
            ]
        return issues

    def _get_quantity_produced_issues(self):
        issues = super()._get_quantity_produced_issues()
        # Less than planned is yield: no backorder is offered (USE-020).
        return [order for order in issues if not order.mmr_controlled]

    def _link_bom(self, bom):
        self._mmr_refuse_released(self.env._("the bill of materials"))
        return super()._link_bom(bom)

    def _update_raw_moves(self, factor):
        self._mmr_refuse_released(self.env._("the quantity"))
        return super()._update_raw_moves(factor)

    def action_toggle_is_locked(self):
        for production in self:
            if production.mmr_snapshot_sha256 and production.state == 'done':
                raise production._mmr_refuse_change(self.env._("closed batch record"))
        return super().action_toggle_is_locked()

    # === DONE AND CANCELLED === #

    def button_mark_done(self):
        """Complete orders; a controlled batch only with what its record says (USE-020, USE-050)."""
        self._mmr_check_not_stopped()
        if any(self.mapped('mmr_controlled')):
            self._button_mark_done_sanity_checks()
            with transition(self.filtered('mmr_snapshot_sha256')):
                result = super().button_mark_done()
        else:
            result = super().button_mark_done()
        self._mmr_follow_done()
        return result

    def _button_mark_done_sanity_checks(self):
        self._mmr_prepare_done()
        for production in self:
            if production.product_id.mmr_controlled and production.state == 'draft':
                raise production._mmr_refuse_unreleased()
        return super()._button_mark_done_sanity_checks()

    def _mmr_prepare_done(self):
        """Hook: check these orders before they are completed, and book what their records say; it may run twice.

        :raise UserError: naming order and rule
        """

    def _mmr_follow_done(self):
        """Hook: do what follows for those of these orders that are done; a dialog of Odoo may have come between."""

    def _action_cancel(self):
        self._mmr_prepare_cancel()
        with transition(self.filtered('mmr_snapshot_sha256')):
            result = super()._action_cancel()
        self._mmr_follow_cancel()
        return result

    def _mmr_prepare_cancel(self):
        """Hook: book what was used of these orders before they are cancelled."""

    def _mmr_follow_cancel(self):
        """Hook: do what follows for those of these orders that are cancelled."""

    def _set_qty_producing(self, pick_manual_consumption_moves=True):
        """Consume the whole formula, whatever the batch yields: less is yield, not a smaller batch (USE-020)."""
        # Entered by hand before core proposes anything: kept as it is.
        entered = self.move_raw_ids.filtered(lambda move: move.picked and move.manual_consumption)
        result = super()._set_qty_producing(pick_manual_consumption_moves)
        if self.mmr_snapshot_sha256 and self.qty_producing:
            (self.move_raw_ids - entered)._mmr_consume_formula()
        return result

    def action_generate_bom(self):
        if self.product_id.mmr_controlled:
            raise UserError(self.env._(
                "%s is controlled by MMR: its formula is written in an MMR and cannot be taken from an order. Rule: MMR-050, "
                "21 CFR 111.210. Use New Revision on the MMR.", self.product_id.display_name))
        return super().action_generate_bom()
