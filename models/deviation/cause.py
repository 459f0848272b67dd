"""Categories of causes, by which deviations are counted (DEV-020, DEV-090)."""

from odoo import api, fields, models

from ...domain.refusals import refusal


class MrpDeviationCause(models.Model):
    """A category of causes, by which deviations are counted (DEV-020, DEV-090, 21 CFR 111.140(b)(3)(ii), 211.192).

    Those of the addon are for every company and stay; Quality Control adds those of the company.

    Also held in guards/mrp_deviation_cause.sql.
    """
    _name = 'mrp.deviation.cause'
    _description = "Cause Category of Deviations"
    _inherit = ['mrp.audit.mixin']
    _order = 'sequence, name, id'

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=100)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        'res.company', ondelete='restrict', default=lambda self: self.env.company,
        help="Categories supplied with the addon apply to all companies.")

    def write(self, vals):
        if not self._is_loading() and self.filtered(lambda cause: not cause.company_id):
            raise self._refuse_change()
        return super().write(vals)

    @api.model_create_multi
    def create(self, vals_list):
        if not self._is_loading() and any('company_id' in vals and not vals['company_id'] for vals in vals_list):
            raise self._refuse_change()
        return super().create(vals_list)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_shipped(self):
        if self.filtered(lambda cause: not cause.company_id):
            raise self._refuse_change()

    def _is_loading(self):
        """Whether the addon's own data are being loaded."""
        return bool(self.env.su and self.env.context.get('install_mode'))

    def _refuse_change(self):
        return refusal(
            self.env,
            self.env._("The categories supplied with the addon are the same for all companies and cannot be changed."),
            "DEV-020, 21 CFR 211.192", self.env._("add a category for your company."), record=self[:1])
