"""Limits, acceptance criteria, overages and samples of a frozen document as text: the same words wherever they are read."""
from .limits import AS_NEEDED, amount_range
from .results import AS_RECORDED, ROUNDED


def measure(value, unit):
    """A quantity with its unit; what has no value is no text."""
    return None if value is None else f"{value} {unit}" if unit else str(value)


def stated_text(row):
    """Return how the quantity of a component is stated, where it is not simply weighed (NUM-050), or None.

    For instance: "as needed, 100 g at most"; "to make up to 100.0 L".
    """
    stated = row.get('stated')
    if not stated:
        return None
    if stated['kind'] == AS_NEEDED:
        return f"as needed, {amount_range(row)[1]} {row['unit']} at most"
    goal = ', '.join(filter(None, (stated['to'] and measure(stated['to']['value'], stated['to']['unit']), stated['value'])))
    return f"to make up to {goal}"


def band_text(minimum, maximum, unit):
    """Return two limits for reading: "95 – 102 %", "NLT 95 %" (not less than), "NMT 102 %" (not more than), or None."""
    if minimum is None and maximum is None:
        return None
    if minimum is None or maximum is None:
        return f"{'NMT' if minimum is None else 'NLT'} {measure(maximum if minimum is None else minimum, unit)}"
    return measure(f"{minimum} – {maximum}", unit)


def limits_text(criterion):
    """Return the limits of a frozen criterion for reading (see :func:`band_text`); None where it has none.

    The abbreviations are those of the pharmacopoeias, in every language.
    """
    kind = (criterion or {}).get('kind')
    return band_text(criterion.get('minimum') if kind in ('range', 'nlt') else None,
                     criterion.get('maximum') if kind in ('range', 'nmt') else None, criterion.get('unit')) if kind else None


def criterion_text(criterion):
    """Return a frozen criterion for reading: its limits, its target, that results are rounded, and its own words.

    None where it has nothing.
    """
    if not criterion:
        return None
    target = measure(criterion.get('target'), criterion.get('unit'))
    rounded = "results rounded to the digits of the limit" if get_comparison(criterion) == ROUNDED else None
    return ", ".join(filter(
        None, (limits_text(criterion), target and f"target {target}", rounded, criterion.get('text')))) or None


def get_comparison(criterion):
    """Return how results are compared with a frozen criterion (NUM-030); None where it has no limits.

    Documents of the time before it could be chosen have no word of it: as they were recorded.
    """
    if (criterion or {}).get('kind') not in ('range', 'nlt', 'nmt'):
        return None
    return criterion.get('comparison') or AS_RECORDED


def overage_text(overage):
    """Return an overage as it is stated: "none", "5 % = 0.5 kg" or "0.5 kg = 5 %"."""
    if not overage:
        return None
    percent, amount = f"{overage['percent']} %", measure(overage['amount'], overage.get('unit'))
    if overage['kind'] == 'none':
        return "none"
    return f"{amount} = {percent}" if overage['kind'] == 'amount' else f"{percent} = {amount}"


def time_text(step, name):
    """Return a time of a step as it was written (V-08): "72 h"; None where there is none."""
    return step.get(f'{name}_written') or measure(step.get(name), "min")


def sample_text(sample):
    """Return a sampling for reading: "3 × 10 g, at the beginning"."""
    if not sample:
        return None
    size = measure(sample.get('size'), sample.get('unit'))
    return ", ".join(str(part) for part in (
        f"{sample.get('count')} × {size or ''}".strip(), sample.get('timing')) if part)
