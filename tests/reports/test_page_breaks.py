"""How many renderings a print takes, where its pages end, and what is in its file (RPT-010, RPT-020)."""

import io
import re
from unittest.mock import patch

import pypdf

from odoo.tests import TransactionCase, tagged

from odoo.addons.mrp_mmr.reports import ir_actions_report as stamped_report
from odoo.addons.mrp_mmr.reports import page_breaks, pdf_marks
from odoo.addons.mrp_mmr.reports.renderer import Wkhtmltopdf

from ..common import batch
from .test_report import ReportCommon, read_pages
from .test_report_bpr import ReportBprCommon

ARGUMENTS = [
    '--disable-local-file-access', '--quiet', '--page-size', 'A4', '--margin-top', '21', '--margin-bottom', '20', '--dpi', '96',
    '--margin-left', '16', '--margin-right', '16', '--orientation', 'Portrait', *stamped_report.STATIC_ARGUMENTS]


def count_runs(runs):
    """Return a patch that adds the arguments of each run of wkhtmltopdf to ``runs``."""
    run = stamped_report._run_wkhtmltopdf
    return patch.object(stamped_report, '_run_wkhtmltopdf', lambda args: runs.append(args) or run(args))


def find_orphans(pdf):
    """Return the numbers of the objects that nothing refers to, and the part of the file that the others are."""
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    seen, todo = set(), [reader.trailer]
    while todo:
        value = todo.pop()
        if isinstance(value, pypdf.generic.IndirectObject):
            if value.idnum in seen:
                continue
            seen.add(value.idnum)
            value = value.get_object()
        if isinstance(value, dict):
            todo += [dict.__getitem__(value, key) for key in value]
        elif isinstance(value, list):
            todo += list(value)
    offsets = {number: int(offset) for offset, number in (
        (match.start(), int(match[1])) for match in re.finditer(rb'(?m)^(\d+) 0 obj\b', pdf))}
    ends = sorted([*offsets.values(), pdf.rindex(b'\nxref')])
    sizes = {number: ends[ends.index(offset) + 1] - offset for number, offset in offsets.items()}
    return set(offsets) - seen, sum(sizes[number] for number in seen if number in sizes) / len(pdf)


@tagged('post_install', '-at_install')
class TestLongPrint(ReportBprCommon):
    """RPT-020: a record of a hundred pages is a matter of seconds and of some hundred kilobytes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        steps = [*batch.STEPS, *(
            dict(step, name=f"{step['name']} {number}", instruction="\n".join(f"Part {part} of it." for part in range(50)))
            for number in range(58) for step in [batch.STEPS[(0, 1, 2, 5, 6)[number % 5]]])]
        with patch.object(batch, 'STEPS', steps):
            cls.bpr = cls._complete_batch(cls._create_full_mmr())

    def test_long_batch(self):
        """RPT-020, RPT-010: at most three renderings, no orphan in the file, a header on each page of a table."""
        self.assertGreaterEqual(len(self.bpr.step_ids), 78)
        self._print(self.bpr.mmr_revision_id, report='mrp_mmr.report_mmr_revision')
        runs = []
        with count_runs(runs):
            pdf = self._print(self.bpr)
        pages = read_pages(pdf)
        self.assertGreaterEqual(len(pages), 90)
        self.assertLessEqual(len(runs), 3)
        self.assertLess(len(pdf), 1_000_000)
        orphans, part = find_orphans(pdf)
        self.assertFalse(orphans)
        self.assertGreaterEqual(part, 0.9)
        for number, page in enumerate(pages, 1):
            self.assertIn(f"Page {number} of {len(pages)}", page)
        header = "No. Date and time (UTC) By What Old and new values, reason"
        trail = [page for page in pages if re.search(r'\d+ 2\d{3}-\d\d-\d\d \d\d:\d\d:\d\d Test t_\w+ t_\w+ \w+', page)]
        self.assertGreaterEqual(len(trail), 8)
        for page in trail:
            self.assertEqual(page.count(header), 1)
        self.assertFalse(pdf_marks.find_marks(pdf))


@tagged('post_install', '-at_install')
class TestMasters(ReportCommon):

    def test_masters(self):
        """RPT-010: several records of one print take three renderings each at most, and leave no orphan either."""
        revisions = self._create_long() | self._create_long(batch_size=50) | self._create_mmr(batch_size=20)
        self._print(revisions[0])
        runs = []
        with count_runs(runs):
            pdf = self._print(revisions)
        self.assertLessEqual(len(runs), 3 * len(revisions))
        orphans, part = find_orphans(pdf)
        self.assertFalse(orphans)
        self.assertGreaterEqual(part, 0.9)


@tagged('post_install', '-at_install')
class TestPageBreaks(TransactionCase):
    """RPT-010: page breaks of a document, whatever the renderer says about it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if cls.env['ir.actions.report'].get_wkhtmltopdf_state() == 'install':
            cls.skipTest(cls, "wkhtmltopdf is not installed")
        cls.paper = pdf_marks.measure_paper(Wkhtmltopdf(ARGUMENTS, stamped_report._render_document).render)

    def _make_rows(self, count, lines=lambda number: number % 7 + 1):
        return ''.join(
            f'<tr><td>Begin{number:03d}' + ''.join(f'<p>line {line}</p>' for line in range(lines(number)))
            + f'End{number:03d}</td></tr>' for number in range(count))

    def _make_html(self, rows, before=''):
        return (
            '<html><head><meta charset="utf-8"/><style>p { margin: 0 } table { width: 100% }</style></head>'
            f'<body style="margin: 0"><div>{before}<h2 class="o_with_next">Heading</h2><table class="o_paged"><colgroup><col/>'
            f'</colgroup><thead><tr><th>The header</th></tr></thead><tbody>{rows}</tbody></table></div></body></html>')

    def _render(self, html, measure=None):
        """Render, where told by a renderer that measures otherwise; return the pages' texts and how many renderings."""
        runs = []

        def run(html, arguments):
            runs.append(arguments)
            return stamped_report._render_document(html, arguments)

        renderer = Wkhtmltopdf(ARGUMENTS, run)
        if measure:
            truth = renderer.measure
            renderer.measure = lambda html: truth(measure(html))
        return read_pages(page_breaks.render_paged(html, renderer, self.paper)), len(runs)

    def _assert_whole(self, pages, count):
        """Assert that each row is once in the print, and on one page."""
        for number in range(count):
            begins = [page.count(f"Begin{number:03d}") for page in pages]
            self.assertEqual(sum(begins), 1)
            self.assertEqual(begins, [page.count(f"End{number:03d}") for page in pages])

    def test_two_renderings(self):
        """RPT-010: one rendering measures, one is the print; each page has the header and is full."""
        pages, runs = self._render(self._make_html(self._make_rows(120)))
        self.assertEqual(runs, 2)
        self._assert_whole(pages, 120)
        self.assertGreater(len(pages), 5)
        for page in pages:
            self.assertEqual(page.count("The header"), 1)
        self.assertIn("Heading The header Begin000", pages[0])
        for page in pages[:-1]:
            self.assertGreater(len(re.findall(r'line|Begin', page)), 30, "filled to the height of one row")

    def test_taller_than_a_page(self):
        """RPT-010: a row taller than a page goes on over pages; what follows has headers and is whole."""
        rows = self._make_rows(60, lambda number: 150 if number in (5, 30) else number % 5 + 1)
        pages, runs = self._render(self._make_html(rows))
        self.assertLessEqual(runs, 3)
        text = ' '.join(pages)
        for number in range(60):
            self.assertEqual((text.count(f"Begin{number:03d}"), text.count(f"End{number:03d}")), (1, 1))
        self._assert_headers(pages)

    def _assert_headers(self, pages):
        """Assert that each page that begins with a row begins with the header."""
        for page in pages:
            if re.match(r'(The header )?Begin', page):
                self.assertTrue(page.startswith("The header"), page[:40])

    def test_wrongly_measured(self):
        """RPT-010: three renderings at most; no row is cut where the measured heights are wrong."""
        html = self._make_html(self._make_rows(120))
        for name, style, expected in (
                ("too low", 'p { font-size: 60% }', 3), ("far too low", 'p { font-size: 20% }', 3),
                ("too high", 'p { font-size: 130% }', 2)):
            with self.subTest(name), self.assertNoLogs('odoo.addons.mrp_mmr.reports.page_breaks', 'WARNING'):
                pages, runs = self._render(html, lambda html, style=style: html.replace('</style>', f'{style}</style>'))
                self.assertEqual(runs, expected)
                self._assert_whole(pages, 120)
                self.assertEqual([int(number) for page in pages for number in re.findall(r'Begin(\d+)', page)], [*range(120)])
                self._assert_headers(pages)

    def test_nothing_measured(self):
        """RPT-010: without a measure, rows stay whole nevertheless."""
        pages, runs = self._render(self._make_html(self._make_rows(60)), lambda html: '<html><body>x</body></html>')
        self.assertLessEqual(runs, 3)
        self._assert_whole(pages, 60)
        with patch.object(self, 'paper', pdf_marks.Paper()):
            pages, runs = self._render(self._make_html(self._make_rows(60)))
        self.assertEqual(runs, 1)
        self._assert_whole(pages, 60)

    def test_headings_and_breaks(self):
        """RPT-010: a heading is on the page of what follows; a document begins a page where it says so."""
        before = ''.join(
            f'<div style="{"page-break-before: always" if part == 3 else ""}"><h3 class="o_with_next">Title{part:02d}</h3>'
            f'<div>{"".join(f"<p>Text{part:02d}-{line}.</p>" for line in range(9))}</div></div>' for part in range(30))
        pages, runs = self._render(self._make_html(self._make_rows(3), before))
        self.assertEqual(runs, 2)
        self.assertTrue(pages[1].startswith("Title03"))
        self.assertTrue(pages[0].endswith("Text02-8."))
        for part in range(30):
            [page] = [page for page in pages if f"Title{part:02d}" in page]
            self.assertIn(f"Text{part:02d}-0.", page)

    def test_last_page(self):
        """U-27, RPT-020: no print ends with a page of one line."""
        pages, _runs = self._render(self._make_html(self._make_rows(200, lambda number: 0)))
        rows = [len(re.findall(r'Begin', page)) for page in pages]
        wanted = rows[0] + rows[1] + 1
        pages, runs = self._render(self._make_html(self._make_rows(wanted, lambda number: 0)))
        self.assertEqual(runs, 2)
        self._assert_whole(pages, wanted)
        rows = [len(re.findall(r'Begin', page)) for page in pages]
        self.assertEqual(len(rows), 3)
        self.assertGreaterEqual(rows[2], 4)
        self.assertLess(rows[2], 14)

    def test_marks_are_removed(self):
        """RPT-010: marks are found on the page and height of their places, and leave nothing else changed."""
        html = '<html><body style="margin: 0">{}<p style="margin: 0">One</p></body></html>'
        marked, plain = (stamped_report._render_document(html.format(mark), ARGUMENTS) for mark in (
            f'<div style="{pdf_marks.style_of(70_000)} top: 75px"></div>', ''))
        place = pdf_marks.find_marks(marked)[70_000]
        self.assertEqual(place.page, 0)
        self.assertAlmostEqual(place.y - self.paper.top, 75 * 0.75 * 0.768, delta=1)
        content = pdf_marks.remove_marks(pdf_marks.read_content(pdf_marks.read_pages(marked)[0]))
        self.assertEqual(content.count(b'\nf\n'), pdf_marks.read_content(pdf_marks.read_pages(plain)[0]).count(b'\nf\n'))
        self.assertEqual(read_pages(marked), read_pages(plain))
        self.assertFalse(pdf_marks.find_marks(plain))

    def test_measuring_page(self):
        """RPT-010: the page without end is as wide as the others, upright or not."""
        def arguments(*given):
            return Wkhtmltopdf(['--quiet', *given], None)._endless_arguments()[:3]

        self.assertEqual(arguments('--page-size', 'A4'), ['--quiet', '--page-width', '210.0mm'])
        self.assertEqual(arguments('--page-size', 'A4', '--orientation', 'landscape'), ['--quiet', '--page-width', '297.0mm'])
        self.assertEqual(
            arguments('--page-width', '100mm', '--page-height', '60mm', '--orientation', 'Portrait'),
            ['--quiet', '--page-width', '100.0mm'])
