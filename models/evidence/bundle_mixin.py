"""Bundles of master records, revisions, released orders and batch records: the complete copy for an inspector (REC-050)."""

import tempfile

from odoo import models

from ...verification.bundle import Bundle


class MrpBundleMixin(models.AbstractModel):
    """Records that are handed out as a bundle, with everything that proves them."""
    _name = 'mrp.bundle.mixin'
    _description = "Record That Is Handed Out as a Bundle"

    def _make_bundle(self, prints=True):
        """Return the zip of this record as an open temporary file, and its name.

        The export is logged with the digest of the manifest.

        :raise AccessError: where the user may not read the record, or the audit trail
        """
        self.ensure_one()
        self._check_bundle_access()
        bundle = self._prepare_bundle(prints)
        file = tempfile.TemporaryFile()     # noqa: SIM115 (closed by whoever gets it)
        try:
            digest = bundle.make(file)
        except Exception:
            file.close()
            raise
        file.seek(0)
        name = bundle.get_name()
        self.env['mrp.audit.entry']._append_about(
            'export', self._get_exported_records(), {'bundle': {'new': f'{name}.zip'}, 'manifest_sha256': {'new': digest}})
        return file, name

    def _prepare_bundle(self, prints):
        """Return what collects and writes the bundle of this record."""
        return Bundle(self, prints=prints)

    def _get_exported_records(self):
        """Return the records in whose audit trail the export is noted."""
        return self

    def _check_bundle_access(self):
        """Anybody who exports the evidence of a record may read all of it; warehouse staff may only read master records."""
        self.check_access('read')
        for name in ('mrp.audit.entry', 'mrp.esignature', 'mrp.bpr.step', 'mrp.bpr.entry', 'mrp.deviation', 'mrp.bpr.rework'):
            self.env[name].check_access('read')

    def action_download_bundle(self):
        """Download the complete copy of this record, which checks itself."""
        self.ensure_one()
        self._check_bundle_access()
        return {'type': 'ir.actions.client', 'tag': 'mrp_mmr.bundle', 'params': {'model': self._name, 'id': self.id}}

    def get_last_bundle(self):
        """Return name and digest of the bundle of this record that the user made last, as the ledger has it."""
        self.ensure_one()
        self._check_bundle_access()
        records = self._get_exported_records()
        exports = self.env['mrp.audit.entry'].search([
            ('res_model', '=', records._name), ('res_id', 'in', records.ids), ('kind', '=', 'export'),
            ('user_id', '=', self.env.uid)], order='id desc', limit=100)
        for values in exports.mapped('values'):
            if 'bundle' in values:
                return {'name': values['bundle']['new'], 'digest': values['manifest_sha256']['new']}
        return {'name': '', 'digest': ''}
