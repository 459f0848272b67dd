"""Labels of the containers into which components were weighed (VER-030), as PDF and ZPL."""

import base64

from odoo import api, models

from ..domain.refusals import refusal
from ..domain.zpl import zpl_text
from .document_sections import product_label

RULE = "VER-030, 21 CFR 211.101(b)-(c)"
class ReportDispensingLabel(models.AbstractModel):
    """Labels of the containers into which components were weighed (VER-030): one for each valid weight."""
    _name = 'report.mrp_mmr.report_dispensing_label'
    _inherit = ['mrp.mmr.stamped.report']
    _description = "Label of a Dispensed Container"

    @api.model
    def _get_report_values(self, docids, data=None):
        entries = self.env['mrp.bpr.entry'].browse(docids)
        entries.check_access('read')
        # Whoever may read a weight may print the label of its container.
        entries = entries.sudo()
        for entry in entries:
            if entry.kind != 'weight' or not entry.is_current:
                raise refusal(
                    self.env, self.env._("%s is not a valid weight.", entry.display_name or entry.id), RULE,
                    self.env._("print the labels of the valid weights, from their step."), record=entry)
        containers = {
            entry: (number, len(weights))
            for weights in (step.entry_ids.filtered(lambda entry: entry.kind == 'weight')._get_current()
                            for step in entries.step_id)
            for number, entry in enumerate(weights.sorted('id'), 1)}
        return {
            'doc_ids': docids,
            'doc_model': entries._name,
            'docs': [self._prepare_label(entry, *containers[entry]) for entry in entries],
            'zpl_text': zpl_text,
        }

    def _get_stamp(self, record):
        return None

    @api.model
    def _prepare_label(self, entry, number, count):
        """Return what the label of one container says."""
        step = entry.step_id
        order, target = step.production_id, step.planned['target']
        document = order.mmr_snapshot['document']
        missing = self.env._("not recorded")
        strengths = [f"{row['strength']['value']} {row['strength'].get('unit') or ''}".strip()
                     for row in document['components'] if row.get('strength')]
        code = entry._get_scan_code()
        return {
            'id': entry.id,
            'component': target['product']['name'],
            'component_code': target['product']['code'] or '',
            'lot': entry.lot_name,
            'amount': f"{entry.value} {entry.unit}",
            'product': product_label(document['product']),
            'strength': '; '.join(strengths) or missing,
            'batch_lot': ', '.join(order.lot_producing_ids.mapped('name')) or missing,
            'order': order.name,
            'step': step.code,
            'container': self.env._("%(number)s of %(count)s", number=number, count=count),
            'weighed': self._describe(step.performed_signature_id) or f"{entry.user_name}, {self._format_utc(entry.at)}",
            'verified': self._describe(step.verified_signature_id) or missing,
            'code': code,
            'image': 'data:image/png;base64,' + base64.b64encode(self.env['ir.actions.report'].barcode(
                'QR', code, width=300, height=300, quiet=0, barLevel='M')).decode(),
        }

    @api.model
    def _describe(self, signature):
        return signature and f"{signature.signer_name}, {self._format_utc(signature.signed_at)}"


class ReportDispensingLabelZpl(models.AbstractModel):
    """The same labels as commands for a label printer."""
    _name = 'report.mrp_mmr.report_dispensing_label_zpl'
    _inherit = ['report.mrp_mmr.report_dispensing_label']
    _description = "Label of a Dispensed Container (ZPL)"
