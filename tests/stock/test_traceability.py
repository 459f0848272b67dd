"""From a component lot to customers, and back: over intermediate batches, against a fixture made by hand."""

import io
import zipfile

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import Form, tagged

from odoo.addons.mrp_mmr.reports.xlsx_lot_trace import write_trace

from ..common.base import MmrCommon, expect
from ..common.rows import insert_copies


@tagged('post_install', '-at_install')
class TestTraceability(MmrCommon):
    """ASC-1 goes into G-1 (granules, without MMR); G-1 and MCC-1 into VC-1 (by MMR); VC-1 to two customers, one returns."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._prepare()

    @classmethod
    def _prepare(cls):
        cls.place, cls.customers, cls.suppliers = (
            cls.env.ref(f'stock.stock_location_{name}') for name in ('stock', 'customers', 'suppliers'))
        (cls.component_a | cls.component_b | cls.component_other).tracking = 'lot'
        cls.supplier, cls.first, cls.second = cls.env['res.partner'].create([
            {'name': name} for name in ("Chemicals Ltd", "Pharmacy North", "Pharmacy South")])
        cls.granules = cls.component_a     # what the MMR weighs
        bom = cls.env['mrp.bom'].create({
            'product_tmpl_id': cls.granules.product_tmpl_id.id, 'product_qty': 90, 'product_uom_id': cls.kg.id,
            'bom_line_ids': [Command.create({'product_id': cls.component_other.id, 'product_qty': 90})]})
        cls.raw = cls._create_lot(cls.component_other, "ASC-1")
        cls._transfer(cls.raw, 200, cls.suppliers, cls.place, cls.supplier)
        order = Form(cls.env['mrp.production'])
        order.product_id, order.bom_id, order.product_qty = cls.granules, bom, 90
        order = order.save()
        order.action_confirm()
        cls.middle = cls._create_lot(cls.granules, "G-1")
        order.lot_producing_ids = cls.middle
        order.qty_producing = 90
        order._set_qty_producing()
        order.move_raw_ids.move_line_ids.unlink()
        order.move_raw_ids.move_line_ids = [Command.create({
            'product_id': cls.component_other.id, 'lot_id': cls.raw.id, 'quantity': 90, 'product_uom_id': cls.kg.id,
            'location_id': cls.place.id, 'location_dest_id': order.move_raw_ids.location_dest_id.id, 'picked': True})]
        order.move_raw_ids.picked = True
        order.button_mark_done()
        expect(order.state, 'done')
        cls.plain_order = order
        cls.cellulose = cls._create_lot(cls.component_b, "MCC-1")
        cls._transfer(cls.cellulose, 50, cls.suppliers, cls.place, cls.supplier)
        cls._make_effective(cls._create_mmr())
        for lot in cls.middle | cls.cellulose:
            cls._sign(lot, 'release', cls.user_qc)
        order = cls._create_order()
        order.action_confirm()
        order.lot_producing_ids = [Command.create({'name': "VC-1", 'product_id': cls.product.id})]
        cls._execute(order)
        order.with_user(cls.user_planner).button_mark_done()
        cls.order, cls.bpr, cls.final = order, order.bpr_id, order.lot_producing_ids
        cls._release(cls.bpr)
        cls._transfer(cls.final, 30, cls.place, cls.customers, cls.first)
        cls._transfer(cls.final, 20, cls.place, cls.customers, cls.second)
        cls._transfer(cls.final, 5, cls.customers, cls.place, cls.second)

    @classmethod
    def _create_lot(cls, product, name):
        return cls.env['stock.lot'].create({'name': name, 'product_id': product.id})

    @classmethod
    def _transfer(cls, lot, quantity, location, destination, partner):
        kind = 'out' if destination == cls.customers else 'in'
        picking = cls.env['stock.picking'].create({
            'picking_type_id': cls.env.ref(f'stock.picking_type_{kind}').id, 'partner_id': partner.id,
            'location_id': location.id, 'location_dest_id': destination.id,
            'move_ids': [Command.create({
                'product_id': lot.product_id.id, 'product_uom_qty': quantity, 'product_uom': lot.product_uom_id.id,
                'location_id': location.id, 'location_dest_id': destination.id})]})
        picking.action_confirm()
        picking.move_ids.move_line_ids.unlink()
        picking.move_ids.move_line_ids = [Command.create({
            'product_id': lot.product_id.id, 'lot_id': lot.id, 'quantity': quantity, 'product_uom_id': lot.product_uom_id.id,
            'location_id': location.id, 'location_dest_id': destination.id, 'picking_id': picking.id, 'picked': True})]
        picking.move_ids._action_done()
        expect(picking.state, 'done')
        return picking

    def _trace(self, lot, direction, user=None):
        action = getattr(lot.with_user(user or self.user_qc), f'action_mmr_trace_{direction}')()
        return [(line.level, line.kind, line.lot_name or '', line.partner_id.name or '', line.quantity)
                for line in self.env['mrp.lot.trace.line'].with_user(user or self.user_qc).search(action['domain'])]

    def test_forward(self):
        """REL-050: from one component lot to all batches, lots made and deliveries, over an intermediate batch."""
        self.assertEqual(self._trace(self.raw, 'forward'), [
            (1, 'batch', "G-1", '', 90), (1, 'product', "G-1", '', 90),
            (2, 'batch', "VC-1", '', 100), (2, 'product', "VC-1", '', 100),
            (2, 'delivery', "VC-1", "Pharmacy North", 30), (2, 'delivery', "VC-1", "Pharmacy South", 20),
            (2, 'return', "VC-1", "Pharmacy South", 5)])

    def test_backward(self):
        """REL-050: from a delivered lot to every component lot and its supplier, and to whom it was delivered."""
        rows = self._trace(self.final, 'backward')
        self.assertEqual([row for row in rows if row[0] == 0], [
            (0, 'delivery', "VC-1", "Pharmacy North", 30), (0, 'delivery', "VC-1", "Pharmacy South", 20),
            (0, 'return', "VC-1", "Pharmacy South", 5)])
        self.assertEqual(sorted(row for row in rows if row[0] == 1), [
            (1, 'batch', "VC-1", '', 100), (1, 'component', "G-1", '', 90), (1, 'component', "MCC-1", '', 10),
            (1, 'receipt', "MCC-1", "Chemicals Ltd", 50)])
        self.assertEqual([row for row in rows if row[0] == 2], [
            (2, 'batch', "G-1", '', 90), (2, 'component', "ASC-1", '', 90), (2, 'receipt', "ASC-1", "Chemicals Ltd", 200)])
        self.assertEqual(len(rows), 10)

    def test_running_batch(self):
        """REL-050: what was weighed into a batch that is not completed is traced from its record."""
        self._transfer(self.cellulose, 500, self.suppliers, self.place, self.supplier)
        other = self._create_lot(self.granules, "G-2")
        self._transfer(other, 500, self.suppliers, self.place, self.supplier)
        self._sign(other, 'release', self.user_qc)
        order = self._create_order()
        order.action_confirm()
        self._sign(order.bpr_id, 'issue', self._person('production'))
        step = order.bpr_id.step_ids.sorted('sequence')[0].with_user(self._person('operator'))
        step.action_start(acknowledged=True)
        step.action_record('weight', {'value': "90", 'lot_id': other.id})
        self.assertEqual([row[:2] for row in self._trace(other, 'forward')], [(1, 'batch')])

    def test_print(self):
        """REL-050, REL-020: the print has both directions, counted, with each record, and who released the lot and when."""
        report = self.env['ir.actions.report'].with_user(self.user_qc)
        html = report._render_qweb_html('mrp_mmr.report_lot_trace', self.final.ids)[0].decode()
        signature = self.bpr.packed_release_signature_id
        for words in ("Where it went (3)", "What it was made of (10)", "VC-1", "G-1", "MCC-1", "ASC-1", "Chemicals Ltd",
                      "Pharmacy North", "Pharmacy South", self.bpr.name, self.plain_order.name, self.user_qc.name,
                      signature.signed_at.strftime('%Y-%m-%d %H:%M:%S UTC')):
            self.assertIn(words, html)
        action = self.final.with_user(self.user_auditor).action_mmr_print_trace()
        self.assertEqual(action['report_name'], 'mrp_mmr.report_lot_trace')
        lone = self._create_lot(self.component_b, "MCC-9")
        html = report._render_qweb_html('mrp_mmr.report_lot_trace', lone.ids)[0].decode()
        for words in ("Where it went (0)", "What it was made of (0)"):
            self.assertIn(words, html)

    def test_spreadsheet(self):
        """REL-050: the spreadsheet has a row for each line of the trace, quantities as numbers."""
        with zipfile.ZipFile(io.BytesIO(write_trace(self.raw.with_user(self.user_qc)))) as book:
            sheets = [book.read(name).decode() for name in sorted(book.namelist()) if name.startswith('xl/worksheets/sheet')]
            names, strings = book.read('xl/workbook.xml').decode(), book.read('xl/sharedStrings.xml').decode()
        self.assertEqual([sheet.count('<row ') for sheet in sheets][1:], [1 + 7, 1 + 1])
        for words in ("Where it went", "What it was made of"):
            self.assertIn(words, names)
        for words in ("Pharmacy North", "Pharmacy South", "Chemicals Ltd", "VC-1", self.bpr.name):
            self.assertIn(words, strings)
        self.assertIn('<v>30</v>', sheets[1])
        self.assertEqual(
            self.raw.with_user(self.user_qc).action_mmr_download_trace()['url'], f'/mrp_mmr/lot/{self.raw.id}.xlsx')

    def test_label(self):
        """REL-020: form and label of the lot say who released it and when."""
        signature = self.bpr.packed_release_signature_id
        self.assertRecordValues(self.final, [{'mmr_decided_by': self.user_qc.name, 'mmr_decided_at': signature.signed_at}])
        form = Form(self.final.with_user(self.user_qc))
        self.assertEqual(form.mmr_decided_by, self.user_qc.name)
        self.assertTrue(form.mmr_decided_at)
        # Goods of it came back, so that it is held until it is released again (DEV-100).
        signature = self._sign(self.final, 'release', self.user_qc)
        html = self.env['ir.actions.report']._render_qweb_html('stock.report_lot_label', self.final.ids)[0].decode()
        for words in ("Released", self.user_qc.name, signature.signed_at.strftime('%Y-%m-%d %H:%M')):
            self.assertIn(words, html)

    def test_label_of_a_printer(self):
        """REL-020: the ZPL label says so, too, and no name is a command of the printer; a lot without decision has no line."""
        self.user_qc.name = "Ann ^XA~JA"
        reports = self.env['ir.actions.report']
        lot = self._create_lot(self.component_b, "MCC-2")
        zpl = reports._render_qweb_text('stock.label_lot_template_view', lot.ids)[0].decode()
        self.assertNotIn('^FO100,300', zpl)
        self._sign(lot, 'release', self.user_qc)
        zpl = reports._render_qweb_text('stock.label_lot_template_view', lot.ids)[0].decode()
        self.assertIn("^FDReleased: Ann _5EXA_7EJA, ", zpl)
        self.assertEqual(zpl.count('^XA'), 1)

    def test_queries(self):
        """REL-050: queries grow with the levels of batches, not with the lots and deliveries that are found."""
        def count():
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.raw.with_user(self.user_qc).action_mmr_trace_forward()
            return self.cr.sql_log_count - before

        self._sign(self.final, 'release', self.user_qc)
        count()
        few = count()
        for number in range(10):
            self._transfer(self.final, 1, self.place, self.customers, self.first if number % 2 else self.second)
        count()     # what transfers took out of caches is read once again
        self.assertLessEqual(count(), few)
        self.assertEqual(len(self._trace(self.raw, 'forward')), 17)

    def test_many_batches(self):
        """PRF-010, REL-050: the trace of a lot in 1,500 batches takes as many queries as that of one in some."""
        traces, order, counts, made = self.env['mrp.lot.trace'], self.plain_order, [], 0
        move = order.move_raw_ids[:1]
        line = move.move_line_ids[:1]
        with self._unguarded('mrp_production', 'stock_move', 'stock_move_line') as cr:
            for number in (10, 1500):
                orders = insert_copies(cr, 'mrp_production', order.id, [
                    {'name': f'MO/{made + place}'} for place in range(number)])
                moves = insert_copies(cr, 'stock_move', move.id, [{'raw_material_production_id': copied} for copied in orders])
                insert_copies(cr, 'stock_move_line', line.id, [{'move_id': copied} for copied in moves])
                made += number
                for _warm_up_and_count in range(2):
                    self.env.invalidate_all()
                    before = cr.sql_log_count
                    rows = list(traces._describe(traces._read_trace(self.raw, 'forward')))
                    count = cr.sql_log_count - before
                self.assertGreater(len(rows), made)
                counts.append(count)
        self.assertEqual(*counts)

    def test_readers(self):
        """SEC-010: whoever reads lots traces them, the auditor too; the lines open their record; others may not."""
        self.assertEqual(len(self._trace(self.raw, 'forward', self.user_auditor)), 7)
        line = self.env['mrp.lot.trace.line'].with_user(self.user_qc)
        action = self.raw.with_user(self.user_qc).action_mmr_trace_forward()
        opened = [row.action_open()['res_model'] for row in line.search(action['domain'])]
        self.assertEqual(opened, ['mrp.production', 'stock.lot', 'mrp.bpr', 'stock.lot', *['stock.picking'] * 3])
        outsider = self.env['res.users'].create({'name': "Outsider", 'login': 'outsider'})
        for call in (self.raw.with_user(outsider).action_mmr_trace_forward, self.raw.with_user(outsider).action_mmr_print_trace,
                     self.raw.with_user(outsider).action_mmr_download_trace):
            with self.assertRaises(AccessError):
                call()
