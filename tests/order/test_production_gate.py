"""The gate of manufacturing orders, and each road around it (USE-010 to USE-040)."""

import hashlib
import json

from psycopg2.errors import CheckViolation

from odoo import SUPERUSER_ID
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import Form
from odoo.tools import mute_logger

from odoo.addons.mrp_mmr.domain.canonical import sha256

from ..common.base import MmrCommon


class GateCommon(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.small = cls._effective(cls._create_mmr(100))
        cls.large = cls._effective(cls._create_mmr(500))

    @classmethod
    def _effective(cls, revision):
        cls._make_effective(revision)
        return revision

    def _confirmed(self, quantity=100.0, **kwargs):
        order = self._create_order(quantity, **kwargs)
        order.action_confirm()
        self.assertEqual(order.state, 'confirmed')
        self.env.flush_all()
        return order

    @classmethod
    def _stock(cls, quantity=1000):
        for component in (cls.component_a, cls.component_b):
            super()._stock(component, quantity=quantity)


class TestProductionGate(GateCommon):

    # === EXACT SIZE === #

    def test_exact_size_confirms(self):
        """USE-010, USE-030: an order of exactly the size is confirmed and embeds the signed content."""
        order = self._confirmed()
        self.assertTrue(order.mmr_controlled)
        self.assertEqual(order.mmr_revision_id, self.small)
        snapshot = order.mmr_snapshot
        self.assertEqual(snapshot['document'], self.small.document)
        self.assertEqual(snapshot['document_sha256'], self.small.document_sha256)
        self.assertEqual(sha256(snapshot['document']), snapshot['document_sha256'])
        self.assertEqual(sha256(snapshot), order.mmr_snapshot_sha256)
        self.assertEqual([row['meaning'] for row in snapshot['signatures']], ['prepared', 'approved'])
        self.assertEqual([row['name'] for row in snapshot['signatures']], ["Test t_preparer", "Test t_qc"])
        self.assertEqual(order.workorder_ids.mapped('name'),
                         [row['name'] for row in snapshot['document']['operations']])

    def test_other_size_is_refused(self):
        """USE-010: 137 kg is refused, naming order, both sizes, citation and what to do; nothing is stored."""
        for quantity in (137, 99.99, 100.01, 50, 200, 600):
            order = self._create_order(quantity)
            with self.subTest(quantity=quantity), self.assertRaises(UserError) as caught:
                order.action_confirm()
            message = str(caught.exception)
            for expected in (order.name, "100 kg, 500 kg", "USE-010", "21 CFR 111.205(a)", "choose an available batch size"):
                self.assertIn(expected, message)
            self.assertEqual(order.state, 'draft')
            self.assertFalse(order.mmr_snapshot)

    def test_size_in_another_unit(self):
        """MMR-030: 100 000 g is 100 kg; 100 001 g is not."""
        order = self._create_order(100000, unit=self.gram)
        order.action_confirm()
        self.assertEqual((order.state, order.mmr_revision_id), ('confirmed', self.small))
        self.assertEqual(sum(order.move_raw_ids.mapped('product_qty')), 100)
        self.env.flush_all()
        other = self._create_order(100001, unit=self.gram)
        with self.assertRaisesRegex(UserError, "USE-010"):
            other.action_confirm()

    def test_changed_draft_takes_the_other_mmr(self):
        """USE-010: a draft whose quantity was changed to another available size takes that MMR's content."""
        order = self._create_order(100)
        self.assertEqual(order.bom_id, self.small.bom_id)
        order.product_qty = 500
        order.action_confirm()
        self.env.flush_all()
        self.assertEqual(order.mmr_revision_id, self.large)
        self.assertEqual(order.bom_id, self.large.bom_id)
        self.assertEqual(order.move_raw_ids.mapped('product_uom_qty'), [450, 50])

    def test_no_mmr_at_all(self):
        """USE-010, MMR-050: a controlled product with a bill of materials and no MMR is not made."""
        product = self.component_other
        self.env['mrp.bom'].create({
            'product_tmpl_id': product.product_tmpl_id.id,
            'bom_line_ids': [(0, 0, {'product_id': self.component_a.id, 'product_qty': 1})]})
        product.product_tmpl_id.mmr_controlled = True
        order = self._create_order(1, product=product)
        with self.assertRaisesRegex(UserError, "no effective MMR"):
            order.action_confirm()
        with self.assertRaisesRegex(UserError, "USE-010"):
            order.button_mark_done()

    def test_submitted_is_not_enough(self):
        """APR-030: an MMR signed by its preparer alone is not usable."""
        revision = self._create_mmr(250)
        self._sign(revision, 'submit', self.user_preparer)
        order = self._create_order(250)
        with self.assertRaisesRegex(UserError, "USE-010"):
            order.action_confirm()
        self._sign(revision, 'approve', self.user_qc)
        order.action_confirm()
        self.assertEqual(order.mmr_revision_id, revision)

    def test_retired_is_refused(self):
        """REV-080: after retirement new orders are refused; confirmed ones keep their snapshot and show the status."""
        order = self._confirmed()
        self._sign(self.small, 'retire', self.user_qc, comment="Formula withdrawn")
        self.assertEqual(order.mmr_revision_state, 'obsolete')
        self.assertEqual(order.mmr_snapshot['document_sha256'], self.small.document_sha256)
        new = self._create_order(100)
        with self.assertRaisesRegex(UserError, "Available batch sizes: 500 kg"):
            new.action_confirm()

    def test_draft_orders_follow(self):
        """REV-060: a draft order takes the new revision, a released one keeps its snapshot."""
        released, draft = self._confirmed(), self._create_order(100)
        second = self._new_revision(self.small)
        second.bom_line_ids[0].with_user(self.user_preparer).gmp_qty = 89
        second.bom_line_ids[1].with_user(self.user_preparer).gmp_qty = 11
        self._make_effective(second)
        self.assertEqual(draft.bom_id, second.bom_id)
        self.assertEqual(draft.product_qty, 100)
        self.assertEqual(draft.move_raw_ids.mapped('product_uom_qty'), [89, 11])
        draft.action_confirm()
        self.env.flush_all()
        self.assertEqual(draft.mmr_revision_id, second)
        self.assertEqual(released.mmr_revision_id, self.small)
        self.assertEqual(released.mmr_snapshot['document']['components'][0]['quantity'], '90')

    def test_formulations(self):
        """USE-010: with two formulations of one size the planner chooses, the system never guesses."""
        other = self._effective(self._create_mmr(100, formulation_code="B"))
        plain = self.env['mrp.bom'].create({
            'product_tmpl_id': self.product.product_tmpl_id.id, 'sequence': -1, 'product_qty': 100,
            'bom_line_ids': [(0, 0, {'product_id': self.component_a.id, 'product_qty': 1})]})
        order = self._create_order(100)
        order.bom_id = plain
        order.product_qty = 100
        with self.assertRaisesRegex(UserError, r"more than one formulation.*(?s:.)*100 kg \(A\), 100 kg \(B\), 500 kg \(A\)"):
            order.action_confirm()
        order.mmr_id = other.mmr_id
        order.action_confirm()
        self.assertEqual(order.mmr_revision_id, other)

    def test_other_variant(self):
        """USE-010: the MMR of one variant is not the MMR of another."""
        attribute = self.env['product.attribute'].create({
            'name': "Taste", 'value_ids': [(0, 0, {'name': "Lemon"}), (0, 0, {'name': "Orange"})]})
        template = self.env['product.template'].create({
            'name': "Powder", 'type': 'consu', 'is_storable': True, 'tracking': 'lot', 'uom_id': self.kg.id,
            'attribute_line_ids': [(0, 0, {'attribute_id': attribute.id, 'value_ids': [(6, 0, attribute.value_ids.ids)]})]})
        lemon, orange = template.product_variant_ids
        self._effective(self._create_mmr(100, product_id=lemon.id))
        order = self._create_order(100, product=orange)
        with self.assertRaisesRegex(UserError, "no effective MMR"):
            order.action_confirm()
        order = self._create_order(100, product=lemon)
        order.action_confirm()
        self.assertEqual(order.state, 'confirmed')

    def test_edited_draft_is_refused(self):
        """MMR-050: components and operations of the order are those of the MMR; Reset to MMR brings them back."""
        edits = {
            "Ascorbic acid: 80 kg on the order, 90 kg in the MMR":
                lambda order: order.move_raw_ids[0].write({'product_uom_qty': 80}),
            "Magnesium stearate: 1 kg on the order, 0 kg in the MMR":
                lambda order: order.write({'move_raw_ids': [Command.create(
                    {'product_id': self.component_other.id, 'product_uom_qty': 1, 'product_uom': self.kg.id})]}),
            "Microcrystalline cellulose: 0 kg on the order, 10 kg in the MMR":
                lambda order: order.move_raw_ids[1].unlink(),
            "operation Blending of the MMR is missing": lambda order: order.workorder_ids[1].unlink(),
            "operation Magic is not in the MMR": lambda order: order.workorder_ids[1].write({'name': "Magic"}),
        }
        for expected, edit in edits.items():
            with self.subTest(expected=expected):
                order = self._create_order(100)
                edit(order)
                with self.assertRaises(UserError) as caught:
                    order.action_confirm()
                self.assertIn(expected, str(caught.exception))
                self.assertIn("MMR-050", str(caught.exception))
                order.action_mmr_reset()
                order.action_confirm()
                self.assertEqual(order.state, 'confirmed')

    def test_changed_bom_is_refused(self):
        """MMR-050: a bill of materials changed behind the signatures is found, with both quantities."""
        order = self._create_order(100)
        self.env.flush_all()
        self.cr.execute('ALTER TABLE mrp_bom_line DISABLE TRIGGER mrp_mmr_guard_update')
        self.cr.execute('UPDATE mrp_bom_line SET product_qty = 9, gmp_qty = 9 WHERE id = %s',
                        [self.small.bom_line_ids[1].id])
        self.cr.execute('ALTER TABLE mrp_bom_line ENABLE TRIGGER mrp_mmr_guard_update')
        self.env.invalidate_all()
        found = "Microcrystalline cellulose: 9 kg in the bill of materials, 10 kg in the MMR"
        with self.assertRaisesRegex(UserError, found):
            order.action_confirm()

    def test_uncontrolled_products_are_free(self):
        """USE-010: a product that is not under control is planned, split, merged and changed as without the addon."""
        self.env['mrp.bom'].create({
            'product_tmpl_id': self.component_other.product_tmpl_id.id,
            'bom_line_ids': [(0, 0, {'product_id': self.component_a.id, 'product_qty': 1})]})
        order = self._create_order(7, product=self.component_other)
        order.action_confirm()
        self.assertFalse(order.mmr_controlled)
        self.assertFalse(order.mmr_snapshot)
        self.env['change.production.qty'].create({'mo_id': order.id, 'product_qty': 9}).change_prod_qty()
        self.assertEqual(order.product_qty, 9)
        parts = order._split_productions({order: [4, 5]})
        self.assertEqual(parts.mapped('product_qty'), [4, 5])
        parts.action_merge()
        self.env.flush_all()

    # === THE PLANNER'S SCREEN === #

    def test_order_form_offers_the_sizes(self):
        """PRD-070: the order form offers the available batch sizes and takes the chosen one."""
        form = Form(self.env['mrp.production'].with_user(self.user_planner))
        form.product_id = self.product
        self.assertEqual(form.mmr_available_sizes, "100 kg, 500 kg")
        form.mmr_id = self.large.mmr_id
        self.assertEqual((form.product_qty, form.bom_id), (500, self.large.bom_id))
        form.mmr_id = self.small.mmr_id
        self.assertEqual(form.product_qty, 100)
        order = form.save()
        order.action_confirm()
        self.assertEqual(order.mmr_revision_id, self.small)

    def test_new_order_from_the_mmr(self):
        """PRD-070: New Order on the MMR opens an order of exactly its size."""
        action = self.large.mmr_id.with_user(self.user_planner).action_new_order()
        order = Form(self.env['mrp.production'].with_user(self.user_planner).with_context(**action['context'])).save()
        self.assertRecordValues(order, [
            {'product_qty': 500, 'bom_id': self.large.bom_id.id, 'mmr_id': self.large.mmr_id.id}])
        order.action_confirm()
        self.assertEqual(self.large.production_count, 1)
        self.assertEqual(self.large.mmr_id.production_count, 1)


class TestProductionRoutes(GateCommon):
    """Design: every road by which an order could escape its MMR, one test each (USE-020, SEC-020)."""

    def test_plan(self):
        """USE-010: planning a draft order confirms it through the gate."""
        order = self._create_order(137)
        for method in ('button_plan', 'action_plan_with_components_availability'):
            with self.subTest(method=method), self.assertRaisesRegex(UserError, "USE-010"):
                getattr(order, method)()
        order = self._create_order(100)
        order.button_plan()
        self.assertTrue(order.mmr_snapshot_sha256)

    def test_mark_done_from_draft(self):
        """USE-010: a draft is not produced, with or without hostile context keys."""
        for quantity in (100, 137):
            order = self._create_order(quantity)
            hostile = {'skip_backorder': True, 'skip_consumption': True, 'skip_immediate': True, 'skip_confirm': True,
                       'mmr_transition': True, 'tracking_disable': True}
            with self.subTest(quantity=quantity), self.assertRaisesRegex(UserError, "USE-010"):
                order.with_context(**hostile).button_mark_done()
            with self.subTest(sudo=quantity), self.assertRaisesRegex(UserError, "USE-010"):
                order.sudo().with_context(**hostile).button_mark_done()
            self.assertEqual(order.state, 'draft')

    def test_producing_on_a_draft(self):
        """USE-010: quantities entered on a draft do not release it."""
        order = self._create_order(137)
        order.qty_producing = 137
        order.move_raw_ids.picked = True
        self.env.flush_all()
        self.assertEqual(order.state, 'draft')
        with self.assertRaisesRegex(UserError, "USE-010"):
            order.workorder_ids[0].button_start()

    def test_merge(self):
        """USE-020: two controlled orders are not merged, as drafts or released."""
        for orders in (self._create_order(100) | self._create_order(100), self._confirmed() | self._confirmed()):
            with self.subTest(state=orders[0].state), self.assertRaisesRegex(UserError, "USE-020"):
                orders.action_merge()

    def test_split(self):
        """USE-020: splitting 60/40 fails, through the button, the wizards and the method below them."""
        for order in (self._create_order(100), self._confirmed()):
            with self.subTest(state=order.state):
                with self.assertRaisesRegex(UserError, "USE-020"):
                    order.action_split()
                with self.assertRaisesRegex(UserError, "USE-020"):
                    order.sudo()._split_productions({order: [60, 40]})
                wizard = self.env['mrp.production.split'].create({'production_id': order.id, 'num_splits': 2})
                with self.assertRaisesRegex(UserError, "USE-020"):
                    wizard.action_split()
                self.assertEqual(order.product_qty, 100)

    def test_less_is_yield_not_backorder(self):
        """USE-020: finishing with 96 kg closes the order without backorder; a forced backorder is refused."""
        self._stock()
        order = self._confirmed()
        order.action_assign()
        self._execute(order, produced='96')
        with self.assertRaisesRegex(UserError, "USE-020"):
            order.with_context(
                mo_ids_to_backorder=order.ids, skip_backorder=True, skip_consumption=True).button_mark_done()
        result = order.with_context(skip_consumption=True).button_mark_done()
        self.assertEqual(order.state, 'done', result)
        self.assertEqual(order.qty_produced, 96)
        self.assertEqual(order.product_qty, 100)
        self.assertEqual(len(order.production_group_id.production_ids), 1)
        self.env.flush_all()

    def test_backorder_always(self):
        """USE-020: an operation type that always creates backorders creates none for a controlled batch."""
        self._stock()
        order = self._confirmed()
        order.picking_type_id.sudo().create_backorder = 'always'
        self._execute(order, produced='96')
        order.with_context(skip_consumption=True).button_mark_done()
        self.assertEqual(order.state, 'done')
        self.assertEqual(len(order.production_group_id.production_ids), 1)

    def test_change_quantity_wizard(self):
        """USE-020: changing a confirmed 100 kg order to 90 kg fails."""
        order = self._confirmed()
        wizard = self.env['change.production.qty'].with_user(self.user_planner).create(
            {'mo_id': order.id, 'product_qty': 90})
        with self.assertRaisesRegex(UserError, "USE-020"):
            wizard.change_prod_qty()
        with self.assertRaisesRegex(UserError, "USE-020"):
            wizard.sudo().change_prod_qty()

    def test_edit_after_confirmation(self):
        """USE-020: quantity, unit, product, BOM and company of a confirmed order are fixed, by write and by SQL."""
        order = self._confirmed()
        other_bom = self.env['mrp.bom'].create({'product_tmpl_id': self.product.product_tmpl_id.id})
        for vals in ({'product_qty': 90}, {'product_uom_id': self.gram.id}, {'product_id': self.component_a.id},
                     {'bom_id': other_bom.id}, {'bom_id': False}, {'company_id': False}):
            for record in (order, order.sudo(), order.with_user(SUPERUSER_ID), order.with_context(mmr_transition=True)):
                with self.subTest(vals=vals), self.assertRaisesRegex(UserError, "USE-020"):
                    record.write(vals)
        order.write({'product_qty': 100.0, 'product_uom_id': self.kg.id})
        self.env.flush_all()
        for column, value in (('product_qty', 90), ('product_uom_id', self.gram.id), ('bom_id', other_bom.id),
                              ('product_id', self.component_a.id)):
            with self.subTest(sql=column), self.assertRefused('USE-020'):
                self.cr.execute(f'UPDATE mrp_production SET {column} = %s WHERE id = %s', [value, order.id])

    def test_edit_components_after_confirmation(self):
        """USE-070: no component is added, removed or replanned on a confirmed order."""
        order = self._confirmed()
        move = order.move_raw_ids[0]
        new = {'product_id': self.component_other.id, 'product_uom_qty': 1, 'product_uom': self.kg.id,
               'raw_material_production_id': order.id, 'location_id': move.location_id.id,
               'location_dest_id': move.location_dest_id.id}
        for attack in (
                lambda: order.write({'move_raw_ids': [Command.create(dict(new))]}),
                lambda: self.env['stock.move'].sudo().create(dict(new)),
                lambda: move.write({'product_uom_qty': 50}),
                lambda: move.sudo().write({'product_uom_qty': 50}),
                lambda: move.write({'product_id': self.component_other.id}),
                lambda: move.write({'raw_material_production_id': False}),
                lambda: order.write({'move_raw_ids': [Command.delete(move.id)]}),
                lambda: order.write({'move_raw_ids': [Command.clear()]}),
                lambda: order.write({'move_byproduct_ids': [Command.create({
                    'product_id': self.component_other.id, 'product_uom_qty': 1, 'product_uom': self.kg.id})]}),
        ):
            with self.assertRefused('USE-020'):
                attack()
        self.env.invalidate_all()
        self.assertEqual(order.move_raw_ids.mapped('product_uom_qty'), [90, 10])

    def test_edit_operations_after_confirmation(self):
        """USE-030: work orders of a confirmed order are those of the snapshot."""
        order = self._confirmed()
        workorder = order.workorder_ids[0]
        for attack in (
                lambda: workorder.unlink(),
                lambda: workorder.write({'name': "Quick mix"}),
                lambda: workorder.write({'operation_id': False}),
                lambda: self.env['mrp.workorder'].sudo().create({
                    'name': "Extra", 'production_id': order.id, 'workcenter_id': self.workcenter.id}),
                lambda: order.write({'workorder_ids': [Command.clear()]}),
        ):
            with self.assertRefused('USE-020'):
                attack()
        self.env.invalidate_all()
        self.assertEqual(order.workorder_ids.mapped('name'), ["Weighing", "Blending"])

    def test_update_and_link_bom(self):
        """USE-020: Update BoM and linking another bill of materials are refused after confirmation."""
        order = self._confirmed()
        with self.assertRaisesRegex(UserError, "USE-020"):
            order.action_update_bom()
        with self.assertRaisesRegex(UserError, "USE-020"):
            order._link_bom(self.large.bom_id)
        with self.assertRefused('MMR-050'):
            order.with_user(self.user_manager).action_generate_bom()

    def test_procurement_orders_whole_batches(self):
        """USE-010: procurement makes whole batches of an MMR and never adds to a confirmed order."""
        warehouse = self.env.ref('stock.warehouse0')
        route = warehouse.manufacture_pull_id.route_id
        self.product.route_ids = [Command.link(route.id)]
        confirmed = self._confirmed()
        before = self.env['mrp.production'].search([('product_id', '=', self.product.id)])
        self.env['stock.rule'].run([self.env['stock.rule'].Procurement(
            self.product, 137, self.kg, warehouse.lot_stock_id, "Need", "Need", self.company,
            {'warehouse_id': warehouse, 'date_planned': confirmed.date_start, 'bom_id': self.small.bom_id})])
        new = self.env['mrp.production'].search([('product_id', '=', self.product.id)]) - before
        self.assertEqual(new.mapped('product_qty'), [100, 100])
        self.assertEqual(new.mapped('state'), ['confirmed', 'confirmed'])
        self.assertTrue(all(new.mapped('mmr_snapshot_sha256')))
        self.assertEqual(confirmed.product_qty, 100)

    def test_procurement_without_mmr_stays_a_draft(self):
        """USE-010: a demand without matching MMR is not lost and not made: a draft order says why."""
        self._sign(self.small, 'retire', self.user_qc, comment="x")
        self._sign(self.large, 'retire', self.user_qc, comment="x")
        bom = self.env['mrp.bom'].create({
            'product_tmpl_id': self.product.product_tmpl_id.id,
            'bom_line_ids': [(0, 0, {'product_id': self.component_a.id, 'product_qty': 1})]})
        warehouse = self.env.ref('stock.warehouse0')
        self.product.route_ids = [Command.link(warehouse.manufacture_pull_id.route_id.id)]
        self.env['stock.rule'].run([self.env['stock.rule'].Procurement(
            self.product, 20, self.kg, warehouse.lot_stock_id, "Need", "Need", self.company,
            {'warehouse_id': warehouse, 'date_planned': '2030-01-01'})])
        order = self.env['mrp.production'].search([('product_id', '=', self.product.id), ('bom_id', '=', bom.id)])
        self.assertEqual(order.state, 'draft')
        self.assertTrue([body for body in order.message_ids.mapped('body') if "USE-010" in body])

    def test_reordering_rule(self):
        """USE-010: a reordering rule orders whole batches."""
        warehouse = self.env.ref('stock.warehouse0')
        self.product.route_ids = [Command.link(warehouse.manufacture_pull_id.route_id.id)]
        orderpoint = self.env['stock.warehouse.orderpoint'].create({
            'product_id': self.product.id, 'product_min_qty': 150, 'product_max_qty': 150,
            'bom_id': self.small.bom_id.id,
            'location_id': warehouse.lot_stock_id.id})
        orderpoint.action_replenish()
        orders = self.env['mrp.production'].search([('orderpoint_id', '=', orderpoint.id)])
        self.assertEqual(orders.mapped('product_qty'), [100, 100])
        orders.action_confirm()
        self.assertEqual(orders.mmr_revision_id, self.small)

    def test_create_in_another_state(self):
        """USE-010: an order is not born confirmed, by create, by default, by copy or by import."""
        vals = {'product_id': self.product.id, 'product_qty': 100, 'bom_id': self.small.bom_id.id}
        for state in ('confirmed', 'progress', 'to_close', 'done'):
            with self.subTest(create=state), self.assertRaisesRegex(UserError, "USE-010"), self.cr.savepoint():
                self.env['mrp.production'].sudo().create(dict(vals, state=state))
            with self.subTest(default=state), self.assertRaisesRegex(UserError, "USE-010"), self.cr.savepoint():
                self.env['mrp.production'].with_context(default_state=state).create(dict(vals))
        order = self._confirmed()
        with self.assertRaisesRegex(UserError, "USE-010"), self.cr.savepoint():
            order.copy({'state': 'confirmed'})
        result = self.env['mrp.production'].with_user(self.user_planner).load(
            ['product_id/.id', 'product_qty', 'bom_id/.id', 'state'],
            [[str(self.product.id), '137', str(self.small.bom_id.id), 'confirmed']])
        self.assertFalse(result['ids'])
        self.assertIn("USE-010", str(result['messages']))

    def test_duplicate(self):
        """USE-030: a duplicate is a draft without snapshot."""
        copy = self._confirmed().copy()
        self.assertRecordValues(copy, [{
            'state': 'draft', 'mmr_snapshot': False, 'mmr_snapshot_sha256': False, 'mmr_revision_id': False,
            'mmr_controlled': True}])
        copy.action_confirm()
        self.assertTrue(copy.mmr_snapshot_sha256)

    def test_write_of_state(self):
        """SEC-020, USE-020: the status is not written, by remote call, sudo or SQL."""
        draft, confirmed = self._create_order(100), self._confirmed()
        for state in ('confirmed', 'progress', 'to_close', 'done'):
            for record in (draft, draft.sudo(), draft.with_context(mmr_transition=True, force_state=True)):
                with self.subTest(draft=state), self.assertRaisesRegex(UserError, "USE-010"):
                    record.write({'state': state})
            with self.subTest(sql=state), self.assertRefused('USE-010'):
                self.cr.execute('UPDATE mrp_production SET state = %s WHERE id = %s', [state, draft.id])
        for state in ('draft', 'done'):
            with self.subTest(confirmed=state), self.assertRaisesRegex(UserError, "USE-020"):
                confirmed.sudo().write({'state': state})
        confirmed.action_cancel()
        self.env.flush_all()
        self.assertEqual(confirmed.state, 'cancel')
        with self.assertRaisesRegex(UserError, "USE-020"):
            confirmed.sudo().write({'state': 'confirmed'})
        with self.assertRefused('USE-020'):
            self.cr.execute("UPDATE mrp_production SET state = 'confirmed' WHERE id = %s", [confirmed.id])

    def test_out_of_control_by_the_back_door(self):
        """USE-020: a planner neither takes the product out of control nor the order."""
        order = self._create_order(137)
        self.user_planner.group_ids += self.env.ref('product.group_product_manager')
        for record in (self.product, self.product.product_tmpl_id):
            with self.assertRaisesRegex(AccessError, "USE-020"):
                record.with_user(self.user_planner).mmr_controlled = False
        with self.assertRaisesRegex(UserError, "USE-030"):
            order.sudo().write({'mmr_controlled': False})
        with self.assertRaisesRegex(UserError, "USE-030"):
            self.env['mrp.production'].create({'product_id': self.product.id, 'mmr_controlled': False})
        sly = self.env['mrp.production'].with_context(default_mmr_controlled=False).create(
            {'product_id': self.product.id, 'product_qty': 137})
        with self.assertRaisesRegex(UserError, "USE-010"):
            sly.action_confirm()
        self.env.flush_all()
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "USE-010"), self.cr.savepoint():
            self.cr.execute(
                "UPDATE mrp_production SET mmr_controlled = false, state = 'confirmed' WHERE id = %s", [sly.id])

    def test_snapshot_is_fixed(self):
        """USE-030: the snapshot is not written, changed or removed, by anybody, by SQL neither."""
        order = self._confirmed()
        for vals in ({'mmr_snapshot': {'a': 1}}, {'mmr_snapshot': False}, {'mmr_snapshot_sha256': 'x'},
                     {'mmr_revision_id': self.large.id}, {'mmr_controlled': False}):
            for record in (order, order.sudo(), order.with_user(SUPERUSER_ID),
                           order.with_user(self.user_qc), order.with_context(mmr_transition=True)):
                with self.subTest(vals=vals), self.assertRaisesRegex(UserError, "USE-030"):
                    record.write(vals)
        for assignment in ("mmr_snapshot = '{}'", "mmr_snapshot = NULL", "mmr_snapshot_sha256 = 'x'",
                           f"mmr_revision_id = {self.large.id}", "mmr_controlled = false"):
            with self.subTest(sql=assignment), self.assertRefused('USE-020'):
                self.cr.execute(f'UPDATE mrp_production SET {assignment} WHERE id = %s', [order.id])

    def test_snapshot_without_the_addon(self):
        """PRD-010: by SQL and JSON alone the snapshot says schema, number, revision, content, signatures and digests."""
        order = self._confirmed()
        self.cr.execute("SELECT mmr_snapshot::text, mmr_snapshot_sha256 FROM mrp_production WHERE id = %s", [order.id])
        [(text, digest)] = self.cr.fetchall()
        snapshot = json.loads(text)

        def digest_of(value):
            return hashlib.sha256(json.dumps(
                value, sort_keys=True, separators=(',', ':'), ensure_ascii=False).encode()).hexdigest()

        document = snapshot['document']
        self.assertEqual((digest_of(snapshot), digest_of(document)), (digest, snapshot['document_sha256']))
        revision = order.mmr_revision_id
        self.assertEqual(
            (document['number'], document['revision'], snapshot['document_sha256']),
            (revision.mmr_id.name, revision.revision, revision.document_sha256))
        self.assertRegex(document['schema'], r'^mrp_mmr/mmr/\d+$')
        self.assertEqual([row['meaning'] for row in snapshot['signatures']], ['prepared', 'approved'])
        self.assertEqual(
            [row['product']['id'] for row in document['components']],
            revision.bom_line_ids.sorted(lambda line: (line.sequence, line.id)).product_id.ids)

    def test_forged_snapshot(self):
        """USE-030: PostgreSQL accepts only the document of an effective MMR of exactly the order's size."""
        order = self._create_order(137)
        self.env.flush_all()
        forged = """
            UPDATE mrp_production SET state = 'confirmed', mmr_snapshot_sha256 = 'x', mmr_revision_id = r.id,
                   bom_id = r.bom_id, mmr_snapshot = jsonb_build_object(
                       'document', r.document, 'document_sha256', r.document_sha256)
              FROM mrp_mmr_revision r WHERE r.id = %s AND mrp_production.id = %s
        """
        refused = "exactly its size"
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, refused), self.cr.savepoint():
            self.cr.execute(forged, [self.small.id, order.id])
        fitting = self._create_order(100)
        self.env.flush_all()
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, refused), self.cr.savepoint():
            self.cr.execute(forged.replace("r.document,", "jsonb_set(r.document, '{precautions}', '\"x\"'),"),
                            [self.small.id, fitting.id])
        snapshot = self.small._prepare_snapshot()
        head, tail = forged.split("jsonb_build_object(")
        honest = head + "%s::jsonb" + tail.split(")", 1)[1]
        for change in ({'name': "The Pope"}, {'id': 0}, {'signature_sha256': 'x'}):
            with self.subTest(change=change), mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, refused), \
                    self.cr.savepoint():
                signatures = [dict(snapshot['signatures'][0], **change), snapshot['signatures'][1]]
                self.cr.execute(honest, [json.dumps(dict(snapshot, signatures=signatures)), self.small.id, fitting.id])
        # The honest one passes: the trigger judges content, not the road.
        self.cr.execute(honest, [json.dumps(snapshot), self.small.id, fitting.id])

    def test_delete(self):
        """BPR-010: a released order is not deleted, by the ORM or by SQL."""
        order = self._confirmed()
        with self.assertRaisesRegex(UserError, "BPR-010"):
            order.with_user(self.user_planner).unlink()
        order.action_cancel()
        with self.assertRaisesRegex(UserError, "BPR-010"):
            order.sudo().unlink()
        self.env.flush_all()
        with self.assertRefused('BPR-010'):
            self.cr.execute('DELETE FROM mrp_production WHERE id = %s', [order.id])
        self._create_order(137).unlink()

    def test_unlock_and_edit_after_done(self):
        """USE-020, AUD-020: a closed batch is not unlocked, and what it consumed and made is not edited."""
        self._stock()
        order = self._confirmed()
        self._execute(order, produced='96')
        order.with_context(skip_consumption=True).button_mark_done()
        self.assertEqual(order.state, 'done')
        self.env.flush_all()
        line = order.move_raw_ids[0].move_line_ids[0]
        for attack in (
                lambda: order.action_toggle_is_locked(),
                lambda: order.sudo().write({'is_locked': False}),
                lambda: order.sudo().write({'qty_producing': 100}),
                lambda: order.write({'state': 'confirmed'}),
                lambda: line.write({'quantity': 1}),
                lambda: line.sudo().write({'quantity': 1}),
                lambda: order.move_raw_ids[0].write({'quantity': 1}),
                lambda: self.env['stock.move.line'].sudo().create({
                    'move_id': order.move_raw_ids[0].id, 'product_id': self.component_a.id, 'quantity': 1,
                    'product_uom_id': self.kg.id, 'location_id': line.location_id.id,
                    'location_dest_id': line.location_dest_id.id}),
        ):
            with self.assertRefused('USE-020'):
                attack()

    def test_unbuild(self):
        """DEV-060: a controlled batch is not taken apart without a decision of Quality Control."""
        self._stock()
        order = self._confirmed()
        self._execute(order)
        order.with_context(skip_consumption=True).button_mark_done()
        unbuild = self.env['mrp.unbuild'].create({
            'product_id': self.product.id, 'mo_id': order.id, 'product_qty': 1, 'product_uom_id': self.kg.id,
            'lot_id': order.lot_producing_ids.id})
        with self.assertRaisesRegex(UserError, "DEV-060"):
            unbuild.action_unbuild()
        with self.assertRaisesRegex(UserError, "DEV-060"):
            unbuild.action_validate()

    def test_component_that_became_a_kit(self):
        """MMR-050: a component that becomes a kit after approval does not change the batch unnoticed."""
        drafted = self._create_order(100)
        self.env['mrp.bom'].create({
            'product_tmpl_id': self.component_b.product_tmpl_id.id, 'type': 'phantom',
            'bom_line_ids': [(0, 0, {'product_id': self.component_other.id, 'product_qty': 1})]})
        order = self._create_order(100)
        with self.assertRaisesRegex(UserError, "MMR-050"):
            order.action_confirm()
        with self.assertRaisesRegex(UserError, rf"(?s){self.component_b.name} has become a kit.*MMR-050"):
            drafted.action_confirm()

    def test_component_that_becomes_a_kit_later(self):
        """MMR-050, USE-030: in a released batch the signed component is consumed, though it is a kit by now."""
        order = self._create_order(100)
        order.action_confirm()
        moves = order.move_raw_ids
        self.env['mrp.bom'].create({
            'product_tmpl_id': self.component_b.product_tmpl_id.id, 'type': 'phantom',
            'bom_line_ids': [(0, 0, {'product_id': self.component_other.id, 'product_qty': 1})]})
        self.assertEqual(moves.action_explode(), moves)
        moves._action_confirm()
        self.assertEqual(order.move_raw_ids, moves)
        self.assertNotIn(self.component_other, order.move_raw_ids.product_id)

    def test_controlled_product_as_kit(self):
        """E-19b, MMR-050, USE-010: what is under control is no kit, whichever comes first."""
        kits = self.env['mrp.bom']
        vals = {'type': 'phantom', 'bom_line_ids': [(0, 0, {'product_id': self.component_other.id, 'product_qty': 1})]}
        template = self.product.product_tmpl_id
        self.assertTrue(template.mmr_controlled)
        for more in ({}, {'product_id': self.product.id}):
            with self.assertRefused('MMR-050'):
                kits.create(dict(vals, product_tmpl_id=template.id, **more))
        normal = kits.create(dict(vals, product_tmpl_id=template.id, type='normal'))
        with self.assertRefused('MMR-050'):
            normal.type = 'phantom'
        other = self.component_other.product_tmpl_id.copy()
        kit = kits.create({**vals, 'product_tmpl_id': other.id})
        with self.assertRefused('MMR-050'):
            kit.product_tmpl_id = template
        with self.assertRefused('MMR-050'):
            other.mmr_controlled = True
        kit.active = False
        other.mmr_controlled = True
        with self.assertRefused('MMR-050'):
            kit.active = True

    def test_batch_confirm(self):
        """USE-010: of many orders confirmed at once none is released where one is refused."""
        orders = self._create_order(100) | self._create_order(137) | self._create_order(500)
        with self.assertRaisesRegex(UserError, "137 kg"), self.cr.savepoint():
            orders.action_confirm()
        self.env.invalidate_all()
        self.assertEqual(set(orders.mapped('state')), {'draft'})
        self.assertFalse(any(orders.mapped('mmr_snapshot_sha256')))

    def test_queries_do_not_grow(self):
        """USE-010: the gate costs a constant number of queries, for 2 and for 12 orders."""
        def count(number):
            orders = self.env['mrp.production'].browse()
            for _i in range(number):
                orders |= self._create_order(100)
            self.env.flush_all()
            self.env.invalidate_all()
            orders.mapped('product_id.mmr_controlled')
            orders.mapped('move_raw_ids.product_id.display_name')
            orders.mapped('move_finished_ids.product_id')
            orders.mapped('workorder_ids.name')
            before = self.cr.sql_log_count
            orders._mmr_release_to_floor()
            self.env.flush_all()
            return self.cr.sql_log_count - before
        self.assertLessEqual(count(12), count(2))

    def test_serial_tracked_product(self):
        """USE-010: an order in another unit of a serial-tracked product is released in the product's unit."""
        product = self.env['product.product'].create({
            'name': "Inhaler", 'type': 'consu', 'is_storable': True, 'tracking': 'serial', 'uom_id': self.unit.id})
        revision = self._create_mmr(24, product_id=product.id, uom_id=self.unit.id)
        revision.bom_line_ids.with_user(self.user_preparer).write({'product_uom_id': self.kg.id})
        self._effective(revision)
        order = self._create_order(2, product=product, unit=self.env.ref('uom.product_uom_dozen'))
        order.action_confirm()
        self.env.flush_all()
        self.assertRecordValues(order, [{'product_qty': 24, 'product_uom_id': self.unit.id, 'state': 'confirmed'}])

    def test_constraint_speaks(self):
        """USE-010: where only PostgreSQL notices, its refusal is an error of its own name."""
        self.cr.execute("SELECT conname FROM pg_constraint WHERE conname = 'mrp_production_mmr_snapshot_required'")
        self.assertTrue(self.cr.fetchone())
