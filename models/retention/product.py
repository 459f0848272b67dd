"""What of a product decides how long records of its batches are kept (REC-020, REC-030)."""

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ...domain.refusals import refusal

#: What the retention of the records of a product follows from.
RETENTION_FIELDS = ('mmr_otc_exempt', 'mmr_lifetime_years')


class ProductTemplate(models.Model):
    """What of a product decides how long the records of its batches are kept; Quality Control sets it (REC-020, REC-030)."""
    _inherit = 'product.template'

    mmr_otc_exempt = fields.Boolean(
        "Exempt OTC Product", tracking=True,
        help="Has no expiry date under 21 CFR 211.137: records are kept for three years after the last distribution (REC-020).")
    mmr_lifetime_years = fields.Integer(
        "Lifetime (years)", tracking=True,
        help="For a device: its records are kept for this time after release, for at least two years (REC-030).")

    _mmr_lifetime = models.Constraint(
        'CHECK (mmr_lifetime_years >= 0)', "The lifetime of a device must be a positive number of years (REC-030, ISO 13485 "
                                           "4.2.5).")

    @api.model_create_multi
    def create(self, vals_list):
        templates = super().create(vals_list)
        templates._mmr_log_retention({template: dict.fromkeys(RETENTION_FIELDS) for template in templates})
        return templates

    def write(self, vals):
        names = [name for name in RETENTION_FIELDS if name in vals]
        if not names:
            return super().write(vals)
        before = {template: {name: template[name] for name in names} for template in self}
        result = super().write(vals)
        self._mmr_log_retention(before)
        return result

    def _mmr_log_retention(self, before):
        """Record in the ledger what of the retention changed.

        :param dict before: old values by product
        :raise AccessError: if the user is not a member of Quality Control
        """
        lines = []
        for template, values in before.items():
            changes = {name: {'old': old or None, 'new': template[name] or None} for name, old in values.items()
                       if (old or None) != (template[name] or None)}
            if not changes:
                continue
            if not self.env.user.has_group('mrp_mmr.group_mmr_qc'):
                raise refusal(
                    self.env, self.env._("This setting determines how long records of %s are kept.", template.display_name),
                    "REC-020, REC-030, AUD-060, 21 CFR 211.22(a)",
                    self.env._("ask a member of Quality Control who may edit products."), record=template,
                    exception=AccessError)
            lines.append({
                'chain': template.company_id or self.env.company, 'kind': 'setting', 'model': template._name,
                'res_id': template.id, 'record_name': template.display_name, 'values': changes})
        self.env['mrp.audit.entry']._append(lines)
