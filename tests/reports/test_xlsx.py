"""Spreadsheets hold real numbers and dates, and no text of theirs does anything (PRD-040, RPT-010)."""

import io
import re
import zipfile
from contextlib import suppress
from datetime import datetime, timedelta
from unittest.mock import patch

from lxml import etree

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import BaseCase, HttpCase, new_test_user, tagged

from odoo.addons.mrp_mmr.domain.canonical import sha256
from odoo.addons.mrp_mmr.models.master.export import id_ranges
from odoo.addons.mrp_mmr.reports.xlsx_mmr import write_history, write_register, write_revision
from odoo.addons.mrp_mmr.reports.xlsx_workbook import Column, Workbook

from ..common.base import PASSWORD, MmrCommon
from ..common.document import rich_document
from .test_report import CODES, leaves

NAMESPACE = {'m': 'http://schemas.openxmlformats.org/spreadsheetml/2006/main'}
EPOCH = datetime(1899, 12, 30)
ATTACKS = ("=1+1", "=HYPERLINK(\"http://example.invalid\")", "+1", "-2+3", "@SUM(A1)", "{=1}", "http://example.invalid", "0012")


class Sheet:
    """A sheet as its file says it: values with their types, styles, panes and filters."""

    def __init__(self, name, tree, strings, date_styles):
        self.name = name
        self.tree = tree
        self.formulas = tree.xpath('//m:f', namespaces=NAMESPACE)
        self.links = tree.xpath('//m:hyperlink', namespaces=NAMESPACE)
        self.frozen = tree.xpath('//m:pane[@state="frozen"]/@topLeftCell', namespaces=NAMESPACE)
        self.filters = tree.xpath('//m:autoFilter/@ref', namespaces=NAMESPACE)
        self.rows = []
        for row in tree.xpath('//m:sheetData/m:row', namespaces=NAMESPACE):
            cells = {}
            for cell in row.xpath('m:c', namespaces=NAMESPACE):
                value = cell.findtext('m:v', namespaces=NAMESPACE)
                column = 0
                for letter in re.match('[A-Z]+', cell.get('r')).group():
                    column = column * 26 + ord(letter) - 64
                if value is None:
                    value = None
                elif cell.get('t') == 's':
                    value = strings[int(value)]
                elif int(cell.get('s', 0)) in date_styles:
                    value = EPOCH + timedelta(seconds=round(float(value) * 86400))
                else:
                    value = float(value)
                cells[column - 1] = value
            self.rows.append([cells.get(index) for index in range(max(cells, default=-1) + 1)])

    def column(self, label):
        index = self.rows[0].index(label)
        return [row[index] for row in self.rows[1:]]

    def facts(self):
        return {row[0]: row[1] for row in self.rows[1:]}


def read_book(content):
    """Return the sheets of an XLSX file by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        def parse(name):
            return etree.fromstring(book.read(name))

        strings = [
            ''.join(item.itertext()) for item in parse('xl/sharedStrings.xml').xpath('//m:si', namespaces=NAMESPACE)]
        styles = parse('xl/styles.xml')
        formats = {node.get('numFmtId'): node.get('formatCode')
                   for node in styles.xpath('//m:numFmt', namespaces=NAMESPACE)}
        date_styles = {
            index for index, node in enumerate(styles.xpath('//m:cellXfs/m:xf', namespaces=NAMESPACE))
            if 'yyyy' in formats.get(node.get('numFmtId'), '')}
        names = parse('xl/workbook.xml').xpath('//m:sheet/@name', namespaces=NAMESPACE)
        return {name: Sheet(name, parse(f'xl/worksheets/sheet{number}.xml'), strings, date_styles)
                for number, name in enumerate(names, 1)}


@tagged('post_install', '-at_install')
class TestWorkbook(BaseCase):

    def _write(self, columns, rows, **kwargs):
        book = Workbook("Title", **kwargs)
        book.add_table("Data", columns, rows)
        return read_book(book.close())['Data']

    def test_types(self):
        """Numbers are numbers, dates are dates, texts are texts, nothing is nothing."""
        sheet = self._write(
            [Column("Text"), Column("Number", 'number'), Column("Whole", 'integer'), Column("Day", 'date'),
             Column("Time", 'datetime')],
            [["12", "0.000001", 7, fields.Date.to_date('2031-02-03'), datetime(2031, 2, 3, 4, 5, 6, 700)],
             [None, None, None, None, None],
             ["x", "1234567.891234", "3", None, None]])
        self.assertEqual(sheet.rows[1], ["12", 0.000001, 7.0, datetime(2031, 2, 3), datetime(2031, 2, 3, 4, 5, 6)])
        self.assertFalse(any(sheet.rows[2]))
        self.assertEqual(sheet.rows[3][:3], ["x", 1234567.891234, 3.0])
        self.assertEqual(sheet.frozen, ['A2'])
        self.assertEqual(sheet.filters, ['A1:E4'])

    def test_exact(self):
        """A number that a sheet cannot hold exactly stays the text that it is."""
        sheet = self._write([Column("Number", 'number')], [["12345678901234.567891"], ["not a number"], ["NaN"]])
        self.assertEqual([row[0] for row in sheet.rows[1:]], ["12345678901234.567891", "not a number", "NaN"])

    def test_injection(self):
        """No text computes, links or becomes a number, whatever it begins with."""
        sheet = self._write([Column("Text"), Column("Number", 'number')], [[text, text] for text in ATTACKS])
        self.assertEqual([row[0] for row in sheet.rows[1:]], list(ATTACKS))
        self.assertFalse(sheet.formulas or sheet.links)

    def test_odd_texts(self):
        """Control characters, endless texts and names that Excel refuses do no harm."""
        book = Workbook("T & T \x0b" * 60, status="A & B")
        for name in ("History", "a/b:c[d]*?" * 9, "a/b:c[d]*?" * 9, "", "'quoted'"):
            book.add_table(name, [Column("Text\x01")], [["x\x0by"], ["z" * 40000]])
        book.add_table("Empty", [Column("Text")], [])
        sheets = read_book(book.close())
        self.assertEqual(len(sheets), 5)
        for name, sheet in sheets.items():
            self.assertLessEqual(len(name), 31)
            self.assertNotEqual(name.lower(), 'history')
            self.assertEqual(sheet.rows[1], ["x\ufffdy"])
            self.assertEqual(len(sheet.rows[2][0]), 32767)

    def test_id_ranges(self):
        self.assertEqual(id_ranges([3, 1, 2, 7, 9, 8, 12]), "1-3,7-9,12")
        self.assertEqual(id_ranges([]), "")


class XlsxCommon(MmrCommon):

    def _check(self, content):
        """Return the sheets of a file after checking what all of them promise."""
        sheets = read_book(content)
        self.assertTrue(sheets)
        for sheet in sheets.values():
            with self.subTest(sheet=sheet.name):
                self.assertEqual(sheet.frozen, ['A2'])
                self.assertEqual(len(sheet.filters), 1)
                self.assertFalse(sheet.formulas)
                self.assertTrue(all(isinstance(label, str) for label in sheet.rows[0]))
        with suppress(ImportError):
            import openpyxl
            book = openpyxl.load_workbook(io.BytesIO(content))
            self.assertEqual(book.sheetnames, list(sheets))
        return sheets


@tagged('post_install', '-at_install')
class TestXlsx(XlsxCommon):

    def _write_document(self, document):
        revision = self._create_mmr().with_user(self.user_auditor)
        with patch.object(self.env.registry['report.mrp_mmr.report_mmr_revision'], '_get_document',
                          lambda self, revision: (document, sha256(document))):
            return self._check(write_revision(revision))

    def test_every_leaf(self):
        """RPT-010: every value of a rich document is in its spreadsheet, numbers as numbers."""
        document = rich_document()
        sheets = self._write_document(document)
        cells = {cell for sheet in sheets.values() for row in sheet.rows for cell in row if cell is not None}
        text = '\n'.join(str(cell) for cell in cells)
        found = 0
        for path, value in leaves(document):
            key = path[-1]
            if value is None or isinstance(value, (bool, int)) or key in (*CODES, 'scope', 'mimetype') \
                    or key == 'role' and 'sample' in path or 'overage' in path and value in ('0', 'none', 'percent', 'amount'):
                continue
            with self.subTest(leaf='/'.join(map(str, path))):
                if re.fullmatch(r'\d+(\.\d+)?', value) and key not in ('version', 'code'):
                    self.assertIn(float(value), cells)
                elif key == 'effective_date':
                    self.assertIn(datetime(2031, 2, 3), cells)
                elif key == 'signed_at':
                    self.assertIn(datetime(2031, 1, 15, 8), cells)
                else:
                    self.assertIn(value, text)
            found += 1
        self.assertGreater(found, 200)
        self.assertEqual(sheets["Components"].column("Overage, percent"), [5.0, None, 4.0])
        self.assertEqual(sheets["Components"].column("Overage"), ["Percent", "None", "Amount"])
        self.assertEqual(sheets["Identity"].facts()["Watermark"], "NOT FOR PRODUCTION")
        self.assertEqual(sheets["Steps"].column("Step"), ["1.1", "1.2", "1.3", "2.1", "2.2", "2.3"])

    def test_injection(self):
        """No text of a record becomes a formula."""
        document = rich_document()
        for number, attack in enumerate(ATTACKS):
            document['operations'][0]['steps'][number % 3]['instruction'] = attack
        document['product']['name'] = document['change']['reason'] = ATTACKS[1]
        sheets = self._write_document(document)
        self.assertEqual(sheets["Identity"].facts()["Product"], ATTACKS[1])

    def test_revision(self):
        """The spreadsheet of a real revision: status, digest, signatures with times."""
        revision = self._make_effective(self._create_mmr())
        sheets = self._check(write_revision(revision.with_user(self.user_auditor)))
        facts = sheets["Identity"].facts()
        self.assertEqual(facts["Content, SHA-256"], revision.document_sha256)
        self.assertEqual(facts["Content is what was signed"], "Yes")
        self.assertEqual(facts["Batch size"], 100.0)
        self.assertEqual(facts["Effective since (UTC)"], revision.effective_at)
        self.assertNotIn("Watermark", facts)
        self.assertEqual(sheets["Components"].column("Quantity"), [90.0, 10.0])
        self.assertEqual(sheets["Signatures"].column("Meaning"), ["Prepared", "Approved"])
        self.assertTrue(all(isinstance(value, datetime) for value in sheets["Signatures"].column("Signed at (UTC)")))
        self._sign(revision, 'retire', self.user_qc, "No longer made")
        sheets = self._check(write_revision(revision))
        self.assertEqual(sheets["Identity"].facts()["Watermark"], "OBSOLETE")

    def test_empty_draft(self):
        """A draft without any content has its spreadsheet too."""
        mmr = self.env['mrp.mmr'].with_user(self.user_preparer).create({
            'product_id': self.product.id, 'formulation_code': "empty", 'batch_size': 3, 'uom_id': self.kg.id})
        sheets = self._check(write_revision(mmr.open_revision_id))
        self.assertEqual(sheets["Identity"].facts()["Content is what was signed"], "draft, not signed")

    def test_history(self):
        """PRD-040: revisions, signatures with void ones, differences, batches and notes."""
        first = self._create_mmr()
        self._sign(first, 'submit', self.user_preparer)
        self._sign(first, 'reject', self.user_qc, "The quantity is wrong")
        self._make_effective(first)
        order = self._create_order()
        order.action_confirm()
        second = self._new_revision(first)
        second.with_user(self.user_preparer).bom_line_ids[0].gmp_qty = 91
        self._make_effective(second)
        sheets = self._check(write_history(first.mmr_id.with_user(self.user_auditor)))
        self.assertEqual(sheets["Revisions"].column("Revision"), [1.0, 2.0])
        self.assertEqual(sheets["Revisions"].column("Status"), ["Superseded", "Effective"])
        self.assertEqual(sheets["Revisions"].column("Effective since (UTC)"), [first.effective_at, second.effective_at])
        self.assertEqual(sheets["Revisions"].column("Batches"), [1.0, 0.0])
        self.assertEqual(sheets["Signatures"].column("Meaning"),
                         ["Prepared", "Rejected", "Prepared", "Approved", "Prepared", "Approved"])
        self.assertIn("Rejected, Test t_qc", sheets["Signatures"].column("Void by")[0])
        self.assertEqual(sheets["Signatures"].column("Void by")[1:], [None] * 5)
        rows = [row for row in sheets["Differences"].rows if row[4] == "Quantity"]
        self.assertEqual([row[:2] + row[3:4] + row[6:8] for row in rows], [[2.0, 1.0, "Ascorbic acid", "90 kg", "91 kg"]])
        self.assertEqual(sheets["Batches"].column("Order"), [order.name])
        self.assertEqual(sheets["Batches"].column("Quantity"), [100.0])
        self.assertTrue(any("Rejected by Test t_qc" in note for note in sheets["Notes"].column("Note")))
        self.assertTrue(all(isinstance(value, datetime) for value in sheets["Notes"].column("Date and time (UTC)")))

    def test_register(self):
        """The register has one line per MMR, with what is in use and what is open."""
        effective = self._make_effective(self._create_mmr())
        draft = self._create_mmr(500)
        mmrs = (effective | draft).mmr_id.sorted('name')
        sheets = self._check(write_register(mmrs.with_user(self.user_auditor)))
        register = sheets["Register"]
        self.assertEqual(register.column("Number"), mmrs.mapped('name'))
        self.assertEqual(register.column("Batch size"), [100.0, 500.0])
        self.assertEqual(register.column("Effective revision"), [1.0, None])
        self.assertEqual(register.column("Effective since (UTC)"), [effective.effective_at, None])
        self.assertEqual(register.column("Status of the open revision"), [None, "Draft"])
        self.assertEqual(sheets["About"].facts()["Records"], 2.0)

    def test_actions(self):
        """Menus lead to the downloads; who may not read gets none."""
        revision = self._create_mmr()
        mmr = revision.mmr_id.with_user(self.user_auditor)
        self.assertEqual(mmr.action_download_register()['url'], f'/mrp_mmr/register.xlsx?ids={mmr.id}')
        self.assertEqual(mmr.action_download_history()['url'], f'/mrp_mmr/mmr/{mmr.id}.xlsx')
        self.assertEqual(
            revision.with_user(self.user_auditor).action_download_xlsx()['url'], f'/mrp_mmr/revision/{revision.id}.xlsx')
        stranger = new_test_user(self.env, login='t_stranger', groups='base.group_user')
        for xmlid, record in (('mrp_mmr_action_register_xlsx', mmr), ('mrp_mmr_action_history_xlsx', mmr),
                              ('mrp_mmr_revision_action_xlsx', revision)):
            for user, allowed in ((self.user_auditor, True), (self.user_planner, True), (stranger, False)):
                with self.subTest(action=xmlid, user=user.login):
                    action = self.env.ref(f'mrp_mmr.{xmlid}').with_user(user).sudo(False).with_context(
                        active_model=record._name, active_id=record.id, active_ids=record.ids)
                    if allowed:
                        self.assertEqual(action.run()['type'], 'ir.actions.act_url')
                    else:
                        with self.assertRaises(AccessError):
                            action.run()
        for action in (mmr.with_user(stranger).action_download_register, mmr.with_user(stranger).action_download_history,
                       revision.with_user(stranger).action_download_xlsx):
            with self.assertRaises(AccessError):
                action()
        with self.assertRaises(AccessError):
            write_history(mmr.with_user(stranger))


@tagged('post_install', '-at_install')
class TestXlsxHttp(XlsxCommon, HttpCase):

    def test_download(self):
        """Readers download, others do not; nothing is written for it."""
        revision = self._make_effective(self._create_mmr())
        mmr = revision.mmr_id
        new_test_user(self.env, login='t_stranger', password=PASSWORD, groups='base.group_user')
        company = self.env['res.company'].create({'name': "Other company"})
        new_test_user(self.env, login='t_outsider', password=PASSWORD, groups='mrp.group_mrp_user', company_id=company.id,
                      company_ids=[(6, 0, company.ids)])
        self.env.flush_all()
        urls = [f'/mrp_mmr/revision/{revision.id}.xlsx', f'/mrp_mmr/mmr/{mmr.id}.xlsx',
                f'/mrp_mmr/register.xlsx?ids={mmr.id}']
        for url in urls:
            self.assertIn('/web/login', self.url_open(url, allow_redirects=False).headers.get('Location', ''))
        for login in ('t_stranger', 't_outsider'):
            self.authenticate(login, PASSWORD)
            for url in urls:
                with self.subTest(login=login, url=url):
                    self.assertEqual(self.url_open(url).status_code, 403)
        response = self.url_open('/mrp_mmr/register.xlsx')
        self.assertNotIn("Register", read_book(response.content), "no MMR of another company")
        for login in ('t_auditor', 't_planner', 't_qc', 't_preparer', 't_operator'):
            self.authenticate(login, PASSWORD)
            for url in [*urls, '/mrp_mmr/register.xlsx']:
                with self.subTest(login=login, url=url):
                    response = self.url_open(url)
                    self.assertEqual(response.status_code, 200)
                    self.assertIn('spreadsheetml', response.headers['Content-Type'])
                    self.assertIn('attachment', response.headers['Content-Disposition'])
                    self._check(response.content)
        for url in ('/mrp_mmr/revision/99999999999.xlsx', f'/mrp_mmr/register.xlsx?ids={"9" * 5000}',
                    '/mrp_mmr/register.xlsx?ids=1-99999,100001-199999', '/mrp_mmr/register.xlsx?ids=١',
                    '/mrp_mmr/register.xlsx?ids=abc', '/mrp_mmr/register.xlsx?ids=1-999999999', '/mrp_mmr/mmr/99999999.xlsx',
                    '/mrp_mmr/register.xlsx?ids=5-'):
            with self.subTest(url=url):
                self.assertEqual(self.url_open(url).status_code, 422)
