"""The demonstration data load without error and are what they claim to be (PRD-110)."""

from odoo.exceptions import UserError
from odoo.modules import Manifest
from odoo.tests import TransactionCase, tagged
from odoo.tools import convert_file

from odoo.addons.mrp_mmr.tools import sha256


@tagged('post_install', '-at_install')
class TestDemo(TransactionCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not cls.env.ref('mrp_mmr.user_demo_preparer', raise_if_not_found=False):
            # No test needs a database with demonstration data: these load into the test's transaction.
            idref = {}
            for filename in Manifest.for_addon('mrp_mmr')['demo']:
                convert_file(cls.env, 'mrp_mmr', filename, idref, mode='init', noupdate=True)

    def _ref(self, name):
        return self.env.ref(f'mrp_mmr.{name}')

    def test_revisions(self):
        """A superseded, two effective, one submitted and one draft revision, each of its batch size."""
        for name, formulation, size, revision, state in [
            ('vitamin_c_100_1', 'VC500-A', 100, 1, 'superseded'),
            ('vitamin_c_100_2', 'VC500-A', 100, 2, 'effective'),
            ('vitamin_c_500_1', 'VC500-A', 500, 1, 'effective'),
            ('zinc_250_1', 'ZN15-A', 250, 1, 'submitted'),
            ('zinc_50_1', 'ZN15-A', 50, 1, 'draft'),
        ]:
            with self.subTest(name):
                self.assertRecordValues(self._ref(f'revision_demo_{name}'), [{
                    'formulation_code': formulation, 'batch_size': size, 'revision': revision, 'state': state}])

    def test_components(self):
        """The components of a tablet batch add up to the batch; water is a processing aid."""
        kilogram = self.env.ref('uom.product_uom_kgm')
        water = self._ref('product_demo_purified_water')
        for name in ('vitamin_c_100_1', 'vitamin_c_100_2', 'vitamin_c_500_1', 'zinc_250_1'):
            with self.subTest(name):
                revision = self._ref(f'revision_demo_{name}')
                lines = revision.bom_line_ids.filtered(lambda line: line.product_id != water)
                self.assertGreaterEqual(len(lines), 6)
                self.assertTrue(all(lines.mapped('operation_id')))
                self.assertAlmostEqual(
                    sum(line.product_uom_id._compute_quantity(line.gmp_qty, kilogram, round=False) for line in lines),
                    revision.batch_size, 6)
                self.assertTrue(all(revision.operation_ids.mapped('mmr_instruction')))

    def test_change(self):
        """Revision 2 changes the lubricant, with a reason."""
        revisions = self._ref('revision_demo_vitamin_c_100_1') | self._ref('revision_demo_vitamin_c_100_2')
        stearate = self._ref('product_demo_magnesium_stearate')
        self.assertEqual(
            [revision.bom_line_ids.filtered(lambda line: line.product_id == stearate).gmp_qty
             for revision in revisions.sorted('revision')],
            [1000, 750])
        self.assertIn("disintegrated", revisions[1].reason)

    def test_signatures(self):
        """They are real: intact, over the frozen content, of the preparer and of Quality Control."""
        for name, approved in [('vitamin_c_100_1', True), ('vitamin_c_100_2', True), ('vitamin_c_500_1', True),
                               ('zinc_250_1', False)]:
            with self.subTest(name):
                revision = self._ref(f'revision_demo_{name}')
                self.assertEqual(sha256(revision.document), revision.document_sha256)
                self.assertEqual(revision.prepared_signature_id.user_id, self._ref('user_demo_preparer'))
                self.assertEqual(
                    revision.approved_signature_id.user_id,
                    self._ref('user_demo_qc') if approved else self.env['res.users'])
                for signature in revision.prepared_signature_id | revision.approved_signature_id:
                    self.assertTrue(signature._is_intact())
                    self.assertEqual(signature.content_sha256, revision.document_sha256)

    def test_draft(self):
        """The draft shows what keeps a revision from being submitted."""
        citations = [citation for citation, _text in self._ref('revision_demo_zinc_50_1')._get_unmet_requirements()]
        self.assertIn("MMR-040, 21 CFR 111.205(a)", citations)
        self.assertIn("CON-110, 21 CFR 111.210(h)(4)", citations)

    def test_orders(self):
        """The confirmed order embeds revision 2 and has its components; the draft embeds nothing."""
        order = self._ref('production_demo_confirmed')
        revision = self._ref('revision_demo_vitamin_c_100_2')
        self.assertRecordValues(order, [{
            'state': 'confirmed', 'product_qty': 100, 'mmr_revision_id': revision.id,
            'bom_id': revision.bom_id.id, 'reservation_state': 'assigned'}])
        self.assertEqual(order.mmr_snapshot['document'], revision.document)
        self.assertEqual(order.mmr_snapshot_sha256, sha256(order.mmr_snapshot))
        self.assertEqual(
            [signature['login'] for signature in order.mmr_snapshot['signatures']], ['preparer', 'qc'])
        self.assertTrue(order.move_raw_ids)
        self.assertTrue(all(move.move_line_ids.lot_id for move in order.move_raw_ids))
        self.assertRecordValues(self._ref('production_demo_draft'), [{
            'state': 'draft', 'product_qty': 500, 'mmr_snapshot_sha256': False}])

    def test_ordinary_bom(self):
        """One bill of materials is left to try the button Create MMR on."""
        bom = self._ref('bom_demo_magnesium_powder')
        self.assertFalse(bom.mmr_revision_ids)
        self.assertFalse(bom.product_tmpl_id.mmr_controlled)

    def test_load_twice(self):
        """An update of the addon does not load them again."""
        models = ('mrp.mmr', 'mrp.mmr.revision', 'mrp.esignature', 'mrp.production')
        before = [self.env[model].search_count([]) for model in models]
        self.env['mrp.mmr.demo']._load()
        self.assertEqual([self.env[model].search_count([]) for model in models], before)

    def test_load_without_users(self):
        """Without the demonstration users nothing is loaded."""
        self.env['ir.model.data'].search([
            ('module', '=', 'mrp_mmr'), ('model', 'in', ('mrp.mmr', 'res.users'))]).unlink()
        count = self.env['mrp.mmr'].search_count([])
        with self.assertRaisesRegex(UserError, "preparer, qc, planner"):
            self.env['mrp.mmr.demo']._load()
        self.assertEqual(self.env['mrp.mmr'].search_count([]), count)
