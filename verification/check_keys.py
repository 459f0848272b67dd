"""Checks the keys of signers: what they are, who enrolled them, that nobody's last signatures are gone (SIG-110, SIG-120)."""

from ..domain.canonical import GENESIS
from ..domain.passkeys import Assertion, BadAssertion, is_key_signature
from ..domain.public_keys import PublicKey
from .evidence import EvidenceReader, iso
from .ledger import CHECKPOINT, REMARK, Finding, encode, parse

#: What of a key its enrolment was signed for.
SIGNED = ('id', 'algorithm', 'public_key', 'fingerprint', 'reason')
#: What of a passkey its enrolment was signed for: name in the content → column.
PASSKEY = {'credential': 'credential_id', 'rp_id': 'rp_id', 'origin': 'origin', 'synced': 'is_synced'}


def read_sealed_keys(cr, company):
    """Return the keys of the signers of a company as a seal has them (SIG-110, SIG-120).

    :return: list of ``[fingerprint, id, user, signature, meaning]`` in the order of the ids: the last signature over the key,
        which enrolled or revoked it, or None
    """
    cr.execute(
        """SELECT k.fingerprint, k.id, k.user_id, s.id, s.meaning
             FROM mrp_signer_key k LEFT JOIN LATERAL (
                  SELECT g.id, g.meaning FROM mrp_esignature g WHERE g.res_model = 'mrp.signer.key' AND g.res_id = k.id
                   ORDER BY g.id DESC LIMIT 1) s ON TRUE
            WHERE k.company_id = %s ORDER BY k.id""", [company])
    return [list(row) for row in cr.fetchall()]


class KeyChecks(EvidenceReader):
    """Every key of a signer, and the signatures that brought it into force or ended it."""

    def _read_first_signatures(self):
        """Return the first signature with a key, the first enrolment, and until when others sign after an update."""
        if not hasattr(self, '_firsts'):
            self.cr.execute(
                """SELECT (SELECT min(id) FROM mrp_esignature WHERE key_number IS NOT NULL), (
                          SELECT min(id) FROM mrp_esignature WHERE res_model = 'mrp.signer.key' AND meaning = 'approved'), (
                          SELECT e."values"::text FROM mrp_audit_entry e
                           WHERE e.res_model = 'res.company' AND e.kind = 'setting'
                             AND e."values"::text LIKE '%%"key_transition"%%'
                             AND NOT EXISTS (SELECT FROM mrp_signer_key k WHERE k.made_at < e.at) ORDER BY e.id LIMIT 1)""")
            *firsts, values = self.cr.fetchone()
            self._firsts = (*firsts, self._read_logged(values, 'key_transition'))
        return self._firsts

    @staticmethod
    def _is_synced(signature):
        try:
            return Assertion.from_text(signature['key_signature']).is_synced
        except BadAssertion:
            return False    # which is reported

    def _is_recovered(self, user, at):
        """Whether the server had opened the enrolment of the own key of a person at a time, as the ledger says (SIG-120)."""
        if not hasattr(self, '_recoveries'):
            self.cr.execute(
                """SELECT res_id, at::text, "values"::text FROM mrp_audit_entry
                    WHERE res_model = 'res.users' AND kind = 'setting' AND "values"::text LIKE '%"key_recovery"%'
                    ORDER BY id""")
            self._recoveries = [(opened, begin, self._read_logged(values, 'key_recovery') or '')
                                for opened, begin, values in self.cr.fetchall()]
        last = [row for row in self._recoveries if row[1] <= (at or '')][-1:]
        return bool(last) and last[0][0] == user and at <= last[0][2]

    @staticmethod
    def _read_logged(text, name):
        """Return what a line of the ledger says is new of something, or None."""
        try:
            return parse(text or 'null')[name]['new']
        except (ValueError, TypeError, KeyError):
            return None     # the line itself was reported, or is another one

    def _check_key_of_signature(self, finding, signature, text, key, before, last):
        """Yield what is wrong with the signature of a key, and with its place among those of its signer.

        :param str text: canonical JSON of the signed content
        :param key: id, user, public key, reason, server and address of the key that the signature names
        :param before: number and digest of the signature of this person before
        :param last: meaning and key of the last signature over a key of this person before
        """
        first_keyed, first_enrolment, transition = self._read_first_signatures()
        if signature['key_fingerprint'] is None:
            if signature['key_signature'] or signature['key_number'] or signature['key_previous']:
                yield finding("key_fingerprint of the key that signed", "none")
            elif first_keyed and signature['id'] > first_keyed:
                yield finding("key_signature, as of every signature since the first one with a key", "none")
            else:
                self.counts['without_key'] += 1
            return
        key_id, user, public_key, reason, rp_id, origin = key
        if key_id is None:
            yield finding(f"key_fingerprint of a key: {signature['key_fingerprint']}", "no such key")
            return
        if user != signature['user_id']:
            yield finding(f"key_fingerprint of a key of user {signature['user_id']}", f"a key of user {user}")
        if not is_key_signature(
                public_key, signature['key_signature'], text.encode('utf-8', 'surrogatepass'), rp_id, origin):
            yield finding("key_signature made with the key of the signer over this signature",
                          f"key_signature {signature['key_signature']}, which was not")
        if signature['key_nonce'] and str(signature['id']) in self._at_terminals and self._is_synced(signature):
            yield finding("a passkey that cannot be copied, at a shared terminal", "one that may be copied")
        is_own = (signature['res_model'], signature['res_id']) == ('mrp.signer.key', key_id)
        is_first = is_own and (signature['id'] == first_enrolment or reason == 'recovery' and self._is_recovered(
            user, signature['signed_at']))
        in_time = reason == 'update' and last == (None, None) and (signature['signed_at'] or '') <= (transition or '')
        if last != ('approved', key_id) and not is_first and not in_time:
            yield finding(f"key_fingerprint of the key in force: {last[1] if last[0] == 'approved' else 'none'}",
                          f"key {key_id}, which was not")
        expected = ((before[0] or 0) + 1, before[1] or GENESIS)
        found = (signature['key_number'], signature['key_previous'])
        if expected[0] != found[0]:
            yield finding(f"key_number {expected[0]} of its signer", f"{found[0]}")
        if expected[1] != found[1]:
            yield finding(f"key_previous {expected[1]}, the signature of the signer before", f"{found[1]}")

    def _check_keys(self):
        yield from self._check_sealed_keys()
        query = f"""
            SELECT t.id, t.user_id, t.user_login, t.algorithm, t.public_key, t.fingerprint, t.reason, x.number,
                   x.signature_sha256, l.key_number, l.signature_sha256, l.key_fingerprint, (
                       SELECT e."values"::text FROM mrp_audit_entry e
                        WHERE e.kind = 'sign' AND e.user_id = t.user_id ORDER BY e.id DESC LIMIT 1),
                   t.credential_id, t.rp_id, t.origin, COALESCE(t.is_synced, FALSE)
              FROM mrp_signer_key t LEFT JOIN mrp_signer_secret x ON x.key_id = t.id
              LEFT JOIN LATERAL (SELECT s.key_number, s.signature_sha256, s.key_fingerprint FROM mrp_esignature s
                                  WHERE s.user_id = t.user_id ORDER BY s.id DESC LIMIT 1) l ON TRUE
             WHERE t.id > %(after)s AND {self._model_condition('mrp.signer.key')} ORDER BY t.id"""
        for rows in self._rows(query):
            self.cr.execute(
                """SELECT id, res_id, user_id, meaning, content::text, signed_at::text FROM mrp_esignature
                    WHERE res_model = 'mrp.signer.key' AND res_id = ANY(%s) ORDER BY id""", [[row[0] for row in rows]])
            signed = {}
            for row in self.cr.fetchall():
                signed.setdefault(row[1], []).append(row)
            for row in rows:
                yield from self._check_key(row, signed.get(row[0], []))
            self.counts['records'] += len(rows)
            yield CHECKPOINT

    def _check_sealed_keys(self):
        """Each key that a seal lists is there, of the same person, and so is the signature that enrolled or revoked it."""
        self.cr.execute(f"""
            SELECT k.key ->> 1, k.key ->> 0, min(s.index), max(s.index), t.id, t.user_id, k.key ->> 2, k.key ->> 3, g.meaning,
                   k.key ->> 4
              FROM mrp_audit_seal s
              CROSS JOIN jsonb_array_elements(CASE WHEN jsonb_typeof(s.keys) = 'array' THEN s.keys END) AS k (key)
              LEFT JOIN mrp_signer_key t ON t.fingerprint = k.key ->> 0
              LEFT JOIN mrp_esignature g ON g.res_model = 'mrp.signer.key' AND g.res_id = t.id AND g.id::text = k.key ->> 3
             WHERE {self._company_condition('s.company_id')}
             GROUP BY k.key, t.id, t.user_id, g.meaning
            HAVING t.id::text IS DISTINCT FROM k.key ->> 1 OR t.user_id::text IS DISTINCT FROM k.key ->> 2
                OR g.meaning IS DISTINCT FROM k.key ->> 4
             ORDER BY 3, 1""")
        for number, fingerprint, first, last, key, user, wanted, signature, meaning, said in self.cr.fetchall():
            name = f"key {(fingerprint or '')[:16]} of seals {first} to {last}"
            res_id = key or (int(number) if (number or '').isdigit() else None)
            if (str(key), str(user)) != (number, wanted):
                yield Finding('mrp.signer.key', res_id, name, f"key {number} of user {wanted} with fingerprint {fingerprint}",
                              f"key {key} of user {user}" if key else "none: it was deleted or changed")
            elif meaning != said:
                yield Finding('mrp.signer.key', res_id, name, f"signature {signature} over it, which means {said}",
                              f"one that means {meaning}" if meaning else "none")

    def _check_key(self, row, signed):
        key_id, user, login, algorithm, public_key, fingerprint, reason, *ends = row[:-4]
        passkey = dict(zip(PASSKEY, row[-4:], strict=True)) if row[-4] is not None else None

        def finding(expected, found, **severity):
            return Finding('mrp.signer.key', key_id, f"{login}, key {fingerprint[:16]}", expected, found, **severity)

        try:
            key = PublicKey.from_text(public_key)
        except ValueError as error:
            yield finding("public_key", f"none ({error})")
            return
        if (key.kind, key.fingerprint) != (algorithm, fingerprint):
            yield finding(f"algorithm {key.kind} and fingerprint {key.fingerprint} of its public_key",
                          f"{algorithm} and {fingerprint}")
        columns = dict(zip(SIGNED, (key_id, algorithm, public_key, fingerprint, reason), strict=True))
        for enrolment in signed:
            yield from self._check_enrolment(finding, enrolment, user, columns, passkey)
        transition = self._read_first_signatures()[2]
        if reason == 'update' and not signed and ends[4] == fingerprint:
            late = iso(transition or '') or ''
            yield finding("its enrolment by a security administrator", f"none yet; it signs until {late}", severity=REMARK)
        yield from self._check_end(finding, fingerprint, *ends)

    def _check_enrolment(self, finding, enrolment, user, columns, passkey):
        number, _key, signer, meaning, content, signed_at = enrolment
        try:
            content = parse(content or 'null')
            said = {name: content['key'][name] for name in SIGNED}
            if said != columns or content['signer']['user'] != user:
                yield finding(f"the key of user {user} as in signature {number}: {encode(columns)}",
                              f"{encode(said)} of user {content['signer']['user']}")
            if content['key'].get('passkey') != passkey:
                yield finding(f"the passkey as in signature {number}: {encode(passkey)}", encode(content['key'].get('passkey')))
            if content['action'] != {'approved': 'enrol', 'retired': 'revoke'}.get(meaning):
                yield finding(f"signature {number} that means {meaning}", f"content of {content['action']}")
        except (ValueError, TypeError, KeyError) as error:
            yield finding(f"content of signature {number}, which is about this key", f"none ({type(error).__name__})")
        if signer == user and meaning == 'approved' and number != self._read_first_signatures()[1]:
            if columns['reason'] == 'recovery' and self._is_recovered(user, signed_at):
                found = f"signature {number} of its holder: the server had opened it, as nobody could enrol"
                yield finding("its enrolment by another person", found, severity=REMARK)
            else:
                yield finding("its enrolment by another person", f"signature {number} of its holder")

    def _check_end(self, finding, fingerprint, number, digest, last_number, last_digest, last_key, logged):
        """The last signature with a key is the one that the secret, and the ledger, remember."""
        if number is not None and last_key == fingerprint and (number, digest) != (last_number, last_digest) \
                or number and last_key is None or (number is None) != (digest is None):
            yield finding(f"signature {number} with digest {digest} as the last one of its holder",
                          f"signature {last_number} with digest {last_digest}")
            return
        logged = self._read_logged(logged, 'signature_sha256')
        if last_key == fingerprint and logged not in (None, last_digest):
            yield finding(f"the last signature of its holder as in the ledger: {logged}", f"{last_digest}")
