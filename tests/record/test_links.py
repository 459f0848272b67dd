"""Order, batch record, master, lot and deviations are one click from each other, and say one status in the same words."""

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from ..common.base import PASSWORD
from .test_release import ReleaseCommon

#: Method → where it leads, from each of the records of a batch.
LINKS = {
    'action_open_batch_orders': 'mrp.production', 'action_open_batch_records': 'mrp.bpr',
    'action_open_batch_masters': 'mrp.mmr.revision', 'action_open_batch_lots': 'stock.lot',
    'action_open_batch_deviations': 'mrp.deviation',
}


@tagged('post_install', '-at_install')
class TestLinks(ReleaseCommon):

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.deviation = cls.env['mrp.deviation'].with_user(cls.user_operator)._report(
            cls.bpr.with_user(cls.user_operator), 'occurrence', "Lamp", "It flickered.").with_env(cls.env)
        cls.records = (cls.order, cls.bpr, cls.revision, cls.revision.mmr_id, cls.lot, cls.deviation)

    def _led(self, action):
        """Return the records that an action opens."""
        self.assertEqual(action['type'], 'ir.actions.act_window')
        records = self.env[action['res_model']]
        return records.browse(action['res_id']) if action.get('res_id') else records.search(action['domain'])

    def test_one_click(self):
        """USR-010, BPR-010: each of them opens each other, one record in its form."""
        wanted = {'mrp.production': self.order, 'mrp.bpr': self.bpr, 'mrp.mmr.revision': self.revision,
                  'stock.lot': self.lot, 'mrp.deviation': self.deviation}
        for record in self.records:
            for method, model in LINKS.items():
                with self.subTest(record=record, method=method):
                    action = getattr(record.with_user(self.user_qc), method)()
                    self.assertEqual(self._led(action), wanted[model])
                    self.assertEqual(action.get('view_mode'), 'form')

    def test_several(self):
        """USR-010: a master leads to the list of all its batches; a lot also to deviations about itself."""
        order = self._create_order()
        order.action_confirm()
        self.assertEqual(self._led(self.revision.action_open_batch_records()), self.bpr | order.bpr_id)
        self.assertEqual(self._led(order.action_open_batch_deviations()), self.env['mrp.deviation'])
        about = self.env['mrp.deviation'].with_user(self.user_operator)._report(
            self.lot.with_user(self.user_operator), 'return', "Broken", "In the carton.").with_env(self.env)
        self.assertEqual(self._led(self.lot.action_open_batch_deviations()), self.deviation | about)

    def test_readers(self):
        """USR-010, SEC-010: who reads no batch records is led to none, whatever else that person reads."""
        keeper = new_test_user(self.env, login='t_keeper', password=PASSWORD, groups='stock.group_stock_user')
        for method in LINKS:
            with self.assertRaisesRegex(AccessError, "Batch Production Record"):
                getattr(self.lot.with_user(keeper), method)()

    def test_same_words(self):
        """USR-010, R-15: order, record, lot, floor, review, My Work and print say the same of a batch."""
        def said():
            page = self.env['mrp.my.work'].with_user(self.user_qc).get_my_work()
            lines = [line for section in page['sections'] for group in section['groups'] if group['model'] == 'mrp.bpr'
                     for line in group['lines'] if line['id'] == self.bpr.id]
            print_ = self.env['report.mrp_mmr.report_bpr']._get_report_values(self.bpr.ids)['docs'][0]
            for row in (lines[-1]['what'].partition(';')[0], print_['status'], self.bpr.get_review()['status_text'],
                        self.order.mmr_status_text, self.lot.mmr_batch_status_text):
                self.assertEqual(row, self.bpr.status_text)
            return self.bpr.status_text

        self.assertEqual(said(), "to be reviewed · in quarantine")
        self._close(self.deviation)
        self._enter_results(self.bpr)
        self._sign(self.bpr, 'review', self.user_qc)
        self._sign(self.bpr, 'release', self.user_qc)
        self.assertEqual(said(), "batch released · packed lot open · in quarantine")
        self.assertEqual(self.order.mmr_status_kind, 'quarantine')

    def test_buttons(self):
        """USR-010, REL-020: what signing would refuse is not offered on the forms; the lot of a batch waits for its batch."""
        self.assertTrue(self.lot.mmr_waits_for_batch)
        self.assertIn('decide', self.deviation.with_user(self.user_qc).esignature_offered)
        self.assertFalse(self.deviation.with_user(self.user_operator).esignature_offered)
        draft = self._create_mmr(700)
        self.assertIn('submit', draft.with_user(self.user_preparer).esignature_offered)
        self._sign(draft, 'submit', self.user_preparer)
        self.assertIn('approve', draft.with_user(self.user_qc).esignature_offered)
        self.assertFalse(draft.with_user(self.user_preparer).esignature_offered)
