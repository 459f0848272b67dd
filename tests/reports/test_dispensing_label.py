"""Labels of containers with weighed components (VER-030)."""

import base64
import io
import re

import pypdf

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from odoo.addons.mrp_mmr.domain.zpl import zpl_text

from ..common.base import MmrCommon
from .test_report import read_pages, squeeze


@tagged('post_install', '-at_install')
class TestDispensingLabel(MmrCommon):

    def setUp(self):
        super().setUp()
        if self.env['ir.actions.report'].get_wkhtmltopdf_state() == 'install':
            self.skipTest("wkhtmltopdf is not installed")
        (self.component_a | self.component_b | self.product).tracking = 'lot'
        self.lot = self._stock(self.component_a)
        self._begin(100)

    def _stock_lot(self, name):
        """Put another lot of the component on stock."""
        self.lot = self._stock(
            self.component_a, self.env['stock.lot'].create({'name': name, 'product_id': self.component_a.id}))

    def _begin(self, quantity):
        """Release a batch of a new MMR and start its first step."""
        self._make_effective(self._create_mmr(quantity))
        order = self._create_order(quantity)
        order.lot_producing_ids = [Command.create({'name': f"VC-2031-{quantity}", 'product_id': self.product.id})]
        order.action_confirm()
        self.bpr = order.bpr_id
        self._train_all(self.bpr)
        if self.bpr.state == 'issue':
            self._sign(self.bpr, 'issue', self._person('production'))
        self.step = self.bpr.step_ids.sorted('sequence')[0].with_user(self._person('operator'))
        self.step.action_start(acknowledged=True)

    def _weigh(self, value, **kwargs):
        result = self.step.action_record('weight', {'value': value, 'lot_id': self.lot.id}, **kwargs)
        return self.env['mrp.bpr.entry'].browse(result['entry_id'])

    def _print(self, action, user=None):
        """Do what the client does with the action of a report."""
        self.assertEqual(action['type'], 'ir.actions.report')
        report = self.env['ir.actions.report'].with_user(user or self._person('operator')).with_context(
            force_report_rendering=True)
        return report._render(action['report_name'], action['context']['active_ids'])

    def test_pdf(self):
        """VER-030: the label of each container names component, lot, amount and the batch with product, strength and lot."""
        entries = self._weigh("60.05") | self._weigh("29.95")
        content, kind = self._print(self.step.action_print_dispensing_labels())
        self.assertEqual(kind, 'pdf')
        reader = pypdf.PdfReader(io.BytesIO(content))
        self.assertEqual(len(reader.pages), 2, "a label is a page")
        width, height = (float(side) / 72 * 25.4 for side in reader.pages[0].mediabox[2:])
        self.assertAlmostEqual(width, 100, delta=1)
        self.assertAlmostEqual(height, 70, delta=1)
        for number, (page, entry) in enumerate(zip(read_pages(content), entries, strict=True), 1):
            page = squeeze(page)
            for text in (
                    "ASC", "Ascorbic acid", "Lot / control number L-ASC", f"Amount {entry.value} kg",
                    "For the batch of [VC500] Vitamin C 500 mg tablets", "Strength 500 mg per tablet",
                    "Lot of the batch VC-2031-100", self.bpr.production_id.name, f"container {number} of 2",
                    f"Weighed by Test t_operator, {entry.at:%Y-%m-%d %H:%M:%S} UTC", "Verified by not recorded",
                    f"Code {self.bpr.name}/1#{entry.id}"):
                self.assertIn(squeeze(text), page)

    def test_verified(self):
        """VER-030: once they have signed, the label names who weighed and who verified, and when."""
        self._weigh("90")
        for point, role in (('performed', 'operator'), ('verified', 'verifier')):
            self._sign(self.step, point, self._person(role))
        content, _kind = self._print(self.step.action_print_dispensing_labels(), self.user_auditor)
        text = squeeze(read_pages(content)[0])
        for label, signature in (
                ("Weighed by", self.step.performed_signature_id), ("Verified by", self.step.verified_signature_id)):
            self.assertIn(squeeze(f"{label} {signature.signer_name}, {signature.signed_at:%Y-%m-%d %H:%M:%S} UTC"), text)

    def test_code(self):
        """VER-030: the code that a scanner reads is the one that is printed."""
        entry = self._weigh("90")
        values = self.env['report.mrp_mmr.report_dispensing_label']._get_report_values(entry.ids)
        self.assertEqual(values['docs'][0]['code'], f"{self.bpr.name}/{self.step.sequence}#{entry.id}")
        expected = self.env['ir.actions.report'].barcode(
            'QR', values['docs'][0]['code'], width=300, height=300, quiet=0, barLevel='M')
        self.assertEqual(values['docs'][0]['image'].partition(',')[2], base64.b64encode(expected).decode())

    def test_zpl(self):
        """VER-030: the operation type chooses ZPL; commands in names stay names."""
        self.bpr.production_id.picking_type_id.sudo().mmr_dispensing_label_to_print = 'zpl'
        self._stock_lot("L^XZ~1_2 <&>")
        entries = self._weigh("60.05") | self._weigh("29.95")
        content, kind = self._print(self.step.action_print_dispensing_labels())
        self.assertEqual(kind, 'text')
        text = content.decode()
        self.assertEqual(text.count('^XA'), 2)
        self.assertEqual(text.count('^XZ'), 2)
        for number, entry in enumerate(entries, 1):
            self.assertIn(f"^FD{entry.value} kg^FS", text)
            self.assertIn(f"container {number} of 2^FS", text)
            self.assertIn(f"^BQN,2,6^FH^FDMA,{self.bpr.name}/1#{entry.id}^FS", text)
        for expected in ("^FDL_5EXZ_7E1_5F2 <&>^FS", "^FDAscorbic acid^FS", "Batch of [VC500] Vitamin C 500 mg tablets^FS",
                         "Strength: 500 mg per tablet^FS", "Lot of the batch: VC-2031-100"):
            self.assertIn(expected, text)
        self.assertEqual(re.sub(r'_([0-9A-F]{2})', lambda match: chr(int(match[1], 16)), zpl_text("^~_\\ é\nx")), "^~_\\ é x")

    def test_ledger(self):
        """VER-030, AUD-010: each print of a label, PDF or ZPL, is a line of the ledger of the batch."""
        entry = self._weigh("90")
        for label_format in ('pdf', 'zpl'):
            self.bpr.production_id.picking_type_id.sudo().mmr_dispensing_label_to_print = label_format
            self._print(self.step.action_print_dispensing_labels())
        lines = self.env['mrp.audit.entry'].sudo().search(
            [('res_model', '=', 'mrp.bpr.entry'), ('res_id', '=', entry.id), ('kind', '=', 'print')])
        self.assertEqual(len(lines), 2)
        self.assertEqual(lines.chain_id.res_id, self.bpr.production_id.id)

    def test_corrected(self):
        """VER-030: only weights that count get a label; of a corrected one none is printed."""
        with self.assertRaisesRegex(UserError, "Nothing has been weighed"):
            self.step.action_print_dispensing_labels()
        wrong = self._weigh("80")
        right = self._weigh("90", corrects=wrong.id, reason="Misread")
        action = self.step.action_print_dispensing_labels()
        self.assertEqual(action['context']['active_ids'], right.ids)
        comment = self.step.action_record('comment', {'text': "Not a weight"})['entry_id']
        for entry_id in (wrong.id, comment):
            with self.assertRaisesRegex(UserError, "not a valid weight"):
                self._print(dict(action, context={'active_ids': [entry_id]}))

    def test_long_names(self):
        """VER-030: long names neither leave the label nor make a second page."""
        name = "Pregelatinised maize starch, partially hydrolysed, with a very long name of its supplier"
        self.component_a.name = name
        self._begin(50)
        self._stock_lot("LOT-2031-0000000000-ABCDEFGHIJ")
        self._weigh("90")
        content, _kind = self._print(self.step.action_print_dispensing_labels())
        [page] = read_pages(content)
        self.assertIn(squeeze("LOT-2031-0000000000-ABCDEFGHIJ"), squeeze(page))
        self.assertIn(squeeze(name), squeeze(page))

    def test_rights(self):
        """VER-030, SEC-010: whoever may not read the batch prints no label."""
        entry = self._weigh("90")
        stranger = new_test_user(self.env, login='t_stranger', groups='base.group_user')
        with self.assertRaises(AccessError):
            self.step.with_user(stranger).action_print_dispensing_labels()
        with self.assertRaises(AccessError):
            self.env['ir.actions.report'].with_user(stranger)._render('mrp_mmr.report_dispensing_label_zpl', entry.ids)

    def test_queries(self):
        """VER-030: twenty labels are read with as many queries as two."""
        entries = self.env['mrp.bpr.entry']
        for _number in range(20):
            entries |= self._weigh("4.5")
        report = self.env['report.mrp_mmr.report_dispensing_label']
        counts = []
        for records in (entries[:2], entries):
            report._get_report_values(records.ids)
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            report._get_report_values(records.ids)
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0])
