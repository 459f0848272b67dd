"""Batches whose components lie on shelves, in drums and with owners: for the tests of what is taken out of stock."""

from odoo.exceptions import UserError
from odoo.tools import mute_logger

from .base import MmrCommon


class StockCommon(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.component_a | cls.component_b).tracking = 'lot'
        cls.stock_place = cls.env.ref('stock.stock_location_stock')
        cls.shelves = cls.env['stock.location'].create([
            {'name': name, 'location_id': cls.stock_place.id, 'usage': 'internal'} for name in ("Shelf 1", "Shelf 2")])
        cls.client = cls.env['res.partner'].create({'name': "Client Ltd."})
        cls.drums = cls.env['stock.package'].create([{'name': name} for name in ("Drum 1", "Drum 2")])
        cls.lot = cls._make_lot(cls.component_a, "ASC-1")
        cls.other_lot = cls._make_lot(cls.component_a, "ASC-2")
        cls.lot_b = cls._make_lot(cls.component_b, "MCC-1")
        cls._put(cls.lot_b, cls.stock_place, 1000)

    @classmethod
    def _make_lot(cls, product, name):
        """Return a released lot."""
        lot = cls.env['stock.lot'].create({'name': name, 'product_id': product.id})
        cls._sign(lot, 'release', cls.user_qc)
        return lot

    @classmethod
    def _put(cls, lot, place, quantity, package=None, owner=None):
        """Set how much of a lot lies at a place, by an inventory adjustment."""
        quants = cls.env['stock.quant'].with_context(inventory_mode=True)
        quants.create({
            'product_id': lot.product_id.id, 'lot_id': lot.id, 'location_id': place.id, 'inventory_quantity': quantity,
            'package_id': package and package.id, 'owner_id': owner and owner.id}).action_apply_inventory()

    def _lies(self, lot):
        """Return how much of a lot lies where, inside the warehouse: name of place, package and owner to quantity."""
        self.env.flush_all()
        self.env.invalidate_all()
        found = {}
        for quant in self.env['stock.quant'].search([('lot_id', '=', lot.id), ('location_id.usage', '=', 'internal')]):
            key = ', '.join(filter(None, (quant.location_id.name, quant.package_id.name, quant.owner_id.name)))
            found[key] = round(found.get(key, 0) + quant.quantity, 6)
        return {key: quantity for key, quantity in found.items() if quantity}

    def _reserved(self, lot):
        return round(sum(self.env['stock.quant'].search([('lot_id', '=', lot.id)]).mapped('reserved_quantity')), 6)

    def _release_order(self, size=10):
        """Return a confirmed order with its components reserved."""
        order = self._create_order(size)
        order.action_confirm()
        order.action_assign()
        if order.bpr_id.state == 'issue':
            self._sign(order.bpr_id, 'issue', self._person('production'))
        return order

    def _weighing(self, order, component):
        return order.bpr_id.step_ids.filtered(
            lambda step: step.kind == 'weigh' and step.planned['target']['product']['id'] == component.id)

    def _start_weighing(self, order, component):
        """Do what comes before the weighing of a component and start it; return it as the operator works with it."""
        step = self._weighing(order, component)
        self._execute(order, until=step)
        step = step.with_user(self._person('operator'))
        self.assertEqual(step.action_start(acknowledged=True), {'started': True})
        return step

    def _weigh(self, order, component, *weights):
        """Weigh a component from lots, as pairs of lot and text, and sign it."""
        step = self._start_weighing(order, component)
        for lot, value, *flows in weights:
            step.action_record('weight', {'value': value, 'lot_id': lot.id, **(flows[0] if flows else {})})
        self._sign(step, 'performed', self._person('operator'))
        for deviation in step.deviation_ids.filtered(lambda deviation: deviation.state == 'open'):
            self._sign(deviation, 'decide', self.user_qc, comment="No effect.")
        self._sign_step(step)
        return step

    def _complete(self, order, **values):
        self._execute(order, **values)
        self._mark_done(order)

    def _mark_done(self, order):
        order.with_user(self.user_planner).button_mark_done()
        self.assertEqual(order.state, 'done')
        self.env.flush_all()
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.env.cr.execute("SET CONSTRAINTS ALL DEFERRED")
        self.assertEqual(order.bpr_id._get_stock_differences()[order.bpr_id], [])

    def _refused(self, words, call, *args, **kwargs):
        """Expect a refusal that says ``words``, undo what was tried and return what it said."""
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(UserError, words) as caught, self.cr.savepoint():
            call(*args, **kwargs)
        self.env.invalidate_all()
        return str(caught.exception)
