"""Dialog that proposes a yield band from the batches that were made (CON-060)."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from odoo import api, fields, models

from ..domain.control_chart import ENOUGH, individuals, moving_ranges
from ..domain.numbers import Number, exact, plain
from ..domain.refusals import refusal
from ..models.base.gmp_float import GmpFloat
from ..models.record.yield_history import WINDOW

STEP = Decimal('0.1')
#: Batches that a sentence names.
MAX_NAMES = 10


class MrpMmrYieldHistory(models.TransientModel):
    """Propose the yield band of a draft from the batches that were made (CON-060, 21 CFR 111.210(f), 211.180(e)).

    The limits of a chart of individuals are a proposal: the preparer of the revision decides and gives the reason.
    """
    _name = 'mrp.mmr.yield.history'
    _description = "Yield Band from History"

    revision_id = fields.Many2one('mrp.mmr.revision', "Draft", required=True, readonly=True, ondelete='cascade')
    operation_id = fields.Many2one(
        'mrp.routing.workcenter', "Stage", readonly=True, ondelete='cascade', help="Empty for the end of manufacture.")
    count = fields.Integer("Last Batches", required=True, default=WINDOW)
    any_size = fields.Boolean(
        "Other Batch Sizes", help="Include batches of this formulation in other sizes: yields are percentages.")
    width = fields.Selection([
        ('2', "2 standard deviations"), ('3', "3 standard deviations"),
    ], "Limits", required=True, default='3')
    chart = fields.Json(compute='_compute_chart')
    found_count = fields.Integer("Batches Found", compute='_compute_chart')
    is_few = fields.Boolean(compute='_compute_chart')
    mean = fields.Float(digits=(16, 2), compute='_compute_chart')
    moving_range = fields.Float("Mean Moving Range", digits=(16, 2), compute='_compute_chart')
    sigma = fields.Float("Standard Deviation", digits=(16, 2), compute='_compute_chart', help="Mean moving range ÷ 1.128.")
    lowest = fields.Float(digits=(16, 2), compute='_compute_chart')
    highest = fields.Float(digits=(16, 2), compute='_compute_chart')
    proposed_min = GmpFloat("Minimum (%)", compute='_compute_proposed', store=True, readonly=False, precompute=True)
    proposed_max = GmpFloat("Maximum (%)", compute='_compute_proposed', store=True, readonly=False, precompute=True)
    outside_count = fields.Integer("Batches That Would Have Been Deviations", compute='_compute_answer')
    answer = fields.Text("Effect of These Limits", compute='_compute_answer')
    rationale = fields.Text(compute='_compute_rationale', store=True, readonly=False, precompute=True)

    @api.model
    def _get_rule_labels(self):
        """Return what the rules of runs say, by their code."""
        return {
            'beyond': self.env._("outside three standard deviations"),
            'zone_a': self.env._("two of three beyond two standard deviations on one side"),
            'zone_b': self.env._("four of five beyond one standard deviation on one side"),
            'side': self.env._("eight in a row on one side of the mean"),
            'trend': self.env._("six in a row that only rise or only fall"),
        }

    # === COMPUTE === #

    def _get_history(self):
        self.ensure_one()
        mmrs = self.revision_id.mmr_id
        if self.any_size:
            mmrs = mmrs.search([
                ('company_id', '=', mmrs.company_id.id), ('product_id', '=', mmrs.product_id.id),
                ('formulation_code', '=', mmrs.formulation_code)])
        return mmrs._get_yield_history(self.operation_id.name or None, max(2, min(self.count, 500)))

    @api.depends('revision_id', 'operation_id', 'count', 'any_size', 'width')
    def _compute_chart(self):
        for wizard in self:
            history = wizard._get_history()
            values = [row['percent'] for row in history]
            result = individuals(values, int(wizard.width or 3))
            wizard.found_count = len(values)
            wizard.is_few = len(values) < ENOUGH
            wizard.mean = float(result.mean) if result else 0
            wizard.moving_range = float(result.moving_range) if result else 0
            wizard.sigma = float(result.sigma) if result else 0
            wizard.lowest, wizard.highest = (float(min(values)), float(max(values))) if values else (0, 0)
            wizard.chart = {
                'labels': [row['name'] for row in history], 'values': [plain(value) for value in values],
                'ranges': [None, *(plain(value) for value in moving_ranges(values))] if values else [],
                'mean': result and plain(result.mean), 'lower': result and plain(result.lower),
                'upper': result and plain(result.upper), 'moving_range': result and plain(result.moving_range)}

    @api.depends('chart')
    def _compute_proposed(self):
        for wizard in self:
            chart = wizard.chart
            if chart['lower'] is None:
                continue
            # Rounded outwards to tenths: a proposal is no tighter than its statistics.
            wizard.proposed_min = float(max(Decimal(chart['lower']), Decimal(0)).quantize(STEP, ROUND_FLOOR))
            wizard.proposed_max = float(Decimal(chart['upper']).quantize(STEP, ROUND_CEILING))

    def _get_band(self):
        return exact(self.proposed_min), exact(self.proposed_max)

    @api.depends('chart', 'proposed_min', 'proposed_max')
    def _compute_answer(self):
        for wizard in self:
            low, high = wizard._get_band()
            rows = list(zip(wizard.chart['labels'], map(Decimal, wizard.chart['values']), strict=True))
            outside = [name for name, value in rows if not low <= value <= high]
            wizard.outside_count = len(outside)
            if not rows:
                wizard.answer = self.env._("No batch has been made yet.")
                continue
            names = ', '.join(outside[:MAX_NAMES]) + (' …' if len(outside) > MAX_NAMES else '')
            wizard.answer = self.env._(
                "With %(low)s – %(high)s %%, %(outside)s of the last %(count)s batches would have been deviations%(names)s.",
                low=plain(low), high=plain(high), outside=len(outside), count=len(rows), names=names and f": {names}")

    @api.depends('answer', 'mean', 'sigma', 'width')
    def _compute_rationale(self):
        for wizard in self:
            if not wizard.found_count:
                wizard.rationale = False
                continue
            chart = wizard.chart
            wizard.rationale = self.env._(
                "%(count)s batches from %(first)s to %(last)s: mean %(mean)s %%, mean moving range %(range)s %%, limits of the "
                "chart of individuals (± %(width)s standard deviations) %(lower)s – %(upper)s %%. %(answer)s",
                count=wizard.found_count, first=chart['labels'][0], last=chart['labels'][-1],
                mean=plain(round(Decimal(chart['mean']), 2)) if chart['mean'] else chart['values'][0],
                range=plain(round(Decimal(chart['moving_range']), 2)) if chart['moving_range'] else '–', width=wizard.width,
                lower=plain(round(Decimal(chart['lower']), 2)) if chart['lower'] else '–',
                upper=plain(round(Decimal(chart['upper']), 2)) if chart['upper'] else '–', answer=wizard.answer)

    # === ACTION === #

    def action_apply(self):
        """Write band and rationale into the draft, as the person who decided about them.

        :raise UserError: for an invalid band, a missing rationale, or a revision that is no longer a draft
        """
        self.ensure_one()
        low, high = self._get_band()
        if not 0 <= low < high:
            raise refusal(
                self.env, self.env._("%(low)s – %(high)s %% is not a valid band.", low=plain(low), high=plain(high)),
                "CON-060, 21 CFR 111.210(f), 211.186(b)(7)", self.env._("enter a minimum below the maximum."),
                record=self.revision_id)
        if not (self.rationale or '').strip():
            raise refusal(
                self.env, self.env._("A band needs a rationale."), "CON-060, 21 CFR 111.210(f), 211.186(b)(7)",
                self.env._("enter the reason for these limits."), record=self.revision_id)
        prefix = 'mmr_yield' if self.operation_id else 'yield'
        (self.operation_id or self.revision_id).write({
            f'{prefix}_min': Number.from_legacy(low), f'{prefix}_max': Number.from_legacy(high),
            f'{prefix}_rationale': self.rationale.strip()})
        return {'type': 'ir.actions.act_window_close'}
