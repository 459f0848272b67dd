"""A deviation in full as facts and tables of a print: of its own, and in the record of its batch (BPR-140)."""

from .document_sections import DocumentSections, document_label, text


class DeviationSections(DocumentSections):
    """Pieces of a print about deviations; ``batch`` says who signed and how people were called then."""

    def deviations(self):
        """Return each deviation in full, with the decision (21 CFR 111.260(m), 111.140(b)(3))."""
        deviations = self.batch.deviations
        section = self._section(self.env._("Deviations"), notes=[] if deviations else text(self.env._("none"), style='o_empty'))
        parts = [self._get_deviation(deviation) for deviation in deviations]
        return dict(section or {'title': self.env._("Deviations"), 'facts': [], 'tables': [], 'notes': []}, parts=parts)

    def _get_deviation(self, deviation):
        return {
            'title': deviation.display_name, 'notes': [],
            'facts': [
                *self._get_deviation_report(deviation), *self._get_deviation_investigation(deviation),
                *self._get_deviation_decisions(deviation)],
            'tables': list(filter(None, (
                self._get_contributors(deviation), self._get_related(deviation), self._get_rework(deviation)))),
        }

    def _get_deviation_report(self, deviation):
        """Return what was reported."""
        env, batch, entry = self.env, self.batch, deviation.entry_id
        labels = {name: self._selection(deviation._name, name) for name in ('source', 'severity', 'state')}
        subjects = (
            (env._("Product"), deviation.product_id.display_name if not deviation.bpr_id else False),
            (env._("Lot"), deviation.lot_id.name), (env._("Equipment"), deviation.equipment_id.name))
        about = [(label, text(name)) for label, name in subjects if name]
        return [
            (env._("Source, severity"), text(
                f"{labels['source'][deviation.source]}, {labels['severity'][deviation.severity]}")),
            (env._("Status"), text(labels['state'][deviation.state])),
            *about,
            self._fact(env._("Stage, step"), ' · '.join(
                filter(None, (deviation.stage_name, deviation.step_id.display_name)))),
            (env._("Reported"), self._or_missing([
                *text(batch.name_of(deviation, 'reported_by_id')),
                *self._time(deviation.reported_at)])),
            self._fact(env._("What happened"), deviation.description),
            *([(env._("Photo or file"), self._file(deviation.file_id._get_document(), env._("File")))]
              if deviation.file_id else []),
            *([(env._("Recorded value"), text(f"{self._number(entry)}: {entry.summary}"))] if entry else []),
            *self._get_deviation_tests(deviation),
            self._fact(env._("Corrective action plan"), deviation.corrective_action),
            (env._("Blocks the batch"), text(self._flag(deviation.is_blocking))),
        ]

    def _get_deviation_tests(self, deviation):
        """Return the test result that opened the deviation, and its retests with who authorised them and why (IPC-030)."""
        env, result = self.env, deviation.result_id
        if not result:
            return
        for label, row in [(env._("Test result"), result), *((env._("Retest"), row) for row in result._get_retests())]:
            yield label, [
                *text(' '.join(filter(None, (row.name, row.value, row.unit, row.reference))), bold=True),
                *text(row.compared, env._("Compared as")),
                *text(self._selection(row._name, 'outcome').get(row.outcome)), *text(row.text), *text(row.user_name),
                *self._time(row.at)]
            signature = row.retest_signature_id
            if signature:
                yield env._("Retest authorised"), [*self._signed(signature), *text(signature.comment, env._("Reason"))]

    def _get_deviation_investigation(self, deviation):
        """Return what the investigation found; what it did not say yet is printed as such."""
        env = self.env
        return [
            *([(env._("Investigator"), text(deviation.investigator_id.name))] if deviation.investigator_id else []),
            self._fact(env._("Cause"), '\n'.join(filter(None, (deviation.cause_id.name, deviation.cause)))),
            self._fact(env._("Effect on quality"), deviation.quality_effect),
            self._fact(env._("Effect on packaging and labelling"), deviation.label_effect),
            self._fact(env._("Action to correct and prevent recurrence"), deviation.correction),
            self._fact(env._("What happened to the material"), deviation.material_fate),
            *([(env._("Scientifically valid reason"), text(deviation.scientific_reason))]
              if deviation.scientific_reason else []),
            *([(env._("Identity of the component"), text(
                self._selection(deviation._name, 'identity_result')[deviation.identity_result]))]
              if deviation.identity_result else []),
            *([(env._("First result"), text(self._selection(deviation._name, 'test_finding')[deviation.test_finding]))]
              if deviation.test_finding else []),
            self._fact(env._("Written procedure"), document_label(deviation.procedure_id._get_document())),
            *([(env._("CAPA"), text(deviation.capa_id.display_name))] if deviation.capa_id else []),
            *([(env._("Reason for no CAPA"), text(deviation.no_capa_reason))] if deviation.no_capa_reason else []),
            self._fact(env._("Disposition"), deviation.disposition_label, bold=True),
        ]

    def _get_deviation_decisions(self, deviation):
        closing = deviation.closing_signature_id
        decisions = [(self.env._("Closing") if signature == closing else self.env._("Decision"), [
            *self._signed(signature), *text(signature.statement), *text(signature.comment, self.env._("Comment"))])
            for signature in self.batch.signatures_of(deviation)]
        return decisions or [(self.env._("Decision"), self._or_missing([]))]

    def _get_contributors(self, deviation):
        env = self.env
        return self._table([
            (env._("Contributor"), 22, ''), (env._("Information supplied"), 48, ''), (env._("Signed"), 30, ''),
        ], [[
            text(row.user_id.name), text(row.contribution),
            self._or_missing(self._signed(row.signature_id) if row.signature_id else []),
        ] for row in deviation.contributor_ids.sorted('id')])

    def _get_related(self, deviation):
        env, labels = self.env, self._selection('mrp.deviation.batch', 'assessment')
        return self._table([
            (env._("Related batch"), 18, ''), (env._("In common"), 24, ''), (env._("Assessment"), 36, ''),
            (env._("Assessed by"), 22, ''),
        ], [[
            text(row.bpr_id.name), text(row.reason),
            self._or_missing([*text(labels.get(row.assessment), bold=True), *text(row.text)]),
            [*text(row.assessed_by_id.name), *self._time(row.assessed_at)],
        ] for row in deviation.related_ids.sorted('id')])

    def _get_rework(self, deviation):
        env, labels = self.env, self._selection('mrp.bpr.rework', 'kind')
        return self._table([
            (env._("Reprocessing"), 16, ''), (env._("Lot"), 16, ''), (env._("Amount"), 14, ''),
            (env._("What was done"), 32, ''), (env._("Recorded by"), 22, ''),
        ], [[
            text(labels[row.kind]), text(row.lot_name, bold=True), text(f"{row.quantity} {row.unit}"), text(row.text),
            [*text(row.user_name), *self._time(row.at)],
        ] for row in deviation.rework_ids.sorted('id')])
