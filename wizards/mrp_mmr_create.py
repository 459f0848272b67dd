"""Dialog that makes a master from a bill of materials or from another master (MMR-040)."""

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..domain.numbers import convert, decimal_string, exact
from ..domain.refusals import refusal
from ..models.base.gmp_float import GmpFloat


class MrpMmrCreate(models.TransientModel):
    """Make an MMR from a bill of materials or from another MMR, for the same batch size or another (MMR-040)."""
    _name = 'mrp.mmr.create'
    _description = "Create MMR"

    bom_id = fields.Many2one(
        'mrp.bom', "Bill of Materials", ondelete='cascade', compute='_compute_bom_id', store=True, readonly=False,
        precompute=True)
    source_id = fields.Many2one(
        'mrp.mmr.revision', "Copy From", ondelete='cascade',
        help="Everything is copied: components, stages, steps, specifications, packaging. Signatures are not.")
    company_id = fields.Many2one(
        'res.company', required=True, compute='_compute_from_bom', store=True, readonly=False, precompute=True)
    product_id = fields.Many2one(
        'product.product', required=True, compute='_compute_from_bom', store=True, readonly=False, precompute=True,
        domain="[('type', '=', 'consu')]")
    formulation_code = fields.Char(
        "Formulation", required=True, compute='_compute_from_bom', store=True, readonly=False, precompute=True)
    profile_id = fields.Many2one(
        'mrp.mmr.profile', required=True, ondelete='cascade', compute='_compute_from_bom', store=True, readonly=False,
        precompute=True)
    batch_size = GmpFloat(required=True, compute='_compute_from_bom', store=True, readonly=False, precompute=True)
    uom_id = fields.Many2one(
        'uom.uom', "Unit", required=True, compute='_compute_from_bom', store=True, readonly=False, precompute=True)
    is_other_size = fields.Boolean(compute='_compute_ratio')
    propose_scaled = fields.Boolean(
        "Propose Scaled Quantities", compute='_compute_from_bom', store=True, readonly=False, precompute=True,
        help="Quantities and yields are multiplied by the ratio of the batch sizes, as a proposal to be reviewed line by "
             "line. Otherwise they are copied unchanged.")
    ratio = fields.Char(compute='_compute_ratio')

    @api.depends('source_id')
    def _compute_bom_id(self):
        for wizard in self:
            wizard.bom_id = wizard.source_id.bom_id or wizard.bom_id

    @api.depends('bom_id', 'source_id')
    def _compute_from_bom(self):
        profile = self.env['mrp.mmr.profile'].search([], limit=1)
        for wizard in self:
            bom = wizard.bom_id
            mmr = wizard.source_id.mmr_id
            wizard.company_id = bom.company_id or self.env.company
            wizard.propose_scaled = bool(wizard.source_id)
            wizard.product_id = bom.product_id or bom.product_tmpl_id.product_variant_id
            wizard.batch_size = bom.product_qty
            wizard.uom_id = bom.product_uom_id
            wizard.formulation_code = mmr.formulation_code or "A"
            wizard.profile_id = mmr.profile_id or profile

    @api.depends('bom_id', 'batch_size', 'uom_id')
    def _compute_ratio(self):
        for wizard in self:
            ratio = wizard._get_ratio()
            wizard.is_other_size = ratio != 1
            wizard.ratio = decimal_string(ratio) if ratio else False

    def _get_ratio(self):
        """Return how many times the batch of the source fits into the new one, or None for other kinds of units."""
        self.ensure_one()
        bom = self.bom_id
        if not bom or not self.uom_id:
            return None
        size = convert(self.batch_size, self.uom_id, bom.product_uom_id)
        base = exact(bom.product_qty)
        return size / base if size is not None and base else None

    def action_create(self):
        """Create the MMR and open its first revision.

        :raise UserError: where the source is a kit, or the MMR exists already
        """
        self.ensure_one()
        bom = self.source_id.bom_id or self.bom_id
        if not bom:
            raise UserError(self.env._("Choose a bill of materials or a revision to copy from."))
        if bom.type == 'phantom':
            raise refusal(
                self.env, self.env._("%s is a kit and cannot be manufactured.", bom.display_name),
                "MMR-050, 21 CFR 111.210", self.env._("choose a bill of materials for manufacturing."), record=bom)
        ratio = self._get_ratio()
        to_review = ratio != 1
        mmr = self.env['mrp.mmr'].create({
            'company_id': self.company_id.id,
            'product_id': self.product_id.id,
            'formulation_code': self.formulation_code,
            'profile_id': self.profile_id.id,
            'batch_size': self.batch_size,
            'uom_id': self.uom_id.id,
        })
        revision = mmr.open_revision_id
        source = self.source_id or bom.mmr_revision_ids
        revision._copy_content_from(
            bom, source=source, to_review=to_review, ratio=ratio if self.propose_scaled else None)
        origin = (source or bom).display_name
        if to_review and ratio and self.propose_scaled:
            body = self.env._(
                "Copied from %(origin)s without signatures; the quantities are proposed × %(ratio)s and must be reviewed.",
                origin=origin, ratio=decimal_string(ratio))
        elif to_review:
            body = self.env._(
                "Copied from %(origin)s without signatures; the quantities are unchanged and must be reviewed.", origin=origin)
        else:
            body = self.env._("Copied from %(origin)s without signatures.", origin=origin)
        revision._message_log(body=body)
        return {
            'type': 'ir.actions.act_window',
            'res_model': 'mrp.mmr.revision',
            'res_id': revision.id,
            'view_mode': 'form',
        }
