"""The bill of materials that a revision owns follows its master (MMR-050)."""

from odoo import api, models
from odoo.fields import Command

from ....domain.numbers import exact
from ..section import SECTIONS


class MrpMmrRevision(models.Model):
    _inherit = 'mrp.mmr.revision'

    @api.model
    def _prepare_bom_vals(self, mmr, number):
        """Return the values of the bill of materials of one batch of ``mmr``."""
        return {
            'product_tmpl_id': mmr.product_id.product_tmpl_id.id,
            'product_id': mmr.product_id.id,
            'company_id': mmr.company_id.id,
            'product_qty': mmr.batch_size,
            'product_uom_id': mmr.uom_id.id,
            'enable_batch_size': True,
            'batch_size': mmr.batch_size,
            'type': 'normal',
            'active': False,
            'code': self.env._("%(mmr)s rev. %(number)s", mmr=mmr.name, number=number),
        }

    def _sync_bom_with_mmr(self, other_size=False):
        """Follow the identity of an MMR nobody has signed yet; another size wants its quantities reviewed."""
        for revision in self.filtered(lambda revision: revision.state == 'draft'):
            vals = self._prepare_bom_vals(revision.mmr_id, revision.revision)
            revision.bom_id.write({
                name: vals[name] for name in ('product_tmpl_id', 'product_id', 'company_id', 'product_qty',
                                              'product_uom_id', 'batch_size')})
            if revision.profile_code == 'PDEV':
                present = revision.section_ids.mapped('code')
                revision.write({'section_ids': [
                    Command.create({'code': code}) for code, _label in SECTIONS if code not in present]})
            if other_size:
                revision.bom_id.bom_line_ids.write({'mmr_to_review': True})
                if exact(revision.yield_max):
                    revision.yield_to_review = True
                else:
                    revision.theoretical_yield = revision.mmr_id.batch_size
                revision.operation_ids.filtered('mmr_yield_control').write({'mmr_yield_to_review': True})
