"""The terminal of an entry, if a work center only accepts certain ones (SEC-040)."""

from odoo import models

from ....domain.refusals import refusal
from ....domain.rules import TERMINAL_RULE


class MrpBprStep(models.Model):
    _inherit = 'mrp.bpr.step'

    def _get_device(self):
        """Return the name of the registered terminal that the session works at, or False (SEC-040)."""
        terminal = self.env['mrp.terminal']._get_current()
        return terminal.name if terminal.company_id == self.sudo().company_id else False

    def _check_terminal(self):
        """Refuse work from another terminal than those of the work center, where it names some.

        :raise UserError: naming the terminals
        """
        # Archived ones are named still: revoking the last of them does not open the step to all.
        allowed = self.sudo().workcenter_id.with_context(active_test=False).mmr_terminal_ids
        if allowed and self.env['mrp.terminal']._get_current() not in allowed:
            raise refusal(
                self.env, self.env._("%(step)s can only be recorded at %(terminals)s, and this is another terminal.",
                                     step=self.display_name, terminals=', '.join(allowed.mapped('name'))),
                TERMINAL_RULE, self.env._("go to one of these terminals, or have this one registered."), record=self)
