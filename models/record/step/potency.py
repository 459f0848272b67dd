"""Targets that depend on the potency of the lots: assay-adjusted components, and the filler that balances them."""

from decimal import Decimal

from odoo import api, fields, models

from ....domain.numbers import convert, decimal_string, plain
from ....domain.potency import adjust, get_potency
from ....domain.refusals import refusal

RULE = "USE-070, 21 CFR 111.210(c), 211.101(a)"


class MrpBprStep(models.Model):
    _inherit = 'mrp.bpr.step'

    target_quantity = fields.Char("Target", compute='_compute_target_quantity', help="The quantity to be weighed.")
    target_formula = fields.Char("Calculation", compute='_compute_target_quantity')

    @api.depends('kind', 'entry_ids')
    def _compute_target_quantity(self):
        for step in self:
            target = step._get_target() if step.kind in ('weigh', 'add') else None
            adjusted = step._get_adjusted_target() if target else None
            quantity = adjusted['quantity'] if adjusted else target and target['quantity']
            step.target_quantity = quantity and f"{quantity} {target['unit']}"
            step.target_formula = adjusted and adjusted['formula']

    # === TARGET === #

    def _get_adjusted_target(self, lot=None):
        """Return the target of this component as its lots make it, or None where it is the quantity of the MMR.

        The target of an assay-adjusted component is planned × reference potency ÷ potency of the lot. Where several lots
        share it, each covers its own part and the last one the rest. The target of the filler is its planned quantity
        less what the adjusted components need more than planned.

        :param lot: the lot that is about to be weighed; by default the target is that of the lots weighed so far
        :return: dict of ``quantity`` (in the unit of the component; None while no lot is known), ``unit``, ``formula``
            and the ``inputs`` of the calculation, all numbers as strings
        :raise UserError: where the lot has no such potency, or the filler would be negative
        """
        self.ensure_one()
        target = self._get_target()
        if not target:
            return None
        if target.get('assay'):
            return self._get_assay_target(target, lot)
        return self._get_filler_target(target) if target.get('is_filler') else None

    def _get_target_quantity(self):
        """Return the quantity that the weighed amount is compared with (USE-070)."""
        adjusted = self._get_adjusted_target()
        return (adjusted and adjusted['quantity']) or self._get_target()['quantity']

    def _get_assay_target(self, target, lot=None, without=None):
        """Return the target of an assay-adjusted component, see :meth:`_get_adjusted_target`.

        :param without: an entry that is about to be corrected
        """
        weights = self._get_component_weights(target['position']).filtered('lot_id')
        weights -= without or weights.browse()
        if lot:
            assay = self._get_lot_assay(lot, target)
            others = weights.filtered(lambda entry: entry.lot_id != lot)
        elif weights:
            last = weights[-1]
            assay = last.data['adjusted']['assay']
            others = weights.filtered(lambda entry: entry.lot_id != last.lot_id)
        else:
            assay, others = None, weights
        reference, planned = Decimal(target['assay']['reference']), Decimal(target['quantity'])
        inputs = {'planned': target['quantity'], 'reference': target['assay'], 'assay': assay}
        formula = self.env._("%(planned)s %(unit)s × %(reference)s ÷ potency of the lot", planned=target['quantity'],
                             unit=target['unit'], reference=target['assay']['reference'])
        if not assay:
            return {'quantity': None, 'unit': target['unit'], 'formula': formula, 'inputs': inputs}
        potency = get_potency(assay)
        shares = [(Decimal(entry.data['quantity']), Decimal(entry.data['adjusted']['potency'])) for entry in others]
        part = adjust(planned, reference, potency, shares)
        inputs |= {'potency': plain(potency), 'part': decimal_string(part), 'others': [
            {'lot': entry.lot_name, 'quantity': plain(weight), 'potency': plain(other)}
            for entry, (weight, other) in zip(others, shares, strict=True)]}
        total = sum((weight for weight, _potency in shares), part)
        if shares:
            formula = self.env._(
                "(%(planned)s × %(reference)s − %(others)s) ÷ %(potency)s = %(part)s %(unit)s", planned=target['quantity'],
                reference=target['assay']['reference'], potency=plain(potency), part=decimal_string(part),
                unit=target['unit'], others=' − '.join(f"{plain(weight)} × {plain(other)}" for weight, other in shares))
        else:
            formula = self.env._(
                "%(planned)s × %(reference)s ÷ %(potency)s = %(part)s %(unit)s", planned=target['quantity'],
                reference=target['assay']['reference'], potency=plain(potency), part=decimal_string(part),
                unit=target['unit'])
        return {'quantity': decimal_string(total), 'unit': target['unit'], 'formula': formula, 'inputs': inputs}

    def _get_filler_target(self, target):
        """Return the target of the balancing filler, see :meth:`_get_adjusted_target`; None where a lot is not known yet."""
        unit = self.env['uom.uom'].browse(target['unit_id'])
        rows, missing = [], []
        for step in self._get_adjusted_steps():
            row = step._get_target()
            adjusted = step._get_adjusted_target()['quantity']
            # While it is weighed, another lot may follow.
            if step.state in ('open', 'started'):
                missing.append(row['product']['name'])
            if adjusted is None or step.state in ('open', 'started'):
                continue
            difference = convert(
                Decimal(adjusted) - Decimal(row['quantity']), self.env['uom.uom'].browse(row['unit_id']), unit)
            rows.append({'component': row['product']['name'], 'planned': row['quantity'], 'target': adjusted,
                         'unit': row['unit'], 'difference': decimal_string(difference)})
        quantity = Decimal(target['quantity']) - sum(Decimal(row['difference']) for row in rows)
        if missing or not rows:
            formula = self.env._("%(planned)s %(unit)s − the additional quantity of: %(components)s",
                                 planned=target['quantity'],
                                 unit=target['unit'], components=', '.join(missing))
        else:
            formula = ' − '.join([target['quantity'], *(
                f"({row['difference']})" if row['difference'].startswith('-') else row['difference'] for row in rows)])
            formula = f"{formula} = {decimal_string(quantity)} {target['unit']}"
        return {
            'quantity': None if missing else decimal_string(quantity), 'unit': target['unit'], 'formula': formula,
            'inputs': {'planned': target['quantity'], 'components': rows, 'missing': missing}}

    # === WEIGHING === #

    def _prepare_adjustment(self, prepared, corrected):
        """Return what the entry of a weight keeps of the calculation of its target: formula, inputs and result.

        :param dict prepared: the entry
        :param corrected: the entry that it corrects, which covers nothing any more
        :raise UserError: where the target cannot be calculated, or would be negative
        """
        target = self._get_target()
        if target.get('assay'):
            lot = self.env['stock.lot'].sudo().browse(prepared.get('lot_id'))
            if not lot:
                raise self._refuse_potency(
                    self.env._("%s is adjusted to the assay of its lots, but is not tracked by lots.",
                               target['product']['name']),
                    self.env._("track the product by lots, and give each lot an assay."))
            adjusted = self._get_assay_target(target, lot, without=corrected)
            inputs = adjusted['inputs']
            if Decimal(inputs['part']) <= 0:
                raise self._refuse_potency(
                    self.env._("The lots already weighed cover %s completely.", target['product']['name']),
                    self.env._("correct the weights."))
            return {'adjusted': {
                'formula': adjusted['formula'], 'target': inputs['part'], 'potency': inputs['potency'],
                'assay': inputs['assay'], 'reference': inputs['reference'], 'planned': inputs['planned'],
                'others': inputs['others']}}
        if target.get('is_filler'):
            adjusted = self._get_filler_target(target)
            if adjusted['quantity'] is None:
                raise self._refuse_potency(
                    self.env._("%(filler)s balances %(components)s, which are not weighed yet.",
                               filler=target['product']['name'],
                               components=', '.join(adjusted['inputs']['missing'])),
                    self.env._("weigh these first."))
            if Decimal(adjusted['quantity']) < 0:
                raise self._refuse_potency(
                    self.env._("The target of %(filler)s would be negative: %(formula)s.", filler=target['product']['name'],
                               formula=adjusted['formula']),
                    self.env._("use lots of higher potency, or ask Quality Control."))
            return {'adjusted': {
                'formula': adjusted['formula'], 'target': adjusted['quantity'], 'planned': target['quantity'],
                'components': adjusted['inputs']['components']}}
        return {}

    def _get_lot_assay(self, lot, target):
        """Return the assay of a lot, as its release holds it.

        :raise UserError: where it has none, or in another unit than the reference potency
        """
        assay = lot.sudo()._mmr_get_assay()
        wanted = target['assay']['unit']
        if not assay or (assay['unit'] or '%').casefold() != wanted.casefold():
            raise self._refuse_potency(
                self.env._("Lot %(lot)s has no assay in %(unit)s.", lot=lot.name, unit=wanted),
                self.env._("Quality Control enters it and releases the lot again."))
        return assay

    def _refuse_potency(self, message, next_action):
        return refusal(self.env, message, RULE, next_action, record=self)

    # === OTHER STEPS === #

    def _get_component_weights(self, position):
        """Return the valid weights of a component in this batch, in the order in which they were recorded."""
        steps = self.bpr_id.sudo().step_ids.filtered(
            lambda step: step.kind == 'weigh' and step.planned['component'] == position)
        return steps.entry_ids.filtered(lambda entry: entry.kind == 'weight')._get_current().sorted('id')

    def _get_adjusted_steps(self):
        """Return one weighing step of each assay-adjusted component of this batch."""
        found = {}
        for step in self.bpr_id.sudo().step_ids.filtered(lambda step: step.kind == 'weigh').sorted('sequence'):
            target = step._get_target()
            if target and target.get('assay'):
                found.setdefault(target['position'], step)
        return self.browse(step.id for step in found.values()).sudo()

    def _get_balancing_steps(self):
        """Return the weighing of the filler, where a late change of this component changes its target."""
        target = self._get_target()
        if not target or not target.get('assay'):
            return self.browse()
        return self.bpr_id.step_ids.filtered(
            lambda step: step.kind == 'weigh' and (step._get_target() or {}).get('is_filler'))

    def _check_balance(self):
        """Judge the filler again that was weighed and signed before."""
        for step in self:
            if step.state not in ('open', 'started') and step._get_weights():
                step._check_amount(late=True)
