"""The wall view: running batches, holds and what waits for Quality Control, on a large screen that nobody touches (USR-010)."""

from odoo import api, models
from odoo.fields import Domain

from ...domain.batch_states import DECIDED
from ...domain.canonical import iso_utc

#: As many rows of each part fit a screen that is read from some metres away.
MAX_ROWS = 12


class MrpBpr(models.Model):
    _inherit = 'mrp.bpr'

    @api.model
    @api.readonly
    def get_wall(self):
        """Return what the wall shows of the companies of the person: facts of batches, and nothing that only one may read.

        :return: dict of what :meth:`_prepare_floor_frame` says, ``batches`` (see :meth:`get_floor_batches`), ``holds`` (open
            deviations that stop work) and ``waiting`` (completed batches and their status), each with the number of those that
            do not fit as ``batches_more``, ``holds_more`` and ``waiting_more``
        """
        running = self.get_floor_batches()
        holds = self.env['mrp.deviation'].search(
            [('state', '=', 'open'), ('is_blocking', '=', True), ('company_id', 'in', self.env.companies.ids)],
            order='reported_at, id')
        waiting = self.search(
            Domain('state', '=', 'done') & Domain('release_state', 'not in', DECIDED)
            & Domain('company_id', 'in', self.env.companies.ids), order='completed_at, id')
        # Trouble first: work that stopped, then what ran out or runs out next.
        batches = sorted(running['batches'], key=lambda row: (
            not any(deviation['is_blocking'] for deviation in row['deviations']),
            row['limits'][0]['until'] if row['limits'] else '9', row['waits']['since'] or '9'))
        return {
            **self._prepare_floor_frame(),
            'batches': batches[:MAX_ROWS], 'batches_more': max(len(batches) - MAX_ROWS, 0) + running['left_off'],
            'holds': [{
                **deviation._prepare_floor_vals(), 'batch': deviation.sudo().bpr_id.name or False,
                'product': deviation.sudo().product_id.with_context(display_default_code=False).display_name,
            } for deviation in holds[:MAX_ROWS]],
            'holds_more': max(len(holds) - MAX_ROWS, 0),
            'waiting': [bpr._prepare_wall_vals() for bpr in waiting[:MAX_ROWS]],
            'waiting_more': max(len(waiting) - MAX_ROWS, 0),
        }

    def _prepare_wall_vals(self):
        self.ensure_one()
        bpr = self.sudo()
        return {
            'id': self.id, 'name': self.name, 'product': bpr.product_id.with_context(display_default_code=False).display_name,
            'lot': ', '.join(bpr.lot_ids.mapped('name')), 'status_text': self.status_text, 'status_kind': self.status_kind,
            'completed_at': iso_utc(self.completed_at), 'open_deviations': self.open_deviation_count,
        }
