"""Reviews of a revision on its approval route, and the signatures that gave them."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...domain.transitions import in_transition


class MrpMmrReview(models.Model):
    """One review that a submitted revision needs, and the signature that gave it. Kept for ever."""
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
        '(signature_id)', "A signature gives one review and not two. Rule: APR-030, 21 CFR 111.123(a)(1).")

    def init(self):
        super().init()
        self.env.cr.execute("""
            CREATE OR REPLACE FUNCTION mrp_mmr_guard_review() RETURNS trigger AS $$
            DECLARE
                signed mrp_esignature;
                prepared mrp_esignature;
            BEGIN
                IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND (
                        (NEW.revision_id, NEW.name, NEW.group_id, NEW.prepared_signature_id)
                        IS DISTINCT FROM (OLD.revision_id, OLD.name, OLD.group_id, OLD.prepared_signature_id)
                        OR (OLD.signature_id IS NOT NULL AND NEW.signature_id IS DISTINCT FROM OLD.signature_id))) THEN
                    RAISE EXCEPTION 'A review of an MMR is kept as it is (REC-040).'
                        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                              CONSTRAINT = 'mrp_mmr_review_kept';
                END IF;
                IF NEW.signature_id IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.signature_id IS NULL) THEN
                    SELECT * INTO signed FROM mrp_esignature WHERE id = NEW.signature_id;
                    SELECT * INTO prepared FROM mrp_esignature WHERE id = NEW.prepared_signature_id;
                    IF TG_OP = 'INSERT' OR signed.res_model <> 'mrp.mmr.revision' OR signed.res_id <> NEW.revision_id
                            OR signed.meaning <> 'reviewed' OR signed.content_sha256 <> prepared.content_sha256
                            OR signed.user_id = prepared.user_id OR signed.partner_id = prepared.partner_id THEN
                        RAISE EXCEPTION 'The review % has no valid signature of its own (APR-030).', NEW.name
                            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME,
                                  CONSTRAINT = 'mrp_mmr_review_signed';
                    END IF;
                END IF;
                RETURN NEW;
            END $$ LANGUAGE plpgsql;
            CREATE OR REPLACE TRIGGER mrp_mmr_guard_review BEFORE INSERT OR UPDATE OR DELETE ON mrp_mmr_review
                FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_review();
        """)

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
            "Reviews of an MMR come with its submission and are given by signing. Rule: APR-030, REC-040, "
            "21 CFR 111.123(a)(1). Use the button Review of the revision."))
