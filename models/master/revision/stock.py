"""What keeps a master from being made: quantities that stock cannot hold, or that say nothing (STK-030, NUM-050)."""

from odoo import models

from ....domain.limits import MAKE_UP
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
                "%(component)s: %(quantity)s %(unit)s is %(stocked)s %(product_unit)s, but stock is kept with %(digits)s "
                "decimals of %(product_unit)s. Stock it in a smaller unit, or increase the decimals of quantities in the "
                "settings.",
                component=product.display_name, quantity=decimal_string(quantity), unit=unit.name,
                stocked=format(stocked.normalize(), 'f'), product_unit=product.uom_id.name, digits=digits)

    def _get_stated_problems(self, line, name):
        """Yield what is missing of a quantity that is as needed, or makes up to something (NUM-050)."""
        if line.mmr_stated_as == MAKE_UP:
            if line.mmr_make_up_to is None and not (line.mmr_make_up_value or '').strip():
                yield self.env._("%s: the weight, volume or value to make up to is missing.", name)
            if line.mmr_make_up_to is not None and (line.mmr_make_up_to <= 0 or not line.mmr_make_up_uom_id):
                yield self.env._("%s: the weight or volume to make up to must be greater than zero and needs a unit.", name)
        if line.mmr_assay_adjusted or line.mmr_is_filler:
            yield self.env._("%s: a component that is adjusted to an assay needs a quantity, and cannot be stated otherwise.",
                             name)
