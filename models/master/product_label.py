"""Versions of product labels, and their approval by Quality Control (21 CFR 111.210(g), 211.186(b)(8))."""

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ...domain.canonical import iso_utc
from ...domain.columns import CONTENT
from ...domain.files import IMAGES
from ...domain.refusals import refusal
from ...domain.signing import SigningRule
from ...domain.transitions import in_transition

_lt = LazyTranslate(__name__)
FIXED_FIELDS = {*CONTENT['mrp_mmr_label'], 'upload', 'upload_name'}
SYSTEM_FIELDS = {'state', 'approved_signature_id'}


class MrpMmrLabel(models.Model):
    """One version of a label: a representative copy, or where the physical one is (21 CFR 111.210(g)).

    Quality Control approves it with a signature of its own, which drugs need (21 CFR 211.186(b)(8)); after
    that, and once a signed revision uses it, it does not change.

    Also held in guards/mrp_mmr_label.sql.
    """
    _name = 'mrp.mmr.label'
    _description = "Label Version"
    _inherit = ['mrp.mmr.file.mixin', 'mail.thread', 'mrp.esignature.mixin', 'mrp.audit.mixin',
                'mrp.audit.trail.mixin']
    _order = 'code, version desc'
    _check_company_auto = True
    _mmr_file_kinds = {**IMAGES, 'pdf': 'application/pdf'}

    code = fields.Char("Number", required=True, index='trigram', tracking=True)
    version = fields.Char(required=True, default="1", tracking=True)
    name = fields.Char("Title", required=True, tracking=True)
    product_id = fields.Many2one(
        'product.product', "Label Stock", check_company=True, ondelete='restrict',
        help="The label as a stocked material, if it is one.")
    company_id = fields.Many2one(
        'res.company', required=True, index=True, ondelete='restrict', default=lambda self: self.env.company)
    state = fields.Selection([
        ('draft', "Draft"),
        ('approved', "Approved"),
        ('obsolete', "Obsolete"),
    ], "Status", default='draft', required=True, readonly=True, copy=False, tracking=True)
    file_id = fields.Many2one('mrp.mmr.file', "Stored File", readonly=True, index='btree_not_null', ondelete='restrict')
    upload = fields.Binary("Label File", compute='_compute_upload', inverse='_inverse_upload')
    # The inverse is shared: without one of its own, the name of a new record's file would be lost.
    upload_name = fields.Char("File Name", compute='_compute_upload_name', inverse='_inverse_upload')
    file_sha256 = fields.Char(related='file_id.sha256', string="Digest of the File")
    location = fields.Char("Location of the Label", help="Where the physical label is kept, if no file is attached.")
    panel = fields.Text("Supplement Facts or Composition")
    claims = fields.Text()
    approved_signature_id = fields.Many2one(
        'mrp.esignature', "Approved by Quality Control", readonly=True, copy=False, ondelete='restrict')

    _code_uniq = models.Constraint(
        'UNIQUE (company_id, code, version)', "This version of the label already exists (CON-070).")
    _approved = models.Constraint(
        "CHECK (state = 'draft' OR approved_signature_id IS NOT NULL OR state = 'obsolete')",
        "A label can only be approved with a signature (CON-070, 21 CFR 211.186(b)(8)).")

    @api.depends('code', 'version', 'name')
    def _compute_display_name(self):
        for label in self:
            label.display_name = self.env._(
                "%(code)s v. %(version)s · %(name)s", code=label.code, version=label.version, name=label.name)

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get('state', 'draft') != 'draft' or vals.get('approved_signature_id'):
                raise self._refuse_status()
        return super().create([dict(vals, state='draft', approved_signature_id=False) for vals in vals_list])

    def write(self, vals):
        if not in_transition(self):
            if SYSTEM_FIELDS & vals.keys():
                raise self._refuse_status()
            if FIXED_FIELDS & vals.keys():
                self._check_not_in_use()
        return super().write(vals)

    @api.ondelete(at_uninstall=True)
    def _unlink_except_in_use(self):
        self._check_not_in_use()

    def _refuse_status(self):
        return refusal(
            self.env, self.env._("The status of a label can only be changed by signing."),
            "CON-070, 21 CFR 211.186(b)(8)", self.env._("use the buttons of the label."), record=self)

    def _check_not_in_use(self):
        """Refuse to change a label that was signed, or that a signed revision uses.

        :raise UserError: naming the signature or the revision
        """
        packs = self.env['mrp.mmr.pack'].sudo().search(
            [('label_id', 'in', self.ids), ('revision_id.state', '!=', 'draft')]).grouped('label_id')
        for label in self:
            if label.approved_signature_id or label.state != 'draft' or label in packs:
                raise refusal(
                    self.env,
                    self.env._("%(label)s is signed%(revision)s and cannot be changed.", label=label.display_name,
                               revision=''.join(f", {name}" for name in packs[label].revision_id.mapped('display_name')[:1])
                               if label in packs else ''),
                    "REV-010, CON-070, 21 CFR 111.123(a)(1)",
                    self.env._("duplicate it with a new version number."), record=label)

    def copy_data(self, default=None):
        return [dict(vals, version=self.env._("%s (copy)", vals['version'])) if 'version' not in (default or {}) else vals
                for vals in super().copy_data(default)]

    def _get_document(self, with_approval=True):
        """Return the label as frozen documents name it, or None."""
        if not self:
            return None
        signature = self.approved_signature_id
        vals = {
            'id': self.id, 'code': self.code, 'version': self.version, 'name': self.name,
            'file': self.file_id._get_document(), 'location': self.location or None,
            'panel': self.panel or None, 'claims': self.claims or None,
        }
        if with_approval:
            vals['approval'] = {
                'name': signature.signer_name, 'signed_at': iso_utc(signature.signed_at),
                'signature_sha256': signature.signature_sha256,
            } if signature else None
        return vals

    # === SIGNING === #

    _signing_citation = "CON-070, 21 CFR 211.186(b)(8)"
    _signing_next_step = _lt("use the buttons of the label.")
    _signing_actions = {
        'approve': SigningRule(
            meaning='approved', group='mrp_mmr.group_mmr_qc', states=('draft',), leads_to='approved',
            statement=_lt("I compared this label with its master and approve it for use."),
            prepare='_prepare_approval', apply='_apply_approval'),
        'obsolete': SigningRule(
            meaning='retired', group='mrp_mmr.group_mmr_qc', states=('draft', 'approved'), leads_to='obsolete',
            comment_required=True, statement=_lt("I retire this version of the label."),
            prepare='_prepare_label_signature', apply='_apply_retirement'),
    }

    def action_approve(self):
        """Open the signature of Quality Control over this label (21 CFR 211.186(b)(8))."""
        return self.action_open_signature('approve')

    def action_obsolete(self):
        """Open the signature that makes this label obsolete, with a reason: no new revision can use it."""
        return self.action_open_signature('obsolete')

    def _prepare_approval(self, action):
        if not self.file_id and not (self.location or '').strip():
            raise refusal(
                self.env, self.env._("%s has neither a file nor a location.", self.display_name),
                "CON-070, 21 CFR 111.210(g)", self.env._("attach the label, or enter where it is kept."), record=self)
        return self._prepare_label_signature(action)

    def _prepare_label_signature(self, action):
        return self._make_signing_action(
            action, dict(self.sudo()._get_document(with_approval=False), schema='mrp_mmr/label/1'))

    def _apply_approval(self, action, signature):
        self.write({'state': self._get_signing_rule(action).leads_to, 'approved_signature_id': signature.id})
        self._post_signature(signature)

    def _apply_retirement(self, action, signature):
        self.write({'state': self._get_signing_rule(action).leads_to})
        self._post_signature(signature)
