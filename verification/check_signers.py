"""Checks signers: suspensions end by another's enrolment, secrets of keys in force are there, ways back are told (SIG-120)."""

from .evidence import EvidenceReader
from .ledger import CHECKPOINT, REMARK, Finding, parse


class SignerChecks(EvidenceReader):
    """Who is suspended, as the ledger says it."""

    def _check_suspensions(self):
        query = f"""
            SELECT s.id, s.user_id, u.login, s.suspended_at::text, s.suspended_by_id
              FROM mrp_signer s JOIN res_users u ON u.id = s.user_id
             WHERE s.id > %(after)s AND {self._company_condition('u.company_id')} ORDER BY s.id"""
        for rows in self._rows(query):
            users = [row[1] for row in rows]
            lines, enrolments = self._read_suspension_lines(users), self._read_enrolments(users)
            for row in rows:
                yield from self._check_suspension(row, lines.get(row[1], []), enrolments.get(row[1], []))
            self.counts['records'] += len(rows)
            yield CHECKPOINT

    def _read_suspension_lines(self, users):
        """Return what the ledger says of the suspensions of these users: rows of time, state and who caused it, by user."""
        self.cr.execute(
            """SELECT res_id, at::text, "values"::text FROM mrp_audit_entry
                WHERE res_model = 'res.users' AND res_id = ANY(%s) AND kind = 'setting'
                  AND "values"::text LIKE '%%"signing"%%' ORDER BY id""", [users])
        lines = {}
        for user, at, text in self.cr.fetchall():
            try:
                values = parse(text)
                lines.setdefault(user, []).append((at, values['signing']['new'], values.get('suspended_by')))
            except (ValueError, TypeError, KeyError):
                continue    # the line itself was reported, or is about something else
        return lines

    def _read_enrolments(self, users):
        """Return when keys of these users were made, enrolled and by whom: rows of making, time and signer, by user."""
        self.cr.execute(
            """SELECT k.user_id, k.made_at::text, s.signed_at::text, s.user_id
                 FROM mrp_signer_key k LEFT JOIN mrp_esignature s
                   ON s.res_model = 'mrp.signer.key' AND s.res_id = k.id AND s.meaning = 'approved'
                WHERE k.user_id = ANY(%s) ORDER BY k.id, s.id""", [users])
        enrolments = {}
        for user, *row in self.cr.fetchall():
            enrolments.setdefault(user, []).append(row)
        return enrolments

    def _check_suspension(self, row, lines, enrolments):
        signer, _user, login, suspended_at, suspended_by = row

        def finding(expected, found):
            return Finding('mrp.signer', signer, login, expected, found)

        since, causes = None, []
        is_named = False    # lines of earlier versions do not say who caused it
        for at, state, said in lines:
            if state == 'suspended':
                since, is_named = at, said is not None
                causes.append((said or {}).get('new'))
                continue
            if since and not self._has_ended(since, at, causes, enrolments):
                yield finding(f"the suspension of {since} until somebody other than who caused it enrolled the key",
                              f"its end at {at}, without such an enrolment")
            since, causes = None, []
        cause = causes[-1] if causes else None
        if since and is_named and not suspended_at:
            yield finding(f"the suspension of {since}, as in the ledger", "none: it vanished")
        elif since and is_named and suspended_by != cause:
            yield finding(f"a suspension that user {cause} caused, as in the ledger", f"one that user {suspended_by} caused")

    @staticmethod
    def _has_ended(since, at, causes, enrolments):
        """Whether a key was enrolled in between by another person than those who caused it, or none was made yet."""
        if not any(made < at for made, *_rest in enrolments):
            return True
        return any(signed is not None and since <= signed <= at and signer not in causes
                   for _made, signed, signer in enrolments)

    # === SECRETS === #

    def _check_secrets(self):
        """What is stored of the key in force of each person is there, unless its signing password was forgotten in Odoo.

        Whoever deletes it lets nobody sign any more, and opens the way back by the server (SIG-110, SIG-120).
        """
        query = f"""
            SELECT l.user_id, l.key, l.login, l.signed_at::text FROM (
                SELECT DISTINCT ON (k.user_id) k.user_id, k.id AS key, k.user_login AS login, k.company_id, g.meaning,
                       g.signed_at
                  FROM mrp_signer_key k JOIN mrp_esignature g ON g.res_model = 'mrp.signer.key' AND g.res_id = k.id
                 ORDER BY k.user_id, g.id DESC) l
             WHERE l.user_id > %(after)s AND l.meaning = 'approved' AND {self._company_condition('l.company_id')}
               AND NOT EXISTS (SELECT FROM mrp_signer_secret x WHERE x.key_id = l.key) ORDER BY l.user_id"""
        for rows in self._rows(query):
            forgotten = self._read_forgotten([row[0] for row in rows])
            for user, key, login, signed_at in rows:
                if forgotten.get(user, '') < signed_at:
                    yield Finding('mrp.signer.key', key, f"{login}, key {key}", "what is stored of the key in force",
                                  "none: it was deleted outside Odoo")
            yield CHECKPOINT

    def _read_forgotten(self, users):
        """Return when the signing password of each of these users was forgotten last, as the ledger says."""
        self.cr.execute(
            """SELECT res_id, at::text, "values"::text FROM mrp_audit_entry
                WHERE res_model = 'res.users' AND res_id = ANY(%s) AND kind = 'setting'
                  AND "values"::text LIKE '%%"enrolment_until"%%' ORDER BY id""", [users])
        forgotten = {}
        for user, at, text in self.cr.fetchall():
            try:
                if parse(text)['signing_password']['new'] is False:
                    forgotten[user] = at
            except (ValueError, TypeError, KeyError):
                continue    # the line itself was reported, or is about something else
        return forgotten

    # === THE WAY BACK === #

    def _check_recoveries(self):
        """Each way back that the server opened is told, from then on: who opened it for whom, and that no key came of it."""
        self.cr.execute(
            f"""SELECT e.id, e.res_id, u.login, e.at::text, e."values"::text FROM mrp_audit_entry e
                  JOIN res_users u ON u.id = e.res_id
                 WHERE e.res_model = 'res.users' AND e.kind = 'setting' AND e."values"::text LIKE '%%"key_recovery"%%'
                   AND {self._company_condition('u.company_id')} ORDER BY e.id""", {})
        lines = self.cr.fetchall()
        self.cr.execute(
            """SELECT k.user_id, g.signed_at::text FROM mrp_signer_key k
                 JOIN mrp_esignature g ON g.res_model = 'mrp.signer.key' AND g.res_id = k.id AND g.user_id = k.user_id
                WHERE k.reason = 'recovery' AND g.meaning = 'approved' AND k.user_id = ANY(%s)""", [[row[1] for row in lines]])
        enrolled = self.cr.fetchall()
        for _line, user, login, at, text in lines:
            try:
                values = parse(text)
                until, by = values['key_recovery']['new'] or '', values['opened_by']['new']
            except (ValueError, TypeError, KeyError):
                continue    # the line itself was reported
            # An enrolment is a remark of its own.
            if not any(owner == user and at <= signed <= until for owner, signed in enrolled):
                yield Finding('res.users', user, login, "security administrators who enrol keys",
                              f"a way back for this person alone, opened on the server at {at} until {until} by {by}; "
                              f"no key came of it yet", REMARK)
