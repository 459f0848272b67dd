"""By-products of a revision."""

from odoo import api, models


class MrpBomByproduct(models.Model):
    """Also held in guards/mrp_bom_byproduct.sql."""
    _name = 'mrp.bom.byproduct'
    _inherit = ['mrp.bom.byproduct', 'mrp.mmr.content.mixin']

    def _mmr_revisions(self):
        return self.bom_id.mmr_revision_ids

    @api.model
    def _mmr_revisions_of(self, vals_list):
        return self.env['mrp.bom']._mmr_revisions_of_rows(vals_list)

    @api.model
    def _mmr_content_fields(self):
        return {'product_id', 'product_qty', 'product_uom_id', 'bom_id', 'operation_id', 'sequence',
                'bom_product_template_attribute_value_ids'}
