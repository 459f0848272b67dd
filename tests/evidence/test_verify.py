"""Verification finds every altered, deleted or moved piece of evidence, and nothing in untouched data."""

import io
import json
from collections import Counter
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from random import Random
from unittest.mock import patch

from psycopg2 import DataError, IntegrityError

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.mrp_mmr.domain.canonical import canonical_json, sha256
from odoo.addons.mrp_mmr.domain.columns import ROW_TABLES
from odoo.addons.mrp_mmr.domain.proofs import PROOFS, UNGUARDED, WHOLE_SECONDS
from odoo.addons.mrp_mmr.verification import ledger
from odoo.addons.mrp_mmr.verification.check_guards import GUARD
from odoo.addons.mrp_mmr.verification.records import Verification

from ..common.base import PASSWORD, PNG, MmrCommon, drill_without_acts, enrol, fill_content, run_odoo
from ..common.sampling import sample_cases

#: Odoo's own columns where they are checked all the same.
CHECKED = {
    'mrp.audit.entry': ('create_uid', 'create_date', 'write_uid', 'write_date'),
    'mrp.esignature': ('create_uid', 'create_date', 'write_uid', 'write_date'),
}
#: What quants say of a lot is found at the lot, or at the batch that made it.
MOVED = {'stock.quant', 'stock.move', 'stock.move.line'}


@tagged('post_install', '-at_install')
class TestVerify(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.reviewer = cls._create_reviewer(
            name="Production", group_id=cls.env.ref('mrp_mmr.group_mmr_production').id)
        cls.user_production = cls._person('production')
        cls.label = cls.env['mrp.mmr.label'].with_user(cls.user_preparer).create({
            'code': "LBL-7", 'name': "Label", 'upload': PNG, 'upload_name': "label.png", 'claims': "None"})
        cls._sign(cls.label, 'approve', cls.user_qc)
        cls.revision = cls._create_mmr(100)
        fill_content(cls.revision, cls.component_other)
        cls.revision.pack_ids[:1].label_id = cls.label
        cls.revision.with_user(cls.user_qc).action_confirm_overages()
        cls._sign(cls.revision, 'submit', cls.user_preparer)
        cls._sign(cls.revision, 'reject', cls.user_qc, comment="Once more.")
        cls._sign(cls.revision, 'submit', cls.user_preparer)
        cls._sign(cls.revision, 'review', cls.user_production)
        cls._sign(cls.revision, 'approve', cls.user_qc)
        cls.order = cls._create_order()
        cls.order.action_confirm()
        manager = enrol(new_test_user(
            cls.env, login='t_qmanager', password=PASSWORD, groups='mrp_mmr.group_mmr_quality_manager', tz='UTC'))
        granted = cls.env['mrp.qualification'].with_user(manager)._grant(
            cls.user_planner | cls.user_manager, cls.env.ref('mrp_mmr.group_mmr_operator'), "Assessed", '2026-01-05',
            '2099-01-05', file=cls.label.file_id)
        granted[0]._revoke("By mistake.")
        cls.qualifications = granted | cls.env['mrp.qualification'].with_user(cls.user_production)._grant(
            cls.user_operator, cls.revision, "Briefed")
        cls.bpr = cls.order.bpr_id
        cls.step, cls.deviation = cls._begin_batch(cls.bpr)
        cls.entry = cls.step.entry_ids[:1]
        cls._investigate()
        cls.result, cls.sample, cls.destruction = cls._record_for_release(cls.bpr)
        cls.env.flush_all()

    @classmethod
    def _investigate(cls):
        """Give the batch a contributor, a related batch, reprocessing and a CAPA with an action."""
        quality = cls.env(user=cls.user_qc)
        other = cls.env['mrp.deviation'].browse(
            cls.step.with_user(cls.user_operator).action_report("Sieve torn", "Once more.", 'major'))
        procedure = cls.env['mrp.sop'].search([], limit=1)
        other.with_user(cls.user_qc).write({
            'procedure_id': procedure.id, 'scientific_reason': "Validated.", 'investigator_id': cls.user_qc.id,
            'cause_id': cls.env.ref('mrp_mmr.deviation_cause_equipment').id, 'cause': "Wear."})
        cls._sign(other, 'decide_adjust', cls.user_qc, comment="Sieve again.")
        cls.contributor = quality['mrp.deviation.contributor'].create({
            'deviation_id': other.id, 'user_id': cls.user_operator.id, 'contribution': "It tore."})
        cls._sign(cls.contributor, 'contribute', cls.user_operator)
        order = cls._create_order()
        order.action_confirm()
        cls._sign(order.bpr_id, 'issue', cls._person('production'))
        cls._train_all(order.bpr_id)
        order.bpr_id.step_ids.sorted('sequence')[0].with_user(cls.user_operator).action_start(acknowledged=True)
        other.with_user(cls.user_qc).action_find_related()
        other.related_ids.with_user(cls.user_qc).write({'assessment': 'not_affected', 'text': "Another sieve."})
        cls.rework = cls.env['mrp.bpr.rework'].with_user(cls.user_operator)._record(
            other, cls.bpr, "LUMPS", "2.5", cls.kg, "Sieved again.")
        cls.capa = quality['mrp.capa'].create({
            'title': "Sieves", 'cause_id': other.cause_id.id, 'cause': "Wear.", 'effectiveness_criterion': "None torn.",
            'effectiveness_due': '2099-01-01', 'deviation_ids': [(4, other.id)],
            'action_ids': [(0, 0, {'name': "Change them", 'owner_id': cls.user_operator.id, 'due_date': '2098-01-01'})]})
        cls.capa.action_start()
        cls.capa.action_ids.with_user(cls.user_operator).result = "Changed."
        cls.investigated = other
        cls.review = quality['mrp.quality.review'].create({
            'product_ids': cls.product.ids, 'date_from': '2020-01-01', 'date_to': '2020-12-31', 'conclusion': "In control.",
            'actions': "None."})
        cls._sign(cls.review, 'prepare', cls.user_qc)

    def _findings(self):
        """Return the findings about records: that the triggers of a table are off is none of them."""
        self.env.flush_all()
        return [finding for finding in Verification(self.env.cr)
                if finding.severity == ledger.FINDING and finding.model != GUARD]

    @contextmanager
    def _behind_the_back(self, *tables):
        """Change tables as a database administrator could: with the triggers of the addon switched off."""
        cr = self.env.cr
        with cr.savepoint(flush=True) as savepoint:
            cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in tables:
                cr.execute(SQL("ALTER TABLE %s DISABLE TRIGGER USER", SQL.identifier(table)))
            yield cr
            savepoint.rollback()
        self.env.invalidate_all()

    def _other_value(self, model, record, name, column_type, value):
        """Return SQL of another value for one column."""
        field = self.env[model]._fields[name]
        if field.type == 'many2one' and name not in ('create_uid', 'write_uid'):
            comodel = self.env[field.comodel_name]
            other = comodel.sudo().with_context(active_test=False).search([('id', '!=', value or 0)], limit=1)
            return SQL("%s", other.id or None)
        if field.type in ('many2one', 'integer', 'many2one_reference'):
            return SQL("%s", (value or 0) + 1 if field.type != 'many2one' else 1 if value != 1 else 2)
        if column_type in ('json', 'jsonb'):
            return SQL("%s::json", '{"forged": {"new": 1}}')
        if name in WHOLE_SECONDS.get(model, ()):
            return SQL("%s", (value or datetime(2026, 1, 1)) + timedelta(days=1))
        if field.type == 'datetime':
            return SQL("%s", (value or datetime(2026, 1, 1)).replace(microsecond=500000))
        if field.type == 'date':
            return SQL("%s", (value or date(2099, 1, 1)) - timedelta(days=1))
        if field.type == 'boolean':
            return SQL("%s", not value)
        if column_type == 'bytea':
            return SQL("%s::bytea", b'AAAA')
        if field.type == 'selection':
            return SQL("%s", next(key for key, _label in field.selection if key != value))
        if column_type in ('numeric', 'float8'):
            return SQL("%s", float(value or 0) + 1)
        return SQL("%s", value + '1' if value and value.replace('.', '', 1).isdigit() else (value or '') + 'x')

    def test_untouched(self):
        """AUD-040, REC-060: untouched data verifies, also after products, people and companies were renamed."""
        self.env['mrp.audit.seal']._seal(self.company)
        self.assertEqual(self._findings(), [])
        verification = Verification(self.env.cr)
        list(verification)
        for name in ('lines', 'signatures', 'revisions', 'orders', 'files', 'labels', 'records'):
            self.assertTrue(verification.counts[name], name)
        self.product.name = "Renamed"
        self.user_qc.name = "Married"
        self.company.name = "Renamed Ltd"
        self.workcenter.name = "Another room"
        self._cancel_batch(self.order)
        self._new_revision(self.revision)
        self.assertEqual(self._findings(), [])

    def test_mutation_of_every_column(self):
        """AUD-080, AUD-040, SIG-030, REC-060, H-31: each column that is proved is altered in turn; the record is named."""
        self._make_all()
        cases = [(model, name) for model, proofs in PROOFS.items() if model not in MOVED
                 for name in (*proofs.proved(), *CHECKED.get(model, ()))]
        self.assertGreater(len(cases), 500)
        chosen, missed, altered = sample_cases(self, cases, 0.1), [], 0
        for model, name in chosen:
            field = self.env[model]._fields[name]
            for record in self._sample(model):
                for _value, after in self._alter(record, field):
                    altered += 1
                    if not self._names(model, record):
                        missed.append((model, name, record.id, str(after)[:80]))
        self.assertFalse(missed)
        self.assertGreater(altered, len(chosen) // 2)

    def _make_all(self):
        self._make_drill()
        self._make_others()
        self._make_retention()
        self._make_terminal()
        self.env['mrp.audit.seal']._seal(self.company)
        self._judge_set_up()

    def _alter(self, record, field):
        """Yield old and new value of a column, once for each other value that PostgreSQL takes, while it stands there."""
        table, name = record._table, field.name
        [[value]] = self.env.execute_query(SQL(
            "SELECT %s FROM %s WHERE id = %s", SQL.identifier(name), SQL.identifier(table), record.id))
        others = [self._other_value(record._name, record, name, field.column_type[0], value)]
        if value is not None:
            others.append(SQL("NULL"))
        for other in others:
            with self._behind_the_back(table) as cr:
                try:
                    with cr.savepoint(flush=False), mute_logger('odoo.sql_db'):
                        cr.execute(SQL("UPDATE %s SET %s = %s WHERE id = %s", SQL.identifier(table),
                                       SQL.identifier(name), other, record.id))
                        [[after]] = self.env.execute_query(SQL(
                            "SELECT %s FROM %s WHERE id = %s", SQL.identifier(name), SQL.identifier(table), record.id))
                except Exception as error:
                    if getattr(error, 'pgcode', '')[:2] != '23':   # PostgreSQL itself refuses it
                        raise
                    continue
                # Nothing and 'no' are the same; so are nothing and a nought that nobody typed.
                if after != value and not (name == 'mmr_decision' and not after) and (
                        after or value or field.type in ('char', 'text')):
                    yield value, after

    def test_each_column_has_its_guard(self):
        """AUD-080, AUD-030, H-35: with all triggers on, SQL changes no column that is proved, or the registry says why."""
        self._make_all()
        cases = [(model, name) for model, proofs in PROOFS.items() if model not in MOVED for name in proofs.proved()]
        self.assertGreater(len(cases), 500)
        chosen, open_ones, tried = sample_cases(self, cases, 0.3), {}, 0
        for model, name in chosen:
            field = self.env[model]._fields[name]
            for record in self._sample(model)[:1]:
                [[value]] = self.env.execute_query(SQL("SELECT %s FROM %s WHERE id = %s", SQL.identifier(name),
                                                       SQL.identifier(record._table), record.id))
                other = self._other_value(model, record, name, field.column_type[0], value)
                tried += 1
                with self.env.cr.savepoint(flush=True) as savepoint, mute_logger('odoo.sql_db'):
                    # A guard or a constraint refuses it.
                    with suppress(IntegrityError):
                        with self.env.cr.savepoint(flush=False):
                            self.env.cr.execute(SQL(
                                "UPDATE %s SET %s = %s WHERE id = %s; SET CONSTRAINTS ALL IMMEDIATE",
                                SQL.identifier(record._table), SQL.identifier(name), other, record.id))
                        [[after]] = self.env.execute_query(SQL("SELECT %s FROM %s WHERE id = %s", SQL.identifier(name),
                                                               SQL.identifier(record._table), record.id))
                        if after != value:
                            open_ones.setdefault(model, set()).add(name)
                    savepoint.rollback()
        self.assertGreater(tried, len(chosen) // 2)
        self.assertEqual({model: sorted(names - set(UNGUARDED.get(model, ()))) for model, names in open_ones.items()
                          if names - set(UNGUARDED.get(model, ()))}, {})

    def test_links(self):
        """AUD-080, H-31: a relation to many that is proved: one more and one less are found at the record."""
        self._make_all()
        tried = 0
        for model, proofs in PROOFS.items():
            for relation, column, other in proofs.links.values():
                for record in self._sample(model):
                    rows = [row for row, in self.env.execute_query(SQL(
                        "SELECT %s FROM %s WHERE %s = %s", SQL.identifier(other), SQL.identifier(relation),
                        SQL.identifier(column), record.id))]
                    if other == 'gid':
                        rows = [row for row in rows if row == self.env.ref('mrp_mmr.group_mmr_qc').id]
                    for row in rows[:1]:
                        with self.subTest(model=model, relation=relation), self._behind_the_back(relation) as cr:
                            cr.execute(SQL("DELETE FROM %s WHERE %s = %s AND %s = %s", SQL.identifier(relation),
                                           SQL.identifier(column), record.id, SQL.identifier(other), row))
                            self.assertTrue(self._names(model, record))
                            tried += 1
        self.assertGreaterEqual(tried, 4)

    def _make_others(self):
        """Issue a worksheet and transcribe it, clean equipment."""
        production, operator = self._person('production'), self._person('operator')
        step = self.bpr.step_ids.sorted('sequence')[1].with_user(operator)
        self._train(step, operator)
        self.copy = self.env['mrp.bpr.copy'].with_user(production)._issue(self.bpr, "Failure", self.bpr.step_ids)
        self.env['report.mrp_mmr.report_bpr_worksheet'].with_user(production)._log_print(
            self.copy, self.env.ref('mrp_mmr.action_report_bpr_worksheet'))
        step.action_start(acknowledged=True)
        self.transcription = step._transcribe(self.copy, "scan.png", PNG, [
            {'kind': 'comment', 'vals': {'text': "Noisy"}, 'paper_time': "6:15", 'paper_by': "OP"}])
        self.log = self._clean(self.revision.equipment_ids.equipment_id)

    def _make_terminal(self):
        """Register a terminal: from now on nobody records elsewhere."""
        security = new_test_user(self.env, login='t_terminals', groups='mrp_mmr.group_mmr_security')
        self.terminal = self.env['mrp.terminal'].with_user(security).create(
            {'name': "T-1", 'workcenter_ids': self.workcenter.ids})
        self.terminal._issue_key()

    def _make_drill(self):
        """Store and sign the result of a drill without acts."""
        user = enrol(new_test_user(
            self.env, login='t_security', password=PASSWORD, groups='mrp_mmr.group_mmr_security', tz='UTC'))
        self.drill = drill_without_acts(user)
        self._sign(self.drill, 'check', user)

    def _make_retention(self):
        """Distribute a released batch, hold it, lift that, and dispose of it: its date lies behind the clock."""
        bpr = self._release(self._make_completed())
        self._ship(bpr.lot_ids)
        self._expire(bpr.lot_ids, '2020-06-30 12:00:00')
        self.distribution = bpr.distribution_ids
        self.hold = self.env['mrp.legal.hold'].with_user(self.user_qc)._record("Claim", bpr=bpr)
        self._sign(self.hold, 'hold', self.user_qc)
        self._sign(self.hold, 'lift', self.user_qc, comment="Settled")
        self.disposal = self.env['mrp.record.disposal'].with_user(self.user_qc)._record(bpr, "Over")
        self._sign(self.disposal, 'dispose', self.user_qc)

    def _names(self, model, record):
        wanted = {(model, record.id)}
        if model == 'mrp.audit.chain':      # the lines of a chain name it too
            wanted |= {('mrp.audit.entry', line) for line in record.entry_ids.ids}
        if model == 'mrp.bpr.step':         # of its plan, the batch is
            wanted.add(('mrp.bpr', record.bpr_id.id))
        if model == 'mrp.signer.secret':    # so does its key
            wanted.add(('mrp.signer.key', record.key_id.id))
        self.env.flush_all()
        return any(finding and finding[:2] in wanted and finding.severity == ledger.FINDING
                   for part in self._get_parts(model) for finding in Verification(self.env.cr).check_part(part))

    def _get_parts(self, model):
        """Return the parts of a verification that look at records of a model: the others would only take time."""
        left_out = {'guards'}
        if not model.startswith(('mrp.audit.', 'mrp.esignature')):
            left_out |= {'ledger', 'baseline', 'chains', 'seals'}
        return [part for part in Verification.PARTS if part not in left_out and (part in Verification.CHECKS or part == model)]

    def _sample(self, model):
        if model == 'mrp.audit.entry':
            chain = self.env['mrp.audit.chain'].sudo().search([('res_model', '=', 'mrp.mmr')], limit=1, order='id desc')
            lines = chain.entry_ids.sorted('index')
            return lines[0] | lines[len(lines) // 2] | lines[-1]
        if model == 'mrp.audit.chain':
            return self.env[model].sudo().search([('res_model', 'in', ('mrp.mmr', 'mrp.production'))], order='id desc', limit=2)
        if model == 'mrp.audit.seal':
            return self.env[model].sudo().search([], limit=1)
        if model == 'mrp.esignature':
            return self.env[model].sudo().search([], limit=6)
        if model == 'mrp.tamper.drill':
            return self.drill.sudo()
        if model == 'mrp.mmr.file':
            return self.label.file_id.sudo()
        return {'mrp.mmr.revision': self.revision, 'mrp.mmr': self.revision.mmr_id, 'mrp.mmr.label': self.label,
                'mrp.mmr.review': self.revision.sudo().review_ids, 'mrp.production': self.order,
                'mrp.qualification': self.qualifications,
                'mrp.mmr.reviewer': self.reviewer, 'mrp.bpr': self.bpr, 'mrp.bpr.step': self.step, 'mrp.bpr.entry': self.entry,
                'mrp.deviation': self.deviation | self.investigated, 'mrp.deviation.contributor': self.contributor,
                'mrp.deviation.batch': self.investigated.related_ids, 'mrp.bpr.rework': self.rework, 'mrp.capa': self.capa,
                'mrp.capa.action': self.capa.action_ids, 'mrp.quality.review': self.review,
                'mrp.bpr.result': self.result, 'mrp.bpr.sample': self.sample,
                'mrp.lot.destruction': self.destruction, 'mrp.bpr.distribution': self.distribution,
                'mrp.legal.hold': self.hold, 'mrp.record.disposal': self.disposal,
                'mrp.sop': self.revision.reference_ids.sop_id[:1], 'mrp.mmr.profile': self.revision.profile_id,
                'mrp.mmr.requirement': self.env.ref('mrp_mmr.requirement_p111_con_110'),
                'mrp.signer.key': self.env['mrp.signer.key'].search([('user_id', '=', self.user_qc.id)]),
                'mrp.signer.acceptance': self.env['mrp.signer.acceptance'].search([('user_id', '=', self.user_qc.id)]),
                **self._get_others(),
                }[model].sudo()

    def _get_others(self):
        revision, signers = self.revision.sudo(), self.env['mrp.signer']._get_for(self.user_qc)
        content = {
            name: self.env[name].sudo().search([('revision_id', '=', revision.id)], order='id desc', limit=1)
            for name in (table.replace('_', '.') for table in ROW_TABLES)}
        for name, records in content.items():
            self.assertTrue(records, name)
        content['mrp.mmr.step'] = revision.step_ids.filtered('sop_ids')[:1]
        return {
            **content, 'mrp.bom': revision.bom_id, 'mrp.bom.line': revision.bom_line_ids[:1],
            'mrp.bom.byproduct': revision.byproduct_ids[:1],
            'mrp.routing.workcenter': revision.operation_ids.filtered('blocked_by_operation_ids')[:1],
            'mrp.bpr.copy': self.copy, 'mrp.bpr.transcription': self.transcription, 'mrp.terminal': self.terminal,
            'mrp.deviation.cause': self.investigated.cause_id, 'mrp.equipment.log': self.log[:1],
            'maintenance.equipment': self.log[:1].equipment_id, 'stock.lot': self.step.entry_ids.lot_id[:1],
            'mrp.signer': signers, 'mrp.signer.secret': self.env['mrp.signer.secret'].sudo().search(
                [('key_id.user_id', '=', self.user_qc.id)], limit=1),
            'res.users': self.user_qc, 'product.template': self.product.product_tmpl_id, 'res.company': self.company}

    def test_deleted(self):
        """AUD-040, REC-040: first, middle and last line, a whole chain and a signature, deleted by SQL."""
        lines = self._sample('mrp.audit.entry')
        chain, owner = lines.chain_id, lines.chain_id.res_id
        for place, line in enumerate(lines):
            # The line after the gap is named; where the last one is gone, the chain is.
            follower = chain.entry_ids.filtered(lambda other, line=line: other.index == line.index + 1)
            named = ('mrp.audit.chain', chain.id) if place == 2 else ('mrp.audit.entry', follower.id)
            with self.subTest(index=line.index), self._behind_the_back('mrp_audit_entry') as cr:
                cr.execute("DELETE FROM mrp_audit_entry WHERE id = %s", [line.id])
                self.assertIn(named, {finding[:2] for finding in self._findings()})
        with self._behind_the_back('mrp_audit_entry', 'mrp_audit_chain') as cr:
            cr.execute("DELETE FROM mrp_audit_entry WHERE chain_id = %s", [chain.id])
            self.assertIn(('mrp.audit.chain', chain.id), {finding[:2] for finding in self._findings()})
            cr.execute("DELETE FROM mrp_audit_chain WHERE id = %s", [chain.id])
            self.assertIn(('mrp.mmr', owner), {finding[:2] for finding in self._findings()})
        with self._behind_the_back('mrp_esignature') as cr:
            # The rejection, which nothing refers to.
            rejected = self.env['mrp.esignature'].sudo().search([('meaning', '=', 'rejected')], limit=1)
            cr.execute("DELETE FROM mrp_esignature WHERE id = %s", [rejected.id])
            self.assertIn(('mrp.esignature', rejected.id), {finding[:2] for finding in self._findings()})

    def test_vanished(self):
        """REC-040, AUD-010: a record that was deleted by SQL is named; one that was deleted by its user is not."""
        document = self.env['mrp.sop'].with_user(self.user_preparer).create({'code': "GONE", 'name': "Document"})
        document.unlink()
        self.assertEqual(self._findings(), [])
        draft = self.env['mrp.mmr.reviewer'].create({'name': "x", 'group_id': self.reviewer.group_id.id})
        for record in (self.deviation, self.reviewer, draft):
            with self.subTest(record=record._name), self._behind_the_back(record._table) as cr:
                cr.execute(SQL("DELETE FROM %s WHERE id = %s", SQL.identifier(record._table), record.id))
                self.assertIn((record._name, record.id), {finding[:2] for finding in self._findings()})

    def test_nought(self):
        """AUD-040, BPR-080: a typed 0 is not the same as nothing: neither takes the place of the other unnoticed."""
        step = self.bpr.step_ids.sorted('sequence')[1].with_user(self._person('operator'))
        self._train(step, self._person('operator'))
        step.action_start(acknowledged=True)
        entries = self.env['mrp.bpr.entry'].browse(
            step.action_record('comment', {'text': text})['entry_id'] for text in ("0", "Nothing"))
        self.assertEqual(self._findings(), [])
        for entry, column, value in ((entries[0], 'text', None), (entries[1], 'value', "0"), (entries[1], 'unit', "false")):
            with self.subTest(column=column, value=value), self._behind_the_back('mrp_bpr_entry') as cr:
                cr.execute(SQL("UPDATE mrp_bpr_entry SET %s = %s WHERE id = %s", SQL.identifier(column), value, entry.id))
                self.assertIn(('mrp.bpr.entry', entry.id), {finding[:2] for finding in self._findings()})

    def test_plan(self):
        """USE-030, BPR-010: the steps of a batch are those of its snapshot: none changed, moved, missing or more."""
        steps = self.bpr.step_ids.sorted('sequence')
        for statement, params in (
                ("UPDATE mrp_bpr_step SET planned = jsonb_set(planned, '{name}', '\"Other\"') WHERE id = %s", [steps[1].id]),
                ("UPDATE mrp_bpr_step SET sequence = 1000 WHERE id = %s", [steps[1].id]),
                ("UPDATE mrp_bpr_step SET planned = (SELECT planned FROM mrp_bpr_step WHERE id = %s) WHERE id = %s",
                 [steps[2].id, steps[1].id]),
                ("DELETE FROM mrp_bpr_step WHERE id = %s", [steps[-1].id]),
                ("UPDATE mrp_bpr SET plan_sha256 = %s WHERE id = %s", ['0' * 64, self.bpr.id])):
            with self.subTest(statement=statement), self._behind_the_back('mrp_bpr_step', 'mrp_bpr') as cr:
                cr.execute(statement, params)
                self.assertIn(('mrp.bpr', self.bpr.id), {finding[:2] for finding in self._findings()})

    def test_swapped(self):
        """AUD-040: two lines that changed places, and a line that moved to another chain."""
        first, middle, last = self._sample('mrp.audit.entry')
        with self._behind_the_back('mrp_audit_entry') as cr:
            cr.execute("UPDATE mrp_audit_entry SET index = -1 WHERE id = %s", [middle.id])
            cr.execute("UPDATE mrp_audit_entry SET index = %s WHERE id = %s", [middle.index, last.id])
            cr.execute("UPDATE mrp_audit_entry SET index = %s WHERE id = %s", [last.index, middle.id])
            named = {finding[:2] for finding in self._findings()}
            self.assertLessEqual({('mrp.audit.entry', middle.id), ('mrp.audit.entry', last.id)}, named)

    def test_forged_line(self):
        """AUD-040: a line that was forged with a digest that fits is found by the line after it, or by the head."""
        for line in self._sample('mrp.audit.entry')[1:]:
            with self.subTest(index=line.index), self._behind_the_back('mrp_audit_entry') as cr:
                content = line._get_hashed_content(dict(
                    {name: line[name] for name in ('index', 'kind', 'res_model', 'res_id', 'record_name', 'user_name',
                                                   'user_login', 'at', 'values', 'previous_sha256')},
                    chain=[line.chain_id.res_model, line.chain_id.res_id], company_id=line.company_id.id,
                    user_id=line.user_id.id, reason="forged"))
                cr.execute("UPDATE mrp_audit_entry SET reason = 'forged', sha256 = %s WHERE id = %s",
                           [sha256(content), line.id])
                self.assertTrue(self._findings())

    def test_clock(self):
        """AUD-040: a clock that went back is a remark and no finding: the order of lines is that of their numbers."""
        self.env['mrp.audit.seal']._seal(self.company)
        # Signed at a time before its own approval, sealed before the seal before; each chain has one step back.
        with patch('odoo.fields.Datetime.now', lambda *args: datetime(2025, 6, 1)):
            retired = self._sign(self.revision, 'retire', self.user_qc, comment="Not needed.")
            self._sign(self.order, 'stop', self.user_qc, comment="Not needed.")
            self.env['mrp.audit.seal']._seal(self.company)
        self.env['mrp.audit.entry']._append_about('print', self.revision)
        self.env.flush_all()
        self.assertEqual(retired.signed_at, datetime(2025, 6, 1))
        found = list(Verification(self.env.cr))
        self.assertEqual({(finding.severity, finding.model) for finding in found}, {('remark', 'mrp.audit.entry')})
        chains = self.env['mrp.audit.entry'].browse([finding.res_id for finding in found]).chain_id
        self.assertEqual(len(found), len(chains))
        for chain in chains:
            lines = chain.entry_ids.sorted('index')
            self.assertEqual(lines.mapped('index'), list(range(1, len(lines) + 1)))
            self.assertNotEqual(lines.mapped('at'), sorted(lines.mapped('at')))
        self.assertIn(self.revision.mmr_id.id, chains.mapped('res_id'))

    def test_canonical(self):
        """AUD-040: the text that verification hashes is the canonical JSON that was hashed, whatever is in it."""
        hostile = ['"', '\\', '\x01\x1f\x7f', 'é\u2028😀', '{"a":1}', '', 'null', "',;--", '\t\r\n\b\f', ' ' * 3, '</script>']
        self.env['mrp.audit.entry']._append([{
            'chain': self.revision.mmr_id, 'kind': 'write', 'model': text or 'x', 'res_id': number or None,
            'record_name': text or '-', 'values': {text: {'old': text, 'new': [text, number, None, True, {text: 10 ** 30}]}},
            'reason': text} for number, text in enumerate(hostile)])
        self.assertEqual(self._findings(), [])
        self.assertEqual(ledger.encode({'b': hostile, 'a': None}).encode(), canonical_json({'b': hostile, 'a': None}))
        line = self.env['mrp.audit.entry'].sudo().search([], limit=1)
        for text in ('[' * 5000 + ']' * 5000, '1.5', '"null"', 'null', '1' * 5000):
            with self.subTest(text=text[:10]), self._behind_the_back('mrp_audit_entry') as cr:
                cr.execute('UPDATE mrp_audit_entry SET "values" = %s::json WHERE id = %s', [text, line.id])
                self.assertIn(('mrp.audit.entry', line.id), {finding[:2] for finding in self._findings()})

    def test_batches(self):
        """AUD-040: what a batch of lines ends in does not matter."""
        with patch.object(ledger, 'BATCH', 7):
            self.assertEqual(self._findings(), [])
            line = self._sample('mrp.audit.entry')[1]
            with self._behind_the_back('mrp_audit_entry') as cr:
                cr.execute("UPDATE mrp_audit_entry SET user_name = 'Nobody' WHERE id = %s", [line.id])
                self.assertEqual([finding[:2] for finding in self._findings()], [('mrp.audit.entry', line.id)])

    # === THE SAME RESULT ON EVERY WAY === #

    def _mutate(self, cr, dice):
        """Damage some lines and heads as nobody would think of."""
        [lines] = zip(*self.env.execute_query(SQL("SELECT id FROM mrp_audit_entry ORDER BY id")), strict=True)
        [chains] = zip(*self.env.execute_query(SQL("SELECT id FROM mrp_audit_chain ORDER BY id")), strict=True)
        users = self.env['res.users'].with_context(active_test=False).search([]).ids
        changes = [
            "index = index + 1000", "kind = 'print'", "res_model = res_model || 'x'", "res_id = NULL", "res_id = 0",
            "record_name = record_name || '\\u00e9\\\"'", f"user_id = {dice.choice(users)}", "user_name = ''",
            "user_login = upper(user_login)", "at = at + interval '1 second'", "at = at - interval '1 day'", "reason = 'x'",
            "reason = ''", "previous_sha256 = sha256", "sha256 = previous_sha256", "values = NULL", "values = 'null'",
            "values = '{}'", "values = '[1.5]'", """values = '{"a":1,"a":2}'""", """values = '"\\u0000\\ud800"'""",
            """values = '{"signature_id":{"new":"\\u0000"}}', kind = 'sign'""", "write_uid = user_id",
            "create_date = create_date + interval '1 second'", "values = values::jsonb::json", "kind = kind",
        ]
        for _number in range(dice.randint(1, 6)):
            line = dice.choice(lines)
            roll = dice.random()
            with mute_logger('odoo.sql_db'), suppress(IntegrityError, DataError), cr.savepoint(flush=False):
                if roll < 0.7:
                    change = dice.choice(changes).replace('values', '"values"')
                    cr.execute(f"UPDATE mrp_audit_entry SET {change} WHERE id = {line}")
                elif roll < 0.8:
                    cr.execute(f"DELETE FROM mrp_audit_entry WHERE id = {line}")
                elif roll < 0.9:
                    cr.execute(f"UPDATE mrp_audit_entry SET chain_id = {dice.choice(chains)}, index = -id WHERE id = {line}")
                else:
                    change = dice.choice(["head_index = head_index - 1", "res_id = res_id + 1", "head_sha256 = 'x'"])
                    cr.execute(f"UPDATE mrp_audit_chain SET {change} WHERE id = {dice.choice(chains)}")

    def _reference(self):
        """Return the ids of bad lines as the code finds them that appends lines: one by one, without any haste."""
        entries, bad, before = self.env['mrp.audit.entry'], set(), {}
        self.env.cr.execute('''
            SELECT e.id, e.chain_id, c.res_model AS chain_model, c.res_id AS chain_record, e.company_id, e.index, e.kind,
                   e.res_model, e.res_id, e.record_name, e.user_id, e.user_name, e.user_login, e.at, e."values"::text AS text,
                   e.reason, e.previous_sha256, e.sha256, e.create_date, e.create_uid, e.write_date, e.write_uid
              FROM mrp_audit_entry e JOIN mrp_audit_chain c ON c.id = e.chain_id ORDER BY e.chain_id, e.index, e.id''')
        for row in self.env.cr.dictfetchall():
            index, digest = before.get(row['chain_id'], (0, ledger.GENESIS))
            before[row['chain_id']] = row['index'], row['sha256']
            if row['index'] != index + 1 or row['previous_sha256'] != digest or row['text'] == 'null' or row['write_date'] \
                    or row['write_uid'] or (row['create_date'], row['create_uid']) != (row['at'], row['user_id']):
                bad.add(row['id'])
            try:
                values = json.loads(row['text'] or 'null')
                content = entries._get_hashed_content(
                    dict(row, values=values, chain=[row['chain_model'], row['chain_record']]))
                # Empty is not the same as absent.
                content.update(values=values, reason=row['reason'])
                content['record']['id'] = row['res_id']
                if sha256(content) != row['sha256']:
                    bad.add(row['id'])
            except (TypeError, UnicodeEncodeError):
                bad.add(row['id'])
        return bad

    def test_same_as_reference(self):
        """AUD-040: the fast check names exactly the lines that the plain reference names, whatever was damaged."""
        dice, named = Random(1), 0
        for number in range(40):
            with self.subTest(number=number), self._behind_the_back('mrp_audit_entry', 'mrp_audit_chain') as cr:
                self._mutate(cr, dice)
                found = [step for step in ledger.LedgerCheck(cr) if step is not ledger.CHECKPOINT]
                lines = {step.res_id for step in found
                         if step.model == 'mrp.audit.entry' and step.severity == ledger.FINDING and 'signature' not in step[3]}
                expected = self._reference()
                self.assertEqual(lines, expected)
                named += len(expected)
        self.assertGreater(named, 60)

    def test_same_in_slices_and_steps(self):
        """AUD-040: cut in pieces for several processes, or interrupted after every batch, the findings are the same."""
        damaged = 0
        with patch.object(ledger, 'BATCH', 11):
            for number in sample_cases(self, range(12), 0.3):
                with self.subTest(number=number), self._behind_the_back('mrp_audit_entry', 'mrp_audit_chain') as cr:
                    self._mutate(cr, Random(number))
                    found = sorted(Verification(cr), key=str)
                    damaged += bool(found)
                    for pieces in (2, 5, 40):
                        self.assertEqual(sorted(self._verify_in_slices(cr, pieces), key=str), found)
                    self.assertEqual(sorted(self._verify_in_steps(cr), key=str), found)
        self.assertTrue(damaged)

    def _verify_in_slices(self, cr, pieces):
        partial = []
        for start, stop in ledger.slices(cr, pieces):
            verification = Verification(cr)
            yield from filter(None, verification.check_part('ledger', start=start, stop=stop))
            partial += verification.partial
        yield from ledger.finish_partial(partial)
        for part in Verification.PARTS[1:]:
            yield from filter(None, Verification(cr).check_part(part))

    def _verify_in_steps(self, cr):
        position, steps = None, 0
        while True:
            verification = Verification(cr, position=position)
            for step in verification.steps():
                if step is ledger.CHECKPOINT:
                    break
                yield step
            steps += 1
            position = json.loads(json.dumps(verification.position))
            if not position:
                break
        self.assertGreater(steps, 20)

    def test_same_by_company(self):
        """AUD-040: what is verified company by company, and what belongs to none, is everything once."""
        other = self.env['res.company'].create({'name': "Other Ltd"})
        other.mmr_seal_email = "other@example.com"
        self.env['mrp.mmr.file'].sudo()._store('unused.png', PNG)
        self.env.flush_all()
        for number in sample_cases(self, range(8), 0.3):
            with self.subTest(number=number), self._behind_the_back('mrp_audit_entry', 'mrp_audit_chain', 'mrp_mmr_file') as cr:
                self._mutate(cr, Random(number))
                cr.execute("UPDATE mrp_mmr_file SET data = 'AAAA'")
                whole, parts, counts = Verification(cr), [], Counter()
                found = sorted(whole, key=str)
                for company in (*self.env['res.company'].search([]).ids, 0):
                    part = Verification(cr, company)
                    parts += part
                    counts.update(part.counts)
                    self.assertTrue(company == 0 or part.counts['lines'], company)
                self.assertEqual(sorted(parts, key=str), found)
                self.assertEqual(counts, whole.counts)

    # === BUTTON, CRON, COMMAND === #

    def _run(self, user=None):
        """Start verifications as the button does and return them."""
        action = self.env['mrp.audit.verify'].with_user(user or self.user_auditor).action_start()
        return self.env['mrp.audit.verify'].with_user(user or self.user_auditor).browse(action['params']['ids'])

    def _finish(self, runs):
        """Work as the dialog does, until all is done; return what it showed last."""
        while True:
            progress = runs.work()
            if not any(row['state'] == 'running' for row in progress):
                return progress

    def _last_outcome(self):
        return self.env['mrp.audit.entry'].sudo().search([('kind', '=', 'verify')], limit=1)

    def test_button(self):
        """AUD-040, SEC-010: auditor, Quality Control and security verify; nobody else does; the outcome is in the ledger."""
        runs = self._run()
        self._finish(runs)
        self.assertEqual(set(runs.mapped('state')), {'passed'})
        run = runs.filtered(lambda run: run.company_id == self.company)
        self.assertTrue(run.line_count and run.signature_count and run.revision_count and run.ended_at)
        self.assertEqual(run.progress, 100)
        self.assertEqual(self._last_outcome().user_id, self.user_auditor)
        self.assertEqual(self._last_outcome().values['findings'], {'new': 0})
        with self._behind_the_back('mrp_esignature') as cr:
            cr.execute("UPDATE mrp_esignature SET signer_name = 'Nobody' WHERE id = %s",
                       [self.revision.approved_signature_id.id])
            runs = self._run(self.user_qc)
            self._finish(runs)
            run = runs.filtered(lambda run: run.company_id == self.company)
            self.assertEqual(run.state, 'failed')
            self.assertIn(('mrp.esignature', self.revision.approved_signature_id.id),
                          [(row.model, row.res_id) for row in run.finding_ids])
            self.assertEqual(run.finding_ids[0].action_open()['res_model'], 'mrp.esignature')
            # The line names the first of them, which are the guards that were switched off for it.
            self.assertIn("trigger mrp_mmr_append_only on mrp_esignature", self.env['mrp.audit.entry'].sudo().search(
                [('kind', '=', 'verify'), ('company_id', '=', self.company.id), ('reason', '!=', False)], limit=1).reason)
        self.assertEqual(self.env['mrp.audit.verify'].with_user(self.user_qc).verify()['finding_count'], 0)

    def test_button_rights(self):
        """AUD-040, SEC-010: planners, preparers and operators neither verify nor read what was found; nobody writes it."""
        runs = self._run()
        for user in (self.user_planner, self.user_preparer, self.user_operator):
            with self.subTest(user=user.login):
                model = self.env['mrp.audit.verify'].with_user(user)
                for call in (model.verify, model.action_start, model.browse(runs.ids).work, model.browse(runs.ids).action_stop,
                             model.browse(runs.ids).action_continue, lambda runs=runs, model=model: model.browse(runs.ids).read(
                                 ['state'])):
                    with self.assertRaises(AccessError):
                        call()
        for user in (self.user_auditor, self.user_qc):
            for call in (lambda user=user: runs.with_user(user).write({'state': 'passed'}),
                         lambda user=user: runs.with_user(user).unlink(),
                         lambda user=user: self.env['mrp.audit.verify'].with_user(user).create({})):
                with self.assertRaises(AccessError):
                    call()

    def test_steps(self):
        """AUD-040: a verification works in short steps, is stopped and taken up, and finds what it would have found at once."""
        with self._behind_the_back('mrp_esignature') as cr, patch.object(ledger, 'BATCH', 20), \
                patch('odoo.addons.mrp_mmr.models.evidence.audit_verify.STEP', 0):
            cr.execute("UPDATE mrp_esignature SET comment = 'forged'")
            expected = self.env['mrp.audit.verify'].with_user(self.user_auditor).verify()
            runs = self._run()
            seen = []
            for _step in range(5):
                seen.append(sum(row['done'] for row in runs.work()))
            self.assertEqual(seen, sorted(seen))
            self.assertEqual(runs.action_stop()[0]['state'], 'stopped')
            self.assertEqual([row['done'] for row in runs.work()], [row['done'] for row in runs.work()], "it is stopped")
            self.assertTrue(0 < runs[0].progress < 100)
            # Meanwhile life goes on.
            self._new_revision(self.revision)
            self.assertEqual(runs.action_continue()['params']['ids'], runs.ids)
            self._finish(runs)
            self.assertEqual(sum(runs.mapped('finding_count')), expected['finding_count'])
            # What belongs to no company are the guards as well, which are off.
            self.assertEqual(set(runs.mapped('state')), {'failed'})
            self.assertGreaterEqual(sum(runs.mapped('line_count')), expected['counts']['lines'])

    def test_companies(self):
        """AUD-040, SEC-010: the button verifies the active companies of the user, and shows findings of no other."""
        other = self.env['res.company'].create({'name': "Other Ltd"})
        other.mmr_seal_email = "other@example.com"
        self.env.flush_all()
        stranger = new_test_user(
            self.env, login='t_other', groups='mrp_mmr.group_mmr_auditor', company_id=other.id, company_ids=[(6, 0, other.ids)])
        with self._behind_the_back('mrp_esignature', 'mrp_audit_entry') as cr:
            cr.execute("UPDATE mrp_esignature SET comment = 'forged'")
            own = self._run()
            self.assertEqual(own.company_id, self.company)
            self._finish(own)
            self.assertEqual(own.filtered('company_id').state, 'failed')
            runs = self._run(stranger)
            self.assertEqual(runs.company_id, other)
            self.assertTrue(all(run.company_id for run in runs), "what belongs to nobody is part of the whole only")
            self._finish(runs)
            self.assertEqual(runs.state, 'passed')
            with self.assertRaises(AccessError):
                own.filtered('company_id').with_user(stranger).work()
            findings = self.env['mrp.audit.verify.finding']
            self.assertTrue(findings.with_user(self.user_auditor).search_count([]))
            self.assertFalse(findings.with_user(stranger).search_count([('verify_id', 'in', own.filtered('company_id').ids)]))
            self.assertEqual(self.env['mrp.audit.verify'].with_user(stranger).verify()['finding_count'], 0)
            cr.execute("UPDATE mrp_audit_entry SET reason = 'forged' WHERE company_id = %s", [other.id])
            self.assertTrue(self.env['mrp.audit.verify'].with_user(stranger).verify()['finding_count'])

    def test_no_company(self):
        """AUD-040: a file that nothing uses any more is verified too, where the user has all companies."""
        self.env['mrp.mmr.file'].sudo()._store('unused.png', PNG)
        everybody = self.env['res.company'].search([])
        self.user_auditor.company_ids = everybody
        with self._behind_the_back('mrp_mmr_file') as cr:
            cr.execute("UPDATE mrp_mmr_file SET data = 'AAAA' WHERE name = 'unused.png'")
            model = self.env['mrp.audit.verify'].with_user(self.user_auditor).with_context(allowed_company_ids=everybody.ids)
            runs = model.browse(model.action_start()['params']['ids'])
            self._finish(runs)
            found = runs.filtered(lambda run: not run.company_id).finding_ids.filtered(lambda row: row.model != GUARD)
            self.assertEqual(found.mapped('name'), ['unused.png'])
            self.assertEqual(set(runs.filtered('company_id').mapped('state')), {'passed'})

    def test_cron(self):
        """AUD-040: every night, all companies; what is found goes to Quality Control, security and the log."""
        verify = self.env['mrp.audit.verify']
        kind = self.env.ref('mrp_mmr.mail_activity_type_verify')
        with patch.object(self.registry['ir.cron'], '_commit_progress', return_value=60):
            verify._cron_verify()
            self.assertFalse(self.env['mail.activity'].search([('activity_type_id', '=', kind.id)]))
            with self._behind_the_back('mrp_mmr_file') as cr:
                cr.execute("UPDATE mrp_mmr_file SET data = 'AAAA' WHERE id = %s", [self.label.file_id.id])
                with self.assertLogs('odoo.addons.mrp_mmr.models.evidence.audit_verify', 'ERROR') as log:
                    verify._cron_verify()
                self.assertIn(f"mrp.mmr.file,{self.label.file_id.id}", ''.join(log.output))
                activities = self.env['mail.activity'].search([('activity_type_id', '=', kind.id)])
                self.assertIn(self.user_qc, activities.user_id)
                self.assertNotIn(self.user_planner, activities.user_id)
                run = verify.browse(activities[0].res_id)
                self.assertEqual((run.state, run.company_id), ('failed', self.company))
                with mute_logger('odoo.addons.mrp_mmr.models.evidence.audit_verify'):
                    verify._cron_verify()
                again = self.env['mail.activity'].search([('activity_type_id', '=', kind.id)])
                self.assertEqual(again, activities, "each is told once")

    def test_cron_goes_on(self):
        """AUD-040: a nightly job that runs out of time goes on where it stopped, and starts again only when it was done."""
        verify, reports, lines = self.env['mrp.audit.verify'], [], []

        def commit_progress(_self, processed=0, *, remaining=None, deactivate=False):
            reports.append((processed, remaining))
            return 0

        def jobs():
            return verify.search([('is_nightly', '=', True)])

        before = jobs()
        with patch.object(self.registry['ir.cron'], '_commit_progress', commit_progress), patch.object(ledger, 'BATCH', 20), \
                patch('odoo.addons.mrp_mmr.models.evidence.audit_verify.STEP', 0):
            for _run in range(500):
                verify._cron_verify()
                lines.append(sum((jobs() - before).mapped('line_count')))
                if not reports[-1][1]:
                    break
        runs = jobs() - before
        self.assertGreater(len(reports), 20)
        self.assertEqual(reports[-1][1], 0)
        self.assertTrue(all(processed > 0 for processed, _remaining in reports))
        self.assertEqual(lines, sorted(lines))
        self.assertEqual(set(runs.mapped('state')), {'passed'})
        self.assertEqual(len(runs.company_id), self.env['res.company'].with_context(active_test=False).search_count([]))
        self.assertEqual(len(runs), len(runs.company_id) + 1)
        self.assertGreaterEqual(sum(runs.mapped('line_count')) + len(runs), Verification(self.env.cr).estimate() // 4)

    def test_forgotten(self):
        """AUD-040: what the nightly job found intact is forgotten after some months, what it found not intact is not."""
        model = self.env['mrp.audit.verify'].sudo()
        old = model.create([{'is_nightly': True, 'state': state, 'ended_at': '2020-01-01'} for state in ('passed', 'failed')])
        model._gc_passed()
        self.assertEqual(old.exists().state, 'failed')

    def test_command(self):
        """REC-060, AUD-040: the command prints every finding; its exit status says whether there are any."""
        from odoo.cli.command import find_command
        command = find_command('mrp_mmr')()
        out = io.StringIO()
        self.assertEqual(command.print_findings(Verification(self.env.cr), "database", out=out), 0)
        self.assertIn('PASSED', out.getvalue())
        with self._behind_the_back('mrp_esignature') as cr:
            cr.execute("UPDATE mrp_esignature SET comment = %s WHERE id = %s",
                       ["\x1b[2J", self.revision.approved_signature_id.id])
            out = io.StringIO()
            self.assertEqual(command.print_findings(Verification(cr), "database", out=out), 1)
            self.assertIn(f"mrp.esignature,{self.revision.approved_signature_id.id}", out.getvalue())
            self.assertNotIn('\x1b', out.getvalue())

    def test_command_process(self):
        """REC-060: the command runs by itself, without the server."""
        for jobs in (1, 2):
            result = run_odoo('mrp_mmr', 'verify', '-d', self.env.cr.dbname, f'--jobs={jobs}')
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
            self.assertRegex(result.stdout, r"PASSED database [^:]+: 0 findings in [1-9]\d* lines")
