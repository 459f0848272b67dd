"""What happened to the batches of some products in a period: the figures of a product quality review (RPT-030).

21 CFR 211.180(e); EU GMP Part I 1.10. Everything is read for all batches together, so the number of queries does not grow with
them, and reckoned in decimals. What comes out is a document of codes and decimal strings, ready to be signed.
"""

import calendar
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from functools import cached_property

from dateutil.relativedelta import relativedelta

from odoo.fields import Domain
from odoo.tools import SQL

from ...domain.batch_states import DECIDED
from ...domain.canonical import iso_utc
from ...domain.control_chart import broken_rules, describe, individuals, performance
from ...domain.days import begin_of, in_days
from ...domain.numbers import convert, decimal_string

#: What is tested in the course of the work; yields and reconciliations have figures of their own.
IN_PROCESS = ('value', 'outcome', 'check')
DAY = timedelta(days=1)


def number(value):
    """Return a Decimal as documents hold it, or None."""
    return None if value is None else decimal_string(value)


def period_before(date_from, date_to):
    """Return the period of the same length that ended before; whole months are followed by whole months."""
    is_months = date_from.day == 1 and date_to.day == calendar.monthrange(date_to.year, date_to.month)[1]
    if is_months:
        months = (date_to.year - date_from.year) * 12 + date_to.month - date_from.month + 1
        return date_from - relativedelta(months=months), date_from - DAY
    return date_from - (date_to - date_from) - DAY, date_from - DAY


class QualityFigures:
    """The figures of products of one company in a period of days where the company is, both included.

    The caller checked that the user may read them. A batch belongs to the day of its completion; one that is not
    completed belongs to the day on which it was begun, or its order released.

    :param until: deviations that were reported from this time on are left out, as a later review has them
    """

    def __init__(self, company, products, date_from, date_to, until=None):
        # What is signed depends neither on the language nor on the rights of who reads it.
        self.env = company.sudo().with_context(lang='en_US', active_test=False).env
        self.company, self.products = company.with_env(self.env), products.with_env(self.env).sorted('id')
        self.date_from, self.date_to = date_from, date_to
        self.zone = self.company._get_mmr_zone()
        self.begin, self.end = begin_of(date_from, self.zone), begin_of(in_days(date_to, 1), self.zone)
        self.until = until

    def build(self):
        """Return the figures as parts of the document of a review."""
        before = QualityFigures(
            self.company, self.products, *period_before(self.date_from, self.date_to), until=self.begin)
        return {
            'period': {'from': str(self.date_from), 'to': str(self.date_to), 'time_zone': self.zone},
            'products': [{'id': product.id, 'code': product.default_code or None, 'name': product.name}
                         for product in self.products],
            'summary': self.summarise(),
            'before': {'from': str(before.date_from), 'to': str(before.date_to), **before.summarise()},
            'batches': self._build_batches(), 'revisions': self._build_revisions(), 'yields': self._build_yields(),
            'tests': self._build_tests(), 'out_of_specification': self._build_failures(),
            'in_process': self._build_in_process(), 'deviations': self._build_deviations(), 'rework': self._build_rework(),
            'capa': self._build_capa(), 'lots': self._build_lots(), 'equipment': self._build_equipment(),
        }

    def summarise(self):
        """Return the counts that are compared with those of the period before."""
        done = self.batches.filtered(lambda bpr: bpr.state == 'done' or bpr._is_rejected())
        right = len(done.filtered('is_right_first_time'))
        return {
            'batches': len(self.batches), 'states': dict(Counter(map(self._get_state, self.batches))),
            'yield': self._describe([row['percent'] for row in self.yields if row['stage'] is None]),
            'right_first_time': number(Decimal(100 * right) / len(done)) if done else None,
            'deviations': len(self.deviations), 'severities': dict(Counter(self.deviations.mapped('severity'))),
            'out_of_specification': len(self.failures), 'rejected_lots': len(self.rejected_lots), 'rework': len(self.rework),
        }

    @staticmethod
    def _describe(values):
        statistics = describe(values)
        return {
            'count': len(values),
            **{name: number(statistics and getattr(statistics, name)) for name in ('mean', 'deviation', 'lowest', 'highest')}}

    # === BATCHES === #

    @cached_property
    def batches(self):
        self.env['mrp.bpr'].flush_model()
        return self.env['mrp.bpr'].browse(row[0] for row in self.env.execute_query(SQL(
            """SELECT b.id FROM mrp_bpr b
                WHERE b.company_id = %s AND b.product_id IN %s
                  AND COALESCE(b.completed_at, b.started_at, b.create_date) >= %s
                  AND COALESCE(b.completed_at, b.started_at, b.create_date) < %s
                ORDER BY COALESCE(b.completed_at, b.started_at, b.create_date), b.id""",
            self.company.id, self.products._ids, self.begin, self.end)))

    @staticmethod
    def _get_state(bpr):
        """Return what became of a batch: open, cancelled, review (completed and not decided on), released or rejected."""
        if bpr._is_rejected():      # also where it was not completed
            return 'rejected'
        if bpr.state == 'cancel':
            return 'cancelled'
        if bpr.state != 'done':
            return 'open'
        return bpr.release_state if bpr.release_state in DECIDED else 'review'

    def _build_batches(self):
        deviations = Counter(deviation.bpr_id for deviation in self.deviations)
        final = {row['bpr_id']: row['percent'] for row in self.yields if row['stage'] is None}
        rows = []
        for bpr in self.batches:
            order, revision, unit = bpr.production_id, bpr.mmr_revision_id, bpr.product_id.uom_id
            signature = bpr.packed_release_signature_id if bpr.packed_state == 'rejected' else bpr.release_signature_id
            state = self._get_state(bpr)
            made = convert(order.qty_produced, order.product_uom_id, unit) if bpr.state == 'done' else None
            rows.append({
                'id': bpr.id, 'name': bpr.name, 'order': order.name, 'product': bpr.product_id.id,
                'lots': order.lot_producing_ids.mapped('name'), 'mmr': revision.mmr_id.name, 'revision': revision.revision,
                'state': state, 'started_at': iso_utc(bpr.started_at), 'completed_at': iso_utc(bpr.completed_at),
                'decided_at': iso_utc(signature.signed_at), 'made': number(made), 'unit': unit.name,
                'yield': number(final.get(bpr.id)), 'deviations': deviations[bpr],
                'right_first_time': bpr.is_right_first_time if bpr.state == 'done' or state == 'rejected' else None,
                'rejection': {'by': signature.signer_name, 'reason': signature.comment or None}
                if state == 'rejected' else None,
            })
        return rows

    # === REVISIONS === #

    @cached_property
    def revisions(self):
        """The revisions that were in force on a day of the period, and those that its batches were made by."""
        in_force = self.env['mrp.mmr.revision'].search([
            ('company_id', '=', self.company.id), ('product_id', 'in', self.products.ids),
            ('effective_at', '!=', False), ('effective_at', '<', self.end),
            '|', ('ended_at', '=', False), ('ended_at', '>=', self.begin)])
        return (in_force | self.batches.mmr_revision_id).sorted(lambda row: (row.mmr_id.name, row.revision))

    @cached_property
    def documents(self):
        """The frozen documents of the revisions, by revision."""
        self.revisions.fetch(['document'])
        return {revision: revision.document for revision in self.revisions}

    def _build_revisions(self):
        made = Counter(bpr.mmr_revision_id for bpr in self.batches)
        return [{
            'id': row.id, 'mmr': row.mmr_id.name, 'revision': row.revision, 'batch_size': decimal_string(row.mmr_id.batch_size),
            'unit': row.mmr_id.uom_id.name, 'category': row.change_category, 'description': row.description or None,
            'reason': row.reason or None, 'effective_at': iso_utc(row.effective_at), 'ended_at': iso_utc(row.ended_at),
            'is_new': bool(row.effective_at and row.effective_at >= self.begin), 'batches': made[row],
        } for row in self.revisions]

    # === YIELDS === #

    @cached_property
    def yields(self):
        order = {bpr.id: place for place, bpr in enumerate(self.batches)}
        return sorted(self.batches._get_yields(), key=lambda row: order[row['bpr_id']])

    def _build_yields(self):
        """Return the chart of each control point, the end of manufacture last; products apart."""
        batches = {bpr.id: bpr for bpr in self.batches}
        groups = {}
        for row in self.yields:
            groups.setdefault((batches[row['bpr_id']].product_id.id, row['stage']), []).append(row)
        return [
            self._build_yield(product, stage, rows, batches)
            for (product, stage), rows in sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] is None))]

    def _build_yield(self, product, stage, rows, batches):
        values = [row['percent'] for row in rows]
        chart = individuals(values)
        points = [{
            'batch': batches[row['bpr_id']].name, 'at': iso_utc(row['at']), 'percent': number(row['percent']),
            'is_in_band': row['outcome'] != 'fail', 'rules': broken_rules(values[:place], chart),
        } for place, row in enumerate(rows, 1)]
        return {
            'product': product, 'stage': stage, **self._describe(values),
            'chart': chart and {name: number(getattr(chart, name)) for name in ('mean', 'moving_range', 'lower', 'upper')},
            'band': {'minimum': rows[-1]['minimum'], 'maximum': rows[-1]['maximum']}, 'points': points,
            'outside': [point['batch'] for point in points if 'beyond' in point['rules']],
            'out_of_band': [point['batch'] for point in points if not point['is_in_band']]}

    # === RESULTS === #

    @cached_property
    def results(self):
        return self.env['mrp.bpr.result'].search_fetch(
            [('bpr_id', 'in', self.batches.ids)], [
                'bpr_id', 'position', 'name', 'criterion_label', 'kind', 'value', 'unit', 'outcome', 'supersedes_id',
                'retest_of_id'], order='id')

    @cached_property
    def failures(self):
        """Results out of specification; none of them is ever corrected."""
        return self.results.filtered(lambda row: row.outcome == 'fail')

    def _get_limits(self, result):
        """Return the limits of a test in the revision of its batch, as Decimals or None."""
        document = self.documents[result.bpr_id.mmr_revision_id]
        criterion = next((row['criterion'] or {} for row in document.get('specifications') or ()
                          if row['position'] == result.position), {})
        return tuple(Decimal(criterion[name]) if criterion.get(name) is not None else None for name in ('minimum', 'maximum'))

    def _build_tests(self):
        """Return each test with the statistics of the results that count, against its limits."""
        limits, groups = {}, {}
        for row in self.results - self.results.supersedes_id - self.results.retest_of_id:
            key = (row.bpr_id.mmr_revision_id, row.position)
            if key not in limits:
                limits[key] = self._get_limits(row)
            groups.setdefault((row.bpr_id.product_id.id, row.name, row.criterion_label or None, *limits[key]), []).append(row)
        return [self._build_test(*key, rows) for key, rows in groups.items()]

    def _build_test(self, product, name, criterion, minimum, maximum, rows):
        found = [row.value for row in rows if row.kind == 'value']
        # The mean of bounds and findings says nothing: they are counted apart (NUM-040).
        values = [Decimal(text) for text in found if text.removeprefix('-')[:1].isdigit()]
        others = len(found) - len(values)
        outcomes = Counter(row.outcome or 'plan' for row in rows)
        return {
            'product': product, 'test': name, 'criterion': criterion, 'unit': rows[-1].unit or None,
            'minimum': number(minimum), 'maximum': number(maximum), 'results': len(rows),
            'passed': outcomes['pass'], 'failed': outcomes['fail'], 'plan': outcomes['plan'], **self._describe(values),
            **({'not_measured': others} if others else {}),
            'performance': number(performance(describe(values), minimum, maximum))}

    def _build_failures(self):
        return [{
            'batch': row.bpr_id.name, 'test': row.name, 'criterion': row.criterion_label or None, 'value': row.value or None,
            'unit': row.unit or None, 'at': iso_utc(row.at), 'by': row.user_name, 'retest_reason': row.retest_reason or None,
            'retests': [' '.join(filter(None, (retest.value, retest.unit))) or retest.outcome
                        for retest in row.retest_ids.sorted('id')],
            'final': self._get_last_result(row).outcome or None,
        } for row in self.failures]

    def _get_last_result(self, result):
        while following := result.retest_ids or result.superseded_by_ids:
            result = following.sorted('id')[-1]
        return result

    @cached_property
    def in_process(self):
        """Results out of limits in the course of the work."""
        return self.env['mrp.bpr.entry'].search(
            [('bpr_id', 'in', self.batches.ids), ('outcome', '=', 'fail'), ('kind', 'in', IN_PROCESS)], order='id')

    def _build_in_process(self):
        return [{
            'batch': row.bpr_id.name, 'step': row.step_id.display_name, 'value': row.value or None, 'unit': row.unit or None,
            'text': row.text or None, 'at': iso_utc(row.at), 'is_corrected': not row.is_current,
            'retests': row.step_id.retest_count} for row in self.in_process]

    # === DEVIATIONS === #

    @cached_property
    def deviations(self):
        """The deviations of the batches, and those that were reported in the period about the products or earlier batches."""
        later = Domain('bpr_id', '=', False) | Domain('bpr_id.completed_at', '<', self.begin)
        known = Domain('reported_at', '<', self.until) if self.until else Domain.TRUE
        return self.env['mrp.deviation'].search(
            Domain('company_id', '=', self.company.id) & known & (
                Domain('bpr_id', 'in', self.batches.ids)
                | Domain('product_id', 'in', self.products.ids) & Domain('reported_at', '>=', self.begin)
                & Domain('reported_at', '<', self.end) & later), order='reported_at, id')

    def _build_deviations(self):
        return [{
            'name': row.name, 'title': row.title, 'label': 'ncr' if row.profile_id.code == 'PDEV' else 'deviation',
            'batch': row.bpr_id.name or None, 'source': row.source, 'severity': row.severity, 'state': row.state,
            'disposition': row.disposition or None, 'cause': row.cause_id.name or None, 'capa': row.capa_id.name or None,
            'reported_at': iso_utc(row.reported_at), 'closed_at': iso_utc(row.closing_signature_id.signed_at),
        } for row in self.deviations]

    @cached_property
    def rework(self):
        return self.env['mrp.bpr.rework'].search([('bpr_id', 'in', self.batches.ids)], order='id')

    def _build_rework(self):
        return [{
            'batch': row.bpr_id.name, 'deviation': row.deviation_id.name, 'kind': row.kind, 'lot': row.lot_name,
            'quantity': row.quantity, 'unit': row.unit, 'text': row.text, 'at': iso_utc(row.at)} for row in self.rework]

    def _build_capa(self):
        today = self.company._get_mmr_today()
        return [{
            'name': row.name, 'title': row.title, 'state': row.state, 'is_overdue': row._is_overdue_on(today),
            'deviations': (row.deviation_ids & self.deviations).sorted('id').mapped('name'),
            'open_actions': row.open_action_count, 'effectiveness': row.effectiveness_result or None,
        } for row in self.deviations.capa_id.sorted('id')]

    # === COMPONENTS AND EQUIPMENT === #

    @cached_property
    def rejected_lots(self):
        """Signatures that rejected a lot of a component or packaging material in the period, by lot."""
        materials = {
            row['product']['id'] for document in self.documents.values() if document
            for rows in (document['components'], *(pack['materials'] for pack in document.get('packs') or ()))
            for row in rows}
        signatures = self.env['mrp.esignature'].search([
            ('res_model', '=', 'stock.lot'), ('meaning', '=', 'rejected'), ('company_id', '=', self.company.id),
            ('signed_at', '>=', self.begin), ('signed_at', '<', self.end)], order='id')
        lots = self.env['stock.lot'].browse(signatures.mapped('res_id')).filtered(lambda lot: lot.product_id.id in materials)
        by_lot = signatures.grouped('res_id')
        return {lot: by_lot[lot.id][-1] for lot in lots}

    def _build_lots(self):
        return [{
            'product': {'id': lot.product_id.id, 'code': lot.product_id.default_code or None, 'name': lot.product_id.name},
            'lot': lot.name, 'supplier_lot': lot.mmr_supplier_lot or None, 'at': iso_utc(signature.signed_at),
            'by': signature.signer_name, 'reason': signature.comment or None,
        } for lot, signature in self.rejected_lots.items()]

    def _build_equipment(self):
        """Return the calibrations that failed in the period, of units that the batches were made with."""
        logs = self.env['mrp.equipment.log']
        used = logs._read_group([('kind', '=', 'use'), ('bpr_id', 'in', self.batches.ids)], ['equipment_id'])
        named = self.env['mrp.bpr.entry']._read_group(
            [('bpr_id', 'in', self.batches.ids), ('equipment_id', '!=', False)], ['equipment_id'])
        units = self.env['maintenance.equipment'].union(*(unit for unit, in (*used, *named)))
        failed = logs.search([
            ('kind', '=', 'calibration'), ('result', '=', 'fail'), ('equipment_id', 'in', units.ids),
            ('ended_at', '>=', self.begin), ('ended_at', '<', self.end)], order='ended_at, id')
        return [{
            'equipment': row.equipment_id.name, 'serial': row.equipment_id.serial_no or None, 'at': iso_utc(row.ended_at),
            'found': row.as_found or None, 'by': row.performed_by or None,
            'deviations': row.deviation_ids.sorted('id').mapped('name'),
        } for row in failed.filtered(lambda row: not row.superseded_by_ids)]
