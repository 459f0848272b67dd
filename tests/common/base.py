"""Products, people and helpers shared by the tests; nothing here needs demo data."""

import os
import subprocess
import sys
import threading
import uuid
from contextlib import contextmanager
from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, Form, TransactionCase, get_db_name, new_test_user, tagged
from odoo.tests import HttpCase as OdooHttpCase
from odoo.tools import SQL, config, mute_logger

from odoo.addons.mrp_mmr.domain.sessions import session_of
from odoo.addons.mrp_mmr.verification import drill

PASSWORD = 'A-long-password-1'
#: One white dot each.
PNG = ('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==')
GIF = 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7'


def run_odoo(*arguments, **options):
    """Run Odoo's command line in a process of its own, on the server and the addons of the tests, and return what it did."""
    command = [sys.executable, '-m', 'odoo', '--addons-path=' + ','.join(config['addons_path']), *arguments]
    command += [f'--{name}={config[name]}' for name in ('db_host', 'db_port', 'db_user') if config[name]]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False, **options)


def drop_guards(cr, *tables):
    """Do as the owner of a database could: no triggers of the addon, and no foreign keys that hold rows of ``tables``."""
    for table in tables:
        cr.execute(SQL("ALTER TABLE %s DISABLE TRIGGER USER", SQL.identifier(table)))
        cr.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f' AND confrelid = %s::regclass",
            [table])
        for other, name in cr.fetchall():
            cr.execute(SQL("ALTER TABLE %s DROP CONSTRAINT %s", SQL.identifier(other), SQL.identifier(name)))


def enrol(users):
    """Make signers of ``users``: identity verified, accountability accepted, password their own, qualified for their roles.

    They are qualified for two years, so that tests can look back. Whoever gets a role later is enrolled again.
    """
    users.env['mrp.signer'].sudo()._set_up(
        users, users.env.ref('base.user_admin'), "Test", since=fields.Date.today() - timedelta(days=730))
    return users


def drill_without_acts(user):
    """Store the result of a tamper drill of ``user`` that tried nothing."""
    evidence = drill.Evidence(user.env.cr)
    return user.env['mrp.tamper.drill'].with_user(user)._store({
        'schema': drill.SCHEMA, 'acts': [], 'counts': dict.fromkeys(drill.ORDER, 0), 'state': 'passed',
        'evidence': evidence.compare(evidence), 'is_unchanged': True, 'not_tried': []})


def complete_content(revision, band=(95, 102)):
    """Add to a draft with components and operations whatever else its profile asks for."""
    env = revision.env

    def find(model, vals):
        name = 'code' if 'code' in vals else 'name'
        records = env[model].sudo()
        return records.search([(name, '=', vals[name])], limit=1) or records.create(vals)

    specification = find('mrp.sop', {'code': "SPEC-1", 'name': "Specifications", 'kind': 'specification'})
    label = find('mrp.mmr.label', {'code': "LBL-1", 'name': "Bottle label", 'location': "Label archive, drawer 4"})
    equipment_class = find('maintenance.equipment.category', {'name': "Test blender"})
    declared = revision.bom_line_ids.sorted('sequence')[:1]
    declared.write({
        'mmr_is_active': True, 'mmr_is_declared': True, 'mmr_strength': 500, 'mmr_strength_unit': "mg per tablet",
        'mmr_overage_kind': declared.mmr_overage_kind or 'none'})
    blending = revision.operation_ids.sorted('sequence')[-1]
    revision.write({
        'precautions': "Protect from moisture.", 'process_rationale': "Uniform blends give uniform tablets.",
        'yield_min': band[0], 'yield_max': band[1],
    })
    equipment = env['mrp.mmr.equipment'].create({
        'revision_id': revision.id, 'operation_id': blending.id, 'category_id': equipment_class.id,
        'preparation': "Clean and dry."})
    revision.action_add_weighing_steps()
    env['mrp.mmr.step'].create([
        {'revision_id': revision.id, 'operation_id': blending.id, 'equipment_id': equipment.id, 'sequence': sequence,
         **vals} for sequence, vals in enumerate((
            {'name': "Line clearance", 'kind': 'clearance'},
            {'name': "Blend", 'kind': 'instruction', 'instruction': "Blend at 12 rpm."},
            {'name': "Blending time", 'kind': 'numeric', 'minimum': 14, 'maximum': 16, 'unit': "min",
             'corrective_action': "Stop and inform Quality Control."},
        ), 11)])
    revision.action_add_ingredients()
    env['mrp.mmr.specification'].create([
        {'revision_id': revision.id, 'document_id': specification.id, 'criterion_text': "Conforms.",
         'corrective_action': "Reject the lot.", **vals} for vals in [
            {'scope': 'component', 'product_id': product.id, 'name': "Identity", 'is_identity': True, 'method': "FTIR"}
            for product in revision.bom_line_ids.product_id] + [
            {'scope': 'product', 'name': "Appearance"}, {'scope': 'label', 'name': "Text and version"}]])
    env['mrp.mmr.pack'].create({
        'revision_id': revision.id, 'name': "Bottle of 60", 'quantity': 60, 'uom_id': env.ref('uom.product_uom_unit').id,
        'description': "White HDPE bottle with child-resistant cap.", 'label_id': label.id})


def fill_content(revision, material):
    """Give every content field of a draft made by :meth:`MmrCommon._create_mmr` a value, every table two rows.

    :param material: a product that stands for packaging, by-products and processing aids
    """
    env = revision.env
    kilogram = env.ref('uom.product_uom_kgm').id
    sop, method, form = (env['mrp.sop'].sudo().search([('code', '=', code)], limit=1) or env['mrp.sop'].sudo().create(
        {'code': code, 'name': f"Document {code}", 'kind': kind})
        for code, kind in (('SOP-7', 'sop'), ('M-7', 'method'), ('F-7', 'form')))
    equipment = env['maintenance.equipment'].sudo().search([('name', '=', "Test blender 1")], limit=1) \
        or env['maintenance.equipment'].sudo().create({'name': "Test blender 1"})
    requirement = env['mrp.mmr.requirement'].sudo().search([('code', '=', 'OWN-1')], limit=1) \
        or env['mrp.mmr.requirement'].sudo().create({
            'profile_id': revision.profile_id.id, 'code': 'OWN-1', 'citation': "Quality manual 4",
            'name': "Allergens", 'enforcement': 'S'})
    partner = env['res.partner'].sudo().search([('name', '=', "Test supplier")], limit=1) \
        or env['res.partner'].sudo().create({'name': "Test supplier"})
    weighing, blending = revision.operation_ids.sorted('sequence')
    testing = env['mrp.routing.workcenter'].create({
        'name': "Testing", 'bom_id': revision.bom_id.id, 'workcenter_id': blending.workcenter_id.id, 'sequence': 3,
        'mmr_stage': 'testing'})
    line = revision.bom_line_ids.sorted('sequence')[0]
    revision.write({
        'description': "All of it.", 'product_description': "White powder.", 'dosage_form': "Powder",
        'dosage_unit_weight': 625, 'dosage_unit_weight_unit': "mg", 'yield_rationale': "Ten batches.",
        'training_required': True,
    })
    revision.bom_id.write({'allow_operation_dependencies': True})
    blending.write({
        'blocked_by_operation_ids': [Command.set(weighing.ids)], 'mmr_yield_control': True, 'mmr_theoretical_yield': 99,
        'mmr_yield_uom_id': kilogram, 'mmr_yield_min': 96, 'mmr_yield_max': 101, 'mmr_yield_rationale': "Ten blends.",
        'mmr_time_limit': 4, 'mmr_hold_time': 24, 'mmr_storage_conditions': "Below 25 °C",
    })
    line.write({
        'mmr_supplier_id': partner.id, 'mmr_overage_kind': 'percent', 'mmr_overage': 5,
        'mmr_overage_rationale': "Loss in storage.", 'mmr_tolerance': 0.05,
        'mmr_tolerance_justification': "Balance.", 'mmr_not_in_product': False,
        'mmr_assay_adjusted': True, 'mmr_assay_reference': 98.5, 'mmr_assay_unit': "IU/mg", 'mmr_assay_basis': 'dried',
    })
    line.product_id.sudo().tracking = 'lot'
    revision.bom_line_ids.sorted('sequence')[1].mmr_is_filler = True
    env['mrp.bom.byproduct'].create([
        {'bom_id': revision.bom_id.id, 'product_id': material.id, 'product_qty': quantity, 'product_uom_id': kilogram,
         'operation_id': blending.id, 'sequence': quantity} for quantity in (1, 2)])
    unit = env['mrp.mmr.equipment'].create({
        'revision_id': revision.id, 'operation_id': blending.id, 'equipment_id': equipment.id, 'preparation': "Clean.",
        'sequence': 20})
    step = env['mrp.mmr.step'].create({
        'revision_id': revision.id, 'operation_id': blending.id, 'name': "Moisture", 'kind': 'numeric', 'sequence': 5,
        'instruction': "Measure.", 'precaution': "Hot.", 'bom_line_id': line.id, 'sop_ids': [Command.set(sop.ids)],
        'picture': PNG, 'picture_name': "drawing.png", 'verifier_role': 'verifier', 'is_critical': True, 'is_hold_point': True,
        'equipment_id': unit.id, 'limit_kind': 'range', 'minimum': 1, 'maximum': 3, 'has_target': True, 'target': 2,
        'unit': "%", 'criterion_text': "At 105 °C.", 'corrective_action': "Dry again.", 'method_id': method.id,
        'has_plausibility': True, 'plausible_min': 0.5, 'plausible_max': 20, 'minimum_time': 0.001, 'time_limit': 30,
        'sample_required': True, 'sample_count': 3, 'sample_size': 5, 'sample_unit': "g",
        'sample_timing': "Beginning, middle, end",
    })
    env['mrp.mmr.step'].create({
        'revision_id': revision.id, 'operation_id': testing.id, 'name': "Send the samples", 'instruction': "Cold."})
    env['mrp.mmr.step.check'].create([
        {'step_id': step.id, 'name': name, 'sequence': sequence}
        for sequence, name in enumerate(("Oven is clean", "Oven is calibrated"), 1)])
    env['mrp.mmr.specification'].create({
        'revision_id': revision.id, 'scope': 'packaging', 'product_id': material.id, 'name': "Height", 'sequence': 5,
        'is_identity': True, 'limit_kind': 'range', 'minimum': 1, 'maximum': 3, 'has_target': True, 'target': 2, 'unit': "mm",
        'criterion_text': "Measured.", 'document_id': form.id, 'method': "Calliper", 'method_id': method.id,
        'corrective_action': "Reject."})
    pack = revision.pack_ids[:1]
    pack.write({'coding_position': "Bottom", 'clearance': "Count.", 'checks': "Torque."})
    pack.copy({'name': "Bottle of 90", 'sequence': 30})
    env['mrp.mmr.pack.line'].create([
        {'pack_id': pack.id, 'product_id': material.id, 'quantity': quantity, 'uom_id': kilogram, 'sequence': quantity}
        for quantity in (1, 2)])
    env['mrp.mmr.ingredient'].create({
        'revision_id': revision.id, 'name': "Vitamin C", 'is_dietary': True, 'product_id': line.product_id.id,
        'amount': 500, 'amount_unit': "mg", 'sequence': 5})
    env['mrp.mmr.reference'].create([
        {'revision_id': revision.id, 'sop_id': document.id, 'purpose': "Cleaning", 'sequence': sequence}
        for sequence, document in enumerate((sop, form), 1)])
    env['mrp.mmr.section'].create([
        {'revision_id': revision.id, 'code': 'device', 'text': "Drawing 7.", 'location': "Shelf 7", 'upload': PNG,
         'upload_name': "drawing.png"},
        {'revision_id': revision.id, 'code': 'service', 'not_applicable_reason': "No service."}])
    env['mrp.mmr.answer'].create({
        'revision_id': revision.id, 'requirement_id': requirement.id, 'answer': "None."})


@tagged('post_install', '-at_install')
class MmrCommon(TransactionCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env.company
        cls.kg = cls.env.ref('uom.product_uom_kgm')
        cls.gram = cls.env.ref('uom.product_uom_gram')
        cls.litre = cls.env.ref('uom.product_uom_litre')
        cls.unit = cls.env.ref('uom.product_uom_unit')

        def user(login, groups, **kwargs):
            return enrol(new_test_user(
                cls.env, login=login, password=PASSWORD, groups=groups, name=f"Test {login}", tz='Europe/Madrid',
                **kwargs))

        cls.user_preparer = user('t_preparer', 'mrp_mmr.group_mmr_preparer')
        cls.user_qc = user('t_qc', 'mrp_mmr.group_mmr_qc')
        cls.user_both = user('t_both', 'mrp_mmr.group_mmr_preparer,mrp_mmr.group_mmr_qc')
        cls.user_planner = user('t_planner', 'mrp.group_mrp_user')
        cls.user_manager = user('t_manager', 'mrp.group_mrp_manager')
        cls.user_operator = user('t_operator', 'mrp_mmr.group_mmr_operator')
        cls.user_auditor = user('t_auditor', 'mrp_mmr.group_mmr_auditor')

        cls.workcenter = cls.env['mrp.workcenter'].create({'name': "Blending room"})
        product = {'type': 'consu', 'is_storable': True, 'uom_id': cls.kg.id}
        cls.product, cls.component_a, cls.component_b, cls.component_other = cls.env['product.product'].create([
            dict(product, name="Vitamin C 500 mg tablets", default_code="VC500", tracking='lot'),
            dict(product, name="Ascorbic acid", default_code="ASC"),
            dict(product, name="Microcrystalline cellulose", default_code="MCC"),
            dict(product, name="Magnesium stearate", default_code="MGST"),
        ])

    @classmethod
    def _set_decimals(cls, digits=6):
        """Let stock hold what scales show, as a company that weighs finely sets up."""
        cls.env.ref('uom.decimal_product_uom').digits = digits

    @classmethod
    def _create_mmr(cls, batch_size=100.0, **vals):
        """Return the draft revision of a new MMR, complete, written by the preparer: two components, two stages."""
        env = cls.env(user=cls.user_preparer)
        mmr = env['mrp.mmr'].create({
            'product_id': cls.product.id, 'formulation_code': "A", 'batch_size': batch_size, 'uom_id': cls.kg.id, **vals})
        revision = mmr.open_revision_id
        operations = env['mrp.routing.workcenter'].create([
            {'name': name, 'bom_id': revision.bom_id.id, 'workcenter_id': cls.workcenter.id, 'sequence': sequence,
             'mmr_instruction': instruction, 'mmr_stage': stage}
            for sequence, (name, instruction, stage) in enumerate(
                [("Weighing", "Weigh each component.\nVerify each weighing.", 'dispensing'),
                 ("Blending", "Blend for 15 minutes.", 'processing')], 1)
        ])
        env['mrp.bom.line'].create([
            {'bom_id': revision.bom_id.id, 'product_id': component.id, 'gmp_qty': batch_size * share,
             'product_uom_id': (mmr.uom_id if mmr.uom_id._has_common_reference(component.uom_id) else component.uom_id).id,
             'operation_id': operation.id, 'sequence': sequence}
            for sequence, (component, share, operation) in enumerate(
                [(cls.component_a, 0.9, operations[0]), (cls.component_b, 0.1, operations[1])], 1)
        ])
        complete_content(revision)
        return revision

    def _esign(self, revision, action, user, password=PASSWORD, comment=None, login=None, digest=None):
        """Sign as the dialog does and return its answer."""
        revision = revision.with_user(user)
        with session_of(user):
            if digest is None:
                digest = revision.esign_prepare(action)['digest']
            return revision.esign(
                action, {'login': login or user.login, 'password': password}, digest, comment)

    def _sign(self, revision, action, user, comment=None):
        """Sign and expect success."""
        result = self._esign(revision, action, user, comment=comment)
        self.assertNotIn('refused', result, result.get('refused'))
        return self.env['mrp.esignature'].browse(result['signature_id'])

    def _create_reviewer(self, **vals):
        """Return a review of the approval route, put in force by Quality Control."""
        reviewer = self.env['mrp.mmr.reviewer'].create(vals)
        self._sign(reviewer, 'switch_on', self.user_qc, comment="The quality manual asks for it.")
        return reviewer

    def _make_effective(self, revision):
        self._sign(revision, 'submit', self.user_preparer)
        self._sign(revision, 'approve', self.user_qc)
        self.assertEqual(revision.state, 'effective')
        return revision

    def _new_revision(self, revision, user=None, reason="Yield improved", **vals):
        """Return the draft that follows ``revision``, made in the dialog."""
        env = self.env(user=user or self.user_preparer)
        action = revision.with_env(env).action_new_revision()
        action = env['mrp.mmr.change'].with_context(**action['context']).create({
            'reason': reason, 'description': "As the reason says.", **vals}).action_create()
        return self.env['mrp.mmr.revision'].browse(action['res_id'])

    def _create_order(self, quantity=100.0, unit=None, user=None, product=None, **vals):
        form = Form(self.env['mrp.production'].with_user(user or self.user_planner))
        form.product_id = product or self.product
        form.product_qty = quantity
        order = form.save()
        if unit:
            order.write({'product_uom_id': unit.id, 'product_qty': quantity})
        if vals:
            order.write(vals)
        return order

    # === EXECUTION === #

    @classmethod
    def _person(cls, role):
        """Return the test user of a role of a step, made when it is first needed."""
        login = {'qc': 't_qc', 'operator': 't_operator'}.get(role, f't_{role}')
        user = cls.env['res.users'].search([('login', '=', login)], limit=1)
        return user or enrol(new_test_user(
            cls.env, login=login, password=PASSWORD, groups=f'mrp_mmr.group_mmr_{role}', name=f"Test {login}",
            tz='Europe/Madrid'))

    def _create_lot_as_planned(self, product, name):
        """Return a new lot, of the potency that MMRs refer to where they do."""
        lot = self.env['stock.lot'].create({'name': name, 'product_id': product.id})
        line = self.env['mrp.bom.line'].search([('product_id', '=', product.id), ('mmr_assay_adjusted', '=', True)], limit=1)
        if line:
            lot.with_user(self.user_qc).write({
                'mmr_assay': line.mmr_assay_reference, 'mmr_assay_unit': line.mmr_assay_unit, 'mmr_assay_basis': 'as_is'})
        return lot

    def _stock(self, product, lot=None, quantity=10000.0):
        """Put a component on stock; return its lot where it is tracked, released."""
        if product.tracking != 'none' and not lot:
            lot = self._create_lot_as_planned(product, f"L-{product.default_code}")
        if lot and lot.mmr_status != 'released' and not lot._mmr_get_end_of_use():
            self._sign(lot, 'release', self.user_qc)
        self.env['stock.quant'].with_context(inventory_mode=True).create({
            'product_id': product.id, 'location_id': self.env.ref('stock.stock_location_stock').id, 'lot_id': lot and lot.id,
            'inventory_quantity': quantity}).action_apply_inventory()
        return lot

    def _ready_unit(self, step):
        """Return a unit that a step plans, clean for its batch and calibrated."""
        unit, kind = (step.planned['unit'][name] or {} for name in ('equipment', 'class'))
        units = self.env['maintenance.equipment'].sudo()
        unit = units.browse(unit.get('id')) or units.search([('category_id', '=', kind.get('id'))], order='id desc', limit=1) \
            or units.create({'name': "Unit", 'category_id': kind.get('id')})
        if unit.mmr_cleaning_status == 'dirty' or unit.mmr_used_product_ids - step.sudo().bpr_id.product_id:
            self._clean(unit)
        if unit.mmr_calibration_status not in (False, 'good'):
            self._calibrate(unit)
        return unit

    def _log_equipment(self, unit, kind, user=None, sign=True, **vals):
        """Record a line in the log of a unit, signed by whoever has to; return it."""
        done = unit.with_user(user or self._person('operator')).action_mmr_record(kind, vals)
        line = self.env['mrp.equipment.log'].browse(done['log_id'])
        while sign and line._get_next_point():
            point = line._get_next_point()
            self._sign(line, point, self._person({'checked': 'verifier', 'reviewed': 'qc'}.get(point, 'operator')))
        return line

    def _clean(self, unit, **vals):
        sops = self.env['mrp.sop'].sudo()
        procedure = sops.search([('code', '=', 'SOP-CLN')], limit=1) or sops.create({'code': 'SOP-CLN', 'name': "Cleaning"})
        return self._log_equipment(unit, 'cleaning', **{'cleaning_kind': 'full', 'procedure_id': procedure.id, **vals})

    def _calibrate(self, unit, result='pass', **vals):
        return self._log_equipment(unit, 'calibration', **{
            'result': result, 'as_found': "1000.0 g", 'performed_by': "Metrology Ltd.",
            **({'next_due': '2099-12-31'} if result == 'pass' else {}), **vals})

    def _record_step(self, step, **values):
        """Record at a started step whatever it asks for, within its limits."""
        step = step.with_user(self._person(step.performer_role or 'operator'))
        planned = step.planned
        for row in planned['checklist']:
            step.action_record('check', {'position': row['position'], 'pass': True})
        criterion, band, target = planned['criterion'] or {}, planned['band'], planned['target']
        if planned['equipment']:
            step.action_record('equipment', {'equipment_id': self._ready_unit(step).id})
        if planned['sample']:
            step.action_record('sample', {'count': str(planned['sample']['count'] or 1)})
        if step.kind in ('numeric', 'environment'):
            step.action_record('value', {'value': values.get('value') or (
                criterion['target'] or criterion['minimum'] or criterion['maximum'])})
        elif step.kind in ('passfail', 'clearance'):
            step.action_record('outcome', {'pass': True})
        elif step.kind == 'weigh':
            product = self.env['product.product'].browse(target['product']['id'])
            lot = self.env['stock.lot'].search([('product_id', '=', product.id)], limit=1)
            if product.tracking != 'none' and not lot:
                lot = self._stock(product)
            step.action_record('weight', {
                'value': values.get('value') or target['quantity'], 'lot_id': lot.id or None, 'lot_name': lot.name or "L-1"})
        elif step.kind == 'yield':
            theoretical = (band or {}).get('theoretical') or '100'
            step.action_record('yield', {'value': values.get('value') or theoretical})
        elif step.kind == 'label':
            pack = planned['pack'] or (step._get_snapshot_document()['packs'] or [{}])[0]
            step.action_record('labels', {
                'lot_name': "LBL-1", 'issued': '100', 'used': '100', 'finished': '100', 'position': pack.get('position'),
                'version': (pack.get('label') or {}).get('version')})
        elif step.kind == 'material':
            for row in planned['pack']['materials']:
                step.action_record('material', {
                    'position': row['position'], 'lot_name': "PM-1", 'issued': '100', 'used': '99', 'destroyed': '1'})
        elif step.kind == 'photo':
            step.action_record('photo', {'name': "photo.png", 'data': PNG})

    def _train_all(self, bpr):
        """Record training on the revision of a batch for everybody who works on it."""
        for role in ('operator', 'verifier', 'production', 'qc'):
            self._train(bpr.step_ids[:1], self._person(role))

    def _train(self, step, user):
        """Record training on the revision of a step where it asks for it."""
        revision = step.bpr_id.sudo().mmr_revision_id
        if user._get_untrained(revision):
            trainer = self.user_qc if user == self._person('production') else self._person('production')
            self.env['mrp.qualification'].with_user(trainer)._grant(user, revision, "Briefed")

    def _sign_step(self, step):
        """Sign whatever a recorded step waits for, each point by its person."""
        while step.next_point:
            point = step.next_point
            role = 'qc' if point == 'hold' else step.performer_role or 'operator' \
                if point in ('performed', 'added') else step.verifier_role or 'verifier'
            self._train(step, self._person(role))
            self._sign(step, 'hold_approve' if point == 'hold' else point, self._person(role))

    def _do_step(self, step, **values):
        self._train(step, self._person(step.performer_role or 'operator'))
        if step.planned['equipment']:
            self._ready_unit(step)
        self.assertEqual(
            step.with_user(self._person(step.performer_role or 'operator')).action_start(acknowledged=True), {'started': True})
        if step.kind != 'add':
            self._record_step(step, **values)
        self._sign_step(step)
        self.assertEqual(step.state, 'done')

    def _adjust(self, deviation, comment="Covered by the validation."):
        """Decide that material which does not meet its specification is adjusted, with procedure and reason."""
        sops = self.env['mrp.sop'].sudo()
        procedure = sops.search([('code', '=', 'SOP-DEV')], limit=1) or sops.create({'code': 'SOP-DEV', 'name': "Deviations"})
        deviation.with_user(self.user_qc).write({'procedure_id': procedure.id, 'scientific_reason': "Validated."})
        return self._sign(deviation, 'decide_adjust', self.user_qc, comment=comment)

    def _begin_batch(self, bpr):
        """Issue a batch record, do its first step and report a deviation at it; return both."""
        self._sign(bpr, 'issue', self._person('production'))
        step = bpr.step_ids.sorted('sequence')[0]
        self._do_step(step)
        deviation = self.env['mrp.deviation'].browse(
            step.with_user(self._person('operator')).action_report("Spilled", "About a gram."))
        self._sign(deviation, 'decide', self.user_qc, comment="No effect.")
        return step, deviation

    def _execute(self, order, until=None, produced=None):
        """Work through the steps of a released order, as the MMR says.

        :param until: the first step that is left open
        :param str produced: the yield of the batch, where it is not the theoretical one
        """
        if order.bpr_id.state == 'issue':
            self._sign(order.bpr_id, 'issue', self._person('production'))
        for step in order.bpr_id.step_ids.filtered(lambda step: step.state == 'open').sorted('sequence'):
            if step == until:
                break
            self._do_step(step, **({'value': produced} if produced and step.planned['scope'] == 'batch' else {}))


    def _cancel_batch(self, order, reason="The order was withdrawn."):
        """Cancel a running batch as the production responsible does."""
        return self._sign(order.bpr_id, 'cancel', self._person('production'), comment=reason)

    # === RELEASE === #

    def _make_completed(self, size=100):
        """Return the record of a batch that was made as planned, and waits for its review."""
        for product in self.component_a | self.component_b:
            if not product.qty_available:
                self._stock(product)
        order = self._create_order(size)
        order.action_confirm()
        if order.bpr_id.state == 'issue':
            self._sign(order.bpr_id, 'issue', self._person('production'))
        self._execute(order)
        order.with_user(self.user_planner).button_mark_done()
        self.assertEqual(order.state, 'done')
        return order.bpr_id

    def _enter_results(self, bpr, approve=True):
        """Enter a result within its limits for each test that has none, and approve them."""
        for test in bpr._get_tests()[bpr]:
            if test['state'] == 'missing':
                criterion = test['specification']['criterion'] or {}
                limit = criterion.get('target') or criterion.get('minimum') or criterion.get('maximum')
                bpr.with_user(self.user_qc).action_record_result(
                    test['specification']['position'],
                    {'kind': 'value', 'value': limit} if limit else {'kind': 'outcome', 'pass': True})
        if approve:
            self._sign(bpr, 'approve_results', self.user_qc)

    def _record_for_release(self, bpr):
        """Return a result and a reserve sample of a batch that was begun, and the destruction of a lot: one of each."""
        order, own = bpr.production_id, bpr.with_user(self.user_qc)
        if not order.lot_producing_ids:
            order.lot_producing_ids = [Command.create({'name': f"B-{order.id}", 'product_id': order.product_id.id})]
        test = bpr._get_tests()[bpr][0]
        result = own.action_record_result(test['specification']['position'], {'kind': 'outcome', 'pass': True})
        sample = own.action_record_sample(self._prepare_reserve_vals())
        lot, place = self._create_held_lot(f"SPOILT-{order.id}"), self.env.ref('stock.stock_location_stock')
        destruction = self.env['mrp.lot.destruction'].with_user(self.user_qc)._record(lot, place, 3, "Burnt", "Wet")
        return (self.env['mrp.bpr.result'].browse(result['result_id']), self.env['mrp.bpr.sample'].browse(sample),
                destruction.with_env(self.env))

    def _create_held_lot(self, name):
        """Return a lot in quarantine, of which there are 7 on stock."""
        product = self.env['product.product'].create({
            'name': "Spoilt", 'type': 'consu', 'is_storable': True, 'tracking': 'lot', 'uom_id': self.kg.id,
            'mmr_lot_release': True})
        lot = self.env['stock.lot'].create({'name': name, 'product_id': product.id})
        self.env['stock.quant'].with_context(inventory_mode=True).create({
            'product_id': product.id, 'location_id': self.env.ref('stock.stock_location_stock').id, 'lot_id': lot.id,
            'inventory_quantity': 7}).action_apply_inventory()
        return lot

    @contextmanager
    def _unguarded(self, *tables):
        """Change the past: what no user can, so that a date lies behind the clock of PostgreSQL."""
        self.env.flush_all()
        for table in tables:
            self.env.cr.execute(SQL("ALTER TABLE %s DISABLE TRIGGER USER", SQL.identifier(table)))
        yield self.env.cr
        for table in tables:
            self.env.cr.execute(SQL("ALTER TABLE %s ENABLE TRIGGER USER", SQL.identifier(table)))
        self.env.invalidate_all()

    def _ship(self, lot, quantity=5, back=False):
        """Deliver some of a lot to a customer, or take it back; return the transfer."""
        stock, customers = self.env.ref('stock.stock_location_stock'), self.env.ref('stock.stock_location_customers')
        places = (customers, stock) if back else (stock, customers)
        where = {'location_id': places[0].id, 'location_dest_id': places[1].id}
        picking = self.env['stock.picking'].create({
            'picking_type_id': self.env.ref(f"stock.picking_type_{'in' if back else 'out'}").id, 'origin': "SO/77",
            'partner_id': self.env['res.partner'].create({'name': "Pharmacy Ltd."}).id, **where})
        move = self.env['stock.move'].create({
            'product_id': lot.product_id.id, 'product_uom': lot.product_uom_id.id, 'product_uom_qty': quantity,
            'picking_id': picking.id, **where})
        self.env['stock.move.line'].create({
            'move_id': move.id, 'picking_id': picking.id, 'product_id': lot.product_id.id, 'lot_id': lot.id,
            'quantity': quantity, 'product_uom_id': lot.product_uom_id.id, 'picked': True, **where})
        picking.action_confirm()
        picking.button_validate()
        self.assertEqual(picking.state, 'done')
        return picking

    def _expire(self, lot, date):
        """Let a lot have expired on a day, as it was released."""
        with self._unguarded('stock_lot') as cr:
            cr.execute(SQL("UPDATE stock_lot SET expiration_date = %s WHERE id = %s", date, lot.id))
        self.env['mrp.bpr']._update_retention()

    def _prepare_reserve_vals(self, **vals):
        return {'kind': 'reserve', 'pack': 1, 'quantity': "200", 'unit': "tablets", 'test_quantity': "100",
                'location': "Room R2, shelf 4", 'keep_until': '2099-12-31', **vals}

    def _get_release_steps(self, bpr):
        """Return who signs what until the batch is released, in order."""
        yield 'review', self.user_qc
        if bpr._needs('production_signature'):
            yield 'produce', self._person('production')
        if bpr._needs_certification():
            yield 'certify', self._person('qp')
        yield 'release', self.user_qc
        if bpr._is_packed():
            yield 'release_packed', self.user_qc

    def _release(self, bpr, until=None, enter=True):
        """Enter results and sign until the batch and its packaged lot are released, or until one signature is missing."""
        if enter:
            self._enter_results(bpr)
        packs = bpr.production_id.mmr_snapshot['document'].get('packs') or ()
        for pack in packs if not bpr.sample_ids else ():
            bpr.with_user(self.user_qc).action_record_sample(self._prepare_reserve_vals(pack=pack['position']))
        for action, user in self._get_release_steps(bpr):
            if action == until:
                break
            self._sign(bpr, action, user)
        return bpr


class HttpCase(OdooHttpCase):
    """Odoo's, with more time for a browser that shares the machine with other tests."""

    def start_tour(self, url_path, tour_name, **kwargs):
        return super().start_tour(url_path, tour_name, **{'timeout': 240, **kwargs})


class CommittedCase(BaseCase):
    """Tests with transactions of their own, which commit: people, products and records stay in the test database."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = Registry(get_db_name())
        cls.tag = uuid.uuid4().hex[:8]
        with cls.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            groups = [env.ref('mrp_mmr.group_mmr_preparer').id, env.ref('mrp_mmr.group_mmr_qc').id]
            cls.users = env['res.users'].with_context(no_reset_password=True).create([
                {'name': name, 'login': f'{name}-{cls.tag}', 'password': PASSWORD,
                 'group_ids': [Command.set([env.ref('base.group_user').id, group])]}
                for name, group in (('preparer', groups[0]), ('qc1', groups[1]), ('qc2', groups[1]))
            ])
            cls.users = enrol(cls.users).ids
            kilogram = env.ref('uom.product_uom_kgm')
            cls.product, cls.component = env['product.product'].create([
                {'name': f"{name} {cls.tag}", 'type': 'consu', 'is_storable': True, 'tracking': tracking, 'uom_id': kilogram.id}
                for name, tracking in (("Powder", 'lot'), ("Component", 'none'))]).ids
            cls.workcenter = env['mrp.workcenter'].create({'name': f"Room {cls.tag}"}).id

    @classmethod
    def tearDownClass(cls):
        with cls.registry.cursor() as cr:
            api.Environment(cr, SUPERUSER_ID, {})['res.users'].browse(cls.users).active = False
        super().tearDownClass()

    def _run(self, uid, function):
        """Run ``function`` as one request of user ``uid``, retried by Odoo like a request; return result or refusal."""
        with self.registry.cursor() as cr:
            env = api.Environment(cr, uid, {})
            try:
                result = retrying(lambda: function(env), env)
            except UserError as error:
                cr.rollback()
                return str(error)
            return result

    @mute_logger('odoo.sql_db', 'odoo.service.model')
    def _race(self, *runs):
        """Run ``(uid, function)`` pairs at the same moment and return their results."""
        barrier = threading.Barrier(len(runs))
        results = [None] * len(runs)

        def worker(position, uid, function):
            with self.registry.cursor() as cr:
                api.Environment(cr, uid, {})['res.users'].browse(uid).mapped('name')  # warm caches
            barrier.wait()
            results[position] = self._run(uid, function)

        threads = [threading.Thread(target=worker, args=(position, *run)) for position, run in enumerate(runs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
            self.assertFalse(thread.is_alive())
        return results

    def _create_mmr(self, env, size):
        mmr = env['mrp.mmr'].create({'product_id': self.product, 'formulation_code': self.tag, 'batch_size': size})
        revision = mmr.open_revision_id
        operation = env['mrp.routing.workcenter'].create(
            {'name': "Blend", 'bom_id': revision.bom_id.id, 'workcenter_id': self.workcenter})
        env['mrp.bom.line'].create({
            'bom_id': revision.bom_id.id, 'product_id': self.component, 'gmp_qty': size, 'operation_id': operation.id})
        complete_content(revision)
        return revision.id

    def _new_revision(self, env, revision_id):
        action = env['mrp.mmr.revision'].browse(revision_id).action_new_revision()
        return env['mrp.mmr.change'].with_context(**action['context']).create(
            {'reason': "Yield", 'description': "Another quantity."}).action_create()['res_id']

    def _sign(self, env, revision_id, action):
        revision = env['mrp.mmr.revision'].browse(revision_id)
        with session_of(env.user):
            digest = revision.document_sha256 or revision.esign_prepare(action)['digest']
            result = revision.esign(action, {'login': env.user.login, 'password': PASSWORD}, digest)
        return result.get('signature_id') or result['refused']
