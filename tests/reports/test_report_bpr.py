"""Prints and exports of batch production records (RPT-020)."""

import html
import io
import json
import re

import pypdf
from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import SQL

from odoo.addons.mrp_mmr.domain import days
from odoo.addons.mrp_mmr.domain import wording as labels
from odoo.addons.mrp_mmr.reports.report_bpr import CANCELLED, IN_PROGRESS
from odoo.addons.mrp_mmr.reports.xlsx_bpr import write_batch

from ..common.base import PASSWORD, expect
from ..common.batch import BatchCommon
from .test_report import CODES, FLAGS, leaves, read_pages, squeeze
from .test_xlsx import read_book

REPORT = 'mrp_mmr.report_bpr'
#: Leaves of a planned step that the print has no words for: links, positions, and what stands elsewhere.
UNPRINTED = {
    'id', 'unit_id', 'product_unit_quantity', 'position', 'component', 'equipment', 'origin', 'scope', 'adds', 'predecessors',
    'operation', 'code', 'is_active', 'is_declared', 'in_product', 'weighing_verified', 'addition_verified', 'overage',
    'supplier', 'strength', 'tolerance_justification', 'rationale',
}


class ReportBprCommon(BatchCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if cls.env['ir.actions.report'].get_wkhtmltopdf_state() == 'install':
            cls.skipTest(cls, "wkhtmltopdf is not installed")

    @classmethod
    def _print(cls, bprs, user=None, report=REPORT):
        pdf, report_type = cls.env['ir.actions.report'].with_user(user or cls.user_auditor).with_context(
            force_report_rendering=True)._render_qweb_pdf(report, bprs.ids)
        expect(report_type, 'pdf')
        return pdf

    @classmethod
    def _print_pages(cls, bprs, user=None):
        return read_pages(cls._print(bprs, user))

    def _utc(self, timestamp):
        return f"{timestamp:%Y-%m-%d %H:%M:%S}"


@tagged('post_install', '-at_install')
class TestReportBpr(ReportBprCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bpr = cls._make_batch()
        cls.revision = cls.bpr.mmr_revision_id
        cls.pages = cls._print_pages(cls.bpr)
        cls.text = ' '.join(cls.pages)

    def _assert_printed(self, text, values):
        """Assert that each value is in the squeezed text; return how many there are."""
        values = [value for value in values if value not in (None, False, '')]
        self.assertFalse([value for value in values if squeeze(str(value)) not in text])
        return len(values)

    # === CONTENT === #

    def test_every_value(self):
        """RPT-020, BPR-020 to BPR-180, SIG-020: whatever was recorded in a complete batch is in its print."""
        bpr, text = self.bpr, squeeze(self.text)
        order = bpr.production_id
        self._assert_printed(text, [
            bpr.name, order.name, "VC-2031-001", order.mmr_snapshot_sha256, bpr.plan_sha256,
            bpr.mmr_revision_id.document_sha256, bpr.mmr_revision_id.mmr_id.name,
            "Snapshot and steps are what was signed.", self._utc(bpr.started_at),
            self._utc(bpr.completed_at), "97.5 kg", "500 mg per tablet", "Protect from moisture."])
        entries = bpr.step_ids.entry_ids
        self.assertEqual(len(entries), 36)
        self.assertEqual(set(entries.mapped('kind')), {
            'check', 'value', 'outcome', 'weight', 'equipment', 'yield', 'labels', 'material', 'sample', 'photo', 'comment',
            'handover'})
        for entry in entries:
            self._assert_printed(text, [
                *(entry[name] for name in (
                    'value', 'unit', 'text', 'lot_name', 'equipment_name', 'user_name', 'reason', 'device')),
                self._utc(entry.at), entry.file_id.name, entry.file_id.sha256,
                *(value for key, value in (entry.data or {}).items()
                  if key not in ('unit_id', 'product', 'adjusted', 'cleaning')),
                (entry.data or {}).get('adjusted', {}).get('formula'),
                *((entry.data or {}).get('cleaning', {}).get(name) for name in ('id', 'procedure')),
                days.clock((entry.data or {}).get('cleaning', {}).get('at'), 'UTC')])
        for step in bpr.step_ids:
            self._assert_printed(text, [step.code, step.name, self._utc(step.closed_at)])
            planned = [
                self._get_word(path, value) for path, value in leaves(step.planned)
                if UNPRINTED.isdisjoint(path) and value is not None and not isinstance(value, bool) and 'stage' not in path]
            self.assertGreater(self._assert_printed(text, planned), 3)
        for deviation in bpr.deviation_ids:
            self._assert_printed(text, [
                *(deviation[name] for name in (
                    'name', 'title', 'stage_name', 'description', 'corrective_action')), self._utc(deviation.reported_at),
                deviation.decision_signature_id.comment, deviation.decision_signature_id.signer_name])
        signatures = bpr.esignature_ids | bpr.step_ids.esignature_ids | entries.esignature_ids
        signatures |= bpr.deviation_ids.esignature_ids
        self.assertGreater(len(signatures), 35)
        for signature in signatures:
            self._assert_printed(text, [
                *(signature[name] for name in (
                    'signer_name', 'signer_login', 'signer_role', 'statement', 'comment', 'content_sha256',
                    'signature_sha256')),
                signature._get_meaning_label(), self._utc(signature.signed_at), signature.signer_tz])
        for pack in bpr.mmr_revision_id.pack_ids:
            self._assert_printed(text, [pack.name, pack.description, pack.label_id.code])

    def test_first_page(self):
        """U-27, RPT-020, YLD-040: lot, expiry, decision and yield are on the first page, and who issued the record."""
        self._assert_printed(squeeze(self.pages[0]), [
            "Lot of the batch VC-2031-001", "Expires no expiry date", "Decision To be reviewed", "Quantity made 97.5 kg",
            "Yield 97.5 % of 100 kg (95 – 102 %)", f"Issued by {self.bpr.issue_signature_id.signer_name}",
            f"Completed {self._utc(self.bpr.completed_at)} UTC"])

    def test_compact(self):
        """U-27, RPT-020: a batch of two dozen steps is on less than two dozen pages, with each title of a step once."""
        self.assertEqual(len(self.bpr.step_ids), 23)
        self.assertLessEqual(len(self.pages), 23)
        for step in self.bpr.step_ids:
            self.assertEqual(len(re.findall(rf'{step.code} {re.escape(step.name)} · \w+', self.text)), 1, step.name)
        for title in ("3.3 Appearance · Done", "3.6 Clean the room · Not done", "1.1 Weigh and add Ascorbic acid · Done"):
            self.assertRegex(self.text, rf"{title} (Pass / fail check|Instruction|Weigh and add) · Manual")
        self.assertGreater(len(self.pages[-1]), 700, "no page with one line")

    def _get_word(self, path, value):
        """Return what the print says for a leaf of a planned step; None where it has no words for it."""
        key = path[-1]
        if key in FLAGS or key == 'comparison' or key == 'kind' and len(path) > 1:
            return None
        codes = labels.code_labels(self.env)
        if key == 'role':
            return codes['role'][value]
        return codes[CODES[key]].get(value, value) if key in CODES else value

    def test_trail(self):
        """RPT-020, AUD-050: the audit trail of the batch is in the print, line by line, but for prints of it."""
        bpr = self.bpr
        text = ' '.join(self._print_pages(bpr))
        trail = text[text.index("Audit Trail"):]
        chain = self.env['mrp.audit.chain'].sudo().search(
            [('res_model', '=', 'mrp.production'), ('res_id', '=', bpr.production_id.id)])
        lines = chain.entry_ids.sorted('index')
        self.assertIn('print', lines.mapped('kind'))
        self.assertGreater(len(lines), 100)
        for line in lines:
            self.assertEqual(
                f" {line.index} {line.at:%Y-%m-%d %H:%M:%S} {line.user_name}" in trail, line.kind != 'print', line.index)
        self.assertIn("→", trail, "old and new values")
        self.assertIn("Reason: Sample was too small", trail)

    def test_four_entries(self):
        """BPR-060, BPR-110: each lot of a component with its amount, and who weighed, verified, added, verified that."""
        bpr, text = self.bpr, self.text
        table = text[text.index("Components Used"):text.index("Equipment Used")]
        step = bpr.step_ids.filtered(lambda step: step.kind == 'weigh')[0]
        signed = ' '.join(
            f"{signature.signer_name} {self._utc(signature.signed_at)} UTC" for signature in (
                step.performed_signature_id, step.verified_signature_id, step.added_signature_id,
                step.addition_verified_signature_id))
        self.assertIn(squeeze(
            "1 [ASC] Ascorbic acid Target: 94.5 kg (94.5 × 98.5 − 50.05 × 98.5) ÷ 98.5 = 44.45 kg "
            f"ASC-7001 Expires: no expiry date 50.05 kg container 1 of 2 {signed}"), squeeze(table))
        self.assertIn(squeeze("ASC-7002 Expires: no expiry date 44.45 kg container 2 of 2"), squeeze(table))
        self.assertIn("Total of component 1 94.5 kg Difference: 0 kg", table)
        self.assertIn("Total of component 2 9.875 kg Difference: -0.125 kg", table)

    def test_corrections(self):
        """RPT-020, AUD-020: the old value is struck through, the new one names it, its reason and its signatures."""
        bpr, text = self.bpr, self.text
        html = self.env['ir.actions.report'].with_user(self.user_auditor)._render_qweb_html(REPORT, bpr.ids)[0].decode()
        self.assertRegex(html, r'o_void_text[^>]*><strong>60\.05 kg')
        self.assertRegex(html, r'o_void_text[^>]*><strong>2\.25 %')
        self.assertNotRegex(html, r'o_void_text[^>]*><strong>2\.35 %')
        self.assertIn("CORRECTED corrected by entry 2", text)
        self.assertIn("CORRECTION corrects entry 1 Reason: Digit misread", text)
        correction = squeeze(text[text.index("Reason: Transposed digits"):])[:300]
        self.assertIn("Correction,Performed:Testt_operator2031-03-03", correction)
        self.assertIn("Verified,Verified:Testt_verifier2031-03-03", correction)
        self.assertRegex(text, r"LATE ENTRY Reason: Forgotten during the shift")

    def test_yields_and_labels(self):
        """BPR-070, BPR-120, YLD-010, YLD-040: each yield with percentage and band; packaging and labels reconciled."""
        text = self.text
        self.assertIn("Blending 99 kg 96.525 kg 97.5 % 96 – 101 % Within limits", text)
        self.assertIn("End of manufacture 100 kg 97.5 kg 97.5 % 95 – 102 % Within limits", text)
        packing = text[text.index("Packaging Materials and Labels"):]
        self.assertRegex(packing, r"Bottle of 60 Magnesium stearate BOT-9 entry \d+ 1700 1625 5 70 0")
        self.assertRegex(packing, r"Bottle of 60 Magnesium stearate CAP-3 entry \d+ 1650 1625 20 0 5")
        self.assertRegex(packing, r"LBL-1 1 LBL-555 entry \d+ 1000 940 31 17 2 10 Out of limits")

    def test_nothing_recorded(self):
        """RPT-020: what nobody recorded or signed is printed as such and never blank; each page says IN PROGRESS."""
        bpr = self._release_batch(self.revision, "VC-2031-002")
        pages = self._print_pages(bpr)
        self.assertGreater(len(pages), 5)
        for page in pages:
            self.assertEqual(page.count(IN_PROGRESS), 1)
        text = re.sub(rf'\s*{IN_PROGRESS}\s*', ' ', ' '.join(pages))
        for expected in (
                "Weight not recorded", "Checklist: Oven is clean not recorded", "Sample not recorded", "Reading not recorded",
                "Performed not recorded", "Verified not recorded", "Addition verified not recorded", "Yield not recorded",
                "Labels not recorded", "Photo not recorded", "Decision of Quality Control not recorded",
                "Started not recorded Closed not recorded", "Completed not recorded", "Quantity made not recorded"):
            self.assertIn(expected, text)
        materials = text[text.index("Components Used"):text.index(" Yields ")]
        self.assertEqual(materials.count("not recorded"), 2 * 5, "lot and four entries of two components")
        self.assertNotIn("False", text)
        self.assertNotIn("None", text.replace("None.", ""))

    # === STAMP === #

    def test_watermark(self):
        """RPT-020, PRD-030: only a complete record bears no mark; it says what became of its MMR since."""
        revision = self.revision
        running = self._release_batch(revision, "VC-2031-002")
        other = self._release_batch(revision, "VC-2031-003")
        other.production_id.action_cancel()
        for record, mark in ((running, IN_PROGRESS), (other, CANCELLED), (self.bpr, None)):
            pages = self.pages if record == self.bpr else self._print_pages(record)
            self.assertTrue(pages)
            for number, page in enumerate(pages, 1):
                for word in (IN_PROGRESS, CANCELLED):
                    self.assertEqual(page.count(word), int(word == mark), record.name)
                self.assertIn(f"{record.name} · {revision.mmr_id.name} · revision 1, Effective", page)
                self.assertIn(f"Page {number} of {len(pages)}", page)
                self.assertRegex(page, r"Ledger line \d+, SHA-256 [0-9a-f]{16}…")

    def test_expiry_and_clock(self):
        """D-02, 111.260: the print has the expiry of the lot and of component lots, and times on the clock of the company."""
        bpr, report = self.bpr, self.env['ir.actions.report'].with_user(self.user_auditor).with_context(tz='Asia/Tokyo')

        def render():
            self.env.invalidate_all()
            content = report._render_qweb_html(REPORT, bpr.ids)[0].decode()
            return squeeze(html.unescape(re.sub(r'<[^>]+>', ' ', content[content.index('</head>'):])))

        self.assertIn(squeeze("no expiry date"), render())
        lot = bpr.step_ids.entry_ids.filtered(lambda entry: entry.kind == 'weight').lot_id[0]
        with self._unguarded('stock_lot', 'mrp_bpr') as cr:
            cr.execute(SQL("UPDATE stock_lot SET expiration_date = '2034-01-01 04:30:00' WHERE id = ANY(%s)", bpr.lot_ids.ids))
            cr.execute(SQL("UPDATE stock_lot SET expiration_date = '2033-07-01 03:30:00' WHERE id = %s", lot.id))
            # Decided on before anybody knew its date: what counts is what the lot says.
            cr.execute(SQL("ALTER TABLE mrp_esignature DISABLE TRIGGER USER"))
            cr.execute(SQL("UPDATE mrp_esignature SET content = content - 'expires' WHERE res_model = 'stock.lot'"))
            cr.execute(SQL("ALTER TABLE mrp_esignature ENABLE TRIGGER USER"))
        step = bpr.step_ids[0]
        for zone, own, component in (
                ('America/New_York', '2033-12-31', '2033-06-30'), ('Asia/Tokyo', '2034-01-01', '2033-07-01')):
            with self.subTest(zone=zone):
                self.company.mmr_tz = zone
                text = render()
                label = self.env['report.mrp_mmr.report_bpr']._get_times_label(self.company, bpr.create_date)
                self.assertIn(label, ("America/New_York (EST = UTC-05:00, EDT = UTC-04:00)",
                                      "America/New_York (EDT = UTC-04:00, EST = UTC-05:00)", "Asia/Tokyo (JST = UTC+09:00)"))
                self._assert_printed(text, [
                    f"Expires{own}", f"{lot.name}Expires:{component}", f"Lot:{lot.name}Expires:{component}", label,
                    days.clock(bpr.started_at, zone), days.clock(step.closed_at, zone),
                    days.clock(bpr.issue_signature_id.signed_at, zone), "Signer's clock: Europe/Madrid"])
                self.assertNotRegex(text, r"\d{4}-\d\d-\d\dT\d\d:")
        stamp = self.env['report.mrp_mmr.report_bpr']._get_stamp(bpr)
        self.assertIn("times: Asia/Tokyo (JST = UTC+09:00)", stamp.header_left)

    def test_reprint(self):
        """RPT-020, USE-040, PRD-030: nothing that happens to the MMR, to names or time zones changes the text of a print."""
        revision, bpr, before = self.revision, self.bpr, self.pages
        successor = self._new_revision(revision)
        successor.with_user(self.user_qc).action_confirm_overages()
        self._make_effective(successor)
        self.product.write({'name': "Renamed product", 'default_code': "NEW"})
        (self.component_a | self.component_b).write({'name': "Renamed component", 'default_code': "NEWC"})
        self.workcenter.name = "Renamed room"
        self.kg.name = "Renamed kg"
        self.company.name = "Renamed company"
        self.env['maintenance.equipment'].search([]).name = "Renamed equipment"
        self.env['maintenance.equipment.category'].search([]).name = "Renamed class"
        revision.mmr_id.profile_id.sudo().name = "Renamed profile"
        self.env['res.users'].search([('login', '=like', 't_%')]).write({'name': "Renamed user", 'tz': 'Asia/Tokyo'})
        self.env.invalidate_all()
        with freeze_time('2036-01-31 22:00:00'):
            after = self._print_pages(bpr)
        ended = fields.Datetime.now()
        self.assertIn(f"revision 1, Superseded on {ended:%Y-%m-%d}", after[0])

        stamp = re.compile(r'revision 1, (Effective|Superseded on \S+)|Ledger line.*?… Printed by .*? \d\d:\d\d \S+')

        def without_stamp(pages):
            pages = [stamp.sub('', page) for page in pages]
            pages[-1] = re.sub(r'This Print .*', '', pages[-1])
            return pages

        self.assertEqual(without_stamp(before), without_stamp(after))
        self.assertIn("This Print", after[-1])

    def test_damage_is_told(self):
        """RPT-020, SIG-030: the print says so where snapshot, steps or a signature are not what was signed."""
        bpr = self.bpr
        step = bpr.step_ids[0]
        self.env.cr.execute("""
            ALTER TABLE mrp_bpr_step DISABLE TRIGGER USER;
            ALTER TABLE mrp_esignature DISABLE TRIGGER USER;
            UPDATE mrp_bpr_step SET planned = jsonb_set(planned, '{instruction}', '"Forged"') WHERE id = %s;
            UPDATE mrp_esignature SET signer_name = 'Forger' WHERE id = %s;
        """, [step.id, step.performed_signature_id.id])
        self.env.invalidate_all()
        text = ' '.join(self._print_pages(bpr))
        self.assertIn("Snapshot or steps are not what was signed.", text)
        self.assertEqual(text.count("The signature is not what was stored when it was made."), 1)

    def test_long_texts(self):
        """RPT-020: long texts, many entries and markup neither stop a print nor leave it."""
        bpr = self._release_batch(self.revision, "VC-2031-002")
        step = bpr.step_ids.sorted('sequence')[0]
        self._start(step)
        attack = '<b>bold</b> <img src="http://example.invalid/x.png"/> & <script>document.write("run")</script>'
        self._put(step, 'comment', {'text': attack})
        self._put(step, 'comment', {'text': "word" * 300 + "\n" + '\n'.join(f"Line {number}." for number in range(120))})
        for number in range(60):
            self._put(step, 'comment', {'text': f"Comment {number:03d} on the course of the work."})
        pages = self._print_pages(bpr)
        text = squeeze(' '.join(pages)).replace(squeeze(IN_PROGRESS), '')
        self.assertGreaterEqual(text.count("word"), 300, "the pages go through the middle of it")
        for expected in (attack, "Line 119.", *(f"Comment {number:03d} on" for number in range(60))):
            self.assertIn(squeeze(expected), text)
        continued = [page for page in pages if re.search(r'Comment \d{3} on the course of the work. Test t_op', page)]
        self.assertGreaterEqual(len(continued), 3)
        for page in continued:
            if not re.search(r'Line \d+', page):
                self.assertIn("What Recorded Person, date and time Remarks", page)
        self.assertFalse(re.search(r'Line \d+', continued[-1]), "a page of whole rows was seen")

    # === MANY === #

    def test_queries(self):
        """RPT-020: four records, one in progress, are read with as many queries as two."""
        bprs = self.bpr.union(*(self._release_batch(self.revision, f"VC-2031-00{number}") for number in (2, 3, 4)))
        report = self.env[f'report.{REPORT}'].with_user(self.user_auditor)
        counts = []
        for records in (bprs[:2], bprs):
            for run in (report._get_report_values, lambda ids: report._get_stamps(report.env['mrp.bpr'].browse(ids))):
                run(records.ids)
                self.env.invalidate_all()
                before = self.env.cr.sql_log_count
                run(records.ids)
                counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[:2], counts[2:])
        self.assertLess(counts[0], 60)

    def test_batch_print(self):
        """RPT-020: a print of several records numbers the pages of each of them and marks those in progress."""
        bprs = self._release_batch(self.revision, "VC-2031-002") | self.bpr
        pages = self._print_pages(bprs)
        names = [re.search(r'(BPR/\S+) · MMR', page).group(1) for page in pages]
        self.assertEqual(set(names), set(bprs.mapped('name')))
        for name, page in zip(names, pages, strict=True):
            self.assertIn(f"of {names.count(name)}", page)
            self.assertEqual(IN_PROGRESS in page, name == bprs[0].name)

    # === RIGHTS === #

    def test_rights(self):
        """RPT-020: whoever may read a record may print it, nobody else; the print goes to the ledger."""
        bpr = self._release_batch(self.revision, "VC-2031-002")
        for user in (self.user_operator, self.user_auditor, self.user_planner, self.user_qc):
            with self.subTest(user=user.login):
                self.assertIn("Ascorbic acid", ' '.join(self._print_pages(bpr, user)))
        printed = self.env['mrp.audit.entry'].sudo().search(
            [('res_model', '=', 'mrp.bpr'), ('res_id', '=', bpr.id), ('kind', '=', 'print')])
        self.assertEqual(set(printed.user_id), set(self.user_operator | self.user_auditor | self.user_planner | self.user_qc))
        stranger = new_test_user(self.env, login='t_stranger', groups='base.group_user')
        with self.assertRaises(AccessError):
            self._print(bpr, stranger)
        with self.assertRaises(AccessError):
            self.env[f'report.{REPORT}'].with_user(stranger)._get_stamps(bpr.with_user(stranger))


@tagged('post_install', '-at_install')
class TestXlsxBpr(BatchCommon, HttpCase):

    def test_sheets(self):
        """RPT-020, REC-050: the sheets hold each step, entry, weight, yield, deviation, signature and line of the trail."""
        bpr = self._complete_batch()
        book = read_book(write_batch(bpr.with_user(self.user_auditor)))
        self.assertEqual(list(book), [
            "Batch", "Steps", "Entries", "Weights", "Yields", "Labels", "Packaging materials", "Deviations", "Signatures",
            "Audit trail"])
        facts = book["Batch"].facts()
        self.assertEqual(facts["Lot of the batch"], "VC-2031-001")
        self.assertEqual(facts["Batch size"], 100)
        self.assertEqual(facts["Quantity made"], 97.5)
        self.assertEqual(facts["Completed (UTC)"], bpr.completed_at.replace(microsecond=0))
        self.assertEqual(book["Steps"].column("Step"), bpr.step_ids.sorted('sequence').mapped('code'))
        entries = bpr.step_ids.entry_ids.sorted('id')
        sheet = book["Entries"]
        self.assertEqual(sheet.column("Number"), [float(number) for number in range(1, len(entries) + 1)])
        self.assertEqual(
            sheet.column("Value"), [float(entry.value) if entry.value else None for entry in entries])
        self.assertEqual(sheet.column("Date and time (UTC)"), [entry.at for entry in entries])
        self.assertEqual(sheet.column("Valid").count("No"), 2, "two were corrected")
        self.assertEqual(sheet.column("Late").count("Yes"), 1)
        weights = book["Weights"]
        self.assertEqual(weights.column("Lot"), ["ASC-7001", "ASC-7002", "MCC-44"])
        self.assertEqual(weights.column("Actual"), [50.05, 44.45, 9.875])
        self.assertEqual(weights.column("Issued"), [51.25, None, None])
        self.assertTrue(all(weights.column("Addition verified (UTC)")))
        self.assertEqual(book["Yields"].column("Actual"), [96.525, 97.5])
        self.assertEqual(book["Yields"].column("Percent of theoretical"), [97.5, 97.5])
        self.assertEqual(book["Labels"].column("Difference"), [10, 0])
        self.assertEqual(book["Packaging materials"].column("Issued"), [1700, 1650, None])
        self.assertEqual(book["Deviations"].column("Number"), bpr.deviation_ids.sorted('id').mapped('name'))
        self.assertTrue(all(book["Deviations"].column("Decided (UTC)")))
        digests = book["Signatures"].column("Signature, SHA-256")
        self.assertEqual(len(digests), len(set(digests)))
        for signature in bpr.step_ids.esignature_ids | bpr.esignature_ids | entries.esignature_ids \
                | bpr.deviation_ids.esignature_ids:
            self.assertIn(signature.signature_sha256, digests)
        chain = self.env['mrp.audit.chain'].sudo().search(
            [('res_model', '=', 'mrp.production'), ('res_id', '=', bpr.production_id.id)])
        self.assertEqual(book["Audit trail"].column("SHA-256"), chain.entry_ids.sorted('index').mapped('sha256'))

    def test_download(self):
        """RPT-020: an operator downloads print and sheets from the browser, a stranger does not."""
        bpr = self._release_batch(self._create_full_mmr())
        self.authenticate(self.user_operator.login, PASSWORD)
        response = self.url_open(bpr.with_user(self.user_operator).action_download_xlsx()['url'])
        self.assertIn(bpr.name.replace('/', '-'), response.headers['Content-Disposition'])
        self.assertEqual(read_book(response.content)["Batch"].facts()["Batch production record"], bpr.name)
        action = bpr.with_user(self.user_operator).action_print()
        response = self.url_open(
            f"/report/pdf/{action['report_name']}/{bpr.id}?context={json.dumps({'force_report_rendering': True})}")
        self.assertEqual(response.headers['Content-Type'], 'application/pdf')
        self.assertIn(bpr.name, pypdf.PdfReader(io.BytesIO(response.content)).pages[0].extract_text())
        new_test_user(self.env, login='t_stranger', password=PASSWORD, groups='base.group_user')
        self.authenticate('t_stranger', PASSWORD)
        self.assertEqual(self.url_open(f'/mrp_mmr/bpr/{bpr.id}.xlsx').status_code, 403)
