"""Reads evidence in batches, for one company or all: what the checks of records share."""

from .ledger import Finding, company_condition, encode
from .queries import COMPANIES

#: Records that are read at a time; documents are some hundred kilobytes each.
RECORDS = 200

#: Records without documents that are read at a time.
ROWS = 1000

SIGNATURE_COLUMNS = (
    'id', 'res_model', 'res_id', 'record_name', 'company_id', 'user_id', 'partner_id', 'signer_name', 'signer_login',
    'signer_role', 'meaning', 'statement', 'comment', 'signed_at', 'signer_tz', 'content_sha256', 'signature_sha256',
    'annex', 'basis_signature_id', 'voids_signature_id', 'key_fingerprint', 'key_number', 'key_previous', 'key_nonce',
    'key_signature')

#: What documents say about a file.
FILE_COLUMNS = ('id', 'name', 'sha256', 'size', 'mimetype')


def iso(text):
    """Return a time of PostgreSQL as documents write it; fractions of a second stay, so that they show."""
    return text and f'{text[:10]}T{text[11:]}Z'


def files_in(content):
    """Yield what a document says about files."""
    stack = [content]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if item.keys() == set(FILE_COLUMNS):
                yield item
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def first_difference(expected, found, place='content'):
    """Return where two contents differ first, and the two texts there."""
    if type(expected) is type(found) and isinstance(expected, dict) and expected.keys() == found.keys():
        keys = sorted(expected)
    elif type(expected) is type(found) and isinstance(expected, list) and len(expected) == len(found):
        keys = range(len(expected))
    else:
        keys = ()
    for key in keys:
        if expected[key] != found[key]:
            return first_difference(expected[key], found[key], f'{place}.{key}')
    return place, encode(expected)[:500], encode(found)[:500]


class EvidenceReader:
    """Reads what belongs to a company, a batch at a time.

    ``counts`` grows on the way: records read, by what they are. ``_after`` is where the next batch begins.
    """

    def _company_condition(self, expression):
        """Return the SQL condition that ``expression`` is the company that is verified."""
        return company_condition(self.company, expression)

    def _is_verified(self, company):
        """Whether ``company`` is the one that is verified; what is of none is verified with the whole, or by itself."""
        return self.company is None or self.company == (company or 0)

    def _model_condition(self, model):
        return self._company_condition(COMPANIES[model])

    def _rows(self, query, size=RECORDS):
        """Yield batches of rows of a query with the placeholder ``%(after)s`` for the id it continues after."""
        while True:
            self.cr.execute(f'{query} LIMIT {size}', {'after': self._after or 0})
            rows = self.cr.fetchall()
            if not rows:
                return
            self._after = rows[-1][0]
            yield rows

    def _read_signatures(self, ids):
        """Return signatures by id as dicts of their columns; times and JSON as text."""
        columns = ', '.join(f'{name}::text' if name in ('signed_at', 'annex') else name for name in SIGNATURE_COLUMNS)
        self.cr.execute(f"SELECT {columns} FROM mrp_esignature WHERE id = ANY(%s)", [[key for key in ids if key]])
        return {row[0]: dict(zip(SIGNATURE_COLUMNS, row, strict=True)) for row in self.cr.fetchall()}

    def _check_link(self, finding, label, signature_id, signatures, record, meaning, digest=None):
        """Yield where a record names a signature that is not its own, of another meaning or over another content."""
        signature = signatures.get(signature_id)
        if not signature:
            if signature_id:
                yield finding(f"{label} signature {signature_id}", "none: it was deleted")
            return
        found = (signature['res_model'], signature['res_id'], signature['meaning'])
        if found != (*record, meaning):
            yield finding(f"a signature '{meaning}' of {record[0]},{record[1]} as its {label} signature",
                          f"signature {signature_id}: '{found[2]}' of {found[0]},{found[1]}")
        elif digest and signature['content_sha256'] != digest:
            yield finding(f"digest {digest} in its {label} signature {signature_id}", signature['content_sha256'])

    def _check_named_files(self, named):
        """Yield where a file is not what a signed document says of it.

        :param list named: tuples of model, id, name of the record and what its document says about a file
        """
        self.cr.execute("SELECT id, name, sha256, size, mimetype FROM mrp_mmr_file WHERE id = ANY(%s)", [
            [file['id'] for *_record, file in named if isinstance(file['id'], int)]])
        files = {row[0]: dict(zip(FILE_COLUMNS, row, strict=True)) for row in self.cr.fetchall()}
        seen = set()
        for model, res_id, title, file in named:
            found = files.get(file['id'])
            if found != file and (file['id'], encode(file)) not in seen:
                seen.add((file['id'], encode(file)))
                yield Finding('mrp.mmr.file', file['id'], str(file['name']),
                              f"{encode(file)} as signed in {model},{res_id} ({title})",
                              encode(found) if found else "none: it was deleted")
