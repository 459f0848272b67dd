"""What an MMR must say, row by row and profile by profile; bad input on every road (requirements 2.A, 2.B)."""

import base64
import csv
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from psycopg2 import DatabaseError
from psycopg2.errors import CheckViolation

from odoo import fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import file_open, file_path, mute_logger

from odoo.addons.mrp_mmr import guards
from odoo.addons.mrp_mmr.domain.numbers import Number, exact
from odoo.addons.mrp_mmr.models.evidence.file import MAX_SIZE
from odoo.addons.mrp_mmr.models.master.requirement import SIGNING_CHECKS

from ..common.base import GIF, PNG, MmrCommon

PROFILES = ('P111', 'P211', 'PDEV', 'PEU')
#: Requirement → how it is enforced under each profile (requirements.md, 3.1).
MATRIX = {
    'MMR-010': 'RRSR', 'MMR-040': 'RRSR',
    'CON-010': 'RRSR', 'CON-020': 'RRRR', 'CON-030': 'RRRR', 'CON-040': 'R---', 'CON-050': 'RR-S', 'CON-060': 'RROR',
    'CON-070': 'RRRR', 'CON-080': 'RRRR', 'CON-090': 'RRRR', 'CON-100': 'RRCS', 'CON-110': 'RRSR', 'CON-120': 'RSSS',
    'CON-130': '-R--', 'CON-140': 'SSRR', 'CON-150': 'RRRR', 'CON-160': 'RRRR', 'CON-170': 'SRSR', 'CON-180': '--R-',
    'CON-190': 'SSRS', 'CON-200': 'RRRR', 'PKG-010': 'RRCR',
    'PRD-050': 'SSSS', 'VER-040': 'RRCC', 'APR-070': 'ROOO', 'REV-030': 'RRRR', 'REV-070': 'OOOR',
}


@tagged('post_install', '-at_install')
class ContentCommon(MmrCommon):
    """Complete drafts of every profile, and a way to break and mend them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bottle = cls.env['product.product'].create({'name': "HDPE bottle", 'type': 'consu', 'uom_id': cls.unit.id})
        cls.drafts = {}
        for size, code in enumerate(PROFILES, 101):
            cls.drafts[code] = cls._create_complete(code, size)

    @classmethod
    def _create_complete(cls, code, size, **vals):
        """Return a draft that is complete under a profile: with packaging, sampling, sections and signed label."""
        revision = cls._create_mmr(size, profile_id=cls.env.ref(f'mrp_mmr.profile_{code.lower()}').id, **vals)
        revision.write({'dosage_form': "Tablet", 'dosage_unit_weight': 625, 'dosage_unit_weight_unit': "mg"})
        env = revision.env
        blending = revision.operation_ids.sorted('sequence')[-1]
        packaging = env['mrp.routing.workcenter'].create({
            'name': "Bottling", 'bom_id': revision.bom_id.id, 'workcenter_id': cls.workcenter.id, 'sequence': 3,
            'mmr_stage': 'packaging'})
        equipment = blending.mmr_equipment_ids.copy({'operation_id': packaging.id})
        document = env['mrp.sop'].search([('code', '=', 'SPEC-1')])
        env['mrp.mmr.step'].create([
            {'revision_id': revision.id, 'operation_id': packaging.id, 'sequence': sequence, **vals}
            for sequence, vals in enumerate((
                {'name': "Clear the line", 'kind': 'clearance'},
                {'name': "Caps", 'kind': 'passfail', 'instruction': "Look.", 'criterion_text': "Closed.",
                 'corrective_action': "Close.", 'equipment_id': equipment.id},
                {'name': "Samples", 'kind': 'sampling', 'instruction': "Take.", 'sample_count': 3, 'sample_size': 10,
                 'sample_unit': "g", 'sample_timing': "At the end", 'method_id': document.id}))])
        pack = revision.pack_ids
        pack.write({
            'packed_under': False, 'coding_position': "Bottom", 'clearance': "Count.", 'checks': "Torque.",
            'label_id': pack.label_id.copy({'code': f'LBL-{code}-{size}', 'version': "1"}).id})
        env['mrp.mmr.pack.line'].create({
            'pack_id': pack.id, 'product_id': cls.bottle.id, 'quantity': 1, 'uom_id': cls.unit.id})
        env['mrp.mmr.specification'].create({
            'revision_id': revision.id, 'scope': 'packaging', 'product_id': cls.bottle.id, 'name': "Height",
            'document_id': document.id, 'criterion_text': "100 mm", 'corrective_action': "Reject."})
        env['mrp.mmr.reference'].create({'revision_id': revision.id, 'sop_id': env['mrp.sop'].create({
            'code': f'SOP-{code}-{size}', 'name': "Cleaning"}).id})
        revision.section_ids.write({'text': "As drawn."})
        if code == 'P211':
            cls._sign(pack.label_id, 'approve', cls.user_qc)
        env.flush_all()
        return revision

    @contextmanager
    def _undone(self):
        with self.cr.savepoint() as savepoint:
            yield
            savepoint.rollback()
        self.env.invalidate_all()

    def _refusal(self, revision):
        """Return the message with which submission is refused, or nothing where it is offered."""
        self.env.flush_all()
        self.env.invalidate_all()
        try:
            action = revision.with_user(self.user_preparer).action_submit()
        except UserError as error:
            return str(error)
        self.assertEqual(action['params'], {
            'res_model': revision._name, 'res_id': revision.id, 'signing_action': 'submit'})
        return ''

    def _assert_blocked(self, revision, code, text, blocked=True):
        message = self._refusal(revision)
        if blocked:
            self.assertRegex(message, rf"• [^\n]*{text}[^\n]* \[{code}, [^\n]+\]\n")
        else:
            self.assertEqual(message, '')


@tagged('post_install', '-at_install')
class TestContent(ContentCommon):

    def _check_row(self, code, faults):
        """Break a complete draft of every profile in every way, expect what the matrix says, mend it and expect no more.

        :param faults: list of ``(what is broken, values, expected text)``; what is broken is a function of the revision;
            without values its records are deleted; with a fourth item only under these profiles
        """
        count = 0
        for profile, enforcement in zip(PROFILES, MATRIX[code], strict=True):
            revision = self.drafts[profile]
            for find, vals, text, *only in faults:
                blocked = enforcement in 'RSC' and (not only or profile in only[0])
                with self.subTest(profile=profile, vals=vals, text=text):
                    records = find(revision)
                    self.assertTrue(records)
                    if vals is None:
                        with self._undone():
                            records.unlink()
                            self._assert_blocked(revision, code, text, blocked)
                    else:
                        before = [{name: record._fields[name].convert_to_write(record[name], record) for name in vals}
                                  for record in records]
                        records.write(vals)
                        self._assert_blocked(revision, code, text, blocked)
                        for record, old in zip(records, before, strict=True):
                            record.write(old)
                    count += 1
            self.assertEqual(self._refusal(revision), '', f"{profile}: all mended")
        self.assertGreaterEqual(count, 4)

    @staticmethod
    def _line(revision):
        return revision.bom_line_ids.sorted('sequence')[0]

    @staticmethod
    def _step(name):
        return lambda revision: revision.step_ids.filtered(lambda step: step.name == name)

    @staticmethod
    def _stage(name):
        return lambda revision: revision.operation_ids.filtered(lambda row: row.name == name)

    # === PROFILES === #

    def _shipped(self):
        return self.env['mrp.mmr.requirement'].search([
            ('check', '!=', False), ('check', 'not in', SIGNING_CHECKS), ('scope', '=', 'master')])

    def test_matrix(self):
        """CON-010 to CON-200: shipped rows are enforced as the matrix of requirements says; O rows are off at first."""
        found = {
            (row.profile_id.code, row.code): (row.enforcement, row.enabled)
            for row in self._shipped()}
        expected = {
            (profile, code): (letter, letter != 'O')
            for code, letters in MATRIX.items() for profile, letter in zip(PROFILES, letters, strict=True) if letter != '-'}
        self.assertEqual(found, expected)
        for row in self._shipped():
            self.assertTrue(hasattr(self.drafts['P111'], self.drafts['P111']._completeness_checks[row.check]), row.check)
            self.assertTrue(row.citation and row.page, row.code)

    def test_switched_rows(self):
        """CON-060, CON-100, VER-040, APR-070, REV-070: Quality Control switches C and O rows by a signature with a reason."""
        faults = {
            'CON-100': lambda revision: self._line(revision).write({'mmr_weighing_verified': False}),
            'VER-040': lambda revision: self._step("Blending time")(revision).write(
                {'execution': 'automated', 'equipment_id': False}),
            'CON-060': lambda revision: revision.write({'theoretical_yield': 0}),
            'APR-070': lambda revision: revision.write({'process_rationale': False}),
            'REV-070': lambda revision: revision.mmr_id.write({'review_interval': 0}),
            'PKG-010': lambda revision: revision.operation_ids.sorted('sequence')[-1].write({'mmr_stage': 'processing'}),
        }
        count = 0
        for code, letters in MATRIX.items():
            for profile, letter in zip(PROFILES, letters, strict=True):
                row = self.env['mrp.mmr.requirement'].search([('profile_id.code', '=', profile), ('code', '=', code)])
                action = 'switch_off' if letter != 'O' else 'switch_on'
                with self.subTest(profile=profile, code=code, letter=letter), self._undone():
                    if letter == '-':
                        self.assertFalse(row)
                    elif letter in 'RS':
                        with self.assertRaisesRegex(UserError, f"{code}(?s:.)*it is required: (?s:.)*AUD-060"):
                            row.with_user(self.user_qc).action_switch()
                    else:
                        revision = self.drafts[profile]
                        for user in (self.user_preparer, self.user_manager, self.env.ref('base.user_admin')):
                            with self.assertRaises(AccessError):
                                row.with_user(user).action_switch()
                        faults[code](revision)
                        self.assertEqual(bool(self._refusal(revision)), letter == 'C')
                        self.assertIn("reason", self._esign(row, action, self.user_qc)['refused'])
                        signature = self._sign(row, action, self.user_qc, comment="Not for our process")
                        self.assertEqual(row.enabled, letter == 'O')
                        self.assertEqual(signature.content, {
                            'schema': 'mrp_mmr/requirement/1', 'profile': profile, 'code': code, 'citation': row.citation,
                            'enabled': letter == 'O'})
                        self.assertTrue([body for body in row.message_ids.mapped('body') if "Not for our process" in body])
                        self.assertEqual(bool(self._refusal(revision)), letter == 'O')
                        back = 'switch_on' if action == 'switch_off' else 'switch_off'
                        self._sign(row, back, self.user_qc, comment="After all")
                        self.assertEqual(bool(self._refusal(revision)), letter == 'C')
                        count += 1
        self.assertEqual(count, 11)

    def test_everything_at_once(self):
        """CON-010 to CON-200: one refusal lists every missing row, each with its citation and its record."""
        for profile, revision in self.drafts.items():
            with self.subTest(profile=profile), self._undone():
                line = self._line(revision)
                line.write({'mmr_strength': 0, 'gmp_qty': 0, 'mmr_overage_kind': False, 'mmr_weighing_verified': False,
                            'mmr_tolerance': 1})
                revision.write({'precautions': " ", 'reason': False, 'process_rationale': False, 'yield_max': 0, 'yield_min': 0,
                                'dosage_form': False})
                revision.ingredient_ids.unlink()
                revision.pack_ids.write({'description': False, 'checks': False})
                revision.specification_ids.write({'corrective_action': False, 'is_identity': False})
                self._step("Blending time")(revision).write({'unit': False})
                self._step("Samples")(revision).write({'sample_timing': False})
                revision.env['mrp.mmr.step'].create([{
                    'revision_id': revision.id, 'operation_id': revision.operation_ids.sorted('sequence')[-1].id,
                    'name': "Labels", 'kind': 'label', 'pack_id': revision.pack_ids.id, 'sequence': 90}] * 2)
                self._step("Caps")(revision).write({'performer_role': False, 'instruction': False, 'execution': 'automated',
                                                    'equipment_id': False})
                revision.equipment_ids.write({'preparation': False})
                revision.reference_ids.sop_id.state = 'obsolete'
                revision.section_ids.write({'text': False})
                message = self._refusal(revision)
                position = PROFILES.index(profile)
                for code, letters in MATRIX.items():
                    if code in ('MMR-010', 'MMR-040', 'CON-020', 'REV-070', 'PRD-050'):
                        continue
                    self.assertEqual(f"[{code}, " in message, letters[position] in 'RSC', code)
                for expected in (revision.display_name, "completeness of the profile", "What you can do: complete"):
                    self.assertIn(expected, message)
                self.assertEqual(revision.unmet_count, len({
                    row['code'] for row in revision.completeness if row['problems']}))

    # === ROW BY ROW === #

    def test_mmr_010(self):
        """MMR-010, MMR-050: the bill of materials is one batch of the product of the MMR, of the ordinary kind."""
        self._check_row('MMR-010', [
            (lambda revision: revision.bom_id, {'product_qty': 99}, "Odoo's decimal precision"),
            (lambda revision: revision.bom_id, {'type': 'phantom'}, "differs from the MMR: BoM Type"),
            (lambda revision: revision.bom_id, {'enable_batch_size': False}, "differs from the MMR"),
            (lambda revision: revision.bom_id,
             {'product_id': self.component_other.id, 'product_tmpl_id': self.component_other.product_tmpl_id.id},
             "differs from the MMR: Product"),
        ])

    def test_mmr_040(self):
        """MMR-040: what comes from another batch size is reviewed before anything is signed."""
        self._check_row('MMR-040', [
            (self._line, {'mmr_to_review': True}, "Ascorbic acid: the quantity comes from another batch size"),
            (self._stage("Blending"), {'mmr_yield_to_review': True}, "Blending: the yield comes from another batch size"),
            (lambda revision: revision, {'yield_to_review': True}, "The yield of the batch comes from another"),
        ])

    def test_con_010(self):
        """CON-010: each dietary or active ingredient has a strength with unit; supplements and drugs have one at least."""
        self._check_row('CON-010', [
            (self._line, {'mmr_strength': 0}, "Ascorbic acid: the label claim or its unit is missing"),
            (self._line, {'mmr_strength_unit': False}, "Ascorbic acid: the label claim or its unit"),
            (self._line, {'mmr_strength_unit': "  "}, "Ascorbic acid: the label claim or its unit"),
            (self._line, {'mmr_is_active': False}, "No component is marked", ('P111', 'P211', 'PEU')),
        ])

    def test_con_020(self):
        """CON-020, CON-190: components are listed; a procedure does not replace them; services and itself are none."""
        self._check_row('CON-020', [
            (lambda revision: revision.bom_line_ids, None, "The list of components is empty"),
            (self._line, {'product_id': self.product.id}, "a product cannot be a component of itself"),
        ])
        with self._undone():
            self.component_a.type = 'service'
            self._assert_blocked(self.drafts['P111'], 'CON-020', "Ascorbic acid: a service cannot be a component")

    def test_con_020_same_component_twice(self):
        """CON-020: the same component may be used in two stages; a processing aid is listed and not declared."""
        revision = self.drafts['P111']
        with self._undone():
            self._line(revision).copy({'operation_id': self._stage("Blending")(revision).id, 'sequence': 3})
            aid = self.env['mrp.bom.line'].with_user(self.user_preparer).create({
                'bom_id': revision.bom_id.id, 'product_id': self.component_other.id, 'gmp_qty': 1,
                'operation_id': self._stage("Blending")(revision).id, 'mmr_not_in_product': True, 'sequence': 4})
            revision.action_add_weighing_steps()
            revision.action_add_ingredients()
            self.assertNotIn(aid.product_id, revision.ingredient_ids.product_id)
            self._assert_blocked(revision, 'CON-200', "Magnesium stearate has no specification")
            revision.specification_ids.filtered('is_identity')[0].copy({'product_id': aid.product_id.id})
            self._assert_blocked(revision, '', '', False)
            rows = revision._prepare_document()['components']
            self.assertEqual([row['in_product'] for row in rows], [True, True, True, False])

    def test_con_030(self):
        """CON-030: every component has a quantity above zero, in a unit of its kind, and a stage of use."""
        self._check_row('CON-030', [
            (self._line, {'gmp_qty': 0}, "Ascorbic acid: the quantity must be greater than zero"),
            (self._line, {'operation_id': False}, "Ascorbic acid: the stage where it is used is missing"),
            (self._line, {'gmp_qty': 0.12345}, "Ascorbic acid: Odoo's decimal precision"),
        ])
        for revision in self.drafts.values():
            with self.assertRaisesRegex(ValidationError, "Ascorbic acid: L cannot be converted to kg"), self.cr.savepoint():
                self._line(revision).with_user(self.user_preparer).product_uom_id = self.litre

    def test_con_040(self):
        """CON-040: declared ingredients, dietary ones with amount and matching a component; supplements alone."""
        self._check_row('CON-040', [
            (lambda revision: revision.ingredient_ids, None, "No declared ingredient is listed"),
            (lambda revision: revision.ingredient_ids, {'product_id': self.component_other.id},
             "Ascorbic acid: this declared dietary ingredient does not match any component"),
            (lambda revision: revision.ingredient_ids, {'product_id': False}, "does not match any component"),
            (lambda revision: revision.ingredient_ids, {'amount': 0}, "Ascorbic acid: the declared amount or its unit"),
            (lambda revision: revision.ingredient_ids, {'amount_unit': False}, "the declared amount or its unit"),
            (lambda revision: revision.bom_line_ids, {'mmr_is_declared': True},
             "Microcrystalline cellulose is marked as declared"),
        ])

    def test_con_050(self):
        """CON-050: each dietary or active ingredient says its overage; 'None' is said, a blank is refused."""
        self._check_row('CON-050', [
            (self._line, {'mmr_overage_kind': False}, "Ascorbic acid: the overage is blank"),
            (self._line, {'mmr_overage_kind': 'percent'}, "Ascorbic acid: the overage is blank"),
            (self._line, {'mmr_overage_kind': 'amount', 'mmr_overage': 0}, "Ascorbic acid: the overage is blank"),
        ])

    def test_prd_050(self):
        """PRD-050: an overage above zero has a rationale, of whatever ingredient, under every profile."""
        for code, revision in self.drafts.items():
            for line in revision.bom_line_ids:
                with self.subTest(profile=code, line=line.product_id.name), self._undone():
                    line.write({'mmr_overage_kind': 'amount', 'mmr_overage': 0.5, 'mmr_overage_rationale': " "})
                    self._assert_blocked(revision, 'PRD-050', f"{line.product_id.name}: the overage has no rationale")
                    line.mmr_overage_rationale = "Loss"
                    self._assert_blocked(revision, '', '', False)

    def test_con_060(self):
        """CON-060: theoretical yield and band at the end and at each stage where the yield is controlled."""
        stage = self._stage("Blending")
        band = {'mmr_yield_control': True, 'mmr_theoretical_yield': 99, 'mmr_yield_uom_id': self.kg.id, 'mmr_yield_min': 95,
                'mmr_yield_max': 102}
        self._check_row('CON-060', [
            (lambda revision: revision, {'theoretical_yield': 0}, "The theoretical yield at the end of manufacture is missing"),
            (lambda revision: revision, {'yield_min': 0}, "End of manufacture: the minimum or the maximum yield is missing"),
            (lambda revision: revision, {'yield_min': 0, 'yield_max': 0}, "End of manufacture: the minimum or"),
            (stage, {'mmr_yield_control': True}, "Blending: the theoretical yield or its unit is missing"),
            (stage, {'mmr_yield_control': True}, "Blending: the minimum or the maximum yield is missing"),
            (stage, dict(band, mmr_yield_uom_id=False), "Blending: the theoretical yield or its unit is missing"),
            (stage, dict(band, mmr_theoretical_yield=0), "Blending: the theoretical yield or its unit is missing"),
            (stage, dict(band, mmr_yield_max=0, mmr_yield_min=0), "Blending: the minimum or the maximum yield is missing"),
        ])
        revision = self.drafts['P111']
        with self._undone():
            stage(revision).write(band)
            self._assert_blocked(revision, '', '', False)

    def test_con_070(self):
        """CON-070: packaging is described, and a label has a file or a location; drugs have it signed."""
        self._check_row('CON-070', [
            (lambda revision: revision.pack_ids, None, "The packaging has no description"),
            (lambda revision: revision.pack_ids, {'description': False}, "Bottle of 60: the description of the packaging"),
            (lambda revision: revision.pack_ids, {'label_id': False}, "Bottle of 60: the label is missing"),
        ])
        for profile, revision in self.drafts.items():
            label = revision.pack_ids.label_id
            with self.subTest(profile=profile, label="obsolete"), self._undone():
                self.assertIn("APR-050", self._esign(label, 'obsolete', self.user_preparer, comment="Old")['refused'])
                self._sign(label, 'obsolete', self.user_qc, comment="New text")
                self._assert_blocked(revision, 'CON-070', f"{label.code} v. 1 · Bottle label is obsolete")
            with self.subTest(profile=profile, label="neither"), self._undone():
                other = label.copy({'code': 'LBL-X', 'location': False})
                revision.pack_ids.label_id = other
                self._assert_blocked(
                    revision, 'CON-070', r"LBL-X v\. 1[^\n]*: the label has neither a file nor a location")
                for vals in ({'location': "Shelf 4"}, {'location': False, 'upload': PNG, 'upload_name': "label.png"}):
                    other.write(vals)
                    if profile == 'P211':
                        self._assert_blocked(revision, 'CON-070', r"LBL-X v\. 1[^\n]* has not been signed by Quality Control")
                    else:
                        self._assert_blocked(revision, '', '', False)
                self.assertEqual(revision._prepare_document()['packs'][0]['label']['file']['sha256'], other.file_id.sha256)
                self._sign(other, 'approve', self.user_qc)
                self._assert_blocked(revision, '', '', False)

    def test_con_070_signed_label(self):
        """CON-070: the label's own signature is Quality Control's, and what it is over does not change; not by SQL."""
        label = self.drafts['P211'].pack_ids.label_id
        draft = self.drafts['P111'].pack_ids.label_id
        self.assertEqual((label.state, label.approved_signature_id.user_id), ('approved', self.user_qc))
        self.assertEqual(self.drafts['P211']._prepare_document()['packs'][0]['label']['approval']['name'], self.user_qc.name)
        for user in (self.user_preparer, self.env.ref('base.user_admin'), self.user_manager):
            with self.assertRaises(AccessError):
                draft.with_user(user).action_approve()
        for vals in ({'state': 'approved'}, {'approved_signature_id': label.approved_signature_id.id}):
            with self.assertRaisesRegex(UserError, "CON-070"):
                draft.with_user(self.user_qc).sudo().write(vals)
            with self.assertRaisesRegex(UserError, "CON-070"):
                self.env['mrp.mmr.label'].sudo().create({'code': 'F', 'name': "Forged", 'location': "x", **vals})
        with self.assertRaisesRegex(UserError, "REV-010"):
            label.with_user(self.user_preparer).claims = "Cures everything."
        for query in ("UPDATE mrp_mmr_label SET claims = 'x' WHERE id = %(signed)s",
                      "UPDATE mrp_mmr_label SET approved_signature_id = NULL WHERE id = %(signed)s",
                      "UPDATE mrp_mmr_label SET state = 'approved' WHERE id = %(draft)s",
                      "UPDATE mrp_mmr_label SET state = 'approved', approved_signature_id = %(signature)s WHERE id = %(draft)s",
                      "DELETE FROM mrp_mmr_label WHERE id = %(signed)s"):
            with self.subTest(query=query):
                self._sql_refused(query, {
                    'signed': label.id, 'draft': draft.id, 'signature': label.approved_signature_id.id},
                        rule="CON-070|REV-010|mrp_mmr_label_approved")

    def _sql_refused(self, query, params, rule):
        with self.assertRefused(*rule.split('|'), error=DatabaseError):
            self.cr.execute(query, params)

    def test_con_080(self):
        """CON-080: at least one control point; each with limits and unit, or with what passes; the step is named."""
        where = "Blending, step 'Blending time'"
        caps = "Bottling, step 'Caps'"
        self._check_row('CON-080', [
            (lambda revision: revision.step_ids.filtered(lambda step: step.kind in ('numeric', 'passfail')), None,
             "There is no control point"),
            (self._step("Blending time"), {'unit': False}, f"{where} has limits without a unit"),
            (self._step("Blending time"), {'minimum': False, 'maximum': False}, f"{where} has no limits"),
            (self._step("Blending time"), {'has_target': True, 'target': 17}, f"{where} has a target outside its limits"),
            (self._step("Blending time"), {'limit_kind': 'text'}, f"{where} is a measurement but has no limits"),
            (self._step("Caps"), {'criterion_text': False}, f"{caps} does not state what counts as passing"),
            (self._step("Caps"), {'criterion_text': " \n"}, f"{caps} does not state what counts as passing"),
            (self._step("Caps"), {'limit_kind': 'range', 'minimum': 1, 'maximum': 2, 'unit': "mm"},
             f"{caps} is a pass/fail check but does not state what counts as passing"),
        ])
        for kind, vals in (('nlt', {'minimum': 0}), ('nmt', {'maximum': 0}), ('range', {'minimum': 15, 'maximum': 15})):
            with self.subTest(kind=kind), self._undone():
                self._step("Blending time")(self.drafts['P111']).write({'limit_kind': kind, **vals})
                self._assert_blocked(self.drafts['P111'], '', '', False)

    def test_con_080_environment(self):
        """CON-140: an environmental limit is a control point."""
        revision = self.drafts['PEU']
        with self._undone():
            self._step("Blending time")(revision).write({'kind': 'environment', 'unit': False})
            self._assert_blocked(revision, 'CON-080', "step 'Blending time' has limits without a unit")

    def test_con_090(self):
        """CON-090: a sample has count, size, unit, time, role and the procedure of the test."""
        where = "Bottling, step 'Samples': missing for the sample: "
        self._check_row('CON-090', [
            (self._step("Samples"), {'sample_count': 0}, where + "sample size"),
            (self._step("Samples"), {'sample_size': 0}, where + "sample size"),
            (self._step("Samples"), {'sample_unit': False}, where + "sample size"),
            (self._step("Samples"), {'sample_timing': " "}, where + "time of sampling"),
            (self._step("Samples"), {'sample_role': False}, where + "role"),
            (self._step("Samples"), {'method_id': False}, where + "test procedure"),
            (self._step("Caps"), {'sample_required': True},
             "Bottling, step 'Caps': missing for the sample: sample size, time of sampling, test procedure"),
        ])

    def test_con_100(self):
        """CON-100: weighing and adding every component is verified, by hand by a second person."""
        weigh = self._step("Weigh and add Ascorbic acid")
        self._check_row('CON-100', [
            (self._line, {'mmr_weighing_verified': False}, "Ascorbic acid: weighing and addition must both be verified"),
            (self._line, {'mmr_addition_verified': False}, "Ascorbic acid: weighing and addition must both be verified"),
            (weigh, None, "Ascorbic acid: no step weighs and adds it"),
            (weigh, {'bom_line_id': False}, "Weighing, step 'Weigh and add Ascorbic acid' has no component"),
        ])

    @mute_logger('odoo.sql_db')
    def test_con_100_second_person(self):
        """CON-100: the second person of weighing by hand cannot be switched off, on any road."""
        for profile, revision in self.drafts.items():
            step = self._step("Weigh and add Ascorbic acid")(revision)
            self.assertEqual((step.execution, step.verifier_role), ('manual', 'verifier'))
            with self.subTest(profile=profile), self.assertRaisesRegex(Exception, "second_person"), self.cr.savepoint():
                step.verifier_role = False
                self.env.flush_all()
            self.env.invalidate_all()
            step.write({'execution': 'automated', 'verifier_role': False,
                        'equipment_id': step.operation_id.mmr_equipment_ids[:1].id})
            with self.subTest(profile=profile, back=True), self.assertRaisesRegex(Exception, "second_person"), \
                    self.cr.savepoint():
                step.execution = 'manual'
                self.env.flush_all()
            self.env.invalidate_all()

    def test_con_100_added_elsewhere(self):
        """CON-100: a component that is added in another stage than it is weighed in has two verifications."""
        revision = self.drafts['P111']
        line = self._line(revision)
        step = self.env['mrp.mmr.step'].with_user(self.user_preparer).create({
            'operation_id': revision.operation_ids[-1].id, 'kind': 'add', 'name': "Add it", 'bom_line_id': line.id})
        self.assertEqual(step.verifier_role, 'verifier')
        self._assert_blocked(revision, '', '', False)
        self.assertIn('add', [row['kind'] for row in revision._prepare_document()['operations'][-1]['steps']])
        with self.assertRaisesRegex(CheckViolation, "second_person"), mute_logger('odoo.sql_db'), self.cr.savepoint():
            step.verifier_role = False
            step.flush_recordset()
        step.bom_line_id = False
        self._assert_blocked(revision, 'CON-100', "has no component")

    def test_con_110(self):
        """CON-110: special notations are written, or 'none' is."""
        self._check_row('CON-110', [
            (lambda revision: revision, {'precautions': False}, "Special notations and precautions are blank"),
            (lambda revision: revision, {'precautions': " \n "}, "Special notations and precautions are blank"),
        ])
        with self._undone():
            self.drafts['P111'].precautions = "none"
            self._assert_blocked(self.drafts['P111'], '', '', False)

    def test_con_120(self):
        """CON-120: a corrective action plan for every specification, of the process and of materials."""
        self._check_row('CON-120', [
            (self._step("Blending time"), {'corrective_action': False},
             "Blending, step 'Blending time': the corrective action plan is missing"),
            (lambda revision: revision.specification_ids[0], {'corrective_action': " "},
             "Ascorbic acid: Identity: the corrective action plan is missing"),
        ])

    def test_con_130(self):
        """CON-130: drugs say dosage form and weight, use one system of units and justify variations; others need not."""
        pound = self.env.ref('uom.product_uom_lb')
        self._set_decimals(12)
        self._check_row('CON-130', [
            (lambda revision: revision, {'dosage_form': False}, "The description of the dosage form is missing"),
            (lambda revision: revision, {'dosage_unit_weight': 0}, "The total weight of a dosage unit, or its"),
            (lambda revision: revision, {'dosage_unit_weight_unit': False}, "The total weight of a dosage unit"),
            (self._line, {'mmr_tolerance': 0.5}, "Ascorbic acid: the permitted variation has no justification"),
            (self._line, {'product_uom_id': pound.id}, "Metric and customary units cannot be mixed: .*kg.*lb"),
        ])
        drum = self.env['uom.uom'].create({'name': "drum", 'relative_uom_id': pound.id, 'relative_factor': 55})
        with self._undone():
            self._line(self.drafts['P211']).write({'product_uom_id': drum.id})
            self._assert_blocked(self.drafts['P211'], 'CON-130', "Metric and customary units cannot be mixed: .*drum")

    def test_con_140(self):
        """CON-140: a processing or packaging stage names equipment, its preparation and a line clearance."""
        self._check_row('CON-140', [
            (lambda revision: self._stage("Blending")(revision).mmr_equipment_ids, None, "Blending: the equipment is missing"),
            (lambda revision: self._stage("Bottling")(revision).mmr_equipment_ids, {'preparation': False},
             "Bottling, any Test blender: how it is prepared is missing"),
            (self._step("Clear the line"), None, "Bottling: there is no line clearance"),
            (self._step("Line clearance"), {'kind': 'equipment'}, "Blending: there is no line clearance"),
        ])

    def test_con_150(self):
        """CON-150: stages have steps, steps have words, and their order has no circle."""
        self._check_row('CON-150', [
            (lambda revision: self._stage("Blending")(revision).mmr_step_ids, None, "Blending has no step"),
            (self._step("Blend"), {'instruction': " "}, "Blending, step 'Blend': the instruction is missing"),
            (self._step("Caps"), {'instruction': False}, "Bottling, step 'Caps': the instruction is missing"),
            (lambda revision: revision.operation_ids, None, "There are no operations"),
            (self._stage("Blending"), {'active': False}, "Blending is archived but still has steps or equipment"),
            (self._stage("Bottling"), {'active': False}, "Bottling is archived but still has steps or equipment"),
        ])
        revision = self.drafts['P111']
        with self._undone():
            self._step("Blending time")(revision).equipment_id = self._stage("Bottling")(revision).mmr_equipment_ids
            self._assert_blocked(revision, 'CON-150', "Blending, step 'Blending time' uses equipment of another stage")
        with self._undone():
            revision.bom_id.allow_operation_dependencies = True
            first, second, third = revision.operation_ids.sorted('sequence')
            second.blocked_by_operation_ids = first
            third.blocked_by_operation_ids = second
            with self.assertRaisesRegex(UserError, "(?i)cyclic"):
                first.blocked_by_operation_ids = third
        with self._undone(), self.assertRaisesRegex(UserError, "(?i)cyclic"):
            revision.bom_id.allow_operation_dependencies = True
            revision.operation_ids[0].blocked_by_operation_ids = revision.operation_ids[0]

    def test_con_160(self):
        """CON-160: a packaging stage needs materials, coding position, clearance and checks of every pack size."""
        self._check_row('CON-160', [
            (lambda revision: revision.pack_ids.line_ids, None, "Bottle of 60: the list of packaging materials is empty"),
            (lambda revision: revision.pack_ids.line_ids, {'uom_id': self.kg.id},
             "Bottle of 60, HDPE bottle: the unit cannot be converted"),
            (lambda revision: revision.pack_ids, {'coding_position': False},
             "Bottle of 60 is incomplete. Missing: where the lot number and the expiry date are printed"),
            (lambda revision: revision.pack_ids, {'clearance': " "}, "Missing: the line clearance"),
            (lambda revision: revision.pack_ids, {'checks': False}, "Missing: the packaging checks"),
        ])
        for profile, revision in self.drafts.items():
            with self.subTest(profile=profile, packs=2), self._undone():
                second = revision.pack_ids.copy({'name': "Bottle of 90"})
                self._assert_blocked(revision, 'CON-160', "Bottle of 90: the list of packaging materials is empty")
                revision.pack_ids[0].line_ids.copy({'pack_id': second.id})
                self._assert_blocked(revision, '', '', False)
                second.packed_under = "MMR-0099"
                second.line_ids.unlink()
                self._assert_blocked(revision, '', '', False)
                self.assertEqual([pack['name'] for pack in revision._prepare_document()['packs']],
                                 ["Bottle of 60", "Bottle of 90"])

    def test_pkg_010(self):
        """R-01, PKG-010: each pack has a stage that is marked, materials, a label, and one reconciliation of its own."""
        for profile, revision in self.drafts.items():
            packaging = revision.operation_ids.sorted('sequence')[-1]
            with self.subTest(profile=profile), self._undone():
                packaging.mmr_stage = 'processing'
                self._assert_blocked(revision, 'PKG-010', "No stage is marked as packaging or labelling")
                revision.pack_ids.packed_under = "MMR-0099"
                self.assertNotIn('PKG-010', [row['code'] for row in revision.completeness if row['problems']])
            with self.subTest(profile=profile, labels=1), self._undone():
                second = revision.pack_ids.copy({'name': "Bottle of 90"})
                revision.pack_ids[0].line_ids.copy({'pack_id': second.id})
                step = revision.env['mrp.mmr.step'].create({
                    'revision_id': revision.id, 'operation_id': packaging.id, 'name': "Labels", 'kind': 'label',
                    'instruction': "Count.", 'sequence': 90})
                self._assert_blocked(revision, 'PKG-010', "step 'Labels': the pack size of its labels is missing")
                step.pack_id = second
                self.assertFalse([row for row in revision.completeness if row['code'] == 'PKG-010' and row['problems']])
                steps = revision._prepare_document()['operations'][-1]['steps']
                self.assertEqual([row.get('pack') for row in steps if row['kind'] == 'label'], [2])
                step.copy()
                self._assert_blocked(revision, 'PKG-010', "Bottle of 90: its labels are reconciled in more than one step")

    def test_con_170(self):
        """CON-170: every step names who performs it, and what performer and verifier sign."""
        self._check_row('CON-170', [
            (self._step("Blend"), {'performer_role': False}, "Blending, step 'Blend': who performs it"),
            (self._step("Blend"), {'performer_meaning': False}, "Blending, step 'Blend': who performs it"),
            (self._step("Weigh and add Ascorbic acid"), {'verifier_meaning': False}, "the meaning of the verifier's signature"),
        ])

    def test_con_180(self):
        """CON-180: every section of a device's file is filled, refers to a place, or does not apply for a reason."""
        revision = self.drafts['PDEV']
        self.assertEqual(len(revision.section_ids), 5)
        for row in revision.section_ids:
            with self.subTest(section=row.code), self._undone():
                label = dict(row._fields['code'].selection)[row.code]
                row.text = " "
                self._assert_blocked(revision, 'CON-180', label.replace('(', r'\(').replace(')', r'\)'))
                row.not_applicable_reason = " "
                self._assert_blocked(revision, 'CON-180', "not marked as not applicable with a reason")
                for vals in ({'not_applicable_reason': "No software"}, {'location': "Shelf", 'not_applicable_reason': False},
                             {'location': False, 'upload': PNG, 'upload_name': "drawing.png"}):
                    row.write(vals)
                    self._assert_blocked(revision, '', '', False)
                row.unlink()
                self._assert_blocked(revision, 'CON-180', "Sections of the device file are missing")
        for profile in ('P111', 'P211', 'PEU'):
            self.assertFalse(self.drafts[profile].section_ids)

    def test_con_190(self):
        """CON-190: no obsolete document is referred to, in whatever place."""
        for profile, revision in self.drafts.items():
            step = self._step("Blend")(revision)
            places = [
                lambda document, revision=revision: revision.reference_ids.write({'sop_id': document.id}),
                lambda document, step=step: step.write({'sop_ids': [Command.set(document.ids)]}),
                lambda document, step=step: step.write({'method_id': document.id}),
                lambda document, revision=revision: revision.specification_ids[0].write({'method_id': document.id}),
                lambda document, revision=revision: revision.specification_ids[0].write({'document_id': document.id}),
            ]
            for position, place in enumerate(places):
                with self.subTest(profile=profile, place=position), self._undone():
                    document = self.env['mrp.sop'].create({'code': 'OLD-1', 'name': "Old", 'version': "3"})
                    place(document)
                    self._assert_blocked(revision, '', '', False)
                    document.state = 'obsolete'
                    self._assert_blocked(revision, 'CON-190', r"OLD-1 v\. 3 · Old is obsolete")

    def test_con_200(self):
        """CON-200: component, packaging, label and product have specifications; components an identity test."""
        def rows(scope, position=0):
            return lambda revision: revision.specification_ids.filtered(lambda row: row.scope == scope)[position]
        self._check_row('CON-200', [
            (rows('component'), None, "Ascorbic acid has no specification"),
            (rows('component', 1), {'is_identity': False},
             "Microcrystalline cellulose: the specification has no identity test"),
            (rows('component'), {'document_id': False}, "Ascorbic acid: the version of the specification is missing"),
            (rows('component'), {'product_id': False}, "has no component"),
            (rows('product'), None, "The finished product has no specification"),
            (rows('label'), None, "The label has no specification"),
            (rows('packaging'), None, "HDPE bottle, a packaging material, has no specification"),
            (rows('product'), {'criterion_text': False}, "Finished product: Appearance does not state what counts as passing"),
            (rows('product'), {'limit_kind': 'range', 'minimum': 1, 'maximum': 2}, "Appearance has limits without a unit"),
        ])

    def test_ver_040(self):
        """VER-040: an automated step names the equipment that does it."""
        where = "Blending, step 'Blending time' is automated but has no equipment"
        self._check_row('VER-040', [
            (self._step("Blending time"), {'execution': 'automated', 'equipment_id': False}, where)])
        with self._undone():
            self._step("Blending time")(self.drafts['P111']).execution = 'automated'
            self._assert_blocked(self.drafts['P111'], '', '', False)

    def test_apr_070(self):
        """APR-070: with in-process specifications, supplements explain why these assure the product; none, none."""
        self._check_row('APR-070', [
            (lambda revision: revision, {'process_rationale': " "}, "why the in-process specifications assure the product")])

    def test_rev_030(self):
        """REV-030: reason, description of a change, and an effective date that is not over."""
        yesterday = fields.Date.today() - timedelta(days=2)
        self._check_row('REV-030', [
            (lambda revision: revision, {'reason': " "}, "The reason for this revision is missing"),
            (lambda revision: revision, {'change_category': 'process'}, "The description of the change is missing"),
            (lambda revision: revision, {'date_effective': yesterday}, "The effective date is in the past"),
        ])
        with self._undone():
            self.drafts['P111'].date_effective = fields.Date.today() + timedelta(days=1)
            self._assert_blocked(self.drafts['P111'], '', '', False)

    def test_rev_070(self):
        """REV-070: under EU GMP an MMR has a review interval; elsewhere it may have none."""
        for profile, revision in self.drafts.items():
            with self.subTest(profile=profile), self._undone():
                if profile == 'PEU':
                    with self.assertRaisesRegex(ValidationError, "the review interval in months is missing(?s:.)*REV-070"):
                        revision.mmr_id.review_interval = 0
                else:
                    revision.mmr_id.review_interval = 0
                    self._assert_blocked(revision, '', '', False)
                with self.assertRaisesRegex(ValidationError, "REV-070"):
                    revision.mmr_id.review_interval = -1

    # === REQUIREMENTS OF THE COMPANY === #

    def test_own_requirement(self):
        """CON-010 to CON-200: a requirement that the company adds must be answered, under its profile and company."""
        env = self.env(user=self.user_qc)
        own = env['mrp.mmr.requirement'].create({
            'profile_id': self.drafts['P111'].profile_id.id, 'code': 'HOUSE-1', 'citation': "Quality manual 7",
            'name': "Allergens are named", 'enforcement': 'R'})
        revision = self.drafts['P111']
        self._assert_blocked(revision, 'HOUSE-1', "Allergens are named: not answered")
        self._assert_blocked(self.drafts['P211'], '', '', False)
        answer = self.env['mrp.mmr.answer'].with_user(self.user_preparer).create({
            'revision_id': revision.id, 'requirement_id': own.id, 'answer': "  "})
        self._assert_blocked(revision, 'HOUSE-1', "Allergens are named: not answered")
        answer.answer = "Soya."
        self._assert_blocked(revision, '', '', False)
        self.assertEqual(revision._prepare_document()['answers'], [
            {'requirement': 'HOUSE-1', 'text': "Allergens are named", 'answer': "Soya."}])
        # Another company's requirement is not this one's.
        other = self.env['res.company'].create({'name': "Elsewhere"})
        foreign = self.env['mrp.mmr.requirement'].create({
            'profile_id': revision.profile_id.id, 'code': 'HOUSE-2', 'citation': "x", 'name': "y", 'company_id': other.id})
        self._assert_blocked(revision, '', '', False)
        foreign.company_id = self.company
        self._assert_blocked(revision, 'HOUSE-2', "y: not answered")
        # An own one can be taken away again, as long as no revision answers it.
        foreign.with_user(self.user_qc).unlink()
        answer.unlink()
        own.unlink()
        self._assert_blocked(revision, '', '', False)

    @mute_logger('odoo.sql_db')
    def test_shipped_rows_stay(self):
        """AUD-060, CON-010 to CON-200: nobody changes, switches or removes a shipped row by the side door."""
        row = self.env.ref('mrp_mmr.requirement_p111_con_110')
        config = self.env.ref('mrp_mmr.requirement_pdev_con_100')
        before = row.read(
            ['code', 'profile_id', 'company_id', 'citation', 'enforcement', 'check', 'enabled', 'name', 'page'])[0]
        changes = [
            {'enabled': False}, {'enforcement': 'O'}, {'check': False}, {'check': 'batch_size'}, {'code': 'X'},
            {'citation': "none"}, {'name': "x"}, {'profile_id': self.drafts['P211'].profile_id.id},
            {'company_id': self.env['res.company'].create({'name': "Elsewhere"}).id}, {'page': 'steps'},
        ]
        hostile = {'install_mode': True, 'module': 'mrp_mmr', 'mmr_transition': True, '_force_unlink': True}
        for user in (self.user_qc, self.user_preparer, self.env.ref('base.user_admin')):
            for vals in changes:
                for context in ({}, hostile):
                    with self.subTest(user=user.login, vals=vals, context=bool(context)), self.assertRefused('CON-010'):
                        row.with_user(user).with_context(**context).write(vals)
            with self.subTest(user=user.login, unlink=True), self.assertRefused('AccessError', 'CON-010'):
                row.with_user(user).unlink()
            # A key that switches guards of the ORM off meets PostgreSQL.
            with self.subTest(user=user.login, unlink='hostile'), \
                    self.assertRaisesRegex(Exception, "cannot be changed|not allowed to delete"), self.cr.savepoint():
                row.with_user(user).with_context(**hostile).unlink()
            self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "AUD-060"):
            row.with_user(self.user_qc).update_field_translations('name', {'en_US': "Nothing"})
        for vals in changes:
            with self.subTest(sudo=True, vals=vals), self.assertRaisesRegex(UserError, "AUD-060"):
                row.sudo().write(vals)
        for vals in changes[:-1]:
            with self.subTest(loading=True, vals=vals), self.assertRefused('CON-110', 'mrp_mmr_requirement_kept'):
                # What loads data files changes nothing that the data files do not say.
                row.sudo().with_context(install_mode=True).write(vals)
                self.env.flush_all()
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "AUD-060"):
            row.sudo().unlink()
        with self.assertRaisesRegex(UserError, "AUD-060"):
            config.sudo().write({'enabled': False})
        # New rows that do nothing, or claim a check of the addon.
        vals = {'profile_id': row.profile_id.id, 'code': 'X-1', 'citation': "x", 'name': "x"}
        for context, extra in (({}, {'check': 'batch_size'}), ({}, {'enabled': False, 'enforcement': 'O'})):
            with self.subTest(extra=extra), self.assertRaisesRegex(UserError, "AUD-060"):
                self.env['mrp.mmr.requirement'].with_user(self.user_qc).with_context(**context).create({**vals, **extra})
        created = self.env['mrp.mmr.requirement'].with_user(self.user_qc).with_context(
            default_check='batch_size', default_enabled=False, default_enforcement='O').create(vals)
        self.assertEqual((created.check, created.enabled), (False, True))
        statements = [
            "UPDATE mrp_mmr_requirement SET enabled = false WHERE id = %(row)s",
            "UPDATE mrp_mmr_requirement SET enabled = false, enforcement = 'O' WHERE id = %(row)s",
            "UPDATE mrp_mmr_requirement SET enforcement = 'O' WHERE id = %(row)s",
            "UPDATE mrp_mmr_requirement SET \"check\" = NULL WHERE id = %(row)s",
            "UPDATE mrp_mmr_requirement SET \"check\" = 'batch_size' WHERE id = %(row)s",
            "UPDATE mrp_mmr_requirement SET company_id = %(company)s WHERE id = %(row)s",
            "UPDATE mrp_mmr_requirement SET profile_id = %(profile)s WHERE id = %(row)s",
            "UPDATE mrp_mmr_requirement SET enabled = false WHERE id = %(config)s",
            "DELETE FROM mrp_mmr_requirement WHERE id = %(row)s",
            "UPDATE mrp_mmr_requirement SET name = '{\"en_US\": \"Nothing\"}' WHERE id = %(row)s",
            # A setting that let data files pass, once.
            "SET LOCAL mrp_mmr.loading = 'on'; UPDATE mrp_mmr_requirement SET enforcement = 'O' WHERE id = %(row)s",
            "SET LOCAL mrp_mmr.loading = 'on'; DELETE FROM mrp_mmr_requirement WHERE id = %(row)s",
            """INSERT INTO mrp_mmr_requirement (profile_id, code, citation, enforcement, "check", enabled, name)
               VALUES (%(profile)s, 'X-2', 'x', 'O', 'batch_size', false, '{"en_US": "x"}')""",
            """INSERT INTO mrp_mmr_requirement (profile_id, code, citation, enforcement, enabled, name)
               VALUES (%(profile)s, 'X-2', 'x', 'O', false, '{"en_US": "x"}')""",
            "UPDATE mrp_mmr_profile SET code = 'PDEV2' WHERE id = %(profile)s",
        ]
        for statement in statements:
            with self.subTest(sql=statement):
                self._sql_refused(statement, {
                    'row': row.id, 'config': config.id, 'company': changes[8]['company_id'],
                    'profile': self.drafts['P211'].profile_id.id},
                        rule="CON-100|CON-110|REV-010|mrp_mmr_requirement_kept|mrp_mmr_requirement_signed")
        self.env.invalidate_all()
        self.assertEqual(row.read(list(before))[0], before)

    def test_update_of_the_addon(self):
        """AUD-060: a new version of the addon may bring another citation; switched rows stay switched."""
        row = self.env.ref('mrp_mmr.requirement_pdev_con_100')
        self._sign(row, 'switch_off', self.user_qc, comment="Scales print")
        loader = row.sudo().with_context(install_mode=True)
        vals = {'citation': "House rule 2", 'enforcement': 'C'}
        with self.assertRaisesRegex(CheckViolation, "cannot be changed"), self.cr.savepoint():
            loader.write(vals)
            self.env.flush_all()
        shipped = guards.shipped_requirements()
        shipped['PDEV/CON-100'][1:3] = vals.values()
        guards.load(self.env.cr, shipped)
        loader.write(vals)
        self.env.flush_all()
        self.assertEqual((row.citation, row.enabled), ("House rule 2", False))
        self._sql_refused("UPDATE mrp_mmr_requirement SET citation = 'x' WHERE id = %s", [row.id], rule="CON-100")

    # === KINDS OF PRODUCTS === #

    def test_kinds_of_batches(self):
        """MMR-010 to MMR-060: capsules by count, powder, liquid and devices side by side, each with its own sizes."""
        kinds = [("Capsules", self.unit, 10000, 'P211'), ("Powder", self.kg, 100, 'P111'), ("Syrup", self.litre, 250, 'PEU'),
                 ("Pump", self.unit, 50, 'PDEV')]
        for name, unit, size, profile in kinds:
            product = self.env['product.product'].create({
                'name': name, 'type': 'consu', 'is_storable': True, 'tracking': 'lot', 'uom_id': unit.id})
            revision = self._create_complete(profile, size, product_id=product.id, uom_id=unit.id)
            revision.bom_line_ids.write({'product_uom_id': self.kg.id})
            self.assertEqual(revision.theoretical_yield, size)
            self._make_effective(revision)
            document = revision.document
            self.assertEqual((document['batch_size']['quantity'], document['batch_size']['unit'], document['yield']['unit']),
                             (str(size), unit.name, unit.name))
            order = self._create_order(size, product=product)
            order.action_confirm()
            self.assertEqual((order.state, order.mmr_revision_id), ('confirmed', revision), name)
            with self.subTest(product=name), self.assertRaisesRegex(UserError, "USE-010"):
                self._create_order(size + 1, product=product).action_confirm()
        with self.assertRaisesRegex(UserError, "MMR-040(?s:.)*create an MMR for the other batch size; it can copy"):
            revision.mmr_id.with_user(self.user_preparer).batch_size = 60
        with self.assertRaisesRegex(UserError, "REV-040"):
            revision.mmr_id.sudo().write({'uom_id': self.env.ref('uom.product_uom_dozen').id})
        self._sql_refused("UPDATE mrp_mmr SET batch_size = 60 WHERE id = %s", [revision.mmr_id.id], "REV-040")

    @mute_logger('odoo.sql_db')
    def test_batch_size(self):
        """MMR-010, MMR-020: no size, zero and negative sizes and the same size in another unit are refused."""
        mmrs = self.env['mrp.mmr'].with_user(self.user_preparer)
        vals = {'product_id': self.product.id, 'formulation_code': "A", 'batch_size': 101}
        for change, message in (
                ({'batch_size': 0}, "greater than zero|batch_size_positive"), ({'batch_size': -5}, "batch_size_positive"),
                ({'batch_size': False}, "batch_size"), ({'product_id': False}, "product_id"),
                ({'formulation_code': " "}, "formulation_code"), ({'batch_size': 101}, "key_uniq"),
                ({'batch_size': 101000, 'uom_id': self.gram.id}, "key_uniq"),
                ({'uom_id': self.litre.id, 'batch_size': 9}, "L cannot be converted to kg(?s:.)*MMR-030")):
            with self.subTest(change=change), self.assertRaisesRegex(Exception, message), self.cr.savepoint():
                mmrs.create({**vals, **change})
            self.env.invalidate_all()

    # === BAD INPUT === #

    @mute_logger('odoo.sql_db')
    def test_limits_upside_down(self):
        """CON-060, CON-080, VER-060: a minimum above its maximum is refused when it is written, by name, on every road."""
        revision = self.drafts['P111']
        line = self._step("Blending time")(revision)
        cases = [
            (line, {'minimum': 17}, "limits_in_order", "UPDATE mrp_mmr_step SET minimum = 17 WHERE id = %s"),
            (line, {'has_plausibility': True, 'plausible_min': 3, 'plausible_max': 2}, "plausibility_in_order",
             "UPDATE mrp_mmr_step SET has_plausibility = true, plausible_min = 3, plausible_max = 2 WHERE id = %s"),
            (revision.specification_ids[0], {'limit_kind': 'range', 'minimum': 2, 'maximum': 1, 'unit': "mm"},
             "limits_in_order",
             "UPDATE mrp_mmr_specification SET limit_kind = 'range', minimum = 2, maximum = 1 WHERE id = %s"),
            (revision, {'yield_min': 103}, "yield_band", "UPDATE mrp_mmr_revision SET yield_min = 103 WHERE id = %s"),
            (revision, {'yield_min': -1}, "yield_band", "UPDATE mrp_mmr_revision SET yield_min = -1 WHERE id = %s"),
            (self._stage("Blending")(revision), {'mmr_yield_min': 99, 'mmr_yield_max': 98}, "mmr_yield_band",
             "UPDATE mrp_routing_workcenter SET mmr_yield_min = 99, mmr_yield_max = 98 WHERE id = %s"),
            (self._stage("Blending")(revision), {'mmr_hold_time': -1}, "mmr_times",
             "UPDATE mrp_routing_workcenter SET mmr_hold_time = -1 WHERE id = %s"),
            (revision.pack_ids, {'quantity': 0}, "quantity_positive", "UPDATE mrp_mmr_pack SET quantity = 0 WHERE id = %s"),
            (revision.pack_ids.line_ids, {'quantity': -1}, "quantity_positive",
             "UPDATE mrp_mmr_pack_line SET quantity = -1 WHERE id = %s"),
            (revision.ingredient_ids, {'amount': -1}, "amount_positive",
             "UPDATE mrp_mmr_ingredient SET amount = -1 WHERE id = %s"),
            (self._line(revision), {'mmr_tolerance': -1}, "mmr_not_negative",
             "UPDATE mrp_bom_line SET mmr_tolerance = -1 WHERE id = %s"),
            (revision.equipment_ids[0], {'category_id': False}, "unit_or_class",
             "UPDATE mrp_mmr_equipment SET category_id = NULL WHERE id = %s"),
        ]
        for record, vals, constraint, statement in cases:
            with self.subTest(record=record._name, vals=vals):
                with self.assertRaisesRegex(Exception, constraint), self.cr.savepoint():
                    record.write(vals)
                    self.env.flush_all()
                self.env.invalidate_all()
                name = next(key for key in record._table_objects if key.endswith(constraint))
                self._sql_refused(statement, [record.id], name)
                # What the person reads is a sentence with the rule.
                self.assertRegex(str(record._table_objects[name].get_error_message(record, None)), r"\w+.*\.$")

    @mute_logger('odoo.sql_db')
    def test_twice(self):
        """CON-180, CON-190: a section, a reference and an answer stand once in a revision."""
        revision = self.drafts['PDEV']
        for row in (revision.section_ids[0], revision.reference_ids[0]):
            with self.subTest(row=row._name), self.assertRaisesRegex(Exception, "once"), self.cr.savepoint():
                row.copy()
        self.env.invalidate_all()

    def test_label_files(self):
        """CON-070: a label file is an image or a PDF of at most 10 MB, whatever its name says."""
        def encode(content):
            return base64.b64encode(content)
        svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
        executable = b'MZ\x90\x00' + b'\0' * 200
        pdf = b'%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer<<>>\n%%EOF\n'
        png = base64.b64decode(PNG)
        refused = [
            ("label.png", b'', "is empty"),
            ("label.png", png + b'\0' * MAX_SIZE, "has 11 MB; the limit for a file is 10 MB"),
        ] + [(name, content, "is not a file of an allowed type") for name, content in (
            ("label.exe", executable), ("label.png", executable), ("label.pdf", b'\x7fELF' + b'\0' * 200),
            ("label.pdf", b'#!/bin/sh\nrm -rf /\n'), ("label.bat", b'format c:'), ("label.js", b'alert(1)'),
            ("label.svg", svg), ("label.png", svg), ("label.html", b'<html></html>'), ("label.pdf", b'<!DOCTYPE html><html>'),
            ("label.png", b'<html><script>1</script></html>'), ("label.txt", b'text'), ("label.docx", b'PK\x03\x04'),
            ("label.pdf.exe", pdf), ("label.jpg", png), ("label", png), ("png", png), (".png", png), ("label.png", pdf))]
        label = self.drafts['P111'].pack_ids.label_id
        for name, content, message in refused:
            with self.subTest(name=name, content=content[:20]):
                with self.assertRaisesRegex(UserError, f"{message}(?s:.)*CON-070") as caught, self.cr.savepoint():
                    self.env['mrp.mmr.label'].with_user(self.user_preparer).create({
                        'code': 'N-1', 'name': "New", 'upload': encode(content) or b' ', 'upload_name': name})
                self.assertIn(name, str(caught.exception))
                self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "CON-070"):
            label.write({'upload': encode(executable), 'upload_name': "label.png"})
        self.env.invalidate_all()
        self.assertFalse(label.file_id)
        for name, content in (("label.png", png), ("LABEL.PNG", png), ("label.pdf", pdf), ("label.gif", base64.b64decode(GIF)),
                              ("../../etc/label.png", png)):
            with self.subTest(name=name):
                label.with_user(self.user_preparer).write({'upload': encode(content), 'upload_name': name})
                new = self.env['mrp.mmr.label'].with_user(self.user_preparer).create({
                    'code': name, 'name': "New", 'upload': encode(content), 'upload_name': name})
                for record in label | new:
                    self.assertEqual(record.file_id.name, name.rpartition('/')[2])
                    self.assertEqual(base64.b64decode(record.with_context(bin_size=False).upload), content)
                    self.assertTrue(record.file_id._is_intact())
        # Pictures of steps are images alone.
        step = self._step("Blend")(self.drafts['P111'])
        for name, content in (("picture.svg", svg), ("picture.pdf", pdf), ("picture.png", executable)):
            with self.subTest(picture=name), self.assertRaisesRegex(UserError, "is not a file"):
                step.write({'picture': encode(content), 'picture_name': name})
        step.write({'picture': PNG, 'picture_name': "picture.png"})
        self.assertEqual(step.file_id.mimetype, 'image/png')

    @mute_logger('odoo.sql_db')
    def test_import_of_components(self):
        """CON-030: an import names the row and the reason, and leaves nothing behind where one row is wrong."""
        revision = self.drafts['P111']
        params = revision.action_import_components()['params']
        lines = self.env[params['model']].with_user(self.user_preparer).with_context(**params['context'])
        columns = ['product_id', 'gmp_qty', 'product_uom_id', 'operation_id']
        good = ["Magnesium stearate", "1.5", "kg", "Blending"]
        before = revision.bom_line_ids
        for row, bad, message in (
                (1, ["Unobtainium", "1", "kg", "Blending"], "Unobtainium"),
                (1, ["Magnesium stearate", "a lot", "kg", "Blending"], "a lot"),
                (1, ["Magnesium stearate", "1", "barleycorn", "Blending"], "barleycorn"),
                (1, ["Magnesium stearate", "1", "kg", "Freezing"], "Freezing"),
                (1, ["", "1", "kg", "Blending"], "(?i)product|component")):
            with self.subTest(bad=bad):
                result = lines.load(columns, [good, bad, good])
                self.assertFalse(result['ids'])
                errors = [error for error in result['messages'] if error['type'] == 'error']
                self.assertTrue(errors)
                self.assertEqual({error['rows']['from'] for error in errors}, {row})
                self.assertRegex(errors[0]['message'], message)
                self.env.invalidate_all()
                self.assertEqual(revision.bom_line_ids, before)
        result = lines.load(columns, [good, ["Magnesium stearate", "250", "g", "Weighing"]])
        self.assertEqual(result['messages'], [])
        created = self.env['mrp.bom.line'].browse(result['ids'])
        self.assertEqual([(line.bom_id, line.gmp_qty, line.product_uom_id, line.operation_id.name) for line in created], [
            (revision.bom_id, 1.5, self.kg, "Blending"), (revision.bom_id, 250, self.gram, "Weighing")])
        self.assertEqual(created.operation_id.bom_id, revision.bom_id)

    @mute_logger('odoo.sql_db')
    def test_import_of_steps(self):
        """CON-150: stages and components of other MMRs are never matched, and unknown words are named with their row."""
        revision, other = self.drafts['P111'], self.drafts['P211']
        self._stage("Blending")(other).name = "Granulation"
        params = revision.action_import_steps()['params']
        steps = self.env[params['model']].with_user(self.user_preparer).with_context(**params['context'])
        columns = ['operation_id', 'name', 'kind', 'instruction', 'bom_line_id', 'performer_role']
        good = ["Blending", "Stop", "Instruction", "Stop the blender.", "", "Operator"]
        count = len(revision.step_ids)
        for bad, message in (
                (["Granulation", "Stop", "Instruction", "Stop.", "", "Operator"], "Granulation"),
                (["Blending", "Stop", "Dance", "Stop.", "", "Operator"], "Dance"),
                (["Blending", "Stop", "Weigh and add", "Stop.", "Magnesium stearate", "Operator"], "Magnesium stearate"),
                (["Blending", "Stop", "Instruction", "Stop.", "", "Wizard"], "Wizard"),
                (["", "Stop", "Instruction", "Stop.", "", "Operator"], "(?i)stage|operation"),
                (["Blending", "", "Instruction", "Stop.", "", "Operator"], "(?i)step|name")):
            with self.subTest(bad=bad):
                result = steps.load(columns, [good, good, bad])
                self.assertFalse(result['ids'])
                errors = [error for error in result['messages'] if error['type'] == 'error']
                self.assertEqual({error['rows']['from'] for error in errors}, {2})
                self.assertRegex(errors[0]['message'], message)
                self.env.invalidate_all()
                self.assertEqual(len(revision.step_ids), count)
        # By database id neither.
        result = steps.load(['operation_id/.id', 'name'], [[str(self._stage("Granulation")(other).id), "Stop"]])
        self.assertFalse(result['ids'])
        self.assertRegex(result['messages'][0]['message'], "REV-010")
        result = steps.load(columns, [good, ["Weighing", "Weigh", "Weigh and add", "", "Ascorbic acid", "Operator"]])
        self.assertEqual(result['messages'], [])
        created = self.env['mrp.mmr.step'].browse(result['ids'])
        self.assertEqual(created.revision_id, revision)
        self.assertEqual(created.operation_id.bom_id, revision.bom_id)
        self.assertEqual((created[1].bom_line_id, created[1].verifier_role), (self._line(revision), 'verifier'))

    def test_import_templates(self):
        """CON-030, CON-150: the spreadsheets that the addon offers as examples are imported as they are."""
        revision = self._create_mmr(900)
        revision.step_ids.unlink()
        revision.bom_line_ids.unlink()
        self._stage("Weighing")(revision).name = "Dispensing"
        for action, name in (('action_import_components', 'mmr_components'), ('action_import_steps', 'mmr_steps')):
            params = getattr(revision, action)()['params']
            model = self.env[params['model']].with_user(self.user_preparer).with_context(**params['context'])
            with file_open(f'mrp_mmr/static/import/{name}.csv') as file:
                header, *rows = csv.reader(file)
            labels = {field['string']: name for name, field in model.fields_get().items()}
            with self.subTest(template=name):
                self.assertFalse(set(header) - labels.keys(), "columns are found by their names")
                self.assertTrue(rows)
                result = model.load([labels[column] for column in header], rows)
                self.assertEqual(result['messages'], [])
                self.assertEqual(len(result['ids']), len(rows))
        self.assertEqual(revision.bom_line_ids.filtered(lambda line: line._has_overage()).mapped('gmp_qty'), [42])
        self.assertEqual(revision.step_ids.bom_line_id, revision.bom_line_ids.sorted('sequence')[0])

    def test_import_of_every_column(self):
        """R-10, U-07, CON-030: Odoo's own import maps each column of the shipped templates, and every value arrives."""
        revision = self._create_mmr(901)
        revision.step_ids.unlink()
        revision.bom_line_ids.unlink()
        self._stage("Weighing")(revision).name = "Dispensing"
        folder = Path(file_path('mrp_mmr/static/import'))
        templates = {path.stem: path for path in folder.glob('*.csv')}
        actions = {'mmr_components': 'action_import_components', 'mmr_steps': 'action_import_steps'}
        self.assertEqual(templates.keys(), actions.keys())
        for name, action in actions.items():
            params = getattr(revision, action)()['params']
            imported = self.env['base_import.import'].with_user(self.user_preparer).with_context(**params['context']).create({
                'res_model': params['model'], 'file': templates[name].read_bytes(), 'file_name': f'{name}.csv',
                'file_type': 'text/csv'})
            preview = imported.parse_preview({
                'has_headers': True, 'quoting': '"', 'separator': '', 'encoding': '', 'date_format': '', 'datetime_format': '',
                'float_thousand_separator': ',', 'float_decimal_separator': '.', 'advanced': False})
            header, *rows = csv.reader(templates[name].read_text().splitlines())
            self.assertEqual(preview['headers'], header)
            matches = {int(index): match for index, match in preview['matches'].items()}
            self.assertEqual([header[index] for index in range(len(header)) if len(matches.get(index, ())) != 1], [])
            names = [matches[index][0] for index in range(len(header))]
            self.assertEqual(len(set(names)), len(names))
            result = imported.execute_import(names, header, preview['options'])
            self.assertEqual(result['messages'], [])
            records = self.env[params['model']].browse(result['ids'])
            self.assertEqual(len(records), len(rows))
            for record, row in zip(records, rows, strict=True):
                for field, column, text in zip(names, header, row, strict=True):
                    with self.subTest(template=name, column=column, text=text):
                        self._assert_arrived(record, field, text)

    def _assert_arrived(self, record, name, text):
        """Assert that a cell of an import is the value of a field; what an empty one leaves to a default is free."""
        field, value = record._fields[name], record[name]
        if not text:
            return
        if field.type == 'boolean':
            self.assertEqual(value, text == 'TRUE')
        elif field.type in ('float', 'integer'):
            self.assertEqual(value, float(text))
        elif isinstance(value, Number):
            # The quantity of a component is signed with its overage.
            base = name == 'gmp_qty' and record._has_overage()
            self.assertEqual(exact(record.mmr_base_qty if base else value), exact(text))
        elif field.type == 'selection':
            self.assertEqual(dict(field._description_selection(record.env))[value], text)
        elif field.type == 'many2one':
            self.assertIn(text, value.display_name)
        else:
            self.assertEqual(value, text)

    def test_import_with_unknown_columns(self):
        """CON-030: columns that are not fields are refused, not skipped in silence."""
        params = self.drafts['P111'].action_import_components()['params']
        lines = self.env[params['model']].with_user(self.user_preparer).with_context(**params['context'])
        before = self.drafts['P111'].bom_line_ids
        with self.assertRaises(Exception), self.cr.savepoint():  # noqa: B017 - core's own error
            result = lines.load(['product_id', 'Colour of the bag'], [["Magnesium stearate", "red"]])
            self.assertTrue(result['messages'])
            raise UserError(str(result['messages']))
        self.env.invalidate_all()
        self.assertEqual(self.drafts['P111'].bom_line_ids, before)

    def test_import_is_for_drafts_and_preparers(self):
        """REV-010, SEC-010: nothing is imported into a signed revision, nor by others than preparers."""
        revision = self.drafts['P111']
        context = revision.action_import_components()['params']['context']
        with self.assertRaises(AccessError):
            revision.with_user(self.user_planner).action_import_components()
        with self.assertRaises(AccessError):
            self.env['mrp.bom.line'].with_user(self.user_auditor).with_context(**context).create(
                {'product_id': self.component_other.id})
        self._sign(revision, 'submit', self.user_preparer)
        for method in ('action_import_components', 'action_import_steps'):
            with self.assertRaisesRegex(UserError, "REV-010"):
                getattr(revision.with_user(self.user_preparer), method)()
        result = self.env['mrp.bom.line'].with_user(self.user_preparer).with_context(**context).load(
            ['product_id', 'gmp_qty'], [["Magnesium stearate", "1"]])
        self.assertFalse(result['ids'])
        self.assertRegex(result['messages'][0]['message'], "REV-010")

    def test_take_over_specifications(self):
        """CON-200: specifications are taken over from approved revisions alone, the newest wording, and never twice."""
        revision = self.drafts['P111']
        rows = revision.specification_ids.filtered(lambda row: row.scope == 'component')
        rows.unlink()
        answer = revision.action_add_specifications()
        self.assertEqual(answer['tag'], 'display_notification', "drafts are no source")
        self.drafts['P211'].specification_ids.filtered(
            lambda row: row.product_id == self.component_a).criterion_text = "As the reference spectrum."
        self._make_effective(self.drafts['P211'])
        revision.action_add_specifications()
        taken = revision.specification_ids.filtered(lambda row: row.scope == 'component')
        self.assertEqual(taken.product_id, revision.bom_line_ids.product_id)
        self.assertEqual(taken.filtered(lambda row: row.product_id == self.component_a).criterion_text,
                         "As the reference spectrum.")
        self._assert_blocked(revision, '', '', False)
        count = len(revision.specification_ids)
        revision.action_add_specifications()
        self.assertEqual(len(revision.specification_ids), count)
