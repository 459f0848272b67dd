"""How long a batch record is kept: the date, its derivation, holds, and what a disposal leaves (REC-010 to REC-040)."""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...domain.refusals import refusal
from ...domain.retention import GONE, KEPT, REMOVED
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


def _as_array(names):
    return SQL("%s::text[]", list(names))


class MrpBpr(models.Model):
    _inherit = 'mrp.bpr'

    retain_until = fields.Date(
        "Keep Until", compute='_compute_retain_until', store=True, index=True,
        help="The record is kept through this day; without a date there is none yet on which it may be disposed of.")
    retention_basis = fields.Text("Because", compute='_compute_retention_basis', compute_sudo=True)
    cancelled_at = fields.Datetime("Cancelled", readonly=True)
    legal_hold = fields.Boolean(
        compute='_compute_legal_hold', store=True, help="Quality Control holds it: nothing of it is disposed of.")
    hold_ids = fields.One2many('mrp.legal.hold', 'bpr_id', "Legal Holds", readonly=True)
    distribution_ids = fields.One2many('mrp.bpr.distribution', 'bpr_id', readonly=True)
    disposal_id = fields.Many2one(
        'mrp.record.disposal', "Disposed Of By", readonly=True, index='btree_not_null', ondelete='restrict',
        help="The signed disposal that removed the content of this record.")
    is_disposable = fields.Boolean(
        "May Be Disposed Of", compute='_compute_is_disposable', search='_search_is_disposable')

    def init(self):
        super().init()
        # In the first installation the tables and columns of other models come later.
        self.env.cr.execute("SET LOCAL check_function_bodies = off")
        self.env.cr.execute(SQL(
            """
            -- The last day on which a record is kept, or NULL where there is none yet. Of 29 February a year later is the 28th,
            -- which is the last day of that year.
            CREATE OR REPLACE FUNCTION mrp_mmr_retention_date(
                profile varchar, outcome varchar, decided date, expiry date, undated boolean, distributed date, certified date,
                exempt boolean, lifetime integer) RETURNS date AS $$
                SELECT CASE WHEN k.until > '9999-12-31' THEN '9999-12-31' ELSE k.until END FROM (SELECT (CASE
                    WHEN outcome = 'open' THEN NULL
                    WHEN profile = 'P111' AND outcome = 'released' THEN CASE
                        WHEN undated AND distributed IS NULL THEN NULL
                        WHEN undated THEN GREATEST(expiry + interval '1 year', distributed + interval '2 years')
                        ELSE expiry + interval '1 year' END
                    WHEN profile = 'P111' THEN GREATEST(expiry + interval '1 year', decided + interval '2 years')
                    WHEN profile = 'P211' AND outcome = 'released' THEN CASE
                        WHEN undated AND (exempt IS NOT TRUE OR distributed IS NULL) THEN NULL
                        WHEN undated THEN GREATEST(expiry + interval '1 year', distributed + interval '3 years')
                        ELSE expiry + interval '1 year' END
                    WHEN profile = 'P211' THEN GREATEST(expiry + interval '1 year', decided + interval '3 years')
                    WHEN profile = 'PEU' AND outcome = 'released' THEN CASE
                        WHEN certified IS NOT NULL THEN GREATEST(expiry + interval '1 year', certified + interval '5 years') END
                    WHEN profile = 'PEU' THEN GREATEST(expiry + interval '1 year', decided + interval '5 years')
                    WHEN profile = 'PDEV' AND (outcome <> 'released' OR lifetime > 0) THEN
                        decided + make_interval(years => GREATEST(lifetime, 2))
                END)::date AS until) k
            $$ LANGUAGE sql IMMUTABLE;

            -- What the date of each of these batch records follows from, and the date. Days are those of the company.
            CREATE OR REPLACE FUNCTION mrp_mmr_retention(wanted integer[]) RETURNS TABLE (
                bpr integer, until date, profile varchar, outcome varchar, decided date, expiry date, undated boolean,
                distributed date, certified date, exempt boolean, lifetime integer) AS $$
                SELECT i.bpr, mrp_mmr_retention_date(i.profile, i.outcome, i.decided, i.expiry, i.undated, i.distributed,
                                                     i.certified, i.exempt, i.lifetime),
                       i.profile, i.outcome, i.decided, i.expiry, i.undated, i.distributed, i.certified, i.exempt, i.lifetime
                  FROM (
                    SELECT b.id AS bpr, p.code AS profile,
                           (CASE WHEN b.state = 'cancel' AND b.release_state <> 'rejected' THEN 'cancelled'
                                 WHEN b.release_state = 'rejected' OR b.packed_state = 'rejected' THEN 'rejected'
                                 WHEN b.release_state = 'released' THEN 'released' ELSE 'open' END)::varchar AS outcome,
                           mrp_mmr_company_day(
                                CASE WHEN b.state = 'cancel' AND b.release_state <> 'rejected' THEN b.cancelled_at
                                     WHEN b.packed_state = 'rejected' THEN (
                                        SELECT s.signed_at FROM mrp_esignature s WHERE s.id = b.packed_release_signature_id)
                                     ELSE b.released_at END, b.company_id) AS decided,
                           mrp_mmr_company_day(l.expiry, b.company_id) AS expiry, l.undated,
                           mrp_mmr_company_day(
                                (SELECT max(d.date) FROM mrp_bpr_distribution d WHERE d.bpr_id = b.id AND d.kind = 'delivery'),
                                b.company_id) AS distributed,
                           mrp_mmr_company_day(
                                (SELECT s.signed_at FROM mrp_esignature s WHERE s.id = b.certification_signature_id),
                                b.company_id) AS certified,
                           t.mmr_otc_exempt AS exempt, t.mmr_lifetime_years AS lifetime
                      FROM mrp_bpr b
                      JOIN mrp_mmr_revision r ON r.id = b.mmr_revision_id
                      JOIN mrp_mmr m ON m.id = r.mmr_id
                      JOIN mrp_mmr_profile p ON p.id = m.profile_id
                      JOIN product_product v ON v.id = b.product_id
                      JOIN product_template t ON t.id = v.product_tmpl_id
                     CROSS JOIN LATERAL (
                        SELECT max(k.expiration_date) AS expiry, count(*) = 0 OR bool_or(k.expiration_date IS NULL) AS undated
                          FROM stock_lot k WHERE k.mmr_bpr_id = b.id) l
                     WHERE b.id = ANY(wanted)) i
            $$ LANGUAGE sql STABLE;

            -- Whether a batch record, or its master, is held.
            CREATE OR REPLACE FUNCTION mrp_mmr_on_hold(wanted integer) RETURNS boolean AS $$
                SELECT EXISTS (
                    SELECT FROM mrp_bpr b JOIN mrp_mmr_revision r ON r.id = b.mmr_revision_id
                      JOIN mrp_legal_hold h ON h.bpr_id = b.id OR h.mmr_id = r.mmr_id
                     WHERE b.id = wanted AND h.signature_id IS NOT NULL AND h.lift_signature_id IS NULL)
            $$ LANGUAGE sql STABLE;

            -- Whether the date of a batch record has passed where its company is, and nobody holds it.
            -- The clock is that of PostgreSQL.
            CREATE OR REPLACE FUNCTION mrp_mmr_may_dispose(wanted integer) RETURNS boolean AS $$
                SELECT COALESCE((SELECT until FROM mrp_mmr_retention(ARRAY[wanted]))
                                < (SELECT mrp_mmr_company_today(b.company_id) FROM mrp_bpr b WHERE b.id = wanted), false)
                       AND NOT mrp_mmr_on_hold(wanted)
            $$ LANGUAGE sql VOLATILE;

            -- A content without its words and numbers: lists are empty, what is no identity is null.
            CREATE OR REPLACE FUNCTION mrp_mmr_emptied(content jsonb, kept text[]) RETURNS jsonb AS $$
                SELECT COALESCE(jsonb_object_agg(e.key, CASE
                    WHEN e.key = 'predecessors' THEN e.value
                    WHEN jsonb_typeof(e.value) = 'array' THEN '[]'::jsonb
                    WHEN e.key <> ALL (kept) THEN 'null'::jsonb
                    WHEN jsonb_typeof(e.value) = 'object' THEN mrp_mmr_emptied(e.value, kept)
                    ELSE e.value END), '{}'::jsonb)
                  FROM jsonb_each(content) e
            $$ LANGUAGE sql IMMUTABLE;

            -- Whether a change of a row takes out what a signed disposal of its batch removes, and nothing else.
            CREATE OR REPLACE FUNCTION mrp_mmr_is_removal(source text, wanted integer, before jsonb, after jsonb)
            RETURNS boolean AS $$
            DECLARE
                gone text[] := CASE source WHEN 'mrp_bpr_step' THEN %(step)s WHEN 'mrp_bpr_entry' THEN %(entry)s
                                           WHEN 'mrp_bpr_result' THEN %(result)s
                                           WHEN 'mrp_production' THEN '{mmr_snapshot}' END;
            BEGIN
                RETURN gone IS NOT NULL
                   AND EXISTS (SELECT FROM mrp_bpr b WHERE b.id = wanted AND b.disposal_id IS NOT NULL)
                   AND before - gone - '{write_date,write_uid}'::text[] = after - gone - '{write_date,write_uid}'::text[]
                   AND NOT EXISTS (
                        SELECT FROM unnest(gone) name
                         WHERE after -> name <> 'null' AND NOT CASE name
                            WHEN 'planned' THEN after -> name = mrp_mmr_emptied(before -> name, %(plan)s)
                            WHEN 'mmr_snapshot' THEN after -> name = mrp_mmr_emptied(before -> name, %(snapshot)s)
                            WHEN 'reason' THEN after ->> name = %(mark)s
                            WHEN 'reference' THEN after ->> name = %(mark)s
                            WHEN 'text' THEN source = 'mrp_bpr_result' AND after ->> name = %(mark)s
                            WHEN 'value' THEN source = 'mrp_bpr_result' AND after ->> name = %(mark)s
                            ELSE false END);
            END $$ LANGUAGE plpgsql STABLE;

            CREATE OR REPLACE FUNCTION mrp_mmr_guard_retention() RETURNS trigger AS $$
            BEGIN
                IF TG_OP = 'INSERT' THEN
                    IF COALESCE(NEW.disposal_id::text, NEW.cancelled_at::text, NEW.retain_until::text) IS NOT NULL THEN
                        RAISE EXCEPTION 'A batch record begins without a date of disposal (REC-040).'
                            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_retained';
                    END IF;
                    RETURN NEW;
                END IF;
                IF OLD.disposal_id IS NOT NULL
                   AND to_jsonb(NEW) - '{write_date,write_uid,legal_hold}'::text[]
                       <> to_jsonb(OLD) - '{write_date,write_uid,legal_hold}'::text[] THEN
                    RAISE EXCEPTION '%% was disposed of: what is left of it stays (REC-040, 21 CFR 11.10(c)).', OLD.name
                        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_stub';
                END IF;
                IF NEW.cancelled_at IS DISTINCT FROM OLD.cancelled_at
                   AND (OLD.cancelled_at IS NOT NULL OR NEW.state <> 'cancel') THEN
                    RAISE EXCEPTION 'When %% was cancelled stays as it is (REC-040).', OLD.name
                        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_retained';
                END IF;
                IF COALESCE(NEW.legal_hold, false) <> COALESCE(OLD.legal_hold, false)
                   AND COALESCE(NEW.legal_hold, false) <> mrp_mmr_on_hold(NEW.id) THEN
                    RAISE EXCEPTION 'A hold on %% is set and lifted by a signature of Quality Control (REC-040).', OLD.name
                        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_held';
                END IF;
                IF NEW.document IS NULL AND OLD.document IS NOT NULL AND NEW.disposal_id IS NULL THEN
                    RAISE EXCEPTION 'The record of %% is kept (REC-040, 21 CFR 111.605(b), 211.180(d)).', OLD.name
                        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_retained';
                END IF;
                IF NEW.disposal_id IS NOT NULL AND OLD.disposal_id IS NULL AND (
                    NOT mrp_mmr_may_dispose(NEW.id) OR NEW.document IS NOT NULL OR NOT EXISTS (
                        SELECT FROM mrp_record_disposal d JOIN mrp_esignature s ON s.id = d.signature_id
                         CROSS JOIN jsonb_array_elements(s.content -> 'batches') k
                         WHERE d.id = NEW.disposal_id AND (k ->> 'id')::integer = NEW.id
                           AND k ->> 'document_sha256' IS NOT DISTINCT FROM OLD.document_sha256)) THEN
                    RAISE EXCEPTION '%% is disposed of after its date, without a hold, by a signature (REC-040).', OLD.name
                        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_retained';
                END IF;
                RETURN NEW;
            END $$ LANGUAGE plpgsql;
            CREATE OR REPLACE TRIGGER mrp_mmr_guard_retention BEFORE INSERT OR UPDATE ON mrp_bpr
                FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_retention();

            -- After the change, so that it is judged by what the record now is.
            CREATE OR REPLACE FUNCTION mrp_mmr_guard_retain_until() RETURNS trigger AS $$
            BEGIN
                IF NEW.retain_until IS DISTINCT FROM OLD.retain_until
                   AND NEW.retain_until IS DISTINCT FROM (SELECT until FROM mrp_mmr_retention(ARRAY[NEW.id])) THEN
                    RAISE EXCEPTION 'How long %% is kept follows from profile, lots and distribution (REC-010).', OLD.name
                        USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'mrp_mmr_bpr_retain_until';
                END IF;
                RETURN NULL;
            END $$ LANGUAGE plpgsql;
            CREATE OR REPLACE TRIGGER mrp_mmr_guard_retain_until AFTER UPDATE OF retain_until ON mrp_bpr
                FOR EACH ROW EXECUTE FUNCTION mrp_mmr_guard_retain_until();
            """,
            step=_as_array(REMOVED['mrp_bpr_step']), entry=_as_array(REMOVED['mrp_bpr_entry']),
            result=_as_array(REMOVED['mrp_bpr_result']), plan=_as_array(KEPT['mrp_bpr_step']),
            snapshot=_as_array(KEPT['mrp_production']), mark=GONE))
        self.env.cr.execute("SET LOCAL check_function_bodies = on")

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
        """Record shipments without a row and count all dates anew; called by the data of the addon and by the cron."""
        self.env['mrp.bpr.distribution'].sudo()._record_missing()
        stale = self.browse(row[0] for row in self.env.execute_query(SQL(
            """SELECT b.id FROM mrp_bpr b CROSS JOIN LATERAL mrp_mmr_retention(ARRAY[b.id]) r
                WHERE b.disposal_id IS NULL AND b.retain_until IS DISTINCT FROM r.until""")))
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
                return self.env._("%(bpr)s: lot %(lot)s is on stock, so that its distribution goes on", bpr=bpr.name,
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
                    RULE, self.env._("read the disposal, which says what it was, who removed it, when and why."), record=bpr)

    @api.model
    def _cron_retention(self):
        """Count the dates anew and tell Quality Control what may be disposed of; nothing is removed by itself."""
        self._update_retention()
        due = self.sudo().search([('is_disposable', '=', True)], limit=10000)
        quality = self.env.ref('mrp_mmr.group_mmr_qc').sudo().all_user_ids.filtered('active')
        kind = 'mrp_mmr.mail_activity_type_retention'
        for mmr, bprs in due.grouped(lambda bpr: bpr.mmr_revision_id.mmr_id).items():
            person = quality.filtered(lambda user, mmr=mmr: mmr.company_id in user.company_ids)[:1]
            if person and not mmr.activity_search([kind]):
                mmr.activity_schedule(
                    kind, user_id=person.id, summary=self.env._(
                        "%(count)s batch records of %(mmr)s may be disposed of", count=len(bprs), mmr=mmr.name))
