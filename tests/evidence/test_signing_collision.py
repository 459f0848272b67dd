"""Signers who meet others: what is judged once, what is seen afterwards, what is repeated (PRF-020)."""

from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import patch

from odoo import SUPERUSER_ID, api, http
from odoo.exceptions import ConcurrencyError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.mrp_mmr.models.evidence import esignature_collision

from ..common.base import PASSWORD, CommittedCase


class Session(dict):
    """Of a browser, as far as signing asks for it."""

    def __init__(self, uid):
        super().__init__()
        self.uid, self.sid, self.debug = uid, f'{uid:084}', ''


@tagged('post_install', '-at_install')
class TestSigningCollision(CommittedCase):

    def setUp(self):
        super().setUp()
        self.startPatcher(patch.object(esignature_collision, 'WAIT', 0))
        self.preparer = self.users[0]
        self.revision = self._run(self.preparer, lambda env: self._create_mmr(env, len(self._testMethodName)))
        self.judged = 0
        with self.registry.cursor() as cr:
            self.wrong = api.Environment(cr, SUPERUSER_ID, {})['mrp.signer.attempt'].search_count([
                ('user_id', '=', self.preparer)])

    @contextmanager
    def _browser(self, uid):
        """Stand in for the request of a browser, as Odoo makes one for each call."""
        def session_of_request():
            return Session(uid), None
        request = SimpleNamespace(
            session=Session(uid), cookies={}, httprequest=_HttpRequest(), _get_session_and_dbname=session_of_request)
        http._request_stack.push(request)
        try:
            yield request
        finally:
            http._request_stack.pop()

    def _submit(self, during=None, before_lock=None):
        """Sign as the browser of the preparer does; let others act while the secret is judged, or before the record is locked.

        :return: the answer, and how often Odoo ran the request
        """
        signers, records = self.registry['mrp.signer'], self.registry['mrp.mmr.revision']
        judge, lock = signers._check_secret, records._lock_for_signing
        runs = []

        def judged(signer, user, credential):
            self.judged += 1
            if during:
                during()
            return judge(signer, user, credential)

        def locked(record):
            if before_lock and not record.env.su:
                self.acting = record.env.cr
                self.acting.execute("SELECT 1")    # what is seen is fixed by now
                before_lock()
            return lock(record)

        def request(env):
            runs.append(1)
            http.request.env = env
            revision = env['mrp.mmr.revision'].browse(self.revision)
            self.assertEqual(revision.state, 'draft')      # what a request reads before it signs
            return revision.esign('submit', {'login': env.user.login, 'password': PASSWORD}, digest)

        digest = self._run(self.preparer, self._digest)
        with self._browser(self.preparer), patch.object(signers, '_check_secret', judged), \
                patch.object(records, '_lock_for_signing', locked):
            return self._run(self.preparer, request), len(runs)

    def _digest(self, env):
        with self._browser(self.preparer) as request:
            request.env = env
            return env['mrp.mmr.revision'].browse(self.revision).esign_prepare('submit')['digest']

    def _touch(self):
        """Let another transaction write the row that the signer is about to lock, and the chain of the record."""
        with self.registry.cursor() as cr:
            cr.execute(SQL("UPDATE mrp_mmr_revision SET write_date = write_date WHERE id = %s", self.revision))
            env = api.Environment(cr, SUPERUSER_ID, {})
            record = env['mrp.mmr.revision'].browse(self.revision)
            env['mrp.audit.entry']._append_about('print', record, {'report': {'new': "x"}})

    def test_others_work_while_the_secret_is_judged(self):
        """PRF-020: what others commit while the secret is digested is seen, and nothing is repeated."""
        answer, runs = self._submit(during=self._touch)
        self.assertEqual(list(answer), ['signature_id'], answer)
        self.assertEqual((self.judged, runs), (1, 1))

    @mute_logger('odoo.sql_db')
    def test_repeated_alone(self):
        """PRF-020: who was too late after the secret was judged signs again at once; the secret is judged once."""
        times = iter([self._touch, self._touch])
        with patch.object(esignature_collision, '_logger') as log:
            answer, runs = self._submit(before_lock=lambda: next(times, lambda: None)())
        self.assertEqual(list(answer), ['signature_id'], answer)
        self.assertEqual((self.judged, runs, log.info.call_count), (1, 1, 2))
        self._assert_signed_once()

    @mute_logger('odoo.sql_db', 'odoo.service.model')
    def test_request_is_repeated(self):
        """PRF-020: where Odoo repeats the whole request, the secret that was right is not judged again."""
        calls = []

        def collide():
            calls.append(1)
            if len(calls) <= esignature_collision.TRIES:
                raise ConcurrencyError()
        with patch('odoo.service.model.time.sleep'):
            answer, runs = self._submit(before_lock=collide)
        self.assertEqual(list(answer), ['signature_id'], answer)
        self.assertEqual((self.judged, runs), (1, 2))
        self.assertFalse(len(esignature_collision._judged), "an opened key outlives its request")
        self._assert_signed_once()

    def test_own_row_of_the_signer(self):
        """SIG-120, A-24: what the attempt wrote about the signer in a transaction of its own stops no signature that writes it
        too, such as the first enrolment of a database."""
        def write_signer():
            self.acting.execute("UPDATE mrp_signer SET write_date = write_date WHERE user_id = %s", [self.preparer])
            written.append(self.acting.rowcount)

        written = []
        with patch.object(esignature_collision, '_logger') as log:
            answer, runs = self._submit(before_lock=write_signer)
        self.assertEqual(list(answer), ['signature_id'], answer)
        self.assertEqual((runs, log.info.call_count, written), (1, 0, [1]))

    def test_another_request_is_judged(self):
        """PRF-020, SIG-040: what was right in one request is judged again in the next one."""
        self.assertIn('signature_id', self._submit()[0])
        def sign_wrongly(env):
            http.request.env = env
            return env['mrp.mmr.revision'].browse(self.revision).esign(
                'submit', {'login': env.user.login, 'password': "wrong"}, 'x')

        with self._browser(self.preparer):
            answer = self._run(self.preparer, sign_wrongly)
        self.assertIn("SIG-040", answer['refused'])

    def _assert_signed_once(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            self.assertEqual(env['mrp.esignature'].search_count([
                ('res_model', '=', 'mrp.mmr.revision'), ('res_id', '=', self.revision)]), 1)
            self.assertEqual(env['mrp.signer.attempt'].search_count([('user_id', '=', self.preparer)]), self.wrong)


class _HttpRequest:
    files = {}
    remote_addr = '127.0.0.1'
