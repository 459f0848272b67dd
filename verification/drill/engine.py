"""Runs a tamper drill: tries attacks, undoes each, and says what refused it."""

import logging
import re
import time
from collections import Counter
from contextlib import closing

import psycopg2
from psycopg2 import errors

from odoo import SUPERUSER_ID, api
from odoo.exceptions import AccessDenied, AccessError, UserError

from ...domain.canonical import canonical_json
from .attack import Attempt, Detected, Skipped
from .evidence import Evidence

_logger = logging.getLogger(__name__)

SCHEMA = 'mrp_mmr/drill/1'
#: How long an attack waits for a lock, and how long it may run.
LOCK_TIMEOUT, STATEMENT_TIMEOUT = '200ms', '10s'
#: How often an attack is tried that is in the way of somebody at work.
TRIES = 3
#: What became of an attack. The first three are faults, the last two leave it open.
NOT_REFUSED, OTHER, ERROR, REFUSED, FOUND, BUSY, NOTHING = (
    'not_refused', 'other', 'error', 'refused', 'found', 'busy', 'nothing')
FAULTS = (NOT_REFUSED, OTHER, ERROR)
#: The worst of the outcomes of several attempts is that of the attack.
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


class Drill:
    """Tries attacks on one cursor, and undoes each."""

    def __init__(self, cr, company_id, uid):
        self.cr = cr
        self.company_id = company_id
        self.left_out = {SUPERUSER_ID, uid}
        # Archived records are evidence as well.
        self.env = api.Environment(cr, SUPERUSER_ID, {'active_test': False, 'lang': 'en_US'})
        self.people = []

    def try_attacks(self, attacks):
        """Return what became of each attack, as dicts for the record of the drill."""
        self._begin()
        self.people = self._find_people()
        return [self._try_attack(attack) for attack in attacks]

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

    def _try_attack(self, attack):
        for _number in range(TRIES):
            self._begin()
            result = self._try_once(attack)
            if result['outcome'] != BUSY:
                break
        return result

    def _try_once(self, attack):
        try:
            with _Undone(self.cr):
                record, attempts = attack.attempts(self) or (None, ())
                name = record and (record if isinstance(record, str) else f"{record._name},{record.id} {record.display_name}")
        except (psycopg2.Error, UserError) as error:
            _logger.exception("The attack %s of the tamper drill could not be prepared", attack.key)
            outcomes, name = [(ERROR, self._first_line(error), '')], None
        else:
            outcomes = [(*self._try(attack, attempt), attempt.label) for attempt in attempts]
        outcomes = [row for row in outcomes if row[0] != NOTHING]
        outcome = min((row[0] for row in outcomes), key=ORDER.index, default=NOTHING)
        texts = Counter(text for found, text, _label in outcomes if found == outcome)
        return {
            'key': attack.key, 'group': attack.group, 'title': attack.title, 'rule': attack.rule,
            'record': (name or '')[:200] or None,
            'outcome': outcome, 'by': [text for text, _count in texts.most_common(3)], 'attempts': len(outcomes),
            'held': sum(row[0] in (REFUSED, FOUND) for row in outcomes),
            'open': [label for found, _text, label in outcomes if found not in (REFUSED, FOUND)],
        }

    def _try(self, attack, attempt):
        """Return the outcome of one attempt and what brought it about."""
        try:
            with _Undone(self.cr):
                answer = attempt.call()
                # What the ORM let pass, PostgreSQL judges.
                self.cr.flush()
        except Skipped:
            return NOTHING, ''
        except Detected as detected:
            return FOUND, str(detected)
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
            _logger.exception("The attack %s of the tamper drill broke off", attack.key)
            return ERROR, f"{type(error).__name__}: {self._first_line(error)}"
        else:
            if not (isinstance(answer, dict) and 'refused' in answer):
                return NOT_REFUSED, "it was done, and undone by the drill"
            whole = answer['refused']
            text = f"signature refused: {self._first_line(whole)}"
        return (REFUSED if re.search(attack.expected, whole) else OTHER), text[:300]

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


def run(open_cursor, company_id, uid, attacks):
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
            results = drill.try_attacks(attacks)
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
