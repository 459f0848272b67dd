"""Makes inspection packs: all about some products in a period, in one zip that checks itself (PRD-100, REC-050).

A pack is a bundle of many batches, with an index for people and for programs. What lies in the audit trail of the
company, among lines outside the inspection, comes as an excerpt: the lines about the records of the pack.
"""

import csv
import io
import re

from markupsafe import Markup, escape

from odoo.fields import Domain

from ..domain.refusals import refusal
from ..domain.wording import batch_state_labels
from ..models.quality.figures import QualityFigures
from ..verification import verify
from ..verification.bundle import BATCH_PRINT, PRINT, README, Bundle
from .xlsx_quality import write_quality_review

DEVIATION_PRINT, CAPA_PRINT = 'mrp_mmr.report_deviation', 'mrp_mmr.report_capa'
REVIEW_PRINT = 'mrp_mmr.report_quality_review'
#: What a program would take for a formula.
FORMULA = ('=', '+', '-', '@', '\t', '\r')
COLUMNS = ('kind', 'number', 'title', 'state', 'date', 'path', 'sha256')
NOTE = """\
index.html   what is here, for people; index.csv is the same for programs
deviations/  print of each deviation; record.json of those whose batch is not in this pack
capa/        corrective and preventive actions
reviews/     product quality reviews of the period, with their figures as a spreadsheet
excerpts/    lines of audit trails that are not here as a whole, about records of this pack

"""
PAGE = Markup("""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<title>{title}</title>
<style>
body {{ font-family: 'Liberation Sans', Arial, sans-serif; font-size: 14px; color: #1a1a1a; max-width: 75em; margin: 2em auto;
        padding: 0 1em; }}
h1 {{ font-size: 1.6em; border-bottom: 3px solid #1f4e79; padding-bottom: 0.3em; }}
h2 {{ font-size: 1.15em; color: #1f4e79; margin: 1.6em 0 0.3em; }}
table {{ width: 100%; border-collapse: collapse; }}
td, th {{ text-align: left; vertical-align: top; padding: 0.3em 0.8em 0.3em 0; border-bottom: 1px solid #d9d9d9; }}
th {{ color: #666666; font-weight: normal; font-size: 0.85em; }}
.sha {{ font-family: monospace; font-size: 0.75em; color: #666666; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{company} · {products} · {period}</p>
<p>{summary}</p>
{sections}
</body>
</html>
""")


class InspectionPackBundle(Bundle):
    """The bundle of an inspection pack; its record is the dialog (mrp.inspection.pack) that names products and period."""

    def __init__(self, record, prints=True):
        super().__init__(record, prints=prints)
        self.index = []         # rows of the index by record, with the folder of its files
        self.excerpts = {}      # chain -> records that lines are wanted of

    # === WHAT IS IN IT === #

    def _collect(self):
        pack, env = self.record.with_env(self.env), self.env
        self.figures = QualityFigures(pack.company_id, pack.product_ids, pack.date_from, pack.date_to)
        self.orders = self.figures.batches.production_id.filtered('mmr_snapshot_sha256')
        self.revisions = self.figures.revisions
        self.mmrs = self.revisions.mmr_id
        self.whole = self.mmrs
        self.deviations = self.figures.deviations.sorted('id')
        self.capas = self.deviations.capa_id.sorted('id')
        self.reviews = env['mrp.quality.review'].search([
            ('company_id', '=', pack.company_id.id), ('product_ids', 'in', pack.product_ids.ids), ('state', '!=', 'draft'),
            ('date_from', '<=', pack.date_to), ('date_to', '>=', pack.date_from)], order='id')
        self._check_size()

    def _check_size(self):
        """Refuse what the checker would not take: a signature is two files."""
        parts = self._get_parts(self.orders.bpr_id)
        count = 2 * self.env['mrp.esignature'].search_count(Domain.OR(
            Domain('res_model', '=', group._name) & Domain('res_id', 'in', group.ids) for group in parts))
        if count + 10 * len(self.orders) > verify.MAX_FILES:
            raise refusal(
                self.record.env, self.record.env._(
                    "%(batches)s batches with %(files)s files are too many for one inspection pack.", batches=len(self.orders),
                    files=count),
                "PRD-100, REC-050", self.record.env._("create several packs for shorter periods."), record=self.record)

    def get_name(self):
        pack = self.record.sudo()
        codes = '-'.join(self._plain(product.default_code or product.name) for product in pack.product_ids[:3])
        return f"pack-{codes[:50]}-{pack.date_from}-{pack.date_to}"

    @staticmethod
    def _plain(text):
        """Return a text as the name of a file."""
        return re.sub(r'[^A-Za-z0-9._-]', '-', text).strip('._-') or '-'

    def _folder(self, record):
        if record._name == 'mrp.mmr.revision':
            return f'revisions/{self._plain(record.mmr_id.name)}/{record.revision:04}'
        folder = {'mrp.deviation': 'deviations', 'mrp.capa': 'capa', 'mrp.quality.review': 'reviews'}.get(record._name)
        return f'{folder}/{self._plain(record.name)}' if folder else super()._folder(record)

    def _get_prints(self):
        for records, report in ((self.revisions, PRINT), (self.orders, BATCH_PRINT), (self.deviations, DEVIATION_PRINT),
                                (self.capas, CAPA_PRINT), (self.reviews, REVIEW_PRINT)):
            for record in records:
                printed = record.bpr_id if record._name == 'mrp.production' else record
                if printed:
                    yield f'{self._folder(record)}/print.pdf', report, printed

    def _get_readme(self):
        return README.replace("manifest.json ", NOTE + "manifest.json ")

    # === CONTENT === #

    def _add_content(self):
        self._read_logged(self.revisions)
        for revision in self.revisions:
            self._add_revision(revision)
            self._add_entry(revision, 'revision', f"{revision.mmr_id.name} rev. {revision.revision}",
                            revision.product_id.name, revision.state, revision.effective_at)
        self._add_signatures(self.revisions)
        states = batch_state_labels(self.env)
        for order in self.orders:
            # One batch at a time: what was read for it is forgotten before the next.
            parts = self._get_parts(order.bpr_id)
            self._read_logged(order, *parts)
            self._add_order(order)
            self._add_signatures(order, *parts)
            self._add_entry(order, 'batch', order.bpr_id.name, ', '.join(order.lot_producing_ids.mapped('name')),
                            states[self.figures._get_state(order.bpr_id)], order.bpr_id.completed_at)
            self.logged.clear()
            self.names.clear()
            self.env.invalidate_all()
        self._add_others()
        self._add_index()

    def _add_others(self):
        """Add what belongs to no batch of the pack: records by themselves, with their lines of the ledger."""
        strangers = self.deviations.filtered(lambda row: row.bpr_id.production_id not in self.orders)
        groups = {
            **{row: (row.contributor_ids, row.related_ids) for row in strangers},
            **{row: (row.action_ids,) for row in self.capas}, **dict.fromkeys(self.reviews, ())}
        for record, parts in groups.items():
            self._read_logged(record, *parts)
            path = f'{self._folder(record)}/record.json'
            self._add_signatures(record, *parts)
            digest = record._name == 'mrp.quality.review' and record.document_sha256
            self._add_json(path, {
                'schema': 'mrp_mmr/bundle-record/1', **self._get_part(path, record),
                'parts': [self._get_part(path, part) for group in parts for part in group.sorted('id')],
                'document': self.contents[digest] if digest else None})
            for group in (record, *parts):
                self._add_files({'values': [self._get_values(row) for row in group]})
                for row in group:
                    self.excerpts.setdefault(row._audit_chain(), []).append((row._name, row.id))
        for review in self.reviews:
            self.archive.write(f'{self._folder(review)}/figures.xlsx', write_quality_review(review.with_env(self.record.env)))
        for record, kind, date in (
                *((row, 'deviation', row.reported_at) for row in self.deviations),
                *((row, 'capa', row.create_date) for row in self.capas),
                *((row, 'review', row.approved_signature_id.signed_at) for row in self.reviews)):
            title = record.display_name.removeprefix(record.name).strip()
            self._add_entry(record, kind, record.name, title, record.state, date)
        for owner, records in self.excerpts.items():
            self._add_excerpt(owner, records)

    def _add_excerpt(self, owner, records):
        """Add the lines of a chain that is not here as a whole, as far as they are about ``records``."""
        by_model = {}
        for model, res_id in records:
            by_model.setdefault(model, []).append(res_id)
        wanted = Domain.OR(Domain('res_model', '=', model) & Domain('res_id', 'in', ids) for model, ids in by_model.items())
        chains = self.env['mrp.audit.chain'].search([('res_model', '=', owner._name), ('res_id', '=', owner.id)])
        for chain in chains:
            lines = self.env['mrp.audit.entry'].search(wanted & Domain('chain_id', '=', chain.id), order='index')
            if lines:
                with self.archive.open(f'excerpts/{owner._name}-{owner.id}-{chain.id}.jsonl') as out:
                    self._write_lines(out, lines)

    # === INDEX === #

    def _add_entry(self, record, kind, number, title, state, date):
        """Note the files of a record for the index."""
        if 'state' in record._fields and state in dict(record._fields['state']._description_selection(self.env)):
            state = dict(record._fields['state']._description_selection(self.env))[state]
        self.index.append((self._folder(record), {
            'kind': kind, 'number': number, 'title': title or '', 'state': state or '',
            'date': str(record.company_id._get_mmr_day(date) or '')}))

    def _get_index(self):
        """Return the rows of the index: one for each file of each record."""
        folders = {}
        for path, file in sorted(self.archive.files.items()):
            folders.setdefault(path.rpartition('/')[0], []).append({'path': path, 'sha256': file['sha256']})
        return [{**row, **file} for folder, row in self.index for file in folders.get(folder, ())]

    def _add_index(self):
        rows = self._get_index()
        out = io.StringIO(newline='')
        writer = csv.DictWriter(out, COLUMNS, lineterminator='\n')
        writer.writeheader()
        for row in rows:
            writer.writerow({
                key: f"'{value}" if key not in ('path', 'sha256') and value.startswith(FORMULA) else value
                for key, value in row.items()})
        self.archive.write(verify.INDEX, out.getvalue().encode())
        self.archive.write('index.html', self._render_index(rows).encode())

    def _render_index(self, rows):
        pack = self.record.with_env(self.env)
        kinds = {
            'revision': "Master records", 'batch': "Batch production records", 'deviation': "Deviations",
            'capa': "Corrective and preventive actions", 'review': "Product quality reviews"}
        sections, counts = Markup(), []
        for kind, title in kinds.items():
            records = {}
            for row in rows:
                if row['kind'] == kind:
                    records.setdefault(row['number'], []).append(row)
            counts.append(f"{title}: {len(records)}")
            lines = Markup().join(self._render_record(number, files) for number, files in records.items())
            sections += Markup("<h2>{}</h2>\n").format(title) + (Markup(
                "<table>\n<tr><th>Number</th><th>Title</th><th>State</th><th>Date</th><th>Files, SHA-256</th></tr>\n{}"
                "</table>\n").format(lines) if records else Markup("<p>none</p>\n"))
        return PAGE.format(
            title="Inspection pack", company=pack.company_id.name, products=', '.join(pack.product_ids.mapped('display_name')),
            period=f"{pack.date_from} – {pack.date_to}", summary=' · '.join(counts), sections=sections)

    @staticmethod
    def _render_record(number, rows):
        links = Markup().join(
            Markup('<div><a href="{}">{}</a> <span class="sha">{}</span></div>').format(
                row['path'], row['path'].rpartition('/')[2], row['sha256']) for row in rows)
        first = rows[0]
        return Markup("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n").format(
            number, first['title'], escape(first['state']), first['date'], links)
