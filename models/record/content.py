"""Batches with everything that was recorded about them, read together for all that are printed.

Prints and spreadsheets of a batch take all of it from here: from the snapshot of its order and from what was stored
when it happened, never from live records of the MMR (USE-040). Nobody's present name appears: names are those of
the entries, the signatures and the ledger.
"""

from functools import cached_property

from odoo.fields import Domain

from ...domain.canonical import sha256
from ...domain.numbers import convert, decimal_string, exact

#: Lines of the ledger about copies of the record; they say nothing about the batch, and each print adds one.
COPYING = ('print', 'export', 'verify', 'seal')


def read_batches(bprs):
    """Return the :class:`BatchRecord` of each of ``bprs``, in their order; queries do not grow with them.

    The caller has checked that the user may read them.
    """
    # Whoever may read a batch may read all of its record, also without a right to read lots or equipment.
    bprs = bprs.sudo()
    bprs._check_not_disposed()
    env = bprs.env
    orders = bprs.production_id

    def read(model, order='id'):
        return env[model].search([('bpr_id', 'in', bprs.ids)], order=order)

    steps = read('mrp.bpr.step', 'bpr_id, sequence, id')
    entries = read('mrp.bpr.entry')
    deviations = read('mrp.deviation')
    contributors = env['mrp.deviation.contributor'].search([('deviation_id', 'in', deviations.ids)], order='id')
    copies, transcriptions = read('mrp.bpr.copy', 'bpr_id, number'), read('mrp.bpr.transcription')
    results, samples = read('mrp.bpr.result', 'bpr_id, position, id'), read('mrp.bpr.sample')
    signatures = env['mrp.esignature'].search(Domain.OR(
        Domain('res_model', '=', records._name) & Domain('res_id', 'in', records.ids)
        for records in (bprs, orders, steps, entries, transcriptions, results, deviations, contributors, entries.lot_id)),
        order='signed_at, id')
    chains = env['mrp.audit.chain'].search([('res_model', '=', orders._name), ('res_id', 'in', orders.ids)])
    lines = env['mrp.audit.entry'].search([('chain_id', 'in', chains.ids)], order='chain_id, index')
    by_record = {}
    for signature in signatures:
        by_record.setdefault((signature.res_model, signature.res_id), []).append(signature)
    parts = {
        'steps': steps, 'entries': entries, 'deviations': deviations, 'copies': copies, 'transcriptions': transcriptions,
        'results': results, 'samples': samples}
    grouped = {name: records.grouped('bpr_id') for name, records in parts.items()}
    chains, lines = chains.grouped('res_id'), lines.grouped('chain_id')
    return [BatchRecord(
        bpr, {name: grouped[name].get(bpr, records[:0]) for name, records in parts.items()}, by_record,
        chains.get(bpr.production_id.id, env['mrp.audit.chain']), lines) for bpr in bprs]


class BatchRecord:
    """One batch: what was planned, recorded, signed, corrected and decided."""

    def __init__(self, bpr, parts, signatures, chain, lines):
        self.env = bpr.env
        self.bpr, self.order = bpr, bpr.production_id
        self.steps, self.entries, self.deviations = parts['steps'], parts['entries'], parts['deviations']
        self.copies, self.transcriptions = parts['copies'], parts['transcriptions']
        self.results, self.samples = parts['results'], parts['samples']
        self.chain = chain
        # Json fields are copied whenever they are read.
        self.snapshot = self.order.mmr_snapshot
        self.document = self.snapshot['document']
        self.planned = {step: step.planned for step in self.steps}
        self.current = self.entries._get_current()
        #: Entries have a number in their batch, by which the print refers to them.
        self.numbers = {entry: number for number, entry in enumerate(self.entries, 1)}
        self._signatures = signatures
        self.lines = lines.get(chain, self.env['mrp.audit.entry'])

    # === WHAT BELONGS TOGETHER === #

    @cached_property
    def entries_by_step(self):
        return self.entries.grouped('step_id')

    @cached_property
    def current_by_step(self):
        return self.current.grouped('step_id')

    def entries_of(self, step):
        return self.entries_by_step.get(step, self.entries.browse())

    def current_entries_of(self, step, kind=None):
        """Return the valid entries of a step, of one kind or of all."""
        entries = self.current_by_step.get(step, self.entries.browse())
        return entries.filtered(lambda entry: entry.kind == kind) if kind else entries

    def adding_step(self, step):
        """Return the step at which the component that a step weighs is added, or None."""
        planned = self.planned[step]
        return step if planned['adds'] else next((
            other for other in self.steps
            if other.kind == 'add' and self.planned[other]['component'] == planned['component']), None)

    def target_of(self, step):
        """Return the target of a weighing; where lots or fillers adjust it, as the last weight kept it (USE-070)."""
        target = self.planned[step]['target']
        adjusted = (self.current_entries_of(step, 'weight')[-1:].data or {}).get('adjusted')
        if not adjusted:
            return target
        total = sum((exact(other['quantity']) for other in adjusted.get('others', ())), exact(adjusted['target']))
        return {**target, 'quantity': decimal_string(total), 'formula': adjusted['formula']}

    def signatures_of(self, record):
        """Return the signatures of a record of this batch, oldest first."""
        return self._signatures.get((record._name, record.id), [])

    def signature_at(self, step, point):
        """Return the signature of a point of a step, or None."""
        return step and next((row for row in self.signatures_of(step) if (row.content or {}).get('point') == point), None)

    @property
    def signed_records(self):
        """The records of this batch that people sign, in the order of the work."""
        yield self.bpr
        yield self.order
        for step in self.steps:
            yield step
            yield from self.entries_of(step)
            yield from self.transcriptions.filtered(lambda transcription, step=step: transcription.step_id == step)
        yield from self.results
        for deviation in self.deviations:
            yield deviation
            yield from deviation.contributor_ids

    @cached_property
    def stages(self):
        """The stages with their steps, as lists of ``(row of the document, steps)``."""
        steps = self.steps.grouped('stage')
        return [(row, steps.get(row['position'], self.steps.browse())) for row in self.document['operations']]

    @cached_property
    def trail(self):
        """The lines of the ledger about this batch, but for those about its copies."""
        return self.lines.filtered(lambda line: line.kind not in COPYING)

    # === AS IT WAS THEN === #

    @cached_property
    def _recorded(self):
        values = {}
        for line in self.lines:
            values.setdefault((line.res_model, line.res_id), {}).update({
                name: change['new'] for name, change in (line.values or {}).items() if 'new' in change})
        return values

    def name_of(self, record, field):
        """Return the name of a linked record as of the moment when the link was stored."""
        recorded = self._recorded.get((record._name, record.id), {}).get(field)
        return recorded['name'] if isinstance(recorded, dict) and 'name' in recorded else record[field].display_name or None

    @cached_property
    def is_intact(self):
        """Whether document, snapshot and steps still are what their digests say."""
        plan = [self.planned[step] for step in self.steps]
        return (
            sha256(self.document) == self.snapshot['document_sha256']
            and sha256(self.snapshot) == self.order.mmr_snapshot_sha256
            and sha256(plan) == self.bpr.plan_sha256)

    @property
    def quantity_made(self):
        """The quantity produced in the unit of the batch size, as a decimal string; None while it is not known."""
        order, unit = self.order, self.env['uom.uom'].browse(self.document['batch_size']['unit_id'])
        return decimal_string(convert(order.qty_produced, order.product_uom_id, unit)) if order.state == 'done' else None

    @property
    def company(self):
        return self.bpr.company_id

    @property
    def lots(self):
        return self.order.lot_producing_ids

    @property
    def lot_names(self):
        return self.lots.mapped('name')

    def expiry_of(self, lot, at=None):
        """Return when a lot expires, as Quality Control had decided on it at a time; without one, as it is now.

        :param datetime at: when the lot was used
        :return: time in UTC, as Odoo stores it or as ISO 8601; a false value for none
        """
        decisions = [row for row in self.signatures_of(lot) if at and row.signed_at <= at and 'expires' in (row.content or {})]
        return decisions[-1].content['expires'] if decisions else lot.expiration_date
