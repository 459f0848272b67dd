"""A batch that runs is cancelled by a signature with its reason, and its material is accounted for (BPR-200)."""

from odoo import api, fields, models

from ...domain.canonical import sha256
from ...domain.numbers import decimal_string
from ...domain.refusals import refusal
from ...domain.transitions import in_transition
from ..evidence.guards import load_guard
from ..master.step import ROLE_GROUPS

RULE = "BPR-200, 21 CFR 111.260, EU GMP 4.20"


class MrpBpr(models.Model):
    _inherit = 'mrp.bpr'

    is_cancellable = fields.Boolean(compute='_compute_is_cancellable', help="It runs, so that a signature cancels it.")

    def init(self):
        super().init()
        load_guard(self.env.cr, 'mrp_bpr_cancel')

    @api.depends('state', 'release_state')
    def _compute_is_cancellable(self):
        for bpr in self:
            bpr.is_cancellable = bpr.state == 'progress' and bpr.release_state != 'rejected'

    def action_cancel_batch(self):
        """Open the signature by which the production responsible cancels this batch, with the reason."""
        return self.action_open_signature('cancel')

    def _get_signing_action(self, action):
        if action != 'cancel':
            return super()._get_signing_action(action)
        self.ensure_one()
        if not self.is_cancellable:
            raise refusal(
                self.env, self.env._("%(bpr)s does not run: %(state)s.", bpr=self.name,
                                     state=dict(self._fields['state']._description_selection(self.env))[self.state]), RULE,
                self.env._("cancel the order itself where nothing was begun; what is completed is released or rejected."),
                record=self)
        content = self._get_cancellation_document()
        return {
            'meaning': 'checked', 'group': ROLE_GROUPS['production'], 'digest': sha256(content), 'content': content,
            'comment_required': True,
            'statement': self.env._(
                "I cancel this batch for the reason given. The material listed was weighed or issued for it and is accounted "
                "for as listed."),
        }

    def _get_cancellation_document(self):
        """Return what the signature of the cancellation covers: the batch, its open steps, and what became of its material.

        What was weighed counts as used: it is contaminated or mixed until Quality Control says otherwise (21 CFR 111.370).
        """
        self.ensure_one()
        bpr = self.sudo()
        material = []
        for entry in bpr.step_ids.sorted('sequence').entry_ids.filtered(
                lambda entry: entry.kind in ('weight', 'material'))._get_current():
            row, parts = entry._get_taken()
            if row:
                material.append({
                    'entry': entry.id, 'step': entry.step_id.display_name, 'product': row['product']['name'],
                    'lot': entry.lot_name or None, 'unit': row['unit'], 'used': decimal_string(sum(parts)),
                    'returned': (entry.data or {}).get('returned'), 'scrapped': (entry.data or {}).get('scrapped'),
                    'destroyed': (entry.data or {}).get('destroyed')})
        return {
            'schema': 'mrp_mmr/cancel/1', 'bpr': bpr.name, 'order': bpr.production_id.name,
            'snapshot_sha256': bpr.production_id.mmr_snapshot_sha256,
            'open_steps': [step.code for step in bpr.step_ids.sorted('sequence') if step.state not in ('done', 'not_done')],
            'material': material,
        }

    def _apply_signing_action(self, action, signature):
        if action != 'cancel':
            return super()._apply_signing_action(action, signature)
        self.ensure_one()
        # PostgreSQL looks for the signature before it lets material be used up.
        self.env.flush_all()
        self.production_id._action_cancel()
        self.production_id._message_log(
            body=self.env._("Cancelled by %(name)s: %(reason)s", name=signature.signer_name, reason=signature.comment),
            author_id=signature.partner_id.id)
        return None


class MrpProduction(models.Model):
    _inherit = 'mrp.production'

    mmr_is_running = fields.Boolean(compute='_compute_mmr_is_running', help="A signature cancels its batch.")

    @api.depends('bpr_ids.state', 'bpr_ids.release_state')
    def _compute_mmr_is_running(self):
        for production in self:
            production.mmr_is_running = bool(production.mmr_snapshot_sha256) and any(
                production.sudo().bpr_ids.mapped('is_cancellable'))

    def action_mmr_cancel_batch(self):
        """Open the signature that cancels the running batch of this order."""
        self.ensure_one()
        return self.bpr_id.action_cancel_batch()

    def _action_cancel(self):
        for production in self._mmr_recorded():
            bpr = production.sudo().bpr_ids
            if production.state not in ('done', 'cancel') and bpr.is_cancellable and not in_transition(bpr):
                raise refusal(
                    self.env, self.env._("%s runs: it is cancelled by a signature with its reason.", bpr.name), RULE,
                    self.env._("use Cancel Batch on the order or its record: the production responsible signs, and what was "
                               "weighed is accounted for."), record=bpr)
        return super()._action_cancel()
