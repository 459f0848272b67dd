"""Odoo's merge of contacts does not touch people who signed (SIG-060)."""

from odoo import models

from ..domain.refusals import refusal


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = 'base.partner.merge.automatic.wizard'

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        signatures, acceptances = self.env['mrp.esignature'].sudo(), self.env['mrp.signer.acceptance'].sudo()
        signed = signatures.search([('partner_id', 'in', partner_ids)], limit=1).partner_id \
            or acceptances.search([('user_id.partner_id', 'in', partner_ids)], limit=1).user_id.partner_id
        if not signed:
            # A second person judged the first: the two are not made one (SEC-030).
            rows = self.env['mrp.qualification'].sudo().search(
                ['|', ('user_id.partner_id', 'in', partner_ids), ('granted_by_id.partner_id', 'in', partner_ids)], limit=1)
            signed = (rows.user_id | rows.granted_by_id).partner_id.filtered(lambda partner: partner.id in partner_ids)[:1]
        if signed:
            raise refusal(
                self.env,
                self.env._("%s signed GMP records or is qualified, and cannot be merged with another contact.", signed.name),
                "SIG-060, 21 CFR 11.100(a)", self.env._("leave this contact out."), record=signed)
        # The merge rewrites what points to a contact by SQL: in a draft without a line in the ledger.
        line = self.env['mrp.bom.line'].sudo().search(
            [('mmr_supplier_id', 'in', partner_ids), ('bom_id.mmr_revision_ids', '!=', False)], limit=1)
        if line:
            raise refusal(
                self.env,
                self.env._("%(revision)s names %(supplier)s as a supplier.", supplier=line.mmr_supplier_id.name,
                           revision=line.bom_id.mmr_revision_ids.display_name),
                "REV-010, AUD-010, 21 CFR 111.123(a)(1), 11.10(e)", self.env._("leave this contact out."),
                record=line.mmr_supplier_id)
        return super()._merge(partner_ids, dst_partner, extra_checks)
