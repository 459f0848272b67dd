"""Products that come under control by MMR, and what that switches (MMR-010, AUD-060)."""

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ...domain.refusals import refusal

#: Rules of a product that are recorded when they are switched.
SWITCHES = ('mmr_controlled', 'mmr_lot_release')


class ProductTemplate(models.Model):
    _inherit = 'product.template'

    mmr_controlled = fields.Boolean(
        "Controlled by MMR", tracking=True,
        help="Manufacturing orders of this product can only be confirmed with an effective Master Manufacturing Record for "
             "exactly their size (21 CFR 111.205(a)). Set automatically when the first MMR becomes effective.")
    # Off by default: on a database that is in use every lot of the product would need a signature from one day to the next.
    # Controlled batches use released lots alone in every profile (USE-060 is R or S), so that the components and the
    # packaging of a revision get it when that becomes effective, and keep it while it is (see _mmr_require_lot_release).
    mmr_lot_release = fields.Boolean(
        "Lots Need Release by Quality Control", tracking=True,
        help="New lots start in quarantine (USE-060, 21 CFR 211.84(a)). Set for everything that an effective MMR uses.")
    # In the row of the product, so that making a lot asks nothing more.
    mmr_needs_release = fields.Boolean(
        "New Lots Start in Quarantine", compute='_compute_mmr_needs_release', store=True,
        help="Because of the product itself or its category.")
    mmr_has_udi = fields.Boolean(
        "Has a UDI", tracking=True, help="A device with a unique device identifier: no batch is released without it (BPR-190).")
    mmr_udi_di = fields.Char("Device Identifier (UDI-DI)", tracking=True)
    mmr_count = fields.Integer("Master Manufacturing Records", compute='_compute_mmr_count')

    @api.depends('mmr_lot_release', 'categ_id.mmr_lot_release')
    def _compute_mmr_needs_release(self):
        for template in self:
            template.mmr_needs_release = template.mmr_lot_release or template.categ_id.mmr_lot_release

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
        for name in SWITCHES:
            templates.filtered(name)._mmr_log_switch(name)
        if any(templates.mapped('mmr_needs_release')):
            # The guards see at once what is decided on by lot.
            templates.flush_recordset()
        return templates

    def write(self, vals):
        if 'uom_id' in vals:
            self._check_mmr_unit_change(vals['uom_id'])
        self._mmr_check_keeps_lots(vals)
        if 'categ_id' in vals and not self.env['product.category'].browse(vals['categ_id']).mmr_lot_release:
            # Its lots would be free from one moment to the next.
            for template in self.filtered(lambda template: template.mmr_needs_release and not template.mmr_lot_release):
                self._mmr_check_release_role(template)
        switches = {name: bool(vals[name]) for name in SWITCHES if name in vals}
        if not switches:
            return super().write(vals)
        changed = {name: self.filtered(lambda template, name=name, value=value: template[name] != value)
                   for name, value in switches.items()}
        if 'mmr_controlled' in switches:
            self._check_mmr_control_change(switches['mmr_controlled'])
        if switches.get('mmr_lot_release') is False:
            changed['mmr_lot_release']._mmr_check_release_switched_off()
        # What was moved before is judged as it was: the guards see at once what is decided on by lot.
        self.env.flush_all()
        result = super().write(vals)
        if switches.get('mmr_controlled'):
            changed['mmr_controlled']._mmr_check_no_kit()
        self.env.flush_all()
        for name, templates in changed.items():
            templates._mmr_log_switch(name)
        return result

    def _mmr_log_switch(self, name):
        """Record that a rule was switched for these products, such as that they came under control (AUD-060, 11.10(k))."""
        company = self.env.company
        self.env['mrp.audit.entry']._append([{
            'chain': template.company_id or company, 'kind': 'setting', 'model': template._name, 'res_id': template.id,
            'record_name': template.display_name, 'values': {name: {'old': not template[name], 'new': template[name]}},
        } for template in self])

    # === RELEASE OF LOTS === #

    @api.model
    def _mmr_check_release_role(self, record):
        """Only Quality Control lets lots be used without release.

        :raise AccessError: for anybody else
        """
        if not self.env.user.has_group('mrp_mmr.group_mmr_qc'):
            raise refusal(
                self.env, self.env._("Lots of %s must be released by Quality Control.", record.display_name),
                "USE-060, AUD-060, 21 CFR 111.12(b), 211.22(a)",
                self.env._("ask a member of Quality Control who may edit products."), record=record, exception=AccessError)

    def _mmr_check_release_switched_off(self):
        """Refuse to switch off the release of lots that an effective MMR uses (USE-060)."""
        for template in self:
            self._mmr_check_release_role(template)
        revision = self.env['mrp.mmr.revision'].sudo().search([('state', '=', 'effective'), '|', (
            'bom_id.bom_line_ids.product_tmpl_id', 'in', self.ids), (
            'pack_ids.line_ids.product_id.product_tmpl_id', 'in', self.ids)], limit=1)
        if revision:
            raise refusal(
                self.env,
                self.env._("%s uses them: only released lots may be used in a controlled batch.", revision.display_name),
                "USE-060, 21 CFR 111.155(c)(3), 211.84(a)", self.env._("release each lot."), record=revision)

    def _mmr_require_lot_release(self):
        """Let lots of these products begin in quarantine from now on, as an MMR that uses them becomes effective."""
        self.filtered(lambda template: not template.mmr_lot_release).write({'mmr_lot_release': True})

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
                self.env._("ask a member of Quality Control who may edit products."),
                record=template, exception=AccessError)

    def _mmr_check_no_kit(self):
        """Refuse that these products are under control and have a bill of materials as a kit (MMR-050, USE-010).

        :raise UserError: naming the product and the bill of materials
        """
        for kit in self.env['mrp.bom'].sudo().search([('product_tmpl_id', 'in', self.ids), ('type', '=', 'phantom')], limit=1):
            raise refusal(
                self.env,
                self.env._("%(product)s is controlled by MMR and cannot be a kit (%(bom)s): its parts would be delivered in "
                           "its name, without order, lot and release.", product=kit.product_tmpl_id.display_name,
                           bom=kit.display_name),
                "MMR-050, USE-010, REL-070, 21 CFR 111.205(a), 211.186(a)",
                self.env._("archive the kit, or create another product for it."), record=kit)

    def _mmr_check_keeps_lots(self, vals):
        """Refuse to change type or tracking of a product with batches or lots that QC decides on (REL-070, REL-010).

        Tracking by lot may begin at any time. Also held in guards/product_template.sql.
        """
        changed = self.filtered(lambda template: (
            'type' in vals and vals['type'] != template.type
            or template.is_storable and not vals.get('is_storable', True)
            or 'tracking' in vals and template.tracking != 'none' and vals['tracking'] != template.tracking))
        products = changed.with_context(active_test=False).product_variant_ids
        decided = products.filtered(lambda product: product.mmr_controlled or product.mmr_needs_release)
        decided_on = Domain('product_id', 'in', decided.ids) | Domain('mmr_status', '!=', False)
        lot = products and self.env['stock.lot'].sudo().search(Domain('product_id', 'in', products.ids) & decided_on, limit=1)
        batch = products and self.env['mrp.bpr'].sudo().search([('product_id', 'in', products.ids)], limit=1)
        if lot or batch:
            raise refusal(
                self.env, self.env._("%(product)s has lots with a decision of Quality Control, such as %(lot)s.",
                                     product=lot.product_id.display_name, lot=lot.name) if lot else
                self.env._("%(product)s has batches, such as %(batch)s.", product=batch.product_id.display_name,
                           batch=batch.name),
                "REL-070, REL-010, REL-050, 21 CFR 111.410(d)", self.env._("keep its type and its tracking by lots."),
                record=lot or batch)

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
