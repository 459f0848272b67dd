"""The record of one batch as sections, facts and tables of a print (see document_sections for their form).

What should have been recorded and was not is printed as such: a blank could be filled in later.
"""

from ..domain import days
from ..domain.criterion import stated_text
from ..domain.numbers import exact
from ..domain.step_kinds import ENTRY_OF_STEP, MATERIAL_USES
from .deviation_sections import DeviationSections
from .document_sections import document_label, product_label, text
from .usage_sections import PERSON, UsageSections

#: Signatures of a step that are none of its points.
FURTHER_POINTS = ('authorise_retest', 'hold_reject', 'not_done')


def mark(*labels):
    """Return a paragraph of framed words, or none."""
    labels = [label for label in labels if label]
    return [{'marks': labels}] if labels else []


class BatchSections(UsageSections, DeviationSections):
    """Builds the sections of one batch.

    :param report: model of the report, for the form of times and signatures
    :param batch: see :class:`odoo.addons.mrp_mmr.models.record.content.BatchRecord`
    :param dict images: source of the image by digest of its file
    """

    # What was checked is among the entries: an empty box would invite to fill it in.
    check_box = "•"

    def __init__(self, report, batch, images=None):
        super().__init__(report.env, batch.document, images)
        self.report, self.batch = report, batch
        self.zone = batch.company._get_mmr_zone()
        env = self.env
        self.codes['kind'] = self._selection('mrp.bpr.step', 'kind')
        self.missing = env._("not recorded")
        self.entry_kinds = self._selection('mrp.bpr.entry', 'kind')
        self.step_states = self._selection('mrp.bpr.step', 'state')
        self.points = {
            'performed': env._("Performed"), 'verified': env._("Verified"), 'added': env._("Added"),
            'addition_verified': env._("Addition verified"), 'hold': env._("Decision of Quality Control"),
            'not_done': env._("Closed as not done"), 'hold_reject': env._("Material rejected"),
            'authorise_retest': env._("Retest authorised"), 'corrected': env._("Correction"),
            'transcribed': env._("Transcribed"), 'rejected': env._("Transcription rejected"),
        }

    # === PIECES === #

    def _selection(self, model, field):
        return dict(self.env[model]._fields[field]._description_selection(self.env))

    def _or_missing(self, cell):
        return cell or text(self.missing, style='o_empty')

    def _fact(self, label, value, **style):
        """Return a fact that is part of every record; a missing value is printed as such."""
        return label, self._or_missing(text(value, **style))

    def _time(self, moment):
        """Return a time, of a field or a frozen document, on the clock of the company; each page says which that is."""
        return text(days.clock(moment, self.zone))

    def _signed(self, signature):
        """Return who signed, as what and when, in few words."""
        return [
            *text(signature.signer_name, bold=True),
            *text(f"{signature._get_meaning_label()}, {signature.signer_role}", style='o_label'),
            *self._time(signature.signed_at)]

    def _number(self, entry):
        return self.env._("entry %s", self.batch.numbers[entry])

    # === BATCH === #

    def batch_facts(self):
        """Return the identity of the batch: order, lots, MMR, digests, course."""
        env, batch, document = self.env, self.batch, self.document
        bpr, order, snapshot = batch.bpr, batch.order, batch.snapshot
        size = document['batch_size']
        strengths = [
            f"{product_label(row['product'])}: {row['strength']['value']} {row['strength'].get('unit') or ''}".strip()
            for row in document['components'] if row.get('strength')]
        approved = "\n".join(
            f"{self._code('meaning', row['meaning'])}: {row['name']}, {row['role']}, {days.clock(row['signed_at'], self.zone)}"
            for row in snapshot['signatures'])
        return [
            self._fact(env._("Batch production record"), bpr.name, bold=True),
            self._fact(env._("Lot of the batch"), ', '.join(batch.lot_names), bold=True),
            (env._("Decision"), self._get_decision()),
            (env._("Expires"), self._or_missing([part for lot in batch.lots for part in text(
                self._get_expiry(lot), lot.name if len(batch.lots) > 1 else None, bold=True)])),
            self._fact(
                env._("Quantity made"), f"{batch.quantity_made} {size['unit']}" if batch.quantity_made else None, bold=True),
            *([(env._("Yield"), self._get_final_yield())] if self._get_final_yield() else []),
            self._fact(env._("Batch size"), f"{size['quantity']} {size['unit']}"),
            self._fact(env._("Manufacturing order"), order.name),
            self._fact(env._("Product"), product_label(document['product'])),
            *([(env._("Strength"), text('\n'.join(strengths)))] if strengths else []),
            self._fact(env._("Formulation"), document['formulation']),
            self._fact(env._("Profile"), f"{document['profile']['code']}: {document['profile']['name']}"),
            self._fact(env._("Master manufacturing record"), env._(
                "%(number)s, revision %(revision)s", number=document['number'], revision=document['revision']), bold=True),
            (env._("Effective since"), self._or_missing(self._time(snapshot.get('effective_at')))),
            self._fact(env._("Signed by"), approved),
            (env._("Started"), self._or_missing(self._time(bpr.started_at))),
            (env._("Completed"), self._or_missing(self._time(bpr.completed_at))),
            (env._("Times"), text(self.report._get_times_label(bpr.company_id, bpr.create_date))),
            (env._("Content of the MMR, SHA-256"), text(snapshot['document_sha256'], style='o_digest')),
            (env._("Snapshot of the order, SHA-256"), text(order.mmr_snapshot_sha256, style='o_digest')),
            (env._("Steps of the batch, SHA-256"), [
                *text(bpr.plan_sha256, style='o_digest'),
                *(text(env._("Snapshot and steps are what was signed.")) if batch.is_intact else
                  text(env._("Snapshot or steps are not what was signed."), style='o_warning'))]),
        ]

    def _get_decision(self):
        """Return what Quality Control decided on the batch, who and when; or where the record is on the way there (REL-020)."""
        bpr = self.batch.bpr
        state = dict(bpr._fields['release_state']._description_selection(self.env))[bpr.release_state]
        signed = [
            f"{signature.signer_name}, {days.clock(signature.signed_at, self.zone)}"
            for signature in (bpr.release_signature_id, bpr.packed_release_signature_id) if signature]
        return [*text(state, bold=True, style='o_decision'), *text('\n'.join(signed) or None)]

    def _get_final_yield(self):
        """Return the yield at the end of manufacture, in percent of the theoretical one, with its limits (YLD-040)."""
        planned = self.batch.planned
        step = self.batch.steps.filtered(lambda step: step.kind == 'yield' and planned[step]['scope'] == 'batch')[-1:]
        if not step:
            return []
        data = self.batch.current_entries_of(step, 'yield')[-1:].data or {}
        band = planned[step]['band']
        if not data.get('percent') or not band:
            return self._or_missing([])
        return text(self.env._(
            "%(percent)s %% of %(theoretical)s %(unit)s (%(minimum)s – %(maximum)s %%)", percent=data['percent'],
            theoretical=band['theoretical'], unit=band['unit'], minimum=band['minimum'], maximum=band['maximum']), bold=True)

    def issue(self):
        """Return who issued the record; its digests are among those of all signatures (BPR-160)."""
        env, signature = self.env, self.batch.bpr.issue_signature_id
        if not signature:
            return []
        zone = signature.signer_tz if signature.signer_tz != self.zone else None
        return [
            self._fact(env._("Issued by"), f"{signature.signer_name} ({signature.signer_login})", bold=True),
            self._fact(env._("Date and time"), days.clock(signature.signed_at, self.zone)),
            self._fact(env._("Role"), signature.signer_role),
            *([(env._("Signer's clock"), text(zone))] if zone else []),
            self._fact(env._("Meaning"), f"{signature._get_meaning_label()}: {signature.statement}"),
            *([(env._("Comment"), text(signature.comment))] if signature.comment else []),
        ]

    def _get_expiry(self, lot, at=None):
        """Return the day on which a lot expires where the company is, in words; None for no lot (21 CFR 111.260, 211.137).

        :param datetime at: when it was used: what Quality Control had released then; by default as it is now
        """
        if not lot:
            return None
        day = days.day_of(self.batch.expiry_of(lot, at), self.zone)
        return str(day) if day else self.env._("no expiry date")

    def _get_lot(self, entry):
        """Return the lot of an entry with its expiry."""
        return [
            *text(entry.lot_name, self.env._("Lot"), bold=True),
            *text(self._get_expiry(entry.lot_id, entry.at), self.env._("Expires"))]

    def precautions(self):
        return self._section(
            self.env._("Special Notations and Precautions"), notes=text(self.document['precautions'], style='o_precaution'))

    # === STAGES === #

    def stages(self):
        """Return each stage with its course and its steps."""
        env = self.env
        return [{
            'title': f"{row['position']} {row['name']}",
            'facts': [
                (env._("Work center"), text(row['work_center']['name'])),
                *((label, cell) for label, cell in self.stage_facts(row)),
                *([(env._("Instruction"), text(row['instruction']))] if row['instruction'] else []),
                (env._("Start"), self._or_missing(self._time(
                    min(filter(None, steps.mapped('started_at')), default=None)))),
                (env._("End"), self._or_missing(self._time(
                    max(steps.mapped('closed_at')) if all(steps.mapped('closed_at')) and steps else None))),
            ],
            'equipment_table': self.stage_equipment(row),
            'steps': [self._get_step(row, step) for step in steps],
        } for row, steps in self.batch.stages]

    def _get_step(self, stage, step):
        env, batch = self.env, self.batch
        planned = batch.planned[step]
        equipment = {row['position']: row for row in stage.get('equipment') or []}
        deviations = batch.deviations.filtered(lambda deviation: deviation.step_id == step)
        return {
            'code': step.code, 'name': planned['name'], 'status': self.step_states[step.state],
            'planned': [[self._get_action(planned, equipment, named=False), self._get_planned_control(step, planned)]],
            'facts': [
                self._fact(env._("Started"), ', '.join(filter(None, (
                    batch.name_of(step, 'started_by_id') if step.started_by_id else None,
                    days.clock(step.started_at, self.zone))))),
                (env._("Closed"), self._or_missing(self._time(step.closed_at))),
                *([(env._("Precaution"), text(env._("acknowledged")) if step.precaution_acknowledged
                    else self._or_missing([]))] if planned['precaution'] else []),
                *([(env._("Deviations"), text('\n'.join(deviations.mapped('display_name'))))] if deviations else []),
            ],
            'table': self._get_course(step, planned),
        }

    def _get_planned_control(self, step, planned):
        """Return limits, checks and signatures as planned; steps that were added because the MMR requires them are marked."""
        env = self.env
        origins = {
            'formula': env._("required by the formula"), 'equipment': env._("required by the equipment of the stage"),
            'yield': env._("required by the yield limits"), 'packs': env._("required by the pack sizes"),
            'clearance': env._("required by a rule of the profile")}
        target, pack, band = planned['target'], planned['pack'], planned['band'] if step.kind == 'yield' else None
        tolerance = target and target.get('tolerance') not in (None, '0') and target['tolerance']
        return [
            *text(origins.get(planned['origin']), style='o_label'),
            *text(f"{target['quantity']} {target['unit']}" if target else None, env._("Target"), bold=True),
            *text(stated_text(target or {}), env._("Stated as")),
            *text(f"± {tolerance} {target['unit']}" if tolerance else None, env._("Tolerance")),
            *text(self._get_assay(target or {})),
            *text(step._get_limits_label() if band else None, env._("Acceptable yield"), bold=True),
            *text(pack and pack['name'], env._("Pack")),
            *(part for row in (pack['materials'] if pack and step.kind == 'material' else ()) for part in text(
                f"{row['quantity']} {row['unit']} {product_label(row['product'])}", env._("Material"))),
            *text(document_label(pack['label']) if pack and step.kind == 'label' else None, env._("Label"), bold=True),
            *self._get_control(planned),
        ]

    def _get_course(self, step, planned):
        """Return the table of what was recorded and signed at a step, and of what was not."""
        env = self.env
        rows = [self._get_entry(entry) for entry in self.batch.entries_of(step)]
        rows += [[text(label), text(self.missing, style='o_empty'), [], []] for label in self._get_unrecorded(step, planned)]
        columns = [
            (env._("What"), 21, ''), (env._("Recorded"), 33, ''), (env._("Person, date and time"), *PERSON),
            (env._("Remarks"), 24, ''),
        ] if rows else [
            (env._("Signature"), 21, ''), (env._("Printed name, meaning, role"), 33, ''), (env._("Date and time"), *PERSON),
            (env._("Statement, comment"), 24, '')]
        return self._table(columns, rows + self._get_step_signatures(step))

    def _get_unrecorded(self, step, planned):
        """Return the labels of what the step requires but nobody recorded."""
        env = self.env
        entries = self.batch.current_entries_of(step)
        kinds = set(entries.mapped('kind'))
        checked = {entry.position for entry in entries if entry.kind == 'check'}
        labels = [
            f"{self.entry_kinds['check']}: {row['text']}" for row in planned['checklist'] if row['position'] not in checked]
        result = ENTRY_OF_STEP.get(step.kind)
        if result == 'material':
            used = set(entries.filtered(lambda entry: entry.kind == 'material').mapped('position'))
            labels += [product_label(row['product']) for row in planned['pack']['materials']
                       if row['position'] not in used and not any((entry.data or {}).get('not_made') for entry in entries)]
        elif result and result not in kinds and not (step.kind == 'clearance' and planned['checklist']):
            labels.append(self.entry_kinds[result])
        if planned['sample'] and 'sample' not in kinds and result != 'sample':
            labels.append(self.entry_kinds['sample'])
        if planned['equipment'] and step.kind != 'equipment' and not self._get_units(step, planned['equipment']):
            labels.append(env._("Equipment"))
        return labels

    def _get_units(self, step, position):
        """Return the entries that identify the units of a row of the stage's equipment."""
        batch = self.batch
        return batch.current.filtered(lambda entry: entry.equipment_id and entry.step_id.stage == step.stage and (
            entry.step_id == step or batch.planned[entry.step_id]['equipment'] == position))

    def _get_entry(self, entry):
        env, batch = self.env, self.batch
        what = entry.text if entry.kind == 'check' else None
        corrected = entry.superseded_by_ids.filtered('is_current')[:1]
        remarks = [
            *mark(
                env._("CORRECTION") if entry.supersedes_id else None, env._("CORRECTED") if corrected else None,
                env._("LATE ENTRY") if entry.is_late else None, env._("TRANSCRIBED") if entry.transcription_id else None,
                env._("REJECTED") if entry.is_rejected else None, env._("NOT SIGNED") if entry.is_proposed else None,
                None if entry.outcome != 'fail' else env._("DOES NOT CONFORM") if entry.kind in ('check', 'outcome')
                else env._("OUT OF LIMITS")),
            *text(env._("corrects %s", self._number(entry.supersedes_id)) if entry.supersedes_id else None),
            *text(env._("corrected by %s", self._number(corrected)) if corrected else None),
            *text(env._("about %s", self._number(entry.about_id)) if entry.about_id else None),
            *text(entry.reason, env._("Reason")),
            *text(entry.device, env._("Terminal")),
            *text(entry.paper_time, env._("Time on paper")),
            *text(entry.paper_by, env._("By, on paper")),
            *text(entry.paper_verified_by, env._("Verified by, on paper")),
        ]
        for signature in batch.signatures_of(entry):
            remarks += [
                *text(signature.signer_name, f"{self._get_point_label(signature)}, {signature._get_meaning_label()}"),
                *self._time(signature.signed_at), *text(signature.comment)]
        recorded = self._get_recorded(entry)
        if corrected or entry.is_rejected:
            recorded = [dict(part, style='o_void_text') for part in recorded]
        return [
            [*text(self.entry_kinds[entry.kind]), *text(what), *text(self._number(entry), style='o_label')],
            recorded,
            [*text(entry.user_name), *self._time(entry.at)],
            remarks,
        ]

    def _get_recorded(self, entry):
        """Return what an entry says, with all its digits."""
        env = self.env
        data = entry.data or {}
        outcomes = {
            'check': {'pass': env._("conforms"), 'fail': env._("does not conform")},
            'outcome': {'pass': env._("conforms"), 'fail': env._("does not conform")},
        }.get(entry.kind) or self._selection('mrp.bpr.entry', 'outcome')
        value = ' '.join(filter(None, (entry.value, entry.unit)))
        details = {
            'value': (('compared', env._("Compared as")),),
            'weight': (
                ('quantity', env._("In the unit of the formula")), ('factor', env._("Factor of the unit")),
                ('issued', env._("Issued")), ('returned', env._("Returned")), ('scrapped', env._("Scrapped"))),
            'yield': (('theoretical', env._("Theoretical")), ('percent', env._("Percent of theoretical")),
                      ('minimum', env._("Minimum, percent")), ('maximum', env._("Maximum, percent"))),
            'sample': (('size', env._("Size")), ('unit', env._("Unit"))),
            'labels': tuple(self.label_figures().items()),
            'material': (
                ('product', env._("Material")), *((use, self.label_figures()[use]) for use in (*MATERIAL_USES, 'difference')),
                ('not_made', env._("Not made"))),
        }.get(entry.kind, ())
        return [
            *text(value, bold=True),
            *self._get_lot(entry),
            *text(entry.equipment_name, env._("Equipment")),
            *(part for name, label in details for part in text(data.get(name), label)),
            *self._get_adjustment(data.get('adjusted') or {}),
            *text(outcomes.get(entry.outcome)),
            *text(entry.kind != 'check' and entry.text or None),
            *self._file(entry.file_id._get_document(), env._("File")),
        ]

    def _get_adjustment(self, adjusted):
        """Return how the target of a weight was calculated from the assay of its lot or for the filler (USE-070)."""
        env, assay = self.env, adjusted.get('assay') or {}
        basis = self._selection('stock.lot', 'mmr_assay_basis').get(assay.get('basis'))
        return [
            *text(' '.join(filter(None, (assay.get('value'), assay.get('unit'), basis))) or None, env._("Assay of the lot")),
            *text(assay.get('date'), env._("Assay of")),
            *text(f"{assay['moisture']} %" if exact(assay.get('moisture') or 0) else None, env._("Moisture")),
            *text(adjusted.get('formula'), env._("Target of this lot") if assay else env._("Target of the filler")),
        ]

    def label_figures(self):
        """Return the names of the figures of a label reconciliation, in order."""
        env = self.env
        return {
            'label': env._("Label"), 'version': env._("Version"), 'issued': env._("Issued"), 'used': env._("Used"),
            'destroyed': env._("Destroyed"), 'returned': env._("Returned"), 'sampled': env._("Sampled or attached"),
            'difference': env._("Difference"),
            'finished': env._("Units finished"), 'finished_difference': env._("Used minus finished"),
            'limit': env._("Limit of the difference"), 'coded': env._("With a lot number"), 'waiver': env._("Waived for"),
            'examined_by': env._("Examined electronically by"), 'examination': env._("Result of the examination"),
        }

    def _get_point_label(self, signature):
        return self.points.get((signature.content or {}).get('point')) or signature._get_meaning_label()

    def _get_step_signatures(self, step):
        """Return the rows of the signatures of a step: those it has, and those it lacks."""
        batch = self.batch
        return [
            *(self._get_signature_row(self.points[point], batch.signature_at(step, point)) for point in step.points),
            *(self._get_signature_row(self._get_point_label(signature), signature) for signature in batch.signatures_of(step)
              if (signature.content or {}).get('point') in FURTHER_POINTS)]

    def _get_signature_row(self, label, signature):
        if not signature:
            return [text(label), text(self.missing, style='o_empty'), [], []]
        return [
            text(label),
            [*text(signature.signer_name, bold=True),
             *text(f"{signature._get_meaning_label()}, {signature.signer_role}", style='o_label')],
            self._time(signature.signed_at),
            [*text(signature.statement), *text(signature.comment, self.env._("Comment"))],
        ]

    # === PAPER === #

    def worksheets(self):
        """Return the controlled copies of worksheets, and what was transcribed from them."""
        env, batch = self.env, self.batch
        states = self._selection('mrp.bpr.transcription', 'state')
        return self._section(env._("Worksheets on Paper"), tables=[
            self._table([
                (env._("Copy"), 8, ''), (env._("Steps"), 20, ''), (env._("Issued by"), *PERSON), (env._("Printed"), 20, ''),
                (env._("Reason for paper"), 30, ''),
            ], [[
                text(copy.number, bold=True), text(copy.step_codes),
                [*text(copy.user_name), *self._time(copy.at)], self._or_missing(self._time(copy.printed_at)),
                text(copy.reason),
            ] for copy in batch.copies]),
            self._table([
                (env._("Copy"), 8, ''), (env._("Step, entries"), 22, ''), (env._("Transcribed by"), *PERSON),
                (env._("Compared with the scan by"), 22, ''), (env._("Scan"), 26, ''),
            ], [[
                text(transcription.copy_id.number, bold=True),
                [*text(transcription.step_id.display_name), *text(', '.join(
                    self._number(entry) for entry in transcription.entry_ids.sorted('id')), style='o_label')],
                [*text(transcription.user_name), *self._time(transcription.at)],
                [*text(states[transcription.state], bold=True), *self._or_missing(
                    self._signed(transcription.decision_signature_id) if transcription.decision_signature_id else []),
                 *text(transcription.decision_signature_id.comment, env._("Comment"))],
                self._file(transcription.scan_id._get_document(), env._("Scan")),
            ] for transcription in batch.transcriptions])])

    # === SIGNATURES, TRAIL === #

    def signatures(self):
        """Return all signatures of the batch with their digests (21 CFR 11.50, 11.70)."""
        env = self.env
        rows = [self._get_signature(record, signature)
                for record in self.batch.signed_records for signature in self.batch.signatures_of(record)]
        return self._section(env._("Signatures"), notes=[] if rows else text(env._("none"), style='o_empty'), tables=[
            self._table([
                (env._("Signed"), 16, ''), (env._("Printed name, meaning, role"), 19, ''), (env._("Date and time"), 16, ''),
                (env._("Statement, comment, digests of content and signature"), 49, ''),
            ], rows, style='o_dense')])

    def _get_signature(self, record, signature):
        env = self.env
        values = self.report._prepare_signature(signature)
        zone = signature.signer_tz if signature.signer_tz != self.zone else None
        voided = values['voided_by']
        return [
            text(f"{self._number(record)}, {record.step_id.display_name}" if record._name == 'mrp.bpr.entry'
                 else signature.record_name),
            [*text(f"{values['name']} ({values['login']})", bold=True),
             *text(values['meaning_label']), *text(values['role'], style='o_label')],
            [*self._time(signature.signed_at),
             *text(zone, env._("Signer's clock"), style='o_label')],
            [*mark(env._("VOID") if voided else None),
             *text("{meaning_label}, {name}, {local_time}: {comment}".format(**voided) if voided else None),
             *text(values['statement']), *text(values['comment'], env._("Comment")),
             *text('\n'.join(values['annex_lines']) or None),
             *text(values['content_sha256'], style='o_digest'), *text(values['signature_sha256'], style='o_digest'),
             *text(values['key_short'], env._("Key of the signer")),
             *(text(env._("The signature is not what was stored when it was made."), style='o_warning')
               if not values['is_intact'] else [])],
        ]

    def trail(self):
        """Return the audit trail of the batch (21 CFR 11.10(e), EU GMP Annex 11 §9)."""
        env = self.env
        kinds = self._selection('mrp.audit.entry', 'kind')
        return self._section(
            env._("Audit Trail"), notes=text(env._(
                "Lines about prints and exports of this record are left out, so their numbers are missing here.")),
            tables=[self._table([
                (env._("No."), 4, ''), (env._("Date and time (UTC)"), 15, ''), (env._("By"), 15, ''),
                (env._("What"), 22, ''), (env._("Old and new values, reason"), 44, ''),
            ], [[
                text(line.index), text(f"{line.at:%Y-%m-%d %H:%M:%S}"),
                [*text(line.user_name), *text(line.user_login, style='o_label')],
                [*text(kinds[line.kind], bold=True), *text(line.record_name)],
                [*text(line.summary.replace('\n', ' · ')), *text((line.reason or '').replace('\n', ' · '), env._("Reason"))],
            ] for line in self.batch.trail], style='o_dense o_trail')])

    def printing(self, status):
        """Return what is specific to this print: who, when, the head of the ledger, the MMR's present status."""
        env, chain = self.env, self.batch.chain
        return self._section(env._("This Print"), [
            (env._("Made"), text(self.report._get_printed_label())),
            (env._("Status of the MMR revision"), text(status)),
            (env._("Last line of the ledger"), [
                *text(chain.head_index), *text(chain.head_sha256, style='o_digest')]),
        ])
