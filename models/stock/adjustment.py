"""Stock of a lot that was wrong: made right by an inventory adjustment that names its deviation (STK-020)."""

from contextlib import contextmanager
from contextvars import ContextVar

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ...domain.numbers import decimal_string
from ...domain.refusals import refusal
from ...domain.stock import in_stock, is_held
from ..base.notation import get_plain_writer

RULE = "STK-020, 21 CFR 211.184(c), 111.113(a)"
#: The deviation that the adjustment at hand names; a variable of the process, which no client can set.
_deviation = ContextVar('mrp_mmr_adjusted_by', default=None)


@contextmanager
def adjusting(deviation):
    """Let inventory moves name the deviation that explains them."""
    token = _deviation.set(deviation.id)
    try:
        yield
    finally:
        _deviation.reset(token)


class StockMove(models.Model):
    _inherit = 'stock.move'

    mmr_deviation_id = fields.Many2one(
        'mrp.deviation', "Explained By", readonly=True, copy=False, index='btree_not_null', ondelete='restrict',
        help="The deviation for which this adjustment corrected the stock of a lot.")


class StockQuant(models.Model):
    _inherit = 'stock.quant'

    def _get_inventory_move_values(self, qty, location_id, location_dest_id, package_id=False, package_dest_id=False):
        vals = super()._get_inventory_move_values(qty, location_id, location_dest_id, package_id, package_dest_id)
        if _deviation.get():
            vals['mmr_deviation_id'] = _deviation.get()
        return vals


class StockLot(models.Model):
    _inherit = 'stock.lot'

    def action_mmr_adjust(self):
        """Open the form in which the stock of this lot is made right, with the deviation that explains it."""
        self.ensure_one()
        self.check_access('read')
        self._mmr_check_adjuster()
        self.env['mrp.lot.adjust'].check_access('create')
        return {
            'type': 'ir.actions.act_window', 'res_model': 'mrp.lot.adjust', 'view_mode': 'form', 'target': 'new',
            'name': self.env._("Adjust Stock"), 'context': {'default_lot_id': self.id}}

    @api.model
    def _mmr_check_adjuster(self):
        """Refuse adjustments by anybody except the warehouse manager and Quality Control.

        :raise AccessError: for anybody else
        """
        if not any(map(self.env.user.has_group, ('stock.group_stock_manager', 'mrp_mmr.group_mmr_qc'))):
            raise refusal(
                self.env, self.env._("%s has no role for adjusting stock.", self.env.user.name), f"SEC-010, {RULE}",
                self.env._("ask the warehouse manager or Quality Control."), record=self, exception=AccessError)

    def _mmr_check_held(self, quantity):
        """Refuse a quantity that the precision of stock would round: the record would say another one (STK-030).

        :param Decimal quantity: in the unit of the product
        """
        digits = self.env['decimal.precision'].precision_get('Product Unit')
        if not is_held(quantity, digits):
            show = get_plain_writer(self.env)
            raise refusal(
                self.env,
                self.env._("%(product)s is stocked in %(unit)s with %(digits)s decimals: %(quantity)s %(unit)s would be booked "
                           "as %(rounded)s %(unit)s.", product=self.product_id.display_name, unit=self.product_id.uom_id.name,
                           digits=digits, quantity=show(format(quantity, 'f')), rounded=show(str(round(quantity, digits)))),
                "STK-030, 21 CFR 111.210(c), 111.260(e)",
                self.env._("have the precision of quantities raised (Manufacturing, Settings, Master Manufacturing "
                           "Records), or state what stock can hold."), record=self)

    def _mmr_adjust(self, quant, counted, description, bpr=None):
        """Make the stock of this lot right where ``quant`` lies, and open the deviation that explains it.

        :param quant: stock of this lot: its place, package and owner are adjusted
        :param Decimal counted: what is there, in the unit of the product
        :param str description: how it was found
        :param bpr: the running batch that needs it, which is then not released before the deviation is closed
        :return: the deviation
        :raise UserError: where nothing differs
        """
        self.ensure_one()
        self._mmr_check_adjuster()
        self._mmr_lock()
        quants = self.env['stock.quant'].sudo().search([
            ('lot_id', '=', self.id), ('location_id', '=', quant.location_id.id),
            ('package_id', '=', quant.package_id.id), ('owner_id', '=', quant.owner_id.id)])
        digits = self.env['decimal.precision'].precision_get('Product Unit')
        before = in_stock(sum(quants.mapped('quantity')), digits)
        self._mmr_check_held(counted)
        unit, product = self.product_id.uom_id.name, self.product_id
        if not quants or quant.lot_id != self or counted < 0 or counted == before:
            raise refusal(
                self.env,
                self.env._("%(place)s already has %(before)s %(unit)s of lot %(lot)s.", place=quant.location_id.display_name,
                                     before=decimal_string(before), unit=unit, lot=self.name), RULE,
                self.env._("choose where the lot is stored and enter the quantity that was counted there."), record=self)
        place = ', '.join(filter(None, (
            quant.location_id.display_name, quant.package_id.display_name, quant.owner_id.display_name)))
        deviation = self._mmr_explain(
            bpr, self.env._("Stock of lot %(lot)s of %(product)s was wrong", lot=self.name, product=product.display_name),
            self.env._("%(place)s: %(before)s %(unit)s on stock, %(counted)s %(unit)s counted. %(description)s", place=place,
                       before=decimal_string(before), counted=decimal_string(counted), unit=unit,
                       description=(description or '').strip()),
            is_surplus=counted > before and self._mmr_is_surplus(counted - before))
        with adjusting(deviation):
            # Whoever may adjust may do this adjustment, and no other.
            row = quants[0].with_context(inventory_mode=True, inventory_name=deviation.display_name)
            row.inventory_quantity = float(in_stock(row.quantity, digits) + counted - before)
            row.action_apply_inventory()
        return deviation

    def _mmr_is_surplus(self, more):
        """Whether with so much more there is more of this lot, or left, than its batch made (REL-070)."""
        return bool(self.sudo().mmr_bpr_id) and self._mmr_get_surplus(self.env['stock.move.line'])[self] + more > 0

    def _mmr_explain(self, bpr, title, description, is_surplus=False):
        """Open the deviation that explains an adjustment of this lot, as the user of the environment.

        People of the warehouse who see no batch report it all the same: their adjustment does.

        :param bpr: the running batch that needs it, which it holds until Quality Control decided; or None
        :param bool is_surplus: whether there is more of the lot than its batch made: a major deviation, which holds the lot
        """
        deviations = self.env['mrp.deviation']
        severity = 'major' if is_surplus else 'minor'
        if bpr:
            return deviations._open_all(
                bpr, 'occurrence', title, description, severity=severity, lot_id=self.id, is_blocking=True)
        company = self.sudo().company_id or self.env.company
        return deviations._store([{
            'title': title, 'source': 'occurrence', 'severity': severity, 'description': description, 'is_blocking': False,
            'company_id': company.id, 'product_id': self.product_id.id, 'lot_id': self.id,
            'profile_id': deviations._get_product_profile(self.product_id, company).id}])
