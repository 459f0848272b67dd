"""Odoo's own prints and overviews of controlled products are marked, and lead to the record (R-16, PRD-030)."""

import io

from odoo.tests import tagged
from odoo.tools.pdf import PdfFileReader

from ..common.base import MmrCommon


@tagged('post_install', '-at_install')
class TestCorePrints(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product.tracking = 'lot'
        cls.first = cls._make_effective(cls._create_mmr())
        cls.order = cls._create_order()
        cls.order.action_confirm()
        cls.second = cls._make_effective(cls._new_revision(cls.first))
        cls.draft = cls._new_revision(cls.second)
        cls.plain = cls.env['mrp.bom'].create({'product_tmpl_id': cls.component_other.product_tmpl_id.id})

    def _html(self, report, record):
        return self.env['ir.actions.report']._render_qweb_html(report, record.ids)[0].decode()

    def test_marks(self):
        """R-16: the status of the revision says what is across each page; what is not controlled has no mark."""
        for revision, watermark in ((self.first, "OBSOLETE"), (self.second, None), (self.draft, "NOT FOR PRODUCTION")):
            mark = revision.bom_id._get_mmr_mark()
            self.assertEqual((mark['watermark'], mark['model'], mark['id']), (watermark, revision._name, revision.id))
            self.assertIn(revision.display_name, mark['text'])
        self.assertIsNone(self.plain._get_mmr_mark())
        own = self.env['mrp.bom'].create({'product_tmpl_id': self.product.product_tmpl_id.id})
        self.assertEqual(own._get_mmr_mark()['watermark'], "NOT FOR PRODUCTION")
        mark = self.order._get_mmr_mark()
        self.assertEqual((mark['watermark'], mark['model'], mark['id']), ("OBSOLETE", 'mrp.bpr', self.order.bpr_id.id))
        self.assertEqual(self._create_order()._get_mmr_mark()['watermark'], "NOT FOR PRODUCTION")

    def test_prints(self):
        """R-16: structure of the bill of materials, order and work orders say it above their content."""
        for report, record in (
                ('mrp.report_bom_structure', self.first.bom_id), ('mrp.report_mrporder', self.order),
                ('mrp.report_mrp_workorder', self.order.workorder_ids[:1]), ('mrp.report_mo_overview', self.order)):
            with self.subTest(report=report):
                html = self._html(report, record)
                self.assertIn('o_mrp_mmr_print_mark', html)
                self.assertIn("OBSOLETE", html)
        self.assertNotIn('o_mrp_mmr_print_mark', self._html('mrp.report_bom_structure', self.plain))
        self.assertIn("NOT FOR PRODUCTION", self._html('mrp.report_bom_structure', self.draft.bom_id))

    def test_overviews(self):
        """R-16: the overviews on the screen have the mark in their data."""
        overview = self.env['report.mrp.report_bom_structure']
        self.assertEqual(overview.get_html(self.first.bom_id.id)['lines']['mmr_mark']['watermark'], "OBSOLETE")
        self.assertIsNone(overview.get_html(self.plain.id)['lines']['mmr_mark'])
        data = self.env['report.mrp.report_mo_overview'].get_report_values(self.order.id)['data']
        self.assertEqual(data['mmr_mark']['id'], self.order.bpr_id.id)

    def test_pages(self):
        """R-16: the PDF bears the words on every page."""
        content, _kind = self.env['ir.actions.report'].with_context(force_report_rendering=True)._render_qweb_pdf(
            'mrp.report_mrporder', self.order.ids)
        pages = PdfFileReader(io.BytesIO(content), strict=False)
        self.assertGreaterEqual(pages.getNumPages(), 1)
        for number in range(pages.getNumPages()):
            self.assertIn("OBSOLETE", pages.getPage(number).extract_text())
