"""Other batches to which a deviation may extend: proposed by the system, assessed by people."""

from odoo import api, fields, models
from odoo.tools import SQL

from ...domain.refusals import refusal
from ...domain.transitions import in_transition, transition

RULE = "DEV-070, 21 CFR 211.192"
ASSESSMENT = {'assessment', 'text'}
#: Batches that share a lot (1), a unit (2) or the revision (3) with a deviation, and what they share.
RELATED = """
    WITH lots AS (
        SELECT %(lot)s::integer AS id WHERE %(lot)s IS NOT NULL
         UNION
        SELECT e.lot_id FROM mrp_bpr_entry e
         WHERE e.bpr_id = %(bpr)s AND e.lot_id IS NOT NULL AND %(lot)s IS NULL AND %(unit)s IS NULL
    ), units AS (
        SELECT %(unit)s::integer AS id, %(at)s::timestamp AS at WHERE %(unit)s IS NOT NULL
         UNION ALL
        SELECT e.equipment_id, max(e.at) FROM mrp_bpr_entry e
         WHERE e.bpr_id = %(bpr)s AND e.equipment_id IS NOT NULL AND %(lot)s IS NULL AND %(unit)s IS NULL
         GROUP BY e.equipment_id
    ), counted AS (
        SELECT l.equipment_id, l.kind, l.ended_at FROM mrp_equipment_log l JOIN units u ON u.id = l.equipment_id
         WHERE mrp_mmr_log_counts(l)
           AND (l.kind = 'calibration' AND l.result = 'pass' OR l.kind = 'cleaning' AND l.cleaning_kind = 'full')
    ), spans AS (
        SELECT u.id, max(l.ended_at) FILTER (WHERE l.ended_at <= u.at) AS since,
               min(l.ended_at) FILTER (WHERE l.ended_at > u.at) AS until
          FROM units u
          JOIN counted l ON l.equipment_id = u.id
         GROUP BY u.id, l.kind
         UNION ALL
        SELECT u.id, NULL, NULL FROM units u
         WHERE NOT EXISTS (SELECT FROM counted c WHERE c.equipment_id = u.id)
    ), shared AS (
        SELECT e.bpr_id, 1 AS kind, o.name FROM mrp_bpr_entry e
          JOIN lots ON lots.id = e.lot_id JOIN stock_lot o ON o.id = e.lot_id
         WHERE NOT EXISTS (SELECT FROM mrp_bpr_entry c WHERE c.supersedes_id = e.id AND NOT c.to_sign)
         UNION
        SELECT u.bpr_id, 2, q.name ->> 'en_US' FROM (
            SELECT e.bpr_id, e.equipment_id, e.at FROM mrp_bpr_entry e
             WHERE e.equipment_id IN (SELECT id FROM units)
               AND NOT EXISTS (SELECT FROM mrp_bpr_entry c WHERE c.supersedes_id = e.id AND NOT c.to_sign)
             UNION ALL
            SELECT l.bpr_id, l.equipment_id, l.ended_at FROM mrp_equipment_log l
             WHERE l.kind = 'use' AND l.bpr_id IS NOT NULL AND l.equipment_id IN (SELECT id FROM units)) u
          JOIN spans s ON s.id = u.equipment_id AND (s.since IS NULL OR u.at >= s.since)
           AND (s.until IS NULL OR u.at <= s.until)
          JOIN maintenance_equipment q ON q.id = u.equipment_id
         UNION
        SELECT b.id, 3, '' FROM mrp_bpr b
         WHERE b.mmr_revision_id = %(revision)s
           AND b.started_at BETWEEN %(at)s::timestamp - %(window)s AND %(at)s::timestamp + %(window)s
    )
    SELECT s.bpr_id, s.kind, array_agg(DISTINCT s.name ORDER BY s.name)
      FROM shared s JOIN mrp_bpr b ON b.id = s.bpr_id
     WHERE b.company_id = %(company)s AND b.id IS DISTINCT FROM %(bpr)s
     GROUP BY s.bpr_id, s.kind ORDER BY s.bpr_id, s.kind
    """


class MrpDeviationBatch(models.Model):
    """A batch that shares a component lot, a unit of equipment or the MMR revision with a deviation (21 CFR 211.192).

    The investigator assesses whether it is affected, with the reason. Rows cannot be deleted.

    Also held in guards/mrp_deviation_batch.sql.
    """
    _name = 'mrp.deviation.batch'
    _description = "Batch Related to a Deviation"
    _inherit = ['mrp.evidence.mixin']
    _order = 'id'
    _rec_name = 'bpr_id'
    _is_append_only = False

    deviation_id = fields.Many2one('mrp.deviation', required=True, index=True, readonly=True, ondelete='restrict')
    company_id = fields.Many2one('res.company', required=True, readonly=True, ondelete='restrict')
    bpr_id = fields.Many2one('mrp.bpr', "Batch", required=True, index=True, readonly=True, ondelete='restrict')
    product_id = fields.Many2one(related='bpr_id.product_id')
    bpr_state = fields.Selection(related='bpr_id.state', string="Status of the Batch")
    reason = fields.Char("In Common", required=True, readonly=True)
    assessment = fields.Selection([
        ('affected', "Affected"),
        ('not_affected', "Not affected"),
    ])
    text = fields.Text("Reason", help="What was examined, and what it means for this batch.")
    assessed_by_id = fields.Many2one('res.users', readonly=True, ondelete='restrict')
    assessed_at = fields.Datetime("Assessed", readonly=True)

    _once = models.UniqueIndex('(deviation_id, bpr_id)', "This batch is already listed as related.")
    _complete = models.Constraint(
        "CHECK (assessment IS NULL OR (trim(text) <> '' AND assessed_by_id IS NOT NULL AND assessed_at IS NOT NULL))",
        "An assessment needs a reason, a person and a time. Rule: DEV-070, 21 CFR 211.192.")

    # === CRUD === #

    def write(self, vals):
        if in_transition(self):
            return super().write(vals)
        if vals.keys() - ASSESSMENT:
            raise self._refuse_write()
        self.deviation_id._check_investigator()
        with transition(self):
            return super().write({**vals, 'assessed_by_id': self.env.uid, 'assessed_at': fields.Datetime.now()})

    def _refuse_write(self):
        return refusal(
            self.env, self.env._("Related batches are found by the system and cannot be removed."), RULE,
            self.env._("assess each of them as affected or not affected, with the reason."), record=self[:1])

    def _audit_chain(self):
        return self.sudo().deviation_id._audit_chain()


class MrpDeviation(models.Model):
    _inherit = 'mrp.deviation'

    related_ids = fields.One2many('mrp.deviation.batch', 'deviation_id', "Related Batches")
    related_count = fields.Integer("Number of Related Batches", compute='_compute_related_count')

    @api.depends('related_ids')
    def _compute_related_count(self):
        counts = dict(self.env['mrp.deviation.batch']._read_group(
            [('deviation_id', 'in', self.ids)], ['deviation_id'], ['__count']))
        for deviation in self:
            deviation.related_count = counts.get(deviation, 0)

    def action_find_related(self):
        """Find the batches to which this deviation may extend; those found before stay, with their assessments (DEV-070)."""
        self.ensure_one()
        self._check_investigator()
        self._propose_related()
        return True

    def _propose_related(self):
        """Store the batches to which this deviation may extend and that are not known yet."""
        self.ensure_one()
        found = self._find_related()
        known = self.sudo().related_ids.bpr_id
        self.env['mrp.deviation.batch']._store([{
            'deviation_id': self.id, 'company_id': self.company_id.id, 'bpr_id': bpr.id, 'reason': reason}
            for bpr, reason in found.items() if bpr not in known])
        self.invalidate_recordset(['related_ids'])

    def _find_related(self):
        """Return the batches that share a component lot, a unit of equipment or the revision with this one, with what they
        share; one query, however many there are.

        Lots count without limit of time. A unit counts from the last good cleaning or calibration before it was used until
        the next one, of each of the two, and without limit where none was good; the revision counts within the days of the
        company's setting around the report.
        """
        self.ensure_one()
        row = self.sudo()
        self.env.flush_all()
        rows = self.env.execute_query(SQL(
            RELATED,
            lot=row.lot_id.id or None, bpr=row.bpr_id.id or None,
            unit=(row.equipment_id | row.equipment_log_id.equipment_id)[:1].id or None,
            at=row.equipment_log_id.ended_at or row.reported_at,
            revision=None if row.lot_id or row.equipment_id or row.equipment_log_id else row.mmr_revision_id.id or None,
            window=SQL("make_interval(days => %s)", row.company_id.mmr_related_days), company=row.company_id.id))
        found = {}
        for bpr, kind, names in rows:
            found.setdefault(bpr, []).append({
                1: self.env._("lot %s", ', '.join(names)), 2: self.env._("equipment %s", ', '.join(names)),
                3: self.env._("MMR revision")}[kind])
        return {self.env['mrp.bpr'].browse(bpr): '; '.join(reasons) for bpr, reasons in found.items()}

    def _get_closing_issues(self):
        issues = super()._get_closing_issues()
        related = self.sudo().related_ids
        if self._is_demanded('deviation_related'):
            missing = [bpr.sudo().name for bpr in self._find_related() if bpr not in related.bpr_id]
            if missing:
                issues.append(self.env._("Related batches were not looked for, or new ones were found: %s", ', '.join(missing)))
            issues += [self.env._("Related batch %s is not assessed", row.bpr_id.name)
                       for row in related if not row.assessment]
        return issues

    def _get_closure(self):
        return {**super()._get_closure(), 'related': [{
            'bpr': row.bpr_id.name, 'reason': row.reason, 'assessment': row.assessment or None, 'text': row.text or None,
            'by': row.assessed_by_id.name or None,
            'at': fields.Datetime.to_string(row.assessed_at) if row.assessed_at else None}
            for row in self.sudo().related_ids.sorted('id')]}
