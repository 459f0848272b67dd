"""Reprocessing, treatment and adjustment of material in a batch, only with the approval of Quality Control."""

from odoo import api, fields, models
from odoo.exceptions import AccessError

from ...domain.canonical import iso_utc
from ...domain.refusals import refusal
from ..base.notation import take_number
from .deviation import DISPOSITIONS, REWORK

RULE = "DEV-060, BPR-150, 21 CFR 111.90, 111.260(n), 211.115(b)"
#: Who records it.
WORKERS = ('mrp_mmr.group_mmr_operator', 'mrp_mmr.group_mmr_production')


class MrpBprRework(models.Model):
    """Material that was reprocessed, treated or adjusted in a batch: which lot, how much, by whom (21 CFR 111.260(n)).

    PostgreSQL stores none without the decision of Quality Control that approves it, and keeps what is stored.

    Also held in guards/mrp_bpr_rework.sql.
    """
    _name = 'mrp.bpr.rework'
    _description = "Reprocessing in a Batch"
    _inherit = ['mrp.evidence.mixin']
    _order = 'id'
    _rec_name = 'lot_name'

    deviation_id = fields.Many2one(
        'mrp.deviation', "Approved By", required=True, readonly=True, index=True, ondelete='restrict')
    bpr_id = fields.Many2one('mrp.bpr', "Batch", required=True, readonly=True, index=True, ondelete='restrict')
    company_id = fields.Many2one('res.company', required=True, readonly=True, ondelete='restrict')
    kind = fields.Selection([row for row in DISPOSITIONS if row[0] in REWORK], required=True, readonly=True)
    lot_id = fields.Many2one('stock.lot', readonly=True, index='btree_not_null', ondelete='restrict')
    lot_name = fields.Char("Lot Number", required=True, readonly=True)
    quantity = fields.Char(required=True, readonly=True, help="As entered, with all its digits.")
    unit = fields.Char(required=True, readonly=True)
    text = fields.Text("What Was Done", required=True, readonly=True)
    user_id = fields.Many2one('res.users', "Recorded By", required=True, readonly=True, ondelete='restrict')
    user_name = fields.Char("Person", required=True, readonly=True)
    at = fields.Datetime("When", required=True, readonly=True)

    # === CRUD === #

    def _refuse_write(self):
        return refusal(
            self.env,
            self.env._("Reprocessing is recorded on the deviation that approved it, and the record cannot be changed."), RULE,
            self.env._("use Record Reprocessing on the deviation; to correct a line, record another one."), record=self[:1])

    def _audit_chain(self):
        return self.sudo().bpr_id.production_id

    # === RECORDING === #

    @api.model
    def _record(self, deviation, bpr, lot, quantity, unit, text):
        """Record what was reprocessed, treated or adjusted in a running batch, as the user of the environment.

        :param deviation: by whose decision Quality Control approved it
        :param lot: record of stock.lot, or the lot number of material that has none
        :param str quantity: a number in its canonical form
        :raise UserError: without approval, or where the batch does not run
        """
        user = self.env.user
        if not any(user.has_group(group) for group in WORKERS):
            raise refusal(
                self.env, self.env._("%s has no role for work on batches.", user.name), f"SEC-010, {RULE}",
                self.env._("ask an operator or a Production Responsible."), record=bpr, exception=AccessError)
        deviation.check_access('read')
        bpr.check_access('read')
        deviation, bpr = deviation.sudo(), bpr.sudo()
        deviation._check_rework_approved(bpr, lot if isinstance(lot, models.BaseModel) else self.env['stock.lot'])
        bpr._check_not_decided()
        bpr._check_not_rejected()
        if bpr.state not in ('ready', 'progress'):
            raise refusal(
                self.env, self.env._("%s is not in progress: nothing can be reprocessed in it.", bpr.name), RULE,
                self.env._("record it in the batch to which the material is added."), record=bpr)
        number = take_number(self.env, quantity, bpr, RULE)
        text = (text or '').strip()
        name = lot.name if isinstance(lot, models.BaseModel) else (lot or '').strip()
        if number <= 0 or not text or not name:
            raise refusal(
                self.env, self.env._("The lot, the amount and what was done must be recorded."), RULE,
                self.env._("enter the lot, an amount greater than zero and what was done."), record=bpr)
        return self._store([{
            'deviation_id': deviation.id, 'bpr_id': bpr.id, 'company_id': bpr.company_id.id, 'kind': deviation.disposition,
            'lot_id': lot.id if isinstance(lot, models.BaseModel) else False, 'lot_name': name,
            'quantity': number.text, 'unit': unit.name, 'text': text, 'user_id': user.id, 'user_name': user.name,
            'at': fields.Datetime.now()}])

    def _get_document(self):
        """Return the line as prints hold it."""
        self.ensure_one()
        return {
            'deviation': self.deviation_id.name, 'kind': self.kind, 'lot': self.lot_name, 'quantity': self.quantity,
            'unit': self.unit, 'text': self.text, 'by': self.user_name, 'at': iso_utc(self.at)}


class MrpDeviation(models.Model):
    _inherit = 'mrp.deviation'

    rework_ids = fields.One2many('mrp.bpr.rework', 'deviation_id', "Reprocessing", readonly=True)

    def action_record_rework(self):
        """Open the dialog in which approved reprocessing is recorded."""
        self.ensure_one()
        self.env['mrp.bpr.rework.record'].check_access('create')
        return {
            'type': 'ir.actions.act_window', 'res_model': 'mrp.bpr.rework.record', 'view_mode': 'form', 'target': 'new',
            'name': self.env._("Record Reprocessing"),
            'context': {'default_deviation_id': self.id, 'default_bpr_id': self.bpr_id.id}}

    def _is_rework_approved(self, bpr, lot):
        """Whether Quality Control approved that material of a batch, or a lot, is reprocessed, treated or adjusted."""
        self.ensure_one()
        return self.state in ('decided', 'closed') and self.disposition in REWORK and bool(
            bpr and self.bpr_id == bpr or (lot and (self.lot_id == lot or lot in self.bpr_id.production_id.lot_producing_ids)))

    def _check_rework_approved(self, bpr, lot):
        """Refuse reprocessing that Quality Control did not approve by its decision (DEV-060).

        :raise UserError: naming what has to be decided
        """
        if not self or not self._is_rework_approved(bpr, lot):
            raise refusal(
                self.env,
                self.env._("Quality Control has not approved that this material is reprocessed, treated or adjusted: %s",
                           self.display_name or bpr.name or lot.name or '–'),
                RULE, self.env._("have Quality Control approve it on the deviation, with the reason."), record=self)


class MrpBpr(models.Model):
    _inherit = 'mrp.bpr'

    rework_ids = fields.One2many('mrp.bpr.rework', 'bpr_id', "Reprocessing", readonly=True)


class MrpProduction(models.Model):
    _inherit = 'mrp.production'

    mmr_rework_deviation_id = fields.Many2one(
        'mrp.deviation', "Approved Rework", copy=False, index='btree_not_null', ondelete='restrict', check_company=True,
        domain="[('state', 'in', ('decided', 'closed')), ('disposition', 'in', ('reprocess', 'treat', 'adjust'))]",
        help="The decision of Quality Control that allows this order to rework material of a controlled batch (DEV-060).")

    def _mmr_check_before_confirm(self):
        for production in self.filtered('mmr_rework_deviation_id'):
            deviation = production.mmr_rework_deviation_id.sudo()
            deviation._check_rework_approved(deviation.bpr_id, deviation.lot_id)
        super()._mmr_check_before_confirm()

    def _mmr_prepare_done(self):
        for production in self:
            production._mmr_check_rework()
        super()._mmr_prepare_done()

    def _mmr_check_rework(self):
        """Refuse to consume material of a controlled batch that is under review or rejected without approval (DEV-060)."""
        self.ensure_one()
        lots = self.move_raw_ids.move_line_ids.lot_id.filtered('product_id.mmr_controlled')
        if not lots:
            return
        batches = self.env['mrp.bpr'].sudo().search([
            ('production_id.lot_producing_ids', 'in', lots.ids), '|', ('deviation_ids.state', '=', 'open'),
            ('deviation_ids.disposition', 'in', ('reject', *REWORK))])
        for bpr in batches:
            self.mmr_rework_deviation_id.sudo()._check_rework_approved(bpr, bpr.production_id.lot_producing_ids[:1])
