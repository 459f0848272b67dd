"""Orders that run on a revision that is not effective any more: Quality Control signs continue or stop."""

from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ...domain.refusals import refusal
from ...domain.signing import SigningRule
from ...domain.transitions import in_transition, transition
from .production import DECISION_FIELDS

_lt = LazyTranslate(__name__)
RULE = "REV-060, 21 CFR 111.255(c), EU GMP 4.5"


class MrpProduction(models.Model):
    """Also held in guards/mrp_production.sql."""
    _name = 'mrp.production'
    _inherit = ['mrp.production', 'mrp.esignature.mixin', 'mrp.audit.mixin']

    mmr_decision = fields.Selection([
        ('pending', "To be decided"),
        ('continue', "Continue"),
        ('stop', "Stopped"),
    ], "Decision of Quality Control", readonly=True, copy=False, index='btree_not_null', tracking=True,
        help="Whether a batch continues although its revision was superseded or retired.")
    mmr_decision_signature_id = fields.Many2one(
        'mrp.esignature', "Decided", readonly=True, copy=False, ondelete='restrict')

    _mmr_decision_signed = models.Constraint(
        "CHECK (mmr_decision NOT IN ('continue', 'stop') OR mmr_decision_signature_id IS NOT NULL)",
        "Only a signature of Quality Control decides whether a running batch continues (REV-060, EU GMP 4.5).")
    # While it is to be decided as well: guards/mrp_production.sql; batches that were completed before that rule stay.
    _mmr_stopped = models.Constraint(
        "CHECK (mmr_decision IS DISTINCT FROM 'stop' OR state <> 'done')",
        "Quality Control stopped this batch; it cannot be completed (REV-060, EU GMP 4.5).")

    def _mmr_check_decision_signed(self, vals):
        """Refuse to write the decision on a running batch otherwise than by its signature (REV-060)."""
        if DECISION_FIELDS & vals.keys() and not in_transition(self):
            raise refusal(
                self.env, self.env._("Only a signature of Quality Control decides whether a running batch continues."),
                RULE, self.env._("use the Continue and Stop buttons."), record=self)

    # === AUDIT TRAIL === #

    def _audit_records(self, vals=None):
        # A draft is a plan; the record of the batch begins with its release.
        if vals and vals.get('mmr_snapshot'):
            return self
        if vals and vals.get('state') == 'confirmed':
            # It follows from the release, which has its line.
            return self.browse()
        return self.filtered('mmr_snapshot_sha256')

    def _audit_chain(self):
        return self

    @api.model
    def _audit_fields(self):
        return {
            'name', 'product_id', 'product_qty', 'product_uom_id', 'bom_id', 'company_id', 'state', 'qty_producing',
            'lot_producing_ids', 'date_start', 'date_finished', 'mmr_controlled', 'mmr_revision_id', 'mmr_snapshot_sha256',
            'mmr_decision', 'mmr_decision_signature_id', 'location_dest_id', 'is_locked',
        }

    # === SIGNING === #

    _signing_state_field = 'mmr_decision'
    _signing_citation = RULE
    _signing_next_step = _lt("only batches in progress on a superseded or retired revision need this decision.")
    _signing_actions = {
        'continue': SigningRule(
            meaning='approved', group='mrp_mmr.group_mmr_qc', states=('pending', 'stop'), leads_to='continue',
            comment_required=True,
            statement=_lt("I assessed this running batch: it goes on with the revision it was released on."),
            prepare='_prepare_mmr_decision', apply='_apply_mmr_decision'),
        'stop': SigningRule(
            meaning='rejected', group='mrp_mmr.group_mmr_qc', states=('pending', 'continue'), leads_to='stop',
            comment_required=True, statement=_lt("I assessed this running batch: it is stopped before its next step."),
            prepare='_prepare_mmr_decision', apply='_apply_mmr_decision'),
    }

    def action_mmr_continue(self):
        """Open the signature that lets this batch go on with its snapshot."""
        return self.action_open_signature('continue')

    def action_mmr_stop(self):
        """Open the signature that stops this batch before its next step."""
        return self.action_open_signature('stop')

    def _get_signing_profile(self):
        return self.sudo().mmr_revision_id.profile_id

    def _prepare_mmr_decision(self, action):
        # One that was completed in spite of it still waits for the decision, without which it is not released.
        if self.state == 'cancel' or self.state == 'done' and (self.mmr_decision, action) != ('pending', 'continue'):
            raise refusal(
                self.env, self.env._("%s is not waiting for this decision.", self.name), RULE,
                self.env._(self._signing_next_step), record=self)
        revision = self.sudo().mmr_revision_id
        return self._make_signing_action(action, {
            'schema': 'mrp_mmr/decision/1', 'order': self.name, 'decision': self._get_signing_rule(action).leads_to,
            'mmr': revision.mmr_id.name, 'revision': revision.revision, 'revision_state': revision.state,
            'effective_revision': revision.mmr_id.effective_revision_id.revision or None,
            'snapshot_sha256': self.mmr_snapshot_sha256,
        })

    def _apply_mmr_decision(self, action, signature):
        self.write({'mmr_decision': self._get_signing_rule(action).leads_to, 'mmr_decision_signature_id': signature.id})
        self.bpr_ids._notify_floor()
        self._post_signature(signature)
        revision = self.mmr_revision_id
        if not self.search_count([('mmr_revision_id', '=', revision.id), ('mmr_decision', '=', 'pending')], limit=1):
            revision.activity_unlink(['mrp_mmr.mail_activity_type_decision'])

    # === STOPPED === #

    def _mmr_check_not_stopped(self):
        """Refuse work on a batch that Quality Control stopped, or has not decided on yet.

        :raise UserError: naming order and signature
        """
        for production in self.filtered(lambda production: production.mmr_decision == 'pending'):
            raise production._mmr_refuse_pending()
        for production in self.filtered(lambda production: production.mmr_decision == 'stop'):
            raise refusal(
                self.env,
                self.env._("%(order)s was stopped by %(name)s: %(reason)s", order=production.name,
                           name=production.sudo().mmr_decision_signature_id.signer_name,
                           reason=production.sudo().mmr_decision_signature_id.comment),
                RULE, self.env._("ask Quality Control to decide again, or cancel the order."), record=production)

    def _mmr_get_pending(self):
        """Return that Quality Control has not decided yet whether this batch goes on, as message, rule and next action."""
        self.ensure_one()
        return (self.env._("%(order)s is in progress on a revision that is no longer effective, and Quality Control has not "
                           "decided whether it continues.", order=self.name),
                "REV-060, 21 CFR 111.255(c), EU GMP 4.5",
                self.env._("finish and record the steps that were started; Quality Control signs Continue or Stop."))

    def _mmr_refuse_pending(self):
        return refusal(self.env, *self._mmr_get_pending(), record=self)


class MrpWorkorder(models.Model):
    _inherit = 'mrp.workorder'

    def write(self, vals):
        # By whatever button, import or call: a step that was not begun is neither begun nor reported as done.
        if vals.get('state') in ('progress', 'done'):
            self.filtered(lambda workorder: workorder.state not in (vals['state'], 'progress')) \
                .production_id._mmr_check_not_stopped()
        return super().write(vals)

    def button_start(self, raise_on_invalid_state=False):
        # A stage that was begun is resumed, so that its started steps can be finished.
        self.filtered(lambda workorder: workorder.state != 'progress' or workorder.production_id.mmr_decision == 'stop') \
            .production_id._mmr_check_not_stopped()
        return super().button_start(raise_on_invalid_state=raise_on_invalid_state)


class MrpMmrRevision(models.Model):
    _inherit = 'mrp.mmr.revision'

    running_order_count = fields.Integer("Orders to Decide", compute='_compute_running_order_count')

    def _compute_running_order_count(self):
        counts = dict(self.env['mrp.production'].sudo()._read_group(
            [('mmr_revision_id', 'in', self.ids), ('mmr_decision', '=', 'pending')], ['mmr_revision_id'], ['__count']))
        for revision in self:
            revision.running_order_count = counts.get(revision, 0)

    def _flag_running_orders(self):
        """List the released and unfinished orders of revisions that ended to Quality Control (REV-060)."""
        orders = self.env['mrp.production'].sudo().search([
            ('mmr_revision_id', 'in', self.ids), ('mmr_snapshot_sha256', '!=', False),
            ('state', 'not in', ('draft', 'done', 'cancel'))])
        if not orders:
            return
        with transition(orders):
            orders.write({'mmr_decision': 'pending'})
        for revision in orders.mmr_revision_id:
            for user in revision.company_id._get_quality_control():
                revision.activity_schedule(
                    'mrp_mmr.mail_activity_type_decision', user_id=user.id,
                    date_deadline=revision._get_today() + timedelta(days=1),
                    summary=self.env._("Continue or stop the running orders of %s", revision.display_name))

    def action_view_running_orders(self):
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.actions']._for_xml_id('mrp_mmr.mrp_production_action_decide')
        return dict(action, domain=[('mmr_revision_id', '=', self.id), ('mmr_decision', '!=', False)])
