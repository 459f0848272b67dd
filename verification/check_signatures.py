"""Checks signatures: digest, content, the line in the ledger, and that the signed record is there (SIG-030, 21 CFR 11.70)."""

import contextlib

from ..domain.proofs import CHAIN_COLUMNS
from .check_keys import KeyChecks
from .evidence import SIGNATURE_COLUMNS, iso
from .ledger import CHECKPOINT, Finding, digest_of, encode, parse, sha256_text


class SignatureChecks(KeyChecks):
    """Every signature, and what signers accepted."""

    def _check_signatures(self):
        columns = ', '.join(f's.{name}::text' if name in ('signed_at', 'annex') else f's.{name}' for name in SIGNATURE_COLUMNS)
        query = f"""
            SELECT {columns}, s.content::text,
                   (s.create_uid, s.write_uid, s.write_date) IS NOT DISTINCT FROM (s.user_id, s.create_uid, s.create_date), (
                       SELECT count(*) FROM mrp_esignature o
                        WHERE o.res_model = s.res_model AND o.res_id = s.res_id
                          AND o.content_sha256 = s.content_sha256 AND o.content IS NOT NULL),
                   k.user_name, k.user_login, k.id, k.user_id, k.public_key, k.reason, k.rp_id, k.origin,
                   p.key_number, p.signature_sha256, f.meaning, f.res_id
              FROM mrp_esignature s LEFT JOIN mrp_signer_key k ON k.fingerprint = s.key_fingerprint
              LEFT JOIN LATERAL (SELECT o.key_number, o.signature_sha256 FROM mrp_esignature o
                                  WHERE o.user_id = s.user_id AND o.id < s.id ORDER BY o.id DESC LIMIT 1) p ON TRUE
              LEFT JOIN LATERAL (SELECT o.meaning, o.res_id FROM mrp_esignature o JOIN mrp_signer_key h ON h.id = o.res_id
                                  WHERE o.res_model = 'mrp.signer.key' AND h.user_id = s.user_id AND o.id < s.id
                                  ORDER BY o.id DESC LIMIT 1) f ON TRUE
             WHERE s.id > %(after)s AND {self._company_condition('s.company_id')} ORDER BY s.id"""
        for rows in self._rows(query):
            logged = self._read_signed_lines(rows)
            for row in rows:
                signature = dict(zip(SIGNATURE_COLUMNS, row[:len(SIGNATURE_COLUMNS)], strict=True))
                rest = row[len(SIGNATURE_COLUMNS):]
                yield from self._check_signature(signature, *rest[:3], logged.get((*row[1:3], str(row[0])), []), rest[5:])
                yield from self._check_printed_name(signature, *rest[3:5])
            yield from self._check_signed_records(rows)
            self.counts['signatures'] += len(rows)
            yield CHECKPOINT

    def _read_signed_lines(self, rows):
        """Return what the ledger says about signatures, by model and id of the record and number of the signature.

        ``_at_terminals`` are then the numbers of those that were given at a registered terminal or in a colleague's session.

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
        logged, self._at_terminals = {}, set()
        for record, text, signer in lines:
            try:
                values = parse(text or 'null')
                number, *said = (values[name]['new'] for name in ('signature_id', 'signature_sha256', 'content_sha256'))
                said += signer or (values['user_id']['new'], values['company_id']['new'])
            except (ValueError, TypeError, KeyError):
                continue  # the line itself was reported
            if {'terminal_of', 'terminal_sha256'} & values.keys():
                self._at_terminals.add(str(number))
            logged.setdefault((*record, str(number)), []).append('|'.join(map(str, said)))
        return logged

    def _check_signature(self, signature, content, is_kept, contents, logged, keys):
        def finding(expected, found):
            return Finding('mrp.esignature', signature['id'], f"{signature['meaning']} by {signature['signer_name']}: "
                           f"{signature['record_name']}", expected, found)

        if not is_kept:
            yield finding("a row that its signer stored, and no later change",
                          "another user or time in create_uid, write_uid or write_date")
        text = self._signature_text(signature)
        digest = sha256_text(text)
        if digest != signature['signature_sha256']:
            yield finding(f"digest {signature['signature_sha256']}", f"signature with digest {digest}")
        yield from self._check_key_of_signature(finding, signature, text, keys[:6], keys[6:8], keys[8:])
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

    def _check_printed_name(self, signature, name, login):
        """The name beside a signature is that of the key, or one that the ledger says this person had (SIG-020, SIG-110)."""
        said = (signature['signer_name'], signature['signer_login'])
        if name is None or said == (name, login):
            return
        known = self._read_names(signature['user_id'])
        for column, value, enrolled in zip(('signer_name', 'signer_login'), said, (name, login), strict=True):
            if value != enrolled and value not in known[column]:
                yield Finding('mrp.esignature', signature['id'], signature['record_name'],
                              f"{column} {enrolled}, as the key of the signer, or another one that the ledger knows", value)

    def _read_names(self, user):
        """Return the names and user names that the ledger says a person had."""
        names = self.__dict__.setdefault('_names', {})
        if user not in names:
            self.cr.execute(
                """SELECT "values"::text FROM mrp_audit_entry
                    WHERE res_model = 'res.users' AND res_id = %s AND kind IN ('setting', 'create', 'baseline')""", [user])
            names[user] = {'signer_name': set(), 'signer_login': set()}
            for text, in self.cr.fetchall():
                try:
                    values = parse(text or 'null') or {}
                    for column, name in (('signer_name', 'name'), ('signer_login', 'login')):
                        names[user][column] |= set(values.get(name, {}).values())
                except (ValueError, TypeError, AttributeError):
                    continue    # the line itself was reported
        return names[user]

    @staticmethod
    def _signature_text(row):
        """Return what the digest of a signature covers, from its columns (see mrp.esignature, ``_get_signed_content``)."""
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
        try:
            annex = None if annex is None else parse(annex)
        except ValueError as error:
            return f"none ({error})"
        if row['key_fingerprint'] is not None:
            nonce = row['key_nonce']
            schema = 'mrp_mmr/signature/3' if nonce is None else 'mrp_mmr/signature/4'
            content.update(schema=schema, annex=annex, basis=basis, key={
                'fingerprint': row['key_fingerprint'], 'number': row['key_number'], 'previous': row['key_previous'],
                **({} if nonce is None else {'nonce': nonce})})
        elif annex is not None or basis is not None:
            content.update(schema='mrp_mmr/signature/2', annex=annex, basis=basis)
        if annex is not None and not annex:
            return "none (its annex is empty)"
        return encode(content)

    def _check_acceptances(self):
        """What a signer accepted is the text with that digest, and the ledger has a line about it (SIG-070)."""
        query = f"""
            SELECT a.id, a.user_id, a.user_name, a.text, a.text_sha256, s.user_id, a.user_login, a.accepted_at::text
              FROM mrp_signer_acceptance a LEFT JOIN mrp_signer s ON s.id = a.signer_id
             WHERE a.id > %(after)s
               AND {self._company_condition('(SELECT u.company_id FROM res_users u WHERE u.id = a.user_id)')}
             ORDER BY a.id"""
        for rows in self._rows(query):
            logged = self._read_acceptance_lines({row[1] for row in rows})
            for acceptance, user, name, text, digest, signer, login, at in rows:
                found = sha256_text(encode({'schema': 'mrp_mmr/acceptance/1', 'text': text}))
                if found != digest:
                    yield Finding('mrp.signer.acceptance', acceptance, name, f"a text with digest {digest}",
                                  f"a text with digest {found}")
                if user != signer:
                    yield Finding('mrp.signer.acceptance', acceptance, name, f"user {user} as its signer", f"{signer}")
                said = logged.get((user, digest), [])
                if len(said) != 1:
                    yield Finding('mrp.signer.acceptance', acceptance, name, "one line in the ledger about it", f"{len(said)}")
                live = {'user_name': name, 'user_login': login, 'accepted_at': iso(at)}
                for column, expected in ((said and said[0]) or {}).items():
                    if expected != live.get(column):
                        yield Finding('mrp.signer.acceptance', acceptance, name, f"{column} {expected} as in the ledger",
                                      f"{live.get(column)}")
            self.counts['records'] += len(rows)
            yield CHECKPOINT

    def _read_acceptance_lines(self, users):
        """Return what lines of the ledger say, by user and digest of the accepted text; older ones say no more."""
        self.cr.execute(
            """SELECT res_id, "values"::text FROM mrp_audit_entry
                WHERE res_model = 'res.users' AND res_id = ANY(%s) AND kind = 'setting'""", [list(users)])
        logged = {}
        for user, values in self.cr.fetchall():
            with contextlib.suppress(ValueError, TypeError, KeyError):   # the line itself was reported, or is another one
                values = parse(values)
                logged.setdefault((user, values['acceptance_sha256']['new']), []).append(
                    values.get('acceptance', {}).get('new') or {})
        return logged

    def _check_signed_records(self, rows):
        """What was signed is still there."""
        by_model = {}
        for row in rows:
            by_model.setdefault(row[1], {}).setdefault(row[2], row)
        for model, records in by_model.items():
            self.cr.execute("SELECT to_regclass(%s)::text", [model.replace('.', '_')])
            table, = self.cr.fetchone()
            if table and model in CHAIN_COLUMNS:
                self.cr.execute(f"SELECT id FROM {table} WHERE id = ANY(%s)", [list(records)])
                for missing in sorted(records.keys() - {row[0] for row in self.cr.fetchall()}):
                    yield Finding(model, missing, records[missing][3], "the record that was signed", "none: it was deleted")
            elif not table:
                for res_id, row in records.items():
                    yield Finding('mrp.esignature', row[0], row[3], "the signature of a record", f"{model},{res_id}")
