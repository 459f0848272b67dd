"""Serial numbers that a batch made, its yield and the units on stock agree (STK-050, 820.35, ISO 13485 7.5.8)."""

import re

from odoo import models

from ...domain.numbers import decimal_string, exact
from ...domain.refusals import refusal
from ...domain.transitions import transition

RULE = "STK-050, 21 CFR 820.35, ISO 13485 7.5.8-7.5.9"
#: What becomes of units that are no yield.
FATES = ('destroyed', 'sampled')


class MrpBprStep(models.Model):
    _inherit = 'mrp.bpr.step'

    def _is_serial_yield(self):
        """Whether this step says how many units with serial numbers the batch made."""
        self.ensure_one()
        return self.kind == 'yield' and self.planned['scope'] == 'batch' \
            and self.sudo().production_id.product_tracking == 'serial'

    def _prepare_yield(self, vals):
        prepared = super()._prepare_yield(vals)
        if not self._is_serial_yield():
            return prepared
        lots = self.sudo().production_id.lot_producing_ids
        fates, seen = {}, set()
        for fate in FATES:
            names = [name for name in re.split(r'[,;\s]+', vals.get(fate) if isinstance(vals.get(fate), str) else '') if name]
            unknown = [name for name in names if name not in lots.mapped('name') or name in seen]
            seen.update(names)
            if unknown or len(set(names)) < len(names):
                raise refusal(
                    self.env, self.env._("%(order)s makes no such units, or they are listed twice: %(names)s.",
                                         order=self.sudo().production_id.name, names=', '.join(unknown or names)),
                    RULE, self.env._("enter serial numbers of this order, each once."), record=self)
            if names:
                fates[fate] = names
        if fates:
            prepared['data'] = {**prepared.get('data', {}), **fates}
        return prepared

    def _prepare_floor_step(self, stages):
        return {
            **super()._prepare_floor_step(stages),
            'serials': self.sudo().production_id.lot_producing_ids.mapped('name') if self._is_serial_yield() else False}


class MrpProduction(models.Model):
    _inherit = 'mrp.production'

    def _mmr_get_yield_entry(self):
        """Return the valid entry of the yield of the batch."""
        return self.bpr_ids.sudo().step_ids.filtered(
            lambda step: step.kind == 'yield' and step.planned['scope'] == 'batch').entry_ids.filtered(
                lambda entry: entry.kind == 'yield')._get_current()[-1:]

    def _mmr_take_yield(self):
        if self.product_tracking == 'serial':
            self._mmr_take_serials()
        return super()._mmr_take_yield()

    def _mmr_take_serials(self):
        """Put those units on stock that are yield; the entry of the yield says what became of the others.

        :raise UserError: where serial numbers and yield do not agree
        """
        entry = self._mmr_get_yield_entry()
        if not entry:
            return
        data = entry.data or {}
        lost = {name for fate in FATES for name in data.get(fate) or ()}
        kept = self.lot_producing_ids.filtered(lambda lot: lot.name not in lost)
        quantity = self.product_uom_id._compute_quantity(
            float(self._mmr_get_recorded_yield()), self.product_id.uom_id, round=False)
        if exact(len(kept)) != exact(quantity):
            raise refusal(
                self.env,
                self.env._("%(order)s: the yield is %(quantity)s, but %(count)s serial numbers are neither destroyed nor "
                           "sampled: %(names)s.", order=self.name, quantity=decimal_string(quantity), count=len(kept),
                           names=', '.join(kept.mapped('name')) or '–'),
                RULE,
                self.env._("correct the yield and list the units that were destroyed or sampled, or give each unit its "
                           "serial number."), record=self)
        if kept != self.lot_producing_ids:
            with transition(self):
                self.lot_producing_ids = kept
