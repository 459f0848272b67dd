"""Checks results that are signed as one document: tamper drills and product quality reviews."""

from .evidence import EvidenceReader
from .ledger import CHECKPOINT, Finding, digest_of


class ResultChecks(EvidenceReader):
    """Tamper drills and product quality reviews."""

    def _check_drills(self):
        query = f"""
            SELECT t.id, t.name, t.results::text, t.results_sha256, t.signature_id, t.file_id
              FROM mrp_tamper_drill t WHERE t.id > %(after)s AND {self._model_condition('mrp.tamper.drill')} ORDER BY t.id"""
        for rows in self._rows(query):
            signatures = self._read_signatures({row[4] for row in rows})
            for drill, title, results, digest, signature, file in rows:
                def finding(expected, found, drill=drill, title=title):
                    return Finding('mrp.tamper.drill', drill, title, expected, found)

                found = digest_of(results)
                if found != digest:
                    yield finding(f"results with digest {digest}", f"results with digest {found}")
                if (signature is None) != (file is None):
                    yield finding("signature and signed print together", f"signature {signature}, file {file}")
                yield from self._check_link(
                    finding, 'checking', signature, signatures, ('mrp.tamper.drill', drill), 'checked', digest)
            yield CHECKPOINT

    def _check_quality_reviews(self):
        """The document of a review is what both signatures were given over."""
        query = f"""
            SELECT t.id, t.name, t.state, t.document::text, t.document_sha256, t.prepared_signature_id, t.approved_signature_id
              FROM mrp_quality_review t
             WHERE t.id > %(after)s AND {self._model_condition('mrp.quality.review')} ORDER BY t.id"""
        for rows in self._rows(query):
            signatures = self._read_signatures({key for row in rows for key in row[5:]})
            for review, title, state, document, digest, prepared, approved in rows:
                record = ('mrp.quality.review', review)

                def finding(expected, found, record=record, title=title):
                    return Finding(*record, title, expected, found)

                found = document and digest_of(document)
                if found != digest:
                    yield finding(f"a document with digest {digest}", f"a document with digest {found}")
                expected = 'approved' if approved else 'prepared' if prepared else 'draft'
                if state != expected:
                    yield finding(f"status {expected} as its signatures say", state)
                for label, signature, meaning in (
                        ('preparing', prepared, 'prepared'), ('approving', approved, 'approved')):
                    yield from self._check_link(finding, label, signature, signatures, record, meaning, digest)
            yield CHECKPOINT
