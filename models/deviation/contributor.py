"""Who supplied information for the investigation of a deviation, and signs for it."""

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ...domain.refusals import refusal
from ...domain.signing import SigningRule
from ...domain.transitions import in_transition

_lt = LazyTranslate(__name__)
RULE = "DEV-030, 21 CFR 111.140(b)(3)(vii)"


class MrpDeviationContributor(models.Model):
    """A person who supplied information for the investigation, and signs for what was said (21 CFR 111.140(b)(3)(vii)).

    What was signed stays; a deviation is not closed while one has not signed (DEV-030).

    Also held in guards/mrp_deviation_contributor.sql.
    """
    _name = 'mrp.deviation.contributor'
    _description = "Contributor to an Investigation"
    _inherit = ['mrp.esignature.mixin', 'mrp.audit.mixin']
    _order = 'id'

    deviation_id = fields.Many2one('mrp.deviation', required=True, index=True, ondelete='restrict')
    company_id = fields.Many2one(
        'res.company', required=True, readonly=True, ondelete='restrict', compute='_compute_company_id', store=True,
        precompute=True)
    user_id = fields.Many2one(
        'res.users', "Person", required=True, ondelete='restrict', domain="[('share', '=', False)]")
    contribution = fields.Text(required=True, help="What this person saw, did or found.")
    signature_id = fields.Many2one('mrp.esignature', "Signed", readonly=True, copy=False, ondelete='restrict')
    is_mine = fields.Boolean(compute='_compute_is_mine')

    # === COMPUTE === #

    @api.depends('deviation_id')
    def _compute_company_id(self):
        for contributor in self:
            contributor.company_id = contributor.sudo().deviation_id.company_id

    @api.depends_context('uid')
    @api.depends('user_id', 'signature_id')
    def _compute_is_mine(self):
        for contributor in self:
            contributor.is_mine = contributor.user_id == self.env.user and not contributor.signature_id

    @api.depends('deviation_id', 'user_id')
    def _compute_display_name(self):
        for contributor in self.sudo():
            contributor.display_name = f"{contributor.deviation_id.name} · {contributor.user_id.name}"

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        if any(vals.get('signature_id') for vals in vals_list):
            raise self._refuse_change()
        deviations = self.env['mrp.deviation'].browse({vals['deviation_id'] for vals in vals_list if vals.get('deviation_id')})
        deviations._check_investigator()
        contributors = super().create(vals_list)
        contributors._ask_to_sign()
        return contributors

    def write(self, vals):
        if not in_transition(self):
            if self.filtered('signature_id') or {'signature_id', 'deviation_id', 'company_id'} & vals.keys():
                raise self._refuse_change()
            # The person writes the own words; who it is decides whoever investigates.
            if set(vals) - {'contribution'} or any(row.user_id != self.env.user for row in self):
                self.deviation_id._check_investigator()
            elif 'closed' in self.deviation_id.mapped('state'):
                raise self._refuse_change()
        result = super().write(vals)
        if 'user_id' in vals:
            self._ask_to_sign()
        return result

    @api.ondelete(at_uninstall=True)
    def _unlink_except_signed(self):
        if self.filtered('signature_id'):
            raise self._refuse_change()
        self.deviation_id._check_investigator()

    def _refuse_change(self):
        return refusal(
            self.env, self.env._("What a person signed for an investigation cannot be changed."), RULE,
            self.env._("add another contribution by this person."), record=self[:1])

    def _audit_chain(self):
        return self.sudo().deviation_id._audit_chain()

    def _ask_to_sign(self):
        """Ask these persons to read and sign what they contributed."""
        for contributor in self.sudo():
            contributor.deviation_id.activity_schedule(
                'mrp_mmr.mail_activity_type_deviation_contributor', user_id=contributor.user_id.id)

    # === SIGNING === #

    _signing_citation = RULE
    _signing_actions = {
        'contribute': SigningRule(
            meaning='contributed', group='mrp.group_mrp_user', once='signature_id', at_terminal=True,
            next_step=_lt("have another contribution added."),
            statement=_lt("I supplied this information for the investigation."),
            prepare='_prepare_contribution', check_signer='_check_contributor', filter_signer='_filter_contributor',
            apply='_apply_contribution'),
    }

    def action_sign(self):
        """Open the signature of the person who contributed this."""
        self.ensure_one()
        self.check_access('read')
        return self.action_open_signature('contribute')

    def _get_signing_company(self):
        return self.sudo().company_id

    def _get_signing_thread(self):
        return self.sudo().deviation_id

    def _filter_signing_qualification(self, group):
        """Anybody who knows something may contribute: a witness needs neither a role nor a qualification."""
        return self

    def _prepare_contribution(self, action):
        row = self.sudo()
        if row.deviation_id.state == 'closed':
            raise refusal(
                self.env, self.env._("%(contribution)s: %(deviation)s is closed.", contribution=self.display_name,
                                     deviation=row.deviation_id.name), RULE,
                self.env._("report another deviation that refers to this one."), record=self)
        return self._make_signing_action(action, {
            'schema': 'mrp_mmr/deviation-contributor/1', 'deviation': row.deviation_id.name,
            'title': row.deviation_id.title, 'person': row.user_id.name, 'contribution': row.contribution})

    def _filter_contributor(self, action, user):
        return self.filtered(lambda row: row.sudo().user_id == user)

    def _check_contributor(self, action, user):
        if not self._filter_contributor(action, user):
            raise refusal(
                self.env, self.env._("This information was supplied by %(person)s, not by %(user)s.", user=user.name,
                                     person=self.sudo().user_id.name),
                RULE, self.env._("ask that person to sign here, with their own user name and password."), record=self)

    def _apply_contribution(self, action, signature):
        self.write({'signature_id': signature.id})
        self.deviation_id.activity_feedback(
            ['mrp_mmr.mail_activity_type_deviation_contributor'], user_id=self.user_id.id)
