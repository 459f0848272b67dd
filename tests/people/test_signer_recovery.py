"""The way back where nobody can enrol any more, and the end of suspensions.

SIG-120; cases H-02, H-03.
"""

import io
import tempfile
from argparse import Namespace
from contextlib import redirect_stderr
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from odoo.addons.mrp_mmr.cli.mrp_mmr import MrpMmr
from odoo.addons.mrp_mmr.domain.sessions import foreign_code, server_command
from odoo.addons.mrp_mmr.domain.transitions import transition
from odoo.addons.mrp_mmr.verification import verify
from odoo.addons.mrp_mmr.verification.ledger import REMARK

from ..common.base import PASSWORD
from ..common.signing import COST, ENROLLER, enrol_waiting
from .test_signer_key import OTHER, KeyCommon

REASON = "Both left on the same day; decided by the quality manager."


class RecoveryCommon(KeyCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls.env.ref('base.user_admin')
        # Nobody but the enroller of the tests has the role here, whatever the demonstration has.
        security = cls.env.ref('mrp_mmr.group_mmr_security')
        others = security.all_user_ids - cls.enroller
        others.sudo().write({'group_ids': [Command.unlink(security.id)]})
        cls.env.flush_all()

    def _reset(self, user, by=None):
        """Somebody sets the password; the person sets an own one."""
        user.with_user(by or self.admin).sudo().write({'password': 'Set-by-somebody-else-1'})
        user.with_user(user).env.user._change_password(OTHER)

    def _recover(self, login, hours=24, identity=None):
        """Run the command; return exit status and what it printed."""
        out, errors = io.StringIO(), io.StringIO()
        with redirect_stderr(errors):
            status = MrpMmr.open_recovery(
                self.env, Namespace(login=login, hours=hours, reason=REASON, identity=identity), out)
        return status, out.getvalue() + errors.getvalue()

    def _revision(self, size=100):
        return self._create_mmr(size)


@tagged('post_install', '-at_install')
class TestRecovery(RecoveryCommon):

    def test_refused_while_somebody_can_enrol(self):
        """SIG-120: the way back is shut while a key of a security administrator can be used, and to everybody inside Odoo."""
        status, text = self._recover(ENROLLER)
        self.assertEqual(status, 2)
        self.assertIn("SIG-120", text)
        self.assertFalse(self.keys._get_recovery_end(self.enroller))
        self._reset(self.enroller)
        for hours, login in ((0, ENROLLER), (73, ENROLLER), (24, 'nobody'), (24, '__system__')):
            with self.subTest(hours=hours, login=login):
                self.assertEqual(self._recover(login, hours)[0], 2)
        with self.assertRaisesRegex(UserError, "only be opened on the server"):
            self.keys._open_recovery(self.enroller, 24, REASON, 'x')
        with server_command(), foreign_code(), self.assertRaisesRegex(UserError, "only be opened on the server"):
            self.keys._open_recovery(self.enroller, 24, REASON, 'x')
        action = self.env['ir.actions.server'].create({
            'name': "Attack", 'model_id': self.env['ir.model']._get('res.partner').id, 'state': 'code',
            'code': f"env['mrp.signer.key'].sudo()._open_recovery(env['res.users'].browse({self.enroller.id}), 24, 'x', 'x')"})
        with self.assertRaisesRegex(UserError, "only be opened on the server"):
            action.run()
        self.assertFalse(self.keys._get_recovery_end(self.enroller))

    def test_way_back(self):
        """SIG-120: whoever lost the key as the last one makes and enrols one new key; ledger, key and verification say so."""
        self._reset(self.enroller)
        lost = self.keys._get_in_force(self.enroller)
        with self.assertRaises(UserError):
            self.keys._make(self.enroller, OTHER, 'reset', cost=COST).with_user(self.enroller)._check_enroller(
                'enrol', self.enroller)
        status, text = self._recover(ENROLLER)
        self.assertEqual(status, 0, text)
        line = self.env['mrp.audit.entry'].sudo().search(
            [('res_model', '=', 'res.users'), ('res_id', '=', self.enroller.id)], limit=1, order='id desc')
        self.assertEqual(line.reason, REASON)
        self.assertTrue(line.values['key_recovery']['new'] and line.values['opened_by']['new'])
        key = self.keys._make(self.enroller, OTHER, self.keys._get_reason(self.enroller), cost=COST)
        self.assertEqual(key.reason, 'recovery')
        waiting = self._create_waiting()
        self.assertIn("waiting for enrolment", self._type(waiting, 'enrol', self.enroller, OTHER)['refused'])
        answer = self._type(key, 'enrol', self.enroller, OTHER)
        self.assertIn('signature_id', answer, answer)
        self.assertEqual((key.state, lost.state), ('force', 'replaced'))
        self.assertTrue(key.enrolment_id.content['recovery'])
        self.assertEqual(self.env['mrp.signer']._get_for(self.enroller).state, 'ready')
        # It is one key, and enrols others like any other one.
        self.assertEqual(self._recover(ENROLLER)[0], 2)
        self.assertIn('signature_id', self._type(waiting, 'enrol', self.enroller, OTHER))
        again = self.keys._make(self.enroller, OTHER, 'loss', cost=COST)
        self.assertIn("cannot enrol your own key", self._type(again, 'enrol', self.enroller, OTHER)['refused'])
        self.assertEqual(self._verify(), [])
        self.assertEqual(len([text for text in self._verify(REMARK) if "the server had opened it" in text]), 1)
        # A bundle with what the person enrolled says so as well.
        self.assertIn("enrolled by its holder", self._check_bundle(self._sign_with(waiting)))

    def test_told_from_the_start(self):
        """A-30, SIG-120: a way back is a remark of verification from the command on; once a key came of it, that key is."""
        def told():
            return [text for text in self._verify(REMARK) if "opened on the server" in text and "no key came of it" in text]

        self._reset(self.enroller)
        self.assertEqual(told(), [])
        self.assertEqual(self._recover(ENROLLER)[0], 0)
        self.assertEqual(len(told()), 1)
        self.assertIn(f"res.users,{self.enroller.id} ", told()[0])
        key = self.keys._make(self.enroller, OTHER, self.keys._get_reason(self.enroller), cost=COST)
        self.assertIn('signature_id', self._type(key, 'enrol', self.enroller, OTHER))
        self.assertEqual(told(), [])
        self.assertTrue([text for text in self._verify(REMARK) if "the server had opened it" in text])

    def test_deleted_secrets(self):
        """A-28, AUD-080, SIG-110: what is stored of a key in force is missed, unless Odoo forgot the signing password."""
        key = self.keys._get_in_force(self.user_qc)
        self.assertEqual(self._verify(), [])
        with self.env.cr.savepoint(flush=True) as savepoint:
            self.env.cr.execute("DELETE FROM mrp_signer_secret WHERE key_id = %s", [key.id])
            self.assertEqual(len([text for text in self._verify() if f"mrp.signer.key,{key.id} " in text]), 1)
            savepoint.rollback()
        self.env.invalidate_all()
        secret = self.env['mrp.signer.secret']._get(key)
        with transition(key):
            secret.kind = 'signing'
        self.env['mrp.signer']._get_for(self.user_qc).with_user(self.enroller)._renew_signing_password()
        self.env.flush_all()
        self.assertFalse(secret.exists())
        self.assertEqual(self._verify(), [])

    def _sign_with(self, key):
        """Let the owner of a key that was just enrolled sign a revision; return it."""
        revision = self._revision(700)
        self.assertIn('signature_id', self._type(revision, 'submit', key.user_id))
        return revision

    def _check_bundle(self, record):
        """Return what ``verify.py`` prints of a bundle, which is intact."""
        file, _name = record._make_bundle(prints=False)
        with file, tempfile.NamedTemporaryFile(suffix='.zip') as stored:
            stored.write(file.read())
            stored.flush()
            out = io.StringIO()
            self.assertEqual(verify.main([stored.name], out), 0, out.getvalue()[-2000:])
        return out.getvalue()

    def _create_waiting(self):
        user = self._create_person('t_waiting')
        return self.keys._make(user, PASSWORD, 'first', cost=COST)

    def test_everybody_left(self):
        """SIG-120, SEC-070: where nobody has the role any more the server gives it, with the identity that was verified."""
        person = new_test_user(
            self.env, login='t_next', password=PASSWORD, groups='base.group_user', name="Test next",
            context={'no_reset_password': True})
        self.enroller.active = False
        status, text = self._recover('t_next')
        self.assertEqual(status, 2)
        self.assertIn("SIG-070", text)
        self.assertEqual(self._recover('t_next', identity="Passport …123")[0], 0)
        self.assertIn(self.env.ref('mrp_mmr.group_mmr_security'), person.all_group_ids)
        self.assertEqual(self.env['mrp.signer']._get_for(person).identity_document, "Passport …123")
        person.with_user(person).env.user._change_password(OTHER)
        self.env['mrp.signer.acceptance']._record(
            self.env['mrp.signer']._get_for(person), person.company_id._get_mmr_acceptance())
        self.env['mrp.signer'].sudo()._get_for(person)._log(
            {'acceptance_sha256': person.company_id._get_mmr_acceptance()['sha256']})
        key = self.keys._make(person, OTHER, self.keys._get_reason(person), cost=COST)
        self.assertEqual(key.reason, 'recovery')
        self.assertIn('signature_id', self._type(key, 'enrol', person, OTHER))
        self.assertEqual(key.state, 'force')
        self.assertEqual(self._verify(), [])

    def test_time_and_person(self):
        """SIG-120: it is open for one person, for some hours, and not for a key that was made before."""
        self._reset(self.enroller)
        before = self.keys._make(self.enroller, OTHER, 'loss', cost=COST)
        self.assertEqual(self._recover(ENROLLER, 1)[0], 0)
        self.assertIn("cannot enrol your own key", self._refusal(before, self.enroller))
        other = self._create_person('t_other')
        self.assertFalse(self.keys._get_recovery_end(other))
        key = self.keys._make(self.enroller, OTHER, 'recovery', cost=COST)
        with freeze_time(fields.Datetime.now() + timedelta(hours=2)):
            self.assertIn("cannot enrol your own key", self._refusal(key, self.enroller))
        with self.assertRefused('mrp_mmr_signer_key_recovery'):
            self.keys._make(other, OTHER, 'recovery', cost=COST)

    def _refusal(self, key, user):
        try:
            key.with_user(user)._check_enroller('enrol', user)
        except UserError as error:
            return str(error)
        return "signed"

    def test_sql(self):
        """SIG-120: PostgreSQL refuses a key of this kind while somebody can enrol, and without the line."""
        key = self.keys._get_in_force(self.enroller)
        with self.assertRefused('mrp_mmr_signer_key_recovery'):
            self.keys._make(self.enroller, OTHER, 'recovery', cost=COST)
        # A line that code writes is refused; one that got there opens nothing while a key can be used.
        signer, line = self.env['mrp.signer']._get_for(self.enroller), {'key_recovery': {'new': '2099-01-01 00:00:00'}}
        with self.assertRefused('SIG-120'):
            signer._log(line)
        with server_command():
            signer._log(line)
        self.env.flush_all()
        with self.assertRefused('mrp_mmr_signer_key_recovery'):
            self.keys._make(self.enroller, OTHER, 'recovery', cost=COST)
        self.assertEqual(key.state, 'force')


@tagged('post_install', '-at_install')
class TestSuspension(RecoveryCommon):

    def _of(self, user):
        return self.env['mrp.signer'].sudo()._get_for(user)

    def test_code_does_not_end_it(self):
        """SIG-120, H-03: what code writes does not end a suspension: neither in a step of the workflow, nor by SQL."""
        user = self.user_qc
        self._reset(user)
        signer = self._of(user)
        vals = {'suspended_at': False, 'suspended_by_id': False}
        for name, attempt in (
                ("changes it", lambda: signer._change(vals, {})), ("sets up again", lambda: signer._set_up(user, self.admin)),
                ("writes it", lambda: signer.write(vals)), ("deletes it", signer.unlink)):
            with self.subTest(attempt=name), self.assertRefused('SIG-120', 'SIG-070', 'SIG-080'):
                attempt()
        for statement in (
                "UPDATE mrp_signer SET suspended_at = NULL, suspended_by_id = NULL WHERE id = %s",
                "UPDATE mrp_signer SET suspended_at = suspended_at - interval '1 year' WHERE id = %s",
                "UPDATE mrp_signer SET user_id = 1 WHERE id = %s", "DELETE FROM mrp_signer WHERE id = %s"):
            with self.subTest(sql=statement), self.assertRefused('mrp_mmr_signer_suspended'):
                self.cr.execute(statement, [signer.id])
        # What waits for the end of the transaction would stop it first.
        self.cr.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        with self.assertRefused('mrp_mmr_signer_kept'):
            self.cr.execute("TRUNCATE mrp_signer CASCADE")
        self.assertEqual(signer.state, 'suspended')

    def test_enrolment_before_does_not_end_it(self):
        """SIG-120: an enrolment from before the suspension ends nothing, and nobody ends what the same person caused."""
        signer = self._of(self.user_qc)
        with freeze_time(fields.Datetime.now() + timedelta(hours=1)):
            self._reset(self.user_qc)
            self.env.flush_all()
            with self.assertRefused('mrp_mmr_signer_suspended'):
                self.cr.execute("UPDATE mrp_signer SET suspended_at = NULL WHERE id = %s", [signer.id])
        self._reset(self.user_both, self.enroller)
        self.assertIn("waiting for enrolment", self._type(
            self._revision(), 'submit', self.user_both, OTHER, renew=True)['refused'])
        self.assertIn("caused the suspension", self._type(
            self.keys._get_last(self.user_both), 'enrol', self.enroller)['refused'])
        self.assertEqual(self._of(self.user_both).state, 'suspended')

    def test_the_ledger_says_who_caused_it(self):
        """SIG-120, H-03: another name in the row, or another reset, does not let whoever caused a suspension end it."""
        user = self.user_both
        self._reset(user, self.enroller)
        signer = self._of(user)
        self.assertIn("waiting for enrolment", self._type(self._revision(), 'submit', user, OTHER, renew=True)['refused'])
        with transition(signer):
            signer.write({'suspended_by_id': self.admin.id})
        key = self.keys._get_last(user)
        self.assertIn("caused the suspension", self._type(key, 'enrol', self.enroller)['refused'])
        with patch.object(self.env.registry['mrp.signer.key'], '_check_enroller', lambda *args: None):
            self.assertIn("caused the suspension", self._type(key, 'enrol', self.enroller)['refused'])
        self._reset(user)
        self.assertIn("caused the suspension", self._type(key, 'enrol', self.enroller)['refused'])

    def test_a_link_hides_nobody(self):
        """SIG-120, H-02: a link that nobody in particular sent does not hide who suspended the person before."""
        user = self.user_both
        self._reset(user, self.enroller)
        with user._by_link(user):
            user.sudo().password = 'Set-by-the-link-1'
        self.assertEqual(self._of(user).suspended_by_id, self.enroller)

    def test_enrolment_ends_it(self):
        """SIG-120: the enrolment of another security administrator ends it, and leaves nothing to find."""
        user = self.user_both
        self._reset(user)
        self.assertIn("waiting for enrolment", self._type(self._revision(), 'submit', user, OTHER, renew=True)['refused'])
        self.assertEqual(self.keys._get_last(user).reason, 'reset')
        self.assertIn('signature_id', enrol_waiting(user))
        self.assertEqual(self._of(user).state, 'ready')
        self.assertEqual(self._verify(), [])

    def test_vanished_is_found(self):
        """SIG-120: verification finds a suspension that vanished, one with another cause, and an end without enrolment."""
        user = self.user_qc
        self._reset(user)
        signer = self._of(user)
        self.assertEqual(self._verify(), [])

        def found(text):
            return [row for row in self._verify() if f"mrp.signer,{signer.id} " in row and text in row]

        with self._unguarded('mrp_signer') as cr:
            for statement, text in (
                    ("UPDATE mrp_signer SET suspended_at = NULL, suspended_by_id = NULL WHERE id = %s", "vanished"),
                    ("UPDATE mrp_signer SET suspended_by_id = 1 WHERE id = %s", "caused")):
                with self.subTest(sql=statement):
                    savepoint = cr.savepoint()
                    cr.execute(statement, [signer.id])
                    self.env.invalidate_all()
                    self.assertTrue(found(text), self._verify())
                    savepoint.close(rollback=True)
                    self.env.invalidate_all()
            cr.execute("UPDATE mrp_signer SET suspended_at = NULL, suspended_by_id = NULL WHERE id = %s", [signer.id])
            self.env.invalidate_all()
            signer._log({'signing': {'old': 'suspended', 'new': 'active'}})
            self.assertTrue(found("without such an enrolment"))
