"""The demonstration data load without error and are what they claim to be (PRD-110)."""

from unittest.mock import patch

from dateutil.relativedelta import relativedelta

from odoo.exceptions import UserError
from odoo.modules import Manifest
from odoo.tests import TransactionCase, tagged
from odoo.tools import convert_file

from odoo.addons.mrp_mmr.demo.loader import ROLES
from odoo.addons.mrp_mmr.domain.canonical import sha256
from odoo.addons.mrp_mmr.domain.sessions import own_sessions
from odoo.addons.mrp_mmr.verification.records import Verification

from ..common.refusals import RefusalCase
from ..common.signing import enrol_keys

EFFECTIVE = ('vitamin_c_100_2', 'vitamin_c_500_1', 'ibuprofen_50_1', 'dressing_kit_50_1', 'paracetamol_250_1')
#: Effective as well, and as short as a record can be.
POWDER = 'vitamin_c_powder_10_1'


@tagged('post_install', '-at_install')
class TestDemo(RefusalCase, TransactionCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Each person of a test works in an own session.
        cls.enterClassContext(own_sessions())
        if not cls.env.ref('mrp_mmr.user_demo_preparer', raise_if_not_found=False):
            # No test needs a database with demonstration data: these load into the test's transaction. The demonstration's
            # security administrator enrols the own key as the first of a database, which this one is not.
            enrol_all = type(cls.env['mrp.mmr.demo'])._enrol_keys

            def enrol_after_first(demo):
                enrol_keys(demo._get('user_security'), 'security')
                enrol_all(demo)

            cls.enterClassContext(patch.object(type(cls.env['mrp.mmr.demo']), '_enrol_keys', enrol_after_first))
            idref = {}
            for filename in Manifest.for_addon('mrp_mmr')['demo']:
                convert_file(cls.env, 'mrp_mmr', filename, idref, mode='init', noupdate=True)

    def _ref(self, name):
        return self.env.ref(f'mrp_mmr.{name}')

    def _revisions(self, *names):
        return self.env['mrp.mmr.revision'].concat(*(self._ref(f'revision_demo_{name}') for name in names))

    def test_revisions(self):
        """A superseded, six effective, one submitted and one draft revision, each of its batch size and profile."""
        for name, profile, formulation, size, revision, state in [
            ('vitamin_c_100_1', 'P111', 'VC500-A', 100, 1, 'superseded'),
            ('vitamin_c_100_2', 'P111', 'VC500-A', 100, 2, 'effective'),
            ('vitamin_c_500_1', 'P111', 'VC500-A', 500, 1, 'effective'),
            ('zinc_250_1', 'P111', 'ZN15-A', 250, 1, 'submitted'),
            ('zinc_50_1', 'P111', 'ZN15-A', 50, 1, 'draft'),
            ('ibuprofen_50_1', 'P211', 'IBU200-C', 50, 1, 'effective'),
            ('dressing_kit_50_1', 'PDEV', 'KIT2301-B', 50, 1, 'effective'),
            ('paracetamol_250_1', 'PEU', 'PAR24-B', 250, 1, 'effective'),
            (POWDER, 'P111', 'VCP100-A', 10, 1, 'effective'),
        ]:
            with self.subTest(name):
                self.assertRecordValues(self._ref(f'revision_demo_{name}'), [{
                    'profile_code': profile, 'formulation_code': formulation, 'batch_size': size, 'revision': revision,
                    'state': state}])

    def test_profiles(self):
        """Each profile has an effective MMR on which every requirement is met."""
        for profile in self.env['mrp.mmr.profile'].search([]):
            with self.subTest(profile.code):
                effective = self._revisions(*EFFECTIVE).filtered(lambda row, profile=profile: row.profile_id == profile)
                self.assertTrue(effective)
                self.assertEqual(effective.mapped('state'), ['effective'] * len(effective))
                for revision in effective:
                    rows = revision._evaluate_requirements()
                    self.assertGreater(len(rows), 20)
                    self.assertFalse([(row['code'], row['problems']) for row in rows if row['problems']])

    def test_qualifications(self):
        """Everybody who signs is qualified, by somebody else; one ends soon, one ended; a change was trained."""
        rows = self.env['mrp.qualification'].search([])
        for login in ('preparer', 'qc', 'qa', 'qp', 'qmanager', 'production', 'operator', 'verifier'):
            user = self._ref(f'user_demo_{login}')
            own = rows.filtered(lambda row, user=user: row.user_id == user and row.kind == 'role')
            self.assertIn('current', own.mapped('state'), login)
            self.assertEqual(
                set(own.granted_by_id), {self._ref(f"user_demo_{'security' if login == 'qmanager' else 'qmanager'}")})
        self.assertEqual(rows.filtered('is_expiring').user_id, self._ref('user_demo_verifier'))
        self.assertIn('expired', rows.mapped('state'))
        revision = self._ref('revision_demo_vitamin_c_100_2')
        self.assertTrue(revision.training_required)
        # Others may be in the database, of a company or of other tests.
        people = self.env['res.users'].union(*(self._ref(f'user_demo_{login}') for login in ROLES))
        self.assertFalse(revision.untrained_user_ids & people)
        self.assertTrue(revision.trained_user_ids & people)

    def test_content(self):
        """They hold what an inspector looks for, not the minimum that submission asks for."""
        for revision in self._revisions(*EFFECTIVE):
            with self.subTest(revision.display_name):
                self.assertGreaterEqual(len(revision.operation_ids), 5)
                self.assertTrue(all(revision.operation_ids.mapped('mmr_instruction')))
                kinds = set(revision.step_ids.mapped('kind'))
                self.assertLessEqual(
                    {'weigh', 'clearance', 'numeric', 'passfail', 'environment', 'sampling', 'equipment', 'label'}, kinds)
                self.assertTrue(revision.step_ids.check_ids)
                self.assertTrue(revision.step_ids.filtered('has_target'))
                self.assertTrue(revision.step_ids.sop_ids)
                self.assertTrue(revision.specification_ids.document_id)
                self.assertTrue(revision.pack_ids.label_id.file_id)
                self.assertTrue(all(row._is_intact() for row in revision.pack_ids.label_id.file_id))
                self.assertTrue(revision.reference_ids)
                self.assertTrue(revision.yield_rationale)

    def test_components(self):
        """What remains in the product adds up to the batch; water of granules and coats does not."""
        kilogram = self.env.ref('uom.product_uom_kgm')
        for name, total in [
            ('vitamin_c_100_1', 100), ('vitamin_c_100_2', 100), ('vitamin_c_500_1', 500), ('zinc_250_1', 250),
            ('ibuprofen_50_1', 50), ('paracetamol_250_1', 276),
        ]:
            with self.subTest(name):
                lines = self._ref(f'revision_demo_{name}').bom_line_ids.filtered(lambda line: not line.mmr_not_in_product)
                self.assertGreaterEqual(len(lines), 6)
                self.assertTrue(all(lines.mapped('operation_id')))
                self.assertAlmostEqual(
                    sum(line.product_uom_id._compute_quantity(float(line.gmp_qty), kilogram, round=False) for line in lines),
                    total, 6)

    def test_change(self):
        """Revision 2 changes lubricant, overage and one limit; the redline says so, and why."""
        revisions = self._revisions('vitamin_c_100_1', 'vitamin_c_100_2')
        stearate = self._ref('product_demo_magnesium_stearate')
        self.assertEqual(
            [revision.bom_line_ids.filtered(lambda line: line.product_id == stearate).gmp_qty for revision in revisions],
            [1000, 750])
        self.assertEqual(
            [[(line.mmr_overage, line.gmp_qty) for line in revision.bom_line_ids if line._has_overage()]
             for revision in revisions],
            [[(3, 82.4)], [(4, 83.2)]])
        self.assertIn("disintegrated", revisions[1].reason)
        groups = {change['group'] for change in revisions[1]._get_redline(revisions[0])['changes']}
        self.assertEqual(groups, {'identity', 'formula', 'overage', 'tests', 'text'})

    def test_overages(self):
        """Each overage has a rationale and was confirmed by Quality Control."""
        lines = self._revisions(*EFFECTIVE, 'vitamin_c_100_1').bom_line_ids.filtered(
            lambda line: line._has_overage())
        self.assertEqual(len(lines), 3)
        self.assertEqual(lines.mmr_overage_confirmed_id, self._ref('user_demo_qc'))
        self.assertTrue(all(lines.mapped('mmr_overage_rationale')))
        self.assertEqual(self._ref('revision_demo_zinc_250_1').overages_to_confirm, 1)

    def test_signatures(self):
        """They are real: intact, over the frozen content, of the preparer and of Quality Control."""
        for name in (*EFFECTIVE, POWDER, 'vitamin_c_100_1', 'zinc_250_1'):
            with self.subTest(name):
                revision = self._ref(f'revision_demo_{name}')
                self.assertEqual(sha256(revision.document), revision.document_sha256)
                self.assertTrue(revision._is_content_signed())
                self.assertEqual(revision.prepared_signature_id.user_id, self._ref('user_demo_preparer'))
                self.assertEqual(
                    revision.approved_signature_id.user_id,
                    self.env['res.users'] if name == 'zinc_250_1' else self._ref('user_demo_qc'))
                self.assertTrue(revision.signature_ids)
                for signature in revision.signature_ids:
                    self.assertTrue(signature._is_intact())
                    self.assertEqual(signature.content_sha256, revision.document_sha256)

    def test_drug(self):
        """Production reviewed the drug before Quality Control approved it; its label is signed."""
        revision = self._ref('revision_demo_ibuprofen_50_1')
        self.assertEqual([row['name'] for row in revision.document['reviewers']], ["Production"])
        self.assertEqual(revision.review_ids.signature_id.user_id, self._ref('user_demo_production'))
        self.assertLess(revision.review_ids.signature_id.id, revision.approved_signature_id.id)
        label = revision.pack_ids.label_id
        self.assertEqual(label.state, 'approved')
        self.assertEqual(label.approved_signature_id.user_id, self._ref('user_demo_qc'))
        self.assertTrue(label.approved_signature_id._is_intact())
        self.assertTrue(revision.document['packs'][0]['label']['approval'])
        for name in EFFECTIVE:
            if name != 'ibuprofen_50_1':
                self.assertFalse(self._ref(f'revision_demo_{name}').review_ids, name)

    def test_device(self):
        """Five sections, one of them not applicable with its reason."""
        sections = self._ref('revision_demo_dressing_kit_50_1').section_ids
        self.assertEqual(len(sections), 5)
        self.assertEqual(sections.filtered('not_applicable_reason').mapped('code'), ['service'])
        self.assertTrue(sections.file_id)

    def test_medicine(self):
        """Hold time, storage, environment and the date of the next review."""
        revision = self._ref('revision_demo_paracetamol_250_1')
        held = revision.operation_ids.filtered(lambda stage: (stage.mmr_hold_time or 0) > 0)
        self.assertTrue(held)
        self.assertTrue(all(held.mapped('mmr_storage_conditions')))
        self.assertIn('environment', revision.step_ids.mapped('kind'))
        self.assertEqual(revision.mmr_id.review_interval, 24)
        self.assertEqual(
            revision.mmr_id.date_next_review, revision._get_today() + relativedelta(months=24))

    def test_draft(self):
        """The draft shows what keeps a revision from being submitted: quantities and yields of another size."""
        draft = self._ref('revision_demo_zinc_50_1')
        citations = {citation for citation, _text in draft._get_unmet_requirements()}
        self.assertEqual(citations, {"MMR-040, 21 CFR 111.205(a)"})
        self.assertTrue(all(draft.bom_line_ids.mapped('mmr_to_review')))

    def test_orders(self):
        """One order waits on the superseded revision, one runs on revision 2, one waits to be issued, one is a draft."""
        for name, number, decision, state in [('superseded', 1, 'pending', 'confirmed'), ('confirmed', 2, False, 'progress')]:
            with self.subTest(name):
                order = self._ref(f'production_demo_{name}')
                revision = self._ref(f'revision_demo_vitamin_c_100_{number}')
                self.assertRecordValues(order, [{
                    'state': state, 'product_qty': 100, 'mmr_revision_id': revision.id, 'bom_id': revision.bom_id.id,
                    'mmr_decision': decision}])
                self.assertEqual(order.mmr_snapshot['document'], revision.document)
                self.assertEqual(order.mmr_snapshot_sha256, sha256(order.mmr_snapshot))
                self.assertEqual(
                    [signature['login'] for signature in order.mmr_snapshot['signatures']], ['preparer', 'qc'])
        order = self._ref('production_demo_waiting')
        self.assertEqual((order.state, order.bpr_id.state), ('confirmed', 'issue'))
        self.assertEqual(order.reservation_state, 'assigned')
        self.assertTrue(order.move_raw_ids)
        self.assertTrue(all(move.move_line_ids.lot_id for move in order.move_raw_ids))
        self.assertRecordValues(self._ref('production_demo_draft'), [{
            'state': 'draft', 'product_qty': 500, 'mmr_snapshot_sha256': False}])

    def test_equipment(self):
        """BPR-040, IPC-070: equipment is clean or in use by one product, and calibrated; one calibration is due soon."""
        names = self.env['ir.model.data'].search([('module', '=', 'mrp_mmr'), ('model', '=', 'maintenance.equipment')])
        units = self.env['maintenance.equipment'].browse(names.mapped('res_id'))
        self.assertEqual(len(units), 23)
        used = units.filtered(lambda unit: unit.mmr_cleaning_status == 'used')
        self.assertEqual(set((units - used).mapped('mmr_cleaning_status')), {'clean'})
        products = {unit.name.split()[0]: unit.mmr_used_product_ids.default_code for unit in used}
        self.assertNotIn(False, products.values(), "no unit was used for two products without cleaning")
        # What the batch that is in dispensing has at hand.
        self.assertEqual({products[name] for name in ('SC-01', 'SC-02', 'SV-01')}, {'FP-2001'})
        instruments = units.filtered('mmr_is_instrument')
        self.assertEqual(
            {unit.serial_no: unit.mmr_calibration_status for unit in instruments},
            {'FS-220417': 'good', 'BB-118830': 'good', 'BB-118831': 'soon', 'TT-4410': 'good', 'PH-33107': 'good'})
        self.assertEqual(set(units.mmr_log_ids.mapped('state')), {'valid'})

    def test_lots(self):
        """USE-060: the lots in stock are released by signatures; one waits for Quality Control."""
        names = self.env['ir.model.data'].search([('module', '=', 'mrp_mmr'), ('model', '=', 'stock.lot')])
        lots = self.env['stock.lot'].browse(names.mapped('res_id'))
        waiting = lots.filtered(lambda lot: lot.mmr_status == 'quarantine')
        self.assertEqual(waiting, self._ref('lot_demo_ascorbic_acid_2'))
        self.assertEqual(set((lots - waiting).mapped('mmr_status')), {'released'})
        self.assertEqual((lots - waiting).mmr_status_signature_id.user_id, self._ref('user_demo_qc'))

    def _entries(self, bpr, kind):
        return bpr.step_ids.entry_ids.filtered(lambda entry: entry.kind == kind)

    def test_batch_done(self):
        """PRD-110: one batch is complete: all signatures, a decided deviation after a retest, a late entry, labels, yields."""
        order = self._ref('production_demo_done')
        bpr = order.bpr_id
        self.assertRecordValues(order, [{'state': 'done', 'qty_produced': 9.8}])
        self.assertRecordValues(bpr, [{'state': 'done', 'progress': 100, 'open_deviation_count': 0}])
        self.assertRecordValues(order.lot_producing_ids, [{'name': "VCP-0031", 'product_qty': 9.8}])
        self.assertEqual(set(bpr.step_ids.mapped('state')), {'done'})
        for step in bpr.step_ids:
            self.assertEqual([point for point in step.points if not step[f'{point}_signature_id']], [], step.display_name)
        [deviation] = bpr.deviation_ids
        self.assertEqual((deviation.state, deviation.step_id.retest_count), ('closed', 1))
        self.assertEqual(deviation.decision_signature_id.user_id, self._ref('user_demo_qc'))
        self.assertEqual(
            [(entry.value, entry.outcome) for entry in deviation.step_id.entry_ids if entry.kind == 'value'],
            [('99.6', 'fail'), ('100.8', 'pass')])
        late = bpr.step_ids.entry_ids.filtered('is_late')
        self.assertEqual(late.mapped('kind'), ['comment'])
        self.assertTrue(late.reason)
        labels = self._entries(bpr, 'labels')
        self.assertEqual((labels.outcome, labels.data['difference'], labels.data['finished_difference']), ('pass', '0', '0'))
        self.assertEqual(self._entries(bpr, 'yield').mapped('outcome'), ['pass', 'pass'])
        self.assertEqual({entry.data['difference'] for entry in self._entries(bpr, 'material')}, {'0'})
        consumed = order.move_raw_ids.move_line_ids
        self.assertEqual([(line.lot_id.name, line.quantity, line.state) for line in consumed], [
            ("AA-2509-014", 10, 'done'), ("BT-150-2604", 100, 'done'), ("CR-38-1190", 99, 'done'), ("LB-2611-07", 110, 'done')])

    def test_batches_released(self):
        """PRD-110, REL-020, REL-040: a batch of each profile is released by somebody who did nothing in it."""
        for name, profile, quantity, produced, certified in [
                ('done', 'P111', '9.8', 9.8, False), ('drug', 'P211', '49.15', 49.15, False),
                ('device', 'PDEV', '48', 50, False), ('medicine', 'PEU', '247.5', 247.5, True)]:
            with self.subTest(name):
                order = self._ref(f'production_demo_{name}')
                bpr = order.bpr_id
                self.assertEqual(order.mmr_id.profile_id.code, profile)
                self.assertRecordValues(order, [{'state': 'done', 'qty_produced': produced}])
                self.assertRecordValues(bpr, [{
                    'state': 'done', 'release_state': 'released', 'packed_state': 'released', 'quantity_released': quantity,
                    'open_deviation_count': 0}])
                self.assertRecordValues(bpr.lot_ids, [{'mmr_status': 'released'}])
                self.assertTrue(bpr.retain_until, bpr.retention_basis)
                self.assertEqual(bpr.document_sha256, sha256(bpr.document))
                self.assertEqual(
                    (bpr.review_signature_id | bpr.release_signature_id | bpr.packed_release_signature_id).user_id,
                    self._ref('user_demo_qa'))
                self.assertEqual(bool(bpr.certification_signature_id), certified)
                self.assertFalse([test for test in bpr._get_tests()[bpr] if test['state'] != 'pass'])
                self.assertEqual(bool(bpr.sample_ids.filtered(lambda row: row.kind == 'reserve')), name != 'device')

    def test_batch_to_review(self):
        """PRD-110, REL-010, REL-030: one completed batch is in quarantine; its review shows what is open and corrected."""
        bpr = self._ref('production_demo_review').bpr_id
        self.assertRecordValues(bpr, [{'state': 'done', 'release_state': 'review'}])
        self.assertRecordValues(bpr.lot_ids, [{'name': "VCP-0033", 'mmr_status': 'quarantine'}])
        review = bpr.with_user(self._ref('user_demo_qa')).get_review()
        rules = {rule['code']: rule for group in review['groups'] for rule in group['rules']}
        self.assertEqual(len(rules['corrections']['items']), 1)
        self.assertEqual(rules['deviations']['items'], [])
        self.assertIn("no result", ' '.join(issue['text'] for issue in review['issues']))

    def test_batch_rejected(self):
        """PRD-110, DEV-040, REL-010: one batch was rejected in the middle; nothing of it goes on."""
        bpr = self._ref('production_demo_rejected').bpr_id
        self.assertEqual((bpr.release_state, bpr.deviation_ids.disposition, bpr.deviation_ids.state),
                         ('rejected', 'reject', 'closed'))
        step = bpr.step_ids.filtered(lambda step: step.state == 'started')
        with self.assertRefused('REL-030'):
            step.with_user(self._ref('user_demo_operator')).action_record('value', {'value': "100"})

    def test_capa(self):
        """PRD-110, DEV-090: the rejection has a CAPA, whose actions wait for their owners."""
        capa = self._ref('production_demo_rejected').bpr_id.deviation_ids.capa_id
        self.assertEqual((len(capa.action_ids), capa.open_action_count, capa.is_overdue), (3, 3, False))
        self.assertTrue(capa.cause_id and capa.effectiveness_criterion and capa.effectiveness_due)

    def test_quality_review(self):
        """PRD-110, RPT-030: the review of the powder has begun, with the figures of its batches."""
        product = self._ref('production_demo_done').product_id
        review = self.env['mrp.quality.review'].search([('product_ids', '=', product.id)])
        self.assertEqual((len(review), review.state), (1, 'draft'))
        for bpr in product.env['mrp.bpr'].search([('product_id', '=', product.id), ('release_state', '!=', 'none')]):
            self.assertIn(bpr.lot_producing_ids.name, review.figures_html)

    def test_batch_running(self):
        """PRD-110: one batch is in dispensing: containers and lots, a correction with its reason, a hand-over, a step begun."""
        bpr = self._ref('production_demo_confirmed').bpr_id
        self.assertEqual((bpr.state, bpr.is_on_hold, bpr.lot_producing_ids.name), ('progress', False, "VC5-0118"))
        acid, cellulose, current = (bpr.step_ids.filtered(lambda step, name=name: step.name == f"Weigh {name}") for name in (
            "Ascorbic acid", "Microcrystalline cellulose PH-102", "Croscarmellose sodium"))
        self.assertEqual((acid | cellulose).mapped('state'), ['done', 'done'])
        self.assertEqual(sum(float(entry.value) for entry in acid._get_weights()), 83.2)
        self.assertEqual(self._entries(bpr, 'weight').filtered('supersedes_id').supersedes_id.value, "25.50")
        self.assertEqual(cellulose._get_weights().lot_id.mapped('name'), ["MC-88231", "MC-88307"])
        self.assertEqual((bpr.current_step_id, current.state), (current, 'started'))
        self.assertEqual(self._entries(bpr, 'handover').step_id, current)
        self.assertFalse(bpr.deviation_ids)

    def test_batch_stopped(self):
        """PRD-110, IPC-020: one batch waits for the decision on a deviation, and nothing of it goes on."""
        bpr = self._ref('production_demo_stopped').bpr_id
        self.assertEqual((bpr.state, bpr.is_on_hold), ('progress', True))
        [deviation] = bpr.deviation_ids
        self.assertRecordValues(deviation, [{'state': 'open', 'source': 'specification', 'is_blocking': True}])
        self.assertLessEqual(deviation.activity_ids.user_id, self._ref('user_demo_qc') | self._ref('user_demo_qa'))
        self.assertTrue(deviation.activity_ids)
        step = bpr.current_step_id.with_user(self._ref('user_demo_operator'))
        self.assertEqual((step, step.state), (deviation.step_id, 'started'))
        with self.assertRaisesRegex(UserError, deviation.name):
            step.esign_prepare('performed')
        with self.assertRaisesRegex(UserError, "authorise a retest"):
            step.action_record('value', {'value': "15"})

    def test_evidence(self):
        """AUD-040, REC-060: verification finds nothing in what the demonstration's people did."""
        self.env.flush_all()
        verification = Verification(self.env.cr)
        self.assertEqual(list(verification), [])
        self.assertGreater(verification.counts['signatures'], 150)

    def test_stock(self):
        """Components of one batch of everything are there, by lot."""
        for name in (*EFFECTIVE, POWDER, 'zinc_250_1'):
            for line in self._ref(f'revision_demo_{name}').bom_line_ids:
                with self.subTest(f"{name}: {line.product_id.name}"):
                    self.assertGreaterEqual(
                        line.product_id.qty_available, line.product_uom_id._compute_quantity(
                            float(line.gmp_qty), line.product_id.uom_id, round=False))

    def test_ordinary_bom(self):
        """One bill of materials is left to try the button Create MMR on."""
        bom = self._ref('bom_demo_magnesium_powder')
        self.assertFalse(bom.mmr_revision_ids)
        self.assertFalse(bom.product_tmpl_id.mmr_controlled)

    def test_load_twice(self):
        """An update of the addon does not load them again."""
        models = ('mrp.mmr', 'mrp.mmr.revision', 'mrp.esignature', 'mrp.production', 'mrp.bpr.entry')
        before = [self.env[model].search_count([]) for model in models]
        self.env['mrp.mmr.demo']._load()
        self.assertEqual([self.env[model].search_count([]) for model in models], before)

    def test_load_without_users(self):
        """Without the demonstration users nothing is loaded."""
        self.env['ir.model.data'].search([
            ('module', '=', 'mrp_mmr'), ('model', 'in', ('mrp.mmr', 'res.users'))]).unlink()
        count = self.env['mrp.mmr'].search_count([])
        with self.assertRaisesRegex(UserError, "planner, security, preparer, qc, qa, qp"):
            self.env['mrp.mmr.demo']._load()
        self.assertEqual(self.env['mrp.mmr'].search_count([]), count)
