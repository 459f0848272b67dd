"""Equipment that a stage needs: a unit, or a class of which any unit may be used."""

from odoo import api, fields, models


class MrpMmrEquipment(models.Model):
    """Equipment of one stage: a specific unit, or a class of which any unit will do (EU GMP 4.18(a)-(b)).

    Also held in guards/mrp_mmr_equipment.sql.
    """
    _name = 'mrp.mmr.equipment'
    _description = "Equipment of an MMR Stage"
    _inherit = ['mrp.mmr.row.mixin']
    _order = 'revision_id, operation_id, sequence, id'
    _mmr_parent_field = 'operation_id'

    sequence = fields.Integer(default=10)
    operation_id = fields.Many2one(
        'mrp.routing.workcenter', "Stage", required=True, index=True, ondelete='cascade')
    equipment_id = fields.Many2one(
        'maintenance.equipment', "Unit", index=True, check_company=True, ondelete='restrict')
    category_id = fields.Many2one(
        'maintenance.equipment.category', "Class", index=True, check_company=True, ondelete='restrict')
    preparation = fields.Text(help="Cleaning, assembly, calibration before use.")

    _unit_or_class = models.Constraint(
        'CHECK (num_nonnulls(equipment_id, category_id) = 1)',
        "Enter either one unit of equipment or a class, of which any unit may be used (CON-140, EU GMP 4.18(a)).")

    @api.depends('equipment_id', 'category_id')
    def _compute_display_name(self):
        for row in self:
            row.display_name = row.equipment_id.name or self.env._("any %s", row.category_id.name or '')
