"""Content and digests agree, tokens name one entry, columns of signed steps stay (H-33, H-34, H-35)."""

from odoo.tests import tagged

from .test_persons import PersonsCommon


@tagged('post_install', '-at_install')
class TestTokens(PersonsCommon):

    def _started(self):
        order = self._create_order()
        order.action_confirm()
        if order.bpr_id.state == 'issue':
            self._sign(order.bpr_id, 'issue', self._person('production'))
        step = order.bpr_id.step_ids.sorted('sequence')[0]
        step.with_user(self.operator).action_start(acknowledged=True)
        return step

    def test_same_token(self):
        """H-33, AUD-020: the same entry with the same token is stored once; another one is refused, not dropped."""
        step = self._started().with_user(self.operator)
        first = step.action_record('comment', {'text': "It hums."}, token='t-1')
        self.assertEqual(step.action_record('comment', {'text': "It hums."}, token='t-1')['entry_id'], first['entry_id'])
        for kind, vals, extra in (
                ('comment', {'text': "It is quiet."}, {}), ('handover', {'text': "It hums."}, {}),
                ('comment', {'text': "It hums."}, {'reason': "Forgotten"}), ('comment', {}, {}),
                ('comment', {'text': "It hums.", 'more': "x"}, {})):
            with self.subTest(kind=kind, vals=vals), self.assertRefused('AUD-020'):
                step.action_record(kind, vals, token='t-1', **extra)
        # Another person with the token of a colleague.
        with self.assertRefused('AUD-020'):
            step.with_user(self.anna).action_record('comment', {'text': "It hums."}, token='t-1')
        self.assertEqual(len(step.entry_ids.filtered('token')), 1)
        self._sql_refused("SIG-030|AUD-030", "UPDATE mrp_bpr_entry SET sent_sha256 = 'x' WHERE id = %s", first['entry_id'])

    def test_closing_time(self):
        """H-35, USE-030: the time at which a step was closed, and whoever started it, stay; so do columns of its plan."""
        step = self.bpr.step_ids.filtered(lambda other: other.state == 'done')[0]
        for change in ("closed_at = '2020-01-01'", "closed_at = NULL", "started_at = '2020-01-01'", "started_by_id = 1",
                       "name = 'x'", "is_critical = NOT is_critical", "number = number + 7", "state = 'open'"):
            with self.subTest(change):
                self._sql_refused("USE-030", f"UPDATE mrp_bpr_step SET {change} WHERE id = %s", step.id)


@tagged('post_install', '-at_install')
class TestIntegrity(PersonsCommon):

    def _tamper(self, table, assignment, record_id):
        with self._unguarded(table) as cr:
            cr.execute(f"UPDATE {table} SET {assignment} WHERE id = %s", [record_id])

    def test_every_column(self):
        """H-34, AUD-080: review and release are refused while a column of the record is not what was planned or signed."""
        self._enter_results(self.bpr)
        self.assertNotIn('integrity', self._issues('review'))
        step = self.bpr.step_ids.filtered('performed_signature_id').sorted('sequence')[0]
        entry = self.bpr.step_ids.entry_ids.filtered(lambda entry: entry.value and entry.step_id.performed_signature_id)[:1]
        for table, assignment, record in (
                ('mrp_bpr_step', "name = 'Another step'", step),
                ('mrp_bpr_step', "kind = 'photo'", step),
                ('mrp_bpr_step', "is_critical = NOT COALESCE(is_critical, false)", step),
                ('mrp_bpr_step', "verifier_role = 'qc'", step),
                ('mrp_bpr_step', "points = '[]'", step),
                ('mrp_bpr_step', "stage = stage + 1", step),
                ('mrp_bpr_step', "number = number + 100", step),
                ('mrp_bpr_step', "sequence = sequence + 100", step),
                ('mrp_bpr_step', "planned = jsonb_set(planned, '{name}', '\"Another step\"')", step),
                ('mrp_bpr_step', "planned = jsonb_set(planned, '{band}', '{\"minimum\": \"1\"}')", step),
                ('mrp_bpr_step', "closed_at = NULL", step),
                ('mrp_bpr_entry', "value = '777'", entry),
                ('mrp_bpr_entry', "user_name = 'Somebody else'", entry),
                ('mrp_bpr_entry', "at = '2020-01-01'", entry),
                ('mrp_bpr', "plan_sha256 = 'x'", self.bpr),
                ('mrp_bpr', "step_count = step_count + 1", self.bpr),
                ('mrp_production', "mmr_snapshot = jsonb_set(mmr_snapshot, '{document,number}', '\"MMR/X\"')", self.order),
                ('mrp_production', "mmr_snapshot_sha256 = 'x'", self.order)):
            with self.subTest(table=table, assignment=assignment), self.cr.savepoint() as savepoint:
                self._tamper(table, assignment, record.id)
                self.assertIn('integrity', self._issues('review'))
                self.assertIn('integrity', self._issues('release'))
                self.assertIn("AUD-080", self._esign(self.bpr, 'review', self.user_qc, digest='0')['refused'])
                savepoint.rollback()
            self.env.invalidate_all()
        self._sign(self.bpr, 'review', self.user_qc)
        self._tamper('mrp_bpr_step', "name = 'Another step'", step.id)
        self.assertIn("AUD-080", self._esign(self.bpr, 'release', self.user_qc, digest='0')['refused'])

    def test_shown(self):
        """H-34, AUD-080: the print names a step as it was signed, whatever a column says."""
        step = self.bpr.step_ids[0]
        name = step.planned['name']
        self._tamper('mrp_bpr_step', "name = 'Forged text'", step.id)
        self.assertEqual(step.display_name, f"{step.code} {name}")
        report = self.env['ir.actions.report'].with_user(self.user_qc)
        page = str(report._render_qweb_html('mrp_mmr.report_bpr', self.bpr.ids)[0])
        self.assertIn(name, page)
        self.assertNotIn("Forged text", page)

    def test_completion(self):
        """H-34, AUD-080: a batch is not completed while a step is not what was planned."""
        order = self._create_order()
        order.action_confirm()
        self._execute(order)
        self._tamper('mrp_bpr_step', "name = 'Another step'", order.bpr_id.step_ids[0].id)
        with self.assertRefused('AUD-080'):
            order.with_user(self.user_planner).button_mark_done()
