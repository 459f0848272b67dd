"""Which quants may be reserved: released lots, and none that is not free (USE-060, REL-010)."""

from contextlib import contextmanager
from contextvars import ContextVar

from odoo import api, fields, models
from odoo.fields import Domain

#: Which lots whoever asks for stock may use; a variable of the process, which no client can set.
_usable_lots = ContextVar('mrp_mmr_usable_lots', default=None)


@contextmanager
def usable_lots(kind):
    """Let only lots be found that Quality Control ``released`` (USE-060), or that are ``free`` (REL-070).

    It narrows a search and nothing else; None is everything, as in Odoo.
    """
    token = _usable_lots.set(kind)
    try:
        yield
    finally:
        _usable_lots.reset(token)


class StockQuant(models.Model):
    _inherit = 'stock.quant'

    # In the row of the quant, like the removal date of core, so that a reservation asks nothing more.
    mmr_lot_status = fields.Selection(string="GMP Status", related='lot_id.mmr_status', store=True, index='btree_not_null')

    @api.model
    def _mmr_get_quantity_fields(self):
        return super()._mmr_get_quantity_fields() | {'inventory_quantity', 'inventory_quantity_auto_apply', 'quantity'}

    def _gather(self, product_id, location_id, lot_id=None, package_id=None, owner_id=None, strict=False, qty=0):
        quants = super()._gather(product_id, location_id, lot_id, package_id, owner_id, strict, qty)
        # As a part of the search it would cost a larger domain for each component of each batch.
        usable = _usable_lots.get()
        if usable == 'released':
            return quants.filtered(lambda quant: not quant.lot_id or quant.mmr_lot_status == 'released')
        if usable == 'free':
            return quants.filtered(lambda quant: quant._mmr_is_free())
        return quants

    def _run_least_packages_removal_strategy_astar(self, domain, qty):
        # It chooses packages by what is in them: they must not be chosen for lots that are not used.
        usable = _usable_lots.get()
        if usable == 'released':
            domain = Domain(domain) & (Domain('lot_id', '=', False) | Domain('mmr_lot_status', '=', 'released'))
        elif usable == 'free':
            domain = Domain(domain) & self._mmr_get_free_domain()
        return super()._run_least_packages_removal_strategy_astar(domain, qty)

    @api.depends('mmr_lot_status')
    def _compute_available_quantity(self):
        super()._compute_available_quantity()
        for quant in self:
            if not quant._mmr_is_free():
                quant.available_quantity = 0
