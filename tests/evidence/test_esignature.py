"""Electronic signatures: meaning, binding to the content, who may sign (SIG-010 to SIG-080)."""

from psycopg2.errors import CheckViolation

from odoo import SUPERUSER_ID
from odoo.exceptions import AccessDenied, AccessError, UserError
from odoo.tools import mute_logger

from odoo.addons.mrp_mmr.domain.canonical import sha256
from odoo.addons.mrp_mmr.domain.sessions import session_of
from odoo.addons.mrp_mmr.domain.transitions import signing
from odoo.addons.mrp_mmr.hooks import uninstall_hook

from ..common.base import PASSWORD, MmrCommon
from ..common.signing import open_key


class TestEsignature(MmrCommon):

    def test_signature_holds_name_time_meaning(self):
        """SIG-010, SIG-030: name, time and meaning as of signing, bound to the content by digests."""
        revision = self._create_mmr()
        signature = self._sign(revision, 'submit', self.user_preparer, comment="Formula of 2026")
        self.assertRecordValues(signature, [{
            'res_model': 'mrp.mmr.revision', 'res_id': revision.id, 'user_id': self.user_preparer.id,
            'partner_id': self.user_preparer.partner_id.id, 'signer_name': "Test t_preparer",
            'signer_login': 't_preparer', 'signer_role': "Preparer", 'meaning': 'prepared', 'signer_tz': 'Europe/Madrid',
            'comment': "Formula of 2026", 'content_sha256': revision.document_sha256,
        }])
        self.assertTrue(signature.signed_at)
        self.assertTrue(signature._is_intact())
        self.user_preparer.sudo().name = "Another Name"
        self.user_preparer.sudo().login = 'renamed'
        self.assertEqual((signature.signer_name, signature.signer_login), ("Test t_preparer", 't_preparer'))
        self.assertTrue(signature._is_intact())

    def test_meaning_is_from_a_closed_list(self):
        """SIG-010: a meaning outside the list fails."""
        revision = self._create_mmr()
        vals = self.env['mrp.esignature']._prepare_signature_vals(
            revision, self.user_preparer, 'liked', "x", "x", '0' * 64, key=open_key(self.user_preparer))
        with signing(vals['signature_sha256']), self.assertRaises(ValueError):
            self.env['mrp.esignature'].create(vals)

    def test_signatures_are_append_only(self):
        """SIG-030: never edited, deleted, copied, moved or made by hand; not by anybody, not by SQL."""
        revision = self._create_mmr()
        signature = self._sign(revision, 'submit', self.user_preparer)
        other = self._create_mmr(500)
        for vals in ({'res_id': other.id}, {'signer_name': "x"}, {'signed_at': '2020-01-01'}, {'comment': "x"},
                     {'content_sha256': 'x'}):
            for record in (signature.with_user(self.env.ref('base.user_admin')), signature.sudo()):
                with self.subTest(vals=vals, su=record.env.su), self.assertRaisesRegex(UserError, "SIG-030"):
                    record.write(vals)
        for method in ('unlink', 'copy'):
            with self.subTest(method=method), self.assertRaisesRegex(UserError, "SIG-030"):
                getattr(signature.sudo(), method)()
        with self.assertRaisesRegex(UserError, "SIG-080"):
            self.env['mrp.esignature'].sudo().with_context(mmr_transition=True).create(
                {'res_model': 'mrp.mmr.revision', 'res_id': revision.id})
        self.env.flush_all()
        for statement in ("UPDATE mrp_esignature SET signer_name = 'x' WHERE id = %s",
                          "DELETE FROM mrp_esignature WHERE id = %s"):
            with self.subTest(sql=statement), mute_logger('odoo.sql_db'), \
                    self.assertRaisesRegex(CheckViolation, "append-only"), self.cr.savepoint():
                self.cr.execute(statement, [signature.id])
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "append-only"), self.cr.savepoint():
            self.cr.execute('TRUNCATE mrp_esignature CASCADE')

    def test_every_field_is_covered(self):
        """SIG-030: after a low-level change of any field the signature is reported as broken."""
        revision = self._create_mmr()
        signature = self._sign(revision, 'submit', self.user_preparer)
        self.env.flush_all()
        self.cr.execute('ALTER TABLE mrp_esignature DISABLE TRIGGER mrp_mmr_append_only')
        changes = {
            'res_id': 99, 'res_model': 'res.partner', 'record_name': 'x', 'user_id': self.user_qc.id,
            'partner_id': self.user_qc.partner_id.id, 'signer_name': 'x', 'signer_login': 'x', 'signer_role': 'x',
            'meaning': 'approved', 'statement': 'x', 'comment': 'x', 'signed_at': '2020-01-01', 'signer_tz': 'UTC',
            'content': '{"a": 1}', 'content_sha256': 'x', 'signature_sha256': 'x', 'voids_signature_id': signature.id,
            'annex': '{"a": 1}', 'basis_signature_id': signature.id, 'key_fingerprint': 'x', 'key_number': 77,
            'key_previous': 'x', 'key_nonce': 'x', 'key_signature': 'x',
        }
        covered = set(changes) | {'company_id', 'id', 'create_uid', 'create_date', 'write_uid', 'write_date'}
        stored = {name for name, field in signature._fields.items() if field.store and field.column_type}
        self.assertEqual(stored - covered, set())
        for name, value in changes.items():
            with self.subTest(field=name):
                savepoint = self.cr.savepoint()
                self.cr.execute(f'UPDATE mrp_esignature SET "{name}" = %s WHERE id = %s', [value, signature.id])
                self.env.invalidate_all()
                self.assertFalse(signature._is_intact())
                savepoint.close(rollback=True)
                self.env.invalidate_all()
        self.assertTrue(signature._is_intact())

    def test_both_components_are_needed(self):
        """SIG-040, APR-020: wrong or missing user name or password: no signature, nothing done, attempt visible."""
        revision = self._create_mmr()
        cases = {
            'wrong password': {'login': 't_preparer', 'password': 'wrong'},
            'no password': {'login': 't_preparer', 'password': ''},
            'no user name': {'login': '', 'password': PASSWORD},
            "somebody else's name": {'login': 't_qc', 'password': 'wrong'},
            'no credential': None,
            'not text': {'login': ['t_preparer'], 'password': {'x': 1}},
        }
        for name, credential in cases.items():
            with self.subTest(case=name), session_of(self.user_preparer):
                record = revision.with_user(self.user_preparer)
                messages = len(revision.message_ids)
                result = record.esign('submit', credential, record.esign_prepare('submit')['digest'])
                self.assertIn("SIG-040", result['refused'])
                self.assertEqual(revision.state, 'draft')
                self.assertFalse(revision.signature_count)
                self.assertFalse(self.env['mrp.esignature'].search_count(
                    [('res_model', '=', revision._name), ('res_id', '=', revision.id)]))
                self.assertEqual(len(revision.message_ids), messages + 1)
                self.assertIn("Refused signature", revision.message_ids[0].body)

    def test_password_is_nowhere(self):
        """SIG-040: the password is neither in the signature nor in chatter, document or snapshot."""
        revision = self._create_mmr()
        with self.assertLogs('odoo', level='DEBUG') as logs:
            self._esign(revision, 'submit', self.user_preparer, password='Wrong-secret-77')
            self._make_effective(revision)
        order = self._create_order()
        order.action_confirm()
        self.env.flush_all()
        for secret in (PASSWORD, 'Wrong-secret-77'):
            self.assertFalse([line for line in logs.output if secret in line])
            for table in ('mrp_esignature', 'mail_message', 'mrp_mmr_revision', 'mrp_production'):
                self.cr.execute(f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f'%{secret}%'])
                self.assertEqual(self.cr.fetchone(), (0,), table)

    def test_nobody_signs_for_another(self):
        """SIG-080: superuser, switched user, API key, cron and shell cannot sign, even with the password."""
        revision = self._create_mmr()
        record = revision.with_user(self.user_preparer)
        digest = record.esign_prepare('submit')['digest']
        credential = {'login': 't_preparer', 'password': PASSWORD}
        # No browser session at all: cron, shell, XML-RPC, API key.
        self.assertIn("SIG-080", record.esign('submit', credential, digest)['refused'])
        with session_of(self.user_preparer):
            self.assertIn("SIG-080", record.sudo().esign('submit', credential, digest)['refused'])
            self.assertIn("SIG-080", revision.with_user(SUPERUSER_ID).esign('submit', credential, digest)['refused'])
        with session_of(self.user_qc):
            self.assertIn("SIG-080", record.esign('submit', credential, digest)['refused'])
        self.assertEqual(revision.state, 'draft')

    def test_who_cannot_sign(self):
        """SIG-060: archived, portal and public users cannot sign."""
        revision = self._create_mmr()
        self._sign(revision, 'submit', self.user_preparer)
        digest = revision.document_sha256
        self.user_qc.sudo().active = False
        self.assertIn("SIG-060", self._esign(revision, 'approve', self.user_qc, digest=digest)['refused'])
        portal = self.user_planner.copy({
            'login': 't_portal', 'group_ids': [(6, 0, self.env.ref('base.group_portal').ids)]})
        for user in (portal, self.env.ref('base.public_user')):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self._esign(revision, 'approve', user, digest=digest)
        self.assertEqual(revision.state, 'submitted')

    def test_content_changed_under_the_dialog(self):
        """SIG-030: what is signed is what was shown."""
        revision = self._create_mmr()
        digest = revision.with_user(self.user_preparer).esign_prepare('submit')['digest']
        revision.bom_line_ids[0].with_user(self.user_preparer).gmp_qty = 88
        self.assertIn("changed while", self._esign(revision, 'submit', self.user_preparer, digest=digest)['refused'])
        self.assertEqual(revision.state, 'draft')

    def test_dialog_shows_what_is_signed(self):
        """SIG-020: the dialog shows record, meaning, statement, role and digest."""
        revision = self._create_mmr().with_user(self.user_preparer)
        action = revision.action_submit()
        self.assertEqual((action['tag'], action['params']['signing_action']), ('mrp_mmr.sign', 'submit'))
        prepared = revision.esign_prepare('submit')
        self.assertEqual(prepared['meaning_label'], "Prepared")
        self.assertIn("revision 1", prepared['record_name'])
        self.assertEqual(prepared['role'], "Preparer")
        self.assertEqual(prepared['digest'], sha256(revision._prepare_document()))

    def test_refused_rule_rolls_everything_back(self):
        """APR-010: where the action fails after the signature was made, the signature goes too."""
        revision = self._create_mmr()
        self._sign(revision, 'submit', self.user_preparer)
        self.patch(type(revision), '_apply_signing_action', lambda self, action, signature: self._check_complete_x())
        with self.assertRaises(AttributeError):
            self._esign(revision, 'approve', self.user_qc)
        self.patch(type(revision), '_apply_signing_action', self._raise_user_error)
        self.assertEqual(self._esign(revision, 'approve', self.user_qc)['refused'], "no")
        self.assertFalse(revision.approved_signature_id)
        self.assertEqual(self.env['mrp.esignature'].search_count(
            [('res_model', '=', revision._name), ('res_id', '=', revision.id)]), 1)

    @staticmethod
    def _raise_user_error(record, action, signature):
        raise UserError(record.env._("no"))

    def test_database_wants_two_valid_signatures(self):
        """APR-030: PostgreSQL accepts an approved revision only with two signatures of two persons over its digest."""
        revision = self._create_mmr()
        other = self._create_mmr(500)
        prepared = self._sign(revision, 'submit', self.user_preparer)
        foreign = self._sign(self._reach(other), 'approve', self.user_qc)
        self.env.flush_all()
        for signature in (prepared.id, foreign.id, None):
            with self.subTest(signature=signature), self.assertRefused('APR-040'):
                self.cr.execute(
                    "UPDATE mrp_mmr_revision SET state = 'approved', approved_signature_id = %s WHERE id = %s",
                    [signature, revision.id])
        vals = self.env['mrp.esignature']._prepare_signature_vals(
            revision, self.user_preparer, 'approved', "x", "x", revision.document_sha256, key=open_key(self.user_preparer))
        with signing(vals['signature_sha256']):
            own = self.env['mrp.esignature'].create(vals)
        self.env.flush_all()
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "APR-040"), self.cr.savepoint():
            self.cr.execute(
                "UPDATE mrp_mmr_revision SET state = 'approved', approved_signature_id = %s WHERE id = %s",
                [own.id, revision.id])

    def _reach(self, revision):
        self._sign(revision, 'submit', self.user_preparer)
        return revision

    def test_signers_are_kept(self):
        """SIG-060: a user who signed cannot be deleted."""
        self._sign(self._create_mmr(), 'submit', self.user_preparer)
        self.env.flush_all()
        with mute_logger('odoo.sql_db'), self.assertRaises(Exception) as caught, self.cr.savepoint():
            self.user_preparer.sudo().unlink()
        self.assertNotIsInstance(caught.exception, AccessDenied)
        self.assertTrue(self.user_preparer.exists())

    def test_uninstall_is_refused(self):
        """AUD-030: the addon is not uninstalled while signed records exist."""
        self._sign(self._create_mmr(), 'submit', self.user_preparer)
        module = self.env['ir.module.module'].search([('name', '=', 'mrp_mmr')])
        for modules in (module, self.env['ir.module.module'].search([('name', '=', 'mrp')])):
            with self.assertRaisesRegex(UserError, "AUD-030"):
                modules.button_uninstall()
        with self.assertRaisesRegex(UserError, "AUD-030"):
            uninstall_hook(self.env)

    def test_uninstall_hook_leaves_nothing(self):
        """AUD-030: without signed records no trigger and no function stays behind."""
        for model in ('mrp.esignature', 'mrp.qualification'):
            self.patch(type(self.env[model]), 'search_count', lambda self, domain, limit=None: 0)
        uninstall_hook(self.env)
        self.cr.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'mrp_mmr%'")
        self.assertFalse(self.cr.fetchall())
        self.cr.execute("SELECT proname FROM pg_proc WHERE proname LIKE 'mrp_mmr%'")
        self.assertFalse(self.cr.fetchall())
