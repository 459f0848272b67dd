"""The approval route: which roles review a revision before Quality Control approves it."""

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ...domain.refusals import refusal
from ...domain.signing import SigningRule
from ...domain.transitions import in_transition, without_defaults

_lt = LazyTranslate(__name__)
#: What is signed when a review is put in force; it stays as long as it is.
FIXED_FIELDS = {'name', 'sequence', 'group_id', 'profile_id', 'company_id', 'active'}


class MrpMmrReviewer(models.Model):
    """A role that signs *reviewed* before Quality Control approves: set by a company, for one profile or all.

    Preparer and Quality Control are the fixed minimum (21 CFR 211.186(a), 111.123(a)(1)); this adds to it. Quality
    Control puts a review in force, and takes it out again, by a signature with a reason; it is not edited between.

    Also held in guards/mrp_mmr_reviewer.sql.
    """
    _name = 'mrp.mmr.reviewer'
    _description = "Reviewer in the Approval Route"
    _inherit = ['mail.thread', 'mrp.esignature.mixin', 'mrp.audit.mixin']
    _order = 'sequence, id'

    sequence = fields.Integer("Order", default=10, help="Reviewers sign in this order.", tracking=True)
    name = fields.Char("Review", required=True, tracking=True, help="For instance: Production, Regulatory Affairs.")
    group_id = fields.Many2one(
        'res.groups', "Role", required=True, ondelete='restrict', tracking=True,
        help="Any member of this group may sign the review.")
    profile_id = fields.Many2one(
        'mrp.mmr.profile', ondelete='restrict', tracking=True, help="Empty for all profiles.")
    company_id = fields.Many2one(
        'res.company', ondelete='restrict', tracking=True, help="Empty for all companies.")
    active = fields.Boolean(default=True, tracking=True)
    enabled = fields.Boolean("In Force", readonly=True, copy=False, tracking=True)

    def _init_column(self, column_name):
        super()._init_column(column_name)
        if column_name == 'enabled':
            # What was asked for before signatures had to put it in force is asked for still.
            self.env.cr.execute("UPDATE mrp_mmr_reviewer SET enabled = true")

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        if any(vals.get('enabled') for vals in vals_list):
            raise self._refuse_change(self.env._("only its button puts it in force"))
        return super(MrpMmrReviewer, without_defaults(self, {'enabled'})).create(vals_list)

    def write(self, vals):
        if not in_transition(self):
            if 'enabled' in vals:
                raise self._refuse_change(self.env._("only its buttons put it in force and take it out of force"))
            fixed = self.filtered('enabled') if FIXED_FIELDS & vals.keys() else self.browse()
            if fixed:
                raise fixed._refuse_change(self.env._("it is in force"))
        return super().write(vals)

    @api.ondelete(at_uninstall=True)
    def _unlink_except_signed(self):
        signed = self.filtered('esignature_ids')
        if signed:
            raise signed._refuse_change(self.env._("it has been signed"))

    def _refuse_change(self, why):
        return refusal(
            self.env,
            self.env._("The review %(review)s cannot be changed: %(why)s.", review=', '.join(self.mapped('name')) or "–",
                       why=why),
            "APR-030, AUD-060, 21 CFR 111.123(a)(1), 11.10(k)",
            self.env._("have Quality Control take it out of force by signature; then change or archive it."), record=self)

    # === SIGNING === #

    _signing_state_field = 'enabled'
    _signing_citation = "APR-030, AUD-060, 21 CFR 111.123(a)(1), 11.10(k)"
    _signing_next_step = _lt("use the button that puts this review in force or takes it out of force.")
    _signing_actions = {
        'switch_on': SigningRule(
            meaning='approved', group='mrp_mmr.group_mmr_qc', states=(False,), leads_to=True, comment_required=True,
            statement=_lt("From now on every submitted revision needs this review."),
            prepare='_prepare_switch', apply='_apply_switch'),
        'switch_off': SigningRule(
            meaning='approved', group='mrp_mmr.group_mmr_qc', states=(True,), leads_to=False, comment_required=True,
            statement=_lt("From now on revisions are approved without this review."),
            prepare='_prepare_switch', apply='_apply_switch'),
    }

    def action_switch(self):
        """Open the signature that puts this review in force, or out of it; a reason is kept with it."""
        return self.action_open_signature('switch_off' if self.enabled else 'switch_on')

    def _get_signing_state_label(self):
        return self.env._("in force") if self.enabled else self.env._("not in force")

    def _prepare_switch(self, action):
        if not self.active:
            raise self._refuse_change(self.env._("it is archived"))
        reviewer = self.sudo().with_context(lang='en_US')
        return self._make_signing_action(action, {
            'schema': 'mrp_mmr/reviewer/1', 'name': reviewer.name, 'sequence': reviewer.sequence,
            **{key: {'id': record.id, 'name': record.display_name} if record else None for key, record in (
                ('role', reviewer.group_id), ('profile', reviewer.profile_id), ('company', reviewer.company_id))},
            'enabled': self._get_signing_rule(action).leads_to,
        })

    def _apply_switch(self, action, signature):
        self.write({'enabled': self._get_signing_rule(action).leads_to})
        self._post_signature(signature)
