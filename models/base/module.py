"""Installation and removal: the addon stays while there is evidence (AUD-030, 21 CFR 11.10(e))."""

from odoo import api, models
from odoo.exceptions import UserError


class IrModuleModule(models.Model):
    _inherit = 'ir.module.module'

    def button_uninstall(self):
        if 'mrp_mmr' in (self | self.downstream_dependencies()).mapped('name'):
            self._check_mmr_uninstall()
        return super().button_uninstall()

    @api.model
    def _check_mmr_uninstall(self):
        """Refuse to uninstall while signatures or qualifications exist (AUD-030, 21 CFR 11.10(e))."""
        signatures = self.env['mrp.esignature'].sudo().search_count([])
        qualifications = self.env['mrp.qualification'].sudo().search_count([])
        if signatures or qualifications:
            raise UserError(self.env._(
                "Master Manufacturing Records holds %(signatures)s signatures and %(qualifications)s qualifications. GMP "
                "records must be retained. Rule: AUD-030, REC-040, 21 CFR 11.10(c), 111.605. Leave the addon installed until "
                "every record may be disposed of.", signatures=signatures, qualifications=qualifications))
