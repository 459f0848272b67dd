"""Numbers on the record: the canonical form alone, bounds, rounding, other units, zero (NUM-010, NUM-040, NUM-060)."""

from fractions import Fraction

from lxml import etree

from odoo.exceptions import UserError
from odoo.tests import Form, tagged

from odoo.addons.mrp_mmr.domain.results import get_limits
from odoo.addons.mrp_mmr.models.base.notation import get_plain_writer
from odoo.addons.mrp_mmr.reports.xlsx_bpr import write_batch

from ..reports.test_xlsx import read_book
from .test_bpr import BprCommon
from .test_release import ReleaseCommon

#: What no client sends: notations of languages, other scripts, floats, numbers of JSON, words.
NOT_CANONICAL = (
    '12,000', '1,5', '1 000', '１２', '٣', '1e3', '+5', '-0', '-0.0', '007', '5.', '.5', ' 5', '5\n', 'NaN', 'Infinity', '',
    '0x1', '1_000', '½', '<', '1' * 19, '0.' + '1' * 13, 12, 12.0, True, None, [], {})


@tagged('post_install', '-at_install')
class TestEntryNumbers(BprCommon):

    @classmethod
    def _extend(cls, draft):
        first, second = draft.bom_line_ids.sorted('sequence')[:2]
        # As much or as little as needed, and a few ounces that are weighed in grams.
        first.write({'mmr_tolerance': 90, 'mmr_tolerance_justification': "As needed to adjust the pH."})
        second.write({'product_uom_id': cls.env.ref('uom.product_uom_oz').id, 'gmp_qty': 4, 'mmr_tolerance': 0.05,
                      'mmr_tolerance_justification': "Scale of 0.1 g."})

    def _weighing(self, product):
        step = self.steps.filtered(
            lambda step: step.kind == 'weigh' and step._get_target()['product']['id'] == product.id)
        return self._until(step.name)

    def test_canonical_only(self):
        """V-01, NUM-010: the server takes the canonical form of a number alone, and stores it as it is."""
        step = self._until("Blending time")
        for value in NOT_CANONICAL:
            with self.subTest(value=value):
                self._refused("NUM-010", step.action_record, 'value', {'value': value})
        self.assertFalse(step.entry_ids.filtered('value'))
        entry = self.env['mrp.bpr.entry'].browse(step.action_record('value', {'value': '14.000'})['entry_id'])
        self.assertEqual(entry.value, '14.000')
        columns = "step_id, bpr_id, company_id, kind, user_id, user_name, at, is_late, to_sign"
        for value in ('12,000', '1e3', '-0', '007', '１２'):
            self._sql_refused(
                f"INSERT INTO mrp_bpr_entry ({columns}, value) SELECT {columns}, %s FROM mrp_bpr_entry WHERE id = %s",
                value, entry.id, rule="NUM-010")

    def test_other_places(self):
        """V-01, NUM-010: reconciliations, samples and flows are read in the same way; what is blank is blank."""
        step = self._weighing(self.component_a)
        lot = self.lots[self.component_a]
        for name in ('value', 'issued', 'returned', 'scrapped'):
            for value in ('12,000', '1e3', 90.0, [5]):
                with self.subTest(name=name, value=value):
                    self._refused("NUM-010", step.action_record, 'weight', {'value': '90', 'lot_id': lot.id, name: value})
        answer = step.action_record('weight', {
            'value': '90.000', 'lot_id': lot.id, 'issued': '91.50', 'returned': '1.5', 'scrapped': ''})
        entry = self.env['mrp.bpr.entry'].browse(answer['entry_id'])
        self.assertEqual((entry.value, entry.data['issued'], entry.data['returned']), ('90.000', '91.50', '1.5'))
        self.assertNotIn('scrapped', entry.data)

    def test_shown_in_the_language(self):
        """NUM-010: what was recorded is read with the signs of the person's language: 14.000 min is 14,000 min in German."""
        self.env['res.lang']._activate_lang('de_DE')
        step = self._until("Blending time")
        answer = step.action_record('value', {'value': '14.000'})
        entry, german = self.env['mrp.bpr.entry'].browse(answer['entry_id']), {'lang': 'de_DE'}
        for context, shown in (({'lang': 'en_US'}, "14.000 min"), (german, "14,000 min")):
            reading = step.with_context(**context)
            self.assertEqual(reading.result, shown)
            self.assertEqual([row['summary'] for row in reading.sudo()._prepare_floor_entries()], [shown])
            # What is stored in texts of others keeps the canonical form.
            self.assertEqual(entry.with_context(**context).summary, "14.000 min")
        write = get_plain_writer(self.env(context=german))
        for text, shown in (('1200.50', "1\u202f200,50"), ('<1000', "<1\u202f000"), ('-0.5', "-0,5"), ('L-1.5', 'L-1.5')):
            self.assertEqual(write(text), shown)
        # So has the page of the review, on which people decide.
        step.action_record('value', {'value': '14.500'}, reason="Typing error", corrects=entry.id)
        for context, words in (({'lang': 'en_US'}, "14.000 min → 14.500 min"), (german, "14,000 min → 14,500 min")):
            review = self.bpr.with_context(**context).get_review()
            [text] = [item['text'] for group in review['groups'] for rule in group['rules']
                      if rule['code'] == 'corrections' for item in rule['items']]
            self.assertIn(words, text)

    def test_unit_of_the_instrument(self):
        """V-06, NUM-060: 113.4 g against 4 oz ± 0.05 is kept in grams, with its factor, and compared exactly."""
        step = self._weighing(self.component_b)
        gram, lot = self.env.ref('uom.product_uom_gram'), self.lots[self.component_b]
        self._refused("NUM-060", step.action_record, 'weight', {
            'value': '113.4', 'unit_id': self.env.ref('uom.product_uom_litre').id, 'lot_id': lot.id})
        answer = step.action_record('weight', {'value': '113.4', 'unit_id': gram.id, 'lot_id': lot.id})
        entry = self.env['mrp.bpr.entry'].browse(answer['entry_id'])
        self.assertEqual((entry.value, entry.unit, answer['deviations']), ('113.4', 'g', []))
        self.assertEqual(entry._get_quantity(), Fraction('113.4') * Fraction(entry.data['factor']))
        self.assertLess(abs(entry._get_quantity() - 4), Fraction('0.001'))
        self.assertLess(abs(Fraction(entry.data['quantity']) - entry._get_quantity()), Fraction('0.000001'))
        self.assertTrue(step.sudo()._prepare_floor_weighing()['is_within'])
        self._sign_step(step.sudo())
        self.assertFalse(self.bpr.deviation_ids)
        # The factor is that of the entry, whatever becomes of the unit.
        before = entry._get_quantity()
        self.cr.execute("UPDATE uom_uom SET relative_factor = 2 * relative_factor WHERE id = %s",
                        [self.env.ref('uom.product_uom_oz').id])
        self.env.invalidate_all()
        self.assertEqual(entry._get_quantity(), before)

    def test_other_unit_out_of_tolerance(self):
        """V-06, USE-070: a reading in another unit that leaves the tolerance opens a deviation."""
        step = self._weighing(self.component_b)
        step.action_record('weight', {
            'value': '115.5', 'unit_id': self.env.ref('uom.product_uom_gram').id, 'lot_id': self.lots[self.component_b].id})
        self._sign_step_of(step)
        self.assertEqual(len(self.bpr.deviation_ids), 1)

    def _sign_step_of(self, step):
        self._train(step, self._person('operator'))
        self._sign(step.sudo(), 'performed', self._person('operator'))

    def test_zero(self):
        """V-07, R-09, BPR-060: nothing of what is as needed is a result: signed, within tolerance, no deviation."""
        step = self._weighing(self.component_a)
        answer = step.action_record('weight', {'value': '0'})
        entry = self.env['mrp.bpr.entry'].browse(answer['entry_id'])
        self.assertEqual((entry.value, entry.lot_id.id, entry.data['quantity']), ('0', False, '0'))
        self._sign_step(step.sudo())
        self.assertEqual(step.state, 'done')
        self.assertFalse(self.bpr.deviation_ids)
        self._execute(self.order)
        self.order.with_user(self.user_planner).button_mark_done()
        self.assertEqual((self.order.state, self.bpr.state), ('done', 'done'))
        self.assertFalse(self.order.move_raw_ids.move_line_ids.filtered(
            lambda line: line.product_id == self.component_a and line.quantity))
        self.assertFalse(self.bpr.deviation_ids)


@tagged('post_install', '-at_install')
class TestStatedQuantities(BprCommon):

    @classmethod
    def _extend(cls, draft):
        first, second = draft.bom_line_ids.sorted('sequence')[:2]
        first.write({'mmr_stated_as': 'as_needed'})
        second.write({'mmr_stated_as': 'make_up', 'mmr_make_up_to': '100.0', 'mmr_make_up_value': "pH 5.5 to 6.0",
                      'mmr_make_up_uom_id': cls.env.ref('uom.product_uom_litre').id})

    def _weighing(self, product):
        step = self.steps.filtered(
            lambda step: step.kind == 'weigh' and step._get_target()['product']['id'] == product.id)
        return self._until(step.name)

    def _weigh(self, step, value):
        product = self.env['product.product'].browse(step.sudo()._get_target()['product']['id'])
        step.action_record('weight', {'value': value, 'lot_id': self.lots[product].id} if value != '0' else {'value': value})
        self._sign_step(step.sudo())

    def test_document(self):
        """NUM-050: what is signed, printed, shown and compared says how the quantity is stated."""
        first, second = self.revision.document['components'][:2]
        self.assertEqual(first['stated'], {'kind': 'as_needed'})
        self.assertEqual(second['stated'], {
            'kind': 'make_up', 'value': "pH 5.5 to 6.0",
            'to': {'value': '100.0', 'unit': 'L', 'unit_id': self.env.ref('uom.product_uom_litre').id}})
        html = self.env['ir.actions.report']._render_qweb_html(
            'mrp_mmr.report_mmr_revision', self.revision.ids)[0].decode()
        for text in (f"as needed, {first['quantity']} {first['unit']} at most", "to make up to 100.0 L, pH 5.5 to 6.0"):
            self.assertIn(text, html)
        copy = self._new_revision(self.revision)
        copy.bom_line_ids.sorted('sequence')[1].mmr_make_up_value = "pH 6"
        self.assertIn(("to make up to 100.0 L, pH 5.5 to 6.0", "to make up to 100.0 L, pH 6"), [
            (row['before'], row['after']) for row in copy._get_redline(self.revision)['changes']])

    def test_nothing_needed(self):
        """V-07, NUM-050: nothing of what is as needed is within its limits, down to the alignment of the batch."""
        step = self._weighing(self.component_a)
        floor = step.sudo()._prepare_floor_weighing()
        self.assertEqual((floor['low'], floor['is_within'], floor['stated'][:9]), ('0', True, "as needed"))
        self._weigh(step, '0')
        self.assertEqual(step.state, 'done')
        self.assertFalse(self.bpr.deviation_ids)
        self.env.flush_all()
        row = self.env['mrp.bpr.alignment'].search([('step_id', '=', step.id), ('kind', '=', 'component')])
        self.assertEqual((row.lower, row.actual, row.status), (0, 0, 'within'))

    def test_more_than_at_most(self):
        """NUM-050, USE-070: more than the most that is permitted is a deviation."""
        step = self._weighing(self.component_a)
        step.action_record('weight', {
            'value': str(Fraction(step.sudo()._get_target()['quantity']) + 1), 'lot_id': self.lots[self.component_a].id})
        self._train(step, self._person('operator'))
        self._sign(step.sudo(), 'performed', self._person('operator'))
        self.assertEqual(len(self.bpr.deviation_ids), 1)

    def test_made_up(self):
        """V-07, NUM-050: what makes up to a volume is used as it is needed."""
        step = self._weighing(self.component_b)
        floor = step.sudo()._prepare_floor_weighing()
        self.assertEqual((floor['low'], floor['high']), ('0', False))
        self._weigh(step, str(Fraction(step.sudo()._get_target()['quantity']) * 2))
        self.assertEqual(step.state, 'done')
        self.assertFalse(self.bpr.deviation_ids)

    def test_incomplete(self):
        """NUM-050: a goal is named, and what follows an assay cannot be stated otherwise."""
        draft = self._create_mmr(77)
        line = draft.bom_line_ids[:1]
        for vals, words in (
                ({'mmr_stated_as': 'make_up'}, "value to make up to is missing"),
                ({'mmr_stated_as': 'make_up', 'mmr_make_up_to': '0'}, "must be greater than zero"),
                ({'mmr_stated_as': 'as_needed', 'mmr_assay_adjusted': True}, "cannot be stated otherwise")):
            with self.subTest(vals=vals), self.assertRaisesRegex(UserError, words), self.env.cr.savepoint():
                line.write(vals)
                draft._check_complete()
        line.write({'mmr_stated_as': 'make_up', 'mmr_make_up_value': "pH 7", 'mmr_make_up_to': False,
                    'mmr_assay_adjusted': False})
        draft._check_complete()


@tagged('post_install', '-at_install')
class TestResultNumbers(ReleaseCommon):

    def _with_criterion(self, **changes):
        """Let the assay of this batch have other limits, as a document of another master would freeze them."""
        model, original = self.env.registry['mrp.bpr'], self.env.registry['mrp.bpr']._get_specifications

        def specifications(bpr):
            return [dict(row, criterion=dict(row['criterion'], **changes)) if row['parameter'] == "Assay" else row
                    for row in original(bpr)]
        self.patch(model, '_get_specifications', specifications)

    def _assay(self, value, **kwargs):
        answer = self._record("Assay", {'kind': 'value', 'value': value}, **kwargs)
        return self.env['mrp.bpr.result'].browse(answer['result_id'])

    def test_canonical_only(self):
        """V-01, NUM-010: `12,000` against NMT 1000 CFU/g is no result; nothing but the canonical form is stored."""
        self._with_criterion(kind='nmt', minimum=None, maximum='1000', unit='CFU/g')
        for value in NOT_CANONICAL:
            with self.subTest(value=value):
                self._refused("NUM-010", self._record, "Assay", {'kind': 'value', 'value': value})
        result = self._assay('12000')
        self.assertEqual((result.value, result.outcome), ('12000', 'fail'))
        columns = "bpr_id, company_id, position, name, kind, outcome, user_id, user_name, at"
        for value in ('12,000', '<1e3', '<-0', 'nothing', '< 10'):
            self._sql_refused(
                "NUM-010", f"INSERT INTO mrp_bpr_result ({columns}, value) SELECT {columns}, %s FROM mrp_bpr_result "
                           "WHERE id = %s", value, result.id)

    def test_dialog(self):
        """V-01, V-05, NUM-010: the dialog of results sends what was understood; another text is refused there too."""
        self._with_criterion(kind='nmt', minimum=None, maximum='100', unit='CFU/g')
        wizard = self.env['mrp.bpr.test'].with_user(self.user_qc).create({'bpr_id': self.bpr.id})
        line = wizard.line_ids.filtered(lambda line: line.name == "Assay")
        self.assertEqual((line.unit, line.kind), ('CFU/g', 'value'))
        line.value = '12,000'
        self._refused("NUM-010", wizard.action_record)
        line.value = '<10'
        wizard.action_record()
        self.assertEqual(self.bpr.result_ids.value, '<10')
        view = Form(self.env['mrp.bpr.test'].with_user(self.user_qc).with_context(active_id=self.bpr.id))
        self.assertEqual(len(view.line_ids), 3)

    def test_bound(self):
        """V-05, NUM-040: `<10` passes NMT 100 by its bound, and says nothing about NMT 5; prints say `<10 CFU/g`."""
        self._with_criterion(kind='nmt', minimum=None, maximum='5', unit='CFU/g')
        for value in ('<10', '≤6', '>1', 'not detected', 'absent in 10 g'):
            with self.subTest(value=value):
                self._refused("NUM-040", self._record, "Assay", {'kind': 'value', 'value': value})
        self.assertFalse(self.bpr.result_ids)
        self._with_criterion(kind='nmt', minimum=None, maximum='100', unit='CFU/g')
        result = self._assay('<10')
        self.assertRecordValues(result, [{'value': '<10', 'unit': 'CFU/g', 'outcome': 'pass', 'compared': False}])
        self.assertIn("<10 CFU/g", result.display_name)
        self._record("Appearance", {'kind': 'outcome', 'pass': True})
        self._record("Text and version", {'kind': 'outcome', 'pass': True})
        self._sign(self.bpr, 'approve_results', self.user_both)
        content = result.signature_id.content
        self.assertEqual((content['schema'], content['results'][0].get('compared')), ('mrp_mmr/results/2', None))
        rows = read_book(write_batch(self.bpr))["Test Results"].rows
        self.assertEqual([row[2] for row in rows if row[0] == "Assay"], ["<10"])
        html = self.env['ir.actions.report']._render_qweb_html('mrp_mmr.report_bpr', self.bpr.ids)[0].decode()
        self.assertIn("&lt;10 CFU/g", html)

    def test_bound_out_of_limits(self):
        """V-05: `>200` against NMT 100 fails, with a deviation that says it; so does `<10` against NLT 98."""
        self._with_criterion(kind='nmt', minimum=None, maximum='100', unit='CFU/g')
        answer = self._record("Assay", {'kind': 'value', 'value': '>200'})
        self.assertEqual((answer['outcome'], len(answer['deviations'])), ('fail', 1))
        deviation = self.env['mrp.deviation'].search([('result_id', '=', answer['result_id'])])
        self.assertIn(">200 CFU/g", deviation.description)

    def test_finding(self):
        """V-05, NUM-040: where the criterion asks for a finding, it is judged; a number is no answer."""
        self._with_criterion(kind='finding', minimum=None, maximum=None, unit=None, finding='absent in 10 g')
        for value in ('5', 'absent in 1 g', 'absent in 10 ml', 'not detected'):
            self._refused("NUM-040", self._record, "Assay", {'kind': 'value', 'value': value})
        result = self._assay('absent in 10 g')
        self.assertRecordValues(result, [{'value': 'absent in 10 g', 'unit': False, 'outcome': 'pass'}])

    def test_rounded(self):
        """V-04, NUM-030: rounded to the digits of the limit 97.96 is 98.0 and passes; both values are kept and signed."""
        limits = {'kind': 'range', 'minimum': '98.0', 'maximum': '101.0', 'unit': '%'}
        self._with_criterion(comparison='rounded', **limits)
        result = self._assay('97.96')
        self.assertRecordValues(result, [{'value': '97.96', 'compared': '98.0', 'outcome': 'pass'}])
        self.assertIn("97.96 %, compared as 98.0", result.display_name)
        self._record("Appearance", {'kind': 'outcome', 'pass': True})
        self._record("Text and version", {'kind': 'outcome', 'pass': True})
        self._sign(self.bpr, 'approve_results', self.user_both)
        row = next(row for row in result.signature_id.content['results'] if row['id'] == result.id)
        self.assertEqual((row['value'], row['compared']), ('97.96', '98.0'))
        self._sql_refused("BPR-090", "UPDATE mrp_bpr_result SET compared = '99.0' WHERE id = %s", result.id)
        document = self.bpr._get_document()
        self.assertIn({'97.96': '98.0'}, [
            {row['value']: row.get('compared')} for test in document['tests'] for row in test['results']])

    def test_as_recorded(self):
        """V-04: without a word about rounding, as in documents of before, 97.96 against 98.0 to 101.0 is out of limits."""
        for comparison in (None, 'recorded'):
            limits = get_limits({'minimum': '98.0', 'maximum': '101.0', 'comparison': comparison})
            self.assertEqual(limits.comparison, 'recorded')
        self._with_criterion(kind='range', minimum='98.0', maximum='101.0', unit='%')
        self.assertRecordValues(self._assay('97.96'), [{'outcome': 'fail', 'compared': False}])

    def test_screens(self):
        """V-01, NUM-010: wherever a person types a number of the record, the field shows what it understood."""
        places = {
            'mrp.bpr.test': ['line_ids/value'], 'mrp.bpr.reserve': ['quantity', 'test_quantity'],
            'mrp.bpr.rework.record': ['quantity'],
            'mrp.bpr.transcribe': [f'line_ids/{name}' for name in (
                'value', 'size', 'issued', 'used', 'destroyed', 'returned', 'sampled', 'scrapped', 'finished')]}
        for model, names in places.items():
            arch = etree.fromstring(self.env[model].get_view(view_type='form')['arch'])
            for name in names:
                with self.subTest(model=model, name=name):
                    *parents, field = name.split('/')
                    path = ''.join(f"//field[@name='{part}']" for part in (*parents, field))
                    self.assertEqual([node.get('widget') for node in arch.xpath(path)], ['mmr_number'])
