"""Mark of Odoo's own prints of a controlled order: they are not a batch record, and which one is (PRD-030, RPT-020)."""

from odoo import models

from ..master.print_mark import NOT_FOR_PRODUCTION, WATERMARKS


class MrpProduction(models.Model):
    _inherit = 'mrp.production'

    def _get_mmr_mark(self):
        """Return the mark of prints of this order, as :meth:`mrp.bom._get_mmr_mark` does."""
        self.ensure_one()
        order = self.sudo()
        if not order.mmr_snapshot_sha256:
            if not order.product_id.mmr_controlled:
                return None
            return {
                'watermark': NOT_FOR_PRODUCTION, 'model': False, 'id': False,
                'text': self.env._("This order has not been released on an MMR.")}
        revision = order.mmr_revision_id
        return {
            'watermark': WATERMARKS.get(revision.state, NOT_FOR_PRODUCTION), 'model': 'mrp.bpr', 'id': order.bpr_ids[:1].id,
            'text': self.env._(
                "%(order)s uses %(revision)s (%(status)s). This is not a batch record: print the batch record itself.",
                order=order.name, revision=revision.display_name, status=revision._get_state_label().lower())}


class MrpWorkorder(models.Model):
    _inherit = 'mrp.workorder'

    def _get_mmr_mark(self):
        """Return the mark of prints of this work order: that of its order."""
        return self.production_id._get_mmr_mark()
