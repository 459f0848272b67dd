"""Checks roles of people and what is known about signers against the ledger (AUD-060, AUD-080, 21 CFR 11.10(d), (g))."""

import hashlib
import json

from ..domain.proofs import LOGIN_PASSWORD, SIGNER_COLUMNS
from ..domain.roles import SHIPPED_NAMES
from .evidence import ROWS, EvidenceReader, iso
from .ledger import CHECKPOINT, Finding, parse

#: Users with the GMP roles that they have, themselves or by other groups; the names of the roles as the ledger has them.
_ROLES = """
    WITH RECURSIVE gmp AS (
        SELECT g.id, g.name ->> 'en_US' AS name FROM res_groups g
          JOIN ir_model_data d ON d.model = 'res.groups' AND d.module = 'mrp_mmr' AND d.res_id = g.id),
    giving AS (
        SELECT id AS role, id AS giver FROM gmp
         UNION SELECT g.role, i.gid FROM giving g JOIN res_groups_implied_rel i ON i.hid = g.giver),
    held AS (
        SELECT r.uid, array_agg(DISTINCT p.name ORDER BY p.name) AS roles
          FROM giving g JOIN res_groups_users_rel r ON r.gid = g.giver JOIN gmp p ON p.id = g.role GROUP BY r.uid)
    SELECT u.id, u.login, h.roles, u.active, u.partner_id, u.mmr_auditor_until::text,
           ARRAY(SELECT c.cid FROM res_company_users_rel c WHERE c.user_id = u.id ORDER BY c.cid)
      FROM res_users u LEFT JOIN held h ON h.uid = u.id
     WHERE u.id > %(after)s AND {condition} AND (h.roles IS NOT NULL OR EXISTS (
        SELECT FROM mrp_audit_entry e WHERE e.res_model = 'res.users' AND e.res_id = u.id AND e.kind = 'setting'))
     ORDER BY u.id"""


class PeopleChecks(EvidenceReader):
    """Users with their roles, and signers."""

    def _read_user_lines(self, users):
        """Return the values of the lines about users in order, as a dict from user to dicts of names and new values."""
        self.cr.execute(
            """SELECT res_id, kind, "values"::text FROM mrp_audit_entry
                WHERE res_model = 'res.users' AND res_id = ANY(%s) AND kind IN ('setting', 'create', 'baseline')
                ORDER BY id""", [list(users)])
        lines = {}
        for user, _kind, text in self.cr.fetchall():
            try:
                lines.setdefault(user, []).append({name: row.get('new') for name, row in parse(text).items()})
            except (ValueError, TypeError, AttributeError):
                continue    # the line itself was reported
        return lines

    def _read_role_names(self):
        """Return the names of the roles now, and as the addon brought them."""
        self.cr.execute("""SELECT g.name ->> 'en_US', d.name FROM res_groups g JOIN ir_model_data d
                               ON d.model = 'res.groups' AND d.module = 'mrp_mmr' AND d.res_id = g.id""")
        return {name: SHIPPED_NAMES.get(xmlid, name) for name, xmlid in self.cr.fetchall()}

    def _check_roles(self):
        """Each user has the roles that the ledger gave, and is the same person (AUD-060).

        The rest of an account is compared from the line on that says all of it: when the first role is given.
        """
        names = self._read_role_names()
        for rows in self._rows(_ROLES.replace('{condition}', self._company_condition('u.company_id')), ROWS):
            lines = self._read_user_lines(row[0] for row in rows)
            for user, login, roles, active, partner, until, companies in rows:
                said, is_whole, has_roles = {}, False, False
                for values in lines.get(user, ()):
                    said.update(values)
                    if 'roles' in values:
                        is_whole = bool(values['roles']) and (is_whole or not has_roles and 'login' in values)
                        has_roles = bool(values['roles'])
                live = {'roles': sorted(roles or ())}
                if is_whole:
                    live.update(login=login, active=active, partner_id=partner, company_ids=list(companies),
                                mmr_auditor_until=until)
                for name, value in live.items():
                    expected = said.get(name)
                    if name == 'roles':
                        expected = self._present_names(expected, names)
                    if expected != value:
                        yield Finding('res.users', user, login, f"{name} {self._shown(expected)} as in the ledger",
                                      self._shown(value))
            self.counts['records'] += len(rows)
            yield CHECKPOINT

    @staticmethod
    def _present_names(said, names):
        """Return the roles that the ledger names as they are called now: it may know one by the name that it came with."""
        said = set(said or ())
        return sorted(name for name, shipped in names.items() if name in said or shipped in said)

    def _check_signers(self):
        """What decides who may sign is what the ledger said last, the hash of a signing password by its digest (SIG-080)."""
        columns = ', '.join(f't."{name}"::text' for name in SIGNER_COLUMNS)
        query = f"""
            SELECT t.id, t.user_id, u.login, u.password, {columns} FROM mrp_signer t JOIN res_users u ON u.id = t.user_id
             WHERE t.id > %(after)s AND {self._company_condition('u.company_id')} ORDER BY t.id"""
        for rows in self._rows(query, ROWS):
            lines = self._read_user_lines(row[1] for row in rows)
            for signer, user, login, password, *values in rows:
                live = {name: self._signer_text(name, value) for name, value in zip(SIGNER_COLUMNS, values, strict=True)}
                said = [line['signer'] for line in lines.get(user, ()) if isinstance(line.get('signer'), dict)]
                if not said:
                    if live['identity_verified_at']:
                        yield Finding('mrp.signer', signer, login, "what is known about the signer in the ledger",
                                      "no line about it")
                    continue
                if LOGIN_PASSWORD in said[-1]:
                    live[LOGIN_PASSWORD] = self._signer_text(LOGIN_PASSWORD, password)
                for name, value in live.items():
                    expected = said[-1].get(name)
                    expected = expected if expected is None or isinstance(expected, bool) else str(expected)
                    if expected != value:
                        yield Finding('mrp.signer', signer, login, f"{name} {self._shown(expected)} as in the ledger",
                                      self._shown(value))
            self.counts['records'] += len(rows)
            yield CHECKPOINT

    @staticmethod
    def _signer_text(name, value):
        """Return a column as the ledger says it; of a hash its digest."""
        if value in (None, '', 'false'):
            return None
        if name in ('signing_password', LOGIN_PASSWORD):
            return hashlib.sha256(json.dumps(value, ensure_ascii=False).encode()).hexdigest()
        if name.endswith(('_at', '_until')):
            return iso(value)
        return True if value == 'true' else value

    @staticmethod
    def _shown(value):
        return ', '.join(map(str, value)) or "none" if isinstance(value, list) else "none" if value is None else str(value)
