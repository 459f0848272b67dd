"""Signing for another: what an administrator inside Odoo and the owner of the database try; refused, or found by name.

Cases H-01, H-02, H-03; SIG-110, SIG-120.
"""

import io

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import new_test_user
from odoo.tools import SQL
from odoo.tools.convert import convert_xml_import

from odoo.addons.mrp_mmr.domain import private_keys
from odoo.addons.mrp_mmr.domain.canonical import canonical_json
from odoo.addons.mrp_mmr.domain.sessions import session_of
from odoo.addons.mrp_mmr.verification.ledger import FINDING
from odoo.addons.mrp_mmr.verification.records import Verification

from ..common.base import PASSWORD, MmrCommon, enrol
from ..common.signing import COST, get_enroller, open_key

MINE = 'What-the-attacker-types-1'
#: What code in a server action does: name → code and what refuses it. ``revision`` waits for ``qc``; ``me`` is the attacker.
IN_ODOO = {
    "signs in another's name": (
        "revision.with_user(qc)._esign('approve', revision.document_sha256, 'x')", ('SIG-110',)),
    "signs with something that is no key": (
        "revision.with_user(qc)._esign('approve', revision.document_sha256, 'x', None, me)", ('SIG-110',)),
    "can only sign with their own key": (
        "revision.with_user(qc)._esign('approve', revision.document_sha256, 'x', None, keys._open(me, PASSWORD))",
        ('SIG-110',)),
    "signs together": (
        "revision.with_user(qc)._esign_all('approve', revision.document_sha256, 'x', None, None)", ('SIG-110',)),
    "signs in the session of nobody": (
        "answer = revision.with_user(qc).esign('approve', {'login': qc.login, 'password': PASSWORD}, "
        "revision.document_sha256)\nraise UserError(answer['refused'])", ('SIG-080',)),
    "stores values": (
        "signatures._store([signatures._prepare_signature_vals("
        "revision, qc, 'approved', 'x', 'x', revision.document_sha256)])", ('SIG-110',)),
    "creates values": (
        "signatures.create(signatures._prepare_signature_vals("
        "revision, qc, 'approved', 'x', 'x', revision.document_sha256))", ('SIG-080',)),
    "stores values that the own key signed": (
        "vals = signatures._prepare_signature_vals(revision, me, 'approved', 'x', 'x', revision.document_sha256, "
        "key=keys._open(me, PASSWORD))\n"
        "signatures._store([dict(vals, user_id=qc.id)])", ('SIG-110',)),
    "prepares values for another with the own key": (
        "signatures._prepare_signature_vals(revision, qc, 'approved', 'x', 'x', revision.document_sha256, "
        "key=keys._open(me, PASSWORD))", ('SIG-110',)),
    "stores a signature again for another record": (
        "vals = given._get_stored_vals()\nsignatures._store([dict(vals, res_id=revision.id, company_id=given.company_id.id)])",
        ('SIG-110',)),
    "copies a signature": ("given.copy()", ('SIG-030',)),
    "changes the signature of a key": ("given.write({'key_signature': 'x'})", ('SIG-030',)),
    "makes a key for another and signs with it": (
        "key = keys._make(qc, MINE, 'rotation')\n"
        "revision.with_user(qc)._esign('approve', revision.document_sha256, 'x', None, key._open_with(MINE))",
        ('SIG-120',)),
    "makes a key as after an update": (
        "keys._make(qc, MINE, 'update')", ('SIG-120',)),
    "writes a line of the ledger that opens the time after an update": (
        "env['mrp.audit.entry']._append_about('setting', env.company, {'key_transition': {'new': '2099-01-01 00:00:00'}})\n"
        "keys._make(qc, MINE, 'update')", ('SIG-120',)),
    "enrols a key for another as that person": (
        "key = keys._make(qc, MINE, 'rotation').with_user(qc)\n"
        "key._esign('enrol', key.sudo()._get_signing_action('enrol').digest, '', None, key._open_with(MINE))",
        ('SIG-120', 'APR-050', 'AccessError')),
    "enrols a key as the security administrator": (
        "key = keys._make(qc, MINE, 'rotation').with_user(enroller)\n"
        "key._esign('enrol', key._get_signing_action('enrol').digest, '')", ('SIG-110',)),
    "enrols the own second key": (
        "key = keys._make(me, MINE, 'rotation').with_user(me)\n"
        "key._esign('enrol', key._get_signing_action('enrol').digest, '', None, keys._open(me, PASSWORD))", ('SIG-120',)),
    "creates a key": ("keys.create({'user_id': qc.id})", ('SIG-110',)),
    "changes a key": ("keys._get_in_force(qc).write({'public_key': 'x'})", ('SIG-110',)),
    "deletes a key": ("keys._get_in_force(qc).unlink()", ('SIG-110',)),
    "changes a wrapped key": ("secrets._get(keys._get_in_force(qc)).write({'wrapped': 'x'})", ('SIG-110',)),
    "deletes a wrapped key": ("secrets._get(keys._get_in_force(qc)).unlink()", ('SIG-110',)),
    "creates a wrapped key": (
        "secrets.create({'key_id': keys._get_in_force(qc).id, 'wrapped': 'x', 'kind': 'login'})", ('SIG-110',)),
    "opens the way back": ("keys._open_recovery(me, 24, 'x', 'x')", ('SIG-120',)),
    "makes a key as after the way back": ("keys._make(me, MINE, 'recovery')", ('SIG-120',)),
    "writes a line of the ledger that opens the way back": (
        "env['mrp.audit.entry'].sudo().with_user(1)._append_about("
        "'setting', me, {'key_recovery': {'new': '2099-01-01 00:00:00'}})\n"
        "keys._make(me, MINE, 'recovery')", ('SIG-120',)),
    "ends a suspension": ("env['mrp.signer']._get_for(qc).sudo().write({'suspended_at': False})", ('SIG-070',)),
    "says that a password is own": ("env['mrp.signer']._get_for(qc).sudo().write({'is_password_own': True})", ('SIG-070',)),
}
#: What refuses in the dialog, after code or SQL prepared it: name → code, what is typed for qc, what the answer names.
THEN_SIGNS = {
    "wraps another's key anew, by a guess": (
        "if keys._rewrap(qc, 'guess', MINE): raise UserError('wrapped')", MINE, "SIG-040"),
    "resets the password": ("qc.write({'password': MINE})", MINE, "SIG-120"),
    "resets the password, and says that the owner did": (
        "qc.write({'password': MINE})\nenv['mrp.signer']._get_for(qc)._change("
        "{'is_password_own': True, 'suspended_at': False, 'suspended_by_id': False}, {})", MINE, "SIG-120"),
    "resets the password, and sets up the signer again": (
        "qc.write({'password': MINE})\nenv['mrp.signer']._set_up(qc, me)", MINE, "SIG-120"),
    "puts a digest of the password into the table": (
        "env.cr.execute('UPDATE res_users SET password = %s WHERE id = %s', "
        "[qc._crypt_context().hash(MINE), qc.id])\nqc.invalidate_recordset()", MINE, "SIG-120"),
    "puts an own key into the place of another's": (
        "qc.write({'password': MINE})\nenv['mrp.signer']._set_up(qc, me)\n"
        "key = keys._make(me, MINE, 'rotation')\n"
        "secrets._keep(keys._get_in_force(qc), secrets._get(key).wrapped, 'login')", MINE, "SIG-120"),
    "wraps an own key under another's name": (
        "qc.write({'password': MINE})\nenv['mrp.signer']._set_up(qc, me)\n"
        "secrets._keep(keys._get_in_force(qc), forged, 'login')", MINE, "SIG-120"),
    "makes a key for another, which waits": (
        "qc.write({'password': MINE})\nenv['mrp.signer']._set_up(qc, me)\nkeys._make(qc, MINE, 'reset')", MINE, "SIG-120"),
}


class TestKeyAttacks(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.enroller = get_enroller(cls.env)
        # The attacker administers Odoo, and has every role of security and an own key.
        cls.me = enrol(new_test_user(
            cls.env, login='t_attacker', password=PASSWORD, groups='base.group_system,mrp_mmr.group_mmr_security'))
        cls.revision = cls._create_mmr()
        cls._sign(cls.revision, 'submit', cls.user_preparer)
        other = cls._create_mmr(500)
        cls._sign(other, 'submit', cls.user_preparer)
        cls.given = cls._sign(other, 'approve', cls.user_qc)
        cls.env.flush_all()

    def _run_code(self, code):
        """Run code as the attacker does: in a server action, which acts as OdooBot, whom the ledger lets write."""
        named = f"""
env = env(user=1)
keys = env['mrp.signer.key'].sudo()
secrets = env['mrp.signer.secret'].sudo()
signatures = env['mrp.esignature'].sudo()
revision = env['mrp.mmr.revision'].sudo().browse({self.revision.id})
given = signatures.browse({self.given.id})
qc = env['res.users'].sudo().browse({self.user_qc.id})
enroller = env['res.users'].sudo().browse({self.enroller.id})
me = env['res.users'].browse({self.me.id})
PASSWORD, MINE, forged = {PASSWORD!r}, {MINE!r}, {self._forge()!r}
"""
        action = self.env['ir.actions.server'].with_user(self.me).create({
            'name': "Attack", 'model_id': self.env['ir.model']._get('res.partner').id, 'state': 'code',
            'code': named + code})
        try:
            return action.with_context(active_model='res.partner', active_id=self.me.partner_id.id).run()
        except ValueError as error:
            # What is no refusal of Odoo, such as one of PostgreSQL, leaves a server action as this.
            raise UserError(str(error)) from error

    def _forge(self):
        return private_keys.make_key(MINE, f'res.users,{self.user_qc.id}', COST)[1]

    def _count(self):
        self.env.flush_all()
        self.cr.execute("SELECT count(*) FROM mrp_esignature")
        return self.cr.fetchone()[0]

    def _findings(self):
        self.env.flush_all()
        return [finding for finding in Verification(self.env.cr) if finding.severity == FINDING]

    # === INSIDE ODOO === #

    def test_code_in_odoo(self):
        """SIG-110, SIG-120, H-01: whatever a server action does, nobody's signature comes of it."""
        count = self._count()
        self.assertGreater(len(IN_ODOO), 20)
        for name, (code, rules) in IN_ODOO.items():
            with self.subTest(attempt=name), self.assertRefused('SEC-060', *rules):
                self._run_code(code)
        self.assertEqual(self._count(), count)
        self.assertEqual(self.revision.state, 'submitted')
        self.assertEqual(self._findings(), [])

    def test_prepared_then_signed(self):
        """SIG-110, SIG-120, H-02, H-03: whoever gets hold of the password has no key by it."""
        for name, (code, typed, rule) in THEN_SIGNS.items():
            with self.subTest(attempt=name), self.env.cr.savepoint() as savepoint:
                try:
                    self._run_code(code)
                    self.env.flush_all()
                except UserError as error:
                    # Where already the preparation is, or what ends a suspension by code (SIG-120, H-03).
                    self.assertRegex(str(error), "SEC-060|suspended")
                    savepoint.rollback()
                    continue
                for extra in ({}, {'former': 'a guess'}, {'renew': True}):
                    answer = self._type(self.user_qc, typed, **extra)
                    self.assertIn(rule, answer.get('refused', "signed"))
                savepoint.rollback()
            self.env.invalidate_all()
        self.assertEqual(self.revision.state, 'submitted')

    def test_other_roads(self):
        """SIG-110, SIG-120, H-01: scheduled and automated actions, imports, templates and data of modules sign for nobody."""
        count, keys = self._count(), self.env['mrp.signer.key'].sudo()
        in_force = keys._get_in_force(self.user_qc)
        digest, qc = self.revision.document_sha256, self.user_qc.id
        sign = f"with_user({qc})._esign('approve', '{digest}', 'x')"
        tried = []
        for name, road, rule in (
                ("scheduled action", lambda: self._run_scheduled(sign), 'SIG-110'),
                ("automation rule", lambda: self._run_automation(sign), 'SIG-110'),
                ("template of a mail", lambda: self._render(f'{{{{ object.{sign} }}}}', 'inline_template'), 'SIG-110'),
                ("template of a page", lambda: self._render(f'<t t-out="object.{sign}"/>', 'qweb'), 'SIG-110'),
                ("import of signatures", lambda: self._import('mrp.esignature', {'res_model': 'x', 'user_id/.id': qc}), 'SIG-'),
                ("import of keys", lambda: self._import(
                    'mrp.signer.key', {'user_id/.id': qc, 'algorithm': 'ed25519'}), 'SIG-110'),
                ("import of secrets", lambda: self._import(
                    'mrp.signer.secret', {'key_id/.id': in_force.id, 'kind': 'login'}), 'SIG-110'),
                ("data of a module, a signature", lambda: self._load_data(
                    '<record id="x_forged" model="mrp.esignature"><field name="res_model">x</field></record>'), 'SIG-'),
                ("data of a module, a call", lambda: self._load_data(
                    f'<function model="mrp.mmr.revision" name="_esign" eval="[[{self.revision.id}], \'approve\', '
                    f'\'{digest}\', \'x\']"/>'), 'APR-050')):
            with self.subTest(road=name), self.env.cr.savepoint() as savepoint:
                try:
                    said = road()
                    self.env.flush_all()
                except Exception as error:  # pylint: disable=broad-exception-caught
                    said = self._chain(error)
                if said is not NotImplemented:
                    self.assertIn(rule, str(said))
                    tried.append(name)
                savepoint.rollback()
            self.env.invalidate_all()
        self.assertGreaterEqual(len(tried), 8)
        self.assertEqual((self._count(), keys._get_in_force(self.user_qc)), (count, in_force))
        self.assertEqual(self.revision.state, 'submitted')
        self.assertEqual(self._findings(), [])

    @staticmethod
    def _chain(error):
        """Return what an exception says, and those from which it came."""
        said = []
        while error and error not in said:
            said.append(error)
            error = error.__cause__ or error.__context__
        return ' | '.join(map(str, said))

    def _code(self, sign):
        return f"env['mrp.mmr.revision'].sudo().browse({self.revision.id}).{sign}"

    def _run_scheduled(self, sign):
        cron = self.env['ir.cron'].with_user(self.me).create({
            'name': "Attack", 'model_id': self.env['ir.model']._get('res.partner').id, 'state': 'code',
            'code': self._code(sign)})
        return cron.sudo().ir_actions_server_id.run()

    def _run_automation(self, sign):
        if 'base.automation' not in self.env:
            return NotImplemented
        model = self.env['ir.model']._get('res.partner')
        self.env['base.automation'].with_user(self.me).create({
            'name': "Attack", 'model_id': model.id, 'trigger': 'on_create', 'action_server_ids': [Command.create({
                'name': "Attack", 'model_id': model.id, 'state': 'code', 'code': self._code(sign)})]})
        return self.env['res.partner'].create({'name': "Trigger"})

    def _render(self, template, engine):
        return self.env['mail.render.mixin'].with_user(self.me).sudo()._render_template(
            template, 'mrp.mmr.revision', self.revision.ids, engine=engine)

    def _import(self, model, row):
        wizard = self.env['base_import.import'].with_user(self.me).sudo().create({
            'res_model': model, 'file': (','.join(row) + '\n' + ','.join(map(str, row.values()))).encode(),
            'file_type': 'text/csv', 'file_name': 'attack.csv'})
        return wizard.execute_import(list(row), list(row), {'has_headers': True, 'separator': ',', 'quoting': '"'})

    def _load_data(self, body):
        file = io.BytesIO(f'<odoo>{body}</odoo>'.encode())
        file.name = 'attack.xml'
        convert_xml_import(self.env, 'mrp_mmr', file, {}, 'init')

    def _type(self, user, password, **extra):
        revision = self.revision.with_user(user)
        with session_of(user):
            return revision.esign('approve', {'login': user.login, 'password': password, **extra}, revision.document_sha256)

    def test_own_password_then_suspension_stays(self):
        """SIG-120, H-03: who caused a suspension does not end it, though a security administrator."""
        self.user_qc.with_user(self.me).write({'password': MINE})
        own = self.user_qc.with_user(self.user_qc)
        own.env.user._change_password(f'{MINE}-2')
        answer = self._type(self.user_qc, f'{MINE}-2', renew=True)
        self.assertIn("waiting for enrolment", answer['refused'])
        key = self.env['mrp.signer.key'].sudo()._get_last(self.user_qc)
        answer = self._esign(key, 'enrol', self.me)
        self.assertIn("caused the suspension", answer['refused'])
        self.assertIn('signature_id', self._esign(key, 'enrol', self.enroller))
        self.assertIn('signature_id', self._type(self.user_qc, f'{MINE}-2'))
        self.assertEqual(self._findings(), [])

    def test_name_login_and_mail(self):
        """SIG-120: another name, login or address make no other key, and leave the signatures as they are."""
        self.user_qc.sudo().write({'login': 't_renamed', 'name': "Renamed", 'email': "mine@example.com"})
        self.assertIn('signature_id', self._type(self.user_qc, PASSWORD))
        self.assertTrue(self.given._is_intact())
        self.assertEqual(self._findings(), [])

    # === SQL === #

    def _insert(self, table, row, **values):
        """Insert a copy of a row with other values."""
        self.cr.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND column_name <> 'id'", [table])
        names = [name for name, in self.cr.fetchall()]
        self.cr.execute(SQL(
            "INSERT INTO %s (%s) SELECT %s FROM %s WHERE id = %s RETURNING id", SQL.identifier(table),
            SQL(', ').join(map(SQL.identifier, names)),
            SQL(', ').join(SQL("%s", values[name]) if name in values else SQL.identifier(name) for name in names),
            SQL.identifier(table), row.id))
        return self.cr.fetchone()[0]

    def _next(self, user):
        last = self.env['mrp.esignature'].sudo().search([('user_id', '=', user.id)], order='id desc', limit=1)
        return {'key_number': last.key_number + 1, 'key_previous': last.signature_sha256}

    def test_sql_refused(self):
        """SIG-110, SIG-120: PostgreSQL refuses rows without the signer's own key in force, out of order, and changes."""
        qc, attacker = self.user_qc, self.me
        keys = self.env['mrp.signer.key'].sudo()
        mine, theirs = keys._get_in_force(attacker), keys._get_in_force(qc)
        waiting = keys._make(qc, MINE, 'rotation', cost=COST)
        enrolment = mine.enrolment_id
        follows = self._next(qc)
        signature, key = 'mrp_esignature', 'mrp_signer_key'
        attempts = [
            ('esignature_keyed', signature, self.given, {**follows, 'key_signature': None}),
            ('esignature_keyed', signature, self.given, {**follows, 'key_signature': 'x'}),
            ('esignature_keyed', signature, self.given, {**follows, 'key_fingerprint': None}),
            ('esignature_keyed', signature, self.given, {**follows, 'key_fingerprint': mine.fingerprint}),
            ('esignature_keyed', signature, self.given, {**follows, 'key_fingerprint': '0' * 64}),
            ('esignature_in_force', signature, self.given, {**follows, 'key_fingerprint': waiting.fingerprint}),
            ('esignature_sequence', signature, self.given, {}),
            ('esignature_sequence', signature, self.given, {**follows, 'key_number': 77}),
            ('esignature_sequence', signature, self.given, {**follows, 'key_previous': '0' * 64}),
            ('esignature_enrolment', signature, enrolment, {
                **self._next(attacker), 'user_id': attacker.id, 'key_fingerprint': mine.fingerprint}),
            ('esignature_enrolment', signature, enrolment, {**self._next(self.enroller), 'meaning': 'verified'}),
            ('signer_key_fingerprint', key, theirs, {'fingerprint': '0' * 64}),
            ('signer_key_fingerprint', key, theirs, {'public_key': mine.public_key}),
            ('signer_key_fingerprint', key, theirs, {'algorithm': 'none'}),
            ('signer_key_update', key, theirs, {'reason': 'update'}),
            ('fingerprint_uniq', key, theirs, {'user_id': attacker.id}),
        ]
        for rule, table, row, values in attempts:
            names = (f'mrp_mmr_{rule}', f'{table}__{rule}', rule)
            with self.subTest(rule=rule, values=values), self.assertRefused(
                    *names[:1], core=rf'{table}_\w*{rule}'):
                self._insert(table, row, **values)
        for statement in (
                "UPDATE mrp_esignature SET key_signature = 'x' WHERE id = %s", "DELETE FROM mrp_esignature WHERE id = %s"):
            with self.subTest(sql=statement), self.assertRefused('mrp_mmr_esignature_append_only'):
                self.cr.execute(statement, [self.given.id])
        for statement in (
                "UPDATE mrp_signer_key SET user_id = 1 WHERE id = %s", "DELETE FROM mrp_signer_key WHERE id = %s",
                "TRUNCATE mrp_signer_key CASCADE"):
            with self.subTest(sql=statement), self.assertRefused('mrp_mmr_signer_key_append_only'):
                self.cr.execute(statement, [theirs.id] if '%' in statement else [])

    def _assert_found(self, record, *texts):
        findings = [str(finding) for finding in self._findings() if finding[:2] == (record._name, record.id)]
        for text in texts:
            self.assertTrue([finding for finding in findings if text in finding], f"{text}: {findings}")

    def test_sql_found(self):
        """SIG-110: what PostgreSQL cannot judge is found by verification: record, column, expected, found."""
        signatures = self.env['mrp.esignature'].sudo()
        keys = self.env['mrp.signer.key'].sudo()
        self.assertEqual(self._findings(), [])

        with self.subTest(attempt="a copied signature with the next number"), self.env.cr.savepoint() as savepoint:
            copied = signatures.browse(self._insert('mrp_esignature', self.given, **self._next(self.user_qc)))
            self._assert_found(copied, "key_signature made with the key of the signer", "digest")
            savepoint.rollback()
        with self.subTest(attempt="digest and ledger fit, the key does not"), self.env.cr.savepoint() as savepoint:
            vals = {**self.given._get_stored_vals(), **self._next(self.user_qc)}
            content = signatures._get_signed_content(vals)
            digest = private_keys.sign(private_keys.open_key(self._forge(), MINE, f'res.users,{self.user_qc.id}'),
                                       canonical_json(content))
            forged = signatures.browse(self._insert(
                'mrp_esignature', self.given, **self._next(self.user_qc), key_signature=digest))
            self._assert_found(forged, "key_signature made with the key of the signer")
            savepoint.rollback()
        with self.subTest(attempt="a forged enrolment"), self.env.cr.savepoint() as savepoint:
            waiting = keys._make(self.user_qc, MINE, 'rotation', cost=COST)
            enrolment = keys._get_in_force(self.user_qc).enrolment_id
            row = signatures.browse(self._insert(
                'mrp_esignature', enrolment, res_id=waiting.id, **self._next(self.enroller)))
            self._assert_found(row, "key_signature made with the key of the signer")
            self._assert_found(waiting, f"as in signature {row.id}")
            savepoint.rollback()
        self.env.invalidate_all()

    def test_sequence_found(self):
        """SIG-110: signatures that were cut off, moved or taken out are found; so is a changed key."""
        for size in (600, 700, 800):
            self._sign(self._create_mmr(size), 'submit', self.user_preparer)
        mine = self.env['mrp.esignature'].sudo().search([('user_id', '=', self.user_preparer.id)], order='id')
        key = self.env['mrp.signer.key'].sudo()._get_in_force(self.user_preparer)
        first, middle, last = mine[-3:]
        with self._unguarded('mrp_esignature', 'mrp_mmr_revision', 'mrp_signer_key') as cr:
            for name, statement, params, record, text in (
                    ("taken out", "DELETE FROM mrp_esignature WHERE id = %s", [middle.id], last, "key_number"),
                    ("cut off", "DELETE FROM mrp_esignature WHERE id = %s", [last.id], key, "as the last one of its holder"),
                    ("moved", "UPDATE mrp_esignature SET key_number = key_number + 40 WHERE id = %s", [middle.id], middle,
                     "key_number"),
                    ("other before", "UPDATE mrp_esignature SET key_previous = repeat('1', 64) WHERE id = %s", [last.id], last,
                     "key_previous"),
                    ("no key", "UPDATE mrp_esignature SET key_fingerprint = NULL WHERE id = %s", [last.id], last,
                     "key_fingerprint"),
                    ("other content", "UPDATE mrp_esignature SET comment = 'x' WHERE id = %s", [first.id], first,
                     "key_signature"),
                    ("other key", "UPDATE mrp_signer_key SET public_key = (SELECT public_key FROM mrp_signer_key "
                     "WHERE id <> %s LIMIT 1) WHERE id = %s", [key.id, key.id], key, "fingerprint"),
                    ("other person", "UPDATE mrp_signer_key SET user_id = %s WHERE id = %s", [self.me.id, key.id], last,
                     "key_fingerprint")):
                with self.subTest(attempt=name):
                    savepoint = cr.savepoint()
                    self._drop_links(cr)
                    cr.execute(statement, params)
                    self._assert_found(record, text)
                    savepoint.close(rollback=True)
                    self.env.invalidate_all()
            with self.subTest(attempt="cut off, and the secret says so too"):
                savepoint = cr.savepoint()
                self._drop_links(cr)
                cr.execute("DELETE FROM mrp_esignature WHERE id = %s", [last.id])
                cr.execute("UPDATE mrp_signer_secret SET number = %s, signature_sha256 = %s WHERE key_id = %s",
                           [middle.key_number, middle.signature_sha256, key.id])
                self._assert_found(key, "as in the ledger")
                savepoint.close(rollback=True)
                self.env.invalidate_all()

    @staticmethod
    def _drop_links(cr):
        """Foreign keys hold rows as well; the owner of a database drops them."""
        cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cr.execute("SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f' "
                   "AND confrelid IN ('mrp_esignature'::regclass, 'mrp_signer_key'::regclass)")
        for table, name in cr.fetchall():
            cr.execute(SQL("ALTER TABLE %s DROP CONSTRAINT %s", SQL.identifier(table), SQL.identifier(name)))

    def test_keys_open_for_their_owner(self):
        """SIG-110: what a person typed opens the own key, and no other's; code cannot reach what is inside."""
        opened = open_key(self.user_qc)
        self.assertEqual(opened.fingerprint, self.env['mrp.signer.key'].sudo()._get_in_force(self.user_qc).fingerprint)
        self.assertIsNone(open_key(self.user_qc, 'x'))
        self.assertNotIn(PASSWORD, repr(opened))
        with self.assertRaises(UserError):
            self.env['mrp.esignature']._sign_with_key({}, self.user_preparer, opened)
