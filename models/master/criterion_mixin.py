"""Acceptance criteria: limits with unit, or what is expected in words (21 CFR 111.70(c)(1), 211.110)."""

from odoo import api, fields, models

from ...domain.criterion import limits_text
from ...domain.results import AS_RECORDED, ROUNDED
from ..base.exact_number import ExactNumber, text_of

NUMERIC_LIMITS = ('range', 'nlt', 'nmt')


class MrpMmrCriterionMixin(models.AbstractModel):
    """An acceptance criterion: limits with unit, or what is expected in words (21 CFR 111.70(c)(1), 211.110).

    Limits are inclusive: a value that equals a limit is inside.
    """
    _name = 'mrp.mmr.criterion.mixin'
    _description = "Acceptance Criterion"

    limit_kind = fields.Selection([
        ('range', "Range"),
        ('nlt', "Not less than"),
        ('nmt', "Not more than"),
        ('text', "Pass / fail"),
    ], "Criterion")
    minimum = ExactNumber()
    maximum = ExactNumber()
    has_target = fields.Boolean("Has a Target")
    target = ExactNumber()
    unit = fields.Char(help="The unit of the limits, as read on the instrument: °C, mg, % RH, kp …")
    criterion_text = fields.Text("Expected", help="What counts as passing, if the result is not a number.")
    # Without default: rows of the time before are blank, which means as recorded.
    comparison = fields.Selection([
        (AS_RECORDED, "As recorded"),
        (ROUNDED, "Rounded to the digits of the limit"),
    ], "Results Are Compared", help="Rounded: half up, to as many digits as the limit has (USP General Notices 7.20). The "
                                    "recorded value is kept and printed in either case.")
    criterion_label = fields.Char("Acceptance Criterion", compute='_compute_criterion_label')

    _limits_in_order = models.Constraint(
        "CHECK (limit_kind IS DISTINCT FROM 'range' OR minimum::numeric <= maximum::numeric)",
        "The minimum cannot be above the maximum. Rule: CON-080, 21 CFR 111.210(h)(1).")

    @api.depends('limit_kind', 'minimum', 'maximum', 'has_target', 'target', 'unit', 'criterion_text')
    def _compute_criterion_label(self):
        for row in self:
            label = limits_text(row._get_criterion()) or row.criterion_text or ''
            if row.has_target and row.target and row.limit_kind in NUMERIC_LIMITS:
                label = self.env._("%(limits)s (target %(target)s)", limits=label, target=row.target.text)
            row.criterion_label = label.strip()

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([
            vals if 'comparison' in vals else dict(vals, comparison=self._get_default_comparison(vals)) for vals in vals_list])

    @api.model
    def _get_default_comparison(self, vals):
        """Return how results are compared where nothing is said (NUM-030).

        :param dict vals: of the row that is created
        """
        return AS_RECORDED

    def _get_criterion(self):
        """Return the criterion for the frozen document, or None. Numbers have the digits they were written with (NUM-030)."""
        self.ensure_one()
        kind = self.limit_kind
        if not kind:
            return None
        return {
            'kind': kind,
            'minimum': text_of(self.minimum) if kind in ('range', 'nlt') else None,
            'target': text_of(self.target) if self.has_target and kind in NUMERIC_LIMITS else None,
            'maximum': text_of(self.maximum) if kind in ('range', 'nmt') else None,
            'unit': self.unit or None if kind in NUMERIC_LIMITS else None,
            'text': self.criterion_text or None,
            **({'comparison': self.comparison or AS_RECORDED} if kind in NUMERIC_LIMITS else {}),
        }

    def _get_criterion_problems(self, place):
        """Return what is wrong with the criterion, as sentences (CON-080).

        :param str place: where it stands, which the sentences begin with
        """
        self.ensure_one()
        if not self.limit_kind:
            return [self.env._("%s has no acceptance criterion.", place)]
        if self.limit_kind == 'text':
            return [] if (self.criterion_text or '').strip() else [self.env._("%s does not state what counts as passing.",
                                                                              place)]
        problems = []
        if not (self.unit or '').strip():
            problems.append(self.env._("%s has limits without a unit.", place))
        minimum = self.minimum if self.limit_kind != 'nmt' else None
        maximum = self.maximum if self.limit_kind != 'nlt' else None
        if minimum is None and maximum is None:
            problems.append(self.env._("%s has no limits.", place))
        elif self.limit_kind == 'range' and (minimum is None or maximum is None):
            problems.append(self.env._("%s has only one limit: choose 'Not less than' or 'Not more than'.", place))
        elif self.limit_kind == 'range' and minimum > maximum:
            problems.append(self.env._("%s has a minimum above its maximum.", place))
        if self.has_target and self.target is None:
            problems.append(self.env._("%s has a blank target.", place))
        elif self.has_target and (
                (minimum is not None and self.target < minimum) or (maximum is not None and self.target > maximum)):
            problems.append(self.env._("%s has a target outside its limits.", place))
        return problems
