"""Record rules of a time-limited auditor end with the role."""

from odoo import models


class IrRule(models.Model):
    _inherit = 'ir.rule'

    def _compute_domain_context_values(self):
        yield from super()._compute_domain_context_values()
        # Rules of an auditor are not remembered beyond the end of the role (see res_users_auditor.py).
        yield not self.env.su and self.env.user._is_auditor_lapsed()
