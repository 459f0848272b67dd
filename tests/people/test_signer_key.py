"""Keys of signers from their making to their end: enrolment, change of the secret, loss, revocation, update.

SIG-110, SIG-120; cases H-02, H-03.
"""

import base64
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.mrp_mmr.domain import private_keys
from odoo.addons.mrp_mmr.domain.canonical import GENESIS, canonical_json, sha256
from odoo.addons.mrp_mmr.domain.public_keys import PublicKey
from odoo.addons.mrp_mmr.domain.sessions import session_of
from odoo.addons.mrp_mmr.verification.ledger import FINDING, REMARK
from odoo.addons.mrp_mmr.verification.records import Verification

from ..common.base import PASSWORD, MmrCommon
from ..common.signing import enrol_waiting, get_enroller

OTHER = 'Another-password-2'


class KeyCommon(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = cls.env['mrp.signer.key'].sudo()
        cls.enroller = get_enroller(cls.env)

    def _type(self, record, action, user, password=PASSWORD, comment=None, **extra):
        record = record.with_user(user)
        with session_of(user):
            return record.esign(action, {'login': user.login, 'password': password, **extra},
                                record.esign_prepare(action)['digest'], comment)

    @classmethod
    def _go_before_keys(cls):
        """Make the database one with a signature, ``old``, from before there were keys, that was just updated (SIG-120)."""
        # Keys of this test have the real cost, as nobody sets them up.
        cls.startClassPatcher(cls._low_cost())
        cls.old = cls._sign(cls._create_mmr(300), 'submit', cls.user_preparer)
        cls.env.flush_all()
        with cls._unguarded('mrp_esignature', 'mrp_signer_key') as cr:
            cr.execute("DELETE FROM mrp_signer_secret")
            cr.execute("DELETE FROM mrp_esignature WHERE res_model = 'mrp.signer.key'")
            cr.execute("DELETE FROM mrp_signer_key")
            cr.execute("UPDATE mrp_esignature SET key_fingerprint = NULL, key_number = NULL, key_previous = NULL, "
                       "key_signature = NULL")
            cls.env.invalidate_all()
            cr.execute("UPDATE mrp_esignature SET signature_sha256 = %s WHERE id = %s", [
                sha256(cls.old._get_signed_content(cls.old._get_stored_vals())), cls.old.id])
        cls.keys._begin_transition()

    @staticmethod
    def _low_cost():
        return patch.object(private_keys, 'COST', 16)

    def _create_person(self, login):
        """Return a preparer whose identity is verified, who accepted, who is qualified, and has no key."""
        user = new_test_user(
            self.env, login=login, password=PASSWORD, groups='mrp_mmr.group_mmr_preparer', name=f"Test {login}", tz='UTC',
            context={'no_reset_password': True})
        self.env['mrp.signer'].sudo()._set_up(user, self.env.ref('base.user_admin'), "Test")
        return user

    def _verify(self, severity=FINDING):
        self.env.flush_all()
        return [str(finding) for finding in Verification(self.env.cr) if finding.severity == severity]


@tagged('post_install', '-at_install')
class TestSignerKey(KeyCommon):

    # === THE SIGNATURE === #

    def test_what_is_signed(self):
        """SIG-110: the key signs record, content, meaning, signer, time, and the number and digest of the signature before."""
        first = self._sign(self._create_mmr(), 'submit', self.user_preparer)
        second = self._sign(self._create_mmr(500), 'submit', self.user_preparer)
        key = self.keys._get_in_force(self.user_preparer)
        self.assertRecordValues(first | second, [
            {'key_fingerprint': key.fingerprint, 'key_number': 1, 'key_previous': GENESIS},
            {'key_fingerprint': key.fingerprint, 'key_number': 2, 'key_previous': first.signature_sha256}])
        content = second._get_signed_content(second._get_stored_vals())
        self.assertEqual(content['schema'], 'mrp_mmr/signature/3')
        self.assertEqual(content['key'], {
            'fingerprint': key.fingerprint, 'number': 2, 'previous': first.signature_sha256})
        public, made = PublicKey.from_text(key.public_key), base64.b64decode(second.key_signature)
        self.assertTrue(public.is_valid(made, canonical_json(content)))
        for name, value in (('record', {}), ('content_sha256', 'x'), ('meaning', 'approved'), ('signer', {}),
                            ('signed_at', 'x'), ('key', {}), ('comment', 'x')):
            with self.subTest(changed=name):
                self.assertFalse(public.is_valid(made, canonical_json({**content, name: value})))
        secret = self.env['mrp.signer.secret']._get(key)
        self.assertEqual((secret.number, secret.signature_sha256), (2, second.signature_sha256))
        self.assertEqual(self._verify(), [])
        self.assertEqual(len(key.short), 19)
        self.assertEqual(second.key_short, key.short)

    def test_nobody_reads_the_wrapped_key(self):
        """SIG-110: no role reads what is stored of a private key."""
        key = self.keys._get_in_force(self.user_qc)
        for user in (self.enroller, self.user_qc, self.user_auditor, self.env.ref('base.user_admin')):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.env['mrp.signer.secret'].with_user(user).search([('key_id', '=', key.id)]).read(['wrapped'])
        stored = self.env['mrp.signer.secret']._get(key).wrapped
        self.assertNotIn(PASSWORD, stored)
        self.cr.execute("SELECT count(*) FROM mrp_audit_entry e WHERE e::text LIKE '%sealed%'")
        self.assertEqual(self.cr.fetchone(), (0,))

    # === ENROLMENT === #

    def test_enrolment(self):
        """SIG-120: the first typing makes the key; it signs when a security administrator enrolled it, and not before."""
        user, revision = self._create_person('t_newkey'), self._create_mmr()
        answer = self._type(revision, 'submit', user)
        key = self.keys._get_last(user)
        self.assertIn(key.short, answer['refused'])
        self.assertIn("SIG-120", answer['refused'])
        self.assertRecordValues(key, [{
            'user_id': user.id, 'user_name': "Test t_newkey", 'algorithm': 'ed25519', 'reason': 'first', 'state': 'waiting',
            'replaces_id': False}])
        # Again: the same key waits.
        self.assertIn(key.short, self._type(revision, 'submit', user)['refused'])
        self.assertEqual(self.keys.search([('user_id', '=', user.id)]), key)
        self.assertIn('signature_id', enrol_waiting(user))
        self.assertEqual(key.state, 'force')
        enrolment = key.enrolment_id
        self.assertRecordValues(enrolment, [{
            'user_id': self.enroller.id, 'meaning': 'approved', 'res_model': 'mrp.signer.key', 'res_id': key.id}])
        self.assertEqual(enrolment.content['key']['fingerprint'], key.fingerprint)
        self.assertEqual(enrolment.content['identity']['document'], "Test")
        self.assertFalse(enrolment.content['set_up'])
        self.assertIn('signature_id', self._type(revision, 'submit', user))
        self.assertIn("already in force", self._refusal(key))
        self.assertEqual(self._verify(), [])

    def _make_own(self, user, password=PASSWORD):
        with session_of(user):
            return self.env['res.users'].with_user(user).mmr_make_key(password)

    def test_own_button(self):
        """SIG-120: in the preferences everybody makes the own key, once, and sees its fingerprint; nobody else's."""
        user = self._create_person('t_newkey')
        self.assertEqual(user.with_user(user).action_mmr_make_key()['params']['key'], True)
        with self.assertRaisesRegex(UserError, "SIG-120"):
            user.with_user(self.enroller).action_mmr_make_key()
        self.assertIn("SIG-120", self.env['res.users'].with_user(user).mmr_make_key(PASSWORD)['refused'])
        self.assertIn("SIG-040", self._make_own(user, 'wrong')['refused'])
        self.assertFalse(self.keys._get_last(user))
        made = self._make_own(user)
        key = self.keys._get_last(user)
        self.assertEqual((made, key.state), ({'done': key.short, 'in_force': False}, 'waiting'))
        self.assertEqual(self._make_own(user), made)
        self.assertIn('signature_id', enrol_waiting(user))
        self.assertEqual(self._make_own(user), {'done': key.short, 'in_force': True})
        user.with_user(user).env.user._change_password(OTHER)
        self.assertIn("the previous password", self._make_own(user, OTHER)['refused'])
        user.sudo().password = PASSWORD
        self.assertIn("suspended", self._make_own(user)['refused'])

    def _refusal(self, key, user=None):
        try:
            return self._type(key, 'enrol', user or self.enroller).get('refused', "signed")
        except UserError as error:
            return str(error)

    def test_who_enrols(self):
        """SIG-120: security administrators enrol others whose identity is verified and whose password is their own."""
        user = self._create_person('t_newkey')
        self._type(self._create_mmr(), 'submit', user)
        key = self.keys._get_last(user)
        for other in (self.user_qc, self.user_manager):
            with self.subTest(user=other.login), self.assertRaises(AccessError):
                key.with_user(other).action_enrol()
        self.assertIn("cannot enrol your own key", self._refusal(
            self.keys._make(self.enroller, PASSWORD, 'rotation', cost=16), self.enroller))
        signer = self.env['mrp.signer']._get_for(user)
        self.cr.execute("UPDATE mrp_signer SET identity_verified_at = NULL WHERE id = %s", [signer.id])
        self.env.invalidate_all()
        self.assertIn("SIG-070", self._refusal(key))
        self.cr.execute(
            "UPDATE mrp_signer SET identity_verified_at = now(), is_password_own = FALSE WHERE id = %s", [signer.id])
        self.env.invalidate_all()
        self.assertIn("Somebody else set the password", self._refusal(key))
        self.cr.execute("UPDATE mrp_signer SET is_password_own = TRUE WHERE id = %s", [signer.id])
        self.env.invalidate_all()
        self.assertIn("signed", self._refusal(key))

    def test_several_at_once(self):
        """SIG-120: one typing enrols several keys, each by a signature of its own; what changed meanwhile is refused."""
        people = [self._create_person(f't_newkey{number}') for number in range(3)]
        for user, size in zip(people, (100, 200, 300), strict=True):
            self._type(self._create_mmr(size), 'submit', user)
        keys = self.keys.union(*map(self.keys._get_last, people)).with_user(self.enroller)
        action = keys.action_enrol()
        self.assertEqual(action['params']['res_ids'], keys.ids)
        credential = {'login': self.enroller.login, 'password': PASSWORD}
        with session_of(self.enroller):
            prepared = keys.esign_prepare('enrol')
            for name in ('t_newkey0', 't_newkey1', 't_newkey2'):
                self.assertIn(name, prepared['record_name'])
            digests = prepared['digest'].split()
            for wrong in ('x', digests[0], ' '.join(reversed(digests)), None, 5):
                self.assertIn("SIG-030", keys.esign('enrol', credential, wrong)['refused'])
            self.assertEqual(set(keys.mapped('state')), {'waiting'})
            self.assertIn('signature_id', keys.esign('enrol', credential, prepared['digest']))
        self.assertEqual(set(keys.mapped('state')), {'force'})
        self.assertEqual(len(keys.mapped('enrolment_id')), 3)
        self.assertEqual(self._verify(), [])

    def test_first_of_a_database(self):
        """SIG-120: the first security administrator enrols the own key; it says so; nobody does after that."""
        with self._unguarded('mrp_esignature', 'mrp_signer_key') as cr:
            cr.execute("DELETE FROM mrp_signer_secret")
            cr.execute("DELETE FROM mrp_esignature")
            cr.execute("DELETE FROM mrp_signer_key")
        self.assertTrue(self.keys._is_set_up_open())
        revision = self._create_mmr()
        self.assertIn("SIG-120", self._type(revision, 'submit', self.user_preparer)['refused'])
        mine = self.keys._make(self.enroller, PASSWORD, 'first', cost=16)
        self.assertIn('signature_id', self._type(mine, 'enrol', self.enroller))
        self.assertEqual(mine.state, 'force')
        self.assertTrue(mine.enrolment_id.content['set_up'])
        self.assertFalse(self.keys._is_set_up_open())
        line = self.env['mrp.audit.entry'].sudo().search([
            ('res_model', '=', 'res.users'), ('res_id', '=', self.enroller.id)], limit=1)
        self.assertEqual(line.values['key_fingerprint']['new'], mine.fingerprint)
        self.assertIn('signature_id', enrol_waiting(self.user_preparer))
        self.assertIn('signature_id', self._type(revision, 'submit', self.user_preparer))

    # === THE SECRET CHANGES === #

    def test_change_with_both(self):
        """SIG-120: who types the old password for a new one keeps the key."""
        key = self.keys._get_in_force(self.user_preparer)
        own = self.user_preparer.with_user(self.user_preparer)
        own.env['res.users'].change_password(PASSWORD, OTHER)
        self.assertIn('signature_id', self._type(self._create_mmr(), 'submit', self.user_preparer, OTHER))
        self.assertEqual(self.keys._get_in_force(self.user_preparer), key)

    def test_change_in_the_preferences(self):
        """SIG-120: Odoo's dialog asks for no old password: the first signature after it does, once."""
        user, revision = self.user_preparer, self._create_mmr()
        user.with_user(user).env.user._change_password(OTHER)
        answer = self._type(revision, 'submit', user, OTHER)
        self.assertTrue(answer['former'])
        self.assertTrue(self._type(revision, 'submit', user, OTHER, former='a guess')['former'])
        self.assertIn('signature_id', self._type(revision, 'submit', user, OTHER, former=PASSWORD))
        self.assertIn('signature_id', self._type(self._create_mmr(500), 'submit', user, OTHER))

    def test_short_secret(self):
        """SIG-080, A-31: no key is made under, or taken over to, a password that is guessed soon."""
        person = self._create_person('t_short')
        person.with_user(person).env.user._change_password('1')
        with session_of(person):
            self.assertIn("SIG-080", person.with_user(person).mmr_make_key('1')['refused'])
        self.assertIn("SIG-080", self._type(self._create_mmr(), 'submit', person, '1')['refused'])
        self.assertFalse(self.keys._get_last(person))

    def test_change_to_a_short_secret(self):
        """SIG-080, A-31: who has a key changes its password for one that is long enough, on each road."""
        user, revision = self.user_preparer, self._create_mmr()
        own = user.with_user(user).env['res.users']
        with self.assertRaisesRegex(UserError, "SIG-080"):
            own.change_password(PASSWORD, '1')
        own.env.user._change_password('1')
        for extra in ({'former': PASSWORD}, {'renew': True}):
            self.assertIn("SIG-080", self._type(revision, 'submit', user, '1', **extra)['refused'])
        self.assertEqual(self.keys._get_last(user), self.keys._get_in_force(user))
        own.env.user._change_password(OTHER)
        self.assertIn('signature_id', self._type(revision, 'submit', user, OTHER, former=PASSWORD))

    def test_guessing_the_former_password(self):
        """SIG-090, SIG-120: wrong former passwords count like wrong attempts to sign, and lock."""
        user, revision = self.user_preparer, self._create_mmr()
        user.with_user(user).env.user._change_password(OTHER)
        for _time in range(5):
            self.assertTrue(self._type(revision, 'submit', user, OTHER, former='a guess')['former'])
        self.assertIn("SIG-090", self._type(revision, 'submit', user, OTHER, former=PASSWORD)['refused'])

    def test_signing_password(self):
        """SIG-110: where there is a signing password, that it opens the key is the check; the login password signs no more."""
        user = self.user_preparer
        key = self.keys._get_in_force(user)
        with session_of(user):
            self.assertEqual(self.env['res.users'].with_user(user).mmr_set_signing_password(PASSWORD, OTHER), {'done': True})
        self.assertEqual(self.env['mrp.signer.secret']._get(key).kind, 'signing')
        self.assertIn("SIG-040", self._type(self._create_mmr(), 'submit', user)['refused'])
        # Another digest in the table signs nothing: it is not looked at.
        self.env.flush_all()
        self.cr.execute("UPDATE mrp_signer SET signing_password = %s WHERE user_id = %s",
                        [self.env['res.users']._crypt_context().hash('x'), user.id])
        self.env.invalidate_all()
        self.assertIn("SIG-040", self._type(self._create_mmr(200), 'submit', user, 'x')['refused'])
        self.assertIn('signature_id', self._type(self._create_mmr(500), 'submit', user, OTHER))
        self.assertEqual(self.keys._get_in_force(user), key)

    def test_loss(self):
        """SIG-120: who does not know the former password has a new key made, which replaces the old one when enrolled."""
        user, revision = self.user_preparer, self._create_mmr()
        old = self.keys._get_in_force(user)
        before = self._sign(self._create_mmr(500), 'submit', user)
        user.with_user(user).env.user._change_password(OTHER)
        self.assertIn("waiting for enrolment", self._type(revision, 'submit', user, OTHER, renew=True)['refused'])
        new = self.keys._get_last(user)
        self.assertRecordValues(old | new, [
            {'state': 'force', 'replaces_id': False}, {'state': 'waiting', 'replaces_id': old.id}])
        self.assertEqual(new.reason, 'loss')
        self.assertIn('signature_id', enrol_waiting(user))
        self.assertEqual((old.state, new.state), ('replaced', 'force'))
        self.assertFalse(self.env['mrp.signer.secret']._get(old))
        self.assertIn('signature_id', self._type(revision, 'submit', user, OTHER))
        after = revision.prepared_signature_id
        self.assertEqual((after.key_number, after.key_previous), (before.key_number + 1, before.signature_sha256))
        self.assertTrue(before._is_intact())
        self.assertEqual(self._verify(), [])

    def test_revocation(self):
        """SIG-120: a revoked key signs no more, with a reason; what it signed stays valid; its owner makes another."""
        user = self.user_preparer
        before = self._sign(self._create_mmr(), 'submit', user)
        key = self.keys._get_in_force(user)
        self.assertIn("APR-010", self._type(key, 'revoke', self.enroller)['refused'])
        self.assertIn('signature_id', self._type(key, 'revoke', self.enroller, comment="Somebody watched."))
        self.assertEqual(key.state, 'revoked')
        self.assertFalse(self.keys._get_in_force(user))
        revision = self._create_mmr(500)
        self.assertIn("waiting for enrolment", self._type(revision, 'submit', user)['refused'])
        self.assertEqual(self.keys._get_last(user).reason, 'rotation')
        self.assertIn('signature_id', enrol_waiting(user))
        self.assertIn('signature_id', self._type(revision, 'submit', user))
        self.assertTrue(before._is_intact())
        self.assertEqual(self._verify(), [])

    def test_forms(self):
        """SIG-120: security administrator and auditor see keys; each person the own fingerprint."""
        key = self.keys._get_in_force(self.user_preparer)
        for user in (self.enroller, self.user_auditor):
            form = Form(key.with_user(user))
            self.assertEqual(form.short, key.short)
        own = self.user_preparer.with_user(self.user_preparer)
        self.assertEqual(own.read(['mmr_key_short'])[0]['mmr_key_short'], key.short)
        self.assertEqual(self.keys.search([('state', '=', 'force'), ('user_id', '=', self.user_preparer.id)]), key)
        with self.assertRaises(AccessError):
            key.with_user(self.user_preparer).read(['public_key'])


@tagged('post_install', '-at_install')
class TestUpdate(KeyCommon):
    """A database with signatures from before there were keys (SIG-120)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._go_before_keys()

    def test_plant_goes_on(self):
        """SIG-120: who signed before signs on, with a key that waits; a security administrator enrols all of them later."""
        end = self.keys._get_transition_end()
        self.assertGreater(end, fields.Datetime.now() + timedelta(days=29))
        self.keys._begin_transition()
        self.assertEqual(self.keys._get_transition_end(), end, "once")
        for user, size in ((self.user_preparer, 100), (self.user_both, 200)):
            self.assertIn('signature_id', self._type(self._create_mmr(size), 'submit', user))
        mine = self.keys._get_last(self.user_preparer)
        self.assertEqual((mine.reason, mine.state), ('update', 'waiting'))
        remarks = self._verify(REMARK)
        self.assertEqual(len([text for text in remarks if "enrolment by a security administrator" in text]), 2)
        # The first security administrator enrols the own key, then all others by one typing.
        root = self.keys._make(self.enroller, PASSWORD, 'update')
        self.assertIn('signature_id', self._type(root, 'enrol', self.enroller))
        waiting = self.keys.search([('state', '=', 'waiting')])
        self.assertEqual(waiting.user_id, self.user_preparer | self.user_both)
        self.assertIn('signature_id', self._type(waiting, 'enrol', self.enroller))
        self.assertEqual(set(waiting.mapped('state')), {'force'})
        self.assertFalse([text for text in self._verify(REMARK) if "enrolment" in text])
        self.assertIn('signature_id', self._type(self._create_mmr(400), 'submit', self.user_preparer))

    def test_time_is_over(self):
        """SIG-120: a key that nobody enrolled in time signs no more."""
        self.assertIn('signature_id', self._type(self._create_mmr(), 'submit', self.user_preparer))
        with freeze_time(fields.Datetime.now() + timedelta(days=31)):
            self.assertIn("waiting for enrolment", self._type(self._create_mmr(200), 'submit', self.user_preparer)['refused'])
            self.assertIn("waiting for enrolment", self._type(self._create_mmr(400), 'submit', self.user_both)['refused'])

    def test_reset_in_the_meantime(self):
        """SIG-120: a password that somebody else set signs nothing in that time either."""
        self.user_preparer.sudo().password = OTHER
        self.assertIn("SIG-080", self._type(self._create_mmr(), 'submit', self.user_preparer, OTHER)['refused'])
        self.assertFalse(self.keys._get_last(self.user_preparer))

    def test_old_signatures(self):
        """SIG-110: signatures without key stay valid and are counted; a later one without key is found."""
        self.assertTrue(self.old._is_intact())
        verification = Verification(self.env.cr)
        list(verification)
        self.assertGreaterEqual(verification.counts['without_key'], 1)
        signed = self._type(self._create_mmr(), 'submit', self.user_preparer)['signature_id']
        signature = self.env['mrp.esignature'].sudo().browse(signed)
        self.assertEqual((signature.key_number, signature.key_previous), (1, self.old.signature_sha256))
        later = self._type(self._create_mmr(200), 'submit', self.user_preparer)['signature_id']
        with self._unguarded('mrp_esignature') as cr:
            cr.execute("UPDATE mrp_esignature SET key_fingerprint = NULL, key_number = NULL, key_previous = NULL, "
                       "key_signature = NULL WHERE id = %s", [later])
        self.assertTrue([text for text in self._verify() if f"mrp.esignature,{later}" in text and "key_signature" in text])
