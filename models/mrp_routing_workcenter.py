from odoo import api, fields, models


class MrpRoutingWorkcenter(models.Model):
    _name = 'mrp.routing.workcenter'
    _inherit = ['mrp.routing.workcenter', 'mrp.mmr.content.mixin']

    mmr_instruction = fields.Text(
        "Instruction", help="What is to be done in this operation, as it is signed and printed in the MMR.")

    def init(self):
        super().init()
        self.env['mrp.bom']._mmr_create_content_triggers(self._table)

    def _mmr_boms(self):
        return self.bom_id

    @api.model
    def _mmr_content_fields(self):
        return {'name', 'workcenter_id', 'bom_id', 'sequence', 'active', 'mmr_instruction',
                'blocked_by_operation_ids', 'bom_product_template_attribute_value_ids'}
