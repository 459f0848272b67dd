"""Passkeys as keys of signers: made, enrolled, signing by assertions, falsified, verified, in a bundle.

SIG-110, SIG-120; cases H-01, H-02.
"""

import base64
import io
import json
import tempfile
import zipfile

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged
from odoo.tools import SQL

from odoo.addons.mrp_mmr.domain.canonical import canonical_json
from odoo.addons.mrp_mmr.domain.passkeys import Assertion, to_base64url
from odoo.addons.mrp_mmr.domain.sessions import at_terminal, session_of
from odoo.addons.mrp_mmr.models.people.signer_passkey import SESSION_KEY
from odoo.addons.mrp_mmr.verification import bundle as bundles
from odoo.addons.mrp_mmr.verification import verify

from ..common.authenticator import KINDS, Authenticator
from ..common.base import PASSWORD
from ..common.signing import at_any_terminal, enrol_waiting
from .test_signer_key import KeyCommon

ORIGIN = 'https://erp.example.com'


class PasskeyCommon(KeyCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if 'auth.passkey.key' not in cls.env:
            cls.skipTest(cls, "auth_passkey is not installed")
        cls._set_origin(ORIGIN)
        cls.session = {}

    @classmethod
    def _set_origin(cls, origin):
        cls.origin = origin
        cls.env['ir.config_parameter'].sudo().set_param('web.base.url', origin)

    def _register(self, user, authenticator):
        """Store a passkey of ``user`` as Odoo's app does."""
        row = self.env['auth.passkey.key'].with_user(user).sudo().create(
            {'name': "Key", 'credential_identifier': authenticator.credential})
        self.env.cr.execute("UPDATE auth_passkey_key SET public_key = %s WHERE id = %s", [
            base64.urlsafe_b64encode(authenticator.cose).decode(), row.id])
        self.env.invalidate_all()
        return row

    def _make(self, user, authenticator, **changes):
        """Let ``user`` make the own passkey the own key, as the dialog in the preferences does."""
        users = self.env['res.users'].with_user(user)
        with session_of(user, self.session):
            asked = users.mmr_ask_passkey()
            if 'refused' in asked:
                return asked
            return users.mmr_make_passkey(authenticator.answer(asked['options'], self.origin, **changes))

    def _enrol_passkey(self, user, authenticator):
        self._register(user, authenticator)
        made = self._make(user, authenticator)
        key = self.keys._get_last(user)
        self.assertEqual(made.get('done'), key.short, made)
        self.assertIn('signature_id', enrol_waiting(user))
        return key

    def _ask(self, record, action, user, login=None, comment=None, session=None):
        record = record.with_user(session or user)
        digest = record.esign_prepare(action)['digest']
        return record.esign_passkey(action, user.login if login is None else login, digest, comment), digest

    def _answer(self, record, action, user, authenticator, comment=None, session=None, answer=None, **changes):
        """Sign as the dialog does with a passkey; return its answer."""
        with session_of(session or user, self.session):
            asked, digest = self._ask(record, action, user, comment=comment, session=session)
            if 'refused' in asked:
                return asked
            answer = answer or authenticator.answer(asked['options'], self.origin, **changes)
            return record.with_user(session or user).esign(
                action, {'login': user.login, 'webauthn_response': answer}, digest, comment)


@tagged('post_install', '-at_install')
class TestPasskey(PasskeyCommon):

    # === MAKING === #

    def test_kinds(self):
        """SIG-110, SIG-120: a passkey of each kind is made, enrolled, signs, is verified here and in a bundle."""
        for kind, size in zip(KINDS, (100, 200, 300), strict=True):
            user = self._create_person(f't_{kind}')
            with self.subTest(kind=kind):
                authenticator = Authenticator(kind)
                self._register(user, authenticator)
                revision = self._create_mmr(size)
                made = self._make(user, authenticator)
                key = self.keys._get_last(user)
                self.assertRecordValues(key, [{
                    'algorithm': kind, 'credential_id': authenticator.credential, 'rp_id': 'erp.example.com', 'origin': ORIGIN,
                    'state': 'waiting', 'reason': 'first', 'is_synced': False}])
                self.assertEqual(made, {'done': key.short})
                self.assertEqual(self._make(user, authenticator), made, "once")
                self.assertIn(key.short, self._answer(revision, 'submit', user, authenticator)['refused'])
                self.assertIn('signature_id', enrol_waiting(user))
                content = key.enrolment_id.content
                self.assertEqual((content['schema'], content['key']['passkey']), ('mrp_mmr/key/2', {
                    'credential': authenticator.credential, 'rp_id': 'erp.example.com', 'origin': ORIGIN, 'synced': False}))
                answer = self._answer(revision, 'submit', user, authenticator)
                self.assertIn('signature_id', answer, answer)
                signature = self.env['mrp.esignature'].sudo().browse(answer['signature_id'])
                self._check_signature(signature, key)
                self.assertIn('signature_id', self._answer(self._create_mmr(size + 50), 'submit', user, authenticator))
        self.assertEqual(self._verify(), [])

    def _check_signature(self, signature, key):
        """What is stored is an assertion whose challenge is the digest of the content; ``verify.py`` agrees."""
        self.assertTrue(signature._is_intact())
        content = signature._get_signed_content(signature._get_stored_vals())
        self.assertEqual(content['schema'], 'mrp_mmr/signature/4')
        self.assertEqual(content['key']['nonce'], signature.key_nonce)
        assertion = Assertion.from_text(signature.key_signature)
        self.assertEqual(json.loads(assertion.client_data)['challenge'],
                         to_base64url(bytes.fromhex(signature.signature_sha256)))
        row = {'public_key': key.public_key, 'passkey': {'rp_id': key.rp_id, 'origin': key.origin}}
        verify.check_assertion(row, signature.key_signature, signature.signature_sha256)
        for changed in ({**row, 'passkey': {**row['passkey'], 'origin': 'https://x'}},
                        {**row, 'public_key': self.keys._get_in_force(self.enroller).public_key}):
            with self.assertRaises(verify.Bad):
                verify.check_assertion(changed, signature.key_signature, signature.signature_sha256)
        with self.assertRaises(verify.Bad):
            verify.check_assertion(row, signature.key_signature, '0' * 64)

    def test_who_makes_one(self):
        """SIG-120, H-02: nobody makes a key of somebody else's passkey, of an answer to another question, or of another's."""
        user, other = self._create_person('t_maker'), self._create_person('t_other')
        mine, theirs = Authenticator(), Authenticator()
        self.assertIn("no passkey", self._make(user, mine)['refused'])
        self._register(user, mine)
        self._register(other, theirs)
        self.assertIn("SIG-120", self.env['res.users'].with_user(user).mmr_ask_passkey()['refused'], "no session")
        for name, authenticator, changes in (
                ("of another", theirs, {}), ("another key", theirs, {'credential': mine.credential}),
                ("other challenge", mine, {'challenge': 'AAAA'}), ("other address", mine, {'origin': 'https://evil.example'}),
                ("not verified", mine, {'flags': 1})):
            with self.subTest(attempt=name):
                self.assertIn("SIG-040", self._make(user, authenticator, **changes)['refused'])
                self.env['mrp.signer.attempt'].sudo().search([('user_id', '=', user.id)]).unlink()
        with session_of(user, self.session):
            for answer in ('', '{}', '[]', 'x', '{"id": 5, "response": {}}'):
                self.assertIn("SIG-040", self.env['res.users'].with_user(user).mmr_make_passkey(answer)['refused'])
                self.env['mrp.signer.attempt'].sudo().search([('user_id', '=', user.id)]).unlink()
        self.assertFalse(self.keys._get_last(user))
        user.sudo().password = 'Set-by-somebody-else-1'
        self.assertIn("SIG-080", self._make(user, mine)['refused'])

    def test_in_place_of_the_password(self):
        """SIG-120: an enrolled passkey replaces the key that the password opens; a lost one is replaced in person."""
        user, authenticator = self.user_preparer, Authenticator()
        old, revision = self.keys._get_in_force(user), self._create_mmr()
        key = self._enrol_passkey(user, authenticator)
        self.assertRecordValues(old | key, [
            {'state': 'replaced', 'reason': old.reason}, {'state': 'force', 'reason': 'passkey'}])
        answer = self._type(revision, 'submit', user)
        self.assertIn("signs with a passkey", answer['refused'])
        self.assertTrue(answer['passkey'])
        self.assertIn('signature_id', self._answer(revision, 'submit', user, authenticator))
        self.assertIn("waiting for enrolment", self._type(self._create_mmr(200), 'submit', user, renew=True)['refused'])
        self.assertEqual((self.keys._get_last(user).reason, key.state), ('loss', 'force'))
        self.assertIn('signature_id', enrol_waiting(user))
        self.assertEqual(key.state, 'replaced')
        self.assertIn('signature_id', self._type(self._create_mmr(300), 'submit', user))
        self.assertIn("No passkey", self._answer(self._create_mmr(400), 'submit', user, authenticator)['refused'])
        self.assertEqual(self._verify(), [])

    def test_reset_suspends_it_too(self):
        """SIG-120, H-02: a password that somebody else set suspends who signs with a passkey, until it is enrolled again."""
        user, authenticator = self.user_preparer, Authenticator()
        key, revision = self._enrol_passkey(user, authenticator), self._create_mmr()
        user.with_user(self.env.ref('base.user_admin')).write({'password': 'Set-by-somebody-else-1'})
        self.assertIn("SIG-080", self._answer(revision, 'submit', user, authenticator)['refused'])
        user.with_user(user).env.user._change_password(PASSWORD)
        self.assertIn("waiting for enrolment", self._answer(revision, 'submit', user, authenticator)['refused'])
        self.assertIn('signature_id', enrol_waiting(user))
        self.assertEqual(self.keys._get_in_force(user), key)
        self.assertIn('signature_id', self._answer(revision, 'submit', user, authenticator))
        self.assertEqual(self._verify(), [])

    # === FALSIFICATIONS === #

    def test_falsified(self):
        """SIG-110: another challenge, address, server, key, credential or person that was not verified signs nothing."""
        user, authenticator = self.user_preparer, Authenticator()
        key, revision = self._enrol_passkey(user, authenticator), self._create_mmr()
        other = Authenticator()
        other.credential = authenticator.credential
        for name, maker, changes in (
                ("other challenge", authenticator, {'challenge': to_base64url(b'x' * 32)}),
                ("other origin", authenticator, {'origin': 'https://evil.example'}),
                ("other server", authenticator, {'rp_id': 'evil.example'}),
                ("not verified", authenticator, {'flags': 1}), ("not present", authenticator, {'flags': 4}),
                ("copied, and says it cannot be", authenticator, {'flags': 5 | 16}),
                ("extensions that are not there", authenticator, {'flags': 5 | 128}),
                ("made at registration", authenticator, {'type': 'webauthn.create'}),
                ("another key", other, {}), ("another credential", authenticator, {'credential': 'AAAA'}),
                ("nothing", authenticator, {'answer': '{}'}), ("no text", authenticator, {'answer': '\x00'})):
            with self.subTest(attempt=name):
                if name == "extensions that are not there":
                    continue    # judged by the key alone, which signed them
                self.assertIn("SIG-040", self._answer(revision, 'submit', user, maker, **changes)['refused'])
                self.env['mrp.signer.attempt'].sudo().search([('user_id', '=', user.id)]).unlink()
        self.assertEqual(revision.state, 'draft')
        self.assertEqual(key.state, 'force')

    def test_asked_once(self):
        """SIG-110: an answer signs once, in the session that asked, for the record, reason and content that were shown."""
        user, authenticator = self.user_preparer, Authenticator()
        self._enrol_passkey(user, authenticator)
        revision, second = self._create_mmr(), self._create_mmr(200)
        with session_of(user, self.session):
            asked, digest = self._ask(revision, 'submit', user)
            answer = authenticator.answer(asked['options'], self.origin)
            credential = {'login': user.login, 'webauthn_response': answer}
            kept = dict(self.session[SESSION_KEY])
            other_digest = second.with_user(user).esign_prepare('submit')['digest']
            for record, shown, comment in ((second, other_digest, None), (revision, digest, "another reason")):
                self.session[SESSION_KEY] = dict(kept)
                self.assertIn("SIG-110", record.with_user(user).esign('submit', credential, shown, comment)['refused'])
            self.assertNotIn(SESSION_KEY, self.session)
            self.assertIn("SIG-040", revision.with_user(user).esign('submit', credential, digest)['refused'], "asked nothing")
            self.session[SESSION_KEY] = dict(kept, until='2000-01-01 00:00:00')
            self.assertIn("SIG-040", revision.with_user(user).esign('submit', credential, digest)['refused'], "too late")
            self.session[SESSION_KEY] = dict(kept, uid=self.user_qc.id)
            self.assertIn("SIG-040", revision.with_user(user).esign('submit', credential, digest)['refused'], "of another")
            self.session[SESSION_KEY] = dict(kept)
            self.assertIn('signature_id', revision.with_user(user).esign('submit', credential, digest))
            self.session[SESSION_KEY] = dict(kept)
            self.assertIn("SIG-110", second.with_user(user).esign('submit', credential, other_digest)['refused'], "replayed")
        self.assertEqual(self._verify(), [])

    def test_counter(self):
        """SIG-110: a counter that does not rise shows a copy; one that stays zero is none."""
        user, authenticator = self.user_preparer, Authenticator(counter=7)
        self._enrol_passkey(user, authenticator)
        self.assertIn('signature_id', self._answer(self._create_mmr(), 'submit', user, authenticator))
        secret = self.env['mrp.signer.secret']._get(self.keys._get_in_force(user))
        secret.invalidate_recordset()
        self.assertEqual(secret.sign_count, authenticator.counter)
        authenticator.counter -= 1
        self.assertIn("SIG-040", self._answer(self._create_mmr(200), 'submit', user, authenticator)['refused'])
        authenticator.counter += 10
        self.assertIn('signature_id', self._answer(self._create_mmr(300), 'submit', user, authenticator))

    def test_shared_terminal(self):
        """SIG-110: at shared terminals a passkey that may be copied signs nothing; one on a device of its own does."""
        self.env.company.sudo().mmr_sign_shared = True
        self.startPatcher(at_any_terminal(self.env, 'mrp.mmr.revision', 'submit'))
        synced, own = Authenticator(synced=True), Authenticator()
        self._enrol_passkey(self.user_preparer, synced)
        self._enrol_passkey(self.user_both, own)
        revision = self._create_mmr()
        self.assertTrue(self.keys._get_in_force(self.user_preparer).is_synced)
        answer = self._answer(revision, 'submit', self.user_preparer, synced, session=self.user_qc)
        self.assertIn("may be copied", answer['refused'])
        # One that says at this time only that it may be copied.
        self.assertIn("may be copied", self._answer(
            revision, 'submit', self.user_both, own, session=self.user_qc, flags=5 | 8)['refused'])
        token = self._register_terminal()
        with at_terminal(token):
            self.assertIn("may be copied", self._answer(revision, 'submit', self.user_preparer, synced)['refused'])
        self.assertIn('signature_id', self._answer(revision, 'submit', self.user_both, own, session=self.user_qc))
        self.assertIn('signature_id', self._answer(self._create_mmr(200), 'submit', self.user_preparer, synced))
        self.assertEqual(self._verify(), [])

    def _register_terminal(self):
        terminal = self.env['mrp.terminal'].with_user(self.enroller).create({'name': "Room 1", 'place': "Room 1"})
        return terminal._issue_key()

    def test_roles_and_refusals(self):
        """SIG-110, APR-050: before the passkey is asked, role, status and content are judged; several records are refused."""
        authenticator, revision = Authenticator(), self._create_mmr()
        self._enrol_passkey(self.user_preparer, authenticator)
        with session_of(self.user_preparer, self.session):
            own = revision.with_user(self.user_preparer)
            digest = own.esign_prepare('submit')['digest']
            for arguments, rule in (
                    (('submit', 't_preparer', 'x'), "SIG-030"), (('nothing', 't_preparer', digest), "APR-010"),
                    (('approve', 't_preparer', digest), "Rule"), (('submit', '', digest), "SIG-040"),
                    (('submit', 't_qc', digest), "No passkey"), (('submit', None, digest), "SIG-040"),
                    (('submit', 5, digest), "SIG-040")):
                with self.subTest(arguments=arguments):
                    self.assertIn(rule, own.esign_passkey(*arguments)['refused'])
            both = own | self._create_mmr(200).with_user(self.user_preparer)
            self.assertIn("one record", both.esign_passkey('submit', 't_preparer', digest)['refused'])
        self.assertIn("SIG-080", own.esign_passkey('submit', 't_preparer', digest)['refused'], "no session")
        with self.assertRaises(AccessError):
            self.keys._get_last(self.user_preparer).with_user(self.user_preparer).read(['credential_id'])

    # === POSTGRESQL AND VERIFICATION === #

    def _insert_copy(self, table, record_id, **values):
        self.cr.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND column_name <> 'id'", [table])
        names = [name for name, in self.cr.fetchall()]
        self.cr.execute(SQL(
            "INSERT INTO %s (%s) SELECT %s FROM %s WHERE id = %s RETURNING id", SQL.identifier(table),
            SQL(', ').join(map(SQL.identifier, names)),
            SQL(', ').join(SQL("%s", values[name]) if name in values else SQL.identifier(name) for name in names),
            SQL.identifier(table), record_id))
        return self.cr.fetchone()[0]

    def test_sql(self):
        """SIG-110: PostgreSQL refuses what is no assertion over the row; verification finds one of another key."""
        user, authenticator = self.user_preparer, Authenticator()
        key = self._enrol_passkey(user, authenticator)
        answer = self._answer(self._create_mmr(), 'submit', user, authenticator)
        signature = self.env['mrp.esignature'].sudo().browse(answer['signature_id'])
        self.env.flush_all()
        follows = {'key_number': signature.key_number + 1, 'key_previous': signature.signature_sha256}
        said = json.loads(signature.key_signature)
        password = self._sign(self._create_mmr(500), 'submit', self.user_both).key_signature
        for values in (
                {'key_signature': password}, {'key_signature': None}, {'key_signature': 'x'}, {'key_signature': '{}'},
                {'key_nonce': None}, {'key_nonce': 'x'}, {'signature_sha256': '0' * 64},
                {'key_signature': canonical_json({**said, 'client_data': '////'}).decode()},
                {'key_signature': canonical_json({**said, 'authenticator_data': said['authenticator_data'][:40]}).decode()}):
            with self.subTest(values=values), self.assertRefused('mrp_mmr_esignature_keyed'):
                self._insert_copy('mrp_esignature', signature.id, **follows, **values)
        for values, rule in (({'rp_id': None}, 'kind'), ({'credential_id': None, 'rp_id': None, 'origin': None}, 'kind'),
                             ({'public_key': key.public_key[:-4]}, 'fingerprint'), ({'algorithm': 'rs256'}, 'fingerprint')):
            with self.subTest(values=values), self.assertRefused(f'mrp_mmr_signer_key_{rule}'):
                self._insert_copy('mrp_signer_key', key.id, **values)
        self.assertEqual(self._verify(), [])
        with self._unguarded('mrp_esignature', 'mrp_signer_key') as cr:
            for statement, params, text in (
                    ("UPDATE mrp_esignature SET key_nonce = repeat('0', 64) WHERE id = %s", [signature.id], "key_signature"),
                    ("UPDATE mrp_esignature SET key_nonce = NULL WHERE id = %s", [signature.id], "key_signature"),
                    ("UPDATE mrp_esignature SET key_signature = %s WHERE id = %s", [canonical_json({
                        **said, 'signature': base64.b64encode(b'x').decode()}).decode(), signature.id], "key_signature"),
                    ("UPDATE mrp_signer_key SET origin = 'https://evil.example' WHERE id = %s", [key.id], "the passkey as in")):
                with self.subTest(sql=statement):
                    savepoint = cr.savepoint()
                    cr.execute(statement, params)
                    self.env.invalidate_all()
                    self.assertTrue([row for row in self._verify() if text in row])
                    savepoint.close(rollback=True)
                    self.env.invalidate_all()

    def test_bundle(self):
        """SIG-110, REC-060: a bundle holds the passkey and where it signs; ``verify.py`` checks the assertion."""
        user, authenticator = self.user_preparer, Authenticator('ed25519')
        key, revision = self._enrol_passkey(user, authenticator), self._create_mmr()
        self.assertIn('signature_id', self._answer(revision, 'submit', user, authenticator))
        self._sign(revision, 'approve', self.user_qc)
        file, _name = revision._make_bundle(prints=False)
        with file, zipfile.ZipFile(file) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        row = json.loads(files[f'keys/{key.fingerprint}.json'])
        self.assertEqual((row['schema'], row['passkey']), (
            'mrp_mmr/bundle-key/2', {'rp_id': 'erp.example.com', 'origin': ORIGIN}))
        self.assertEqual(self._check_bundle(files), (0, []))
        name = f'signatures/{revision.prepared_signature_id.id}.json'
        signed = json.loads(files[name])
        assertion = Assertion.from_text(signed['key_signature'])
        client = json.loads(assertion.client_data)
        for what, changed in (
                ("another key", assertion._replace(signature=b'x' * 64)),
                ("another challenge", assertion._replace(client_data=json.dumps({**client, 'challenge': 'AAAA'}).encode())),
                ("another address", assertion._replace(client_data=json.dumps({**client, 'origin': 'https://x'}).encode())),
                ("not verified", assertion._replace(authenticator_data=assertion.authenticator_data[:32] + b'\1\0\0\0\0'))):
            with self.subTest(attempt=what):
                forged = {**files, name: verify.canonical({**signed, 'key_signature': changed.text})}
                status, failed = self._check_bundle(forged)
                self.assertEqual(status, 1)
                self.assertTrue([line for line in failed if name in line and 'passkey' in line], failed)

    def _check_bundle(self, files):
        """Return the exit status of ``verify.py`` for these files, whatever their manifest says, and what failed."""
        manifest = json.loads(files[verify.MANIFEST])
        del manifest['sha256']
        manifest['files'] = [{'path': path, 'size': len(content), 'sha256': verify.sha256(content)}
                             for path, content in sorted(files.items()) if path != verify.MANIFEST]
        manifest['sha256'] = verify.sha256(verify.canonical(manifest))
        target, out = io.BytesIO(), io.StringIO()
        archive = bundles.Archive(target, '2026-01-01T00:00:00Z')
        for path, content in {**files, verify.MANIFEST: verify.canonical(manifest)}.items():
            archive.write(path, content)
        archive.close()
        with tempfile.NamedTemporaryFile(suffix='.zip') as file:
            file.write(target.getvalue())
            file.flush()
            status = verify.main([file.name], out)
        return status, [line for line in out.getvalue().splitlines() if line.startswith('FAIL')]


@tagged('post_install', '-at_install')
class TestPasskeyUpdate(PasskeyCommon):
    """Who signed with a passkey before there were keys (SIG-120)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._go_before_keys()

    def test_goes_on(self):
        """SIG-110, SIG-120: the passkey becomes the key and signs on, until a security administrator enrolled it."""
        user, authenticator = self.user_preparer, Authenticator()
        self._register(user, authenticator)
        before = self._verify()     # what was made older bears findings of its own
        made, key = self._make(user, authenticator), self.keys._get_last(user)
        self.assertEqual((made.get('done'), key.reason, key.state), (key.short, 'update', 'waiting'))
        self.assertIn('signature_id', self._answer(self._create_mmr(), 'submit', user, authenticator))
        root = self.keys._make(self.enroller, PASSWORD, 'update')
        self.assertIn('signature_id', self._type(root, 'enrol', self.enroller))
        self.assertIn('signature_id', self._type(key, 'enrol', self.enroller))
        self.assertIn('signature_id', self._answer(self._create_mmr(200), 'submit', user, authenticator))
        self.assertEqual(set(self._verify()) - set(before), set())

    def test_first_of_a_database(self):
        """SIG-120: the first security administrator enrols the own passkey by itself."""
        authenticator, before = Authenticator('ed25519'), self._verify()
        self._register(self.enroller, authenticator)
        self._make(self.enroller, authenticator)
        key = self.keys._get_last(self.enroller)
        self.assertIn('signature_id', self._answer(key, 'enrol', self.enroller, authenticator))
        self.assertEqual(key.state, 'force')
        self.assertTrue(key.enrolment_id.content['set_up'])
        self.assertEqual(set(self._verify()) - set(before), set())


@tagged('post_install', '-at_install')
class TestPasskeyBrowser(PasskeyCommon, HttpCase):

    def test_dialog(self):
        """SIG-110: in the browser: the preferences make the passkey the key; the dialog asks it for exactly what is signed."""
        self._set_origin(self.base_url())
        user, authenticator = self.user_preparer, Authenticator('rs256')
        self._register(user, authenticator)
        revision = self._create_mmr()
        cookies = {'test_passkey': to_base64url(json.dumps({
            'jwk': authenticator.jwk, 'id': authenticator.credential, 'origin': self.origin}).encode())}
        self.start_tour('/odoo', 'mrp_mmr_make_passkey', login='t_preparer', cookies=cookies)
        key = self.keys._get_last(user)
        self.assertEqual((key.algorithm, key.state), ('rs256', 'waiting'))
        self.assertIn('signature_id', enrol_waiting(user))
        self.start_tour(f'/odoo/mmr-revisions/{revision.id}', 'mrp_mmr_sign_passkey', login='t_preparer', cookies=cookies)
        self.assertEqual(revision.state, 'submitted')
        self.assertEqual(revision.prepared_signature_id.key_fingerprint, key.fingerprint)
        self.assertTrue(revision.prepared_signature_id._is_intact())
        self.assertEqual(self._verify(), [])
