"""Records with a file that is uploaded, checked and kept."""

from odoo import api, models

from ...domain.files import DOCUMENTS, IMAGES
from ...domain.transitions import without_defaults


class MrpMmrFileMixin(models.AbstractModel):
    """Records with a file: it is uploaded into a field that is not stored, and kept as a record of mrp.mmr.file.

    The field ``file_id`` can only come from the upload, or from a record that the user may read.
    """
    _name = 'mrp.mmr.file.mixin'
    _description = "Record with a File"

    #: Extension → type of the files that are allowed.
    _mmr_file_kinds = {**DOCUMENTS, **IMAGES}
    #: The fields of the upload: content and name.
    _mmr_upload_fields = ('upload', 'upload_name')
    #: What a file without a name is called.
    _mmr_file_name = None

    @api.depends('file_id')
    def _compute_upload(self):
        for record in self:
            record[self._mmr_upload_fields[0]] = record.file_id.data

    @api.depends('file_id')
    def _compute_upload_name(self):
        for record in self:
            record[self._mmr_upload_fields[1]] = record.file_id.name

    def _inverse_upload(self):
        content_field, name_field = self._mmr_upload_fields
        for record in self._without_bin_size():
            content = record[content_field]
            file = content and self.env['mrp.mmr.file']._store(
                record[name_field] or self._mmr_file_name, content, self._mmr_file_kinds)
            # Nothing refers to a new file yet, so that nobody could be found to have a right to it.
            record.sudo().file_id = file or False

    def _without_bin_size(self):
        """Return these records so that binary fields return content; the web client requests sizes instead."""
        keys = {'bin_size', f'bin_size_{self._mmr_upload_fields[0]}'}
        if not keys & self.env.context.keys():
            return self
        return self.with_env(self.env(context={
            key: value for key, value in self.env.context.items() if key not in keys}))

    @api.model_create_multi
    def create(self, vals_list):
        self = without_defaults(self, {'file_id'})
        for vals in vals_list:
            self._check_mmr_file(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_mmr_file(vals)
        if set(self._mmr_upload_fields) & vals.keys():
            return super(MrpMmrFileMixin, self._without_bin_size()).write(vals)
        return super().write(vals)

    def _check_mmr_file(self, vals):
        """Refuse an upload that is not a file, and a file that the user cannot read: it would become readable here.

        :raise UserError: if the upload is not valid base64
        :raise AccessError: where no record of the user's companies refers to it
        """
        content_field, name_field = self._mmr_upload_fields
        if vals.get(content_field):
            files = self.env['mrp.mmr.file']
            files._decode(files._get_file_name(vals.get(name_field) or self._mmr_file_name), vals[content_field])
        if vals.get('file_id'):
            self.env['mrp.mmr.file'].browse(vals['file_id']).check_access('read')
