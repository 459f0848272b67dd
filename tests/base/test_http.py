"""What only a real server shows: the browser, the session, remote calls and API keys."""

import io
import json
from datetime import timedelta

from pypdf import PdfReader

from odoo import fields
from odoo.tests import tagged

from ..common.base import PASSWORD, HttpCase, MmrCommon, complete_content
from ..common.signing import at_any_terminal


@tagged('post_install', '-at_install')
class TestHttp(MmrCommon, HttpCase):

    def _call(self, model, method, *args, **kwargs):
        """Call a method as the browser does; return the answer with ``result`` or ``error``."""
        response = self.url_open(
            f'/web/dataset/call_kw/{model}/{method}', headers={'Content-Type': 'application/json'},
            data=json.dumps({'jsonrpc': '2.0', 'params': {
                'model': model, 'method': method, 'args': args, 'kwargs': kwargs}}))
        return response.json()

    # === BROWSER === #

    def test_author(self):
        """PRD-080, CON-010 to CON-110: a preparer writes an MMR in the browser, led by the completeness page."""
        self.start_tour('/odoo/mmr', 'mrp_mmr_author', login='t_preparer')
        mmr = self.env['mrp.mmr'].search([('formulation_code', '=', "TOUR-A")])
        revision = mmr.open_revision_id
        self.assertEqual(mmr.batch_size, 100)
        self.assertRecordValues(revision.bom_line_ids, [
            {'product_id': self.component_a.id, 'gmp_qty': 90.25, 'product_qty': 90.25, 'product_uom_id': self.kg.id}])
        self.assertRecordValues(revision.bom_line_ids, [
            {'operation_id': revision.operation_ids.id, 'mmr_is_active': True, 'mmr_strength': 500, 'mmr_is_declared': True}])
        self.assertRecordValues(revision.operation_ids, [{'name': "Blending", 'workcenter_id': self.workcenter.id}])
        self.assertRecordValues(revision.step_ids, [
            {'kind': 'weigh', 'bom_line_id': revision.bom_line_ids.id, 'verifier_role': 'verifier'},
            {'kind': 'instruction', 'bom_line_id': False, 'verifier_role': False}])
        self.assertRecordValues(revision.ingredient_ids, [
            {'product_id': self.component_a.id, 'is_dietary': True, 'amount': 500, 'amount_unit': "mg per tablet"}])
        self.assertEqual(revision.editor_ids, self.user_preparer)
        complete_content(revision.with_user(self.user_preparer))
        self._make_effective(revision)

    def test_from_draft_to_order(self):
        """PRD-080, APR-030, USE-010: sign, reject, sign again, approve, order; the other size is refused."""
        self._make_effective(self._create_mmr(500))
        revision = self._create_mmr(100)
        url = f'/odoo/mmr-revisions/{revision.id}'
        self.start_tour(url, 'mrp_mmr_submit', login='t_preparer')
        self.assertEqual(revision.state, 'submitted')
        self.start_tour(url, 'mrp_mmr_reject', login='t_qc')
        self.assertEqual(revision.state, 'draft')
        self.start_tour(url, 'mrp_mmr_submit', login='t_preparer')
        self.start_tour(url, 'mrp_mmr_approve', login='t_qc')
        self.assertEqual(revision.state, 'effective')
        self.assertEqual(revision.signature_count, 4)
        self.start_tour(url, 'mrp_mmr_order', login='t_planner')
        self.start_tour(url, 'mrp_mmr_order_refused', login='t_planner')
        orders = self.env['mrp.production'].search([('product_id', '=', self.product.id)])
        self.assertEqual(sorted(orders.filtered(lambda order: order.state == 'confirmed').mapped('product_qty')), [100, 500])
        self.assertTrue(all(orders.mapped('mmr_snapshot_sha256')))

    def test_evidence(self):
        """PRD-080, AUD-010, AUD-040, REC-050, SEC-010: the auditor reads the trail, verifies and takes a bundle away."""
        revision = self._make_effective(self._create_mmr(100))
        url = f'/odoo/mmr/{revision.mmr_id.id}'
        self.start_tour(url, 'mrp_mmr_audit_trail', login='t_auditor')
        self.start_tour('/odoo/mmr', 'mrp_mmr_verify', login='t_auditor')
        run = self.env['mrp.audit.verify'].search([('user_id', '=', self.user_auditor.id)], limit=1)
        self.assertEqual((run.state, run.finding_count), ('passed', 0))
        self.start_tour(url, 'mrp_mmr_bundle', login='t_auditor')
        entry = self.env['mrp.audit.entry'].sudo().search([('kind', '=', 'export')], limit=1)
        self.assertEqual((entry.res_model, entry.res_id, entry.user_id), ('mrp.mmr', revision.mmr_id.id, self.user_auditor))

    def test_print(self):
        """RPT-010: everybody who reads an MMR prints it."""
        revision = self._make_effective(self._create_mmr(100))
        context = json.dumps({'force_report_rendering': True})
        for user in (self.user_planner, self.user_auditor, self.user_operator):
            self.authenticate(user.login, PASSWORD)
            response = self.url_open(f'/report/pdf/mrp_mmr.report_mmr_revision/{revision.id}?context={context}', timeout=60)
            self.assertEqual(response.status_code, 200)
            text = PdfReader(io.BytesIO(response.content)).pages[0].extract_text()
            self.assertIn(revision.mmr_id.name, text)

    def test_auditor_reads(self):
        """SEC-010: the auditor opens master records, revisions, signatures and orders, and changes nothing."""
        revision = self._make_effective(self._create_mmr(100))
        order = self._create_order(100)
        order.action_confirm()
        self.authenticate('t_auditor', PASSWORD)
        for model, record in (('mrp.mmr', revision.mmr_id), ('mrp.mmr.revision', revision), ('mrp.production', order),
                              ('mrp.esignature', revision.approved_signature_id)):
            fields_info = self.env[model].with_user(self.user_auditor).fields_get(attributes=[])
            answer = self._call(model, 'web_read', [record.id], specification={'display_name': {}, 'create_date': {}})
            self.assertEqual(answer['result'][0]['id'], record.id, model)
            self.assertTrue(fields_info)
            for vals in ({'active': True}, {'state': 'draft'}, {'comment': 'x'}):
                if set(vals) <= set(fields_info):
                    answer = self._call(model, 'write', [record.id], vals)
                    self.assertIn('error', answer, (model, vals))

    # === REMOTE CALLS === #

    def test_signing_by_remote_call(self):
        """SIG-040, SEC-020: the same rules hold for a remote call with a hostile context."""
        revision = self._create_mmr(100)
        self.authenticate('t_preparer', PASSWORD)
        hostile = {'mmr_transition': True, 'tracking_disable': True, 'su': True, 'uid': self.user_qc.id}
        digest = self._call('mrp.mmr.revision', 'esign_prepare', [revision.id], 'submit')['result']['digest']
        wrong = {'login': 't_preparer', 'password': 'no'}
        bad = self._call('mrp.mmr.revision', 'esign', [revision.id], 'submit', wrong, digest)
        self.assertIn("SIG-040", bad['result']['refused'])
        self.assertEqual(revision.state, 'draft')
        self.assertIn("Refused signature", revision.message_ids[0].body)
        answer = self._call(
            'mrp.mmr.revision', 'esign', [revision.id], 'submit', {'login': 't_preparer', 'password': PASSWORD}, digest,
            context=hostile)
        self.assertIn('signature_id', answer['result'])
        self.assertEqual(revision.state, 'submitted')
        for method, args in (
                ('write', [{'state': 'approved'}]), ('write', [{'reason': 'x'}]), ('unlink', []),
                ('copy', []), ('action_approve', []), ('esign_prepare', ['approve_all'])):
            answer = self._call('mrp.mmr.revision', method, [revision.id], *args, context=hostile)
            self.assertIn('error', answer, method)
        own = self._call('mrp.mmr.revision', 'esign', [revision.id], 'approve',
                         {'login': 't_preparer', 'password': PASSWORD}, digest, context=hostile)
        self.assertIn("APR-050", own['result']['refused'])
        for method in ('_esign', '_apply_signing_action', '_activate_due', '_register_editor', '_mmr_release_to_floor'):
            answer = self._call('mrp.mmr.revision', method, [revision.id])
            self.assertIn('error', answer, method)
        self.assertEqual(revision.state, 'submitted')

    def test_signing_for_another_in_the_own_session(self):
        """SIG-080, SIG-040: in my session a colleague signs as the colleague, where the company allows it, and never as me."""
        revision = self._create_mmr(100)
        self._sign(revision, 'submit', self.user_preparer)
        self.company.mmr_sign_shared = False
        self.startPatcher(at_any_terminal(self.env, 'mrp.mmr.revision', 'approve'))
        self.authenticate('t_preparer', PASSWORD)
        arguments = [revision.id], 'approve', {'login': 't_qc', 'password': PASSWORD}, revision.document_sha256
        answer = self._call('mrp.mmr.revision', 'esign', *arguments)
        self.assertIn("SIG-040", answer['result']['refused'])
        self.assertEqual(revision.state, 'submitted')
        self.company.mmr_sign_shared = True
        answer = self._call('mrp.mmr.revision', 'esign', *arguments)
        self.assertIn('signature_id', answer['result'])
        self.assertEqual(revision.approved_signature_id.user_id, self.user_qc)

    def test_no_signature_by_api(self):
        """SIG-080: neither XML-RPC with the password nor an API key signs."""
        revision = self._create_mmr(100)
        credential = {'login': 't_preparer', 'password': PASSWORD}
        uid = self.user_preparer.id
        prepared = self.xmlrpc_object.execute_kw(
            self.env.cr.dbname, uid, PASSWORD, 'mrp.mmr.revision', 'esign_prepare', [[revision.id], 'submit'])
        refused = self.xmlrpc_object.execute_kw(
            self.env.cr.dbname, uid, PASSWORD, 'mrp.mmr.revision', 'esign',
            [[revision.id], 'submit', credential, prepared['digest']])
        self.assertIn("SIG-080", refused['refused'])
        key = self.env['res.users.apikeys'].with_user(self.user_preparer).sudo()._generate(
            None, "test", fields.Datetime.now() + timedelta(days=1))
        for name in ('SERVER', 'json2'):
            with self.subTest(road=name):
                if name == 'json2':
                    response = self.url_open(
                        '/json/2/mrp.mmr.revision/esign',
                        headers={'Authorization': f'Bearer {key}', 'Content-Type': 'application/json'},
                        data=json.dumps({'ids': [revision.id], 'action': 'submit', 'credential': credential,
                                         'digest': prepared['digest']}))
                    self.assertEqual(response.status_code, 200, response.text)
                    answer = response.json()
                else:
                    answer = self.xmlrpc_object.execute_kw(
                        self.env.cr.dbname, uid, key, 'mrp.mmr.revision', 'esign',
                        [[revision.id], 'submit', dict(credential, password=key), prepared['digest']])
                self.assertIn("SIG-080", answer['refused'])
        self.assertEqual(revision.state, 'draft')

    def test_order_by_remote_call(self):
        """SEC-020, USE-010: confirming, creating and writing by remote call meet the same refusal as the button."""
        self._make_effective(self._create_mmr(100))
        order = self._create_order(137)
        self.authenticate('t_planner', PASSWORD)
        hostile = {'mmr_transition': True, 'skip_confirm': True, 'default_mmr_controlled': False, 'force_confirm': True}
        for method, args in (('action_confirm', []), ('button_plan', []), ('button_mark_done', []),
                             ('write', [{'state': 'confirmed'}]), ('write', [{'mmr_controlled': False}]),
                             ('_mmr_release_to_floor', [])):
            answer = self._call('mrp.production', method, [order.id], *args, context=hostile)
            self.assertIn('error', answer, method)
        answer = self._call('mrp.production', 'create', [{
            'product_id': self.product.id, 'product_qty': 137, 'state': 'confirmed'}], context=hostile)
        self.assertIn("USE-010", answer['error']['data']['message'])
        order.invalidate_recordset()
        self.assertEqual(order.state, 'draft')
