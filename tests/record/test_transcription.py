"""Worksheets on paper: numbered copies, transcription and its verification (BPR-110, BPR-160)."""

import re
from datetime import timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from odoo.addons.mrp_mmr.reports.report_bpr_worksheet import UNCONTROLLED

from ..common.base import PASSWORD, PNG, MmrCommon, enrol
from ..common.batch import BatchCommon
from ..reports.test_report import read_pages, squeeze

WORKSHEET = 'mrp_mmr.report_bpr_worksheet'


class PaperCommon(MmrCommon):

    @classmethod
    def _begin(cls, quantity=100):
        """Return the issued record of a batch with lots on stock."""
        (cls.component_a | cls.component_b).tracking = 'lot'
        cls._make_effective(cls._create_mmr(quantity))
        for product in cls.component_a | cls.component_b:
            cls._stock(product)
        return cls._release(quantity)

    @classmethod
    def _release(cls, quantity=100):
        order = cls._create_order(quantity)
        order.action_confirm()
        cls._train_all(order.bpr_id)
        if order.bpr_id.state == 'issue':
            cls._sign(order.bpr_id, 'issue', cls._person('production'))
        return order.bpr_id.with_user(cls.env.user)

    @classmethod
    def _issue(cls, bpr, reason="The server is down", steps=None, user=None):
        """Issue a copy as the dialog does; return it and the action that prints it."""
        wizard = Form(cls.env['mrp.bpr.copy.issue'].with_user(user or cls._person('production')).with_context(
            active_id=bpr.id))
        wizard.reason = reason
        wizard = wizard.save()
        if steps is not None:
            wizard.step_ids = steps
        action = wizard.action_issue()
        return cls.env['mrp.bpr.copy'].browse(action['context']['active_ids']), action

    def _print(self, action, user=None):
        report = self.env['ir.actions.report'].with_user(user or self._person('production')).with_context(
            force_report_rendering=True)
        return report._render(action['report_name'], action['context']['active_ids'])[0]

    @classmethod
    def _log_printed(cls, copy):
        """Do what a print does to the ledger, without rendering."""
        cls.env[f'report.{WORKSHEET}'].with_user(cls._person('production'))._log_print(
            copy, cls.env.ref('mrp_mmr.action_report_bpr_worksheet'))
        copy.invalidate_recordset()
        return copy

    def _open_form(self, step, copy, user=None):
        user = user or self._person(step.performer_role or 'operator')
        form = Form(self.env['mrp.bpr.transcribe'].with_user(user).with_context(active_id=step.id))
        form.copy_id = copy
        form.scan = PNG
        if step.planned['precaution']:
            form.acknowledged = True
        return form

    def _transcribe(self, step, copy, lines, user=None, paper=None):
        """Type lines as the form does, over those it offers and then below; return the transcription."""
        paper = {'paper_time': "03.03. 6:15", 'paper_by': "OP", 'paper_verified_by': "VE", **(paper or {})}
        with self._open_form(step, copy, user) as form:
            for number, values in enumerate(lines):
                with form.line_ids.new() if 'kind' in values else form.line_ids.edit(number) as line:
                    for name, value in {**values, **paper}.items():
                        setattr(line, name, value)
        form.record.scan_name = "scan.png"  # as the widget of the scan does
        action = form.record.action_transcribe()
        self.assertEqual(action.get('res_model'), 'mrp.bpr.transcription', action)
        return self.env['mrp.bpr.transcription'].browse(action['res_id'])


@tagged('post_install', '-at_install')
class TestWorksheet(PaperCommon, BatchCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if cls.env['ir.actions.report'].get_wkhtmltopdf_state() == 'install':
            cls.skipTest(cls, "wkhtmltopdf is not installed")
        cls.bpr = cls._release_batch(cls._create_full_mmr())

    def test_print(self):
        """BPR-160, PRD-080: all steps with their plan, boxes and codes; each page says which copy of which batch it is."""
        copy, action = self._issue(self.bpr)
        pages = read_pages(self._print(action))
        for number, page in enumerate(pages, 1):
            self.assertIn(f"{self.bpr.name} · worksheet · CONTROLLED COPY 1", page)
            self.assertIn(f"Page {number} of {len(pages)}", page)
            self.assertIn("Issued by Test t_production", page)
        text = squeeze(' '.join(pages))
        order, mmr = self.bpr.production_id, self.bpr.mmr_revision_id.mmr_id
        for expected in (
                "Reason for paper The server is down", order.name, "VC-2031-001", order.mmr_snapshot_sha256,
                f"{mmr.name}, revision 1", "Protect from moisture.", "Printed name Initials Signature"):
            self.assertIn(squeeze(expected), text)
        self.assertEqual(copy.sequences, self.bpr.step_ids.sorted('sequence').mapped('sequence'))
        for step in self.bpr.step_ids:
            planned = step.planned
            for expected in (
                    step.code, step.name, f"{self.bpr.name}/{step.sequence}", planned['instruction'], planned['precaution'],
                    *(row['text'] for row in planned['checklist'])):
                self.assertIn(squeeze(expected or ''), text)
        for expected in (
                "Ascorbic acid, container 1 kg", "Ascorbic acid, container 3 kg", "Moisture %", "Precaution read [ ] yes",
                "Oven is clean [ ] conforms [ ] does not", "Labels of the drums: Destroyed", "Addition verified",
                "Decision of Quality Control", "Remarks, deviations", "What Value Unit Lot, equipment Date, time Initials"):
            self.assertIn(squeeze(expected), text)

    def test_nothing_is_filled_in(self):
        """BPR-060: the worksheet of a step has no value in its boxes, whatever is recorded elsewhere."""
        with self.env.cr.savepoint(flush=False):
            step = self.bpr.step_ids.sorted('sequence')[0]
            self._start(step)
            self._put(step, 'weight', {'value': "77.123", 'lot_id': self._get_lots()['a1'].id})
            copy, _action = self._issue(self.bpr)
            values = self.env[f'report.{WORKSHEET}'].with_user(self._person('production'))._get_report_values(copy.ids)
            self.assertNotIn("77.123", str(values))
            [sheet] = [row for stage in values['docs'][0]['stages'] for row in stage['steps'] if row['code'] == step.code]
            for row in sheet['values']['rows']:
                self.assertFalse(any(row[3:]), "lot, time, initials, verified by")

    def test_numbers(self):
        """BPR-160, AUD-010: each printing has its own number, once, with reason and steps in the ledger and in the record."""
        before = self.bpr.copy_ids
        step = self.bpr.step_ids.sorted('sequence')[2]
        first, action = self._issue(self.bpr)
        second, other = self._issue(self.bpr, "Network failure in room 2", step, user=self.user_qc)
        self.assertEqual((second.number, second.step_ids, second.user_name), (first.number + 1, step, "Test t_qc"))
        self.assertFalse(first.printed_at)
        self._print(action)
        text = ' '.join(read_pages(self._print(other, self.user_qc)))
        self.assertIn(step.name, text)
        self.assertNotIn("Ascorbic acid, container", text, "only the chosen steps")
        (first | second).invalidate_recordset()
        self.assertTrue(first.printed_at and second.printed_at)
        for again in (first.with_user(self._person('production')).action_print, lambda: self._print(action)):
            with self.assertRaisesRegex(UserError, "was already printed on"):
                again()
        lines = self.env['mrp.audit.entry'].sudo().search([
            ('res_model', '=', 'mrp.bpr.copy'), ('res_id', 'in', (first | second).ids), ('kind', '=', 'print')], order='id')
        self.assertEqual(lines.mapped('reason'), ["The server is down", "Network failure in room 2"])
        self.assertEqual([line.values['number']['new'] for line in lines], [first.number, second.number])
        self.assertEqual(lines[1].values['steps']['new'], step.code)
        self.assertEqual(lines.chain_id.res_id, self.bpr.production_id.id)
        self.assertEqual(self.bpr.copy_ids - before, first | second)
        record = ' '.join(read_pages(self.env['ir.actions.report'].with_user(self.user_auditor).with_context(
            force_report_rendering=True)._render_qweb_pdf('mrp_mmr.report_bpr', self.bpr.ids)[0]))
        self.assertIn("Worksheets on Paper", record)
        self.assertIn("Network failure in room 2", record)

    def test_browser(self):
        """BPR-160: in the browser, where nothing is counted, the sheets say that they are no controlled copy."""
        copy, _action = self._issue(self.bpr)
        html = self.env['ir.actions.report'].with_user(self.user_auditor)._render_qweb_html(WORKSHEET, copy.ids)[0].decode()
        self.assertIn(UNCONTROLLED, html)
        self.assertFalse(copy.printed_at)

    def test_refused(self):
        """BPR-160, SEC-010: no copy without role, reason or open steps, nor of a record that is not issued or is closed."""
        copies = self.env['mrp.bpr.copy']
        production = copies.with_user(self._person('production'))
        for user in (self.user_operator, self.user_planner, self.user_auditor, self._person('verifier')):
            with self.subTest(user=user.login), self.assertRaisesRegex(AccessError, "Production Responsible"):
                copies.with_user(user)._issue(self.bpr.with_user(user), "Because", self.bpr.step_ids)
        with self.assertRaises(AccessError):
            self.bpr.with_user(self.user_operator).action_issue_worksheets()
        for reason, steps in (("  ", self.bpr.step_ids), ("Because", self.bpr.step_ids.browse())):
            with self.assertRaisesRegex(UserError, "needs a reason and open steps"):
                production._issue(self.bpr, reason, steps)
        copy, action = self._issue(self.bpr)
        with self.assertRaises(AccessError):
            self._print(action, self.user_operator)
        self.assertFalse(copy.printed_at)
        self.bpr.production_id.sudo().action_cancel()
        with self.assertRaisesRegex(UserError, "not been issued, or is closed"):
            production._issue(self.bpr, "Because", self.bpr.step_ids)

    def test_open_copies(self):
        """R-12, BPR-200: a copy that did not come back is an open item of completion and release, until it is used or void."""
        copy, _action = self._issue(self.bpr)
        self.assertEqual(copy.state, 'open')
        with self.assertRaisesRegex(UserError, f"{copy.display_name} have not been returned"):
            self.bpr._check_complete()
        for purpose in ('produce', 'review', 'release'):
            self.assertIn('copy', [issue['code'] for issue in self.bpr._get_release_issues(purpose)[self.bpr]])
        production = self._person('production')
        with self.assertRaises(AccessError):
            copy.with_user(self.user_operator).action_void()
        wizard = self.env['mrp.bpr.copy.void'].with_user(production).with_context(
            **copy.with_user(production).action_void()['context']).create({'reason': " "})
        with self.assertRaisesRegex(UserError, "BPR-200"):
            wizard.action_void()
        wizard.reason = "Not used, torn up"
        wizard.action_void()
        self.assertRecordValues(copy, [{
            'state': 'void', 'void_reason': "Not used, torn up", 'void_name': production.name, 'void_by_id': production.id}])
        self.assertNotIn('copy', [issue['code'] for issue in self.bpr._get_release_issues('review')[self.bpr]])
        line = self.env['mrp.audit.entry'].search([
            ('res_model', '=', copy._name), ('res_id', '=', copy.id)], order='id desc', limit=1)
        self.assertEqual(line.values['void_reason']['new'], "Not used, torn up")
        with self.assertRaisesRegex(UserError, "BPR-200"):
            copy.with_user(production)._void("Again")
        with self.assertRaisesRegex(UserError, "is void"):
            copy.with_user(production).action_print()
        for query in (
                "UPDATE mrp_bpr_copy SET void_reason = 'x' WHERE id = %s",
                "UPDATE mrp_bpr_copy SET void_reason = NULL, void_by_id = NULL, void_name = NULL, void_at = NULL WHERE id = %s",
                "UPDATE mrp_bpr_copy SET reason = 'x' WHERE id = %s", "DELETE FROM mrp_bpr_copy WHERE id = %s"):
            with self.assertRefused('mrp_mmr_bpr_copy_append_only'):
                self.env.cr.execute(query, [copy.id])

    def test_attacks(self):
        """AUD-030, BPR-160: copies are neither made nor changed on other ways, nor by SQL."""
        copy, _action = self._issue(self.bpr)
        administrator = copy.sudo()
        for attempt in (
                lambda: administrator.create({'bpr_id': self.bpr.id, 'number': 7, 'reason': "x", 'sequences': [1]}),
                lambda: administrator.write({'reason': "Other"}), administrator.unlink, administrator.copy):
            with self.assertRefused('AUD-030'):
                attempt()
        insert = """INSERT INTO mrp_bpr_copy (bpr_id, company_id, number, reason, sequences, user_id, user_name, at)
                    SELECT bpr_id, company_id, %s, %s, %s::jsonb, user_id, user_name, at FROM mrp_bpr_copy WHERE id = %s"""
        following = len(self.bpr.copy_ids) + 1
        for query, params in (
                ("UPDATE mrp_bpr_copy SET reason = 'Other' WHERE id = %s", [copy.id]),
                ("DELETE FROM mrp_bpr_copy WHERE id = %s", [copy.id]),
                (insert, [following + 1, "A gap", '[1]', copy.id]), (insert, [following, " ", '[1]', copy.id]),
                (insert, [following, "No step", '[]', copy.id])):
            with self.subTest(query=query, params=params), \
                    self.assertRefused('BPR-160', 'BPR-200', 'mrp_bpr_copy_reason_given'):
                self.env.cr.execute(query, params)


@tagged('post_install', '-at_install')
class TestTranscription(PaperCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bpr = cls._begin()
        cls.step = cls.bpr.step_ids.sorted('sequence')[0]
        cls.copy = cls._log_printed(cls._issue(cls.bpr)[0])
        cls.operator, cls.verifier = cls._person('operator'), cls._person('verifier')

    def _weigh(self, value="90", **kwargs):
        return self._transcribe(self.step, self.copy, [{'value': value, 'lot_name': "L-ASC"}], **kwargs)

    # === COUNTING === #

    def test_whole_way(self):
        """BPR-110, VER-050, PRD-080: typed from a worksheet, compared by another person, then signed as transcribed."""
        with freeze_time('2031-03-03 09:00:00'):
            transcription = self._weigh(paper={'paper_time': "3 March, 6:15 h"})
        entry = transcription.entry_ids
        self.assertRecordValues(entry, [{
            'kind': 'weight', 'value': "90", 'lot_name': "L-ASC", 'paper_time': "3 March, 6:15 h", 'paper_by': "OP",
            'paper_verified_by': "VE", 'user_id': self.operator.id, 'reason': "Transcribed from worksheet copy 1",
            'is_proposed': True, 'is_current': False, 'is_late': False}])
        self.assertEqual(f"{entry.at:%Y-%m-%d %H:%M}", "2031-03-03 09:00", "the time of recording is the server's")
        self.assertEqual((self.step.state, self.step.result), ('started', False))
        self.assertFalse(self.step._get_weights())
        self.assertIn("refused", self._esign(self.step, 'performed', self.operator, digest="0" * 64))
        with self.assertRaisesRegex(UserError, "not yet compared with the scan"):
            self.step.with_user(self.operator).esign_prepare('performed')
        signature = self._sign(transcription, 'verified', self.verifier)
        self.assertEqual((transcription.state, signature.meaning), ('verified', 'verified'))
        self.assertEqual(signature.statement, "I compared these entries with the scan of worksheet copy 1; they agree.")
        self.assertEqual(signature.content['scan']['sha256'], transcription.scan_id.sha256)
        self.assertEqual(signature.content['entries'][0]['transcription']['paper_time'], "3 March, 6:15 h")
        self.assertTrue(entry.is_current and not entry.is_proposed)
        self.assertEqual(self.step._get_weights(), entry)
        self._sign_step(self.step)
        for name, words in (
                ('performed', "I performed this step as written; it was recorded on worksheet copy 1, with the times"),
                ('verified', "it was recorded on worksheet copy 1 and transcribed"), ('added', "worksheet copy 1"),
                ('addition_verified', "worksheet copy 1")):
            signature = self.step[f'{name}_signature_id']
            self.assertIn(words, signature.statement)
            self.assertNotIn("at the time recorded", signature.statement)
            self.assertEqual(signature.content['transcriptions'][0]['copy'], 1)
        self.assertEqual(self.step.state, 'done')

    def test_second_person(self):
        """VER-010, VER-050: nobody compares what the same person typed, whatever the login."""
        transcription = self._weigh()
        self.operator.group_ids += self.env.ref('mrp_mmr.group_mmr_verifier')
        enrol(self.operator)
        result = self._esign(transcription, 'verified', self.operator)
        self.assertIn("typed these entries", result['refused'])
        twin = enrol(self.env['res.users'].create({
            'name': "Second login", 'login': 't_twin', 'password': PASSWORD, 'partner_id': self.operator.partner_id.id,
            'group_ids': self.operator.group_ids.ids}))
        self.assertIn('refused', self._esign(transcription, 'verified', twin))
        self.assertEqual(transcription.state, 'open')
        for user in (self.user_planner, self.user_auditor):
            self.assertIn('refused', self._esign(transcription, 'verified', user), user.login)
        self._sign(transcription, 'verified', self.verifier)

    def test_reject(self):
        """AUD-020, CON-150: what does not agree with the scan is rejected with a reason, stays readable and is typed again.

        A step on paper has its own times, so that no minimum time is waited for; a rejected worksheet is no way around it.
        """
        later = fields.Datetime.now() + timedelta(hours=1)

        def waits():
            with patch.object(type(step), '_get_minimum_end', lambda self: later):
                return any("not before" in row for row in step._get_missing('performed'))

        step = self._find(kind='numeric')
        wrong = self._transcribe(step, self.copy, self._lines(step, value="51"))
        self.assertFalse(step.deviation_ids, "nothing counts before it is compared")
        self.assertIn('refused', self._esign(wrong, 'rejected', self.verifier), "a reason is required")
        self._sign(wrong, 'rejected', self.verifier, comment="15, not 51")
        self.assertEqual(set(wrong.entry_ids.mapped('is_rejected')), {True})
        self.assertTrue(waits())
        self.assertFalse(any(wrong.entry_ids.mapped('is_current')) or any(wrong.entry_ids.mapped('is_proposed')))
        right = self._transcribe(step, self.copy, self._lines(step, value="15"))
        self._sign(right, 'verified', self.verifier)
        self.assertFalse(waits())
        self._sign_step(step)
        self.assertEqual((step.state, step.outcome), ('done', 'pass'))
        self.assertFalse(step.deviation_ids)
        self.assertIn('refused', self._esign(wrong, 'verified', self.verifier, digest="0" * 64))

    def _find(self, kind):
        """Work up to the first step of a kind; return it."""
        step = self.bpr.step_ids.sorted('sequence').filtered(lambda step: step.kind == kind)[:1]
        self._execute(self.bpr.production_id, until=step)
        return step

    def _lines(self, step, **values):
        """Return a line for each thing that a step of the fixture asks for."""
        unit = self.env['maintenance.equipment'].search([('category_id.name', '=', "Test blender")], limit=1)
        return [{'equipment_id': unit}] * bool(step.planned['equipment']) + [values]

    def test_out_of_limits(self):
        """IPC-010, IPC-020: a value out of limits opens its deviation when it counts."""
        step = self._find(kind='numeric')
        transcription = self._transcribe(step, self.copy, self._lines(step, value="17"))
        self.assertFalse(step.deviation_ids)
        self._sign(transcription, 'verified', self.verifier)
        self.assertEqual(step.deviation_ids.entry_id, transcription.entry_ids.filtered(lambda entry: entry.kind == 'value'))
        self.assertEqual(step.outcome, 'fail')

    def test_without_values(self):
        """BPR-110: a step without values is transcribed with a comment, and its signature says so too."""
        step = self._find(kind='instruction')
        transcription = self._transcribe(step, self.copy, self._lines(step, kind='comment', text="Blended as written"))
        self.assertIn('comment', transcription.entry_ids.mapped('kind'))
        self.assertFalse(any(transcription.entry_ids.mapped('is_current')))
        self._sign(transcription, 'verified', self.verifier)
        self._sign_step(step)
        self.assertIn("worksheet copy 1", step.performed_signature_id.statement)

    def test_late(self):
        """BPR-110, AUD-020: after the step was closed the author signs the transcription before it is compared."""
        self._do_step(self.step)
        transcription = self._transcribe(self.step, self.copy, [{'kind': 'comment', 'text': "Scale was cleaned at 6:10"}])
        entry = transcription.entry_ids
        self.assertTrue(entry.is_late and transcription.to_sign)
        self.assertIn('refused', self._esign(transcription, 'verified', self.verifier, digest="0" * 64))
        other = self._person('production')
        other.group_ids += self.env.ref('mrp_mmr.group_mmr_operator')
        enrol(other)
        self.assertIn("Only Test t_operator", self._esign(transcription, 'transcribed', other)['refused'])
        signature = self._sign(transcription, 'transcribed', self.operator)
        self.assertIn("I transcribed these entries from worksheet copy 1", signature.statement)
        self.assertFalse(entry.is_current)
        self._sign(transcription, 'verified', self.verifier)
        self.assertTrue(entry.is_current)

    def test_batch_waits(self):
        """USE-050: a batch with a transcription that nobody compared does not become complete."""
        order = self.bpr.production_id
        self._execute(order)
        transcription = self._transcribe(self.step, self.copy, [{'kind': 'comment', 'text': "Forgotten"}])
        with self.assertRaisesRegex(UserError, "1.1 is waiting for a signature"):
            order.with_user(self.user_planner).button_mark_done()
        self._sign(transcription, 'transcribed', self.operator)
        self._sign(transcription, 'verified', self.verifier)
        order.with_user(self.user_planner).button_mark_done()
        self.assertEqual(self.bpr.state, 'done')

    # === REFUSALS === #

    def test_refused(self):
        """BPR-110, REC-050: no transcription without printed copy, scan, time, initials, value or role."""
        row = {'kind': 'weight', 'vals': {'value': "90", 'lot_name': "L-ASC"}, 'paper_time': "6:15", 'paper_by': "OP"}
        step = self.step.with_user(self.operator)
        unprinted = self._issue(self.bpr)[0]
        others = self._log_printed(self._issue(self.bpr, steps=self.bpr.step_ids - self.step)[0])
        elsewhere = self._log_printed(self._issue(self._release())[0])
        copy = self.copy
        for words, arguments in (
                ("was not printed on", (unprinted, "scan.png", PNG, [row])),
                ("was not printed on", (others, "scan.png", PNG, [row])),
                ("was not printed on", (elsewhere, "scan.png", PNG, [row])),
                ("was not printed on", (copy.browse(), "scan.png", PNG, [row])),
                ("is empty", (copy, "scan.png", False, [row])),
                ("not a file of an allowed type", (copy, "scan.docx", PNG, [row])),
                ("No value was entered", (copy, "scan.png", PNG, [])),
                ("needs the time and initials", (copy, "scan.png", PNG, [dict(row, paper_time=" ")])),
                ("needs the time and initials", (copy, "scan.png", PNG, [dict(row, paper_by=None)])),
                ("not a number", (copy, "scan.png", PNG, [dict(row, vals={'value': "9O", 'lot_name': "L-ASC"})])),
                ("has no lot", (copy, "scan.png", PNG, [dict(row, vals={'value': "90", 'lot_name': "L-XYZ"})]))):
            self.env.invalidate_all()
            with self.subTest(words=words), self.assertRaisesRegex(UserError, words), self.env.cr.savepoint():
                step._transcribe(*arguments)
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            self.step.with_user(self.user_auditor)._transcribe(copy, "scan.png", PNG, [row])
        self.env.invalidate_all()
        self.assertFalse(self.step.entry_ids or self.step.transcription_ids)
        with self.assertRaises(AssertionError, msg="the form wants the scan"), \
                Form(self.env['mrp.bpr.transcribe'].with_user(self.operator).with_context(active_id=self.step.id)) as form:
            form.copy_id = copy

    def test_client_cannot_pretend(self):
        """SEC-020, BPR-110: no client stores an entry as transcribed, nor signs one by itself."""
        step = self.step.with_user(self.operator)
        step.action_start(acknowledged=True)
        with self.assertRefused('SEC-020'):
            step.action_record('comment', {'text': "x"}, extra={'paper_time': "6:15"})
        entry = self._weigh().entry_ids
        for action in ('corrected', 'verified'):
            with self.assertRaisesRegex(UserError, "signed together with its transcription"):
                entry.with_user(self.verifier).esign_prepare(action)

    def test_attacks(self):
        """AUD-020, VER-050, SIG-030: PostgreSQL holds author, scan, second person, and that signatures say it."""
        transcription = self._weigh()
        entry = transcription.entry_ids
        other = self.env['mrp.mmr.file']._store("other.png", PNG)
        issued = self.bpr.issue_signature_id or self.bpr.mmr_revision_id.approved_signature_id

        def attempt(query, *params):
            with self.subTest(query=query), self.assertRefused('AUD-020', 'AUD-030', 'BPR-110', 'VER-050'):
                self.env.cr.execute(query, params)

        insert = """INSERT INTO mrp_bpr_entry (step_id, bpr_id, company_id, kind, text, user_id, user_name, at, reason,
                                               transcription_id, paper_time, paper_by, is_late, to_sign)
                    SELECT step_id, bpr_id, company_id, 'comment', 'x', %s, 'x', at, 'x', %s, %s, 'OP', false, false
                      FROM mrp_bpr_entry WHERE id = %s"""
        attempt(insert, self.operator.id, None, "6:15", entry.id)
        attempt(insert, self.operator.id, transcription.id, None, entry.id)
        attempt(insert, self.verifier.id, transcription.id, "6:15", entry.id)
        attempt("UPDATE mrp_bpr_transcription SET scan_id = %s WHERE id = %s", other.id, transcription.id)
        attempt("UPDATE mrp_bpr_transcription SET state = 'verified' WHERE id = %s", transcription.id)
        attempt("UPDATE mrp_bpr_transcription SET state = 'verified', decision_signature_id = %s WHERE id = %s",
                issued.id, transcription.id)
        attempt("DELETE FROM mrp_bpr_transcription WHERE id = %s", transcription.id)
        attempt("UPDATE mrp_bpr_step SET performed_signature_id = %s WHERE id = %s", issued.id, self.step.id)
        missing = type(self.step)._get_missing
        self.patch(type(self.step), '_get_missing', lambda step, point: [])
        self.assertIn("waiting for its verification", self._esign(self.step, 'performed', self.operator)['refused'])
        self.patch(type(self.step), '_get_missing', missing)
        self._sign(transcription, 'verified', self.verifier)
        attempt(insert, self.operator.id, transcription.id, "6:15", entry.id)
        attempt("UPDATE mrp_bpr_transcription SET state = 'rejected' WHERE id = %s", transcription.id)
        attempt("UPDATE mrp_bpr_transcription SET state = 'open', decision_signature_id = NULL WHERE id = %s", transcription.id)
        # A signature made without the words of the transcription does not close the step.
        document = type(self.step)._get_document
        self.patch(type(self.step), '_get_document', lambda step, point: {
            name: value for name, value in document(step, point).items() if name != 'transcriptions'})
        self.assertIn("must state that the step was transcribed", self._esign(self.step, 'performed', self.operator)['refused'])
        for method in (lambda: transcription.sudo().write({'state': 'open'}), transcription.sudo().unlink,
                       transcription.sudo().copy, lambda: transcription.sudo().create({'step_id': self.step.id})):
            with self.assertRefused('AUD-030'):
                method()

    # === PRINT === #

    def test_print(self):
        """RPT-020: the record lists copies and transcriptions, marks each such entry and strikes rejected ones."""
        rejected = self._weigh("9")
        self._sign(rejected, 'rejected', self.verifier, comment="It says 90")
        self._sign(self._weigh(), 'verified', self.verifier)
        self._sign_step(self.step)
        report = self.env['ir.actions.report'].with_user(self.user_auditor)
        html = report._render_qweb_html('mrp_mmr.report_bpr', self.bpr.ids)[0].decode()
        text = ' '.join(re.sub(r'<[^>]+>', ' ', html).split())
        self.assertRegex(html, r'o_void_text[^>]*><strong>9 kg')
        for expected in (
                "TRANSCRIBED", "REJECTED", "Reason: Transcribed from worksheet copy 1", "Time on paper: 03.03. 6:15",
                "By, on paper: OP", "Verified by, on paper: VE", "Worksheets on Paper", "The server is down", "scan.png",
                rejected.scan_id.sha256, "Comment: It says 90",
                "I compared these entries with the scan of worksheet copy 1; they agree."):
            self.assertIn(expected, text)
