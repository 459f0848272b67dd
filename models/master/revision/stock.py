"""What keeps a master from being made: quantities that the stock of a component cannot hold (STK-030)."""

from odoo import models

from ....domain.numbers import decimal_string, exact
from ....domain.stock import convert_exactly, is_held


class MrpMmrRevision(models.Model):
    _inherit = 'mrp.mmr.revision'

    def _get_stock_problems(self, product, quantity, unit):
        """Yield why stock could not hold a quantity of this master exactly (STK-030, 21 CFR 111.210(c)).

        :param float quantity: in ``unit``; stock is kept in the unit of ``product``
        """
        digits = self.env['decimal.precision'].precision_get('Product Unit')
        stocked = convert_exactly(exact(quantity), unit, product.uom_id)
        if stocked is not None and not is_held(stocked, digits):
            yield self.env._(
                "%(component)s: %(quantity)s %(unit)s are %(stocked)s %(product_unit)s, and stock holds %(digits)s decimals of "
                "%(product_unit)s. Stock it in a finer unit, or raise the precision of quantities in the settings.",
                component=product.display_name, quantity=decimal_string(quantity), unit=unit.name,
                stocked=format(stocked.normalize(), 'f'), product_unit=product.uom_id.name, digits=digits)
