"""Running a tamper drill (AUD-030, AUD-040, SIG-030, REV-010)."""

import logging

from odoo import models
from odoo.exceptions import AccessError

from ..domain.refusals import refusal
from ..verification import drill
from ..verification.drill import ATTACKS

_logger = logging.getLogger(__name__)


class MrpTamperDrillRun(models.TransientModel):
    """The dialog that starts a tamper drill; what the drill does to a live system is told in verification/drill/."""
    _name = 'mrp.tamper.drill.run'
    _description = "Run a Tamper Drill"

    def action_run(self):
        """Try every forbidden act on this database, undo it, keep the result and show it.

        :raise AccessError: for everybody but security administrators
        """
        self.ensure_one()
        if self.env.su or not self.env.user.has_group('mrp_mmr.group_mmr_security'):
            raise refusal(
                self.env, self.env._("Only a security administrator can run a tamper drill."), "SEC-010, 21 CFR 11.10(d), (g)",
                self.env._("ask a security administrator."), record=self, exception=AccessError)
        _logger.info("A tamper drill begins: what is refused until it ends is tried by the drill, and by no person.")
        results = drill.run(self.env.registry.cursor, self.env.company.id, self.env.uid, ATTACKS)
        _logger.info("The tamper drill has ended: %s", results['counts'])
        record = self.env['mrp.tamper.drill']._record(results)
        return {
            'type': 'ir.actions.act_window', 'res_model': record._name, 'res_id': record.id, 'view_mode': 'form',
            'name': record.name,
        }
