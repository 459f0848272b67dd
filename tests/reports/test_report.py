"""Prints of masters: pages, stamps, watermarks, downloads (RPT-010)."""

import io
import json
import re
from datetime import timedelta
from types import SimpleNamespace
from unittest.mock import patch

import pypdf
from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, TransactionCase, new_test_user, tagged

from odoo.addons.base.models import ir_actions_report as base_report
from odoo.addons.mrp_mmr.domain import wording as labels
from odoo.addons.mrp_mmr.reports import ir_actions_report as stamped_report
from odoo.addons.mrp_mmr.reports import pdf_marks, stamping
from odoo.addons.mrp_mmr.reports.document_sections import moment

from ..common.base import PASSWORD, MmrCommon

REPORT = 'mrp_mmr.report_mmr_revision'
NOT_FOR_PRODUCTION = "NOT FOR PRODUCTION"
OBSOLETE = "OBSOLETE"
#: Leaves of a document that hold a code, and what kind of code it is.
CODES = {
    'stage': 'stage', 'kind': 'kind', 'performer_role': 'role', 'verifier_role': 'role',
    'performer_meaning': 'meaning', 'verifier_meaning': 'meaning', 'execution': 'execution', 'category': 'category',
    'basis': 'basis',
}
#: What the print says about a flag that is set and one that is not; None where it says nothing.
FLAGS = {
    'is_active': ("active", "not active"),
    'is_declared': ("declared on the label", "not declared on the label"),
    'in_product': ("in the finished product", "not in the finished product"),
    'weighing_verified': ("weighing verified", "weighing not verified"),
    'addition_verified': ("addition verified", "addition not verified"),
    'is_critical': ("CRITICAL", None), 'is_hold_point': ("HOLD POINT", None), 'is_identity': ("identity test", None),
    'training_required': ("Training required", None),
    'is_filler': ("balancing filler", None),
    'is_dietary': ("Dietary Ingredients", "Other Ingredients"), 'mandatory': (None, "(not mandatory)"),
}


def read_pages(pdf):
    """Return the text of each page, words separated by one space."""
    return [' '.join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def squeeze(text):
    """Return a text without white space: where a line wraps is no matter of content."""
    return re.sub(r'\s+', '', text)


def leaves(content, path=()):
    """Return each value of a document with its path."""
    if isinstance(content, dict):
        content = content.items()
    elif isinstance(content, list):
        content = enumerate(content)
    else:
        return [(path, content)]
    return [leaf for key, value in content for leaf in leaves(value, (*path, key))]


def get_printed_text(env, path, value, document):
    """Return the text that stands for one leaf, or None where the print has none."""
    key = path[-1]
    codes = labels.code_labels(env)
    if key in FLAGS:
        return FLAGS[key][not value]
    if value is None or key in ('id', 'unit_id', 'product_unit_quantity') or not isinstance(value, (str, int)):
        return None
    if key == 'signed_at':
        return moment(value)
    if path[:2] == ('operations', 0) and key in ('time_limit', 'hold_time'):
        return f"{value} h"
    if key == 'kind':
        if path[-2] == 'criterion' or path[-2] == 'overage' or 'document' in str(path) or path[-2] == 'method':
            return None
        return codes['kind'][value]
    if key == 'role' and 'sample' in path:
        return codes['role'][value]
    if key == 'comparison':
        return "results rounded to the digits of the limit" if value == 'rounded' else None
    if key in CODES:
        return codes[CODES[key]].get(value, value)
    if key == 'scope':
        return {'component': "Components", 'packaging': "Packaging", 'label': "Labels",
                'product': "Finished Product"}[value]
    if 'overage' in path and key in ('percent', 'amount', 'unit'):
        return "None" if document['components'][path[1]]['overage']['kind'] == 'none' else value
    if key in ('operation', 'component') and isinstance(value, int):
        rows = document[f'{key}s']
        return next((row.get('name') or row['product']['name']) for row in rows if row['position'] == value)
    if key == 'equipment':
        rows = document['operations'][path[1]]['equipment']
        row = rows[value - 1]
        return (row['equipment'] or row['class'])['name']
    if key == 'position' and path[0] in ('packs', 'specifications', 'references', 'reviewers', 'ingredients') \
            or 'checklist' in path and key == 'position' or key == 'size' and 'sample' not in path:
        return None
    return str(value)


class ReportCommon(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if cls.env['ir.actions.report'].get_wkhtmltopdf_state() == 'install':
            cls.skipTest(cls, "wkhtmltopdf is not installed")
        cls.product.name = "Vitamin C 500 mg tablets"

    def _print(self, revisions, user=None, **context):
        pdf, report_type = self.env['ir.actions.report'].with_user(user or self.user_auditor).with_context(
            force_report_rendering=True, **context)._render_qweb_pdf(REPORT, revisions.ids)
        self.assertEqual(report_type, 'pdf')
        return pdf

    def _print_pages(self, revisions, user=None):
        return read_pages(self._print(revisions, user))

    def _create_long(self, **vals):
        """Return a draft of three or more pages."""
        revision = self._create_mmr(**vals)
        revision.operation_ids.with_user(self.user_preparer)[1].mmr_instruction = '\n'.join(
            f"Line {number} of a long instruction." for number in range(1, 131))
        return revision

    def _add_components(self, revision, count, prefix="Excipient"):
        env = self.env(user=self.user_preparer)
        products = self.env['product.product'].create([
            {'name': f"{prefix} {number:03d}", 'default_code': f"X{number:03d}", 'type': 'consu', 'uom_id': self.kg.id}
            for number in range(1, count + 1)])
        env['mrp.bom.line'].create([
            {'bom_id': revision.bom_id.id, 'product_id': product.id, 'gmp_qty': 1.25, 'product_uom_id': self.kg.id,
             'sequence': 100} for product in products])

    def _to_state(self, revision, state):
        """Bring a draft to ``state`` on the way people bring it there."""
        self.env.flush_all()
        if state == 'rejected':
            self._sign(revision, 'submit', self.user_preparer)
            self._sign(revision, 'reject', self.user_qc, "The quantity is wrong")
            self.assertEqual(revision.state, 'draft')
            return revision
        if state == 'cancelled':
            revision.with_user(self.user_preparer).action_cancel()
        if state == 'approved':
            revision.with_user(self.user_preparer).date_effective = fields.Date.today() + timedelta(days=10)
        if state not in ('draft', 'cancelled'):
            self._sign(revision, 'submit', self.user_preparer)
        if state not in ('draft', 'cancelled', 'submitted'):
            self._sign(revision, 'approve', self.user_qc)
        if state == 'superseded':
            self._make_effective(self._new_revision(revision))
        if state == 'obsolete':
            self._sign(revision, 'retire', self.user_qc, "No longer made")
        self.assertEqual(revision.state, state)
        return revision


@tagged('post_install', '-at_install')
class TestReport(ReportCommon):

    # === CONTENT === #

    def test_content(self):
        """RPT-010: every content item of the frozen document is in the text of the print."""
        self.env.user.group_ids += self.env.ref('mrp.group_mrp_byproducts')
        revision = self._create_mmr()
        draft = revision.with_user(self.user_preparer)
        draft.write({
            'description': "Tablet weight changed.\nBlending time changed.",
            'precautions': "Protect from moisture.\nWear gloves.",
            'date_effective': fields.Date.today() + timedelta(days=3),
        })
        draft.bom_id.allow_operation_dependencies = True
        draft.operation_ids[1].blocked_by_operation_ids = draft.operation_ids[0]
        self.env['mrp.bom.byproduct'].with_user(self.user_preparer).create({
            'bom_id': draft.bom_id.id, 'product_id': self.component_other.id, 'product_qty': 0.5,
            'product_uom_id': self.kg.id, 'operation_id': draft.operation_ids[1].id})
        self._to_state(revision, 'submitted')
        text = squeeze(' '.join(self._print_pages(revision)))

        found = 0
        for path, value in leaves(revision.document):
            expected = get_printed_text(self.env, path, value, revision.document)
            if expected is None:
                continue
            with self.subTest(item='/'.join(map(str, path))):
                self.assertIn(squeeze(expected), text)
            found += 1
        self.assertGreater(found, 35)
        self.assertIn("Firstrevision", text, "category of the change")
        self.assertIn("Afteroperation1Weighing", text, "predecessors")
        self.assertIn("By-products", text)
        self.assertIn(revision.document_sha256, text)
        self.assertIn("Componentsconsumedhere", text)

    def test_order(self):
        """RPT-010: sections, operations and components are printed in their order."""
        text = ' '.join(self._print_pages(self._create_mmr()))
        position = 0
        for item in (
                "Reason and Description of the Change", "Special Notations and Precautions", "Components",
                "Ascorbic acid", "Microcrystalline cellulose", "Operations", "1 Weighing Work center",
                "Weigh each component.", "2 Blending Work center", "Blend for 15 minutes.", "Signatures"):
            self.assertIn(item, text[position:])
            position = text.index(item, position)

    def test_components_by_operation(self):
        """RPT-010: each operation lists the components that are consumed there, with their quantities."""
        text = ' '.join(self._print_pages(self._create_mmr()))
        operations = text[text.index("1 Weighing Work center"):]
        first, second = operations.split("2 Blending Work center")
        self.assertIn("1 ASC Ascorbic acid 90 kg", first)
        self.assertNotIn("Microcrystalline", first)
        self.assertIn("2 MCC Microcrystalline cellulose 10 kg", second)

    def test_empty_fields(self):
        """RPT-010: what is empty is printed as such."""
        revision = self._create_mmr()
        revision.with_user(self.user_preparer).write({'precautions': False, 'reason': False})
        operations = revision.operation_ids.with_user(self.user_preparer)
        operations.mmr_step_ids.unlink()
        operations.mmr_instruction = False
        revision.bom_line_ids.with_user(self.user_preparer)[0].operation_id = False
        self.component_a.default_code = False
        text = ' '.join(self._print_pages(revision))
        self.assertIn("Special Notations and Precautions not recorded", text)
        self.assertIn("Reason not recorded Description not recorded", text)
        self.assertIn("Instruction not recorded", text)
        self.assertIn("1 none Ascorbic acid 90 kg none", text)
        self.assertIn("Effective date as soon as approved Effective since none", text)
        self.assertIn("Signatures none", text)
        self.assertNotIn("False", text)
        self.assertNotIn("By-products", text)

    def test_no_content(self):
        """RPT-010: a draft without any content can be printed."""
        mmr = self.env['mrp.mmr'].with_user(self.user_preparer).create({
            'product_id': self.product.id, 'formulation_code': "empty", 'batch_size': 3, 'uom_id': self.kg.id})
        text = ' '.join(self._print_pages(mmr.open_revision_id))
        self.assertIn("Components none Operations none", text)

    def test_line_breaks(self):
        """RPT-010: texts keep their line breaks, blank lines and indents."""
        revision = self._create_mmr()
        operation = revision.operation_ids.with_user(self.user_preparer)[0]
        operation.mmr_instruction = "First line\n\n  - second line\r\nthird line"
        pages = pypdf.PdfReader(io.BytesIO(self._print(revision))).pages
        lines = [line.replace('\t', ' ').strip() for page in pages for line in page.extract_text().splitlines()]
        for line in ("First line", "- second line", "third line"):
            self.assertIn(line, lines)

    def test_markup_is_text(self):
        """RPT-010: markup in names and texts is printed as it was typed, and loads nothing."""
        revision = self._create_mmr()
        attack = '<b>bold</b> <img src="http://example.invalid/x.png"/> & <script>document.write("run")</script>'
        self.component_a.name = f"Acid {attack}"
        self.workcenter.name = f"Room {attack}"
        revision.operation_ids.with_user(self.user_preparer)[0].mmr_instruction = f"Do {attack}"
        revision.with_user(self.user_preparer).write({'precautions': f"Mind {attack}", 'reason': f"Why {attack}"})
        self._sign(revision, 'submit', self.user_preparer, comment=f"Comment {attack}")
        text = squeeze(' '.join(self._print_pages(revision)))
        for word in ("Acid", "Room", "Do", "Mind", "Why", "Comment"):
            self.assertIn(squeeze(f"{word} {attack}"), text)

    def test_non_latin(self):
        """RPT-010: names outside Latin-1 are printed, in the text and in the stamp."""
        self.product.name = "Таблетки с витамином C µ² ≥ 99 % 中文"
        self.component_a.name = "Žluťoučký kůň ☃ \U0001f9ea"
        self.company.name = "Завод ΑΒΓ \U0001f9ea"
        revision = self._create_mmr()
        pages = self._print_pages(revision)
        text = squeeze(' '.join(pages))
        self.assertIn(squeeze("Таблетки с витамином C µ² ≥ 99 %"), text)
        self.assertIn(squeeze("Žluťoučký kůň"), text)
        for page in pages:
            self.assertIn(squeeze("Завод ΑΒΓ"), squeeze(page), "stamp")

    def test_odd_texts(self):
        """RPT-010: neither control characters nor endless words nor a row taller than a page stop a print."""
        self.product.name = "X" * 300
        self.company.name = "Company " * 40
        self.component_a.name = "Acid\x0b\x1f\x7f\u200b\u202e end"
        revision = self._create_mmr()
        revision.with_user(self.user_preparer).write({
            'reason': '\n'.join(f"Reason {number}" for number in range(150)), 'precautions': "word" * 500})
        self._add_components(revision, 5)
        pages = self._print_pages(revision)
        text = squeeze(' '.join(pages))
        self.assertIn("X" * 300, text)
        self.assertIn("word" * 500, text)
        self.assertIn("Reason149", text)
        self.assertIn("Excipient005", text)
        for number, page in enumerate(pages, 1):
            self.assertIn(f"Page {number} of {len(pages)}", page)
            self.assertIn(f"{revision.mmr_id.name} · revision 1 · Draft", page, "identity is never cut")

    # === PAGES === #

    def test_every_page(self):
        """RPT-010, REV-020: number, revision, status, digest, printer and page x of y are on each page."""
        revision = self._to_state(self._create_long(), 'effective')
        with freeze_time('2031-07-01 10:00:00'):
            pages = self._print_pages(revision)
        self.assertGreaterEqual(len(pages), 3)
        for number, page in enumerate(pages, 1):
            self.assertIn(self.company.name, page)
            self.assertIn(f"Master Manufacturing Record · {revision.mmr_id.name} · revision 1 · Effective", page)
            self.assertIn(f"SHA-256 {revision.document_sha256[:16]}…", page)
            self.assertIn("Printed by Test t_auditor, 2031-07-01 12:00 CEST", page)
            self.assertIn(f"Page {number} of {len(pages)}", page)

    def test_table_header_is_repeated(self):
        """RPT-010: a table that goes on over pages has its header on each of them, and no row is lost."""
        revision = self._create_mmr()
        self._add_components(revision, 90)
        pages = self._print_pages(revision)
        rows = [re.findall(r'X\d{3} Excipient (\d{3}) 1.25 kg none', page) for page in pages]
        self.assertEqual([int(row) for page in rows for row in page], list(range(1, 91)))
        continued = [page for page, found in zip(pages, rows, strict=True) if found]
        self.assertGreaterEqual(len(continued), 3)
        for page in continued:
            self.assertEqual(page.count("Position Code Component Quantity Unit Operation"), 1)

    def test_rows_stay_together(self):
        """RPT-010: a page break does not go through a row of the table of components."""
        revision = self._create_mmr()
        # Rows of many heights, so that breaks would go through some of them.
        for number in range(40):
            words = 'word ' * (11 * number % 60)
            self._add_components(revision, 1, prefix=f"Begin{number:03d} {words} End{number:03d}")
        pages = self._print_pages(revision)
        self.assertGreaterEqual(len(pages), 4)
        for number in range(40):
            begins = [page.count(f"Begin{number:03d}") for page in pages]
            self.assertEqual(sum(begins), 2, "in the list of components, and with its use and supplier")
            self.assertEqual(begins, [page.count(f"End{number:03d}") for page in pages])

    def test_batch_print(self):
        """RPT-010: a print of several records numbers the pages of each of them."""
        long, short = self._create_long(), self._create_mmr(batch_size=50)
        pages = self._print_pages(long | short)
        lengths = [len(self._print_pages(revision)) for revision in (long, short)]
        self.assertEqual(len(pages), sum(lengths))
        expected = [
            (revision.mmr_id.name, f"Page {number} of {length}")
            for revision, length in zip(long | short, lengths, strict=True) for number in range(1, length + 1)]
        for page, (name, label) in zip(pages, expected, strict=True):
            self.assertIn(f"{name} · revision 1", page)
            self.assertIn(label, page)

    def test_same_record_twice(self):
        """RPT-010: a record that is asked for twice is printed once."""
        revision = self._create_mmr()
        self.assertEqual(len(self._print_pages(revision + revision)), len(self._print_pages(revision)))

    def test_nothing_to_print(self):
        """RPT-010: a print of nothing is refused; it would have no stamp."""
        with self.assertRaisesRegex(UserError, "Choose the records"):
            self._print(self.env['mrp.mmr.revision'])

    def test_fifty(self):
        """RPT-010: fifty records are printed at once."""
        revisions = self.env['mrp.mmr'].with_user(self.user_preparer).create([{
            'product_id': self.product.id, 'formulation_code': "A", 'batch_size': number, 'uom_id': self.kg.id,
        } for number in range(1, 51)]).open_revision_id.with_env(self.env)
        pdf = self._print(revisions)
        pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
        self.assertGreaterEqual(len(pages), 50)
        names = []
        for page in pages:
            text = ' '.join(page.extract_text().split())
            self.assertIn(NOT_FOR_PRODUCTION, text)
            names += re.findall(r'(\S+) · revision 1 · Draft', text)
        self.assertEqual(len(names), len(pages))
        self.assertEqual(set(names), set(revisions.mmr_id.mapped('name')))

    # === WATERMARK === #

    def test_watermark(self):
        """PRD-030: the mark of the status is on every page of a long print, and on none while effective."""
        marks = {
            'draft': NOT_FOR_PRODUCTION, 'rejected': NOT_FOR_PRODUCTION, 'submitted': NOT_FOR_PRODUCTION,
            'approved': NOT_FOR_PRODUCTION, 'cancelled': NOT_FOR_PRODUCTION, 'effective': None,
            'superseded': OBSOLETE, 'obsolete': OBSOLETE,
        }
        states = [name for name, _label in self.env['mrp.mmr.revision']._fields['state'].selection]
        self.assertEqual(set(states), marks.keys() - {'rejected'}, "a new status needs a decision about its mark")
        for number, (state, mark) in enumerate(marks.items(), 1):
            with self.subTest(state=state):
                revision = self._to_state(self._create_long(batch_size=10.0 * number), state)
                pages = pypdf.PdfReader(io.BytesIO(self._print(revision))).pages
                self.assertGreaterEqual(len(pages), 3)
                for page in pages:
                    # What lies under the mark may be read as the same line.
                    content = ' '.join(page.extract_text().split())
                    for text in (NOT_FOR_PRODUCTION, OBSOLETE):
                        self.assertEqual(content.count(text), int(text == mark))

    def test_watermark_batch_print(self):
        """PRD-030: in a print of several records each page has the mark of its record."""
        draft, effective, superseded = (
            self._to_state(self._create_long(batch_size=10.0 * number), state)
            for number, state in enumerate(('draft', 'effective', 'superseded'), 1))
        marks = {draft: NOT_FOR_PRODUCTION, effective: None, superseded: OBSOLETE}
        seen = dict.fromkeys(marks, 0)
        for page in self._print_pages(draft | effective | superseded):
            (revision,) = (revision for revision in marks if f"{revision.mmr_id.name} · revision 1" in page)
            seen[revision] += 1
            for text in (NOT_FOR_PRODUCTION, OBSOLETE):
                self.assertEqual(text in page, text == marks[revision])
        self.assertTrue(all(count >= 3 for count in seen.values()), seen)

    def test_watermark_follows_state(self):
        """PRD-030: a new print bears the present status, also where prints are kept as attachments."""
        report = self.env.ref('mrp_mmr.action_report_mmr_revision')
        report.write({'attachment': "'%s.pdf' % object.id", 'attachment_use': True})
        revision = self._to_state(self._create_mmr(), 'effective')
        for page in self._print_pages(revision, self.env.user):
            self.assertNotIn(OBSOLETE, page)
        self._make_effective(self._new_revision(revision))
        pages = self._print_pages(revision, self.env.user)
        self.assertTrue(pages)
        for page in pages:
            self.assertEqual(page.count(OBSOLETE), 1)
            self.assertEqual(page.count("Page "), 1)

    def test_html_preview(self):
        """PRD-030: the page in the browser, which is not stamped, shows the mark as well."""
        report = self.env['ir.actions.report'].with_user(self.user_auditor)
        html = report._render_qweb_html(REPORT, self._create_mmr().ids)[0].decode()
        self.assertIn(NOT_FOR_PRODUCTION, html)

    # === FROZEN === #

    def test_print_from_document(self):
        """RPT-010, REC-050: what is renamed later keeps its signed name in the print."""
        revision = self._to_state(self._create_mmr(), 'effective')
        with freeze_time('2031-07-01 10:00:00'):
            before = self._print_pages(revision)
        self.product.write({'name': "Renamed product", 'default_code': "NEW"})
        (self.component_a | self.component_b).write({'name': "Renamed component", 'default_code': "NEWC"})
        self.workcenter.name = "Renamed room"
        self.kg.name = "Renamed kg"
        self.company.name = "Renamed company"
        revision.mmr_id.profile_id.sudo().name = "Renamed profile"
        (self.user_preparer | self.user_qc).write({'name': "Renamed user", 'tz': 'Asia/Tokyo'})
        self.env.invalidate_all()
        with freeze_time('2036-01-31 22:00:00'):
            after = self._print_pages(revision)
        stamp = re.compile(r'Printed by [^,]+, \S+ \S+ \w+')
        self.assertEqual([stamp.sub('', page) for page in before], [stamp.sub('', page) for page in after])
        self.assertNotEqual(before, after, "the stamp says when it was printed")

    def test_draft_is_live(self):
        """RPT-010: a draft is printed as it is now, also after a rejection, and says that it is one."""
        revision = self._create_mmr()
        self._to_state(revision, 'rejected')
        self.component_a.name = "Renamed acid"
        revision.bom_line_ids.with_user(self.user_preparer)[0].gmp_qty = 77.5
        text = ' '.join(self._print_pages(revision))
        self.assertIn("1 ASC Renamed acid 77.5 kg", text)
        self.assertIn("Printed from the draft as it was when it was printed", text)

    def test_damage_is_told(self):
        """RPT-010: a print says so where the stored content is not what was signed."""
        revision = self._to_state(self._create_mmr(), 'submitted')
        self.assertNotIn("not what was signed", ' '.join(self._print_pages(revision)))
        self.env.cr.execute("""
            ALTER TABLE mrp_mmr_revision DISABLE TRIGGER USER;
            ALTER TABLE mrp_esignature DISABLE TRIGGER USER;
            UPDATE mrp_mmr_revision SET document = jsonb_set(document, '{formulation}', '"FORGED"') WHERE id = %s;
            UPDATE mrp_esignature SET signer_name = 'Forger' WHERE id = %s;
        """, [revision.id, revision.prepared_signature_id.id])
        self.env.invalidate_all()
        text = ' '.join(self._print_pages(revision))
        self.assertIn("The content is not what was signed.", text)
        self.assertIn("The signature is not what was stored when it was made.", text)

    # === SIGNATURES === #

    def test_signatures(self):
        """SIG-020: printed name, role, meaning, statement, comment, both times and digests are printed."""
        revision = self._create_mmr()
        with freeze_time('2031-07-01 10:20:30'):
            prepared = self._sign(revision, 'submit', self.user_preparer, comment="Checked twice.\nReady.")
        with freeze_time('2031-12-01 10:20:30'):
            approved = self._sign(revision, 'approve', self.user_qc)
        text = squeeze(' '.join(self._print_pages(revision)))
        for signature in prepared | approved:
            for name in ('signer_name', 'signer_login', 'signer_role', 'statement', 'content_sha256',
                         'signature_sha256'):
                with self.subTest(signature=signature.meaning, field=name):
                    self.assertIn(squeeze(signature[name]), text)
        for item in (
            "Prepared: I prepared", "Approved: I reviewed", "Checked twice. Ready.",
            "2031-07-01 12:20:30 CEST (UTC+02:00, Europe/Madrid) 2031-07-01 10:20:30 UTC",
            "2031-12-01 11:20:30 CET (UTC+01:00, Europe/Madrid) 2031-12-01 10:20:30 UTC",
        ):
            self.assertIn(squeeze(item), text)
        self.assertNotIn("VOID", text)

    def test_signers_on_first_page(self):
        """U-27, SIG-020: the first page says who signed, on the clock of the company; void signatures are at the end only."""
        self.company.mmr_tz = 'America/New_York'
        revision = self._create_mmr()
        self.assertIn("Signed by nobody", self._print_pages(revision)[0])
        with freeze_time('2031-07-01 10:20:30'):
            self._sign(revision, 'submit', self.user_preparer)
            self._sign(revision, 'reject', self.user_qc, "Not yet")
            self._sign(revision, 'submit', self.user_preparer)
        with freeze_time('2031-12-01 10:20:30'):
            self._sign(revision, 'approve', self.user_qc)
        first = squeeze(self._print_pages(revision)[0])
        for label, signature, time in (
                ("Prepared", revision.prepared_signature_id, "2031-07-01 06:20:30 EDT"),
                ("Approved", revision.approved_signature_id, "2031-12-01 05:20:30 EST")):
            line = f"{label}: {signature.signer_name}, {signature.signer_role}, {time}"
            self.assertEqual(first.count(squeeze(line)), 1, line)

    def test_void_signatures(self):
        """SIG-020, APR-060: a void signature stays in the print, marked and with who voided it, when and why."""
        revision = self._create_mmr()
        with freeze_time('2031-07-01 10:20:30'):
            self._sign(revision, 'submit', self.user_preparer)
        with freeze_time('2031-07-02 10:20:30'):
            self._sign(revision, 'reject', self.user_qc, "Batch size wrong <b>")
        with freeze_time('2031-07-03 10:20:30'):
            self._to_state(revision, 'effective')
        text = ' '.join(self._print_pages(revision))
        self.assertEqual(text.count("VOID"), 1)
        signatures = text[text.index("Signatures"):]
        first = signatures[:signatures.index("Printed name")]
        self.assertIn(
            "VOID Prepared Voided Rejected by Test t_qc, 2031-07-02 12:20:30 CEST (UTC+02:00, Europe/Madrid): "
            "Batch size wrong <b>", first)
        self.assertEqual(signatures.count("Printed name"), 4)
        order = [signatures.index(item) for item in (
            "VOID Prepared", "Rejected Printed name", "Prepared Printed name", "Approved Printed name")]
        self.assertEqual(order, sorted(order))

    # === RIGHTS === #

    def test_readers_print(self):
        """RPT-010: whoever may read a revision may print it."""
        revisions = self._to_state(self._create_mmr(), 'effective') | self._create_mmr(batch_size=20)
        for user in (self.user_operator, self.user_auditor, self.user_planner, self.user_qc, self.user_preparer):
            with self.subTest(user=user.login):
                self.assertTrue(revisions.with_user(user).has_access('read'))
                self.assertIn("Ascorbic acid", ' '.join(self._print_pages(revisions, user)))

    def test_others_do_not_print(self):
        """RPT-010: whoever may not read a revision cannot print it."""
        revision = self._create_mmr()
        stranger = new_test_user(self.env, login='t_stranger', groups='base.group_user')
        with self.assertRaises(AccessError):
            self._print(revision, stranger)
        with self.assertRaises(AccessError):
            self.env['ir.actions.report'].with_user(stranger)._render_qweb_html(REPORT, revision.ids)
        with self.assertRaises(AccessError):
            self.env[f'report.{REPORT}'].with_user(stranger)._get_stamp(revision.with_user(stranger))
        company = self.env['res.company'].create({'name': "Other company"})
        other = new_test_user(
            self.env, login='t_elsewhere', groups='mrp_mmr.group_mmr_auditor', company_id=company.id,
            company_ids=[(6, 0, company.ids)])
        with self.assertRaises(AccessError):
            self._print(revision, other)

    # === ENGINE === #

    def test_one_document_per_run(self):
        """RPT-010: each run of wkhtmltopdf gets one document, without header, footer and script."""
        runs = []
        run = stamped_report._run_wkhtmltopdf

        def spy(args):
            runs.append(args)
            return run(args)

        with patch.object(stamped_report, '_run_wkhtmltopdf', spy):
            self._print(self._create_mmr() | self._create_mmr(batch_size=20))
        self.assertGreaterEqual(len(runs), 2)
        for args in runs:
            self.assertEqual(len([arg for arg in args if arg.endswith('.html')]), 1)
            self.assertFalse({'--header-html', '--footer-html', '--enable-local-file-access'} & set(args))
            self.assertIn('--disable-javascript', args)
            self.assertIn('--disable-local-file-access', args)

    def test_self_contained(self):
        """RPT-010: the document needs neither server nor network."""
        html = self.env['ir.actions.report']._render_qweb_html(REPORT, self._create_mmr().ids)[0].decode()
        self.assertNotRegex(html, r'(?i)<(script|link|img|iframe|object|embed)\b')
        self.assertNotRegex(html, r'(?i)https?:|url\(|@import|\bsrc=|\bhref=')

    def test_paper(self):
        """U-27, RPT-010: the paper is that of the country of the record's company, unless a report was given another one."""
        revision = self._create_mmr()

        def size():
            box = pypdf.PdfReader(io.BytesIO(self._print(revision))).pages[0].mediabox
            return int(box.width), int(box.height)

        for country, expected in (('us', (612, 792)), ('de', (595, 842)), ('ca', (612, 792)), ('jp', (595, 842))):
            with self.subTest(country=country):
                self.company.country_id = self.env.ref(f'base.{country}')
                self.assertEqual(size(), expected)
        self.company.country_id = self.env.ref('base.us')
        self.env.ref('mrp_mmr.action_report_mmr_revision').paperformat_id = self.env.ref('base.paperformat_euro')
        self.assertEqual(size(), (595, 842))

    def test_other_reports(self):
        """RPT-010: reports of other addons are rendered as always."""
        reports = self.env['ir.actions.report']
        self.assertIsNone(reports._get_stamped_report('mrp.report_mrporder'))
        self.assertIsNotNone(reports._get_stamped_report(REPORT))

    def test_failure(self):
        """RPT-010: where wkhtmltopdf fails, the user reads why; an incomplete print is not handed out."""
        process = SimpleNamespace(returncode=1, stderr="out of paper")
        with patch.object(stamped_report, '_run_wkhtmltopdf', lambda args: process), \
                patch.object(stamped_report, '_papers', {}), self.assertRaisesRegex(UserError, "out of paper"):
            self._print(self._create_mmr())

    def test_file_name(self):
        """RPT-010: the file is named after number and revision."""
        report = self.env.ref('mrp_mmr.action_report_mmr_revision')
        revision = self._create_mmr()
        name = base_report.safe_eval(report.print_report_name, {'object': revision, 'time': base_report.time})
        self.assertEqual(name, f"{revision.mmr_id.name.replace('/', '-')}-rev1")


@tagged('post_install', '-at_install')
class TestReportController(HttpCase, ReportCommon):

    def test_download(self):
        """RPT-010: an operator prints from the browser; a print only reads."""
        revisions = self._to_state(self._create_mmr(), 'effective') | self._create_mmr(batch_size=20)
        self.authenticate(self.user_operator.login, PASSWORD)
        response = self.url_open(
            f"/report/pdf/{REPORT}/{','.join(map(str, revisions.ids))}"
            f"?context={json.dumps({'force_report_rendering': True})}")
        self.assertEqual(response.headers['Content-Type'], 'application/pdf')
        text = ' '.join(read_pages(response.content))
        for revision in revisions:
            self.assertIn(f"{revision.mmr_id.name} · revision 1", text)
        self.assertIn("Printed by Test t_operator", text)


@tagged('post_install', '-at_install')
class TestStamping(TransactionCase):

    def _stamp(self, stamp):
        canvas_file = io.BytesIO()
        canvas = stamping.Canvas(canvas_file)
        canvas.showPage()
        canvas.save()
        return read_pages(stamping.stamp_pdf(canvas_file.getvalue(), stamp).getvalue())

    def test_without_fonts(self):
        """RPT-010: without TrueType fonts unknown characters become question marks."""
        stamp = stamping.Stamp("Завод µ", "MMR/1 · revision 1 · Ж", "digest…", "printed 中 " * 60, "OBSOLETE")
        with patch.object(stamping, 'FONTS', ()), patch.object(stamping, 'BOLD_FONTS', ('NoSuchFont',)):
            (text,) = self._stamp(stamp)
        self.assertIn("????? µ", text)
        self.assertIn("MMR/1 · revision 1 · ?", text)
        self.assertIn("OBSOLETE", text)
        self.assertIn("Page 1 of 1", text)

    def test_too_long(self):
        """RPT-010: long names are shortened, the identity of the record is not."""
        identity = "MMR/" + "1" * 300 + " · revision 1 · Draft"
        (text,) = self._stamp(stamping.Stamp("Company " * 60, identity, "digest " * 60, "printed " * 60))
        self.assertIn(identity, text)
        self.assertIn("Page 1 of 1", text)

    def test_control_characters(self):
        """RPT-010: characters without a glyph do not stop the stamp."""
        (text,) = self._stamp(stamping.Stamp("A\x00\x1f\n\u202eB \U0001f9ea", "MMR/1", "", "", None))
        self.assertIn("AB", squeeze(text))

    def test_scale(self):
        """RPT-010: where the scale cannot be measured, texts have the size that wkhtmltopdf gives them."""
        empty = io.BytesIO()
        canvas = stamping.Canvas(empty)
        canvas.showPage()
        canvas.save()
        self.assertEqual(pdf_marks.measure_paper(lambda html: empty.getvalue()), pdf_marks.Paper(1.0))
