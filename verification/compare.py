"""Compares a bundle with a database: what was handed out is still there, and still the same (REC-060, 21 CFR 11.10(b))."""

from itertools import islice

from ..domain.revision_states import APPROVED_STATES
from . import verify
from .ledger import REMARK, Finding, parse, sha256_text
from .records import Verification

#: Lines of the ledger that are compared at a time.
BATCH = 2000
#: Columns of a record that stay what they are in a bundle; links are compared by id.
COMPARED = {
    'mrp.mmr': (),
    'mrp.mmr.revision': ('mmr_id', 'revision', 'document_sha256', 'prepared_signature_id', 'approved_signature_id'),
    'mrp.production': ('mmr_revision_id', 'mmr_snapshot_sha256'),
    # What is done at a batch is in its lines; these rows are there for good.
    **dict.fromkeys(verify.BATCH_PARTS, ()),
    'mrp.capa': (), 'mrp.capa.action': (), 'mrp.quality.review': (),
}


class Comparison:
    """Compares a bundle that was checked with what a cursor reads; iterating yields each :class:`Finding`.

    Lines, signatures and decisions that the database has beyond the bundle are newer and not a finding. That the
    database is what its digests say is not looked at here (see :class:`Verification`).

    :param checker: a :class:`verify.Checker` that has run without failure
    """

    def __init__(self, cr, checker):
        self.cr, self.checker, self.manifest = cr, checker, checker.manifest
        self.counts = dict.fromkeys(('lines', 'signatures', 'files', 'records'), 0)

    def __iter__(self):
        for chain in self.manifest['chains']:
            yield from self._compare_chain(chain)
        for path in sorted(self.checker.source.sizes):
            if path.startswith('excerpts/'):
                yield from self._compare_excerpt(path)
        yield from self._find_export()
        yield from self._compare_signatures()
        yield from self._compare_keys()
        yield from self._compare_files()
        for record in self.manifest['records']:
            yield from self._compare_record(record)

    def _compare_chain(self, row):
        model, res_id = row['record']
        self.cr.execute(
            "SELECT id, name FROM mrp_audit_chain WHERE res_model = %s AND res_id = %s AND company_id = %s",
            [model, res_id, row['company']])
        chain, name = self.cr.fetchone() or (None, None)
        if not chain:
            yield Finding(model, res_id, row['path'], f"its chain of {row['head_index']} lines in the ledger", "none")
            return
        lines = self.checker.source.read_lines(row['path'])
        first = 1
        while True:
            digests = [verify.parse(line[:-1])['sha256'] for line in islice(lines, BATCH)]
            if not digests:
                break
            self.cr.execute("SELECT index, id, sha256 FROM mrp_audit_entry WHERE chain_id = %s AND index BETWEEN %s AND %s",
                            [chain, first, first + len(digests) - 1])
            found = {index: line for index, *line in self.cr.fetchall()}
            for index, digest in enumerate(digests, first):
                line, stored = found.get(index, (None, None))
                if stored != digest:
                    yield Finding('mrp.audit.entry', line, f"{name}, line {index}", f"digest {digest} as in the bundle",
                                  f"digest {stored}" if line else "none: the line is not there")
            first += len(digests)
            self.counts['lines'] += len(digests)

    def _compare_excerpt(self, path):
        """Lines of a chain that is not in the bundle as a whole."""
        lines = self.checker.source.read_lines(path)
        while rows := [verify.parse(line[:-1]) for line in islice(lines, BATCH)]:
            model, res_id = rows[0]['line']['chain']
            self.cr.execute(
                """SELECT e.index, e.sha256 FROM mrp_audit_entry e JOIN mrp_audit_chain c ON c.id = e.chain_id
                    WHERE c.res_model = %s AND c.res_id = %s AND c.company_id = %s AND e.index = ANY(%s)""",
                [model, res_id, rows[0]['line']['company'], [row['line']['index'] for row in rows]])
            stored = dict(self.cr.fetchall())
            for row in rows:
                index = row['line']['index']
                if stored.get(index) != row['sha256']:
                    yield Finding(model, res_id, f"{path}, line {index}", f"digest {row['sha256']} as in the bundle",
                                  f"digest {stored[index]}" if index in stored else "none: the line is not there")
            self.counts['lines'] += len(rows)

    def _find_export(self):
        """The ledger has the digest of a bundle that the system made; a bundle that somebody else made has none."""
        digest = self.manifest['sha256']
        self.cr.execute(
            """SELECT "values"::text FROM mrp_audit_entry WHERE kind = 'export' AND (res_model, res_id) IN %s""",
            [tuple((row['model'], row['id']) for row in self.manifest['records'])])
        for text, in self.cr.fetchall():
            try:
                if parse(text)['manifest_sha256']['new'] == digest:
                    return
            except (ValueError, TypeError, KeyError):
                continue    # another export, or a line that verification reports
        record = self.manifest['records'][0]
        yield Finding(record['model'], record['id'], self.manifest['name'],
                      f"the export of this bundle in the ledger, manifest {digest}", "none")

    def _compare_signatures(self):
        expected = self.checker.signatures
        found = Verification(self.cr)._read_signatures(expected)
        for number, row in sorted(expected.items()):
            name = "{} by {}".format(row['signed']['meaning'], row['signed']['signer']['name'])
            wanted = f"digest {row['signature_sha256']} as in the bundle"
            if number not in found:
                yield Finding('mrp.esignature', number, name, wanted, "none: it was deleted")
            elif sha256_text(Verification._signature_text(found[number])) != row['signature_sha256']:
                yield Finding('mrp.esignature', number, name, wanted, f"digest {found[number]['signature_sha256']}")
        self.counts['signatures'] += len(expected)

    def _compare_keys(self):
        expected = self.checker.keys
        self.cr.execute("SELECT fingerprint, id, user_id, public_key FROM mrp_signer_key WHERE fingerprint = ANY(%s)",
                        [list(expected)])
        found = {row[0]: row[1:] for row in self.cr.fetchall()}
        for fingerprint, row in sorted(expected.items()):
            wanted = (row['id'], row['user'], row['public_key'])
            if found.get(fingerprint) != wanted:
                yield Finding('mrp.signer.key', row['id'], f"{row['login']}, key {fingerprint[:16]}",
                              f"{wanted} as in the bundle", f"{found.get(fingerprint, 'none')}")

    def _compare_files(self):
        digests = {digest: path for path, digest in self.checker.digests.items() if path.startswith('files/')}
        self.cr.execute("SELECT id, sha256 FROM mrp_mmr_file WHERE sha256 = ANY(%s)", [list(digests)])
        for digest in sorted(digests.keys() - {digest for _id, digest in self.cr.fetchall()}):
            yield Finding('mrp.mmr.file', None, digests[digest], f"a file with digest {digest}", "none")
        self.counts['files'] += len(digests)

    def _compare_record(self, record):
        model, res_id = record['model'], record['id']
        self.counts['records'] += 1
        if model not in COMPARED:
            yield Finding(model, res_id, record['name'], "a record of a kind that bundles are made of", "another kind")
            return
        names = COMPARED[model]
        columns = ', '.join(f'"{name}"' for name in ('id', *names))
        self.cr.execute(f"SELECT {columns} FROM {model.replace('.', '_')} WHERE id = %s", [res_id])
        row = self.cr.fetchone()
        if not row:
            self.cr.execute(
                "SELECT max(at)::text FROM mrp_audit_entry WHERE kind = 'unlink' AND res_model = %s AND res_id = %s",
                [model, res_id])
            at, = self.cr.fetchone()
            yield Finding(model, res_id, record['name'], "the record", f"none: it was deleted at {at} UTC, as the ledger says",
                          REMARK) if at else Finding(model, res_id, record['name'], "the record", "none")
            return
        values = self.checker.json(record['path'])['values'] if record['path'] and names else {}
        if 'state' in values and values['state'] not in APPROVED_STATES:
            return
        for name, found in zip(names, row[1:], strict=True):
            expected = values[name]['id'] if isinstance(values[name], dict) else values[name]
            if found != expected:
                yield Finding(model, res_id, record['name'], f"{name} {expected} as in the bundle", f"{found}")
