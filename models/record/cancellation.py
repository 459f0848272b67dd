"""A batch that runs is cancelled by a signature with its reason, and its material is accounted for (BPR-200)."""

from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ...domain.numbers import decimal_string
from ...domain.refusals import refusal
from ...domain.roles import ROLE_GROUPS
from ...domain.signing import SigningRule
from ...domain.stock import convert_exactly
from ...domain.transitions import in_transition

_lt = LazyTranslate(__name__)
RULE = "BPR-200, 21 CFR 111.260, EU GMP 4.20"


class MrpBpr(models.Model):
    _inherit = 'mrp.bpr'

    _signing_actions = {
        'cancel': SigningRule(
            meaning='checked', group=ROLE_GROUPS['production'], states=('progress',), comment_required=True, citation=RULE,
            next_step=_lt("cancel the order itself if no work has begun; a completed batch is released or rejected."),
            statement=_lt(
                "I cancel this batch for the reason given. The material listed was weighed or issued for it and is accounted "
                "for as listed."),
            prepare='_prepare_cancellation', apply='_apply_cancellation'),
    }

    is_cancellable = fields.Boolean(compute='_compute_is_cancellable', help="It is in progress, so cancelling it needs a "
                                                                            "signature.")

    @api.depends('state', 'release_state')
    def _compute_is_cancellable(self):
        for bpr in self:
            bpr.is_cancellable = bpr.state == 'progress' and bpr.release_state != 'rejected'

    def action_cancel_batch(self):
        """Open the signature by which the production responsible cancels this batch, with the reason."""
        return self.action_open_signature('cancel')

    def _prepare_cancellation(self, action):
        if not self.is_cancellable:
            raise refusal(
                self.env, self.env._("%s was rejected: its order is cancelled without another signature.", self.name), RULE,
                self.env._("cancel the order."), record=self)
        return self._make_signing_action(action, self._get_cancellation_document())

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
                unit = self.env['uom.uom'].browse(row['unit_id'])
                stock_unit = self.env['product.product'].browse(row['product']['id']).uom_id
                used = convert_exactly(sum(parts, Decimal(0)), stock_unit, unit)
                material.append({
                    'entry': entry.id, 'step': entry.step_id.display_name, 'product': row['product']['name'],
                    'lot': entry.lot_name or None, 'unit': row['unit'], 'used': decimal_string(used),
                    'returned': (entry.data or {}).get('returned'), 'scrapped': (entry.data or {}).get('scrapped'),
                    'destroyed': (entry.data or {}).get('destroyed')})
        return {
            'schema': 'mrp_mmr/cancel/1', 'bpr': bpr.name, 'order': bpr.production_id.name,
            'snapshot_sha256': bpr.production_id.mmr_snapshot_sha256,
            'open_steps': [step.code for step in bpr.step_ids.sorted('sequence') if step.state not in ('done', 'not_done')],
            'material': material,
        }

    def _apply_cancellation(self, action, signature):
        # PostgreSQL looks for the signature before it lets material be used up.
        self.env.flush_all()
        self.production_id._action_cancel()
        self.production_id._message_log(
            body=self.env._("Cancelled by %(name)s: %(reason)s", name=signature.signer_name, reason=signature.comment),
            author_id=signature.partner_id.id)


class MrpProduction(models.Model):
    _inherit = 'mrp.production'

    mmr_is_running = fields.Boolean(compute='_compute_mmr_is_running', help="Cancelling the batch needs a signature.")

    @api.depends('bpr_ids.state', 'bpr_ids.release_state')
    def _compute_mmr_is_running(self):
        for production in self:
            production.mmr_is_running = bool(production.mmr_snapshot_sha256) and any(
                production.sudo().bpr_ids.mapped('is_cancellable'))

    def action_mmr_cancel_batch(self):
        """Open the signature that cancels the running batch of this order."""
        self.ensure_one()
        return self.bpr_id.action_cancel_batch()

    def _mmr_prepare_cancel(self):
        for production in self._mmr_recorded():
            bpr = production.sudo().bpr_ids
            if production.state not in ('done', 'cancel') and bpr.is_cancellable and not in_transition(bpr):
                raise refusal(
                    self.env, self.env._("%s is in progress: cancelling it needs a signature with a reason.", bpr.name), RULE,
                    self.env._("use Cancel Batch on the order or its record: the Production Responsible signs, and what was "
                               "weighed is accounted for."), record=bpr)
        super()._mmr_prepare_cancel()
