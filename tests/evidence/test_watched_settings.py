"""What evidence depends on is in the ledger when it changes, or is refused (AUD-090, H-32)."""

from odoo.tests import tagged

from ..common.base import MmrCommon


@tagged('post_install', '-at_install')
class TestWatchedSettings(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls.env.ref('base.user_admin')
        cls.own = cls.env(user=cls.admin)

    def _line(self, model, call):
        """Return the newest line of the ledger about a model that a call added."""
        domain = [('res_model', '=', model), ('kind', '=', 'setting')]
        before = self.env['mrp.audit.entry'].search(domain, order='id desc', limit=1)
        call()
        self.env.flush_all()
        line = self.env['mrp.audit.entry'].search(domain, order='id desc', limit=1)
        self.assertNotEqual(line, before)
        self.assertEqual(line.user_id, self.admin, line.summary)
        return line

    def _model(self, name):
        return self.own['ir.model']._get_id(name)

    def test_rules_and_rights(self):
        """H-32, AUD-090: record rules and access rights of models with evidence: made, changed, deleted."""
        rule = self.own.ref('mrp_mmr.mrp_bpr_rule_company', raise_if_not_found=False) or self.own['ir.rule'].search(
            [('model_id.model', '=', 'mrp.bpr')], limit=1)
        line = self._line('ir.rule', lambda: rule.write({'domain_force': "[(1, '=', 1)]"}))
        self.assertEqual(line.values['domain_force']['new'], "[(1, '=', 1)]")
        self._line('ir.rule', lambda: rule.write({'active': False}))
        self._line('ir.rule', lambda: self.own['ir.rule'].create({'name': "All", 'model_id': self._model('stock.lot')}))
        self._line('ir.rule', rule.unlink)
        access = self.own['ir.model.access'].search([('model_id.model', '=', 'mrp.bpr.entry')], limit=1)
        line = self._line('ir.model.access', lambda: access.write({'perm_write': True, 'perm_unlink': True}))
        self.assertEqual(line.values['perm_write'], {'old': False, 'new': True})
        self._line('ir.model.access', lambda: self.own['ir.model.access'].create({
            'name': "Everything", 'model_id': self._model('mrp.esignature'), 'perm_write': True}))
        self._line('ir.model.access', access.unlink)

    def test_jobs_and_mail(self):
        """H-32, AUD-090: the nightly jobs, mail servers and addresses."""
        cron = self.own['ir.cron'].with_context(active_test=False).search([]).filtered(
            lambda cron: cron.get_external_id()[cron.id].startswith('mrp_mmr.'))[0]
        self._line('ir.cron', lambda: cron.write({'active': False}))
        self._line('ir.cron', lambda: cron.write({'interval_number': 99, 'interval_type': 'months'}))
        with self.assertRefused('AUD-090'):
            cron.code = "pass"
        server = self.own['ir.mail_server']
        self._line('ir.mail_server', lambda: setattr(self, 'server', server.create({
            'name': "Mine", 'smtp_host': 'mail.example.com'})))
        line = self._line('ir.mail_server', lambda: self.server.write({'smtp_host': 'evil.example.com'}))
        self.assertEqual(line.values['smtp_host'], {'old': 'mail.example.com', 'new': 'evil.example.com'})
        self._line('ir.mail_server', self.server.unlink)
        self._line('ir.config_parameter', lambda: self.own['ir.config_parameter'].set_param('web.base.url', 'https://evil'))

    def test_screens(self):
        """H-32, AUD-090: views of the addon, those that inherit from them, and assets."""
        view = self.own['ir.ui.view'].search([('model', '=', 'mrp.bpr'), ('type', '=', 'form')], limit=1)
        line = self._line('ir.ui.view', lambda: setattr(self, 'own_view', self.own['ir.ui.view'].create({
            'name': "Nicer", 'model': 'mrp.bpr', 'inherit_id': view.id,
            'arch': '<data><xpath expr="//sheet" position="inside"><b/></xpath></data>'})))
        self.assertEqual(line.values['model']['new'], 'mrp.bpr')
        self._line('ir.ui.view', lambda: self.own_view.write({
            'arch': '<data><xpath expr="//sheet" position="inside"><i/></xpath></data>'}))
        self._line('ir.ui.view', lambda: self.own_view.write({'active': False}))
        self._line('ir.asset', lambda: setattr(self, 'asset', self.own['ir.asset'].create({
            'name': "Key logger", 'bundle': 'web.assets_backend', 'path': '/web/static/src/x.js'})))
        self._line('ir.asset', lambda: self.asset.unlink())

    def test_code(self):
        """H-32, AUD-090: code on models with evidence is refused; other code is in the ledger; that of the addon stays."""
        actions = self.own['ir.actions.server']
        for name in ('mrp.bpr', 'mrp.mmr.revision', 'stock.lot', 'mrp.production', 'stock.quant', 'mrp.signer'):
            with self.subTest(model=name), self.assertRefused('AUD-090'):
                actions.create({'name': "x", 'model_id': self._model(name), 'state': 'code', 'code': "env.cr"})
        line = self._line('ir.actions.server', lambda: setattr(self, 'action', actions.create({
            'name': "x", 'model_id': self._model('res.partner'), 'state': 'code', 'code': "log('x')"})))
        self.assertEqual(line.values['code']['new'], "log('x')")
        with self.assertRefused('AUD-090'):
            self.action.model_id = self._model('mrp.bpr')
        self._line('ir.actions.server', lambda: self.action.write({'code': "log('y')"}))
        with self.assertRefused('AUD-090'):
            self.own['ir.cron'].create({
                'name': "x", 'model_id': self._model('mrp.bpr'), 'state': 'code', 'code': "model.search([])",
                'interval_number': 1, 'interval_type': 'days'})
        self._line('ir.actions.server', lambda: self.action.unlink())

    def test_modules(self):
        """H-32, AUD-090: states of modules are not written by hand; Odoo's buttons change them."""
        modules = self.own['ir.module.module']
        module = modules.search([('name', '=', 'mrp_mmr')])
        other = modules.search([('state', '=', 'uninstalled')], limit=1)
        for record in (module, module.sudo(), other):
            for state in ('uninstalled', 'to remove', 'to upgrade', 'installed', 'to install'):
                if record.state != state:
                    with self.subTest(module=record.name, state=state), self.assertRefused('AUD-090'):
                        record.write({'state': state})
        with self.assertRefused('AUD-090'):
            modules.create({'name': 'mrp_mmr_x', 'state': 'installed'})
        with self.assertRefused('AUD-090'):
            module.write({'name': 'mrp_mmr_away'})
        self._line('ir.module.module', module.button_upgrade)
        self.assertEqual(module.state, 'to upgrade')

    def test_others(self):
        """AUD-090: rules and views of other models make no line."""
        count = self.env['mrp.audit.entry'].search_count([('res_model', 'in', ('ir.rule', 'ir.cron'))])
        self.own['ir.rule'].create({'name': "x", 'model_id': self._model('res.partner.bank')})
        self.own['ir.cron'].create({
            'name': "x", 'model_id': self._model('res.partner'), 'state': 'object_write', 'interval_number': 1,
            'interval_type': 'days', 'update_path': 'comment'})
        self.assertEqual(self.env['mrp.audit.entry'].search_count([('res_model', 'in', ('ir.rule', 'ir.cron'))]), count)
