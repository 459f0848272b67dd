"""Recomputes the chains of the ledger from the columns of its lines (AUD-040, 21 CFR 11.10(a)).

It reads a cursor alone and writes nothing. The text that is hashed is built here a second time, not by the code
that appended the line; tests hold the two against each other.
"""

import hashlib
import json
from itertools import count
from json.encoder import encode_basestring as quote
from typing import NamedTuple

from ..domain.canonical import GENESIS

SCHEMA = 'mrp_mmr/ledger/1'
#: Lines that are read at a time; a batch is all that is in memory.
BATCH = 2000

FINDING, REMARK = 'finding', 'remark'
#: What the iterations yield between batches: here a verification may be interrupted and taken up again.
CHECKPOINT = None

#: As ``domain.canonical.canonical_json``, which makes an encoder for each call.
encode = json.JSONEncoder(sort_keys=True, separators=(',', ':'), ensure_ascii=False).encode
_cursors = count()


class Finding(NamedTuple):
    """One bad record: what was expected of it and what was found; a remark is no proof of a change."""
    model: str
    res_id: int
    name: str
    expected: str
    found: str
    severity: str = FINDING

    def __str__(self):
        record = self.model if self.res_id is None else f'{self.model},{self.res_id}'
        return f"{self.severity.upper()} {record} ({self.name}): expected {self.expected}; found {self.found}"


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


def canonical(text):
    """Return the canonical JSON of a JSON column; None where it has none."""
    try:
        return encode(parse(text))
    except (ValueError, RecursionError):
        return None


def company_condition(company, expression):
    """Return the SQL condition that ``expression`` is ``company``; 0 is what belongs to no company, None is everything."""
    if company is None:
        return 'TRUE'
    if company:
        return f'{expression} = {int(company)}'
    return f'NOT EXISTS (SELECT FROM res_company WHERE res_company.id = {expression})'


def user_text(user_id, name, login):
    """Return the part of a hashed text that the lines of one person share; the values follow it."""
    return f'"schema":"{SCHEMA}","user":{{"id":{user_id},"login":{quote(login)},"name":{quote(name)}}},"values":'


def line_text(chain, company, index, kind, model, res_id, name, user, at, values, reason, previous):
    """Return the text whose digest a line bears, as :func:`encode` would write it.

    :param str chain: canonical JSON
    :param str user: see :func:`user_text`
    :param str at: time as PostgreSQL writes it
    :param str values: canonical JSON, or None
    """
    return (
        f'{{"at":"{at[:10]}T{at[11:]}Z","chain":{chain},"company":{company},"index":{index},"kind":{quote(kind)},'
        f'"previous_sha256":{quote(previous)},"reason":{"null" if reason is None else quote(reason)},'
        f'"record":{{"id":{"null" if res_id is None else res_id},"model":{quote(model)},"name":{quote(name)}}},'
        f'{user}{values or "null"}}}')


class Chain:
    """A chain while its lines go by."""

    def __init__(self, chain_id):
        self.id = chain_id
        self.known, self.text, self.name = False, '[null,null]', None
        self.lines = self.bad = self.index = 0
        self.digest, self.at = GENESIS, ''
        self.companies = set()
        # Whether its first lines go by somewhere else (see LedgerCheck.start).
        self.is_rest = False

    def describe(self, row):
        """Take what the chain says of itself; another transaction may have added lines since."""
        self.known = row is not None
        if self.known:
            self.model, self.res_id, self.company_id, self.name, self.head_index, self.head_sha256 = row
            self.text = f'[{quote(self.model or "")},{"null" if self.res_id is None else self.res_id}]'

    def follow(self, index, digest, at):
        """Take the line before the first one that goes by."""
        self.index, self.digest, self.at, self.is_rest = index, digest, at, True

    def add(self, rest):
        """Take the lines that went by elsewhere after those of this one."""
        self.lines += rest.lines
        self.bad += rest.bad
        self.companies |= rest.companies
        if rest.lines:
            self.index, self.digest, self.at = rest.index, rest.digest, rest.at

    def get_state(self):
        """Return what JSON can hold of it, for :meth:`from_state`."""
        return [self.id, self.lines, self.bad, self.index, self.digest, self.at, sorted(self.companies, key=str)]

    @classmethod
    def from_state(cls, state):
        chain = cls(state[0])
        chain.lines, chain.bad, chain.index, chain.digest, chain.at = state[1:6]
        chain.companies = set(state[6])
        return chain

    def finish(self):
        """Yield what the end of the chain shows."""
        def finding(expected, found):
            return Finding('mrp.audit.chain', self.id, self.name or '', expected, found)

        if not self.known:
            yield finding(f"a chain with the number {self.id}, which {self.lines} lines name", "none: it was deleted")
            return
        if self.companies and self.companies != {self.company_id}:
            yield finding(f"company {sorted(self.companies, key=str)} as in its lines", f"company {self.company_id}")
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


class LedgerCheck:
    """Checks every line of every chain, in order; iterating yields findings and, between batches, CHECKPOINT.

    :param int company: see :func:`company_condition`
    :param dict state: the :attr:`state` that another check had at a checkpoint, in this or an earlier transaction
    :param tuple start: chain, number and id after which this check begins, where others do the rest
    :param tuple stop: chain, number and id with which it ends; ``partial`` then has the chains that it has not seen whole
    :param list chains: ids of the chains to check, where it is not all of them
    """

    def __init__(self, cr, company=None, state=None, start=None, stop=None, chains=None):
        self.cr, self.company, self.start, self.stop, self.chains = cr, company, start, stop, chains
        self.lines = 0
        self.after, self.chain = start or (-2 ** 31, 0, 0), None
        self.partial = []
        if state:
            self.after = tuple(state['after'])
            self.chain = state['chain'] and Chain.from_state(state['chain'])
        elif start:
            self._read_line_before()

    @property
    def state(self):
        """Where another check goes on, as JSON can hold it."""
        return {'after': self.after, 'chain': self.chain and self.chain.get_state()}

    def __iter__(self):
        for rows in self._read():
            chains = self._read_chains({row[1] for row in rows} | ({self.chain.id} if self.chain else set()))
            if self.chain:
                self.chain.describe(chains.get(self.chain.id))
            signed = []
            for number, _rows in self._split(rows):
                if self.chain is None or self.chain.id != number:
                    yield from self._leave()
                    self.chain = Chain(number)
                    self.chain.describe(chains.get(number))
                yield from self._check_name(_rows[0])
                yield from self._check(_rows, signed)
            yield from self._check_signed(signed)
            self.lines += len(rows)
            self.after = (rows[-1][1], rows[-1][2], rows[-1][0])
            yield CHECKPOINT
        if self.chain:
            # The head of the moment of the last lines: in this transaction nothing follows them.
            self.chain.describe(self._read_chains([self.chain.id]).get(self.chain.id))
            if self.stop:
                self.chain.is_rest = True
            yield from self._leave()
            self.chain = None

    def _leave(self):
        """Yield what the end of the chain shows, unless lines of it go by elsewhere."""
        if self.chain is None:
            return
        if self.chain.is_rest:
            self.partial.append(self.chain)
        else:
            yield from self.chain.finish()

    @staticmethod
    def _split(rows):
        """Yield the rows of each chain."""
        first = 0
        for place, row in enumerate(rows):
            if row[1] != rows[first][1]:
                yield rows[first][1], rows[first:place]
                first = place
        yield rows[first][1], rows[first:]

    def _check(self, rows, signed):
        chain, users = self.chain, {}
        last_index, last_digest, last_at = chain.index, chain.digest, chain.at
        for row in rows:
            (_id, _chain, index, company, kind, model, res_id, name, user_id, user_name, login, at, values, reason,
             previous, digest, is_kept) = row
            try:
                user = users.get((user_id, user_name, login))
                if user is None:
                    user = users[user_id, user_name, login] = user_text(user_id, user_name, login)
                content = line_text(
                    chain.text, company, index, kind, model, res_id, name, user, at, values, reason, previous)
                intact = (
                    hashlib.sha256(content.encode()).hexdigest() == digest and index == last_index + 1
                    and previous == last_digest and is_kept and at >= last_at and values != 'null')
            except TypeError:
                intact = False      # a column is empty that never is
            if not intact:
                chain.index, chain.digest, chain.at = last_index, last_digest, last_at
                yield from self._check_line(row)
            if kind == 'sign' or (kind == 'baseline' and model == 'mrp.esignature'):
                signed.append(row)
            chain.companies.add(company)
            last_index, last_digest, last_at = index or 0, digest, at or ''
        chain.lines += len(rows)
        chain.index, chain.digest, chain.at = last_index, last_digest, last_at

    def _check_name(self, row):
        """A chain is called as its first line calls its owner."""
        chain, (index, model, res_id, name) = self.chain, (row[2], *row[5:8])
        if chain.known and index == 1 and (model, res_id) == (chain.model, chain.res_id) and name != chain.name:
            yield Finding('mrp.audit.chain', chain.id, chain.name, f"the name {name} as in its first line", f"{chain.name}")

    def _check_line(self, row):
        """Yield everything that is wrong with a line.

        Lines of a database that once had its values as jsonb are intact in their canonical form.
        """
        chain = self.chain
        (_id, _chain, index, company, kind, model, res_id, name, user_id, user_name, login, at, values, reason, previous,
         digest, is_kept) = row

        def finding(expected, found, severity=FINDING):
            return Finding('mrp.audit.entry', row[0], f"{chain.name or '?'}, line {index}: {name}", expected, found, severity)

        def digest_with(text):
            return sha256_text(line_text(
                chain.text, company, index, kind, model, res_id, name, user_text(user_id, user_name, login), at, text, reason,
                previous))

        problem = None
        try:
            written = canonical(values) if values else None
            if values == 'null':
                problem = "values that are no values"
            elif digest not in (digest_with(values), digest_with(written)):
                problem = "a content without digest" if values and written is None else \
                    f"content with digest {digest_with(written)}"
        except TypeError:
            problem = "a line with an empty column"
        if problem:
            chain.bad += 1
            yield finding(f"digest {digest}", problem)
        if index != chain.index + 1:
            yield finding(f"line {chain.index + 1} after line {chain.index}",
                          f"line {index}: {'it is there twice' if index and index <= chain.index else 'lines are missing'}")
        if previous != chain.digest:
            yield finding(f"to follow line {chain.index} with digest {chain.digest}", f"it follows {previous}")
        if not is_kept:
            yield finding("time and user of the row as in the line, and no later change",
                          "another time or user in create_date, create_uid, write_date or write_uid")
        if (at or '') < chain.at:
            yield finding(f"a time from {chain.at} on", f"{at}: the clock went back", REMARK)

    # === READING === #

    def _read(self):
        """Yield batches of lines in order; the cursor of PostgreSQL lives until the end of the transaction."""
        name = f'mrp_mmr_ledger_{next(_cursors)}'
        joined = '' if self.company is None else 'LEFT JOIN mrp_audit_chain c ON c.id = e.chain_id'
        self.cr.execute(
            f"""DECLARE {name} NO SCROLL CURSOR FOR
                SELECT e.id, e.chain_id, e.index, e.company_id, e.kind, e.res_model, e.res_id, e.record_name, e.user_id,
                       e.user_name, e.user_login, e.at::text, e."values"::text, e.reason, e.previous_sha256, e.sha256,
                       (e.create_date, e.create_uid) IS NOT DISTINCT FROM (e.at, e.user_id)
                       AND e.write_date IS NULL AND e.write_uid IS NULL
                  FROM mrp_audit_entry e {joined}
                 WHERE (e.chain_id, e.index, e.id) > (%s, %s, %s)
                   {'AND (e.chain_id, e.index, e.id) <= (%s, %s, %s)' if self.stop else ''}
                   {'AND e.chain_id = ANY(%s)' if self.chains else ''}
                   AND {company_condition(self.company, 'COALESCE(c.company_id, e.company_id)')}
                 ORDER BY e.chain_id, e.index, e.id""",
            (*self.after, *(self.stop or ()), *([self.chains] if self.chains else ())))
        while True:
            self.cr.execute(f"FETCH {BATCH} FROM {name}")  # pylint: disable=sql-injection
            rows = self.cr.fetchall()
            if not rows:
                break
            yield rows
        self.cr.execute(f"CLOSE {name}")  # pylint: disable=sql-injection

    def _read_line_before(self):
        self.cr.execute(
            """SELECT chain_id, index, sha256, at::text FROM mrp_audit_entry WHERE (chain_id, index, id) <= (%s, %s, %s)
                ORDER BY chain_id DESC, index DESC, id DESC LIMIT 1""", self.start)
        row = self.cr.fetchone()
        if row:
            self.chain = Chain(row[0])
            self.chain.follow(*row[1:])

    def _read_chains(self, ids):
        self.cr.execute(
            """SELECT id, res_model, res_id, company_id, name, head_index, head_sha256
                 FROM mrp_audit_chain WHERE id = ANY(%s)""", [list(ids)])
        return {row[0]: row[1:] for row in self.cr.fetchall()}

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
        self.cr.execute("SELECT id FROM mrp_esignature WHERE id = ANY(%s::bigint[])", [list(named)])
        for missing in sorted(named.keys() - {row[0] for row in self.cr.fetchall()}):
            yield Finding('mrp.esignature', missing, named[missing][7],
                          f"the signature that line {named[missing][0]} of the ledger names", "none: it was deleted")


# === SEVERAL PROCESSES === #

def slices(cr, number):
    """Return ``number`` pairs of start and stop that part the ledger in about equal pieces, whatever the chains are.

    What the heads say of their lengths only decides where it is cut.
    """
    cr.execute("SELECT id, head_index FROM mrp_audit_chain ORDER BY id")
    chains = [(chain, max(head or 0, 0)) for chain, head in cr.fetchall()]
    total, gone, cuts = sum(head for _chain, head in chains), 0, []
    for chain, head in chains:
        while len(cuts) < number - 1 and gone + head >= total * (len(cuts) + 1) // number:
            cuts.append((chain, total * (len(cuts) + 1) // number - gone, 2 ** 31 - 1))
        gone += head
    return list(zip([None, *cuts], [*cuts, None], strict=True))


def finish_partial(partial):
    """Yield what the ends of chains show that were seen in pieces; ``partial`` in the order of the slices."""
    chains = {}
    for piece in partial:
        if piece.id in chains:
            chains[piece.id].add(piece)
        else:
            chains[piece.id] = piece
    for chain in chains.values():
        yield from chain.finish()
