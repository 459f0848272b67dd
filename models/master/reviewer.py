"""The approval route: which roles review a revision before Quality Control approves it."""

from odoo import api, fields, models

from ...domain.canonical import sha256
from ...domain.refusals import refusal
from ...domain.transitions import in_transition, without_defaults

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
        'mrp.mmr.profile', ondelete='restrict', tracking=True, help="Empty: for every profile.")
    company_id = fields.Many2one(
        'res.company', ondelete='restrict', tracking=True, help="Empty: for every company.")
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
            raise self._refuse_change(self.env._("it is put in force by its button"))
        return super(MrpMmrReviewer, without_defaults(self, {'enabled'})).create(vals_list)

    def write(self, vals):
        if not in_transition(self):
            if 'enabled' in vals:
                raise self._refuse_change(self.env._("it is put in force, and out of it, by its buttons"))
            fixed = self.filtered('enabled') if FIXED_FIELDS & vals.keys() else self.browse()
            if fixed:
                raise fixed._refuse_change(self.env._("it is in force"))
        return super().write(vals)

    @api.ondelete(at_uninstall=True)
    def _unlink_except_signed(self):
        signed = self.filtered('esignature_ids')
        if signed:
            raise signed._refuse_change(self.env._("it was signed, and is kept"))

    def _refuse_change(self, why):
        return refusal(
            self.env,
            self.env._("The review %(review)s cannot be changed: %(why)s.", review=', '.join(self.mapped('name')) or "–",
                       why=why),
            "APR-030, AUD-060, 21 CFR 111.123(a)(1), 11.10(k)",
            self.env._("have Quality Control take it out of force by a signature; then change or archive it."), record=self)

    # === SIGNING === #

    def action_switch(self):
        """Open the signature that puts this review in force, or out of it; a reason is kept with it."""
        return self.action_open_signature('switch_off' if self.enabled else 'switch_on')

    def _get_signing_action(self, action):
        self.ensure_one()
        if action not in ('switch_off', 'switch_on') or self.enabled != (action == 'switch_off') or not self.active:
            raise self._refuse_change(self.env._("it is put in force, and out of it, by its buttons"))
        reviewer = self.sudo().with_context(lang='en_US')
        content = {
            'schema': 'mrp_mmr/reviewer/1', 'name': reviewer.name, 'sequence': reviewer.sequence,
            **{key: {'id': record.id, 'name': record.display_name} if record else None for key, record in (
                ('role', reviewer.group_id), ('profile', reviewer.profile_id), ('company', reviewer.company_id))},
            'enabled': action == 'switch_on',
        }
        statement = self.env._("From now on every submitted revision needs this review.") if action == 'switch_on' \
            else self.env._("From now on revisions are approved without this review.")
        return {
            'meaning': 'approved', 'group': 'mrp_mmr.group_mmr_qc', 'statement': statement, 'content': content,
            'digest': sha256(content), 'comment_required': True,
        }

    def _apply_signing_action(self, action, signature):
        self.write({'enabled': action == 'switch_on'})
        self._message_log(
            body=self.env._("%(statement)s %(name)s: %(comment)s", statement=signature.statement,
                            name=signature.signer_name, comment=signature.comment or ''),
            author_id=signature.partner_id.id)
