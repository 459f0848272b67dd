"""Checks orders and their snapshots, the plans of batch records, and disposals (USE-030, REL-030, REC-040)."""

import json

from ..domain.step_plan import get_points
from .evidence import RECORDS, EvidenceReader, first_difference, iso
from .ledger import CHECKPOINT, Finding, digest_of, encode, parse, sha256_text
from .queries import CONDITIONS, DISPOSED

DECISIONS = {'continue': 'approved', 'stop': 'rejected'}
#: Columns of a step that say what its plan says under the same name.
PLANNED = ('name', 'kind', 'performer_role', 'verifier_role', 'is_critical', 'is_hold_point')
#: Columns of a step beside its plan, in the order in which they are read.
STEP_COLUMNS = ('id', 'sequence', 'stage', 'number', 'production_id', 'company_id', 'yield_mmr_id', *PLANNED, 'points')


class BatchChecks(EvidenceReader):
    """Snapshots of orders, plans and frozen records of batches, and what was disposed of."""

    def _check_orders(self):
        query = f"""
            SELECT t.id, t.name, t.mmr_controlled, t.mmr_snapshot::text, t.mmr_snapshot_sha256, t.mmr_revision_id,
                   t.mmr_decision, t.mmr_decision_signature_id, s.content ->> 'decision', r.document_sha256,
                   r.prepared_signature_id, r.approved_signature_id, r.effective_at::text,
                   {DISPOSED % '(SELECT b.id FROM mrp_bpr b WHERE b.production_id = t.id)'}
              FROM mrp_production t LEFT JOIN mrp_mmr_revision r ON r.id = t.mmr_revision_id
                                    LEFT JOIN mrp_esignature s ON s.id = t.mmr_decision_signature_id
             WHERE t.id > %(after)s AND (t.mmr_decision_signature_id IS NOT NULL OR {CONDITIONS['mrp.production']})
               AND {self._model_condition('mrp.production')}
             ORDER BY t.id"""
        for rows in self._rows(query):
            signatures = self._read_signatures({key for row in rows for key in (row[7], row[10], row[11])})
            known = {}      # orders of one revision have the same snapshot: its text is parsed once
            for row in rows:
                yield from self._check_order(signatures, known, *row)
            self.counts['orders'] += len(rows)
            yield CHECKPOINT

    def _check_order(self, signatures, known, order_id, title, controlled, text, digest, revision, decision,
                     decision_signature, decided, document_digest, prepared, approved, effective_at, is_disposed):
        record = ('mrp.production', order_id)

        def finding(expected, found):
            return Finding(*record, title, expected, found)

        if not (controlled and text is not None and digest and revision):
            yield finding("a released order: controlled, with snapshot, digest and revision",
                          f"controlled: {bool(controlled)}, snapshot: {text is not None}, digest: {digest}, "
                          f"revision: {revision}")
        if decision in DECISIONS:
            if not decision_signature:
                yield finding(f"the signature of the decision '{decision}'", "none")
            elif decided != decision:
                yield finding(f"decision '{decided}' as it was signed", f"'{decision}'")
        elif decision_signature and decided is None:
            yield finding("a signed decision", f"signature {decision_signature}")
        if decision_signature:
            yield from self._check_link(finding, 'deciding', decision_signature, signatures, record, DECISIONS.get(decided))
        if text is None:
            return
        if is_disposed:
            yield from self._check_disposed_snapshot(finding, text, document_digest)
            return
        key = (text, revision)
        if key not in known:
            known[key] = list(self._compare_snapshot(signatures, text, document_digest, (prepared, approved), effective_at))
        found, *problems = known[key]
        if found != digest:
            yield finding(f"snapshot with digest {digest}", f"snapshot with digest {found}")
        for problem in problems:
            yield finding(*problem)

    @staticmethod
    def _check_disposed_snapshot(finding, text, document_digest):
        """What is left of a snapshot names the document that it was of, and holds no step and no component."""
        try:
            snapshot = parse(text)
            document = snapshot['document']
            found, left = snapshot['document_sha256'], document['operations'] or document['components']
        except (ValueError, TypeError, KeyError) as error:
            yield finding("what a disposal leaves of a snapshot", f"none ({error})")
            return
        if found != document_digest:
            yield finding(f"digest {document_digest} of the document that it was of", f"{found}")
        if left:
            yield finding("no operation and no component, as it was disposed of", f"{encode(left)[:200]}")

    def _check_plans(self):
        """The steps of a batch record are those that its plan was the digest of, all of them and in their order (USE-030).

        A record that was decided on is what its release was signed over (REL-030).
        """
        columns = ', '.join(f's.{name}' for name in STEP_COLUMNS)
        query = f"""
            SELECT b.id, b.name, b.plan_sha256, b.step_count,
                   ARRAY(SELECT s.planned::text FROM mrp_bpr_step s WHERE s.bpr_id = b.id ORDER BY s.sequence, s.id),
                   ARRAY(SELECT json_build_array({columns})::text FROM mrp_bpr_step s WHERE s.bpr_id = b.id
                          ORDER BY s.sequence, s.id), b.production_id, b.company_id, (
                       SELECT c.res_id FROM mrp_audit_entry e JOIN mrp_audit_chain c ON c.id = e.chain_id
                        WHERE e.res_model = 'mrp.bpr' AND e.res_id = b.id AND e.kind IN ('create', 'baseline')
                          AND c.res_model = 'mrp.production' ORDER BY e.id LIMIT 1),
                   b.document::text, b.document_sha256,
                   (SELECT g.content ->> 'document_sha256' FROM mrp_esignature g WHERE g.id = b.release_signature_id),
                   {DISPOSED % 'b.id'}, (SELECT r.mmr_id FROM mrp_mmr_revision r WHERE r.id = b.mmr_revision_id),
                   ARRAY(SELECT e.id FROM mrp_bpr_entry e WHERE e.bpr_id = b.id AND e.product_id IS DISTINCT FROM
                          CASE WHEN e.equipment_id IS NOT NULL THEN b.product_id END ORDER BY e.id)
              FROM mrp_bpr b WHERE b.id > %(after)s AND {self._company_condition('b.company_id')} ORDER BY b.id"""
        for rows in self._rows(query, RECORDS // 10):
            for (bpr, name, digest, count, steps, columns, order, company, of_order, document, frozen, signed,
                 is_disposed, mmr, entries) in rows:
                if of_order not in (None, order):
                    yield Finding('mrp.bpr', bpr, name, f"the record of order {of_order}, in whose chain it began", f"{order}")
                yield from self._check_step_columns(
                    steps, columns, {'production_id': order, 'company_id': company}, mmr, is_disposed)
                for entry in entries:
                    yield Finding('mrp.bpr.entry', entry, name, "the product of its batch, if it names a unit", "another one")
                if is_disposed:
                    yield from self._check_stub(bpr, name, count, steps, document, (frozen, signed))
                    continue
                found = document and digest_of(document)
                if not found == frozen == signed:
                    yield Finding('mrp.bpr', bpr, name, f"a frozen record with digest {signed}, as it was released",
                                  f"digest {found}, noted as {frozen}")
                try:
                    found = sha256_text(encode([parse(step) for step in steps]))
                except (ValueError, TypeError) as error:
                    found = f"none ({error})"
                if (found, len(steps)) != (digest, count):
                    yield Finding('mrp.bpr', bpr, name, f"{count} steps with digest {digest}",
                                  f"{len(steps)} steps with digest {found}")
            yield CHECKPOINT

    @staticmethod
    def _check_step_columns(plans, rows, batch, mmr, is_disposed):
        """What a step is called, what it is, and who signs it, is what its plan says; of one disposed of what is left of it.

        :param list plans: JSON of each planned step, in order
        :param list rows: JSON of ``STEP_COLUMNS`` of each of them
        :param dict batch: columns that a step has in common with its batch record
        :param int mmr: of the batch, which its yields name
        """
        numbers = {}
        for sequence, (plan, row) in enumerate(zip(plans, rows, strict=True), 1):
            found = dict(zip(STEP_COLUMNS, json.loads(row), strict=True))
            try:
                planned = parse(plan)
                stage = planned['stage']['position']
                expected = {name: planned[name] for name in PLANNED}
                points = None if is_disposed else get_points(planned)
            except (ValueError, TypeError, KeyError):
                continue    # its plan has another digest, which is reported
            numbers[stage] = numbers.get(stage, 0) + 1
            expected.update(batch, sequence=sequence, stage=stage, number=numbers[stage],
                            yield_mmr_id=mmr if planned['kind'] == 'yield' else None)
            if not is_disposed:     # whether a second person signs is not left of a plan that was removed
                expected['points'] = points
            for name, value in expected.items():
                if (found[name] or None) != (value or None):
                    yield Finding('mrp.bpr.step', found['id'], f"{stage}.{numbers[stage]} {planned['name']}",
                                  f"{name} {encode(value)} as planned", encode(found[name]))

    def _check_stub(self, bpr, name, count, steps, document, digests):
        """What is left of a record that was disposed of: its digests and the rows of its steps, and nothing of its content."""
        self.counts['disposed'] += 1
        if document is not None:
            yield Finding('mrp.bpr', bpr, name, "no record, as it was disposed of", f"one with digest {digest_of(document)}")
        if digests[0] != digests[1]:
            yield Finding('mrp.bpr', bpr, name, f"digest {digests[1]} of its record, as it was decided on", f"{digests[0]}")
        if len(steps) != count:
            yield Finding('mrp.bpr', bpr, name, f"{count} steps", f"{len(steps)}")

    def _check_disposals(self):
        """A batch record is disposed of by a signature that names it, and every one that a signature names is (REC-040)."""
        covered = DISPOSED % 'b.id'
        query = f"""
            SELECT b.id, b.name, p.name FROM mrp_bpr b LEFT JOIN mrp_record_disposal p ON p.id = b.disposal_id
             WHERE b.disposal_id IS NOT NULL AND {self._company_condition('b.company_id')} AND NOT {covered} ORDER BY b.id"""
        self.cr.execute(query)  # pylint: disable=sql-injection
        for bpr, name, disposal in self.cr.fetchall():
            yield Finding('mrp.bpr', bpr, name, "a signed disposal that names it", f"{disposal}, which does not")
        query = f"""
            SELECT t.id, t.name, t.reason, t.signature_id, g.content::text FROM mrp_record_disposal t
              JOIN mrp_esignature g ON g.id = t.signature_id
             WHERE t.id > %(after)s AND {self._model_condition('mrp.record.disposal')} ORDER BY t.id"""
        for rows in self._rows(query):
            signatures = self._read_signatures({row[3] for row in rows})
            for disposal, title, reason, signature, content in rows:
                def finding(expected, found, disposal=disposal, title=title):
                    return Finding('mrp.record.disposal', disposal, title, expected, found)

                yield from self._check_link(
                    finding, 'disposing', signature, signatures, ('mrp.record.disposal', disposal), 'approved')
                try:
                    said = parse(content)
                    wanted, files = ([row['id'] for row in said[name]] for name in ('batches', 'files'))
                    words = (said['name'], said['reason'])
                except (ValueError, TypeError, KeyError):
                    yield finding("the content that was signed", f"{str(content)[:200]}")
                    continue
                if words != (title, reason):
                    yield finding(f"number and reason as they were signed: {words}", f"{(title, reason)}")
                self.cr.execute(
                    "SELECT b.id FROM mrp_bpr b WHERE b.id = ANY(%s) AND b.disposal_id = %s", [wanted, disposal])
                missing = sorted(set(wanted) - {row[0] for row in self.cr.fetchall()})
                if missing:
                    yield finding("every record that it names disposed of by it", f"mrp.bpr {missing} are not")
                self.cr.execute("SELECT id FROM mrp_mmr_file WHERE id = ANY(%s) ORDER BY id", [files])
                left = [row[0] for row in self.cr.fetchall()]
                if left:
                    yield finding("none of the files that it removed", f"mrp.mmr.file {left}")
            yield CHECKPOINT

    def _compare_snapshot(self, signatures, text, document_digest, signature_ids, effective_at):
        """Yield the digest of a snapshot, then pairs of what was expected of it and what was found."""
        yield digest_of(text)
        try:
            snapshot = parse(text)
            document = snapshot['document']
            found = {
                'document': sha256_text(encode(document)), 'document_sha256': snapshot['document_sha256'],
                'effective_at': snapshot['effective_at'], 'signatures': snapshot['signatures']}
        except (ValueError, TypeError, KeyError) as error:
            yield "a snapshot", f"none ({error})"
            return
        expected = {
            'document': document_digest, 'document_sha256': document_digest, 'effective_at': iso(effective_at),
            'signatures': [self._printed(signatures[key]) for key in signature_ids if key in signatures]}
        for name, value in expected.items():
            if found[name] != value:
                place, wanted, there = first_difference(value, found[name], name)
                yield f"{place} of the snapshot as in the revision: {wanted}", there

    @staticmethod
    def _printed(row):
        """Return a signature as snapshots hold it (see mrp.esignature, ``_get_printed_vals``)."""
        annex = parse(row['annex']) if row['annex'] else None
        return {
            'id': row['id'], 'meaning': row['meaning'], 'name': row['signer_name'], 'login': row['signer_login'],
            'role': row['signer_role'], 'statement': row['statement'], 'comment': row['comment'],
            'signed_at': iso(row['signed_at']), 'time_zone': row['signer_tz'], 'content_sha256': row['content_sha256'],
            'signature_sha256': row['signature_sha256'], **({'annex': annex} if annex else {})}
