"""Single actions of a CAPA: who does what until when, and what came of it (DEV-090)."""

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ...domain.refusals import refusal
from ...domain.transitions import in_transition
from .capa import QC, RULE


class MrpCapaAction(models.Model):
    """One action of a CAPA: who does what until when, and what came of it (DEV-090).

    Also held in guards/mrp_capa_action.sql.
    """
    _name = 'mrp.capa.action'
    _description = "Action of a CAPA"
    _inherit = ['mrp.audit.mixin']
    _order = 'due_date, id'

    capa_id = fields.Many2one('mrp.capa', "CAPA", required=True, index=True, ondelete='restrict')
    company_id = fields.Many2one(
        'res.company', required=True, readonly=True, ondelete='restrict', compute='_compute_company_id', store=True,
        precompute=True)
    name = fields.Char("Action", required=True)
    kind = fields.Selection([
        ('corrective', "Corrective"),
        ('preventive', "Preventive"),
    ], required=True, default='corrective')
    owner_id = fields.Many2one('res.users', required=True, ondelete='restrict', domain="[('share', '=', False)]")
    due_date = fields.Date("Due", required=True)
    result = fields.Text(help="What was done and how it was verified. Entering it completes the action.")
    done_by_id = fields.Many2one('res.users', readonly=True, ondelete='restrict')
    done_at = fields.Datetime("Done", readonly=True)
    reminded_on = fields.Date(readonly=True)

    _done = models.Constraint(
        "CHECK ((done_at IS NULL) = (done_by_id IS NULL) AND (done_at IS NULL OR trim(result) <> ''))",
        "A completed action needs a person and a result. Rule: DEV-090.")

    @api.depends('capa_id')
    def _compute_company_id(self):
        for action in self:
            action.company_id = action.sudo().capa_id.company_id

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        self.env['mrp.capa']._check_quality()
        for vals in vals_list:
            if {'done_by_id', 'done_at', 'result'} & {name for name, value in vals.items() if value}:
                raise self._refuse_change()
        actions = super().create(vals_list)
        if {'check', 'closed'} & set(actions.mapped('capa_id.state')):
            raise actions._refuse_change()
        return actions

    def write(self, vals):
        if in_transition(self):
            return super().write(vals)
        user = self.env.user
        if {'done_by_id', 'done_at', 'capa_id', 'company_id', 'reminded_on'} & vals.keys() \
                or {'check', 'closed'} & set(self.mapped('capa_id.state')):
            raise self._refuse_change()
        if not user.has_group(QC) and (set(vals) != {'result'} or any(action.owner_id != user for action in self)):
            raise refusal(
                self.env, self.env._("Only the owner of an action enters its result; only Quality Control edits the rest."),
                f"SEC-010, {RULE}", self.env._("ask the owner, or Quality Control."), record=self[:1], exception=AccessError)
        if 'result' in vals:
            self._check_result(vals['result'])
            vals = {**vals, 'done_by_id': user.id, 'done_at': fields.Datetime.now()}
        return super().write(vals)

    def _check_result(self, result):
        """Refuse results of actions that were not started, and empty ones."""
        if 'draft' in self.mapped('capa_id.state') or not (result or '').strip():
            raise refusal(
                self.env, self.env._("The result of an action states what was done after the CAPA was started."), RULE,
                self.env._("describe what was done and how it was verified."), record=self[:1])

    @api.ondelete(at_uninstall=True)
    def _unlink_except_started(self):
        self.env['mrp.capa']._check_quality()
        if set(self.mapped('capa_id.state')) - {'draft'}:
            raise self._refuse_change()

    def _refuse_change(self):
        return refusal(
            self.env,
            self.env._("The actions of a CAPA that was started cannot be changed; they are completed by entering a result."),
            RULE,
            self.env._("add another action while the CAPA is running, or enter the result."), record=self[:1])

    def _audit_chain(self):
        return self.sudo().capa_id._audit_chain()

    @api.model
    def _audit_fields(self):
        return super()._audit_fields() - {'reminded_on'}
