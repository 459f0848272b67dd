from odoo import models
from odoo.fields import Command

#: Who signs what no role of the step says.
SIGNERS = {'performed': 'operator', 'added': 'operator', 'verified': 'verifier', 'addition_verified': 'verifier'}


class MrpMmrDemo(models.AbstractModel):
    """Works on batches as people do on the shop floor: each step started, recorded and signed by its own persons."""
    _inherit = 'mrp.mmr.demo'

    def _load_batches(self, data):
        """Complete one batch, stop one, and leave one in the middle of its dispensing."""
        for order, batch in ((self._get(f'production_{name}'), batch) for name, batch in data.BATCHES.items()):
            self._as('planner', order).lot_producing_ids = [
                Command.create({'name': batch['lot'], 'product_id': order.product_id.id})]
            self._sign(order.bpr_id, 'issue', 'production', batch['issue'])
            self._do_batch(order.bpr_id, batch)

    def _do_batch(self, bpr, batch):
        for step in bpr.step_ids.sorted('sequence'):
            self._do_step(step, batch['steps'].get(step.name, ()))
            if step.name == batch.get('until'):
                return
            self._sign_step(step)
        name, text, reason = batch['late']
        late = bpr.step_ids.filtered(lambda step: step.name == name)
        self._as_performer(late).action_record('comment', {'text': text}, reason=reason)
        self._as('planner', bpr.production_id).button_mark_done()

    def _do_step(self, step, rows):
        """Start a step and record what it plans and what ``rows`` say."""
        own = self._as_performer(step)
        own.action_start(acknowledged=True)
        for kind, vals in self._get_planned_rows(step):
            own.action_record(kind, vals)
        entry = None
        for row in rows:
            entry = self._do_row(own, row, entry)

    def _get_planned_rows(self, step):
        """Return what a step asks for that is as planned: checklist, unit of equipment, a criterion in words."""
        planned = step.planned
        rows = [('check', {'position': row['position'], 'pass': True}) for row in planned['checklist']]
        if step.kind == 'equipment':
            rows.append(('equipment', {'equipment_id': planned['unit']['equipment']['id']}))
        if step.kind == 'passfail' or step.kind == 'clearance' and not rows:
            rows.append(('outcome', {'pass': True}))
        return rows

    def _do_row(self, step, row, entry):
        """Do what a row of ``demo/batches.py`` says; return the entry it made, or the one before."""
        kind, *values = row
        if kind == 'retest':
            self._sign(step, 'authorise_retest', 'qc', *values)
        elif kind == 'decide':
            for deviation in step.deviation_ids.filtered(lambda deviation: deviation.state == 'open'):
                self._sign(deviation, 'decide', 'qc', *values)
        elif kind == 'correct':
            reason, (kind, vals) = values
            return step.action_record(kind, self._prepare_entry(vals), reason=reason, corrects=entry)['entry_id']
        else:
            return step.action_record(kind, self._prepare_entry(*values))['entry_id']
        return entry

    def _prepare_entry(self, vals):
        """Return values as the shop floor sends them: lots and units by their ids."""
        vals = dict(vals)
        if 'lot' in vals:
            vals['lot_id'] = self._get(f"lot_{vals.pop('lot')}").id
        if 'unit' in vals:
            vals['equipment_id'] = self._get(f"equipment_{vals.pop('unit')}").id
        return vals

    def _sign_step(self, step):
        """Sign each point of a step by its person."""
        while point := step.next_point:
            role = step.verifier_role if point in ('verified', 'addition_verified') else step.performer_role
            if point == 'hold':
                self._sign(step, 'hold_approve', 'qc')
            else:
                self._sign(step, point, role or SIGNERS[point])

    def _as_performer(self, step):
        return self._as(step.performer_role or 'operator', step)
