from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..tools import refusal


class ProductTemplate(models.Model):
    _inherit = 'product.template'

    mmr_controlled = fields.Boolean(
        "Controlled by MMR", tracking=True,
        help="Manufacturing orders of this product are only confirmed on an effective Master Manufacturing "
             "Record of exactly their size (21 CFR 111.205(a)). Set by itself when the first MMR becomes effective.")
    mmr_count = fields.Integer("Master Manufacturing Records", compute='_compute_mmr_count')

    def _compute_mmr_count(self):
        counts = {}
        for product, count in self.env['mrp.mmr']._read_group(
                [('product_id', 'in', self.with_context(active_test=False).product_variant_ids.ids)],
                ['product_id'], ['__count']):
            counts[product.product_tmpl_id.id] = counts.get(product.product_tmpl_id.id, 0) + count
        for template in self:
            template.mmr_count = counts.get(template.id, 0)

    @api.model_create_multi
    def create(self, vals_list):
        templates = super().create(vals_list)
        templates.filtered('mmr_controlled')._mmr_log_control()
        return templates

    def write(self, vals):
        if 'uom_id' in vals:
            self._check_mmr_unit_change(vals['uom_id'])
        if 'mmr_controlled' not in vals:
            return super().write(vals)
        controlled = bool(vals['mmr_controlled'])
        self._check_mmr_control_change(controlled)
        changed = self.filtered(lambda template: template.mmr_controlled != controlled)
        result = super().write(vals)
        changed._mmr_log_control()
        return result

    def _mmr_log_control(self):
        """Record that these products came under control, or left it (AUD-060, 21 CFR 11.10(k))."""
        company = self.env.company
        self.env['mrp.audit.entry']._append([{
            'chain': template.company_id or company, 'kind': 'setting', 'model': template._name, 'res_id': template.id,
            'record_name': template.display_name, 'values': {
                'mmr_controlled': {'old': not template.mmr_controlled, 'new': template.mmr_controlled}},
        } for template in self])

    def _check_mmr_control_change(self, controlled):
        """Only Quality Control takes a product out of control.

        :raise AccessError: for anybody else
        """
        if controlled or self.env.user.has_group('mrp_mmr.group_mmr_qc'):
            return
        for template in self.filtered('mmr_controlled'):
            raise refusal(
                self.env, self.env._("%s is controlled by MMR.", template.display_name),
                "USE-020, 21 CFR 111.205(a), 111.12(b)",
                self.env._("ask a person of Quality Control who may edit products."),
                record=template, exception=AccessError)

    def _check_mmr_unit_change(self, uom_id):
        """The product's unit is part of the key of its MMRs."""
        changed = self.filtered(lambda template: template.uom_id.id != uom_id)
        if not changed:
            return
        mmr = self.env['mrp.mmr'].sudo().with_context(active_test=False).search(
            [('product_id.product_tmpl_id', 'in', changed.ids)], limit=1)
        if mmr:
            raise refusal(
                self.env,
                self.env._("%(product)s has the MMR %(mmr)s, whose batch size is kept in the product's unit.",
                           product=mmr.product_id.display_name, mmr=mmr.name),
                "MMR-030, 21 CFR 111.205(a)", self.env._("create another product for the other unit."), record=mmr)

    def action_view_mmrs(self):
        self.ensure_one()
        self.env['mrp.mmr'].check_access('read')
        action = self.env['ir.actions.actions']._for_xml_id('mrp_mmr.mrp_mmr_action')
        return dict(
            action, domain=[('product_id', 'in', self.with_context(active_test=False).product_variant_ids.ids)],
            context={'default_product_id': self.product_variant_id.id})

    def action_mmr_plan(self):
        """Open the dialog that splits a demand into batches of the approved sizes of this product."""
        self.ensure_one()
        self.env['mrp.mmr.plan'].check_access('create')
        masters = self.env['mrp.mmr']._get_effective_masters(self.product_variant_ids, self.env.company)
        product = masters.product_id[:1] or self.product_variant_id
        return self.env['mrp.mmr.plan']._open({
            'product_id': product.id,
            'demand_qty': product._mmr_get_shortage(self.env.company),
        })
