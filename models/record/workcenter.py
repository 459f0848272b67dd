"""What runs at which work center, and which terminals it accepts entries from."""

from odoo import api, fields, models

from ...domain.refusals import refusal
from ...domain.rules import TERMINAL_RULE
from ...domain.step_states import CLOSED
from .floor import RUNNING


class MrpWorkcenter(models.Model):
    _inherit = 'mrp.workcenter'

    mmr_terminal_ids = fields.Many2many(
        'mrp.terminal', 'mrp_workcenter_terminal_rel', string="Terminals", readonly=True, copy=False,
        context={'active_test': False}, groups='mrp.group_mrp_user,mrp_mmr.group_mmr_security,mrp_mmr.group_mmr_auditor',
        help="If any are selected, batches of this work center can only be recorded at these terminals (SEC-040, 21 CFR "
             "11.10(h)).")

    @api.model_create_multi
    def create(self, vals_list):
        if any(vals.get('mmr_terminal_ids') for vals in vals_list):
            raise self._mmr_refuse_terminals()
        return super().create(vals_list)

    def write(self, vals):
        if 'mmr_terminal_ids' in vals:
            raise self._mmr_refuse_terminals()
        return super().write(vals)

    def _mmr_refuse_terminals(self):
        return refusal(
            self.env, self.env._("The terminals that a work center accepts are set on the terminals."), TERMINAL_RULE,
            self.env._("ask a security administrator to choose the work centers of each terminal."), record=self[:1])

    @api.model
    @api.readonly
    def get_floor_workcenters(self):
        """Return the work centres that a terminal can be set to, with the number of their running batches."""
        counts = dict(self.env['mrp.bpr.step']._read_group(
            [('bpr_id.state', 'in', RUNNING), ('state', 'not in', CLOSED), ('workorder_id.workcenter_id', '!=', False),
             ('company_id', 'in', self.env.companies.ids)],
            ['workorder_id.workcenter_id'], ['bpr_id:count_distinct']))
        workcenters = self.search([('company_id', 'in', [False, *self.env.companies.ids])])
        return [{'id': row.id, 'name': row.name, 'count': counts.get(row, 0)} for row in workcenters]
