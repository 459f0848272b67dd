"""What a regulation asks a master for, by which citation, and how it is checked."""

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ...domain.refusals import refusal
from ...domain.signing import SigningRule
from ...domain.transitions import in_transition, without_defaults

_lt = LazyTranslate(__name__)
#: What a shipped row is; the addon alone says it.
FIXED_FIELDS = {
    'code', 'profile_id', 'company_id', 'citation', 'enforcement', 'check', 'enabled', 'is_shipped', 'name', 'page', 'scope'}

#: Checks that are made when somebody signs, and not on the content of a draft.
SIGNING_CHECKS = ('qualification',)


class MrpMmrRequirement(models.Model):
    """One row of a profile's content list: what a master record must say, by which rule, and how it is checked.

    Shipped rows stay. Those that the rules leave to the company can be switched off by a signature of
    Quality Control; companies add rows of their own, which are answered in words.

    Also held in guards/mrp_mmr_requirement.sql.
    """
    _name = 'mrp.mmr.requirement'
    _description = "Requirement on the Content of an MMR"
    _inherit = ['mail.thread', 'mrp.esignature.mixin', 'mrp.audit.mixin']
    _order = 'profile_id, sequence, code, id'

    profile_id = fields.Many2one('mrp.mmr.profile', required=True, index=True, ondelete='restrict')
    company_id = fields.Many2one(
        'res.company', ondelete='restrict', default=lambda self: self.env.company,
        help="Rows supplied with the addon apply to all companies.")
    sequence = fields.Integer(default=1000)
    code = fields.Char(required=True)
    citation = fields.Char(required=True, help="The paragraph that requires it.")
    name = fields.Char("Requirement", required=True, translate=True)
    help_text = fields.Text("Note", translate=True, help="Other names and numberings by which it is known.")
    enforcement = fields.Selection([
        ('R', "Required by the rules"),
        ('S', "House rule"),
        ('C', "On, can be switched off"),
        ('O', "Off, can be switched on"),
    ], required=True, default='S')
    scope = fields.Selection([
        ('master', "Master record"),
        ('batch', "Batch record"),
    ], required=True, default='master', readonly=True, help="Whether the rule applies to the MMR or to each batch.")
    check = fields.Char(readonly=True, help="The check that the addon makes; rows without one are answered in writing.")
    page = fields.Char(readonly=True, help="The page of the revision form where it is filled in.")
    enabled = fields.Boolean(default=True, readonly=True, copy=False, tracking=True)
    is_shipped = fields.Boolean("Supplied", compute='_compute_is_shipped')

    _code_uniq = models.Constraint('UNIQUE (profile_id, code)', "This profile already has a requirement with this code.")
    _cannot_be_off = models.Constraint(
        "CHECK (enabled OR enforcement IN ('C', 'O'))", "This requirement cannot be switched off.")

    @api.depends('code', 'name')
    def _compute_display_name(self):
        for requirement in self:
            requirement.display_name = f"{requirement.code}: {requirement.name}"

    @api.depends('check')
    def _compute_is_shipped(self):
        for requirement in self:
            requirement.is_shipped = bool(requirement.check)

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        self = without_defaults(self, {'check', 'enabled', 'page', 'scope'})
        if not self._is_loading():
            for vals in vals_list:
                if vals.get('check') or not vals.get('enabled', True):
                    raise self._refuse_change(self.env._("a check of the addon cannot be added by hand"))
        return super().create([
            {'enabled': vals.get('enforcement') != 'O', **vals} if vals.get('check') else vals for vals in vals_list])

    def _is_loading(self):
        """Whether the addon's own data are being loaded; nobody else changes shipped rows."""
        return bool(self.env.su and self.env.context.get('install_mode'))

    def write(self, vals):
        if not self._is_loading() and not in_transition(self):
            if {'enabled', 'check'} & vals.keys():
                raise self._refuse_change(self.env._("only a signature of Quality Control switches it on and off"))
            if FIXED_FIELDS & vals.keys() and self.filtered('check'):
                raise self._refuse_change(self.env._("it is supplied with the addon"))
            if {'code', 'profile_id', 'company_id'} & vals.keys() and self.env['mrp.mmr.answer'].sudo().search_count(
                    [('requirement_id', 'in', self.ids), ('revision_id.state', '!=', 'draft')], limit=1):
                raise self._refuse_change(self.env._("a signed revision contains an answer to it"))
        return super().write(vals)

    def _update_field_translations(self, field_name, translations, digest=None, source_lang=''):
        # The wording of the addon stays; other languages may say it better. This road does not lead through write().
        if 'en_US' in translations and field_name in FIXED_FIELDS and self.filtered('check') and not self._is_loading():
            raise self._refuse_change(self.env._("it is supplied with the addon"))
        return super()._update_field_translations(field_name, translations, digest=digest, source_lang=source_lang)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_shipped(self):
        if self.filtered('check'):
            raise self._refuse_change(self.env._("it is supplied with the addon"))
        if self.filtered('esignature_ids'):
            raise self._refuse_change(self.env._("it has been signed"))

    def _refuse_change(self, why):
        return refusal(
            self.env,
            self.env._("%(requirement)s cannot be changed: %(why)s.",
                       requirement=', '.join(self.mapped('display_name')) or self.env._("A requirement"), why=why),
            "CON-010 to CON-200, AUD-060, 21 CFR 11.10(k)",
            self.env._("add a requirement of your own, or have Quality Control switch off an optional one."),
            record=self)

    @api.model
    def _is_demanded(self, check, profile):
        """Whether records of ``profile`` must pass a check of the addon: unless Quality Control switched the row off."""
        return not profile or not self.sudo().search_count(
            [('profile_id', '=', profile.id), ('check', '=', check), ('enabled', '=', False)], limit=1)

    @api.model
    def _filter_demanding(self, check, profiles):
        """Return those of ``profiles`` whose records must pass a check of the addon; see :meth:`_is_demanded`."""
        rows = self.sudo().search([('profile_id', 'in', profiles.ids), ('check', '=', check), ('enabled', '=', False)])
        return profiles.filtered(lambda profile: profile.id not in rows.profile_id.ids)

    # === SIGNING === #

    _signing_state_field = 'enabled'
    _signing_citation = "CON-010 to CON-200, AUD-060, 21 CFR 11.10(k)"
    _signing_next_step = _lt("use the button that switches this requirement on or off.")
    _signing_actions = {
        'switch_on': SigningRule(
            meaning='approved', group='mrp_mmr.group_mmr_qc', states=(False,), leads_to=True, comment_required=True,
            statement=_lt("From now on this requirement is checked."), prepare='_prepare_switch', apply='_apply_switch'),
        'switch_off': SigningRule(
            meaning='approved', group='mrp_mmr.group_mmr_qc', states=(True,), leads_to=False, comment_required=True,
            statement=_lt("From now on this requirement is not checked any more."),
            prepare='_prepare_switch', apply='_apply_switch'),
    }

    def action_switch(self):
        """Open the signature that switches this row off or on; a reason is kept with it (AUD-060)."""
        return self.action_open_signature('switch_off' if self.enabled else 'switch_on')

    def _get_signing_state_label(self):
        return self.env._("switched on") if self.enabled else self.env._("switched off")

    def _prepare_switch(self, action):
        if self.enforcement not in ('C', 'O'):
            raise self._refuse_change(self.env._("it is required: %s", self.citation))
        return self._make_signing_action(action, {
            'schema': 'mrp_mmr/requirement/1', 'profile': self.profile_id.code, 'code': self.code,
            'citation': self.citation, 'enabled': self._get_signing_rule(action).leads_to,
        })

    def _apply_switch(self, action, signature):
        self.write({'enabled': self._get_signing_rule(action).leads_to})
        self._post_signature(signature)


class MrpMmrAnswer(models.Model):
    """How a revision meets a requirement that the company added. Also held in guards/mrp_mmr_answer.sql."""
    _name = 'mrp.mmr.answer'
    _description = "Answer to a Requirement of the Company"
    _inherit = ['mrp.mmr.row.mixin']
    _order = 'revision_id, requirement_id'

    requirement_id = fields.Many2one(
        'mrp.mmr.requirement', required=True, index=True, check_company=True, ondelete='restrict',
        domain="[('check', '=', False)]")
    answer = fields.Text(required=True)

    _once = models.Constraint('UNIQUE (revision_id, requirement_id)', "The requirement has already been answered.")
