"""How long batch records are kept, what carries the date, holds, and the one way on which a record's content goes."""

from freezegun import freeze_time
from psycopg2.errors import CheckViolation

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import Form, tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.mrp_mmr.domain.retention import DISPOSED_REASON
from odoo.addons.mrp_mmr.verification import ledger
from odoo.addons.mrp_mmr.verification.records import Verification

from ..common.base import PNG
from ..stock.test_lot_status import LotCommon


class RetentionCommon(LotCommon):
    """A completed batch of a product without packs, so that one decision is made on it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._prepare()

    @classmethod
    def _prepare(cls):
        cls.revision = cls._make_effective(cls._create_mmr())
        cls.bpr = cls._make_completed()
        cls.order, cls.lot = cls.bpr.production_id, cls.bpr.lot_ids
        cls.qc = cls.bpr.with_user(cls.user_qc)
        cls.template = cls.product.product_tmpl_id

    def _set_profile(self, code):
        with self._unguarded('mrp_mmr') as cr:
            cr.execute(SQL("UPDATE mrp_mmr SET profile_id = %s WHERE id = %s",
                           self.env.ref(f'mrp_mmr.profile_{code.lower()}').id, self.revision.mmr_id.id))
        self.env['mrp.bpr']._update_retention()

    def _findings(self):
        self.env.flush_all()
        return [finding for finding in Verification(self.env.cr) if finding.severity == ledger.FINDING]

    def _hold(self, reason="Claim 7", user=None, **subject):
        hold = self.env['mrp.legal.hold'].with_user(user or self.user_qc)._record(reason, **subject)
        self._sign(hold, 'hold', user or self.user_qc)
        return hold.with_env(self.env)

    def _dispose(self, bprs=None, reason="Retention period over"):
        """Record and sign a disposal; return it."""
        disposal = self.env['mrp.record.disposal'].with_user(self.user_qc)._record(bprs or self.bpr, reason)
        self._sign(disposal, 'dispose', self.user_qc)
        return disposal.with_env(self.env)


@tagged('post_install', '-at_install')
class TestRetentionDate(RetentionCommon):

    def test_rules(self):
        """REC-010, REC-020, REC-030: the dates of the requirements, to the day, for each profile and outcome."""
        def date(profile, outcome='released', decided='2025-02-01', expiry=None, distributed=None, certified=None, exempt=False,
                 lifetime=0, undated=None):
            [[found]] = self.env.execute_query(SQL(
                "SELECT mrp_mmr_retention_date(%s, %s, %s, %s, %s, %s, %s, %s, %s)", profile, outcome, decided, expiry,
                expiry is None if undated is None else undated, distributed, certified, exempt, lifetime))
            return found and fields.Date.to_string(found)

        for expected, profile, values in (
                # Of requirements: shelf life; last delivery; not distributed.
                ('2028-06-30', 'P111', {'expiry': '2027-06-30'}),
                ('2028-06-30', 'P111', {'expiry': '2027-06-30', 'distributed': '2027-06-29'}),
                ('2028-03-15', 'P111', {'distributed': '2026-03-15'}),
                (None, 'P111', {}),
                ('2028-01-31', 'P211', {'expiry': '2027-01-31'}),
                ('2028-05-01', 'P211', {'distributed': '2025-05-01', 'exempt': True}),
                (None, 'P211', {'distributed': '2025-05-01'}),
                (None, 'P211', {'exempt': True}),
                ('2028-01-31', 'P211', {'expiry': '2027-01-31', 'exempt': True, 'distributed': '2026-12-01'}),
                ('2030-02-01', 'PEU', {'expiry': '2027-01-31', 'certified': '2025-02-01'}),
                ('2032-01-31', 'PEU', {'expiry': '2031-01-31', 'certified': '2025-02-01'}),
                ('2030-02-01', 'PEU', {'certified': '2025-02-01'}),
                (None, 'PEU', {'expiry': '2027-01-31'}),
                ('2027-02-01', 'PDEV', {'lifetime': 1}),
                ('2027-02-01', 'PDEV', {'lifetime': 2}),
                ('2032-02-01', 'PDEV', {'lifetime': 7}),
                (None, 'PDEV', {}),
                # 29 February: the last day of the year that follows is the 28th; leap years have their 29th.
                ('2029-02-28', 'P111', {'expiry': '2028-02-29'}),
                ('2030-02-28', 'P111', {'distributed': '2028-02-29'}),
                ('2031-02-28', 'P211', {'distributed': '2028-02-29', 'exempt': True}),
                ('2028-02-28', 'P211', {'expiry': '2027-02-28'}),
                ('2033-02-28', 'PEU', {'expiry': '2028-02-29', 'certified': '2028-02-29'}),
                ('2032-02-29', 'PDEV', {'decided': '2028-02-29', 'lifetime': 4}),
                ('2030-02-28', 'PDEV', {'decided': '2028-02-29', 'lifetime': 1}),
                # One lot with, one without expiry date: the later of both rules.
                ('2028-06-30', 'P111', {'expiry': '2027-06-30', 'undated': True, 'distributed': '2026-03-15'}),
                ('2029-03-15', 'P111', {'expiry': '2027-06-30', 'undated': True, 'distributed': '2027-03-15'}),
                (None, 'P111', {'expiry': '2027-06-30', 'undated': True}),
                # Rejected or cancelled: as if the day of the decision were that of the last distribution.
                ('2027-02-01', 'P111', {'outcome': 'rejected'}),
                ('2028-06-30', 'P111', {'outcome': 'rejected', 'expiry': '2027-06-30'}),
                ('2027-02-01', 'P111', {'outcome': 'cancelled'}),
                ('2028-02-01', 'P211', {'outcome': 'rejected'}),
                ('2030-02-01', 'PEU', {'outcome': 'rejected', 'expiry': '2026-01-31'}),
                ('2027-02-01', 'PDEV', {'outcome': 'cancelled'}),
                ('2030-02-01', 'PDEV', {'outcome': 'rejected', 'lifetime': 5}),
                # Not decided on yet, or of a profile that has no rule.
                (None, 'P111', {'outcome': 'open', 'expiry': '2027-06-30', 'distributed': '2026-03-15'}),
                (None, 'OTHER', {'expiry': '2027-06-30'})):
            with self.subTest(profile=profile, **values):
                self.assertEqual(date(profile, **values), expected)

    def test_expiry(self):
        """REC-010: a batch has no date before its decision; then the expiry of its lots counts, in words with the citation."""
        self.assertFalse(self.bpr.retain_until)
        self.assertIn("has not decided", self.bpr.retention_basis)
        self._expire(self.lot, '2027-06-30 12:00:00')
        self.assertFalse(self.bpr.retain_until)
        self._release(self.bpr)
        self.assertEqual(fields.Date.to_string(self.bpr.retain_until), '2028-06-30')
        for words in ("2028-06-30", "2027-06-30", "111.605(a)"):
            self.assertIn(words, self.bpr.retention_basis)
        self._ship(self.lot)
        self.assertEqual(fields.Date.to_string(self.bpr.retain_until), '2028-06-30')

    def test_distribution(self):
        """REC-010: without expiry the last distribution counts; each shipment moves the date in its own transaction."""
        self._release(self.bpr)
        self.assertFalse(self.bpr.retain_until)
        self.assertIn("No disposal date yet", self.bpr.retention_basis)
        for day, until in (('2026-03-15', '2028-03-15'), ('2028-02-29', '2030-02-28'), ('2027-01-01', '2030-02-28')):
            with freeze_time(f'{day} 12:00:00'):
                self._ship(self.lot)
            self.assertEqual(fields.Date.to_string(self.bpr.retain_until), until)
        self.assertIn("2028-02-29", self.bpr.retention_basis)
        with freeze_time('2029-01-01 12:00:00'):
            self._ship(self.lot, 2, back=True)
        self.assertEqual(fields.Date.to_string(self.bpr.retain_until), '2030-02-28')

    def test_profiles(self):
        """REC-020, REC-030: flag and lifetime of the product, certification and release count, each where it should."""
        self._release(self.bpr)
        with freeze_time('2025-05-01 12:00:00'):
            self._ship(self.lot)
        template = self.template.with_user(self.user_both).sudo()
        self._set_profile('P211')
        self.assertFalse(self.bpr.retain_until)
        self.assertIn("no exempt OTC product", self.bpr.retention_basis)
        template.mmr_otc_exempt = True
        self.assertEqual(fields.Date.to_string(self.bpr.retain_until), '2028-05-01')
        self.assertIn("211.180", self.bpr.retention_basis)
        self._set_profile('PDEV')
        self.assertFalse(self.bpr.retain_until)
        for lifetime, years in ((1, 2), (7, 7)):
            template.mmr_lifetime_years = lifetime
            released = self.bpr.released_at.date()
            self.assertEqual(self.bpr.retain_until, fields.Date.add(released, years=years))
            self.assertIn(f"lifetime of {lifetime}", self.bpr.retention_basis)
        self._set_profile('PEU')
        self.assertFalse(self.bpr.retain_until)

    def test_product_rules(self):
        """REC-020, REC-030, AUD-060: Quality Control alone sets flag and lifetime, and the ledger has the change."""
        for name, value in (('mmr_otc_exempt', True), ('mmr_lifetime_years', 3)):
            with self.assertRaisesRegex(AccessError, "REC-020"), self.env.cr.savepoint():
                self.template.with_user(self.user_manager).sudo().write({name: value})
            self.env.invalidate_all()
            self.template.with_user(self.user_qc).sudo().write({name: value})
            line = self.env['mrp.audit.entry'].sudo().search([('res_model', '=', 'product.template')], limit=1)
            self.assertEqual((line.kind, line.values, line.user_id), (
                'setting', {name: {'old': None, 'new': value}}, self.user_qc))

    def test_rejected_and_cancelled(self):
        """REC-010: a rejected batch counts from its rejection, a cancelled one from its cancellation."""
        rejected = self._sign(self.bpr, 'reject', self.user_qc, comment="Too low")
        self.assertEqual(self.bpr.retain_until, fields.Date.add(rejected.signed_at.date(), years=2))
        self.assertIn("rejected", self.bpr.retention_basis)
        order = self._create_order()
        order.action_confirm()
        with freeze_time('2027-05-05 12:00:00'):
            order.action_cancel()
        self.assertEqual(fields.Datetime.to_string(order.bpr_id.cancelled_at), '2027-05-05 12:00:00')
        self.assertEqual(fields.Date.to_string(order.bpr_id.retain_until), '2029-05-05')
        self._sql_refused("REC-040", "UPDATE mrp_bpr SET cancelled_at = '2000-01-01' WHERE id = %s", order.bpr_id.id)

    def test_time_zone(self):
        """REC-010: days are those of the company, whoever looks: an expiry at midnight in Tokyo is not the day before."""
        self.company.mmr_tz = 'Asia/Tokyo'
        self._expire(self.lot, '2027-06-29 15:00:00')        # 30 June, 00:00 there
        self._release(self.bpr)
        for zone in ('UTC', 'America/Los_Angeles', 'Pacific/Kiritimati', False):
            self.user_qc.tz = zone
            bpr = self.bpr.with_user(self.user_qc).with_context(tz=zone)
            bpr.invalidate_recordset()
            self.assertEqual(fields.Date.to_string(bpr.retain_until), '2028-06-30')
        self.company.mmr_tz = 'UTC'
        self.assertEqual(fields.Date.to_string(self.bpr.retain_until), '2028-06-29')

    def test_not_by_hand(self):
        """REC-010, REC-040: nobody sets the date or the hold: not by write with any context, import or SQL."""
        self._release(self.bpr)
        hostile = self.bpr.sudo().with_context(mmr_transition=True, install_mode=True, tracking_disable=True)
        for vals in ({'retain_until': '2000-01-01'}, {'legal_hold': True}, {'disposal_id': 1}, {'cancelled_at': '2000-01-01'}):
            for record in (self.bpr.sudo(), hostile):
                self._refused("BPR-010", record.write, vals)
        result = self.bpr.sudo().load(['.id', 'retain_until'], [[str(self.bpr.id), '2000-01-01']])
        self.assertTrue(result['messages'])
        for change in ("retain_until = '2000-01-01'", "legal_hold = true", "document = NULL", "disposal_id = 1",
                       "cancelled_at = now()"):
            self._sql_refused("REC-010|REC-040|REL-030", f"UPDATE mrp_bpr SET {change} WHERE id = %s", self.bpr.id)

    def test_revision(self):
        """REC-010: a revision is kept as long as the latest of its batches, and while it is in use."""
        other = self._make_completed()
        self._release(self.bpr)
        self._release(other)
        self.assertIn("not ended", self.revision.retention_basis)
        with freeze_time('2026-03-15 12:00:00'):
            self._ship(self.lot)
        draft = self._new_revision(self.revision)
        self._make_effective(draft)
        self.assertEqual(self.revision.state, 'superseded')
        self.assertFalse(self.revision.retain_until)
        self.assertIn("1 of its 2 batches", self.revision.retention_basis)
        with freeze_time('2027-03-15 12:00:00'):
            self._ship(other.lot_ids)
        self.env.invalidate_all()
        self.assertEqual(fields.Date.to_string(self.revision.retain_until), '2029-03-15')
        self.assertFalse(draft.retain_until)
        revisions, family = self.env['mrp.mmr.revision'], [('mmr_id', '=', self.revision.mmr_id.id)]
        for domain, expected in (
                ([('retain_until', '=', '2029-03-15')], self.revision), ([('retain_until', '<', '2029-03-15')], revisions),
                ([('retain_until', '<', '2029-03-16')], self.revision), ([('retain_until', '=', False)], draft),
                ([('retain_until', '!=', False)], self.revision)):
            self.assertEqual(revisions.search(domain + family), expected, domain)


@tagged('post_install', '-at_install')
class TestDistribution(RetentionCommon):

    def test_rows(self):
        """REC-010, REL-050: deliveries and returns of the lots are kept by value, in the transaction of the transfer."""
        self._release(self.bpr)
        with freeze_time('2026-03-15 12:00:00'):
            out = self._ship(self.lot, 5)
            back = self._ship(self.lot, 2, back=True)
        rows = self.bpr.distribution_ids.sorted('id')
        self.assertRecordValues(rows, [
            {'kind': 'delivery', 'quantity': 5, 'unit': "kg", 'lot_name': self.lot.name, 'transfer_name': out.name,
             'origin': "SO/77", 'customer_name': out.partner_id.display_name},
            {'kind': 'return', 'quantity': 2, 'unit': "kg", 'lot_name': self.lot.name, 'transfer_name': back.name,
             'origin': "SO/77", 'customer_name': back.partner_id.display_name}])
        self.assertEqual(self._findings(), [])

    def test_corrected(self):
        """REC-010: a done quantity that is corrected adds a row with the difference; the date stays."""
        self._release(self.bpr)
        with freeze_time('2026-03-15 12:00:00'):
            picking = self._ship(self.lot, 5)
        line = picking.move_line_ids
        picking.is_locked = False
        line.quantity = 3
        line.quantity = 3
        self.assertEqual(self.bpr.distribution_ids.sorted('id').mapped('quantity'), [5, -2])
        line.quantity = 0
        self.assertEqual(sum(self.bpr.distribution_ids.mapped('quantity')), 0)
        self.assertEqual(fields.Date.to_string(self.bpr.retain_until), '2028-03-15')
        # What came back was held (B-69, DEV-100).
        self.assertEqual(self.lot.mmr_status, 'quarantine')
        self._sign(self.lot, 'release', self.user_qc)
        # A line that is added to a done transfer is done at once.
        self.env['stock.move.line'].create({
            'move_id': picking.move_ids.id, 'picking_id': picking.id, 'product_id': self.product.id, 'lot_id': self.lot.id,
            'quantity': 4, 'product_uom_id': self.kg.id, 'location_id': line.location_id.id,
            'location_dest_id': line.location_dest_id.id})
        self.assertEqual(sum(self.bpr.distribution_ids.mapped('quantity')), 4)
        self.assertEqual(self._findings(), [])

    def test_elsewhere(self):
        """REC-010: moves inside the warehouse, lots of other products and of no batch are no distribution."""
        self._release(self.bpr)
        shelf = self.env['stock.location'].create({
            'name': "Shelf", 'location_id': self.env.ref('stock.stock_location_stock').id})
        move = self.env['stock.move'].create({
            'product_id': self.product.id, 'product_uom': self.kg.id, 'product_uom_qty': 5,
            'location_id': self.env.ref('stock.stock_location_stock').id, 'location_dest_id': shelf.id})
        move._action_confirm()
        move._action_assign()
        move.picked = True
        move._action_done()
        self.assertEqual(move.state, 'done')
        self._ship(self._stock(self.component_a, self._create_lot("OTHER")), 1)
        self.assertFalse(self.bpr.distribution_ids)
        self.assertFalse(self.env['mrp.bpr.distribution'].search([('product_id', '=', self.component_a.id)]))

    def test_outlives_the_transfer(self):
        """REC-010, REC-040: neither the transfer, its lines nor the customer takes the date with it, whoever deletes them."""
        self._release(self.bpr)
        with freeze_time('2026-03-15 12:00:00'):
            picking = self._ship(self.lot)
        for record in (picking, picking.move_ids, picking.move_line_ids):
            with self.assertRefused(core="set to 'Done'|after the transfer is done"):
                record.sudo().unlink()
        self.env.flush_all()
        # As a database administrator, or an addon that forgets the checks of Odoo.
        with self._unguarded('stock_move_line', 'stock_move') as cr:
            for table, ids in (('stock_move_line', picking.move_line_ids.ids), ('stock_move', picking.move_ids.ids),
                               ('stock_picking', picking.ids)):
                cr.execute(SQL("DELETE FROM %s WHERE id IN %s", SQL.identifier(table), tuple(ids)))
        self.env['mrp.bpr']._update_retention()
        self.assertEqual(fields.Date.to_string(self.bpr.retain_until), '2028-03-15')
        self.assertTrue(self.bpr.distribution_ids.customer_name)
        # The record is whole; that goods left and no transfer says so is found (STK-040).
        findings = {finding.model: finding for finding in self._findings()}
        finding = findings.pop('mrp.bpr')
        self.assertEqual((finding.res_id, finding.found), (self.bpr.id, '95'))
        self.assertIn("on stock, as it was moved", finding.expected)
        self.assertEqual(list(findings), ['stock.lot'])

    def test_kept(self):
        """REC-040, SEC-020: nobody writes, imports or deletes a row: administrator, superuser and SQL are refused."""
        self._release(self.bpr)
        self._ship(self.lot)
        row = self.bpr.distribution_ids
        rows = row.sudo().with_context(install_mode=True, force_delete=True)
        for function, args in (
                (rows.write, ({'date': '2000-01-01'},)), (rows.unlink, ()), (rows.copy, ()),
                (rows.create, ({'bpr_id': self.bpr.id, 'date': '2000-01-01'},))):
            self._refused("REC-040", function, *args)
        for change in ("date = '2000-01-01'", "quantity = 0", "lot_name = 'x'"):
            self._sql_refused("SIG-030", f"UPDATE mrp_bpr_distribution SET {change} WHERE id = %s", row.id)
        self._sql_refused("SIG-030", "DELETE FROM mrp_bpr_distribution WHERE id = %s", row.id)
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "append-only|REC-040"), self.env.cr.savepoint():
            self.env.cr.execute("TRUNCATE mrp_bpr_distribution")
        # Nothing is distributed that no transfer did: a date in the past would end the retention.
        self._sql_refused(
            "REC-010", """INSERT INTO mrp_bpr_distribution (bpr_id, company_id, product_id, lot_id, lot_name, kind, quantity,
                                                            unit, date, line_ref)
            SELECT bpr_id, company_id, product_id, lot_id, lot_name, kind, quantity, unit, '2000-01-01', line_ref
              FROM mrp_bpr_distribution WHERE id = %s""", row.id)

    def test_back_filled(self):
        """REC-010: shipments of before the addon kept them are recorded by the update, once, with their own dates."""
        self._release(self.bpr)
        with freeze_time('2026-03-15 12:00:00'):
            self._ship(self.lot)
            self._ship(self.lot, 1)
        with self._unguarded('mrp_bpr_distribution', 'mrp_bpr') as cr:
            cr.execute("DELETE FROM mrp_bpr_distribution")
            cr.execute("UPDATE mrp_bpr SET retain_until = NULL")
        for _time in range(2):
            self.env['mrp.bpr']._update_retention()
            self.assertEqual(sorted(self.bpr.distribution_ids.mapped('quantity')), [1, 5])
        self.assertEqual(fields.Date.to_string(self.bpr.retain_until), '2028-03-15')

    def test_queries(self):
        """PRD-060: the queries of a transfer do not grow with its lines."""
        self._release(self.bpr)
        lines = self.env['stock.move.line'].union(*(self._ship(self.lot, 1).move_line_ids for _number in range(3)))
        counts = []
        for some in (lines[:1], lines):
            with self._unguarded('mrp_bpr_distribution') as cr:
                cr.execute("DELETE FROM mrp_bpr_distribution")
            some.mapped('lot_id.mmr_bpr_id.production_id.name')
            before = self.cr.sql_log_count
            self.env['mrp.bpr.distribution']._record(some)
            counts.append(self.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])


@tagged('post_install', '-at_install')
class TestHold(RetentionCommon):

    def test_batch(self):
        """REC-040: Quality Control holds one record by signature with a reason, and lifts the hold with another."""
        self._expire(self.lot, '2020-06-30 12:00:00')
        self._release(self.bpr)
        self.assertTrue(self.bpr.is_disposable)
        wizard = Form(self.env['mrp.legal.hold.set'].with_user(self.user_qc).with_context(
            **self.qc.action_hold()['context']))
        wizard.reason = "Claim 7 of a customer"
        action = wizard.save().action_hold()
        hold = self.env['mrp.legal.hold'].browse(action['params']['res_id'])
        self.assertEqual(hold.state, 'draft')
        self.assertFalse(self.bpr.legal_hold)
        set_by = self._sign(hold, 'hold', self.user_qc)
        self.assertRecordValues(hold, [{'state': 'held', 'signature_id': set_by.id, 'bpr_id': self.bpr.id}])
        self.assertTrue(self.bpr.legal_hold)
        self.assertFalse(self.bpr.is_disposable)
        self._refused("on hold", self._dispose)
        self.assertIn("reason is required", self._esign(hold, 'lift', self.user_qc)['refused'])
        self._sign(hold, 'lift', self.user_qc, comment="Settled")
        self.assertRecordValues(hold, [{'state': 'lifted', 'lift_reason': "Settled"}])
        self.assertFalse(self.bpr.legal_hold)
        self.assertIn("REC-040", self._esign(hold, 'hold', self.user_qc, digest='0')['refused'])
        lines = self.env['mrp.audit.entry'].sudo().search([('res_model', '=', 'mrp.legal.hold'), ('res_id', '=', hold.id)])
        self.assertEqual(lines.sorted('id').mapped('kind'), [
            'create', 'sign', 'write', 'refused_sign', 'sign', 'write', 'refused_sign'])
        self.assertEqual(lines.chain_id.res_id, self.order.id)
        self.assertEqual(self._findings(), [])

    def test_master(self):
        """REC-040: a hold on a master holds all its batches, those that follow included; two holds are lifted one by one."""
        other = self._create_order()
        other.action_confirm()
        hold = self._hold(mmr=self.revision.mmr_id)
        self.assertTrue(self.revision.mmr_id.legal_hold)
        third = self._create_order()
        third.action_confirm()
        bprs = self.bpr | other.bpr_id | third.bpr_id
        self.assertEqual(bprs.mapped('legal_hold'), [True] * 3)
        self._hold(bpr=self.bpr)
        self._sign(hold, 'lift', self.user_qc, comment="Settled")
        self.assertEqual(bprs.mapped('legal_hold'), [True, False, False])
        self.assertEqual(self.env['mrp.bpr'].search([('legal_hold', '=', True), ('id', 'in', bprs.ids)]), self.bpr)

    def test_roles(self):
        """REC-040, SEC-010: nobody but Quality Control sets or lifts a hold; others do not open the dialog."""
        hold = self.env['mrp.legal.hold'].with_user(self.user_qc)._record("x", bpr=self.bpr)
        for user in (self.operator, self._person('production'), self._person('qp'), self.user_manager):
            self.assertIn("APR-050", self._esign(hold, 'hold', user)['refused'])
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                self.bpr.with_user(user).action_hold()
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                self.env['mrp.legal.hold.set'].with_user(user).create({'bpr_id': self.bpr.id, 'reason': "x"})

    def test_kept(self):
        """REC-040: a hold is neither forged nor removed, by write, superuser or SQL."""
        hold = self._hold(bpr=self.bpr)
        rows, other = hold.sudo().with_context(install_mode=True), self.bpr.issue_signature_id
        for function, args in (
                (rows.write, ({'lift_signature_id': other.id},)), (rows.write, ({'reason': "x"},)), (rows.unlink, ()),
                (rows.copy, ()), (rows.create, ({'reason': "x"},))):
            self._refused("REC-040", function, *args)
        for change in (f"lift_signature_id = {other.id}", f"lift_signature_id = {hold.signature_id.id}", "signature_id = NULL",
                       "reason = 'x'", "bpr_id = NULL, mmr_id = (SELECT max(id) FROM mrp_mmr)"):
            self._sql_refused("REC-040", f"UPDATE mrp_legal_hold SET {change} WHERE id = %s", hold.id)
        self._sql_refused("REC-040", "DELETE FROM mrp_legal_hold WHERE id = %s", hold.id)
        self._sql_refused("REC-040", "UPDATE mrp_bpr SET legal_hold = false WHERE id = %s", self.bpr.id)


@tagged('post_install', '-at_install')
class TestDisposal(RetentionCommon):

    def _age(self):
        """Release the batch; its lot expired long ago, by the clock of PostgreSQL too."""
        self._expire(self.lot, '2020-06-30 12:00:00')
        self._release(self.bpr)
        self.assertEqual(fields.Date.to_string(self.bpr.retain_until), '2021-06-30')

    def test_before_the_date(self):
        """REC-040: before the date nobody removes or archives anything: administrator, superuser, import, SQL."""
        self._expire(self.lot, '2090-06-30 12:00:00')
        self._release(self.bpr)
        self._refused("2091-06-30", self._dispose)
        admin = self.env.ref('base.user_admin')
        for record in (self.bpr, self.bpr.step_ids[0], self.bpr.step_ids.entry_ids[0], self.bpr.result_ids[0],
                       self.bpr.release_signature_id, self.revision, self.order):
            for rows in (record.sudo(), record.with_user(admin).sudo(), record.sudo().with_context(force_delete=True)):
                with self.assertRefused('AUD-030', 'BPR-010', 'REC-040', 'SEC-020', 'SIG-030'):
                    rows.unlink()
            self._sql_refused("BPR-010|BPR-090|REC-040|SIG-030", f"DELETE FROM {record._table} WHERE id = %s", record.id)
        for query in (
                "UPDATE mrp_bpr_step SET planned = mrp_mmr_emptied(planned, '{}') WHERE bpr_id = %s",
                "UPDATE mrp_bpr_entry SET value = NULL, text = NULL WHERE bpr_id = %s",
                "UPDATE mrp_bpr_result SET criterion_label = NULL, unit = NULL, value = '-' WHERE bpr_id = %s",
                "UPDATE mrp_production SET mmr_snapshot = mrp_mmr_emptied(mmr_snapshot, '{}') WHERE id = ("
                "SELECT production_id FROM mrp_bpr WHERE id = %s)",
                "UPDATE mrp_bpr SET document = NULL WHERE id = %s"):
            self._sql_refused("BPR-090|REL-030|SIG-030|USE-020|USE-030", query, self.bpr.id)

    def test_clock(self):
        """REC-040: a clock of Odoo that runs ahead ends no retention: PostgreSQL has its own."""
        self._expire(self.lot, '2090-06-30 12:00:00')
        self._release(self.bpr)
        self.env.cr.execute("SELECT set_config('timezone', 'Pacific/Kiritimati', true)")
        with freeze_time('2092-01-01 12:00:00'):
            self.assertTrue(self.bpr.is_disposable)
            disposal = self.env['mrp.record.disposal'].with_user(self.user_qc)._record(self.bpr, "Over")
            with mute_logger('odoo.sql_db'):
                self.assertIn("REC-040", self._esign(disposal, 'dispose', self.user_qc)['refused'])
        self.env.invalidate_all()
        self.assertTrue(self.bpr.document)
        self.assertFalse(disposal.signature_id)

    def test_last_day(self):
        """REC-040, D-01, DAY-010: a record is kept through its last day where the company is; ORM and PostgreSQL."""
        self._expire(self.lot, '2027-06-30 12:00:00')
        self._release(self.bpr)
        for zone, moment, expected in (
                ('UTC', '2028-06-30 23:59:59', False), ('UTC', '2028-07-01 00:00:01', True),
                ('America/Los_Angeles', '2028-07-01 06:30:00', False), ('America/Los_Angeles', '2028-07-01 07:30:00', True),
                ('Asia/Tokyo', '2028-06-30 14:30:00', False), ('Asia/Tokyo', '2028-06-30 15:30:00', True),
                ('Pacific/Apia', '2028-07-01 10:30:00', False), ('Pacific/Apia', '2028-07-01 11:30:00', True)):
            with self.subTest(zone=zone, moment=moment), freeze_time(moment):
                self.company.mmr_tz = zone
                self.env.flush_all()
                self.bpr.invalidate_recordset()
                # At 12:00 UTC of 30 June it is 1 July in Apia.
                self.assertEqual(str(self.bpr.retain_until), '2028-07-01' if zone == 'Pacific/Apia' else '2028-06-30')
                self.assertEqual(self.bpr.is_disposable, expected)
                self.assertEqual(self.bpr in self.env['mrp.bpr'].search([('is_disposable', '=', True)]), expected)

    def test_signature(self):
        """REC-040, SIG-080: nothing goes without the signature of Quality Control and a reason; others are refused."""
        self._age()
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, 'reason_given'), self.env.cr.savepoint():
            self.env['mrp.record.disposal'].with_user(self.user_qc)._record(self.bpr, " ")
        self.env.invalidate_all()
        disposal = self.env['mrp.record.disposal'].with_user(self.user_qc)._record(self.bpr, "Over")
        for user in (self.operator, self._person('production'), self._person('qp'), self._person('quality_manager'),
                     self.user_manager):
            self.assertIn("APR-050", self._esign(disposal, 'dispose', user)['refused'])
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                self.env['mrp.record.dispose'].with_user(user).create({'bpr_ids': self.bpr.ids, 'reason': "x"})
        self.assertTrue(self.bpr.document)
        other = self.bpr.issue_signature_id
        for function, args in (
                (disposal.sudo().write, ({'signature_id': other.id},)), (disposal.sudo().unlink, ()),
                (disposal.sudo().create, ({'reason': "x"},)), (disposal.sudo().copy, ())):
            self._refused("REC-040", function, *args)
        for query in ("UPDATE mrp_record_disposal SET signature_id = %s WHERE id = %s",
                      "UPDATE mrp_record_disposal SET signature_id = %s, reason = 'x' WHERE id = %s"):
            self._sql_refused("REC-040", query, other.id, disposal.id)
        self._sql_refused("REC-040", "DELETE FROM mrp_record_disposal WHERE id = %s", disposal.id)
        self._sql_refused(
            "REC-040", "UPDATE mrp_bpr SET disposal_id = %s, document = NULL WHERE id = %s", disposal.id, self.bpr.id)
        # A hold that is set while the dialog is open.
        digest = self._digest(disposal)
        self._hold(bpr=self.bpr)
        self.assertIn("on hold", self._esign(disposal, 'dispose', self.user_qc, digest=digest)['refused'])
        # And where Odoo is patched, PostgreSQL refuses.
        self.patch(type(self.bpr), '_get_disposal_refusal', lambda self: None)
        with mute_logger('odoo.sql_db'):
            self.assertIn("REC-040", self._esign(disposal, 'dispose', self.user_qc)['refused'])

    def _digest(self, disposal):
        return disposal.with_user(self.user_qc).esign_prepare('dispose')['digest']

    def test_stub(self):
        """REC-040, AUD-040: the content goes, the stub, signatures and ledger stay, and everything verifies as disposed of."""
        self._age()
        document, steps = self.bpr.document_sha256, self.bpr.step_ids
        entries, results = steps.entry_ids, self.bpr.result_ids
        signatures = self.env['mrp.esignature'].sudo().search_count([])
        lines = self.env['mrp.audit.entry'].sudo().search_count([])
        self.assertEqual(self._findings(), [])
        disposal = self._dispose()
        signature = disposal.signature_id
        self.assertRecordValues(self.bpr, [{
            'disposal_id': disposal.id, 'document': False, 'document_sha256': document, 'release_state': 'released'}])
        [stub] = signature.content['batches']
        self.assertEqual(
            {name: stub[name] for name in ('id', 'name', 'document_sha256', 'keep_until', 'order')},
            {'id': self.bpr.id, 'name': self.bpr.name, 'document_sha256': document, 'keep_until': '2021-06-30',
             'order': self.order.name})
        self.assertEqual(stub['lots'][0]['name'], self.lot.name)
        self.assertEqual(stub['removed']['mrp_bpr_entry'], len(entries))
        self.assertEqual((signature.signer_name, disposal.reason), (self.user_qc.name, "Retention period over"))
        # Every word and number is gone from the rows.
        self.env.invalidate_all()
        self.assertTrue(steps.exists() == steps and entries.exists() == entries and results.exists() == results)
        for entry in entries:
            self.assertFalse(any((
                entry.value, entry.unit, entry.text, entry.data, entry.lot_id, entry.equipment_id, entry.file_id)))
        for result in results:
            self.assertIn(result.value, (False, DISPOSED_REASON))
            self.assertFalse(result.unit or result.criterion_label)
        for step in steps:
            self.assertFalse(step.planned['instruction'] or step.planned['checklist'] or step.planned['criterion'])
        snapshot = self.order.mmr_snapshot['document']
        self.assertEqual((snapshot['operations'], snapshot['components']), ([], []))
        self.assertEqual(snapshot['number'], self.revision.mmr_id.name)
        self.assertGreater(self.env['mrp.esignature'].sudo().search_count([]), signatures)
        self.assertGreater(self.env['mrp.audit.entry'].sudo().search_count([]), lines)
        self.env.flush_all()
        verification = Verification(self.env.cr)
        self.assertEqual([finding for finding in verification if finding.severity == ledger.FINDING], [])
        self.assertEqual(verification.counts['disposed'], 1)
        # It is signed once, and nothing of the stub changes any more.
        self.assertIn("REC-040", self._esign(disposal, 'dispose', self.user_qc, digest='0')['refused'])
        self._refused("was disposed of", self._dispose)
        for change in ("document = '{}'", "document_sha256 = 'x'", "disposal_id = NULL", "retain_until = NULL", "name = 'x'"):
            self._sql_refused("REC-040|REL-030|USE-030|REC-010", f"UPDATE mrp_bpr SET {change} WHERE id = %s", self.bpr.id)
        for query in ("DELETE FROM mrp_bpr WHERE id = %s", "UPDATE mrp_bpr_entry SET text = 'x' WHERE bpr_id = %s",
                      "DELETE FROM mrp_bpr_entry WHERE bpr_id = %s", "DELETE FROM mrp_bpr_step WHERE bpr_id = %s",
                      "UPDATE mrp_bpr_step SET planned = '{}' WHERE bpr_id = %s",
                      "UPDATE mrp_bpr_step SET name = 'x' WHERE bpr_id = %s"):
            self._sql_refused("BPR-010|SIG-030|USE-030", query, self.bpr.id)

    def test_photos(self):
        """REC-040: a photo that no other record uses goes with the batch; one that another record uses stays."""
        first, second = (row['position'] for row in self.bpr._get_specifications()[:2])
        other = self._make_completed()
        for bpr, position, name in (
                (self.bpr, first, "own.png"), (self.bpr, second, "shared.png"), (other, first, "shared.png")):
            bpr.with_user(self.user_qc).action_record_result(
                position, {'kind': 'reference', 'pass': True, 'file': {'name': name, 'data': PNG}})
        own_file, shared = self.bpr.result_ids.sorted('id').file_id
        self.assertEqual(other.result_ids.file_id, shared)
        self._age()
        disposal = self._dispose()
        self.assertEqual([row['id'] for row in disposal.signature_id.content['files']], own_file.ids)
        self.assertFalse(own_file.exists())
        self.assertTrue(shared.exists())
        self._sql_refused("SIG-030", "DELETE FROM mrp_mmr_file WHERE id = %s", shared.id)
        self.assertEqual(self._findings(), [])

    def test_others_stay(self):
        """REC-040: of two batches the one whose date has not passed is refused by name, and nothing of both goes."""
        other = self._make_completed()
        self._age()
        self._release(other)
        self._refused(other.name, self._dispose, self.bpr | other)
        wizard = Form(self.env['mrp.record.dispose'].with_user(self.user_qc).with_context(
            active_model='mrp.bpr', active_ids=(self.bpr | other).ids))
        self.assertIn(other.name, wizard.refusals)
        self.assertEqual(wizard.disposable_ids[:], self.bpr)
        wizard.reason = "Over"
        self._refused(other.name, wizard.save().action_dispose)
        wizard = Form(self.env['mrp.record.dispose'].with_user(self.user_qc))
        self.assertEqual(wizard.bpr_ids[:], self.bpr)
        wizard.reason = "Over"
        action = wizard.save().action_dispose()
        self._sign(self.env['mrp.record.disposal'].browse(action['params']['res_id']), 'dispose', self.user_qc)
        self.assertTrue(self.bpr.disposal_id)
        self.assertTrue(other.document)
        self.assertTrue(other.step_ids.entry_ids.filtered('value'))
        self.assertEqual(self._findings(), [])

    def test_on_stock(self):
        """REC-010: a lot without expiry that is on stock will be distributed again: its record is not disposed of yet."""
        self._release(self.bpr)
        with freeze_time('2020-03-15 12:00:00'):
            self._ship(self.lot)
        self.assertTrue(self.bpr.is_disposable)
        self._refused("in stock", self._dispose)
        self._ship(self.lot, 95)
        self._refused("last distribution", self._dispose)

    def test_shipment_without_row(self):
        """REC-010: a shipment of which a row is missing is recorded before anything is disposed of."""
        self._release(self.bpr)
        with freeze_time('2020-03-15 12:00:00'):
            self._ship(self.lot, 95)
        self._ship(self.lot, 5)
        with self._unguarded('mrp_bpr_distribution') as cr:
            cr.execute("DELETE FROM mrp_bpr_distribution WHERE quantity = 5")
        self.env['mrp.bpr']._update_retention()
        self._refused("last distribution", self._dispose)

    def test_rejected_batch(self):
        """REC-040: the record of a rejected and of a cancelled batch goes the same way; a cancelled one has no document."""
        self._sign(self.bpr, 'reject', self.user_qc, comment="Too low")
        order = self._create_order()
        order.action_confirm()
        order.action_cancel()
        bprs = self.bpr | order.bpr_id
        self._refused(self.bpr.name, self._dispose, bprs)
        with self._unguarded('mrp_bpr') as cr:
            cr.execute("UPDATE mrp_bpr SET cancelled_at = '2020-01-01' WHERE state = 'cancel'")
            cr.execute("UPDATE mrp_bpr SET released_at = '2020-01-01' WHERE release_state = 'rejected'")
        self.env['mrp.bpr']._update_retention()
        disposal = self._dispose(bprs)
        self.assertEqual(disposal.bpr_ids, bprs)
        self.assertFalse(any(bprs.mapped('document')))

    def test_shown(self):
        """REC-040, RPT-020: prints, sheets and bundles of what is gone are refused, naming the disposal; screens still open."""
        self._age()
        disposal = self._dispose()
        report = self.env['ir.actions.report'].with_user(self.user_qc)
        for name in ('mrp_mmr.report_bpr', 'mrp_mmr.report_release_certificate'):
            self._refused(disposal.name, report._render_qweb_html, name, self.bpr.ids)
        self._refused(disposal.name, self.qc._make_bundle)
        self._refused(disposal.name, self.order.with_user(self.user_qc)._make_bundle)
        self._refused(disposal.name, self._hold, bpr=self.bpr)
        for records in (self.bpr, self.bpr.step_ids, self.bpr.step_ids.entry_ids, self.bpr.result_ids, self.order, self.lot,
                        disposal, self.revision):
            self.assertTrue(records)
            records.invalidate_recordset()
            records.sudo().read()
            for user in (self.user_qc, self.user_auditor):
                for record in records:
                    Form(record.with_user(user))

    def test_tampered(self):
        """AUD-040, REC-040: content taken away behind the back of a disposal, or put back into a stub, is found."""
        self._age()
        self._dispose()
        other = self._release(self._make_completed())
        entry = other.step_ids.entry_ids.filtered('value')[0]
        gone = self.bpr.step_ids.entry_ids[0]
        disposal = self.bpr.disposal_id
        for record, change in (
                (entry, "value = NULL"), (gone, "value = '1'"), (other, f"disposal_id = {disposal.id}, document = NULL"),
                (self.bpr, "disposal_id = NULL"), (self.bpr, "document_sha256 = 'x'"), (self.bpr, "document = '{}'"),
                (disposal, "reason = 'x'"),
                (self.order, "mmr_snapshot = jsonb_set(mmr_snapshot, '{document,components}', '[1]')")):
            with self.subTest(record=record, change=change), self.env.cr.savepoint(flush=True) as savepoint:
                self.env.cr.execute(SQL("ALTER TABLE %s DISABLE TRIGGER USER", SQL.identifier(record._table)))
                self.env.cr.execute(f"UPDATE {record._table} SET {change} WHERE id = {record.id}")
                self.assertIn((record._name, record.id), {finding[:2] for finding in self._findings()})
                savepoint.rollback()
            self.env.invalidate_all()

    def test_cron(self):
        """REC-040: the job tells Quality Control what may be disposed of, once, and removes nothing."""
        self._age()
        before = self.bpr.document
        for _time in range(2):
            self.env['mrp.bpr']._cron_retention()
        mmr = self.revision.mmr_id
        activity = mmr.activity_ids.filtered(
            lambda row: row.activity_type_id == self.env.ref('mrp_mmr.mail_activity_type_retention'))
        self.assertEqual(len(activity), 1)
        self.assertTrue(activity.user_id.has_group('mrp_mmr.group_mmr_qc'))
        self.assertIn("1 batch record", activity.summary)
        self.assertEqual(self.bpr.document, before)
        self.assertFalse(self.env['mrp.record.disposal'].search([]))

    def test_list(self):
        """REC-040: the list of retention is read by Quality Control and auditors, with filters for what matters."""
        self._age()
        for user in (self.user_qc, self.user_auditor):
            bprs = self.env['mrp.bpr'].with_user(user)
            for domain in ([('is_disposable', '=', True)], [('retain_until', '<', 'today')], [('legal_hold', '=', False)]):
                self.assertIn(self.bpr, bprs.search(domain))
            self.assertNotIn(self.bpr, bprs.search([('is_disposable', '=', False)]))
            rows = bprs.search([('id', '=', self.bpr.id)]).read(['retain_until', 'retention_basis', 'legal_hold'])
            self.assertIn("111.605", rows[0]['retention_basis'])
