"""Sections of a device's file (ISO 13485 4.2.3)."""

from odoo import fields, models

SECTIONS = [
    ('device', "Device specification (drawings, composition, software)"),
    ('production', "Production: process, equipment and environment"),
    ('quality', "Quality assurance: procedures, acceptance criteria"),
    ('packaging', "Packaging and labelling"),
    ('service', "Installation and servicing"),
]


class MrpMmrSection(models.Model):
    """One section of a device's file (ISO 13485 4.2.3): text, file, reference to its location, or not applicable.

    Also held in guards/mrp_mmr_section.sql.
    """
    _name = 'mrp.mmr.section'
    _description = "Device Section of an MMR"
    _inherit = ['mrp.mmr.file.mixin', 'mrp.mmr.row.mixin']
    _order = 'revision_id, id'

    code = fields.Selection(SECTIONS, "Section", required=True)
    text = fields.Text()
    location = fields.Char(help="Where it is kept, if not in this database.")
    file_id = fields.Many2one('mrp.mmr.file', "Stored File", index='btree_not_null', ondelete='restrict')
    upload = fields.Binary("File", compute='_compute_upload', inverse='_inverse_upload')
    # The inverse is shared: without one of its own, the name of a new record's file would be lost.
    upload_name = fields.Char("File Name", compute='_compute_upload_name', inverse='_inverse_upload')
    not_applicable_reason = fields.Char("Not Applicable Because")

    _once = models.Constraint('UNIQUE (revision_id, code)', "A section can appear only once in an MMR.")

    def _is_filled(self):
        self.ensure_one()
        return bool((self.text or '').strip() or (self.location or '').strip() or self.file_id
                    or (self.not_applicable_reason or '').strip())
