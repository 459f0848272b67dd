"""CAPA: actions, owners, the check of their effect, and the deviations that need one."""

from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .test_deviation import DeviationCommon


@tagged('post_install', '-at_install')
class TestCapa(DeviationCommon):

    def _capa(self, **vals):
        """Return a CAPA that can be started."""
        today = fields.Date.today()
        return self.env['mrp.capa'].with_user(self.user_qc).create({
            'title': "Timers of blenders", 'cause_id': self.cause.id, 'cause': "No check of the timers.",
            'effectiveness_criterion': "No deviation of this cause in three months.",
            'effectiveness_due': today + timedelta(days=90),
            'action_ids': [Command.create({
                'name': name, 'kind': kind, 'owner_id': owner.id, 'due_date': today + timedelta(days=30)})
                for name, kind, owner in (("Replace the timer", 'corrective', self.user_operator),
                                          ("Check timers daily", 'preventive', self.production))], **vals})

    def _refused_saying(self, words, function):
        with self.assertRefused('DEV-090') as refused:
            function()
        self.assertIn(words, refused.text)

    def _finish(self, capa):
        for action in capa.action_ids:
            action.with_user(action.owner_id).result = "Done and verified."

    def _check(self, capa, result='effective'):
        capa.with_user(self.user_qc).action_start()
        self._finish(capa)
        capa.with_user(self.user_qc).action_check()
        capa.with_user(self.user_qc).write({'effectiveness_result': result, 'effectiveness_text': "Reviewed 12 batches."})

    def test_life(self):
        """DEV-090: draft, running, check, closed: each step waits for what it needs; the closing is signed."""
        capa = self._capa()
        self.assertRegex(capa.name, r'^CAPA/\d{4}/\d{5}$')
        for name in ('cause', 'cause_id', 'effectiveness_criterion', 'effectiveness_due'):
            with self.subTest(missing=name):
                kept = capa[name]
                capa[name] = False
                self._refused_saying("cannot be started", capa.action_start)
                capa[name] = kept
        self._refused_saying("cannot be started", self._capa(action_ids=False).action_start)
        self._refused("DEV-090", capa.action_check)
        self._refused("DEV-090", capa.action_ids[0].with_user(self.user_operator).write, {'result': "Too early"})
        capa.action_start()
        self._refused_saying("Replace the timer", capa.action_check)
        self._finish(capa)
        self.assertEqual(capa.action_ids.mapped('done_by_id'), self.user_operator | self.production)
        self._refused("DEV-090", capa.write, {'effectiveness_result': 'effective'})
        capa.action_check()
        self.assertIn("no result", self._esign(capa, 'close', self.user_qc, digest='0' * 64)['refused'])
        capa.write({'effectiveness_result': 'effective', 'effectiveness_text': "Reviewed 12 batches."})
        self.assertEqual(capa.checked_by_id, self.user_qc)
        for user in (self.user_operator, self.production, self.user_planner):
            self.assertIn("APR-050", self._esign(capa, 'close', user)['refused'])
        signature = self._sign(capa, 'close', self.user_qc)
        self.assertEqual((capa.state, capa.closing_signature_id), ('closed', signature))
        self.assertEqual(signature.content['effectiveness']['result'], 'effective')
        self.assertEqual(len(signature.content['actions']), 2)

    def test_not_effective(self):
        """DEV-090: actions that were not effective are followed by others; the first result stays in the ledger."""
        capa = self._capa()
        self._check(capa, 'not_effective')
        self.assertIn("not effective", self._esign(capa, 'close', self.user_qc, digest='0' * 64)['refused'])
        capa.action_resume()
        self.assertEqual((capa.state, capa.effectiveness_result), ('running', False))
        lines = self.env['mrp.audit.entry'].search([('res_model', '=', 'mrp.capa'), ('res_id', '=', capa.id)])
        self.assertIn('not_effective', [line.values.get('effectiveness_result', {}).get('new') for line in lines])
        self.env['mrp.capa.action'].with_user(self.user_qc).create({
            'capa_id': capa.id, 'name': "Alarm", 'owner_id': self.production.id, 'due_date': fields.Date.today()})
        self._refused_saying("Alarm", capa.action_check)

    def test_who(self):
        """DEV-090, SEC-010: Quality Control leads a CAPA; owners enter the results of their own actions, and nothing else."""
        capa = self._capa()
        for user in (self.user_operator, self.production, self.user_planner, self.user_auditor, self.user_manager):
            with self.subTest(user=user.login):
                self._refused(
                    "AccessError|DEV-090", self.env['mrp.capa'].with_user(user).create, {'title': "x"}, error=AccessError)
                self._refused("AccessError|DEV-090", capa.with_user(user).write, {'title': "x"}, error=AccessError)
                self._refused("AccessError|DEV-090", capa.with_user(user).unlink, error=AccessError)
                self._refused("AccessError|DEV-090", capa.with_user(user).action_start, error=AccessError)
                self.assertEqual(capa.with_user(user).title, "Timers of blenders")
        self._refused("AccessError|DEV-090", capa.sudo().with_user(1).write, {'title': "x"}, error=AccessError)
        capa.action_start()
        first, second = capa.action_ids
        self._refused("DEV-090", second.with_user(first.owner_id).write, {'result': "x"}, error=AccessError)
        self._refused("DEV-090", first.with_user(first.owner_id).write, {'due_date': '2099-01-01'}, error=AccessError)
        self._refused("DEV-090", first.write, {'done_at': fields.Datetime.now()})
        self._refused("DEV-090", first.with_user(first.owner_id).write, {'result': " "})

    def test_kept(self):
        """DEV-090, REC-040: a draft may go; once started nothing is deleted; closed nothing changes, not even by SQL."""
        self._capa().action_ids[0].unlink()
        capa = self._capa()
        deviation = self._report()
        deviation.with_user(self.user_qc).capa_id = capa
        capa.action_start()
        for record in (capa, capa.action_ids[0]):
            self._refused("DEV-090", record.unlink)
            self._refused("DEV-090", record.with_user(self.user_qc).sudo().unlink)
            self._sql_refused(
                f'DELETE FROM {record._table} WHERE id = %s', record.id, rule='mrp_mmr_capa_kept|mrp_mmr_capa_action_kept')
        other = self._capa()
        for value in (False, other.id):
            self._refused("DEV-090", deviation.with_user(self.user_qc).write, {'capa_id': value})
        self._refused("DEV-090", capa.write, {'deviation_ids': [Command.unlink(deviation.id)]})
        self._sql_refused("UPDATE mrp_deviation SET capa_id = NULL WHERE id = %s", deviation.id, rule="mrp_mmr_deviation_capa")
        for values in ({'state': 'closed'}, {'name': "CAPA/0"}, {'closing_signature_id': False}, {'checked_by_id': 1}):
            self._refused("DEV-090", capa.write, values)
        self._sql_refused("UPDATE mrp_capa SET state = 'closed' WHERE id = %s", capa.id, rule="mrp_mmr_capa_state")
        self._sql_refused("UPDATE mrp_capa SET state = 'check' WHERE id = %s", capa.id, rule="mrp_mmr_capa_state")
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self._sql_refused("TRUNCATE mrp_capa CASCADE", rule="REC-040")
        self._finish(capa)
        capa.action_check()
        capa.write({'effectiveness_result': 'effective', 'effectiveness_text': "Reviewed."})
        self._sql_refused("UPDATE mrp_capa SET state = 'closed', closing_signature_id = %s WHERE id = %s",
                          self.revision.approved_signature_id.id, capa.id, rule="mrp_mmr_capa_state")
        self._sign(capa, 'close', self.user_qc)
        self._refused("DEV-090", capa.write, {'title': "x"})
        self._refused("DEV-090", capa.action_ids[0].with_user(self.user_qc).write, {'result': "x"})
        self._refused("DEV-090", self._report().with_user(self.user_qc).write, {'capa_id': capa.id})
        self._sql_refused("UPDATE mrp_capa SET title = 'x' WHERE id = %s", capa.id, rule="mrp_mmr_capa_fixed")
        self._sql_refused("UPDATE mrp_capa_action SET result = 'x' WHERE id = %s", capa.action_ids[0].id,
                          rule="mrp_mmr_capa_action_fixed")
        self._refused("DEV-090", capa.copy, error=UserError)

    def test_several_deviations(self):
        """DEV-090: several deviations share one CAPA, and the link shows on both sides and in the signatures."""
        first, second = self._report(), self._report(title="Lamp broken again")
        action = first.with_user(self.user_qc).action_create_capa()
        capa = self.env['mrp.capa'].browse(action['res_id'])
        second.with_user(self.user_qc).capa_id = capa
        self.assertEqual(capa.deviation_ids, first | second)
        self.assertEqual(first.with_user(self.user_operator).action_open_capa()['res_id'], capa.id)
        capa.with_user(self.user_qc).write({
            'cause_id': self.cause.id, 'cause': "Old lamps.", 'effectiveness_criterion': "None broken.",
            'effectiveness_due': '2031-01-01', 'action_ids': [Command.create({
                'name': "New lamps", 'owner_id': self.production.id, 'due_date': '2030-01-01'})]})
        self._decide(first)
        self._investigate(first)
        self.assertIn("has not been started", self._esign(first, 'close', self.user_qc, digest='0' * 64)['refused'])
        capa.with_user(self.user_qc).action_start()
        signature = self._close(first)
        self.assertEqual(signature.content['closure']['capa'], {'id': capa.id, 'name': capa.name})
        self.assertEqual(capa._get_document()['deviations'], (first | second).sorted('id').mapped('name'))

    def test_recurrence(self):
        """DEV-090: the third of one cause on one product within twelve months needs a CAPA or a signed reason; others not."""
        other = self.env.ref('mrp_mmr.deviation_cause_person')
        deviations = [self._report(title=f"Number {number}") for number in range(4)]
        for deviation in deviations:
            self._decide(deviation)
            self._investigate(deviation)
        deviations[1].with_user(self.user_qc).cause_id = other
        for deviation in deviations[:3]:
            self._close(deviation)
        last = deviations[3]
        refused = self._esign(last, 'close', self.user_qc, digest='0' * 64)['refused']
        self.assertIn("A CAPA, or the reason why there is none", refused)
        self.company.mmr_recurrence_count = 4
        self.assertNotIn("CAPA", last.missing or '')
        self.company.mmr_recurrence_count = 3
        last.with_user(self.user_qc).no_capa_reason = "The timer model is replaced anyway (CHG-12)."
        signature = self._close(last)
        self.assertEqual(signature.content['closure']['investigation']['no_capa_reason'],
                         "The timer model is replaced anyway (CHG-12).")

    def test_months(self):
        """DEV-090: what is older than the months of the setting does not count."""
        deviations = [self._report(title=f"Number {number}") for number in range(3)]
        for deviation in deviations:
            self._investigate(deviation)
        self.assertTrue(deviations[2]._get_capa_demand())
        self.env.flush_all()
        self.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.cr.execute("ALTER TABLE mrp_deviation DISABLE TRIGGER USER")
        self.cr.execute("UPDATE mrp_deviation SET reported_at = reported_at - interval '13 months' WHERE id = %s",
                        [deviations[0].id])
        self.cr.execute("ALTER TABLE mrp_deviation ENABLE TRIGGER USER")
        self.env.invalidate_all()
        self.assertFalse(deviations[2]._get_capa_demand())

    def test_critical(self):
        """DEV-090: a critical deviation needs a CAPA or a signed reason, however seldom its cause is."""
        deviation = self._report(severity='critical')
        self._decide(deviation)
        self._investigate(deviation)
        self.assertIn("the deviation is critical", self._esign(
            deviation, 'close', self.user_qc, digest='0' * 64)['refused'])
        capa = self._capa()
        capa.action_start()
        deviation.with_user(self.user_qc).capa_id = capa
        self._close(deviation)

    def test_overdue(self):
        """DEV-090: an overdue action asks its owner, once; an overdue check asks the responsible person."""
        capa = self._capa()
        capa.action_ids[0].due_date = '2020-01-01'
        self.env['mrp.capa']._cron_remind()
        self.assertFalse(capa.activity_ids, "not started")
        capa.action_start()
        self.assertTrue(capa.is_overdue)
        self.assertIn(capa, self.env['mrp.capa'].search([('is_overdue', '=', True)]))
        for _round in range(2):
            self.env['mrp.capa']._cron_remind()
            self.assertEqual(capa.activity_ids.user_id, self.user_operator)
            self.assertEqual(len(capa.activity_ids), 1)
        self._finish(capa)
        capa.action_check()
        self.assertFalse(capa.is_overdue)
        capa.effectiveness_due = '2020-01-01'
        self.assertTrue(capa.is_overdue)
        self.env['mrp.capa']._cron_remind()
        self.assertIn(self.user_qc, capa.activity_ids.user_id)
