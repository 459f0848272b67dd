"""What of a batch is not distributed: reserve samples, and units that are not released (REL-060, BPR-190)."""

from decimal import Decimal

from odoo import fields, models
from odoo.exceptions import AccessError

from ...domain.arguments import takes
from ...domain.canonical import iso_utc
from ...domain.days import GS1_EXPIRY, gs1_day, in_years, parse_day
from ...domain.numbers import plain
from ...domain.refusals import refusal
from ..base.notation import take_number

RULE = "REL-060, 21 CFR 111.83(b), 111.105(g)"


class MrpBprSample(models.Model):
    """A reserve sample of a packaged lot, or a quantity that is withheld from the release; append-only.

    A correction is another row with a reason, which replaces the first one.

    Also held in guards/mrp_bpr_sample.sql.
    """
    _name = 'mrp.bpr.sample'
    _description = "Reserve Sample of a Batch"
    _inherit = ['mrp.evidence.mixin']
    _order = 'bpr_id, id'

    bpr_id = fields.Many2one(
        'mrp.bpr', "Batch Production Record", required=True, readonly=True, index=True, ondelete='restrict')
    company_id = fields.Many2one('res.company', required=True, readonly=True, ondelete='restrict')
    kind = fields.Selection(
        [('reserve', "Reserve sample"), ('withheld', "Not released")], required=True, readonly=True)
    pack = fields.Integer("No. of the Pack", readonly=True, aggregator=None, help="From the pack size in the MMR.")
    name = fields.Char("Pack", required=True, readonly=True)
    lot_name = fields.Char("Lot Number", required=True, readonly=True)
    quantity = fields.Char(required=True, readonly=True, help="A number, as it was entered with all its digits.")
    unit = fields.Char(required=True, readonly=True)
    test_quantity = fields.Char("Quantity Needed for All Tests", readonly=True)
    container = fields.Char("Container and Closure", readonly=True, help="The same as those in which the product is "
                                                                         "distributed.")
    location = fields.Char("Storage Location", readonly=True)
    keep_until = fields.Date(readonly=True)
    reason = fields.Text(readonly=True)
    user_id = fields.Many2one('res.users', "Recorded By", required=True, readonly=True, ondelete='restrict')
    user_name = fields.Char("Person", required=True, readonly=True)
    at = fields.Datetime("When", required=True, readonly=True, help="Server time, in UTC.")
    supersedes_id = fields.Many2one('mrp.bpr.sample', "Corrects", readonly=True, index='btree_not_null', ondelete='restrict')
    superseded_by_ids = fields.One2many('mrp.bpr.sample', 'supersedes_id', "Corrected By", readonly=True)

    _complete = models.Constraint(
        "CHECK (CASE kind WHEN 'reserve' THEN num_nonnulls(test_quantity, container, location, keep_until) = 4 "
        "ELSE COALESCE(trim(reason), '') <> '' END AND (supersedes_id IS NULL OR COALESCE(trim(reason), '') <> ''))",
        "A reserve sample needs a quantity, a container, a location and a date; a withheld or corrected one needs a reason "
        "(REL-060).")

    # === GUARDS === #

    def _refuse_write(self):
        return refusal(
            self.env, self.env._("Samples are recorded on the batch record and cannot be changed."), f"AUD-030, {RULE}",
            self.env._("record another one with a reason."), record=self[:1])

    def _audit_chain(self):
        return self.bpr_id.production_id

    def _get_current(self):
        """Return the rows that were not corrected."""
        return self.filtered(lambda row: not row.superseded_by_ids)

    def _get_document(self):
        """Return the row as signatures and prints hold it."""
        self.ensure_one()
        return {
            'id': self.id, 'kind': self.kind, 'pack': self.pack or None, 'name': self.name, 'lot': self.lot_name,
            'quantity': self.quantity, 'unit': self.unit, 'test_quantity': self.test_quantity or None,
            'container': self.container or None, 'location': self.location or None,
            'keep_until': fields.Date.to_string(self.keep_until) if self.keep_until else None, 'reason': self.reason or None,
            'user': self.user_id.id, 'user_name': self.user_name, 'at': iso_utc(self.at),
            'supersedes': self.supersedes_id.id or None}


class MrpBpr(models.Model):
    _inherit = 'mrp.bpr'

    sample_ids = fields.One2many('mrp.bpr.sample', 'bpr_id', "Reserve Samples", readonly=True)

    #: Kind of a row → the method that checks what was entered and returns the values of the row.
    _sample_methods = {
        'reserve': '_prepare_reserve_sample',
        'withheld': '_prepare_withheld_sample',
    }

    # === RECORDING === #

    @takes(vals='values', corrects='id')
    def action_record_sample(self, vals, corrects=None):
        """Record a reserve sample of this batch, or a quantity of it that is not released.

        :param dict vals: ``kind``; for a reserve sample ``pack`` (position in the MMR), ``quantity``, ``unit``,
            ``test_quantity``, ``container``, ``location``, ``keep_until``; for what is withheld ``quantity`` in the unit of
            the batch and ``reason``
        :param int corrects: the row that is replaced, with ``reason``
        :return: id of the row
        :raise UserError: naming what is missing, or what it contradicts
        """
        self.ensure_one()
        self.check_access('read')
        group = self.env.ref('mrp_mmr.group_mmr_qc')
        if group not in self.env.user.sudo().all_group_ids:
            raise refusal(
                self.env, self.env._("Only Quality Control can record reserve samples."), f"SEC-010, {RULE}",
                self.env._("ask a member of Quality Control."), record=self, exception=AccessError)
        self._check_signing_qualification(group)
        self._lock_for_signing()
        corrected = self.sample_ids.sudo().filtered(lambda row: row.id == corrects)._get_current()
        vals = dict(vals or {})
        text = {name: (vals.get(name) or '').strip() or False if isinstance(vals.get(name), str) else False
                for name in ('unit', 'container', 'location', 'reason')}
        if corrects and (not corrected or not text['reason']):
            raise self._refuse_sample(self.env._("choose the row that is valid, and enter the reason for the correction."))
        if not isinstance(vals.get('kind'), str) or vals['kind'] not in self._sample_methods:
            raise self._refuse_sample(self.env._("choose whether it is a reserve sample or a quantity that is withheld."))
        lots = self._get_own_lots() or self.sudo().production_id.lot_producing_ids
        if not lots or self.state not in ('progress', 'done') or self.packed_state or self.release_state == 'rejected':
            raise self._refuse_sample(self.env._(
                "record it after the work has begun and before the packaged lot is decided on; the batch must have its lot "
                "number."))
        prepared = getattr(self, self._sample_methods[vals['kind']])(vals, text, corrected)
        return self.env['mrp.bpr.sample']._store([{
            **prepared, 'kind': vals['kind'], 'bpr_id': self.id, 'company_id': self.sudo().company_id.id,
            'lot_name': ', '.join(lots.mapped('name')), 'reason': text['reason'], 'user_id': self.env.uid,
            'user_name': self.env.user.name, 'at': fields.Datetime.now(), 'supersedes_id': corrected.id}]).id

    def _refuse_sample(self, next_action):
        return refusal(self.env, self.env._("%s: this sample cannot be recorded.", self.name), RULE, next_action,
                       record=self)

    def _parse_quantity(self, value):
        number = take_number(self.env, value, self, RULE)
        if number <= 0:
            raise self._refuse_sample(self.env._("enter quantities as numbers greater than zero."))
        return number

    def _prepare_reserve_sample(self, vals, text, corrected):
        packs = self.sudo().production_id.mmr_snapshot['document'].get('packs') or ()
        pack = next((row for row in packs if row['position'] == vals.get('pack')), None)
        try:
            keep_until = parse_day(vals.get('keep_until'))
        except ValueError as error:
            raise self._refuse_sample(self.env._("enter the date until which it is kept, in the years 1 to 9999.")) from error
        container = text['container'] or pack and pack['description']
        if not pack or not (text['unit'] and container and text['location'] and keep_until):
            raise self._refuse_sample(self.env._("enter the pack, unit, container and closure, location, and the date until "
                                                 "which it is kept."))
        expiry = self.sudo().company_id._get_mmr_day(
            max(filter(None, self._get_own_lots().mapped('expiration_date')), default=None))
        if expiry and keep_until < in_years(expiry, 1):
            raise self._refuse_sample(self.env._("keep it for at least one year after the expiry date %s.", expiry))
        return {
            'pack': pack['position'], 'name': pack['name'], 'container': container, 'location': text['location'],
            'unit': text['unit'], 'keep_until': keep_until, 'quantity': self._parse_quantity(vals.get('quantity')).text,
            'test_quantity': self._parse_quantity(vals.get('test_quantity')).text}

    def _prepare_withheld_sample(self, vals, text, corrected):
        quantity = self._parse_quantity(vals.get('quantity'))
        others = sum(Decimal(row.quantity) for row in self._get_withheld() - corrected)
        if self.state != 'done':
            raise self._refuse_sample(self.env._("complete the batch first."))
        if not text['reason'] or quantity.value + others > Decimal(self._get_quantity_made()):
            raise self._refuse_sample(self.env._("enter the reason, and withhold no more than the %s that was made.",
                                                 self._get_quantity_made()))
        unit = self.sudo().production_id.mmr_snapshot['document']['batch_size']['unit']
        return {'name': self.env._("Not released"), 'quantity': quantity.text, 'unit': unit}

    def _get_withheld(self):
        return self.sudo().sample_ids.filtered(lambda row: row.kind == 'withheld')._get_current()

    def _get_quantity_released(self):
        made = Decimal(super()._get_quantity_released())
        return plain(made - sum(Decimal(row.quantity) for row in self._get_withheld()))

    # === RELEASE === #

    def _get_release_issues_of_samples(self, purpose):
        """Reserve samples of each packaged lot: at least twice what all tests need (REL-060, 21 CFR 111.83(b)(3))."""
        yield from super()._get_release_issues_of_samples(purpose)
        if purpose != 'release_packed':
            return
        samples = self.env['mrp.bpr.sample'].sudo().search([('bpr_id', 'in', self.ids), ('kind', '=', 'reserve')])
        by_pack = samples._get_current().grouped(lambda row: (row.bpr_id.id, row.pack))
        not_made = self._get_packs_not_made()
        for bpr in self.sudo().filtered(lambda bpr: bpr._needs('reserve')):
            for pack in bpr.production_id.mmr_snapshot['document'].get('packs') or ():
                rows = by_pack.get((bpr.id, pack['position']))
                if (bpr.id, pack['position']) in not_made:
                    continue
                if not rows:
                    yield bpr, self._prepare_issue(
                        bpr, 'reserve', RULE, self.env._("%s has no reserve sample", pack['name']),
                        action='mrp_mmr.mrp_bpr_reserve_action')
                elif sum(Decimal(row.quantity) for row in rows) < 2 * max(Decimal(row.test_quantity) for row in rows):
                    yield bpr, self._prepare_issue(
                        rows[:1], 'reserve_amount', RULE,
                        self.env._("the reserve sample of %s is less than twice what the tests need", pack['name']),
                        action='mrp_mmr.mrp_bpr_reserve_action')

    def _get_packs_not_made(self):
        """Return the packs that people recorded as not made, as pairs of the ids of batch and position in the MMR."""
        entries = self.env['mrp.bpr.entry'].sudo().search([
            ('bpr_id', 'in', self.ids), ('kind', 'in', ('material', 'labels'))])
        return {
            (entry.bpr_id.id, (entry.step_id.planned.get('pack') or {}).get('position')) for entry in entries._get_current()
            if (entry.data or {}).get('not_made')}

    def _get_release_issues_of_device(self, purpose):
        """A product with a unique device identification has its value (BPR-190, 21 CFR 820.35(c))."""
        yield from super()._get_release_issues_of_device(purpose)
        for bpr in self.sudo():
            if purpose != 'review' and bpr.product_id.mmr_has_udi and not bpr._get_udi():
                yield bpr, self._prepare_issue(
                    bpr.product_id, 'udi', "BPR-190, 21 CFR 820.35(c)",
                    self.env._("the product has a UDI, and its device identifier is missing"))

    def _get_udi(self):
        """Return the unique device identification of this batch: device identifier, expiry and lot, or None."""
        self.ensure_one()
        product, lot = self.sudo().product_id, self._get_own_lots()[:1]
        if not product.mmr_has_udi or not product.mmr_udi_di or not lot:
            return None
        day = self.sudo().company_id._get_mmr_day(lot.expiration_date)
        expiry = f"({GS1_EXPIRY}){gs1_day(day)}" if day else ''
        return f"(01){product.mmr_udi_di}{expiry}(10){lot.name}"

    def _prepare_decision(self, action, basis, **content):
        if content['schema'] == 'mrp_mmr/release/1' and self._get_udi():
            content['udi'] = self._get_udi()
        return super()._prepare_decision(action, basis, **content)

    def _get_document(self):
        samples = self.env['mrp.bpr.sample'].sudo().search([('bpr_id', '=', self.id)], order='id')
        return dict(super()._get_document(), samples=[row._get_document() for row in samples])

    def _review_samples(self, batch):
        yield from super()._review_samples(batch)
        rows = self.env['mrp.bpr.sample'].sudo().search([('bpr_id', '=', self.id)])
        issues = [issue for _bpr, issue in self._get_release_issues_of_samples('release_packed')] if self._is_packed() else []
        rule = self._rule('reserve', self.env._("Reserve samples of each packaged lot are kept"), len(rows), facts=(
            f"{row.name}: {row.quantity} {row.unit}" for row in rows._get_current()))
        yield dict(rule, state='exception' if issues else 'ok',
                   items=[{'model': issue['model'], 'id': issue['id'], 'text': issue['text']} for issue in issues])
