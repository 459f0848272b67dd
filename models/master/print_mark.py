"""Mark of Odoo's own prints and overviews of a controlled product: they are not a record, and which one is (PRD-030)."""

from odoo import models

#: Words across each page; a part of the requirement and not translated.
NOT_FOR_PRODUCTION = "NOT FOR PRODUCTION"
OBSOLETE = "OBSOLETE"
#: Status of a revision → the words; none for the one that may be used.
WATERMARKS = {'effective': None, 'superseded': OBSOLETE, 'obsolete': OBSOLETE}


class MrpBom(models.Model):
    _inherit = 'mrp.bom'

    def _get_mmr_mark(self):
        """Return the mark of prints of this bill of materials, or None where its product is not under control.

        :return: dict of ``watermark`` (or None), ``text``, and ``model`` and ``id`` of the record that is printed instead
        """
        self.ensure_one()
        revision = self.sudo().mmr_revision_ids[:1]
        if not revision:
            if not self.sudo().product_tmpl_id.mmr_controlled:
                return None
            return {
                'watermark': NOT_FOR_PRODUCTION, 'model': False, 'id': False,
                'text': self.env._("This bill of materials does not belong to an MMR; its product can only be made by its "
                                   "MMR.")}
        return {
            'watermark': WATERMARKS.get(revision.state, NOT_FOR_PRODUCTION), 'model': revision._name, 'id': revision.id,
            'text': self.env._("%(revision)s is %(status)s. This is not a controlled print: print the master record itself.",
                               revision=revision.display_name, status=revision._get_state_label().lower())}
