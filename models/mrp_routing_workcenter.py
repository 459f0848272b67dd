from odoo import api, fields, models


class MrpRoutingWorkcenter(models.Model):
    _name = 'mrp.routing.workcenter'
    _inherit = ['mrp.routing.workcenter', 'mrp.mmr.content.mixin']

    mmr_instruction = fields.Text(
        "Instruction", help="What is to be done in this operation, as it is signed and printed in the MMR.")

    def init(self):
        super().init()
        self.env['mrp.bom']._mmr_create_content_triggers(self._table)
        # The order of operations is content too; it lives in a table without model.
        self.env.cr.execute("""
            CREATE OR REPLACE FUNCTION mrp_mmr_guard_dependency() RETURNS trigger AS $$
            BEGIN
                IF EXISTS (
                    SELECT FROM mrp_routing_workcenter o JOIN mrp_mmr_revision r ON r.bom_id = o.bom_id
                     WHERE r.state <> 'draft'
                       AND o.id IN (CASE WHEN TG_OP <> 'DELETE' THEN NEW.operation_id END,
                                    CASE WHEN TG_OP <> 'INSERT' THEN OLD.operation_id END)) THEN
                    RAISE EXCEPTION 'The order of operations is signed and cannot change (REV-010).'
                        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                              CONSTRAINT = 'mrp_mmr_content_frozen';
                END IF;
                RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
            END $$ LANGUAGE plpgsql;
            CREATE OR REPLACE TRIGGER mrp_mmr_guard_dependency
                BEFORE INSERT OR UPDATE OR DELETE ON mrp_routing_workcenter_dependencies_rel
                FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_dependency();
        """)

    def _mmr_boms(self):
        return self.bom_id

    @api.model
    def _mmr_content_fields(self):
        return {'name', 'workcenter_id', 'bom_id', 'sequence', 'active', 'mmr_instruction',
                'blocked_by_operation_ids', 'needed_by_operation_ids', 'bom_product_template_attribute_value_ids'}
