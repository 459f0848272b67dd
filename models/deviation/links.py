"""From a deviation to the batch, and what belongs to it, in one click (USR-010)."""

from odoo import models


class MrpDeviation(models.Model):
    _name = 'mrp.deviation'
    _inherit = ['mrp.deviation', 'mrp.batch.links.mixin']

    def _get_linked_batches(self):
        return self.bpr_id

    def _get_linked_deviations(self):
        return self | super()._get_linked_deviations()
