"""The rows of the page *GMP Set-Up* about what masters name, and the first master itself (USR-010)."""

from odoo import models

from ..base.setup_page import SetupRow


class ResCompany(models.Model):
    _inherit = 'res.company'

    def _get_mmr_setup_rows(self):
        return super()._get_mmr_setup_rows() + self._get_mmr_setup_plant() + [self._get_mmr_setup_master()]

    def _get_mmr_setup_plant(self):
        """Return the rows of work centers, equipment, documents and products, each by one count."""
        section, of_company = self.env._("Plant and Materials"), [('company_id', 'in', (self.id, False))]
        manager = self.env._("Manufacturing Administrator")
        rows = [
            ('workcenters', 'mrp.workcenter', [], self.env._("Work centers"), 'open', manager,
             self.env._("The rooms and lines in which stages are done. MMR-040, 21 CFR 111.255(c)"), {}),
            ('equipment', 'maintenance.equipment', [('category_id', '!=', False)], self.env._("Equipment with its class"),
             'open', manager, self.env._("Masters ask for a class, batches for a unit that is clean and calibrated. BPR-040, "
                                 "21 CFR 111.35, 211.182"), {}),
            ('documents', 'mrp.sop', [], self.env._("Controlled documents"), 'optional', self.env._("Preparer"),
             self.env._("Procedures, methods and forms that steps refer to. CON-150, 21 CFR 111.210(h)"), {}),
            ('products', 'product.product', [('is_storable', '=', True), ('tracking', '!=', 'none')],
             self.env._("Products tracked by lot"), 'open', self.env._("Inventory User"),
             self.env._("A batch has a lot; so has what goes into it. BPR-020, 21 CFR 111.260(b), 211.188(b)"),
             {'default_is_storable': True, 'default_tracking': 'lot'}),
        ]
        result = []
        for key, model, domain, title, otherwise, who, why, context in rows:
            count = self.env[model].sudo().search_count(domain + of_company)
            result.append(SetupRow(
                section, key, title, why, who, 'done' if count else otherwise,
                self.env._("%s on record.", count) if count else '',
                self._open_mmr_records(model, title, domain=domain, context=context)))
        return result

    def _get_mmr_setup_master(self):
        revisions = self.env['mrp.mmr.revision'].sudo().with_context(active_test=False)
        mine = [('company_id', '=', self.id)]
        approved = revisions.search([*mine, ('approved_signature_id', '!=', False)], order='id', limit=1)
        other = revisions.search(mine, order='id', limit=1)
        signature = approved.approved_signature_id
        states = dict(revisions._fields['state']._description_selection(self.env))
        return SetupRow(
            self.env._("First Master"), 'master', self.env._("First master manufacturing record"),
            self.env._("Written by a preparer, approved by another person of Quality Control; from then on its product is made "
                       "under control. MMR-010, APR-010, 21 CFR 111.205"),
            self.env._("Preparer, Quality Control"), 'done' if approved else 'open',
            f"{(approved or other).display_name}: {states[(approved or other).state]}" if approved or other else '',
            self._open_mmr_records('mrp.mmr', self.env._("Master Manufacturing Records")),
            signature.signer_name or '', signature.signed_at or None)
