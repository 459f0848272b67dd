"""Lots wait in quarantine for Quality Control; controlled batches take released ones alone."""

from datetime import timedelta

from freezegun import freeze_time
from psycopg2.errors import CheckViolation

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.mrp_mmr.domain.transitions import transition

from ..common.base import GIF, MmrCommon


class LotCommon(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.component_a | cls.component_b).tracking = 'lot'
        cls.operator = cls._person('operator')

    def _refused(self, rule, function, *args, **kwargs):
        with self.assertRaisesRegex(UserError, rule), self.env.cr.savepoint():
            function(*args, **kwargs)
        self.env.invalidate_all()

    def _sql_refused(self, rule, query, *args):
        with self.assertRefused(*rule.split('|'), error=CheckViolation):
            self.env.cr.execute(SQL(query, *args))

    def _create_lot(self, name="L-1", product=None, **vals):
        return self.env['stock.lot'].create({'name': name, 'product_id': (product or self.component_a).id, **vals})

    def _put(self, lot, quantity=1000.0):
        """Put a lot on stock without a decision on it."""
        self.env['stock.quant'].with_context(inventory_mode=True).create({
            'product_id': lot.product_id.id, 'location_id': self.env.ref('stock.stock_location_stock').id, 'lot_id': lot.id,
            'inventory_quantity': quantity}).action_apply_inventory()
        return lot


@tagged('post_install', '-at_install')
class TestLotStatus(LotCommon):

    def test_new_lots(self):
        """USE-060: new lots begin in quarantine where product or category say so, and nobody gives them another status."""
        plain = self._create_lot()
        self.assertFalse(plain.mmr_status)
        self.component_a.mmr_lot_release = True
        lots = self.env['stock.lot'].create([
            {'name': f"L-{number}", 'product_id': product.id}
            for number, product in enumerate((self.component_a, self.component_b, self.component_a), 2)])
        self.assertEqual(lots.mapped('mmr_status'), ['quarantine', False, 'quarantine'])
        self.component_b.categ_id = self.env['product.category'].create({'name': "Actives", 'mmr_lot_release': True})
        self.assertEqual(self._create_lot("L-9", self.component_b).mmr_status, 'quarantine')
        for vals in ({'mmr_status': 'released'}, {'mmr_status': False}, {'mmr_status_signature_id': 1}):
            self._refused("USE-060", self._create_lot, "L-10", **vals)
        default = self.env['stock.lot'].with_context(
            default_mmr_status='released', default_mmr_status_signature_id=1, default_product_id=self.component_a.id)
        self.assertEqual(default.create({'name': "L-11"}).mmr_status, 'quarantine')
        self._sql_refused("USE-060", "INSERT INTO stock_lot (name, product_id, mmr_status) VALUES ('X', %s, 'released')",
                          self.component_a.id)
        # The list of Quality Control: what waits, and older lots of these products that nobody decided on.
        found = self.env['stock.lot'].search([
            '|', ('mmr_status', '=', 'quarantine'), '&', ('mmr_status', '=', False),
            ('product_id.mmr_needs_release', '=', True)])
        self.assertEqual(found & (plain | lots), plain | lots)

    def test_required_by_an_mmr(self):
        """USE-060, AUD-060: what an effective MMR uses needs release; switching it off is Quality Control's, and not then."""
        bottle = self.env['product.product'].create({'name': "Bottle", 'type': 'consu', 'is_storable': True, 'tracking': 'lot'})
        draft = self._create_mmr()
        draft.pack_ids.write({'coding_position': "Bottom", 'clearance': "Count.", 'checks': "Torque.", 'line_ids': [(0, 0, {
            'product_id': bottle.id, 'quantity': 1, 'uom_id': self.unit.id})]})
        self.env['mrp.mmr.specification'].create({
            'revision_id': draft.id, 'scope': 'packaging', 'product_id': bottle.id, 'name': "Identity", 'is_identity': True,
            'criterion_text': "HDPE", 'method': "FTIR", 'corrective_action': "Reject.",
            'document_id': draft.specification_ids.document_id[:1].id})
        products = self.component_a | self.component_b | bottle
        self.assertFalse(any(products.mapped('mmr_lot_release')))
        revision = self._make_effective(draft)
        self.assertTrue(all(products.mapped('mmr_lot_release')))
        self.assertFalse(self.component_other.mmr_lot_release or self.product.mmr_lot_release)
        lines = self.env['mrp.audit.entry'].search([
            ('kind', '=', 'setting'), ('res_model', '=', 'product.template'),
            ('res_id', 'in', products.product_tmpl_id.ids)])
        self.assertEqual(len(lines), 3)
        self.assertEqual(lines.user_id, self.user_qc)
        template = self.component_a.product_tmpl_id
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            template.with_user(self.user_manager).sudo().mmr_lot_release = False
        self._refused("only released lots", template.with_user(self.user_qc).sudo().write, {'mmr_lot_release': False})
        self._sign(revision, 'retire', self.user_qc, comment="No longer made")
        template.with_user(self.user_qc).sudo().mmr_lot_release = False
        self.assertFalse(template.mmr_needs_release)
        category = self.env['product.category'].create({'name': "Actives", 'mmr_lot_release': True})
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            category.with_user(self.user_manager).sudo().mmr_lot_release = False
        category.with_user(self.user_qc).sudo().mmr_lot_release = False

    def test_decisions(self):
        """USE-060, DEV-080: Quality Control releases, puts back and rejects by signature; rejected is for ever."""
        self.component_a.mmr_lot_release = True
        lot = self._create_lot(mmr_supplier_lot="S-77", expiration_date='2099-01-01')
        for user in (self.operator, self.user_preparer, self.user_manager):
            with self.assertRaises(AccessError):
                lot.with_user(user).action_mmr_release()
            self.assertIn("APR-050", self._esign(lot, 'release', user)['refused'])
        self._refused("USE-060", lot.write, {'mmr_status': 'released'})
        self._refused("USE-060", lot.with_user(self.user_qc).write, {'mmr_status': False})
        signature = self._sign(lot, 'release', self.user_qc)
        self.assertRecordValues(lot, [{'mmr_status': 'released', 'mmr_status_signature_id': signature.id}])
        self.assertEqual(signature.meaning, 'released')
        self.assertEqual(
            {name: signature.content[name] for name in ('status', 'lot', 'supplier_lot', 'expires', 'retest')},
            {'status': 'released', 'lot': "L-1", 'supplier_lot': "S-77", 'expires': '2099-01-01T00:00:00Z', 'retest': None})
        self._refused("USE-060", lot.with_user(self.user_qc).esign_prepare, 'release')
        # What was signed is fixed; other data is not.
        for vals in ({'name': "L-2"}, {'expiration_date': '2100-01-01'}, {'mmr_supplier_lot': "S-78"},
                     {'mmr_retest_date': '2099-01-01'}, {'mmr_assay': 99}, {'mmr_certificate': GIF}, {'mmr_file_id': False},
                     {'product_id': self.component_b.id}):
            if vals != {'mmr_file_id': False}:
                self._refused("SIG-030|USE-060", lot.with_user(self.user_qc).write, vals)
        lot.ref = "Shelf 4"
        self.assertIn("reason is required", self._esign(lot, 'quarantine', self.user_qc)['refused'])
        self._sign(lot, 'quarantine', self.user_qc, comment="Label of a drum damaged")
        self.assertEqual(lot.mmr_status, 'quarantine')
        lot.with_user(self.user_qc).mmr_retest_date = fields.Date.today()
        self.assertIn("may no longer be used", self._esign(lot, 'release', self.user_qc, digest='0')['refused'])
        lot.with_user(self.user_qc).mmr_retest_date = fields.Date.today() + timedelta(days=1)
        self._sign(lot, 'release', self.user_qc)
        self._sign(lot, 'reject', self.user_qc, comment="Identity of drum 3")
        self.assertEqual(lot.mmr_status, 'rejected')
        for action in ('release', 'quarantine', 'reject'):
            self.assertIn("remains rejected", self._esign(lot, action, self.user_qc, digest='0', comment="x")['refused'])
        self._refused("REC-040", lot.unlink)
        self.assertEqual(len(lot.esignature_ids), 4)
        entries = self.env['mrp.audit.entry'].search([('res_model', '=', 'stock.lot'), ('res_id', '=', lot.id)])
        self.assertLessEqual({'create', 'write', 'sign', 'refused_sign'}, set(entries.mapped('kind')))

    def test_sql(self):
        """USE-060, SIG-030: PostgreSQL takes a status only with the newest decision on this lot, over what the lot is."""
        self.component_a.mmr_lot_release = True
        lot, other = self._create_lot(), self._create_lot("L-2")
        lot.with_user(self.user_qc).write({'mmr_assay': 98.75, 'mmr_assay_moisture': 1.25, 'mmr_assay_date': '2026-01-01'})
        status = "UPDATE stock_lot SET mmr_status = %s, mmr_status_signature_id = %s WHERE id = %s"
        released = self._sign(lot, 'release', self.user_qc)
        self._sql_refused("USE-060", status, 'released', released.id, other.id)
        self._sql_refused("USE-060", status, 'released', None, other.id)
        self._sql_refused("USE-060", status, 'quarantine', None, lot.id)
        self._sql_refused("USE-060", status, None, None, lot.id)
        self._sql_refused("USE-060", status, 'rejected', released.id, lot.id)
        for change in ("mmr_assay = 99", "mmr_assay_moisture = 0", "mmr_retest_date = '2099-01-01'", "name = 'L-9'",
                       "expiration_date = '2099-01-01'", "mmr_supplier_lot = 'X'", "mmr_assay_unit = 'IU'",
                       "mmr_assay_basis = 'dried'", "mmr_assay_date = NULL"):
            self._sql_refused("USE-060", f"UPDATE stock_lot SET {change} WHERE id = %s", lot.id)
        self._sql_refused("USE-060", "DELETE FROM stock_lot WHERE id = %s", lot.id)
        back = self._sign(lot, 'quarantine', self.user_qc, comment="Again")
        # The release before is no decision any more, not even together with the data that it covers.
        self._sql_refused("USE-060", status, 'released', released.id, lot.id)
        self._sql_refused("USE-060", status, 'released', back.id, lot.id)
        lot.with_user(self.user_qc).mmr_assay = 97
        rejected = self._sign(lot, 'reject', self.user_qc, comment="Low")
        self._sql_refused("USE-060", status, 'quarantine', back.id, lot.id)
        self._sql_refused("USE-060", status, 'released', rejected.id, lot.id)

    def test_content_of_the_signature(self):
        """SIG-030: a signature over other data than the lot has releases nothing."""
        self.component_a.mmr_lot_release = True
        for change in ("mmr_assay = 99", "mmr_assay_moisture = 3", "mmr_assay_basis = 'dried'", "name = 'L-9'",
                       "mmr_retest_date = '2099-01-01'", "mmr_supplier_lot = 'X'", "expiration_date = '2099-01-01'"):
            lot = self._create_lot(f"L-{change}")
            lot.with_user(self.user_qc).write({'mmr_assay': 98, 'mmr_assay_moisture': 1})
            self.env.flush_all()
            original = type(lot)._apply_signing_action

            def changed(self, action, signature, change=change, original=original):
                self.env.flush_all()
                self.env.cr.execute(f"UPDATE stock_lot SET {change} WHERE id = {self.id}")
                return original(self, action, signature)

            self.patch(type(lot), '_apply_signing_action', changed)
            with self.subTest(change), mute_logger('odoo.sql_db'):
                self.assertIn("USE-060", self._esign(lot, 'release', self.user_qc)['refused'])
            self.patch(type(lot), '_apply_signing_action', original)

    def test_results(self):
        """SEC-010: assay and retest date are Quality Control's; the certificate is a file that stays."""
        self.component_a.mmr_lot_release = True
        lot = self._create_lot()
        for vals in ({'mmr_assay': 99}, {'mmr_retest_date': '2099-01-01'}, {'mmr_assay_unit': "IU/mg"}):
            with self.assertRaisesRegex(AccessError, "SEC-010"), self.env.cr.savepoint():
                lot.with_user(self.operator).write(vals)
        with self.assertRaisesRegex(AccessError, "SEC-010"), self.env.cr.savepoint():
            lot.with_user(self.operator).create({'name': "L-2", 'product_id': self.component_a.id, 'mmr_assay': 99})
        with self.assertRefused('stock_lot_mmr_results'):
            lot.with_user(self.user_qc).write({'mmr_assay_moisture': 100})
            self.env.flush_all()
        stock_user = lot.with_user(self.operator)
        stock_user.write({'mmr_certificate_name': "coa.gif", 'mmr_certificate': GIF})
        self._refused("CON-070", stock_user.write, {'mmr_certificate_name': "coa.svg", 'mmr_certificate': GIF})
        signature = self._sign(lot, 'release', self.user_qc)
        self.assertEqual(signature.content['certificate']['sha256'], lot.mmr_file_id.sha256)
        self.assertEqual(lot.with_user(self.user_auditor).mmr_certificate_name, "coa.gif")
        self.assertEqual(lot.mmr_file_id.with_user(self.user_auditor).name, "coa.gif")

    def test_uncontrolled(self):
        """USE-060, REL-010: other orders reserve what is not held, with the same queries as without the addon."""
        lot = self._put(self._create_lot())
        self.component_a.mmr_lot_release = True
        # From before: it has no status, which is no release (REL-070).
        self._sign(lot, 'release', self.user_qc)
        quarantined = self._put(self._create_lot("L-2"))
        free = self.env['product.product'].create({'name': "Free", 'type': 'consu', 'is_storable': True, 'uom_id': self.kg.id})
        bom = self.env['mrp.bom'].create({'product_tmpl_id': free.product_tmpl_id.id, 'bom_line_ids': [(0, 0, {
            'product_id': self.component_a.id, 'product_qty': 1})]})

        def reserve():
            order = self.env['mrp.production'].create({'product_id': free.id, 'product_qty': 1200, 'bom_id': bom.id})
            order.action_confirm()
            order.do_unreserve()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            order.action_assign()
            self.env.flush_all()
            lots = order.move_raw_ids.move_line_ids.lot_id
            count = self.cr.sql_log_count - before
            order.do_unreserve()
            return lots, count

        reserve()
        lots, with_addon = reserve()
        self.assertEqual(lots, lot)
        self._sign(quarantined, 'release', self.user_qc)
        lots, with_addon = reserve()
        self.assertEqual(lots, lot | quarantined)
        self.patch(type(self.env['stock.move']), '_mmr_get_usable_lots', lambda self: None)
        self.patch(type(self.env['stock.move.line']), '_mmr_check_held', lambda self: None)
        self.patch(type(self.env['stock.move.line']), '_mmr_check_open', lambda self, written=False: None)
        _lots, without = reserve()
        self.assertEqual(with_addon, without)


@tagged('post_install', '-at_install')
class TestLotsInBatch(LotCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.revision = cls._make_effective(cls._create_mmr())
        cls.good = {product: cls._stock(product) for product in cls.component_a | cls.component_b}
        cls.lot = cls.good[cls.component_a]
        cls.order = cls._create_order()
        cls.order.action_confirm()
        cls._sign(cls.order.bpr_id, 'issue', cls._person('production'))
        cls.step = cls.order.bpr_id.step_ids.sorted('sequence')[0].with_user(cls.operator)

    def _weigh(self, lot, **vals):
        return self.step.action_record('weight', {'value': '90', 'lot_id': lot.id, **vals})

    def test_weighing(self):
        """USE-060: quarantined, rejected, expired, undecided lots, and those to be tested again, are refused."""
        self.step.action_start()
        before = self._put(self._create_lot("OLD"))
        self.assertEqual(before.mmr_status, 'quarantine')
        self._refused("Quarantine", self._weigh, before)
        self.component_a.product_tmpl_id.with_user(self.user_qc).sudo()
        undecided = self._put(self._create_lot("BEFORE"))
        self.env.flush_all()
        # A lot that was there before the addon has no status.
        self.env.cr.execute("ALTER TABLE stock_lot DISABLE TRIGGER mrp_mmr_guard_lot")
        self.env.cr.execute(SQL("UPDATE stock_lot SET mmr_status = NULL WHERE id = %s", undecided.id))
        self.env.cr.execute("ALTER TABLE stock_lot ENABLE TRIGGER mrp_mmr_guard_lot")
        self.env.invalidate_all()
        self._refused("no status", self._weigh, undecided)
        self._sign(undecided, 'release', self.user_qc)
        rejected = self._put(self._create_lot("BAD"))
        self._sign(rejected, 'reject', self.user_qc, comment="Lead")
        self._refused("Rejected", self._weigh, rejected)
        retest = self._put(self._create_lot("RETEST"))
        retest.with_user(self.user_qc).mmr_retest_date = fields.Date.today() + timedelta(days=1)
        self._sign(retest, 'release', self.user_qc)
        with freeze_time(fields.Datetime.now() + timedelta(days=1)):
            self._refused("retest date", self._weigh, retest)
        for lot in (before, rejected):
            with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "USE-060"), self.env.cr.savepoint():
                self.env['mrp.bpr.entry']._append({
                    'step_id': self.step.id, 'kind': 'weight', 'value': '90', 'lot_id': lot.id, 'lot_name': lot.name,
                    'data': {'quantity': '90'}, 'is_late': False, 'to_sign': False})
        self._weigh(undecided)
        self.assertEqual(self.step.entry_ids.lot_id, undecided)

    def test_check_of_the_status(self):
        """VER-030, 211.101(c)(1): the second person cannot sign for a lot that is not released any more."""
        self.step.action_start()
        self._weigh(self.lot)
        self._sign(self.step, 'performed', self.operator)
        self._sign(self.lot, 'quarantine', self.user_qc, comment="Complaint of the supplier")
        verifier = self._person('verifier')
        self._refused("VER-030", self.step.with_user(verifier).esign_prepare, 'verified')
        # By SQL neither: the signature would be there, its place at the step is refused.
        self.patch(type(self.step), '_check_lots_still_released', lambda self, point: None)
        with mute_logger('odoo.sql_db'):
            self.assertIn("VER-030", self._esign(self.step, 'verified', verifier)['refused'])
        self.assertFalse(self.step.verified_signature_id)

    def test_other_lot(self):
        """VER-030, AUD-020: the weighing goes on with another lot, by a correction that both persons sign."""
        self.step.action_start()
        answer = self._weigh(self.lot)
        self._sign(self.step, 'performed', self.operator)
        self._sign(self.lot, 'quarantine', self.user_qc, comment="Complaint of the supplier")
        # What was done with the old lot is still corrected truthfully.
        typo = self._weigh(self.lot, value='90.0')
        self.assertTrue(typo['to_sign'])
        other = self._put(self._create_lot("NEW"))
        self._refused("USE-060", self.step.action_record, 'weight', {'value': '90', 'lot_id': other.id}, reason="Other lot")
        self._sign(other, 'release', self.user_qc)
        answer = self.step.action_record(
            'weight', {'value': '90', 'lot_id': other.id}, reason="Lot withdrawn", corrects=answer['entry_id'])
        entry = self.env['mrp.bpr.entry'].browse(answer['entry_id'])
        self._sign(entry, 'corrected', self.operator)
        self._sign(entry, 'verified', self._person('verifier'))
        self.assertEqual(self.step._get_weights().lot_id, other)

    def test_addition(self):
        """VER-030: what was withdrawn after the check is not added to the batch either."""
        self.step.action_start()
        self._weigh(self.lot)
        self._sign(self.step, 'performed', self.operator)
        self._sign(self.step, 'verified', self._person('verifier'))
        self.assertEqual(self.step.next_point, 'added')
        self._sign(self.lot, 'quarantine', self.user_qc, comment="Complaint")
        self._refused("VER-030", self.step.esign_prepare, 'added')
        self._sign(self.lot, 'release', self.user_qc)
        self._sign(self.step, 'added', self.operator)
        # The addition was made: it is verified whatever became of the lot.
        self._sign(self.lot, 'quarantine', self.user_qc, comment="Again")
        self._sign(self.step, 'addition_verified', self._person('verifier'))

    def test_reservation(self):
        """USE-060: a controlled batch reserves released lots alone; what is withdrawn leaves the reservation."""
        quarantined = self._put(self._create_lot("AAA-first"), 5000)
        order = self._create_order()
        order.action_confirm()
        order.action_assign()
        move = order.move_raw_ids.filtered(lambda move: move.product_id == self.component_a)
        self.assertEqual(move.move_line_ids.lot_id, self.lot)
        self.assertEqual(move.quantity, 90)
        for attack in (
                lambda: move.move_line_ids.write({'lot_id': quarantined.id}),
                lambda: move.move_line_ids.sudo().copy({'lot_id': quarantined.id}),
                lambda: self.env['stock.move.line'].create({
                    'move_id': move.id, 'product_id': self.component_a.id, 'lot_id': quarantined.id, 'quantity': 1,
                    'product_uom_id': self.kg.id, 'location_id': move.location_id.id,
                    'location_dest_id': move.location_dest_id.id})):
            self._refused("USE-060", attack)
        self._sign(self.lot, 'quarantine', self.user_qc, comment="Complaint")
        self.assertFalse(move.move_line_ids)
        order.action_assign()
        self.assertFalse(move.move_line_ids)
        self._sign(quarantined, 'release', self.user_qc)
        order.action_assign()
        self.assertEqual(move.move_line_ids.lot_id, quarantined)

    def test_reservation_by_packages(self):
        """USE-060: where the fewest packages are taken, those with other lots are not counted."""
        self.component_a.categ_id = self.env['product.category'].create({
            'name': "Drums", 'removal_strategy_id': self.env.ref('stock.removal_least_packages').id})
        location = self.env.ref('stock.stock_location_stock')
        self.order.do_unreserve()
        released, quarantined = self.lot, self._create_lot("QUARANTINED")
        self._lay(self.component_a, location, -10000, lot_id=released)
        drums = self.env['stock.package'].create([{'name': "Small 1"}, {'name': "Small 2"}, {'name': "One for all"}])
        for drum, lot, quantity in zip(drums, (released, released, quarantined), (60, 30, 90), strict=True):
            self._lay(self.component_a, location, quantity, lot_id=lot, package_id=drum)
        order = self._create_order()
        order.action_confirm()
        order.action_assign()
        move = order.move_raw_ids.filtered(lambda move: move.product_id == self.component_a)
        self.assertEqual(move.move_line_ids.package_id, drums[:2])
        self.assertEqual((move.move_line_ids.lot_id, move.quantity), (released, 90))

    def test_completion(self):
        """USE-060: a lot that was not weighed and is not released is not consumed by closing the order either."""
        move = self.order.move_raw_ids.filtered(lambda move: move.product_id == self.component_a)
        self.order.action_assign()
        move.picked = True
        lot = move.move_line_ids.lot_id
        self._sign(lot, 'reject', self.user_qc, comment="Lead")
        self.assertTrue(move.move_line_ids)
        self._refused("STK-040", move._action_done)
        with transition(self.order), self.assertRefused('USE-060'):
            move._action_done()
        self.assertNotEqual(move.state, 'done')
        # It is taken out freely, and another one put in its place.
        move.move_line_ids.write({'lot_id': self._stock(self.component_a, self._create_lot("NEW")).id})
        move.move_line_ids.unlink()

    def test_rejected_after_use(self):
        """DEV-050, 111.77(b): rejecting a lot opens a deviation for exactly the batches into which it was weighed."""
        other = self._create_order()
        other.action_confirm()
        self._sign(other.bpr_id, 'issue', self._person('production'))
        self.step.action_start()
        self._weigh(self.lot)
        self._sign(self.lot, 'reject', self.user_qc, comment="Identity of drum 3")
        deviations = self.env['mrp.deviation'].search([('cause_key', '=', f'lot:{self.lot.id}')])
        self.assertRecordValues(deviations, [{
            'bpr_id': self.order.bpr_id.id, 'source': 'specification', 'severity': 'critical', 'is_blocking': True}])
        self.assertIn("Identity of drum 3", deviations.description)
        self._refused("IPC-020", self.step.esign_prepare, 'performed')
