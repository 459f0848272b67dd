"""Work orders of a released batch are those of its snapshot (USE-030, USE-050)."""

from odoo import api, models
from odoo.exceptions import MissingError

from ...domain.refusals import refusal


class MrpWorkorder(models.Model):
    _inherit = 'mrp.workorder'

    @api.model_create_multi
    def create(self, vals_list):
        workorders = super().create(vals_list)
        workorders.production_id._mmr_check_new_rows(self.env._("work orders"))
        return workorders

    def write(self, vals):
        changing = {'name', 'operation_id', 'production_id', 'workcenter_id'} & vals.keys()
        if changing:
            changed = self.filtered(lambda workorder: any(
                workorder._fields[name].convert_to_write(workorder[name], workorder) != vals[name]
                for name in changing))
            if changing == {'workcenter_id'}:
                # Planning may take an alternative of the signed work center, and no other.
                changed = changed.filtered(lambda workorder: vals['workcenter_id'] not in (
                    workorder.operation_id.workcenter_id | workorder.operation_id.workcenter_id.alternative_workcenter_ids
                ).ids)
            # Work of a released batch is that of its snapshot (USE-030).
            changed.production_id._mmr_refuse_released(self.env._("work orders"))
        return super().write(vals)

    @api.ondelete(at_uninstall=True)
    def _unlink_except_mmr_released(self):
        try:
            orders = self.production_id
        except MissingError:
            # Core deletes work orders again that a change of the bill of materials has deleted already.
            orders = self.exists().production_id
        orders._mmr_refuse_released(self.env._("work orders"))

    def button_finish(self):
        for workorder in self:
            if workorder.state not in ('done', 'cancel') and workorder.production_id.mmr_snapshot_sha256:
                workorder._mmr_check_steps_closed()
            if workorder.state not in ('done', 'cancel') and workorder.production_id.mmr_snapshot_sha256:
                moves = workorder.move_raw_ids.filtered(lambda move: not move.picked)
                if workorder.production_id.bpr_ids:
                    # What is weighed is booked when it is added to the batch, and nothing else is.
                    moves._mmr_consume_nothing()
                else:
                    moves._mmr_consume_formula()
        return super().button_finish()

    def _mmr_check_steps_closed(self):
        """Refuse to finish a stage of a batch with open steps (USE-050)."""
        self.ensure_one()
        if self.production_id.mmr_decision == 'stop':
            return  # which is refused for that reason
        steps = self.env['mrp.bpr.step'].sudo().search(
            [('workorder_id', '=', self.id), ('state', 'not in', ('done', 'not_done'))])
        if steps:
            raise refusal(
                self.env, self.env._("%(stage)s is not finished: %(steps)s.", stage=self.display_name,
                                     steps=', '.join(steps.mapped('display_name'))),
                "USE-050, 21 CFR 111.255(c)", self.env._("finish and sign its steps; the stage finishes with the last one."),
                record=self)

    def button_start(self, raise_on_invalid_state=False):
        for production in self.production_id:
            if production.state == 'draft' and production.product_id.mmr_controlled:
                raise production._mmr_refuse_unreleased()
        return super().button_start(raise_on_invalid_state=raise_on_invalid_state)
