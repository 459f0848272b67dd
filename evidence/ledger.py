"""Recomputes the chains of the ledger from the columns of its lines (AUD-040, 21 CFR 11.10(a)).

It reads a cursor alone and writes nothing. The text that is hashed is built here a second time, not by the code
that appended the line; tests hold the two against each other.
"""

import hashlib
import json
import secrets
from json.encoder import encode_basestring
from typing import NamedTuple

GENESIS = '0' * 64
SCHEMA = 'mrp_mmr/ledger/1'
#: Lines that are read at a time; a batch is all that is in memory.
BATCH = 10_000
#: Values, in characters of JSON, that are parsed at a time.
MAX_VALUES = 4_000_000

FINDING, REMARK = 'finding', 'remark'

#: As ``tools.canonical_json``, which makes an encoder for each call.
encode = json.JSONEncoder(sort_keys=True, separators=(',', ':'), ensure_ascii=False).encode


class Finding(NamedTuple):
    """One bad record: what was expected of it and what was found; a remark is no proof of a change."""
    model: str
    res_id: int
    name: str
    expected: str
    found: str
    severity: str = FINDING

    def __str__(self):
        return (f"{self.severity.upper()} {self.model},{self.res_id} ({self.name}): "
                f"expected {self.expected}; found {self.found}")


def sha256_text(text):
    """Return the hexadecimal SHA-256 of a text in UTF-8; of something else for what is no UTF-8."""
    return hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()


def parse(text):
    """Return the content of a JSON column.

    :raise ValueError: where it holds what no signed content holds: fractions, or a nesting without end
    """
    try:
        return json.loads(text, parse_float=_refuse, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse(literal):
    raise ValueError(f"it holds the fraction {literal[:40]}")


def digest_of(text):
    """Return the SHA-256 of the canonical JSON of a column, or what is wrong with it."""
    try:
        return sha256_text(encode(parse(text)))
    except (ValueError, RecursionError) as error:
        return f"no signed content ({error})"


def canonical_values(texts):
    """Return the canonical JSON of each of ``texts``; None where it has none.

    All are parsed by one call and written by one: between them stands a text that nobody can foresee.
    """
    result, start, size = [], 0, 0
    for stop, text in enumerate(texts, 1):
        size += len(text)
        if size > MAX_VALUES or stop == len(texts):
            result += _canonical_values(texts[start:stop])
            start, size = stop, 0
    return result


def _canonical_values(texts):
    token = f'"{secrets.token_hex(16)}"'
    try:
        # Odd places hold the values, even ones the token.
        parsed = json.loads(f'[{f",{token},".join(texts)}]')
        result = encode(parsed)[1:-1].split(f',{token},')
    except (ValueError, RecursionError):
        result = []
    if len(result) == len(texts):
        return result
    result = []
    for text in texts:
        try:
            result.append(encode(parse(text)))
        except (ValueError, RecursionError):
            result.append(None)
    return result


def line_text(chain, company, index, kind, model, res_id, name, user_id, user_name, login, at, values, reason, previous):
    """Return the text whose digest a line bears; ``chain`` and ``values`` are canonical JSON, ``at`` as PostgreSQL has it."""
    quote = encode_basestring
    return (
        f'{{"at":"{at[:10]}T{at[11:]}Z","chain":{chain},"company":{company},"index":{index},"kind":{quote(kind)},'
        f'"previous_sha256":{quote(previous)},"reason":{"null" if reason is None else quote(reason)},'
        f'"record":{{"id":{"null" if res_id is None else res_id},"model":{quote(model)},"name":{quote(name)}}},'
        f'"schema":"{SCHEMA}","user":{{"id":{user_id},"login":{quote(login)},"name":{quote(user_name)}}},'
        f'"values":{values}}}')


class Chain:
    """A chain while its lines go by."""

    def __init__(self, row):
        self.id, self.model, self.res_id, self.company_id, self.name, self.head_index, self.head_sha256 = row
        self.known = self.model is not None
        self.text = f'[{encode_basestring(self.model or "")},{self.res_id}]'
        self.lines = self.bad = self.index = 0
        self.digest, self.at = GENESIS, ''
        self.companies = set()

    def finish(self):
        """Yield what the end of the chain shows."""
        def finding(expected, found):
            return Finding('mrp.audit.chain', self.id, self.name or '', expected, found)

        if not self.known:
            yield finding(f"a chain with the number {self.id}, which {self.lines} lines name", "none: it was deleted")
            return
        if self.companies and self.companies != {self.company_id}:
            yield finding(f"company {sorted(self.companies)} as in its lines", f"company {self.company_id}")
        if self.lines and self.bad == self.lines:
            yield finding("the record that its lines were written for",
                          f"{self.model},{self.res_id}: every line of the chain has another digest")
        if not self.lines:
            yield finding("at least one line", f"none; its head says {self.head_index}")
        elif self.index != self.head_index:
            yield finding(f"line {self.head_index} as the last one, as the head of the chain says",
                          f"line {self.index}: the tail was cut off, or the head was changed")
        elif self.digest != self.head_sha256:
            yield finding(f"digest {self.head_sha256} of the last line, as the head of the chain says", self.digest)


class Baseline:
    """The lines that took over what is older than the ledger, and the one that closed it: nothing is taken over later."""

    def __init__(self, cr):
        self.cr = cr
        self.lines = 0
        self.digest = hashlib.sha256()
        self.closing = []

    def add(self, row):
        if row[5] == 'res.company':
            self.closing.append(row)
        else:
            self.lines += 1
            self.digest.update(row[15].encode())

    def finish(self):
        closing = sorted(self.closing)
        for row in closing[1:]:
            yield Finding('mrp.audit.entry', row[0], row[7], "one baseline in the life of a database", "another one")
        if not closing:
            if self.lines:
                yield Finding('mrp.audit.entry', 0, "baseline", f"a line that closes its {self.lines} lines", "none")
            return
        try:
            values = parse(closing[0][12])
            said = (values['lines']['new'], values['lines_sha256']['new'])
        except (ValueError, TypeError, KeyError):
            said = None
        if said != (self.lines, self.digest.hexdigest()):
            yield Finding('mrp.audit.entry', closing[0][0], closing[0][7], f"the lines of the baseline that it closed: {said}",
                          f"{self.lines} lines with digest {self.digest.hexdigest()}")
            self.cr.execute("""SELECT id, record_name FROM mrp_audit_entry
                                WHERE kind = 'baseline' AND res_model <> 'res.company' AND id > %s ORDER BY id""",
                            [closing[0][0]])
            for line, name in self.cr.fetchall():
                yield Finding('mrp.audit.entry', line, name, "no record that is taken over after the baseline", "a later line")


class LedgerCheck:
    """Checks every line of every chain, in batches."""

    def __init__(self, cr, chains=None):
        self.cr = cr
        self.chains = chains
        self.lines = 0
        self.baseline = Baseline(cr)

    def __iter__(self):
        after, chain = (0, -2 ** 31, 0), None
        while True:
            rows = self._read(after)
            if not rows:
                break
            known = self._read_chains({row[1] for row in rows})
            values = canonical_values([row[12] or 'null' for row in rows])
            signed = []
            for row, value in zip(rows, values, strict=True):
                if chain is None or chain.id != row[1]:
                    if chain is not None:
                        yield from chain.finish()
                    chain = Chain(known[row[1]])
                (line_id, _chain, index, company, kind, model, res_id, name, user_id, user_name, login, at, text, reason,
                 previous, digest, is_kept) = row
                # What follows runs for every line; only a line with something wrong calls Python functions.
                content = line_text(chain.text, company, index, kind, model, res_id, name, user_id, user_name, login, at,
                                    value, reason, previous)
                computed = hashlib.sha256(content.encode('utf-8', 'surrogatepass')).hexdigest()
                if computed != digest or text == 'null' or value is None:
                    chain.bad += 1
                    yield self._finding(chain, row, f"digest {digest}", "a content without digest" if value is None else
                                        "values that are no values" if text == 'null' else f"content with digest {computed}")
                if index != chain.index + 1:
                    yield self._finding(
                        chain, row, f"line {chain.index + 1} after line {chain.index}",
                        f"line {index}: {'lines are missing' if index > chain.index else 'it is there twice'}")
                if previous != chain.digest:
                    yield self._finding(
                        chain, row, f"to follow line {chain.index} with digest {chain.digest}", f"it follows {previous}")
                if not is_kept:
                    yield self._finding(chain, row, "time and user of the row as in the line, and no later change",
                                        "another time or user in create_date, create_uid, write_date or write_uid")
                if at < chain.at:
                    yield self._finding(chain, row, f"a time from {chain.at} on", f"{at}: the clock went back", REMARK)
                if index == 1 and [model, res_id] == [chain.model, chain.res_id] and name != chain.name:
                    yield Finding('mrp.audit.chain', chain.id, chain.name, f"the name {name} as in its first line", chain.name)
                if kind == 'sign':
                    signed.append(row)
                elif kind == 'baseline':
                    self.baseline.add(row)
                    if model == 'mrp.esignature':
                        signed.append(row)
                chain.companies.add(company)
                chain.lines += 1
                chain.index, chain.digest, chain.at = index, digest, at
            yield from self._check_signed(signed)
            self.lines += len(rows)
            after = (rows[-1][1], rows[-1][2], rows[-1][0])
        if chain is not None:
            yield from chain.finish()
        yield from self._check_empty()
        if not self.chains:
            yield from self.baseline.finish()

    def _finding(self, chain, row, expected, found, severity=FINDING):
        return Finding('mrp.audit.entry', row[0], f"{chain.name or '?'}, line {row[2]}: {row[7]}", expected, found, severity)

    def _read(self, after):
        self.cr.execute(
            f"""SELECT id, chain_id, index, company_id, kind, res_model, res_id, record_name, user_id, user_name, user_login,
                       at::text, "values"::text, reason, previous_sha256, sha256,
                       (create_date, create_uid) IS NOT DISTINCT FROM (at, user_id)
                       AND write_date IS NULL AND write_uid IS NULL
                  FROM mrp_audit_entry
                 WHERE (chain_id, index, id) > (%s, %s, %s) {'AND chain_id = ANY(%s)' if self.chains else ''}
                 ORDER BY chain_id, index, id LIMIT {BATCH}""", (*after, *([self.chains] if self.chains else [])))
        return self.cr.fetchall()

    def _read_chains(self, ids):
        self.cr.execute(
            """SELECT id, res_model, res_id, company_id, name, head_index, head_sha256
                 FROM mrp_audit_chain WHERE id = ANY(%s)""", [list(ids)])
        rows = {row[0]: row for row in self.cr.fetchall()}
        return {chain: rows.get(chain, (chain, None, 0, None, None, 0, None)) for chain in ids}

    def _check_empty(self):
        """Chains without any line do not go by."""
        self.cr.execute(
            f"""SELECT id, res_model, res_id, company_id, name, head_index, head_sha256 FROM mrp_audit_chain c
                 WHERE NOT EXISTS (SELECT FROM mrp_audit_entry e WHERE e.chain_id = c.id)
                       {'AND id = ANY(%s)' if self.chains else ''} ORDER BY id""", [self.chains] if self.chains else [])
        for row in self.cr.fetchall():
            yield from Chain(row).finish()

    def _check_signed(self, rows):
        """Every signature that the ledger names is there."""
        named = {}
        for row in rows:
            try:
                named[int(parse(row[12])['signature_id']['new'])] = row
            except (ValueError, TypeError, KeyError):
                yield Finding('mrp.audit.entry', row[0], row[7], "the number of a signature", f"{str(row[12])[:200]}")
        if not named:
            return
        self.cr.execute("SELECT id FROM mrp_esignature WHERE id = ANY(%s)", [list(named)])
        for missing in sorted(named.keys() - {row[0] for row in self.cr.fetchall()}):
            yield Finding('mrp.esignature', missing, named[missing][7],
                          f"the signature that line {named[missing][0]} of the ledger names", "none: it was deleted")
