"""Who may do what: each line of security/roles.csv, as each role, by the ORM and by remote calls (SEC-010, SEC-020)."""

import base64
import csv
import inspect
import io
import json
import re
from functools import partial
from pathlib import Path
from unittest.mock import patch

from pypdf import PdfReader

from odoo import fields, http
from odoo.exceptions import AccessDenied, AccessError, UserError, ValidationError
from odoo.fields import NO_ACCESS, Command
from odoo.models import MAGIC_COLUMNS
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.mrp_mmr.domain.sessions import session_of
from odoo.addons.mrp_mmr.models.evidence import audit_entry
from odoo.addons.mrp_mmr.models.people.terminal import COOKIE
from odoo.addons.mrp_mmr.reports.report_bpr_worksheet import UNCONTROLLED
from odoo.addons.mrp_mmr.verification import drill as tamper_drill

from ..common.authenticator import Authenticator
from ..common.base import PASSWORD, PNG, MmrCommon, drill_without_acts, enrol, fill_content
from ..common.sampling import sample_cases
from ..common.signing import HOSTILE, signing_models

ADDON = Path(__file__).resolve().parents[2]
OPERATIONS = {'c': 'create', 'r': 'read', 'w': 'write', 'u': 'unlink'}
#: Of every signed record; each signature has a cell of its own.
SIGNING = {'action_open_signature', 'esign', 'esign_passkey', 'esign_prepare'}
#: Fields whose value is written back as it is read.
PLAIN_TYPES = ('char', 'text', 'integer', 'float', 'boolean', 'selection', 'many2one', 'datetime', 'date')


class RoleTable:
    """The table as the tests read it; a cell names the roles that have it."""

    def __init__(self):
        with (ADDON / 'security' / 'roles.csv').open(encoding='utf-8', newline='') as file:
            rows = list(csv.DictReader(file))
        self.roles = list(rows[0])[4:]
        self.groups = {role: rows[0][role] for role in self.roles}
        self.models = {row['subject']: {role: row[role] for role in self.roles} for row in rows if row['kind'] == 'model'}
        self.core = {row['subject']: {role: row[role] for role in self.roles} for row in rows if row['kind'] == 'core'}
        self.calls = {
            call: {role for role in self.roles if row[role]}
            for row in rows if row['kind'] == 'action' for call in row['subject'].split()}
        self.rows = rows


TABLE = RoleTable()


@tagged('post_install', '-at_install')
class RolesCommon(MmrCommon):
    """One user for each role, and records on which every action of the table is possible."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            role: enrol(new_test_user(
                cls.env, login=f'r_{role}', password=PASSWORD, groups=group, name=f"Role {role}", tz='UTC'))
            for role, group in TABLE.groups.items()}
        # Nobody has all rights of Odoo but its administrator, who is no role of the table: a pile of groups.
        cls.root_of_odoo = enrol(new_test_user(
            cls.env, login='r_admin', password=PASSWORD, name="Admin",
            groups='base.group_system,mrp.group_mrp_manager,stock.group_stock_manager,product.group_product_manager'))
        cls.locked = enrol(new_test_user(cls.env, login='r_locked', password=PASSWORD, groups='mrp_mmr.group_mmr_operator'))
        cls.bottle = cls.env['product.product'].create({'name': "Bottle", 'type': 'consu', 'uom_id': cls.kg.id})
        cls._make_records()
        cls.env.flush_all()
        cls.env.invalidate_all()

    @classmethod
    def _make_records(cls):

        def effective(revision):
            cls._make_effective(revision)
            return revision

        draft = cls._create_mmr(200)
        stage = draft.operation_ids.sorted('sequence')[0]
        cls.env['mrp.mmr.step'].with_user(cls.user_preparer).create({
            'revision_id': draft.id, 'operation_id': stage.id, 'sequence': 0, 'name': "Humidity", 'kind': 'numeric',
            'minimum': 1, 'maximum': 3, 'unit': "%", 'is_hold_point': True, 'corrective_action': "Dry the room."})
        cls.effective = effective(draft)
        running = effective(cls._create_mmr(500))
        cls.running = cls._create_order(500)
        cls.running.action_confirm()
        effective(cls._new_revision(running))
        cls.order = cls._create_order(200)
        cls.other_order = cls._create_order(137)
        cls.released = cls._create_order(200)
        cls.released.action_confirm()
        cls.waiting = cls._create_mmr(300)
        cls._sign(cls.waiting, 'submit', cls.user_preparer)
        route = {'name': "Production", 'group_id': cls.env.ref('mrp_mmr.group_mmr_production').id}
        cls.reviewer = cls._create_reviewer(**route)
        cls.reviewed = cls._create_mmr(400)
        cls._sign(cls.reviewed, 'submit', cls.user_preparer)
        cls._sign(cls.reviewer, 'switch_off', cls.user_qc, comment="Not any more.")
        cls.reviewer_on = cls._create_reviewer(**route)
        cls.draft = cls._create_mmr(100)
        fill_content(cls.draft, cls.bottle)
        labels = cls.env['mrp.mmr.label'].with_user(cls.user_preparer)
        cls.label = labels.create({'code': "LBL-R", 'name': "Label", 'location': "Drawer"})
        cls.bom = cls.env['mrp.bom'].create({
            'product_tmpl_id': cls.component_other.product_tmpl_id.id, 'product_uom_id': cls.kg.id,
            'bom_line_ids': [Command.create({'product_id': cls.component_a.id, 'product_qty': 5})]})
        requirements = cls.env['mrp.mmr.requirement']
        cls.required = requirements.search([('enforcement', '=', 'C'), ('enabled', '=', True)], limit=1)
        cls.optional = requirements.search([('enforcement', '=', 'O'), ('enabled', '=', False)], limit=1)
        signer = cls.env['mrp.signer']._get_for(cls.locked)
        signer._change({'locked_at': fields.Datetime.now()}, {'locked': {'old': False, 'new': True}})
        cls.qualification = cls.env['mrp.qualification'].search([('user_id', '=', cls.locked.id)], limit=1)
        keys = cls.env['mrp.signer.key'].sudo()
        cls.key = keys._get_in_force(cls.locked).with_env(cls.env)
        # As if its owner had made a new one.
        cls.waiting_key = keys._make(cls.locked, PASSWORD, 'rotation', cost=2).with_env(cls.env)
        cls.training = cls.env['mrp.qualification'].with_user(cls.user_qc)._grant(cls.locked, cls.effective, "Read it")
        cls.env['mrp.audit.seal']._seal(cls.company)
        cls.drill = drill_without_acts(cls.users['security'])

    @classmethod
    def _make_quality(cls):
        """Make a CAPA in each status, and a quality review to be prepared and one to be approved."""
        quality = cls.env(user=cls.user_qc)

        def capa(*steps, result=None):
            record = quality['mrp.capa'].create({
                'title': "Sieves", 'cause_id': cls.env.ref('mrp_mmr.deviation_cause_equipment').id, 'cause': "Wear",
                'effectiveness_criterion': "None torn", 'effectiveness_due': '2099-01-01', 'action_ids': [Command.create({
                    'name': "Change them", 'owner_id': cls.user_qc.id, 'due_date': '2098-01-01'})]})
            for step in steps:
                getattr(record, step)()
                if step == 'action_start':
                    record.action_ids.result = "Changed."
            if result:
                record.write({'effectiveness_result': result, 'effectiveness_text': "Reviewed."})
            return record

        cls.capa_draft, cls.capa_running = capa(), capa('action_start')
        cls.capa_effective = capa('action_start', 'action_check', result='effective')
        cls.capa_failed = capa('action_start', 'action_check', result='not_effective')

        def review():
            return cls.env['mrp.quality.review'].with_user(cls.user_both).create({
                'product_ids': cls.product.ids, 'date_from': '2020-01-01', 'date_to': '2020-12-31',
                'conclusion': "In control.", 'actions': "None."})

        cls.review_draft, cls.review_prepared = review(), review()
        cls._sign(cls.review_prepared, 'prepare', cls.user_both)

    @classmethod
    def _make_paper(cls):
        """Make a batch with a weighed component and two copies of its worksheets, of which one is printed."""
        order = cls._create_order(200)
        order.action_confirm()
        cls.paper = order.bpr_id
        cls.weighing, cls.on_paper = cls.paper.step_ids.sorted('sequence')[1:3]
        cls._execute(order, until=cls.weighing)
        copies = cls.env['mrp.bpr.copy'].with_user(cls._person('production'))
        cls.printed, cls.copy = (copies._issue(cls.paper, reason, cls.paper.step_ids) for reason in ("Failure", "Again"))
        cls.env['report.mrp_mmr.report_bpr_worksheet'].with_user(copies.env.user)._log_print(
            cls.printed, cls.env.ref('mrp_mmr.action_report_bpr_worksheet'))
        cls._execute(order, until=cls.on_paper)
        cls.weight = cls.weighing.entry_ids.filtered(lambda entry: entry.kind == 'weight')

    def _refusal(self, call):
        """Do something that is undone again; return None where it was done, else why it was refused."""
        with mute_logger('odoo.sql_db', 'odoo.http'), self.cr.savepoint() as savepoint:
            try:
                answer = call()
                self.env.flush_all()
            except ValidationError:
                # A value that is wrong for everybody is no refusal of a role.
                raise
            except (UserError, AccessDenied) as error:
                return str(error) or type(error).__name__
            finally:
                savepoint.rollback()
        return answer.get('refused') if isinstance(answer, dict) else None


class TestRoles(RolesCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_batches()
        cls._make_paper()
        cls._make_transcriptions()
        cls._make_equipment()
        cls._make_lots()
        cls._make_deviations()
        cls._make_releases()
        cls.terminal = cls.env['mrp.terminal'].with_user(cls.users['security']).create({'name': "T-R"})
        cls.env.flush_all()
        cls.env.invalidate_all()

    @classmethod
    def _make_batches(cls):
        """Make a batch for each signature, whose first or second step waits for it."""

        def batch(number=1):
            order = cls._create_order(200)
            order.action_confirm()
            steps = order.bpr_id.step_ids.sorted('sequence')
            cls._execute(order, until=steps[number - 1])
            return steps[number - 1].with_user(cls.user_operator)

        def begun(number=1, **values):
            step = batch(number)
            step.action_start(acknowledged=True)
            cls._record_step(step, **values)
            return step

        def signed(step, *points):
            for point in points:
                cls._sign(step, point, cls._person(
                    {'verified': 'verifier', 'hold_approve': 'qc'}.get(point, 'operator')))
            return step

        def corrected(step, kind, **vals):
            first = step.entry_ids.filtered(lambda entry: entry.kind == kind)
            answer = step.action_record(kind, vals, reason="Typing error", corrects=first.id)
            return cls.env['mrp.bpr.entry'].browse(answer['entry_id'])

        cls.first, cls.performing = batch(), begun()
        cls.holding = signed(begun(), 'performed')
        cls.failed = begun(value='5')
        cls.correction = corrected(signed(begun(), 'performed', 'hold_approve'), 'value', value='2.5')
        cls.verifying = signed(begun(2), 'performed')
        cls.adding = signed(begun(2), 'performed', 'verified')
        cls.adding_verified = signed(begun(2), 'performed', 'verified', 'added')
        weighed = signed(begun(2), 'performed', 'verified')
        cls.correction_signed = corrected(
            weighed, 'weight', value=weighed.planned['target']['quantity'], lot_id=weighed._get_weights().lot_id.id)
        signed(cls.correction_signed, 'corrected')

    @classmethod
    def _make_transcriptions(cls):
        """Make a transcription that waits for the second person, and a late one that waits for its author."""
        def transcribe(step):
            return step.with_user(cls.users['operator'])._transcribe(cls.printed, "scan.png", PNG, [
                {'kind': 'comment', 'vals': {'text': "Noisy"}, 'paper_time': "6:15", 'paper_by': "OP"}], acknowledged=True)

        cls.transcription, cls.late_transcription = transcribe(cls.on_paper), transcribe(cls.weighing)

    @classmethod
    def _make_equipment(cls):
        """Make an instrument with a line of its log for each signature."""
        cls.scale = cls.env['maintenance.equipment'].create({'name': "SC-R", 'mmr_is_instrument': True})
        cls.cleaned = cls._clean(cls.scale, sign=False)
        cls.procedure = cls.cleaned.procedure_id
        cls.checking = cls._clean(cls.scale, sign=False)
        cls._sign(cls.checking, 'performed', cls.user_operator)
        cls.calibrated = cls._calibrate(cls.scale, sign=False)

    @classmethod
    def _make_lots(cls):
        """Make a lot that is not released and one that is."""
        cls.lot, cls.released_lot = cls.env['stock.lot'].create([
            {'name': name, 'product_id': cls.component_other.id} for name in ("LOT-Q", "LOT-REL")])
        cls._sign(cls.released_lot, 'release', cls.user_qc)

    @classmethod
    def _make_deviations(cls):
        """Make a deviation for each signature, with whatever belongs to one, and a CAPA in each status."""
        quality = cls.env(user=cls.user_qc)
        findings = {
            'procedure_id': cls.procedure.id, 'scientific_reason': "Validated.", 'quality_effect': "None",
            'label_effect': "None", 'correction': "Repaired", 'material_fate': "In the batch", 'cause': "Wear",
            'cause_id': cls.env.ref('mrp_mmr.deviation_cause_equipment').id}

        def report(title):
            deviation = quality['mrp.deviation'].browse(cls.performing.action_report(title, "About a gram."))
            deviation.write(findings)
            return deviation

        cls.deviation, cls.decided, cls.reworking = (report(title) for title in ("Lamp", "Spoon", "Sieve"))
        cls.contributor = quality['mrp.deviation.contributor'].create({
            'deviation_id': cls.deviation.id, 'user_id': cls.users['operator'].id, 'contribution': "I saw it."})
        cls._sign(cls.decided, 'decide', cls.user_qc, comment="No effect.")
        cls._sign(cls.reworking, 'decide_adjust', cls.user_qc, comment="Sieve again.")
        cls.reworking.action_find_related()
        cls._make_quality()
        cls.decided.write({'capa_id': cls.capa_running.id})

        cls.env['mrp.bpr.rework'].with_user(cls.user_operator)._record(
            cls.reworking.with_user(cls.user_operator), cls.performing.bpr_id, "LUMPS", "1", cls.kg, "Sieved.")

    @classmethod
    def _make_releases(cls):
        """Make a completed batch for each signature on the way to the release, and a lot on hold."""
        cls.peu = cls.env.ref('mrp_mmr.profile_peu')
        cls.completed, cls.approved, cls.reviewed_bpr, cls.produced, cls.packed = (
            cls._make_completed(200) for _number in range(5))
        test = next(row['specification'] for row in cls.completed._get_tests()[cls.completed])
        cls.position = test['position']
        result = cls.completed.with_user(cls.user_qc).action_record_result(
            cls.position, {'kind': 'outcome', 'pass': False, 'text': "Spots"})
        cls.out_of_specification = cls.env['mrp.bpr.result'].browse(result['result_id'])
        for bpr in (cls.approved, cls.reviewed_bpr, cls.produced, cls.packed):
            cls._enter_results(bpr)
        cls._sign(cls.reviewed_bpr, 'review', cls.user_qc)
        with patch.object(type(cls.produced), '_get_signing_profile', lambda self: cls.peu):
            cls._sign(cls.produced, 'produce', cls._person('production'))
            cls._sign(cls.produced, 'review', cls.user_qc)
        cls.packed.with_user(cls.user_qc).action_record_sample(cls._prepare_reserve_vals())
        cls._sign(cls.packed, 'review', cls.user_qc)
        cls._sign(cls.packed, 'release', cls.user_qc)
        cls.held = cls._create_held_lot(f"HELD-{cls.packed.id}")
        cls.destruction = cls.env['mrp.lot.destruction'].with_user(cls.user_qc)._record(
            cls.held, cls.env.ref('stock.stock_location_stock'), 3, "Burnt", "Wet").with_env(cls.env)
        # One that was distributed, and whose date has passed.
        cls.expired = cls._release(cls._make_completed(200))
        cls._ship(cls.expired.lot_ids)
        cls._expire(cls.expired.lot_ids, '2020-06-30 12:00:00')
        quality = cls.env(user=cls.user_qc)
        cls.disposal = quality['mrp.record.disposal']._record(cls.expired.with_env(quality), "Over").with_env(cls.env)
        cls.hold, cls.standing = (quality['mrp.legal.hold']._record("Claim", bpr=cls.completed) for _number in range(2))
        cls._sign(cls.standing, 'hold', cls.user_qc)

    # === MODELS === #

    def test_acl(self):
        """SEC-010: every model of the addon has its row, and each role exactly the rights that stand there."""
        own = {name for name, model in self.env.registry.items()
               if model._original_module == 'mrp_mmr' and not model._abstract}
        self.assertEqual(own, TABLE.models.keys(), "each model of the addon has a row in security/roles.csv")
        for model, cells in TABLE.models.items():
            rights = {role: ''.join(letter for letter, operation in OPERATIONS.items()
                                    if self.env(user=user)[model].has_access(operation))
                      for role, user in self.users.items()}
            self.assertEqual(rights, cells, model)

    def test_acl_rows(self):
        """SEC-010: no access row is for everybody or for a group without a role in the table; core rows are as there."""
        groups = {self.env.ref(group): role for role, group in TABLE.groups.items()}
        rows = self.env['ir.model.access'].search([('model_id.model', 'in', list(TABLE.models))])
        self.assertLessEqual(set(rows.mapped('group_id')), set(groups))
        self.assertTrue(all(rows.mapped('group_id')), "each row is for a group")
        rows = self.env['ir.model.access'].browse(self.env['ir.model.data'].search([
            ('module', '=', 'mrp_mmr'), ('model', '=', 'ir.model.access')]).mapped('res_id'))
        found = {}
        for row in rows.filtered(lambda row: row.model_id.model not in TABLE.models):
            cells = found.setdefault(row.model_id.model, dict.fromkeys(TABLE.roles, ''))
            cells[groups[row.group_id]] = ''.join(
                letter for letter, operation in OPERATIONS.items() if row[f'perm_{operation}'])
        self.assertEqual(found, TABLE.core)

    def _record(self, model):
        """Return a record of a model of the addon, made where there is none."""
        vals = {
            'mrp.mmr.create': {'bom_id': self.bom.id}, 'mrp.mmr.change': {
                'revision_ids': self.effective.ids, 'description': "x", 'reason': "x"},
            'mrp.mmr.where.used': {'product_id': self.component_a.id}, 'mrp.mmr.plan': {'product_id': self.product.id},
            'mrp.mmr.yield.history': {'revision_id': self.draft.id}, 'mrp.inspection.pack': {'product_ids': self.product.ids},
            'mrp.mmr.plan.line': {'plan_id': lambda: self._record('mrp.mmr.plan').id, 'mmr_id': self.effective.mmr_id.id},
            'mrp.audit.verify.finding': {
                'verify_id': lambda: self._record('mrp.audit.verify').id, 'severity': 'finding', 'model': "x"},
            'mrp.bpr.copy.issue': {'bpr_id': self.paper.id, 'reason': "x", 'step_ids': self.on_paper.ids},
            'mrp.bpr.copy.void': {'copy_id': self.copy.id, 'reason': "x"},
            'mrp.bpr.transcribe': {'step_id': self.on_paper.id, 'copy_id': self.printed.id, 'scan': PNG},
            'mrp.bpr.transcribe.line': {'wizard_id': lambda: self._record('mrp.bpr.transcribe').id},
            'mrp.deviation.report': {'title': "x", 'description': "x"},
            'mrp.deviation.decide': {'deviation_id': self.deviation.id, 'disposition': 'accept'},
            'mrp.bpr.rework.record': {
                'deviation_id': self.reworking.id, 'bpr_id': self.performing.bpr_id.id, 'lot_name': "x", 'quantity': "1",
                'uom_id': self.kg.id, 'text': "x"},
            'mrp.equipment.record': {'equipment_id': self.scale.id, 'kind': 'maintenance'},
            'mrp.bpr.test': {'bpr_id': self.completed.id}, 'mrp.lot.trace': {'lot_id': self.lot.id, 'direction': 'forward'},
            'mrp.bpr.test.line': {'wizard_id': lambda: self._record('mrp.bpr.test').id, 'position': self.position},
            'mrp.bpr.reserve': {'bpr_id': self.completed.id, 'quantity': "1"},
            'mrp.lot.adjust': {
                'lot_id': self.held.id, 'quant_id': self.held.quant_ids[:1].id, 'quantity': '1', 'description': "x"},
            'mrp.lot.destroy': {
                'lot_id': self.held.id, 'location_id': self.env.ref('stock.stock_location_stock').id, 'quantity': 1,
                'method': "Burnt", 'reason': "Wet"},
            'mrp.legal.hold.set': {'bpr_id': self.completed.id, 'reason': "x"},
            'mrp.record.dispose': {'bpr_ids': self.expired.ids, 'reason': "x"},
            'mrp.lot.trace.line': {'trace_id': lambda: self._record('mrp.lot.trace').id, 'kind': 'component'},
            'mrp.signer.attempt': {'user_id': self.user_operator.id, 'at': fields.Datetime.now()},
            'mrp.signer.verify': {'user_id': self.user_operator.id, 'document': "Passport"},
        }.get(model, {})
        if model == 'mrp.signer.session':
            return self._put_session()
        domain = [('bom_id', '=', self.draft.bom_id.id)] if 'bom_id' in self.env[model]._fields else []
        records = self.env[model].sudo().with_context(active_test=False)
        return records.search(domain, limit=1) or records.search([], limit=1) or records.create(
            {name: value() if callable(value) else value for name, value in vals.items()})

    def _put_session(self):
        """Put a continuous session there, as no user can, and return it."""
        key, terminal = self._record('mrp.signer.key').sudo(), self._record('mrp.terminal').sudo()
        signature = self.env['mrp.esignature'].sudo().search([('user_id', '=', key.user_id.id)], limit=1) \
            or self.env['mrp.esignature'].sudo().search([], limit=1)
        with self._unguarded('mrp_signer_session') as cr:
            cr.execute(SQL(
                """INSERT INTO mrp_signer_session (token, user_id, company_id, key_id, terminal_id, signature_id,
                       terminal_sha256, session_sha256, access_sha256, wrapped, used_at, failures)
                   VALUES ('x', %s, %s, %s, %s, %s, 'x', 'x', 'x', '{}', %s, 0) RETURNING id""",
                key.user_id.id, self.company.id, key.id, terminal.id, signature.id, fields.Datetime.now()))
            return self.env['mrp.signer.session'].browse(cr.fetchone()[0])

    def _finding(self):
        """Return a finding about a record that everybody may read."""
        return self.env['mrp.audit.verify.finding'].sudo().create({
            'verify_id': self._record('mrp.audit.verify').id, 'severity': 'finding', 'model': 'res.users',
            'res_id': self.user_operator.id}).sudo(False)

    def _line(self):
        """Return a line of the audit trail about a record that everybody may read."""
        return self.env['mrp.audit.entry'].search([('res_model', '=', 'res.users'), ('res_id', '!=', False)], limit=1)

    def _same_vals(self, record):
        """Return values that ``record`` has already: writing them tries the right and changes nothing."""
        names = [
            name for name, field in sorted(record._fields.items())
            if field.store and field.type in PLAIN_TYPES and (not field.compute or not field.readonly)
            and not field.related and name not in MAGIC_COLUMNS and record[name]]
        # A dialog may have no field; the right is asked for all the same.
        return {name: record._fields[name].convert_to_write(record[name], record) for name in names[:1]}

    def _attempts(self, record, vals):
        """Return what each right lets a user do with ``record``, by the letter of the right."""
        return {
            'c': [lambda: record.create(dict(vals)), record.copy],
            'r': [lambda: record.read(['display_name']), lambda: record.web_read({'display_name': {}}),
                  lambda: record.search([])],
            'w': [lambda: record.write(dict(vals))],
            'u': [record.unlink],
        }

    def test_records(self):
        """SEC-010, SEC-020: what the table does not give is refused on real records, by the ORM, to each role."""
        tried = set(sample_cases(self, [(model, role) for model, cells in TABLE.models.items() for role in cells], 0.3))
        for model, cells in TABLE.models.items():
            record = self._record(model)
            self.assertTrue(record, model)
            vals = self._same_vals(record.sudo())
            # What it links to has rights of its own.
            names = [name for name, field in record._fields.items()
                     if field.store and not field.relational and field.groups != NO_ACCESS]
            for role, rights in cells.items():
                if (model, role) not in tried:
                    continue
                mine = record.with_user(self.users[role]).with_context(active_test=False)
                for letter, calls in self._attempts(mine, vals).items():
                    for call in calls if letter not in rights else ():
                        with self.subTest(model=model, role=role, operation=OPERATIONS[letter]):
                            self.assertTrue(self._refusal(call), "not refused")
                if 'r' in rights:
                    with self.subTest(model=model, role=role, operation='read'):
                        # Of qualifications, most people see the own ones.
                        shown = mine if model != 'mrp.qualification' else mine.search([])
                        self.assertFalse(self._refusal(partial(shown.read, names)))

    # === ACTIONS === #

    def _calls(self):
        """Return what each call of the table is, as a function of the user."""
        draft, effective, order = self.draft, self.effective, self.order
        mmr, line = effective.mmr_id, self.draft.bom_line_ids.filtered(lambda line: line._has_overage())
        template = self.product.product_tmpl_id
        locked = self.locked

        def buttons(record, *names):
            return {f'{record._name}.{name}': lambda user, name=name: getattr(record.with_user(user), name)()
                    for name in names}

        def sign(record, action):
            return {f'{record._name}:{action}': lambda user: self._esign(record, action, user, comment="Because")}

        def write(record, **vals):
            return {f'{record._name}.{name}': lambda user, name=name, value=value: record.with_user(user).write({name: value})
                    for name, value in vals.items()}

        def report(record, *names):
            return {f'report/{name}': lambda user, name=name: self._print(name, record.with_user(user)) for name in names}

        def wizard(model, method, vals=None):
            return {f'{model}.{method}': lambda user: getattr(self.env[model].with_user(user).create(vals or {}), method)()}

        def qualify(suffix, **vals):
            vals = {**vals, 'user_ids': self.locked.ids, 'evidence': "Diploma"}
            [(name, call)] = wizard('mrp.qualification.grant', 'action_grant', vals).items()
            return {f'{name}{suffix}': call}

        def revoke(suffix, qualification):
            vals = {'qualification_ids': qualification.ids, 'reason': "Lapsed"}
            [(name, call)] = wizard('mrp.qualification.revoke', 'action_revoke', vals).items()
            return {f'{name}{suffix}': call}

        def european(calls):
            def call(user, function):
                with patch.object(type(self.produced), '_get_signing_profile', lambda record: self.peu):
                    return function(user)
            return {name: partial(call, function=function) for name, function in calls.items()}

        plan = {'product_id': self.product.id, 'formulation_code': "A", 'demand_qty': 200}
        paper, on_paper = self.paper, self.on_paper
        return {
            **buttons(self.bom, 'action_create_mmr'),
            **buttons(self.company, 'get_mmr_setup'),
            **buttons(mmr, 'action_copy_to_mmr', 'action_new_revision', 'action_plan', 'action_view_revisions',
                      'action_view_productions', 'action_new_order', 'action_download_history', 'action_download_register',
                      'action_download_bundle', 'get_last_bundle', 'get_planner_data', 'action_open_audit_trail'),
            **buttons(effective, 'action_copy_to_mmr', 'action_new_revision', 'action_retire', 'action_periodic_review',
                      'action_view_bom', 'action_view_productions', 'action_view_running_orders', 'action_view_signatures',
                      'action_new_order', 'action_redline', 'get_redline_view', 'action_download_xlsx',
                      'action_download_bundle', 'get_last_bundle', 'action_open_audit_trail'),
            **buttons(draft, 'action_add_weighing_steps', 'action_add_ingredients', 'action_add_specifications',
                      'action_component_catalog', 'action_import_components', 'action_import_steps',
                      'action_review_quantities', 'action_yield_history', 'action_cancel', 'action_submit',
                      'action_confirm_overages'),
            **buttons(line, 'action_confirm_overage'),
            **buttons(draft.operation_ids[:1], 'action_mmr_yield_history'),
            **wizard('mrp.mmr.yield.history', 'action_apply', {
                'revision_id': draft.id, 'proposed_min': 95, 'proposed_max': 102, 'rationale': "Ten batches."}),
            **buttons(self.waiting, 'action_approve', 'action_reject'),
            **buttons(self.reviewed, 'action_review'),
            **buttons(self.label, 'action_approve', 'action_obsolete', 'action_open_audit_trail'),
            **buttons(self.env['mrp.sop'].search([], limit=1), 'action_open_audit_trail'),
            **buttons(self.released.bpr_id, 'action_download_bundle', 'get_last_bundle', 'action_open_audit_trail'),
            **buttons(self.required, 'action_switch'), **buttons(self.reviewer, 'action_switch'),
            **sign(self.reviewer, 'switch_on'), **sign(self.reviewer_on, 'switch_off'),
            **buttons(self.running, 'action_mmr_continue', 'action_mmr_stop'),
            **buttons(self.released, 'action_download_bundle', 'get_last_bundle', 'action_open_audit_trail'),
            **buttons(self.released.workorder_ids[0], 'button_start'),
            **buttons(self.other_order, 'action_mmr_split'),
            **buttons(order, 'action_mmr_reset', 'action_confirm'),
            **buttons(template, 'action_mmr_plan', 'action_view_mmrs'),
            **buttons(locked, 'action_mmr_verify_identity', 'action_mmr_unlock', 'action_mmr_flag_shared',
                      'action_mmr_renew_signing_password'),
            **buttons(self.waiting_key, 'action_enrol'), **buttons(self.key, 'action_revoke'),
            **buttons(self.company, 'action_mmr_close_setup'),
            **sign(self.waiting_key, 'enrol'), **sign(self.key, 'revoke'),
            **sign(draft, 'submit'), **sign(self.reviewed, 'review'), **sign(self.waiting, 'approve'),
            **sign(self.waiting, 'reject'), **sign(effective, 'retire'), **sign(effective, 'periodic_review'),
            **sign(self.label, 'approve'), **sign(self.label, 'obsolete'), **sign(self.required, 'switch_off'),
            **sign(self.drill, 'check'), **buttons(self.drill, 'action_sign'),
            **report(self.drill, 'mrp_mmr.report_tamper_drill'),
            **sign(self.optional, 'switch_on'), **sign(self.running, 'continue'), **sign(self.running, 'stop'),
            **buttons(self.released.bpr_id, 'action_issue', 'action_open_order', 'action_open_deviations'),
            **{name: call for record in (self.released, self.packed, mmr, effective, self.packed.lot_ids, self.deviation)
               for name, call in buttons(record, *(f'action_open_batch_{what}' for what in (
                   'orders', 'records', 'masters', 'lots', 'deviations'))).items()},
            **buttons(paper, 'action_print', 'action_download_xlsx', 'action_open_alignment', 'action_issue_worksheets'),
            **buttons(effective, 'action_open_alignment'), **buttons(self.copy, 'action_print', 'action_void'),
            **buttons(self.env['mrp.bpr.alignment'].search([('bpr_id', '=', paper.id)], limit=1), 'action_open_step'),
            **buttons(self.weighing, 'action_print_dispensing_labels'), **buttons(on_paper, 'action_transcribe'),
            **buttons(self.transcription, 'action_sign', 'action_reject'),
            **sign(self.late_transcription, 'transcribed'), **sign(self.transcription, 'verified'),
            **sign(self.transcription, 'rejected'),
            **wizard('mrp.bpr.copy.issue', 'action_issue', {
                'bpr_id': paper.id, 'reason': "Failure", 'step_ids': on_paper.ids}),
            **wizard('mrp.bpr.copy.void', 'action_void', {'copy_id': self.copy.id, 'reason': "Not used"}),
            **wizard('mrp.bpr.transcribe', 'action_transcribe', {
                'step_id': on_paper.id, 'copy_id': self.printed.id, 'scan': PNG, 'scan_name': "scan.png", 'acknowledged': True,
                'line_ids': [Command.create({'kind': 'comment', 'text': "x", 'paper_time': "6:20", 'paper_by': "OP"})]}),
            'mrp.bpr.get_floor_batches': lambda user: self.env['mrp.bpr'].with_user(user).get_floor_batches(),
            'mrp.bpr.get_wall': lambda user: self.env['mrp.bpr'].with_user(user).get_wall(),
            'mrp.bpr.get_floor_batch': lambda user: self.env['mrp.bpr'].with_user(user).get_floor_batch(paper.id),
            'mrp.bpr.find_floor_code': lambda user: self.env['mrp.bpr'].with_user(user).find_floor_code(paper.name),
            'mrp.workcenter.get_floor_workcenters': lambda user: self.env['mrp.workcenter'].with_user(
                user).get_floor_workcenters(),
            **buttons(self.scale, 'action_mmr_clean', 'action_mmr_clean_fully', 'action_mmr_maintain', 'action_mmr_calibrate',
                      'action_mmr_use', 'action_mmr_log'),
            'maintenance.equipment.action_mmr_record': lambda user: self.scale.with_user(user).action_mmr_record(
                'cleaning', {'cleaning_kind': 'minor', 'procedure_id': self.procedure.id}),
            **wizard('mrp.equipment.record', 'action_record', {
                'equipment_id': self.scale.id, 'kind': 'maintenance', 'text': "Oiled"}),
            **buttons(self.cleaned, 'action_sign', 'action_correct'),
            **sign(self.cleaned, 'performed'), **sign(self.checking, 'checked'), **sign(self.calibrated, 'reviewed'),
            **buttons(self.lot, 'action_mmr_release', 'action_mmr_reject'),
            **buttons(self.released_lot, 'action_mmr_quarantine'),
            **sign(self.lot, 'release'), **sign(self.lot, 'reject'), **sign(self.released_lot, 'quarantine'),
            **buttons(self.terminal, 'action_register', 'action_revoke'),
            **buttons(self.released, 'action_open_bpr'), **buttons(self.performing, 'action_sign'),
            **buttons(self.correction, 'action_sign_correction'),
            **buttons(self.deviation, 'action_decide', 'action_review', 'action_create_capa'),
            **buttons(self.decided, 'action_close', 'action_find_related', 'action_record_rework',
                      'action_open_bpr', 'action_open_step', 'action_open_capa', 'action_print', 'action_open_audit_trail'),
            **buttons(self.contributor, 'action_sign'), **sign(self.contributor, 'contribute'),
            **sign(self.deviation, 'decide'), **sign(self.deviation, 'decide_reprocess'),
            **sign(self.deviation, 'decide_treat'), **sign(self.deviation, 'decide_adjust'),
            **sign(self.deviation, 'decide_reject'), **sign(self.decided, 'close'),
            **buttons(self.capa_draft, 'action_start'), **buttons(self.capa_running, 'action_check', 'action_open_deviations',
                                                                  'action_open_audit_trail'),
            **buttons(self.capa_failed, 'action_resume'), **buttons(self.capa_effective, 'action_close'),
            **sign(self.capa_effective, 'close'), **report(self.decided, 'mrp_mmr.report_deviation'),
            **report(self.capa_running, 'mrp_mmr.report_capa'),
            **buttons(self.review_draft, 'action_prepare', 'action_print', 'action_download_xlsx', 'action_open_batches',
                      'action_open_audit_trail'),
            **buttons(self.review_prepared, 'action_approve', 'action_reject'), **sign(self.review_draft, 'prepare'),
            **sign(self.review_prepared, 'approve'), **sign(self.review_prepared, 'reject'),
            **report(self.review_prepared, 'mrp_mmr.report_quality_review'),
            **{name: call for method in ('action_make', 'action_download_bundle', 'get_last_bundle')
               for name, call in wizard('mrp.inspection.pack', method, {
                   'product_ids': self.product.ids, 'date_from': '2020-01-01', 'date_to': '2020-12-31'}).items()},
            **wizard('mrp.deviation.report', 'action_report', {
                'bpr_id': self.performing.bpr_id.id, 'title': "Smell", 'description': "Burnt."}),
            **wizard('mrp.deviation.decide', 'action_sign', {'deviation_id': self.deviation.id, 'disposition': 'accept'}),
            **wizard('mrp.bpr.rework.record', 'action_record', {
                'deviation_id': self.reworking.id, 'bpr_id': self.performing.bpr_id.id, 'lot_name': "LUMPS", 'quantity': "1",
                'uom_id': self.kg.id, 'text': "Sieved."}),
            'mrp.bpr.step.action_start': lambda user: self.first.with_user(user).action_start(acknowledged=True),
            'mrp.bpr.step.action_record': lambda user: self.performing.with_user(user).action_record(
                'comment', {'text': "Noisy"}),
            'mrp.bpr.step.action_report': lambda user: self.performing.with_user(user).action_report("Spill", ""),
            **sign(self.released.bpr_id, 'issue'), **sign(self.performing, 'performed'), **sign(self.verifying, 'verified'),
            **sign(self.adding, 'added'), **sign(self.adding_verified, 'addition_verified'),
            **sign(self.correction, 'corrected'), **sign(self.correction_signed, 'verified'),
            **sign(self.performing, 'not_done'), **sign(self.holding, 'hold_approve'), **sign(self.holding, 'hold_reject'),
            **sign(self.failed, 'authorise_retest'),
            'mrp.bpr.action_record_result': lambda user: self.completed.with_user(user).action_record_result(
                self.position + 1, {'kind': 'outcome', 'pass': True}),
            **wizard('mrp.bpr.test', 'action_record', {
                'bpr_id': self.completed.id, 'line_ids': [Command.create({
                    'position': self.position + 1, 'kind': 'outcome', 'passes': 'yes'})]}),
            'mrp.bpr.action_record_sample': lambda user: self.completed.with_user(user).action_record_sample(
                self._prepare_reserve_vals()),
            **wizard('mrp.bpr.reserve', 'action_record', {'bpr_id': self.completed.id, **self._prepare_reserve_vals()}),
            **buttons(self.completed, 'action_approve_results', 'action_reject', 'action_open_review', 'get_review'),
            **sign(self.completed, 'approve_results'), **sign(self.completed, 'reject'),
            **buttons(self.out_of_specification, 'action_authorise_retest'),
            **sign(self.out_of_specification, 'authorise_retest'),
            **buttons(self.approved, 'action_review'), **sign(self.approved, 'review'),
            **buttons(self.reviewed_bpr, 'action_release'), **sign(self.reviewed_bpr, 'release'),
            **european(buttons(self.reviewed_bpr, 'action_produce') | sign(self.reviewed_bpr, 'produce')),
            **european(buttons(self.produced, 'action_certify') | sign(self.produced, 'certify')),
            **buttons(self.packed, 'action_release_packed', 'action_reject_packed'), **sign(self.packed, 'release_packed'),
            **sign(self.packed, 'reject_packed'), **report(self.packed, 'mrp_mmr.report_release_certificate'),
            **buttons(self.packed.lot_ids, 'action_mmr_open_batch', 'action_mmr_trace_forward', 'action_mmr_trace_backward',
                      'action_mmr_print_trace', 'action_mmr_download_trace'),
            **report(self.packed.lot_ids, 'mrp_mmr.report_lot_trace'),
            'mrp.lot.trace.line.action_open': lambda user: self.env['mrp.lot.trace'].with_user(user)._make(
                self.packed.lot_ids.with_user(user), 'backward').line_ids.filtered(
                    lambda line: line.kind == 'component')[:1].with_user(user).action_open(),
            **buttons(self.approved, 'action_hold'), **buttons(mmr, 'action_hold'), **buttons(self.hold, 'action_hold'),
            **buttons(self.standing, 'action_lift'), **sign(self.hold, 'hold'), **sign(self.standing, 'lift'),
            **wizard('mrp.legal.hold.set', 'action_hold', {'bpr_id': self.approved.id, 'reason': "Claim"}),
            **buttons(self.disposal, 'action_dispose'), **sign(self.disposal, 'dispose'),
            **wizard('mrp.record.dispose', 'action_dispose', {'bpr_ids': self.expired.ids, 'reason': "Over"}),
            **buttons(self.held, 'action_mmr_destroy'), **buttons(self.destruction, 'action_destroy'),
            **sign(self.destruction, 'destroy'),
            **buttons(self.held, 'action_mmr_adjust'),
            **wizard('mrp.lot.adjust', 'action_adjust', {
                'lot_id': self.held.id, 'quant_id': self.held.quant_ids.filtered(
                    lambda quant: quant.location_id.usage == 'internal').id, 'quantity': '8', 'description': "Counted."}),
            **buttons(self.performing.bpr_id, 'action_cancel_batch'), **sign(self.performing.bpr_id, 'cancel'),
            **buttons(self.performing.production_id, 'action_mmr_cancel_batch'), **buttons(self.completed, 'action_book_again'),
            **wizard('mrp.lot.destroy', 'action_record', {
                'lot_id': self.held.id, 'quantity': 2, 'method': "Burnt", 'reason': "Wet",
                'location_id': self.env.ref('stock.stock_location_stock').id}),
            **wizard('mrp.mmr.create', 'action_create', {'source_id': effective.id, 'batch_size': 250}),
            **wizard('mrp.mmr.change', 'action_create', {
                'revision_ids': effective.ids, 'description': "x", 'reason': "x"}),
            **wizard('mrp.mmr.where.used', 'action_change', {'product_id': self.component_a.id}),
            **wizard('mrp.mmr.plan', 'action_create_orders', plan), **wizard('mrp.mmr.plan', 'action_confirm_orders', plan),
            **buttons(self.qualification, 'action_grant', 'action_record_training', 'action_renew', 'action_revoke',
                      'action_view_audit'),
            **buttons(effective, 'action_record_training', 'action_view_training'),
            **qualify('', group_id=self.env.ref('mrp_mmr.group_mmr_verifier').id, kind='role'),
            **qualify('(manager)', group_id=self.env.ref('mrp_mmr.group_mmr_quality_manager').id, kind='role'),
            **qualify('(training)', revision_id=effective.id, kind='revision'),
            **revoke('', self.qualification), **revoke('(training)', self.training),
            **buttons(self._record('mrp.audit.verify'), 'action_start', 'action_continue', 'action_stop', 'work'),
            **buttons(self._finding(), 'action_open'),
            **buttons(self._line(), 'action_open_record', 'action_open_chain'),
            **wizard('mrp.signer.verify', 'action_verify', {'user_id': locked.id, 'document': "Passport"}),
            'mrp.tamper.drill.run.action_run': self._run_drill,
            'mrp.audit.verify.verify': lambda user: self.env['mrp.audit.verify'].with_user(user).verify(),
            'mrp.audit.verify.get_health': lambda user: self.env['mrp.audit.verify'].with_user(user).get_health(),
            'mrp.mmr.export_data': lambda user: mmr.with_user(user).export_data(['name', 'batch_size']),
            'res.users.action_mmr_signing_password': lambda user: user.with_user(user).action_mmr_signing_password(),
            'res.users.mmr_set_signing_password': self._set_signing_password,
            'res.users.action_mmr_make_key': lambda user: user.with_user(user).action_mmr_make_key(),
            'res.users.mmr_make_key': self._make_key,
            'res.users.mmr_ask_passkey': lambda user: self._make_passkey(user, asks=True),
            'res.users.mmr_make_passkey': self._make_passkey,
            **report(effective, 'mrp_mmr.report_mmr_revision', 'mrp_mmr.report_mmr_redline'),
            **report(mmr, 'mrp_mmr.report_mmr_history'), **report(paper, 'mrp_mmr.report_bpr'),
            **report(self.weight, 'mrp_mmr.report_dispensing_label', 'mrp_mmr.report_dispensing_label_zpl'),
            **report(self.copy, 'mrp_mmr.report_bpr_worksheet'),
            **report(self.running, 'mrp_mmr.report_decision_signatures'),
            **report(self.label, 'mrp_mmr.report_label_signatures'),
            **report(self.required, 'mrp_mmr.report_requirement_signatures'),
            **write(self.company, mmr_sign_failures=4), **write(self.user_auditor, mmr_auditor_until='2030-01-01'),
            **write(self.reviewer, enabled=True), **write(effective.profile_id, code="X"),
            **write(self.qualification, evidence="Forged"),
            **write(locked, group_ids=[Command.link(self.env.ref('mrp_mmr.group_mmr_qc').id)]),
            **write(template, mmr_controlled=False, mmr_otc_exempt=True, mmr_lifetime_years=3),
            **write(self.component_a.product_tmpl_id, mmr_lot_release=False),
            **write(self.scale, mmr_needs_cleaning=False), **write(self.lot, mmr_assay=99, mmr_status='released'),
            **write(self.calibrated, result='fail'), **write(self.copy, number=9),
            **write(self.transcription, state='verified'), **write(self.terminal, registered_at='2030-01-01'),
            **write(draft, state='effective', approved_signature_id=effective.approved_signature_id.id),
            **write(self.label, state='approved'), **write(self.required, enabled=False),
            **write(self.released.bpr_id, state='done', release_state='released'),
            **write(self.out_of_specification, value='1'), **write(self.packed.sample_ids, quantity='1'),
            **write(self.released.bpr_id, retain_until='2000-01-01'), **write(self.expired.distribution_ids, quantity=1),
            **write(self.hold, reason="x"), **write(self.disposal, reason="x"),
            **write(self.destruction, quantity=1), **write(self.performing, state='done'),
            **write(self.performing.entry_ids[:1], value='9'), **write(self.failed.deviation_ids, state='decided'),
            **write(self.released, state='draft', mmr_snapshot={}), **write(self.running, mmr_decision='continue'),
            'ir.model.unlink': lambda user: self.env['ir.model']._get('mrp.audit.entry').with_user(user).with_context(
                _force_unlink=True).unlink(),
            'ir.module.module.button_uninstall': lambda user: self.env.ref(
                'base.module_mrp_mmr').with_user(user).button_uninstall(),
        }

    def _print(self, name, record):
        report = self.env['ir.actions.report'].with_user(record.env.user)
        # As a print does, which has a line in the ledger; the PDF itself would take its time.
        content = report._render_qweb_text(name, record.ids)[0]
        self.env[f'report.{name}'].with_user(record.env.user)._get_stamp(record)
        return content

    def _run_drill(self, user):
        # What it does is tried elsewhere; on a cursor of its own it would wait for this test.
        with patch.object(tamper_drill, 'run', lambda *args: self.drill.results):
            return self.env['mrp.tamper.drill.run'].with_user(user).create({}).action_run()

    def _make_key(self, user):
        with session_of(user):
            return self.env['res.users'].with_user(user).mmr_make_key(PASSWORD)

    def _make_passkey(self, user, asks=False):
        if 'auth.passkey.key' not in self.env:
            return self._make_key(user)     # there is nothing else to make a key of
        authenticator, users = Authenticator(), self.env['res.users'].with_user(user)
        row = self.env['auth.passkey.key'].with_user(user).sudo().create(
            {'name': "Key", 'credential_identifier': authenticator.credential})
        self.cr.execute("UPDATE auth_passkey_key SET public_key = %s WHERE id = %s",
                        [base64.urlsafe_b64encode(authenticator.cose).decode(), row.id])
        self.env.invalidate_all()
        with session_of(user):
            asked = users.mmr_ask_passkey()
            if asks or 'refused' in asked:
                return asked
            origin = self.env['mrp.signer.key']._get_place()[1]
            return users.mmr_make_passkey(authenticator.answer(asked['options'], origin))

    def _set_signing_password(self, user):
        with session_of(user):
            return self.env['res.users'].with_user(user).mmr_set_signing_password(PASSWORD, f'{PASSWORD}-sign')

    def test_hostile_signatures(self):
        """SIG-010, SIG-040: whatever a client calls a signature is refused by every model, and never fails otherwise."""
        records = {'stock.lot': self.lot, 'mrp.production': self.running}
        models = signing_models(self.env)
        self.assertGreaterEqual(len(models), 20)
        for model in models:
            record = records.get(model) or self._record(model)
            for action in HOSTILE:
                with self.subTest(model=model, action=action):
                    with self.assertRaisesRegex(UserError, "Rule: (?s:.*)What you can do: use the buttons"):
                        record.sudo().esign_prepare(action)
                    refused = self._refusal(
                        lambda record=record, action=action: self._esign(record, action, self.user_qc, digest='0' * 64))
                    self.assertTrue(refused, "not refused")

    def test_actions(self):
        """SEC-010, SEC-020: each role succeeds on its own actions and fails on all others."""
        calls = self._calls()
        routes = {call for call in TABLE.calls if call.startswith('/')}
        self.assertEqual(calls.keys() ^ (TABLE.calls.keys() - routes), set(), "each call of the table is tried, and no other")
        pairs = [(name, role) for name in calls for role in self.users]
        # Who may do it does it each time; of those who may not, a part is tried.
        tried = set(sample_cases(self, [pair for pair in pairs if pair[1] not in TABLE.calls[pair[0]]], 0.1))
        for name, role in pairs:
            if role in TABLE.calls[name] or (name, role) in tried:
                with self.subTest(call=name, role=role):
                    refused = self._refusal(lambda name=name, role=role: calls[name](self.users[role]))
                    if role in TABLE.calls[name]:
                        self.assertFalse(refused, f"{name} is refused for {role}")
                    else:
                        self.assertTrue(refused, f"{name} is not refused for {role}")

    def test_every_action_has_a_row(self):
        """SEC-010: no public method, signature, print, download or menu action of the addon is missing in the table."""
        found = set()
        for name, model in self.env.registry.items():
            if model._abstract:
                continue
            for attribute in dir(model):
                if attribute.startswith('_') or attribute in SIGNING:
                    continue
                definers = [base for base in model.__mro__ if attribute in vars(base)]
                if definers and all(base.__module__.startswith('odoo.addons.mrp_mmr') for base in definers) \
                        and inspect.isfunction(inspect.unwrap(getattr(model, attribute))):
                    found.add(f'{name}.{attribute}')
        self.assertIn('mrp.mmr.revision.action_submit', found)
        self.assertFalse(found - TABLE.calls.keys())
        signed = {call.partition(':')[::2] for call in TABLE.calls if ':' in call}
        self.assertEqual(signed, {
            (name, action) for name, model in signing_models(self.env).items() for action in model._get_signing_rules()})
        source = ''.join(path.read_text() for path in (ADDON / 'models').rglob('*.py'))
        opened = set(re.findall(r"action_open_signature\('(\w+)'\)", source))
        self.assertLessEqual({'submit', 'approve', 'issue', 'decide'}, opened)
        self.assertLessEqual(opened, {action for _model, action in signed})
        reports = self.env['ir.actions.report'].search([('report_name', '=like', 'mrp_mmr.%')])
        self.assertEqual(
            {f'report/{report.report_name}' for report in reports}, {call for call in TABLE.calls if call.startswith('report')})
        routes = {route for controller in http.Controller.children_classes['mrp_mmr']
                  for _name, method in inspect.getmembers(controller, inspect.isfunction)
                  for route in getattr(method, 'original_routing', {}).get('routes', ())}
        self.assertEqual({route.partition('/<')[0] for route in routes}, {
            call for call in TABLE.calls if call.startswith('/')})
        data = self.env['ir.model.data'].search([('module', '=', 'mrp_mmr'), ('model', '=', 'ir.actions.server')])
        actions = self.env['ir.actions.server'].browse(data.mapped('res_id')).filtered(
            lambda action: action.binding_model_id)
        self.assertTrue(actions)
        for action in actions:
            [method] = re.findall(r'\.(\w+)\(', action.code)
            self.assertIn(f'{action.model_id.model}.{method}', TABLE.calls, action.name)

    # === ROLES === #

    def test_no_role_implies_another(self):
        """SEC-010: no group implies Quality Control, and none of Odoo's own any GMP role."""
        roles = {role: self.env.ref(group) for role, group in TABLE.groups.items() if group.startswith('mrp_mmr.')}
        self.assertEqual(len(roles), 9)
        for role, group in roles.items():
            self.assertEqual(group.all_implied_by_ids, group, f"{role} comes with no other group")

    def test_administrator_signs_nothing(self):
        """SEC-010, SIG-080: Odoo's administrator, with every right of Odoo and a verified identity, signs nothing."""
        calls = {name: call for name, call in self._calls().items() if ':' in name}
        self.assertGreater(len(calls), 10)
        for name, call in calls.items():
            with self.subTest(call=name):
                refused = self._refusal(lambda call=call: call(self.root_of_odoo))
                # A contribution is signed by the person who made it, whatever the role.
                self.assertRegex(refused or '', "APR-050|not allowed to access|This information was supplied by")

    def test_manager_writes_no_master_record(self):
        """SEC-010: who manages bills of materials in Odoo and is no preparer writes no draft, by no road."""
        user = self.users['manufacturing']
        bom = self.draft.bom_id.with_user(user)
        line, operation = bom.bom_line_ids[0], bom.operation_ids[0]
        before = self.draft.editor_ids
        for attack in (
                lambda: line.write({'product_qty': 1}), line.unlink, lambda: line.copy(),
                lambda: operation.write({'name': "x"}), lambda: operation.unlink(),
                lambda: bom.write({'bom_line_ids': [Command.clear()]}), lambda: bom.write({'product_qty': 1}),
                lambda: line.create({'bom_id': bom.id, 'product_id': self.component_other.id}),
                lambda: line.with_context(default_bom_id=bom.id).create({'product_id': self.component_other.id}),
                lambda: line.load(['.id', 'product_qty'], [[str(line.id), '1']]) and bom.bom_line_ids.mapped('gmp_qty')):
            quantities = self.draft.bom_line_ids.mapped('gmp_qty')
            refused = self._refusal(attack)
            self.assertTrue(refused or self.draft.bom_line_ids.mapped('gmp_qty') == quantities)
        self.assertEqual(self.draft.editor_ids, before)
        # Odoo's own bills of materials stay the manager's.
        self.assertFalse(self._refusal(lambda: self.bom.with_user(user).bom_line_ids.write({'product_qty': 7})))

    def test_warehouse_takes_no_bundle(self):
        """SEC-010: who reads master records and not the audit trail gets no bundle, which holds it."""
        for record in (self.effective, self.effective.mmr_id, self.released):
            mine = record.with_user(self.users['warehouse'])
            mine.check_access('read')
            self.assertIn("Audit Trail", self._refusal(lambda mine=mine: mine._make_bundle(prints=False)) or '')

    # === AUDITOR === #

    def _audited_records(self):
        """Return a record of each model that the table gives to auditors."""
        for component in (self.component_a, self.component_b):
            lot = self.env['stock.lot'].search([('product_id', '=', component.id)], limit=1)
            self._stock(component, lot, quantity=1000)
        self.released.action_assign()
        lot = self.env['stock.lot'].create({'name': "LOT-R", 'product_id': self.component_a.id})
        loss = self.env['mrp.workcenter.productivity.loss'].search([], limit=1)
        made = {
            'mrp.workcenter.tag': {'name': "Tag"},
            'mrp.workcenter.capacity': {'workcenter_id': self.workcenter.id, 'product_id': self.product.id},
            'mrp.workcenter.productivity': {'workcenter_id': self.workcenter.id, 'loss_id': loss.id},
            'mrp.unbuild': {'product_id': self.component_other.id, 'product_qty': 1, 'bom_id': self.bom.id},
            'stock.scrap': {'product_id': self.component_a.id, 'scrap_qty': 1, 'lot_id': lot.id},
            'stock.picking': {'picking_type_id': self.env.ref('stock.warehouse0').int_type_id.id},
            'stock.reference': {'name': "Reference"},
            'stock.scrap.reason.tag': {'name': "Broken"},
            'stock.warehouse.orderpoint': {'product_id': self.component_a.id},
            'stock.package.type': {'name': "Pallet"},
            'stock.package.history': {
                'package_id': self.env['stock.package'].create({'name': "Drum"}).id, 'package_name': "Drum"},
        }
        for model, vals in made.items():
            self.env[model].create(vals)
        for model in [*TABLE.models, *TABLE.core]:
            if (TABLE.models.get(model) or TABLE.core[model])['auditor']:
                yield self._record(model)

    def test_auditor_reads_all(self):
        """SEC-010: the auditor reads and exports every field of every model, but for what nobody reads."""
        auditor = self.users['auditor']
        count = 0
        for record in self._audited_records():
            with self.subTest(model=record._name):
                self.assertTrue(record)
                mine = record.with_user(auditor)
                names = mine.fields_get(attributes=['type'])
                for name in names:
                    comodel = record._fields[name].comodel_name
                    self.assertTrue(not comodel or mine.env[comodel].has_access('read'), name)
                if record._name in TABLE.models:
                    hidden = {name for name in record._fields if name not in names}
                    self.assertLessEqual(hidden, {'signing_password', 'key_sha256'})
                values = mine.read()[0]
                self.assertEqual(values['id'], record.id)
                stored = [name for name in names if record._fields[name].store and record._fields[name].exportable
                          and record._fields[name].type not in ('binary', 'json')
                          and (record._auto or name != 'id')]
                data = mine.export_data(stored)['datas']
                self.assertEqual([len(row) for row in data][:1], [len(stored)])
                count += 1
        self.assertGreater(count, 45)

    def test_auditor_changes_nothing(self):
        """SEC-010: the auditor changes no record of the addon or of Odoo that the addon shows; dialogs are no records."""
        auditor = self.users['auditor']
        records = self._audited_records()
        # The seal among them holds all chains until the test is over, and each refused import would wait for its own.
        self.startPatcher(patch.object(audit_entry, 'LOCK_TIMEOUT', '10ms'))
        for record in records:
            if record._transient:
                continue
            mine = record.with_user(auditor)
            vals = self._same_vals(record.sudo())
            complete = record.sudo().copy_data()[0]
            attempts = {
                'write': lambda mine=mine, vals=vals: mine.write(dict(vals)), 'unlink': mine.unlink,
                'create': lambda mine=mine, vals=complete: mine.create(vals), 'copy': mine.copy,
                'import': lambda mine=mine, vals=vals: self._import(mine, vals),
            }
            if hasattr(mine, 'message_post'):
                attempts['message'] = lambda mine=mine, text="Changed": mine.message_post(body=text)
                attempts['activity'] = lambda mine=mine: mine.activity_schedule('mail.mail_activity_data_todo') \
                    if hasattr(mine, 'activity_schedule') else mine.write({})
            if 'active' in mine._fields:
                attempts['archive'] = mine.action_archive if mine.active else mine.action_unarchive
            for name, attempt in attempts.items():
                with self.subTest(model=record._name, attempt=name):
                    self.assertTrue(self._refusal(attempt), "not refused")

    def _import(self, record, vals):
        [(name, value)] = vals.items()
        result = record.load(['.id', name], [[str(record.id), str(value)]])
        if result['ids']:
            return result
        raise AccessError(result['messages'])

    def test_auditor_and_another_role(self):
        """SEC-010: roles combine: an auditor who also works in the warehouse does that work."""
        user = self.users['auditor']
        user.group_ids += self.env.ref('stock.group_stock_user')
        line = self.env['stock.move.line'].search([], limit=1) or self.env['stock.move.line'].create({
            'product_id': self.component_a.id, 'quantity': 1, 'product_uom_id': self.kg.id,
            'location_id': self.env.ref('stock.warehouse0').lot_stock_id.id,
            'location_dest_id': self.env.ref('stock.warehouse0').lot_stock_id.id})
        line.with_user(user).write({'description_picking': "x"})


@tagged('post_install', '-at_install')
class TestRolesHttp(RolesCommon, HttpCase):
    """A sample of each kind of the table, by the roads that clients take."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._make_paper()
        cls._make_quality()
        cls.env.flush_all()
        cls.env.invalidate_all()

    def _call(self, role, model, method, *args):
        """Call a method as the browser of a role does; return None where it was done, else why it was refused."""
        self.authenticate(f'r_{role}', PASSWORD)
        with mute_logger('odoo.http', 'odoo.sql_db'):
            answer = self.url_open(
                f'/web/dataset/call_kw/{model}/{method}', headers={'Content-Type': 'application/json'},
                data=json.dumps({'jsonrpc': '2.0', 'params': {
                    'model': model, 'method': method, 'args': args, 'kwargs': {}}})).json()
        if 'error' in answer:
            return answer['error']['data']['message']
        result = answer.get('result')
        return result.get('refused') if isinstance(result, dict) else None

    def test_records(self):
        """SEC-020: reading, changing and deleting records by remote calls is refused as by the ORM."""
        signature, entry = self.effective.approved_signature_id, self.env['mrp.audit.entry'].search([], limit=1)
        for record in (self.draft, signature, entry, self.env['mrp.signer']._get_for(self.user_operator)):
            for letter, method, arguments in (
                    ('r', 'read', [['display_name']]), ('w', 'write', [{'record_name': "x"}]), ('u', 'unlink', [])):
                for role, rights in TABLE.models[record._name].items():
                    with self.subTest(model=record._name, method=method, role=role):
                        if letter not in rights:
                            self.assertTrue(self._call(role, record._name, method, [record.id], *arguments), "not refused")
                        elif letter == 'r':
                            self.assertFalse(self._call(role, record._name, method, [record.id], *arguments))
            self.assertTrue(record.exists())

    def test_calls(self):
        """SEC-020: a signature, a workflow step, a reading and an administrative act by remote calls."""
        digest = self.waiting.document_sha256

        def sign(role):
            credential = {'login': f'r_{role}', 'password': PASSWORD}
            return self._call(role, 'mrp.mmr.revision', 'esign', [self.waiting.id], 'approve', credential, digest)

        calls = {
            'mrp.mmr.revision:approve': sign,
            'mrp.mmr.revision.action_cancel': lambda role: self._call(
                role, 'mrp.mmr.revision', 'action_cancel', [self.draft.id]),
            'mrp.audit.verify.verify': lambda role: self._call(role, 'mrp.audit.verify', 'verify'),
            'res.users.action_mmr_unlock': lambda role: self._call(
                role, 'res.users', 'action_mmr_unlock', [self.locked.id]),
            'mrp.production.action_confirm': lambda role: self._call(
                role, 'mrp.production', 'action_confirm', [self.order.id]),
            'mrp.mmr.requirement.enabled': lambda role: self._call(
                role, 'mrp.mmr.requirement', 'write', [self.required.id], {'enabled': False}),
        }
        for name, call in calls.items():
            allowed = TABLE.calls[name]
            for role in TABLE.roles:
                if role not in allowed:
                    with self.subTest(call=name, role=role):
                        self.assertTrue(call(role), "not refused")
            # One of those who may, at the end: it changes the record.
            for role in [role for role in TABLE.roles if role in allowed][:1]:
                with self.subTest(call=name, role=role):
                    self.assertFalse(call(role))
        self.assertRecordValues(self.waiting | self.draft, [{'state': 'effective'}, {'state': 'cancelled'}])
        self.assertEqual(self.order.state, 'confirmed')

    def _addresses(self):
        revision, mmr = self.effective.id, self.effective.mmr_id.id
        return {
            '/mrp_mmr/redline': f'/mrp_mmr/redline/{revision}/0.pdf',
            '/mrp_mmr/revision': f'/mrp_mmr/revision/{revision}.xlsx',
            '/mrp_mmr/mmr': f'/mrp_mmr/mmr/{mmr}.xlsx',
            '/mrp_mmr/register.xlsx': f'/mrp_mmr/register.xlsx?ids={mmr}',
            '/mrp_mmr/bundle': f'/mrp_mmr/bundle/mrp.production/{self.released.id}.zip',
            '/mrp_mmr/bpr': f'/mrp_mmr/bpr/{self.paper.id}.xlsx',
            '/mrp_mmr/quality-review': f'/mrp_mmr/quality-review/{self.review_prepared.id}.xlsx',
            '/mrp_mmr/lot': f'/mrp_mmr/lot/{self.weight.lot_id.id}.xlsx',
        }

    def test_terminal(self):
        """SEC-040: the browser of nobody but a security administrator becomes a terminal."""
        terminal = self.env['mrp.terminal'].with_user(self.users['security']).create({'name': "T-R"})
        for role in sorted(TABLE.roles, key=lambda role: role in TABLE.calls['/mrp_mmr/terminal/register']):
            self.authenticate(f'r_{role}', PASSWORD)
            with self.subTest(role=role), mute_logger('odoo.http'):
                response = self.url_open(
                    '/mrp_mmr/terminal/register', headers={'Content-Type': 'application/json'},
                    data=json.dumps({'jsonrpc': '2.0', 'params': {'terminal_id': terminal.id}}))
                self.assertEqual('error' not in response.json(), role in TABLE.calls['/mrp_mmr/terminal/register'])
                self.assertEqual(COOKIE in response.cookies, role in TABLE.calls['/mrp_mmr/terminal/register'])
        self.assertEqual(terminal.registered_by_id, self.users['security'])

    def test_take_over(self):
        """SEC-010, SEC-060: at a terminal everybody takes over as oneself: with the own password, and with nothing else."""
        def take_over(login, password):
            response = self.url_open(
                '/mrp_mmr/floor/person', headers={'Content-Type': 'application/json'},
                data=json.dumps({'jsonrpc': '2.0', 'params': {'login': login, 'password': password}}))
            return response.json().get('result'), http.root.session_store.get(self.opener.cookies['session_id']).uid

        self.authenticate('r_operator', PASSWORD)
        uid = self.users['operator'].id
        for role, user in self.users.items():
            with self.subTest(role=role), mute_logger('odoo.http', 'odoo.addons.base.models.res_users'):
                self.assertEqual(take_over(user.login, "wrong"), (None, uid), "whoever worked here goes on")
                if role in TABLE.calls['/mrp_mmr/floor/person']:
                    uid = user.id
                    self.assertEqual(take_over(user.login, PASSWORD), ({'uid': uid}, uid))
        self.assertEqual(uid, self.users[TABLE.roles[-1]].id)

    def test_downloads(self):
        """SEC-010: downloads and prints are refused to whoever may not read the record."""
        addresses = self._addresses()
        routes = {call for call in TABLE.calls if call.startswith('/')}
        self.assertEqual(
            routes - {'/mrp_mmr/terminal/register', '/mrp_mmr/floor/person', '/mrp_mmr/health'}, set(addresses))
        addresses['report/mrp_mmr.report_mmr_revision'] = f'/report/pdf/mrp_mmr.report_mmr_revision/{self.effective.id}'
        # What the address says of the kind of the print changes nothing.
        addresses['report/mrp_mmr.report_bpr_worksheet'] = \
            f'/report/text/mrp_mmr.report_bpr_worksheet/{self.copy.id}?report_type=html'
        for role in TABLE.roles:
            self.authenticate(f'r_{role}', PASSWORD)
            for call, address in addresses.items():
                if role not in TABLE.calls[call]:
                    with self.subTest(role=role, address=address), \
                            mute_logger('odoo.http', 'odoo.addons.web.controllers.report'):
                        self.assertGreaterEqual(self.url_open(address).status_code, 400)

    def test_auditor_takes_everything(self):
        """SEC-010: the auditor prints every report and downloads every spreadsheet and bundle."""
        self.authenticate('r_auditor', PASSWORD)
        records = {
            'mrp.mmr.revision': self.effective, 'mrp.mmr': self.effective.mmr_id, 'mrp.mmr.label': self.label,
            'mrp.mmr.requirement': self.required, 'mrp.production': self.running, 'mrp.tamper.drill': self.drill,
            'mrp.capa': self.capa_running, 'mrp.quality.review': self.review_prepared,
            'mrp.bpr': self.paper, 'mrp.bpr.entry': self.weight, 'stock.lot': self.weight.lot_id,
            'mrp.deviation': self.env['mrp.deviation']._open_all(self.paper, 'occurrence', "Spill", "A drum leaked.")}
        reports = self.env['ir.actions.report'].search([('report_name', '=like', 'mrp_mmr.%')])
        # Copies on paper are numbered and issued to the floor, not printed for readers.
        reports = reports.filtered(lambda report: report.model != 'mrp.bpr.copy')
        labels = reports.filtered(lambda report: report.report_type == 'qweb-text')
        self.assertEqual(len(labels), 1)
        self.assertGreaterEqual(len(reports), 9)
        context = json.dumps({'force_report_rendering': True})
        response = self.url_open(f'/report/text/{labels.report_name}/{self.weight.id}')
        self.assertIn(b'^XA', response.content)
        for report in reports - labels:
            with self.subTest(report=report.report_name):
                response = self.url_open(
                    f'/report/pdf/{report.report_name}/{records[report.model].id}?context={context}', timeout=60)
                if report.report_name == 'mrp_mmr.report_release_certificate':
                    self.assertEqual(response.status_code, 422, "nobody released that batch")
                    continue
                self.assertEqual(response.status_code, 200)
                text = PdfReader(io.BytesIO(response.content)).pages[0].extract_text()
                self.assertIn("Role auditor" if report.model != 'mrp.bpr.entry' else self.weight.lot_name, text)
        for address in self._addresses().values():
            with self.subTest(address=address):
                response = self.url_open(address, timeout=60)
                self.assertEqual(response.status_code, 200)
                self.assertIn(response.content[:2], (b'PK', b'%P'))

    def test_worksheets_on_the_screen(self):
        """BPR-160, EU GMP 4.2: readers see worksheets marked as no controlled copy, whatever they ask for, and print none."""
        self.authenticate('r_auditor', PASSWORD)
        address = f'mrp_mmr.report_bpr_worksheet/{self.copy.id}'
        for kind in ('html', 'pdf', 'text'):
            with self.subTest(kind=kind):
                response = self.url_open(f'/report/html/{address}?report_type={kind}')
                self.assertIn(UNCONTROLLED, response.text)
        context = json.dumps({'force_report_rendering': True})
        with mute_logger('odoo.http', 'odoo.addons.web.controllers.report'):
            for kind in ('pdf', 'text'):
                response = self.url_open(f'/report/{kind}/{address}?context={context}&report_type=html')
                self.assertGreaterEqual(response.status_code, 400, kind)
        self.assertFalse(self.copy.printed_at)
