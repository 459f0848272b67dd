from odoo import api, models

from ..tools import in_transition


class MrpWorkorder(models.Model):
    _inherit = 'mrp.workorder'

    @api.model_create_multi
    def create(self, vals_list):
        workorders = super().create(vals_list)
        workorders._mmr_check_editable()
        return workorders

    def write(self, vals):
        if {'name', 'operation_id', 'production_id'} & vals.keys():
            changed = self.filtered(lambda workorder: any(
                workorder._fields[name].convert_to_write(workorder[name], workorder) != vals[name]
                for name in ('name', 'operation_id', 'production_id') if name in vals))
            changed._mmr_check_editable()
        return super().write(vals)

    @api.ondelete(at_uninstall=True)
    def _unlink_except_mmr_released(self):
        self.exists()._mmr_check_editable()

    def _mmr_check_editable(self):
        """Refuse to add, change or remove work of a released batch (USE-030)."""
        if in_transition():
            return
        for production in self.production_id:
            if production.mmr_snapshot_sha256:
                raise production._mmr_refuse_change(self.env._("work orders"))

    def button_start(self, raise_on_invalid_state=False):
        for production in self.production_id:
            if production.state == 'draft' and production.product_id.mmr_controlled:
                raise production._mmr_refuse_unreleased()
        return super().button_start(raise_on_invalid_state=raise_on_invalid_state)
