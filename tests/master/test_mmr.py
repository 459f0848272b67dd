"""Masters: identity, batch size, units (MMR-010 to MMR-050)."""

from psycopg2.errors import CheckViolation, NotNullViolation, UniqueViolation

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import mute_logger

from ..common.base import MmrCommon, complete_content


class TestMmr(MmrCommon):

    def test_identity_is_mandatory(self):
        """MMR-010: product, formulation, batch size and profile identify an MMR; 0 and negative sizes fail."""
        for size in (0, -1, 0.0000001):
            with self.subTest(size=size), mute_logger('odoo.sql_db'), \
                    self.assertRaisesRegex(CheckViolation, "batch_size_positive"), self.cr.savepoint():
                self._create_mmr(batch_size=size)
                self.env.flush_all()
        for name in ('product_id', 'formulation_code', 'profile_id'):
            with self.subTest(field=name), mute_logger('odoo.sql_db'), self.assertRaisesRegex(NotNullViolation, name), \
                    self.cr.savepoint():
                self._create_mmr(**{name: False})
                self.env.flush_all()

    def test_key_is_unique_in_any_unit(self):
        """MMR-020: one MMR per formulation and batch size; 100 kg and 100 000 g are the same size."""
        self._create_mmr(100)
        self._create_mmr(500)
        self._create_mmr(100, formulation_code="B")
        for size, unit in ((100, self.kg), (100000, self.gram)):
            with self.subTest(unit=unit.name), mute_logger('odoo.sql_db'), self.assertRaises(UniqueViolation), \
                    self.cr.savepoint():
                self._create_mmr(size, uom_id=unit.id)
                self.env.flush_all()

    def test_size_is_exact(self):
        """MMR-030: sizes that differ by one unit of the rounding are different sizes."""
        for size in (100, 100.5, 99.99, 100.000001):
            self._create_mmr(size)
        self.assertEqual(self.env['mrp.mmr'].search_count([('product_id', '=', self.product.id)]), 4)

    def test_unit_must_convert(self):
        """MMR-030: litres are no size of a product that is weighed."""
        with self.assertRaisesRegex(ValidationError, "cannot be converted"):
            self._create_mmr(100, uom_id=self.litre.id)

    def test_every_kind_of_batch_size(self):
        """MMR-060: capsules, powder, liquid and devices live in one database."""
        for name, unit, size in (("Capsules", self.unit, 10000), ("Powder", self.kg, 100), ("Syrup", self.litre, 250),
                                 ("Device", self.unit, 50)):
            product = self.env['product.product'].create({
                'name': name, 'type': 'consu', 'is_storable': True, 'tracking': 'lot', 'uom_id': unit.id})
            revision = self._create_mmr(size, product_id=product.id, uom_id=unit.id)
            self._make_effective(revision)
            order = self._create_order(size, product=product)
            order.action_confirm()
            self.assertEqual(order.state, 'confirmed', name)
            self.assertEqual(order.mmr_snapshot['document']['batch_size']['unit'], unit.name)

    def test_number_and_revision_are_given_by_the_system(self):
        """REV-020: numbers are unique, given by the system and not writable."""
        first, second = self._create_mmr(100), self._create_mmr(500)
        self.assertNotEqual(first.mmr_id.name, second.mmr_id.name)
        self.assertEqual(first.revision, 1)
        for record, vals in ((first.mmr_id, {'name': "MMR/1"}), (first.mmr_id, {'last_revision': 7}), (first, {'revision': 9})):
            with self.subTest(vals=vals), self.assertRaisesRegex(UserError, "REV-020|APR-010"):
                record.with_user(self.user_preparer).sudo().write(vals)
        forged = self.env['mrp.mmr'].with_user(self.user_preparer).create({
            'name': "FORGED", 'last_revision': 40, 'product_id': self.product.id, 'formulation_code': "Z", 'batch_size': 1})
        self.assertNotEqual(forged.name, "FORGED")
        self.assertEqual(forged.open_revision_id.revision, 1)

    def test_identity_is_fixed_once_signed(self):
        """REV-040, MMR-040: the batch size changes freely before the first signature and never after."""
        revision = self._create_mmr(100)
        mmr = revision.mmr_id.with_user(self.user_preparer)
        mmr.batch_size = 120
        self.assertEqual(revision.bom_id.product_qty, 120)
        self.assertEqual(revision.bom_id.batch_size, 120)
        # The quantities were written for another size: MMR-040.
        self.assertEqual(revision.to_review_count, 3)
        with self.assertRaisesRegex(UserError, "MMR-040"):
            revision.with_user(self.user_preparer).action_submit()
        revision.with_user(self.user_preparer).action_review_quantities()
        self._sign(revision, 'submit', self.user_preparer)
        for vals in ({'batch_size': 130}, {'uom_id': self.gram.id}, {'formulation_code': "X"},
                     {'product_id': self.component_a.id}):
            with self.subTest(vals=vals), self.assertRaisesRegex(UserError, "MMR-040"):
                mmr.write(vals)
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "REV-040"), self.cr.savepoint():
            self.cr.execute('UPDATE mrp_mmr SET batch_size = 130 WHERE id = %s', [mmr.id])

    def test_unit_of_a_product_with_mmr_is_fixed(self):
        """MMR-030: the product's unit is part of the key."""
        self._create_mmr(100)
        with self.assertRaisesRegex(UserError, "MMR-030"):
            self.product.product_tmpl_id.uom_id = self.gram

    def test_mmr_is_not_duplicated_and_not_deleted_after_submission(self):
        """REC-040: a draft may go; what was ever submitted stays."""
        draft = self._create_mmr(300)
        with self.assertRaisesRegex(UserError, "MMR-020"):
            draft.mmr_id.copy()
        bom = draft.bom_id
        draft.mmr_id.with_user(self.user_preparer).unlink()
        self.assertFalse(bom.exists())
        revision = self._create_mmr(100)
        self._sign(revision, 'submit', self.user_preparer)
        self._sign(revision, 'reject', self.user_qc, comment="Wrong lot size")
        self.assertEqual(revision.state, 'draft')
        for record in (revision, revision.mmr_id):
            with self.assertRaisesRegex(UserError, "REC-040"):
                record.sudo().unlink()
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "REC-040"), self.cr.savepoint():
            self.cr.execute('DELETE FROM mrp_mmr_revision WHERE id = %s', [revision.id])

    def test_archive(self):
        """REC-040: a master record that is worked on or was signed is not archived away; an idea that came to nothing is."""
        revision = self._create_mmr(100)
        mmr = revision.mmr_id.with_user(self.user_preparer)
        with self.assertRaisesRegex(UserError, "REC-040"):
            mmr.action_archive()
        self._make_effective(revision)
        with self.assertRaisesRegex(UserError, "REC-040"):
            mmr.action_archive()
        self._sign(revision, 'retire', self.user_qc, comment="x")
        for user in (self.user_preparer, self.user_qc, self.env.ref('base.user_admin')):
            with self.assertRaisesRegex(UserError, "REC-040"):
                mmr.with_user(user).sudo().action_archive()
        self.env.flush_all()
        with mute_logger('odoo.sql_db'), self.assertRaisesRegex(CheckViolation, "REC-040"), self.cr.savepoint():
            self.cr.execute('UPDATE mrp_mmr SET active = false WHERE id = %s', [mmr.id])
        idea = self._create_mmr(200)
        idea.with_user(self.user_preparer).action_cancel()
        idea.mmr_id.with_user(self.user_preparer).action_archive()
        self.assertFalse(idea.mmr_id.active)

    def test_access(self):
        """SEC-010: planners and auditors read master records, preparers write them."""
        revision = self._create_mmr(100)
        for user in (self.user_planner, self.user_auditor, self.user_operator, self.user_qc):
            with self.subTest(user=user.login):
                self.assertTrue(revision.with_user(user).read(['state', 'product_id']))
                with self.assertRaises(AccessError):
                    revision.with_user(user).write({'reason': "x"})
                with self.assertRaises(AccessError):
                    self.env['mrp.mmr'].with_user(user).create(
                        {'product_id': self.product.id, 'formulation_code': "Q", 'batch_size': 5})

    def test_company_rule(self):
        """MMR-020: another company's MMR is neither seen nor usable."""
        other = self.env['res.company'].create({'name': "Other site"})
        revision = self._make_effective(self._create_mmr(100))
        user = self.user_planner.copy({
            'login': 't_other', 'company_id': other.id, 'company_ids': [(6, 0, other.ids)]})
        self.assertFalse(self.env['mrp.mmr'].with_user(user).search([('id', '=', revision.mmr_id.id)]))
        self.assertFalse(self.env['mrp.mmr.revision'].with_user(user).search([('id', '=', revision.id)]))
        # The product is shared and controlled: there is no MMR for it in the other company.
        order = self.env['mrp.production'].with_company(other).create({
            'product_id': self.product.id, 'product_qty': 100, 'company_id': other.id})
        with self.assertRaisesRegex(UserError, "no effective MMR in Other site"):
            order.action_confirm()

    def test_create_from_bom(self):
        """MMR-040: quantities are taken as they are, and marked where the size differs."""
        bom = self.env['mrp.bom'].create({
            'product_tmpl_id': self.product.product_tmpl_id.id, 'product_qty': 100, 'product_uom_id': self.kg.id,
            'operation_ids': [(0, 0, {'name': "Mix", 'workcenter_id': self.workcenter.id})],
            'bom_line_ids': [(0, 0, {'product_id': self.component_a.id, 'product_qty': 90})],
        })
        bom.bom_line_ids.operation_id = bom.operation_ids
        for size, marked in ((100, False), (500, True)):
            with self.subTest(size=size):
                wizard = self.env['mrp.mmr.create'].with_user(self.user_preparer).create({'bom_id': bom.id})
                self.assertEqual(wizard.batch_size, 100)
                wizard.batch_size = size
                self.assertEqual(wizard.is_other_size, marked)
                revision = self.env['mrp.mmr.revision'].browse(wizard.action_create()['res_id'])
                self.assertEqual(revision.revision, 1)
                self.assertFalse(revision.signature_count)
                self.assertEqual(revision.bom_line_ids.gmp_qty, 90)
                self.assertEqual(revision.bom_line_ids.mmr_to_review, marked)
                self.assertEqual(revision.bom_line_ids.operation_id, revision.operation_ids)
                self.assertFalse(revision.bom_id.active)
                self.assertTrue(revision.bom_id.enable_batch_size)
                self.assertEqual(revision.bom_id.batch_size, size)
        complete_content(revision.with_user(self.user_preparer))
        with self.assertRaisesRegex(UserError, "MMR-040"):
            revision.with_user(self.user_preparer).action_submit()
        revision.with_user(self.user_preparer).action_review_quantities()
        self.assertIn("reviewed", revision.message_ids[0].body)
        self._sign(revision, 'submit', self.user_preparer)
