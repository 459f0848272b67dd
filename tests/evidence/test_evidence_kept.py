"""Nothing vanishes: no master record, clean-up job or statement takes evidence with it (REC-040, AUD-030).

The lists are made from the registry and from PostgreSQL: a new relation that could lose a record fails here.
"""

import inspect
from contextlib import contextmanager
from unittest.mock import patch

from psycopg2 import Error as DatabaseError
from psycopg2 import IntegrityError
from psycopg2.errors import CheckViolation

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL

from odoo.addons.base.models.ir_autovacuum import is_autovacuum
from odoo.addons.mrp_mmr import guards
from odoo.addons.mrp_mmr.domain.columns import RECORD_ROWS, ROW_TABLES
from odoo.addons.mrp_mmr.verification.records import Verification

from ..common.base import GIF, PNG, MmrCommon, fill_content

#: Models of Odoo that hold content or records of the addon.
EXTENDED = (
    'mrp.bom', 'mrp.bom.line', 'mrp.bom.byproduct', 'mrp.routing.workcenter', 'mrp.production', 'stock.lot',
    'maintenance.equipment')
#: Tables that have a guard.
GUARDED = {trigger.table for trigger in guards.triggers()}
PART = "a part of a draft goes with it; guards keep what was submitted"
DERIVED = "computed from the status of the revisions, of which only a draft that was never submitted is deleted"
#: Relations of evidence that do not restrict, each with the reason.
EXCEPTIONS = {
    ('mrp.mmr', 'effective_revision_id'): DERIVED,
    ('mrp.mmr', 'open_revision_id'): DERIVED,
    ('mrp.mmr.step', 'bom_line_id'): PART,
    ('mrp.mmr.step', 'operation_id'): PART,
    ('mrp.mmr.step', 'equipment_id'): "emptied in a draft where the equipment of the stage is removed",
    ('mrp.mmr.step', 'pack_id'): "emptied in a draft where the pack is removed",
    ('mrp.mmr.step.check', 'step_id'): PART,
    ('mrp.mmr.equipment', 'operation_id'): PART,
    ('mrp.mmr.pack.line', 'pack_id'): PART,
    **{(table.replace('_', '.'), 'revision_id'): PART for table in ROW_TABLES},
    ('mrp.signer.attempt', 'user_id'): "a count that is cleared after a week; locks are in the ledger",
}
#: Which of Odoo's own relations may lose their value: no content, or kept by the addon's guards.
CORE_EXCEPTIONS = {
    ('mrp_bom', 'company_id'): "the guard of the bill of materials refuses",
    ('mrp_bom', 'product_id'): "the guard of the bill of materials refuses",
    ('mrp_bom', 'picking_type_id'): "no content",
    ('mrp_bom_line', 'bom_id'): "the revision restricts the bill of materials",
    ('mrp_bom_line', 'operation_id'): "the guard of the component refuses",
    ('mrp_bom_line', 'company_id'): "derived from the bill of materials",
    ('mrp_bom_line', 'product_tmpl_id'): "derived from the product",
    ('mrp_bom_byproduct', 'bom_id'): "the revision restricts the bill of materials",
    ('mrp_bom_byproduct', 'operation_id'): "the guard of the by-product refuses",
    ('mrp_bom_byproduct', 'company_id'): "derived from the bill of materials",
    ('mrp_routing_workcenter', 'bom_id'): "the revision restricts the bill of materials",
    ('mrp_production', 'bom_id'): "the guard of the order refuses",
    **{('mrp_production', name): "planning, no record of the batch" for name in (
        'location_final_id', 'production_location_id', 'orderpoint_id', 'production_group_id', 'user_id', 'workcenter_id')},
    ('stock_lot', 'location_id'): "derived from the quantities on hand",
    ('stock_lot', 'company_id'): "no content; the signed status names lot and product",
    **{('maintenance_equipment', name): "describes the unit; its log and the batches keep what it was" for name in (
        'category_id', 'company_id', 'location_id', 'maintenance_team_id', 'owner_user_id', 'partner_id',
        'technician_user_id')},
}
BOOKKEEPING = ('create_uid', 'write_uid')
#: What keeps a row that is evidence, or that evidence names.
RULES = r'\w+_fkey|AUD-030|BPR-010|BPR-040|CON-190|DEV-010|REC-040|REV-010|SEC-020|SEC-040|SIG-030|SIG-060|USE-060'


class EvidenceCommon(MmrCommon):
    """A released order of an effective revision that names whatever can be named."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_evidence()

    @classmethod
    def _set_up_evidence(cls):
        cls.label = cls.env['mrp.mmr.label'].with_user(cls.user_preparer).create({
            'code': "LBL-7", 'name': "Label", 'upload': PNG, 'upload_name': "label.png"})
        cls._sign(cls.label, 'approve', cls.user_qc)
        production = cls._person('production')
        cls.reviewer = cls._create_reviewer(
            name="Production", group_id=cls.env.ref('mrp_mmr.group_mmr_production').id)
        cls.revision = cls._create_mmr()
        fill_content(cls.revision, cls.component_other)
        cls.revision.pack_ids[:1].label_id = cls.label
        cls.document = cls.revision.reference_ids.sop_id[:1]
        cls.document.write({'upload': GIF, 'upload_name': "procedure.gif"})
        cls.revision.with_user(cls.user_qc).action_confirm_overages()
        cls._sign(cls.revision, 'submit', cls.user_preparer)
        cls._sign(cls.revision, 'review', production)
        cls._sign(cls.revision, 'approve', cls.user_qc)
        cls.order = cls._create_order()
        cls.order.action_confirm()
        cls._sign(cls.order.bpr_id, 'issue', production)
        step = cls.order.bpr_id.step_ids.sorted('sequence')[0]
        cls.copy = cls.env['mrp.bpr.copy'].with_user(production)._issue(
            cls.order.bpr_id, "Failure", cls.order.bpr_id.step_ids).with_user(cls.env.user)
        cls.env['report.mrp_mmr.report_bpr_worksheet'].with_user(production)._log_print(
            cls.copy, cls.env.ref('mrp_mmr.action_report_bpr_worksheet'))
        cls._do_step(step)
        cls.transcription = step.with_user(cls.user_operator)._transcribe(cls.copy, "scan.png", PNG, [
            {'kind': 'comment', 'vals': {'text': "Noisy"}, 'paper_time': "6:15", 'paper_by': "OP"}]).with_user(cls.env.user)
        cls.line = cls._clean(cls.revision.equipment_ids.equipment_id)
        cls.lot = step.entry_ids.lot_id[:1]
        security = new_test_user(cls.env, login='t_security', groups='mrp_mmr.group_mmr_security')
        cls.terminal = cls.env['mrp.terminal'].with_user(security).create(
            {'name': "T-1", 'workcenter_ids': cls.workcenter.ids})
        cls.terminal._issue_key()
        cls.deviation = cls.env['mrp.deviation'].browse(step.action_report("Spilled", "About a gram."))
        cls.env.flush_all()
        cls.printed = cls._print()

    @classmethod
    def _print(cls):
        """Return what the print and the history say."""
        report = cls.env['ir.actions.report'].with_user(cls.user_planner)
        return [report._render_qweb_html(name, record.ids)[0] for name, record in (
            ('mrp_mmr.report_mmr_revision', cls.revision), ('mrp_mmr.report_mmr_history', cls.revision.mmr_id))]

    def _assert_kept(self):
        """All evidence verifies, and the print is what it was."""
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertEqual([str(finding) for finding in Verification(self.env.cr)], [])
        self.assertEqual(self._print()[0], self.printed[0])
        self.assertTrue(self.revision._is_content_signed())

    @contextmanager
    def _undone(self):
        with self.env.cr.savepoint() as savepoint:
            yield
            self.env.flush_all()
            savepoint.rollback()
        self.env.invalidate_all()

    def _refused_by_sql(self, query, *params, rule, error=IntegrityError, core=None):
        with self.assertRefused(*rule.split('|'), core=core, error=error):
            self.env.cr.execute(query, params or None)

    def _refused(self, attempt, rule, core=None):
        """Expect that the addon, Odoo or PostgreSQL refuses ``attempt``."""
        with self.assertRefused(*rule.split('|'), core=core):
            attempt()

    def _models(self):
        """Return the names of the models that hold content, records or evidence."""
        names = sorted(name for name, model in self.env.registry.items()
                       if name.startswith((
                           'mrp.mmr', 'mrp.audit', 'mrp.esignature', 'mrp.signer', 'mrp.sop', 'mrp.bpr', 'mrp.deviation',
                           'mrp.qualification', 'mrp.tamper', 'mrp.equipment', 'mrp.terminal', 'mrp.quality'))
                       # Runs of verification are no evidence: anybody may run it again.
                       and not name.startswith('mrp.audit.verify')
                       and not model._abstract and not model._transient and model._auto)
        self.assertGreater(len(names), 20)
        return [*names, *EXTENDED]


@tagged('post_install', '-at_install')
class TestRelations(EvidenceCommon):

    def test_restricted_in_the_registry(self):
        """REC-040: every relation of evidence restricts what it points to, but for the named exceptions."""
        seen = set()
        for name in self._models():
            for field in self.env[name]._fields.values():
                if field.type != 'many2one' or not field.store or field.name in BOOKKEEPING \
                        or (name in EXTENDED and 'mrp_mmr' not in field._modules):
                    continue
                seen.add((name, field.name))
                with self.subTest(model=name, field=field.name):
                    self.assertEqual(field.ondelete == 'restrict', (name, field.name) not in EXCEPTIONS)
        self.assertLess(set(EXCEPTIONS), seen)
        self.assertGreater(len(seen), 70)

    def test_restricted_in_postgresql(self):
        """REC-040: the foreign keys in the database say the same, those of Odoo's own columns included."""
        tables = [self.env[name]._table for name in self._models()] + [
            table for table in GUARDED if table.endswith('_rel')]
        self.env.cr.execute("""
            SELECT c.conrelid::regclass::text, a.attname, c.confdeltype::text
              FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
             WHERE c.contype = 'f' AND c.conrelid::regclass::text = ANY(%s)""", [tables])
        rows = self.env.cr.fetchall()
        self.assertGreater(len(rows), 100)
        exceptions = {(self.env[name]._table, column) for name, column in EXCEPTIONS} | set(CORE_EXCEPTIONS) | {
            # The rows of a relation go with the draft whose rows they are.
            ('mrp_mmr_revision_editor_rel', 'revision_id'), ('mrp_mmr_step_sop_rel', 'step_id'),
            ('mrp_quality_review_product_rel', 'review_id'),
            ('mrp_routing_workcenter_dependencies_rel', 'operation_id'),
            ('mrp_routing_workcenter_dependencies_rel', 'blocked_by_id'),
            # Which terminals a work center accepts is a setting; the ledger has its changes.
            ('mrp_workcenter_terminal_rel', 'mrp_terminal_id'), ('mrp_workcenter_terminal_rel', 'mrp_workcenter_id')}
        loose = {(table, column) for table, column, action in rows if action not in 'ra' and column not in BOOKKEEPING}
        self.assertEqual(loose - exceptions, set())
        # A relation that has no foreign key at all would not be found by looking at foreign keys.
        keys = {(table, column) for table, column, _action in rows}
        for name in self._models():
            for field in self.env[name]._fields.values():
                if field.type == 'many2one' and field.store and self.env[field.comodel_name]._auto:
                    self.assertIn((self.env[name]._table, field.name), keys)

    def test_sql_deletes_nothing_that_is_named(self):
        """REC-040: no row that evidence names is deleted by SQL, whoever created it included."""
        self.env.cr.execute("""
            SELECT c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text
              FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
             WHERE c.contype = 'f' AND c.conrelid::regclass::text = ANY(%s)""",
            [[self.env[name]._table for name in self._models() if name not in ('mrp.signer.attempt', *EXTENDED)]])
        targets = set()
        loose = {(self.env[name]._table, column) for name, column in EXCEPTIONS}
        for table, column, target in self.env.cr.fetchall():
            if (table, column) in loose:
                continue
            self.env.cr.execute(SQL(
                "SELECT %(column)s FROM %(table)s WHERE %(column)s IS NOT NULL ORDER BY id DESC LIMIT 1",
                column=SQL.identifier(column), table=SQL.identifier(table)))
            targets |= {(target, value) for value, in self.env.cr.fetchall()}
        core = {
            self.revision.bom_id: ('product_tmpl_id', 'product_id', 'product_uom_id', 'company_id'),
            self.revision.bom_line_ids.filtered('mmr_supplier_id'): (
                'product_id', 'product_uom_id', 'operation_id', 'bom_id', 'mmr_supplier_id', 'mmr_overage_confirmed_id'),
            self.revision.byproduct_ids[:1]: ('product_id', 'product_uom_id', 'operation_id', 'bom_id'),
            self.revision.operation_ids.filtered('mmr_yield_uom_id')[:1]: ('workcenter_id', 'mmr_yield_uom_id', 'bom_id'),
            self.order: ('product_id', 'product_uom_id', 'bom_id', 'company_id', 'mmr_revision_id'),
        }
        for record, names in core.items():
            targets |= {(record[name]._table, record[name].id) for name in names}
            targets.add((record._table, record.id))
        self.assertGreater(len(targets), 25)
        self.assertGreaterEqual({target for target, _value in targets}, {
            'res_users', 'res_partner', 'res_company', 'product_product', 'uom_uom', 'mrp_workcenter',
            'maintenance_equipment', 'maintenance_equipment_category', 'mrp_mmr_profile', 'mrp_mmr_file', 'mrp_sop',
            'mrp_esignature', 'mrp_bom', 'mrp_mmr_label', 'mrp_mmr_requirement', 'mrp_signer', 'product_template',
            'res_groups'})
        for target, value in sorted(targets):
            with self.subTest(target=target, id=value):
                self._refused_by_sql(SQL("DELETE FROM %s WHERE id = %s", SQL.identifier(target), value), rule=RULES)
        self._assert_kept()

    def _masters(self):
        return {
            'product': self.product, 'template': self.product.product_tmpl_id, 'component': self.component_a,
            'material': self.component_other, 'unit': self.revision.bom_line_ids.product_uom_id,
            'work center': self.workcenter, 'equipment': self.revision.equipment_ids.equipment_id,
            'class': self.revision.equipment_ids.category_id, 'company': self.company, 'profile': self.revision.profile_id,
            'supplier': self.revision.bom_line_ids.mmr_supplier_id, 'preparer': self.user_preparer, 'approver': self.user_qc,
            'person': self.user_qc.partner_id, 'label': self.label, 'document': self.document,
            'file': self.label.file_id, 'requirement': self.revision.answer_ids.requirement_id,
            'bill of materials': self.revision.bom_id, 'component row': self.revision.bom_line_ids[:1],
            'stage': self.revision.operation_ids[:1], 'signer': self.env['mrp.signer']._get_for(self.user_qc),
            'batch record': self.order.bpr_id, 'step': self.order.bpr_id.step_ids[:1],
            'entry': self.order.bpr_id.step_ids.entry_ids[:1], 'deviation': self.deviation,
            'order': self.order, 'revision': self.revision, 'master': self.revision.mmr_id,
            'copy': self.copy, 'transcription': self.transcription, 'scan': self.transcription.scan_id, 'lot': self.lot,
            'line of a log': self.line, 'procedure': self.line.procedure_id, 'terminal': self.terminal,
        }

    def test_orm_deletes_nothing_that_is_named(self):
        """REC-040, SIG-060: nor by the ORM, not even as superuser with the keys that skip Odoo's own guards."""
        for name, record in self._masters().items():
            self.assertTrue(record, name)
            for context in ({}, {'_force_unlink': True, 'module': 'mrp_mmr', 'install_mode': True, 'active_test': False}):
                with self.subTest(record=name, context=bool(context)):
                    self._refused(
                        record.sudo().with_context(**context).unlink, RULES,
                        "used by the system|linked to an active user|with running manufacturing orders|are linked to it")
        self._assert_kept()

    def test_whatever_was_signed_is_kept(self):
        """REC-040, SIG-030: a record with any signature is not deleted, and what the signature is over does not change."""
        label = self.env['mrp.mmr.label'].with_user(self.user_preparer).create({'code': "OLD", 'name': "Never used"})
        requirement = self.env['mrp.mmr.requirement'].with_user(self.user_qc).create({
            'profile_id': self.revision.profile_id.id, 'code': 'OWN-9', 'citation': "Manual", 'name': "x", 'enforcement': 'O'})
        reviewer = self._create_reviewer(name="Engineering", group_id=self.env.ref('mrp_mmr.group_mmr_operator').id)
        self._sign(label, 'obsolete', self.user_qc, comment="Not needed")
        self._sign(requirement, 'switch_off', self.user_qc, comment="Not needed")
        self._sign(reviewer, 'switch_off', self.user_qc, comment="Not needed")
        for record in (label, requirement, reviewer, self.order, self.revision):
            self.assertTrue(record.esignature_ids or record == self.order)
            for context in ({}, {'_force_unlink': True}):
                with self.subTest(record=record._name, context=bool(context)):
                    self._refused(record.sudo().with_context(**context).unlink, rule="APR-030|BPR-010|CON-010|REC-040|REV-010")
            self._refused_by_sql(SQL("DELETE FROM %s WHERE id = %s", SQL.identifier(record._table), record.id),
                rule="BPR-010|REC-040|REV-010")
        self._refused(lambda: label.sudo().write({'claims': "Heals."}), "REV-010")
        self._refused_by_sql("UPDATE mrp_mmr_label SET claims = 'Heals.' WHERE id = %s", label.id, rule="REV-010")
        self._assert_kept()

    def test_users_without_evidence(self):
        """SIG-060, SIG-070: a user who left no trace can be deleted; whose identity was verified cannot."""
        user = self.env['res.users'].with_context(no_reset_password=True).create({
            'name': "Typo", 'login': 'typo', 'password': "A-long-password-1"})
        signer = self.env['mrp.signer']._get_for(user)
        self.assertTrue(signer)
        with self._undone():
            user.unlink()
            self.assertFalse(signer.exists())
        security = self.env['res.users'].with_context(no_reset_password=True).create({
            'name': "Security", 'login': 'sec', 'group_ids': [Command.set((
                self.env.ref('base.group_user') | self.env.ref('mrp_mmr.group_mmr_security')).ids)]})
        signer.with_user(security)._verify_identity("Passport")
        self._refused(user.unlink, "SIG-060")
        self._refused_by_sql("DELETE FROM res_users WHERE id = %s", user.id, rule="mrp_signer_user_id_fkey")


@tagged('post_install', '-at_install')
class TestMasterData(EvidenceCommon):

    def test_changed_masters(self):
        """REC-040, SIG-010, USE-030: whatever is renamed or reclassified later, records, signatures and prints stay."""
        equipment = self.revision.equipment_ids
        changes = [
            (self.product, {'name': "Other tablets", 'default_code': "NEW", 'barcode': "123", 'list_price': 7}),
            (self.product.product_tmpl_id, {'categ_id': self.env['product.category'].create({'name': "Other"}).id}),
            (self.component_a, {'name': "Acid", 'standard_price': 3}), (self.kg, {'name': "kilo"}),
            (self.workcenter, {'name': "Room 9", 'time_efficiency': 50, 'code': "R9"}),
            (equipment.equipment_id, {'name': "Blender 9", 'serial_no': "9"}),
            (equipment.category_id, {'name': "Class 9"}), (self.company, {'name': "Renamed Ltd"}),
            (self.company.partner_id, {'street': "Elsewhere 1", 'vat': False}),
            (self.revision.profile_id, {'name': "Other name", 'citation': "x", 'sequence': 99}),
            (self.user_preparer, {'name': "Married", 'login': 'm_preparer', 'tz': 'Asia/Tokyo', 'email': 'x@example.com'}),
            (self.user_qc.partner_id, {'name': "Elsewhere", 'tz': 'Asia/Tokyo'}),
            (self.revision.bom_line_ids.mmr_supplier_id, {'name': "Sold"}), (self.document, {'name': "Other title"}),
            (self.env.ref('mrp_mmr.group_mmr_qc'), {'name': "Renamed role", 'privilege_id': False}),
            (self.env.ref('mrp_mmr.sequence_mrp_mmr'), {'prefix': "X/", 'number_next': 1}),
        ]
        for record, vals in changes:
            with self.subTest(record=record, vals=vals):
                record.sudo().write(vals)
        self._assert_kept()
        other = self._create_order()
        other.action_confirm()
        self.assertEqual(other.mmr_snapshot['document'], self.order.mmr_snapshot['document'])

    def test_archived_masters(self):
        """REC-040: what is archived stays in the record: prints, verification, copies and new orders go on."""
        draft = self._create_order()
        for name, record in {
            'component': self.component_a.product_tmpl_id, 'material': self.component_other,
            'work center': self.workcenter, 'equipment': self.revision.equipment_ids.equipment_id, 'unit': self.kg,
            'preparer': self.user_preparer, 'approver': self.user_qc,
            'supplier': self.revision.bom_line_ids.mmr_supplier_id,
        }.items():
            with self.subTest(archived=name), self._undone():
                record.sudo().action_archive()
                self._assert_kept()
                self.assertTrue(self.order._make_bundle(prints=False)[0])
                draft.with_user(self.user_planner).action_confirm()
                self.assertEqual(draft.mmr_revision_id, self.revision)

    def test_archived_in_use(self):
        """REC-040: what a master record in use hangs on is not archived, and the message says what can be done."""
        for name, record, rule in [
            ('product', self.product.product_tmpl_id, "REV-050.*approve or retire the revision"),
            ('variant', self.product, "REV-050.*approve or retire the revision"),
            ('bill of materials', self.revision.bom_id, "REV-010.*create a new revision"),
            ('master', self.revision.mmr_id, "REC-040.*retire or cancel that revision first"),
            ('stage', self.revision.operation_ids[:1], "REV-010.*create a new revision"),
        ]:
            with self.subTest(archived=name), self.assertRaisesRegex(UserError, f"(?s){rule}"), self.cr.savepoint():
                record.sudo().action_archive()
        # Once it is retired, the product may go out of sight, and its record stays.
        self._sign(self.revision, 'retire', self.user_qc, comment="Not made any more.")
        self.product.product_tmpl_id.action_archive()
        self._refused(self.revision.mmr_id.sudo().action_archive, "REC-040")
        self.env.flush_all()
        self.assertEqual([str(finding) for finding in Verification(self.env.cr)], [])
        self.assertTrue(self._print())
        self.assertTrue(self.revision._make_bundle(prints=False)[0])

    def test_merged_contacts(self):
        """REC-040, SIG-060: merging contacts changes no record: neither who signed nor whom a revision names as supplier."""
        other = self.env['res.partner'].create({'name': "Duplicate"})
        for partner, rule, advice in (
                (self.user_qc.partner_id, "SIG-060", ""),
                (self.revision.bom_line_ids.mmr_supplier_id, "REV-010", "leave this contact out")):
            wizard = self.env['base.partner.merge.automatic.wizard'].create({})
            for source, target in ((partner, other), (other, partner)):
                with self.subTest(partner=partner.name, target=target.name):
                    with self.assertRefused(rule) as refused:
                        wizard._merge((source | target).ids, target)
                    self.assertIn(advice, refused.text)
        self._assert_kept()

    def test_roles(self):
        """AUD-060, REC-040: roles are not deleted, and their changes stay in the ledger wherever roles are filed."""
        group = self.env.ref('mrp_mmr.group_mmr_qc')
        for context in ({}, {'_force_unlink': True}):
            self._refused(group.sudo().with_context(**context).unlink, "AUD-060")
        self.env.ref('mrp_mmr.privilege_mmr_qc').sudo().unlink()
        self.env.ref('mrp_mmr.module_category_gmp').sudo().unlink()
        self.user_planner.sudo().write({'group_ids': [Command.link(group.id)]})
        line = self.env['mrp.audit.entry'].sudo().search([
            ('res_model', '=', 'res.users'), ('res_id', '=', self.user_planner.id), ('kind', '=', 'setting')], limit=1)
        self.assertIn("Quality Control", line.values['roles']['new'])
        self._assert_kept()

    def test_sequence(self):
        """REV-020: without its sequence no MMR is made, rather than one without a number."""
        self.env.ref('mrp_mmr.sequence_mrp_mmr').sudo().unlink()
        with self.assertRaisesRegex(UserError, "(?s)REV-020.*mrp.mmr"):
            self._create_mmr(700)
        self._assert_kept()

    def test_jobs_channels_and_messages(self):
        """REC-040, AUD-030: without jobs, channel, messages, followers, activities and mails all evidence is there."""
        self.env['mrp.audit.seal']._seal(self.company)
        for name in ('ir_cron_seal', 'ir_cron_verify_evidence', 'ir_cron_activate_due', 'channel_quality'):
            self.env.ref(f'mrp_mmr.{name}').sudo().unlink()
        records = (self.revision, self.revision.mmr_id, self.order, self.label, self.document)
        for record in records:
            messages = record.sudo().message_ids
            self.assertTrue(messages)
            messages.tracking_value_ids.unlink()
            messages.unlink()
            record.sudo().message_follower_ids.unlink()
        self.env['mail.mail'].sudo().search([('model', 'like', 'mrp.')]).unlink()
        self.revision.with_user(self.user_preparer).sudo().activity_ids.unlink()
        self._assert_kept()
        self.env['mrp.audit.entry']._append_about('print', self.revision)
        # Sealing and verifying go on by hand, without the channel.
        self.env['mrp.audit.seal']._cron_seal()
        with patch.object(self.registry['ir.cron'], '_commit_progress', return_value=60):
            self.env['mrp.audit.verify']._cron_verify()
        self._assert_kept()

    def test_languages(self):
        """REC-040: a language that is switched off or deleted takes no word out of a record."""
        french = self.env['res.lang']._activate_lang('fr_FR')
        self.user_planner.sudo().lang = 'fr_FR'
        self.assertTrue(self._print())
        self.user_planner.sudo().lang = 'en_US'
        french.active = False
        self._assert_kept()
        french.unlink()
        self._assert_kept()


@tagged('post_install', '-at_install')
class TestCleanUp(EvidenceCommon):

    def test_files_are_no_attachments(self):
        """REC-040, CON-070: the content of labels, documents, pictures and drawings is in no attachment that could go."""
        files = self.label.file_id | self.document.file_id | self.revision.step_ids.file_id | self.revision.section_ids.file_id
        self.assertEqual(len(files), 3)
        self.company.write({'mmr_certification': b'UERG', 'mmr_certification_name': "letter.pdf"})
        self.env.flush_all()
        fields = [('res_field', '!=', False), ('res_model', 'in', [*self._models(), 'res.company'])]
        attachments = self.env['ir.attachment'].sudo().search(fields)
        self.assertFalse(attachments.filtered(
            lambda attachment: attachment.res_model != 'res.company' or attachment.res_field.startswith('mmr_')))
        for name in self._models():
            for field in self.env[name]._fields.values():
                if field.type == 'binary' and field.store:
                    self.assertFalse(field.attachment, f"{name}.{field.name}")
        self.env['ir.attachment'].sudo().search([('res_model', 'in', self._models())]).unlink()
        self._assert_kept()
        for file in files:
            self.assertTrue(file._is_intact())
        self.assertEqual(self.company.with_context(bin_size=False).mmr_certification, b'UERG')

    def test_files_by_any_road(self):
        """REC-040, AUD-030: a file is not changed nor deleted, by the ORM as superuser, by import, by SQL."""
        file = self.label.file_id.sudo()
        roads = {
            'write': lambda: file.write({'data': GIF}),
            'unlink': lambda: file.with_context(_force_unlink=True).unlink(),
            'load': lambda: file.load(['.id', 'name'], [[str(file.id), "other.png"]])['ids'] or self._raise(),
            'cascade': lambda: self.label.sudo().unlink(),
            'update': lambda: self.env.cr.execute("UPDATE mrp_mmr_file SET data = 'x' WHERE id = %s", [file.id]),
            'delete': lambda: self.env.cr.execute("DELETE FROM mrp_mmr_file WHERE id = %s", [file.id]),
        }
        for name, road in roads.items():
            with self.subTest(road=name):
                self._refused(road, "REC-040|REV-010|SIG-030", "Nothing was imported")
        self._assert_kept()

    def _raise(self):
        raise UserError(self.env._("Nothing was imported."))

    def test_vacuum(self):
        """REC-040: nothing is ever deleted automatically: every clean-up job of Odoo leaves all evidence."""
        tables = [self.env[name]._table for name in self._models() if name != 'mrp.signer.attempt']
        self.assertEqual([name for name in self._models() if any(
            is_autovacuum(method) for attribute, method in inspect.getmembers(self.env.registry[name])
            if attribute not in ('_transient_vacuum',))], ['mrp.signer.attempt'])

        def count():
            return {table: self.env.execute_query(SQL("SELECT count(*) FROM %s", SQL.identifier(table))) for table in tables}

        before = count()
        jobs = [(model, name) for model in self.env.values()
                for name, _method in inspect.getmembers(type(model), is_autovacuum)]
        self.assertGreater(len(jobs), 10)
        self.assertIn(('ir.attachment', '_gc_file_store'), [(model._name, name) for model, name in jobs])
        self.patch(self.env.cr, 'commit', lambda: None)
        for model, name in jobs:
            with self.subTest(job=f"{model._name}.{name}"):
                getattr(model.sudo(), name)()
        self.assertEqual(count(), before)
        self._assert_kept()


@tagged('post_install', '-at_install')
class TestTables(EvidenceCommon):

    def test_truncate(self):
        """REC-040: no table with records is emptied, alone or by way of what it refers to."""
        tables = {trigger.table for trigger in guards.triggers() if trigger.name.endswith('_truncate')}
        # Of companies, products and places, PostgreSQL keeps what refers to them; notes of the guards have their own guard.
        self.assertEqual(tables, GUARDED - {'res_company', 'product_template', 'stock_location', 'mrp_mmr_stock_change'})
        self.assertGreaterEqual(tables, {
            self.env[name]._table for name in self._models() if not name.startswith('mrp.signer')})
        others = {'res_users', 'res_partner', 'res_company', 'res_groups', 'product_product', 'product_template', 'uom_uom',
                  'mrp_workcenter', 'maintenance_equipment', 'maintenance_equipment_category', 'mrp_signer', 'mrp_workorder',
                  'stock_location', 'stock_picking_type', 'ir_sequence'}
        # Goods moved in this transaction: what is judged at its end is judged now.
        self.env.flush_all()
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in sorted(tables | others):
            with self.subTest(table=table):
                self._refused_by_sql(
                    SQL("TRUNCATE %s", SQL.identifier(table)), rule="REC-040|SIG-030", error=DatabaseError,
                    core="referenced in a foreign key constraint")
                if table not in ('mrp_workorder', 'ir_sequence'):
                    self._refused_by_sql(SQL("TRUNCATE %s CASCADE", SQL.identifier(table)), error=CheckViolation,
                                         rule="AUD-030|REC-040|SEC-030|SIG-030")
        self._assert_kept()

    def test_truncate_of_what_is_no_record(self):
        """REC-040: tables of Odoo that hold no records yet are Odoo's own business."""
        self.env.cr.execute(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'mrp_mmr_guard_truncate' AND tgnargs > 0")
        self.assertCountEqual([table for table, in self.env.cr.fetchall()], RECORD_ROWS)
        self.env.cr.execute("CREATE TEMPORARY TABLE mmr_test (a integer); INSERT INTO mmr_test VALUES (0)")
        self.env.cr.execute("CREATE TRIGGER mmr_test BEFORE TRUNCATE ON mmr_test "
                            "FOR EACH STATEMENT EXECUTE FUNCTION mrp_mmr_guard_truncate('t.a > 0')")
        self.env.cr.execute("TRUNCATE mmr_test; INSERT INTO mmr_test VALUES (1)")
        self._refused_by_sql("TRUNCATE mmr_test", rule="REC-040")

    def test_sql_deletes_no_record(self):
        """REC-040, REV-010: no submitted or signed record and none of its rows is deleted by SQL."""
        rows = {
            'mrp_mmr': self.revision.mmr_id, 'mrp_mmr_revision': self.revision, 'mrp_mmr_label': self.label,
            'mrp_sop': self.document, 'mrp_mmr_file': self.label.file_id, 'mrp_bom': self.revision.bom_id,
            'mrp_bom_line': self.revision.bom_line_ids, 'mrp_bom_byproduct': self.revision.byproduct_ids,
            'mrp_routing_workcenter': self.revision.operation_ids, 'mrp_production': self.order,
            'mrp_mmr_profile': self.revision.profile_id, 'mrp_esignature': self.revision.prepared_signature_id,
            'mrp_mmr_requirement': self.revision.answer_ids.requirement_id,
            'mrp_signer': self.env['mrp.signer']._get_for(self.user_qc), 'mrp_bpr': self.order.bpr_id,
            'mrp_bpr_step': self.order.bpr_id.step_ids, 'mrp_bpr_entry': self.order.bpr_id.step_ids.entry_ids,
            'mrp_deviation': self.deviation, 'mrp_bpr_copy': self.copy, 'mrp_bpr_transcription': self.transcription,
            'mrp_equipment_log': self.line, 'stock_lot': self.lot,
        }
        for table in ROW_TABLES:
            rows[table] = self.env[table.replace('_', '.')].search([('revision_id', '=', self.revision.id)])
        for table, records in rows.items():
            self.assertTrue(records, table)
            with self.subTest(table=table):
                self._refused_by_sql(SQL("DELETE FROM %s WHERE id = %s", SQL.identifier(table), records[0].id), rule=RULES)
        for relation, column, value in (
                ('mrp_mmr_step_sop_rel', 'step_id', self.revision.step_ids.filtered('sop_ids').id),
                ('mrp_mmr_revision_editor_rel', 'revision_id', self.revision.id),
                ('mrp_routing_workcenter_dependencies_rel', 'operation_id',
                 self.revision.operation_ids.filtered('blocked_by_operation_ids').id)):
            with self.subTest(table=relation):
                self._refused_by_sql(SQL(
                    "DELETE FROM %s WHERE %s = %s", SQL.identifier(relation), SQL.identifier(column), value),
                        rule="APR-040|REV-010")
        self._assert_kept()
