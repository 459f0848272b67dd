"""Change control: new revisions, where used, reviews in time, running orders, copies to another size or product."""

from contextlib import contextmanager

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from ..common.base import MmrCommon, fill_content


class ChangeCommon(MmrCommon):

    @contextmanager
    def _undone(self):
        with self.cr.savepoint() as savepoint:
            yield
            savepoint.rollback()
        self.env.invalidate_all()

    @classmethod
    def _effective(cls, revision):
        cls._make_effective(revision)
        return revision


@tagged('post_install', '-at_install')
class TestChange(ChangeCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bottle, cls.label_stock = cls.env['product.product'].create([
            {'name': name, 'type': 'consu', 'uom_id': unit.id} for name, unit in (("Bottle", cls.kg), ("Label", cls.unit))])
        cls.full = cls._create_mmr(100)
        fill_content(cls.full, cls.bottle)
        cls.full.pack_ids.label_id.sudo().product_id = cls.label_stock
        cls.full.bom_line_ids.filtered(lambda line: line._has_overage()).with_user(cls.user_qc).action_confirm_overage()
        cls._effective(cls.full)
        cls.other_product = cls.env['product.product'].create({
            'name': "Vitamin C forte", 'type': 'consu', 'is_storable': True, 'tracking': 'lot', 'uom_id': cls.kg.id})
        cls.plain = cls._effective(cls._create_mmr(100, product_id=cls.other_product.id))

    @classmethod
    def _create_mmr(cls, *args, **kwargs):
        revision = super()._create_mmr(*args, **kwargs)
        for requirement in cls.env['mrp.mmr.requirement'].search([('check', '=', False)]):
            revision.env['mrp.mmr.answer'].create({
                'revision_id': revision.id, 'requirement_id': requirement.id, 'answer': "None."})
        return revision

    # === NEW REVISION === #

    def test_dialog(self):
        """REV-030: the dialog asks for category, description and reason, and opens the draft that it made."""
        action = self.full.with_user(self.user_preparer).action_new_revision()
        wizards = self.env[action['res_model']].with_user(self.user_preparer).with_context(**action['context'])
        form = Form(wizards)
        self.assertEqual(form.revision_ids.ids, self.full.ids)
        for name in ('description', 'reason'):
            with self.assertRaisesRegex(AssertionError, "required"):
                form.save()
            form[name] = f"The {name}"
        form.change_category = 'process'
        form.date_effective = fields.Date.add(fields.Date.today(), days=9)
        opened = form.save().action_create()
        draft = self.env[opened['res_model']].browse(opened['res_id'])
        self.assertRecordValues(draft, [{
            'mmr_id': self.full.mmr_id.id, 'revision': 2, 'state': 'draft', 'change_category': 'process',
            'description': "The description", 'reason': "The reason",
            'date_effective': fields.Date.add(fields.Date.today(), days=9)}])
        self.assertIn(self.user_preparer, draft.editor_ids)
        self.assertNotIn('initial', dict(wizards._fields['change_category'].selection))
        with self.assertRaisesRegex(UserError, "has the open revision 2(?s:.)*REV-020"):
            self.full.with_user(self.user_preparer).action_new_revision()
        for user in (self.user_planner, self.user_qc, self.user_auditor):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.env['mrp.mmr.change'].with_user(user).create({
                    'revision_ids': self.plain.ids, 'description': "x", 'reason': "x"}).action_create()

    def test_everything_is_copied(self):
        """REV-030, USE-030: the next revision says the same in every field of content; signatures and dates are new."""
        draft = self._new_revision(self.full)
        before, after = dict(self.full.document), draft._prepare_document()
        for document in (before, after):
            for key in ('revision', 'change', 'effective_date'):
                document.pop(key)
        # Whether a change needs training is said of each change.
        self.assertTrue(before.pop('training_required'))
        self.assertFalse(draft.training_required)
        self.maxDiff = None
        self.assertEqual(after, before)
        self.assertFalse(draft.bom_line_ids.mmr_overage_confirmed_id)
        self.assertFalse(draft.to_review_count)
        self.assertEqual(draft.editor_ids, self.user_preparer)

    def test_older_revision_as_source(self):
        """REV-030, PRD-040: a revision is copied from any earlier one; a rejected wording is not lost."""
        second = self._new_revision(self.plain)
        second.with_user(self.user_preparer).precautions = "Only in the second."
        self._make_effective(second)
        third = self._new_revision(self.plain)
        self.assertEqual((third.revision, third.precautions), (3, "Protect from moisture."))
        third.with_user(self.user_preparer).action_cancel()
        self.assertEqual(self._new_revision(third).revision, 4)

    # === WHERE USED === #

    def _where_used(self, user=None, **vals):
        return self.env['mrp.mmr.where.used'].with_user(user or self.user_planner).create(vals)

    def test_where_used(self):
        """REV-040: every MMR is found that uses a component, material, label, equipment, document or supplier."""
        unit = self.full.equipment_ids.equipment_id
        category = self.full.equipment_ids.category_id
        mate = self.env['maintenance.equipment'].create({'name': "Blender 2", 'category_id': category.id})
        step = self.full.step_ids.filtered('sop_ids')
        specifications = self.full.specification_ids
        both, only_full, nothing = self.full | self.plain, self.full, self.full.browse()
        cases = [
            ({'product_id': self.component_a}, both), ({'product_id': self.bottle}, only_full),
            ({'product_id': self.label_stock}, both), ({'product_id': self.component_other}, nothing),
            ({'label_id': self.full.pack_ids.label_id}, both),
            ({'equipment_id': unit}, only_full), ({'category_id': category}, both),
            ({'equipment_id': mate}, both), ({'sop_id': step.sop_ids}, only_full), ({'sop_id': step.method_id}, only_full),
            ({'sop_id': self.full.reference_ids.sop_id[-1]}, only_full),
            ({'sop_id': specifications.document_id.filtered(lambda sop: sop.code == 'SPEC-1')}, both),
            ({'partner_id': self.full.bom_line_ids.mmr_supplier_id}, only_full),
            ({'product_id': self.component_a, 'equipment_id': unit}, only_full),
            ({'product_id': self.component_other, 'category_id': category}, nothing),
            ({}, nothing),
        ]
        for vals, expected in cases:
            with self.subTest(vals=vals):
                self.assertTrue(all(record.ensure_one() for record in vals.values()))
                for user in (self.user_planner, self.user_auditor, self.user_qc):
                    wizard = self._where_used(user, **{name: record.id for name, record in vals.items()})
                    self.assertEqual((wizard.revision_ids, wizard.revision_count), (expected, len(expected)))
        # A label that is no stock is not found by 'no product'.
        self.assertFalse(self._where_used(product_id=False, label_id=False).revision_ids)

    def test_equipment_is_readable(self):
        """SEC-010, CON-140: who reads master records reads the equipment that they name, and changes none of it."""
        row = self.full.equipment_ids.filtered('equipment_id')
        for user in (self.user_preparer, self.user_qc, self.user_planner, self.user_operator, self.user_auditor):
            with self.subTest(user=user.login):
                self.env.invalidate_all()
                self.assertEqual(row.with_user(user).display_name, "Test blender 1")
                equipment = self.env['maintenance.equipment'].with_user(user)
                self.assertIn(row.equipment_id, equipment.search([('name', '=', "Test blender 1")]))
                for call in (lambda row=row, user=user: row.equipment_id.with_user(user).write({'name': "x"}),
                             lambda equipment=equipment: equipment.create({'name': "x"})):
                    with self.assertRaises(AccessError):
                        call()

    def test_where_used_by_status(self):
        """REV-040: effective revisions are found; drafts on request; the past is not."""
        second = self._new_revision(self.plain)
        vals = {'product_id': self.component_a.id}
        self.assertEqual(self._where_used(**vals).revision_ids, self.full | self.plain)
        self.assertEqual(self._where_used(include_drafts=True, **vals).revision_ids, self.full | self.plain | second)
        self._make_effective(second)
        self.assertEqual(self._where_used(include_drafts=True, **vals).revision_ids, self.full | second)
        self._sign(second, 'retire', self.user_qc, comment="Over")
        self.assertEqual(self._where_used(**vals).revision_ids, self.full)

    def test_change_of_many(self):
        """REV-040: one reason opens a draft of every MMR that was found; open ones are left out and named."""
        third = self._effective(self._create_mmr(300))
        opened = self._new_revision(third, reason="Something else")
        wizard = self._where_used(self.user_preparer, product_id=self.component_a.id)
        self.assertEqual(wizard.revision_ids, self.full | self.plain | third)
        action = wizard.action_change()
        form = Form(self.env['mrp.mmr.change'].with_user(self.user_preparer).with_context(**action['context']))
        self.assertEqual(form.blocked_ids.ids, opened.ids)
        form.reason, form.description, form.change_category = "Supplier closed", "New supplier", 'formula'
        result = form.save().action_create()
        drafts = self.env['mrp.mmr.revision'].search(result['domain'])
        self.assertEqual(drafts.mmr_id, (self.full | self.plain).mmr_id)
        self.assertEqual(set(drafts.mapped('reason')), {"Supplier closed"})
        self.assertEqual(set(drafts.mapped('state')), {'draft'})
        self.assertEqual(opened.reason, "Something else")
        self.assertEqual((self.full | self.plain | third).mapped('state'), ['effective'] * 3)
        # Again: nothing is left to do, and it says which revisions are in the way.
        with self.assertRaisesRegex(UserError, "has the open revision(?s:.)*REV-020"):
            form.save().action_create()
        nothing = self._where_used(self.user_preparer, product_id=self.component_other.id)
        with self.assertRaisesRegex(UserError, "No effective MMR uses what you chose(?s:.)*REV-040"):
            nothing.action_change()

    def test_two_revisions_of_one_mmr(self):
        """REV-020: one MMR chosen twice gets one draft."""
        second = self._make_effective(self._new_revision(self.plain))
        wizard = self.env['mrp.mmr.change'].with_user(self.user_preparer).create({
            'revision_ids': (self.plain | second).ids, 'description': "x", 'reason': "x"})
        draft = self.env['mrp.mmr.revision'].browse(wizard.action_create()['res_id'])
        self.assertEqual((draft.mmr_id, draft.revision), (second.mmr_id, 3))

    # === REVIEW IN TIME === #

    def test_next_review(self):
        """REV-070: effective revisions plan the next review; overdue ones are listed, and block where the company says so."""
        mmr, today = self.plain.mmr_id, fields.Date.today()
        self.assertEqual(mmr.date_next_review, fields.Date.add(today, months=24))
        overdue = self.env['mrp.mmr'].with_user(self.user_planner)
        domain = [('is_review_overdue', '=', True)]
        due = mmr.date_next_review
        with freeze_time(due):
            self.env.invalidate_all()
            self.assertFalse(mmr.is_review_overdue, "due is not overdue")
            self.assertNotIn(mmr, overdue.search(domain))
        with freeze_time(fields.Date.add(due, days=1)):
            self.env.invalidate_all()
            self.assertTrue(mmr.is_review_overdue)
            self.assertIn(mmr, overdue.search(domain))
            self.assertNotIn(mmr, overdue.search([('is_review_overdue', '=', False)]))
            order = self._create_order(product=self.other_product)
            order.action_confirm()
            self.assertEqual(order.state, 'confirmed', "not blocking by default")
            self.company.mmr_block_overdue_review = True
            order = self._create_order(product=self.other_product)
            with self.assertRaisesRegex(UserError, "The review of MMR.* was due on (?s:.)*REV-070(?s:.)*periodic review"):
                order.action_confirm()
            self.assertEqual(order.state, 'draft')
            self._sign(self.plain, 'periodic_review', self.user_qc)
            order.action_confirm()
            self.assertEqual(order.state, 'confirmed')

    def test_interval(self):
        """REV-070: the interval comes from the profile and is the MMR's own; 0 plans nothing; a new revision plans anew."""
        mmr = self.plain.mmr_id
        mmr.with_user(self.user_preparer).review_interval = 6
        second = self._make_effective(self._new_revision(self.plain))
        self.assertEqual(mmr.date_next_review, fields.Date.add(fields.Date.today(), months=6))
        self.assertEqual(second.mmr_id, mmr)
        never = self._create_mmr(700, review_interval=0)
        self._make_effective(never)
        self.assertFalse(never.mmr_id.date_next_review or never.mmr_id.is_review_overdue)

    # === RUNNING ORDERS === #

    def _running(self):
        """Return a released order whose revision was superseded."""
        order = self._create_order(product=self.other_product)
        order.action_confirm()
        self._make_effective(self._new_revision(self.plain))
        self.assertEqual((order.state, order.mmr_revision_id, order.mmr_decision), ('confirmed', self.plain, 'pending'))
        return order

    def _decide(self, order, action, user=None, comment="Assessed"):
        return self._esign(order, action, user or self.user_qc, comment=comment)

    def test_list_of_running_orders(self):
        """REV-060: released orders are listed to Quality Control; drafts follow; closed ones do not count."""
        draft = self._create_order(product=self.other_product)
        cancelled = self._create_order(product=self.other_product)
        cancelled.action_confirm()
        cancelled.action_cancel()
        snapshot = self._running()
        self.assertFalse(cancelled.mmr_decision or draft.mmr_decision)
        draft.action_confirm()
        self.assertEqual(draft.mmr_revision_id.revision, 2)
        self.assertFalse(draft.mmr_decision)
        self.assertEqual(snapshot.mmr_snapshot['document'], self.plain.document)
        self.assertEqual(self.plain.running_order_count, 1)
        action = self.plain.with_user(self.user_qc).action_view_running_orders()
        self.assertEqual(self.env['mrp.production'].with_user(self.user_qc).search(action['domain']), snapshot)
        self.assertIn(self.user_qc, self.plain.activity_ids.user_id)
        self.assertTrue(all("Continue or stop" in summary for summary in self.plain.activity_ids.mapped('summary')))
        self._decide(snapshot, 'continue')
        self.assertFalse(self.plain.activity_ids)
        self.assertEqual(self.plain.running_order_count, 0)

    def test_decision_is_signed(self):
        """REV-060: only Quality Control decides, with reason and signature, and only about listed orders."""
        order = self._running()
        for user in (self.user_preparer, self.user_planner, self.user_manager, self.env.ref('base.user_admin')):
            for method in ('action_mmr_stop', 'action_mmr_continue'):
                with self.subTest(user=user.login, method=method), self.assertRaisesRegex(AccessError, "APR-050"):
                    getattr(order.with_user(user), method)()
        self.assertIn("reason", self._decide(order, 'stop', comment=" ")['refused'])
        self.assertIn("SIG-040", self._esign(order, 'stop', self.user_qc, password="x", comment="y")['refused'])
        for user in (self.user_qc, self.user_manager):
            for vals in ({'mmr_decision': 'continue'}, {'mmr_decision': False}, {'mmr_decision_signature_id': 1}):
                with self.subTest(user=user.login, vals=vals), self.assertRaisesRegex(UserError, "REV-060"):
                    order.with_user(user).sudo().write(vals)
        answer = self._decide(order, 'stop', comment="Wrong excipient")
        signature = self.env['mrp.esignature'].browse(answer['signature_id'])
        self.assertEqual((order.mmr_decision, order.mmr_decision_signature_id), ('stop', signature))
        self.assertEqual(signature.content, {
            'schema': 'mrp_mmr/decision/1', 'order': order.name, 'decision': 'stop', 'mmr': self.plain.mmr_id.name,
            'revision': 1, 'revision_state': 'superseded', 'effective_revision': 2,
            'snapshot_sha256': order.mmr_snapshot_sha256})
        self.assertIn("Wrong excipient", ''.join(order.message_ids.mapped('body')))
        free = self._create_order(product=self.other_product)
        free.action_confirm()
        with self.assertRaisesRegex(UserError, "is not waiting for this signature(?s:.)*REV-060"):
            free.with_user(self.user_qc).action_mmr_stop()
        born = self.env['mrp.production'].with_user(self.user_planner).with_context(default_mmr_decision='continue').create({
            'product_id': self.other_product.id, 'product_qty': 100, 'mmr_decision': 'continue'})
        self.assertFalse(born.mmr_decision or order.copy().mmr_decision)

    def test_stop(self):
        """REV-060: a stopped batch begins no further step and is not completed, by no button and no call."""
        order = self._running()
        self.assertEqual(len(order.workorder_ids), 2)
        first, second = order.workorder_ids
        self._decide(order, 'continue', comment="No risk")
        first.with_user(self.user_operator).button_start()
        self._decide(order, 'stop', comment="Wrong excipient")
        stopped = "was stopped by Test t_qc: Wrong excipient(?s:.)*REV-060"
        order.qty_producing = 100
        calls = {
            'start': second.button_start, 'finish': second.button_finish, 'mark': second.action_mark_as_done,
            'start again': first.button_start,
            'state': lambda: second.write({'state': 'done'}), 'progress': lambda: second.write({'state': 'progress'}),
            'set_state': lambda: second.set_state('progress'),
            'done': order.button_mark_done, 'done without backorder': order.with_context(
                skip_backorder=True, skip_consumption=True, skip_immediate=True).button_mark_done,
        }
        for name, call in calls.items():
            with self.subTest(call=name), self.assertRaisesRegex(UserError, stopped), self.cr.savepoint():
                call()
            self.env.invalidate_all()
        self.assertEqual((first.state, second.state in ('ready', 'blocked')), ('progress', True))
        # What runs may be brought to an end, and the order be cancelled.
        with self._undone():
            first.button_finish()
            self.assertEqual(first.state, 'done')
        order.action_cancel()
        self.assertEqual(order.state, 'cancel')

    def test_sql_and_stopped_orders(self):
        """REV-060: PostgreSQL finishes no stopped order, and takes no decision without a signature over this order."""
        order, = self._running()
        other = self._create_order(product=self.other_product)
        other.action_confirm()
        self._decide(order, 'stop')
        stop = order.mmr_decision_signature_id
        statements = [
            ("UPDATE mrp_production SET state = 'done' WHERE id = %s", [order.id]),
            ("UPDATE mrp_production SET mmr_decision = 'continue' WHERE id = %s", [order.id]),
            ("UPDATE mrp_production SET mmr_decision = NULL WHERE id = %s", [order.id]),
            ("UPDATE mrp_production SET mmr_decision = NULL, mmr_decision_signature_id = NULL WHERE id = %s", [order.id]),
            ("UPDATE mrp_production SET mmr_decision = 'pending' WHERE id = %s", [order.id]),
            ("UPDATE mrp_production SET mmr_decision = 'continue', mmr_decision_signature_id = %s WHERE id = %s",
             [self.plain.approved_signature_id.id, order.id]),
            ("UPDATE mrp_production SET mmr_decision = 'stop', mmr_decision_signature_id = %s WHERE id = %s",
             [stop.id, other.id]),
            ("UPDATE mrp_production SET mmr_decision = 'continue' WHERE id = %s", [other.id]),
        ]
        self.env.flush_all()
        for statement, params in statements:
            with self.subTest(sql=statement), self.assertRefused('REV-060', 'USE-050'):
                self.cr.execute(statement, params)

    def test_continue(self):
        """REV-060: 'continue' lets the batch go on with its snapshot; 'stop' may be taken back by a new signature."""
        order = self._running()
        for component in (self.component_a, self.component_b):
            self._stock(component, quantity=1000)
        self._decide(order, 'stop', comment="Wait")
        self.assertIn("is not waiting", self._esign(order, 'stop', self.user_qc, digest='0' * 64, comment="x")['refused'])
        with self.assertRaisesRegex(UserError, "REV-060"):
            order.workorder_ids[0].button_start()
        self._sign(order.bpr_id, 'issue', self._person('production'))
        with self.assertRaisesRegex(UserError, "REV-060"):
            order.bpr_id.step_ids[0].with_user(self.user_operator).action_start()
        self._decide(order, 'continue', comment="Assessed: no effect")
        self.assertEqual(order.mmr_decision, 'continue')
        order.action_assign()
        self._execute(order)
        order.with_context(skip_consumption=True).button_mark_done()
        self.assertEqual((order.state, order.mmr_revision_id), ('done', self.plain))
        self.assertEqual(len(self.env['mrp.esignature'].search([
            ('res_model', '=', 'mrp.production'), ('res_id', '=', order.id)])), 2)
        self.assertIn("is not waiting", self._esign(order, 'stop', self.user_qc, digest='0' * 64, comment="x")['refused'])


@tagged('post_install', '-at_install')
class TestCopyToOtherSize(ChangeCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bottle = cls.env['product.product'].create({'name': "Bottle", 'type': 'consu', 'uom_id': cls.kg.id})
        cls.source = cls._create_mmr(100)
        fill_content(cls.source, cls.bottle)
        cls.source.bom_line_ids.filtered(lambda line: line._has_overage()).with_user(cls.user_qc).action_confirm_overage()
        cls._effective(cls.source)

    def _copy(self, **vals):
        wizard = self.env['mrp.mmr.create'].with_user(self.user_preparer).with_context(
            **self.source.with_user(self.user_preparer).action_copy_to_mmr()['context']).create(vals)
        return self.env['mrp.mmr.revision'].browse(wizard.action_create()['res_id'])

    def _numbers(self, document):
        """Return the quantities and yields of a document that depend on the batch size."""
        return {
            'components': [(row['quantity'], row['tolerance'], row['overage'] and row['overage']['amount'])
                           for row in document['components']],
            'by-products': [row['quantity'] for row in document['by_products']],
            'stages': [row['yield']['theoretical'] for row in document['operations'] if row['yield']],
            'yield': document['yield']['theoretical'],
        }

    def test_scaled(self):
        """MMR-040: a copy to 500 kg is revision 1, unsigned, scaled exactly and to be reviewed; all else is the same."""
        copy = self._copy(batch_size=500)
        self.assertRecordValues(copy, [{
            'revision': 1, 'state': 'draft', 'signature_count': 0, 'change_category': 'initial', 'theoretical_yield': 500,
            'yield_to_review': True}])
        self.assertNotEqual(copy.mmr_id, self.source.mmr_id)
        old, new = self.source.document, copy._prepare_document()
        self.assertEqual(self._numbers(old), {
            'components': [('94.5', '0.05', '4.5'), ('10', '0', None)], 'by-products': ['1', '2'], 'stages': ['99'],
            'yield': '100'})
        self.assertEqual(self._numbers(new), {
            'components': [('472.5', '0.25', '22.5'), ('50', '0', None)], 'by-products': ['5', '10'], 'stages': ['495'],
            'yield': '500'})
        self.assertEqual((new['yield']['theoretical'], new['yield']['minimum'], new['yield']['maximum']), ('500', '95', '102'))
        for key in ('ingredients', 'specifications', 'packs', 'references', 'sections', 'answers', 'precautions', 'identity',
                    'process_rationale'):
            self.assertEqual(new[key], old[key], key)
        for before, after in zip(old['operations'], new['operations'], strict=True):
            for key in before.keys() - {'yield'}:
                self.assertEqual(after[key], before[key], key)
        self.assertTrue(all(copy.bom_line_ids.mapped('mmr_to_review')))
        self.assertEqual(copy.operation_ids.filtered('mmr_yield_to_review').mapped('name'), ["Blending"])
        self.assertEqual(copy.to_review_count, 4)
        self.assertFalse(copy.bom_line_ids.mmr_overage_confirmed_id)
        body = ''.join(copy.message_ids.mapped('body'))
        self.assertIn("the quantities are proposed × 5 and must be reviewed", body)
        self.assertIn("without signatures", body)
        # The source is as it was, and an order of the new size waits for the approval.
        self.assertEqual(self.source._prepare_document()['components'], old['components'])
        with self.assertRaisesRegex(UserError, "USE-010"):
            self._create_order(500).action_confirm()

    def test_unscaled(self):
        """MMR-040: without the proposal quantities are copied as they are, and are to be reviewed all the same."""
        copy = self._copy(batch_size=500, propose_scaled=False)
        self.assertEqual([row['quantity'] for row in copy._prepare_document()['components']],
                         [row['quantity'] for row in self.source.document['components']])
        self.assertEqual((copy.to_review_count, copy.theoretical_yield), (4, 100))
        self.assertIn("the quantities are unchanged and must be reviewed", ''.join(copy.message_ids.mapped('body')))

    def test_marks(self):
        """MMR-040: marks are cleared line by line or all at once; both are recorded, and none is forgotten at submission."""
        copy = self._copy(batch_size=500).with_user(self.user_preparer)
        with self.assertRaisesRegex(UserError, "Ascorbic acid: the quantity comes from another batch size(?s:.)*MMR-040"):
            copy.action_submit()
        first, second = copy.bom_line_ids.sorted('sequence')
        with Form(copy) as form, form.bom_line_ids.edit(0) as line:
            line.mmr_to_review = False
        self.assertEqual((first.mmr_to_review, second.mmr_to_review, copy.to_review_count), (False, True, 3))
        newest = copy.message_ids.sorted('id')[-1]
        self.assertRegex(newest.body, "Reviewed for the batch size 500 kg: .*Ascorbic acid")
        self.assertEqual(newest.author_id, self.user_preparer.partner_id)
        copy.operation_ids.filtered('mmr_yield_to_review').mmr_yield_to_review = False
        self.assertIn("yield of Blending", copy.message_ids.sorted('id')[-1].body)
        copy.yield_to_review = False
        self.assertIn("yield at the end of manufacture", copy.message_ids.sorted('id')[-1].body)
        with self.assertRaises(UserError) as caught:
            copy.action_submit()
        self.assertNotIn("Ascorbic acid: the quantity comes", str(caught.exception))
        self.assertIn("Microcrystalline cellulose: the quantity comes", str(caught.exception))
        for user in (self.user_planner, self.user_qc, self.user_auditor):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                copy.with_user(user).action_review_quantities()
        copy.action_review_quantities()
        self.assertFalse(copy.to_review_count)
        self.assertTrue([body for body in copy.message_ids.mapped('body')
                         if "All 1 quantities and yields were reviewed for the batch size 500 kg" in body])
        copy.bom_line_ids.filtered(lambda line: line._has_overage()).with_user(self.user_qc).action_confirm_overage()
        self._make_effective(copy)
        self._create_order(500).action_confirm()

    def test_all_at_once(self):
        """MMR-040: the button clears every mark and says how many."""
        copy = self._copy(batch_size=250).with_user(self.user_preparer)
        copy.action_review_quantities()
        self.assertEqual((copy.to_review_count, copy.yield_to_review), (0, False))
        self.assertTrue([body for body in copy.message_ids.mapped('body') if "All 4 quantities" in body])

    def test_marks_survive(self):
        """MMR-040: a mark that was not cleared goes on into a copy, and comes back with another batch size."""
        copy = self._copy(batch_size=500).with_user(self.user_preparer)
        again = self.env['mrp.mmr.create'].with_user(self.user_preparer).create({
            'source_id': copy.id, 'formulation_code': "B"}).action_create()
        again = self.env['mrp.mmr.revision'].browse(again['res_id'])
        self.assertEqual(again.to_review_count, 4, "the same size as a copy that nobody reviewed")
        copy.action_review_quantities()
        copy.mmr_id.batch_size = 600
        self.assertEqual(copy.to_review_count, 4)

    def test_another_unit(self):
        """MMR-040, MMR-030: the same size in grams is the same formula, the yield in grams too; another size is scaled."""
        same = self._copy(batch_size=100000, uom_id=self.gram.id, formulation_code="B")
        self.assertEqual((same.to_review_count, same.theoretical_yield), (0, 100000))
        self.assertEqual([row['quantity'] for row in same._prepare_document()['components']], ['94.5', '10'])
        double = self._copy(batch_size=200000, uom_id=self.gram.id, formulation_code="B")
        self.assertEqual(double.theoretical_yield, 200000)
        self.assertEqual([row['quantity'] for row in double._prepare_document()['components']], ['189', '20'])
        self.assertEqual(self._numbers(double._prepare_document())['stages'], ['198'])

    def test_another_product(self):
        """MMR-040: another product takes over everything; where its unit is of another kind, nothing is scaled."""
        forte, capsules = self.env['product.product'].create([
            {'name': name, 'type': 'consu', 'uom_id': unit.id} for name, unit in (("Forte", self.kg), ("Capsules", self.unit))])
        copy = self._copy(product_id=forte.id)
        self.assertEqual((copy.product_id, copy.to_review_count, copy.bom_id.product_id), (forte, 0, forte))
        self.assertEqual(copy._prepare_document()['product']['id'], forte.id)
        other = self._copy(product_id=capsules.id, batch_size=10000, uom_id=self.unit.id)
        self.assertEqual((other.bom_id.product_uom_id, other.to_review_count), (self.unit, 4))
        self.assertEqual([row['quantity'] for row in other._prepare_document()['components']], ['94.5', '10'])
        with self.assertRaisesRegex(UserError, "MMR-030"):
            self._copy(product_id=capsules.id, batch_size=10, uom_id=self.kg.id)

    def test_another_profile(self):
        """CON-180, MMR-040: a copy that becomes a device's record has its sections, those of the source filled."""
        copy = self._copy(batch_size=50, profile_id=self.env.ref('mrp_mmr.profile_pdev').id)
        self.assertEqual(sorted(copy.section_ids.mapped('code')), ['device', 'packaging', 'production', 'quality', 'service'])
        self.assertEqual(copy.section_ids.filtered(lambda row: row.code == 'device').text, "Drawing 7.")
        self.assertFalse(copy.answer_ids, "answers belong to a profile")
        draft = self._create_mmr(60)
        self.assertFalse(draft.section_ids)
        draft.mmr_id.with_user(self.user_preparer).profile_id = self.env.ref('mrp_mmr.profile_pdev')
        self.assertEqual(len(draft.section_ids), 5)

    def test_marks_of_signed_revisions(self):
        """MMR-040, REV-010: nobody reports a review of quantities on a signed revision."""
        count = len(self.source.message_ids)
        with self.assertRaisesRegex(UserError, "REV-010"):
            self.source.with_user(self.user_preparer).action_review_quantities()
        self.assertEqual(len(self.source.message_ids), count)

    @mute_logger('odoo.sql_db')
    def test_same_key(self):
        """MMR-020: a copy to the own size is refused, whatever the unit; an approved MMR is never scaled in place."""
        for vals in ({}, {'batch_size': 100}, {'batch_size': 100000, 'uom_id': self.gram.id}):
            with self.subTest(vals=vals), self.assertRaisesRegex(Exception, "mrp_mmr_key_uniq"), self.cr.savepoint():
                self._copy(**vals)
            self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "MMR-040"):
            self.source.mmr_id.with_user(self.user_preparer).batch_size = 500
        for user in (self.user_planner, self.user_qc, self.user_auditor):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.env['mrp.mmr.create'].with_user(user).create({'source_id': self.source.id, 'batch_size': 5})

    def test_odd_ratios(self):
        """MMR-040: ratios that are no round numbers are proposed to six digits; the preparer reviews them."""
        for size, first in ((33, '31.185'), (1, '0.945'), (0.7, '0.6615'), (333.333, '314.999685')):
            with self.subTest(size=size), self._undone():
                copy = self._copy(batch_size=size)
                self.assertEqual(copy._prepare_document()['components'][0]['quantity'], first)
                overage = copy._prepare_document()['components'][0]['overage']
                self.assertEqual(overage['percent'], '5')
