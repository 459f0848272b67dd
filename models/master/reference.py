"""Controlled documents that a revision refers to as a whole (CON-190)."""

from odoo import fields, models


class MrpMmrReference(models.Model):
    """One controlled document that a revision refers to as a whole (CON-190).

    Also held in guards/mrp_mmr_reference.sql.
    """
    _name = 'mrp.mmr.reference'
    _description = "Referenced Document of an MMR"
    _inherit = ['mrp.mmr.row.mixin']
    _order = 'revision_id, sequence, id'

    sequence = fields.Integer(default=10)
    sop_id = fields.Many2one('mrp.sop', "Document", required=True, index=True, check_company=True, ondelete='restrict')
    sop_state = fields.Selection(related='sop_id.state', string="Status of the Document")
    purpose = fields.Char(help="What it is used for here.")

    _once = models.Constraint('UNIQUE (revision_id, sop_id)', "The document is already in the list.")
