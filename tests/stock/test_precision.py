"""Stock holds what is weighed to the last digit, or the master is not signed (STK-030)."""

from decimal import Decimal

from odoo.exceptions import UserError
from odoo.fields import Command

from odoo.addons.mrp_mmr.domain.numbers import convert, decimal_string, exact

from ..common.base import complete_content
from ..common.stock import StockCommon


class TestPrecision(StockCommon):

    def _make_fine(self, quantity=2.5, unit=None):
        """Return a draft with a component that is stocked in kg and weighed in g."""
        revision = self._create_mmr(10)
        line = revision.bom_line_ids.sorted('sequence')[0].with_user(self.user_preparer)
        line.write({'product_uom_id': (unit or self.gram).id, 'gmp_qty': quantity})
        return revision

    def _submit_refused(self, revision):
        return self._refused("is not complete", revision.with_user(self.user_preparer).action_submit)

    def test_submission(self):
        """S-04, STK-030: 2.5 g of what is stocked in kg at two digits: refused with component, quantity and remedy."""
        revision = self._make_fine()
        rows = [problem for row in revision.completeness for problem in row['problems'] if "Ascorbic" in problem]
        self.assertEqual(len(rows), 1)
        for words in ("2.5 g", "0.0025 kg", "2 decimals", "smaller unit", "increase the decimals"):
            self.assertIn(words, rows[0])
        self.assertIn(rows[0], self._submit_refused(revision))
        self.assertEqual(revision.state, 'draft')
        self._set_decimals(4)
        revision.invalidate_recordset(['completeness'])
        self._sign(revision, 'submit', self.user_preparer)

    def test_batch_size(self):
        """S-04, STK-030: a batch of 2.5 g of a product that is stocked in kg cannot be put on stock."""
        revision = self._create_mmr(2.5, uom_id=self.gram.id)
        self.assertIn("0.0025 kg", self._submit_refused(revision))

    def test_weighed(self):
        """S-04, STK-030: 2.5 g leave 0.0975 of 0.1 kg; 2.51 g are refused until stock can hold them."""
        self._set_decimals(4)
        self._make_effective(self._make_fine())
        self._put(self.lot, self.shelves[0], 0.1)
        order = self._release_order()
        step = self._start_weighing(order, self.component_a)
        message = self._refused("STK-030", step.action_record, 'weight', {'value': '2.51', 'lot_id': self.lot.id})
        for words in ("2.51 g", "0.0025 kg", "4 decimals", "have the decimals of quantities increased"):
            self.assertIn(words, message)
        self._refused("STK-030", step.action_record, 'weight', {
            'value': '2.5', 'lot_id': self.lot.id, 'issued': '2.52', 'scrapped': '0.02'})
        step.action_record('weight', {'value': '2.5', 'lot_id': self.lot.id})
        self._sign_step(step)
        self._complete(order)
        self.assertEqual(self._lies(self.lot), {"Shelf 1": 0.0975})
        move = order.move_raw_ids.filtered(lambda move: move.product_id == self.component_a)
        self.assertRecordValues(move.move_line_ids, [{
            'quantity': 2.5, 'product_uom_id': self.gram.id, 'quantity_product_uom': 0.0025}])
        self._set_decimals(5)
        order = self._release_order()
        self._weigh(order, self.component_a, (self.lot, '2.51'))
        self._complete(order)
        self.assertEqual(self._lies(self.lot), {"Shelf 1": 0.09499})

    def test_yield(self):
        """S-04, STK-030: a yield that stock would round is refused as well."""
        self._make_effective(self._create_mmr(10))
        self._put(self.lot, self.shelves[0], 9)
        order = self._release_order()
        self._weigh(order, self.component_a, (self.lot, '9'))
        step = order.bpr_id.step_ids.filtered(lambda step: step.kind == 'yield' and step.planned['scope'] == 'batch')
        self._execute(order, until=step)
        step = step.with_user(self._person('operator'))
        step.action_start(acknowledged=True)
        self._refused("STK-030", step.action_record, 'yield', {'value': '9.875'})
        step.action_record('yield', {'value': '9.87'})

    def test_settings(self):
        """S-04, STK-030: the set-up raises the precision with a warning and a line in the ledger, and never lowers it."""
        settings = self.env['res.config.settings'].create({})
        self.assertEqual(settings.mmr_quantity_digits, 2)
        warned = settings.new({'mmr_quantity_digits': 4})._onchange_mmr_quantity_digits()
        self.assertIn("4 decimals instead of 2", warned['warning']['message'])
        settings.mmr_quantity_digits = 4
        settings.execute()
        self.assertEqual(self.env['decimal.precision'].precision_get('Product Unit'), 4)
        self.assertEqual(self.kg.round(0.00014), 0.0001)
        line = self.env['mrp.audit.entry'].sudo().search([('res_model', '=', 'decimal.precision')], order='id desc', limit=1)
        self.assertEqual((line.kind, line.values['digits']), ('setting', {'old': 2, 'new': 4}))
        for digits in (3, 0, -1, 7):
            with self.subTest(digits=digits):
                self._refused("STK-030", self.env['res.config.settings'].create, {'mmr_quantity_digits': digits})

    def test_not_lowered_under_records(self):
        """S-04, STK-030: under batch records the precision is not lowered elsewhere either."""
        self._make_effective(self._create_mmr(10))
        self._put(self.lot, self.shelves[0], 9)
        self._release_order()
        self._set_decimals(5)
        with self.assertRaisesRegex(UserError, "STK-030"), self.cr.savepoint():
            self._set_decimals(4)


class TestManyComponents(StockCommon):
    """S-04: a batch of 45 components from 4 g to 26 kg leaves stock that agrees with the record to the last digit."""

    WEIGHTS = [4 * 7 ** (number % 5) + number + Decimal(number % 4) / 10 for number in range(44)] + [Decimal(26000)]

    def _make_master(self):
        """Return a draft of 45 components, weighed in g and stocked in kg."""
        products = self.env['product.product'].create([{
            'name': f"Component {number:02}", 'type': 'consu', 'is_storable': True, 'tracking': 'lot', 'uom_id': self.kg.id,
        } for number in range(len(self.WEIGHTS))])
        env = self.env(user=self.user_preparer)
        revision = env['mrp.mmr'].create({
            'product_id': self.product.id, 'formulation_code': "ALL", 'batch_size': 130, 'uom_id': self.kg.id}).open_revision_id
        operation = env['mrp.routing.workcenter'].create({
            'name': "Weighing", 'bom_id': revision.bom_id.id, 'workcenter_id': self.workcenter.id, 'mmr_stage': 'dispensing'})
        revision.bom_id.write({'bom_line_ids': [Command.create({
            'product_id': product.id, 'gmp_qty': float(weight), 'product_uom_id': self.gram.id, 'operation_id': operation.id,
            'sequence': number}) for number, (product, weight) in enumerate(zip(products, self.WEIGHTS, strict=True))]})
        complete_content(revision)
        return revision, products

    def test_batch(self):
        """S-04, STK-030: not signed at two decimals, which 44 of them need; at six it is, and nothing is rounded."""
        revision, products = self._make_master()
        wrong = [product for product, weight in zip(products, self.WEIGHTS, strict=True) if weight % 10]
        refused = self._refused("is not complete", revision.with_user(self.user_preparer).action_submit)
        self.assertGreater(len(wrong), 18)
        for product in products:
            self.assertEqual(product.name in refused, product in wrong, product.name)
        self._set_decimals(6)
        self._make_effective(revision)
        lots = [self._make_lot(product, f"L-{product.name}") for product in products]
        for number, (lot, weight) in enumerate(zip(lots, self.WEIGHTS, strict=True)):
            self._put(lot, self.shelves[number % 2], float(weight / 1000 + Decimal('0.5')))
        order = self._release_order(130)
        self._complete(order)
        for lot, weight in zip(lots, self.WEIGHTS, strict=True):
            left = list(self._lies(lot).values())
            self.assertEqual([decimal_string(quantity) for quantity in left], ['0.5'], lot.name)
            line = order.move_raw_ids.move_line_ids.filtered(lambda line, lot=lot: line.lot_id == lot)
            self.assertEqual(convert(line.quantity, line.product_uom_id, self.gram), exact(weight), lot.name)
