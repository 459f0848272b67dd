"""A product quality review as a spreadsheet: every figure of its document as a number to reckon with (RPT-030)."""

from .document_sections import product_label
from .report_quality_review import WATERMARKS, QualitySections
from .xlsx_mmr import Sheets, made_label
from .xlsx_workbook import Column, Workbook, parse_date, parse_time


def write_quality_review(review):
    """Return the spreadsheet of a review; the caller checked that the user may read it."""
    return _ReviewSheets(review).build()


class _ReviewSheets(Sheets):

    def __init__(self, review):
        super().__init__(review.env)
        self.review = review.sudo()
        self.document = self.review._read_document()
        # The same words as on paper.
        self.sections = QualitySections(review.env, self.document)
        self.word, self.products = self.sections.word, self.sections.products

    def build(self):
        env, review = self.env, self.review
        self.book = Workbook(
            env._("Product quality review %s", review.name), WATERMARKS[review.state], env.user.name)
        self._add_review()
        self._add_summary()
        self._add_batches()
        self._add_revisions()
        self._add_yields()
        self._add_tests()
        self._add_results()
        self._add_deviations()
        self._add_materials()
        self.add_signatures(self.book, [
            (None, signature) for signature in
            env['mrp.mmr.stamped.report']._prepare_signatures(review)[review.id]])
        return self.book.close()

    def _add_review(self):
        env, document, period = self.env, self.document, self.document['period']
        self.book.add_facts(env._("Review"), self.fact_labels(), [
            (env._("Number"), document['name']), (env._("Company"), document['company']),
            (env._("Status when this file was made"), dict(
                self.review._fields['state']._description_selection(env))[self.review.state]),
            (env._("Products"), '\n'.join(self.products.values())), (env._("Reason for grouping"), document['grouping_reason']),
            (env._("From"), parse_date(period['from']), 'date'), (env._("To"), parse_date(period['to']), 'date'),
            (env._("Time zone"), period['time_zone']), (env._("Figures as of"), parse_date(document['as_of']), 'date'),
            (env._("Conclusions"), document['conclusion']), (env._("Actions"), document['actions']),
            (env._("From other sources"), document['other_information']),
            (env._("Document, SHA-256"), self.review.document_sha256 or None), (env._("Made"), made_label(env))])

    def _add_summary(self):
        env, now, before = self.env, self.document['summary'], self.document['before']
        rows = [(env._("Batches"), now['batches'], before['batches'])]
        rows += [(self.word('batch', code), now['states'].get(code, 0), before['states'].get(code, 0))
                 for code in self.sections.words['batch']]
        rows += [(label, now['yield'][name], before['yield'][name]) for label, name in (
            (env._("Final yields"), 'count'), (env._("Final yield, mean (%)"), 'mean'),
            (env._("Final yield, standard deviation (%)"), 'deviation'), (env._("Final yield, lowest (%)"), 'lowest'),
            (env._("Final yield, highest (%)"), 'highest'))]
        rows += [(env._("Right first time (%)"), now['right_first_time'], before['right_first_time']),
                 (env._("Deviations"), now['deviations'], before['deviations'])]
        rows += [(self.word('severity', code), now['severities'].get(code, 0), before['severities'].get(code, 0))
                 for code in ('critical', 'major', 'minor')]
        rows += [(label, now[name], before[name]) for label, name in (
            (env._("Results out of specification"), 'out_of_specification'),
            (env._("Rejected lots of components"), 'rejected_lots'), (env._("Reprocessing and rework"), 'rework'))]
        # A count of 0 is a figure, and no empty cell.
        self.book.add_table(env._("Summary"), [
            Column(env._("Figure"), width=36), Column(env._("Period"), 'number'), Column(env._("Previous period"), 'number'),
        ], [[label, *(None if value is None else str(value) for value in values)] for label, *values in rows])

    def _add_batches(self):
        env = self.env
        self.book.add_table(env._("Batches"), [
            Column(env._("Batch")), Column(env._("Order")), Column(env._("Product"), width=36), Column(env._("Lots")),
            Column(env._("MMR")), Column(env._("Revision"), 'integer'), Column(env._("State"), width=14),
            Column(env._("Started (UTC)"), 'datetime'), Column(env._("Completed (UTC)"), 'datetime'),
            Column(env._("Decided (UTC)"), 'datetime'), Column(env._("Made"), 'number'), Column(env._("Unit"), width=10),
            Column(env._("Final yield (%)"), 'number'), Column(env._("Deviations"), 'integer'),
            Column(env._("Right first time"), width=10), Column(env._("Rejected by")), Column(env._("Reason"), width=50),
        ], [[
            row['name'], row['order'], self.products[row['product']], ', '.join(row['lots']), row['mmr'], row['revision'],
            self.word('batch', row['state']), *(parse_time(row[name]) for name in ('started_at', 'completed_at', 'decided_at')),
            row['made'], row['unit'], row['yield'], str(row['deviations']), self.flag(row['right_first_time']),
            *((row['rejection']['by'], row['rejection']['reason']) if row['rejection'] else (None, None)),
        ] for row in self.document['batches']])

    def _add_revisions(self):
        env = self.env
        self.book.add_table(env._("Master records"), [
            Column(env._("MMR")), Column(env._("Revision"), 'integer'), Column(env._("Batch size"), 'number'),
            Column(env._("Unit"), width=10), Column(env._("Effective (UTC)"), 'datetime'),
            Column(env._("Until (UTC)"), 'datetime'), Column(env._("New in the period"), width=10), Column(env._("Category")),
            Column(env._("Change"), width=50), Column(env._("Reason"), width=50), Column(env._("Batches"), 'integer'),
        ], [[
            row['mmr'], row['revision'], row['batch_size'], row['unit'], parse_time(row['effective_at']),
            parse_time(row['ended_at']), self.flag(row['is_new']), self.word('category', row['category']), row['description'],
            row['reason'], str(row['batches'])] for row in self.document['revisions']])

    def _add_yields(self):
        env, rows = self.env, self.document['yields']

        def stage(row):
            return row['stage'] or env._("End of manufacture")

        self.book.add_table(env._("Yields"), [
            Column(env._("Stage"), width=32), Column(env._("Product"), width=36), Column(env._("Batches"), 'integer'),
            Column(env._("Mean (%)"), 'number'), Column(env._("Standard deviation (%)"), 'number'),
            Column(env._("Lowest (%)"), 'number'), Column(env._("Highest (%)"), 'number'),
            Column(env._("Mean moving range (%)"), 'number'), Column(env._("Lower limit (%)"), 'number'),
            Column(env._("Upper limit (%)"), 'number'), Column(env._("Outside of the limits"), width=40),
            Column(env._("Band, minimum (%)"), 'number'), Column(env._("Band, maximum (%)"), 'number'),
            Column(env._("Outside of the band"), width=40),
        ], [[
            stage(row), self.products[row['product']], row['count'],
            *(row[name] for name in ('mean', 'deviation', 'lowest', 'highest')),
            *((row['chart'] or {}).get(name) for name in ('moving_range', 'lower', 'upper')), ', '.join(row['outside']),
            row['band']['minimum'], row['band']['maximum'], ', '.join(row['out_of_band'])] for row in rows])
        runs = env['mrp.mmr.yield.history']._get_rule_labels()
        self.book.add_table(env._("Yields of batches"), [
            Column(env._("Stage"), width=32), Column(env._("Batch")), Column(env._("Date and time (UTC)"), 'datetime'),
            Column(env._("Yield (%)"), 'number'), Column(env._("In the band"), width=10), Column(env._("Runs"), width=60),
        ], [[stage(row), point['batch'], parse_time(point['at']), point['percent'], self.flag(point['is_in_band']),
             '\n'.join(runs[rule] for rule in point['rules'])] for row in rows for point in row['points']])

    def _add_tests(self):
        env = self.env
        self.book.add_table(env._("Tests"), [
            Column(env._("Test"), width=32), Column(env._("Product"), width=36), Column(env._("Criterion"), width=32),
            Column(env._("Unit"), width=10), Column(env._("Minimum"), 'number'), Column(env._("Maximum"), 'number'),
            Column(env._("Results"), 'integer'), Column(env._("Passed"), 'integer'), Column(env._("Failed"), 'integer'),
            Column(env._("By plan"), 'integer'), Column(env._("Measured"), 'integer'), Column(env._("Mean"), 'number'),
            Column(env._("Standard deviation"), 'number'), Column(env._("Lowest"), 'number'),
            Column(env._("Highest"), 'number'), Column(env._("Ppk"), 'number'),
        ], [[
            row['test'], self.products[row['product']], row['criterion'], row['unit'], row['minimum'], row['maximum'],
            *(str(row[name]) for name in ('results', 'passed', 'failed', 'plan', 'count')),
            *(row[name] for name in ('mean', 'deviation', 'lowest', 'highest', 'performance')),
        ] for row in self.document['tests']])

    def _add_results(self):
        env = self.env
        self.book.add_table(env._("Out of specification"), [
            Column(env._("Batch")), Column(env._("Test"), width=32), Column(env._("Criterion"), width=32),
            Column(env._("Result"), 'number'), Column(env._("Unit"), width=10),
            Column(env._("Date and time (UTC)"), 'datetime'), Column(env._("By")),
            Column(env._("Reason of the retest"), width=50), Column(env._("Retests"), width=32),
            Column(env._("In the end")),
        ], [[
            row['batch'], row['test'], row['criterion'], row['value'], row['unit'], parse_time(row['at']), row['by'],
            row['retest_reason'], ', '.join(row['retests']), self.word('outcome', row['final']),
        ] for row in self.document['out_of_specification']])
        self.book.add_table(env._("In process"), [
            Column(env._("Batch")), Column(env._("Step"), width=36), Column(env._("Result"), 'number'),
            Column(env._("Unit"), width=10), Column(env._("Text"), width=40), Column(env._("Date and time (UTC)"), 'datetime'),
            Column(env._("Corrected"), width=10), Column(env._("Retests"), 'integer'),
        ], [[
            row['batch'], row['step'], row['value'], row['unit'], row['text'], parse_time(row['at']),
            self.flag(row['is_corrected']), str(row['retests'] or 0)] for row in self.document['in_process']])

    def _add_deviations(self):
        env = self.env
        self.book.add_table(env._("Deviations"), [
            Column(env._("Number")), Column(env._("Title"), width=50), Column(env._("Batch")), Column(env._("Source")),
            Column(env._("Severity"), width=12), Column(env._("Status"), width=12), Column(env._("Disposition")),
            Column(env._("Cause")), Column(env._("CAPA")), Column(env._("Reported (UTC)"), 'datetime'),
            Column(env._("Closed (UTC)"), 'datetime'),
        ], [[
            row['name'], row['title'], row['batch'], self.word('source', row['source']), self.word('severity', row['severity']),
            self.word('deviation', row['state']), self.word('disposition', row['disposition']), row['cause'], row['capa'],
            parse_time(row['reported_at']), parse_time(row['closed_at'])] for row in self.document['deviations']])
        self.book.add_table(env._("Reprocessing"), [
            Column(env._("Batch")), Column(env._("Deviation")), Column(env._("Kind")), Column(env._("Lot")),
            Column(env._("Amount"), 'number'), Column(env._("Unit"), width=10), Column(env._("What was done"), width=50),
            Column(env._("Date and time (UTC)"), 'datetime'),
        ], [[
            row['batch'], row['deviation'], self.word('disposition', row['kind']), row['lot'], row['quantity'], row['unit'],
            row['text'], parse_time(row['at'])] for row in self.document['rework']])
        self.book.add_table(env._("CAPA"), [
            Column(env._("Number")), Column(env._("Title"), width=50), Column(env._("Status")),
            Column(env._("Overdue"), width=10), Column(env._("Open actions"), 'integer'),
            Column(env._("Effectiveness")), Column(env._("Deviations"), width=40),
        ], [[
            row['name'], row['title'], self.word('capa', row['state']), self.flag(row['is_overdue']), str(row['open_actions']),
            self.word('effectiveness', row['effectiveness']), ', '.join(row['deviations'])] for row in self.document['capa']])

    def _add_materials(self):
        env = self.env
        self.book.add_table(env._("Rejected lots"), [
            Column(env._("Product"), width=36), Column(env._("Lot")), Column(env._("Supplier's lot")),
            Column(env._("Rejected (UTC)"), 'datetime'), Column(env._("By")), Column(env._("Reason"), width=50),
        ], [[product_label(row['product']), row['lot'], row['supplier_lot'], parse_time(row['at']), row['by'], row['reason']]
            for row in self.document['lots']])
        self.book.add_table(env._("Calibrations"), [
            Column(env._("Equipment"), width=36), Column(env._("Serial number")), Column(env._("On (UTC)"), 'datetime'),
            Column(env._("Found"), width=50), Column(env._("By")), Column(env._("Deviations"), width=40),
        ], [[row['equipment'], row['serial'], parse_time(row['at']), row['found'], row['by'], ', '.join(row['deviations'])]
            for row in self.document['equipment']])
