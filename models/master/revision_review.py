"""Reviews of a revision on its approval route, and the signatures that gave them."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...domain.transitions import in_transition


class MrpMmrReview(models.Model):
    """One review that a submitted revision needs, and the signature that gave it. Kept for ever.

    Also held in guards/mrp_mmr_review.sql.
    """
    _name = 'mrp.mmr.review'
    _description = "Review of an MMR Revision"
    _inherit = ['mrp.audit.mixin']
    _order = 'revision_id, id'

    revision_id = fields.Many2one('mrp.mmr.revision', required=True, readonly=True, index=True, ondelete='restrict')
    company_id = fields.Many2one(related='revision_id.company_id')
    name = fields.Char("Review", required=True, readonly=True)
    group_id = fields.Many2one('res.groups', "Role", required=True, readonly=True, ondelete='restrict')
    prepared_signature_id = fields.Many2one(
        'mrp.esignature', "Of the Content Prepared By", required=True, readonly=True, ondelete='restrict')
    signature_id = fields.Many2one('mrp.esignature', "Reviewed", readonly=True, ondelete='restrict')
    signed_at_text = fields.Char(related='signature_id.signed_at_text')
    is_void = fields.Boolean(related='prepared_signature_id.is_void')

    _signature_uniq = models.UniqueIndex(
        '(signature_id)', "A signature can give only one review. Rule: APR-030, 21 CFR 111.123(a)(1).")

    @api.model_create_multi
    def create(self, vals_list):
        revisions = self.env['mrp.mmr.revision'].browse({vals.get('revision_id') for vals in vals_list})
        if not in_transition(revisions):
            raise self._refuse()
        return super().create(vals_list)

    def write(self, vals):
        if not in_transition(self.revision_id):
            raise self._refuse()
        return super().write(vals)

    @api.ondelete(at_uninstall=True)
    def _unlink_except_never(self):
        raise self._refuse()

    def _audit_chain(self):
        return self.revision_id.mmr_id

    def _refuse(self):
        return UserError(self.env._(
            "The reviews of an MMR are created when it is submitted and can only be given by signing. Rule: APR-030, "
            "REC-040, 21 CFR 111.123(a)(1). Use the Review button of the revision."))
