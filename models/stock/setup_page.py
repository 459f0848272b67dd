"""The row of the page *GMP Set-Up* about lots from before the control (USR-010, REL-070)."""

from odoo import models

from ..base.setup_page import SetupRow


class ResCompany(models.Model):
    _inherit = 'res.company'

    def _get_mmr_setup_rows(self):
        return [*super()._get_mmr_setup_rows(), self._get_mmr_setup_lots()]

    def _get_mmr_setup_lots(self):
        domain = [
            ('mmr_status', '=', False), ('product_id.mmr_needs_release', '=', True), ('company_id', 'in', (self.id, False))]
        count = self.env['stock.lot'].sudo().search_count(domain)
        return SetupRow(
            self.env._("First Master"), 'lots', self.env._("Lots from before the control"),
            self.env._("Lots on stock without a status are held until Quality Control releases them. REL-070, 21 CFR 111.110"),
            self.env._("Quality Control"), 'open' if count else 'done',
            self.env._("%s without a status.", count) if count else self.env._("None waits for a decision."),
            self._open_mmr_records('stock.lot', self.env._("Lots Without a Status"), domain=domain) if count else None)
