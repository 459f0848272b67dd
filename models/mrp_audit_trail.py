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


class MrpMmr(models.Model):
    _name = 'mrp.mmr'
    _inherit = ['mrp.mmr', 'mrp.audit.trail.mixin']


class MrpMmrRevision(models.Model):
    _name = 'mrp.mmr.revision'
    _inherit = ['mrp.mmr.revision', 'mrp.audit.trail.mixin']


class MrpMmrLabel(models.Model):
    _name = 'mrp.mmr.label'
    _inherit = ['mrp.mmr.label', 'mrp.audit.trail.mixin']


class MrpSop(models.Model):
    _name = 'mrp.sop'
    _inherit = ['mrp.sop', 'mrp.audit.trail.mixin']


class MrpProduction(models.Model):
    _name = 'mrp.production'
    _inherit = ['mrp.production', 'mrp.audit.trail.mixin']


class MrpBpr(models.Model):
    _name = 'mrp.bpr'
    _inherit = ['mrp.bpr', 'mrp.audit.trail.mixin']


class MrpDeviation(models.Model):
    _name = 'mrp.deviation'
    _inherit = ['mrp.deviation', 'mrp.audit.trail.mixin']


class MrpCapa(models.Model):
    _name = 'mrp.capa'
    _inherit = ['mrp.capa', 'mrp.audit.trail.mixin']


class MrpQualityReview(models.Model):
    _name = 'mrp.quality.review'
    _inherit = ['mrp.quality.review', 'mrp.audit.trail.mixin']
