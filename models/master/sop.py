"""Controlled documents that records refer to: procedures, test methods, specifications, drawings."""

from odoo import api, fields, models

from ...domain.columns import CONTENT
from ...domain.refusals import refusal

FIXED_FIELDS = {*CONTENT['mrp_sop'], 'upload', 'upload_name'}


class MrpSop(models.Model):
    """A controlled document that records refer to: procedure, test method, specification, drawing.

    References never replace content, except for test procedures and the label's location (21 CFR 111.210(g),
    (h)(2)).

    Also held in guards/mrp_sop.sql.
    """
    _name = 'mrp.sop'
    _description = "Controlled Document"
    _inherit = ['mrp.mmr.file.mixin', 'mail.thread', 'mrp.audit.mixin',
                'mrp.audit.trail.mixin']
    _order = 'code, version desc'
    _check_company_auto = True

    code = fields.Char("Number", required=True, index='trigram', tracking=True)
    version = fields.Char(required=True, default="1", tracking=True)
    name = fields.Char("Title", required=True, tracking=True)
    kind = fields.Selection([
        ('sop', "Procedure (SOP)"),
        ('method', "Test procedure"),
        ('specification', "Specification"),
        ('drawing', "Drawing"),
        ('form', "Form"),
        ('other', "Other"),
    ], default='sop', required=True, tracking=True)
    state = fields.Selection([
        ('current', "Current"),
        ('obsolete', "Obsolete"),
    ], "Status", default='current', required=True, tracking=True)
    company_id = fields.Many2one(
        'res.company', required=True, index=True, ondelete='restrict', default=lambda self: self.env.company)
    location = fields.Char(help="Where the document is kept: a shelf, or the address in a document system.")
    file_id = fields.Many2one('mrp.mmr.file', readonly=True, index='btree_not_null', ondelete='restrict')
    upload = fields.Binary("Document", compute='_compute_upload', inverse='_inverse_upload')
    # The inverse is shared: without one of its own, the name of a new record's file would be lost.
    upload_name = fields.Char("File Name", compute='_compute_upload_name', inverse='_inverse_upload')

    _code_uniq = models.Constraint(
        'UNIQUE (company_id, code, version)', "This version of the document already exists (CON-190).")

    @api.depends('code', 'version', 'name')
    @api.depends_context('mmr_short')
    def _compute_display_name(self):
        for document in self:
            label = self.env._("%(code)s v. %(version)s", code=document.code, version=document.version)
            document.display_name = label if self.env.context.get('mmr_short') else f"{label} · {document.name}"

    def write(self, vals):
        if FIXED_FIELDS & vals.keys():
            self._check_not_in_use()
        return super().write(vals)

    @api.ondelete(at_uninstall=True)
    def _unlink_except_in_use(self):
        self._check_not_in_use()

    def _check_not_in_use(self):
        """Refuse to change what signed records refer to, or what persons were trained on.

        :raise UserError: naming a revision that refers to the document
        """
        trained = self.env['mrp.qualification'].sudo().search([('sop_id', 'in', self.ids)], limit=1)
        if trained:
            raise refusal(
                self.env, self.env._("People were trained on %s: it cannot be changed.", trained.sop_id.display_name),
                "SEC-030, CON-190, 21 CFR 111.14(b)(2)",
                self.env._("add the new version as a separate document and mark this one as obsolete."),
                record=trained.sop_id)
        for document in self:
            revision = document.sudo()._get_revisions().filtered(lambda revision: revision.state != 'draft')[:1]
            if revision:
                raise refusal(
                    self.env,
                    self.env._("%(document)s is referenced in %(revision)s, which has been signed.",
                               document=document.display_name, revision=revision.display_name),
                    "CON-190, REV-010, 21 CFR 111.123(a)(1)",
                    self.env._("add the new version as a separate document and mark this one as obsolete."),
                    record=document)

    def _get_revisions(self):
        """Return the revisions that refer to these documents, in whatever place."""
        steps = self.env['mrp.mmr.step'].search(
            ['|', ('method_id', 'in', self.ids), ('sop_ids', 'in', self.ids)])
        specifications = self.env['mrp.mmr.specification'].search(
            ['|', ('method_id', 'in', self.ids), ('document_id', 'in', self.ids)])
        references = self.env['mrp.mmr.reference'].search([('sop_id', 'in', self.ids)])
        return steps.revision_id | specifications.revision_id | references.revision_id

    def _get_document(self):
        """Return the document as frozen documents name it, or None."""
        if not self:
            return None
        return {'id': self.id, 'code': self.code, 'version': self.version, 'name': self.name, 'kind': self.kind}
