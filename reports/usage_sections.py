"""What a batch used and made, as sections of its print: components, yields, equipment, packaging, tests, samples."""

from decimal import Decimal

from ..domain import days
from ..domain.numbers import decimal_string, exact
from ..domain.step_kinds import LABEL_USES, MATERIAL_USES
from ..domain.step_plan import ADD, PERFORM
from ..domain.step_states import VERIFIES
from .document_sections import product_label, text

PERSON = (22, 'o_person')


class UsageSections:
    """Sections of what was used and made; part of :class:`BatchSections`, whose pieces they are built of."""

    # === WHAT WAS USED AND MADE === #

    def materials(self):
        """Return the components with their lots, amounts and the four entries of each (21 CFR 111.260(d)-(e), (j)(2))."""
        env = self.env
        rows = []
        for step in self.batch.steps.filtered(lambda step: step.kind == 'weigh'):
            rows += self._get_material_rows(step)
        return self._section(env._("Components Used"), tables=[self._table([
            (env._("Component, target"), 24, ''), (env._("Lot, actual"), 20, ''), (env._("Weighed"), 14, ''),
            (env._("Weighing verified"), 14, ''), (env._("Added"), 14, ''), (env._("Addition verified"), 14, ''),
        ], rows)])

    def _get_material_rows(self, step):
        env, batch = self.env, self.batch
        target = batch.target_of(step)
        component = [
            *text(f"{target['position']} {product_label(target['product'])}", bold=True),
            *text(f"{target['quantity']} {target['unit']}", env._("Target")), *text(target.get('formula'), style='o_label')]
        adding = batch.adding_step(step)
        signed = [self._get_material_point(step, point) for point in PERFORM] + [
            self._get_material_point(adding, point) for point in ADD]
        weights = batch.current_entries_of(step, 'weight')
        rows = [[
            component,
            [*text(entry.lot_name, bold=True),
             *text(self._get_expiry(entry.lot_id, entry.at), env._("Expires")),
             *text(f"{entry.value} {entry.unit}"),
             *text(env._("container %(number)s of %(count)s", number=number, count=len(weights)), style='o_label')],
            [*text(entry.user_name), *self._time(entry.at)] if not batch.signature_at(step, 'performed') else signed[0],
            *signed[1:],
        ] for number, entry in enumerate(weights, 1)]
        if not rows:
            return [[component, text(self.missing, style='o_empty'), *signed]]
        total = sum((exact(entry.data['quantity']) for entry in weights), Decimal(0))
        difference = total - exact(target['quantity'])
        rows.append([
            text(env._("Total of component %s", target['position'])),
            [*text(f"{decimal_string(total)} {target['unit']}", bold=True),
             *text(f"{'+' if difference > 0 else ''}{decimal_string(difference)} {target['unit']}", env._("Difference"))],
            [], [], [], []])
        return rows

    def _get_material_point(self, step, point):
        """Return who signed one of the four entries, or why there is none."""
        signature = self.batch.signature_at(step, point)
        if signature:
            return [*text(signature.signer_name), *self._time(signature.signed_at)]
        if step and point in VERIFIES and point not in step.points:
            return text(self.env._("not required"), style='o_empty')
        return text(self.missing, style='o_empty')

    def yields(self):
        """Return theoretical and actual yield, percentage and band of each stage and of the batch (21 CFR 111.260(f))."""
        env = self.env
        rows = []
        for step in self.batch.steps.filtered(lambda step: step.kind == 'yield'):
            planned, entries = self.batch.planned[step], self.batch.current_entries_of(step, 'yield')
            entry, band = entries[-1:], planned['band'] or {}
            data = entry.data or {}
            rows.append([
                text(env._("End of manufacture") if planned['scope'] == 'batch' else planned['stage']['name']),
                self._or_missing(text(f"{band['theoretical']} {band['unit']}" if band else None)),
                self._or_missing(text(f"{entry.value} {entry.unit}" if entry else None, bold=True)),
                self._or_missing(text(f"{data['percent']} %" if data.get('percent') else None, bold=True)),
                self._or_missing(text(f"{band['minimum']} – {band['maximum']} %" if band else None)),
                self._or_missing(text(self._selection('mrp.bpr.entry', 'outcome').get(entry.outcome))),
            ])
        return self._section(env._("Yields"), tables=[self._table([
            (env._("Stage"), 26, ''), (env._("Theoretical"), 16, ''), (env._("Actual"), 16, ''), (env._("Percent"), 14, ''),
            (env._("Band"), 14, ''), (env._("Judgement"), 14, '')], rows)])

    def equipment(self):
        """Return the identified units with their cleaning (21 CFR 111.260(b)-(c))."""
        env = self.env
        entries = self.batch.current.filtered('equipment_id')
        return self._section(env._("Equipment Used"), tables=[self._table([
            (env._("Step"), 26, ''), (env._("Unit"), 30, ''), (env._("Identified by"), *PERSON),
            (env._("Cleaning and calibration before use"), 30, ''),
        ], [[
            text(entry.step_id.display_name), text(entry.equipment_name, bold=True),
            [*text(entry.user_name), *self._time(entry.at)],
            self._or_missing(self._get_unit_status(entry.data or {})),
        ] for entry in entries])])

    def _get_unit_status(self, data):
        """Return the lines of the equipment log on which the use of a unit rested, as the entry kept them (BPR-040)."""
        env, cleaning, calibration = self.env, data.get('cleaning') or {}, data.get('calibration') or {}
        kinds = self._selection('mrp.equipment.log', 'cleaning_kind')
        return [
            *text(kinds.get(cleaning.get('kind'))),
            *text(' '.join(filter(None, (cleaning.get('procedure'), days.clock(cleaning.get('at'), self.zone)))) or None),
            *text(cleaning.get('id'), env._("Cleaning, line of the log"), style='o_label'),
            *text(calibration.get('due'), env._("Calibrated until")),
            *text(calibration.get('reference'), env._("Certificate")),
            *text(calibration.get('id'), env._("Calibration, line of the log"), style='o_label'),
        ]

    def packing(self):
        """Return packaging materials and labels with their reconciliation (21 CFR 111.260(k)(1), 211.125)."""
        env = self.env
        names = self.label_figures()
        uses = ('issued', *LABEL_USES)
        labels, materials = (
            self.batch.current.filtered(lambda entry, kind=kind: entry.kind == kind and 'issued' in (entry.data or {}))
            for kind in ('labels', 'material'))
        outcomes = self._selection('mrp.bpr.entry', 'outcome')
        return self._section(env._("Packaging Materials and Labels"), tables=[
            self._table([
                (env._("Pack, material"), 34, ''), (env._("Lot"), 16, ''),
                *((names[use], 10, 'o_number') for use in MATERIAL_USES), (names['difference'], 10, 'o_number'),
            ], [[
                [*text(entry.step_id.name, bold=True), *text(entry.data['product'])],
                [*text(entry.lot_name, bold=True),
                 *text(self._get_expiry(entry.lot_id, entry.at), env._("Expires")),
                 *text(self._number(entry), style='o_label')],
                *(text(entry.data[use]) for use in MATERIAL_USES), text(entry.data['difference']),
            ] for entry in materials]),
            self._table([
                (env._("Label, lot"), 26, ''), *((names[use], 11, 'o_number') for use in uses), (names['difference'], 19, ''),
            ], [[
                [*text(' '.join(filter(None, (entry.data.get('label'), entry.data.get('version')))) or None),
                 *text(entry.lot_name, bold=True), *text(self._number(entry), style='o_label')],
                *(text(entry.data[use]) for use in uses),
                [*text(entry.data['difference']), *text(outcomes.get(entry.outcome))],
            ] for entry in labels])])

    # === TESTS AND SAMPLES === #

    def results(self):
        """Return every test result with its approval and retest, and the samples (21 CFR 111.260(h)-(i), 111.83(b))."""
        env, batch = self.env, self.batch
        kinds, outcomes, uses = (self._selection(model, name) for model, name in (
            ('mrp.bpr.result', 'kind'), ('mrp.bpr.result', 'outcome'), ('mrp.bpr.sample', 'kind')))
        corrected = batch.results.supersedes_id
        return self._section(env._("Test Results and Samples"), tables=[
            self._table([
                (env._("Test, acceptance criterion"), 24, ''), (env._("Result"), 26, ''), (env._("Entered by"), *PERSON),
                (env._("Approved; retest authorised"), 28, ''),
            ], [[
                [*text(row.name, bold=True), *text(row.criterion_label)],
                [*text(' '.join(filter(None, (row.value, row.unit))) or kinds[row.kind], bold=True),
                 *text(row.compared, env._("Compared as")), *text(outcomes.get(row.outcome)),
                 *text(env._("corrected"), style='o_label') * (row in corrected),
                 *text(env._("retest"), style='o_label') * bool(row.retest_of_id), *text(row.text),
                 *text(row.reference, env._("Reference")), *text(row.reason, env._("Reason")),
                 *(self._file(row.file_id._get_document(), env._("File")) if row.file_id else [])],
                [*text(row.user_name), *self._time(row.at)],
                [*self._or_missing(self._signed(row.signature_id) if row.signature_id else []),
                 *(self._signed(row.retest_signature_id) if row.retest_signature_id else []),
                 *text(row.retest_signature_id.comment, env._("Reason for the retest"))],
            ] for row in batch.results]),
            self._table([
                (env._("Sample"), 24, ''), (env._("Amount, needed for all tests"), 20, ''),
                (env._("Container, place, until"), 34, ''), (env._("Recorded by"), *PERSON),
            ], [[
                [*text(row.name, bold=True), *text(uses[row.kind]), *text(row.lot_name)],
                text(' / '.join(filter(None, (f"{row.quantity} {row.unit}", row.test_quantity)))),
                [*text(row.container), *text(row.location), *text(row.keep_until), *text(row.reason, env._("Reason"))],
                [*text(row.user_name), *self._time(row.at)],
            ] for row in batch.samples])])
