"""Dialog that makes an inspection pack: all about some products in a period (PRD-100)."""

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ..domain.refusals import refusal
from ..models.quality.figures import QualityFigures
from ..reports.inspection_pack import InspectionPackBundle

RULE = "PRD-100, REC-050, 21 CFR 111.610(a), 211.180(c)"
#: Who hands out everything about a product.
ROLES = ('mrp_mmr.group_mmr_qc', 'mrp_mmr.group_mmr_auditor')


class MrpInspectionPack(models.TransientModel):
    """All about some products in a period, for an inspector: records, prints, audit trails and an index (PRD-100)."""
    _name = 'mrp.inspection.pack'
    _inherit = ['mrp.bundle.mixin']
    _description = "Inspection Pack"
    _rec_name = 'date_from'

    company_id = fields.Many2one('res.company', required=True, readonly=True, default=lambda self: self.env.company)
    product_ids = fields.Many2many(
        'product.product', string="Products", required=True, domain="[('mmr_controlled', '=', True)]")
    date_from = fields.Date(
        "From", required=True, default=lambda self: self.env.company._get_mmr_today() + relativedelta(years=-1, days=1))
    date_to = fields.Date("To", required=True, default=lambda self: self.env.company._get_mmr_today())
    with_prints = fields.Boolean(default=True, help="Printing takes a few seconds for each record.")
    batch_count = fields.Integer("Batches", compute='_compute_counts')
    deviation_count = fields.Integer("Deviations", compute='_compute_counts')

    _period = models.Constraint('CHECK (date_from <= date_to)', "A period cannot end before it begins (PRD-100).")

    @api.depends('product_ids', 'date_from', 'date_to')
    def _compute_counts(self):
        for pack in self:
            if not pack.product_ids or not pack.date_from or not pack.date_to or pack.date_from > pack.date_to:
                pack.batch_count = pack.deviation_count = 0
                continue
            figures = QualityFigures(pack.company_id, pack.product_ids._origin, pack.date_from, pack.date_to)
            pack.batch_count, pack.deviation_count = len(figures.batches), len(figures.deviations)

    def action_make(self):
        """Make the pack and download it."""
        self.ensure_one()
        action = self.action_download_bundle()
        action['params']['prints'] = self.with_prints
        return action

    def _check_bundle_access(self):
        super()._check_bundle_access()
        if not any(self.env.user.has_group(role) for role in ROLES):
            raise refusal(
                self.env, self.env._("Only Quality Control and auditors can create inspection packs."), f"SEC-010, {RULE}",
                self.env._("ask one of them, or hand out the bundle of a single record."), exception=AccessError)
        self.product_ids.check_access('read')
        for name in ('mrp.capa', 'mrp.quality.review'):
            self.env[name].check_access('read')

    def _prepare_bundle(self, prints):
        return InspectionPackBundle(self, prints=prints)

    def _make_bundle(self, prints=True):
        self._check_bundle_access()
        if not self._get_exported_records():
            raise refusal(
                self.env, self.env._("None of these products has an MMR."), RULE,
                self.env._("choose products that are controlled by MMR."))
        return super()._make_bundle(prints=prints)

    def _get_exported_records(self):
        # Who took what is in the audit trail of each master record.
        return self.env['mrp.mmr'].with_context(active_test=False).search([
            ('company_id', '=', self.company_id.id), ('product_id', 'in', self.product_ids.ids)])
