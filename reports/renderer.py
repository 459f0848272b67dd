"""The one place that makes pages of HTML: what a renderer is, and why it is wkhtmltopdf.

Everything about a print that differs from page to page (repeated headers of tables, page numbers, watermark, codes)
is decided outside of the renderer, by :mod:`.page_breaks` and :mod:`.stamping`. What they need of it is two methods,
:meth:`Wkhtmltopdf.render` and :meth:`Wkhtmltopdf.measure`; another renderer takes its place by having both.

wkhtmltopdf was chosen for good, for these reasons:

- Each installation of Odoo has it already, with its fonts. WeasyPrint would be one more dependency at run time, with
  Pango and its own idea of the layout, and takes several times as long for a record of a hundred pages; reportlab would
  need each template a second time, without HTML for the screen.
- Its one weakness is paging: Debian's build repeats no header, keeps no row whole and numbers no page. All of that is
  computed here from one measured rendering, so that two runs make a print, and no build of it makes another one.
- What follows later concerns the finished file, not the layout: PDF/A-3 (metadata, output intent, embedded data) is
  written into the catalog where pages are stamped, since the fonts are embedded already; a code on each page is drawn
  by the stamp, which knows record and page.
"""

import re

from odoo.addons.base.models.report_paperformat import PAPER_SIZES

#: Height in millimetres of the page that takes a whole document: some eight hundred pages.
ENDLESS = 200_000
SIZES = {size['key']: (size['width'], size['height']) for size in PAPER_SIZES if size.get('width')}


class Wkhtmltopdf:
    """Renders self-contained documents by wkhtmltopdf.

    :param list arguments: of wkhtmltopdf, as Odoo builds them from a paper format
    :param run: function from HTML and arguments to PDF
    """

    def __init__(self, arguments, run):
        self.arguments = list(arguments)
        self._run = run

    def render(self, html):
        """Return the pages of a document, as PDF."""
        return self._run(html, self.arguments)

    def measure(self, html):
        """Return the document as PDF on one page that is as wide as the others and as tall as it needs to be.

        Nothing is moved by the end of a page there, hence where things are tells how tall they are.
        """
        return self._run(html, self._endless_arguments())

    def _endless_arguments(self):
        arguments, options = [], {'--page-size': 'A4', '--orientation': 'Portrait'}
        given = iter(self.arguments)
        for argument in given:
            if argument in ('--page-size', '--page-width', '--page-height', '--orientation'):
                options[argument] = next(given)
            else:
                arguments.append(argument)
        if '--page-width' in options:
            width, height = (float(re.match(r'[\d.]+', options[f'--page-{side}']).group()) for side in ('width', 'height'))
        else:
            width, height = SIZES[options['--page-size']]
        if options['--orientation'].lower() == 'landscape':
            width = height
        return [*arguments, '--page-width', f'{width}mm', '--page-height', f'{ENDLESS}mm']
