"""Dialog that meets a demand by batches of approved sizes (PRD-070)."""

from odoo import api, fields, models
from odoo.tools.misc import clean_context

from ..domain.numbers import convert, decimal_string, exact
from ..domain.refusals import refusal
from ..models.base.gmp_float import GmpFloat
from ..models.order.planner import MAX_BATCHES

#: More than any order can hold; beyond, decimals would lose digits.
MAX_DEMAND = 1e9
#: What the column of the number of batches holds; far more than is ever created.
MAX_SHOWN = 999_999_999


class MrpMmrPlan(models.TransientModel):
    """Meet a demand by batches of approved sizes (PRD-070): propose, let the planner change it, make the orders."""
    _name = 'mrp.mmr.plan'
    _description = "Plan Batches"

    production_id = fields.Many2one(
        'mrp.production', "Draft Order", readonly=True, ondelete='cascade',
        help="This draft becomes the first batch; the others are created in addition, for the same demand.")
    company_id = fields.Many2one('res.company', required=True, default=lambda self: self.env.company)
    product_id = fields.Many2one(
        'product.product', required=True, ondelete='cascade', domain="[('mmr_controlled', '=', True)]")
    product_uom_id = fields.Many2one(related='product_id.uom_id', string="Unit of the Product")
    demand_qty = GmpFloat("Demand")
    uom_id = fields.Many2one(
        'uom.uom', "Unit", required=True, compute='_compute_uom_id', store=True, readonly=False, precompute=True)
    formulation_codes = fields.Json(compute='_compute_formulation_codes')
    formulation_count = fields.Integer(compute='_compute_formulation_codes')
    formulation_code = fields.Char(
        "Formulation", compute='_compute_formulation_code', store=True, readonly=False, precompute=True,
        help="All batches use one formulation.")
    date_start = fields.Datetime("Start", required=True, default=fields.Datetime.now)
    line_ids = fields.One2many(
        'mrp.mmr.plan.line', 'plan_id', "Batches", compute='_compute_line_ids', store=True, readonly=False)
    batch_count = fields.Integer("Orders", compute='_compute_totals')
    total_qty = GmpFloat("Total", compute='_compute_totals')
    over_qty = GmpFloat("Over-production", compute='_compute_totals')
    missing_qty = GmpFloat("Missing", compute='_compute_totals')
    order_ids = fields.Many2many(
        'mrp.production', 'mrp_mmr_plan_order_rel', 'plan_id', 'production_id', "Orders Made", readonly=True, copy=False,
        help="Identifies the plan, so that pressing a button twice does not create the orders twice.")

    # === COMPUTE === #

    @api.depends('product_id')
    def _compute_uom_id(self):
        for plan in self:
            plan.uom_id = plan.uom_id or plan.product_id.uom_id

    @api.depends('product_id', 'company_id')
    def _compute_formulation_codes(self):
        for plan in self:
            codes = sorted(set(plan._get_masters(any_formulation=True).mapped('formulation_code')))
            plan.formulation_codes = codes
            plan.formulation_count = len(codes)

    @api.depends('product_id', 'company_id')
    def _compute_formulation_code(self):
        for plan in self:
            codes = plan.formulation_codes or []
            if plan.formulation_code not in codes:
                plan.formulation_code = codes[0] if len(codes) == 1 else False

    @api.depends('product_id', 'company_id', 'formulation_code', 'demand_qty', 'uom_id')
    def _compute_line_ids(self):
        for plan in self:
            masters = plan._get_masters()
            proposal = dict(masters._propose_batches(plan._get_demand() or 0))
            plan.line_ids = [fields.Command.clear()] + [
                fields.Command.create({'mmr_id': mmr.id, 'batch_count': min(proposal.get(mmr, 0), MAX_SHOWN)})
                for mmr in masters.sorted('batch_size_product_uom', reverse=True)]

    @api.depends('line_ids.batch_count', 'line_ids.mmr_id', 'demand_qty', 'uom_id', 'product_id')
    def _compute_totals(self):
        for plan in self:
            total, demand = plan._get_total(), plan._get_demand() or 0
            plan.batch_count = sum(plan.line_ids.mapped('batch_count'))
            plan.total_qty = float(total)
            plan.over_qty = float(max(total - demand, 0))
            plan.missing_qty = float(max(demand - total, 0))

    def _get_masters(self, any_formulation=False):
        """Return the usable masters of the product, of the chosen formulation unless ``any_formulation``."""
        self.ensure_one()
        # Read with the planner's own rights.
        masters = self.env['mrp.mmr'].search([
            ('product_id', '=', self.product_id.id), ('company_id', '=', self.company_id.id),
            ('effective_revision_id', '!=', False)], order='batch_size_product_uom, formulation_code')
        if any_formulation:
            return masters
        return masters.filtered(lambda mmr: mmr.formulation_code == self.formulation_code)

    def _get_demand(self):
        """Return the demand in the product's unit, or None where it cannot be planned."""
        self.ensure_one()
        if not 0 < self.demand_qty < MAX_DEMAND:
            return None
        return convert(self.demand_qty, self.uom_id, self.product_id.uom_id)

    def _get_total(self):
        return sum((line._get_quantity() for line in self.line_ids), exact(0))

    def _without_defaults(self):
        """Return this plan without the defaults of its caller: they would reach orders and components, too."""
        return self.with_env(self.env(context=clean_context(self.env.context)))

    # === ACTIONS === #

    @api.model
    def _open(self, vals):
        """Return the action that shows a new plan.

        The plan is made here and not by defaults in the context, which would reach every record that is created later.
        """
        plan = self._without_defaults().create(vals)
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Split into Batches") if plan.production_id else self.env._("Plan Batches"),
            'res_model': self._name,
            'res_id': plan.id,
            'view_mode': 'form',
            'views': [(False, 'form')],
            'target': 'new',
        }

    def action_create_orders(self):
        """Create the planned orders as drafts and show them."""
        return self._action_show(self._create_orders())

    def action_confirm_orders(self):
        """Create the planned orders, confirm them and show them; where one is refused, none is created."""
        orders = self._create_orders()
        orders.action_confirm()
        return self._action_show(orders)

    def _create_orders(self):
        """Create one order per batch; a draft order that is split becomes the first.

        :raise UserError: where the plan was used before, misses the demand, is too large or does not fit the masters of
            today
        """
        self.ensure_one()
        self = self._without_defaults().with_company(self.company_id)
        order = self.production_id
        self._check_unused()
        if order:
            # Two planners splitting the same order would make its demand twice.
            if not order.try_lock_for_update(allow_referencing=True):
                raise refusal(
                    self.env, self.env._("Somebody else is changing %s right now.", order.name),
                    "PRD-070, 21 CFR 111.205(a)", self.env._("look at the order and try again."), record=order)
            order._mmr_check_splittable()
        self._check_plan()
        masters = [line.mmr_id for line in self.line_ids._sorted() for _batch in range(line.batch_count)]
        if order:
            orders = order._mmr_split(masters)
        else:
            orders = self.env['mrp.production'].create([self._prepare_order_vals(mmr) for mmr in masters])
        self.order_ids = orders
        return orders

    def _prepare_order_vals(self, mmr):
        """Return the values of an order that makes one batch of ``mmr``."""
        return {
            **self.env['mrp.production']._prepare_mmr_choice_vals(mmr),
            'company_id': self.company_id.id,
            'date_start': self.date_start,
        }

    def _check_unused(self):
        """Refuse a second use, at the same time (two clicks, two windows) or later."""
        if not self.try_lock_for_update():
            raise refusal(
                self.env, self.env._("The orders of this plan are being created right now."),
                "PRD-070, 21 CFR 111.205(a)", self.env._("close the dialog; the orders will appear under Manufacturing "
                                                         "Orders."),
                record=self)
        if self.order_ids:
            raise refusal(
                self.env,
                self.env._("The orders of this plan have already been created: %s.", ", ".join(self.order_ids.mapped('name'))),
                "PRD-070, 21 CFR 111.205(a)", self.env._("close the dialog; start a new plan for further demand."), record=self)

    def _check_plan(self):
        """Check what the browser sent: it may be old, or not from this dialog at all."""
        demand, production = self._get_demand(), self.production_id
        if demand is None and self.demand_qty > 0 and self.demand_qty < MAX_DEMAND:
            raise refusal(
                self.env,
                self.env._("%(unit)s cannot be converted to %(product_unit)s, the unit of %(product)s.", unit=self.uom_id.name,
                           product_unit=self.product_id.uom_id.name, product=self.product_id.display_name),
                "MMR-030, 21 CFR 111.205(a)", self.env._("choose a unit of the same kind."), record=self)
        if not demand:
            raise refusal(
                self.env, self.env._("There is no demand for %s to plan.", self.product_id.display_name),
                "PRD-070, 21 CFR 111.205(a)", self.env._("enter the quantity that is needed."), record=self)
        if production and (
                production.product_id != self.product_id or production.company_id != self.company_id
                or production._mmr_get_demand() != demand):
            raise refusal(
                self.env, self.env._("%s was changed after this dialog was opened.", production.name),
                "PRD-070, 21 CFR 111.205(a)", self.env._("open Split into Batches again."), record=production)
        lines = self.line_ids.filtered('batch_count')
        if not lines and self.formulation_count > 1 and not self.formulation_code:
            raise refusal(
                self.env,
                self.env._("%s has more than one formulation; all its batches must use the same one.",
                           self.product_id.display_name),
                "MMR-030, USE-010, 21 CFR 111.205(a)", self.env._("choose the formulation."), record=self)
        usable = self._get_masters()
        for line in lines:
            if line.mmr_id not in usable:
                raise refusal(
                    self.env,
                    self.env._("%(mmr)s is not an effective MMR of formulation %(formulation)s of %(product)s.",
                               mmr=line.mmr_id.display_name, formulation=self.formulation_code or '',
                               product=self.product_id.display_name),
                    "USE-010, 21 CFR 111.205(a)", self.env._("open the dialog again to see the current batch sizes."),
                    record=self)
        count, total = sum(lines.mapped('batch_count')), self._get_total()
        if count > MAX_BATCHES:
            raise refusal(
                self.env,
                self.env._("The plan has %(count)s orders; at most %(maximum)s can be created at once.", count=count,
                           maximum=MAX_BATCHES),
                "PRD-070, 21 CFR 111.205(a)",
                self.env._("check the demand, plan it in parts, or have an MMR with a larger batch size approved."),
                record=self)
        if total < demand:
            unit = self.product_id.uom_id.name
            raise refusal(
                self.env,
                self.env._("The batches make %(total)s %(unit)s of %(product)s, but %(demand)s %(unit)s is needed.",
                           total=decimal_string(total), demand=decimal_string(demand), unit=unit,
                           product=self.product_id.display_name),
                "PRD-070, 21 CFR 111.205(a)",
                self.env._("add batches, or have another MMR approved.") if production
                else self.env._("add batches, or reduce the demand."), record=self)

    def _action_show(self, orders):
        action = {
            'type': 'ir.actions.act_window',
            'name': self.env._("Planned Orders"),
            'res_model': 'mrp.production',
            'context': {},
        }
        if len(orders) == 1:
            return dict(action, view_mode='form', views=[(False, 'form')], res_id=orders.id)
        return dict(action, view_mode='list,form', views=[(False, 'list'), (False, 'form')], domain=[('id', 'in', orders.ids)])


class MrpMmrPlanLine(models.TransientModel):
    """How many batches a plan makes by one MMR."""
    _name = 'mrp.mmr.plan.line'
    _description = "Planned Batches of One Size"

    plan_id = fields.Many2one('mrp.mmr.plan', required=True, ondelete='cascade', index=True)
    mmr_id = fields.Many2one('mrp.mmr', "MMR", required=True, readonly=True, ondelete='cascade')
    batch_size = GmpFloat(related='mmr_id.batch_size')
    uom_id = fields.Many2one(related='mmr_id.uom_id', string="Unit")
    batch_count = fields.Integer("Batches")
    quantity = GmpFloat(compute='_compute_quantity', help="In the product's unit.")

    _batch_count_positive = models.Constraint(
        'CHECK (batch_count >= 0)', "The number of batches cannot be negative. Rule: PRD-070, 21 CFR 111.205(a).")

    @api.depends('mmr_id', 'batch_count')
    def _compute_quantity(self):
        for line in self:
            line.quantity = float(line._get_quantity())

    def _get_quantity(self):
        return exact(self.mmr_id.batch_size_product_uom) * self.batch_count

    def _sorted(self):
        """Return the lines largest batch first."""
        return self.sorted(lambda line: (-line.mmr_id.batch_size_product_uom, line.mmr_id.id))
