"""What leaves a step on paper: labels of its containers."""

from odoo import models

from ....domain.refusals import refusal


class MrpBprStep(models.Model):
    _inherit = 'mrp.bpr.step'

    def _get_scan_code(self):
        """Return what the codes on paper say about this step."""
        self.ensure_one()
        return f"{self.bpr_id.name}/{self.sequence}"

    def action_print_dispensing_labels(self):
        """Print the label of each container that was weighed at these steps, as PDF or ZPL (VER-030).

        The operation type of the order says which, as it does for Odoo's own labels.
        """
        self.check_access('read')
        weights = self.sudo().entry_ids.filtered(lambda entry: entry.kind == 'weight')._get_current()
        if not weights:
            raise refusal(
                self.env, self.env._("Nothing has been weighed yet at %s.", ', '.join(self.mapped('display_name'))),
                "VER-030, 21 CFR 211.101(b)", self.env._("weigh the component, then print the labels."), record=self[:1])
        zpl = self.sudo().production_id.picking_type_id[:1].mmr_dispensing_label_to_print == 'zpl'
        report = self.env.ref(f"mrp_mmr.action_report_dispensing_label{'_zpl' if zpl else ''}")
        return report.report_action(weights.ids, config=False)


class MrpBprEntry(models.Model):
    _inherit = 'mrp.bpr.entry'

    def _get_scan_code(self):
        """Return what the code on the label of a container says about its weight."""
        self.ensure_one()
        return f"{self.step_id._get_scan_code()}#{self.id}"
