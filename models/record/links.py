"""Order, batch record, master, lot and deviations of a batch are one click from each other (USR-010)."""

from odoo import models


class MrpBatchLinksMixin(models.AbstractModel):
    """Records that belong to batches: each opens what else belongs to them, one record in its form, several in a list."""
    _name = 'mrp.batch.links.mixin'
    _description = "Belongs to a Batch"

    def _get_linked_batches(self):
        """Return the batch records that these records belong to; of each model its own."""
        raise NotImplementedError

    def _get_linked_deviations(self):
        """Return the deviations of what these records belong to, and of themselves."""
        return self._get_linked_batches().sudo().deviation_ids

    def _open_linked(self, records, name):
        """Return the action that opens ``records``, as far as the person may read them.

        :raise AccessError: for those who read no batch records
        """
        self.check_access('read')
        self.env['mrp.bpr'].check_access('read')
        records = records.with_env(self.env)
        action = {'type': 'ir.actions.act_window', 'res_model': records._name, 'name': name, 'context': {'create': False}}
        if len(records) == 1:
            return {**action, 'view_mode': 'form', 'res_id': records.id}
        return {**action, 'view_mode': 'list,form', 'domain': [('id', 'in', records.ids)]}

    def action_open_batch_orders(self):
        """Open the manufacturing orders of these batches."""
        return self._open_linked(self._get_linked_batches().sudo().production_id, self.env._("Orders"))

    def action_open_batch_records(self):
        """Open the batch production records."""
        return self._open_linked(self._get_linked_batches(), self.env._("Batch Records"))

    def action_open_batch_masters(self):
        """Open the revisions of the masters that these batches were made by."""
        return self._open_linked(self._get_linked_batches().sudo().mmr_revision_id, self.env._("Masters"))

    def action_open_batch_lots(self):
        """Open the lots that these batches made or will make."""
        bprs = self._get_linked_batches().sudo()
        return self._open_linked(bprs.lot_ids | bprs.production_id.lot_producing_ids, self.env._("Lots"))

    def action_open_batch_deviations(self):
        """Open the deviations of these batches, closed ones as well."""
        return dict(self._open_linked(self._get_linked_deviations(), self.env._("Deviations")), help=self.env._(
            "No deviation was reported here."))


class MrpBpr(models.Model):
    _name = 'mrp.bpr'
    _inherit = ['mrp.bpr', 'mrp.batch.links.mixin']

    def _get_linked_batches(self):
        return self


class MrpProduction(models.Model):
    _name = 'mrp.production'
    _inherit = ['mrp.production', 'mrp.batch.links.mixin']

    def _get_linked_batches(self):
        return self.bpr_ids


class MrpMmrRevision(models.Model):
    _name = 'mrp.mmr.revision'
    _inherit = ['mrp.mmr.revision', 'mrp.batch.links.mixin']

    def _get_linked_batches(self):
        return self.env['mrp.bpr'].search([('mmr_revision_id', 'in', self.ids)])


class MrpMmr(models.Model):
    _name = 'mrp.mmr'
    _inherit = ['mrp.mmr', 'mrp.batch.links.mixin']

    def _get_linked_batches(self):
        return self.env['mrp.bpr'].search([('mmr_revision_id.mmr_id', 'in', self.ids)])
