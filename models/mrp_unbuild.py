from odoo import models

from ..tools import refusal


class MrpUnbuild(models.Model):
    _inherit = 'mrp.unbuild'

    def action_unbuild(self):
        for unbuild in self:
            if unbuild.product_id.mmr_controlled or unbuild.mo_id.mmr_controlled:
                raise refusal(
                    self.env,
                    self.env._("%s is controlled by MMR: a finished batch is not taken apart.",
                               unbuild.product_id.display_name),
                    "USE-020, DEV-060, 21 CFR 111.90, 211.115",
                    self.env._("have Quality Control decide what happens to the material."), record=unbuild)
        return super().action_unbuild()
