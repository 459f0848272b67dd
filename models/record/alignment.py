"""Planned and actual: each step of the snapshot and the time of each stage, next to what was recorded (PRD-070)."""

from odoo import fields, models
from odoo.tools import SQL

#: Whether an entry of a step ``s`` counts, as ``mrp.bpr.entry._get_signed`` says it.
COUNTS = """(
    CASE WHEN %(e)s.transcription_id IS NOT NULL
         THEN EXISTS (SELECT FROM mrp_bpr_transcription t WHERE t.id = %(e)s.transcription_id AND t.state = 'verified')
         ELSE NOT COALESCE(%(e)s.to_sign, false) OR (
            EXISTS (SELECT FROM mrp_esignature g WHERE g.res_model = 'mrp.bpr.entry' AND g.res_id = %(e)s.id
                       AND g.content ->> 'point' = 'corrected')
            AND (NOT (COALESCE(s.is_critical, false) OR s.points ?| ARRAY['verified', 'addition_verified'])
                 OR EXISTS (SELECT FROM mrp_esignature g WHERE g.res_model = 'mrp.bpr.entry' AND g.res_id = %(e)s.id
                               AND g.content ->> 'point' = 'verified'))) END)"""
#: ... and that it was not corrected by one that counts, as ``mrp.bpr.entry.is_current`` says it.
CURRENT = """(%(counts)s AND NOT EXISTS (
    WITH RECURSIVE later AS (
        SELECT f.* FROM mrp_bpr_entry f WHERE f.supersedes_id = e.id
         UNION ALL SELECT f.* FROM mrp_bpr_entry f JOIN later ON f.supersedes_id = later.id)
    SELECT FROM later WHERE %(later_counts)s))"""
#: Numbers are exact ``numeric`` up to the last comparison; limits are inclusive.
QUERY = """
    SELECT s.id * 2 AS id, b.id AS bpr_id, b.production_id, b.mmr_revision_id, b.product_id, b.company_id, s.id AS step_id,
           s.stage, s.planned -> 'stage' ->> 'name' AS stage_name, s.sequence, s.stage || '.' || s.number AS code, s.name,
           k.kind, (k.plan -> 'product' ->> 'id')::integer AS component_id, k.plan ->> 'unit' AS unit,
           p.planned, p.lower, p.upper, a.actual, a.actual - p.planned AS difference,
           CASE WHEN p.planned <> 0 THEN a.actual * 100 / p.planned END AS percent, a.lots,
           CASE WHEN s.state = 'not_done' THEN 'not_done'
                WHEN k.kind = 'step' THEN CASE WHEN a.failed THEN 'outside' WHEN s.state = 'done' THEN 'planned' ELSE 'open' END
                -- A weighing that goes on misses nothing yet.
                WHEN a.actual IS NULL OR k.kind = 'component' AND s.state = 'started' AND a.actual < p.lower THEN 'open'
                WHEN a.last_failed AND k.kind = 'reading' OR a.actual < p.lower OR a.actual > p.upper THEN 'outside'
                WHEN a.failed AND k.kind = 'reading' THEN 'retest'
                WHEN a.actual <> p.planned THEN 'within'
                ELSE 'planned' END AS status
      FROM mrp_bpr_step s
      JOIN mrp_bpr b ON b.id = s.bpr_id
     CROSS JOIN LATERAL (
        SELECT CASE WHEN s.kind = 'weigh' THEN 'component' WHEN s.kind = 'yield' THEN 'yield'
                    WHEN s.kind IN ('numeric', 'environment') THEN 'reading' ELSE 'step' END AS kind,
               CASE WHEN s.kind = 'weigh' THEN s.planned -> 'target' WHEN s.kind = 'yield' THEN s.planned -> 'band'
                    WHEN s.kind IN ('numeric', 'environment') THEN s.planned -> 'criterion' END AS plan) k
      -- What the potency of the lots made of a target, as the last weight that counts kept it (USE-070).
      LEFT JOIN LATERAL (
        SELECT (e.data #>> '{adjusted,target}')::numeric + COALESCE((
                    SELECT sum((o ->> 'quantity')::numeric) FROM jsonb_array_elements(e.data #> '{adjusted,others}') o), 0
               ) AS quantity
          FROM mrp_bpr_entry e
         WHERE e.step_id = s.id AND e.kind = 'weight' AND e.data #> '{adjusted}' IS NOT NULL AND %(current)s
         ORDER BY e.id DESC LIMIT 1) v ON true
     CROSS JOIN LATERAL (
        SELECT COALESCE(v.quantity, (k.plan ->> CASE k.kind WHEN 'component' THEN 'quantity' WHEN 'yield' THEN 'theoretical'
                                                            ELSE 'target' END)::numeric) AS planned,
               CASE k.kind WHEN 'component'
                           THEN CASE WHEN k.plan #>> '{stated,kind}' = 'as_needed'
                                       OR k.plan #>> '{stated,kind}' = 'make_up' AND (k.plan ->> 'tolerance')::numeric = 0
                                     THEN 0 ELSE COALESCE(v.quantity, (k.plan ->> 'quantity')::numeric)
                                          - COALESCE((k.plan ->> 'tolerance')::numeric, 0) END
                           WHEN 'yield' THEN (k.plan ->> 'theoretical')::numeric * (k.plan ->> 'minimum')::numeric * 0.01
                           ELSE (k.plan ->> 'minimum')::numeric END AS lower,
               CASE k.kind WHEN 'component'
                           THEN CASE WHEN k.plan #>> '{stated,kind}' = 'make_up' AND (k.plan ->> 'tolerance')::numeric = 0
                                     THEN NULL ELSE COALESCE(v.quantity, (k.plan ->> 'quantity')::numeric)
                                          + COALESCE((k.plan ->> 'tolerance')::numeric, 0) END
                           WHEN 'yield' THEN (k.plan ->> 'theoretical')::numeric * (k.plan ->> 'maximum')::numeric * 0.01
                           ELSE (k.plan ->> 'maximum')::numeric END AS upper) p
      LEFT JOIN LATERAL (
        SELECT CASE k.kind WHEN 'component' THEN sum(w.quantity)
                           ELSE (array_agg(w.quantity ORDER BY w.id DESC))[1] END AS actual,
               string_agg(w.lot_amount, ', ' ORDER BY w.id) AS lots, bool_or(w.failed) AS failed,
               (array_agg(w.failed ORDER BY w.id DESC))[1] AS last_failed
          FROM (SELECT max(e.id) AS id, sum(e.quantity) AS quantity, bool_or(e.outcome = 'fail') AS failed,
                       e.lot_name || ' ' || trim_scale(sum(e.quantity)) || ' ' || (k.plan ->> 'unit') AS lot_amount
                  FROM (SELECT e.id, e.outcome, e.lot_name,
                               CASE e.kind WHEN 'weight' THEN (e.data ->> 'quantity')::numeric
                                           WHEN 'value' THEN e.value::numeric WHEN 'yield' THEN e.value::numeric END AS quantity
                          FROM mrp_bpr_entry e
                         WHERE e.step_id = s.id AND %(current)s
                           AND e.kind <> ALL (CASE k.kind WHEN 'step' THEN ARRAY['comment', 'handover']
                                              ELSE ARRAY['comment', 'handover', 'check', 'sample', 'equipment', 'photo'] END)) e
                 GROUP BY CASE WHEN k.kind = 'component' THEN 0 ELSE e.id END, e.lot_name) w) a ON true
     UNION ALL
    SELECT min(s.id) * 2 + 1, b.id, b.production_id, b.mmr_revision_id, b.product_id, b.company_id, NULL,
           s.stage, s.planned -> 'stage' ->> 'name', max(s.sequence), s.stage::text, s.planned -> 'stage' ->> 'name',
           'time', NULL, 'h', NULL, NULL, (s.planned -> 'stage' ->> 'time_limit')::numeric,
           CASE WHEN bool_and(s.closed_at IS NOT NULL)
                THEN round(EXTRACT(epoch FROM max(s.closed_at) - min(s.started_at)) / 3600, 6) END,
           NULL, NULL, NULL,
           CASE WHEN bool_and(s.state = 'not_done') THEN 'not_done'
                WHEN NOT bool_and(s.closed_at IS NOT NULL) THEN 'open'
                WHEN EXTRACT(epoch FROM max(s.closed_at) - min(s.started_at))
                     > (s.planned -> 'stage' ->> 'time_limit')::numeric * 3600 THEN 'outside'
                ELSE 'planned' END
      FROM mrp_bpr_step s
      JOIN mrp_bpr b ON b.id = s.bpr_id
     GROUP BY b.id, s.stage, s.planned -> 'stage' ->> 'name', s.planned -> 'stage' ->> 'time_limit'"""


class MrpBprAlignment(models.Model):
    """One row for each step of a batch and for the time of each of its stages; the plan is the snapshot's (USE-040)."""
    _name = 'mrp.bpr.alignment'
    _description = "Planned and Actual Values of a Batch"
    _auto = False
    _order = 'bpr_id desc, sequence, id'
    _rec_name = 'name'
    _depends = {
        'mrp.bpr': ['production_id', 'mmr_revision_id', 'product_id', 'company_id'],
        'mrp.bpr.step': ['bpr_id', 'kind', 'name', 'sequence', 'stage', 'number', 'state', 'started_at', 'closed_at', 'planned',
                         'is_critical', 'points'],
        'mrp.bpr.entry': ['step_id', 'kind', 'value', 'data', 'outcome', 'lot_name', 'to_sign', 'supersedes_id',
                          'transcription_id'],
        'mrp.bpr.transcription': ['state'],
        'mrp.esignature': ['res_model', 'res_id', 'content'],
    }

    bpr_id = fields.Many2one('mrp.bpr', "Batch Production Record", readonly=True)
    production_id = fields.Many2one('mrp.production', "Manufacturing Order", readonly=True)
    mmr_revision_id = fields.Many2one('mrp.mmr.revision', "MMR Revision", readonly=True)
    product_id = fields.Many2one('product.product', readonly=True)
    company_id = fields.Many2one('res.company', readonly=True)
    step_id = fields.Many2one('mrp.bpr.step', readonly=True)
    stage = fields.Integer("Stage Number", readonly=True, aggregator=None)
    stage_name = fields.Char("Stage", readonly=True)
    sequence = fields.Integer("Order of Work", readonly=True, aggregator=None)
    code = fields.Char("No.", readonly=True)
    name = fields.Char(readonly=True)
    kind = fields.Selection([
        ('component', "Component"),
        ('yield', "Yield"),
        ('reading', "Reading"),
        ('step', "Step"),
        ('time', "Time of the stage"),
    ], readonly=True)
    component_id = fields.Many2one('product.product', readonly=True)
    unit = fields.Char(readonly=True)
    planned = fields.Float(readonly=True, digits=(16, 6), help="Quantity, theoretical yield or target of the snapshot.")
    lower = fields.Float("From", readonly=True, digits=(16, 6), aggregator=None, help="Lower limit.")
    upper = fields.Float("To", readonly=True, digits=(16, 6), aggregator=None, help="Upper limit.")
    actual = fields.Float(readonly=True, digits=(16, 6))
    difference = fields.Float(readonly=True, digits=(16, 6), help="Actual minus planned.")
    percent = fields.Float("Actual in % of Planned", readonly=True, digits=(16, 2), aggregator='avg')
    lots = fields.Char(readonly=True, help="Amount of each lot of the component.")
    status = fields.Selection([
        ('open', "Open"),
        ('planned', "As planned"),
        ('within', "Within limits"),
        ('retest', "Within limits on retest"),
        ('outside', "Out of limits"),
        ('not_done', "Not done"),
    ], readonly=True)

    @property
    def _table_query(self):
        counts, later = (SQL(COUNTS, e=SQL.identifier(alias)) for alias in ('e', 'later'))
        return SQL(QUERY, current=SQL(CURRENT, counts=counts, later_counts=later))

    def action_open_step(self):
        """Open the step of this row with its entries."""
        self.ensure_one()
        return {
            'type': 'ir.actions.act_window', 'res_model': 'mrp.bpr.step', 'view_mode': 'form',
            'res_id': self.step_id.id or self.bpr_id.step_ids.filtered(lambda step: step.stage == self.stage)[:1].id}


class MrpBpr(models.Model):
    _inherit = 'mrp.bpr'

    def action_open_alignment(self):
        """Show planned next to actual for these batches (PRD-070)."""
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('mrp_mmr.mrp_bpr_alignment_action')
        return dict(action, domain=[('bpr_id', 'in', self.ids)], context={})


class MrpMmrRevision(models.Model):
    _inherit = 'mrp.mmr.revision'

    def action_open_alignment(self):
        """Show planned next to actual for all batches made under this revision (PRD-070)."""
        self.ensure_one()
        self.check_access('read')
        self.env['mrp.bpr.alignment'].check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id('mrp_mmr.mrp_bpr_alignment_action')
        return dict(
            action, domain=[('mmr_revision_id', '=', self.id)], views=[(False, 'pivot'), (False, 'list'), (False, 'graph')],
            context={'search_default_component': 1, 'search_default_yield': 1})
