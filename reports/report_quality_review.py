"""Print of a product quality review (RPT-030)."""

from decimal import ROUND_HALF_EVEN, Decimal

from odoo import api, models

from ..domain import wording
from ..domain.days import day_of
from ..domain.numbers import plain
from .chart_svg import chart_source
from .document_sections import product_label, text
from .stamping import Stamp

#: As those of other records, not translated.
WATERMARKS = {'draft': "DRAFT", 'prepared': "NOT APPROVED", 'approved': None}
CENT = Decimal('0.01')


def rounded(value, unit=''):
    """Return a figure of a document for people: two digits are enough for a mean."""
    return None if value is None else f"{plain(Decimal(value).quantize(CENT, ROUND_HALF_EVEN))}{unit}"


class QualitySections:
    """The sections of one review, from its document, as the pieces of reports/document_sections.py."""

    def __init__(self, env, document):
        self.env, self.document = env, document
        self.products = {row['id']: product_label(row) for row in document['products']}
        self.words = {
            'batch': wording.batch_state_labels(env),
            **{name: dict(env[model]._fields[field]._description_selection(env)) for name, model, field in (
                ('category', 'mrp.mmr.revision', 'change_category'), ('source', 'mrp.deviation', 'source'),
                ('severity', 'mrp.deviation', 'severity'), ('deviation', 'mrp.deviation', 'state'),
                ('disposition', 'mrp.deviation', 'disposition'), ('capa', 'mrp.capa', 'state'),
                ('effectiveness', 'mrp.capa', 'effectiveness_result'), ('outcome', 'mrp.bpr.result', 'outcome'))}}

    def word(self, kind, code):
        return code and self.words[kind].get(code, code)

    def day(self, value):
        """Return the day of a time of the document; the exact time is in the spreadsheet and the records."""
        return value and str(day_of(value, self.document['period']['time_zone']))

    def build(self):
        """Return the sections of figures, in the order of EU GMP Part I 1.10."""
        return [
            self.summary(), self.batches(), self.revisions(), self.yields(), self.tests(), self.failures(), self.in_process(),
            self.deviations(), self.rejections(), self.rework(), self.capa(), self.lots(), self.equipment()]

    def _section(self, title, columns=(), rows=(), *, facts=(), notes=(), tables=(), parts=()):
        """Return a section; an empty one states that nothing was found."""
        table = {'title': None, 'columns': columns, 'rows': rows} if rows else None
        is_empty = not (rows or facts or notes or tables or parts)
        return {
            'title': title, 'facts': list(facts), 'tables': [*filter(None, [table]), *tables], 'parts': list(parts),
            'notes': text(self.env._("none"), style='o_empty') if is_empty else list(notes)}

    def summary(self):
        """The period against the one before."""
        env, now, before = self.env, self.document['summary'], self.document['before']

        def states(summary):
            return ', '.join(f"{word} {summary['states'][code]}" for code, word in self.words['batch'].items()
                             if code in summary['states'])

        def severities(summary):
            return ', '.join(f"{self.word('severity', code)} {summary['severities'][code]}"
                             for code in ('critical', 'major', 'minor') if code in summary['severities'])

        rows = [(env._("Batches"), now['batches'], before['batches']), (env._("of these"), states(now), states(before))]
        rows += [
            (label, rounded(now['yield'][name]), rounded(before['yield'][name])) for label, name in (
                (env._("Final yield, mean (%)"), 'mean'), (env._("standard deviation (%)"), 'deviation'),
                (env._("lowest (%)"), 'lowest'), (env._("highest (%)"), 'highest'))]
        rows += [
            (env._("Right first time (%)"), rounded(now['right_first_time']), rounded(before['right_first_time'])),
            (env._("Deviations"), now['deviations'], before['deviations']),
            (env._("of these"), severities(now), severities(before)),
            (env._("Results out of specification"), now['out_of_specification'], before['out_of_specification']),
            (env._("Rejected lots of components"), now['rejected_lots'], before['rejected_lots']),
            (env._("Reprocessing and rework"), now['rework'], before['rework'])]
        period = self.document['period']
        return self._section(env._("Summary"), [
            ("", 34, ''), (f"{period['from']} – {period['to']}", 33, ''), (f"{before['from']} – {before['to']}", 33, ''),
        ], [[text(label), text('–' if value in (None, '') else value, bold=True), text('–' if other in (None, '') else other)]
            for label, value, other in rows])

    def batches(self):
        env = self.env
        return self._section(env._("Batches"), [
            (env._("Batch, lot"), 24, ''), (env._("MMR, revision"), 16, ''), (env._("Completed"), 13, ''),
            (env._("Made"), 14, 'o_number'), (env._("Yield"), 11, 'o_number'), (env._("Dev."), 7, 'o_number'),
            (env._("State"), 15, ''),
        ], [[
            [*text(row['name']), *text(', '.join(row['lots']), style='o_label'),
             *(text(self.products[row['product']], style='o_label') if len(self.products) > 1 else ())],
            text(env._("%(mmr)s rev. %(revision)s", mmr=row['mmr'], revision=row['revision'])),
            text(self.day(row['completed_at']) or '–'), text(row['made'] and f"{row['made']} {row['unit']}"),
            text(rounded(row['yield'], ' %')), text(row['deviations'] or '–'), text(self.word('batch', row['state'])),
        ] for row in self.document['batches']])

    def revisions(self):
        env = self.env
        return self._section(env._("Master records in force"), [
            (env._("MMR, revision"), 18, ''), (env._("Batch size"), 12, 'o_number'), (env._("In force"), 24, ''),
            (env._("Change and reason"), 37, ''), (env._("Batches"), 9, 'o_number'),
        ], [[
            text(env._("%(mmr)s rev. %(revision)s", mmr=row['mmr'], revision=row['revision']), bold=row['is_new']),
            text(f"{row['batch_size']} {row['unit']}"),
            text(f"{self.day(row['effective_at']) or '–'} – {self.day(row['ended_at']) or ''}"),
            [*text(self.word('category', row['category']), style='o_label'), *text(row['description']), *text(row['reason'])],
            text(row['batches']),
        ] for row in self.document['revisions']], notes=text(
            env._("What became effective in the period is printed in bold."), style='o_label')
            if any(row['is_new'] for row in self.document['revisions']) else ())

    def yields(self):
        env = self.env
        return self._section(env._("Yields, percent of theoretical"), parts=[{
            'title': ' · '.join(filter(None, (
                row['stage'] or env._("End of manufacture"),
                self.products[row['product']] if len(self.products) > 1 else None))),
            'facts': [
                (env._("Statistics"), text(env._(
                    "%(count)s batches: mean %(mean)s %%, standard deviation %(deviation)s %%, lowest %(lowest)s %%, highest "
                    "%(highest)s %%", count=row['count'],
                    **{name: rounded(row[name]) or '–' for name in ('mean', 'deviation', 'lowest', 'highest')}))),
                (env._("Limits of the chart"), text(env._(
                    "%(lower)s – %(upper)s %%, mean moving range %(range)s %%", lower=rounded(row['chart']['lower']),
                    upper=rounded(row['chart']['upper']), range=rounded(row['chart']['moving_range']))
                    if row['chart'] else env._("none: too few batches"))),
                (env._("Outside of these"), text(', '.join(row['outside']) or env._("none"))),
                (env._("Band of the MMR"), text(self._get_band(row['band']))),
                (env._("Outside of the band"), text(', '.join(row['out_of_band']) or env._("none")))],
            'tables': [], 'picture': self._draw(row),
        } for row in self.document['yields']])

    def _get_band(self, band):
        return f"{band['minimum']} – {band['maximum']} %" if band['minimum'] is not None else self.env._("none")

    def _draw(self, row):
        """Return the chart of a control point."""
        env, chart, band = self.env, row['chart'] or {}, row['band']
        outside = {*row['outside'], *row['out_of_band']}
        return {
            'source': chart_source([(point['batch'], point['percent'], point['batch'] in outside) for point in row['points']], [
                (env._("mean"), chart.get('mean'), 'mean'), (env._("upper limit"), chart.get('upper'), 'limit'),
                (env._("lower limit"), chart.get('lower'), 'limit'), (env._("band max."), band['maximum'], 'band'),
                (env._("band min."), band['minimum'], 'band')]),
            'text': env._("Chart of individuals, %s", row['stage'] or env._("end of manufacture"))}

    def tests(self):
        env = self.env
        return self._section(env._("Tests of the product"), [
            (env._("Test"), 22, ''), (env._("Criterion"), 23, ''), (env._("Passed / failed"), 12, 'o_number'),
            (env._("Mean"), 10, 'o_number'), (env._("Std. dev."), 10, 'o_number'), (env._("Range"), 15, 'o_number'),
            (env._("Ppk"), 8, 'o_number'),
        ], [[
            [*text(row['test']), *(text(self.products[row['product']], style='o_label') if len(self.products) > 1 else ())],
            text(row['criterion']), text(
                f"{row['passed']} / {row['failed']}" + (env._(", %s by plan", row['plan']) if row['plan'] else '')
                + (env._(", %s not measurable", row['not_measured']) if row.get('not_measured') else '')),
            text(rounded(row['mean']) or '–'), text(rounded(row['deviation']) or '–'),
            text(f"{rounded(row['lowest'])} – {rounded(row['highest'])}" if row['count'] else '–'),
            text(rounded(row['performance']) or '–'),
        ] for row in self.document['tests']])

    def failures(self):
        env = self.env
        return self._section(env._("Results out of specification, retests"), [
            (env._("Batch"), 20, ''), (env._("Test"), 20, ''), (env._("Criterion"), 18, ''), (env._("Result"), 14, 'o_number'),
            (env._("Retests"), 28, ''),
        ], [[
            text(row['batch']), text(row['test']), text(row['criterion']),
            text(' '.join(filter(None, (row['value'], row['unit']))) or self.word('outcome', 'fail')),
            [*text(', '.join(row['retests']) or '–'), *text(row['retest_reason'], style='o_label')],
        ] for row in self.document['out_of_specification']])

    def in_process(self):
        env = self.env
        return self._section(env._("Results out of limits in the process"), [
            (env._("Batch"), 22, ''), (env._("Step"), 34, ''), (env._("Result"), 26, ''), (env._("Retests"), 18, ''),
        ], [[
            text(row['batch']), text(row['step']),
            text(' '.join(filter(None, (row['value'], row['unit'], row['text']))) or self.word('outcome', 'fail')),
            text(' '.join(filter(None, (
                env._("%s authorised", row['retests']) if row['retests'] else None,
                env._("corrected") if row['is_corrected'] else None))) or '–'),
        ] for row in self.document['in_process']])

    def deviations(self):
        env, rows = self.env, self.document['deviations']
        codes = [code for code in ('critical', 'major', 'minor') if any(row['severity'] == code for row in rows)]
        sources = sorted({row['source'] for row in rows}, key=lambda source: -sum(row['source'] == source for row in rows))
        counts = {
            'title': None,
            'columns': [(env._("Source"), 40, ''), *((self.word('severity', code), 15, 'o_number') for code in codes),
                        (env._("All"), 15, 'o_number')],
            'rows': [[
                text(self.word('source', source)),
                *(text(sum((row['source'], row['severity']) == (source, code) for row in rows) or '–') for code in codes),
                text(sum(row['source'] == source for row in rows), bold=True)] for source in sources]}
        listed = {
            'title': None,
            'columns': [(env._("Number, batch"), 24, ''), (env._("What happened"), 28, ''), (env._("Source, severity"), 20, ''),
                        (env._("Disposition, cause"), 28, '')],
            'rows': [[
                [*text(row['name']), *text(row['batch'], style='o_label')], text(row['title']),
                text(f"{self.word('source', row['source'])}, {self.word('severity', row['severity'])}"),
                text(' · '.join(filter(None, (
                    self.word('disposition', row['disposition']), row['cause'], row['capa'],
                    self.word('deviation', row['state'])))))] for row in rows]}
        return self._section(env._("Deviations"), tables=[counts, listed] if rows else ())

    def rejections(self):
        env = self.env
        return self._section(env._("Rejected batches"), [
            (env._("Batch"), 24, ''), (env._("Decided"), 14, ''), (env._("By"), 22, ''), (env._("Reason"), 40, ''),
        ], [[
            text(row['name']), text(self.day(row['decided_at'])), text(row['rejection']['by']),
            text(row['rejection']['reason'])] for row in self.document['batches'] if row['rejection']])

    def rework(self):
        env = self.env
        return self._section(env._("Reprocessing and rework"), [
            (env._("Batch"), 22, ''), (env._("Approved by"), 18, ''), (env._("Kind"), 15, ''), (env._("Lot, amount"), 18, ''),
            (env._("What was done"), 27, ''),
        ], [[
            text(row['batch']), text(row['deviation']), text(self.word('disposition', row['kind'])),
            text(f"{row['lot']}, {row['quantity']} {row['unit']}"), text(row['text']),
        ] for row in self.document['rework']])

    def capa(self):
        env = self.env
        return self._section(env._("Corrective and preventive actions"), [
            (env._("CAPA"), 34, ''), (env._("Deviations"), 24, ''), (env._("State"), 26, ''),
            (env._("Open actions"), 16, 'o_number'),
        ], [[
            [*text(row['name']), *text(row['title'], style='o_label')], text(', '.join(row['deviations'])),
            text(', '.join(filter(None, (
                self.word('capa', row['state']), env._("OVERDUE") if row['is_overdue'] else None,
                self.word('effectiveness', row['effectiveness'])))), bold=row['is_overdue']),
            text(row['open_actions']),
        ] for row in self.document['capa']])

    def lots(self):
        env = self.env
        return self._section(env._("Rejected lots of components and materials"), [
            (env._("Product"), 34, ''), (env._("Lot"), 20, ''), (env._("Rejected"), 20, ''), (env._("Reason"), 26, ''),
        ], [[
            text(product_label(row['product'])), [*text(row['lot']), *text(row['supplier_lot'], style='o_label')],
            [*text(self.day(row['at'])), *text(row['by'], style='o_label')], text(row['reason']),
        ] for row in self.document['lots']])

    def equipment(self):
        env = self.env
        return self._section(env._("Failed calibrations of equipment that was used"), [
            (env._("Equipment"), 30, ''), (env._("On"), 14, ''), (env._("Found"), 32, ''), (env._("Deviations"), 24, ''),
        ], [[
            [*text(row['equipment']), *text(row['serial'], style='o_label')], text(self.day(row['at'])), text(row['found']),
            text(', '.join(row['deviations']) or '–'),
        ] for row in self.document['equipment']])

    def statements(self):
        """What the preparer wrote, and what the review before had asked for."""
        env, document, earlier = self.env, self.document, self.document['earlier']
        missing = text(env._("not written yet"), style='o_empty')
        facts = [
            (env._("Conclusions"), text(document['conclusion']) or missing),
            (env._("Actions"), text(document['actions']) or missing),
            (env._("From other sources"), text(document['other_information']) or text(env._("none"), style='o_empty'))]
        if earlier:
            facts.append((env._("Previous review"), [
                *text(f"{earlier['name']}, {earlier['from']} – {earlier['to']}", bold=True),
                *text(earlier['conclusion']), *text(earlier['actions'], env._("Actions"))]))
        return {'title': env._("Conclusions"), 'facts': facts, 'tables': [], 'notes': [], 'parts': []}


class ReportQualityReview(models.AbstractModel):
    """Print of a product quality review: conclusions first, then the figures that they follow from (RPT-030)."""
    _name = 'report.mrp_mmr.report_quality_review'
    _inherit = ['mrp.mmr.stamped.report']
    _description = "Print of a Product Quality Review"

    @api.model
    def _get_report_values(self, docids, data=None):
        reviews = self.env['mrp.quality.review'].browse(docids)
        reviews.check_access('read')
        return {'doc_ids': docids, 'doc_model': reviews._name, 'docs': [self._prepare_review(row.sudo()) for row in reviews]}

    @api.model
    def _get_figure_sections(self, document):
        """Return the sections of figures of a document, for print and screen."""
        return QualitySections(self.env, document).build()

    @api.model
    def _prepare_review(self, review):
        document = review._read_document()
        period, sections = document['period'], QualitySections(self.env, document)
        return {
            'id': review.id, 'name': document['name'], 'company': document['company'],
            'products': list(sections.products.values()), 'watermark': WATERMARKS[review.state],
            'status': dict(review._fields['state']._description_selection(self.env))[review.state],
            'facts': [(label, text(value)) for label, value in (
                (self.env._("Period"), f"{period['from']} – {period['to']} ({period['time_zone']})"),
                (self.env._("Profile, rule"), '\n'.join(f"{row['code']}: {row['citation']}" for row in document['profiles'])),
                (self.env._("Reason for grouping"), document['grouping_reason']), (self.env._("Figures as of"),
                                                                                   document['as_of']),
                (self.env._("Document, SHA-256"), review.document_sha256)) if value],
            'sections': [sections.statements(), *sections.build()],
            'signatures': self._prepare_signatures(review)[review.id]}

    def _get_stamp(self, record):
        record.check_access('read')
        review = record.sudo()
        return Stamp(
            header_left=review.company_id.name, header_right=self.env._("Product quality review · %s", review.name),
            footer_left=self.env._("Document SHA-256 %s…", review.document_sha256[:16]) if review.document_sha256 else '',
            footer_center=self._get_printed_label(), watermark=WATERMARKS[review.state], page_label=self._get_page_label())
