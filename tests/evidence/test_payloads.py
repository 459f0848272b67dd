"""Whatever a batch digests on its way from the draft of its master to its release fits the schema of its kind."""

from odoo.tests import tagged

from odoo.addons.mrp_mmr.domain.schemas import BY_CODE

from ..common.batch import BatchCommon
from ..common.payloads import collect_digested, find_faults


@tagged('post_install', '-at_install')
class TestPayloads(BatchCommon):

    def test_journey(self):
        """SIG-030, USE-030, REL-030: master, snapshot, plan, steps, entries, results, review, release, trail and seal."""
        known = self.env['mrp.esignature'].search([], order='id desc', limit=1).id or 0
        with collect_digested() as digested:
            self._make_effective(self._create_mmr(50))
            bpr = self._release(self._make_completed(50))
            rich = self._complete_batch()
            (bpr | rich).mapped(lambda record: record._is_plan_intact())
            self.env['mrp.audit.seal']._seal(self.company)
        self.assertEqual(bpr.release_state, 'released')
        self.assertTrue(rich.deviation_ids)
        self.assertEqual(find_faults(rich._get_document()), [])
        by_code, others = {}, []
        for content in digested:
            if isinstance(content, dict) and 'schema' in content:
                by_code.setdefault(content['schema'], []).append(content)
            else:
                others.append(content)
        expected = {f'mrp_mmr/{name}' for name in (
            'mmr/3', 'redline/1', 'snapshot/1', 'issue/1', 'step/1', 'entry/1', 'deviation/1', 'results/2', 'review/1', 'bpr/1',
            'release/1', 'lot/1', 'equipment/1', 'signature/3', 'ledger/1', 'seal/2', 'acceptance/1')}
        self.assertEqual(expected - by_code.keys(), set())
        self.assertLessEqual(by_code.keys(), BY_CODE.keys())
        for code, contents in by_code.items():
            for content in contents:
                self.assertEqual(find_faults(content), [], code)
        plans = [content for content in others if isinstance(content, list) and content and isinstance(content[0], dict)
                 and 'second_person' in content[0]]
        self.assertTrue(plans)
        for plan in plans:
            self.assertEqual(find_faults(plan, 'plan'), [])
        steps = [content for content in others if isinstance(content, dict) and 'second_person' in content]
        self.assertTrue(steps)
        for step in steps:
            self.assertEqual(find_faults(step, 'plan#/$defs/planned'), [])
        self.assertIn(bpr._get_review_digest_content(), others)
        self.assertEqual(find_faults(bpr._get_review_digest_content(), 'exceptions'), [])
        annexes = self.env['mrp.esignature'].search([
            ('res_model', '=', 'mrp.mmr.revision'), ('id', '>', known)]).filtered('annex').mapped('annex')
        self.assertTrue(annexes)
        for annex in annexes:
            self.assertIn(annex, others)
            self.assertEqual(find_faults(annex, 'annex'), [])
