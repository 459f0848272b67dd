"""Values of a frozen document as text, in no particular language."""

import json
from decimal import Decimal

from ..criterion import band_text, get_comparison, measure

#: Between the names of a row and of the row that it belongs to.
SEPARATOR = " › "


def amount_text(content):
    return content and measure(content.get('value'), content.get('unit'))


def flag_text(value):
    return None if value is None else "yes" if value else "no"


def product_text(content):
    if not content:
        return None
    return f"[{content['code']}] {content['name']}" if content.get('code') else content['name']


def name_text(content):
    return content and content.get('name')


def controlled_text(content):
    """A document or label: code, version, name."""
    if not content:
        return None
    version = content.get('version')
    return ' '.join(str(part) for part in (
        content.get('code'), f"v{version}" if version not in (None, '') else None, content.get('name')) if part)


def file_text(content):
    return content and f"{content['name']} ({content['sha256'][:12]})"


def file_content(content):
    """What identifies a file: its name and bytes, not the record that holds them."""
    return content and {key: value for key, value in content.items() if key != 'id'}


def has_same_ratio(before, after):
    """Whether a quantity in the product's own unit only followed the quantity, as the same unit has the same size."""
    if before.get('unit') != after.get('unit') or before.get('unit_id') != after.get('unit_id'):
        return False
    values = [
        row.get(key) for row in (before, after) for key in ('quantity', 'product_unit_quantity')]
    if None in values:
        return False
    quantity, converted, new_quantity, new_converted = map(Decimal, values)
    if not quantity or quantity == new_quantity:
        return False
    factor = new_quantity / quantity
    return abs(converted * factor - new_converted) <= Decimal('0.000001') * (1 + abs(factor))


def details(before, after):
    """Return what differs between two values whose texts are the same, e.g. the ids of two records of one name."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [key for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key)]
        return [", ".join(f"{key} {json.dumps(content.get(key), ensure_ascii=False, sort_keys=True)}" for key in keys)
                for content in (before, after)]
    if isinstance(before, (list, tuple)) and isinstance(after, (list, tuple)) and len(before) == len(after):
        pairs = [details(old, new) for old, new in zip(before, after, strict=True) if old != new]
        return [", ".join(pair[number] for pair in pairs) for number in (0, 1)]
    return [json.dumps(value, ensure_ascii=False, sort_keys=True) for value in (before, after)]


def step_names(operation):
    return tuple(step['name'] for step in operation.get('steps') or [])


def specification_label(row, side):
    return SEPARATOR.join(part for part in (name_text(row['product']), row['parameter']) if part)


def yield_fields(content):
    """Yield field, value and text of a yield with its band."""
    content = content or {}
    theoretical = content.get('theoretical')
    yield 'theoretical', content and [theoretical, content.get('unit'), content.get('unit_id')] or None, \
        measure(theoretical, content.get('unit'))
    band = [content.get('minimum'), content.get('maximum')]
    yield 'band', band if content else None, band_text(*band, "%")
    yield 'rationale', *[content.get('rationale')] * 2


def size_fields(field, group, content):
    """Return the fields of a quantity: as it is written, and in the product's own unit."""
    fields = {field: (
        group, [content['quantity'], content['unit'], content['unit_id']],
        measure(content['quantity'], content['unit']))}
    if 'product_unit_quantity' in content:
        name = 'product_unit_quantity' if field == 'quantity' else f'{field}.product_unit_quantity'
        fields[name] = (group, *[content['product_unit_quantity']] * 2)
    return fields


def criterion_content(criterion):
    """Return what a criterion says, the same whichever version of the document says it."""
    comparison = get_comparison(criterion)
    return dict(criterion, comparison=comparison) if comparison else criterion
