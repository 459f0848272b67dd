"""Checks continuous sessions, signatures with a PIN in them, and the settings of PINs (SIG-130, 21 CFR 11.200(a)(1)(i))."""

from datetime import datetime, timedelta

from ..domain.session_pins import USUAL, USUAL_IDLE
from .evidence import EvidenceReader
from .ledger import CHECKPOINT, Finding, parse

#: Settings of a company, and what they are while no line of the ledger says anything of them.
SETTINGS = {'mmr_pin': False, 'mmr_pin_length': USUAL, 'mmr_pin_idle_minutes': USUAL_IDLE}
#: What the line of a signature, and the line that began its session, say alike.
WHERE = ('session_sha256', 'terminal_sha256')


class SessionChecks(EvidenceReader):
    """Each PIN signed in a session that its person began there, that had not ended, and in time."""

    def _check_sessions(self):
        begun, ended = self._read_session_lines()
        yield from self._check_pin_settings()
        yield from self._check_open_sessions(begun, ended)
        query = f"""
            SELECT e.id, e.res_model, e.res_id, e.record_name, e.user_id, e.at::text, e."values"::text
              FROM mrp_audit_entry e
             WHERE e.id > %(after)s AND e.kind = 'sign' AND e."values"::text LIKE '%%"authenticated"%%"PIN"%%'
               AND {self._company_condition('e.company_id')} ORDER BY e.id"""
        for rows in self._rows(query):
            for row in rows:
                yield from self._check_pin_line(row, begun, ended)
            yield CHECKPOINT

    def _read_session_lines(self):
        """Return what the ledger says of sessions, by token: the line that began it, with time and values; the line of its end.

        Of the beginning, ``used`` is when the session was used last; it grows while signatures are read in order.
        """
        self.cr.execute(
            """SELECT id, kind, user_id, at::text, "values"::text FROM mrp_audit_entry
                WHERE res_model = 'mrp.signer.session' AND kind IN ('create', 'unlink') ORDER BY id""")
        begun, ended = {}, {}
        for line, kind, user, at, text in self.cr.fetchall():
            try:
                values = parse(text)
                if kind == 'create':
                    said = {name: change['new'] for name, change in values.items()}
                    begun[said['token']] = {**said, 'line': line, 'by': user, 'used': at}
                else:
                    ended[values['token']['old']] = line
            except (ValueError, TypeError, KeyError):
                continue    # the line itself was reported
        return begun, ended

    def _check_pin_line(self, row, begun, ended):
        line, model, res_id, name, user, at, text = row

        def finding(expected, found):
            return Finding(model, res_id, f"{name}: signed with a PIN, line {line}", expected, found)

        try:
            values = parse(text)
            session = begun.get(values['authenticated']['new'].get('session'))
            where = {place: values[place]['new'] for place in WHERE if place in values}
        except (ValueError, TypeError, KeyError, AttributeError):
            return      # the line itself was reported, or was typed otherwise
        if not session or session['line'] > line or (session['by'], session.get('user_id')) != (user, user):
            yield finding(f"a continuous session that user {user} began before", "none in the ledger")
            return
        if where != {place: session.get(place) for place in WHERE}:
            yield finding("session and terminal of its beginning", "another one")
        if ended.get(session['token'], line) < line:
            yield finding("a continuous session that goes on", f"one that ended in line {ended[session['token']]}")
        since, session['used'] = datetime.fromisoformat(session['used']), at
        if datetime.fromisoformat(at) - since > timedelta(minutes=session.get('idle_minutes') or 0):
            yield finding(f"a signature within {session.get('idle_minutes')} minutes of the one before", f"one at {at}")

    def _check_open_sessions(self, begun, ended):
        """Each stored session is one that the ledger began and did not end (AUD-080)."""
        self.cr.execute(f"""
            SELECT s.id, u.login, s.user_id, s.signature_id, s.token, s.session_sha256, s.terminal_sha256
              FROM mrp_signer_session s JOIN res_users u ON u.id = s.user_id
             WHERE {self._company_condition('s.company_id')} ORDER BY s.id""")
        for session, login, *live in self.cr.fetchall():
            said = begun.get(live[2])
            expected = said and [said.get(name) for name in ('user_id', 'signature_id', 'token', *WHERE)]
            if expected != live or live[2] in ended:
                yield Finding('mrp.signer.session', session, login, "a continuous session as the ledger began it",
                              "one that has ended" if live[2] in ended else "another one, or none")

    def _check_pin_settings(self):
        self.cr.execute(f"""
            SELECT c.id, c.name, n.name, to_jsonb(c) -> n.name, (
                       SELECT e."values"::jsonb -> n.name -> 'new' FROM mrp_audit_entry e
                        WHERE e.res_model = 'res.company' AND e.res_id = c.id AND e.kind = 'setting'
                          AND e."values"::text LIKE '%%"' || n.name || '":%%' ORDER BY e.id DESC LIMIT 1)
              FROM res_company c CROSS JOIN unnest(%s) AS n (name)
             WHERE {self._company_condition('c.id')} ORDER BY c.id, n.name""", [list(SETTINGS)])
        for company, title, name, live, said in self.cr.fetchall():
            usual = SETTINGS[name]
            expected, found = usual if said is None else said, usual if live is None else live
            if expected != found:
                yield Finding('res.company', company, title, f"{name} {expected} as in the ledger", f"{found}")
