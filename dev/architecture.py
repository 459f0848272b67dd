"""Makes docs/images/architecture.svg: the rooms of the addon and the arrows of their imports, drawn from the code.

Where a room stands is said here; what it is called, how much is in it and what it imports is read. An arrow that follows from
others is left out; one that runs against the order of the rooms is red.
"""
import ast
import re
from collections import Counter
from xml.sax.saxutils import escape

from common import ROOT
from sources import module

PAGE = ROOT / 'docs' / 'images' / 'architecture.svg'
#: From what people see down to the rules; who stands lower knows nothing of who stands higher.
ROWS = (('views', 'static', 'wizards', 'controllers', 'cli'), ('reports',), ('models',), ('verification', 'demo'), ('guards',),
        ('domain',))
SUBJECTS = (('quality', 'retention'), ('order', 'stock', 'deviation'), ('record', 'equipment'), ('master',), ('people',),
            ('evidence', 'base'))
WORDS = {
    'views': "screens", 'static': "shop floor, dialogs", 'wizards': "dialogs that act", 'controllers': "routes",
    'cli': "command line", 'reports': "prints, sheets, packs", 'verification': "checks what is stored",
    'demo': "demonstration data", 'guards': "rules in PostgreSQL", 'domain': "rules as plain Python",
    'models/order': "gate, plan, decision", 'models/stock': "lots, quarantine", 'models/deviation': "review, CAPA",
    'models/quality': "product quality review", 'models/record': "batch record and steps", 'models/equipment': "logs",
    'models/retention': "dates, holds, disposal", 'models/master': "MMR and its revisions",
    'models/people': "signers, qualification", 'models/evidence': "signature, ledger, files", 'models/base': "company, ir",
}
CODE = {'.py', '.js', '.xml', '.sql', '.scss', '.csv'}
WIDTH, BOX, HEIGHT, GAP = 1000, 176, 58, 34
BLUE, GREY, RED = '#1f4e79', '#6b7c8d', '#b3261e'


def room_of(path):
    """Return the room of a path relative to the checkout: a folder, or a subject of the models; None outside of any."""
    parts = path.parts
    if len(parts) < 2:
        return None
    return '/'.join(parts[:2]) if parts[0] == 'models' and len(parts) > 2 else parts[0]


def files_of(room):
    """Return the files of code of a room."""
    return [path for path in sorted((ROOT / room).rglob('*')) if path.suffix in CODE and '__pycache__' not in path.parts
            and 'lib' not in path.parts]


def read_imports(rooms):
    """Return how often one room imports another, as a Counter of pairs."""
    found = Counter()
    for room in rooms:
        for path in files_of(room):
            if path.suffix != '.py':
                continue
            folder = path.relative_to(ROOT).parent
            for node in ast.walk(module(path)):
                if isinstance(node, ast.ImportFrom) and node.level:
                    base = folder
                    for _number in range(node.level - 1):
                        base = base.parent
                    modules = [node.module.replace('.', '/')] if node.module else [alias.name for alias in node.names]
                    for name in modules:
                        target = room_of(base / name / 'x' if (ROOT / base / name).is_dir() else base / name)
                        if target in rooms and target != room:
                            found[room, target] += 1
    return found


def rank(rooms_in_rows):
    return {room: number for number, row in enumerate(rooms_in_rows) for room in row}


def reduce_arrows(pairs, ranks):
    """Return the arrows that do not follow from others, and those that run upwards."""
    down = {(a, b) for a, b in pairs if ranks[a] < ranks[b]}
    level = {(a, b) for a, b in pairs if ranks[a] == ranks[b]}

    def reaches(start, end, without):
        todo, seen = [start], set()
        while todo:
            at = todo.pop()
            for a, b in down - {without}:
                if a == at and b not in seen:
                    if b == end:
                        return True
                    seen.add(b)
                    todo.append(b)
        return False

    return sorted(pair for pair in down if not reaches(*pair, without=pair)), sorted(set(pairs) - down - level), sorted(level)


def number(value):
    """Return a number of lines with two digits that matter, so that the picture is not redrawn for every line."""
    if value < 100:
        return str(value)
    step = 10 ** (len(str(value)) - 2)
    return f'{round(value / step) * step:,}'.replace(',', ' ')


class Drawing:
    """Collects boxes and arrows and writes them as SVG."""

    def __init__(self):
        self.boxes, self.shapes, self.arrows = {}, [], []

    def place(self, names, y, left=0, width=WIDTH, prefix=''):
        """Put a row of boxes in the middle of a strip."""
        total = len(names) * BOX + (len(names) - 1) * GAP / 2
        for position, name in enumerate(names):
            self.boxes[prefix + name] = (left + (width - total) / 2 + position * (BOX + GAP / 2), y, BOX, HEIGHT)

    def draw_boxes(self):
        for room, (x, y, width, height) in self.boxes.items():
            if room == 'models':
                continue
            files = files_of(room)
            lines = sum(path.read_text(encoding='utf-8').count('\n') for path in files)
            middle = x + width / 2
            texts = ((18, 'bold', 13, room.removeprefix('models/')), (34, 'normal', 11, WORDS[room]),
                     (50, 'normal', 10, f'{len(files)} files, {number(lines)} lines' if files else "–"))
            self.shapes.append(
                f'<rect x="{x:g}" y="{y:g}" width="{width}" height="{height}" rx="5" fill="#fff" stroke="{BLUE}"/>')
            for offset, weight, size, text in texts:
                css = ' class="number"' if offset == 50 else ''
                self.shapes.append(f'<text{css} x="{middle:g}" y="{y + offset:g}" font-size="{size}" font-weight="{weight}" '
                                   f'text-anchor="middle">{escape(text)}</text>')

    def draw_arrows(self, pairs, color, share):
        """Draw arrows from the lower edge of a box to the upper one of another; ``share`` spreads those of one box."""
        for a, b in pairs:
            (ax, ay, aw, ah), (bx, by, bw, bh) = self.boxes[a], self.boxes[b]
            up, level = ay > by, ay == by
            if level:
                right = ax < bx
                start, end = (ax + aw if right else ax, ay + ah / 2), (bx if right else bx + bw, by + bh / 2)
                path = f'M{start[0]:g} {start[1]:g} L{end[0]:g} {end[1]:g}'
            else:
                out, into = share(a, b)
                start = (ax + aw * out, ay if up else ay + ah)
                end = (bx + bw * into, by + bh if up else by)
                bend = (end[1] - start[1]) / 2
                path = (f'M{start[0]:g} {start[1]:g} C{start[0]:g} {start[1] + bend:g} {end[0]:g} {end[1] - bend:g} '
                        f'{end[0]:g} {end[1]:g}')
            self.arrows.append(f'<path d="{path}" fill="none" stroke="{color}" stroke-width="1.4" '
                               f'marker-end="url(#{"red" if color == RED else "grey"})"/>')


def spread(pairs, boxes):
    """Return a function that says where arrows leave and meet their boxes, so that they do not lie on one another."""
    outs, ins = {}, {}
    for a, b in sorted(pairs, key=lambda pair: (boxes[pair[0]][0], boxes[pair[1]][0])):
        outs.setdefault(a, []).append(b)
        ins.setdefault(b, []).append(a)

    def share(a, b):
        return (outs[a].index(b) + 1) / (len(outs[a]) + 1), (ins[b].index(a) + 1) / (len(ins[b]) + 1)
    return share


def render():
    """Return the picture."""
    rooms = [room for row in ROWS for room in row if room != 'models' and (room != 'guards' or (ROOT / room).is_dir())]
    subjects = [f'models/{name}' for row in SUBJECTS for name in row]
    folders = {f'models/{path.name}' for path in (ROOT / 'models').iterdir() if path.is_dir() and path.name != '__pycache__'}
    assert folders == set(subjects), f"say in dev/architecture.py where these stand: {folders ^ set(subjects)}"
    imports = read_imports([*rooms, *subjects])
    drawing, y, frame = Drawing(), 24, None
    for row in ROWS:
        names = [name for name in row if name in rooms]
        if row == ('models',):
            top = y
            y += 34
            for inner in SUBJECTS:
                drawing.place(inner, y, prefix='models/')
                y += HEIGHT + GAP
            frame = (40, top, WIDTH - 80, y - top - 6)
            y += GAP - 6
        elif names:
            drawing.place(names, y)
            y += HEIGHT + GAP
    drawing.boxes['models'] = frame
    drawing.draw_boxes()

    def outer(room):
        return 'models' if room.startswith('models/') else room

    for pairs, ranks in (
            ({(outer(a), outer(b)) for a, b in imports if outer(a) != outer(b)}, rank(ROWS)),
            ({(a, b) for a, b in imports if outer(a) == outer(b) == 'models'},
             rank([[f'models/{name}' for name in row] for row in SUBJECTS]))):
        down, up, level = reduce_arrows(pairs, ranks)
        drawing.draw_arrows(down, GREY, spread(down, drawing.boxes))
        drawing.draw_arrows(up, RED, lambda _a, _b: (0.92, 0.92))
        drawing.draw_arrows(level, GREY, None)
    return '\n'.join((
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y:g}" font-family="Liberation Sans, Arial, sans-serif" '
        f'fill="#1a1a1a">',
        '<title>Rooms of the addon and the arrows of their imports</title>',
        *(f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
          f'<path d="M0 0 L10 5 L0 10 z" fill="{color}"/></marker>' for name, color in (('grey', GREY), ('red', RED))),
        f'<rect x="0" y="0" width="{WIDTH}" height="{y:g}" fill="#fff"/>',
        f'<rect x="{frame[0]}" y="{frame[1]:g}" width="{frame[2]}" height="{frame[3]:g}" rx="8" fill="#eef3f8" '
        f'stroke="{BLUE}"/>',
        f'<text x="{frame[0] + 14}" y="{frame[1] + 22:g}" font-size="13" font-weight="bold">models, by subject</text>',
        *drawing.arrows, *drawing.shapes, '</svg>')) + '\n'


def without_numbers(text):
    """Return a picture without how much is in each room, which does not make it wrong."""
    return re.sub(r'(<text class="number"[^>]*>)[^<]*', r'\1', text)
