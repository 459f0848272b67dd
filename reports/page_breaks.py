"""Page breaks and repeated table headers, computed from one rendering that measured everything.

A plain Qt neither repeats the header of a table on its next page nor keeps rows together, and it scales pages differently
from a patched one. So the document is cut into *units* that stay whole: a row of a table, a paragraph, a heading with what
follows it. The first rendering puts them on one page without end, with a mark at each (:mod:`.pdf_marks`): their heights.
From these all breaks follow at once. The second rendering has them, and its marks say whether each unit is on the page that
was meant; they are then taken out of it. Only where one is not, which takes a unit taller than a page, there is a third
rendering, corrected by what the second one shows.

Where even that is not as meant, the third rendering is the print: rows and headings stay whole, since each unit says so to
the renderer as well, and pages are counted on what was rendered. At worst a table then goes on without its header.
"""

import copy
import logging
from dataclasses import dataclass, field
from itertools import pairwise

import lxml.html

from . import pdf_marks
from .characters import CONTROL_CHARACTERS
from .pdf_marks import Paper

_logger = logging.getLogger(__name__)

#: Paper size of 1rem in points; templates give every length in rem.
ROOT_SIZE = 10
#: Renderings with breaks, after the one that measures.
MAX_PAGED = 2
#: Points at the end of a page that stay empty: positions are whole pixels.
TOLERANCE = 1.5
#: A unit that is taller than a page begins where at least this part of one is left.
MIN_REST = 0.25
#: Points that the last page has at least on it, taken from the page before where they must: no page has one line.
MIN_LAST = 150
#: Points of a line of text, which a page break in the middle of a unit may leave empty.
LINE = 13

WITH_NEXT = 'o_with_next'
KEEP_STYLE = 'page-break-inside: avoid;'
BREAK_STYLE = 'page-break-before: always;'
BREAK_BEFORE = 'page-break-before: always'
KEPT_CLASSES = {'o_keep', 'o_signature'}
BLOCKS = {'div', 'p', 'table', 'h1', 'h2', 'h3', 'h4', 'ul', 'ol', 'hr', 'pre', 'style'}


@dataclass(eq=False)
class Unit:
    """What stays on one page: a ``div`` around a few elements, each after its mark."""
    wrapper: lxml.html.HtmlElement
    #: Number of its first mark.
    mark: int
    #: Header of the table that it continues, and that header's own mark, or None.
    head: tuple | None = None
    #: Stays on the page of the next unit.
    glued: bool = False
    #: Begins a page, as its template says.
    forced: bool = False
    #: What a break has put in.
    inserted: list = field(default_factory=list)

    def break_before(self):
        """Begin a page with this unit, under the header of its table."""
        self.wrapper.set('style', KEEP_STYLE + BREAK_STYLE)
        if self.head:
            head = copy.deepcopy(self.head[0])
            self.wrapper.insert(1, head)
            self.inserted.append(head)

    def undo(self):
        self.wrapper.set('style', KEEP_STYLE)
        while self.inserted:
            self.inserted.pop().drop_tree()


def render_paged(html, renderer, paper=None):
    """Render one self-contained document with whole rows and repeated table headers.

    Tables of class ``o_paged`` have a ``colgroup``, a ``thead`` of some rows, or none, and a ``tbody``. Elements of class
    ``o_with_next`` stay on the page of what follows them.

    :param str html: the document
    :param renderer: see :class:`.renderer.Wkhtmltopdf`
    :param pdf_marks.Paper paper: what the renderer makes of its paper format
    :return: PDF as bytes, with marks; see :func:`.pdf_marks.remove_marks`
    """
    paper = paper or Paper()
    document = lxml.html.document_fromstring(CONTROL_CHARACTERS.sub('\ufffd', html))
    document.set('style', f"font-size: {ROOT_SIZE / paper.scale:.3f}pt")
    layout = Layout(document)
    if paper.height is None or len(layout.units) < 2:
        layout.apply([unit for unit in layout.units[1:] if unit.forced])
        return renderer.render(layout.serialize())
    plan = Plan(layout, paper, pdf_marks.find_marks(renderer.measure(layout.serialize())))
    for attempt in range(1, MAX_PAGED + 1):
        layout.apply(plan.compute())
        pdf = renderer.render(layout.serialize())
        if plan.is_met(pdf_marks.find_marks(pdf)):
            break
        _logger.log(
            logging.INFO if attempt < MAX_PAGED else logging.WARNING,
            "Page breaks of a print are not where they were meant after %s renderings", attempt + 1)
    return pdf


class Layout:
    """A document as a list of units.

    :param document: the parsed document, which is changed
    """

    def __init__(self, document):
        self.document = document
        self.units = []
        self._marks = 0
        body = document.find('body')
        self._walk(body)
        #: Number of the mark at the end of the document.
        self.end = self._marks
        body.append(self._make_mark())

    def serialize(self):
        return lxml.html.tostring(self.document, encoding='unicode', doctype='<!DOCTYPE html>')

    def apply(self, units):
        """Let pages begin with ``units``, and with no others."""
        for unit in self.units:
            unit.undo()
        for unit in units:
            unit.break_before()

    def mark_end(self, unit):
        """Put a mark at the end of a unit; return its number."""
        number = self._marks
        unit.wrapper.append(self._make_mark())
        return number

    def _make_mark(self):
        mark = lxml.html.Element('div', style=pdf_marks.style_of(self._marks))
        self._marks += 1
        return mark

    def _add(self, elements, head=None, glued=False):
        """Put a unit around ``elements``, which follow each other; return it."""
        wrapper = lxml.html.Element('div', style=KEEP_STYLE)
        elements[0].addprevious(wrapper)
        unit = Unit(wrapper, self._marks, head, glued)
        for element in elements:
            element.tail = None
            wrapper.append(self._make_mark())
            wrapper.append(element)
        self.units.append(unit)
        return unit

    def _walk(self, container):
        run = []
        for child in list(container):
            if not isinstance(child.tag, str) or child.tag == 'style':
                continue
            begin, breaks = len(self.units), BREAK_BEFORE in (child.get('style') or '')
            if breaks:
                child.set('style', child.get('style').replace(BREAK_BEFORE, ''))
            if WITH_NEXT in _classes(child):
                run.append(child)
            elif _is_splittable(child):
                self._add_table(run, child)
                run = []
            elif _is_container(child):
                if run:
                    self._add(run, glued=True)
                    run = []
                self._walk(child)
            else:
                self._add([*run, child])
                run = []
            if breaks and len(self.units) > begin:
                self.units[begin].forced = True
        if run:
            self._add(run, glued=True)

    def _add_table(self, run, table):
        """Make a unit of each row; the first one has what precedes the table and its header."""
        head, rows = _split_table(table)
        if head is None:
            units = [self._add([*run, rows[0]]), *(self._add([row]) for row in rows[1:])]
            # Neither the first nor the last of the facts is alone on a page.
            for unit in units[:-1]:
                unit.glued = unit in (units[0], units[-2])
            return
        unit = self._add([*run, head, rows[0]])
        place = (head, unit.mark + len(run))
        for row in rows[1:]:
            self._add([row], head=place)


class Plan:
    """Decides which units begin pages.

    :param Layout layout: the document
    :param pdf_marks.Paper paper: what a page holds
    :param dict places: places of marks on one page without end
    """

    def __init__(self, layout, paper, places):
        self.layout, self.paper = layout, paper
        units = layout.units
        self.heights = self._get_heights(places)
        #: Points above the first unit: a margin that is at the beginning of the document only.
        self.begin = places[0].y - paper.top if 0 in places else 0.0
        self.heads = self._get_heads(places)
        self.room = paper.height - TOLERANCE
        #: Marks at the ends of units that are taller than a page, by index.
        self.ends = {
            index: layout.mark_end(units[index]) for index, height in enumerate(self.heights) if height > self.room}
        #: Pages that such a unit goes through, and where it ends on the last one, as seen.
        self.flows = {}
        #: Units that begin a page whatever their height is, as the renderer would have it.
        self.must = set()
        #: Pages of the units as meant; first unit, page and height on it of what stays together; where the last page ends.
        self.pages, self.groups, self.end = [], [], 0.0

    def _get_heights(self, places):
        """Return the points from each unit to the next one; 0 where nothing was measured."""
        # Where a page without end has one nevertheless, what it pushed away counts as a part of what is above.
        tops = [places[number].y + places[number].page * self.paper.height if number in places else None
                for number in (*(unit.mark for unit in self.layout.units), self.layout.end)]
        return [below - top if top is not None and below is not None and below > top else 0 for top, below in pairwise(tops)]

    def _get_heads(self, places):
        """Return the heights of headers by the numbers of their marks, where a header and what follows are on one page."""
        numbers = {unit.head[1] for unit in self.layout.units if unit.head}
        return {number: places[number + 1].y - places[number].y for number in numbers
                if number in places and number + 1 in places and places[number].page == places[number + 1].page}

    def compute(self):
        """Return the units that begin pages; where each unit is meant to be is kept for :meth:`is_met`."""
        breaks = self._fill_pages()
        early = self._find_earlier_end()
        if early is None:
            return breaks
        self.must.add(early)
        return self._fill_pages()

    def _find_earlier_end(self):
        """Return the unit that begins the last page instead, where there is hardly anything on it, else None."""
        last = self.groups[-1][1]
        [*before], [first, *_others] = ([group for group in self.groups if group[1] == page] for page in (last - 1, last))
        if not before or self.end >= MIN_LAST or self.layout.units[first[0]].forced:
            return None
        for index, _page, y in reversed(before):
            if sum(self.heights[index:first[0]]) + self.end >= MIN_LAST:
                return index if y > self.room / 2 else None
        return None

    def _fill_pages(self):
        units, breaks = self.layout.units, []
        self.pages, self.groups, page, y, index = [], [], 0, self.begin, 0
        while index < len(units):
            end = index + 1
            while units[end - 1].glued and end < len(units):
                end += 1
            height = sum(self.heights[index:end])
            head = self._get_head_height(units[index])
            if end - index > 1 and height > self.room - head:
                end, height = index + 1, self.heights[index]
            is_tall = height > self.room - head
            rest = self.room - y
            if index and (units[index].forced or not self.must.isdisjoint(range(index, end)) or (
                    rest < self.room * MIN_REST if is_tall else height > rest)):
                breaks.append(units[index])
                page, y = page + 1, head
            self.pages += [page] * (end - index)
            self.groups.append((index, page, y))
            if is_tall:
                pages, y = self._flow(index, y)
                page += pages
            else:
                y += height
            index = end
        self.end = y
        return breaks

    def is_met(self, places):
        """Tell whether each unit is on the page that was meant; what differs changes the next plan."""
        units = self.layout.units
        shifts = [places[unit.mark].page - meant if unit.mark in places else None
                  for unit, meant in zip(units, self.pages, strict=True)]
        if not any(shifts):
            return True
        if self._measure_again(places):
            return False
        shift = 0
        for index, found in enumerate(shifts):
            if found is None or found == shift:
                continue
            shift, end = found, self.ends.get(index - 1)
            if end is None:
                self.must.add(index)
            elif end in places:
                self.flows[index - 1] = (
                    places[end].page - places[units[index - 1].mark].page, places[end].y - self.paper.top)
        return False

    def _measure_again(self, places):
        """Take the heights from a rendering with breaks where it has others; tell whether it has."""
        measured = {}
        for index, (unit, below) in enumerate(pairwise(self.layout.units)):
            here, there = places.get(unit.mark), places.get(below.mark)
            if here and there and here.page == there.page:
                measured[index] = there.y - here.y - (self._get_head_height(unit) if unit.inserted else 0)
        if all(abs(height - self.heights[index]) <= TOLERANCE for index, height in measured.items()):
            return False
        # Those at the end of a page are as much taller or lower as the others are.
        before, after = sum(self.heights[index] for index in measured), sum(measured.values())
        self.heights = [
            measured.get(index, height * after / before if before else after / len(measured))
            for index, height in enumerate(self.heights)]
        self.heads = self._get_heads(places)
        return True

    def _get_head_height(self, unit):
        return self.heads.get(unit.head[1], 0.0) if unit.head else 0.0

    def _flow(self, index, y):
        """Return how many pages a unit that is taller than one goes through, and where it ends on the last."""
        if index in self.flows:
            return self.flows[index]
        pages, end = 0, y + self.heights[index]
        while end > self.room:
            pages, end = pages + 1, end - self.room + LINE
        return pages, end


def _classes(element):
    return (element.get('class') or '').split()


def _is_kept(element):
    return not KEPT_CLASSES.isdisjoint(_classes(element)) or KEEP_STYLE.rstrip(';') in (element.get('style') or '')


def _is_container(element):
    """Tell whether an element only holds blocks, among which a page may end."""
    return element.tag == 'div' and not _is_kept(element) and len(element) > 0 and not (element.text or '').strip() \
        and all(child.tag in BLOCKS and not (child.tail or '').strip() for child in element if isinstance(child.tag, str))


def _is_splittable(element):
    return element.tag == 'table' and not _is_kept(element) and 'o_paged' in _classes(element) \
        and element.find('tbody/tr') is not None


def _split_table(table):
    """Replace a table by one for its header and one for each of its rows.

    :return: the header's table, or None, and the list of the rows' tables
    """
    def part(rows, *classes):
        result = lxml.html.Element('table', dict(table.attrib))
        result.set('class', ' '.join([table.get('class'), *classes]))
        result.set('style', f"{table.get('style') or ''} {KEEP_STYLE}".strip())
        colgroup = table.find('colgroup')
        if colgroup is not None:
            result.append(copy.deepcopy(colgroup))
        body = lxml.html.Element('tbody')
        result.append(body)
        body.extend(rows)
        table.addprevious(result)
        return result

    rows, head = table.findall('tbody/tr'), table.findall('thead/tr')
    # The head is no <thead>, which a patched Qt would repeat in its own, faulty way.
    head = part(head, 'o_paged_head') if head else None
    rows = [part([row], 'o_paged_row', *(['o_paged_last'] if row is rows[-1] else [])) for row in rows]
    table.drop_tree()
    return head, rows
