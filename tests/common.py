"""Products, people and helpers shared by the tests; nothing here needs demo data."""

from odoo.tests import Form, TransactionCase, new_test_user, tagged

from odoo.addons.mrp_mmr.tools import session_of

PASSWORD = 'A-long-password-1'


@tagged('post_install', '-at_install')
class MmrCommon(TransactionCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        cls.kg = cls.env.ref('uom.product_uom_kgm')
        cls.gram = cls.env.ref('uom.product_uom_gram')
        cls.litre = cls.env.ref('uom.product_uom_litre')
        cls.unit = cls.env.ref('uom.product_uom_unit')

        def user(login, groups, **kwargs):
            return new_test_user(
                cls.env, login=login, password=PASSWORD, groups=groups, name=f"Test {login}", tz='Europe/Madrid',
                **kwargs)

        cls.user_preparer = user('t_preparer', 'mrp_mmr.group_mmr_preparer')
        cls.user_qc = user('t_qc', 'mrp_mmr.group_mmr_qc')
        cls.user_both = user('t_both', 'mrp_mmr.group_mmr_preparer,mrp_mmr.group_mmr_qc')
        cls.user_planner = user('t_planner', 'mrp.group_mrp_user')
        cls.user_manager = user('t_manager', 'mrp.group_mrp_manager')
        cls.user_operator = user('t_operator', 'mrp_mmr.group_mmr_operator')
        cls.user_auditor = user('t_auditor', 'mrp_mmr.group_mmr_auditor')

        cls.workcenter = cls.env['mrp.workcenter'].create({'name': "Blending room"})
        product = {'type': 'consu', 'is_storable': True, 'uom_id': cls.kg.id}
        cls.product, cls.component_a, cls.component_b, cls.component_other = cls.env['product.product'].create([
            dict(product, name="Vitamin C 500 mg tablets", default_code="VC500"),
            dict(product, name="Ascorbic acid", default_code="ASC"),
            dict(product, name="Microcrystalline cellulose", default_code="MCC"),
            dict(product, name="Magnesium stearate", default_code="MGST"),
        ])

    @classmethod
    def _create_mmr(cls, batch_size=100.0, **vals):
        """Return the draft revision of a new MMR, written by the preparer: two components, two operations."""
        env = cls.env(user=cls.user_preparer)
        mmr = env['mrp.mmr'].create({
            'product_id': cls.product.id, 'formulation_code': "A", 'batch_size': batch_size, 'uom_id': cls.kg.id, **vals})
        revision = mmr.open_revision_id
        revision.precautions = "Protect from moisture."
        operations = env['mrp.routing.workcenter'].create([
            {'name': name, 'bom_id': revision.bom_id.id, 'workcenter_id': cls.workcenter.id, 'sequence': sequence,
             'mmr_instruction': instruction}
            for sequence, (name, instruction) in enumerate(
                [("Weighing", "Weigh each component.\nVerify each weighing."), ("Blending", "Blend for 15 minutes.")], 1)
        ])
        env['mrp.bom.line'].create([
            {'bom_id': revision.bom_id.id, 'product_id': component.id, 'gmp_qty': batch_size * share,
             'product_uom_id': mmr.uom_id.id, 'operation_id': operation.id, 'sequence': sequence}
            for sequence, (component, share, operation) in enumerate(
                [(cls.component_a, 0.9, operations[0]), (cls.component_b, 0.1, operations[1])], 1)
        ])
        return revision

    def _esign(self, revision, action, user, password=PASSWORD, comment=None, login=None, digest=None):
        """Sign as the dialog does and return its answer."""
        revision = revision.with_user(user)
        with session_of(user):
            if digest is None:
                digest = revision.esign_prepare(action)['digest']
            return revision.esign(
                action, {'login': login or user.login, 'password': password}, digest, comment)

    def _sign(self, revision, action, user, comment=None):
        """Sign and expect success."""
        result = self._esign(revision, action, user, comment=comment)
        self.assertNotIn('refused', result, result.get('refused'))
        return self.env['mrp.esignature'].browse(result['signature_id'])

    def _make_effective(self, revision):
        self._sign(revision, 'submit', self.user_preparer)
        self._sign(revision, 'approve', self.user_qc)
        self.assertEqual(revision.state, 'effective')
        return revision

    def _new_revision(self, revision, user=None, reason="Yield improved"):
        action = revision.with_user(user or self.user_preparer).action_new_revision()
        new = self.env['mrp.mmr.revision'].browse(action['res_id'])
        new.with_user(user or self.user_preparer).reason = reason
        return new

    def _create_order(self, quantity=100.0, unit=None, user=None, product=None, **vals):
        form = Form(self.env['mrp.production'].with_user(user or self.user_planner))
        form.product_id = product or self.product
        form.product_qty = quantity
        order = form.save()
        if unit:
            order.write({'product_uom_id': unit.id, 'product_qty': quantity})
        if vals:
            order.write(vals)
        return order
