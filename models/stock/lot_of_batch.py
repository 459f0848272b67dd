"""A lot that a batch made is released by the rule of its batch, one of a controlled product by no other (REL-070, REL-020)."""

from odoo import api, models
from odoo.tools import SQL

from ...domain.refusals import refusal
from ...domain.transitions import in_transition

RULE = "REL-070, REL-020, REL-030, 21 CFR 111.123(a)(8), 211.165(a), EU GMP Annex 16"
#: What keeps a lot of a decided batch from being released once more, beside whatever keeps its batch from it.
ISSUES = ('_get_release_issues_of_deviations', '_get_release_issues_of_lots', '_get_release_issues_of_tests')


class StockLot(models.Model):
    """Also held in guards/stock_lot.sql."""
    _inherit = 'stock.lot'

    def init(self):
        super().init()
        # When the tables of all models are there.
        self.pool.post_init(self._mmr_give_companies, self.env.cr)

    @api.model
    def _mmr_give_companies(self, cr):
        """Give lots that batches made before this version the company of their batch, by which Odoo's own rules see them."""
        cr.execute(SQL("""UPDATE stock_lot l SET company_id = b.company_id FROM mrp_bpr b
                           WHERE b.id = l.mmr_bpr_id AND l.company_id IS NULL"""))

    def write(self, vals):
        if {'company_id', 'expiration_date'} & vals.keys() and not in_transition(self):
            self.sudo()._mmr_check_of_batch(vals)
        return super().write(vals)

    def _mmr_check_of_batch(self, vals):
        """Refuse another company than that of the batch, and another expiry than it was completed with (REL-070).

        What had none until the decision may get one from Quality Control, whose release covers it.
        """
        is_qc = self.env.user.has_group('mrp_mmr.group_mmr_qc')
        for lot in self.filtered('mmr_bpr_id'):
            bpr = lot.mmr_bpr_id
            changed = [name for name in ('company_id', 'expiration_date') if name in vals
                       and lot._fields[name].convert_to_write(lot[name], lot) != vals[name]]
            if 'company_id' in changed and vals['company_id'] != bpr.company_id.id \
                    or 'expiration_date' in changed and (lot.mmr_status_signature_id or lot.expiration_date or not is_qc):
                raise refusal(
                    self.env,
                    self.env._("The company and the expiry date of lot %(lot)s are those of %(bpr)s, which made it.",
                               lot=lot.name,
                                         bpr=bpr.name), RULE,
                    self.env._("open a deviation; a lot with a wrong expiry date must be rejected. A lot without an expiry "
                               "date gets one from Quality Control before the release."), record=lot)

    def _mmr_check_batch_releasable(self):
        """Refuse to release a lot again that its batch would not be released with (REL-070).

        :raise UserError: naming what is open
        """
        for lot in self:
            bpr = lot.sudo().mmr_bpr_id
            if not bpr or bpr.product_id != lot.product_id:
                continue
            issues = [issue for name in ISSUES for _bpr, issue in getattr(bpr, name)('release')]
            if bpr.release_state != 'released' or bpr.packed_state == 'rejected' or bpr._is_packed() and not bpr.packed_state \
                    or issues:
                rows = [f"• {issue['text']} ({issue['rule']})" for issue in issues[:20]]
                raise refusal(
                    self.env, self.env._("Lot %(lot)s is released with %(bpr)s (%(state)s), under the same rules.\n%(rows)s",
                                         lot=lot.name, bpr=bpr.name, state=bpr.release_state, rows='\n'.join(rows)), RULE,
                    self.env._("settle the open items of the batch; a batch that has not been released is decided on there."),
                    record=lot)

    def _mmr_check_origin(self):
        """Refuse to release a lot of a product under control that no batch record made (REL-070, REL-010, USE-010).

        Let through is what the company has by another way: it was moved before the product came under control, or received
        from a supplier or from another company. Also held in guards/_goods.sql (mrp_mmr_has_origin).

        :raise UserError: naming the lot
        """
        lots = self.filtered(lambda lot: lot.product_id.mmr_controlled and not lot.sudo().mmr_bpr_id)
        if not lots:
            return
        self.env.flush_all()
        found = {lot for lot, in self.env.execute_query(SQL(
            "SELECT l.id FROM stock_lot l WHERE l.id = ANY(%s) AND mrp_mmr_has_origin(l.id, l.product_id)", lots.ids))}
        for lot in lots.filtered(lambda lot: lot.id not in found):
            raise refusal(
                self.env,
                self.env._("Lot %(lot)s of %(product)s, which is controlled by MMR, was not made by a batch record, not "
                           "received from a supplier, and not in stock before the product came under control.", lot=lot.name,
                           product=lot.product_id.display_name),
                "REL-070, REL-010, USE-010, 21 CFR 111.205(a), 111.123(a)(8), 211.188",
                self.env._("have it rejected and destroyed; what is made here is made by a batch, and what is bought is "
                           "received from its supplier with its lot."), record=lot)

    def _mmr_check_releaser(self, action, user):
        """Refuse the release of lots of a batch on which one worked (REL-020, VER-100)."""
        bpr = self.sudo().mmr_bpr_id
        if bpr:
            bpr._check_took_no_part(action, user)

    def _mmr_filter_releaser(self, action, user):
        """Return those of these lots that ``user`` may release: others made their batch."""
        bprs = self.sudo().mmr_bpr_id._filter_took_no_part(action, user)
        return self.filtered(lambda lot: not lot.sudo().mmr_bpr_id or lot.sudo().mmr_bpr_id in bprs)

    def _group_by_signing_role(self, action):
        by_role = self.grouped(lambda lot: lot._mmr_get_releasing_group(action) or lot._get_signing_rule(action).group)
        return {self._get_signing_group(role): lots for role, lots in by_role.items()}

    def _mmr_get_releasing_group(self, action):
        """Return who signs: the Qualified Person where the batch needs a certification, Quality Control otherwise."""
        bpr = self.sudo().mmr_bpr_id
        if action == 'release' and bpr and bpr.product_id == self.product_id and bpr._needs_certification():
            return 'mrp_mmr.group_mmr_qp'
        return None
