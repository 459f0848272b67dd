"""The trace of a lot in both directions as a spreadsheet: numbers to reckon with, times in UTC (REL-050)."""

from .xlsx_workbook import Column, Workbook


def write_trace(lot):
    """Return the spreadsheet of the trace of a lot; the caller checked that the user may read it."""
    env = lot.env
    report = env['report.mrp_mmr.report_lot_trace']
    book = Workbook(env._("Trace of lot %s", lot.name), author=env.user.name)
    book.add_facts(env._("Lot"), [env._("Item"), env._("Value")], report._get_facts(lot))
    for title, rows in report._get_trace(lot):
        book.add_table(title, [
            Column(env._("Level"), 'integer'), Column(env._("What")), Column(env._("Product"), width=36),
            Column(env._("Lot number")), Column(env._("Status")), Column(env._("Record")),
            Column(env._("Customer or supplier"), width=36), Column(env._("Quantity"), 'number'), Column(env._("Unit")),
            Column(env._("Date (UTC)"), 'datetime'),
        ], [[row[name] for name in (
            'level', 'kind', 'product', 'lot', 'status', 'record', 'partner', 'quantity', 'unit', 'date')] for row in rows])
    return book.close()
