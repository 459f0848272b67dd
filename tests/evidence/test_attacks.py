"""Roads around the rules that were found by trying; each stays closed."""


from odoo.exceptions import UserError
from odoo.fields import Command

from odoo.addons.mrp_mmr.domain.sessions import session_of

from ..common.base import PASSWORD, enrol
from ..order.test_production_gate import GateCommon


class TestAttacks(GateCommon):

    def _refused(self, attack, rule, core=None):
        """Run ``attack`` and expect that the addon or PostgreSQL refuses it, by the end of the transaction."""
        with self.assertRefused(*rule.split('|'), core=core):
            attack()

    # === ORDERS === #

    def test_snapshot_by_default_values(self):
        """USE-030: default values of the context do not write a snapshot, nor a signature that nobody gave."""
        forged = {'document': self.small.document, 'document_sha256': self.small.document_sha256,
                  'signatures': [{'name': "The Pope"}, {'name': "The King"}]}
        order = self.env['mrp.production'].with_user(self.user_planner).with_context(
            default_mmr_snapshot=forged, default_mmr_snapshot_sha256='00', default_mmr_revision_id=self.small.id,
        ).create({'product_id': self.product.id, 'product_qty': 100, 'bom_id': self.small.bom_id.id})
        self.assertRecordValues(order, [
            {'mmr_snapshot': False, 'mmr_snapshot_sha256': False, 'mmr_revision_id': False, 'state': 'draft'}])
        self._refused(lambda: order.write({'state': 'confirmed'}), "USE-010")

    def test_components_come_by_no_road(self):
        """USE-070: no component reaches a released batch by default values, links or moves of other orders."""
        order, draft = self._confirmed(), self._create_order(100)
        planner = self.env['stock.move'].with_user(self.user_planner)
        location = order.move_raw_ids[0].location_id.id
        vals = {'product_id': self.component_other.id, 'product_uom_qty': 5, 'product_uom': self.kg.id,
                'location_id': location, 'location_dest_id': order.production_location_id.id}
        free = planner.create(dict(vals))
        for attack in (
                lambda: planner.with_context(default_raw_material_production_id=order.id).create(dict(vals)),
                lambda: planner.with_context(default_production_id=order.id).create(dict(vals)),
                lambda: free.write({'raw_material_production_id': order.id}),
                lambda: order.write({'move_raw_ids': [Command.link(free.id)]}),
                lambda: draft.move_raw_ids[0].write({'raw_material_production_id': order.id}),
                lambda: self.env['stock.move.line'].create({
                    'move_id': order.move_raw_ids[0].id, 'product_id': self.component_other.id, 'quantity': 1,
                    'product_uom_id': self.kg.id, 'location_id': location,
                    'location_dest_id': order.production_location_id.id}),
        ):
            self._refused(attack, "USE-020")

    def test_status_of_a_component(self):
        """USE-070, AUD-020: a component is not dropped by its status, and a closed record not reopened by it."""
        self._stock()
        order, draft = self._confirmed(), self._create_order(100)
        for state in ('cancel', 'draft'):
            self._refused(lambda state=state: order.move_raw_ids[0].write({'state': state}), "USE-020")
        for state in ('done', 'cancel', 'confirmed'):
            with self.subTest(draft=state):
                other = self._create_order(100)
                other.move_raw_ids[0].write({'state': state})
                self._refused(other.action_confirm, "MMR-050")
        self._execute(order)
        order.with_context(skip_consumption=True).button_mark_done()
        self.env.flush_all()
        self._refused(lambda: order.move_raw_ids[0].write({'state': 'assigned'}), "USE-020")
        self._refused(lambda: order.write({'lot_producing_ids': [Command.clear()]}), "USE-020")
        self.assertEqual(draft.state, 'draft')

    def test_whole_formula_is_consumed(self):
        """USE-020: the batch consumes its formula whatever it yields, less or more than planned."""
        self._stock()
        for produced in (96, 101):
            order = self._confirmed()
            order.action_assign()
            self._execute(order, produced=str(produced))
            order.button_mark_done()
            self.assertEqual(order.state, 'done')
            self.assertEqual(order.move_raw_ids.mapped('quantity'), [90, 10])
            self.assertEqual(order.qty_produced, produced)

    def test_consumption_beside_the_record(self):
        """BPR-060, USE-060: what is booked is what was weighed, whatever is typed on the order."""
        self._stock()
        order = self._confirmed()
        self._execute(order)
        order.move_raw_ids[0].quantity = 89
        self._refused(order.button_mark_done, "BPR-060")
        order.move_raw_ids[0].quantity = 90
        order.button_mark_done()
        self.assertEqual(order.state, 'done')

    def test_product_under_another_template(self):
        """USE-020: a controlled product does not leave control by changing its template."""
        other = self.env['product.template'].create({'name': "Free", 'uom_id': self.kg.id})
        self._refused(lambda: self.product.sudo().write({'product_tmpl_id': other.id}), "USE-020")

    def test_beside_another_product(self):
        """USE-010: a controlled product is not made as by-product or extra product of another order."""
        free = self.env['product.product'].create({'name': "Free", 'uom_id': self.kg.id, 'is_storable': True})
        self.env['mrp.bom'].create({
            'product_tmpl_id': free.product_tmpl_id.id,
            'byproduct_ids': [Command.create({'product_id': self.product.id, 'product_qty': 137})]})
        order = self._create_order(1, product=free)
        self._refused(order.action_confirm, "USE-010")
        plain = self._create_order(1, product=self.component_other)
        plain.action_confirm()
        self._refused(lambda: plain.write({'move_finished_ids': [Command.create({
            'product_id': self.product.id, 'product_uom_qty': 137, 'product_uom': self.kg.id,
            'location_id': plain.production_location_id.id, 'location_dest_id': plain.location_dest_id.id})]}), "USE-010")

    def test_other_code_inside_a_workflow_step(self):
        """SIG-080: code that runs inside the closing of an order signs nothing and approves nothing."""
        self._stock()
        order, revision = self._confirmed(), self._create_mmr(700)
        found = []

        def foreign(production, cancel_backorder=False):
            for attack in (
                    lambda: self.env['mrp.esignature'].sudo().create(self.env['mrp.esignature']._prepare_signature_vals(
                        revision, self.user_qc, 'approved', "x", "x", '0' * 64)),
                    lambda: revision.sudo().write({'state': 'approved'}),
                    lambda: self.env['mrp.production'].browse(other.id).write({'state': 'done'}),
            ):
                try:
                    attack()
                except UserError as error:
                    found.append(str(error))
            return original(production, cancel_backorder)
        other = self._confirmed()
        original = type(order)._post_inventory
        self.patch(type(order), '_post_inventory', foreign)
        self._execute(order)
        order.button_mark_done()
        self.assertEqual(order.state, 'done')
        self.assertEqual(len(found), 6)  # three attacks, in both calls of core
        for rule in ("SIG-080", "APR-010", "USE-020"):
            self.assertTrue([message for message in found if rule in message], rule)

    def test_evidence_is_not_uninstalled_piecewise(self):
        """AUD-030: models, fields and constraints of signed records are not removed by a call."""
        names = ('mrp.esignature', 'mrp.audit.entry', 'mrp.audit.chain', 'mrp.audit.seal', 'mrp.signer', 'mrp.sop', 'mrp.bom',
                 'mrp.production')
        models = [self.env['ir.model']._get(name) for name in names]
        field = self.env['ir.model.fields']._get('mrp.production', 'mmr_snapshot')
        constraint = self.env['ir.model.constraint'].search([('name', 'like', 'mrp_production_mmr_snapshot_required')])
        self.assertTrue(constraint)
        for record in (*models, field, constraint):
            for context in ({}, {'_force_unlink': True}):
                self._refused(lambda record=record, context=context: record.sudo().with_context(**context).unlink(),
                    rule="AUD-030")
        self._refused(lambda: self.env['ir.model.data'].sudo()._module_data_uninstall(['mrp_mmr']), "AUD-030")

    def test_edits_of_a_draft_order(self):
        """MMR-050: every edit of a draft order that leaves the signed content is found."""
        garage = self.env['mrp.workcenter'].create({'name': "Garage"})
        edits = {
            'operation of a component': lambda order: order.move_raw_ids[0].write(
                {'operation_id': order.workorder_ids[1].operation_id.id}),
            'work center': lambda order: order.workorder_ids[0].write({'workcenter_id': garage.id}),
            'swapped names': lambda order: [
                workorder.write({'name': name}) for workorder, name in zip(
                    order.workorder_ids, ["Blending", "Weighing"], strict=True)],
            'order of operations': lambda order: [
                workorder.write({'sequence': sequence}) for workorder, sequence in zip(
                    order.workorder_ids, (9, 1), strict=True)],
            'extra quantity': lambda order: order.move_finished_ids.copy({'product_uom_qty': 50}),
            'other quantity': lambda order: order.move_finished_ids.write({'product_uom_qty': 333}),
        }
        for name, edit in edits.items():
            with self.subTest(edit=name):
                order = self._create_order(100)
                edit(order)
                self._refused(order.action_confirm, "MMR-050")
        order = self._confirmed()
        self._refused(lambda: order.workorder_ids[0].write({'workcenter_id': garage.id}), "USE-020")
        self.workcenter.alternative_workcenter_ids = garage
        order.workorder_ids[0].write({'workcenter_id': garage.id})

    def test_order_confirmed_before_control(self):
        """USE-020: an order that was confirmed before its product came under control does not grow."""
        order = self._create_order(1, product=self.component_other)
        order.action_confirm()
        self.component_other.product_tmpl_id.mmr_controlled = True
        wizard = self.env['change.production.qty'].create({'mo_id': order.id, 'product_qty': 5000})
        self._refused(wizard.change_prod_qty, "USE-020")

    def test_draft_through_a_transfer(self):
        """USE-010: the output of a draft order is not posted by a transfer."""
        order = self._create_order(137)
        move = order.move_finished_ids
        picking = self.env['stock.picking'].create({
            'picking_type_id': self.env.ref('stock.warehouse0').int_type_id.id,
            'location_id': move.location_id.id, 'location_dest_id': move.location_dest_id.id})
        move.write({'picking_id': picking.id, 'quantity': 137, 'picked': True})
        move.move_line_ids.lot_id = self.env['stock.lot'].create({'name': "DRAFT-1", 'product_id': self.product.id})
        self._refused(picking.button_validate, "USE-010")

    # === MASTER RECORDS === #

    def test_boms_older_than_the_addon(self):
        """USE-010: duplicating and changing a bill of materials of before the addon loses nothing."""
        bom = self.env['mrp.bom'].create({
            'product_tmpl_id': self.component_other.product_tmpl_id.id, 'product_uom_id': self.kg.id,
            'bom_line_ids': [Command.create({'product_id': self.component_a.id, 'product_qty': 5})]})
        self.env.flush_all()
        self.cr.execute('UPDATE mrp_bom_line SET gmp_qty = NULL WHERE bom_id = %s', [bom.id])
        self.env.invalidate_all()
        self.assertEqual(bom.copy().bom_line_ids.product_qty, 5)
        line = self.env['mrp.bom.line'].with_context(default_product_qty=3).create(
            {'bom_id': bom.id, 'product_id': self.component_b.id})
        self.assertEqual((line.product_qty, line.gmp_qty), (3, 3))
        wizard = self.env['mrp.mmr.create'].with_user(self.user_preparer).create({'bom_id': bom.id})
        revision = self.env['mrp.mmr.revision'].browse(wizard.action_create()['res_id'])
        self.assertEqual(revision.bom_line_ids.mapped('gmp_qty'), [5, 3])

    def test_editing_unseen(self):
        """APR-040: edits by default values and by the inverse side of a relation are seen."""
        for size, edit in enumerate((
                lambda revision, env: env['mrp.bom.line'].with_context(default_bom_id=revision.bom_id.id).create(
                    {'product_id': self.component_other.id, 'product_qty': 1}),
                lambda revision, env: revision.operation_ids[0].with_env(env).write(
                    {'needed_by_operation_ids': [Command.link(revision.operation_ids[1].id)]}),
        ), 1000):
            revision = self._create_mmr(size)
            revision.bom_id.allow_operation_dependencies = True
            edit(revision, self.env(user=self.user_both))
            self.assertIn(self.user_both, revision.editor_ids)

    def test_persons_are_kept(self):
        """SIG-060, APR-040: signers and editors stay the same person and are not deleted."""
        revision = self._create_mmr(800)
        revision.with_user(self.user_both).precautions = "none"
        other = self.env['res.partner'].create({'name': "Somebody else"})
        for user in (self.user_both, self.user_qc):
            self._refused(lambda user=user: user.sudo().write({'partner_id': other.id}), "SIG-060")
            self._refused(lambda user=user: user.sudo().unlink(), rule="SIG-060")

    def test_ratio_of_a_unit(self):
        """MMR-050: changing what a unit means is a change of the formula."""
        drum = self.env['uom.uom'].create({'name': "drum", 'relative_uom_id': self.kg.id, 'relative_factor': 25})
        revision = self._create_mmr(50)
        revision.bom_line_ids[0].with_user(self.user_preparer).write({'product_uom_id': drum.id, 'gmp_qty': 2})
        self._make_effective(revision)
        order = self._create_order(50)
        drum.relative_factor = 50
        self._refused(order.action_confirm, "MMR-050")

    def test_derived_fields_are_not_written(self):
        """REV-050: what is derived from the MMR is not written, so that no due revision is hidden."""
        for record, vals in (
                (self.small, {'product_id': self.component_a.id}), (self.small, {'company_id': False}),
                (self.small, {'formulation_code': "x"}), (self.small.mmr_id, {'effective_revision_id': False}),
                (self.small.mmr_id, {'open_revision_id': self.large.id}), (self.small.mmr_id, {'active': 0}),
                (self.small.profile_id, {'code': "X"})):
            self._refused(lambda record=record, vals=vals: record.sudo().write(vals), rule="APR-010|REC-040|REV-010|REV-020")

    def test_key_by_default_values(self):
        """MMR-020: the key is made of what is stored, defaults included; spaces make no other formulation."""
        mmrs = self.env['mrp.mmr'].with_user(self.user_preparer)
        for context, vals in (
                ({'default_product_id': self.product.id}, {'batch_size': 100000, 'uom_id': self.gram.id}),
                ({'default_product_id': self.product.id, 'default_uom_id': self.gram.id}, {'batch_size': 100000}),
                ({'default_product_id': self.product.id}, {'batch_size': 100, 'formulation_code': " A "})):
            self._refused(lambda context=context, vals=vals: mmrs.with_context(**context).create(
                {'formulation_code': "A", **vals}), "mrp_mmr_key_uniq")
        mmr = mmrs.with_context(
            default_name="X", default_last_revision=9, default_state='effective', default_effective_at='2020-01-01',
            default_approved_signature_id=self.small.approved_signature_id.id, default_bom_id=self.small.bom_id.id,
        ).create({'product_id': self.product.id, 'formulation_code': "D", 'batch_size': 1})
        self.assertNotEqual(mmr.name, "X")
        self.assertRecordValues(mmr.open_revision_id, [{
            'state': 'draft', 'revision': 1, 'approved_signature_id': False, 'effective_at': False}])
        self.assertNotEqual(mmr.open_revision_id.bom_id, self.small.bom_id)

    def test_damaged_draft_does_not_block_a_revision(self):
        """REV-060: a draft order that cannot follow does not keep a revision from becoming effective."""
        order = self._create_order(100)
        successor = self._new_revision(self.small)
        self._sign(successor, 'submit', self.user_preparer)
        self.patch(type(order), '_mmr_use_revision', self._raise)
        with self.assertLogs('odoo.addons.mrp_mmr.models.master.revision.effective', 'WARNING'):
            self._sign(successor, 'approve', self.user_qc)
        self.assertEqual(successor.state, 'effective')

    @staticmethod
    def _raise(record, revision):
        raise UserError(record.env._("damaged"))

    def test_altered_signature_blocks_use(self):
        """SIG-030: an order is not confirmed on a revision whose signature does not verify."""
        self.env.flush_all()
        self.cr.execute('ALTER TABLE mrp_esignature DISABLE TRIGGER mrp_mmr_append_only')
        self.cr.execute("UPDATE mrp_esignature SET comment = 'x' WHERE id = %s", [self.small.approved_signature_id.id])
        self.cr.execute('ALTER TABLE mrp_esignature ENABLE TRIGGER mrp_mmr_append_only')
        self.env.invalidate_all()
        self._refused(self._create_order(100).action_confirm, "SIG-030")

    def test_archived_product(self):
        """REC-040: a product whose only revision was cancelled can be archived like any other."""
        product = self.env['product.product'].create({'name': "Idea", 'uom_id': self.kg.id})
        self._create_mmr(10, product_id=product.id).with_user(self.user_preparer).action_cancel()
        product.product_tmpl_id.action_archive()
        self.assertFalse(product.active)

    def test_password_of_another_session(self):
        """SIG-080: the right credential in the session of somebody else is refused."""
        revision = self._create_mmr(900)
        with session_of(self.user_qc):
            digest = revision.with_user(self.user_preparer).esign_prepare('submit')['digest']
            answer = revision.with_user(self.user_preparer).esign(
                'submit', {'login': 't_preparer', 'password': PASSWORD}, digest)
        self.assertIn("SIG-080", answer['refused'])

    # === CONTENT AND SIGNATURES OF REVISIONS === #

    def test_content_of_other_companies(self):
        """A draft names nothing of another company: its frozen document would show it to everybody here (SEC-010)."""
        company = self.env['res.company'].create({'name': "Other"})
        own = {'name': "Secret", 'company_id': company.id}
        label = self.env['mrp.mmr.label'].create({**own, 'code': "SECRET"})
        document = self.env['mrp.sop'].create({**own, 'code': "SECRET"})
        equipment = self.env['maintenance.equipment'].create(dict(own))
        category = self.env['maintenance.equipment.category'].create(dict(own))
        partner = self.env['res.partner'].create(dict(own))
        product = self.env['product.product'].create({**own, 'uom_id': self.kg.id})
        revision = self._create_mmr(900)
        requirement = self.env['mrp.mmr.requirement'].create(
            {**own, 'code': "SECRET", 'citation': "-", 'profile_id': revision.profile_id.id})
        self.env.flush_all()
        self.env.invalidate_all()
        env = self.env(user=self.user_preparer)
        revision = revision.with_env(env)
        own_document = env['mrp.sop'].create({'code': "OWN", 'name': "Own"})
        revision.reference_ids = [Command.create({'sop_id': own_document.id})]
        for rows, vals in [
            (revision.pack_ids, {'label_id': label.id}),
            (revision.pack_ids, {'line_ids': [Command.create({'product_id': product.id, 'revision_id': revision.id})]}),
            (revision.step_ids[:1], {'sop_ids': [Command.link(document.id)]}),
            (revision.step_ids[:1], {'method_id': document.id}),
            (revision.reference_ids, {'sop_id': document.id}),
            (revision.specification_ids[:1], {'document_id': document.id}),
            (revision.specification_ids[:1], {'method_id': document.id}),
            (revision.specification_ids[:1], {'product_id': product.id}),
            (revision.ingredient_ids[:1], {'product_id': product.id}),
            (revision.equipment_ids[:1], {'equipment_id': equipment.id, 'category_id': False}),
            (revision.equipment_ids[:1], {'category_id': category.id}),
            (revision.bom_line_ids[:1], {'mmr_supplier_id': partner.id}),
            (revision.bom_line_ids[:1], {'product_id': product.id}),
            (revision, {'answer_ids': [Command.create({'requirement_id': requirement.id, 'answer': "-"})]}),
        ]:
            with self.subTest(rows=rows._name, vals=vals):
                self.assertTrue(rows)
                self._refused(lambda rows=rows, vals=vals: rows.write(vals), 'AccessError', "company inconsistencies")

    def test_readers_are_no_editors(self):
        """APR-040: only who may edit is remembered as an editor; a click of a reader blocks no approval."""
        revision = self._create_mmr(900)
        for user in (self.user_auditor, self.user_planner, self.user_qc):
            with self.subTest(user.login):
                self._refused(revision.with_user(user).action_component_catalog, rule="AccessError")
        self.assertEqual(revision.editor_ids, self.user_preparer)

    def test_document_that_nobody_signed(self):
        """APR-060: PostgreSQL takes no other document into a submitted revision than the one that its signature is over."""
        revision = self._create_mmr(900)
        self._sign(revision, 'submit', self.user_preparer)
        self._sign(revision, 'reject', self.user_qc, comment="No")
        other = self._create_mmr(901)
        prepared = self._sign(other, 'submit', self.user_preparer)
        self._sign(other, 'reject', self.user_qc, comment="No")
        third = self._create_mmr(902)
        with session_of(self.user_preparer):
            signer = third.with_user(self.user_preparer)
            digest = signer.esign_prepare('submit')['digest']
        self.env.flush_all()
        # A valid signature in state draft, as another addon could leave it.
        self.patch(type(third), '_apply_signing_action', lambda self, action, signature: None)
        signature = self._sign(third, 'submit', self.user_preparer)
        self.assertEqual(signature.content_sha256, digest)

        def submit(document_of):
            self.cr.execute(
                """UPDATE mrp_mmr_revision SET state = 'submitted', submitted_once = true, document_sha256 = %s,
                          prepared_signature_id = %s, document = (SELECT content FROM mrp_esignature WHERE id = %s)
                    WHERE id = %s""", [digest, signature.id, document_of.id, third.id])

        self._refused(lambda: submit(prepared), "APR-020")
        submit(signature)

    def test_signing_what_the_dialog_did_not_show(self):
        """SIG-030: the redline, the review and the overages that the dialog showed are what is signed beside the content."""
        groups = self.env['res.groups'].create([{'name': "First"}, {'name': "Second"}])
        self.user_qc.group_ids += groups
        self.user_operator.group_ids += groups[0]
        for number, (name, group) in enumerate(zip(("Production", "Regulatory"), groups, strict=True)):
            self._create_reviewer(name=name, group_id=group.id, sequence=number)
        enrol(self.user_qc | self.user_operator)
        revision = self._create_mmr(900)
        self._sign(revision, 'submit', self.user_preparer)
        reviewer = revision.with_user(self.user_qc)
        shown = reviewer.esign_prepare('review')
        # Meanwhile somebody else gives the first review.
        self._sign(revision, 'review', self.user_operator)
        with session_of(self.user_qc):
            credential = {'login': 't_qc', 'password': PASSWORD}
            answer = reviewer.esign('review', credential, shown['digest'], None, shown['annex_sha256'])
            self.assertIn("SIG-030", answer['refused'])
            self.assertEqual(revision.open_review_names, "Regulatory")
            shown = reviewer.esign_prepare('review')
            answer = reviewer.esign('review', credential, shown['digest'], None, shown['annex_sha256'])
        self.assertNotIn('refused', answer)
        self.assertFalse(revision.open_review_names)

    def test_archived_reviewers_do_not_come_back(self):
        """APR-030: a context that shows archived records does not lengthen the route, which could never be ended then."""
        gone = self._create_reviewer(name="Gone", group_id=self.env.ref('mrp_mmr.group_mmr_qc').id)
        self._sign(gone, 'switch_off', self.user_qc, comment="Nobody is left.")
        gone.active = False
        revision = self._create_mmr(900).with_context(active_test=False)
        self._sign(revision, 'submit', self.user_preparer)
        self.assertFalse(revision.review_ids)
        self._sign(revision, 'approve', self.user_qc)
        self.assertEqual(revision.state, 'effective')
