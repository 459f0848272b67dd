"""Page breaks, repeated table headers and text size that do not depend on the build of wkhtmltopdf.

A plain Qt neither repeats the header of a table on its next page nor keeps rows together, and it
scales pages differently from a patched one. So each row becomes a table of its own, which both keep
together; where a table goes on is measured on the rendered pages and its header is put there; and
the scale is measured once with a ruler.
"""

import copy
import io
import re

import lxml.html

from odoo.tools.pdf import PdfFileReader

from .characters import CONTROL_CHARACTERS

#: Paper size of 1rem in points; templates give every length in rem.
ROOT_SIZE = 10
#: A table that goes on over more pages keeps its rows together, but its last pages lack the header.
MAX_BREAKS = 100

#: Rows that are rendered at a time in search of page breaks: one page or a few.
PART_ROWS = 40

PAGED_TABLE = "//table[contains(concat(' ', normalize-space(@class), ' '), ' o_paged ')]"
WITH_NEXT = 'o_with_next'
KEEP_STYLE = 'page-break-inside: avoid;'
BREAK_STYLE = 'page-break-before: always;'
#: Marks are dots whose colour has this much red, which no template uses, and the number of the row.
MARK_RED = 1
MARK_STYLE = f'position: absolute; width: 2px; height: 2px; background: #{MARK_RED:02x}%04x;'
MARK_COLOR = re.compile(rb'([\d.]+) ([\d.]+) ([\d.]+) (?:scn|rg)\b')


#: Points between the marks of the ruler, which fits on a label.
RULER_LENGTH = 100
RULER = """<!DOCTYPE html>
<html><head><meta charset="utf-8"/><title>-</title></head><body style="margin: 0">
<div style="position: relative; height: 130pt; font-size: 10pt">
<span style="position: absolute; left: 0; top: 10pt">RULERA</span>
<span style="position: absolute; left: 0; top: 110pt">RULERB</span>
</div></body></html>"""


def measure_scale(render):
    """Return how much smaller than wanted wkhtmltopdf makes things, as a factor; 1.0 where it cannot be measured.

    :param render: function from HTML to PDF
    """
    found = {}

    def visit(text, cm, tm, *font):
        for mark in ('RULERA', 'RULERB'):
            if mark in text:
                found.setdefault(mark, tm[4] * cm[1] + tm[5] * cm[3] + cm[5])

    reader = PdfFileReader(io.BytesIO(render(RULER)), strict=False)
    try:
        reader.getPage(0).extract_text(visitor_text=visit)
    except (AttributeError, TypeError):  # PyPDF2 1.x has no visitors
        return 1.0
    if len(found) < 2:
        return 1.0
    scale = abs(found['RULERA'] - found['RULERB']) / RULER_LENGTH
    return scale if 0.3 < scale < 3 else 1.0


def render_paged(html, render, scale=1.0):
    """Render one self-contained document with whole rows and repeated table headers.

    Tables of class ``o_paged`` have a ``colgroup``, a ``thead`` of one or more rows and a ``tbody``.
    Elements of class ``o_with_next`` stay on the page of what follows them.

    :param str html: the document
    :param render: function from HTML to PDF
    :param float scale: see :func:`measure_scale`
    :return: PDF as bytes
    """
    document = lxml.html.document_fromstring(CONTROL_CHARACTERS.sub('\ufffd', html))
    document.set('style', f"font-size: {ROOT_SIZE / scale:.3f}pt")
    tables = [_split_table(table) for table in document.xpath(PAGED_TABLE)]
    _keep_with_next(document)

    rows = _list_rows(tables)
    continued = set()
    if any(len(group) > 1 for _head, group in tables):
        _break_by_parts(document, rows, continued, render)
        # Parts are laid out as the whole is. Where one is not, the whole decides.
        while len(continued) < MAX_BREAKS:
            broken = _find_broken_row(document, rows, continued, render)
            if not broken:
                break
            _repeat_header(*broken, continued)
    return render(_serialize(document))


def _list_rows(tables):
    """Return header, row and the row before it in the same table, or None, for all rows of tables with a header."""
    return [
        (head, row, group[index - 1] if index else None)
        for head, group in tables if head.find('tbody/tr') is not None for index, row in enumerate(group)]


def _repeat_header(head, row, continued):
    continued.add(row)
    return _insert_wrapper(row, [copy.deepcopy(head), row], KEEP_STYLE + BREAK_STYLE)


def _break_by_parts(document, rows, continued, render):
    """Repeat headers from break to break, rendering a few pages at a time.

    What comes after a header that begins a page does not depend on what is before it: the more pages a
    document has, the more this saves over rendering all of it for each break.
    """
    if len(rows) <= PART_ROWS:
        return
    place = {row: number for number, (_head, row, _previous) in enumerate(rows)}
    begin, start, length = 0, None, PART_ROWS
    while len(continued) < MAX_BREAKS and begin < len(rows):
        end = begin + length
        broken = _find_broken_row(
            document, rows[begin:end], continued, render, start, rows[end - 1][1] if end < len(rows) else None)
        if broken:
            start = _repeat_header(*broken, continued)
            begin, length = place[broken[1]], PART_ROWS
        elif end >= len(rows):
            return
        else:
            length *= 2


def _cut(document, first, last):
    """Return a copy of the document with only what lies from ``first`` to ``last``; None for its beginning or end."""
    marked = {}
    for name, element in (('first', first), ('last', last)):
        if element is not None:
            element.set('data-part', f"{element.get('data-part', '')} {name}".strip())
            marked[name] = element
    part = copy.deepcopy(document)
    for element in marked.values():
        element.attrib.pop('data-part', None)
    for name, following in (('first', False), ('last', True)):
        if name not in marked:
            continue
        [element] = part.xpath(f"//*[contains(concat(' ', @data-part, ' '), ' {name} ')]")
        while element.tag != 'body':
            parent = element.getparent()
            for sibling in list(element.itersiblings(preceding=not following)):
                # What a report adds to the style lies in the body, and the layout depends on it.
                if sibling.tag != 'style':
                    parent.remove(sibling)
            if not following:
                parent.text = None
            element = parent
    return part


def _serialize(document):
    return lxml.html.tostring(document, encoding='unicode', doctype='<!DOCTYPE html>')


def _read_pages(pdf):
    reader = PdfFileReader(io.BytesIO(pdf), strict=False)
    return [reader.getPage(number) for number in range(reader.getNumPages())]


def _insert_wrapper(place, elements, style):
    """Put a ``div`` of ``style`` with ``elements`` where ``place`` is."""
    wrapper = lxml.html.Element('div', style=style)
    place.addprevious(wrapper)
    for element in elements:
        element.tail = None
        wrapper.append(element)
    return wrapper


def _split_table(table):
    """Replace a table by one for its header and one for each of its rows.

    :return: the header's table and the list of the rows' tables
    """
    def part(tag, rows, *classes):
        result = lxml.html.Element('table', dict(table.attrib))
        result.set('class', ' '.join([table.get('class'), *classes]))
        result.set('style', f"{table.get('style', '')} {KEEP_STYLE}".strip())
        colgroup = table.find('colgroup')
        if colgroup is not None:
            result.append(copy.deepcopy(colgroup))
        body = lxml.html.Element(tag)
        result.append(body)
        for row in rows:
            body.append(copy.deepcopy(row))
        table.addprevious(result)
        return result

    # The head is no <thead>, which a patched Qt would repeat in its own, faulty way.
    head = part('tbody', table.findall('thead/tr'), 'o_paged_head', WITH_NEXT)
    rows = table.findall('tbody/tr')
    tables = [
        part('tbody', [row], 'o_paged_row', *(['o_paged_last'] if row is rows[-1] else [])) for row in rows]
    table.drop_tree()
    return head, tables


def _keep_with_next(document):
    """Wrap each run of ``o_with_next`` elements with the element after it."""
    done = set()
    for element in document.find_class(WITH_NEXT):
        if element in done:
            continue
        run = [element]
        follower = element.getnext()
        while follower is not None and WITH_NEXT in (follower.get('class') or '').split():
            run.append(follower)
            follower = follower.getnext()
        done.update(run)
        if follower is not None:
            run.append(follower)
        _insert_wrapper(element, run, KEEP_STYLE)


def _find_broken_row(document, rows, continued, render, part_first=None, part_last=None):
    """Return header and row of the first row that begins a page without header, or None.

    Where rows are is told by coloured dots at the beginning and the end of their cells, which are
    much faster to find on a page than text. They are not in the final rendering.

    :param rows: those that are looked at, see :func:`_list_rows`
    :param part_first: element with which the rendered part begins; it begins a page
    :param part_last: element with which it ends
    """
    numbers = {row: number for number, (_head, row, _previous) in enumerate(rows[:0x10000])}
    marks = []
    for row, number in numbers.items():
        for cell in row.iter('td', 'th'):
            first, last = (
                lxml.html.Element('span', style=MARK_STYLE % number) for _position in ('beginning', 'end'))
            first.tail, cell.text = cell.text, None
            cell.insert(0, first)
            cell.append(last)
            marks += [first, last]
    try:
        part = document if part_first is None and part_last is None else _cut(document, part_first, part_last)
        pages = _find_marks(render(_serialize(part)))
    finally:
        for mark in marks:
            mark.drop_tree()
    for head, row, previous in rows:
        before, here = pages.get(numbers.get(previous)), pages.get(numbers.get(row))
        if before and here and row not in continued and min(here) > max(before):
            return head, row
    return None


def _find_marks(pdf):
    """Return the indexes of the pages on which each mark is."""
    pages = {}
    for index, page in enumerate(_read_pages(pdf)):
        contents = page['/Contents'].getObject()
        streams = [part.getObject() for part in contents] if isinstance(contents, list) else [contents]
        for color in MARK_COLOR.findall(b'\n'.join(stream.getData() for stream in streams)):
            red, green, blue = (round(float(part) * 255) for part in color)
            if red == MARK_RED:
                pages.setdefault(green << 8 | blue, []).append(index)
    return pages
