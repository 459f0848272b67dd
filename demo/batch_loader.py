"""Makes the batches of the demonstration as people make them on the shop floor."""

import time
from decimal import Decimal

from odoo import fields, models
from odoo.fields import Command

from ..domain.numbers import decimal_string, exact

#: Who signs what no role of the step says.
SIGNERS = {'performed': 'operator', 'added': 'operator', 'verified': 'verifier', 'addition_verified': 'verifier'}
#: Who decides on batches: somebody who did nothing in them (REL-020).
RELEASER = 'qa'


class MrpMmrDemo(models.AbstractModel):
    """Works on batches as people do on the shop floor: each step started, recorded and signed by its own persons."""
    _inherit = 'mrp.mmr.demo'

    def _load_batches(self, data):
        """Release a batch of each profile, reject one, stop one, leave one to be reviewed and one in its dispensing."""
        for order, batch in ((self._get(f'production_{name}'), batch) for name, batch in data.BATCHES.items()):
            self._as('planner', order).lot_producing_ids = [
                Command.create({'name': batch['lot'], 'product_id': order.product_id.id})]
            self._clean_equipment(order.bpr_id)
            self._sign(order.bpr_id, 'issue', 'production', batch['issue'])
            self._do_batch(order.bpr_id, batch)
            if 'deviation' in batch:
                self._close_deviations(order.bpr_id, batch['deviation'])
            if 'release' in batch:
                self._release_batch(order.bpr_id, batch['release'])
            elif 'reject' in batch:
                self._sign(order.bpr_id, 'reject', RELEASER, batch['reject'])
        self._load_quality_review(data.QUALITY_REVIEW)

    # === WORK === #

    def _clean_equipment(self, bpr):
        """Clean what another product was made on, before the work begins."""
        units = self.env['maintenance.equipment'].browse({
            step.planned['unit']['equipment']['id'] for step in bpr.step_ids
            if step.planned['unit'] and step.planned['unit']['equipment']})
        dirty = units.filtered(
            lambda unit: unit.mmr_cleaning_status == 'dirty' or unit.mmr_used_product_ids - bpr.product_id)
        if dirty:
            # The log counts in seconds: what is cleaned in the second of its last use counts as used.
            time.sleep(1)
        for unit in dirty.sorted('name'):
            self._log_equipment(unit, 'cleaning', {'cleaning_kind': 'full', 'procedure_id': self._get('sop_cleaning').id})

    def _do_batch(self, bpr, batch):
        for step in bpr.step_ids.sorted('sequence'):
            self._do_step(step, batch['steps'].get(step.name, ()), batch)
            if step.name == batch.get('until'):
                return
            self._sign_step(step)
        if 'late' in batch:
            name, text, reason = batch['late']
            late = bpr.step_ids.filtered(lambda step: step.name == name)
            self._as_performer(late).action_record('comment', {'text': text}, reason=reason)
        self._as('planner', bpr.production_id).button_mark_done()

    def _do_step(self, step, rows, batch):
        """Start a step and record what ``rows`` say, and what else it plans as it is planned."""
        own = self._as_performer(step)
        own.action_start(acknowledged=True)
        own_kinds = {row[0] for row in rows}
        for kind, vals in self._get_planned_rows(own, batch):
            if kind not in own_kinds:
                own.action_record(kind, vals)
        entry = None
        for row in rows:
            entry = self._do_row(own, row, entry)

    def _get_planned_rows(self, step, batch):
        """Yield what a step asks for as it is planned: checklist, unit of equipment, sample, target, lot in stock."""
        planned = step.planned
        for row in planned['checklist']:
            yield 'check', {'position': row['position'], 'pass': True}
        if step.kind == 'equipment':
            yield 'equipment', {'equipment_id': planned['unit']['equipment']['id']}
        if planned['sample']:
            yield 'sample', {'count': str(planned['sample']['count']), 'size': planned['sample']['size']}
        if step.kind == 'passfail' or step.kind == 'clearance' and not planned['checklist']:
            yield 'outcome', {'pass': True}
        elif step.kind in ('numeric', 'environment'):
            yield 'value', {'value': self._get_usual_reading(planned['criterion'])}
        elif step.kind == 'weigh':
            lot = self._get_stocked_lot(planned['target']['product']['id'])
            adjusted = step._get_adjusted_target(lot=lot)
            yield 'weight', {'value': adjusted['quantity'] if adjusted else planned['target']['quantity'], 'lot_id': lot.id}
        elif step.kind == 'yield':
            yield 'yield', {'value': decimal_string(exact(planned['band']['theoretical']) * Decimal(batch.get('yield', 1)))}
        elif step.kind == 'material':
            for row in planned['pack']['materials']:
                used = batch.get('packs', 0) * int(exact(row['quantity']))
                yield 'material', {
                    'position': row['position'], 'lot_id': self._get_stocked_lot(row['product']['id']).id,
                    'issued': str(used + 10), 'used': str(used), 'returned': '10'}

    def _get_usual_reading(self, criterion):
        """Return the target, or a reading well inside the limits."""
        minimum, maximum = (criterion[name] and exact(criterion[name]) for name in ('minimum', 'maximum'))
        if criterion['target']:
            return criterion['target']
        if minimum is None or maximum is None:
            return decimal_string(maximum * Decimal('0.6') if minimum is None else minimum * Decimal('1.1'))
        return decimal_string((minimum + maximum) / 2)

    def _get_stocked_lot(self, product):
        """Return the released lot that expires first."""
        quants = self.env['stock.quant'].search([
            ('product_id', '=', product), ('lot_id.mmr_status', '=', 'released'), ('quantity', '>', 0),
            ('location_id', 'child_of', self.env.ref('stock.stock_location_stock').id)])
        return quants.lot_id.sorted(lambda lot: (lot.expiration_date or fields.Datetime.now(), lot.id))[:1]

    def _do_row(self, step, row, entry):
        """Do what a row of ``demo/batches.py`` says; return the entry it made, or the one before."""
        kind, *values = row
        if kind == 'retest':
            self._sign(step, 'authorise_retest', 'qc', *values)
        elif kind in ('decide', 'decide_reject'):
            for deviation in self._as('qc', step.deviation_ids).filtered(lambda deviation: deviation.state == 'open'):
                deviation.procedure_id = self._get('sop_deviation')
                self._sign(deviation, kind, 'qc', *values)
        elif kind == 'correct':
            reason, (kind, vals) = values
            return step.action_record(kind, self._prepare_entry(vals), reason=reason, corrects=entry)['entry_id']
        else:
            return step.action_record(kind, self._prepare_entry(*values))['entry_id']
        return entry

    def _prepare_entry(self, vals):
        """Return values as the shop floor sends them: lots, units and pictures by what the demonstration calls them."""
        vals = dict(vals)
        if 'lot' in vals:
            vals['lot_id'] = self._get(f"lot_{vals.pop('lot')}").id
        if 'unit' in vals:
            vals['equipment_id'] = self._get(f"equipment_{vals.pop('unit')}").id
        if 'picture' in vals:
            vals.update(name=vals['picture'], data=self._read(vals.pop('picture')))
        return vals

    def _sign_step(self, step):
        """Sign each point of a step by its person."""
        while point := step.next_point:
            role = step.verifier_role if point in ('verified', 'addition_verified') else step.performer_role
            if point == 'hold':
                self._sign(step, 'hold_approve', RELEASER)
            else:
                self._sign(step, point, role or SIGNERS[point])

    def _as_performer(self, step):
        return self._as(step.performer_role or 'operator', step)

    # === DECISIONS === #

    def _close_deviations(self, bpr, findings):
        """Write down what the investigation found, and close."""
        vals = {**findings, 'cause_id': self.env.ref(f"mrp_mmr.deviation_cause_{findings['cause_id']}").id,
                'procedure_id': self._get('sop_deviation').id}
        if 'capa' in vals:
            vals['capa_id'] = self._create_capa(vals.pop('capa'), vals['cause_id'], vals['cause']).id
        for deviation in self._as('qc', bpr.deviation_ids):
            deviation.write(vals)
            if deviation.capa_id:
                deviation.capa_id.action_start()
            self._sign(deviation, 'close', 'qc')

    def _create_capa(self, data, cause_id, cause):
        """Open a CAPA whose actions are under way; days count from today."""
        today = self.env.ref('base.main_company')._get_mmr_today()
        return self._as('qc', self.env['mrp.capa']).create({
            'title': data['title'], 'cause_id': cause_id, 'cause': cause, 'owner_id': self._get('user_qc').id,
            'effectiveness_criterion': data['criterion'], 'effectiveness_due': fields.Date.add(today, days=data['check']),
            'action_ids': [Command.create({
                'name': name, 'kind': kind, 'owner_id': self._get(f'user_{owner}').id,
                'due_date': fields.Date.add(today, days=days)}) for kind, name, owner, days in data['actions']]})

    def _load_quality_review(self, data):
        """Begin the review of a product for the year that runs, with the figures of its batches."""
        today = self.env.ref('base.main_company')._get_mmr_today()
        product = self._get(f"production_{data['production']}").product_id
        self._as(RELEASER, self.env['mrp.quality.review']).create({
            'product_ids': [Command.set(product.ids)], 'date_from': fields.Date.start_of(today, 'year'), 'date_to': today,
            'conclusion': data['conclusion'], 'actions': data['actions'], 'other_information': data['other_information']})

    def _release_batch(self, bpr, data):
        """Test, review and release a completed batch and its packaged lot, each decision by its own signature."""
        own = self._as('qc', bpr)
        for test in own._get_tests()[own]:
            specification = test['specification']
            own.action_record_result(specification['position'], self._prepare_result(specification, data))
        self._sign(bpr, 'approve_results', RELEASER)
        if 'reserve' in data:
            expiry = bpr.company_id._get_mmr_day(max(bpr.lot_ids.mapped('expiration_date')))
            own.action_record_sample({'kind': 'reserve', 'pack': 1, 'keep_until': fields.Date.to_string(
                fields.Date.add(expiry, months=13)), **data['reserve']})
        if 'withheld' in data:
            quantity, reason = data['withheld']
            own.action_record_sample({'kind': 'withheld', 'quantity': quantity, 'reason': reason})
        for action, login in (('produce', 'production'), ('review', RELEASER), ('certify', 'qp'), ('release', RELEASER),
                              ('release_packed', RELEASER)):
            if self._is_asked_for(bpr, action):
                self._sign(bpr, action, login, data['comments'].get(action))

    def _is_asked_for(self, bpr, action):
        return {'produce': bpr._needs('production_signature'), 'certify': bpr._needs_certification(),
                'release_packed': bpr._is_packed()}.get(action, True)

    def _prepare_result(self, specification, data):
        """Return the result of a test: a reading, or the certificate that says it conforms."""
        value = data['results'].get(specification['parameter'])
        if value:
            return {'kind': 'value', 'value': value}
        return {'kind': 'reference', 'pass': True, 'reference': data['certificate']}
