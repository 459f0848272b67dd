"""The tamper drill: on sound guards every act is refused, on weakened ones exactly the right act is not."""

import base64
import hashlib
import inspect
import io
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

from pypdf import PdfReader

from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.sql_db import db_connect
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.mrp_mmr import guards
from odoo.addons.mrp_mmr.domain.canonical import sha256
from odoo.addons.mrp_mmr.domain.sessions import at_terminal, session_of
from odoo.addons.mrp_mmr.verification import drill
from odoo.addons.mrp_mmr.verification.drill import ATTACKS
from odoo.addons.mrp_mmr.verification.records import Verification
from odoo.addons.mrp_mmr.wizards import mrp_tamper_drill as wizard_module

from ..common.base import PASSWORD, PNG, MmrCommon, drop_guards, enrol, expect, fill_content
from ..common.sampling import sample_cases
from ..people.test_roles import TABLE

#: Acts by plain SQL: what triggers and constraints alone refuse.
SQL_ACTS = [act for act in ATTACKS if not act.key.endswith('_orm')]


class DrillCommon(MmrCommon):
    """A database in which there is something to try every act on."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            role: enrol(new_test_user(
                cls.env, login=f'd_{role}', password=PASSWORD, groups=group, name=f"Drilled {role}", tz='UTC'))
            for role, group in TABLE.groups.items() if role not in ('internal', 'portal', 'warehouse', 'maintenance')}
        cls.user_security = cls.users['security']
        cls.bottle = cls.env['product.product'].create({'name': "Bottle", 'type': 'consu', 'uom_id': cls.kg.id})
        cls._make_records()
        cls.env.flush_all()
        cls.env.invalidate_all()

    @classmethod
    def _make_records(cls):
        # PostgreSQL's own autovacuum would be somebody at work in a table.
        cls.env.cr.execute(SQL("LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE", SQL(', ').join(
            SQL.identifier(table) for table in sorted({trigger.table for trigger in guards.triggers()}))))
        preparer = cls.env(user=cls.user_preparer)
        label = preparer['mrp.mmr.label'].create({
            'code': "LBL-D", 'name': "Label", 'upload': PNG, 'upload_name': "label.png"})
        cls._sign(label, 'approve', cls.user_qc)
        reviewer = cls._create_reviewer(
            name="Production", group_id=cls.env.ref('mrp_mmr.group_mmr_production').id)
        cls.revision = cls._create_mmr(100)
        fill_content(cls.revision, cls.bottle)
        cls.revision.pack_ids[:1].label_id = label
        cls.revision.with_user(cls.user_qc).action_confirm_overages()
        cls._sign(cls.revision, 'submit', cls.user_preparer)
        cls._sign(cls.revision, 'review', cls.users['production'])
        cls._sign(cls.revision, 'approve', cls.user_qc)
        cls._sign(reviewer, 'switch_off', cls.user_qc, comment="Not any more.")
        requirement = cls.env['mrp.mmr.requirement'].search([('code', '=', 'OWN-1')])

        def create_mmr(size):
            revision = cls._create_mmr(size)
            preparer['mrp.mmr.answer'].create({
                'revision_id': revision.id, 'requirement_id': requirement.id, 'answer': "None."})
            return revision

        cls._make_release()
        cls._make_retention()
        cls.order = cls._create_order(100)
        cls.order.action_confirm()
        steps = cls.order.bpr_id.step_ids.sorted('sequence')
        cls._execute(cls.order, until=steps[1])
        step = steps[1].with_user(cls._person(steps[1].performer_role or 'operator'))
        step.action_start(acknowledged=True)
        cls._record_step(step)
        step.action_report("Spill", "Wiped.")
        cls._make_paper()
        cls._make_deviation()
        older = cls._make_effective(create_mmr(500))
        running = cls._create_order(500)
        running.action_confirm()
        cls._make_session(running.bpr_id)
        cls._make_effective(cls._new_revision(older))
        cls.submitted = create_mmr(300)
        cls._sign(cls.submitted, 'submit', cls.user_preparer)
        cls.uncovered = cls._create_order(137)
        cls._create_reviewer(name="Quality", group_id=cls.env.ref('mrp_mmr.group_mmr_quality_manager').id)
        cls.env['mrp.audit.seal']._seal(cls.company)

    @classmethod
    def _make_session(cls, bpr):
        """Let the operator sign the first step of a batch at a registered terminal, and set a PIN there."""
        operator = cls._person('operator')
        key = cls.env['mrp.terminal'].with_user(cls.user_security).create({'name': "Drilled"})._issue_key()
        cls.company.mmr_pin = True
        if bpr.state == 'issue':
            cls._sign(bpr, 'issue', cls._person('production'))
        step = bpr.step_ids.sorted('sequence')[0].with_user(operator)
        cls._train(step, operator)
        if step.planned['equipment']:
            cls._ready_unit(step)
        step.action_start(acknowledged=True)
        cls._record_step(step)
        with session_of(operator), at_terminal(key):
            answer = step.esign('performed', {
                'login': operator.login, 'password': PASSWORD, 'new_pin': '402915', 'half': 'a1' * 32,
            }, step.esign_prepare('performed')['digest'])
        expect('session' in answer, True)

    @classmethod
    def _make_release(cls):
        """Make a batch that was rejected, one that was rejected while it ran, and one that waits for its review."""
        decided, running = cls._make_completed(), cls._create_order(100)
        running.action_confirm()
        running = running.bpr_id
        cls._sign(running, 'issue', cls._person('production'))
        cls._record_for_release(decided)
        cls._execute(running.production_id, until=running.step_ids.sorted('sequence')[1])
        approval, rejection = (
            cls.env['mrp.deviation']._open_all(running, 'occurrence', title, "x", 'major') for title in ("Wet", "Glass"))
        cls._adjust(approval)
        rejection.with_user(cls.user_qc).procedure_id = approval.procedure_id
        cls._sign(rejection, 'decide_reject', cls.user_qc, comment="Glass")
        for bpr in (decided, running):
            cls._sign(bpr, 'reject', cls.user_qc, comment="Glass")
        cls._record_for_release(cls._make_completed())

    @classmethod
    def _make_retention(cls):
        """Make a released batch that was distributed, a minor deviation of its lot, a hold and a disposal that wait for their
        signatures.
        """
        bpr = cls._release(cls._make_completed()).with_user(cls.user_qc)
        cls._ship(bpr.lot_ids.with_user(cls.env.user))
        cls.env['mrp.deviation']._store([{
            'company_id': cls.company.id, 'lot_id': bpr.lot_ids.id, 'product_id': cls.product.id,
            'profile_id': bpr.mmr_revision_id.profile_id.id, 'title': "Dust", 'source': 'occurrence', 'severity': 'minor',
            'description': "On the carton."}])
        bpr.env['mrp.legal.hold']._record("Claim", bpr=bpr)
        with patch.object(type(bpr), '_get_disposal_refusal', lambda self: None):
            bpr.env['mrp.record.disposal']._record(bpr, "Over")

    @classmethod
    def _make_deviation(cls):
        """Make a deviation with contributor, related batch and reprocessing, and a CAPA that was started."""
        today = fields.Date.today()
        deviation = cls.env['mrp.deviation']._open_all(cls.order.bpr_id, 'occurrence', "Lumps", "In the last drum.", 'major')
        quality = cls.env(user=cls.user_qc)
        quality['mrp.deviation.contributor'].create({
            'deviation_id': deviation.id, 'user_id': cls.user_operator.id, 'contribution': "Saw them."})
        review = quality['mrp.quality.review'].create({
            'product_ids': cls.product.ids, 'date_from': '2020-01-01', 'date_to': '2020-12-31', 'conclusion': "In control.",
            'actions': "None."})
        cls._sign(review, 'prepare', cls.user_qc)
        other = cls.env['mrp.bpr'].search([('id', '!=', cls.order.bpr_id.id)], limit=1)
        cls.env['mrp.deviation.batch']._store([{
            'deviation_id': deviation.id, 'bpr_id': other.id, 'company_id': cls.company.id, 'reason': "The same lot."}])
        cls._adjust(deviation)
        operator = cls.env(user=cls._person('operator'))
        operator['mrp.bpr.rework.record'].create({
            'deviation_id': deviation.id, 'bpr_id': cls.order.bpr_id.id, 'lot_name': "LUMPS", 'quantity': "2.50",
            'uom_id': cls.kg.id, 'text': "Sieved again."}).action_record()
        quality['mrp.capa'].create({
            'title': "Sieve", 'cause_id': cls.env['mrp.deviation.cause'].search([], limit=1).id, 'cause': "Worn mesh.",
            'effectiveness_criterion': "No lumps in three months.", 'effectiveness_due': today + timedelta(days=90),
            'action_ids': [Command.create({
                'name': "Replace the mesh", 'kind': 'corrective', 'owner_id': cls.user_operator.id,
                'due_date': today + timedelta(days=30)})]}).action_start()

    @classmethod
    def _make_paper(cls):
        """Make a weighing that waits for its verification, and one with a transcription; a terminal, lots and equipment."""
        orders = cls._create_order(100) | cls._create_order(100)
        orders.action_confirm()
        for order in orders:
            cls._sign(order.bpr_id, 'issue', cls._person('production'))
        copies = cls.env['mrp.bpr.copy'].with_user(cls._person('production'))
        copy = copies._issue(orders[1].bpr_id, "Failure", orders[1].bpr_id.step_ids)
        cls.env['report.mrp_mmr.report_bpr_worksheet'].with_user(copies.env.user)._log_print(
            copy, cls.env.ref('mrp_mmr.action_report_bpr_worksheet'))
        copy.invalidate_recordset()
        weighings = [order.bpr_id.step_ids.sorted('sequence')[0].with_user(cls._person('operator')) for order in orders]
        for weighing in weighings:
            cls._train(weighing, cls._person('operator'))
            weighing.action_start(acknowledged=True)
            cls._record_step(weighing)
        cls._sign(weighings[0], 'performed', cls._person('operator'))
        weighings[1]._transcribe(copy, "scan.png", PNG, [
            {'kind': 'comment', 'vals': {'text': "Noisy"}, 'paper_time': "6:15", 'paper_by': "OP"}])
        cls.env['mrp.terminal'].with_user(cls.user_security).create({'name': "T-D"})
        cls.env['maintenance.equipment'].create({'name': "Never cleaned"})
        cls.component_other.product_tmpl_id.mmr_lot_release = True
        cls.env['stock.lot'].create({'name': "LOT-D", 'product_id': cls.component_other.id})

    def setUp(self):
        super().setUp()
        # The drill's own cursor sees what the test wrote.
        self.registry_enter_test_mode()

    def _try(self, acts):
        """Return the results of a drill with these acts, by their keys."""
        self.env.flush_all()
        results = drill.run(self.env.registry.cursor, self.company.id, self.user_security.id, acts)
        return results, {act['key']: act for act in results['acts']}

    def _run(self, acts=None):
        """Run a drill in the dialog and return its record."""
        self.env.flush_all()
        with patch.object(wizard_module, 'ATTACKS', ATTACKS if acts is None else acts):
            action = self.env['mrp.tamper.drill.run'].with_user(self.user_security).create({}).action_run()
        return self.env['mrp.tamper.drill'].browse(action['res_id'])

    def _acts(self, *keys):
        acts = [act for act in ATTACKS if act.key in keys]
        self.assertEqual(len(acts), len(keys))
        return acts

    @contextmanager
    def _undone(self):
        with self.cr.savepoint() as savepoint:
            yield
            savepoint.rollback()
        self.env.invalidate_all()

    @staticmethod
    def _faults(acts):
        return {key for key, act in acts.items() if act['outcome'] in drill.FAULTS}


@tagged('post_install', '-at_install')
class TestTamperDrill(DrillCommon):
    maxDiff = None

    def test_everything_is_refused(self):
        """AUD-030, AUD-040, SIG-030, REV-010: every act is refused by its own rule, or found, and leaves nothing behind."""
        self._run(self._acts('mrp_sop_update'))     # a result that the drill can try to change
        before = drill.Evidence(self.env.cr)
        self.env.cr.execute("SELECT count(*) FROM mail_message")
        messages = self.env.cr.fetchone()
        results, acts = self._try(ATTACKS)
        self.assertEqual({
            key: act for key, act in acts.items()
            if act['outcome'] not in (drill.REFUSED, drill.FOUND) or (act['held'], act['open']) != (act['attempts'], [])
            or not (act['attempts'] and act['by'] and act['record'])}, {})
        self.assertEqual((results['state'], results['is_unchanged']), ('passed', True))
        self.assertEqual(len(acts), len(ATTACKS))
        self.assertEqual(results['evidence']['sha256_before'], before.digest())
        self.assertEqual(results['evidence']['records_sha256_before'], results['evidence']['records_sha256_after'])
        self.assertEqual((results['evidence']['lines_by_others'], results['evidence']['written_by_others']), (0, []))
        after = drill.Evidence(self.env.cr)
        self.assertEqual((after.tables, after.records, after.heads), (before.tables, before.records, before.heads))
        self.env.cr.execute("SELECT count(*) FROM mail_message")
        self.assertEqual(self.env.cr.fetchone(), messages)
        self.assertEqual(list(Verification(self.env.cr)), [])
        # By the superuser, with a hostile context, as a person of each role but the one who runs it, and who enrols keys.
        self.assertEqual(acts['revision_born']['attempts'], 2 + len(self.users) - 1 + 1)
        for trigger in ('mrp_esignature', 'mrp_audit_entry', 'mrp_audit_seal', 'mrp_mmr_file', 'mrp_tamper_drill'):
            self.assertIn(trigger, [attempt.label for attempt in drill_attempts('truncate_tables', self)])

    def test_every_lost_guard_shows(self):
        """AUD-030, REV-010: without any one of the triggers of the addon, the drill finds an act that is not refused."""
        self._run(self._acts('mrp_sop_update'))
        lost = [trigger[:2] for trigger in guards.triggers()]
        self.env.cr.execute("SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgname LIKE 'mrp\\_mmr%'")
        self.assertEqual(set(self.env.cr.fetchall()), set(lost), "each trigger is in a file of guards/")
        sources = {act.key: inspect.getsource(act.attempts) for act in SQL_ACTS}
        for table, trigger in sample_cases(self, lost, 0.1):
            with self.subTest(table=table, trigger=trigger), self._undone(), \
                    mute_logger('odoo.addons.mrp_mmr.verification.drill'):
                # Some tables have two that refuse TRUNCATE: one of them is enough.
                others = [name for owner, name in lost if owner == table and name != trigger
                          and 'truncate' in name and 'truncate' in trigger]
                for other in others:
                    self.env.cr.execute(SQL("DROP TRIGGER %s ON %s", SQL.identifier(other), SQL.identifier(table)))
                self.env.cr.execute(SQL("DROP TRIGGER %s ON %s", SQL.identifier(trigger), SQL.identifier(table)))
                with self.env.registry.cursor() as cr:
                    running = drill.Drill(cr, self.company.id, self.user_security.id)
                    # Those on the table first, then those that name it: the first fault is enough.
                    acts = sorted(SQL_ACTS, key=lambda act, table=table: (
                        not act.key.startswith(table), table not in sources[act.key]))
                    self.assertTrue(any(running._try_attack(act)['outcome'] in drill.FAULTS for act in acts),
                                    f"{trigger} on {table}")
                    running.end()

    def test_weakened(self):
        """AUD-030: exactly the act that a lost guard let through is reported as not refused, with what was tried."""
        for table, trigger, expected in sample_cases(self, (
                ('mrp_sop', 'mrp_mmr_guard_sop', {'mrp_sop_update'}),
                ('mrp_mmr', 'mrp_mmr_guard_identity', {'mmr_identity'}),
                ('mrp_audit_chain', 'mrp_mmr_guard_chain', {'chain_sql'}),
                ('mrp_audit_entry', 'mrp_mmr_guard_entry', {'line_insert'}),
                ('mrp_audit_seal', 'mrp_mmr_append_only', {'seal_sql'}),
                ('mrp_esignature', 'mrp_mmr_append_only', {'signature_update', 'signature_delete'}),
                ('mrp_mmr_file', 'mrp_mmr_append_only_truncate', {'truncate_tables'}),
                ('mrp_audit_seal', 'mrp_mmr_append_only_truncate', {'truncate_tables'})), 0.4):
            with self.subTest(table=table, trigger=trigger), self._undone():
                self.env.cr.execute(SQL("DROP TRIGGER %s ON %s", SQL.identifier(trigger), SQL.identifier(table)))
                # The ORM refuses the same as before.
                results, acts = self._try(SQL_ACTS)
                self.assertEqual(self._faults(acts), expected)
                self.assertTrue(results['is_unchanged'])
        self.assertEqual(list(Verification(self.env.cr)), [])

    def test_weakened_rule(self):
        """SEC-020: a rule of the ORM that is gone is found by the acts that PostgreSQL does not refuse."""
        users = type(self.env['res.users'])
        with patch.object(users, '_check_gmp_person_kept', lambda *args: None):
            _results, acts = self._try(self._acts('signer_delete'))
        self.assertEqual(acts['signer_delete']['outcome'], drill.NOT_REFUSED)
        self.assertEqual(acts['signer_delete']['open'], ['ORM gives away'])
        self.assertNotEqual(acts['signer_delete']['held'], acts['signer_delete']['attempts'])
        with patch.object(type(self.env['mrp.esignature']), 'write', lambda *args: self.fail("a fault of the code")), \
                mute_logger('odoo.addons.mrp_mmr.verification.drill'):
            _results, acts = self._try(self._acts('signature_orm'))
        self.assertEqual(acts['signature_orm']['outcome'], drill.ERROR)

    def test_other_rule(self):
        """AUD-030: what is refused by chance, and not by its own rule, is a fault."""
        self.env.cr.execute("ALTER TABLE mrp_sop DISABLE TRIGGER mrp_mmr_guard_sop")
        self.env.cr.execute("ALTER TABLE mrp_sop ADD CONSTRAINT other CHECK (code NOT LIKE '%x') NOT VALID")
        _results, acts = self._try(self._acts('mrp_sop_update'))
        self.assertEqual(acts['mrp_sop_update']['outcome'], drill.NOT_REFUSED)
        self.assertNotIn('code', acts['mrp_sop_update']['open'][1:])
        self.env.cr.execute("ALTER TABLE mrp_sop ADD CONSTRAINT another CHECK (name IS NULL) NOT VALID")
        _results, acts = self._try(self._acts('mrp_sop_update'))
        self.assertEqual(acts['mrp_sop_update']['outcome'], drill.OTHER)
        self.assertIn("another", acts['mrp_sop_update']['by'][0])

    def test_empty_database(self):
        """AUD-030: where there is nothing to try an act on, the result says so and is no fault."""
        results, acts = self._try([act._replace(attempts=lambda drill: None) for act in ATTACKS[:3]])
        self.assertEqual({act['outcome'] for act in acts.values()}, {drill.NOTHING})
        self.assertEqual(results['state'], 'passed')

    def test_people_at_work(self):
        """AUD-040: lines and records that people write meanwhile are no fault; a changed line is one."""
        before = drill.Evidence(self.env.cr)
        self.env['mrp.audit.entry']._append_about('print', self.revision)
        self.revision.mmr_id.review_interval = 7
        self.env.flush_all()
        compared = before.compare(drill.Evidence(self.env.cr, before))
        self.assertEqual(compared['sha256_before'], compared['sha256_after'])
        self.assertGreaterEqual(compared['lines_by_others'], 2)
        self.assertEqual(compared['written_by_others'], ['mrp_mmr'])
        for statement in (
                "UPDATE mrp_audit_entry SET reason = 'x' WHERE id = (SELECT min(id) FROM mrp_audit_entry)",
                "DELETE FROM mrp_audit_entry WHERE id = (SELECT min(id) FROM mrp_audit_entry)",
                "UPDATE mrp_audit_chain SET head_index = head_index - 1 WHERE head_index > 1",
                "DELETE FROM mrp_esignature WHERE id = (SELECT max(id) FROM mrp_esignature)"):
            with self.subTest(statement), self._undone():
                before = drill.Evidence(self.env.cr)
                drop_guards(self.env.cr, 'mrp_audit_entry', 'mrp_audit_chain', 'mrp_esignature')
                self.env.cr.execute(statement)
                compared = before.compare(drill.Evidence(self.env.cr, before))
                self.assertNotEqual(compared['sha256_before'], compared['sha256_after'])

    def test_locked(self):
        """AUD-030: what somebody else is writing is not waited for: the act is reported as not tried."""
        with db_connect(self.env.cr.dbname).cursor() as other:
            # As a transaction of production does while it appends to the audit trail.
            other.execute("LOCK TABLE mrp_audit_seal IN ROW EXCLUSIVE MODE")
            results, acts = self._try(self._acts('truncate_tables', 'mrp_sop_update'))
            other.rollback()
        self.assertEqual(acts['truncate_tables']['outcome'], drill.BUSY)
        self.assertIn('mrp_audit_seal', acts['truncate_tables']['open'])
        self.assertEqual(acts['mrp_sop_update']['outcome'], drill.REFUSED)
        self.assertEqual(results['state'], 'passed')

    def test_no_line_of_the_acts(self):
        """AUD-030: acts that are refused leave no line that says a person tried them; the result has its line."""
        entries = self.env['mrp.audit.entry'].sudo()
        last = entries.search([], limit=1).id
        attempts = self.env['mrp.signer.attempt'].sudo().search_count([])
        record = self._run()
        lines = entries.search([('id', '>', last)])
        self.assertEqual(set(lines.mapped('res_model')), {'mrp.tamper.drill'})
        self.assertEqual(lines.filtered(lambda line: line.kind == 'create').values['results_sha256'], {
            'new': record.results_sha256})
        self.assertEqual(lines.user_id, self.user_security)
        self.assertEqual(self.env['mrp.signer.attempt'].sudo().search_count([]), attempts)

    # === RESULT === #

    def test_roles(self):
        """SEC-010: nobody but a security administrator runs a drill, nor the superuser; who may not read it does not."""
        for role, user in self.users.items():
            runs = self.env['mrp.tamper.drill.run'].with_user(user)
            if role != 'security':
                with self.subTest(role), self.assertRaises(AccessError):
                    runs.create({}).action_run()
                with self.subTest(role), self.assertRaises(AccessError):
                    self.env['mrp.tamper.drill.run'].create({}).with_user(user).action_run()
        with self.assertRaisesRegex(AccessError, "SEC-010"):
            self.env['mrp.tamper.drill.run'].sudo().create({}).action_run()
        with self.assertRaisesRegex(AccessError, "SEC-010"):
            self.env['mrp.tamper.drill.run'].with_user(self.users['qc']).sudo().create({}).action_run()

    def test_signed_print(self):
        """SIG-010, SIG-020: a security administrator signs; the print with the signature and every act is kept by digest."""
        record = self._run()
        text = self._print(record)
        self.assertIn("none", text.partition("Signatures")[2])
        for user in (self.user_qc, self.user_auditor):
            with self.subTest(user.login):
                self.assertIn("APR-050", self._esign(record, 'check', user)['refused'])
        signature = self._sign(record, 'check', self.user_security, comment="Read on paper")
        self.assertRecordValues(record, [{'signature_id': signature.id, 'state': 'passed'}])
        self.assertEqual((signature.meaning, signature.content_sha256), ('checked', record.results_sha256))
        self.assertEqual(sha256(record.results), record.results_sha256)
        self.assertEqual(signature.content, record.results)
        content = base64.b64decode(record.with_user(self.user_security).print_file)
        self.assertEqual(hashlib.sha256(content).hexdigest(), record.with_user(self.user_auditor).file_sha256)
        text = self._text(content)
        for act in record.results['acts']:
            self.assertIn(self._squeeze(act['title']), text)
            self.assertIn(self._squeeze(act['rule']), text)
        for expected in ("Drilled security", "Checked", "Read on paper", record.results_sha256, signature.signature_sha256,
                         "Not Tried", "Disabling or dropping triggers"):
            self.assertIn(self._squeeze(expected), text)
        self.assertNotIn(self._squeeze("NOT REFUSED"), text)
        self.assertIn("SIG-030", self._esign(record, 'check', self.user_security, digest='x')['refused'])
        self.assertEqual(list(Verification(self.env.cr)), [])

    def test_failed_print(self):
        """AUD-030: a fault stands in the print, in the form and in the list."""
        with self._undone():
            self.env.cr.execute("DROP TRIGGER mrp_mmr_guard_sop ON mrp_sop")
            record = self._run(SQL_ACTS)
            self.assertRecordValues(record, [{'state': 'failed', 'fault_count': 1, 'act_count': len(SQL_ACTS)}])
            self.assertIn("NOT REFUSED", record.with_user(self.user_security).acts_html)
            self.assertIn(self._squeeze("NOT REFUSED: code, version, kind"), self._print(record))

    def test_result_is_kept(self):
        """AUD-030, AUD-040: the result is changed, deleted or made up by nobody, by the ORM or by SQL."""
        record = self._run(SQL_ACTS)
        for user in (self.user_security, self.users['administrator'], self.users['qc']):
            for env in (self.env(user=user), self.env(user=user, su=True)):
                mine = record.with_env(env)
                for name, attack in {
                        'write': lambda mine=mine: mine.write({'state': 'failed'}),
                        'sign': lambda mine=mine: mine.write({'signature_id': 1, 'file_id': 1}),
                        'delete': mine.unlink, 'copy': mine.copy, 'create': lambda mine=mine: mine.create({'name': "x"}),
                        'set': lambda mine=mine: setattr(mine, 'name', "x"),
                }.items():
                    with self.subTest(user=user.login, attack=name, su=env.su), self.assertRefused('AUD-030', 'AccessError'):
                        attack()
        for statement in (
                "UPDATE mrp_tamper_drill SET state = 'failed'", "UPDATE mrp_tamper_drill SET results = '{}'",
                "UPDATE mrp_tamper_drill SET signature_id = (SELECT max(id) FROM mrp_esignature)",
                "UPDATE mrp_tamper_drill SET signature_id = (SELECT max(id) FROM mrp_esignature), "
                "file_id = (SELECT max(id) FROM mrp_mmr_file)",
                "DELETE FROM mrp_tamper_drill", "TRUNCATE mrp_tamper_drill"):
            with self.subTest(statement), self.assertRefused('AUD-030', 'REC-040'):
                self.env.cr.execute(statement)
        signature = self._sign(record, 'check', self.user_security)
        for statement in ("UPDATE mrp_tamper_drill SET file_id = NULL", "UPDATE mrp_tamper_drill SET signature_id = NULL"):
            with self.subTest(statement), self.assertRefused('AUD-030'):
                self.env.cr.execute(statement)
        self.assertEqual(record.signature_id, signature)

    @staticmethod
    def _squeeze(text):
        return ''.join(text.split())

    def _print(self, record):
        return self._text(self.env['ir.actions.report'].with_user(self.user_security).with_context(
            force_report_rendering=True)._render_qweb_pdf('mrp_mmr.report_tamper_drill', record.ids)[0])

    def _text(self, content):
        return self._squeeze(' '.join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages))


def drill_attempts(key, case):
    """Return the attempts of an act, as a drill on the database of a test case makes them."""
    with case.env.registry.cursor() as cr:
        running = drill.Drill(cr, case.company.id, case.user_security.id)
        [act] = [act for act in ATTACKS if act.key == key]
        attempts = act.attempts(running)[1]
        cr.rollback()
        return attempts
