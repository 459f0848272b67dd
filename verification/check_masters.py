"""Checks revisions, their reviews and product labels against what was signed."""

import contextlib

from .evidence import FILE_COLUMNS, ROWS, EvidenceReader, files_in, first_difference
from .ledger import CHECKPOINT, Finding, canonical, digest_of, encode, parse
from .queries import NAMES


class MasterChecks(EvidenceReader):
    """Documents of revisions, reviews on their route, product labels."""

    def _check_revisions(self):
        query = f"""
            SELECT t.id, {NAMES['mrp.mmr.revision']}, t.state, t.document::text, t.document_sha256, t.prepared_signature_id,
                   t.approved_signature_id, t.retired_signature_id, t.revision,
                   (SELECT m.name FROM mrp_mmr m WHERE m.id = t.mmr_id),
                   EXISTS (SELECT FROM mrp_esignature v WHERE v.voids_signature_id = t.prepared_signature_id),
                   (SELECT count(v.signature_id) FROM mrp_mmr_review v
                     WHERE v.revision_id = t.id AND v.prepared_signature_id = t.prepared_signature_id),
                   EXISTS (SELECT FROM mrp_esignature s WHERE s.res_model = 'mrp.mmr.revision' AND s.res_id = t.id
                              AND s.meaning = 'retired')
              FROM mrp_mmr_revision t WHERE t.id > %(after)s AND {self._model_condition('mrp.mmr.revision')} ORDER BY t.id"""
        for rows in self._rows(query):
            signatures = self._read_signatures({key for row in rows for key in row[5:8]})
            named = []
            for row in rows:
                yield from self._check_revision(signatures, named, *row)
            yield from self._check_named_files(named)
            self.counts['revisions'] += len(rows)
            yield CHECKPOINT

    def _check_revision(self, signatures, named, revision_id, title, state, document, digest, prepared, approved, retired,
                        number, mmr, is_void, reviews, is_retired):
        record = ('mrp.mmr.revision', revision_id)

        def finding(expected, found):
            return Finding(*record, title, expected, found)

        frozen = state not in ('draft', 'cancelled')
        for label, value, wanted in (
                ('document', document, frozen), ('digest of the document', digest, frozen),
                ('signature of the preparer', prepared, frozen),
                ('signature of the approver', approved, frozen and state != 'submitted'),
                ('retirement', retired, is_retired)):
            if wanted != (value is not None):
                yield finding(f"{'a' if wanted else 'no'} {label} as it is {state}", 'none' if wanted else 'one')
        if is_void:
            yield finding("a valid signature of its preparer", f"signature {prepared}, which is void")
        content = None
        if document is not None:
            found = digest_of(document)
            if found != digest:
                yield finding(f"document with digest {digest}", f"document with digest {found}")
            # Where it cannot be read, its digest was refused above.
            with contextlib.suppress(ValueError):
                content = parse(document)
        if isinstance(content, dict):
            if (content.get('number'), content.get('revision')) != (mmr, number):
                yield finding(f"the document of {mmr} revision {number}",
                              f"that of {content.get('number')} revision {content.get('revision')}")
            named += [(*record, title, file) for file in files_in(content)]
            wanted = len(content.get('reviewers') or ())
            if frozen and state != 'submitted' and reviews != wanted:
                yield finding(f"{wanted} signed reviews as in its document", f"{reviews}")
        for label, signature, meaning in (('preparing', prepared, 'prepared'), ('approving', approved, 'approved'),
                                          ('retiring', retired, 'retired')):
            yield from self._check_link(finding, label, signature, signatures, record, meaning, digest or '-')

    def _check_reviews(self):
        query = f"""
            SELECT t.id, {NAMES['mrp.mmr.review']}, t.revision_id, t.prepared_signature_id, t.signature_id
              FROM mrp_mmr_review t WHERE t.id > %(after)s AND {self._model_condition('mrp.mmr.review')} ORDER BY t.id"""
        for rows in self._rows(query, ROWS):
            signatures = self._read_signatures({key for row in rows for key in row[3:5]})
            for review, title, revision, prepared, signature in rows:
                def finding(expected, found, review=review, title=title):
                    return Finding('mrp.mmr.review', review, title, expected, found)

                record = ('mrp.mmr.revision', revision)
                yield from self._check_link(finding, 'preparing', prepared, signatures, record, 'prepared')
                yield from self._check_link(
                    finding, 'reviewing', signature, signatures, record, 'reviewed',
                    prepared in signatures and signatures[prepared]['content_sha256'])
            yield CHECKPOINT

    def _check_labels(self):
        query = f"""
            SELECT t.id, {NAMES['mrp.mmr.label']}, t.state, t.approved_signature_id, t.code, t.version, t.name, t.location,
                   t.panel, t.claims, f.id, f.name, f.sha256, f.size, f.mimetype,
                   ARRAY(SELECT s.id FROM mrp_esignature s WHERE s.res_model = 'mrp.mmr.label' AND s.res_id = t.id
                            AND s.meaning = 'retired'), s.content::text
              FROM mrp_mmr_label t LEFT JOIN mrp_mmr_file f ON f.id = t.file_id
                                   LEFT JOIN mrp_esignature s ON s.id = t.approved_signature_id
             WHERE t.id > %(after)s AND {self._model_condition('mrp.mmr.label')} ORDER BY t.id"""
        for rows in self._rows(query):
            signatures = self._read_signatures({row[3] for row in rows})
            for (label_id, title, state, approved, code, version, name, location, panel, claims, *file, retired,
                 content) in rows:
                def finding(expected, found, label_id=label_id, title=title):
                    return Finding('mrp.mmr.label', label_id, title, expected, found)

                expected = 'obsolete' if retired else 'approved' if approved else 'draft'
                if state != expected:
                    yield finding(f"status {expected} as its signatures say", state)
                yield from self._check_link(
                    finding, 'approving', approved, signatures, ('mrp.mmr.label', label_id), 'approved')
                if content is None:
                    continue
                live = encode({
                    'id': label_id, 'code': code, 'version': version, 'name': name, 'location': location or None,
                    'panel': panel or None, 'claims': claims or None, 'schema': 'mrp_mmr/label/1',
                    'file': dict(zip(FILE_COLUMNS, file, strict=True)) if file[0] else None})
                signed = canonical(content)
                if signed is None:
                    yield finding("the content that was signed", content[:500])
                elif signed != live:
                    place, wanted, there = first_difference(parse(signed), parse(live))
                    yield finding(f"{place} as it was signed: {wanted}", there)
            self.counts['labels'] += len(rows)
            yield CHECKPOINT
