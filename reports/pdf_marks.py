"""Coloured dots that tell where in a PDF a place of its HTML came to be, and that are taken out of it again.

A dot has the size of two pixels, lies over the layout and moves nothing. Its colour is its number: hardly any red, which
no template uses. In the content of a page it is a colour and a rectangle, which are found without reading any text.
"""

import io
from typing import NamedTuple

from odoo.tools.pdf import PdfFileReader

#: Numbers are counted from here, so that they are colours with a red of 1 to 7.
FIRST, LIMIT = 0x010000, 0x080000
STYLE = 'position: absolute; width: 2px; height: 2px; background: #%06x;'

#: The ruler: marks in steps of pixels that reach the second page, and two marks in points, which wkhtmltopdf rounds as texts.
RULER_STEP, RULER_MARKS = 100, 40
RULER_POINTS = (10, 110)


class Place(NamedTuple):
    """Where a mark is."""
    page: int
    #: Points from the upper edge of the page.
    y: float


class Paper(NamedTuple):
    """What a renderer makes of a paper format."""
    #: How much smaller than wanted it makes things; 1.0 where that cannot be measured.
    scale: float = 1.0
    #: Points from the upper edge of a page to its content.
    top: float = 0.0
    #: Points of content on a page, or None where that cannot be measured.
    height: float | None = None


def style_of(number):
    """Return the style of the mark ``number``."""
    return STYLE % (FIRST + number)


def measure_paper(render):
    """Return the :class:`Paper` of a renderer.

    :param render: function from HTML to PDF
    """
    tops = [f'{number * RULER_STEP}px' for number in range(RULER_MARKS)] + [f'{points}pt' for points in RULER_POINTS]
    marks = ''.join(f'<div style="{style_of(number)} left: 0; top: {top}"></div>' for number, top in enumerate(tops))
    places = find_marks(render(
        '<!DOCTYPE html><html><head><meta charset="utf-8"/><title>-</title></head><body style="margin: 0">'
        f'<div style="position: relative; height: {RULER_MARKS * RULER_STEP}px">{marks}</div></body></html>'))
    zero, step, begin, end = (places.get(number) for number in (0, 1, RULER_MARKS, RULER_MARKS + 1))
    if not all((zero, step, begin, end)) or {zero.page, step.page, begin.page, end.page} != {0}:
        return Paper()
    scale = (end.y - begin.y) / (RULER_POINTS[1] - RULER_POINTS[0])
    if not 0.3 < scale < 3:
        return Paper()
    number = next((number for number in range(RULER_MARKS) if number in places and places[number].page == 1), None)
    if number is None:
        return Paper(scale)
    return Paper(scale, zero.y, number * (step.y - zero.y) - (places[number].y - zero.y))


def read_pages(pdf):
    """Return the pages of a PDF."""
    reader = PdfFileReader(io.BytesIO(pdf), strict=False)
    return [reader.getPage(number) for number in range(reader.getNumPages())]


def read_content(page):
    """Return what is drawn on a page, decompressed."""
    contents = page['/Contents'].getObject()
    streams = [part.getObject() for part in contents] if isinstance(contents, list) else [contents]
    return b'\n'.join(stream.getData() for stream in streams)


def find_marks(pdf):
    """Return the :class:`Place` of each mark by its number; that on the first page, where it is on two."""
    places = {}
    for index, page in enumerate(read_pages(pdf)):
        height = float(page.mediaBox.getHeight())
        for number, _line, y in _iterate_marks(read_content(page).split(b'\n')):
            places.setdefault(number, Place(index, height - y))
    return places


def remove_marks(content):
    """Return the content of a page without its marks."""
    lines = content.split(b'\n')
    # Painting becomes forgetting the path: nothing else depends on it.
    for _number, index, _y in list(_iterate_marks(lines)):
        lines[index] = b'n'
    return b'\n'.join(lines)


def _iterate_marks(lines):
    """Yield number, index of the line that paints it, and the height of its upper edge above the page's lower one.

    Qt writes an operator a line. Reading lines is many times as fast as reading the language.
    """
    # Only what scales and moves is looked at: nothing is rotated.
    scale, move, number, edge, saved = 1.0, 0.0, None, None, []
    for index, line in enumerate(lines):
        operator = line[-2:]
        if operator == b'cm':
            matrix = line.split()
            scale, move = scale * float(matrix[-4]), move + scale * float(matrix[-2])
        elif operator in (b'cn', b'rg'):
            red, green, blue = (round(float(part) * 255) for part in line.split()[-4:-1])
            number = (red << 16 | green << 8 | blue) - FIRST
        elif operator == b're' and number is not None and 0 <= number < LIMIT - FIRST:
            _x, y, _width, height = (float(part) for part in line.split()[:4])
            edge = max(move + scale * y, move + scale * (y + height))
        elif line == b'f':
            if edge is not None:
                yield number, index, edge
            edge = None
        elif line[:1] in (b'q', b'Q'):
            for state in line.split():
                if state == b'q':
                    saved.append((scale, move))
                elif state == b'Q' and saved:
                    scale, move = saved.pop()
