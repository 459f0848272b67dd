"""Whatever a client calls, with whatever arguments: done or refused, and never an error of the program (R-07, SEC-020)."""

import itertools
import math

from odoo.exceptions import AccessDenied, AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import tagged

from odoo.addons.mrp_mmr.domain.arguments import KINDS, MAX_ID, MAX_TEXT, takes

from ..common.batch import BatchCommon
from ..common.sampling import sample_cases
from ..common.signing import HOSTILE, signing_models

#: Of no type that a method takes, or of the right type and useless.
VALUES = (
    None, False, True, -1, 0, 1, MAX_ID, MAX_ID + 1, 2 ** 63, 1.5, math.inf, math.nan, '', ' ', 'a\0b', '\ud800',
    '__class__',
    'NaN', '∞', '１２', '1e400', "'; DROP TABLE mrp_bpr; --", 'x' * (MAX_TEXT + 1), [], [[]], ['x'], {}, {'': None},
    {'a': {'b': []}},
    {'value': {}}, {1: 2}, [1, 'x', None],
)
#: What values by name may hold; each of them is sent as each of the values above.
NAMES = (
    'value', 'pass', 'text', 'position', 'about_id', 'name', 'data', 'count', 'size', 'unit_id', 'issued', 'returned',
    'scrapped', 'lot_id', 'lot_name', 'version', 'finished', 'coded', 'waiver', 'label_type', 'examined_by', 'examination',
    'not_made', 'used', 'destroyed', 'kind', 'file', 'reference', 'pack', 'keep_until', 'quantity', 'unit', 'test_quantity',
    'container', 'location', 'reason', 'ended_at', 'started_at', 'supersedes_id', 'performed_by', 'cleaning_kind',
    'procedure_id', 'product_id', 'next_due', 'result', 'as_found', 'as_left', 'upload', 'upload_name',
)
#: Methods with arguments that Odoo itself declares; their arguments are its own.
OF_ODOO = {
    'create', 'write', 'copy', 'copy_data', 'unlink', 'export_data', 'default_get', 'name_search', 'button_start', 'signup',
    'check', 'to_field', 'change_password',
}


@tagged('post_install', '-at_install')
class TestArguments(BatchCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.bpr = cls._release_batch(cls._create_full_mmr(), "VC-R07")
        groups = cls.env['res.groups'].search([('id', 'in', cls.env['ir.model.data'].search([
            ('module', '=', 'mrp_mmr'), ('model', '=', 'res.groups'), ('name', '!=', 'group_mmr_auditor')]).mapped('res_id'))])
        cls.user_all = cls._person('operator')
        cls.user_all.group_ids += groups
        cls.records = {
            'mrp.bpr': cls.bpr, 'mrp.bpr.step': cls.bpr.step_ids[:1], 'mrp.mmr.revision': cls.bpr.mmr_revision_id,
            'maintenance.equipment': cls.env['maintenance.equipment'].search([], limit=1)}

    def _call(self, model, method, *args, ids=None, **kwargs):
        """Call a method as a client does, without a trace; return what was said where it was refused.

        :raise Exception: whatever is no refusal
        """
        records = self.records.get(model, self.env[model])
        bound = [ids if ids is not None else records.ids] if not getattr(
            getattr(self.env.registry[model], method), '_api_model', False) else []
        self.env.flush_all()
        try:
            with self.env.cr.savepoint() as savepoint:
                call_kw(self.env[model].with_user(self.user_all), method, [*bound, *args], kwargs)
                self.env.flush_all()
                savepoint.rollback()
        except (UserError, AccessError, AccessDenied) as refused:
            return str(refused)
        finally:
            self.env.invalidate_all()
        return None

    def _get_methods(self):
        """Return ``(model, method, kinds of its arguments)`` of each public method of the addon that declares them."""
        return [(name, method, getattr(model, method).takes) for name, model in sorted(self.env.registry.items())
                for method in sorted(dir(model)) if hasattr(getattr(model, method, None), 'takes') and not model._abstract]

    def test_every_method_declares(self):
        """R-07, SEC-020: a public method of the addon with arguments declares them, or they are those of a signature."""
        silent, signing = [], self.env.registry['mrp.esignature.mixin']
        for name, model in self.env.registry.items():
            for cls in model.__mro__:
                if not cls.__module__.startswith('odoo.addons.mrp_mmr.models'):
                    continue
                for method, function in vars(cls).items():
                    code = getattr(function, '__code__', None)
                    if code and not method.startswith('_') and code.co_argcount > 1 and method not in OF_ODOO \
                            and not hasattr(function, 'takes') and not hasattr(signing, method):
                        silent.append((name, method))
        self.assertEqual(silent, [])
        self.assertGreater(len(self._get_methods()), 10)

    def test_absent_and_wrong(self):
        """R-07, SEC-020: arguments that are missing, too many, or of another type are refused by name."""
        for model, method, kinds in self._get_methods():
            with self.subTest(model=model, method=method):
                self.assertIn('SEC-020', self._call(model, method, *[1] * (len(kinds) + 1)))
                self.assertIn('SEC-020', self._call(model, method, unknown=1))
                for name, kind in kinds.items():
                    for value in VALUES:
                        # what is of the type, or empty, is judged by the method itself
                        if not KINDS[kind](value) and value is not None and value is not False:
                            self.assertIn('SEC-020', self._call(model, method, **{name: value}), (name, value))

    def test_hostile_values(self):
        """R-07, SEC-020: values by name hold anything, one after the other, at every kind of step."""
        steps = {step.kind: step for step in self.bpr.step_ids}
        self.assertGreater(len(steps), 8)
        calls = [('mrp.bpr.step', 'action_record', kind, step.ids) for kind, step in steps.items()] + [
            ('mrp.bpr', 'action_record_sample', None, None),
            *(('maintenance.equipment', 'action_mmr_record', kind, None)
              for kind in ('cleaning', 'maintenance', 'calibration', 'use'))]
        values = (None, True, -1, MAX_ID, 1.5, '', ' ', 'NaN', '∞', 'x' * 300, [], ['x'], {}, {'a': 1}, '2026-13-45')
        cases = list(itertools.product(calls, NAMES, values))
        for (model, method, kind, ids), name, value in sample_cases(self, cases, 0.04):
            vals = {'kind': 'reserve', name: value} if method == 'action_record_sample' else {name: value}
            with self.subTest(method=method, kind=kind, name=name, value=value):
                self._call(model, method, *([vals] if kind is None else [kind, vals]), ids=ids)

    def test_results(self):
        """R-07, SEC-020: a result of a test takes what it asks for, and nothing else."""
        tests = self.bpr._get_tests()[self.bpr]
        self.assertTrue(tests)
        cases = list(itertools.product(
            [test['specification']['position'] for test in tests], ('value', 'pass', 'text', None), NAMES, VALUES))
        for position, kind, name, value in sample_cases(self, cases, 0.02):
            with self.subTest(position=position, kind=kind, name=name, value=value):
                self._call('mrp.bpr', 'action_record_result', position, {'kind': kind, name: value})

    def test_records_that_are_not_there(self):
        """R-07, SEC-020: a record that was deleted, or never was, is refused or missing, whatever is asked of it."""
        for model, method, kinds in self._get_methods():
            if getattr(getattr(self.env.registry[model], method), '_api_model', False):
                continue
            valid = {'text': 'x', 'id': 1, 'count': 1, 'flag': True, 'values': {}, 'ids': [1]}
            with self.subTest(model=model, method=method):
                self.assertTrue(self._call(model, method, *(valid[kind] for kind in kinds.values()), ids=[MAX_ID]))

    def test_signatures(self):
        """R-07, SIG-010: signing takes any name and any credential without an error of the program."""
        self.assertGreater(len(signing_models(self.env)), 15)
        for action, digest in itertools.product(HOSTILE, ('', None, 5, {}, 'a\0b')):
            with self.subTest(action=action, digest=digest):
                self._call('mrp.bpr', 'esign', action, {'login': action, 'password': digest}, digest)

    def test_declaration(self):
        """SEC-020: a declaration that does not fit its method is an error of the programmer, found when it is loaded."""
        with self.assertRaisesRegex(ValueError, "takes"):
            takes(other='text')(lambda self, value: None)
        with self.assertRaisesRegex(ValueError, "takes"):
            takes(value='float')(lambda self, value: None)
