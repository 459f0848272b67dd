"""The tamper drill: tries every forbidden act on the real database, and undoes it (AUD-030, AUD-040, SIG-030, REV-010).

What it does to a live system. Each act runs in a transaction of its own, on a cursor of its own, each attempt in a
savepoint that is rolled back at once; the transaction is rolled back, too, whatever happens. Nothing is ever committed,
no mail or notification leaves it, and refusals that the acts provoke are not written to the ledger: nobody did them.
A row is locked for the milliseconds of one attempt. TRUNCATE asks for the whole table: it waits :data:`LOCK_TIMEOUT` at
most, in which others wait behind it, and is given up then. An act that somebody at work is in the way of is tried
:data:`TRIES` times and reported as not tried then. Triggers are not disabled, which would lock tables against all
production (see :data:`NOT_TRIED`).
"""

import logging
import re
import time
from collections import Counter
from contextlib import closing
from typing import NamedTuple

import psycopg2
from psycopg2 import errors

from odoo import SUPERUSER_ID, api
from odoo.exceptions import AccessDenied, AccessError, UserError

from ..domain.canonical import canonical_json, sha256

_logger = logging.getLogger(__name__)

SCHEMA = 'mrp_mmr/drill/1'
#: How long an act waits for a lock, and how long it may run.
LOCK_TIMEOUT, STATEMENT_TIMEOUT = '200ms', '10s'
#: How often an act is tried that is in the way of somebody at work.
TRIES = 3
#: What became of an act. The first three are faults, the last two leave it open.
NOT_REFUSED, OTHER, ERROR, REFUSED, FOUND, BUSY, NOTHING = (
    'not_refused', 'other', 'error', 'refused', 'found', 'busy', 'nothing')
FAULTS = (NOT_REFUSED, OTHER, ERROR)
#: The worst of the outcomes of several attempts is that of the act.
ORDER = (NOT_REFUSED, OTHER, ERROR, BUSY, FOUND, REFUSED, NOTHING)
LABELS = {
    NOT_REFUSED: "NOT REFUSED", OTHER: "REFUSED BY ANOTHER RULE", ERROR: "BROKE OFF", REFUSED: "refused", FOUND: "found",
    BUSY: "not tried: in use", NOTHING: "nothing to try on",
}
NOT_TRIED = (
    "Disabling or dropping triggers as the owner of the database: it locks tables against all production. What is altered "
    "that way is found by Verify Evidence; the tests of the addon alter every column of the evidence in turn.",
    "Replacing the code of the addon or of Odoo on the server.",
)
#: Tables whose rows are never rewritten, and tables of records that people go on working with.
APPEND_ONLY = (
    'mrp_esignature', 'mrp_audit_entry', 'mrp_audit_seal', 'mrp_mmr_file', 'mrp_signer_acceptance', 'mrp_bpr_entry',
    'mrp_bpr_copy', 'mrp_equipment_log', 'mrp_bpr_rework', 'mrp_bpr_sample')
RECORDS = (
    'mrp_mmr', 'mrp_mmr_revision', 'mrp_mmr_review', 'mrp_mmr_label', 'mrp_mmr_requirement', 'mrp_sop', 'mrp_bom',
    'mrp_bom_line', 'mrp_bom_byproduct', 'mrp_routing_workcenter', 'mrp_production', 'mrp_mmr_step', 'mrp_mmr_step_check',
    'mrp_mmr_specification', 'mrp_mmr_equipment', 'mrp_mmr_ingredient', 'mrp_mmr_pack', 'mrp_mmr_pack_line',
    'mrp_mmr_section', 'mrp_mmr_reference', 'mrp_mmr_answer', 'mrp_bpr', 'mrp_bpr_step', 'mrp_deviation',
    'mrp_deviation_contributor', 'mrp_deviation_batch', 'mrp_deviation_cause', 'mrp_capa', 'mrp_capa_action',
    'mrp_quality_review',
    'mrp_tamper_drill', 'mrp_mmr_profile', 'mrp_mmr_reviewer', 'mrp_qualification', 'mrp_bpr_transcription', 'mrp_terminal',
    'mrp_bpr_result', 'mrp_lot_destruction', 'stock_lot', 'maintenance_equipment', 'res_users', 'res_partner')


class Held(Exception):
    """The act went through, and the rule held all the same: the text says how."""


class Skipped(Exception):
    """There is nothing to try this attempt on."""


class Attempt(NamedTuple):
    """One try of an act: who or which column, and what is called."""
    label: str
    call: object
    #: Persons who have no right at all are refused by that alone.
    by_person: bool = False


class Act(NamedTuple):
    """One forbidden act: what is tried, the rule against it, and what refuses it (a constraint or a text)."""
    key: str
    group: str
    title: str
    rule: str
    expected: str
    #: Called with the drill; returns the record that it is tried on and the attempts.
    attempts: object


class Drill:
    """Tries acts on one cursor, and undoes each."""

    def __init__(self, cr, company_id, uid):
        self.cr = cr
        self.company_id = company_id
        self.left_out = {SUPERUSER_ID, uid}
        # Archived records are evidence as well.
        self.env = api.Environment(cr, SUPERUSER_ID, {'active_test': False, 'lang': 'en_US'})
        self.people = []

    def try_acts(self, acts):
        """Return what became of each act, as dicts for the record of the drill."""
        self._begin()
        self.people = self._find_people()
        return [self._try_act(act) for act in acts]

    def _begin(self):
        """Forget the transaction and begin another one, which sees what was committed meanwhile."""
        self._forget()
        self.cr.rollback()
        self.cr.execute("SELECT set_config('lock_timeout', %s, true), set_config('statement_timeout', %s, true)",
                        [LOCK_TIMEOUT, STATEMENT_TIMEOUT])

    def _forget(self):
        """Forget what waits for the end of the transaction: mails, notifications, and the lines about refusals."""
        for hooks in (self.cr.precommit, self.cr.postcommit, self.cr.prerollback, self.cr.postrollback):
            hooks.clear()

    def end(self):
        """Roll everything back."""
        self._forget()
        self.cr.transaction.clear()
        self.cr.rollback()

    def _find_people(self):
        """Return a person of each role, as ``(role, user id)``; the results name the role, as nobody does anything.

        Whoever runs the drill is left out: theirs is the session, in which an attempt to sign would be a real one.
        """
        people = []
        category = self.env.ref('mrp_mmr.module_category_gmp')
        groups = self.env['res.groups'].search([('privilege_id.category_id', '=', category.id)], order='id')
        for name in ('mrp.group_mrp_user', 'mrp.group_mrp_manager', 'base.group_system'):
            groups |= self.env.ref(name)
        for group in groups:
            users = group.all_user_ids.filtered(
                lambda user: user.active and user.id not in self.left_out and self.company_id in user.company_ids.ids)
            # Who has as few other roles as possible says most.
            user = min(users, key=lambda user: (len(user.all_group_ids & groups), user.id), default=None)
            if user:
                people.append((group.full_name, user.id))
        return people

    def everyone(self, do, label=''):
        """Return attempts to ``do`` something as the superuser, with a hostile context, and as a person of each role."""
        label = f" {label}" if label else ''
        hostile = self.env(context={**self.env.context, **HOSTILE})
        context = {**self.env.context, 'allowed_company_ids': [self.company_id]}
        return [
            Attempt(f"superuser{label}", lambda: do(self.env)), Attempt(f"hostile context{label}", lambda: do(hostile)),
            *[Attempt(f"{role}{label}", lambda uid=uid: do(self.env(user=uid, su=False, context=context)), by_person=True)
              for role, uid in self.people],
        ]

    def _try_act(self, act):
        for _number in range(TRIES):
            self._begin()
            result = self._try_once(act)
            if result['outcome'] != BUSY:
                break
        return result

    def _try_once(self, act):
        try:
            with _Undone(self.cr):
                record, attempts = act.attempts(self) or (None, ())
                name = record and (record if isinstance(record, str) else f"{record._name},{record.id} {record.display_name}")
        except (psycopg2.Error, UserError) as error:
            _logger.exception("The act %s of the tamper drill could not be prepared", act.key)
            outcomes, name = [(ERROR, self._first_line(error), '')], None
        else:
            outcomes = [(*self._try(act, attempt), attempt.label) for attempt in attempts]
        outcomes = [row for row in outcomes if row[0] != NOTHING]
        outcome = min((row[0] for row in outcomes), key=ORDER.index, default=NOTHING)
        texts = Counter(text for found, text, _label in outcomes if found == outcome)
        return {
            'key': act.key, 'group': act.group, 'title': act.title, 'rule': act.rule, 'record': (name or '')[:200] or None,
            'outcome': outcome, 'by': [text for text, _count in texts.most_common(3)], 'attempts': len(outcomes),
            'held': sum(row[0] in (REFUSED, FOUND) for row in outcomes),
            'open': [label for found, _text, label in outcomes if found not in (REFUSED, FOUND)],
        }

    def _try(self, act, attempt):
        """Return the outcome of one attempt and what brought it about."""
        try:
            with _Undone(self.cr):
                answer = attempt.call()
                # What the ORM let pass, PostgreSQL judges.
                self.cr.flush()
        except Skipped:
            return NOTHING, ''
        except Held as held:
            return FOUND, str(held)
        except (UserError, AccessDenied) as error:
            text = f"{type(error).__name__}: {self._first_line(error)}"
            whole = f"{type(error).__name__}: {error}"
            if attempt.by_person and isinstance(error, AccessError):
                return REFUSED, "AccessError: the role has no right to it"
        except psycopg2.OperationalError as error:
            # Locks, conflicts and time limits: somebody else works on it.
            return BUSY, type(error).__name__
        except (psycopg2.IntegrityError, errors.InsufficientPrivilege, errors.FeatureNotSupported) as error:
            diagnosis = error.diag
            text = whole = (f"{type(error).__name__} {diagnosis.constraint_name or error.pgcode}: "
                            f"{diagnosis.message_primary}")
        except Exception as error:
            _logger.exception("The act %s of the tamper drill broke off", act.key)
            return ERROR, f"{type(error).__name__}: {self._first_line(error)}"
        else:
            if not (isinstance(answer, dict) and 'refused' in answer):
                return NOT_REFUSED, "it was done, and undone by the drill"
            whole = answer['refused']
            text = f"signature refused: {self._first_line(whole)}"
        return (REFUSED if re.search(act.expected, whole) else OTHER), text[:300]

    @staticmethod
    def _first_line(error):
        return str(error).strip().partition('\n')[0]


class _Undone:
    """A savepoint that is rolled back in any case."""

    def __init__(self, cr):
        self.cr = cr

    def __enter__(self):
        self.savepoint = self.cr.savepoint()
        return self

    def __exit__(self, *_error):
        self.savepoint.rollback()
        self.savepoint.close(rollback=False)


#: Keys that a client could send to be let through, or to leave no trace.
HOSTILE = {
    'tracking_disable': True, 'mail_notrack': True, 'mail_create_nolog': True, 'mail_create_nosubscribe': True,
    'import_file': True, 'install_mode': True, 'prefetch_fields': False, 'no_audit': True, 'skip_audit': True,
    'mrp_mmr_transition': True, 'mmr_transition': True, 'mrp_mmr_signing': True, 'force_delete': True,
    'default_state': 'effective', 'default_mmr_snapshot': {'forged': True}, 'skip_consumption': True,
}


class Evidence:
    """What the evidence is at a moment: the version of every row, and the last line of every chain.

    A row of PostgreSQL bears the transaction that wrote it, so that its versions show every writing, and cheaply.
    """

    def __init__(self, cr, before=None):
        """Read the evidence; with ``before``, no more of it than there was then."""
        self.last, self.tables, self.records = {}, {}, {}
        for table in (*APPEND_ONLY, *RECORDS):
            limit = before.last[table] if before else None
            cr.execute(
                f"""SELECT count(*), COALESCE(max(id), 0), COALESCE(sum(hashtextextended(id || ':' || xmin, 0)), 0)::text
                      FROM "{table}" WHERE id <= %s OR %s IS NULL""", [limit, limit])
            rows, last, versions = cr.fetchone()
            self.last[table] = before.last[table] if before else last
            (self.tables if table in APPEND_ONLY else self.records)[table] = [rows, versions]
        if before:
            # The lines that were the last ones then; in the head, if no line was added.
            cr.execute(
                """SELECT e.chain_id, e.index, e.sha256
                     FROM unnest(%s::integer[], %s::integer[]) AS b (chain, index)
                     JOIN mrp_audit_entry e ON e.chain_id = b.chain AND e.index = b.index
                     JOIN mrp_audit_chain c ON c.id = e.chain_id
                    WHERE c.head_index > b.index OR (c.head_index, c.head_sha256) = (e.index, e.sha256)
                    ORDER BY 1""", [[row[0] for row in before.heads], [row[1] for row in before.heads]])
        else:
            cr.execute("SELECT id, head_index, head_sha256 FROM mrp_audit_chain WHERE head_index > 0 ORDER BY id")
        self.heads = [list(row) for row in cr.fetchall()]
        cr.execute("SELECT count(*) FROM mrp_audit_entry WHERE id > %s", [self.last['mrp_audit_entry']])
        self.lines_added = cr.fetchone()[0]

    def digest(self):
        return sha256({'tables': self.tables, 'heads': self.heads})

    def compare(self, after):
        """Return what the drill's record says about the evidence before and after."""
        written = sorted(table for table, versions in self.records.items() if after.records[table] != versions)
        return {
            'rows': sum(rows for rows, _versions in self.tables.values()), 'chains': len(self.heads),
            'sha256_before': self.digest(), 'sha256_after': after.digest(),
            'records_sha256_before': sha256(self.records), 'records_sha256_after': sha256(after.records),
            # Nothing of the drill is committed: what differs was written by people at work.
            'written_by_others': written, 'lines_by_others': after.lines_added,
        }


def run(open_cursor, company_id, uid, acts):
    """Run a drill and return its results: what can be written as canonical JSON.

    :param open_cursor: returns a new cursor of the database, see :meth:`odoo.orm.registry.Registry.cursor`
    :param int uid: who runs it
    """
    began = time.monotonic()

    def read(before=None):
        with open_cursor() as cr:
            evidence = Evidence(cr, before)
            cr.rollback()
            return evidence

    before = read()
    with closing(open_cursor()) as cr:
        drill = Drill(cr, company_id, uid)
        try:
            results = drill.try_acts(acts)
        finally:
            drill.end()
    evidence = before.compare(read(before))
    counts = Counter(result['outcome'] for result in results)
    is_unchanged = evidence['sha256_before'] == evidence['sha256_after']
    content = {
        'schema': SCHEMA, 'milliseconds': int((time.monotonic() - began) * 1000), 'acts': results,
        'counts': {outcome: counts[outcome] for outcome in ORDER}, 'evidence': evidence, 'is_unchanged': is_unchanged,
        'not_tried': list(NOT_TRIED),
        'state': 'failed' if not is_unchanged or any(counts[outcome] for outcome in FAULTS) else 'passed',
    }
    canonical_json(content)
    return content
