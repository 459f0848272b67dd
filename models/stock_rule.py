from odoo import models
from odoo.exceptions import UserError


class StockRule(models.Model):
    _inherit = 'stock.rule'

    def _should_auto_confirm_procurement_mo(self, p):
        """Leave an order without matching MMR a draft: a demand is not lost, and nothing is made by it."""
        if not super()._should_auto_confirm_procurement_mo(p):
            return False
        if not p.product_id.mmr_controlled:
            return True
        masters = self.env['mrp.mmr']._get_effective_masters(p.product_id, p.company_id)
        try:
            p._mmr_choose(masters)
        except UserError as error:
            p._message_log(body=str(error.args[0]))
            return False
        return True
