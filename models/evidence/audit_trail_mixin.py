"""The button Audit Trail on the forms of records (AUD-010)."""

from odoo import models


class MrpAuditTrailMixin(models.AbstractModel):
    """Records with an audit trail that is one click away."""
    _name = 'mrp.audit.trail.mixin'
    _description = "Record Whose Audit Trail Is Shown"

    def action_open_audit_trail(self):
        """Show the audit trail of this record: the chain that it belongs to, or what the company's says about it."""
        self.ensure_one()
        self.check_access('read')
        self.env['mrp.audit.entry'].check_access('read')
        owner = self.sudo()._audit_chain()
        domain = [('res_model', '=', self._name), ('res_id', '=', self.id)] if owner._name == 'res.company' else [
            ('chain_id.res_model', '=', owner._name), ('chain_id.res_id', '=', owner.id)]
        action = self.env['ir.actions.act_window']._for_xml_id('mrp_mmr.mrp_audit_entry_action')
        return dict(action, domain=domain, context={})
