"""Product quality review: figures against a year that was reckoned by hand, signatures, prints, due reviews."""

import io
from datetime import date
from decimal import Decimal
from fractions import Fraction

from freezegun import freeze_time
from psycopg2 import DatabaseError
from pypdf import PdfReader

from odoo import Command, fields
from odoo.exceptions import AccessError
from odoo.tests import BaseCase, Form, tagged
from odoo.tools import mute_logger

from odoo.addons.mrp_mmr.domain.control_chart import describe, performance
from odoo.addons.mrp_mmr.models.quality.figures import QualityFigures, period_before
from odoo.addons.mrp_mmr.reports.chart_svg import _spread, chart_source
from odoo.addons.mrp_mmr.reports.xlsx_quality import write_quality_review
from odoo.addons.mrp_mmr.verification.records import Verification

from ..common.quality import YIELDS, QualityCommon
from ..reports.test_xlsx import read_book


@tagged('post_install', '-at_install')
class TestStatistics(BaseCase):

    def test_describe(self):
        """RPT-030: mean and standard deviation of a sample, exactly; a known example agrees (NIST, mass of ten washers)."""
        self.assertIsNone(describe([]))
        self.assertEqual(describe([Decimal(7)]), (1, 7, None, 7, 7))
        values = [Decimal(value) for value in ("2", "4", "4", "4", "5", "5", "7", "9")]
        statistics = describe(values)
        self.assertEqual((statistics.count, statistics.mean, statistics.lowest, statistics.highest), (8, 5, 2, 9))
        # 32 / 7 is the sum of squares over n - 1
        self.assertEqual(round(statistics.deviation ** 2, 20), round(Decimal(32) / 7, 20))

    def test_performance(self):
        """RPT-030: Ppk is the distance of the mean from the nearer limit in three standard deviations."""
        statistics = describe([Decimal(9), Decimal(10), Decimal(11)])
        self.assertEqual(performance(statistics, Decimal(4), Decimal(13)), 1)
        self.assertEqual(performance(statistics, Decimal(4)), 2)
        self.assertEqual(performance(statistics, None, Decimal(13)), 1)
        for arguments in ((statistics,), (None, Decimal(1)), (describe([Decimal(5)] * 3), Decimal(1))):
            self.assertIsNone(performance(*arguments))

    def test_period_before(self):
        """RPT-030: a year is compared with the year before, leap years included; other periods with as many days."""
        for period, expected in (
                (("2030-01-01", "2030-12-31"), ("2029-01-01", "2029-12-31")),
                (("2028-01-01", "2028-12-31"), ("2027-01-01", "2027-12-31")),
                (("2030-04-01", "2030-06-30"), ("2030-01-01", "2030-03-31")),
                (("2030-03-10", "2030-03-12"), ("2030-03-07", "2030-03-09"))):
            with self.subTest(period=period):
                self.assertEqual(
                    period_before(*map(date.fromisoformat, period)), tuple(map(date.fromisoformat, expected)))

    def test_chart(self):
        """RPT-030: a chart is drawn for one batch and for many; labels do not cover each other."""
        self.assertTrue(chart_source([("B/1", "98", False)], []).startswith('data:image/svg+xml;base64,'))
        self.assertTrue(chart_source([(f"B/<{n}>", str(n), n == 3) for n in range(400)], [("mean", "200", 'mean')]))
        self.assertEqual(_spread([]), [])
        places = _spread([50.0, 51.0, 49.0, 150.0])
        self.assertEqual(places, [60.0, 71.0, 49.0, 150.0])


@tagged('post_install', '-at_install')
class TestQualityReview(QualityCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.review = cls._create_review()

    def _figures(self, date_from="2030-01-01", date_to="2030-12-31"):
        self.env.flush_all()
        return QualityFigures(
            self.company, self.product, date.fromisoformat(date_from), date.fromisoformat(date_to)).build()

    def _approve(self, review):
        with freeze_time("2031-02-01 08:00:00"):
            self._sign(review, 'prepare', self._person('quality_manager'))
            self._sign(review, 'approve', self.user_qc)
        return review

    # === FIGURES === #

    def test_batches(self):
        """RPT-030: twelve batches of 2030 with their states; the one of 2029 is in the period before."""
        figures = self._figures()
        self.assertEqual([row['name'] for row in figures['batches']], self.batches.mapped('name'))
        states = ['released'] * 4 + ['review'] * 6 + ['rejected', 'open']
        self.assertEqual([row['state'] for row in figures['batches']], states)
        self.assertEqual(figures['summary']['states'], {'released': 4, 'review': 6, 'rejected': 1, 'open': 1})
        self.assertEqual([row['yield'] for row in figures['batches']], [*YIELDS, None])
        self.assertEqual([row['deviations'] for row in figures['batches']], [0] * 4 + [1, 1] + [0] * 4 + [1, 1])
        self.assertEqual([row['made'] for row in figures['batches']], [*YIELDS, None])
        self.assertEqual(figures['batches'][10]['rejection'], {'by': self.user_qc.name, 'reason': "Yield too low"})
        self.assertEqual([row['revision'] for row in figures['batches']], [1] * 6 + [2] * 6)
        self.assertEqual((figures['before']['from'], figures['before']['batches']), ("2029-01-01", 1))
        self.assertEqual(figures['before']['yield']['mean'], '100')
        # What was reported in 2030 about the batch of 2029 belongs to 2030.
        self.assertEqual((figures['before']['deviations'], figures['summary']['deviations']), (0, 5))

    def test_period(self):
        """RPT-030: days are those where the company is: a batch of shortly before midnight is of the day that it was there."""
        self.batches.flush_recordset()
        names = self.batches.mapped('name')
        for zone, day, expected in (
                ('UTC', "2030-03-10", names[2:3]), ('Pacific/Kiritimati', "2030-03-10", names[2:3]),
                ('Pacific/Pago_Pago', "2030-03-09", names[2:3]), ('Pacific/Pago_Pago', "2030-03-10", [])):
            with self.subTest(zone=zone, day=day):
                self.company.mmr_tz = zone
                self.assertEqual([row['name'] for row in self._figures(day, day)['batches']], expected)

    def test_yields(self):
        """RPT-030, YLD-020: mean, standard deviation and chart of the final yields equal hand-reckoned values, to six digits.

        Sum 1076.25, sum of squares 105332.0625; moving ranges 1, 1.5, 1, 1, 1.5, 1, 1.5, 0.5, 0.75, 5.25 with mean 1.5.
        """
        final = self._figures()['yields'][-1]
        self.assertIsNone(final['stage'])
        values = [Fraction(value) for value in YIELDS]
        self.assertEqual((sum(values), sum(value ** 2 for value in values)), (Fraction('1076.25'), Fraction('105332.0625')))
        self.assertEqual(
            {name: final[name] for name in ('count', 'mean', 'deviation', 'lowest', 'highest')},
            {'count': 11, 'mean': '97.840909', 'deviation': '1.75454', 'lowest': '93', 'highest': '99.5'})
        # 97.840909… ± 3 × 1.5 ÷ 1.128
        self.assertEqual(final['chart'], {
            'mean': '97.840909', 'moving_range': '1.5', 'lower': '93.851547', 'upper': '101.830271'})
        self.assertEqual(final['outside'], [self.batches[10].name])
        self.assertEqual(final['out_of_band'], [self.batches[10].name])
        self.assertEqual(final['band'], {'minimum': '95', 'maximum': '102'})
        self.assertEqual(self._figures()['summary']['yield']['mean'], '97.840909')

    def test_results(self):
        """RPT-030: statistics of the results that count, what was out of specification, its retest and the reason."""
        figures = self._figures()
        tests = {row['test']: row for row in figures['tests']}
        self.assertEqual(tests.keys(), {"Assay", "Appearance", "Text and version"})
        assay = tests["Assay"]
        # 99, 100.5, 101, 98.5 and the retest 99.2: squares of the distances 0.4096, 0.7396, 1.8496, 1.2996, 0.1936
        values = [Fraction(value) for value in ("99", "100.5", "101", "98.5", "99.2")]
        variance = sum((value - Fraction('99.64')) ** 2 for value in values) / 4
        self.assertEqual(variance, Fraction('1.123'))
        self.assertEqual(
            [assay[name] for name in (
                'count', 'passed', 'failed', 'mean', 'deviation', 'lowest', 'highest', 'minimum', 'maximum')],
            [5, 5, 0, '99.64', '1.059717', '98.5', '101', '95', '105'])
        # (99.64 - 95) ÷ (3 × 1.059717)
        self.assertEqual(assay['performance'], '1.459509')
        self.assertEqual([tests[name]['passed'] for name in ("Appearance", "Text and version")], [4, 4])
        [failed] = figures['out_of_specification']
        self.assertEqual(
            [failed[name] for name in ('batch', 'test', 'value', 'retests', 'retest_reason', 'final')],
            [self.batches[4].name, "Assay", '94.9', ["99.2 %"], "Column was damaged", 'pass'])

    def test_deviations(self):
        """RPT-030: deviations by source and severity, CAPA with overdue actions, reprocessing, rejected lots, changes."""
        figures = self._figures()
        self.assertEqual([(row['title'], row['source'], row['severity'], row['batch']) for row in figures['deviations']
                          if row['source'] in ('complaint', 'occurrence')], [
            ("Glass found", 'occurrence', 'critical', self.batches[5].name),
            ("Lumps", 'complaint', 'minor', self.earlier.name),
            ("Lumps", 'occurrence', 'minor', self.batches[11].name)])
        self.assertEqual(sorted(row['batch'] for row in figures['deviations'] if row['source'] == 'specification'),
                         sorted([self.batches[4].name, self.batches[10].name]))
        self.assertEqual(figures['summary']['deviations'], 5)
        self.assertEqual(figures['summary']['right_first_time'], '72.727273')     # 8 of 11
        for day, is_overdue in (("2030-09-30", False), ("2030-10-01", True)):
            with freeze_time(day):
                [capa] = self._figures()['capa']
            self.assertEqual(
                (capa['name'], capa['is_overdue'], capa['open_actions'], len(capa['deviations'])),
                (self.capa.name, is_overdue, 1, 1))
        [rework] = figures['rework']
        self.assertEqual((rework['batch'], rework['lot'], rework['quantity'], rework['kind']),
                         (self.batches[11].name, "LUMPS", '2.5', 'adjust'))
        [lot] = figures['lots']
        self.assertEqual((lot['lot'], lot['product']['code'], lot['reason']), ("ASC-BAD", "ASC", "Wrong colour"))
        self.assertEqual(
            [(row['batches'], row['is_new'], row['reason']) for row in figures['revisions']],
            [(6, False, "First revision"), (6, True, "Fewer lumps")])
        self.assertEqual(figures['equipment'], [])

    def test_equipment(self):
        """RPT-030, IPC-070: a calibration that failed in the period for a unit that a batch was made with."""
        unit = self.batches[0].step_ids.entry_ids.equipment_id[:1]
        unit.with_user(self.user_qc).mmr_is_instrument = True
        with freeze_time("2030-12-28 08:00:00"):
            self._calibrate(unit, 'fail')
        figures = self._figures()
        self.assertEqual([(row['equipment'], row['found']) for row in figures['equipment']], [(unit.name, "1000.0 g")])
        self.assertEqual(self._figures("2030-01-01", "2030-06-30")['equipment'], [])

    def test_nothing(self):
        """RPT-030: a period without a batch gives a review that says so, on screen, on paper and as a spreadsheet."""
        review = self._create_review(date_from='2027-01-01', date_to='2027-12-31')
        self.assertIn("none", review.figures_html)
        self.assertEqual(review._get_document()['summary']['batches'], 0)
        self.env['ir.actions.report']._render_qweb_html('mrp_mmr.report_quality_review', review.ids)
        self.assertTrue(write_quality_review(review).startswith(b'PK'))

    def test_queries(self):
        """RPT-030: queries do not grow with the batches: two need exactly as many as four, and a year has a bound."""
        counts = []
        for date_to in ("2030-02-28", "2030-04-30", "2030-12-31"):
            self.env.flush_all()
            for _run in range(2):
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                QualityFigures(self.company, self.product, date(2030, 1, 1), date.fromisoformat(date_to)).build()
                count = self.env.cr.sql_log_count - before
            counts.append(count)
        self.assertEqual(counts[0], counts[1])
        # A period with deviations, retests and rework asks for their parts, each once.
        self.assertLess(counts[2], 110)

    # === SIGNATURES === #

    @freeze_time("2031-02-01 08:00:00")
    def test_signing(self):
        """RPT-030, SIG-030: two persons sign one frozen document; later events change neither it nor its print."""
        review = self.review
        prepared = self._sign(review, 'prepare', self._person('quality_manager'))
        self.assertRecordValues(review, [{'state': 'prepared', 'document_sha256': prepared.content_sha256}])
        self.assertEqual(review.document, prepared.content)
        self.assertEqual(review.document['conclusion'], "The process is in control.")
        html = self._render(review)
        self.env['mrp.deviation']._open_all(self.batches[0], 'complaint', "Too late", "After the signature.")
        self.product.name = "Renamed"
        self.assertEqual(self._render(review), html)
        approved = self._sign(review, 'approve', self.user_qc)
        self.assertRecordValues(review, [{'state': 'approved', 'approved_signature_id': approved.id}])
        self.assertEqual((approved.basis_signature_id, approved.content_sha256), (prepared, prepared.content_sha256))
        # The next review names what this one asked for.
        following = self._create_review(date_from='2031-01-01', date_to='2031-12-31')
        self.assertEqual(following._get_document()['earlier']['name'], review.name)
        self.assertEqual([str(finding) for finding in Verification(self.env.cr) if finding.model.startswith('mrp.quality')], [])

    def _render(self, review):
        return self.env['ir.actions.report']._render_qweb_html('mrp_mmr.report_quality_review', review.ids)[0].decode(
            ).partition("Document, SHA-256")[2].partition("Signatures</h2>")[0]

    @freeze_time("2031-02-01 08:00:00")
    def test_refused(self):
        """RPT-030, APR-040, SEC-010: who prepared does not approve; nobody signs without conclusions or before the end."""
        manager, qc = self._person('quality_manager'), self.user_qc
        for vals, words in (
                ({'conclusion': " "}, "conclusions"), ({'actions': False}, "actions"),
                ({'product_ids': [Command.clear()]}, "product"),
                ({'product_ids': [Command.link(self.component_other.id)]}, "together"),
                ({'date_to': '2031-02-01'}, "not over")):
            with self.subTest(vals=vals):
                review = self._create_review(**({} if 'product_ids' in vals else vals))
                if 'product_ids' in vals:
                    review.write(vals)
                self.assertIn(words, self._esign(review, 'prepare', manager, digest='0')['refused'])
        review = self._create_review(qc)
        for user in (self.user_auditor, self._person('qp')):
            with self.assertRaises(AccessError):
                self._create_review(user)
        self.assertIn("APR-050", self._esign(review, 'prepare', self._person('production'), digest='0')['refused'])
        self._sign(review, 'prepare', qc)
        self.assertIn("APR-040", self._esign(review, 'approve', qc)['refused'])
        self.assertIn("APR-050", self._esign(review, 'approve', manager)['refused'])
        for action in ('prepare', 'unknown'):
            self.assertIn("refused", self._esign(review, action, qc, digest='0'))
        self.assertIn("reason", self._esign(review, 'reject', qc)['refused'])
        self._sign(review, 'reject', qc, comment="Stability is missing")
        self.assertRecordValues(review, [{'state': 'draft', 'document': False, 'prepared_signature_id': False}])
        self.assertTrue(review.esignature_ids.filtered('is_void'))
        review.other_information = "Stability: no trend."
        self._sign(review, 'prepare', qc)
        self._sign(review, 'approve', self.user_both)
        self.assertEqual(review.document['other_information'], "Stability: no trend.")

    @freeze_time("2031-02-01 08:00:00")
    @mute_logger('odoo.sql_db')
    def test_kept(self):
        """RPT-030, SEC-020, AUD-030: what was signed changes by no road; a draft that nobody signed may be deleted."""
        draft = self._create_review()
        draft.unlink()
        review = self.review
        for vals in ({'state': 'approved'}, {'document': {}}, {'name': "PQR/1"}, {'company_id': self.company.id}):
            with self.assertRefused('SIG-030'):
                review.sudo().write(vals)
        with self.assertRefused('SIG-030'):
            review.create({'product_ids': self.product.ids, 'state': 'approved'})
        with self.assertRefused('RPT-030'):
            review.copy()
        self._sql_refused("UPDATE mrp_quality_review SET state = 'approved' WHERE id = %s", review.id)
        self._sign(review, 'prepare', self._person('quality_manager'))
        for vals in ({'conclusion': "Better"}, {'product_ids': [Command.clear()]}, {'date_from': '2030-02-01'}):
            with self.assertRefused('SIG-030'):
                review.sudo().write(vals)
        with self.assertRefused('SIG-030'):
            review.sudo().unlink()
        signature = review.prepared_signature_id.id
        for change in ("conclusion = 'Better'", "date_to = date_to + 1", "document = '{}'", "document_sha256 = 'x'",
                       "state = 'draft', document = NULL, document_sha256 = NULL, prepared_signature_id = NULL",
                       f"state = 'approved', approved_signature_id = {signature}", "state = 'forged'", "name = 'PQR/1'"):
            with self.subTest(change=change):
                self._sql_refused(f"UPDATE mrp_quality_review SET {change} WHERE id = %s", review.id)
        for statement in ("DELETE FROM mrp_quality_review WHERE id = %s",
                          "DELETE FROM mrp_quality_review_product_rel WHERE review_id = %s",
                          f"INSERT INTO mrp_quality_review_product_rel VALUES (%s, {self.component_a.id})"):
            self._sql_refused(statement, review.id)
        self._sign(review, 'approve', self.user_qc)
        self._sql_refused(
            "UPDATE mrp_quality_review SET state = 'prepared', approved_signature_id = NULL WHERE id = %s", review.id)

    def _sql_refused(self, statement, review_id):
        with self.assertRefused("RPT-030", error=DatabaseError):
            self.env.cr.execute(statement, [review_id])

    # === SCREEN, PAPER, SPREADSHEET === #

    def test_form(self):
        """RPT-030, PRD-090: the form proposes the last year and shows the figures of what was chosen before it is saved."""
        with freeze_time("2031-02-01"):
            form = Form(self.env['mrp.quality.review'].with_user(self._person('quality_manager')))
            self.assertEqual((form.date_from, form.date_to), (date(2030, 1, 1), date(2030, 12, 31)))
            form.product_ids.add(self.product)
            self.assertIn(self.batches[0].name, form.figures_html)
            review = form.save()
        self.assertEqual(review.profile_ids, self.first.profile_id)
        self.assertTrue(review.name.startswith("PQR/"))
        self.assertEqual(review.action_open_batches()['domain'], [('id', 'in', self.batches.ids)])

    def test_print(self):
        """RPT-030, SIG-020: the print has conclusions, every batch, the charts and both signatures; a draft says so."""
        reports = self.env['ir.actions.report'].with_user(self.user_auditor).with_context(force_report_rendering=True)
        pages = PdfReader(io.BytesIO(reports._render_qweb_pdf('mrp_mmr.report_quality_review', self.review.ids)[0])).pages
        self.assertTrue(all("DRAFT" in page.extract_text() for page in pages))
        self._approve(self.review)
        pages = PdfReader(io.BytesIO(reports._render_qweb_pdf('mrp_mmr.report_quality_review', self.review.ids)[0])).pages
        text = ' '.join(' '.join(page.extract_text() for page in pages).split())
        for words in (*self.batches.mapped('name'), "97.84", "1.75", "93.85", "101.83", "Yield too low", "ASC-BAD",
                      "Column was damaged", "Fewer lumps", self.capa.name, "The process is in control.", "72.73",
                      self.user_qc.name, self.review.document_sha256):
            self.assertIn(words, text)
        self.assertNotIn("DRAFT", text)

    def test_xlsx(self):
        """RPT-030: the spreadsheet has numbers to reckon with: its mean of the yields is that of the review."""
        sheets = read_book(write_quality_review(self.review.with_user(self.user_auditor)))
        percents = [value for stage, value in zip(
            sheets["Yields of batches"].column("Stage"), sheets["Yields of batches"].column("Yield (%)"), strict=True)
            if stage == "End of manufacture"]
        self.assertEqual(percents, [float(value) for value in YIELDS])
        self.assertAlmostEqual(sum(percents) / len(percents), sheets["Yields"].column("Mean (%)")[-1], 6)
        self.assertEqual(sheets["Batches"].column("Deviations"), [0] * 4 + [1, 1] + [0] * 4 + [1, 1])
        self.assertEqual(sheets["Out of specification"].column("Result"), [94.9])
        summary = dict(zip(sheets["Summary"].column("Figure"), sheets["Summary"].column("Period"), strict=True))
        self.assertEqual((summary["Batches"], summary["Rejected"], summary["Cancelled"]), (12, 1, 0))

    # === DUE === #

    def test_due(self):
        """RPT-030: under Part 211 Quality Control is asked for batches of more than a year ago without an approved review."""
        reviews, mmr = self.env['mrp.quality.review'], self.first.mmr_id
        with freeze_time("2031-03-01"):
            self.assertFalse(reviews._get_due_mmrs() & mmr, "optional under Part 111")
            requirement = self.env.ref('mrp_mmr.requirement_p111_rpt_030')
            self._sign(requirement, 'switch_on', self.user_qc, comment="The customers ask for it.")
            self.assertIn(mmr, reviews._get_due_mmrs())
            reviews._cron_due()
            reviews._cron_due()
            activity = mmr.activity_ids.filtered(
                lambda row: row.activity_type_id == self.env.ref('mrp_mmr.mail_activity_type_quality_review'))
            self.assertEqual(len(activity), 1)
            self._approve(self._create_review(date_from='2029-01-01'))
            self.assertNotIn(mmr, reviews._get_due_mmrs())
            self.assertFalse(activity.exists())
        self.assertTrue(self.env.ref('mrp_mmr.requirement_p211_rpt_030').enabled)
        with freeze_time(fields.Datetime.to_datetime("2032-06-01")):
            self.assertNotIn(mmr, reviews._get_due_mmrs())
