"""Limits, acceptance criteria, overages and samples of a frozen document as text: the same words wherever they are read."""


def measure(value, unit):
    """A quantity with its unit; what has no value is no text."""
    return None if value is None else f"{value} {unit}" if unit else str(value)


def band_text(minimum, maximum, unit):
    if minimum is None and maximum is None:
        return None
    if minimum is None or maximum is None:
        return f"{'NMT' if minimum is None else 'NLT'} {measure(maximum if minimum is None else minimum, unit)}"
    return measure(f"{minimum} – {maximum}", unit)


def criterion_text(criterion):
    """Return an acceptance criterion for reading: "95 – 102 %", "NLT 95 %" (not less than), or its own words."""
    if not criterion:
        return None
    unit = criterion.get('unit')
    kind = criterion.get('kind')
    if kind == 'nlt':
        parts = [f"NLT {measure(criterion.get('minimum'), unit)}"]
    elif kind == 'nmt':
        parts = [f"NMT {measure(criterion.get('maximum'), unit)}"]
    elif kind == 'range':
        parts = [band_text(criterion.get('minimum'), criterion.get('maximum'), unit)]
    else:
        parts = []
    if criterion.get('target') is not None:
        parts.append(f"target {measure(criterion['target'], unit)}")
    if criterion.get('text'):
        parts.append(criterion['text'])
    return ", ".join(part for part in parts if part) or None


def overage_text(overage):
    """Return an overage as it is stated: "none", "5 % = 0.5 kg" or "0.5 kg = 5 %"."""
    if not overage:
        return None
    percent, amount = f"{overage['percent']} %", measure(overage['amount'], overage.get('unit'))
    if overage['kind'] == 'none':
        return "none"
    return f"{amount} = {percent}" if overage['kind'] == 'amount' else f"{percent} = {amount}"


def sample_text(sample):
    """Return a sampling for reading: "3 × 10 g, at the beginning"."""
    if not sample:
        return None
    size = measure(sample.get('size'), sample.get('unit'))
    return ", ".join(str(part) for part in (
        f"{sample.get('count')} × {size}", sample.get('timing')) if part)
