"""Recomputes signatures, documents, snapshots and files from their columns (SIG-030, REC-060, 21 CFR 11.70)."""

import base64
import binascii
import contextlib
import hashlib
import os.path
from collections import Counter
from decimal import Decimal

from ..domain.numbers import decimal_string
from ..domain.retention import GONE, REMOVED
from ..models.evidence.file import DOCUMENTS, IMAGES
from .ledger import (
    CHECKPOINT,
    FINDING,
    GENESIS,
    REMARK,
    Chain,
    Finding,
    LedgerCheck,
    canonical,
    digest_of,
    encode,
    of_company,
    parse,
    sha256_text,
)
from .stock import find_differences, plain

#: Records that are read at a time; documents are some hundred kilobytes each.
RECORDS = 200
#: Records without documents that are read at a time.
ROWS = 1000
#: Columns of records that must say what the ledger said last about them; links are compared by id.
LOGGED = {
    'mrp.mmr': ('name', 'active', 'product_id', 'formulation_code', 'batch_size', 'uom_id', 'profile_id', 'company_id'),
    'mrp.mmr.revision': (
        'mmr_id', 'revision', 'bom_id', 'state', 'submitted_once', 'document_sha256', 'prepared_signature_id',
        'approved_signature_id', 'retired_signature_id', 'effective_at', 'ended_at', 'training_required'),
    'mrp.mmr.review': ('revision_id', 'name', 'group_id', 'prepared_signature_id', 'signature_id'),
    'mrp.mmr.label': (
        'code', 'version', 'name', 'product_id', 'company_id', 'state', 'file_id', 'location', 'panel', 'claims',
        'approved_signature_id'),
    'mrp.qualification': (
        'company_id', 'user_id', 'kind', 'group_id', 'revision_id', 'sop_id', 'valid_from', 'valid_to', 'evidence', 'file_id',
        'granted_by_id', 'granted_at', 'revoked_at', 'revoked_by_id', 'revoke_reason'),
    'mrp.production': ('mmr_snapshot_sha256', 'mmr_revision_id', 'mmr_decision', 'mmr_decision_signature_id'),
    'mrp.sop': ('code', 'version', 'name', 'kind', 'state', 'company_id', 'location', 'file_id'),
    'mrp.mmr.profile': ('code', 'citation', 'review_interval'),
    'mrp.mmr.requirement': ('code', 'scope', 'profile_id', 'company_id', 'citation', 'enforcement', 'check', 'enabled'),
    'mrp.mmr.reviewer': ('name', 'sequence', 'group_id', 'profile_id', 'company_id', 'active', 'enabled'),
    'mrp.bpr': (
        'state', 'plan_sha256', 'issue_signature_id', 'started_at', 'completed_at', 'release_state', 'review_signature_id',
        'production_signature_id', 'certification_signature_id', 'release_signature_id', 'packed_release_signature_id',
        'packed_state', 'released_at', 'document_sha256', 'quantity_released', 'cancelled_at', 'disposal_id'),
    'mrp.bpr.distribution': (
        'bpr_id', 'company_id', 'product_id', 'lot_id', 'lot_name', 'kind', 'quantity', 'unit', 'customer_name',
        'transfer_name', 'origin', 'date', 'line_ref'),
    'mrp.legal.hold': (
        'name', 'company_id', 'bpr_id', 'mmr_id', 'reason', 'recorded_by_id', 'recorded_at', 'signature_id',
        'lift_signature_id'),
    'mrp.record.disposal': (
        'name', 'company_id', 'reason', 'selection', 'recorded_by_id', 'recorded_at', 'signature_id'),
    'mrp.bpr.result': (
        'bpr_id', 'company_id', 'position', 'name', 'criterion_label', 'kind', 'value', 'unit', 'outcome', 'text', 'reference',
        'file_id', 'user_id', 'user_name', 'at', 'supersedes_id', 'reason', 'signature_id', 'retest_signature_id',
        'retest_of_id'),
    'mrp.bpr.sample': (
        'bpr_id', 'company_id', 'kind', 'pack', 'name', 'lot_name', 'quantity', 'unit', 'test_quantity', 'container',
        'location', 'keep_until', 'reason', 'user_id', 'user_name', 'at', 'supersedes_id'),
    'mrp.lot.destruction': (
        'name', 'company_id', 'lot_id', 'product_id', 'location_id', 'quantity', 'uom_id', 'method', 'reason',
        'recorded_by_id', 'recorded_at', 'signature_id', 'move_id'),
    'mrp.bpr.step': (
        'state', 'started_at', 'started_by_id', 'precaution_acknowledged', 'closed_at', 'retest_count',
        'performed_signature_id', 'verified_signature_id', 'added_signature_id', 'addition_verified_signature_id',
        'hold_signature_id'),
    'mrp.bpr.entry': (
        'step_id', 'bpr_id', 'company_id', 'kind', 'position', 'value', 'unit', 'text', 'data', 'outcome', 'lot_id', 'lot_name',
        'equipment_id', 'equipment_name', 'file_id', 'device', 'user_id', 'user_name', 'at', 'supersedes_id', 'about_id',
        'reason', 'is_late', 'to_sign'),
    'mrp.deviation': (
        'name', 'title', 'company_id', 'profile_id', 'source', 'severity', 'state', 'bpr_id', 'product_id', 'lot_id',
        'equipment_id', 'equipment_log_id', 'step_id', 'entry_id', 'result_id', 'stage_name', 'cause_key', 'description',
        'file_id', 'corrective_action', 'is_blocking', 'reported_by_id', 'reported_at', 'investigator_id', 'due_date',
        'cause_id', 'cause', 'quality_effect', 'label_effect', 'correction', 'material_fate', 'scientific_reason',
        'procedure_id', 'identity_result', 'test_finding', 'disposition', 'decision_signature_id', 'closing_signature_id',
        'capa_id', 'no_capa_reason'),
    'mrp.deviation.contributor': ('deviation_id', 'user_id', 'contribution', 'signature_id'),
    'mrp.deviation.batch': (
        'deviation_id', 'company_id', 'bpr_id', 'reason', 'assessment', 'text', 'assessed_by_id', 'assessed_at'),
    'mrp.bpr.rework': (
        'deviation_id', 'bpr_id', 'company_id', 'kind', 'lot_id', 'lot_name', 'quantity', 'unit', 'text', 'user_id',
        'user_name', 'at'),
    'mrp.capa': (
        'name', 'title', 'company_id', 'state', 'owner_id', 'cause_id', 'cause', 'effectiveness_criterion',
        'effectiveness_due', 'effectiveness_result', 'effectiveness_text', 'checked_by_id', 'checked_at',
        'closing_signature_id'),
    'mrp.capa.action': (
        'capa_id', 'name', 'kind', 'owner_id', 'due_date', 'result', 'done_by_id', 'done_at'),
    'mrp.quality.review': (
        'name', 'company_id', 'date_from', 'date_to', 'grouping_reason', 'state', 'conclusion', 'actions', 'other_information',
        'document_sha256', 'prepared_signature_id', 'approved_signature_id'),
    'mrp.tamper.drill': (
        'name', 'at', 'user_id', 'company_id', 'state', 'act_count', 'refused_count', 'fault_count', 'untried_count',
        'results_sha256', 'signature_id', 'file_id'),
}
#: What a record is called in findings.
NAMES = {
    'mrp.mmr': 't.name', 'mrp.mmr.label': "t.code || ' v. ' || t.version", 'mrp.production': 't.name',
    'mrp.mmr.revision': "(SELECT m.name FROM mrp_mmr m WHERE m.id = t.mmr_id) || ' revision ' || t.revision",
    'mrp.mmr.review': 't.name', 'mrp.sop': "t.code || ' v. ' || t.version", 'mrp.mmr.profile': 't.code',
    'mrp.mmr.requirement': 't.code', 'mrp.mmr.reviewer': 't.name', 'mrp.bpr': 't.name', 'mrp.deviation': 't.name',
    'mrp.capa': 't.name', 'mrp.capa.action': 't.name', 'mrp.bpr.rework': 't.lot_name',
    'mrp.deviation.contributor': "(SELECT d.name FROM mrp_deviation d WHERE d.id = t.deviation_id) || ', contributor'",
    'mrp.deviation.batch': "(SELECT d.name FROM mrp_deviation d WHERE d.id = t.deviation_id) || ', related batch'",
    'mrp.bpr.step': "t.stage || '.' || t.number || ' ' || t.name",
    'mrp.bpr.entry': "(SELECT b.name FROM mrp_bpr b WHERE b.id = t.bpr_id) || ', ' || t.kind",
    'mrp.qualification': "(SELECT u.login FROM res_users u WHERE u.id = t.user_id) || ', ' || t.kind",
    'mrp.tamper.drill': 't.name', 'mrp.quality.review': 't.name', 'mrp.lot.destruction': 't.name',
    'mrp.legal.hold': 't.name', 'mrp.record.disposal': 't.name',
    'mrp.bpr.distribution': "(SELECT b.name FROM mrp_bpr b WHERE b.id = t.bpr_id) || ', ' || t.lot_name",
    'mrp.bpr.sample': "(SELECT b.name FROM mrp_bpr b WHERE b.id = t.bpr_id) || ', ' || t.kind",
    'mrp.bpr.result': "(SELECT b.name FROM mrp_bpr b WHERE b.id = t.bpr_id) || ', ' || t.name",
}
#: Which company a record belongs to.
COMPANIES = {
    **dict.fromkeys(LOGGED, 't.company_id'), 'mrp.mmr.profile': 'NULL::integer',
    'mrp.mmr.revision': '(SELECT m.company_id FROM mrp_mmr m WHERE m.id = t.mmr_id)',
    'mrp.mmr.review': """(SELECT m.company_id FROM mrp_mmr_revision r JOIN mrp_mmr m ON m.id = r.mmr_id
                           WHERE r.id = t.revision_id)""",
}
#: The companies that use a file: they share one copy.
FILE_COMPANIES = """
    SELECT u.company_id FROM mrp_mmr_label u WHERE u.file_id = t.id
    UNION ALL SELECT u.company_id FROM mrp_sop u WHERE u.file_id = t.id
    UNION ALL SELECT u.company_id FROM mrp_qualification u WHERE u.file_id = t.id
    UNION ALL SELECT u.company_id FROM mrp_bpr_entry u WHERE u.file_id = t.id
    UNION ALL SELECT u.company_id FROM mrp_bpr_result u WHERE u.file_id = t.id
    UNION ALL SELECT u.company_id FROM mrp_tamper_drill u WHERE u.file_id = t.id
    UNION ALL SELECT u.company_id FROM mrp_deviation u WHERE u.file_id = t.id
    UNION ALL SELECT m.company_id FROM mrp_mmr_step u JOIN mrp_mmr_revision r ON r.id = u.revision_id
                                       JOIN mrp_mmr m ON m.id = r.mmr_id WHERE u.file_id = t.id
    UNION ALL SELECT m.company_id FROM mrp_mmr_section u JOIN mrp_mmr_revision r ON r.id = u.revision_id
                                       JOIN mrp_mmr m ON m.id = r.mmr_id WHERE u.file_id = t.id"""
#: Orders are records from their release on: these have a snapshot, or had one. Steps follow from the snapshot until somebody
#: works on them.
CONDITIONS = {
    'mrp.bpr.step': """(t.state <> 'open' OR EXISTS (
        SELECT FROM mrp_audit_entry e
         WHERE e.res_model = 'mrp.bpr.step' AND e.res_id = t.id AND e.kind IN ('write', 'state')))""",
    'mrp.production': """(t.mmr_snapshot IS NOT NULL OR t.mmr_snapshot_sha256 IS NOT NULL OR t.mmr_revision_id IS NOT NULL
        OR EXISTS (SELECT FROM mrp_audit_chain c WHERE c.res_model = 'mrp.production' AND c.res_id = t.id))""",
}
#: Whether a signed disposal that names it removed the content of a batch record.
DISPOSED = """EXISTS (
    SELECT FROM mrp_bpr d JOIN mrp_record_disposal p ON p.id = d.disposal_id JOIN mrp_esignature g ON g.id = p.signature_id
     WHERE d.id = %s AND g.res_model = 'mrp.record.disposal' AND g.res_id = p.id
       AND g.content -> 'batches' @> jsonb_build_array(jsonb_build_object('id', d.id)))"""
DECISIONS = {'continue': 'approved', 'stop': 'rejected'}
SIGNATURE_COLUMNS = (
    'id', 'res_model', 'res_id', 'record_name', 'company_id', 'user_id', 'partner_id', 'signer_name', 'signer_login',
    'signer_role', 'meaning', 'statement', 'comment', 'signed_at', 'signer_tz', 'content_sha256', 'signature_sha256',
    'annex', 'basis_signature_id', 'voids_signature_id')
#: What documents say about a file.
FILE_COLUMNS = ('id', 'name', 'sha256', 'size', 'mimetype')
EXPECTED_TYPES = {**DOCUMENTS, **IMAGES}
#: Columns in which a nought was typed by somebody: a reading of 0 is not the same as none.
TEXT_TYPES = ('character varying', 'text')


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


class Verification:
    """Verifies all evidence that a cursor reads; iterating yields each :class:`Finding`.

    Nothing but the batch at hand is in memory. ``counts`` grows on the way: records read, by what they are.

    :param int company: verify what belongs to this company; 0 is what belongs to none, None is everything
    :param dict position: the :attr:`position` at which another verification was interrupted, maybe long ago:
        evidence is only added, so what was verified before stays verified
    """

    PARTS = (
        'ledger', 'baseline', 'chains', 'seals', 'files', 'signatures', 'acceptances', 'revisions', 'reviews', 'labels',
        'orders', 'plans', 'stock', 'drills', 'disposals', 'quality_reviews', *LOGGED)

    def __init__(self, cr, company=None, position=None):
        self.cr = cr
        self.company = company
        self.counts = dict.fromkeys((
            'lines', 'signatures', 'revisions', 'orders', 'files', 'labels', 'records', 'disposed'), 0)
        self.partial = []   # chains that were not seen whole (see LedgerCheck)
        self.part, self._after = (position['part'], position['after']) if position else (self.PARTS[0], None)

    @property
    def position(self):
        """Where another verification goes on, as JSON can hold it; valid at a checkpoint, None after the last one."""
        return self.part and {'part': self.part, 'after': self._after}

    def __iter__(self):
        for step in self.steps():
            if step is not CHECKPOINT:
                yield step

    def steps(self):
        """Yield findings and, between batches, ``CHECKPOINT``: here it may be interrupted."""
        for part, following in zip(self.PARTS, (*self.PARTS[1:], None), strict=True):
            if part == self.part:
                yield from self.check_part(part)
                self.part, self._after = following, None
                yield CHECKPOINT

    def check_part(self, part, **bounds):
        """Yield the findings of one part of the evidence, and checkpoints.

        :param bounds: start and stop of the ledger (see :class:`LedgerCheck`)
        """
        if part in LOGGED:
            yield from self._check_logged(part)
            yield from self._check_vanished(part)
        elif part == 'ledger':
            yield from self._check_ledger(**bounds)
        else:
            yield from getattr(self, f'_check_{part}')()

    def estimate(self):
        """Return how many lines and records there are about, each counted as often as ``counts`` will."""
        self.cr.execute(f"""
            SELECT (SELECT COALESCE(sum(c.head_index), 0) FROM mrp_audit_chain c WHERE {self._of('c.company_id')})
                 + (SELECT count(*) FROM mrp_esignature s WHERE {self._of('s.company_id')})
                 + (SELECT 2 * count(*) FROM mrp_mmr_revision t WHERE {self._of_model('mrp.mmr.revision')})
                 + (SELECT 2 * count(*) FROM mrp_production t
                     WHERE t.mmr_snapshot_sha256 IS NOT NULL AND {self._of_model('mrp.production')})
                 + (SELECT 2 * count(*) FROM mrp_mmr_label t WHERE {self._of_model('mrp.mmr.label')})
                 + (SELECT count(*) FROM mrp_mmr t WHERE {self._of_model('mrp.mmr')})
                 + (SELECT count(*) FROM mrp_mmr_review t WHERE {self._of_model('mrp.mmr.review')})""")
        return int(self.cr.fetchone()[0])

    def _of(self, expression):
        """Return the SQL condition that ``expression`` is the company that is verified."""
        return of_company(self.company, expression)

    def _is_of(self, company):
        """Whether ``company`` is the one that is verified; what is of none is verified with the whole, or by itself."""
        return self.company is None or self.company == (company or 0)

    def _of_model(self, model):
        return self._of(COMPANIES[model])

    def _rows(self, query, size=RECORDS):
        """Yield batches of rows of a query with the placeholder ``%(after)s`` for the id it continues after."""
        while True:
            self.cr.execute(f'{query} LIMIT {size}', {'after': self._after or 0})
            rows = self.cr.fetchall()
            if not rows:
                return
            self._after = rows[-1][0]
            yield rows

    # === LEDGER AND RECORDS === #

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
            if self._is_of(company):
                yield Finding('mrp.audit.entry', line, name, "one baseline in the life of a database", "another one")
        self.cr.execute(
            """SELECT id, record_name, company_id, sha256 FROM mrp_audit_entry
                WHERE kind = 'baseline' AND res_model <> 'res.company' ORDER BY chain_id, index""")
        lines = self.cr.fetchall()
        digest = hashlib.sha256(''.join(line[3] or '' for line in lines).encode()).hexdigest()
        if not closing:
            if lines and self._is_of(None):
                yield Finding('mrp.audit.entry', None, "baseline", f"a line that closes its {len(lines)} lines", "none")
            return
        try:
            values = parse(closing[3])
            said = (values['lines']['new'], values['lines_sha256']['new'])
        except (ValueError, TypeError, KeyError):
            said = None
        if said == (len(lines), digest):
            return
        if self._is_of(closing[2]):
            yield Finding('mrp.audit.entry', *closing[:2], f"the lines of the baseline that it closed: {said}",
                          f"{len(lines)} lines with digest {digest}")
        for line, name, company, _digest in sorted(lines):
            if line > closing[0] and self._is_of(company):
                yield Finding('mrp.audit.entry', line, name, "no record that is taken over after the baseline", "a later line")

    def _check_seals(self):
        """Each seal is the digest of its content, follows the one before, and names lines that are there."""
        last = {}
        for rows in self._rows(
                f"""SELECT id, company_id, index, at::text, heads::text, chain_count, line_count, previous_sha256, sha256,
                           create_date::text, create_uid
                      FROM mrp_audit_seal WHERE id > %(after)s AND {self._of('company_id')} ORDER BY id"""):
            for seal_id, company, index, at, heads, chains, lines, previous, digest, created, _creator in rows:
                def finding(expected, found, seal_id=seal_id, index=index):
                    return Finding('mrp.audit.seal', seal_id, f"seal {index}", expected, found)

                number, before = last.get(company, (0, GENESIS))
                try:
                    content = parse(heads)
                    sealed = sum(head[2] for head in content)
                except (TypeError, ValueError, KeyError, IndexError) as error:
                    yield finding("a list of chains", f"what cannot be read: {error}")
                    continue
                made = sha256_text(encode({
                    'schema': 'mrp_mmr/seal/1', 'company': company, 'index': index, 'at': iso(at), 'heads': content,
                    'previous_sha256': previous}))
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
             WHERE {self._of('s.company_id')} AND NOT EXISTS (
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
             WHERE COALESCE(c.sealed_index, 0) <> COALESCE(m.last, 0) AND {self._of('c.company_id')}""")
        for chain_id, name, found, expected in self.cr.fetchall():
            yield Finding('mrp.audit.chain', chain_id, name, f"{expected} sealed lines, as the seals say", f"{found}")

    def _check_chains(self):
        """Every chain has lines and every line a chain; whoever has a chain exists, or the chain says that it was deleted;
        whoever should have one has it.
        """
        self.cr.execute(
            f"""SELECT c.id, c.res_model, c.res_id, c.company_id, c.name, c.head_index, c.head_sha256 FROM mrp_audit_chain c
                 WHERE NOT EXISTS (SELECT FROM mrp_audit_entry e WHERE e.chain_id = c.id) AND {self._of('c.company_id')}
                 ORDER BY c.id""")
        for chain_id, *row in self.cr.fetchall():
            chain = Chain(chain_id)
            chain.describe(row)
            yield from chain.finish()
        self.cr.execute(
            f"""SELECT e.id, e.record_name FROM mrp_audit_entry e
                 WHERE (e.chain_id IS NULL OR e.index IS NULL) AND {self._of('e.company_id')} ORDER BY e.id""")
        for line, name in self.cr.fetchall():
            yield Finding('mrp.audit.entry', line, name, "a line with a number in a chain", "a line without")
        for model in ('mrp.mmr', 'mrp.production'):
            table = model.replace('.', '_')
            self.cr.execute(
                f"""SELECT c.id, c.res_id, c.name FROM mrp_audit_chain c
                     WHERE c.res_model = %s AND {self._of('c.company_id')}
                       AND NOT EXISTS (SELECT FROM {table} t WHERE t.id = c.res_id)
                       AND NOT EXISTS (SELECT FROM mrp_audit_entry e WHERE e.chain_id = c.id AND e.kind = 'unlink'
                                          AND e.res_model = c.res_model AND e.res_id = c.res_id)
                     ORDER BY c.id""", [model])
            for chain, res_id, name in self.cr.fetchall():
                yield Finding(model, res_id, name, f"the record of chain {chain}", "none: it was deleted beside the ledger")
        self.cr.execute(
            f"""SELECT 'mrp.mmr', t.id, t.name FROM mrp_mmr t
                 WHERE {self._of_model('mrp.mmr')}
                   AND NOT EXISTS (SELECT FROM mrp_audit_chain c WHERE c.res_model = 'mrp.mmr' AND c.res_id = t.id)
                 UNION ALL
                SELECT 'mrp.production', t.id, t.name FROM mrp_production t
                 WHERE t.mmr_snapshot_sha256 IS NOT NULL AND {self._of_model('mrp.production')}
                   AND NOT EXISTS (SELECT FROM mrp_audit_chain c WHERE c.res_model = 'mrp.production' AND c.res_id = t.id)
                 ORDER BY 1, 2""")
        for model, res_id, name in self.cr.fetchall():
            yield Finding(model, res_id, name, "a chain in the ledger", "none")

    def _check_logged(self, model):
        """What a record says now is what the ledger said last; every change has its line."""
        table, names = model.replace('.', '_'), LOGGED[model]
        self.cr.execute(
            """SELECT a.attname, format_type(a.atttypid, NULL) FROM pg_attribute a
                WHERE a.attrelid = %s::regclass AND a.attname = ANY(%s)""", [table, list(names)])
        types = dict(self.cr.fetchall())
        columns = ', '.join(f't."{name}"::text' for name in names)
        removed = REMOVED.get(table, ())
        disposed = DISPOSED % 't.bpr_id' if removed else 'FALSE'
        query = f"""SELECT t.id, {NAMES[model]}, {disposed}, {columns} FROM {table} t
                     WHERE t.id > %(after)s AND {CONDITIONS.get(model, 'TRUE')} AND {self._of_model(model)} ORDER BY t.id"""
        for rows in self._rows(query, ROWS):
            last = {}
            self.cr.execute(
                """SELECT res_id, "values"::text FROM mrp_audit_entry
                    WHERE res_model = %s AND res_id = ANY(%s) AND kind IN ('create', 'baseline', 'write', 'state')
                    ORDER BY chain_id, index""", [model, [row[0] for row in rows]])
            for res_id, values in self.cr.fetchall():
                try:
                    last.setdefault(res_id, {}).update(parse(values))
                except (ValueError, TypeError):
                    continue  # the line itself was reported
            for record_id, title, is_disposed, *values in rows:
                logged = last.get(record_id)
                if logged is None:
                    yield Finding(model, record_id, title, "its creation in the ledger", "no line about it")
                    continue
                for name, value in zip(names, values, strict=True):
                    said = logged.get(name)
                    said = self._logged_text(types[name], said.get('new') if isinstance(said, dict) else said)
                    live = self._live_text(types[name], value)
                    if is_disposed and name in removed:
                        if live not in (None, GONE):
                            yield Finding(model, record_id, title, f"no {name}, as it was disposed of", f"{live}")
                    elif said != live:
                        yield Finding(model, record_id, title, f"{name} {said} as in the ledger", f"{live}")
            self.counts['records'] += len(rows)
            yield CHECKPOINT

    def _check_vanished(self, model):
        """What the ledger saw begin is there, or the ledger saw it deleted."""
        self.cr.execute(
            f"""SELECT e.res_id, min(e.record_name) FROM mrp_audit_entry e
                 WHERE e.res_model = %s AND e.kind IN ('create', 'baseline') AND {self._of('e.company_id')}
                   AND NOT EXISTS (SELECT FROM {model.replace('.', '_')} t WHERE t.id = e.res_id)
                   AND NOT EXISTS (SELECT FROM mrp_audit_entry u
                                    WHERE u.res_model = e.res_model AND u.res_id = e.res_id AND u.kind = 'unlink')
                 GROUP BY e.res_id ORDER BY e.res_id""", [model])
        for res_id, name in self.cr.fetchall():
            yield Finding(model, res_id, name, "the record that the ledger saw begin", "none: it was deleted beside the ledger")

    @staticmethod
    def _logged_text(kind, value):
        if isinstance(value, dict):
            value = value.get('id', value.get('sha256'))
        if value in (None, False, 0, '', []) or value == '0' and kind not in TEXT_TYPES:
            return None
        return 'true' if value is True else str(value)

    @staticmethod
    def _live_text(kind, value):
        if value in (None, ''):
            return None
        if kind in TEXT_TYPES:
            return value
        if kind.startswith('timestamp'):
            return iso(value)
        if kind == 'jsonb':
            return digest_of(value)
        if kind in ('numeric', 'double precision'):
            value = decimal_string(value)
        return None if value in ('0', 'false') else value

    # === FILES === #

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

    # === SIGNATURES === #

    def _read_signatures(self, ids):
        """Return signatures by id as dicts of their columns; times and JSON as text."""
        columns = ', '.join(f'{name}::text' if name in ('signed_at', 'annex') else name for name in SIGNATURE_COLUMNS)
        self.cr.execute(f"SELECT {columns} FROM mrp_esignature WHERE id = ANY(%s)", [[key for key in ids if key]])
        return {row[0]: dict(zip(SIGNATURE_COLUMNS, row, strict=True)) for row in self.cr.fetchall()}

    def _check_signatures(self):
        columns = ', '.join(f's.{name}::text' if name in ('signed_at', 'annex') else f's.{name}' for name in SIGNATURE_COLUMNS)
        query = f"""
            SELECT {columns}, s.content::text,
                   (s.create_uid, s.write_uid, s.write_date) IS NOT DISTINCT FROM (s.user_id, s.create_uid, s.create_date), (
                       SELECT count(*) FROM mrp_esignature o
                        WHERE o.res_model = s.res_model AND o.res_id = s.res_id
                          AND o.content_sha256 = s.content_sha256 AND o.content IS NOT NULL)
              FROM mrp_esignature s WHERE s.id > %(after)s AND {self._of('s.company_id')} ORDER BY s.id"""
        for rows in self._rows(query):
            logged = self._read_signed_lines(rows)
            for row in rows:
                signature = dict(zip(SIGNATURE_COLUMNS, row[:len(SIGNATURE_COLUMNS)], strict=True))
                yield from self._check_signature(
                    signature, *row[len(SIGNATURE_COLUMNS):], logged.get((*row[1:3], str(row[0])), []))
            yield from self._check_signed_records(rows)
            self.counts['signatures'] += len(rows)
            yield CHECKPOINT

    def _read_signed_lines(self, rows):
        """Return what the ledger says about signatures, by model and id of the record and number of the signature.

        One line is about each: that it was signed, or that it is older than the ledger and was taken over.
        """
        self.cr.execute(
            """SELECT res_model, res_id, "values"::text, user_id, company_id FROM mrp_audit_entry
                WHERE kind = 'sign' AND (res_model, res_id) IN %s ORDER BY id""", [tuple({row[1:3] for row in rows})])
        lines = [(row[:2], row[2], row[3:]) for row in self.cr.fetchall()]
        records = {row[0]: row[1:3] for row in rows}
        self.cr.execute(
            """SELECT res_id, "values"::text FROM mrp_audit_entry
                WHERE kind = 'baseline' AND res_model = 'mrp.esignature' AND res_id = ANY(%s) ORDER BY id""", [list(records)])
        lines += [(records[number], values, None) for number, values in self.cr.fetchall()]
        logged = {}
        for record, text, signer in lines:
            try:
                values = parse(text or 'null')
                number, *said = (values[name]['new'] for name in ('signature_id', 'signature_sha256', 'content_sha256'))
                said += signer or (values['user_id']['new'], values['company_id']['new'])
            except (ValueError, TypeError, KeyError):
                continue  # the line itself was reported
            logged.setdefault((*record, str(number)), []).append('|'.join(map(str, said)))
        return logged

    def _check_signature(self, signature, content, is_kept, contents, logged):
        def finding(expected, found):
            return Finding('mrp.esignature', signature['id'], f"{signature['meaning']} by {signature['signer_name']}: "
                           f"{signature['record_name']}", expected, found)

        if not is_kept:
            yield finding("a row that its signer stored, and no later change",
                          "another user or time in create_uid, write_uid or write_date")
        digest = self._signature_digest(signature)
        if digest != signature['signature_sha256']:
            yield finding(f"digest {signature['signature_sha256']}", f"signature with digest {digest}")
        if content is not None:
            digest = digest_of(content)
            if digest != signature['content_sha256']:
                yield finding(f"content with digest {signature['content_sha256']}", f"content with digest {digest}")
        elif not contents or signature['meaning'] == 'prepared' or signature['res_model'] != 'mrp.mmr.revision':
            # Who reviews, approves or retires a revision signs what its preparer signed, which is stored there.
            yield finding(f"the content that was signed, digest {signature['content_sha256']}", "none")
        expected = '|'.join(map(str, (
            signature['signature_sha256'], signature['content_sha256'], signature['user_id'], signature['company_id'])))
        if logged != [expected]:
            yield finding(f"one line in the ledger about {expected}",
                          f"{len(logged)} lines{': ' if logged else ''}{', '.join(logged)}")

    @staticmethod
    def _signature_digest(row):
        """Return the digest of a signature from its columns (see mrp.esignature, ``_get_signed_content``)."""
        annex, basis = row['annex'], row['basis_signature_id']
        content = {
            'schema': 'mrp_mmr/signature/1',
            'record': {'model': row['res_model'], 'id': row['res_id'], 'name': row['record_name']},
            'signer': {
                'user': row['user_id'], 'partner': row['partner_id'], 'name': row['signer_name'],
                'login': row['signer_login'], 'role': row['signer_role'],
            },
            'meaning': row['meaning'],
            'statement': row['statement'],
            'comment': row['comment'],
            'signed_at': iso(row['signed_at']),
            'time_zone': row['signer_tz'],
            'content_sha256': row['content_sha256'],
            'voids': row['voids_signature_id'],
        }
        if annex is not None or basis is not None:
            try:
                annex = None if annex is None else parse(annex)
            except ValueError as error:
                return f"none ({error})"
            if annex is not None and not annex:
                return "none (its annex is empty)"
            content.update(schema='mrp_mmr/signature/2', annex=annex, basis=basis)
        return sha256_text(encode(content))

    def _check_acceptances(self):
        """What a signer accepted is the text with that digest, and the ledger has a line about it (SIG-070)."""
        query = f"""
            SELECT a.id, a.user_id, a.user_name, a.text, a.text_sha256, s.user_id
              FROM mrp_signer_acceptance a LEFT JOIN mrp_signer s ON s.id = a.signer_id
             WHERE a.id > %(after)s AND {self._of('(SELECT u.company_id FROM res_users u WHERE u.id = a.user_id)')}
             ORDER BY a.id"""
        for rows in self._rows(query):
            logged = self._read_acceptance_lines({row[1] for row in rows})
            for acceptance, user, name, text, digest, signer in rows:
                found = sha256_text(encode({'schema': 'mrp_mmr/acceptance/1', 'text': text}))
                if found != digest:
                    yield Finding('mrp.signer.acceptance', acceptance, name, f"a text with digest {digest}",
                                  f"a text with digest {found}")
                if user != signer:
                    yield Finding('mrp.signer.acceptance', acceptance, name, f"user {user} as its signer", f"{signer}")
                if logged[user, digest] != 1:
                    yield Finding('mrp.signer.acceptance', acceptance, name, "one line in the ledger about it",
                                  f"{logged[user, digest]}")
            self.counts['records'] += len(rows)
            yield CHECKPOINT

    def _read_acceptance_lines(self, users):
        """Return how many lines of the ledger there are by user and digest of the text that the user accepted."""
        self.cr.execute(
            """SELECT res_id, "values"::text FROM mrp_audit_entry
                WHERE res_model = 'res.users' AND res_id = ANY(%s) AND kind = 'setting'""", [list(users)])
        logged = Counter()
        for user, values in self.cr.fetchall():
            with contextlib.suppress(ValueError, TypeError, KeyError):   # the line itself was reported, or is another one
                logged[user, parse(values)['acceptance_sha256']['new']] += 1
        return logged

    def _check_signed_records(self, rows):
        """What was signed is still there."""
        by_model = {}
        for row in rows:
            by_model.setdefault(row[1], {}).setdefault(row[2], row)
        for model, records in by_model.items():
            self.cr.execute("SELECT to_regclass(%s)::text", [model.replace('.', '_')])
            table, = self.cr.fetchone()
            if table and model in LOGGED:
                self.cr.execute(f"SELECT id FROM {table} WHERE id = ANY(%s)", [list(records)])
                for missing in sorted(records.keys() - {row[0] for row in self.cr.fetchall()}):
                    yield Finding(model, missing, records[missing][3], "the record that was signed", "none: it was deleted")
            elif not table:
                for res_id, row in records.items():
                    yield Finding('mrp.esignature', row[0], row[3], "the signature of a record", f"{model},{res_id}")

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

    # === REVISIONS === #

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
              FROM mrp_mmr_revision t WHERE t.id > %(after)s AND {self._of_model('mrp.mmr.revision')} ORDER BY t.id"""
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
              FROM mrp_mmr_review t WHERE t.id > %(after)s AND {self._of_model('mrp.mmr.review')} ORDER BY t.id"""
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

    # === LABELS === #

    def _check_labels(self):
        query = f"""
            SELECT t.id, {NAMES['mrp.mmr.label']}, t.state, t.approved_signature_id, t.code, t.version, t.name, t.location,
                   t.panel, t.claims, f.id, f.name, f.sha256, f.size, f.mimetype,
                   ARRAY(SELECT s.id FROM mrp_esignature s WHERE s.res_model = 'mrp.mmr.label' AND s.res_id = t.id
                            AND s.meaning = 'retired'), s.content::text
              FROM mrp_mmr_label t LEFT JOIN mrp_mmr_file f ON f.id = t.file_id
                                   LEFT JOIN mrp_esignature s ON s.id = t.approved_signature_id
             WHERE t.id > %(after)s AND {self._of_model('mrp.mmr.label')} ORDER BY t.id"""
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

    # === DRILLS === #

    def _check_drills(self):
        query = f"""
            SELECT t.id, t.name, t.results::text, t.results_sha256, t.signature_id, t.file_id
              FROM mrp_tamper_drill t WHERE t.id > %(after)s AND {self._of_model('mrp.tamper.drill')} ORDER BY t.id"""
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

    # === PRODUCT QUALITY REVIEWS === #

    def _check_quality_reviews(self):
        """The document of a review is what both signatures were given over."""
        query = f"""
            SELECT t.id, t.name, t.state, t.document::text, t.document_sha256, t.prepared_signature_id, t.approved_signature_id
              FROM mrp_quality_review t WHERE t.id > %(after)s AND {self._of_model('mrp.quality.review')} ORDER BY t.id"""
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

    # === ORDERS === #

    def _check_orders(self):
        query = f"""
            SELECT t.id, t.name, t.mmr_controlled, t.mmr_snapshot::text, t.mmr_snapshot_sha256, t.mmr_revision_id,
                   t.mmr_decision, t.mmr_decision_signature_id, s.content ->> 'decision', r.document_sha256,
                   r.prepared_signature_id, r.approved_signature_id, r.effective_at::text,
                   {DISPOSED % '(SELECT b.id FROM mrp_bpr b WHERE b.production_id = t.id)'}
              FROM mrp_production t LEFT JOIN mrp_mmr_revision r ON r.id = t.mmr_revision_id
                                    LEFT JOIN mrp_esignature s ON s.id = t.mmr_decision_signature_id
             WHERE t.id > %(after)s AND (t.mmr_decision_signature_id IS NOT NULL OR {CONDITIONS['mrp.production']})
               AND {self._of_model('mrp.production')}
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
        query = f"""
            SELECT b.id, b.name, b.plan_sha256, b.step_count,
                   ARRAY(SELECT s.planned::text FROM mrp_bpr_step s WHERE s.bpr_id = b.id ORDER BY s.sequence, s.id),
                   b.document::text, b.document_sha256,
                   (SELECT g.content ->> 'document_sha256' FROM mrp_esignature g WHERE g.id = b.release_signature_id),
                   {DISPOSED % 'b.id'}
              FROM mrp_bpr b WHERE b.id > %(after)s AND {self._of('b.company_id')} ORDER BY b.id"""
        for rows in self._rows(query, RECORDS // 10):
            for bpr, name, digest, count, steps, document, frozen, signed, is_disposed in rows:
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

    def _check_stock(self):
        """The moves of a batch took and made what its record says, and its lots are on stock as they were moved (STK-040)."""
        self.cr.execute("SELECT digits FROM decimal_precision WHERE name = 'Product Unit'")
        # What stock could not hold was rounded before the addon refused it.
        rounding = Decimal(1).scaleb(-(self.cr.fetchone() or [2])[0]) / 2
        for rows in self._rows(f"""SELECT b.id FROM mrp_bpr b WHERE b.id > %(after)s AND b.state IN ('done', 'cancel')
                                    AND {self._of('b.company_id')} ORDER BY b.id"""):
            for row in find_differences(self.cr, [bpr for bpr, in rows]):
                what = ' '.join(filter(None, (row.product, row.lot and f'lot {row.lot}', row.place and f'at {row.place}')))
                verb = {'used': "used", 'made': "made", 'stock': "on stock, as it was moved"}[row.kind]
                yield Finding(
                    'mrp.bpr', row.bpr_id, row.bpr, f"{plain(row.expected)} of {what} {verb}", plain(row.found),
                    FINDING if abs(row.expected - row.found) >= rounding else REMARK)
            yield CHECKPOINT

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
             WHERE b.disposal_id IS NOT NULL AND {self._of('b.company_id')} AND NOT {covered} ORDER BY b.id"""
        self.cr.execute(query)  # pylint: disable=sql-injection
        for bpr, name, disposal in self.cr.fetchall():
            yield Finding('mrp.bpr', bpr, name, "a signed disposal that names it", f"{disposal}, which does not")
        query = f"""
            SELECT t.id, t.name, t.reason, t.signature_id, g.content::text FROM mrp_record_disposal t
              JOIN mrp_esignature g ON g.id = t.signature_id
             WHERE t.id > %(after)s AND {self._of_model('mrp.record.disposal')} ORDER BY t.id"""
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

