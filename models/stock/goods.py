"""The rule of held goods, in one place: of what Quality Control decides on, only what was released is free (REL-070)."""

from odoo import api, models
from odoo.fields import Domain

from ...domain.lots import ON_HOLD, is_free
from ...domain.refusals import refusal

RULE = "REL-070, REL-010, 21 CFR 111.123(a)(8), 211.165(a), 211.84(a)"


class ProductTemplate(models.Model):
    _inherit = 'product.template'

    def _mmr_is_decided_on(self):
        """Whether Quality Control decides on each lot of this product before it is used or leaves."""
        return bool(self.mmr_controlled or self.mmr_needs_release)


class ProductProduct(models.Model):
    _inherit = 'product.product'

    def _mmr_is_decided_on(self):
        """Whether Quality Control decides on each lot of this product before it is used or leaves."""
        return bool(self.mmr_controlled or self.mmr_needs_release)

    def _mmr_names_lots(self):
        """Whether each movement of this product names its lot (H-24): it is decided on by lot."""
        return self._mmr_is_decided_on() and self.tracking != 'none'

    def _compute_quantities_dict(self, lot_id, owner_id, package_id, from_date=False, to_date=False):
        """What is not free is on hand and not free to use (REL-010)."""
        quantities = super()._compute_quantities_dict(lot_id, owner_id, package_id, from_date, to_date)
        tracked = self.filtered(lambda product: product.tracking != 'none')
        if not tracked:
            return quantities
        quants = self.env['stock.quant']
        domain = Domain('product_id', 'in', tracked._origin.ids) & ~quants._mmr_get_free_domain() \
            & Domain(self._get_domain_locations()[0])
        for name, value in (('lot_id', lot_id), ('owner_id', owner_id), ('package_id', package_id)):
            if value is not None:
                domain &= Domain(name, '=', value)
        held = {product.id: quantity - reserved for product, quantity, reserved in quants._read_group(
            domain, ['product_id'], ['quantity:sum', 'reserved_quantity:sum'])}
        for product in tracked:
            if held.get(product._origin.id):
                values = quantities[product.id]
                values['free_qty'] = product.uom_id.round(values['free_qty'] - held[product._origin.id])
        return quantities


class StockLot(models.Model):
    """Also held in guards/_goods.sql, for every road by guards/stock_move_line.sql."""
    _inherit = 'stock.lot'

    def _mmr_is_free(self):
        """Whether goods of this lot may be used and may leave."""
        self.ensure_one()
        return is_free(self.mmr_status, self.product_id._mmr_is_decided_on())


class StockQuant(models.Model):
    _inherit = 'stock.quant'

    def _mmr_is_free(self):
        """Whether these goods may be used and may leave; what names no lot is free where its product is not moved by lot."""
        self.ensure_one()
        if not self.lot_id:
            return not self.product_id._mmr_names_lots()
        return is_free(self.mmr_lot_status, self.product_id._mmr_is_decided_on())

    @api.model
    def _mmr_get_free_domain(self):
        """Return the domain of :meth:`_mmr_is_free`."""
        undecided = Domain('product_id.mmr_controlled', '=', False) & Domain('product_id.mmr_needs_release', '=', False)
        return Domain('mmr_lot_status', '=', 'released') | Domain('mmr_lot_status', 'not in', ON_HOLD) & (
            undecided | Domain('lot_id', '=', False) & Domain('product_id.tracking', '=', 'none'))


class StockMoveLine(models.Model):
    _inherit = 'stock.move.line'

    def _mmr_get_not_free(self):
        """Return those of these lines whose lot may not be used and may not leave."""
        return self.filtered(lambda line: line.quantity and line.lot_id and not line.lot_id._mmr_is_free())

    def _mmr_check_has_lot(self):
        """Refuse to move what Quality Control decides on by lot without saying which lot it is (H-24).

        What lies on stock without a lot, from the time before its product was tracked, is written off by an inventory
        adjustment and counted again by lot; :meth:`stock.quant._mmr_check_watched` ensures that no more is written off.

        :raise UserError: naming the product
        """
        for line in self:
            product = line.product_id
            if line.lot_id or not line.quantity or not product._mmr_names_lots() or (
                    line.is_inventory and not product.mmr_controlled and line.location_dest_id.usage == 'inventory'
                    and line.location_id.usage == 'internal'):
                continue
            raise refusal(
                self.env, self.env._("%s is released by lot: each movement must name the lot.", product.display_name)
                if not product.mmr_controlled else
                self.env._("%s is controlled by MMR: each movement must name the lot.", product.display_name),
                f"{RULE}, REL-050, 21 CFR 111.410(d), 211.150(b)", self.env._("choose a released lot."), record=product)
