"""Names and passwords of signers: what the ledger knows of them, and what somebody put into a table (SIG-020, SIG-080)."""

from odoo.tests import new_test_user

from odoo.addons.mrp_mmr.domain.sessions import session_of
from odoo.addons.mrp_mmr.verification.ledger import FINDING
from odoo.addons.mrp_mmr.verification.records import Verification

from ..common.base import PASSWORD, MmrCommon

#: What somebody else types who knows it.
MINE = 'What-the-attacker-types-1'


class TestSignerKnown(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.revision = cls._create_mmr()
        cls._sign(cls.revision, 'submit', cls.user_preparer)

    def _type(self, user, password, **extra):
        revision = self.revision.with_user(user)
        with session_of(user):
            return revision.esign('approve', {'login': user.login, 'password': password, **extra}, revision.document_sha256)

    def _findings(self):
        self.env.flush_all()
        return [finding for finding in Verification(self.env.cr) if finding.severity == FINDING]

    def test_another_name_for_a_minute(self):
        """SIG-020, AUD-060, A-22: a name that a signer had for a minute is in the ledger, or verification says so."""
        contact, name = self.user_qc.partner_id.sudo(), self.user_qc.name
        lines = [('res_model', '=', 'res.users'), ('res_id', '=', self.user_qc.id)]
        before = self.env['mrp.audit.entry'].search_count(lines)
        contact.name = "Somebody Else"
        self.assertIn('signature_id', self._type(self.user_qc, PASSWORD))
        contact.name = name
        added = self.env['mrp.audit.entry'].search(lines, limit=self.env['mrp.audit.entry'].search_count(lines) - before)
        self.assertEqual([entry.values['name'] for entry in reversed(added) if 'name' in entry.values], [
            {'old': name, 'new': "Somebody Else"}, {'old': "Somebody Else", 'new': name}])
        self.assertEqual(self._findings(), [])

    def test_another_name_by_sql(self):
        """SIG-020, A-22: a name that was put into the table for a minute stands beside the signature alone, and is found."""
        rename = "UPDATE res_partner SET name = %s, complete_name = %s WHERE id = %s"
        contact, name = self.user_qc.partner_id, self.user_qc.name
        self.env.cr.execute(rename, ["Somebody Else", "Somebody Else", contact.id])
        self.env.invalidate_all()
        self.assertIn('signature_id', self._type(self.user_qc, PASSWORD))
        self.env.cr.execute(rename, [name, name, contact.id])
        self.env.invalidate_all()
        self.assertEqual([(finding.model, finding.found) for finding in self._findings()], [
            ('mrp.esignature', "Somebody Else")])

    def test_another_password_by_sql(self):
        """SIG-080, SIG-120, A-23: a password that was put into the table opens no signature and no new key, and is found."""
        self.env.cr.execute(
            "UPDATE res_users SET password = (SELECT password FROM res_users WHERE id = %s) WHERE id = %s",
            [self._hash_of_mine(), self.user_qc.id])
        self.env.invalidate_all()
        for more in ({}, {'renew': True}, {'former': "x"}):
            with self.subTest(**more):
                self.assertIn("SIG-080", self._type(self.user_qc, MINE, **more)['refused'])
        self.assertFalse(self.env['mrp.signer.key'].search_count([('user_id', '=', self.user_qc.id), ('reason', '=', 'loss')]))
        self.assertEqual([(finding.model, 'login_password' in finding.expected) for finding in self._findings()], [
            ('mrp.signer', True)])

    def test_hashed_anew(self):
        """SIG-080: what Odoo hashes anew at a login is followed."""
        context = self.env['res.users']._crypt_context()
        self.env['res.users']._set_encrypted_password(self.user_qc.id, context.hash(PASSWORD))
        self.assertIn('signature_id', self._type(self.user_qc, PASSWORD))
        self.assertEqual(self._findings(), [])

    def _hash_of_mine(self):
        other = new_test_user(self.env, login='t_mine', password=MINE, groups='base.group_user')
        return other.id
