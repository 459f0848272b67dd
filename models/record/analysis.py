"""Figures of batches for graphs and pivots: duration, yield, whether they were right first time."""

from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import SQL


class MrpBpr(models.Model):
    """Stored figures of a batch; no evidence, but computed from it, so that they follow what is found after the release.

    A figure that a batch does not have yet stays NULL in its column: averages count the others, and recording at a
    running batch writes nothing here.
    """
    _inherit = 'mrp.bpr'

    mmr_id = fields.Many2one(related='mmr_revision_id.mmr_id', string="MMR")
    making_hours = fields.Float(
        "Hours to Completion", digits=(16, 2), compute='_compute_hours', store=True, aggregator='avg',
        help="From the issue of the record, or from the release of the order if it is not issued, to its completion.")
    release_hours = fields.Float(
        "Hours to Decision", digits=(16, 2), compute='_compute_hours', store=True, aggregator='avg',
        help="From the completion to the release or rejection of the batch.")
    is_right_first_time = fields.Boolean(
        compute='_compute_right_first_time', store=True,
        help="Completed without a deviation and without correction of a recorded value or test result, and not rejected.")
    right_first_time = fields.Float(
        "Right First Time (%)", digits=(16, 1), compute='_compute_right_first_time', store=True, aggregator='avg')
    yield_percent = fields.Float(
        "Yield (%)", digits=(16, 2), compute='_compute_yield_percent', store=True, aggregator='avg',
        help="At the end of manufacture, in percent of the theoretical yield.")

    @api.depends('issue_signature_id', 'completed_at', 'released_at')
    def _compute_hours(self):
        for bpr in self.sudo():
            begun, completed = bpr.issue_signature_id.signed_at or bpr.create_date, bpr.completed_at
            if completed:
                bpr.making_hours = (completed - begun).total_seconds() / 3600
            if completed and bpr.released_at:
                bpr.release_hours = (bpr.released_at - completed).total_seconds() / 3600

    def _is_rejected(self):
        """Whether Quality Control rejected this batch, completed or not, or its packaged lot."""
        self.ensure_one()
        return 'rejected' in (self.release_state, self.packed_state)

    @api.depends('state', 'release_state', 'packed_state', 'deviation_ids', 'step_ids.entry_ids.supersedes_id',
                 'result_ids.supersedes_id')
    def _compute_right_first_time(self):
        done = self.sudo().filtered(lambda bpr: bpr.state == 'done' or bpr._is_rejected())
        troubled = done.filtered(lambda bpr: bpr._is_rejected())
        for model, corrected in (
                ('mrp.deviation', []), ('mrp.bpr.entry', [('supersedes_id', '!=', False)]),
                ('mrp.bpr.result', [('supersedes_id', '!=', False)])):
            if done - troubled:
                troubled |= troubled.union(*(bpr for bpr, in self.env[model].sudo()._read_group(
                    [('bpr_id', 'in', (done - troubled).ids), *corrected], ['bpr_id'])))
        for bpr in done:
            bpr.is_right_first_time = bpr not in troubled
            bpr.right_first_time = 100.0 if bpr.is_right_first_time else 0.0

    @api.depends('state', 'step_ids.entry_ids')
    def _compute_yield_percent(self):
        for row in self.filtered(lambda bpr: bpr.state == 'done')._get_yields():
            if row['stage'] is None:
                self.browse(row['bpr_id']).yield_percent = float(row['percent'])

    def _get_yields(self):
        """Return the valid yields of these batches at all control points, in the order of the work.

        :return: list of dicts of ``bpr_id``, ``at``, ``stage`` (None: end of manufacture), ``percent`` (Decimal),
            ``minimum`` and ``maximum`` (text), ``outcome``
        """
        if not self.ids:
            return []
        self.env['mrp.bpr.step'].flush_model()
        rows = self.env.execute_query_dict(SQL(
            """SELECT s.id, s.bpr_id, s.closed_at AS at, s.planned #>> '{band,minimum}' AS minimum,
                      s.planned #>> '{band,maximum}' AS maximum,
                      CASE WHEN s.planned ->> 'scope' <> 'batch' THEN s.planned #>> '{stage,name}' END AS stage
                 FROM mrp_bpr_step s WHERE s.kind = 'yield' AND s.state IN ('done', 'not_done') AND s.bpr_id IN %s
                ORDER BY s.bpr_id, s.sequence, s.id""", tuple(self.ids)))
        entries = self.env['mrp.bpr.entry'].sudo().search_fetch(
            [('step_id', 'in', [row['id'] for row in rows]), ('kind', '=', 'yield')],
            ['step_id', 'kind', 'data', 'outcome', 'to_sign', 'supersedes_id'], order='id')
        current = {entry.step_id.id: entry for entry in entries._get_current()}
        yields = []
        for row in rows:
            entry = current.get(row.pop('id'))
            percent = entry and (entry.data or {}).get('percent')
            if percent:
                yields.append({**row, 'percent': Decimal(percent), 'outcome': entry.outcome or None})
        return yields


class MrpBprEntry(models.Model):
    _inherit = 'mrp.bpr.entry'

    def _apply_correction(self, action, signature):
        """A correction counts from its last signature on: so does the yield that it corrects."""
        super()._apply_correction(action, signature)
        bprs = self.sudo().filtered(lambda entry: entry.kind == 'yield').bpr_id
        self.env.add_to_compute(bprs._fields['yield_percent'], bprs)
