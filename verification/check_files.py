"""Checks files of signed records: content, size, type and digest (REC-060)."""

import base64
import binascii
import hashlib
import os.path

from ..domain.files import DOCUMENTS, IMAGES
from .evidence import EvidenceReader
from .ledger import CHECKPOINT, Finding
from .queries import FILE_COMPANIES

EXPECTED_TYPES = {**DOCUMENTS, **IMAGES}


class FileChecks(EvidenceReader):
    """Every stored file."""

    def _check_files(self):
        used = 'TRUE'
        if self.company is not None:
            used = f'{int(self.company)} IN ({FILE_COMPANIES})' if self.company else f'NOT EXISTS ({FILE_COMPANIES})'
        query = f"SELECT t.id FROM mrp_mmr_file t WHERE t.id > %(after)s AND {used} ORDER BY t.id"
        for rows in self._rows(query):
            for file_id, in rows:
                # One at a time: a file has up to ten megabytes.
                self.cr.execute("SELECT name, data, size, mimetype, sha256 FROM mrp_mmr_file WHERE id = %s", [file_id])
                yield from self._check_file(file_id, *self.cr.fetchone())
            self.counts['files'] += len(rows)
            yield CHECKPOINT

    def _check_file(self, file_id, name, data, size, mimetype, digest):
        data = bytes(data)
        try:
            content = base64.b64decode(data, validate=True)
        except binascii.Error:
            content = None
        if content is None or base64.b64encode(content) != data:
            yield Finding('mrp.mmr.file', file_id, name, f"content with digest {digest}", "content that is damaged")
        elif hashlib.sha256(content).hexdigest() != digest:
            yield Finding('mrp.mmr.file', file_id, name, f"digest {digest}",
                          f"content with digest {hashlib.sha256(content).hexdigest()}")
        elif len(content) != size:
            yield Finding('mrp.mmr.file', file_id, name, f"size {size}", f"content of {len(content)} bytes")
        expected = EXPECTED_TYPES.get(os.path.splitext(name)[1].lower().lstrip('.'))
        if expected != mimetype:
            yield Finding('mrp.mmr.file', file_id, name, f"type {expected} of a file of this name", f"type {mimetype}")
