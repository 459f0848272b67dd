"""Rules, rights, jobs and views that SQL changed are found; what people change in Odoo has its line (AUD-080, AUD-090)."""

from odoo import Command
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.mrp_mmr.verification.records import Verification
from odoo.addons.mrp_mmr.verification.setting_inventory import read_said_settings, read_settings

from ..common.base import MmrCommon


@tagged('post_install', '-at_install')
class TestSettingsCompared(MmrCommon):

    def _found(self, company=None):
        self.env.flush_all()
        return {(finding.model, finding.res_id) for finding in Verification(self.cr, company).check_part('settings')}

    def _found_after(self, query):
        with self.cr.savepoint() as savepoint:
            self.cr.execute(query)
            found = self._found()
            savepoint.rollback()
        self.env.invalidate_all()
        return found

    def _of_addon(self, model):
        """Return records that the addon brought."""
        data = self.env['ir.model.data'].sudo().search([('module', '=', 'mrp_mmr'), ('model', '=', model)], order='res_id')
        return self.env[model].sudo().with_context(active_test=False).browse(data.mapped('res_id')).exists()

    def test_untouched(self):
        """AUD-080: what an update left verifies; whoever verifies one company of several does not see it."""
        self.assertEqual(self._found(), set())
        said, bad = read_said_settings(self.cr)
        self.assertEqual(bad, [])
        self.assertGreater(len(said), 400)
        count = self.env['mrp.audit.entry'].sudo().search_count([])
        self.env['mrp.audit.entry'].sudo()._note_settings()
        self.assertEqual(self.env['mrp.audit.entry'].sudo().search_count([]), count)
        rule = self._of_addon('ir.rule')[0]
        with self.cr.savepoint() as savepoint:
            self.cr.execute(SQL("UPDATE ir_rule SET active = FALSE WHERE id = %s", rule.id))
            self.assertEqual(self._found(self.company.id), set())
            self.assertEqual(self._found(0), {('ir.rule', rule.id)})
            savepoint.rollback()

    def test_rules_and_rights(self):
        """C-16, AUD-080: record rules and access rights switched off, opened, given to another group, added, deleted by SQL."""
        rule, access = self._of_addon('ir.rule')[0], self._of_addon('ir.model.access')[0]
        other = self.env.ref('base.group_portal')
        for query in ("UPDATE ir_rule SET active = FALSE WHERE id = %s",
                      "UPDATE ir_rule SET domain_force = '[(1, ''='', 1)]' WHERE id = %s",
                      f"INSERT INTO rule_group_rel (rule_group_id, group_id) VALUES (%s, {other.id})",
                      "DELETE FROM ir_rule WHERE id = %s"):
            with self.subTest(query):
                self.assertEqual(self._found_after(SQL(query, rule.id)), {('ir.rule', rule.id)})
        for query in ("UPDATE ir_model_access SET perm_unlink = NOT perm_unlink WHERE id = %s",
                      f"UPDATE ir_model_access SET group_id = {other.id} WHERE id = %s",
                      "DELETE FROM ir_model_access WHERE id = %s"):
            with self.subTest(query):
                self.assertEqual(self._found_after(SQL(query, access.id)), {('ir.model.access', access.id)})
        added = self._found_after(SQL(
            """INSERT INTO ir_rule (name, model_id, domain_force, active, perm_read)
               SELECT 'Mine', id, '[(1, ''='', 1)]', TRUE, TRUE FROM ir_model WHERE model = 'mrp.bpr'"""))
        self.assertEqual([model for model, _id in added], ['ir.rule'])

    def test_print_templates(self):
        """C-17, AUD-080: a print template whose text SQL changed, and a view that it switched off."""
        view = self._of_addon('ir.ui.view').filtered(lambda view: view.type == 'qweb')[0]
        query = """UPDATE ir_ui_view SET arch_db = jsonb_set(
                          arch_db, '{en_US}', to_jsonb(replace(arch_db ->> 'en_US', '<t', '<t t-x="1"'))) WHERE id = %s"""
        self.assertEqual(self._found_after(SQL(query, view.id)), {('ir.ui.view', view.id)})
        child = self._of_addon('ir.ui.view').filtered('inherit_id')[0]
        self.assertEqual(self._found_after(SQL("UPDATE ir_ui_view SET active = FALSE WHERE id = %s", child.id)),
                         {('ir.ui.view', child.id)})

    def test_jobs(self):
        """C-18, C-19, AUD-080: jobs switched off, rarer, or with other code by SQL; their next time is no part of it."""
        cron = self.env.ref('mrp_mmr.ir_cron_verify_evidence')
        for query in ("UPDATE ir_cron SET active = FALSE WHERE id = %s",
                      "UPDATE ir_cron SET interval_number = interval_number + 100 WHERE id = %s",
                      "UPDATE ir_act_server a SET code = 'pass' FROM ir_cron c WHERE c.ir_actions_server_id = a.id "
                      "AND c.id = %s"):
            with self.subTest(query):
                self.assertEqual(self._found_after(SQL(query, cron.id)), {('ir.cron', cron.id)})
        self.assertEqual(self._found_after(SQL(
            "UPDATE ir_cron SET nextcall = '2030-01-01', failure_count = 1 WHERE id = %s", cron.id)), set())

    def test_changes_in_odoo(self):
        """C-16 to C-19, AUD-090: what people change in Odoo is in the ledger, and verifies; SQL after it does not."""
        rule, access = self._of_addon('ir.rule')[0], self._of_addon('ir.model.access')[0]
        cron, child = self.env.ref('mrp_mmr.ir_cron_verify_evidence'), self._of_addon('ir.ui.view').filtered('inherit_id')[0]
        before = rule.active
        rule.active = not before
        access.perm_unlink = not access.perm_unlink
        cron.interval_number += 1
        child.priority += 1
        view = self.env['ir.ui.view'].create({
            'name': "Nicer", 'model': 'mrp.bpr', 'inherit_id': self.env['ir.ui.view'].search(
                [('model', '=', 'mrp.bpr'), ('type', '=', 'form')], limit=1).id,
            'arch': '<data><xpath expr="//sheet" position="inside"><b/></xpath></data>'})
        view.arch = '<data><xpath expr="//sheet" position="inside"><i/></xpath></data>'
        # Of a rule that is switched off, Odoo does not take a group away.
        other = self._of_addon('ir.rule')[1]
        group = self.env['res.groups'].create({'name': "Readers", 'rule_groups': [Command.link(other.id)]})
        self.assertEqual(self._found(), set())
        self.assertEqual(self._found_after(SQL("UPDATE ir_rule SET active = %s WHERE id = %s", before, rule.id)),
                         {('ir.rule', rule.id)})
        group.rule_groups = [Command.unlink(other.id)]
        self.assertEqual(self._found(), set())
        group.unlink()
        (view | child).unlink()
        access.unlink()
        self.assertEqual(self._found(), set())
        self.assertNotIn(f'ir.ui.view,{view.id}', read_settings(self.cr))

    def test_an_update_notes_them(self):
        """C-16, AUD-080: an update leaves one line with what it found; a line whose digest is another one is found itself."""
        rule = self._of_addon('ir.rule')[0]
        with self.cr.savepoint() as savepoint:
            self.cr.execute(SQL("UPDATE ir_rule SET active = FALSE WHERE id = %s", rule.id))
            self.env['mrp.audit.entry'].sudo()._note_settings()
            line = self.env['mrp.audit.entry'].sudo().search(
                [('kind', '=', 'setting'), ('res_model', '=', 'res.company')], order='id desc', limit=1)
            self.assertNotEqual(line.values['settings_sha256']['old'], line.values['settings_sha256']['new'])
            self.assertIn("jobs and views", line.details)
            self.assertEqual(self._found(), set())
            self.cr.execute("ALTER TABLE mrp_audit_entry DISABLE TRIGGER USER")
            self.cr.execute(SQL(
                """UPDATE mrp_audit_entry SET "values" = jsonb_set("values"::jsonb, '{settings_sha256,new}', '"x"')::json
                    WHERE id = %s""", line.id))
            self.assertIn(('mrp.audit.entry', line.id), self._found())
            savepoint.rollback()
