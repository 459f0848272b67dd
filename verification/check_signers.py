"""Checks suspensions: none vanished, and each ended by an enrolment of somebody other than who caused it (SIG-120)."""

from .evidence import EvidenceReader
from .ledger import CHECKPOINT, Finding, parse


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
