"""Print of a master with the history of its revisions."""

from odoo import api, models
from odoo.tools import html2plaintext

from ..domain.numbers import decimal_string
from ..models.master.print_mark import NOT_FOR_PRODUCTION, OBSOLETE
from .stamping import Stamp


class ReportMmrHistory(models.AbstractModel):
    """An MMR with its revision history (PRD-040): every revision with its reason, signatures, differences and batches."""
    _name = 'report.mrp_mmr.report_mmr_history'
    _inherit = ['mrp.mmr.stamped.report']
    _description = "Print of an MMR with Revision History"

    @api.model
    def _get_report_values(self, docids, data=None):
        mmrs = self.env['mrp.mmr'].browse(docids)
        mmrs.check_access('read')
        return {
            'doc_ids': docids,
            'doc_model': mmrs._name,
            'docs': [self._prepare_history(mmr) for mmr in mmrs],
        }

    def _get_stamp(self, record):
        record.check_access('read')
        revisions = self._get_revisions(record)
        newest = revisions.filtered('document_sha256')[-1:]
        return Stamp(
            header_left=record.company_id.sudo().name,
            header_right=self.env._(
                "Revision history · %(number)s · revisions 1 to %(last)s", number=record.name, last=record.last_revision),
            footer_left=self.env._(
                "Revision %(revision)s, SHA-256 %(digest)s…", revision=newest.revision,
                digest=newest.document_sha256[:16]) if newest else '',
            footer_center=self._get_printed_label(),
            watermark=self._get_watermark(revisions),
            page_label=self._get_page_label(),
        )

    @api.model
    def _get_revisions(self, mmr):
        return mmr.with_context(active_test=False).revision_ids.sorted('revision')

    @api.model
    def _get_watermark(self, revisions):
        """Return what is written across each page: None while one of the revisions may be used (PRD-030)."""
        states = set(revisions.mapped('state'))
        if 'effective' in states:
            return None
        return OBSOLETE if states & {'superseded', 'obsolete'} else NOT_FOR_PRODUCTION

    @api.model
    def _prepare_history(self, mmr):
        """Return the history of one MMR, for print and spreadsheet; times are as they are stored, in UTC."""
        mmr.check_access('read')
        revisions = self._get_revisions(mmr)
        revisions.check_access('read')
        signatures = self._prepare_signatures(revisions)
        orders = self._prepare_orders(revisions)
        messages = self._prepare_messages(mmr, revisions)
        states = dict(revisions._fields['state']._description_selection(self.env))
        categories = dict(revisions._fields['change_category']._description_selection(self.env))

        def prepare(revision):
            frozen = revision.sudo().document
            change = frozen['change'] if frozen else {
                'category': revision.change_category, 'description': revision.description, 'reason': revision.reason}
            base = revision._get_redline_base()
            redline = revision._prepare_redline_with(base)
            return {
                'id': revision.id,
                'revision': revision.revision,
                'state': revision.state,
                'status': states[revision.state],
                'category': categories.get(change['category'], change['category']),
                'reason': change['reason'] or None,
                'description': change['description'] or None,
                'reason_lines': (change['reason'] or '').splitlines(),
                'description_lines': (change['description'] or '').splitlines(),
                'date_effective': revision.date_effective or None,
                'effective_at': revision.effective_at or None,
                'ended_at': revision.ended_at or None,
                'effective_text': self._format_utc(revision.effective_at),
                'ended_text': self._format_utc(revision.ended_at),
                'digest': revision.document_sha256 or None,
                'editors': revision.sudo().editor_ids.mapped('name'),
                'signatures': signatures[revision.id],
                # What is new in the first revision is all of it, which is what its own print is for.
                'redline': redline if base else dict(redline, groups=[]),
                'orders': orders.get(revision.id, []),
                'messages': messages.get((revision._name, revision.id), []),
            }

        return {
            'id': mmr.id,
            'number': mmr.name,
            'company': mmr.company_id.sudo().name,
            'product': mmr.product_id.sudo().with_context(display_default_code=False).display_name,
            'product_code': mmr.product_id.sudo().default_code or None,
            'formulation': mmr.formulation_code,
            'batch_size': decimal_string(mmr.batch_size),
            'unit': mmr.uom_id.name,
            'profile': f"{mmr.profile_id.code}: {mmr.profile_id.name}",
            'watermark': self._get_watermark(revisions),
            'revisions': [prepare(revision) for revision in revisions],
            'messages': messages.get((mmr._name, mmr.id), []),
        }

    @api.model
    def _prepare_orders(self, revisions):
        """Return the batches that were made, or are being made, under each revision."""
        # Which batches were made under it belongs to the record: whoever may read it gets the list in full.
        orders = self.env['mrp.production'].sudo().search(
            [('mmr_revision_id', 'in', revisions.ids)], order='date_start, id')
        states = dict(orders._fields['state']._description_selection(self.env))
        result = {}
        for order in orders:
            result.setdefault(order.mmr_revision_id.id, []).append({
                'name': order.name,
                'quantity': decimal_string(order.product_qty),
                'unit': order.product_uom_id.name,
                'lots': ", ".join(order.lot_producing_ids.mapped('name')),
                'start': order.date_start or None,
                'finished': order.date_finished if order.state == 'done' else None,
                'start_text': self._format_utc(order.date_start),
                'finished_text': self._format_utc(order.date_finished) if order.state == 'done' else None,
                'status': states[order.state],
                'digest': order.mmr_snapshot_sha256 or None,
            })
        return result

    @api.model
    def _prepare_messages(self, mmr, revisions):
        """Return what was noted on the MMR and its revisions, oldest first, by model and id."""
        # Whoever may read the record may read its notes; notifications to single users are none.
        messages = self.env['mail.message'].sudo().search([
            '|', '&', ('model', '=', mmr._name), ('res_id', 'in', mmr.ids),
            '&', ('model', '=', revisions._name), ('res_id', 'in', revisions.ids),
            ('message_type', '!=', 'user_notification'),
        ], order='date, id')
        result = {}
        for message in messages:
            changes = [
                self.env._("%(field)s: %(old)s → %(new)s", field=value['fieldInfo']['changedField'],
                           old=self._format_tracked(value['oldValue']), new=self._format_tracked(value['newValue']))
                for value in message.tracking_value_ids._tracking_value_format_model(message.model)]
            text = html2plaintext(message.body or '', include_references=False).strip()
            if not text and not changes:
                continue
            result.setdefault((message.model, message.res_id), []).append({
                'date': message.date,
                'date_text': self._format_utc(message.date),
                'author': message.author_id.name or message.email_from or None,
                'lines': [*text.splitlines(), *changes],
            })
        return result

    @api.model
    def _format_tracked(self, value):
        if isinstance(value, dict):
            value = value.get('value')
        return self.env._("none") if value in (None, False, '') else str(value)
