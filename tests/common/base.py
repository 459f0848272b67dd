"""Products, people and helpers shared by the tests; nothing here needs demo data."""

import os
import subprocess
import sys
import threading
import uuid
from contextlib import contextmanager, suppress
from datetime import timedelta
from unittest.mock import patch

from psycopg2 import DatabaseError

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, TransactionCase, get_db_name, new_test_user, tagged
from odoo.tests import HttpCase as OdooHttpCase
from odoo.tools import SQL, config, mute_logger

from odoo.addons.base.models import res_users
from odoo.addons.mrp_mmr.domain.sessions import own_sessions, session_of
from odoo.addons.mrp_mmr.models.stock.moved_only import moving
from odoo.addons.mrp_mmr.verification import drill

from .payloads import check_signatures
from .refusals import RefusalCase
from .signing import PASSWORD, enrol_keys

#: One white dot each.
PNG = ('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==')
GIF = 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7'

#: Module of the external identifiers of what :func:`prepare` keeps.
PREPARED = '__mrp_mmr_tests__'
#: Attribute of the test class to login and groups.
PEOPLE = {
    'user_preparer': ('t_preparer', 'mrp_mmr.group_mmr_preparer'),
    'user_qc': ('t_qc', 'mrp_mmr.group_mmr_qc'),
    'user_both': ('t_both', 'mrp_mmr.group_mmr_preparer,mrp_mmr.group_mmr_qc'),
    'user_planner': ('t_planner', 'mrp.group_mrp_user'),
    'user_manager': ('t_manager', 'mrp.group_mrp_manager'),
    'user_operator': ('t_operator', 'mrp_mmr.group_mmr_operator'),
    'user_auditor': ('t_auditor', 'mrp_mmr.group_mmr_auditor'),
}
#: Roles of people that many batches need, beside those.
ROLES = ('production', 'verifier')
#: Attribute of the test class to its own values.
PRODUCTS = {
    'product': {'name': "Vitamin C 500 mg tablets", 'default_code': "VC500", 'tracking': 'lot'},
    'component_a': {'name': "Ascorbic acid", 'default_code': "ASC"},
    'component_b': {'name': "Microcrystalline cellulose", 'default_code': "MCC"},
    'component_other': {'name': "Magnesium stearate", 'default_code': "MGST"},
}


def run_odoo(*arguments, **options):
    """Run Odoo's command line in a process of its own, on the server and the addons of the tests, and return what it did."""
    command = [sys.executable, '-m', 'odoo', '--addons-path=' + ','.join(config['addons_path']), *arguments]
    command += [f'--{name}={config[name]}' for name in ('db_host', 'db_port', 'db_user') if config[name]]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False, **options)


def drop_guards(cr, *tables):
    """Do as the owner of a database could: no triggers of the addon, and no foreign keys that hold rows of ``tables``."""
    # What waits for the end of the transaction is judged now: PostgreSQL alters no table for which something waits.
    cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table in tables:
        cr.execute(SQL("ALTER TABLE %s DISABLE TRIGGER USER", SQL.identifier(table)))
        cr.execute(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f' AND confrelid = %s::regclass",
            [table])
        for other, name in cr.fetchall():
            cr.execute(SQL("ALTER TABLE %s DROP CONSTRAINT %s", SQL.identifier(other), SQL.identifier(name)))


def enrol(users, password=PASSWORD):
    """Make signers of ``users``: identity verified, accountability accepted, key enrolled, qualified for their roles.

    They are qualified for two years, so that tests can look back. Whoever gets a role later is enrolled again.
    """
    users.env['mrp.signer'].sudo()._set_up(
        users, users.env.ref('base.user_admin'), "Test", since=fields.Date.today() - timedelta(days=730))
    enrol_keys(users, password)
    return users


def expect(actual, expected):
    """Like ``assertEqual``, for what is done for a whole class."""
    if actual != expected:
        raise AssertionError(f"{actual!r} instead of {expected!r}")


def create_person(env, login, groups):
    """Return a new user who may sign, qualified for the roles of ``groups``."""
    user = new_test_user(
        env, login=login, password=PASSWORD, groups=groups, name=f"Test {login}", tz='Europe/Madrid',
        context={'no_reset_password': True})
    return enrol(user.with_env(env))


def prepare(env, keep=False):
    """Return the people, products and work center of :class:`MmrCommon`, by name.

    ``dev/test`` makes them once, in the database whose copies all tests use; on any other database each class makes its own.

    :param bool keep: give them the external identifiers by which they are found again
    """
    found = {name: env.ref(f'{PREPARED}.{name}', raise_if_not_found=False) for name in (*PEOPLE, *PRODUCTS, 'workcenter')}
    if all(found.values()):
        enrol_keys(env['res.users'].union(*(found[name] for name in PEOPLE)))
        return found
    kilogram = env.ref('uom.product_uom_kgm')
    products = env['product.product'].create([
        {'type': 'consu', 'is_storable': True, 'uom_id': kilogram.id, **vals} for vals in PRODUCTS.values()])
    made = {
        **{name: create_person(env, *values) for name, values in PEOPLE.items()},
        **dict(zip(PRODUCTS, products, strict=True)), 'workcenter': env['mrp.workcenter'].create({'name': "Blending room"})}
    if keep:
        env.company.mmr_tz = 'UTC'
        for role in ROLES:
            create_person(env, f't_{role}', f'mrp_mmr.group_mmr_{role}')
        env['ir.model.data'].create([
            {'module': PREPARED, 'name': name, 'model': record._name, 'res_id': record.id, 'noupdate': True}
            for name, record in made.items()])
    return made


def drill_without_acts(user):
    """Store the result of a tamper drill of ``user`` that tried nothing."""
    evidence = drill.Evidence(user.env.cr)
    return user.env['mrp.tamper.drill'].with_user(user)._record({
        'schema': drill.SCHEMA, 'milliseconds': 0, 'acts': [], 'counts': dict.fromkeys(drill.ORDER, 0), 'state': 'passed',
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
        'description': "White HDPE bottle with child-resistant cap.", 'label_id': label.id,
        # No stage of these masters packs.
        'packed_under': "Packaging order"})


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
    revision.pack_ids.sorted('sequence')[-1].packed_under = "Packaging order 7"
    revision.step_ids.filtered(lambda step: step.kind == 'label')[:1].pack_id = revision.pack_ids.sorted('sequence')[0]
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
class MmrCommon(RefusalCase, TransactionCase):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Each person of a test works in an own session.
        cls.enterClassContext(own_sessions())
        # What is signed in any test fits the schema of its kind.
        cls.startClassPatcher(check_signatures())
        cls.company = cls.env.company
        # Whatever the administrator's is; PostgreSQL needs a tenth of a second to look for a zone.
        if cls.company.mmr_tz != 'UTC':
            cls.company.mmr_tz = 'UTC'
        cls.kg = cls.env.ref('uom.product_uom_kgm')
        cls.gram = cls.env.ref('uom.product_uom_gram')
        cls.litre = cls.env.ref('uom.product_uom_litre')
        cls.unit = cls.env.ref('uom.product_uom_unit')
        for name, record in prepare(cls.env).items():
            setattr(cls, name, record)
        # Whom all tests share, by login: those that a test makes go with it.
        cls.people = {user.login: user for user in cls.env['res.users'].search([('login', '=like', r't\_%')])}
        enrol_keys(cls.env['res.users'].union(*cls.people.values()))
        cls.is_judged = False

    def setUp(self):
        cls = type(self)
        if not cls.is_judged:
            cls.is_judged = True
            # Else each test that lets PostgreSQL judge would judge what the class has set up, and undo that at its end. States
            # that no transaction can end with are those of tests about them.
            with suppress(DatabaseError), mute_logger('odoo.sql_db'), self.cr.savepoint():
                cls._judge_set_up()
        super().setUp()

    @classmethod
    def _judge_set_up(cls):
        """Let PostgreSQL judge now what waits for the end of the transaction."""
        cls.env.flush_all()
        cls.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")

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

    @classmethod
    def _esign(cls, revision, action, user, password=PASSWORD, comment=None, login=None, digest=None):
        """Sign as the dialog does and return its answer."""
        revision = revision.with_user(user)
        with session_of(user):
            if digest is None:
                digest = revision.esign_prepare(action)['digest']
            return revision.esign(
                action, {'login': login or user.login, 'password': password}, digest, comment)

    @classmethod
    def _sign(cls, revision, action, user, comment=None):
        """Sign and expect success."""
        result = cls._esign(revision, action, user, comment=comment)
        expect(result.get('refused'), None)
        return cls.env['mrp.esignature'].browse(result['signature_id'])

    @classmethod
    def _create_reviewer(cls, **vals):
        """Return a review of the approval route, put in force by Quality Control."""
        reviewer = cls.env['mrp.mmr.reviewer'].create(vals)
        cls._sign(reviewer, 'switch_on', cls.user_qc, comment="The quality manual asks for it.")
        return reviewer

    @classmethod
    def _make_effective(cls, revision):
        cls._sign(revision, 'submit', cls.user_preparer)
        cls._sign(revision, 'approve', cls.user_qc)
        expect(revision.state, 'effective')
        return revision

    @classmethod
    def _new_revision(cls, revision, user=None, reason="Yield improved", **vals):
        """Return the draft that follows ``revision``, made in the dialog."""
        env = cls.env(user=user or cls.user_preparer)
        action = revision.with_env(env).action_new_revision()
        action = env['mrp.mmr.change'].with_context(**action['context']).create({
            'reason': reason, 'description': "As the reason says.", **vals}).action_create()
        return cls.env['mrp.mmr.revision'].browse(action['res_id'])

    @classmethod
    def _create_order(cls, quantity=100.0, unit=None, user=None, product=None, **vals):
        order = cls.env['mrp.production'].with_user(user or cls.user_planner).create({
            'product_id': (product or cls.product).id, 'product_qty': quantity})
        if unit:
            order.write({'product_uom_id': unit.id, 'product_qty': quantity})
        if vals:
            order.write(vals)
        return order

    # === EXECUTION === #

    @classmethod
    def _person(cls, role):
        """Return the test user of a role of a step, made when it is first needed."""
        login = f't_{role}'
        if login in cls.people:
            return cls.people[login]
        user = cls.env['res.users'].search([('login', '=', login)], limit=1)
        if user:
            enrol_keys(user)
        return user or create_person(cls.env, login, f'mrp_mmr.group_mmr_{role}')

    @classmethod
    def _create_lot_as_planned(cls, product, name):
        """Return a new lot, of the potency that MMRs refer to where they do."""
        lot = cls.env['stock.lot'].create({'name': name, 'product_id': product.id})
        line = cls.env['mrp.bom.line'].search([('product_id', '=', product.id), ('mmr_assay_adjusted', '=', True)], limit=1)
        if line:
            lot.with_user(cls.user_qc).write({
                'mmr_assay': line.mmr_assay_reference, 'mmr_assay_unit': line.mmr_assay_unit, 'mmr_assay_basis': 'as_is'})
        return lot

    @classmethod
    def _stock(cls, product, lot=None, quantity=10000.0):
        """Put a component on stock; return its lot where it is tracked, released."""
        if product.tracking != 'none' and not lot:
            lot = cls._create_lot_as_planned(product, f"L-{product.default_code}")
        if lot and lot.mmr_status != 'released' and not lot._mmr_get_end_of_use():
            cls._sign(lot, 'release', cls.user_qc)
        cls.env['stock.quant'].with_context(inventory_mode=True).create({
            'product_id': product.id, 'location_id': cls.env.ref('stock.stock_location_stock').id, 'lot_id': lot and lot.id,
            'inventory_quantity': quantity}).action_apply_inventory()
        return lot

    @classmethod
    def _lay(cls, product, place, quantity, **what):
        """Let stock have been there before anybody looked: no user can. For tests that do not end their transaction."""
        with moving(cls.env):
            cls.env['stock.quant']._update_available_quantity(product, place, quantity, **what)

    @classmethod
    def _ready_unit(cls, step):
        """Return a unit that a step plans, clean for its batch and calibrated."""
        unit, kind = (step.planned['unit'][name] or {} for name in ('equipment', 'class'))
        units = cls.env['maintenance.equipment'].sudo()
        unit = units.browse(unit.get('id')) or units.search([('category_id', '=', kind.get('id'))], order='id desc', limit=1) \
            or units.create({'name': "Unit", 'category_id': kind.get('id')})
        if unit.mmr_cleaning_status == 'dirty' or unit.mmr_used_product_ids - step.sudo().bpr_id.product_id:
            cls._clean(unit)
        if unit.mmr_calibration_status not in (False, 'good'):
            cls._calibrate(unit)
        return unit

    @classmethod
    def _log_equipment(cls, unit, kind, user=None, sign=True, **vals):
        """Record a line in the log of a unit, signed by whoever has to; return it."""
        done = unit.with_user(user or cls._person('operator')).action_mmr_record(kind, vals)
        line = cls.env['mrp.equipment.log'].browse(done['log_id'])
        while sign and line._get_next_point():
            point = line._get_next_point()
            cls._sign(line, point, cls._person({'checked': 'verifier', 'reviewed': 'qc'}.get(point, 'operator')))
        return line

    @classmethod
    def _clean(cls, unit, **vals):
        sops = cls.env['mrp.sop'].sudo()
        procedure = sops.search([('code', '=', 'SOP-CLN')], limit=1) or sops.create({'code': 'SOP-CLN', 'name': "Cleaning"})
        return cls._log_equipment(unit, 'cleaning', **{'cleaning_kind': 'full', 'procedure_id': procedure.id, **vals})

    @classmethod
    def _calibrate(cls, unit, result='pass', **vals):
        return cls._log_equipment(unit, 'calibration', **{
            'result': result, 'as_found': "1000.0 g", 'performed_by': "Metrology Ltd.",
            **({'next_due': '2099-12-31'} if result == 'pass' else {}), **vals})

    @classmethod
    def _record_step(cls, step, **values):
        """Record at a started step whatever it asks for, within its limits."""
        step = step.with_user(cls._person(step.performer_role or 'operator'))
        planned = step.planned
        for row in planned['checklist']:
            step.action_record('check', {'position': row['position'], 'pass': True})
        criterion, band, target = planned['criterion'] or {}, planned['band'], planned['target']
        if planned['equipment']:
            step.action_record('equipment', {'equipment_id': cls._ready_unit(step).id})
        if planned['sample']:
            step.action_record('sample', {'count': str(planned['sample']['count'] or 1)})
        if step.kind in ('numeric', 'environment'):
            step.action_record('value', {'value': values.get('value') or (
                criterion['target'] or criterion['minimum'] or criterion['maximum'])})
        elif step.kind in ('passfail', 'clearance'):
            step.action_record('outcome', {'pass': True})
        elif step.kind == 'weigh':
            product = cls.env['product.product'].browse(target['product']['id'])
            lot = cls.env['stock.lot'].search([('product_id', '=', product.id)], limit=1)
            if product.tracking != 'none' and not lot:
                lot = cls._stock(product)
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

    @classmethod
    def _train_all(cls, bpr):
        """Record training on the revision of a batch for everybody who works on it."""
        for role in ('operator', 'verifier', 'production', 'qc'):
            cls._train(bpr.step_ids[:1], cls._person(role))

    @classmethod
    def _train(cls, step, user):
        """Record training on the revision of a step where it asks for it."""
        revision = step.bpr_id.sudo().mmr_revision_id
        if user._get_untrained(revision):
            trainer = cls.user_qc if user == cls._person('production') else cls._person('production')
            cls.env['mrp.qualification'].with_user(trainer)._grant(user, revision, "Briefed")

    @classmethod
    def _sign_step(cls, step):
        """Sign whatever a recorded step waits for, each point by its person."""
        while step.next_point:
            point = step.next_point
            role = 'qc' if point == 'hold' else step.performer_role or 'operator' \
                if point in ('performed', 'added') else step.verifier_role or 'verifier'
            cls._train(step, cls._person(role))
            cls._sign(step, 'hold_approve' if point == 'hold' else point, cls._person(role))

    @classmethod
    def _do_step(cls, step, **values):
        cls._train(step, cls._person(step.performer_role or 'operator'))
        if step.planned['equipment']:
            cls._ready_unit(step)
        expect(
            step.with_user(cls._person(step.performer_role or 'operator')).action_start(acknowledged=True), {'started': True})
        if step.kind != 'add':
            cls._record_step(step, **values)
        cls._sign_step(step)
        expect(step.state, 'done')

    @classmethod
    def _adjust(cls, deviation, comment="Covered by the validation."):
        """Decide that material which does not meet its specification is adjusted, with procedure and reason."""
        sops = cls.env['mrp.sop'].sudo()
        procedure = sops.search([('code', '=', 'SOP-DEV')], limit=1) or sops.create({'code': 'SOP-DEV', 'name': "Deviations"})
        deviation.with_user(cls.user_qc).write({'procedure_id': procedure.id, 'scientific_reason': "Validated."})
        return cls._sign(deviation, 'decide_adjust', cls.user_qc, comment=comment)

    @classmethod
    def _begin_batch(cls, bpr):
        """Issue a batch record, do its first step and report a deviation at it; return both."""
        cls._sign(bpr, 'issue', cls._person('production'))
        step = bpr.step_ids.sorted('sequence')[0]
        cls._do_step(step)
        deviation = cls.env['mrp.deviation'].browse(
            step.with_user(cls._person('operator')).action_report("Spilled", "About a gram."))
        cls._sign(deviation, 'decide', cls.user_qc, comment="No effect.")
        return step, deviation

    @classmethod
    def _execute(cls, order, until=None, produced=None):
        """Work through the steps of a released order, as the MMR says.

        :param until: the first step that is left open
        :param str produced: the yield of the batch, where it is not the theoretical one
        """
        if order.bpr_id.state == 'issue':
            cls._sign(order.bpr_id, 'issue', cls._person('production'))
        for step in order.bpr_id.step_ids.filtered(lambda step: step.state == 'open').sorted('sequence'):
            if step == until:
                break
            cls._do_step(step, **({'value': produced} if produced and step.planned['scope'] == 'batch' else {}))


    @classmethod
    def _cancel_batch(cls, order, reason="The order was withdrawn."):
        """Cancel a running batch as the production responsible does."""
        return cls._sign(order.bpr_id, 'cancel', cls._person('production'), comment=reason)

    # === RELEASE === #

    @classmethod
    def _make_completed(cls, size=100):
        """Return the record of a batch that was made as planned, and waits for its review."""
        for product in cls.component_a | cls.component_b:
            if not product.qty_available:
                cls._stock(product)
        order = cls._create_order(size)
        order.action_confirm()
        if order.bpr_id.state == 'issue':
            cls._sign(order.bpr_id, 'issue', cls._person('production'))
        cls._execute(order)
        order.with_user(cls.user_planner).button_mark_done()
        expect(order.state, 'done')
        return order.bpr_id

    @classmethod
    def _enter_results(cls, bpr, approve=True, user=None):
        """Enter a result within its limits for each test that has none, and approve them."""
        for test in bpr._get_tests()[bpr]:
            if test['state'] == 'missing':
                criterion = test['specification']['criterion'] or {}
                limit = criterion.get('target') or criterion.get('minimum') or criterion.get('maximum')
                bpr.with_user(user or cls.user_qc).action_record_result(
                    test['specification']['position'],
                    {'kind': 'value', 'value': limit} if limit else {'kind': 'outcome', 'pass': True})
        if approve:
            # Another person than whoever entered them.
            cls._sign(bpr, 'approve_results', cls.user_both)

    @classmethod
    def _record_for_release(cls, bpr):
        """Return a result and a reserve sample of a batch that was begun, and the destruction of a lot: one of each."""
        order, own = bpr.production_id, bpr.with_user(cls.user_qc)
        if not order.lot_producing_ids:
            order.lot_producing_ids = [Command.create({'name': f"B-{order.id}", 'product_id': order.product_id.id})]
        test = bpr._get_tests()[bpr][0]
        result = own.action_record_result(test['specification']['position'], {'kind': 'outcome', 'pass': True})
        sample = own.action_record_sample(cls._prepare_reserve_vals())
        lot, place = cls._create_held_lot(f"SPOILT-{order.id}"), cls.env.ref('stock.stock_location_stock')
        destruction = cls.env['mrp.lot.destruction'].with_user(cls.user_qc)._record(lot, place, 3, "Burnt", "Wet")
        return (cls.env['mrp.bpr.result'].browse(result['result_id']), cls.env['mrp.bpr.sample'].browse(sample),
                destruction.with_env(cls.env))

    @classmethod
    def _create_held_lot(cls, name):
        """Return a lot in quarantine, of which there are 7 on stock."""
        product = cls.env['product.product'].create({
            'name': "Spoilt", 'type': 'consu', 'is_storable': True, 'tracking': 'lot', 'uom_id': cls.kg.id,
            'mmr_lot_release': True})
        lot = cls.env['stock.lot'].create({'name': name, 'product_id': product.id})
        cls.env['stock.quant'].with_context(inventory_mode=True).create({
            'product_id': product.id, 'location_id': cls.env.ref('stock.stock_location_stock').id, 'lot_id': lot.id,
            'inventory_quantity': 7}).action_apply_inventory()
        return lot

    @classmethod
    @contextmanager
    def _unguarded(cls, *tables):
        """Change the past: what no user can, so that a date lies behind the clock of PostgreSQL."""
        cls.env.flush_all()
        cls.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cls.env.cr.execute(SQL("ALTER TABLE %s DISABLE TRIGGER USER", SQL.identifier(table)))
        yield cls.env.cr
        for table in tables:
            cls.env.cr.execute(SQL("ALTER TABLE %s ENABLE TRIGGER USER", SQL.identifier(table)))
        cls.env.cr.execute("SET CONSTRAINTS ALL DEFERRED")
        cls.env.invalidate_all()

    @classmethod
    def _ship(cls, lot, quantity=5, back=False):
        """Deliver some of a lot to a customer, or take it back; return the transfer."""
        stock, customers = cls.env.ref('stock.stock_location_stock'), cls.env.ref('stock.stock_location_customers')
        places = (customers, stock) if back else (stock, customers)
        where = {'location_id': places[0].id, 'location_dest_id': places[1].id}
        picking = cls.env['stock.picking'].create({
            'picking_type_id': cls.env.ref(f"stock.picking_type_{'in' if back else 'out'}").id, 'origin': "SO/77",
            'partner_id': cls.env['res.partner'].create({'name': "Pharmacy Ltd."}).id, **where})
        move = cls.env['stock.move'].create({
            'product_id': lot.product_id.id, 'product_uom': lot.product_uom_id.id, 'product_uom_qty': quantity,
            'picking_id': picking.id, **where})
        cls.env['stock.move.line'].create({
            'move_id': move.id, 'picking_id': picking.id, 'product_id': lot.product_id.id, 'lot_id': lot.id,
            'quantity': quantity, 'product_uom_id': lot.product_uom_id.id, 'picked': True, **where})
        picking.action_confirm()
        picking.button_validate()
        expect(picking.state, 'done')
        return picking

    @classmethod
    def _expire(cls, lot, date):
        """Let a lot have expired on a day, as it was released."""
        with cls._unguarded('stock_lot') as cr:
            cr.execute(SQL("UPDATE stock_lot SET expiration_date = %s WHERE id = %s", date, lot.id))
        lot = lot.sudo()
        lot._audit_append('write', {lot: {'expiration_date': {'new': lot._audit_value('expiration_date')}}})
        cls.env['mrp.bpr']._update_retention()

    @classmethod
    def _prepare_reserve_vals(cls, **vals):
        return {'kind': 'reserve', 'pack': 1, 'quantity': "200", 'unit': "tablets", 'test_quantity': "100",
                'location': "Room R2, shelf 4", 'keep_until': '2099-12-31', **vals}

    @classmethod
    def _get_release_steps(cls, bpr):
        """Return who signs what until the batch is released, in order."""
        if bpr._needs('production_signature'):
            yield 'produce', cls._person('production')
        yield 'review', cls.user_qc
        if bpr._needs_certification():
            yield 'certify', cls._person('qp')
        yield 'release', cls.user_qc
        if bpr._is_packed():
            yield 'release_packed', cls.user_qc

    @classmethod
    def _release(cls, bpr, until=None, enter=True):
        """Enter results and sign until the batch and its packaged lot are released, or until one signature is missing."""
        if enter:
            cls._enter_results(bpr)
        packs = bpr.production_id.mmr_snapshot['document'].get('packs') or ()
        for pack in packs if not bpr.sample_ids else ():
            bpr.with_user(cls.user_qc).action_record_sample(cls._prepare_reserve_vals(pack=pack['position']))
        for action, user in cls._get_release_steps(bpr):
            if action == until:
                break
            cls._sign(bpr, action, user)
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
        cls.enterClassContext(own_sessions())
        cls.registry = Registry(get_db_name())
        # As in Odoo's own test cases, passwords of tests want no slow digest.
        cls.startClassPatcher(patch.object(res_users, 'MIN_ROUNDS', 1))
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

    @classmethod
    def _run(cls, uid, function):
        """Run ``function`` as one request of user ``uid``, retried by Odoo like a request; return result or refusal."""
        with cls.registry.cursor() as cr, own_sessions():
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

    @classmethod
    def _create_mmr(cls, env, size):
        mmr = env['mrp.mmr'].create({'product_id': cls.product, 'formulation_code': cls.tag, 'batch_size': size})
        revision = mmr.open_revision_id
        operation = env['mrp.routing.workcenter'].create(
            {'name': "Blend", 'bom_id': revision.bom_id.id, 'workcenter_id': cls.workcenter})
        env['mrp.bom.line'].create({
            'bom_id': revision.bom_id.id, 'product_id': cls.component, 'gmp_qty': size, 'operation_id': operation.id})
        complete_content(revision)
        return revision.id

    @classmethod
    def _new_revision(cls, env, revision_id):
        action = env['mrp.mmr.revision'].browse(revision_id).action_new_revision()
        return env['mrp.mmr.change'].with_context(**action['context']).create(
            {'reason': "Yield", 'description': "Another quantity."}).action_create()['res_id']

    @classmethod
    def _sign(cls, env, revision_id, action):
        revision = env['mrp.mmr.revision'].browse(revision_id)
        with session_of(env.user):
            digest = revision.document_sha256 or revision.esign_prepare(action)['digest']
            result = revision.esign(action, {'login': env.user.login, 'password': PASSWORD}, digest)
        return result.get('signature_id') or result['refused']
