"""Unbuild orders of controlled batches: as Quality Control decided only (DEV-060)."""

from odoo import fields, models

from ...domain.refusals import refusal


class MrpUnbuild(models.Model):
    _inherit = 'mrp.unbuild'

    mmr_deviation_id = fields.Many2one(
        'mrp.deviation', "Approved Reprocessing", copy=False, index='btree_not_null', ondelete='restrict', check_company=True,
        domain="[('production_id', '=', mo_id), ('disposition', '=', 'reprocess')]",
        help="The decision of Quality Control that allows this batch to be disassembled (DEV-060, 21 CFR 211.115(b)).")

    def action_unbuild(self):
        for unbuild in self:
            if (unbuild.product_id.mmr_controlled or unbuild.mo_id.mmr_controlled) and not unbuild._is_mmr_approved():
                raise refusal(
                    self.env,
                    self.env._("%s is controlled by MMR: a finished batch cannot be disassembled.",
                               unbuild.product_id.display_name),
                    "USE-020, DEV-060, 21 CFR 111.90, 211.115",
                    self.env._("have Quality Control approve the reprocessing of this batch on a deviation, and select it."),
                    record=unbuild)
        return super().action_unbuild()

    def _is_mmr_approved(self):
        """Whether Quality Control decided that this very batch is reprocessed (DEV-060)."""
        self.ensure_one()
        deviation, order = self.mmr_deviation_id.sudo(), self.mo_id
        return bool(order) and deviation.state in ('decided', 'closed') and deviation.disposition == 'reprocess' \
            and deviation.production_id == order and self.product_id == order.product_id
