from odoo import api, fields, models

from .mrp_mmr_file import DOCUMENTS, IMAGES

SECTIONS = [
    ('device', "Device specification (drawings, composition, software)"),
    ('production', "Production: process, equipment and environment"),
    ('quality', "Quality assurance: procedures, acceptance criteria"),
    ('packaging', "Packaging and labelling"),
    ('service', "Installation and servicing"),
]


class MrpMmrSection(models.Model):
    """One section of a device's file (ISO 13485 4.2.3): text, file, reference to its location, or not applicable."""
    _name = 'mrp.mmr.section'
    _description = "Device Section of an MMR"
    _inherit = ['mrp.mmr.row.mixin']
    _order = 'revision_id, id'

    code = fields.Selection(SECTIONS, "Section", required=True)
    text = fields.Text()
    location = fields.Char(help="Where it is kept, if not here.")
    file_id = fields.Many2one('mrp.mmr.file', "Stored File", ondelete='restrict')
    upload = fields.Binary("File", compute='_compute_upload', inverse='_inverse_upload')
    upload_name = fields.Char("File Name", compute='_compute_upload_name', inverse='_inverse_upload')
    not_applicable_reason = fields.Char("Not Applicable Because")

    _once = models.Constraint('UNIQUE (revision_id, code)', "Each section stands in an MMR once.")

    @api.depends('file_id')
    def _compute_upload(self):
        for row in self:
            row.upload = row.file_id.data

    @api.depends('file_id')
    def _compute_upload_name(self):
        for row in self:
            row.upload_name = row.file_id.name

    def _inverse_upload(self):
        for row in self:
            row.file_id = self.env['mrp.mmr.file']._store(
                row.upload_name, row.with_context(bin_size=False).upload, {**DOCUMENTS, **IMAGES},
            ) if row.upload else False

    def _is_filled(self):
        self.ensure_one()
        return bool((self.text or '').strip() or (self.location or '').strip() or self.file_id
                    or (self.not_applicable_reason or '').strip())
