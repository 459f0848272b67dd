"""Yields of the batches of an MMR: their history, and the warning of a drift inside the band (YLD-020)."""

from decimal import Decimal

from odoo import models
from odoo.tools import SQL

from ...domain.control_chart import broken_rules, individuals
from ...domain.numbers import plain
from .step.step import CONTROL_POINT

#: How many batches a drift is judged by, and how few say nothing.
WINDOW, FEWEST = 40, 10


class MrpMmr(models.Model):
    _inherit = 'mrp.mmr'

    def _get_yield_history(self, stage=None, limit=WINDOW, until=None):
        """Return the yields of the last batches of these MMRs at one control point, in percent of theoretical, oldest first.

        What counts is the valid value of each batch whose yield was signed, whether it was released or rejected later.

        :param str stage: name of the stage; None for the end of manufacture
        :param int limit: how many batches at most
        :param until: only batches before this record of mrp.bpr
        :return: list of dicts of ``bpr_id``, ``name``, ``at`` and ``percent`` (Decimal)
        """
        if not self:
            return []
        self.env['mrp.bpr.step'].flush_model()
        step_ids = [row[0] for row in self.env.execute_query(SQL(
            """SELECT f.id FROM unnest(%(mmrs)s) AS m(id) CROSS JOIN LATERAL (
                   SELECT s.id, s.closed_at FROM mrp_bpr_step s
                    WHERE s.yield_mmr_id = m.id AND s.state = 'done' AND %(point)s = %(stage)s
                      AND s.bpr_id < %(until)s
                    ORDER BY s.closed_at DESC, s.id DESC LIMIT %(limit)s) f
                ORDER BY f.closed_at DESC, f.id DESC LIMIT %(limit)s""",
            mmrs=list(self._ids), point=SQL(CONTROL_POINT), stage=stage or '', limit=limit,
            until=until.id if until else 2 ** 31 - 1))]
        steps = self.env['mrp.bpr.step'].sudo().browse(reversed(step_ids))
        entries = steps.entry_ids.filtered(lambda entry: entry.kind == 'yield')._get_current().sorted('id').grouped('step_id')
        rows = [(step, (entries[step][-1].data or {}).get('percent')) for step in steps if step in entries]
        return [
            {'bpr_id': step.bpr_id.id, 'name': step.bpr_id.name, 'at': step.closed_at, 'percent': Decimal(percent)}
            for step, percent in rows if percent]


class MrpBprStep(models.Model):
    _inherit = 'mrp.bpr.step'

    def _warn_of_drift(self):
        """Tell Quality Control that a yield within its band belongs to a run that chance does not explain.

        An activity on the MMR, no deviation: the batch goes on (21 CFR 211.180(e), EU GMP 1.10).
        """
        self.ensure_one()
        entry = self.sudo().entry_ids.filtered(lambda entry: entry.kind == 'yield')._get_current()[-1:]
        percent = entry and (entry.data or {}).get('percent')
        if not percent or entry.outcome == 'fail':
            return
        mmr = self.sudo().bpr_id.mmr_revision_id.mmr_id
        stage = None if self.planned['scope'] == 'batch' else self.planned['stage']['name']
        history = [row['percent'] for row in mmr._get_yield_history(stage, until=self.bpr_id)]
        if len(history) < FEWEST:
            return
        chart = individuals(history)
        broken = broken_rules([*history, Decimal(percent)], chart)
        if not broken:
            return
        labels = self.env['mrp.mmr.yield.history']._get_rule_labels()
        quality = self.company_id._get_quality_control()
        mmr.activity_schedule(
            'mrp_mmr.mail_activity_type_drift', date_deadline=mmr.company_id._get_mmr_today(),
            user_id=(quality[:1] or self.env.user).id,
            summary=self.env._("Yield drifts: %s", stage or self.env._("end of manufacture")),
            note=self.env._(
                "%(batch)s yielded %(percent)s %%, within its band. The last %(count)s batches: mean %(mean)s %%, standard "
                "deviation %(sigma)s %%. Rules: %(rules)s.", batch=self.bpr_id.name, percent=plain(round(Decimal(percent), 2)),
                count=len(history), mean=plain(round(chart.mean, 2)), sigma=plain(round(chart.sigma, 2)),
                rules='; '.join(labels[rule] for rule in broken)))


class MrpMmrRevision(models.Model):
    _inherit = 'mrp.mmr.revision'

    def action_yield_history(self):
        """Open the proposal of the yield band at the end of manufacture from the batches that were made."""
        return self._open_yield_history()

    def _open_yield_history(self, operation=None):
        self.ensure_one()
        self.check_access('write')
        return {
            'type': 'ir.actions.act_window', 'res_model': 'mrp.mmr.yield.history', 'view_mode': 'form', 'target': 'new',
            'name': self.env._("Yield Band from History"),
            'context': {'default_revision_id': self.id, 'default_operation_id': operation.id if operation else False}}


class MrpRoutingWorkcenter(models.Model):
    _inherit = 'mrp.routing.workcenter'

    def action_mmr_yield_history(self):
        """Open the proposal of the yield band of this stage from the batches that were made."""
        self.ensure_one()
        return self.bom_id.mmr_revision_ids[:1]._open_yield_history(self)
