"""Checks the audit trail against its seals and chains, and records against what it said last (AUD-040)."""

import hashlib
import json
from decimal import Decimal, InvalidOperation

from ..domain.canonical import GENESIS
from ..domain.columns import LOGGED_COLUMNS
from ..domain.numbers import decimal_string
from ..domain.proofs import CHAIN_COLUMNS, CHAIN_LINKS, TRANSLATED, WHOLE_SECONDS
from ..domain.retention import DISPOSED_REASON, REMOVED_COLUMNS
from .evidence import ROWS, EvidenceReader, iso
from .guard_inventory import read_said
from .ledger import CHECKPOINT, Chain, Finding, LedgerCheck, digest_of, encode, parse, sha256_text
from .queries import CONDITIONS, DISPOSED, NAMES, OF_BOM, PARTLY_LOGGED, PARTS

#: Kinds of values beside those of PostgreSQL: a relation to many, a text in several languages, a time to the second.
LINKS, TRANSLATION, SECONDS = 'links', 'translation', 'seconds'
#: Columns in which a nought was typed by somebody: a reading of 0 is not the same as none.
TEXT_TYPES = ('character varying', 'text')


def is_same_number(one, other):
    """Whether two texts are the same number, whatever their digits."""
    try:
        return Decimal(one or '') == Decimal(other or '')
    except InvalidOperation:
        return False


class TrailChecks(EvidenceReader):
    """Ledger, baseline, seals and chains, and every record that the ledger follows."""

    def _check_ledger(self, **bounds):
        ledger = LedgerCheck(self.cr, self.company, self._after, **bounds)
        for step in ledger:
            if step is CHECKPOINT:
                self.counts['lines'] += ledger.lines
                ledger.lines = 0
                self._after = ledger.state
            yield step
        self.partial = ledger.partial

    def _check_baseline(self):
        """The lines that took over what is older than the ledger are those that its closing line counts; none is later."""
        self.cr.execute(
            """SELECT id, record_name, company_id, "values"::text FROM mrp_audit_entry
                WHERE kind = 'baseline' AND res_model = 'res.company' ORDER BY id""")
        closing, *others = self.cr.fetchall() or [None]
        for line, name, company, _values in others:
            if self._is_verified(company):
                yield Finding('mrp.audit.entry', line, name, "one baseline in the life of a database", "another one")
        self.cr.execute(
            """SELECT id, record_name, company_id, sha256 FROM mrp_audit_entry
                WHERE kind = 'baseline' AND res_model <> 'res.company' ORDER BY chain_id, index""")
        lines = self.cr.fetchall()
        digest = hashlib.sha256(''.join(line[3] or '' for line in lines).encode()).hexdigest()
        if not closing:
            if lines and self._is_verified(None):
                yield Finding('mrp.audit.entry', None, "baseline", f"a line that closes its {len(lines)} lines", "none")
            return
        try:
            values = parse(closing[3])
            said = (values['lines']['new'], values['lines_sha256']['new'])
        except (ValueError, TypeError, KeyError):
            said = None
        if said == (len(lines), digest):
            return
        if self._is_verified(closing[2]):
            yield Finding('mrp.audit.entry', *closing[:2], f"the lines of the baseline that it closed: {said}",
                          f"{len(lines)} lines with digest {digest}")
        for line, name, company, _digest in sorted(lines):
            if line > closing[0] and self._is_verified(company):
                yield Finding('mrp.audit.entry', line, name, "no record that is taken over after the baseline", "a later line")

    def _check_seals(self):
        """Each seal is the digest of its content, follows the one before, and names lines that are there."""
        last = {}
        for rows in self._rows(
                f"""SELECT id, company_id, index, at::text, heads::text, chain_count, line_count, previous_sha256, sha256,
                           create_date::text, guards_sha256, keys::text
                      FROM mrp_audit_seal WHERE id > %(after)s AND {self._company_condition('company_id')} ORDER BY id"""):
            for seal_id, company, index, at, heads, chains, lines, previous, digest, created, guards, keys in rows:
                def finding(expected, found, seal_id=seal_id, index=index):
                    return Finding('mrp.audit.seal', seal_id, f"seal {index}", expected, found)

                number, before = last.get(company, (0, GENESIS))
                try:
                    content, later = parse(heads), {}
                    if guards is not None or keys is not None:
                        later = {'schema': 'mrp_mmr/seal/2', 'guards_sha256': guards, 'keys': parse(keys)}
                    sealed = sum(head[2] for head in content)
                except (TypeError, ValueError, KeyError, IndexError) as error:
                    yield finding("a list of chains", f"what cannot be read: {error}")
                    continue
                made = sha256_text(encode({
                    'schema': 'mrp_mmr/seal/1', 'company': company, 'index': index, 'at': iso(at), 'heads': content,
                    'previous_sha256': previous, **later}))
                if made != digest:
                    yield finding(f"digest {made}", digest)
                if (index, previous) != (number + 1, before):
                    yield finding(f"number {number + 1} after the seal {before}", f"number {index} after {previous}")
                if (chains, lines, created) != (len(content), sealed, at):
                    yield finding(f"{len(content)} chains, sealed at {at}", f"{chains} chains, {lines} lines, at {created}")
                last[company] = (index, digest)
        self.cr.execute(f"""
            SELECT s.id, s.index, h.head::text FROM mrp_audit_seal s,
                   jsonb_array_elements(CASE WHEN jsonb_typeof(s.heads) = 'array' THEN s.heads END) AS h (head)
             WHERE {self._company_condition('s.company_id')} AND NOT EXISTS (
                SELECT FROM mrp_audit_chain c JOIN mrp_audit_entry e ON e.chain_id = c.id
                 WHERE c.company_id = s.company_id AND c.res_model = h.head ->> 0 AND c.res_id::text = h.head ->> 1
                   AND e.index::text = h.head ->> 2 AND e.sha256 = h.head ->> 3)""")
        for seal_id, index, head in self.cr.fetchall():
            yield Finding('mrp.audit.seal', seal_id, f"seal {index}", f"the line that it sealed: {head}", "no such line")
        self.cr.execute(f"""
            SELECT c.id, c.name, COALESCE(c.sealed_index, 0), COALESCE(m.last, 0) FROM mrp_audit_chain c
              LEFT JOIN (SELECT s.company_id, h.head ->> 0 AS model, h.head ->> 1 AS id,
                                max((substring(h.head ->> 2 from '^\\d{{1,9}}$'))::integer) AS last
                           FROM mrp_audit_seal s,
                                jsonb_array_elements(CASE WHEN jsonb_typeof(s.heads) = 'array' THEN s.heads END) AS h (head)
                          GROUP BY 1, 2, 3) m
                ON m.company_id = c.company_id AND m.model = c.res_model AND m.id = c.res_id::text
             WHERE COALESCE(c.sealed_index, 0) <> COALESCE(m.last, 0) AND {self._company_condition('c.company_id')}""")
        for chain_id, name, found, expected in self.cr.fetchall():
            yield Finding('mrp.audit.chain', chain_id, name, f"{expected} sealed lines, as the seals say", f"{found}")

    def _check_chains(self):
        """Every chain has lines and every line a chain; whoever has a chain exists, or the chain says that it was deleted;
        whoever should have one has it.
        """
        self.cr.execute(
            f"""SELECT c.id, c.res_model, c.res_id, c.company_id, c.name, c.head_index, c.head_sha256 FROM mrp_audit_chain c
                 WHERE NOT EXISTS (SELECT FROM mrp_audit_entry e WHERE e.chain_id = c.id)
                   AND {self._company_condition('c.company_id')}
                 ORDER BY c.id""")
        for chain_id, *row in self.cr.fetchall():
            chain = Chain(chain_id)
            chain.describe(row)
            yield from chain.finish()
        self.cr.execute(
            f"""SELECT e.id, e.record_name FROM mrp_audit_entry e
                 WHERE (e.chain_id IS NULL OR e.index IS NULL) AND {self._company_condition('e.company_id')} ORDER BY e.id""")
        for line, name in self.cr.fetchall():
            yield Finding('mrp.audit.entry', line, name, "a line with a number in a chain", "a line without")
        for model in ('mrp.mmr', 'mrp.production'):
            table = model.replace('.', '_')
            self.cr.execute(
                f"""SELECT c.id, c.res_id, c.name FROM mrp_audit_chain c
                     WHERE c.res_model = %s AND {self._company_condition('c.company_id')}
                       AND NOT EXISTS (SELECT FROM {table} t WHERE t.id = c.res_id)
                       AND NOT EXISTS (SELECT FROM mrp_audit_entry e WHERE e.chain_id = c.id AND e.kind = 'unlink'
                                          AND e.res_model = c.res_model AND e.res_id = c.res_id)
                     ORDER BY c.id""", [model])
            for chain, res_id, name in self.cr.fetchall():
                yield Finding(model, res_id, name, f"the record of chain {chain}", "none: it was deleted outside the ledger")
        self.cr.execute(
            f"""SELECT 'mrp.mmr', t.id, t.name FROM mrp_mmr t
                 WHERE {self._model_condition('mrp.mmr')}
                   AND NOT EXISTS (SELECT FROM mrp_audit_chain c WHERE c.res_model = 'mrp.mmr' AND c.res_id = t.id)
                 UNION ALL
                SELECT 'mrp.production', t.id, t.name FROM mrp_production t
                 WHERE t.mmr_snapshot_sha256 IS NOT NULL AND {self._model_condition('mrp.production')}
                   AND NOT EXISTS (SELECT FROM mrp_audit_chain c WHERE c.res_model = 'mrp.production' AND c.res_id = t.id)
                 ORDER BY 1, 2""")
        for model, res_id, name in self.cr.fetchall():
            yield Finding(model, res_id, name, "a chain in the ledger", "none")

    def _read_began(self):
        """Return the id of the first line about the guards: of what is younger all columns are compared."""
        if not hasattr(self, '_began'):
            said = read_said(self.cr)
            self._began = said[0][0] if said else None
        return self._began

    def _read_last_values(self, model, ids):
        """Return what the ledger says last of records, by id: values, id of the first line, whether it says all."""
        last = {}
        self.cr.execute(
            """SELECT id, res_id, kind, "values"::text FROM mrp_audit_entry
                WHERE res_model = %s AND res_id = ANY(%s) AND kind IN ('create', 'baseline', 'write', 'state')
                ORDER BY chain_id, index""", [model, ids])
        for line, res_id, kind, values in self.cr.fetchall():
            try:
                content = parse(values)
                row = last.setdefault(res_id, [{}, line, False])
                row[0].update(content)
                row[2] = row[2] or kind in ('create', 'baseline')
            except (ValueError, TypeError):
                continue  # the line itself was reported
        return last

    def _find_older(self, table, ids):
        """Return which rows of bills of materials came with a revision that is older than the lines about such rows."""
        if not ids:
            return set()
        self.cr.execute(
            f"""SELECT t.id FROM {table} t JOIN mrp_mmr_revision r ON r.bom_id = t.bom_id
                 WHERE t.id = ANY(%s) AND NOT EXISTS (
                    SELECT FROM mrp_audit_entry e WHERE e.res_model = 'mrp.mmr.revision' AND e.res_id = r.id
                       AND e.kind = 'create' AND e.id > %s)""", [list(ids), self._read_began() or 2 ** 31 - 1])
        return {row for row, in self.cr.fetchall()}

    def _check_logged(self, model):
        """What a record says now is what the ledger said last; every change has its line.

        Of a record that is older than the lines about guards, columns that only came into view with them are compared where a
        line names them, and numbers by their value: the update gave them the digits that the document has (NUM-020).
        """
        table, names, links = model.replace('.', '_'), CHAIN_COLUMNS[model], CHAIN_LINKS[model]
        self.cr.execute(
            """SELECT a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a
                WHERE a.attrelid = %s::regclass AND a.attname = ANY(%s)""", [table, list(names)])
        types = {**dict(self.cr.fetchall()), **dict.fromkeys(links, LINKS)}
        types.update(dict.fromkeys(TRANSLATED.get(model, ()), TRANSLATION))
        types.update(dict.fromkeys(WHOLE_SECONDS.get(model, ()), SECONDS))
        columns = ', '.join([*(f't."{name}"::text' for name in names), *(
            f"(SELECT string_agg(x.{other}::text, ',' ORDER BY x.{other}) FROM {relation} x WHERE x.{column} = t.id)"
            for relation, column, other in links.values())])
        removed = REMOVED_COLUMNS.get(table, ())
        disposed = DISPOSED % 't.bpr_id' if removed else 'FALSE'
        query = f"""SELECT t.id, {NAMES[model]}, {disposed}, {columns} FROM {table} t
                     WHERE t.id > %(after)s AND {CONDITIONS.get(model, 'TRUE')} AND {self._model_condition(model)}
                     ORDER BY t.id"""
        for rows in self._rows(query, ROWS):
            last = self._read_last_values(model, [row[0] for row in rows])
            older = self._find_older(table, {row[0] for row in rows} - set(last)) if model in OF_BOM else ()
            for record_id, title, is_disposed, *values in rows:
                logged, first, is_whole = last.get(record_id, (None, None, False))
                if logged is None:
                    if model not in PARTLY_LOGGED and record_id not in older:
                        yield Finding(model, record_id, title, "its creation in the ledger", "no line about it")
                    continue
                for name, value in zip((*names, *links), values, strict=True):
                    is_older = first < (self._read_began() or first + 1) and name not in LOGGED_COLUMNS.get(model, ())
                    if name not in logged and (is_older or not is_whole and model in PARTLY_LOGGED):
                        continue
                    said = logged.get(name)
                    said = self._logged_text(types[name], said.get('new') if isinstance(said, dict) else said)
                    live = self._live_text(types[name], value)
                    if is_disposed and name in removed:
                        if live not in (None, DISPOSED_REASON):
                            yield Finding(model, record_id, title, f"no {name}, as it was disposed of", f"{live}")
                    elif said != live and not (types[name] == TRANSLATION and said in live) and not (
                            is_older and is_same_number(said, live)):
                        yield Finding(model, record_id, title, f"{name} {said} as in the ledger", f"{live}")
            self.counts['records'] += len(rows)
            yield CHECKPOINT

    def _check_vanished(self, model):
        """What the ledger saw begin is there, or the ledger saw it deleted; what a draft had goes with the draft."""
        if model in PARTLY_LOGGED:
            return
        part = place = 'TRUE'
        if model in PARTS:
            column, parent = PARTS[model]
            said = f"""e."values" -> '{column}' -> 'new' ->> 'id'"""
            part, place = f"EXISTS (SELECT FROM {parent} p WHERE p.id::text = {said})", f"t.{column}::text = {said}"
        self.cr.execute(
            f"""SELECT e.res_id, min(e.record_name) FROM mrp_audit_entry e
                 WHERE e.res_model = %s AND e.kind IN ('create', 'baseline') AND {self._company_condition('e.company_id')}
                   AND NOT EXISTS (SELECT FROM {model.replace('.', '_')} t WHERE t.id = e.res_id AND {place})
                   AND NOT EXISTS (SELECT FROM mrp_audit_entry u
                                    WHERE u.res_model = e.res_model AND u.res_id = e.res_id AND u.kind = 'unlink')
                   AND {part}
                 GROUP BY e.res_id ORDER BY e.res_id""", [model])
        for res_id, name in self.cr.fetchall():
            yield Finding(model, res_id, name, "the record that the ledger saw begin",
                          "none: it was deleted outside the ledger")

    @staticmethod
    def _logged_text(kind, value):
        if kind == LINKS:
            return ','.join(str(number) for number in sorted(row['id'] for row in value or ())) or None
        if isinstance(value, dict):
            value = value.get('id', value.get('sha256'))
        if value in (None, False, 0, '', []) or value == '0' and kind not in TEXT_TYPES:
            return None
        return 'true' if value is True else str(value)

    @staticmethod
    def _live_text(kind, value):
        if kind == LINKS:
            return value
        if kind == TRANSLATION:
            # In one of its languages it is what somebody wrote.
            return [text or None for text in (json.loads(value).values() if value else [None])]
        if value in (None, ''):
            return None
        if kind in TEXT_TYPES:
            return value
        if kind == SECONDS:
            return iso(value[:19])
        if kind.startswith('timestamp'):
            return iso(value)
        if kind == 'jsonb':
            return digest_of(value)
        if kind in ('numeric', 'double precision'):
            value = decimal_string(value)
        return None if value in ('0', 'false') else value
