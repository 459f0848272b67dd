"""Limits and claims keep the digits that they were written with, from the form to the verification (NUM-020, NUM-030)."""
import json
from datetime import timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.exceptions import UserError
from odoo.tests import Form, tagged
from odoo.tools import SQL

from odoo.addons.mrp_mmr.domain.canonical import sha256
from odoo.addons.mrp_mmr.domain.criterion import criterion_text, get_comparison, time_text
from odoo.addons.mrp_mmr.domain.notation import Notation, read_number, write_number
from odoo.addons.mrp_mmr.domain.redline import compare
from odoo.addons.mrp_mmr.domain.step_plan import plan_steps
from odoo.addons.mrp_mmr.models.base.exact_number_column import _drop_triggers
from odoo.addons.mrp_mmr.models.base.exact_number_migration import SIGNED_AS_ZERO, convert_masters
from odoo.addons.mrp_mmr.models.master.revision.document import agrees
from odoo.addons.mrp_mmr.reports.xlsx_mmr import write_revision
from odoo.addons.mrp_mmr.verification import ledger
from odoo.addons.mrp_mmr.verification.records import Verification

from ..common.base import MmrCommon, fill_content
from ..common.payloads import find_faults
from ..reports.test_xlsx import read_book

GERMAN = Notation(',', '.', (3, 0))
#: Numbers of at most 15 digits from 1E-6 to 1E15, zeros at the end included.
texts = st.builds(
    lambda digits, decimals: format(Decimal(digits).scaleb(-decimals), 'f'), st.integers(1, 10**15 - 1), st.integers(0, 6))
EXAMPLES = settings(max_examples=15, derandomize=True, deadline=timedelta(seconds=20), database=None,
                    suppress_health_check=list(HealthCheck))


@tagged('post_install', '-at_install')
class TestDigits(MmrCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_decimals()
        cls.revision = cls._create_mmr(61)

    def _add(self, name, minimum=None, maximum=None, comparison='rounded', **vals):
        """Return a new specification of the finished product; without a comparison it has the one of its profile."""
        vals = {**vals, **({'comparison': comparison} if comparison else {})}
        kind = 'range' if minimum and maximum else 'nlt' if minimum else 'nmt'
        return self.env['mrp.mmr.specification'].with_user(self.user_preparer).create({
            'revision_id': self.revision.id, 'scope': 'product', 'name': name, 'limit_kind': kind, 'minimum': minimum,
            'maximum': maximum, 'unit': "%", 'method': "HPLC", 'corrective_action': "Reject.", **vals})

    def _freeze(self):
        """Submit the revision and return its document."""
        self._sign(self.revision, 'submit', self.user_preparer)
        self.assertEqual(self.revision.document_sha256, sha256(self.revision.document))
        return self.revision.document

    def _get_criterion(self, document, name):
        return next(row['criterion'] for row in document['specifications'] if row['parameter'] == name)

    def _find(self):
        """Return what verification finds."""
        return [finding for finding in Verification(self.env.cr) if finding.severity == ledger.FINDING]

    def test_way_of_any_number(self):
        """NUM-020, V-02, V-03: typed, stored, frozen, printed, exported and verified, a number is the same text."""
        chosen = ['98.0', '0.10', '10.00', '10000000000', '0.000001', '1000000000000000']

        @EXAMPLES
        @given(texts)
        def collect(text):
            chosen.append(text)

        collect()
        self.assertGreater(len(chosen), 15)
        line = self.revision.bom_line_ids.filtered('mmr_is_active')[:1]
        rows = {}
        for number, text in enumerate(chosen):
            typed = read_number(write_number(text, GERMAN, grouped=False), GERMAN)
            self.assertEqual(typed.text, text)
            rows[text] = self._add(f"Test {number}", minimum=text)
            line.mmr_strength = typed
            claim = self.revision._prepare_document()['components'][0]['strength']
            self.assertEqual(claim['value'], text)
        self.env.flush_all()
        self.cr.execute("SELECT name, minimum FROM mrp_mmr_specification WHERE id = ANY(%s)",
                        [[row.id for row in rows.values()]])
        self.assertEqual(dict(self.cr.fetchall()), {row.name: text for text, row in rows.items()})

        document = self._freeze()
        self.assertEqual(document['schema'], 'mrp_mmr/mmr/3')
        self.assertEqual(find_faults(document), [])
        self.assertEqual(document['components'][0]['strength']['value'], chosen[-1])
        frozen = {row['parameter']: row['criterion'] for row in document['specifications']}
        html = self.env['ir.actions.report']._render_qweb_html('mrp_mmr.report_mmr_revision', self.revision.ids)[0].decode()
        sheet = read_book(write_revision(self.revision))["Specifications"]
        cells = dict(zip(sheet.column("Parameter"), sheet.column("Acceptance criterion"), strict=True))
        for text, row in rows.items():
            with self.subTest(text=text):
                self.assertEqual(frozen[row.name]['minimum'], text)
                self.assertEqual(row.criterion_label, f"NLT {text} %")
                self.assertIn(f"NLT {text} %", html)
                self.assertEqual(cells[row.name], f"NLT {text} %, results rounded to the digits of the limit")
                self.assertEqual(row.sudo().export_data(['minimum'])['datas'], [[text]])
        self.assertEqual(self._find(), [])

    def test_limits_as_written(self):
        """V-03, NUM-030: 98.0 to 101.0 %, 0.10 to 0.15 %, target 10.00 are signed with these digits."""
        assay = self._add("Assay", '98.0', '101.0')
        water = self._add("Water", '0.10', '0.15')
        weight = self._add("Weight", '9', '11', has_target=True, target='10.00')
        frozen = {row['parameter']: row['criterion'] for row in self._freeze()['specifications']}
        for row, text in ((assay, "98.0 – 101.0 %"), (water, "0.10 – 0.15 %"), (weight, "9 – 11 %, target 10.00 %")):
            self.assertEqual(criterion_text(frozen[row.name]), f"{text}, results rounded to the digits of the limit")

    def test_floats_of_code(self):
        """V-02: a label claim of 1e10 that code writes as a float is signed as 10000000000."""
        line = self.revision.bom_line_ids.filtered('mmr_is_active')[:1]
        row = self._add("Count", minimum=1e10)
        line.write({'mmr_strength': 1e10, 'mmr_strength_unit': "CFU"})
        document = self._freeze()
        self.assertEqual(document['components'][0]['strength'], {'value': '10000000000', 'unit': "CFU"})
        self.assertEqual(self._get_criterion(document, "Count")['minimum'], '10000000000')
        self.assertEqual((row.minimum, row.minimum == 1e10), (10**10, True))

    def test_quantities_as_written(self):
        """V-03, NUM-020: 10.00 kg of a component, its tolerance, yields and packs are signed with these digits."""
        line = self.revision.bom_line_ids.sorted('sequence')[1].with_user(self.user_preparer)
        with Form(line, view='mrp_mmr.mrp_bom_line_view_form_mmr') as form:
            form.gmp_qty = '6.10'
            self.assertEqual(form.gmp_qty, '6.10')
        line.mmr_tolerance = '0.050'
        self.assertEqual((line.gmp_qty.text, line.product_qty), ('6.10', 6.1))
        for vals, text in (({'gmp_qty': '6.100'}, '6.100'), ({'gmp_qty': 6.5}, '6.5'), ({'product_qty': 6.25}, '6.25'),
                           ({'gmp_qty': '6.10', 'product_qty': 6.1}, '6.10')):
            line.write(vals)
            self.assertEqual(line.gmp_qty.text, text)
        for text in ('6,10', '1e1', 'x'):
            with self.assertRaisesRegex(UserError, "canonical"):
                line.write({'gmp_qty': text})
        self.revision.write({'theoretical_yield': '61.0', 'yield_min': '95.0', 'yield_max': '102.0'})
        pack = self.revision.pack_ids[:1]
        pack.quantity = '60.0'
        document = self._freeze()
        self.assertEqual([document['components'][1][name] for name in ('quantity', 'tolerance')], ['6.10', '0.050'])
        self.assertEqual([document['yield'][name] for name in ('theoretical', 'minimum', 'maximum')], ['61.0', '95.0', '102.0'])
        self.assertEqual(document['packs'][0]['size']['quantity'], '60.0')

    def test_times_as_written(self):
        """V-08, CON-150: 72 h is signed and printed as 72 h, and lasts 4320 minutes; minutes stay minutes."""
        first, second = self.revision.step_ids[:2]
        first.write({'minimum_time': '1.50', 'time_limit': '72', 'time_unit': 'h'})
        second.time_limit = '30.0'
        self.revision.operation_ids[:1].mmr_hold_time = '24.0'
        document = self._freeze()
        self.assertEqual(find_faults(document), [])
        steps = {step['name']: step for stage in document['operations'] for step in stage['steps']}
        frozen = steps[first.name]
        self.assertEqual([frozen[name] for name in (
            'minimum_time', 'minimum_time_written', 'time_limit', 'time_limit_written')], ['90', '1.50 h', '4320', '72 h'])
        self.assertEqual([time_text(steps[second.name], name) for name in ('minimum_time', 'time_limit')], [None, "30.0 min"])
        self.assertEqual({stage['hold_time'] for stage in document['operations']}, {'24.0', None})
        html = self.env['ir.actions.report']._render_qweb_html('mrp_mmr.report_mmr_revision', self.revision.ids)[0].decode()
        self.assertIn("72 h", html)
        self.assertNotIn("4320", html)
        planned = [row['planned'] for row in plan_steps(document, ())]
        self.assertEqual(find_faults(planned, 'plan'), [])

    def test_zero_is_a_limit(self):
        """R-09: zero is a limit, a target and a size; only a blank is missing."""
        row = self._add("Change", minimum='0', maximum='0', has_target=True, target='0')
        self.assertEqual(row._get_criterion_problems("Change"), [])
        self.assertEqual(row.criterion_label, "0 – 0 % (target 0)")
        for vals, problem in (({'minimum': None}, "only one limit"), ({'minimum': None, 'maximum': None}, "no limits"),
                              ({'target': None}, "blank target"), ({'limit_kind': 'nmt', 'maximum': None}, "no limits")):
            with self.subTest(vals=vals):
                row.write({'limit_kind': 'range', 'minimum': '0', 'maximum': '0', 'target': '0', **vals})
                self.assertIn(problem, ' '.join(row._get_criterion_problems("Change")))

    def test_comparison(self):
        """V-04, NUM-030: rounded for specifications under P211 and PEU; steps and other profiles as recorded; a choice."""
        for code, size, expected in (('p111', 62, 'recorded'), ('p211', 63, 'rounded'), ('pdev', 64, 'recorded'),
                                     ('peu', 65, 'rounded')):
            with self.subTest(profile=code):
                self.revision = self._create_mmr(size, profile_id=self.env.ref(f'mrp_mmr.profile_{code}').id)
                row = self._add("Assay", '98.0', '101.0', comparison=None)
                self.assertEqual(row.comparison, expected)
                self.assertEqual(row._get_criterion()['comparison'], expected)
                self.assertEqual(set(self.revision.step_ids.mapped('comparison')), {'recorded'})
        row.comparison = 'recorded'
        self.assertEqual(criterion_text(row._get_criterion()), "98.0 – 101.0 %")
        row.write({'limit_kind': 'text', 'criterion_text': "White"})
        self.assertNotIn('comparison', row._get_criterion())
        form = Form(self.env['mrp.mmr.specification'].with_user(self.user_preparer).with_context(
            default_revision_id=self.revision.id))
        self.assertEqual(form.comparison, 'rounded')

    def test_older_documents(self):
        """NUM-030: a document without a word of it is compared as recorded, and differs from a new one by that alone."""
        self._add("Assay", '98', '101')
        document = self._freeze()
        old = json.loads(json.dumps(document))
        for criterion in [row['criterion'] for row in old['specifications']] + [
                step['criterion'] for stage in old['operations'] for step in stage['steps'] if step['criterion']]:
            criterion.pop('comparison', None)
        old['schema'] = 'mrp_mmr/mmr/2'
        self.assertEqual(find_faults(old), [])
        self.assertTrue(agrees(self.revision._prepare_document(), old))
        criterion = self._get_criterion(old, "Assay")
        self.assertEqual((get_comparison(criterion), criterion_text(criterion)), ('recorded', "98 – 101 %"))
        changes = compare(old, document)['changes']
        self.assertEqual({(row['field'], row['before'], row['after']) for row in changes}, {
            ('specification.criterion', "98 – 101 %", "98 – 101 %, results rounded to the digits of the limit")})

    # === UPDATE === #

    def _make_floats(self):
        """Bring the columns back to what they were before numbers were exact, zeros for blanks included."""
        self.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table, columns in SIGNED_AS_ZERO.items():
            # Those of the version before stood on the columns as well, which the update drops.
            _drop_triggers(self.cr, table, columns)
            for number, name in enumerate(columns):
                self.cr.execute(SQL("ALTER TABLE %s DROP CONSTRAINT IF EXISTS %s", SQL.identifier(table), SQL.identifier(
                    f'{table}_{name}_canonical')))
                self.cr.execute(SQL(
                    "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c' "
                    "AND pg_get_constraintdef(oid) LIKE %s", table, f'%{name}%'))
                for constraint, in self.cr.fetchall():
                    self.cr.execute(SQL("ALTER TABLE %s DROP CONSTRAINT %s", SQL.identifier(table), SQL.identifier(constraint)))
                self.cr.execute(SQL(
                    "ALTER TABLE %(table)s ALTER COLUMN %(name)s TYPE numeric USING COALESCE(%(name)s::numeric, %(blank)s)",
                    table=SQL.identifier(table), name=SQL.identifier(name),
                    # Both were blanks: zero of a form, NULL of an import.
                    blank=0 if number % 2 else None))

    def test_update(self):
        """NUM-020, AUD-030: columns of floats become exact without an update; what was signed agrees, verification is clean."""
        fill_content(self.revision, self.component_other)
        self._add("Assay", '98', '101')
        self._add("Lead", maximum='0')
        self._add("Change", '-1.5', '0', has_target=True, target='0')
        document = self._freeze()
        rows = {name: self.env[name].search([('revision_id', '=', self.revision.id)]).read(list(columns))
                for name, columns in (('mrp.mmr.specification', SIGNED_AS_ZERO['mrp_mmr_specification']),
                                      ('mrp.mmr.step', SIGNED_AS_ZERO['mrp_mmr_step']))}
        self.env.flush_all()
        self._make_floats()
        convert_masters(self.cr)
        self.env.invalidate_all()
        self.assertTrue(agrees(self.revision._prepare_document(), document))
        self.assertEqual(self.revision._prepare_document()['specifications'], document['specifications'])
        for name, before in rows.items():
            self.assertEqual(self.env[name].browse([row['id'] for row in before]).read(list(before[0])), before)
        # The update makes the guards anew, after the columns.
        self.assertEqual([finding for finding in self._find() if finding.model != 'guard'], [])
        convert_masters(self.cr)  # twice: nothing is left to do
