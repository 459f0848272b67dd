"""What is signed is declared in tables, and whatever else a client sends is refused in one place (SIG-010, SIG-040)."""

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.service.model import retrying
from odoo.tests import tagged
from odoo.tools import mute_logger
from odoo.tools.translate import LazyGettext

from odoo.addons.mrp_mmr.domain.refusals import refusal
from odoo.addons.mrp_mmr.domain.sessions import session_of
from odoo.addons.mrp_mmr.domain.signing import SigningAction, SigningRule, is_storable, shown, storable

from ..common.base import PASSWORD, CommittedCase, MmrCommon
from ..common.signing import HOSTILE, signing_models


@tagged('post_install', '-at_install')
class TestSigningTables(MmrCommon):

    def test_rules_are_complete(self):
        """SIG-010: each signature of each model has a meaning, a role, a statement, and methods that prepare and do it."""
        meanings = dict(self.env['mrp.esignature']._fields['meaning'].selection)
        found = 0
        for name, model in signing_models(self.env).items():
            rules = model._get_signing_rules()
            self.assertTrue(rules, name)
            self.assertRegex(model._signing_citation, r"[A-Z]{3}-\d{3}")
            for action, rule in rules.items():
                with self.subTest(model=name, action=action):
                    found += 1
                    self.assertIsInstance(rule, SigningRule)
                    self.assertIn(rule.meaning, meanings)
                    if rule.group is None:
                        self.assertEqual((name, action), ('mrp.mmr.revision', 'review'), "the role is that of the reviewer")
                    else:
                        self.assertEqual(self.env.ref(rule.group)._name, 'res.groups')
                    self.assertIsInstance(rule.statement, LazyGettext)
                    self.assertTrue(self.env._(rule.statement).strip())
                    for method in (rule.prepare, rule.apply, *filter(None, [rule.check_signer])):
                        self.assertTrue(method.startswith('_'), "no client calls it")
                        self.assertTrue(callable(getattr(model, method)), method)
                    if rule.once:
                        self.assertEqual(model._fields[rule.once].comodel_name, 'mrp.esignature')
                    self.assertTrue(is_storable(action))
        self.assertGreaterEqual(found, 59)

    def test_rules_name_real_states(self):
        """SIG-010: the statuses from which and to which a signature leads are values of the field of the model."""
        checked = 0
        for name, model in signing_models(self.env).items():
            for action, rule in model._get_signing_rules().items():
                if rule.states is None and rule.leads_to is None:
                    continue
                field = model._fields[model._signing_state_field]
                values = {True, False} if field.type == 'boolean' else {False, *dict(field._description_selection(self.env))}
                with self.subTest(model=name, action=action):
                    checked += 1
                    self.assertTrue(rule.states, "what leads somewhere comes from somewhere")
                    self.assertLessEqual(set(rule.states), values)
                    if rule.leads_to is not None:
                        self.assertIn(rule.leads_to, values)
                        self.assertNotEqual({rule.leads_to}, set(rule.states))
        self.assertGreaterEqual(checked, 35)

    def test_action_is_a_type(self):
        """SIG-020, SIG-030: what is signed is one frozen value, from the record to the signature."""
        revision = self._create_mmr().with_user(self.user_preparer)
        action = revision._get_signing_action('submit')
        self.assertIsInstance(action, SigningAction)
        self.assertEqual((action.meaning, action.group.name, action.comment_required), ('prepared', "Preparer", False))
        self.assertEqual(action.digest, revision.esign_prepare('submit')['digest'])
        with self.assertRaises(AttributeError):
            action.digest = '0' * 64

    def test_wrong_status(self):
        """SIG-010, APR-010: a signature in another status is refused by the mixin: record, status, rule, what to do."""
        revision = self._create_mmr()
        with self.assertRaisesRegex(
                UserError, r"revision 1 is not waiting for this signature \(Approved\); its status is: Draft"
                           r"(?s:.*)Rule: APR-010, 21 CFR 111.123(?s:.*)What you can do: follow the workflow"):
            revision.with_user(self.user_qc).esign_prepare('approve')

    def test_at_terminal(self):
        """SIG-040, VER-050: at a shared terminal the dialog opens for a colleague where the table says so, and only there."""
        self._make_effective(self._create_mmr())
        self.company.mmr_sign_shared = True
        order = self._create_order()
        order.action_confirm()
        record = order.bpr_id.with_user(self.user_operator)
        rules = record._get_signing_rules()
        self.assertEqual({action for action, rule in rules.items() if rule.at_terminal}, {'issue'})
        self.assertEqual(record.action_open_signature('issue')['tag'], 'mrp_mmr.sign')
        self.company.mmr_sign_shared = False
        with self.assertRaisesRegex(UserError, "APR-050"):
            record.action_open_signature('issue')
        label = self.env['mrp.mmr.label'].create({'code': "L-9", 'name': "Label", 'location': "Drawer"})
        self.company.mmr_sign_shared = True
        with self.assertRaisesRegex(UserError, "APR-050"):
            label.with_user(self.user_preparer).action_open_signature('approve')


@tagged('post_install', '-at_install')
class TestHostileClient(MmrCommon):

    def test_names(self):
        """SIG-010, SIG-040: whatever a client calls a signature is refused, and the attempt is recorded."""
        revision = self._create_mmr()
        for action in HOSTILE:
            with self.subTest(action=action):
                record = revision.with_user(self.user_preparer)
                for method in (record.esign_prepare, record.action_open_signature):
                    with self.assertRaisesRegex(UserError, "Rule: APR-010(?s:.*)What you can do: use the buttons"):
                        method(action)
                answer = self._esign(revision, action, self.user_preparer, digest='0' * 64)
                self.assertEqual(answer.keys(), {'refused'})
                self.assertIn("cannot be signed in that way", answer['refused'])
                self.env.flush_all()
                line = self.env['mrp.audit.entry'].search([('res_model', '=', revision._name), ('kind', '=', 'refused_sign')],
                                                          limit=1)
                self.assertEqual(line.values['action']['new'], shown(action))
        self.assertEqual(revision.state, 'draft')
        self.assertFalse(revision.esignature_ids)

    def test_credentials_and_reasons(self):
        """SIG-040, SIG-010: what is no text that can be stored is refused as user name, password or reason."""
        revision = self._create_mmr()
        digest = revision.with_user(self.user_preparer).esign_prepare('submit')['digest']
        own = {'login': 't_preparer', 'password': PASSWORD}
        self.company.mmr_sign_failures = 10
        for name in ('login', 'password', 'webauthn_response'):
            for text in ('a\0b', '\ud800', 'x' * 10_000):
                for shared in (False, True):
                    self.company.mmr_sign_shared = shared
                    with self.subTest(name=name, text=text[:9], shared=shared), session_of(self.user_preparer):
                        answer = revision.with_user(self.user_preparer).esign('submit', {**own, name: text}, digest)
                        self.assertIn("SIG-040", answer['refused'])
        self.company.mmr_sign_shared = False
        for comment in (5, ['x'], {'x': 1}, 'a\0b', '\ud800', True):
            with self.subTest(comment=comment), session_of(self.user_preparer):
                answer = revision.with_user(self.user_preparer).esign('submit', own, digest, comment)
                self.assertIn("the reason is not a text that can be stored", answer['refused'])
        for name in ('digest', 'annex_sha256', 'accept'):
            for value in (5, ['x'], {'x': 1}, '\0', '\ud800'):
                with self.subTest(name=name, value=value), session_of(self.user_preparer):
                    arguments = {'digest': digest, 'comment': "x", name: value}
                    if name == 'accept':
                        arguments['digest'] = '0' * 64
                    answer = revision.with_user(self.user_preparer).esign('submit', own, **arguments)
                    self.assertIn("SIG-030", answer['refused'])
        self.assertEqual(revision.state, 'draft')

    def test_shown_texts(self):
        """AUD-010: what the ledger keeps of a client's text is a text, and short."""
        self.assertEqual(storable('a\0b\ud800'), 'a\ufffdb?')
        self.assertEqual(shown(None), 'None')
        self.assertEqual(len(shown('x' * 10_000)), 101)
        self.assertTrue(all(is_storable(shown(value)) for value in HOSTILE))


class TestRepeatedRequest(CommittedCase):

    def _refused_lines(self, text):
        with self.registry.cursor() as cr:
            return api.Environment(cr, SUPERUSER_ID, {})['mrp.audit.entry'].search_count([
                ('kind', '=', 'refused'), ('reason', 'like', text)])

    def _collide(self, env):
        env.cr.execute("DO $$ BEGIN RAISE serialization_failure; END $$")

    @mute_logger('odoo.service.model', 'odoo.sql_db')
    def _request(self, function):
        """Do as a request: repeated by Odoo on collisions, rolled back where it fails."""
        with self.registry.cursor() as cr:
            env = api.Environment(cr, self.users[0], {})
            try:
                return retrying(lambda: function(env), env)
            except UserError as error:
                cr.rollback()
                return error

    def test_refused_once(self):
        """AUD-010, SEC-010: an attempt is recorded once, though Odoo repeats its request after a collision."""
        text = f"Refused after a collision {self.tag}"
        attempts = []

        def refused_at_last(env):
            attempts.append(refusal(env, text, "SEC-010", "nothing."))
            if len(attempts) < 3:
                self._collide(env)
            raise attempts[-1]

        error = self._request(refused_at_last)
        self.assertIsInstance(error, UserError)
        self.assertEqual(len(attempts), 3)
        self.assertEqual(self._refused_lines(text), 1)

    def test_allowed_at_last(self):
        """AUD-010: what was refused on what another transaction was just changing, and is allowed then, is no refusal."""
        text = f"Refused too early {self.tag}"
        attempts = []

        def allowed_at_last(env):
            attempts.append(1)
            if len(attempts) < 2:
                refusal(env, text, "SEC-010", "nothing.")
                self._collide(env)
            return "done"

        self.assertEqual(self._request(allowed_at_last), "done")
        self.assertEqual(self._refused_lines(text), 0)

    def test_unstorable_message(self):
        """AUD-010: a refusal that repeats what a client sent is recorded, whatever that was."""
        text = f"Refused {self.tag}"

        def refused(env):
            raise refusal(env, f"{text} a\0b\ud800", "SEC-010", "nothing.")

        self.assertIsInstance(self._request(refused), UserError)
        self.assertEqual(self._refused_lines(text), 1)
