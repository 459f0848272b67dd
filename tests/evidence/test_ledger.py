"""The ledger: every change has its line, lines are chained, and nothing switches it off or changes it."""

import json

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.mrp_mmr.domain.canonical import GENESIS, sha256
from odoo.addons.mrp_mmr.domain.roles import SHIPPED_NAMES
from odoo.addons.mrp_mmr.verification.records import Verification

from ..common.base import PASSWORD, MmrCommon


class LedgerCommon(MmrCommon):

    def _entries(self, record, chain=None, **conditions):
        chain = chain or record
        domain = [('chain_id.res_model', '=', chain._name), ('chain_id.res_id', '=', chain.id),
                  ('res_model', '=', record._name), ('res_id', '=', record.id)]
        return self.env['mrp.audit.entry'].search(
            domain + [(name, '=', value) for name, value in conditions.items()], order='index')

    def _assert_chain(self, record):
        """The chain of a record is whole: numbered, linked, and its digests are those of its lines."""
        chain = self.env['mrp.audit.chain'].search([('res_model', '=', record._name), ('res_id', '=', record.id)])
        self.assertEqual(len(chain), 1)
        previous = GENESIS
        entries = chain.entry_ids.sorted('index')
        self.assertTrue(entries)
        for number, entry in enumerate(entries, 1):
            self.assertEqual((entry.index, entry.previous_sha256), (number, previous))
            content = entry._get_hashed_content({
                'chain': [chain.res_model, chain.res_id], 'company_id': entry.company_id.id, 'user_id': entry.user_id.id,
                **{name: entry[name] for name in (
                    'index', 'kind', 'res_model', 'res_id', 'record_name', 'user_name', 'user_login', 'at', 'values',
                    'reason', 'previous_sha256')}})
            self.assertEqual(sha256(content), entry.sha256)
            previous = entry.sha256
        self.assertEqual((chain.head_index, chain.head_sha256), (len(entries), previous))
        return entries


class TestLedger(LedgerCommon):

    # === WHAT IS RECORDED === #

    def test_changes(self):
        """AUD-010: creation, change and deletion are recorded with person, record, field, old and new value."""
        revision = self._create_mmr()
        mmr = revision.mmr_id
        line = revision.bom_line_ids[0]
        [created] = self._entries(line, mmr, kind='create')
        self.assertEqual(created.user_id, self.user_preparer)
        self.assertEqual(created.values['gmp_qty'], {'new': '90'})
        self.assertEqual(created.values['product_id'], {'new': {'id': self.component_a.id, 'name': "[ASC] Ascorbic acid"}})
        line.with_user(self.user_qc).sudo().gmp_qty = 90.25
        changed = self._entries(line, mmr, kind='write')[-1]
        self.assertEqual(changed.values['gmp_qty'], {'old': '90', 'new': '90.25'})
        self.assertEqual((changed.user_id, changed.user_name), (self.user_qc, "Test t_qc"))
        self.assertIn("90 → 90.25", changed.summary)
        count = len(self._entries(line, mmr))
        line.with_user(self.user_preparer).gmp_qty = 90.25
        self.assertEqual(len(self._entries(line, mmr)), count, "what does not change makes no line")
        step = revision.step_ids[-1]
        vals = {'id': step.id, 'name': step.name, 'unit': step.unit}
        step.with_user(self.user_preparer).unlink()
        [deleted] = self.env['mrp.audit.entry'].search([
            ('res_model', '=', 'mrp.mmr.step'), ('res_id', '=', vals['id']), ('kind', '=', 'unlink')])
        self.assertEqual(deleted.values['name'], {'old': vals['name']})
        self.assertEqual(deleted.values['unit'], {'old': vals['unit']})
        self._assert_chain(mmr)

    def test_every_content_model(self):
        """AUD-010: a change of every field of every content model has its line, on the chain of its MMR."""
        revision = self._create_mmr().with_user(self.user_preparer)
        rows = [revision, revision.bom_line_ids[0], revision.operation_ids[0], revision.step_ids[0],
                revision.specification_ids[0], revision.equipment_ids[0], revision.ingredient_ids[0], revision.pack_ids[0]]
        for row in rows:
            for name in ('name', 'preparation', 'description', 'reason', 'mmr_overage_rationale', 'mmr_instruction'):
                if name not in row._fields or not row._fields[name].store or row._fields[name].type not in ('char', 'text') \
                        or name not in row._audit_fields():
                    continue
                with self.subTest(model=row._name, field=name):
                    row[name] = "Something else"
                    entry = self._entries(row, revision.mmr_id)[-1]
                    self.assertEqual(entry.values[name]['new'], "Something else")

    def test_hostile_contexts(self):
        """AUD-030: no context key, import or sudo switches the ledger off."""
        revision = self._create_mmr()
        keys = {'tracking_disable': True, 'mail_notrack': True, 'mail_create_nolog': True, 'mail_create_nosubscribe': True,
                'import_file': True, 'install_mode': True, 'no_audit': True, 'skip_audit': True, 'prefetch_fields': False}
        line = revision.bom_line_ids[0]
        for number, records in enumerate((
                line.with_user(self.user_preparer).with_context(**keys), line.sudo().with_context(**keys),
                line.with_context(**keys)), 1):
            records.gmp_qty = 50 + number
            self.assertEqual(
                self._entries(line, revision.mmr_id, kind='write')[-1].values['gmp_qty']['new'], str(50 + number))
        result = self.env['mrp.bom.line'].with_user(self.user_preparer).with_context(**keys).load(
            ['.id', 'gmp_qty'], [[str(line.id), '77']])
        self.assertTrue(result['ids'], result['messages'])
        self.assertEqual(self._entries(line, revision.mmr_id)[-1].values['gmp_qty']['new'], '77')

    def test_life(self):
        """AUD-010: states, signatures, refused signatures and prints are recorded; the batch has its own chain."""
        revision = self._create_mmr()
        mmr = revision.mmr_id
        self.assertIn('refused', self._esign(revision, 'submit', self.user_preparer, password="wrong"))
        refused = self._entries(revision, mmr, kind='refused_sign')
        self.assertIn("SIG-040", refused.reason)
        self.assertNotIn("wrong", json.dumps(refused.values) + refused.reason.replace("is wrong", ""))
        signature = self._sign(revision, 'submit', self.user_preparer)
        signed = self._entries(revision, mmr, kind='sign')
        self.assertEqual(signed.values['signature_sha256'], {'new': signature.signature_sha256})
        self._sign(revision, 'approve', self.user_qc)
        states = [entry.values['state'] for entry in self._entries(revision, mmr, kind='state')]
        self.assertEqual(states, [
            {'old': 'draft', 'new': 'submitted'}, {'old': 'submitted', 'new': 'approved'},
            {'old': 'approved', 'new': 'effective'}])
        order = self._create_order(100)
        self.assertFalse(self._entries(order), "a draft is a plan")
        order.with_user(self.user_planner).action_confirm()
        released = self._entries(order)
        self.assertEqual(released.values['mmr_snapshot_sha256'], {'old': None, 'new': order.mmr_snapshot_sha256})
        self._assert_chain(mmr)
        self._assert_chain(order)
        self.env['mrp.audit.entry']._append_about('print', revision, {'report': {'new': 'x'}})
        self.assertTrue(self._entries(revision, mmr, kind='print'))

    def test_exports(self):
        """AUD-010: what leaves the system by Odoo's export is recorded."""
        revision = self._create_mmr()
        self.user_preparer.group_ids |= self.env.ref('base.group_allow_export')
        revision.mmr_id.with_user(self.user_preparer).export_data(['name', 'batch_size'])
        entry = self._entries(revision.mmr_id, kind='export')
        self.assertEqual(entry.values, {'fields': {'new': 'name, batch_size'}})

    def test_roles_and_settings(self):
        """AUD-060: roles, from both sides, settings, profiles and requirements are recorded in the chain of the company."""
        user = new_test_user(self.env, login='t_role', groups='base.group_user')
        group = self.env.ref('mrp_mmr.group_mmr_qc')

        def last():
            return self.env['mrp.audit.entry'].search([
                ('chain_id.res_model', '=', 'res.company'), ('kind', '=', 'setting')], limit=1)

        new = self.env['res.users'].with_context(no_reset_password=True).create({
            'name': "New in QC", 'login': 't_new_qc', 'password': PASSWORD,
            'group_ids': [Command.set((self.env.ref('base.group_user') | group).ids)]})
        self.assertEqual(new.name, "New in QC")
        lines = self.env['mrp.audit.entry'].search([('res_model', '=', 'res.users'), ('res_id', '=', new.id)])
        self.assertEqual(set(lines.mapped('record_name')), {"New in QC"})
        self.assertEqual(lines[0].values['name'], {'new': "New in QC", 'old': None})
        user.write({'group_ids': [Command.link(group.id)]})
        self.assertEqual((last().record_name, last().values['roles']['old']), (user.name, []))
        self.assertIn("Quality Control", last().values['roles']['new'])
        group.write({'user_ids': [Command.unlink(user.id)]})
        self.assertEqual(last().values['roles']['new'], [])
        self.assertIn("Quality Control", last().values['roles']['old'])
        before = last()
        user.write({'group_ids': [Command.link(self.env.ref('base.group_partner_manager').id)], 'name': "No GMP role"})
        self.assertEqual(last(), before, "people without a GMP role are nobody's business here")
        self.company.mmr_block_overdue_review = True
        self.assertEqual(last().values, {'mmr_block_overdue_review': {'old': False, 'new': True}})
        profile = self.env.ref('mrp_mmr.profile_peu')
        profile.review_interval = 12
        self.assertEqual(self._entries(profile, self.company)[-1].values['review_interval'], {'old': 24, 'new': 12})

    def test_vanishing_roles(self):
        """AUD-060: roles that go with a group or with a user have their line as well."""
        group = self.env.ref('mrp_mmr.group_mmr_qc')
        giver = self.env['res.groups'].create({'name': "Managers", 'implied_ids': [Command.link(group.id)]})
        user = new_test_user(self.env, login='t_role', groups='base.group_user')
        user.group_ids |= giver

        def last():
            return self.env['mrp.audit.entry'].search([('res_model', '=', 'res.users'), ('res_id', '=', user_id)], limit=1)

        user_id = user.id
        self.assertIn("Quality Control", last().values['roles']['new'])
        giver.unlink()
        self.assertEqual((last().kind, last().values['roles']['new']), ('setting', []))
        user.group_ids |= group
        user.unlink()
        self.assertEqual((last().kind, last().record_name), ('unlink', "t_role (base.group_user)"))
        self.assertIn("Quality Control", last().values['roles']['old'])

    def test_renamed_role(self):
        """AUD-060, AUD-080: a role that was renamed is the one that the ledger names; one given in its place is found."""
        roles = self.env['res.groups'].search(self.env['res.users']._get_gmp_roles_domain()).with_context(lang=None)
        self.assertEqual({role.get_external_id()[role.id]: role.name for role in roles if 'group_mmr' in
                          role.get_external_id()[role.id]},
                         {f'mrp_mmr.{name}': title for name, title in SHIPPED_NAMES.items()})

        def findings():
            self.env.flush_all()
            return {finding.name for finding in Verification(self.env.cr).check_part('roles') if finding}

        group, other = self.env.ref('mrp_mmr.group_mmr_qc'), self.env.ref('mrp_mmr.group_mmr_quality_manager')
        group.name = "Release Unit"
        self.assertEqual(findings(), set())
        later = new_test_user(self.env, login='t_later', groups='base.group_user,mrp_mmr.group_mmr_qc')
        self.assertEqual(findings(), set())
        # One for the other, by SQL: as many roles as before.
        for user in (self.user_qc, later):
            with self.subTest(user=user.login), self.cr.savepoint() as savepoint:
                self.cr.execute("UPDATE res_groups_users_rel SET gid = %s WHERE gid = %s AND uid = %s",
                                [other.id, group.id, user.id])
                self.assertEqual(findings(), {user.login})
                savepoint.rollback()

    def test_control_of_products(self):
        """AUD-060, USE-020: that a product came under control, or was taken out of it, is recorded with the person."""
        template = self.env['product.template'].create({'name': "Tablets", 'mmr_controlled': True})
        self.assertFalse(self._entries(self.product.product_tmpl_id, self.company))
        self.user_qc.group_ids |= self.env.ref('product.group_product_manager')
        template.with_user(self.user_qc).write({'mmr_controlled': False, 'name': "Free"})
        template.with_user(self.user_qc).mmr_controlled = False
        lines = self._entries(template, self.company)
        self.assertEqual([(line.user_id, line.values['mmr_controlled']) for line in lines], [
            (self.env.user, {'old': False, 'new': True}), (self.user_qc, {'old': True, 'new': False})])
        self._make_effective(self._create_mmr())
        self.assertEqual(len(self._entries(self.product.product_tmpl_id, self.company)), 1)

    # === IT HOLDS === #

    def test_nobody_writes_it(self):
        """AUD-030: the ledger is append-only for everybody, in the ORM and in PostgreSQL."""
        revision = self._create_mmr()
        entry = self._entries(revision, revision.mmr_id)[0]
        chain = entry.chain_id
        admin = self.env.ref('base.user_admin')
        for user in (admin, self.user_qc, self.user_auditor, self.env.user):
            records = entry.with_user(user) if user != self.env.user else entry.sudo()
            for attempt in (
                    lambda records=records: records.write({'reason': "x"}), lambda records=records: records.unlink(),
                    lambda records=records: records.copy(), lambda records=records: records.create({'index': 1}),
                    lambda records=records: records.chain_id.write({'head_index': 1}),
                    lambda records=records: records.chain_id.unlink()):
                with self.assertRaisesRegex(UserError, "audit trail|not allowed"):  # AccessError is one
                    attempt()
        self.env.flush_all()
        statements = [
            f"UPDATE mrp_audit_entry SET reason = 'x' WHERE id = {entry.id}",
            f"DELETE FROM mrp_audit_entry WHERE id = {entry.id}",
            "TRUNCATE mrp_audit_entry CASCADE",
            f"UPDATE mrp_audit_chain SET head_index = head_index - 1 WHERE id = {chain.id}",
            f"UPDATE mrp_audit_chain SET head_sha256 = '{GENESIS}' WHERE id = {chain.id}",
            f"UPDATE mrp_audit_chain SET res_id = 0 WHERE id = {chain.id}",
            f"DELETE FROM mrp_audit_chain WHERE id = {chain.id}",
            f"""INSERT INTO mrp_audit_entry (chain_id, company_id, index, kind, res_model, record_name, user_id, user_name,
                    user_login, at, previous_sha256, sha256)
                SELECT chain_id, company_id, {chain.head_index} + 1, kind, res_model, record_name, user_id, user_name,
                       user_login, at, previous_sha256, sha256 FROM mrp_audit_entry WHERE id = {entry.id}""",
        ]
        for statement in statements:
            with self.subTest(statement=statement), self.assertRefused('AUD-030', 'AUD-040', 'SIG-030'):
                self.cr.execute(statement)
        self._assert_chain(revision.mmr_id)

    def test_rolled_back(self):
        """AUD-010: what was taken back has no line, and the chain goes on without a gap."""
        revision = self._create_mmr()
        before = self._assert_chain(revision.mmr_id)
        savepoint = self.cr.savepoint()
        revision.with_user(self.user_preparer).precautions = "Never stored."
        savepoint.close(rollback=True)
        self.env.invalidate_all()
        self.assertEqual(self._assert_chain(revision.mmr_id), before)
        revision.with_user(self.user_preparer).precautions = "Stored."
        self.assertEqual(len(self._assert_chain(revision.mmr_id)), len(before) + 1)

    def test_seal(self):
        """AUD-040: seals are chained, name every chain that grew, leave a copy elsewhere, and cannot be changed."""
        seals = self.env['mrp.audit.seal']
        revision = self._create_mmr()
        self.company.mmr_seal_email = "seals@example.com"
        seals._cron_seal()
        first = seals.search([('company_id', '=', self.company.id)], limit=1)
        chain = self._entries(revision, revision.mmr_id).chain_id
        self.assertIn(['mrp.mmr', revision.mmr_id.id, chain.head_index, chain.head_sha256], first.heads)
        self.assertFalse(seals._seal(self.company), "nothing grew since")
        revision.with_user(self.user_preparer).precautions = "Other."
        second = seals._seal(self.company)
        self.assertEqual((second.index, second.previous_sha256), (first.index + 1, first.sha256))
        self.assertEqual([row[:2] for row in second.heads], [['mrp.mmr', revision.mmr_id.id]])
        for seal in first | second:
            self.assertEqual(sha256(seals._get_hashed_content({
                'company_id': seal.company_id.id,
                **{name: seal[name] for name in ('index', 'at', 'heads', 'guards_sha256', 'keys', 'previous_sha256')},
            })), seal.sha256)
        self.assertIn(first.sha256, self.env.ref('mrp_mmr.channel_quality').message_ids[0].body)
        mail = self.env['mail.mail'].search([('email_to', '=', "seals@example.com")])
        self.assertIn(first.sha256, mail.body_html)
        for statement in (f"UPDATE mrp_audit_seal SET index = 9 WHERE id = {first.id}",
                          f"DELETE FROM mrp_audit_seal WHERE id = {first.id}",
                          f"UPDATE mrp_audit_chain SET sealed_index = 0 WHERE id = {chain.id}"):
            with self.subTest(statement=statement), self.assertRefused('AUD-030', 'SIG-030'):
                self.cr.execute(statement)

    def test_shown(self):
        """AUD-010: people read labels and names, not technical ones; lists are short, the form has everything."""
        revision = self._make_effective(self._create_mmr())
        entries = self.env['mrp.audit.entry'].with_user(self.user_auditor).search(
            [('chain_id.res_model', '=', 'mrp.mmr'), ('chain_id.res_id', '=', revision.mmr_id.id)])
        signed = entries.filtered(lambda entry: entry.kind == 'sign')[:1]
        self.assertIn("Meaning: Approved", signed.summary)
        self.assertIn(f"Digest of the Content: {revision.document_sha256[:12]}…", signed.summary)
        self.assertIn(revision.document_sha256, signed.details)
        self.assertEqual(signed.model_name, "Revision of a Master Manufacturing Record")
        state = entries.filtered(lambda entry: entry.kind == 'state')[:1]
        self.assertIn("State: Approved → Effective", state.summary)
        self.assertIn("Effective Since: – → 20", state.summary)
        created = entries.filtered(lambda entry: entry.kind == 'create' and len(entry.values) > 6)[:1]
        self.assertIn("more", created.summary)
        self.assertEqual(created.details.count('<tr>'), len(created.values) + 1)
        self.env['mrp.audit.entry']._append([{
            'chain': self.company, 'kind': 'write', 'model': 'no.model', 'res_id': 1, 'record_name': "x",
            'values': {'<b>x</b>': {'old': '<script>', 'new': ['a', None, True]}}}])
        foreign = self.env['mrp.audit.entry'].search([('res_model', '=', 'no.model')])
        self.assertEqual(foreign.summary, "<b>x</b>: <script> → a, –, Yes")
        self.assertNotIn('<script>', foreign.details)
        with self.assertRefused(core="this line is what remains of it"):
            foreign.action_open_record()
        self.assertEqual(signed.action_open_record()['res_id'], revision.id)
        self.assertEqual(entries.search(signed.action_open_chain()['domain']), entries)

    def test_audit_trail_button(self):
        """AUD-010: the button of a record shows the chain that it belongs to, or the lines about it."""
        revision = self._make_effective(self._create_mmr())
        order = self._create_order()
        order.action_confirm()
        label = self.env['mrp.mmr.label'].with_user(self.user_preparer).create({
            'code': "LBL-9", 'name': "Label", 'location': "Drawer 9"})
        entries = self.env['mrp.audit.entry'].with_user(self.user_auditor)
        for record, model in ((revision.mmr_id, 'mrp.mmr.revision'), (revision, 'mrp.mmr.step'), (order, 'mrp.production'),
                              (label, 'mrp.mmr.label')):
            with self.subTest(record=record._name):
                lines = entries.search(record.with_user(self.user_auditor).action_open_audit_trail()['domain'])
                self.assertIn(model, lines.mapped('res_model'))
                self.assertEqual(len(lines.chain_id), 1)
        self.assertEqual(set(lines.mapped('res_id')), {label.id})

    def test_menus(self):
        """SEC-010, USR-010: auditor and Quality Control find the evidence in Manufacturing, security in the settings; a planner
        has no menu of it."""
        security = new_test_user(self.env, login='t_security', groups='mrp_mmr.group_mmr_security')
        names = ('menu_mrp_audit_entry', 'menu_mrp_audit_entry_refused', 'menu_mrp_audit_seal', 'menu_mrp_audit_verify')
        names_security = tuple(f'{name}_security' for name in names)
        for user, seen in ((security, names_security), (self.user_auditor, names), (self.user_qc, names),
                           (self.user_planner, ())):
            menus = self.env['ir.ui.menu'].with_user(user)._visible_menu_ids()
            for name in names + names_security:
                with self.subTest(user=user.login, menu=name):
                    self.assertEqual(self.env.ref(f'mrp_mmr.{name}').id in menus, name in seen)

    def test_queries(self):
        """AUD-010: the number of queries does not depend on the number of lines and chains."""
        records = [self._create_mmr(size).mmr_id for size in (100, 200, 300)]
        entries = self.env['mrp.audit.entry']

        def append(number):
            entries._append([{
                'chain': record, 'kind': 'print', 'model': record._name, 'res_id': record.id, 'record_name': "x",
                'values': {'number': {'new': number}}} for record in records for _line in range(number)])

        append(1)
        with self.assertQueryCount(3):
            append(1)
        with self.assertQueryCount(3):
            append(50)
        for record in records:
            self._assert_chain(record)


@tagged('post_install', '-at_install')
class TestLedgerHttp(LedgerCommon, HttpCase):

    def test_refused_request(self):
        """AUD-010, SEC-010: a refused request leaves a line with rule, person and time, though it is rolled back."""
        revision = self._make_effective(self._create_mmr())
        self.authenticate('t_preparer', PASSWORD)
        answer = self.url_open('/web/dataset/call_kw/mrp.mmr.revision/write', headers={'Content-Type': 'application/json'},
                               data=json.dumps({'params': {
                                   'model': 'mrp.mmr.revision', 'method': 'write',
                                   'args': [[revision.id], {'precautions': "x"}], 'kwargs': {}}})).json()
        self.assertIn('error', answer)
        refused = self.env['mrp.audit.entry'].search([('kind', '=', 'refused'), ('user_id', '=', self.user_preparer.id)])
        self.assertTrue(refused)
        self.assertIn("REV-010", refused[0].record_name + refused[0].reason)
