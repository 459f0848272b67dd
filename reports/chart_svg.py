"""Chart of individuals as a picture: for prints and screens alike, without a script or a library."""

import base64
from decimal import Decimal

from markupsafe import escape

WIDTH, HEIGHT = 720, 230
LEFT, RIGHT, TOP, BOTTOM = 46, 64, 12, 34
#: As those of the chart on the screen (static/src/control_chart).
VALUE, MEAN, LIMIT, BAND = '#5b4a82', '#2e7d32', '#b26a00', '#c62828'
#: So many batches have their names below.
MAX_NAMES = 24


def chart_source(points, lines):
    """Return a chart as the source of an image.

    :param points: list of ``(name, value, is_outside)``; the last part of the name is shown
    :param lines: list of ``(label, value, kind)`` of horizontal lines; kind is ``mean``, ``limit`` or ``band``
    """
    svg = _draw([(name, Decimal(value), outside) for name, value, outside in points],
                [(label, Decimal(value), kind) for label, value, kind in lines if value is not None])
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _draw(points, lines):
    values = [value for _name, value, _outside in points] + [value for _label, value, _kind in lines]
    low, high = min(values), max(values)
    margin = (high - low) / 10 or Decimal(1)
    low, high = low - margin, high + margin
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def y(value):
        return f"{TOP + height * (1 - float((value - low) / (high - low))):.1f}"

    def x(place):
        return f"{LEFT + width * (place + 0.5) / len(points):.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="Liberation Sans, Arial, sans-serif" font-size="10">',
        f'<rect x="{LEFT}" y="{TOP}" width="{width}" height="{height}" fill="#ffffff" stroke="#bbbbbb"/>']
    for step in range(5):
        value = low + (high - low) * step / 4
        parts.append(f'<line x1="{LEFT - 4}" x2="{LEFT}" y1="{y(value)}" y2="{y(value)}" stroke="#bbbbbb"/>'
                     f'<text x="{LEFT - 7}" y="{y(value)}" dy="3" text-anchor="end" fill="#555555">{value:.1f}</text>')
    for (label, value, kind), place in zip(lines, _spread([float(y(value)) for _label, value, _kind in lines]), strict=True):
        color = {'mean': MEAN, 'limit': LIMIT, 'band': BAND}[kind]
        dashes = ' stroke-dasharray="6 4"' if kind == 'limit' else ''
        parts.append(
            f'<line x1="{LEFT}" x2="{LEFT + width}" y1="{y(value)}" y2="{y(value)}" stroke="{color}" stroke-width="1.2"'
            f'{dashes}/>'
            f'<text x="{LEFT + width + 4}" y="{place:.1f}" dy="3" fill="{color}">{escape(label)}</text>')
    path = ' '.join(f"{x(place)},{y(value)}" for place, (_name, value, _outside) in enumerate(points))
    parts.append(f'<polyline points="{path}" fill="none" stroke="{VALUE}" stroke-width="1.4"/>')
    for place, (name, value, outside) in enumerate(points):
        if outside:
            parts.append(f'<circle cx="{x(place)}" cy="{y(value)}" r="6" fill="none" stroke="{BAND}" stroke-width="2"/>')
        if len(points) <= 100 or outside:
            parts.append(f'<circle cx="{x(place)}" cy="{y(value)}" r="2.6" fill="{VALUE}"/>')
        if not place % max(1, -(-len(points) // MAX_NAMES)):
            parts.append(f'<text x="{x(place)}" y="{HEIGHT - BOTTOM + 15}" text-anchor="middle" fill="#555555" font-size="9">'
                         f'{escape(name.rpartition("/")[2][-7:])}</text>')
    return ''.join([*parts, '</svg>'])


def _spread(places, distance=11):
    """Return places for labels, as near to theirs as labels that do not cover each other can be."""
    order = sorted(range(len(places)), key=places.__getitem__)
    result, last = [0.0] * len(places), float('-inf')
    for index in order:
        last = result[index] = max(places[index], last + distance)
    excess = last - (HEIGHT - BOTTOM) if order else 0
    return [place - excess for place in result] if excess > 0 else result
