"""What a batch consumes comes from where it was reserved, in the amounts recorded (STK-010)."""

from odoo.fields import Command

from ..common.stock import StockCommon


class TestConsumption(StockCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # 9 kg of component A, 1 kg of component B.
        cls.revision = cls._make_effective(cls._create_mmr(10))

    def test_two_shelves(self):
        """S-01, STK-010: 9 kg reserved as 6 and 3 on two shelves leave 2 in all, and nothing below zero."""
        self._put(self.lot, self.shelves[0], 6)
        self._put(self.lot, self.shelves[1], 5)
        order = self._release_order()
        move = order.move_raw_ids.filtered(lambda move: move.product_id == self.component_a)
        self.assertEqual(
            {line.location_id.name: line.quantity for line in move.move_line_ids}, {"Shelf 1": 6, "Shelf 2": 3})
        self._weigh(order, self.component_a, (self.lot, '9'))
        self._complete(order)
        self.assertEqual(self._lies(self.lot), {"Shelf 2": 2})
        self.assertEqual(self._reserved(self.lot), 0)
        self.assertEqual(
            {line.location_id.name: line.quantity for line in move.move_line_ids}, {"Shelf 1": 6, "Shelf 2": 3})

    def test_client_owns_it(self):
        """S-02, STK-010: 9 of 10 kg of a client's own lot leave the client 1, and no debt of the company."""
        self._put(self.lot, self.shelves[0], 10, owner=self.client)
        order = self._release_order()
        self._weigh(order, self.component_a, (self.lot, '9'))
        self._complete(order)
        self.assertEqual(self._lies(self.lot), {"Shelf 1, Client Ltd.": 1})

    def test_own_goods_first(self):
        """S-02, STK-010: of a lot that a client owns in part, what is free and one's own is taken first, then the client's."""
        self._put(self.other_lot, self.shelves[0], 9)
        order = self._release_order()
        self._put(self.lot, self.shelves[0], 4, owner=self.client)
        self._put(self.lot, self.shelves[1], 6)
        self._weigh(order, self.component_a, (self.lot, '9'))
        self._complete(order)
        self.assertEqual(self._lies(self.lot), {"Shelf 1, Client Ltd.": 1})

    def test_drums(self):
        """S-01, STK-010: what was reserved in two drums is taken out of these drums, the rest from another shelf."""
        self._put(self.lot, self.shelves[0], 4, package=self.drums[0])
        self._put(self.lot, self.shelves[0], 4, package=self.drums[1])
        order = self._release_order()
        self._put(self.lot, self.shelves[1], 3)
        self._weigh(order, self.component_a, (self.lot, '9'))
        self._complete(order)
        self.assertEqual(self._lies(self.lot), {"Shelf 2": 2})

    def test_less_and_another_lot(self):
        """S-01, STK-010: of two lots, what was reserved and not used stays in stock, unreserved."""
        self._put(self.lot, self.shelves[0], 9)
        order = self._release_order()
        self.assertEqual(self._reserved(self.lot), 9)
        self._put(self.other_lot, self.shelves[1], 5)
        self._weigh(order, self.component_a, (self.lot, '5.5'), (self.other_lot, '3.5'))
        self._complete(order)
        self.assertEqual((self._lies(self.lot), self._lies(self.other_lot)), ({"Shelf 1": 3.5}, {"Shelf 2": 1.5}))
        self.assertEqual((self._reserved(self.lot), self._reserved(self.other_lot)), (0, 0))

    def test_moved_before_weighing(self):
        """STK-010: a lot that was moved between reservation and weighing is taken from where it is."""
        self._put(self.lot, self.shelves[0], 10)
        order = self._release_order()
        self.env['stock.quant'].search([('lot_id', '=', self.lot.id), ('location_id', '=', self.shelves[0].id)]).move_quants(
            location_dest_id=self.shelves[1])
        self._weigh(order, self.component_a, (self.lot, '9'))
        self._complete(order)
        self.assertEqual(self._lies(self.lot), {"Shelf 2": 1})

    def test_moved_after_weighing(self):
        """STK-010: a lot that was moved, and its drum opened, between weighing and completion is found again."""
        self._put(self.lot, self.shelves[0], 10, package=self.drums[0])
        order = self._release_order()
        self._weigh(order, self.component_a, (self.lot, '9'))
        self.env['stock.quant'].search([('lot_id', '=', self.lot.id), ('location_id', '=', self.shelves[0].id)]).move_quants(
            location_dest_id=self.shelves[1], unpack=True)
        self._complete(order)
        self.assertEqual(self._lies(self.lot), {"Shelf 2": 1})

    def test_owner_changed(self):
        """S-02, STK-010: goods that the company bought from the client meanwhile are taken from the company."""
        self._put(self.lot, self.shelves[0], 10, owner=self.client)
        order = self._release_order()
        self._put(self.lot, self.shelves[0], 0, owner=self.client)
        self._put(self.lot, self.shelves[0], 10)
        self._weigh(order, self.component_a, (self.lot, '9'))
        self._complete(order)
        self.assertEqual(self._lies(self.lot), {"Shelf 1": 1})

    def test_correction(self):
        """STK-010: a correction after the addition takes more, from where the rest lies, and a later one gives it back."""
        self._put(self.lot, self.shelves[0], 6)
        self._put(self.lot, self.shelves[1], 5)
        order = self._release_order()
        step = self._weigh(order, self.component_a, (self.lot, '9'))
        self._correct(step, '10.5')
        self._complete(order)
        self.assertEqual(self._lies(self.lot), {"Shelf 2": 0.5})
        # The batch is completed, and its record is corrected once more before it is reviewed.
        self._correct(step, '8')
        self.assertEqual(self._lies(self.lot), {"Shelf 2": 3})
        self._correct(step, '8.5')
        self.assertEqual(self._lies(self.lot), {"Shelf 2": 2.5})
        self.assertEqual(order.bpr_id._get_stock_differences()[order.bpr_id], [])

    def _correct(self, step, value):
        entry = step.entry_ids.filtered(lambda entry: entry.kind == 'weight')._get_current()
        answer = step.with_user(self._person('operator')).action_record(
            'weight', {'value': value, 'lot_id': entry.lot_id.id}, reason="Misread", corrects=entry.id)
        entry = self.env['mrp.bpr.entry'].browse(answer['entry_id'])
        self._sign(entry, 'corrected', self._person('operator'))
        self._sign(entry, 'verified', self._person('verifier'))
        for deviation in step.deviation_ids.filtered(lambda deviation: deviation.state == 'open'):
            self._sign(deviation, 'decide', self.user_qc, comment="No effect.")
        self.assertTrue(entry.is_current)

    def test_scrapped(self):
        """S-01, STK-010 beside the formula: what was scrapped of a lot leaves stock as well, once."""
        self._put(self.lot, self.shelves[0], 9)
        order = self._release_order()
        self._put(self.lot, self.shelves[1], 2)
        self._weigh(order, self.component_a, (self.lot, '9', {'issued': '10', 'returned': '0.5', 'scrapped': '0.5'}))
        self._complete(order)
        self.assertEqual(self._lies(self.lot), {"Shelf 2": 1.5})

    def test_yield_corrected(self):
        """STK-040: a yield that is corrected after the completion changes what is on stock."""
        self._put(self.lot, self.shelves[0], 10)
        order = self._release_order()
        self._weigh(order, self.component_a, (self.lot, '9'))
        self._complete(order)
        made = order.lot_producing_ids
        self.assertEqual(sum(self._lies(made).values()), 10)
        step = order.bpr_id.step_ids.filtered(lambda step: step.kind == 'yield' and step.planned['scope'] == 'batch')
        entry = step.entry_ids.filtered(lambda entry: entry.kind == 'yield')
        answer = step.with_user(self._person('operator')).action_record(
            'yield', {'value': '9.8'}, reason="Misread", corrects=entry.id)
        entry = self.env['mrp.bpr.entry'].browse(answer['entry_id'])
        self._sign(entry, 'corrected', self._person('operator'))
        self._sign(entry, 'verified', self._person('verifier'))
        self.assertEqual(sum(self._lies(made).values()), 9.8)
        self.assertEqual(order.bpr_id._get_stock_differences()[order.bpr_id], [])

    def test_two_steps_of_manufacturing(self):
        """STK-010: with pick components and then manufacture, the batch takes them from pre-production, nowhere else."""
        warehouse = self.env['stock.warehouse'].search([('company_id', '=', self.company.id)], limit=1)
        warehouse.manufacture_steps = 'pbm_sam'
        self._put(self.lot, self.shelves[0], 6)
        self._put(self.lot, self.shelves[1], 5)
        order = self._create_order(10)
        order.action_confirm()
        self.assertEqual(order.location_src_id, warehouse.pbm_loc_id)
        step = self._start_weighing(order, self.component_a)
        self._refused("is not at", step.action_record, 'weight', {'value': '9', 'lot_id': self.lot.id})
        picking = order.picking_ids.filtered(lambda picking: picking.location_dest_id == warehouse.pbm_loc_id)
        picking.action_assign()
        picking.move_ids.picked = True
        picking.button_validate()
        self.assertEqual(picking.state, 'done')
        self._refused("STK-020", step.action_record, 'weight', {'value': '10', 'lot_id': self.lot.id})
        step.action_record('weight', {'value': '9', 'lot_id': self.lot.id})
        self._sign_step(step)
        self._complete(order)
        self.assertEqual(self._lies(self.lot), {"Shelf 2": 2})
        self.assertEqual(sum(self._lies(order.lot_producing_ids).values()), 10)


class TestPackagingConsumption(StockCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bottle = cls.env['product.product'].create({
            'name': "Bottle", 'type': 'consu', 'is_storable': True, 'tracking': 'lot', 'uom_id': cls.unit.id})
        revision = cls._create_mmr(10)
        revision.pack_ids.with_user(cls.user_preparer).write({
            'packed_under': False,
            'coding_position': "Bottom", 'clearance': "Count.", 'checks': "Torque.", 'line_ids': [Command.create({
                'product_id': cls.bottle.id, 'quantity': 1, 'uom_id': cls.unit.id})]})
        cls.env['mrp.mmr.specification'].with_user(cls.user_preparer).create({
            'revision_id': revision.id, 'scope': 'packaging', 'product_id': cls.bottle.id, 'name': "Identity",
            'is_identity': True, 'method': "Look", 'criterion_text': "Conforms.", 'corrective_action': "Reject.",
            'document_id': cls.env['mrp.sop'].search([('code', '=', 'SPEC-1')]).id})
        env = cls.env(user=cls.user_preparer)
        packaging = env['mrp.routing.workcenter'].create({
            'name': "Packaging", 'bom_id': revision.bom_id.id, 'workcenter_id': cls.workcenter.id, 'sequence': 9,
            'mmr_stage': 'packaging'})
        env['mrp.mmr.equipment'].create({
            'revision_id': revision.id, 'operation_id': packaging.id, 'preparation': "Clean.",
            'equipment_id': cls.env['maintenance.equipment'].create({'name': "Filling line"}).id})
        env['mrp.mmr.step'].create({
            'revision_id': revision.id, 'operation_id': packaging.id, 'name': "Line clearance", 'kind': 'clearance'})
        cls._make_effective(revision)
        cls.bottles = cls._make_lot(cls.bottle, "BOT-1")

    def test_packaging_material(self):
        """S-01, S-03, STK-010, STK-020: used and destroyed materials leave their shelves; more than there are is refused."""
        self._put(self.lot, self.shelves[0], 10)
        self._put(self.bottles, self.shelves[0], 60)
        self._put(self.bottles, self.shelves[1], 50, owner=self.client)
        order = self._release_order()
        self._weigh(order, self.component_a, (self.lot, '9'))
        step = order.bpr_id.step_ids.filtered(lambda step: step.kind == 'material')
        self.assertEqual(len(step), 1)
        self._execute(order, until=step)
        step = step.with_user(self._person('operator'))
        step.action_start(acknowledged=True)
        vals = {'position': 1, 'lot_id': self.bottles.id, 'issued': '120', 'used': '100', 'destroyed': '11', 'returned': '9'}
        self.assertIn("110", self._refused("STK-020", step.action_record, 'material', vals))
        step.action_record('material', {**vals, 'destroyed': '2', 'returned': '18'})
        self._sign_step(step)
        self._complete(order)
        self.assertEqual(self._lies(self.bottles), {"Shelf 2, Client Ltd.": 8})
