"""Files that are content of signed records: append-only, known by their SHA-256."""

import base64
import hashlib
from pathlib import PurePath

from odoo import api, fields, models
from odoo.tools.mimetypes import guess_mimetype

from ...domain.files import DOCUMENTS, IMAGES
from ...domain.refusals import refusal
from ...domain.signing import is_storable

RULE = "CON-070, 21 CFR 111.210(g), 11.10(a)"

#: Bytes of a file that is part of a record.
MAX_SIZE = 10 * 1024 * 1024


class MrpMmrFile(models.Model):
    """A file that is content of signed records: label, picture, drawing. Append-only, known by its SHA-256.

    It lies in the table itself and not among the attachments, which people may replace; revisions share one
    copy (21 CFR 111.210(g), 11.10(c)).

    Also held in guards/mrp_mmr_file.sql.
    """
    _name = 'mrp.mmr.file'
    _description = "File of a Master Manufacturing Record"
    _inherit = ['mrp.append.only.mixin']
    _order = 'id desc'

    name = fields.Char("File Name", required=True, readonly=True)
    data = fields.Binary(required=True, readonly=True, attachment=False)
    size = fields.Integer("Size (bytes)", required=True, readonly=True, aggregator=None)
    mimetype = fields.Char("File Type", required=True, readonly=True)
    sha256 = fields.Char("SHA-256", required=True, readonly=True)
    # Where it is used; it is read by whoever may read one of these (see the record rule).
    label_ids = fields.One2many('mrp.mmr.label', 'file_id', readonly=True)
    sop_ids = fields.One2many('mrp.sop', 'file_id', "Documents", readonly=True)
    step_ids = fields.One2many('mrp.mmr.step', 'file_id', "Steps", readonly=True)
    section_ids = fields.One2many('mrp.mmr.section', 'file_id', "Device Sections", readonly=True)
    lot_ids = fields.One2many('stock.lot', 'mmr_file_id', "Certificates of Lots", readonly=True)
    equipment_log_ids = fields.One2many('mrp.equipment.log', 'file_id', "Lines of Equipment Logs", readonly=True)
    entry_ids = fields.One2many('mrp.bpr.entry', 'file_id', "Entries of Batches", readonly=True)
    deviation_ids = fields.One2many('mrp.deviation', 'file_id', "Deviations", readonly=True)
    transcription_ids = fields.One2many('mrp.bpr.transcription', 'scan_id', "Transcriptions", readonly=True)

    _content_uniq = models.UniqueIndex('(sha256, name)', "This file is already stored.")

    @api.model
    def _store(self, name, data, kinds=None):
        """Return the record of a file, storing it where it is new.

        :param str name: file name with extension
        :param data: base64 of the content
        :param dict kinds: allowed extensions with their types; images and documents by default
        :raise UserError: for files that are empty, too large, executable or not what their name says
        """
        name = self._get_file_name(name)
        kinds = kinds or {**DOCUMENTS, **IMAGES}
        content = self._decode(name, data)
        if not content:
            raise refusal(self.env, self.env._("%s is empty.", name), RULE, self.env._("choose the file again."))
        if len(content) > MAX_SIZE:
            raise refusal(
                self.env,
                self.env._("%(name)s has %(size)s MB; the limit for a file is %(limit)s MB.", name=name,
                           size=-(-len(content) // 2 ** 20), limit=MAX_SIZE // 2 ** 20),
                RULE, self.env._("reduce the file, or enter the location of the original instead."))
        extension = PurePath(name).suffix.lower().lstrip('.')
        mimetype = guess_mimetype(content, default='application/octet-stream').partition(';')[0]
        expected = kinds.get(extension)
        plain = expected == 'text/plain' and b'\0' not in content
        if not expected or not (mimetype == expected or plain):
            raise refusal(
                self.env,
                self.env._("%(name)s is not a file of an allowed type (its content looks like %(type)s).", name=name,
                           type=mimetype),
                RULE, self.env._("use one of these file types, but not an executable file: %s.", ', '.join(sorted(kinds))))
        digest = hashlib.sha256(content).hexdigest()
        # Nobody has a right to create files: they come with the record that they belong to.
        return self.sudo().search([('sha256', '=', digest), ('name', '=', name)], limit=1) or super()._store([{
            'name': name, 'data': base64.b64encode(content), 'size': len(content), 'mimetype': expected,
            'sha256': digest,
        }])

    @api.model
    def _get_file_name(self, name):
        """Return the last part of a file name that a client sent; something else than a name is none."""
        return (is_storable(name) and PurePath(name).name) or 'file'

    @api.model
    def _decode(self, name, data):
        """Return the content of a file from its base64, which may be broken into lines.

        :param data: whatever a client sent as the content
        :raise UserError: if it is not valid base64
        """
        try:
            encoded = data.encode() if isinstance(data, str) else data or b''
            return base64.b64decode(b''.join(encoded.split()), validate=True)
        except (AttributeError, TypeError, ValueError) as error:
            raise refusal(
                self.env, self.env._("The content of %s did not arrive as a file: it is not valid base64.", name), RULE,
                self.env._("choose the file again."), record=self[:1]) from error

    def _is_intact(self):
        """Whether the content still is what the digest says."""
        self.ensure_one()
        content = base64.b64decode(self.with_context(bin_size=False).data or b'')
        return hashlib.sha256(content).hexdigest() == self.sha256

    def _get_document(self):
        """Return the file as the frozen document names it, or None."""
        if not self:
            return None
        return {'id': self.id, 'name': self.name, 'sha256': self.sha256, 'size': self.size, 'mimetype': self.mimetype}

    def _refuse_write(self):
        return refusal(
            self.env, self.env._("Files of records cannot be added by hand, changed, duplicated or deleted."),
            "REV-010, REC-040, 21 CFR 11.10(c), 111.605(b)",
            self.env._("upload another file on the record to which it belongs; revisions share one copy."), record=self[:1])
