"""The recorded destruction of a lot: the one way out for what Quality Control rejected (DEV-080)."""

from odoo import api, fields, models
from odoo.tools import LazyTranslate

from ...domain.canonical import iso_utc
from ...domain.numbers import decimal_string, exact
from ...domain.refusals import refusal
from ...domain.signing import SigningRule
from ..base.gmp_float import GmpFloat

_lt = LazyTranslate(__name__)
RULE = "DEV-080, 21 CFR 111.370, 211.110(d)"


class MrpLotDestruction(models.Model):
    """A quantity of a lot that was destroyed, by whom, why and when; Quality Control signs it, which takes it off stock.

    It is recorded by :meth:`_record`, signed once and kept.

    Also held in guards/mrp_lot_destruction.sql.
    """
    _name = 'mrp.lot.destruction'
    _description = "Destruction of a Lot"
    _inherit = ['mrp.evidence.mixin', 'mrp.esignature.mixin']
    _order = 'id desc'
    _is_append_only = False

    name = fields.Char("Number", required=True, readonly=True)
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True, ondelete='restrict')
    lot_id = fields.Many2one('stock.lot', required=True, readonly=True, index=True, ondelete='restrict')
    product_id = fields.Many2one('product.product', required=True, readonly=True, index=True, ondelete='restrict')
    location_id = fields.Many2one('stock.location', "From", required=True, readonly=True, ondelete='restrict')
    quantity = GmpFloat(required=True, readonly=True, aggregator=None)
    uom_id = fields.Many2one('uom.uom', "Unit", required=True, readonly=True, ondelete='restrict')
    method = fields.Char("How and Where", required=True, readonly=True)
    reason = fields.Text(required=True, readonly=True)
    recorded_by_id = fields.Many2one('res.users', required=True, readonly=True, ondelete='restrict')
    recorded_at = fields.Datetime("Recorded", required=True, readonly=True)
    signature_id = fields.Many2one('mrp.esignature', "Signed", readonly=True, ondelete='restrict')
    move_id = fields.Many2one('stock.move', "Stock Move", readonly=True, index='btree_not_null', ondelete='restrict')

    _positive = models.Constraint('CHECK (quantity > 0)', "A destruction needs a quantity (DEV-080).")
    _move_uniq = models.UniqueIndex('(move_id) WHERE move_id IS NOT NULL', "A move can belong to only one destruction.")

    # === GUARDS === #

    @api.model
    def _record(self, lot, location, quantity, method, reason):
        """Record what is to be destroyed, by the user of the environment; it waits for the signature.

        :raise UserError: where there is less of the lot at that place
        """
        available = sum(self.env['stock.quant'].sudo().search([
            ('lot_id', '=', lot.id), ('location_id', '=', location.id)]).mapped('quantity'))
        if quantity <= 0 or lot.product_uom_id.compare(quantity, available) > 0:
            raise refusal(
                self.env,
                self.env._("Only %(available)s %(unit)s of lot %(lot)s is at %(place)s.", available=decimal_string(available),
                           unit=lot.product_uom_id.name, lot=lot.name, place=location.display_name), RULE,
                self.env._("enter the quantity that is destroyed."), record=lot)
        lot._mmr_check_held(exact(quantity))
        company = location.company_id or self.env.company
        return self._store([{
            'name': self.env['ir.sequence'].sudo().with_company(company).next_by_code('mrp.lot.destruction'),
            'company_id': company.id, 'lot_id': lot.id, 'product_id': lot.product_id.id, 'location_id': location.id,
            'quantity': quantity, 'uom_id': lot.product_uom_id.id, 'method': method, 'reason': reason,
            'recorded_by_id': self.env.uid, 'recorded_at': fields.Datetime.now()}]).with_env(self.env)

    def _refuse_write(self):
        return refusal(
            self.env, self.env._("A destruction is recorded on the lot and signed; it cannot be changed."), f"REC-040, {RULE}",
            self.env._("use Destroy on the lot."), record=self[:1])

    def _audit_chain(self):
        return self.lot_id.sudo().mmr_bpr_id.production_id or self.company_id

    def _get_signing_thread(self):
        return self.lot_id

    # === SIGNATURE === #

    _signing_citation = RULE
    _signing_actions = {
        'destroy': SigningRule(
            meaning='approved', group='mrp_mmr.group_mmr_qc', once='signature_id',
            next_step=_lt("record another destruction for the remainder."),
            statement=_lt("I confirm that this quantity of the lot was destroyed."),
            prepare='_prepare_destruction', apply='_apply_destruction'),
    }

    def action_destroy(self):
        """Open the signature by which Quality Control takes the quantity off stock."""
        return self.action_open_signature('destroy')

    def _prepare_destruction(self, action):
        return self._make_signing_action(action, self._get_document())

    def _apply_destruction(self, action, signature):
        self.write({'signature_id': signature.id})
        company = self.company_id
        loss = self.env['stock.location'].search([
            ('usage', '=', 'inventory'), ('company_id', 'in', (company.id, False))], order='company_id, id', limit=1)
        move = self.env['stock.move'].with_company(company).create({
            'product_id': self.product_id.id, 'product_uom': self.uom_id.id, 'product_uom_qty': self.quantity,
            'location_id': self.location_id.id, 'location_dest_id': loss.id, 'company_id': company.id, 'origin': self.name})
        self.write({'move_id': move.id})
        self.flush_recordset()
        self.env['stock.move.line'].create({
            'move_id': move.id, 'product_id': self.product_id.id, 'product_uom_id': self.uom_id.id, 'lot_id': self.lot_id.id,
            'quantity': self.quantity, 'location_id': self.location_id.id, 'location_dest_id': loss.id, 'picked': True,
            'company_id': company.id})
        move._action_confirm(merge=False)
        move._action_done()

    @api.model
    def _get_covered(self, lines):
        """Return those of these move lines that are a signed destruction: of its lot, product and place, no more than signed.

        A signed destruction is one move, whose lines are counted together (REL-070).
        """
        signed = self.sudo().search([('move_id', 'in', lines.move_id.ids), ('signature_id', '!=', False)]).grouped('move_id')
        return lines.filtered(lambda line: any(
            row.lot_id == line.lot_id and row.product_id == line.product_id and row.location_id == line.location_id
            and line.location_dest_id.usage == 'inventory'
            and row.uom_id.compare(sum(line.move_id.move_line_ids.mapped('quantity_product_uom')), row.quantity) <= 0
            for row in signed.get(line.move_id, ())))

    def _get_document(self):
        """Return the destruction as signatures and prints hold it."""
        self.ensure_one()
        row = self.sudo()
        return {
            'schema': 'mrp_mmr/destruction/1', 'name': row.name, 'lot': {'id': row.lot_id.id, 'name': row.lot_id.name},
            'status': row.lot_id.mmr_status or None, 'bpr': row.lot_id.mmr_bpr_id.name or None,
            'product': {'id': row.product_id.id, 'code': row.product_id.default_code or None,
                        'name': row.product_id.with_context(display_default_code=False, lang=None).display_name},
            'quantity': decimal_string(row.quantity), 'unit': row.uom_id.with_context(lang=None).name,
            'from': row.location_id.complete_name, 'method': row.method, 'reason': row.reason,
            'recorded_by': row.recorded_by_id.name, 'recorded_at': iso_utc(row.recorded_at)}
