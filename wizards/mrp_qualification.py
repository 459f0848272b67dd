"""Dialogs that grant and revoke qualifications and record training (SEC-030)."""

from odoo import api, fields, models

from ..domain.refusals import refusal
from ..models.people.qualification import QUALITY_MANAGER, RULE


class MrpQualificationGrant(models.TransientModel):
    """Grant a qualification, or record training, for one person or several (SEC-030, 21 CFR 111.12(c), 111.14(b)(2))."""
    _name = 'mrp.qualification.grant'
    _description = "Grant a Qualification"

    kind = fields.Selection([
        ('role', "Role"),
        ('revision', "MMR revision"),
        ('sop', "Controlled document"),
    ], "For", required=True, default='role')
    company_id = fields.Many2one('res.company', required=True, default=lambda self: self.env.company)
    user_ids = fields.Many2many(
        'res.users', string="People", domain="[('share', '=', False), ('company_ids', 'in', company_id), ('id', '!=', uid)]")
    allowed_group_ids = fields.Many2many('res.groups', compute='_compute_allowed_group_ids')
    group_id = fields.Many2one('res.groups', "Role", domain="[('id', 'in', allowed_group_ids)]")
    revision_id = fields.Many2one(
        'mrp.mmr.revision', "MMR Revision",
        domain="[('company_id', '=', company_id), ('state', 'in', ('approved', 'effective', 'superseded'))]")
    sop_id = fields.Many2one('mrp.sop', "Document", domain="[('company_id', '=', company_id)]")
    valid_from = fields.Date(required=True, default=lambda self: self.env.company._get_mmr_today())
    valid_to = fields.Date(help="Last day. Empty: until it is revoked.")
    evidence = fields.Text(help="Education, training and experience that you have seen, and where it is kept.")
    upload = fields.Binary("Certificate", attachment=False)
    upload_name = fields.Char("File Name")

    @api.depends_context('uid')
    def _compute_allowed_group_ids(self):
        groups = self.env['res.users']._get_gmp_groups()
        manager = self.env.ref(QUALITY_MANAGER)
        # The security administrator begins the chain, and no more (see mrp.qualification).
        self.allowed_group_ids = groups if self.env.user.has_group(QUALITY_MANAGER) else groups & manager

    def action_grant(self):
        """Grant it and show what was granted."""
        self.ensure_one()
        file = self.upload and self.env['mrp.mmr.file']._store(
            self.upload_name, self.with_context(bin_size=False).upload)
        granted = self.env['mrp.qualification']._grant(
            self.user_ids, {'role': self.group_id, 'revision': self.revision_id, 'sop': self.sop_id}[self.kind],
            self.evidence, self.valid_from, self.valid_to, self.company_id, file or None)
        return {
            'type': 'ir.actions.client', 'tag': 'display_notification',
            'params': {
                'type': 'success', 'message': self.env._("Granted: %s", ", ".join(granted.mapped('display_name'))),
                'next': {'type': 'ir.actions.client', 'tag': 'soft_reload'},
            },
        }


class MrpQualificationRevoke(models.TransientModel):
    """Revoke qualifications with a reason (SEC-030)."""
    _name = 'mrp.qualification.revoke'
    _description = "Revoke Qualifications"

    qualification_ids = fields.Many2many('mrp.qualification', string="Qualifications", required=True)
    reason = fields.Text()

    def action_revoke(self):
        self.ensure_one()
        if not self.qualification_ids:
            raise refusal(
                self.env, self.env._("No qualification was chosen."), RULE, self.env._("choose at least one."))
        self.qualification_ids._revoke(self.reason)
        return {'type': 'ir.actions.client', 'tag': 'soft_reload'}
