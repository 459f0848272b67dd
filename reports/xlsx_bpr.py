"""The record of a batch as a spreadsheet: numbers to reckon with, times in UTC (RPT-020)."""

from ..domain.criterion import criterion_text
from ..domain.step_plan import ADD, PERFORM
from ..models.record.content import read_batches
from .document_sections import product_label
from .report_bpr import IN_PROGRESS, WATERMARKS
from .xlsx_mmr import Sheets, made_label
from .xlsx_workbook import Column, Workbook, parse_time


def write_batch(bpr):
    """Return the spreadsheet of one batch; the caller checked that the user may read it."""
    [batch] = read_batches(bpr)
    # What is written for the reader is in the reader's language, and names the reader.
    return _BatchSheets(bpr.env, batch).build()


class _BatchSheets(Sheets):

    def __init__(self, env, batch):
        super().__init__(env)
        self.batch = batch
        self.document = batch.document

    def selection(self, record, field):
        """Return the word for the code that a record holds."""
        return dict(self.env[record._name]._fields[field]._description_selection(self.env)).get(record[field])

    def build(self):
        env, bpr = self.env, self.batch.bpr
        self.book = Workbook(
            env._("Batch production record %s", bpr.name), WATERMARKS.get(bpr.state, IN_PROGRESS), env.user.name)
        self._add_batch()
        self._add_steps()
        self._add_entries()
        self._add_weights()
        self._add_yields()
        self._add_packing()
        self._add_worksheets()
        self._add_results()
        self._add_deviations()
        self._add_signatures()
        self._add_trail()
        return self.book.close()

    def expiry_day(self, lot, at=None):
        """Return the day on which a lot expires where the company is, as of when it was used; None for none."""
        return self.batch.company._get_mmr_day(self.batch.expiry_of(lot, at)) if lot else None

    def _add_batch(self):
        env, batch, document = self.env, self.batch, self.document
        bpr, order, size = batch.bpr, batch.order, document['batch_size']
        self.book.add_facts(env._("Batch"), self.fact_labels(), [
            (env._("Batch production record"), bpr.name),
            (env._("Status when this file was made"), self.selection(bpr, 'state')),
            (env._("Manufacturing order"), order.name),
            (env._("Lot of the batch"), ', '.join(batch.lot_names)),
            *((env._("Expires"), self.expiry_day(lot), 'date') for lot in batch.lots),
            (env._("Company"), document['company']['name']),
            (env._("Product"), product_label(document['product'])),
            (env._("Formulation"), document['formulation']),
            (env._("Batch size"), size['quantity'], 'number'),
            (env._("Unit"), size['unit']),
            (env._("Profile"), f"{document['profile']['code']}: {document['profile']['name']}"),
            (env._("Master manufacturing record"), document['number']),
            (env._("Revision"), document['revision'], 'integer'),
            (env._("Content of the MMR, SHA-256"), batch.snapshot['document_sha256']),
            (env._("Snapshot of the order, SHA-256"), order.mmr_snapshot_sha256),
            (env._("Steps of the batch, SHA-256"), bpr.plan_sha256),
            (env._("Snapshot and steps are what was signed"), self.flag(batch.is_intact)),
            (env._("Started (UTC)"), bpr.started_at or None, 'datetime'),
            (env._("Completed (UTC)"), bpr.completed_at or None, 'datetime'),
            (env._("Quantity made"), batch.quantity_made, 'number'),
            (env._("Last line of the ledger"), batch.chain.head_index, 'integer'),
            (env._("Last line of the ledger, SHA-256"), batch.chain.head_sha256),
            (env._("Made"), made_label(env)),
        ])

    def _add_steps(self):
        env, batch = self.env, self.batch

        def cells(step):
            planned = batch.planned[step]
            criterion, target, band = planned['criterion'] or {}, planned['target'] or {}, planned['band'] or {}
            is_yield = step.kind == 'yield'
            return [
                step.code, planned['stage']['name'], planned['name'], self.code('kind', step.kind),
                self.selection(step, 'state'),
                planned['instruction'], self.flag(step.is_critical), self.flag(step.is_hold_point),
                target.get('product') and product_label(target['product']), target.get('quantity'), target.get('unit'),
                criterion_text(criterion), criterion.get('minimum'), criterion.get('target'), criterion.get('maximum'),
                criterion.get('unit'), band.get('theoretical') if is_yield else None, band.get('unit') if is_yield else None,
                band.get('minimum') if is_yield else None, band.get('maximum') if is_yield else None,
                step.started_at or None, batch.name_of(step, 'started_by_id') if step.started_by_id else None,
                step.closed_at or None, '\n'.join(
                    deviation.name for deviation in batch.deviations if deviation.step_id == step) or None]

        self.book.add_table(env._("Steps"), [
            Column(env._("Step"), width=8), Column(env._("Stage"), width=28), Column(env._("Name"), width=36),
            Column(env._("Kind"), width=18), Column(env._("Status"), width=14), Column(env._("Instruction"), width=60),
            Column(env._("Critical"), width=9), Column(env._("Hold point"), width=9), Column(env._("Component"), width=36),
            Column(env._("Target quantity"), 'number'), Column(env._("Unit of the quantity"), width=10),
            Column(env._("Acceptance criterion"), width=30), Column(env._("Minimum"), 'number'),
            Column(env._("Target"), 'number'), Column(env._("Maximum"), 'number'), Column(env._("Unit"), width=12),
            Column(env._("Theoretical yield"), 'number'), Column(env._("Unit of the yield"), width=10),
            Column(env._("Minimum, percent"), 'number'), Column(env._("Maximum, percent"), 'number'),
            Column(env._("Started (UTC)"), 'datetime'), Column(env._("Started by")), Column(env._("Closed (UTC)"), 'datetime'),
            Column(env._("Deviations")),
        ], [cells(step) for step in batch.steps])

    def _add_entries(self):
        env, batch = self.env, self.batch

        def cells(entry):
            file = entry.file_id._get_document() or {}
            corrected = entry.superseded_by_ids.filtered('is_current')[:1]
            return [
                batch.numbers[entry], entry.step_id.code, entry.step_id.name, self.selection(entry, 'kind'),
                entry.position or None, entry.value, entry.unit, entry.text, self.selection(entry, 'outcome'), entry.lot_name,
                entry.equipment_name, entry.user_name, entry.at, entry.device,
                '; '.join(f"{name} {value}" for name, value in (entry.data or {}).items()) or None,
                file.get('name'), file.get('sha256'), batch.numbers.get(entry.supersedes_id), entry.reason,
                batch.numbers.get(corrected), batch.numbers.get(entry.about_id), self.flag(entry.is_late),
                entry.transcription_id.copy_id.number or None, entry.paper_time, entry.paper_by, entry.paper_verified_by,
                self.flag(entry.is_current)]

        self.book.add_table(env._("Entries"), [
            Column(env._("Number"), 'integer'), Column(env._("Step"), width=8), Column(env._("Name"), width=36),
            Column(env._("What"), width=14), Column(env._("Row"), 'integer'), Column(env._("Value"), 'number'),
            Column(env._("Unit"), width=10), Column(env._("Text"), width=50), Column(env._("Judgement"), width=14),
            Column(env._("Lot")), Column(env._("Equipment")), Column(env._("Entered by")),
            Column(env._("Date and time (UTC)"), 'datetime'), Column(env._("Terminal")), Column(env._("Figures"), width=40),
            Column(env._("File")), Column(env._("File, SHA-256"), width=66), Column(env._("Corrects"), 'integer'),
            Column(env._("Reason"), width=40), Column(env._("Corrected by"), 'integer'), Column(env._("About"), 'integer'),
            Column(env._("Late"), width=8), Column(env._("Transcribed from copy"), 'integer'), Column(env._("Time on paper")),
            Column(env._("By, on paper")), Column(env._("Verified by, on paper")), Column(env._("Valid"), width=8),
        ], [cells(entry) for entry in batch.entries])

    def _add_weights(self):
        env, batch = self.env, self.batch

        def signed(step, point):
            signature = batch.signature_at(step, point)
            return [signature.signer_name, signature.signed_at] if signature else [None, None]

        rows = []
        for step in batch.steps.filtered(lambda step: step.kind == 'weigh'):
            target = batch.target_of(step)
            adding = batch.adding_step(step)
            for entry in batch.current_entries_of(step, 'weight'):
                rows.append([
                    step.code, target['position'], target['product']['code'], target['product']['name'],
                    target['quantity'], target['unit'], target.get('formula'),
                    entry.lot_name, self.expiry_day(entry.lot_id, entry.at), entry.value, entry.unit, entry.data['quantity'],
                    entry.data.get('issued'), entry.data.get('returned'), entry.data.get('scrapped'), entry.user_name, entry.at,
                    *(cell for point in PERFORM for cell in signed(step, point)),
                    *(cell for point in ADD for cell in signed(adding, point))])
        times = [
            (env._("Weighed by"), env._("Weighed (UTC)")), (env._("Weighing verified by"), env._("Weighing verified (UTC)")),
            (env._("Added by"), env._("Added (UTC)")), (env._("Addition verified by"), env._("Addition verified (UTC)"))]
        self.book.add_table(env._("Weights"), [
            Column(env._("Step"), width=8), Column(env._("Component"), 'integer'), Column(env._("Code"), width=14),
            Column(env._("Product"), width=36), Column(env._("Target"), 'number'), Column(env._("Unit"), width=10),
            Column(env._("Formula of the target"), width=30), Column(env._("Lot")), Column(env._("Expires"), 'date'),
            Column(env._("Actual"), 'number'), Column(env._("Unit of the scale"), width=10),
            Column(env._("Actual in the unit of the formula"), 'number'), Column(env._("Issued"), 'number'),
            Column(env._("Returned"), 'number'), Column(env._("Scrapped"), 'number'), Column(env._("Entered by")),
            Column(env._("Entered (UTC)"), 'datetime'),
            *(column for name, time in times for column in (Column(name), Column(time, 'datetime'))),
        ], rows)

    def _add_yields(self):
        env, batch = self.env, self.batch

        def cells(step):
            planned, entry = batch.planned[step], batch.current_entries_of(step, 'yield')[-1:]
            band = planned['band'] or {}
            return [
                step.code, env._("End of manufacture") if planned['scope'] == 'batch' else planned['stage']['name'],
                band.get('theoretical'), entry.value, band.get('unit') or entry.unit, (entry.data or {}).get('percent'),
                band.get('minimum'), band.get('maximum'), self.selection(entry, 'outcome') if entry else None]

        self.book.add_table(env._("Yields"), [
            Column(env._("Step"), width=8), Column(env._("Stage"), width=28), Column(env._("Theoretical"), 'number'),
            Column(env._("Actual"), 'number'), Column(env._("Unit"), width=10),
            Column(env._("Percent of theoretical"), 'number'), Column(env._("Minimum, percent"), 'number'),
            Column(env._("Maximum, percent"), 'number'), Column(env._("Judgement"), width=16),
        ], [cells(step) for step in batch.steps.filtered(lambda step: step.kind == 'yield')])

    def _add_packing(self):
        env, batch = self.env, self.batch
        uses = {
            'issued': env._("Issued"), 'used': env._("Used"), 'destroyed': env._("Destroyed"), 'returned': env._("Returned"),
            'sampled': env._("Sampled or attached"), 'difference': env._("Difference"), 'finished': env._("Units finished")}
        self.book.add_table(env._("Labels"), [
            Column(env._("Step"), width=8), Column(env._("Label")), Column(env._("Version"), width=10),
            Column(env._("Lot of labels")), *(Column(label, 'integer') for label in uses.values()),
            Column(env._("Judgement"), width=16),
        ], [[entry.step_id.code, entry.data.get('label'), entry.data.get('version'), entry.lot_name,
             *(entry.data.get(use) for use in uses), self.selection(entry, 'outcome')]
            for entry in batch.current if entry.kind == 'labels'])
        uses = {use: label for use, label in uses.items() if use not in ('sampled', 'finished')}
        self.book.add_table(env._("Packaging materials"), [
            Column(env._("Step"), width=8), Column(env._("Pack"), width=28), Column(env._("Packaging material"), width=36),
            Column(env._("Lot")), Column(env._("Unit"), width=10), *(Column(label, 'number') for label in uses.values()),
        ], [[entry.step_id.code, entry.step_id.name, entry.data.get('product'), entry.lot_name, entry.unit,
             *(entry.data.get(use) for use in uses)] for entry in batch.current if entry.kind == 'material'])

    def _add_worksheets(self):
        env, batch = self.env, self.batch
        self.book.add_table(env._("Worksheets"), [
            Column(env._("Copy"), 'integer'), Column(env._("Steps")), Column(env._("Reason for paper"), width=50),
            Column(env._("Issued by")), Column(env._("Issued (UTC)"), 'datetime'), Column(env._("Printed (UTC)"), 'datetime'),
        ], [[copy.number, copy.step_codes, copy.reason, copy.user_name, copy.at, copy.printed_at or None]
            for copy in batch.copies])
        self.book.add_table(env._("Transcriptions"), [
            Column(env._("Copy"), 'integer'), Column(env._("Step"), width=8), Column(env._("Status"), width=14),
            Column(env._("Transcribed by")), Column(env._("Transcribed (UTC)"), 'datetime'), Column(env._("Compared by")),
            Column(env._("Compared (UTC)"), 'datetime'), Column(env._("Scan")), Column(env._("Scan, SHA-256"), width=66),
        ], [[
            row.copy_id.number, row.step_id.code, self.selection(row, 'state'), row.user_name, row.at,
            row.decision_signature_id.signer_name, row.decision_signature_id.signed_at or None, row.scan_id.name,
            row.scan_id.sha256] for row in batch.transcriptions])

    def _add_results(self):
        env = self.env
        self.book.add_table(env._("Test Results"), [
            Column(env._("Test"), width=36), Column(env._("Acceptance criterion"), width=36), Column(env._("Result"), 'number'),
            Column(env._("Unit")), Column(env._("Compared as")), Column(env._("Judgement")),
            Column(env._("Remark"), width=48), Column(env._("Reference")),
            Column(env._("Entered by")), Column(env._("Entered (UTC)"), 'datetime'), Column(env._("Reason"), width=48),
            Column(env._("Approved by")), Column(env._("Approved (UTC)"), 'datetime'), Column(env._("Retest authorised by")),
            Column(env._("Reason for the retest"), width=48),
        ], [[
            row.name, row.criterion_label, row.value, row.unit, row.compared or None,
            self.selection(row, 'outcome') or self.selection(row, 'kind'), row.text, row.reference,
            row.user_name, row.at, row.reason, row.signature_id.signer_name,
            row.signature_id.signed_at or None, row.retest_signature_id.signer_name, row.retest_signature_id.comment,
        ] for row in self.batch.results])
        self.book.add_table(env._("Samples"), [
            Column(env._("Sample"), width=36), Column(env._("Kind")), Column(env._("Lot number")),
            Column(env._("Amount"), 'number'), Column(env._("Unit")), Column(env._("Needed for all tests"), 'number'),
            Column(env._("Container and closure"), width=36), Column(env._("Storage location"), width=36),
            Column(env._("Keep until"), 'date'), Column(env._("Reason"), width=48), Column(env._("Recorded by")),
            Column(env._("Recorded (UTC)"), 'datetime'),
        ], [[
            row.name, self.selection(row, 'kind'), row.lot_name, row.quantity, row.unit, row.test_quantity, row.container,
            row.location, row.keep_until, row.reason, row.user_name, row.at,
        ] for row in self.batch.samples])

    def _add_deviations(self):
        env, batch = self.env, self.batch

        def cells(deviation):
            decision, closing = deviation.decision_signature_id, deviation.closing_signature_id
            return [
                deviation.name, deviation.title, self.selection(deviation, 'source'), self.selection(deviation, 'severity'),
                self.selection(deviation, 'state'), deviation.stage_name, deviation.step_id.code or None,
                batch.numbers.get(deviation.entry_id), deviation.description, deviation.corrective_action,
                self.flag(deviation.is_blocking), batch.name_of(deviation, 'reported_by_id'), deviation.reported_at,
                decision.signer_name, decision.signed_at or None, decision.comment, deviation.disposition_label or None,
                deviation.cause_id.name, deviation.cause, deviation.correction, deviation.material_fate,
                deviation.capa_id.name, closing.signer_name, closing.signed_at or None]

        self.book.add_table(env._("Deviations"), [
            Column(env._("Number"), width=18), Column(env._("Title"), width=50), Column(env._("Source")),
            Column(env._("Severity"), width=12), Column(env._("Status"), width=12), Column(env._("Stage"), width=28),
            Column(env._("Step"), width=8), Column(env._("Entry"), 'integer'), Column(env._("What happened"), width=60),
            Column(env._("Corrective action plan"), width=50), Column(env._("Blocks the batch"), width=10),
            Column(env._("Reported by")), Column(env._("Reported (UTC)"), 'datetime'), Column(env._("Decided by")),
            Column(env._("Decided (UTC)"), 'datetime'), Column(env._("Decision"), width=60), Column(env._("Disposition")),
            Column(env._("Category of the cause")), Column(env._("Cause"), width=60),
            Column(env._("Action to correct and prevent recurrence"), width=60),
            Column(env._("What happened to the material"), width=50), Column(env._("CAPA"), width=18),
            Column(env._("Closed by")), Column(env._("Closed (UTC)"), 'datetime'),
        ], [cells(deviation) for deviation in batch.deviations])

    def _add_signatures(self):
        env, batch = self.env, self.batch
        report = env['mrp.mmr.stamped.report']
        rows = []
        for record in batch.signed_records:
            for signature in batch.signatures_of(record):
                values = report._prepare_signature(signature)
                rows.append([
                    signature.record_name, batch.numbers.get(record), (signature.content or {}).get('point'),
                    values['meaning_label'], values['name'], values['login'], values['role'],
                    parse_time(values['signed_at']), values['time_zone'], values['statement'], values['comment'],
                    values['content_sha256'], values['signature_sha256'], self.flag(values['is_intact']),
                    (values['voided_by'] or {}).get('name')])
        self.book.add_table(env._("Signatures"), [
            Column(env._("Signed"), width=36), Column(env._("Entry"), 'integer'), Column(env._("Point")),
            Column(env._("Meaning")), Column(env._("Printed name")), Column(env._("User name")), Column(env._("Role")),
            Column(env._("Signed at (UTC)"), 'datetime'), Column(env._("Time zone of the signer")),
            Column(env._("Statement"), width=48), Column(env._("Comment"), width=48),
            Column(env._("Signed content, SHA-256"), width=66), Column(env._("Signature, SHA-256"), width=66),
            Column(env._("Intact")), Column(env._("Void by")),
        ], rows)

    def _add_trail(self):
        env = self.env
        self.book.add_table(env._("Audit trail"), [
            Column(env._("Number"), 'integer'), Column(env._("Date and time (UTC)"), 'datetime'), Column(env._("By")),
            Column(env._("User name")), Column(env._("What"), width=16), Column(env._("Record"), width=40),
            Column(env._("Old and new values"), width=70), Column(env._("Reason"), width=40),
            Column(env._("SHA-256"), width=66),
        ], [[
            line.index, line.at, line.user_name, line.user_login, self.selection(line, 'kind'), line.record_name,
            line.summary, line.reason, line.sha256] for line in self.batch.trail])
