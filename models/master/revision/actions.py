"""Buttons of a revision that open or make something else: successors, imports, orders, and where something is used."""

from odoo import api, models
from odoo.fields import Domain


class MrpMmrRevision(models.Model):
    _inherit = 'mrp.mmr.revision'

    def action_review_quantities(self):
        """Clear all *to be reviewed* marks; the person who does it is named in the chatter (MMR-040)."""
        self.check_access('write')
        self._check_editable()
        for revision in self.filtered('to_review_count'):
            count = revision.to_review_count
            revision.bom_line_ids.filtered('mmr_to_review').write({'mmr_to_review': False})
            revision.operation_ids.filtered('mmr_yield_to_review').write({'mmr_yield_to_review': False})
            if revision.yield_to_review:
                revision.yield_to_review = False
            revision.message_post(body=self.env._(
                "All %(count)s quantities and yields were reviewed for the batch size %(size)s.",
                count=count, size=revision.mmr_id._get_batch_size_label()))
        return True

    def action_new_revision(self):
        """Open the dialog that makes the next revision from this one, with category and reason (REV-030)."""
        self.ensure_one()
        self.env['mrp.mmr.change'].check_access('create')
        self.mmr_id._check_no_open_revision()
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("New Revision"),
            'res_model': 'mrp.mmr.change',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_revision_ids': self.ids},
        }

    def _create_successor(self, vals):
        """Return a new draft of each MMR, copied from these revisions: content, no signature or decision (REV-030).

        :param dict vals: change category, description, reason and effective date of the drafts
        """
        drafts = self.browse()
        for revision in self:
            draft = self.create(dict(vals, mmr_id=revision.mmr_id.id))
            draft._copy_content_from(revision.bom_id, source=revision)
            drafts |= draft
        return drafts

    @api.model
    def _search_where_used(self, product=None, equipment=None, category=None, sop=None, label=None, partner=None):
        """Return the revisions whose content uses all of the given records (REV-040); none if nothing is given."""
        domains = []
        if product:
            materials = self.env['mrp.mmr.pack.line'].search([('product_id', '=', product.id)]).revision_id
            labels = self.env['mrp.mmr.pack'].search([('label_id.product_id', '=', product.id)]).revision_id
            others = self.env['mrp.mmr.specification'].search([('product_id', '=', product.id)]).revision_id \
                | self.env['mrp.mmr.ingredient'].search([('product_id', '=', product.id)]).revision_id
            boms = self.env['mrp.bom.line'].sudo().search([('product_id', '=', product.id)]).bom_id \
                | self.env['mrp.bom.byproduct'].sudo().search([('product_id', '=', product.id)]).bom_id
            domains.append(['|', ('id', 'in', (materials | labels | others).ids), ('bom_id', 'in', boms.ids)])
        if equipment:
            rows = self.env['mrp.mmr.equipment'].search(
                ['|', ('equipment_id', '=', equipment.id), ('category_id', '=', equipment.category_id.id or -1)])
            domains.append([('id', 'in', rows.revision_id.ids)])
        if category:
            rows = self.env['mrp.mmr.equipment'].search(
                ['|', ('category_id', '=', category.id), ('equipment_id.category_id', '=', category.id)])
            domains.append([('id', 'in', rows.revision_id.ids)])
        if sop:
            domains.append([('id', 'in', sop._get_revisions().ids)])
        if label:
            rows = self.env['mrp.mmr.pack'].search([('label_id', '=', label.id)])
            domains.append([('id', 'in', rows.revision_id.ids)])
        if partner:
            boms = self.env['mrp.bom.line'].sudo().search([('mmr_supplier_id', '=', partner.id)]).bom_id
            domains.append([('bom_id', 'in', boms.ids)])
        return self.search(Domain.AND(domains)) if domains else self.browse()

    def action_import_components(self):
        """Open Odoo's import for the components of this draft."""
        return self._action_import('mrp.bom.line', {'default_bom_id': self.bom_id.id})

    def action_import_steps(self):
        """Open Odoo's import for the steps of this draft."""
        return self._action_import('mrp.mmr.step', {'default_revision_id': self.id})

    def _action_import(self, model, context):
        self.ensure_one()
        self.check_access('write')
        self._check_editable()
        return {
            'type': 'ir.actions.client',
            'tag': 'import',
            'name': self.env._("Import into %s", self.display_name),
            'params': {'model': model, 'context': dict(context, mmr_revision_id=self.id)},
        }

    def action_copy_to_mmr(self):
        """Open the dialog that makes another MMR from this revision: another batch size, another product."""
        self.ensure_one()
        self.env['mrp.mmr.create'].check_access('create')
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Copy to a New MMR"),
            'res_model': 'mrp.mmr.create',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_source_id': self.id},
        }

    def action_view_bom(self):
        self.ensure_one()
        return {
            'type': 'ir.actions.act_window',
            'res_model': 'mrp.bom',
            'res_id': self.bom_id.id,
            'view_mode': 'form',
        }

    def action_view_productions(self):
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.actions']._for_xml_id('mrp.mrp_production_action')
        return dict(action, domain=[('mmr_revision_id', '=', self.id)], context={})

    def action_view_signatures(self):
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.actions']._for_xml_id('mrp_mmr.mrp_esignature_action')
        return dict(action, domain=[('res_model', '=', self._name), ('res_id', '=', self.id)], context={})

    def action_new_order(self):
        return self.mmr_id.action_new_order()
