"""How long a batch record is kept: the date, its derivation, holds, and what a disposal leaves (REC-010 to REC-040)."""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...domain.refusals import refusal
from ...domain.transitions import transition

RULE = "REC-040, 21 CFR 11.10(c), 111.605(b), 211.180(d), EU GMP 4.10"
#: How each profile counts, in the words of its regulation, for batches that went to customers.
CITATIONS = {
    'P111': "21 CFR 111.605(a)", 'P211': "21 CFR 211.180(a), (b)", 'PEU': "EU GMP 4.11",
    'PDEV': "ISO 13485 4.2.5, former 21 CFR 820.180(b)",
}
#: What the date follows from.
INPUTS = (
    'state', 'release_state', 'packed_state', 'released_at', 'cancelled_at', 'certification_signature_id',
    'packed_release_signature_id', 'lot_ids.expiration_date', 'distribution_ids.date', 'company_id.mmr_tz',
    'product_id.product_tmpl_id.mmr_otc_exempt', 'product_id.product_tmpl_id.mmr_lifetime_years')
#: Years after the expiry, and after what else counts.
YEARS = {'P111': (1, 2), 'P211': (1, 3), 'PEU': (1, 5), 'PDEV': (0, 2)}


class MrpBpr(models.Model):
    """Also held in guards/mrp_bpr.sql."""
    _inherit = 'mrp.bpr'

    retain_until = fields.Date(
        "Keep Until", compute='_compute_retain_until', store=True, index=True,
        help="The record must be kept through this day; without a date it cannot be disposed of yet.")
    retention_basis = fields.Text("Reason for the Date", compute='_compute_retention_basis', compute_sudo=True)
    cancelled_at = fields.Datetime("Cancelled", readonly=True)
    legal_hold = fields.Boolean(
        compute='_compute_legal_hold', store=True, help="Held by Quality Control: none of it can be disposed of.")
    hold_ids = fields.One2many('mrp.legal.hold', 'bpr_id', "Legal Holds", readonly=True)
    distribution_ids = fields.One2many('mrp.bpr.distribution', 'bpr_id', readonly=True)
    disposal_id = fields.Many2one(
        'mrp.record.disposal', "Disposed Of By", readonly=True, index='btree_not_null', ondelete='restrict',
        help="The signed disposal that removed the content of this record.")
    is_disposable = fields.Boolean(
        "May Be Disposed Of", compute='_compute_is_disposable', search='_search_is_disposable')

    # === DATE === #

    @api.depends(*INPUTS)
    def _compute_retain_until(self):
        inputs = self._read_retention()
        for bpr in self:
            # What was disposed of does not change any more.
            bpr.retain_until = bpr.retain_until if bpr.disposal_id else inputs.get(bpr.id, {}).get('until')

    @api.depends(*INPUTS)
    @api.depends_context('lang')
    def _compute_retention_basis(self):
        inputs = self._read_retention()
        for bpr in self:
            bpr.retention_basis = bpr._get_retention_basis(inputs[bpr.id]) if bpr.id in inputs else False

    def _read_retention(self):
        """Return what the date of each of these records follows from, as PostgreSQL reads and counts it, by id."""
        for model, names in (
                (self, ['state', 'release_state', 'packed_state', 'released_at', 'cancelled_at', 'certification_signature_id',
                        'packed_release_signature_id']),
                (self.env['stock.lot'], ['expiration_date', 'mmr_bpr_id']), (self.env['res.company'], ['mmr_tz']),
                (self.env['product.template'], ['mmr_otc_exempt', 'mmr_lifetime_years'])):
            model.flush_model(names)
        self.env.cr.execute(SQL("SELECT * FROM mrp_mmr_retention(%s)", [bpr.id for bpr in self if isinstance(bpr.id, int)]))
        return {row['bpr']: row for row in self.env.cr.dictfetchall()}

    def _get_retention_basis(self, found):
        """Return the derivation in words: the rule and what it was applied to."""
        env = self.env
        profile, outcome = found['profile'], found['outcome']
        rule = CITATIONS.get(profile, "REC-010")
        after_expiry, after = YEARS.get(profile, (0, 0))
        if outcome == 'open':
            return env._("No disposal date yet: Quality Control has not decided on the batch (%s).", rule)
        said = []
        if found['expiry'] and after_expiry:
            said.append(env._("one year after the expiry of its lots on %s", found['expiry']))
        if outcome != 'released':
            years = max(found['lifetime'] or 0, after) if profile == 'PDEV' else after
            values = {'years': years, 'date': found['decided']}
            said.append(
                env._("never distributed, %(years)s years after it was rejected on %(date)s", **values)
                if outcome == 'rejected' else
                env._("never distributed, %(years)s years after it was cancelled on %(date)s", **values))
        elif profile == 'PEU':
            if not found['certified']:
                return env._("No disposal date yet: no Qualified Person certified the batch (%s).", rule)
            said.append(env._("%(years)s years after the certification by the Qualified Person on %(date)s", years=after,
                          date=found['certified']))
        elif profile == 'PDEV':
            if not found['lifetime']:
                return env._("No disposal date yet: the lifetime of the device is not entered on the product (%s).", rule)
            said.append(env._("%(years)s years from the release on %(date)s, for a lifetime of %(lifetime)s (at least two)",
                          years=max(found['lifetime'], after), date=found['decided'], lifetime=found['lifetime']))
        elif found['undated']:
            if profile == 'P211' and not found['exempt']:
                return env._(
                    "No disposal date yet: a lot has no expiry date, and the product is no exempt OTC product (%s).", rule)
            if not found['distributed']:
                return env._("No disposal date yet: a lot without expiry date was not distributed yet (%s).", rule)
            said.append(env._(
                "%(years)s years after the last distribution on %(date)s", years=after, date=found['distributed']))
        if not said or not found['until']:
            return env._("No disposal date yet: the profile has no rule for it.")
        words = said[0] if len(said) == 1 else env._("the later of %(first)s and %(second)s", first=said[0], second=said[1])
        return env._("Until %(date)s: %(words)s (%(rule)s).", date=found['until'], words=words, rule=rule)

    @api.model
    def _update_retention(self):
        """Record shipments without a row and recompute all dates; called by the data of the addon and by the cron.

        All batches are read together: a call for each of them would plan and look up everything again (PRF-010).
        """
        self.env['mrp.bpr.distribution'].sudo()._record_missing()
        stale = self.browse(row[0] for row in self.env.execute_query(SQL(
            """SELECT b.id FROM mrp_mmr_retention(ARRAY(SELECT id FROM mrp_bpr WHERE disposal_id IS NULL)) r
                 JOIN mrp_bpr b ON b.id = r.bpr WHERE b.retain_until IS DISTINCT FROM r.until ORDER BY b.id""")))
        self.env.add_to_compute(self._fields['retain_until'], stale)
        self.flush_model(['retain_until'])

    # === CANCELLED === #

    def _cancel(self):
        super()._cancel()
        cancelled = self.filtered(
            lambda bpr: bpr.state == 'cancel' and not bpr.cancelled_at and bpr.release_state != 'rejected')
        with transition(cancelled):
            cancelled.write({'cancelled_at': fields.Datetime.now()})

    @api.model
    def _note_missing_cancellations(self):
        """Note when batches were cancelled that were so before the addon noted it: the ledger knows. Called by its data."""
        for bpr_id, cancelled_at in self.env.execute_query(SQL(
                """SELECT b.id, COALESCE((
                        SELECT max(e.at) FROM mrp_audit_entry e
                         WHERE e.res_model = 'mrp.bpr' AND e.res_id = b.id AND e.kind = 'state'), b.write_date)
                     FROM mrp_bpr b WHERE b.state = 'cancel' AND b.cancelled_at IS NULL AND b.release_state <> 'rejected'
                    ORDER BY b.id""")):
            bpr = self.browse(bpr_id)
            with transition(bpr):
                bpr.write({'cancelled_at': cancelled_at})

    # === HOLD === #

    @api.depends('hold_ids.signature_id', 'hold_ids.lift_signature_id')
    def _compute_legal_hold(self):
        self.env['mrp.legal.hold'].flush_model(['signature_id', 'lift_signature_id', 'bpr_id', 'mmr_id'])
        held = {row[0] for row in self.env.execute_query(SQL(
            "SELECT b.id FROM mrp_bpr b WHERE b.id = ANY(%s) AND mrp_mmr_on_hold(b.id)",
            [bpr.id for bpr in self if isinstance(bpr.id, int)]))}
        for bpr in self:
            bpr.legal_hold = bpr.id in held

    @api.model
    def _create_for(self, orders):
        created = super()._create_for(orders)
        # Of a master that is held so are the batches that follow.
        held = created.sudo().filtered(lambda bpr: bpr.mmr_revision_id.mmr_id.hold_ids)
        self.env.add_to_compute(self._fields['legal_hold'], held)
        return created

    def action_hold(self):
        """Open the dialog that puts these records on hold, or the one record's."""
        self.ensure_one()
        return self.env['mrp.legal.hold.set']._open(bpr=self)

    # === DISPOSAL === #

    @api.depends('retain_until', 'legal_hold', 'disposal_id')
    def _compute_is_disposable(self):
        today = {company: company._get_mmr_today() for company in self.company_id}
        for bpr in self:
            bpr.is_disposable = bool(
                bpr.retain_until and bpr.retain_until < today[bpr.company_id] and not bpr.legal_hold and not bpr.disposal_id)

    def _search_is_disposable(self, operator, value):
        if operator != 'in':
            return NotImplemented
        return self.env['res.company']._get_mmr_past_domain('retain_until') & Domain('legal_hold', '=', False) \
            & Domain('disposal_id', '=', False)

    def _get_disposal_refusal(self):
        """Return why this record is not disposed of now, or None."""
        self.ensure_one()
        bpr = self.sudo()
        if bpr.disposal_id:
            return self.env._("%(bpr)s was disposed of by %(disposal)s", bpr=bpr.name, disposal=bpr.disposal_id.name)
        if bpr.legal_hold:
            return self.env._("%s is on hold", bpr.name)
        if not bpr.retain_until or not bpr.is_disposable:
            return f"{bpr.name}: {bpr.retention_basis}"
        found = self._read_retention()[bpr.id]
        if found['undated'] and found['outcome'] == 'released' and found['profile'] in ('P111', 'P211'):
            stocked = self.env['stock.quant'].sudo().search([
                ('lot_id', 'in', bpr.lot_ids.ids), ('quantity', '>', 0), ('location_id.usage', 'in', ('internal', 'transit'))],
                limit=1)
            if stocked:
                return self.env._("%(bpr)s: lot %(lot)s is still in stock, so its distribution continues", bpr=bpr.name,
                                  lot=stocked.lot_id.name)
        return None

    def _check_not_disposed(self):
        """Refuse to show what is not there any more.

        :raise UserError: naming the disposal
        """
        for bpr in self.sudo():
            if bpr.disposal_id:
                raise refusal(
                    self.env, self.env._("The content of %(bpr)s was removed by the disposal %(disposal)s.", bpr=bpr.name,
                                         disposal=bpr.disposal_id.name),
                    RULE, self.env._("read the disposal record, which states what the content was, who removed it, when and "
                                     "why."), record=bpr)

    @api.model
    def _cron_retention(self):
        """Recompute the dates and tell Quality Control what may be disposed of; nothing is removed automatically."""
        self._update_retention()
        due = self.sudo().search([('is_disposable', '=', True)], limit=10000)
        kind = 'mrp_mmr.mail_activity_type_retention'
        for mmr, bprs in due.grouped(lambda bpr: bpr.mmr_revision_id.mmr_id).items():
            person = mmr.company_id._get_quality_control()[:1]
            if person and not mmr.activity_search([kind]):
                mmr.activity_schedule(
                    kind, user_id=person.id, summary=self.env._(
                        "%(count)s batch records of %(mmr)s may be disposed of", count=len(bprs), mmr=mmr.name))
