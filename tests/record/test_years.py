"""Lists and nightly jobs in a database of ten years: rows that are read and indexes, not seconds, which dev/bench measures."""

from datetime import date, datetime, timedelta

from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.mrp_mmr.models.quality.figures import QualityFigures

from ..common.base import MmrCommon
from ..common.rows import count_rows_read, explain, insert_copies, planned_as_large

BEGIN = datetime(2031, 6, 1)


@tagged('post_install', '-at_install')
class TestYears(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mmr = cls._make_effective(cls._create_mmr()).mmr_id
        cls.order = cls._create_order()
        cls.order.action_confirm()
        cls.bpr = cls.order.bpr_id
        cls.env.flush_all()

    def _copy_batches(self, number):
        """Insert copies of the batch: order and record; return the records."""
        first = self.env['mrp.bpr'].search_count([])
        orders = insert_copies(self.env.cr, 'mrp_production', self.order.id, [
            {'name': f'MO/{first + place}'} for place in range(number)])
        return self.env['mrp.bpr'].browse(insert_copies(self.env.cr, 'mrp_bpr', self.bpr.id, [
            {'name': f'BPR/MO/{order}', 'production_id': order, 'state': 'cancel', 'cancelled_at': BEGIN} for order in orders]))

    # === NIGHTLY === #

    def test_retention(self):
        """PRF-010, REC-010: the dates of ten times as many batches take ten times as many rows, and as many queries."""
        counts, queries, tables = [], [], ('mrp_bpr', 'mrp_production', 'mrp_bpr_distribution', 'mrp_mmr_revision')
        with self._unguarded('mrp_production', 'mrp_bpr') as cr:
            for number in (100, 900):
                bprs = self._copy_batches(number)
                self.env['mrp.bpr']._update_retention()
                dates = {bpr.retain_until for bpr in bprs}
                self.assertEqual((len(dates), False in dates), (1, False))
                with planned_as_large(cr, *tables):
                    before = cr.sql_log_count
                    counts.append(count_rows_read(cr, self.env['mrp.bpr']._update_retention))
                    queries.append(cr.sql_log_count - before)
        self.assertEqual(*queries)
        self.assertLess(counts[1], 12 * counts[0])

    # === REVIEWS === #

    def test_quality_review(self):
        """PRF-010, RPT-030: a product quality review asks for each part of a thousand batches once."""
        counts = []
        with self._unguarded('mrp_production', 'mrp_bpr') as cr:
            for number, year in ((10, 2031), (1990, 2032)):
                bprs = self._copy_batches(number)
                cr.execute(SQL("UPDATE mrp_bpr SET completed_at = %s, state = 'done' WHERE id IN %s",
                               datetime(year, 6, 1), bprs._ids))
                figures = None
                for _warm_up_and_count in range(2):
                    self.env.invalidate_all()
                    before = cr.sql_log_count
                    figures = QualityFigures(self.company, self.product, date(year, 1, 1), date(year, 12, 31)).build()
                    count = cr.sql_log_count - before
                self.assertEqual(len(figures['batches']), number)
                counts.append(count)
        self.assertLessEqual(counts[1], 2 * counts[0])

    # === LISTS === #

    def _plan(self, model, domain):
        """Return the plan of the first page of a list, as PostgreSQL plans it for a large table."""
        records = self.env[model].with_user(self.user_qc)
        query = records._search(domain, order=records._order, limit=80)
        return explain(self.env.cr, query.select(SQL.identifier(records._table, 'id')))

    def test_lists(self):
        """PRF-010: signatures, refused attempts and what is rare are read by an index in the order of the list; names too."""
        line = self.env['mrp.audit.entry'].sudo().search([], limit=1)
        signature = self.env['mrp.esignature'].sudo().search([], limit=1)
        cases = [
            ('mrp.esignature', [], 'mrp_esignature_time_idx'),
            ('mrp.audit.entry', [], 'mrp_audit_entry_pkey'),
            ('mrp.audit.entry', [('kind', 'in', ('refused', 'refused_sign'))], 'mrp_audit_entry_refused_idx'),
            ('mrp.audit.entry', [('kind', '=', 'setting')], 'mrp_audit_entry_rare_idx'),
        ]
        with self._unguarded('mrp_audit_entry', 'mrp_esignature') as cr:
            last = self.env['mrp.audit.entry'].sudo().search([('chain_id', '=', line.chain_id.id)], order='index desc', limit=1)
            insert_copies(cr, 'mrp_audit_entry', line.id, [
                {'index': last.index + place, 'kind': 'write', 'record_name': f"MO/{place}", 'company_id': self.company.id}
                for place in range(1, 20000)])
            insert_copies(cr, 'mrp_esignature', signature.id, [
                {'key_number': None, 'signed_at': BEGIN + timedelta(minutes=place), 'record_name': f"MO/{place}",
                 'company_id': self.company.id} for place in range(5000)])
            for table in ('mrp_audit_entry', 'mrp_esignature'):
                # what waits in the index's list would be counted as pages to be read
                cr.execute("SELECT gin_clean_pending_list(%s)", [f'{table}__record_name_index'])
            cr.execute("ANALYZE mrp_audit_entry, mrp_esignature")
            for model, domain, index in cases:
                with self.subTest(model=model, domain=domain):
                    plan = self._plan(model, domain)
                    self.assertIn(f'using {index}', plan)
                    self.assertNotIn('Sort', plan)
            for model, table in (('mrp.audit.entry', 'mrp_audit_entry'), ('mrp.esignature', 'mrp_esignature')):
                with self.subTest(model=model):
                    self.assertIn(f'on {table}__record_name_index', self._plan(model, [('record_name', 'ilike', "MO/4711")]))

    def test_no_index_for_nothing(self):
        """PRF-010: each line of the ledger pays for its indexes: none is on the person, that on the time is some pages."""
        self.env.cr.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'mrp_audit_entry'")
        definitions = [row[0] for row in self.env.cr.fetchall()]
        self.assertFalse([text for text in definitions if '(user_id' in text or 'btree (at' in text])
        self.assertTrue([text for text in definitions if 'brin (at)' in text])
