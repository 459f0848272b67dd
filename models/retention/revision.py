"""How long a revision is kept: as long as the latest of its batches (REC-010)."""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL


class MrpMmrRevision(models.Model):
    """A revision is kept as long as the latest of its batches, and as long as it is in use (REC-010, 21 CFR 111.605(a))."""
    _inherit = 'mrp.mmr.revision'

    retain_until = fields.Date(
        "Keep Until", compute='_compute_retain_until', search='_search_retain_until',
        help="The latest date of its batches; none while it is in use or while one of them has no date.")
    retention_basis = fields.Text("Reason for the Date", compute='_compute_retain_until')

    def _get_retention(self):
        """Return the latest date of the batches of these revisions, their number and that of those without date, by id."""
        self.env['mrp.bpr'].flush_model(['retain_until', 'mmr_revision_id'])
        return {row[0]: row[1:] for row in self.env.execute_query(SQL(
            """SELECT b.mmr_revision_id, max(b.retain_until), count(*), count(*) FILTER (WHERE b.retain_until IS NULL)
                 FROM mrp_bpr b WHERE b.mmr_revision_id = ANY(%s) GROUP BY 1""",
            [revision.id for revision in self if isinstance(revision.id, int)]))}

    @api.depends('state')
    def _compute_retain_until(self):
        found, rule = self._get_retention(), "REC-010, 21 CFR 111.605(a)"
        for revision in self:
            latest, count, undated = found.get(revision.id, (None, 0, 0))
            in_use = revision.state not in ('superseded', 'obsolete')
            revision.retain_until = latest if count and not undated and not in_use else False
            if in_use:
                revision.retention_basis = self.env._("No disposal date yet: it was not ended (%s).", rule)
            elif not count:
                revision.retention_basis = self.env._("No disposal date: no batch was made by it (%s).", rule)
            elif undated:
                revision.retention_basis = self.env._(
                    "No disposal date yet: %(undated)s of its %(count)s batches have none (%(rule)s).", undated=undated,
                    count=count, rule=rule)
            else:
                revision.retention_basis = self.env._(
                    "Until %(date)s: the latest of its %(count)s batches (%(rule)s).", date=latest, count=count, rule=rule)

    def _search_retain_until(self, operator, value):
        if operator not in ('in', '<', '<=', '>', '>='):
            return NotImplemented
        dated = SQL(
            """(SELECT b.mmr_revision_id FROM mrp_bpr b GROUP BY 1
                HAVING bool_and(b.retain_until IS NOT NULL) AND %s)""",
            SQL("max(b.retain_until) = ANY(%s)", [fields.Date.to_date(item) for item in value if item]) if operator == 'in'
            else SQL("max(b.retain_until) %s %s", SQL(operator), fields.Date.to_date(value)))
        domain = Domain('id', 'in', dated) & Domain('state', 'in', ('superseded', 'obsolete'))
        if operator == 'in' and any(not item for item in value):
            every = Domain('id', 'in', SQL(
                "(SELECT b.mmr_revision_id FROM mrp_bpr b GROUP BY 1 HAVING bool_and(b.retain_until IS NOT NULL))"))
            return domain | ~(every & Domain('state', 'in', ('superseded', 'obsolete')))
        return domain
