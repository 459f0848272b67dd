"""The redline of real revisions: what it compares, who may see it, its prints, its part in the approval (REV-030, PRD-040)."""

import io
import json
from unittest.mock import patch

from pypdf import PdfReader

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.mrp_mmr.domain import wording as labels
from odoo.addons.mrp_mmr.domain.canonical import sha256
from odoo.addons.mrp_mmr.domain.redline import GROUPS, compare

from ..common.base import PASSWORD, HttpCase, MmrCommon, enrol
from ..common.document import rich_document


@tagged('post_install', '-at_install')
class TestRedlineRevision(MmrCommon):

    def _create_two(self):
        """Return an effective revision and a submitted one that differs from it in one quantity and one text."""
        first = self._make_effective(self._create_mmr())
        second = self._new_revision(first)
        draft = second.with_user(self.user_preparer)
        draft.bom_line_ids[0].gmp_qty = 91
        draft.operation_ids[1].mmr_instruction = "Blend for 20 minutes."
        self._sign(second, 'submit', self.user_preparer)
        return first, second

    def _read(self, content):
        pages = [' '.join(page.extract_text().split()) for page in PdfReader(io.BytesIO(content)).pages]
        self.assertTrue(pages)
        return pages

    # === DIFFERENCES === #

    def test_redline(self):
        """The differences of a real revision, from the one it replaces."""
        first, second = self._create_two()
        redline = second._get_redline(first)
        self.assertEqual(redline, compare(first.document, second.document))
        self.assertEqual(redline['before']['document_sha256'], first.document_sha256)
        self.assertEqual(redline['after']['document_sha256'], second.document_sha256)
        found = {(change['item'], change['field'], change['before'], change['after']) for change in redline['changes']}
        self.assertIn(("Ascorbic acid", 'component.quantity', "90 kg", "91 kg"), found)
        self.assertIn(("2 Blending", 'operation.instruction', "Blend for 15 minutes.", "Blend for 20 minutes."), found)
        self.assertIn(('', 'change.reason', "First revision", "Yield improved"), found)
        self.assertEqual({field for _item, field, _before, _after in found if not field.startswith('change.')},
                         {'component.quantity', 'operation.instruction'})

    def test_draft(self):
        """A draft is compared as it is now."""
        first = self._make_effective(self._create_mmr())
        second = self._new_revision(first)
        fields = {change['field'] for change in second._get_redline(first)['changes']}
        self.assertEqual({field for field in fields if not field.startswith('change.')}, set())
        second.with_user(self.user_preparer).precautions = "Explosive."
        self.assertIn('precautions', {change['field'] for change in second._get_redline(first)['changes']})

    def test_base(self):
        """The base is the effective revision, else the last one that was approved; never a later one."""
        first = self._create_mmr()
        self.assertFalse(first._get_redline_base())
        self._make_effective(first)
        self.assertFalse(first._get_redline_base())
        second = self._new_revision(first)
        self.assertEqual(second._get_redline_base(), first)
        second.with_user(self.user_preparer).action_cancel()
        third = self._make_effective(self._new_revision(first))
        self.assertEqual(third._get_redline_base(), first, "a cancelled one is no base")
        self.assertFalse(first._get_redline_base(), "a successor is no base")
        self._sign(third, 'retire', self.user_qc, "No longer made")
        fourth = self._new_revision(third)
        self.assertEqual(fourth._get_redline_base(), third, "the last approved one, where none is effective")

    def test_digest(self):
        """The approver signs over base and differences: another base or another content is another digest."""
        first, second = self._create_two()
        digest = second._get_redline_digest()
        self.assertEqual(digest, {
            'before': {'number': first.mmr_id.name, 'revision': 1, 'document_sha256': first.document_sha256},
            'redline_sha256': sha256(compare(first.document, second.document))})
        self.assertEqual(digest, second.with_user(self.user_qc)._get_redline_digest())
        self.assertEqual(digest, second.with_context(lang='fr_FR')._get_redline_digest(), "in any language")
        self.assertIsNone(self._create_mmr(50)._get_redline_digest()['before'])

    # === FOR PEOPLE === #

    def test_labels(self):
        """Every field and every group that a redline can hold has a label."""
        document = rich_document()
        after = rich_document()
        for rows in (after['components'], after['operations'], after['specifications'], after['ingredients'],
                     after['operations'][0]['steps'], after['packs'][0]['materials'], after['references']):
            rows.reverse()
        fields = labels.redline_fields(self.env)
        self.assertEqual(set(labels.redline_groups(self.env)), set(GROUPS))
        changes = compare(None, document)['changes'] + compare(document, after)['changes']
        self.assertEqual({change['field'] for change in changes} - fields.keys(), set())
        codes = labels.code_labels(self.env)
        for change in changes:
            code = fields[change['field']][1]
            if code and change['after']:
                with self.subTest(field=change['field'], value=change['after']):
                    self.assertTrue(change['after'] in codes[code] or code == 'overage')

    def test_prepared(self):
        """People read labels, words that changed, and what is new as a whole."""
        Revision = self.env['mrp.mmr.revision']
        before, after = rich_document(), rich_document()
        after['operations'][1]['steps'][1]['instruction'] = "Details of Blend for 15 minutes.\nLook for lumps."
        after['components'][1]['weighing_verified'] = True
        after['specifications'].pop()
        after['operations'][1]['steps'].reverse()
        prepared = Revision._prepare_redline(compare(before, after))
        groups = {group['key']: group for group in prepared['groups']}
        self.assertEqual(set(groups), {'formula', 'steps', 'tests', 'text'})
        [item] = groups['formula']['items']
        self.assertEqual((item['label'], item['kind']), ("Microcrystalline cellulose", 'changed'))
        self.assertEqual([(row['label'], row['before'], row['after']) for row in item['rows']],
                         [("Weighing is verified", "No", "Yes")])
        [item] = groups['tests']['items']
        self.assertEqual((item['label'], item['kind']), ("Amber bottle 60 › Torque of the cap", 'removed'))
        [row] = groups['text']['items'][0]['rows']
        self.assertEqual(row['parts'], [['same', "Details of Blend for 15 minutes."], ['added', "\nLook for lumps."]])
        self.assertEqual({row['kind'] for item in groups['steps']['items'] for row in item['rows']}, {'moved'})
        self.assertEqual(prepared['count'], sum(group['count'] for group in prepared['groups']))

        prepared = Revision._prepare_redline(compare(None, rich_document()))
        self.assertIsNone(prepared['before'])
        self.assertEqual({item['kind'] for group in prepared['groups'] if group['key'] == 'formula'
                          for item in group['items']}, {'added'})

    def test_approval_dialog(self):
        """APR-030: whoever approves sees what changes; other signatures do not show it."""
        _first, second = self._create_two()
        prepared = second.with_user(self.user_qc).esign_prepare('approve')
        self.assertEqual(prepared['redline']['redline_sha256'], second._get_redline_digest()['redline_sha256'])
        self.assertEqual(prepared['redline']['before']['status'], "Effective")
        self.assertEqual(prepared['redline']['after']['status'], "Submitted")
        json.dumps(prepared)
        self.assertNotIn('redline', second.with_user(self.user_qc).esign_prepare('reject'))
        action = second.with_user(self.user_qc).action_approve()
        self.assertEqual(action['context']['dialog_size'], 'extra-large')
        self._sign(second, 'approve', self.user_qc)

    def test_review_dialog(self):
        """A reviewer of the approval route sees and signs the differences as the approver does."""
        self._create_reviewer(name="Technical review", group_id=self.env.ref('mrp_mmr.group_mmr_production').id)
        reviewer = enrol(new_test_user(
            self.env, login='t_reviewer', password=PASSWORD, groups='mrp_mmr.group_mmr_production', name="Test t_reviewer"))
        revision = self._create_mmr()
        self._sign(revision, 'submit', self.user_preparer)
        prepared = revision.with_user(reviewer).esign_prepare('review')
        self.assertIsNone(prepared['redline']['before'])
        signature = self._sign(revision, 'review', reviewer)
        self.assertEqual(signature.annex['redline']['redline_sha256'], prepared['redline']['redline_sha256'])

    # === VIEW === #

    def test_view(self):
        """Any two revisions of the same product can be chosen, each MMR by itself."""
        first, second = self._create_two()
        other = self._make_effective(self._create_mmr(500))
        view = second.with_user(self.user_auditor).get_redline_view()
        self.assertEqual((view['revision_id'], view['other_id']), (second.id, first.id))
        self.assertEqual([[revision['id'] for revision in mmr['revisions']] for mmr in view['choices']],
                         [[second.id, first.id], [other.id]])
        self.assertIn("500 kg", view['choices'][1]['label'])
        view = second.with_user(self.user_auditor).get_redline_view(other.id)
        self.assertIn(("Batch size", "500 kg", "100 kg"), [
            (row['label'], row['before'], row['after']) for group in view['redline']['groups']
            for item in group['items'] for row in item['rows']])
        self.assertIsNone(second.get_redline_view(False)['redline']['before'])
        self.assertEqual(second.action_redline()['params'], {'revision_id': second.id, 'other_id': first.id})
        with self.assertRaisesRegex(UserError, "does not exist"):
            second.get_redline_view(999999999)

    def test_view_access(self):
        """Only what may be read is compared, and nothing is written for it."""
        first, second = self._create_two()
        stranger = new_test_user(self.env, login='t_stranger', groups='base.group_user')
        with self.assertRaises(AccessError):
            second.with_user(stranger).get_redline_view(first.id)
        with self.assertRaises(AccessError):
            second.with_user(stranger).action_redline()
        company = self.env['res.company'].create({'name': "Other company"})
        outsider = new_test_user(
            self.env, login='t_outsider', groups='mrp.group_mrp_user', company_id=company.id, company_ids=[(6, 0, company.ids)])
        with self.assertRaises(AccessError):
            second.with_user(outsider).get_redline_view(first.id)
        own = self.env['mrp.mmr.revision'].with_user(outsider)
        with self.assertRaises(AccessError):
            own._browse_redline_other(first.id)
        self.env.flush_all()
        with patch.object(type(second), 'write', side_effect=AssertionError("written")):
            second.with_user(self.user_planner).get_redline_view(first.id)

    # === PRINT === #

    def test_print(self):
        """PRD-040: the print names both documents and their digests on it, and each difference."""
        if self.env['ir.actions.report'].get_wkhtmltopdf_state() == 'install':
            self.skipTest("wkhtmltopdf is not installed")
        first, second = self._create_two()
        report = self.env['ir.actions.report'].with_user(self.user_auditor).with_context(force_report_rendering=True)
        content, _type = report._render_qweb_pdf('mrp_mmr.report_mmr_redline', second.ids)
        pages = self._read(content)
        text = ' '.join(pages)
        for digest in (first.document_sha256, second.document_sha256, second._get_redline_digest()['redline_sha256']):
            self.assertIn(digest, text)
        for page in pages:
            self.assertIn(f"{first.mmr_id.name} · revision 1 → {first.mmr_id.name} · revision 2 · Submitted", page)
            self.assertIn(f"SHA-256 {first.document_sha256[:8]}… → {second.document_sha256[:8]}…; differences ", page)
            self.assertIn("NOT FOR PRODUCTION", page)
        self.assertIn("90 kg 91 kg", text)
        self.assertIn("First revision", text)

        self._sign(second, 'approve', self.user_qc)
        content, _type = report.with_context(mrp_mmr_redline_before=second.id)._render_qweb_pdf(
            'mrp_mmr.report_mmr_redline', first.ids)
        for page in self._read(content):
            self.assertIn("OBSOLETE", page)
        content, _type = report.with_context(mrp_mmr_redline_before=False)._render_qweb_pdf(
            'mrp_mmr.report_mmr_redline', second.ids)
        text = ' '.join(self._read(content))
        self.assertIn("everything is new", text)
        self.assertNotIn("OBSOLETE", text)
        self.assertNotIn("NOT FOR PRODUCTION", text)


@tagged('post_install', '-at_install')
class TestRedlineHttp(TestRedlineRevision, HttpCase):

    # Only what needs a server: the tests of the parent ran there.
    test_redline = test_draft = test_base = test_digest = test_labels = test_prepared = test_approval_dialog = None
    test_review_dialog = None
    test_view = test_view_access = test_print = None

    def test_tour(self):
        _first, second = self._create_two()
        self.start_tour(f'/odoo/mmr-revisions/{second.id}', 'mrp_mmr_redline', login='t_qc')

    def test_download(self):
        """The print of any two revisions is for those who may read both."""
        if self.env['ir.actions.report'].get_wkhtmltopdf_state() == 'install':
            self.skipTest("wkhtmltopdf is not installed")
        first, second = self._create_two()
        new_test_user(self.env, login='t_stranger', password=PASSWORD, groups='base.group_user')
        self.env.flush_all()
        url = f'/mrp_mmr/redline/{second.id}/{first.id}.pdf'
        self.assertIn('/web/login', self.url_open(url, allow_redirects=False).headers.get('Location', ''))
        self.authenticate('t_stranger', PASSWORD)
        self.assertEqual(self.url_open(url).status_code, 403)
        self.authenticate('t_auditor', PASSWORD)
        response = self.url_open(url)
        self.assertEqual(response.status_code, 200)
        self.assertEqual(response.headers['Content-Type'], 'application/pdf')
        self.assertIn("90 kg 91 kg", ' '.join(self._read(response.content)))
        self.assertEqual(self.url_open(f'/mrp_mmr/redline/{second.id}/999999999.pdf').status_code, 422)
