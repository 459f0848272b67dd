"""Header line, footer line and watermark, drawn on the finished pages of a printed record.

wkhtmltopdf draws headers and footers only when it was built with a patched Qt, which Debian's is
not. So they are put on the pages afterwards: the result is the same with every build, and no page
can lack its number, revision and status.
"""

import functools
import io
import logging
import math
import unicodedata
import zlib
from typing import NamedTuple

from reportlab.lib.colors import Color
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas

from odoo.tools.pdf import DecodedStreamObject, DictionaryObject, NameObject, PdfFileWriter

from .pdf_marks import read_content, read_pages, remove_marks

_logger = logging.getLogger(__name__)

#: File names of TrueType fonts, best first; each line is set in the font that has most of its characters.
FONTS = ('LiberationSans-Regular', 'DejaVuSans', 'DroidSansFallbackFull')
BOLD_FONTS = ('LiberationSans-Bold', 'DejaVuSans-Bold', 'DroidSansFallbackFull')
#: Where the system has none of them: every PDF reader has these, with Western European characters only.
STANDARD_FONTS = ('Helvetica', 'Helvetica-Bold')
FONT_SIZE = 7.5
MIN_FONT_SIZE = 4
GAP = 6 * mm
HEADER_BASELINE = 12 * mm
FOOTER_BASELINE = 10 * mm

INK = Color(0.2, 0.2, 0.2)
RULE = Color(0.12, 0.31, 0.47)
#: Name of what is drawn over a page among the objects of that page.
FORM = NameObject('/MmrStamp')
# Light, and over the content: backgrounds cannot hide it, and the text below stays readable.
WATERMARK = Color(0.4, 0.4, 0.4, alpha=0.17)


class Stamp(NamedTuple):
    """What every page of a printed record says."""
    header_left: str
    #: Identifies the record, hence is never shortened.
    header_right: str
    footer_left: str
    footer_center: str
    #: Diagonal text, or None
    watermark: str | None = None
    #: Format of the page number, with ``page`` and ``pages``
    page_label: str = "Page %(page)s of %(pages)s"


@functools.cache
def _load_font(name):
    """Return the TrueType font ``name`` where the system has it, else None."""
    try:
        font = TTFont(name, f'{name}.ttf')
        pdfmetrics.registerFont(font)
    except (TTFError, OSError):
        _logger.info("The font %s is not installed", name)
        return None
    return font


def choose_font(text, bold=False):
    """Choose the font for a line of text.

    :return: name of a registered font and the text as that font can draw it: characters that no font
        has become question marks
    """
    text = ''.join(
        char for char in ' '.join(str(text or '').split()) if not unicodedata.category(char).startswith('C'))
    best = None
    for name in BOLD_FONTS if bold else FONTS:
        font = _load_font(name)
        if font is None:
            continue
        missing = {char for char in text if ord(char) not in font.face.charToGlyph}
        if best is None or len(missing) < len(best[1]):
            best = (name, missing)
        if not missing:
            break
    if best is None:
        return STANDARD_FONTS[bold], text.encode('cp1252', 'replace').decode('cp1252')
    name, missing = best
    return name, ''.join('?' if char in missing else char for char in text)


def _fit(text, width, bold=False, shorten=True):
    """Return font, size and text so that the line is at most ``width`` wide."""
    name, text = choose_font(text, bold)
    needed = pdfmetrics.stringWidth(text, name, FONT_SIZE)
    if needed <= width:
        return name, FONT_SIZE, text
    if not shorten:
        return name, max(MIN_FONT_SIZE, FONT_SIZE * width / needed), text
    ellipsis = '…' if name in STANDARD_FONTS or ord('…') in _load_font(name).face.charToGlyph else '...'
    while text and pdfmetrics.stringWidth(text + ellipsis, name, FONT_SIZE) > width:
        text = text[:-1]
    return name, FONT_SIZE, text.rstrip() + ellipsis


def _draw_line(canvas, y, left, center, right, x_left, x_right, bold_right=False):
    width = x_right - x_left
    name, size, text = _fit(right, width, bold=bold_right, shorten=False)
    canvas.setFont(name, size)
    canvas.drawRightString(x_right, y, text)
    room = width - pdfmetrics.stringWidth(text, name, size) - GAP
    if center:
        # The centre is the middle of the page unless its neighbours need the place.
        name, size, text = _fit(left, room / 2)
        left_width = pdfmetrics.stringWidth(text, name, size) + GAP
        canvas.setFont(name, size)
        canvas.drawString(x_left, y, text)
        name, size, text = _fit(center, room - left_width)
        text_width = pdfmetrics.stringWidth(text, name, size)
        x = min((x_left + x_right - text_width) / 2, x_left + room - text_width)
        canvas.setFont(name, size)
        canvas.drawString(max(x, x_left + left_width), y, text)
    else:
        name, size, text = _fit(left, room)
        canvas.setFont(name, size)
        canvas.drawString(x_left, y, text)


def _draw_watermark(canvas, text, width, height):
    name, text = choose_font(text, bold=True)
    diagonal = math.hypot(width, height)
    size = 0.74 * diagonal / pdfmetrics.stringWidth(text, name, 1)
    canvas.saveState()
    canvas.setFillColor(WATERMARK)
    canvas.translate(width / 2, height / 2)
    canvas.rotate(math.degrees(math.atan2(height, width)))
    canvas.setFont(name, min(size, 0.11 * diagonal))
    canvas.drawCentredString(0, -min(size, 0.11 * diagonal) * 0.35, text)
    canvas.restoreState()


def _finish(content, draw=None, title=None):
    """Return a PDF with what ``draw`` puts over its pages, without marks and without anything that no page uses.

    What is drawn is a form of its own on each page: its fonts and those of the page do not meet.

    :param bytes content: the PDF
    :param draw: function of canvas, number of the page, number of pages, width and height in points
    :rtype: io.BytesIO
    """
    pages = read_pages(content)
    forms = [None] * len(pages)
    if draw:
        overlay = io.BytesIO()
        canvas = Canvas(overlay, pageCompression=0)
        for number, page in enumerate(pages, 1):
            width, height = float(page.mediaBox.getWidth()), float(page.mediaBox.getHeight())
            canvas.setPageSize((width, height))
            draw(canvas, number, len(pages), width, height)
            canvas.showPage()
        canvas.save()
        forms = [_make_form(form) for form in read_pages(overlay.getvalue())]
    writer = PdfFileWriter()
    for page, form in zip(pages, forms, strict=True):
        drawn = remove_marks(read_content(page))
        if form:
            resources = DictionaryObject(page['/Resources'].getObject())
            objects = resources.get('/XObject')
            resources[NameObject('/XObject')] = objects = DictionaryObject(objects.getObject() if objects else {})
            objects[FORM] = form
            page[NameObject('/Resources')] = resources
            drawn = b'q\n%s\nQ\nq\n%s Do\nQ\n' % (drawn, FORM.encode())
        # What a page was drawn with before is never given to the writer, hence is not in the file.
        page[NameObject('/Contents')] = _make_stream(drawn)
        writer.addPage(page)
    if title:
        writer.addMetadata({'/Title': title})
    result = io.BytesIO()
    writer.write(result)
    result.seek(0)
    return result


def _make_stream(data):
    # Compressed here: the methods for it have other names in each version of the library.
    stream = DecodedStreamObject()
    stream.setData(zlib.compress(data))
    stream[NameObject('/Filter')] = NameObject('/FlateDecode')
    return stream


def _make_form(page):
    """Return a page as a form that another page can draw."""
    form = _make_stream(read_content(page))
    form.update({
        NameObject('/Type'): NameObject('/XObject'), NameObject('/Subtype'): NameObject('/Form'),
        NameObject('/BBox'): page['/MediaBox'], NameObject('/Resources'): page['/Resources'],
    })
    return form


def mark_pdf(content, watermark):
    """Put ``watermark`` across every page of a PDF, and nothing else.

    :param io.BytesIO content: the PDF
    :rtype: io.BytesIO
    """
    return _finish(content.getvalue(), lambda canvas, _number, _count, width, height: _draw_watermark(
        canvas, watermark, width, height))


def stamp_pdf(content, stamp, margin_left=15, margin_right=15):
    """Put ``stamp`` on every page.

    :param bytes content: the PDF of one record; its pages are counted
    :param Stamp stamp: what to write; None for a print without stamp
    :param margin_left: left margin in millimetres
    :param margin_right: right margin in millimetres
    :rtype: io.BytesIO
    """
    if stamp is None:
        return _finish(content)

    def draw(canvas, number, count, width, height):
        x_left, x_right = margin_left * mm, width - margin_right * mm
        if stamp.watermark:
            _draw_watermark(canvas, stamp.watermark, width, height)
        canvas.setFillColor(INK)
        canvas.setStrokeColor(RULE)
        canvas.setLineWidth(0.6)
        y = height - HEADER_BASELINE
        _draw_line(canvas, y, stamp.header_left, '', stamp.header_right, x_left, x_right, bold_right=True)
        canvas.line(x_left, y - 2 * mm, x_right, y - 2 * mm)
        canvas.line(x_left, FOOTER_BASELINE + 4 * mm, x_right, FOOTER_BASELINE + 4 * mm)
        _draw_line(
            canvas, FOOTER_BASELINE, stamp.footer_left, stamp.footer_center,
            stamp.page_label % {'page': number, 'pages': count}, x_left, x_right)

    return _finish(content, draw, stamp.header_right)
