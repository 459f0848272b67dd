"""The print of an MMR says everything that its document holds (RPT-010)."""

import base64
import hashlib
import io
import struct
import zlib
from unittest.mock import patch

import pypdf
from freezegun import freeze_time

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from odoo.addons.mrp_mmr.domain.canonical import sha256

from ..common.document import rich_document
from .test_report import ReportCommon, get_printed_text, leaves, read_pages, squeeze


def png(red=90, green=140, blue=60):
    """Return a picture of one colour."""
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 40, 40, 8, 2, 0, 0, 0)) + chunk(
        b'IDAT', zlib.compress((b'\0' + bytes([red, green, blue]) * 40) * 40)) + chunk(b'IEND', b'')


@tagged('post_install', '-at_install')
class TestReportContent(ReportCommon):
    """RPT-010: all content of a rich document is in its print."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.revision = cls._create_mmr()

    def _print_document(self, document, user=None, images=None):
        model = self.env.registry['report.mrp_mmr.report_mmr_revision']
        with patch.object(model, '_get_document', lambda self, revision: (document, sha256(document))), \
                patch.object(model, '_get_images', lambda self, document: images or {}):
            return self._print(self.revision, user)

    def test_every_leaf(self):
        """Every value of the rich document is found in the text of its print."""
        document = rich_document()
        pages = read_pages(self._print_document(document))
        text = squeeze(' '.join(pages))
        found = 0
        for path, value in leaves(document):
            expected = get_printed_text(self.env, path, value, document)
            if expected is None:
                continue
            with self.subTest(leaf='/'.join(map(str, path)), text=expected):
                self.assertIn(squeeze(expected), text)
            found += 1
        self.assertGreater(found, 280)
        for page in pages:
            self.assertIn("MMR/00001 · revision 2", page)
        self.assertNotIn("None", text.replace("None", "", 1), "one overage is stated as None, and nothing else is")
        self.assertNotIn("False", text)
        self.assertNotIn("{", text)

    def test_overage_statement(self):
        """CON-050: an overage is stated with percent, amount and rationale, or as None."""
        text = ' '.join(read_pages(self._print_document(rich_document())))
        self.assertIn("1 Ascorbic acid 5 % = 2.125 kg Decays by five percent in its shelf life.", text)
        self.assertIn("2 Microcrystalline cellulose None", text)
        self.assertIn("3 Magnesium stearate 0.3 kg = 4 % Sticks to the drum.", text)

    def test_order(self):
        """Sections, stages and steps come in their order; ingredients in two groups."""
        text = ' '.join(read_pages(self._print_document(rich_document())))
        items = (
            "Identity and Strength", "Special Notations and Precautions", "Components", "Overage",
            "Dietary Ingredients", "Vitamin C [ASC]", "Other Ingredients", "Glazing wax", "Operations", "1 Dispensing",
            "98.5 – 100.5 % of theoretical", "1.1 Line clearance of the booth", "1.2 Weigh the active", "2 Blending",
            "2.1 Add the lubricant", "2.3 Draw the blend samples", "By-products", "Yield at the End of Manufacture",
            "Specifications", "Packaging and Label", "Referenced Documents", "Further Sections", "Reviewed before",
            "Signatures")
        position = 0
        for item in items:
            self.assertIn(item, text[position:])
            position = text.index(item, position)

    def test_no_empty_section(self):
        """What a document does not say has no section; a document of schema 1 prints as it did."""
        document = rich_document()
        for key in ('ingredients', 'specifications', 'packs', 'references', 'sections', 'reviewers', 'answers', 'by_products'):
            document[key] = []
        document.update({'identity': {'description': None, 'dosage_form': None, 'dosage_unit_weight': None},
                         'process_rationale': None, 'yield': None})
        for row in document['components']:
            row.update(strength=None, overage=None)
        text = ' '.join(read_pages(self._print_document(document)))
        for title in ("Identity and Strength", "Rationale for the overage", "Declaration of Ingredients", "Specifications",
                      "Packaging and Label",
                      "Referenced Documents", "Further Sections", "Reviewed before", "Requirements of the Company",
                      "By-products", "Yield at the End", "Why the In-process"):
            with self.subTest(title=title):
                self.assertNotIn(title, text)

        old = {key: document[key] for key in (
            'number', 'revision', 'company', 'profile', 'product', 'formulation', 'batch_size', 'change', 'effective_date',
            'precautions', 'by_products')}
        old.update(schema='mrp_mmr/mmr/1', components=[{key: row[key] for key in (
            'position', 'product', 'quantity', 'unit', 'unit_id', 'product_unit_quantity', 'operation')}
            for row in document['components']], operations=[{key: row[key] for key in (
                'position', 'name', 'work_center', 'instruction', 'predecessors')} for row in document['operations']])
        text = ' '.join(read_pages(self._print_document(old)))
        self.assertIn("1 ASC Ascorbic acid 42.5 kg 1 Dispensing", text)
        for title in ("Use, Supplier and Weighing", "Equipment", "What is done", "Kind of stage"):
            self.assertNotIn(title, text)

    def test_picture(self):
        """A picture is in the print; the name and digest of its file as well."""
        document = rich_document()
        picture = document['operations'][0]['steps'][1]['picture']
        without = self._print_document(document)
        source = 'data:image/png;base64,' + base64.b64encode(png()).decode()
        pdf = self._print_document(document, images={picture['sha256']: source})
        images = [sum(len(page.images) for page in pypdf.PdfReader(io.BytesIO(content)).pages) for content in (without, pdf)]
        self.assertEqual(images, [0, 1])
        text = squeeze(' '.join(read_pages(pdf)))
        self.assertIn(picture['sha256'], text)
        self.assertIn("scoop.png", text)

    def test_markup_is_text(self):
        """Markup in any text is printed as it was typed."""
        attack = '<b>x</b><script>1</script><img src="http://example.invalid/x.png"/>'
        document = rich_document()
        step = document['operations'][0]['steps'][0]
        step.update(instruction=attack, precaution=attack, corrective_action=attack)
        step['checklist'][0]['text'] = attack
        document['packs'][0]['label']['panel'] = attack
        document['sections'][0]['text'] = attack
        text = squeeze(' '.join(read_pages(self._print_document(document))))
        self.assertEqual(text.count(squeeze(attack)), 6)

    @freeze_time('2031-07-01 10:00:00')
    def test_long(self):
        """A stage of many steps keeps each step on one page, under a header."""
        document = rich_document()
        steps = document['operations'][1]['steps']
        for number in range(4, 60):
            steps.append(dict(steps[1], position=number, name=f"Begin{number:03d}",
                              instruction="\n".join(["line"] * (number % 9)) + f" End{number:03d}"))
        pages = read_pages(self._print_document(document))
        for number in range(4, 60):
            begins = [page.count(f"Begin{number:03d}") for page in pages]
            self.assertEqual(sum(begins), 1)
            self.assertEqual(begins, [page.count(f"End{number:03d}") for page in pages])
        for page in pages:
            if "Begin" in page:
                self.assertIn("Step What is done Limits, checks and signatures", page)


@tagged('post_install', '-at_install')
class TestReportHistory(ReportCommon):
    """PRD-040: an MMR with its revision history."""

    def _print_history(self, mmrs, user=None):
        pdf, _type = self.env['ir.actions.report'].with_user(user or self.user_auditor).with_context(
            force_report_rendering=True)._render_qweb_pdf('mrp_mmr.report_mmr_history', mmrs.ids)
        return read_pages(pdf)

    def test_history(self):
        """Two revisions that differ in one quantity: this difference, both signature pairs, the batches of each."""
        first = self._create_mmr()
        self._sign(first, 'submit', self.user_preparer)
        self._sign(first, 'reject', self.user_qc, "Not yet")
        self._make_effective(first)
        order = self._create_order()
        order.action_confirm()
        second = self._new_revision(first, reason="Because of the study")
        second.with_user(self.user_preparer).bom_line_ids[0].gmp_qty = 91
        self._make_effective(second)
        pages = self._print_history(first.mmr_id)
        text = ' '.join(pages)
        for item in ("Revision 1 · Superseded", "Revision 2 · Effective", "Because of the study", "Not yet", "VOID",
                     "Differences from revision 1", order.name, first.document_sha256, second.document_sha256,
                     "State: Draft → Submitted", "Ascorbic acid Quantity 90 kg 91 kg"):
            with self.subTest(item=item):
                self.assertIn(squeeze(item), squeeze(text))
        self.assertEqual(text.count("Approved: I reviewed"), 2)
        self.assertEqual(text.count("Prepared: I prepared"), 3)
        for number, page in enumerate(pages, 1):
            self.assertIn(f"Revision history · {first.mmr_id.name} · revisions 1 to 2", page)
            self.assertIn(f"Page {number} of {len(pages)}", page)
            self.assertNotIn("OBSOLETE", page)

    def test_watermark(self):
        """PRD-030: nothing of an MMR without an effective revision looks usable."""
        revision = self._create_mmr()
        for page in self._print_history(revision.mmr_id):
            self.assertIn("NOT FOR PRODUCTION", page)
        self._make_effective(revision)
        self._sign(revision, 'retire', self.user_qc, "No longer made")
        for page in self._print_history(revision.mmr_id):
            self.assertIn("OBSOLETE", page)

    def test_access(self):
        """Whoever may read the MMR prints its history, in full; others do not."""
        revision = self._make_effective(self._create_mmr())
        order = self._create_order()
        order.action_confirm()
        stranger = new_test_user(self.env, login='t_stranger', groups='base.group_user')
        with self.assertRaises(AccessError):
            self._print_history(revision.mmr_id, stranger)
        for user in (self.user_qc, self.user_preparer, self.user_operator, self.user_planner):
            self.assertIn(order.name, ' '.join(self._print_history(revision.mmr_id, user)))


@tagged('post_install', '-at_install')
class TestReportImages(ReportCommon):
    """Pictures come from files by their digest, intact ones only."""

    def test_images(self):
        files = self.env['mrp.mmr.file']
        picture = files._store('dot.png', base64.b64encode(png()))
        other = files._store('note.txt', base64.b64encode(b'text'))
        document = {'a': [{'picture': picture._get_document()}, {'file': other._get_document(), 'none': None}], 'n': 1}
        report = self.env['report.mrp_mmr.report_mmr_revision']
        images = report._get_images(document)
        self.assertEqual(list(images), [picture.sha256])
        self.assertTrue(images[picture.sha256].startswith('data:image/png;base64,'))
        self.assertEqual(report.with_user(self.user_auditor)._get_images(document), images)
        self.env.cr.execute("ALTER TABLE mrp_mmr_file DISABLE TRIGGER mrp_mmr_append_only")
        self.env.cr.execute("UPDATE mrp_mmr_file SET data = %s WHERE id = %s", (base64.b64encode(png(1)), picture.id))
        self.env.cr.execute("ALTER TABLE mrp_mmr_file ENABLE TRIGGER mrp_mmr_append_only")
        picture.invalidate_recordset()
        self.assertEqual(report._get_images(document), {})

    def test_damaged_picture(self):
        """Bytes that are no picture are named and not shown."""
        content = b'no picture at all'
        picture = self.env['mrp.mmr.file'].sudo()._store('dot.png', base64.b64encode(png(2)))
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE mrp_mmr_file DISABLE TRIGGER mrp_mmr_append_only")
        self.env.cr.execute(
            "UPDATE mrp_mmr_file SET data = %s, size = %s, sha256 = %s WHERE id = %s",
            (base64.b64encode(content), len(content), hashlib.sha256(content).hexdigest(), picture.id))
        self.env.cr.execute("ALTER TABLE mrp_mmr_file ENABLE TRIGGER mrp_mmr_append_only")
        picture.invalidate_recordset()
        self.assertFalse(self.env['report.mrp_mmr.report_mmr_revision']._get_images({'picture': picture._get_document()}))
