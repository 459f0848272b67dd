"""Approved revisions become effective at their time; orders in draft move to them (REV-050)."""

import logging

from psycopg2 import IntegrityError

from odoo import api, fields, models
from odoo.exceptions import UserError

from ....domain.transitions import transition

_logger = logging.getLogger(__name__)


class MrpMmrRevision(models.Model):
    _inherit = 'mrp.mmr.revision'

    def _activate_due(self):
        """Make approved revisions effective whose time has come, superseding their predecessors.

        Called at approval, by cron, and whenever an order is confirmed, so that no order runs on
        yesterday's revision because a job was late (REV-050, 21 CFR 111.255(c)).
        """
        due = self.filtered(lambda revision: revision.state == 'approved' and (
            not revision.date_effective or revision.date_effective <= revision._get_today()))
        for revision in due:
            predecessor = self.search([('mmr_id', '=', revision.mmr_id.id), ('state', '=', 'effective')])
            now = fields.Datetime.now()
            revision._check_signatures()
            with transition(revision, revision.bom_id, predecessor, predecessor.bom_id):
                predecessor.write({'state': 'superseded', 'ended_at': now})
                predecessor._flag_running_orders()
                predecessor.bom_id.write({'active': False})
                # One effective revision at a time, in the database too.
                self.env.flush_all()
                revision.write({'state': 'effective', 'effective_at': now})
                self.env.flush_all()
                revision.bom_id.write({'active': True})
                revision.product_id.product_tmpl_id.sudo().mmr_controlled = True
                used = revision.bom_id.bom_line_ids.product_tmpl_id | revision.pack_ids.line_ids.product_id.product_tmpl_id
                used.sudo()._mmr_require_lot_release()
            revision.mmr_id._plan_next_review()
            revision._move_draft_orders()
        return due

    def _move_draft_orders(self):
        """Let draft orders of this MMR follow to this revision (REV-060)."""
        self.ensure_one()
        others = self.mmr_id.with_context(active_test=False).revision_ids - self
        orders = self.env['mrp.production'].sudo().search([
            ('state', '=', 'draft'), ('bom_id', 'in', others.bom_id.ids)])
        for order in orders:
            try:
                with self.env.cr.savepoint():
                    order._mmr_use_revision(self)
            except (UserError, IntegrityError) as error:
                # A damaged draft must not hold up the revision; it is refused when it is confirmed.
                _logger.warning("%s cannot follow %s: %s", order, self, error)
            else:
                order._message_log(body=self.env._("Replaces %s, which became effective.", self.display_name))

    @api.model
    def _cron_activate_due(self):
        """Make due revisions effective one by one, so that a faulty one does not hold the others up."""
        for revision in self.sudo().search([('state', '=', 'approved')]):
            try:
                with self.env.cr.savepoint():
                    revision._activate_due()
            except (UserError, IntegrityError) as error:
                _logger.warning("%s cannot become effective: %s", revision, error)
                revision._message_log(body=self.env._("It cannot become effective: %s", error))
