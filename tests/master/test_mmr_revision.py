"""Revisions: states, signatures and what each transition asks for (APR-010, REV-010 to REV-060)."""

import json
from datetime import timedelta
from pathlib import Path

import jsonschema
from freezegun import freeze_time
from psycopg2.errors import CheckViolation

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tools import mute_logger

from odoo.addons.mrp_mmr.domain.canonical import canonical_json, sha256
from odoo.addons.mrp_mmr.domain.numbers import convert, decimal_string, exact
from odoo.addons.mrp_mmr.models.master.revision.document import agrees
from odoo.addons.mrp_mmr.models.master.revision.revision import STATES

from ..common.base import MmrCommon, enrol

SCHEMA = json.loads((Path(__file__).parents[2] / 'schema' / 'mmr.schema.json').read_text())


class TestMmrRevision(MmrCommon):

    # === LIFE === #

    def test_life(self):
        """APR-010, REV-050: draft, submitted, approved and effective, superseded in one transaction."""
        first = self._create_mmr()
        self.assertEqual(first.state, 'draft')
        self.assertFalse(first.bom_id.active)
        self._sign(first, 'submit', self.user_preparer)
        self.assertEqual(first.state, 'submitted')
        self.assertFalse(first.bom_id.active)
        self._sign(first, 'approve', self.user_qc)
        self.assertEqual((first.state, first.bom_id.active), ('effective', True))
        self.assertEqual(first.mmr_id.effective_revision_id, first)
        self.assertTrue(self.product.mmr_controlled)

        second = self._new_revision(first)
        self.assertEqual((second.revision, second.state), (2, 'draft'))
        self._make_effective(second)
        self.assertEqual((first.state, first.bom_id.active), ('superseded', False))
        self.assertEqual(first.mmr_id.effective_revision_id, second)
        self.assertTrue(first.ended_at)

        self._sign(second, 'retire', self.user_qc, comment="Product discontinued")
        self.assertEqual((second.state, second.bom_id.active), ('obsolete', False))
        self.assertFalse(first.mmr_id.effective_revision_id)

    def test_no_other_transition(self):
        """APR-010: no status is written directly, by anybody, and PostgreSQL knows the same table."""
        revision = self._create_mmr()
        for user in (self.user_preparer, self.user_qc, self.env.ref('base.user_admin')):
            for state, _label in STATES[1:]:
                with self.subTest(user=user.login, state=state), self.assertRaisesRegex(UserError, "APR-010"):
                    revision.with_user(user).sudo().write({'state': state})
        with self.assertRaisesRegex(UserError, "APR-010"):
            self.env['mrp.mmr.revision'].sudo().create(
                {'mmr_id': revision.mmr_id.id, 'state': 'effective'})
        for state, _label in STATES[1:]:
            if state == 'cancelled':
                continue
            with self.subTest(sql=state), self.assertRefused('APR-010', 'APR-020'):
                self.cr.execute('UPDATE mrp_mmr_revision SET state = %s WHERE id = %s', [state, revision.id])
        self._make_effective(revision)
        for state, _label in STATES:
            if state in ('effective', 'superseded', 'obsolete'):
                continue
            with self.subTest(sql=f'effective to {state}'), self.assertRefused('APR-010'):
                self.cr.execute('UPDATE mrp_mmr_revision SET state = %s WHERE id = %s', [state, revision.id])

    def test_approve_needs_submission(self):
        """APR-010: a draft is not approved, a submitted revision not submitted again."""
        revision = self._create_mmr()
        with self.assertRaisesRegex(UserError, "APR-010"):
            revision.with_user(self.user_qc).action_approve()
        self.assertIn('APR-010', self._esign(revision, 'approve', self.user_qc, digest='0' * 64)['refused'])
        self._sign(revision, 'submit', self.user_preparer)
        self.assertIn('APR-010', self._esign(revision, 'submit', self.user_preparer, digest='0' * 64)['refused'])

    def test_one_effective_in_database(self):
        """REV-050: a database constraint refuses a second effective revision."""
        first = self._make_effective(self._create_mmr())
        second = self._new_revision(first)
        self._sign(second, 'submit', self.user_preparer)
        second.invalidate_recordset()
        self.cr.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'mrp_mmr_revision' AND indexdef LIKE '%effective%'")
        self.assertRegex(self.cr.fetchone()[0], "UNIQUE")
        with self.assertRefused('mrp_mmr_revision_one_effective'):
            self.cr.execute("ALTER TABLE mrp_mmr_revision DISABLE TRIGGER mrp_mmr_guard_revision")
            self.cr.execute(
                "UPDATE mrp_mmr_revision SET state = 'effective', approved_signature_id = (SELECT min(id) "
                "FROM mrp_esignature) WHERE id = %s", [second.id])

    def test_failure_while_superseding_rolls_back(self):
        """REV-050: either both revisions change or none."""
        first = self._make_effective(self._create_mmr())
        second = self._new_revision(first)
        self._sign(second, 'submit', self.user_preparer)
        self.cr.execute("""
            CREATE FUNCTION pg_temp.fail() RETURNS trigger AS $$ BEGIN
                IF NEW.active THEN RAISE EXCEPTION 'disk full' USING ERRCODE = 'check_violation'; END IF; RETURN NEW;
            END $$ LANGUAGE plpgsql;
            CREATE TRIGGER fail BEFORE UPDATE ON mrp_bom FOR EACH ROW EXECUTE FUNCTION pg_temp.fail()
        """)
        with mute_logger('odoo.sql_db'):
            self.assertEqual(self._esign(second, 'approve', self.user_qc)['refused'], "disk full")
        self.env.invalidate_all()
        self.assertEqual(second.signature_count, 1)
        self.assertEqual((first.state, second.state), ('effective', 'submitted'))
        self.assertTrue(first.bom_id.active)

    # === INDEPENDENCE === #

    def test_preparer_does_not_approve(self):
        """APR-040: the preparer, though of Quality Control, does not approve the own work."""
        revision = self._create_mmr()
        self._sign(revision, 'submit', self.user_both)
        self.assertIn('APR-040', self._esign(revision, 'approve', self.user_both)['refused'])
        self.assertEqual(revision.state, 'submitted')
        self._sign(revision, 'approve', self.user_qc)

    def test_editor_does_not_approve(self):
        """APR-040: whoever edited one line, by whatever road, does not approve."""
        roads = {
            'line': lambda rev: rev.bom_line_ids[0].write({'gmp_qty': 80}),
            'new line': lambda rev: self.env['mrp.bom.line'].with_user(rev.env.user).create(
                {'bom_id': rev.bom_id.id, 'product_id': self.component_a.id, 'product_qty': 1,
                 'operation_id': rev.operation_ids[0].id}) and rev.action_add_weighing_steps(),
            'deleted line': lambda rev: rev.bom_line_ids[-1:].unlink(),
            'deleted step': lambda rev: rev.step_ids.filtered(lambda step: step.kind == 'instruction').unlink(),
            'specification': lambda rev: rev.specification_ids[0].write({'method': "NIR"}),
            'sudo': lambda rev: rev.sudo().bom_line_ids[0].write({'gmp_qty': 81}),
            'through the revision': lambda rev: rev.write(
                {'bom_line_ids': [Command.update(rev.bom_line_ids[0].id, {'gmp_qty': 82})]}),
            'through the BOM': lambda rev: rev.bom_id.write(
                {'bom_line_ids': [Command.update(rev.bom_line_ids[0].id, {'gmp_qty': 83})]}),
            'operation': lambda rev: rev.operation_ids[0].write({'mmr_instruction': "Sieve first."}),
            'text': lambda rev: rev.write({'precautions': "Wear gloves."}),
        }
        for size, (name, edit) in enumerate(roads.items(), 1000):
            with self.subTest(road=name):
                revision = self._create_mmr(size)
                edit(revision.with_user(self.user_both))
                self.assertIn(self.user_both, revision.editor_ids)
                self._sign(revision, 'submit', self.user_preparer)
                self.assertIn('APR-040', self._esign(revision, 'approve', self.user_both)['refused'])
                self.assertEqual(revision.state, 'submitted')

    def test_two_logins_of_one_person(self):
        """APR-040: two users that share a partner are one person."""
        twin = self.user_qc.copy({'login': 't_twin', 'partner_id': self.user_preparer.partner_id.id})
        twin.password = 'A-long-password-1'
        enrol(twin)
        revision = self._create_mmr()
        self._sign(revision, 'submit', self.user_preparer)
        self.assertEqual(twin.partner_id, self.user_preparer.partner_id)
        self.assertIn('APR-040', self._esign(revision, 'approve', twin)['refused'])
        # Another partner afterwards does not help: it is refused, and the signature keeps the person.
        other = self.env['res.partner'].create({'name': "Somebody else"})
        with self.assertRaisesRegex(UserError, "SIG-060"):
            self.user_preparer.sudo().partner_id = other
        self.env.flush_all()
        self.cr.execute('UPDATE res_users SET partner_id = %s WHERE id = %s', [other.id, self.user_preparer.id])
        self.env.invalidate_all()
        self.assertIn('APR-040', self._esign(revision, 'approve', twin)['refused'])

    def test_editors_are_not_forged(self):
        """APR-040: nobody takes the own name from the list of editors."""
        revision = self._create_mmr()
        with self.assertRaisesRegex(UserError, "APR-010"):
            revision.with_user(self.user_preparer).sudo().write({'editor_ids': [Command.clear()]})

    def test_roles(self):
        """APR-050: planner, manager, operator and administrator neither prepare nor approve."""
        revision = self._create_mmr()
        admin = self.env.ref('base.user_admin')
        for user in (self.user_planner, self.user_manager, self.user_operator, admin, self.user_qc):
            with self.subTest(submit=user.login), self.assertRaises(AccessError):
                revision.with_user(user).action_submit()
        self._sign(revision, 'submit', self.user_preparer)
        for user in (self.user_planner, self.user_manager, self.user_operator, admin, self.user_auditor):
            for action in ('action_approve', 'action_reject'):
                with self.subTest(action=action, user=user.login), self.assertRaisesRegex(AccessError, "APR-050"):
                    getattr(revision.with_user(user), action)()

    def test_no_role_implies_quality_control(self):
        """SEC-010: no role implies Quality Control, and the administrator has no signing right."""
        qc = self.env.ref('mrp_mmr.group_mmr_qc')
        self.assertFalse(qc.all_implied_by_ids - qc)
        category = self.env.ref('mrp_mmr.module_category_gmp')
        roles = self.env['res.groups'].search([('privilege_id.category_id', '=', category.id)])
        self.assertEqual(len(roles), 9)
        self.assertEqual(len(roles.privilege_id), 9)
        self.assertFalse(roles & self.env.ref('base.user_admin').all_group_ids)
        for role in roles:
            self.assertFalse((role.all_implied_ids - role) & roles, role.name)

    # === CONTENT IS FROZEN === #

    def test_content_is_immutable(self):
        """REV-010, REV-040: header, lines, operations and by-products cannot change after submission, for anybody."""
        revision = self._create_mmr()
        byproduct = self.env['mrp.bom.byproduct'].with_user(self.user_preparer).create(
            {'bom_id': revision.bom_id.id, 'product_id': self.component_other.id, 'product_qty': 1})
        line, operation, bom = revision.bom_line_ids[0], revision.operation_ids[0], revision.bom_id
        changes = [
            (revision, {'reason': "x"}), (revision, {'description': "x"}), (revision, {'precautions': "x"}),
            (revision, {'change_category': 'process'}), (revision, {'date_effective': fields.Date.today()}),
            (line, {'gmp_qty': 1}), (line, {'product_qty': 1}), (line, {'product_id': self.component_other.id}),
            (line, {'product_uom_id': self.gram.id}), (line, {'sequence': 9}), (line, {'operation_id': False}),
            (operation, {'name': "x"}), (operation, {'mmr_instruction': "x"}), (operation, {'sequence': 50}),
            (operation, {'active': False}),
            (operation, {'workcenter_id': self.workcenter.copy().id}),
            (operation, {'blocked_by_operation_ids': [Command.link(revision.operation_ids[1].id)]}),
            (byproduct, {'product_qty': 2}), (byproduct, {'product_id': self.component_b.id}),
            (bom, {'product_qty': 50}), (bom, {'product_uom_id': self.gram.id}), (bom, {'type': 'phantom'}),
            (bom, {'batch_size': 50}), (bom, {'enable_batch_size': False}), (bom, {'product_id': False}),
            (bom, {'bom_line_ids': [Command.clear()]}), (bom, {'allow_operation_dependencies': True}),
            (bom, {'active': True}), (bom, {'active': False}),
        ]
        self._sign(revision, 'submit', self.user_preparer)
        users = (self.user_preparer, self.user_qc, self.user_manager, self.env.ref('base.user_admin'))
        for state in ('submitted', 'effective'):
            if state == 'effective':
                self._sign(revision, 'approve', self.user_qc)
            self.assertEqual(revision.state, state)
            for record, vals in changes:
                if record == bom and vals == {'active': bom.active}:
                    continue  # nothing would change
                for user in users:
                    hostile = {'mmr_transition': True, 'tracking_disable': True, 'skip_mmr': True, 'force': True}
                    with self.subTest(state=state, record=record._name, vals=vals, user=user.login), \
                            self.assertRaisesRegex(UserError, "REV-010|REV-050"):
                        record.with_user(user).sudo().with_context(**hostile).write(vals)
            for record in (line, operation, byproduct, bom, revision):
                with self.subTest(state=state, unlink=record._name), self.assertRaisesRegex(UserError, "REV-010|REC-040"):
                    record.sudo().unlink()
            with self.assertRaisesRegex(UserError, "REV-010"):
                self.env['mrp.bom.line'].sudo().create({'bom_id': bom.id, 'product_id': self.component_other.id})
            with self.assertRaisesRegex(UserError, "REV-010"):
                self.env['mrp.routing.workcenter'].sudo().create(
                    {'bom_id': bom.id, 'name': "x", 'workcenter_id': self.workcenter.id})
            other = self.env['mrp.bom'].create({'product_tmpl_id': self.component_a.product_tmpl_id.id})
            stray = self.env['mrp.bom.line'].create({'bom_id': other.id, 'product_id': self.component_other.id})
            with self.assertRaisesRegex(UserError, "REV-010"):
                stray.bom_id = bom

    def test_content_is_immutable_in_sql(self):
        """REV-010: PostgreSQL refuses what the ORM refuses."""
        revision = self._create_mmr()
        self.env['mrp.bom.byproduct'].with_user(self.user_preparer).create(
            {'bom_id': revision.bom_id.id, 'product_id': self.component_other.id, 'product_qty': 1})
        self._make_effective(revision)
        self.env.flush_all()
        bom = revision.bom_id.id
        statements = [
            ("UPDATE mrp_bom_line SET product_qty = 1 WHERE bom_id = %s", [bom]),
            ("UPDATE mrp_bom_line SET gmp_qty = 1 WHERE bom_id = %s", [bom]),
            ("DELETE FROM mrp_bom_line WHERE bom_id = %s", [bom]),
            ("INSERT INTO mrp_bom_line (bom_id, product_id, product_qty, product_uom_id) VALUES (%s, %s, 1, %s)",
             [bom, self.component_other.id, self.kg.id]),
            ("UPDATE mrp_routing_workcenter SET mmr_instruction = 'x' WHERE bom_id = %s", [bom]),
            ("DELETE FROM mrp_routing_workcenter WHERE bom_id = %s", [bom]),
            ("INSERT INTO mrp_routing_workcenter_dependencies_rel (operation_id, blocked_by_id) VALUES (%s, %s)",
             revision.operation_ids[::-1].ids),
            ("UPDATE mrp_bom_byproduct SET product_qty = 7 WHERE bom_id = %s", [bom]),
            ("UPDATE mrp_bom SET product_qty = 7 WHERE id = %s", [bom]),
            ("UPDATE mrp_mmr_revision SET reason = 'x' WHERE id = %s", [revision.id]),
            ("UPDATE mrp_mmr_revision SET document = '{}' WHERE id = %s", [revision.id]),
            ("UPDATE mrp_mmr_revision SET document_sha256 = 'x' WHERE id = %s", [revision.id]),
            ("UPDATE mrp_mmr_revision SET approved_signature_id = prepared_signature_id WHERE id = %s", [revision.id]),
            ("UPDATE mrp_mmr_revision SET revision = 7 WHERE id = %s", [revision.id]),
            ("UPDATE mrp_mmr_revision SET submitted_once = false WHERE id = %s", [revision.id]),
            ("UPDATE mrp_mmr_revision SET effective_at = now() - interval '1 year' WHERE id = %s", [revision.id]),
            ("DELETE FROM mrp_mmr_revision WHERE id = %s", [revision.id]),
            ("DELETE FROM mrp_mmr WHERE id = %s", [revision.mmr_id.id]),
        ]
        for statement, params in statements:
            with self.subTest(sql=statement), self.assertRefused('REC-040', 'REV-010', 'mrp_mmr_revision_mmr_id_fkey'):
                self.cr.execute(statement, params)
        # What is Odoo's own bookkeeping still moves.
        self.cr.execute("UPDATE mrp_bom SET sequence = 3, produce_delay = 2 WHERE id = %s", [bom])

    def test_bom_of_a_draft_is_not_usable(self):
        """APR-010: the bill of materials of a draft cannot be activated, not even by SQL."""
        revision = self._create_mmr()
        self.env.flush_all()
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "cannot be used"), self.cr.savepoint():
            self.cr.execute('UPDATE mrp_bom SET active = true WHERE id = %s', [revision.bom_id.id])
        for method in ('action_unarchive', 'toggle_active'):
            if hasattr(revision.bom_id, method):
                with self.assertRefused('REV-050'):
                    getattr(revision.bom_id.sudo(), method)()

    def test_plain_boms_are_free(self):
        """USE-010: bills of materials without MMR behave as without the addon."""
        bom = self.env['mrp.bom'].create({
            'product_tmpl_id': self.component_a.product_tmpl_id.id,
            'bom_line_ids': [(0, 0, {'product_id': self.component_b.id, 'product_qty': 2})]})
        bom.bom_line_ids.product_qty = 3
        bom.action_archive()
        bom.action_unarchive()
        bom.bom_line_ids.unlink()
        bom.unlink()

    def test_changed_content_is_found_at_approval(self):
        """APR-060: content that is not what the preparer signed is not approved."""
        revision = self._create_mmr()
        self._sign(revision, 'submit', self.user_preparer)
        self.env.flush_all()
        self.cr.execute("ALTER TABLE mrp_bom_line DISABLE TRIGGER mrp_mmr_guard_update")
        self.cr.execute("UPDATE mrp_bom_line SET gmp_qty = 77 WHERE id = %s", [revision.bom_line_ids[0].id])
        self.cr.execute("ALTER TABLE mrp_bom_line ENABLE TRIGGER mrp_mmr_guard_update")
        self.env.invalidate_all()
        self.assertIn('APR-060', self._esign(revision, 'approve', self.user_qc)['refused'])
        self.assertEqual(revision.state, 'submitted')

    def test_renaming_changes_nothing(self):
        """REV-010: renaming a product, unit or work center later neither blocks nor changes a signed revision."""
        revision = self._create_mmr()
        self._sign(revision, 'submit', self.user_preparer)
        self.component_a.name = "Ascorbic acid, new name"
        self.workcenter.name = "Room 12"
        self._sign(revision, 'approve', self.user_qc)
        self.assertEqual(revision.document['components'][0]['product']['name'], "Ascorbic acid")
        order = self._create_order()
        order.action_confirm()
        self.assertEqual(order.mmr_snapshot['document']['components'][0]['product']['name'], "Ascorbic acid")

    # === REJECTION, NEW REVISIONS === #

    def test_reject(self):
        """APR-010, APR-060: a rejection needs a reason; the preparer's signature is void and stays readable."""
        revision = self._create_mmr()
        prepared = self._sign(revision, 'submit', self.user_preparer)
        self.assertIn("reason", self._esign(revision, 'reject', self.user_qc)['refused'])
        self.assertEqual(revision.state, 'submitted')
        rejection = self._sign(revision, 'reject', self.user_qc, comment="Blending time is missing")
        self.assertEqual(revision.state, 'draft')
        self.assertFalse(revision.document_sha256)
        self.assertEqual(rejection.voids_signature_id, prepared)
        self.assertTrue(prepared.is_void)
        self.assertEqual(prepared.content['components'][0]['quantity'], '90')
        self.assertTrue(prepared._is_intact())
        revision.bom_line_ids[0].with_user(self.user_preparer).gmp_qty = 91
        self.assertIn('APR-010', self._esign(revision, 'approve', self.user_qc, digest=prepared.content_sha256)['refused'])
        self._make_effective(revision)
        self.assertEqual(revision.document['components'][0]['quantity'], '91')
        self.assertEqual(revision.signature_count, 4)

    def test_new_revision(self):
        """REV-020, REV-030: content is copied, no signature, date or decision; a cancelled number is not used again."""
        first = self._create_mmr()
        first.with_user(self.user_preparer).bom_id.allow_operation_dependencies = True
        first.operation_ids[1].with_user(self.user_preparer).blocked_by_operation_ids = first.operation_ids[0]
        self._make_effective(first)
        second = self._new_revision(first)
        for name in ('prepared_signature_id', 'approved_signature_id', 'document', 'document_sha256', 'effective_at',
                     'date_effective', 'submitted_once'):
            self.assertFalse(second[name], name)
        self.assertRecordValues(second.bom_line_ids, [
            {'product_id': self.component_a.id, 'gmp_qty': 90, 'operation_id': second.operation_ids[0].id},
            {'product_id': self.component_b.id, 'gmp_qty': 10, 'operation_id': second.operation_ids[1].id},
        ])
        self.assertEqual(second.operation_ids[1].blocked_by_operation_ids, second.operation_ids[0])
        self.assertFalse(second.operation_ids & first.operation_ids)
        for name in ('step_ids', 'equipment_ids', 'specification_ids', 'pack_ids', 'ingredient_ids'):
            self.assertTrue(second[name], name)
            self.assertEqual(len(second[name]), len(first[name]), name)
            self.assertFalse(second[name] & first[name], name)
        self.assertEqual(second.step_ids.bom_line_id, second.bom_line_ids)
        second.with_user(self.user_preparer).reason = False
        with self.assertRaisesRegex(UserError, "REV-030"):
            second.with_user(self.user_preparer).action_submit()
        with self.assertRaisesRegex(UserError, "REV-020"):
            first.mmr_id.with_user(self.user_preparer).action_new_revision()
        second.bom_line_ids[0].with_user(self.user_preparer).gmp_qty = 80
        second.with_user(self.user_preparer).action_cancel()
        self.env.flush_all()
        self.assertEqual(second.state, 'cancelled')
        self.assertEqual(self._new_revision(first).revision, 3)
        with self.assertRaisesRegex(UserError, "REC-040"):
            second.sudo().unlink()
        with self.assertRaisesRegex(UserError, "REV-030"):
            first.copy()

    def test_number_of_a_deleted_draft_is_not_reused(self):
        """REV-020: a draft that was never submitted may be deleted; its number stays used."""
        first = self._make_effective(self._create_mmr())
        second = self._new_revision(first)
        second.with_user(self.user_preparer).unlink()
        self.assertEqual(self._new_revision(first).revision, 3)

    def test_effective_date(self):
        """REV-030: the effective date is not in the past, and a future revision is not usable before its day."""
        yesterday = fields.Date.today() - timedelta(days=1)
        tomorrow = fields.Date.today() + timedelta(days=2)
        revision = self._create_mmr()
        revision.with_user(self.user_preparer).date_effective = yesterday
        with self.assertRaisesRegex(UserError, "REV-030"):
            revision.with_user(self.user_preparer).action_submit()
        revision.with_user(self.user_preparer).date_effective = tomorrow
        self._sign(revision, 'submit', self.user_preparer)
        self._sign(revision, 'approve', self.user_qc)
        self.assertEqual((revision.state, revision.bom_id.active), ('approved', False))
        self.env['mrp.mmr.revision']._cron_activate_due()
        self.assertEqual(revision.state, 'approved')
        self.product.product_tmpl_id.sudo().mmr_controlled = True
        order = self._create_order()
        with self.assertRaisesRegex(UserError, "USE-010"):
            order.action_confirm()
        with freeze_time(tomorrow):
            self.env['mrp.mmr.revision']._cron_activate_due()
        self.assertEqual((revision.state, revision.bom_id.active), ('effective', True))

    def test_late_approval_of_a_dated_revision(self):
        """REV-030: approving after the effective date fails and says what to do."""
        revision = self._create_mmr()
        revision.with_user(self.user_preparer).date_effective = fields.Date.today()
        self._sign(revision, 'submit', self.user_preparer)
        with freeze_time(fields.Datetime.now() + timedelta(days=3)):
            self.assertIn('REV-030', self._esign(revision, 'approve', self.user_qc)['refused'])

    def test_confirming_activates_due_revisions(self):
        """REV-050: no order runs on yesterday's revision because the job was late."""
        first = self._make_effective(self._create_mmr())
        second = self._new_revision(first)
        day = fields.Date.today() + timedelta(days=2)
        second.with_user(self.user_preparer).date_effective = day
        self._sign(second, 'submit', self.user_preparer)
        self._sign(second, 'approve', self.user_qc)
        self.assertEqual((first.state, second.state), ('effective', 'approved'))
        order = self._create_order()
        with freeze_time(day):
            order.action_confirm()
        self.assertEqual(order.mmr_revision_id, second)
        self.assertEqual((first.state, second.state), ('superseded', 'effective'))

    def test_job_goes_on_after_a_faulty_revision(self):
        """REV-050: one revision that cannot become effective does not hold the others up, and says why."""
        day = fields.Date.today() + timedelta(days=2)
        faulty, good = self._create_mmr(100), self._create_mmr(500)
        for revision in faulty | good:
            revision.with_user(self.user_preparer).date_effective = day
            self._sign(revision, 'submit', self.user_preparer)
            self._sign(revision, 'approve', self.user_qc)
        original = type(faulty)._activate_due

        def activate(records):
            if records == faulty:
                raise ValidationError(records.env._("cycle"))
            return original(records)
        self.patch(type(faulty), '_activate_due', activate)
        with freeze_time(day), self.assertLogs('odoo.addons.mrp_mmr.models.master.revision.effective', 'WARNING'), \
                mute_logger('odoo.sql_db'):
            self.env['mrp.mmr.revision']._cron_activate_due()
        self.assertEqual((faulty.state, good.state), ('approved', 'effective'))
        self.assertIn("cycle", faulty.message_ids[0].body)

    def test_approved_can_be_retired_before_its_day(self):
        """REV-080: Quality Control takes an approved revision back with reason and signature."""
        revision = self._create_mmr()
        revision.with_user(self.user_preparer).date_effective = fields.Date.today() + timedelta(days=30)
        self._sign(revision, 'submit', self.user_preparer)
        self._sign(revision, 'approve', self.user_qc)
        self._sign(revision, 'retire', self.user_qc, comment="Supplier changed")
        self.assertEqual(revision.state, 'obsolete')
        self.assertEqual(revision.retired_signature_id.meaning, 'retired')

    # === COMPLETENESS === #

    def test_submit_lists_everything_at_once(self):
        """CON-010 to CON-030, MMR-050: one message names every missing item with its citation."""
        revision = self._create_mmr()
        revision = revision.with_user(self.user_preparer)
        revision.write({'reason': False, 'precautions': False})
        revision.operation_ids.unlink()
        revision.bom_line_ids[0].gmp_qty = 0
        with self.assertRaisesRegex(ValidationError, "cellulose: L cannot be converted to kg(?s:.)*CON-030"), \
                self.cr.savepoint():
            revision.bom_line_ids[1].product_uom_id = self.litre
        with self.assertRaises(UserError) as caught:
            revision.action_submit()
        for expected in ("REV-030", "CON-150", "CON-110", "CON-030", "Ascorbic acid: the quantity must be greater"):
            self.assertIn(expected, str(caught.exception))
        revision.bom_line_ids[1].product_id = self.product
        self.component_a.sudo().type = 'service'
        with self.assertRaisesRegex(UserError, "a service cannot be a component(?s:.)*cannot be a component of itself"):
            revision.action_submit()
        revision.bom_line_ids.unlink()
        with self.assertRaisesRegex(UserError, "CON-020"):
            revision.action_submit()

    def test_precision(self):
        """CON-030: a quantity that Odoo's precision would round is refused with the component and the remedy."""
        revision = self._create_mmr().with_user(self.user_preparer)
        line = revision.bom_line_ids[0]
        line.gmp_qty = 0.00025
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual((line.gmp_qty, line.product_qty), (0.00025, 0.0))
        with self.assertRaisesRegex(UserError, r"Ascorbic acid: .* 0.00025 kg exactly.*\n?.*smaller unit"):
            revision.action_submit()
        line.write({'gmp_qty': 0.25, 'product_uom_id': self.gram.id})
        with self.assertRaisesRegex(UserError, r"Ascorbic acid: 0.25 g is 0.00025 kg, but stock is kept with 2 decimals of kg"):
            revision.action_submit()
        self._set_decimals()
        self._sign(revision, 'submit', self.user_preparer)
        self.assertEqual(revision.document['components'][0]['quantity'], '0.25')

    def test_batch_size_must_fit_the_precision(self):
        """MMR-010: a batch size that Odoo would round is refused at submission."""
        revision = self._create_mmr(100.0005)
        with self.assertRaisesRegex(UserError, "cannot represent the batch size 100.0005 kg"):
            revision.with_user(self.user_preparer).action_submit()

    def test_kit_is_refused(self):
        """MMR-050: a kit as component is refused, when it is added and when it becomes one later."""
        revision = self._create_mmr().with_user(self.user_preparer)
        kit = self.env['mrp.bom'].create({
            'product_tmpl_id': self.component_other.product_tmpl_id.id, 'type': 'phantom',
            'bom_line_ids': [(0, 0, {'product_id': self.component_b.id})]})
        with self.assertRaisesRegex(ValidationError, "kit"):
            self.env['mrp.bom.line'].with_user(self.user_preparer).create(
                {'bom_id': revision.bom_id.id, 'product_id': self.component_other.id})
        kit.active = False
        self.env['mrp.bom.line'].with_user(self.user_preparer).create(
            {'bom_id': revision.bom_id.id, 'product_id': self.component_other.id})
        kit.active = True
        with self.assertRaisesRegex(UserError, "Magnesium stearate is a kit|MGST.*is a kit"):
            revision.action_submit()

    # === DOCUMENT === #

    def test_document(self):
        """USE-030, RPT-010: the frozen document follows its JSON Schema and holds all content as exact text."""
        revision = self._make_effective(self._create_mmr())
        document = revision.document
        jsonschema.Draft202012Validator.check_schema(SCHEMA)
        jsonschema.validate(document, SCHEMA)
        self.assertEqual(sha256(document), revision.document_sha256)
        self.assertEqual(document['batch_size']['quantity'], '100')
        self.assertEqual([row['quantity'] for row in document['components']], ['90', '10'])
        self.assertEqual([row['operation'] for row in document['components']], [1, 2])
        self.assertEqual([row['name'] for row in document['operations']], ["Weighing", "Blending"])
        self.env.invalidate_all()
        self.assertEqual(sha256(revision.document), revision.document_sha256)
        broken = dict(document, components=[dict(document['components'][0], quantity=90.0)])
        with self.assertRaises(jsonschema.ValidationError):
            jsonschema.validate(broken, SCHEMA)

    def test_document_does_not_depend_on_language(self):
        """USE-030: signed wording is the same whatever the signer's language."""
        self.env['res.lang']._activate_lang('fr_FR')
        self.component_a.with_context(lang='fr_FR').name = "Acide ascorbique"
        revision = self._create_mmr()
        digest = sha256(revision._prepare_document())
        self.assertEqual(sha256(revision.with_context(lang='fr_FR')._prepare_document()), digest)

    def test_exact_numbers(self):
        """MMR-030: numbers are decimal, floats never enter a signed document."""
        self.assertEqual(decimal_string(0.1 + 0.2), '0.3')
        self.assertEqual(decimal_string(1e-7), '0')
        self.assertEqual(decimal_string(-0.0), '0')
        self.assertEqual(decimal_string(1234567.891), '1234567.891')
        self.assertEqual(decimal_string(100), '100')
        self.assertNotEqual(exact(94.99), exact(95))
        self.assertEqual(convert(100000, self.gram, self.kg), exact(100))
        self.assertNotEqual(convert(1, self.gram, self.kg), convert(4, self.gram, self.kg))
        self.assertIsNone(convert(1, self.kg, self.litre))
        self.assertEqual(canonical_json({'b': "µ", 'a': [None, True]}), '{"a":[null,true],"b":"µ"}'.encode())
        with self.assertRaises(TypeError):
            canonical_json({'quantity': 0.1})

    def test_approvers_get_an_activity(self):
        """APR-030: every independent member of Quality Control is told, and the activity goes with the decision."""
        revision = self._create_mmr()
        revision.with_user(self.user_both).precautions = "none"
        self._sign(revision, 'submit', self.user_preparer)
        users = revision.activity_ids.user_id
        self.assertIn(self.user_qc, users)
        self.assertNotIn(self.user_both, users)
        self._sign(revision, 'approve', self.user_qc)
        self.assertFalse(revision.activity_ids)

    def test_documents_of_earlier_versions(self):
        """USE-030: content that a later version of the addon adds does not make an older document disagree."""
        revision = self._make_effective(self._create_mmr())
        live = revision._prepare_document()
        frozen = revision.document
        self.assertTrue(agrees(live, frozen))
        self.assertTrue(agrees(dict(live, more=[1]), frozen))
        self.assertTrue(agrees(dict(live, product=dict(live['product'], name="New name", code="N")), frozen))
        for key in frozen.keys() - {'schema'}:
            with self.subTest(missing=key):
                self.assertFalse(agrees({name: value for name, value in live.items() if name != key}, frozen))
        for changed in (
                dict(live, product=dict(live['product'], id=-1)),
                dict(live, components=live['components'][:1]),
                dict(live, components=[dict(row, quantity='1') for row in live['components']]),
                dict(live, components=[dict(row, unit_id=-1) for row in live['components']]),
                dict(live, operations=[dict(row, name="x") for row in live['operations']]),
                dict(live, profile=dict(live['profile'], code='P211')),
                dict(live, precautions="x"),
        ):
            self.assertFalse(agrees(changed, frozen))
