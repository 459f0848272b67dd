"""Acceptance criteria: limits with unit, or what is expected in words (21 CFR 111.70(c)(1), 211.110)."""

from odoo import api, fields, models

from ...domain.criterion import limits_text
from ...domain.numbers import GMP_DIGITS, decimal_string

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
    minimum = fields.Float(digits=(16, GMP_DIGITS), aggregator=None)
    maximum = fields.Float(digits=(16, GMP_DIGITS), aggregator=None)
    has_target = fields.Boolean("Has a Target")
    target = fields.Float(digits=(16, GMP_DIGITS), aggregator=None)
    unit = fields.Char(help="Of the limits, as it is read on the instrument: °C, mg, % RH, kp …")
    criterion_text = fields.Text("Expected", help="What passes, where the result is no number.")
    criterion_label = fields.Char("Acceptance Criterion", compute='_compute_criterion_label')

    _limits_in_order = models.Constraint(
        "CHECK (limit_kind IS DISTINCT FROM 'range' OR minimum <= maximum)",
        "The minimum is above the maximum. Rule: CON-080, 21 CFR 111.210(h)(1).")

    @api.depends('limit_kind', 'minimum', 'maximum', 'has_target', 'target', 'unit', 'criterion_text')
    def _compute_criterion_label(self):
        for row in self:
            label = limits_text(row._get_criterion()) or row.criterion_text or ''
            if row.has_target and row.limit_kind in NUMERIC_LIMITS:
                label = self.env._("%(limits)s (target %(target)s)", limits=label, target=decimal_string(row.target))
            row.criterion_label = label.strip()

    def _get_criterion(self):
        """Return the criterion for the frozen document, or None."""
        self.ensure_one()
        kind = self.limit_kind
        if not kind:
            return None
        return {
            'kind': kind,
            'minimum': decimal_string(self.minimum) if kind in ('range', 'nlt') else None,
            'target': decimal_string(self.target) if self.has_target and kind in NUMERIC_LIMITS else None,
            'maximum': decimal_string(self.maximum) if kind in ('range', 'nmt') else None,
            'unit': self.unit or None if kind in NUMERIC_LIMITS else None,
            'text': self.criterion_text or None,
        }

    def _get_criterion_problems(self, place):
        """Return what is wrong with the criterion, as sentences (CON-080).

        :param str place: where it stands, which the sentences begin with
        """
        self.ensure_one()
        if not self.limit_kind:
            return [self.env._("%s has no acceptance criterion.", place)]
        if self.limit_kind == 'text':
            return [] if (self.criterion_text or '').strip() else [self.env._("%s does not say what passes.", place)]
        problems = []
        if not (self.unit or '').strip():
            problems.append(self.env._("%s has limits without unit.", place))
        if self.limit_kind == 'range' and not self.minimum and not self.maximum:
            # Blank numbers are zero; what must be zero is 'not more than 0'.
            problems.append(self.env._("%s has no limits.", place))
        if self.limit_kind == 'range' and self.minimum > self.maximum:
            problems.append(self.env._("%s has a minimum above its maximum.", place))
        if self.has_target and (
                (self.limit_kind != 'nmt' and self.target < self.minimum)
                or (self.limit_kind != 'nlt' and self.target > self.maximum)):
            problems.append(self.env._("%s has a target outside its limits.", place))
        return problems
