"""Help in writing a draft: rows that follow from its components, and from what was approved before."""

from odoo import models


class MrpMmrRevision(models.Model):
    _inherit = 'mrp.mmr.revision'

    def action_add_weighing_steps(self):
        """Add a step *weigh and add* for every component that has none, in the stage where it is used."""
        self.ensure_one()
        self.check_access('write')
        missing = self.bom_line_ids - self.step_ids.bom_line_id
        stages = self.operation_ids
        self.env['mrp.mmr.step'].create([{
            'revision_id': self.id, 'operation_id': (line.operation_id or stages[:1]).id, 'kind': 'weigh',
            'name': self.env._("Weigh and add %s", line.product_id.name), 'bom_line_id': line.id,
            'sequence': line.sequence, 'verifier_role': 'verifier',
        } for line in missing if line.operation_id or stages])
        return True

    def action_add_ingredients(self):
        """List every component that is marked as declared among the declared ingredients."""
        self.ensure_one()
        self.check_access('write')
        listed = self.ingredient_ids.product_id
        rows = {}
        for line in self.bom_line_ids.filtered(lambda line: line.mmr_is_declared and line.product_id not in listed):
            rows.setdefault(line.product_id, line)
        self.env['mrp.mmr.ingredient'].create([{
            'revision_id': self.id, 'product_id': product.id, 'name': product.name, 'is_dietary': line.mmr_is_active,
            'amount': line.mmr_strength, 'amount_unit': line.mmr_strength_unit, 'sequence': line.sequence,
        } for product, line in rows.items()])
        return True

    def action_add_specifications(self):
        """Take specifications of components and materials over from the newest revisions that have them."""
        self.ensure_one()
        self.check_access('write')
        wanted = {
            'component': self.bom_line_ids.product_id, 'packaging': self.pack_ids.line_ids.product_id}
        create_vals = []
        for scope, products in wanted.items():
            have = self.specification_ids.filtered(lambda row, scope=scope: row.scope == scope).product_id
            rows = self.env['mrp.mmr.specification'].search([
                ('scope', '=', scope), ('product_id', 'in', (products - have).ids), ('revision_id', '!=', self.id),
                ('revision_id.company_id', '=', self.company_id.id),
                ('revision_id.state', 'in', ('approved', 'effective', 'superseded'))])
            for group in rows.grouped('product_id').values():
                # The newest approved wording, whichever product it was written for.
                newest = max(group.revision_id, key=lambda row: (row.effective_at or row.create_date, row.id))
                create_vals += [
                    dict(row._mmr_copy_vals({}), revision_id=self.id)
                    for row in group if row.revision_id == newest]
        self.env['mrp.mmr.specification'].create(create_vals)
        if not create_vals:
            return {
                'type': 'ir.actions.client', 'tag': 'display_notification',
                'params': {'type': 'info', 'message': self.env._(
                    "No approved revision has specifications for components that have none here.")},
            }
        return True

    def action_component_catalog(self):
        """Open Odoo's product catalog for the components."""
        self.ensure_one()
        self.check_access('write')
        self._check_editable()
        return self.bom_id.with_context(child_field='bom_line_ids').action_add_from_catalog()
